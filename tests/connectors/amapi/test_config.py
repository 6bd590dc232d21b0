"""Settings: what is refused, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proscribe.clock import ManualClock, SystemClock
from proscribe.connectors.amapi.config import ENDPOINT, AmapiConfig
from proscribe.connectors.amapi.connector import from_settings
from proscribe.connectors.amapi.fields import fields, unknown, values
from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.memory import Surroundings


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"enterprise": "lighthouses"}, "enterprise"),
        ({"enterprise": "enterprises/a/policies/b"}, "enterprise"),
        ({"enterprise": "enterprises/a?b"}, "enterprise"),
        ({"endpoint": "http://example.org"}, "endpoint"),
        ({"endpoint": "http://127.0.0.1.example.org"}, "endpoint"),
        ({"endpoint": "ftp://127.0.0.1"}, "endpoint"),
        ({"token": "secret"}, "token"),
        ({"token": "secret", "endpoint": "https://example.org"}, "token"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"read_attempts": 0}, "read_attempts"),
        ({"merge_attempts": 0}, "merge_attempts"),
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        AmapiConfig(**{"enterprise": "enterprises/lighthouses", **settings})
    assert caught.value.where.field == f"amapi.{field}"
    assert caught.value.remedy.fr


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8080", "http://[::1]:80", "http://localhost:1", ENDPOINT])
def test_loopback_may_be_plain_http(endpoint: str) -> None:
    config = AmapiConfig("enterprises/lighthouses", endpoint=endpoint)
    assert config.loopback is (endpoint != ENDPOINT)


def test_settings_are_read_from_text() -> None:
    connector = from_settings(
        {"enterprise": "enterprises/e", "credentials_file": "/keys/a.json", "page_size": "50", "read_timeout": "2.5"},
        Surroundings(SystemClock()),
    )
    assert connector.config == AmapiConfig(
        "enterprises/e", credentials_file=Path("/keys/a.json"), page_size=50, read_timeout=2.5
    )
    connector.close()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({}, "enterprise"),
        ({"enterprise": "enterprises/e", "page_size": "many"}, "page_size"),
        ({"enterprise": "enterprises/e", "entreprise": "x"}, "entreprise"),
    ],
)
def test_settings_that_cannot_be_read(settings: dict[str, str], field: str, clock: ManualClock) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        from_settings(settings, Surroundings(clock))
    assert caught.value.where.field == f"amapi.{field}"


def test_the_field_lists_are_the_vendors(discovery: Any) -> None:
    from proscribe.connectors.amapi.fields import _data

    for kind in _data()["fields"]:
        assert fields(kind) == frozenset(discovery.schemas[kind]["properties"]), kind
    for name in _data()["values"]:
        kind, field = name.split(".")
        assert values(name) == frozenset(discovery.schemas[kind]["properties"][field]["enum"]), name
    assert discovery.document["revision"] in _data()["source"]


def test_unknown_fields_are_named_once() -> None:
    page = {"devices": [{"name": "d", "novel": 1}, {"novel": 2, "applicationReports": [{"odd": 1}, 7]}], "extra": {}}
    assert unknown("ListDevicesResponse", page) == (
        "ApplicationReport.odd",
        "Device.novel",
        "ListDevicesResponse.extra",
    )
