"""Between an authority and its departments: acknowledgements, attestations, challenges, the roll-up. Types only.

No device and no person is in any of these: departments count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.enforce.model import Outcome
from proscribe.prove.model import InclusionProof, SignedTreeHead, TreeHead
from proscribe.text import Text

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://proscribe.example.org/attestation/v1"
"""Predicate type of our attestation: a name, not an address that answers."""


@dataclass(frozen=True, slots=True)
class FleetDeclared(Value):
    """One fleet a department answers for."""

    name: Text
    system: str
    devices: int | None  # None: not known


@dataclass(frozen=True)
class Acknowledgement(Document):
    """A department accepts a directive, names an owner, declares what it answers for and what it cannot see."""

    KIND: ClassVar[str] = "proscribe.acknowledgement"

    department: str
    directive: str
    directive_digest: Digest
    at: datetime
    owner: str  # a role
    fleets: tuple[FleetDeclared, ...]
    unmanaged: int | None  # devices outside every management system; None: not known
    byod: Text
    tree_head: SignedTreeHead | None = None  # of the department's ledger: the anchor of what follows
    since: SignedTreeHead | None = None  # the tree head last given to the authority; None for the first
    consistency: tuple[str, ...] = ()  # hex; from ``since`` to ``tree_head``


@dataclass(frozen=True, slots=True)
class ClassCount(Value):
    """Outcomes of one class of device; small cells are put together before anything leaves the department."""

    name: str  # "<system>/<enrolment>", or "other"
    devices: int  # what ``by_outcome`` and ``together`` add up to
    by_outcome: dict[Outcome, int]
    together: int = 0  # devices of the outcomes that ``by_outcome`` does not count apart


@dataclass(frozen=True)
class Attestation(Document):
    """The predicate of the in-toto Statement with which a department says what it did, and could not see or do."""

    KIND: ClassVar[str] = "proscribe.attestation"

    department: str
    directive: str
    directive_digest: Digest
    number: int  # from 1, one more each time
    at: datetime
    signed_off_by: str  # a role
    devices: int  # what ``by_outcome`` and ``together`` add up to
    by_outcome: dict[Outcome, int]
    classes: tuple[ClassCount, ...]
    small_cell_floor: int
    not_seen: tuple[Text, ...]  # without counts: those are in ``classes``, where the floor holds
    unmanaged: int | None
    exemptions: dict[str, int]  # ground -> devices; adds up to ``by_outcome[exempt]``; empty where that is put together
    proof: Digest  # of the manifest of the proof bundle
    tree_head: SignedTreeHead
    consistency: tuple[str, ...]  # hex; from the tree head last given to the authority; empty for the first
    since: SignedTreeHead | None  # that tree head
    together: int = 0  # devices of the outcomes that ``by_outcome`` does not count apart: fewer than the floor each


@dataclass(frozen=True)
class Challenge(Document):
    """The authority asks a department for random entries of the ledger it attested to."""

    KIND: ClassVar[str] = "proscribe.challenge"

    department: str
    directive: str
    attestation: Digest
    tree_head: SignedTreeHead
    indexes: tuple[int, ...]
    at: datetime
    due: date


@dataclass(frozen=True, slots=True)
class AnsweredEntry(Value):
    """One entry asked for.

    ``entry`` is None where it names a device or counts fewer than the floor: then its leaf hash alone is given.
    """

    proof: InclusionProof
    leaf: str  # hex
    entry: dict[str, Any] | None


@dataclass(frozen=True)
class ChallengeAnswer(Document):
    """The entries asked for, each proven to be in the ledger attested to."""

    KIND: ClassVar[str] = "proscribe.challenge-answer"

    department: str
    challenge: Digest
    at: datetime
    entries: tuple[AnsweredEntry, ...]


@dataclass(frozen=True)
class ReceivedProof(Document):
    """What the authority noted of a proof bundle that a department handed over; the bundle itself is not kept."""

    KIND: ClassVar[str] = "proscribe.received-proof"

    department: str
    directive: str
    manifest: Digest
    at: datetime
    fleet: int
    outcomes: dict[str, int]
    tree_head: TreeHead
    wrong: tuple[Text, ...]  # checks that failed, and heads that its ledger contradicts


@dataclass(frozen=True)
class ChallengeResult(Document):
    """What the authority found in an answer. ``wrong`` is empty where every entry asked for was proven."""

    KIND: ClassVar[str] = "proscribe.challenge-result"

    department: str
    directive: str
    challenge: Digest
    answer: Digest
    at: datetime
    asked: int
    shown: int  # entries given in full
    withheld: int  # entries given by leaf hash alone
    wrong: tuple[Text, ...]


class DepartmentStanding(StrEnum):
    """Where a department stands with a directive, worst first."""

    forked = "forked"  # its ledger contradicts what it showed before
    inconsistent = "inconsistent"  # its counts contradict each other, its acknowledgement or its proof
    silent = "silent"  # nothing at all after the due date
    overdue = "overdue"  # acknowledged or acting, and late
    acting = "acting"
    acknowledged = "acknowledged"
    waiting = "waiting"  # nothing yet, and not due
    attested = "attested"


@dataclass(frozen=True, slots=True)
class DepartmentRow(Value):
    """One department in the roll-up."""

    department: str
    standing: DepartmentStanding
    why: tuple[Text, ...]
    acknowledged_at: datetime | None
    attested_at: datetime | None
    attestations: int
    devices: int | None
    by_outcome: dict[Outcome, int]
    unmanaged: int | None
    exempt: int
    together: int = 0  # devices of outcomes too few to be counted apart
    rechecked_at: datetime | None = None


@dataclass(frozen=True)
class Rollup(Document):
    """Every department's standing under one directive, as the authority knows it."""

    KIND: ClassVar[str] = "proscribe.rollup"

    directive: str
    directive_digest: Digest
    at: datetime
    acknowledge_by: date
    attest_by: date
    rows: tuple[DepartmentRow, ...]
    standings: dict[DepartmentStanding, int]
    by_outcome: dict[Outcome, int]
    together: int = 0


