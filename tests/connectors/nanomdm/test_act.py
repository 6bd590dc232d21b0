"""Orders on groups: one merged profile, one pair of declarations a ban, each change once."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectors.nanomdm.acting import CASINO, TIKTOK, WECHAT, Department

from proscribe.connectors.base import Contended, NotAuthorised, Order, Rejected, Throttled, UnknownFate
from proscribe.connectors.nanomdm.model import CommandState
from proscribe.simulate.apple import Phone
from proscribe.terms import Enrolment, Side

Make = Callable[..., Department]


def base_profile(path: Path, *apps: str, uuid: str = "5E5CA1E0-0000-4000-8000-000000000001") -> None:
    """The organisation's own profile for a group."""
    payload = {
        "PayloadType": "com.apple.applicationaccess",
        "PayloadIdentifier": "org.lighthouses.harbour.restrictions",
        "PayloadUUID": "5E5CA1E0-0000-4000-8000-000000000002",
        "PayloadVersion": 1,
        "allowCamera": False,
        "blockedAppBundleIDs": list(apps),
    }
    document = {
        "PayloadType": "Configuration",
        "PayloadIdentifier": "org.lighthouses.harbour",
        "PayloadUUID": uuid,
        "PayloadVersion": 1,
        "PayloadContent": [payload],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(plistlib.dumps(document))


def failing(status: int, path: str = "", body: bytes = b"", **headers: str) -> Callable[..., Any]:
    """A server that answers so to whatever has ``path`` in its address."""

    def answer(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status, content=body, headers=headers) if path in request.url.path else None

    return answer


def launchable(phone: Phone) -> set[str]:
    return {app for app in (WECHAT.id, TIKTOK.id, CASINO) if phone.can_launch(app)}


# Sending ----------------------------------------------------------------------------------------------------------


def test_a_block_reaches_the_phones_of_its_scope_and_no_other(department: Make) -> None:
    dept = department()
    mine, unsupervised = dept.phone("18.5", WECHAT), dept.phone("18.5", WECHAT, enrolment=Enrolment.unsupervised)
    newer = dept.phone("27.0", WECHAT)
    dept.settle()
    _, _, receipt = dept.block()
    assert (receipt.status, receipt.scope_version, receipt.detail) == (200, 1, "queued:1")
    dept.check_in()
    assert not mine.can_launch(WECHAT.id)
    assert unsupervised.can_launch(WECHAT.id)
    assert newer.can_launch(WECHAT.id)


def test_the_receipt_names_what_went_out(department: Make) -> None:
    dept = department()
    dept.phone("18.5", WECHAT)
    dept.phone("18.5", WECHAT)
    dept.settle()
    order, _, receipt = dept.block()
    assert receipt.key == order.key
    assert receipt.at == dept.clock.now()
    assert len({receipt.request, receipt.response}) == 2
    assert receipt.detail == "queued:2"


def test_an_iphone_before_15_gets_the_list_under_its_old_name_and_the_same_edition(department: Make) -> None:
    dept = department()
    old, new = dept.phone("14.8", WECHAT), dept.phone("15.0", WECHAT)
    dept.settle()
    dept.block()
    dept.check_in()
    assert not old.can_launch(WECHAT.id)
    assert not new.can_launch(WECHAT.id)
    payloads = [
        plistlib.loads(plistlib.loads(one.raw)["Command"]["Payload"])
        for one in dept.journal.commands("", "InstallProfile")
    ]
    keys = [{key for key in each["PayloadContent"][0] if "AppBundleIDs" in key} for each in payloads]
    assert keys == [{"blacklistedAppBundleIDs"}, {"blockedAppBundleIDs"}]
    assert {each["PayloadUUID"] for each in payloads} == {dept.group().now.uuid}


def test_a_scope_without_phones_takes_the_order_and_phones_that_come_get_it(department: Make) -> None:
    dept = department()
    _, _, receipt = dept.block()
    assert (receipt.scope_version, receipt.detail) == (1, "")
    late = dept.phone("18.5", WECHAT)
    dept.settle()
    assert not late.can_launch(WECHAT.id)


def test_an_order_sent_twice_goes_out_once(department: Make) -> None:
    dept = department()
    dept.phone("18.5", WECHAT)
    dept.settle()
    order, _, _ = dept.block()
    before = list(dept.requests)
    prepared = dept.connect().prepare(order)
    assert prepared.in_place
    receipt = dept.connect().send(order, prepared)
    assert (receipt.status, receipt.scope_version, receipt.detail) == (0, 1, "in-place")
    assert dept.requests == before


def test_what_the_organisation_blocks_itself_is_in_place(department: Make, home: Path) -> None:
    base_profile(home / "profiles" / "all.mobileconfig", CASINO, WECHAT.id)
    dept = department()
    prepared = dept.connect().prepare(dept.order("all/profile", "RestrictionsProfile"))
    assert prepared.in_place
    assert prepared.prior == f'{{"{WECHAT.id}":"base"}}'


@pytest.mark.parametrize(
    "wrong",
    [
        {"system": "amapi"},
        {"method": "another"},
        {"app_ids": ()},
        {"side": Side.personal},
        {"scope": "all"},
        {"scope": "all/commands"},
        {"scope": "all/declarations"},
        {"scope": "nanomdm:X"},
        {"method": "RemoveApplication"},
        {"method": "RemoveApplication", "scope": "nanomdm:"},
        {"method": "RemoveApplication", "scope": "nanomdm:NOBODY"},
    ],
    ids=str,
)
def test_foreign_orders_are_refused(department: Make, wrong: dict[str, Any]) -> None:
    dept = department()
    order = dept.order("all/profile", "RestrictionsProfile")
    connector = dept.connect()
    prepared = connector.prepare(order)
    for attempt in (
        lambda: connector.prepare(replace(order, **wrong)),
        lambda: connector.send(replace(order, **wrong), prepared),
        lambda: connector.retract(replace(order, **wrong), prepared.prior),
    ):
        with pytest.raises(Rejected):
            attempt()
    assert dept.requests == []


def test_declarations_are_refused_where_there_is_no_server_for_them(department: Make) -> None:
    dept = department(kmfddm_endpoint="", kmfddm_key="")
    with pytest.raises(Rejected):
        dept.connect().prepare(dept.order("all/declarations", "AppSettingsDeclaration"))


# Faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [(401, b"", NotAuthorised), (429, b"", Throttled), (400, b"", Rejected), (502, b"", UnknownFate)],
)
def test_a_fault_of_all_is_raised_and_the_next_try_goes_through(
    department: Make, status: int, body: bytes, fault: type[Exception]
) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    order = dept.order("all/profile", "RestrictionsProfile")
    connector = dept.connect()
    prepared = connector.prepare(order)
    dept.answer = failing(status, body=body)
    with pytest.raises(fault):
        connector.send(order, prepared)
    sending = dept.records.commands(states=[CommandState.sending])
    assert bool(sending) is (fault is UnknownFate)
    assert (dept.group().offered is not None) is (fault is UnknownFate)
    assert dept.group().now.version == 0
    dept.answer = lambda _: None
    again = dept.connect().prepare(order)
    assert not again.in_place
    assert dept.connect().send(order, again).detail == "queued:1"
    dept.check_in()
    assert not phone.can_launch(WECHAT.id)


