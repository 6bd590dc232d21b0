"""Resource tables: every way to write an entry, configurations, references that go round, and lies."""

from __future__ import annotations

import struct
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proscribe.assess.android.arsc import MAX_VALUES, Resources, Table
from proscribe.assess.android.axml import Value
from proscribe.assess.android.values import shown

TEXT, NUMBER, BOOLEAN, REFERENCE = 0x03, 0x10, 0x12, 0x01


def asked(table: Table, identifier: int) -> list[str]:
    return [shown(each.value) for each in Resources([lambda: table], [0]).resolve(Value(REFERENCE, identifier, ""))]


@pytest.mark.parametrize("style", ["plain", "sparse", "offset16", "compact"])
def test_entries_in_every_style(axml: ModuleType, arsc: ModuleType, style: str) -> None:
    entries = {0: (TEXT, "res/xml/a.xml"), 3: (NUMBER, 30), 7: (BOOLEAN, 0xFFFFFFFF)}
    table = Table(arsc.table(axml.pool, {1: [(arsc.DEFAULT, entries)]}, style=style))
    assert table.broken == ""
    assert asked(table, 0x7F010000) == ["res/xml/a.xml"]
    assert asked(table, 0x7F010003) == ["30"]
    assert asked(table, 0x7F010007) == ["true"]
    for missing in (0x7F010001, 0x7F010008, 0x7F01FFFF, 0x7F020000, 0x01010000):
        assert asked(table, missing) == []


def test_the_default_comes_first_then_by_version_then_others(axml: ModuleType, arsc: ModuleType) -> None:
    types = {
        1: [
            (arsc.language("fr"), {0: (TEXT, "fr")}),
            (arsc.version(24), {0: (TEXT, "v24")}),
            (arsc.version(31), {0: (TEXT, "v31")}),
            (arsc.DEFAULT, {0: (TEXT, "default")}),
        ]
    }
    assert asked(Table(arsc.table(axml.pool, types)), 0x7F010000) == ["default", "v31", "v24", "fr"]


def test_references_are_followed_and_loops_end(axml: ModuleType, arsc: ModuleType) -> None:
    entries = {
        0: (REFERENCE, 0x7F010001),
        1: (REFERENCE, 0x7F010002),
        2: (TEXT, "end"),
        3: (REFERENCE, 0x7F010004),
        4: (REFERENCE, 0x7F010003),
        5: (REFERENCE, 0x7F010005),
        **{index: (REFERENCE, 0x7F010000 + index + 1) for index in range(10, 90)},
    }
    table = Table(arsc.table(axml.pool, {1: [(arsc.DEFAULT, entries)]}))
    assert asked(table, 0x7F010000) == ["end"]
    assert asked(table, 0x7F010003) == asked(table, 0x7F010005) == asked(table, 0x7F010010) == []


def test_references_that_fan_out_are_bounded(axml: ModuleType, arsc: ModuleType) -> None:
    """Each of many configurations points to another resource with as many."""
    configurations = [
        (arsc.version(sdk), {i: (REFERENCE, 0x7F010000 + (i * 7 + sdk) % 200) for i in range(200)})
        for sdk in range(1, 60)
    ]
    configurations.append((arsc.version(99), dict.fromkeys(range(200), (NUMBER, 5))))
    assert asked(Table(arsc.table(axml.pool, {1: configurations})), 0x7F010000) == ["5"]
    many = [(arsc.version(sdk), {0: (NUMBER, sdk)}) for sdk in range(200)]
    assert len(asked(Table(arsc.table(axml.pool, {1: many})), 0x7F010000)) == MAX_VALUES


def test_a_shared_library_finds_its_own_package(axml: ModuleType, arsc: ModuleType) -> None:
    types = {1: [(arsc.DEFAULT, {0: (TEXT, "mine")})]}
    assert asked(Table(arsc.table(axml.pool, types, package=0x7F)), 0x00010000) == ["mine"]
    assert asked(Table(arsc.table(axml.pool, types, package=0)), 0x00010000) == ["mine"]


