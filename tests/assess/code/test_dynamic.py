"""ELF's dynamic section, beside lief on every library at hand, and made to deceive."""

from __future__ import annotations

import struct
import sysconfig
import zipfile
from pathlib import Path

import pytest

from proscribe.assess.code import dynamic
from proscribe.assess.code.dynamic import Dynamic, ElfFault, read_dynamic

INSTALLED = Path(sysconfig.get_path("platlib"))


def by_lief(data: bytes) -> Dynamic:
    lief = pytest.importorskip("lief")
    config = lief.ELF.ParserConfig()
    config.parse_notes = False
    binary = lief.ELF.parse(data, config)
    imports = {str(symbol.name) for symbol in binary.dynamic_symbols if symbol.shndx == 0}
    return Dynamic(frozenset(map(str, binary.libraries)), frozenset(imports - {""}))


@pytest.mark.parametrize("package", ["numpy", "msgspec", "cryptography", "apk_info", "yaml"])
def test_as_lief_reads_what_is_installed_here(package: str) -> None:
    libraries = [file for file in (INSTALLED / package).rglob("*.so") if file.stat().st_size < 30_000_000]
    if not libraries or libraries[0].read_bytes()[:4] != b"\x7fELF":
        pytest.skip("no ELF libraries on this system")
    for file in libraries:
        data = file.read_bytes()
        assert read_dynamic(data) == by_lief(data), file


@pytest.mark.samples
def test_as_lief_reads_what_packages_bring(samples: Path) -> None:
    seen: set[bytes] = set()
    for package in [samples / "apk" / "Yosemite.apk", *sorted((samples / "fdroid").glob("*.apk"))]:
        if not zipfile.is_zipfile(package):
            continue
        with zipfile.ZipFile(package) as bundle:
            for name in bundle.namelist():
                if name.endswith(".so") and (data := bundle.read(name))[:4] == b"\x7fELF":
                    seen.add(data)
                    assert read_dynamic(data) == by_lief(data), (package, name)
    assert len(seen) > 10


# ---- made by hand ----------------------------------------------------------------------------------------------------


def elf(
    tags: list[tuple[int, int]], parts: dict[int, bytes], *, wide: bool = True, machine: int = 183, kind: int = 3
) -> bytes:
    """A library of one loaded segment, at the addresses of its places in the file, with a dynamic section."""
    word, size, header = ("Q", 56, 64) if wide else ("I", 32, 52)
    dynamic = b"".join(struct.pack("<2" + word, *tag) for tag in [*tags, (0, 0)])
    parts = {**parts, 0x100: dynamic}
    whole = bytearray(max(place + len(part) for place, part in parts.items()))
    for place, part in parts.items():
        whole[place : place + len(part)] = part
    whole[:header] = (b"\x7fELF" + bytes([2 if wide else 1, 1, 1])).ljust(header, b"\0")
    struct.pack_into("<HH", whole, 16, kind, machine)
    struct.pack_into("<" + word, whole, 32 if wide else 28, header)
    struct.pack_into("<HH", whole, 54 if wide else 42, size, 2)
    for at, (of, place, length) in enumerate([(1, 0, len(whole)), (2, 0x100, len(dynamic))]):
        fields = (of, 0, place, place, place, length) if wide else (of, place, place, place, length)
        struct.pack_into("<IIQQQQ" if wide else "<IIIII", whole, header + at * size, *fields)
    return bytes(whole)


STRINGS = b"\0libc.so\0send\0own\0"
TAGS = [(1, 1), (5, 0x400), (6, 0x500), (10, len(STRINGS))]


def symbols(*rows: tuple[int, int], wide: bool = True) -> bytes:
    """Rows (name, section)."""
    if wide:
        return b"".join(struct.pack("<IBBHQQ", name, 0, 0, section, 0, 0) for name, section in rows)
    return b"".join(struct.pack("<IIIBBH", name, 0, 0, 0, 0, section) for name, section in rows)


