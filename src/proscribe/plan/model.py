"""What will be done, to what, in which order, and what will not be done and why. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Literal

from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.terms import Enrolment, Platform, Side
from proscribe.text import Text


class Verb(StrEnum):
    """What a management system can be asked to do about an app."""

    observe = "observe"
    remove = "remove"
    block_launch = "block_launch"
    block_install = "block_install"


class Effect(StrEnum):
    """What comes of the verb. ``blind``: done, but the system reports nothing back about the app."""

    full = "full"
    blind = "blind"
    report_only = "report_only"
    impossible = "impossible"


class Reach(StrEnum):
    """The unit a method acts on."""

    device = "device"
    group = "group"
    policy = "policy"
    none = "none"


@dataclass(frozen=True, slots=True)
class Capability(Value):
    """One row: what one system can do on one class of device. ``source`` and ``tested_by`` are never empty."""

    id: str  # "<system>/<name>"
    system: str  # "*" for what the platform itself allows at most
    verb: Verb
    platform: Platform
    enrolment: Enrolment
    side: Side
    os_min: str  # "" for no bound
    os_max: str
    applies_to: str  # any | managed | unmanaged | system
    effect: Effect
    method: str  # name of the connector's method, "" where impossible
    reach: Reach
    proved_by: Text
    undo: Text
    limits: Text
    source: str
    tested_by: str


@dataclass(frozen=True, slots=True)
class Devices(Value):
    """At most this many devices. ``Devices(0)`` refuses everything."""

    n: int
    unit: Literal["devices"] = "devices"


@dataclass(frozen=True, slots=True)
class Percent(Value):
    """At most this share of the fleet in scope, rounded down."""

    p: float
    unit: Literal["percent"] = "percent"


@dataclass(frozen=True, slots=True)
class Unlimited(Value):
    """No limit: a type of its own, so that nothing can be mistaken for it."""

    unit: Literal["unlimited"] = "unlimited"


Limit = Devices | Percent | Unlimited


@dataclass(frozen=True, slots=True)
class Ring(Value):
    """A wave: its share of the reached devices, and the success rate the wave before must have met."""

    name: str
    size: Limit
    success_rate: float = 0.95


@dataclass(frozen=True, slots=True)
class Policy(Value):
    """The limits and waves of one plan."""

    removal_limit: Limit  # devices from which an app will be removed
    reach_limit: Limit  # devices whose configuration changes
    rings: tuple[Ring, ...]
    inventory_max_days: int = 7  # a snapshot older than this drives nothing


@dataclass(frozen=True, slots=True)
class MitigationProof(Value):
    """That a safeguard is in place: which one, and the digest of the file that shows it. The file stays where it is."""

    mitigation: str  # one of the exemption's own
    digest: Digest
    what: str  # what the file is; no person


@dataclass(frozen=True, slots=True)
class Exemption(Value):
    """Named devices that keep an app for a stated ground until a date at most a year after the start."""

    LATER: ClassVar[frozenset[str]] = frozenset({"renews", "proofs", "delegated_by"})

    id: str
    directive: str
    devices: tuple[str, ...]  # device keys; never a whole entity, never a pattern
    ground: str
    requested_by: str
    approved_by: str
    starts: date
    expires: date
    mitigations: tuple[str, ...] = ()
    renews: str = ""  # id of the exemption that this one goes on from
    proofs: tuple[MitigationProof, ...] = ()
    delegated_by: str = ""  # role that handed its power to ``approved_by``, where the directive lets it


@dataclass(frozen=True)
class ExemptionRequest(Document):
    """An exemption that somebody asks for: ``approved_by`` is empty in it. Refused, it says by whom and why."""

    KIND: ClassVar[str] = "proscribe.exemption-request"

    exemption: Exemption
    justification: str
    on: date
    refused_by: str = ""  # a role
    refused_because: str = ""


@dataclass(frozen=True)
class ExemptionGrant(Document):
    """An exemption as it is granted: what the approver signs."""

    KIND: ClassVar[str] = "proscribe.exemption"

    exemption: Exemption
    request: Digest | None = None  # what was asked for; None where it was granted without a request on file


@dataclass(frozen=True)
class ExemptionRegister(Document):
    """The exemptions in force, as one document that a plan can name by digest."""

    KIND: ClassVar[str] = "proscribe.exemptions"

    exemptions: tuple[Exemption, ...]


@dataclass(frozen=True, slots=True)
class Hold(Value):
    """A records hold: nothing is removed from these devices until it is released. Blocking goes on (DESIGN rule 6)."""

    LATER: ClassVar[frozenset[str]] = frozenset({"user"})

    id: str
    devices: tuple[str, ...]  # device keys; never a whole entity, never a pattern
    authority: str  # what requires the records to be kept: a disposal authority, a case, an access request
    placed_by: str  # a role
    starts: date
    user: str = ""  # whose records: a pseudonym or an account key, never a name; "" where the hold is about devices


@dataclass(frozen=True)
class HoldRegister(Document):
    """The records holds in force, as one document."""

    KIND: ClassVar[str] = "proscribe.holds"

    holds: tuple[Hold, ...]


class RefusalReason(StrEnum):
    """Why something will not be done. Each is documented in docs/reference/refusals.md."""

    protected_app = "protected_app"
    low_confidence = "low_confidence"
    exempt_in_shared_scope = "exempt_in_shared_scope"
    exempt = "exempt"
    records_hold = "records_hold"  # removal would delete records that must be kept
    limit_removals = "limit_removals"
    limit_reach = "limit_reach"
    impossible = "impossible"  # no capability row allows it
    invisible = "invisible"  # the part of the device cannot be seen or reached
    no_connector = "no_connector"  # a row allows it, but no configured connector carries it out
    preflight = "preflight"  # a setting of the scope would defeat it
    not_reviewed = "not_reviewed"  # the target set was not approved by a person
    stale_inventory = "stale_inventory"
    not_in_force = "not_in_force"
    scope_unread = "scope_unread"  # the policy or group of the devices was not observed
    no_identifier = "no_identifier"  # no target for this platform may drive a change
    not_asked = "not_asked"  # the directive asks for no change on devices
    scope_unsure = "scope_unsure"  # the source does not say what decides whether the directive is about the device


@dataclass(frozen=True, slots=True)
class Refusal(Value):
    """Something the directive asks for that the plan will not do."""

    reason: RefusalReason
    system: str
    scope: str  # "" when it concerns devices or a target, not a scope
    target: str  # Target.id or ""
    devices: tuple[str, ...]
    what: Text
    remedy: Text
    blocks: bool  # True: the plan cannot be applied until it is settled


@dataclass(frozen=True, slots=True)
class Step(Value):
    """One change to one scope (or device) of one system."""

    id: str  # digest-derived, stable for the same change
    system: str
    reach: Reach
    scope: str
    scope_version: int  # the version the plan was made from
    method: str
    side: Side
    verbs: tuple[Verb, ...]
    app_ids: tuple[str, ...]  # what to send, sorted
    targets: tuple[str, ...]  # Target.ids, for the record
    holders: tuple[str, ...]  # devices known to hold a target
    collateral: int  # devices hit that hold no target
    effect: Effect
    proved_by: Text
    undo: Text
    wave: int
    warnings: tuple[Text, ...] = ()

    @property
    def reached(self) -> int:
        """Devices whose configuration changes."""
        return len(self.holders) + self.collateral


@dataclass(frozen=True, slots=True)
class Wave(Value):
    """A wave as planned."""

    number: int
    name: str
    steps: tuple[str, ...]
    devices: int
    success_rate: float


@dataclass(frozen=True, slots=True)
class PlanCounts(Value):
    """The blast radius. ``in_scope`` = to_remove + block_only + nothing_to_do + exempt + cannot."""

    in_scope: int
    to_remove: int  # devices from which a target will be removed
    block_only: int  # devices reached that hold no target: the collateral
    nothing_to_do: int  # already in the wanted state
    exempt: int
    cannot: int  # impossible, no connector, refused
    invisible_side: int  # of all of these, devices with a part nobody can see
    waiting: int = (
        0  # of nothing_to_do, devices that still held a target when last seen: the ban is set, not yet synced
    )


@dataclass(frozen=True)
class Plan(Document):
    """The artefact that is approved. ``basis`` digests all that decides the steps; apply re-plans and compares it."""

    KIND: ClassVar[str] = "proscribe.plan"

    created_at: datetime
    directive: str
    directive_digest: Digest
    targets_digest: Digest
    snapshot_digest: Digest
    capabilities_digest: Digest
    exemptions_digest: Digest
    policy: Policy
    counts: PlanCounts
    steps: tuple[Step, ...]
    waves: tuple[Wave, ...]
    refusals: tuple[Refusal, ...]
    basis: Digest
    follow_recommended: bool = False  # whoever planned chose to act on a text that does not bind

    @property
    def blocked(self) -> bool:
        """Whether a refusal forbids applying the plan at all."""
        return any(refusal.blocks for refusal in self.refusals)
