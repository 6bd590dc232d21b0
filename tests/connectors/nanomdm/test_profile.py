"""The one profile of a scope: what the organisation had stays, ours comes and goes. plistlib and openssl are judges."""

from __future__ import annotations

import copy
import plistlib
import shutil
import subprocess
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.nanomdm import profile
from proscribe.connectors.nanomdm.model import Entry
from proscribe.errors import ProscribeError, UnreadableFile

SCOPE = "field/profile"
WECHAT, TIKTOK, OURS = "com.tencent.xin", "com.zhiliaoapp.musically", "ca.example.solitaire"
BANS = (Entry(WECHAT, "first"), Entry(TIKTOK, "second"))
RESTRICTIONS = "com.apple.applicationaccess"

Json = dict[str, Any]
Write = Callable[..., profile.Base]


def payload(number: int = 1, **keys: Any) -> Json:
    """A Restrictions payload."""
    return {
        "PayloadType": RESTRICTIONS,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"ca.example.field.{number}",
        "PayloadUUID": f"0D6E1F2C-5B0A-4A44-9D58-0A9A4D2F1C{number:02}",
        **keys,
    }


def document(*payloads: Json, **keys: Any) -> Json:
    return {
        "PayloadContent": list(payloads),
        "PayloadIdentifier": "ca.example.field",
        "PayloadType": "Configuration",
        "PayloadUUID": "0D6E1F2C-5B0A-4A44-9D58-0A9A4D2F1C00",
        "PayloadVersion": 1,
        **keys,
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "field.mobileconfig"


@pytest.fixture
def handed_over(path: Path) -> Write:
    """Reads a document that was laid down as a file."""

    def write(value: Json, fmt: plistlib.PlistFormat = plistlib.FMT_XML) -> profile.Base:
        path.write_bytes(plistlib.dumps(value, fmt=fmt))
        found = profile.read_base(path)
        assert found is not None
        return found

    return write


def merge(base: profile.Base | None, *entries: Entry, old_key: bool = False) -> profile.Profile:
    return profile.merged(SCOPE, base, entries, old_key=old_key, organisation="Lighthouses")


def restrictions(made: profile.Profile) -> list[Json]:
    return [one for one in plistlib.loads(made.payload)["PayloadContent"] if one["PayloadType"] == RESTRICTIONS]


# Alone --------------------------------------------------------------------------------------------------------------


def test_a_profile_of_our_own_says_what_it_is_in_both_languages():
    made = merge(None, *BANS)
    found = plistlib.loads(made.payload)
    (only,) = found["PayloadContent"]
    assert only["blockedAppBundleIDs"] == [WECHAT, TIKTOK]
    assert (found["PayloadType"], found["PayloadVersion"], found["PayloadScope"]) == ("Configuration", 1, "System")
    assert found["PayloadDisplayName"] == "Banned apps / Applications interdites"
    assert found["PayloadOrganization"] == "Lighthouses"
    assert (made.identifier, made.uuid) == (found["PayloadIdentifier"], found["PayloadUUID"])
    assert made.identifier == profile.own_identifier(SCOPE) != profile.own_identifier("office/profile")


def test_an_organisation_without_a_name_has_none():
    made = profile.merged(SCOPE, None, BANS, old_key=False, organisation="")
    assert "PayloadOrganization" not in plistlib.loads(made.payload)


def test_before_ios_15_the_list_has_its_old_name():
    (only,) = restrictions(merge(None, *BANS, old_key=True))
    assert only["blacklistedAppBundleIDs"] == [WECHAT, TIKTOK]
    assert "blockedAppBundleIDs" not in only


@pytest.mark.parametrize(
    ("version", "old"), [("9.3", True), ("14.8.1", True), ("15", False), ("15.0", False), ("26.1", False), ("", False)]
)
def test_the_version_decides_on_the_name(version, old):
    assert profile.needs_old_key(version) is old


def test_nothing_to_block_and_nothing_handed_over_is_no_profile():
    assert merge(None) == profile.Profile(profile.own_identifier(SCOPE), "", b"")


# With what the organisation had -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [plistlib.FMT_XML, plistlib.FMT_BINARY], ids=["xml", "binary"])
def test_all_of_it_stays(handed_over, fmt):
    wifi = {
        "PayloadType": "com.apple.wifi.managed", "PayloadIdentifier": "ca.example.wifi", "PayloadVersion": 1,
        "PayloadUUID": "0D6E1F2C-5B0A-4A44-9D58-0A9A4D2F1C77", "Password": "é & <clé>", "Anchor": b"\x00\xff\x30",
    }  # fmt: skip
    had = document(
        wifi,
        payload(allowCamera=False, maxInactivity=2**40, ratio=0.1, unknown={"deep": [1, "1", 1.0, True, b"1"]}),
        PayloadRemovalDisallowed=True,
        PayloadExpirationDate=datetime(2031, 1, 2, 3, 4, 5),  # noqa: DTZ001 (plistlib's dates)
        PayloadScope="User",
        PayloadDisplayName="Field",
        ConsentText={"default": "Line one\nline two"},
    )
    base = handed_over(had, fmt)
    made = merge(base, *BANS)
    expected = copy.deepcopy(had)
    expected["PayloadUUID"] = made.uuid
    expected["PayloadContent"][1] |= {
        "blockedAppBundleIDs": [WECHAT, TIKTOK],
        "PayloadUUID": restrictions(made)[0]["PayloadUUID"],
    }
    found = plistlib.loads(made.payload)
    assert found == expected
    assert repr(found["PayloadContent"][1]["unknown"]) == "{'deep': [1, '1', 1.0, True, b'1']}", "types stay as well"
    assert made.identifier == "ca.example.field"
    assert plistlib.loads(base.raw) == had == base.document, "a merge changes a copy"


def test_our_apps_come_after_theirs_in_order_and_each_once(handed_over):
    base = handed_over(document(payload(blockedAppBundleIDs=["z.z", WECHAT, "a.a"])))
    made = merge(base, Entry(TIKTOK, "2"), Entry("b.b", "2"), Entry(WECHAT, "1"), Entry(TIKTOK, "1"))
    assert restrictions(made)[0]["blockedAppBundleIDs"] == ["z.z", WECHAT, "a.a", "b.b", TIKTOK]


def test_letters_of_another_case_are_another_app(handed_over):
    base = handed_over(document(payload(blockedAppBundleIDs=["com.Tencent.xin"])))
    assert restrictions(merge(base, *BANS))[0]["blockedAppBundleIDs"] == ["com.Tencent.xin", WECHAT, TIKTOK]


def test_of_two_bans_one_is_lifted(handed_over):
    base = handed_over(document(payload(blockedAppBundleIDs=[OURS])))
    assert restrictions(merge(base, *BANS))[0]["blockedAppBundleIDs"] == [OURS, WECHAT, TIKTOK]
    assert restrictions(merge(base, BANS[1]))[0]["blockedAppBundleIDs"] == [OURS, TIKTOK]


def test_once_all_are_lifted_what_they_handed_over_is_back_as_it_was(handed_over):
    base = handed_over(document(payload(allowCamera=False)), plistlib.FMT_BINARY)
    assert merge(base) == profile.Profile("ca.example.field", base.document["PayloadUUID"], base.raw)


def test_the_lists_of_both_names_are_kept_apart(handed_over):
    base = handed_over(document(payload(blockedAppBundleIDs=["n.n"], blacklistedAppBundleIDs=["o.o"])))
    assert base.blocked == ("n.n", "o.o")
    (new,), (old,) = restrictions(merge(base, *BANS)), restrictions(merge(base, *BANS, old_key=True))
    assert (new["blockedAppBundleIDs"], new["blacklistedAppBundleIDs"]) == (["n.n", WECHAT, TIKTOK], ["o.o"])
    assert (old["blockedAppBundleIDs"], old["blacklistedAppBundleIDs"]) == (["n.n"], ["o.o", WECHAT, TIKTOK])


def test_without_a_restrictions_payload_one_is_added(handed_over):
    """Its identifier is one that no other payload has."""
    taken = "ca.example.field.proscribe"
    other = {**payload(), "PayloadType": "com.apple.webClip.managed", "PayloadIdentifier": taken}
    found = plistlib.loads(merge(handed_over(document(other)), *BANS).payload)
    assert found["PayloadContent"][0] == other
    assert found["PayloadContent"][1]["PayloadType"] == RESTRICTIONS
    assert found["PayloadContent"][1]["blockedAppBundleIDs"] == [WECHAT, TIKTOK]
    assert len({found["PayloadContent"][1]["PayloadIdentifier"], taken, "ca.example.field"}) == 3


@pytest.mark.parametrize("key", ["blockedAppBundleIDs", "blacklistedAppBundleIDs", "allowListedAppBundleIDs"])
def test_of_several_restrictions_payloads_the_one_that_names_apps_is_taken(handed_over, key):
    base = handed_over(document(payload(1, allowCamera=False), payload(2, **{key: [OURS]}), payload(3)))
    first, second, third = restrictions(merge(base, *BANS))
    assert (first, third) == (payload(1, allowCamera=False), payload(3))
    assert second["blockedAppBundleIDs"][-2:] == [WECHAT, TIKTOK]


def test_of_several_that_name_none_the_first_is_taken(handed_over):
    first, second = restrictions(merge(handed_over(document(payload(1), payload(2))), *BANS))
    assert first["blockedAppBundleIDs"] == [WECHAT, TIKTOK]
    assert second == payload(2)


# XML cannot hold control characters or what is no character, and turns a carriage return into a line feed: see below.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs"]), min_size=1, max_size=12)
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | TEXTS
    | st.binary(max_size=12)
    | st.datetimes(datetime(1000, 1, 1)).map(lambda value: value.replace(microsecond=0)),  # noqa: DTZ001
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.dictionaries(TEXTS, VALUES, max_size=4), st.booleans())
def test_whatever_they_had_stays(tmp_path_factory, outer, inner, binary):
    had = document({**inner, **payload()}, **{key: outer[key] for key in outer if not key.startswith("Payload")})
    path = tmp_path_factory.getbasetemp() / "any.mobileconfig"
    path.write_bytes(plistlib.dumps(had, fmt=plistlib.FMT_BINARY if binary else plistlib.FMT_XML))
    base = profile.read_base(path)
    made = merge(base, *BANS)
    found = plistlib.loads(made.payload)
    had["PayloadUUID"] = made.uuid
    had["PayloadContent"][0] |= {
        "blockedAppBundleIDs": [WECHAT, TIKTOK], "PayloadUUID": found["PayloadContent"][0]["PayloadUUID"],
    }  # fmt: skip
    assert repr(sorted(found.items(), key=str)) == repr(sorted(plistlib.loads(plistlib.dumps(had)).items(), key=str))


