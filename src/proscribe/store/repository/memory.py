"""What connectors remember (``connectors.memory.Memory``): rows, an inbox and counters of one system."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db.models import F, Value
from django.db.models.functions import Concat

from proscribe.connectors.memory import Json, Message, Row
from proscribe.store.errors import guarded
from proscribe.store.models import CounterRow, InboxRow, MemoryRow
from proscribe.store.repository.unit import atomic, next_serial, serialise

_CHUNK = 500  # SQLite takes a limited number of parameters a statement


class Memory:
    """The memory of one system."""

    def __init__(self, system: str) -> None:
        self._system = system

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """One transaction; those of one system never overlap."""
        with atomic():
            serialise(f"memory:{self._system}")
            yield

    @guarded
    def get(self, kind: str, key: str) -> Json | None:
        """The body of one row."""
        return self.many(kind, [key]).get(key)

    @guarded
    def many(self, kind: str, keys: Collection[str]) -> Mapping[str, Json]:
        """The bodies of those keys that are there."""
        found: dict[str, Json] = {}
        for part in _chunks(sorted(set(keys))):
            rows = MemoryRow.objects.filter(system=self._system, kind=kind, key__in=part)
            found.update((key, json.loads(body)) for key, body in rows.values_list("key", "body"))
        return found

    @guarded
    def find(
        self, kind: str, *, owner: str = "", marks: Collection[str] = (), after: str = "", limit: int = 0
    ) -> tuple[Row, ...]:
        """Rows that fit every given condition, by key."""
        rows = MemoryRow.objects.filter(system=self._system, kind=kind)
        # SQLite would rather read every row of the kind in the order of its keys than sort the few that fit, and has
        # no way of knowing that an owner has fewer rows than a mark: an expression keeps it from an index.
        rows = rows.order_by(_no_index("key") if owner or marks else "key")
        if owner:
            rows = rows.filter(owner=owner)
        if marks and owner:
            rows = rows.alias(marked=_no_index("mark")).filter(marked__in=sorted(marks))
        elif marks:
            rows = rows.filter(mark__in=sorted(marks))
        if after:
            rows = rows.filter(key__gt=after)
        values = rows.values_list("key", "body", "owner", "mark")
        if limit:
            values = values[:limit]
        return tuple(Row(key, json.loads(body), owner_, mark) for key, body, owner_, mark in values)

    @guarded
    def put(self, kind: str, rows: Iterable[Row]) -> None:
        """Store rows, replacing those of the same key."""
        made = [
            MemoryRow(system=self._system, kind=kind, key=row.key, owner=row.owner, mark=row.mark, body=_text(row.body))
            for row in rows
        ]
        with self.atomic():
            MemoryRow.objects.bulk_create(
                made,
                batch_size=_CHUNK // 8,
                update_conflicts=True,
                unique_fields=["system", "kind", "key"],
                update_fields=["owner", "mark", "body"],
            )

    @guarded
    def drop(self, kind: str, keys: Collection[str]) -> None:
        """Forget rows."""
        with self.atomic():
            for part in _chunks(sorted(set(keys))):
                MemoryRow.objects.filter(system=self._system, kind=kind, key__in=part).delete()

    @guarded
    def receive(self, messages: Sequence[Message]) -> int:
        """Put messages into the inbox, in order; a known id is counted as a replay.

        One transaction, however many there are: whoever has much to store hands over much at a time. It waits for other
        receivers and not for those who deal with messages. Once it returns, the messages outlive the process however
        that ends: they are committed. They outlive a power cut as far as the disk keeps its word: SQLite's log is
        synchronised at every commit (``synchronous=FULL``), as PostgreSQL's is unless its ``fsync`` or
        ``synchronous_commit`` was turned off.
        """
        fresh: dict[str, Message] = {}
        with atomic():
            serialise("inbox")
            known: set[str] = set()
            for part in _chunks([message.id for message in messages]):
                rows = InboxRow.objects.filter(system=self._system, message__in=part)
                known.update(rows.values_list("message", flat=True))
            for message in messages:
                if message.id not in known:
                    fresh.setdefault(message.id, message)
            serial = next_serial(InboxRow, "serial")
            InboxRow.objects.bulk_create(
                [
                    InboxRow(
                        system=self._system,
                        message=message.id,
                        serial=serial + number,
                        received_at=message.received_at,
                        body=message.body,
                        done=False,
                    )
                    for number, message in enumerate(fresh.values())
                ],
                batch_size=_CHUNK // 8,
            )
            replays = len(messages) - len(fresh)
            if replays:
                self.count("replayed", replays)
        return len(fresh)

    @guarded
    def unread(self, limit: int) -> tuple[Message, ...]:
        """The oldest messages that were not dealt with."""
        rows = InboxRow.objects.filter(system=self._system, done=False).order_by("serial")[:limit]
        return tuple(Message(row.message, row.received_at, bytes(row.body)) for row in rows)

    @guarded
    def done(self, ids: Collection[str]) -> None:
        """Erase the bodies of messages that were dealt with."""
        with self.atomic():
            for part in _chunks(sorted(set(ids))):
                InboxRow.objects.filter(system=self._system, message__in=part).update(done=True, body=b"")

    @guarded
    def forget_done(self, before: datetime) -> int:
        """Forget the ids of messages received before a moment."""
        rows = InboxRow.objects.filter(system=self._system, done=True, received_at__lt=before)
        with self.atomic():
            return rows.delete()[0]

    @guarded
    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter."""
        with self.atomic():
            row = CounterRow.objects.filter(system=self._system, name=name)
            if not row.update(value=F("value") + by):
                CounterRow.objects.create(system=self._system, name=name, value=by)

    @guarded
    def counters(self) -> Mapping[str, int]:
        """Every counter."""
        rows = CounterRow.objects.filter(system=self._system).order_by("name")
        return dict(rows.values_list("name", "value"))


def _no_index(field: str) -> Concat:
    return Concat(field, Value(""))


def _text(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
