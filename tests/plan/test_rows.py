"""Every shipped capability row, held against the planner: no row yields more than it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from proscribe.catalogue.model import IdentifierType
from proscribe.plan.capability import EVERY_SYSTEM, PARTS, parts, platform_rows, shipped_rows, within_ceiling
from proscribe.plan.model import Capability, Effect, Reach, RefusalReason, Verb
from proscribe.plan.planner import make_plan
from proscribe.terms import Enrolment, Held, Platform, Side

ROOT = Path(__file__).parents[2]
APPS = {
    Platform.android: (IdentifierType.android_package, "com.tencent.mm"),
    Platform.chromeos: (IdentifierType.android_package, "com.tencent.mm"),
    Platform.ios: (IdentifierType.ios_bundle_id, "com.tencent.xin"),
    Platform.macos: (IdentifierType.macos_bundle_id, "com.tencent.xinwechat"),
}
ROWS = pytest.mark.parametrize("row", shipped_rows(), ids=lambda row: row.id)


def world(made, row: Capability, *, part: str | None = None, os_version: str | None = None, **changes):
    """One device of the row's class that holds the app, managed by a system that has this row and no other."""
    kind, app = APPS.get(row.platform, (IdentifierType.android_package, "com.tencent.mm"))
    held = part or min(parts(row.applies_to))
    version = os_version if os_version is not None else (row.os_min or row.os_max or "20")
    own = replace(row, id="fleetbox/row", system="fleetbox")
    device = made.status(
        "fleetbox:1", platform=row.platform, enrolment=row.enrolment, os_version=version, scope="default", **changes
    )
    platform = Platform.android if row.platform is Platform.chromeos else row.platform
    target = made.target(app, type=kind, platform=platform)
    found = made.finding(device, app_id=app, target=target.id, side=row.side, held=Held(held))
    scopes = (made.scope("default"), made.scope("fleetbox:1"))
    system = made.FakeSystem(capabilities=(own,))
    return made.inputs([device], [found], scopes, systems={"fleetbox": system}, targets=made.target_set(target))


@ROWS
def test_the_plan_promises_no_more_than_the_row(made, row):
    plan = make_plan(world(made, row))
    promised = row.effect in (Effect.full, Effect.blind) and row.verb is not Verb.observe
    if row.system == EVERY_SYSTEM and row.platform is Platform.unknown:
        promised = False
    assert bool(plan.steps) is promised, [refusal.what.en for refusal in plan.refusals]
    for step in plan.steps:
        assert step.verbs == (row.verb,)
        assert step.effect is row.effect
        assert step.method == row.method
        assert step.side is row.side
        assert step.proved_by == row.proved_by
        assert step.undo == row.undo
    if row.verb is not Verb.remove or not promised:
        assert plan.counts.to_remove == 0
    if row.effect is Effect.impossible and row.verb is Verb.remove and row.side is not Side.unknown:
        reasons = {refusal.reason for refusal in plan.refusals}
        assert reasons & {RefusalReason.impossible, RefusalReason.invisible}


@ROWS
def test_another_enrolment_gets_nothing_from_the_row(made, row):
    other = next(one for one in Enrolment if one is not row.enrolment)
    inputs = world(made, row)
    device = replace(next(iter(inputs.statuses)), enrolment=other)
    assert make_plan(replace(inputs, statuses=(device,))).steps == ()


@pytest.mark.parametrize("row", [row for row in shipped_rows() if row.os_min or row.os_max], ids=lambda row: row.id)
def test_a_version_outside_the_range_gets_nothing_from_the_row(made, row):
    outside = "1" if row.os_min else "99"
    assert make_plan(world(made, row, os_version=outside)).steps == ()
    if row.os_min and row.os_max:
        assert make_plan(world(made, row, os_version="99")).steps == ()


@pytest.mark.parametrize("row", [row for row in shipped_rows() if row.os_min or row.os_max], ids=lambda row: row.id)
def test_an_unknown_version_gets_nothing_from_a_bounded_row(made, row):
    assert make_plan(world(made, row, os_version="")).steps == ()


@pytest.mark.parametrize(
    "row", [r for r in shipped_rows() if r.verb is Verb.remove and r.applies_to != "any"], ids=lambda row: row.id
)
def test_an_app_held_another_way_is_not_promised_to_go(made, row):
    for part in [*sorted(set(PARTS) - parts(row.applies_to)), "unknown"]:
        plan = make_plan(world(made, row, part=part))
        assert plan.counts.to_remove == 0
        assert plan.counts.cannot == 1


@ROWS
def test_every_row_says_why_and_from_where(row):
    assert row.source
    assert row.limits.en
    assert row.limits.fr
    assert row.proved_by.en != row.proved_by.fr
    if row.effect is Effect.impossible:
        assert (row.method, row.reach) == ("", Reach.none)


@ROWS
def test_no_row_exceeds_what_the_platform_allows(row):
    assert within_ceiling(row, platform_rows())


@ROWS
def test_the_test_that_a_row_names_exists(row):
    path, _, name = row.tested_by.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {re.escape(name)}\(", source, re.MULTILINE), row.tested_by


def test_every_enrolment_of_the_phone_platforms_has_its_four_verbs():
    told = {(row.platform, row.enrolment, row.side, row.verb) for row in platform_rows()}
    classes = {(platform, enrolment, side) for platform, enrolment, side, _ in told}
    for platform, enrolment, side in classes:
        for verb in Verb:
            assert (platform, enrolment, side, verb) in told
    assert (Platform.android, Enrolment.byod, Side.personal) in classes
    assert (Platform.ios, Enrolment.user_enrolment, Side.whole) in classes
