"""Each check finds the one thing it is for, and papers in order raise none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.feed.rollup.conftest import START, Department, Ledger, terms

from proscribe.canonical import digest_bytes
from proscribe.enforce.model import Outcome
from proscribe.feed.consistency import CHECKS, contradictions
from proscribe.feed.lineage import breaks
from proscribe.feed.model import ChallengeResult, ClassCount, DepartmentStanding, ReceivedProof
from proscribe.feed.papers import Papers
from proscribe.feed.rollup import row
from proscribe.prove.model import TreeHead
from proscribe.text import Text

Break = Callable[[Department], Papers]


def changed(**changes: object) -> Break:
    """The newest attestation says something else."""

    def made(department: Department) -> Papers:
        department.last(**changes)
        return department.papers()

    return made


def proof(fleet: int = 100, size: int = 25, wrong: tuple[Text, ...] = (), **outcomes: int) -> Break:
    """The proof of the newest attestation was handed over and says this."""
    counts = {"absent_verified": 70, "failed": 8, "exempt": 22, **outcomes}

    def made(department: Department) -> Papers:
        given = ReceivedProof(
            department="tides",
            directive="ban",
            manifest=department.attestations[-1].proof,
            at=START,
            fleet=fleet,
            outcomes=counts,
            tree_head=TreeHead(size, "0" * 64),
            wrong=wrong,
        )
        return department.papers(proofs=(given,))

    return made


def renumbered(*numbers: int) -> Break:
    def made(department: Department) -> Papers:
        papers = department.papers()
        pairs = zip(papers.attestations, numbers, strict=True)
        return replace(
            papers,
            attestations=tuple(replace(one, document=replace(one.document, number=number)) for one, number in pairs),
        )

    return made


def dated_after_arrival(department: Department) -> Papers:
    papers = department.papers()
    early = replace(papers.attestations[1], at=papers.attestations[1].document.at - timedelta(seconds=1))
    return replace(papers, attestations=(papers.attestations[0], early))


def same_ground(department: Department) -> Papers:
    department.last(proof=department.attestations[0].proof)
    return department.papers()


def failed_recheck(department: Department) -> Papers:
    result = ChallengeResult("tides", "ban", digest_bytes(b"c"), digest_bytes(b"a"), START, 1, 1, 0, (Text("x", "y"),))
    return department.papers(results=(result,))


COPE = ClassCount("amapi/cope", 40, {Outcome.absent_verified: 30}, 10)
MANAGED = ClassCount("amapi/fully_managed", 60, {Outcome.absent_verified: 40}, 20)
OUTCOMES = {Outcome.absent_verified: 70, Outcome.failed: 8, Outcome.exempt: 22}

CASES: list[tuple[str, Break]] = [
    ("the outcomes add up to 106", changed(together=6)),
    ("the classes add up to 99", changed(classes=(replace(COPE, devices=39, together=9), MANAGED))),
    ("the outcomes of the class amapi/cope do not add up", changed(classes=(replace(COPE, together=11), MANAGED))),
    (
        "absent_verified is 70 in all and 71 over the classes",
        changed(classes=(replace(COPE, by_outcome={Outcome.absent_verified: 31}, together=9), MANAGED)),
    ),
    (
        "a count is below its own floor",
        changed(by_outcome={**OUTCOMES, Outcome.failed: 4, Outcome.stale: 4}),
    ),
    ("a count is negative", changed(by_outcome={**OUTCOMES, Outcome.failed: 13, Outcome.stale: -5})),
    (
        "it attests to 95 devices and declared 100",
        changed(
            devices=95,
            by_outcome={**OUTCOMES, Outcome.absent_verified: 65},
            classes=(replace(COPE, devices=35, by_outcome={Outcome.absent_verified: 25}), MANAGED),
        ),
    ),
    ("of 7 unmanaged devices declared 2 are left", changed(unmanaged=2)),
    ("of 7 unmanaged devices declared 0 are left", changed(unmanaged=None)),
    ("attestation 2 never came", renumbered(1, 3)),
    ("two attestations have the number 1", renumbered(1, 1)),
    ("an attestation has a number below 1", renumbered(0, 1)),
    ("dated after the moment it came in", dated_after_arrival),
    ("attestation 2 is dated before attestation 1", changed(at=START + timedelta(hours=1))),
    ("attestations 1 and 2 count differently on the same ground", same_ground),
    ("its proof is about 101 devices, not 100", proof(fleet=101)),
    ("its proof has 9 failed, not 8", proof(failed=9)),
    ("its proof shows more entries", proof(size=31)),
    ("the archive is damaged", proof(wrong=(Text("the archive is damaged", "l'archive est endommagée"),))),
    ("the grounds add up to 21 of 22 exempt", changed(exemptions={"law enforcement": 21})),
    ("“convenience” is not a ground", changed(exemptions={"law enforcement": 17, "convenience": 5})),
    ("22 devices exempt; the exemptions it reported cover 21", lambda one: one.papers(reported_exempt=21)),
    ("the re-check failed: x", failed_recheck),
]


@pytest.mark.parametrize(("expected", "broken"), CASES, ids=[expected for expected, _ in CASES])
def test_one_thing_out_of_order_is_found_and_nothing_else(department: Department, expected: str, broken: Break) -> None:
    papers = broken(department)
    found = contradictions(papers, terms())
    assert [text.en for text in found if expected not in text.en] == []
    assert len(found) == 1 or "never came" in expected or "below 1" in expected
    assert not breaks(papers)
    standing = row(papers, terms())
    assert standing.standing is DepartmentStanding.inconsistent
    assert standing.why == found


def test_papers_in_order_contradict_nothing(department: Department) -> None:
    assert contradictions(department.papers(reported_exempt=22), terms()) == ()
    assert contradictions(proof()(department), terms()) == ()
    assert contradictions(Papers("tides"), terms()) == ()


def test_every_check_is_reached_by_a_case(department: Department) -> None:
    """A check that no case needs is a check that nobody tested."""
    for check in CHECKS:
        assert any(list(check(broken(Department()), terms())) for _, broken in CASES), check


def test_a_ground_may_be_named_in_either_language_and_small_ones_are_together(department: Department) -> None:
    department.last(exemptions={"Application de la loi": 12, "other": 10})
    assert contradictions(department.papers(), terms()) == ()


def test_a_fleet_that_grows_may_take_unmanaged_devices_in(department: Department) -> None:
    department.last(
        devices=105,
        unmanaged=2,
        by_outcome={**OUTCOMES, Outcome.absent_verified: 75},
        classes=(replace(COPE, devices=45, by_outcome={Outcome.absent_verified: 35}), MANAGED),
    )
    assert contradictions(department.papers(), terms()) == ()


def test_who_declares_more_after_attesting_is_not_held_to_it(department: Department) -> None:
    again = replace(
        department.acknowledgement,
        at=START + timedelta(days=3),
        fleets=(replace(department.acknowledgement.fleets[0], devices=120),),
        tree_head=department.heads[-1],
        since=department.heads[-1],
    )
    papers = department.papers()
    first = papers.acknowledgements[0]
    both = replace(papers, acknowledgements=(first, replace(first, document=again, at=again.at)))
    assert contradictions(both, terms()) == ()
    assert breaks(both) == ()


def test_an_error_is_made_good_by_the_next_attestation(department: Department) -> None:
    department.last(together=3)
    assert contradictions(department.papers(), terms())
    department.attestations.append(department.next(3))
    assert contradictions(department.papers(), terms()) == ()


# --- the ledger behind the papers


def test_one_ledger_that_only_grows_has_no_breaks(department: Department) -> None:
    assert breaks(department.papers()) == ()
    late_first = department.papers()
    assert breaks(replace(late_first, attestations=late_first.attestations[::-1])) == ()


def forked(department: Department) -> Papers:
    """The entries after the acknowledgement were written anew, under the same key."""
    other = Ledger()
    other.key = department.ledger.key
    other.grow(10)
    other.grow(30, at=START + timedelta(days=1), body="another story")
    department.last(tree_head=other.head(START + timedelta(days=2)))
    return department.papers()


def truncated(department: Department) -> Papers:
    department.last(tree_head=department.ledger.head(START + timedelta(days=2), size=15), consistency=())
    return department.papers()


def restored(department: Department) -> Papers:
    """An old copy was put back: it goes on from the head of the acknowledgement, and has forgotten the first word."""
    copy = Ledger()
    copy.key = department.ledger.key
    copy.grow(10)
    del department.heads[1:]
    department.attestations[1] = department.next(2, ledger=copy)
    return department.papers()


def started_anew(department: Department) -> Papers:
    department.last(since=None, consistency=())
    return department.papers()


def other_log(department: Department) -> Papers:
    other = Ledger()
    other.grow(30)
    department.last(tree_head=other.head(START + timedelta(days=2)))
    return department.papers()


def two_of_one_size(department: Department) -> Papers:
    """The head given elsewhere has the size of ours and another root."""
    other = Ledger()
    other.key = department.ledger.key
    other.grow(20, body="another story")
    return department.papers(elsewhere=(other.head(START + timedelta(days=1)),))


def another_log_elsewhere(department: Department) -> Papers:
    other = Ledger()
    other.grow(5)
    return department.papers(elsewhere=(other.head(START),))


def unproven(department: Department) -> Papers:
    department.last(consistency=())
    return department.papers()


def unknown_since(department: Department) -> Papers:
    between = department.ledger.head(START + timedelta(days=1, hours=5), size=25)
    head = department.attestations[-1].tree_head
    department.last(since=between, consistency=department.ledger.proof(between, head))
    return department.papers()


def unsigned(department: Department) -> Papers:
    head = department.attestations[-1].tree_head
    department.last(tree_head=replace(head, signature="00" * 64))
    return department.papers()


def first_from_nowhere(department: Department) -> Papers:
    department.acknowledgement = replace(department.acknowledgement, since=department.ledger.head(START, size=3))
    return department.papers()


@pytest.mark.parametrize(
    ("broken", "standing"),
    [
        (forked, DepartmentStanding.forked),
        (truncated, DepartmentStanding.forked),
        (restored, DepartmentStanding.forked),
        (started_anew, DepartmentStanding.forked),
        (other_log, DepartmentStanding.forked),
        (two_of_one_size, DepartmentStanding.forked),
        (another_log_elsewhere, DepartmentStanding.forked),
        (unproven, DepartmentStanding.inconsistent),
        (unknown_since, DepartmentStanding.inconsistent),
        (unsigned, DepartmentStanding.inconsistent),
        (first_from_nowhere, DepartmentStanding.inconsistent),
    ],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
def test_a_broken_chain_is_found_and_told_apart(
    department: Department, broken: Break, standing: DepartmentStanding
) -> None:
    papers = broken(department)
    assert breaks(papers)
    assert contradictions(papers, terms()) == ()
    assert row(papers, terms()).standing is standing


def test_every_sentence_is_in_both_languages(department: Department) -> None:
    texts = [text for _, broken in CASES for text in contradictions(broken(Department()), terms())]
    texts += [
        one.what for broken in (forked, restored, unsigned, unknown_since) for one in breaks(broken(Department()))
    ]
    assert len(texts) > 20
    assert not [text for text in texts if text.en == text.fr or not text.fr]