# UUIDs --------------------------------------------------------------------------------------------------------------


def test_the_same_content_has_the_same_uuid_and_bytes(handed_over):
    base = handed_over(document(payload(blockedAppBundleIDs=[OURS])))
    once = merge(base, *BANS)
    assert once == merge(handed_over(document(payload(blockedAppBundleIDs=[OURS]))), *reversed(BANS))
    assert once == merge(base, Entry(WECHAT, "third"), Entry(TIKTOK, "fourth")), "bans are names, apps are content"


def test_other_content_has_another_uuid(handed_over):
    def uuids(made: profile.Profile) -> tuple[str, str]:
        return made.uuid, restrictions(made)[0]["PayloadUUID"]

    made = [
        merge(None, *BANS),
        merge(None, BANS[0]),
        profile.merged("office/profile", None, BANS, old_key=False, organisation="Lighthouses"),
        merge(handed_over(document(payload())), *BANS),
        merge(handed_over(document(payload(allowCamera=False))), *BANS),
    ]
    found = [each for one in made for each in uuids(one)]
    assert len(set(found)) == len(found) == 10
    assert all(uuid.UUID(one).version == 5 for one in found)


def test_an_edition_has_one_uuid_under_either_name_of_the_list(handed_over):
    """Devices of one scope may need either; what a device reports is compared with one UUID."""
    for base in (None, handed_over(document(payload()))):
        new, old = merge(base, *BANS), merge(base, *BANS, old_key=True)
        assert new.uuid == old.uuid
        assert restrictions(new)[0]["PayloadUUID"] != restrictions(old)[0]["PayloadUUID"]


