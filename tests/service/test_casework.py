"""Cases in a real store, SQLite and PostgreSQL: every step authorised, in the ledger, and lost by no crash or rival."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.decide.conftest import (
    ALL_OWN,
    DIRECTIVE,
    OPENED,
    Story,
    a_case,
    adopted,
    contested,
    directive,
    interim,
    notified,
    road_stages,
    said,
    scheduled,
)
from tests.service.officers import Officers
from tests.store.conftest import postgres_server, store, templates

from proscribe.catalogue.model import TargetSet
from proscribe.clock import ManualClock, use_clock
from proscribe.decide.file import CaseFile
from proscribe.decide.model import Case, ClaimStatus, Origin, ReviewVerdict, Stage
from proscribe.decide.needs import needed, signatures
from proscribe.decide.process import CaseAltered, StepRefused
from proscribe.decide.record import record_json
from proscribe.directive.model import Directive
from proscribe.documents import Document, digest, to_json
from proscribe.prove.model import EntryKind
from proscribe.service import casedraft, casestore, casework
from proscribe.service.config import CaseSettings
from proscribe.service.installation import Installation, open_installation
from proscribe.text import Text

__all__ = ["postgres_server", "store", "templates"]  # fixtures

ACTORS = {
    **dict.fromkeys((Stage.intake, Stage.assess, Stage.targets, Stage.impact), "analyst"),
    **dict.fromkeys((Stage.vendor, Stage.reviews, Stage.review), "legal"),
    **dict.fromkeys((Stage.decide, Stage.confirm, Stage.amend, Stage.supersede, Stage.revoke, Stage.sign), "cio"),
    **dict.fromkeys((Stage.publish, Stage.acknowledge, Stage.act, Stage.attest), "case-officer"),
}


class Office:
    """One installation and the day it is there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = ManualClock(OPENED)

    def open(self, actor: str = "analyst") -> Installation:
        return open_installation(self.home, actor=actor, clock=self.clock)

    def begin(self, case: Case | None = None) -> Case:
        case = case or a_case()
        story = Story(CaseFile(case), self.clock.now())
        return casework.open_case(self.open(), case, story.made(Stage.intake))

    def made(self, stage: Stage) -> dict[str, Document]:
        """What the stage asks for, but signatures: those are looked up."""
        file = casestore.load(self.open(), "c-1")
        story = Story(file, self.clock.now())
        found = story.made(stage)
        return {name: one for name, one in found.items() if name not in signatures(file.case, stage)}

    def take(self, stage: Stage, **changes: Document | None) -> None:
        self.clock.advance(days=1)
        documents = {**self.made(stage), **{name.replace("__", "."): one for name, one in changes.items()}}
        given = {name: one for name, one in documents.items() if one is not None}
        casework.advance(self.open(ACTORS[stage]), "c-1", stage, given)

    def until(self, *stages: Stage) -> None:
        for stage in stages:
            self.take(stage)

    @property
    def file(self) -> CaseFile:
        return casestore.load(self.open(), "c-1")

    def ledger(self) -> list[dict[str, Any]]:
        entries = [to_json(entry) for entry in self.open().stores.ledger.entries()]
        return [one["body"] for one in entries if one["entry"] == EntryKind.case]


@pytest.fixture
def office(store: Path) -> Iterator[Office]:
    found = Office(store)
    with use_clock(found.clock):
        yield found


CASES = {"standard": a_case(), "interim": interim(), "feed": adopted(Origin.feed), "partner": adopted(Origin.partner)}


@pytest.mark.parametrize("kind", CASES)
def test_a_case_goes_all_the_way_and_every_step_is_in_the_ledger(kind: str, office: Office) -> None:
    case = office.begin(CASES[kind])
    office.until(*road_stages(case)[1:])
    entries = office.ledger()
    assert [one["stage"] for one in entries] == [stage.value for stage in road_stages(case)]
    assert [one["digest"] for one in entries] == [digest(step) for step in office.file.steps]
    assert {one["event"] for one in entries} == {"step"}


@pytest.mark.parametrize("kind", CASES)
def test_any_one_document_left_out_is_refused_at_its_stage_and_nothing_is_kept(kind: str, office: Office) -> None:
    case = CASES[kind]
    if case.received is not None:
        with pytest.raises(StepRefused) as caught:
            casework.open_case(office.open(), case)
        assert [one.name for one in caught.value.missing] == ["received"]
        assert casework.listed(office.open()) == ()
    office.begin(case)
    for stage in road_stages(case)[1:]:
        for need in needed(case, stage):
            if need.optional or need.name in signatures(case, stage):
                continue
            office.clock.advance(hours=1)
            documents = office.made(stage)
            del documents[need.name]
            before = (office.file.steps, len(office.ledger()))
            with pytest.raises(StepRefused) as caught:
                casework.advance(office.open(ACTORS[stage]), "c-1", stage, documents)
            assert caught.value.stage is stage
            assert need.name in {one.name for one in caught.value.missing}
            assert (office.file.steps, len(office.ledger())) == before
        office.take(stage)


