"""Faults by script: what the service does wrong next, and to which call."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

OPERATIONS = (
    "devices.list",
    "devices.get",
    "policies.list",
    "policies.get",
    "policies.patch",
    "policies.modifyPolicyApplications",
    "policies.removePolicyApplications",
)
WRITES = OPERATIONS[4:]
READS = OPERATIONS[:4]


class FaultKind(StrEnum):
    """What goes wrong. ``*_before``: nothing was done; ``*_after``: it was done, and the caller does not learn it."""

    throttle = "throttle"  # 429
    refuse = "refuse"  # a 4xx of choice
    fail_before = "fail_before"  # a 5xx of choice
    fail_after = "fail_after"
    drop_before = "drop_before"  # the connection is cut
    drop_after = "drop_after"
    stall_before = "stall_before"  # no answer until the client gives up
    stall_after = "stall_after"
    garbage = "garbage"  # done, and answered with something that is not JSON
    oversize = "oversize"  # done, and answered with far more than anybody asked for
    ignore = "ignore"  # answered 200, nothing done
    expire = "expire"  # the token is no longer good: 401


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``status`` is the HTTP status where the kind leaves it open; ``retry_after`` goes into the header."""

    kind: FaultKind
    status: int = 503
    retry_after: str = ""
    reason: str = ""  # a reason in the error's details
    seconds: float = 5.0  # how long a stall lasts at most


class FaultScript:
    """Faults that wait for their call, first in first out, by operation. Also where a test slips in another writer."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = {}
        self._between: dict[tuple[str, str], deque[Callable[[], Any]]] = {}
        self._lock = threading.Lock()

    def next(self, operation: str, kind: FaultKind | str, *, times: int = 1, **details: Any) -> None:
        """Let the next ``times`` calls of ``operation`` (or of any call of "read", "write", "any") go wrong."""
        fault = Fault(FaultKind(kind), **details)
        if operation not in (*OPERATIONS, "read", "write", "any"):
            raise ValueError(operation)
        with self._lock:
            self._waiting.setdefault(operation, deque()).extend([fault] * times)

    def between(self, operation: str, moment: str, action: Callable[[], Any]) -> None:
        """Run ``action`` right ``before`` or ``after`` the next call of ``operation`` takes effect: another writer."""
        if operation not in OPERATIONS or moment not in ("before", "after"):
            raise ValueError(operation, moment)
        with self._lock:
            self._between.setdefault((operation, moment), deque()).append(action)

    def take(self, operation: str) -> Fault | None:
        """The fault for a call that has just come in."""
        names = (operation, "write" if operation in WRITES else "read", "any")
        with self._lock:
            for name in names:
                if self._waiting.get(name):
                    return self._waiting[name].popleft()
        return None

    def interlude(self, operation: str, moment: str) -> None:
        """Run what a test has put between."""
        with self._lock:
            queue = self._between.get((operation, moment))
            action = queue.popleft() if queue else None
        if action is not None:
            action()
