"""Mach-O files: the shape and the imports, against lief where the file is whole, by code where it is not."""

from __future__ import annotations

import struct
import time
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.assess.ios import imports as imports_module
from proscribe.assess.ios.codesign import read_signature
from proscribe.assess.ios.image import Budget, Image, images
from proscribe.assess.ios.imports import imports
from proscribe.assess.ios.window import Window

NAMES = ("_OBJC_CLASS_$_CNContactStore", "_dlopen", "_$s7SwiftUI4ViewP")
LIBRARIES = (
    "/usr/lib/libSystem.B.dylib",
    "/System/Library/Frameworks/Contacts.framework/Contacts",
    "@rpath/X.framework/X",
)


def read(data: bytes) -> list[Image]:
    return images(Window.of(data))


def names(image: Image) -> set[str]:
    return {name.decode() for name in imports(image, Budget())}


@pytest.mark.parametrize("architecture", ["arm64", "arm64e", "armv7", "x86_64"])
@pytest.mark.parametrize("tables", [("symtab",), ("symtab", "binds"), ("binds",), ("fixups",), ("symtab", "fixups")])
def test_libraries_and_imports_are_those_lief_reads(
    macho: ModuleType, architecture: str, tables: tuple[str, ...]
) -> None:
    import lief

    data = macho.Thin(architecture, 2, LIBRARIES, NAMES, defined=("_main",), symbols_in=tables).build()
    (image,) = read(data)
    parsed = lief.MachO.parse(data)
    assert parsed is not None
    (theirs,) = list(parsed)
    assert (image.problem, image.architecture) == ("", architecture)
    assert names(image) == {symbol.name for symbol in theirs.imported_symbols} == set(NAMES)
    assert image.libraries == [library.name for library in theirs.libraries] == list(LIBRARIES)


@pytest.mark.parametrize("form", [1, 2, 3])
def test_every_form_of_chained_imports(macho: ModuleType, form: int) -> None:
    (image,) = read(macho.Thin(imports=NAMES, symbols_in=("fixups",), fixups_format=form).build())
    assert (names(image), image.problem) == (set(NAMES), "")


def test_one_table_cannot_hide_what_another_names(macho: ModuleType) -> None:
    (image,) = read(macho.Thin(imports=NAMES, symbols_in=("binds",)).build())
    assert image.symbols[1] == 0
    assert names(image) == set(NAMES)


def test_debug_entries_common_and_defined_symbols_are_no_imports(macho: ModuleType) -> None:
    data = bytearray(macho.Thin(imports=("_a", "_b", "_c"), defined=("_main",), symbols_in=("symtab",)).build())
    (image,) = read(bytes(data))
    first = image.symbols[0] + 16  # after _main
    data[first + 4] |= 0x20  # a debugger's entry
    struct.pack_into("<Q", data, first + 16 + 8, 4)  # a common symbol of 4 bytes
    assert names(read(bytes(data))[0]) == {"_c"}


@pytest.mark.parametrize("number", [0, 1, 3])
def test_cryptid_tells_encryption(macho: ModuleType, number: int) -> None:
    for architecture in ("arm64", "armv7"):
        (image,) = read(macho.Thin(architecture, imports=NAMES, cryptid=number, padding=0x4000).build())
        assert (image.encrypted, names(image)) == (number != 0, set(NAMES))


@pytest.mark.parametrize("wide", [False, True])
def test_fat_files_have_every_architecture(macho: ModuleType, wide: bool) -> None:
    data = macho.fat(macho.Thin("armv7", imports=("_a",)), macho.Thin("arm64", imports=("_b",)), wide=wide)
    found = read(data)
    assert [(image.architecture, names(image), image.problem) for image in found] == [
        ("armv7", {"_a"}, ""),
        ("arm64", {"_b"}, ""),
    ]


def _fat(*rows: tuple[int, int, int, int, int], size: int = 4096) -> bytes:
    return (struct.pack(">II", 0xCAFEBABE, len(rows)) + b"".join(struct.pack(">5I", *row) for row in rows)).ljust(
        size, b"\0"
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (struct.pack(">II", 0xCAFEBABE, 0xFFFFFFFF), "macho.slice-count"),
        (struct.pack(">II", 0xCAFEBABE, 0), "macho.slice-count"),
        (b"\xca\xfe\xba\xbe", "macho.slice-count"),
        (struct.pack(">II", 0xCAFEBABE, 2), "macho.truncated"),
        (_fat((12, 9, 4000, 4000, 2)), "macho.slice-outside"),
        (_fat((12, 9, 0, 0, 2)), "macho.slice-outside"),
        (b"\xfe\xed\xfa\xcf" + bytes(40), "macho.big-endian"),
        (b"\xcf\xfa\xed\xfe", "macho.truncated"),
        (b"\x7fELF" + bytes(40), "macho.magic"),
        (struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 2, 1, 0xFFFFFFFF, 0, 0), "macho.commands-outside"),
        (struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 2, 0xFFFFFFFF, 0, 0, 0), "macho.commands-cut-off"),
        (struct.pack("<10I", 0xFEEDFACF, 0x0100000C, 0, 2, 1, 8, 0, 0, 0xC, 0), "macho.command-size"),
        (struct.pack("<10I", 0xFEEDFACF, 0x0100000C, 0, 2, 1, 8, 0, 0, 0xC, 8), "macho.command-size"),
        (struct.pack("<12I", 0xFEEDFACF, 0x0100000C, 0, 2, 1, 16, 0, 0, 0xC, 16, 0, 0), "macho.library-name"),
    ],
)
def test_what_makes_no_sense_has_a_code(data: bytes, code: str) -> None:
    assert read(data)[-1].problem == code


