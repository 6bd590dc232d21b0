"""Native libraries by lief: what they import, what they need. lief is loaded only where a package has some.

lief is native code that reads hostile bytes: the worker's process is what contains a crash.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from proscribe.assess.code.program import Place
from proscribe.assess.facts import NativeLibrary, Run
from proscribe.assess.intake.container import UnreadableMember
from proscribe.assess.libraries import version_of
from proscribe.assess.terms import Extent, FactClass

MOST_BYTES = 64 << 20
"""A larger library is listed and not read."""
MOST_LIBRARIES = 400
_MOST_TOTAL = 512 << 20
_WIDE = 2  # EI_CLASS: 64 bits
_EXECUTABLE = 2  # e_type
_LOADED, _DYNAMIC = 1, 2  # p_type
_ABIS = {(62, 2): "x86_64", (3, 1): "x86", (183, 2): "arm64-v8a", (40, 1): "armeabi-v7a", (243, 2): "riscv64"}
"""By e_machine and class (1: 32 bits, 2: 64 bits), as Android names them."""


def read_libraries(places: Sequence[Place], watched: frozenset[str]) -> tuple[tuple[NativeLibrary, ...], Run]:
    """Every native library, with the watched symbols it imports."""
    found = []
    left = _MOST_TOTAL
    for at, place in enumerate(places):
        size = place.container.entries[place.name].size
        if size > MOST_BYTES or size > left or at >= MOST_LIBRARIES:
            found.append(NativeLibrary(place.member, "", size, problem="elf.not-read"))
            continue
        left -= size
        found.append(_read(place, size, watched))
    return tuple(found), _run(found)


def _read(place: Place, size: int, watched: frozenset[str]) -> NativeLibrary:
    try:
        data = place.container.read(place.name)
    except UnreadableMember as error:
        return NativeLibrary(place.member, "", size, problem=error.code)
    digest = place.container.sha256(place.name, data)
    return library(place.member, digest, data, watched)


def library(member: str, digest: str, data: bytes, watched: frozenset[str]) -> NativeLibrary:
    """One library from its bytes."""
    import lief

    if len(data) < 20 or data[5] != 1:
        return NativeLibrary(member, digest, len(data), problem="elf.unreadable")
    damage = _damage(data)
    abi = _ABIS.get((int.from_bytes(data[18:20], "little"), data[4]), "")
    lief.logging.disable()
    config = lief.ELF.ParserConfig()
    config.parse_relocations = False
    config.parse_symtab_symbols = False
    config.parse_symbol_versions = False
    config.parse_notes = False
    config.parse_overlay = False
    config.count_mtd = lief.ELF.ParserConfig.DYNSYM_COUNT.AUTO
    try:
        binary = lief.ELF.parse(data, config)
    except (RuntimeError, ValueError, TypeError):
        binary = None
    if not isinstance(binary, lief.ELF.Binary):
        return NativeLibrary(member, digest, len(data), abi, problem="elf.unreadable")
    imports = {str(symbol.name) for symbol in binary.dynamic_symbols if symbol.shndx == 0 and symbol.name}
    needed = tuple(sorted({str(name) for name in binary.libraries}))
    return NativeLibrary(member, digest, len(data), abi, needed, tuple(sorted(imports & watched)), len(imports), damage)


def _damage(data: bytes) -> str:
    """A problem code where the file is not whole: lief reads what is left of it without a word."""
    wide = data[4] == _WIDE
    if len(data) < (64 if wide else 52):
        return "elf.truncated"
    (kind,) = struct.unpack_from("<H", data, 16)
    (start,) = struct.unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
    if start + size * count > len(data) or (count and size < (56 if wide else 32)):
        return "elf.truncated"
    dynamic = kind == _EXECUTABLE  # a static program imports nothing
    for at in range(start, start + size * count, size or 1):
        (segment,) = struct.unpack_from("<I", data, at)
        offset, length = struct.unpack_from("<8xQ16xQ", data, at) if wide else struct.unpack_from("<4xI8xI", data, at)
        if segment in {_LOADED, _DYNAMIC} and offset + length > len(data):
            return "elf.truncated"
        dynamic |= segment == _DYNAMIC
    return "" if dynamic else "elf.no-dynamic"


def _run(found: Sequence[NativeLibrary]) -> Run:
    problem = next((library.problem for library in found if library.problem), "")
    sound = sum(not library.problem for library in found)
    if not found:
        extent = Extent.absent
    elif not problem:
        extent = Extent.complete
    else:
        extent = Extent.partial if sound else Extent.failed
    return Run(FactClass.native, f"lief {version_of('lief')}" if found else "lief", extent, sound, len(found), problem)
