"""Collects what importers and connectors read and writes it as one immutable snapshot, or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from proscribe.canonical import digest_file
from proscribe.catalogue.match import sought
from proscribe.catalogue.model import AppIdentity, TargetSet
from proscribe.clock import Clock, utc
from proscribe.documents import digest, to_bytes, to_json
from proscribe.errors import Where
from proscribe.inventory import coverage
from proscribe.inventory.carried import carry
from proscribe.inventory.errors import SnapshotExists, disk_guard
from proscribe.inventory.gate import Gate
from proscribe.inventory.model import (
    Coverage,
    DeviceRecord,
    Freshness,
    InstallRecord,
    Problem,
    Retention,
    Scope,
    Snapshot,
    SnapshotManifest,
    SourceSummary,
)
from proscribe.inventory.sightings import NARROWER_WATCH, NO_APP_REPORTS, Resolution, Sightings, resolve
from proscribe.inventory.snapshot import MANIFEST
from proscribe.inventory.tables import (
    DROPPED_MARK,
    DROPPED_TOMBSTONE,
    HELD,
    SIDES,
    Apps,
    Installs,
    Mark,
    Versions,
    write_devices,
)
from proscribe.terms import Enrolment, Platform, Side
from proscribe.text import Text, plural

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of our clock a device's clock may be before its time stamp is refused."""

PROBLEMS_IN_MANIFEST = 1_000

_FILES = (".parquet", ".jsonl")
"""What the files of a snapshot end with, apart from its manifest."""