def test_tables_are_asked_in_order_and_say_which_answered(axml: ModuleType, arsc: ModuleType) -> None:
    first = Table(arsc.table(axml.pool, {1: [(arsc.DEFAULT, {0: (REFERENCE, 0x7F020000)})]}))
    second = Table(arsc.table(axml.pool, {2: [(arsc.DEFAULT, {0: (TEXT, "from base")})]}))
    found = Resources([lambda: first, lambda: None, lambda: second], [1, 2, 0]).resolve(
        Value(REFERENCE, 0x7F010000, "")
    )
    assert [(each.value.text, each.apk) for each in found] == [("from base", 0)]


def test_types_of_a_feature_split_are_shifted(axml: ModuleType, arsc: ModuleType) -> None:
    """``typeIdOffset``: a feature shares the base's package id and numbers its types after the base's."""
    whole = bytearray(arsc.table(axml.pool, {1: [(arsc.DEFAULT, {0: (TEXT, "feature")})]}))
    package = whole.index(struct.pack("<HH", 0x0200, 288))
    struct.pack_into("<I", whole, package + 284, 4)
    table = Table(bytes(whole))
    assert asked(table, 0x7F050000) == ["feature"]
    assert asked(table, 0x7F010000) == []


def test_work_on_one_table_is_bounded(axml: ModuleType, arsc: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proscribe.assess.android.arsc.MAX_LOOKUPS", 3)
    table = Table(arsc.table(axml.pool, {1: [(arsc.DEFAULT, {0: (NUMBER, 1)})]}))
    assert [asked(table, 0x7F010000) for _ in range(4)] == [["1"], ["1"], ["1"], []]
    assert table.broken == "arsc.budget"
    monkeypatch.setattr("proscribe.assess.android.arsc.MAX_CHUNKS", 2)
    assert Table(arsc.table(axml.pool, {1: [(arsc.DEFAULT, {0: (NUMBER, 1)})]})).broken == "arsc.chunk"


@pytest.mark.parametrize("data", [b"", b"\x02\x00\x0c\x00", bytes(40), b"\x03\x00\x08\x00" + bytes(40)])
def test_what_is_no_table_says_so(data: bytes) -> None:
    assert Table(data).broken == "arsc.header"


def test_lies_about_sizes_are_told(axml: ModuleType, arsc: ModuleType) -> None:
    good = arsc.table(axml.pool, {1: [(arsc.DEFAULT, {0: (TEXT, "a"), 1: (NUMBER, 1)})]})
    larger = good[:4] + struct.pack("<I", 0x7FFFFFFF) + good[8:]
    assert Table(larger).broken == "arsc.file-size"
    assert asked(Table(larger), 0x7F010000) == ["a"]
    at = good.index(struct.pack("<HH", 0x0201, 84))
    entries = bytearray(good)
    struct.pack_into("<I", entries, at + 12, 0xFFFFFFFF)
    assert Table(bytes(entries)).broken == "arsc.type"
    assert asked(Table(bytes(entries)), 0x7F010001) == ["1"]
    chunk = bytearray(good)
    struct.pack_into("<I", chunk, at + 4, 0)
    assert Table(bytes(chunk)).broken == "arsc.chunk"


@settings(max_examples=400, deadline=2000)
@given(data=st.data())
def test_mutants_never_raise(axml: ModuleType, arsc: ModuleType, data: st.DataObject) -> None:
    style = data.draw(st.sampled_from(["plain", "sparse", "offset16", "compact"]))
    types = {1: [(arsc.DEFAULT, {0: (TEXT, "a"), 1: (REFERENCE, 0x7F010000)}), (arsc.version(24), {0: (NUMBER, 1)})]}
    whole = bytearray(arsc.table(axml.pool, types, style=style))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 4))
        width = data.draw(st.sampled_from([1, 2, 4]))
        value = data.draw(st.sampled_from([0, 1, 4, 8, 0x10, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
        whole[at : at + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "little")
    table = Table(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    for identifier in (0x7F010000, 0x7F010001, 0x00010000, 0xFFFFFFFF):
        asked(table, identifier)