def test_an_edition_keeps_its_uuid_from_release_to_release():
    """Written down: devices carry it."""
    assert merge(None, *BANS).uuid == "108D3B38-CC25-5178-8E37-E8C872502395"


# Files that cannot be used ------------------------------------------------------------------------------------------


def xml(inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>{inside}</dict></plist>'.encode()


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><plist><dict><key>PayloadType</key><string>&j;</string></dict></plist>"
)

EXTERNAL = (
    b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    b"<plist><dict><key>PayloadType</key><string>&a;</string></dict></plist>"
)

HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "property list"),
    "text": (b"PayloadType: Configuration", "property list"),
    "cut off": (plistlib.dumps(document())[:-20], "property list"),
    "entity bomb": (BOMB, "property list"),
    "external entity": (EXTERNAL, "property list"),
    "deep": (xml("<key>a</key>" + "<array>" * 100_000 + "</array>" * 100_000), "property list"),
    "many values": (xml("<key>a</key><array>" + "<true/>" * 250_000 + "</array>"), "too-many-values"),
    "long": (xml(f"<key>a</key><string>{'x' * (5 << 19)}</string>"), "too-large"),
    "binary cut off": (plistlib.dumps(document(), fmt=plistlib.FMT_BINARY)[:-9], "property list"),
    "a list": (plistlib.dumps([document()]), "not a dictionary"),
    "a key twice": (xml("<key>PayloadType</key><string>a</string>" * 2), "PayloadType is given twice"),
    "a control character": (
        plistlib.dumps(document(note="a\x00b"), fmt=plistlib.FMT_BINARY), "cannot give back exactly",
    ),
    "a carriage return": (
        plistlib.dumps(document(note="a\r\nb"), fmt=plistlib.FMT_BINARY), "cannot give back exactly",
    ),
    "not a number": (plistlib.dumps(document(note=float("nan"))), "cannot give back exactly"),
    "a part of a second": (
        plistlib.dumps(document(note=datetime(2026, 1, 1, 0, 0, 0, 500_000)), fmt=plistlib.FMT_BINARY),  # noqa: DTZ001
        "cannot give back exactly",
    ),
    "a reference": (
        plistlib.dumps(document(note=plistlib.UID(1)), fmt=plistlib.FMT_BINARY), "cannot give back exactly",
    ),
    "encrypted": (plistlib.dumps(document(IsEncrypted=True)), "encrypted"),
    "an app's Info.plist": (plistlib.dumps({"CFBundleIdentifier": "a.b"}), "not a configuration profile"),
    "no identifier": (plistlib.dumps({**document(), "PayloadIdentifier": ""}), "the profile has no"),
    "a UUID that is a number": (plistlib.dumps({**document(), "PayloadUUID": 7}), "the profile has no"),
    "content that is data": (plistlib.dumps({**document(), "PayloadContent": b""}), "not a list of payloads"),
    "a payload that is text": (plistlib.dumps({**document(), "PayloadContent": ["a"]}), "not a list of payloads"),
    "apps that are text": (plistlib.dumps(document(payload(blockedAppBundleIDs=WECHAT))), "not a list of app ids"),
    "an app that is a number": (
        plistlib.dumps(document(payload(whitelistedAppBundleIDs=[1]))), "not a list of app ids",
    ),
    "two lists": (
        plistlib.dumps(document(payload(1, blockedAppBundleIDs=[]), payload(2, blacklistedAppBundleIDs=[OURS]))),
        "several Restrictions payloads name apps",
    ),
    "no envelope": (b"\x30\x80\x06", "envelope"),
    "a certificate request": (b"\x30\x03\x02\x01\x00", "envelope"),
    "an envelope that declares too much": (bytes.fromhex("3084ffffffff06092a864886f70d010702"), "envelope"),
    "envelopes without end": (b"\x30\x80" * 500_000, "envelope"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_cannot_be_used_is_refused_by_name_and_with_a_remedy(path, name):
    content, reason = HOSTILE[name]
    path.write_bytes(content)
    refused(path, reason)


def refused(path: Path, reason: str) -> None:
    with pytest.raises(InvalidConfiguration) as told:
        profile.read_base(path)
    assert reason in told.value.what.en
    assert told.value.where.file == str(path)
    assert told.value.remedy.en
    assert len(str(told.value)) < 400


def test_a_binary_list_in_which_lists_contain_each_other_is_refused(path):
    """Thirty lists of two references each unfold into a billion values."""
    value: list[Any] = ["x"]
    for _ in range(30):
        value = [value, value]
    path.write_bytes(plistlib.dumps({"a": value}, fmt=plistlib.FMT_BINARY))
    refused(path, "too-many-values")


def test_no_more_of_a_large_file_is_read_than_is_needed(path, monkeypatch):
    with path.open("wb") as stream:
        stream.truncate(100 << 20)
    monkeypatch.setattr(Path, "read_bytes", None)
    refused(path, "larger than 3 MiB")


def test_a_folder_and_a_link_to_nowhere_are_no_base_and_not_none(tmp_path, path):
    path.mkdir()
    refused(path, "not a regular file")
    link = tmp_path / "link.mobileconfig"
    link.symlink_to(tmp_path / "gone")
    refused(link, "not a regular file")


def test_a_file_that_cannot_be_opened_is_told(handed_over, path, monkeypatch):
    handed_over(document())

    def denied(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(UnreadableFile, match="Permission denied") as told:
        profile.read_base(path)
    assert told.value.where.file == str(path)


def test_no_file_is_no_base(path):
    assert profile.read_base(path) is None
    assert profile.read_base(path / "below") is None


# Signatures ---------------------------------------------------------------------------------------------------------

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on this machine")


class Signer:
    """A certificate authority, an intermediate one, and a certificate that signs profiles, all as PEM files."""

    def __init__(self, folder: Path, key: Any) -> None:
        self.root, self.certificate, self.key = folder / "root.pem", folder / "signer.pem", folder / "key.pem"
        root_key, middle_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = issue("Root", root_key, None, root_key)
        middle = issue("Middle", middle_key, root, root_key)
        leaf = issue("Lighthouses", key, middle, middle_key)
        self.root.write_bytes(pem(root))
        self.certificate.write_bytes(pem(leaf) + pem(middle))
        self.key.write_bytes(private_pem(key))


def issue(name: str, key: Any, issuer: x509.Certificate | None, issuer_key: Any) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=name != "Lighthouses", path_length=None), critical=True)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def private_pem(key: Any, password: bytes = b"") -> bytes:
    return bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption(),
        )
    )


