"""What a notice says to whom, and what it never says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from proscribe.decide.model import ClaimStatus, Track
from proscribe.directive.library import find, shipped
from proscribe.directive.model import ActionVerb, Compromise, Force, Stance, State
from proscribe.documents import digest, from_json, to_bytes, to_json
from proscribe.publish.notices.compose import compose
from proscribe.publish.notices.gaps import texts
from proscribe.publish.notices.markdown import markdown
from proscribe.publish.notices.model import Audience, Contact, Notice, NoticeIncomplete, NoticeMismatch
from proscribe.publish.notices.words import COMPROMISE
from proscribe.text import Text


def said(notice: Notice) -> str:
    """Everything a notice says, in both languages."""
    return "\n".join(f"{text.en}\n{text.fr}" for _, text in texts("", notice))


def section(notice: Notice, name: str):
    return next(one for one in notice.sections if one.name == name)


def facts(notice: Notice, name: str) -> dict[str, list[str]]:
    return {one.label.en: [value.en for value in one.values] for one in section(notice, name).facts}


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("directive", shipped(), ids=lambda one: one.id)
def test_every_shipped_directive_gives_every_notice_whole(directive, audience, make):
    notice = make(audience, directive)
    assert [one.name for one in notice.sections if one.name == "ask"] == ["ask"]
    words = said(notice)
    for item in directive.items:
        assert item.wording.en in words
        assert item.wording.fr in words
    for reason in directive.stated_reasons:
        assert reason.en in words
        assert reason.fr in words
    harm = COMPROMISE[directive.compromise_found]
    assert harm.en in words
    assert harm.fr in words
    assert from_json(Notice, to_json(notice)) == notice


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("directive", shipped(), ids=lambda one: one.id)
def test_what_analysts_and_others_say_is_in_no_notice(directive, audience, make):
    marked = replace(
        directive,
        analyst_context=(Text("Zanzibar zebra", "Zanzibar zèbre"), *directive.analyst_context),
        vendor_response=Text("Quixotic quagga", "Quixotique quagga"),
        compromise_basis=Text("Vexing vulture", "Vexant vautour"),
        partners=(Text("Jumbled jackal", "Joyeux jackal"),),
        unverified=(Text("Wobbly walrus", "Wobbly walrus morse"),),
    )
    words = said(make(audience, marked))
    assert not re.search("Zanzibar|Quixot|Vexin|Vexant|Jumbled|Joyeux|Wobbly", words)
    secret = [*directive.analyst_context, *directive.unverified, *(one.reading for one in directive.ambiguities)]
    for text in secret:
        assert text.en not in words
        assert text.fr not in words


@pytest.mark.parametrize("audience", Audience)
def test_the_reasons_are_those_of_the_decision_and_no_others(directive, decide, make, audience):
    decision = decide(directive, analyst_context=(Text("Ties abroad", "Liens à l'étranger"),))
    notice = make(audience, directive, decision)
    words = said(notice)
    assert section(notice, "why").points == decision.stated_reasons
    assert "Ties abroad" not in words
    assert directive.stated_reasons[0].en not in words
    assert notice.decision == digest(decision)
    assert notice.at == decision.at


@pytest.mark.parametrize("found", Compromise)
def test_whether_harm_is_claimed_is_said_in_plain_words(directive, decide, make, found):
    notice = make(Audience.public, directive, decide(directive, compromise_found=found))
    assert section(notice, "why").closing == (COMPROMISE[found],)


def test_no_claim_of_harm_where_none_was_made():
    assert COMPROMISE[Compromise.none_stated].en.startswith("The authority does not say that any information was lost")
    assert len({text.en for text in COMPROMISE.values()}) == len(Compromise)


def test_an_interim_decision_says_when_it_ends(directive, decide, make):
    decision = decide(directive, track=Track.interim, interim_until=date(2024, 1, 31))
    for audience in (Audience.public, Audience.staff, Audience.departments):
        assert "It ends on 31\u00a0January\u00a02024 unless it is confirmed" in said(
            make(audience, directive, decision)
        )
    vendor = make(Audience.vendor, directive, decision)
    assert "interim" in vendor.label.en
    assert "Reply by 20\u00a0November\u00a02023" in said(vendor)
    confirmed = make(Audience.public, directive, replace(decision, interim_until=None))
    assert "interim" not in said(confirmed)


# ---- staff -----------------------------------------------------------------------------------------------------------


def test_staff_are_told_in_an_order_that_helps(directive, make):
    names = [one.name for one in make(Audience.staff, directive).sections]
    assert names == [
        *("what", "why", "by-when", "save", "do", "instead", "exemption", "looked-at", "not-looked-at", "ask"),
    ]


def test_the_day_to_save_by_is_that_of_the_first_removal(directive, make):
    saving = section(make(Audience.staff, directive), "save")
    assert saving.paragraphs[-1].en == "Save what you need by 30\u00a0October\u00a02023."
    early = replace(directive, effective=date(2023, 10, 1))
    removal = replace(early.actions[0], by=date(2023, 10, 10))
    passed = section(make(Audience.staff, replace(early, actions=(removal,))), "save")
    assert passed.paragraphs[-1].en == "The last day has passed. Save now what you need."


def test_staff_are_told_what_is_done_to_devices_and_not_a_departments_paperwork(make):
    directive = find("us-omb-m-23-13")
    shown = [row[0] for row in section(make(Audience.staff, directive), "by-when").table.rows]
    paper = {ActionVerb.contract_terms, ActionVerb.exception_process, ActionVerb.identify}
    assert shown == [one.what for one in directive.actions if one.verb not in paper]
    only_paper = replace(directive, actions=tuple(one for one in directive.actions if one.verb in paper))
    shown = section(make(Audience.staff, only_paper), "by-when").table.rows
    assert len(shown) == len(only_paper.actions)


def test_alternatives_are_named_or_their_absence_is(directive, make):
    assert "No replacement has been named" in section(make(Audience.staff, directive), "instead").paragraphs[0].en
    named = (Text("The approved messenger", "La messagerie approuvée"),)
    assert section(make(Audience.staff, directive, alternatives=named), "instead").points == named


def test_what_is_kept_of_other_apps_is_said_as_it_is(directive, make):
    assert "only a count is kept" in said(make(Audience.staff, directive))
    words = said(make(Audience.staff, directive, all_apps_kept=True))
    assert "only a count" not in words
    assert "the list of all apps" in words


@pytest.mark.parametrize("byod", Stance)
def test_personal_devices_are_spoken_of_as_the_decision_does(directive, make, byod):
    changed = replace(directive, applies=replace(directive.applies, byod=byod))
    words = said(make(Audience.staff, changed))
    assert ("Personal devices. The decision does not cover them." in words) == (byod is Stance.excluded)
    assert ("does not say whether it covers personal devices" in words) == (byod is Stance.unstated)


def test_a_recommendation_asks_and_does_not_order(make):
    directive = find("no-jd-2023-tiktok-telegram")
    assert directive.force is Force.recommended
    assert section(make(Audience.staff, directive), "do").points[0].en.startswith("You are asked")
    department = make(Audience.departments, directive)
    assert "is asked to do" in department.lead.en
    assert "does not comply" not in said(department)


# ---- departments -----------------------------------------------------------------------------------------------------


def test_departments_get_every_action_with_its_day(make):
    directive = find("us-dhs-bod-17-01")
    table = section(make(Audience.departments, directive), "actions").table
    assert [row[1].en for row in table.rows] == [
        "13\u00a0October\u00a02017 (30\u00a0days)",
        "12\u00a0November\u00a02017 (60\u00a0days)",
        "12\u00a0December\u00a02017 (90\u00a0days)",
    ]
    assert len(table.columns) == 2  # nothing is said of the standard, so there is no column for it


def test_a_day_is_counted_where_only_a_number_of_days_is_given(make):
    directive = find("us-dhs-bod-17-01")
    first = replace(directive.actions[0], by=None, time_zone="America/New_York")
    table = section(make(Audience.departments, replace(directive, actions=(first,))), "actions").table
    assert table.rows[0][1].en == "13\u00a0October\u00a02017 (30\u00a0days), time zone America/New_York"


def test_departments_are_told_what_to_acknowledge_and_attest_by_when(directive, make):
    notice = make(Audience.departments, directive)
    assert section(notice, "acknowledge").paragraphs[0].en.endswith("by 30\u00a0October\u00a02023.")
    assert section(notice, "attest").paragraphs[0].fr.endswith("au plus tard le 15\u00a0décembre\u00a02023.")
    with pytest.raises(NoticeIncomplete) as caught:
        make(Audience.departments, directive, acknowledge_by=None, attest_by=None)
    assert [one.field for one in caught.value.gaps] == ["acknowledge_by", "attest_by"]


def test_exemptions_are_those_the_decision_names(make):
    directive = find("us-omb-m-23-13")
    found = facts(make(Audience.departments, directive), "exemptions")
    assert found["Grounds"] == [one.en for one in directive.exceptions.grounds]
    assert found["May be delegated"] == ["Yes"]
    assert "never covers a whole organisation" in said(make(Audience.departments, directive))
    blanket = replace(directive, exceptions=replace(directive.exceptions, blanket_allowed=True))
    assert "never covers a whole organisation" not in said(make(Audience.departments, blanket))
    none = make(Audience.departments, find("ca-tbs-2023-tiktok"))
    assert "sets out no process" in section(none, "exemptions").paragraphs[0].en


# ---- vendor ----------------------------------------------------------------------------------------------------------


def test_a_vendor_is_asked_before_anything_is_decided(directive, evidence, make):
    draft = replace(directive, state=State.draft)
    notice = make(Audience.vendor, draft, evidence=evidence, case="2023-11")
    assert notice.decision is None
    assert "before a decision" in notice.label.en
    assert notice.title == Text(f"Proposed: {directive.title.en}", f"Proposition\u00a0: {directive.title.fr}")
    assert section(notice, "proposal").paragraphs[0].en == "No decision has been taken yet."
    reply = section(notice, "reply")
    assert reply.paragraphs[0].en.startswith("Reply by 20\u00a0November\u00a02023")
    assert any("2023-11" in one.en for one in reply.points)
    assert "decided_by" not in said(notice)
    assert directive.authority.decided_by.en not in said(notice)
    for audience in (Audience.public, Audience.staff, Audience.departments):
        with pytest.raises(NoticeIncomplete) as caught:
            make(audience, draft)
        assert [one.field for one in caught.value.gaps] == ["decision"]


def test_a_proposal_may_have_no_day_of_effect_yet(directive, make):
    proposed = facts(make(Audience.vendor, replace(directive, effective=None)), "proposal")
    assert "Planned from" not in proposed
    assert facts(make(Audience.vendor, directive), "proposal")["Planned from"] == ["30\u00a0October\u00a02023"]


def test_a_vendor_sees_the_claims_that_rest_on_public_evidence_and_no_others(directive, evidence, make):
    notice = make(Audience.vendor, directive, evidence=evidence)
    claims = facts(notice, "claims")
    assert list(claims) == ["reads-contacts"]
    assert claims["reads-contacts"] == [
        "The app reads the list of contacts",
        "Where it stands: contested",
        "Your side: Only when the user agrees",
        "Rests on: Measurement open of the app (https://example.org/measurement)",
        "This does not show: Why the app does this (open)",
    ]
    assert "compelled in secret" not in said(notice)
    assert "sells" not in said(notice)


def test_a_register_without_a_public_claim_is_a_gap(directive, evidence, make):
    hidden = replace(evidence, items=tuple(replace(one, public=False) for one in evidence.items))
    with pytest.raises(NoticeIncomplete) as caught:
        make(Audience.vendor, directive, evidence=hidden)
    assert [one.field for one in caught.value.gaps] == ["evidence.claims"]


def test_a_vendor_reads_how_each_point_was_answered(directive, evidence, record, decide, make):
    weighed = replace(
        evidence.claims[0],
        status=ClaimStatus.upheld,
        weighed=Text("The measurement shows otherwise", "La mesure montre le contraire"),
    )
    register = replace(evidence, claims=(weighed,))
    notice = make(Audience.vendor, directive, decide(directive), evidence=register, record=record, reply_by=None)
    values = facts(notice, "claims")["reads-contacts"]
    assert "How it was weighed: The measurement shows otherwise" in values
    assert "Our answer: Most users cannot tell what they agree to" in values
    assert facts(notice, "decision")["Addressed to"] == ["The maker of the app"]
    assert "at any time" in section(notice, "reply").paragraphs[0].en
    assert notice.title == directive.title


def test_the_last_day_to_reply_is_that_of_the_record_or_missing(directive, record, make):
    notice = make(Audience.vendor, directive, record=record, reply_by=None)
    assert "Reply by 1\u00a0October\u00a02023" in said(notice)
    assert "au plus tard le 1er\u00a0octobre\u00a02023" in said(notice)
    with pytest.raises(NoticeIncomplete) as caught:
        make(Audience.vendor, directive, reply_by=None)
    assert [one.field for one in caught.value.gaps] == ["reply_by"]


def test_makers_are_named_as_in_the_catalogue(directive, make):
    assert facts(make(Audience.vendor, directive), "proposal")["Addressed to"] == ["Tencent; Kaspersky"]
    unknown = replace(directive, items=tuple(replace(one, publisher="") for one in directive.items))
    with pytest.raises(NoticeIncomplete) as caught:
        make(Audience.vendor, unknown)
    assert [one.field for one in caught.value.gaps] == ["vendor"]


# ---- the end of a decision -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("state", [State.revoked, State.superseded])
def test_the_end_of_a_decision_is_told_to_everybody(directive, decide, make, audience, state):
    over = replace(directive, state=state, version=2, supersedes="an-earlier-one")
    notice = make(audience, over, decide(over), reply_by=None, acknowledge_by=None, attest_by=None)
    assert [one.name for one in notice.sections] == ["ended", "why", "next", "ask"]
    assert "Save what you need" not in said(notice)
    assert facts(notice, "ended")["Version"] == ["2"]
    assert facts(notice, "ended")["Replaces"] == ["an-earlier-one"]


# ---- documents that do not belong together ---------------------------------------------------------------------------


def test_a_decision_on_another_version_is_refused(directive, decide, make):
    with pytest.raises(NoticeMismatch):
        make(Audience.public, replace(directive, version=2), decide(directive))


def test_evidence_of_another_case_is_refused(directive, evidence, decide, make):
    with pytest.raises(NoticeMismatch) as caught:
        make(Audience.vendor, directive, decide(directive), evidence=replace(evidence, case="another"))
    assert "2023-11, another" in caught.value.what.en


def test_the_same_inputs_give_the_same_notice(directive, decide, make):
    decision = decide(directive)
    first, second = (make(Audience.staff, directive, decision) for _ in range(2))
    assert to_bytes(first) == to_bytes(second)
    assert markdown(first, "fr") == markdown(second, "fr")


def test_review_and_end_days_are_shown(make, directive):
    reviewed = section(make(Audience.public, find("be-nsc-2023-tiktok")), "review")
    assert reviewed.facts[0].values[0].en == "10\u00a0September\u00a02023"
    ends = replace(directive, expires_on=date(2024, 5, 1))
    assert section(make(Audience.public, ends), "review").facts[0].label.en == "Ends on"


def test_listed_departments_and_what_is_left_out_are_shown(directive, make):
    only = replace(directive, applies=replace(directive.applies, departments=("Charts",)))
    assert facts(make(Audience.public, only), "decision")["Only these"] == ["Charts"]
    assert len(facts(make(Audience.public, find("cz-2025-deepseek")), "decision")["Not included"]) == 2


def test_somebody_must_be_reachable(directive):
    with pytest.raises(NoticeIncomplete) as caught:
        compose(
            Audience.public, directive, contact=Contact(Text("Office", "Bureau")), at=datetime(2023, 1, 1, tzinfo=UTC)
        )
    assert [one.field for one in caught.value.gaps] == ["contact.email"]
