"""Standing orders: what may be done later without asking, for which directives, how much, and until when.

A standing order is decided beforehand, so it is narrow by construction: it names what it is about, has an upper bound
in devices and a last day, and lasts a year at most. What it does not cover is asked for, as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from proscribe.clock import utc
from proscribe.documents import Document
from proscribe.errors import ProscribeError, Where
from proscribe.plan.model import Plan, Verb
from proscribe.text import Text, days, devices

EVERY = "*"
"""In ``directives``: whichever directive, from the sources named."""

HERE = "here"
"""In ``sources``: directives that were adopted by hand, and not through a feed."""

MAX_DAYS = 366
"""No standing order lasts longer: a year, leap years included."""


@dataclass(frozen=True)
class StandingOrder(Document):
    """Leave to act without asking, within bounds. Signed where a key list asks for it; a later version replaces it."""

    KIND: ClassVar[str] = "proscribe.standing-order"

    id: str
    version: int  # from 1; the newest version counts, and one with ``withdrawn`` ends the order
    directives: tuple[str, ...]  # ids, or "*" alone
    sources: tuple[str, ...]  # names of feeds, and "here" for what was adopted by hand
    verbs: tuple[Verb, ...]  # what may be done; "observe" needs no order
    most_devices: int  # that one plan may change
    starts: date
    until: date  # the last day, UTC
    issued_by: str  # a role
    recommended: bool = False  # also for texts that only recommend
    withdrawn: bool = False


class InvalidStandingOrder(ProscribeError):
    """A standing order that does not say what it allows, or allows it without end."""

    code: ClassVar[str] = "plan.standing-order"


def validate(order: StandingOrder) -> None:
    """Check an order that is about to be taken in. Raises InvalidStandingOrder for the first thing that is wrong."""
    for field, value in (("id", order.id), ("issued_by", order.issued_by)):
        if not value.strip():
            raise _invalid(order, field, Text("missing or empty", "absent ou vide"))
    if order.version < 1:
        raise _invalid(order, "version", Text("versions count from 1", "les versions se comptent à partir de 1"))
    for field, values in (("directives", order.directives), ("sources", order.sources), ("verbs", order.verbs)):
        if not values:
            raise _invalid(order, field, Text("it names none", "il n'en nomme aucun"))
    if EVERY in order.directives and len(order.directives) > 1:
        raise _invalid(order, "directives", Text("'*' stands alone or not at all", "« * » figure seul ou pas du tout"))
    if order.most_devices < 0:
        raise _invalid(order, "most_devices", Text("it is below zero", "il est inférieur à zéro"))
    _check_time(order)


def _check_time(order: StandingOrder) -> None:
    length = (order.until - order.starts).days
    if length < 0:
        raise _invalid(order, "until", Text("it ends before it starts", "il prend fin avant de commencer"))
    if length > MAX_DAYS:
        raise _invalid(
            order,
            "until",
            Text(
                f"it lasts {days(length).en}; the limit is {days(MAX_DAYS).en}",
                f"il dure {days(length).fr}; la limite est de {days(MAX_DAYS).fr}",
            ),
        )


def in_force(order: StandingOrder, now: datetime) -> bool:
    """Whether the order counts at ``now``; its last day (UTC) still does."""
    return not order.withdrawn and order.starts <= utc(now).date() <= order.until


def newest(orders: Iterable[StandingOrder]) -> tuple[StandingOrder, ...]:
    """The highest version of each id, by id: what an earlier version allowed counts no more."""
    by_id: dict[str, StandingOrder] = {}
    for order in orders:
        known = by_id.get(order.id)
        if known is None or order.version > known.version:
            by_id[order.id] = order
    return tuple(by_id[name] for name in sorted(by_id))


def concerns(order: StandingOrder, directive: str, *, source: str = HERE) -> bool:
    """Whether the order is about this directive from this source."""
    return source in order.sources and (EVERY in order.directives or directive in order.directives)


def affected(plan: Plan) -> int:
    """Devices that the plan changes: those that lose an app, and those whose configuration alone changes."""
    return plan.counts.to_remove + plan.counts.block_only


def uncovered(order: StandingOrder, plan: Plan, now: datetime, *, source: str = HERE) -> Text | None:
    """Why the order does not cover the plan; None where it does."""
    if not concerns(order, plan.directive, source=source):
        return Text(
            f"standing order {order.id} is not about {plan.directive} from {source!r}",
            f"l'ordre permanent {order.id} ne vise pas {plan.directive} de « {source} »",
        )
    if not in_force(order, now):
        return Text(
            f"standing order {order.id} is not in force ({order.starts} to {order.until})",
            f"l'ordre permanent {order.id} n'est pas en vigueur (du {order.starts} au {order.until})",
        )
    if plan.follow_recommended and not order.recommended:
        return Text(
            f"standing order {order.id} is not for texts that only recommend",
            f"l'ordre permanent {order.id} ne vise pas les textes qui ne font que recommander",
        )
    return _beyond(order, plan)


def _beyond(order: StandingOrder, plan: Plan) -> Text | None:
    others = {verb for step in plan.steps for verb in step.verbs} - {*order.verbs, Verb.observe}
    if others:
        named = ", ".join(sorted(others))
        return Text(
            f"standing order {order.id} does not allow {named}",
            f"l'ordre permanent {order.id} n'autorise pas {named}",
        )
    count = affected(plan)
    if count > order.most_devices:
        return Text(
            f"{devices(count).en} would change; standing order {order.id} allows {order.most_devices}",
            f"{devices(count).fr} changeraient; l'ordre permanent {order.id} en autorise {order.most_devices}",
        )
    return None


def _invalid(order: StandingOrder, field: str, what: Text) -> InvalidStandingOrder:
    return InvalidStandingOrder(
        what,
        remedy=Text(
            "Correct the field and have the order signed again; 'proscribe schema proscribe.standing-order' shows it.",
            "Corrigez le champ et faites signer l'ordre de nouveau; « proscribe schema proscribe.standing-order » en "
            "affiche le schéma.",
        ),
        where=Where(file=order.id, field=field),
    )
