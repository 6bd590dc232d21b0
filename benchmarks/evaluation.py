"""The evaluation alone, on a snapshot as the ingest gate leaves it, against the goals of a million devices.

The snapshot is made by DuckDB in the layout of ``inventory.model``: every device, and the installs of watched apps.
"""

from __future__ import annotations

import shutil
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fleet

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GOAL = 0.6  # seconds, for a million devices and 60 targets
TARGETS = 60
_ROUNDS = 3


def snapshot(folder: Path, devices: int, apps: int, watched: list[Any]) -> Any:
    """Write (once) and open a snapshot of so many devices, gated by the target sets."""
    import duckdb
    import pyarrow.parquet as pq

    from proscribe.canonical import Digest
    from proscribe.catalogue.match import Matcher, sought
    from proscribe.catalogue.model import AppIdentity
    from proscribe.inventory.model import Retention, Snapshot, SnapshotManifest
    from proscribe.terms import Platform

    path = folder / f"snapshot-{devices}"
    if not (path / "done").exists():
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        matcher = Matcher(watched)
        with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as database:
            fleet.make(database, devices, apps)
            names = ", ".join(
                f"({place}, '{package}', '{bundle}', '{name}')"
                for place, (package, bundle, name, _) in enumerate(fleet.BANNED)
            )
            database.execute(f"CREATE TABLE banned AS FROM (VALUES {names}) AS b(place, package, bundle, name)")
            database.execute(
                """
                CREATE TABLE apps_kept AS
                SELECT row_number() OVER (ORDER BY platform, app_id, name) - 1 AS app, * FROM (
                    SELECT 'android' AS platform, package AS app_id, name, sha256(package) AS signer, place FROM banned
                    UNION ALL SELECT 'ios', bundle, name, '', place FROM banned
                )
                """
            )
            kept = [
                row[0]
                for row in database.execute("SELECT app, platform, app_id, name, signer FROM apps_kept").fetchall()
                if matcher.match(AppIdentity(Platform(row[1]), row[2], row[3], row[4]))
            ]
            keep = ", ".join(map(str, kept))
            database.execute(
                f"""
                COPY (SELECT CAST(app AS UINTEGER) AS app, platform, app_id, name, '' AS skeleton, signer,
                    '' AS store_id, '' AS publisher FROM apps_kept WHERE app IN ({keep}) ORDER BY app)
                TO '{path}/apps.parquet' (FORMAT parquet);
                COPY (SELECT CAST(0 AS UINTEGER) AS version, '1.0' AS text)
                TO '{path}/versions.parquet' (FORMAT parquet);
                COPY (
                    SELECT CAST(p.device AS UINTEGER) AS device, CAST(k.app AS UINTEGER) AS app,
                        CAST(0 AS UTINYINT) AS side, CAST(1 AS UTINYINT) AS held, FALSE AS removed,
                        CAST(0 AS UINTEGER) AS version
                    FROM phones AS p
                    JOIN apps_kept AS k ON (k.platform = 'android') = p.android AND k.app IN ({keep})
                    JOIN (SELECT * FROM (VALUES {_shares()}) AS s(place, share)) AS s ON s.place = k.place
                    WHERE chance(p.device, 'banned ' || k.place) < s.share
                    ORDER BY app, device
                ) TO '{path}/installs.parquet' (FORMAT parquet, COMPRESSION zstd);
                COPY (
                    SELECT CAST(device AS UINTEGER) AS device, 'amapi:' || id AS key, 'amapi' AS system,
                        CASE WHEN android THEN 'android' ELSE 'ios' END AS platform,
                        CASE WHEN android AND class < 0.6 THEN 'fully_managed' WHEN android AND class < 0.9 THEN 'cope'
                            WHEN android THEN 'byod' WHEN class < 0.8 THEN 'supervised' ELSE 'user_enrolment' END
                            AS enrolment,
                        '14' AS os_version, '' AS name, '' AS serial, department, 'policy' AS scope,
                        CAST(observed_at AS TIMESTAMPTZ) AS observed_at, 'observed' AS freshness,
                        CASE WHEN android AND class >= 0.6 THEN 'work_side' WHEN NOT android AND class >= 0.8
                            THEN 'managed_apps' ELSE 'all_apps' END AS sees,
                        TRUE AS gives_ids, 7 AS stale_after_days, '' AS applied_scope,
                        CAST(0 AS BIGINT) AS applied_version,
                        CAST([] AS VARCHAR[]) AS remarks, CAST([] AS VARCHAR[]) AS also, {apps} AS apps_seen
                    FROM phones ORDER BY device
                ) TO '{path}/devices.parquet' (FORMAT parquet, COMPRESSION zstd);
                """
            )
        (path / "done").touch()
    rows = pq.read_metadata(path / "installs.parquet").num_rows
    manifest = SnapshotManifest(
        taken_at=NOW,
        retention=Retention.matches,
        watched=tuple(sought(one) for one in watched),
        sources=(),
        coverage=(),
        devices=devices,
        duplicate_devices=0,
        apps_seen=0,
        apps_kept=pq.read_metadata(path / "apps.parquet").num_rows,
        installs_seen=devices * apps,
        installs_kept=rows,
        scopes=(),
        problems_total=0,
        problems=(),
        files={},
    )
    return Snapshot(path, manifest, Digest("sha256:" + "0" * 64))


def _shares() -> str:
    return ", ".join(f"({place}, {share})" for place, (*_, share) in enumerate(fleet.BANNED))


def run(devices: int, apps: int, folder: Path) -> None:
    """Time the evaluation of the directives up to about 60 targets, and of all that ship."""
    from proscribe.directive import library

    bans = [(directive, library.target_set(directive, now=NOW)) for directive in library.shipped()]
    opened = snapshot(folder, devices, apps, [targets for _, targets in bans])
    few: list[Any] = []
    for ban in sorted(bans, key=lambda one: len(one[1].targets)):
        if sum(len(targets.targets) for _, targets in (*few, ban)) <= TARGETS:
            few.append(ban)
    warm = _time(opened, few)
    if devices >= 1_000_000:
        print(f"  goal {GOAL} s: {'met' if warm <= GOAL else 'missed'}")
    _time(opened, bans)


def _time(opened: Any, bans: list[Any]) -> float:
    """Evaluate, with and without a previous snapshot, and read every finding; warm medians. Returns the plan's."""
    from proscribe.evaluate.engine import evaluate

    seconds, compared, reading = [], [], []
    for _ in range(_ROUNDS + 1):  # one to warm up
        began = time.perf_counter()
        with evaluate(opened, bans, now=NOW) as evaluated:
            seconds.append(time.perf_counter() - began)
            began = time.perf_counter()
            findings = sum(1 for _ in evaluated.findings())
            reading.append(time.perf_counter() - began)
        began = time.perf_counter()
        with evaluate(opened, bans, now=NOW, previous=opened):
            compared.append(time.perf_counter() - began)
    plan, drift, rows = (statistics.median(times[1:]) for times in (seconds, compared, reading))
    targets = sum(len(target_set.targets) for _, target_set in bans)
    print(f"evaluation alone: {opened.manifest.devices:,} devices, {len(bans)} directives, {targets} targets")
    print(f"  plan {plan:.2f} s, with drift {drift:.2f} s, {findings:,} findings as objects {rows:.2f} s")
    return plan
