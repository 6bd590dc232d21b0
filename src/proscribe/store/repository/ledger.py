"""The ledger's rows (``prove.ports.LedgerStore``) and the journal that enforcing writes into it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from proscribe.clock import Clock
from proscribe.documents import from_json, to_bytes
from proscribe.enforce.ports import EntryName
from proscribe.prove.ledger import leaf_hash_of
from proscribe.prove.model import EntryKind, LedgerEntry
from proscribe.store.errors import guarded, translated
from proscribe.store.models import LedgerRow
from proscribe.store.repository.unit import atomic, next_serial, serialise

_PAGE = 2000


class Ledger:
    """Append only: there is no method that changes or removes an entry, and the database refuses it."""

    @guarded
    def append(self, kind: EntryKind, subject: str, actor: str, body: dict[str, Any], at: datetime) -> LedgerEntry:
        """Add one entry at the end, in the open transaction where there is one; durable when that is committed."""
        with atomic():
            serialise("ledger")
            entry = LedgerEntry(
                index=next_serial(LedgerRow, "index"), at=at, actor=actor, entry=kind, subject=subject, body=body
            )
            leaf = to_bytes(entry)
            LedgerRow.objects.create(index=entry.index, body=leaf, leaf=leaf_hash_of(leaf))
        return entry

    @guarded
    def size(self) -> int:
        """How many entries there are."""
        return next_serial(LedgerRow, "index")

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[LedgerEntry]:
        """Entries ``start`` to ``stop`` (exclusive), in order, page by page."""
        for row in self._rows(start, stop):
            yield from_json(LedgerEntry, json.loads(bytes(row.body)), source=f"ledger entry {row.index}")

    def leaf_hashes(self) -> Iterator[bytes]:
        """The leaf hash of every entry, in order: over the bytes that are stored, so that a changed row shows."""
        for row in self._rows(0, None):
            yield leaf_hash_of(bytes(row.body))

    def damaged(self) -> tuple[int, ...]:
        """Indexes of rows whose bytes no longer give the leaf hash taken when they were appended."""
        return tuple(row.index for row in self._rows(0, None) if leaf_hash_of(bytes(row.body)) != bytes(row.leaf))

    def _rows(self, start: int, stop: int | None) -> Iterator[LedgerRow]:
        end = self.size() if stop is None else min(stop, self.size())
        for first in range(start, end, _PAGE):
            with translated():
                page = list(
                    LedgerRow.objects.filter(index__gte=first, index__lt=min(first + _PAGE, end)).order_by("index")
                )
            yield from page


class LedgerJournal:
    """``enforce.ports.Journal`` over the ledger, for one actor."""

    def __init__(self, ledger: Ledger, *, actor: str, clock: Clock) -> None:
        self._ledger = ledger
        self._actor = actor
        self._clock = clock

    def record(self, kind: EntryName, subject: str, body: Mapping[str, Any]) -> None:
        """Append one entry, in the transaction that is open."""
        self._ledger.append(EntryKind(kind), subject, self._actor, dict(body), self._clock.now())
