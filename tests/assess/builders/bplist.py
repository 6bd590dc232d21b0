"""Binary property lists byte by byte, for the ones that no library would write."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def array(*references: int) -> bytes:
    """An array of objects by their numbers (one byte each)."""
    return _head(0xA0, len(references)) + bytes(references)


def pairs(keys: Sequence[int], values: Sequence[int]) -> bytes:
    """A dictionary of objects by their numbers (one byte each)."""
    return _head(0xD0, len(keys)) + bytes(keys) + bytes(values)


def ascii_text(text: str) -> bytes:
    return _head(0x50, len(text)) + text.encode("ascii")


def _head(kind: int, size: int) -> bytes:
    if size < 15:
        return bytes((kind | size,))
    return bytes((kind | 15, 0x12)) + struct.pack(">I", size)


def bplist(objects: Sequence[bytes], *, top: int = 0, offsets: Sequence[int] | None = None) -> bytes:
    """A file of these objects. ``offsets`` overrides where the table says that they lie (from the file's start)."""
    body, places = b"bplist00", []
    for one in objects:
        places.append(len(body))
        body += one
    places = list(offsets) if offsets is not None else places
    table = b"".join(struct.pack(">I", place) for place in places)
    return body + table + struct.pack(">6xBBQQQ", 4, 1, len(places), top, len(body))


def cyclic() -> bytes:
    """A dictionary whose one entry is itself."""
    return bplist([pairs([1], [0]), ascii_text("self")])


def laughing(levels: int = 20, width: int = 10) -> bytes:
    """A few arrays that unfold into ``width ** levels`` values."""
    arrays = [array(*[level + 3] * width) for level in range(levels)]
    return bplist([pairs([1], [2]), ascii_text("key"), *arrays, ascii_text("ha")])


def overlapping(size: int = 100_000, count: int = 250) -> bytes:
    """``count`` objects that are all the same array of ``size`` elements."""
    return bplist([array(*[1] * size)], offsets=[8] * count)


def nested(depth: int = 250) -> bytes:
    """Arrays in arrays, under a dictionary."""
    arrays = [array(level + 3) for level in range(depth - 1)]
    return bplist([pairs([1], [2]), ascii_text("key"), *arrays, array()])
