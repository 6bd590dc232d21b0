"""class_data_item: which methods each class defines, and where their code lies.

All of it is ULEB128, so numbers have no fixed place. They are found together all the same: a byte below 0x80 ends a
number wherever one starts, so the ends of a whole stretch give every number in it; each item is then a run of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from proscribe.assess.code.header import Header
from proscribe.assess.code.strings import Bytes, Ints, Marks, uleb128

_SPAN = 1 << 16  # bytes decoded together
_MOST = 5  # bytes of one number


@dataclass(frozen=True, slots=True)
class Members:
    """Methods with their class definition (row), method index and code offset (0: abstract or native)."""

    owners: Ints
    methods: Ints
    codes: Ints


@dataclass(frozen=True, slots=True)
class _Items:
    """Items of class data, sorted by offset: their class definition and their four counts."""

    owners: Ints
    bodies: Ints  # offset of the first number after the counts
    fields: Ints  # static and instance together
    direct: Ints
    virtual: Ints

    @property
    def numbers(self) -> Ints:
        return 2 * self.fields + 3 * (self.direct + self.virtual)

    def take(self, which: Ints | slice) -> _Items:
        return _Items(
            self.owners[which], self.bodies[which], self.fields[which], self.direct[which], self.virtual[which]
        )


def read_members(raw: Bytes, offsets: Ints, header: Header, faults: Counter[str]) -> Members:
    """The methods of all classes. ``offsets``: class_data_off by class definition, 0 where a class has none."""
    items = _items(raw, offsets, header, faults)
    # A method belongs to one class, so that all classes together define no more than the table has.
    sound = np.cumsum(items.direct + items.virtual) <= header.methods.size
    if not sound.all():
        faults["dex.class-data"] += int((~sound).sum())
        items = items.take(np.flatnonzero(sound))
    parts = []
    at = 0
    while at < len(items.owners):
        until = max(at + 1, int(np.searchsorted(items.bodies, items.bodies[at] + _SPAN)))
        parts.append(_stretch(raw, items.take(slice(at, until)), faults))
        at = until
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return Members(nothing, nothing, nothing)
    owners, methods, codes = (np.concatenate([part[column] for part in parts]) for column in range(3))
    sound = (methods < header.methods.size) & (codes < header.end)
    if not sound.all():
        faults["dex.member-index"] += int((~sound).sum())
    return Members(*(column[sound].astype(np.int32) for column in (owners, methods, codes)))


def _items(raw: Bytes, offsets: Ints, header: Header, faults: Counter[str]) -> _Items:
    owners = np.flatnonzero(offsets)
    order = np.argsort(offsets[owners], kind="stable")
    owners = owners[order]
    at = offsets[owners]
    shared = np.flatnonzero(np.diff(at) == 0) + 1
    if len(shared):
        # Several classes over the same bytes: the first is read, as ART would refuse them all.
        faults["dex.overlapping-class-data"] += len(shared)
        owners, at = np.delete(owners, shared), np.delete(at, shared)
    counts, sound = [], np.ones(len(at), dtype=np.bool_)
    for limit in (header.fields.size, header.fields.size, header.methods.size, header.methods.size):
        values, at, good = uleb128(raw, at)
        # Indexes rise from row to row, so that there are never more rows than the table has.
        sound &= good & (values <= limit)
        counts.append(values)
    if not sound.all():
        faults["dex.class-data"] += int((~sound).sum())
    static, instance, direct, virtual = counts
    items = _Items(owners, at, static + instance, direct, virtual).take(np.flatnonzero(sound))
    return items.take(np.flatnonzero(items.direct + items.virtual))


def _stretch(raw: Bytes, items: _Items, faults: Counter[str]) -> tuple[Ints, Ints, Ints]:
    """Class definitions, method indexes and code offsets of items that lie near each other."""
    low = int(items.bodies[0])
    high = min(len(raw), int(items.bodies[-1]) + _MOST * int(items.numbers[-1]))
    starts, values, whole = _numbers(raw[low:high], int(items.bodies[-1]) - low, int(items.numbers[-1]))
    first = np.searchsorted(starts, items.bodies - low)
    # An item that runs past the stretch, or a heap of items over the same bytes, is no class data.
    sound = first + items.numbers <= len(values)
    sound &= np.cumsum(np.where(sound, items.numbers, 0)) <= 2 * len(values) + 16
    if not sound.all():
        faults["dex.class-data"] += int((~sound).sum())
        kept = np.flatnonzero(sound)
        items, first = items.take(kept), first[kept]
    overlapping = int((first[:-1] + items.numbers[:-1] > first[1:]).sum())
    if overlapping:
        faults["dex.overlapping-class-data"] += overlapping
    counts = items.direct + items.virtual
    rows = np.repeat(first + 2 * items.fields - 3 * (np.cumsum(counts) - counts), counts) + 3 * np.arange(counts.sum())
    broken = ~(whole[rows] & whole[rows + 1] & whole[rows + 2])
    methods = _running(values[rows], np.column_stack((items.direct, items.virtual)).ravel())
    codes = values[rows + 2]
    owners = np.repeat(items.owners, counts)
    if broken.any():
        faults["dex.uleb128"] += int(broken.sum())
        kept = np.flatnonzero(~broken)
        return owners[kept], methods[kept], codes[kept]
    return owners, methods, codes


def _numbers(stretch: Bytes, last: int, count: int) -> tuple[Ints, Ints, Marks]:
    """Every ULEB128 number up to the ``count``-th after byte ``last``: its start, its value, whether it is sound."""
    ends: Ints = np.flatnonzero(stretch < 0x80).astype(np.int64, copy=False)
    ends = ends[: int(np.searchsorted(ends, last)) + count]
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    more = ends - starts
    values = (stretch[starts] & 0x7F).astype(np.int64)
    going = np.flatnonzero(more)
    for place in range(1, _MOST):
        values[going] |= (stretch[starts[going] + place] & 0x7F).astype(np.int64) << 7 * place
        going = going[more[going] > place]
    return starts, values, more < _MOST


def _running(steps: Ints, runs: Ints) -> Ints:
    """Sums from the start of each run: indexes are written as differences, from 0 for direct and virtual methods."""
    runs = runs[runs > 0]
    sums = np.cumsum(steps)
    first = np.cumsum(runs) - runs
    return sums - np.repeat(sums[first] - steps[first], runs) if len(runs) else sums
