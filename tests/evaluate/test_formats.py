"""``proscribe check`` on one export of every format, against an oracle that shares no code with it.

The oracle reads the exports with the standard library (Parquet alone needs a reader), reads the reviewed target sets as
plain JSON, and applies the rules of recognition as the documentation states them, row by row.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import plistlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from proscribe.cli import check

EXPORTS = Path(__file__).parents[1] / "fixtures" / "exports"
DIRECTIVES = ("ca-tbs-2023-tiktok", "ca-tbs-2023-wechat-kaspersky")
# "Mobile devices issued by the government", and devices of which nobody says whose they are.
IN_SCOPE = {"fully_managed", "cope", "supervised", "unsupervised", "unknown", "unmanaged"}


class Row(NamedTuple):
    """An app on a device, as an export lists it."""

    device: str
    platform: str
    enrolment: str
    app_id: str
    name: str
    signer: str = ""
    removed: bool = False


# ---- one reader a format ---------------------------------------------------------------------------------------------


def amapi(data: bytes) -> Iterator[Row]:
    decoder, text = json.JSONDecoder(), data.decode().strip()
    while text:
        page, end = decoder.raw_decode(text)
        text = text[end:].strip()
        for device in page["devices"]:
            owned = device.get("ownership") == "COMPANY_OWNED"
            enrolment = "fully_managed" if device["managementMode"] == "DEVICE_OWNER" else "cope" if owned else "byod"
            for app in device.get("applicationReports", []):
                keys = app.get("signingKeyCerts") or [{"signingKeyCertFingerprintSha256": ""}]
                signer = base64.b64decode(keys[0]["signingKeyCertFingerprintSha256"]).hex()
                removed = app.get("state") == "REMOVED"
                name = app.get("displayName", "")
                yield Row(f"amapi:{device['name']}", "android", enrolment, app["packageName"], name, signer, removed)


def intune_csv(data: bytes) -> Iterator[Row]:
    for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        yield Row(f"intune:{row['DeviceId']}", row["Platform"].lower(), "unknown", "", row["ApplicationName"])


def intune_graph(data: bytes) -> Iterator[Row]:
    pages = json.loads(data)
    apps, holders, devices = {}, [], {}
    for page in pages:
        context = page["@odata.context"]
        inside = re.search(r"detectedApps\('([^']+)'\)", context)
        for item in page["value"]:
            if inside:
                holders.append((inside[1], item["id"]))
            elif context.endswith("detectedApps"):
                apps[item["id"]] = item
                holders += [(item["id"], one["id"]) for one in item.get("managedDevices", [])]
            else:
                devices[item["id"]] = item
    for app, device in holders:
        about = devices[device]
        personal = about["managedDeviceOwnerType"] == "personal"
        platform = "ios" if about["operatingSystem"] == "iOS" else "android"
        enrolment = "byod" if personal else "supervised" if about["isSupervised"] else "unknown"
        yield Row(f"intune:{device}", platform, enrolment, "", apps[app]["displayName"])


def jamf_csv(data: bytes) -> Iterator[Row]:
    for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        enrolment = jamf_enrolment(row["Supervised"] == "true", row["Device Ownership Type"])
        yield Row(f"jamf:{row['Jamf Pro ID']}", "ios", enrolment, row["App Identifier"], row["App Name"])


def jamf_json(data: bytes) -> Iterator[Row]:
    for device in json.loads(data)["results"]:
        general = device["general"]
        enrolment = jamf_enrolment(general["supervised"], general["deviceOwnershipType"])
        for app in device.get("applications", []):
            yield Row(f"jamf:{device['mobileDeviceId']}", "ios", enrolment, app["identifier"], app["name"])


def jamf_enrolment(supervised: bool, ownership: str) -> str:
    if supervised:
        return "supervised"
    return "user_enrolment" if ownership == "UserEnrollment" else "unsupervised"


def fleet(data: bytes) -> Iterator[Row]:
    words = {"On (automatic)": "supervised", "On (manual)": "unsupervised", "On (personal)": "byod"}
    for host in json.loads(data)["hosts"]:
        for app in host.get("software", []):
            app_id = app.get("bundle_identifier") or app.get("application_id") or ""
            enrolment = words[host["mdm"]["enrollment_status"]]
            yield Row(f"fleet:{host['uuid']}", host["platform"], enrolment, app_id, app["name"])


def apple(data: bytes) -> Iterator[Row]:
    for answer in plistlib.loads(data):
        key = answer.get("UDID") or answer["EnrollmentID"]
        enrolment = "unknown" if "UDID" in answer else "user_enrolment"
        for app in answer.get("InstalledApplicationList", []):
            yield Row(f"apple-mdm:{key}", "ios", enrolment, app["Identifier"], app["Name"])


def adb(data: bytes) -> Iterator[Row]:
    device = ""
    for line in data.decode().splitlines():
        if line.startswith("# device "):
            device = line.removeprefix("# device ").strip()
        found = re.match(r"package:.*\.apk=([\w.]+)", line)
        if found:
            yield Row(f"adb:{device}", "android", "unmanaged", found[1], "")


FRENCH = {
    "device": "Appareil",
    "platform": "Plateforme",
    "enrolment": "Inscription",
    "app_id": "Identifiant de l'application",
    "app_name": "Nom de l'application",
    "signer": "Signataire",
    "removed": "État",
    "entièrement géré": "fully_managed",
    "supervisé": "supervised",
    "inscription d'utilisateur": "user_enrolment",
}


def generic(rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> Iterator[Row]:
    for row in rows:
        cell = {
            name: str(row.get(name) or "")
            for name in ("device", "platform", "enrolment", "app_id", "app_name", "signer")
        }
        yield Row(
            f"generic:{cell['device']}",
            cell["platform"],
            FRENCH.get(cell["enrolment"], cell["enrolment"]),
            cell["app_id"],
            cell["app_name"],
            cell["signer"],
            bool(row.get("removed")),
        )


def generic_csv(data: bytes) -> Iterator[Row]:
    return generic(list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))))


def generic_french(data: bytes) -> Iterator[Row]:
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";")
    return generic([{ours: row[theirs] for ours, theirs in FRENCH.items() if theirs in row} for row in rows])


def generic_jsonl(data: bytes) -> Iterator[Row]:
    devices = [json.loads(line) for line in data.decode().splitlines() if line]
    return generic([{**device, **app} for device in devices for app in device["apps"]])


def generic_parquet(data: bytes) -> Iterator[Row]:
    import pyarrow.parquet as pq

    return generic(pq.read_table(io.BytesIO(data)).to_pylist())


READERS: dict[str, Callable[[bytes], Iterator[Row]]] = {
    "adb-packages.txt": adb,
    "amapi-devices.json": amapi,
    "apple-installedapplicationlist.plist": apple,
    "fleet-hosts.json": fleet,
    "generic-fr.csv": generic_french,
    "generic.csv": generic_csv,
    "generic.jsonl": generic_jsonl,
    "generic.parquet": generic_parquet,
    "intune-appinvrawdata.csv": intune_csv,
    "intune-graph.json": intune_graph,
    "jamf-export.csv": jamf_csv,
    "jamf-mobile-devices.json": jamf_json,
}


# ---- recognition, as documented --------------------------------------------------------------------------------------

LOOKS = str.maketrans("\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456015i", "aceopxyioisl")


def plain(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())


def looks(name: str) -> str:
    return plain(name).translate(LOOKS).replace("i", "l")


def targets_of(directive: str) -> dict[str, Any]:
    text = files("proscribe.directive").joinpath(f"data/targets/{directive}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def same_id(platform: str, one: str, other: str) -> bool:
    return one == other if platform == "android" else one.lower() == other.lower()


def recognise(row: Row, target_set: dict[str, Any]) -> str | None:
    """How the row meets the target set: the surest way, or None."""
    ids = {"android": "android_package", "ios": "ios_bundle_id"}[row.platform]
    glob = {"android": "android_package_glob", "ios": "ios_bundle_glob"}[row.platform]
    signs = {"android": "android_cert_sha256", "ios": "apple_team_id"}[row.platform]
    ways: list[str] = []
    for target in target_set["targets"]:
        kind, value = target["type"], target["value"]
        if row.app_id and kind == ids and same_id(row.platform, row.app_id, value):
            ways.append("exact_id")
        if row.signer and kind == signs and row.signer == value:
            ways.append("lookalike_signer" if target["lead"] else "signer")
        if row.app_id and kind == glob and same_id(row.platform, row.app_id[: len(value) - 1], value[:-1]):
            ways.append("glob")
        if row.name and kind == "app_name":
            equal = plain(row.name) == plain(value)
            if equal:
                ways.append("lookalike_name" if row.app_id else "name_only")
            elif looks(row.name) == looks(value):
                ways.append("lookalike_homoglyph")
    neighbours = {sibling.split(":", 2)[2].lower() for sibling in target_set["siblings"]}
    if row.app_id.lower() in neighbours:
        ways = [way for way in ways if not way.startswith("lookalike")]
    order = ("exact_id", "signer", "glob", "name_only", "lookalike_signer", "lookalike_homoglyph", "lookalike_name")
    return min(ways, key=order.index) if ways else None


Key = tuple[str, str, str, str, str]


def expected(rows: Iterator[Row]) -> tuple[set[Key], set[Key]]:
    """(violations, look-alikes) as (directive, device, way, app id, name)."""
    violations: set[Key] = set()
    alike: set[Key] = set()
    known = {directive: targets_of(directive) for directive in DIRECTIVES}
    for row in rows:
        if row.removed or row.enrolment not in IN_SCOPE:
            continue
        for directive, target_set in known.items():
            way = recognise(row, target_set)
            if way is not None:
                key = (directive, row.device, way, row.app_id, row.name)
                (alike if way.startswith("lookalike") else violations).add(key)
    return violations, alike


def found(body: list[dict[str, Any]]) -> set[Key]:
    return {(one["directive"], one["device"], one["match"], one["app_id"], one["app_name"]) for one in body}


def test_every_fixture_has_a_reader() -> None:
    assert {path.name for path in EXPORTS.iterdir() if path.suffix not in (".md", ".py", "")} == set(READERS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_check_finds_what_the_oracle_finds(name: str) -> None:
    export = EXPORTS / name
    options = [word for directive in DIRECTIVES for word in ("-d", directive)]
    result = CliRunner().invoke(check.command, [str(export), "--json", *options], standalone_mode=False)
    assert result.exception is None
    body = json.loads(result.stdout)
    violations, alike = expected(READERS[name](export.read_bytes()))
    assert found(body["violations"]) == violations
    assert found(body["lookalikes"]) == alike
    assert violations, "a fixture without a violation tests nothing"
    assert result.return_value == 2
    for check_of in body["directives"]:
        devices = {key[1] for key in violations if key[0] == check_of["directive"]}
        assert check_of["violations"] == len(devices)
        assert sum(check_of["by_presence"].values()) == check_of["devices"]
