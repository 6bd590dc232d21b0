"""A fictional fleet for benchmarks, made by DuckDB: one row an app on a device, all text, as systems export it.

Forty-four percent Android, popularity by a shifted Zipf law (the commonest app on about nine devices in ten, a tail of
fifty thousand), 120 departments, real banned identifiers at the shares of perf.md, renamed apps, repackaged copies with
a foreign certificate, and look-alike names with Cyrillic letters. The same sizes give the same fleet.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ANDROID_APPS, APPLE_APPS = 22_000, 28_000
SHIFT = 35  # of the Zipf law: the larger, the flatter the head

# Android package, iOS bundle id, name, share of devices: the apps that directives are about.
BANNED = (
    ("com.zhiliaoapp.musically", "com.zhiliaoapp.musically", "TikTok", 0.035),
    ("com.ss.android.ugc.trill", "com.ss.iphone.ugc.Trill", "TikTok", 0.005),
    ("com.tencent.mm", "com.tencent.xin", "WeChat", 0.020),
    ("com.kms.free", "com.kaspersky.kisi", "Kaspersky", 0.006),
    ("com.kaspersky.passwordmanager", "com.kaspersky.kpm", "Kaspersky Password Manager", 0.004),
    ("com.deepseek.chat", "com.deepseek.chat", "DeepSeek", 0.030),
    # not banned at all: they only look as if
    ("org.example.wechatter", "org.example.wechatter", "W\u0435Chat", 0.001),  # a Cyrillic letter
    ("org.example.tiktok", "org.example.tiktok", "TikTok", 0.001),
    ("org.example.t1ktok", "org.example.t1ktok", "T1kT0k", 0.001),
)


def make(database: Any, devices: int, apps: int) -> None:
    """Create the tables ``phones``, ``apps`` and ``rows`` (views stay lazy) in a DuckDB database."""
    database.execute("CREATE OR REPLACE MACRO chance(a, b) AS (hash(a, b) % 1000000007) / 1000000007.0")
    database.execute(
        f"""
        CREATE OR REPLACE TABLE phones AS
        SELECT device, format('{{:08x}}-{{:06d}}', hash(device) % 4294967296, device) AS id,
            chance(device, 'platform') < 0.44 AS android,
            format('Lighthouse district {{:03d}}', CAST(floor(120 * pow(chance(device, 'department'), 2)) AS INTEGER))
                AS department,
            chance(device, 'enrolment') AS class,
            TIMESTAMP '2026-11-20 00:00:00'
                - INTERVAL 1 SECOND * CAST(900000 * pow(chance(device, 'seen'), 4) AS BIGINT) AS observed_at
        FROM range({devices}) AS numbers(device)
        """
    )
    database.execute(
        f"""
        CREATE OR REPLACE TABLE apps AS
        SELECT android, rank,
            format('{{}}.maker{{:04d}}.app{{:05d}}', CASE WHEN hash(rank) % 9 = 0 THEN 'org' ELSE 'com' END,
                CAST(hash(rank, 'maker') % 6000 AS INTEGER), CAST(rank AS INTEGER)) AS app_id,
            format('App number {{}}', CAST(rank AS INTEGER)) AS app_name,
            CASE WHEN android THEN sha256(CAST(hash(rank, 'maker') % 6000 AS VARCHAR)) ELSE '' END AS signer,
            format('Maker {{:04d}}', CAST(hash(rank, 'maker') % 6000 AS INTEGER)) AS publisher
        FROM (
            SELECT TRUE AS android, rank FROM range({ANDROID_APPS}) AS a(rank)
            UNION ALL SELECT FALSE, rank FROM range({APPLE_APPS}) AS b(rank)
        )
        """
    )
    banned = ", ".join(
        f"('{package}', '{bundle}', '{name}', {share}, {number})"
        for number, (package, bundle, name, share) in enumerate(BANNED)
    )
    draws = round(apps * 1.03)  # some draws fall on the same app
    # A power of a uniform number draws ranks by the law; one stream of numbers a device and a draw.
    database.execute(
        f"""
        CREATE OR REPLACE VIEW holdings AS
        SELECT DISTINCT p.device, p.android,
            CAST(floor(pow({SHIFT}, 1 - chance(p.device, d.draw))
                * pow(CASE WHEN p.android THEN {ANDROID_APPS} ELSE {APPLE_APPS} END + {SHIFT}, chance(p.device, d.draw))
                - {SHIFT}) AS BIGINT) AS rank
        FROM phones AS p, range({draws}) AS d(draw)
        """
    )
    database.execute(
        f"""
        CREATE OR REPLACE VIEW rows AS
        SELECT p.device AS number, p.id AS device, CASE WHEN p.android THEN 'android' ELSE 'ios' END AS platform,
            CASE
                WHEN p.android AND p.class < 0.6 THEN 'fully_managed'
                WHEN p.android AND p.class < 0.9 THEN 'cope'
                WHEN p.android THEN 'byod'
                WHEN p.class < 0.8 THEN 'supervised'
                WHEN p.class < 0.92 THEN 'unsupervised'
                ELSE 'user_enrolment'
            END AS enrolment,
            CASE WHEN p.android THEN '14' ELSE '26.1' END AS os_version,
            p.department, strftime(p.observed_at, '%Y-%m-%dT%H:%M:%SZ') AS observed_at,
            a.app_id, a.app_name, a.signer, a.publisher,
            format('{{}}.{{}}', CAST(1 + hash(a.app_id) % 30 AS INTEGER), CAST(hash(p.device, a.app_id) % 4 AS INTEGER))
                AS version,
            CASE WHEN hash(p.device, a.app_id, 'held') % 20 = 0 THEN 'managed' ELSE 'unmanaged' END AS held
        FROM (
            SELECT h.device, a.app_id, a.app_name, a.signer, a.publisher
            FROM holdings AS h JOIN apps AS a ON a.android = h.android AND a.rank = h.rank
            UNION ALL
            SELECT p.device, CASE WHEN p.android THEN b.package ELSE b.bundle END, b.name,
                CASE WHEN p.android THEN sha256(b.package) ELSE '' END, 'Maker of ' || b.name
            FROM phones AS p, (VALUES {banned}) AS b(package, bundle, name, share, place)
            WHERE chance(p.device, 'banned ' || b.place) < b.share
        ) AS a
        JOIN phones AS p ON p.device = a.device
        """
    )


def paths(folder: Path, devices: int, apps: int) -> tuple[Path, Path]:
    """Where the fleet of these sizes lies: Parquet and CSV, the same rows."""
    return folder / f"fleet-{devices}x{apps}.parquet", folder / f"fleet-{devices}x{apps}.csv"


def write(folder: Path, devices: int, apps: int) -> None:
    """Write both files, device by device, unless an earlier run did."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    parquet, text = paths(folder, devices, apps)
    if parquet.exists() and text.exists():
        return
    with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as database:
        make(database, devices, apps)
        database.execute(
            f"COPY (SELECT * EXCLUDE number FROM rows ORDER BY number, app_id) TO '{parquet}.part' "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
        database.execute(f"COPY (FROM read_parquet('{parquet}.part')) TO '{text}.part' (FORMAT csv, HEADER)")
    Path(f"{parquet}.part").rename(parquet)
    Path(f"{text}.part").rename(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
