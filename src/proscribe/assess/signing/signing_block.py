"""The APK Signing Block: where it lies, what is in it, and the length-prefixed records it is made of.

Layout (little endian), right before the central directory: uint64 size, pairs of (uint64 length, uint32 id, value),
uint64 size again, 16 bytes of magic. Source: the format's description at source.android.com, "APK signing block".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from proscribe.assess.signing.problems import SignatureProblem

V2_BLOCK = 0x7109871A
V3_BLOCK = 0xF05368C0
V31_BLOCK = 0x1B93AD61
_STAMPS = {0x2B09189E: "v1", 0x6DFF800D: "v2"}
_QUIET = frozenset(
    {
        V2_BLOCK,
        V3_BLOCK,
        V31_BLOCK,
        *_STAMPS,
        0x42726577,  # padding to a page
        0x504B4453,  # the store's list of dependencies
        0x2146444E,  # the store's own data
    }
)

_END = struct.Struct("<4s4H2LH")
_RECORD = struct.Struct("<4s24x3H12x")
_MAGIC = b"APK Sig Block 42"
_FOOTER = 24
_LARGEST = 0x7FFFFFFF
_PAIRS = 10_000


class Records:
    """A cursor over length-prefixed records; every read is checked. Raises SignatureProblem with the code given."""

    __slots__ = ("_at", "_code", "_data")

    def __init__(self, data: memoryview, code: str) -> None:
        self._data = data
        self._code = code
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._data)

    def number(self) -> int:
        """A uint32."""
        return int.from_bytes(self._take(4), "little")

    def record(self, code: str = "") -> Records:
        """The record at the cursor, as a cursor of its own; problems in it are reported as ``code``."""
        return Records(self._take(self.number()), code or self._code)

    def blob(self) -> bytes:
        """The record at the cursor."""
        return bytes(self._take(self.number()))

    def rest(self) -> bytes:
        """Everything from the cursor on."""
        return bytes(self._data[self._at :])

    def _take(self, length: int) -> memoryview:
        if length > len(self._data) - self._at:
            raise SignatureProblem(self._code, f"{length} bytes at {self._at} of {len(self._data)}")
        self._at += length
        return self._data[self._at - length : self._at]


@dataclass(frozen=True, slots=True)
class Sections:
    """Where the parts of an APK lie, in bytes. ``block``: the signing block, or ``directory`` without one."""

    block: int
    directory: int
    end: int
    pairs: tuple[tuple[int, memoryview], ...] = ()

    def pair(self, block_id: int) -> memoryview | None:
        """The first value with that id, as Android takes it."""
        return next((value for known, value in self.pairs if known == block_id), None)

    def warnings(self) -> Iterator[str]:
        """What else is in the block: a source stamp, which is not checked, and ids nobody here knows."""
        for block_id in sorted({known for known, _ in self.pairs}):
            if block_id in _STAMPS:
                yield f"source-stamp.not-checked {_STAMPS[block_id]}"
            elif block_id not in _QUIET:
                yield f"signing-block.unknown-id 0x{block_id:08x}"


def find_sections(data: memoryview) -> Sections:
    """Find the parts of an APK as Android does. Raises SignatureProblem where the file is no ZIP that Android takes."""
    end = _end_record(data)
    fields = _END.unpack_from(data, end)
    entries, size, directory = fields[4], fields[5], fields[6]
    if end >= 20 and bytes(data[end - 20 : end - 16]) == b"PK\x06\x07":
        raise SignatureProblem("apk.malformed-zip", "ZIP64")
    if directory + size > end:
        raise SignatureProblem("apk.malformed-zip", "the directory overlaps the end record")
    _check_records(data[directory : directory + size], entries)
    block = directory
    pairs: tuple[tuple[int, memoryview], ...] = ()
    # Where anything stands between the directory and its end record, Android sees no signing block at all.
    if directory + size == end:
        found = _block(data, directory)
        if found is not None:
            block, pairs = found
    return Sections(block, directory, end, pairs)


def _check_records(directory: memoryview, entries: int) -> None:
    """The directory holds as many records as are declared, within its declared size."""
    at = 0
    for _ in range(entries):
        if at + _RECORD.size > len(directory):
            raise SignatureProblem("apk.malformed-zip", f"{entries} entries in {len(directory)} bytes")
        magic, name, extra, comment = _RECORD.unpack_from(directory, at)
        at += _RECORD.size + name + extra + comment
        if magic != b"PK\x01\x02" or at > len(directory):
            raise SignatureProblem("apk.malformed-zip", f"entry before {at} of {len(directory)}")


def _end_record(data: memoryview) -> int:
    """The last end record whose comment reaches the end of the file."""
    base = max(0, len(data) - _END.size - 0xFFFF)
    window = bytes(data[base:])
    at = window.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(window) and at + _END.size + _END.unpack_from(window, at)[7] == len(window):
            return base + at
        at = window.rfind(b"PK\x05\x06", 0, at + 3)
    raise SignatureProblem("apk.malformed-zip", "no end record")


def _block(data: memoryview, directory: int) -> tuple[int, tuple[tuple[int, memoryview], ...]] | None:
    """Where the block begins and its pairs, or None where there is no sound block."""
    if directory < _FOOTER + 8 or bytes(data[directory - 16 : directory]) != _MAGIC:
        return None
    size = int.from_bytes(data[directory - _FOOTER : directory - 16], "little")
    start = directory - size - 8
    if size < _FOOTER or size > _LARGEST - 8 or start < 0:
        return None
    if int.from_bytes(data[start : start + 8], "little") != size:
        return None
    return start, tuple(_pairs(data[start + 8 : directory - _FOOTER]))


def _pairs(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The pairs up to the first that is broken: what stands after it does not exist for Android either."""
    at = 0
    for _ in range(_PAIRS):
        if len(data) - at < 12:
            return
        length = int.from_bytes(data[at : at + 8], "little")
        at += 8
        if length < 4 or length > len(data) - at:
            return
        yield int.from_bytes(data[at : at + 4], "little"), data[at + 4 : at + length]
        at += length
