"""What the members of a package really are, told by their first bytes: dex files and archives under other names, noise.

Nothing is inflated further than a sample. Entropy says "could be encrypted", not "is": compressed media look the same,
so that noise counts only where a name or the rest of the package lets one expect code.
"""

from __future__ import annotations

import lzma
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proscribe.assess.code.program import Place
from proscribe.assess.errors import NotAPackage, RefusedPackage
from proscribe.assess.facts import Anomaly
from proscribe.assess.intake.container import Container, Entry, UnreadableMember, open_container

MOST_MEMBERS = 20_000
"""Members of one archive whose first bytes are looked at."""
MOST_NESTED = 32
MOST_NESTED_BYTES = 64 << 20
DEEPEST = 3
"""Archives inside archives that are opened, counted from the package."""
MOST_ELSEWHERE = 64
"""Dex files under other names that are read; the rest is listed."""
_SAMPLE = 16 << 10
_LEAST_SAMPLE = 1 << 10
_NOISE_BITS = 7.3  # per byte; random bytes give 7.8 on 1 KiB and 7.99 on 16 KiB, machine code stays below 7
_DEFLATED = 8

_DEX_MAGICS = (b"dex\n", b"cdex", b"dey\n")
_ZIP_MAGIC = b"PK\x03\x04"
_ELF_MAGIC = b"\x7fELF"
_KNOWN_MAGICS = (
    *_DEX_MAGICS,
    *(_ZIP_MAGIC, _ELF_MAGIC, b"oat\n", b"vdex", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"OggS", b"ID3"),
    *(b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd", b"wOFF", b"wOF2", b"%PDF"),
    *(b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"fLaC", b"\x1aE\xdf\xa3", b"FWS", b"CWS", b"Rar!", b"glTF"),
    *(b"\x00\x00\x01\x00", b"\xabKTX"),
)  # fmt: skip
_CODE_NAMES = (".dex", ".jar", ".zip", ".apk", ".so", ".odex", ".vdex", ".oat")


@dataclass
class Members:
    """What was found among the members of all archives. ``bulk``: the largest noise outside of code names, in bytes."""

    elsewhere: list[Place] = field(default_factory=list)
    libraries: list[Place] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    bulk: list[tuple[int, str]] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)


def inspect(apks: Sequence[Container], loaded: frozenset[tuple[int, str]]) -> Members:
    """Look at every member. ``loaded``: (archive's place, name) of the dex files that Android itself loads."""
    found = Members()
    nested: list[Place] = []
    for place, apk in enumerate(apks):
        if bytes(apk.data[:4]) in _DEX_MAGICS:
            found.anomalies.append(Anomaly("code.disguised", apk.name, "dex before the archive"))
        for at, (name, entry) in enumerate(apk.entries.items()):
            if at >= MOST_MEMBERS:
                found.anomalies.append(
                    Anomaly("code.members-not-looked-at", apk.member(name), f"{len(apk.entries) - at}")
                )
                break
            if entry.size:
                _sort_in(found, nested, Place(apk, name), entry, is_loaded=(place, name) in loaded)
    _open_nested(found, nested)
    if len(found.elsewhere) > MOST_ELSEWHERE:
        rest = len(found.elsewhere) - MOST_ELSEWHERE
        found.anomalies.append(Anomaly("code.too-many-dex-elsewhere", "", f"{rest} not read"))
        del found.elsewhere[MOST_ELSEWHERE:]
    return found


def _sort_in(found: Members, nested: list[Place], place: Place, entry: Entry, *, is_loaded: bool) -> None:
    head = sample(place.container, entry, 16)
    if head.startswith(_ELF_MAGIC):
        found.libraries.append(place)
        if not place.name.startswith("lib/"):
            found.anomalies.append(Anomaly("code.native-elsewhere", place.member))
    elif head.startswith(_DEX_MAGICS):
        if not is_loaded:
            _list_elsewhere(found, place)
    elif head.startswith(_ZIP_MAGIC):
        nested.append(place)
    elif disguise := disguise_of(place.container, entry, head):
        found.anomalies.append(Anomaly("code.disguised", place.member, disguise))
        found.noise.append(place.member)
    elif is_noise(place.container, entry, head):
        if place.name.lower().endswith(_CODE_NAMES) or is_loaded:
            found.noise.append(place.member)
        else:
            found.bulk.append((entry.size, place.member))


