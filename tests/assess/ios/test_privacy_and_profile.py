"""Privacy manifests and provisioning profiles: what the makers state, and how the app may be installed."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from proscribe.assess.facts import AccessedApi, CollectedData, Entitlement, IosFacts, Reading
from proscribe.assess.intake.container import Container
from proscribe.assess.ios.read import read_ios
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch

MANIFEST = {
    "NSPrivacyTracking": True,
    "NSPrivacyTrackingDomains": ["b.example", "a.example"],
    "NSPrivacyAccessedAPITypes": [
        {
            "NSPrivacyAccessedAPIType": "NSPrivacyAccessedAPICategoryActiveKeyboards",
            "NSPrivacyAccessedAPITypeReasons": ["3EC4.1"],
        }
    ],
    "NSPrivacyCollectedDataTypes": [
        {
            "NSPrivacyCollectedDataType": "NSPrivacyCollectedDataTypeContacts",
            "NSPrivacyCollectedDataTypeLinked": True,
            "NSPrivacyCollectedDataTypeTracking": False,
            "NSPrivacyCollectedDataTypePurposes": ["NSPrivacyCollectedDataTypePurposeAnalytics"],
        }
    ],
}


def run(reading: Reading[IosFacts], of: FactClass) -> tuple[Extent, int, int, str]:
    return next((run.extent, run.read, run.total, run.problem) for run in reading.runs if run.of is of)


def test_every_privacy_manifest_is_read(ipa: Callable[..., Container], watch: Watch) -> None:
    places = ("PrivacyInfo.xcprivacy", "Frameworks/F.framework/PrivacyInfo.xcprivacy", "B.bundle/PrivacyInfo.xcprivacy")
    container = ipa(None, dict.fromkeys(places, MANIFEST))
    reading = read_ios(container, watch)
    assert reading.facts is not None
    assert [one.member for one in reading.facts.privacy] == sorted(f"Payload/App.app/{place}" for place in places)
    for one in reading.facts.privacy:
        assert one.sha256 == container.sha256(one.member)
        assert (one.tracking, one.domains) == (True, ("a.example", "b.example"))
        assert one.apis == (AccessedApi("NSPrivacyAccessedAPICategoryActiveKeyboards", ("3EC4.1",)),)
        assert one.collected == (
            CollectedData(
                "NSPrivacyCollectedDataTypeContacts", True, False, ("NSPrivacyCollectedDataTypePurposeAnalytics",)
            ),
        )
    assert run(reading, FactClass.privacy_manifest) == (Extent.complete, 3, 3, "")


def test_no_privacy_manifest_is_told(ipa: Callable[..., Container], watch: Watch) -> None:
    assert run(read_ios(ipa(), watch), FactClass.privacy_manifest) == (Extent.absent, 0, 0, "")


def test_broken_privacy_manifests_are_told(ipa: Callable[..., Container], watch: Watch) -> None:
    odd = {"NSPrivacyTracking": "yes", "NSPrivacyAccessedAPITypes": [7, {}], "NSPrivacyCollectedDataTypes": {}}
    reading = read_ios(ipa(None, {"PrivacyInfo.xcprivacy": odd, "B.bundle/PrivacyInfo.xcprivacy": b"{"}), watch)
    assert reading.facts is not None
    broken, typed = reading.facts.privacy
    assert (broken.member, broken.tracking) == ("Payload/App.app/B.bundle/PrivacyInfo.xcprivacy", False)
    assert (typed.tracking, typed.apis, typed.collected) == (False, (AccessedApi("", ()),), ())
    assert run(reading, FactClass.privacy_manifest) == (Extent.partial, 1, 2, "plist.malformed")


def test_too_many_privacy_manifests_are_told(
    ipa: Callable[..., Container], watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proscribe.assess.ios.privacy.MAX_MANIFESTS", 2)
    reading = read_ios(ipa(None, {f"{name}.bundle/PrivacyInfo.xcprivacy": MANIFEST for name in "abc"}), watch)
    assert reading.facts is not None
    assert len(reading.facts.privacy) == 2
    assert run(reading, FactClass.privacy_manifest)[0] is Extent.partial


# ---- profiles ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def enveloped() -> Callable[[bytes], bytes]:
    """Signs bytes into a CMS envelope, as Apple does with a profile."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )

    def envelope(content: bytes) -> bytes:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA256())
        return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])

    return envelope


