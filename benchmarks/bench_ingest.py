"""How fast exports become a snapshot: devices a second, MB a second, and the ratio to csv.DictReader reading alone.

    python benchmarks/bench_ingest.py [--devices 100000] [--apps 80] [--folder DIR] [--only parquet,csv,...]

Makes a fictional fleet once (in --folder, kept), then reads it as Parquet, CSV, gzipped CSV and Android Management API
lines, each in a process of its own so that the peak of memory is that run's alone. ``make bench`` runs ``lines`` below.
"""

from __future__ import annotations

import argparse
import base64
import csv
import gzip
import hashlib
import json
import multiprocessing
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
WATCHED = ("com.tencent.mm", "com.tencent.xin", "com.zhiliaoapp.musically", "com.kms.free")
COLUMNS = [
    "device",
    "platform",
    "enrolment",
    "os_version",
    "device_name",
    "serial",
    "department",
    "observed_at",
    "app_id",
    "app_name",
    "signer",
    "publisher",
    "version",
    "side",
    "held",
]
DEPARTMENTS = [f"Lighthouse district {number:03d}" for number in range(120)]
DICT_READER_ROWS = 500_000


def apps(count: int) -> list[tuple[str, str, str, str]]:
    """Identifier, name, signing certificate and publisher of a catalogue in which a few apps are on most devices."""
    found = [(name, name.rsplit(".", 1)[-1].title(), "", "Watched") for name in WATCHED]
    for number in range(count - len(found)):
        name = f"example.maker{number % 4000}.app{number}"
        signer = hashlib.sha256(name.encode()).hexdigest()
        found.append((name, f"App number {number}", signer, f"Maker {number % 4000}"))
    return found


