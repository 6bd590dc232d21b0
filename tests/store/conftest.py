"""One store a test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import proscribe.store

_BINARIES = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin"), Path("/usr/bin"))
_numbers = itertools.count()


def _found() -> Path | None:
    for folder in _BINARIES:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


def _as_ordinary_user() -> list[str]:
    """PostgreSQL refuses to run as root; "" where we are not root."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            if shutil.which("runuser"):
                return ["runuser", "-u", name, "--"]
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server, without a database: a throw-away cluster, or the one that is named."""
    named = os.environ.get("PROSCRIBE_TEST_POSTGRES", "")
    if named:
        yield named
        return
    binaries = _found()
    if binaries is None:
        pytest.skip("no PostgreSQL here: neither initdb and pg_ctl nor PROSCRIBE_TEST_POSTGRES")
    user = _as_ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if user:
            shutil.chown(folder, user[2])
        data = folder / "data"
        settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=40"

        def run(*command: str) -> None:
            subprocess.run([*user, *command], check=True, capture_output=True, timeout=60, cwd="/")

        run(str(binaries / "initdb"), "-D", str(data), "-U", "proscribe", "--auth=trust", "-E", "UTF8", "--no-sync")
        log = str(folder / "log")
        run(str(binaries / "pg_ctl"), "-D", str(data), "-l", log, "-w", "-o", settings, "start")
        try:
            yield f"postgresql://proscribe@/postgres?host={folder}"
        finally:
            run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_database(server: str, name: str, *, template: str = "") -> str:
    """A database of its own on that server."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        copy = f" TEMPLATE {template}" if template else ""
        connection.execute(f"CREATE DATABASE {name}{copy}")
    head, _, tail = server.partition("/postgres")
    return f"{head}/{name}{tail}"


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A migrated store of each kind, to copy: migrating takes longer than most tests."""
    return {"folder": str(tmp_path_factory.mktemp("templates"))}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, templates: dict[str, str]
) -> Iterator[Path]:
    """The home folder of an open, empty store."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        monkeypatch.delenv("DATABASE_URL", raising=False)
        if "sqlite" not in templates:
            template = Path(templates["folder"]) / "sqlite"
            proscribe.store.setup(template)
            proscribe.store.close()
            templates["sqlite"] = str(template)
        shutil.copytree(templates["sqlite"], home)
    else:
        server = request.getfixturevalue("postgres_server")
        if "postgres" not in templates:
            templates["postgres"] = f"template_{os.getpid()}"
            monkeypatch.setenv("DATABASE_URL", make_database(server, templates["postgres"]))
            proscribe.store.setup(Path(templates["folder"]) / "postgres")
            proscribe.store.close()
        name = f"test_{os.getpid()}_{next(_numbers)}"
        monkeypatch.setenv("DATABASE_URL", make_database(server, name, template=templates["postgres"]))
    proscribe.store.setup(home)
    yield home
    proscribe.store.close()
