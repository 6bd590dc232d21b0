"""Call something again and again until told to stop: all that ``proscribe watch`` needs of a worker.

There is no state here. The loop is level-triggered, so a tick that is missed, late or doubled changes nothing.
"""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


def run_forever(
    tick: Callable[[], float | None],
    interval: float,
    jitter: float = 0.1,
    stop_event: threading.Event | None = None,
    *,
    rng: random.Random | None = None,
) -> int:
    """Call ``tick`` every ``interval`` seconds until ``stop_event`` is set; return how often it was called.

    ``jitter`` is the share of the interval by which each wait is longer or shorter, so that several workers do not
    march in step. ``tick`` may return the seconds after which it wants to be called again where that is sooner than the
    interval. What it raises ends the loop: the caller knows which errors are worth another try.
    """
    stop = stop_event or threading.Event()
    chance = rng or random.SystemRandom()
    called = 0
    while not stop.is_set():
        sooner = tick()
        called += 1
        wait = interval if sooner is None else min(interval, max(0.0, sooner))
        stop.wait(wait * (1.0 + chance.uniform(-jitter, jitter)))
    return called


@contextmanager
def until_signalled(stop_event: threading.Event | None = None) -> Iterator[threading.Event]:
    """An event that SIGTERM or SIGINT sets: the tick under way is finished, then the loop ends.

    A second signal does what it always does, for those who cannot wait. Only in the main thread.
    """
    stop = stop_event or threading.Event()

    def stop_after_this(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        restore()

    before = {number: signal.signal(number, stop_after_this) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        yield stop
    finally:
        restore()
