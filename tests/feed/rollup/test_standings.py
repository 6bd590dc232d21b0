"""Where a department stands, from what it sent and what day it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.feed.rollup.conftest import START, Department, terms

from proscribe.canonical import digest_bytes
from proscribe.documents import digest, from_json, to_json
from proscribe.enforce.model import Outcome
from proscribe.feed.challenge import draw
from proscribe.feed.model import ChallengeResult, DepartmentStanding, Rollup
from proscribe.feed.papers import Papers
from proscribe.feed.rollup import roll_up, row

OTHER = digest_bytes(b"another version")
ON_TIME, AFTER_FIRST, AFTER_BOTH = (START + timedelta(days=days) for days in (1, 5, 20))


def acknowledged(department: Department) -> Papers:
    return department.papers(attestations=())


def acting(department: Department) -> Papers:
    department.ledger.grow(40)
    return department.papers(attestations=(), elsewhere=(department.ledger.head(START),))


def outdated(department: Department) -> Papers:
    department.attestations = [replace(one, directive_digest=OTHER) for one in department.attestations]
    return department.papers()


def wrong_version(department: Department) -> Papers:
    department.acknowledgement = replace(department.acknowledgement, directive_digest=OTHER)
    return department.papers(attestations=())


def never_acknowledged(department: Department) -> Papers:
    department.attestations[0] = replace(department.attestations[0], since=None, consistency=())
    return department.papers(acknowledgements=())


@pytest.mark.parametrize(
    ("made", "on_time", "after_first", "after_both"),
    [
        (lambda _: Papers("tides"), "waiting", "silent", "silent"),
        (acknowledged, "acknowledged", "acknowledged", "overdue"),
        (acting, "acting", "acting", "overdue"),
        (outdated, "acting", "acting", "overdue"),
        (wrong_version, "acknowledged", "overdue", "overdue"),
        (never_acknowledged, "acting", "overdue", "overdue"),
        (Department.papers, "attested", "attested", "attested"),
    ],
    ids=("nothing", "acknowledged", "acting", "outdated", "wrong version", "never acknowledged", "attested"),
)
def test_the_standing_follows_the_papers_and_the_day(made, on_time, after_first, after_both) -> None:
    for now, expected in ((ON_TIME, on_time), (AFTER_FIRST, after_first), (AFTER_BOTH, after_both)):
        arrived = [START + timedelta(days=3)] if now == ON_TIME else []
        found = row(made(Department()), terms(max([now, *arrived]) if now != ON_TIME else now))
        assert found.standing.value == expected, now


def test_the_last_day_counts_to_its_end() -> None:
    last = START.replace(hour=23, minute=59)
    on_the_day = terms(last, acknowledge_by=last.date())
    assert row(Papers("tides"), on_the_day).standing is DepartmentStanding.waiting
    a_minute_later = replace(on_the_day, now=last + timedelta(minutes=1))
    assert row(Papers("tides"), a_minute_later).standing is DepartmentStanding.silent


def test_a_recheck_that_is_not_answered_makes_late_and_an_answer_makes_good(department: Department) -> None:
    newest = department.attestations[-1]
    asked = draw(newest, entries=3, at=START, due=date(2026, 11, 12))
    papers = department.papers(challenges=(asked,))
    assert row(papers, terms(START + timedelta(days=10))).standing is DepartmentStanding.attested
    late = row(papers, terms(START + timedelta(days=11)))
    assert late.standing is DepartmentStanding.overdue
    assert "2026-11-12" in late.why[0].en
    result = ChallengeResult("tides", "ban", digest(asked), digest_bytes(b"a"), START, 3, 3, 0, ())
    good = row(replace(papers, results=(result,)), terms(START + timedelta(days=11)))
    assert (good.standing, good.rechecked_at) == (DepartmentStanding.attested, START)


def test_the_row_shows_the_newest_counts_and_the_roll_up_adds_them(department: Department) -> None:
    department.last(together=5, by_outcome={Outcome.absent_verified: 70, Outcome.failed: 25}, exemptions={})
    papers = department.papers()
    others = [replace(papers, department=name) for name in ("charts", "lamps")]
    found = roll_up([papers, *others, Papers("fog")], terms(AFTER_BOTH))
    assert [one.department for one in found.rows] == ["fog", "charts", "lamps", "tides"]
    assert found.standings == {DepartmentStanding.silent: 1, DepartmentStanding.attested: 3}
    assert found.by_outcome == {Outcome.absent_verified: 210, Outcome.failed: 75}
    assert found.together == 15
    one = found.rows[-1]
    assert (one.devices, one.unmanaged, one.exempt, one.attestations) == (100, 7, 0, 2)
    assert (found.rows[0].devices, found.rows[0].unmanaged) == (None, None)
    assert from_json(Rollup, to_json(found)) == found


def test_until_it_attests_a_department_shows_what_it_declared(department: Department) -> None:
    found = row(acknowledged(department), terms())
    assert (found.unmanaged, found.devices) == (7, None)
    assert found.acknowledged_at == START + timedelta(hours=1)
