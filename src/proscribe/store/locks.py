"""Locks that end with the process that holds them, however it ends: no lease to wait out after a crash.

SQLite: ``flock`` on a file in the home folder (a SQLite database has one machine). PostgreSQL: a session's advisory
lock, which holds across machines.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from proscribe.store.database import busy_seconds
from proscribe.store.errors import StoreLocked, guarded
from proscribe.text import Text

_PAUSE = 0.05
_held = threading.local()


@contextmanager
def try_lock(name: str) -> Iterator[bool]:
    """Hold the lock of that name for the block; False where another process or thread holds it."""
    if connection.vendor == "postgresql":
        with _session_lock(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)) as got:
            yield got
        return
    folder = Path(settings.DATABASES["default"]["NAME"]).parent / "locks"
    with _file_lock(folder / (hashlib.sha256(name.encode()).hexdigest() + ".lock")) as got:
        yield got


@contextmanager
def _session_lock(number: int) -> Iterator[bool]:
    # A session may take its own lock twice; a thread has one session, and the file lock would say no.
    held: set[int] = _held.__dict__.setdefault("numbers", set())
    got = number not in held and _advisory("pg_try_advisory_lock", number)
    if got:
        held.add(number)
    try:
        yield got
    finally:
        if got:
            held.discard(number)
            _advisory("pg_advisory_unlock", number)


@guarded
def _advisory(function: str, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [number])
        return bool(cursor.fetchone()[0])


@contextmanager
def _file_lock(path: Path) -> Iterator[bool]:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            got = True
        except BlockingIOError:
            got = False
        yield got
    finally:
        os.close(descriptor)  # the file stays: removing it would let two processes lock two files of one name


@contextmanager
def migration_lock(home: Path) -> Iterator[None]:
    """Only one process changes the tables; the others wait, as long as they would for any writer."""
    deadline = time.monotonic() + busy_seconds()
    while True:
        with try_lock(f"migrate:{home if connection.vendor == 'sqlite' else 'database'}") as got:
            if got:
                yield
                return
        if time.monotonic() >= deadline:
            raise StoreLocked(
                Text("another process is upgrading the database", "un autre processus met à niveau la base de données"),
                remedy=Text("Wait until it is done and try again.", "Attendez qu'il ait terminé et réessayez."),
            )
        time.sleep(_PAUSE)
