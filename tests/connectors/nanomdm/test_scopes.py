"""Which scope a device is in, what it is known to carry, and what is said of it: never more than was seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nanomdm.remembered import (
    APP,
    NOW,
    OTHER,
    PROFILE,
    app_list,
    base_profile,
    command,
    config,
    device,
    edition,
    hours,
    profiles,
    view,
)

from proscribe.connectors.memory import Watch
from proscribe.connectors.nanomdm import declarations as ddm
from proscribe.connectors.nanomdm.base_profile import read_base
from proscribe.connectors.nanomdm.model import (
    Channel,
    CommandState,
    Declarations,
    Device,
    Edition,
    Entry,
    Group,
    Kind,
    ManagedApp,
    Purpose,
    Removal,
    SeenApp,
    SeenDeclaration,
    SeenProfile,
    Stage,
)
from proscribe.connectors.nanomdm.observe import read_bases
from proscribe.connectors.nanomdm.roster import Place, Roster
from proscribe.connectors.nanomdm.scopes import (
    Tally,
    applied_version,
    blocked_here,
    blocked_on,
    channel,
    device_scope,
    device_version,
    group_scope,
    held,
    holds,
    remarks,
    scope_id,
    split,
    wanted,
)
from proscribe.terms import Held, Platform

SEEN = SeenApp(APP, "8.0")
NEW = "all/declarations"
OLD = "all/profile"


def settings(scope: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scope.settings)
    return found


def declared(*bans: tuple[str, str], active: bool = True, valid: str = "valid", scope: str = NEW) -> Declarations:
    """What a device reports of the configurations of some bans, each with its server token."""
    items = [SeenDeclaration(ddm.identifier(scope, ban), active, valid, True, token) for ban, token in bans]
    return Declarations(hours(1), tuple(items))


# The scope of a device --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "kmfddm", "expected"),
    [
        ({"os": "27.0"}, True, Channel.declarations),
        ({"os": "27"}, True, Channel.declarations),
        ({"os": "28.1"}, True, Channel.declarations),
        ({"os": "27.0"}, False, Channel.profile),
        ({"os": "26.9"}, True, Channel.profile),
        ({"os": "9.3"}, True, Channel.profile),
        ({"os": ""}, True, Channel.profile),
        ({"supervised": False, "os": "27.0"}, True, Channel.commands),
        ({"supervised": None, "os": "27.0"}, True, Channel.commands),
        ({"kind": Kind.user_enrolment, "os": "27.0"}, True, Channel.commands),
        ({"platform": Platform.macos, "os": "27.0"}, True, Channel.commands),
        ({"platform": Platform.unknown, "os": "27.0"}, True, Channel.commands),
    ],
)
def test_the_class_of_a_device_decides_its_channel(fields: dict[str, Any], kmfddm: bool, expected: Channel) -> None:
    one = device(**fields)
    assert channel(one, declarations=kmfddm) is expected
    assert scope_id(one, Roster(), config(kmfddm=kmfddm)) == f"all/{expected}"


def test_the_roster_decides_the_group() -> None:
    roster = Roster(by_id={"D1": Place("Vessels")})
    assert scope_id(device("d1"), roster, config()) == "Vessels/profile"
    assert scope_id(device("d2"), roster, config(default_group="rest")) == "rest/profile"


def test_a_scope_that_is_no_group_is_not_taken_for_one() -> None:
    assert split("Vessels, north/declarations") == ("Vessels, north", Channel.declarations)
    for scope in ("nanomdm:0001", "all", "all/other", "/profile"):
        with pytest.raises(ValueError):  # noqa: PT011 (any ValueError: whoever asks only tells one kind from the other)
            split(scope)


def test_a_scope_nothing_was_asked_of_has_no_version() -> None:
    assert wanted(OLD, {}).now == Edition(0, ())
    assert wanted("all/commands", {}).now.version == 1


# What a device carries --------------------------------------------------------------------------------------------


def test_a_profile_proves_its_edition_by_its_uuid() -> None:
    group = Group(
        OLD, edition(3, APP, uuid="U3"), before=(edition(2, APP, OTHER, uuid="U2"), edition(1, OTHER, uuid="U1"))
    )
    versions = [applied_version(device(profiles=profiles(*uuids)), group) for uuids in ((), ("U1",), ("U2",), ("u3",))]
    assert versions == [0, 1, 2, 3]
    assert applied_version(device(), group) == 0, "nobody asked for its profiles yet"
    blocked = [blocked_on(device(profiles=profiles(uuid)), group) for uuid in ("U1", "U2", "U3", "U9")]
    assert blocked == [{OTHER}, {APP, OTHER}, {APP}, set()]


def test_where_nothing_of_ours_is_wanted_it_must_be_gone() -> None:
    group = Group(OLD, edition(2), before=(edition(1, APP, uuid="U1"),))
    assert applied_version(device(profiles=profiles("U1")), group) == 1
    assert applied_version(device(profiles=profiles()), group) == 2
    assert applied_version(device(), group) == 0


def test_what_is_only_offered_counts_where_it_arrived_and_is_no_version_yet() -> None:
    group = Group(OLD, Edition(0, ()), offered=edition(1, APP))
    arrived = device(profiles=profiles(PROFILE))
    assert blocked_on(arrived, group) == {APP}
    assert applied_version(arrived, group) == 0


def test_no_profile_blocks_anything_without_supervision() -> None:
    group = Group(OLD, edition(1, APP))
    for one in (device(supervised=False), device(supervised=None), device(kind=Kind.user_enrolment)):
        assert blocked_on(replace(one, profiles=profiles(PROFILE)), group) == set()


def test_the_base_blocks_what_it_names_once_it_is_there_as_it_is_now(tmp_path: Path) -> None:
    base = read_base(base_profile(tmp_path, blocked=[OTHER]))
    assert base is not None
    nothing = wanted(OLD, {})

    def carrying(uuid: str) -> Device:
        return device(profiles=replace(profiles(), profiles=(SeenProfile(base.identifier, uuid, restricts=True),)))

    assert blocked_on(carrying(base.uuid), nothing, base) == {OTHER}
    assert blocked_on(carrying("AN-EARLIER-ONE"), nothing, base) == set()
    merged = Group(OLD, edition(1, APP, base=base.digest))
    assert blocked_on(carrying(PROFILE), merged, base) == {APP, OTHER}
    outdated = Group(OLD, edition(1, APP, base="sha256:earlier"))
    assert blocked_on(carrying(PROFILE), outdated, base) == {APP}


def two_bans(**tokens: str) -> Edition:
    entries = (Entry(OTHER, "ban-2"), Entry(APP, "ban-1"))
    named = {ddm.identifier(NEW, ban.replace("_", "-")): token for ban, token in tokens.items()}
    return Edition(2, tuple(sorted(entries, key=lambda one: one.app)), tokens=named)


def test_declarations_prove_their_edition_by_their_server_tokens() -> None:
    first = Edition(1, (Entry(APP, "ban-1"),), tokens={ddm.identifier(NEW, "ban-1"): "t1"})
    group = Group(NEW, two_bans(ban_1="t2", ban_2="t3"), before=(first,))
    cases: list[tuple[Declarations | None, int, set[str]]] = [
        (None, 0, set()),
        (declared(), 0, set()),
        (declared(("ban-1", "t1")), 1, {APP}),  # "current" as it was read, and of the edition before
        (declared(("ban-1", "t2")), 0, {APP}),
        (declared(("ban-1", "t2"), ("ban-2", "t3")), 2, {APP, OTHER}),
        (declared(("ban-1", "t2"), ("ban-2", "other")), 0, {APP}),
        (declared(("ban-1", "t2"), ("ban-2", "t3"), active=False), 0, set()),
        (declared(("ban-1", "t2"), ("ban-2", "t3"), valid="invalid"), 0, set()),
        (declared(("ban-1", "t2"), ("ban-2", "t3"), valid="unknown"), 0, set()),
    ]
    for reported, version, blocked in cases:
        one = device(os="27.0", declarations=reported)
        assert applied_version(one, group) == version, reported
        assert blocked_on(one, group) == blocked, reported


def test_an_edition_without_known_tokens_is_on_no_device() -> None:
    group = Group(NEW, Edition(1, (Entry(APP, "ban-1"),)))
    one = device(os="27.0", declarations=declared(("ban-1", "")))
    assert (applied_version(one, group), blocked_on(one, group)) == (0, frozenset())


def test_a_lifted_ban_that_is_still_in_force_is_seen() -> None:
    before = Edition(1, (Entry(APP, "ban-1"),), tokens={ddm.identifier(NEW, "ban-1"): "t1"})
    group = Group(NEW, Edition(2, ()), before=(before,))
    assert applied_version(device(os="27.0", declarations=declared(("ban-1", "t1"))), group) == 1
    assert applied_version(device(os="27.0", declarations=declared()), group) == 2


def test_nothing_is_to_be_applied_where_nothing_can_be() -> None:
    assert applied_version(device(supervised=False), wanted("all/commands", {})) == 1


def test_a_device_just_upgraded_keeps_the_block_that_it_had() -> None:
    upgraded = device(os="27.0", profiles=profiles(PROFILE), apps=app_list(SEEN))
    looked = view([Group(OLD, edition(1, APP))], kmfddm=True)
    assert scope_id(upgraded, looked.roster, looked.config) == NEW
    assert blocked_here(upgraded, looked) == {APP}
    assert applied_version(upgraded, wanted(NEW, looked.groups)) == 0


# Who put an app there ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "fields", "expected"),
    [
        (SEEN, {}, Held.unmanaged),
        (replace(SEEN, held=Held.system), {}, Held.system),
        (replace(SEEN, declared=True), {}, Held.managed),
        (SEEN, {"kind": Kind.user_enrolment}, Held.managed),
        (SEEN, {"apps": app_list(SEEN, managed_only=True)}, Held.managed),
        (SEEN, {"managed": (ManagedApp(APP, "Managed", hours(2), hours(1)),)}, Held.managed),
        (SEEN, {"managed": (ManagedApp(APP, "UserInstalledApp", hours(2), hours(1)),)}, Held.unmanaged),
        (SEEN, {"managed": (ManagedApp(APP, "", hours(2), hours(1)),)}, Held.unmanaged),
        (SEEN, {"managed": (ManagedApp(OTHER, "Managed", hours(2), hours(1)),)}, Held.unmanaged),
        (
            SEEN,
            {"managed": (ManagedApp(APP, "Managed", hours(9), hours(8)), ManagedApp(APP, "", hours(2), hours(1)))},
            Held.unmanaged,
        ),
    ],
)
def test_who_put_an_app_there(seen: SeenApp, fields: dict[str, Any], expected: Held) -> None:
    assert held(device(**fields), seen) is expected


# Remarks ----------------------------------------------------------------------------------------------------------


def removal(stage: Stage, **fields: Any) -> Removal:
    return Removal(**{"app": APP, "key": "order-1", "stage": stage, "since": hours(3), **fields})


@pytest.mark.parametrize(
    ("stage", "since", "expected"),
    [
        (Stage.removed, 1, Held.unmanaged),  # it came back since, as the user's own
        (Stage.failed, 1, Held.unmanaged),
        (Stage.removed, 3, Held.managed),  # asked for after that
        (Stage.removing, 1, Held.managed),  # what was converted stays so until it is gone
    ],
)
def test_who_put_an_app_there_that_was_removed_before(stage: Stage, since: int, expected: Held) -> None:
    told = ManagedApp(APP, "Managed", hours(2), hours(2))
    holder = device(managed=(told,), removals=(removal(stage, since=hours(since)),))
    assert held(holder, SEEN) is expected


def test_a_device_that_gave_no_list_says_so() -> None:
    assert remarks(device(), view()) == ("no-app-reports",)
    assert remarks(device(apps=app_list()), view()) == ()


@pytest.mark.parametrize(
    ("named", "managed_only", "fields", "expected"),
    [
        ((APP, OTHER), False, {}, ()),
        ((APP, OTHER, "more"), False, {}, ()),
        ((APP,), False, {}, ("narrower-watch",)),
        ((), False, {}, ("narrower-watch",)),
        ((APP, OTHER), True, {}, ("narrower-watch",)),
        ((APP, OTHER), True, {"kind": Kind.user_enrolment}, ()),
    ],
)
def test_a_list_that_was_asked_for_too_little_says_so(
    named: tuple[str, ...], managed_only: bool, fields: dict[str, Any], expected: tuple[str, ...]
) -> None:
    apps = app_list(named=named, managed_only=managed_only)
    assert remarks(device(apps=apps, **fields), view()) == expected


def test_a_list_taken_before_the_watch_grew_is_narrower() -> None:
    more = Watch(ios=frozenset({APP, OTHER, "org.new.app"}))
    assert remarks(device(apps=app_list()), view(watch=more)) == ("narrower-watch",)


def test_a_locked_device_says_since_when() -> None:
    one = device(apps=app_list(), locked_since=hours(2))
    assert remarks(one, view()) == ("locked:2026-11-22T10:00:00+00:00",)


def test_what_was_sent_and_is_not_answered_is_told_and_questions_are_not() -> None:
    sent = [
        command("1", request_type="InstallProfile"),
        command("2", request_type="RemoveApplication", purpose=Purpose.remove, state=CommandState.not_now),
        command("3", request_type="InstalledApplicationList", purpose=Purpose.ask),
        command("4", request_type="InstallApplication", purpose=Purpose.convert, generation=9),
        command("5", request_type="RemoveProfile", state=CommandState.failed, key="all/profile@0"),
    ]
    found = remarks(device(apps=app_list()), view(), sent)
    assert found == ("pending:InstallProfile", "pending:RemoveApplication")


def test_a_user_who_is_being_asked_is_waited_for() -> None:
    asked = (ManagedApp(APP, "PromptingForManagement", hours(2), hours(1)),)
    waiting = device(apps=app_list(SEEN), managed=asked, removals=(removal(Stage.confirming),))
    assert remarks(waiting, view()) == ("pending:PromptingForManagement",)
    assert remarks(replace(waiting, removals=()), view()) == (), "nobody of us asked"


@pytest.mark.parametrize("stage", [Stage.converting, Stage.confirming, Stage.removing])
def test_between_two_steps_a_removal_is_waited_for_and_has_not_failed(stage: Stage) -> None:
    half_way = device(apps=app_list(SEEN), removals=(removal(stage),))
    assert remarks(half_way, view()) == ("pending:RemoveApplication",)


def test_a_removal_that_was_acknowledged_is_waited_for_until_a_later_list() -> None:
    listed = app_list(SEEN)
    before = device(apps=listed, removals=(removal(Stage.removed, since=listed.asked_at),))
    assert remarks(before, view()) == ("pending:RemoveApplication",)
    since = listed.asked_at - timedelta(seconds=1)
    assert remarks(replace(before, removals=(removal(Stage.removed, since=since),)), view()) == (), "it came back"


def test_a_refusal_stands_as_long_as_the_app_does() -> None:
    refused = removal(Stage.refused, since=hours(3))
    there = device(apps=app_list(SEEN), removals=(refused,))
    assert remarks(there, view()) == (f"refused-by-user:{APP}",)
    assert remarks(replace(there, apps=app_list()), view()) == ()
    assert remarks(replace(there, apps=app_list(asked=hours(4))), view()) == (f"refused-by-user:{APP}",)


def test_a_refusal_is_told_before_a_lock() -> None:
    one = device(apps=app_list(SEEN), removals=(removal(Stage.refused),), locked_since=hours(1))
    assert [remark.partition(":")[0] for remark in remarks(one, view())] == ["refused-by-user", "locked"]


def test_an_error_is_told_in_one_word_as_long_as_the_app_is_there() -> None:
    failed = removal(Stage.failed, error="MCMDMErrorDomain: 12: not  managed", not_before=hours(-20))
    there = device(apps=app_list(SEEN), removals=(failed,))
    assert remarks(there, view()) == (f"noncompliant:MCMDMErrorDomain 12 not managed:{APP}",)
    assert remarks(replace(there, apps=app_list()), view()) == (), "the app is gone: nothing failed"
    ended = replace(there, removals=(replace(failed, not_before=None),))
    assert remarks(ended, view()) == (), "the device answered nothing: it enrolled anew"


def test_a_profile_that_the_device_refused_is_told_for_each_of_its_apps() -> None:
    looked = view([Group(OLD, edition(2, APP, OTHER))])
    refused = command(state=CommandState.failed, key="all/profile@2", error="")
    earlier = command(state=CommandState.failed, key="all/profile@1", error="2004")
    one = device(apps=app_list())
    assert remarks(one, looked, [refused]) == (f"refused-by-device:error:{OTHER}", f"refused-by-device:error:{APP}")
    assert remarks(one, looked, [earlier]) == ()
    assert remarks(replace(one, profiles=profiles(PROFILE)), looked, [refused]) == (), "a later try arrived"


def test_an_app_is_contained_where_its_block_was_seen_on_the_device() -> None:
    looked = view([Group(OLD, edition(1, APP))])
    both = app_list(SEEN, SeenApp(OTHER))
    assert remarks(device(apps=both), looked) == ()
    assert remarks(device(apps=both, profiles=profiles(PROFILE)), looked) == (f"contained:{APP}",)


# Scopes -----------------------------------------------------------------------------------------------------------


def test_a_group_tells_what_it_blocks_and_of_its_base_only_what_is_watched(tmp_path: Path) -> None:
    blocked = [OTHER.upper(), "org.private.app"]
    base_profile(tmp_path, blocked=blocked, allowListedAppBundleIDs=[APP, "org.private.other"])
    base_profile(tmp_path, "elsewhere")
    bases, problems = read_bases(config(profiles=tmp_path))
    assert problems == []
    looked = view([Group(OLD, edition(4, APP))], bases=bases)
    scope = group_scope(OLD, looked, Tally(7, 2, {APP}))
    assert (scope.system, scope.id, scope.version, scope.devices) == ("nanomdm", OLD, 4, 7)
    assert settings(scope) == {
        "channel": "profile",
        "ours": [APP],
        "base": {"name": "all.mobileconfig", "blocked": [OTHER.upper()], "allowed": [APP]},
        "seen": [APP],
        "foreign": 2,
    }
    assert settings(group_scope("elsewhere/profile", looked))["base"] == {
        "name": "elsewhere.mobileconfig",
        "blocked": [],
        "allowed": None,
    }
    assert settings(group_scope("all/commands", looked))["base"] is None
    assert settings(group_scope(NEW, looked))["base"] is None, "declarations know nothing of the profile"


def test_a_payload_of_somebody_else_is_counted_and_ours_and_the_base_are_not(tmp_path: Path) -> None:
    base_profile(tmp_path)
    bases, _ = read_bases(config(profiles=tmp_path))
    looked = view([Group(OLD, edition(2, APP), before=(edition(1, OTHER, uuid="U1"),))], bases=bases)
    own = profiles(PROFILE, "U1")
    handed_over = SeenProfile("org.lighthouses.base", "ANY", restricts=True)
    tally = Tally()
    for seen, foreign in (
        (None, 0),
        (own, 0),
        (replace(own, profiles=(*own.profiles, handed_over)), 0),
        (profiles("OLDER-THAN-ANY-REMEMBERED"), 0),
        (profiles(PROFILE, foreign=True), 1),
        (profiles(foreign=True), 2),
    ):
        tally.take(device(profiles=seen), looked, OLD)
        assert tally.foreign == foreign
    assert tally.devices == 6


def test_a_device_without_watched_apps_or_removals_is_no_scope() -> None:
    assert device_scope(device(), view()) is None
    assert device_scope(device(apps=app_list()), view()) is None


def test_a_device_tells_each_app_with_its_block_and_its_removal() -> None:
    ordered = Group(OLD, edition(1, APP), offered=edition(2, APP, OTHER, uuid="U2"))
    looked = view([ordered])
    seen = app_list(replace(SEEN, declared=True), SeenApp(OTHER, clip=True))
    gone = removal(Stage.removed, app="org.gone")
    scope = device_scope(device(apps=seen, profiles=profiles(PROFILE), removals=(gone,)), looked)
    assert scope is not None
    assert (scope.system, scope.id, scope.devices) == ("nanomdm", "nanomdm:d1", 1)
    assert settings(scope) == {
        "os": "17.4",
        "supervised": True,
        "fresh": True,
        "apps": {
            APP: {"block": "applied", "held": "managed", "declared": True},
            OTHER: {"block": "ordered", "held": "unmanaged", "clip": True},
            "org.gone": {"block": "none", "stage": "removed", "holds": True},
        },
    }


@pytest.mark.parametrize(("age", "fresh"), [(23.9, True), (24.0, True), (24.1, False)])
def test_a_list_is_fresh_for_as_long_as_is_set(age: float, fresh: bool) -> None:
    scope = device_scope(device(apps=app_list(SEEN, asked=hours(age))), view())
    assert scope is not None
    assert settings(scope)["fresh"] is fresh


@pytest.mark.parametrize(
    ("stage", "asked", "not_before", "expected"),
    [
        (Stage.converting, 1, None, True),
        (Stage.confirming, 1, None, True),
        (Stage.removing, 1, None, True),
        (Stage.removed, 4, None, True),  # listed by a list that is older than the removal
        (Stage.removed, 1, None, False),  # it is back
        (Stage.failed, 1, -1, True),
        (Stage.failed, 1, 1, False),
        (Stage.failed, 1, None, False),
        (Stage.refused, 1, -1, True),
        (Stage.refused, 1, 1, False),
        (Stage.void, 1, None, False),
    ],
)
def test_a_removal_holds_until_it_is_undone_or_due_again(
    stage: Stage, asked: float, not_before: float | None, expected: bool
) -> None:
    one = removal(stage, not_before=None if not_before is None else hours(not_before))
    listed = device(apps=app_list(SEEN, asked=hours(asked)), removals=(one,))
    assert holds(listed, one, NOW) is expected
    assert holds(replace(listed, apps=app_list()), one, NOW), "an app that is not there needs no order"


def test_the_version_of_a_device_never_comes_twice() -> None:
    """Reinstalled after each removal, enrolled anew, and both again: what was accepted is never mistaken for now."""
    seen = app_list(SEEN)
    begun = removal(Stage.removing, attempt=1)
    history = [
        device(apps=seen),
        device(apps=seen, removals=(begun,)),
        device(apps=seen, removals=(replace(begun, stage=Stage.removed),)),
        device(apps=seen, removals=(replace(begun, attempt=2),)),
        device(apps=seen, removals=(replace(begun, attempt=2, stage=Stage.removed),)),
        device(apps=seen, removals=(replace(begun, attempt=3), removal(Stage.removing, app=OTHER))),
        device(apps=seen, generation=2),
        device(apps=seen, generation=2, removals=(begun,)),
        device(apps=seen, generation=2, removals=(replace(begun, stage=Stage.removed),)),
    ]
    versions = [device_version(one, NOW) for one in history]
    assert versions == sorted(set(versions))
    assert versions[0] > 0


def test_a_refusal_that_may_be_asked_again_shows_as_a_change() -> None:
    refused = device(apps=app_list(SEEN), removals=(removal(Stage.refused, not_before=hours(-1)),))
    before, after = device_version(refused, NOW), device_version(refused, NOW + timedelta(hours=2))
    assert after == before + 1
