"""What can be said about a device on which nothing banned was found: the rules of honesty, without a database.

A standing is a class of devices about which the same can be said: what their source sees of them, and how old their app
lists are. A fleet of a million devices has about a hundred, so the rules can be plain Python and still cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

from proscribe.directive.model import Applies
from proscribe.evaluate.model import Presence
from proscribe.inventory.model import Visibility
from proscribe.terms import Enrolment, Platform
from proscribe.text import Text

CLOCK_SKEW_SECONDS = 24 * 3600
"""A list dated further ahead than this cannot be aged. A day, because some exports give local dates without a zone."""


class Age(StrEnum):
    """How old an app list is, apart from any directive."""

    fresh = "fresh"
    old = "old"  # beyond the bound of its source
    future = "future"  # dated in the future
    undated = "undated"  # the source gives no date


class Doubt(StrEnum):
    """Why "not on the list" does not mean "not on the device"."""

    none = "none"
    no_list = "no_list"
    extent_unknown = "extent_unknown"
    old = "old"
    future = "future"
    before_ban = "before_ban"
    nothing_seen = "nothing_seen"
    side_unseen = "side_unseen"
    managed_only = "managed_only"
    system_unseen = "system_unseen"


REASONS: dict[Doubt, Text] = {
    Doubt.no_list: Text(
        "The device is known, but no app list came with it.",
        "L'appareil est connu, mais aucune liste d'applications ne l'accompagne.",
    ),
    Doubt.extent_unknown: Text(
        "The source does not say which part of the device it lists.",
        "La source ne précise pas quelle partie de l'appareil elle énumère.",
    ),
    Doubt.old: Text(
        "The app list is older than its source normally takes to renew it.",
        "La liste d'applications est plus ancienne que le délai normal de renouvellement de sa source.",
    ),
    Doubt.future: Text(
        "The app list is dated in the future, so its age is not known.",
        "La liste d'applications porte une date future; son âge est donc inconnu.",
    ),
    Doubt.before_ban: Text(
        "The app list was taken before the directive took effect.",
        "La liste d'applications a été dressée avant la prise d'effet de la directive.",
    ),
    Doubt.nothing_seen: Text(
        "The source cannot see the apps of such a device.",
        "La source ne peut pas voir les applications d'un tel appareil.",
    ),
    Doubt.side_unseen: Text(
        "The personal side of the device cannot be seen.",
        "Le côté personnel de l'appareil ne peut pas être vu.",
    ),
    Doubt.managed_only: Text(
        "Only managed apps are listed; personal apps cannot be seen.",
        "Seules les applications gérées sont énumérées; les applications personnelles ne peuvent pas être vues.",
    ),
    Doubt.system_unseen: Text(
        "Apps that came with the device are not listed.",
        "Les applications préinstallées ne sont pas énumérées.",
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One class of devices. ``era`` counts the effective dates that had passed when the lists were taken, -1 when
    nothing at all is known of their time."""

    code: int
    system: str
    platform: Platform
    enrolment: Enrolment
    sees: Visibility
    gives_ids: bool
    listed: bool
    age: Age
    era: int


@dataclass(frozen=True, slots=True)
class Grade:
    """What a standing means under one directive, where nothing was found."""

    presence: Presence
    doubt: Doubt
    invisible: bool  # a part of the device is out of sight, whatever was found
    aged: bool  # what was found may be gone by now
    proves_absence: bool  # an app of the earlier list that is missing here is gone


def grade(standing: Standing, ban_era: int) -> Grade:
    """Grade a standing under a directive in force since ``ban_era``. The gravest doubt wins."""
    hidden = _hidden(standing)
    aged = standing.age in (Age.old, Age.future) or 0 <= standing.era < ban_era
    if hidden is Doubt.nothing_seen:
        return Grade(Presence.invisible, hidden, invisible=True, aged=aged, proves_absence=False)
    if not standing.listed:
        return Grade(
            Presence.unknown, Doubt.no_list, invisible=hidden is not Doubt.none, aged=aged, proves_absence=False
        )
    if standing.sees is Visibility.unknown:
        return Grade(Presence.unknown, Doubt.extent_unknown, invisible=False, aged=aged, proves_absence=False)
    if aged:
        doubt = {Age.old: Doubt.old, Age.future: Doubt.future}.get(standing.age, Doubt.before_ban)
        return Grade(Presence.stale, doubt, invisible=hidden is not Doubt.none, aged=True, proves_absence=False)
    if hidden is not Doubt.none:
        return Grade(Presence.invisible, hidden, invisible=True, aged=False, proves_absence=True)
    return Grade(Presence.absent, Doubt.none, invisible=False, aged=False, proves_absence=True)


def _hidden(standing: Standing) -> Doubt:
    match standing.sees:
        case Visibility.nothing:
            return Doubt.nothing_seen
        case Visibility.work_side:
            return Doubt.side_unseen
        case Visibility.managed_apps:
            return Doubt.managed_only
        case Visibility.user_apps if standing.platform is not Platform.ios:
            # Phone makers preload third-party apps on Android; on iOS what is not listed is Apple's own (mdm.md 1.1).
            return Doubt.system_unseen
        case _:
            return Doubt.none


class Reach(StrEnum):
    """Whether a directive applies to a device, as far as its source says."""

    inside = "inside"
    unsure = "unsure"
    outside = "outside"

    def __and__(self, other: Reach) -> Reach:
        """Both conditions together: a certain "no" wins, then any doubt."""
        if Reach.outside in (self, other):
            return Reach.outside
        return Reach.unsure if Reach.unsure in (self, other) else Reach.inside


_OWNER_UNKNOWN = (Enrolment.unknown, Enrolment.unmanaged)


def reach_of_class(applies: Applies, platform: Platform, enrolment: Enrolment) -> Reach:
    """Whether the directive applies to such devices. A class the source does not name is in scope, marked unsure:
    leaving it out would hide a violation, and acting on it would be a guess. So is a device under no management, of
    which nobody can say from here whose it is."""
    by_platform = _reach(applies.platforms, platform, unknown=platform is Platform.unknown)
    return by_platform & _reach(applies.enrolments, enrolment, unknown=enrolment in _OWNER_UNKNOWN)


def reach_of_department(applies: Applies, department: str) -> Reach:
    """Whether the directive applies to a department, spelled in whatever case."""
    wanted = [name.strip().casefold() for name in applies.departments]
    return _reach(wanted, department.strip().casefold(), unknown=not department.strip())


def _reach(wanted: Iterable[str], given: str, *, unknown: bool) -> Reach:
    names = tuple(wanted)
    if not names or given in names:
        return Reach.inside
    return Reach.unsure if unknown else Reach.outside


def moment(day: date) -> int:
    """The first second of a day in UTC, in seconds of the epoch."""
    return int(datetime.combine(day, time.min, UTC).timestamp())


def eras(effective: Iterable[date | None], now: datetime) -> tuple[int, ...]:
    """The distinct moments, ascending, at which directives took effect; none of the future, which ages no list."""
    passed = {moment(day) for day in effective if day is not None}
    return tuple(sorted(second for second in passed if second <= int(now.timestamp())))
