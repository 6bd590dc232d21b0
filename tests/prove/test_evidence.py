"""The plain functions behind a bundle: counting, joining small departments, pseudonyms, what the ledger shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.prove.bundle import BundleInputs
from proscribe.prove.evidence import (
    SMALL_DEPARTMENTS,
    extract_ledger,
    history,
    join_small_departments,
    latest_coverage,
    not_seen,
    pseudonymised,
    tally,
)
from proscribe.prove.ledger import verify_inclusion
from proscribe.prove.model import EntryKind, LedgerEntry
from proscribe.prove.pseudonym import Pseudonyms, WeakPseudonymKey, names_a_device, veiled
from proscribe.prove.report_model import STYLES, Group, by_group
from proscribe.terms import Enrolment
from proscribe.text import Text

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def outcome(number: int, department: str, value: Outcome) -> DeviceOutcome:
    return DeviceOutcome("d", f"s:{number}", "s", Enrolment.fully_managed, department, value, Text("a", "b"), NOW, ())


fleets = st.lists(st.tuples(st.sampled_from("ABCDEF"), st.sampled_from(list(Outcome))), max_size=60).map(
    lambda rows: [outcome(number, *row) for number, row in enumerate(rows)]
)


@given(fleets)
def test_counts_add_up_in_every_direction(fleet: list[DeviceOutcome]) -> None:
    counts = tally("d", fleet)
    assert counts.fleet == len(fleet) == sum(counts.by_outcome.values())
    for groups in (counts.departments, counts.classes):
        assert sum(group.devices for group in groups) == len(fleet)
        assert all(sum(group.by_outcome.values()) == group.devices for group in groups)
    assert sum(by_group(counts.by_outcome).values()) == len(fleet)
    assert counts.by_outcome == Counter(one.outcome for one in fleet)


@given(fleets)
def test_what_is_not_seen_and_what_is_compliant_make_up_the_fleet(fleet: list[DeviceOutcome]) -> None:
    counts = tally("d", fleet)
    compliant = sum(one.outcome.compliant for one in fleet)
    assert sum(not_seen(counts, ()).not_verified.values()) + compliant == len(fleet)


@given(fleets, st.integers(0, 20))
def test_no_department_below_the_floor_stays(fleet: list[DeviceOutcome], floor: int) -> None:
    joined = join_small_departments(fleet, floor)
    assert [one.device for one in joined] == [one.device for one in fleet]
    sizes = Counter(one.department for one in joined)
    if floor == 0:
        assert SMALL_DEPARTMENTS not in sizes
    elif len(fleet) >= floor:
        assert all(size >= floor for size in sizes.values())
    else:
        assert set(sizes) <= {SMALL_DEPARTMENTS}


def test_every_outcome_has_a_group_and_only_compliance_is_verified() -> None:
    assert set(STYLES) == set(Outcome)
    for value, style in STYLES.items():
        assert (style.group is Group.verified) == value.compliant
    assert len({(style.colour, style.pattern) for style in STYLES.values()}) == len(Outcome)


@given(st.text(), st.text())
def test_pseudonyms_tell_devices_apart_and_keep_to_their_key(first: str, second: str) -> None:
    one, other = Pseudonyms(bytes(32)), Pseudonyms(bytes(31) + b"\x01")
    assert (one.of(first) == one.of(second)) == (first == second)
    assert one.of(first) != other.of(first)
    assert one.of(first).startswith("device:")
    assert len(one.of(first)) == len("device:") + 32


def test_a_short_secret_is_no_secret() -> None:
    with pytest.raises(WeakPseudonymKey) as caught:
        Pseudonyms(bytes(31))
    assert "31" in caught.value.what.fr


def test_device_keys_are_replaced_in_a_plan(inputs: BundleInputs) -> None:
    names = Pseudonyms(inputs.pseudonym_key)
    plan = names.plan(inputs.plans[0])
    assert [len(step.holders) for step in plan.steps] == [len(step.holders) for step in inputs.plans[0].steps]
    blind = next(one.device for one in inputs.outcomes if one.outcome is Outcome.enforced_blind)
    assert plan.steps[2].scope == names.of(blind)
    assert plan.steps[0].scope == "policies/staff"
    assert plan.refusals[2].scope == inputs.plans[0].refusals[2].scope


def test_a_refusal_for_a_single_device_does_not_name_it(inputs: BundleInputs) -> None:
    names = Pseudonyms(inputs.pseudonym_key)
    refusal = replace(inputs.plans[0].refusals[0], system="s", scope="s:7", devices=("s:7",))  # as plans name it
    plan = names.plan(replace(inputs.plans[0], refusals=(refusal,)))
    assert (plan.refusals[0].scope, plan.refusals[0].devices) == (names.of("s:7"), (names.of("s:7"),))


def test_what_is_said_of_a_single_device_does_not_name_it(inputs: BundleInputs) -> None:
    names = Pseudonyms(inputs.pseudonym_key)
    key, bare = "s:0000-1234-5678", "0000-1234-5678"
    what = Text(f"s, {key}: {bare} ({key}9, {bare}) refused {bare}.", f"s, {key}\u00a0: {bare} refuse {bare}.")
    refusal = replace(inputs.plans[0].refusals[0], scope=key, devices=(key,), what=what, remedy=what)
    shown = names.plan(replace(inputs.plans[0], refusals=(refusal,))).refusals[0]
    one = names.of(key)
    assert shown.what == shown.remedy
    assert shown.what.en == f"s, {one}: {one} ({key}9, {one}) refused {one}."
    assert shown.what.fr == f"s, {one}\u00a0: {one} refuse {one}."
    outcome = replace(inputs.outcomes[0], device=key, why=what)
    assert pseudonymised([outcome], names.of)[0].why == shown.what
    assert pseudonymised([outcome], lambda device: device)[0].why == what


def test_a_number_is_not_taken_for_a_device(inputs: BundleInputs) -> None:
    assert veiled(Text("iOS 12, s:12", "iOS 12"), ("s:12",), lambda _: "it") == Text("iOS 12, it", "iOS 12")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("x", True),
        ("the device x: no", True),
        ("(x).", True),
        ("xy", False),
        ({"x": 1}, True),
        ({"a": ["b", {"c": "x"}]}, True),
        (["y", 1, None], False),
    ],
)
def test_a_device_is_found_wherever_it_is_named(value: object, found: bool) -> None:
    assert names_a_device(value, frozenset({"x"})) is found


def entry(kind: EntryKind, subject: str, body: dict[str, object], at: datetime = NOW) -> LedgerEntry:
    return LedgerEntry(0, at, "operator", kind, subject, body)


def test_history_reads_the_counts_of_one_directive() -> None:
    later = NOW.replace(hour=10)
    points = history(
        [
            entry(EntryKind.outcomes, "d", {"counts": {"failed": 2, "absent_verified": 1}}, later),
            entry(EntryKind.outcomes, "", {"directive": "d", "counts": {"failed": 3, "no_such": 1, "stale": True}}),
            entry(EntryKind.outcomes, "other", {"counts": {"failed": 9}}),
            entry(EntryKind.outcomes, "d", {"counts": "none"}),
            entry(EntryKind.drift, "d", {"counts": {"failed": 9}}),
        ],
        "d",
    )
    assert [(point.at, point.by_outcome) for point in points] == [
        (NOW, {Outcome.failed: 3}),
        (later, {Outcome.failed: 2, Outcome.absent_verified: 1}),
    ]


def test_the_extract_shows_what_concerns_a_directive_and_proves_it(inputs: BundleInputs) -> None:
    extract = extract_ledger(inputs.ledger, inputs.directive.id, frozenset({"droid:unit-00001"}))
    shown = [one for one, _ in extract.shown]
    assert {one.entry for one in shown} >= {EntryKind.directive, EntryKind.snapshot, EntryKind.receipt}
    assert not any(one.subject == "another-directive" or one.entry is EntryKind.drift for one in shown)
    paths = {proof.index: [bytes.fromhex(part) for part in proof.path] for proof in extract.proofs.entries}
    root = bytes.fromhex(extract.head.root)
    for one in shown:
        assert verify_inclusion(extract.leaves[one.index], one.index, extract.head.size, paths[one.index], root)


def test_an_order_is_recognised_by_its_intent(inputs: BundleInputs) -> None:
    """A receipt that does not repeat the directive belongs to the intent of the same subject."""
    book = type(inputs.ledger)()
    book.append(EntryKind.intent, "key", "operator", {"directive": "d"}, NOW)
    book.append(EntryKind.receipt, "key", "operator", {"status": 200}, NOW)
    book.append(EntryKind.receipt, "other key", "operator", {"status": 200}, NOW)
    extract = extract_ledger(book, "d", ())
    assert [one.subject for one, _ in extract.shown] == ["key", "key"]
    assert [line.index for line in extract.receipts()] == [1]


def test_without_a_snapshot_there_is_no_coverage() -> None:
    assert latest_coverage(()) == ()
