"""What events change of what is remembered: whatever their order, however often they come, whatever is in them."""

from __future__ import annotations

import plistlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.connectors.nanomdm.telling import (
    INFORMATION,
    KASPERSKY,
    PHONE,
    START,
    TOKEN_UPDATE,
    WECHAT,
    Inbox,
    answer,
    app,
    asked,
    authenticate,
    check_out,
    error,
    event,
    idle,
    managed,
    minutes,
    profile,
    report,
    token_update,
    told,
)

from proscribe.clock import ManualClock
from proscribe.connectors.memory import Message, Watch
from proscribe.connectors.nanomdm import intake
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.events import message_id, read_event
from proscribe.connectors.nanomdm.intake import take_in
from proscribe.connectors.nanomdm.model import (
    Command,
    CommandState,
    Declarations,
    Device,
    Kind,
    ManagedApp,
    Purpose,
    Removal,
    SeenApp,
    Stage,
)
from proscribe.connectors.nanomdm.records import Records
from proscribe.errors import DiskFull
from proscribe.terms import Platform
from proscribe.text import Text

CONFIG = NanomdmConfig("http://127.0.0.1:9", api_key="k", retry_hours=24.0, refused_days=7.0)
WATCH = Watch(ios=frozenset({WECHAT, KASPERSKY}))
ORDER = "order-1"


def taken(*bodies: bytes, known: Iterable[Device | Command] = (), one_by_one: bool = False) -> tuple[Inbox, Records]:
    """What is remembered once these were taken in."""
    inbox = Inbox()
    records = Records(inbox.memory)
    records.save_devices(one for one in known if isinstance(one, Device))
    records.save_commands(one for one in known if isinstance(one, Command))
    for group in [[body] for body in bodies] if one_by_one else [list(bodies)]:
        inbox.tell(*group)
        take(records)
    return inbox, records


def take(records: Records, *, limit: int = 1_000, watch: Watch = WATCH, at: datetime | None = None) -> int:
    return take_in(records, CONFIG, ManualClock(at or minutes(600)), watch, limit=limit)


def the_device(records: Records) -> Device:
    found = records.device(PHONE)
    assert found is not None
    return found


def the_command(records: Records, uuid: str) -> Command:
    found = records.command(uuid)
    assert found is not None
    return found


def phone(**fields: Any) -> Device:
    """PHONE, enrolled a minute ago."""
    given: dict[str, Any] = {
        "enrolled_at": minutes(1),
        "last_seen": minutes(2),
        "heard_at": minutes(2),
        "ready": True,
        "supervised": True,
        "informed_at": minutes(2),
        "udid": PHONE,
        **fields,
    }
    return Device(PHONE, Kind.device, given.pop("generation", 1), **given)


# Enrolments ---------------------------------------------------------------------------------------------------------


def test_a_device_enrols() -> None:
    _, records = taken(authenticate(minutes(1)))
    assert the_device(records) == Device(
        PHONE,
        Kind.device,
        generation=1,
        enrolled_at=minutes(1),
        last_seen=minutes(1),
        udid=PHONE,
        serial="F2LLIGHT0001",
        model="iPhone14,5",
        os_version="26.1",
        platform=Platform.ios,
        ready=False,
    )


def test_it_is_ready_once_it_told_its_token() -> None:
    _, records = taken(authenticate(minutes(1)), token_update(minutes(2)))
    assert the_device(records).ready
    assert the_device(records).last_seen == minutes(2)


def test_a_lost_token_update_does_not_keep_it_from_being_ready() -> None:
    _, records = taken(authenticate(minutes(1)), idle(minutes(2)))
    assert the_device(records).ready


@pytest.mark.parametrize("make", [token_update, idle, report])
def test_a_device_that_enrolled_before_we_listened_is_met(make: Any) -> None:
    _, records = taken(make(minutes(5)))
    found = the_device(records)
    assert (found.generation, found.enrolled_at, found.ready) == (1, None, True)


