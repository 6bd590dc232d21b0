"""The loop (DESIGN rule 9). A tick derives what to do from what is true now, and remembers nothing.

A missed tick, a doubled tick, two workers at once, a process killed between two lines: the next tick sees the action
table, the scopes and the outcomes as they are, and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from proscribe.connectors.base import Connector
from proscribe.enforce import waves
from proscribe.enforce.drift import put_back
from proscribe.enforce.keys import Slot, slot
from proscribe.enforce.lifting import lift
from proscribe.enforce.means import Log, Means, Present, TickReport
from proscribe.enforce.model import Action, ActionState
from proscribe.enforce.order import NOT_THERE, blocks_ahead, only_removes, removes, unseen_methods
from proscribe.enforce.sending import SystemStopped, drop, note_orphan, recall, send
from proscribe.enforce.wording import block_first, held_back, orders
from proscribe.text import Text

_UNDER_WAY = (ActionState.ready, ActionState.sending, ActionState.lifting)
# Taking back comes first, then what may already be half done, then what is new.
_ORDER = {ActionState.lifting: 0, ActionState.accepted: 0, ActionState.sending: 1, ActionState.ready: 2}


def tick(means: Means, present: Present) -> TickReport:
    """One round: take back what is lifted, put back what drifted, start the waves that may, send what is ready."""
    log = Log()
    if not means.freeze.frozen():
        _withdraw(means, present, log)
        if present.observations is not None:
            put_back(means, present.observations, present.lifted, log)
        _start_waves(means, present, log)
        _work(means, present, log)
    return _report(means, present, log)


def _withdraw(means: Means, present: Present, log: Log) -> None:
    """What was never sent of a lifted directive is dropped."""
    for directive in sorted(present.lifted):
        dropped = 0
        for action in means.repository.find(directive=directive, states=(ActionState.waiting, ActionState.ready)):
            dropped += drop(means, action, "never sent")
        if dropped:
            log.did("superseded", times=dropped)


def _start_waves(means: Means, present: Present, log: Log) -> None:
    everything = means.repository.find()
    waiting = {action.directive for action in everything if action.state is ActionState.waiting}
    unseen = unseen_methods(means.connectors)
    for directive in sorted(waiting - present.lifted):
        if directive in present.held:
            log.wait(present.held[directive])
            continue
        # What no list can ever show is no answer for the next wave to wait for.
        own = [
            action
            for action in everything
            if action.directive == directive
            and (action.state is not ActionState.accepted or (action.system, action.method) not in unseen)
        ]
        outcomes = present.outcomes.get(directive, ())
        decision = waves.decide(own, outcomes, present.waves, means.rules, means.clock.now())
        if decision is None:
            continue
        if decision.waits is not None:
            log.wait(decision.waits)
        _start(means, directive, decision, log)


def _start(means: Means, directive: str, decision: waves.Decision, log: Log) -> None:
    started = 0
    with means.repository.atomic():
        for action in decision.start:
            current = means.repository.claim(action.key, ActionState.waiting)
            if current is not None:
                means.repository.save(replace(current, state=ActionState.ready), was=ActionState.waiting)
                started += 1
        if started:
            body = {
                "directive": directive,
                "plan": decision.start[0].plan,
                "wave": decision.wave,
                "event": "started",
                "orders": started,
            }
            means.journal.record("wave", directive, body)
    if started:
        left = orders(started)
        text = Text(
            f"Wave {decision.wave} started: {left.en}.",
            f"Vague {decision.wave} lancée : {left.fr}.",
        )
        log.did("started", text, times=started)


def _work(means: Means, present: Present, log: Log) -> None:
    """Send and take back, scope by scope. A system that refuses us is left alone for the rest of the tick.

    Scopes that were tried before come last: a refusal may be about one scope, and must not keep us from the others.
    """
    now = means.clock.now()
    by_place: dict[tuple[str, str], list[Action]] = {}
    for action in _due(means, present, now):
        by_place.setdefault((action.system, action.scope), []).append(action)
    stopped: set[str] = set()
    ahead = blocks_ahead(means.repository.find(states=NOT_THERE), means.connectors)
    for (system, scope), actions in sorted(by_place.items(), key=lambda each: _turn(each, means.connectors)):
        connector = means.connectors.get(system)
        if connector is None:
            log.wait(_unconfigured(system, len(actions)))
        elif system not in stopped:
            try:
                _fly(means, replace(present, ahead=ahead), (system, scope), connector, log)
            except SystemStopped:
                stopped.add(system)


def _turn(
    each: tuple[tuple[str, str], list[Action]], connectors: Mapping[str, Connector]
) -> tuple[int, int, bool, tuple[str, str]]:
    """What was tried least comes first; within a wave, what blocks comes before what removes."""
    place, actions = each
    connector = connectors.get(place[0])
    last = connector is not None and all(only_removes(connector, action.method) for action in actions)
    return max(action.attempts for action in actions), min(action.wave for action in actions), last, place


def _due(means: Means, present: Present, now: datetime) -> Iterable[Action]:
    for action in means.repository.find(states=_UNDER_WAY):
        if action.not_before is None or action.not_before <= now:
            yield action
    for directive in sorted(present.lifted):
        yield from means.repository.find(directive=directive, states=(ActionState.accepted,))


def _fly(means: Means, present: Present, place: tuple[str, str], connector: Connector, log: Log) -> None:
    system, scope = place
    with means.repository.flight(system, scope) as mine:
        if not mine:
            log.did("busy")
            log.wait(
                Text(
                    f"{scope} of {system} is being worked on by another process.",
                    f"{scope} ({system}) est traité par un autre processus.",
                )
            )
            return
        # Read again under the flight: whoever held it before may have done all of it.
        now = means.clock.now()
        due = [action for action in means.repository.find(system=system, scope=scope) if _is_due(action, present, now)]
        for action in _in_turn(due):
            if means.freeze.frozen():
                return
            _bring_on(means, present, connector, action, log)


def _in_turn(due: Sequence[Action]) -> list[Action]:
    """Taking back goes backwards from method to method: what the later one found in an entry may be the earlier one's.

    Within a method the actions know each other (``lifting.restorations``).
    """
    began: dict[Slot, int] = {}
    for action in due:
        began[slot(action)] = min(began.get(slot(action), action.turn), action.turn)
    return sorted(
        due,
        key=lambda each: (
            _ORDER[each.state],
            -began[slot(each)] if _ORDER[each.state] == 0 else 0,
            each.wave,
            each.key,
        ),
    )


def _is_due(action: Action, present: Present, now: datetime) -> bool:
    if action.state is ActionState.accepted:
        return action.directive in present.lifted
    return action.state in _UNDER_WAY and (action.not_before is None or action.not_before <= now)


def _bring_on(means: Means, present: Present, connector: Connector, action: Action, log: Log) -> None:
    if action.state in (ActionState.sending, ActionState.lifting) and action.not_before is None:
        note_orphan(means, action, log)
    elif action.state in (ActionState.accepted, ActionState.lifting):
        lift(means, connector, action, log)
    elif action.directive in present.lifted:
        recall(means, connector, action, log)
    elif (why := _obstacle(present, connector, action)) is not None:
        log.wait(why)
        if action.state is ActionState.sending:
            recall(means, connector, action, log, event="held back")
    else:
        send(means, connector, action, log)


def _obstacle(present: Present, connector: Connector, action: Action) -> Text | None:
    """Why an order that was ready is not to be sent after all, as things stand now."""
    blocked_first = present.ahead.get((action.directive, action.system, action.scope))
    if blocked_first and action.state is ActionState.ready and only_removes(connector, action.method):
        return block_first(action, blocked_first)
    if (action.system, action.scope) in present.kept and removes(connector, action.method):
        return held_back(action)
    if present.bars(action.directive, action.system, action.scope):
        return Text(
            f"{action.scope} of {action.system} now holds an exempt device: nothing is sent to it. Plan again.",
            f"{action.scope} ({action.system}) compte désormais un appareil exempté : rien n'y est envoyé. "
            "Planifiez de nouveau.",
        )
    return present.held.get(action.directive)


def _report(means: Means, present: Present, log: Log) -> TickReport:
    open_actions = means.repository.find(states=(*_UNDER_WAY, ActionState.waiting))
    under_way = [action for action in open_actions if action.state is not ActionState.waiting]
    now = means.clock.now()
    # What was due and is still there waits for something else than time.
    later = [action.not_before for action in under_way if action.not_before is not None and action.not_before > now]
    frozen = means.freeze.frozen()
    if frozen:
        log.wait(Text("All sending is frozen.", "Tout envoi est gelé."))
    for text in _refused(means, present):
        log.wait(text)
    return TickReport(
        at=now,
        counts=dict(log.counts),
        happened=tuple(log.happened),
        waits=tuple(log.waits),
        errors=tuple(log.errors),
        frozen=frozen,
        unsettled=len(under_way),
        waiting=len(open_actions) - len(under_way),
        next_at=min(later, default=None),
    )


def _refused(means: Means, present: Present) -> Iterable[Text]:
    """Orders that a system refused for good: they stay refused, and are said again, until a person asks anew."""
    by_place: dict[tuple[str, str, str], list[Action]] = {}
    for action in means.repository.find(states=(ActionState.rejected,)):
        gone = present.observations is not None and present.observations.scope(action.system, action.scope) is None
        if action.directive not in present.lifted and not gone and not _replaced(means, action):
            by_place.setdefault((action.system, action.scope, action.directive), []).append(action)
    for (system, scope, directive), actions in by_place.items():
        left = orders(len(actions))
        yield Text(
            f"{scope} of {system} refused {left.en} ({actions[0].last_error}). "
            f"Settle the cause, then plan {directive} again and apply the plan.",
            f"{scope} ({system}) a refusé {left.fr} ({actions[0].last_error}). "
            f"Réglez la cause, puis planifiez de nouveau {directive} et appliquez le plan.",
        )


def _replaced(means: Means, refused: Action) -> bool:
    """Whether newer orders ask for the same, or have it."""
    asked = {
        app_id
        for action in means.repository.find(
            directive=refused.directive,
            system=refused.system,
            scope=refused.scope,
            states=(*_UNDER_WAY, ActionState.waiting, ActionState.accepted),
        )
        if (action.method, action.side) == (refused.method, refused.side)
        for app_id in action.app_ids
    }
    return asked.issuperset(refused.app_ids)


def _unconfigured(system: str, number: int) -> Text:
    left = orders(number)
    return Text(
        f"{left.en} for {system} cannot be sent: no connector of that name is configured.",
        f"Aucun envoi possible pour {left.fr} vers {system} : aucun connecteur de ce nom n'est configuré.",
    )