def test_one_phones_fault_does_not_hide_the_others(department: Make) -> None:
    dept = department()
    phones = [dept.phone("18.5", WECHAT) for _ in range(3)]
    dept.settle()
    dept.answer = failing(502, phones[1].id)
    _, _, receipt = dept.block()
    assert receipt.detail == "queued:2,failed:1"
    dept.answer = lambda _: None
    done = dept.follow_up()
    assert done.counts["delivered"] == 1
    dept.check_in()
    assert not any(phone.can_launch(WECHAT.id) for phone in phones)
    assert dept.queued("InstallProfile") == ["InstallProfile"] * 3


def test_credentials_that_are_refused_stop_the_rest(department: Make) -> None:
    dept = department()
    phones = [dept.phone("18.5", WECHAT) for _ in range(4)]
    dept.settle()
    before = len(dept.requests)
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        seen.append(request.url.path)
        return httpx.Response(401) if len(seen) == 2 else None

    dept.answer = answer
    _, _, receipt = dept.block()
    assert receipt.detail == "queued:1,failed:1,left:2"
    assert len(seen) == 2
    assert len(dept.requests) == before + 1
    dept.answer = lambda _: None
    assert dept.follow_up().counts["delivered"] == 3
    assert len(dept.queued("InstallProfile")) == len(phones)


def test_a_phone_that_could_not_be_woken_has_its_command(department: Make) -> None:
    dept = department(push=True)
    phone = dept.phone("18.5", WECHAT)
    done = dept.follow_up()
    assert done.counts["asked"] >= 1
    assert any("could not be woken" in wait.en for wait in done.waits)
    dept.settle()
    assert dept.device(phone).informed_at is not None
    _, _, receipt = dept.block()
    assert receipt.detail == "queued:1,not-woken:1"
    assert receipt.status == 500


def test_two_writers_of_one_scope_cannot_both_be_right(department: Make) -> None:
    dept = department()
    dept.phone("18.5", WECHAT)
    dept.settle()
    order = dept.order("all/profile", "RestrictionsProfile")
    connector = dept.connect()
    prepared = connector.prepare(order)

    def answer(_: httpx.Request) -> None:
        dept.answer = lambda _: None
        dept.block("all/profile", TIKTOK)

    dept.answer = answer
    with pytest.raises(Contended):
        connector.send(order, prepared)
    again = dept.connect()
    again.send(order, again.prepare(order))
    assert {entry.app for entry in dept.group().now.entries} == {WECHAT.id, TIKTOK.id}


