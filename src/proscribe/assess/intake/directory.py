"""The central directory of a ZIP, walked without trust; every oddity is listed, as packers live on them.

Readers disagree on malformed archives. This one does what Android's installer does where they differ, and where the
installer would refuse the file it reads on and says so: an assessor wants to see what is inside all the same.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from proscribe.assess.errors import NotAPackage, RefusedPackage
from proscribe.assess.facts import Anomaly
from proscribe.assess.intake.limits import LIMITS
from proscribe.errors import Where
from proscribe.text import Text, number

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_DEFLATED = 8
_ENCRYPTED = 0x1
_FULL = 0xFFFFFFFF
# A listing is for people: an archive with 100,000 odd names says no more with all of them.
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the central directory. ``offset`` is where its data begins in the file, -1 where it cannot be.

    ``method`` is 8 (deflate) or anything else, which is read as stored. Sizes are in bytes, as declared.
    """

    name: str
    method: int
    flags: int
    crc: int
    compressed: int
    size: int
    header: int
    offset: int


@dataclass(frozen=True, slots=True)
class _End:
    """What the end record says. ``at``: its own offset."""

    at: int
    entries: int
    size: int
    offset: int


class _Oddities:
    """Anomalies as they are met: listed up to a number of each kind, and counted beyond it."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._counts: Counter[str] = Counter()
        self._listed: list[Anomaly] = []

    def add(self, code: str, member: str = "", detail: str = "") -> None:
        self._counts[code] += 1
        if self._counts[code] <= _LISTED:
            named = f"{self._prefix}!{member}" if self._prefix and member else member or self._prefix
            self._listed.append(Anomaly(f"zip.{code}", named, detail))

    def all(self) -> tuple[Anomaly, ...]:
        more = [
            Anomaly(f"zip.{code}", self._prefix, f"{count - _LISTED} more")
            for code, count in sorted(self._counts.items())
            if count > _LISTED
        ]
        return (*self._listed, *more)


def walk(data: memoryview, *, name: str) -> tuple[dict[str, Entry], tuple[Anomaly, ...]]:
    """Every entry by name, and what is odd. Raises NotAPackage without an end record, RefusedPackage over a limit."""
    odd = _Oddities(name)
    end = _end(data, name, odd)
    start = _directory_start(data, end, odd)
    # Whatever was put before the archive moved its members as well.
    shift = start - end.offset if start != end.at else 0
    entries: dict[str, Entry] = {}
    spans: list[tuple[int, int, str]] = []
    total = count = 0
    for entry, span in _entries(data, (start, shift), end, odd):
        count += 1
        if count > LIMITS.entries:
            raise _refused(name, Text("too many entries", "trop d'entrées"), f"> {LIMITS.entries}")
        spans.append(span)
        total += entry.size
        if entry.name in entries:
            odd.add("duplicate-name", entry.name)
            continue  # Android refuses such a file; the first one is what older readers took
        _check_entry(entry, odd)
        entries[entry.name] = entry
    if count != end.entries:
        odd.add("entry-count", "", f"declared {end.entries}, found {count}")
    if count > LIMITS.many:
        odd.add("many-entries", "", str(count))
    if total > LIMITS.total:
        odd.add("declared-total", "", str(total))
    _check_layout(data, spans, start, odd)
    return entries, odd.all()


# ---- where the directory is ----------------------------------------------------------------------------------------


def _end(data: memoryview, name: str, odd: _Oddities) -> _End:
    """The end record: the last one whose comment reaches the end of the file, else the last that points to entries."""
    window = bytes(data[max(0, len(data) - 65_557) :])
    base = len(data) - len(window)
    places = [match.start() for match in re.finditer(b"PK\x05\x06", window) if match.start() + _END.size <= len(window)]
    exact = [at for at in places if at + _END.size + _END.unpack_from(window, at)[7] == len(window)]
    pointing = [at for at in places if _points(data, base + at, _END.unpack_from(window, at))]
    if not exact and not pointing:
        raise NotAPackage(
            Text("no ZIP directory was found", "aucun répertoire ZIP n'a été trouvé"),
            remedy=Text(
                "Give an .apk, .xapk, .apks, .apkm or .ipa file, whole and undamaged.",
                "Fournissez un fichier .apk, .xapk, .apks, .apkm ou .ipa entier et intact.",
            ),
            where=Where(file=name),
        )
    at = exact[-1] if exact else pointing[-1]
    if not exact:
        odd.add("trailing-data", "", f"{len(window) - at - _END.size} bytes after the end record")
    _, disk, _, here, entries, size, offset, comment = _END.unpack_from(window, at)
    if comment:
        odd.add("comment", "", f"{comment} bytes")
    if disk or here != entries:
        odd.add("several-disks", "", f"disk {disk}, {here} of {entries}")
    end = _End(base + at, entries, size, offset)
    return _end64(data, end) or end


def _points(data: memoryview, at: int, fields: tuple[Any, ...]) -> bool:
    """Whether an end record at ``at`` leads to a central directory before it, where it says or right there."""
    size, offset = fields[5], fields[6]
    return any(
        0 <= start <= at - 4 and bytes(data[start : start + 4]) == b"PK\x01\x02" for start in (offset, at - size)
    )


def _end64(data: memoryview, end: _End) -> _End | None:
    """The ZIP64 end record, where the plain one points to it."""
    at = end.at - _END64_LOCATOR.size
    if at < 0 or bytes(data[at : at + 4]) != b"PK\x06\x07":
        return None
    where = _END64_LOCATOR.unpack_from(data, at)[2]
    if where + _END64.size > at or bytes(data[where : where + 4]) != b"PK\x06\x06":
        return None
    fields = _END64.unpack_from(data, where)
    return _End(where, fields[7], fields[8], fields[9])


def _directory_start(data: memoryview, end: _End, odd: _Oddities) -> int:
    """Where the central directory begins: where it is declared, else right before the end record."""
    if end.offset + end.size > end.at or bytes(data[end.offset : end.offset + 4]) not in (b"PK\x01\x02", b""):
        shifted = end.at - end.size
        if end.size and shifted >= 0 and bytes(data[shifted : shifted + 4]) == b"PK\x01\x02":
            odd.add("shifted-directory", "", f"declared {end.offset}, found {shifted}")
            return shifted
        if end.entries:
            odd.add("directory-outside", "", f"{end.size} bytes at {end.offset}")
        return end.at
    return end.offset


# ---- its entries ---------------------------------------------------------------------------------------------------


def _entries(
    data: memoryview, begin: tuple[int, int], end: _End, odd: _Oddities
) -> Iterator[tuple[Entry, tuple[int, int, str]]]:
    """Entries in order with the span each occupies in the file: (first byte, byte after the last, name).

    ``begin``: where the directory begins, and how far everything stands from where it says.
    """
    unpack, size = _CENTRAL.unpack_from, _CENTRAL.size
    at, shift = begin
    while at + size <= end.at:
        fields = unpack(data, at)
        if fields[0] != b"PK\x01\x02":
            break
        flags, method, crc, compressed, full = fields[3], fields[4], fields[7], fields[8], fields[9]
        names, extras, comments, header = fields[10], fields[11], fields[12], fields[16]
        if at + size + names + extras + comments > end.at:
            odd.add("cut-entry", "", f"at {at}")
            break
        raw = bytes(data[at + size : at + size + names])
        name = _decoded(raw, odd)
        if _FULL in (compressed, full, header):
            extra = bytes(data[at + size + names : at + size + names + extras])
            full, compressed, header = _extended(extra, full, compressed, header)
        header += shift
        offset = _data_offset(data, name, raw, (header, method, compressed, full), odd)
        at += size + names + extras + comments
        stored = compressed if method == _DEFLATED else full
        yield (
            Entry(name, method, flags, crc, compressed, full, header, offset),
            (header, offset + stored if offset >= 0 else header, name),
        )


def _decoded(raw: bytes, odd: _Oddities) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        name = raw.decode("latin-1")
        odd.add("name-encoding", name)
        return name


def _extended(extra: bytes, full: int, compressed: int, header: int) -> tuple[int, int, int]:
    """The ZIP64 sizes and offset, in the order the format gives them."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            values = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            full = next(values, full) if full == _FULL else full
            compressed = next(values, compressed) if compressed == _FULL else compressed
            header = next(values, header) if header == _FULL else header
            break
        at += 4 + length
    return full, compressed, header


