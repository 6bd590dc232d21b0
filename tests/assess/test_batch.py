"""A folder of packages: what is kept, what is done again, and what one bad file does to the others (nothing)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proscribe import documents
from proscribe.assess import batch
from proscribe.assess.batch import assess_folder
from proscribe.assess.engine import Options
from proscribe.assess.errors import BrokenPack, NotAPackage, WorkerDied
from proscribe.assess.model import Assessment, Batch
from proscribe.canonical import digest_bytes
from proscribe.errors import ProscribeError, UnreadableFile
from proscribe.text import Text


def reports(out: Path) -> Iterator[Path]:
    """The assessments kept in a folder."""
    yield from sorted(file for file in out.glob("*.json") if file.name != "batch.json")


class Engine:
    """Stands in for the engine: answers with one assessment, and remembers what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.body = json.loads(answer)
        self.asked: list[str] = []
        self.workers: set[int] = set()
        self.faults: dict[str, ProscribeError] = {}
        self.before: Callable[[], object] = lambda: None

    def __call__(self, path: Path, options: Options, *, worker: object) -> bytes:
        self.asked.append(path.name)
        self.workers.add(id(worker))
        self.before()
        if path.name in self.faults:
            raise self.faults[path.name]
        return self.of(path.read_bytes())

    def of(self, package: bytes) -> bytes:
        """The answer for a package."""
        self.body["package"]["sha256"] = sha(package)
        return json.dumps(self.body, sort_keys=True).encode()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, built_report: bytes) -> Engine:
    stand_in = Engine(built_report)
    monkeypatch.setattr(batch, "assess", stand_in)
    return stand_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three packages in two folders, and a letter."""
    found = tmp_path / "in"
    (found / "deep" / "er").mkdir(parents=True)
    for name in ("b.apk", "deep/a.XAPK", "deep/er/c.ipa", "letter.txt"):
        (found / name).write_bytes(name.encode())
    return found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "side"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_every_package_is_listed_once_in_order_of_names(engine: Engine, folder: Path, out: Path) -> None:
    steps: list[tuple[int, int, str]] = []
    found = assess_folder(folder, out, report=lambda *step: steps.append(step))
    assert [item.file for item in found.items] == ["b.apk", "deep/a.XAPK", "deep/er/c.ipa"]
    assert [item.sha256 for item in found.items] == [sha(item.file.encode()) for item in found.items]
    assert (found.files, found.assessed, found.failed, found.skipped) == (3, 3, 0, 1)
    answers = {item.file: engine.of(item.file.encode()) for item in found.items}
    assert {item.file: item.assessment for item in found.items} == {
        name: digest_bytes(answer) for name, answer in answers.items()
    }
    assert {(item.app_id, str(item.rating)) for item in found.items} == {("org.example.app", rating(engine.of(b"")))}
    assert {one.read_bytes() for one in reports(out)} == set(answers.values())
    assert documents.read(Batch, out / "batch.json") == found
    assert steps == [(1, 3, "b.apk"), (2, 3, "deep/a.XAPK"), (3, 3, "deep/er/c.ipa")]
    assert [file.name for file in out.iterdir() if file.suffix != ".json"] == ["SHA256SUMS"]


def rating(report: bytes) -> str:
    return str(json.loads(report)["rating"]["rating"])


def test_a_second_run_asks_for_nothing_again(engine: Engine, folder: Path, out: Path) -> None:
    first = assess_folder(folder, out)
    engine.asked.clear()
    second = assess_folder(folder, out)
    assert engine.asked == []
    assert [item.reused for item in first.items] == [False] * 3
    assert [item.reused for item in second.items] == [True] * 3
    assert [item.assessment for item in first.items] == [item.assessment for item in second.items]


def test_a_run_that_was_stopped_goes_on_where_it_was(engine: Engine, folder: Path, out: Path) -> None:
    def stop(done: int, total: int, file: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assess_folder(folder, out, jobs=1, report=stop)
    before = list(engine.asked)
    assert before
    assert not (out / "batch.json").exists()
    kept = len(list(reports(out)))
    assert kept >= 1
    found = assess_folder(folder, out, jobs=1)
    assert sum(item.reused for item in found.items) == kept
    assert sorted(engine.asked) == ["a.XAPK", "b.apk", "c.ipa"]


def test_a_renamed_file_is_known_by_its_digest(engine: Engine, folder: Path, out: Path) -> None:
    assess_folder(folder, out)
    (folder / "b.apk").rename(folder / "renamed.apk")
    engine.asked.clear()
    found = assess_folder(folder, out)
    assert engine.asked == []
    assert found.items[-1].file == "renamed.apk"
    assert found.items[-1].reused


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"kind": "proscribe.assessment", "schema": 1}', b"\xff\xfe"])
def test_a_damaged_result_is_made_again(engine: Engine, folder: Path, out: Path, damaged: bytes) -> None:
    assess_folder(folder, out)
    hurt = next(reports(out))
    whole = hurt.read_bytes()
    hurt.write_bytes(damaged)
    engine.asked.clear()
    found = assess_folder(folder, out)
    assert len(engine.asked) == 1
    assert sum(item.reused for item in found.items) == 2
    assert hurt.read_bytes() == whole


def test_a_result_that_was_rewritten_is_made_again(engine: Engine, folder: Path, out: Path) -> None:
    """Whole, well formed and of the right package, but not what was written."""
    first = assess_folder(folder, out)
    target = next(reports(out))
    honest = target.read_bytes()
    body = json.loads(honest)
    body["rating"]["rating"] = "considerable"
    target.write_text(json.dumps(body))
    again = assess_folder(folder, out)
    assert target.read_bytes() == honest
    assert [item.assessment for item in again.items] == [item.assessment for item in first.items]
    assert sum(item.reused for item in again.items) == 2


def test_a_result_that_nobody_noted_is_made_again(engine: Engine, folder: Path, out: Path) -> None:
    assess_folder(folder, out)
    (out / "SHA256SUMS").unlink()
    engine.asked.clear()
    assert not any(item.reused for item in assess_folder(folder, out).items)
    assert len(engine.asked) == 3


def test_the_digests_are_those_that_sha256sum_checks(engine: Engine, folder: Path, out: Path) -> None:
    assess_folder(folder, out)
    lines = dict(line.split("  ")[::-1] for line in (out / "SHA256SUMS").read_text().splitlines())
    assert lines == {file.name: sha(file.read_bytes()) for file in reports(out)}


def test_a_file_that_changes_while_it_is_read_is_a_problem(engine: Engine, folder: Path, out: Path) -> None:
    engine.before = lambda: (folder / "b.apk").write_bytes(b"other")
    found = assess_folder(folder, out, jobs=1)
    assert [(item.file, item.problem) for item in found.items if item.problem] == [("b.apk", UnreadableFile.code)]
    assert len(list(reports(out))) == 2


def test_a_disk_that_is_full_leaves_no_half_file(
    engine: Engine, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        assess_folder(folder, out)
    assert [file.name for file in out.iterdir()] == []


def test_a_changed_context_is_another_assessment(engine: Engine, folder: Path, out: Path, tmp_path: Path) -> None:
    assess_folder(folder, out)
    review = tmp_path / "review.yaml"
    review.write_text("kind: proscribe.review\nschema: 1\napp_id: org.example.app\nas_of: 2026-11-22\n")
    engine.asked.clear()
    found = assess_folder(folder, out, options=Options(review=review))
    assert len(engine.asked) == 3
    assert not any(item.reused for item in found.items)
    assert len(list(reports(out))) == 6  # the others are still there


def test_one_bad_file_stops_nobody(engine: Engine, folder: Path, out: Path) -> None:
    nothing = Text("nothing", "rien")
    engine.faults = {"a.XAPK": NotAPackage(nothing, remedy=nothing), "b.apk": WorkerDied(nothing, remedy=nothing)}
    found = assess_folder(folder, out)
    assert (found.assessed, found.failed) == (1, 2)
    assert [(item.problem, item.detail, item.rating is None) for item in found.items] == [
        ("assess.worker-died", nothing, True),
        ("assess.not-a-package", nothing, True),
        ("", Text("", ""), False),
    ]
    assert all(item.sha256 for item in found.items)
    engine.faults.clear()
    engine.asked.clear()
    again = assess_folder(folder, out)
    assert sorted(engine.asked) == ["a.XAPK", "b.apk"]  # what failed is tried again, the rest is not
    assert (again.assessed, again.failed) == (3, 0)


def test_a_file_that_cannot_be_read_is_listed(
    engine: Engine, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest_file = batch.digest_file

    def barred(file: Path) -> str:
        if file.name == "b.apk":
            raise PermissionError(13, "Permission denied")
        return digest_file(file)

    monkeypatch.setattr(batch, "digest_file", barred)
    first = assess_folder(folder, out).items[0]
    assert (first.sha256, first.problem) == ("", UnreadableFile.code)
    assert first.detail == Text("cannot be read: Permission denied", "lecture impossible\u00a0: permission refusée")


def test_two_that_cannot_be_read_are_no_twins(
    engine: Engine, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def barred(file: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(batch, "digest_file", barred)
    assert [item.reused for item in assess_folder(folder, out).items] == [False] * 3


def test_twins_are_read_once(engine: Engine, folder: Path, out: Path) -> None:
    """Also where two workers meet the same bytes at the same time."""
    for number in range(4):
        (folder / f"b{number}.apk").write_bytes(b"b.apk")
    meet = threading.Barrier(2)
    engine.before = lambda: _wait(meet)
    found = assess_folder(folder, out, jobs=2)
    assert sum(name.startswith("b") for name in engine.asked) == 1
    twins = [item for item in found.items if item.sha256 == sha(b"b.apk")]
    assert [item.file for item in twins] == ["b.apk", "b0.apk", "b1.apk", "b2.apk", "b3.apk"]
    assert [item.reused for item in twins] == [False, True, True, True, True]


def _wait(barrier: threading.Barrier) -> None:
    """Time for the other worker to do the same."""
    try:
        barrier.wait(0.2)
    except threading.BrokenBarrierError:
        barrier.reset()


def test_links_are_not_followed_and_counted(engine: Engine, folder: Path, out: Path, tmp_path: Path) -> None:
    before = assess_folder(folder, out).skipped
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.apk").write_bytes(b"secret")
    (folder / "link.apk").symlink_to(tmp_path / "elsewhere" / "secret.apk")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "dangling.apk").symlink_to(tmp_path / "nowhere")
    found = assess_folder(folder, out)
    assert [item.file for item in found.items] == ["b.apk", "deep/a.XAPK", "deep/er/c.ipa"]
    assert found.skipped == before + 3


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_as_many_workers_as_asked_for_and_no_more(engine: Engine, folder: Path, out: Path, jobs: int) -> None:
    for number in range(12):
        (folder / f"{number}.apk").write_bytes(str(number).encode())
    running = threading.Semaphore(jobs)
    crowded = []

    def work() -> None:
        if not running.acquire(blocking=False):
            crowded.append(1)
            return
        threading.Event().wait(0.01)
        running.release()

    engine.before = work
    assert assess_folder(folder, out, jobs=jobs).assessed == 15
    assert not crowded
    assert len(engine.workers) <= jobs


def test_an_empty_folder_is_an_empty_list(out: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = assess_folder(tmp_path / "empty", out)
    assert (found.files, found.skipped, found.items) == (0, 0, ())
    assert list(reports(out)) == []


def test_a_folder_that_cannot_be_listed_is_an_error(out: Path, tmp_path: Path) -> None:
    for wrong in (tmp_path / "missing", tmp_path / "file"):
        (tmp_path / "file").write_text("x")
        with pytest.raises(UnreadableFile, match="cannot be listed") as caught:
            assess_folder(wrong, out)
        assert caught.value.where.file == str(wrong)


def test_what_all_share_is_at_fault_once(folder: Path, out: Path, tmp_path: Path) -> None:
    with pytest.raises(BrokenPack):
        assess_folder(folder, out, options=Options(packs=tmp_path))


@pytest.mark.slow
def test_real_workers(kit: Any, built_report: bytes, folder: Path, out: Path) -> None:
    """Packages, a set and files that are none, by two processes."""
    package, zips = kit.package(), kit.zips
    (folder / "b.apk").write_bytes(package)
    (folder / "set.apks").write_bytes(zips.archive([zips.Member("base.apk", package)]))
    (folder / "twin.apk").write_bytes(package)
    found = assess_folder(folder, out, jobs=2)
    assert [(item.file, item.problem, item.reused) for item in found.items] == [
        ("b.apk", "", False),
        ("deep/a.XAPK", "assess.not-a-package", False),
        ("deep/er/c.ipa", "assess.not-a-package", False),
        ("set.apks", "", False),
        ("twin.apk", "", True),
    ]
    assert found.items[0].assessment == digest_bytes(built_report)
    assert {documents.read(Assessment, file).app_id for file in reports(out)} == {"org.example.app"}
