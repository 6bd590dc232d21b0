"""The connector in the line: observe, evaluate, plan, send, let time pass, plan again."""

from __future__ import annotations

from pathlib import Path

from proscribe.clock import ManualClock
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.base import Order
from proscribe.directive.library import find, target_set
from proscribe.directive.model import Directive
from proscribe.evaluate.engine import evaluate
from proscribe.inventory.builder import SnapshotBuilder
from proscribe.inventory.model import Retention, Snapshot
from proscribe.plan.inputs import PlanInputs
from proscribe.plan.model import Effect, Plan, Policy, Ring, Unlimited
from proscribe.plan.planner import make_plan
from proscribe.simulate.amapi import AmapiSimulator, Behaviour, FleetSpec, make_fleet
from proscribe.terms import Side


def observed(connector: AmapiConnector, folder: Path, directive: Directive, clock: ManualClock) -> Snapshot:
    targets = target_set(directive, now=clock.now())
    builder = SnapshotBuilder(folder, target_sets=[targets], retention=Retention.matches, clock=clock)
    for batch in connector.observe():
        for device in batch.devices:
            builder.add_device(device)
        for install in batch.installs:
            builder.add_install(install)
        for scope in batch.scopes:
            builder.add_scope(scope)
        assert batch.problems == ()
    return builder.finish()


def planned(connector: AmapiConnector, snapshot: Snapshot, directive: Directive, clock: ManualClock) -> Plan:
    targets = target_set(directive, now=clock.now())
    result = evaluate(snapshot, [(directive, targets)], now=clock.now())
    return make_plan(
        PlanInputs(
            directive=directive,
            targets=targets,
            snapshot=snapshot,
            findings=tuple(result.findings(directive.id)),
            statuses=tuple(result.statuses(directive.id)),
            systems={"amapi": connector},
            policy=Policy(Unlimited(), Unlimited(), (Ring("all", Unlimited()),)),
            now=clock.now(),
        )
    )


def test_a_plan_once_sent_plans_nothing_more(tmp_path: Path) -> None:
    spec = FleetSpec(devices=120, seed=5)
    clock = ManualClock(spec.start)
    directive = find("ca-tbs-2023-wechat-kaspersky")
    with AmapiSimulator(make_fleet(spec), clock) as simulator:
        connector = AmapiConnector(AmapiConfig(spec.enterprise, endpoint=simulator.endpoint), clock=clock)
        plan = planned(connector, observed(connector, tmp_path / "before", directive, clock), directive, clock)
        assert plan.counts.to_remove > 0
        assert {step.effect for step in plan.steps if step.side is Side.personal} == {Effect.blind}
        for step in plan.steps:
            order = Order(step.id, "amapi", step.scope, step.method, step.side, step.app_ids)
            connector.send(order, connector.prepare(order))
        assert set(simulator.journal.effective().values()) == {1}, "each change was made once"
        clock.advance(days=2)
        later = planned(connector, observed(connector, tmp_path / "after", directive, clock), directive, clock)
        assert later.steps == ()
        connector.close()
        banned = {app_id for step in plan.steps for app_id in step.app_ids}
        blocked = {step.scope for step in plan.steps}
        for device in simulator.fleet.devices.values():
            if device.policy in blocked and device.behaviour in (Behaviour.normal, Behaviour.slow):
                assert not banned & set(device.apps), device.name
