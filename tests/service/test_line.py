"""The whole line over the simulated fleet: plan, apply, verify, drift, lift, prove."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.service.conftest import DIRECTIVE, START, World

from proscribe.canonical import digest_bytes
from proscribe.connectors.base import Batch
from proscribe.directive.library import find
from proscribe.enforce.model import Outcome
from proscribe.errors import InvalidDocument
from proscribe.inventory.model import Problem
from proscribe.plan.model import Exemption, Plan, RefusalReason
from proscribe.prove import bundle
from proscribe.prove.verify import verify
from proscribe.service import enforcing, exempting, inventory, planning, proof, standing
from proscribe.simulate.amapi import Behaviour, FleetSpec
from proscribe.terms import Enrolment
from proscribe.text import Text

_PROVED = (Outcome.absent_verified, Outcome.removed_verified)


def _outcomes(world: World) -> dict[str, Outcome]:
    rows = world.open().stores.outcomes.latest(DIRECTIVE)
    return {row.device: row.outcome for row in rows}


def test_outcomes_add_up_to_the_fleet_and_say_no_more_than_was_seen(world: World) -> None:
    world.apply()
    summary = world.settle()
    report = summary.statuses[0]
    outcomes = _outcomes(world)
    enrolments = {f"amapi:{name}": one.enrolment for name, one in world.simulator.fleet.devices.items()}
    in_scope = {key for key, enrolment in enrolments.items() if enrolment is not Enrolment.byod}
    assert set(outcomes) == in_scope
    assert sum(report.outcomes.values()) == report.fleet == len(in_scope)
    assert sum(one.devices for one in report.departments) == report.fleet
    for device, outcome in outcomes.items():
        if enrolments[device] is Enrolment.cope:
            assert outcome not in _PROVED, device
    behaviours = {f"amapi:{name}": one.behaviour for name, one in world.simulator.fleet.devices.items()}
    for device in in_scope:
        if behaviours[device] is Behaviour.offline:
            assert outcomes[device] in (Outcome.pending_sync, Outcome.stale)
        elif behaviours[device] is Behaviour.normal and enrolments[device] is Enrolment.fully_managed:
            assert outcomes[device] in _PROVED


def test_the_truth_on_the_phones_agrees(world: World) -> None:
    world.apply()
    world.settle()
    banned = {target.value for target in world.open().stores.documents.latest(_target_set()).targets}  # type: ignore[union-attr]
    for device, outcome in _outcomes(world).items():
        there = set(world.simulator.fleet.devices[device.removeprefix("amapi:")].apps) & banned
        assert not (outcome in _PROVED and there), (device, there)
        if outcome is Outcome.failed:
            assert there


def _target_set() -> Any:
    from proscribe.catalogue.model import TargetSet

    return TargetSet


def test_planning_again_after_applying_asks_for_nothing(world: World) -> None:
    first = world.plan()
    assert first.steps
    world.apply(first)
    world.settle()
    assert world.plan().steps == ()


def test_applying_twice_changes_nothing(world: World) -> None:
    world.apply()
    world.settle()
    changes = len(world.simulator.journal.mutations)
    for _ in range(3):
        world.tick()
        world.tick()
    assert len(world.simulator.journal.mutations) == changes


def test_a_user_who_reinstalls_is_caught_and_the_policy_removes_it_again(world: World) -> None:
    world.apply()
    reinstalled = 0
    for _ in range(20):
        summary = world.tick(minutes=30)
        reinstalled += sum(one.reinstalled for one in summary.drift)
    assert reinstalled >= 1
    world.settle()
    again = [
        outcome
        for device, outcome in _outcomes(world).items()
        if world.simulator.fleet.devices[device.removeprefix("amapi:")].behaviour is Behaviour.reinstaller
        and world.simulator.fleet.devices[device.removeprefix("amapi:")].enrolment is Enrolment.fully_managed
    ]
    assert again
    assert set(again) <= set(_PROVED)


def test_a_stale_plan_is_refused_with_the_difference_and_nothing_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = world.plan()
    step = plan.steps[0]
    world.simulator.fleet.modify(
        step.scope,
        [
            {"application": {"packageName": app, "installType": "BLOCKED"}, "updateMask": "installType"}
            for app in step.app_ids
        ],
        world.clock.now(),
        foreign=True,
    )
    before = len(world.simulator.journal.mutations)
    with pytest.raises(enforcing.StalePlan) as error:
        world.apply(plan)
    assert step.scope in str(error.value)
    assert len(world.simulator.journal.mutations) == before
    many = tuple(Text(f"Number {n} changed.", f"Le numéro {n} a changé.") for n in range(7))
    monkeypatch.setattr(enforcing, "difference", lambda old, new: many)
    with pytest.raises(enforcing.StalePlan) as error:
        world.apply(plan)
    assert error.value.what.en.endswith("Number 3 changed. Number 4 changed. And 2 more changes.")
    assert error.value.what.fr.endswith("Le numéro 4 a changé. Et 2 autres changements.")


def test_a_plan_nobody_approved_is_refused(world: World) -> None:
    with pytest.raises(enforcing.NotApproved):
        enforcing.apply(world.open(), world.plan(), approved=False)
    assert not world.simulator.journal.mutations


def _unblocked(plan: Plan) -> Plan:
    return replace(plan, refusals=tuple(replace(one, blocks=False) for one in plan.refusals))


def _shortened(plan: Plan) -> Plan:
    return replace(plan, steps=plan.steps[:1])


def _harmless(plan: Plan) -> Plan:
    return replace(plan, counts=replace(plan.counts, to_remove=0))


@pytest.mark.parametrize(
    ("limit", "edit"),
    [("0", _unblocked), ("unlimited", _shortened), ("unlimited", _harmless)],
    ids=("block", "steps", "counts"),
)
def test_a_plan_edited_on_its_way_to_approval_is_refused(
    world: World, limit: str, edit: Callable[[Plan], Plan]
) -> None:
    plan = edit(world.plan(removal_limit=limit))
    assert not plan.blocked
    with pytest.raises(enforcing.AlteredPlan):
        world.apply(plan)
    assert not world.simulator.journal.mutations


def test_a_limit_of_zero_devices_refuses_everything(world: World) -> None:
    plan = world.plan(removal_limit="0")
    assert plan.blocked
    assert RefusalReason.limit_removals in {refusal.reason for refusal in plan.refusals}
    with pytest.raises(enforcing.PlanBlocked):
        world.apply(plan)
    assert not world.simulator.journal.mutations


def _exempt(world: World, device: str) -> None:
    grounds = find(DIRECTIVE).exceptions.grounds
    exempting.add(
        world.open(),
        Exemption(
            id="e1",
            directive=DIRECTIVE,
            devices=(device,),
            ground=grounds[0].en if grounds else "regulatory function",
            requested_by="branch-lead",
            approved_by="chief-security-officer",
            starts=date(2026, 11, 2),
            expires=date(2027, 3, 1),
        ),
    )


def test_an_exempt_device_in_a_shared_policy_keeps_its_policy_untouched(world: World) -> None:
    name, device = next(
        (name, one)
        for name, one in world.simulator.fleet.devices.items()
        if one.enrolment is Enrolment.fully_managed
        and one.behaviour is Behaviour.normal
        and "com.tencent.mm" in one.apps
    )
    _exempt(world, f"amapi:{name}")
    untouched = copy.deepcopy(world.simulator.fleet.policy(device.policy))
    plan = world.plan()
    assert RefusalReason.exempt_in_shared_scope in {refusal.reason for refusal in plan.refusals}
    assert device.policy not in {step.scope for step in plan.steps}
    world.apply(plan)
    world.settle()
    assert world.simulator.fleet.policy(device.policy) == untouched
    assert "com.tencent.mm" in device.apps
    assert _outcomes(world)[f"amapi:{name}"] is Outcome.exempt


def test_an_exemption_given_after_approval_bars_what_was_not_sent(world: World) -> None:
    plan = world.plan(rings=("canary=5%", "rest=unlimited"))
    world.apply(plan)
    late = next(step for step in plan.steps if step.wave > 1 and step.holders and step.side.value != "personal")
    _exempt(world, late.holders[0])
    untouched = copy.deepcopy(world.simulator.fleet.policy(late.scope))
    world.settle()
    assert world.simulator.fleet.policy(late.scope) == untouched


def test_freeze_stops_sending_and_thaw_resumes(world: World) -> None:
    plan = world.plan()
    enforcing.freeze(world.open(), "exercise")
    summary = world.apply(plan)
    assert summary.frozen
    assert not world.simulator.journal.mutations
    enforcing.thaw(world.open(), "exercise over")
    world.tick()
    assert world.simulator.journal.mutations


def test_lifting_restores_exactly_what_others_had_set(world: World) -> None:
    def settings() -> dict[str, Any]:
        found = {}
        for policy in world.simulator.fleet.policies():
            body = {key: value for key, value in policy.items() if key != "version"}
            body["applications"] = sorted(body["applications"], key=lambda entry: entry["packageName"])
            found[policy["name"]] = body
        return found

    before = copy.deepcopy(settings())
    world.apply()
    world.settle(days=1)
    assert settings() != before
    enforcing.lift(world.open(), DIRECTIVE, "decision revoked")
    world.tick(hours=1)
    assert settings() == before
    report = standing.status(world.open(), DIRECTIVE)
    assert report.lifted


def test_policy_drift_is_put_back_once(world: World) -> None:
    plan = world.plan()
    world.apply(plan)
    world.settle(days=1)
    step = next(one for one in plan.steps if one.side.value != "personal")
    world.simulator.fleet.remove(step.scope, list(step.app_ids), world.clock.now(), foreign=True)
    world.tick(minutes=10)
    world.tick(minutes=10)
    entries = {
        one["packageName"]: one["installType"] for one in world.simulator.fleet.policy(step.scope)["applications"]
    }
    assert all(entries.get(app) == "BLOCKED" for app in step.app_ids)


def test_the_bundle_verifies_offline_and_names_no_device(world: World, tmp_path: Path) -> None:
    world.apply()
    world.settle()
    out = tmp_path / "proof.zip"
    manifest = proof.export_proof(world.home, DIRECTIVE, out)
    result = verify(out)
    assert result.ok, [str(one.what) for one in result.failures]
    assert sum(manifest.outcomes.values()) == manifest.fleet
    raw = out.read_bytes()
    assert b"devices/2dc6" not in raw
    data = bundle.report_data(proof.inputs(world.open(), DIRECTIVE))
    assert data.history


def test_a_standing_order_covers_a_policy_that_comes_later(world: World) -> None:
    world.apply(standing=True)
    world.settle(days=1)
    fleet = world.simulator.fleet
    device = next(one for one in fleet.devices.values() if one.enrolment is Enrolment.fully_managed)
    body = json.loads(json.dumps(fleet.policy(device.policy)))
    fresh = f"{device.policy}-new"
    body["name"] = fresh
    body["applications"] = [entry for entry in body["applications"] if entry["packageName"].startswith("org.")]
    fleet._policies[fresh] = {**body, "version": "1"}
    device.policy = fresh
    world.settle(days=1)
    entries = {one["packageName"]: one["installType"] for one in fleet.policy(fresh)["applications"]}
    assert entries["com.tencent.mm"] == "BLOCKED"


def test_without_a_standing_order_a_person_is_asked(world: World) -> None:
    world.apply()
    world.settle(days=1)
    fleet = world.simulator.fleet
    device = next(one for one in fleet.devices.values() if one.enrolment is Enrolment.fully_managed)
    body = json.loads(json.dumps(fleet.policy(device.policy)))
    fresh = f"{device.policy}-new"
    body["applications"] = [entry for entry in body["applications"] if entry["packageName"].startswith("org.")]
    fleet._policies[fresh] = {**body, "name": fresh, "version": "1"}
    device.policy = fresh
    before = copy.deepcopy(fleet.policy(fresh))
    summary = world.settle(days=1)
    assert fleet.policy(fresh) == before
    assert any("approval" in text.en for text in summary.waits)


def test_status_of_a_directive_nobody_approved_names_the_next_step(world: World) -> None:
    with pytest.raises(standing.NotEnforced) as error:
        standing.status(world.open(), DIRECTIVE)
    assert "proscribe plan" in error.value.remedy.en


@pytest.mark.parametrize("world", [FleetSpec(devices=12, start=START, byod_share=1.0, cope_share=0.0)], indirect=True)
def test_a_fleet_of_personal_phones_is_never_clean(world: World) -> None:
    plan = world.plan()
    assert plan.steps == ()
    assert planning.Choices().targets is None
    assert isinstance(plan.counts.in_scope, int)
    assert all(isinstance(refusal.what, Text) for refusal in plan.refusals)


def test_a_home_that_was_copied_reads_its_own_snapshots(world: World, tmp_path: Path) -> None:
    world.apply()
    copy_of = tmp_path / "restored"
    shutil.copytree(world.home, copy_of)
    moved = World(copy_of, world.simulator, world.clock)
    digest = inventory.current(world.open()).digest
    shutil.rmtree(world.home / "snapshots")
    assert inventory.current(moved.open()).digest == digest


def test_lost_snapshots_are_said_and_do_not_stop_the_next_one(world: World) -> None:
    world.apply()
    shutil.rmtree(world.home / "snapshots")
    snapshot = inventory.observe(world.open())
    assert snapshot.manifest.devices == len(world.simulator.fleet.devices)
    assert "is lost" in str(snapshot.manifest.problems[0].what)
    assert world.tick(hours=12).statuses[0].compliant > 0


def test_a_setting_that_does_not_exist_is_named_with_the_page_to_read(world: World) -> None:
    (world.home / "proscribe.toml").write_text("removal_limt = 5\n", encoding="utf-8")
    with pytest.raises(InvalidDocument) as error:
        world.open()
    assert error.value.where.field == "removal_limt"
    assert "there is no such field" in str(error.value)
    assert "settings.md" in error.value.remedy.en


def test_a_remark_about_a_whole_source_is_not_counted_as_a_row_that_could_not_be_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Text("three devices were never seen", "trois appareils n'ont jamais été vus")
    problems = (Problem("phones.csv", 0, "", said, said), Problem("phones.csv", 7, "", said, said))
    page = Batch((), (), (), cursor="", raw=digest_bytes(b""), raw_bytes=0, problems=problems)
    installation = world.open()
    connector = installation.connectors["amapi"]
    monkeypatch.setattr(type(connector), "observe", lambda self, cursor="": iter([page]))
    manifest = inventory.observe(installation).manifest
    assert manifest.problems_total == 2
    assert [source.bad_rows for source in manifest.sources if source.name == "amapi"] == [1]
