"""An order that was accepted and is no longer in place: somebody undid it. It is sent again, under a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from proscribe.enforce.keys import FOUND, again, next_turn, slot
from proscribe.enforce.means import Log, Means
from proscribe.enforce.model import Action, ActionState
from proscribe.enforce.ports import Observations
from proscribe.enforce.sending import about
from proscribe.inventory.model import Scope
from proscribe.text import Text

_UNSENT = (ActionState.waiting, ActionState.ready, ActionState.sending)


def put_back(means: Means, observations: Observations, lifted: frozenset[str], log: Log) -> None:
    """Order again whatever the newest observation no longer shows in its scope."""
    standing = means.repository.find(states=(*_UNSENT, ActionState.accepted))
    for action in standing:
        if action.state is not ActionState.accepted or action.directive in lifted:
            continue
        scope = observations.scope(action.system, action.scope)
        if scope is None:
            continue
        # Read anew each time: the order made for the action before may cover this one too.
        peers = means.repository.find(directive=action.directive, system=action.system, scope=action.scope)
        missing = _missing(means, observations, action, scope, peers)
        if missing:
            _order_again(means, action, scope, missing, log)


def _missing(
    means: Means, observations: Observations, action: Action, scope: Scope, peers: Sequence[Action]
) -> tuple[str, ...]:
    connector = means.connectors.get(action.system)
    taken_at = observations.taken_at
    if connector is None or action.accepted_at is None or taken_at <= action.accepted_at:
        return ()
    if scope.version > 0 and scope.version == action.scope_version:
        return ()  # the very version that carries it
    there = connector.in_place(scope, action.method, action.side)
    covered = {
        app_id
        for other in peers
        if other.key != action.key and slot(other) == slot(action)
        if other.state in _UNSENT
        or (other.state is ActionState.accepted and other.accepted_at is not None and other.accepted_at >= taken_at)
        for app_id in other.app_ids
    }
    return tuple(app_id for app_id in action.app_ids if app_id not in there and app_id not in covered)


def _order_again(means: Means, action: Action, scope: Scope, missing: tuple[str, ...], log: Log) -> None:
    apps = ", ".join(missing)
    repeat = again(action, missing, scope)
    with means.repository.atomic():
        current = means.repository.claim(action.key, ActionState.accepted)
        if current is None:
            return
        body = {**about(action), "seen_version": scope.version, "app_ids": list(missing)}
        if action.step == FOUND:
            turn = next_turn(means.repository.find(system=action.system, scope=action.scope))
            gone = replace(current, state=ActionState.superseded, ended=turn)
            means.repository.save(gone, was=ActionState.accepted)
            means.journal.record("drift", action.key, {**body, "ordered_again": False})
        elif means.repository.add([repeat]):
            means.journal.record("drift", action.key, {**body, "ordered_again": True, "key": repeat.key})
        else:
            return  # that drift was seen before
    if action.step == FOUND:
        log.did("drifted")
        log.wait(
            Text(
                f"{action.scope} of {action.system} used to block {apps} by itself and no longer does: plan again.",
                f"{action.scope} ({action.system}) bloquait déjà {apps} et ne le fait plus : planifiez de nouveau.",
            )
        )
        return
    log.did(
        "drifted",
        Text(
            f"Somebody took {apps} out of {action.scope} of {action.system}; it is ordered again.",
            f"Quelqu'un a retiré {apps} de {action.scope} ({action.system}); l'ordre est renouvelé.",
        ),
    )
