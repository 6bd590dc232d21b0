"""The dex reader: good files of every version, and files that lie; nothing raises, nothing is silently empty."""

from __future__ import annotations

import struct
import time
from collections import Counter
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from proscribe.assess.code.classdata import read_members
from proscribe.assess.code.dex import Dex
from proscribe.assess.code.header import DexFault, headers
from proscribe.assess.code.strings import MAX_TEXT, decode, encode, fingerprints_of, utf16_length
from proscribe.assess.facts import CodeFacts, PackageCount, Reading
from proscribe.assess.terms import Extent, FactClass, SiteKind

Read = Callable[..., Reading[CodeFacts]]
SEND = ("Lapi/Sms;", "send")
SEND_SITE = "Lapi/Sms;->send()V"


def good(dx: ModuleType, version: str = "035") -> tuple[bytes, ModuleType]:
    """A file with one of everything, and its layout."""
    dex = dx.Dex(version)
    main = dex.add("Lapp/ui/Main;", "Lapp/Base;", ["Lapp/Face;"])
    main.method("<init>", "()V", [0x0E], direct=True)
    main.method("abstract", "()V", None)
    main.method("go", "(ILjava/lang/String;)V", [*dx.invoke(0x71, [], dx.call(*SEND, "()V")), 0x0E])
    main.method("stop", "()V", [*dx.const_string(0, "content://sms"), 0x0E])
    dex.add("Lapp/Base;")
    dex.add("LNoPackage;").method("run", "()V", [0x0E])
    dex.add("Lapp/Face;")
    dex.mention(dx.field_("Lapi/F;", "F", "I"))
    return dex.build(), dex.layout


def calls(reading: Reading[CodeFacts]) -> list[str]:
    assert reading.facts is not None
    return [site.subject for site in reading.facts.sites if site.kind is SiteKind.call]


# ---- good files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["035", "036", "037", "038", "039", "040", "041"])
def test_every_version_is_read(dx: ModuleType, read: Read, version: str) -> None:
    data, _ = good(dx, version)
    reading = read(data, methods={SEND})
    assert reading.facts is not None
    (file,) = reading.facts.dex
    assert (file.version, file.problem, file.classes, file.size) == (version, "", 4, len(data))
    assert reading.facts.packages == (PackageCount("", 1), PackageCount("app", 2), PackageCount("app.ui", 1))
    assert calls(reading) == [SEND_SITE]
    assert reading.anomalies == ()
    assert [(run.of, run.extent, run.read, run.total) for run in reading.runs] == [
        (FactClass.dex, Extent.complete, 1, 1),
        (FactClass.native, Extent.absent, 0, 0),
    ]


def test_a_container_holds_several_dex_files(dx: ModuleType, read: Read) -> None:
    first, second = dx.Dex("041"), dx.Dex("041")
    first.add("Lapp/One;", "Lapp/Two;").method(
        "go", "()V", [*dx.invoke(0x6E, [1], dx.call("Lapp/Two;", "send", "()V")), 0x0E]
    )
    second.add("Lapp/Two;", "Lapi/Sms;")
    reading = read(dx.container(first, second), methods={SEND})
    assert reading.facts is not None
    assert [(file.member, file.classes, file.problem) for file in reading.facts.dex] == [("classes.dex", 1, "")] * 2
    assert calls(reading) == ["Lapp/Two;->send()V"]
    assert reading.anomalies == ()


def test_no_dex_is_absent_and_not_failed(read: Read) -> None:
    reading = read(members={"a.txt": b"x"})
    assert reading.runs[0].extent is Extent.absent


