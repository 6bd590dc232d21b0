"""What an installation remembers of its decisions, and what the shells show. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.enforce.model import Outcome
from proscribe.evaluate.model import FindingKey
from proscribe.text import Text


@dataclass(frozen=True)
class Standing(Document):
    """The decision under which a directive is enforced here: an approved plan, its targets, and until when."""

    KIND: ClassVar[str] = "proscribe.standing"
    LATER: ClassVar[frozenset[str]] = frozenset({"source", "signed", "order", "approved"})

    directive: str
    directive_digest: Digest
    targets_digest: Digest
    plan: Digest
    approved_by: str
    approved_at: datetime
    standing: bool  # act later without asking, where the fleet changes
    lifted_at: datetime | None = None
    lifted_because: str = ""
    source: str = ""  # the feed that the directive came through; "" where it was adopted by hand
    signed: tuple[str, ...] = ()  # kinds of document whose signatures were asked for and found at approval
    order: str = ""  # digest of the standing order that covered the plan at approval; "" where none was asked for
    approved: str = ""  # digest of the plan as it was signed; "" where no signature of it was asked for


@dataclass(frozen=True)
class Cured(Document):
    """Which findings had gone: what tells a reinstalled app from a new one."""

    KIND: ClassVar[str] = "proscribe.cured"

    directive: str
    keys: tuple[FindingKey, ...]


@dataclass(frozen=True, slots=True)
class DepartmentOutcomes(Value):
    """One department's devices by outcome; the numbers add up to ``devices``."""

    department: str
    devices: int
    by_outcome: dict[Outcome, int]


@dataclass(frozen=True)
class StatusReport(Document):
    """The outcomes of one directive as last judged; they add up to ``fleet``."""

    KIND: ClassVar[str] = "proscribe.status"
    LATER: ClassVar[frozenset[str]] = frozenset({"ended", "approvals"})

    directive: str
    title: Text
    at: datetime
    fleet: int
    compliant: int
    outcomes: dict[Outcome, int]
    departments: tuple[DepartmentOutcomes, ...]
    frozen: bool
    lifted: bool
    ended: Text | None = None  # why nothing more is sent, though the ban was not lifted
    approvals: tuple[Text, ...] = ()  # whose signatures stand under it


@dataclass(frozen=True, slots=True)
class DriftCount(Value):
    """What changed on devices since the observation before."""

    directive: str
    new: int
    reinstalled: int
    cured: int


@dataclass(frozen=True)
class TickSummary(Document):
    """What one tick did, what it left and why."""

    KIND: ClassVar[str] = "proscribe.tick"

    at: datetime
    counts: dict[str, int]
    happened: tuple[Text, ...]
    waits: tuple[Text, ...]
    errors: tuple[Text, ...]
    drift: tuple[DriftCount, ...]
    frozen: bool
    unsettled: int
    waiting: int
    next_at: datetime | None  # when the next tick can do something about the unsettled ones; None: at once, or nothing
    statuses: tuple[StatusReport, ...]


class ExemptionState(StrEnum):
    """Where an exemption stands in its life."""

    requested = "requested"
    refused = "refused"
    to_come = "to_come"
    in_force = "in_force"
    expired = "expired"
    ended = "ended"  # by somebody, before its last day


@dataclass(frozen=True, slots=True)
class ExemptionLine(Value):
    """One exemption as the authority is told of it: how many devices, not which, and no person."""

    id: str
    state: ExemptionState
    ground: str
    devices: int
    requested_by: str
    approved_by: str  # "" where nobody has yet
    delegated_by: str
    starts: date
    expires: date
    ended_on: date | None
    renews: str  # "" for the first of a chain
    since: date  # first day of the first of the chain
    renewals: int  # how often the chain was gone on with
    mitigations: tuple[str, ...]
    proven: tuple[str, ...]  # of the mitigations, those with a proof on file
    signed_by: tuple[str, ...]  # seats; empty where no signature was asked for


@dataclass(frozen=True)
class ExemptionReport(Document):
    """The exemptions under one directive, for the authority that issued it."""

    KIND: ClassVar[str] = "proscribe.exemption-report"

    directive: str
    at: datetime
    organisation: Text
    in_force: int  # devices that are exempt today, each counted once
    by_ground: dict[str, int]  # of those, by ground
    exemptions: tuple[ExemptionLine, ...]
