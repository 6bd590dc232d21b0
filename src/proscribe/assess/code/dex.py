"""One logical dex file as numpy tables: bounds-checked once, then read without further ceremony.

Faults that ART would refuse but that leave the rest readable (an index out of range, a class whose data leaves the
file) are masked, counted in ``faults`` and make the file's reading partial; nothing is dropped in silence.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable

import numpy as np

from proscribe.assess.code.classdata import Members, read_members
from proscribe.assess.code.header import Header, Table
from proscribe.assess.code.strings import (
    Bytes,
    Ints,
    Marks,
    decode,
    fingerprints,
    frombuffer,
    uleb128,
)

NO_INDEX = 0xFFFFFFFF
_MAX_INTERFACES = 1 << 19  # of all classes together
_MAX_PARAMETERS = 255  # of a method, by the format


class Dex:
    """Tables of one logical dex. Strings, types, protos, fields and methods are named by their index.

    A name that cannot be read has index -1; the tables of strings and types end in a row for it: no type, and an empty
    string. ``raw``: every byte up to the end of the file's data. ``faults``: stable codes with how often each was met.
    ``oddities``: what a well-made file does not have, though it can be read (unsorted or duplicate rows).
    """

    def __init__(self, data: bytes, header: Header) -> None:
        self.data = data
        self.header = header
        self.faults: Counter[str] = Counter()
        self.oddities: Counter[str] = Counter()
        self.raw: Bytes = frombuffer(data, "u1", header.end)
        self.units = frombuffer(data, "<u2", header.end // 2)
        self._words = frombuffer(data, "<u4", header.end // 4)
        self._read_strings()
        names = self._index(self._table(header.types)[:, 0], header.strings.size, "dex.type-index")
        self.type_names: Ints = np.append(names, np.int32(-1))
        self._read_members()
        self._read_classes()
        self._check_order()
        self._texts: dict[int, str] = {}
        self._protos: dict[int, str] = {}

    # ---- tables ----------------------------------------------------------------------------------------------------

    def _table(self, table: Table, kind: str = "<u4") -> Ints:
        per_row = table.width // np.dtype(kind).itemsize
        flat = frombuffer(self.data, kind, table.size * per_row, table.offset)
        return flat.reshape(table.size, per_row)

    def _index(self, column: Ints, limit: int, code: str) -> Ints:
        """A column of indexes; those out of range are counted and stand as -1."""
        wrong = column >= limit
        values = column.astype(np.int32)
        if wrong.any():
            self.faults[code] += int(wrong.sum())
            values[wrong] = -1
        return values

    def _read_strings(self) -> None:
        offsets = self._table(self.header.strings)[:, 0].astype(np.int64)
        lengths, starts, sound = uleb128(self.raw, offsets) if len(self.raw) else (offsets, offsets, offsets > 0)
        sound &= starts + lengths < self.header.end
        if not sound.all():
            self.faults["dex.string-offset"] += int((~sound).sum())
            lengths[~sound] = 0
            starts[~sound] = 0
        self.string_sound: Marks = np.append(sound, np.False_)
        self.string_starts: Ints = np.append(starts, 0).astype(np.int32)
        self.string_lengths: Ints = np.append(lengths, 0).astype(np.int32)
        self.string_prints = fingerprints(self.raw, self.string_starts, self.string_lengths)

    def _read_members(self) -> None:
        sizes = self.header
        methods = self._table(sizes.methods, "<u2")
        self.method_classes = self._index(methods[:, 0], sizes.types.size, "dex.method-class")
        self.method_protos = self._index(methods[:, 1], sizes.protos.size, "dex.method-proto")
        names = self._table(sizes.methods)[:, 1]
        self.method_names = self._index(names, sizes.strings.size, "dex.method-name")
        fields = self._table(sizes.fields, "<u2")
        self.field_classes = self._index(fields[:, 0], sizes.types.size, "dex.field-class")
        self.field_types = self._index(fields[:, 1], sizes.types.size, "dex.field-type")
        self.field_names = self._index(self._table(sizes.fields)[:, 1], sizes.strings.size, "dex.field-name")

    def _read_classes(self) -> None:
        rows = self._table(self.header.classes).astype(np.int64)
        self.class_types = self._index(rows[:, 0], self.header.types.size, "dex.class-index")
        parents = rows[:, 2].copy()
        parents[parents == NO_INDEX] = -1
        wrong = parents >= self.header.types.size
        if wrong.any():
            self.faults["dex.superclass"] += int(wrong.sum())
            parents[wrong] = -1
        self.class_parents = parents
        self._interface_offsets = rows[:, 3]
        self._data_offsets = rows[:, 6]

    def _check_order(self) -> None:
        """The format wants these tables sorted, and by that without duplicates."""
        methods = (self.method_classes.astype(np.int64) << 48) | (self.method_names << 16) | self.method_protos
        fields = (self.field_classes.astype(np.int64) << 48) | (self.field_names << 16) | self.field_types
        for name, keys in (("type_ids", self.type_names[:-1]), ("method_ids", methods), ("field_ids", fields)):
            disorder = int((np.diff(keys) <= 0).sum())
            if disorder:
                self.oddities[f"dex.unsorted {name}"] += disorder
        defined = self.class_types[self.class_types >= 0]
        repeated = int((np.diff(np.sort(defined)) == 0).sum())
        if repeated:
            self.oddities["dex.duplicate-class"] += repeated

    # ---- what classes hold -----------------------------------------------------------------------------------------

    def members(self) -> Members:
        """Every method that a class defines, with where its code lies."""
        return read_members(self.raw, self._data_offsets, self.header, self.faults)

    def code_sizes(self, offsets: Ints) -> tuple[Ints, Marks]:
        """For code items at ``offsets``: instructions in 16-bit units, and which items lie inside the file."""
        limit = self.header.end
        sound = (offsets % 4 == 0) & (offsets > 0) & (offsets + 16 <= limit)
        slots = np.where(sound, offsets // 4 + 3, 0)
        sizes = self._words[slots].astype(np.int64) if len(self._words) else np.zeros(len(offsets), dtype=np.int64)
        sound &= offsets + 16 + 2 * sizes <= limit
        return np.where(sound, sizes, 0), sound

    def interfaces(self) -> tuple[Ints, Ints]:
        """Rows (class definition, type) of every interface that a class names."""
        owners = np.flatnonzero(self._interface_offsets)
        offsets = self._interface_offsets[owners]
        sound = (offsets % 4 == 0) & (offsets + 4 <= self.header.end)
        counts = self._words[np.where(sound, offsets // 4, 0)].astype(np.int64) if len(owners) else offsets
        sound &= offsets + 4 + 2 * counts <= self.header.end
        # Lists may be shared, but nobody implements more interfaces than there are types.
        sound &= counts <= self.header.types.size
        sound &= np.cumsum(np.where(sound, counts, 0)) <= _MAX_INTERFACES
        if not sound.all():
            self.faults["dex.interfaces"] += int((~sound).sum())
        owners, offsets, counts = owners[sound], offsets[sound], counts[sound]
        slots = np.repeat(offsets // 2 + 2, counts) + _within(counts)
        types = self.units[slots].astype(np.int64) if len(slots) else slots
        inside = types < self.header.types.size
        return np.repeat(owners, counts)[inside], types[inside]

    # ---- names -----------------------------------------------------------------------------------------------------

    def string(self, index: int) -> bytes:
        """A string in modified UTF-8, b"" where there is none."""
        if index < 0 or index >= self.header.strings.size:
            return b""
        start = int(self.string_starts[index])
        end = start + int(self.string_lengths[index])
        if self.data[end : end + 1] == b"\0":
            return self.data[start:end]
        # Not ASCII: at most three bytes for each UTF-16 unit.
        found = self.data.find(b"\0", end, start + 3 * (end - start) + 1)
        return self.data[start:found] if found >= 0 else b""

    def strings(self, indexes: Ints) -> list[bytes]:
        """Many strings at once, b"" for index -1."""
        starts = self.string_starts[indexes]
        ends = starts + self.string_lengths[indexes]
        plain = self.raw[ends] == 0
        data = self.data
        found = [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        for place in np.flatnonzero(~plain).tolist():
            found[place] = self.string(int(indexes[place]))
        return found

    def starting(self, heads: Iterable[bytes]) -> Ints:
        """Indexes of the strings that begin with one of ``heads``."""
        hits = np.zeros(self.header.strings.size, dtype=np.bool_)
        having = np.flatnonzero(self.string_sound & (self.string_lengths > 0))
        last = len(self.raw) - 1
        for head in sorted({head for head in heads if head}):
            rows = having
            for place, byte in enumerate(head):
                rows = rows[self.raw[np.minimum(self.string_starts[rows] + place, last)] == byte]
            hits[rows] = True
        return np.flatnonzero(hits)

    def text(self, index: int) -> str:
        """A string for people and facts."""
        known = self._texts.get(index)
        if known is None:
            known = self._texts[index] = decode(self.string(index))
        return known

    def type_string(self, index: int) -> int:
        """The string of a type, -1 for none."""
        return int(self.type_names[index]) if 0 <= index < self.header.types.size else -1

    def descriptor(self, index: int) -> bytes:
        """A type's descriptor in modified UTF-8."""
        return self.string(self.type_string(index))

    def type_text(self, index: int) -> str:
        return self.text(self.type_string(index)) or "?"

    def proto(self, index: int) -> str:
        """``(args)ret``, "(?)?" where the row cannot be read."""
        known = self._protos.get(index)
        if known is None:
            known = self._protos[index] = self._proto(index)
        return known

    def _proto(self, index: int) -> str:
        if index < 0:
            return "(?)?"
        at = self.header.protos.offset + 12 * index
        _, result, parameters = struct.unpack_from("<III", self.data, at)
        if result >= self.header.types.size:
            return "(?)?"
        if not parameters:
            return f"(){self.type_text(result)}"
        if parameters % 4 or parameters + 4 > self.header.end:
            return "(?)?"
        (count,) = struct.unpack_from("<I", self.data, parameters)
        if count > _MAX_PARAMETERS or parameters + 4 + 2 * count > self.header.end:
            return "(?)?"
        types = struct.unpack_from(f"<{count}H", self.data, parameters + 4)
        return f"({''.join(map(self.type_text, types))}){self.type_text(result)}"

    def method_text(self, index: int) -> str:
        """``Lcls;->name(args)ret``."""
        owner = self.type_text(int(self.method_classes[index]))
        name = self.text(int(self.method_names[index])) or "?"
        return f"{owner}->{name}{self.proto(int(self.method_protos[index]))}"

    def field_text(self, index: int) -> str:
        """``Lcls;->NAME:Ltype;``."""
        owner = self.type_text(int(self.field_classes[index]))
        name = self.text(int(self.field_names[index])) or "?"
        return f"{owner}->{name}:{self.type_text(int(self.field_types[index]))}"

    def class_descriptors(self) -> list[bytes]:
        """The descriptor of every class definition, b"" where it cannot be read."""
        return self.strings(self.type_names[self.class_types])


def _within(counts: Ints) -> Ints:
    """0, 1, ... for each run: [2, 3] gives [0, 1, 0, 1, 2]."""
    total = int(counts.sum())
    return np.arange(total, dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
