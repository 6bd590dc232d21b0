"""Connectors by name."""

from __future__ import annotations

import pytest

from proscribe.clock import ManualClock
from proscribe.connectors.registry import UnknownConnector, names, open_connector


def test_a_connector_is_opened_by_its_name(clock: ManualClock) -> None:
    assert "amapi" in names()
    connector = open_connector("amapi", {"enterprise": "enterprises/e"}, clock=clock)
    assert connector.name == "amapi"


def test_an_unknown_name_lists_the_known_ones(clock: ManualClock) -> None:
    with pytest.raises(UnknownConnector) as caught:
        open_connector("../amapi", {}, clock=clock)
    assert "amapi" in caught.value.remedy.fr


def test_connectors_with_the_same_credentials_share_one_quota(clock: ManualClock) -> None:
    one = open_connector("amapi", {"enterprise": "enterprises/a"}, clock=clock)
    two = open_connector("amapi", {"enterprise": "enterprises/b"}, clock=clock)
    other = open_connector("amapi", {"enterprise": "enterprises/c", "credentials_file": "/other.json"}, clock=clock)
    buckets = [connector._wire._bucket for connector in (one, two, other)]  # type: ignore[attr-defined]
    assert buckets[0] is buckets[1]
    assert buckets[0] is not buckets[2]
