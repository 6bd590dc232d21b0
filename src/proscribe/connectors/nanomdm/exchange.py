"""One request in, one answer or one fault out: what the clients of both servers share.

Nothing is repeated here. A write whose fate is unknown may be sent again as it is, for both servers know their own: a
CommandUUID is queued once, and a declaration put twice is one declaration. The loop decides when.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from proscribe.canonical import Digest, digest_bytes, digest_json
from proscribe.clock import Clock
from proscribe.connectors.base import ConnectorFault, NotAuthorised, Rejected, Throttled, UnknownFate
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.web import is_loopback, retry_after, trusted
from proscribe.text import Text, number

if TYPE_CHECKING:
    import httpx

_SAID_LIMIT = 500
"""Characters of a server's message that are kept: the ledger needs its beginning."""


@dataclass(frozen=True, slots=True)
class Account:
    """A server and how to sign in: Basic authentication with a user name that the program fixes.

    ``secret`` is called when a request is first made, and may raise InvalidConfiguration.
    """

    server: str  # as people call it
    endpoint: str
    user: str
    secret: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Request:
    """``body`` is sent as it is; ``kind`` is its media type."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    kind: str = ""

    @property
    def digest(self) -> Digest:
        """Of all that is asked. The key stays out: it is no part of what was asked."""
        body = digest_bytes(self.body) if self.body else None
        return digest_json({"method": self.method, "path": self.path, "query": dict(self.query), "body": body})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    content: bytes
    retry_after: str
    request: Digest

    @property
    def response(self) -> Digest:
        """Of the bytes that came back."""
        return digest_bytes(self.content)

    def json(self) -> Any:
        """The JSON value in it; None where there is none, or none that can be read."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