def test_a_user_enrolment_is_told_from_its_kind() -> None:
    body = event("TokenUpdate", minutes(1), TOKEN_UPDATE, id="BYOD-1", kind="User Enrollment (Device)")
    _, records = taken(body)
    found = records.device("BYOD-1")
    assert found is not None
    assert found.kind is Kind.user_enrolment


@pytest.mark.parametrize("kind", ["User", "User Enrollment", "Shared iPad"])
def test_user_channels_are_counted_only(kind: str) -> None:
    inbox, records = taken(event("TokenUpdate", minutes(1), TOKEN_UPDATE, id="PHONE:USER", kind=kind))
    assert inbox.counts["user_channel"] == 1
    assert list(records.devices()) == []


def test_a_device_leaves() -> None:
    command = asked("U", "ProfileList", minutes(3))
    _, records = taken(check_out(minutes(4)), known=[phone(), command])
    assert (the_device(records).left_at, the_device(records).ready) == (minutes(4), False)
    assert the_command(records, "U").state is CommandState.void


def test_a_departure_of_before_the_present_enrolment_is_history() -> None:
    _, records = taken(authenticate(minutes(5)), check_out(minutes(4)), token_update(minutes(6)), one_by_one=True)
    assert the_device(records).left_at is None
    assert the_device(records).ready


def test_it_comes_back() -> None:
    _, records = taken(check_out(minutes(4)), token_update(minutes(6)), known=[phone()], one_by_one=True)
    assert the_device(records).left_at is None


def test_an_enrolment_anew_makes_everything_of_before_void() -> None:
    old = phone(
        apps=None,
        managed=(ManagedApp(WECHAT, "Managed", minutes(3), minutes(3)),),
        declarations=Declarations(minutes(3), ()),
        locked_since=minutes(3),
        removals=(
            Removal(WECHAT, ORDER, Stage.removing, minutes(3), attempt=2),
            Removal(KASPERSKY, ORDER, Stage.refused, minutes(3), not_before=minutes(99_999)),
        ),
    )
    commands = [
        asked("LIST", "InstalledApplicationList", minutes(3)),
        asked("WAITS", "ProfileList", minutes(3), state=CommandState.not_now, not_now_since=minutes(3)),
        asked("DONE", "ProfileList", minutes(3), state=CommandState.answered, answered_at=minutes(3)),
    ]
    _, records = taken(authenticate(minutes(10)), known=[old, *commands])
    found = the_device(records)
    assert (found.generation, found.enrolled_at, found.ready) == (2, minutes(10), False)
    assert (found.apps, found.managed, found.profiles, found.declarations) == (None, (), None, None)
    assert (found.supervised, found.informed_at, found.locked_since) == (None, None, None)
    assert found.removals == (
        Removal(WECHAT, ORDER, Stage.void, minutes(10), attempt=2),
        Removal(KASPERSKY, ORDER, Stage.void, minutes(10)),
    )
    states = {uuid: the_command(records, uuid).state for uuid in ("LIST", "WAITS", "DONE")}
    assert states == {"LIST": CommandState.void, "WAITS": CommandState.void, "DONE": CommandState.answered}


def test_an_answer_of_an_earlier_enrolment_changes_nothing_of_the_present_one() -> None:
    list_asked = asked("LIST", "InstalledApplicationList", minutes(3), named=(WECHAT,))
    inbox, records = taken(
        authenticate(minutes(10)),
        token_update(minutes(11)),
        told(minutes(4), "Acknowledged", "LIST", InstalledApplicationList=[app(WECHAT)]),
        known=[phone(), list_asked],
        one_by_one=True,
    )
    assert the_device(records).apps is None
    assert the_command(records, "LIST").state is CommandState.answered
    assert inbox.counts["earlier_generation"] == 1


