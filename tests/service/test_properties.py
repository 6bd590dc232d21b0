"""What must hold for every fleet: random departments over the real connector and the simulated service, end to end.

Each example is a fleet of its own (people, policies, behaviours, foreign entries, exemptions), planned, applied,
watched until it settles, and lifted again.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.service.conftest import DIRECTIVE, START, World, exemption, open_world

from proscribe.enforce.model import Outcome
from proscribe.plan.model import RefusalReason
from proscribe.service import enforcing, exempting
from proscribe.simulate.amapi import BannedApp, Behaviour, FleetSpec
from proscribe.terms import Enrolment

WECHAT, KASPERSKY = "com.tencent.mm", "com.kms.free"
SHARED = "au-pspf-002-2025-kaspersky"
CLASSES = ("fully_managed", "cope", "byod")
PROVED = (Outcome.absent_verified, Outcome.removed_verified)

FEW = settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # an example takes seconds: shrinking one would take many minutes
    derandomize=True,  # the same fleets on every machine; a longer search is a matter of --hypothesis-seed and patience
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Drawn:
    """A fleet as drawn, with what others had put into its policies and whom somebody exempts."""

    spec: FleetSpec
    exempt: tuple[int, ...]  # numbers of devices
    foreign: tuple[tuple[str, str, str], ...]  # policy id, package, install type (work side)


DEPARTMENTS = ("Charts", "Lamps", "Tides")
SHARES = st.sampled_from((0.0, 0.1, 0.4, 0.9))
TYPES = st.sampled_from(("BLOCKED", "AVAILABLE", "PREINSTALLED", "FORCE_INSTALLED"))
POLICY_IDS = tuple(f"{name.lower()}-{kind}" for name in DEPARTMENTS for kind in CLASSES)


@st.composite
def fleets(draw: st.DrawFn) -> Drawn:
    size = draw(st.integers(1, 18))
    foreign = draw(
        st.dictionaries(
            st.tuples(st.sampled_from(POLICY_IDS), st.sampled_from((WECHAT, KASPERSKY, "org.example.chess"))),
            TYPES,
            max_size=5,
        )
    )
    cope = draw(st.sampled_from((0.0, 0.3, 1.0)))
    spec = FleetSpec(
        devices=size,
        seed=draw(st.integers(0, 10_000)),
        start=START,
        departments=DEPARTMENTS,
        banned=(BannedApp(WECHAT, "WeChat", share=draw(SHARES)), BannedApp(KASPERSKY, "Kaspersky", share=draw(SHARES))),
        cope_share=cope,
        byod_share=min(1.0 - cope, draw(st.sampled_from((0.0, 0.3)))),
        behaviours=tuple((kind, draw(st.sampled_from((0.0, 0.15)))) for kind in Behaviour if kind != "normal"),
        guaranteed=(),
        apps_per_device=4,
    )
    exempt = draw(st.sets(st.integers(0, size - 1), max_size=2))
    listed = tuple((policy, package, kind) for (policy, package), kind in sorted(foreign.items()))
    return Drawn(spec, tuple(sorted(exempt)), listed)


def _put_in_place(world: World, drawn: Drawn) -> None:
    fleet = world.simulator.fleet
    for policy, package, kind in drawn.foreign:
        change = {"application": {"packageName": package, "installType": kind}, "updateMask": "installType"}
        fleet.modify(f"{drawn.spec.enterprise}/policies/{policy}", [change], START, foreign=True)
    names = sorted(fleet.devices)
    if drawn.exempt:
        exempting.add(world.open(), exemption("e1", *(f"amapi:{names[number]}" for number in drawn.exempt)))


def _policies(world: World) -> dict[str, Any]:
    """Every policy but for its version, entries in an order of their own."""
    found = {}
    for policy in world.simulator.fleet.policies():
        body = {key: value for key, value in copy.deepcopy(policy).items() if key != "version"}
        for part in (body, body.get("personalUsagePolicies", {})):
            for entries in (part.get("applications"), part.get("personalApplications")):
                if entries:
                    entries.sort(key=lambda entry: json.dumps(entry, sort_keys=True))
        found[policy["name"]] = body
    return found


def _apps(world: World) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    devices = world.simulator.fleet.devices
    return {name: (frozenset(one.apps), frozenset(one.personal)) for name, one in devices.items()}


def _ours(world: World) -> int:
    return sum(not change.foreign for change in world.simulator.journal.mutations)


@pytest.mark.slow
@FEW
@given(drawn=fleets())
def test_the_whole_line_keeps_its_promises_for_any_fleet(drawn: Drawn) -> None:
    with TemporaryDirectory() as home, open_world(drawn.spec, Path(home)) as world:
        _put_in_place(world, drawn)
        before, held = _policies(world), _apps(world)
        names = sorted(world.simulator.fleet.devices)
        exempt = {names[number] for number in drawn.exempt}
        plan = world.plan()
        counts = plan.counts
        assert counts.in_scope == (
            counts.to_remove + counts.block_only + counts.nothing_to_do + counts.exempt + counts.cannot
        )
        world.apply(plan)
        summary = world.settle()
        _check_outcomes(world, summary.statuses[0].outcomes)
        _check_exempt(world, exempt, before, held)
        assert world.plan().steps == (), "planning what was applied asks for more"
        sent = _ours(world)
        world.tick(hours=1)
        world.tick()
        assert _ours(world) == sent, "a settled fleet is left alone"
        enforcing.lift(world.open(), DIRECTIVE, "revoked")
        world.tick(hours=1)
        assert _policies(world) == before, "lifting restores exactly what others had set"
        world.tick(hours=1)


def _check_outcomes(world: World, counts: dict[Outcome, int]) -> None:
    rows = list(world.open().stores.outcomes.latest(DIRECTIVE))
    devices = {f"amapi:{name}": one for name, one in world.simulator.fleet.devices.items()}
    assert {row.device for row in rows} == {key for key, one in devices.items() if one.enrolment is not Enrolment.byod}
    assert Counter(row.outcome for row in rows) == counts
    for row in rows:
        device = devices[row.device]
        if device.enrolment is not Enrolment.fully_managed:
            assert row.outcome not in PROVED, row
        if row.outcome in PROVED and device.behaviour is not Behaviour.reinstaller:
            # What the device said last was true when it said so; only a user can have changed that since.
            assert not {WECHAT, KASPERSKY} & set(device.apps), row


def _check_exempt(world: World, exempt: set[str], before: dict[str, Any], held: dict[str, Any]) -> None:
    if not exempt:
        return
    in_scope = {name for name in exempt if world.simulator.fleet.devices[name].enrolment is not Enrolment.byod}
    after, now = _policies(world), _apps(world)
    for name in in_scope:
        policy = world.simulator.fleet.devices[name].policy
        assert after[policy] == before[policy], f"the policy of exempt {name} was touched"
        blocked = {
            entry["packageName"]
            for entry in before[policy].get("applications", ())
            if entry.get("installType") == "BLOCKED"
        }
        assert held[name][0] - blocked <= now[name][0], f"exempt {name} lost an app"
    outcomes = {row.device: row.outcome for row in world.open().stores.outcomes.latest(DIRECTIVE)}
    assert {outcomes[f"amapi:{name}"] for name in in_scope} <= {Outcome.exempt}
    plan = world.plan()
    named = {device for one in plan.refusals if one.reason is RefusalReason.exempt for device in one.devices}
    assert named == {f"amapi:{name}" for name in in_scope}


STORM = (
    ("throttle", {}),
    ("fail_before", {}),
    ("fail_after", {}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("garbage", {}),
)


@pytest.mark.slow
@settings(FEW, max_examples=5)
@given(drawn=fleets(), lifted_first=st.sampled_from((DIRECTIVE, SHARED)))
def test_two_directives_on_the_same_policies_are_lifted_apart(drawn: Drawn, lifted_first: str) -> None:
    with TemporaryDirectory() as home, open_world(drawn.spec, Path(home)) as world:
        _put_in_place(world, drawn)
        before = _policies(world)
        world.apply()
        world.settle(days=1)
        world.apply(world.plan(SHARED))
        world.settle(days=1)
        both = _policies(world)
        for directive in (lifted_first, SHARED if lifted_first == DIRECTIVE else DIRECTIVE):
            assert not world.tick(hours=1).errors
            enforcing.lift(world.open(), directive, "revoked")
            world.tick(hours=1)
            if directive == lifted_first == SHARED:
                # Lifting the second one first takes back at most what it names itself.
                theirs = {target.value for target in world.targets(SHARED).targets}
                after = _policies(world)
                assert {name: _without(after[name], theirs) for name in after} == {
                    name: _without(both[name], theirs) for name in both
                }
        assert _policies(world) == before


def _without(policy: dict[str, Any], packages: set[str]) -> list[dict[str, Any]]:
    listed = policy.get("applications", []) + policy.get("personalUsagePolicies", {}).get("personalApplications", [])
    return [entry for entry in listed if entry["packageName"] not in packages]


@pytest.mark.slow
@settings(FEW, max_examples=5)
@given(drawn=fleets(), storm=st.lists(st.sampled_from(STORM), max_size=6))
def test_whatever_goes_wrong_on_the_wire_each_change_arrives_once(drawn: Drawn, storm: list[Any]) -> None:
    with TemporaryDirectory() as home, open_world(drawn.spec, Path(home)) as world:
        _put_in_place(world, drawn)
        before = _policies(world)
        plan = world.plan()
        for kind, details in storm:
            world.simulator.faults.next("write", kind, **details)
        world.apply(plan)
        world.settle()
        changed: Counter[tuple[str, str, str]] = Counter()
        for change in world.simulator.journal.mutations:
            if not change.foreign:
                changed.update((change.policy, side, package) for side, package, _, _ in change.changes)
        wanted = {(step.scope, app) for step in plan.steps for app in step.app_ids}
        assert {(policy, package) for policy, _, package in changed} == wanted
        assert set(changed.values()) <= {1}
        assert world.plan().steps == ()
        enforcing.lift(world.open(), DIRECTIVE, "revoked")
        world.tick(hours=1)
        assert _policies(world) == before
