"""The planner on small worlds, one rule a test."""

from __future__ import annotations

from proscribe.plan.model import RefusalReason
from proscribe.plan.planner import make_plan


def test_one_step_covers_every_policy_in_scope(made):
    holder = made.status("fleetbox:1")
    plan = make_plan(made.inputs([holder, made.status("fleetbox:2", scope="other")], [made.finding(holder)]))
    assert [(step.scope, step.holders, step.collateral) for step in plan.steps] == [
        ("default", ("fleetbox:1",), 0),
        ("other", (), 1),
    ]
    assert not plan.blocked, [r.what.en for r in plan.refusals]
    assert (plan.counts.to_remove, plan.counts.block_only, plan.counts.in_scope) == (1, 1, 2)