@pytest.fixture(params=["rsa", "ec"])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> Signer:
    rsa_wanted = request.param == "rsa"
    return Signer(
        tmp_path, rsa.generate_private_key(65537, 2048) if rsa_wanted else ec.generate_private_key(ec.SECP256R1())
    )


@pytest.fixture
def rsa_signer(tmp_path: Path) -> Signer:
    """With an RSA key, for openssl's older commands."""
    return Signer(tmp_path, rsa.generate_private_key(65537, 2048))


def openssl(*arguments: str, feed: bytes) -> bytes:
    return subprocess.run(["openssl", *arguments], input=feed, capture_output=True, check=True).stdout


@needs_openssl
@pytest.mark.parametrize("command", ["smime", "cms"])
def test_openssl_verifies_what_was_signed(signer, command):
    """With nothing but the root: the intermediate certificate travels along."""
    made = merge(None, *BANS)
    envelope = profile.sign(made.payload, signer.certificate, signer.key)
    check = [command, "-verify", "-inform", "DER", "-CAfile", str(signer.root), "-purpose", "any", "-binary"]
    assert openssl(*check, feed=envelope) == made.payload
    tampered = envelope.replace(WECHAT.encode(), b"com.tencent.xim")
    assert len(tampered) == len(envelope)
    with pytest.raises(subprocess.CalledProcessError):
        openssl(*check, feed=tampered)


