"""Mutants of good packages through the real worker; a plain module, and a program.

    python tests/assess/hostile/fuzz.py [--mutants 10000] [--seed 1] [--jobs 2] [--keep FOLDER]

Bases: the good package of the hostile set, an IPA, a set, and the small real packages of ``make samples``. A mutant
changes one or two members and is zipped anew, or changes the archive itself. What may never come: a worker that dies,
more than 256 MiB or 5 s of processor time, and a silent loss, that is

- no permissions while both parsers claim to have read the manifest whole and agree, unless the test's own look with
  apk-info at the same bytes finds none either,
- a dex file without a problem whose counts are not those of its header.

Every mutant is made from its number and the seed alone, so that a fault can be made again.
"""

from __future__ import annotations

import argparse
import io
import random
import struct
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from proscribe.assess.engine import assess, load
from proscribe.assess.errors import WorkerDied
from proscribe.assess.intake.container import UnreadableMember, open_container
from proscribe.assess.model import Assessment
from proscribe.assess.sandbox import Worker
from proscribe.assess.terms import Extent, FactClass
from proscribe.errors import ProscribeError

MEMORY, SECONDS = 256 << 20, 5.0
_INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_READ = ("AndroidManifest.xml", ".dex", ".arsc", ".so", ".plist", "/App", ".RSA", ".SF", ".MF", ".xml")


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def mutant(base: bytes, chance: random.Random) -> bytes:
    """A changed package: members changed and zipped anew, or the archive's own bytes changed."""
    if chance.random() < 0.25:
        return _changed(base, chance)
    parts = members(base)
    wanted = [name for name in parts if name.endswith(_READ)] or list(parts)
    for name in chance.sample(wanted, k=min(len(wanted), chance.choice((1, 1, 1, 2)))):
        if name.endswith(".apk"):
            parts[name] = mutant(parts[name], chance)
        else:
            parts[name] = _changed(parts[name], chance)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in parts.items():
            bundle.writestr(name, data)
    return stream.getvalue()


def _changed(data: bytes, chance: random.Random) -> bytes:
    """A few edits: bits, numbers that hurt, holes, repeats, cuts. The first kilobyte is met more often."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        if not changed:
            break
        near = chance.random() < 0.5
        at = chance.randrange(min(len(changed), 1024) if near else len(changed))
        kind = chance.randrange(6)
        if kind == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            width = chance.choice(("B", "<H", "<I"))
            value = chance.choice(_INTERESTING) & (1 << 8 * struct.calcsize(width)) - 1
            with suppress(struct.error):
                struct.pack_into(width, changed, at, value)
        elif kind == 2:
            changed[at : at + chance.randrange(1, 64)] = b""
        elif kind == 3:
            changed[at:at] = changed[at : at + chance.randrange(1, 256)] * chance.choice((1, 2, 50))
        elif kind == 4:
            changed[at : at + 16] = chance.randbytes(16)
        else:
            del changed[max(1, at) :]
    return bytes(changed)


def fault(found: Assessment, data: bytes) -> str:
    """What is silently missing from an assessment, "" where nothing is."""
    if found.android is not None and not found.android.permissions:
        whole = [run for run in found.runs if run.of is FactClass.manifest and run.extent is Extent.complete]
        if len(whole) > 1 and not found.android.disagreements and _permissions(data):
            return "no permissions, and nothing is said"
    with suppress(ProscribeError):
        archive = open_container(data)
        for dex in found.code.dex:
            name = dex.member
            if dex.problem or name not in archive.entries:
                continue
            with suppress(UnreadableMember):
                raw = archive.read(name)
                counts = tuple(struct.unpack_from("<I", raw, at)[0] for at in (56, 64, 88, 96))
                if raw[4:7] < b"041" and counts != (dex.strings, dex.types, dex.methods, dex.classes):
                    return f"{name}: counts {counts} and nothing is said"
    return ""


def _permissions(data: bytes) -> int:
    """How many permissions apk-info finds in the same bytes, asked anew."""
    from apk_info import APK

    with tempfile.NamedTemporaryFile(suffix=".apk") as file:
        file.write(data)
        file.flush()
        with suppress(Exception):
            return len(list(APK(file.name).get_permissions()))
    return 0


def one(number: int, seed: int, bases: list[bytes], worker: Worker, folder: Path) -> tuple[str, str]:
    """Make and assess one mutant: (what came of it, what is wrong or "")."""
    chance = random.Random(seed * 1_000_003 + number)
    data = mutant(chance.choice(bases), chance)
    file = folder / f"{number}.bin"
    file.write_bytes(data)
    try:
        found = load(assess(file, worker=worker))
        result, wrong = found.rating.rating.value, fault(found, data)
    except WorkerDied as error:
        result, wrong = "died", error.what.en
    except ProscribeError as error:
        result, wrong = error.code, ""
    if not wrong and (worker.last["memory"] > MEMORY or worker.last["cpu"] > SECONDS):
        wrong = f"{worker.last['memory'] >> 20} MiB, {worker.last['cpu']} s"
    if wrong:
        file.rename(folder / f"{number}.fault")
    else:
        file.unlink()
    return result, wrong


def run(bases: list[bytes], *, mutants: int, seed: int, jobs: int, folder: Path) -> Iterator[tuple[int, str, str]]:
    """Every mutant's number, outcome and fault, in order."""
    idle: SimpleQueue[Worker] = SimpleQueue()
    workers = [Worker() for _ in range(jobs)]
    for worker in workers:
        idle.put(worker)

    def task(number: int) -> tuple[int, str, str]:
        worker = idle.get()
        try:
            return (number, *one(number, seed, bases, worker, folder))
        finally:
            idle.put(worker)

    try:
        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(task, range(mutants))
    finally:
        for worker in workers:
            worker.close()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("bench-output") / "fuzz", help="where faults are kept")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    import bases as good  # beside this program, in the folder that Python looks into first

    bases = good.bases(good.SAMPLES)
    counts: Counter[str] = Counter()
    faults = []
    found = run(bases, mutants=options.mutants, seed=options.seed, jobs=options.jobs, folder=options.keep)
    for number, result, wrong in found:
        counts[result] += 1
        if wrong:
            faults.append(f"mutant {number} of seed {options.seed}: {result}: {wrong}")
            say(faults[-1])
    for result, count in counts.most_common():
        say(f"{count:7} {result}")
    say(f"{options.mutants} mutants of {len(bases)} packages, {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
