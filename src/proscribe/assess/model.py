"""The documents of an assessment: what an app can reach, what shows it, and how complete the look was. Types only.

Nothing in them depends on a clock, a host, a folder or a file name: the same bytes, packs, rubric, review and
observations give the same bytes (assess.md section 8, reproducibility contract).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from proscribe.assess.facts import AndroidFacts, Anomaly, IosFacts, Run
from proscribe.assess.profile import (
    AreaAccess,
    CodeSummary,
    Evidence,
    Exposure,
    Finding,
    Package,
    PermissionView,
    Publisher,
    RatingResult,
    Reference,
    SdkPresence,
    Tool,
)
from proscribe.assess.terms import Area, Ladder, Rating
from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.terms import Platform
from proscribe.text import Text


@dataclass(frozen=True)
class Assessment(Document):
    """How much of the device an app can reach, and what shows it."""

    KIND: ClassVar[str] = "proscribe.assessment"

    platform: Platform
    app_id: str
    app_name: str
    version: str
    build: str
    package: Package
    publisher: Publisher
    rating: RatingResult
    access: tuple[AreaAccess, ...]  # always all 18, in the order of Area
    findings: tuple[Finding, ...]
    permissions: tuple[PermissionView, ...]
    sdks: tuple[SdkPresence, ...]
    exposure: Exposure
    android: AndroidFacts | None
    ios: IosFacts | None
    code: CodeSummary
    runs: tuple[Run, ...]  # completeness, per fact class and reader
    anomalies: tuple[Anomaly, ...]
    hidden: tuple[Text, ...]  # what could not be seen, said first
    packs: tuple[Reference, ...]
    rubric: Reference
    review: Reference | None
    observations: tuple[Reference, ...]
    tools: tuple[Tool, ...]


# ---- what people hand in -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SuppressionEntry(Value):
    """``finding``: a finding id, or a capability id for every actor."""

    finding: str
    reason: str
    author: str
    expires: date


@dataclass(frozen=True, slots=True)
class ReleaseEntry(Value):
    """A finding that may be quoted in a notice."""

    finding: str
    author: str
    reason: str


@dataclass(frozen=True)
class Review(Document):
    """An organisation's word on the findings of one app: set aside, or released for quotation.

    ``as_of`` decides which suppressions have expired, so that the same review gives the same bytes on any day.
    """

    KIND: ClassVar[str] = "proscribe.review"

    app_id: str
    as_of: date
    suppressions: tuple[SuppressionEntry, ...] = ()
    releases: tuple[ReleaseEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation(Value):
    """One access seen at run time. ``capability`` as in its pack; ``actor`` "app", an SDK id, or "" unknown."""

    capability: str
    when: str  # ISO 8601, UTC
    what: str
    actor: str = ""


@dataclass(frozen=True)
class Observations(Document):
    """E4 evidence: what a device, an MTD or a capture saw the app do. It names the package by digest or version."""

    KIND: ClassVar[str] = "proscribe.observations"

    app_id: str
    source: str  # who observed, with which tool and version
    device: str  # model and OS, no serial number
    observations: tuple[Observation, ...]
    sha256: str = ""  # of the package file; "" where only the version is known
    version: str = ""


# ---- what comes of comparing ---------------------------------------------------------------------------------------


class RecheckState(StrEnum):
    """What became of a piece of evidence that was looked up again."""

    holds = "holds"
    fails = "fails"
    not_checkable = "not_checkable"


@dataclass(frozen=True, slots=True)
class RecheckItem(Value):
    """One piece of evidence, looked up again. Only those that do not hold are listed."""

    finding: str
    number: int  # of the evidence within the finding, from 1
    state: RecheckState
    evidence: Evidence
    why: Text


@dataclass(frozen=True, slots=True)
class RecheckPart(Value):
    """A field of the assessment that a new judgement gives otherwise, or that could not be judged anew."""

    part: str
    state: RecheckState
    why: Text


@dataclass(frozen=True)
class Recheck(Document):
    """Every evidence item of a report, verified against the file; then the whole report, made anew and compared.

    ``checked`` to ``items`` are about evidence. ``remade`` is about all the rest: rating, access map, exposure, names.
    """

    KIND: ClassVar[str] = "proscribe.recheck"

    report: Digest
    package: str  # sha256 of the file that was given
    same_file: bool
    checked: int
    held: int
    failed: int
    not_checkable: int
    items: tuple[RecheckItem, ...]
    remade: RecheckState = RecheckState.not_checkable
    parts: tuple[RecheckPart, ...] = ()  # those that do not hold


@dataclass(frozen=True, slots=True)
class AreaChange(Value):
    """A content area whose strongest evidence changed between two versions."""

    area: Area
    before: Ladder
    after: Ladder
    summary: Text


@dataclass(frozen=True)
class Difference(Document):
    """What an update added, and what it dropped."""

    KIND: ClassVar[str] = "proscribe.assessment-difference"

    app_id: str
    before: Digest
    after: Digest
    version_before: str
    version_after: str
    rating_before: Rating
    rating_after: Rating
    same_signer: bool
    notable: tuple[Text, ...]  # changed app id, signer, rating: said first
    areas: tuple[AreaChange, ...]
    permissions_added: tuple[str, ...]
    permissions_removed: tuple[str, ...]
    components_added: tuple[str, ...]
    components_removed: tuple[str, ...]
    special_added: tuple[str, ...]
    special_removed: tuple[str, ...]
    findings_added: tuple[Finding, ...]
    findings_removed: tuple[Finding, ...]
    findings_raised: tuple[str, ...]
    findings_lowered: tuple[str, ...]
    sdks_added: tuple[str, ...]
    sdks_removed: tuple[str, ...]
    hosts_added: tuple[str, ...]
    hosts_removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchItem(Value):
    """One file of a batch. ``file`` is relative to the folder given; ``problem`` is an error code, "" when assessed."""

    file: str
    sha256: str
    app_id: str
    version: str
    rating: Rating | None
    assessment: str  # digest of the document, "" where there is none
    problem: str
    detail: Text  # empty when assessed
    reused: bool


@dataclass(frozen=True)
class Batch(Document):
    """The result of assessing a folder: every file is in it once, whatever became of it."""

    KIND: ClassVar[str] = "proscribe.assessment-batch"

    files: int
    assessed: int
    failed: int
    skipped: int
    items: tuple[BatchItem, ...]
