"""The tree that is stored beside the ledger's entries, on SQLite and on PostgreSQL, against pymerkle."""

from __future__ import annotations

import contextlib
import importlib
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pymerkle import InmemoryTree

import proscribe.store
from proscribe.documents import to_bytes
from proscribe.prove.ledger import EMPTY_ROOT, NoSuchProof, Tree, leaf_hash_of, verify_consistency, verify_inclusion
from proscribe.prove.model import EntryKind
from proscribe.store.errors import StoreDamaged

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def drafts(count: int, first: int = 0) -> list:
    from proscribe.store.repositories import Draft

    return [Draft(EntryKind.receipt, f"k{n}", "worker", {"n": n}, NOW) for n in range(first, first + count)]


def oracle(ledger) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for entry in ledger.entries():
        tree.append_entry(to_bytes(entry))
    return tree


def tamper(table: str, *statements: tuple[str, list]) -> None:
    """What somebody does who holds the database: triggers stop nobody who may drop them."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            for name in ("update", "delete"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{name}")
        for statement, parameters in statements:
            cursor.execute(statement, parameters)


def in_threads(worker: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=worker, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 7, 8, 9, 31, 32, 33, 127, 128, 129])
def test_heads_and_proofs_agree_with_pymerkle_at_the_edges(store: Path, size: int) -> None:
    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    for draft in drafts(size):
        ledger.append(*draft)
    theirs = oracle(ledger)
    assert ledger.head().size == size
    assert ledger.head().root == (theirs.get_root().hex() if size else EMPTY_ROOT.hex())
    leaves = [leaf_hash_of(row.body) for row in ledger.rows()]
    for index in range(size):
        assert (leaves[index], *ledger.inclusion(index)) == tuple(theirs.prove_inclusion(index + 1, size).path)
    for first in range(1, size + 1):
        proof = ledger.consistency(first)
        assert verify_consistency(first, size, theirs.get_root(first), theirs.get_root(), proof)
        assert ledger.root(first) == theirs.get_root(first)


def test_a_random_ledger_agrees_with_pymerkle_and_with_the_tree_in_memory(store: Path) -> None:
    from proscribe.store.repositories import Ledger

    dice = random.Random(5)
    ledger = Ledger()
    while ledger.size() < 4100:  # one by one and in bulk, in turns; a page is 2,000
        first = ledger.size()
        count = dice.choice([0, 1, 2, 3, 700, 2100])
        assert ledger.append_many(drafts(count, first)) == range(first, first + count)
        ledger.append(*drafts(1, first + count)[0])
    size = ledger.size()
    theirs, leaves = oracle(ledger), [leaf_hash_of(row.body) for row in ledger.rows()]
    tree = Tree(leaves)
    assert ledger.root() == theirs.get_root() == tree.root()
    for _ in range(60):
        then = dice.randrange(1, size + 1)
        index, first = dice.randrange(then), dice.randrange(1, then + 1)
        path = ledger.inclusion(index, then)
        assert (leaves[index], *path) == tuple(theirs.prove_inclusion(index + 1, then).path)
        assert verify_inclusion(leaves[index], index, then, path, theirs.get_root(then))
        proof = ledger.consistency(first, then)
        assert proof == tree.consistency(first, then)
        assert verify_consistency(first, then, theirs.get_root(first), theirs.get_root(then), proof)


def test_a_proof_reads_few_rows_and_no_entry(store: Path) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    ledger.append_many(drafts(3000))
    for ask in (ledger.head, lambda: ledger.inclusion(1234), lambda: ledger.consistency(77, 2999)):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask()
        assert len(queries) <= 5
        assert not [query for query in queries if "body" in query["sql"]]


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.root(4),
        lambda ledger: ledger.root(-1),
        lambda ledger: ledger.inclusion(3),
        lambda ledger: ledger.inclusion(0, 4),
        lambda ledger: ledger.inclusion(2, 2),
        lambda ledger: ledger.consistency(0),
        lambda ledger: ledger.consistency(1, 4),
        lambda ledger: ledger.consistency(3, 2),
    ],
)
def test_no_proof_outside_the_ledger(store: Path, ask: Callable) -> None:
    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    ledger.append_many(drafts(3))
    with pytest.raises(NoSuchProof):
        ask(ledger)


def test_entries_and_nodes_are_written_together_or_not_at_all(store: Path) -> None:
    from proscribe.store.repositories import Ledger, atomic

    ledger = Ledger()
    ledger.append_many(drafts(5))
    before = ledger.head()

    def broken():
        yield from drafts(2500, 5)  # the first page is in the database when the second one fails
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ledger.append_many(broken())
    with contextlib.suppress(ZeroDivisionError), atomic():
        ledger.append_many(drafts(3, 5))
        ledger.append(*drafts(1, 8)[0])
        assert ledger.size() == 9
        raise ZeroDivisionError
    assert ledger.head() == before
    assert ledger.nodes_end() == 4
    ledger.append_many(drafts(4, 5))
    assert ledger.root() == oracle(ledger).get_root()


def test_the_tree_is_whole_after_many_writers_at_once(store: Path) -> None:
    from proscribe.store.repositories import Ledger

    failed: list[Exception] = []

    def worker(number: int) -> None:
        try:
            for turn in range(6):
                Ledger().append_many(drafts(1 + (number + turn) % 4))
                Ledger().append(*drafts(1)[0])
        except Exception as error:  # noqa: BLE001 (raised in the main thread, below)
            failed.append(error)
        finally:
            proscribe.store.close()

    in_threads(worker)
    assert not failed, failed
    ledger = Ledger()
    assert [entry.index for entry in ledger.entries()] == list(range(ledger.size()))
    assert ledger.size() == sum(2 + (number + turn) % 4 for number in range(4) for turn in range(6))
    tree = Tree(leaf_hash_of(row.body) for row in ledger.rows())
    assert ledger.root() == tree.root() == oracle(ledger).get_root()
    assert [ledger.root(size) for size in range(ledger.size())] == [tree.root(size) for size in range(tree.size)]


def test_documents_and_entries_are_written_in_any_order_without_a_deadlock(store: Path) -> None:
    from proscribe.prove.model import SignedTreeHead
    from proscribe.store.repositories import Documents, Ledger, atomic

    failed: list[Exception] = []

    def worker(number: int) -> None:
        try:
            for turn in range(25):
                with atomic():
                    if number % 2:
                        Ledger().append(*drafts(1)[0])
                    Documents().put(SignedTreeHead("", number, str(turn), NOW), at=NOW)
                    Ledger().append(*drafts(1)[0])
        except Exception as error:  # noqa: BLE001 (raised in the main thread, below)
            failed.append(error)
        finally:
            proscribe.store.close()

    in_threads(worker)
    assert not failed, failed
    assert Ledger().size() == 150


def test_the_database_refuses_to_change_a_node(store: Path) -> None:
    from django.db import DatabaseError, connection, transaction

    from proscribe.store.repositories import Ledger

    Ledger().append_many(drafts(4))
    for statement in ("UPDATE proscribe_ledger_node SET hashes = hashes", "DELETE FROM proscribe_ledger_node"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)
    assert Ledger().root() == oracle(Ledger()).get_root()


def test_a_hole_in_the_tree_is_an_error_and_never_a_wrong_root(store: Path) -> None:
    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    ledger.append_many(drafts(7))
    tamper("proscribe_ledger_node", ('DELETE FROM proscribe_ledger_node WHERE "index" = %s', [3]))
    for ask in (
        ledger.head,
        lambda: ledger.inclusion(5),
        lambda: ledger.consistency(5),
        lambda: ledger.append(*drafts(1)[0]),
    ):
        with pytest.raises(StoreDamaged, match="hole at entry 3"):
            ask()
    assert ledger.size() == 7


def test_an_older_database_gets_its_nodes_when_it_is_opened(store: Path) -> None:
    from django.apps import apps

    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    ledger.append_many(drafts(21))
    before = ledger.head()
    tamper("proscribe_ledger_node", ("DELETE FROM proscribe_ledger_node", []))  # as the release before left it
    importlib.import_module("proscribe.store.migrations.0005_ledger_nodes").back_fill(apps, None)
    assert ledger.head() == before
    assert ledger.nodes_end() == 20
    ledger.append_many(drafts(4))
    assert ledger.root() == oracle(ledger).get_root()


def test_the_nodes_of_an_older_database_end_where_an_entry_is_missing(store: Path) -> None:
    from django.apps import apps

    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    ledger.append_many(drafts(9))
    tamper("proscribe_ledger_node", ("DELETE FROM proscribe_ledger_node", []))
    tamper("proscribe_ledger", ('DELETE FROM proscribe_ledger WHERE "index" = %s', [6]))
    importlib.import_module("proscribe.store.migrations.0005_ledger_nodes").back_fill(apps, None)
    assert ledger.nodes_end() == 6
    assert ledger.root(6) == Tree(row.leaf for row in ledger.rows(0, 6)).root()
    with pytest.raises(StoreDamaged):
        ledger.head()


_APPENDING = """
import sys
from datetime import UTC, datetime
from pathlib import Path

import proscribe.store

proscribe.store.setup(Path(sys.argv[1]))
from proscribe.prove.model import EntryKind
from proscribe.store.repositories import Ledger

number = 0
while True:
    Ledger().append(EntryKind.receipt, str(number), "worker", {}, datetime(2026, 11, 2, tzinfo=UTC))
    number += 1
    print(number, flush=True)
"""


@pytest.mark.slow
def test_a_killed_writer_leaves_a_whole_tree_with_all_it_was_told_is_there(store: Path) -> None:
    from proscribe.prove.audit import audit
    from proscribe.store.repositories import Ledger

    told = 0
    for turns in (7, 20, 64):
        with subprocess.Popen([sys.executable, "-c", _APPENDING, str(store)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(turns):
                assert process.stdout.readline()
            process.kill()
            told += turns + len(process.stdout.read().splitlines())
        ledger = Ledger()
        assert told <= ledger.size() <= told + 1  # one may be on the disk, and its word still under way
        told = ledger.size()
        assert audit(ledger.rows(), told, ()).faults == []
        assert ledger.root() == oracle(ledger).get_root()
