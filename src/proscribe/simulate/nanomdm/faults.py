"""Faults by script: what goes wrong next on the way to a server, and with the webhook's deliveries.

NanoMDM itself never answers 429; what stands before it in an organisation (a proxy, a gateway) may.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from proscribe.simulate.nanomdm.loopback import Reply, plain

NANOMDM_OPERATIONS = ("enqueue", "push", "pushcert", "version", "mdm")
KMFDDM_OPERATIONS = (
    "declarations",
    "set-declarations",
    "enrollment-sets",
    "declaration-status",
    "version",
    "device",
)
OVERSIZE = 32 * 1024 * 1024


class FaultKind(StrEnum):
    """What goes wrong. ``*_before``: nothing was done; ``*_after``: it was done, and the caller does not learn it."""

    throttle = "throttle"  # 429, nothing done
    refuse = "refuse"  # a 4xx of choice, nothing done
    fail_before = "fail_before"  # a 5xx of choice
    fail_after = "fail_after"
    drop_before = "drop_before"  # the connection is cut
    drop_after = "drop_after"
    stall_before = "stall_before"  # no answer until the client gives up
    stall_after = "stall_after"
    garbage = "garbage"  # done, and answered with something that is not JSON
    oversize = "oversize"  # done, and answered with far more than anybody asked for

    @property
    def prevents(self) -> bool:
        """Whether the request takes no effect."""
        return self in (
            FaultKind.throttle,
            FaultKind.refuse,
            FaultKind.fail_before,
            FaultKind.drop_before,
            FaultKind.stall_before,
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``status`` is the HTTP status where the kind leaves it open; ``retry_after`` goes into the header."""

    kind: FaultKind
    status: int = 0  # 0: the usual one of the kind, 400 or 500
    retry_after: str = ""
    seconds: float = 5.0  # how long a stall lasts at most

    def reply(self) -> Reply:
        """What the caller gets."""
        match self.kind:
            case FaultKind.throttle:
                wait = {"Retry-After": self.retry_after} if self.retry_after else {}
                reply = Reply(429, plain(429).body, {**plain(429).headers, **wait})
            case FaultKind.refuse:
                reply = plain(self.status or 400)
            case FaultKind.fail_before | FaultKind.fail_after:
                reply = plain(self.status or 500)
            case FaultKind.drop_before | FaultKind.drop_after:
                reply = Reply(0, cut=True)
            case FaultKind.stall_before | FaultKind.stall_after:
                reply = Reply(0, cut=True, stall=self.seconds)
            case FaultKind.garbage:
                reply = Reply(200, b"<html>gateway</html>", {"Content-Type": "text/html"})
            case FaultKind.oversize:
                reply = Reply(200, b'{"status":"' + b"x" * OVERSIZE + b'"}', {"Content-Type": "application/json"})
        return reply


class FaultScript:
    """Faults that wait for their call, first in first out, by operation (or for a call of ``any`` operation)."""

    def __init__(self, operations: tuple[str, ...]) -> None:
        self._waiting: dict[str, deque[Fault]] = {name: deque() for name in (*operations, "any")}
        self._lock = threading.Lock()

    def next(self, operation: str, kind: FaultKind | str, *, times: int = 1, **details: Any) -> None:
        """Let the next ``times`` calls of ``operation`` go wrong. ``details`` are the fields of :class:`Fault`."""
        fault = Fault(FaultKind(kind), **details)
        with self._lock:
            self._waiting[operation].extend([fault] * times)

    def take(self, operation: str) -> Fault | None:
        """The fault for a call that has just come in."""
        with self._lock:
            for name in (operation, "any"):
                if self._waiting[name]:
                    return self._waiting[name].popleft()
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            for waiting in self._waiting.values():
                waiting.clear()


class DeliveryKind(StrEnum):
    """What happens to a webhook event on its way."""

    lose = "lose"  # never sent
    delay = "delay"  # sent some seconds later
    duplicate = "duplicate"  # sent twice, byte for byte
    overtake = "overtake"  # sent after the event that follows it


@dataclass(frozen=True, slots=True)
class DeliveryFault:
    """A fault of a delivery. ``topic``: only events of it; "" for any."""

    kind: DeliveryKind
    topic: str = ""
    seconds: float = 0.5


class DeliveryScript:
    """Faults that wait for an event of their topic, first in first out."""

    def __init__(self) -> None:
        self._waiting: list[DeliveryFault] = []
        self._lock = threading.Lock()

    def next(self, kind: DeliveryKind | str, *, times: int = 1, topic: str = "", seconds: float = 0.5) -> None:
        """Let the next ``times`` events (of ``topic``) meet with ``kind``."""
        with self._lock:
            self._waiting.extend([DeliveryFault(DeliveryKind(kind), topic, seconds)] * times)

    def take(self, topic: str) -> DeliveryFault | None:
        """The fault for an event that is about to be sent."""
        with self._lock:
            for number, fault in enumerate(self._waiting):
                if fault.topic in ("", topic):
                    return self._waiting.pop(number)
        return None


class NanomdmFaults(FaultScript):
    """Faults of NanoMDM's API and device side, and of its webhook (``deliveries``)."""

    def __init__(self) -> None:
        super().__init__(NANOMDM_OPERATIONS)
        self.deliveries = DeliveryScript()