def test_slices_that_overlap_are_not_read_twice(macho: ModuleType) -> None:
    thin = macho.Thin().build()
    head = struct.pack(">II", 0xCAFEBABE, 2) + struct.pack(">5I", 12, 9, 4096, len(thin), 2) * 2
    found = read(head.ljust(4096, b"\0") + thin)
    assert [(image.architecture, image.problem) for image in found] == [("arm64", "macho.slices-overlap")]


def test_an_unknown_processor_is_named_by_its_number(macho: ModuleType) -> None:
    data = bytearray(macho.Thin().build())
    struct.pack_into("<I", data, 4, 99)
    assert read(bytes(data))[0].architecture == "cpu99"


def _edges(data: bytes) -> list[int]:
    """Where each load command begins and ends."""
    count = struct.unpack_from("<I", data, 16)[0]
    at, edges = 32, [0, 4, 28, 31, 32]
    for _ in range(count):
        edges += [at + 4, at + 8]
        at += struct.unpack_from("<I", data, at + 4)[0]
        edges.append(at)
    return edges


def test_cut_at_every_load_command_it_says_so(macho: ModuleType) -> None:
    data = macho.Thin(libraries=LIBRARIES, imports=NAMES, cryptid=1, signing=macho.Signing(), padding=100).build()
    edges = _edges(data)
    assert len(edges) > 25
    for edge in edges[:-1]:
        (image,) = read(data[:edge])
        imports(image, Budget())
        read_signature(image, Budget())
        assert image.problem, edge
    (whole,) = read(data)
    assert whole.problem == ""


def test_cut_behind_the_commands_it_keeps_the_libraries(macho: ModuleType) -> None:
    data = macho.Thin(libraries=LIBRARIES, imports=NAMES).build()
    (image,) = read(data[:0x4000])
    assert image.problem == "macho.segment-outside"
    assert image.libraries == list(LIBRARIES)
    assert names(image) == set()


@pytest.mark.parametrize(
    ("command", "field", "value", "code"),
    [
        (0x2, 8, 0xFFFFFF00, "macho.symbols-outside"),
        (0x2, 12, 0xFFFFFFFF, "macho.symbols-outside"),
        (0x2, 16, 0xFFFFFF00, "macho.strings-outside"),
        (0x2, 20, 1, "macho.symbol-name"),
        (0x80000022, 16, 0xFFFFFF00, "macho.binds-outside"),
        (0x80000034, 8, 0xFFFFFF00, "macho.fixups-outside"),
        (0x80000034, 12, 20, "macho.fixups"),
        (0x1D, 8, 0xFFFFFF00, "macho.signature-outside"),
    ],
)
def test_tables_that_lie_have_a_code(macho: ModuleType, command: int, field: int, value: int, code: str) -> None:
    tables = ("symtab", "fixups") if command == 0x80000034 else ("symtab", "binds")
    data = bytearray(macho.Thin(imports=NAMES, symbols_in=tables, signing=macho.Signing()).build())
    at = 32
    while struct.unpack_from("<I", data, at)[0] != command:
        at += struct.unpack_from("<I", data, at + 4)[0]
    struct.pack_into("<I", data, at + field, value)
    (image,) = read(bytes(data))
    read_signature(image, Budget())
    imports(image, Budget())
    assert image.problem == code


def _with_fixups(macho: ModuleType, **fields: int) -> Image:
    """A file whose chained fixups say something else in their header."""
    data = bytearray(macho.Thin(imports=NAMES, symbols_in=("fixups",)).build())
    (image,) = read(bytes(data))
    order = ("version", "starts", "imports", "symbols", "count", "format", "packed")
    for name, value in fields.items():
        struct.pack_into("<I", data, image.fixups[0] + 4 * order.index(name), value)
    return read(bytes(data))[0]


