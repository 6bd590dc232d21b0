"""The HTTP client: one request in, one answer or one fault out.

Reads are repeated here, with full jitter. A write is sent once: whether to send it again is decided by the loop, after
it has looked at the policy. The single exception is a 401, which the API answers before it does anything.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from proscribe.canonical import Digest, digest_bytes, digest_json
from proscribe.clock import Clock
from proscribe.connectors.amapi.auth import Credentials, credentials_for
from proscribe.connectors.amapi.bucket import TokenBucket
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.base import ConnectorFault, NotAuthorised, Rejected, Throttled, UnknownFate
from proscribe.connectors.web import retry_after, trusted
from proscribe.text import Text, number

_QUOTA_REASONS = frozenset({"RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: the JSON object, and digests of what went out and what came back."""

    body: dict[str, Any]
    status: int
    request: Digest
    response: Digest
    size: int


def uniform(limit: float) -> float:
    """A wait between 0 and ``limit`` seconds: full jitter, so that many waiting clients do not come back as one."""
    return random.SystemRandom().uniform(0.0, limit)


class Wire:
    """Talks to one endpoint for one enterprise."""

    def __init__(
        self,
        config: AmapiConfig,
        *,
        clock: Clock,
        bucket: TokenBucket | None = None,
        transport: httpx.BaseTransport | None = None,
        credentials: Credentials | None = None,
        jitter: Callable[[float], float] = uniform,
    ) -> None:
        self._config = config
        self._clock = clock
        self._bucket = bucket or TokenBucket(clock)
        self._jitter = jitter
        self._client = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(config.read_timeout, connect=config.connect_timeout),
            headers={"Accept": "application/json", "User-Agent": "proscribe"},
            # A proxy set in the environment is for the way out, never for this machine.
            trust_env=not config.loopback,
            verify=trusted(trust_env=not config.loopback),
        )
        self._credentials = credentials

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read(self, name: str, query: Mapping[str, str] | None = None) -> Answer:
        """GET a resource, trying again on what may pass. Raises the last fault when it does not."""
        attempt = 0
        while True:
            try:
                return self._authorised("GET", name, query, None)
            except (Throttled, UnknownFate) as fault:
                attempt += 1
                if attempt >= self._config.read_attempts:
                    raise
                self._clock.sleep(self._pause(attempt, fault))

    def write(self, method: str, name: str, query: Mapping[str, str] | None, body: Mapping[str, Any]) -> Answer:
        """Send one change, once. Raises Throttled, UnknownFate, NotAuthorised or Rejected."""
        return self._authorised(method, name, query, body)

    def _pause(self, attempt: int, fault: ConnectorFault) -> float:
        wait = self._jitter(min(self._config.backoff_cap, self._config.backoff_base * 2.0 ** (attempt - 1)))
        if isinstance(fault, Throttled) and fault.retry_after is not None:
            if fault.retry_after > self._config.backoff_cap:
                raise fault  # longer than we hold a caller; the loop waits with its own schedule
            # The quota is the project's: whoever shares the bucket waits too.
            self._bucket.hold(fault.retry_after)
            return fault.retry_after + wait
        return wait

    def _authorised(self, method: str, name: str, query: Mapping[str, str] | None, body: Any) -> Answer:
        if self._credentials is None:
            self._credentials = credentials_for(self._config, self._client)
        raw = self._exchange(method, name, query, body, self._credentials.token())
        if raw.status == 401 and self._credentials.renew():
            raw = self._exchange(method, name, query, body, self._credentials.token())
        if raw.status != 200:
            raise fault_of(raw, self._clock.now())
        return Answer(
            body=_object(raw.content),
            status=raw.status,
            request=raw.request,
            response=digest_bytes(raw.content),
            size=len(raw.content),
        )

    def _exchange(self, method: str, name: str, query: Mapping[str, str] | None, body: Any, token: str) -> _Raw:
        self._bucket.take()
        path = f"/v1/{quote(name, safe='/:')}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        content = b""
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        # The token stays out of the digest: it is no part of what was asked.
        request = digest_json({"method": method, "path": path, "query": dict(query or {}), "body": body})
        received = bytearray()
        try:
            with self._client.stream(
                method,
                self._config.endpoint.rstrip("/") + path,
                params=dict(query or {}),
                content=content or None,
                headers=headers,
            ) as answer:
                for chunk in answer.iter_bytes():
                    received += chunk
                    if len(received) > self._config.response_limit:
                        raise _too_large(self._config.response_limit, wrote=method != "GET")
                return _Raw(answer.status_code, answer.headers.get("Retry-After", ""), bytes(received), request)
        except httpx.TimeoutException as error:
            raise _unknown(
                Text("no answer in time", "aucune réponse dans le délai"),
            ) from error
        except httpx.HTTPError as error:
            raise _unknown(
                Text(
                    f"the connection failed: {type(error).__name__}",
                    f"la connexion a échoué : {type(error).__name__}",
                ),
            ) from error


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    retry_after: str
    content: bytes
    request: Digest


