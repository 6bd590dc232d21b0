"""Real NanoMDM and KMFDDM, and what devices and Proscribe need to talk to them."""

from __future__ import annotations

import itertools
import os
import plistlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.connectors.nanomdm.acting import department
from tests.connectors.nanomdm.servers import NanoMdm, Servers, servers, shared
from tests.store.conftest import make_database, postgres_server

import proscribe.store
from proscribe.simulate.apple.endpoint import CHECK_IN, MdmEndpoint
from proscribe.simulate.apple.identity import CertificateAuthority

__all__ = ["department", "postgres_server"]  # fixtures

_numbers = itertools.count()


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    """Issues the identities of devices; the servers trust it and nobody else."""
    return CertificateAuthority.create()


@pytest.fixture
def real_servers(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Servers]:
    """Starts the real servers for one test."""
    with servers(tmp_path_factory.mktemp("servers"), authority.pem) as running:
        yield running


@pytest.fixture
def nanomdm_database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes an empty database with NanoMDM's own schema; gives its address. Skips where there is no PostgreSQL."""

    def make() -> str:
        schema = shared("nanomdm-pgsql.sql").read_text("utf-8")
        server = request.getfixturevalue("postgres_server")
        import psycopg

        address = make_database(server, f"nanomdm_{os.getpid()}_{next(_numbers)}")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(schema)  # type: ignore[call-overload]
        return address

    return make


@pytest.fixture
def enrol(authority: CertificateAuthority) -> Callable[[NanoMdm, str], None]:
    """Enrols a device that does nothing else."""

    def enrolled(server: NanoMdm, udid: str) -> None:
        topic = "com.apple.mgmt.External.lighthouses"
        device = {"UDID": udid, "Topic": topic}
        identity = authority.issue(udid)
        with MdmEndpoint(server.checkin, authority) as endpoint:
            for message in (
                {"MessageType": "Authenticate", **device, "SerialNumber": f"S-{udid}"},
                {"MessageType": "TokenUpdate", **device, "PushMagic": "magic", "Token": b"token"},
            ):
                endpoint.put(plistlib.dumps(message), CHECK_IN, identity)

    return enrolled


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store, to copy."""
    folder = tmp_path_factory.mktemp("store") / "home"
    proscribe.store.setup(folder)
    proscribe.store.close()
    return folder


@pytest.fixture
def home(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder = tmp_path / "home"
    shutil.copytree(empty_store, folder)
    proscribe.store.setup(folder)
    yield folder
    proscribe.store.close()
