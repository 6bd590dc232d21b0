"""The thread that stores what the webhook's receiver took: many events in one transaction, then their answers.

It also keeps the receiver's heartbeat, for NanoMDM sends nothing twice: the time between the last heartbeat of one
receiver and the start of the next is a ``Gap``, and so is any time in which events had to be turned away. Following up
asks every device anew after a gap.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from proscribe.clock import Clock
from proscribe.connectors.memory import Memory, Message, Row
from proscribe.connectors.nanomdm.model import Gap
from proscribe.connectors.nanomdm.records import Records
from proscribe.errors import ProscribeError

HEARTBEAT = 5.0  # seconds
BATCH_COUNT = 500  # messages a transaction
BATCH_BYTES = 16 * 1024 * 1024
PATIENCE = 30.0  # seconds that a database which is locked or away is waited for; NanoMDM waits as long
_PAUSE = 0.2
_CONTIGUOUS = timedelta(minutes=1)
"""Losses no further apart are one gap."""

Settle = Callable[[Sequence[Any], bool], None]
"""Told, on the writer's thread, of the tickets of some messages whether these were stored."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: Message
    ticket: Any


class Writer:
    """One thread, one database connection, one transaction at a time."""

    def __init__(self, memory: Memory, clock: Clock, settle: Settle) -> None:
        self._memory = memory
        self._clock = clock
        self._settle = settle
        self._lock = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._counts: Counter[str] = Counter()
        self._lost: list[datetime] = []  # the first and the last time that an event was turned away
        self._stopping = False
        self._ready = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="webhook-writer", daemon=True)

    def start(self) -> None:
        """Note the gap since the last heartbeat and begin. Raises what the store raises."""
        self._thread.start()
        self._ready.wait()
        if self._fault is not None:
            raise self._fault

    def stop(self) -> None:
        """Store what is waiting, leave a last heartbeat, and end."""
        with self._lock:
            self._stopping = True
            self._lock.notify()
        self._thread.join()

    def put(self, message: Message, ticket: Any) -> bool:
        """Have a message stored; its ticket is settled when it is. False at the end, when nothing more is taken.

        The caller keeps to bounds of its own.
        """
        with self._lock:
            if not self._stopping:
                self._queue.append(_Waiting(message, ticket))
                self._lock.notify()
            return not self._stopping

    def count(self, name: str) -> None:
        """Add one to a counter; stored with the next heartbeat."""
        with self._lock:
            self._counts[name] += 1

    def lose(self) -> None:
        """An event was turned away: whatever it told must be asked for."""
        now = self._clock.now()
        with self._lock:
            self._lost = [self._lost[0] if self._lost else now, now]

    # The thread -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._begin()
        except BaseException as error:  # noqa: BLE001 (told to whoever started the thread)
            self._fault = error
            self._ready.set()
            return
        self._ready.set()
        beat = time.monotonic()
        while batch := self._next(max(0.0, beat + HEARTBEAT - time.monotonic())):
            if batch.waiting:
                self._store(batch.waiting)
            if time.monotonic() >= beat + HEARTBEAT:
                self._beat()
                beat = time.monotonic()
        self._beat()

    def _begin(self) -> None:
        now = self._clock.now()
        with self._memory.atomic():
            last = self._memory.get("receiver", "heartbeat")
            if last is not None:
                Records(self._memory).save_gap(Gap(began=datetime.fromisoformat(last["at"]), ended=now))
            self._memory.put("receiver", [Row("heartbeat", {"at": now.isoformat()})])

    def _next(self, patience: float) -> _Batch | None:
        """What is to be stored now; empty when it is time for a heartbeat, None at the end."""
        with self._lock:
            if not self._queue and not self._stopping:
                self._lock.wait(patience)
            if not self._queue and self._stopping:
                return None
            taken: list[_Waiting] = []
            size = 0
            while self._queue and len(taken) < BATCH_COUNT and size < BATCH_BYTES:
                one = self._queue.popleft()
                size += len(one.message.body)
                taken.append(one)
            return _Batch(taken)

    def _store(self, waiting: Sequence[_Waiting]) -> None:
        stored = self._received([one.message for one in waiting])
        self._settle([one.ticket for one in waiting], stored)

    def _received(self, messages: Sequence[Message]) -> bool:
        """Whether they are in the inbox, and on the disk."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                new = self._memory.receive(messages)
            except Exception as error:  # noqa: BLE001 (whatever it is, the receiver has to answer)
                passing = isinstance(error, ProscribeError) and error.transient
                if not passing or self._stopping or time.monotonic() > end:
                    return False
                time.sleep(_PAUSE)
            else:
                with self._lock:
                    self._counts["received"] += new
                return True

    def _beat(self) -> None:
        """Leave a heartbeat, the counts and the gap of what was turned away. What cannot be stored waits."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            lost, self._lost = self._lost, []
        now = self._clock.now()
        try:
            with self._memory.atomic():
                for name, by in sorted(counts.items()):
                    self._memory.count(name, by)
                if lost:
                    Records(self._memory).widen_gap(Gap(began=lost[0], ended=lost[1]), _CONTIGUOUS)
                self._memory.put("receiver", [Row("heartbeat", {"at": now.isoformat()})])
        except Exception:  # noqa: BLE001 (the next heartbeat tries again; without one, the gap is found at the start)
            with self._lock:
                self._counts.update(counts)
                self._lost = lost[:1] + (self._lost[1:] or lost[1:])


@dataclass(frozen=True, slots=True)
class _Batch:
    """True also when empty: only the end is not."""

    waiting: Sequence[_Waiting]
