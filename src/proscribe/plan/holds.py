"""Records holds: devices from which nothing is removed, because removing an app deletes its data (DESIGN rule 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from proscribe.clock import utc
from proscribe.errors import ProscribeError, Where
from proscribe.plan.exemptions import is_device_key
from proscribe.plan.model import Hold
from proscribe.text import Text


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