def test_what_was_signed_can_be_handed_over(signer, path, handed_over):
    plain = handed_over(document(payload(allowCamera=False)))
    path.write_bytes(profile.sign(plain.raw, signer.certificate, signer.key))
    signed = profile.read_base(path)
    assert signed is not None
    assert signed.document == plain.document
    assert signed.digest != plain.digest
    assert restrictions(merge(signed, *BANS))[0]["blockedAppBundleIDs"] == [WECHAT, TIKTOK]
    assert merge(signed).payload == path.read_bytes(), "without a ban their own signature stands"


@needs_openssl
@pytest.mark.parametrize("extra", [["smime"], ["cms"], ["cms", "-stream"], ["smime", "-stream"]], ids=" ".join)
def test_what_others_signed_can_be_handed_over(rsa_signer, path, extra):
    """With ``-stream`` openssl writes lengths that are not known beforehand (BER), as Apple's own tools do."""
    had = document(payload(allowCamera=False), note="x" * 20_000)
    command, *options = extra
    path.write_bytes(
        openssl(
            command, "-sign", "-nodetach", "-binary", "-outform", "DER", *options,
            "-signer", str(rsa_signer.certificate), "-inkey", str(rsa_signer.key), feed=plistlib.dumps(had),
        )
    )  # fmt: skip
    base = profile.read_base(path)
    assert base is not None
    assert base.document == had


@needs_openssl
@pytest.mark.parametrize(
    "arguments",
    [
        ["cms", "-sign", "-outform", "DER", "-signer", "{c}", "-inkey", "{k}"],
        ["cms", "-encrypt", "-outform", "DER", "{c}"],
    ],
    ids=["detached", "encrypted"],
)
def test_an_envelope_without_a_profile_to_be_seen_is_refused(rsa_signer, path, arguments):
    filled = [one.format(c=rsa_signer.certificate, k=rsa_signer.key) for one in arguments]
    path.write_bytes(openssl(*filled, feed=plistlib.dumps(document())))
    refused(path, "envelope (CMS) without a readable profile")


