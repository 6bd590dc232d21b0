"""``proscribe assess`` as somebody types it: packages by a stand-in for the engine, documents and outputs for real."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from tests.assess import conftest as assess_conftest
from tests.assess.emit.conftest import HOSTILE, assessment, inconclusive, ios

from proscribe.assess import batch, engine, sandbox
from proscribe.assess.model import Assessment, Batch, BatchItem, Recheck, RecheckItem, RecheckState
from proscribe.assess.sandbox import Worker
from proscribe.assess.terms import Rating
from proscribe.cli.root import root
from proscribe.documents import json_schema, to_bytes
from proscribe.errors import InvalidDocument, ProscribeError, UnreadableFile
from proscribe.text import Text, set_language

samples = assess_conftest.samples


def typed(*words: object, columns: int = 80, language: str = "en", status: int | None = 0) -> Result:
    arguments = ["--lang", language, "assess", *map(str, words)]
    result = CliRunner().invoke(root, arguments, standalone_mode=False, env={"COLUMNS": str(columns)})
    set_language(None)
    if result.exception is not None and not isinstance(result.exception, ProscribeError | click.ClickException):
        raise result.exception
    if status is not None:
        assert result.exception is None, result.exception
        assert (result.return_value or 0) == status, result.output
    return result


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save(tmp_path / "saved.json", assessment())


def save(path: Path, one: Assessment) -> Path:
    path.write_bytes(to_bytes(one))
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "app.apk"
    path.write_bytes(b"PK\x03\x04 not read by these tests")
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the engine was asked; it answers with the example."""
    calls: list[tuple[Any, ...]] = []

    def assess(path: Path, options: engine.Options | None = None, *, worker: Worker) -> bytes:
        calls.append((path, options))
        return to_bytes(assessment())

    monkeypatch.setattr(engine, "assess", assess)
    monkeypatch.setattr(Worker, "start", lambda self: self)
    return calls


# ---- one package ---------------------------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['proscribe', 'assess', '--help']\n"
        "from proscribe.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'lief', 'apk_info', 'django', 'cryptography', 'yaml', 'pydantic', 'rich', 'duckdb'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "HEAVY []" in run.stdout
    assert "proscribe assess [OPTIONS] PATH" in run.stdout


def test_the_whole_view_of_a_package(package: Path, asked: list[Any]) -> None:
    shown = typed(package).stdout
    assert asked[0][0] == package
    order = [
        shown.index(mark)
        for mark in (
            "Yosemite can gain pervasive access", "[PERVASIVE]", "Why (rule pervasive-1)", "What could not be seen",
            "classes3.dex", "What it can reach", "Contacts", "How the app behaves", "Whose code",
            "The most telling", "Exposure", "What would lower the rating", "Next",
        )
    ]  # fmt: skip
    assert order == sorted(order)
    assert "▮▮▮▯  E3 called" in shown
    assert "com.tencent.smtt.export.external.DexLoader.<init> +64" in shown
    assert "without effect" in shown
    assert "Set aside by a review: Asks to install packages" in shown


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("details", [False, True])
@pytest.mark.parametrize("make", [assessment, inconclusive, ios])
def test_every_view_fits_the_terminal(tmp_path: Path, columns: int, language: str, details: bool, make: Any) -> None:
    path = save(tmp_path / "a.json", make())
    status = 2 if make is inconclusive else 0
    shown = typed(path, *(["--details"] if details else []), columns=columns, language=language, status=status).stdout
    # A command is one line, however long: a break would be copied with it.
    assert max(len(line) for line in shown.splitlines() if "proscribe assess" not in line) <= columns
    assert not set("\u202e\x1b\u200b") & set(shown)
    assert ("Ce qui n'a pas pu être vu" if language == "fr" else "What could not be seen") in shown


def test_details_hold_every_finding_with_its_evidence(saved: Path) -> None:
    shown = re.sub(r"\s+", "", typed(saved, "--details", columns=120).stdout)
    for finding in assessment().findings:
        assert finding.id in shown
        for evidence in finding.evidence:
            assert re.sub(r"\s+", "", evidence.subject) in shown
    for expected in ("yosemite.nie.netease.com", "zip.duplicate-name", "READ_PRIVILEGED_PHONE_STATE", "elf.encrypted"):
        assert expected in shown


