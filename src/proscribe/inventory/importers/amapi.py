"""Android Management API: pages of ``enterprises.devices.list``, as they come from the wire.

One page, an array of pages, pages one after another, or one device a line. Field names and values are those of the
discovery document ``androidmanagement`` v1 (schemas Device, ApplicationReport, ApplicationSigningKeyCert,
NonComplianceDetail); enrolment follows from ``managementMode`` and ``ownership``. The connector reads its pages with
:func:`device_record` too.

The department is taken from ``enrollmentTokenData``, the only field of a device that an organisation fills in itself:
a JSON object with a ``department``, e.g. ``{"department": "Charts"}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory import values
from proscribe.inventory.importers.base import (
    Head,
    UnusableRecord,
    inner,
    items,
    json_records,
    lacking,
    text_of,
)
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord, Freshness, InstallRecord
from proscribe.inventory.opening import Opened
from proscribe.inventory.sightings import NO_APP_REPORTS
from proscribe.terms import Enrolment, Held, Platform, Side

NAME = "amapi-devices"
SYSTEM = "amapi"
MEMBER = "devices"

_TELLING = frozenset(
    {"managementMode", "applicationReports", "appliedPolicyName", "policyName", "lastStatusReportTime", "apiLevel"}
)
_ENROLMENTS = {
    ("DEVICE_OWNER", "COMPANY_OWNED"): Enrolment.fully_managed,
    ("DEVICE_OWNER", "OWNERSHIP_UNSPECIFIED"): Enrolment.fully_managed,
    ("DEVICE_OWNER", ""): Enrolment.fully_managed,
    ("PROFILE_OWNER", "COMPANY_OWNED"): Enrolment.cope,
    ("PROFILE_OWNER", "PERSONALLY_OWNED"): Enrolment.byod,
}
_SIDES = {"DEVICE_OWNER": Side.whole, "PROFILE_OWNER": Side.work}
_HELD = {
    "SYSTEM_APP_FACTORY_VERSION": Held.system,
    "SYSTEM_APP_UPDATED_VERSION": Held.system,
    "CUSTOM": Held.managed,  # installed by a management command
    "APPLICATION_SOURCE_UNSPECIFIED": Held.unmanaged,  # the discovery document: sideloaded
}
_COUNT = re.compile(r"[0-9]{1,18}")  # more would not fit the snapshot's column
KNOWN_FIELDS = frozenset(
    [
        "apiLevel",
        "applicationReports",
        "appliedPasswordPolicies",
        "appliedPolicyName",
        "appliedPolicyVersion",
        "appliedState",
        "commonCriteriaModeInfo",
        "defaultApplicationInfo",
        "deviceSettings",
        "disabledReason",
        "displays",
        "dpcMigrationInfo",
        "enrollmentTime",
        "enrollmentTokenData",
        "enrollmentTokenName",
        "hardwareInfo",
        "hardwareStatusSamples",
        "lastPolicyComplianceReportTime",
        "lastPolicySyncTime",
        "lastStatusReportTime",
        "managementMode",
        "memoryEvents",
        "memoryInfo",
        "name",
        "networkInfo",
        "nonComplianceDetails",
        "ownership",
        "policyCompliant",
        "policyName",
        "powerManagementEvents",
        "previousDeviceNames",
        "securityPosture",
        "softwareInfo",
        "state",
        "systemProperties",
        "user",
        "userName",
    ]
)
"""The fields of a Device in the discovery document; any other is counted as unknown."""


def recognises(head: Head) -> bool:
    """A device resource name, or several fields that only this API has."""
    if head.kind != "json":
        return False
    name = head.record.get("name")
    if isinstance(name, str) and name.startswith("enterprises/") and "/devices/" in name:
        return True
    return len(head.keys & _TELLING) >= 2


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every device of every page.

    A device that is as the discovery document describes it goes the quick way (``amapi_quick``); one that departs from
    it in any respect is read here. Both ways give the same.
    """
    from proscribe.inventory.importers.amapi_quick import QuickReader

    quick = QuickReader(intake)
    for record in json_records(opened, frozenset({MEMBER}), intake, quick=quick.decode):
        if record.quick:
            quick.take(record.value)
            continue
        for field in record.value.keys() - KNOWN_FIELDS:
            intake.unknown(field)
        try:
            device, installs = device_record(record.value)
        except UnusableRecord as error:
            intake.problem(record.number, error.where.field, error.what, error.remedy)
            continue
        for report in items(record.value, "applicationReports") or ():
            if not text_of(report, "packageName"):
                absent = lacking("packageName")
                intake.problem(record.number, "applicationReports.packageName", absent.what, absent.remedy)
        intake.device(device)
        for install in installs:
            intake.install(install)


