"""Reading the fleet: leniently, completely, and from where a scan was cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from proscribe.clock import ManualClock
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.base import Rejected, UnknownFate
from proscribe.simulate.amapi import AmapiSimulator

NAME = "enterprises/lighthouses/policies/harbour"


def answering(clock: ManualClock, *pages: Any) -> AmapiConnector:
    waiting = list(pages)
    config = AmapiConfig("enterprises/lighthouses", endpoint="http://127.0.0.1:1", read_attempts=1)
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=waiting.pop(0)))
    return AmapiConnector(config, clock=clock, transport=transport)


def test_devices_are_counted_by_policy(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_policy: Callable[..., Any],
    make_device: Callable[..., Any],
) -> None:
    pier = "enterprises/lighthouses/policies/pier"
    devices = [make_device(number, policy=NAME if number % 3 else pier) for number in range(11)]
    simulator = simulate([make_policy("harbour"), make_policy("pier"), make_policy("empty")], devices)
    batches = list(connect(simulator, page_size=2).observe())
    counts = {scope.id.rsplit("/", 1)[1]: scope.devices for batch in batches for scope in batch.scopes}
    assert counts == {"harbour": 7, "pier": 4, "empty": 0}
    assert [len(batch.devices) for batch in batches] == [2, 2, 2, 2, 2, 1, 0]
    resumed = list(connect(simulator, page_size=2).observe(batches[2].cursor))
    assert {scope.id: scope.devices for batch in resumed for scope in batch.scopes}[NAME] == 7


def test_a_hundred_devices_a_page(
    simulate: Callable[..., AmapiSimulator], connect: Callable[..., AmapiConnector], make_device: Callable[..., Any]
) -> None:
    simulator = simulate(devices=[make_device(number) for number in range(205)])
    batches = list(connect(simulator).observe())
    assert [len(batch.devices) for batch in batches] == [100, 100, 5, 0]


def test_an_empty_enterprise_is_observed(
    simulate: Callable[..., AmapiSimulator], connect: Callable[..., AmapiConnector]
) -> None:
    batches = list(connect(simulate([], [])).observe())
    assert [(batch.devices, batch.scopes) for batch in batches] == [((), ()), ((), ())]


def test_a_fault_in_the_middle_leaves_what_was_read(
    simulate: Callable[..., AmapiSimulator], connect: Callable[..., AmapiConnector], make_device: Callable[..., Any]
) -> None:
    simulator = simulate(devices=[make_device(number) for number in range(6)])
    connector = connect(simulator, page_size=2)
    seen, cursor = [], ""
    scan = connector.observe()
    batch = next(scan)
    seen += batch.devices
    simulator.faults.next("devices.list", "fail_before", times=5)
    with pytest.raises(UnknownFate):
        next(scan)
    cursor = batch.cursor
    seen += [device for later in connector.observe(cursor) for device in later.devices]
    assert len({device.key for device in seen}) == 6


def test_unknown_fields_stop_nothing_and_are_counted(clock: ManualClock) -> None:
    page = {"devices": [{"name": "enterprises/lighthouses/devices/1", "mood": "fine"}], "etag": "x"}
    policies = {
        "policies": [{"name": NAME, "version": "1", "vibe": 1, "applications": [{"packageName": "a", "odd": 1}]}]
    }
    first, second = answering(clock, page, policies).observe()
    assert first.unknown_fields == ("Device.mood", "ListDevicesResponse.etag")
    assert second.unknown_fields == ("ApplicationPolicy.odd", "Policy.vibe")
    assert len(first.devices) == 1


def test_a_bad_record_is_listed_and_hides_no_other(clock: ManualClock) -> None:
    page = {"devices": [{"managementMode": "DEVICE_OWNER"}, 7, {"name": "enterprises/lighthouses/devices/1"}]}
    policies = {"policies": [{"name": NAME}, {"name": NAME, "version": "3"}]}
    first, second = answering(clock, page, policies).observe()
    assert [(problem.file, problem.row, problem.field) for problem in first.problems] == [
        ("devices.list", 1, "name"),
        ("devices.list", 2, "name"),
    ]
    assert len(first.devices) == 1
    assert [(problem.row, problem.field) for problem in second.problems] == [(1, "version")]
    assert [scope.version for scope in second.scopes] == [3]


@pytest.mark.parametrize("page", [{"devices": {}}, {"devices": [], "nextPageToken": 5}, {"devices": "none"}])
def test_a_page_of_another_shape_is_refused(clock: ManualClock, page: dict[str, Any]) -> None:
    with pytest.raises(UnknownFate):
        list(answering(clock, page).observe())


def test_a_page_token_that_repeats_ends_the_scan(clock: ManualClock) -> None:
    pages = [{"devices": [], "nextPageToken": "same"}] * 3
    with pytest.raises(UnknownFate, match="nextPageToken"):
        list(answering(clock, *pages).observe())


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "[]",
        "{}",
        '{"phase":"apps","token":"","counts":{}}',
        '{"phase":"devices","token":1,"counts":{}}',
        '{"phase":"devices","token":"","counts":[]}',
        '{"phase":"devices","token":"","counts":{"a":"b"}}',
    ],
)
def test_a_cursor_of_somebody_else_is_refused(clock: ManualClock, cursor: str) -> None:
    with pytest.raises(Rejected, match="cursor"):
        list(answering(clock).observe(cursor))


def test_a_page_token_that_the_api_no_longer_takes_is_refused(
    simulate: Callable[..., AmapiSimulator], connect: Callable[..., AmapiConnector]
) -> None:
    with pytest.raises(Rejected, match="page_token"):
        list(connect(simulate()).observe('{"phase":"devices","token":"b2xk","counts":{}}'))
