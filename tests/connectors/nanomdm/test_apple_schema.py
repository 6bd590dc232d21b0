"""All that this connector can send, on every class of device and iOS 9.3 to 27, held against Apple's schema.

What is sent to a device is decided by the connector's own code and rows; whether it may be is decided by Apple's.
"""

from __future__ import annotations

import copy
import itertools
import plistlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nanomdm.apple_schema import (
    CHECKED,
    DECIDING,
    DESCRIBING,
    IMMATERIAL,
    Phone,
    check_command,
    check_declaration,
    check_profile,
    commands,
    facts,
    version,
)

from proscribe.connectors.nanomdm import commands as words
from proscribe.connectors.nanomdm import declarations, profile
from proscribe.connectors.nanomdm.model import Channel, Device, Entry, Kind
from proscribe.connectors.nanomdm.scopes import channel
from proscribe.connectors.nanomdm.system import rows
from proscribe.plan.versions import in_range
from proscribe.terms import Enrolment, Platform

VERSIONS = (
    "9.3", "10.3.4", "11.4.1", "12.5.7", "13.1", "14.8", "15", "15.8", "16.7.10", "17.2", "17.7", "18.6", "19.0",
    "25.9", "26", "26.1", "27", "27.0.1",
)  # fmt: skip
ENROLMENTS = {
    "supervised": Enrolment.supervised,
    "device": Enrolment.unsupervised,
    "user": Enrolment.user_enrolment,
}
PHONES = [
    Phone(number, enrolment)
    for number, enrolment in itertools.product(VERSIONS, ENROLMENTS)
    if enrolment != "user" or version(number) >= (13,)  # User Enrolment began there
]
APP = "com.tencent.xin"
SCOPE = "Opérations de terrain/profile"
UUID = words.command_uuid("ask", "device", "1")
TOKEN = "f" * 40
ENTRIES = [Entry(APP, "a" * 12), Entry("com.zhiliaoapp.musically", "b" * 12)]


def each(phones: list[Phone]) -> Any:
    return pytest.mark.parametrize("phone", phones, ids=str)


def device(phone: Phone) -> Device:
    return Device(
        id="A",
        kind=Kind.user_enrolment if phone.enrolment == "user" else Kind.device,
        generation=1,
        enrolled_at=None,
        last_seen=datetime(2026, 11, 2, tzinfo=UTC),
        os_version=phone.os,
        platform=Platform.ios,
        supervised=phone.enrolment == "supervised",
    )


def enveloped(command: dict[str, Any]) -> bytes:
    return words.as_plist(UUID, command)


def questions(phone: Phone) -> Iterator[dict[str, Any]]:
    """What every device is asked."""
    yield words.information(user_enrolment=phone.enrolment == "user")
    yield words.app_list([APP, "com.zhiliaoapp.musically"], managed_only=phone.enrolment == "user")
    yield words.managed_list([APP])
    yield words.profile_list()


def base(tmp_path: Path) -> profile.Base:
    """A profile as organisations have them: restrictions of its own, and a payload that is none of our business."""
    document = {
        "PayloadContent": [
            {
                "PayloadType": "com.apple.wifi.managed", "PayloadVersion": 1, "PayloadIdentifier": "ca.example.wifi",
                "PayloadUUID": "0D6E1F2C-5B0A-4A44-9D58-0A9A4D2F1C01", "SSID_STR": "Lighthouse",
            },
            {
                "PayloadType": "com.apple.applicationaccess", "PayloadVersion": 1,
                "PayloadIdentifier": "ca.example.restrictions",
                "PayloadUUID": "0D6E1F2C-5B0A-4A44-9D58-0A9A4D2F1C02", "allowCamera": False,
            },
        ],
        "PayloadDisplayName": "Field", "PayloadIdentifier": "ca.example.field", "PayloadType": "Configuration",
        "PayloadUUID": "0D6E1F2C-5B0A-4A44-9D58-0A9A4D2F1C03", "PayloadVersion": 1, "PayloadRemovalDisallowed": True,
    }  # fmt: skip
    path = tmp_path / "field.mobileconfig"
    path.write_bytes(plistlib.dumps(document))
    found = profile.read_base(path)
    assert found is not None
    return found