def disguise_of(container: Container, entry: Entry, head: bytes) -> str:
    """How code or an archive that is not read is wrapped: compressed once more, in base64, each byte changed alike.

    "" for everything else. What a key of several bytes hides can at best be told by its noise.
    """
    if head.startswith(_TEXT_MAGICS):
        return "base64"
    if len(head) < 8:
        return ""
    for magic in (b"dex\n0", b"PK\x03\x04\x14\x00", b"\x7fELF\x02\x01\x01"):
        key = head[0] ^ magic[0]
        if key and bytes(byte ^ key for byte in head[: len(magic)]) == magic:
            return f"xor {key:#04x}"
    for name, magic, opener in _PACKERS:
        if head.startswith(magic) and _begins_as_code(opener, sample(container, entry, _LEAST_SAMPLE)):
            return name
    return ""


def _begins_as_code(opener: Callable[[], Any], packed: bytes) -> bool:
    try:
        begun: bytes = opener().decompress(packed, 16)
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return False
    return begun.startswith((*_DEX_MAGICS, _ZIP_MAGIC, _ELF_MAGIC))


_TEXT_MAGICS = (b"ZGV4Cj", b"UEsDBB", b"f0VMRg")  # dex, ZIP and ELF in base64
_PACKERS: tuple[tuple[str, bytes, Callable[[], Any]], ...] = (
    ("gzip", b"\x1f\x8b", lambda: zlib.decompressobj(31)),
    ("zlib", b"\x78", zlib.decompressobj),
    ("xz", b"\xfd7zXZ", lambda: lzma.LZMADecompressor(memlimit=64 << 20)),
    ("lzma", b"\x5d\x00\x00", lambda: lzma.LZMADecompressor(memlimit=64 << 20)),
)


def _list_elsewhere(found: Members, place: Place) -> None:
    found.elsewhere.append(place)
    found.anomalies.append(Anomaly("code.dex-elsewhere", place.member))


def _open_nested(found: Members, nested: Sequence[Place]) -> None:
    """Look into archives, and into those inside them, the nearest first; what is not opened is told."""
    left = MOST_NESTED_BYTES
    waiting = deque((place, 1) for place in nested)
    opened = 0
    while waiting and opened < MOST_NESTED:
        place, depth = waiting.popleft()
        opened += 1
        size = place.container.entries[place.name].size
        if size > left or depth > DEEPEST:
            found.anomalies.append(Anomaly("code.nested-not-read", place.member, f"{size} bytes"))
            continue
        try:
            inner = open_container(place.container.view(place.name), name=place.member)
        except (UnreadableMember, RefusedPackage, NotAPackage) as error:
            found.anomalies.append(Anomaly("code.nested-not-read", place.member, type(error).__name__))
            continue
        left -= size
        for name, entry in _first(inner):
            head = sample(inner, entry, 16)
            if head.startswith(_DEX_MAGICS):
                _list_elsewhere(found, Place(inner, name))
            elif head.startswith(_ZIP_MAGIC):
                waiting.append((Place(inner, name), depth + 1))
            elif head.startswith(_ELF_MAGIC):
                found.anomalies.append(Anomaly("code.native-elsewhere", Place(inner, name).member))
    if waiting:
        found.anomalies.append(Anomaly("code.nested-not-read", "", f"{len(waiting)} archives"))


def _first(container: Container) -> Iterator[tuple[str, Entry]]:
    for at, (name, entry) in enumerate(container.entries.items()):
        if at >= MOST_MEMBERS:
            return
        yield name, entry


def sample(container: Container, entry: Entry, size: int) -> bytes:
    """The first bytes of a member, b"" where they cannot be had."""
    stored = entry.method != _DEFLATED
    length = min(size if stored else size + 512, entry.size if stored else entry.compressed)
    raw = container.data[entry.offset : entry.offset + length]
    if stored:
        return bytes(raw)
    try:
        return zlib.decompressobj(-15).decompress(raw, size)
    except zlib.error:
        return b""


def is_noise(container: Container, entry: Entry, head: bytes) -> bool:
    """Whether a member reads like random bytes and has no signature of a known format."""
    if entry.size < _LEAST_SAMPLE or head.startswith(_KNOWN_MAGICS) or head[4:8] == b"ftyp":
        return False
    # What deflate made much smaller is no noise, and need not be looked at.
    if entry.method == _DEFLATED and entry.compressed < entry.size * 0.9:
        return False
    data = sample(container, entry, _SAMPLE)
    return len(data) >= _LEAST_SAMPLE and entropy(data) >= _NOISE_BITS


def entropy(data: bytes) -> float:
    """Shannon entropy in bits per byte, 0.0 for nothing."""
    if not data:
        return 0.0
    counts = np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=256)
    shares = counts[counts > 0] / len(data)
    return float(-(shares * np.log2(shares)).sum())