def test_what_was_asked_after_an_enrolment_that_is_told_late_belongs_to_it() -> None:
    list_asked = asked("LIST", "InstalledApplicationList", minutes(12), named=(WECHAT,))
    waits = asked("WAITS", "ProfileList", minutes(12))
    _, records = taken(
        told(minutes(13), "Acknowledged", "LIST", InstalledApplicationList=[app(WECHAT)]),
        authenticate(minutes(10)),
        known=[phone(), list_asked, waits],
        one_by_one=True,
    )
    found = the_device(records)
    assert found.generation == the_command(records, "WAITS").generation == 2
    assert found.ready
    assert found.apps is not None
    assert found.apps.apps == (SeenApp(WECHAT, "8.0.49"),)


def test_an_enrolment_counts_although_its_message_cannot_be_read() -> None:
    inbox, records = taken(event("Authenticate", minutes(10), b"bplist00"), known=[phone(serial="S")])
    assert the_device(records).generation == 2
    assert inbox.counts["refused.binary"] == 1


def test_an_event_of_a_wrong_clock_counts_as_of_its_arrival() -> None:
    inbox = Inbox()
    records = Records(inbox.memory)
    for wrong in (minutes(1_000_000), minutes(900)):
        inbox.tell(authenticate(wrong), at=minutes(600))
        take(records)
    assert the_device(records).enrolled_at == minutes(600)  # when it was received
    assert inbox.counts["clock_ahead"] == 2


# Answers ------------------------------------------------------------------------------------------------------------


def test_a_list_is_kept_with_when_it_was_asked_for() -> None:
    command = asked("LIST", "InstalledApplicationList", minutes(3), named=(KASPERSKY, WECHAT))
    inbox, records = taken(
        told(minutes(4), "Acknowledged", "LIST", InstalledApplicationList=[app(WECHAT), app("org.example.diary")]),
        known=[phone(), command],
    )
    found = the_device(records).apps
    assert found is not None
    assert (found.asked_at, found.received_at, found.others) == (minutes(3), minutes(4), 1)
    assert the_command(records, "LIST") == replace(command, state=CommandState.answered, answered_at=minutes(4))
    assert inbox.counts["other_apps"] == 1
    assert "diary" not in str(inbox.rows)


def test_an_older_list_never_replaces_a_newer() -> None:
    commands = [
        asked("OLD", "InstalledApplicationList", minutes(3)),
        asked("NEW", "InstalledApplicationList", minutes(5)),
    ]
    _, records = taken(
        told(minutes(6), "Acknowledged", "NEW", InstalledApplicationList=[]),
        told(minutes(7), "Acknowledged", "OLD", InstalledApplicationList=[app(WECHAT)]),
        known=[phone(), *commands],
        one_by_one=True,
    )
    found = the_device(records).apps
    assert found is not None
    assert (found.asked_at, found.apps) == (minutes(5), ())


def test_profiles_and_information_are_kept() -> None:
    commands = [asked("P", "ProfileList", minutes(3)), asked("I", "DeviceInformation", minutes(3))]
    _, records = taken(
        told(
            minutes(4), "Acknowledged", "P", ProfileList=[profile("org.example", "U1", "com.apple.applicationaccess")]
        ),
        told(minutes(4), "Acknowledged", "I", QueryResponses=INFORMATION),
        known=[phone(supervised=None, informed_at=None), *commands],
    )
    found = the_device(records)
    assert found.profiles is not None
    assert [(one.identifier, one.uuid, one.restricts) for one in found.profiles.profiles] == [
        ("org.example", "U1", True)
    ]
    assert (found.supervised, found.informed_at, found.os_version) == (True, minutes(3), "26.2")


def test_not_now_is_waiting_and_not_failing() -> None:
    command = asked("P", "ProfileList", minutes(3))
    first = told(minutes(4), "NotNow", "P")
    _, records = taken(first, told(minutes(6), "NotNow", "P"), known=[phone(), command])
    assert the_command(records, "P").state is CommandState.not_now
    assert the_device(records).locked_since == minutes(4)