def profiles(phone: Phone, tmp_path: Path) -> Iterator[bytes]:
    old_key = profile.needs_old_key(phone.os)
    for organisation, handed in (("", None), ("Lighthouses", None), ("Lighthouses", base(tmp_path))):
        made = profile.merged(SCOPE, handed, ENTRIES, old_key=old_key, organisation=organisation)
        yield made.payload
    yield profile.merged(SCOPE, base(tmp_path), [], old_key=old_key, organisation="").payload


def pairs() -> Iterator[dict[str, Any]]:
    """Declarations as a device gets them: KMFDDM puts its token in."""
    for one in declarations.for_ban(SCOPE, "sha256:" + "a" * 64, [APP, "com.zhiliaoapp.musically"]):
        yield {**one, "ServerToken": TOKEN}


def methods(phone: Phone) -> dict[tuple[str, str], bool]:
    """What the rows promise for a phone: (method, whom it applies to)."""
    return {
        (row.method, row.applies_to): True
        for row in rows()
        if row.platform is Platform.ios
        and row.enrolment is ENROLMENTS[phone.enrolment]
        and row.method
        and in_range(phone.os, row.os_min, row.os_max)
    }


# All that can be sent fits ------------------------------------------------------------------------------------------


@each(PHONES)
def test_questions_fit(phone):
    for command in questions(phone):
        assert check_command(enveloped(command), phone) == []


@pytest.mark.parametrize("at_hand", [False, True], ids=["without kmfddm", "with kmfddm"])
@each(PHONES)
def test_what_brings_a_block_fits(phone, at_hand, tmp_path):
    way = channel(device(phone), declarations=at_hand)
    if way is Channel.profile:
        for payload in profiles(phone, tmp_path):
            assert check_command(enveloped(words.install_profile(payload)), phone) == []
        assert check_command(enveloped(words.remove_profile(profile.own_identifier(SCOPE))), phone) == []
    elif way is Channel.declarations:
        assert check_command(enveloped(words.declarative_management()), phone) == []
        for declaration in pairs():
            assert check_declaration(declaration, phone) == []
    assert (way is Channel.commands) == (phone.enrolment != "supervised")


@each(PHONES)
def test_what_removes_an_app_fits(phone):
    for method, applies_to in methods(phone):
        if method == "RemoveApplication":
            command = enveloped(words.remove(APP))
            assert check_command(command, phone, unmanaged=applies_to != "managed") == []
        if method == "ConvertThenRemove":
            for step in (words.convert(APP), words.managed_list([APP]), words.remove(APP)):
                assert check_command(enveloped(step), phone) == []


@each(PHONES)
def test_no_more_is_promised_than_apple_allows_and_no_less(phone, tmp_path):
    """The rows and the schema, each in its own words, agree on what can be done to this phone."""
    promised = methods(phone)
    payload = profile.merged(SCOPE, None, ENTRIES, old_key=profile.needs_old_key(phone.os), organisation="").payload
    assert (("RestrictionsProfile", "any") in promised) == (check_profile(payload, phone) == [])
    denies = next(pairs())
    assert (("AppSettingsDeclaration", "any") in promised) == (check_declaration(denies, phone) == [])
    removes = enveloped(words.remove(APP))
    assert (("RemoveApplication", "managed") in promised) == (check_command(removes, phone) == [])
    assert (("RemoveApplication", "unmanaged") in promised) == (check_command(removes, phone, unmanaged=True) == [])
    converts = check_command(enveloped(words.convert(APP)), phone) == []
    unmanaged = promised.keys() & {("ConvertThenRemove", "unmanaged"), ("RemoveApplication", "unmanaged")}
    assert bool(unmanaged) == converts, "where apps can be converted, unmanaged ones can be removed somehow"


# The check can fail -------------------------------------------------------------------------------------------------

NEW = Phone("26.1", "supervised")
NEWEST = Phone("27", "supervised")
OLD = Phone("14.8", "supervised")
PROFILE = profile.merged(SCOPE, None, ENTRIES, old_key=False, organisation="").payload