def test_65536_methods(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    item = dex.add("Lapp/Big;")
    for number in range(65_535):
        item.method(
            f"m{number:05d}", "()V", [0x0E] if number % 4096 else [*dx.invoke(0x71, [], dx.call(*SEND, "()V")), 0x0E]
        )
    reading = read(dex.build(), methods={SEND})
    assert reading.facts is not None
    assert reading.facts.dex[0].methods == 65_536
    assert len(calls(reading)) == 16
    assert {site.caller for site in reading.facts.sites} == {f"Lapp/Big;->m{n:05d}()V" for n in range(0, 65_535, 4096)}


def test_bytes_that_are_let_go_are_read_again(dx: ModuleType, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = dx.Dex(), dx.Dex()
    code = [*dx.invoke(0x6E, [1], dx.call("Lapp/B;", "send", "()V")), 0x0E]
    first.add("Lapp/A;", "Lapi/L;", ["Lapi/I;"]).method("go", "()V", code).method("on", "()V")
    second.add("Lapp/B;", "Lapi/Sms;").method("other", "()V")
    watch = {"methods": {SEND}, "callbacks": {("Lapi/L;", "on"), ("Lapi/I;", "on")}}
    kept = read(first.build(), second.build(), **watch)
    monkeypatch.setattr("proscribe.assess.code.program.KEPT", 0)
    assert read(first.build(), second.build(), **watch) == kept
    assert kept.facts is not None
    assert len(kept.facts.sites) == 3


# ---- anomalies: read, and told -------------------------------------------------------------------------------------


def test_wrong_checksums_are_told(dx: ModuleType, read: Read) -> None:
    data, _ = good(dx)
    reading = read(data[:8] + bytes(24) + data[32:], methods={SEND})
    assert {anomaly.code for anomaly in reading.anomalies} == {"dex.bad-checksum", "dex.bad-signature"}
    assert calls(reading) == [SEND_SITE]


@pytest.mark.parametrize("where", ["count", "offset", "map"])
def test_a_map_that_contradicts_is_told(dx: ModuleType, read: Read, where: str) -> None:
    data, layout = good(dx)
    if where == "map":
        data = dx.patched(data, 52, struct.pack("<I", len(data) - 2))
    else:
        data = dx.patched(data, layout.map + 4 + 12 + (4 if where == "count" else 8), struct.pack("<I", 3))
    reading = read(data, methods={SEND})
    assert [anomaly.code for anomaly in reading.anomalies] == ["dex.bad-map"]
    assert calls(reading) == [SEND_SITE]


def test_bytes_behind_the_file_are_told(dx: ModuleType, read: Read) -> None:
    reading = read(good(dx)[0] + b"tail", methods={SEND})
    assert [(anomaly.code, anomaly.detail) for anomaly in reading.anomalies] == [("dex.trailing-data", "4 bytes")]
    assert calls(reading) == [SEND_SITE]


def test_unsorted_and_duplicate_rows_are_told(dx: ModuleType, read: Read) -> None:
    data, layout = good(dx)
    at = layout.tables["method_ids"]
    doubled = dx.patched(data, at, data[at + 8 : at + 16])
    found = {(anomaly.code, anomaly.detail) for anomaly in read(doubled).anomalies}
    assert ("dex.unsorted", "method_ids 1") in found
    rows = layout.tables["class_defs"]
    twice = dx.patched(data, rows + 32, data[rows : rows + 4])
    assert ("dex.duplicate-class", "1") in {(anomaly.code, anomaly.detail) for anomaly in read(twice).anomalies}


# ---- corrupt files: a problem code each ----------------------------------------------------------------------------


def header_patch(dx: ModuleType, offset: int, value: int) -> bytes:
    return dx.patched(good(dx)[0], offset, struct.pack("<I", value), sign=offset != 32)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("offset", "value", "problem"),
    [
        (0, 0x0A786464, "dex.bad-magic"),
        (0, 0x78656463, "dex.compact"),
        (0, 0x0A796564, "dex.optimised"),
        (4, 0x00343330, "dex.unsupported-version"),  # 034
        (32, 0x60, "dex.file-size"),
        (32, 0x7FFFFFFF, "dex.truncated"),
        (36, 0x78, "dex.header-size"),
        (40, 0x78563412, "dex.endian"),
        (56, 0xFFFFFFFF, "dex.table-size"),
        (56, 100_000, "dex.table-range"),
        (60, 0x71, "dex.misaligned"),
        (60, 0xFFFFFFF0, "dex.table-range"),
        (64, 0x10000, "dex.table-size"),
        (72, 0x10000, "dex.table-size"),
        (80, 0x10001, "dex.table-size"),
        (88, 0xFFFFFFFF, "dex.table-size"),
        (92, 0x7FFFFFFC, "dex.table-range"),
        (96, 0xFFFFFFFF, "dex.table-size"),
        (100, 0x7FFFFFFC, "dex.table-range"),
    ],
)
def test_a_broken_header_fails_with_a_code(dx: ModuleType, read: Read, offset: int, value: int, problem: str) -> None:
    reading = read(header_patch(dx, offset, value), methods={SEND})
    assert reading.facts is not None
    (file,) = reading.facts.dex
    assert file.problem == problem
    assert file.sha256
    assert (reading.runs[0].extent, reading.runs[0].problem) == (Extent.failed, problem)
    assert (reading.runs[0].read, reading.runs[0].total) == (0, 1)


@pytest.mark.parametrize("size", [0, 3, 8, 0x6F])
def test_a_file_without_a_whole_header(dx: ModuleType, read: Read, size: int) -> None:
    reading = read(good(dx)[0][:size])
    assert reading.facts is not None
    assert reading.facts.dex[0].problem == ("dex.bad-magic" if size < 8 else "dex.too-short")


def test_one_bad_file_beside_a_good_one_is_partial(dx: ModuleType, read: Read) -> None:
    reading = read(good(dx)[0], b"dex\n035\0", good(dx, "039")[0], methods={SEND})
    assert reading.facts is not None
    assert [file.problem for file in reading.facts.dex] == ["", "dex.too-short", ""]
    assert (reading.runs[0].extent, reading.runs[0].read, reading.runs[0].total) == (Extent.partial, 2, 3)
    assert calls(reading) == [SEND_SITE] * 2


def broken_rows(dx: ModuleType, table: str, column: int, kind: str, value: int) -> bytes:
    data, layout = good(dx)
    return dx.patched(data, layout.tables[table] + column, struct.pack(kind, value))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("table", "column", "kind", "problem"),
    [
        ("string_ids", 0, "<I", "dex.string-offset"),
        ("type_ids", 0, "<I", "dex.type-index"),
        ("field_ids", 0, "<H", "dex.field-class"),
        ("field_ids", 2, "<H", "dex.field-type"),
        ("field_ids", 4, "<I", "dex.field-name"),
        ("method_ids", 0, "<H", "dex.method-class"),
        ("method_ids", 2, "<H", "dex.method-proto"),
        ("method_ids", 4, "<I", "dex.method-name"),
        ("class_defs", 0, "<I", "dex.class-index"),
        ("class_defs", 8, "<I", "dex.superclass"),
        ("class_defs", 12, "<I", "dex.interfaces"),
        ("class_defs", 24, "<I", "dex.class-data"),
    ],
)
def test_an_index_out_of_range_makes_the_reading_partial(
    dx: ModuleType, read: Read, table: str, column: int, kind: str, problem: str
) -> None:
    value = (1 << 8 * struct.calcsize(kind)) - (1 if column != 8 else 2)  # all ones means "none" for a superclass
    reading = read(broken_rows(dx, table, column, kind, value), methods={SEND}, uris={"content://"})
    assert reading.facts is not None
    (file,) = reading.facts.dex
    assert problem in file.detail
    assert file.problem
    assert (reading.runs[0].extent, reading.runs[0].read, reading.runs[0].total) == (Extent.partial, 0, 1)


