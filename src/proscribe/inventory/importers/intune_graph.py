"""Intune through Microsoft Graph v1.0: ``detectedApps`` with their ``managedDevices``, and ``managedDevices`` itself.

Read are pages ({"@odata.context", "value": [...]}), arrays of pages and pages one after another, in one file:

- ``GET /deviceManagement/detectedApps?$expand=managedDevices``: each app carries its devices;
- ``GET /deviceManagement/detectedApps`` followed by ``GET /deviceManagement/detectedApps/{id}/managedDevices`` for each
  app, whose ``@odata.context`` names the app;
- ``GET /deviceManagement/managedDevices``: ownership, supervision, serial number and time of the last sync.

Fields: microsoftgraph/microsoft-graph-docs-contrib, intune-devices-detectedapp and intune-devices-manageddevice.
``lastSyncDateTime`` is when the device last spoke to the service, not when it listed its apps: the list may be up to
seven days older (MicrosoftDocs/memdocs, app-discovered-apps). The department is ``deviceCategoryDisplayName``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory import values
from proscribe.inventory.importers.base import (
    Head,
    UnusableRecord,
    items,
    json_records,
    lacking,
    text_of,
)
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord, Freshness, InstallRecord
from proscribe.inventory.opening import Opened
from proscribe.terms import Enrolment, Platform
from proscribe.text import Text, devices

NAME = "intune-graph"
SYSTEM = "intune"
MEMBER = "value"
_APP_OF_PAGE = re.compile(r"detectedApps\('([^']+)'\)/managedDevices")
_APP_FIELDS = frozenset({"id", "displayName", "version", "publisher", "platform", "deviceCount", "sizeInByte"})
_ENROLMENTS = {
    "androidEnterpriseFullyManaged": Enrolment.fully_managed,
    "androidEnterpriseDedicatedDevice": Enrolment.fully_managed,
    "androidEnterpriseCorporateWorkProfile": Enrolment.cope,
    "appleUserEnrollment": Enrolment.user_enrolment,
    "appleUserEnrollmentWithServiceAccount": Enrolment.user_enrolment,
}
# What the service writes in operatingSystem for Android since it names the kind of management there.
_SYSTEMS = {
    "androidforwork": (Platform.android, Enrolment.byod),
    "androidpersonallyownedworkprofile": (Platform.android, Enrolment.byod),
    "androidcorporateownedworkprofile": (Platform.android, Enrolment.cope),
    "androidfullymanaged": (Platform.android, Enrolment.fully_managed),
    "androiddedicated": (Platform.android, Enrolment.fully_managed),
    "androidenterprise": (Platform.android, Enrolment.unknown),
}


def recognises(head: Head) -> bool:
    """Fields of a detected app or of a managed device."""
    if head.kind != "json":
        return False
    context = str(head.envelope.get("@odata.context", ""))
    if "deviceManagement/detectedApps" in context or "deviceManagement/managedDevices" in context:
        return True
    return (
        {"displayName", "deviceCount"} <= head.keys
        or {"displayName", "managedDevices"} <= head.keys
        or {"operatingSystem", "lastSyncDateTime"} <= head.keys
    )


def read(opened: Opened, intake: Intake) -> None:
    """Pass on devices and the apps on them. An app's page may come before or after the page of its devices."""
    apps: dict[str, tuple[AppIdentity, str]] = {}
    waiting: dict[str, list[str]] = {}  # app id -> device keys of its page, until the app itself is met
    for record in json_records(opened, frozenset({MEMBER}), intake):
        try:
            if _is_app(record.value):
                _read_app(record.value, apps, intake)
            else:
                app = _APP_OF_PAGE.search(str(record.envelope.get("@odata.context", "")))
                device = _device(record.value)
                intake.builder.sighting(device)
                if app:
                    waiting.setdefault(app.group(1), []).append(device.key)
        except UnusableRecord as error:
            intake.problem(record.number, error.where.field, error.what, error.remedy)
    for app_id, keys in waiting.items():
        if app_id in apps:
            for key in keys:
                _install(key, apps[app_id], intake)
        else:
            _list_orphans(app_id, len(keys), intake)


def _is_app(record: Mapping[str, Any]) -> bool:
    return "displayName" in record and "deviceName" not in record and "operatingSystem" not in record


def _read_app(record: Mapping[str, Any], apps: dict[str, tuple[AppIdentity, str]], intake: Intake) -> None:
    for name in record.keys() - _APP_FIELDS - {"managedDevices"}:
        if not name.startswith("@odata") and not name.startswith("managedDevices@"):
            intake.unknown(name)
    name = text_of(record, "displayName")
    if not name:
        raise lacking("displayName")
    platform = values.platform(text_of(record, "platform")) or Platform.unknown
    identity = AppIdentity(platform=platform, name=name, publisher=text_of(record, "publisher"))
    apps[text_of(record, "id")] = found = (identity, text_of(record, "version"))
    for entry in items(record, "managedDevices") or ():
        device = _device(entry, platform)
        intake.builder.sighting(device)
        _install(device.key, found, intake)


def _install(key: str, app: tuple[AppIdentity, str], intake: Intake) -> None:
    intake.install(InstallRecord(device=key, app=app[0], version=app[1]))


def _device(record: Mapping[str, Any], app_platform: Platform = Platform.unknown) -> DeviceRecord:
    """A managedDevice. Expanded under an app it may hold little more than an id."""
    identity = text_of(record, "id")
    if not identity:
        raise lacking("id")
    system = values.folded(text_of(record, "operatingSystem"))
    platform, hinted = _SYSTEMS.get(system, (values.platform(system) or Platform.unknown, Enrolment.unknown))
    synced = values.moment(text_of(record, "lastSyncDateTime"))
    owner = text_of(record, "managedDeviceOwnerType")
    return DeviceRecord(
        key=f"{SYSTEM}:{identity}",
        system=SYSTEM,
        platform=app_platform if platform is Platform.unknown else platform,
        enrolment=_enrolment(record, platform, hinted, owner),
        os_version=text_of(record, "osVersion"),
        name=text_of(record, "deviceName"),
        serial=text_of(record, "serialNumber"),
        department=text_of(record, "deviceCategoryDisplayName"),
        observed_at=synced,
        freshness=Freshness.imported if synced is None else Freshness.reported,
        remarks=(f"ownership:{owner}",) if owner in ("personal", "company") else (),
    )


def _enrolment(record: Mapping[str, Any], platform: Platform, hinted: Enrolment, owner: str) -> Enrolment:
    """The enrolment class. A personal, unsupervised Apple device counts as user enrolment: of such devices the service
    lists managed apps only, whichever way they were enrolled."""
    told = _ENROLMENTS.get(text_of(record, "deviceEnrollmentType"), hinted)
    if told is not Enrolment.unknown or platform is not Platform.ios:
        return told
    supervised = record.get("isSupervised")
    if supervised is True:
        return Enrolment.supervised
    if supervised is False and owner in ("personal", "company"):
        return Enrolment.user_enrolment if owner == "personal" else Enrolment.unsupervised
    return Enrolment.unknown


def _list_orphans(app_id: str, holders: int, intake: Intake) -> None:
    counted = devices(holders)
    intake.problem(
        0,
        "detectedApps",
        Text(
            f"this file does not describe the detected app {app_id}, on {counted.en}",
            f"ce fichier ne décrit pas l'application détectée {app_id}, présente sur {counted.fr}",
        ),
        Text(
            "Put the pages of detectedApps into the same file as the pages of their managedDevices.",
            "Placez les pages de detectedApps dans le même fichier que les pages de leurs managedDevices.",
        ),
    )
