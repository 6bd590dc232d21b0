"""Phones, the servers that they are enrolled in, and the receiver of what the servers tell: all over real HTTP."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from tests.connectors.nanomdm.fault_proxy import FaultProxy
from tests.connectors.nanomdm.receiving import Receiver, Timeline, retimed, until
from tests.connectors.nanomdm.servers import Servers, free_port

from proscribe.clock import SystemClock
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


class _Exact(SystemClock):
    """The machine's clock to the microsecond, as the real servers read it."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def simulated_site(authority: CertificateAuthority) -> SiteMaker:
    """The simulated servers."""

    def make(webhook: str, stack: ExitStack) -> Site:
        declarations = stack.enter_context(KmfddmSimulator(api_key=DDM_KEY, clock=_Exact()))
        server = stack.enter_context(
            NanomdmSimulator(
                ca_pem=authority.pem,
                api_key=API_KEY,
                webhook_url=webhook,
                webhook_key=HOOK_KEY,
                declarations=declarations,
                clock=_Exact(),
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
    """Servers, receiver and phones, with a clock that Proscribe lives by. ``site`` is what Proscribe speaks to."""

    workers = 4

    def __init__(
        self,
        site: Site,
        port: int,
        endpoint: CountingEndpoint,
        clock: Timeline,
        application: Callable[[World], AsgiApp],
    ) -> None:
        self.site = site
        self.listen = f"127.0.0.1:{port}"
        self.clock = clock
        self.receiver = Receiver(lambda: retimed(application(self), clock, site.hook_key), port)
        self.endpoint = endpoint
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


def _retimed(body: bytes, clock: Timeline) -> bytes:
    """What KMFDDM tells of reports, with their times on our clock."""

    def ours(found: re.Match[bytes]) -> bytes:
        return b'"' + clock.at(datetime.fromisoformat(found[1].decode())).isoformat().encode() + b'"'

    return re.sub(rb'"(20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]{5}))"', ours, body)


@contextmanager
def world(make: SiteMaker, authority: CertificateAuthority, application: Callable[[World], AsgiApp]) -> Iterator[World]:
    """A world without phones, alive for as long as the block runs. ``application`` is asked for whenever the receiver
    starts."""
    port = free_port()
    with ExitStack() as stack:
        site = make(f"http://127.0.0.1:{port}/", stack)
        clock = Timeline(datetime.now(UTC).replace(microsecond=0))
        reports = stack.enter_context(FaultProxy(site.kmfddm, edit=lambda body: _retimed(body, clock)))
        endpoint = stack.enter_context(CountingEndpoint(site.checkin, authority))
        made = World(replace(site, kmfddm=reports.endpoint), port, endpoint, clock, application)
        stack.enter_context(made.receiver)
        yield made
