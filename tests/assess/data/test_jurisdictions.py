"""The pack of countries: names in both languages, endings, and laws in neutral words with their year."""

from __future__ import annotations

import re

import pytest

ALLEGES = re.compile(
    r"\b(spy|spies|spying|espionage|abuse\w*|forced|hostile|adversar\w*|threat\w*|regime|espion\w*|menace\w*|"
    r"régime|abus\w*)\b",
    re.IGNORECASE,
)


def test_countries_the_assessment_meets_are_here(packs):
    wanted = {
        "CN",
        "RU",
        "US",
        "IN",
        "IL",
        "KR",
        "JP",
        "SG",
        "VN",
        "IR",
        "AE",
        "BY",
        "TR",
        "DE",
        "FR",
        "GB",
        "CA",
        "NL",
        "SE",
    }
    wanted |= {"FI", "CH", "IE"}
    assert wanted <= packs.jurisdictions.keys()


@pytest.mark.parametrize("country", ["CN", "RU", "US", "GB", "CA", "FR", "DE", "IN", "AU"])
def test_laws_name_their_act_year_and_section(packs, country):
    laws = packs.jurisdictions[country].laws
    assert laws
    for law in laws:
        for text in (law.en, law.fr):
            assert re.search(r"\b(19|20)\d\d\b|U\.S\.C\. \d+", text), text
            assert re.search(r"\b(articles?|sections?|Part|partie|article)\b|U\.S\.C\. \d+", text), text


def test_laws_are_stated_without_a_judgement(packs):
    for row in packs.jurisdictions.values():
        for law in row.laws:
            assert not ALLEGES.search(law.en + " " + law.fr), law
            assert law.en.endswith(".")
            assert law.fr.endswith(".")


def test_a_country_without_reviewed_laws_says_so_by_its_source(packs):
    for row in packs.jurisdictions.values():
        assert (row.source == "iana") == (row.laws == ()), row.country


def test_an_ending_belongs_to_one_country(packs):
    endings = [ending for row in packs.jurisdictions.values() for ending in row.tld.split()]
    assert len(set(endings)) == len(endings)
    for row in packs.jurisdictions.values():
        assert re.fullmatch(r"[A-Z]{2}", row.country)
        assert all(re.fullmatch(r"[a-z]{2}|xn--[a-z0-9]+", ending) for ending in row.tld.split()), row.country
        assert row.name.en
        assert row.name.fr


@pytest.mark.parametrize(
    ("host", "country"),
    [("a.cn", "CN"), ("a.xn--fiqs8s", "CN"), ("yandex.ru", "RU"), ("a.su", "RU"), ("bbc.co.uk", "GB"), ("a.ca", "CA")],
)
def test_endings_of_hosts(packs, host, country):
    assert packs.tld_country(host) == country


@pytest.mark.parametrize("host", ["a.com", "a.io", "a.ai", "a.co", "a.me", "a.tv", "a.eu", "a.app"])
def test_endings_that_are_sold_to_anybody_stand_for_no_country(packs, host):
    assert packs.tld_country(host) == ""
