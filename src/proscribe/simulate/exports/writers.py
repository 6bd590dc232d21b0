"""The four export formats, as their systems write them, a few broken rows included.

Shapes: the device management export ``AppInvRawData`` (UTF-8 with BOM, one row a phone and app, names only); Jamf Pro
``GET /api/v2/mobile-devices/detail``; Fleet ``GET /api/v1/fleet/hosts?populate_software=true``; and a spreadsheet with
French headers, semicolons and CRLF.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from proscribe.simulate.exports.department import Install, Phone, Source
from proscribe.terms import Enrolment, Platform

# Rows that no reader can use, by system: each names no device. There are always this many.
BAD_ROWS = {Source.intune: 2, Source.jamf: 1, Source.fleet: 1, Source.register: 3}

INTUNE_HEADER = (
    "ApplicationKey", "ApplicationName", "ApplicationPublisher", "ApplicationShortVersion", "ApplicationVersion",
    "DeviceId", "DeviceName", "OSDescription", "OSVersion", "Platform", "UserId", "EmailAddress", "UserName",
)  # fmt: skip
_INTUNE_PLATFORM = {Platform.android: "AndroidEnterprise", Platform.ios: "iOS"}

REGISTER_HEADER = (
    "Identifiant de l'appareil", "Numéro de série", "Plateforme", "Inscription", "Version du système", "Direction",
    "Date d'observation", "Identifiant de l'application", "Nom de l'application", "Version de l'application",
)  # fmt: skip
_REGISTER_ENROLMENT = {
    Enrolment.fully_managed: "entièrement géré",
    Enrolment.byod: "profil professionnel, appareil personnel",
    Enrolment.supervised: "supervisé",
}

# What Jamf Pro says of who owns a device; a personal one enrolled by its user carries the second.
_JAMF_OWNERSHIP = {
    Enrolment.supervised: "Institutional",
    Enrolment.unsupervised: "Institutional",
    Enrolment.user_enrolment: "UserEnrollment",
}
_FLEET_MDM = {
    Enrolment.supervised: "On (automatic)",
    Enrolment.user_enrolment: "On (personal)",
    Enrolment.byod: "On (personal)",
}


def write_intune(path: Path, phones: Iterable[Phone]) -> None:
    """``AppInvRawData`` CSV. It says neither serial number, nor enrolment, nor when the list was taken."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(INTUNE_HEADER)
        for position, phone in enumerate(phones):
            for install in phone.listed:
                writer.writerow(_intune_row(phone, install))
            if position < BAD_ROWS[Source.intune]:
                # An app whose device had been deleted in the meantime: no DeviceId.
                row = list(_intune_row(phone, phone.listed[0]))
                row[INTUNE_HEADER.index("DeviceId")] = ""
                writer.writerow(row)


def _intune_row(phone: Phone, install: Install) -> tuple[str, ...]:
    app = install.app
    key = f"{abs(hash_text(app.name + app.publisher)):032x}"
    system = "Android" if phone.platform is Platform.android else "iOS"
    return (
        key, app.name, app.publisher, install.version, install.version, phone.uuid, phone.name, system,
        phone.os_version, _INTUNE_PLATFORM[phone.platform], "", "", "",
    )  # fmt: skip


def hash_text(text: str) -> int:
    """A stable stand-in for the export's opaque application key."""
    import hashlib

    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")


def write_jamf(path: Path, phones: Iterable[Phone]) -> None:
    """Mobile device inventory records, one page. One record has lost every id."""
    results = [_jamf_record(phone) for phone in phones]
    broken = {**results[0], "general": {}, "hardware": {}}
    del broken["mobileDeviceId"]
    results.insert(min(5, len(results)), broken)
    _write_json(path, {"totalCount": len(results), "results": results})


def _jamf_record(phone: Phone) -> dict[str, Any]:
    managed = phone.enrolment is Enrolment.user_enrolment
    return {
        "mobileDeviceId": str(phone.number),
        "deviceType": "iOS",
        "general": {
            "udid": phone.uuid.replace("-", "").upper(),
            "displayName": phone.name,
            "managed": True,
            "supervised": phone.enrolment is Enrolment.supervised,
            "deviceOwnershipType": _JAMF_OWNERSHIP[phone.enrolment],
            "osVersion": phone.os_version,
            "lastInventoryUpdateDate": _zulu(phone.observed_at),
        },
        # A personal phone under User Enrolment does not give its serial number.
        "hardware": {"serialNumber": "" if managed else phone.serial, "model": "iPhone (fictional)"},
        "userAndLocation": {"department": phone.branch},
        "applications": [
            {
                "identifier": install.app.ios,
                "name": install.app.name,
                "version": install.version,
                "shortVersion": install.version,
                "managementStatus": "Managed" if managed else "Unmanaged",
                "validationStatus": True,
            }
            for install in phone.listed
        ],
    }


def write_fleet(path: Path, phones: Iterable[Phone]) -> None:
    """Hosts with their software. One host is without an id."""
    hosts = [_fleet_host(phone) for phone in phones]
    broken = {key: value for key, value in hosts[0].items() if key not in ("id", "uuid", "hardware_serial")}
    hosts.insert(min(3, len(hosts)), broken)
    _write_json(path, {"hosts": hosts})


def _fleet_host(phone: Phone) -> dict[str, Any]:
    apple = phone.platform is Platform.ios
    return {
        "id": phone.number,
        "uuid": phone.uuid.upper(),
        "hostname": phone.name,
        "computer_name": phone.name,
        "display_name": phone.name,
        "platform": "ios" if apple else "android",
        "os_version": f"{'iOS' if apple else 'Android'} {phone.os_version}",
        "hardware_serial": "" if phone.half_seen else phone.serial,
        "hardware_model": "fictional",
        "team_name": phone.branch,
        "detail_updated_at": _zulu(phone.observed_at),
        "software_updated_at": _zulu(phone.observed_at),
        "mdm": {"enrollment_status": _FLEET_MDM[phone.enrolment], "name": "Fleet"},
        "software": [
            {
                "id": hash_text(install.app.name) % 100_000,
                "name": install.app.name,
                "version": install.version,
                "source": "ios_apps" if apple else "android_apps",
                **({"bundle_identifier": install.app.ios} if apple else {"application_id": install.app.android}),
            }
            for install in phone.listed
        ],
    }


def write_register(path: Path, phones: Iterable[Phone]) -> None:
    """A spreadsheet saved as CSV in French: semicolons and CRLF."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        writer.writerow(REGISTER_HEADER)
        for position, phone in enumerate(phones):
            for install in phone.listed:
                writer.writerow(_register_row(phone, install))
            if position < BAD_ROWS[Source.register]:
                # Typed by hand: a row without its device.
                row = list(_register_row(phone, phone.listed[0]))
                row[REGISTER_HEADER.index("Identifiant de l'appareil")] = ""
                writer.writerow(row)


def _register_row(phone: Phone, install: Install) -> tuple[str, ...]:
    return (
        phone.name, "" if phone.half_seen else phone.serial, "iOS" if phone.platform is Platform.ios else "Android",
        _REGISTER_ENROLMENT[phone.enrolment], phone.os_version, phone.branch, _zulu(phone.observed_at),
        install.app.id_on(phone.platform), install.app.name, install.version,
    )  # fmt: skip


def _zulu(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
