"""The simulator's tests use the fixtures of the connector's: the discovery checker and the fictional policies."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build

from proscribe.simulate.amapi import AmapiSimulator

_PATH = Path(__file__).parents[2] / "connectors" / "conftest.py"
_spec = importlib.util.spec_from_file_location("proscribe_connectors_conftest", _PATH)
assert _spec is not None
assert _spec.loader is not None
_shared = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_shared)

discovery = _shared.discovery
clock = _shared.clock
simulate = _shared.simulate
make_policy = _shared.make_policy
make_device = _shared.make_device


@pytest.fixture
def official() -> Iterator[Callable[[AmapiSimulator], Any]]:
    """The vendor's own client, pointed at a simulator."""
    made = []

    def start(simulator: AmapiSimulator) -> Any:
        client = build(
            "androidmanagement",
            "v1",
            static_discovery=True,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": simulator.endpoint},
        )
        made.append(client)
        return client.enterprises()

    yield start
    for client in made:
        client.close()
