"""One pack file: what is refused, and that the refusal names file, row, field and a next step in both languages."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from proscribe.assess.errors import BrokenPack
from proscribe.assess.packs.model import PACKS, SdkRow
from proscribe.assess.packs.read import LARGEST, is_version, newness, read_pack
from proscribe.assess.packs.rows import Misfit, line_of, plain, to_row
from proscribe.text import Text


def refused(path: Path, pack: str = "") -> BrokenPack:
    with pytest.raises(BrokenPack) as caught:
        read_pack(path, pack)
    error = caught.value
    assert error.where.file == str(path)
    assert error.what.en
    assert error.what.fr
    assert error.what.en != error.what.fr
    assert error.remedy.en != error.remedy.fr
    return error


@pytest.mark.parametrize("pack", PACKS)
def test_every_kind_of_pack_is_read_and_written_back(packs_in, pack):
    path = packs_in() / f"{pack}.jsonl"
    read = read_pack(path, pack)
    assert read.header.pack == pack
    assert read.reference.id == pack
    written = "".join(line_of(one) for one in (read.header, *read.rows))
    lines = path.read_text("utf-8").splitlines()
    assert [json.loads(line) for line in written.splitlines()] == [json.loads(line) for line in lines]


def set_field(field, value):
    return lambda header, rows: rows[-1].update({field: value})


def drop_field(field):
    return lambda header, rows: rows[-1].pop(field)


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        (set_field("colour", "red"), "colour", "no such field"),
        (drop_field("source"), "source", "missing"),
        (set_field("source", ""), "source", "no source ''"),
        (set_field("source", "elsewhere"), "source", "no source 'elsewhere'"),
        (set_field("name", 7), "name", "wrong kind"),
        (set_field("prefixes", "com.acme"), "prefixes", "wrong kind"),
        (set_field("prefixes", [7]), "prefixes", "wrong kind"),
        (set_field("purpose", {"en": "Maps"}), "purpose.fr", "missing"),
        (set_field("purpose", {"en": "Maps", "fr": "Cartes", "de": "Karten"}), "purpose.de", "no such field"),
        (set_field("purpose", "Maps"), "purpose", "wrong kind"),
    ],
)
def test_a_row_that_does_not_fit_is_named(packs_in, change, field, word):
    path = packs_in(sdks=change) / "sdks.jsonl"
    error = refused(path)
    assert (error.where.row, error.where.field) == (3, field)
    assert word in error.what.en


@pytest.mark.parametrize(
    ("pack", "field", "value"),
    [
        ("permissions", "grant", "always"),
        ("permissions", "grant", 3),
        ("permissions", "since", True),
        ("permissions", "since", "30"),
        ("apis", "kind", "package"),
        ("capabilities", "needs_declaration", 1),
        ("capabilities", "maps", [["attack-mobile@20.0"]]),
        ("capabilities", "maps", ["attack-mobile@20.0"]),
        ("capabilities", "lower", {"en": "only"}),
        ("jurisdictions", "laws", [{"en": "An Act"}]),
    ],
)
def test_values_are_of_their_type_and_no_other(packs_in, pack, field, value):
    error = refused(packs_in(**{pack: set_field(field, value)}) / f"{pack}.jsonl")
    assert error.where.field.split(".")[0] == field


def test_an_optional_text_may_be_there(packs_in):
    folder = packs_in(capabilities=set_field("lower", {"en": "Less.", "fr": "Moins."}))
    assert read_pack(folder / "capabilities.jsonl").rows[0].lower == Text("Less.", "Moins.")
    folder = packs_in(capabilities=set_field("lower", None))
    assert read_pack(folder / "capabilities.jsonl").rows[0].lower is None


def test_rows_are_sorted_and_stand_once(packs_in):
    error = refused(packs_in(sdks=lambda header, rows: rows.reverse()) / "sdks.jsonl")
    assert (error.where.row, "not sorted" in error.what.en) == (3, True)
    error = refused(packs_in(sdks=lambda header, rows: rows.append(rows[-1])) / "sdks.jsonl")
    assert (error.where.row, "twice" in error.what.en) == (4, True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda header, rows: header.update(pack="unheard-of"), "pack"),
        (lambda header, rows: header.update(version="2026-11"), "version"),
        (lambda header, rows: header.update(version="2026.13.1"), "version"),
        (lambda header, rows: header.update(version="2026.11.1\n"), "version"),
        (lambda header, rows: header["sources"].append(header["sources"][0]), "sources"),
        (lambda header, rows: header["sources"][0].update(id=""), "sources"),
        (lambda header, rows: header.pop("licence"), "licence"),
        (lambda header, rows: header.update(extra=1), "extra"),
        (lambda header, rows: header["sources"][0].pop("licence"), "sources.licence"),
    ],
)
def test_a_header_that_does_not_fit_is_named(packs_in, change, field):
    error = refused(packs_in(sdks=change) / "sdks.jsonl")
    assert (error.where.row, error.where.field) == (1, field)


def test_another_pack_than_the_one_asked_for(packs_in):
    error = refused(packs_in() / "sdks.jsonl", "hosts")
    assert error.where.field == "pack"
    assert "'sdks'" in error.what.en


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (b"", 1),
        (b"\n", 1),
        (b"not json\n", 1),
        (b"[]\n", 1),
        (b"{}", 1),
        (b'{"pack":"sdks"} trailing\n', 1),
        (b"[" * 100_000 + b"\n", 1),
        (b'{"pack":\xff}\n', 1),
    ],
)
def test_what_is_no_pack_at_all(tmp_path, data, row):
    path = tmp_path / "sdks.jsonl"
    path.write_bytes(data)
    assert refused(path).where.row == row


def test_a_file_cut_short_anywhere_is_refused(packs_in):
    path = packs_in() / "sdks.jsonl"
    whole = path.read_bytes()
    for length in range(1, len(whole), 97):
        if whole[length - 1 : length] == b"\n":
            continue
        path.write_bytes(whole[:length])
        refused(path)


def test_bytes_that_are_no_text_are_placed(packs_in):
    path = packs_in() / "sdks.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Acme-Other", b"Acme\xff"))
    assert refused(path).where.row == 3


def test_a_file_that_is_not_there_or_too_large(tmp_path):
    refused(tmp_path / "sdks.jsonl")
    path = tmp_path / "large.jsonl"
    with path.open("wb") as stream:
        stream.truncate(LARGEST + 1)
    assert str(LARGEST) in refused(path).what.en


def test_versions_compare_by_number():
    assert newness("2026.11.10") > newness("2026.11.9")
    assert newness("2027.01.1") > newness("2026.12.40")
    assert is_version("2026.11.1")
    assert not is_version("2026.0.1")


def test_defaults_are_left_out_of_a_line():
    row = to_row(
        SdkRow,
        {
            "id": "a",
            "name": "A",
            "vendor": "A",
            "country": "",
            "purpose": {"en": "x", "fr": "é"},
            "category": "ads",
            "prefixes": ["a.b"],
            "evidence_class": "package",
            "source": "s",
            "reviewed": "2026-11-22",
        },
    )
    assert "native" not in plain(row)
    assert "é" in line_of(row)
    assert plain(dataclasses.replace(row, native=("liba.so",)))["native"] == ["liba.so"]
    with pytest.raises(Misfit):
        to_row(SdkRow, [])