def test_documents_may_lie_ready_until_a_step_takes_them(office: Office) -> None:
    office.begin()
    found = office.made(Stage.assess)["evidence"]
    assert casework.attach(office.open(), "c-1", "evidence", found) == digest(found)
    casework.attach(office.open(), "c-1", "evidence", found)
    assert [one["event"] for one in office.ledger()] == ["step", "laid_ready"]
    view = casework.show(office.open(), "c-1")
    assert view.lacks[Stage.assess] == ()
    assert [one.name for one in view.desk] == ["evidence"]
    casework.advance(office.open(), "c-1", Stage.assess)
    assert casework.show(office.open(), "c-1").desk == ()
    assert casework.withdraw(office.open(), "c-1", "evidence") is False
    casework.attach(office.open(), "c-1", "impact", found)
    assert casework.withdraw(office.open(), "c-1", "impact") is True
    with pytest.raises(casework.UnknownName, match="evidense"):
        casework.attach(office.open(), "c-1", "evidense", found)


def test_what_the_next_stages_lack_is_shown(office: Office) -> None:
    office.begin()
    lacks = casework.show(office.open(), "c-1").lacks
    assert {stage: [one.name for one in found] for stage, found in lacks.items()} == {Stage.assess: ["evidence"]}


def test_a_role_that_may_not_is_refused_and_the_settings_may_say_otherwise(office: Office) -> None:
    office.begin()
    with pytest.raises(casework.RoleRefused, match=r"operator.*may not take stage 'assess'"):
        casework.advance(office.open("operator"), "c-1", Stage.assess, office.made(Stage.assess))
    (office.home / "proscribe.toml").write_text('[case.roles]\nassess = ["operator"]\n', encoding="utf-8")
    installation = office.open("operator")
    assert installation.settings.case == CaseSettings({Stage.assess: ("operator",)})
    casework.advance(installation, "c-1", Stage.assess, office.made(Stage.assess))
    with pytest.raises(casework.RoleRefused):
        casework.open_case(office.open("cio"), a_case(id="c-2"))


def test_whoever_prepares_does_not_decide() -> None:
    for decides in (Stage.decide, Stage.confirm, Stage.amend, Stage.revoke):
        assert not set(casework.ROLES[decides]) & set(casework.ROLES[Stage.assess])
    assert set(casework.ROLES) == set(Stage)


def test_an_id_is_used_once(office: Office) -> None:
    case = office.begin()
    assert office.begin() == case
    assert len(office.file.steps) == 1
    with pytest.raises(casework.CaseExists):
        office.begin(replace(case, title=said("Another")))
    with pytest.raises(casework.UnknownCase, match="cannot be the id"):
        office.begin(replace(case, id="../c"))
    with pytest.raises(casework.UnknownCase, match="no case 'c-9'"):
        casework.show(office.open(), "c-9")


def test_a_step_is_recorded_when_it_happened_but_not_ahead_of_time(office: Office) -> None:
    office.begin()
    office.clock.advance(days=9)
    documents = office.made(Stage.assess)
    with pytest.raises(casework.FutureStep):
        casework.advance(office.open(), "c-1", Stage.assess, documents, at=OPENED + timedelta(days=10))
    note, then = said("The register was on paper"), OPENED + timedelta(days=2)
    step = casework.advance(office.open(), "c-1", Stage.assess, documents, at=then, note=note)
    assert step.at == OPENED + timedelta(days=2)


# --- signatures


def test_without_a_key_list_the_step_says_that_nobody_signed(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:8])
    note = office.file.steps[-1].note
    assert note is not None
    assert note.en.startswith("Not signed: no key list")


def test_with_a_key_list_two_seats_must_have_signed(office: Office) -> None:
    office.begin()
    seats = Officers(office.open())
    seats.install(office.open())
    office.until(*ALL_OWN[1:7])
    with pytest.raises(StepRefused) as caught:
        office.take(Stage.sign)
    assert [one.name for one in caught.value.missing] == ["signature.directive", "signature.targets"]
    assert "not signed as the key list asks" in caught.value.missing[0].what.en
    for name in ("directive", "targets"):
        document = office.file.current(name)
        assert document is not None
        seats.register(office.open(), document)
    office.take(Stage.sign)
    names = [one.name for one in office.file.steps[-1].documents]
    assert names == ["envelope.directive", "envelope.targets", "key-list", "signature.directive", "signature.targets"]
    assert office.file.steps[-1].note is None
    office.until(*ALL_OWN[8:])


# --- what is in force


