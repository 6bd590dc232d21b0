"""The unit of work, and the order of writers on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Max, Model

from proscribe.store.errors import translated


@contextmanager
def atomic() -> Iterator[None]:
    """One transaction over everything in the store; a block inside another joins it."""
    with translated(), transaction.atomic(savepoint=False):
        yield


def serialise(name: str) -> None:
    """Inside a transaction: from here to its end no other transaction passes the line of that name.

    SQLite needs nothing: a transaction is the only writer from its first statement (IMMEDIATE).
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"proscribe:{name}"])


def after_commit(work: Callable[[], None]) -> None:
    """Do something once the open transaction is durable, and not at all where it is rolled back."""
    transaction.on_commit(work)


def next_serial(model: type[Model], field: str) -> int:
    """The number after the highest; call :func:`serialise` first."""
    highest = model._default_manager.aggregate(highest=Max(field))["highest"]
    return 0 if highest is None else highest + 1
