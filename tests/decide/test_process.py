"""The state machine: leave out any one document, and the case stops at that stage and names it; with all, it passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.decide.conftest import (
    ALL_OWN,
    OPENED,
    Story,
    a_case,
    adopted,
    contested,
    directive,
    interim,
    notified,
    register,
    road_stages,
    said,
    scheduled,
)

from proscribe.decide.file import CaseFile
from proscribe.decide.model import Case, Decision, Origin, ReviewOpinion, ReviewOutcome, ReviewVerdict, Stage, Track
from proscribe.decide.needs import before, needed, stages
from proscribe.decide.process import CaseAltered, StepRefused, expired, next_stages, replay, stage_of, verify_chain
from proscribe.directive.model import ActionVerb, RequiredAction

CASES = {
    "standard": a_case(),
    "interim": interim(),
    "partner": adopted(Origin.partner),
    "feed": adopted(Origin.feed),
    "interim feed": interim(origin=Origin.feed, received=adopted(Origin.feed).received),
}
LEFT_OUT = [
    (kind, stage, need.name)
    for kind, case in CASES.items()
    for stage in road_stages(case)
    for need in needed(case, stage)
    if not need.optional
]


def refused(story: Story, stage: Stage, changes: Any = None, **more: Any) -> dict[str, str]:
    """What is missing at a stage, by name."""
    before = story.now
    with pytest.raises(StepRefused) as caught:
        story.take(stage, changes, **more)
    story.now = before
    assert caught.value.stage is stage
    for one in caught.value.missing:
        assert one.name in caught.value.what.en
        assert one.name in caught.value.what.fr
        assert one.what.fr in caught.value.what.fr
    return {one.name: one.what.en for one in caught.value.missing}


@pytest.mark.parametrize("kind", CASES)
def test_a_case_with_everything_goes_all_the_way(kind: str, story: Callable[..., Story]) -> None:
    case = CASES[kind]
    one = story(case).until(*road_stages(case))
    assert tuple(step.stage for step in one.file.steps) == road_stages(case)
    assert set(stages(case)) == set(road_stages(case))
    replay(one.file)


@pytest.mark.parametrize(("kind", "stage", "name"), LEFT_OUT, ids=str)
def test_one_document_left_out_stops_the_case_there_and_is_named(
    kind: str, stage: Stage, name: str, story: Callable[..., Story]
) -> None:
    case = CASES[kind]
    order = road_stages(case)
    one = story(case).until(*order[: order.index(stage)])
    assert name in refused(one, stage, {name: None})
    one.until(*order[order.index(stage) :])  # and with it, everything passes


@pytest.mark.parametrize("kind", CASES)
def test_no_stage_can_be_left_out(kind: str, story: Callable[..., Story]) -> None:
    case = CASES[kind]
    order = road_stages(case)
    for index, stage in enumerate(order):
        for skipped in before(case, stage):
            one = story(case).until(*(each for each in order[:index] if each not in _from(case, skipped)))
            assert f"stage.{skipped}" in refused(one, stage)
    assert all(before(case, stage) for stage in order[1:])


def _from(case: Case, stage: Stage) -> set[Stage]:
    """A stage and all that come after it."""
    found = {stage}
    for _ in Stage:
        found |= {one for one in stages(case) if found & set(before(case, one))}
    return found


def test_everything_that_is_missing_is_listed_at_once(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:5])
    names = refused(one, Stage.reviews, {f"review.{kind}": None for kind in ("privacy", "legal", "records")})
    assert set(names) == {"review.privacy", "review.legal", "review.records"}
    assert len(refused(one, Stage.decide, {"decision": None})) == 2  # the stage before it, and the document


def test_the_words_are_there_in_both_languages(story: Callable[..., Story]) -> None:
    with pytest.raises(StepRefused) as caught:
        story().take(Stage.assess)
    assert "stage 'assess' is refused: 1 thing is missing" in caught.value.what.en
    assert "étape «\u00a0évaluation\u00a0» refusée\u00a0: 1 élément manque" in caught.value.what.fr


def test_stages_before_a_decision_may_be_gone_through_again_and_not_after(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:4])
    assert Stage.assess in next_stages(one.file.case, one.file.steps)
    one.take(Stage.assess, {"evidence": contested()})
    one.until(*ALL_OWN[4:7])
    assert next_stages(one.file.case, one.file.steps) == (Stage.sign, Stage.review)
    assert "stage.assess" in refused(one, Stage.assess, {"evidence": contested(3)})


def test_departments_come_in_one_after_the_other(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN)
    made = one.made(Stage.acknowledge)
    one.take(Stage.acknowledge, {"acknowledgement": None, "acknowledgement.charts": made["acknowledgement"]})
    assert stage_of(one.file.steps) is Stage.acknowledge
    assert Stage.attest in next_stages(one.file.case, one.file.steps)


# --- the interim track


def test_the_interim_track_acts_first_and_is_heard_after(story: Callable[..., Story]) -> None:
    one = story(interim()).until(Stage.intake, Stage.assess, Stage.targets)
    assert Stage.decide in next_stages(one.file.case, one.file.steps)
    one.until(Stage.decide, Stage.sign, Stage.publish)
    assert set(next_stages(one.file.case, one.file.steps)) >= {Stage.acknowledge, Stage.impact}
    assert "stage.reviews" in refused(one, Stage.confirm)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"urgency": None}, "case.urgency"),
        ({"urgency": replace(said("x"), fr=" ")}, "case.urgency"),
        ({"interim_until": None}, "case.interim_until"),
        ({"interim_until": OPENED.date()}, "case.interim_until"),
        ({"interim_until": OPENED.date() + timedelta(days=366)}, "case.interim_until"),
        ({"track": Track.standard}, "case.track"),
        ({"concern": replace(said("x"), en="")}, "case.concern"),
        ({"opened_by": " "}, "case.opened_by"),
        ({"origin": Origin.feed}, "case.received"),
    ],
)
def test_an_interim_case_says_why_it_cannot_wait_and_when_it_ends(
    changes: dict[str, Any], name: str, story: Callable[..., Story]
) -> None:
    assert name in refused(story(replace(interim(), **changes)), Stage.intake, at=OPENED)


def test_an_interim_decision_ends_by_itself(story: Callable[..., Story]) -> None:
    case = interim()
    one = story(case).until(*road_stages(case)[:6])
    last = case.interim_until
    assert last is not None
    on_the_day = OPENED.replace(year=last.year, month=last.month, day=last.day, hour=23, minute=59)
    assert not expired(case, one.file.steps, on_the_day)
    assert expired(case, one.file.steps, on_the_day + timedelta(minutes=2))
    assert not expired(case, one.file.steps[:3], on_the_day + timedelta(days=2)), "nothing was decided yet"
    assert not expired(replace(case, track=Track.standard), one.file.steps, on_the_day + timedelta(days=2))
    assert "case.interim_until" in refused(one, Stage.acknowledge, at=on_the_day + timedelta(days=1))
    one.take(Stage.review, {"review": scheduled(last, ReviewVerdict.revoke)}, at=on_the_day + timedelta(days=1))
    one.take(Stage.revoke)


def test_a_confirmed_decision_stands(story: Callable[..., Story]) -> None:
    case = interim()
    one = story(case).until(*road_stages(case))
    assert not expired(case, one.file.steps, OPENED + timedelta(days=4000))
    confirmation = one.file.current("decision")
    assert isinstance(confirmation, Decision)
    assert confirmation.interim_until is None
    assert len(confirmation.reviews) == 5


def test_a_window_that_closes_before_removal_begins_is_kept_open(story: Callable[..., Story]) -> None:
    """BOD 17-01: decided on 13 September 2017, replies until 3 November, removal from 12 December."""
    begins = OPENED.date() + timedelta(days=40)
    removal = RequiredAction(ActionVerb.remove, said("Begin"), by=begins)
    text = directive(actions=(removal,))
    one = story(interim()).until(Stage.intake, Stage.assess)
    targets = one.made(Stage.targets)
    one.take(Stage.targets, {**targets, "directive": text})
    one.until(Stage.decide, Stage.sign, Stage.publish, Stage.acknowledge, Stage.impact)
    due = one.now.date() + timedelta(days=20)
    one.take(Stage.vendor, {"vendor": notified(one.now.date(), due=due)})
    assert "may reply until" in refused(one, Stage.act)["vendor.reply"]
    one.until(Stage.reviews)
    assert "may still reply" in refused(one, Stage.confirm)["vendor.reply"]
    later = one.now + timedelta(days=15)
    one.take(
        Stage.vendor,
        {"vendor": notified(OPENED.date(), due=due, replied=later.date()), "evidence": contested()},
        at=later,
    )
    one.until(Stage.confirm, Stage.act, Stage.attest)


# --- the vendor on the standard track


def test_the_vendor_is_heard_before_a_standard_decision(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:4])
    due = one.now.date() + timedelta(days=30)
    one.take(Stage.vendor, {"vendor": notified(one.now.date(), due=due)})
    one.until(Stage.reviews)
    assert set(refused(one, Stage.decide)) == {"vendor.reply"}
    one.now = OPENED + timedelta(days=50)
    one.until(Stage.decide)  # the day has passed without a reply


def test_each_contested_claim_is_answered(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:4])
    day = one.now.date()
    record = notified(day, due=day + timedelta(days=9), replied=day + timedelta(days=1))
    one.take(Stage.vendor, {"vendor": replace(record, responses=()), "evidence": contested()})
    one.until(Stage.reviews)
    assert set(refused(one, Stage.decide)) == {"vendor.responses.reach"}
    one.take(Stage.vendor, {"vendor": record})
    one.until(Stage.decide)


# --- what a decision rests on


@pytest.mark.parametrize("name", ["directive", "targets", "evidence", "impact", "vendor"])
def test_a_decision_names_what_the_case_holds(name: str, story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:6])
    made = one.made(Stage.decide)["decision"]
    assert isinstance(made, Decision)
    wrong = replace(made, **{name: "sha256:" + "0" * 64}, at=one.now + timedelta(days=1))
    assert set(refused(one, Stage.decide, {"decision": wrong})) == {f"decision.{name}"}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"reviews": ()}, "decision.reviews"),
        ({"legal_basis": ()}, "decision.legal_basis"),
        ({"stated_reasons": ()}, "decision.stated_reasons"),
        ({"role": ""}, "decision.role"),
        ({"track": Track.interim}, "decision.track"),
        ({"interim_until": OPENED.date()}, "decision.interim_until"),
        ({"at": OPENED}, "decision.at"),
        ({"case": "c-2"}, "decision.case"),
        ({"compromise_found": "confirmed", "compromise_basis": None}, "decision.compromise_basis"),
        ({"compromise_found": "alleged"}, "decision.compromise_found"),
    ],
)
def test_a_decision_is_complete(changes: dict[str, Any], name: str, story: Callable[..., Story]) -> None:
    from proscribe.directive.model import Compromise

    one = story().until(*ALL_OWN[:6])
    made = one.made(Stage.decide)["decision"]
    assert isinstance(made, Decision)
    if "compromise_found" in changes:
        changes = {**changes, "compromise_found": Compromise(changes["compromise_found"])}
    wrong = replace(made, **{"at": one.now + timedelta(days=1), **changes})
    assert name in refused(one, Stage.decide, {"decision": wrong})


def test_reasons_and_context_are_apart_and_the_directive_says_no_more(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:6])
    made = one.made(Stage.decide)["decision"]
    assert isinstance(made, Decision)
    made = replace(made, at=one.now + timedelta(days=1))
    mixed = replace(made, analyst_context=made.stated_reasons[:1])
    assert set(refused(one, Stage.decide, {"decision": mixed})) == {"decision.analyst_context"}
    fewer = replace(made, stated_reasons=made.stated_reasons[:1])
    assert set(refused(one, Stage.decide, {"decision": fewer})) == {"directive.stated_reasons"}


def test_an_unfavourable_review_is_answered(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:5])
    opinion = one.made(Stage.reviews)["review.privacy"]
    assert isinstance(opinion, ReviewOpinion)
    against = replace(opinion, outcome=ReviewOutcome.unfavourable, on=OPENED.date())
    one.take(Stage.reviews, {"review.privacy": against})
    assert set(refused(one, Stage.decide)) == {"decision.answers"}
    made = one.made(Stage.decide)["decision"]
    assert isinstance(made, Decision)
    answered = replace(made, answers=(said("Counts only"),), at=one.now + timedelta(days=1))
    one.take(Stage.decide, {"decision": answered})


def test_conditions_are_named(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:5])
    opinion = one.made(Stage.reviews)["review.legal"]
    assert isinstance(opinion, ReviewOpinion)
    vague = replace(opinion, outcome=ReviewOutcome.with_conditions)
    assert "review.legal.conditions" in refused(one, Stage.reviews, {"review.legal": vague})
    elsewhere = {"review.legal": one.made(Stage.reviews)["review.privacy"]}
    assert "review.legal.review" in refused(one, Stage.reviews, elsewhere)


def test_nothing_takes_effect_before_it_is_decided(story: Callable[..., Story]) -> None:
    one = story().until(Stage.intake, Stage.assess)
    early, unsaid = directive(effective=OPENED.date()), directive(effective=None)
    for text in (early, unsaid):
        targets: Any = one.made(Stage.targets)["targets"]
        one.take(Stage.targets, {"directive": text, "targets": replace(targets, directive_version=1)})
        one.until(Stage.impact, Stage.vendor, Stage.reviews)
        assert set(refused(one, Stage.decide)) == {"directive.effective"}


def test_a_decision_may_be_looked_at_again_before_it_is_published(story: Callable[..., Story]) -> None:
    """A directive that no notice can be made of, say, is amended and not stuck."""
    one = story().until(*ALL_OWN[:7])
    one.take(Stage.review, {"review": scheduled(one.now.date(), ReviewVerdict.amend)})
    one.until(Stage.amend, Stage.sign, Stage.publish)


def test_targets_are_approved_by_a_person(story: Callable[..., Story]) -> None:
    one = story().until(Stage.intake, Stage.assess)
    targets: Any = one.made(Stage.targets)["targets"]
    assert "targets.reviewed_by" in refused(one, Stage.targets, {"targets": replace(targets, reviewed_by="")})
    assert "targets.targets" in refused(one, Stage.targets, {"targets": replace(targets, targets=())})
    assert "targets.directive" in refused(one, Stage.targets, {"targets": replace(targets, directive_version=7)})
    assert "directive.id" in refused(one, Stage.targets, {"directive": directive(id="another")})


def test_what_is_not_known_is_listed(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:3])
    impact: Any = one.made(Stage.impact)["impact"]
    assert "impact.not_known" in refused(one, Stage.impact, {"impact": replace(impact, not_known=())})
    assert "impact.at" in refused(one, Stage.impact, {"impact": replace(impact, at=OPENED + timedelta(days=99))})


def test_a_wrong_kind_and_a_misspelt_name_are_refused(story: Callable[..., Story]) -> None:
    one = story().until(Stage.intake)
    assert refused(one, Stage.assess, {"evidence": directive()})["evidence"].startswith("it is a proscribe.directive")
    assert "evidense" in refused(one, Stage.assess, {"evidense": register()})
    assert "more.A b" in refused(one, Stage.assess, {"more.A b": register()})
    one.take(Stage.assess, {"more.minutes": directive()})


def test_where_nobody_signs_the_step_says_so(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:7])
    both = frozenset({"signature.directive", "signature.targets"})
    nothing = dict.fromkeys(both)
    assert set(refused(one, Stage.sign, nothing)) == both
    assert set(refused(one, Stage.sign, nothing, unsigned=both)) == {"step.note"}
    one.take(Stage.sign, nothing, unsigned=both, note=said("No key list"))
    replay(one.file)


def test_one_seat_of_two_is_not_enough(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:7])
    whole: Any = one.made(Stage.sign)["signature.targets"]
    half = replace(whole, signatures=whole.signatures[:1])
    assert "1/2" in refused(one, Stage.sign, {"signature.targets": half})["signature.targets"]


def test_a_step_is_dated_after_the_one_before(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:3])
    assert "step.at" in refused(one, Stage.impact, at=one.now - timedelta(seconds=1))


# --- afterwards


def test_an_amendment_is_signed_published_and_carried_out_anew(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN)
    assert "review.verdict" in refused(one.until(Stage.review), Stage.amend)
    one.take(Stage.review, {"review": scheduled(one.now.date(), ReviewVerdict.amend)})
    old: Any = one.file.current("directive")
    assert "directive.version" in refused(one, Stage.amend, {"directive": replace(old, title=said("Another"))})
    one.take(Stage.amend)
    assert next_stages(one.file.case, one.file.steps) == (Stage.sign, Stage.review)
    one.until(Stage.sign, Stage.publish, Stage.acknowledge, Stage.act, Stage.attest, Stage.review)
    newest: Any = one.file.current("directive")
    assert newest.version == 2
    replay(one.file)


def test_a_superseded_case_is_closed(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN)
    one.take(Stage.review, {"review": scheduled(one.now.date(), ReviewVerdict.supersede)})
    assert "successor.supersedes" in refused(one, Stage.supersede, {"successor": directive(id="other")})
    assert "successor" in refused(one, Stage.supersede, {"successor": None})
    one.take(Stage.supersede)
    assert next_stages(one.file.case, one.file.steps) == ()
    assert "case" in refused(one, Stage.review)


@pytest.mark.parametrize("name", [need.name for need in needed(a_case(), Stage.revoke) if not need.optional])
def test_a_revocation_is_complete_too(name: str, story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN)
    one.take(Stage.review, {"review": scheduled(one.now.date(), ReviewVerdict.revoke)})
    assert name in refused(one, Stage.revoke, {name: None})
    assert "directive.state" in refused(one, Stage.revoke, {"directive": directive(9)})
    one.take(Stage.revoke)
    assert next_stages(one.file.case, one.file.steps) == ()


# --- the chain


def test_a_step_changed_taken_out_or_moved_breaks_the_chain(story: Callable[..., Story]) -> None:
    one = story().until(*ALL_OWN[:6])
    steps = one.file.steps
    verify_chain(one.file.case, steps)
    for number, broken in {
        3: (*steps[:1], replace(steps[1], by="deputy"), *steps[2:]),
        2: (steps[0], *steps[2:]),
        4: (*steps[:3], steps[4], steps[3], steps[5]),
        1: (replace(steps[0], case="c-2"), *steps[1:]),
    }.items():
        with pytest.raises(CaseAltered) as caught:
            verify_chain(one.file.case, broken)
        assert caught.value.where.field == f"steps.{number}"
    with pytest.raises(CaseAltered) as caught:
        verify_chain(replace(one.file.case, title=said("Other")), steps)
    assert caught.value.where.field == "steps.1"


def test_a_chain_of_steps_that_could_not_be_taken_is_refused(story: Callable[..., Story]) -> None:
    from proscribe.documents import digest

    one = story().until(*ALL_OWN[:7])
    skipped = [*one.file.steps[:5], one.file.steps[6]]  # no reviews, and the chain made good again
    skipped[5] = replace(skipped[5], number=6, previous=digest(skipped[4]))
    with pytest.raises(CaseAltered, match=r"it could not have been taken: stage\.reviews"):
        replay(CaseFile(one.file.case, tuple(skipped), one.file.known))
    gone = {key: value for key, value in one.file.known.items() if key != one.of("evidence")}
    with pytest.raises(CaseAltered, match="documents are not there: evidence"):
        replay(CaseFile(one.file.case, one.file.steps, gone))


def test_only_what_comes_next_can_be_taken(story: Callable[..., Story]) -> None:
    for case in (a_case(), interim()):
        one: Story = story(case)
        for stage in road_stages(case):
            for other in set(Stage) - set(next_stages(case, one.file.steps)):
                with pytest.raises(StepRefused):
                    Story(one.file, one.now).take(other)
            one.until(stage)
