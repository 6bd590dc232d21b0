"""Notices out of what an installation holds: a directive alone, a case before and after its decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.decide.conftest import OPENED, Story, a_case, register, scheduled
from tests.service.conftest import START

from proscribe.clock import ManualClock
from proscribe.decide.file import CaseFile
from proscribe.decide.model import ReviewVerdict, Stage
from proscribe.decide.process import StepRefused
from proscribe.directive.library import find
from proscribe.directive.model import State
from proscribe.documents import digest, to_bytes
from proscribe.inventory.model import Retention, SnapshotManifest
from proscribe.prove.model import EntryKind
from proscribe.publish.notices.files import Format
from proscribe.publish.notices.model import Audience, NoticeIncomplete, PdfUnavailable
from proscribe.service import casework, publishing
from proscribe.service.installation import open_installation
from proscribe.text import Text

SHIPPED = "ca-tbs-2023-wechat-kaspersky"
OFFICE = """
[notices]
office = { en = "Mobile device team", fr = "Équipe des appareils mobiles" }
email = "mobile@example.org"
reply_days = 20
"""


class Desk:
    """An installation whose clock goes with the story of a case."""

    def __init__(self, home) -> None:
        self.home = home
        self.clock = ManualClock(START)
        home.mkdir()
        (home / "proscribe.toml").write_text(OFFICE, encoding="utf-8")

    def open(self, actor="officer"):
        return open_installation(self.home, actor=actor, clock=self.clock)

    def take(self, story: Story, stage: Stage, **changes) -> None:
        """One step, in the story and in the installation."""
        made = {**story.made(stage), **changes}
        given = {name: one for name, one in made.items() if one is not None}
        story.take(stage, changes, at=story.now)
        self.clock = ManualClock(story.now)
        plain = {name: one for name, one in given.items() if not name.startswith("signature.")}
        installation = self.open()
        actor = casework.roles(installation, stage)[0]
        if stage is Stage.intake:
            casework.open_case(self.open(actor), story.file.case, plain)
        else:
            casework.advance(self.open(actor), story.file.case.id, stage, plain)
        story.now += timedelta(days=1)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


@pytest.fixture
def evidence():
    first = register()
    item = replace(
        first.items[0],
        title=Text("A report", "Un rapport"),
        does_not_show=Text("That anything was taken", "Que des données ont été prises"),
    )
    claim = replace(first.claims[0], text=Text("The app reads contacts", "L'application lit les contacts"))
    return replace(first, items=(item,), claims=(claim,))


@pytest.fixture
def story():
    return Story(CaseFile(a_case()), now=OPENED)


def names(made):
    return [one.audience for one in made]


def part(notice, name):
    return next(one for one in notice.sections if one.name == name)


def test_a_shipped_directive_gives_all_four_and_each_day_counts_from_the_notice(desk):
    made = publishing.notices(desk.open(), SHIPPED)
    assert names(made) == list(Audience)
    vendor = made[-1]
    assert (
        "Reply by 22\u00a0November\u00a02026"
        in next(one for one in vendor.sections if one.name == "reply").paragraphs[0].en
    )
    named = publishing.notices(
        desk.open(), SHIPPED, audiences=(Audience.vendor,), days=publishing.Days(reply_by=date(2027, 1, 2))
    )
    assert "2\u00a0January\u00a02027" in part(named[0], "reply").paragraphs[0].en


def test_the_newest_stored_directive_comes_before_the_shipped_one(desk):
    changed = replace(find(SHIPPED), version=2, title=Text("Changed title", "Titre changé"))
    installation = desk.open()
    installation.keep(changed, EntryKind.directive, subject=SHIPPED)
    assert publishing.notices(installation, SHIPPED)[0].title == changed.title


def test_without_an_office_to_ask_there_is_no_notice(desk):
    (desk.home / "proscribe.toml").write_text("", encoding="utf-8")
    with pytest.raises(NoticeIncomplete) as caught:
        publishing.notices(desk.open(), SHIPPED)
    assert caught.value.where.field == "notices.office"
    assert "[notices]" in caught.value.remedy.fr


def test_the_gaps_of_all_notices_are_listed_at_once(desk, tmp_path):
    broken = replace(find(SHIPPED), title=Text("Only English", ""), effective=None, state=State.draft)
    installation = desk.open()
    installation.keep(broken, EntryKind.directive, subject=SHIPPED)
    with pytest.raises(NoticeIncomplete) as caught:
        publishing.notices(installation, SHIPPED, audiences=tuple(Audience))
    assert {one.field for one in caught.value.gaps} == {"directive.title.fr", "directive.effective", "decision"}
    assert names(publishing.notices(installation, "ca-tbs-2023-tiktok")) == list(Audience)


def test_files_are_whole_kept_and_recorded_once(desk, tmp_path):
    installation = desk.open()
    made = publishing.notices(installation, SHIPPED)
    out = tmp_path / "out"
    for _ in range(2):
        paths = publishing.publish(installation, made, out, formats=tuple(Format))
        assert sorted(path.name for path in paths) == sorted(path.name for path in out.iterdir())
    assert {path.name for path in paths} == {
        *(f"{audience}.{language}.{kind}" for audience in Audience for language in ("en", "fr") for kind in Format),
        *(f"{audience}.json" for audience in Audience),
    }
    assert (out / "staff.json").read_bytes() == to_bytes(made[1])
    assert (out / "staff.fr.pdf").read_bytes().startswith(b"%PDF-1.7")
    entries = [one for one in installation.stores.ledger.entries() if one.entry is EntryKind.notice]
    assert [one.body["audience"] for one in entries] == [one.value for one in Audience]
    assert {one.body["digest"] for one in entries} == {digest(one) for one in made}


def test_where_one_format_fails_nothing_is_written(desk, tmp_path, monkeypatch):
    def refuse(*_):
        raise PdfUnavailable(Text("no", "non"), remedy=Text("install it", "installez-le"))

    monkeypatch.setattr("proscribe.publish.notices.files.pdf", refuse)
    installation = desk.open()
    made = publishing.notices(installation, SHIPPED)
    with pytest.raises(PdfUnavailable):
        publishing.publish(installation, made, tmp_path / "out", formats=tuple(Format))
    assert not (tmp_path / "out").exists()
    assert not [one for one in installation.stores.ledger.entries() if one.entry is EntryKind.notice]


def test_staff_are_told_where_all_apps_are_kept(desk):
    installation = desk.open()
    manifest = SnapshotManifest(
        taken_at=START,
        retention=Retention.all,
        watched=(),
        sources=(),
        coverage=(),
        devices=1,
        duplicate_devices=0,
        apps_seen=1,
        apps_kept=1,
        installs_seen=1,
        installs_kept=1,
        scopes=(),
        problems_total=0,
        problems=(),
        files={},
    )
    installation.stores.documents.put(manifest, at=START)
    staff = publishing.notices(installation, SHIPPED, audiences=(Audience.staff,))[0]
    assert "the list of all apps" in part(staff, "looked-at").points[-1].en


# ---- a case ----------------------------------------------------------------------------------------------------------


def test_before_the_decision_only_the_vendor_is_told_and_of_public_claims(desk, story, evidence):
    desk.take(story, Stage.intake)
    desk.take(story, Stage.assess, evidence=evidence)
    desk.take(story, Stage.targets)
    made = publishing.notices(desk.open(), "c-1")
    assert names(made) == [Audience.vendor]
    assert made[0].decision is None
    assert made[0].case == "c-1"
    assert [one.label.en for one in part(made[0], "claims").facts] == ["reach"]
    with pytest.raises(NoticeIncomplete) as caught:
        publishing.notices(desk.open(), "c-1", audiences=(Audience.staff,))
    assert [one.field for one in caught.value.gaps] == ["decision"]


def test_a_decision_that_only_lies_ready_is_not_announced(desk, story, evidence):
    for stage in (Stage.intake, Stage.assess, Stage.targets):
        desk.take(story, stage, **({"evidence": evidence} if stage is Stage.assess else {}))
    decision = story.made(Stage.decide)["decision"]
    casework.attach(desk.open(), "c-1", "decision", decision)
    assert [one.decision for one in publishing.notices(desk.open(), "c-1")] == [None]


def test_the_notices_of_a_decided_case_let_it_be_published(desk, story, evidence, tmp_path):
    before = (Stage.intake, Stage.assess, Stage.targets, Stage.impact, Stage.vendor, Stage.reviews, Stage.decide)
    for stage in before:
        desk.take(story, stage, **({"evidence": evidence} if stage is Stage.assess else {}))
    desk.take(story, Stage.sign)
    installation = desk.open("case-officer")
    with pytest.raises(StepRefused):
        casework.advance(installation, "c-1", Stage.publish)
    made = publishing.notices(installation, "c-1")
    assert names(made) == list(Audience)
    assert {one.decision for one in made} == {story.of("decision")}
    assert made == publishing.notices(installation, "c-1")
    publishing.publish(installation, made, tmp_path, formats=(Format.md,))
    assert "Signal" in (tmp_path / "staff.en.md").read_text(encoding="utf-8")
    step = casework.advance(installation, "c-1", Stage.publish)
    assert {one.name: one.digest for one in step.documents} == {f"notice.{one.audience}": digest(one) for one in made}


def test_the_end_of_a_decision_is_announced_with_the_step_that_takes_it(desk, story, evidence, tmp_path):
    ladder = (Stage.intake, Stage.assess, Stage.targets, Stage.impact, Stage.vendor, Stage.reviews, Stage.decide)
    for stage in (*ladder, Stage.sign):
        desk.take(story, stage, **({"evidence": evidence} if stage is Stage.assess else {}))
    desk.take(story, Stage.publish)
    desk.take(story, Stage.review, review=scheduled(story.now.date(), ReviewVerdict.revoke))
    ending = story.made(Stage.revoke)
    desk.clock = ManualClock(story.now)
    installation = desk.open("cio")
    casework.attach(installation, "c-1", "directive", ending["directive"])
    casework.attach(installation, "c-1", "decision", ending["decision"])
    made = publishing.notices(installation, "c-1", audiences=(Audience.public, Audience.staff))
    assert all(one.sections[0].name == "ended" for one in made)
    publishing.publish(installation, made, tmp_path, formats=(Format.html,))
    step = casework.advance(installation, "c-1", Stage.revoke)
    assert {"notice.public", "notice.staff"} <= {one.name for one in step.documents}
