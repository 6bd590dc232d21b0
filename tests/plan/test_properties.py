"""What must hold for every fleet: random worlds, planned and applied."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.evaluate.model import Presence
from proscribe.plan.limits import allowed
from proscribe.plan.model import (
    Devices,
    Effect,
    Exemption,
    ExemptionRegister,
    Percent,
    Policy,
    Reach,
    RefusalReason,
    Ring,
    Unlimited,
)
from proscribe.plan.planner import make_plan
from proscribe.terms import Enrolment, Held, Platform, Side

QUIET = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@dataclass(frozen=True)
class One:
    """A device as drawn: where it is, what it is, whether it holds the app, whether it is exempt."""

    system: str
    scope: str
    enrolment: Enrolment
    os_version: str
    holds: bool
    side: Side
    held: Held
    exempt: bool
    unsure: bool
    presence: Presence
    app: str


SCOPES = ("north", "south", "east", "locked", "")
ANDROID = (Enrolment.fully_managed, Enrolment.cope, Enrolment.byod, Enrolment.unknown)
DEVICES = st.builds(
    One,
    system=st.sampled_from(("fleetbox", "fleetbox", "fleetbox", "jamf")),
    scope=st.sampled_from(SCOPES),
    enrolment=st.sampled_from(ANDROID),
    os_version=st.sampled_from(("9", "14", "")),
    holds=st.booleans(),
    side=st.sampled_from((Side.whole, Side.work, Side.unknown)),
    held=st.sampled_from(tuple(Held)),
    exempt=st.sampled_from((False, False, False, True)),
    unsure=st.sampled_from((False, False, True)),
    presence=st.sampled_from(tuple(Presence)),
    app=st.sampled_from(("com.tencent.mm", "com.tencent.lite", "com.doubtful")),
)
LIMITS = st.one_of(
    st.integers(0, 6).map(Devices), st.integers(0, 100).map(lambda p: Percent(float(p))), st.just(Unlimited())
)
POLICIES = st.builds(
    Policy,
    removal_limit=LIMITS,
    reach_limit=LIMITS,
    rings=st.lists(st.builds(Ring, name=st.sampled_from("abc"), size=LIMITS), max_size=3).map(tuple),
)


def build(made, fleet, policy=None, extra=0, *, blocked=()):
    """A world of drawn devices. ``extra``: devices of each scope that the directive is not about."""
    statuses, findings, exempt = [], [], []
    for number, one in enumerate(fleet):
        device = made.status(
            f"{one.system}:{number}",
            scope=one.scope,
            enrolment=one.enrolment,
            os_version=one.os_version,
            presence=one.presence,
            scope_unsure=one.unsure,
            invisible_side=one.enrolment in (Enrolment.cope, Enrolment.byod),
        )
        statuses.append(device)
        if one.holds:
            sure = one.app != "com.doubtful"
            findings.append(
                made.finding(
                    device,
                    app_id=one.app,
                    side=one.side,
                    held=one.held,
                    target=f"android_package:android:{one.app}",
                    actionable=sure,
                )
            )
        if one.exempt:
            exempt.append(device.device)
    targets = made.target_set(
        made.target("com.tencent.mm"), made.target("com.tencent.lite"), made.target("com.doubtful", actionable=False)
    )
    scopes = [
        made.scope(
            name,
            devices=sum(1 for one in fleet if (one.system, one.scope) == ("fleetbox", name)) + extra,
            uninstall_disabled=name == "locked",
            entries=list(blocked),
        )
        for name in SCOPES
        if name and name != "east"
    ]
    start = made.NOW.date() - timedelta(days=1)
    register = ExemptionRegister(
        (
            Exemption(
                "ex-1", "dnl-2026-01", tuple(exempt), "evidence", "branch", "CIO", start, start + timedelta(days=90)
            ),
        )
        if exempt
        else ()
    )
    return made.inputs(statuses, findings, scopes, targets=targets, register=register, policy=policy or made.OPEN)


def reached_devices(plan, inputs):
    """The devices in scope whose configuration the steps change."""
    shared = {(step.system, step.scope) for step in plan.steps if step.reach is not Reach.device}
    single = {step.scope for step in plan.steps if step.reach is Reach.device}
    return single | {one.device for one in inputs.statuses if (one.system, one.scope) in shared}


FLEETS = st.lists(DEVICES, min_size=1, max_size=14)


@QUIET
@given(fleet=FLEETS, policy=POLICIES, extra=st.integers(0, 3))
def test_exempt_devices_are_never_touched(made, fleet, policy, extra):
    inputs = build(made, fleet, policy, extra)
    plan = make_plan(inputs)
    exempt = {device for exemption in inputs.register.exemptions for device in exemption.devices}
    assert not exempt & reached_devices(plan, inputs)
    assert not exempt & {device for step in plan.steps for device in step.holders}


@QUIET
@given(fleet=FLEETS, policy=POLICIES, extra=st.integers(0, 3))
def test_the_counts_add_up_to_the_fleet(made, fleet, policy, extra):
    inputs = build(made, fleet, policy, extra)
    plan = make_plan(inputs)
    counts = plan.counts
    assert counts.in_scope == len(fleet)
    assert counts.in_scope == (
        counts.to_remove + counts.block_only + counts.nothing_to_do + counts.exempt + counts.cannot
    )
    assert counts.exempt == sum(one.exempt for one in fleet)
    assert counts.waiting <= counts.nothing_to_do
    removed = {device for step in plan.steps for device in step.holders}
    assert counts.to_remove <= len(removed) <= counts.in_scope
    for step in plan.steps:
        assert step.reached == len(step.holders) + step.collateral
        assert step.collateral >= 0


@QUIET
@given(fleet=FLEETS, policy=POLICIES)
def test_every_step_is_in_exactly_one_wave(made, fleet, policy):
    plan = make_plan(build(made, fleet, policy))
    listed = [step for wave in plan.waves for step in wave.steps]
    assert sorted(listed) == sorted(step.id for step in plan.steps)
    assert len(set(listed)) == len(listed)
    assert [wave.number for wave in plan.waves] == list(range(1, len(plan.waves) + 1))
    numbers = {step_id: wave.number for wave in plan.waves for step_id in wave.steps}
    assert all(step.wave == numbers[step.id] for step in plan.steps)


@QUIET
@given(fleet=FLEETS)
def test_a_limit_of_nothing_refuses_everything(made, fleet):
    inputs = build(made, fleet)
    for policy in (
        Policy(Devices(0), Unlimited(), made.OPEN.rings),
        Policy(Unlimited(), Devices(0), made.OPEN.rings),
        Policy(Percent(0.0), Unlimited(), made.OPEN.rings),
        Policy(Unlimited(), Unlimited(), (Ring("canary", Devices(0)),)),
    ):
        plan = make_plan(replace(inputs, policy=policy))
        assert plan.blocked or not plan.steps


@QUIET
@given(fleet=FLEETS, policy=POLICIES, extra=st.integers(0, 3))
def test_no_unblocked_plan_exceeds_its_limits(made, fleet, policy, extra):
    inputs = build(made, fleet, policy, extra)
    plan = make_plan(inputs)
    if plan.blocked:
        return
    most = allowed(policy.removal_limit, len(fleet))
    assert isinstance(most, Unlimited) or plan.counts.to_remove <= most
    most = allowed(policy.reach_limit, len(fleet))
    assert isinstance(most, Unlimited) or sum(wave.devices for wave in plan.waves) <= most


@QUIET
@given(fleet=FLEETS)
def test_a_doubtful_target_drives_nothing(made, fleet):
    plan = make_plan(build(made, fleet))
    assert all("com.doubtful" not in step.app_ids for step in plan.steps)
    assert all("android_package:android:com.doubtful" not in step.targets for step in plan.steps)
    assert RefusalReason.low_confidence in {refusal.reason for refusal in plan.refusals}


@QUIET
@given(fleet=FLEETS, policy=POLICIES, seed=st.randoms(use_true_random=False))
def test_the_same_world_in_another_order_gives_the_same_plan(made, fleet, policy, seed):
    inputs = build(made, fleet, policy)
    plan = make_plan(inputs)
    statuses, findings = list(inputs.statuses), list(inputs.findings)
    seed.shuffle(statuses)
    seed.shuffle(findings)
    later = inputs.now + timedelta(hours=5)
    again = make_plan(replace(inputs, statuses=statuses, findings=findings, now=later))
    assert again.basis == plan.basis
    assert again.steps == plan.steps
    assert again.refusals == plan.refusals


@QUIET
@given(fleet=FLEETS, blocked=st.sampled_from(((), ("com.tencent.mm",), ("com.tencent.mm", "com.tencent.lite"))))
def test_planning_what_was_applied_gives_an_empty_plan(made, fleet, blocked):
    inputs = build(made, fleet, blocked=blocked)
    plan = make_plan(inputs)
    scopes = made.apply(plan, inputs.snapshot.manifest.scopes)
    again = make_plan(replace(inputs, snapshot=made.snapshot(scopes)))
    assert again.steps == ()
    assert again.waves == ()
    assert again.counts.to_remove == 0


@QUIET
@given(fleet=FLEETS)
def test_no_scope_changes_for_devices_that_may_not_be_concerned(made, fleet):
    inputs = build(made, fleet)
    sure = {(one.system, one.scope) for one in inputs.statuses if not one.scope_unsure}
    single = {one.device for one in inputs.statuses if not one.scope_unsure}
    for step in make_plan(inputs).steps:
        assert (step.system, step.scope) in sure or step.scope in single


@QUIET
@given(fleet=FLEETS)
def test_the_personal_side_is_never_more_than_blind(made, fleet):
    for step in make_plan(build(made, fleet)).steps:
        if step.side is Side.personal:
            assert step.effect is Effect.blind


@QUIET
@given(fleet=FLEETS)
def test_the_smallest_scopes_go_first(made, fleet):
    plan = make_plan(build(made, fleet))
    sizes = [step.reached for step in plan.steps]
    assert sizes == sorted(sizes)


@QUIET
@given(fleet=FLEETS)
def test_nothing_is_sent_twice(made, fleet):
    inputs = build(made, fleet, blocked=("com.tencent.mm",))
    for step in make_plan(inputs).steps:
        scope = next(one for one in inputs.snapshot.manifest.scopes if one.id == step.scope)
        assert not set(step.app_ids) & set(json.loads(scope.settings).get(step.method, ()))


def test_a_class_without_a_row_of_its_system_gets_nothing(made):
    ios = made.status("fleetbox:1", platform=Platform.ios, enrolment=Enrolment.supervised, os_version="17")
    plan = make_plan(made.inputs([ios]))
    assert plan.steps == ()
    assert plan.counts.cannot == 1


@pytest.mark.parametrize("share", [1, 5, 50])
def test_the_canary_keeps_to_its_share_where_scopes_are_small_enough(made, share):
    statuses = [made.status(f"fleetbox:{n}", scope=f"s{n:03}") for n in range(100)]
    policy = Policy(Unlimited(), Unlimited(), (Ring("canary", Percent(share)), Ring("rest", Unlimited())))
    plan = make_plan(made.inputs(statuses, policy=policy))
    assert plan.waves[0].devices == share
