"""Profiles that phones of each class take, ignore or refuse, and what they keep from launching."""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.simulate.apple.conftest import Organisation

from proscribe.simulate.apple import App, CertificateAuthority, Person, PhoneSpec
from proscribe.terms import Enrolment

Make = Callable[..., PhoneSpec]
Json = dict[str, Any]

WECHAT = App("com.tencent.xin", "WeChat")
OTHER = App("org.example.forms", "Forms")
SUPERVISED, UNSUPERVISED, OWN = Enrolment.supervised, Enrolment.unsupervised, Enrolment.user_enrolment


def restrictions(*apps: str, key: str = "blockedAppBundleIDs", **more: object) -> Json:
    return {
        "PayloadType": "com.apple.applicationaccess",
        "PayloadVersion": 1,
        "PayloadIdentifier": "org.lighthouses.limits.apps",
        "PayloadUUID": "7D1D4A2E-33C1-4E0E-8B4F-0B3F3C7C9D55",
        "allowCamera": True,
        key: list(apps),
        **more,
    }


def profile(*payloads: Json, identifier: str = "org.lighthouses.limits", uuid: str = "A", **more: object) -> bytes:
    document = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": f"0E3A8CC4-2F8A-4E5D-9B5E-4E21B0B6A0D{uuid}",
        "PayloadDisplayName": "Limits",
        "PayloadContent": list(payloads),
        **more,
    }
    return plistlib.dumps({key: value for key, value in document.items() if value is not None})


def codes(answer: Json) -> list[tuple[str, int]]:
    assert answer["Status"] == "Error"
    return [(item["ErrorDomain"], item["ErrorCode"]) for item in answer["ErrorChain"]]


def identifiers(answer: Json) -> dict[str, str]:
    return {item["PayloadIdentifier"]: item["PayloadUUID"][-1] for item in answer["ProfileList"]}


@pytest.mark.parametrize(
    ("os", "enrolment", "key", "blocks"),
    [
        ("14.8", SUPERVISED, "blockedAppBundleIDs", False),  # the key is younger
        ("14.8", SUPERVISED, "blacklistedAppBundleIDs", True),
        ("15.8", SUPERVISED, "blacklistedAppBundleIDs", True),  # deprecated, and still read
        ("15.8", SUPERVISED, "blockedAppBundleIDs", True),
        ("27.0", SUPERVISED, "blockedAppBundleIDs", True),
        ("18.5", UNSUPERVISED, "blockedAppBundleIDs", False),
        ("18.5", OWN, "blockedAppBundleIDs", False),
    ],
)
def test_a_block_counts_where_apple_says_so(
    mdm: Organisation, spec: Make, os: str, enrolment: Enrolment, key: str, blocks: bool
) -> None:
    phone = mdm.phone(spec(os, enrolment, WECHAT, OTHER))
    answer = mdm.ask(phone, "InstallProfile", Payload=profile(restrictions(WECHAT.id, key=key)))
    assert answer["Status"] == "Acknowledged", "a key that does not count is ignored, and the profile is installed"
    assert "org.lighthouses.limits" in identifiers(mdm.ask(phone, "ProfileList"))
    assert phone.can_launch(WECHAT.id) is not blocks
    assert phone.blocked() == ({WECHAT.id} if blocks else frozenset())
    assert phone.can_launch(OTHER.id)
    assert WECHAT.id in phone.installed()
    if enrolment is not OWN:
        apps = mdm.ask(phone, "InstalledApplicationList", Identifiers=[WECHAT.id])["InstalledApplicationList"]
        assert [app["Identifier"] for app in apps] == [WECHAT.id], "a blocked app is listed all the same"
    assert not phone.can_launch("org.example.absent")


@pytest.mark.parametrize("app", ["com.apple.mobilephone", "com.apple.Preferences"])
def test_the_phone_itself_cannot_be_hidden(mdm: Organisation, spec: Make, app: str) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT))
    answer = mdm.ask(phone, "InstallProfile", Payload=profile(restrictions(WECHAT.id, app)))
    assert codes(answer) == [("MCInstallationErrorDomain", 4001), ("MCPayloadErrorDomain", 2004)]
    assert phone.can_launch(WECHAT.id), "nothing of a refused profile counts"
    assert "org.lighthouses.limits" not in identifiers(mdm.ask(phone, "ProfileList"))
    free = mdm.phone(spec("26.1", UNSUPERVISED))
    assert mdm.ask(free, "InstallProfile", Payload=profile(restrictions(app)))["Status"] == "Acknowledged"


