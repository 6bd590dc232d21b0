"""Connectors by name."""

from __future__ import annotations

import pytest

from proscribe.clock import ManualClock
from proscribe.connectors.memory import Surroundings
from proscribe.connectors.registry import UnknownConnector, names, open_connector


def test_a_connector_is_opened_by_its_name(clock: ManualClock) -> None:
    assert "amapi" in names()
    connector = open_connector("amapi", {"enterprise": "enterprises/e"}, Surroundings(clock))
    assert connector.name == "amapi"


def test_an_unknown_name_lists_the_known_ones(clock: ManualClock) -> None:
    with pytest.raises(UnknownConnector) as caught:
        open_connector("../amapi", {}, Surroundings(clock))
    assert "amapi" in caught.value.remedy.fr


def test_connectors_with_the_same_credentials_share_one_quota(clock: ManualClock) -> None:
    one = open_connector("amapi", {"enterprise": "enterprises/a"}, Surroundings(clock))
    two = open_connector("amapi", {"enterprise": "enterprises/b"}, Surroundings(clock))
    other = open_connector(
        "amapi", {"enterprise": "enterprises/c", "credentials_file": "/other.json"}, Surroundings(clock)
    )
    buckets = [connector._wire._bucket for connector in (one, two, other)]  # type: ignore[attr-defined]
    assert buckets[0] is buckets[1]
    assert buckets[0] is not buckets[2]
