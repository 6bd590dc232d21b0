"""Access tokens: from a service account or the machine's default credentials, over the connector's own HTTP client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from proscribe.connectors.amapi.config import SCOPE, AmapiConfig
from proscribe.connectors.base import NotAuthorised, UnknownFate
from proscribe.text import Text

TOKEN_TIMEOUT = 30.0
"""Seconds for a call to the token service."""


class Credentials(Protocol):
    """Where the bearer token comes from."""

    def token(self) -> str:
        """A token believed to be valid; "" sends none. Raises NotAuthorised or UnknownFate."""
        ...

    def renew(self) -> bool:
        """Get another token after a refusal; False where there is no other to get."""
        ...


class FixedToken:
    """A token that never changes, or none at all. For loopback endpoints."""

    def __init__(self, value: str = "") -> None:
        self._value = value

    def token(self) -> str:
        return self._value

    def renew(self) -> bool:
        return False


class GoogleToken:
    """A token of google-auth, fetched when first needed and again when it expires or is refused."""

    def __init__(self, credentials: Any, client: httpx.Client) -> None:
        self._credentials = credentials
        self._request = _TokenRequest(client)

    @classmethod
    def of(cls, config: AmapiConfig, client: httpx.Client) -> GoogleToken:
        """Read the configured service account, or find the machine's default credentials. Raises NotAuthorised."""
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.oauth2 import service_account

        try:
            if config.credentials_file is not None:
                path = str(config.credentials_file)
                found = service_account.Credentials.from_service_account_file(path, scopes=[SCOPE])
            else:
                found, _ = google.auth.default(scopes=[SCOPE])
        except (GoogleAuthError, OSError, ValueError) as error:
            raise _refused(f"{type(error).__name__}: {error}") from error
        return cls(found, client)

    def token(self) -> str:
        if not self._credentials.valid:
            self.renew()
        return str(self._credentials.token)

    def renew(self) -> bool:
        from google.auth.exceptions import GoogleAuthError, TransportError

        try:
            self._credentials.refresh(self._request)
        except TransportError as error:
            raise UnknownFate(
                Text(
                    f"the token service cannot be reached: {error}",
                    f"le service de jetons est injoignable : {error}",
                ),
                remedy=Text(
                    "Check the network path to the token service; the next tick tries again.",
                    "Vérifiez l'accès réseau au service de jetons; le prochain passage réessaiera.",
                ),
            ) from error
        except GoogleAuthError as error:
            raise _refused(str(error)) from error
        return True


class _TokenRequest:
    """google-auth's transport over httpx, so that one client, one proxy setting and one trust store serve both."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_ignored: Any,
    ) -> _TokenResponse:
        from google.auth.exceptions import TransportError

        try:
            answer = self._client.request(
                method, url, content=body, headers=dict(headers or {}), timeout=timeout or TOKEN_TIMEOUT
            )
        except httpx.HTTPError as error:
            raise TransportError(str(error) or type(error).__name__) from error
        return _TokenResponse(answer)


class _TokenResponse:
    """What google-auth reads of an answer."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.headers: Mapping[str, str] = answer.headers
        self.data = answer.content


def credentials_for(config: AmapiConfig, client: httpx.Client) -> Credentials:
    """The credentials a configuration asks for: a fixed token or none on loopback, google-auth everywhere else."""
    if config.loopback and config.credentials_file is None:
        return FixedToken(config.token)
    return GoogleToken.of(config, client)


def _refused(reason: str) -> NotAuthorised:
    return NotAuthorised(
        Text(f"no access token: {reason}", f"aucun jeton d'accès : {reason}"),
        remedy=Text(
            "Check the service account file, that the account is enabled, and that it holds the Android Management "
            "User role on the project.",
            "Vérifiez le fichier du compte de service, que le compte est actif et qu'il détient le rôle Android "
            "Management User dans le projet.",
        ),
    )
