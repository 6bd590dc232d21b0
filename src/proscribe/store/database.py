"""From ``DATABASE_URL`` or a home folder to the options that Django wants."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from proscribe.store.errors import InvalidBusySeconds, InvalidDatabaseUrl
from proscribe.text import Text

FILE = "proscribe.sqlite3"
BUSY_SECONDS = 15.0
_LONGEST = 3600.0

_POSTGRES = ("postgres", "postgresql")
# What libpq reads besides the parts of the address; anything else is more likely a slip of the pen than a wish.
_POSTGRES_OPTIONS = frozenset(
    {
        "host",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "connect_timeout",
        "application_name",
        "options",
        "passfile",
    }
)


def busy_seconds() -> float:
    """How long to wait for another process, in seconds: ``PROSCRIBE_BUSY_SECONDS``. Raises InvalidBusySeconds."""
    given = os.environ.get("PROSCRIBE_BUSY_SECONDS", "")
    try:
        seconds = float(given or BUSY_SECONDS)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST:
        raise InvalidBusySeconds(
            Text(
                f"PROSCRIBE_BUSY_SECONDS is {given!r}, not a number of seconds",
                f"PROSCRIBE_BUSY_SECONDS vaut {given!r}, ce qui n'est pas un nombre de secondes",
            ),
            remedy=Text(
                "Give a number from 0 to 3600, or remove the variable.",
                "Donnez un nombre de 0 à 3600, ou retirez la variable.",
            ),
        )
    return seconds


def sqlite(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> dict[str, Any]:
    """SQLite at ``path``.

    Writers queue at ``BEGIN`` (IMMEDIATE), so that none of them reads first and finds out later that it may not write;
    ``synchronous=FULL`` because an intent must have reached the disk before the first byte goes out.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": busy_seconds,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    }


def from_url(url: str, *, busy_seconds: float = BUSY_SECONDS) -> dict[str, Any]:
    """``postgresql://user:password@host:port/name?sslmode=...`` or ``sqlite:///path``. Raises InvalidDatabaseUrl."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _invalid(Text(f"not an address: {error}", f"adresse non valide : {error}")) from error
    if parts.scheme == "sqlite":
        if parts.netloc or len(parts.path) < 2:
            raise _invalid(Text("sqlite wants a path: sqlite:///path", "sqlite exige un chemin : sqlite:///chemin"))
        return sqlite(Path(unquote(parts.path)), busy_seconds=busy_seconds)
    if parts.scheme not in _POSTGRES:
        raise _invalid(
            Text(
                f"unknown kind of database: {parts.scheme or 'none given'}",
                f"type de base de données inconnu : {parts.scheme or 'aucun'}",
            )
        )
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise _invalid(Text("the name of the database is missing", "le nom de la base de données manque"))
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - _POSTGRES_OPTIONS)
    if unknown:
        raise _invalid(Text(f"unknown option: {', '.join(unknown)}", f"option inconnue : {', '.join(unknown)}"))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    # The busy time-out of SQLite has its equal in lock_timeout: no command waits for another one for ever.
    given = options.pop("options", "")
    options["options"] = f"{given} -c lock_timeout={int(busy_seconds * 1000)}".strip()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": "" if port is None else str(port),
        "OPTIONS": options,
    }


def _invalid(what: Text) -> InvalidDatabaseUrl:
    # The address itself may hold a password, so it is never repeated.
    return InvalidDatabaseUrl(
        Text("DATABASE_URL: ", "DATABASE_URL : ") + what,
        remedy=Text(
            "Give postgresql://user:password@host:5432/name, or remove DATABASE_URL to use SQLite.",
            "Donnez postgresql://utilisateur:motdepasse@hôte:5432/nom, ou retirez DATABASE_URL pour utiliser SQLite.",
        ),
    )
