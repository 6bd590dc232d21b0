"""The webhook's receiving end, as an ASGI application: what it answers 200 to is stored.

NanoMDM sends an event once and only logs what it is answered, so a refusal loses what the event told. Refused is
therefore only what is not genuine, and what would take more than is there; the latter is noted as a gap (``writer``).
Nothing of a body is looked at before its signature is found right.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from proscribe.clock import Clock
from proscribe.connectors.base import AsgiApp
from proscribe.connectors.memory import Memory, Message
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.events import BadEvent, authentic, message_id, read_event, storable
from proscribe.connectors.nanomdm.writer import Writer

PATHS = ("/", "/webhook")
BODY_LIMIT = 8 * 1024 * 1024  # bytes; the longest answer of a device, in base64, is far below
BODY_SECONDS = 10.0  # in which a body must have come whole
HELD_LIMIT = 64 * 1024 * 1024  # bytes of bodies that are here and not stored yet
REQUEST_LIMIT = 8_000  # requests under way

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


def receiver(config: NanomdmConfig, memory: Memory, clock: Clock) -> AsgiApp:
    """The application. Raises InvalidConfiguration where the webhook's key cannot be read."""
    return _Receiver(config.webhook_secret(), memory, clock)


class _Refused(Exception):
    """An answer other than 200. ``lost``: the event may have been genuine."""

    def __init__(self, status: HTTPStatus, reason: str, *, lost: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.lost = lost


class _Gone(Exception):
    """The sender hung up before its body was here whole: there is nobody to answer."""


@dataclass(slots=True)
class _Held:
    """What one request holds of the common store of bytes."""

    size: int = 0


class _Receiver:
    def __init__(self, key: bytes, memory: Memory, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._writer = Writer(memory, clock, self._settle)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started: asyncio.Task[None] | None = None
        self._requests = 0
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._start()
            await self._answer(scope, receive, send)

    def turned_away(self) -> None:
        """A connection could not be taken. Called by the server, on its loop."""
        self._count("overload", lost=True)

    # Beginning and end ----------------------------------------------------------------------------------------------

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:  # noqa: BLE001 (the server reports it and does not serve)
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._writer.stop)
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        """Once; for servers that know no lifespan, with the first request."""
        if self._started is None:
            self._loop = asyncio.get_running_loop()
            self._started = asyncio.create_task(asyncio.to_thread(self._writer.start))
        if not self._started.done():
            await asyncio.shield(self._started)
        self._started.result()

    # Requests -------------------------------------------------------------------------------------------------------

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        held = _Held()
        self._requests += 1
        try:
            await self._take(scope, receive, held)
        except _Refused as refused:
            self._count(refused.reason, lost=refused.lost)
            await _respond(send, refused.status)
        except _Gone:
            self._count("truncated")
        else:
            await _respond(send, HTTPStatus.OK)
        finally:
            self._requests -= 1
            self._held -= held.size

    def _count(self, reason: str, *, lost: bool = False) -> None:
        self._writer.count(f"refused.{reason}")
        if lost:
            self._writer.lose()

    async def _take(self, scope: Scope, receive: Receive, held: _Held) -> None:
        """Read one event and have it stored. Raises _Refused or _Gone."""
        signature = _checked(scope)
        if self._requests > REQUEST_LIMIT:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "overload", lost=True)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await self._body(receive, held)
        except TimeoutError:
            raise _Refused(HTTPStatus.REQUEST_TIMEOUT, "timeout") from None
        if not authentic(body, signature, self._key):
            raise _Refused(HTTPStatus.UNAUTHORIZED, "signature")
        try:
            event = read_event(body)
        except BadEvent as bad:
            raise _Refused(HTTPStatus.BAD_REQUEST, bad.reason) from None
        if not event.topic.of_use:
            self._writer.count(f"unused.{event.topic.short}")
            return
        await self._store(Message(message_id(body), self._clock.now(), storable(body, event)))

    async def _body(self, receive: Receive, held: _Held) -> bytes:
        """The whole body, within the bounds of one and of all."""
        chunks: list[bytes] = []
        more = True
        while more:
            part = await receive()
            if part["type"] != "http.request":
                raise _Gone
            chunk = part.get("body", b"")
            more = part.get("more_body", False)
            held.size += len(chunk)
            self._held += len(chunk)
            if held.size > BODY_LIMIT:
                raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size")
            if self._held > HELD_LIMIT:
                raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "overload", lost=True)
            chunks.append(chunk)
        return b"".join(chunks)

    async def _store(self, message: Message) -> None:
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not (self._writer.put(message, stored) and await stored):
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "store", lost=True)

    def _settle(self, tickets: Sequence[asyncio.Future[bool]], stored: bool) -> None:  # noqa: FBT001 (a callback)
        """Wake the requests of a batch, from the writer's thread: one call into the loop for all of them."""
        if self._loop is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits; what was stored is stored
            self._loop.call_soon_threadsafe(_wake, tickets, stored)


def _wake(tickets: Sequence[asyncio.Future[bool]], stored: bool) -> None:  # noqa: FBT001 (a callback)
    for ticket in tickets:
        if not ticket.done():  # a request may have been given up
            ticket.set_result(stored)


def _checked(scope: Scope) -> bytes:
    """The signature of a request that may be read at all."""
    if scope["path"] not in PATHS:
        raise _Refused(HTTPStatus.NOT_FOUND, "path")
    if scope["method"] != "POST":
        raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method")
    headers = dict(scope["headers"])
    signature: bytes = headers.get(b"x-hmac-signature", b"")
    if not signature:
        raise _Refused(HTTPStatus.UNAUTHORIZED, "signature")
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 18 or int(length) > BODY_LIMIT:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size")
    return signature


async def _respond(send: Send, status: HTTPStatus) -> None:
    """An answer without a body. After a refusal the connection ends: what is left of the body is not read."""
    headers = [(b"content-length", b"0")]
    if status is not HTTPStatus.OK:
        headers.append((b"connection", b"close"))
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
