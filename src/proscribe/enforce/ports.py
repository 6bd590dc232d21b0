"""What enforcing needs from its surroundings. ``proscribe.store`` implements it; ``proscribe.service`` binds it.

The one rule behind all of it: a change of state and the journal entry that says why are in ONE transaction, and that
transaction is committed before the next thing happens on the wire. A process that dies between two lines therefore
leaves a state from which the next tick can tell what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal, Protocol

from proscribe.enforce.model import Action, ActionState
from proscribe.inventory.model import Scope

EntryName = Literal["wave", "intent", "receipt", "fault", "drift", "lift", "plan"]
"""The ledger entry kinds (``prove.model.EntryKind``) that enforcing writes; prove is downstream, hence by value."""


class ActionRepository(Protocol):
    """The action table."""

    def atomic(self) -> AbstractContextManager[None]:
        """One transaction over actions and journal: all of it is stored, or nothing."""
        ...

    def add(self, actions: Iterable[Action]) -> tuple[str, ...]:
        """Store actions whose key is not there yet and return those keys; a known key changes nothing."""
        ...

    def get(self, key: str) -> Action | None:
        """The action of that key."""
        ...

    def find(
        self, *, directive: str = "", system: str = "", scope: str | None = None, states: Collection[ActionState] = ()
    ) -> tuple[Action, ...]:
        """The actions that fit every given condition (empty: any), by wave, then key."""
        ...

    def claim(self, key: str, state: ActionState) -> Action | None:
        """Inside ``atomic``: lock the row until the transaction ends and return it as it is now.

        None where it is no longer in ``state``, or another transaction holds it (it is skipped, not waited for).
        """
        ...

    def save(self, action: Action, *, was: ActionState) -> bool:
        """Compare and set: store ``action`` if its row is still in state ``was``; False where it was not."""
        ...

    def flight(self, system: str, scope: str) -> AbstractContextManager[bool]:
        """The right to talk to one scope, held for one send; False where another worker has it right now.

        It ends with the process, however that ends: an action found in ``sending`` by the holder of the flight is
        thus known to have no live sender.
        """
        ...


class Journal(Protocol):
    """The ledger as enforcing sees it. The service binds the actor and the clock."""

    def record(self, kind: EntryName, subject: str, body: Mapping[str, Any]) -> None:
        """Append one entry, in the transaction that is open."""
        ...


class FreezeFlag(Protocol):
    """The emergency stop."""

    def frozen(self) -> bool:
        """Whether all sending is stopped, read anew at every call."""
        ...


class Observations(Protocol):
    """The scopes as last observed, to see drift without a call."""

    @property
    def taken_at(self) -> datetime:
        """When the newest snapshot was taken."""
        ...

    def scope(self, system: str, scope: str) -> Scope | None:
        """The scope in the newest snapshot; None where it was not in it."""
        ...
