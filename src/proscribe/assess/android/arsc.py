"""``resources.arsc``: what a reference in a manifest stands for. Indexed by chunk, entries are read when asked for.

Layout from AOSP ``ResourceTypes.h`` (``ResTable_header`` to ``Res_value``). A real table holds a hundred thousand
entries and a manifest asks for a dozen, so nothing is made into objects beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import Final, NamedTuple

from proscribe.assess.android.axml import STRING, Value
from proscribe.assess.android.pool import CHUNK, HALF, WORD, StringPool

REFERENCE: Final = 0x01
DYNAMIC_REFERENCE: Final = 0x07
_REFERENCES: Final = (REFERENCE, DYNAMIC_REFERENCE)
MAX_HOPS: Final = 20  # as in Android's AssetManager2
MAX_VALUES: Final = 32  # of one resource over its configurations
MAX_CHUNKS: Final = 100_000
MAX_LOOKUPS: Final = 100_000  # of an entry in one configuration

_TABLE: Final = 0x0002
_POOL: Final = 0x0001
_PACKAGE: Final = 0x0200
_TYPE: Final = 0x0201
_TYPE_HEADER: Final = Struct("<HHIBBHII")  # chunk, type id, flags, 0, entries, start of entries
_TYPE_OFFSET: Final = 284  # of typeIdOffset in ResTable_package; older tables end before it
_SPARSE: Final = 0x01
_OFFSET16: Final = 0x02
_ENTRY: Final = Struct("<HHI")  # size, flags, key
_VALUE: Final = Struct("<HBBI")  # size, 0, type, data
_COMPLEX: Final = 0x0001
_COMPACT: Final = 0x0008
_VERSION: Final = slice(24, 28)  # of ResTable_config: sdkVersion, minorVersion
_NONE: Final = 0xFFFFFFFF


class _Type(NamedTuple):
    """The entries of one type in one configuration. ``rank``: 0 the default, 1 by Android version only, 2 others."""

    rank: int
    newest: int  # minus the SDK version, so that the newest sorts first
    first: int  # offset of the entries
    end: int
    entries: int
    table: int  # offset of the entries' offsets
    flags: int


class Table:
    """One resource table. ``broken`` is a stable code, "" for none; what could be indexed is usable all the same."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._types: dict[int, list[_Type]] = {}  # by package id << 8 | type id
        self._pool: StringPool | None = None
        self._pool_at = (0, 0)
        self._chunks = 0
        self._left = MAX_LOOKUPS
        self._offset = 0  # of the type ids of the package at hand
        self.packages: set[int] = set()
        self.broken = ""
        if len(data) < 12 or CHUNK.unpack_from(data)[0] != _TABLE:
            self.broken = "arsc.header"
            return
        _, header, size = CHUNK.unpack_from(data)
        if size != len(data):
            self.broken = "" if size < len(data) else "arsc.file-size"
        self._walk(header if 12 <= header <= len(data) else 12, len(data), 0)
        for types in self._types.values():
            types.sort(key=lambda each: each[:3])

    def values(self, identifier: int) -> Iterator[Value]:
        """The values of a resource, not followed further: the default configuration first, then by version."""
        for each in self._types.get(identifier >> 16, ()):
            self._left -= 1
            if self._left < 0:
                self._note("budget", 0)
                return
            at = self._entry(each, identifier & 0xFFFF)
            value = self._value(at, each.end) if at else None
            if value is not None:
                yield value

    def own(self, identifier: int) -> int:
        """A reference to a shared library's own package (id 0) as an id of this table."""
        if identifier >> 24 == 0 and len(self.packages) == 1:
            return next(iter(self.packages)) << 24 | identifier
        return identifier

    def _walk(self, at: int, end: int, package: int) -> None:
        """Index the chunks between two offsets: of the file (package 0), or of one package."""
        data = self._data
        while at + CHUNK.size <= end:
            kind, header, size = CHUNK.unpack_from(data, at)
            self._chunks += 1
            if not CHUNK.size <= header <= size <= end - at or self._chunks > MAX_CHUNKS:
                self.broken = self.broken or "arsc.chunk"
                return
            if kind == _POOL and not package and not self._pool_at[1]:
                self._pool_at = (at, size)
            elif kind == _PACKAGE and not package and header >= 12:
                identifier = WORD.unpack_from(data, at + 8)[0] & 0xFF
                self.packages.add(identifier)
                # A shared library has package id 0; 0x100 keeps it apart from "no package".
                self._offset = WORD.unpack_from(data, at + _TYPE_OFFSET)[0] if header >= _TYPE_OFFSET + 4 else 0
                self._walk(at + header, at + size, identifier or 0x100)
            elif kind == _TYPE and package and header >= _TYPE_HEADER.size + 4:
                self._add_type(at, header, size, package & 0xFF)
            at += size

    def _add_type(self, at: int, header: int, size: int, package: int) -> None:
        _, _, _, identifier, flags, _, entries, start = _TYPE_HEADER.unpack_from(self._data, at)
        width = 2 if flags & _OFFSET16 and not flags & _SPARSE else 4
        if start > size or header + width * entries > size:
            self.broken = self.broken or "arsc.type"
            entries = min(entries, (size - header) // width)
        rank, version = self._rank(at + _TYPE_HEADER.size, at + header)
        kept = self._types.setdefault(package << 8 | (identifier + self._offset) & 0xFF, [])
        kept.append(_Type(rank, -version, at + start, at + size, entries, at + header, flags))

    def _rank(self, at: int, end: int) -> tuple[int, int]:
        size = min(WORD.unpack_from(self._data, at)[0], end - at)
        config = bytearray(self._data[at + 4 : at + size])
        start, stop = _VERSION.start - 4, _VERSION.stop - 4
        version = int.from_bytes(config[start : start + 2], "little")
        if not any(config):
            return 0, 0
        config[start:stop] = bytes(len(config[start:stop]))
        return (2, version) if any(config) else (1, version)

    def _entry(self, each: _Type, index: int) -> int:
        """Where an entry lies; 0 where this configuration has none."""
        data = self._data
        if each.flags & _SPARSE:
            offset = self._sparse(each, index)
        elif index >= each.entries:
            return 0
        elif each.flags & _OFFSET16:
            (offset,) = HALF.unpack_from(data, each.table + 2 * index)
            offset = _NONE if offset == 0xFFFF else 4 * offset
        else:
            (offset,) = WORD.unpack_from(data, each.table + 4 * index)
        at = each.first + offset
        return at if offset != _NONE and at + _ENTRY.size <= each.end else 0

    def _sparse(self, each: _Type, index: int) -> int:
        """Sorted pairs of index and offset / 4."""
        low, high = 0, each.entries
        while low < high:
            middle = (low + high) // 2
            found, offset = Struct("<HH").unpack_from(self._data, each.table + 4 * middle)
            if found == index:
                return int(4 * offset)
            low, high = (middle + 1, high) if found < index else (low, middle)
        return _NONE

    def _value(self, at: int, end: int) -> Value | None:
        size, flags, data = _ENTRY.unpack_from(self._data, at)
        if flags & _COMPACT:
            return self._typed(flags >> 8, data)
        if flags & _COMPLEX or size < _ENTRY.size or at + size + _VALUE.size > end:
            return None
        _, _, kind, data = _VALUE.unpack_from(self._data, at + size)
        return self._typed(kind, data)

    def _typed(self, kind: int, data: int) -> Value:
        if kind != STRING:
            return Value(kind, data, "")
        if self._pool is None:
            self._pool = StringPool(self._data, *self._pool_at, self._note)
        return Value(kind, data, self._pool[data])

    def _note(self, code: str, _at: int) -> None:
        self.broken = self.broken or f"arsc.{code}"


class Found(NamedTuple):
    """A value with the position of the APK whose table gave it."""

    value: Value
    apk: int


class Resources:
    """The tables of one app, asked in order and opened only when a reference is to be resolved.

    ``tables``: gives each table, or None where an APK has none; ``apks``: the position of each one's APK.
    """

    def __init__(self, tables: Sequence[Callable[[], Table | None]], apks: Sequence[int]) -> None:
        self._tables = tuple(zip(tables, apks, strict=True))
        self._known: dict[Value, tuple[Found, ...]] = {}

    def resolve(self, value: Value) -> tuple[Found, ...]:
        """What a reference ends at in each configuration, the default first; references that go round end nowhere."""
        if value.type not in _REFERENCES:
            return (Found(value, self._tables[0][1]),)
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = self._followed(value)
        return known

    def _followed(self, value: Value) -> tuple[Found, ...]:
        found: dict[Found, None] = {}
        seen = {value.data}
        pending = [value]
        for _ in range(MAX_HOPS):
            ends = [each for reference in pending for each in self._values(reference.data)]
            found.update(dict.fromkeys(each for each in ends if each.value.type not in _REFERENCES))
            pending = [each.value for each in ends if each.value.type in _REFERENCES and each.value.data not in seen]
            pending = pending[:MAX_VALUES]
            seen.update(each.data for each in pending)
            if not pending or len(found) >= MAX_VALUES:
                break
        return tuple(found)[:MAX_VALUES]

    def _values(self, identifier: int) -> Iterator[Found]:
        """One step: the values of a resource in the first table that knows it."""
        for open_table, apk in self._tables:
            table = open_table()
            values = [Found(value, apk) for value in table.values(table.own(identifier))] if table else []
            if values:
                yield from values[:MAX_VALUES]
                return
