"""The ledger's entries, the proof bundle with the documents in it, and what checking one found. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.enforce.model import Outcome
from proscribe.inventory.model import Coverage
from proscribe.text import Text
from proscribe.trust.model import Verification


class EntryKind(StrEnum):
    """What a ledger entry records."""

    directive = "directive"
    target_set = "target_set"
    snapshot = "snapshot"
    evaluation = "evaluation"
    plan = "plan"
    approval = "approval"
    wave = "wave"
    intent = "intent"  # written before a send
    receipt = "receipt"
    fault = "fault"
    observation = "observation"
    outcomes = "outcomes"
    drift = "drift"
    exemption = "exemption"
    hold = "hold"
    freeze = "freeze"
    thaw = "thaw"
    lift = "lift"
    retention = "retention"
    case = "case"
    signature = "signature"
    key_list = "key_list"
    acknowledgement = "acknowledgement"
    attestation = "attestation"
    feed = "feed"
    head = "head"  # a tree head of ours was signed, or one of somebody else's was witnessed
    notice = "notice"


@dataclass(frozen=True)
class LedgerEntry(Document):
    """One fact, in order. Its canonical bytes are the leaf of the RFC 6962 tree."""

    KIND: ClassVar[str] = "proscribe.ledger-entry"

    index: int
    at: datetime
    actor: str  # a role or system name, never a person's device
    entry: EntryKind
    subject: str  # what it is about: a directive id, an action key, ...
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TreeHead(Value):
    """Size and root hash (hex) of the ledger at one moment."""

    size: int
    root: str


@dataclass(frozen=True)
class SignedTreeHead(Document):
    """A tree head with a date and the log's signature: two that do not fit together convict the log by themselves.

    ``signature`` (hex, Ed25519) is over the RFC 8785 bytes of this document without that field. ``log`` is the key
    itself (32 bytes, hex), so that any head can be checked; whose key it is, an acknowledgement says.
    """

    KIND: ClassVar[str] = "proscribe.tree-head"

    log: str
    size: int
    root: str  # hex
    at: datetime
    signature: str = ""


@dataclass(frozen=True, slots=True)
class ProvenEntry(Value):
    """An entry with its audit path (hex, leaf to root)."""

    entry: dict[str, Any]  # a ``LedgerEntry``, as stored
    path: tuple[str, ...]


@dataclass(frozen=True)
class HeadProof(Document):
    """A head with what proves its past and its entries: whoever holds an earlier head needs nothing else."""

    KIND: ClassVar[str] = "proscribe.head-proof"

    head: SignedTreeHead
    since: SignedTreeHead | None = None
    consistency: tuple[str, ...] = ()  # hex; that the log begins with ``since``
    entries: tuple[ProvenEntry, ...] = ()


@dataclass(frozen=True)
class WitnessedHead(Document):
    """A head of somebody else's log as it was received, with the proof that came along."""

    KIND: ClassVar[str] = "proscribe.witnessed-head"

    source: str  # who answers for the log: a department
    head: SignedTreeHead
    proof: tuple[str, ...] = ()  # hex; that the log begins with the head witnessed before
    contradiction: str = ""  # a ``witness.Contradiction`` where it convicts the log; else it follows


@dataclass(frozen=True, slots=True)
class LedgerFinding(Value):
    """One thing that is wrong with a ledger. ``code`` is that of the error, as docs/reference/errors.md lists it."""

    code: str
    what: Text
    remedy: Text


