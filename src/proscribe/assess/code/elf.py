"""Native libraries: what they import, what they need."""

from __future__ import annotations

from collections.abc import Sequence

from proscribe.assess.code.dynamic import ElfFault, read_dynamic
from proscribe.assess.code.program import Place
from proscribe.assess.facts import NativeLibrary, Run
from proscribe.assess.intake.container import UnreadableMember
from proscribe.assess.terms import Extent, FactClass

MOST_BYTES = 64 << 20
"""A larger library is listed and not read."""
MOST_LIBRARIES = 400
_MOST_TOTAL = 512 << 20
_LITTLE = 1  # EI_DATA
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
    if len(data) < 20 or data[5] != _LITTLE:
        return NativeLibrary(member, digest, len(data), problem="elf.unreadable")
    abi = _ABIS.get((int.from_bytes(data[18:20], "little"), data[4]), "")
    try:
        found = read_dynamic(data)
    except ElfFault as fault:
        return NativeLibrary(member, digest, len(data), abi, problem=fault.code)
    imports = tuple(sorted(found.imports & watched))
    return NativeLibrary(member, digest, len(data), abi, tuple(sorted(found.needed)), imports, len(found.imports))


def _run(found: Sequence[NativeLibrary]) -> Run:
    problem = next((library.problem for library in found if library.problem), "")
    sound = sum(not library.problem for library in found)
    if not found:
        extent = Extent.absent
    elif not problem:
        extent = Extent.complete
    else:
        extent = Extent.partial if sound else Extent.failed
    return Run(FactClass.native, "elf", extent, sound, len(found), problem)
