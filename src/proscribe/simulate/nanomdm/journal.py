"""What the simulated servers were asked and what really happened: the measure of "exactly once"."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Queued:
    """A command that went into a device's queue."""

    at: str
    device: str
    uuid: str
    request_type: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Handed:
    """A command that was handed to a device; the same one again after ``NotNow`` or a lost answer."""

    at: str
    device: str
    uuid: str
    request_type: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A device's answer to a command."""

    at: str
    device: str
    uuid: str
    status: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook event and what became of it: the status of the answer, ``lost`` or ``unreachable``."""

    at: str
    topic: str
    device: str
    outcome: str


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
    """Everything that happened, in order. Safe to use from several threads."""

    enqueued: list[Queued] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # command UUIDs that were sent again
    handed: list[Handed] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)  # devices
    deliveries: list[Delivery] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, *entries: Queued | Handed | Answered | Delivery | Request) -> None:
        """Record what happened."""
        with self._lock:
            for entry in entries:
                self._keep(entry)

    def repeated(self, uuid: str) -> None:
        """Record that a command was sent again, and refused."""
        with self._lock:
            self.refused.append(uuid)

    def push(self, device: str) -> None:
        """Record a push notification."""
        with self._lock:
            self.pushed.append(device)

    def times(self) -> Counter[tuple[str, str]]:
        """How often each command (device, UUID) went into a queue. Never more than once, if all is well."""
        with self._lock:
            return Counter((entry.device, entry.uuid) for entry in self.enqueued)

    def commands(self, device: str = "", request_type: str = "") -> tuple[Queued, ...]:
        """What was queued, for one device and of one kind if named."""
        with self._lock:
            return tuple(
                entry
                for entry in self.enqueued
                if device in ("", entry.device) and request_type in ("", entry.request_type)
            )

    def _keep(self, entry: Queued | Handed | Answered | Delivery | Request) -> None:
        match entry:
            case Queued():
                self.enqueued.append(entry)
            case Handed():
                self.handed.append(entry)
            case Answered():
                self.answered.append(entry)
            case Delivery():
                self.deliveries.append(entry)
            case Request():
                self.requests.append(entry)


@dataclass(frozen=True, slots=True)
class Change:
    """A write. ``changed``: it made a difference (204) or none (304). ``notifies``: it came without ``nonotify=1``."""

    at: str
    method: str
    operation: str
    resource: str
    changed: bool
    notifies: bool


@dataclass(slots=True)
class DeclarationJournal:
    """What KMFDDM was asked, in order. Safe to use from several threads."""

    changes: list[Change] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)  # devices that sent a status report
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, entry: Change | Request) -> None:
        """Record what happened."""
        with self._lock:
            if isinstance(entry, Change):
                self.changes.append(entry)
            else:
                self.requests.append(entry)

    def reported(self, device: str) -> None:
        """Record a status report."""
        with self._lock:
            self.reports.append(device)
