"""NanoMDM on PostgreSQL keeps its queue better than with files. What is simulated is the one with files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.connectors.nanomdm.conftest import nanomdm_database
from tests.connectors.nanomdm.servers import servers
from tests.simulate.nanomdm.exchanges import Receiver, Site, Talk
from tests.store.conftest import postgres_server

from proscribe.simulate.apple.identity import CertificateAuthority

__all__ = ["nanomdm_database", "postgres_server"]  # fixtures

pytestmark = [pytest.mark.servers, pytest.mark.postgres]


def test_no_answer_empties_the_queue(
    authority: CertificateAuthority, nanomdm_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with servers(tmp_path_factory.mktemp("pgsql"), authority.pem) as running:
        nanomdm = running.nanomdm(database=nanomdm_database())
        talk = Talk(Site("pgsql", nanomdm.endpoint, nanomdm.api_key, "", "", Receiver()), authority)
        device = talk.enrol(talk.device("A"))
        for number in "123":
            talk.enqueue("A", number)
        assert talk.connect(device, "Acknowledged", "1") == "2"
        assert talk.connect(device, "Acknowledged", "1") == "2"  # with files: nothing is left
        assert talk.connect(device, "NotNow", "2") == "3"
        assert talk.connect(device, "Acknowledged", "3") == "2"
        assert talk.connect(device, "NotNow", "2") == ""  # with files: the third once more