# Two bans ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("os", "scope"), [("18.5", "all/profile"), ("27.0", "all/declarations")])
def test_lifting_one_of_two_bans_leaves_exactly_the_other(department: Make, os: str, scope: str, home: Path) -> None:
    base_profile(home / "profiles" / "all.mobileconfig", CASINO)
    dept = department()
    phone = dept.phone(os, WECHAT, TIKTOK)
    dept.settle()
    wechat, prior, _ = dept.block(scope, WECHAT)
    tiktok, other_prior, _ = dept.block(scope, TIKTOK)
    dept.settle()
    assert launchable(phone) == set()
    receipt = dept.connect().retract(wechat, prior)
    assert receipt.scope_version == 3
    dept.settle()
    assert launchable(phone) == {WECHAT.id}
    assert [entry.app for entry in dept.group(scope).now.entries] == [TIKTOK.id]
    dept.connect().retract(tiktok, other_prior)
    dept.settle()
    assert launchable(phone) == {WECHAT.id, TIKTOK.id}
    if scope.endswith("profile"):
        assert phone.blocked() == {CASINO}  # the organisation's own profile is back, word for word
        last = plistlib.loads(dept.journal.commands("", "InstallProfile")[-1].raw)
        assert last["Command"]["Payload"] == (home / "profiles" / "all.mobileconfig").read_bytes()
    else:
        assert dept.kmfddm.state.identifiers() == []


def test_lifting_the_only_ban_takes_our_profile_off(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    order, prior, _ = dept.block()
    dept.settle()
    receipt = dept.connect().retract(order, prior)
    assert receipt.detail == "queued:1"
    dept.settle()
    assert phone.can_launch(WECHAT.id)
    assert dept.queued("RemoveProfile", phone) == ["RemoveProfile"]
    again = dept.connect().retract(order, prior)
    assert (again.status, again.scope_version) == (0, receipt.scope_version)
    late = dept.phone("18.5", WECHAT)
    dept.settle()
    assert "RemoveProfile" not in dept.queued("", late)


def test_an_app_that_was_there_before_the_order_stays_when_it_is_lifted(department: Make) -> None:
    dept = department()
    first, _, _ = dept.block("all/profile", WECHAT)
    both = dept.order("all/profile", "RestrictionsProfile", WECHAT, TIKTOK)
    connector = dept.connect()
    prepared = connector.prepare(both)
    assert prepared.prior == f'{{"{WECHAT.id}":"{first.key[7:19]}","{TIKTOK.id}":null}}'
    connector.send(both, prepared)
    connector.retract(both, prepared.prior)
    assert [(entry.app, entry.ban) for entry in dept.group().now.entries] == [(WECHAT.id, first.key[7:19])]


def test_a_prior_state_that_cannot_be_read_is_refused(department: Make) -> None:
    dept = department()
    order, _, _ = dept.block()
    for prior in ("", "[]", "not json"):
        with pytest.raises(Rejected):
            dept.connect().retract(order, prior)
    assert dept.group().now.entries


def test_a_ban_has_its_declarations_and_every_server_token_is_known(department: Make) -> None:
    dept = department()
    phone = dept.phone("27.0", WECHAT, TIKTOK)
    dept.settle()
    dept.block("all/declarations", WECHAT)
    dept.block("all/declarations", TIKTOK)
    now = dept.group("all/declarations").now
    assert len(dept.kmfddm.state.identifiers()) == 4
    assert now.tokens == {name: dept.kmfddm.state.get(name).server_token for name in now.tokens}
    assert len(now.tokens) == 2
    dept.check_in()
    assert launchable(phone) == set()
    assert not any(change.notifies for change in dept.kmfddm.journal.changes if change.method == "PUT")


def test_profiles_are_signed_where_the_organisation_wants_it(department: Make, home: Path) -> None:
    from proscribe.simulate.apple import CertificateAuthority

    authority = CertificateAuthority.create()
    identity = authority.issue("signer")
    from cryptography.hazmat.primitives import serialization

    (home / "cert.pem").write_bytes(identity.certificate.public_bytes(serialization.Encoding.PEM))
    (home / "key.pem").write_bytes(
        identity.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (home / "key.pem").chmod(0o600)
    dept = department(signing_certificate=home / "cert.pem", signing_key=home / "key.pem")
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    dept.check_in()
    assert not phone.can_launch(WECHAT.id)
    (sent,) = dept.journal.commands("", "InstallProfile")
    assert plistlib.loads(sent.raw)["Command"]["Payload"].startswith(b"\x30")


def test_the_scope_tells_what_is_seen_on_its_phones(department: Make) -> None:
    dept = department()
    dept.phone("18.5", WECHAT)
    dept.settle()
    prepared = dept.connect().prepare(dept.order("all/profile", "RestrictionsProfile", TIKTOK))
    assert prepared.scope.devices == 1
    assert WECHAT.id in prepared.scope.settings
    assert isinstance(dept.order("all/profile", "RestrictionsProfile"), Order)
