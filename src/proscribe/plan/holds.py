"""Records holds: devices from which nothing is removed, because removing an app deletes its data (DESIGN rule 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from proscribe.clock import utc
from proscribe.errors import ProscribeError, Where
from proscribe.plan.exemptions import is_device_key
from proscribe.plan.model import Hold
from proscribe.text import Text

_REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
"""A pseudonym or an account key: no space and no @, so that neither a name nor an address is kept by mistake."""


class InvalidHold(ProscribeError):
    """A records hold that does not say what it protects, or on what authority."""

    code: ClassVar[str] = "plan.hold"


def validate(hold: Hold) -> None:
    """Check a hold that is about to be placed. Raises InvalidHold for the first thing that is wrong."""
    if not hold.devices:
        raise _invalid(
            hold,
            "devices",
            Text("it names no device", "elle ne nomme aucun appareil"),
            Text("Name each device by its key, <system>:<id>.", "Nommez chaque appareil par sa clé, <système>:<id>."),
        )
    for key in hold.devices:
        if not is_device_key(key):
            raise _invalid(
                hold,
                "devices",
                Text(f"{key!r} does not name one device", f"{key!r} ne nomme pas un seul appareil"),
                Text(
                    "Name each device by its key, <system>:<id>; patterns are not accepted.",
                    "Nommez chaque appareil par sa clé, <système>:<id>; les clés à caractères génériques ne sont "
                    "pas acceptées.",
                ),
            )
    if hold.user:
        check_user(hold.id, hold.user)
    check_words(hold.id, hold.user, id=hold.id, authority=hold.authority, placed_by=hold.placed_by)
    for field, value in (("authority", hold.authority), ("placed_by", hold.placed_by)):
        if not value.strip():
            raise _invalid(
                hold,
                field,
                Text("missing or empty", "absent ou vide"),
                Text(
                    "Say what requires the records to be kept, and which role places the hold.",
                    "Indiquez ce qui exige la conservation des documents et quel rôle ordonne la mise en suspens.",
                ),
            )


def check_words(hold_id: str, user: str, **words: str) -> None:
    """Words that go into the ledger, and with it to others, name nobody: no address, and not the user held for.

    Raises InvalidHold.
    """
    for field, value in words.items():
        if "@" in value or (user and user.casefold() in value.casefold()):
            raise InvalidHold(
                Text(
                    "it names a person, and would stand in the ledger",
                    "il nomme une personne, et figurerait au registre",
                ),
                remedy=Text(
                    "Give the number of the file or request; whose records they are stands in --user alone.",
                    "Indiquez le numéro du dossier ou de la demande; de qui sont les documents n'est dit qu'à --user.",
                ),
                where=Where(file=hold_id, field=field),
            )


def check_user(hold_id: str, user: str) -> None:
    """Check a reference to the user whose records are to be kept. Raises InvalidHold."""
    if not _REFERENCE.fullmatch(user):
        raise InvalidHold(
            Text(
                f"{user!r} is not a reference to a user", f"«\u00a0{user}\u00a0» n'est pas une référence d'utilisateur"
            ),
            remedy=Text(
                "Give a pseudonym or an account key, in letters, digits, '.', '_' and '-'; names and addresses are not "
                "kept here.",
                "Indiquez un pseudonyme ou une clé de compte, en lettres sans accent, chiffres, '.', '_' et '-'; ni "
                "noms ni adresses ne sont conservés ici.",
            ),
            where=Where(file=hold_id, field="user"),
        )


def in_force(hold: Hold, now: datetime) -> bool:
    """Whether the hold has begun; it ends only when it is released."""
    return hold.starts <= utc(now).date()


def held_devices(holds: Iterable[Hold], aliases: Mapping[str, tuple[str, ...]], now: datetime) -> dict[str, Hold]:
    """Device key to the hold on it, under whichever of its keys the hold names it; of several, the oldest."""
    named: dict[str, Hold] = {}
    for hold in sorted((one for one in holds if in_force(one, now)), key=lambda one: (one.starts, one.id)):
        for device in hold.devices:
            named.setdefault(device, hold)
    found = dict(named)
    for device, others in aliases.items():
        keys = (device, *others)
        oldest = next((named[key] for key in keys if key in named), None)
        if oldest is not None:
            found.update((key, found.get(key, oldest)) for key in keys)
    return found


def _invalid(hold: Hold, field: str, what: Text, remedy: Text) -> InvalidHold:
    return InvalidHold(what, remedy=remedy, where=Where(file=hold.id, field=field))
