"""What the simulated service was asked and what really changed: the measure of "exactly once"."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Mutation:
    """One write that reached a policy. ``changes`` names only what differs afterwards; a repeated write has none."""

    at: str
    operation: str  # modify | remove | patch
    policy: str
    version_before: int
    version_after: int
    changes: tuple[tuple[str, str, str, str], ...]  # side, package, install type before and after; "-" for no entry
    foreign: bool = False  # made by a test as another writer, not over the wire


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in. ``status`` 0: the connection was broken on purpose."""

    at: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int


@dataclass(slots=True)
class Journal:
    """Requests and mutations, in order. Safe to use from several threads."""

    mutations: list[Mutation] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def mutation(self, entry: Mutation) -> None:
        """Record a write."""
        with self._lock:
            self.mutations.append(entry)

    def request(self, entry: Request) -> None:
        """Record a request."""
        with self._lock:
            self.requests.append(entry)

    def effective(self) -> Counter[tuple[str, str, str, str]]:
        """How often each change (policy, side, package, new install type) was made over the wire."""
        with self._lock:
            return Counter(
                (entry.policy, side, package, after)
                for entry in self.mutations
                if not entry.foreign
                for side, package, _, after in entry.changes
            )

    def writes(self) -> int:
        """Writes over the wire, those without effect included."""
        with self._lock:
            return sum(1 for entry in self.mutations if not entry.foreign)

    def as_json(self) -> dict[str, Any]:
        """Everything, for the administration endpoint."""
        with self._lock:
            return {
                "mutations": [asdict(entry) for entry in self.mutations],
                "requests": [asdict(entry) for entry in self.requests],
            }


def stamp(moment: datetime) -> str:
    """A time in the journal."""
    return moment.isoformat()
