"""Measure an assessment beside the floor (inflating the dex files) and beside androguard, in one run on one machine.

    python benchmarks/assess.py [--samples .samples] [--runs 7] [--no-androguard] [--folder bench-output]

Each cell runs in a process of its own: imports, one run that does not count, then ``--runs`` timed ones (androguard:
one timed run, as it needs up to a minute); shown are processor time (user and system, the least of the runs, which
other work on the machine disturbs least) and the peak resident memory. "Whole" is the command at the prompt, start-up
and worker included: its processor time, and how long a person waits. Read the ratios. Exit status 1 when a bar of
docs/guide/assess.md is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

LARGEST = "nearby_snippet.apk"
FLOORS, MEMORY, ANDROGUARD = 5.0, 150.0, 50.0  # times the floor, MiB, times as fast (median)
WAIT = 1.0  # seconds at the prompt, for every package; of processor time where the machine is busy
PACKAGES = (
    "app-uiautomator.apk", "settings_apk-debug.apk", "ApiDemos-debug.apk", "appium-uiautomator2-server-v10.6.6.apk",
    "Yosemite.apk", LARGEST,
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One engine on one package: least seconds of processor time and peak MiB."""

    engine: str
    package: str
    seconds: float
    memory: float


# ---- the engines, each run in a child ----------------------------------------------------------------------------


def floor(path: Path) -> None:
    """Read the file and inflate every dex, by Python's own zipfile."""
    import zipfile

    with zipfile.ZipFile(path) as bundle:
        for name in bundle.namelist():
            if name.startswith("classes") and name.endswith(".dex"):
                bundle.read(name)


def ours(path: Path) -> None:
    """A full assessment, from the file to its canonical JSON, in this process."""
    from proscribe.assess.engine import assess_here

    assess_here(path)


def androguard(path: Path) -> None:
    """androguard's AnalyzeAPK: it builds all cross references, ours answers a list of questions."""
    from androguard.misc import AnalyzeAPK

    AnalyzeAPK(str(path))


ENGINES = {"floor": floor, "ours": ours, "androguard": androguard}


def child(engine: str, path: Path, runs: int) -> None:
    """Run one cell and print it."""
    if engine == "androguard":
        os.environ["LOGURU_LEVEL"] = "ERROR"
        from androguard.util import set_log

        set_log("ERROR")
    run = ENGINES[engine]
    if runs > 1:
        run(path)
    times = []
    for _ in range(runs):
        began = time.process_time()
        run(path)
        times.append(time.process_time() - began)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(asdict(Cell(engine, path.name, min(times), memory))))


# ---- the parent --------------------------------------------------------------------------------------------------


def measure(engine: str, path: Path, runs: int) -> Cell:
    """One cell in a process of its own."""
    command = [sys.executable, __file__, "--child", engine, "--runs", str(runs), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Cell(**json.loads(done.stdout.splitlines()[-1]))


def whole(path: Path, runs: int) -> tuple[float, float]:
    """The command as a person runs it: least seconds of processor time and least seconds waited."""
    program = str(Path(sys.executable).with_name("proscribe"))
    # As installed programs are: compiled once, not at every start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    spent, waited = [], []
    for _ in range(runs + 1):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run([program, "assess", str(path)], stdout=subprocess.DEVNULL, check=False, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        waited.append(time.perf_counter() - began)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if done.returncode not in (0, 2):
            sys.exit(f"proscribe assess {path.name} failed with status {done.returncode}")
    return min(spent[1:]), min(waited[1:])


def batch(samples: Path, folder: Path) -> dict[str, float]:
    """Every sample package by ``proscribe assess DIR --jobs 2``: a first run, and one that finds all of it done."""
    import shutil

    out = folder / "assessments"
    shutil.rmtree(out, ignore_errors=True)
    program = str(Path(sys.executable).with_name("proscribe"))
    command = [program, "assess", str(samples), "--jobs", "2", "--out", str(out), "--json"]
    times = []
    for _ in range(2):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - began)
    found = json.loads(done.stdout)
    size = sum(file.stat().st_size for file in samples.rglob("*") if file.suffix in (".apk", ".ipa"))
    return {"files": found["files"], "failed": found["failed"], "mb": size / 1e6, "first": times[0], "again": times[1]}


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, nargs="?")
    parser.add_argument("--child", choices=ENGINES)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--samples", type=Path, default=Path(os.environ.get("PROSCRIBE_SAMPLES", ".samples")))
    parser.add_argument("--folder", type=Path, default=Path("bench-output"))
    parser.add_argument("--no-androguard", action="store_true")
    options = parser.parse_args()
    if options.child:
        child(options.child, options.path, options.runs)
        return
    if not (options.samples / ".fetched").exists():
        print("assess: no sample packages here ('make samples' fetches them); not measured")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"\nassess, processor time, least of {options.runs}; zlib {zlib.ZLIB_RUNTIME_VERSION}")
    header = ("package", "floor ms", "ours ms", "x floor", "MiB", "whole ms", "waited ms", "androguard ms", "x", "MiB")
    print(f"{header[0]:40}" + "".join(f"{title:>14}" for title in header[1:]))
    cells: list[Cell] = []
    ratios, missed = [], []
    for name in PACKAGES:
        path = options.samples / "apk" / name
        low, own = measure("floor", path, options.runs), measure("ours", path, options.runs)
        spent, waited = whole(path, 5)
        cells += [low, own, Cell("whole", name, spent, 0), Cell("waited", name, waited, 0)]
        line = [low.seconds * 1e3, own.seconds * 1e3, own.seconds / low.seconds, own.memory, spent * 1e3, waited * 1e3]
        if not options.no_androguard:
            other = measure("androguard", path, 1)
            cells.append(other)
            ratios.append(other.seconds / own.seconds)
            line += [other.seconds * 1e3, ratios[-1], other.memory]
        print(f"{name:40}" + "".join(f"{value:14.1f}" for value in line), flush=True)
        if name == LARGEST and (line[2] > FLOORS or own.memory > MEMORY):
            missed.append(f"{name}: {line[2]:.2f} times the floor, {own.memory:.0f} MiB")
        if min(spent, waited) > WAIT:
            missed.append(f"{name}: {min(spent, waited):.2f} s at the prompt")
    if ratios:
        median = statistics.median(ratios)
        print(f"androguard takes {median:.0f} times as long (median of {len(ratios)})")
        if median < ANDROGUARD:
            missed.append(f"androguard: {median:.0f} times, the bar is {ANDROGUARD:.0f}")
    found = batch(options.samples, options.folder)
    print(
        f"batch, 2 jobs: {found['files']} packages, {found['mb']:.0f} MB in {found['first']:.1f} s "
        f"({found['files'] / found['first']:.1f}/s, {found['mb'] / found['first']:.1f} MB/s), "
        f"{found['failed']} failed; again {found['again']:.1f} s"
    )
    (options.folder / "assess.json").write_text(json.dumps([asdict(cell) for cell in cells], indent=2) + "\n")
    print("assess bars: " + ("; ".join(missed) if missed else "all met"))
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
