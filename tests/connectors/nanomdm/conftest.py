"""Real NanoMDM and KMFDDM, and what devices and Proscribe need to talk to them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.connectors.nanomdm.servers import Servers, servers, shared
from tests.store.conftest import make_database, postgres_server

__all__ = ["postgres_server"]  # a fixture

_numbers = itertools.count()


@pytest.fixture(scope="session")
def authority_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``roots.pem`` and ``roots.key``: the authority that NanoMDM trusts to issue device identities."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lighthouse device authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "roots.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "roots.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


@pytest.fixture
def real_servers(tmp_path_factory: pytest.TempPathFactory, authority_folder: Path) -> Iterator[Servers]:
    """Starts the real servers for one test."""
    with servers(tmp_path_factory.mktemp("servers"), authority_folder / "roots.pem") as running:
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
