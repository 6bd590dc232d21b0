"""The planner on small worlds, one rule a test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from proscribe.catalogue.model import IdentifierType, MatchKind
from proscribe.directive.model import ActionVerb, Force, RequiredAction, State
from proscribe.documents import digest, from_json, to_json
from proscribe.evaluate.model import Drift, Presence
from proscribe.plan.exemptions import InvalidExemption
from proscribe.plan.inputs import aliases_of
from proscribe.plan.model import (
    Devices,
    Effect,
    Exemption,
    ExemptionRegister,
    Percent,
    Plan,
    Policy,
    Reach,
    RefusalReason,
    Ring,
    Unlimited,
    Verb,
)
from proscribe.plan.planner import make_plan
from proscribe.plan.ports import Objection
from proscribe.terms import Enrolment, Held, Platform, Side


def reasons(plan):
    return {refusal.reason for refusal in plan.refusals}


def one(plan, reason):
    """The single refusal of a reason."""
    (refusal,) = [refusal for refusal in plan.refusals if refusal.reason is reason]
    return refusal


def exemption(*devices, **changes):
    made = Exemption(
        "ex-1", "dnl-2026-01", devices, "law enforcement", "branch head", "CIO", date(2026, 11, 1), date(2027, 5, 1)
    )
    return replace(made, **changes)


def register(*devices, **changes):
    return ExemptionRegister((exemption(*devices, **changes),))


# ---- what is done ----------------------------------------------------------------------------------------------------


def test_one_step_covers_every_policy_in_scope(made):
    holder = made.status("fleetbox:1")
    plan = make_plan(made.inputs([holder, made.status("fleetbox:2", scope="other")], [made.finding(holder)]))
    assert [(step.scope, step.holders, step.collateral) for step in plan.steps] == [
        ("default", ("fleetbox:1",), 0),
        ("other", (), 1),
    ]
    assert not plan.blocked
    assert (plan.counts.to_remove, plan.counts.block_only, plan.counts.in_scope) == (1, 1, 2)
    assert {step.verbs for step in plan.steps} == {(Verb.remove, Verb.block_install)}


def test_what_is_in_place_is_left_out(made):
    device = made.status("fleetbox:1")
    targets = made.target_set(made.target(), made.target("com.tencent.lite"))
    scopes = [made.scope(entries=["com.tencent.mm", "com.other"])]
    (step,) = make_plan(made.inputs([device], scopes=scopes, targets=targets)).steps
    assert step.app_ids == ("com.tencent.lite",)
    assert step.targets == ("android_package:android:com.tencent.lite",)


def test_a_scope_where_all_is_in_place_needs_no_step(made):
    holder = made.status("fleetbox:1")
    scopes = [made.scope(entries=["com.tencent.mm"])]
    plan = make_plan(made.inputs([holder, made.status("fleetbox:2")], [made.finding(holder)], scopes))
    assert plan.steps == ()
    assert (plan.counts.nothing_to_do, plan.counts.waiting) == (2, 1)


def test_an_app_found_by_its_signer_is_banned_under_its_own_name_everywhere(made):
    signer = made.target("ab" * 32, type=IdentifierType.android_cert_sha256)
    holder, other = made.status("fleetbox:1"), made.status("fleetbox:2", scope="other")
    found = made.finding(holder, target=signer.id, match=MatchKind.signer, app_id="com.regional.build")
    plan = make_plan(made.inputs([holder, other], [found], targets=made.target_set(signer)))
    assert [step.app_ids for step in plan.steps] == [("com.regional.build",)] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"match": MatchKind.lookalike_name, "app_id": "com.look.alike"},
        {"drift": Drift.cured, "app_id": "com.was.there"},
        {"actionable": False, "app_id": "com.unsure"},
    ],
)
def test_what_is_not_the_banned_app_drives_nothing(made, changes):
    device = made.status("fleetbox:1")
    plan = make_plan(made.inputs([device], [made.finding(device, **changes)]))
    assert [step.app_ids for step in plan.steps] == [("com.tencent.mm",)]
    assert plan.counts.to_remove == 0


def test_a_name_alone_counts_as_holding_what_is_blocked_for_its_product(made):
    device = made.status("fleetbox:1")
    named = made.target("WeChat", type=IdentifierType.app_name)
    found = made.finding(device, match=MatchKind.name_only, app_id="", target=named.id)
    plan = make_plan(made.inputs([device], [found], targets=made.target_set(made.target(), named)))
    assert plan.steps[0].holders == ("fleetbox:1",)
    assert plan.counts.to_remove == 1


def test_a_name_without_a_known_identifier_cannot_be_acted_on(made):
    device = made.status("fleetbox:1")
    named = made.target("Mystery", type=IdentifierType.app_name, product="other/mystery")
    found = made.finding(device, match=MatchKind.name_only, app_id="", target=named.id, product="other/mystery")
    plan = make_plan(made.inputs([device], [found], targets=made.target_set(made.target(), named)))
    assert plan.counts.cannot == 1
    assert plan.counts.to_remove == 0


def test_a_company_device_gets_a_step_for_each_side_and_the_personal_one_is_blind(made):
    device = made.status("fleetbox:1", enrolment=Enrolment.cope, invisible_side=True)
    plan = make_plan(made.inputs([device]))
    assert {(step.side, step.effect) for step in plan.steps} == {
        (Side.work, Effect.full),
        (Side.personal, Effect.blind),
    }
    assert plan.counts.invisible_side == 1
    assert len(plan.waves) == 1  # both sides of one policy go together


def test_a_policy_shared_by_two_enrolments_is_changed_once(made):
    devices = [made.status("fleetbox:1"), made.status("fleetbox:2", enrolment=Enrolment.byod)]
    (step,) = make_plan(made.inputs(devices)).steps
    assert step.side is Side.whole
    assert step.reached == 2


def test_devices_outside_the_directive_count_as_collateral(made):
    device = made.status("fleetbox:1")
    plan = make_plan(made.inputs([device], [made.finding(device)], [made.scope(devices=10)]))
    (step,) = plan.steps
    assert (len(step.holders), step.collateral) == (1, 9)
    assert "9 devices outside the directive" in step.warnings[0].en
    assert plan.waves[0].devices == 10
    assert plan.counts.in_scope == 1


def test_a_method_that_also_removes_says_so_where_only_blocking_is_asked(made):
    asked = made.directive(actions=(RequiredAction(ActionVerb.block_install, made.text("block")),))
    (step,) = make_plan(made.inputs([made.status("fleetbox:1")], directive=asked)).steps
    assert any("also removes" in warning.en for warning in step.warnings)


def test_a_method_that_also_blocks_says_so_where_only_removal_is_asked(made):
    asked = made.directive(actions=(RequiredAction(ActionVerb.remove, made.text("remove")),))
    (step,) = make_plan(made.inputs([made.status("fleetbox:1")], directive=asked)).steps
    assert any("also keeps the app out" in warning.en for warning in step.warnings)


def test_preserving_records_comes_before_removal(made):
    actions = (*made.directive().actions, RequiredAction(ActionVerb.preserve, made.text("preserve")))
    (step,) = make_plan(made.inputs([made.status("fleetbox:1")], directive=made.directive(actions=actions))).steps
    assert any("preserve records" in warning.en for warning in step.warnings)


def test_a_mild_objection_is_a_warning(made):
    mild = Objection(blocks=False, what=made.text("reports are off"), remedy=made.text("switch on"))
    system = made.FakeSystem(capabilities=made.android_rows(), raised=(mild,))
    (step,) = make_plan(made.inputs([made.status("fleetbox:1")], systems={"fleetbox": system})).steps
    assert step.warnings == (made.text("reports are off"),)


# ---- methods that act device by device -------------------------------------------------------------------------------


def single_rows(made):
    """An Apple-like system: removal device by device, blocking by group, unmanaged apps only on newer versions."""
    ios = {"platform": Platform.ios, "reach": Reach.device, "method": "remove_command"}
    return (
        made.capability("rm-managed", Verb.remove, Enrolment.supervised, Side.whole, applies_to="managed", **ios),
        made.capability(
            "rm-unmanaged", Verb.remove, Enrolment.supervised, Side.whole, applies_to="unmanaged", os_min="26", **ios
        ),
        made.capability(
            "block",
            Verb.block_launch,
            Enrolment.supervised,
            Side.whole,
            platform=Platform.ios,
            reach=Reach.group,
            method="profile",
            os_min="15",
        ),
    )


def ios_world(made, *, held=Held.managed, os_version="26.1", stale=False, **changes):
    device = made.status("fleetbox:1", platform=Platform.ios, enrolment=Enrolment.supervised, os_version=os_version)
    other = replace(device, device="fleetbox:2")
    found = made.finding(
        device, target="ios_bundle_id:ios:com.tencent.xin", app_id="com.tencent.xin", held=held, stale=stale
    )
    system = made.FakeSystem(capabilities=single_rows(made))
    return made.inputs([device, other], [found], systems={"fleetbox": system}, **changes)


def test_removal_device_by_device_is_for_holders_and_comes_after_the_block(made):
    plan = make_plan(ios_world(made))
    assert [(step.reach, step.scope) for step in plan.steps] == [
        (Reach.group, "default"),
        (Reach.device, "fleetbox:1"),
    ]
    assert (plan.counts.to_remove, plan.counts.block_only) == (1, 1)
    assert plan.waves[0].devices == 2


def test_an_app_the_user_installed_stays_where_only_managed_ones_can_go(made):
    plan = make_plan(ios_world(made, held=Held.unmanaged, os_version="17"))
    assert [step.method for step in plan.steps] == ["profile"]
    assert one(plan, RefusalReason.impossible).devices == ("fleetbox:1",)
    assert (plan.counts.cannot, plan.counts.block_only) == (1, 1)


def test_a_removal_on_one_device_needs_a_fresh_finding(made):
    plan = make_plan(ios_world(made, stale=True))
    assert [step.method for step in plan.steps] == ["profile"]
    assert one(plan, RefusalReason.stale_inventory).devices == ("fleetbox:1",)
    assert plan.counts.cannot == 1


def test_an_exempt_holder_is_not_removed_from(made):
    plan = make_plan(ios_world(made, register=register("fleetbox:1")))
    assert plan.steps == ()
    assert one(plan, RefusalReason.exempt_in_shared_scope).devices == ("fleetbox:2",)


def test_a_blocking_objection_stops_a_single_removal(made):
    inputs = ios_world(made)
    hard = Objection(blocks=True, what=made.text("owned by a declaration"), remedy=made.text("withdraw it"))
    system = replace(inputs.systems["fleetbox"], raised=(hard,))
    plan = make_plan(replace(inputs, systems={"fleetbox": system}))
    assert plan.steps == ()
    assert len([refusal for refusal in plan.refusals if refusal.reason is RefusalReason.preflight]) == 2


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": State.draft}, RefusalReason.not_in_force),
        ({"state": State.revoked}, RefusalReason.not_in_force),
        ({"effective": date(2026, 11, 13)}, RefusalReason.not_in_force),
        ({"expires_on": date(2026, 11, 11)}, RefusalReason.not_in_force),
        ({"force": Force.recommended}, RefusalReason.not_in_force),
        ({"force": Force.mixed}, RefusalReason.not_in_force),
        ({"version": 2}, RefusalReason.not_reviewed),
    ],
)
def test_a_directive_that_orders_nothing_today_blocks(made, changes, reason):
    plan = make_plan(made.inputs([made.status("fleetbox:1")], directive=made.directive(**changes)))
    assert plan.blocked
    assert one(plan, reason).blocks


def test_following_a_recommendation_is_an_explicit_choice(made):
    advice = made.directive(force=Force.recommended)
    assert not make_plan(made.inputs([made.status("fleetbox:1")], directive=advice, follow_recommended=True)).blocked


def test_the_last_day_of_a_directive_still_counts(made):
    plan = make_plan(made.inputs([made.status("fleetbox:1")], directive=made.directive(expires_on=date(2026, 11, 12))))
    assert not plan.blocked


def test_an_unreviewed_target_set_blocks(made):
    plan = make_plan(made.inputs([made.status("fleetbox:1")], targets=made.target_set(reviewed_by=" ")))
    assert plan.blocked
    assert one(plan, RefusalReason.not_reviewed).blocks


def test_a_directive_that_asks_for_no_change_plans_none(made):
    asked = made.directive(actions=(RequiredAction(ActionVerb.identify, made.text("identify")),))
    device = made.status("fleetbox:1")
    plan = make_plan(made.inputs([device], [made.finding(device)], directive=asked))
    assert plan.steps == ()
    assert RefusalReason.not_asked in reasons(plan)


def test_a_device_that_may_not_be_concerned_drives_no_change(made):
    device = made.status("fleetbox:1", department="", scope_unsure=True)
    plan = make_plan(made.inputs([device], [made.finding(device)]))
    assert plan.steps == ()
    assert one(plan, RefusalReason.scope_unsure).devices == ("fleetbox:1",)
    assert reasons(plan) == {RefusalReason.scope_unsure}
    assert not plan.blocked
    assert (plan.counts.cannot, plan.counts.to_remove, plan.counts.in_scope) == (1, 0, 1)


def test_a_device_that_may_not_be_concerned_counts_where_its_policy_changes_anyway(made):
    sure = made.status("fleetbox:1")
    holder = made.status("fleetbox:2", department="", scope_unsure=True)
    other = made.status("fleetbox:3", department="", scope_unsure=True)
    alone = made.status("fleetbox:4", department="", scope_unsure=True, scope="other")
    plan = make_plan(made.inputs([sure, holder, other, alone], [made.finding(holder), made.finding(alone)]))
    (step,) = plan.steps
    assert (step.scope, step.holders, step.collateral) == ("default", ("fleetbox:2",), 2)
    assert one(plan, RefusalReason.scope_unsure).devices == ("fleetbox:2", "fleetbox:3", "fleetbox:4")
    assert (plan.counts.to_remove, plan.counts.block_only, plan.counts.cannot) == (1, 2, 1)
    limited = Policy(Devices(0), Unlimited(), made.OPEN.rings)
    assert make_plan(made.inputs([sure, holder], [made.finding(holder)], policy=limited)).blocked


def test_a_protected_app_blocks_and_is_in_no_step(made):
    targets = made.target_set(made.target(), made.target("com.android.settings"))
    plan = make_plan(made.inputs([made.status("fleetbox:1")], targets=targets))
    assert plan.blocked
    assert "com.android.settings" in one(plan, RefusalReason.protected_app).what.en
    assert [step.app_ids for step in plan.steps] == [("com.tencent.mm",)]


def test_a_protected_app_found_by_a_pattern_blocks_too(made):
    glob = made.target("com.*", type=IdentifierType.android_package_glob)
    device = made.status("fleetbox:1")
    found = made.finding(device, match=MatchKind.glob, target=glob.id, app_id="com.android.settings")
    plan = make_plan(made.inputs([device], [found], targets=made.target_set(made.target(), glob)))
    assert plan.blocked
    assert all("com.android.settings" not in step.app_ids for step in plan.steps)


def test_a_doubtful_target_is_listed_with_its_devices_and_does_not_block(made):
    doubtful = made.target("com.doubtful", actionable=False, not_actionable_because=made.text("two sources disagree"))
    device = made.status("fleetbox:1")
    found = made.finding(device, app_id="com.doubtful", target=doubtful.id, actionable=False)
    plan = make_plan(made.inputs([device], [found], targets=made.target_set(made.target(), doubtful)))
    refusal = one(plan, RefusalReason.low_confidence)
    assert (refusal.target, refusal.devices, refusal.blocks) == (doubtful.id, ("fleetbox:1",), False)
    assert "two sources disagree" in refusal.what.en
    assert not plan.blocked


def test_leads_and_domains_are_not_listed_as_doubtful(made):
    lead = made.target("cd" * 32, type=IdentifierType.android_cert_sha256, actionable=False, lead=True)
    domain = made.target("wechat.com", type=IdentifierType.domain, actionable=False)
    plan = make_plan(made.inputs([made.status("fleetbox:1")], targets=made.target_set(made.target(), lead, domain)))
    assert RefusalReason.low_confidence not in reasons(plan)


def test_an_exempt_device_in_a_shared_policy_leaves_that_policy_out(made):
    statuses = [made.status("fleetbox:1"), made.status("fleetbox:2"), made.status("fleetbox:3", scope="other")]
    plan = make_plan(made.inputs(statuses, register=register("fleetbox:1")))
    refusal = one(plan, RefusalReason.exempt_in_shared_scope)
    assert (refusal.scope, refusal.devices, refusal.blocks) == ("default", ("fleetbox:2",), False)
    assert "1 exempt device" in refusal.what.en
    assert one(plan, RefusalReason.exempt).devices == ("fleetbox:1",)
    assert [step.scope for step in plan.steps] == ["other"]
    assert (plan.counts.exempt, plan.counts.cannot, plan.counts.block_only) == (1, 1, 1)


def test_both_sides_of_a_shared_policy_are_one_refusal(made):
    statuses = [made.status(f"fleetbox:{n}", enrolment=Enrolment.cope) for n in (1, 2)]
    plan = make_plan(made.inputs(statuses, register=register("fleetbox:1")))
    assert one(plan, RefusalReason.exempt_in_shared_scope).devices == ("fleetbox:2",)


def test_an_exempt_device_under_another_systems_key_is_spared(made):
    known_as = made.status("jamf:77", scope="")
    plan = make_plan(
        made.inputs(
            [known_as, made.status("fleetbox:2")],
            register=register("fleetbox:abc"),
            aliases={"jamf:77": ("fleetbox:abc",)},
        )
    )
    # It sits somewhere under fleetbox, but nothing says under which policy: none of fleetbox's may be changed.
    assert plan.steps == ()
    assert plan.counts.exempt == 1
    assert "two systems" in one(plan, RefusalReason.exempt_in_shared_scope).what.en


@pytest.mark.parametrize("day", [date(2026, 10, 31), date(2027, 5, 2)])
def test_an_exemption_counts_only_while_it_lasts(made, day):
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    inputs = made.inputs([made.status("fleetbox:1")], register=register("fleetbox:1"))
    plan = make_plan(replace(inputs, now=now, snapshot=made.snapshot([made.scope()], taken_at=now)))
    assert plan.counts.exempt == 0
    assert len(plan.steps) == 1


def test_an_improper_exemption_stops_planning(made):
    with pytest.raises(InvalidExemption):
        make_plan(made.inputs([made.status("fleetbox:1")], register=register("fleetbox:*")))


def test_the_personal_side_of_a_personal_phone_is_invisible_and_counted(made):
    phone = made.status("fleetbox:1", enrolment=Enrolment.byod, invisible_side=True)
    plan = make_plan(made.inputs([phone]))
    refusal = one(plan, RefusalReason.invisible)
    assert refusal.devices == ("fleetbox:1",)
    assert not refusal.blocks
    assert [step.side for step in plan.steps] == [Side.work]
    assert (plan.counts.block_only, plan.counts.invisible_side) == (1, 1)


def test_a_class_nobody_can_touch_is_counted_as_cannot(made):
    device = made.status("fleetbox:1", platform=Platform.ios, enrolment=Enrolment.user_enrolment, invisible_side=True)
    plan = make_plan(made.inputs([device]))
    assert {RefusalReason.invisible, RefusalReason.impossible} <= reasons(plan)
    assert plan.counts.cannot == 1


def test_a_system_without_connector_is_told_how_to_do_it_by_hand(made):
    device = made.status("intune:1", platform=Platform.ios, enrolment=Enrolment.supervised, os_version="17.4")
    plan = make_plan(made.inputs([device]))
    refusal = one(plan, RefusalReason.no_connector)
    assert "by hand in intune" in refusal.remedy.en
    assert "uninstall" in refusal.remedy.en
    assert plan.counts.cannot == 1


def test_what_the_platform_forbids_is_impossible_whatever_the_system(made):
    device = made.status("jamf:1", platform=Platform.ios, enrolment=Enrolment.unsupervised, os_version="18")
    refusal = one(make_plan(made.inputs([device])), RefusalReason.impossible)
    assert "supervised" in refusal.what.en


def test_a_device_of_unknown_enrolment_is_promised_nothing(made):
    plan = make_plan(made.inputs([made.status("fleetbox:1", enrolment=Enrolment.unknown)]))
    assert "not known" in one(plan, RefusalReason.impossible).what.en
    assert plan.counts.cannot == 1


def test_a_company_phone_before_android_11_has_no_personal_step(made):
    device = made.status("fleetbox:1", enrolment=Enrolment.cope, os_version="10")
    plan = make_plan(made.inputs([device]))
    assert [step.side for step in plan.steps] == [Side.work]
    assert one(plan, RefusalReason.invisible).devices == ("fleetbox:1",)


def test_a_company_phone_of_unknown_version_is_asked_for_its_version(made):
    device = made.status("fleetbox:1", enrolment=Enrolment.cope, os_version="")
    plan = make_plan(made.inputs([device]))
    assert [step.side for step in plan.steps] == [Side.work]
    assert any("version" in refusal.what.en for refusal in plan.refusals if refusal.reason is RefusalReason.impossible)


def test_a_platform_without_a_sure_identifier_is_said_so(made):
    plan = make_plan(
        made.inputs([made.status("fleetbox:1", platform=Platform.ios)], targets=made.target_set(made.target()))
    )
    assert one(plan, RefusalReason.no_identifier).devices == ("fleetbox:1",)
    assert plan.counts.cannot == 1


def test_a_platform_no_row_speaks_of_is_impossible(made):
    plan = make_plan(made.inputs([made.status("fleetbox:1", platform=Platform.windows)]))
    assert one(plan, RefusalReason.impossible).devices == ("fleetbox:1",)


def test_a_system_that_only_blocks_leaves_the_holder_as_it_is_where_removal_is_not_asked(made):
    asked = made.directive(actions=(RequiredAction(ActionVerb.block_install, made.text("block")),))
    rows = (made.capability("block", Verb.block_install, Enrolment.fully_managed, Side.whole),)
    device = made.status("fleetbox:1")
    system = made.FakeSystem(capabilities=rows)
    plan = make_plan(made.inputs([device], [made.finding(device)], directive=asked, systems={"fleetbox": system}))
    assert [(step.verbs, step.holders) for step in plan.steps] == [((Verb.block_install,), ("fleetbox:1",))]
    assert (plan.counts.to_remove, plan.counts.block_only, plan.counts.cannot) == (0, 1, 0)


def test_a_system_without_a_documented_means_is_told_apart_from_the_platform(made):
    device = made.status("fleetbox:1")
    rows = (made.capability("block", Verb.block_install, Enrolment.fully_managed, Side.whole),)
    system = made.FakeSystem(capabilities=rows)
    plan = make_plan(made.inputs([device], [made.finding(device)], systems={"fleetbox": system}))
    assert "although the platform would allow it" in one(plan, RefusalReason.impossible).what.en
    assert plan.counts.cannot == 1


@pytest.mark.parametrize("scope", ["", "unheard-of"])
def test_a_policy_that_was_not_read_is_not_changed(made, scope):
    device = made.status("fleetbox:1", scope=scope)
    plan = make_plan(made.inputs([device], scopes=[made.scope()]))
    assert plan.steps == ()
    assert one(plan, RefusalReason.scope_unread).devices == ("fleetbox:1",)


def test_a_setting_that_defeats_the_change_leaves_the_scope_out(made):
    scopes = [made.scope(uninstall_disabled=True), made.scope("other")]
    statuses = [made.status("fleetbox:1"), made.status("fleetbox:2", scope="other")]
    plan = make_plan(made.inputs(statuses, scopes=scopes))
    refusal = one(plan, RefusalReason.preflight)
    assert (refusal.scope, refusal.blocks) == ("default", False)
    assert [step.scope for step in plan.steps] == ["other"]


def test_stale_lists_are_named_and_do_not_stop_a_policy(made):
    plan = make_plan(made.inputs([made.status("fleetbox:1", presence=Presence.stale)]))
    assert one(plan, RefusalReason.stale_inventory).devices == ("fleetbox:1",)
    assert len(plan.steps) == 1


def test_an_old_snapshot_blocks(made):
    taken = made.NOW - timedelta(days=7, minutes=1)
    plan = make_plan(made.inputs([made.status("fleetbox:1")], snapshot=made.snapshot([made.scope()], taken_at=taken)))
    assert plan.blocked
    assert one(plan, RefusalReason.stale_inventory).blocks


def test_going_over_a_limit_blocks_with_both_numbers(made):
    statuses = [made.status(f"fleetbox:{n}") for n in range(10)]
    findings = [made.finding(device) for device in statuses[:3]]
    policy = Policy(Devices(2), Percent(50), (Ring("all", Unlimited()),))
    plan = make_plan(made.inputs(statuses, findings, policy=policy))
    assert plan.blocked
    assert "3 devices" in one(plan, RefusalReason.limit_removals).what.en
    assert "2 of 10" in one(plan, RefusalReason.limit_removals).what.en
    assert "5 of 10" in one(plan, RefusalReason.limit_reach).what.en
    assert not make_plan(
        made.inputs(statuses, findings, policy=replace(policy, removal_limit=Devices(3), reach_limit=Percent(100)))
    ).blocked


def test_what_fits_no_ring_goes_into_a_last_wave(made):
    statuses = [made.status(f"fleetbox:{n}", scope=f"s{n}") for n in range(10)]
    policy = Policy(Unlimited(), Unlimited(), (Ring("canary", Devices(2)),))
    plan = make_plan(made.inputs(statuses, policy=policy))
    assert [(wave.name, wave.devices) for wave in plan.waves] == [("canary", 2), ("last", 8)]


def test_without_rings_everything_goes_at_once(made):
    plan = make_plan(made.inputs([made.status("fleetbox:1")], policy=Policy(Unlimited(), Unlimited(), ())))
    assert [wave.name for wave in plan.waves] == ["last"]


# ---- the artefact ----------------------------------------------------------------------------------------------------


def test_a_plan_reads_back_as_it_was_written(made):
    device = made.status("fleetbox:1", enrolment=Enrolment.cope)
    plan = make_plan(made.inputs([device], [made.finding(device)]))
    assert from_json(Plan, to_json(plan)) == plan
    assert digest(from_json(Plan, to_json(plan))) == digest(plan)


@pytest.mark.parametrize(
    "change",
    [
        lambda made, inputs: replace(inputs, directive=made.directive(title=made.text("Other"))),
        lambda made, inputs: replace(inputs, targets=made.target_set(made.target(), made.target("com.more"))),
        lambda made, inputs: replace(inputs, policy=replace(inputs.policy, removal_limit=Devices(9))),
        lambda made, inputs: replace(inputs, register=register("fleetbox:2")),
        lambda made, inputs: replace(inputs, findings=()),
        lambda made, inputs: replace(inputs, snapshot=made.snapshot([replace(made.scope(), version=4)])),
        lambda made, inputs: replace(
            inputs, systems={"fleetbox": made.FakeSystem(capabilities=made.android_rows()[:2])}
        ),
        lambda made, inputs: replace(inputs, now=inputs.now + timedelta(days=30)),
    ],
    ids=["directive", "targets", "policy", "exemptions", "holders", "scope-version", "capabilities", "age"],
)
def test_whatever_decides_changes_the_basis(made, change):
    statuses = [made.status("fleetbox:1"), made.status("fleetbox:2")]
    inputs = made.inputs(statuses, (made.finding(statuses[0]),))
    assert make_plan(change(made, inputs)).basis != make_plan(inputs).basis


def test_time_alone_does_not_change_the_basis(made):
    inputs = made.inputs([made.status("fleetbox:1")])
    later = make_plan(replace(inputs, now=inputs.now + timedelta(hours=1)))
    assert later.basis == make_plan(inputs).basis
    assert later.created_at != make_plan(inputs).created_at


def test_aliases_are_read_from_the_snapshot(made, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"key": ["jamf:1", "jamf:2"], "also": [["fleetbox:9"], []]})
    parquet.write_table(table, tmp_path / "devices.parquet")
    snapshot = replace(made.snapshot(), path=tmp_path)
    assert aliases_of(snapshot) == {"jamf:1": ("fleetbox:9",)}
