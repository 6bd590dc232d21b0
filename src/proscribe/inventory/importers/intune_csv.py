"""Intune report ``AppInvRawData`` as CSV: one row an app on a device, for the whole tenant.

Columns (MicrosoftDocs/memdocs, "Available Intune reports", AppInvRawData; asked for by
``POST /deviceManagement/reports/exportJobs``): ApplicationKey, ApplicationName, ApplicationPublisher,
ApplicationShortVersion, ApplicationVersion, DeviceId, DeviceName, OSDescription, OSVersion, Platform, UserId,
EmailAddress, UserName. The report has neither package name nor bundle id, so apps match by name alone, and neither
enrolment nor time: give the ``managedDevices`` JSON beside it. The columns about people are not read.
"""

from __future__ import annotations

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory import values
from proscribe.inventory.csvblocks import Blocks, read_table
from proscribe.inventory.importers import headers
from proscribe.inventory.importers.base import Head, lacking
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord
from proscribe.inventory.opening import Opened
from proscribe.inventory.sheets import Cells, Sheet, SheetReader
from proscribe.terms import Enrolment, Held, Platform, Side

NAME = "intune-appinvrawdata"
SYSTEM = "intune"


def recognises(head: Head) -> bool:
    """An application name and a device id under Intune's names, and one column that no other table has."""
    if head.kind != "table":
        return False
    folded = {values.folded(name) for name in head.columns}
    found = headers.ours("intune", head.columns)
    return {"device", "app_name"} <= found and bool(
        folded & {"applicationkey", "applicationpublisher", "applicationname", "cledapplication"}
    )


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every row."""
    sheet = Sheet(
        aliases=headers.aliases("intune"),
        device_columns=("device", "name", "os_version", "platform"),
        app_columns=("platform", "app_name", "publisher"),
        mark_columns=(),
        device=_device,
        app=_app,
        marks=lambda _cells: (Side.unknown, Held.unknown, False),
        ignored=headers.ignored("intune"),
    )
    table = read_table(opened)
    reader = SheetReader(sheet, intake)
    for block, rows in Blocks(opened, table, sheet.columns(table.columns, intake), intake):
        reader.feed(block, rows)
    reader.flush()


def _device(cells: Cells) -> DeviceRecord:
    if not cells["device"]:
        raise lacking("DeviceId")
    return DeviceRecord(
        key=f"{SYSTEM}:{cells['device']}",
        system=SYSTEM,
        platform=values.platform(cells["platform"]) or Platform.unknown,
        enrolment=Enrolment.unknown,
        os_version=cells["os_version"],
        name=cells["name"],
    )


def _app(cells: Cells) -> AppIdentity | None:
    if not cells["app_name"]:
        raise lacking("ApplicationName")
    return AppIdentity(
        platform=values.platform(cells["platform"]) or Platform.unknown,
        name=cells["app_name"],
        publisher=cells["publisher"],
    )
