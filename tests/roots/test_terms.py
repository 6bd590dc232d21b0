"""The shared terms travel in documents by value, so a value must be its name and stay."""

import pytest

from proscribe.terms import Enrolment, Held, Platform, Side


@pytest.mark.parametrize("terms", [Platform, Enrolment, Side, Held])
def test_a_term_is_written_as_it_is_named(terms):
    assert all(str(term) == term.name == term.value for term in terms)


@pytest.mark.parametrize("terms", [Platform, Enrolment, Side, Held])
def test_unknown_is_a_value(terms):
    assert terms("unknown") is terms.unknown


def test_codes_in_the_install_table_are_positions():
    """``installs.parquet`` stores positions, so members may be added at the end and never moved."""
    assert list(Side) == ["whole", "work", "personal", "unknown"]
    assert list(Held) == ["managed", "unmanaged", "system", "unknown"]
