"""All packs together: references between them, look-ups, and what the code readers are told to watch."""

from __future__ import annotations

import hashlib

import pytest

from proscribe.assess.errors import BrokenPack
from proscribe.assess.packs import library
from proscribe.assess.packs.load import load_packs
from proscribe.assess.packs.model import PACKS
from proscribe.assess.watch import Watch


@pytest.fixture
def packs(packs_in):
    return load_packs(packs_in())


def edit(field, value, row=0):
    return lambda header, rows: rows[row].update({field: value})


@pytest.mark.parametrize(
    ("pack", "change", "row", "field"),
    [
        ("apis", edit("capability", "PSB-A-NONE-01"), 2, "capability"),
        ("apis", edit("watch", "La/Service;", 0), 2, "watch"),
        ("apis", edit("watch", "->onEvent", 0), 2, "watch"),
        ("sdks", edit("operator", "nobody", 1), 3, "operator"),
        ("sdks", edit("country", "Canada"), 2, "country"),
        ("sdks", edit("prefixes", ["com.acme.maps"], 1), 3, "prefixes"),
        ("sdks", edit("native", ["libacmemaps.so"], 1), 3, "native"),
        ("sdks", edit("frameworks", ["AcmeMaps"], 1), 3, "frameworks"),
        ("hosts", edit("operator", "nobody"), 2, "operator"),
        ("hosts", edit("operator", ""), 2, "operator"),
        ("operators", edit("parent", "nobody"), 2, "parent"),
        ("operators", edit("parent", "acme"), 2, "parent"),
        ("operators", edit("parent", "acme-maps"), 2, "parent"),
        ("operators", edit("country", "ca"), 2, "country"),
    ],
)
def test_a_row_that_names_what_no_pack_has(packs_in, pack, change, row, field):
    folder = packs_in(**{pack: change})
    with pytest.raises(BrokenPack) as caught:
        load_packs(folder)
    where = caught.value.where
    assert (where.file, where.row, where.field) == (str(folder / f"{pack}.jsonl"), row, field)
    assert caught.value.remedy.fr


def test_a_missing_pack_is_an_error(packs_in):
    folder = packs_in()
    (folder / "hosts.jsonl").unlink()
    with pytest.raises(BrokenPack, match="cannot be read"):
        load_packs(folder)


def test_references_name_every_pack_by_the_digest_of_its_bytes(packs_in):
    folder = packs_in()
    references = load_packs(folder).references
    assert [one.id for one in references] == list(PACKS)
    for one in references:
        assert one.version == "2026.11.1"
        assert one.digest == "sha256:" + hashlib.sha256((folder / f"{one.id}.jsonl").read_bytes()).hexdigest()


def test_the_watch_list_holds_every_api_by_its_kind(packs):
    assert packs.watch == Watch(
        methods=frozenset({("La/Manager;", "get")}),
        fields=frozenset({("La/Build;", "SERIAL")}),
        callbacks=frozenset({("La/Service;", "onEvent")}),
        uris=frozenset({"content://sms"}),
        strings=frozenset({"a.intent"}),
        native=frozenset({"dlopen"}),
        macho=frozenset({"_thing"}),
        libraries=frozenset({"CoreLocation"}),
    )


@pytest.mark.parametrize(
    ("name", "sdk"),
    [
        ("com.acme.maps", "acme-maps"),
        ("com.acme.maps.sdk.View", "acme-maps"),
        ("com.acme.mapsearch", "acme-other"),
        ("com.acme.push", "acme-other"),
        ("com.acme", "acme-other"),
        ("com.acmeother", None),
        ("com", None),
        ("", None),
        ("org.example", None),
        ("...", None),
    ],
)
def test_the_longest_prefix_wins_and_only_at_dots(packs, name, sdk):
    for _ in range(2):  # the second time from the answers kept
        found = packs.sdk_of(name)
        assert (found.id if found else None) == sdk


def test_answers_kept_are_bounded(packs, monkeypatch):
    monkeypatch.setattr(library, "_CACHED", 10)
    for number in range(100):
        assert packs.sdk_of(f"com.acme.maps.C{number}").id == "acme-maps"
    assert len(packs._answers) <= 10


def test_sdks_by_library_framework_and_component(packs):
    assert packs.sdk_of_native("lib/arm64-v8a/libacmemaps.so").id == "acme-maps"
    assert packs.sdk_of_native("libacmemaps.so.1") is None
    assert packs.sdk_of_framework("AcmeMaps.framework").id == "acme-maps"
    assert packs.sdk_of_framework("com.acme.ios").id == "acme-maps"
    assert packs.sdk_of_framework("Acme") is None
    assert packs.sdk_of_component("org.odd.PushService").id == "acme-other"
    assert packs.sdk_of_component("com.acme.maps.Activity").id == "acme-maps"
    assert packs.sdk_of("org.odd.PushService") is None


@pytest.mark.parametrize(
    ("host", "operator"),
    [
        ("acme.com", "acme"),
        ("www.acme.com", "acme"),
        ("maps.acme.com", "acme-maps"),
        ("Tile.MAPS.acme.com.", "acme-maps"),
        ("notacme.com", None),
        ("acme.com.evil.example", None),
        ("com", None),
        ("", None),
        ("schemas.example.com", None),
    ],
)
def test_a_host_belongs_to_the_longest_domain_at_label_boundaries(packs, host, operator):
    found = packs.operator_of(host)
    assert (found[1].id if found else None) == operator


def test_a_namespace_is_no_host(packs):
    assert packs.is_namespace("schemas.example.com")
    assert not packs.is_namespace("acme.com")
    assert not packs.is_namespace("unknown.test")
    assert packs.host_row("a.schemas.example.com").purpose == "namespace"


def test_owners_from_the_operator_up(packs):
    assert [one.id for one in packs.owners("acme-maps")] == ["acme-maps", "acme"]
    assert packs.owners("nobody") == ()


@pytest.mark.parametrize(
    ("host", "country"),
    [("a.ca", "CA"), ("A.CA.", "CA"), ("a.xn--exemple", "CA"), ("a.com", ""), ("ca", "CA"), ("", "")],
)
def test_what_the_ending_says_is_its_own_fact(packs, host, country):
    assert packs.tld_country(host) == country


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.example.co.uk", "example.co.uk"),
        ("WWW.Example.COM.", "example.com"),
        ("example.com", "example.com"),
        ("co.uk", ""),
        ("com", ""),
        ("localhost", ""),
        ("192.0.2.1", ""),
        ("[2001:db8::1]", ""),
        ("", ""),
    ],
)
def test_registrable_domains(packs, host, domain):
    assert packs.domain_of(host) == domain
