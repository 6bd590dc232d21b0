"""What a directive means for each device. Types only.

Every device in scope has exactly one presence per directive, so counts add up to the fleet; an app seen is a Finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.catalogue.model import Confidence, MatchKind
from proscribe.documents import Document, Value
from proscribe.inventory.model import Freshness
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


@dataclass(frozen=True, slots=True)
class DepartmentCount(Value):
    """Devices of one department under one directive, by presence; the counts add up to ``devices``."""

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
