"""Reading catalogue data: what is accepted, and every way of being refused."""

from __future__ import annotations

import shutil

import pytest

from proscribe.catalogue import library
from proscribe.catalogue.library import DATA, InvalidCatalogue, UnknownEntry
from proscribe.catalogue.resolve import DIRECTIVE_SOURCE, NAME_SOURCE
from proscribe.errors import InvalidDocument, UnreadableFile

PUBLISHER = """
id: acme
name: Acme
country_of_control: CA
legal_names: []
products:
- id: acme/horn
  name: Horn
  status: active
  identifiers:
  - {type: android_package, value: ca.acme.horn, platform: android, confidence: high, sources: [list]}
"""


@pytest.fixture
def folder(tmp_path):
    """A small catalogue that loads; tests spoil one thing in it."""
    (tmp_path / "publishers").mkdir()
    (tmp_path / "publishers" / "acme.yaml").write_text(PUBLISHER)
    (tmp_path / "sources.yaml").write_text("- id: list\n  what: {en: A list, fr: Une liste}\n")
    (tmp_path / "conflicts.yaml").write_text("[]\n")
    (tmp_path / "groups.yaml").write_text("[]\n")
    return tmp_path


def spoil(folder, old, new):
    path = folder / "publishers" / "acme.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_small_catalogue_loads(folder):
    catalogue = library.read(folder)
    assert catalogue.product("acme/horn").name == "Horn"
    assert catalogue.publisher_of("acme/horn").id == "acme"
    assert catalogue.digest.startswith("sha256:")


def test_the_digest_follows_the_data(folder):
    before = library.read(folder).digest
    spoil(folder, "confidence: high", "confidence: low")
    assert library.read(folder).digest != before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("sources: [list]", "sources: [rumour]", "no source 'rumour'"),
        ("sources: [list]", "sources: []", "no source"),
        ("sources: [list]", "sources: [list], conflict: nowhere", "no conflict 'nowhere'"),
        ("value: ca.acme.horn", "value: horn", "two or more labels"),
        ("status: active", "status: active\n  suites: [acme/all]", "no group 'acme/all'"),
        ("status: active", "status: active\n  categories: [noise]", "no group 'noise'"),
        ("id: acme/horn", "id: other/horn", "does not begin with its publisher"),
        ("sources: [list]", "sources: [list], valid_from: 2026-02-01, valid_to: 2026-01-01", "ends before it begins"),
    ],
)
def test_data_that_contradicts_itself_is_refused(folder, old, new, says):
    spoil(folder, old, new)
    with pytest.raises(InvalidCatalogue, match=says) as caught:
        library.read(folder)
    assert "acme.yaml" in str(caught.value.where)


def test_a_misspelt_field_is_refused(folder):
    spoil(folder, "confidence: high", "confidense: high")
    with pytest.raises(InvalidDocument):
        library.read(folder)


def test_a_certificate_with_colons_is_refused(folder):
    colons = ":".join(["AB"] * 32)
    spoil(folder, "type: android_package, value: ca.acme.horn", f'type: android_cert_sha256, value: "{colons}"')
    with pytest.raises(InvalidCatalogue, match="64 lower-case"):
        library.read(folder)


def test_an_id_used_twice_is_refused(folder):
    shutil.copy(folder / "publishers" / "acme.yaml", folder / "publishers" / "again.yaml")
    with pytest.raises(InvalidCatalogue, match="used twice"):
        library.read(folder)


def test_a_missing_file_is_named(folder):
    (folder / "sources.yaml").unlink()
    with pytest.raises(UnreadableFile, match=r"sources\.yaml") as caught:
        library.read(folder)
    assert "sources.yaml, conflicts.yaml" in caught.value.remedy.en


def test_a_file_that_is_no_list_is_refused(folder):
    (folder / "groups.yaml").write_text("id: one\n")
    with pytest.raises(InvalidCatalogue, match="not a list"):
        library.read(folder)


def test_unknown_ids_propose_near_ones(catalogue):
    with pytest.raises(UnknownEntry) as caught:
        catalogue.product("tencent/wechatt")
    assert "tencent/wechat" in caught.value.remedy.en
    for ask in (catalogue.publisher, catalogue.group, catalogue.publisher_of):
        with pytest.raises(UnknownEntry):
            ask("zzzzzz")
    with pytest.raises(UnknownEntry) as caught:
        catalogue.publisher("zzzzzz")
    assert "search" in caught.value.remedy.en


def test_the_shipped_catalogue_is_read_once():
    assert library.load() is library.load()


def test_the_quick_reading_of_what_ships_is_the_strict_one():
    assert library.load() == library.read(library.DATA)


def test_every_group_has_a_member(catalogue):
    used = {group for _, product in catalogue.products() for group in (*product.suites, *product.categories)}
    assert used == set(catalogue.group_ids())


def test_every_source_and_conflict_is_used(catalogue):
    identifiers = [
        identifier
        for publisher in catalogue.publishers
        for identifier in (*publisher.identifiers, *(i for p in publisher.products for i in p.identifiers))
    ]
    used = {source for identifier in identifiers for source in identifier.sources}
    # The first two stand behind targets that selectors make; the others support notes.
    unused = {source.id for source in catalogue.sources} - used
    assert unused == {NAME_SOURCE, DIRECTIVE_SOURCE, "handover", "cuni-deepseek"}
    open_conflicts = {identifier.conflict for identifier in identifiers} - {""}
    assert {conflict.id for conflict in catalogue.conflicts if conflict.open} <= open_conflicts


def test_the_data_folder_ships(catalogue):
    assert sorted(path.stem for path in (DATA / "publishers").glob("*.yaml")) == sorted(catalogue.publisher_ids())