def test_the_same_identifier_replaces_and_another_adds(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT, OTHER))
    mdm.ask(phone, "InstallProfile", Payload=profile(restrictions(WECHAT.id)))
    mdm.ask(phone, "InstallProfile", Payload=profile(restrictions("a"), identifier="org.lighthouses.more", uuid="B"))
    assert phone.blocked() == {WECHAT.id, "a"}
    mdm.ask(phone, "InstallProfile", Payload=profile(restrictions(OTHER.id), uuid="C"))
    assert phone.blocked() == {OTHER.id, "a"}
    told = identifiers(mdm.ask(phone, "ProfileList"))
    assert (told["org.lighthouses.limits"], told["org.lighthouses.more"]) == ("C", "B")
    assert mdm.ask(phone, "RemoveProfile", Identifier="org.lighthouses.limits")["Status"] == "Acknowledged"
    assert phone.blocked() == {"a"}
    assert phone.can_launch(OTHER.id)
    again = mdm.ask(phone, "RemoveProfile", Identifier="org.lighthouses.limits")
    assert codes(again) == [("MCMDMErrorDomain", 12075)]


def test_an_allow_list_leaves_the_rest_out(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT, OTHER))
    allowing = restrictions(WECHAT.id, OTHER.id, key="allowListedAppBundleIDs", whitelistedAppBundleIDs=[OTHER.id])
    mdm.ask(phone, "InstallProfile", Payload=profile(allowing))
    assert phone.can_launch(OTHER.id)
    assert not phone.can_launch(WECHAT.id)
    assert not phone.can_launch("com.apple.podcasts")
    assert phone.can_launch("com.apple.Preferences")
    assert phone.blocked() == frozenset()


@pytest.mark.parametrize("os", ["16.7", "26.1"])
@pytest.mark.parametrize("enrolment", [SUPERVISED, UNSUPERVISED, OWN])
def test_what_a_list_of_profiles_tells(mdm: Organisation, spec: Make, os: str, enrolment: Enrolment) -> None:
    phone = mdm.phone(spec(os, enrolment))
    payload = restrictions(WECHAT.id, PayloadDisplayName="Apps")
    mdm.ask(phone, "InstallProfile", Payload=profile(payload, PayloadRemovalDisallowed=True))
    told = next(
        item
        for item in mdm.ask(phone, "ProfileList")["ProfileList"]
        if item["PayloadIdentifier"] == "org.lighthouses.limits"
    )
    assert (told["PayloadDisplayName"], told["PayloadRemovalDisallowed"]) == ("Limits", True)
    assert ("IsManaged" in told) is (enrolment is not SUPERVISED)
    content = told["PayloadContent"][0]
    assert (content["PayloadType"], content["PayloadDisplayName"]) == ("com.apple.applicationaccess", "Apps")
    assert ("PayloadUUID" in content) is (os == "26.1")
    assert "blockedAppBundleIDs" not in content


WITHOUT = {"PayloadIdentifier": None}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"<plist", 1000),
        (b"<?xml version='1.0'?><plist version='1.0'><string>no</string></plist>", 1000),
        (b"<!DOCTYPE x [<!ENTITY e 'x'>]><plist version='1.0'><string>&e;</string></plist>", 1000),
        (profile(**WITHOUT), 2002),
        (profile(PayloadType="com.apple.applicationaccess"), 2004),
        (profile(PayloadContent="none"), 1000),
        (profile(PayloadContent=["none"]), 1000),
        (profile({"PayloadType": "com.apple.applicationaccess"}), 2002),
        (b"\x00\x01", 1004),
        (b"", 1004),
        (b"\x30\x80\x00\x00", 1004),
        (b"\x30\x80" * 3000, 1004),
        (b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x00", 1004),
    ],
)
def test_a_profile_that_cannot_be_read_is_refused(mdm: Organisation, spec: Make, payload: bytes, code: int) -> None:
    phone = mdm.phone(spec("26.1"))
    answer = mdm.ask(phone, "InstallProfile", Payload=payload)
    assert codes(answer)[0] == ("MCInstallationErrorDomain", 4001)
    assert codes(answer)[1][1] == code
    assert phone.device.profiles == {}