def _data_offset(data: memoryview, name: str, raw: bytes, said: tuple[int, int, int, int], odd: _Oddities) -> int:
    """Where the data begins, by the local header, whose own lies are listed; -1 where there is no local header.

    ``said``: header offset, method, compressed and full size of the central directory.
    """
    header, method, compressed, full = said
    if header + _LOCAL.size > len(data) or bytes(data[header : header + 4]) != b"PK\x03\x04":
        odd.add("no-local-header", name, f"at {header}")
        return -1
    fields = _LOCAL.unpack_from(data, header)
    local_flags, local_method, names = fields[2], fields[3], fields[9]
    start = header + _LOCAL.size
    if bytes(data[start : start + names]) != raw:
        odd.add("local-name", name)
    # Sizes may stand behind the data instead (bit 3); then they are nought here.
    sizes = (fields[7], fields[8])
    if local_method != method or (not local_flags & 8 and _FULL not in sizes and sizes != (compressed, full)):
        odd.add(
            "local-differs", name, f"method {local_method}/{method}, sizes {sizes[0]},{sizes[1]}/{compressed},{full}"
        )
    return start + int(names) + int(fields[10])


def _check_entry(entry: Entry, odd: _Oddities) -> None:
    if entry.method not in (0, _DEFLATED):
        odd.add("unknown-method", entry.name, str(entry.method))
    if entry.flags & _ENCRYPTED:
        odd.add("encrypted-flag", entry.name)
    if entry.size > LIMITS.declared:
        odd.add("declared-size", entry.name, str(entry.size))
    elif entry.method == _DEFLATED and entry.size > max(LIMITS.small, entry.compressed * LIMITS.ratio):
        odd.add("ratio", entry.name, f"{entry.compressed} bytes would become {entry.size}")
    parts = entry.name.replace("\\", "/").split("/")
    if ".." in parts or entry.name.startswith(("/", "\\")) or "\0" in entry.name or parts[0].endswith(":"):
        odd.add("unsafe-name", entry.name)


