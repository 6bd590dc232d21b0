"""Native libraries by lief: what they import, what they need. lief is loaded only where a package has some.

lief is native code that reads hostile bytes: the worker's process is what contains a crash.
"""

from __future__ import annotations

from collections.abc import Sequence

from proscribe.assess.code.program import Place
from proscribe.assess.facts import NativeLibrary, Run
from proscribe.assess.intake.container import UnreadableMember
from proscribe.assess.terms import Extent, FactClass

MOST_BYTES = 64 << 20
"""A larger library is listed and not read."""
MOST_LIBRARIES = 400
_MOST_TOTAL = 512 << 20
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
    return NativeLibrary(member, digest, len(data), abi, needed, tuple(sorted(imports & watched)), len(imports))


def _run(found: Sequence[NativeLibrary]) -> Run:
    problem = next((library.problem for library in found if library.problem), "")
    sound = sum(not library.problem for library in found)
    if not found:
        extent = Extent.absent
    elif not problem:
        extent = Extent.complete
    else:
        extent = Extent.partial if sound else Extent.failed
    return Run(FactClass.native, f"lief {_version()}" if found else "lief", extent, sound, len(found), problem)


def _version() -> str:
    from importlib.metadata import version

    return version("lief")
