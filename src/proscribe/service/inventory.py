"""Snapshots of an installation: from exports, from the live fleet; each stored, indexed and recorded."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.canonical import Digest, digest_chunks
from proscribe.catalogue.match import sought
from proscribe.catalogue.model import IdentifierType, TargetSet
from proscribe.connectors.base import Connector, ConnectorFault
from proscribe.connectors.memory import Watch
from proscribe.directive.library import shipped
from proscribe.directive.library import target_set as resolve
from proscribe.errors import ProscribeError
from proscribe.inventory.builder import SnapshotBuilder
from proscribe.inventory.errors import BrokenSnapshot
from proscribe.inventory.ingest import read_exports
from proscribe.inventory.model import Problem, Retention, Snapshot, SourceSummary
from proscribe.inventory.snapshot import open_snapshot
from proscribe.plan.inputs import aliases_of
from proscribe.prove.model import EntryKind
from proscribe.service.following import take_in
from proscribe.service.installation import Installation
from proscribe.service.standing import orders
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.store.repositories import SnapshotRef

KEPT_SNAPSHOTS = 10
"""How many snapshots keep their device rows. The loop looks at two; the rest is for people who ask what changed."""


_UNNAMED = frozenset(
    {
        IdentifierType.android_package_glob,
        IdentifierType.android_cert_sha256,
        IdentifierType.ios_bundle_glob,
        IdentifierType.apple_team_id,
    }
)
"""Identifiers that stand for apps that cannot be named one by one."""


class NothingToObserve(ProscribeError):
    """No management system is configured, or nothing was imported yet."""

    code = "service.nothing-observed"


def watched(installation: Installation) -> tuple[TargetSet, ...]:
    """What the ingest gate keeps: target sets that look for something different each, in a stable order."""
    by_look = {sought(one): one for one in _target_sets(installation)}  # who reviewed a set makes no difference here
    return tuple(sorted(by_look.values(), key=lambda one: (one.directive, sought(one))))


def _target_sets(installation: Installation) -> Iterator[TargetSet]:
    """The targets of every shipped directive, of every one that was planned here, and of every one that is enforced
    here, whatever was proposed since."""
    now = installation.clock.now()
    documents = installation.stores.documents
    proposed: dict[str, TargetSet] = {}
    for one in documents.all(TargetSet):  # newest first
        proposed.setdefault(one.directive, one)
    yield from (resolve(one, now=now) for one in shipped())
    yield from proposed.values()
    yield from (documents.get(TargetSet, one.targets_digest) for one in orders(installation) if one.lifted_at is None)


def watch(installation: Installation) -> Watch:
    """What connectors may ask devices for by name: the exact identifiers of everything that is watched."""
    ids: dict[IdentifierType, set[str]] = {}
    for one in _target_sets(installation):
        for target in one.targets:
            ids.setdefault(target.type, set()).add(target.value)
    return Watch(
        ios=frozenset(ids.get(IdentifierType.ios_bundle_id, ())),
        android=frozenset(ids.get(IdentifierType.android_package, ())),
        unnamed=bool(ids.keys() & _UNNAMED),
    )


def import_exports(
    installation: Installation,
    exports: Sequence[Path],
    *,
    retention: Retention = Retention.matches,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Snapshot:
    """Read exports into a new snapshot, carrying over the systems not in them. Raises as ``ingest`` does."""
    with SnapshotBuilder(
        _new_folder(installation), target_sets=watched(installation), retention=retention, clock=installation.clock
    ) as builder:
        read_exports(list(exports), builder, on_progress)
        _carry_over(installation, builder, builder.systems)
        snapshot = builder.finish()
    _keep(installation, snapshot)
    if retention is Retention.all:
        installation.record(EntryKind.retention, snapshot.digest, retention=retention, reason="import --retain all")
    return snapshot


def observe(installation: Installation, *, on_progress: Callable[[int], None] | None = None) -> Snapshot:
    """Ask every configured system for all its devices. Raises NothingToObserve and connector faults."""
    return _observe(installation, _systems(installation), {}, on_progress)


def observe_reachable(
    installation: Installation, *, on_progress: Callable[[int], None] | None = None
) -> tuple[Snapshot, tuple[ConnectorFault, ...]]:
    """Ask every system, keeping what was last known of those that fail; with their faults.

    One system that is down must not keep the others' bans from being enforced. Raises NothingToObserve, and the first
    fault where no system answers.
    """
    answering = dict(_systems(installation))
    failed: dict[str, ConnectorFault] = {}
    while True:
        try:
            return _observe(installation, answering, failed, on_progress), tuple(failed.values())
        except ConnectorFault:
            # A snapshot is written once and whole, so it is begun again without the system that failed half-way.
            answering = {name: one for name, one in answering.items() if name not in failed}
            if not answering:
                raise next(iter(failed.values())) from None


def observed(snapshot: Snapshot) -> frozenset[str]:
    """The systems that were asked themselves for this snapshot; the others' rows and scopes are older than it."""
    return frozenset(source.format for source in snapshot.manifest.sources)