def test_an_envelope_of_another_kind_is_refused(signer, path):
    """The same bytes under another name (digestedData) are no promise that a profile is in there."""
    envelope = profile.sign(plistlib.dumps(document()), signer.certificate, signer.key)
    signed, digested = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010705")
    path.write_bytes(envelope.replace(signed, digested, 1))
    refused(path, "envelope (CMS) without a readable profile")


def test_what_is_signed_is_not_signed_again(signer):
    once = profile.sign(b"<?xml?>", signer.certificate, signer.key)
    assert profile.sign(once, signer.certificate, signer.key) == once


def test_a_key_that_cannot_sign_is_told(rsa_signer, tmp_path):
    key = tmp_path / "other.pem"

    def told(content: bytes, certificate: Path = rsa_signer.certificate) -> ProscribeError:
        key.write_bytes(content)
        with pytest.raises(ProscribeError) as raised:
            profile.sign(b"<?xml?>", certificate, key)
        return raised.value

    other = ec.generate_private_key(ec.SECP256R1())
    for content, reason in [
        (private_pem(other), "does not belong to"),
        (private_pem(other, b"password"), "no private key that can be read"),
        (b"nothing", "no private key that can be read"),
        (private_pem(ed25519.Ed25519PrivateKey.generate()), "neither an RSA nor an EC key"),
    ]:
        error = told(content)
        assert isinstance(error, InvalidConfiguration)
        assert reason in error.what.en
        assert error.where.file == str(key)
        assert b"BEGIN" not in str(error).encode()
    error = told(private_pem(other), certificate=rsa_signer.key)
    assert (error.what.en, error.where.file) == ("no certificate in PEM form", str(rsa_signer.key))
    assert isinstance(told(b"", certificate=tmp_path / "gone.pem"), UnreadableFile)


# What stands against a change ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("app", ["com.apple.mobilephone", "com.apple.Preferences", "com.apple.preferences"])
def test_phone_and_settings_cannot_be_hidden(app):
    (objection,) = profile.lint([WECHAT, app], None)
    assert objection.blocks
    assert app in objection.what.en
    assert "2004" in objection.what.en


@pytest.mark.parametrize(
    ("app", "words"), [("com.apple.webapp", "every web clip"), ("com.tencent.xin.Clip", "app clip")]
)
def test_clips_are_worth_a_word(app, words):
    (objection,) = profile.lint([app, WECHAT], None)
    assert not objection.blocks
    assert words in objection.what.en


def test_an_ordinary_app_is_not(handed_over):
    assert profile.lint([WECHAT, "com.clipper.app"], None) == ()
    assert profile.lint([WECHAT], handed_over(document(payload(blockedAppBundleIDs=[WECHAT])))) == ()


@pytest.mark.parametrize("key", ["blockedAppBundleIDs", "blacklistedAppBundleIDs"])
def test_another_case_in_their_list_is_worth_a_word(handed_over, key):
    base = handed_over(document(payload(**{key: ["com.Tencent.Xin"]})))
    (objection,) = profile.lint([WECHAT, TIKTOK], base)
    assert not objection.blocks
    assert "com.Tencent.Xin" in objection.what.en
    assert WECHAT in objection.what.en


@pytest.mark.parametrize("key", ["allowListedAppBundleIDs", "whitelistedAppBundleIDs"])
def test_a_list_of_allowed_apps(handed_over, key):
    """An app on it cannot be banned as well; another one is kept away already, as long as the list stands."""
    base = handed_over(document(payload(**{key: [OURS, TIKTOK]})))
    assert base.allowed == (OURS, TIKTOK)
    on_it, omitted = profile.lint([WECHAT, TIKTOK], base)
    assert (on_it.blocks, omitted.blocks) == (True, False)
    assert TIKTOK in on_it.what.en
    assert "field.mobileconfig" in omitted.what.en
    assert restrictions(merge(base, *BANS))[0][key] == [OURS, TIKTOK], "it is kept"


def test_an_empty_list_of_allowed_apps_is_a_limit_too(handed_over):
    assert handed_over(document(payload(allowListedAppBundleIDs=[]))).allowed == ()
    assert handed_over(document(payload())).allowed is None
