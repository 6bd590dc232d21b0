"""Block, then the records hold, then remove; and orders to one device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from proscribe.connectors.base import Rejected
from proscribe.enforce.loop import tick
from proscribe.enforce.means import Present
from proscribe.enforce.model import ActionState, Outcome
from proscribe.enforce.order import blocks_ahead, only_removes, removes
from proscribe.plan.model import Reach, Verb
from proscribe.text import Text

APP = "com.example.chat"


class Devicewise:
    """A system that blocks by scope and removes device by device, over the file system of the other tests."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def capabilities(self) -> Any:
        block, take = self._inner.capabilities
        return (
            replace(block, verb=Verb.block_launch, reach=Reach.group),
            replace(take, verb=Verb.remove, reach=Reach.device, side=block.side, method="take"),
        )

    def in_place(self, scope: Any, method: str, side: Any) -> Any:
        return self._inner.in_place(scope, method, side)


@pytest.fixture
def line(make_bench: Any, kit: Any) -> Any:
    bench = make_bench({"staff": {}, "sim:staff-1": {}})
    system = Devicewise(bench.system)
    bench.means = replace(bench.means, connectors={"sim": system})
    bench.system = system
    block = kit.step("staff", APP, verbs=(Verb.block_launch,), reach=Reach.group)
    take = kit.step(
        "sim:staff-1", APP, verbs=(Verb.remove,), reach=Reach.device, method="take", holders=("sim:staff-1",)
    )
    bench.adopt(kit.plan_of(block, take))
    return bench


def states(bench: Any) -> dict[str, str]:
    return {action.scope: action.state.value for action in bench.actions()}


def test_what_a_method_does_is_read_from_its_rows(line: Any) -> None:
    assert only_removes(line.system, "take")
    assert removes(line.system, "take")
    assert not only_removes(line.system, "block")
    assert not removes(line.system, "block")
    assert not only_removes(line.system, "unheard of")


def test_the_removal_waits_for_the_block(line: Any) -> None:
    line.system._inner.before = refuse_blocks(line)
    report = tick(line.means, Present())
    assert states(line) == {"staff": "ready", "sim:staff-1": "ready"}
    assert any("wait until the block of staff" in text.en for text in report.waits)
    line.system._inner.before = lambda _: None
    line.clock.advance(minutes=10)
    tick(line.means, Present())
    assert states(line)["staff"] == "accepted"
    tick(line.means, Present())
    assert states(line) == {"staff": "accepted", "sim:staff-1": "accepted"}
    assert [scope for scope, _, _ in line.world.writes()] == ["staff", "sim:staff-1"]


def refuse_blocks(bench: Any) -> Any:
    from proscribe.connectors.base import Throttled
    from proscribe.text import Text

    return lambda call: (
        Throttled(Text("slow", "lent"), remedy=Text("wait", "attendez"), retry_after=60) if call == "send" else None
    )


def test_a_block_that_was_refused_for_good_holds_the_removal_back(line: Any) -> None:
    (block,) = [action for action in line.actions() if action.scope == "staff"]
    assert blocks_ahead([replace(block, state=ActionState.rejected)], line.means.connectors) == {
        ("ban", "sim", "sim:staff-1"): "staff"
    }
    assert blocks_ahead([replace(block, state=ActionState.accepted)], line.means.connectors) == {}
    assert blocks_ahead([block], {}) == {}


def test_under_a_records_hold_the_block_goes_and_the_removal_stays(line: Any) -> None:
    held = Present(kept=frozenset({("sim", "sim:staff-1")}))
    for _ in range(3):
        report = tick(line.means, held)
    assert states(line) == {"staff": "accepted", "sim:staff-1": "ready"}
    assert any("records hold" in text.en and "mise en suspens" in text.fr for text in report.waits)
    tick(line.means, Present())
    assert states(line)["sim:staff-1"] == "accepted"


def test_a_shared_change_that_removes_is_held_back_too(make_bench: Any, kit: Any) -> None:
    bench = make_bench({"a": {}})
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present(kept=frozenset({("sim", "a")})))
    assert states(bench) == {"a": "ready"}
    assert bench.world.writes() == []


