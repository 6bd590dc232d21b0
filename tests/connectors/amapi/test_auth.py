"""Access tokens by real google-auth credentials, against a token endpoint in the shape of Google's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from proscribe.clock import ManualClock
from proscribe.connectors.amapi.auth import GoogleToken, credentials_for
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.base import NotAuthorised, Order, UnknownFate
from proscribe.simulate.amapi import AmapiSimulator


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def account(tmp_path: Path, private_key: str) -> Callable[[str], Path]:
    def write(token_uri: str) -> Path:
        path = tmp_path / "account.json"
        body = {
            "type": "service_account",
            "client_email": "proscribe@lighthouses.example",
            "private_key": private_key,
            "private_key_id": "1",
            "token_uri": token_uri,
        }
        path.write_text(json.dumps(body), encoding="utf-8")
        return path

    return write


def test_a_service_account_gets_its_token(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    account: Callable[[str], Path],
    work_order: Order,
    transport: Any,
) -> None:
    simulator = simulate(tokens=set())
    connector = connect(simulator, credentials_file=account(f"{simulator.endpoint}/_sim/token"))
    connector.send(work_order, connector.prepare(work_order))
    asked = [request for request in transport.requests if request.url.path == "/_sim/token"]
    assert len(asked) == 1
    assert b"grant_type=" in asked[0].content


@pytest.mark.parametrize("operation", ["policies.get", "write"])
def test_an_expired_token_is_renewed_and_the_call_repeated(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    account: Callable[[str], Path],
    work_order: Order,
    operation: str,
) -> None:
    simulator = simulate(tokens=set())
    connector = connect(simulator, credentials_file=account(f"{simulator.endpoint}/_sim/token"))
    prepared = connector.prepare(work_order)
    simulator.faults.next(operation, "expire")
    connector.send(work_order, prepared)
    connector.prepare(work_order)
    assert simulator.journal.writes() == 1


def test_a_second_refusal_is_final(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    account: Callable[[str], Path],
    work_order: Order,
) -> None:
    simulator = simulate(tokens=set())
    connector = connect(simulator, credentials_file=account(f"{simulator.endpoint}/_sim/token"))
    simulator.faults.next("policies.get", "expire", times=2)
    with pytest.raises(NotAuthorised):
        connector.prepare(work_order)
    assert len(simulator.journal.requests) == 2


def test_a_token_service_that_refuses(account: Callable[[str], Path], private_key: str) -> None:
    refusing = httpx.Client(
        transport=httpx.MockTransport(lambda _request: httpx.Response(400, json={"error": "invalid_grant"}))
    )
    config = AmapiConfig("enterprises/e", credentials_file=account("https://token.example/"))
    with pytest.raises(NotAuthorised, match="invalid_grant"):
        credentials_for(config, refusing).token()


def test_a_token_service_out_of_reach(account: Callable[[str], Path]) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    config = AmapiConfig("enterprises/e", credentials_file=account("https://token.example/"))
    with pytest.raises(UnknownFate, match="no route"):
        credentials_for(config, httpx.Client(transport=httpx.MockTransport(fail))).token()


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"type": "service_account", "private_key": "x"}'])
def test_a_credentials_file_that_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "account.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotAuthorised) as caught:
        credentials_for(AmapiConfig("enterprises/e", credentials_file=path), httpx.Client())
    assert "service" in caught.value.remedy.fr


def test_a_credentials_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotAuthorised):
        credentials_for(AmapiConfig("enterprises/e", credentials_file=tmp_path / "no.json"), httpx.Client())


def test_the_machines_default_credentials_are_used(
    monkeypatch: pytest.MonkeyPatch, account: Callable[[str], Path]
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account("https://token.example/")))
    found = credentials_for(AmapiConfig("enterprises/e"), httpx.Client())
    assert isinstance(found, GoogleToken)


def test_credentials_are_looked_for_only_when_something_is_sent(clock: ManualClock) -> None:
    connector = AmapiConnector(AmapiConfig("enterprises/e", credentials_file=Path("/absent.json")), clock=clock)
    assert connector.capabilities
    connector.close()
