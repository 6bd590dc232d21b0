"""The token bucket."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.clock import ManualClock
from proscribe.connectors.amapi.bucket import TokenBucket

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@given(
    pauses=st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=120),
    size=st.integers(min_value=2, max_value=40),
)
def test_no_window_holds_more_than_the_quota(pauses: list[float], size: int) -> None:
    clock, taken = ManualClock(START), []
    bucket = TokenBucket(clock, size=size, window=100.0)
    for pause in pauses:
        clock.sleep(pause)
        bucket.take()
        taken.append(clock.now())
    for moment in taken:
        window = [other for other in taken if moment <= other < moment + timedelta(seconds=99.9)]
        assert len(window) <= size


def test_waiting_is_said() -> None:
    clock = ManualClock(START)
    bucket = TokenBucket(clock, size=10, window=90.0)
    assert bucket.take() == 0.0
    assert bucket.take() == pytest.approx(10.0, abs=0.01)
    assert clock.now() == START + timedelta(seconds=10)


def test_the_longer_hold_stands() -> None:
    clock = ManualClock(START)
    bucket = TokenBucket(clock)
    bucket.hold(30)
    bucket.hold(5)
    assert bucket.take() == pytest.approx(30.0)


def test_a_clock_set_back_gives_nothing() -> None:
    clock = ManualClock(START)
    bucket = TokenBucket(clock, size=10, window=90.0)
    bucket.take()
    clock.advance(hours=-1)
    assert bucket.take() == pytest.approx(10.0, abs=0.01)


def test_many_threads_share_one_bucket() -> None:
    clock = ManualClock(START)
    bucket = TokenBucket(clock, size=1000, window=100.0)
    threads = [threading.Thread(target=lambda: [bucket.take() for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == START, "a hundred fit into the burst"
    assert bucket.take() > 0
