"""Embedded signatures: who signed, which entitlements are sealed, and every way in which that can be wrong."""

from __future__ import annotations

import hashlib
import plistlib
import struct
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.assess.ios import der
from proscribe.assess.ios.codesign import FAILURES, Signature, read_signature
from proscribe.assess.ios.image import Budget, images
from proscribe.assess.ios.window import Window

ENTITLEMENTS: dict[str, Any] = {
    "application-identifier": "ABCDE12345.ca.example.app",
    "get-task-allow": False,
    "com.apple.security.application-groups": ["group.one", "group.two"],
    "com.apple.developer.nfc.readersession.formats": [],
    "nested": {"a": {"b": [1, -1, 300, True]}},
}


def read(macho: ModuleType, signing: Any = None, **thin: Any) -> Signature:
    (image,) = images(Window.of(macho.Thin(signing=signing, **thin).build()))
    assert image.problem == ""
    return read_signature(image, Budget())


def codes(signature: Signature) -> list[str]:
    return [code for code, _ in signature.problems]


def test_both_forms_of_the_entitlements_and_who_signed(macho: ModuleType) -> None:
    signing = macho.Signing(
        xml=plistlib.dumps(ENTITLEMENTS), der=macho.der_entitlements(ENTITLEMENTS), info=b"the plist"
    )
    signature = read(macho, signing)
    assert signature.problems == []
    assert signature.xml == signature.der == ENTITLEMENTS
    assert (signature.kind, signature.cms, signature.directories[0].ad_hoc) == ("cms", True, False)
    assert (signature.directories[0].identifier, signature.directories[0].team_id) == ("ca.example.app", "ABCDE12345")
    assert signature.seals_info(b"the plist")
    assert not signature.seals_info(b"another")


def test_lief_sees_the_same_signature(macho: ModuleType) -> None:
    import lief

    signing = macho.Signing(xml=plistlib.dumps(ENTITLEMENTS))
    parsed = lief.MachO.parse(macho.Thin(signing=signing).build())
    assert parsed is not None
    assert bytes(next(iter(parsed)).code_signature.content) == signing.build()


def test_ad_hoc_and_unsigned(macho: ModuleType) -> None:
    assert read(macho, macho.Signing(cms=b"", team="")).kind == "ad-hoc"
    unsigned = read(macho)
    assert (unsigned.kind, unsigned.problems, list(unsigned.forms())) == ("", [], [])


@pytest.mark.parametrize(
    ("xml", "coded"),
    [
        ({"a": True}, {"a": False}),
        ({"a": 1}, {"a": True}),
        ({"a": True, "b": True}, {"a": True}),
        ({}, {"platform-application": True}),
    ],
)
def test_forms_that_differ_are_told(macho: ModuleType, xml: dict[str, Any], coded: dict[str, Any]) -> None:
    signature = read(macho, macho.Signing(xml=plistlib.dumps(xml), der=macho.der_entitlements(coded)))
    assert codes(signature) == ["codesign.entitlements-differ"]
    assert (signature.xml, signature.der) == (xml, coded)


def test_sections_of_simulator_builds(macho: ModuleType) -> None:
    sections = {"__entitlements": plistlib.dumps(ENTITLEMENTS), "__ents_der": macho.der_entitlements(ENTITLEMENTS)}
    signature = read(macho, sections=sections)
    assert (dict(signature.forms()), signature.problems) == ({"section": ENTITLEMENTS}, [])
    assert read(macho, sections={"__ents_der": sections["__ents_der"]}).section == ENTITLEMENTS
    differ = read(macho, sections=sections | {"__ents_der": macho.der_entitlements({"a": True})})
    assert codes(differ) == ["codesign.entitlements-differ"]
    assert differ.section == ENTITLEMENTS | {"a": True}


def test_encryption_hides_the_sections_and_nothing_else(macho: ModuleType) -> None:
    sections = {"__entitlements": plistlib.dumps(ENTITLEMENTS)}
    signature = read(macho, macho.Signing(xml=plistlib.dumps(ENTITLEMENTS)), sections=sections, cryptid=1)
    assert (signature.xml, signature.section) == (ENTITLEMENTS, None)
    assert signature.problems == [("macho.encrypted", "__entitlements")]


def test_a_debuggers_companion_has_no_entitlements_of_its_own(macho: ModuleType) -> None:
    signature = read(macho, sections={"__entitlements": bytes(40)}, kind=0xA)
    assert (signature.section, signature.problems) == (None, [])