def fault_of(raw: _Raw, now: datetime) -> ConnectorFault:
    """The fault that an unsuccessful answer stands for, with the API's own message."""
    message, status, reasons = _error_body(raw.content)
    said = f"HTTP {raw.status} {status}: {message}".replace("  ", " ")
    if raw.status == 429 or status == "RESOURCE_EXHAUSTED" or reasons & _QUOTA_REASONS:
        return Throttled(
            Text(f"the API asks us to slow down ({said})", f"l'API demande de ralentir ({said})"),
            remedy=Text(
                "Nothing to do: the loop waits and tries again. If it lasts, ask for a higher quota for the project.",
                "Rien à faire : la boucle attend puis réessaie. Si cela dure, demandez un quota plus élevé.",
            ),
            retry_after=retry_after(raw.retry_after, now),
        )
    if raw.status in (401, 403):
        return NotAuthorised(
            Text(f"access refused ({said})", f"accès refusé ({said})"),
            remedy=Text(
                "Check the credentials, that the account holds the Android Management User role, and that the project "
                "manages this enterprise.",
                "Vérifiez les justificatifs d'identité, que le compte détient le rôle Android Management User et que "
                "le projet "
                "gère cette entreprise.",
            ),
        )
    # 408 and 409 are the API's words for "in the middle of something": what became of the request is not said.
    if raw.status >= 500 or raw.status in (408, 409):
        return _unknown(Text(f"the API failed ({said})", f"l'API a échoué ({said})"))
    return Rejected(
        Text(f"the API refused the request ({said})", f"l'API a refusé la demande ({said})"),
        remedy=Text(
            "The message names what is wrong; correct the policy or the plan. The same request would be refused again.",
            "Le message indique le problème; corrigez la stratégie ou le plan. La même demande serait encore refusée.",
        ),
    )


def not_understood(field: str) -> UnknownFate:
    """An answer of 200 that cannot be read: after a write, nobody knows what became of it."""
    return _unknown(
        Text(f"the answer cannot be read (field {field})", f"la réponse est illisible (champ {field})"),
    )


def _unknown(what: Text) -> UnknownFate:
    return UnknownFate(
        what,
        remedy=Text(
            "The policy is read again before anything else is sent. If it lasts, check the network and the API status.",
            "La stratégie est relue avant tout nouvel envoi. Si cela dure, vérifiez le réseau et l'état de l'API.",
        ),
    )


def _too_large(limit: int, *, wrote: bool) -> ConnectorFault:
    size = number(limit)
    what = Text(f"the answer is larger than {size.en} bytes", f"la réponse dépasse {size.fr} octets")
    if wrote:
        return _unknown(what)
    return Rejected(
        what,
        remedy=Text(
            "Lower page_size; an answer of that size is not normal.",
            "Réduisez page_size; une réponse de cette taille n'est pas normale.",
        ),
    )


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise not_understood("body") from error
    if not isinstance(value, dict):
        raise not_understood("body")
    return value


def _error_body(content: bytes) -> tuple[str, str, frozenset[str]]:
    """Message, status and reasons of Google's error format; as much of it as is there."""
    try:
        error = json.loads(content)["error"]
        message, status = str(error.get("message", "")), str(error.get("status", ""))
        details = [*error.get("details", []), *error.get("errors", [])]
        reasons = frozenset(str(item["reason"]) for item in details if isinstance(item, dict) and "reason" in item)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", "", frozenset()
    # A message may quote a policy at length; the ledger needs its beginning.
    return message[:500], status[:60], reasons