@pytest.fixture(scope="module", params=["ec", "rsa"])
def signed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Signs with OpenSSL, as an organisation does."""
    home = tmp_path_factory.mktemp("signer")
    if request.param == "ec":
        identity = CertificateAuthority.create().issue("Lighthouses")
        key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (home / "key.pem").write_bytes(key)
        (home / "signer.pem").write_bytes(identity.certificate.public_bytes(Encoding.PEM))
    else:
        request_ = f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=Lighthouses -keyout {home}/key.pem"
        subprocess.run([*request_.split(), "-out", f"{home}/signer.pem"], check=True, capture_output=True)

    def sign(body: bytes, *options: str) -> bytes:
        (home / "body").write_bytes(body)
        command = f"openssl cms -sign -in {home}/body -signer {home}/signer.pem -inkey {home}/key.pem -outform DER"
        done = subprocess.run([*command.split(), "-binary", *options], check=True, capture_output=True)
        return done.stdout

    return sign


@pytest.mark.parametrize("options", [(), ("-noattr",), ("-md", "sha512"), ("-stream",)])
def test_a_signed_profile(
    mdm: Organisation, spec: Make, signed: Callable[..., bytes], options: tuple[str, ...]
) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT))
    data = signed(profile(restrictions(WECHAT.id)), "-nodetach", *options)
    assert mdm.ask(phone, "InstallProfile", Payload=data)["Status"] == "Acknowledged"
    assert not phone.can_launch(WECHAT.id)
    told = mdm.ask(phone, "ProfileList")["ProfileList"]
    assert ["SignerCertificates" in item for item in told] == [False, True]
    assert len(told[1]["SignerCertificates"]) == 1


def test_a_signed_profile_that_was_changed(mdm: Organisation, spec: Make, signed: Callable[..., bytes]) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT))
    body = profile(restrictions(WECHAT.id))
    for options in (("-nodetach",), ("-nodetach", "-noattr")):
        changed = signed(body, *options).replace(WECHAT.id.encode(), b"com.example.xyz")
        assert codes(mdm.ask(phone, "InstallProfile", Payload=changed))[1] == ("MCProfileErrorDomain", 1004)
    for options in ((), ("-nodetach", "-nocerts"), ("-nodetach", "-md", "sha1")):
        assert codes(mdm.ask(phone, "InstallProfile", Payload=signed(body, *options)))[1][1] == 1004
    short = signed(body, "-nodetach")[:-40]
    assert codes(mdm.ask(phone, "InstallProfile", Payload=short))[1][1] == 1004
    assert phone.can_launch(WECHAT.id)


def test_what_a_block_does_not_reach(mdm: Organisation, spec: Make) -> None:
    clip, fresh = App("com.tencent.xin.Clip", clip=True), App("com.kms.free", "Kaspersky")
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT, clip))
    mdm.ask(phone, "InstallProfile", Payload=profile(restrictions("com.tencent.Xin", fresh.id, "com.apple.webapp")))
    assert phone.can_launch(WECHAT.id), "an identifier in other letters is another identifier"
    assert phone.can_launch(clip.id), "an app clip has an identifier of its own"
    phone.user_installs(fresh)
    assert fresh.id in phone.installed(), "a blocked app may still be fetched"
    assert not phone.can_launch(fresh.id)


MARKET = App("org.example.market", distributor="org.example.store")


@pytest.mark.parametrize(
    ("switch", "store", "market", "deletes"),
    [
        ("allowAppInstallation", False, False, True),
        ("allowUIAppInstallation", False, True, True),
        ("allowAppRemoval", True, True, False),
    ],
)
@pytest.mark.parametrize("enrolment", [SUPERVISED, UNSUPERVISED])
def test_what_a_person_may_do_with_apps(
    mdm: Organisation, spec: Make, enrolment: Enrolment, switch: str, store: bool, market: bool, deletes: bool
) -> None:
    phone = mdm.phone(spec("26.1", enrolment, OTHER))
    mdm.ask(phone, "InstallProfile", Payload=profile(restrictions(**{switch: False})))
    free = enrolment is UNSUPERVISED
    assert phone.user_installs(WECHAT) is (store or free)
    assert phone.user_installs(MARKET) is (market or free)
    assert phone.user_deletes(OTHER.id) is (deletes or free)
    assert (OTHER.id in phone.installed()) is not (deletes or free)
    if not (store or free):
        assert mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id)["Status"] == "Acknowledged"
        assert WECHAT.id in phone.installed(), "the organisation may install all the same"


def test_app_clips_go_where_they_are_forbidden(mdm: Organisation, spec: Make) -> None:
    clip = App("com.tencent.xin.Clip", clip=True)
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT, clip))
    mdm.ask(phone, "InstallProfile", Payload=profile(restrictions(allowAppClips=False)))
    assert phone.installed() & {WECHAT.id, clip.id} == {WECHAT.id}
    assert not phone.user_installs(clip)


def test_a_closed_store_ends_reinstalling(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT, person=Person(reinstalls_after=1)))
    mdm.ask(phone, "InstallProfile", Payload=profile(restrictions(allowAppInstallation=False)))
    mdm.ask(phone, "RemoveApplication", Identifier=WECHAT.id)
    for _ in range(3):
        phone.check_in()
    assert WECHAT.id not in phone.installed()
    mdm.ask(phone, "RemoveProfile", Identifier="org.lighthouses.limits")
    phone.check_in()
    assert WECHAT.id in phone.installed()
