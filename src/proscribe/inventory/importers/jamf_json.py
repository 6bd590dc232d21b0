"""Jamf Pro API: ``GET /api/v2/mobile-devices/detail?section=GENERAL&section=HARDWARE&section=APPLICATIONS``.

Pages {"totalCount", "results": [...]}, arrays of pages or pages one after another. Fields as in the API's schemas
MobileDeviceIosInventory, MobileDeviceIosGeneral and MobileDeviceApplicationInventoryDetail (developer.jamf.com; read
through Yohan460/go-jamf-api:api/docs). Without section APPLICATIONS a device's list is unknown, which is not an empty
one. ``lastInventoryUpdateDate`` is when the device last answered the inventory query: it makes the list to answer, so
that is the time of the list. The department is ``userAndLocation.department``, or its id where the API gives only that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory import values
from proscribe.inventory.importers.base import Head, UnusableRecord, inner, items, json_records, lacking, text_of
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord, Freshness, InstallRecord
from proscribe.inventory.opening import Opened
from proscribe.inventory.sightings import NO_APP_REPORTS
from proscribe.terms import Enrolment, Held, Platform

NAME = "jamf-mobile-devices"
SYSTEM = "jamf"
MEMBER = "results"
_KNOWN = frozenset(
    [
        "mobileDeviceId",
        "deviceType",
        "hardware",
        "userAndLocation",
        "purchasing",
        "applications",
        "certificates",
        "profiles",
        "userProfiles",
        "extensionAttributes",
        "general",
        "security",
        "ebooks",
        "network",
        "serviceSubscriptions",
        "provisioningProfiles",
        "sharedUsers",
        "groups",
    ]
)
_USER_ENROLMENT = ("userenrollment", "accountdrivenuserenrollment", "personaldeviceprofile", "personal")


def recognises(head: Head) -> bool:
    """A mobile device id and one of the sections."""
    return head.kind == "json" and "mobileDeviceId" in head.keys and bool(head.keys & _KNOWN - {"mobileDeviceId"})


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every device."""
    for record in json_records(opened, frozenset({MEMBER}), intake):
        for name in record.value.keys() - _KNOWN:
            intake.unknown(name)
        try:
            device = _device(record.value)
        except UnusableRecord as error:
            intake.problem(record.number, error.where.field, error.what, error.remedy)
            continue
        intake.device(device)
        for entry in items(record.value, "applications") or ():
            identifier, name = text_of(entry, "identifier"), text_of(entry, "name")
            if not identifier and not name:
                absent = lacking("identifier")
                intake.problem(record.number, "applications.identifier", absent.what, absent.remedy)
                continue
            intake.install(
                InstallRecord(
                    device=device.key,
                    app=AppIdentity(device.platform, app_id=identifier, name=name),
                    held=held(text_of(entry, "managementStatus")),
                    version=text_of(entry, "shortVersion") or text_of(entry, "version"),
                )
            )


def held(status: str) -> Held:
    """The management status of an app in the words of the console and the API."""
    word = values.folded(status)
    if word in ("managed", "gere", "geree"):
        return Held.managed
    return Held.unmanaged if word in ("unmanaged", "notmanaged", "nongere", "nongeree") else Held.unknown


def enrolment(ownership: str, *, supervised: bool | None) -> Enrolment:
    """The enrolment class from the ownership type and supervision."""
    if values.folded(ownership) in _USER_ENROLMENT:
        return Enrolment.user_enrolment
    if supervised is None:
        return Enrolment.unknown
    return Enrolment.supervised if supervised else Enrolment.unsupervised


def _device(record: Mapping[str, Any]) -> DeviceRecord:
    identity = text_of(record, "mobileDeviceId")
    if not identity:
        raise lacking("mobileDeviceId")
    general, place = inner(record, "general"), inner(record, "userAndLocation")
    updated = values.moment(text_of(general, "lastInventoryUpdateDate"))
    kind = values.folded(text_of(record, "deviceType"))
    supervised = general.get("supervised")
    return DeviceRecord(
        key=f"{SYSTEM}:{identity}",
        system=SYSTEM,
        platform=Platform.ios if kind in ("ios", "ipados", "visionos") else Platform.unknown,
        enrolment=enrolment(
            text_of(general, "deviceOwnershipType"), supervised=supervised if isinstance(supervised, bool) else None
        ),
        os_version=text_of(general, "osVersion"),
        name=text_of(general, "displayName"),
        serial=text_of(inner(record, "hardware"), "serialNumber"),
        department=text_of(place, "department") or text_of(place, "departmentId"),
        scope=text_of(general, "siteId"),
        observed_at=updated,
        freshness=Freshness.imported if updated is None else Freshness.observed,
        remarks=() if items(record, "applications") is not None else (NO_APP_REPORTS,),
    )
