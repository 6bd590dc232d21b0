"""String pools of Android's binary XML and resource tables, decoded one string at a time.

Layout and rules: AOSP ``libs/androidfw`` (``ResStringPool_header``, ``ResStringPool::stringAt``). Where Android would
refuse a string, the nearest honest reading is given and noted.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final

CHUNK: Final = Struct("<HHI")  # type, header size, size
WORD: Final = Struct("<I")
HALF: Final = Struct("<H")
_HEADER: Final = Struct("<HHI5I")  # chunk, strings, styles, flags, start of strings, start of styles
_UTF8: Final = 0x100
_STEP: Final = 0x8000  # aapt wrote longer UTF-8 lengths without their high bits

Note = Callable[[str, int], None]
"""Takes a stable code and the offset where it was seen."""


class StringPool:
    """The strings of one pool chunk, by index. An index that is none reads as "".

    ``budget`` characters are decoded at most, so strings that overlap cannot make the work quadratic.
    """

    __slots__ = ("_base", "_cache", "_data", "_entries", "_note", "_utf8", "budget", "count", "end")

    def __init__(self, data: bytes, start: int, size: int, note: Note) -> None:
        self._data = data
        self._note = note
        self._cache: dict[int, str] = {}
        self.budget = 4 * len(data) + (1 << 16)
        self.end = min(start + size, len(data))
        self.count = 0
        self._utf8 = False
        self._entries = self._base = self.end
        if start + _HEADER.size > self.end:
            note("pool", start)
            return
        _, header, _, strings, _, flags, begin, _ = _HEADER.unpack_from(data, start)
        self._utf8 = bool(flags & _UTF8)
        # Android takes the header's own size; where that leaves no room for the offsets, the true size is meant.
        if not _HEADER.size <= header <= size or start + header + 4 * strings > self.end:
            note("pool-header", start)
            header = _HEADER.size
        self._entries = start + header
        room = max(self.end - self._entries, 0) // 4
        if strings > room:
            note("pool-count", start)
        self.count = min(strings, room)
        self._base = start + begin
        if self.count and self._base >= self.end:
            note("pool-offset", start)

    def __getitem__(self, index: int) -> str:
        known = self._cache.get(index)
        if known is not None:
            return known
        if not 0 <= index < self.count:
            return ""
        at = self._base + WORD.unpack_from(self._data, self._entries + 4 * index)[0]
        text = self._utf8_at(at) if self._utf8 else self._utf16_at(at)
        self._cache[index] = text
        return text

    def _spend(self, size: int) -> bool:
        """Whether ``size`` more bytes may be decoded."""
        self.budget -= size
        if self.budget < 0:
            self._note("string-budget", self._base)
        return self.budget >= 0

    def _utf8_at(self, at: int) -> str:
        try:
            at = self._skip_length8(at)
            length, at = self._length8(at)
        except IndexError:
            self._note("bad-string", at)
            return ""
        stop = at + length
        while stop < self.end and self._data[stop]:
            stop += _STEP
        if stop >= self.end:
            self._note("bad-string", at)
            stop = self._data.find(0, at, min(at + length, self.end))
            stop = stop if stop >= 0 else min(at + length, self.end)
        if not self._spend(stop - at):
            return ""
        raw = self._data[at:stop]
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self._note("bad-string", at)
            return _surrogates_joined(raw)

    def _skip_length8(self, at: int) -> int:
        return at + (2 if self._byte(at) & 0x80 else 1)

    def _length8(self, at: int) -> tuple[int, int]:
        first = self._byte(at)
        if first & 0x80:
            return (first & 0x7F) << 8 | self._byte(at + 1), at + 2
        return first, at + 1

    def _byte(self, at: int) -> int:
        if at >= self.end:
            raise IndexError(at)
        return self._data[at]

    def _utf16_at(self, at: int) -> str:
        if at + 2 > self.end:
            self._note("bad-string", at)
            return ""
        (length,) = HALF.unpack_from(self._data, at)
        at += 2
        if length & 0x8000 and at + 2 <= self.end:
            length = (length & 0x7FFF) << 16 | HALF.unpack_from(self._data, at)[0]
            at += 2
        stop = at + 2 * length
        if stop + 2 > self.end or self._data[stop : stop + 2] != b"\0\0":
            self._note("bad-string", at)
            stop = min(stop, self.end)
        if not self._spend(stop - at):
            return ""
        return self._data[at : stop - (stop - at) % 2].decode("utf-16-le", "replace")


def _surrogates_joined(raw: bytes) -> str:
    """CESU-8 (each half of a pair encoded by itself) as some tools write; anything else becomes U+FFFD."""
    try:
        return raw.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")