class Came:
    """Observations in which one device says that the app is back, in a scope of the same version."""

    def __init__(self, bench: Any) -> None:
        self._world, self.taken_at = bench.world, bench.clock.now()

    def scope(self, system: str, scope: str) -> Any:
        return self._world.scope(scope) if system == "sim" else None


def test_an_app_that_comes_back_is_removed_again(line: Any) -> None:
    for _ in range(2):
        tick(line.means, Present())
    assert states(line) == {"staff": "accepted", "sim:staff-1": "accepted"}
    line.clock.advance(hours=1)
    with line.world.open() as data:  # the user installs it again: no setting changes, so no version does
        data["scopes"]["sim:staff-1"]["work"].pop(APP)
    report = tick(line.means, Present(observations=Came(line)))
    assert report.counts["drifted"] == 1
    assert any("still, or again," in text.en and "encore, ou de nouveau," in text.fr for text in report.happened)
    assert [scope for scope, _, _ in line.world.writes()] == ["staff", "sim:staff-1", "sim:staff-1"]
    line.clock.advance(hours=1)
    assert "drifted" not in tick(line.means, Present(observations=Came(line))).counts


def test_an_order_that_waits_for_its_device_does_not_hold_the_next_wave(line: Any, kit: Any) -> None:
    """The phone is not judged meanwhile, so the quorum of its wave still counts it."""
    from proscribe.enforce.waves import WaveRules, decide

    block, take = sorted(line.actions(), key=lambda action: action.scope, reverse=True)
    assert (block.scope, take.scope) == ("staff", "sim:staff-1")
    done = replace(block, state=ActionState.accepted, accepted_at=kit.START)
    stuck = replace(take, state=ActionState.ready)
    later = replace(block, key="later", scope="rest", wave=2, state=ActionState.waiting)
    seen = line.clock.advance(hours=1)
    good = [kit.outcome_of("staff", f"sim:staff-{n}", Outcome.contained, seen) for n in (1, 2, 3)]
    decision = decide([done, stuck, later], good, {}, WaveRules(), seen)
    assert decision is not None
    assert decision.start == (later,)
    # With nobody else in the wave there is no answer at all, and the wave waits.
    alone = decide([done, stuck, later], good[:1], {}, WaveRules(), seen)
    assert alone is not None
    assert alone.start == ()
    assert alone.waits is not None
    # A shared order that was not sent holds the next wave back, as ever.
    unsent = decide([replace(done, state=ActionState.ready), stuck, later], good, {}, WaveRules(), seen)
    assert unsent is not None
    assert unsent.start == ()


def test_the_journal_of_an_order_to_one_device_names_no_device(line: Any) -> None:
    for _ in range(2):
        tick(line.means, Present())
    assert states(line)["sim:staff-1"] == "accepted"
    said = [entry for entry in line.entries() if entry.entry.value in ("intent", "receipt")]
    assert {entry.body["scope"] for entry in said} == {"staff", ""}
    rest = [{name: value for name, value in entry.body.items() if name != "step"} for entry in line.entries()]
    assert not any("sim:staff-1" in str(body) for body in rest), "a step's id is a digest outside of this test"


@pytest.mark.parametrize("named", ["sim:staff-1", "staff-1"])
def test_a_fault_that_names_its_device_does_not_bring_the_name_into_the_ledger(line: Any, named: str) -> None:
    said = Text(f"{named} is not enrolled (no row for {named})", f"{named} n'est pas inscrit")
    refused = Rejected(said, remedy=Text("Enrol it.", "Inscrivez-le."))
    line.system._inner.before = lambda _: refused if states(line)["staff"] == "accepted" else None
    for _ in range(2):
        tick(line.means, Present())
    bodies = [str(entry) for entry in line.entries() if "the device is not enrolled" in str(entry)]
    assert len(bodies) == 1
    assert not [entry for entry in line.entries() if "staff-1 is" in str(entry) or "for staff-1" in str(entry)]
    (action,) = line.actions(scope="sim:staff-1")
    assert action.last_error == "the device is not enrolled (no row for the device)"
