"""The HTTP client against a service that misbehaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from proscribe.clock import ManualClock
from proscribe.connectors.amapi.bucket import TokenBucket
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.amapi.wire import Wire, uniform
from proscribe.connectors.base import NotAuthorised, Order, Rejected, Throttled, UnknownFate
from proscribe.simulate.amapi import AmapiSimulator

POLICY = "enterprises/lighthouses/policies/harbour"


@pytest.fixture
def wire(
    simulate: Callable[..., AmapiSimulator], clock: ManualClock, transport: httpx.BaseTransport
) -> tuple[AmapiSimulator, Wire]:
    simulator = simulate()
    config = AmapiConfig(
        "enterprises/lighthouses", endpoint=simulator.endpoint, read_timeout=1.0, response_limit=1 << 20
    )
    return simulator, Wire(config, clock=clock, transport=transport, jitter=lambda limit: limit)


def scripted(clock: ManualClock, *answers: httpx.Response | Exception, **settings: Any) -> Wire:
    """A client whose service gives these answers, one after the other."""
    waiting = list(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        found = waiting.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    config = AmapiConfig("enterprises/lighthouses", endpoint="http://127.0.0.1:1", **settings)
    return Wire(config, clock=clock, transport=httpx.MockTransport(answer), jitter=lambda limit: limit)


@pytest.mark.parametrize("kind", ["throttle", "fail_before", "drop_before", "garbage"])
def test_reads_are_repeated(wire: tuple[AmapiSimulator, Wire], clock: ManualClock, kind: str) -> None:
    simulator, client = wire
    simulator.faults.next("policies.get", kind, times=4)
    before = clock.now()
    assert client.read(POLICY).body["name"] == POLICY
    assert len(simulator.journal.requests) == 5
    assert (clock.now() - before).total_seconds() == 1 + 2 + 4 + 8, "the pauses double"


def test_a_read_without_an_answer_is_repeated(wire: tuple[AmapiSimulator, Wire]) -> None:
    simulator, client = wire
    simulator.faults.next("policies.get", "stall_before", seconds=10.0)
    assert client.read(POLICY).body["name"] == POLICY
    assert len(simulator.journal.requests) == 2


@pytest.mark.parametrize(
    ("kind", "fault"), [("throttle", Throttled), ("fail_before", UnknownFate), ("drop_after", UnknownFate)]
)
def test_reads_give_up_in_the_end(wire: tuple[AmapiSimulator, Wire], kind: str, fault: type[Exception]) -> None:
    simulator, client = wire
    simulator.faults.next("policies.get", kind, times=9)
    with pytest.raises(fault):
        client.read(POLICY)
    assert len(simulator.journal.requests) == 5


def test_retry_after_is_kept_by_everybody_who_shares_the_quota(
    simulate: Callable[..., AmapiSimulator], clock: ManualClock
) -> None:
    simulator, bucket = simulate(), TokenBucket(clock)
    config = AmapiConfig("enterprises/lighthouses", endpoint=simulator.endpoint)
    first, second = (Wire(config, clock=clock, bucket=bucket, jitter=lambda limit: 0.0) for _ in range(2))
    simulator.faults.next("policies.get", "throttle", retry_after="30")
    before = clock.now()
    first.read(POLICY)
    assert (clock.now() - before).total_seconds() >= 30
    bucket.hold(12)
    held = clock.now()
    second.read(POLICY)
    assert (clock.now() - held).total_seconds() >= 12
    first.close()
    second.close()


def test_a_long_retry_after_is_left_to_the_loop(wire: tuple[AmapiSimulator, Wire]) -> None:
    simulator, client = wire
    simulator.faults.next("policies.get", "throttle", retry_after="3600")
    with pytest.raises(Throttled) as caught:
        client.read(POLICY)
    assert caught.value.retry_after == 3600
    assert len(simulator.journal.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("Mon, 02 Nov 2026 08:01:00 GMT", 60.0),
        ("Mon, 02 Nov 2026 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_in_every_form(clock: ManualClock, header: str, seconds: float | None) -> None:
    client = scripted(clock, httpx.Response(429, headers={"Retry-After": header}), read_attempts=1)
    with pytest.raises(Throttled) as caught:
        client.read(POLICY)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("kind", ["fail_before", "drop_before", "throttle", "stall_before", "refuse"])
def test_a_write_is_sent_once(wire: tuple[AmapiSimulator, Wire], kind: str) -> None:
    simulator, client = wire
    simulator.faults.next("write", kind)
    with pytest.raises((UnknownFate, Throttled)):
        client.write("POST", f"{POLICY}:removePolicyApplications", None, {"packageNames": ["a.b"]})
    assert len(simulator.journal.requests) == 1


@pytest.mark.parametrize(
    ("status", "reason", "fault"),
    [
        (400, "", Rejected),
        (404, "", Rejected),
        (412, "", Rejected),
        (403, "", NotAuthorised),
        (403, "RATE_LIMIT_EXCEEDED", Throttled),
        (401, "", NotAuthorised),
        (408, "", UnknownFate),
        (409, "", UnknownFate),
        (500, "", UnknownFate),
        (504, "", UnknownFate),
    ],
)
def test_each_status_has_its_fault(
    wire: tuple[AmapiSimulator, Wire], status: int, reason: str, fault: type[Exception]
) -> None:
    simulator, client = wire
    simulator.faults.next("write", "refuse", status=status, reason=reason)
    with pytest.raises(fault) as caught:
        client.write("POST", f"{POLICY}:removePolicyApplications", None, {"packageNames": ["a.b"]})
    assert type(caught.value) is fault
    assert "The service failed." in str(caught.value), "the API's own message is passed on"


def test_the_message_of_a_refusal_is_the_apis(wire: tuple[AmapiSimulator, Wire]) -> None:
    _, client = wire
    with pytest.raises(Rejected, match=r"policies/absent was not found"):
        client.read("enterprises/lighthouses/policies/absent")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"error": "text"}',
        b'{"error": {"message": 4, "details": "none"}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_an_error_body_of_any_shape_is_survived(clock: ManualClock, body: bytes) -> None:
    with pytest.raises(Rejected):
        scripted(clock, httpx.Response(400, content=body)).read(POLICY)


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"7", b"[" * 100_000])
def test_an_answer_that_is_no_object_is_of_unknown_fate(clock: ManualClock, body: bytes) -> None:
    with pytest.raises(UnknownFate):
        scripted(clock, httpx.Response(200, content=body)).write("PATCH", POLICY, None, {})


def test_a_redirect_is_not_followed(clock: ManualClock) -> None:
    moved = httpx.Response(302, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(Rejected):
        scripted(clock, moved).read(POLICY)


def test_an_answer_beyond_the_limit_is_cut_off(wire: tuple[AmapiSimulator, Wire]) -> None:
    simulator, client = wire
    simulator.faults.next("policies.get", "oversize")
    with pytest.raises(Rejected, match="larger than"):
        client.read(POLICY)
    simulator.faults.next("write", "oversize")
    with pytest.raises(UnknownFate, match="larger than"):
        client.write("POST", f"{POLICY}:removePolicyApplications", None, {"packageNames": ["a.b"]})


def test_names_are_quoted(clock: ManualClock) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(200, json={})

    config = AmapiConfig("enterprises/lighthouses", endpoint="http://127.0.0.1:1/")
    Wire(config, clock=clock, transport=httpx.MockTransport(answer)).read(
        "enterprises/e/policies/a?b#c", {"pageSize": "5"}
    )
    assert seen == ["/v1/enterprises/e/policies/a%3Fb%23c?pageSize=5"]


def test_an_expired_token_is_renewed_once(
    simulate: Callable[..., AmapiSimulator], connect: Callable[..., AmapiConnector], work_order: Order
) -> None:
    simulator = simulate(tokens={"good"})
    connector = connect(simulator, token="good")
    connector.prepare(work_order)
    simulator.faults.next("policies.get", "expire")
    with pytest.raises(NotAuthorised):  # a fixed token cannot be renewed
        connector.prepare(work_order)


def test_the_token_is_no_part_of_the_digest(clock: ManualClock) -> None:
    answers = [httpx.Response(200, json={"a": 1}) for _ in range(2)]
    first = scripted(clock, answers[0], token="one").read(POLICY)
    second = scripted(clock, answers[1], token="two").read(POLICY)
    assert first.request == second.request
    assert first.response == second.response


def test_jitter_is_full() -> None:
    drawn = [uniform(8.0) for _ in range(500)]
    assert all(0 <= value <= 8 for value in drawn)
    assert min(drawn) < 1
    assert max(drawn) > 7


def test_the_quota_is_never_exceeded(simulate: Callable[..., AmapiSimulator], clock: ManualClock) -> None:
    """A service that counts for itself never has to refuse us, though 300 reads are made at once."""
    simulator = simulate(quota=(100, 100.0))
    config = AmapiConfig("enterprises/lighthouses", endpoint=simulator.endpoint)
    client = Wire(config, clock=clock, bucket=TokenBucket(clock, size=100, window=100.0), jitter=lambda limit: limit)
    began = datetime.now(UTC)
    for _ in range(300):
        client.read(POLICY)
    assert {entry.status for entry in simulator.journal.requests} == {200}
    assert (datetime.now(UTC) - began).total_seconds() < 5, "the waits were the manual clock's"
    client.close()