class SnapshotBuilder:
    """Builds one snapshot in a folder beside ``out`` and renames it into place when it is whole.

    Rows of one source belong together: ``add_source`` closes the source whose devices and installs were added since
    the one before. Use it as a context manager, so that a failure leaves nothing behind. Every writing method may
    raise DiskFull.
    """

    def __init__(
        self, out: Path, *, target_sets: Sequence[TargetSet], retention: Retention = Retention.matches, clock: Clock
    ) -> None:
        if out.exists():
            raise SnapshotExists(
                Text("this folder is there already", "ce dossier existe déjà"),
                remedy=Text(
                    "Choose a new folder; a snapshot never changes once written.",
                    "Choisissez un nouveau dossier; un instantané ne change jamais une fois écrit.",
                ),
                where=Where(file=str(out)),
            )
        self._out = out
        self._clock = clock
        self._retention = retention
        self.watched = tuple(sorted(sought(target_set) for target_set in target_sets))
        self._gate = Gate(target_sets, retention)
        self._sightings = Sightings()
        self._current: dict[str, int] = {}  # device key -> its sighting in the source being read
        self._apps = Apps()
        self._versions = Versions()
        self._sources: list[SourceSummary] = []
        self._scopes: dict[tuple[str, str], Scope] = {}
        self._problems: list[Problem] = []
        self._problems_of: Counter[str] = Counter()
        self._installs_seen = 0
        self.reading = ""  # the file being read, for problems that turn up here
        self.folder = out.parent / f".{out.name}.partial-{os.getpid()}"
        self.scratch = self.folder / "scratch"  # for copies and spilling; gone when the snapshot is finished
        with disk_guard(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir()
            self._installs = Installs(self.folder / "installs.part")
            self._problem_log = (self.folder / "problems.jsonl").open("w", encoding="utf-8", newline="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def discard(self) -> None:
        """Throw away what was not finished. Does nothing after ``finish``."""
        self._installs.abandon()
        if not self._problem_log.closed:
            with contextlib.suppress(OSError):  # the disk may be full, and the file is about to go
                self._problem_log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- one record at a time ------------------------------------------------------------------------------------

    def add_device(self, record: DeviceRecord) -> int:
        """Add a device and return the number of its sighting.

        A second description by the same source is merged into the first; when it tells another time it is a sighting
        of its own, and an older app list gives way to the newer one.
        """
        record = self._checked(record)
        row = self._current.get(record.key)
        if row is not None:
            known = self._sightings.records[row]
            if known.observed_at == record.observed_at or record.observed_at is None or known.observed_at is None:
                self._sightings.merge(row, record)
                self._sightings.listed[row] |= NO_APP_REPORTS not in record.remarks
                return row
        row = self._sightings.add(record, listed=NO_APP_REPORTS not in record.remarks)
        self._current[record.key] = row
        return row

    def add_install(self, record: InstallRecord) -> None:
        """Add an app of a device that the same source described before. Raises KeyError where it did not."""
        row = self._current[record.device]
        self._installs_seen += 1
        self.count(row, 0 if record.removed else 1)
        code = self.app_code(record.app)
        if code != Apps.DROPPED:
            marks = (SIDES.index(record.side), HELD.index(record.held), record.removed)
            with disk_guard(self._out):
                self._installs.add(row, code, marks, self.version_code(record.version))

    # -- many at a time -----------------------------------------------------------------------------------------

    def mark(self, record: InstallRecord) -> Mark:
        """An install without its device and side, to be passed to ``add_marks`` for every device that has it."""
        code = self.app_code(record.app)
        if code == Apps.DROPPED:
            return DROPPED_TOMBSTONE if record.removed else DROPPED_MARK
        return (code, HELD.index(record.held), record.removed, self.version_code(record.version))

    def add_marks(self, device: str, side: Side, marks: Sequence[Mark]) -> None:
        """Like ``add_install`` for each of the apps of a device. Raises KeyError for a device not described before."""
        row = self._current[device]
        many = len(marks)
        if not many:
            return
        self._installs_seen += many
        dropped = marks.count(DROPPED_MARK)  # the mass of what the gate sees
        rest = [] if dropped == many else [mark for mark in marks if mark is not DROPPED_MARK]
        self.count(row, many - sum(mark[2] for mark in rest))
        kept = [mark for mark in rest if mark[0] != Apps.DROPPED]
        if kept:
            with disk_guard(self._out):
                self._installs.add_marks(row, SIDES.index(side), kept)

    def sighting(self, record: DeviceRecord) -> int:
        """Like ``add_device``, for sources that repeat a device on every row: one sighting whatever the times say, and
        no app list until ``count`` is called."""
        record = self._checked(record)
        row = self._current.get(record.key)
        if row is None:
            row = self._current[record.key] = self._sightings.add(record, listed=False)
        else:
            self._sightings.merge(row, record)
        return row

    def carried_sighting(self, record: DeviceRecord, also: tuple[str, ...], apps_seen: int, *, narrow: bool) -> int:
        """A device kept from an earlier snapshot; ``narrow``: that one did not watch for all that is watched now."""
        if narrow:
            record = replace(record, remarks=(*record.remarks, NARROWER_WATCH))
        row = self._sightings.add(record, listed=NO_APP_REPORTS not in record.remarks)
        if also:
            self._sightings.also[row] = also
        self._sightings.apps[row] = apps_seen
        self._installs_seen += apps_seen
        return row

    @property
    def devices_in_source(self) -> int:
        """Devices of the source being read."""
        return len(self._current)

    @property
    def systems(self) -> frozenset[str]:
        """The systems whose devices were added so far."""
        return frozenset(record.system for record in self._sightings.records)

    def app_code(self, app: AppIdentity) -> int:
        """The code of an identity, ``Apps.DROPPED`` when the gate turns it away."""
        code = self._apps.look_up(app)
        return self._apps.enter(app, keep=self._gate.keeps(app)) if code is None else code

    def version_code(self, text: str) -> int:
        """The code of a version text."""
        return self._versions.code(text)

    def count(self, sighting: int, installs: int) -> None:
        """Note that a sighting came with an app list, and count its installs, kept or not, tombstones left out."""
        self._sightings.apps[sighting] += installs
        self._sightings.listed[sighting] = 1

    def add_codes(self, table: Any, *, seen: int) -> None:
        """Append installs as an Arrow table of codes (``Installs.add_table``); ``seen`` counts them before the gate."""
        self._installs_seen += seen
        with disk_guard(self._out):
            self._installs.add_table(table)

    # -- the rest ------------------------------------------------------------------------------------------------

    def add_scope(self, scope: Scope) -> None:
        """Add a policy or group; a later version of the same one replaces it."""
        known = self._scopes.get((scope.system, scope.id))
        if known is None or scope.version >= known.version:
            self._scopes[scope.system, scope.id] = scope

    def add_problem(self, problem: Problem) -> None:
        """List a problem: all of them on disk, the first thousand of a source in the manifest."""
        self._problems_of[problem.file] += 1
        if self._problems_of[problem.file] <= PROBLEMS_IN_MANIFEST:
            self._problems.append(problem)
        with disk_guard(self._out):
            self._problem_log.write(json.dumps(to_json(problem), ensure_ascii=False) + "\n")

    def add_source(self, source: SourceSummary) -> None:
        """Close the source whose devices were added since the one before."""
        self._sources.append(source)
        self._current = {}

    def carry_over(self, previous: Snapshot, except_systems: frozenset[str]) -> None:
        """Keep the devices of an earlier snapshot, but for those of ``except_systems``, which are observed anew.

        Where this snapshot watches for more than the earlier one did, the kept devices' app lists are unknown in that
        respect, and they are marked so.
        """
        carry(self, previous, except_systems)

    def finish(self) -> Snapshot:
        """Write the snapshot and move it into place. The builder cannot be used afterwards."""
        resolution = resolve(self._sightings)
        rows = _coverage(resolution)
        for row in rows:
            if row.sees.value == "unknown":
                self.add_problem(_unknown_class(row))
        with disk_guard(self._out):
            self._problem_log.close()
            kept = self._installs.write(self.folder / "installs.parquet", resolution.devices)
            self._apps.write(self.folder / "apps.parquet")
            self._versions.write(self.folder / "versions.parquet")
            write_devices(self.folder / "devices.parquet", resolution.devices)
            self._write_device_scopes()
            manifest = self._manifest(resolution, rows, kept)
            (self.folder / MANIFEST).write_bytes(to_bytes(manifest))
            shutil.rmtree(self.scratch, ignore_errors=True)
            _settle(self.folder)
            self.folder.rename(self._out)
            _sync(self._out.parent)
        return Snapshot(self._out, manifest, digest(manifest))

    def _manifest(self, resolution: Resolution, rows: tuple[Coverage, ...], kept: int) -> SnapshotManifest:
        files = {path.name: digest_file(path) for path in sorted(self.folder.iterdir()) if path.suffix in _FILES}
        return SnapshotManifest(
            taken_at=self._clock.now(),
            retention=self._retention,
            watched=self.watched,
            sources=tuple(self._sources),
            coverage=rows,
            devices=len(resolution.devices),
            duplicate_devices=resolution.duplicates,
            apps_seen=len(self._apps),
            apps_kept=len(self._apps.kept),
            installs_seen=self._installs_seen,
            installs_kept=kept,
            scopes=tuple(scope for _, scope in sorted(self._scopes.items()) if not _is_of_device(scope)),
            problems_total=sum(self._problems_of.values()),
            problems=tuple(self._problems),
            files=files,
        )

    def _write_device_scopes(self) -> None:
        found = [scope for _, scope in sorted(self._scopes.items()) if _is_of_device(scope)]
        if found:
            lines = "".join(json.dumps(to_json(scope), ensure_ascii=False) + "\n" for scope in found)
            (self.folder / "device-scopes.jsonl").write_text(lines, encoding="utf-8")

    def _checked(self, record: DeviceRecord) -> DeviceRecord:
        """A time in the future is no time: a wrong clock must not make a device look freshly observed."""
        if record.observed_at is None:
            return record
        now = self._clock.now()
        if utc(record.observed_at) <= now + CLOCK_TOLERANCE:
            return record
        self.add_problem(
            Problem(
                file=self.reading or record.system,
                row=0,
                field="observed_at",
                # Without the device's key: problems are in the manifest, and that leaves with a proof.
                what=Text(
                    f"a device of {record.system} gives the time {record.observed_at.isoformat()}, in the future",
                    f"un appareil de {record.system} donne l'heure {record.observed_at.isoformat()}, qui est à venir",
                ),
                remedy=Text(
                    "Set the clock of the device or of the server right; until then its age counts as unknown.",
                    "Mettez à l'heure l'appareil ou le serveur; d'ici là, son âge est considéré comme inconnu.",
                ),
            )
        )
        return replace(record, observed_at=None, freshness=Freshness.imported)


def _is_of_device(scope: Scope) -> bool:
    """Whether a scope is one device: its id is the device's key then, which begins with its system."""
    return scope.id.startswith(f"{scope.system}:")


def _coverage(resolution: Resolution) -> tuple[Coverage, ...]:
    """One row per class of device: what its source can see, and how many there are."""
    counts: Counter[tuple[str, Platform, Enrolment]] = Counter()
    for device in resolution.devices:
        counts[device.record.system, device.record.platform, device.record.enrolment] += 1
    rows = []
    for (system, platform, enrolment), devices in sorted(counts.items()):
        sees = coverage.sight(system, platform, enrolment)
        rows.append(
            Coverage(
                system=system,
                platform=platform,
                enrolment=enrolment,
                devices=devices,
                sees=sees.sees,
                gives_ids=sees.gives_ids,
                gives_signer=sees.gives_signer,
                stale_after_days=sees.stale_after_days,
                blind_to=sees.blind_to,
                source=sees.source,
            )
        )
    return tuple(rows)


def _unknown_class(row: Coverage) -> Problem:
    what = f"{row.system}, {row.platform}, {row.enrolment}"
    many = plural(row.devices, Text("device", "appareil"), Text("devices", "appareils"))
    return Problem(
        file=row.system,
        row=0,
        field="enrolment",
        what=Text(
            f"{many.en} of a class of which nothing is known ({what}): an app missing from such a list "
            "may well be installed",
            f"{many.fr} d'une catégorie dont on ne sait rien ({what}) : une application absente d'une "
            "telle liste peut fort bien être installée",
        ),
        remedy=Text(
            "Give a source that says how these devices are enrolled, for instance the system's device list beside its "
            "app list.",
            "Fournissez une source qui indique le mode d'inscription de ces appareils, par exemple la liste des "
            "appareils du système en plus de sa liste d'applications.",
        ),
    )


def _settle(folder: Path) -> None:
    """Have every file of a folder on the disk before its name can be seen."""
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
