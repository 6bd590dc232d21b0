"""Check a whole ledger in one pass: every row, every inner node, every signed head, in O(log n) memory.

The tree is computed anew from the entries and laid beside the stored one. Where the two differ at one node and agree
above it, that node was changed; where they differ all the way up, entries below were. Signed heads settle what the
two trees cannot: a database that was rewritten throughout is sound in itself, and contradicts what was signed of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from proscribe.prove import faults
from proscribe.prove.faults import LedgerFault
from proscribe.prove.heads import check_head
from proscribe.prove.ledger import EMPTY_ROOT, joined, leaf_hash_of, left_siblings, node_hash
from proscribe.prove.model import EntryKind, LedgerEntry, SignedTreeHead, TreeHead
from proscribe.prove.ports import StoredEntry

SIGNED, WITNESSED, CONTRADICTED = "signed", "witnessed", "contradicted"
"""``body["event"]`` of a ``head`` entry: a head of ours; one of others that follows; one that convicts its log."""


class TreeStore(Protocol):
    """What judging one head needs of a ledger."""

    def size(self) -> int:
        """How many entries there are."""
        ...

    def root(self, size: int | None = None) -> bytes:
        """The root over the first ``size`` entries."""
        ...

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[LedgerEntry]:
        """Entries ``start`` to ``stop`` (exclusive)."""
        ...


def head_fault(head: SignedTreeHead, ledger: TreeStore, log: str) -> LedgerFault | None:
    """What is wrong between a head of this log and the ledger as it stands, in a few reads; None where nothing is.

    The entry after those that a head covers is the record of that head, so a ledger put back to that very size shows.
    """
    if not check_head(head):
        return faults.head_damaged()
    if head.log != log:
        return faults.log_replaced(head, log)
    size = ledger.size()
    if head.size >= size:
        return faults.truncated(head, size)
    if ledger.root(head.size).hex() != head.root:
        return faults.forked(head)
    (record,) = ledger.entries(head.size, head.size + 1)
    return None if _records(record.entry, record.body, head) else faults.unrecorded(head)


def _records(kind: str, body: dict[str, Any], head: SignedTreeHead) -> bool:
    wanted = (SIGNED, head.log, head.size, head.root)
    return kind == EntryKind.head and tuple(body.get(name) for name in ("event", "log", "size", "root")) == wanted


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """What the ledger says of one head: signed here, or received from ``source``."""

    event: str
    digest: str  # of the document that holds it
    log: str
    size: int
    root: str
    source: str


@dataclass
class Audit:
    """What was found: faults in the order of the ledger, its head as the entries give it, the heads it speaks of."""

    tree_head: TreeHead
    faults: list[LedgerFault] = field(default_factory=list)
    records: list[HeadRecord] = field(default_factory=list)


def audit(rows: Iterable[StoredEntry], size: int, heads: Iterable[SignedTreeHead]) -> Audit:
    """Check rows 0 to ``size`` in order, and heads of this ledger (whose signatures are good) against them."""
    walk = _Walk(size, heads)
    for row in rows:
        if row.index != walk.size:
            walk.found.append(faults.row_missing(walk.size, row.index - 1))
            return walk.result(complete=False)
        walk.take(row)
    if walk.size < size:
        walk.found.append(faults.row_missing(walk.size, size - 1))
        return walk.result(complete=False)
    return walk.result(complete=True)


_Span = tuple[int, int]


@dataclass
class _Peak:
    """A complete subtree: as the entries give it, as it is stored, and the spans below it where the two differ."""

    computed: bytes
    stored: bytes
    doubts: list[_Span]


class _Walk:
    def __init__(self, whole: int, heads: Iterable[SignedTreeHead]) -> None:
        self.size = 0
        self.found: list[LedgerFault] = []
        self._whole = whole
        self._heads: dict[int, list[SignedTreeHead]] = {}
        for head in heads:
            self._heads.setdefault(head.size, []).append(head)
        self._records: list[HeadRecord] = []
        self._peaks: list[_Peak] = []
        self._good: int | None = None  # the largest head that the entries lead to
        self._forked = False
        self._judge()

    def take(self, row: StoredEntry) -> None:
        """The next row."""
        if leaf_hash_of(row.body) != row.leaf:
            self.found.append(faults.row_changed(row.index, row.index))
        record = self._record(row)
        for head in self._heads.get(row.index, []):
            if record is None or (record.event, record.log, record.root) != (SIGNED, head.log, head.root):
                self._fork(faults.unrecorded(head))
        siblings = left_siblings(row.index)
        peak = _Peak(row.leaf, row.leaf, [])
        for (height, position), stored in zip(siblings, _padded(row.nodes, len(siblings)), strict=True):
            span = (position << height, row.index)
            peak = self._joined(self._peaks.pop(), peak, stored, span)
        if len(row.nodes) > len(siblings):
            self.found.append(faults.node_changed(row.index, row.index, certain=True))
        self._peaks.append(peak)
        self.size += 1
        self._judge()

    def _record(self, row: StoredEntry) -> HeadRecord | None:
        if b'"entry":"head"' not in row.body:
            return None
        record = _head_record(row.body)
        if record is not None:
            self._records.append(record)
        return record

    def _joined(self, left: _Peak, right: _Peak, stored: bytes, span: _Span) -> _Peak:
        computed = node_hash(left.computed, right.computed)
        doubts = left.doubts + right.doubts
        if computed == stored:
            self.found += [faults.node_changed(*doubt, certain=True) for doubt in doubts]
            return _Peak(computed, stored, [])
        return _Peak(computed, stored, doubts or [span])

    def _judge(self) -> None:
        """The heads of the size reached."""
        heads = self._heads.get(self.size, [])
        if not heads:
            return
        computed = joined([peak.computed for peak in self._peaks]) if self._peaks else EMPTY_ROOT
        stored = joined([peak.stored for peak in self._peaks]) if self._peaks else EMPTY_ROOT
        for head in heads:
            if head.root == computed.hex():
                self._settle(by_rows=False)
                self._good = head.size
            elif head.root == stored.hex():
                self._settle(by_rows=True)
            else:
                self._fork(faults.forked(head, self._good))

    def _settle(self, *, by_rows: bool) -> None:
        """A head says which of the two trees is right: the entries' own, or the stored one."""
        for peak in self._peaks:
            for doubt in peak.doubts:
                self.found.append(faults.row_changed(*doubt) if by_rows else faults.node_changed(*doubt, certain=True))
            peak.doubts = []
            if by_rows:
                peak.computed = peak.stored
            else:
                peak.stored = peak.computed

    def _fork(self, fault: LedgerFault) -> None:
        # One fork makes every head after it a contradiction: the first one says where.
        if not self._forked:
            self.found.append(fault)
        self._forked = True

    def result(self, *, complete: bool) -> Audit:
        """The faults, with what nothing could settle."""
        for peak in self._peaks:
            self.found += [faults.node_changed(*doubt, certain=False) for doubt in peak.doubts]
        beyond = [head for at, heads in self._heads.items() if at >= self._whole for head in heads]
        if complete and beyond:
            self.found.append(faults.truncated(max(beyond, key=lambda head: head.size), self._whole))
        root = joined([peak.computed for peak in self._peaks]) if self._peaks else EMPTY_ROOT
        return Audit(TreeHead(self.size, root.hex()), self.found, self._records)


def _padded(nodes: Sequence[bytes], count: int) -> list[bytes]:
    """As many nodes as there should be; one that is missing is like no hash."""
    return [*nodes[:count], *[b""] * (count - len(nodes))]


def _head_record(body: bytes) -> HeadRecord | None:
    try:
        entry = json.loads(body)
        held = entry["body"] if entry["entry"] == EntryKind.head else None
        return (
            None
            if held is None
            else HeadRecord(
                event=str(held["event"]),
                digest=str(held["digest"]),
                log=str(held["log"]),
                size=int(held["size"]),
                root=str(held["root"]),
                source=str(held.get("source", "")),
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # a row that was changed: its leaf hash says so
