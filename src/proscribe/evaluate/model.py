"""What a directive means for each device. Types only.

Every device in scope has exactly one presence per directive, so counts add up to the fleet; an app seen is a Finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.catalogue.model import Confidence, MatchKind
from proscribe.directive.model import Force, State
from proscribe.documents import Document, Value
from proscribe.inventory.model import Coverage, Freshness, Problem, SourceSummary
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text


class Presence(StrEnum):
    """Whether the banned app is on the device, as far as anyone can know (DESIGN rule 2). Worst first."""

    present_managed = "present_managed"
    present_unmanaged = "present_unmanaged"
    present_contained = "present_contained"  # listed but cannot launch
    unknown = "unknown"  # the device is known, its app list is not
    stale = "stale"  # the list is older than the source's bound, or than the ban
    invisible = "invisible"  # a part of the device cannot be seen by design
    absent = "absent"


class Drift(StrEnum):
    """A finding against the previous snapshot."""

    first_seen = "first_seen"  # there is no previous snapshot
    new = "new"
    continuing = "continuing"
    reinstalled = "reinstalled"  # it had been gone
    cured = "cured"  # was there before, is gone now


UNKNOWN_DEPARTMENT = "?"
"""Stands in counts for devices whose source names no department, because "" stands there for the whole fleet."""


@dataclass(frozen=True, slots=True)
class FindingKey(Value):
    """What makes two findings of different days the same one. An update or a renamed app is neither cure nor news."""

    directive: str
    product: str  # Finding.product; where the target names none, the target and the app id
    device: str


@dataclass(frozen=True, slots=True)
class Finding(Value):
    """One app that met one target on one device."""

    directive: str
    device: str  # DeviceRecord.key
    system: str
    platform: Platform
    enrolment: Enrolment
    department: str
    scope: str
    product: str
    target: str
    match: MatchKind
    confidence: Confidence
    actionable: bool
    app_id: str
    app_name: str
    signer: str
    version: str
    side: Side
    held: Held
    observed_at: datetime | None
    freshness: Freshness
    stale: bool
    drift: Drift
    scope_unsure: bool = False  # the source does not say something that the directive's scope turns on

    @property
    def key(self) -> FindingKey:
        """The key by which drift is judged."""
        return FindingKey(self.directive, self.product or f"{self.target} {self.app_id}", self.device)


@dataclass(frozen=True, slots=True)
class DeviceStatus(Value):
    """One device under one directive: the worst presence, and what could not be seen."""

    directive: str
    device: str
    system: str
    platform: Platform
    enrolment: Enrolment
    os_version: str
    department: str
    scope: str
    presence: Presence
    invisible_side: bool  # a part of the device is out of sight whatever the presence says
    observed_at: datetime | None
    freshness: Freshness
    scope_unsure: bool = False  # in scope as far as known: platform, enrolment or department is not in the source


@dataclass(frozen=True, slots=True)
class DepartmentCount(Value):
    """Devices of one department under one directive, by presence; the counts add up to ``devices``.

    ``department`` is "" for the whole fleet and :data:`UNKNOWN_DEPARTMENT` where the source names none.
    """

    directive: str
    department: str
    devices: int
    by_presence: dict[Presence, int]


@dataclass(frozen=True, slots=True)
class Gap(Value):
    """Devices about which a clean answer would be a guess."""

    directive: str
    system: str
    platform: Platform
    enrolment: Enrolment
    presence: Presence  # unknown, stale or invisible
    devices: int
    reason: Text
    source: str


@dataclass(frozen=True)
class Evaluation(Document):
    """The summary of one evaluation; findings and statuses travel beside it (they are large)."""

    KIND: ClassVar[str] = "proscribe.evaluation"

    evaluated_at: datetime
    directives: dict[str, Digest]
    target_sets: dict[str, Digest]
    snapshot: Digest
    previous: Digest | None
    devices: int
    violations: dict[str, int]  # devices with a violation, by directive
    findings: dict[str, int]  # findings by match kind, all directives
    presences: tuple[DepartmentCount, ...]  # department "" is the whole fleet
    gaps: tuple[Gap, ...]


class Verdict(StrEnum):
    """What ``proscribe check`` can say of some exports. Only ``clean`` speaks of whole devices."""

    violations = "violations"
    none_seen = "none_seen"  # nothing was found in what could be seen, and something could not be seen
    clean = "clean"  # nothing was found, and every device in scope was seen whole, with a list of known age
    nothing_read = "nothing_read"  # no device could be read, so nothing can be said


@dataclass(frozen=True, slots=True)
class GroupCount(Value):
    """Devices of one department and platform by what was found on them. A device is counted once, under the surest."""

    department: str  # UNKNOWN_DEPARTMENT where the source names none
    platform: Platform
    devices: int  # in scope of the directive
    by_identifier: int  # exact id, signer or glob
    by_name: int  # the source gives names only
    lookalike: int  # nothing but look-alikes: not violations


@dataclass(frozen=True, slots=True)
class ProductCount(Value):
    """Devices on which one banned product was found, by how it was recognised. A device may hold several products."""

    product: str
    label: str
    by_identifier: int
    by_name: int
    lookalike: int


@dataclass(frozen=True, slots=True)
class DirectiveCheck(Value):
    """One directive against the devices in its scope."""

    directive: str
    version: int
    title: Text
    state: State
    force: Force
    effective: date | None
    digest: Digest
    target_set: Digest
    reviewed: bool  # whether a person approved the target set
    targets: int
    devices: int
    violations: int  # devices
    lookalikes: int  # devices with look-alikes and nothing else
    by_presence: dict[Presence, int]
    groups: tuple[GroupCount, ...]
    products: tuple[ProductCount, ...]
    scope_unsure: int  # devices in scope as far as known
    out_of_scope: int  # devices outside the scope that hold it all the same


@dataclass(frozen=True, slots=True)
class Unseen(Value):
    """What a clean answer would be a guess about, in devices of the whole fleet (one may count in several lines)."""

    no_list: int  # the device is known, its app list is not
    extent_unknown: int  # the source does not say which part of the device it lists
    stale: int  # older than the source's bound, or dated in the future
    before_ban: int  # taken before a directive took effect, and therefore no evidence for it
    invisible: int  # a part of the device is out of sight by design
    undated: int  # the source gives no date
    names_only: int  # the source gives names and no identifiers
    bad_rows: int
    unreadable_files: tuple[str, ...]  # nothing of them was read
    incomplete_files: tuple[str, ...]  # they broke off: what came before is in the counts


@dataclass(frozen=True)
class CheckReport(Document):
    """The result of ``proscribe check``: what could not be seen first, then violations, and look-alikes apart."""

    KIND: ClassVar[str] = "proscribe.check"

    checked_at: datetime
    verdict: Verdict
    snapshot: Digest
    sources: tuple[SourceSummary, ...]
    devices: int
    duplicate_devices: int
    apps_seen: int
    installs_seen: int
    unseen: Unseen
    gaps: tuple[Gap, ...]  # directive "": whatever is banned
    coverage: tuple[Coverage, ...]
    problems_total: int
    problems: tuple[Problem, ...]
    directives: tuple[DirectiveCheck, ...]
    violations: tuple[Finding, ...]
    lookalikes: tuple[Finding, ...]
