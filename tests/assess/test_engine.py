"""The engine as a whole, on a built package and a real one: reproducible, re-checkable, and alive whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from proscribe import documents
from proscribe.assess import worker as worker_module
from proscribe.assess.engine import Options, assess, assess_here, context, load, recheck, recheck_here
from proscribe.assess.errors import BrokenPack, NotAPackage, WorkerDied
from proscribe.assess.isolation import MEMORY
from proscribe.assess.model import Assessment, Recheck
from proscribe.assess.sandbox import Worker
from proscribe.errors import ProscribeError, UnreadableFile


@pytest.fixture(scope="session")
def yosemite(samples: Path) -> Path:
    return samples / "apk" / "Yosemite.apk"


@pytest.fixture(scope="session", params=["built", pytest.param("yosemite", marks=pytest.mark.samples)])
def package(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def report(package: Path) -> bytes:
    return assess(package)


@pytest.mark.samples
@pytest.mark.parametrize("package", ["yosemite"], indirect=True)
def test_the_flagship(report):
    """A NetEase app with Tencent's web engine inside (assess.md section 0.6)."""
    found = load(report)
    ids = {finding.id: finding for finding in found.findings}
    assert (found.app_id, found.rating.rating) == ("com.netease.nie.yosemite", "pervasive")
    loader = ids["PSB-A-CODE-01@tencent-tbs"]
    assert loader.ladder == 3
    assert {one.caller.split("/")[1] for one in loader.evidence if one.caller.startswith("Lcom/")} == {"tencent"}
    bypass = ids["PSB-A-NETWORK-02@tencent-tbs"]
    assert (bypass.actor.vendor, bypass.actor.country) == ("Tencent", "CN")
    assert any("SslErrorHandler;->proceed()V" in one.subject and one.offset >= 0 for one in bypass.evidence)
    for capability in ("PSB-A-INTERFACE-01", "PSB-A-KEYBOARD-01", "PSB-A-SCREEN-01"):
        assert any(finding.capability == capability and finding.ladder == 3 for finding in found.findings), capability
    never = {view.name: view for view in found.permissions if view.grant == "never"}
    assert "android.permission.READ_PRIVILEGED_PHONE_STATE" in never
    assert not any(view.counted for view in never.values())
    assert any(row.operator == "tencent" or "qq.com" in row.domain for row in found.exposure.hosts)
    assert len(found.access) == 18


def test_the_bytes_are_canonical_and_the_document_reads_strictly(report):
    found = documents.from_json(Assessment, json.loads(report))
    assert found == load(report)
    assert documents.to_bytes(found) == report == documents.quick_bytes(found)


def test_half_a_surrogate_pair_is_spelled_out(report):
    found = replace(load(report), app_name="x\ud800y")
    assert json.loads(documents.quick_bytes(found))["app_name"] == "x\\ud800y"


RUN = """
import sys, pathlib, time
time.time = lambda: 0
from proscribe.assess.engine import assess_here
sys.stdout.buffer.write(assess_here(pathlib.Path(sys.argv[1])))
"""


@pytest.mark.parametrize(
    "changed",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "fr_CA.UTF-8", "PROSCRIBE_LANG": "fr", "TZ": "Pacific/Kiritimati"},
    ],
)
def test_the_same_bytes_give_the_same_bytes(changed, package, report, tmp_path):
    """Another hash seed, folder, locale, clock and name of the file."""
    other = tmp_path / "renamed package"
    other.symlink_to(package)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(other)],
        cwd=tmp_path, env={**os.environ, **changed}, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == report


def test_a_report_holds_against_its_file(report, package, tmp_path):
    file = tmp_path / "report.json"
    file.write_bytes(report)
    found = recheck(file, package)
    assert (found.failed, found.same_file) == (0, True)
    assert found.checked > 20
    assert found.checked == found.held + found.failed + found.not_checkable


