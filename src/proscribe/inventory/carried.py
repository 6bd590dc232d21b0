"""Keep devices of an earlier snapshot in a new one, without pretending to know more about them than it did."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory.model import DeviceRecord, Freshness, Retention, Snapshot, SourceSummary
from proscribe.inventory.sightings import NARROWER_WATCH
from proscribe.inventory.snapshot import device_scopes
from proscribe.inventory.tables import Apps
from proscribe.terms import Enrolment, Platform

if TYPE_CHECKING:
    from proscribe.inventory.builder import SnapshotBuilder


def carry(builder: SnapshotBuilder, previous: Snapshot, except_systems: frozenset[str]) -> None:
    """Add the devices, installs and scopes of ``previous`` but those of ``except_systems``."""
    import pyarrow.parquet as pq

    manifest = previous.manifest
    narrow = manifest.retention is not Retention.all and not set(builder.watched) <= set(manifest.watched)
    sightings: dict[int, int] = {}
    seen = 0
    for batch in pq.ParquetFile(previous.devices).iter_batches(batch_size=50_000):
        for row in batch.to_pylist():
            if row["system"] not in except_systems:
                sightings[row["device"]] = builder.carried_sighting(
                    _record(row), tuple(row["also"]), row["apps_seen"], narrow=narrow
                )
                seen += row["apps_seen"]
    _carry_installs(builder, previous, sightings)
    for scope in (*manifest.scopes, *device_scopes(previous)):
        if scope.system not in except_systems:
            builder.add_scope(scope)
    builder.add_source(
        SourceSummary(
            name=previous.path.name,
            format="snapshot",
            digest=previous.digest,
            bytes=0,
            rows=len(sightings),
            devices=len(sightings),
            installs=seen,
            bad_rows=0,
        )
    )


def _record(row: dict[str, Any]) -> DeviceRecord:
    names = ("key", "system", "os_version", "name", "serial", "department", "scope", "observed_at", "applied_scope")
    return DeviceRecord(
        **{name: row[name] for name in names},
        platform=Platform(row["platform"]),
        enrolment=Enrolment(row["enrolment"]),
        freshness=Freshness(row["freshness"]),
        applied_version=row["applied_version"],
        remarks=tuple(remark for remark in row["remarks"] if remark != NARROWER_WATCH),
    )


def _carry_installs(builder: SnapshotBuilder, previous: Snapshot, sightings: dict[int, int]) -> None:
    """Translate the codes of the earlier snapshot; only identities that pass today's gate stay."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not sightings:
        return
    apps = [builder.app_code(_identity(row)) for row in pq.read_table(previous.apps).to_pylist()]
    versions = [builder.version_code(text) for text in pq.read_table(previous.versions)["text"].to_pylist()]
    rows = array("q", [-1]) * (max(sightings) + 1)
    for device, sighting in sightings.items():
        rows[device] = sighting
    tables = {"sighting": pa.array(rows), "app": pa.array(apps, pa.int64()), "version": pa.array(versions, pa.int64())}
    for batch in pq.ParquetFile(previous.installs).iter_batches(batch_size=1 << 20):
        table = pa.table(batch).filter(pc.less(pc.field("device"), len(rows)))
        coded = pa.table(
            {
                "sighting": pc.take(tables["sighting"], table["device"]),
                "app": pc.take(tables["app"], table["app"]),
                "side": table["side"],
                "held": table["held"],
                "removed": table["removed"].cast(pa.uint8()),
                "version": pc.take(tables["version"], table["version"]),
            }
        )
        kept = coded.filter((pc.field("sighting") >= 0) & (pc.field("app") != Apps.DROPPED))
        builder.add_codes(kept, seen=0)


def _identity(row: dict[str, Any]) -> AppIdentity:
    return AppIdentity(
        platform=Platform(row["platform"]),
        app_id=row["app_id"],
        name=row["name"],
        signer=row["signer"],
        store_id=row["store_id"],
        publisher=row["publisher"],
    )
