"""Strings of a dex without decoding them: where each one lies, a fingerprint of each, and which are looked for.

Of a few hundred thousand strings a handful matter. All are fingerprinted together in numpy (length and nine bytes
spread over the string); only those whose fingerprint is wanted are compared byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.integer[Any]]
Marks = NDArray[np.bool_]

HASH_BITS = 20
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - HASH_BITS)
_PROBES = 9
MAX_TEXT = 2048
"""Characters of a name that are handed on; a longer one ends in an ellipsis. Real names stay far below."""


def uleb128(raw: Bytes, offsets: Ints) -> tuple[Ints, Ints, Marks]:
    """The ULEB128 number at each offset: values, offsets after them, and which are sound (inside, at most 5 bytes)."""
    last = len(raw) - 1
    sound = (offsets >= 0) & (offsets <= last)
    at = np.where(sound, offsets, 0)
    byte = raw[at].astype(np.int64)
    values = byte & 0x7F
    ends = at + 1
    going = np.flatnonzero((byte >= 0x80) & sound)
    for shift in (7, 14, 21, 28):
        if not len(going):
            return values, ends, sound
        at = ends[going]
        inside = at <= last
        sound[going[~inside]] = False
        going, at = going[inside], at[inside]
        byte = raw[at].astype(np.int64)
        values[going] |= (byte & 0x7F) << shift
        ends[going] = at + 1
        going = going[byte >= 0x80]
    sound[going] = False
    return values, ends, sound


def fingerprints(raw: Bytes, starts: Ints, lengths: Ints) -> NDArray[np.uint32]:
    """A number below 2**20 for each string, equal for equal strings. ``lengths`` in UTF-16 units, as a dex has them."""
    last = max(len(raw) - 1, 0)
    state = lengths.astype(np.uint64) + np.uint64(1)
    tail = np.maximum(lengths - 1, 0)
    for probe in range(_PROBES):
        at = np.minimum(starts + (tail * probe >> 3), last)
        state = (state ^ raw[at]) * _MIX
        state ^= state >> np.uint64(29)
    return (state * _MIX >> _SHIFT).astype(np.uint32)


def utf16_length(text: bytes) -> int:
    """UTF-16 units of a string in modified UTF-8: every character but continuation bytes counts one."""
    return len(text) if text.isascii() else sum(byte & 0xC0 != 0x80 for byte in text)


class Words:
    """Words to look for, each with a bit mask of what it is (class, method name, ...).

    ``table``: True at the fingerprint of every word. ``roles``: word in modified UTF-8 -> mask.
    """

    def __init__(self, roles: dict[bytes, int]) -> None:
        self.roles = roles
        self.table = np.zeros(1 << HASH_BITS, dtype=np.bool_)
        self.table[fingerprints_of(roles)] = True


def fingerprints_of(words: Iterable[bytes]) -> NDArray[np.uint32]:
    """The fingerprints of given words, in their order."""
    listed = list(words)
    raw = np.frombuffer(b"\0".join([*listed, b""]) or b"\0", dtype=np.uint8)
    sizes = np.fromiter((len(word) + 1 for word in listed), dtype=np.int64, count=len(listed))
    starts = np.cumsum(sizes) - sizes
    lengths = np.fromiter((utf16_length(word) for word in listed), dtype=np.int64, count=len(listed))
    return fingerprints(raw, starts, lengths)


def encode(text: str) -> bytes:
    """Modified UTF-8, as strings stand in a dex: NUL in two bytes, astral characters as two surrogates."""
    if text.isascii() and "\0" not in text:
        return text.encode("ascii")
    units = text.encode("utf-16-le", "surrogatepass")
    pairs = "".join(chr(int.from_bytes(units[at : at + 2], "little")) for at in range(0, len(units), 2))
    return pairs.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")


def decode(raw: bytes) -> str:
    """Text of modified UTF-8. Lone surrogates and broken bytes are written as backslash escapes; long text is cut."""
    cut = raw[: MAX_TEXT * 3 + 1]
    try:
        text = cut.decode("ascii")
    except UnicodeDecodeError:
        text = cut.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass" if _sound(cut) else "backslashreplace")
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _sound(raw: bytes) -> bool:
    try:
        raw.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def frombuffer(data: Any, kind: str, count: int, offset: int = 0) -> NDArray[Any]:
    """A numpy view, empty where there is nothing to see (numpy refuses an empty buffer)."""
    if not count:
        return np.zeros(0, dtype=kind)
    return np.frombuffer(data, dtype=kind, count=count, offset=offset)