class Exchange:
    """Talks to one server. May be used by several threads at once."""

    def __init__(
        self,
        account: Account,
        config: NanomdmConfig,
        *,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        import httpx

        self._account = account
        self._clock = clock
        self._limit = config.response_limit
        self._auth: httpx.BasicAuth | None = None
        environment = not is_loopback(account.endpoint)
        self._client = httpx.Client(
            transport=transport,
            # Whoever finds every connection in use waits for one: nothing was sent, so nothing has failed.
            timeout=httpx.Timeout(config.read_timeout, connect=config.connect_timeout, pool=None),
            limits=httpx.Limits(max_connections=config.concurrency, max_keepalive_connections=config.concurrency),
            headers={"Accept": "application/json", "User-Agent": "proscribe"},
            follow_redirects=False,
            # A proxy set in the environment is for the way out, never for this machine.
            trust_env=environment,
            verify=trusted(trust_env=environment),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, request: Request) -> Answer:
        """Send a request, once. Raises UnknownFate where no whole answer came; judges no status."""
        import httpx

        self._auth = auth = self._auth or httpx.BasicAuth(self._account.user, self._account.secret())
        received = bytearray()
        try:
            with self._client.stream(
                request.method,
                self._account.endpoint.rstrip("/") + request.path,
                params=dict(request.query),
                content=request.body or None,
                headers={"Content-Type": request.kind} if request.kind else {},
                auth=auth,
            ) as answer:
                for chunk in answer.iter_bytes():
                    received += chunk
                    if len(received) > self._limit:
                        raise self._too_large()
                if answer.status_code == 401:
                    self._auth = None  # the key may have been replaced: its file is read again for the next request
                retry_after = answer.headers.get("Retry-After", "")
                return Answer(answer.status_code, bytes(received), retry_after, request.digest)
        except httpx.TimeoutException as error:
            raise self.unknown(Text("no answer in time", "aucune réponse dans le délai")) from error
        except httpx.ConnectError as error:
            where = self._account.endpoint
            raise self.unknown(Text(f"no connection to {where}", f"aucune connexion à {where}")) from error
        except httpx.HTTPError as error:
            kind = type(error).__name__
            raise self.unknown(Text(f"the connection failed: {kind}", f"la connexion a échoué : {kind}")) from error

    def fault(self, answer: Answer) -> ConnectorFault:
        """The fault that an answer stands for, with what the server said."""
        said = f"HTTP {answer.status}: {message_of(answer)}".removesuffix(": ")
        name = self._account.server
        if answer.status == 429:
            return Throttled(
                Text(f"{name} asks us to slow down ({said})", f"{name} demande de ralentir ({said})"),
                remedy=Text(
                    "Nothing to do: the loop waits and tries again. If it lasts, lower the setting concurrency.",
                    "Rien à faire : la boucle attend puis réessaie. Si cela dure, réduisez le paramètre concurrency.",
                ),
                retry_after=retry_after(answer.retry_after, self._clock.now()),
            )
        if answer.status in (401, 403):
            return NotAuthorised(
                Text(f"{name} refused access ({said})", f"{name} a refusé l'accès ({said})"),
                remedy=Text(
                    f"Compare the key with the one that {name} was started with (-api); the user is always "
                    f"{self._account.user}.",
                    f"Comparez la clé avec celle indiquée au démarrage de {name} (-api); l'utilisateur est toujours "
                    f"{self._account.user}.",
                ),
            )
        # 408 and 409 may come from a proxy in between: what became of the request is not said.
        if answer.status >= 500 or answer.status in (408, 409):
            return self.unknown(Text(f"the request failed ({said})", f"échec de la demande ({said})"))
        return self.rejected(said)

    def rejected(self, said: str) -> Rejected:
        """A request that the server refused for good."""
        name = self._account.server
        return Rejected(
            Text(f"{name} refused the request ({said})", f"{name} a refusé la demande ({said})"),
            remedy=Text(
                f"Check that the address in the settings is that of {name}, then read its log. The same request would "
                "be refused again.",
                f"Vérifiez que l'adresse des paramètres est celle de {name}, puis lisez son journal. La même demande "
                "serait encore refusée.",
            ),
        )

    def not_understood(self) -> UnknownFate:
        """An answer that cannot be read: after a write, nobody knows what became of it."""
        return self.unknown(Text("the answer cannot be read", "la réponse est illisible"))

    def unknown(self, what: Text) -> UnknownFate:
        """A request whose fate is not known."""
        name = self._account.server
        return UnknownFate(
            Text(f"{name}: {what.en}", f"{name} : {what.fr}"),
            remedy=Text(
                f"The same request is sent again; nothing is done twice. If it lasts, read the log of {name}.",
                f"La même demande sera renvoyée; rien ne se fait deux fois. Si cela dure, lisez le journal de {name}.",
            ),
        )

    def _too_large(self) -> UnknownFate:
        size = number(self._limit)
        return self.unknown(Text(f"the answer is larger than {size.en} bytes", f"la réponse dépasse {size.fr} octets"))


class Turns:
    """One thing at a time about each subject. Different subjects may share a turn now and then, and wait needlessly.

    Both servers' file back ends (filekv) need it. NanoMDM appends to a device's queue without a lock: of 400 commands
    that eight threads sent to one device, 25 were left in its queue, and all had been answered with 200. KMFDDM locks
    key by key in no fixed order: the same change sent by two threads at once stops it for good.
    """

    def __init__(self, width: int = 256) -> None:
        self._locks = [threading.Lock() for _ in range(width)]

    def of(self, subject: str) -> threading.Lock:
        """To be held while something about the subject is under way."""
        return self._locks[hash(subject) % len(self._locks)]


def segment(name: str) -> str:
    """A name as one segment of a path. Raises ValueError for one that cannot be: both servers split their decoded path
    at slashes, and lists of identifiers at commas."""
    if not name or name in (".", "..") or not name.isprintable() or "/" in name or "," in name:
        raise ValueError(f"{name!r} cannot be asked for by path")
    return quote(name, safe=":")


def message_of(answer: Answer) -> str:
    """What the server says is wrong, in the words that both servers use for it; "" where it says nothing."""
    body = answer.json()
    if not isinstance(body, dict):
        return ""
    for name in ("error", "command_error", "push_error"):
        if isinstance(body.get(name), str):
            return brief(body[name])
    return ""


def brief(said: str) -> str:
    """The beginning of what a server said, fit to be stored."""
    return said.encode("utf-8", "replace").decode()[:_SAID_LIMIT]


def version_of(exchange: Exchange) -> str:
    """The version that a server tells of itself; "" where it tells none. Raises a ConnectorFault."""
    answer = exchange.send(Request("GET", "/version"))
    if answer.status != 200:
        raise exchange.fault(answer)
    body = answer.json()
    version: Mapping[str, Any] = body if isinstance(body, dict) else {}
    return brief(str(version.get("version", "")))
