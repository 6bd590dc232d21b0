"""Registrable domains, held against the package whose list is read."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from proscribe.assess.packs import suffixes
from proscribe.assess.packs.suffixes import _rules, registrable

ORACLE = PublicSuffixList()
LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)


def rules():
    listed = sorted(rule for rule in _rules() if rule and not rule.startswith("//"))
    assert len(listed) > 9000
    return [rule.lstrip("!").replace("*", "wild") for rule in listed]


def ascii_form(name):
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def test_every_rule_of_the_list_gives_the_oracle_s_answer():
    for rule in rules():
        for name in (rule, f"a.{rule}", f"b.a.{rule}", f"c.b.a.{rule}"):
            host = ascii_form(name)
            assert registrable(host) == (ORACLE.privatesuffix(host) or ""), host


@given(st.lists(LABELS, min_size=2, max_size=5).filter(lambda labels: not labels[-1].isdigit()))
def test_any_name_gives_the_oracle_s_answer(labels):
    host = ".".join(labels)
    assert registrable(host) == (ORACLE.privatesuffix(host) or "")


@pytest.mark.parametrize("host", ["", ".", "..", "a", "a..com", ".com", "1.2.3.4", "[::1]", "a:80", "com", "xn--"])
def test_what_has_no_registrable_domain(host):
    assert registrable(host) == ""


def test_without_the_package_it_says_which_one_is_missing(monkeypatch):
    monkeypatch.setattr(suffixes, "find_spec", lambda name: None)
    _rules.cache_clear()
    try:
        with pytest.raises(ModuleNotFoundError, match="publicsuffixlist"):
            registrable("example.com")
    finally:
        _rules.cache_clear()


def test_a_label_that_is_no_punycode_is_taken_as_it_stands():
    assert registrable("a.xn--\N{SNOWMAN}.com") == "xn--\N{SNOWMAN}.com"