DEVICES = ["00008030-000000000000001E"]


def profile(**entries: Any) -> bytes:
    return plistlib.dumps(
        {
            "TeamIdentifier": ["ZYXWV98765"],
            "ExpirationDate": datetime(2027, 1, 2, 3, 4, 5),  # noqa: DTZ001  plistlib's dates have no zone
            "Entitlements": {"get-task-allow": False, "aps-environment": "production"},
            **entries,
        }
    )


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ({"ProvisionedDevices": DEVICES, "Entitlements": {"get-task-allow": True}}, "development"),
        ({"ProvisionedDevices": DEVICES}, "ad-hoc"),
        ({"ProvisionsAllDevices": True}, "enterprise"),
        ({}, "store"),
    ],
)
def test_kinds_of_profiles(
    ipa: Callable[..., Container], watch: Watch, enveloped: Callable[[bytes], bytes], entries: dict[str, Any], kind: str
) -> None:
    reading = read_ios(ipa(None, {"embedded.mobileprovision": enveloped(profile(**entries))}), watch)
    assert reading.facts is not None
    assert (reading.facts.profile, reading.facts.team_id) == (kind, "ZYXWV98765")
    assert reading.facts.profile_expires == "2027-01-02T03:04:05Z"
    assert run(reading, FactClass.entitlements) == (Extent.complete, 1, 1, "")
    assert reading.anomalies == ()
    assert DEVICES[0] not in repr(reading)


def test_a_profiles_entitlements_are_what_it_allows(
    ipa: Callable[..., Container], watch: Watch, macho: ModuleType, enveloped: Callable[[bytes], bytes]
) -> None:
    signing = macho.Signing(xml=plistlib.dumps({"aps-environment": "development"}))
    members = {"embedded.mobileprovision": enveloped(profile()), "App": macho.Thin(signing=signing).build()}
    reading = read_ios(ipa(None, members), watch)
    assert reading.facts is not None
    root = "Payload/App.app/"
    assert reading.facts.entitlements == (
        Entitlement("aps-environment", '"development"', "codesign-xml", f"{root}App"),
        Entitlement("aps-environment", '"production"', "profile", f"{root}embedded.mobileprovision"),
        Entitlement("get-task-allow", "false", "profile", f"{root}embedded.mobileprovision"),
    )
    assert reading.facts.team_id == "ABCDE12345"  # the signature's, not the profile's


@pytest.mark.parametrize(
    ("before", "after", "kind", "problem"),
    [
        (b"", b"", "store", ""),
        (b"\x30\x80", b"\x00\x00", "store", ""),
        (b"\x30\x03\x02\x01\x05", b"", "store", ""),
        (b"\x30", b"</plist>", "", "plist.malformed"),
    ],
)
def test_an_envelope_that_makes_no_sense_is_told(
    ipa: Callable[..., Container], watch: Watch, before: bytes, after: bytes, kind: str, problem: str
) -> None:
    reading = read_ios(ipa(None, {"embedded.mobileprovision": before + profile() + after}), watch)
    assert reading.facts is not None
    assert reading.facts.profile == kind
    assert "profile.envelope" in {anomaly.code for anomaly in reading.anomalies}
    assert run(reading, FactClass.entitlements)[3] == problem


def test_envelopes_of_other_shapes_are_told(ipa: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    oid = macho.der(0x06, bytes.fromhex("2a864886f70d010702"))
    shapes = (
        macho.der(0x30, oid),
        macho.der(0x30, oid + macho.der(0xA0, macho.der(0x30, macho.der_value(1)))),
        macho.der(0x30, oid + macho.der(0xA0, macho.der(0x30, macho.der_value(1) * 2 + macho.der(0x30, oid)))),
        macho.der(
            0x30,
            oid
            + macho.der(0xA0, macho.der(0x30, macho.der_value(1) * 2 + macho.der(0x30, oid + macho.der(0xA0, b"")))),
        ),
    )
    for shape in shapes:
        reading = read_ios(ipa(None, {"embedded.mobileprovision": shape}), watch)
        assert reading.facts is not None
        assert reading.facts.profile == ""
        assert {"profile.envelope", "plist.malformed"} <= {anomaly.code for anomaly in reading.anomalies}
