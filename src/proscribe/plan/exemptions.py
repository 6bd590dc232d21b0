"""Exemptions: named devices that keep an app for a stated ground until a date (governance.md sections 3 and 7).

A blanket exemption is not one: nothing but named devices is accepted, and nobody approves their own request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import ClassVar

from proscribe.clock import utc
from proscribe.directive.model import Directive
from proscribe.errors import ProscribeError, Where
from proscribe.plan.model import Exemption, ExemptionRegister
from proscribe.text import Text, days

MAX_DAYS = 366
"""No exemption lasts longer, whatever the directive says: a year, leap years included."""

_DEVICE_KEY = re.compile(r"[^\s\x00-\x1f\x7f:*?\[\]%]+:[^\s\x00-\x1f\x7f*?\[\]%]+")
_ENTITIES = frozenset({"department", "scope", "policy", "group", "entity", "all", "everyone", "tous"})


_Fault = Callable[[str, Text, Text], None]


class InvalidExemption(ProscribeError):
    """An exemption that the rules do not allow; it neither protects a device nor is it passed over in silence."""

    code: ClassVar[str] = "plan.exemption"


def problems(exemption: Exemption, directive: Directive) -> list[InvalidExemption]:
    """Everything about ``exemption`` that the rules do not allow, whatever the day; empty when it is in order."""
    found: list[InvalidExemption] = []

    def fault(field: str, what: Text, remedy: Text) -> None:
        found.append(InvalidExemption(what, remedy=remedy, where=Where(file=exemption.id, field=field)))

    if exemption.directive != directive.id:
        fault(
            "directive",
            Text(
                f"it is about {exemption.directive!r}, not {directive.id!r}",
                f"elle vise {exemption.directive!r} et non {directive.id!r}",
            ),
            Text("Name the directive that the exemption is from.", "Nommez la directive visée par l'exemption."),
        )
    if not exemption.devices:
        fault(
            "devices",
            Text("it names no device", "elle ne nomme aucun appareil"),
            Text("Name each device by its key, <system>:<id>.", "Nommez chaque appareil par sa clé, <système>:<id>."),
        )
    for key in exemption.devices:
        if not is_device_key(key):
            fault(
                "devices",
                Text(f"{key!r} does not name one device", f"{key!r} ne nomme pas un seul appareil"),
                Text(
                    "Name each device by its key, <system>:<id>; patterns and whole entities are not accepted.",
                    "Nommez chaque appareil par sa clé, <système>:<id>; ni les clés à caractères "
                    "génériques ni les organisations entières ne sont acceptées.",
                ),
            )
    _check_ground(exemption, directive, fault)
    requested, approved = exemption.requested_by.strip(), exemption.approved_by.strip()
    if not requested:
        fault(
            "requested_by",
            Text("nobody requested it", "personne ne l'a demandée"),
            Text("Name the role that requested it.", "Nommez le rôle qui l'a demandée."),
        )
    if not approved:
        fault(
            "approved_by",
            Text("nobody approved it", "personne ne l'a approuvée"),
            Text("Name the role that approved it.", "Nommez le rôle qui l'a approuvée."),
        )
    elif approved.casefold() == requested.casefold():
        fault(
            "approved_by",
            Text("it was approved by who requested it", "elle a été approuvée par la personne qui l'a demandée"),
            Text("Have somebody else approve it.", "Faites-la approuver par une autre personne."),
        )
    _check_time(exemption, directive, fault)
    return found


def is_device_key(key: str) -> bool:
    """Whether ``key`` can name one device: ``<system>:<id>``, no pattern, no entity."""
    return bool(_DEVICE_KEY.fullmatch(key)) and key.partition(":")[0].casefold() not in _ENTITIES


def in_force(exemption: Exemption, now: datetime) -> bool:
    """Whether ``now`` lies within the exemption; its last day (UTC) is still within."""
    return exemption.starts <= utc(now).date() <= exemption.expires


def validate(exemption: Exemption, directive: Directive, now: datetime) -> None:
    """Check an exemption that is about to be granted. Raises InvalidExemption for the first thing that is wrong."""
    faults = problems(exemption, directive)
    if not faults and utc(now).date() > exemption.expires:
        faults.append(
            InvalidExemption(
                Text(f"it expired on {exemption.expires}", f"elle a expiré le {exemption.expires}"),
                remedy=Text("Give an expiry date that is yet to come.", "Indiquez une date d'expiration à venir."),
                where=Where(file=exemption.id, field="expires"),
            )
        )
    if faults:
        raise faults[0]


def active(register: ExemptionRegister, directive: Directive, now: datetime) -> tuple[Exemption, ...]:
    """The exemptions from ``directive`` in force at ``now``, in the order of the register.

    Raises InvalidExemption where one of that directive is not in order: passing it over would touch a device that
    somebody believes exempt, and honouring it would let a blanket exemption through.
    """
    concerned = [exemption for exemption in register.exemptions if exemption.directive == directive.id]
    for exemption in concerned:
        faults = problems(exemption, directive)
        if faults and utc(now).date() <= exemption.expires:
            raise faults[0]
    return tuple(exemption for exemption in concerned if in_force(exemption, now))


def exempt_devices(exemptions: Iterable[Exemption]) -> dict[str, Exemption]:
    """Device key to the exemption that protects it; where several do, the one that lasts longest."""
    by_device: dict[str, Exemption] = {}
    for exemption in sorted(exemptions, key=lambda one: (one.expires, one.id)):
        by_device.update(dict.fromkeys(exemption.devices, exemption))
    return by_device


def _check_ground(exemption: Exemption, directive: Directive, fault: _Fault) -> None:
    grounds = directive.exceptions.grounds
    given = exemption.ground.strip().casefold()
    if not given:
        fault(
            "ground",
            Text("it states no ground", "elle n'énonce aucun motif"),
            Text("State why the devices need the app.", "Indiquez pourquoi ces appareils ont besoin de l'application."),
        )
    elif grounds and given not in {word.strip().casefold() for ground in grounds for word in (ground.en, ground.fr)}:
        listed = Text("; ".join(ground.en for ground in grounds), "; ".join(ground.fr for ground in grounds))
        fault(
            "ground",
            Text(
                f"{exemption.ground!r} is not a ground of {directive.id}",
                f"{exemption.ground!r} n'est pas un motif de {directive.id}",
            ),
            Text(f"The directive allows: {listed.en}.", f"La directive admet : {listed.fr}."),
        )


def _check_time(exemption: Exemption, directive: Directive, fault: _Fault) -> None:
    length = (exemption.expires - exemption.starts).days
    most = min(MAX_DAYS, directive.exceptions.max_days)
    if length < 0:
        fault(
            "expires",
            Text("it expires before it starts", "elle expire avant de commencer"),
            Text("Correct the dates.", "Corrigez les dates."),
        )
    elif length > most:
        fault(
            "expires",
            Text(
                f"it lasts {days(length).en}; the limit is {days(most).en}",
                f"elle dure {days(length).fr}; la limite est de {days(most).fr}",
            ),
            Text(
                "Give an earlier expiry date, and renew it when it is due.",
                "Indiquez une date d'expiration plus proche, et renouvelez-la à l'échéance.",
            ),
        )
