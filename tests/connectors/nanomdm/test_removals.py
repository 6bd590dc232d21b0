"""Taking an app off a phone, in one step or two, and what becomes of it when the phone or its user will not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from tests.connectors.nanomdm.acting import START, TIKTOK, WECHAT, Department
from tests.connectors.nanomdm.test_act import failing
from tests.connectors.nanomdm.test_follow_up import deaf

from proscribe.connectors.base import Rejected, Throttled, UnknownFate
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.history import Case, cases
from proscribe.connectors.nanomdm.model import (
    Command,
    CommandState,
    Device,
    Kind,
    ManagedApp,
    Purpose,
    Removal,
    Stage,
)
from proscribe.connectors.nanomdm.removals import (
    STOPPED,
    advanced,
    arrived,
    begun,
    first_step,
    record_begun,
    with_removal,
)
from proscribe.simulate.apple import Person, Phone
from proscribe.terms import Enrolment

Make = Callable[..., Department]
CONVERT = "ConvertThenRemove"


def removal(dept: Department, phone: Phone) -> Removal:
    """What is recorded, once everything was taken in."""
    dept.follow_up(frozen=True)
    (found,) = dept.device(phone).removals
    return found


def settled(make: Make, os: str, **more: object) -> tuple[Department, Phone]:
    dept = make()
    phone = dept.phone(os, WECHAT, **more)
    dept.settle()
    return dept, phone


def test_an_app_is_removed_in_one_step(department: Make) -> None:
    dept, phone = settled(department, "26.1")
    receipt = dept.remove(phone)
    assert (receipt.status, receipt.detail, receipt.scope_version) == (200, "queued:1", 3)
    assert removal(dept, phone).stage is Stage.removing
    dept.settle()
    assert WECHAT.id not in phone.installed()
    assert removal(dept, phone).stage is Stage.removed
    assert dept.queued("InstallApplication") == []
    assert dept.device(phone).apps.apps == ()  # type: ignore[union-attr]


def test_a_conversion_is_confirmed_before_the_app_is_removed(department: Make) -> None:
    dept, phone = settled(department, "18.5")
    dept.remove(phone, CONVERT)
    before = len(dept.queued())
    assert removal(dept, phone).stage is Stage.converting
    dept.settle()
    assert WECHAT.id not in phone.installed()
    kinds = ["InstallApplication", "ManagedApplicationList", "RemoveApplication"]
    assert [kind for kind in dept.queued()[before - 1 :] if kind in kinds] == kinds
    assert removal(dept, phone).stage is Stage.removed
    assert removal(dept, phone).key


def test_a_hold_that_comes_between_the_two_steps_keeps_the_app(department: Make) -> None:
    """Converting takes nothing away; the second step would, and a records hold placed meanwhile forbids it."""
    dept, phone = settled(department, "18.5")
    dept.remove(phone, CONVERT)
    spared = frozenset({f"nanomdm:{phone.id}"})
    waits = []
    for _ in range(6):
        dept.clock.advance(minutes=1)
        dept.check_in()
        waits += dept.connect().follow_up(frozen=False, spared=spared).waits
    assert WECHAT.id in phone.installed()
    assert dept.queued("RemoveApplication") == []
    assert any("is not completed" in text.en and "mise en suspens" in text.fr for text in waits)
    dept.settle()
    assert WECHAT.id not in phone.installed()


def test_a_user_who_declines_is_not_asked_again_before_his_time(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT, enrolment=Enrolment.unsupervised, person=Person(accepts=False))
    dept.settle()
    dept.remove(phone, CONVERT)
    for _ in range(6):
        dept.follow_up()
        dept.clock.advance(hours=1, minutes=1)
        dept.check_in()
    found = removal(dept, phone)
    assert found.stage is Stage.refused
    assert found.not_before is not None
    assert dept.queued("RemoveApplication") == []
    order = dept.order(f"nanomdm:{phone.id}", CONVERT)
    assert dept.connect().prepare(order).in_place
    assert dept.connect().send(order, dept.connect().prepare(order)).status == 0
    dept.clock.advance(days=8)
    dept.settle()
    assert not dept.connect().prepare(order).in_place


def test_a_user_who_accepts_loses_the_app(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT, enrolment=Enrolment.unsupervised)
    dept.settle()
    dept.remove(phone, CONVERT)
    for _ in range(8):
        dept.follow_up()
        dept.clock.advance(hours=1, minutes=1)
        dept.check_in()
    assert removal(dept, phone).stage is Stage.removed
    assert dept.queued("InstallApplication") == ["InstallApplication"]


def test_an_error_waits_for_its_time_and_is_tried_once_more(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)  # 18 refuses to remove what it does not manage
    dept.settle()
    dept.remove(phone)
    dept.settle()
    found = removal(dept, phone)
    assert found.stage is Stage.failed
    assert found.error
    assert found.not_before is not None
    order = dept.order(f"nanomdm:{phone.id}", "RemoveApplication")
    assert dept.connect().prepare(order).in_place
    dept.clock.advance(hours=25)
    dept.settle()
    prepared = dept.connect().prepare(order)
    assert not prepared.in_place
    receipt = dept.connect().send(order, prepared)
    assert receipt.scope_version > prepared.scope.version
    assert removal(dept, phone).attempt == 2
    assert len(dept.queued("RemoveApplication")) == 2


@pytest.mark.parametrize(("os", "method"), [("26.1", "RemoveApplication"), ("18.5", CONVERT)])
def test_an_app_that_came_back_needs_an_order_and_gets_another_command(department: Make, os: str, method: str) -> None:
    dept, phone = settled(department, os)
    dept.remove(phone, method)
    dept.settle()
    phone.user_installs(WECHAT)
    dept.clock.advance(hours=13)
    dept.settle()
    order = dept.order(f"nanomdm:{phone.id}", method)
    assert not dept.connect().prepare(order).in_place
    assert dept.queued("RemoveApplication") == ["RemoveApplication"]  # following up by itself removes nothing
    dept.remove(phone, method)
    dept.settle()
    assert WECHAT.id not in phone.installed()
    assert removal(dept, phone).attempt == 2


def test_several_apps_of_one_order_go_together_or_are_tried_again(department: Make) -> None:
    dept = department()
    phone = dept.phone("26.1", WECHAT, TIKTOK)
    dept.settle()
    seen: list[str] = []

    def second_fails(request: httpx.Request) -> httpx.Response | None:
        seen.append(request.url.path)
        return httpx.Response(502) if len(seen) == 2 else None

    dept.answer = second_fails
    order = dept.order(f"nanomdm:{phone.id}", "RemoveApplication", WECHAT, TIKTOK)
    connector = dept.connect()
    with pytest.raises(UnknownFate):
        connector.send(order, connector.prepare(order))
    assert len(dept.device(phone).removals) == 1
    prepared = connector.prepare(order)
    assert not prepared.in_place
    dept.answer = lambda _: None
    assert connector.send(order, prepared).detail == "queued:1"
    assert connector.prepare(order).in_place
    dept.settle()
    assert not {WECHAT.id, TIKTOK.id} & phone.installed()
    assert len(dept.queued("RemoveApplication")) == 2


def test_what_a_fresh_list_does_not_show_needs_no_removal(department: Make) -> None:
    dept = department()
    phone = dept.phone("26.1")
    dept.settle()
    order = dept.order(f"nanomdm:{phone.id}", "RemoveApplication")
    prepared = dept.connect().prepare(order)
    assert prepared.in_place
    assert dept.connect().send(order, prepared).detail == "in-place"
    assert dept.queued("RemoveApplication") == []


def test_nothing_is_converted_on_an_old_list(department: Make) -> None:
    dept, phone = settled(department, "18.5")
    dept.clock.advance(hours=25)
    with pytest.raises(Throttled) as caught:
        dept.remove(phone, CONVERT)
    assert caught.value.retry_after == 3600
    assert dept.queued("InstallApplication") == []


def test_nothing_is_sent_to_a_phone_that_has_not_finished_its_enrolment_or_left(department: Make) -> None:
    dept, phone = settled(department, "26.1")
    dept.follow_up()
    dept.records.save_devices([replace(dept.device(phone), ready=False)])
    with pytest.raises(Throttled):
        dept.remove(phone)
    dept.records.save_devices([replace(dept.device(phone), left_at=dept.clock.now())])
    with pytest.raises(Rejected):
        dept.remove(phone)
    assert dept.queued("RemoveApplication") == []


def test_a_conversion_that_is_taken_back_in_time_is_not_followed_by_the_removal(department: Make) -> None:
    dept, phone = settled(department, "18.5")
    order = dept.order(f"nanomdm:{phone.id}", CONVERT)
    connector = dept.connect()
    prepared = connector.prepare(order)
    connector.send(order, prepared)
    receipt = connector.retract(order, prepared.prior)
    assert (receipt.status, receipt.detail) == (0, "conversion-stopped")
    dept.settle()
    assert WECHAT.id in phone.installed()
    assert dept.queued("RemoveApplication") == []
    assert removal(dept, phone).error == STOPPED
    assert connector.retract(order, prepared.prior).detail == "not-put-back"


def test_a_removal_cannot_be_taken_back_and_says_so(department: Make) -> None:
    dept, phone = settled(department, "26.1")
    order = dept.order(f"nanomdm:{phone.id}", "RemoveApplication")
    connector = dept.connect()
    prepared = connector.prepare(order)
    connector.send(order, prepared)
    receipt = connector.retract(order, prepared.prior)
    assert (receipt.status, receipt.detail) == (0, "not-put-back")
    assert (removal(dept, phone).stage, removal(dept, phone).error) == (Stage.failed, "stopped")


def test_a_second_step_waits_as_long_as_everything_is_frozen(department: Make) -> None:
    dept, phone = settled(department, "18.5")
    dept.remove(phone, CONVERT)
    for _ in range(5):
        dept.clock.advance(minutes=1)
        dept.check_in()
        dept.follow_up(frozen=True)
    assert removal(dept, phone).stage is Stage.confirming
    assert dept.queued("RemoveApplication") == []
    assert dept.follow_up().counts["removed_sent"] == 1


def test_a_phone_that_enrols_anew_voids_what_was_under_way(department: Make) -> None:
    dept, phone = settled(department, "26.1")
    dept.remove(phone)
    dept.clock.advance(minutes=1)
    phone.wipe(restore=True)
    phone.enrol()
    dept.hear()
    dept.settle()
    assert removal(dept, phone).stage is Stage.void
    assert WECHAT.id in phone.installed()
    order = dept.order(f"nanomdm:{phone.id}", "RemoveApplication")
    assert not dept.connect().prepare(order).in_place
    dept.remove(phone)
    dept.settle()
    assert WECHAT.id not in phone.installed()


def test_an_answer_that_is_faster_than_our_own_record_counts(department: Make) -> None:
    """The phone takes the command and answers before the process comes to write that it was queued."""
    dept, phone = settled(department, "26.1")

    def at_once(request: httpx.Request) -> httpx.Response:
        dept.answer = lambda _: None
        answer = dept._serve(request)
        phone.check_in()
        dept.hear()
        dept.connect().take_in()
        return answer

    dept.answer = at_once
    dept.remove(phone)
    assert removal(dept, phone).stage is Stage.removed
    assert WECHAT.id not in phone.installed()


@pytest.mark.parametrize("came", [True, False])
@pytest.mark.parametrize(
    ("os", "method", "kind"),
    [("26.1", "RemoveApplication", "RemoveApplication"), ("18.5", CONVERT, "InstallApplication")],
)
def test_a_lost_answer_is_looked_for_first(department: Make, os: str, method: str, kind: str, *, came: bool) -> None:
    dept, phone = settled(department, os)
    dept.remove(phone, method)
    if came:
        deaf(dept)
    else:
        dept.servers.queue(phone.id).clear()
    for _ in range(8):
        dept.clock.advance(hours=1, minutes=1)
        dept.check_in()
        dept.follow_up()
    dept.settle()
    assert WECHAT.id not in phone.installed()
    assert removal(dept, phone).stage is Stage.removed
    assert len(dept.queued(kind)) == (1 if came else 2)
    assert not dept.records.commands(states=[CommandState.queued, CommandState.sending])


def test_one_apps_refusal_by_the_server_is_its_own(department: Make) -> None:
    dept, phone = settled(department, "26.1")
    dept.answer = failing(400)
    with pytest.raises(Rejected):
        dept.remove(phone)
    assert dept.device(phone).removals == ()
    assert dept.records.commands(states=[CommandState.sending]) == ()


# What answers mean, wherever they came in between ------------------------------------------------------------------

CONFIG = NanomdmConfig("http://127.0.0.1:9000", api_key="k")


def case_of(stage: Stage, purpose: Purpose, state: CommandState, *statuses: tuple[str, int]) -> Case:
    """A device with one removal, its one command answered five minutes after START, and statuses asked at minutes."""
    told = tuple(
        ManagedApp(WECHAT.id, status, START + timedelta(minutes=at), START + timedelta(minutes=at))
        for status, at in statuses
    )
    found = Removal(WECHAT.id, "key", stage, START)
    device = Device("PHONE", Kind.device, 1, START, START, ready=True, managed=told, removals=(found,))
    sent = Command(
        "U",
        "PHONE",
        1,
        "InstallApplication" if purpose is Purpose.convert else "RemoveApplication",
        purpose,
        state,
        START,
        subject=WECHAT.id,
        key="key",
        answered_at=START + timedelta(minutes=5),
        error="12",
    )
    return Case(device, (sent,))


@pytest.mark.parametrize(
    ("stage", "purpose", "state", "statuses", "expected"),
    [
        (Stage.removing, Purpose.remove, CommandState.queued, (), Stage.removing),
        (Stage.removing, Purpose.remove, CommandState.answered, (), Stage.removed),
        (Stage.removing, Purpose.remove, CommandState.failed, (), Stage.failed),
        (Stage.removing, Purpose.convert, CommandState.answered, (), Stage.void),
        (Stage.converting, Purpose.convert, CommandState.queued, (), Stage.converting),
        (Stage.converting, Purpose.convert, CommandState.failed, (), Stage.failed),
        (Stage.converting, Purpose.convert, CommandState.answered, (), Stage.confirming),
        (Stage.confirming, Purpose.convert, CommandState.answered, (("Managed", 6),), Stage.confirming),
        (Stage.confirming, Purpose.convert, CommandState.answered, (("UserRejected", 6),), Stage.refused),
        (Stage.converting, Purpose.convert, CommandState.answered, (("ManagementRejected", 6),), Stage.refused),
        (Stage.confirming, Purpose.convert, CommandState.answered, (("Failed", 6),), Stage.failed),
        (Stage.confirming, Purpose.convert, CommandState.answered, (("Failed", 4),), Stage.confirming),
        (Stage.confirming, Purpose.convert, CommandState.answered, (("UserInstalledApp", 6),), Stage.confirming),
        (Stage.confirming, Purpose.convert, CommandState.answered, (("UserInstalledApp", 66),), Stage.failed),
        (Stage.confirming, Purpose.convert, CommandState.answered, (("", 66),), Stage.failed),
        (Stage.confirming, Purpose.convert, CommandState.answered, (("PromptingForManagement", 66),), Stage.confirming),
        (Stage.removed, Purpose.remove, CommandState.answered, (), Stage.removed),
    ],
)
def test_what_a_removal_has_come_to(
    stage: Stage, purpose: Purpose, state: CommandState, statuses: tuple[tuple[str, int], ...], expected: Stage
) -> None:
    moved = advanced(case_of(stage, purpose, state, *statuses), CONFIG, START + timedelta(hours=2))
    (found,) = moved.removals
    assert found.stage is expected
    assert (found.not_before is not None) is (expected in (Stage.failed, Stage.refused))


def test_a_status_decides_whether_a_lost_conversion_arrived() -> None:
    for statuses, expected in (
        ((), None),
        ((("Managed", 6),), True),
        ((("PromptingForManagement", 6),), True),
        ((("UserInstalledApp", 6),), False),
        ((("Failed", 6),), False),
    ):
        case = case_of(Stage.converting, Purpose.convert, CommandState.queued, *statuses)
        assert arrived(case, case.commands[0]) is expected


def test_a_removal_is_recorded_once_and_for_its_own_enrolment(department: Make) -> None:
    dept, phone = settled(department, "26.1")
    now = dept.clock.now()
    device = dept.device(phone)
    wanted = begun(device, WECHAT.id, "key", "RemoveApplication", now)
    (case,) = cases([device], {})
    sent = first_step(case, wanted, now).command
    record_begun(dept.records, [replace(sent, generation=7)], {sent.uuid: wanted})
    assert dept.device(phone).removals == ()
    record_begun(dept.records, [sent], {sent.uuid: wanted})
    dept.records.save_devices([with_removal(device, replace(wanted, stage=Stage.removed))])
    record_begun(dept.records, [sent], {sent.uuid: wanted})
    assert dept.device(phone).removals[0].stage is Stage.removed
