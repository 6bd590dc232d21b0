"""Counts that may leave a department: no figure, and no difference of figures, speaks of fewer than ``floor`` devices.

Three rules make that so, for any fleet:

1. *Outcomes* of fewer than ``floor`` devices are put together. Where those together are still too few, the next larger
   outcome joins them, or the total minus the rest would give them away. The grounds of exemptions divide the outcome
   ``exempt`` in the same way.
2. *Classes* of device are put together as "other" by the same rule.
3. Within the classes the same outcomes are put together in all of them, until every cell is nought or at least the
   floor.

What can be had by adding and subtracting is then a union of whole published figures: within the outcomes put together,
a table of which only the two margins are known gives away nothing but sums of its rows or of its columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from proscribe.enforce.model import Outcome
from proscribe.feed.model import ClassCount

OTHER = "other"

K = TypeVar("K", bound=str)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is published. Everything adds up to ``devices``."""

    devices: int
    by_outcome: dict[Outcome, int]
    together: int
    classes: tuple[ClassCount, ...]
    exemptions: dict[str, int]


def publishable(cells: Mapping[tuple[str, Outcome], int], grounds: Mapping[str, int], floor: int) -> Figures:
    """The figures of a fleet with all small cells put together.

    ``cells``: (class of device, outcome) -> devices; ``grounds``: ground -> exempt devices, which adds up to the
    outcome ``exempt``. A fleet that is smaller than the floor gives its total alone.
    """
    whole: Counter[Outcome] = Counter()
    sizes: Counter[str] = Counter()
    for (name, outcome), devices in cells.items():
        whole[outcome] += devices
        sizes[name] += devices
    apart = _apart(whole, floor)
    few = _few(sizes, floor)
    rows: dict[str, Counter[Outcome]] = {}
    for (name, outcome), devices in cells.items():
        rows.setdefault(OTHER if name in few else name, Counter())[outcome] += devices
    return Figures(
        devices=whole.total(),
        by_outcome=_in_order(whole, apart),
        together=sum(devices for outcome, devices in whole.items() if outcome not in apart),
        classes=_classes(rows, apart, floor),
        exemptions=_grounds(grounds, floor) if Outcome.exempt in apart else {},
    )


def _classes(rows: Mapping[str, Counter[Outcome]], apart: frozenset[Outcome], floor: int) -> tuple[ClassCount, ...]:
    """The classes, with the same outcomes put together in each."""
    shown = {outcome for outcome in apart if not any(_small(row[outcome], floor) for row in rows.values())}
    while shown and (row := _giving_away(rows.values(), shown, floor)) is not None:
        shown.remove(min((one for one in shown if row[one]), key=lambda one: (*_outcome_order(one), row[one], one)))
    return tuple(
        ClassCount(
            name=name,
            devices=row.total(),
            by_outcome=_in_order(row, shown),
            together=sum(devices for outcome, devices in row.items() if outcome not in shown),
        )
        for name, row in sorted(rows.items(), key=lambda item: (item[0] == OTHER, item[0]))
    )


def _giving_away(rows: Iterable[Counter[Outcome]], shown: set[Outcome], floor: int) -> Counter[Outcome] | None:
    """A class whose outcomes put together are still too few, though it could add another."""
    for row in rows:
        rest = sum(devices for outcome, devices in row.items() if outcome not in shown)
        if _small(rest, floor) and any(row[outcome] for outcome in shown):
            return row
    return None


def _apart(whole: Mapping[Outcome, int], floor: int) -> frozenset[Outcome]:
    """The outcomes that may be counted apart.

    How many devices are exempt the authority may know from the exemptions reported to it. So those that are put
    together must be enough without the exempt ones too.
    """
    others: dict[Outcome, int] = {
        outcome: devices for outcome, devices in whole.items() if outcome is not Outcome.exempt
    }
    few: set[Outcome] = set(_few(others, floor, _outcome_order))
    exempt = whole.get(Outcome.exempt, 0)
    if _small(sum(others[one] for one in few), floor):  # all there is beside the exempt
        few.add(Outcome.exempt)
    elif _small(exempt, floor):
        few.add(Outcome.exempt)
        if not any(others.get(one) for one in few):
            few |= set(sorted(others, key=lambda one: (*_outcome_order(one), others[one], one))[:1])
    return frozenset(whole) - few


def _few(counts: Mapping[K, int], floor: int, order: Callable[[K], tuple[Any, ...]] = lambda _: ()) -> frozenset[K]:
    """What is put together: all that is small, and the next ones in ``order`` and size until that is enough."""
    joined = {key for key, devices in counts.items() if devices < floor}
    together = sum(counts[key] for key in joined)
    for key in sorted(set(counts) - joined, key=lambda key: (*order(key), counts[key], key)):
        if not _small(together, floor):
            break
        joined.add(key)
        together += counts[key]
    return frozenset(joined)


def _outcome_order(outcome: Outcome) -> tuple[Any, ...]:
    """Who joins the small ones first: what is not compliant, so that devices verified stay a number of their own."""
    return (outcome.compliant,)


def _grounds(grounds: Mapping[str, int], floor: int) -> dict[str, int]:
    few = _few(grounds, floor)
    shown = {ground: devices for ground, devices in sorted(grounds.items()) if ground not in few and devices}
    rest = sum(grounds[ground] for ground in few) + shown.pop(OTHER, 0)  # a ground may bear that name
    return {**shown, OTHER: rest} if rest else shown


def _small(devices: int, floor: int) -> bool:
    return 0 < devices < floor


def _in_order(counts: Mapping[Outcome, int], shown: Iterable[Outcome]) -> dict[Outcome, int]:
    chosen = set(shown)
    return {outcome: counts[outcome] for outcome in Outcome if outcome in chosen and counts.get(outcome, 0)}