def device_record(device: Mapping[str, Any]) -> tuple[DeviceRecord, list[InstallRecord]]:
    """One Device of the API as our records. Raises UnusableRecord when it has no name.

    A device without ``applicationReports`` carries the remark ``no-app-reports``: the API leaves the field out when
    reporting is off, so its inventory is unknown. Other remarks: ``noncompliant:<reason>:<package or setting>`` for
    every NonComplianceDetail and ``state:<DeviceState>`` for a device that is not ACTIVE.
    """
    reports = items(device, "applicationReports")
    record = described(device, no_reports=reports is None)
    side = side_of(device)
    installs = []
    for report in reports or ():
        package = text_of(report, "packageName")
        if package:
            installs.append(install_of(record.key, side, package, report))
    return record, installs


DESCRIBING = (
    "appliedPolicyName",
    "appliedPolicyVersion",
    "appliedState",
    "enrollmentTokenData",
    "hardwareInfo",
    "lastStatusReportTime",
    "managementMode",
    "name",
    "nonComplianceDetails",
    "ownership",
    "policyName",
    "softwareInfo",
    "state",
)
"""The fields of a Device that ``described`` and ``side_of`` look at."""


def described(device: Mapping[str, Any], *, no_reports: bool) -> DeviceRecord:
    """A Device without its apps. Raises UnusableRecord when it has no name."""
    name = text_of(device, "name")
    if not name:
        raise lacking("name")
    reported = values.moment(text_of(device, "lastStatusReportTime"))
    hardware = inner(device, "hardwareInfo")
    applied_version = text_of(device, "appliedPolicyVersion")
    mode, ownership = text_of(device, "managementMode"), text_of(device, "ownership")
    return DeviceRecord(
        key=f"{SYSTEM}:{name}",
        system=SYSTEM,
        platform=Platform.android,
        enrolment=_ENROLMENTS.get((mode, ownership), Enrolment.unknown),
        os_version=text_of(inner(device, "softwareInfo"), "androidVersion"),
        name=text_of(hardware, "model"),
        serial=text_of(hardware, "serialNumber"),
        department=_department(text_of(device, "enrollmentTokenData")),
        scope=text_of(device, "policyName"),
        observed_at=reported,
        freshness=Freshness.observed if reported is not None else Freshness.imported,
        applied_scope=text_of(device, "appliedPolicyName"),
        applied_version=int(applied_version) if _COUNT.fullmatch(applied_version) else 0,
        remarks=tuple(_remarks(device, no_reports)),
    )


def side_of(device: Mapping[str, Any]) -> Side:
    """Which side of the device its app list is of."""
    return _SIDES.get(text_of(device, "managementMode"), Side.unknown)


def install_of(key: str, side: Side, package: str, report: Mapping[str, Any]) -> InstallRecord:
    """One ApplicationReport of the device with this key."""
    source, installer = report.get("applicationSource"), report.get("installerPackageName")
    return InstallRecord(
        device=key,
        app=_app(package, text_of(report, "displayName"), _signer(report)),
        side=side,
        held=_HELD.get(source, Held.unknown) if isinstance(source, str) else Held.unknown,
        version=text_of(report, "versionName") or text_of(report, "versionCode"),
        removed=report.get("state") == "REMOVED",
        installer=installer if isinstance(installer, str) else "",
    )


@lru_cache(1 << 16)
def _app(package: str, name: str, signer: str) -> AppIdentity:
    """One object for an app however many devices have it."""
    return AppIdentity(platform=Platform.android, app_id=package, name=name, signer=signer)


def _signer(report: Mapping[str, Any]) -> str:
    """The signing certificate's SHA-256.

    ``signingKeyCerts`` holds it as bytes (base64 in JSON). The deprecated ``signingKeyCertFingerprints`` holds SHA-1
    values according to the discovery document, so only a value of the length of a SHA-256 is of use.
    """
    for cert in items(report, "signingKeyCerts") or ():
        if signer := values.certificate(text_of(cert, "signingKeyCertFingerprintSha256")):
            return signer
    fingerprints = report.get("signingKeyCertFingerprints")
    for value in fingerprints if isinstance(fingerprints, list) else ():
        if isinstance(value, str) and (signer := values.certificate(value)):
            return signer
    return ""


def _department(token_data: str) -> str:
    if not token_data.startswith("{"):
        return ""
    try:
        data = json.loads(token_data)
    except ValueError:
        return ""
    return text_of(data, "department") if isinstance(data, dict) else ""


def _remarks(device: Mapping[str, Any], no_reports: bool) -> list[str]:  # noqa: FBT001
    remarks = []
    if no_reports:
        remarks.append(NO_APP_REPORTS)
    state = text_of(device, "appliedState") or text_of(device, "state")
    if state not in ("", "ACTIVE"):
        remarks.append(f"state:{state}")
    for detail in items(device, "nonComplianceDetails") or ():
        subject = text_of(detail, "packageName") or text_of(detail, "settingName")
        remarks.append(f"noncompliant:{text_of(detail, 'nonComplianceReason')}:{subject}")
    return remarks
