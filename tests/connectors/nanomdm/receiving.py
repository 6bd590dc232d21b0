"""The webhook receiver as a server in this process, with a count of what reached it; and a wait for a condition."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn

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
