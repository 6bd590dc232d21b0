"""A case: from a concern to a decision and what became of it, as documents (governance.md, sections 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.directive.model import Compromise
from proscribe.documents import Document, Value
from proscribe.text import Text


class Track(StrEnum):
    """``interim`` acts first: it needs a recorded reason of urgency and ends by itself unless confirmed in time."""

    standard = "standard"
    interim = "interim"


class Stage(StrEnum):
    """The steps of a case. The last three end or replace what was decided."""

    intake = "intake"
    assess = "assess"
    targets = "targets"
    impact = "impact"
    vendor = "vendor"
    reviews = "reviews"
    decide = "decide"
    sign = "sign"
    publish = "publish"
    acknowledge = "acknowledge"
    act = "act"
    attest = "attest"
    confirm = "confirm"  # interim track: the decision stands after replies and reviews
    review = "review"
    amend = "amend"
    supersede = "supersede"
    revoke = "revoke"


class Origin(StrEnum):
    """What opened a case."""

    concern = "concern"
    referral = "referral"
    partner = "partner"  # a notice of another government, e.g. a STIX bundle
    feed = "feed"  # a directive of the authority above
    assessment = "assessment"


@dataclass(frozen=True)
class Case(Document):
    """The head of a case; everything after it is a :class:`Step`."""

    KIND: ClassVar[str] = "proscribe.case"

    id: str
    title: Text
    track: Track
    origin: Origin
    concern: Text
    opened_at: datetime
    opened_by: str  # a role
    directive: str = ""  # id of the directive this case is to make, or received
    urgency: Text | None = None  # interim: why it cannot wait
    interim_until: date | None = None  # interim: last day without confirmation
    received: Digest | None = None  # what came from outside and opened the case


@dataclass(frozen=True, slots=True)
class Attached(Value):
    """A document that a step rests on, by digest."""

    name: str  # what it is here: "evidence", "review.privacy", "notice.public.fr", ...
    kind: str
    digest: Digest


@dataclass(frozen=True)
class Step(Document):
    """One transition of a case: dated, by a role, resting on documents, chained to the step before."""

    KIND: ClassVar[str] = "proscribe.case-step"

    case: str
    number: int  # from 1
    stage: Stage
    at: datetime
    by: str  # a role
    documents: tuple[Attached, ...]
    previous: Digest  # of the step before, or of the case
    note: Text | None = None


@dataclass(frozen=True)
class CaseDesk(Document):
    """What lies ready for the next steps of a case. Nothing of it belongs to the case until a step takes it."""

    KIND: ClassVar[str] = "proscribe.case-desk"

    case: str
    documents: tuple[Attached, ...]


class EvidenceKind(StrEnum):
    """What an item of evidence is."""

    assessment = "assessment"
    measurement = "measurement"
    statute = "statute"
    publication = "publication"
    testimony = "testimony"
    partner = "partner"
    vendor = "vendor"
    internal = "internal"


@dataclass(frozen=True, slots=True)
class EvidenceItem(Value):
    """Something the decision rests on, with what it does not show."""

    id: str
    kind: EvidenceKind
    title: Text
    source: str  # address or reference
    collected_by: str  # a role
    collected_at: datetime
    marking: str  # "TLP:CLEAR", "Protected B", ...
    public: bool
    supports: tuple[str, ...]  # ids of claims
    does_not_show: Text
    digest: Digest | None = None  # of the material itself, where it is kept


class ClaimStatus(StrEnum):
    """Where a claim stands. ``contested``: the vendor or another party disputes it; both sides are kept."""

    asserted = "asserted"
    contested = "contested"
    upheld = "upheld"  # contested, and kept after weighing the reply
    withdrawn = "withdrawn"


@dataclass(frozen=True, slots=True)
class Claim(Value):
    """What is said about the app or its maker; ``reply`` is the vendor's side, beside ours."""

    id: str
    text: Text
    status: ClaimStatus
    reply: Text | None = None
    weighed: Text | None = None  # how the reply was weighed


