"""Limits, rings and policies: read, shown, applied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.plan.limits import (
    UNLIMITED,
    LimitError,
    allowed,
    exceeds,
    parse,
    parse_ring,
    parse_rings,
    refuses_everything,
    show,
)
from proscribe.plan.model import Devices, Percent, Ring, Unlimited
from proscribe.plan.policy import DEFAULT, from_words


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("25", Devices(25)),
        ("0", Devices(0)),
        (" 10% ", Percent(10.0)),
        ("10 %", Percent(10.0)),
        ("2,5\u00a0%", Percent(2.5)),
        ("0.5%", Percent(0.5)),
        ("100%", Percent(100.0)),
        ("unlimited", UNLIMITED),
        ("Illimité", UNLIMITED),
    ],
)
def test_limits_are_read_in_both_languages(words, limit):
    assert parse(words) == limit


@pytest.mark.parametrize("words", ["", "-1", "101%", "ten", "10%%", "1.5", "none", "1e3", "٣"])
def test_what_is_not_a_limit_is_refused_with_a_remedy(words):
    with pytest.raises(LimitError) as error:
        parse(words, field="removal_limit")
    assert error.value.where.field == "removal_limit"
    assert error.value.remedy.fr


@given(st.one_of(st.integers(0, 10**6).map(Devices), st.floats(0, 100).map(lambda p: Percent(round(p, 2)))))
def test_a_shown_limit_reads_back(limit):
    assert parse(show(limit).en) == limit
    assert parse(show(limit).fr) == limit


def test_shares_are_rounded_down_and_exact():
    assert allowed(Percent(7.0), 100) == 7
    assert allowed(Percent(10.0), 9) == 0
    assert allowed(Percent(0.07), 10_000) == 7
    assert allowed(Devices(3), 1) == 3
    assert isinstance(allowed(UNLIMITED, 5), Unlimited)


def test_nothing_is_a_limit_and_not_the_absence_of_one():
    assert exceeds(1, Devices(0), 100)
    assert not exceeds(0, Devices(0), 100)
    assert not exceeds(10**9, UNLIMITED, 1)
    assert refuses_everything(Devices(0))
    assert refuses_everything(Percent(0.0))
    assert not refuses_everything(UNLIMITED)
    assert not refuses_everything(Percent(0.01))


def test_rings_are_read():
    assert parse_ring("canary=5%@98%") == Ring("canary", Percent(5.0), 0.98)
    assert parse_rings(["canary=5", "rest=unlimited"]) == (Ring("canary", Devices(5)), Ring("rest", UNLIMITED))


@pytest.mark.parametrize("words", ["canary", "=5%", "canary=0", "canary=0%", "canary=5%@9", "canary=5%@x", "canary="])
def test_what_is_not_a_ring_is_refused(words):
    with pytest.raises(LimitError):
        parse_ring(words)


def test_two_rings_of_one_name_are_refused():
    with pytest.raises(LimitError):
        parse_rings(["a=5", "a=10"])


def test_the_command_line_changes_only_what_it_says():
    policy = from_words(removal_limit="25", rings=["all=unlimited"], max_days=3)
    assert policy.removal_limit == Devices(25)
    assert policy.reach_limit == DEFAULT.reach_limit
    assert policy.rings == (Ring("all", UNLIMITED),)
    assert policy.inventory_max_days == 3
    assert from_words(reach_limit="2").reach_limit == Devices(2)
    assert from_words() == DEFAULT
