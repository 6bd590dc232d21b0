"""ASGI applications over HTTP, until told to stop. uvicorn does the work; here are the bounds that it leaves open."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proscribe.connectors.base import AsgiApp

CONNECTION_LIMIT = 8_000  # open at a time, or fewer where the process may not open as many files
HEAD_LIMIT = 64 * 1024  # bytes of a request line with its headers
HEAD_SECONDS = 10.0  # in which they must have come
KEEP_ALIVE = 120  # seconds; longer than senders keep idle connections (Go: 90), so that none sends into a closed one
GRACE = 20  # seconds for requests under way when told to stop
_BACKLOG = 2_048
_OWN_FILES = 64  # the store's and the program's own


@dataclass(frozen=True)
class Site:
    """An application and the socket that it is served on, bound already."""

    app: AsgiApp
    socket: socket.socket


def _nothing() -> None:
    """Nobody wants to know."""


class _Bounded(HttpToolsProtocol):
    """A connection whose requests must begin in time, with heads of a bounded size."""

    connection_limit = CONNECTION_LIMIT
    turned_away = staticmethod(_nothing)

    _head: int | None = None  # bytes of the head so far; None between heads
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.connection_limit:
            self.turned_away()
            transport.close()
            return
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_ended()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > HEAD_LIMIT:
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def on_headers_complete(self) -> None:
        self._head_ended()
        super().on_headers_complete()

    def _head_ended(self) -> None:
        self._head = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    """Signals are for whoever called us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(sites: Sequence[Site], *, stop: threading.Event, on_start: Callable[[], None]) -> bool:
    """Serve until ``stop`` is set; requests under way are finished. False where an application did not start.

    ``on_start`` is called once all of them serve.
    """
    _Bounded.connection_limit = min(CONNECTION_LIMIT, _files() - _OWN_FILES)
    return asyncio.run(_serve(sites, stop, on_start))


def _files() -> int:
    """How many files this process may open, once it has asked for as many as are allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTION_LIMIT + _OWN_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


async def _serve(sites: Sequence[Site], stop: threading.Event, on_start: Callable[[], None]) -> bool:
    loop = asyncio.get_running_loop()
    servers = [_Server(_config(site)) for site in sites]

    def end() -> None:
        for server in servers:
            server.should_exit = True

    def wait() -> None:
        stop.wait()
        try:
            loop.call_soon_threadsafe(end)
        except RuntimeError:
            return  # the servers ended before they were told to

    threading.Thread(target=wait, name="stop", daemon=True).start()
    running = [asyncio.create_task(_run(server, site)) for server, site in zip(servers, sites, strict=True)]
    while not all(server.started for server in servers):
        if any(task.done() for task in running):
            end()
            break
        await asyncio.sleep(0.01)
    else:
        on_start()
    await asyncio.gather(*running)
    return all(server.started for server in servers)


async def _run(server: uvicorn.Server, site: Site) -> None:
    with contextlib.suppress(SystemExit):  # so uvicorn says that the application did not start
        await server.serve([site.socket])


def _config(site: Site) -> uvicorn.Config:
    app: Any = site.app
    told = {"turned_away": staticmethod(getattr(app, "turned_away", _nothing))}
    return uvicorn.Config(
        app,
        http=type("_Connection", (_Bounded,), told),
        proxy_headers=False,
        ws="none",
        lifespan="on",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        backlog=_BACKLOG,
    )
