"""Measure ``proscribe check`` as a person runs it, beside naive ways of doing the same, in one run on one machine.

    python benchmarks/run.py [--devices 100000] [--apps 80] [--evaluate 1000000] [--folder bench-output]

Read the ratios, not the seconds: both sides of a ratio ran minutes apart on the same machine. Exit status 1 when a bar
of docs/guide/check.md is missed (only at the default sizes). Files of an earlier run are used again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import bench_ingest
import evaluation
import fleet
import pyarrow.parquet as pq

BARS = {"parquet": (10.0, 2048.0), "csv": (60.0, 2048.0)}  # seconds, MiB
FLAT = 1.5  # the peak memory at full size, against a quarter of it


@dataclass(frozen=True)
class Measured:
    """One process: wall seconds, processor seconds, peak resident memory in MiB, exit status."""

    name: str
    seconds: float
    processor: float
    memory: float
    status: int


def measure(name: str, command: list[str]) -> Measured:
    """Run a command to its end and account for it alone (wait4, so that other children do not count)."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    return Measured(
        name, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)
    )


def check(name: str, export: Path, *more: str) -> Measured:
    """``proscribe check`` on one export."""
    program = Path(sys.executable).with_name("proscribe")
    found = measure(name, [str(program), "check", str(export), *more])
    if found.status not in (0, 2):
        sys.exit(f"proscribe check {export} failed with status {found.status}")
    return found


def naive(name: str, what: str, export: Path) -> Measured:
    """A baseline of ``naive.py`` in a process of its own."""
    script = str(Path(__file__).with_name("naive.py"))
    found = measure(name, [sys.executable, script, what, str(export)])
    if found.status != 0:
        sys.exit(f"the baseline {what} failed with status {found.status}")
    return found


def generate(folder: Path, devices: int, apps: int) -> tuple[Path, Path]:
    """Make a fleet in a process of its own: a child inherits its parent's peak memory, and this one must stay small."""
    script = str(Path(__file__).with_name("fleet.py"))
    subprocess.run([sys.executable, script, str(folder), str(devices), str(apps)], check=True)
    return fleet.paths(folder, devices, apps)


def main() -> None:
    """Generate, measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--apps", type=int, default=80, help="apps a device, on average")
    parser.add_argument(
        "--evaluate", type=int, default=1_000_000, help="devices of the evaluation alone; 0 leaves it out"
    )
    parser.add_argument("--folder", type=Path, default=Path("bench-output"))
    parser.add_argument("--no-baselines", action="store_true")
    options = parser.parse_args()
    began = time.perf_counter()
    parquet, text = generate(options.folder, options.devices, options.apps)
    _, quarter = generate(options.folder, max(options.devices // 4, 1), options.apps)
    rows = pq.read_metadata(parquet).num_rows
    print(
        f"{options.devices:,} devices, {rows:,} rows; Parquet {parquet.stat().st_size / 1e6:,.0f} MB, "
        f"CSV {text.stat().st_size / 1e6:,.0f} MB; made in {time.perf_counter() - began:.1f} s\n"
    )
    results = [check("check, Parquet", parquet), check("check, CSV", text)]
    small = check("check, CSV, a quarter of the devices", quarter)
    results.append(small)
    if not options.no_baselines:
        results.append(naive("DuckDB, one join with OR over the raw text", "duckdb", parquet))
        results.append(naive("csv.DictReader, reading alone", "reader", text))
    show(results)
    bench_ingest.lines(options.folder, max(options.devices // 4, 1), options.apps)
    if options.evaluate:
        evaluation.run(options.evaluate, options.apps, options.folder)
    (options.folder / "results.json").write_text(json.dumps([vars(one) for one in results], indent=2) + "\n")
    judge(results, small, at_size=(options.devices, options.apps) == (100_000, 80))


def show(results: list[Measured]) -> None:
    """The table, and the ratios that matter."""
    print(f"{'':48}{'seconds':>9}{'cpu s':>9}{'peak MiB':>10}")
    for one in results:
        print(f"{one.name:48}{one.seconds:9.2f}{one.processor:9.2f}{one.memory:10.0f}")
    if len(results) > 3:
        print(f"\ncheck on Parquet is {results[3].seconds / results[0].seconds:.1f} times as fast as the naive join")
        share = results[1].seconds / results[4].seconds
        print(f"check on CSV takes {share:.2f} of the time of csv.DictReader reading alone")
    print(f"CSV memory, whole against a quarter: {results[1].memory / results[2].memory:.2f}\n")


def judge(results: list[Measured], small: Measured, *, at_size: bool) -> None:
    """Compare with the bars; they hold at the default sizes only."""
    missed = []
    for (name, (seconds, memory)), one in zip(BARS.items(), results, strict=False):
        if one.seconds > seconds:
            missed.append(f"{name}: {one.seconds:.1f} s, the bar is {seconds:.0f} s")
        if one.memory > memory:
            missed.append(f"{name}: {one.memory:.0f} MiB, the bar is {memory:.0f} MiB")
    if results[1].memory > FLAT * small.memory:
        missed.append(f"csv: memory grows {results[1].memory / small.memory:.2f} times from a quarter to the whole")
    print("bars: " + ("; ".join(missed) if missed else "all met"))
    if missed and at_size:
        sys.exit(1)


if __name__ == "__main__":
    main()