@dataclass(frozen=True)
class EvidenceRegister(Document):
    """All items and claims of a case. A new version replaces it until the decision; then it is frozen."""

    KIND: ClassVar[str] = "proscribe.evidence"

    case: str
    version: int
    items: tuple[EvidenceItem, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Impact(Document):
    """Whom and what the ban would touch, as far as it is known; what is not known is listed."""

    KIND: ClassVar[str] = "proscribe.impact"

    case: str
    at: datetime
    devices: int | None  # with a banned app; None: not counted
    in_scope: int | None
    departments: int | None
    official_accounts: Text
    records_at_risk: Text
    stated_needs: tuple[Text, ...]
    alternatives: tuple[Text, ...]
    not_known: tuple[Text, ...]
    snapshot: Digest | None = None


@dataclass(frozen=True, slots=True)
class ClaimResponse(Value):
    """The vendor's word on one claim, and our answer."""

    claim: str
    vendor_says: Text
    answer: Text
    changed: bool  # whether the reply changed the claim or the decision


@dataclass(frozen=True, slots=True)
class Waiver(Value):
    """Why the vendor was not asked."""

    reason: Text
    by: str  # a role
    on: date


@dataclass(frozen=True)
class VendorRecord(Document):
    """Notice, due date, reply, response to each claim; or a waiver with its reason."""

    KIND: ClassVar[str] = "proscribe.vendor-record"

    case: str
    vendor: Text
    notice_sent: date | None = None
    notice: Digest | None = None  # the text that was sent
    reply_due: date | None = None
    reply_received: date | None = None
    reply: Digest | None = None
    responses: tuple[ClaimResponse, ...] = ()
    meetings: tuple[Text, ...] = ()
    waiver: Waiver | None = None


class ReviewKind(StrEnum):
    """The specialist reviews."""

    privacy = "privacy"
    records = "records"
    legal = "legal"
    languages = "languages"
    accessibility = "accessibility"


class ReviewOutcome(StrEnum):
    """What a reviewer says. ``unfavourable`` does not stop the authority; the decision must answer it."""

    favourable = "favourable"
    with_conditions = "with_conditions"
    unfavourable = "unfavourable"


@dataclass(frozen=True)
class ReviewOpinion(Document):
    """One specialist review."""

    KIND: ClassVar[str] = "proscribe.review-opinion"

    case: str
    review: ReviewKind
    outcome: ReviewOutcome
    by: str  # a role
    on: date
    opinion: Text
    conditions: tuple[Text, ...] = ()
    reference: str = ""  # a PIA number, a file


@dataclass(frozen=True)
class Decision(Document):
    """The decision, frozen with everything that was known when it was taken."""

    KIND: ClassVar[str] = "proscribe.decision"

    case: str
    at: datetime
    decided_by: Text  # office, as published
    role: str
    track: Track
    legal_basis: tuple[Text, ...]
    stated_reasons: tuple[Text, ...]
    compromise_found: Compromise
    directive: Digest
    targets: Digest
    evidence: Digest
    impact: Digest | None
    vendor: Digest | None
    reviews: tuple[Digest, ...]
    answers: tuple[Text, ...] = ()  # to unfavourable reviews and conditions
    analyst_context: tuple[Text, ...] = ()  # never in a notice
    compromise_basis: Text | None = None
    interim_until: date | None = None


class ReviewVerdict(StrEnum):
    """What a scheduled review of a decision in force concludes."""

    keep = "keep"
    amend = "amend"
    supersede = "supersede"
    revoke = "revoke"


@dataclass(frozen=True)
class ScheduledReview(Document):
    """A decision looked at again: on its date, or because something changed."""

    KIND: ClassVar[str] = "proscribe.scheduled-review"

    case: str
    on: date
    by: str
    because: Text
    verdict: ReviewVerdict
    findings: Text
    next_on: date | None = None
