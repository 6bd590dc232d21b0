"""Standing orders: narrow by construction, and what each leaves uncovered is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from proscribe.documents import from_json, to_json
from proscribe.plan.model import PlanCounts, Verb
from proscribe.plan.orders import (
    InvalidStandingOrder,
    StandingOrder,
    affected,
    concerns,
    in_force,
    newest,
    uncovered,
    validate,
)
from proscribe.plan.planner import make_plan

NOW = datetime(2026, 11, 12, 9, tzinfo=UTC)
ORDER = StandingOrder(
    id="so-1",
    version=1,
    directives=("dnl-2026-01",),
    sources=("authority", "here"),
    verbs=(Verb.remove, Verb.block_install, Verb.block_launch),
    most_devices=10,
    starts=date(2026, 11, 1),
    until=date(2027, 11, 1),
    issued_by="cio",
)


def test_an_order_in_order_is_accepted_and_is_a_document():
    validate(ORDER)
    assert from_json(StandingOrder, to_json(ORDER)) == ORDER


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": " "}, "id"),
        ({"issued_by": ""}, "issued_by"),
        ({"version": 0}, "version"),
        ({"directives": ()}, "directives"),
        ({"directives": ("*", "dnl-2026-01")}, "directives"),
        ({"sources": ()}, "sources"),
        ({"verbs": ()}, "verbs"),
        ({"most_devices": -1}, "most_devices"),
        ({"until": date(2026, 10, 1)}, "until"),
        ({"until": date(2027, 11, 3)}, "until"),
    ],
)
def test_what_is_missing_or_endless_is_refused_by_its_field(changes, field):
    with pytest.raises(InvalidStandingOrder) as error:
        validate(replace(ORDER, **changes))
    assert error.value.where.field == field
    assert error.value.remedy.fr


def test_first_and_last_day_count_and_a_withdrawn_order_does_not():
    assert in_force(ORDER, datetime(2026, 11, 1, tzinfo=UTC))
    assert in_force(ORDER, datetime(2027, 11, 1, 23, 59, tzinfo=UTC))
    assert not in_force(ORDER, datetime(2027, 11, 2, tzinfo=UTC))
    assert not in_force(ORDER, datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    assert not in_force(replace(ORDER, withdrawn=True), NOW)


def test_the_highest_version_of_an_order_is_the_one_that_counts():
    ended = replace(ORDER, version=2, withdrawn=True)
    other = replace(ORDER, id="so-0")
    assert newest([ended, ORDER, other]) == (other, ended)
    assert newest([ORDER, ended]) == (ended,)


def test_an_order_is_about_directives_and_sources():
    assert concerns(ORDER, "dnl-2026-01", source="authority")
    assert not concerns(ORDER, "dnl-2026-01", source="another")
    assert not concerns(ORDER, "dnl-2026-02")
    assert concerns(replace(ORDER, directives=("*",)), "dnl-2026-02")


@pytest.fixture
def plan(made):
    statuses = [made.status(f"fleetbox:{number}", scope="policy") for number in range(4)]
    target = made.target("com.tencent.mm")
    findings = [made.finding(statuses[0], app_id="com.tencent.mm", target=target.id)]
    return make_plan(made.inputs(statuses, findings, targets=made.target_set(target)))


def test_a_plan_within_the_bounds_is_covered(plan):
    assert plan.steps
    assert affected(plan) == plan.counts.to_remove + plan.counts.block_only > 0
    assert uncovered(ORDER, plan, NOW) is None
    assert uncovered(replace(ORDER, most_devices=affected(plan)), plan, NOW) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"directives": ("another",)}, "is not about"),
        ({"sources": ("authority",)}, "from 'here'"),
        ({"until": date(2026, 11, 11)}, "not in force (2026-11-01 to 2026-11-11)"),
        ({"verbs": (Verb.block_install,)}, "does not allow remove"),
        ({"most_devices": 1}, "allows 1"),
    ],
)
def test_what_is_beyond_the_order_is_said(plan, changes, said):
    why = uncovered(replace(ORDER, **changes), plan, NOW)
    assert why is not None
    assert said in why.en
    assert "so-1" in why.fr


def test_a_text_that_only_recommends_is_its_own_matter(plan):
    advice = replace(plan, follow_recommended=True)
    assert "only recommend" in uncovered(ORDER, advice, NOW).en
    assert uncovered(replace(ORDER, recommended=True), advice, NOW) is None


def test_seeing_needs_no_order(plan):
    looked = replace(
        plan,
        steps=tuple(replace(step, verbs=(Verb.observe,)) for step in plan.steps),
        counts=PlanCounts(4, 0, 0, 4, 0, 0, 0),
    )
    nothing = replace(ORDER, verbs=(Verb.block_install,), most_devices=0)
    assert uncovered(nothing, looked, NOW + timedelta(days=1)) is None