def _check_layout(data: memoryview, spans: list[tuple[int, int, str]], directory: int, odd: _Oddities) -> None:
    """Members on top of each other, and bytes before the first that belong to none."""
    spans.sort()
    if spans and spans[0][0] > 0 and not _is_deleted_entry(data, spans[0][0]):
        odd.add("data-before", "", f"{spans[0][0]} bytes")
    reached = 0
    for first, after, name in spans:
        if first < reached:
            odd.add("overlap", name, f"at {first}, while the one before ends at {reached}")
        reached = max(reached, after)
    if reached > directory:
        odd.add("overlap", "", "members reach into the directory")


def _is_deleted_entry(data: memoryview, first: int) -> bool:
    """Whether the bytes before the first member are one empty local entry, as build tools leave for later edits."""
    if first < _LOCAL.size or bytes(data[:4]) != b"PK\x03\x04":
        return False
    fields = _LOCAL.unpack_from(data, 0)
    return not any(data[_LOCAL.size : first]) and _LOCAL.size + fields[7] + fields[9] + fields[10] == first


def _refused(name: str, what: Text, detail: str) -> RefusedPackage:
    return RefusedPackage(
        what + Text(f" ({detail})", f" ({detail})"),
        remedy=Text(
            f"No store's package comes near the limit of {number(LIMITS.entries).en}; ask where this file is from.",
            f"Aucun paquet de boutique n'approche la limite de {number(LIMITS.entries).fr}; "
            "demandez d'où vient ce fichier.",
        ),
        where=Where(file=name),
    )
