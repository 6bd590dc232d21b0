"""What was seen on which device, when, by whom, and what could not be seen. Types and the Parquet columns.

A snapshot is a folder: ``apps.parquet`` (distinct identities), ``devices.parquet``, ``installs.parquet`` (integer codes
only), ``versions.parquet``, ``problems.jsonl`` and ``manifest.json`` (a :class:`SnapshotManifest`). It never changes
once written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from proscribe.canonical import Digest
from proscribe.catalogue.model import AppIdentity
from proscribe.documents import Document, Value
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text


class Freshness(StrEnum):
    """What a device's time stamp means, best first. Only ``observed`` can prove an outcome."""

    observed = "observed"  # the time the device itself took the list
    reported = "reported"  # the time the MDM received it
    imported = "imported"  # the source gives no time; the time we read the file


class Visibility(StrEnum):
    """How much of a device's app list a source can see at best."""

    all_apps = "all_apps"
    user_apps = "user_apps"  # system apps are not listed
    work_side = "work_side"  # the personal side is invisible
    managed_apps = "managed_apps"  # personal apps are invisible
    nothing = "nothing"
    unknown = "unknown"


class Retention(StrEnum):
    """What of an app list is kept. ``matches`` is the default; ``all`` is an explicit, ledgered choice."""

    matches = "matches"
    all = "all"


@dataclass(frozen=True, slots=True)
class DeviceRecord(Value):
    """One device as one source describes it. ``key`` is ``<system>:<id in that system>``."""

    key: str
    system: str  # e.g. amapi, intune, jamf: names of data, never branched on
    platform: Platform
    enrolment: Enrolment
    os_version: str = ""
    name: str = ""
    serial: str = ""  # joins one device seen by two systems
    department: str = ""
    scope: str = ""  # the policy or group that configures it, as its system names it
    observed_at: datetime | None = None
    freshness: Freshness = Freshness.imported
    applied_scope: str = ""  # the policy the device says it applied
    applied_version: int = 0  # and its version; 0 when the system has none
    remarks: tuple[str, ...] = ()  # "<code>:<detail>", e.g. "noncompliant:APP_INSTALLED:com.tencent.mm"


@dataclass(frozen=True, slots=True)
class InstallRecord(Value):
    """One app on one device. ``state`` is what the source says: a tombstone (``removed``) is evidence too."""

    device: str  # DeviceRecord.key
    app: AppIdentity
    side: Side = Side.unknown
    held: Held = Held.unknown
    version: str = ""
    removed: bool = False
    installer: str = ""


@dataclass(frozen=True, slots=True)
class Problem(Value):
    """A row that could not be used: where, what is wrong, what to do. Counted and listed, never dropped in silence."""

    file: str
    row: int  # from 1, header included; 0 for the whole file
    field: str
    what: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Coverage(Value):
    """What one source can see of one class of device, with the count of such devices in this snapshot."""

    system: str
    platform: Platform
    enrolment: Enrolment
    devices: int
    sees: Visibility
    gives_ids: bool  # False: names only
    gives_signer: bool
    stale_after_days: int
    blind_to: Text
    source: str


@dataclass(frozen=True, slots=True)
class SourceSummary(Value):
    """One file or connector batch that went into a snapshot."""

    name: str
    format: str
    digest: Digest
    bytes: int
    rows: int
    devices: int
    installs: int
    bad_rows: int
    unknown_fields: tuple[str, ...] = ()
    complete: bool = True  # False: the file broke off or could not be read to its end; what came before it is kept


@dataclass(frozen=True, slots=True)
class Scope(Value):
    """A policy or group of a management system: the unit many of them act on.

    Where a system acts on single devices, what it says of one is a scope too; its ``id`` is then the device's key. Such
    scopes stay out of the manifest, which leaves the organisation with a proof.

    ``settings`` holds only what a plan needs, as canonical JSON text in the system's own words; its connector alone
    reads it.
    """

    system: str
    id: str
    version: int
    devices: int
    settings: str


@dataclass(frozen=True)
class SnapshotManifest(Document):
    """What a snapshot is made of. Its digest is the snapshot's digest, for it names the digest of every file."""

    KIND: ClassVar[str] = "proscribe.snapshot"

    taken_at: datetime
    retention: Retention
    watched: tuple[Digest, ...]  # what the ingest gate looked for (``catalogue.match.sought``)
    sources: tuple[SourceSummary, ...]
    coverage: tuple[Coverage, ...]
    devices: int
    duplicate_devices: int  # devices seen by two systems and counted once
    apps_seen: int  # distinct identities before the gate
    apps_kept: int
    installs_seen: int
    installs_kept: int
    scopes: tuple[Scope, ...]
    problems_total: int
    problems: tuple[Problem, ...]  # the first 1,000 of a source; all are in problems.jsonl
    files: dict[str, Digest]


@dataclass(frozen=True)
class Snapshot:
    """An opened snapshot: its folder and its manifest."""

    path: Path
    manifest: SnapshotManifest
    digest: Digest

    @property
    def apps(self) -> Path:
        """Columns: app u32, platform, app_id, name, skeleton, signer, store_id, publisher (text)."""
        return self.path / "apps.parquet"

    @property
    def devices(self) -> Path:
        """Columns: device u32, key, system, platform, enrolment, os_version, name, serial, department, scope,
        observed_at (timestamp UTC, null when the source gives none), freshness, sees, gives_ids (bool),
        stale_after_days (i32), applied_scope, applied_version (i64), remarks (list of text), also (list of text: keys
        of the same device in other systems), apps_seen (i32)."""
        return self.path / "devices.parquet"

    @property
    def installs(self) -> Path:
        """Columns: device u32, app u32, side u8, held u8, removed (bool), version u32 (code in ``versions.parquet``).
        Codes of ``side`` and ``held`` are the positions in their enums."""
        return self.path / "installs.parquet"

    @property
    def device_scopes(self) -> Path:
        """One :class:`Scope` a line, as JSON: those of single devices. Absent where there are none."""
        return self.path / "device-scopes.jsonl"

    @property
    def versions(self) -> Path:
        """Columns: version u32, text."""
        return self.path / "versions.parquet"

    @property
    def problems(self) -> Path:
        """One :class:`Problem` a line, as JSON: all of them, where the manifest holds the first 1,000 of a source."""
        return self.path / "problems.jsonl"
