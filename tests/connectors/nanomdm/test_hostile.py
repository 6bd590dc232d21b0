"""What a device, a clock, a lost event or another tool may do to what is claimed, and to what is sent."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectors.nanomdm.acting import CASINO, TIKTOK, WATCH, WECHAT, Department
from tests.connectors.nanomdm.remembered import APP, PROFILE, base_profile, config, device, hours
from tests.connectors.nanomdm.telling import (
    AUTHENTICATE,
    INFORMATION,
    PHONE,
    START,
    Inbox,
    answer,
    app,
    asked,
    authenticate,
    check_out,
    event,
    minutes,
    token_update,
)

from proscribe.clock import ManualClock
from proscribe.connectors.base import Throttled, UnusableSetUp
from proscribe.connectors.memory import Watch
from proscribe.connectors.nanomdm import answers, outbox, scopes
from proscribe.connectors.nanomdm.commands import install_profile
from proscribe.connectors.nanomdm.intake import take_in
from proscribe.connectors.nanomdm.model import CommandState, Edition, Entry, Gap, Group, ProfileList, SeenProfile
from proscribe.connectors.nanomdm.records import Records
from proscribe.terms import Held, Side

Make = Callable[..., Department]


def records_of(company: Department) -> dict[str, Any]:
    """What is said of devices, by key."""
    return {record.key: record for batch in company.connect().observe() for record in batch.devices}


def lose(company: Department, request_type: str) -> None:
    """The answers to such commands are lost between NanoMDM and us."""
    asked = {one.uuid for one in company.records.commands() if one.request_type == request_type}

    def is_lost(body: bytes) -> bool:
        told = json.loads(body).get("acknowledge_event") or {}
        return told.get("command_uuid") in asked

    company.events.bodies = [body for body in company.events.bodies if not is_lost(body)]


def test_a_list_from_before_the_block_says_nothing_under_it(department: Make) -> None:
    company = department()
    company.block()
    company.clock.advance(hours=1)
    phone = company.phone()
    company.follow_up()
    company.clock.advance(minutes=1)
    company.check_in()  # who it is, and a first list: nothing on it
    company.clock.advance(minutes=1)
    company.follow_up()  # the profile
    phone.user_installs(WECHAT)
    company.clock.advance(minutes=1)
    company.check_in()
    company.clock.advance(minutes=1)
    company.follow_up()  # which profiles, which apps?
    company.clock.advance(minutes=1)
    phone.check_in()
    lose(company, "InstalledApplicationList")
    company.hear()
    record = records_of(company)[f"nanomdm:{phone.id}"]
    assert record.applied_version < company.group().now.version


def test_what_kmfddm_keeps_of_an_earlier_enrolment_proves_nothing(department: Make) -> None:
    company = department()
    phone = company.phone("27.0", WECHAT)
    company.settle()
    company.block("all/declarations")
    company.settle()
    key = f"nanomdm:{phone.id}"
    assert records_of(company)[key].applied_version == company.group("all/declarations").now.version
    company.clock.advance(hours=1)
    phone.wipe()
    phone.enrol(company.endpoint)
    company.hear()
    phone.user_installs(WECHAT)
    company.clock.advance(minutes=1)
    company.follow_up()
    company.clock.advance(minutes=1)
    company.check_in()  # it says who it is, and that it has the app
    company.clock.advance(minutes=1)
    company.follow_up()
    assert not phone.blocked()
    record = records_of(company)[key]
    assert record.scope == "all/declarations"
    assert record.applied_version == 0
    assert not [remark for remark in record.remarks if remark.startswith("contained")]


def test_only_an_app_that_is_listed_is_converted(department: Make) -> None:
    company = department()
    phone = company.phone("18.5", WECHAT)
    company.settle()
    company.watch = Watch(ios=frozenset({WECHAT.id}))  # the other is looked for no more
    company.clock.advance(hours=13)
    company.settle()
    company.watch = WATCH
    company.remove(phone, "ConvertThenRemove", WECHAT, TIKTOK)
    assert [one.subject for one in company.records.commands() if one.purpose == "convert"] == [WECHAT.id]


def test_a_removal_that_was_lost_is_not_sent_again_after_the_ban_was_lifted(department: Make) -> None:
    company = department()
    phone = company.phone("26.1", WECHAT)
    company.settle()
    order = company.order(f"nanomdm:{phone.id}", "RemoveApplication", WECHAT)
    connector = company.connect()
    prepared = connector.prepare(order)
    connector.send(order, prepared)
    company.servers.queue(phone.id).clear()  # lost
    connector.retract(order, prepared.prior)
    for _ in range(6):
        company.clock.advance(hours=2)
        company.follow_up()
        company.clock.advance(minutes=1)
        company.check_in()
    assert len(company.queued("RemoveApplication")) == 1


def test_case_variants_of_a_watched_app_are_not_kept_without_end() -> None:
    spellings = ["".join(pair) for pair in itertools.product(*[(c.lower(), c.upper()) for c in "tencentxin"])]
    items = [app(f"com.{one[:7]}.{one[7:]}") for one in spellings]
    command = asked("U-1", "InstalledApplicationList", START, named=(WECHAT.id,))
    found = answers.listed({"InstalledApplicationList": items}, command, [WECHAT.id], START)
    assert WECHAT.id in {one.id for one in found.apps}
    assert len(found.apps) <= 2
    assert found.others == len(items) - len(found.apps)


def test_another_profile_with_the_uuid_of_ours_blocks_nothing() -> None:
    edition = Edition(3, (Entry(APP, "ban"),), uuid=PROFILE, identifier="proscribe.restrictions.all")
    group = Group("all/profile", edition)
    listed = ProfileList(hours(1), hours(1), (SeenProfile("org.example.wifi", PROFILE, restricts=False),))
    phone = device(profiles=listed)
    assert scopes.blocked_on(phone, group) == frozenset()
    assert scopes.applied_version(phone, group) == 0


def test_a_profile_under_an_identifier_that_was_given_up_goes_once_the_new_one_is_on(
    department: Make, home: Path
) -> None:
    company = department()
    phone = company.phone("18.5", WECHAT)
    company.settle()
    company.block()
    company.settle()
    assert [one for one in phone.device.profiles if one.startswith("proscribe.")]
    base_profile(home / "profiles", blocked=[CASINO])
    company.settle()
    assert not [one for one in phone.device.profiles if one.startswith("proscribe.")]
    assert {WECHAT.id, CASINO} <= phone.blocked()
    assert records_of(company)[f"nanomdm:{phone.id}"].applied_version == company.group().now.version


def test_nothing_is_ordered_or_lifted_while_the_base_is_gone(department: Make, home: Path) -> None:
    company = department()
    file = home / "profiles" / "all.mobileconfig"
    base_profile(home / "profiles", blocked=[CASINO])
    phone = company.phone("18.5", WECHAT)
    company.settle()
    order, prior, _ = company.block()
    company.settle()
    before = company.group()
    file.unlink()
    with pytest.raises(Throttled, match="gone"):
        company.block("all/profile", TIKTOK)
    with pytest.raises(Throttled, match="gone"):
        company.connect().retract(order, prior)
    company.settle()
    assert company.group() == before
    assert {WECHAT.id, CASINO} <= phone.blocked()


@pytest.mark.parametrize("gone", ["profiles", "roster"])
def test_a_folder_or_a_roster_that_is_missing_stops_everything(department: Make, home: Path, gone: str) -> None:
    company = department(roster=home / "roster.csv")
    (home / "roster.csv").write_text("serial,group\nNL1,north\n")
    company.phone("18.5", WECHAT)
    company.settle()
    (home / "profiles").rmdir() if gone == "profiles" else (home / "roster.csv").unlink()
    with pytest.raises(UnusableSetUp, match=gone):
        company.follow_up()
    with pytest.raises(UnusableSetUp, match=gone):
        records_of(company)
    with pytest.raises(UnusableSetUp, match=gone):
        company.block()


def test_an_iphone_before_15_does_not_heed_the_new_name_of_the_list(department: Make, home: Path) -> None:
    company = department()
    base_profile(home / "profiles", blocked=[CASINO, WECHAT.id])  # under blockedAppBundleIDs
    phone = company.phone("14.8", WECHAT)
    company.queue(phone, install_profile((home / "profiles" / "all.mobileconfig").read_bytes()))
    company.settle()
    assert not phone.blocked()
    assert not [one for one in records_of(company)[f"nanomdm:{phone.id}"].remarks if one.startswith("contained")]
    order = company.order("all/profile", "RestrictionsProfile", WECHAT)
    assert not company.connect().prepare(order).in_place
    company.block()
    company.settle()
    assert WECHAT.id in phone.blocked()


def test_an_answer_that_is_lost_after_a_gap_is_asked_for_again(department: Make) -> None:
    company = department()
    phone = company.phone("18.5", WECHAT)
    company.settle()
    company.clock.advance(minutes=5)
    ended = company.clock.now()
    company.records.save_gap(Gap(ended - timedelta(minutes=1), ended))
    company.follow_up()  # every device is asked anew
    company.clock.advance(minutes=1)
    phone.check_in()
    company.events.bodies.clear()  # and answers while nobody listens
    for _ in range(3):
        company.clock.advance(minutes=70)
        company.follow_up()
        company.check_in()
    seen = company.device(phone)
    assert seen.apps is not None
    assert seen.profiles is not None
    assert min(seen.apps.asked_at, seen.profiles.asked_at) > ended


def test_an_app_that_is_managed_already_is_removed_and_not_converted(department: Make) -> None:
    company = department()
    phone = company.phone("18.5", replace(WECHAT, managed=True), TIKTOK)
    company.settle()
    installs = {one.app.app_id: one.held for batch in company.connect().observe() for one in batch.installs}
    assert installs == {WECHAT.id: Held.managed, TIKTOK.id: Held.unmanaged}
    assert len(company.queued("ManagedApplicationList", phone)) == 1
    for _ in range(8):
        company.clock.advance(hours=13)
        company.settle()
    assert len(company.queued("ManagedApplicationList", phone)) == 1


def test_reports_of_declarations_are_read_anew_after_a_gap_and_now_and_then(department: Make) -> None:
    company = department()
    phone = company.phone("27.0", WECHAT)
    company.settle()
    company.block("all/declarations")
    company.settle()
    key, version = f"nanomdm:{phone.id}", company.group("all/declarations").now.version
    assert records_of(company)[key].applied_version == version

    def off(request: httpx.Request) -> httpx.Response | None:
        if "declaration-status" not in request.url.path:
            return None
        items = company.kmfddm.state.status([phone.id])[phone.id]
        return httpx.Response(200, json={phone.id: [{**item, "active": False} for item in items]})

    company.answer = off  # the report of it was told to nobody
    company.follow_up()
    assert records_of(company)[key].applied_version == version
    company.clock.advance(minutes=5)
    company.records.save_gap(Gap(company.clock.now() - timedelta(minutes=1), company.clock.now()))
    company.clock.advance(minutes=5)
    company.follow_up()
    assert records_of(company)[key].applied_version == 0


def test_commands_of_an_enrolment_that_is_over_are_forgotten(department: Make) -> None:
    company = department()
    phone = company.phone("18.5", WECHAT)
    for _ in range(6):
        company.settle()
        company.clock.advance(days=3)
        phone.wipe()
        phone.enrol(company.endpoint)
        company.hear()
    company.settle()
    assert {one.generation for one in company.records.commands()} == {company.device(phone).generation}


def test_a_freeze_stops_what_is_being_sent(department: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "CHUNK", 2)
    company = department()
    for _ in range(6):
        company.phone("18.5", WECHAT)
    company.settle()
    company.frozen = lambda: len(company.queued("InstallProfile")) >= 2  # a person says so once two have gone
    _, _, receipt = company.block()
    assert receipt.detail == "queued:2,left:4"
    company.follow_up()
    assert len(company.queued("InstallProfile")) == 2
    company.frozen = lambda: False
    company.settle()
    assert all(WECHAT.id in phone.blocked() for phone in company.phones)


def test_under_a_freeze_that_came_before_the_first_command_nothing_is_promised(department: Make) -> None:
    company = department()
    phone = company.phone("18.5", WECHAT)
    company.settle()
    company.frozen = lambda: True
    with pytest.raises(Throttled):
        company.block()
    with pytest.raises(Throttled):
        company.remove(phone, "ConvertThenRemove")
    assert company.group().now.version == 0
    assert company.queued("InstallProfile") == company.queued("InstallApplication") == []


def test_a_device_is_woken_once_all_of_its_commands_are_queued(department: Make) -> None:
    company = department(push=True)
    woken: list[int] = []

    def noted(request: httpx.Request) -> None:
        if "nopush" not in request.url.params:
            woken.append(len(company.queued()))

    company.answer = noted
    company.phone("18.5", WECHAT)
    company.follow_up()
    assert len(company.queued()) == 2
    assert woken == [len(company.queued()) - 1]


@pytest.mark.parametrize("hours_off", [-2, 2])
def test_a_clock_that_is_wrong_carries_nothing_over_into_an_enrolment(department: Make, hours_off: int) -> None:
    company = department()

    def wrong() -> str:
        moment = company.clock.now() + timedelta(hours=hours_off)
        return moment.isoformat()

    company.events.stamp = wrong
    phone = company.phone("18.5", WECHAT)
    company.settle()
    company.block()
    company.settle()
    key, version = f"nanomdm:{phone.id}", company.group().now.version
    assert records_of(company)[key].applied_version == version
    company.clock.advance(minutes=10)
    phone.wipe()
    phone.enrol(company.endpoint)
    company.hear()
    company.connect().take_in()
    assert company.device(phone).apps is None
    assert company.device(phone).profiles is None
    company.settle()
    assert records_of(company)[key].applied_version == version
    assert phone.blocked()
    counted = company.memory.counters()
    assert counted["clock_behind" if hours_off < 0 else "clock_ahead"] > 0


def test_an_event_from_before_our_memory_of_replays_is_refused() -> None:
    inbox = Inbox()
    inbox.tell(authenticate(START), token_update(START))
    take_in(Records(inbox.memory), config(), ManualClock(START), WATCH)
    inbox.tell(check_out(START - timedelta(days=31)), at=START)
    take_in(Records(inbox.memory), config(), ManualClock(START), WATCH)
    known = Records(inbox.memory).device(PHONE)
    assert known is not None
    assert known.left_at is None
    assert inbox.counts["refused.old"] == 1


@pytest.mark.parametrize("claimed", ["NL-B", " nl-b "])
@pytest.mark.parametrize("enrolment", ["Device", "User Enrollment (Device)"])
def test_a_device_cannot_speak_for_another(claimed: str, enrolment: str) -> None:
    """By serial number devices are joined with what other systems know, and found in the roster."""
    inbox = Inbox()
    records = Records(inbox.memory)
    inbox.tell(authenticate(START, SerialNumber="NL-B"), token_update(START))
    liar = {"id": "LIAR", "udid": "LIAR", "kind": enrolment}
    inbox.tell(event("Authenticate", minutes(1), {**AUTHENTICATE, "UDID": "LIAR", "SerialNumber": claimed}, **liar))
    take_in(records, config(), ManualClock(START), WATCH)
    command = asked("WHO", "DeviceInformation", minutes(2), device="LIAR")
    records.save_commands([command])
    said = {"QueryResponses": {**INFORMATION, "UDID": PHONE, "SerialNumber": claimed}}
    part = {"status": "Acknowledged", "command_uuid": "WHO", **liar}
    inbox.tell(event("Connect", minutes(3), answer("Acknowledged", "WHO", **said), **part))
    take_in(records, config(), ManualClock(START), WATCH)
    other, own = records.device("LIAR"), records.device(PHONE)
    assert other is not None
    assert own is not None
    assert other.informed_at == minutes(2)
    assert (other.udid in ("", "LIAR"), other.serial) == (True, "")
    assert own.serial == "NL-B"
    inbox.tell(check_out(minutes(5)))  # the serial number is free again
    inbox.tell(event("Authenticate", minutes(6), {**AUTHENTICATE, "UDID": "NEW", "SerialNumber": "NL-B"}, id="NEW"))
    take_in(records, config(), ManualClock(START), WATCH)
    newest = records.device("NEW")
    assert newest is not None
    assert newest.serial == "NL-B"


def test_gaps_without_end_do_not_have_the_fleet_asked_without_end(department: Make) -> None:
    company = department()
    company.phone("18.5", WECHAT)
    company.settle()
    before = len(company.queued())
    for _ in range(30):  # two and a half hours of a receiver that is kept busy
        company.clock.advance(minutes=5)
        company.records.save_gap(Gap(company.clock.now(), company.clock.now() + timedelta(seconds=5)))
        company.clock.advance(seconds=10)
        company.follow_up()
        company.check_in()
    assert len(company.queued()) - before <= 3 * 3


def test_losses_in_a_row_are_one_gap_and_healed_ones_are_forgotten() -> None:
    inbox = Inbox()
    records = Records(inbox.memory)
    for number in range(100):
        records.widen_gap(Gap(minutes(number / 6), minutes(number / 6)), timedelta(minutes=1))
    (gap,) = records.gaps()
    assert (gap.began, gap.ended) == (minutes(0), minutes(99 / 6))
    records.widen_gap(Gap(minutes(60), minutes(61)), timedelta(minutes=1))
    assert len(records.gaps()) == 2
    records.save_gap(replace(gap, healed_at=minutes(30)))
    inbox.tell(authenticate(minutes(100)))
    take_in(records, config(), ManualClock(minutes(100) + timedelta(days=40)), WATCH)
    assert [one.began for one in records.gaps()] == [minutes(60)]


def test_an_app_that_is_taken_back_again_and_again_is_removed_ever_more_seldom(department: Make) -> None:
    company = department()
    phone = company.phone("26.1", WECHAT)
    company.settle()
    scope = f"nanomdm:{phone.id}"
    began = company.clock.now()
    while company.clock.now() - began < timedelta(days=1):
        scopes_now = {one.id: one for batch in company.connect().observe() for one in batch.scopes}
        there = company.connect().in_place(scopes_now[scope], "RemoveApplication", Side.whole)
        if WECHAT.id not in there and WECHAT.id in phone.installed():
            company.remove(phone)
        company.follow_up()
        company.clock.advance(minutes=3)
        company.check_in()
        phone.user_installs(WECHAT)
    assert 4 <= len(company.queued("RemoveApplication")) <= 12


def test_an_inbox_that_fills_as_fast_as_it_is_emptied_keeps_nobody(
    department: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = department()
    phone = company.phone("18.5", WECHAT)
    connector = company.connect()
    emptied = connector.take_in

    def filling(*, limit: int = 1_000) -> int:
        taken = emptied(limit=limit)
        company.clock.advance(seconds=1)
        phone.check_in()
        company.hear()
        return taken

    monkeypatch.setattr(connector, "take_in", filling)
    assert list(connector.observe())


def test_tries_of_a_delivery_are_forgotten_and_their_numbers_are_not_used_again(department: Make) -> None:
    company = department()
    phone = company.phone("18.5", WECHAT)
    company.settle()
    company.block()
    (first,) = [one for one in company.records.commands() if one.purpose == "deliver"]
    refused = [
        replace(first, uuid=f"TRY-{number}", attempts=number, state=CommandState.failed, answered_at=first.asked_at)
        for number in range(1, 101)
    ]
    company.records.memory.drop("command", [first.uuid])
    company.records.save_commands(refused)
    company.clock.advance(days=31)
    company.follow_up()
    company.follow_up()
    tries = [one for one in company.records.commands(device=phone.id) if one.purpose == "deliver"]
    assert sorted(one.attempts for one in tries) == [101]
