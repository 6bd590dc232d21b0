"""Taking a ban back: our own entries and nothing else (DESIGN rule 7), with the same discipline as sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from proscribe.connectors.base import Connector, ConnectorFault, Receipt
from proscribe.enforce.keys import next_turn, order_of, slot
from proscribe.enforce.means import Log, Means
from proscribe.enforce.model import Action, ActionState
from proscribe.enforce.sending import about, note_fault, receipt_body
from proscribe.enforce.wording import place
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class Restoration:
    """Apps to give back what they had before one action of ours changed it."""

    app_ids: tuple[str, ...]
    prior: str


def restorations(action: Action, on_scope: Sequence[Action]) -> tuple[Restoration, ...]:
    """What lifting ``action`` gives back; ``on_scope`` is every action of ours on the scope, itself included. Pure.

    An app that another standing order of ours still bans stays banned, and its memory of what was there before stays
    with whoever put it there. An app that was in place before any of us stays in place.
    """
    peers = [other for other in on_scope if slot(other) == slot(action)]
    held = {app_id for other in peers if other.key != action.key and other.standing for app_id in other.app_ids}
    by_prior: dict[str, list[str]] = {}
    for app_id in action.app_ids:
        if app_id in held:
            continue
        origin = _origin(action, app_id, peers)
        if origin is not None:
            by_prior.setdefault(origin.prior, []).append(app_id)
    return tuple(Restoration(tuple(sorted(app_ids)), prior) for prior, app_ids in sorted(by_prior.items()))


def _origin(action: Action, app_id: str, peers: Sequence[Action]) -> Action | None:
    """Whose change put the entry there: this action's own, or one's that stood when this one found it in place."""
    if app_id in action.ours:
        return action
    earlier = [
        other
        for other in peers
        if 0 < other.turn < action.turn and app_id in other.app_ids and (other.ended == 0 or other.ended > action.turn)
    ]
    for other in sorted(earlier, key=lambda each: -each.turn):
        origin = _origin(other, app_id, peers)
        if origin is not None:
            return origin
    return None


def lift(means: Means, connector: Connector, action: Action, log: Log) -> None:
    """Bring one ``accepted`` or ``lifting`` action on until it is lifted or a fault stops it. Raises SystemStopped."""
    on_scope = means.repository.find(system=action.system, scope=action.scope)
    gives_back = restorations(action, on_scope)
    marked = _write_intent(means, action, gives_back)
    if marked is None:
        return
    for restoration in gives_back:
        order = order_of(marked, restoration.app_ids)
        try:
            prepared = connector.prepare(order)
            there = connector.in_place(prepared.scope, marked.method, marked.side)
            # What others took out since is theirs, and what a crash hid from us is done: both are simply not there.
            left = [app_id for app_id in restoration.app_ids if app_id in there]
            if not left:
                continue
            if means.freeze.frozen():
                return
            receipt = connector.retract(order_of(marked, left), restoration.prior)
        except ConnectorFault as fault:
            note_fault(means, marked, fault, log, fallback=ActionState.lifting)
            return
        _record(means, marked, receipt)
    _finish(means, marked, log)


def _write_intent(means: Means, action: Action, gives_back: Sequence[Restoration]) -> Action | None:
    with means.repository.atomic():
        current = means.repository.claim(action.key, action.state)
        if current is None or means.freeze.frozen():
            return None
        marked = replace(
            current,
            state=ActionState.lifting,
            attempts=current.attempts + 1,
            not_before=None,
        )
        means.repository.save(marked, was=action.state)
        body = {
            **about(action),
            "event": "intent",
            "attempt": marked.attempts,
            "app_ids": sorted(app_id for each in gives_back for app_id in each.app_ids),
        }
        means.journal.record("lift", action.key, body)
    return marked


def _record(means: Means, action: Action, receipt: Receipt) -> None:
    with means.repository.atomic():
        body = {**about(action), "event": "retracted", **receipt_body(receipt)}
        means.journal.record("receipt", action.key, body)


def _finish(means: Means, action: Action, log: Log) -> None:
    with means.repository.atomic():
        turn = next_turn(means.repository.find(system=action.system, scope=action.scope))
        lifted = replace(action, state=ActionState.lifted, ended=turn, not_before=None, last_error="")
        if means.repository.save(lifted, was=ActionState.lifting):
            means.journal.record("lift", action.key, {**about(action), "event": "lifted"})
    where = place(action)
    log.did(
        "lifted",
        Text(
            f"The ban was lifted from {where.en} of {action.system}.",
            f"L'interdiction a été levée dans {where.fr}, {action.system}.",
        ),
    )
