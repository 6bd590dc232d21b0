"""An authority's feed with all its keys, a web server in front of it that can lie, and a clock."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import Signer
from tests.trust.conftest import listed

from proscribe.clock import ManualClock, use_clock
from proscribe.directive.library import find, target_set
from proscribe.documents import Document, digest
from proscribe.feed import repository
from proscribe.feed.client import Pulled, pull
from proscribe.feed.model import Revocation
from proscribe.feed.repository import Repository
from proscribe.feed.seats import Seats
from proscribe.service.installation import Installation, open_installation
from proscribe.text import Text
from proscribe.trust.envelope import envelope_bytes, prepare, sign
from proscribe.trust.keys import KeyPair, new_pair
from proscribe.trust.model import KeyList, Rule, Scheme, SignedDocument

NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
ITEM = "directives/ca-example/1.dsse.json"
SECOND = "directives/ca-example/2.dsse.json"


def make_signer() -> Signer:
    """A key as 'proscribe key new' makes them."""
    return new_pair(Scheme.ed25519).signer()


@dataclass
class Authority:
    """A feed and everybody who may sign for it."""

    folder: Path
    officers: list[Signer] = field(default_factory=lambda: [make_signer() for _ in range(3)])
    snapshot: Signer = field(default_factory=make_signer)
    timestamp: Signer = field(default_factory=make_signer)
    now: datetime = NOW

    def seats(self, **changed: Seats) -> dict[str, Seats]:
        people = tuple(one.public_key for one in self.officers)
        return {
            "root": Seats(people, 2),
            "targets": Seats(people, 2),
            "snapshot": Seats((self.snapshot.public_key,), 1),
            "timestamp": Seats((self.timestamp.public_key,), 1),
            **changed,
        }

    @property
    def signers(self) -> list[Signer]:
        return [*self.officers[:2], self.snapshot, self.timestamp]

    @property
    def repository(self) -> Repository:
        return Repository(self.folder)

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def first_root(self) -> bytes:
        return (self.public / "metadata" / "1.root.json").read_bytes()

    def publish(self, items: dict[str, bytes] | None = None, *, days: float = 0) -> None:
        self.now += timedelta(days=days)
        repository.publish(self.folder, items or {}, self.signers, now=self.now)

    def copy(self, to: Path) -> Path:
        """The public half as it is now, for an attacker to keep."""
        return Path(shutil.copytree(self.public, to))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "authority")
    repository.init(made.folder, made.seats(), now=made.now)
    made.publish({ITEM: b'{"first": true}'})
    return made


@dataclass
class Lies:
    """What the server does instead of serving the folder: by the end of a path."""

    replaced: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    endless: str = ""
    dripping: str = ""
    header_drip: str = ""
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


class Handler(http.server.SimpleHTTPRequestHandler):
    """The standard library's file server, with a few lies added."""

    def do_GET(self) -> None:
        lies: Lies = self.server.lies  # type: ignore[attr-defined]
        lies.asked.append(self.path)
        lies.headers.append(dict(self.headers))
        for end, status in lies.status.items():
            if self.path.endswith(end):
                self.send_response(status)
                self.send_header("Location", "http://192.0.2.1/")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        for end, data in lies.replaced.items():
            if self.path.endswith(end):
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
        if lies.header_drip and self.path.endswith(lies.header_drip):
            self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000)
        elif lies.dripping and self.path.endswith(lies.dripping):
            self.send_response(200)
            self.end_headers()
            self._drip(b" " * 10_000)
        elif lies.endless and self.path.endswith(lies.endless):
            self.send_response(200)
            self.end_headers()
            self._pour()
        else:
            super().do_GET()

    def _drip(self, data: bytes) -> None:
        try:
            for byte in data:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.server.stopped.wait(0.05):  # type: ignore[attr-defined]
                    return
        except OSError:
            self.close_connection = True

    def _pour(self) -> None:
        try:
            while not self.server.stopped.is_set():  # type: ignore[attr-defined]
                self.wfile.write(b"{" * (1 << 16))
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


class Web:
    """A static web server on this machine, in a thread."""

    def __init__(self, folder: Path) -> None:
        self.lies = Lies()
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
        )
        self.server.daemon_threads = True
        self.server.lies = self.lies  # type: ignore[attr-defined]
        self.server.stopped = threading.Event()  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.server.stopped.set()  # type: ignore[attr-defined]
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def web(authority: Authority) -> Iterator[Web]:
    server = Web(authority.public)
    yield server
    server.stop()


@dataclass
class Department:
    """One that pulls, and can say whether anything of what it accepted changed."""

    state: Path
    source: str | Path
    root: bytes
    patience: float = 30.0

    def pull(self, now: datetime, source: str | Path | None = None) -> Pulled:
        return pull(source or self.source, self.state, self.root, now=now, patience=self.patience)

    def accepted(self) -> dict[str, bytes]:
        """The note of what was accepted, and the files it names."""
        kept = {path.name: path.read_bytes() for path in (self.state / "files").glob("*")}
        return {**kept, "state.json": (self.state / "state.json").read_bytes()}


