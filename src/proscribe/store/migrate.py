"""Bring the tables up to this release, one process at a time, and never down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from proscribe.store.errors import StoreNewer, guarded
from proscribe.store.locks import migration_lock
from proscribe.text import Text


@guarded
def migrate(home: Path) -> None:
    """Apply the migrations that are missing. Raises StoreNewer where the database knows one that we do not."""
    if not _missing():
        return
    with migration_lock(home), _one_transaction():
        executor = MigrationExecutor(connection)  # read again: the process that held the lock may have done it
        executor.migrate(executor.loader.graph.leaf_nodes())


def _missing() -> bool:
    executor = MigrationExecutor(connection)
    applied = {name for app, name in executor.loader.applied_migrations if app == "proscribe"}
    known = {name for app, name in executor.loader.disk_migrations if app == "proscribe"}
    later = sorted(applied - known)
    if later:
        raise StoreNewer(
            Text(
                f"the database was written by a later release (it has {later[-1]})",
                f"la base de données provient d'une version ultérieure (elle contient {later[-1]})",
            ),
            remedy=Text(
                "Use that release, or restore the backup made before the upgrade.",
                "Utilisez cette version, ou restaurez la sauvegarde faite avant la mise à niveau.",
            ),
        )
    return bool(known - applied)


@contextmanager
def _one_transaction() -> Iterator[None]:
    # SQLite's schema editor wants foreign keys off and opens its own transactions; PostgreSQL has transactional DDL.
    if connection.vendor == "postgresql":
        with transaction.atomic():
            yield
    else:
        yield
