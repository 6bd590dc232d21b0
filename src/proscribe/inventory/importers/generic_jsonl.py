"""The generic table as JSON: one object a line (or an array of them), with the columns as fields.

A device may also carry its apps: ``{"device": ..., "apps": [{"app_id": ...}, ...]}``; an empty list then says that the
device lists no apps, which no table can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory.importers import generic, headers
from proscribe.inventory.importers.base import Head, UnusableRecord, items, json_records
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import InstallRecord
from proscribe.inventory.opening import Opened
from proscribe.inventory.sheets import Cells
from proscribe.inventory.values import folded

NAME = "generic-jsonl"
_APPS = "apps"


def recognises(head: Head) -> bool:
    """A device field, and an app field or a list of apps."""
    if head.kind != "json":
        return False
    found = headers.ours("generic", tuple(head.keys))
    return "device" in found and bool(found & {"app_id", "app_name"} or _APPS in head.keys)


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every record."""
    for record in json_records(opened, frozenset({"devices", "installs"}), intake):
        for name in record.value:
            if folded(name) not in headers.aliases("generic") and name != _APPS:
                intake.unknown(name)
        cells = generic.cells_of(record.value)
        try:
            device = generic.device(cells)
        except UnusableRecord as error:
            intake.problem(record.number, error.where.field, error.what, error.remedy)
            continue
        sighting = intake.builder.sighting(device)
        apps = items(record.value, _APPS)
        if apps is not None:
            intake.builder.count(sighting, 0)
        for entry in [record.value] if apps is None else apps:
            _install(device.key, entry, record.value, cells, intake)
        for name, what, remedy in cells.faults:
            intake.problem(record.number, name, what, remedy)


def _install(key: str, entry: Mapping[str, Any], record: Mapping[str, Any], faults: Cells, intake: Intake) -> None:
    cells = generic.cells_of({**{name: record[name] for name in record if folded(name) == "platform"}, **entry})
    app: AppIdentity | None = generic.app(cells)
    if app is not None:
        side, held, removed = generic.marks(cells)
        intake.install(InstallRecord(key, app, side, held, cells["version"], removed))
    faults.faults.extend(cells.faults)