def test_one_altered_offset_fails_and_is_named(report, package, tmp_path):
    body = json.loads(report)
    finding, place = next(
        (finding, number)
        for finding in body["findings"]
        for number, one in enumerate(finding["evidence"])
        if one["offset"] >= 0
    )
    finding["evidence"][place]["offset"] += 1
    file = tmp_path / "report.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    found = load_recheck(recheck_here(file, package))
    failed = [item for item in found.items if item.state == "fails"]
    assert (found.failed, len(failed)) == (1, 1)
    assert (failed[0].finding, failed[0].number) == (finding["id"], place + 1)


def load_recheck(data: bytes) -> Recheck:
    return documents.from_json(Recheck, json.loads(data))


# ---- errors and workers -----------------------------------------------------------------------------------------


def test_errors_of_the_worker_arrive_as_they_were_raised(tmp_path):
    with Worker() as worker:
        with pytest.raises(UnreadableFile):
            assess(tmp_path / "missing.apk", worker=worker)
        (tmp_path / "letter.txt").write_text("dear")
        with pytest.raises(NotAPackage) as caught:
            assess(tmp_path / "letter.txt", worker=worker)
        assert caught.value.where.file.endswith("letter.txt")
        assert caught.value.remedy.fr
        (tmp_path / "empty.apk").write_bytes(b"")
        with pytest.raises(NotAPackage, match="empty"):
            assess(tmp_path / "empty.apk", worker=worker)
        with pytest.raises(ProscribeError):
            assess(tmp_path / "letter.txt", Options(rubric=tmp_path / "none.yaml"), worker=worker)
        with pytest.raises(BrokenPack):
            assess(tmp_path / "letter.txt", Options(packs=tmp_path), worker=worker)


@pytest.mark.parametrize(
    ("limits", "cause"),
    [({"memory": 200 << 20}, "memory"), ({"seconds": 0.001}, "in time")],
)
def test_a_worker_that_meets_a_limit_is_an_error_and_the_next_question_is_answered(limits, cause, built):
    with Worker(**limits) as worker:
        with pytest.raises(WorkerDied, match=cause) as caught:
            assess(built, worker=worker)
        assert caught.value.where.file == str(built)
        worker._limits.update(memory=MEMORY, seconds=60)
        assert load(assess(built, worker=worker)).app_id


def test_a_worker_that_is_gone_is_an_error(built):
    with Worker() as worker:
        worker.start()
        worker._process.kill()
        worker._process.wait()
        assert load(assess(built, worker=worker)).app_id  # started again
        process = worker._process
        worker.start = lambda: worker
        process.kill()
        process.wait()
        with pytest.raises(WorkerDied):
            assess(built, worker=worker)


def test_a_fault_of_ours_is_named_by_its_place(monkeypatch):
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("proscribe.assess.engine.assess_here", broken)
    request = {"do": "assess", "path": "x", "rubric": None, "review": None, "observations": [], "packs": None}
    with pytest.raises(ZeroDivisionError) as caught:
        worker_module.answer(request)
    assert worker_module._place(caught.value).startswith("ZeroDivisionError at proscribe.assess.worker:")


def test_the_context_changes_with_what_goes_in(tmp_path):
    review = tmp_path / "review.yaml"
    review.write_text("kind: proscribe.review\nschema: 1\napp_id: a\nas_of: 2026-11-22\n")
    rubric = tmp_path / "rubric.yaml"
    shipped = Path(worker_module.__file__).parent / "data" / "rubric.yaml"
    rubric.write_text(shipped.read_text("utf-8").replace("at_least: 4", "at_least: 5"), encoding="utf-8")
    contexts = {context(Options()), context(Options(review=review)), context(Options(rubric=rubric))}
    assert len(contexts) == 3
    assert context(Options()) in contexts


def test_in_this_process_and_in_a_worker_the_bytes_are_the_same(built, built_report):
    assert built_report == assess(built) == assess_here(built)


@pytest.mark.samples
def test_in_this_process_and_in_a_worker_a_real_package_is_the_same(samples):
    file = samples / "apk" / "app-uiautomator.apk"
    assert assess_here(file) == assess(file)