def test_the_lock_ends_with_the_answer_and_not_with_a_call() -> None:
    command = asked("P", "ProfileList", minutes(3))
    events = [told(minutes(4), "NotNow", "P"), idle(minutes(5))]
    assert the_device(taken(*events, known=[phone(), command])[1]).locked_since == minutes(4)
    _, records = taken(*events, told(minutes(6), "Acknowledged", "P", ProfileList=[]), known=[phone(), command])
    assert the_device(records).locked_since is None


def test_a_command_of_somebody_else_is_counted_and_shows_that_the_device_is_there() -> None:
    inbox, records = taken(
        told(minutes(9), "Acknowledged", "THEIRS", InstalledApplicationList=[app(WECHAT)]), known=[phone()]
    )
    assert inbox.counts["foreign_command"] == 1
    assert the_device(records) == replace(phone(), last_seen=minutes(9), heard_at=minutes(9))
    assert records.commands() == ()


def test_a_command_of_another_device_is_not_taken_for_its_own() -> None:
    command = asked("P", "ProfileList", minutes(3), device="OTHER")
    inbox, records = taken(told(minutes(4), "Acknowledged", "P", ProfileList=[]), known=[phone(), command])
    assert inbox.counts["foreign_command"] == 1
    assert the_command(records, "P") == command


def test_an_unheard_of_status_is_refused() -> None:
    command = asked("P", "ProfileList", minutes(3))
    inbox, records = taken(told(minutes(4), "Perhaps", "P"), known=[phone(), command])
    assert inbox.counts["refused.status"] == 1
    assert the_command(records, "P") == command


def test_an_error_is_kept_in_words() -> None:
    command = asked("P", "InstallProfile", minutes(3), purpose=Purpose.deliver)
    _, records = taken(told(minutes(4), "Error", "P", ErrorChain=error(4001, "No.")), known=[phone(), command])
    found = the_command(records, "P")
    assert (found.state, found.error, found.answered_at) == (
        CommandState.failed,
        "MCMDMErrorDomain 4001 No.",
        minutes(4),
    )


def test_a_format_error_is_a_failure_whatever_it_brings() -> None:
    command = asked("P", "InstallProfile", minutes(3), purpose=Purpose.deliver)
    body = event("Connect", minutes(4), b"none", status="CommandFormatError", command_uuid="P")
    inbox, records = taken(body, known=[phone(), command])
    assert (the_command(records, "P").state, the_command(records, "P").error) == (
        CommandState.failed,
        "CommandFormatError",
    )
    assert inbox.counts["refused.plist"] == 1


def test_acknowledged_outweighs_an_error_of_a_second_try() -> None:
    command = asked("P", "RemoveProfile", minutes(3), purpose=Purpose.deliver)
    answers = [told(minutes(4), "Acknowledged", "P"), told(minutes(5), "Error", "P", ErrorChain=error())]
    for order in (answers, answers[::-1]):
        _, records = taken(*order, known=[phone(), command], one_by_one=True)
        assert (the_command(records, "P").state, the_command(records, "P").error) == (CommandState.answered, "")


def test_a_declaration_report_is_to_be_asked_for() -> None:
    _, records = taken(report(minutes(4)), known=[phone()])
    assert the_device(records).report_due
    tokens = event("DeclarativeManagement", minutes(4), {"MessageType": "DeclarativeManagement", "Endpoint": "tokens"})
    _, records = taken(tokens, known=[phone()])
    assert not the_device(records).report_due


# Removals -----------------------------------------------------------------------------------------------------------


def removal(stage: Stage, **fields: Any) -> Removal:
    return Removal(WECHAT, ORDER, stage, minutes(3), **fields)


def convert(**fields: Any) -> Command:
    return asked("C", "InstallApplication", minutes(3), purpose=Purpose.convert, subject=WECHAT, key=ORDER, **fields)


