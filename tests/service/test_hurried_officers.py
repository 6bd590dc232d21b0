"""A hurried officer: steps dated back, decisions on what nobody reviewed, signatures and notices that were typed.

Each of these got through once. Every one is now refused at its step, naming what is wrong.
"""

from __future__ import annotations

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
    SHIPPED,
    Story,
    a_case,
    directive,
    interim,
    notified,
    register,
    said,
    scheduled,
)
from tests.service.officers import Officers
from tests.service.test_casework import ACTORS, Office
from tests.store.conftest import postgres_server, store, templates

from proscribe.clock import use_clock
from proscribe.decide.files import write_case
from proscribe.decide.model import Case, Claim, ClaimStatus, ReviewVerdict, Stage
from proscribe.decide.process import StepRefused
from proscribe.directive.model import Directive
from proscribe.documents import Document, digest
from proscribe.service import casestore, casework, planning

__all__ = ["postgres_server", "store", "templates"]  # fixtures

EARLY = (Stage.assess, Stage.targets, Stage.decide, Stage.sign, Stage.publish)
LATE = (Stage.impact, Stage.vendor, Stage.reviews)


@pytest.fixture
def office(store: Path) -> Iterator[Office]:
    found = Office(store)
    with use_clock(found.clock):
        yield found


def made_out(document: Any, **changes: object) -> Document:
    """A document with some of its fields changed."""
    changed: Document = replace(document, **changes)
    return changed


class AnotherCase:
    """A second case in the same office, with the documents of the first one made out to it."""

    def __init__(self, office: Office, case: Case) -> None:
        self.office, self.id = office, case.id
        casework.open_case(office.open(), replace(case, opened_at=office.clock.now()))

    def take(self, stage: Stage, **changes: Document) -> None:
        self.office.clock.advance(hours=1)
        story = Story(casestore.load(self.office.open(), self.id), self.office.clock.now())
        made = {**story.made(stage), **changes}
        if "directive" in made:
            made["targets"] = story._targets(made)
        own = {name: made_out(one, case=self.id) if hasattr(one, "case") else one for name, one in made.items()}
        casework.advance(self.office.open(ACTORS[stage]), self.id, stage, own)


def refused(office: Office, stage: Stage, **more: Document) -> list[str]:
    """The names of what is missing when the stage is taken with everything it asks for, made now."""
    documents = {**office.made(stage), **more}
    with pytest.raises(StepRefused) as caught:
        casework.advance(office.open(ACTORS[stage]), "c-1", stage, documents)
    return [one.name for one in caught.value.missing]


# --- time


def test_a_confirmation_dated_back_does_not_bring_an_ended_interim_decision_back(office: Office) -> None:
    office.begin(interim())
    office.until(*EARLY, *LATE)
    made, at = office.made(Stage.confirm), office.clock.now()
    office.clock.advance(days=120)
    with pytest.raises(StepRefused) as caught:
        casework.advance(office.open("cio"), "c-1", Stage.confirm, made, at=at)
    assert "case.interim_until" in {one.name for one in caught.value.missing}
    assert casework.interim_expired(office.open(), DIRECTIVE, office.clock.now()) is not None


def test_a_confirmation_dated_back_is_not_brought_in_from_files_either(office: Office, tmp_path: Path) -> None:
    office.begin(interim())
    office.until(*EARLY, *LATE)
    story = Story(office.file, office.clock.now())
    story.take(Stage.confirm, at=office.clock.now() + timedelta(days=1))
    write_case(tmp_path / "case", story.file)
    office.clock.advance(days=120)
    with pytest.raises(StepRefused):
        casework.import_(office.open("cio"), tmp_path / "case")
    assert casework.interim_expired(office.open(), DIRECTIVE, office.clock.now()) is not None


def test_steps_of_the_future_are_not_brought_in(office: Office, tmp_path: Path) -> None:
    office.begin()
    office.until(*ALL_OWN[1:3])
    casework.export(office.open(), "c-1", tmp_path / "case")
    story = Story(office.file, office.clock.now())
    story.take(Stage.impact, at=office.clock.now() + timedelta(days=30))
    write_case(tmp_path / "case", story.file)
    with pytest.raises(casework.FutureStep):
        casework.import_(office.open("cio"), tmp_path / "case")
    assert len(office.file.steps) == 3


def test_one_interim_decision_does_not_follow_another(office: Office) -> None:
    office.begin(interim())
    office.until(*EARLY)
    office.clock.advance(days=85)
    again = interim(id="c-2", opened_at=office.clock.now())
    again = replace(again, interim_until=office.clock.now().date() + timedelta(days=90))
    second = AnotherCase(office, again)
    second.take(Stage.assess)
    second.take(Stage.targets, directive=directive(version=2, effective=again.interim_until))
    with pytest.raises(StepRefused) as caught:
        second.take(Stage.decide)
    assert [one.name for one in caught.value.missing] == ["case.track"]