def _systems(installation: Installation) -> Mapping[str, Connector]:
    if not installation.connectors:
        raise NothingToObserve(
            Text("no management system is configured", "aucun système de gestion n'est configuré"),
            remedy=Text(
                "Add a [systems.<name>] table to proscribe.toml; docs/guide/settings.md shows how.",
                "Ajoutez une table [systems.<nom>] à proscribe.toml; voir docs/guide/settings.md.",
            ),
        )
    return installation.connectors


def _observe(
    installation: Installation,
    connectors: Mapping[str, Connector],
    failed: dict[str, ConnectorFault],
    on_progress: Callable[[int], None] | None,
) -> Snapshot:
    """One snapshot of these systems, and of the others as last known. A fault is noted in ``failed`` and raised."""
    with SnapshotBuilder(
        _new_folder(installation),
        target_sets=watched(installation),
        retention=Retention.matches,
        clock=installation.clock,
    ) as builder:
        _carry_over(installation, builder, frozenset(connectors))
        seen = 0
        for name, connector in connectors.items():
            try:
                seen = _observe_one(builder, connector, seen, on_progress)
            except ConnectorFault as fault:
                failed[name] = fault
                raise
        snapshot = builder.finish()
    _keep(installation, snapshot)
    return snapshot


def current(installation: Installation) -> Snapshot:
    """The newest snapshot. Raises NothingToObserve where there is none."""
    latest = _latest(installation)
    if latest is None:
        raise NothingToObserve(
            Text("there is no snapshot yet", "il n'y a pas encore d'instantané"),
            remedy=Text(
                "Run 'proscribe import EXPORT...' or 'proscribe observe' first.",
                "Lancez d'abord « proscribe import EXPORTATION... » ou « proscribe observe ».",
            ),
        )
    return latest


def device_keys(installation: Installation) -> frozenset[str] | None:
    """Every key under which the newest snapshot knows a device; None where there is no snapshot to ask."""
    try:
        snapshot = _latest(installation)
    except BrokenSnapshot:
        return None
    if snapshot is None:
        return None
    import pyarrow.parquet as pq  # kept out of start-up

    table = pq.read_table(snapshot.devices, columns=["key", "also"])
    others = (key for keys in table["also"].to_pylist() for key in keys or ())
    return frozenset(table["key"].to_pylist()).union(others)


def entities(installation: Installation) -> tuple[frozenset[str], ...]:
    """The devices of the whole fleet and of each department, as the newest snapshot has them; none without one."""
    try:
        snapshot = _latest(installation)
    except BrokenSnapshot:
        return ()
    if snapshot is None:
        return ()
    import pyarrow.parquet as pq  # kept out of start-up

    table = pq.read_table(snapshot.devices, columns=["key", "department"])
    fleet: dict[str, set[str]] = {}
    for key, department in zip(table["key"].to_pylist(), table["department"].to_pylist(), strict=True):
        fleet.setdefault(department or "", set()).add(key)
    whole = frozenset(key for keys in fleet.values() for key in keys)
    return (whole, *(frozenset(keys) for name, keys in sorted(fleet.items()) if name))


def keys_by_serial(installation: Installation) -> dict[str, str]:
    """Serial number to device key, as the newest snapshot has them; it joins devices that share one."""
    try:
        snapshot = _latest(installation)
    except BrokenSnapshot:
        return {}
    if snapshot is None:
        return {}
    import pyarrow.parquet as pq  # kept out of start-up

    table = pq.read_table(snapshot.devices, columns=["serial", "key"])
    pairs = zip(table["serial"].to_pylist(), table["key"].to_pylist(), strict=True)
    return {serial: key for serial, key in pairs if serial}


