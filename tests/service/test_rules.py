"""The rules of the house over the simulated fleet: what a plan remembers, whom it spares, what a tick may send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.service.conftest import DIRECTIVE, START, World, exemption

from proscribe.connectors.base import Batch, Connector, UnknownFate
from proscribe.directive.library import find, target_set
from proscribe.documents import digest, to_bytes
from proscribe.enforce.model import Outcome
from proscribe.evaluate.errors import NotWatched
from proscribe.plan.model import Hold, Plan, RefusalReason, Verb
from proscribe.service import enforcing, exempting, holding, inventory
from proscribe.simulate.amapi import BannedApp, Behaviour, FleetSpec
from proscribe.terms import Enrolment, Side
from proscribe.text import Text

ADVICE = "no-jd-2023-tiktok-telegram"
TIKTOK = FleetSpec(
    devices=30,
    start=START,
    departments=("Charts", "Lamps"),
    banned=(BannedApp("com.zhiliaoapp.musically", "TikTok", share=0.3),),
)


@pytest.mark.parametrize("world", [TIKTOK], indirect=True)
def test_a_recommendation_is_followed_only_by_a_plan_that_says_so(world: World) -> None:
    refused = world.plan(ADVICE)
    assert RefusalReason.not_in_force in {one.reason for one in refused.refusals if one.blocks}
    with pytest.raises(enforcing.PlanBlocked):
        world.apply(refused)
    followed = world.plan(ADVICE, follow_recommended=True)
    assert followed.follow_recommended
    assert followed.basis != refused.basis
    world.apply(followed, standing=True)
    world.settle(days=1)
    stored = world.open().stores.documents.latest(Plan, subject=ADVICE)
    assert stored is not None
    assert stored.follow_recommended
    assert world.simulator.journal.mutations


def test_a_target_set_of_ones_own_is_looked_for_once_it_was_planned(world: World) -> None:
    """A proposal alone must not change what the loop looks for under what is in force, nor stop it."""
    world.apply(standing=True)
    world.settle(days=1)
    narrow = world.targets(only=frozenset({"com.tencent.mm"}))
    with pytest.raises(NotWatched) as error:
        world.plan(targets=narrow)
    assert "observe" in error.value.remedy.en
    summary = world.tick(hours=1)
    assert summary.statuses[0].fleet > 0
    assert not summary.errors
    assert world.plan(targets=narrow).targets_digest == digest(narrow)


def _own_directive(folder: Path, **changes: Any) -> Path:
    own = replace(find(DIRECTIVE), id="dnl-2026-07", **changes)
    path = folder / f"own-{own.version}.json"
    path.write_bytes(to_bytes(own))
    return path


def _plan_own(world: World, path: Path) -> Plan:
    directive = find(str(path))
    targets = replace(
        target_set(directive, now=world.clock.now()), reviewed_by="officer", reviewed_on=world.clock.now().date()
    )
    try:
        return world.plan(str(path), targets=targets)
    except NotWatched:
        return world.plan(str(path), targets=targets)


def test_a_directive_of_ones_own_goes_the_whole_way(world: World, tmp_path: Path) -> None:
    path = _own_directive(tmp_path)
    plan = _plan_own(world, path)
    path.unlink()  # what was planned is known by its id
    device = next(device for step in plan.steps for device in step.holders)
    exempting.add(world.open(), exemption("e1", device, directive="dnl-2026-07"))
    with pytest.raises(enforcing.StalePlan):
        world.apply(plan)
    again = world.plan("dnl-2026-07", targets=None)
    assert RefusalReason.exempt in {one.reason for one in again.refusals}
    world.apply(again)
    assert world.settle(days=1).statuses[0].directive == "dnl-2026-07"


def test_a_records_hold_placed_after_the_plan_keeps_the_removal_back(world: World) -> None:
    """The hold is on a device of a shared policy that removes: the plan changed, and so is refused; a wave under way
    sends nothing more to that policy, and goes on when the hold is released."""
    plan = world.plan()
    held = next(device for step in plan.steps for device in step.holders)
    placed = Hold("case-12", (held,), "access request", "records officer", world.clock.now().date())
    assert holding.place(world.open(), placed)
    with pytest.raises(enforcing.StalePlan):
        world.apply(plan)
    again = world.plan()
    assert RefusalReason.records_hold in {one.reason for one in again.refusals}
    reached = {step.scope for step in again.steps if Verb.remove in step.verbs}
    assert reached < {step.scope for step in plan.steps}
    kept = {step.scope for step in again.steps} - reached
    assert {step.verbs for step in again.steps if step.scope in kept} == {(Verb.block_launch,)}
    world.apply(again)
    actions = world.open().stores.actions.find()
    assert {action.scope for action in actions} == reached | kept
    assert {action.method for action in actions if action.scope in kept} == {"disable_policy_applications"}
    assert holding.release(world.open(), "case-12", disposal_authority="2016/001")
    assert {step.scope for step in world.plan().steps} == {step.scope for step in plan.steps} - reached


def test_a_plan_of_a_directive_that_was_replaced_is_refused(world: World, tmp_path: Path) -> None:
    plan = _plan_own(world, _own_directive(tmp_path))
    _plan_own(world, _own_directive(tmp_path, version=2))
    with pytest.raises(enforcing.StalePlan, match="version 1, now 2"):
        world.apply(plan)
    assert not world.simulator.journal.mutations


SHARED = "au-pspf-002-2025-kaspersky"


def _policies(world: World) -> dict[str, Any]:
    """Every policy but for its version, the entries in an order of their own."""
    found = {}
    for policy in world.simulator.fleet.policies():
        body = {key: value for key, value in policy.items() if key != "version"}
        body["applications"] = sorted(body.get("applications", []), key=lambda entry: entry["packageName"])
        found[policy["name"]] = body
    return found


def _blocked(world: World) -> set[str]:
    return {
        entry["packageName"]
        for policy in _policies(world).values()
        for entry in policy["applications"]
        if entry.get("installType") == "BLOCKED"
    }


@pytest.mark.parametrize("first_lifted", [DIRECTIVE, SHARED])
def test_two_directives_on_one_policy_each_lifted_in_turn(world: World, first_lifted: str) -> None:
    before = _policies(world)
    world.apply()
    world.settle(days=1)
    world.apply(world.plan(SHARED))
    world.settle(days=1)
    assert {"com.tencent.mm", "com.kms.free"} <= _blocked(world)
    enforcing.lift(world.open(), first_lifted, "revoked")
    world.tick(hours=1)
    world.tick(hours=1)
    assert "com.kms.free" in _blocked(world)  # the other directive still bans it
    assert ("com.tencent.mm" in _blocked(world)) == (first_lifted == SHARED)
    other = SHARED if first_lifted == DIRECTIVE else DIRECTIVE
    assert not world.tick(hours=1).counts.get("drifted")
    enforcing.lift(world.open(), other, "revoked")
    world.tick(hours=1)
    assert _policies(world) == before


class Unreachable:
    """A second system, of which no answer ever comes. It has devices, known from an export."""

    name = "intune"
    capabilities = ()

    def observe(self, cursor: str = "") -> Iterator[Batch]:
        raise UnknownFate(Text("no answer", "aucune réponse"), remedy=Text("Wait.", "Attendez."))


def test_a_system_that_does_not_answer_does_not_stop_the_others(world: World, tmp_path: Path) -> None:
    known = tmp_path / "known.csv"
    known.write_text(
        "device_id,system,platform,enrolment,app_id\nx1,intune,ios,supervised,com.apple.news\n", encoding="utf-8"
    )
    inventory.import_exports(world.open(), [known])
    world.apply()
    world.clock.advance(hours=12)
    installation = world.open("watch")
    both = {"intune": cast("Connector", Unreachable()), **installation.connectors}
    summary = enforcing.tick(replace(installation, connectors=both))
    assert any("connector.unknown-fate" in error.en for error in summary.errors)
    assert summary.statuses[0].compliant > 0  # judged by what the phones said after the order
    snapshot = inventory.current(world.open())
    assert {row.system for row in snapshot.manifest.coverage} == {"amapi", "intune"}  # kept as last known
    assert inventory.observed(snapshot) >= {"amapi"}
    assert "intune" not in inventory.observed(snapshot)
    with pytest.raises(UnknownFate):
        enforcing.tick(replace(installation, connectors={"intune": both["intune"]}))
    plan = world.plan(SHARED)
    with pytest.raises(UnknownFate):  # approval is for the fleet as it is, all of it
        enforcing.apply(replace(installation, connectors=both), plan, approved=True)


def test_what_was_carried_over_is_no_evidence_of_drift(world: World, tmp_path: Path) -> None:
    world.apply(world.plan(SHARED))
    world.clock.advance(hours=1)
    world.apply()  # the policies were read before they were changed
    world.clock.advance(hours=1)
    known = tmp_path / "known.csv"
    known.write_text(
        "device_id,system,platform,enrolment,app_id\nx1,jamf,ios,supervised,com.apple.news\n", encoding="utf-8"
    )
    inventory.import_exports(world.open(), [known])
    summary = enforcing.lift(world.open(), SHARED, "revoked")  # looks at the newest snapshot, and at no system
    assert summary.counts.get("lifted")
    assert not summary.counts.get("drifted")


def test_what_a_directive_no_longer_allows_is_not_sent_by_a_later_wave(world: World, tmp_path: Path) -> None:
    path = _own_directive(tmp_path, expires_on=START.date())
    try:
        _plan_own(world, path)
    finally:
        plan = world.plan(str(path), targets=None, rings=("canary=5%", "rest=unlimited"))
    world.apply(plan)
    sent = len(world.simulator.journal.mutations)
    assert sent
    summary = world.settle(days=2)
    assert len(world.simulator.journal.mutations) == sent
    assert any("expired" in text.en for text in summary.waits)


def test_a_later_wave_keeps_off_a_policy_that_now_imposes_the_app(world: World) -> None:
    plan = world.plan(rings=("canary=5%", "rest=unlimited"))
    world.apply(plan)
    late = next(step for step in plan.steps if step.wave > 1 and step.side is not Side.personal)
    change = {
        "application": {"packageName": late.app_ids[0], "installType": "FORCE_INSTALLED"},
        "updateMask": "installType",
    }
    world.simulator.fleet.modify(late.scope, [change], world.clock.now(), foreign=True)
    untouched = world.simulator.fleet.policy(late.scope)
    summary = world.settle(days=2)
    assert world.simulator.fleet.policy(late.scope)["applications"] == untouched["applications"]
    assert any("imposes" in text.en and late.scope in text.en for text in summary.waits)


def test_an_exemption_that_ends_is_enforced_at_the_next_tick_of_a_standing_order(world: World) -> None:
    name, device = next(
        (name, one)
        for name, one in world.simulator.fleet.devices.items()
        if "com.tencent.mm" in one.apps and one.behaviour is Behaviour.normal and one.personal == {}
    )
    exempting.add(world.open(), exemption("e1", f"amapi:{name}", days=3))
    world.apply(standing=True)
    world.settle(days=2)
    rows = {row.device: row.outcome for row in world.open().stores.outcomes.latest(DIRECTIVE)}
    assert rows[f"amapi:{name}"] is Outcome.exempt
    assert "com.tencent.mm" in device.apps
    world.clock.advance(days=2)  # the last day is over
    world.tick()
    world.tick(hours=4)
    assert "com.tencent.mm" not in device.apps
    world.tick(hours=1)
    rows = {row.device: row.outcome for row in world.open().stores.outcomes.latest(DIRECTIVE)}
    assert rows[f"amapi:{name}"] is Outcome.removed_verified


def test_without_a_standing_order_the_end_of_an_exemption_asks_for_approval(world: World) -> None:
    name = next(name for name, one in world.simulator.fleet.devices.items() if one.personal == {})
    exempting.add(world.open(), exemption("e1", f"amapi:{name}", days=3))
    world.apply()
    world.settle(days=2)
    sent = len(world.simulator.journal.mutations)
    exempting.end(world.open(), "e1")
    summary = world.tick(hours=1)
    assert any("approval" in text.en for text in summary.waits)
    assert len(world.simulator.journal.mutations) == sent


def test_a_wider_target_set_is_judged_anew_and_a_narrower_one_is_told_apart(world: World) -> None:
    narrow = world.targets(only=frozenset({"com.tencent.mm"}))
    with pytest.raises(NotWatched):
        world.plan(targets=narrow)
    world.apply(world.plan(targets=narrow))
    world.settle(days=2)
    holders = {
        f"amapi:{name}"
        for name, one in world.simulator.fleet.devices.items()
        if "com.kms.free" in one.apps and one.enrolment is Enrolment.fully_managed
    }
    assert holders
    world.apply(world.plan())  # the shipped set: Kaspersky too
    rows = {row.device: row for row in world.open().stores.outcomes.latest(DIRECTIVE)}
    for device in holders:  # yesterday's proof was of another ban
        assert not rows[device].outcome.compliant, rows[device]
    world.settle(days=2)
    rows = {row.device: row for row in world.open().stores.outcomes.latest(DIRECTIVE)}
    behaviours = {f"amapi:{name}": one.behaviour for name, one in world.simulator.fleet.devices.items()}
    for device in holders:
        if behaviours[device] is Behaviour.normal:
            assert rows[device].outcome is Outcome.removed_verified, rows[device]
