"""Records holds: what only blocks goes on, what removes does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from proscribe.catalogue.model import IdentifierType
from proscribe.plan.holds import InvalidHold, held_devices, in_force, validate
from proscribe.plan.model import (
    Effect,
    Exemption,
    ExemptionRegister,
    Hold,
    HoldRegister,
    Reach,
    RefusalReason,
    Verb,
)
from proscribe.plan.planner import make_plan
from proscribe.plan.ports import Objection
from proscribe.terms import Enrolment, Platform, Side

BUNDLE = "com.tencent.xin"


def hold(*devices: str, **changes: object) -> Hold:
    made = Hold("case-12", devices, "access request A-2026-0041", "records officer", date(2026, 11, 1))
    return replace(made, **changes)  # type: ignore[arg-type]


def phones(made, *names: str):
    """iPhones under a system that blocks by group and removes device by device."""
    whole = {"platform": Platform.ios}
    rows = (
        made.capability("block", Verb.block_launch, Enrolment.supervised, Side.whole, reach=Reach.group, **whole),
        made.capability(
            "remove", Verb.remove, Enrolment.supervised, Side.whole, method="take", reach=Reach.device, **whole
        ),
    )
    statuses = [
        made.status(name, platform=Platform.ios, enrolment=Enrolment.supervised, os_version="17") for name in names
    ]
    target = made.target(BUNDLE, type=IdentifierType.ios_bundle_id, platform=Platform.ios)
    findings = [made.finding(one, app_id=BUNDLE, target=target.id) for one in statuses]
    return made.inputs(
        statuses,
        findings,
        targets=made.target_set(target),
        systems={"fleetbox": made.FakeSystem(capabilities=rows)},
    )


def test_a_hold_leaves_the_block_and_takes_the_removal(made):
    inputs = replace(phones(made, "fleetbox:1", "fleetbox:2"), holds=HoldRegister((hold("fleetbox:1"),)))
    plan = make_plan(inputs)
    assert {(step.scope, step.method) for step in plan.steps} == {("default", "entries"), ("fleetbox:2", "take")}
    (refusal,) = [one for one in plan.refusals if one.reason is RefusalReason.records_hold]
    assert (refusal.devices, refusal.blocks) == (("fleetbox:1",), False)
    assert "case-12" in refusal.what.en
    assert "case-12" in refusal.what.fr
    assert not plan.blocked
    assert (plan.counts.to_remove, plan.counts.cannot) == (1, 1)


def test_without_the_hold_both_are_planned(made):
    plan = make_plan(phones(made, "fleetbox:1", "fleetbox:2"))
    assert {step.scope for step in plan.steps} == {"default", "fleetbox:1", "fleetbox:2"}
    assert plan.basis != make_plan(replace(phones(made, "fleetbox:1"), holds=HoldRegister((hold("fleetbox:1"),)))).basis


def test_a_shared_policy_that_removes_is_left_out_whole(made):
    statuses = [made.status("fleetbox:1"), made.status("fleetbox:2"), made.status("fleetbox:3", scope="other")]
    plan = make_plan(made.inputs(statuses, holds=HoldRegister((hold("fleetbox:1"),))))
    assert [step.scope for step in plan.steps] == ["other"]
    (refusal,) = [one for one in plan.refusals if one.reason is RefusalReason.records_hold]
    assert (refusal.scope, refusal.devices) == ("default", ("fleetbox:1", "fleetbox:2"))


def test_a_hold_under_another_systems_key_protects_the_device(made):
    statuses = [made.status("jamf:7", scope=""), made.status("fleetbox:2")]
    plan = make_plan(
        made.inputs(statuses, holds=HoldRegister((hold("jamf:7"),)), aliases={"jamf:7": ("fleetbox:abc",)})
    )
    # It is under some policy of fleetbox; which one is not known, so none that removes is changed.
    assert plan.steps == ()
    assert RefusalReason.records_hold in {one.reason for one in plan.refusals}


def test_a_hold_begins_on_its_day(made):
    later = hold("fleetbox:1", starts=made.NOW.date() + timedelta(days=1))
    assert not in_force(later, made.NOW)
    assert held_devices((later,), {}, made.NOW) == {}
    assert held_devices((hold("a:1"),), {"a:1": ("b:1",)}, made.NOW).keys() == {"a:1", "b:1"}


def test_of_two_holds_the_older_is_named(made):
    older = hold("a:1", id="older", starts=date(2026, 10, 1))
    assert held_devices((hold("b:1"), older), {"a:1": ("b:1",)}, made.NOW)["a:1"].id == "older"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"devices": ()}, "devices"),
        ({"devices": ("fleetbox:*",)}, "devices"),
        ({"devices": ("department:north",)}, "devices"),
        ({"authority": "  "}, "authority"),
        ({"placed_by": ""}, "placed_by"),
    ],
)
def test_a_hold_says_what_it_protects_and_why(changes, field):
    with pytest.raises(InvalidHold) as caught:
        validate(hold("fleetbox:1", **changes) if "devices" not in changes else replace(hold("x:1"), **changes))
    assert caught.value.where.field == field
    assert caught.value.remedy.fr


def test_what_is_configured_speaks_for_itself(made):
    """A shipped row of a configured system counts only where its connector gives it, for it may need a set-up."""
    plan = make_plan(replace(phones(made, "fleetbox:1"), systems={"fleetbox": made.FakeSystem(capabilities=())}))
    assert plan.steps == ()


def test_a_removal_under_way_is_not_planned_again(made):
    inputs = phones(made, "fleetbox:1")
    own = made.scope("fleetbox:1", take=[BUNDLE])
    plan = make_plan(replace(inputs, snapshot=made.snapshot([made.scope(), own])))
    assert [step.method for step in plan.steps] == ["entries"]
    assert (plan.counts.to_remove, plan.counts.block_only) == (0, 1)


def test_what_a_system_says_of_a_device_stands_against_its_own_step(made):
    inputs = phones(made, "fleetbox:1")
    own = made.scope("fleetbox:1", uninstall_disabled=True)
    plan = make_plan(replace(inputs, snapshot=made.snapshot([made.scope(), own])))
    assert [step.method for step in plan.steps] == ["entries"]
    assert [one.scope for one in plan.refusals if one.reason is RefusalReason.preflight] == ["fleetbox:1"]


# Where blocking and removing are one change --------------------------------------------------------------------------


def android(made, *statuses, **changes):
    """A system with one method that blocks and removes, and another that blocks alone and leaves no trace in lists."""
    seen = ((Enrolment.fully_managed, Side.whole), (Enrolment.cope, Side.work))
    freeze = [
        made.capability(f"{enrolment}-freeze", Verb.block_launch, enrolment, side, method="freeze", effect=Effect.blind)
        for enrolment, side in seen
    ]
    system = made.FakeSystem(capabilities=(*made.android_rows(), *freeze))
    return made.inputs(statuses, systems={"fleetbox": system}, **changes)


def test_where_one_change_blocks_and_removes_another_blocks_while_the_hold_stands(made):
    held, free, elsewhere = made.status("fleetbox:1"), made.status("fleetbox:2"), made.status("fleetbox:3", scope="x")
    inputs = android(
        made, held, free, elsewhere, findings=[made.finding(held)], holds=HoldRegister((hold("fleetbox:1"),))
    )
    plan = make_plan(inputs)
    steps = {step.scope: step for step in plan.steps}
    assert {scope: step.method for scope, step in steps.items()} == {"default": "freeze", "x": "entries"}
    assert (steps["default"].verbs, steps["default"].effect) == ((Verb.block_launch,), Effect.blind)
    assert (steps["default"].holders, steps["default"].collateral) == (("fleetbox:1",), 1)
    assert any("with its data" in warning.en for warning in steps["default"].warnings)
    assert [one.scope for one in plan.refusals if one.reason is RefusalReason.records_hold] == ["default"]
    assert (plan.counts.to_remove, plan.counts.block_only, plan.counts.cannot) == (0, 2, 1), "its app is not removed"
    frozen = made.apply(plan, inputs.snapshot.manifest.scopes)
    assert make_plan(replace(inputs, snapshot=made.snapshot(frozen))).steps == ()
    released = make_plan(replace(inputs, snapshot=made.snapshot(frozen), holds=HoldRegister(())))
    assert {step.scope: step.method for step in released.steps} == {"default": "entries"}


def test_without_a_hold_nobody_is_blocked_in_place_of_a_removal(made):
    for actions in (("remove", "block_install"), ("block_install",)):
        directive = made.directive()
        asked = tuple(one for one in directive.actions if one.verb.value in actions)
        plan = make_plan(android(made, made.status("fleetbox:1"), directive=replace(directive, actions=asked)))
        assert [step.method for step in plan.steps] == ["entries"], "what is seen to work is preferred"


def test_a_directive_that_asks_for_removal_alone_blocks_nothing_in_its_place(made):
    directive = made.directive()
    asked = tuple(one for one in directive.actions if one.verb.value == "remove")
    inputs = android(made, made.status("fleetbox:1"), directive=replace(directive, actions=asked))
    assert make_plan(replace(inputs, holds=HoldRegister((hold("fleetbox:1"),)))).steps == ()


def test_a_side_that_can_only_be_removed_from_is_left_out_under_a_hold(made):
    cope = made.status("fleetbox:1", enrolment=Enrolment.cope, invisible_side=True)
    plan = make_plan(android(made, cope, holds=HoldRegister((hold("fleetbox:1"),))))
    assert [(step.method, step.side) for step in plan.steps] == [("freeze", Side.work)]
    assert {step.method for step in make_plan(android(made, cope)).steps} == {"entries", "personal"}


def test_an_exempt_device_keeps_the_other_block_away_too(made):
    spared = Exemption(
        "EX-1",
        "dnl-2026-01",
        ("fleetbox:2",),
        "inspection",
        "branch-head",
        "chief-security-officer",
        made.NOW.date(),
        made.NOW.date() + timedelta(days=9),
    )
    inputs = android(
        made,
        made.status("fleetbox:1"),
        made.status("fleetbox:2"),
        holds=HoldRegister((hold("fleetbox:1"),)),
        register=ExemptionRegister((spared,)),
    )
    assert make_plan(inputs).steps == ()


def test_apps_that_must_be_left_alone_do_not_keep_the_others_from_being_blocked(made):
    held = made.status("fleetbox:1")
    target = made.target("com.kms.free")
    both = made.target_set(made.target(), target)

    class Picky(made.FakeSystem):
        def objections(self, scope, method, side, app_ids):
            unlisted = tuple(app for app in app_ids if app == "com.kms.free")
            text = made.text("not listed")
            return (Objection(True, text, text, unlisted),) if unlisted and method == "freeze" else ()

    inputs = android(made, held, targets=both, holds=HoldRegister((hold("fleetbox:1"),)))
    rows = inputs.systems["fleetbox"].capabilities
    plan = make_plan(replace(inputs, systems={"fleetbox": Picky(capabilities=rows)}))
    assert [step.app_ids for step in plan.steps] == [(made.WECHAT,)]
    alone = replace(inputs, targets=made.target_set(target), systems={"fleetbox": Picky(capabilities=rows)})
    plan = make_plan(alone)
    assert plan.steps == ()
    assert {one.reason for one in plan.refusals} >= {RefusalReason.records_hold, RefusalReason.preflight}


def test_a_hold_on_a_device_that_is_changed_by_itself_protects_that_device(made):
    """Block and removal in one change, device by device: nothing is shared, so nobody else waits."""
    rows = [
        made.capability(verb.value, verb, Enrolment.fully_managed, Side.whole, reach=Reach.device)
        for verb in (Verb.remove, Verb.block_install)
    ]
    names = ("fleetbox:1", "fleetbox:2")
    inputs = made.inputs(
        [made.status(name) for name in names],
        scopes=[made.scope(name) for name in names],
        systems={"fleetbox": made.FakeSystem(capabilities=tuple(rows))},
        holds=HoldRegister((hold("fleetbox:1"),)),
    )
    plan = make_plan(inputs)
    assert [step.scope for step in plan.steps] == ["fleetbox:2"]
    assert [one.devices for one in plan.refusals if one.reason is RefusalReason.records_hold] == [("fleetbox:1",)]


def test_a_block_that_is_planned_anyway_is_planned_once(made):
    whole = (Enrolment.fully_managed, Side.whole)
    rows = (
        made.capability("remove", Verb.remove, *whole, applies_to="managed"),
        made.capability("block", Verb.block_install, *whole, applies_to="managed"),
        made.capability("freeze", Verb.block_launch, *whole, method="freeze"),
    )
    system = made.FakeSystem(capabilities=rows)
    inputs = made.inputs([made.status("fleetbox:1")], systems={"fleetbox": system})
    assert sorted(step.method for step in make_plan(inputs).steps) == ["entries", "freeze"]
    held = make_plan(replace(inputs, holds=HoldRegister((hold("fleetbox:1"),))))
    assert [step.method for step in held.steps] == ["freeze"]
