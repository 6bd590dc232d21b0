"""Whatever the fleet: the figures add up, and nobody gets at a small cell by adding and subtracting them."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proscribe.enforce.model import Outcome
from proscribe.feed.model import ClassCount
from proscribe.feed.smallcells import OTHER, Figures, publishable

FLOOR = 5
CLASSES = ("amapi/cope", "amapi/fully_managed", "jamf/supervised")
GROUNDS = ("law", "testing")
COLUMNS: tuple[tuple[Outcome, str], ...] = (
    (Outcome.absent_verified, ""),
    (Outcome.removed_verified, ""),
    (Outcome.failed, ""),
    *((Outcome.exempt, ground) for ground in GROUNDS),
)
Cell = tuple[str, Outcome, str]
Fleet = dict[Cell, int]
EVERY: tuple[Cell, ...] = tuple((name, *column) for name in CLASSES for column in COLUMNS)

# Few enough cells that every set of them can be tried, small enough numbers that the floor matters.
fleets = st.dictionaries(st.sampled_from(EVERY), st.integers(1, 14), min_size=1)


def figures_of(fleet: Fleet, floor: int = FLOOR) -> Figures:
    table: Counter[tuple[str, Outcome]] = Counter()
    grounds: Counter[str] = Counter()
    for (name, outcome, ground), devices in fleet.items():
        table[name, outcome] += devices
        if ground:
            grounds[ground] += devices
    return publishable(table, grounds, floor)


def readable(figures: Figures, fleet: Fleet) -> tuple[list[Cell], np.ndarray, list[int]]:
    """What a reader has: the cells there may be, each figure as a row of noughts and ones over them, and its value.

    Where a figure is nought, so is each of its cells; those are left out.
    """
    named = {one.name for one in figures.classes}
    found: list[tuple[set[Cell], int]] = [(set(EVERY), figures.devices)]

    def outcomes(members: set[Cell], by_outcome: dict[Outcome, int], together: int) -> None:
        for outcome, devices in by_outcome.items():
            found.append(({cell for cell in members if cell[1] is outcome}, devices))
        found.append(({cell for cell in members if cell[1] not in by_outcome}, together))

    outcomes(set(EVERY), figures.by_outcome, figures.together)
    for one in (*figures.classes, *(() if OTHER in named else (ClassCount(OTHER, 0, {}),))):
        members = {cell for cell in EVERY if (cell[0] if cell[0] in named else OTHER) == one.name}
        found.append((members, one.devices))
        outcomes(members, one.by_outcome, one.together)
    if Outcome.exempt in figures.by_outcome:
        for ground, devices in {OTHER: 0, **figures.exemptions}.items():
            shown = {cell for cell in EVERY if cell[2]}
            apart = figures.exemptions
            found.append(({one for one in shown if (one[2] if one[2] in apart else OTHER) == ground}, devices))
    for cells_of, devices in found:
        assert sum(fleet.get(cell, 0) for cell in cells_of) == devices  # the figures are what they say they are
    nought = set().union(*(cells_of for cells_of, devices in found if not devices))
    left = [cell for cell in EVERY if cell not in nought]
    matrix = np.array([[cell in cells_of for cell in left] for cells_of, _ in found], dtype=float)
    return left, matrix, [devices for _, devices in found]


def derivable(matrix: np.ndarray) -> np.ndarray:
    """Every set of cells (a row of noughts and ones) whose sum is some linear combination of the figures."""
    width = matrix.shape[1]
    _, singular, right = np.linalg.svd(matrix)
    rank = int((singular > 1e-9).sum())
    subsets = ((np.arange(2**width)[:, None] >> np.arange(width)) & 1).astype(float)
    return subsets[np.abs(subsets @ right[rank:].T).max(axis=1, initial=0.0) < 1e-6]


@settings(max_examples=300)
@given(fleets)
@example({(CLASSES[0], Outcome.absent_verified, ""): 98, (CLASSES[0], Outcome.failed, ""): 2})
@example({(name, outcome, ""): 3 for name in CLASSES[:2] for outcome in (Outcome.failed, Outcome.removed_verified)})
@example({(CLASSES[0], *COLUMNS[0]): 1, (CLASSES[0], *COLUMNS[1]): 5, (CLASSES[1], *COLUMNS[0]): 5})
def test_no_sum_or_difference_of_the_figures_is_below_the_floor(fleet: Fleet) -> None:
    left, matrix, _ = readable(figures_of(fleet), fleet)
    sums = derivable(matrix) @ np.array([fleet.get(cell, 0) for cell in left], dtype=float)
    small = [one for one in sums if 0 < one < min(FLOOR, sum(fleet.values()))]
    assert not small, (figures_of(fleet), small)


@given(fleets)
def test_nor_where_the_authority_knows_the_number_of_the_exempt_from_their_reports(fleet: Fleet) -> None:
    """Then what was put together with them must be enough without them."""
    figures = figures_of(fleet)
    rest = sum(n for cell, n in fleet.items() if cell[1] is not Outcome.exempt and cell[1] not in figures.by_outcome)
    others = sum(devices for cell, devices in fleet.items() if cell[1] is not Outcome.exempt)
    assert rest == 0 or rest >= min(FLOOR, others)


@settings(max_examples=300)
@given(fleets)
def test_no_small_cell_is_pinned_by_the_others_not_being_negative(fleet: Fleet) -> None:
    """For each small cell there is another fleet with the same figures and another number in that cell."""
    left, matrix, _ = readable(figures_of(fleet), fleet)
    column = {cell: matrix[:, at] for at, cell in enumerate(left)}
    for cell, devices in fleet.items():
        if devices < FLOOR:
            assert _another(cell, {one: fleet.get(one, 0) for one in left}, column), (cell, figures_of(fleet))


def _another(cell: Cell, fleet: Fleet, column: dict[Cell, np.ndarray]) -> bool:
    """Whether devices can change cells, this one among them, and no figure changes: one device, or two at once."""
    others = [one for one in fleet if one != cell]
    if any((column[one] == column[cell]).all() for one in others):
        return True
    for partner, one, two in permutations(others, 3):
        same = (column[cell] + column[partner] == column[one] + column[two]).all()
        if same and (fleet[partner] or (fleet[one] and fleet[two])):  # the cell itself holds at least one
            return True
    return False


@given(fleets, st.integers(0, 20))
def test_everything_adds_up(fleet: Fleet, floor: int) -> None:
    figures = figures_of(fleet, floor)
    assert figures.devices == sum(fleet.values())
    assert sum(figures.by_outcome.values()) + figures.together == figures.devices
    assert sum(one.devices for one in figures.classes) == figures.devices
    for one in figures.classes:
        assert sum(one.by_outcome.values()) + one.together == one.devices
    assert sum(figures.exemptions.values()) == figures.by_outcome.get(Outcome.exempt, 0)
    apart = {outcome for one in figures.classes for outcome in one.by_outcome}
    for outcome in apart:
        assert sum(one.by_outcome.get(outcome, 0) for one in figures.classes) == figures.by_outcome[outcome]


@given(fleets, st.integers(0, 1))
def test_a_floor_of_one_puts_nothing_together(fleet: Fleet, floor: int) -> None:
    figures = figures_of(fleet, floor)
    assert figures.together == 0
    assert {one.name for one in figures.classes} == {name for name, _, _ in fleet}
    assert set(figures.exemptions) == {ground for _, _, ground in fleet if ground}


@pytest.mark.parametrize(
    ("table", "by_outcome", "together"),
    [
        # Two that failed would follow from the rest: another outcome that is no success joins them, however large.
        ({Outcome.removed_verified: 9, Outcome.failed: 2, Outcome.stale: 40}, {Outcome.removed_verified: 9}, 42),
        # Only where there is none does a success: then the devices verified are "at least".
        (
            {Outcome.absent_verified: 90, Outcome.removed_verified: 8, Outcome.failed: 2},
            {Outcome.absent_verified: 90},
            10,
        ),
        ({Outcome.absent_verified: 98, Outcome.failed: 2}, {}, 100),
        ({Outcome.absent_verified: 3}, {}, 3),
        ({Outcome.failed: 3, Outcome.stale: 2, Outcome.unknown: 6}, {Outcome.unknown: 6}, 5),
    ],
)
def test_who_joins_the_small_ones(table: dict[Outcome, int], by_outcome: dict[Outcome, int], together: int) -> None:
    figures = publishable({("a/b", outcome): devices for outcome, devices in table.items()}, {}, FLOOR)
    assert (figures.by_outcome, figures.together) == (by_outcome, together)


def test_grounds_are_counted_where_the_exempt_are_and_a_ground_may_be_called_other() -> None:
    table = {("a/b", Outcome.exempt): 20, ("a/b", Outcome.absent_verified): 80}
    assert publishable(table, {"law": 9, OTHER: 8, "testing": 3}, FLOOR).exemptions == {"law": 9, OTHER: 11}
    hidden = publishable({("a/b", Outcome.exempt): 3, ("a/b", Outcome.absent_verified): 80}, {"law": 3}, FLOOR)
    assert hidden.exemptions == {}
    assert hidden.together == 83
