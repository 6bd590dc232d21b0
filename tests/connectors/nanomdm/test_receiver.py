"""The webhook's receiver: what it acknowledges is stored, what it refuses is counted, what it turns away is noted."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.connectors.nanomdm.telling import KEY, START, TOKEN_UPDATE, Inbox, event, idle, minutes, signed, token_update

from proscribe.clock import ManualClock
from proscribe.connectors.memory import Message, Row
from proscribe.connectors.nanomdm import receiver as module
from proscribe.connectors.nanomdm import writer
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.events import message_id, read_event
from proscribe.connectors.nanomdm.receiver import BODY_LIMIT, receiver
from proscribe.connectors.nanomdm.records import Records
from proscribe.errors import DiskFull
from proscribe.text import Text

CONFIG = NanomdmConfig("http://127.0.0.1:9", api_key="k", webhook_key=KEY.decode(), listen="127.0.0.1:9005")

Json = dict[str, Any]


class Sender:
    """Speaks ASGI to a receiver, inside one event loop."""

    def __init__(self, inbox: Inbox, clock: ManualClock) -> None:
        self.application: Any = receiver(CONFIG, inbox.memory, clock)
        self._messages: asyncio.Queue[Json] = asyncio.Queue()
        self._life: asyncio.Task[None] | None = None
        self.said: list[Json] = []
        self._spoken = asyncio.Event()

    async def begin(self) -> None:
        """As a server starts an application."""
        self._life = asyncio.create_task(self._run())
        await self._messages.put({"type": "lifespan.startup"})
        await self._spoken.wait()

    async def end(self) -> None:
        """As a server ends one."""
        assert self._life is not None
        await self._messages.put({"type": "lifespan.shutdown"})
        await self._life

    async def _run(self) -> None:
        async def say(message: Json) -> None:
            self.said.append(message)
            self._spoken.set()

        await self.application({"type": "lifespan"}, self._messages.get, say)

    async def post(self, body: bytes, **how: Any) -> int:
        """The status; 0 where nothing was answered."""
        answer = await self.request([{"type": "http.request", "body": body}], signature=signed(body), **how)
        return answer[0]["status"] if answer else 0

    async def request(
        self,
        parts: Sequence[Json],
        *,
        signature: str = "",
        path: str = "/webhook",
        method: str = "POST",
        headers: Sequence[tuple[bytes, bytes]] = (),
        for_ever: bool = False,
    ) -> list[Json]:
        """What is answered to a request whose body comes in these parts, and then nothing (``for_ever``)."""
        waiting = list(parts)
        answered: list[Json] = []

        async def receive() -> Json:
            if waiting:
                return waiting.pop(0)
            if for_ever:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: Json) -> None:
            answered.append(message)

        signature_header = [(b"x-hmac-signature", signature.encode())] if signature else []
        scope = {"type": "http", "path": path, "method": method, "headers": [*signature_header, *headers]}
        await self.application(scope, receive, send)
        return answered


def with_sender(
    inbox: Inbox,
    script: Callable[[Sender], Awaitable[None]],
    clock: ManualClock | None = None,
    *,
    lifespan: bool = True,
) -> None:
    """Run a script against a receiver; the receiver is ended in any case."""

    async def run() -> None:
        sender = Sender(inbox, clock or ManualClock(START))
        if lifespan:
            await sender.begin()
        try:
            await script(sender)
        finally:
            if lifespan:
                await sender.end()

    asyncio.run(run())


def status_of(inbox: Inbox, body: bytes, **how: Any) -> int:
    """What one request is answered."""
    found: list[int] = []

    async def script(sender: Sender) -> None:
        found.append(await sender.post(body, **how))

    with_sender(inbox, script)
    return found[0]


# Acknowledged -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/webhook"])
def test_what_is_acknowledged_is_stored_as_it_came(path: str) -> None:
    inbox, body = Inbox(), idle(minutes(1))
    assert status_of(inbox, body, path=path) == 200
    assert list(inbox.messages.values()) == [Message(message_id(body), START, body)]
    assert inbox.counts == {"received": 1}


def test_it_is_acknowledged_only_once_it_is_stored() -> None:
    class Slow(Inbox):
        def receive(self, messages: Sequence[Message]) -> int:
            assert allowed.wait(30)
            return super().receive(messages)

    allowed = threading.Event()
    inbox = Slow()

    async def script(sender: Sender) -> None:
        answer = asyncio.create_task(sender.post(idle(minutes(1))))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not answer.done()
        allowed.set()
        assert await answer == 200

    with_sender(inbox, script)
    assert len(inbox.messages) == 1


def test_what_waits_together_is_stored_in_one_transaction() -> None:
    batches: list[int] = []

    class Counted(Inbox):
        def receive(self, messages: Sequence[Message]) -> int:
            batches.append(len(messages))
            return super().receive(messages)

    inbox = Counted()
    thread = writer.Writer(inbox.memory, ManualClock(START), lambda _tickets, _stored: None)
    for number in range(writer.BATCH_COUNT + 100):
        thread.put(Message(str(number), START, b""), number)
    thread.start()
    thread.stop()
    assert batches == [writer.BATCH_COUNT, 100]


def test_many_at_once_are_all_acknowledged_and_stored() -> None:
    inbox = Inbox()
    bodies = [idle(minutes(number)) for number in range(300)]

    async def script(sender: Sender) -> None:
        assert set(await asyncio.gather(*(sender.post(body) for body in bodies))) == {200}

    with_sender(inbox, script)
    assert set(inbox.messages) == {message_id(body) for body in bodies}


def test_a_replay_is_acknowledged_and_counted_and_stored_once() -> None:
    inbox, body = Inbox(), idle(minutes(1))

    async def script(sender: Sender) -> None:
        assert [await sender.post(body) for _ in range(3)] == [200, 200, 200]

    with_sender(inbox, script)
    assert len(inbox.messages) == 1
    assert inbox.counts == {"received": 1, "replayed": 2}


def test_a_body_in_parts_is_one_event() -> None:
    inbox, body = Inbox(), idle(minutes(1))
    parts = [{"type": "http.request", "body": body[at : at + 7], "more_body": True} for at in range(0, len(body), 7)]

    async def script(sender: Sender) -> None:
        answer = await sender.request([*parts, {"type": "http.request"}], signature=signed(body))
        assert answer[0]["status"] == 200

    with_sender(inbox, script)
    assert inbox.messages[message_id(body)].body == body


def test_the_keys_of_a_device_never_reach_the_store() -> None:
    inbox, body = Inbox(), token_update(minutes(1))
    assert status_of(inbox, body) == 200
    (message,) = inbox.messages.values()
    assert message.id == message_id(body)
    assert base64.b64encode(TOKEN_UPDATE["UnlockToken"]) not in base64.b64decode(
        json.loads(message.body)["checkin_event"]["raw_payload"]
    )
    assert read_event(message.body).at == minutes(1)


@pytest.mark.parametrize("topic", ["SetBootstrapToken", "GetBootstrapToken", "GetToken", "UserAuthenticate"])
def test_what_nobody_needs_is_acknowledged_and_counted_and_not_stored(topic: str) -> None:
    inbox = Inbox()
    assert status_of(inbox, event(topic, minutes(1), {"BootstrapToken": b"secret"})) == 200
    assert not inbox.messages
    assert inbox.counts == {f"unused.{topic}": 1}


# Refused ------------------------------------------------------------------------------------------------------------


def refused(inbox: Inbox, reason: str) -> bool:
    """Whether that was counted, and nothing else happened."""
    return not inbox.messages and inbox.counts == {f"refused.{reason}": 1} and not inbox.rows.get("gap")


def answers(parts: Sequence[Json], **how: Any) -> tuple[Inbox, list[Json]]:
    inbox, found = Inbox(), list[Json]()

    async def script(sender: Sender) -> None:
        found.extend(await sender.request(parts, **how))

    with_sender(inbox, script)
    return inbox, found


@pytest.mark.parametrize("signature", ["", "x", signed(b"another body"), signed(b"x")[:-1]])
def test_what_is_not_signed_with_the_key_is_refused(signature: str) -> None:
    inbox, found = answers([{"type": "http.request", "body": idle(minutes(1))}], signature=signature)
    assert found[0]["status"] == 401
    assert refused(inbox, "signature")
    assert (b"connection", b"close") in found[0]["headers"]


def test_nothing_of_a_body_is_looked_at_before_its_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read_event", lambda _body: pytest.fail("it was read"))
    inbox, found = answers([{"type": "http.request", "body": idle(minutes(1))}], signature="x")
    assert found[0]["status"] == 401
    assert refused(inbox, "signature")


def test_a_body_that_says_it_is_too_long_is_not_read() -> None:
    length = [(b"content-length", str(BODY_LIMIT + 1).encode())]
    inbox, found = answers([], signature="x", headers=length, for_ever=True)
    assert found[0]["status"] == 413
    assert refused(inbox, "size")


@pytest.mark.parametrize("length", [b"-1", b"many", b"9" * 30])
def test_a_length_that_is_none_is_refused(length: bytes) -> None:
    inbox, found = answers([], signature="x", headers=[(b"content-length", length)])
    assert found[0]["status"] == 413
    assert refused(inbox, "size")


def test_a_body_that_turns_out_too_long_is_not_read_on() -> None:
    chunk = b"x" * (1024 * 1024)
    parts = [{"type": "http.request", "body": chunk, "more_body": True}] * 9
    inbox, found = answers(parts, signature="x", for_ever=True)
    assert found[0]["status"] == 413
    assert refused(inbox, "size")


def test_a_body_of_just_that_length_is_taken_for_what_it_is() -> None:
    body = b" " * BODY_LIMIT
    inbox, found = answers([{"type": "http.request", "body": body}], signature=signed(body))
    assert found[0]["status"] == 400
    assert refused(inbox, "shape")


@pytest.mark.parametrize("body", [b"", b"{", b"null", idle(minutes(1))[:-5], b"[" * 50_000])
def test_what_is_signed_and_yet_no_event_is_refused(body: bytes) -> None:
    inbox, found = answers([{"type": "http.request", "body": body}], signature=signed(body))
    assert found[0]["status"] == 400
    assert refused(inbox, "shape")


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_SECONDS", 0.01)
    inbox, found = answers([{"type": "http.request", "body": b"{", "more_body": True}], signature="x", for_ever=True)
    assert found[0]["status"] == 408
    assert refused(inbox, "timeout")


def test_a_body_that_breaks_off_is_counted() -> None:
    inbox, found = answers([{"type": "http.request", "body": b"{", "more_body": True}], signature="x")
    assert found == []
    assert refused(inbox, "truncated")


def test_other_paths_and_methods_are_refused() -> None:
    inbox, found = answers([], signature="x", path="/admin")
    assert found[0]["status"] == 404
    assert refused(inbox, "path")
    inbox, found = answers([], signature="x", method="GET")
    assert found[0]["status"] == 405
    assert (b"allow", b"POST") in found[0]["headers"]
    assert refused(inbox, "method")


# Turned away --------------------------------------------------------------------------------------------------------


def test_more_bytes_than_may_be_held_are_turned_away_and_asked_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD_LIMIT", 10_000)
    inbox = Inbox()

    async def script(sender: Sender) -> None:
        part = {"type": "http.request", "body": b"x" * 6_000, "more_body": True}
        first = asyncio.create_task(sender.request([part], signature="x", for_ever=True))
        await asyncio.sleep(0)
        second = await sender.request([part], signature="x", for_ever=True)
        assert second[0]["status"] == 503
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert await sender.post(idle(minutes(1))) == 200  # what the first one held is free again

    with_sender(inbox, script, ManualClock(minutes(5)))
    assert inbox.counts["refused.overload"] == 1
    (gap,) = Records(inbox.memory).gaps()
    assert (gap.began, gap.ended, gap.healed_at) == (minutes(5), minutes(5), None)


def test_more_requests_than_may_be_under_way_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_LIMIT", 0)
    inbox = Inbox()
    assert status_of(inbox, idle(minutes(1))) == 503
    assert len(Records(inbox.memory).gaps()) == 1


def test_connections_that_could_not_be_taken_are_asked_for_later() -> None:
    inbox = Inbox()

    async def script(sender: Sender) -> None:
        sender.application.turned_away()

    with_sender(inbox, script)
    assert inbox.counts == {"refused.overload": 1}
    assert len(Records(inbox.memory).gaps()) == 1


class Failing(Inbox):
    """Cannot store the first so many batches."""

    def __init__(self, error: Exception, times: int) -> None:
        super().__init__()
        self._error = error
        self.left = times

    def receive(self, messages: Sequence[Message]) -> int:
        if self.left:
            self.left -= 1
            raise self._error
        return super().receive(messages)


FULL = DiskFull(Text("full", "plein"), remedy=Text("wait", "attendez"))


def test_a_store_that_is_away_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_PAUSE", 0.0)
    inbox = Failing(FULL, 3)
    assert status_of(inbox, idle(minutes(1))) == 200
    assert len(inbox.messages) == 1


@pytest.mark.parametrize("error", [FULL, ZeroDivisionError()])
def test_what_cannot_be_stored_is_not_acknowledged_and_is_a_gap(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_PAUSE", 0.0)
    monkeypatch.setattr(writer, "PATIENCE", 0.0)
    inbox = Failing(error, 10**9)
    assert status_of(inbox, idle(minutes(1))) == 503
    assert not inbox.messages
    assert inbox.counts == {"refused.store": 1}
    assert len(Records(inbox.memory).gaps()) == 1


# Gaps ---------------------------------------------------------------------------------------------------------------


def test_the_first_start_is_no_gap_and_every_later_one_is() -> None:
    inbox, clock = Inbox(), ManualClock(START)
    heard = idle(minutes(1))

    async def one(sender: Sender) -> None:
        await sender.post(heard)
        clock.advance(minutes=10)

    with_sender(inbox, one, clock)
    assert Records(inbox.memory).gaps() == ()
    clock.advance(minutes=3)
    with_sender(inbox, one, clock)
    (gap,) = Records(inbox.memory).gaps()
    assert (gap.began, gap.ended, gap.healed_at) == (minutes(10), minutes(13), None)


def test_a_heartbeat_with_the_counts_is_left_while_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HEARTBEAT", 0.0)
    stored = threading.Event()

    class Told(Inbox):
        def put(self, kind: str, rows: Iterable[Row]) -> None:
            super().put(kind, rows)
            if self.get("receiver", "heartbeat") == {"at": minutes(7).isoformat()} and self.counts["received"]:
                stored.set()

    inbox, clock = Told(), ManualClock(START)

    async def script(sender: Sender) -> None:
        clock.advance(minutes=7)
        await sender.post(idle(minutes(1)))
        assert await asyncio.to_thread(stored.wait, 30)

    with_sender(inbox, script, clock)


def test_a_heartbeat_that_cannot_be_stored_takes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HEARTBEAT", 0.0)
    failed = threading.Event()

    class FailsOnce(Inbox):
        def count(self, name: str, by: int = 1) -> None:
            if not failed.is_set():
                failed.set()
                raise FULL
            super().count(name, by)

    inbox = FailsOnce()

    async def script(sender: Sender) -> None:
        assert await sender.post(idle(minutes(1)), path="/elsewhere") == 404
        assert await asyncio.to_thread(failed.wait, 30)

    with_sender(inbox, script)
    assert inbox.counts == {"refused.path": 1}


def test_a_store_that_cannot_be_opened_keeps_the_server_from_starting() -> None:
    class Closed(Inbox):
        def get(self, kind: str, key: str) -> Json | None:
            raise FULL

    async def run() -> list[Json]:
        sender = Sender(Closed(), ManualClock(START))
        await sender.begin()
        return sender.said

    (said,) = asyncio.run(run())
    assert said == {"type": "lifespan.startup.failed", "message": "full"}


def test_a_server_without_a_lifespan_is_served_too() -> None:
    inbox = Inbox()

    async def script(sender: Sender) -> None:
        assert set(await asyncio.gather(*(sender.post(idle(minutes(number))) for number in range(5)))) == {200}

    with_sender(inbox, script, lifespan=False)
    assert len(inbox.messages) == 5


def test_at_the_end_what_is_waiting_is_stored_and_nothing_more_is_taken() -> None:
    inbox = Inbox()
    told: list[tuple[Sequence[Any], bool]] = []
    thread = writer.Writer(inbox.memory, ManualClock(START), lambda tickets, stored: told.append((tickets, stored)))
    thread.start()
    bodies = [idle(minutes(number)) for number in range(3)]
    for number, body in enumerate(bodies):
        assert thread.put(Message(message_id(body), START, body), number)
    thread.stop()
    assert [ticket for tickets, stored in told if stored for ticket in tickets] == [0, 1, 2]
    assert not thread.put(Message("late", START, b""), 3)
    assert len(inbox.messages) == 3
    assert inbox.get("receiver", "heartbeat") == {"at": START.isoformat()}


def test_losses_of_one_spell_are_one_gap() -> None:
    inbox, clock = Inbox(), ManualClock(START)
    thread = writer.Writer(inbox.memory, clock, lambda _tickets, _stored: None)
    thread.start()
    thread.lose()
    clock.advance(seconds=2)
    thread.lose()
    thread.stop()
    (gap,) = Records(inbox.memory).gaps()
    assert gap.ended - gap.began == timedelta(seconds=2)
