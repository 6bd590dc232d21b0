"""The fleet builder, and many phones at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from tests.simulate.apple.conftest import Organisation

from proscribe.simulate.apple import (
    Behaviour,
    FleetSpec,
    MdmEndpoint,
    Phone,
    PhoneSpec,
    Refused,
    check_in,
    enrol,
    make_phones,
    make_specs,
)
from proscribe.simulate.apple.identity import Identity
from proscribe.terms import Enrolment

Make = Callable[..., PhoneSpec]


def test_the_same_seed_gives_the_same_fleet() -> None:
    one, two, other = (make_specs(FleetSpec(phones=80, seed=seed)) for seed in (3, 3, 4))
    assert one == two
    assert one != other
    assert [phone.spec for phone in make_phones(FleetSpec(phones=80, seed=3))] == one


def test_a_fleet_has_every_class_and_people_of_every_kind() -> None:
    spec = FleetSpec(phones=600)
    phones = make_specs(spec)
    kinds = Counter(phone.enrolment for phone in phones)
    assert kinds[Enrolment.supervised] > kinds[Enrolment.unsupervised] > kinds[Enrolment.user_enrolment] > 0
    assert len(kinds) == 3
    classes = {(phone.enrolment, phone.os) for phone in phones}
    assert classes == {(kind, system) for kind in kinds for system in spec.systems}
    assert {phone.department for phone in phones} == set(spec.departments)
    assert 0 < sum(phone.ipad for phone in phones) < 300
    assert len({phone.udid for phone in phones}) == len({phone.serial for phone in phones}) == 600
    assert {phone.behaviour for phone in phones} == set(Behaviour)
    holders = [phone for phone in phones if any(app.id == "com.tencent.xin" for app in phone.apps)]
    assert 60 < len(holders) < 200
    states = Counter(app.managed for phone in holders for app in phone.apps if app.id == "com.tencent.xin")
    assert states[False] > states[True] > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_small_fleet_shows_each_guaranteed_kind_on_a_holder(seed: int) -> None:
    spec = FleetSpec(phones=60, behaviours=(), seed=seed)
    phones = make_specs(spec)
    shown = {
        phone.behaviour: phone
        for phone in phones
        if phone.behaviour is not Behaviour.ordinary and any(app.id == "com.tencent.xin" for app in phone.apps)
    }
    assert shown.keys() == set(spec.guaranteed)
    assert shown[Behaviour.refuses].enrolment is Enrolment.unsupervised
    assert shown[Behaviour.upgrader].os.startswith("26.")
    assert any(app.declared for app in shown[Behaviour.declared].apps)
    assert sum(phone.behaviour is not Behaviour.ordinary for phone in phones) == len(spec.guaranteed)


def test_a_fleet_without_bans_and_without_phones_is_a_fleet() -> None:
    assert make_phones(FleetSpec(phones=0, banned=())) == []
    assert len(make_phones(FleetSpec(phones=3, banned=()))) == 3
    assert len(make_specs(FleetSpec(phones=1))) == 1


def test_two_hundred_phones_enrol_and_answer(mdm: Organisation) -> None:
    phones = make_phones(FleetSpec(phones=200, seed=7))
    enrol(phones, mdm.phones)
    for phone in phones:
        mdm.queue(phone, "DeviceInformation", Queries=["OSVersion", "IsSupervised", "UDID"])
    assert check_in(phones) == {("DeviceInformation", "Acknowledged"): 200}
    told = {answer.get("UDID") or answer["EnrollmentID"]: answer for answer in mdm.phones.answers()}
    assert {phone.id: phone.os for phone in phones} == {
        device: answer["QueryResponses"]["OSVersion"] for device, answer in told.items()
    }


def test_one_worker_leaves_nothing_to_chance(mdm: Organisation) -> None:
    def said(seed: int) -> list[str]:
        phones = make_phones(FleetSpec(phones=20, seed=seed))
        enrol(phones, mdm.phones, workers=1)
        before = len(mdm.phones.said)
        for phone in phones:
            mdm.queue(phone, "InstalledApplicationList")
        check_in(phones, workers=1)
        order = [message.get("UDID") or message["EnrollmentID"] for _, message in mdm.phones.said[before:]]
        assert list(dict.fromkeys(order)) == [phone.id for phone in phones]
        return order

    assert said(31) != said(32)


def test_one_phone_that_is_refused_does_not_stop_the_others(spec: Make, mdm: Organisation) -> None:
    class Picky(MdmEndpoint):
        def put(self, body: bytes, content_type: str, identity: Identity) -> bytes:
            if phones[0].spec.udid.encode() in body:
                raise Refused(500, b"no")
            return super().put(body, content_type, identity)

    phones = [Phone(spec()) for _ in range(3)]
    with Picky(mdm.phones.url, mdm.phones.authority) as endpoint, pytest.raises(Refused, match="500"):
        enrol(phones, endpoint, workers=1)
    assert [phone.enrolled for phone in phones] == [False, True, True]
    assert "supervised" in repr(phones[0])