@pytest.mark.parametrize(
    "fields", [{"count": 0xFFFFFFFF}, {"imports": 0xFFFFFFF0}, {"symbols": 0xFFFF}, {"format": 9}, {"packed": 1}]
)
def test_chained_fixups_that_lie_have_a_code(macho: ModuleType, fields: dict[str, int]) -> None:
    image = _with_fixups(macho, **fields)
    assert names(image) == set()
    assert image.problem in {"macho.fixups", "macho.symbol-name"}


def test_packed_symbol_names_are_unpacked(macho: ModuleType) -> None:
    import zlib

    image = _with_fixups(macho)
    data = bytearray(bytes(image.window.get(0, image.window.size) or b""))
    start, length = image.fixups
    symbols = struct.unpack_from("<I", data, start + 12)[0]
    packed = zlib.compress(bytes(data[start + symbols : start + length]))
    data[start + symbols :] = packed + bytes(200)
    struct.pack_into("<I", data, start + 24, 1)
    (found,) = read(bytes(data))
    found.fixups = (start, symbols + len(packed))
    assert names(found) == set(NAMES)


def test_bind_opcodes_with_all_kinds_of_numbers() -> None:
    opcodes = b"\x20\x80\x01\x60\x7f\x40_one\0\x72\x81\x02\xc0\x01\x80\x02\xd0\x05\xd1\xa0\x08\xb2\x90"
    assert list(imports_module._opcodes(opcodes + b"\x80\x40\x00\x00\x40_two\0\x90" + b"\x40cut")) == [
        b"_one",
        b"_two",
        b"cut",
    ]
    assert list(imports_module._opcodes(b"\x40\0\x40" + b"a" * 5000 + b"\0\x40ok\0")) == [b"ok"]


def test_limits_on_symbols_and_binds_are_told(macho: ModuleType) -> None:
    (image,) = read(macho.Thin(imports=NAMES, symbols_in=("symtab",)).build())
    assert imports(image, Budget(symbols=1)) == {NAMES[0].encode()}
    assert image.problem == "macho.too-many-symbols"
    (image,) = read(macho.Thin(imports=NAMES, symbols_in=("binds",)).build())
    budget = Budget(binds=10)
    imports(image, budget)
    assert (image.problem, budget.binds) == ("macho.binds-too-large", 0)


def test_limit_on_names_is_told(macho: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports_module, "MAX_NAMES", 2)
    for table in ("symtab", "fixups"):
        (image,) = read(macho.Thin(imports=NAMES, symbols_in=(table,)).build())
        assert len(imports(image, Budget())) == 2
        assert image.problem == "macho.too-many-imports"


def test_symbols_that_share_one_long_name_cost_it_once(macho: ModuleType) -> None:
    class Repeated(macho.Thin):  # type: ignore[name-defined,misc]
        def _symbols(self) -> tuple[bytes, bytes]:
            return struct.pack("<IBBHQ", 1, 1, 0, 0, 0) * 1_000_000, b"\0" + b"x" * 4090 + b"\0"

    (image,) = read(Repeated().build())
    begin = time.process_time()
    assert names(image) == {"x" * 4090}
    assert time.process_time() - begin < 2


def test_names_without_end_and_without_number_are_cut(macho: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(macho.Thin):  # type: ignore[name-defined,misc]
        def _symbols(self) -> tuple[bytes, bytes]:
            rows = b"".join(struct.pack("<IBBHQ", at, 1, 0, 0, 0) for at in (*range(1, 5), 1, 2))
            return rows, b"y" * 10_000

    monkeypatch.setattr(imports_module, "MAX_NAMES", 3)
    monkeypatch.setattr(imports_module, "MAX_NAME_BYTES", 100_000)
    (image,) = read(Endless().build())
    assert names(image) == {"y" * 4096}


_changes = st.lists(st.tuples(st.integers(0, 0x4400), st.sampled_from([0, 1, 8, 0x7F, 0x80, 0xFF])), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(_changes, st.integers(0, 0x4800), st.sampled_from(["thin", "fat", "fixups"]))
def test_mutants_never_raise(macho: ModuleType, changes: list[tuple[int, int]], cut: int, kind: str) -> None:
    signing = macho.Signing(xml=b"<plist><dict/></plist>", der=macho.der_entitlements({"a": True}))
    thin: dict[str, Any] = {"imports": NAMES, "signing": signing, "cryptid": 0, "sections": {"__entitlements": b"x"}}
    thin["symbols_in"] = ("symtab", "fixups") if kind == "fixups" else ("symtab", "binds")
    whole = macho.fat(macho.Thin(**thin)) if kind == "fat" else macho.Thin(**thin).build()
    mutant = bytearray(whole)
    for at, value in changes:
        mutant[at % 400 if at % 2 else at % len(mutant)] = value
    for data in (bytes(mutant), bytes(mutant[:cut])):
        for image in read(data):
            imports(image, Budget())
            read_signature(image, Budget())
            assert image.problem == "" or image.problem.startswith("macho.")
