"""Jamf Pro: export of an advanced mobile device search, or of mobile device inventory, with the app columns displayed.

One row an app on a device; the device columns repeat. Column titles are those of the console (``data/headers.toml``
lists the ones known, in English and French); which of them a file has is up to whoever saved the search. Needed are a
device column (Jamf Pro ID, UDID or Serial Number) and App Name or App Identifier. Columns about people are not read.
No live console was at hand to check the titles against: a title that differs shows up among the unknown columns.
"""

from __future__ import annotations

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory import values
from proscribe.inventory.csvblocks import Blocks, read_table
from proscribe.inventory.importers import headers, jamf_json
from proscribe.inventory.importers.base import Head, lacking
from proscribe.inventory.importers.generic import moment_of
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord, Freshness
from proscribe.inventory.opening import Opened
from proscribe.inventory.sheets import Cells, Sheet, SheetReader
from proscribe.terms import Held, Platform, Side

NAME = "jamf-csv"
SYSTEM = jamf_json.SYSTEM
_DEVICE = ("device", "udid", "serial")


def recognises(head: Head) -> bool:
    """A device and an app column under the console's titles, and a title that only this console has."""
    if head.kind != "table":
        return False
    folded = {values.folded(name) for name in head.columns}
    found = headers.ours("jamf", head.columns)
    telling = {
        "jamfproid",
        "jssmobiledeviceid",
        "idjamfpro",
        "lastinventoryupdate",
        "appmanagementstatus",
        "supervised",
    }
    telling |= {"supervise", "dernieremiseajourdelinventaire"}
    return bool(found & set(_DEVICE)) and bool(found & {"app_id", "app_name"}) and bool(folded & telling)


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every row."""
    sheet = Sheet(
        aliases=headers.aliases("jamf"),
        device_columns=(
            *_DEVICE,
            "name",
            "model",
            "os_type",
            "os_version",
            "department",
            "scope",
            "supervised",
            "ownership",
            "observed_at",
        ),
        app_columns=("os_type", "app_id", "app_name"),
        mark_columns=("held",),
        device=_device,
        app=_app,
        marks=_marks,
        ignored=headers.ignored("jamf"),
    )
    table = read_table(opened)
    reader = SheetReader(sheet, intake)
    for block, rows in Blocks(opened, table, sheet.columns(table.columns, intake), intake):
        reader.feed(block, rows)
    reader.flush()


def _device(cells: Cells) -> DeviceRecord:
    identity = next((cells[name] for name in _DEVICE if cells[name]), "")
    if not identity:
        raise lacking("Serial Number")
    updated = moment_of(cells, "observed_at")
    supervised = values.removed(cells["supervised"]) if cells["supervised"] else None
    return DeviceRecord(
        key=f"{SYSTEM}:{identity}",
        system=SYSTEM,
        platform=_platform(cells),
        enrolment=jamf_json.enrolment(cells["ownership"], supervised=supervised),
        os_version=cells["os_version"],
        name=cells["name"],
        serial=cells["serial"],
        department=cells["department"],
        scope=cells["scope"],
        observed_at=updated,
        freshness=Freshness.imported if updated is None else Freshness.observed,
    )


def _platform(cells: Cells) -> Platform:
    """Mobile devices of this system are iPhones and iPads, unless the type says Apple TV or Watch."""
    kind = cells["os_type"]
    return Platform.ios if not kind else values.platform(kind) or Platform.unknown


def _app(cells: Cells) -> AppIdentity | None:
    if not cells["app_id"] and not cells["app_name"]:
        return None
    return AppIdentity(_platform(cells), app_id=cells["app_id"], name=cells["app_name"])


def _marks(cells: Cells) -> tuple[Side, Held, bool]:
    return Side.unknown, jamf_json.held(cells["held"]), False