def test_a_draft_is_nobodys_newest_until_it_is_published(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:8])
    documents = office.open().stores.documents
    assert documents.latest(Directive, subject=DIRECTIVE) is None
    assert documents.latest(TargetSet, subject=DIRECTIVE) is None
    office.take(Stage.publish)
    published = documents.latest(Directive, subject=DIRECTIVE)
    assert published == office.file.current("directive")
    assert documents.latest(TargetSet, subject=DIRECTIVE) == office.file.current("targets")


def test_a_revoked_directive_is_the_newest_one(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:])
    office.take(Stage.review, review=scheduled(office.clock.now().date(), ReviewVerdict.revoke))
    office.take(Stage.revoke)
    newest = office.open().stores.documents.latest(Directive, subject=DIRECTIVE)
    assert newest is not None
    assert newest.state == "revoked"


def test_an_interim_decision_ends_unless_something_keeps_it_in_force(office: Office) -> None:
    case = office.begin(interim())
    office.until(*road_stages(case)[1:6])
    now = office.clock.now()
    later = now + timedelta(days=365)
    assert casework.interim_expired(office.open(), DIRECTIVE, now) is None
    assert casework.interim_expired(office.open(), DIRECTIVE, later) == case
    assert casework.interim_expired(office.open(), "another", later) is None
    office.until(*road_stages(case)[6:])
    assert casework.interim_expired(office.open(), DIRECTIVE, later) is None


# --- the register frozen at the decision


def test_the_record_printed_later_is_the_record_of_then(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:7])
    then = record_json(office.file)
    office.until(*ALL_OWN[7:])
    late = notified(OPENED.date(), due=OPENED.date() + timedelta(days=9), replied=OPENED.date() + timedelta(days=8))
    office.take(Stage.act, vendor=late)  # a reply that came after
    retracted = replace(contested(2), claims=(replace(contested(2).claims[0], status=ClaimStatus.withdrawn),))
    office.take(Stage.review, evidence=retracted, review=scheduled(office.clock.now().date(), ReviewVerdict.amend))
    office.take(Stage.amend)
    office.until(Stage.sign, Stage.publish)
    assert office.file.current("evidence") != office.file.known[digest_of(json.loads(then), "evidence")]
    assert record_json(office.file) == then
    assert record_json(office.file, office.file.steps[-3].number) != then


def digest_of(record: dict[str, Any], name: str) -> Any:
    found = [one["digest"] for step in record["steps"] for one in step["documents"] if one["name"] == name]
    return found[-1]


# --- files