def remove(**fields: Any) -> Command:
    return asked("R", "RemoveApplication", minutes(3), purpose=Purpose.remove, subject=WECHAT, key=ORDER, **fields)


def statuses(at: datetime, status: str) -> tuple[Command, bytes]:
    """A question for the status of WECHAT, and its answer a minute later."""
    command = asked("M", "ManagedApplicationList", at, named=(WECHAT,))
    return command, told(
        at + timedelta(minutes=1), "Acknowledged", "M", ManagedApplicationList={WECHAT: managed(status)}
    )


def removals(records: Records) -> tuple[Removal, ...]:
    return the_device(records).removals


def test_a_removal_that_is_acknowledged_is_done() -> None:
    other = Removal(KASPERSKY, ORDER, Stage.removing, minutes(3))
    known = [phone(removals=(removal(Stage.removing), other)), remove()]
    _, records = taken(told(minutes(5), "Acknowledged", "R"), known=known)
    assert removals(records) == (replace(removal(Stage.removed), since=minutes(5)), other)


def test_a_removal_that_fails_waits() -> None:
    known = [phone(removals=(removal(Stage.removing),)), remove()]
    _, records = taken(told(minutes(5), "Error", "R", ErrorChain=error()), known=known)
    assert removals(records) == (
        replace(
            removal(Stage.failed),
            since=minutes(5),
            not_before=minutes(5) + timedelta(hours=24),
            error="MCMDMErrorDomain 12029 The app is not managed.",
        ),
    )


def test_a_removal_of_another_order_is_not_touched() -> None:
    known = [phone(removals=(replace(removal(Stage.removing), key="order-2"),)), remove()]
    _, records = taken(told(minutes(5), "Acknowledged", "R"), known=known)
    assert removals(records)[0].stage is Stage.removing


def test_a_conversion_that_is_acknowledged_is_to_be_confirmed() -> None:
    known = [phone(removals=(removal(Stage.converting),)), convert()]
    _, records = taken(told(minutes(5), "Acknowledged", "C", State="PromptingForManagement"), known=known)
    assert removals(records) == (replace(removal(Stage.confirming), since=minutes(5)),)


def test_a_conversion_that_fails_waits() -> None:
    known = [phone(removals=(removal(Stage.converting),)), convert()]
    _, records = taken(told(minutes(5), "Error", "C", ErrorChain=error()), known=known)
    assert removals(records)[0].stage is Stage.failed


@pytest.mark.parametrize("status", ["ManagementRejected", "UserRejected"])
@pytest.mark.parametrize("stage", [Stage.converting, Stage.confirming])
def test_a_user_who_refuses_is_left_in_peace(status: str, stage: Stage) -> None:
    command, body = statuses(minutes(4), status)
    _, records = taken(body, known=[phone(removals=(removal(stage),)), convert(), command])
    assert removals(records) == (
        replace(removal(Stage.refused), since=minutes(5), not_before=minutes(5) + timedelta(days=7)),
    )
    assert the_device(records).managed == (ManagedApp(WECHAT, status, minutes(4), minutes(5)),)


def test_a_refusal_of_before_the_conversion_is_old() -> None:
    command, body = statuses(minutes(2), "ManagementRejected")
    _, records = taken(body, known=[phone(removals=(removal(Stage.converting),)), convert(), command])
    assert removals(records)[0].stage is Stage.converting
    assert the_device(records).managed[0].status == "ManagementRejected"


def test_managed_proves_a_conversion_whose_answer_was_lost() -> None:
    command, body = statuses(minutes(4), "Managed")
    _, records = taken(body, known=[phone(removals=(removal(Stage.converting),)), convert(), command])
    assert removals(records) == (replace(removal(Stage.confirming), since=minutes(5)),)


def test_a_conversion_may_fail_later() -> None:
    command, body = statuses(minutes(4), "Failed")
    _, records = taken(body, known=[phone(removals=(removal(Stage.confirming),)), convert(), command])
    assert (removals(records)[0].stage, removals(records)[0].error) == (Stage.failed, "ManagedApplicationList Failed")


