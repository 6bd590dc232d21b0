"""The planner with what really ships: every directive, its target set, and the Android connector's pure half."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from proscribe.catalogue.protected import is_protected
from proscribe.connectors.amapi.system import AmapiSystem
from proscribe.directive.library import shipped, target_set
from proscribe.inventory.model import Scope
from proscribe.plan.model import Effect, ExemptionRegister, RefusalReason
from proscribe.plan.planner import make_plan
from proscribe.terms import Enrolment, Platform, Side

SETTINGS = {
    "playStoreMode": "BLACKLIST",
    "statusReportingSettings": {
        "applicationReportsEnabled": True,
        "applicationReportingSettings": {"includeRemovedApps": True},
    },
}


def fleet(made, directive, *, settings):
    scopes = [Scope("amapi", f"enterprises/e/policies/{name}", 7, 3, json.dumps(settings)) for name in ("a", "b")]
    statuses = [
        made.status(
            f"amapi:enterprises/e/devices/{scope.id[-1]}{number}",
            system="amapi",
            scope=scope.id,
            enrolment=enrolment,
            directive=directive.id,
            invisible_side=enrolment is not Enrolment.fully_managed,
        )
        for scope in scopes
        for number, enrolment in enumerate((Enrolment.fully_managed, Enrolment.cope, Enrolment.byod))
    ]
    return made.inputs(
        statuses,
        directive=directive,
        targets=target_set(directive, now=made.NOW),
        snapshot=made.snapshot(scopes),
        systems={"amapi": AmapiSystem()},
        register=ExemptionRegister(()),
        follow_recommended=True,
    )


@pytest.mark.parametrize("directive", shipped(), ids=lambda one: one.id)
def test_every_shipped_directive_plans_without_surprise(made, directive):
    inputs = fleet(made, directive, settings=SETTINGS)
    plan = make_plan(inputs)
    sure = {target.value for target in inputs.targets.targets if target.actionable}
    for step in plan.steps:
        assert set(step.app_ids) <= sure
        assert not any(is_protected(Platform.android, app) for app in step.app_ids)
        assert (step.effect is Effect.blind) is (step.side is Side.personal)
    counts = plan.counts
    assert counts.in_scope == 6
    assert counts.in_scope == (
        counts.to_remove + counts.block_only + counts.nothing_to_do + counts.exempt + counts.cannot
    )


def test_the_canadian_directive_of_october_2023_reaches_both_sides(made):
    (directive,) = [one for one in shipped() if one.id == "ca-tbs-2023-wechat-kaspersky"]
    inputs = fleet(made, directive, settings=SETTINGS)
    plan = make_plan(inputs)
    assert not plan.blocked, [refusal.what.en for refusal in plan.refusals if refusal.blocks]
    assert len(plan.steps) == 4  # two policies, each with its work side and its personal side
    assert all("com.tencent.mm" in step.app_ids for step in plan.steps)
    assert RefusalReason.invisible in {refusal.reason for refusal in plan.refusals}


def test_a_policy_that_already_blocks_everything_needs_nothing(made):
    (directive,) = [one for one in shipped() if one.id == "ca-tbs-2023-wechat-kaspersky"]
    first = make_plan(fleet(made, directive, settings=SETTINGS))
    entries = [{"packageName": app, "installType": "BLOCKED"} for app in first.steps[0].app_ids]
    blocked = {**SETTINGS, "applications": entries, "personalUsagePolicies": {"personalApplications": entries}}
    again = make_plan(fleet(made, directive, settings=blocked))
    assert again.steps == ()


def test_a_policy_that_forbids_uninstalling_is_left_out(made):
    (directive,) = [one for one in shipped() if one.id == "ca-tbs-2023-wechat-kaspersky"]
    inputs = fleet(made, directive, settings=SETTINGS)
    first, second = inputs.snapshot.manifest.scopes
    locked = replace(first, settings=json.dumps({**SETTINGS, "uninstallAppsDisabled": True}))
    plan = make_plan(replace(inputs, snapshot=made.snapshot([locked, second])))
    refused = [one for one in plan.refusals if one.reason is RefusalReason.preflight]
    assert [one.scope for one in refused] == [first.id]
    assert Side.whole not in {step.side for step in plan.steps if step.scope == first.id}
