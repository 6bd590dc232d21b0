"""``proscribe check`` as a person runs it: what it prints, what it writes, how it exits."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from proscribe.cli import check, check_files
from proscribe.documents import from_json, json_schema
from proscribe.errors import DiskFull, UnreadableFile
from proscribe.evaluate.model import CheckReport, Verdict
from proscribe.text import set_language

DAY = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
OLD = (datetime.now(UTC) - timedelta(days=90)).strftime("%Y-%m-%dT%H:%M:%SZ")
HEADER = "device,system,platform,enrolment,department,observed_at,app_id,app_name"
TIKTOK = "ca-tbs-2023-tiktok"

VIOLATION = f"d1,amapi,android,fully_managed,Lamps,{DAY},com.zhiliaoapp.musically,TikTok"
CLEAN = f"d2,amapi,android,fully_managed,Lamps,{DAY},org.lighthouse.tides,Tides"
NAMED = f"d3,intune,ios,supervised,Bells,{DAY},,TikTok"
LOOKS = f"d4,amapi,android,fully_managed,,{DAY},org.copy.tiktok,=TikTok"
BYOD = f"d5,amapi,android,byod,Lamps,{DAY},com.zhiliaoapp.musically,TikTok"
COPE = f"d6,amapi,android,cope,Lamps,{DAY},org.lighthouse.tides,Tides"
STALE = f"d7,amapi,android,fully_managed,Lamps,{OLD},org.lighthouse.tides,Tides"
BAD = f",amapi,android,fully_managed,Lamps,{DAY},org.lighthouse.tides,Tides"

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process over rows of the generic table."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PROSCRIBE_LANG", "en")

    def run_it(*arguments: str, rows: tuple[str, ...] = (), name: str = "export.csv") -> SimpleNamespace:
        exports = []
        if rows:
            path = tmp_path / name
            path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
            exports.append(str(path))
        result = CliRunner().invoke(check.command, [*exports, *arguments], standalone_mode=False)
        set_language(None)
        if result.exception is not None:
            raise result.exception
        return SimpleNamespace(status=result.return_value, out=result.stdout)

    return run_it


def test_violations_exit_with_2_and_are_told_by_department(run: Run) -> None:
    result = run("-d", TIKTOK, rows=(VIOLATION, CLEAN, NAMED, LOOKS))
    assert result.status == 2
    assert re.search(r"Lamps +│ Android +│ +1 │ +0 │ +2 ", result.out)
    assert re.search(r"Bells +│ iOS +│ +0 │ +1 │ +1 ", result.out)
    assert "LOOK-ALIKES: TO BE LOOKED INTO, NOT VIOLATIONS" in result.out
    assert result.out.index("WHAT COULD NOT BE SEEN") < result.out.index("VIOLATIONS\n")
    assert result.out.rstrip().endswith("Banned apps were found. Directives with violations: 1 of 1.")


def test_what_was_seen_whole_is_clean(run: Run) -> None:
    result = run("-d", TIKTOK, rows=(CLEAN,))
    assert result.status == 0
    assert "Nothing: every list is whole and dated." in result.out
    assert "every device was seen whole" in result.out


# Names of their own: the rows hold today's date, and workers that collect a second apart must agree on the names.
@pytest.mark.parametrize(
    "row",
    [COPE, STALE, BAD, BYOD, f"d8,intune,ios,supervised,Bells,,,{'Tides'}"],
    ids=["cope", "stale", "bad", "byod", "names only"],
)
def test_clean_is_never_said_of_what_was_not_seen(run: Run, row: str) -> None:
    result = run("-d", TIKTOK, "--json", rows=(CLEAN, row))
    assert result.status == 0
    assert json.loads(result.out)["verdict"] == "none_seen"
    words = run("-d", TIKTOK, rows=(CLEAN, row)).out
    assert "seen whole" not in words
    assert "about it nothing is claimed" in " ".join(words.split())


def test_by_name_only_asks_for_confirmation(run: Run) -> None:
    result = run("-d", TIKTOK, rows=(NAMED,))
    assert result.status == 2
    assert "By name only: have them confirmed." in " ".join(result.out.split())


def test_a_device_out_of_scope_is_told_and_not_counted(run: Run) -> None:
    result = run("-d", TIKTOK, rows=(BYOD, CLEAN))
    assert result.status == 0
    assert "Devices outside the scope that hold a banned app all the same: 1." in result.out


def test_json_is_a_document_of_the_published_schema(run: Run) -> None:
    result = run("--json", rows=(VIOLATION, CLEAN, NAMED, LOOKS, BYOD, COPE, STALE, BAD))
    body = json.loads(result.out)
    Draft202012Validator(json_schema(CheckReport)).validate(body)
    report = from_json(CheckReport, body)
    assert report.verdict is Verdict.violations
    one = next(row for row in report.directives if row.directive == TIKTOK)
    assert (one.devices, one.violations, one.lookalikes, one.out_of_scope) == (6, 2, 1, 1)
    assert sum(one.by_presence.values()) == one.devices
    assert {(finding.device, finding.match.value) for finding in report.violations if finding.directive == TIKTOK} == {
        ("amapi:d1", "exact_id"),
        ("intune:d3", "name_only"),
    }
    assert {finding.device for finding in report.lookalikes} == {"amapi:d4"}
    unseen = report.unseen
    assert (unseen.invisible, unseen.stale, unseen.names_only, unseen.bad_rows) == (2, 1, 1, 1)


def test_json_without_findings_is_valid_too(run: Run) -> None:
    body = json.loads(run("--json", rows=(CLEAN,)).out)
    assert (body["violations"], body["lookalikes"]) == ([], [])


def test_csv_holds_every_finding_and_no_formula(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    run("-d", TIKTOK, "--csv", str(target), rows=(VIOLATION, LOOKS, NAMED))
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(target.read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["finding"], row["device"]) for row in rows] == [
        ("violation", "amapi:d1"),
        ("lookalike", "amapi:d4"),
        ("violation", "intune:d3"),
    ]
    assert rows[1]["app_name"] == "'=TikTok"
    assert rows[0]["observed_at"] == DAY
    assert rows[0]["actionable"] == "true"
    run("-d", TIKTOK, "--csv", str(target), rows=("d1,intune,ios,supervised,Bells,,,TikTok",))
    assert next(csv.DictReader(target.read_text(encoding="utf-8-sig").splitlines()))["observed_at"] == ""
    on_screen = run("-d", TIKTOK, "--csv", "-", rows=(VIOLATION,)).out
    assert on_screen.splitlines()[0].startswith("finding,directive,device")
    assert len(on_screen.splitlines()) == 2


def test_json_and_csv_cannot_share_the_screen(run: Run) -> None:
    with pytest.raises(check.ConflictingOutput):
        run("--json", "--csv", "-", rows=(CLEAN,))


@pytest.mark.parametrize("option", ["--csv", "--html", "--problems"])
def test_a_result_is_never_written_over_an_export(run: Run, tmp_path: Path, option: str) -> None:
    export = tmp_path / "export.csv"
    with pytest.raises(check.ConflictingOutput):
        run(option, str(tmp_path / "." / "export.csv"), rows=(VIOLATION,))
    assert export.read_text(encoding="utf-8").startswith(HEADER)


def test_two_results_cannot_share_a_file(run: Run, tmp_path: Path) -> None:
    with pytest.raises(check.ConflictingOutput):
        run("--csv", str(tmp_path / "out"), "--html", str(tmp_path / "out"), rows=(VIOLATION,))


def test_exact_and_name_only_are_not_added_up(run: Run) -> None:
    assert "TikTok 1 (+ 1 by name only)" in run("-d", TIKTOK, rows=(VIOLATION, NAMED)).out


def test_a_folder_is_refused_with_what_to_do_instead(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as error:
        run(str(tmp_path))
    assert "FOLDER/*" in error.value.remedy.en


@pytest.mark.parametrize("words", [[], ["--json"], ["--csv", "-"], ["--details"]])
def test_a_terminal_that_knows_ascii_only(tmp_path: Path, words: list[str]) -> None:
    export = tmp_path / "export.csv"
    export.write_text(f"{HEADER}\n{VIOLATION.replace('Lamps', 'Fanaux à éclats')}\n", encoding="utf-8")
    result = subprocess.run(
        [Path(sys.executable).with_name("proscribe"), "--lang", "fr", "check", export, "-d", TIKTOK, *words],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        check=False,
    )
    assert result.returncode == 2, result.stderr
    if words == ["--json"]:
        assert json.loads(result.stdout)["violations"][0]["department"] == "Fanaux à éclats"


def test_problems_are_written_with_row_field_and_remedy(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "problems.jsonl"
    run("-d", TIKTOK, "--problems", str(target), rows=(CLEAN, BAD))
    (problem,) = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert (problem["file"], problem["row"], problem["field"]) == ("export.csv", 3, "device")
    assert problem["remedy"]["fr"]


def test_a_file_that_cannot_be_read_is_an_error_unless_there_are_violations(run: Run, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.csv")
    result = run("-d", TIKTOK, missing, rows=(CLEAN,))
    assert result.status == 1
    assert "Not read at all: missing.csv" in result.out
    assert "so there may be more" in " ".join(result.out.split())
    assert run("-d", TIKTOK, missing, rows=(VIOLATION,)).status == 2


def test_an_export_that_breaks_off_is_an_error_too(run: Run, tmp_path: Path) -> None:
    import gzip

    whole = gzip.compress(("\n".join([HEADER, *[CLEAN] * 5000]) + "\n").encode())
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    result = run("-d", TIKTOK, str(cut), rows=(CLEAN,))
    assert result.status == 1
    assert "Breaks off, its beginning is counted: cut.csv" in result.out


def test_nothing_read_is_an_error_and_never_clean(run: Run) -> None:
    result = run("-d", TIKTOK, rows=(BAD,))
    assert result.status == 1
    assert "No device could be read, so nothing can be said." in result.out


def test_unknown_directive_is_refused_with_a_hint(run: Run) -> None:
    from proscribe.directive.library import UnknownDirective

    with pytest.raises(UnknownDirective):
        run("-d", "ca-tbs-2023-tictoc", rows=(CLEAN,))


def test_a_directive_from_a_file(run: Run, tmp_path: Path) -> None:
    from proscribe.directive import library

    text = (library.DATA / f"{TIKTOK}.yaml").read_text(encoding="utf-8").replace(f"id: {TIKTOK}", "id: own-ban")
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    result = run("-d", str(path), rows=(VIOLATION,))
    assert result.status == 2
    assert "own-ban" in result.out
    assert "has not been reviewed" in " ".join(result.out.split())


@pytest.mark.parametrize("width", ["60", "80"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_table_fits(run: Run, monkeypatch: pytest.MonkeyPatch, width: str, language: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    rows = (VIOLATION, CLEAN, NAMED, LOOKS, BYOD, COPE, STALE, BAD, VIOLATION.replace("d1", "x" * 70))
    result = run("--lang", language, "--details", rows=rows)
    assert max(map(len, result.out.splitlines())) <= int(width)
    assert ("Infractions".upper() in result.out) is (language == "fr")


def test_directives_with_the_same_counts_share_a_table(run: Run) -> None:
    result = run("-d", TIKTOK, "-d", "uk-co-2023-tiktok", "-d", "ca-tbs-2023-wechat-kaspersky", rows=(VIOLATION,))
    assert result.out.count("Department") == 1
    assert f"The same counts as under {TIKTOK}." in result.out


def test_the_worst_department_comes_first_however_it_was_found(run: Run) -> None:
    rows = (VIOLATION, *(NAMED.replace("d3", f"n{n}") for n in range(3)))
    result = run("-d", TIKTOK, "--limit", "1", rows=rows)
    assert "│ Bells" in result.out
    assert "│ Lamps" not in result.out


def test_limit_bounds_lists_and_says_so(run: Run) -> None:
    rows = tuple(VIOLATION.replace("d1", f"v{n}").replace("Lamps", f"Ministry {n}") for n in range(5))
    result = run("-d", TIKTOK, "--details", "--limit", "2", rows=rows)
    assert "... and 3 more rows (--limit)" in result.out
    assert "More: see --limit, --csv or --json." in result.out
    assert run("-d", TIKTOK, "--limit", "0", rows=rows).status == 2


class Page(HTMLParser):
    """What of a page matters for reading it without help: language, headings, tables, outside references."""

    def __init__(self) -> None:
        super().__init__()
        self.language = ""
        self.tags: list[str] = []
        self.references: list[str] = []
        self.unlabelled = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "html":
            self.language = given.get("lang") or ""
        if tag == "th" and "scope" not in given:
            self.unlabelled += 1
        if tag == "svg" and "aria-hidden" not in given and not given.get("aria-label"):
            self.unlabelled += 1
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_html_is_one_accessible_page(run: Run, tmp_path: Path, language: str) -> None:
    target = tmp_path / "report.html"
    script = f"d9,amapi,android,fully_managed,<b>Lamps</b>,{DAY},com.zhiliaoapp.musically,<script>alert(1)</script>"
    run("--lang", language, "--html", str(target), rows=(VIOLATION, NAMED, LOOKS, COPE, BAD, script))
    text = target.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.language == language
    assert page.tags.count("h1") == 1
    assert page.tags.count("table") == page.tags.count("caption") > 3
    assert page.unlabelled == 0
    assert all(reference.startswith("#") for reference in page.references)
    assert "<script" not in text
    assert "&lt;b&gt;Lamps" in text
    assert "@media print" in text
    assert ("Ce qui n" in text) is (language == "fr")


def test_html_tells_exact_from_name_only(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    run("-d", TIKTOK, "--html", str(page), rows=(VIOLATION, NAMED))
    assert "known by the app's name only, to be confirmed: 1." in unescape(page.read_text(encoding="utf-8"))


def test_html_bounds_its_lists(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    rows = tuple(VIOLATION.replace("d1", f"v{n}") for n in range(4))
    run("-d", TIKTOK, "--html", str(target), "--limit", "3", rows=rows)
    assert "Only the first 3 are listed here" in target.read_text(encoding="utf-8")
    run("-d", TIKTOK, "--html", str(target), rows=(CLEAN,))
    assert "Every list is whole and dated." in target.read_text(encoding="utf-8")


def test_a_result_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(check_files.UnwritableFile) as caught, check_files.writing(tmp_path / "no" / "where.csv"):
        raise AssertionError
    assert caught.value.where.file.endswith("where.csv")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named() -> None:
    with pytest.raises(DiskFull), check_files.writing(Path("/dev/full")) as stream:
        stream.write("x" * 100_000)


def test_the_program_itself(tmp_path: Path) -> None:
    """Exit statuses of the real process, with the real locale rules."""
    export = tmp_path / "export.csv"
    export.write_text(f"{HEADER}\n{VIOLATION}\n", encoding="utf-8")
    program = str(Path(sys.executable).with_name("proscribe"))
    environment = {**os.environ, "PROSCRIBE_LANG": "fr"}
    found = subprocess.run(
        [program, "check", str(export), "-d", TIKTOK], capture_output=True, env=environment, check=False
    )
    assert found.returncode == 2
    assert "Des applications interdites ont été trouvées." in found.stdout.decode()
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    failed = subprocess.run([program, "check", str(empty)], capture_output=True, env=environment, check=False)
    assert failed.returncode == 1
    assert b"inventory.empty" in failed.stderr


def test_progress_waits_a_second_and_then_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    times = iter([0.0, 0.5, 1.5])
    monkeypatch.setattr(check.time, "monotonic", lambda: next(times, 2.0))
    shown: list[str] = []
    monkeypatch.setattr("rich.progress.Progress.start", lambda self: shown.append("started"))
    with check._progress() as on_progress:
        on_progress("a.csv", 1, 10)
        assert shown == []
        on_progress("a.csv", 2, 10)
        assert shown == ["started"]
        on_progress("a.csv", 3, 10)
