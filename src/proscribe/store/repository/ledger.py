"""The ledger (``prove.ports.LedgerStore``) with the tree over it, and the journal that enforcing writes into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection

from proscribe.clock import Clock
from proscribe.documents import to_bytes
from proscribe.enforce.ports import EntryName
from proscribe.prove.ledger import (
    HASH_BYTES,
    Node,
    checked_size,
    consistency_at,
    inclusion_at,
    leaf_hash_of,
    left_siblings,
    node_hash,
    read_entry,
    root_at,
)
from proscribe.prove.model import EntryKind, LedgerEntry, TreeHead
from proscribe.prove.ports import StoredEntry
from proscribe.store.errors import StoreDamaged, guarded, translated
from proscribe.store.models import LedgerRow
from proscribe.store.repository.unit import atomic, next_serial, serialise
from proscribe.text import Text

_PAGE = 2000


class Draft(NamedTuple):
    """An entry before it has its place in the ledger."""

    kind: EntryKind
    subject: str
    actor: str
    body: dict[str, Any]
    at: datetime


class Ledger:
    """Append only: there is no method that changes or removes an entry, and the database refuses it.

    Beside the entries stand the inner nodes of their tree, written in the same transaction. Head and proofs read a few
    of those (about two for each doubling of the ledger's size), and never the entries.
    """

    @guarded
    def append(self, kind: EntryKind, subject: str, actor: str, body: dict[str, Any], at: datetime) -> LedgerEntry:
        """Add one entry at the end, in the open transaction where there is one; durable when that is committed."""
        with atomic():
            return _add([Draft(kind, subject, actor, body, at)])[0]

    @guarded
    def append_many(self, drafts: Iterable[Draft]) -> range:
        """Add entries at the end, all or none of them; their indexes. Other writers wait until it is done."""
        coming = iter(drafts)
        with atomic():
            serialise("ledger")
            start = end = self.size()
            while page := list(islice(coming, _PAGE)):
                end = _add(page)[-1].index + 1
        return range(start, end)

    @guarded
    def alone(self) -> None:
        """Inside a transaction: nobody else appends until its end, so that what is read now is still true then."""
        serialise("ledger")

    @guarded
    def size(self) -> int:
        """How many entries there are."""
        return next_serial(LedgerRow, "index")

    def head(self) -> TreeHead:
        """Size and root as they are now. Raises StoreDamaged where nodes that it needs are missing."""
        size = self.size()
        return TreeHead(size=size, root=self.root(size).hex())

    def root(self, size: int | None = None) -> bytes:
        """The root over the first ``size`` entries (None: all). Raises NoSuchProof or StoreDamaged."""
        return root_at(checked_size(size, self.size()), _fetch)

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The audit path of entry ``index`` in the ledger of ``size`` entries. Raises NoSuchProof or StoreDamaged."""
        return inclusion_at(index, checked_size(size, self.size()), _fetch)

    def consistency(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """Proof that the ledger of ``second`` entries begins with ``first``. Raises NoSuchProof or StoreDamaged."""
        return consistency_at(first, checked_size(second, self.size()), _fetch)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[LedgerEntry]:
        """Entries ``start`` to ``stop`` (exclusive), in order, page by page."""
        for row in self.rows(start, stop):
            yield read_entry(row.body, source=f"ledger entry {row.index}")

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[StoredEntry]:
        """What is stored from entry ``start`` to ``stop`` (exclusive), in order, page by page; a gap stays one."""
        end = self.size() if stop is None else min(stop, self.size())
        for first in range(start, end, _PAGE):
            found = _select(
                'SELECT l."index", l.body, l.leaf, n.hashes FROM proscribe_ledger l'
                ' LEFT JOIN proscribe_ledger_node n ON n."index" = l."index"'
                ' WHERE l."index" >= %s AND l."index" < %s ORDER BY l."index"',
                [first, min(first + _PAGE, end)],
            )
            for index, body, leaf, hashes in found:
                yield StoredEntry(index, bytes(body), bytes(leaf), _split(hashes))

    def nodes_end(self) -> int:
        """One more than the last entry that has inner nodes: beyond ``size()`` where entries were taken away."""
        ((highest,),) = _select('SELECT MAX("index") FROM proscribe_ledger_node', [])
        return 0 if highest is None else highest + 1


def _add(drafts: Sequence[Draft]) -> list[LedgerEntry]:
    """Add some entries, in the transaction that is open."""
    serialise("ledger")
    newest = _select('SELECT "index", leaf FROM proscribe_ledger ORDER BY "index" DESC LIMIT 1', [])
    known: dict[Node, bytes] = {(0, index): bytes(leaf) for index, leaf in newest}
    start = newest[0][0] + 1 if newest else 0
    entries, rows, nodes = [], [], []
    for index, draft in enumerate(drafts, start):
        entry = LedgerEntry(
            index=index, at=draft.at, actor=draft.actor, entry=draft.kind, subject=draft.subject, body=draft.body
        )
        body = to_bytes(entry)
        leaf = leaf_hash_of(body)
        entries.append(entry)
        rows.append((index, body, leaf))
        if completed := _grown(index, leaf, known):
            nodes.append((index, b"".join(completed)))
    with connection.cursor() as cursor:
        cursor.executemany('INSERT INTO proscribe_ledger ("index", body, leaf) VALUES (%s, %s, %s)', rows)
        if nodes:
            cursor.executemany('INSERT INTO proscribe_ledger_node ("index", hashes) VALUES (%s, %s)', nodes)
    return entries


def _grown(index: int, leaf: bytes, known: dict[Node, bytes]) -> list[bytes]:
    """The inner nodes that a leaf completes, lowest first. ``known`` holds what need not be read, and grows."""
    siblings = left_siblings(index)
    missing = [node for node in siblings if node not in known]
    if missing:
        known.update(_fetch(missing))
    known[0, index] = node = leaf
    completed = []
    for height, position in siblings:
        node = node_hash(known[height, position], node)
        known[height + 1, position >> 1] = node
        completed.append(node)
    return completed


def _fetch(wanted: Sequence[Node]) -> dict[Node, bytes]:
    """Hashes of complete subtrees: a leaf's stands with its entry, an inner node's with the entry that completed it."""
    lasts = {(height, position): ((position + 1) << height) - 1 for height, position in wanted}
    leaves = _by_index("leaf", "proscribe_ledger", {last for node, last in lasts.items() if node[0] == 0})
    nodes = _by_index("hashes", "proscribe_ledger_node", {last for node, last in lasts.items() if node[0] > 0})
    found: dict[Node, bytes] = {}
    for (height, position), last in lasts.items():
        at = (height - 1) * HASH_BYTES
        value = nodes.get(last, b"")[at : at + HASH_BYTES] if height else leaves.get(last, b"")
        if len(value) != HASH_BYTES:
            raise _damaged(last)
        found[height, position] = value
    return found


def _by_index(column: str, table: str, indexes: set[int]) -> dict[int, bytes]:
    if not indexes:
        return {}
    marks = ", ".join(["%s"] * len(indexes))
    return {
        index: bytes(value)
        for index, value in _select(f'SELECT "index", {column} FROM {table} WHERE "index" IN ({marks})', [*indexes])
    }


def _select(statement: str, parameters: Sequence[int]) -> list[tuple[Any, ...]]:
    with translated(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def _split(hashes: bytes | None) -> tuple[bytes, ...]:
    data = bytes(hashes or b"")
    return tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))


def _damaged(index: int) -> StoreDamaged:
    return StoreDamaged(
        Text(f"the ledger's tree has a hole at entry {index}", f"l'arbre du registre est incomplet à l'entrée {index}"),
        remedy=Text(
            "Run 'proscribe ledger check', which names what was changed, and restore the database from a backup.",
            "Exécutez «\u00a0proscribe ledger check\u00a0», qui nomme ce qui a été modifié, et restaurez la base de "
            "données à partir d'une sauvegarde.",
        ),
    )


class LedgerJournal:
    """``enforce.ports.Journal`` over the ledger, for one actor."""

    def __init__(self, ledger: Ledger, *, actor: str, clock: Clock) -> None:
        self._ledger = ledger
        self._actor = actor
        self._clock = clock

    def record(self, kind: EntryName, subject: str, body: Mapping[str, Any]) -> None:
        """Append one entry, in the transaction that is open."""
        self._ledger.append(EntryKind(kind), subject, self._actor, dict(body), self._clock.now())