def test_a_status_that_says_nothing_of_a_refusal_changes_no_stage() -> None:
    command, body = statuses(minutes(4), "PromptingForManagement")
    _, records = taken(body, known=[phone(removals=(removal(Stage.confirming),)), convert(), command])
    assert removals(records) == (removal(Stage.confirming),)


@pytest.mark.parametrize("status", ["Managed", "Failed", "ManagementRejected"])
def test_what_following_up_ended_is_not_taken_up_again(status: str) -> None:
    command, body = statuses(minutes(6), status)
    stopped = removal(Stage.failed, error="stopped")
    answered = convert(state=CommandState.answered, answered_at=minutes(5))
    _, records = taken(body, known=[phone(removals=(stopped,)), answered, command])
    assert removals(records) == (stopped,)


def test_an_answer_before_the_removal_was_written_down_is_not_lost() -> None:
    """Following up writes down a second step after it was sent; the device may be faster."""
    known = [phone(removals=(removal(Stage.confirming),)), convert(), replace(remove(), asked_at=minutes(4))]
    _, records = taken(told(minutes(5), "Acknowledged", "R"), known=known)
    assert removals(records)[0].stage is Stage.removed


def test_passing_statuses_are_kept_with_their_time() -> None:
    first, one = statuses(minutes(4), "PromptingForManagement")
    second, two = statuses(minutes(8), "Managed")
    second = replace(second, uuid="M2")
    two = two.replace(b'"M"', b'"M2"')
    _, records = taken(one, two, known=[phone(), first, second])
    assert {(one.status, one.asked_at) for one in the_device(records).managed} == {
        ("PromptingForManagement", minutes(4)),
        ("Managed", minutes(8)),
    }


# Any order ----------------------------------------------------------------------------------------------------------

SEED = (
    phone(removals=(removal(Stage.converting), Removal(KASPERSKY, "order-2", Stage.removing, minutes(3)))),
    asked("I", "DeviceInformation", minutes(3)),
    asked("L1", "InstalledApplicationList", minutes(3), named=(WECHAT,)),
    asked("L2", "InstalledApplicationList", minutes(9), named=(WECHAT,)),
    asked("L3", "InstalledApplicationList", minutes(32), named=(WECHAT,)),
    asked("P", "ProfileList", minutes(4)),
    convert(),
    asked("K", "RemoveApplication", minutes(3), purpose=Purpose.remove, subject=KASPERSKY, key="order-2"),
    asked("M", "ManagedApplicationList", minutes(7), named=(KASPERSKY, WECHAT)),
    asked("M2", "ManagedApplicationList", minutes(8), named=(WECHAT,)),
    asked("D", "InstallProfile", minutes(4), purpose=Purpose.deliver),
)
LIFE = (
    authenticate(minutes(1)),
    token_update(minutes(2)),
    idle(minutes(3)),
    told(minutes(3.5), "Acknowledged", "I", QueryResponses=INFORMATION),
    told(minutes(4), "NotNow", "L1"),
    told(minutes(4.5), "NotNow", "D"),
    told(minutes(5), "NotNow", "L1"),
    told(minutes(6), "Acknowledged", "C"),
    told(minutes(6.5), "Error", "C", ErrorChain=error()),
    told(minutes(7), "Acknowledged", "L1", InstalledApplicationList=[app(WECHAT), app(KASPERSKY)]),
    told(minutes(8), "Acknowledged", "K"),
    told(minutes(8.5), "Error", "K", ErrorChain=error()),
    told(minutes(9), "Acknowledged", "M", ManagedApplicationList={WECHAT: managed("ManagementRejected")}),
    told(minutes(9.5), "Acknowledged", "M", ManagedApplicationList={WECHAT: managed("Failed")}),
    told(minutes(9.7), "Acknowledged", "M2", ManagedApplicationList={WECHAT: managed("Managed")}),
    told(minutes(10), "Acknowledged", "L2", InstalledApplicationList=[app(WECHAT)]),
    told(minutes(11), "Acknowledged", "P", ProfileList=[profile("org.example", "U1")]),
    told(minutes(12), "Acknowledged", "D"),
    told(minutes(13), "Acknowledged", "THEIRS"),
    report(minutes(14)),
    check_out(minutes(20)),
    authenticate(minutes(30), OSVersion="27.0"),
    token_update(minutes(31)),
    told(minutes(33), "Acknowledged", "L3", InstalledApplicationList=[]),
    idle(minutes(34)),
)


