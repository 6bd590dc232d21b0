"""What each source can see of each class of device: rows of data, never a branch on a vendor's name.

A class without a row is ``Visibility.unknown``: a clean list from it proves nothing, and the snapshot says so.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from proscribe.inventory.model import Visibility
from proscribe.terms import Enrolment, Platform
from proscribe.text import Text

_DEFAULT_STALE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Sight:
    """What one system shows of one class of device (a row of ``data/coverage.toml``)."""

    sees: Visibility
    gives_ids: bool
    gives_signer: bool
    stale_after_days: int
    blind_to: Text
    source: str
    known: bool = True  # False: no row, so nothing is claimed

    def outranks(self, other: Sight) -> bool:
        """Whether this sees something that ``other`` cannot: more of the device, or identifiers instead of names."""
        more = _RANK[self.sees] > _RANK[other.sees]
        return more or (self.gives_ids and not other.gives_ids)


# How much of a device's app list each kind of view takes in. A view of unknown reach proves nothing of what it omits.
_RANK = {
    Visibility.nothing: 0,
    Visibility.unknown: 1,
    Visibility.managed_apps: 2,
    Visibility.work_side: 2,
    Visibility.user_apps: 3,
    Visibility.all_apps: 4,
}

UNSEEN = Sight(
    sees=Visibility.unknown,
    gives_ids=False,
    gives_signer=False,
    stale_after_days=_DEFAULT_STALE_DAYS,
    blind_to=Text(
        "Nothing is known about what this source can see of such devices: an app missing from its list may well be "
        "installed.",
        "On ne sait rien de ce que cette source peut voir de ces appareils : une application absente de sa liste "
        "peut fort bien être installée.",
    ),
    source="",
    known=False,
)


@cache
def _rows() -> dict[tuple[str, Platform, Enrolment], Sight]:
    text = files("proscribe.inventory").joinpath("data/coverage.toml").read_text(encoding="utf-8")
    table: dict[tuple[str, Platform, Enrolment], Sight] = {}
    for row in tomllib.loads(text)["row"]:
        sight = Sight(
            sees=Visibility(row["sees"]),
            gives_ids=row["gives_ids"],
            gives_signer=row["gives_signer"],
            stale_after_days=row["stale_after_days"],
            blind_to=Text(row["blind_to_en"], row["blind_to_fr"]),
            source=row["source"],
        )
        for enrolment in row["enrolment"]:
            table[row["system"], Platform(row["platform"]), Enrolment(enrolment)] = sight
    return table


def sight(system: str, platform: Platform, enrolment: Enrolment) -> Sight:
    """What ``system`` shows of a device of this class; ``UNSEEN`` when no row says."""
    return _rows().get((system, platform, enrolment), UNSEEN)
