"""What an update added and dropped, the gravest first."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from proscribe import documents
from proscribe.assess.difference import difference
from proscribe.assess.facts import Component, Entitlement, Host, LineageStep, PackageCount, Scheme, VerifiedSigner
from proscribe.assess.model import Review, SuppressionEntry
from proscribe.assess.terms import Area, Ladder, Rating, SiteKind


def signer(certificate, *lineage):
    return VerifiedSigner(certificate, Scheme.v3, 24, lineage=tuple(LineageStep(one) for one in lineage))


def signed(report, *signers, verified=True):
    lineage = signers[0].lineage if signers else ()
    return replace(
        report, publisher=replace(report.publisher, verified=verified, signers=tuple(signers), lineage=lineage)
    )


@pytest.fixture
def before(world, make):
    gathered = make.app(make.call(make.LOCATE), make.call(make.CLIP), permissions=("ACCESS_FINE_LOCATION", "READ_SMS"))
    return signed(world.judge(gathered), signer("1" * 64))


@pytest.fixture
def after(world, make):
    gathered = make.app(
        make.call(make.LOCATE),
        make.call(make.LOADER, "com.adkit.A"),
        make.callback(make.EVENT, "com.example.shop.lite.Eye"),
        permissions=("ACCESS_FINE_LOCATION", "READ_CONTACTS"),
        special=(make.accessibility(),),
        components=(Component("service", "com.example.shop.lite.Eye"),),
        version_code="11",
        code={"packages": (PackageCount("com.adkit", 3),), "hosts": (Host("a.adkit.example", "classes.dex"),)},
    )
    gathered = replace(gathered, package=replace(gathered.package, sha256="2" * 64))
    return signed(world.judge(gathered), signer("1" * 64))


def test_what_an_update_added_and_dropped(before, after):
    found = difference(before, after)
    assert (found.version_before, found.version_after) == ("1.0 (10)", "1.0 (11)")
    assert found.permissions_added == ("android.permission.READ_CONTACTS",)
    assert found.permissions_removed == ("android.permission.READ_SMS",)
    assert found.components_added == ("service com.example.shop.lite.Eye",)
    assert found.special_added[0].startswith("accessibility com.example.shop.lite.Eye")
    assert [one.id for one in found.findings_added] == [
        "PSB-A-CODE-01@adkit",
        "PSB-A-CONTACTS-01@declaration",
        "PSB-A-INTERFACE-01@app",
        "PSB-A-SUPPLY-01@adkit",
    ]
    assert [one.id for one in found.findings_removed] == ["PSB-A-CLIPBOARD-01@app", "PSB-A-RECORDS-01@declaration"]
    assert (found.sdks_added, found.hosts_added) == (("adkit",), ("a.adkit.example",))
    assert (found.rating_before, found.rating_after) == (Rating.moderate, Rating.pervasive)
    assert found.same_signer
    assert (found.before, found.after) == (documents.digest(before), documents.digest(after))


def test_backwards_it_is_the_mirror(before, after):
    there, back = difference(before, after), difference(after, before)
    assert (there.permissions_added, there.findings_added) == (back.permissions_removed, back.findings_removed)
    assert (there.sdks_added, there.special_added) == (back.sdks_removed, back.special_removed)
    assert [(one.area, one.before, one.after) for one in there.areas] == [
        (one.area, one.after, one.before) for one in back.areas
    ]


def test_areas_that_changed_are_told_in_the_order_of_the_map(before, after):
    found = difference(before, after)
    assert [(one.area, one.before, one.after) for one in found.areas] == [
        (Area.contacts, Ladder.none, Ladder.declared),
        (Area.records, Ladder.declared, Ladder.none),
        (Area.interface, Ladder.none, Ladder.called),
        (Area.clipboard, Ladder.called, Ladder.none),
        (Area.changeable_code, Ladder.none, Ladder.called),
        (Area.supply_chain, Ladder.none, Ladder.referenced),
    ]
    assert found.areas[0].summary.en == "Contacts: before, nothing found; now, declared, no code found."


def test_nothing_changed_says_so(before):
    found = difference(before, before)
    assert [one.en for one in found.notable] == ["Both are the very same file."]
    assert (found.areas, found.findings_raised, found.findings_lowered) == ((), (), ())


def test_a_finding_that_is_raised_or_lowered_is_named(world, make):
    named = make.call("location_mode", kind=SiteKind.string, subject="location_mode")
    rungs = [
        world.judge(make.app(make.call(make.LOCATE))),  # called, not declared: it does not count
        world.judge(make.app(named, permissions=("ACCESS_FINE_LOCATION",))),
        world.judge(make.app(make.call(make.LOCATE), permissions=("ACCESS_FINE_LOCATION",))),
    ]
    for low, high in pairwise(rungs):
        assert difference(low, high).findings_raised == ("PSB-A-LOCATION-01@app",)
        assert difference(high, low).findings_lowered == ("PSB-A-LOCATION-01@app",)


def test_a_suppression_is_no_change_of_the_area_but_lowers_the_finding(world, make, before):
    from datetime import date

    day = date(2026, 1, 1)
    gathered = make.app(make.call(make.CLIP))
    review = Review(make.APP, day, (SuppressionEntry("PSB-A-CLIPBOARD-01", "r", "a", day),))
    found = difference(world.judge(gathered), world.judge(gathered, review=review))
    assert found.findings_lowered == ("PSB-A-CLIPBOARD-01@app",)
    assert found.areas[0].summary.en.endswith("now, called in the code (not counted).")


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ([signer("1" * 64)], [signer("1" * 64)], True),
        ([signer("1" * 64)], [signer("2" * 64)], False),
        ([signer("1" * 64)], [signer("2" * 64, "1" * 64, "2" * 64)], True),  # a verified rotation
        ([signer("2" * 64, "1" * 64, "2" * 64)], [signer("1" * 64)], False),  # and not back
        ([signer("1" * 64), signer("3" * 64)], [signer("2" * 64, "1" * 64, "2" * 64)], False),
        ([], [], False),
    ],
)
def test_the_same_signer_is_the_same_certificate_or_its_rotation(before, after, old, new, same):
    found = difference(signed(before, *old), signed(after, *new))
    assert found.same_signer is same
    assert any("signer changed" in one.en for one in found.notable) is not same


def test_an_unverified_signer_is_nobodys(before, after):
    found = difference(before, signed(after, verified=False))
    assert not found.same_signer
    assert "no verified signer" in found.notable[0].en


def test_another_app_a_changed_team_and_other_packs_come_first(world, make, before):
    old, new = world.judge(make.ipa()), world.judge(make.ipa(team_id="TEAM000002"))
    new = replace(new, package=replace(new.package, sha256="3" * 64))
    assert [one.en for one in difference(old, new).notable] == ["The team id changed."]
    found = difference(before, replace(new, packs=()))
    assert "two different apps" in found.notable[0].en
    assert "different data packs" in found.notable[-1].en


def test_ios_extensions_and_entitlements_are_compared(world, make):
    key = Entitlement("com.apple.vpn", "true", "codesign-xml", "Payload/Shop.app/Shop")
    new = world.judge(make.ipa(extensions=("com.apple.keyboard-service=x",), entitlements=(key,)))
    found = difference(world.judge(make.ipa()), new)
    assert found.components_added == ("extension com.apple.keyboard-service=x",)
    assert found.special_added == ("com.apple.vpn=true",)