@pytest.mark.parametrize("offset", [56, 64, 72, 80, 88])
def test_a_table_that_is_said_to_be_empty_makes_the_reading_partial(dx: ModuleType, read: Read, offset: int) -> None:
    reading = read(header_patch(dx, offset, 0), methods={SEND}, fields={("Lapi/F;", "F")}, uris={"content://"})
    # Nothing names a field here, so that an empty field table contradicts the map alone.
    assert (reading.runs[0].extent is Extent.partial) == (offset != 80)
    assert "dex.bad-map" in {anomaly.code for anomaly in reading.anomalies}


def test_no_classes_contradict_the_map(dx: ModuleType, read: Read) -> None:
    reading = read(header_patch(dx, 96, 0), methods={SEND})
    assert [anomaly.code for anomaly in reading.anomalies] == ["dex.bad-map"]
    assert reading.facts is not None
    assert reading.facts.packages == ()


@pytest.mark.parametrize("value", [0xFFFFFFF0, 0xFFFFFFFF, 1])
def test_a_proto_that_cannot_be_read_leaves_the_rest(dx: ModuleType, read: Read, value: int) -> None:
    data, layout = good(dx)
    at = layout.tables["proto_ids"]
    for column in (4, 8):
        broken = data
        for row in range(2):
            broken = dx.patched(broken, at + 12 * row + column, struct.pack("<I", value if column == 8 else 0xFFFF))
        (subject,) = calls(read(broken, methods={SEND}))
        assert subject == "Lapi/Sms;->send(?)?"


def test_class_data_that_says_too_much(dx: ModuleType, read: Read) -> None:
    data, layout = good(dx)
    at = layout.class_data["Lapp/ui/Main;"]
    for place in range(4):
        broken = dx.patched(data, at + place, b"\x7f")
        reading = read(broken, methods={SEND})
        assert reading.runs[0].problem == "dex.class-data"
        assert calls(reading) == []