def test_entitlements_given_twice_are_told(macho: ModuleType) -> None:
    xml = b"<plist><dict><key>a</key><true/><key>a</key><false/></dict></plist>"
    signature = read(macho, macho.Signing(xml=xml))
    assert signature.problems == [("codesign.duplicate-key", "a")]


def test_empty_entitlements_are_none_at_all(macho: ModuleType) -> None:
    signature = read(macho, macho.Signing(xml=b""))
    assert (signature.xml, signature.problems) == ({}, [])


@pytest.mark.parametrize(
    ("signing", "code"),
    [
        ({"xml": b"<plist><dict>"}, "codesign.entitlements-xml"),
        ({"xml": b"<plist><array/></plist>"}, "codesign.entitlements-xml"),
        ({"der": b""}, "codesign.entitlements-der"),
        ({"der": b"\x70\x80"}, "codesign.entitlements-der"),
    ],
)
def test_entitlements_that_cannot_be_read_are_told(macho: ModuleType, signing: dict[str, bytes], code: str) -> None:
    assert codes(read(macho, macho.Signing(**signing))) == [code]
    assert code in FAILURES


def _resigned(macho: ModuleType, signature: bytes) -> Signature:
    class Given(macho.Signing):  # type: ignore[name-defined,misc]
        def build(self) -> bytes:
            return signature

    return read(macho, Given())


def test_entitlements_changed_after_signing_are_told(macho: ModuleType) -> None:
    honest, changed = (macho.blob(0xFADE7171, plistlib.dumps({"a": value})) for value in (False, True))
    directory = macho.code_directory(special={5: honest})
    assert codes(_resigned(macho, macho.superblob([(0, directory), (5, honest)]))) == []
    assert codes(_resigned(macho, macho.superblob([(0, directory), (5, changed)]))) == ["codesign.not-sealed"]


def test_directories_that_name_others_are_told(macho: ModuleType) -> None:
    first, second = macho.code_directory(team="AAAAA11111"), macho.code_directory(team="BBBBB22222")
    signature = _resigned(macho, macho.superblob([(0, first), (0x1000, second)]))
    assert codes(signature) == ["codesign.directories-differ"]


@pytest.mark.parametrize(("kind", "name", "length"), [(1, "sha1", 20), (3, "sha256", 20), (4, "sha384", 48)])
def test_every_kind_of_hash(macho: ModuleType, kind: int, name: str, length: int) -> None:
    directory = bytearray(macho.code_directory(special={1: b""}))
    at = struct.unpack_from(">I", directory, 16)[0] - 32
    digest = hashlib.new(name, b"info").digest()[:length]
    directory[at:] = digest
    struct.pack_into(">I", directory, 16, at + length)
    directory[36:38] = bytes((length, kind))
    struct.pack_into(">I", directory, 4, len(directory))
    signature = _resigned(macho, macho.superblob([(0, bytes(directory))]))
    assert signature.problems == []
    assert (signature.seals_info(b"info"), signature.seals_info(b"other")) == (True, False)


def _directory(macho: ModuleType, **fields: int) -> bytes:
    """A code directory with other numbers in its header."""
    directory = bytearray(macho.code_directory(team="AAAAA11111", special={1: b"info"}))
    places = {"version": 8, "hashes": 16, "identifier": 20, "special": 24, "team": 48}
    for field, value in fields.items():
        if field == "kind":
            directory[37] = value
        else:
            struct.pack_into(">I", directory, places[field], value)
    return bytes(directory)


@pytest.mark.parametrize("fields", [{"kind": 9}, {"special": 0xFFFFFFFF}, {"special": 60}, {"hashes": 0xFFFFFF}])
def test_directories_that_lie_seal_nothing(macho: ModuleType, fields: dict[str, int]) -> None:
    signature = _resigned(macho, macho.superblob([(0, _directory(macho, **fields))]))
    assert codes(signature) == ["codesign.directory"]
    assert signature.directories[0].identifier == "ca.example.app"
    assert signature.seals_info(b"anything")


