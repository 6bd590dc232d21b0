"""What the connector is told by its operator.

No secret stands here: the credentials are a path to a file, or the machine's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.web import is_loopback
from proscribe.errors import Where
from proscribe.text import Text

ENDPOINT = "https://androidmanagement.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/androidmanagement"
QUERIES = 1_000
"""Queries a project may make in :data:`QUERY_WINDOW` seconds (permissible usage page of the API)."""
QUERY_WINDOW = 100.0
PAGE_SIZE = 100
"""Devices a page; the API coerces more than 100 to 100."""

_ENTERPRISE = re.compile(r"^enterprises/[^/\s?#]+$")


@dataclass(frozen=True, slots=True)
class AmapiConfig:
    """One enterprise, and how to reach it.

    Without ``credentials_file`` the application default credentials of the machine are used. ``token`` is for a
    loopback endpoint alone (rehearsals and tests); so is plain http. Times are in seconds, sizes in bytes.
    """

    enterprise: str  # enterprises/<id>
    endpoint: str = ENDPOINT
    credentials_file: Path | None = None
    token: str = field(default="", repr=False)
    page_size: int = PAGE_SIZE
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    read_attempts: int = 5
    merge_attempts: int = 4  # rounds of read-merge-write against other writers
    backoff_base: float = 1.0
    backoff_cap: float = 60.0
    response_limit: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        if not _ENTERPRISE.match(self.enterprise):
            raise _invalid(
                "enterprise",
                Text(f"{self.enterprise!r} is not an enterprise", f"{self.enterprise!r} n'est pas une entreprise"),
                Text("Write it as enterprises/<id>.", "Écrivez-la sous la forme enterprises/<id>."),
            )
        parts = urlsplit(self.endpoint)
        if parts.scheme != "https" and not (parts.scheme == "http" and self.loopback):
            raise _invalid(
                "endpoint",
                Text(
                    f"{self.endpoint!r} would carry credentials over an open connection",
                    f"{self.endpoint!r} ferait circuler les justificatifs d'identité sans chiffrement",
                ),
                Text(
                    "Use https; plain http is for a simulator on this machine only.",
                    "Utilisez https; http est réservé à un simulateur sur cette machine.",
                ),
            )
        if self.token and not self.loopback:
            raise _invalid(
                "token",
                Text(
                    "a fixed token is accepted for a loopback endpoint only",
                    "un jeton fixe n'est accepté que pour un point d'accès local",
                ),
                Text(
                    "Give the path of a service account file, or use application default credentials.",
                    "Indiquez un fichier de compte de service, ou utilisez les justificatifs d'identité par défaut.",
                ),
            )
        if not 1 <= self.page_size <= PAGE_SIZE:
            raise _invalid(
                "page_size",
                Text(f"{self.page_size} is not between 1 and 100", f"{self.page_size} n'est pas entre 1 et 100"),
                Text("The API gives at most 100 devices a page.", "L'API fournit au plus 100 appareils par page."),
            )
        if self.read_attempts < 1 or self.merge_attempts < 1:
            raise _invalid(
                "read_attempts" if self.read_attempts < 1 else "merge_attempts",
                Text("at least one attempt is needed", "il faut au moins une tentative"),
                Text("Give 1 or more.", "Indiquez 1 ou plus."),
            )

    @property
    def loopback(self) -> bool:
        """Whether the endpoint is on this machine."""
        return is_loopback(self.endpoint)


def _invalid(field: str, what: Text, remedy: Text) -> InvalidConfiguration:
    return InvalidConfiguration(what, remedy=remedy, where=Where(field=f"amapi.{field}"))