def fleet(devices: int, each: int) -> Iterator[tuple[list[str], list[tuple[str, str, str, str]]]]:
    """Every device with its apps; the same on every machine."""
    luck = random.Random(7)
    catalogue = apps(50_000)
    head, tail = catalogue[4:204], catalogue[204:]
    weights = list(accumulate(1 / (rank + 1) for rank in range(len(tail))))
    for number in range(devices):
        android = number % 5 < 2
        device = [
            f"{number:08x}-0000-4000-8000-{number * 7919 % 16**12:012x}",
            "android" if android else "ios",
            ("fully_managed", "cope", "byod")[number % 3] if android else ("supervised", "unsupervised")[number % 2],
            ("14", "15", "16")[number % 3] if android else ("17.6.1", "18.5", "26.1")[number % 3],
            f"BEACON-{number:07d}",
            f"NL{number:09d}",
            DEPARTMENTS[number % 120],
            (NOW - timedelta(seconds=number * 37 % 864_000)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        ]
        own = luck.sample(head, each // 2) + luck.choices(tail, cum_weights=weights, k=each - each // 2)
        if luck.random() < 0.03:
            own[0] = catalogue[luck.randrange(4)]
        yield device, own


def make(folder: Path, devices: int, each: int) -> dict[str, Path]:
    """Write the fleet in every format, unless it is there already."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    names = {"parquet": "fleet.parquet", "csv": "fleet.csv", "csv-gzip": "fleet.csv.gz", "amapi": "fleet.jsonl"}
    paths = {form: folder / name for form, name in names.items()}
    if (folder / "complete").exists():
        return paths
    print(f"making {devices:,} devices x {each} apps in {folder} ...", flush=True)
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    with (
        paths["csv"].open("w", encoding="utf-8", newline="") as table,
        paths["amapi"].open("w", encoding="utf-8") as lines,
        pq.ParquetWriter(paths["parquet"], schema, compression="zstd") as parquet,
    ):
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        waiting: list[list[str]] = []
        for number, (device, own) in enumerate(fleet(devices, each)):
            for position, (app_id, name, signer, publisher) in enumerate(own):
                version = f"{position % 12}.{number % 7}.0"
                side = "work" if device[2] in ("cope", "byod") else "whole"
                waiting.append([*device, app_id, name, signer, publisher, version, side, "unmanaged"])
            if number % 5 < 2 and number < 50_000:
                lines.write(json.dumps(amapi_device(device, own)) + "\n")
            if len(waiting) >= 250_000:
                flush(waiting, writer, parquet, schema)
                waiting = []
        flush(waiting, writer, parquet, schema)
    with paths["csv"].open("rb") as plain, gzip.open(paths["csv-gzip"], "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)
    (folder / "complete").write_text("", encoding="utf-8")
    return paths


def flush(rows: list[list[str]], writer: Any, parquet: Any, schema: Any) -> None:
    import pyarrow as pa

    if not rows:
        return
    writer.writerows(rows)
    columns = zip(*rows, strict=True)
    parquet.write_table(pa.table([pa.array(column, pa.string()) for column in columns], schema=schema))


def amapi_device(device: list[str], own: list[tuple[str, str, str, str]]) -> dict[str, Any]:
    return {
        "name": f"enterprises/LC0northern/devices/{device[0]}",
        "managementMode": "DEVICE_OWNER" if device[2] == "fully_managed" else "PROFILE_OWNER",
        "ownership": "PERSONALLY_OWNED" if device[2] == "byod" else "COMPANY_OWNED",
        "lastStatusReportTime": device[7],
        "hardwareInfo": {"serialNumber": device[5], "model": device[4]},
        "applicationReports": [
            {
                "packageName": app_id,
                "displayName": name,
                "versionName": "1.0",
                "versionCode": 100,
                "applicationSource": "INSTALLED_FROM_PLAY_STORE",
                "installerPackageName": "com.android.vending",
                "state": "INSTALLED",
                "packageSha256Hash": "ab" * 32,
                "signingKeyCerts": [
                    {"signingKeyCertFingerprintSha256": base64.b64encode(bytes.fromhex(signer or "00" * 32)).decode()}
                ],
            }
            for app_id, name, signer, _ in own
        ],
    }


def watch_list() -> tuple[Any, ...]:
    """The shipped bans if they are there, so that the gate does its real work."""
    from proscribe.directive import library

    return tuple(library.target_set(directive, now=NOW) for directive in library.shipped())


def run(path: Path, retention: str, answer: Any) -> None:
    from proscribe.clock import ManualClock
    from proscribe.inventory.ingest import ingest
    from proscribe.inventory.model import Retention

    start = time.perf_counter()
    sets = watch_list()
    with tempfile.TemporaryDirectory() as folder:
        began, processor = time.perf_counter(), time.process_time()
        snapshot = ingest(
            [path],
            Path(folder) / "snapshot",
            target_sets=sets,
            retention=Retention(retention),
            clock=ManualClock(NOW),
        )
        took, import_cpu = time.perf_counter() - began, time.process_time() - processor
        written = sum(file.stat().st_size for file in snapshot.path.iterdir())
    manifest = snapshot.manifest
    usage = resource.getrusage(resource.RUSAGE_SELF)
    peak = usage.ru_maxrss / 1024
    answer.put(
        {
            "seconds": took,
            "import_cpu": import_cpu,
            "with_start": time.perf_counter() - start,
            "devices": manifest.devices,
            "rows": manifest.installs_seen,
            "kept": manifest.installs_kept,
            "peak_mb": peak,
            "cpu": usage.ru_utime + usage.ru_stime,
            "written_mb": written / 1e6,
            "bytes": manifest.sources[0].bytes,
        }
    )


def alone(path: Path, retention: str) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=run, args=(path, retention, answer))
    process.start()
    result: dict[str, float] = answer.get()
    process.join()
    return result


def dict_reader(path: Path, rows: int, each: int) -> tuple[float, float]:
    """Devices a second and MB a second of csv.DictReader doing nothing but read."""
    start = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as table:
        for number, _ in enumerate(csv.DictReader(table), start=1):
            if number >= rows:
                break
        share = number
    took = time.perf_counter() - start
    with path.open("rb") as raw:
        size = sum(len(line) for line, _ in zip(raw, range(share + 1), strict=False))
    return share / each / took, size / 1e6 / took


def json_alone(path: Path, answer: Any) -> None:
    """Wall and processor seconds of the standard library's JSON doing nothing but parse, line by line."""
    start, processor = time.perf_counter(), time.process_time()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            json.loads(line)
    answer.put((time.perf_counter() - start, time.process_time() - processor))


def lines(folder: Path, numbers: int, each: int) -> dict[str, float]:
    """Import Android Management API lines, beside the standard library's JSON parsing them and no more."""
    path = folder / f"fleet-{numbers}x{each}.jsonl"
    if not path.exists():
        half = path.with_suffix(".part")
        with half.open("w", encoding="utf-8") as out:
            for device, own in fleet(numbers, each):
                if device[1] == "android":
                    out.write(json.dumps(amapi_device(device, own)) + "\n")
        half.rename(path)
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=json_alone, args=(path, answer))
    process.start()
    parsing, parsing_cpu = answer.get()
    process.join()
    found = alone(path, "matches")
    devices, size = found["devices"], found["bytes"] / 1e6
    for name, seconds, cpu in (
        ("Android Management API lines, imported", found["seconds"], found["import_cpu"]),
        ("json.loads, parsing them alone", parsing, parsing_cpu),
    ):
        print(
            f"{name:48}{devices / seconds:9,.0f} devices/s {size / seconds:6,.0f} MB/s"
            f" {devices / cpu:9,.0f} devices per processor second"
        )
    print(
        f"the import takes {found['import_cpu'] / parsing_cpu:.2f} of the processor time of parsing alone;"
        f" {found['peak_mb']:,.0f} MiB at its peak\n"
    )
    return {"devices": devices, "seconds": found["seconds"], "parsing_seconds": parsing, "memory": found["peak_mb"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--apps", type=int, default=80)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="parquet,csv,csv-gzip,amapi")
    parser.add_argument("--retain", choices=("matches", "all"), default="matches")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.gettempdir()) / f"proscribe-bench-{options.devices}x{options.apps}"
    paths = make(folder, options.devices, options.apps)
    devices_a_second, mb_a_second = dict_reader(paths["csv"], DICT_READER_ROWS, options.apps)
    print(f"{'csv.DictReader, reading alone':32} {devices_a_second:9,.0f} devices/s {mb_a_second:7,.0f} MB/s")
    for form in options.only.split(","):
        found = alone(paths[form], options.retain)
        speed = found["devices"] / found["seconds"]
        print(
            f"{form:32} {speed:9,.0f} devices/s {found['bytes'] / 1e6 / found['seconds']:7,.0f} MB/s"
            f" {speed / devices_a_second:5.1f} x DictReader {found['seconds']:6.1f} s"
            f" ({found['cpu']:.1f} s CPU) {found['peak_mb']:6,.0f} MB peak"
            f"  {found['rows']:,.0f} rows, {found['kept']:,.0f} kept, {found['written_mb']:.1f} MB written"
        )


if __name__ == "__main__":
    main()
