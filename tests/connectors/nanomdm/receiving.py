"""The webhook receiver as a server in this process, with a count of what reached it; and a wait for a condition.

The real servers live by the machine's clock, Proscribe in these tests by one that is moved by hand: whatever the
servers date is brought to that clock on its way, as if they had lived by it too.
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import uvicorn

from proscribe.clock import ManualClock
from proscribe.connectors.base import AsgiApp

_IDLE = 120
"""Seconds that an idle connection is kept: longer than the 90 s of Go's client, so that NanoMDM hangs up first. An
event sent into a connection that is being closed would be lost, for a POST is not sent again."""


def until(holds: Callable[[], Any], what: str, *, seconds: float = 60.0) -> None:
    """Wait until a condition holds. NanoMDM tells its events from threads of its own, after it answered the device."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.005)


class Timeline(ManualClock):
    """A clock that is moved by hand, and knows what it showed when: ``at`` brings the machine's time to it."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._moves = [(datetime.now(UTC), self.now())]

    def sleep(self, seconds: float) -> None:
        """Move on."""
        super().sleep(seconds)
        self._moves.append((datetime.now(UTC), self.now()))

    def advance(self, **delta: float) -> datetime:
        """Move on by ``timedelta(**delta)``."""
        super().advance(**delta)
        self._moves.append((datetime.now(UTC), self.now()))
        return self.now()

    def at(self, real: datetime) -> datetime:
        """What this clock showed at a moment of the machine's, with the part of it that passed since it was moved."""
        moved, shown = next((each for each in reversed(self._moves) if each[0] <= real), self._moves[0])
        return shown + (real - moved)


def retimed(application: AsgiApp, timeline: Timeline, key: str) -> AsgiApp:
    """The application behind one that dates genuine events anew, and signs them anew; others pass as they are."""

    def sign(body: bytes) -> bytes:
        return base64.b64encode(hmac.digest(key.encode(), body, "sha256"))

    async def ahead(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = dict(scope["headers"])
        if headers.get(b"x-hmac-signature") == sign(body):
            event = json.loads(body)
            event["created_at"] = timeline.at(datetime.fromisoformat(event["created_at"])).isoformat()
            body = json.dumps(event).encode()
            headers |= {b"x-hmac-signature": sign(body), b"content-length": str(len(body)).encode()}

        async def whole() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        await application({**scope, "headers": list(headers.items())}, whole, send)

    return ahead


class Receiver:
    """Serves an ASGI application on a port of this machine. A context manager; may be stopped and started anew."""

    def __init__(self, application: Callable[[], AsgiApp], port: int) -> None:
        self._application = application
        self._port = port
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.answered: list[int] = []  # the status of every answer, in order

    @property
    def endpoint(self) -> str:
        """Where events go."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self, instead: AsgiApp | None = None) -> None:
        """Serve, as a process just started would; another application ``instead`` where one is given."""
        config = uvicorn.Config(
            self._counted(instead or self._application()),
            host="127.0.0.1",
            port=self._port,
            log_level="critical",
            access_log=False,
            timeout_keep_alive=_IDLE,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: self._server is not None and self._server.started, "the receiver listens")

    def stop(self) -> None:
        """Serve no longer."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._server = self._thread = None

    def _counted(self, application: AsgiApp) -> Any:
        async def counted(scope: dict[str, Any], receive: Any, send: Any) -> None:
            async def seen(message: dict[str, Any]) -> None:
                await send(message)
                if message["type"] == "http.response.start":
                    with self._lock:
                        self.answered.append(message["status"])

            await application(scope, receive, seen)

        return counted

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
