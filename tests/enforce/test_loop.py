"""The tick: sending, faults, freeze, waves, drift, lifting."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import proscribe.store
from proscribe.connectors.base import ConnectorFault, NotAuthorised, Rejected, Throttled, UnknownFate
from proscribe.documents import digest
from proscribe.enforce.adopt import Ground, adopt
from proscribe.enforce.loop import tick
from proscribe.enforce.means import Present
from proscribe.enforce.model import ActionState, Outcome
from proscribe.plan.model import Effect
from proscribe.text import Text

WHAT = Text("no answer", "pas de réponse")
NEXT = Text("wait", "attendez")
APP, OTHER = "com.example.chat", "com.example.video"


def once(fault: Exception) -> Any:
    """A fault that strikes one time."""
    left = [fault]
    return lambda call: left.pop() if left and call in ("send", "retract") else None


def states(bench: Any) -> list[str]:
    return [action.state.value for action in bench.actions()]


# --- sending ---------------------------------------------------------------------------------------------------------


def test_an_order_is_written_down_sent_and_receipted(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP, OTHER)))
    report = tick(bench.means, Present())
    assert report.counts == {"started": 1, "sent": 1}
    assert report.settled
    assert bench.world.lists()["a"]["work"] == {APP: "BLOCKED", OTHER: "BLOCKED"}
    (action,) = bench.actions()
    assert action.state is ActionState.accepted
    assert action.accepted_at == kit.START
    assert action.scope_version == 2
    assert action.ours == (APP, OTHER)
    assert action.prior == f'{{"{APP}":null,"{OTHER}":null}}'
    assert (action.turn, action.ended, action.attempts) == (1, 0, 1)
    kinds = [(entry.entry.value, entry.subject == action.key) for entry in bench.entries()]
    assert kinds == [("plan", False), ("wave", False), ("intent", True), ("receipt", True)]
    receipt = bench.entries()[-1].body
    assert receipt["directive"] == "ban"
    assert receipt["status"] == 200
    assert receipt["request"].startswith("sha256:")


def test_the_intent_is_stored_before_the_first_byte(bench: Any, kit: Any) -> None:
    seen = []

    def look(call: str) -> None:
        if call == "send":
            (action,) = bench.actions()
            seen.append((action.state, action.prior, bench.entries()[-1].entry.value))

    bench.system.before = look
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    assert seen == [(ActionState.sending, f'{{"{APP}":null}}', "intent")]


def test_no_journal_entry_names_a_device(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert not [entry for entry in bench.entries() if "sim:a-1" in str(entry)]
    assert all("directive" in entry.body for entry in bench.entries())


def test_what_is_in_place_is_accepted_and_not_sent(make_bench: Any, kit: Any) -> None:
    bench = make_bench({"a": {"work": {APP: "BLOCKED"}}})
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    report = tick(bench.means, Present())
    assert report.counts == {"started": 1, "in_place": 1}
    assert bench.world.log() == []
    (action,) = bench.actions()
    assert (action.state, action.ours, action.attempts) == (ActionState.accepted, (), 0)
    assert bench.entries()[-1].body["status"] == 0


def test_doubled_ticks_change_nothing(bench: Any, kit: Any) -> None:
    plan = kit.plan_of(kit.step("a", APP), kit.step("b", APP))
    bench.adopt(plan)
    tick(bench.means, Present())
    before, entries = bench.actions(), len(bench.entries())
    for _ in range(3):
        assert not bench.adopt(plan).changed
        assert tick(bench.means, Present()).counts == {}
    assert bench.actions() == before
    assert len(bench.entries()) == entries
    assert len(bench.world.log()) == 2


def test_a_reply_that_never_came_is_looked_up_and_not_sent_again(bench: Any, kit: Any) -> None:
    bench.system.after = once(UnknownFate(WHAT, remedy=NEXT))
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    report = tick(bench.means, Present())
    assert states(bench) == ["sending"]
    assert report.unsettled == 1
    assert report.next_at is not None
    assert report.next_at >= kit.START + timedelta(seconds=5)
    assert tick(bench.means, Present()).counts == {}, "nobody looks before the system had time to settle"
    bench.clock.advance(minutes=2)
    report = tick(bench.means, Present())
    assert report.counts == {"in_place": 1}
    (action,) = bench.actions()
    assert action.ours == (APP,), "it is ours, and lifting must know"
    assert action.prior == f'{{"{APP}":null}}'
    assert len(bench.world.writes()) == 1
    assert bench.entries()[-1].body["sent_before"] is True


def test_a_request_that_never_arrived_is_sent_again(bench: Any, kit: Any) -> None:
    bench.system.before = once(UnknownFate(WHAT, remedy=NEXT))
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    assert bench.world.log() == []
    bench.clock.advance(minutes=2)
    assert tick(bench.means, Present()).counts == {"sent": 1}
    assert len(bench.world.writes()) == 1


def test_a_request_that_arrived_in_part_keeps_what_others_had_set(make_bench: Any, kit: Any) -> None:
    bench = make_bench({"a": {"work": {OTHER: "AVAILABLE"}}})
    bench.system.before = once(UnknownFate(WHAT, remedy=NEXT))
    bench.adopt(kit.plan_of(kit.step("a", APP, OTHER)))
    tick(bench.means, Present())
    bench.world.foreign("a", "work", OTHER, "BLOCKED")  # stands for the half of our own request that arrived
    bench.clock.advance(minutes=2)
    tick(bench.means, Present())
    (action,) = bench.actions()
    assert action.prior == f'{{"{APP}":null,"{OTHER}":"AVAILABLE"}}'
    assert action.ours == (APP, OTHER)
    tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert bench.world.lists()["a"]["work"] == {OTHER: "AVAILABLE"}


@pytest.mark.parametrize(("retry_after", "shortest"), [(30.0, 30.0), (None, 0.0), (0.0, 0.0)])
def test_throttled_waits_as_told_or_with_jitter(
    bench: Any, kit: Any, retry_after: float | None, shortest: float
) -> None:
    bench.system.before = once(Throttled(WHAT, remedy=NEXT, retry_after=retry_after))
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    report = tick(bench.means, Present())
    assert report.counts == {"started": 1, "throttled": 1}
    (action,) = bench.actions()
    assert action.state is ActionState.ready, "a 429 is an answer: it was not done"
    assert action.not_before is not None
    wait = (action.not_before - kit.START).total_seconds()
    assert wait >= shortest
    assert wait <= 60
    if retry_after is not None:
        assert wait == retry_after
    assert bench.entries()[-1].body["code"] == "connector.throttled"
    bench.clock.advance(minutes=2)
    assert tick(bench.means, Present()).counts == {"sent": 1}


def test_jitter_is_bounded_and_spread(bench: Any) -> None:
    waits = [bench.means.backoff(attempts).total_seconds() for attempts in [0, 1, 2, 3, 50] * 50]
    assert min(waits) >= 0
    assert max(waits) <= 60
    assert len(set(waits)) > 200
    assert all(wait <= 2.0 for wait in waits[::5])


def test_refused_credentials_stop_that_system_alone(make_bench: Any, kit: Any) -> None:
    bench = make_bench({"a": {}, "b": {}, "c": {}})
    other = kit.FileSystem(bench.world, bench.clock, name="sim2")
    refused = NotAuthorised(WHAT, remedy=NEXT)
    bench.system.before = lambda call: refused
    means = replace(bench.means, connectors={"sim": bench.system, "sim2": other})
    bench.adopt(kit.plan_of(kit.step("a", APP), kit.step("b", APP), kit.step("c", APP, system="sim2")))
    report = tick(means, Present())
    assert bench.system.calls == ["prepare"], "one refusal is enough"
    assert report.counts == {"started": 3, "not_authorised": 1, "sent": 1}
    assert report.errors == (refused,)
    bench.system.before = lambda call: None
    assert tick(means, Present()).counts == {"sent": 2}, "and renewed credentials need nothing else"


def test_a_refused_order_stays_refused_until_a_person_asks(bench: Any, kit: Any) -> None:
    bench.system.before = once(Rejected(WHAT, remedy=NEXT))
    plan = kit.plan_of(kit.step("a", APP))
    bench.adopt(plan)
    report = tick(bench.means, Present())
    assert report.counts == {"started": 1, "rejected": 1}
    assert states(bench) == ["rejected"]
    assert bench.actions()[0].last_error == "no answer"
    assert len(report.errors) == 1
    assert str(report.errors[0].where) == "sim, a (work side)", "a person must know which scope it is about"
    again = tick(bench.means, Present())
    assert not again.errors
    assert "a of sim refused 1 order" in again.waits[0].en, "what stays refused is said at every tick"
    assert not tick(bench.means, Present(lifted=frozenset({"ban"}))).waits
    later = replace(plan, created_at=kit.START + timedelta(hours=1))
    assert not bench.adopt(later).changed, "a standing order does not knock again"
    assert bench.adopt(later, retry_rejected=True).added == 1
    report = tick(bench.means, Present())
    assert report.counts == {"started": 1, "sent": 1}
    assert report.waits == (), "the newer order has taken its place"


@pytest.mark.parametrize("closed", ["a", "b", "c"])
def test_access_refused_to_one_scope_does_not_starve_the_others(make_bench: Any, kit: Any, closed: str) -> None:
    bench = make_bench({"a": {}, "b": {}, "c": {}})
    bench.adopt(kit.plan_of(kit.step("a", APP), kit.step("b", APP), kit.step("c", APP)))
    prepare = bench.system.prepare

    def refusing(order: Any) -> Any:
        if order.scope == closed:
            raise NotAuthorised(WHAT, remedy=NEXT)
        return prepare(order)

    bench.system.prepare = refusing
    first, second = tick(bench.means, Present()), tick(bench.means, Present())
    assert first.counts["not_authorised"] == second.counts["not_authorised"] == 1
    assert sorted(states(bench)) == ["accepted", "accepted", "ready"]


def test_a_system_without_a_connector_waits_and_says_so(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP, system="elsewhere")))
    report = tick(bench.means, Present())
    assert states(bench) == ["ready"]
    assert "elsewhere" in report.waits[0].en
    assert "elsewhere" in report.waits[0].fr


def test_two_workers_at_once_send_once(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(*(kit.step(name, APP) for name in "abc")))
    meet = threading.Barrier(4)
    reports: list[Any] = []

    def worker() -> None:
        meet.wait()
        reports.extend(tick(bench.means, Present()) for _ in range(3))
        proscribe.store.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(reports) == 12
    assert sorted(bench.world.writes()) == [(name, "work", (APP,)) for name in "abc"]
    assert states(bench) == ["accepted"] * 3
    assert sum(report.counts.get("sent", 0) for report in reports) == 3


def test_a_scope_in_flight_elsewhere_is_left_alone(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP), kit.step("b", APP)))
    with bench.means.repository.flight("sim", "a") as mine:
        assert mine
        report = tick(bench.means, Present())
    assert report.counts == {"started": 2, "busy": 1, "sent": 1}
    assert [scope for scope, *_ in bench.world.writes()] == ["b"]


# --- freeze ----------------------------------------------------------------------------------------------------------


def test_freeze_stops_everything_and_thaw_goes_on(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    bench.means.freeze.freeze(actor="role", reason="", at=kit.START)
    report = tick(bench.means, Present())
    assert report.frozen
    assert report.counts == {}
    assert bench.system.calls == []
    assert states(bench) == ["waiting"]
    bench.means.freeze.thaw(actor="role", reason="", at=kit.START)
    assert tick(bench.means, Present()).counts == {"started": 1, "sent": 1}


def test_a_freeze_in_the_middle_stops_before_the_next_send(bench: Any, kit: Any) -> None:
    def freeze_after_first(call: str) -> None:
        if call == "send":
            bench.means.freeze.freeze(actor="role", reason="", at=kit.START)

    bench.system.after = freeze_after_first
    bench.adopt(kit.plan_of(*(kit.step(name, APP) for name in "abc")))
    report = tick(bench.means, Present())
    assert report.counts == {"started": 3, "sent": 1}
    assert len(bench.world.log()) == 1
    assert sorted(states(bench)) == ["accepted", "ready", "ready"]


def test_a_freeze_between_look_and_send_is_seen(bench: Any, kit: Any) -> None:
    def freeze(call: str) -> None:
        if call == "prepare":
            bench.means.freeze.freeze(actor="role", reason="", at=kit.START)

    bench.system.before = freeze
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    assert bench.world.log() == []
    assert states(bench) == ["ready"]


# --- waves -----------------------------------------------------------------------------------------------------------


def test_the_next_wave_waits_for_the_one_before(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP), kit.step("b", APP, wave=2)))
    report = tick(bench.means, Present())
    assert report.counts == {"started": 1, "sent": 1}
    assert report.waiting == 1
    assert tick(bench.means, Present()).waits, "it says what it waits for"
    old = [kit.outcome_of("a", "sim:a-1", Outcome.absent_verified, kit.START - timedelta(hours=1))]
    assert tick(bench.means, Present(outcomes={"ban": old})).waiting == 1, "seen before the order proves nothing"
    good = [kit.outcome_of("a", "sim:a-1", Outcome.absent_verified, kit.START + timedelta(hours=1))]
    bench.clock.advance(hours=2)
    report = tick(bench.means, Present(outcomes={"ban": good}))
    assert report.counts == {"started": 1, "sent": 1}
    assert report.waiting == 0
    waves = [entry.body["wave"] for entry in bench.entries() if entry.entry.value == "wave"]
    assert waves == [1, 2]


def test_an_order_that_was_refused_holds_the_next_wave_by_its_devices(bench: Any, kit: Any) -> None:
    bench.system.before = once(Rejected(WHAT, remedy=NEXT))
    bench.adopt(kit.plan_of(kit.step("a", APP), kit.step("b", APP, wave=2)))
    tick(bench.means, Present())
    bad = [kit.outcome_of("a", "sim:a-1", Outcome.failed, kit.START + timedelta(hours=1))]
    report = tick(bench.means, Present(outcomes={"ban": bad}))
    assert report.waiting == 1
    assert "0 of the 1" in report.waits[0].en


# --- exemptions ------------------------------------------------------------------------------------------------------


def test_an_exemption_made_after_the_plan_stops_the_send(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP), kit.step("b", APP)))
    report = tick(bench.means, Present(barred={"ban": frozenset({("sim", "a")})}))
    assert [scope for scope, *_ in bench.world.writes()] == ["b"]
    assert "exempt" in report.waits[0].en
    assert bench.system.calls == ["prepare", "send"]


# --- a newer plan ----------------------------------------------------------------------------------------------------


def test_a_newer_plan_replaces_what_was_not_sent(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP), kit.step("b", APP, wave=2), kit.step("c", APP, wave=2)))
    tick(bench.means, Present())
    newer = kit.plan_of(kit.step("a", APP), kit.step("c", APP, wave=3), created_at=kit.START + timedelta(days=1))
    done = bench.adopt(newer)
    assert (done.added, done.superseded) == (0, 1)
    by_scope = {action.scope: action for action in bench.actions()}
    assert by_scope["a"].state is ActionState.accepted
    assert by_scope["b"].state is ActionState.superseded
    assert (by_scope["c"].state, by_scope["c"].wave) == (ActionState.waiting, 3)
    assert by_scope["c"].plan != by_scope["a"].plan


def test_scopes_that_block_already_get_a_moment_to_judge_by(make_bench: Any, kit: Any) -> None:
    bench = make_bench({"a": {"work": {APP: "BLOCKED", "com.example.maps": "BLOCKED"}}, "b": {}})
    done = bench.adopt(kit.plan_of(kit.step("b", APP)), app_ids=(APP, OTHER))
    assert (done.added, done.found_in_place) == (1, 1)
    found = next(action for action in bench.actions() if action.scope == "a")
    assert (found.app_ids, found.ours, found.accepted_at) == ((APP,), (), kit.START)
    bench.clock.advance(days=1)
    assert not bench.adopt(kit.plan_of(kit.step("b", APP)), app_ids=(APP, OTHER)).changed, "the first moment stays"
    assert tick(bench.means, Present()).counts == {"started": 1, "sent": 1}, "and it holds no wave up"
    tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert bench.world.lists()["a"]["work"] == {APP: "BLOCKED", "com.example.maps": "BLOCKED"}


def test_what_blocked_by_itself_and_stops_is_reported_and_not_ordered(make_bench: Any, kit: Any) -> None:
    bench = make_bench({"a": {"work": {APP: "BLOCKED"}}})
    bench.adopt(kit.plan_of(), app_ids=(APP,))
    bench.world.foreign("a", "work", APP, None)
    bench.clock.advance(hours=1)
    report = tick(bench.means, Present(observations=kit.Seen(bench.world, bench.clock.now())))
    assert report.counts == {"drifted": 1}
    assert "plan again" in report.waits[0].en
    assert states(bench) == ["superseded"]
    assert bench.world.log() == []


# --- drift -----------------------------------------------------------------------------------------------------------


def test_what_somebody_took_out_is_put_back_once(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP, OTHER)))
    tick(bench.means, Present())
    bench.world.foreign("a", "work", OTHER, "AVAILABLE")
    seen_before = kit.Seen(bench.world, kit.START)
    assert tick(bench.means, Present(observations=seen_before)).counts == {}, "an older look shows nothing"
    bench.clock.advance(hours=1)
    seen = kit.Seen(bench.world, bench.clock.now())
    report = tick(bench.means, Present(observations=seen))
    assert report.counts == {"drifted": 1, "sent": 1}
    assert bench.world.writes() == [("a", "work", (APP, OTHER)), ("a", "work", (OTHER,))]
    assert tick(bench.means, Present(observations=seen)).counts == {}, "the same look a second time"
    bench.clock.advance(hours=1)
    assert tick(bench.means, Present(observations=kit.Seen(bench.world, bench.clock.now()))).counts == {}
    again = [action for action in bench.actions() if action.app_ids == (OTHER,)]
    assert again[0].prior == f'{{"{OTHER}":"AVAILABLE"}}'
    tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert bench.world.lists()["a"]["work"] == {OTHER: "AVAILABLE"}, "what others last wanted comes back"


def test_drift_while_the_first_answer_is_still_out_is_ordered_once(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    bench.world.foreign("a", "work", APP, None)
    bench.system.before = once(Throttled(WHAT, remedy=NEXT, retry_after=600))
    for _ in range(3):
        bench.clock.advance(minutes=1)
        bench.world.foreign("a", "work", "com.example.maps", "AVAILABLE")  # the version goes on
        tick(bench.means, Present(observations=kit.Seen(bench.world, bench.clock.now())))
    assert len(bench.actions()) == 2
    bench.clock.advance(minutes=20)
    tick(bench.means, Present(observations=kit.Seen(bench.world, bench.clock.now())))
    assert len(bench.world.writes()) == 2


def test_a_scope_that_is_gone_is_not_drift(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    with bench.world.open() as data:
        del data["scopes"]["a"]
    bench.clock.advance(hours=1)
    assert tick(bench.means, Present(observations=kit.Seen(bench.world, bench.clock.now()))).counts == {}


# --- lifting ---------------------------------------------------------------------------------------------------------


def test_lifting_restores_what_others_had_and_only_that(make_bench: Any, kit: Any) -> None:
    before = {"work": {APP: "AVAILABLE", "com.example.maps": "FORCE_INSTALLED"}, "personal": {OTHER: "BLOCKED"}}
    bench = make_bench({"a": before})
    bench.adopt(kit.plan_of(kit.step("a", APP, OTHER), kit.step("a", APP, OTHER, side="personal")))
    tick(bench.means, Present())
    assert bench.world.lists()["a"]["personal"] == {APP: "BLOCKED", OTHER: "BLOCKED"}
    report = tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert report.counts == {"lifted": 2}
    assert bench.world.lists()["a"] == before
    assert set(states(bench)) == {"lifted"}
    log = len(bench.world.log())
    assert tick(bench.means, Present(lifted=frozenset({"ban"}))).counts == {}
    assert len(bench.world.log()) == log


def test_lifting_leaves_what_others_changed_since(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP, OTHER)))
    tick(bench.means, Present())
    bench.world.foreign("a", "work", OTHER, "FORCE_INSTALLED")
    tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert bench.world.lists()["a"]["work"] == {OTHER: "FORCE_INSTALLED"}
    assert bench.world.writes("retract") == [("a", "work", (APP,))]


def test_lifting_drops_what_was_not_sent(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP), kit.step("b", APP, wave=2)))
    tick(bench.means, Present())
    report = tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert report.counts == {"superseded": 1, "lifted": 1}
    assert bench.world.lists()["a"]["work"] == {}


@pytest.mark.parametrize("arrived", [True, False])
def test_lifting_what_was_under_way(bench: Any, kit: Any, arrived: bool) -> None:
    fault = once(UnknownFate(WHAT, remedy=NEXT))
    if arrived:
        bench.system.after = fault
    else:
        bench.system.before = fault
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    for _ in range(3):
        bench.clock.advance(minutes=5)
        tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert states(bench) == ["lifted" if arrived else "superseded"]
    assert bench.world.lists()["a"]["work"] == {}
    assert len(bench.world.writes()) == (1 if arrived else 0)


@pytest.mark.parametrize("arrived", [True, False])
def test_an_unknown_fate_while_lifting(bench: Any, kit: Any, arrived: bool) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    fault = once(UnknownFate(WHAT, remedy=NEXT))
    if arrived:
        bench.system.after = fault
    else:
        bench.system.before = fault
    lifted = Present(lifted=frozenset({"ban"}))
    tick(bench.means, lifted)
    assert states(bench) == ["lifting"]
    assert tick(bench.means, lifted).counts == {}
    bench.clock.advance(minutes=5)
    assert tick(bench.means, lifted).counts == {"lifted": 1}
    assert len(bench.world.writes("retract")) == 1
    assert bench.world.lists()["a"]["work"] == {}


def test_a_lift_that_is_refused_stays_open_and_is_tried_again_later(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    bench.system.before = once(Rejected(WHAT, remedy=NEXT))
    report = tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert states(bench) == ["lifting"]
    assert len(report.errors) == 1
    bench.clock.advance(minutes=5)
    assert tick(bench.means, Present(lifted=frozenset({"ban"}))).counts == {"lifted": 1}


def test_a_frozen_lift_takes_nothing_back(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())

    def freeze(call: str) -> None:
        if call == "prepare":
            bench.means.freeze.freeze(actor="role", reason="", at=kit.START)

    bench.system.before = freeze
    tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert bench.world.writes("retract") == []


def test_a_ban_can_be_set_again_after_it_was_lifted(bench: Any, kit: Any) -> None:
    plan = kit.plan_of(kit.step("a", APP))
    bench.adopt(plan)
    tick(bench.means, Present())
    tick(bench.means, Present(lifted=frozenset({"ban"})))
    assert bench.adopt(plan).added == 1
    assert tick(bench.means, Present()).counts == {"started": 1, "sent": 1}
    assert sorted(states(bench)) == ["accepted", "lifted"]


def test_an_app_that_two_directives_ban_stays_until_both_are_lifted(make_bench: Any, kit: Any) -> None:
    bench = make_bench({"a": {"work": {APP: "AVAILABLE"}}})
    bench.adopt(kit.plan_of(kit.step("a", APP, OTHER), directive="first"))
    tick(bench.means, Present())
    bench.adopt(kit.plan_of(kit.step("a", APP), directive="second"))
    assert tick(bench.means, Present()).counts == {"started": 1, "in_place": 1}
    tick(bench.means, Present(lifted=frozenset({"first"})))
    assert bench.world.lists()["a"]["work"] == {APP: "BLOCKED"}, "the second directive still bans it"
    tick(bench.means, Present(lifted=frozenset({"first", "second"})))
    assert bench.world.lists()["a"]["work"] == {APP: "AVAILABLE"}, "and what was there before the first comes back"


def test_what_others_blocked_after_us_is_not_ours(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP), directive="first"))
    tick(bench.means, Present())
    tick(bench.means, Present(lifted=frozenset({"first"})))
    bench.world.foreign("a", "work", APP, "BLOCKED")
    bench.adopt(kit.plan_of(kit.step("a", APP), directive="second"))
    tick(bench.means, Present(lifted=frozenset({"first"})))
    tick(bench.means, Present(lifted=frozenset({"first", "second"})))
    assert bench.world.lists()["a"]["work"] == {APP: "BLOCKED"}


def test_the_memory_of_what_was_there_outlives_its_keeper(make_bench: Any, kit: Any) -> None:
    """first sets it, second finds it, first goes, third finds it, second goes, third goes."""
    bench = make_bench({"a": {"work": {APP: "AVAILABLE"}}})
    gone: set[str] = set()
    for name, leaves in (("first", ""), ("second", "first"), ("third", "second")):
        bench.adopt(kit.plan_of(kit.step("a", APP), directive=name))
        tick(bench.means, Present(lifted=frozenset(gone)))
        if leaves:
            gone.add(leaves)
            tick(bench.means, Present(lifted=frozenset(gone)))
            assert bench.world.lists()["a"]["work"] == {APP: "BLOCKED"}
    tick(bench.means, Present(lifted=frozenset({"first", "second", "third"})))
    assert bench.world.lists()["a"]["work"] == {APP: "AVAILABLE"}
    assert len(bench.world.log()) == 2, "one send, one retraction"


# --- a worker that dies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arrived", [True, False])
def test_the_time_to_settle_counts_from_where_the_dead_sender_is_found(bench: Any, kit: Any, arrived: bool) -> None:
    def die(call: str) -> None:
        if call == "send":
            raise KeyboardInterrupt

    if arrived:
        bench.system.after = die
    else:
        bench.system.before = die
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    with pytest.raises(KeyboardInterrupt):
        tick(bench.means, Present())
    bench.system.after = bench.system.before = lambda call: None
    assert states(bench) == ["sending"]
    bench.clock.advance(hours=1)  # however long ago it died, its last bytes may have left a moment ago
    calls = len(bench.system.calls)
    assert tick(bench.means, Present()).counts == {"orphaned": 1}
    assert tick(bench.means, Present()).counts == {}
    assert len(bench.system.calls) == calls, "nobody looks yet"
    assert bench.entries()[-1].body["code"] == "enforce.sender-gone"
    bench.clock.advance(seconds=5)
    assert tick(bench.means, Present()).counts == {"in_place" if arrived else "sent": 1}
    assert len(bench.world.writes()) == 1


def test_a_lift_whose_worker_died_goes_on(bench: Any, kit: Any) -> None:
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())

    def die(call: str) -> None:
        if call == "retract":
            raise KeyboardInterrupt

    bench.system.after = die
    lifted = Present(lifted=frozenset({"ban"}))
    with pytest.raises(KeyboardInterrupt):
        tick(bench.means, lifted)
    bench.system.after = lambda call: None
    assert tick(bench.means, lifted).counts == {"orphaned": 1}
    bench.clock.advance(seconds=5)
    assert tick(bench.means, lifted).counts == {"lifted": 1}
    assert len(bench.world.writes("retract")) == 1


# --- faults while looking --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "state", "count"),
    [
        (UnknownFate(WHAT, remedy=NEXT), "ready", "unknown_fate"),
        (Throttled(WHAT, remedy=NEXT, retry_after=5), "ready", "throttled"),
        (Rejected(WHAT, remedy=NEXT), "rejected", "rejected"),
    ],
)
def test_a_fault_before_anything_was_sent(bench: Any, kit: Any, fault: Any, state: str, count: str) -> None:
    bench.system.before = lambda call: fault if call == "prepare" else None
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    assert tick(bench.means, Present()).counts == {"started": 1, count: 1}
    assert states(bench) == [state]
    assert bench.world.log() == []
    assert [entry.entry.value for entry in bench.entries()][-1] == "fault"


def test_a_passing_fault_of_no_known_kind_is_tried_again(bench: Any, kit: Any) -> None:
    class Hiccup(ConnectorFault):
        transient = True

    bench.system.before = once(Hiccup(WHAT, remedy=NEXT))
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    assert tick(bench.means, Present()).counts == {"started": 1, "fault": 1}
    bench.clock.advance(minutes=2)
    assert tick(bench.means, Present()).counts == {"sent": 1}


def test_a_look_that_fails_while_recalling_is_repeated(bench: Any, kit: Any) -> None:
    bench.system.before = once(UnknownFate(WHAT, remedy=NEXT))
    bench.adopt(kit.plan_of(kit.step("a", APP)))
    tick(bench.means, Present())
    lifted = Present(lifted=frozenset({"ban"}))
    left = [UnknownFate(WHAT, remedy=NEXT)]
    bench.system.before = lambda call: left.pop() if left and call == "prepare" else None
    bench.clock.advance(minutes=2)
    assert tick(bench.means, lifted).counts == {"unknown_fate": 1}
    bench.clock.advance(minutes=5)
    assert tick(bench.means, lifted).counts == {"superseded": 1}
    assert bench.world.log() == []


def test_steps_that_cannot_be_sent_become_no_orders(bench: Any, kit: Any) -> None:
    impossible = kit.step("a", APP, effect=Effect.impossible, method="")
    reported = kit.step("b", APP, effect=Effect.report_only)
    assert bench.adopt(kit.plan_of(impossible, reported)).added == 0


def test_a_plan_without_a_configured_system_finds_nothing_in_place(bench: Any, kit: Any) -> None:
    known = kit.plan_of(kit.step("a", APP))
    adopted = adopt(
        bench.means.repository,
        bench.means.journal,
        known,
        digest(known),
        ground=Ground((APP,), [bench.world.scope("a")], {}),
        now=kit.START,
    )
    assert (adopted.added, adopted.found_in_place) == (1, 0)