@dataclass(frozen=True)
class LedgerCheck(Document):
    """What checking a whole ledger found: every row, every node of its tree, every head."""

    KIND: ClassVar[str] = "proscribe.ledger-check"

    at: datetime
    log: str
    tree_head: TreeHead  # computed from the entries
    own_heads: int  # signed by this log and looked at
    given_heads: int  # brought along from elsewhere
    witnessed_heads: int
    findings: tuple[LedgerFinding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Member(Value):
    """One file of a bundle."""

    name: str
    digest: Digest
    bytes: int


@dataclass(frozen=True)
class BundleManifest(Document):
    """What a proof bundle holds and how it hangs together."""

    KIND: ClassVar[str] = "proscribe.proof"
    LATER: ClassVar[frozenset[str]] = frozenset({"key_lists", "signed"})

    created_at: datetime
    directive: str
    directive_digest: Digest
    targets_digest: Digest
    plans: tuple[Digest, ...]
    snapshots: tuple[Digest, ...]
    tree_head: TreeHead
    fleet: int
    outcomes: dict[str, int]  # Outcome value -> devices; adds up to ``fleet``
    not_seen: tuple[Text, ...]  # what could not be seen, in words
    members: tuple[Member, ...]
    organisation: Text
    pseudonymised: bool = True  # False: device keys as the management systems know them
    small_cell_floor: int = 0  # departments below it were put together; 0: none were
    key_lists: tuple[Digest, ...] = ()  # those ever accepted, first to newest; none: nothing is signed
    signed: tuple[Digest, ...] = ()  # the documents in the envelopes, in the order of the members


@dataclass(frozen=True)
class SignatureList(Document):
    """What was found of each signed document when it was recorded. Envelopes that name devices are not in a bundle."""

    KIND: ClassVar[str] = "proscribe.signature-list"

    verifications: tuple[Verification, ...]


@dataclass(frozen=True, slots=True)
class Tally(Value):
    """Devices of one group by outcome; the counts add up to ``devices``."""

    name: str
    devices: int
    by_outcome: dict[Outcome, int]


@dataclass(frozen=True)
class Counts(Document):
    """The outcomes of one directive, counted: the fleet, its departments, its classes of device."""

    KIND: ClassVar[str] = "proscribe.counts"

    directive: str
    fleet: int
    by_outcome: dict[Outcome, int]
    departments: tuple[Tally, ...]
    classes: tuple[Tally, ...]  # name: "<system>/<enrolment>"


@dataclass(frozen=True, slots=True)
class ExemptionSummary(Value):
    """An exemption as a bundle shows it: how many devices, not which, and no person."""

    id: str
    ground: str
    starts: date
    expires: date
    devices: int
    mitigations: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExemptionList(Document):
    """The exemptions in a bundle. ``register`` is the digest of the whole register, which stays with its owner."""

    KIND: ClassVar[str] = "proscribe.exemption-list"

    register: Digest
    exemptions: tuple[ExemptionSummary, ...]


@dataclass(frozen=True)
class NotSeen(Document):
    """What nobody could see or settle: blind spots of the sources, and devices without a verified outcome."""

    KIND: ClassVar[str] = "proscribe.not-seen"

    coverage: tuple[Coverage, ...]
    not_verified: dict[Outcome, int]  # outcome that is not compliance -> devices
    statements: tuple[Text, ...]


class Withheld(StrEnum):
    """Why an entry of the ledger is in a bundle as its leaf hash only."""

    other_matter = "other_matter"  # it is about another directive
    names_devices = "names_devices"  # it names a device, and the bundle is pseudonymised


@dataclass(frozen=True, slots=True)
class InclusionProof(Value):
    """The audit path (hex, leaf to root) of one entry."""

    index: int
    path: tuple[str, ...]


@dataclass(frozen=True)
class LedgerProofs(Document):
    """The tree head of the ledger and the proof that each entry shown belongs to it."""

    KIND: ClassVar[str] = "proscribe.ledger-proofs"

    tree_head: TreeHead
    entries: tuple[InclusionProof, ...]
    withheld: dict[Withheld, int]


@dataclass(frozen=True, slots=True)
class ReceiptLine(Value):
    """A receipt as the ledger holds it. It proves that a system accepted an order, and nothing more."""

    index: int
    at: datetime
    action: str
    body: dict[str, Any]


class CheckState(StrEnum):
    """What came of one check. ``limited``: what could be checked was right, and what could not is said."""

    passed = "passed"
    failed = "failed"
    limited = "limited"


@dataclass(frozen=True, slots=True)
class Check(Value):
    """One check of a proof: on which member ("container" for the file itself), and what it found."""

    name: str
    state: CheckState
    member: str
    what: Text


@dataclass(frozen=True)
class VerifyResult(Document):
    """Everything that checking a proof found. It holds when no check failed."""

    KIND: ClassVar[str] = "proscribe.verification"

    file: str
    checks: tuple[Check, ...]
    directive: str = ""
    tree_head: TreeHead | None = None

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(check.state is not CheckState.failed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.state is CheckState.failed)
