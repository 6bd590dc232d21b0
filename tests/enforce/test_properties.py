"""Whatever the order in which things happen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.connectors.base import Throttled, UnknownFate
from proscribe.enforce.loop import tick
from proscribe.enforce.means import Present
from proscribe.enforce.model import ActionState
from proscribe.text import Text

APPS = ("com.example.chat", "com.example.video")
SCOPES = ("a", "b")
LISTS = [(scope, part) for scope in SCOPES for part in ("work", "personal")]
CAREFUL = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SLOW_DOWN = Throttled(Text("slow", "lentement"), remedy=Text("wait", "attendez"), retry_after=None)
NO_ANSWER = UnknownFate(Text("no answer", "pas de réponse"), remedy=Text("wait", "attendez"))

worlds = st.fixed_dictionaries(
    {
        scope: st.fixed_dictionaries(
            {
                part: st.dictionaries(
                    st.sampled_from((*APPS, "org.example.maps")), st.sampled_from(("AVAILABLE", "BLOCKED", "KIOSK"))
                )
                for part in ("work", "personal")
            }
        )
        for scope in SCOPES
    }
)
orders = st.lists(
    st.tuples(st.sampled_from(LISTS), st.sets(st.sampled_from(APPS), min_size=1)), min_size=1, max_size=5, unique_by=str
)
faults = st.lists(st.sampled_from([None, None, SLOW_DOWN, NO_ANSWER]), max_size=12)


def plan_of(kit: Any, wanted: Any, directive: str = "ban") -> Any:
    return kit.plan_of(
        *(kit.step(scope, *sorted(apps), side=part) for (scope, part), apps in wanted), directive=directive
    )


def with_faults(bench: Any, before: list[Any], after: list[Any]) -> None:
    def strike(left: list[Any]) -> Any:
        return lambda call: left.pop() if left and call in ("send", "retract") else None

    bench.system.before = strike(list(before))
    # A system that has done it cannot have asked us to slow down instead.
    bench.system.after = strike([fault for fault in after if fault is not SLOW_DOWN])


def settle(bench: Any, present: Present, rounds: int = 60) -> None:
    for _ in range(rounds):
        bench.clock.advance(minutes=2)
        report = tick(bench.means, present)
        if report.settled and not report.counts:
            return
    pytest.fail(f"not settled: {report}")


@CAREFUL
@given(world=worlds, wanted=orders, before=faults, after=faults, doubled=st.integers(1, 3))
def test_whatever_fails_and_however_often_it_ticks_each_change_is_made_once(
    make_bench: Any, kit: Any, world: Any, wanted: Any, before: Any, after: Any, doubled: int
) -> None:
    bench = make_bench(world)
    plan = plan_of(kit, wanted)
    with_faults(bench, before, after)
    for _ in range(doubled):
        bench.adopt(plan)
        tick(bench.means, Present())
    settle(bench, Present())
    for (scope, part), apps in wanted:
        for app in apps:
            assert bench.world.lists()[scope][part][app] == "BLOCKED"
    assert {action.state for action in bench.actions()} == {ActionState.accepted}
    sent = bench.world.writes()
    assert len(sent) == len(set(sent)), "no order was sent twice"
    steps = {(scope, part, tuple(sorted(apps))) for (scope, part), apps in wanted}
    assert set(sent) <= steps
    untouched = set(LISTS) - {place for place, _ in wanted}
    for scope, part in untouched:
        assert bench.world.lists()[scope][part] == world[scope][part]


@CAREFUL
@given(world=worlds, wanted=orders, before=faults, after=faults)
def test_lifting_restores_exactly_what_others_had_set(
    make_bench: Any, kit: Any, world: Any, wanted: Any, before: Any, after: Any
) -> None:
    bench = make_bench(world)
    bench.adopt(plan_of(kit, wanted))
    settle(bench, Present())
    with_faults(bench, before, after)
    settle(bench, Present(lifted=frozenset({"ban"})))
    assert bench.world.lists() == world
    taken = [(scope, part, app) for scope, part, apps in bench.world.writes("retract") for app in apps]
    assert len(taken) == len(set(taken)), "nothing was taken back twice"


@CAREFUL
@given(
    world=worlds,
    first=orders,
    second=orders,
    lifts=st.permutations(["first", "second"]),
    early=st.booleans(),
)
def test_two_directives_never_take_each_others_entries(
    make_bench: Any, kit: Any, world: Any, first: Any, second: Any, lifts: list[str], early: bool
) -> None:
    bench = make_bench(world)
    wanted = {"first": first, "second": second}
    bench.adopt(plan_of(kit, first, "first"))
    if early:
        settle(bench, Present())
    bench.adopt(plan_of(kit, second, "second"))
    settle(bench, Present())
    settle(bench, Present(lifted=frozenset(lifts[:1])))
    for (scope, part), apps in wanted[lifts[1]]:
        for app in apps:
            assert bench.world.lists()[scope][part][app] == "BLOCKED", "the other directive still stands"
    settle(bench, Present(lifted=frozenset(lifts)))
    assert bench.world.lists() == world


@CAREFUL
@given(world=worlds, wanted=orders, barred=st.sets(st.sampled_from(SCOPES)))
def test_scopes_with_an_exempt_device_are_never_touched(
    make_bench: Any, kit: Any, world: Any, wanted: Any, barred: set[str]
) -> None:
    bench = make_bench(world)
    present = Present(barred={"ban": frozenset(("sim", scope) for scope in barred)})
    bench.adopt(plan_of(kit, wanted))
    for _ in range(3):
        bench.clock.advance(minutes=5)
        tick(bench.means, present)
        seen = kit.Seen(bench.world, bench.clock.now())
        tick(bench.means, Present(barred=present.barred, observations=seen))
    for scope in barred:
        assert bench.world.lists()[scope] == world[scope]
        assert not [row for row in bench.world.log() if row[1] == scope]


@CAREFUL
@given(
    wanted=orders,
    meddling=st.lists(st.tuples(st.sampled_from(LISTS), st.sampled_from(APPS)), max_size=6),
)
def test_what_is_taken_out_comes_back_and_lifting_still_restores(
    make_bench: Any, kit: Any, wanted: Any, meddling: Any
) -> None:
    bench = make_bench({scope: {} for scope in SCOPES})
    bench.adopt(plan_of(kit, wanted))
    settle(bench, Present())
    for (scope, part), app in meddling:
        bench.world.foreign(scope, part, app, None)
        bench.clock.advance(minutes=1)
        settle(bench, Present(observations=kit.Seen(bench.world, bench.clock.now())))
    settle(bench, Present(observations=kit.Seen(bench.world, bench.clock.now())))
    for (scope, part), apps in wanted:
        assert set(apps) <= set(bench.world.lists()[scope][part])
    settle(bench, Present(lifted=frozenset({"ban"})))
    assert bench.world.lists() == {scope: {"work": {}, "personal": {}} for scope in SCOPES}


def test_the_ledger_tells_the_whole_story(make_bench: Any, kit: Any) -> None:
    """Every write on the wire has an intent before it and a receipt after it, by key."""
    bench = make_bench({scope: {} for scope in SCOPES})
    bench.adopt(plan_of(kit, [(place, set(APPS)) for place in LISTS]))
    settle(bench, Present())
    settle(bench, Present(lifted=frozenset({"ban"})))
    entries = bench.entries()
    for action in bench.actions():
        told = [entry for entry in entries if entry.subject == action.key]
        assert [entry.entry.value for entry in told] == ["intent", "receipt", "lift", "receipt", "lift"]
        assert json.dumps([entry.body for entry in told])
