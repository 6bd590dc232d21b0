"""What every connector offers, and the four ways in which a call can fail.

An implementation lives in its own folder and is checked by ``connectors/conformance.py``; no connector imports another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from proscribe.canonical import Digest
from proscribe.errors import ProscribeError
from proscribe.inventory.model import DeviceRecord, InstallRecord, Problem, Scope
from proscribe.plan.ports import System
from proscribe.terms import Side
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of observations. ``cursor`` resumes after it; "" means that it was the last."""

    devices: tuple[DeviceRecord, ...]
    installs: tuple[InstallRecord, ...]
    scopes: tuple[Scope, ...]
    cursor: str
    raw: Digest  # of the bytes received, for the evidence
    raw_bytes: int
    unknown_fields: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()  # records of the page that could not be used


@dataclass(frozen=True, slots=True)
class Order:
    """One change to one scope, ready to send. ``key`` is the idempotency key, stored before anything is sent."""

    key: str
    system: str
    scope: str
    method: str
    side: Side
    app_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The scope as it stands right before sending.

    ``prior`` is what the entries we touch look like now, as canonical JSON text in the system's own words: lifting the
    ban restores exactly that. ``in_place`` says that nothing needs to be sent.
    """

    scope: Scope
    prior: str
    in_place: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the system answered. It proves acceptance and nothing more."""

    key: str
    at: datetime
    status: int  # HTTP status; 0 when found in place and nothing was sent
    scope_version: int  # after the change
    request: Digest
    response: Digest
    detail: str = ""


class Connector(System, Protocol):
    """A management system that can be observed and acted upon."""

    def observe(self, cursor: str = "") -> Iterator[Batch]:
        """Every device, app and scope, page by page, from ``cursor`` on."""
        ...

    def prepare(self, order: Order) -> Prepared:
        """Read the scope now. Called before every send, and after a send of unknown fate."""
        ...

    def send(self, order: Order, prepared: Prepared) -> Receipt:
        """Make the change by merging it into what is there."""
        ...

    def retract(self, order: Order, prior: str) -> Receipt:
        """Take back our own entries of an order, restoring ``prior``; leave what others changed since."""
        ...


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What following up did. ``left``: what is still to be sent once the system, or a device, is ready for it."""

    counts: Mapping[str, int]
    happened: tuple[Text, ...] = ()
    waits: tuple[Text, ...] = ()
    left: int = 0


@runtime_checkable
class FollowsUp(Protocol):
    """A connector whose system knows commands and no policies: what a scope wants is brought to each device by us."""

    def follow_up(
        self, *, frozen: bool, spared: frozenset[str] = frozenset(), exempt: frozenset[str] = frozenset()
    ) -> FollowUp:
        """Take in what devices said, then bring on what accepted orders need next, and ask devices what must be known.

        Called once a tick, and whenever somebody wants newer lists. Sends nothing that no order was accepted for;
        where ``frozen``, nothing that changes a device. From ``spared`` devices (by key) nothing is removed, whatever
        was accepted before they were: a records hold or an exemption came since. An ``exempt`` device that was moved to
        a scope of its own is freed of what its former scope wanted. Raises a ConnectorFault; what was
        done before stands.
        """
        ...


AsgiApp = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


@runtime_checkable
class Listens(Protocol):
    """A connector whose system tells things by itself, over HTTP, once and without asking whether they arrived."""

    @property
    def listen(self) -> str:
        """``host:port`` to listen on; "" where this is not wanted."""
        ...

    def receiver(self) -> AsgiApp:
        """An ASGI application: what it acknowledged is stored.

        Where it has a method ``turned_away``, that is called for every connection that could not be taken.
        """
        ...

    def take_in(self, *, limit: int = 1_000) -> int:
        """Deal with messages of the inbox; how many. Several processes may do so at once."""
        ...


class ConnectorFault(ProscribeError):
    """Root of what goes wrong between us and a management system."""

    code = "connector.fault"


class Throttled(ConnectorFault):
    """The system asks us to slow down. ``retry_after`` is in seconds; None when it does not say."""

    code: ClassVar[str] = "connector.throttled"
    transient: ClassVar[bool] = True

    def __init__(self, what: Text, *, remedy: Text, retry_after: float | None) -> None:
        super().__init__(what, remedy=remedy)
        self.retry_after = retry_after


class UnknownFate(ConnectorFault):
    """A 5xx answer, a timeout or a broken connection: the change may have been made. Observe, then decide."""

    code = "connector.unknown-fate"
    transient = True


class Contended(UnknownFate):
    """Another writer changed the same scope at the same time. Nothing of theirs was knowingly undone: prepare again."""

    code = "connector.contended"


class NotAuthorised(ConnectorFault):
    """The credentials were refused or have expired and could not be renewed."""

    code = "connector.not-authorised"


class Rejected(ConnectorFault):
    """The system refused the request for good (4xx)."""

    code = "connector.rejected"


class UnusableSetUp(ConnectorFault):
    """A file that the connector works with (a roster, a profile, a key) is missing or wrong. Other systems go on."""

    code = "connector.set-up"
    transient = True  # it is there again as soon as somebody mends it


class InvalidConfiguration(ProscribeError):
    """A setting of the connector that cannot work or would be unsafe."""

    code: ClassVar[str] = "connector.configuration"