@pytest.mark.parametrize("wide", [True, False])
def test_symbols_counted_by_the_old_hash_table(wide: bool) -> None:
    table = symbols((0, 0), (9, 0), (14, 5), wide=wide)
    data = elf([*TAGS, (4, 0x600)], {0x400: STRINGS, 0x500: table, 0x600: struct.pack("<II", 1, 3)}, wide=wide)
    assert read_dynamic(data) == Dynamic(frozenset({"libc.so"}), frozenset({"send"}))


def gnu(first: int, bucket: int, chain: list[int]) -> bytes:
    return struct.pack(f"<IIIIQI{len(chain)}I", 1, first, 1, 0, 0, bucket, *chain)


def test_symbols_counted_by_the_gnu_hash_table() -> None:
    table = symbols((0, 0), (9, 0), (14, 5))
    parts = {0x400: STRINGS, 0x500: table}
    data = elf([*TAGS, (0x6FFFFEF5, 0x600)], {**parts, 0x600: gnu(2, 2, [1])})
    assert read_dynamic(data).imports == {"send"}
    backwards = elf([*TAGS, (0x6FFFFEF5, 0x600)], {**parts, 0x600: gnu(2, 1, [1])})
    with pytest.raises(ElfFault, match=r"elf\.unreadable"):
        read_dynamic(backwards)
    short = elf([*TAGS, (0x6FFFFEF5, 0x600)], {**parts, 0x600: bytes(8)})
    with pytest.raises(ElfFault, match=r"elf\.unreadable"):
        read_dynamic(short)


@pytest.mark.parametrize("kind", [(7, 8), (23, 2)])
def test_an_import_that_only_a_relocation_names_is_seen(kind: tuple[int, int]) -> None:
    """An empty hash table says nothing of imports, and a forged one would hide them."""
    parts = {
        0x400: STRINGS,
        0x500: symbols((0, 0), (9, 0)),
        0x600: gnu(1, 0, []),
        0x700: struct.pack("<3Q", 0, 1 << 32, 0),
    }
    tags = [*TAGS, (0x6FFFFEF5, 0x600), (kind[0], 0x700), (kind[1], 24), (20, 7)]
    assert read_dynamic(elf(tags, parts)).imports == {"send"}
    assert read_dynamic(elf(tags, parts, machine=8)).imports == frozenset()


def test_what_leads_out_of_the_file_is_a_fault() -> None:
    parts = {0x400: STRINGS, 0x500: symbols((0, 0)), 0x600: struct.pack("<II", 1, 1 << 31)}
    for tags, code in [
        ([], "elf.unreadable"),  # no tables at all
        ([(5, 1 << 60), (6, 0x500), (10, 5)], "elf.unreadable"),
        ([*TAGS, (4, 0x600)], "elf.truncated"),  # more symbols than bytes
        ([(1, 1)] * 5000, "elf.unreadable"),
    ]:
        with pytest.raises(ElfFault) as caught:
            read_dynamic(elf(tags, parts))
        assert caught.value.code == code, tags


def test_names_that_overlap_without_end_are_refused() -> None:
    strings = b"a" * 0x1000
    rows = symbols(*((at, 0) for at in range(64)))
    parts = {0x400: struct.pack("<II", 1, 64), 0x1000: rows, 0x2000: strings}
    data = elf([(5, 0x2000), (6, 0x1000), (10, len(strings)), (4, 0x400)], parts)
    with pytest.raises(ElfFault, match=r"elf\.unreadable"):
        read_dynamic(data)


def test_more_imports_than_any_library_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamic, "_MOST_IMPORTS", 1)
    parts = {0x400: STRINGS, 0x500: symbols((0, 0), (9, 0)), 0x600: struct.pack("<II", 1, 2)}
    with pytest.raises(ElfFault, match=r"elf\.unreadable"):
        read_dynamic(elf([*TAGS, (4, 0x600)], parts))