@dataclass(frozen=True)
class DepartmentHeads(Document):
    """The tree heads the authority holds of each department, carried by the feed: who forks is seen by all."""

    KIND: ClassVar[str] = "proscribe.department-heads"

    at: datetime
    heads: dict[str, SignedTreeHead]


@dataclass(frozen=True)
class Revocation(Document):
    """A directive taken back by the authority that issued it; departments propose to lift their ban."""

    KIND: ClassVar[str] = "proscribe.revocation"

    directive: str
    directive_digest: Digest
    version: int  # of the directive taken back
    revoked_on: date
    reason: Text
    superseded_by: str = ""


@dataclass(frozen=True)
class FeedState(Document):
    """What was last accepted of a feed: the client's own note, which a pull replaces only when all of it held."""

    KIND: ClassVar[str] = "proscribe.feed-state"

    versions: dict[str, int]  # of root, timestamp, snapshot, targets
    timestamp: Digest  # of the bytes of timestamp.json
    until: datetime  # when the first of the four lapses
    accepted_at: datetime  # when this timestamp was first seen
    checked_at: datetime  # when it was last served, or replaced
    files: dict[str, str]  # path -> SHA-256, hex
    not_understood: tuple[str, ...] = ()  # paths that this release does not know


class Adopting(StrEnum):
    """How far a department goes by itself with what a feed brings. None of these sends anything to a device."""

    never = "never"  # a case is opened, and that is all
    approved = "approved"  # somebody here approves each directive
    standing = "standing"  # a signed standing order may stand for that approval


@dataclass(frozen=True)
class FeedItemRecord(Document):
    """One file of a feed as a department met it: taken in, or refused and why."""

    KIND: ClassVar[str] = "proscribe.feed-item"

    feed: str
    path: str
    sha256: str  # hex, of the file
    of: Digest | None  # of the document inside; None where it could not be read
    at: datetime
    seats: tuple[str, ...] = ()  # whose signatures counted; empty where no key list is known for the feed
    refused: str = ""  # error code
    why: Text | None = None


@dataclass(frozen=True)
class Adoption(Document):
    """A directive of a feed, adopted here: by whom or under which standing order. Enforcing it is another decision."""

    KIND: ClassVar[str] = "proscribe.adoption"

    feed: str
    directive: str
    version: int
    directive_digest: Digest
    targets_digest: Digest | None  # None: the feed had no target set for this version
    at: datetime
    by: str  # a role, or the standing order's issuer
    order: Digest | None = None  # the standing order; None: approved here


@dataclass(frozen=True)
class PullReport(Document):
    """What a pull brought, or why it was refused."""

    KIND: ClassVar[str] = "proscribe.feed-pull"

    feed: str
    at: datetime
    basis: Digest | None = None  # of the feed's state and the key list it was judged by; None: it was refused
    fresh: bool = False
    taken: tuple[str, ...] = ()  # paths
    refused: tuple[FeedItemRecord, ...] = ()
    gone: tuple[str, ...] = ()  # paths that were there before; what was adopted of them stays
    cases: tuple[str, ...] = ()  # ids of the cases opened
    adopted: tuple[str, ...] = ()  # directive ids
    proposals: tuple[Text, ...] = ()  # what a person should now decide
    error: str = ""  # code, where the whole feed was refused
    why: Text | None = None
    requests: int = 0
    received: int = 0  # bytes


class FeedHealth(StrEnum):
    """How a feed stands, as a department sees it."""

    good = "good"
    stale = "stale"  # no new sign of life for longer than expected; what is accepted holds still
    lapsed = "lapsed"  # what was accepted is past its time
    refused = "refused"  # the last pull was refused
    never = "never"  # nothing was ever accepted


@dataclass(frozen=True)
class FeedStatus(Document):
    """One configured feed, as a department sees it."""

    KIND: ClassVar[str] = "proscribe.feed-status"

    feed: str
    source: str
    adopt: Adopting
    at: datetime
    health: FeedHealth
    why: Text
    state: FeedState | None
    last: PullReport | None
    key_list: int | None  # version of the issuer's key list; None: none is known
    adopted: tuple[Adoption, ...]
