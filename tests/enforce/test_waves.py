"""When a wave may follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from proscribe.canonical import Digest
from proscribe.enforce.model import Action, ActionState, Outcome
from proscribe.enforce.waves import WaveRules, decide, progress
from proscribe.enforce.wording import orders, share
from proscribe.plan.model import Wave
from proscribe.terms import Side
from proscribe.text import devices

PLAN = Digest("sha256:" + "a" * 64)


def action(wave: int, state: ActionState, accepted_at: Any = None, *, scope: str = "", step: str = "s") -> Action:
    return Action(
        key=f"k{wave}{state}{scope}",
        directive="ban",
        plan=PLAN,
        step=step,
        system="sim",
        scope=scope or f"scope-{wave}",
        method="block",
        side=Side.work,
        app_ids=("x",),
        holders=(f"sim:{wave}",),
        wave=wave,
        state=state,
        accepted_at=accepted_at,
    )


@pytest.fixture
def two_waves(kit: Any) -> list[Action]:
    return [action(1, ActionState.accepted, kit.START), action(2, ActionState.waiting)]


def fleet(kit: Any, *kinds: Outcome, hours: float = 1) -> list[Any]:
    at = kit.START + timedelta(hours=hours)
    return [kit.outcome_of("scope-1", f"sim:{n}", kind, at) for n, kind in enumerate(kinds)]


GOOD, BAD, OPEN = Outcome.absent_verified, Outcome.failed, Outcome.pending_sync


@pytest.mark.parametrize(
    ("kinds", "starts"),
    [
        ([GOOD] * 10, True),
        ([GOOD] * 9 + [BAD], True),
        ([GOOD] * 8 + [BAD] * 2, False),
        ([GOOD] * 5 + [OPEN] * 5, True),
        ([GOOD] * 4 + [OPEN] * 6, False),
        ([OPEN] * 10, False),
        ([BAD] * 10, False),
        ([Outcome.refused_by_user] + [GOOD] * 3, True),
        ([Outcome.refused_by_user, OPEN], False),
        ([Outcome.refused_by_user, GOOD, BAD], False),
        ([Outcome.enforced_blind] * 5 + [Outcome.invisible] * 5, True),
        ([Outcome.contained, Outcome.removed_verified], True),
        ([Outcome.exempt, Outcome.impossible], True),
        ([Outcome.unknown, Outcome.stale], False),
        ([], False),
    ],
)
def test_the_rate_among_those_judged(kit: Any, two_waves: list[Action], kinds: list[Outcome], starts: bool) -> None:
    waves = {PLAN: [Wave(2, "rest", (), 1, 0.9)]}
    decision = decide(two_waves, fleet(kit, *kinds), waves, WaveRules(), kit.START + timedelta(hours=2))
    assert decision is not None
    assert bool(decision.start) is starts
    assert (decision.waits is None) is starts


def test_the_plans_rate_wins_over_the_usual_one(kit: Any, two_waves: list[Action]) -> None:
    seen = fleet(kit, GOOD, BAD)
    now = kit.START + timedelta(hours=2)
    generous = {PLAN: [Wave(2, "rest", (), 1, 0.5)]}
    assert decide(two_waves, seen, generous, WaveRules(), now).start  # type: ignore[union-attr]
    assert not decide(two_waves, seen, {}, WaveRules(), now).start  # type: ignore[union-attr]
    assert decide(two_waves, seen, {}, WaveRules(success_rate=0.4), now).start  # type: ignore[union-attr]
    nothing = {PLAN: [Wave(2, "rest", (), 1, 0.0)]}
    assert decide(two_waves, fleet(kit, BAD, BAD), nothing, WaveRules(), now).start  # type: ignore[union-attr]


def test_an_outcome_from_before_the_order_does_not_count(kit: Any, two_waves: list[Action]) -> None:
    for hours in (-1, 0):
        stand = progress(two_waves[:1], fleet(kit, GOOD, hours=hours))
        assert (stand.reached, stand.judged) == (1, 0)


def test_time_runs_out_and_the_wave_is_held_not_started(kit: Any, two_waves: list[Action]) -> None:
    rules = WaveRules(hold_after=timedelta(hours=24))
    early = decide(two_waves, fleet(kit, OPEN), {}, rules, kit.START + timedelta(hours=24))
    late = decide(two_waves, fleet(kit, OPEN), {}, rules, kit.START + timedelta(hours=25))
    assert "waits" in early.waits.en  # type: ignore[union-attr]
    assert "held" in late.waits.en  # type: ignore[union-attr]
    assert "retenue" in late.waits.fr  # type: ignore[union-attr]
    assert late.start == ()  # type: ignore[union-attr]


def test_all_earlier_orders_must_be_settled(kit: Any) -> None:
    now = kit.START + timedelta(hours=2)
    for state in (ActionState.ready, ActionState.sending):
        actions = [
            action(1, ActionState.accepted, kit.START),
            action(1, state, scope="other"),
            action(2, ActionState.waiting),
        ]
        decision = decide(actions, fleet(kit, GOOD), {}, WaveRules(), now)
        assert decision is not None
        assert decision.start == ()
        assert "1 order " in decision.waits.en  # type: ignore[union-attr]


def test_waves_may_be_numbered_with_gaps_and_from_nought(kit: Any) -> None:
    first = [action(0, ActionState.waiting), action(5, ActionState.waiting)]
    assert [each.wave for each in decide(first, [], {}, WaveRules(), kit.START).start] == [0]  # type: ignore[union-attr]
    assert decide([action(1, ActionState.accepted, kit.START)], [], {}, WaveRules(), kit.START) is None
    found = [action(0, ActionState.accepted, kit.START, step=""), action(1, ActionState.waiting)]
    assert decide(found, [], {}, WaveRules(), kit.START).start, "in place is no wave"  # type: ignore[union-attr]


def test_nobody_found_where_somebody_was_expected_is_no_success(kit: Any, two_waves: list[Action]) -> None:
    elsewhere = [kit.outcome_of("far", "sim:9", GOOD, kit.START + timedelta(hours=1))]
    decision = decide(two_waves, elsewhere, {}, WaveRules(), kit.START + timedelta(hours=2))
    assert decision is not None
    assert decision.start == ()


def test_counts_read_well_in_both_languages() -> None:
    assert (devices(1).en, devices(1).fr) == ("1 device", "1 appareil")
    assert (devices(0).en, devices(0).fr) == ("0 devices", "0 appareil")
    assert (devices(12_345).en, devices(12_345).fr) == ("12,345 devices", "12\u00a0345 appareils")
    assert (orders(2).en, orders(2).fr) == ("2 orders", "2 ordres")
    assert (share(0.95).en, share(0.95).fr) == ("95%", "95\u00a0%")
    assert (share(0.9499).en, share(0.9499).fr) == ("94.9%", "94,9\u00a0%")
    assert share(1.0).en == "100%"
    assert share(0.0).en == "0%"
