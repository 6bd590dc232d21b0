"""What connectors that speak HTTP have in common."""

from __future__ import annotations

import ssl

import certifi
import pytest

from proscribe.connectors.web import trusted


@pytest.mark.parametrize("trust_env", [True, False])
def test_servers_must_prove_their_name(trust_env: bool) -> None:
    context = trusted(trust_env=trust_env)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs()


def test_the_environment_may_name_the_authorities(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = certifi.contents().partition("-----END CERTIFICATE-----\n")
    file = tmp_path / "authority.pem"
    file.write_text("".join(one[:2]), "utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    trusted.cache_clear()
    try:
        assert len(trusted(trust_env=True).get_ca_certs()) == 1
        assert len(trusted(trust_env=False).get_ca_certs()) > 1
    finally:
        trusted.cache_clear()
