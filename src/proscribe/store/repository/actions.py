"""The action table (``enforce.ports.ActionRepository``)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any

from django.db import connection

from proscribe.canonical import Digest
from proscribe.enforce.model import Action, ActionState
from proscribe.store.errors import guarded
from proscribe.store.locks import try_lock
from proscribe.store.models import ActionRow
from proscribe.store.repository.unit import atomic
from proscribe.terms import Side

_FIELDS = tuple(field.name for field in fields(Action))
_LISTS = ("app_ids", "holders", "ours")


class Actions:
    """Actions by key."""

    def atomic(self) -> AbstractContextManager[None]:
        """One transaction over everything in the store."""
        return atomic()

    @guarded
    def add(self, actions: Iterable[Action]) -> tuple[str, ...]:
        """Store the actions whose key is not there yet; return those keys."""
        given = {action.key: action for action in actions}
        with atomic():
            known = set(ActionRow.objects.filter(key__in=given).values_list("key", flat=True))
            fresh = [action for key, action in given.items() if key not in known]
            # Two workers may come with the same plan at the same moment; the key decides, not who was first.
            ActionRow.objects.bulk_create([ActionRow(**_row(action)) for action in fresh], ignore_conflicts=True)
        return tuple(action.key for action in fresh)

    @guarded
    def get(self, key: str) -> Action | None:
        """The action of that key."""
        row = ActionRow.objects.filter(key=key).first()
        return None if row is None else _action(row)

    @guarded
    def find(
        self, *, directive: str = "", system: str = "", scope: str | None = None, states: Collection[ActionState] = ()
    ) -> tuple[Action, ...]:
        """The actions that fit every given condition, by wave, then key."""
        rows = ActionRow.objects.order_by("wave", "key")
        if directive:
            rows = rows.filter(directive=directive)
        if system:
            rows = rows.filter(system=system)
        if scope is not None:
            rows = rows.filter(scope=scope)
        if states:
            rows = rows.filter(state__in=[state.value for state in states])
        return tuple(_action(row) for row in rows)

    @guarded
    def claim(self, key: str, state: ActionState) -> Action | None:
        """Lock the row until the transaction ends; None where it left ``state`` or another transaction holds it."""
        rows = ActionRow.objects.filter(key=key, state=state.value)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        row = rows.first()
        return None if row is None else _action(row)

    @guarded
    def save(self, action: Action, *, was: ActionState) -> bool:
        """Compare and set."""
        values = _row(action)
        values.pop("key")
        return ActionRow.objects.filter(key=action.key, state=was.value).update(**values) == 1

    def flight(self, system: str, scope: str) -> AbstractContextManager[bool]:
        """The right to talk to one scope; ends with the process."""
        return try_lock(f"flight:{system}:{scope}")


def _row(action: Action) -> dict[str, Any]:
    values = {name: getattr(action, name) for name in _FIELDS}
    values.update({name: list(values[name]) for name in _LISTS})
    return {**values, "side": action.side.value, "state": action.state.value}


def _action(row: ActionRow) -> Action:
    values = {name: getattr(row, name) for name in _FIELDS}
    values.update({name: tuple(values[name]) for name in _LISTS})
    values.update(plan=Digest(row.plan), side=Side(row.side), state=ActionState(row.state))
    return Action(**values)