def test_numbers_longer_than_five_bytes(dx: ModuleType, read: Read) -> None:
    data, layout = good(dx)
    broken = dx.patched(data, layout.class_data["Lapp/ui/Main;"] + 4, b"\xff" * 6)
    facts = read(broken, methods={SEND}).facts
    assert facts is not None
    assert "dex.uleb128" in facts.dex[0].detail
    wild = dx.patched(data, layout.strings["go"], b"\xff" * 6)
    assert "dex.string-offset" in read(wild).runs[0].problem


def test_code_outside_the_file(dx: ModuleType, read: Read) -> None:
    data, layout = good(dx)
    at = layout.code["Lapp/ui/Main;", "go", "(ILjava/lang/String;)V"]
    reading = read(dx.patched(data, at + 12, struct.pack("<I", 0xFFFFFFFF)), methods={SEND})
    assert (reading.runs[0].problem, calls(reading)) == ("dex.code-item", [])


def test_two_classes_over_the_same_data(dx: ModuleType, read: Read) -> None:
    data, layout = good(dx)
    rows = layout.tables["class_defs"]
    shared = dx.patched(data, rows + 32 + 24, data[rows + 24 : rows + 28])
    reading = read(shared, methods={SEND})
    assert (reading.runs[0].problem, calls(reading)) == ("dex.overlapping-class-data", [SEND_SITE])


def test_class_data_that_runs_into_the_next(dx: ModuleType) -> None:
    (header,) = headers(good(dx)[0])
    # One class at byte 1 with two direct methods; another at byte 5, in the middle of the first one's.
    raw = np.array([9, 0, 0, 2, 0, 0, 1, 0, 1, 0, 0, 2, 1, 0, 0], dtype=np.uint8)
    faults: Counter[str] = Counter()
    found = read_members(raw, np.array([1, 5, 0]), header, faults)
    assert faults == {"dex.overlapping-class-data": 1}
    assert list(zip(found.owners.tolist(), found.methods.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 2)]


