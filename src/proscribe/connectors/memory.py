"""What a connector remembers because its system does not keep it, and the inbox of what that system tells by itself.

``proscribe.store`` implements it, one namespace for each system; a connector that needs no memory never asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from proscribe.clock import Clock

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing remembered. ``owner`` and ``mark`` are what it can be found by (a device, a state); "" for none."""

    key: str
    body: Json
    owner: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Something the system told by itself, as received. ``id`` is what tells a replay: the same id is kept once."""

    id: str
    received_at: datetime
    body: bytes


class Memory(Protocol):
    """Rows by kind and key, an inbox, and counters: all in the store's own transaction."""

    def atomic(self) -> AbstractContextManager[None]:
        """One transaction. Those of one system never overlap: whoever comes second waits, and reads what the first
        wrote. A block inside another joins it."""
        ...

    def get(self, kind: str, key: str) -> Json | None:
        """The body of one row; None where there is none."""
        ...

    def many(self, kind: str, keys: Collection[str]) -> Mapping[str, Json]:
        """The bodies of those keys that are there."""
        ...

    def find(
        self, kind: str, *, owner: str = "", marks: Collection[str] = (), after: str = "", limit: int = 0
    ) -> tuple[Row, ...]:
        """Rows that fit every given condition, by key, beyond the key ``after``; ``limit`` 0 for all."""
        ...

    def put(self, kind: str, rows: Iterable[Row]) -> None:
        """Store rows, replacing those of the same key."""
        ...

    def drop(self, kind: str, keys: Collection[str]) -> None:
        """Forget rows."""
        ...

    def receive(self, messages: Sequence[Message]) -> int:
        """Put messages into the inbox, durably once this returns; how many were new.

        A known id is counted as a replay.
        """
        ...

    def unread(self, limit: int) -> tuple[Message, ...]:
        """The oldest messages that were not dealt with."""
        ...

    def done(self, ids: Collection[str]) -> None:
        """Messages were dealt with: their bodies are erased, their ids stay, so that a replay is still known."""
        ...

    def forget_done(self, before: datetime) -> int:
        """Forget the ids of messages received before a moment; how many."""
        ...

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Every counter."""
        ...


class NoMemory:
    """For connectors that need none: whatever asks for one is a mistake of ours."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(f"no memory was given, and {name} was asked of it")


@dataclass(frozen=True, slots=True)
class Watch:
    """What the installation looks for on devices: exact identifiers by platform, and whether there is more to look for
    than can be named (patterns, signers, names). Connectors ask for nothing else (DESIGN rule 10)."""

    ios: frozenset[str] = frozenset()
    android: frozenset[str] = frozenset()
    unnamed: bool = False


class Watching(Protocol):
    """Gives the watch as it is at the moment."""

    def __call__(self) -> Watch: ...


def _nothing() -> Watch:
    return Watch()


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an installation gives to each of its connectors. ``home`` is where relative paths of settings begin.

    ``frozen`` is asked again in the middle of what takes long: a freeze stops all sending at once (DESIGN rule 5).
    """

    clock: Clock
    home: Path = field(default_factory=Path)
    memory: Memory = field(default_factory=NoMemory)
    watch: Watching = _nothing
    frozen: Callable[[], bool] = _never
