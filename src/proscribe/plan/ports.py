"""What a plan needs to know of a management system, without knowing any. Connectors implement it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from proscribe.inventory.model import Scope
from proscribe.plan.model import Capability
from proscribe.terms import Side
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class Objection:
    """A setting of a scope that would defeat a change (``blocks``) or that a person should know of.

    ``app_ids``: the apps it is about, where the others can be changed without them; none: the change as a whole.
    """

    blocks: bool
    what: Text
    remedy: Text
    app_ids: tuple[str, ...] = ()


class System(Protocol):
    """The pure half of a connector: no network, no clock."""

    @property
    def name(self) -> str:
        """As in ``DeviceRecord.system``."""
        ...

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """The rows of its ``capabilities.toml``."""
        ...

    def in_place(self, scope: Scope, method: str, side: Side) -> frozenset[str]:
        """The app ids that the scope, as observed, already enforces by this method."""
        ...

    def objections(self, scope: Scope, method: str, side: Side, app_ids: tuple[str, ...]) -> tuple[Objection, ...]:
        """What in the scope's settings stands against the change."""
        ...
