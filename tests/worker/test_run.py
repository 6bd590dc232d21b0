"""Again and again until told to stop."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from proscribe.worker.run import run_forever, until_signalled


class Waits(threading.Event):
    """An event that does not wait but remembers how long it would have, and stops after some rounds."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waited.append(timeout)
        if len(self.waited) == self.rounds:
            self.set()
        return self.is_set()


def test_the_interval_is_kept_within_the_jitter() -> None:
    stop = Waits(200)
    assert run_forever(lambda: None, 60.0, 0.1, stop, rng=random.Random(1)) == 200
    assert all(54.0 <= wait <= 66.0 for wait in stop.waited)
    assert len(set(stop.waited)) > 150


def test_a_tick_may_ask_to_be_called_sooner_but_never_later() -> None:
    stop = Waits(4)
    wishes = iter([5.0, 500.0, 0.0, -3.0])
    run_forever(lambda: next(wishes), 60.0, 0.0, stop)
    assert stop.waited == [5.0, 60.0, 0.0, 0.0]


def test_it_does_not_start_when_it_is_stopped() -> None:
    stop = threading.Event()
    stop.set()
    assert run_forever(lambda: pytest.fail("called"), 1.0, 0.0, stop) == 0


def test_what_a_tick_raises_ends_the_loop() -> None:
    def broken() -> None:
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        run_forever(broken, 1.0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_tick_finish(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    finished = []
    with until_signalled() as stop:

        def tick() -> None:
            os.kill(os.getpid(), number)
            time.sleep(0.05)
            finished.append(True)

        assert run_forever(tick, 60.0, stop_event=stop) == 1
        assert signal.getsignal(number) is before, "a second signal is not held back"
    assert finished == [True]
    assert signal.getsignal(number) is before


def test_a_process_ends_cleanly_on_sigterm() -> None:
    script = (
        "from proscribe.worker.run import *\n"
        "with until_signalled() as stop:\n"
        "    run_forever(lambda: print('tick', flush=True), 60, 0.1, stop)\n"
        "print('done', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "tick\n"
        process.terminate()
        rest, _ = process.communicate(timeout=20)
    assert rest == "done\n"
    assert process.returncode == 0
