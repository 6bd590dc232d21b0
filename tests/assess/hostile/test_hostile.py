"""Every hostile package through the real worker: nothing crashes, nothing is silently empty, memory and time hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proscribe.assess.engine import assess, load
from proscribe.assess.errors import WorkerDied
from proscribe.assess.model import Assessment
from proscribe.assess.sandbox import Worker
from proscribe.assess.terms import Extent, FactClass, Rating
from proscribe.errors import ProscribeError

# Of processor time: what other processes take from this machine meanwhile is not the reader's.
MEMORY, SECONDS = 256 << 20, 5.0
UNREAD = (Extent.partial, Extent.hidden, Extent.failed)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as one:
        yield one


def seen(found: Assessment) -> tuple[frozenset[str], frozenset[str]]:
    """What is found in a package: its permissions, and its findings with a call site."""
    permissions = found.android.permissions if found.android else ()
    return (
        frozenset(one.name for one in permissions),
        frozenset(finding.id for finding in found.findings if finding.ladder >= 2 and finding.area != "supply_chain"),
    )


def is_told(found: Assessment) -> bool:
    """Whether the assessment says that something was not read."""
    disagreements = found.android.disagreements if found.android else ()
    return bool(disagreements) or any(run.extent in UNREAD for run in found.runs)


def outcome(found: Assessment, good: Assessment) -> str:
    """``reads`` where nothing of the good package is missing, ``told`` where it is and is said, else ``silent``."""
    if found.platform == "ios":
        return "told" if is_told(found) else "reads"
    if all(mine <= theirs for mine, theirs in zip(seen(good), seen(found), strict=True)):
        return "reads" if found.rating.rating is not Rating.inconclusive else "told"
    return "told" if is_told(found) and found.rating.rating is Rating.inconclusive else "silent"


@pytest.fixture(scope="module")
def good(kit, worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    file = tmp_path_factory.mktemp("good") / "good.apk"
    file.write_bytes(kit.package())
    found = load(assess(file, worker=worker))
    permissions, findings = seen(found)
    assert len(permissions) >= 3
    assert findings
    assert not is_told(found)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "family", ["archives", "bombs", "manifests", "codes", "resources", "sets", "signatures", "natives", "apples"]
)
def test_hostile_packages(family, cases, kit, good, worker: Worker, tmp_path: Path):
    faults = []
    count = 0
    for case in getattr(cases, family)(kit):
        count += 1
        file = tmp_path / f"{case.name}.bin"
        file.write_bytes(case.data)
        try:
            result = outcome(load(assess(file, worker=worker)), good)
        except WorkerDied as error:
            result = f"died: {error.what.en}"
        except ProscribeError:
            result = "refused"
        file.unlink()
        if result not in case.expect:
            faults.append(f"{case.name}: {result}, expected {' or '.join(case.expect)}")
        if worker.last["memory"] > MEMORY or worker.last["cpu"] > SECONDS:
            faults.append(f"{case.name}: {worker.last['memory'] >> 20} MiB, {worker.last['cpu']} s")
    assert not faults, "\n".join(faults)
    assert count >= 4


def test_there_are_more_than_the_43_kinds_of_the_study(cases, kit):
    names = [case.name for case in cases.every(kit)]
    assert len(set(names)) == len(names) > 120


def test_a_manifest_that_nobody_reads_is_never_no_permissions(cases, kit, worker: Worker, tmp_path: Path):
    """The classic silent failure, spelled out: androguard gave an empty list without an error on 8 such files."""
    file = tmp_path / "text.apk"
    file.write_bytes(kit.package(manifest={"data": b"<manifest/>"}))
    found = load(assess(file, worker=worker))
    assert found.android is None
    assert {run.extent for run in found.runs if run.of is FactClass.manifest} == {Extent.failed}
    assert found.rating.rating is Rating.inconclusive
    assert found.hidden


@pytest.mark.slow
def test_mutants(fuzz, bases, tmp_path: Path):
    """A few hundred here; ``.ci/run`` takes 10,000 (tests/assess/hostile/fuzz.py)."""
    packages = bases.bases(bases.SAMPLES)
    found = list(fuzz.run(packages, mutants=300, seed=7, jobs=2, folder=tmp_path))
    assert len(found) == 300
    assert len({result for _, result, _ in found}) >= 3
    assert [f"{number}: {result}: {wrong}" for number, result, wrong in found if wrong] == []
