"""The real servers as processes on the loopback interface; a plain module for fixtures and tests.

``make servers`` builds them into ``.servers``; another folder is named by ``PROSCRIBE_TEST_SERVERS``, and programs on
the path are taken where there is neither. Where one is missing, whatever needs it skips and says what is missing.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from proscribe.simulate.nanomdm.stage import free_port

_ROOT = Path(__file__).resolve().parents[3]
_PATIENCE = 20.0  # seconds for a server to listen; the machine may be busy
_TRIES = 5  # a port that was free may be taken before the server listens on it


def folder() -> Path:
    """Where the servers were built."""
    return Path(os.environ.get("PROSCRIBE_TEST_SERVERS", "") or _ROOT / ".servers")


def program(name: str) -> Path:
    """The program of that name; skips where there is none."""
    built = folder() / "bin" / name
    if built.is_file():
        return built
    found = shutil.which(name)
    if found is None:
        pytest.skip(
            f"{name} is missing: neither in {folder() / 'bin'} nor on the path (make servers builds it; needs Go)"
        )
    return Path(found)


def shared(name: str) -> Path:
    """A file of a server's module that was laid beside the programs; skips where there is none."""
    path = folder() / "share" / name
    if not path.is_file():
        pytest.skip(f"{path} is missing (make servers lays it there; needs Go)")
    return path


@dataclass
class Server:
    """A running process that serves HTTP. ``log`` is what it wrote."""

    name: str
    endpoint: str
    process: subprocess.Popen[bytes]
    log: Path

    def version(self) -> str:
        """What it says of itself, without credentials."""
        with urllib.request.urlopen(f"{self.endpoint}/version", timeout=10) as answer:  # noqa: S310 (ours, http)
            said: str = json.load(answer)["version"]
        return said

    def stop(self) -> None:
        """End the process and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class NanoMdm(Server):
    """NanoMDM, and what one needs to talk to it. ``webhook``: where its events go; "" for nowhere."""

    api_key: str = field(default="", repr=False)
    hmac_key: str = field(default="", repr=False)
    webhook: str = ""

    @property
    def checkin(self) -> str:
        """Where devices speak to it."""
        return f"{self.endpoint}/mdm"


@dataclass
class Kmfddm(Server):
    """KMFDDM, and the key of its API."""

    api_key: str = field(default="", repr=False)


def _launch(name: str, arguments: Callable[[int], Sequence[str]], environment: dict[str, str], home: Path) -> Server:
    """Start a program on a free port and wait until it answers. ``arguments`` are those for a port."""
    binary = program(name)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("NANOMDM_", "KMFDDM_"))}
    home.mkdir(parents=True, exist_ok=True)
    for _ in range(_TRIES):
        port = free_port()
        log = home / f"{name}-{port}.log"
        with log.open("wb") as written:
            process = subprocess.Popen(
                [str(binary), f"-listen=127.0.0.1:{port}", *arguments(port)],
                cwd=home,
                env={**clean, **environment},
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            )
        server = Server(name, f"http://127.0.0.1:{port}", process, log)
        if _answers(server):
            return server
        server.stop()
    raise RuntimeError(f"{name} did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def _answers(server: Server) -> bool:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and server.process.poll() is None:
        try:
            server.version()
        except OSError:
            time.sleep(0.02)  # nothing tells when another process listens
        else:
            return server.process.poll() is None
    return False


class Servers:
    """Starts the real servers, each in a folder of its own, and stops them all at the end."""

    def __init__(self, home: Path, roots: bytes) -> None:
        """``roots``: PEM of the authority that issues the devices' identity certificates."""
        self._home = home
        self._roots = home / "roots.pem"
        self._roots.write_bytes(roots)
        self._running = ExitStack()
        self._started = 0

    def nanomdm(self, *, webhook: str = "", declarations: str = "", database: str = "") -> NanoMdm:
        """NanoMDM; with its files, or on the PostgreSQL database of that address. ``declarations``: of KMFDDM."""
        home, api_key, hmac_key = self._next("nanomdm"), secrets.token_hex(16), secrets.token_hex(16)
        storage, source = ("pgsql", _without_tls(database)) if database else ("filekv", str(home / "files"))
        arguments = [f"-storage={storage}", f"-ca={self._roots}"]
        if webhook:
            arguments.append(f"-webhook-url={webhook}")
        if declarations:
            arguments.append(f"-dm={declarations.rstrip('/')}/")
        environment = {
            "NANOMDM_API": api_key,
            "NANOMDM_WEBHOOK_HMAC_KEY": hmac_key,
            "NANOMDM_STORAGE_DSN": source,
        }
        started = _launch("nanomdm", lambda _: arguments, environment, home)
        self._running.callback(started.stop)
        return NanoMdm(started.name, started.endpoint, started.process, started.log, api_key, hmac_key, webhook)

    def kmfddm(self) -> Kmfddm:
        """KMFDDM with its files. It notifies nobody: Proscribe sends every command itself."""
        home, api_key = self._next("kmfddm"), secrets.token_hex(16)
        started = _launch(
            "kmfddm",
            lambda _: ["-storage=filekv", f"-storage-dsn={home / 'files'}"],
            {"KMFDDM_API": api_key},
            home,
        )
        self._running.callback(started.stop)
        return Kmfddm(started.name, started.endpoint, started.process, started.log, api_key)

    def _next(self, name: str) -> Path:
        self._started += 1
        return self._home / f"{name}-{self._started}"

    def close(self) -> None:
        """Stop what was started."""
        self._running.close()


def _without_tls(database: str) -> str:
    """The Go client asks for TLS unless told otherwise, and a throw-away cluster has none."""
    return f"{database}{'&' if '?' in database else '?'}sslmode=disable"


@contextmanager
def servers(home: Path, roots: bytes) -> Iterator[Servers]:
    """Servers for as long as the block runs."""
    running = Servers(home, roots)
    try:
        yield running
    finally:
        running.close()
