"""Random entries are asked for after the attestation, and only the right ones are taken for an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.feed.rollup.conftest import START, Department, Ledger

from proscribe.canonical import digest_bytes
from proscribe.documents import digest, to_json
from proscribe.feed import challenge as challenges
from proscribe.feed.model import AnsweredEntry, Challenge, ChallengeAnswer
from proscribe.prove.ledger import leaf_hash
from proscribe.prove.model import EntryKind, LedgerEntry

DUE = date(2026, 11, 20)


def drawn(department: Department, entries: int = 6) -> Challenge:
    return challenges.draw(department.attestations[-1], entries=entries, at=START + timedelta(days=3), due=DUE)


def answer_of(asked: Challenge, ledger: Ledger) -> ChallengeAnswer:
    """The true answer."""
    tree = ledger.tree
    return ChallengeAnswer(
        department="tides",
        challenge=digest(asked),
        at=START + timedelta(days=4),
        entries=tuple(
            challenges.answered(
                index,
                leaf_hash(ledger.entries[index]),
                tree.inclusion(index, asked.tree_head.size),
                ledger.entries[index],
            )
            for index in asked.indexes
        ),
    )


def test_indexes_are_drawn_from_the_ledger_attested_to_and_not_foreseeable(department: Department) -> None:
    draws = [drawn(department) for _ in range(30)]
    for one in draws:
        assert len(set(one.indexes)) == 6
        assert list(one.indexes) == sorted(one.indexes)
        assert set(one.indexes) <= set(range(30))
        assert one.tree_head == department.attestations[-1].tree_head
    assert len({one.indexes for one in draws}) > 20
    assert {index for one in draws for index in one.indexes} > set(range(1, 28)) - {13, 14, 15, 16}
    assert drawn(department, entries=1000).indexes == tuple(range(30))


def test_the_true_answer_holds_though_the_ledger_grew(department: Department) -> None:
    asked = drawn(department)
    department.ledger.grow(77)
    result = challenges.check(asked, answer_of(asked, department.ledger), at=START)
    assert (result.wrong, result.asked, result.shown, result.withheld) == ((), 6, 6, 0)


def test_an_entry_may_be_given_by_its_hash_and_is_counted_so(department: Department) -> None:
    asked = drawn(department)
    given = answer_of(asked, department.ledger)
    first, *rest = given.entries
    held_back = replace(given, entries=(replace(first, entry=None), *rest))
    result = challenges.check(asked, held_back, at=START)
    assert (result.wrong, result.shown, result.withheld) == ((), 5, 1)


Lie = Callable[[tuple[AnsweredEntry, ...]], tuple[AnsweredEntry, ...]]


def altered(entries: tuple[AnsweredEntry, ...]) -> tuple[AnsweredEntry, ...]:
    assert entries[0].entry is not None
    return (replace(entries[0], entry={**entries[0].entry, "actor": "somebody else"}), *entries[1:])


def altered_with_its_hash(entries: tuple[AnsweredEntry, ...]) -> tuple[AnsweredEntry, ...]:
    entry = LedgerEntry(entries[0].proof.index, START, "somebody else", EntryKind.wave, "w", {})
    return (replace(entries[0], entry=to_json(entry), leaf=leaf_hash(entry).hex()), *entries[1:])


def swapped(entries: tuple[AnsweredEntry, ...]) -> tuple[AnsweredEntry, ...]:
    """The entry and leaf of one under the place of another."""
    one, two, *rest = entries
    return (replace(one, entry=two.entry, leaf=two.leaf), replace(two, entry=one.entry, leaf=one.leaf), *rest)


def swapped_contents(entries: tuple[AnsweredEntry, ...]) -> tuple[AnsweredEntry, ...]:
    one, two, *rest = entries
    return (replace(one, entry=two.entry), replace(two, entry=one.entry), *rest)


def not_hexadecimal(entries: tuple[AnsweredEntry, ...]) -> tuple[AnsweredEntry, ...]:
    return (replace(entries[0], leaf="zz"), *entries[1:])


def not_an_entry(entries: tuple[AnsweredEntry, ...]) -> tuple[AnsweredEntry, ...]:
    return (replace(entries[0], entry={"kind": "proscribe.ledger-entry"}), *entries[1:])


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (altered, "is not what was recorded"),
        (altered_with_its_hash, "is not in the ledger attested to"),
        (swapped, "is not in the ledger attested to"),
        (swapped_contents, "is not what was recorded"),
        (lambda entries: entries[1:], "is given 0 times"),
        (lambda entries: (*entries, entries[0]), "is given 2 times"),
        (not_hexadecimal, "is not in the ledger attested to"),
        (not_an_entry, "is not what was recorded"),
    ],
    ids=("altered", "altered with its hash", "swapped", "swapped contents", "missing", "twice", "no hash", "no entry"),
)
def test_a_false_answer_is_refused(department: Department, lie: Lie, said: str) -> None:
    asked = drawn(department)
    given = answer_of(asked, department.ledger)
    result = challenges.check(asked, replace(given, entries=lie(given.entries)), at=START)
    assert any(said in text.en for text in result.wrong), result.wrong


def test_an_entry_that_was_not_asked_for_is_refused(department: Department) -> None:
    asked = drawn(department, entries=29)
    given = answer_of(replace(asked, indexes=tuple(range(30))), department.ledger)
    result = challenges.check(asked, replace(given, challenge=digest(asked)), at=START)
    assert [text.en for text in result.wrong if "was not asked for" in text.en]


def test_the_answer_of_another_ledger_to_the_same_challenge_is_refused(department: Department) -> None:
    asked = drawn(department)
    other = department.ledger.branch()
    del other.entries[5:]
    other.grow(30, body="another story")
    wrong = challenges.check(asked, answer_of(asked, other), at=START).wrong
    assert len(wrong) == sum(index >= 0 for index in asked.indexes)


@pytest.mark.parametrize("changes", [{"department": "charts"}, {"challenge": digest_bytes(b"another")}])
def test_an_answer_to_another_challenge_is_refused(department: Department, changes: dict[str, object]) -> None:
    asked = drawn(department)
    given = replace(answer_of(asked, department.ledger), **changes)  # type: ignore[arg-type]
    assert "answers another challenge" in challenges.check(asked, given, at=START).wrong[0].en


def test_entries_dated_out_of_their_order_or_after_the_head_are_found() -> None:
    """The tree is sound; the story in it is not: somebody wrote it backwards."""
    department = Department()
    late = START + timedelta(days=300)
    department.ledger.entries[4] = replace(department.ledger.entries[4], at=late)
    department.ledger.entries[7] = replace(department.ledger.entries[7], at=START - timedelta(days=3))
    department.last(tree_head=department.ledger.head(START + timedelta(days=2)))
    asked = drawn(department, entries=30)
    wrong = challenges.check(asked, answer_of(asked, department.ledger), at=START).wrong
    assert "entry 4 is dated 2027-08-29" in wrong[0].en
    assert any(text.en.startswith("entry 7 is dated 2026-10-30") for text in wrong)


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        (EntryKind.outcomes, {"counts": {"failed": 2, "absent_verified": 90}}, False),
        (EntryKind.outcomes, {"counts": {"failed": 5, "absent_verified": 90, "stale": 0}}, True),
        (EntryKind.drift, {"new": 1, "cured": 0}, False),
        (EntryKind.hold, {"devices": 3}, False),
        (EntryKind.wave, {"wave": 1}, True),
        (EntryKind.approval, {"standing": True}, True),
        (EntryKind.observation, {"devices": 40, "snapshot": "sha256:00"}, True),
    ],
)
def test_an_entry_that_counts_fewer_than_the_floor_is_not_shown(
    kind: EntryKind, body: dict[str, object], shown: bool
) -> None:
    assert challenges.may_be_shown(LedgerEntry(0, START, "loop", kind, "ban", body), 5) is shown
