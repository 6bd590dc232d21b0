"""The sockets both servers share: a threaded HTTP server on the loopback interface, with answers in Go's manner."""

from __future__ import annotations

import base64
import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from proscribe.clock import Clock


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in: the path unescaped, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``cut``: the connection is closed without one, after ``stall`` seconds of silence."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    stall: float = 0.0


def plain(status: int) -> Reply:
    """What Go's ``http.Error`` with the status's own name writes."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Reply(status, HTTPStatus(status).phrase.encode() + b"\n", headers)


def not_found() -> Reply:
    """What Go's mux answers for a path that nobody handles."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Reply(404, b"404 page not found\n", headers)


def in_json(value: Any, status: int = 200, *, indent: str | None = None) -> Reply:
    """A JSON answer, ended by a newline as Go's encoder ends it."""
    body = json.dumps(value, indent=indent, separators=None if indent else (",", ":"), ensure_ascii=False)
    return Reply(status, body.encode() + b"\n", {"Content-Type": "application/json"})


def authorised(call: Call, user: str, key: str) -> bool:
    """Whether the call carries Basic authentication of ``user`` with ``key``."""
    expected = base64.b64encode(f"{user}:{key}".encode()).decode()
    scheme, _, given = call.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "basic" and given.strip() == expected


def unauthorised(realm: str) -> Reply:
    """The answer to a wrong key."""
    refused = plain(401)
    return Reply(401, refused.body, {**refused.headers, "Www-Authenticate": f'Basic realm="{realm}"'})


def stamp(clock: Clock | None) -> str:
    """The time, as JSON of the servers has it; without a clock the machine's, to the microsecond."""
    return (clock.now() if clock else datetime.now(UTC)).isoformat().replace("+00:00", "Z")


class Loopback:
    """An HTTP server on 127.0.0.1 that answers with ``handle``, each connection in a thread of its own."""

    def __init__(self, handle: Callable[[Call], Reply], port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.handle_call = handle
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """Where the server listens, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no longer; answers that are stalling are let go."""
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # fleets connect in bursts
    handle_call: Callable[[Call], Reply]

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.stopping = threading.Event()
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is an ordinary event here; anything else is a fault of the simulator."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one segment: no 40 ms wait for a delayed acknowledgement
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Silent: the journal is the log."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        call = Call(
            method=self.command,
            path=unquote(parts.path),
            query=dict(
                reversed(parse_qsl(parts.query, keep_blank_values=True))
            ),  # of a repeated name, Go takes the first
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        self._write(self.server.handle_call(call))

    def _write(self, reply: Reply) -> None:
        if reply.stall:
            self.server.stopping.wait(reply.stall)
        if reply.cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        bare = reply.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not bare:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if not bare and self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()
