"""Bringing on what was accepted: to phones that come late, come back, change, lose answers, or cannot answer now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.connectors.nanomdm.acting import CASINO, TIKTOK, WATCH, WECHAT, Department
from tests.connectors.nanomdm.test_act import base_profile, failing

from proscribe.connectors.base import NotAuthorised, Rejected, UnknownFate
from proscribe.connectors.nanomdm.model import CommandState, Gap
from proscribe.connectors.nanomdm.scopes import applied_now
from proscribe.terms import Enrolment

Make = Callable[..., Department]


def test_twice_with_nothing_new_sends_nothing(department: Make) -> None:
    dept = department()
    dept.phone("18.5", WECHAT)
    dept.phone("27.0", WECHAT)
    dept.phone("18.5", enrolment=Enrolment.user_enrolment)
    dept.settle()
    dept.block()
    dept.block("all/declarations")
    dept.settle()
    before = len(dept.journal.enqueued)
    dept.follow_up()
    first, second = dept.follow_up(), dept.follow_up()
    assert len(dept.journal.enqueued) == before
    assert (first.counts, second.counts) == ({}, {})
    assert (first.left, first.waits, first.happened) == (0, (), ())


def test_it_says_what_it_took_in_and_sent(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    done = dept.follow_up()
    assert done.counts == {"taken_in": 2, "asked": 2}  # Authenticate and TokenUpdate; information and apps
    dept.block()
    dept.clock.advance(minutes=1)
    dept.check_in()
    done = dept.follow_up()
    assert done.counts["delivered"] == 1
    assert [text.en for text in done.happened] == ["The blocks of their group were queued for 1 device."]
    assert [text.fr for text in done.happened] == ["Les blocages de leur groupe ont été mis en file pour 1 appareil."]
    dept.check_in()
    assert not phone.can_launch(WECHAT.id)


def test_a_phone_that_enrols_later_gets_the_edition_of_its_group(department: Make) -> None:
    dept = department()
    dept.block()
    dept.block("all/declarations")
    late, newer = dept.phone("18.5", WECHAT), dept.phone("27.0", WECHAT)
    dept.settle()
    assert not late.can_launch(WECHAT.id)
    assert not newer.can_launch(WECHAT.id)
    for phone, scope in ((late, "all/profile"), (newer, "all/declarations")):
        assert applied_now(dept.device(phone), dept.group(scope))
        assert len(dept.queued("InstallProfile", phone) + dept.queued("DeclarativeManagement", phone)) == 1


@pytest.mark.parametrize(("os", "scope"), [("18.5", "all/profile"), ("27.0", "all/declarations")])
def test_a_phone_that_was_wiped_and_enrolled_again_gets_it_again(department: Make, os: str, scope: str) -> None:
    dept = department()
    phone = dept.phone(os, WECHAT)
    dept.settle()
    dept.block(scope)
    dept.settle()
    phone.wipe(restore=True)
    dept.clock.advance(minutes=1)
    phone.enrol()
    dept.hear()
    assert phone.can_launch(WECHAT.id)
    dept.settle()
    assert dept.device(phone).generation == 2
    assert not phone.can_launch(WECHAT.id)
    assert applied_now(dept.device(phone), dept.group(scope))


def test_a_phone_that_left_is_left_alone(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    phone.check_out()
    dept.hear()
    before = len(dept.journal.enqueued)
    dept.clock.advance(days=2)
    dept.follow_up()
    assert len(dept.journal.enqueued) == before


def test_a_locked_phone_waits_and_its_queue_stays_short(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    phone.lock()
    dept.block()
    for _ in range(24):
        dept.clock.advance(hours=1)
        dept.check_in()
        dept.follow_up()
    assert dept.queued("InstallProfile", phone) == ["InstallProfile"]
    waiting = dept.records.commands(device=phone.id, states=[CommandState.not_now, CommandState.queued])
    assert len({one.request_type for one in waiting}) == len(waiting)
    assert dept.device(phone).locked_since is not None
    phone.unlock()
    dept.settle()
    assert not phone.can_launch(WECHAT.id)
    assert dept.queued("InstallProfile", phone) == ["InstallProfile"]


def test_a_phone_upgraded_to_27_gets_its_declarations_first_and_then_loses_the_profile(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    dept.block("all/declarations")
    dept.settle()
    phone.upgrade("27.0")
    dept.clock.advance(days=1, minutes=1)
    for _ in range(8):
        dept.follow_up()
        dept.check_in()
        assert not phone.can_launch(WECHAT.id)  # at no moment without either
        dept.clock.advance(minutes=1)
    kinds = [
        kind for kind in dept.queued("", phone) if kind in ("InstallProfile", "DeclarativeManagement", "RemoveProfile")
    ]
    assert kinds == ["InstallProfile", "DeclarativeManagement", "RemoveProfile"]
    assert applied_now(dept.device(phone), dept.group("all/declarations"))
    assert not [one for one in dept.device(phone).profiles.profiles if one.restricts]  # type: ignore[union-attr]


def test_without_a_ban_on_the_new_channel_the_old_one_stays(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    dept.settle()
    phone.upgrade("27.0")
    dept.clock.advance(days=1, minutes=1)
    dept.settle()
    assert not phone.can_launch(WECHAT.id)
    assert dept.queued("RemoveProfile", phone) == []


def test_a_ban_that_was_lifted_meanwhile_is_taken_off_an_upgraded_phone(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    order, prior, _ = dept.block()
    dept.settle()
    phone.upgrade("27.0")
    dept.clock.advance(days=1, minutes=1)
    dept.settle()
    dept.connect().retract(order, prior)
    dept.settle()
    assert phone.can_launch(WECHAT.id)


def test_a_phone_that_moves_to_another_group_changes_its_declarations(department: Make, home: Path) -> None:
    roster = home / "roster.csv"
    roster.write_text("serial,group\n", "utf-8")
    dept = department(roster=roster)
    phone = dept.phone("27.0", WECHAT)
    dept.settle()
    dept.block("all/declarations")
    dept.block("harbour/declarations")
    dept.settle()
    roster.write_text(f"serial,group\n{phone.spec.serial},harbour\n", "utf-8")
    for _ in range(6):
        dept.follow_up()
        dept.check_in()
        assert not phone.can_launch(WECHAT.id)
        dept.clock.advance(minutes=1)
    (left,) = dept.kmfddm.state.sets_of(phone.id)
    assert "harbour" in left
    quiet = len(dept.journal.enqueued)
    dept.follow_up()
    assert len(dept.journal.enqueued) == quiet


def test_a_phone_that_left_its_group_is_freed_of_a_lifted_ban_that_came_from_there(
    department: Make, home: Path
) -> None:
    """Its former group has a ban more by now, which the phone never got and its new group does not want."""
    roster = home / "roster.csv"
    roster.write_text("serial,group\n", "utf-8")
    dept = department(roster=roster)
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    here, before, _ = dept.block("all/profile", WECHAT)
    dept.settle()
    roster.write_text(f"serial,group\n{phone.spec.serial},harbour\n", "utf-8")
    dept.block("all/profile", TIKTOK)
    dept.settle()
    assert phone.blocked() == {WECHAT.id}, "nothing of its new group has come yet"
    there, nothing, _ = dept.block("harbour/profile", WECHAT)
    dept.settle()
    dept.connect().retract(here, before)
    dept.connect().retract(there, nothing)
    dept.settle()
    assert phone.blocked() == frozenset()


@pytest.mark.parametrize(("os", "channel"), [("18.5", "profile"), ("27.0", "declarations")])
def test_an_exempt_phone_that_was_moved_to_a_group_of_its_own_is_free(
    department: Make, home: Path, os: str, channel: str
) -> None:
    """The new group wants nothing, so nothing there will ever cover the ban: the exemption is what frees the phone."""
    roster = home / "roster.csv"
    roster.write_text("serial,group\n", "utf-8")
    dept = department(roster=roster)
    phone = dept.phone(os, WECHAT)
    dept.settle()
    dept.block(f"all/{channel}")
    dept.settle()
    roster.write_text(f"serial,group\n{phone.spec.serial},envoys\n", "utf-8")
    dept.settle()
    assert not phone.can_launch(WECHAT.id), "a phone that only moved keeps what it was banned from"
    for _ in range(6):
        dept.connect().follow_up(frozen=False, exempt=frozenset({f"nanomdm:{phone.id}"}))
        dept.clock.advance(minutes=1)
        dept.check_in()
    assert phone.can_launch(WECHAT.id)


# The organisation's own profile ---------------------------------------------------------------------------------


def test_a_base_that_changes_on_disk_is_a_new_edition(department: Make, home: Path) -> None:
    base = home / "profiles" / "all.mobileconfig"
    base_profile(base, CASINO)
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    dept.settle()
    assert phone.blocked() == {CASINO, WECHAT.id}
    base_profile(base, TIKTOK.id, uuid="5E5CA1E0-0000-4000-8000-00000000000A")
    done = dept.follow_up()
    assert done.counts["renewed"] == 1
    assert done.counts["delivered"] == 1
    dept.check_in()
    assert phone.blocked() == {TIKTOK.id, WECHAT.id}
    assert dept.group().now.version == 2
    base.unlink()
    gone = dept.follow_up()
    assert any("all.mobileconfig" in wait.en for wait in gone.waits)
    assert dept.group().now.version == 2


def test_somebody_took_the_profile_off_and_it_comes_back(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    dept.settle()
    ours = [key for key in phone.device.profiles if key.startswith("proscribe")]
    for key in ours:
        del phone.device.profiles[key]
    assert phone.can_launch(WECHAT.id)
    dept.clock.advance(days=1, minutes=1)
    dept.settle()
    assert not phone.can_launch(WECHAT.id)


def test_a_declaration_that_somebody_changed_is_put_back(department: Make) -> None:
    dept = department()
    phone = dept.phone("27.0", WECHAT)
    dept.settle()
    dept.block("all/declarations")
    dept.settle()
    (name,) = dept.group("all/declarations").now.tokens
    dept.kmfddm.state.put(
        f'{{"Type":"com.apple.configuration.app.settings","Identifier":"{name}","Payload":{{"Allowed":{{}}}}}}', "now"
    )
    done = dept.follow_up()
    assert done.counts["published"] == 1
    dept.settle()
    assert not phone.can_launch(WECHAT.id)
    assert applied_now(dept.device(phone), dept.group("all/declarations"))


# Offers ---------------------------------------------------------------------------------------------------------


def test_an_offer_that_nobody_came_back_to_is_undone_where_it_arrived(department: Make) -> None:
    """The answer was lost, the directive was lifted meanwhile: the order never comes again."""
    dept = department()
    phone = dept.phone("18.5", WECHAT, TIKTOK)
    dept.settle()
    dept.block("all/profile", TIKTOK)
    dept.settle()
    order = dept.order("all/profile", "RestrictionsProfile", WECHAT)
    connector = dept.connect()
    prepared = connector.prepare(order)

    def lost(request: httpx.Request) -> httpx.Response | None:
        dept.answer = lambda _: None
        dept._serve(request)
        raise httpx.ReadTimeout("gone", request=request)

    dept.answer = lost
    with pytest.raises(Exception, match=r"."):
        connector.send(order, prepared)
    dept.check_in()
    assert not phone.can_launch(WECHAT.id)  # it did arrive
    dept.follow_up()
    assert dept.group().offered is not None  # the order may come again yet
    dept.clock.advance(hours=2)
    dept.settle()
    assert dept.group().offered is None
    assert phone.can_launch(WECHAT.id)
    assert not phone.can_launch(TIKTOK.id)


# Faults ---------------------------------------------------------------------------------------------------------


def test_credentials_that_are_refused_are_raised(department: Make) -> None:
    dept = department()
    dept.phone("18.5")
    dept.answer = failing(401)
    with pytest.raises(NotAuthorised):
        dept.follow_up()
    dept.answer = lambda _: None
    assert dept.follow_up().counts["asked"] == 2


def test_a_pause_that_was_asked_for_is_kept(department: Make) -> None:
    dept = department()
    dept.phone("18.5")
    dept.answer = failing(429, **{"Retry-After": "90"})
    first = dept.follow_up()
    assert first.left > 0
    assert first.waits
    dept.answer = lambda _: None
    second = dept.follow_up()
    assert "asked" not in second.counts
    assert "pause" in second.waits[0].en
    dept.clock.advance(seconds=91)
    assert dept.follow_up().counts["asked"] == 2


def test_a_server_that_is_down_is_told_and_tried_again(department: Make) -> None:
    dept = department()
    for _ in range(12):
        dept.phone("18.5")
    seen: list[str] = []

    def down(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        raise httpx.ConnectError("refused", request=request)

    dept.answer = down
    done = dept.follow_up()
    assert 0 < len(seen) < 12  # it is left alone before everyone was tried
    assert done.left >= 12
    dept.answer = lambda _: None
    assert dept.follow_up().counts["asked"] == 24
    assert set(dept.journal.times().values()) == {1}


def test_frozen_nothing_changes_on_phones_and_questions_are_asked(department: Make) -> None:
    dept = department()
    dept.block()
    dept.phone("18.5", WECHAT)
    dept.follow_up(frozen=True)
    dept.check_in()
    done = dept.follow_up(frozen=True)
    dept.check_in()
    dept.follow_up(frozen=True)
    assert "delivered" not in done.counts
    asked = {"DeviceInformation", "InstalledApplicationList", "ManagedApplicationList", "ProfileList"}
    assert set(dept.queued()) == asked
    assert dept.follow_up().counts["delivered"] == 1


def test_a_declaration_server_that_is_down_keeps_nothing_else_waiting(department: Make) -> None:
    dept = department()
    phone = dept.phone("27.0", WECHAT)
    dept.settle()
    dept.block("all/declarations")
    dept.check_in()
    dept.answer = failing(503, "/v1/declaration")
    dept.watch = replace(WATCH, ios=WATCH.ios | {"com.example.more"})
    done = dept.follow_up()
    assert done.counts["asked"] >= 1
    assert any("KMFDDM" in wait.en for wait in done.waits)
    dept.answer = lambda _: None
    dept.settle()
    assert applied_now(dept.device(phone), dept.group("all/declarations"))


# What was lost --------------------------------------------------------------------------------------------------


def deaf(dept: Department) -> None:
    """Phones answer, and nobody hears it."""
    for phone in dept.phones:
        phone.check_in()
    dept.events.bodies.clear()


def test_a_question_whose_answer_was_lost_is_asked_anew(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.follow_up()
    deaf(dept)
    dept.clock.advance(minutes=5)
    dept.check_in()  # it is alive, and has nothing to answer
    assert "asked" not in dept.follow_up().counts
    dept.clock.advance(hours=2)
    done = dept.follow_up()
    assert done.counts["lost"] == 2
    assert done.counts["asked"] == 2
    dept.settle()
    assert dept.device(phone).apps is not None
    assert set(dept.journal.times().values()) == {1}


def test_a_delivery_whose_answer_was_lost_is_looked_for_and_not_sent_again(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    deaf(dept)
    for _ in range(4):
        dept.clock.advance(hours=1, minutes=1)
        dept.check_in()
        dept.follow_up()
    dept.settle()
    assert dept.queued("InstallProfile", phone) == ["InstallProfile"]
    (command,) = [one for one in dept.records.commands(device=phone.id) if one.request_type == "InstallProfile"]
    assert command.state is CommandState.answered
    assert applied_now(dept.device(phone), dept.group())


def test_a_delivery_that_never_arrived_is_sent_again(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    dept.servers.queue(phone.id).clear()  # the server's disk, say
    for _ in range(4):
        dept.clock.advance(hours=1, minutes=1)
        dept.check_in()
        dept.follow_up()
    dept.settle()
    assert dept.queued("InstallProfile", phone) == ["InstallProfile"] * 2
    assert not phone.can_launch(WECHAT.id)


def test_what_the_file_back_end_forgets_of_a_locked_phone_is_sent_again(department: Make) -> None:
    """v0.9.0: a command that was put off is dropped from the queue once the phone answers one behind it, twice."""
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    phone.lock()
    dept.block()
    dept.clock.advance(minutes=1)
    dept.check_in()
    dept.queue(phone, {"RequestType": "DeviceInformation", "Queries": ["OSVersion"]})  # another administrator's
    for _ in range(3):
        dept.clock.advance(minutes=1)
        dept.check_in()
    assert list(dept.servers.queue(phone.id)) == []
    phone.unlock()
    for _ in range(3):
        dept.clock.advance(minutes=45)
        dept.check_in()
        dept.follow_up()
    dept.settle()
    assert not phone.can_launch(WECHAT.id)
    assert dept.queued("InstallProfile", phone) == ["InstallProfile"] * 2


def test_after_a_gap_every_phone_is_asked_anew_once(department: Make) -> None:
    dept = department()
    phones = [dept.phone("18.5", WECHAT), dept.phone("27.0")]
    dept.settle()
    began = dept.clock.now()
    dept.clock.advance(minutes=10)
    dept.records.save_gap(Gap(began, dept.clock.now()))
    dept.clock.advance(minutes=1)
    before = len(dept.journal.enqueued)
    done = dept.follow_up()
    assert done.counts["healed"] == 1
    assert any("lost" in text.en for text in done.happened)
    asked = dept.journal.enqueued[before:]
    kinds = {"DeviceInformation", "InstalledApplicationList", "ProfileList"}
    assert {(one.device, one.request_type) for one in asked} == {(phone.id, kind) for phone in phones for kind in kinds}
    dept.settle()
    assert dept.records.gaps()[0].healed_at is not None
    assert len(dept.journal.enqueued) == before + len(asked)


def test_an_answer_of_a_locked_phone_that_fell_into_a_gap_is_asked_for_again(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    phone.lock()
    dept.block()
    dept.clock.advance(minutes=1)
    dept.check_in()
    dept.follow_up()
    assert dept.records.commands(states=[CommandState.not_now])
    began = dept.clock.advance(minutes=1)
    phone.unlock()
    deaf(dept)
    dept.records.save_gap(Gap(began, dept.clock.advance(minutes=1)))
    for _ in range(4):
        dept.clock.advance(hours=1, minutes=1)
        dept.check_in()
        dept.follow_up()
    dept.settle()
    assert dept.records.commands(states=[CommandState.not_now]) == ()
    assert dept.queued("InstallProfile", phone) == ["InstallProfile"]
    assert applied_now(dept.device(phone), dept.group())


def test_questions_of_long_ago_are_forgotten_and_their_numbers_never_used_again(department: Make) -> None:
    dept = department()
    dept.phone("18.5", WECHAT)
    for _ in range(12):
        dept.settle()
        dept.clock.advance(hours=13)
    kept = dept.records.commands()
    assert len(kept) < len(dept.journal.enqueued)
    old = [one for one in kept if dept.clock.now() - one.asked_at >= timedelta(days=4)]
    assert [one.request_type for one in old] == ["ManagedApplicationList"]  # asked once
    assert dept.journal.refused == []


# Declarations ---------------------------------------------------------------------------------------------------


def test_a_declaration_with_another_server_token_is_another_edition(department: Make) -> None:
    """KMFDDM makes the token; a device proves an edition by it."""
    dept = department()
    phone = dept.phone("27.0", WECHAT)
    dept.settle()
    dept.block("all/declarations")
    dept.settle()
    group = dept.group("all/declarations")
    stale = replace(group.now, tokens=dict.fromkeys(group.now.tokens, "another"))
    dept.records.save_group(replace(group, now=stale))
    done = dept.follow_up()
    assert done.counts["renewed"] == 1
    assert dept.group("all/declarations").now.version == 2
    dept.settle()
    assert applied_now(dept.device(phone), dept.group("all/declarations"))


@pytest.mark.parametrize(("status", "failed", "left"), [(502, 2, 0), (429, 1, 1)])
def test_a_phone_that_cannot_be_given_its_set_gets_it_later(
    department: Make, status: int, failed: int, left: int
) -> None:
    dept = department()
    dept.block("all/declarations")
    phones = [dept.phone("27.0", WECHAT), dept.phone("27.0", WECHAT)]
    dept.follow_up()
    dept.clock.advance(minutes=1)
    dept.check_in()
    dept.answer = failing(status, "/v1/enrollment-sets")
    done = dept.follow_up()
    assert "delivered" not in done.counts
    assert done.left == failed + left
    dept.answer = lambda _: None
    dept.settle()
    assert not any(phone.can_launch(WECHAT.id) for phone in phones)


def test_an_order_whose_phones_cannot_be_given_their_set_is_not_accepted(department: Make) -> None:
    dept = department()
    dept.phone("27.0", WECHAT)
    dept.settle()
    dept.answer = failing(401, "/v1/enrollment-sets")
    with pytest.raises(NotAuthorised):
        dept.block("all/declarations")
    assert dept.group("all/declarations").now.version == 0
    dept.answer = lambda _: None
    dept.settle()
    assert dept.queued("DeclarativeManagement") == []
    assert dept.kmfddm.state.of_set(next(iter(dept.kmfddm.state.sets_of(dept.phones[0].id)), "none")) == []


def test_a_set_whose_order_was_given_up_is_emptied(department: Make) -> None:
    dept = department()
    dept.phone("27.0", WECHAT)
    dept.settle()
    dept.answer = failing(400, "/v1/enqueue")
    with pytest.raises(Rejected):
        dept.block("all/declarations")
    dept.answer = lambda _: None
    assert dept.kmfddm.state.identifiers()
    dept.follow_up()
    assert dept.kmfddm.state.identifiers() == []


def test_the_report_of_a_phone_is_read_when_it_says_so(department: Make) -> None:
    dept = department()
    phone = dept.phone("27.0", WECHAT)
    dept.settle()
    dept.block("all/declarations")
    dept.clock.advance(minutes=1)
    dept.check_in()
    assert not applied_now(dept.device(phone), dept.group("all/declarations"))
    dept.follow_up()
    assert applied_now(dept.device(phone), dept.group("all/declarations"))
    assert not dept.device(phone).report_due
    reads = len([one for one in dept.requests if "declaration-status" in one])
    dept.settle()
    dept.follow_up()
    assert len([one for one in dept.requests if "declaration-status" in one]) == reads


def test_declarations_that_a_phone_will_not_take_are_offered_another_day(department: Make) -> None:
    dept = department()
    phone = dept.phone("27.0", WECHAT)
    dept.settle()
    dept.block("all/declarations")
    phone.device.os = "26.0"  # it said 27 and is not: the declaration stays without effect
    dept.settle()
    assert dept.queued("DeclarativeManagement", phone) == ["DeclarativeManagement"]
    dept.clock.advance(hours=23)
    dept.follow_up()
    assert len(dept.queued("DeclarativeManagement", phone)) == 1


def test_a_delivery_that_failed_waits_a_day(department: Make) -> None:
    dept = department()
    phone = dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    dept.settle()
    (sent,) = [one for one in dept.records.commands(device=phone.id) if one.request_type == "InstallProfile"]
    dept.records.save_commands([replace(sent, state=CommandState.failed, error="2004")])
    assert "delivered" not in dept.follow_up().counts
    dept.clock.advance(hours=25)
    assert dept.follow_up().counts["delivered"] == 1


def test_two_groups_that_share_one_profile_do_not_undo_each_other(department: Make, home: Path) -> None:
    """The same identifier: the new group's profile has replaced the old one's on the phone."""
    for name in ("all", "harbour"):
        base_profile(home / "profiles" / f"{name}.mobileconfig", CASINO)
    roster = home / "roster.csv"
    roster.write_text("serial,group\n", "utf-8")
    dept = department(roster=roster)
    phone = dept.phone("18.5", WECHAT, TIKTOK)
    dept.settle()
    dept.block("all/profile", WECHAT)
    dept.block("harbour/profile", WECHAT)
    dept.block("harbour/profile", TIKTOK)
    dept.settle()
    roster.write_text(f"serial,group\n{phone.spec.serial},harbour\n", "utf-8")
    dept.settle()
    assert phone.blocked() == {CASINO, WECHAT.id, TIKTOK.id}
    assert len(dept.queued("InstallProfile", phone)) == 2


def test_a_base_that_changed_while_an_order_is_on_its_way_waits_for_it(department: Make, home: Path) -> None:
    base = home / "profiles" / "all.mobileconfig"
    base_profile(base, CASINO)
    dept = department()
    dept.phone("18.5", WECHAT)
    dept.settle()
    dept.block()
    dept.answer = failing(502, "/v1/enqueue")
    with pytest.raises(UnknownFate):
        dept.block("all/profile", TIKTOK)
    dept.answer = lambda _: None
    base_profile(base, "com.example.more", uuid="5E5CA1E0-0000-4000-8000-00000000000B")
    assert "renewed" not in dept.follow_up().counts
    dept.clock.advance(hours=2)
    assert dept.follow_up().counts["renewed"] == 1
