"""A token bucket: the API's quota belongs to the project, so every connector of a project shares one bucket."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from proscribe.clock import Clock
from proscribe.connectors.amapi.config import QUERIES, QUERY_WINDOW

_FINEST = 0.001


class TokenBucket:
    """At most ``size`` takes in any ``window`` seconds, whatever the pattern. Safe to share between threads.

    The bucket holds a tenth of the quota and is refilled with the other nine tenths over the window, so a burst and the
    refill after it stay within the quota together.
    """

    def __init__(self, clock: Clock, *, size: int = QUERIES, window: float = QUERY_WINDOW) -> None:
        self._clock = clock
        self._burst = max(1.0, size / 10)
        self._rate = max(size - self._burst, 1.0) / window
        self._tokens = self._burst
        self._at = clock.now()
        self._held_until: datetime | None = None
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take one token, waiting for it where needed. Returns the seconds waited."""
        waited = 0.0
        while True:
            with self._lock:
                wait = self._wait()
                if wait <= 0:
                    self._tokens -= 1.0
                    return waited
            # Slept outside the lock: others may ask meanwhile, and each then sees its own wait.
            self._clock.sleep(wait)
            waited += wait

    def hold(self, seconds: float) -> None:
        """Give nothing out for a while: the system asked everybody of the project to slow down."""
        with self._lock:
            until = self._clock.now() + timedelta(seconds=seconds)
            if self._held_until is None or until > self._held_until:
                self._held_until = until

    def _wait(self) -> float:
        now = self._clock.now()
        elapsed = (now - self._at).total_seconds()
        if elapsed > 0:  # a clock set back gives nothing and takes nothing
            self._tokens = min(self._burst, self._tokens + elapsed * self._rate)
        self._at = now
        if self._held_until is not None:
            held = (self._held_until - now).total_seconds()
            if held > 0:
                return held
            self._held_until = None
        # A clock has a finest step; a wait below it would never end.
        return 0.0 if self._tokens >= 1.0 else max(_FINEST, (1.0 - self._tokens) / self._rate)
