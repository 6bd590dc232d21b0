"""``proscribe receive`` as a process, and what serves it: HTTP, bounded, ended by a signal, killed, started anew."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nanomdm.telling import KEY, PHONE, check_out, idle, signed, token_update

import proscribe.store
from proscribe.cli import root
from proscribe.connectors.base import AsgiApp
from proscribe.connectors.nanomdm.events import message_id
from proscribe.errors import DiskFull, ProscribeError
from proscribe.service import receiving, serving
from proscribe.service.config import InvalidSettings
from proscribe.simulate.nanomdm.stage import free_port
from proscribe.text import Text


def until(holds: Callable[[], Any]) -> None:
    """Wait for a condition of another process or thread."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


class Receive:
    """The command, in an installation of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        home.mkdir()
        (home / "proscribe.toml").write_text(
            '[systems.phones]\nconnector = "nanomdm"\nendpoint = "http://127.0.0.1:9"\napi_key = "k"\n'
            f'webhook_key = "{KEY.decode()}"\nlisten = "127.0.0.1:{self.port}"\n',
            encoding="utf-8",
        )
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        program = Path(sys.executable).with_name("proscribe")
        self._process = subprocess.Popen(
            [str(program), "receive", "--home", str(self.home), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        assert self._process.stderr.readline() == f"nanomdm: listening on 127.0.0.1:{self.port}\n"

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Status and standard output."""
        assert self._process is not None
        self._process.send_signal(number)
        out, _ = self._process.communicate(timeout=60)
        return self._process.returncode, out

    def post(self, body: bytes, signature: str = "") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/webhook", body, {"X-Hmac-Signature": signature or signed(body)})
            return connection.getresponse().status
        finally:
            connection.close()

    def remembered(self) -> Any:
        """The records, read by this process."""
        proscribe.store.setup(self.home)
        from proscribe.connectors.nanomdm.records import Records
        from proscribe.store.repositories import Memory

        return Records(Memory("nanomdm"))


@pytest.fixture
def receive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receive]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    command = Receive(tmp_path / "home")
    yield command
    process = command._process
    if process is not None and process.poll() is None:
        process.kill()
        process.communicate()
    proscribe.store.close()


def now() -> datetime:
    return datetime.now(UTC)


def test_events_are_received_and_taken_in_and_counted(receive: Receive) -> None:
    receive.start()
    body = token_update(now())
    assert [receive.post(body), receive.post(body), receive.post(idle(now()))] == [200, 200, 200]
    assert receive.post(body, "forged") == 401
    records = receive.remembered()
    until(lambda: records.device(PHONE) is not None and records.device(PHONE).ready)
    until(lambda: not records.memory.unread(1))
    status, out = receive.end()
    assert status == 0
    assert json.loads(out) == {
        "listened_on": {"nanomdm": f"127.0.0.1:{receive.port}"},
        "counts": {
            "nanomdm": {
                "received": 2,
                "refused.signature": 1,
                "replayed": 1,
                "taken.Connect": 1,
                "taken.TokenUpdate": 1,
            }
        },
    }


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_acknowledged_and_leaves_a_gap(receive: Receive) -> None:
    receive.start()
    acknowledged: list[str] = []
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            body = idle(now())
            try:
                if receive.post(body) == 200:
                    acknowledged.append(message_id(body))
            except (OSError, http.client.HTTPException):
                continue

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    until(lambda: len(acknowledged) >= 100)
    assert receive.end(signal.SIGKILL)[0] == -signal.SIGKILL
    killed = now()
    receive.start()
    before = len(acknowledged)
    until(lambda: len(acknowledged) >= before + 50)
    stop.set()
    for sender in senders:
        sender.join()
    receive.end()
    records = receive.remembered()
    from proscribe.store.models import InboxRow

    stored = list(InboxRow.objects.values_list("message", flat=True))
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    (gap,) = records.gaps()
    assert gap.began <= killed <= gap.ended.replace(microsecond=999_999)
    assert gap.healed_at is None


