"""``proscribe case``: a whole case at the command line, in both languages, and what is refused there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import proscribe.store
from proscribe.cli.root import root
from proscribe.clock import ManualClock, use_clock
from proscribe.decide.process import CaseAltered
from proscribe.text import set_language

FILES = Path(__file__).parents[2] / "examples" / "case"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
OPEN = ("--title", "WeChat on phones", "WeChat sur les téléphones", "--concern", "Its reach", "Sa portée")
REVIEWS = ("privacy", "records", "legal", "languages", "accessibility")


class Desk:
    """The command line of one installation."""

    def __init__(self, home: Path, clock: ManualClock) -> None:
        self.home, self.clock = home, clock

    def __call__(self, *words: str, role: str = "case-officer", ok: int = 0) -> str:
        result = self.run(*words, role=role)
        assert (result.exit_code or result.return_value or 0) == ok, f"{words}\n{result.output}\n{result.exception!r}"
        return result.output

    def run(self, *words: str, role: str = "case-officer") -> Result:
        self.clock.advance(minutes=1)
        group = ("case", *words, "--home", str(self.home), "--as", role)
        with use_clock(self.clock):
            return CliRunner().invoke(root, group, prog_name="proscribe", standalone_mode=False)

    def until_reviews(self) -> None:
        self("open", "wechat-2026", *OPEN, "--origin", "referral", "--directive", "lighthouses-wechat", role="analyst")
        self("add", "wechat-2026", "evidence", str(FILES / "evidence.yaml"))
        self("advance", "wechat-2026", "assess")
        self("add", "wechat-2026", "directive", str(FILES / "directive.yaml"))
        self("add", "wechat-2026", "targets", "--reviewed-by", "security")
        self("advance", "wechat-2026", "targets")
        self("add", "wechat-2026", "impact", str(FILES / "impact.yaml"))
        self("advance", "wechat-2026", "impact")
        self("vendor", "wechat-2026", "--name", "Tencent", "Tencent", "--waive", "No relation", "Aucun lien")
        self("advance", "wechat-2026", "vendor")
        for kind in REVIEWS:
            self("add", "wechat-2026", f"review.{kind}", str(FILES / f"review-{kind}.yaml"))

    def decided(self, folder: Path) -> None:
        self.until_reviews()
        self("advance", "wechat-2026", "reviews")
        words = ("--decided-by", "Chief", "Dirigeant", "--legal-basis", "A policy", "Une politique")
        answer = ("--answer", "Counts only", "Des comptes seulement")
        out = str(folder / "decision.yaml")
        self("draft", "wechat-2026", "decision", *words, *answer, "--out", out, role="cio")
        self("add", "wechat-2026", "decision", out)
        self("advance", "wechat-2026", "decide", "--note", "In cabinet", "Au cabinet", role="cio")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    yield Desk(tmp_path / "home", ManualClock(NOW))
    proscribe.store.close()
    set_language(None)


def test_a_case_from_concern_to_publication(desk: Desk, tmp_path: Path) -> None:
    desk.decided(tmp_path)
    assert "Step 8: sign." in desk("advance", "wechat-2026", "sign")
    desk.home.joinpath("proscribe.toml").write_text(
        '[notices]\noffice = { en = "Mobile team", fr = "Équipe mobile" }\nemail = "mobile@example.org"\n', "utf-8"
    )
    desk("advance", "wechat-2026", "publish", "--compose")
    shown = json.loads(desk("show", "wechat-2026", "--json"))
    assert [step["stage"] for step in shown["steps"]][-1] == "publish"
    assert set(shown["next"]) == {"acknowledge", "review"}
    assert {one["name"] for one in shown["steps"][-1]["documents"]} == {
        "notice.public",
        "notice.staff",
        "notice.departments",
    }
    shared = tmp_path / "stix.json"
    words = ("share", "stix", "lighthouses-wechat", "--tlp", "green", "--out", str(shared), "--home", str(desk.home))
    with use_clock(desk.clock):
        assert CliRunner().invoke(root, words).exit_code == 0
    targets = json.loads(desk("get", "wechat-2026", "targets"))
    sent = next(one["targets"] for one in _extended(shared) if "targets" in one)
    assert sent["reviewed_by"] == targets["reviewed_by"] == "security"
    again = ("notice", "wechat-2026", "--format", "md", "--to", str(tmp_path / "notices"), "--home", str(desk.home))
    with use_clock(desk.clock):
        assert CliRunner().invoke(root, again).exit_code == 0
    assert "Ready: notice.vendor\n" in desk("show", "wechat-2026")  # the others were published already
    assert "publish" in desk("list")
    assert json.loads(desk("list", "--json"))[0]["head"] == shown["head"]


def test_where_a_case_stands_fits_eighty_columns_in_both_languages(desk: Desk) -> None:
    desk.until_reviews()
    english = desk("show", "wechat-2026")
    assert "[x] done  vendor" in english
    assert "[>] next  reviews      everything is there" in english
    assert "Ready: review.privacy" in english
    desk("add", "wechat-2026", "review.legal", "--withdraw")
    assert "- review.legal: the review: legal is not there" in desk("show", "wechat-2026")
    set_language("fr")
    french = desk("show", "wechat-2026")
    assert "[>] suite reviews      examens              1 élément manque" in french
    assert "voie\u00a0: ordinaire" in french
    for drawn in (english, french):
        assert max(len(line) for line in drawn.splitlines() if "sha256" not in line) <= 80


def test_each_step_says_what_may_come_next_and_what_that_lacks(desk: Desk) -> None:
    desk("open", "wechat-2026", *OPEN, "--directive", "lighthouses-wechat", role="analyst")
    desk("add", "wechat-2026", "evidence", str(FILES / "evidence.yaml"))
    assert "Next: targets; missing: directive, targets" in desk("advance", "wechat-2026", "assess")


def test_a_document_of_a_case_is_written_byte_for_byte_as_it_is_signed(desk: Desk, tmp_path: Path) -> None:
    desk.decided(tmp_path)
    out = tmp_path / "targets.json"
    said = desk("get", "wechat-2026", "targets", "--out", str(out))
    assert f"sha256:{hashlib.sha256(out.read_bytes()).hexdigest()}" in said
    assert json.loads(desk("get", "wechat-2026", "targets")) == json.loads(out.read_bytes())
    named = {one["name"]: one["digest"] for step in _steps(desk) for one in step["documents"]}
    assert named["targets"] in said
    assert "cannot be written" in str(desk.run("get", "wechat-2026", "targets", "--out", str(out)).exception)
    assert "has no 'notice.staff' yet" in str(desk.run("get", "wechat-2026", "notice.staff").exception)


def _extended(bundle: Path) -> list[dict[str, Any]]:
    """Our own extensions in a STIX bundle."""
    objects = json.loads(bundle.read_bytes())["objects"]
    return [found for one in objects for found in one.get("extensions", {}).values()]


def _steps(desk: Desk) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = json.loads(desk("show", "wechat-2026", "--json"))["steps"]
    return steps


def test_a_refused_step_lists_what_is_missing_and_exits_2(desk: Desk) -> None:
    desk.until_reviews()
    desk("add", "wechat-2026", "review.records", "--withdraw")
    assert "Nothing lay ready" in desk("add", "wechat-2026", "review.records", "--withdraw")
    said = desk("advance", "wechat-2026", "reviews", ok=2)
    assert "Error [decide.step-refused]" in said
    assert "review.records" in said


def test_the_vendor_is_asked_and_answered_at_the_command_line(desk: Desk, tmp_path: Path) -> None:
    desk("open", "wechat-2026", *OPEN, "--directive", "lighthouses-wechat", role="analyst")
    assert "has no 'vendor' yet" in str(desk.run("vendor", "wechat-2026").exception)
    (tmp_path / "letter").write_text("Dear vendor", encoding="utf-8")
    letter = ("--letter", str(tmp_path / "letter"), "--sent", "2026-11-20", "--due", "2026-12-20")
    desk("vendor", "wechat-2026", "--name", "Tencent", "Tencent", *letter)
    desk("vendor", "wechat-2026", "--replied", "2026-11-20", "--reply", str(tmp_path / "letter"))
    desk("vendor", "wechat-2026", "--answer", "reach", "It asks", "Elle demande", "Once", "Une fois")
    desk("vendor", "wechat-2026", "--answer", "reach", "It asks", "Elle demande", "Only once", "Une seule fois")
    record = json.loads(desk("vendor", "wechat-2026"))
    assert record["notice_sent"] == "2026-11-20"
    assert record["reply"] == record["notice"]
    assert [one["answer"]["en"] for one in record["responses"]] == ["Only once"]


def test_an_urgent_case_is_interim_and_says_when_it_ends(desk: Desk) -> None:
    urgent = ("--urgency", "They leave", "Ils partent", "--interim-until", "2026-12-24")
    desk("open", "visit", *OPEN, *urgent, role="analyst")
    assert "Ends on 2026-12-24 unless confirmed." in desk("show", "visit")
    assert "confirm" in desk("show", "visit")
    desk.clock.advance(days=31)
    due = desk("list", "--due")
    assert "no step for 31 days" in due
    assert "overdue" in due
    found = json.loads(desk("list", "--due", "--json"))
    assert [one["overdue"] for one in found] == [True, False]


def test_a_case_of_a_partner_begins_with_what_came_in(desk: Desk) -> None:
    words = (*OPEN, "--origin", "partner", "--directive", "lighthouses-wechat")
    assert "case.received" in str(desk.run("open", "theirs", *words, role="analyst").exception)
    desk("open", "theirs", *words, "--received", str(FILES / "directive.yaml"), role="analyst")
    assert "kind: partner" in desk("draft", "theirs", "evidence")


def test_evidence_is_shown_with_both_sides(desk: Desk) -> None:
    desk("open", "wechat-2026", *OPEN, "--directive", "lighthouses-wechat", role="analyst")
    desk("add", "wechat-2026", "evidence", str(FILES / "evidence.yaml"))
    text = FILES.joinpath("evidence.yaml").read_text("utf-8")
    assert "reach (asserted)" in desk("evidence", "wechat-2026")
    contested = text.replace(
        "status: asserted", 'status: contested\n  reply: {en: "It asks first", fr: "Elle demande"}'
    )
    (desk.home / "contested.yaml").write_text(contested, encoding="utf-8")
    desk("add", "wechat-2026", "evidence", str(desk.home / "contested.yaml"))
    shown = desk("evidence", "wechat-2026")
    assert "The other side: It asks first" in shown
    assert "Does not show: It states" in shown


def test_the_record_in_each_format(desk: Desk, tmp_path: Path) -> None:
    desk.decided(tmp_path)
    text = desk("record", "wechat-2026")
    assert text.startswith("# Record of decision: WeChat on phones")
    assert "Permissions that the app asks for" in text
    assert "Permissions that the app asks for" not in desk("record", "wechat-2026", "--public")
    desk("record", "wechat-2026", "--format", "html", "--out", str(tmp_path / "record.html"))
    assert "<h1>WeChat on phones</h1>" in (tmp_path / "record.html").read_text("utf-8")
    assert len(json.loads(desk("record", "wechat-2026", "--format", "json", "--step", "7"))["steps"]) == 7
    assert "--public is for md and html" in str(
        desk.run("record", "wechat-2026", "--format", "json", "--public").exception
    )


def test_out_to_git_and_back(desk: Desk, tmp_path: Path) -> None:
    desk.decided(tmp_path)
    said = desk("export", "wechat-2026", str(tmp_path / "git"))
    head = said.rpartition(": ")[2].strip()
    other = Desk(tmp_path / "other", desk.clock)
    assert "Case wechat-2026 is whole; steps: 7." in other("import", str(tmp_path / "git"), "--head", head)
    path = tmp_path / "git" / "steps" / "003-targets.json"
    path.write_bytes(path.read_bytes().replace(b"case-officer", b"case-0fficer"))
    refused = other.run("import", str(tmp_path / "git")).exception
    assert isinstance(refused, CaseAltered)
    assert str(refused).startswith("steps/003-targets.json: ")


def test_a_file_that_is_no_document_is_refused(desk: Desk, tmp_path: Path) -> None:
    desk("open", "wechat-2026", *OPEN, role="analyst")
    (tmp_path / "x.yaml").write_text("kind: proscribe.nothing", encoding="utf-8")
    assert "proscribe.nothing" in str(desk.run("add", "wechat-2026", "evidence", str(tmp_path / "x.yaml")).exception)
    assert "cannot be read" in str(desk.run("add", "wechat-2026", "evidence", str(tmp_path / "y.yaml")).exception)
    assert "Give a file" in str(desk.run("add", "wechat-2026", "evidence").exception)