def test_signs_the_terminal_lacks_become_plain_ones(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proscribe.cli.assess_paper.writes_all", lambda _stream: False)
    shown = typed(saved).stdout
    assert "###.  E3 called" in shown
    assert "▮" not in shown


def test_the_exit_status_says_inconclusive(tmp_path: Path) -> None:
    assert "[INCONCLUSIVE]" in typed(save(tmp_path / "a.json", inconclusive()), status=2).stdout


def test_json_is_the_document_alone(package: Path, asked: list[Any], tmp_path: Path) -> None:
    result = typed(package, "--json", "--out", tmp_path / "out.json")
    assert json.loads(result.stdout) == json.loads(to_bytes(assessment()))
    assert "out.json" in result.stderr
    assert (tmp_path / "out.json").read_bytes() == to_bytes(assessment())


def test_options_reach_the_engine(package: Path, asked: list[Any], saved: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    for path in (one, other):
        path.write_text("{}")
    typed(package, "--rubric", one, "--review", other, "--observed", one, "--observed", other)
    assert asked[0][1] == engine.Options(rubric=one, review=other, observations=(one, other))


def test_every_output_at_once(package: Path, asked: list[Any], tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    typed(package, "--html", pages, "--sarif", tmp_path / "a.sarif", "--cyclonedx", tmp_path / "a.cdx.json")
    assert '<html lang="en-CA">' in (pages / "assessment-en.html").read_text()
    assert '<html lang="fr-CA">' in (pages / "assessment-fr.html").read_text()
    assert json.loads((tmp_path / "a.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((tmp_path / "a.cdx.json").read_text())["specVersion"] == "1.6"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.cdx.json", "a.sarif", "app.apk", "pages"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_one_page_is_in_the_language_in_force(saved: Path, tmp_path: Path, language: str) -> None:
    typed(saved, "--html", tmp_path / "page.html", language=language)
    assert f'<html lang="{language}-CA">' in (tmp_path / "page.html").read_text()


def test_a_result_is_never_written_over_what_is_read(saved: Path, package: Path, tmp_path: Path) -> None:
    before = saved.read_bytes()
    result = typed(saved, "--out", saved, status=None)
    assert getattr(result.exception, "code", "") == "assess.conflicting-output"
    twice = typed(saved, "--sarif", tmp_path / "x", "--cyclonedx", tmp_path / "x", status=None)
    assert getattr(twice.exception, "code", "") == "assess.conflicting-output"
    assert saved.read_bytes() == before


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_self: Path, _target: Path) -> None:
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(OSError, match="no"):
        typed(saved, "--out", tmp_path / "out.json")
    assert [path.name for path in tmp_path.iterdir()] == ["saved.json"]


def test_what_would_have_no_effect_is_refused(saved: Path) -> None:
    result = typed(saved, "--review", saved, status=None)
    assert isinstance(result.exception, click.UsageError)
    assert "--review" in result.exception.message


def test_a_saved_assessment_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"kind": "proscribe.plan"}')
    assert isinstance(typed(path, status=None).exception, InvalidDocument)


def test_without_a_path_the_help_is_shown() -> None:
    assert "proscribe assess" in typed(status=None).stdout


def test_what_the_system_could_not_limit_is_said(saved: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "recheck", lambda report, path, options: rechecked(failed=0))
    assert "could not limit" not in typed("--recheck", saved, package, status=0).stderr
    monkeypatch.setattr(sandbox, "UNLIMITED", {"network", "files"})
    assert "files, network (docs/adr/0018)" in typed("--recheck", saved, package, status=0).stderr


def test_what_is_no_plain_file_is_written_to_and_not_replaced(saved: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    read: list[bytes] = []
    reader.start()
    typed(saved, "--out", pipe, status=None)
    reader.join(10)
    assert pipe.is_fifo()
    assert json.loads(read[0])["kind"] == "proscribe.assessment"


# ---- recheck -------------------------------------------------------------------------------------------------------


def rechecked(*, failed: int, same_file: bool = True, not_checkable: int = 0) -> Recheck:
    finding = assessment().findings[5]
    states = [RecheckState.fails] * failed + [RecheckState.not_checkable] * not_checkable
    items = tuple(
        RecheckItem(finding.id, number, state, finding.evidence[0], Text("no such call", "aucun tel appel"))
        for number, state in enumerate(states, start=1)
    )
    digest = assessment().rubric.digest
    # With something that could not be looked up, the rest could not be made anew either: other packs, say.
    remade = RecheckState.not_checkable if not_checkable else RecheckState.holds
    return Recheck(digest, "0" * 64, same_file, 40, 40 - len(items), failed, not_checkable, items, remade)


@pytest.mark.parametrize(
    ("result", "status", "said"),
    [
        (rechecked(failed=0), 0, "holds: 40; fails: 0"),
        (rechecked(failed=1), 1, "FAILS  PSB-A-SCREEN-02@app #1: no such call"),
        (rechecked(failed=0, not_checkable=2), 2, "not checkable: 2"),
        (rechecked(failed=0, same_file=False), 1, "another file"),
    ],
)
def test_recheck_names_what_does_not_hold(
    saved: Path, package: Path, monkeypatch: pytest.MonkeyPatch, result: Recheck, status: int, said: str
) -> None:
    monkeypatch.setattr(engine, "recheck", lambda report, path, options: result)
    assert said in typed("--recheck", saved, package, status=status).stdout
    found = json.loads(typed("--recheck", saved, package, "--json", status=status).stdout)
    assert found["failed"] == result.failed


def test_a_long_recheck_is_cut_and_says_so(saved: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "recheck", lambda report, path, options: rechecked(failed=33))
    assert "and 13 more" in typed("--recheck", saved, package, status=1).stdout
    assert typed("--recheck", saved, package, "--details", status=1).stdout.count("FAILS") == 33


def test_recheck_takes_one_package_and_no_outputs(saved: Path, tmp_path: Path, package: Path) -> None:
    assert isinstance(typed("--recheck", saved, tmp_path, status=None).exception, click.UsageError)
    result = typed("--recheck", saved, package, "--html", tmp_path / "x.html", status=None)
    assert isinstance(result.exception, click.UsageError)


# ---- diff ----------------------------------------------------------------------------------------------------------


def test_diff_says_what_an_update_added(saved: Path, tmp_path: Path) -> None:
    whole = assessment()
    less = replace(
        whole,
        version="3.2.0",
        rating=replace(whole.rating, rating=Rating.considerable),
        findings=whole.findings[:-3],
        permissions=whole.permissions[:-1],
        sdks=whole.sdks[:1],
    )
    old = save(tmp_path / "old.json", less)
    shown = typed("diff", old, saved).stdout
    assert "3.2.0 (331) → 3.3.1 (331)" in shown
    assert "Access: considerable → pervasive" in shown
    assert "+ E3  Loads code at run time" in shown
    assert "+ E4  Starts with the phone" in shown
    back = typed("diff", saved, old).stdout
    assert "- E4  Starts with the phone" in back
    found = json.loads(typed("diff", old, saved, "--json").stdout)
    assert found["kind"] == "proscribe.assessment-difference"


def test_diff_of_the_same_says_so(saved: Path) -> None:
    assert "Nothing that is looked at has changed." in typed("diff", saved, saved).stdout


def test_diff_assesses_packages(saved: Path, package: Path, asked: list[Any]) -> None:
    assert "Nothing that is looked at has changed." in typed("diff", saved, package).stdout
    assert asked[0][0] == package


def test_diff_has_its_own_help() -> None:
    assert "proscribe assess diff" in CliRunner().invoke(root, ["assess", "diff", "--help"]).stdout.replace(
        "root", "proscribe"
    )


# ---- a folder ------------------------------------------------------------------------------------------------------


def _detail(problem: str) -> Text:
    return Text("detail", "détail") if problem else Text("", "")


def item(file: str, rating: Rating | None, problem: str = "") -> BatchItem:
    return BatchItem(file, "0" * 64, "com.example", "1", rating, "", problem, _detail(problem), reused=False)


@pytest.mark.parametrize(
    ("items", "status"),
    [
        ((item("a.apk", Rating.limited), item("b.apk", Rating.pervasive)), 0),
        ((item("a.apk", Rating.inconclusive), item("b.apk", Rating.pervasive)), 2),
        ((item("a.apk", Rating.inconclusive), item("b.apk", None, "assess.not-a-package")), 1),
        ((), 1),
    ],
)
def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, items: tuple[BatchItem, ...], status: int) -> None:
    asked: dict[str, Any] = {}

    def assess_folder(folder: Path, out: Path, *, jobs: int, options: Any, report: Any) -> Batch:
        asked.update(folder=folder, out=out, jobs=jobs)
        for number, one in enumerate(items, start=1):
            report(number, len(items), one.file)
        failed = sum(1 for one in items if one.problem)
        return Batch(len(items), len(items) - failed, failed, 3, items)

    monkeypatch.setattr(batch, "assess_folder", assess_folder)
    shown = typed(tmp_path, "--out", tmp_path / "out", "--jobs", "3", status=status).stdout
    assert asked == {"folder": tmp_path, "out": tmp_path / "out", "jobs": 3}
    assert f"Packages: {len(items)}" in shown
    assert [line.split()[-1] for line in shown.splitlines() if line.endswith(".apk") or "not-a-package" in line] == [
        *("detail" for one in items if one.problem),
        *(
            one.file
            for one in sorted(items, key=lambda one: list(Rating).index(one.rating or Rating.limited))[::-1]
            if one.rating
        ),
    ]
    found = json.loads(typed(tmp_path, "--out", tmp_path / "out", "--json", status=status).stdout)
    assert found["kind"] == "proscribe.assessment-batch"


def test_a_folder_needs_a_place_for_its_results(tmp_path: Path) -> None:
    assert isinstance(typed(tmp_path, status=None).exception, click.UsageError)
    result = typed(tmp_path, "--out", tmp_path, "--details", status=None)
    assert isinstance(result.exception, click.UsageError)


def test_documents_shown_fit_their_schemas(saved: Path) -> None:
    import jsonschema

    jsonschema.validate(json.loads(typed(saved, "--json").stdout), json_schema(Assessment))


def test_a_hostile_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", replace(assessment(), app_name=HOSTILE, app_id=HOSTILE))
    shown = typed(path).stdout
    assert "[U+202E]" in shown
    assert "\x1b" not in shown


# ---- a real package ------------------------------------------------------------------------------------------------


@pytest.mark.samples
def test_the_worked_example_of_the_facts(samples: Path, tmp_path: Path) -> None:
    """What assess.md promises of this package, in the words a person reads."""
    report = tmp_path / "report.json"
    result = typed(samples / "apk" / "Yosemite.apk", "--out", report, "--html", tmp_path, status=0)
    shown = re.sub(r"\s+", " ", result.stdout)
    assert "bad TLS certificates – Tencent TBS (X5)" in shown
    assert "the app, Tencent TBS (X5) and 3 libraries" in shown
    assert "China: publisher NetEase (by name only), Tencent TBS (X5), " in shown
    assert "SslErrorHandler.proceed" in shown
    for expected in ("accessibility service", "as a keyboard", "Can capture the screen", "China"):
        assert expected in shown
    assert "Every finding, with its evidence" in (tmp_path / "assessment-en.html").read_text()
    typed("--recheck", report, samples / "apk" / "Yosemite.apk", status=0)
    document = json.loads(report.read_text())
    site = next(one for finding in document["findings"] for one in finding["evidence"] if one["kind"] == "call")
    site["offset"] += 1
    report.write_text(json.dumps(document))
    assert "FAILS" in typed("--recheck", report, samples / "apk" / "Yosemite.apk", status=1).stdout


# ---- places that cannot be read or written -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "place", "words"),
    [
        ("--out", "", "a folder; a file is wanted here"),
        ("--out", "nowhere/report.json", "there is no folder"),
        ("--html", "nowhere/page.html", "there is no folder"),
        ("--sarif", "nowhere/a.sarif", "there is no folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(
    saved: Path, tmp_path: Path, option: str, place: str, words: str
) -> None:
    error = typed(saved, option, tmp_path / place, status=None).exception
    assert isinstance(error, UnreadableFile)
    assert words in str(error)
    assert ".part" not in str(error)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    error = typed(tmp_path / "pipe", status=None).exception
    assert isinstance(error, UnreadableFile)
    assert "neither a file nor a folder" in str(error)
