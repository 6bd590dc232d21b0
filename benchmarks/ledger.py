"""A ledger of 1,000,000 entries: how fast it grows, what a head and a proof cost, beside building the tree anew.

    python benchmarks/ledger.py [--entries 1000000] [--single 2000] [--proofs 1000]
    DATABASE_URL=postgresql://... python benchmarks/ledger.py     # an empty database

Entries are appended in transactions of 10,000 first, then one by one at full length, each on the disk before the next;
beside them stand rows of the same bytes in a table without a tree. Every proof is verified, and every root compared
with that of a tree built anew from the rows. Read the ratios: both sides ran minutes apart on one machine. Exits with 1
where a proof does not hold.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BATCH = 10_000
START = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
DIRECTIVE = "ca-tbs-2023-wechat-kaspersky"


def drafts(start: int, stop: int) -> Iterator[Any]:
    """Receipts, which most of a ledger consists of."""
    from proscribe.prove.model import EntryKind
    from proscribe.store.repositories import Draft

    for number in range(start, stop):
        body = {"directive": DIRECTIVE, "method": "block_install", "attempt": 1, "answer": f"etag-{number:08x}"}
        yield Draft(
            EntryKind.receipt, f"sha256:{number:064x}", "enforcer", body, START + timedelta(seconds=number // 50)
        )


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def each(work: Sequence[Callable[[], object]]) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    took = sorted(timed(one) * 1000 for one in work)
    return statistics.median(took), took[len(took) * 99 // 100]


def plain(rows: int) -> float:
    """Seconds to commit rows of the same bytes one by one, without a tree."""
    from django.db import connection

    from proscribe.documents import to_bytes
    from proscribe.prove.ledger import leaf_hash_of
    from proscribe.prove.model import LedgerEntry
    from proscribe.store.repositories import atomic

    binary = "BYTEA" if connection.vendor == "postgresql" else "BLOB"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE plain ("index" BIGINT PRIMARY KEY, body {binary}, leaf {binary})')

    def run() -> None:
        for number, one in enumerate(drafts(0, rows)):
            entry = LedgerEntry(number, one.at, one.actor, one.kind, one.subject, one.body)
            body = to_bytes(entry)
            with atomic(), connection.cursor() as cursor:
                cursor.execute("INSERT INTO plain VALUES (%s, %s, %s)", [number, body, leaf_hash_of(body)])

    return timed(run)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--single", type=int, default=2_000, help="entries appended one by one")
    parser.add_argument("--proofs", type=int, default=1_000, help="random proofs of each kind")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="ledger-"))
    try:
        return run(home, options)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(home: Path, options: argparse.Namespace) -> int:
    import proscribe.store

    proscribe.store.setup(home)
    from django.db import connection

    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    print(f"database: {connection.vendor}")
    grow(ledger, options.entries, options.single)
    good = prove(ledger, options.proofs, random.Random(20261102))
    weigh(home)
    proscribe.store.close()
    print("every proof holds" if good else "NOT every proof holds")
    return 0 if good else 1


def grow(ledger: Any, entries: int, single: int) -> None:
    """Append, many at once and one at a time."""

    def batched() -> None:
        for start in range(0, entries, BATCH):
            ledger.append_many(drafts(start, min(start + BATCH, entries)))

    def one_by_one() -> None:
        for draft in drafts(entries, entries + single):
            ledger.append(*draft)

    print(f"{entries:,} entries in transactions of {BATCH:,}: {entries / timed(batched):,.0f} entries/s")
    with_tree, without = timed(one_by_one), plain(single)
    print(f"{single:,} entries one by one at that size: {single / with_tree:,.0f} entries/s")
    ratio = with_tree / without
    print(f"rows of the same bytes without a tree: {single / without:,.0f} rows/s; the tree takes {ratio:.2f} of that")


def prove(ledger: Any, number: int, dice: random.Random) -> bool:
    """Heads and proofs from the stored tree, against a tree built anew from the rows."""
    from proscribe.prove.audit import audit
    from proscribe.prove.ledger import Tree, leaf_hash_of, verify_consistency, verify_inclusion

    size = ledger.size()
    built: list[Tree] = []
    anew = timed(lambda: built.append(Tree(leaf_hash_of(row.body) for row in ledger.rows())))
    (tree,) = built
    head, slow_head = each([ledger.head] * number)
    indexes = [dice.randrange(size) for _ in range(number)]
    inclusion = each([lambda at=at: ledger.inclusion(at, size) for at in indexes])
    firsts = [dice.randrange(1, size) for _ in range(number)]
    pairs = [(first, dice.randrange(first, size + 1)) for first in firsts]
    consistency = each([lambda pair=pair: ledger.consistency(*pair) for pair in pairs])
    print(f"a head: median {head:.2f} ms, 99th percentile {slow_head:.2f} ms")
    print(f"an inclusion proof: median {inclusion[0]:.2f} ms, 99th percentile {inclusion[1]:.2f} ms")
    print(f"a consistency proof: median {consistency[0]:.2f} ms, 99th percentile {consistency[1]:.2f} ms")
    print(f"the tree built anew for one of them: {anew:.1f} s, {anew * 1000 / inclusion[0]:,.0f} times as long")
    root = tree.root()
    good = ledger.root() == root
    for at in indexes:
        good &= verify_inclusion(tree._levels[0][at], at, size, ledger.inclusion(at), root)
    for first, second in pairs:
        proof = ledger.consistency(first, second)
        good &= verify_consistency(first, second, tree.root(first), tree.root(second), proof)
    checked = []
    took = timed(lambda: checked.append(audit(ledger.rows(), size, ())))
    print(f"the whole ledger checked: {took:.1f} s, {size / took:,.0f} entries/s; faults: {len(checked[0].faults)}")
    return good and not checked[0].faults and checked[0].tree_head.root == root.hex()


def weigh(home: Path) -> None:
    """What the tree takes on the disk."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT SUM(LENGTH(body)), COUNT(*) FROM proscribe_ledger")
        body, entries = cursor.fetchone()
        cursor.execute("SELECT SUM(LENGTH(hashes)), COUNT(*) FROM proscribe_ledger_node")
        nodes, rows = cursor.fetchone()
    print(f"bytes: entries {body / 1e6:,.0f} MB in {entries:,} rows, nodes {nodes / 1e6:,.0f} MB in {rows:,} rows")
    file = home / "proscribe.sqlite3"
    if file.exists():
        print(f"database file: {file.stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
