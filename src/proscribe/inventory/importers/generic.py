"""Our own documented table (docs/reference/formats.md), for every system that has no importer: its columns and words.

One row is one app on one device; device columns repeat on each row. ``generic_csv``, ``generic_jsonl`` and
``generic_parquet`` read it from their containers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory import values
from proscribe.inventory.importers import headers
from proscribe.inventory.importers.base import lacking
from proscribe.inventory.model import DeviceRecord, Freshness
from proscribe.inventory.sheets import Cells, Sheet
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text

SYSTEM = "generic"
DEVICE_COLUMNS = (
    "device",
    "system",
    "platform",
    "enrolment",
    "os_version",
    "name",
    "serial",
    "department",
    "scope",
    "observed_at",
    "reported_at",
)
APP_COLUMNS = ("platform", "app_id", "app_name", "signer", "store_id", "publisher")
MARK_COLUMNS = ("side", "held", "removed")
_T = TypeVar("_T")


def device(cells: Cells) -> DeviceRecord:
    """The device columns. Raises UnusableRecord without a device id."""
    if not cells["device"]:
        raise lacking("device")
    system = cells["system"] or SYSTEM
    observed = moment_of(cells, "observed_at")
    reported = moment_of(cells, "reported_at") if observed is None else None
    known = {observed is not None: Freshness.observed, reported is not None: Freshness.reported}
    return DeviceRecord(
        key=f"{system}:{cells['device']}",
        system=system,
        platform=_word(cells, "platform", values.platform(cells["platform"]), Platform.unknown),
        enrolment=_word(cells, "enrolment", values.enrolment(cells["enrolment"]), Enrolment.unknown),
        os_version=cells["os_version"],
        name=cells["name"],
        serial=cells["serial"],
        department=cells["department"],
        scope=cells["scope"],
        observed_at=observed or reported,
        freshness=known.get(True, Freshness.imported),
    )


def app(cells: Cells) -> AppIdentity | None:
    """The app columns; None on a row that names no app (it then only describes the device)."""
    if not cells["app_id"] and not cells["app_name"]:
        return None
    signer = values.certificate(cells["signer"]) or (cells["signer"] if _is_team(cells["signer"]) else "")
    if cells["signer"] and not signer:
        cells.fault(
            "signer",
            Text(
                "neither the SHA-256 of a certificate nor an Apple team id",
                "ni le SHA-256 d'un certificat, ni un identifiant d'équipe Apple",
            ),
            Text(
                "Give 64 hexadecimal digits, or the ten characters of the team id.",
                "Indiquez 64 chiffres hexadécimaux ou les dix caractères de l'identifiant d'équipe.",
            ),
        )
    return AppIdentity(
        platform=values.platform(cells["platform"]) or Platform.unknown,
        app_id=cells["app_id"],
        name=cells["app_name"],
        signer=signer,
        store_id=cells["store_id"],
        publisher=cells["publisher"],
    )


def marks(cells: Cells) -> tuple[Side, Held, bool]:
    """The columns that say how the app is there."""
    return (
        _word(cells, "side", values.side(cells["side"]), Side.unknown),
        _word(cells, "held", values.held(cells["held"]), Held.unknown),
        _word(cells, "removed", values.removed(cells["removed"]), default=False),
    )


def sheet() -> Sheet:
    """How rows of the generic table are read."""
    return Sheet(
        aliases=headers.aliases("generic"),
        device_columns=DEVICE_COLUMNS,
        app_columns=APP_COLUMNS,
        mark_columns=MARK_COLUMNS,
        device=device,
        app=app,
        marks=marks,
    )


def is_generic(columns: tuple[str, ...]) -> bool:
    """Whether a table has the columns that the generic one cannot do without."""
    found = headers.ours("generic", columns)
    return "device" in found and bool(found & {"app_id", "app_name"})


def cells_of(record: Mapping[str, object]) -> Cells:
    """A JSON record's plain values as cells, under our names."""
    known = headers.aliases("generic")
    found = {}
    for name, value in record.items():
        ours = known.get(values.folded(name))
        if ours is not None and value is not None and not isinstance(value, (dict, list)):
            found[ours] = values.whole(str(value).strip())
    return Cells(found)


def _is_team(text: str) -> bool:
    return len(text) == 10 and text.isascii() and text.isalnum() and text.upper() == text


def moment_of(cells: Cells, name: str) -> datetime | None:
    """A cell as a time; one that cannot be read is listed and counts as none."""
    found = values.moment(cells[name]) if cells[name] else None
    if cells[name] and found is None:
        cells.fault(
            name,
            Text(f"{cells[name]!r} is no time that can be read", f"{cells[name]!r} n'est pas une heure lisible"),
            Text(
                "Write times as 2026-11-01T09:30:00Z; 03/04/2026 could be two days.",
                "Écrivez les heures sous la forme 2026-11-01T09:30:00Z; 03/04/2026 peut désigner deux jours.",
            ),
        )
    return found


def _word(cells: Cells, name: str, value: _T | None, default: _T) -> _T:
    if value is not None:
        return value
    cells.fault(
        name,
        Text(f"the word {cells[name]!r} is not known", f"le mot {cells[name]!r} n'est pas connu"),
        Text(
            "Use a word of docs/reference/formats.md; until then it counts as unknown.",
            "Utilisez un mot de docs/reference/formats.md; d'ici là, la valeur est considérée comme inconnue.",
        ),
    )
    return default