def test_code_items_that_share_bytes_are_walked_each(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    inner = [4, 1, 0, 0, 0, 0, 4, 0, *dx.invoke(0x71, [], dx.call(*SEND, "()V")), 0x0E]
    outer = [0x0228 + 0x700, *[0] * 7, *inner]  # goto over the other item's header
    item = dex.add("Lapp/Main;").method("a", "()V", outer).method("b", "()V", [0x0E])
    data = dex.build()
    code = dex.layout.code["Lapp/Main;", "a", "()V"]
    assert item
    inside = code + 16 + 2 * 8
    at = dex.layout.class_data["Lapp/Main;"]
    # Method b's code offset: the last number of the class data.
    old = dx.uleb128(dex.layout.code["Lapp/Main;", "b", "()V"])
    new = dx.uleb128(inside)
    place = data.index(old, at + 4 + 4)
    reading = read(dx.patched(data, place, new), methods={SEND})
    assert reading.facts is not None
    assert reading.runs[0].problem == "dex.overlapping-code"
    assert {(site.caller[-4:], site.offset) for site in reading.facts.sites if site.kind is SiteKind.call} == {
        ("a()V", 16),
        ("b()V", 0),
    }


def test_methods_that_share_a_code_item_are_each_a_caller(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    body = [*dx.invoke(0x71, [], dx.call(*SEND, "()V")), 0x0E]
    dex.add("Lapp/Main;").method("a", "()V", body).method("b", "()V", body)
    data = dex.build()
    codes = [dx.uleb128(dex.layout.code["Lapp/Main;", name, "()V"]) for name in "ab"]
    place = data.index(codes[1], dex.layout.class_data["Lapp/Main;"] + 4)
    reading = read(dx.patched(data, place, codes[0]), methods={SEND})
    assert reading.facts is not None
    assert [site.caller for site in reading.facts.sites] == ["Lapp/Main;->a()V", "Lapp/Main;->b()V"]


@pytest.mark.parametrize(
    ("limit", "value", "problem"),
    [
        ("proscribe.assess.code.scan.MAX_CANDIDATES", 0, "code.too-many-candidates"),
        ("proscribe.assess.code.program.MOST", 10, "code.too-much-dex"),
        ("proscribe.assess.code.program.MOST_BYTES", 10, "dex.too-large"),
        ("proscribe.assess.code.program.MAX_HOSTS", 0, "code.too-many-hosts"),
        ("proscribe.assess.code.hosts._MAX_SEPARATORS", 0, "code.too-many-hosts"),
        ("proscribe.assess.code.targets.MAX_STRINGS", 1, "code.too-many-strings"),
        ("proscribe.assess.code.header.MAX_LOGICAL", 0, "dex.too-many-logical-files"),
        ("proscribe.assess.code.scan.MAX_UNITS", 1, "code.budget"),
        ("proscribe.assess.code.scan.MAX_USES", 1, "code.too-many-sites"),
        ("proscribe.assess.code.family.MAX_STEPS", 1, "code.deep-hierarchy"),
        ("proscribe.assess.code.family._MAX_ANCESTORS", 1, "code.deep-hierarchy"),
    ],
)
def test_what_a_limit_cuts_is_said(
    dx: ModuleType, read: Read, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, problem: str
) -> None:
    monkeypatch.setattr(limit, value)
    dex = dx.Dex()
    dex.mention(dx.string("https://a.example/"), dx.string("https://b.example/"))
    code = [*dx.invoke(0x71, [], dx.call(*SEND, "()V")), *dx.invoke(0x71, [], dx.call("Lapp/M;", "send", "()V")), 0x0E]
    dex.add("Lapp/M;", "Ljava/lang/Object;", ["Lapi/Face;", "Lapi/Sms;"]).method("go", "()V", code)
    reading = read(dex.build(), methods={SEND}, uris={"https://"})
    assert reading.runs[0].problem == problem
    assert reading.runs[0].extent in {Extent.partial, Extent.failed}


# ---- mutants -------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6))
@example(changes=[(0, b"")])
def test_a_mutant_never_raises_and_ends_soon(dx: ModuleType, read: Read, changes: list[tuple[int, bytes]]) -> None:
    data, _ = good(dx)
    for at, new in changes:
        data = dx.patched(data, at % (len(data) - 4), new, sign=False)
    began = time.process_time()
    reading = read(data, methods={SEND}, callbacks={SEND}, uris={"content://"}, fields={("Lapi/F;", "F")})
    assert time.process_time() - began < 2
    assert reading.facts is not None
    assert len(reading.facts.dex) >= 1
    run = reading.runs[0]
    assert (run.problem == "") == (run.extent is Extent.complete)


@given(data=st.binary(max_size=300))
def test_any_bytes_after_a_header_give_a_fault_or_a_file(data: bytes) -> None:
    whole = b"dex\n035\0" + data
    try:
        found = [Dex(whole, header) for header in headers(whole)]
    except DexFault:
        return
    assert len(found) == 1


# ---- strings -------------------------------------------------------------------------------------------------------


@given(text=st.text(st.characters(exclude_categories=[]), max_size=40))
def test_modified_utf8_goes_there_and_back(dx: ModuleType, text: str) -> None:
    raw = encode(text)
    assert raw == dx.mutf8(text)
    assert b"\0" not in raw
    assert utf16_length(raw) == len(text.encode("utf-16-le", "surrogatepass")) // 2
    if not any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        assert decode(raw) == text
    decode(raw).encode("utf-8")


@given(raw=st.binary(max_size=60))
def test_any_bytes_become_text_that_can_be_written(raw: bytes) -> None:
    decode(raw).encode("utf-8")


def test_long_text_is_cut() -> None:
    assert decode(b"a" * (MAX_TEXT + 1)) == "a" * (MAX_TEXT - 1) + "…"
    assert len(decode("é".encode() * MAX_TEXT * 2)) == MAX_TEXT


@given(words=st.lists(st.binary(max_size=30), max_size=5))
def test_equal_words_have_equal_fingerprints(words: list[bytes]) -> None:
    assert fingerprints_of(words).tolist() == [int(fingerprints_of([word])[0]) for word in words]


def test_method_handles_are_told(dx: ModuleType, read: Callable[..., Reading[CodeFacts]]) -> None:
    """What they call has no invoke instruction that names it; compilers for Android make none."""
    dex = dx.Dex()
    dex.add("La/B;").method("go", "()V", [0x0E])
    data = dex.build()
    count = int.from_bytes(data[dex.layout.map : dex.layout.map + 4], "little")
    last = dex.layout.map + 4 + 12 * (count - 1)
    assert not [one for one in read(data).anomalies if one.code == "code.method-handles"]
    reading = read(dx.patched(data, last, b"\x08\0\0\0\x03\0\0\0"))
    told = [(one.code, one.detail) for one in reading.anomalies if one.code == "code.method-handles"]
    assert told == [("code.method-handles", "3")]
    assert [one for one in read(dx.patched(data, dex.layout.map, b"\xff" * 4)).anomalies if one.code == "dex.bad-map"]