@pytest.fixture(params=["web", "folder"])
def department(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority) -> Department:
    """Two ways to the same feed: every attack is tried on both."""
    source = request.getfixturevalue("web").url if request.param == "web" else authority.public
    return Department(tmp_path / "state", source, authority.first_root)


@pytest.fixture
def new_signer() -> Callable[[], Signer]:
    """Test modules cannot import each other: what they make comes as fixtures."""
    return make_signer


@pytest.fixture
def new_authority() -> type[Authority]:
    return Authority


@pytest.fixture
def new_department() -> type[Department]:
    return Department


@dataclass
class Officials:
    """The authority's seats and key lists: two of three sign, whoever prepared it does not."""

    now: datetime = NOW
    pairs: dict[str, KeyPair] = field(
        default_factory=lambda: {seat: new_pair(Scheme.ed25519) for seat in ("cio", "security", "legal", "spare")}
    )
    holders: tuple[str, ...] = ("cio", "security", "legal")
    kinds: tuple[str, ...] = (
        "proscribe.key-list",
        "proscribe.directive",
        "proscribe.target-set",
        "proscribe.revocation",
        "proscribe.standing-order",
    )

    def keys(self, version: int = 1, **changes: object) -> KeyList:
        made = KeyList(
            organisation=Text("Authority", "Autorité"),
            version=version,
            issued=self.now,
            expires=self.now + timedelta(days=400),
            keys=tuple(
                listed(
                    self.pairs[seat],
                    seat,
                    "officer",
                    valid_from=self.now - timedelta(days=1),
                    valid_until=self.now + timedelta(days=400),
                )
                for seat in self.holders
            ),
            rules=(Rule(kinds=self.kinds, roles=("officer",), threshold=2),),
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    def sealed(self, document: Document, *seats: str) -> SignedDocument:
        signed = prepare(document, by="drafter", at=self.now)
        for seat in seats or ("cio", "security"):
            signed = sign(signed, self.pairs[seat].signer())
        return signed

    def file(self, document: Document, *seats: str) -> bytes:
        """The signed document as a file of the feed."""
        return envelope_bytes(self.sealed(document, *seats))


@pytest.fixture
def officials() -> Officials:
    return Officials()


@dataclass
class Branch:
    """A department with an installation of its own, its clock and its settings."""

    home: Path
    clock: ManualClock
    source: Path | str
    table: dict[str, object] = field(default_factory=dict)

    def open(self, actor: str = "operator") -> Installation:
        rows = {"source": str(self.source), "root": "1.root.json", **self.table}
        lines = [f"{name} = {json.dumps(value)}" for name, value in rows.items()]
        (self.home / "proscribe.toml").write_text("\n".join(["[feeds.central]", *lines]), encoding="utf-8")
        return open_installation(self.home, actor=actor, clock=self.clock)


@pytest.fixture
def branch(tmp_path: Path, authority: Authority, officials: Officials) -> Iterator[Branch]:
    """A department that pinned the authority's first root and first key list, and adopts nothing by itself."""
    home = tmp_path / "branch"
    home.mkdir()
    (home / "1.root.json").write_bytes(authority.first_root)
    clock = ManualClock(authority.now)
    with use_clock(clock):
        yield Branch(home, clock, authority.public, {"key_list": digest(officials.keys())})


@pytest.fixture
def new_officials() -> type[Officials]:
    return Officials


# --- what a department is shown

NAME = "ca-example"
KEYS = "keys/key-list/1.dsse.json"


def directive(version=1, **changes):
    return replace(find("ca-tbs-2023-wechat-kaspersky"), id=NAME, version=version, **changes)


def targets_of(one, now):
    found = target_set(one, now=now) if one.id != NAME else target_set(find("ca-tbs-2023-wechat-kaspersky"), now=now)
    return replace(
        found,
        directive=one.id,
        directive_version=one.version,
        resolved_at=now,
        reviewed_by="cio",
        reviewed_on=now.date(),
    )


def revocation(of, **changes):
    made = Revocation(
        directive=of.id,
        directive_digest=digest(of),
        version=of.version,
        revoked_on=date(2026, 11, 5),
        reason=Text("The maker changed hands.", "L'éditeur a changé de propriétaire."),
    )
    return replace(made, **changes)


@pytest.fixture
def publish(authority, officials, branch):
    """Publish files in the feed, and let the department's clock follow."""

    def do(items, *, days=0.0, remove=()):
        authority.now = branch.clock.advance(days=days)
        if remove:
            authority.repository.stage({}, now=authority.now, remove=remove)
        authority.publish(items)

    authority.repository.stage({}, now=authority.now, remove=[f"directives/{NAME}/1.dsse.json"])
    do({KEYS: officials.file(officials.keys())})
    return do
