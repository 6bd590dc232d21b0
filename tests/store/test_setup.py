"""Opening a store: what it makes, and how it fails."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

import proscribe.store
from proscribe.errors import DiskFull
from proscribe.store.database import busy_seconds, from_url
from proscribe.store.errors import (
    InvalidBusySeconds,
    InvalidDatabaseUrl,
    StoreDamaged,
    StoreLocked,
    StoreNewer,
    StoreUnavailable,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("PROSCRIBE_BUSY_SECONDS", "0.3")
    yield tmp_path / "home"
    proscribe.store.close()


def test_a_new_home_is_private_and_complete(home: Path) -> None:
    proscribe.store.setup(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    key = home / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) >= 64
    with sqlite3.connect(home / "proscribe.sqlite3") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"proscribe_action", "proscribe_ledger", "proscribe_document", "proscribe_outcome"} <= tables


def test_the_connection_writes_through_and_queues_at_begin(home: Path) -> None:
    from django.db import connection, transaction

    proscribe.store.setup(home)
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: an intent is on the disk before a send"
        assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)
    with (
        transaction.atomic(),
        sqlite3.connect(home / "proscribe.sqlite3", timeout=0) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_the_key_stays_the_same(home: Path) -> None:
    from django.conf import settings

    proscribe.store.setup(home)
    first = settings.SECRET_KEY
    proscribe.store.setup(home.parent / "other")
    assert first != settings.SECRET_KEY
    proscribe.store.setup(home)
    assert first == settings.SECRET_KEY


def test_two_homes_do_not_meet(home: Path) -> None:
    proscribe.store.setup(home)
    from proscribe.store.repositories import Freeze

    Freeze().freeze(actor="role", reason="", at=NOW)
    proscribe.store.setup(home.parent / "other")
    assert not Freeze().frozen()
    proscribe.store.setup(home)
    assert Freeze().frozen()


def test_the_migrations_are_what_the_models_say(home: Path) -> None:
    proscribe.store.setup(home)
    from django.core.management import call_command

    out = io.StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out)
    assert "No changes" in out.getvalue()


def test_a_database_held_by_another_process(home: Path) -> None:
    proscribe.store.setup(home)
    from proscribe.store.repositories import Freeze

    script = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    database = str(home / "proscribe.sqlite3")
    command = [sys.executable, "-c", script, database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreLocked) as locked:
            Freeze().freeze(actor="role", reason="", at=NOW)
        other.communicate()
    assert locked.value.code == "store.locked"
    assert locked.value.transient
    assert "proscribe.sqlite3" in locked.value.where.file
    assert Freeze().freeze(actor="role", reason="", at=NOW), "and afterwards it works"


def test_an_upgrade_waits_for_another_upgrade(home: Path) -> None:
    """Two first starts at once: both end well, and the tables are made once."""
    script = "import sys, pathlib, proscribe.store as s; s.setup(pathlib.Path(sys.argv[1]), busy_seconds=30)"
    command = [sys.executable, "-c", script, str(home)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()


def test_an_upgrade_that_never_ends(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proscribe.store.setup(home)
    from proscribe.store import locks

    held, done = threading.Event(), threading.Event()

    def other() -> None:
        with locks.migration_lock(home):
            held.set()
            done.wait(20)
        proscribe.store.close()

    thread = threading.Thread(target=other)
    thread.start()
    try:
        assert held.wait(10)
        with pytest.raises(StoreLocked), locks.migration_lock(home):
            pytest.fail("two processes hold one lock")
    finally:
        done.set()
        thread.join()


def test_a_schema_newer_than_the_program(home: Path) -> None:
    proscribe.store.setup(home)
    with sqlite3.connect(home / "proscribe.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('proscribe', '0999_later', '2027-01-01')"
        )
    proscribe.store.setup(home.parent / "other")
    with pytest.raises(StoreNewer) as newer:
        proscribe.store.setup(home)
    assert newer.value.code == "store.newer"
    assert "0999_later" in str(newer.value)


def test_a_file_that_is_no_database(home: Path) -> None:
    home.mkdir()
    (home / "proscribe.sqlite3").write_bytes(b"Device,App\n" * 400)
    with pytest.raises(StoreDamaged) as damaged:
        proscribe.store.setup(home)
    assert damaged.value.code == "store.damaged"


def test_a_home_that_cannot_be_made(home: Path) -> None:
    home.write_text("a file where a folder should be")
    with pytest.raises(StoreUnavailable):
        proscribe.store.setup(home)


def test_a_full_disk_changes_nothing(home: Path) -> None:
    proscribe.store.setup(home)
    from django.db import connection

    from proscribe.prove.model import EntryKind
    from proscribe.store.repositories import Ledger

    ledger = Ledger()
    ledger.append(EntryKind.freeze, "x", "role", {}, NOW)
    with connection.cursor() as cursor:
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own stand-in for a full disk
    with pytest.raises(DiskFull):
        ledger.append(EntryKind.freeze, "x" * 100_000, "role", {}, NOW)
    assert ledger.size() == 1
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1000000")
    assert ledger.append(EntryKind.freeze, "x", "role", {}, NOW).index == 1


def test_a_server_that_is_not_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:hunter2@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(StoreUnavailable) as down:
        proscribe.store.setup(home)
    assert down.value.code == "store.unavailable"
    assert "hunter2" not in str(down.value)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (
            "postgresql://keeper:p%40ss@db.example:5433/lights?sslmode=require",
            {"NAME": "lights", "USER": "keeper", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": "5433"},
        ),
        ("postgres:///lights?host=/run/pg", {"NAME": "lights", "HOST": "/run/pg", "PORT": "", "USER": ""}),
        ("postgresql://[::1]/lights", {"HOST": "::1", "NAME": "lights"}),
    ],
)
def test_database_addresses(url: str, wanted: dict[str, str]) -> None:
    found = from_url(url)
    assert {key: found[key] for key in wanted} == wanted
    assert "host" not in found["OPTIONS"]
    assert "lock_timeout=15000" in found["OPTIONS"]["options"]


def test_own_options_are_kept_beside_ours() -> None:
    found = from_url("postgresql://h/d?options=-c%20search_path%3Dlights&sslmode=require", busy_seconds=2)
    assert found["OPTIONS"] == {"sslmode": "require", "options": "-c search_path=lights -c lock_timeout=2000"}


def test_a_sqlite_address() -> None:
    assert from_url("sqlite:////var/lib/lights%20on.db")["NAME"] == "//var/lib/lights on.db"
    assert from_url("sqlite:///var/lib/x.db")["NAME"] == "/var/lib/x.db"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://keeper:hunter2@h/d",
        "postgresql://keeper:hunter2@h",
        "postgresql://keeper:hunter2@h:port/d",
        "postgresql://keeper:hunter2@h/d?sslmod=require",
        "sqlite://keeper:hunter2@h/d",
        "hunter2",
    ],
)
def test_addresses_that_are_refused_without_repeating_the_password(url: str) -> None:
    with pytest.raises(InvalidDatabaseUrl) as refused:
        from_url(url)
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in str(refused.value.remedy)
    assert refused.value.code == "store.database-url"


def test_importing_the_store_is_cheap() -> None:
    script = "import sys, proscribe.store; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_default_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from proscribe.store.home import default_home

    monkeypatch.setenv("PROSCRIBE_HOME", str(tmp_path))
    assert default_home() == tmp_path
    monkeypatch.delenv("PROSCRIBE_HOME")
    assert default_home().name == "proscribe"
    assert os.fspath(default_home()) != ""


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", "99999"])
def test_a_busy_time_out_that_is_none(home: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PROSCRIBE_BUSY_SECONDS", value)
    with pytest.raises(InvalidBusySeconds) as refused:
        busy_seconds()
    assert refused.value.code == "store.busy-seconds"
    monkeypatch.setenv("PROSCRIBE_BUSY_SECONDS", "")
    assert busy_seconds() == 15.0
    monkeypatch.setenv("PROSCRIBE_BUSY_SECONDS", "0")
    assert busy_seconds() == 0.0, "nought is a time-out too"
