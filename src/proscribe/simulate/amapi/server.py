"""The sockets: a threaded HTTP server on the loopback interface, and an administration path beside the API.

``/v1/...`` is the vendor's wire. ``/_sim/...`` is ours: the journal, the truth about the devices, moving time, faults,
and a token endpoint in the shape of Google's, so that real google-auth credentials work against it.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from proscribe.clock import Clock
from proscribe.simulate.amapi.faults import FaultScript
from proscribe.simulate.amapi.journal import Journal
from proscribe.simulate.amapi.service import Call, Exchange, Reply, Service
from proscribe.simulate.amapi.state import Fleet


class AmapiSimulator:
    """A running service over a fleet, in this process. A context manager; ``endpoint`` is its address.

    Devices act when a request comes in and when ``tick`` is called, each as of ``clock.now()``.
    """

    def __init__(
        self,
        fleet: Fleet,
        clock: Clock,
        *,
        tokens: Iterable[str] | None = None,
        quota: tuple[int, float] | None = None,
        port: int = 0,
    ) -> None:
        self.fleet = fleet
        self.clock = clock
        self.service = Service(fleet, clock, tokens=tokens, quota=quota)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.service = self.service
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """Where the service listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def faults(self) -> FaultScript:
        """What goes wrong next."""
        return self.service.faults

    @property
    def journal(self) -> Journal:
        """What was asked, and what changed."""
        return self.fleet.journal

    def watch(self, watcher: Callable[[Exchange], None]) -> None:
        """Show every exchange of the API to ``watcher``."""
        self.service.watchers.append(watcher)

    def tick(self) -> None:
        """Let the devices act up to the clock's present."""
        self.fleet.tick(self.clock.now())

    def __enter__(self) -> Self:
        self.fleet.begin(self.clock.now())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    service: Service

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.stopping = threading.Event()
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is an ordinary event here; anything else is a fault of the simulator."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one segment: no 40 ms wait for a delayed acknowledgement
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Silent: the journal is the log."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        call = Call(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        administration = call.path.startswith("/_sim/")
        self._write(_administer(self.server.service, call) if administration else self.server.service.handle(call))

    def _write(self, reply: Reply) -> None:
        if reply.stall:
            self.server.stopping.wait(reply.stall)
        if reply.cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()


def _administer(service: Service, call: Call) -> Reply:
    action = call.path.removeprefix("/_sim/")
    if call.method == "GET" and action == "journal":
        return _plain(service.fleet.journal.as_json())
    if call.method == "GET" and action == "devices":
        service.fleet.tick(service.clock.now())
        return _plain(service.fleet.truth())
    if call.method == "POST" and action == "advance":
        service.clock.sleep(float(json.loads(call.body)["seconds"]))
        service.fleet.tick(service.clock.now())
        return _plain({"now": service.clock.now().isoformat()})
    if call.method == "POST" and action == "faults":
        details = dict(json.loads(call.body))
        service.faults.next(details.pop("operation"), details.pop("kind"), **details)
        return _plain({})
    if call.method == "POST" and action == "token":
        token = secrets.token_urlsafe(16)
        if service.tokens is not None:
            service.tokens.add(token)
        return _plain({"access_token": token, "token_type": "Bearer", "expires_in": 3600})
    return _plain({"error": "unknown"}, status=404)


def _plain(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