def test_names_outside_a_directory_are_empty(macho: ModuleType) -> None:
    (found,) = _resigned(macho, macho.superblob([(0, _directory(macho, identifier=0xFFFF, team=0xFFFF))])).directories
    assert (found.identifier, found.team_id) == ("", "")
    (old,) = _resigned(macho, macho.superblob([(0, _directory(macho, version=0x20100))])).directories
    assert (old.identifier, old.team_id) == ("ca.example.app", "")


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (b"\xfa\xde\x0c\xc0", "codesign.superblob"),
        (bytes(64), "codesign.superblob"),
        (struct.pack(">III", 0xFADE0CC0, 0xFFFFFFFF, 0xFFFFFFFF), "codesign.superblob"),
        (struct.pack(">III", 0xFADE0CC0, 12, 3), "codesign.superblob"),
        (struct.pack(">IIIII", 0xFADE0CC0, 100, 1, 5, 0xFFFFFF00), "codesign.blob-outside"),
        (struct.pack(">IIIIIII", 0xFADE0CC0, 28, 1, 5, 20, 0xFADE7171, 0xFFFF), "codesign.blob-outside"),
        (struct.pack(">IIIIIII", 0xFADE0CC0, 28, 1, 5, 20, 0xFADE7172, 8), "codesign.blob-magic"),
        (struct.pack(">IIIIIII", 0xFADE0CC0, 28, 1, 0, 20, 0xFADE0C02, 8), "codesign.directory"),
    ],
)
def test_signatures_that_make_no_sense_are_told(macho: ModuleType, signature: bytes, code: str) -> None:
    found = _resigned(macho, signature)
    assert codes(found) == [code]
    assert code in FAILURES
    assert found.kind == ""


# ---- DER -----------------------------------------------------------------------------------------------------------

_scalars = (
    st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=9)
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc.é", max_size=5), inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.text("abc.-é", max_size=8), _values, max_size=5))
def test_der_reads_what_was_written(macho: ModuleType, value: dict[str, Any]) -> None:
    assert der.entitlements(memoryview(macho.der_entitlements(value))) == value


def test_der_of_a_real_simulator_build() -> None:
    # As Apple's tools wrote it in a sample app's __ents_der.
    data = b"pJ\x02\x01\x01\xb0E0C\x0c\x16application-identifier\x0c)FAKETEAMID.com.wix.DetoxXCUITestRunnerApp"
    assert der.entitlements(memoryview(data)) == {"application-identifier": "FAKETEAMID.com.wix.DetoxXCUITestRunnerApp"}


def test_der_as_before_ios_15_and_with_data(macho: ModuleType) -> None:
    pair = macho.der(0x30, macho.der_value("a") + macho.der_value(b"\x01"))
    data = macho.der(0x70, macho.der_value(1) + macho.der(0x31, pair))
    assert der.entitlements(memoryview(data)) == {"a": "base64:AQ=="}


def _deep(macho: ModuleType, levels: int) -> bytes:
    value = macho.der_value("x")
    for _ in range(levels):
        value = macho.der(0x30, value)
    return bytes(macho.der(0xB0, macho.der(0x30, macho.der_value("a") + value)))


def test_der_that_makes_no_sense_is_refused(macho: ModuleType) -> None:
    one, pair = macho.der_value(1), macho.der(0x30, macho.der_value("a") + macho.der_value(True))
    for content in (
        b"",
        one,
        macho.der_value(2) + macho.der(0xB0, pair),
        one + macho.der_value("text"),
        one + macho.der(0xB0, macho.der_value("text")),
        one + macho.der(0xB0, macho.der(0x30, one + one)),
        one + macho.der(0xB0, macho.der(0x30, macho.der(0x0C, b"\xff") + one)),
        one + macho.der(0xB0, macho.der(0x30, macho.der_value("a") + macho.der(0x05, b""))),
        one + b"\xbf\x01\x00",
        one + b"\xb0",
        one + b"\xb0\x85\x00\x00\x00\x00\x00",
        one + b"\xb0\x84\xff\xff\xff\xff",
        one + _deep(macho, 100),
    ):
        with pytest.raises(der.MalformedDer):
            der.entitlements(memoryview(macho.der(0x70, content)))


@given(st.binary(max_size=80), st.integers(0, 80), st.integers(0, 255))
def test_any_bytes_are_read_or_refused(macho: ModuleType, data: bytes, at: int, value: int) -> None:
    mutant = bytearray(macho.der_entitlements({"a": [True, {"b": "c"}], "d": 5}))
    mutant[at % len(mutant)] = value
    for form in (data, b"\x70" + data, bytes(mutant)):
        for read_it in (der.entitlements, der.signed_content):
            try:
                read_it(memoryview(form))
            except der.MalformedDer:
                continue