def changed(command: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> bytes:
    mutant = copy.deepcopy(command)
    change(mutant)
    return enveloped(mutant)


BROKEN_COMMANDS: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], Any], str]] = {
    "a key left out": (words.remove(APP), lambda c: c.pop("Identifier"), "Identifier: required"),
    "a key misspelt": (words.remove(APP), lambda c: c.update(Identifer=APP), "Identifer: no such key"),
    "a number for text": (words.remove(APP), lambda c: c.update(Identifier=7), "int instead of <string>"),
    "text for data": (words.install_profile(PROFILE), lambda c: c.update(Payload="x"), "str instead of <data>"),
    "a profile cut off": (
        words.install_profile(PROFILE), lambda c: c.update(Payload=PROFILE[:-9]), "no property list",
    ),
    "text for a boolean": (
        words.app_list([APP], managed_only=True), lambda c: c.update(ManagedAppsOnly="true"), "instead of <boolean>",
    ),
    "a boolean for a number": (
        words.convert(APP), lambda c: c["Options"].update(PurchaseMethod=True), "bool instead of <integer>",
    ),
    "text for a list": (words.managed_list([APP]), lambda c: c.update(Identifiers=APP), "instead of <array>"),
    "a number in a list": (words.managed_list([APP]), lambda c: c["Identifiers"].append(1), "Identifiers[1]: int"),
    "a value that is none": (
        words.convert(APP), lambda c: c.update(ChangeManagementState="Owned"), "'Owned' is none of",
    ),
    "a value inside that is none": (
        words.convert(APP), lambda c: c["Options"].update(PurchaseMethod=2), "Options.PurchaseMethod: 2 is none",
    ),
    "a key inside that is none": (words.convert(APP), lambda c: c["Options"].update(Free=True), "Options.Free: no"),
    "a query that is none": (
        words.information(), lambda c: c["Queries"].append("Contacts"), "Contacts is none of its values",
    ),
    "an item that is none": (
        words.app_list([APP], managed_only=False), lambda c: c.update(Items=["Source"]), "'Source' is none of",
    ),
    "a request that is none": (words.profile_list(), lambda c: c.update(RequestType="EraseApp"), "no such request"),
    "a key for macOS": (words.convert(APP), lambda c: c.update(InstallAsManaged=True), "not for iOS"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_COMMANDS)
def test_a_broken_command_is_refused(name):
    command, change, fault = BROKEN_COMMANDS[name]
    assert check_command(enveloped(command), NEW) == []
    faults = check_command(changed(command, change), NEW)
    assert any(fault in found for found in faults), faults


def test_a_broken_envelope_is_refused():
    good = enveloped(words.profile_list())
    assert check_command(good.split(b"\n", 1)[1], NEW) == ["the command does not begin with <?xml"]
    assert check_command(words.as_plist("x", words.profile_list()), NEW) == ["CommandUUID: not a UUID"]
    assert check_command(plistlib.dumps(words.profile_list()), NEW) == ["not an envelope of Command and CommandUUID"]


OUT_OF_PLACE = {
    "all that identifies under User Enrolment": (words.information(), Phone("17.2", "user"), "SerialNumber"),
    "conversion under User Enrolment": (words.convert(APP), Phone("17.2", "user"), "User Enrolment: forbidden"),
    "declarations before 15": (words.declarative_management(), OLD, "only from 15.0 on"),
}


@pytest.mark.parametrize("name", OUT_OF_PLACE)
def test_a_good_command_in_the_wrong_place_is_refused(name):
    command, phone, fault = OUT_OF_PLACE[name]
    faults = check_command(enveloped(command), phone)
    assert any(fault in found for found in faults), faults


@pytest.mark.parametrize(
    ("phone", "fits"),
    [
        (Phone("26", "supervised"), True),
        (Phone("25.9", "supervised"), False),
        (Phone("26", "device"), False),
        (Phone("27", "user"), False),
    ],
    ids=str,
)
def test_an_unmanaged_app_is_removed_from_26_on_with_supervision_only(phone, fits):
    """Prose of application.remove, which no key of the schema says."""
    assert (check_command(enveloped(words.remove(APP)), phone, unmanaged=True) == []) is fits


@pytest.mark.parametrize(
    ("old_key", "phone", "fault"),
    [
        (True, NEW, "blacklistedAppBundleIDs: deprecated since 15.0"),
        (True, Phone("9.2", "supervised"), "blacklistedAppBundleIDs: only from 9.3 on"),
        (False, OLD, "blockedAppBundleIDs: only from 15.0 on"),
        (False, Phone("18", "device"), "only on supervised devices"),
        (False, Phone("18", "user"), "User Enrolment: forbidden"),
    ],
)
def test_a_list_in_the_wrong_place_is_refused(old_key, phone, fault):
    made = profile.merged(SCOPE, None, ENTRIES, old_key=old_key, organisation="")
    faults = check_profile(made.payload, phone)
    assert any(fault in found for found in faults), faults


def test_a_list_is_refused_inside_a_command_too():
    made = profile.merged(SCOPE, None, ENTRIES, old_key=False, organisation="")
    assert check_command(enveloped(words.install_profile(made.payload)), OLD) != []


BROKEN_PROFILES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no identifier": (lambda p: p.pop("PayloadIdentifier"), "PayloadIdentifier: required"),
    "no content": (lambda p: p.pop("PayloadContent"), "PayloadContent: required"),
    "another type": (lambda p: p.update(PayloadType="Profile"), "'Profile' is none of"),
    "another version": (lambda p: p.update(PayloadVersion=2), "2 is none of"),
    "another scope": (lambda p: p.update(PayloadScope="Device"), "'Device' is none of"),
    "no UUID": (lambda p: p.update(PayloadUUID="restrictions-1"), "restrictions-1 is none"),
    "an unknown key": (lambda p: p.update(PayloadOwner="x"), "PayloadOwner: no such key"),
    "a payload without UUID": (lambda p: p["PayloadContent"][0].pop("PayloadUUID"), "PayloadUUID: required"),
    "a restriction misspelt": (
        lambda p: p["PayloadContent"][0].update(blockedAppBundleIds=[APP]), "blockedAppBundleIds: no such key",
    ),
    "apps that are numbers": (
        lambda p: p["PayloadContent"][0].update(blockedAppBundleIDs=[1]), "blockedAppBundleIDs[0]: int",
    ),
    "one UUID for two": (
        lambda p: p.update(PayloadUUID=p["PayloadContent"][0]["PayloadUUID"]), "more than once",
    ),
    "one identifier for two": (
        lambda p: p["PayloadContent"][0].update(PayloadIdentifier=p["PayloadIdentifier"]), "more than once",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_PROFILES)
def test_a_broken_profile_is_refused(name):
    change, fault = BROKEN_PROFILES[name]
    made = profile.merged(SCOPE, None, ENTRIES, old_key=False, organisation="Lighthouses")
    assert check_profile(made.payload, NEW) == []
    document = plistlib.loads(made.payload)
    change(document)
    faults = check_profile(plistlib.dumps(document), NEW)
    assert any(fault in found for found in faults), faults


BROKEN_DECLARATIONS: dict[str, tuple[int, Callable[[dict[str, Any]], Any], str]] = {
    "no token": (0, lambda d: d.pop("ServerToken"), "ServerToken: required"),
    "a long identifier": (0, lambda d: d.update(Identifier="x" * 65), "longer than 64 octets"),
    "no payload": (0, lambda d: d.pop("Payload"), "Payload: not a dictionary"),
    "another type": (0, lambda d: d.update(Type="com.apple.configuration.app.deny"), "no such declaration"),
    "apps outside Allowed": (0, lambda d: d["Payload"].update(DeniedApps=[APP]), "Payload.DeniedApps: no such key"),
    "text for a list": (0, lambda d: d["Payload"]["Allowed"].update(DeniedApps=APP), "str instead of <array>"),
    "binaries, as on macOS": (0, lambda d: d["Payload"]["Allowed"].update(DeniedBinaries=[]), "not for iOS"),
    "nothing to activate": (1, lambda d: d["Payload"].clear(), "StandardConfigurations: required"),
    "a number to activate": (1, lambda d: d["Payload"]["StandardConfigurations"].append(1), "int instead of"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_DECLARATIONS)
def test_a_broken_declaration_is_refused(name):
    which, change, fault = BROKEN_DECLARATIONS[name]
    declaration = list(pairs())[which]
    assert check_declaration(declaration, NEWEST) == []
    change(declaration)
    faults = check_declaration(declaration, NEWEST)
    assert any(fault in found for found in faults), faults


@pytest.mark.parametrize("phone", [NEW, Phone("27", "device"), Phone("27", "user")], ids=str)
def test_a_denial_in_the_wrong_place_is_refused(phone):
    assert check_declaration(next(pairs()), phone) != []


def test_every_word_of_the_schema_was_thought_of():
    """A later schema may say more: then this check has to learn it, or say why it does not matter."""
    words = facts()["words"]
    assert set(words["limits"]) == DECIDING | set(IMMATERIAL)
    assert set(words["of_a_key"]) == CHECKED | DESCRIBING
    asked = {"DeviceInformation", "InstalledApplicationList", "ManagedApplicationList", "ProfileList"}
    sent = {"InstallProfile", "RemoveProfile", "InstallApplication", "RemoveApplication", "DeclarativeManagement"}
    assert asked | sent <= set(commands())
