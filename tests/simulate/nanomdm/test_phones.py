"""The same phones live the same weeks with the real servers and with the simulated ones, and end up the same."""

from __future__ import annotations

import base64
import json
import plistlib
from collections import Counter
from typing import Any

import pytest
from tests.simulate.nanomdm.exchanges import Site, Talk, declaration

from proscribe.simulate.apple import (
    CertificateAuthority,
    FleetSpec,
    MdmEndpoint,
    Phone,
    PhoneSpec,
    check_in,
    enrol,
    make_phones,
)

pytestmark = pytest.mark.servers

BANNED = "com.tencent.xin"
SPEC = FleetSpec(phones=24, seed=7, systems=("16.7", "26.1", "27.0"))
_PROFILE = {
    "PayloadType": "Configuration",
    "PayloadVersion": 1,
    "PayloadIdentifier": "org.example.restrictions",
    "PayloadUUID": "5A6E9D1A-4B7B-4C53-9C9B-0B3D6B0C2B11",
    "PayloadContent": [
        {
            "PayloadType": "com.apple.applicationaccess",
            "PayloadVersion": 1,
            "PayloadIdentifier": "org.example.restrictions.apps",
            "PayloadUUID": "0C6B7A4E-7E5B-4B65-8B3D-7D1B6E0F2A22",
            "blockedAppBundleIDs": [BANNED],
        }
    ],
}
_ROUNDS: tuple[tuple[dict[str, Any], ...], ...] = (
    ({"RequestType": "DeviceInformation", "Queries": ["OSVersion", "IsSupervised"]}, {"RequestType": "ProfileList"}),
    ({"RequestType": "InstallProfile", "Payload": plistlib.dumps(_PROFILE)}, {"RequestType": "DeclarativeManagement"}),
    ({"RequestType": "InstalledApplicationList", "Identifiers": [BANNED], "ManagedAppsOnly": False},),
    ({"RequestType": "RemoveApplication", "Identifier": BANNED}, {"RequestType": "ProfileList"}),
    ({"RequestType": "InstalledApplicationList", "Identifiers": [BANNED], "ManagedAppsOnly": False},),
    (),
)


def _command(talk: Talk, phone: Phone, uuid: str, command: dict[str, Any]) -> None:
    body = plistlib.dumps({"CommandUUID": uuid, "Command": command})
    assert talk.api("PUT", f"/v1/enqueue/{phone.id}?nopush=1", body).status == 200


def _declare(talk: Talk, phones: list[Phone]) -> None:
    talk.ddm("PUT", "/v1/declarations?nonotify=1", declaration("ban", DeniedApps=[{"BundleID": BANNED}]))
    activation = declaration("ban-on", kind="com.apple.activation.simple", StandardConfigurations=["ban"])
    talk.ddm("PUT", "/v1/declarations?nonotify=1", activation)
    for name in ("ban", "ban-on"):
        talk.ddm("PUT", f"/v1/set-declarations/everyone?declaration={name}&nonotify=1")
    for phone in phones:
        talk.ddm("PUT", f"/v1/enrollment-sets/{phone.id}?set=everyone&nonotify=1")


def _live(site: Site, authority: CertificateAuthority) -> dict[str, Any]:
    """What became of the phones, and what the servers know of them.

    How often a phone fetches the declarations is left out: it does so when their token changed, and KMFDDM makes that
    of several declarations in no certain order.
    """
    talk = Talk(site, authority)
    phones = make_phones(SPEC)
    before = len(site.receiver.bodies)
    with MdmEndpoint(f"{site.endpoint}/mdm", authority) as endpoint:
        enrol(phones, endpoint, workers=1)
        _declare(talk, phones)
        answers = []
        for number, commands in enumerate(_ROUNDS):
            for phone in phones:
                for place, command in enumerate(commands):
                    _command(talk, phone, f"{phone.id}-{number}-{place}", command)
            answers.append(check_in(phones, workers=1))
        status = talk.ddm("GET", f"/v1/declaration-status/{','.join(phone.id for phone in phones)}").json()
    phones_say = sum(len(phone.answers) for phone in phones)
    site.receiver.settle(before + phones_say + 2 * len(phones))
    told = [body for _, body in site.receiver.bodies[before:]]
    return {
        "answers": answers,
        "each": {phone.id: [(a.uuid, a.request_type, a.status) for a in phone.answers] for phone in phones},
        "launches": {phone.id: phone.can_launch(BANNED) for phone in phones},
        "holds": {phone.id: BANNED in phone.installed() for phone in phones},
        "status": {
            device: sorted((one["identifier"], one["active"], one["valid"], one["current"]) for one in items)
            for device, items in status.items()
        },
        "events": Counter(event for event in map(_what, told) if event[-1] != "declaration-items"),
        "topics": {_what(body)[0] for body in told},
    }


def _what(body: bytes) -> tuple[str, str, str]:
    event = json.loads(body)
    inner = event.get("acknowledge_event") or event["checkin_event"]
    message = plistlib.loads(base64.b64decode(inner["raw_payload"]))
    return event["topic"], inner["ids"]["id"], inner.get("command_uuid", "") + str(message.get("Endpoint", ""))


def test_phones_end_up_the_same(real: Site, simulated: Site, authority: CertificateAuthority) -> None:
    truly, simply = _live(real, authority), _live(simulated, authority)
    assert set(truly["launches"].values()) == {True, False}  # the fleet shows both
    assert any(status == "NotNow" for counted in truly["answers"] for _, status in counted)
    assert truly["status"]
    for name, found in truly.items():
        assert simply[name] == found, name


@pytest.mark.parametrize("site", ["real", "simulated"])
def test_nanomdm_with_files_loses_what_a_locked_phone_puts_off(
    site: str, request: pytest.FixtureRequest, authority: CertificateAuthority
) -> None:
    """A profile waits, and a list behind it is answered: NanoMDM offers both again, and then has forgotten both."""
    talk = Talk(request.getfixturevalue(site), authority)
    phone = Phone(PhoneSpec(udid="LOCKED-1", serial="NL1"))
    with MdmEndpoint(f"{talk.site.endpoint}/mdm", authority) as endpoint:
        phone.enrol(endpoint)
        phone.lock()
        _command(talk, phone, "L-profile", {"RequestType": "InstallProfile", "Payload": plistlib.dumps(_PROFILE)})
        _command(talk, phone, "L-list", {"RequestType": "InstalledApplicationList", "Identifiers": [BANNED]})
        assert [(one.uuid, one.status) for one in phone.check_in()] == [
            ("L-profile", "NotNow"),
            ("L-list", "Acknowledged"),
            ("L-profile", "NotNow"),
            ("L-list", "Acknowledged"),
        ]
        phone.unlock()
        assert phone.check_in() == ()
        assert not phone.blocked()