def outcome(bodies: Sequence[bytes], sizes: Iterable[int] = ()) -> tuple[Device | None, dict[str, Command]]:
    """What is remembered in the end. ``generation`` is a label: what matters is which commands are of the present."""
    inbox = Inbox()
    records = Records(inbox.memory)
    records.save_devices(one for one in SEED if isinstance(one, Device))
    records.save_commands(one for one in SEED if isinstance(one, Command))
    inbox.tell(*bodies)
    for size in sizes:
        take(records, limit=size)
    while take(records, limit=1):
        pass
    device = the_device(records)
    commands = {
        one.uuid: replace(one, generation=int(one.generation == device.generation)) for one in records.commands()
    }
    assert not inbox.messages
    return replace(device, generation=0), commands


@settings(max_examples=400, deadline=None)
@given(
    chosen=st.lists(st.sampled_from(range(len(LIFE))), max_size=len(LIFE) + 5),
    sizes=st.lists(st.integers(1, 5), max_size=4),
)
def test_events_in_any_order_and_number_come_to_the_same(chosen: list[int], sizes: list[int]) -> None:
    """``chosen``: any of the events, in any order, some of them more than once."""
    in_order = sorted({LIFE[number] for number in chosen}, key=lambda body: read_event(body).at)
    assert outcome([LIFE[number] for number in chosen], sizes) == outcome(in_order)


@settings(max_examples=50, deadline=None)
@given(order=st.permutations(range(len(LIFE))))
def test_a_whole_life_in_any_order_comes_to_the_same(order: list[int]) -> None:
    assert outcome([LIFE[number] for number in order]) == outcome(LIFE)


def test_a_whole_life_ends_as_its_present_enrolment() -> None:
    device, commands = outcome(LIFE)
    assert device is not None
    assert (device.enrolled_at, device.os_version, device.left_at, device.ready) == (minutes(30), "27.0", None, True)
    assert device.apps is not None
    assert device.apps.asked_at == minutes(32)
    assert device.profiles is None
    assert {one.stage for one in device.removals} == {Stage.void}
    assert [uuid for uuid, one in commands.items() if one.generation] == ["L3"]


def test_a_life_up_to_its_departure_ends_as_told() -> None:
    device, commands = outcome(LIFE[:21])
    assert device is not None
    assert (device.left_at, device.ready, device.locked_since) == (minutes(20), False, None)
    assert {one.app: one.stage for one in device.removals} == {WECHAT: Stage.refused, KASPERSKY: Stage.removed}
    assert {one.state for one in commands.values()} == {CommandState.answered, CommandState.queued}
    assert commands["L3"].state is CommandState.queued  # it was asked later


