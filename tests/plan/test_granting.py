"""What it takes to grant an exemption: the approver's office, safeguards with proof, renewals without tricks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from proscribe.canonical import digest_bytes
from proscribe.directive.model import ExceptionRules
from proscribe.plan.granting import Known, chain, granting_problems, request_problems
from proscribe.plan.model import Exemption, MitigationProof
from proscribe.text import Text

NOW = datetime(2026, 11, 12, 9, tzinfo=UTC)
FIRST = Exemption(
    "ex-1",
    "dnl-2026-01",
    ("fleetbox:1", "fleetbox:2"),
    "law enforcement",
    "branch head",
    "CIO",
    date(2026, 1, 1),
    date(2026, 12, 1),
)
RENEWAL = replace(FIRST, id="ex-2", renews="ex-1", starts=date(2026, 12, 2), expires=date(2027, 11, 1))
APART = Text("A separate device", "Un appareil distinct")


def fields(exemption: Exemption, directive, *known: Known, offices: tuple[str, ...] = (), now: datetime = NOW):
    found = granting_problems(exemption, directive, known, offices=offices, now=now)
    assert all(fault.remedy.en and fault.remedy.fr and fault.what.fr for fault in found)
    return [fault.where.field for fault in found]


def test_a_first_exemption_and_its_renewal_are_in_order(made):
    assert fields(FIRST, made.directive()) == []
    assert fields(RENEWAL, made.directive(), Known(FIRST)) == []
    fewer = replace(RENEWAL, devices=("fleetbox:2",))
    assert fields(fewer, made.directive(), Known(FIRST)) == []


def test_an_approver_who_may_not_delegate_approves_alone(made):
    office = Text("Head of the agency", "Chef de l'organisme")
    rules = ExceptionRules(stated=True, approver=office, delegable=False)
    directive = made.directive(exceptions=rules)
    assert fields(FIRST, directive) == ["approved_by"]
    assert fields(FIRST, directive, offices=("cio",)) == []
    assert fields(replace(FIRST, approved_by="chef de l'organisme"), directive) == []
    assert fields(replace(FIRST, delegated_by="head"), directive, offices=("CIO",)) == ["delegated_by"]
    free = made.directive(exceptions=replace(rules, delegable=True))
    assert fields(replace(FIRST, delegated_by="head"), free) == []
    unnamed = made.directive(exceptions=replace(rules, approver=None))
    assert fields(FIRST, unnamed) == []


def test_a_safeguard_that_the_directive_asks_for_is_stated_and_shown(made):
    directive = made.directive(exceptions=ExceptionRules(stated=True, mitigations=(APART,)))
    stated = replace(FIRST, mitigations=("un appareil distinct",))
    proof = MitigationProof("Un appareil distinct", digest_bytes(b"invoice"), "invoice.pdf")
    assert fields(FIRST, directive) == ["mitigations"]
    assert fields(stated, directive) == ["proofs"]
    assert fields(replace(stated, proofs=(proof,)), directive) == []
    foreign = replace(proof, mitigation="no work data")
    assert fields(replace(stated, proofs=(proof, foreign)), directive) == ["proofs"]
    assert (
        fields(replace(FIRST, mitigations=("no work data",)), made.directive()) == []
    )  # stated freely: no proof asked


@pytest.mark.parametrize("gap", [0, 1, 400])
def test_whoever_had_an_exemption_gets_another_as_its_renewal_alone(made, gap):
    again = replace(RENEWAL, renews="", starts=FIRST.expires + timedelta(days=1 + gap))
    again = replace(again, expires=again.starts + timedelta(days=30))
    now = datetime.combine(again.starts, NOW.timetz())
    assert fields(again, made.directive(), Known(FIRST), now=now) == ["renews"]
    assert fields(replace(again, renews="ex-1"), made.directive(), Known(FIRST), now=now) == []
    assert fields(again, made.directive(id="another"), Known(replace(FIRST, directive="x"))) == ["directive"]
    assert fields(replace(again, devices=("fleetbox:9",)), made.directive(), Known(FIRST), now=now) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"renews": "ex-7"}, "renews"),
        ({"devices": ("fleetbox:1", "fleetbox:3")}, "devices"),
        ({"starts": FIRST.expires}, "starts"),
    ],
)
def test_a_renewal_goes_on_from_what_there_was(made, changes, field):
    assert field in fields(replace(RENEWAL, **changes), made.directive(), Known(FIRST))


def test_years_are_not_stacked_in_advance(made):
    early = datetime(2026, 9, 1, tzinfo=UTC)  # 91 days before the last day
    assert fields(RENEWAL, made.directive(), Known(FIRST), now=early) == ["starts"]
    assert fields(RENEWAL, made.directive(), Known(FIRST), now=early + timedelta(days=1)) == []
    third = replace(RENEWAL, id="ex-3", renews="ex-2", starts=date(2027, 11, 2), expires=date(2028, 10, 1))
    assert fields(third, made.directive(), Known(FIRST), Known(RENEWAL)) == ["starts"]


def test_one_exemption_is_renewed_once_and_the_whole_chain_is_known(made):
    other = replace(RENEWAL, id="ex-2b")
    assert "renews" in fields(other, made.directive(), Known(FIRST), Known(RENEWAL))
    later = datetime(2027, 10, 1, tzinfo=UTC)
    third = replace(RENEWAL, id="ex-3", renews="ex-2", starts=date(2027, 11, 2), expires=date(2028, 10, 1))
    assert fields(third, made.directive(), Known(FIRST), Known(RENEWAL), now=later) == []
    assert chain(third, (RENEWAL, FIRST, third)) == (FIRST, RENEWAL, third)
    # Recording an earlier one of the chain again is no new exemption.
    assert fields(FIRST, made.directive(), Known(FIRST), Known(RENEWAL), Known(third)) == []


def test_a_circle_of_renewals_ends():
    loop = replace(FIRST, renews="ex-2")
    assert [one.id for one in chain(loop, (loop, RENEWAL))] == ["ex-2", "ex-1"]


def test_one_that_somebody_ended_may_be_replaced_on_that_very_day(made):
    ended = Known(FIRST, datetime(2026, 11, 12, 8, tzinfo=UTC))
    assert ended.last == date(2026, 11, 12)
    corrected = replace(RENEWAL, starts=date(2026, 11, 12), expires=date(2027, 3, 1))
    assert fields(corrected, made.directive(), ended) == []
    assert fields(corrected, made.directive(), Known(FIRST)) == ["starts"]


def test_a_request_has_no_approver_yet_and_keeps_to_all_other_rules(made):
    asked = replace(FIRST, approved_by="")
    assert request_problems(asked, made.directive()) == []
    assert [one.where.field for one in request_problems(FIRST, made.directive())] == ["approved_by"]
    assert [one.where.field for one in request_problems(replace(asked, ground=""), made.directive())] == ["ground"]
