"""Time, as something that can be handed in. Tests replace the clock and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where a stage gets its time from; all times are aware and in UTC."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to; sleeping moves it. For tests and rehearsals."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def advance(self, **delta: float) -> datetime:
        """Move on by ``timedelta(**delta)`` and return the new time."""
        self._now += timedelta(**delta)
        return self._now


_in_use: ContextVar[Clock | None] = ContextVar("proscribe_clock", default=None)


def current_clock() -> Clock:
    """The clock of this context: the machine's, unless a rehearsal or a test put another in its place."""
    return _in_use.get() or SystemClock()


@contextmanager
def use_clock(clock: Clock) -> Iterator[None]:
    """Put ``clock`` in the place of the machine's for as long as the block runs."""
    token = _in_use.set(clock)
    try:
        yield
    finally:
        _in_use.reset(token)


def utc(value: datetime) -> datetime:
    """``value`` in UTC; a naive time is taken to be UTC already."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
