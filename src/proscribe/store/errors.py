"""What can be wrong with the store, and the one place where a driver's error becomes one of ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, ParamSpec, TypeVar

from proscribe.errors import DiskFull, ProscribeError, Where
from proscribe.text import Text

P = ParamSpec("P")
R = TypeVar("R")


class StoreError(ProscribeError):
    """Root of what is wrong with the store."""

    code: ClassVar[str] = "store.error"


class StoreLocked(StoreError):
    """Another process held the database longer than the busy time-out."""

    code = "store.locked"
    transient = True


class StoreNewer(StoreError):
    """The database was written by a later release; this one would not understand what is in it."""

    code = "store.newer"


class StoreUnavailable(StoreError):
    """The database cannot be opened, reached or written to."""

    code = "store.unavailable"
    transient = True


class StoreDamaged(StoreError):
    """The database file is not a database, or is damaged."""

    code = "store.damaged"


class InvalidDatabaseUrl(StoreError):
    """``DATABASE_URL`` cannot be used."""

    code = "store.database-url"


class InvalidBusySeconds(StoreError):
    """``PROSCRIBE_BUSY_SECONDS`` is not a number of seconds."""

    code = "store.busy-seconds"


class NotStored(StoreError):
    """A document, snapshot or exemption was asked for that the store does not hold."""

    code = "store.not-found"


def _translate(error: Exception) -> ProscribeError | None:
    """Our error for a driver's error; None where it is none of these but a fault of the program."""
    from django.conf import settings
    from django.db import DatabaseError, InterfaceError, OperationalError

    message = str(error).strip() or type(error).__name__
    low = message.lower()
    where = Where(file=str(settings.DATABASES["default"].get("NAME", "")))
    if "disk is full" in low or "no space left" in low or "disk full" in low:
        return DiskFull(
            Text(
                f"no room left for the database: {message}",
                f"espace disque insuffisant pour la base de données : {message}",
            ),
            remedy=Text(
                "Free some space and run the command again; nothing was stored by halves.",
                "Libérez de l'espace et relancez la commande; rien n'a été enregistré à moitié.",
            ),
            where=where,
        )
    if "is locked" in low or "lock timeout" in low or "deadlock detected" in low:
        return StoreLocked(
            Text("the database is in use by another process", "la base de données est utilisée par un autre processus"),
            remedy=Text(
                "Wait for the other proscribe process to finish (or stop it) and run the command again.",
                "Attendez que l'autre processus proscribe se termine (ou arrêtez-le), puis relancez la commande.",
            ),
            where=where,
        )
    if "not a database" in low or "malformed" in low:
        return StoreDamaged(
            Text(
                f"this is not a usable database: {message}", f"ce n'est pas une base de données utilisable : {message}"
            ),
            remedy=Text(
                "Restore the file from a backup, or name another home folder with PROSCRIBE_HOME.",
                "Restaurez le fichier à partir d'une sauvegarde, ou désignez un autre dossier avec PROSCRIBE_HOME.",
            ),
            where=where,
        )
    append_only = "append-only" in low  # our own trigger: a fault of the program, never of the machine
    if isinstance(error, OperationalError | InterfaceError) or (
        isinstance(error, DatabaseError) and not append_only and "readonly" in low
    ):
        return StoreUnavailable(
            Text(f"the database cannot be used: {message}", f"la base de données est inutilisable : {message}"),
            remedy=Text(
                "Check that the home folder may be written to, or that DATABASE_URL is right and its server is up.",
                "Vérifiez que le dossier est inscriptible, ou que DATABASE_URL est juste et le serveur, actif.",
            ),
            where=where,
        )
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Turn a driver's error into StoreLocked, DiskFull, StoreDamaged or StoreUnavailable."""
    from django.db import Error

    try:
        yield
    except Error as error:
        ours = _translate(error)
        if ours is None:
            raise
        raise ours from error


def guarded(function: Callable[P, R]) -> Callable[P, R]:
    """:func:`translated` around a whole function."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with translated():
            return function(*args, **kwargs)

    return call