def test_a_case_goes_out_as_files_and_comes_in_elsewhere_byte_for_byte(office: Office, tmp_path: Path) -> None:
    office.begin()
    office.until(*ALL_OWN[1:9])
    head = casework.export(office.open(), "c-1", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")}
    office.until(*ALL_OWN[9:])
    casework.export(office.open(), "c-1", tmp_path / "out")  # the same folder, brought up to date
    after = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.json")}
    assert before.items() < after.items()
    known = casework.import_(office.open(), tmp_path / "out")
    assert known.steps == office.file.steps
    with pytest.raises(CaseAltered, match="the last step is"):
        casework.import_(office.open(), tmp_path / "out", head=head)


def test_what_was_brought_in_is_whole_and_a_fork_is_refused(office: Office, tmp_path: Path, store: Path) -> None:
    office.begin()
    office.until(*ALL_OWN[1:4])
    casework.export(office.open(), "c-1", tmp_path / "early")
    fork = Story(office.file, office.clock.now())
    fork.take(Stage.vendor)
    from proscribe.decide.files import write_case

    write_case(tmp_path / "fork", fork.file)
    office.until(Stage.impact)
    casework.import_(office.open(), tmp_path / "early")  # older: nothing to add
    assert len(office.file.steps) == 5
    with pytest.raises(casestore.CaseForked, match="before step 5"):
        casework.import_(office.open(), tmp_path / "fork")
    write_case(tmp_path / "other", CaseFile(replace(office.file.case, title=said("Other"))))
    with pytest.raises(casework.CaseExists):
        casework.import_(office.open(), tmp_path / "other")
    write_case(tmp_path / "new", Story(CaseFile(a_case(id="c-3"))).file)
    casework.import_(office.open(), tmp_path / "new")
    assert {file.case.id for file in casework.listed(office.open())} == {"c-1", "c-3"}


def test_steps_from_outside_are_added_and_marked(office: Office, tmp_path: Path) -> None:
    from proscribe.decide.files import write_case

    story = Story(CaseFile(a_case())).until(*ALL_OWN[:5])
    office.clock.advance(days=40)
    write_case(tmp_path / "in", story.file)
    casework.import_(office.open(), tmp_path / "in")
    assert office.file.steps == story.file.steps
    assert {one["event"] for one in office.ledger()} == {"brought_in"}
    office.until(Stage.reviews, Stage.decide)


def test_a_step_taken_out_of_the_database_is_found(office: Office) -> None:
    from proscribe.store.models import DocumentRow

    office.begin()
    office.until(*ALL_OWN[1:5])
    DocumentRow.objects.filter(digest=digest(office.file.steps[2])).delete()
    with pytest.raises(CaseAltered) as caught:
        casework.show(office.open(), "c-1")
    assert caught.value.where.field == "steps.3"


# --- what is due


def test_an_altered_case_stops_its_own_directive_and_no_other(office: Office) -> None:
    from proscribe.store.models import DocumentRow

    office.begin()
    office.until(*ALL_OWN[1:5])
    DocumentRow.objects.filter(digest=digest(office.file.steps[2])).delete()
    with pytest.raises(CaseAltered):
        casework.interim_expired(office.open(), DIRECTIVE, office.clock.now())
    assert casework.interim_expired(office.open(), "another", office.clock.now()) is None


def test_what_is_due_is_listed_oldest_first(office: Office) -> None:
    assert casework.due(office.open(), office.clock.now()) == ()
    office.begin()
    assert casework.due(office.open(), OPENED + timedelta(days=30)) == ()
    (idle,) = casework.due(office.open(), OPENED + timedelta(days=31))
    assert (idle.case, idle.overdue, idle.what.en) == ("c-1", True, "no step for 31 days")
    office.until(*ALL_OWN[1:4])
    until = office.clock.now().date() + timedelta(days=10)
    office.take(Stage.vendor, vendor=notified(office.clock.now().date(), due=until))
    (open_window,) = casework.due(office.open(), office.clock.now())
    assert (open_window.on, open_window.overdue) == (until, False)
    late = casework.due(office.open(), office.clock.now() + timedelta(days=11))
    assert [(one.on, one.overdue) for one in late] == [(until, True)]
    office.clock.advance(days=12)
    office.until(Stage.reviews, Stage.decide)
    assert casework.due(office.open(), office.clock.now()) == ()


def test_ends_of_interim_decisions_and_reviews_are_due(office: Office) -> None:
    case = office.begin(interim())
    office.until(*road_stages(case)[1:6])
    assert casework.due(office.open(), OPENED + timedelta(days=75)) == ()
    (soon,) = casework.due(office.open(), OPENED + timedelta(days=77))
    assert (soon.on, soon.overdue) == (case.interim_until, False)
    (over,) = casework.due(office.open(), OPENED + timedelta(days=91))
    assert over.overdue
    day = office.clock.now().date()
    office.take(Stage.review, review=replace(scheduled(day), next_on=day + timedelta(days=20)))
    found = casework.due(office.open(), office.clock.now() + timedelta(days=10))
    assert [one.what.en for one in found] == ["the decision is due for review"]


# --- drafts


def test_drafts_are_filled_with_what_the_case_knows_and_refused_as_they_are(office: Office) -> None:
    office.begin()
    for name, stage in (("evidence", Stage.assess), ("impact", Stage.impact), ("vendor", Stage.vendor)):
        draft = casedraft.draft(office.open(), "c-1", name)
        with pytest.raises(StepRefused) as caught:
            casework.advance(office.open(ACTORS[stage]), "c-1", stage, {name: draft})
        assert any(one.name.startswith(f"{name}.") or one.name.startswith("stage.") for one in caught.value.missing)
        office.until(*{"evidence": (Stage.assess, Stage.targets), "impact": (Stage.impact,), "vendor": ()}[name])
    office.until(Stage.vendor, Stage.reviews)
    words = casedraft.Words(Text("Chief", "Dirigeant"), (said("A policy"),))
    decision = casedraft.draft(office.open("cio"), "c-1", "decision", words)
    casework.advance(office.open("cio"), "c-1", Stage.decide, {"decision": decision})
    again = casedraft.draft(office.open(), "c-1", "evidence")
    assert getattr(again, "version", None) == 2
    assert isinstance(casedraft.draft(office.open(), "c-1", "review"), Document)
    assert isinstance(casedraft.draft(office.open("privacy"), "c-1", "review.privacy"), Document)


def test_what_cannot_be_drafted_is_said(office: Office) -> None:
    office.begin()
    for name in ("nothing", "decision", "review.taste"):
        with pytest.raises(casedraft.NothingToDraft):
            casedraft.draft(office.open(), "c-1", name)
    with pytest.raises(casedraft.NothingToDraft):
        casedraft.reviewed_targets(office.open(), "c-1", "security")
    casework.attach(office.open(), "c-1", "directive", directive())
    with pytest.raises(casedraft.NothingToDraft, match="targets"):
        casedraft.draft(office.open(), "c-1", "decision")
    targets = casedraft.reviewed_targets(office.open(), "c-1", "security")
    assert (targets.directive, targets.reviewed_by) == (DIRECTIVE, "security")