def keys_of_devices(installation: Installation) -> Iterator[tuple[str, ...]]:
    """All keys of each device that several systems manage, as the newest snapshot joins them."""
    try:
        snapshot = _latest(installation)
    except BrokenSnapshot:
        return
    if snapshot is not None:
        for device, others in aliases_of(snapshot).items():
            yield (device, *others)


def before(installation: Installation, digest: Digest) -> Snapshot | None:
    """The snapshot taken before that one, for drift; None where there is none, or its rows are gone."""
    reference = installation.stores.snapshots.before(digest)
    try:
        return None if reference is None else _open(installation, reference)
    except BrokenSnapshot:
        return None


def _latest(installation: Installation) -> Snapshot | None:
    reference = installation.stores.snapshots.latest()
    return None if reference is None else _open(installation, reference)


def _open(installation: Installation, reference: SnapshotRef) -> Snapshot:
    return open_snapshot(_folder(installation, reference))


def _folder(installation: Installation, reference: SnapshotRef) -> Path:
    """By its name in this home: a home that was moved, or restored from a backup, must not read another one's."""
    return installation.snapshots_folder / reference.path.name


def _carry_over(installation: Installation, builder: SnapshotBuilder, but: frozenset[str]) -> None:
    """Keep the other systems' devices. A snapshot that is lost is said, and does not forbid making the next one."""
    try:
        previous = _latest(installation)
    except BrokenSnapshot as error:
        builder.add_problem(
            Problem(
                file=error.where.file,
                row=0,
                field="",
                what=Text(
                    "the snapshot before this one is lost: devices of systems that are not read now are missing",
                    "l'instantané précédent est perdu\u00a0: les appareils des systèmes non lus cette fois-ci manquent",
                ),
                remedy=Text(
                    "Import or observe every system once more.", "Importez ou observez de nouveau chaque système."
                ),
            )
        )
        return
    if previous is not None:
        builder.carry_over(previous, but)


def _new_folder(installation: Installation) -> Path:
    moment = installation.clock.now().strftime("%Y%m%dT%H%M%SZ")
    folder = installation.snapshots_folder / moment
    number = 1
    while folder.exists():
        number += 1
        folder = installation.snapshots_folder / f"{moment}-{number}"
    return folder


def _observe_one(
    builder: SnapshotBuilder, connector: Connector, seen: int, on_progress: Callable[[int], None] | None
) -> int:
    take_in(connector)
    devices = installs = size = bad_rows = 0
    raw: list[str] = []
    unknown: set[str] = set()
    for batch in connector.observe():
        for device in batch.devices:
            builder.add_device(device)
        for install in batch.installs:
            builder.add_install(install)
        for scope in batch.scopes:
            builder.add_scope(scope)
        for problem in batch.problems:
            builder.add_problem(problem)
        bad_rows += sum(problem.row > 0 for problem in batch.problems)
        devices += len(batch.devices)
        installs += len(batch.installs)
        size += batch.raw_bytes
        raw.append(batch.raw)
        unknown.update(batch.unknown_fields)
        if on_progress is not None:
            on_progress(seen + devices)
    builder.add_source(
        SourceSummary(
            name=connector.name,
            format=connector.name,
            digest=digest_chunks(part.encode() for part in raw),
            bytes=size,
            rows=devices,
            devices=devices,
            installs=installs,
            bad_rows=bad_rows,
            unknown_fields=tuple(sorted(unknown)),
        )
    )
    return seen + devices


def _keep(installation: Installation, snapshot: Snapshot) -> None:
    with installation.atomic():
        if installation.stores.snapshots.add(snapshot):
            installation.stores.documents.put(snapshot.manifest, subject=snapshot.digest, at=installation.clock.now())
            installation.record(
                EntryKind.snapshot, snapshot.digest, digest=snapshot.digest, devices=snapshot.manifest.devices
            )
    _forget_old(installation)


def _forget_old(installation: Installation) -> None:
    """Delete device rows that nobody needs any more: of all but the newest snapshots, only the manifest stays.

    The manifest is enough for the proof (it names the digest of every file); keeping staff's device rows for longer
    than they serve is not what they were collected for (governance.md section 4).
    """
    for reference in installation.stores.snapshots.all()[KEPT_SNAPSHOTS:]:
        shutil.rmtree(_folder(installation, reference), ignore_errors=True)
