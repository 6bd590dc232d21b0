"""Fleet: ``GET /api/v1/fleet/hosts?populate_software=true`` (fleetdm/fleet:docs/REST API).

Pages {"hosts": [...]}, arrays of pages or pages one after another; also {"host": {...}} of a single host. An entry of
``software`` names its package in ``bundle_identifier`` (Apple) or ``application_id`` (Android). A host without
``software`` was fetched without it, and its list is unknown. ``software_updated_at`` is when the device last answered
the query for its list, which it makes to answer; the department is ``team_name``.

Fleet's enrolment status does not tell supervision: "On (automatic)" is a device assigned in Apple Business, which is
supervised on enrolment; "On (personal)" is a person's own device; "On (manual)" may be either and stays unknown.
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
from proscribe.terms import Enrolment, Platform

NAME = "fleet-hosts"
SYSTEM = "fleet"
MEMBER = "hosts"
_TELLING = frozenset({"hardware_serial", "software_updated_at", "osquery_version", "detail_updated_at", "team_name"})
_SOURCES = {
    "ios_apps": Platform.ios,
    "ipados_apps": Platform.ios,
    "android_apps": Platform.android,
    "apps": Platform.macos,
    "programs": Platform.windows,
}
_PERSONAL = {Platform.ios: Enrolment.user_enrolment, Platform.android: Enrolment.byod}


def recognises(head: Head) -> bool:
    """Several fields of a host."""
    if head.kind != "json":
        return False
    host = head.record.get("host")
    keys = frozenset(host) if isinstance(host, dict) else head.keys
    return len(keys & _TELLING) >= 2


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every host."""
    for record in json_records(opened, frozenset({MEMBER}), intake):
        host = inner(record.value, "host") or record.value
        try:
            device = _device(host)
        except UnusableRecord as error:
            intake.problem(record.number, error.where.field, error.what, error.remedy)
            continue
        intake.device(device)
        for entry in items(host, "software") or ():
            identifier = text_of(entry, "bundle_identifier") or text_of(entry, "application_id")
            name = text_of(entry, "display_name") or text_of(entry, "name")
            if identifier or name:
                platform = _SOURCES.get(text_of(entry, "source"), device.platform)
                app = AppIdentity(platform, app_id=identifier, name=name, publisher=text_of(entry, "vendor"))
                intake.install(InstallRecord(device=device.key, app=app, version=text_of(entry, "version")))
            else:
                absent = lacking("name")
                intake.problem(record.number, "software.name", absent.what, absent.remedy)


def _device(host: Mapping[str, Any]) -> DeviceRecord:
    identity = text_of(host, "uuid") or text_of(host, "id")
    if not identity:
        raise lacking("uuid")
    platform = values.platform(text_of(host, "platform")) or Platform.unknown
    updated = values.moment(text_of(host, "software_updated_at"))
    return DeviceRecord(
        key=f"{SYSTEM}:{identity}",
        system=SYSTEM,
        platform=platform,
        enrolment=_enrolment(text_of(inner(host, "mdm"), "enrollment_status"), platform),
        os_version=_version(text_of(host, "os_version")),
        name=text_of(host, "display_name") or text_of(host, "computer_name"),
        serial=text_of(host, "hardware_serial"),
        department=text_of(host, "team_name"),
        scope=text_of(host, "team_id"),
        observed_at=updated,
        freshness=Freshness.imported if updated is None else Freshness.observed,
        remarks=() if items(host, "software") is not None else (NO_APP_REPORTS,),
    )


def _enrolment(status: str, platform: Platform) -> Enrolment:
    word = values.folded(status)
    if word == "onautomatic" and platform is Platform.ios:
        return Enrolment.supervised
    if word == "onpersonal":
        return _PERSONAL.get(platform, Enrolment.unknown)
    return Enrolment.unmanaged if word == "off" else Enrolment.unknown


def _version(text: str) -> str:
    """The number of e.g. "iOS 18.5" or "Android 15"."""
    first, _, rest = text.rpartition(" ")
    return rest if first and rest[:1].isdigit() else text
