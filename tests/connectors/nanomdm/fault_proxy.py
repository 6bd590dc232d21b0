"""A reverse proxy between the connector and a server, which lets one write go wrong and counts those that counted.

The servers themselves are real and cannot be told to fail. A plain module, for fixtures and tests.
"""

from __future__ import annotations

import collections
import plistlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import httpx

from proscribe.connectors.conformance import Trouble

_DONE = (Trouble.fail_after, Trouble.cut_after, Trouble.silent)
_ANSWERS: dict[Trouble, tuple[int, dict[str, str]]] = {
    Trouble.throttle: (429, {}),
    Trouble.throttle_timed: (429, {"Retry-After": "7"}),
    Trouble.fail_before: (500, {}),
    Trouble.fail_after: (502, {}),
    Trouble.refuse: (400, {}),
    Trouble.lock_out: (401, {}),
}
TLS = ssl.create_default_context()
"""Never used on the loopback interface; shared, for making one takes longer than most requests."""
_WRITING = ("PUT", "DELETE", "POST")
_HOP = frozenset({"connection", "content-length", "transfer-encoding", "host"})


@dataclass(frozen=True, slots=True)
class Write:
    """A request that the server carried out and that changed something. ``what``: the RequestType, or the path."""

    method: str
    path: str
    what: str
    body: bytes = field(repr=False)


class Script:
    """What goes wrong next, and what changed something so far. Proxies may share one. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: tuple[Trouble, str] | None = None
        self._writes: list[Write] = []

    def trouble(self, trouble: Trouble, *, on: str = "") -> None:
        """Let the next write go wrong; those after it go through. ``on``: the next with this in its path."""
        with self._lock:
            self._next = (trouble, on)

    def take(self, path: str) -> Trouble | None:
        """The trouble for a write that has just come in."""
        with self._lock:
            if self._next is None or self._next[1] not in path:
                return None
            (trouble, _), self._next = self._next, None
            return trouble

    def add(self, write: Write) -> None:
        """Count a write that changed something."""
        with self._lock:
            self._writes.append(write)

    def writes(self) -> tuple[Write, ...]:
        """What changed something, in order."""
        with self._lock:
            return tuple(self._writes)

    def by_type(self) -> dict[str, int]:
        """How many of each RequestType (or path) changed something."""
        return dict(collections.Counter(write.what for write in self.writes()))


class FaultProxy:
    """Passes everything on to ``target``. A context manager; ``endpoint`` is its own address."""

    def __init__(
        self, target: str, script: Script | None = None, *, edit: Callable[[bytes], bytes] = lambda body: body
    ) -> None:
        """``edit``: what becomes of answers' bodies on the way."""
        self.script = script or Script()
        self.edit = edit
        self._client = httpx.Client(base_url=target, timeout=30.0, verify=TLS)
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """Where to speak to instead of the server."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response | Trouble:
        """The server's answer, one of our own, or the trouble that ends the connection."""
        trouble = self.script.take(path) if method in _WRITING else None
        if trouble is None or trouble in _DONE:
            answer = self._pass_on(method, path, headers, body)
            if trouble is None:
                return answer
        if trouble in _ANSWERS:
            status, extra = _ANSWERS[trouble]
            return httpx.Response(status, headers=extra, content=b"")
        return trouble

    def _pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        answer = self._client.request(method, path, headers=headers, content=body)
        answer.read()
        if method in _WRITING and _changed(path, answer):
            self.script.add(Write(method, path, _what(path, body), body))
        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()


def _changed(path: str, answer: httpx.Response) -> bool:
    """Whether the server did something new. NanoMDM's 500 may mean that it queued and could not push alone."""
    if "/enqueue/" not in path:
        return answer.is_success
    try:
        said = answer.json()
    except ValueError:
        return False
    failed = any("command_error" in one for one in said.get("status", {}).values())
    return "request_type" in said and "command_error" not in said and not failed


def _what(path: str, body: bytes) -> str:
    if "/enqueue/" not in path:
        return path.partition("?")[0]
    requested: str = plistlib.loads(body)["Command"]["RequestType"]
    return requested


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is an ordinary event here."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Silent."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        answer = self.server.proxy.handle(self.command, self.path, headers, self.rfile.read(length))
        if isinstance(answer, Trouble):
            if answer is Trouble.silent:
                self.server.proxy.stopping.wait(30)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in (*_HOP, "content-encoding"):
                self.send_header(name, value)
        body = self.server.proxy.edit(answer.content)
        if answer.status_code not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()
