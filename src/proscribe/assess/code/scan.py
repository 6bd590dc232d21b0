"""Places in the code of one dex where a watched method, field or string is used.

A pass over all 16-bit units finds every pair that could be "opcode, wanted index"; then each method with such a pair
is walked instruction by instruction, and only pairs that stand where an instruction begins count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import numpy as np

from proscribe.assess.code.classdata import Members
from proscribe.assess.code.dex import Dex
from proscribe.assess.code.instructions import (
    CONST_STRING,
    CONST_STRING_JUMBO,
    FIELD_READS,
    INVOKES,
    PAYLOAD,
    UNUSED,
    WIDTHS,
    Units,
    branch_targets,
    constant_argument,
    payload_width,
)
from proscribe.assess.code.strings import Ints

_CHUNK = 1 << 16  # units; small enough for the cache
MAX_CANDIDATES = 1 << 20  # of one dex; a real one has some thousand
MAX_OVERLAPS = 1 << 16
MAX_UNITS = 48 << 20  # walked in the methods of a package; a large real package needs less than a million
MAX_USES = 200_000
_INVOKE, _FIELD, _STRING, _JUMBO = 1, 2, 4, 8


def _kind_table() -> np.ndarray:
    by_opcode = np.zeros(256, dtype=np.uint8)
    by_opcode[list(INVOKES)] = _INVOKE
    by_opcode[list(FIELD_READS)] = _FIELD
    by_opcode[CONST_STRING] = _STRING
    by_opcode[CONST_STRING_JUMBO] = _JUMBO
    return by_opcode


_KINDS = _kind_table()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Indexes into the tables of one dex."""

    methods: frozenset[int]
    fields: frozenset[int]
    strings: frozenset[int]

    def table(self) -> np.ndarray:
        """By the second unit of an instruction: for which kinds of instruction it is a wanted index."""
        table = np.zeros(1 << 16, dtype=np.uint8)
        for indexes, mark in ((self.methods, _INVOKE), (self.fields, _FIELD), (self.strings, _STRING)):
            table[[index for index in indexes if index <= 0xFFFF]] |= mark
        table[[index & 0xFFFF for index in self.strings]] |= _JUMBO
        return table


@dataclass(frozen=True, slots=True)
class Use:
    """An instruction that uses a wanted index. ``string``: index of a constant string argument, -1 for none."""

    method: int  # whose code it is
    offset: int
    index: int
    kind: int
    string: int = -1

    @property
    def is_call(self) -> bool:
        return self.kind == _INVOKE

    @property
    def is_field(self) -> bool:
        return self.kind == _FIELD


@dataclass
class Budget:
    """Work that is left for a whole package, in units walked and uses found. What it cuts is a fault, never silent."""

    units: int = field(default_factory=lambda: MAX_UNITS)
    uses: int = field(default_factory=lambda: MAX_USES)
    faults: Counter[str] = field(default_factory=Counter)

    def spend_use(self) -> bool:
        """Take one use; False where none is left."""
        self.uses -= 1
        if self.uses < 0:
            self.faults["code.too-many-sites"] += 1
        return self.uses >= 0


