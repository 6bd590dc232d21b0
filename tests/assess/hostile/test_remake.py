"""A report that was rewritten beside true evidence: made anew from the package, every altered part is named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proscribe import documents
from proscribe.assess.engine import Options, assess_here, recheck_here
from proscribe.assess.model import Assessment, Recheck

Body = dict[str, Any]

REVIEW = """
kind: proscribe.review
schema: 1
app_id: org.example.app
as_of: 2026-11-22
suppressions:
- {finding: PSB-A-CLIPBOARD-01, reason: tested, author: officer, expires: 2027-01-01}
- {finding: PSB-A-CONTACTS-01, reason: tested, author: officer, expires: 2026-01-01}
releases:
- {finding: PSB-A-CODE-01@app, author: press office, reason: agreed}
"""
OBSERVED = """
kind: proscribe.observations
schema: 1
app_id: org.example.app
source: bench
device: phone
observations:
- {capability: PSB-A-SCREEN-01, when: "2026-11-20T14:03:00Z", what: the screen was recorded}
"""


@pytest.fixture(scope="module")
def package(kit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    member = kit.zips.Member
    file = tmp_path_factory.mktemp("package") / "app.apk"
    file.write_bytes(
        kit.zips.archive(
            [
                member("AndroidManifest.xml", kit.manifest),
                member("classes.dex", kit.dex),
                member("resources.arsc", kit.arsc),
            ]
        )
    )
    return file


@pytest.fixture(scope="module")
def honest(package: Path) -> bytes:
    return assess_here(package)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Options:
    folder = tmp_path_factory.mktemp("given")
    (folder / "review.yaml").write_text(REVIEW)
    (folder / "observed.yaml").write_text(OBSERVED)
    return Options(review=folder / "review.yaml", observations=(folder / "observed.yaml",))


def rechecked(body: bytes | Body, package: Path, folder: Path, options: Options | None = None) -> Recheck:
    file = folder / "report.json"
    file.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    return documents.from_json(Recheck, json.loads(recheck_here(file, package, options)))


def parts(found: Recheck) -> dict[str, str]:
    return {one.part: one.state.value for one in found.parts}


def test_an_honest_report_is_the_same_in_every_part(honest, package, tmp_path):
    found = rechecked(honest, package, tmp_path)
    assert (found.remade, found.parts, found.failed) == ("holds", (), 0)


def lower_rating(body: Body) -> None:
    body["rating"] |= {"rating": "limited", "rule": "base"}


def other_app(body: Body) -> None:
    body["app_name"] = "Harmless"


def name_a_publisher(body: Body) -> None:
    body["publisher"]["verified"] = True


def forget_an_area(body: Body) -> None:
    body["access"][0] |= {"ladder": 0}


def say_nothing_was_hidden(body: Body) -> None:
    body["hidden"] = [{"en": "Everything was read.", "fr": "Tout a été lu."}]


def soften(body: Body) -> None:
    body["findings"][0]["caution"] = {"en": "Harmless.", "fr": "Sans danger."}


def set_aside(body: Body) -> None:
    body["findings"][0]["suppressed"] = {"reason": "no", "author": "no one", "expires": "2099-01-01"}


ALTERED: dict[str, Callable[[Body], None]] = {
    "rating": lower_rating,
    "app_name": other_app,
    "publisher": name_a_publisher,
    "access": forget_an_area,
    "hidden": say_nothing_was_hidden,
    "findings": soften,
}


@pytest.mark.parametrize("part", ALTERED)
def test_an_altered_part_is_named(part, honest, package, tmp_path):
    body = json.loads(honest)
    ALTERED[part](body)
    found = rechecked(body, package, tmp_path)
    assert (found.failed, found.remade, parts(found)) == (0, "fails", {part: "fails"})


def test_a_finding_set_aside_without_a_review_fails(honest, package, tmp_path):
    body = json.loads(honest)
    set_aside(body)
    assert parts(rechecked(body, package, tmp_path))["findings"] == "fails"


@pytest.mark.parametrize("name", ["packs", "tools"])
def test_what_was_made_otherwise_is_not_said_to_hold(name, honest, package, tmp_path):
    body = json.loads(honest)
    body[name][0]["version"] = "0"
    lower_rating(body)
    found = rechecked(body, package, tmp_path)
    assert (found.remade, parts(found)) == ("not_checkable", {name: "not_checkable"})


def test_review_and_observations_are_applied_again(package, given, tmp_path):
    whole = assess_here(package, given)
    assert rechecked(whole, package, tmp_path, given).remade == "holds"
    body = json.loads(whole)
    lower_rating(body)
    assert parts(rechecked(body, package, tmp_path, given)) == {"rating": "fails"}


def test_a_review_that_is_not_given_is_taken_from_the_report_and_said_to_be(package, given, tmp_path):
    review = Options(review=given.review)
    whole = assess_here(package, review)
    found = rechecked(whole, package, tmp_path)
    assert (found.remade, parts(found)) == ("not_checkable", {"review": "not_checkable"})
    body = json.loads(whole)
    body["rating"]["rating"] = "pervasive"
    assert parts(rechecked(body, package, tmp_path)) == {"rating": "fails", "review": "not_checkable"}


def test_observations_that_are_not_given_leave_the_rest_compared(package, given, tmp_path):
    whole = assess_here(package, Options(observations=given.observations))
    assert parts(rechecked(whole, package, tmp_path)) == {"observations": "not_checkable"}
    body = json.loads(whole)
    other_app(body)
    assert parts(rechecked(body, package, tmp_path)) == {"app_name": "fails", "observations": "not_checkable"}


def test_a_review_of_another_app_fails(honest, package, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(REVIEW.replace("org.example.app", "org.example.other"))
    found = rechecked(honest, package, tmp_path, Options(review=other))
    assert (found.remade, parts(found)) == ("fails", {"review": "fails"})


RACE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from proscribe.assess.engine import load
sys.setswitchinterval(1e-6)
data, meet = Path(sys.argv[1]).read_bytes(), threading.Barrier(8)
def go(_):
    meet.wait()
    return load(data).app_id
with ThreadPoolExecutor(8) as pool:
    print(*set(pool.map(go, range(8))))
"""


def test_threads_that_read_reports_together_do_not_end_the_process(honest, tmp_path):
    """Without a lock, four of five such processes died of SIGSEGV (as the workers' threads of a batch could)."""
    (tmp_path / "report.json").write_bytes(honest)
    for _ in range(4):
        command = [sys.executable, "-c", RACE, str(tmp_path / "report.json")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "org.example.app\n"), done.stderr


def test_the_report_reads_strictly(honest):
    assert documents.to_bytes(documents.from_json(Assessment, json.loads(honest))) == honest