def test_a_step_that_is_dated_back_says_why(office: Office) -> None:
    office.begin()
    office.clock.advance(days=9)
    documents = office.made(Stage.assess)
    with pytest.raises(StepRefused) as caught:
        casework.advance(office.open(), "c-1", Stage.assess, documents, at=OPENED + timedelta(days=2))
    assert [one.name for one in caught.value.missing] == ["step.note"]
    note = said("The register was written on paper")
    step = casework.advance(office.open(), "c-1", Stage.assess, documents, at=OPENED + timedelta(days=2), note=note)
    assert step.at == OPENED + timedelta(days=2)


# --- what is decided on


def test_reviews_of_one_directive_are_no_reviews_of_another(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:6])
    office.take(Stage.targets, directive=directive(version=2), targets=targets_for(office, directive(version=2)))
    office.clock.advance(days=1)
    names = refused(office, Stage.decide)
    assert "review.privacy" in names
    assert "impact" in names
    office.until(Stage.impact, Stage.vendor, Stage.reviews, Stage.decide)


def targets_for(office: Office, new: Directive) -> Document:
    story = Story(office.file, office.clock.now())
    return story._targets({"directive": new})


def test_a_claim_that_the_vendor_never_saw_is_put_to_it_first(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:4])
    day = office.clock.now().date()
    office.take(Stage.vendor, vendor=notified(day, due=day + timedelta(days=2)))
    office.take(Stage.reviews)
    office.clock.advance(days=5)
    first = register()
    more = Claim(id="home", text=said("It calls home"), status=ClaimStatus.asserted)
    item = replace(first.items[0], id="e2", supports=("home",), title=said("Another report"))
    wider = replace(first, version=2, items=(*first.items, item), claims=(*first.claims, more))
    documents = office.made(Stage.decide)
    documents["evidence"] = wider
    documents["decision"] = made_out(documents["decision"], evidence=digest(wider))
    assert refused(office, Stage.decide, **documents) == ["vendor.claims.home"]


def test_an_amendment_keeps_the_id_so_that_its_end_is_not_lost(office: Office) -> None:
    office.begin(interim(directive=""))
    office.until(*EARLY)
    office.take(Stage.review, review=scheduled(office.clock.now().date(), ReviewVerdict.amend))
    office.clock.advance(days=1)
    other = replace(directive(version=2), id="ca-2026-other")
    documents = office.made(Stage.amend)
    documents["directive"] = other
    documents["targets"] = targets_for(office, other)
    documents["decision"] = made_out(
        documents["decision"], directive=digest(other), targets=digest(documents["targets"])
    )
    assert "directive.id" in refused(office, Stage.amend, **documents)


def test_another_case_does_not_put_other_words_in_force_under_the_same_version(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:9])
    assert office.open().stores.documents.latest(Directive, subject=DIRECTIVE) == directive()
    second = AnotherCase(office, a_case(id="c-2"))
    for stage in ALL_OWN[1:6]:
        words = {"directive": replace(directive(), title=said("Something else"))} if stage is Stage.targets else {}
        second.take(stage, **words)
    with pytest.raises(StepRefused) as caught:
        second.take(Stage.decide)
    assert [one.name for one in caught.value.missing] == ["directive.version"]


def test_what_a_case_decided_comes_before_what_is_shipped_and_what_was_only_planned(office: Office) -> None:
    office.begin(a_case(directive=SHIPPED))
    decided = directive(version=9, id=SHIPPED)
    office.take(Stage.assess)
    office.take(Stage.targets, directive=decided, targets=targets_for(office, decided))
    assert planning.known_directive(office.open(), SHIPPED).version < 9
    office.until(*ALL_OWN[3:9])
    assert planning.known_directive(office.open(), SHIPPED) == decided
    typed = directive(version=10, id=SHIPPED)
    office.open().stores.documents.put(typed, subject=SHIPPED, at=office.clock.now())
    assert planning.known_directive(office.open(), SHIPPED) == decided


# --- what is signed and said


def test_a_typed_verification_is_no_signature(office: Office) -> None:
    office.begin()
    Officers(office.open()).install(office.open())
    office.until(*ALL_OWN[1:7])
    story = Story(office.file, office.clock.now())
    for of in ("directive", "targets"):
        casework.attach(office.open("cio"), "c-1", f"signature.{of}", story._signature(of, {}))
    assert refused(office, Stage.sign) == ["signature.directive", "signature.targets"]


def test_without_a_key_list_a_typed_verification_is_none_either(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:7])
    story = Story(office.file, office.clock.now())
    casework.attach(office.open("cio"), "c-1", "signature.directive", story._signature("directive", {}))
    assert refused(office, Stage.sign) == ["signature.directive"]


def test_a_notice_with_words_of_ones_own_is_not_published(office: Office) -> None:
    office.begin()
    office.until(*ALL_OWN[1:8])
    documents = office.made(Stage.publish)
    typed = made_out(documents["notice.public"], lead=said("The vendor steals"))
    casework.attach(office.open("case-officer"), "c-1", "notice.public", typed)
    rest = {name: one for name, one in documents.items() if name != "notice.public"}
    with pytest.raises(StepRefused) as caught:
        casework.advance(office.open("case-officer"), "c-1", Stage.publish, rest)
    assert [one.name for one in caught.value.missing] == ["notice.public"]