@dataclass(frozen=True, slots=True)
class Code:
    """The code items of one dex, by where they begin. ``firsts``, ``sizes`` in units of the whole file.

    ``methods[rows[i]:rows[i + 1]]`` are the methods that share item ``i``.
    """

    firsts: Ints
    sizes: Ints
    rows: Ints
    methods: Ints

    @classmethod
    def of(cls, dex: Dex, members: Members) -> Code:
        having = np.flatnonzero(members.codes)
        order = having[np.argsort(members.codes[having], kind="stable")]
        begins = members.codes[order]
        rows = np.flatnonzero(np.diff(begins, prepend=-1))  # np.unique would load numpy.ma
        offsets = begins[rows]
        sizes, sound = dex.code_sizes(offsets)
        if not sound.all():
            dex.faults["dex.code-item"] += int((~sound).sum())
        return cls(offsets // 2 + 8, sizes, np.append(rows, len(order)), members.methods[order])

    def owners(self, item: int) -> list[int]:
        owners: list[int] = self.methods[self.rows[item] : self.rows[item + 1]].tolist()
        return owners


def uses(dex: Dex, code: Code, wanted: Wanted, budget: Budget) -> Iterator[Use]:
    """Every confirmed use, by position in the file."""
    found = _candidates(dex, code, wanted, budget)
    if not len(found):
        return
    units = memoryview(dex.data)[: len(dex.units) * 2].cast("H")
    for item, places in _by_item(code, found, budget):
        first, size = int(code.firsts[item]), int(code.sizes[item])
        reach = places[-1] + 1 - first
        if budget.units < reach:
            budget.faults["code.budget"] += 1
            return
        budget.units -= reach
        walk = _Walk(units[first : first + size], WIDTHS.take(dex.units[first : first + size]).tobytes())
        owners = code.owners(item)
        for use in walk.uses([place - first for place in places], wanted):
            for owner in owners:
                if not budget.spend_use():
                    return
                yield Use(owner, use.offset, use.index, use.kind, use.string)
        if walk.unused:
            dex.oddities["code.bad-opcode"] += walk.unused


def _candidates(dex: Dex, code: Code, wanted: Wanted, budget: Budget) -> Ints:
    """Units of the file at which a wanted pair may stand."""
    if not len(code.firsts):
        return np.zeros(0, dtype=np.int64)
    table = wanted.table()
    units = dex.units
    low, high = int(code.firsts[0]), min(int((code.firsts + code.sizes).max()), len(units))
    parts, total = [], 0
    for start in range(low, high - 1, _CHUNK):
        stop = min(start + _CHUNK, high - 1)
        marks = table.take(units[start + 1 : stop + 1])
        hits = np.flatnonzero(marks)
        hits = hits[(_KINDS[units[start + hits] & 0xFF] & marks[hits]) != 0]
        total += len(hits)
        if total > MAX_CANDIDATES:
            budget.faults["code.too-many-candidates"] += 1
            break
        parts.append(hits + start)
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _by_item(code: Code, places: Ints, budget: Budget) -> Iterator[tuple[int, list[int]]]:
    """Candidates by the code item they lie in."""
    ends = code.firsts + code.sizes
    if (ends[:-1] > code.firsts[1:]).any():
        yield from _by_overlapping_item(code, places, budget)
        return
    items = np.searchsorted(code.firsts, places, side="right") - 1
    inside = (items >= 0) & (places < ends[items])
    pairs = zip(items[inside].tolist(), places[inside].tolist(), strict=True)
    for item, group in groupby(pairs, key=itemgetter(0)):
        yield item, [place for _, place in group]


def _by_overlapping_item(code: Code, places: Ints, budget: Budget) -> Iterator[tuple[int, list[int]]]:
    """The same where code items share bytes: a candidate may belong to many, and their number is bounded."""
    budget.faults["dex.overlapping-code"] += 1
    low = np.searchsorted(places, code.firsts)
    high = np.searchsorted(places, code.firsts + code.sizes)
    left = MAX_OVERLAPS + len(places)
    for item in np.flatnonzero(high > low).tolist():
        group = places[low[item] : high[item]]
        left -= len(group)
        if left < 0:
            budget.faults["code.budget"] += 1
            return
        yield item, group.tolist()


class _Walk:
    """One method, instruction by instruction."""

    def __init__(self, units: Units, widths: bytes) -> None:
        self.units = units
        self.widths = widths
        self.starts: list[int] = []
        self.at = 0
        self.unused = 0
        self._targets: set[int] | None = None

    def uses(self, places: list[int], wanted: Wanted) -> Iterator[Use]:
        for place in places:
            if self._reaches(place):
                use = self._use(place, wanted)
                if use is not None:
                    yield use

    def _reaches(self, place: int) -> bool:
        """Go on to ``place``; whether an instruction begins there."""
        at, widths, push = self.at, self.widths, self.starts.append
        while at < place:
            push(at)
            width = widths[at]
            at += width if width < PAYLOAD else self._special(at, width)
        self.at = at
        return at == place and widths[at] < PAYLOAD

    def _special(self, at: int, width: int) -> int:
        if width == UNUSED:
            self.unused += 1
            return 1
        self.starts.pop()  # data is no instruction
        return payload_width(self.units, at)

    def _use(self, place: int, wanted: Wanted) -> Use | None:
        units = self.units
        if place + self.widths[place] > len(units):
            return None
        kind = int(_KINDS[units[place] & 0xFF])
        index = units[place + 1]
        if kind == _JUMBO:
            index |= units[place + 2] << 16
            kind = _STRING
        if kind == _STRING:
            return Use(-1, place, index, kind) if index in wanted.strings else None
        string = self._constant(place) if kind == _INVOKE else -1
        return Use(-1, place, index, kind, string)

    def _constant(self, place: int) -> int:
        start, string = constant_argument(self.units, self.starts, place)
        if start < 0:
            return -1
        # A branch to anywhere after the constant's load begins another block.
        return -1 if any(start < target <= place for target in self._branches()) else string

    def _branches(self) -> set[int]:
        if self._targets is None:
            starts, at = list(self.starts), self.at
            while at < len(self.widths):
                width = self.widths[at]
                if width < PAYLOAD:
                    starts.append(at)
                    at += width
                else:
                    at += 1 if width == UNUSED else payload_width(self.units, at)
            self._targets = branch_targets(self.units, starts)
        return self._targets
