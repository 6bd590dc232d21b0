"""An order that was accepted and is no longer in place: somebody undid it. It is sent again, under a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from proscribe.enforce.keys import FOUND, again, next_turn, slot
from proscribe.enforce.means import Log, Means
from proscribe.enforce.model import Action, ActionState
from proscribe.enforce.order import only_removes
from proscribe.enforce.ports import Observations
from proscribe.enforce.sending import about
from proscribe.enforce.wording import apps
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
        gone = _gone(means, observations, action, scope)
        if not gone:
            continue
        # Read anew each time: the order made for the action before may cover this one too.
        peers = means.repository.find(directive=action.directive, system=action.system, scope=action.scope)
        missing = _uncovered(gone, observations, action, peers)
        if missing:
            _order_again(means, action, scope, missing, log)


def _gone(means: Means, observations: Observations, action: Action, scope: Scope) -> tuple[str, ...]:
    connector = means.connectors.get(action.system)
    if connector is None or action.accepted_at is None or observations.taken_at <= action.accepted_at:
        return ()
    # A setting stays in the version that carries it; an app that was taken off a device comes back without any.
    if 0 < scope.version == action.scope_version and not only_removes(connector, action.method):
        return ()
    there = connector.in_place(scope, action.method, action.side)
    return tuple(app_id for app_id in action.app_ids if app_id not in there)


def _uncovered(
    gone: tuple[str, ...], observations: Observations, action: Action, peers: Sequence[Action]
) -> tuple[str, ...]:
    taken_at = observations.taken_at
    covered = {
        app_id
        for other in peers
        if other.key != action.key and slot(other) == slot(action)
        if other.state in _UNSENT
        or (other.state is ActionState.accepted and other.accepted_at is not None and other.accepted_at >= taken_at)
        for app_id in other.app_ids
    }
    return tuple(app_id for app_id in gone if app_id not in covered)


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
    connector = means.connectors[action.system]
    if only_removes(connector, action.method):
        log.did("drifted", _came_back(action))
        return
    log.did(
        "drifted",
        Text(
            f"Somebody took {apps} out of {action.scope} of {action.system}; it is ordered again.",
            f"Quelqu'un a retiré {apps} de {action.scope} ({action.system}); l'ordre est renouvelé.",
        ),
    )


def _came_back(action: Action) -> Text:
    """One sentence for every device: a fleet may hold many who install an app again, or on which it failed to go."""
    what = apps(action)
    return Text(
        f"Devices of {action.system} still, or again, have an app that was to be removed ({what.en}). Its removal is "
        "ordered again.",
        f"Des appareils de {action.system} ont encore, ou de nouveau, une application à retirer ({what.fr}). Son "
        "retrait est ordonné de nouveau.",
    )
