"""Phones, the servers that they are enrolled in, and the receiver of what the servers tell: all over real HTTP."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from tests.connectors.nanomdm.receiving import Receiver, until
from tests.connectors.nanomdm.servers import Servers, free_port

from proscribe.clock import ManualClock
from proscribe.connectors.base import AsgiApp
from proscribe.simulate.apple import CertificateAuthority, MdmEndpoint, Phone
from proscribe.simulate.apple import check_in as check_in_all
from proscribe.simulate.apple import enrol as enrol_all
from proscribe.simulate.apple.identity import Identity
from proscribe.simulate.nanomdm import KmfddmSimulator, NanomdmSimulator

API_KEY, DDM_KEY, HOOK_KEY = "an-api-key", "a-declarations-key", "a-webhook-key"


@dataclass(frozen=True, slots=True)
class Site:
    """A pair of servers, as one configures Proscribe and phones for them."""

    nanomdm: str
    checkin: str  # where phones speak
    api_key: str = field(repr=False)
    hook_key: str = field(repr=False)
    kmfddm: str
    kmfddm_key: str = field(repr=False)


class SiteMaker(Protocol):
    """Starts servers that tell their events to ``webhook`` and stop with the ``stack``."""

    def __call__(self, webhook: str, stack: ExitStack) -> Site: ...


def real_site(running: Servers, database: Callable[[], str] | None = None) -> SiteMaker:
    """The real servers; NanoMDM on a database of its own where one is given."""

    def make(webhook: str, stack: ExitStack) -> Site:
        declarations = running.kmfddm()
        server = running.nanomdm(
            webhook=webhook, declarations=declarations.endpoint, database=database() if database else ""
        )
        stack.callback(declarations.stop)
        stack.callback(server.stop)
        return Site(
            nanomdm=server.endpoint,
            checkin=server.checkin,
            api_key=server.api_key,
            hook_key=server.hmac_key,
            kmfddm=declarations.endpoint,
            kmfddm_key=declarations.api_key,
        )

    return make


def simulated_site(authority: CertificateAuthority) -> SiteMaker:
    """The simulated servers."""

    def make(webhook: str, stack: ExitStack) -> Site:
        declarations = stack.enter_context(KmfddmSimulator(api_key=DDM_KEY))
        server = stack.enter_context(
            NanomdmSimulator(
                ca_pem=authority.pem,
                api_key=API_KEY,
                webhook_url=webhook,
                webhook_key=HOOK_KEY,
                declarations=declarations,
            )
        )
        return Site(
            nanomdm=server.endpoint,
            checkin=server.mdm_url,
            api_key=API_KEY,
            hook_key=HOOK_KEY,
            kmfddm=declarations.endpoint,
            kmfddm_key=DDM_KEY,
        )

    return make


class CountingEndpoint(MdmEndpoint):
    """Counts what phones said: NanoMDM tells each of it to its webhook, once."""

    def __init__(self, url: str, authority: CertificateAuthority) -> None:
        super().__init__(url, authority)
        self._counting = threading.Lock()
        self.said = 0

    def put(self, body: bytes, content_type: str, identity: Identity) -> bytes:
        """Count, then say it."""
        with self._counting:
            self.said += 1
        return super().put(body, content_type, identity)


class World:
    """Servers, receiver and phones, with a clock that Proscribe lives by. ``site`` is what Proscribe speaks to.

    The servers' own clock is the machine's, so ours begins at the present: KMFDDM dates what devices report.
    """

    workers = 4

    def __init__(
        self, site: Site, port: int, endpoint: CountingEndpoint, application: Callable[[World], AsgiApp]
    ) -> None:
        self.site = site
        self.listen = f"127.0.0.1:{port}"
        self.receiver = Receiver(lambda: application(self), port)
        self.endpoint = endpoint
        self.clock = ManualClock(datetime.now(UTC).replace(microsecond=0))
        self.phones: list[Phone] = []

    def enrol(self, phones: Iterable[Phone]) -> None:
        """Enrol phones, and wait until the receiver has heard of it."""
        fresh = list(phones)
        enrol_all(fresh, self.endpoint)
        self.phones += fresh
        self.heard()

    def check_in(self, phones: Iterable[Phone] | None = None) -> Counter[tuple[str, str]]:
        """One round of phones, all unless named, and wait until the receiver has heard of it."""
        done = check_in_all(self.phones if phones is None else phones, workers=self.workers)
        self.heard()
        return done

    def heard(self) -> None:
        """Wait until every event that the servers told has been answered."""
        until(
            lambda: len(self.receiver.answered) >= self.endpoint.said,
            f"the receiver hears of {self.endpoint.said} messages",
        )

    def deafen(self) -> None:
        """Stop the receiver. Whoever calls from now on is turned away, and nothing is kept."""
        self.heard()
        self.receiver.stop()
        self.receiver.start(_away)

    def listen_again(self) -> None:
        """Start the receiver anew."""
        self.heard()
        self.receiver.stop()
        self.receiver.start()


async def _away(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Nobody is there, as a proxy before a dead process says."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body"})


@contextmanager
def world(make: SiteMaker, authority: CertificateAuthority, application: Callable[[World], AsgiApp]) -> Iterator[World]:
    """A world without phones, alive for as long as the block runs. ``application`` is asked for whenever the receiver
    starts."""
    port = free_port()
    with ExitStack() as stack:
        site = make(f"http://127.0.0.1:{port}/", stack)
        endpoint = stack.enter_context(CountingEndpoint(site.checkin, authority))
        made = World(site, port, endpoint, application)
        stack.enter_context(made.receiver)
        yield made
