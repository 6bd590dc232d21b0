"""The pack of operators: companies with their country, owners with a date, the catalogue where it knows them."""

from __future__ import annotations

import re
from datetime import date

from proscribe.catalogue.library import load


def test_rows_are_whole(packs):
    assert len(packs.operators) >= 150
    names = [row.name for row in packs.operators.values()]
    assert len(set(names)) == len(names)
    for row in packs.operators.values():
        assert re.fullmatch(r"[a-z0-9-]+", row.id)
        assert row.name.strip() == row.name != ""
        assert row.country in packs.jurisdictions or row.country == "", row.id


def test_a_date_of_ownership_has_an_owner_and_is_past(packs):
    for row in packs.operators.values():
        if row.since:
            assert row.parent
            assert date(2000, 1, 1) < date.fromisoformat(row.since) <= date(2026, 11, 22)


def test_the_catalogue_says_the_same(packs):
    publishers = {publisher.id: publisher for publisher in load().publishers}
    named = {row.publisher: row for row in packs.operators.values() if row.publisher}
    assert named.keys() == publishers.keys()
    for publisher, row in named.items():
        assert row.country == publishers[publisher].country_of_control
        assert row.source == "catalogue"
    assert {row.source for row in packs.operators.values() if not row.publisher} == {"acquisition", "company"}


def test_only_rows_with_an_owner_rest_on_acquisitions(packs):
    for row in packs.operators.values():
        if not row.publisher:
            assert (row.source == "acquisition") == bool(row.parent), row.id


def test_every_operator_is_named_by_somebody(packs):
    named = {row.operator for row in (*packs.sdks.values(), *packs.hosts.values())}
    named |= {row.parent for row in packs.operators.values()}
    assert packs.operators.keys() <= named


def test_owners_lead_to_the_house(packs):
    assert [row.id for row in packs.owners("tapjoy")] == ["tapjoy", "ironsource", "unity"]
    assert packs.owners("umeng")[-1].id == "alibaba"
