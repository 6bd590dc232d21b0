"""The real servers and the simulated ones, each with a receiver of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.connectors.nanomdm.servers import servers
from tests.simulate.nanomdm.exchanges import Receiver, Site

from proscribe.simulate.apple.identity import CertificateAuthority
from proscribe.simulate.nanomdm import KmfddmSimulator, NanomdmSimulator


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    """Issues the identities of devices."""
    return CertificateAuthority.create()


@pytest.fixture(scope="module")
def real(authority: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """nanomdm (filekv) and kmfddm, as processes; skips, naming it, where one is missing."""
    with ExitStack() as running:
        started = running.enter_context(servers(tmp_path_factory.mktemp("real"), authority.pem))
        receiver = Receiver()
        running.callback(receiver.stop)
        kmfddm = started.kmfddm()
        nanomdm = started.nanomdm(webhook=receiver.url, declarations=kmfddm.endpoint)
        receiver.key = nanomdm.hmac_key
        yield Site("real", nanomdm.endpoint, nanomdm.api_key, kmfddm.endpoint, kmfddm.api_key, receiver)


@pytest.fixture(scope="module")
def simulated(authority: CertificateAuthority) -> Iterator[Site]:
    """The simulation of both."""
    with ExitStack() as running:
        receiver = Receiver()
        running.callback(receiver.stop)
        receiver.key, api_key, kmfddm_key = (secrets.token_hex(16) for _ in range(3))
        kmfddm = running.enter_context(KmfddmSimulator(api_key=kmfddm_key))
        nanomdm = running.enter_context(
            NanomdmSimulator(
                ca_pem=authority.pem,
                api_key=api_key,
                webhook_url=receiver.url,
                webhook_key=receiver.key,
                declarations=kmfddm,
            )
        )
        yield Site("simulated", nanomdm.endpoint, api_key, kmfddm.endpoint, kmfddm_key, receiver)
