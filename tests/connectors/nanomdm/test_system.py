"""The pure half: what counts as in place, and what stands against a change, read from a scope's settings alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nanomdm.remembered import (
    APP,
    OTHER,
    PROFILE,
    app_list,
    base_profile,
    config,
    device,
    edition,
    hours,
    profiles,
    view,
)

from proscribe.connectors.nanomdm.model import Device, Group, Removal, SeenApp, Stage
from proscribe.connectors.nanomdm.observe import read_bases
from proscribe.connectors.nanomdm.scopes import Tally, device_scope, group_scope
from proscribe.connectors.nanomdm.system import CONVERT, DECLARE, REMOVE, RESTRICT, NanomdmSystem
from proscribe.errors import InvalidDocument
from proscribe.inventory.model import Scope
from proscribe.plan.ports import Objection
from proscribe.terms import Held, Side

SYSTEM = NanomdmSystem(config(kmfddm=True))
OLD, NEW = "all/profile", "all/declarations"


def scope(kind: str = OLD, *apps: str, tally: Tally | None = None, **looked: Any) -> Scope:
    """A group scope that blocks these apps."""
    groups = [Group(kind, edition(1, *apps))] if apps else []
    return group_scope(kind, view(groups, **looked), tally)


def own(one: Device, group: Group | None = None) -> Scope:
    """The scope that a device is by itself."""
    found = device_scope(one, view([] if group is None else [group]))
    assert found is not None
    return found


def stops(found: tuple[Objection, ...]) -> list[str]:
    return [one.what.en for one in found if one.blocks]


def warns(found: tuple[Objection, ...]) -> list[str]:
    return [one.what.en for one in found if not one.blocks]


def test_it_goes_by_the_name_that_its_devices_and_scopes_have() -> None:
    assert SYSTEM.name == scope().system == "nanomdm"
    assert {row.system for row in SYSTEM.capabilities} == {"nanomdm"}
    assert own(device(apps=app_list(SeenApp(APP)))).id.partition(":")[0] == SYSTEM.name


# In place ---------------------------------------------------------------------------------------------------------


def test_a_group_has_in_place_what_its_edition_blocks() -> None:
    assert SYSTEM.in_place(scope(OLD, APP), RESTRICT, Side.whole) == {APP}
    assert SYSTEM.in_place(scope(NEW, APP, OTHER), DECLARE, Side.whole) == {APP, OTHER}
    assert SYSTEM.in_place(scope(OLD), RESTRICT, Side.whole) == set()


def test_what_is_merely_offered_is_not_in_place() -> None:
    group = Group(OLD, edition(1, APP), offered=edition(2, APP, OTHER, uuid="U2"))
    assert SYSTEM.in_place(group_scope(OLD, view([group])), RESTRICT, Side.whole) == {APP}


def test_the_organisations_own_profile_counts(tmp_path: Path) -> None:
    base_profile(tmp_path, blocked=[OTHER, "org.private"], blacklistedAppBundleIDs=[APP])
    bases, _ = read_bases(config(profiles=tmp_path))
    assert SYSTEM.in_place(scope(bases=bases), RESTRICT, Side.whole) == {OTHER, APP}


@pytest.mark.parametrize(
    ("kind", "method", "side"),
    [
        (OLD, DECLARE, Side.whole),
        (NEW, RESTRICT, Side.whole),
        (OLD, REMOVE, Side.whole),
        (OLD, RESTRICT, Side.personal),
        (OLD, RESTRICT, Side.work),
        (OLD, "Other", Side.whole),
    ],
)
def test_a_method_that_does_not_reach_a_scope_has_nothing_in_place_there(kind: str, method: str, side: Side) -> None:
    assert SYSTEM.in_place(scope(kind, APP), method, side) == set()
    assert stops(SYSTEM.objections(scope(kind, APP), method, side, (APP,)))


def removal(stage: Stage, **fields: Any) -> Removal:
    return Removal(**{"app": APP, "key": "order", "stage": stage, "since": hours(3), **fields})


def test_a_removal_is_in_place_as_long_as_it_holds_by_whichever_method_it_began() -> None:
    under_way = own(device(apps=app_list(SeenApp(APP), SeenApp(OTHER)), removals=(removal(Stage.removing),)))
    assert SYSTEM.in_place(under_way, REMOVE, Side.whole) == {APP}
    assert SYSTEM.in_place(under_way, CONVERT, Side.whole) == {APP}
    assert SYSTEM.in_place(under_way, RESTRICT, Side.whole) == set()
    back = own(device(apps=app_list(SeenApp(APP)), removals=(removal(Stage.removed),)))
    assert SYSTEM.in_place(back, REMOVE, Side.whole) == set()
    converting = own(
        device(apps=app_list(SeenApp(APP)), removals=(removal(Stage.refused, method=CONVERT, not_before=hours(-1)),))
    )
    assert SYSTEM.in_place(converting, CONVERT, Side.whole) == {APP}


def test_settings_of_somebody_else_are_refused() -> None:
    for text in ("", "[]", "{", "7"):
        with pytest.raises(InvalidDocument, match="settings of this scope"):
            SYSTEM.in_place(replace(scope(), settings=text), RESTRICT, Side.whole)


def test_settings_stay_small() -> None:
    """They go into every snapshot: a device with an app to remove costs a few hundred bytes."""
    crowded = device(apps=app_list(SeenApp(APP), SeenApp(OTHER)), removals=(removal(Stage.removing),))
    assert len(own(crowded).settings) < 500
    assert json.loads(own(crowded).settings)["apps"].keys() == {APP, OTHER}


# Objections: groups -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "method"), [(OLD, RESTRICT), (NEW, DECLARE)])
@pytest.mark.parametrize("app", ["com.apple.mobilephone", "com.apple.Preferences", "com.apple.preferences"])
def test_phone_and_settings_cannot_be_hidden(kind: str, method: str, app: str) -> None:
    (what,) = stops(SYSTEM.objections(scope(kind), method, Side.whole, (app, APP)))
    assert app in what


def test_an_ordinary_app_meets_no_objection() -> None:
    assert SYSTEM.objections(scope(), RESTRICT, Side.whole, (APP, OTHER)) == ()
    assert SYSTEM.objections(scope(NEW), DECLARE, Side.whole, (APP, OTHER)) == ()


def test_web_clips_and_app_clips_are_pointed_out() -> None:
    found = SYSTEM.objections(scope(), RESTRICT, Side.whole, ("com.apple.webapp", f"{APP}.Clip"))
    assert stops(found) == []
    assert len(warns(found)) == 2


def test_an_identifier_that_devices_spell_otherwise_is_pointed_out() -> None:
    seen = scope(tally=Tally(2, 0, {"com.Tencent.xin"}))
    (what,) = warns(SYSTEM.objections(seen, RESTRICT, Side.whole, (APP, OTHER)))
    assert "com.Tencent.xin" in what
    both = scope(tally=Tally(2, 0, {"com.Tencent.xin", APP}))
    assert SYSTEM.objections(both, RESTRICT, Side.whole, (APP,)) == ()


def test_what_the_base_spells_otherwise_or_allows_is_pointed_out(tmp_path: Path) -> None:
    base_profile(tmp_path, blocked=["com.Tencent.xin"])
    bases, _ = read_bases(config(profiles=tmp_path))
    (what,) = warns(SYSTEM.objections(scope(bases=bases), RESTRICT, Side.whole, (APP,)))
    assert "com.Tencent.xin" in what
    assert "all.mobileconfig" in what
    base_profile(tmp_path, allowListedAppBundleIDs=[APP])
    bases, _ = read_bases(config(profiles=tmp_path))
    (what,) = stops(SYSTEM.objections(scope(bases=bases), RESTRICT, Side.whole, (APP,)))
    assert APP in what


def test_a_restrictions_payload_of_somebody_else_is_pointed_out_where_profiles_carry_the_ban() -> None:
    (what,) = warns(SYSTEM.objections(scope(tally=Tally(9, 3)), RESTRICT, Side.whole, (APP,)))
    assert "3" in what
    assert SYSTEM.objections(scope(NEW, tally=Tally(9, 3)), DECLARE, Side.whole, (APP,)) == ()


# Objections: devices ----------------------------------------------------------------------------------------------


def test_the_removal_waits_for_a_block_that_is_ordered_and_not_there() -> None:
    ordered = Group(OLD, edition(1, APP))
    holder = device(apps=app_list(SeenApp(APP, held=Held.managed)))
    (what,) = stops(SYSTEM.objections(own(holder, ordered), REMOVE, Side.whole, (APP,)))
    assert "block" in what
    there = replace(holder, profiles=profiles(PROFILE))
    assert SYSTEM.objections(own(there, ordered), REMOVE, Side.whole, (APP,)) == ()
    assert SYSTEM.objections(own(holder), REMOVE, Side.whole, (APP,)) == (), "no block is asked for"


def test_the_removal_waits_for_a_block_that_is_on_its_way() -> None:
    offered = Group(OLD, edition(1), offered=edition(2, APP))
    assert stops(SYSTEM.objections(own(device(apps=app_list(SeenApp(APP))), offered), REMOVE, Side.whole, (APP,)))


def test_an_app_that_a_declaration_installs_has_to_lose_it_first() -> None:
    scope_ = own(device(apps=app_list(SeenApp(APP, declared=True))))
    (objection,) = SYSTEM.objections(scope_, REMOVE, Side.whole, (APP,))
    assert objection.blocks
    assert "com.apple.configuration.app.managed" in objection.remedy.en


def test_an_app_that_is_not_listed_is_left_alone() -> None:
    scope_ = own(device(apps=app_list(SeenApp(APP, held=Held.managed))))
    for method in (REMOVE, CONVERT):
        assert stops(SYSTEM.objections(scope_, method, Side.whole, (OTHER,)))
        assert not stops(SYSTEM.objections(scope_, method, Side.whole, (APP, OTHER))), "the other one is there"
    gone = own(device(apps=app_list(), removals=(removal(Stage.removed),)))
    assert stops(SYSTEM.objections(gone, CONVERT, Side.whole, (APP,)))


def test_only_a_fresh_list_allows_a_conversion() -> None:
    old = own(device(apps=app_list(SeenApp(APP, held=Held.managed), asked=hours(25))))
    assert stops(SYSTEM.objections(old, CONVERT, Side.whole, (APP,)))
    assert SYSTEM.objections(old, REMOVE, Side.whole, (APP,)) == ()
    assert SYSTEM.objections(own(device(apps=app_list(SeenApp(APP)))), CONVERT, Side.whole, (APP,)) == ()


@pytest.mark.parametrize(
    ("os", "supervised", "refused"),
    [("17.4", True, True), ("26.0", True, False), ("26.0", False, True), ("", True, True)],
)
def test_an_app_that_nobody_manages_is_not_removed_where_the_device_would_refuse(
    os: str, supervised: bool, refused: bool
) -> None:
    """mdm.md 1.1: unmanaged apps from 26 on under supervision; elsewhere it is taken under management first."""
    scope_ = own(device(os=os, supervised=supervised, apps=app_list(SeenApp(APP))))
    assert bool(stops(SYSTEM.objections(scope_, REMOVE, Side.whole, (APP,)))) is refused
    assert not stops(SYSTEM.objections(scope_, CONVERT, Side.whole, (APP,)))


@pytest.mark.parametrize("text", ["{}", group_scope(OLD, view()).settings])
def test_nothing_is_removed_where_nothing_is_known_of_the_device(text: str) -> None:
    """The planner falls back on an empty scope, or on the group's, where a device has none of its own."""
    unknown = Scope("nanomdm", "nanomdm:d1", 0, 1, text)
    assert SYSTEM.in_place(unknown, REMOVE, Side.whole) == set()
    for method in (REMOVE, CONVERT):
        assert stops(SYSTEM.objections(unknown, method, Side.whole, (APP,)))
