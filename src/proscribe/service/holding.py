"""Records holds: named devices from which nothing is removed until the hold is released.

No inventory here says whose a device is. A hold on a user's records is therefore placed on the devices that a list from
whoever hands them out names for a pseudonym or an account key; the list is read and not kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from proscribe.errors import Where
from proscribe.files import read_text
from proscribe.plan.exemptions import is_device_key
from proscribe.plan.holds import InvalidHold, check_user, check_words, validate
from proscribe.plan.model import Hold
from proscribe.prove.model import EntryKind
from proscribe.service import inventory
from proscribe.service.installation import Installation
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class UserDevices:
    """The devices that a list names for one user: the keys to hold, and what the newest snapshot does not know.

    A key that is not known yet is held all the same, from the moment it is seen; a serial number cannot be.
    """

    user: str
    devices: tuple[str, ...]
    not_found: tuple[str, ...]  # keys and serial numbers, as the list gives them


def devices_of(installation: Installation, user: str, listing: Path) -> UserDevices:
    """Look up a user's devices in a CSV file with the columns ``user``, and ``device`` (a key) or ``serial``.

    Raises InvalidHold (no such user, no such column, a reference that could be a name) or UnreadableFile.
    """
    check_user(listing.name, user)
    known = inventory.device_keys(installation) or frozenset()
    by_serial = inventory.keys_by_serial(installation)
    keys: dict[str, None] = {}
    lacking: dict[str, None] = {}
    rows = [row for row in _rows(listing) if row["user"] == user]
    for row in rows:
        key = row["device"] or by_serial.get(row["serial"], "")
        if is_device_key(key):
            keys[key] = None
        if key not in known:
            lacking[row["device"] or row["serial"]] = None
    if not keys:
        raise InvalidHold(
            Text(f"it names no known device of {user}", f"il ne nomme aucun appareil connu de {user}"),
            remedy=Text(
                "Check the reference and the list; observe the fleet first where serial numbers are given.",
                "Vérifiez la référence et la liste; observez d'abord le parc si elle donne des numéros de série.",
            ),
            where=Where(file=str(listing)),
        )
    return UserDevices(user, tuple(keys), tuple(lacking))


def _rows(listing: Path) -> Iterator[dict[str, str]]:
    text = read_text(listing)
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    columns = {name.strip().casefold(): name for name in reader.fieldnames or ()}
    if "user" not in columns or not columns.keys() & {"device", "serial"}:
        raise InvalidHold(
            Text(
                "it lacks the columns user, and device or serial", "il y manque les colonnes user, et device ou serial"
            ),
            remedy=Text(
                "Name the columns so in the first line: user,device or user,serial.",
                "Nommez ainsi les colonnes à la première ligne\u00a0: user,device ou user,serial.",
            ),
            where=Where(file=str(listing), row=1),
        )
    try:
        for row in reader:
            yield {name: (row.get(columns.get(name, "")) or "").strip() for name in ("user", "device", "serial")}
    except csv.Error as error:
        raise InvalidHold(
            Text(f"it is not a table: {error}", f"ce n'est pas un tableau\u00a0: {error}"),
            remedy=Text("Export it anew as CSV.", "Exportez-le de nouveau au format CSV."),
            where=Where(file=str(listing), row=reader.line_num + 1),
        ) from error


def place(installation: Installation, hold: Hold) -> bool:
    """Record a hold; False where the very same one is known. Raises InvalidHold or HoldExists."""
    validate(hold)
    with installation.atomic():
        added = installation.stores.holds.add(hold, at=installation.clock.now())
        if added:
            # Devices are counted, not named: the ledger goes into bundles that leave the organisation.
            installation.record(
                EntryKind.hold,
                hold.id,
                event="placed",
                authority=hold.authority,
                placed_by=hold.placed_by,
                starts=hold.starts.isoformat(),
                devices=len(hold.devices),
                **({"about": "user"} if hold.user else {}),
            )
    return added


def not_seen(installation: Installation, hold: Hold) -> tuple[str, ...]:
    """The devices of a hold that the newest snapshot does not hold: a misspelt key protects nothing."""
    known = inventory.device_keys(installation)
    return () if known is None else tuple(device for device in hold.devices if device not in known)


def release(installation: Installation, hold_id: str, *, disposal_authority: str, released_by: str = "") -> bool:
    """Release a hold now, so that removal may go on; False where it had been released.

    Raises NotStored, or InvalidHold where no authority is named or the words name a person.

    ``disposal_authority``: under what the records may now be disposed of; removing an app deletes its data.
    """
    if not disposal_authority.strip():
        raise InvalidHold(
            Text(
                "nothing says under what the records may now be disposed of",
                "rien n'indique en vertu de quoi les documents peuvent maintenant être éliminés",
            ),
            remedy=Text(
                "Name it with --disposal-authority: removing the app deletes its data.",
                "Indiquez-le avec --disposal-authority\u00a0: le retrait de l'application en supprime les données.",
            ),
            where=Where(file=hold_id, field="disposal_authority"),
        )
    said = {"released_by": released_by, "disposal_authority": disposal_authority}
    user = next((one.user for one, _ in listed(installation) if one.id == hold_id), "")
    check_words(hold_id, user, **said)
    with installation.atomic():
        released = installation.stores.holds.release(hold_id, at=installation.clock.now())
        if released:
            given = {name: value for name, value in said.items() if value}
            installation.record(EntryKind.hold, hold_id, event="released", **given)
    return released


def listed(installation: Installation) -> tuple[tuple[Hold, datetime | None], ...]:
    """Every hold ever recorded, with the moment it was released."""
    return installation.stores.holds.all()
