"""What phones are asked, and when: as little as a proof needs, and never twice at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.connectors.nanomdm.acting import START, WATCH, WECHAT

from proscribe.connectors.memory import Watch
from proscribe.connectors.nanomdm.asking import APPS, INFORMATION, MANAGED, PROFILES, Question, outgoing, questions
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.history import Case, by_device, cases
from proscribe.connectors.nanomdm.model import (
    AppList,
    Command,
    CommandState,
    Device,
    Kind,
    ManagedApp,
    ProfileList,
    Purpose,
    Removal,
    Stage,
)
from proscribe.connectors.nanomdm.roster import Roster
from proscribe.connectors.nanomdm.scopes import View
from proscribe.terms import Platform

NOW = START + timedelta(days=10)
NAMED = tuple(sorted(WATCH.ios))


def ago(**delta: float) -> object:
    return NOW - timedelta(**delta)


def view(watch: Watch = WATCH, **settings: object) -> View:
    config = NanomdmConfig("http://127.0.0.1:9000", api_key="k", **settings)  # type: ignore[arg-type]
    return View(config, Roster(), watch, NOW)


def device(**facts: object) -> Device:
    """A supervised phone of which everything is known since an hour."""
    known: dict[str, object] = {
        "informed_at": ago(hours=1),
        "apps": AppList(ago(hours=1), ago(hours=1), NAMED, managed_only=False, apps=()),  # type: ignore[arg-type]
        "profiles": ProfileList(ago(hours=1), ago(hours=1), ()),  # type: ignore[arg-type]
        "supervised": True,
        "platform": Platform.ios,
        "os_version": "18.5",
        **facts,
    }
    return Device("PHONE", Kind.device, 1, START, NOW, ready=True, **known)  # type: ignore[arg-type]


def command(kind: str, purpose: Purpose, state: CommandState, **details: object) -> Command:
    asked = details.pop("asked_at", ago(hours=2))
    return Command(
        uuid=str(details.pop("uuid", kind + state)),
        device="PHONE",
        generation=int(details.pop("generation", 1)),  # type: ignore[call-overload]
        request_type=kind,
        purpose=purpose,
        state=state,
        asked_at=asked,  # type: ignore[arg-type]
        **details,  # type: ignore[arg-type]
    )


def asked(found: Device, *commands: Command, seen: View | None = None, anew: object = None) -> list[str]:
    (case,) = cases([found], by_device(commands))
    return [one.request_type for one in questions(case, seen or view(), anew)]  # type: ignore[arg-type]


def test_nothing_is_asked_where_everything_is_known() -> None:
    assert asked(device()) == []


def test_a_new_phone_is_asked_who_it_is_before_anything_else() -> None:
    assert asked(device(informed_at=None, apps=None, profiles=None)) == [INFORMATION, PROFILES, APPS]


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"informed_at": ago(hours=25)}, INFORMATION),
        ({"profiles": ProfileList(ago(hours=25), NOW, ())}, PROFILES),  # type: ignore[arg-type]
        ({"apps": AppList(ago(hours=13), NOW, NAMED, managed_only=False, apps=())}, APPS),  # type: ignore[arg-type]
        ({"apps": AppList(ago(hours=1), NOW, NAMED[1:], managed_only=False, apps=())}, APPS),  # type: ignore[arg-type]
        ({"apps": AppList(ago(hours=1), NOW, NAMED, managed_only=True, apps=())}, APPS),  # type: ignore[arg-type]
    ],
    ids=["information of yesterday", "profiles of yesterday", "an old list", "a narrower list", "managed apps only"],
)
def test_what_is_old_or_too_narrow_is_asked_anew(facts: dict[str, object], kind: str) -> None:
    assert asked(device(**facts)) == [kind]


def test_a_wider_list_than_needed_is_good_enough() -> None:
    wide = AppList(ago(hours=1), NOW, (*NAMED, "z.more"), managed_only=False, apps=())  # type: ignore[arg-type]
    assert asked(device(apps=wide)) == []


def test_where_nothing_is_watched_by_name_no_list_is_asked_for() -> None:
    assert asked(device(apps=None), seen=view(Watch(unnamed=True))) == []


def test_the_question_names_the_watched_apps_and_nothing_else() -> None:
    (case,) = cases([device(apps=None)], {})
    (question,) = questions(case, view())
    assert question.content == {
        "RequestType": APPS,
        "Identifiers": list(NAMED),
        "ManagedAppsOnly": False,
    }
    (case,) = cases([replace(device(apps=None), kind=Kind.user_enrolment)], {})
    (question,) = [one for one in questions(case, view()) if one.request_type == APPS]
    assert question.content["ManagedAppsOnly"] is True


def test_a_list_is_asked_for_after_every_change_that_was_answered() -> None:
    change = command("RemoveApplication", Purpose.remove, CommandState.answered, answered_at=ago(minutes=30))
    assert asked(device(), change) == [APPS]
    before = replace(change, answered_at=ago(hours=2))
    assert asked(device(), before) == []
    same_second = replace(change, answered_at=ago(hours=1))
    assert asked(device(), same_second) == [APPS]
    this_second = replace(change, answered_at=NOW)
    assert asked(device(), this_second) == []  # a list asked for now could not be told from one of before


def test_profiles_are_asked_for_after_a_delivery() -> None:
    change = command("InstallProfile", Purpose.deliver, CommandState.answered, answered_at=ago(minutes=30))
    assert asked(device(), change) == [PROFILES, APPS]


def test_profiles_are_not_asked_of_a_phone_that_gets_none() -> None:
    assert asked(device(supervised=False, profiles=None)) == []


def test_after_a_gap_everything_is_asked() -> None:
    assert asked(device(), anew=ago(minutes=10)) == [INFORMATION, PROFILES, APPS]
    assert asked(device(), anew=ago(hours=2)) == []


def test_a_conversion_is_asked_after_until_the_device_has_said() -> None:
    waiting = Removal(WECHAT.id, "key", Stage.confirming, ago(minutes=30))  # type: ignore[arg-type]
    sent = command(
        "InstallApplication",
        Purpose.convert,
        CommandState.answered,
        subject=WECHAT.id,
        key="key",
        answered_at=ago(minutes=30),
    )
    recent = AppList(ago(minutes=5), NOW, NAMED, managed_only=False, apps=())  # type: ignore[arg-type]
    phone = device(removals=(waiting,), apps=recent)
    assert asked(phone, sent) == [MANAGED]
    just_asked = command(MANAGED, Purpose.ask, CommandState.answered, asked_at=ago(minutes=10))
    assert asked(phone, sent, just_asked) == []
    long_ago = replace(just_asked, asked_at=ago(minutes=70))
    assert asked(phone, sent, long_ago) == [MANAGED]
    told = ManagedApp(WECHAT.id, "Managed", ago(minutes=10), ago(minutes=9))  # type: ignore[arg-type]
    assert asked(replace(phone, managed=(told,)), sent, just_asked) == []


def put(question_of: Device, *commands: Command) -> Command | None:
    (case,) = cases([question_of], by_device(commands))
    question = next(iter(questions(case, view())))
    made = outgoing(case, question, view())
    return None if made is None else made.command


def test_one_question_of_a_kind_at_a_time() -> None:
    phone = device(informed_at=None)
    for state in (CommandState.queued, CommandState.not_now):
        assert put(phone, command(INFORMATION, Purpose.ask, state)) is None
    made = put(phone)
    assert made is not None
    assert (made.state, made.request_type, made.attempts) == (CommandState.sending, INFORMATION, 1)


def test_the_same_question_has_the_same_uuid_and_a_newer_one_another() -> None:
    first, again = put(device(informed_at=None)), put(device(informed_at=None))
    assert first == again
    later = put(device(informed_at=ago(days=2)))
    assert first is not None
    assert later is not None
    assert first.uuid != later.uuid


def test_what_was_being_sent_goes_out_as_it_was() -> None:
    sending = command(APPS, Purpose.ask, CommandState.sending, subject="never", named=("old.app",))
    (case,) = cases([device(apps=None)], by_device([sending]))
    (question,) = questions(case, view())
    made = outgoing(case, question, view())
    assert made is not None
    assert made.command == sending
    assert made.content["Identifiers"] == ["old.app"]
    managed = command(MANAGED, Purpose.ask, CommandState.sending, subject="never", named=("old.app",))
    made = outgoing(Case(device(), (managed,)), Question({"RequestType": MANAGED}, None), view())
    assert made is not None
    assert made.content["Identifiers"] == ["old.app"]


def test_a_question_that_failed_is_asked_again_another_day() -> None:
    failed = command(INFORMATION, Purpose.ask, CommandState.failed, subject="never", answered_at=ago(hours=2))
    assert put(device(informed_at=None), failed) is None
    old = replace(failed, answered_at=ago(hours=25))
    made = put(device(informed_at=None), old)
    assert made is not None
    assert made.attempts == 2


def test_a_lost_question_has_another_number() -> None:
    lost = command(INFORMATION, Purpose.ask, CommandState.void, subject="never")
    made = put(device(informed_at=None), lost)
    assert made is not None
    assert made.attempts == 2


def test_commands_of_an_earlier_enrolment_say_nothing_of_this_one() -> None:
    earlier = command(INFORMATION, Purpose.ask, CommandState.queued, generation=0)
    assert put(device(informed_at=None), earlier) is not None


@pytest.mark.parametrize(
    ("state", "details", "seen", "lost"),
    [
        (CommandState.queued, {"asked_at": ago(hours=2)}, NOW, True),
        (CommandState.queued, {"asked_at": ago(hours=2)}, ago(hours=2), False),  # not heard of since
        (CommandState.queued, {"asked_at": ago(minutes=30)}, NOW, False),  # not long enough
        (CommandState.sending, {"asked_at": ago(hours=2)}, NOW, False),
        (CommandState.answered, {"asked_at": ago(hours=2)}, NOW, False),
        (CommandState.not_now, {"asked_at": ago(days=2), "not_now_at": ago(minutes=5)}, NOW, False),
        (CommandState.not_now, {"asked_at": ago(days=2), "not_now_at": ago(hours=2)}, NOW, True),
    ],
)
def test_what_counts_as_lost(state: CommandState, details: dict[str, object], seen: object, *, lost: bool) -> None:
    one = command("InstallProfile", Purpose.deliver, state, **details)
    case = Case(replace(device(), last_seen=seen), (one,))  # type: ignore[arg-type]
    assert case.is_lost(one, view().config, NOW) is lost


def test_nothing_is_asked_behind_a_change_unless_it_takes_days() -> None:
    young = command("InstallProfile", Purpose.deliver, CommandState.queued, asked_at=ago(minutes=5))
    assert Case(device(), (young,)).is_changing(view().config, NOW)
    put_off = replace(young, state=CommandState.not_now, asked_at=ago(days=4), not_now_at=NOW)
    assert not Case(device(), (put_off,)).is_changing(view().config, NOW)
