"""The order on a device: block, then the records hold, then remove (DESIGN rule 6). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from proscribe.connectors.base import Connector
from proscribe.enforce.model import Action, ActionState
from proscribe.plan.model import Effect, Reach, Verb
from proscribe.plan.ports import System
from proscribe.terms import Side

NOT_THERE = (ActionState.waiting, ActionState.ready, ActionState.sending, ActionState.rejected)
"""States of an order that the system does not have yet."""

Ahead = Mapping[tuple[str, str, str], str]
"""Directive, system and device to the scope whose block is to come first."""


def removes(system: System, method: str) -> bool:
    """Whether a method takes apps away, be it among other things."""
    return any(row.verb is Verb.remove for row in system.capabilities if row.method == method)


def only_removes(system: System, method: str) -> bool:
    """Whether a method takes apps off single devices and does nothing to keep them out."""
    rows = [row for row in system.capabilities if row.method == method and row.verb is not Verb.observe]
    return bool(rows) and all(row.verb is Verb.remove and row.reach is Reach.device for row in rows)


def unseen(system: System, method: str) -> bool:
    """Whether nothing that a device lists can show what came of a method, although the side it acts on is visible."""
    rows = [row for row in system.capabilities if row.method == method and row.verb is not Verb.observe]
    return bool(rows) and all(row.effect is Effect.blind and row.side is not Side.personal for row in rows)


def unseen_methods(systems: Mapping[str, System]) -> frozenset[tuple[str, str]]:
    """The (system, method) pairs of which that is true."""
    return frozenset(
        (name, row.method)
        for name, system in systems.items()
        for row in system.capabilities
        if unseen(system, row.method)
    )


def blocks_ahead(actions: Iterable[Action], connectors: Mapping[str, Connector]) -> Ahead:
    """The devices whose app is still to be blocked: removed before, it would be back before the block arrives."""
    kinds: dict[tuple[str, str], bool] = {}
    found: dict[tuple[str, str, str], str] = {}
    for action in actions:
        connector = connectors.get(action.system)
        if connector is None or action.state not in NOT_THERE:
            continue
        kind = (action.system, action.method)
        if kind not in kinds:
            kinds[kind] = only_removes(connector, action.method)
        if not kinds[kind]:
            found.update(((action.directive, action.system, device), action.scope) for device in action.holders)
    return found