# Trouble ------------------------------------------------------------------------------------------------------------

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    b"<plist><dict><key>ProfileList</key><string>&b;</string></dict></plist>"
)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (BOMB, "entity"),
        (plistlib.dumps(answer("Acknowledged", "P", ProfileList=[]), fmt=plistlib.FMT_BINARY), "binary"),
        (b"<plist><dict>" + b"<key>k</key><array>" * 300_000, "plist"),
        (b"<plist><dict><key>k</key>" + b"<array>" * 300_000, "depth"),
        (plistlib.dumps(answer("Acknowledged", "P", ProfileList="none")), "shape"),
        (plistlib.dumps(answer("Acknowledged", "P", ProfileList=[profile("a", "b")] * 2_000)), "count"),
        (b"", "plist"),
    ],
)
def test_a_bad_payload_is_refused_counted_and_harmless(payload: bytes, reason: str) -> None:
    known = [phone(), asked("P", "ProfileList", minutes(3)), asked("Q", "ProfileList", minutes(4))]
    bad = event("Connect", minutes(5), payload, status="Acknowledged", command_uuid="P")
    good = told(minutes(6), "Acknowledged", "Q", ProfileList=[])
    inbox, records = taken(bad, good, known=known)
    assert inbox.counts[f"refused.{reason}"] == 1
    assert the_command(records, "P").state is CommandState.queued  # it is asked again in time
    assert the_command(records, "Q").state is CommandState.answered
    assert not inbox.messages


def test_what_is_no_event_is_refused_and_the_rest_goes_on() -> None:
    inbox, records = taken(b"{}", event("GetToken", minutes(1), {}), idle(minutes(2)))
    assert (inbox.counts["refused.shape"], inbox.counts["unused.GetToken"]) == (1, 1)
    assert the_device(records).last_seen == minutes(2)
    assert not inbox.messages


def test_what_breaks_our_code_is_set_aside_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    read = intake.read_event
    poison = told(minutes(3), "Acknowledged", "SECRET-WORD")

    def breaks(body: bytes) -> Any:
        if body == poison:
            raise ZeroDivisionError("SECRET-WORD")
        return read(body)

    monkeypatch.setattr(intake, "read_event", breaks)
    inbox, records = taken(idle(minutes(2)), poison, idle(minutes(4)))
    assert the_device(records).last_seen == minutes(4)
    assert not inbox.messages
    assert inbox.counts["bad"] == 1
    assert inbox.counts["taken.Connect"] == 2
    row = inbox.rows["bad"][message_id(poison)]
    assert row.body["reason"].startswith("ZeroDivisionError in breaks, line ")
    assert "SECRET-WORD" not in str(inbox.rows)


@pytest.mark.parametrize("broken", [1, 2])
def test_a_store_that_fails_keeps_every_message(broken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first write of a batch, or when a message is taken by itself after our code broke."""
    inbox = Inbox()
    records = Records(inbox.memory)
    inbox.tell(idle(minutes(2)))
    calls = 0

    def fails(_devices: Iterable[Device]) -> None:
        nonlocal calls
        calls += 1
        if calls < broken:
            raise ZeroDivisionError
        raise DiskFull(Text("full", "plein"), remedy=Text("wait", "attendez"))

    monkeypatch.setattr(records, "save_devices", fails)
    with pytest.raises(DiskFull):
        take(records)
    assert len(inbox.messages) == 1
    assert not inbox.counts
    monkeypatch.undo()
    assert take(records) == 1


def test_only_so_many_are_taken_as_were_asked_for() -> None:
    inbox = Inbox()
    records = Records(inbox.memory)
    inbox.tell(*(idle(minutes(number)) for number in range(450)))
    assert take(records, limit=250) == 250
    assert len(inbox.messages) == 200
    assert take(records) == 200
    assert take(records) == 0


def test_old_ids_are_forgotten_and_younger_ones_are_not() -> None:
    inbox = Inbox()
    records = Records(inbox.memory)
    old, young = idle(minutes(1)), idle(minutes(2))
    inbox.tell(old, at=START)
    inbox.tell(young, at=START + timedelta(days=1, hours=12))
    take(records, at=START + timedelta(days=2))
    inbox.tell(idle(minutes(3)), at=START + timedelta(days=31))
    take(records, at=START + timedelta(days=31))
    assert set(inbox.finished) == {message_id(young)} | set(list(inbox.finished)[-1:])
    assert inbox.receive([Message(message_id(young), START, young)]) == 0
