"""Time that can be handed in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from proscribe.clock import ManualClock, SystemClock, current_clock, use_clock, utc

EASTERN = timezone(timedelta(hours=-5))
NAIVE = datetime(2026, 3, 8, 12)  # noqa: DTZ001 (what an export without a zone gives)


def test_the_system_clock_is_aware_and_without_fractions():
    before = datetime.now(UTC).replace(microsecond=0)
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert now.microsecond == 0
    assert before <= now <= datetime.now(UTC)


def test_the_system_clock_waits():
    started = datetime.now(UTC)
    SystemClock().sleep(0.01)
    assert datetime.now(UTC) - started >= timedelta(seconds=0.01)


def test_a_manual_clock_moves_only_when_told():
    clock = ManualClock(datetime(2026, 1, 1, 7, tzinfo=EASTERN))
    assert clock.now() == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert clock.now() == clock.now()
    clock.sleep(90)
    assert clock.advance(days=1) == datetime(2026, 1, 2, 12, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [NAIVE, datetime(2026, 3, 8, 12, tzinfo=UTC), datetime(2026, 3, 8, 7, tzinfo=EASTERN)]
)
def test_utc_takes_naive_times_as_utc(value):
    assert utc(value) == datetime(2026, 3, 8, 12, tzinfo=UTC)
    assert utc(value).utcoffset() == timedelta(0)


def test_a_clock_is_in_use_for_a_block_and_no_longer():
    outer, inner = ManualClock(datetime(2026, 1, 1, tzinfo=UTC)), ManualClock(datetime(2027, 1, 1, tzinfo=UTC))
    assert isinstance(current_clock(), SystemClock)
    with use_clock(outer):
        with use_clock(inner):
            assert current_clock() is inner
        assert current_clock() is outer
    assert isinstance(current_clock(), SystemClock)


def test_a_clock_goes_out_of_use_when_the_block_fails():
    with pytest.raises(ZeroDivisionError), use_clock(ManualClock(datetime(2026, 1, 1, tzinfo=UTC))):
        _ = 1 / 0
    assert isinstance(current_clock(), SystemClock)