def test_the_end_waits_for_requests_under_way(receive: Receive) -> None:
    """A request whose body is still coming when the signal does is answered all the same."""
    receive.start()
    body = check_out(now())
    with socket.create_connection(("127.0.0.1", receive.port), timeout=60) as link:
        head = (
            f"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Hmac-Signature: {signed(body)}\r\nContent-Length: {len(body)}\r\n"
        )
        link.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
        assert link.recv(1_000).startswith(b"HTTP/1.1 100 ")  # it is being read now
        assert receive._process is not None
        receive._process.send_signal(signal.SIGTERM)
        link.sendall(body)
        assert link.recv(1_000).startswith(b"HTTP/1.1 200 ")
    assert receive._process.wait(60) == 0
    assert receive.remembered().memory.counters()["received"] == 1


# Without a process --------------------------------------------------------------------------------------------------


class Listening:
    """A connector that listens, and nothing else."""

    name = "sim"

    def __init__(self, listen: str, taking: Callable[[], int] = lambda: 0, app: AsgiApp | None = None) -> None:
        self.listen = listen
        self._taking = taking
        self._app = app or _accepts

    def receiver(self) -> AsgiApp:
        return self._app

    def take_in(self, *, limit: int = 1_000) -> int:
        return self._taking()


async def _accepts(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _does_not_start(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no"})


class Place:
    """As much of an installation as listening needs."""

    def __init__(self, home: Path, *connectors: Any) -> None:
        self.home = home
        self.connectors = {one.name: one for one in connectors}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    proscribe.store.setup(tmp_path / "home")
    yield tmp_path / "home"
    proscribe.store.close()


def listened(place: Place, script: Callable[[Mapping[str, str]], None]) -> receiving.Received:
    """Listen in this thread while the script runs in another."""
    stop, faults = threading.Event(), list[BaseException]()

    def started(addresses: Mapping[str, str]) -> None:
        def run() -> None:
            try:
                script(addresses)
            except BaseException as fault:  # noqa: BLE001 (raised below)
                faults.append(fault)
            finally:
                stop.set()

        threading.Thread(target=run).start()

    received = receiving.receive(place, stop=stop, on_start=started)  # type: ignore[arg-type]
    for fault in faults:
        raise fault
    return received


def test_the_inbox_is_dealt_with_all_the_while_and_its_faults_are_told(home: Path) -> None:
    waiting = [7, DiskFull(Text("full", "plein"), remedy=Text("w", "a")), ZeroDivisionError("oh"), 0]
    done = threading.Event()

    def take() -> int:
        if not waiting:
            done.set()
            return 0
        found = waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    place = Place(home, Listening(f"127.0.0.1:{free_port()}", take))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receiving, "_PAUSE", 0.0)
        received = listened(place, lambda _addresses: until(done.is_set))
    assert [fault.en for fault in received.faults] == [
        "full. w",
        "A fault of the program: ZeroDivisionError('oh'). The messages are kept and tried again; please report this.",
    ]
    assert received.counts == {"sim": {}}


def test_a_connector_that_does_not_listen_is_left_alone(home: Path) -> None:
    class Silent:
        name = "silent"

    place = Place(home, Silent(), Listening(f"127.0.0.1:{free_port()}"))
    assert set(listened(place, lambda _addresses: None).listened_on) == {"sim"}


@pytest.mark.parametrize("connectors", [[], [Listening("")]])
def test_nothing_to_listen_to_is_an_error_with_a_remedy(home: Path, connectors: list[Any]) -> None:
    with pytest.raises(InvalidSettings) as refused:
        listened(Place(home, *connectors), lambda _addresses: None)
    assert "listen = " in refused.value.remedy.en
    assert "no system" in str(refused.value)


def test_an_address_that_is_taken_is_an_error_with_a_remedy(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = Place(home, Listening(f"127.0.0.1:{taken.getsockname()[1]}"))
        with pytest.raises(InvalidSettings) as refused:
            listened(place, lambda _addresses: None)
    assert "cannot listen on 127.0.0.1:" in str(refused.value)
    assert refused.value.where.field == "systems.sim.listen"


def test_an_address_of_the_newer_kind_is_listened_to(home: Path) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
            port = free.getsockname()[1]
    except OSError:
        pytest.skip("no IPv6 here")

    def script(_addresses: Mapping[str, str]) -> None:
        connection = http.client.HTTPConnection("::1", port, timeout=60)
        connection.request("POST", "/", b"x")
        assert connection.getresponse().status == 200
        connection.close()

    listened(Place(home, Listening(f"[::1]:{port}")), script)


def test_an_application_that_does_not_start_is_an_error(home: Path) -> None:
    place = Place(home, Listening(f"127.0.0.1:{free_port()}", app=_does_not_start))
    with pytest.raises(ProscribeError, match="listening could not be started"):
        listened(place, lambda _addresses: None)


def answered(link: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    found = b""
    while chunk := link.recv(4_096):
        found += chunk
    return found


def _exchange(home: Path, send: Callable[[socket.socket], None]) -> bytes:
    """What is answered, and that the connection was ended by the server."""
    port = free_port()
    found: list[bytes] = []

    def script(_addresses: Mapping[str, str]) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
            try:
                send(link)
                found.append(answered(link))
            except ConnectionError:
                found.append(b"")

    listened(Place(home, Listening(f"127.0.0.1:{port}")), script)
    return found[0]


def test_a_head_without_end_is_not_collected(home: Path) -> None:
    def send(link: socket.socket) -> None:
        link.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Long: ")
        for _ in range(64):
            link.sendall(b"x" * 16_384)

    assert b"200" not in _exchange(home, send)


def test_headers_without_end_are_not_collected(home: Path) -> None:
    def send(link: socket.socket) -> None:
        link.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n")
        for number in range(100_000):
            link.sendall(b"X-%d: x\r\n" % number)

    assert b"200" not in _exchange(home, send)


def test_a_head_that_does_not_come_is_not_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.05)
    assert _exchange(home, lambda link: link.sendall(b"POST / HTTP/1.1\r\nHo")) == b""


def test_a_connection_that_says_nothing_is_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "KEEP_ALIVE", 0.05)
    assert _exchange(home, lambda _link: None) == b""


def test_what_is_no_http_is_refused(home: Path) -> None:
    assert _exchange(home, lambda link: link.sendall(b"\x16\x03\x01 hello\r\n\r\n")).startswith(b"HTTP/1.1 400")


def test_more_connections_than_may_be_open_are_ended_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "CONNECTION_LIMIT", 2)
    port = free_port()
    told: list[str] = []

    class Application:
        async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
            await _accepts(scope, receive, send)

        def turned_away(self) -> None:
            told.append("one")

    def script(_addresses: Mapping[str, str]) -> None:
        def call(link: http.client.HTTPConnection) -> int:
            link.request("POST", "/", b"x")
            found = link.getresponse()
            found.read()
            return found.status

        links = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(3)]
        assert [call(link) for link in links[:2]] == [200, 200]
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            call(links[2])
        assert call(links[0]) == 200
        for link in links:
            link.close()

    listened(Place(home, Listening(f"127.0.0.1:{port}", app=Application())), script)
    assert told[:1] == ["one"]


def test_the_command_shows_a_table_and_tells_of_faults(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = receiving.Received({"sim": "127.0.0.1:1"}, {"sim": {"received": 4}}, (Text("a fault", "une faute"),))
    monkeypatch.setattr(receiving, "receive", lambda _installation, stop, on_start: result)
    with pytest.raises(SystemExit) as ended:
        root.run(["receive", "--home", str(home)])
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert "received" in shown.out
    assert "4" in shown.out
    assert shown.err == "a fault\n"
