"""The governance state: documents, actions, ledger, exemptions, outcomes. SQLite by default, PostgreSQL by address.

``setup(home)`` comes before any import of ``proscribe.store.repositories``. This module is cheap to import.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from proscribe.store.home import default_home

_ready: tuple[str, str, str] | None = None


def setup(home: Path | None = None, *, busy_seconds: float | None = None) -> None:
    """Open the store of a home folder, bringing its tables up to this release where they are older.

    May be called again, also with another folder (tests do). ``busy_seconds`` is how long to wait for another process.
    Raises StoreLocked, StoreNewer, StoreUnavailable, StoreDamaged, InvalidDatabaseUrl or DiskFull.
    """
    global _ready  # noqa: PLW0603 (Django's configuration is one a process, too)
    folder = (home or default_home()).absolute()
    if busy_seconds is not None:
        os.environ["PROSCRIBE_BUSY_SECONDS"] = str(busy_seconds)
    wanted = (str(folder), os.environ.get("DATABASE_URL", ""), os.environ.get("PROSCRIBE_BUSY_SECONDS", ""))
    if wanted == _ready:
        return
    os.environ["PROSCRIBE_HOME"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proscribe.store.settings")
    _make(folder)

    import django
    from django.conf import settings

    from proscribe.store.migrate import migrate

    if settings.configured:
        _point_at(folder)
    django.setup()
    migrate(folder)
    _ready = wanted


def close() -> None:
    """Close this thread's connection; the next use opens a new one. For processes that fork."""
    from django.db import connections

    connections.close_all()


def _make(folder: Path) -> None:
    from proscribe.store.errors import StoreUnavailable
    from proscribe.text import Text

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            Text(f"the folder {folder} cannot be made: {error}", f"le dossier {folder} ne peut être créé : {error}"),
            remedy=Text(
                "Name a folder you may write to with PROSCRIBE_HOME.",
                "Désignez avec PROSCRIBE_HOME un dossier accessible en écriture.",
            ),
        ) from error


def _point_at(folder: Path) -> None:
    """Settings are read once a process; another home folder means other connections."""
    from django.conf import settings
    from django.db import connections

    from proscribe.store.settings import databases, secret_key

    connections.close_all()
    settings.DATABASES = databases(folder)
    settings.SECRET_KEY = secret_key(folder)
    connections.settings = connections.configure_settings(settings.DATABASES)
    with contextlib.suppress(AttributeError):  # no connection was opened in this thread
        del connections["default"]
