"""The check of a whole ledger: what it must find, whatever is changed, and what it must not find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from proscribe.documents import to_bytes
from proscribe.prove import faults
from proscribe.prove.audit import audit, head_fault
from proscribe.prove.heads import new_key, read_key, sign_head
from proscribe.prove.ledger import Growing, Tree, leaf_hash_of
from proscribe.prove.model import EntryKind, LedgerEntry, SignedTreeHead, TreeHead
from proscribe.prove.ports import StoredEntry

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
KEY = read_key(new_key())


def head_of(leaves: list[bytes]) -> SignedTreeHead:
    return sign_head(TreeHead(len(leaves), Tree(leaves).root().hex()), KEY, NOW)


class Stored:
    """A ledger in memory, kept as a database keeps it."""

    def __init__(self, count: int, signed: frozenset[int] = frozenset()) -> None:
        self.rows: list[StoredEntry] = []
        self.heads: list[SignedTreeHead] = []
        self.written: list[LedgerEntry] = []
        growing = Growing()
        for index in range(count):
            entry = LedgerEntry(index, NOW, "role", EntryKind.receipt, str(index), {"n": index})
            if index in signed:
                head = head_of([row.leaf for row in self.rows])
                self.heads.append(head)
                body = {"event": "signed", "digest": "", "log": head.log, "size": head.size, "root": head.root}
                entry = replace(entry, entry=EntryKind.head, subject="log", body=body)
            self.written.append(entry)
            body = to_bytes(entry)
            leaf = leaf_hash_of(body)
            self.rows.append(StoredEntry(index, body, leaf, growing.add(leaf)))

    def size(self) -> int:
        return len(self.rows)

    def root(self, size: int | None = None) -> bytes:
        return Tree(row.leaf for row in self.rows).root(size)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[LedgerEntry]:
        yield from self.written[start:stop]

    def codes(self, rows: list[StoredEntry] | None = None) -> list[str]:
        return [fault.code for fault in audit(rows or self.rows, self.size(), self.heads).faults]


@given(st.integers(0, 70), st.frozensets(st.integers(0, 69), max_size=6))
def test_a_ledger_as_it_was_written_is_sound_and_its_root_is_that_of_pymerkle(size: int, signed: frozenset) -> None:
    stored = Stored(size, signed)
    found = audit(stored.rows, size, stored.heads)
    assert found.faults == []
    oracle = InmemoryTree(algorithm="sha256")
    for row in stored.rows:
        oracle.append_entry(row.body)
    assert found.tree_head.size == size
    assert not size or found.tree_head.root == oracle.get_root().hex()
    assert sorted(record.size for record in found.records) == sorted(head.size for head in stored.heads)


@given(st.integers(2, 70), st.frozensets(st.integers(0, 69), max_size=4), st.data())
def test_no_single_change_of_a_row_or_node_goes_unseen(size: int, signed: frozenset, draw: st.DataObject) -> None:
    stored = Stored(size, signed)
    at = draw.draw(st.integers(0, size - 1))
    row = stored.rows[at]
    changes = [
        replace(row, body=row.body + b" "),
        replace(row, leaf=bytes(32)),
        replace(row, nodes=(*row.nodes, bytes(32))),
        *(replace(row, nodes=(*row.nodes[:n], bytes(32), *row.nodes[n + 1 :])) for n in range(len(row.nodes))),
        *(replace(row, nodes=row.nodes[:n]) for n in range(len(row.nodes))),
    ]
    other = replace(row, body=b"{}", leaf=leaf_hash_of(b"{}"))
    if size > 2 * (at // 2) + 1:  # alone at the end and never signed, an entry has nothing that speaks for it
        changes.append(other)
    for change in changes:
        rows = [*stored.rows[:at], change, *stored.rows[at + 1 :]]
        codes = stored.codes(rows)
        assert codes, change
        assert set(codes) <= {"ledger.row-changed", "ledger.node-changed", "ledger.forked"}
        if change.nodes != row.nodes:
            assert codes == ["ledger.node-changed"] * len(codes)
        if change.body != row.body and change.leaf == row.leaf and row.index not in signed:
            assert codes == ["ledger.row-changed"]


@given(st.integers(2, 70), st.data())
def test_no_row_taken_out_goes_unseen(size: int, draw: st.DataObject) -> None:
    stored = Stored(size, frozenset({size - 1}))
    at = draw.draw(st.integers(0, size - 1))
    rows = [*stored.rows[:at], *stored.rows[at + 1 :]]
    assert "ledger.row-missing" in stored.codes(rows)
    cut = audit(stored.rows[:at], at, stored.heads)
    assert [type(fault) for fault in cut.faults] == [faults.LedgerTruncated]


@given(st.integers(1, 60), st.data())
def test_a_ledger_written_anew_contradicts_the_first_head_after_the_change(size: int, draw: st.DataObject) -> None:
    signed = draw.draw(st.frozensets(st.integers(1, size), min_size=1, max_size=5))
    stored = Stored(size + 1, signed)
    at = draw.draw(st.integers(0, max(signed) - 1))
    anew = Stored(size + 1, signed)
    growing = Growing()
    for index, row in enumerate(anew.rows):
        leaf = leaf_hash_of(b"another") if index == at else row.leaf
        body = b"another" if index == at else row.body
        anew.rows[index] = StoredEntry(index, body, leaf, growing.add(leaf))
    (fault,) = audit(anew.rows, anew.size(), stored.heads).faults
    assert isinstance(fault, faults.LedgerForked)
    first = min((head.size for head in stored.heads if head.size > at), default=0)
    assert f"the first {first} entries" in str(fault) or f"entry {at} is not the record" in str(fault)


@pytest.mark.parametrize(
    "record", [b'{"entry":"head"}', b'{"entry":"head","body":[]}', b'"entry":"head"', b'{"x":"\xff,"entry":"head"}']
)
def test_a_spoilt_record_of_a_head_is_a_changed_row_and_no_crash(record: bytes) -> None:
    stored = Stored(6, frozenset({3}))
    stored.rows[3] = replace(stored.rows[3], body=record)
    assert stored.codes() == ["ledger.row-changed", "ledger.forked"]


def test_one_head_is_judged_against_the_ledger_as_it_stands() -> None:
    stored = Stored(9, frozenset({4, 7}))
    first, second = stored.heads
    log = first.log
    assert head_fault(first, stored, log) is None
    assert head_fault(second, stored, log) is None
    leaves = [row.leaf for row in stored.rows]
    for head, kind in (
        (replace(first, size=5), faults.HeadDamaged),
        (sign_head(TreeHead(first.size, first.root), read_key(new_key()), NOW), faults.LogReplaced),
        (head_of([*leaves, bytes(32)]), faults.LedgerTruncated),
        (head_of(leaves), faults.LedgerTruncated),  # its own record is missing
        (head_of(leaves[:5]), faults.LedgerForked),  # a root that was, and that the ledger does not say was signed
        (head_of([bytes(32)] * 4), faults.LedgerForked),
    ):
        assert type(head_fault(head, stored, log)) is kind
