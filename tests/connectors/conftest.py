"""What the connector tests share: the vendor's discovery document as a checker, and a simulated service to talk to."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from proscribe.clock import ManualClock
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.base import Order
from proscribe.simulate.amapi import AmapiSimulator, App, Fleet, SimDevice
from proscribe.terms import Enrolment, Side

ENTERPRISE = "enterprises/lighthouses"
START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def _load_discovery() -> Any:
    spec = importlib.util.spec_from_file_location("proscribe_test_discovery", Path(__file__).with_name("discovery.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Discovery()


@pytest.fixture(scope="session")
def discovery() -> Any:
    return _load_discovery()


class CheckedTransport(httpx.BaseTransport):
    """Passes everything on, and holds every request and every JSON answer against the discovery document."""

    def __init__(self, discovery: Any) -> None:
        self._inner = httpx.HTTPTransport()
        self._discovery = discovery
        self.faults: list[str] = []
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        path = request.url.path
        checked = not path.startswith("/_sim/")
        if checked:
            body = json.loads(request.content) if request.content else None
            self.faults += self._discovery.request(request.method, path, dict(request.url.params), body)
        answer = self._inner.handle_request(request)
        answer.read()
        if checked and answer.content.strip().startswith(b"{"):
            found = json.loads(answer.content)
            self.faults += self._discovery.response(request.method, path, answer.status_code, found)
        return answer

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def transport(discovery: Any) -> Iterator[CheckedTransport]:
    transport = CheckedTransport(discovery)
    yield transport
    transport.close()
    assert transport.faults == []


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def policy(name: str, **settings: Any) -> dict[str, Any]:
    """A policy of the kind an organisation has, before any ban."""
    return {
        "name": f"{ENTERPRISE}/policies/{name}",
        "playStoreMode": "BLACKLIST",
        "applications": [
            {
                "packageName": "org.lighthouses.mail",
                "installType": "FORCE_INSTALLED",
                "defaultPermissionPolicy": "GRANT",
            },
            {"packageName": "org.example.casino", "installType": "BLOCKED"},
        ],
        "statusReportingSettings": {
            "applicationReportsEnabled": True,
            "applicationReportingSettings": {"includeRemovedApps": True},
        },
        "personalUsagePolicies": {
            "cameraDisabled": True,
            "personalPlayStoreMode": "BLOCKLIST",
            "privateSpacePolicy": "PRIVATE_SPACE_DISALLOWED",
            "personalApplications": [
                {"packageName": "org.example.casino", "installType": "BLOCKED"},
                {"packageName": "org.example.photos", "installType": "AVAILABLE"},
            ],
        },
        **settings,
    }


def device(number: int, enrolment: Enrolment = Enrolment.fully_managed, **details: Any) -> SimDevice:
    """A device with the ordinary apps and WeChat, on the policy ``harbour``, syncing twice an hour."""
    held = [
        App("org.lighthouses.mail", "Lighthouse Mail", signer="ab" * 32),
        App("com.tencent.mm", "WeChat", signer="cd" * 32),
    ]
    made = SimDevice(
        name=f"{ENTERPRISE}/devices/d{number:04d}",
        enrolment=enrolment,
        policy=f"{ENTERPRISE}/policies/harbour",
        serial=f"NL{number:04d}",
        apps={app.package: app for app in held},
        enrolment_data='{"department": "Charts"}',
    )
    made.next_sync = START.replace(minute=10)
    if enrolment is not Enrolment.fully_managed:
        made.personal = {app.package: app for app in held}
    for name, value in details.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def make_policy() -> Callable[..., dict[str, Any]]:
    return policy


@pytest.fixture
def make_device() -> Callable[..., SimDevice]:
    return device


@pytest.fixture
def simulate(clock: ManualClock, discovery: Any) -> Iterator[Callable[..., AmapiSimulator]]:
    """Starts a simulator over given policies and devices; every true exchange is checked against the document."""
    running: list[AmapiSimulator] = []
    faults: list[str] = []

    def check(exchange: Any) -> None:
        call = exchange.call
        if exchange.reply.status == 200:  # a refused request may be wrong: that is why it was refused
            body = json.loads(call.body) if call.body else None
            faults.extend(discovery.request(call.method, call.path, dict(call.query), body))
        answer = json.loads(exchange.reply.body)
        faults.extend(discovery.response(call.method, call.path, exchange.reply.status, answer))

    def start(
        policies: list[dict[str, Any]] | None = None, devices: list[SimDevice] | None = None, **options: Any
    ) -> AmapiSimulator:
        fleet = Fleet(
            ENTERPRISE,
            [policy("harbour")] if policies is None else policies,
            [device(1)] if devices is None else devices,
        )
        simulator = AmapiSimulator(fleet, clock, **options)
        simulator.watch(check)
        running.append(simulator.__enter__())
        return simulator

    yield start
    for simulator in running:
        simulator.__exit__(None, None, None)
    assert faults == []


@pytest.fixture
def connect(clock: ManualClock, transport: CheckedTransport) -> Iterator[Callable[..., AmapiConnector]]:
    """Makes a connector to a simulator; waits are of the manual clock and without chance."""
    made: list[AmapiConnector] = []

    def start(simulator: AmapiSimulator, **settings: Any) -> AmapiConnector:
        config = AmapiConfig(ENTERPRISE, endpoint=simulator.endpoint, **settings)
        connector = AmapiConnector(config, clock=clock, transport=transport, jitter=lambda limit: limit)
        made.append(connector)
        return connector

    yield start
    for connector in made:
        connector.close()


@pytest.fixture
def work_order() -> Order:
    return Order(
        key="key-work",
        system="amapi",
        scope=f"{ENTERPRISE}/policies/harbour",
        method="modify_policy_applications",
        side=Side.whole,
        app_ids=("com.tencent.mm",),
    )


@pytest.fixture
def personal_order() -> Order:
    return Order(
        key="key-personal",
        system="amapi",
        scope=f"{ENTERPRISE}/policies/harbour",
        method="patch_personal_usage",
        side=Side.personal,
        app_ids=("com.tencent.mm",),
    )
