"""Orders and their idempotency keys (DESIGN rule 8). Pure.

A key is a digest of what is to be done to what, so the same wish has the same key however often it is derived. It
changes only where the same thing has to be done again: after it was lifted, or after somebody undid it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from proscribe.canonical import Digest, digest_json
from proscribe.connectors.base import Order
from proscribe.enforce.model import Action, ActionState, Enforcement
from proscribe.inventory.model import Scope
from proscribe.plan.model import Effect, Plan, Step
from proscribe.terms import Side

Slot = tuple[str, str, str, str]
"""System, scope, method and part of the device: one list of entries in one scope."""

FOUND = ""
"""``Action.step`` of what was found in place without an order of ours: it stands, but nobody approved sending it."""

_OVER = (ActionState.lifted, ActionState.lifting, ActionState.superseded)


def slot(action: Action) -> Slot:
    """The list of entries that an action changes. A whole device and a work side are one list: only the personal side
    has another."""
    return (action.system, action.scope, action.method, part(action.side))


def part(side: Side) -> str:
    """The part of a device that a side belongs to."""
    return "personal" if side is Side.personal else "managed"


def action_key(action: Action, *, follows: Iterable[str] = (), seen_version: int = 0) -> Digest:
    """The key of an action.

    ``follows`` names the ended actions that it repeats, ``seen_version`` the scope's version in which its entries were
    found missing.
    """
    return digest_json(
        {
            "directive": action.directive,
            "step": action.step,
            "system": action.system,
            "scope": action.scope,
            "method": action.method,
            "side": action.side.value,
            "app_ids": sorted(action.app_ids),
            "follows": sorted(follows),
            "seen_version": seen_version,
        }
    )


def order_of(action: Action, app_ids: Iterable[str] | None = None) -> Order:
    """The action as its connector gets it, for all of its apps or for some."""
    return Order(
        key=action.key,
        system=action.system,
        scope=action.scope,
        method=action.method,
        side=action.side,
        app_ids=action.app_ids if app_ids is None else tuple(sorted(app_ids)),
    )


def actions_of(
    plan: Plan, digest: Digest, known: Iterable[Action], *, retry_rejected: bool = False
) -> tuple[Action, ...]:
    """The actions that a plan asks for; where one of ``known`` is the same order and is alive, that one.

    ``retry_rejected``: an order that the system refused for good is tried once more (a person asked), else it stays
    refused, so that a standing order does not knock at a closed door every tick.
    """
    same: dict[tuple[Slot, Side, tuple[str, ...]], list[Action]] = {}
    for action in known:
        if action.directive == plan.directive:
            same.setdefault((slot(action), action.side, action.app_ids), []).append(action)
    found = []
    for step in plan.steps:
        if step.effect in (Effect.impossible, Effect.report_only) or not step.method:
            continue
        wanted = _action(step, plan.directive, digest)
        earlier = same.get((slot(wanted), wanted.side, wanted.app_ids), [])
        alive = [action for action in earlier if not _is_over(action, retry_rejected=retry_rejected)]
        if alive:
            found.append(alive[0])
        else:
            key = action_key(wanted, follows=[action.key for action in earlier])
            found.append(replace(wanted, key=key))
    return tuple(found)


def _is_over(action: Action, *, retry_rejected: bool) -> bool:
    return action.state in _OVER or (retry_rejected and action.state is ActionState.rejected)


def _action(step: Step, directive: str, plan: Digest) -> Action:
    return Action(
        key="",
        directive=directive,
        plan=plan,
        step=step.id,
        system=step.system,
        scope=step.scope,
        method=step.method,
        side=step.side,
        app_ids=tuple(sorted(step.app_ids)),
        holders=step.holders,
        wave=step.wave,
        state=ActionState.waiting,
    )


def again(action: Action, missing: Iterable[str], scope: Scope) -> Action:
    """The order that puts back what somebody took out of a scope; ``scope`` is where that was seen."""
    repeat = replace(
        action,
        app_ids=tuple(sorted(missing)),
        state=ActionState.ready,
        attempts=0,
        not_before=None,
        prior="",
        scope_version=0,
        accepted_at=None,
        last_error="",
        ours=(),
        turn=0,
        ended=0,
    )
    return replace(repeat, key=action_key(repeat, follows=[action.key], seen_version=scope.version))


def enforcements(
    actions: Iterable[Action], unseen: Collection[tuple[str, str]] = frozenset()
) -> tuple[Enforcement, ...]:
    """What stands, from receipts: the facts that outcomes are judged against. ``unseen``: ``order.unseen_methods``."""
    return tuple(
        Enforcement(
            directive=action.directive,
            system=action.system,
            scope=action.scope,
            side=action.side,
            app_ids=action.app_ids,
            version=action.scope_version,
            moment=action.accepted_at,
            seen=(action.system, action.method) not in unseen,
        )
        for action in actions
        if action.state is ActionState.accepted and action.accepted_at is not None
    )


def next_turn(on_scope: Iterable[Action]) -> int:
    """The number of the next change of ours to a scope; the flight on the scope must be held."""
    return 1 + max((max(action.turn, action.ended) for action in on_scope), default=0)
