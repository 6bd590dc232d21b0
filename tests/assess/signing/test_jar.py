"""Scheme v1 on packages built here, right and wrong; apksigner is asked about each of them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509

from proscribe.assess.facts import SigningFacts
from proscribe.assess.intake.container import open_container
from proscribe.assess.signing import verify_apk
from proscribe.assess.signing.algorithms import covers, pkcs7_algorithm
from proscribe.assess.signing.jar_manifest import TooManyAttributes, sections
from proscribe.assess.terms import Scheme, SignatureState


def verify(data: bytes, low: int = 21, high: int | None = None) -> SigningFacts:
    return verify_apk(open_container(data), min_sdk=low, max_sdk=high)


def result(facts: SigningFacts) -> str:
    """The problem of v1, "" where it holds."""
    assert facts.verified == bool(facts.signers)
    (jar,) = [one for one in facts.schemes if one.scheme is Scheme.v1]
    return jar.problem


@pytest.fixture(scope="module")
def sign(build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]) -> Callable[..., bytes]:
    """A package signed by v1; ``by`` names keys, the rest is of the builder."""

    def signed(*by: str, content: dict[str, bytes] | None = None, **more: Any) -> bytes:
        return bytes(build.signed_jar(content or members, build.Jar([keys[name] for name in by or ("ec",)], **more)))

    return signed


def meta(data: bytes, name: str) -> bytes:
    return open_container(data).read(f"META-INF/{name}")


def test_right_ones(sign: Callable[..., bytes], keys: dict[str, Any]) -> None:
    for data in (
        sign("rsa"),
        sign("ec"),
        sign("dsa", hash="SHA1"),
        sign("rsa", hash="SHA-512"),
        sign("rsa", attributes=True),
        sign("rsa", newline=b"\n"),
        sign("rsa", newline=b"\r"),
        sign("rsa", manifest_digest=False),
        sign("rsa", created_by="1.0 signtool", main_digest=False),
    ):
        facts = verify(data, 23)
        assert result(facts) == "", facts
    both = verify(sign("rsa", "ec"))
    assert {signer.certificate for signer in both.signers} == {keys["rsa"].sha256, keys["ec"].sha256}


def test_long_names_are_folded(sign: Callable[..., bytes], members: dict[str, bytes]) -> None:
    long = {**members, "a/" + "é" * 100: b"1", "b/" + "n" * 68: b"2", "c/" + "n" * 300: b"3", " odd : name ": b"4"}
    assert result(verify(sign(content=long))) == ""


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "no signature": ("jar-sig.no-signatures", {"replaced": {"META-INF/S0.EC": None}}),
    "unlisted entry": ("jar-sig.zip-entry-not-signed", {"unlisted": frozenset({"b"})}),
    "stripped v2": ("jar-sig.missing-apk-sig-referenced", {"scheme_header": "2"}),
    "stripped v3": ("jar-sig.missing-apk-sig-referenced", {"scheme_header": "7, x, , 3"}),
    "block of another": ("jar-sig.did-not-verify", {"replaced": {"META-INF/S0.SF": b"Signature-Version: 1.0\r\n\r\n"}}),
    "block no ASN.1": ("jar-sig.parse-exception", {"replaced": {"META-INF/S0.EC": b"nothing"}}),
    "manifest emptied": (
        "jar-sig.manifest-main-section-digest-did-not-verify",
        {"replaced": {"META-INF/MANIFEST.MF": b"A: b\r\n\r\n"}},
    ),
    "manifest names what is not there": (
        "jar-sig.missing-zip-entry-referenced-in-manifest",
        {"replaced": {"META-INF/MANIFEST.MF": b"A: b\r\n\r\nName: no\r\n\r\n"}},
    ),
    "section without name": (
        "jar-sig.unnamed-manifest-section",
        {"replaced": {"META-INF/MANIFEST.MF": b"A: b\r\n\r\nB: c\r\n\r\n"}},
    ),
    "section twice": (
        "jar-sig.duplicate-manifest-section",
        {"replaced": {"META-INF/MANIFEST.MF": b"A: b\n\nName: b\n\nName: b\n\n"}},
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_ones(sign: Callable[..., bytes], build: ModuleType, keys: dict[str, Any], case: str) -> None:
    expected, how = WRONG[case]
    replaced = {name: data for name, data in how.get("replaced", {}).items() if data is not None}
    data = sign(**{**how, "replaced": replaced})
    dropped = [name for name, content in how.get("replaced", {}).items() if content is None]
    if dropped:
        opened = open_container(data)
        data = build.archive({name: opened.read(name) for name in opened.entries if name not in dropped})
    facts = verify(data)
    reasons = {result(facts), *(warning.split(" ")[0] for warning in facts.warnings)}
    assert not facts.verified
    assert expected in reasons
    # Whoever stands in the file without having signed it is a claim at most.
    if not dropped and "META-INF/S0.EC" not in replaced:
        assert facts.claimed == (keys["ec"].sha256,)


def test_entries_of_two_groups_of_signers(build: ModuleType, sign: Callable[..., bytes]) -> None:
    data = sign("rsa", "ec", unlisted=frozenset({"b"}))
    assert result(verify(data)) == "jar-sig.zip-entry-not-signed"
    opened = open_container(data)
    plain = {name: opened.read(name) for name in opened.entries}
    everything = open_container(sign("rsa"))
    plain["META-INF/S0.SF"] = everything.read("META-INF/S0.SF")
    plain["META-INF/S0.RSA"] = everything.read("META-INF/S0.RSA")
    assert result(verify(build.archive(plain))) == "jar-sig.zip-entry-signers-mismatch"


def test_an_added_entry(build: ModuleType, sign: Callable[..., bytes]) -> None:
    opened = open_container(sign())
    plain = {name: opened.read(name) for name in opened.entries}
    assert result(verify(build.archive({**plain, "added": b""}))) == "jar-sig.no-zip-entry-digest-in-manifest"
    free = verify(build.archive({**plain, "META-INF/added": b"", "META-INF/folder/": b""}))
    assert free.verified
    assert "jar-sig.unprotected-zip-entry META-INF/added" in free.warnings
    many = verify(build.archive({**plain, **{f"META-INF/{number}": b"" for number in range(50)}}))
    assert many.verified
    assert "jar-sig.unprotected-zip-entry 45 more" in many.warnings


def test_an_entry_twice(build: ModuleType, sign: Callable[..., bytes]) -> None:
    opened = open_container(sign())
    pairs = [(name, opened.read(name)) for name in opened.entries]
    with pytest.warns(UserWarning, match="Duplicate name"):
        doubled = build.archive([*pairs, ("classes.dex", b"other")])
    assert result(verify(doubled)) == "jar-sig.duplicate-zip-entry"


def test_nothing_but_meta_inf(build: ModuleType, keys: dict[str, Any]) -> None:
    assert result(verify(build.signed_jar({}, build.Jar([keys["ec"]])))) == "jar-sig.no-signed-zip-entries"


def test_v1_is_not_asked_where_newer_schemes_do(
    build: ModuleType, sign: Callable[..., bytes], keys: dict[str, Any]
) -> None:
    """A broken v1 matters to Android 6 and not to 7; whoever stands there is a claim."""
    broken = sign("rsa", scheme_header="2", replaced={"META-INF/MANIFEST.MF": b"A: b\r\n\r\n"})
    data = build.with_block(broken, [(build.V2, build.block(build.signer(broken, keys["ec"])))])
    assert not verify(data, 23).verified
    facts = verify(data, 24)
    assert facts.verified
    assert [signer.certificate for signer in facts.signers] == [keys["ec"].sha256]
    assert facts.claimed == (keys["rsa"].sha256,)
    assert [(one.scheme, one.state) for one in facts.schemes][:2] == [
        (Scheme.v1, SignatureState.not_checked),
        (Scheme.v2, SignatureState.verified),
    ]


@pytest.mark.parametrize(("first", "second", "expected"), [("rsa", "ec", "v2-sig.missing"), ("rsa", "rsa", "")])
def test_v1_and_v2_by_the_same_signer(
    build: ModuleType, sign: Callable[..., bytes], keys: dict[str, Any], first: str, second: str, expected: str
) -> None:
    data = sign(first, scheme_header="2")
    facts = verify(build.with_block(data, [(build.V2, build.block(build.signer(data, keys[second])))]), 23)
    assert (facts.warnings[0].split(" ")[0] if facts.warnings else "") == expected
    assert facts.verified == (not expected)
    if facts.verified:
        assert [(signer.scheme, signer.min_sdk, signer.max_sdk) for signer in facts.signers] == [
            (Scheme.v2, 24, None),
            (Scheme.v1, 23, 23),
        ]


def test_a_signer_of_v2_that_v1_lacks(build: ModuleType, sign: Callable[..., bytes], keys: dict[str, Any]) -> None:
    data = sign("rsa", scheme_header="2")
    block = build.block(build.signer(data, keys["rsa"]), build.signer(data, keys["ec"]))
    facts = verify(build.with_block(data, [(build.V2, block)]), 23)
    assert facts.warnings[0].startswith("jar-sig.missing ")


def test_a_scheme_that_is_there_without_protection_is_warned_about(
    build: ModuleType, sign: Callable[..., bytes], keys: dict[str, Any]
) -> None:
    data = sign("rsa")
    facts = verify(build.with_block(data, [(build.V2, build.block(build.signer(data, keys["rsa"])))]), 23)
    assert facts.verified
    assert "jar-sig.no-apk-sig-strip-protection META-INF/S0.SF" in facts.warnings


def test_which_signature_files_are_passed_over(
    build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]
) -> None:
    """A signature file that is signed and yet says nothing usable; another signer's stands."""
    right = open_container(build.signed_jar(members, build.Jar([keys["rsa"]])))
    plain = {name: right.read(name) for name in right.entries}
    jar = build.Jar([keys["ec"]])
    texts = {
        b"A: b\r\n\r\n": "jar-sig.missing-version-attr-in-sig-file",
        b"Signature-Version: 1.0\r\n\r\nA: b\r\n\r\n": "jar-sig.unnamed-sig-file-section",
        b"Signature-Version: 1.0\r\n\r\nName: no\r\n\r\n": "jar-sig.no-zip-entry-digest-in-sig-file",
        b"Signature-Version: 1.0\r\n\r\n"
        + plain["META-INF/S0.SF"]
        .split(b"\r\n\r\n", 2)[1]
        .join(
            (b"", b"\r\n\r\n" + plain["META-INF/S0.SF"].split(b"\r\n\r\n", 2)[1] + b"\r\n\r\n")
        ): "jar-sig.duplicate-sig-file-section",
    }
    for text, warned in texts.items():
        data = build.archive(
            {**plain, "META-INF/X.SF": text, "META-INF/X.EC": build.pkcs7(keys["ec"], text, jar), "META-INF/Y.EC": b"?"}
        )
        facts = verify(data)
        assert facts.verified
        assert [signer.certificate for signer in facts.signers] == [keys["rsa"].sha256]
        assert any(warning.startswith(warned) for warning in facts.warnings), facts.warnings
        assert "jar-sig.missing-file META-INF/Y.EC" in facts.warnings
        alone = {name: content for name, content in open_items(data) if "S0" not in name}
        assert result(verify(build.archive(alone))) == "jar-sig.no-signatures"


def open_items(data: bytes) -> list[tuple[str, bytes]]:
    opened = open_container(data)
    return [(name, opened.read(name)) for name in opened.entries]


@pytest.mark.parametrize(
    ("extension", "critical", "expected"),
    [
        (x509.KeyUsage(True, *[False] * 8), True, ""),
        (x509.KeyUsage(False, False, True, *[False] * 6), True, "jar-sig.verify-exception"),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True, "jar-sig.verify-exception"),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False, ""),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.15"), b"\x05"), False, "jar-sig.verify-exception"),
    ],
)
def test_what_a_certificate_may_be_used_for(
    build: ModuleType, members: dict[str, bytes], extension: Any, critical: bool, expected: str
) -> None:
    one = build.identity("ec", extension=(extension, critical))
    assert result(verify(build.signed_jar(members, build.Jar([one])))) == expected


def test_a_certificate_named_by_key_id(build: ModuleType, members: dict[str, bytes]) -> None:
    one = build.identity("ec", extension=(x509.SubjectKeyIdentifier(b"0123"), False))
    assert result(verify(build.signed_jar(members, build.Jar([one], key_id=True)))) == ""
    assert verify(build.signed_jar(members, build.Jar([one], key_id=True))).verified


def test_signed_attributes_before_android_4_4(sign: Callable[..., bytes]) -> None:
    data = sign("rsa", attributes=True, hash="SHA1")
    assert result(verify(data, 18)) == "jar-sig.verify-exception"
    assert result(verify(data, 19)) == ""


def test_too_many_signers(build: ModuleType, keys: dict[str, Any], members: dict[str, bytes]) -> None:
    assert result(verify(build.signed_jar(members, build.Jar([keys["ec"]] * 11)))) == "jar-sig.max-signatures-exceeded"


def test_apksigner_agrees(
    sign: Callable[..., bytes],
    build: ModuleType,
    members: dict[str, bytes],
    keys: dict[str, Any],
    tmp_path: Path,
    apksigner: Any,
) -> None:
    sha1 = open_container(sign("rsa", hash="SHA1"))
    built = [
        sign("rsa"),
        sign("dsa", hash="SHA1"),
        sign("rsa", hash="SHA1", attributes=True),
        sign("rsa", hash="SHA1", newline=b"\r"),
        sign("ec", manifest_digest=False, newline=b"\n"),
        sign("rsa", "ec"),
        sign("rsa", created_by="signtool", main_digest=False, newline=b"\n"),
        sign("rsa", created_by="signtool", main_digest=False, manifest_digest=False),
        sign(content={**members, "a/" + "é" * 100: b"1", " odd : name ": b"4"}),
        build.archive({**{name: sha1.read(name) for name in sha1.entries}, "META-INF/x": b"free"}),
        build.archive({**{name: sha1.read(name) for name in sha1.entries}, "x": b"not free"}),
        build.signed_jar({}, build.Jar([keys["ec"]])),
        *(
            sign(
                **{
                    **how,
                    "replaced": {name: data for name, data in how.get("replaced", {}).items() if data is not None},
                }
            )
            for _, how in WRONG.values()
        ),
    ]
    questions = []
    for number, data in enumerate(built):
        file = tmp_path / f"{number}.apk"
        file.write_bytes(data)
        questions += [(low, 25, file) for low in (1, 9, 18, 21, 24)]
    verdicts = set()
    for (low, high, file), answer in zip(questions, apksigner(questions), strict=True):
        facts = verify(file.read_bytes(), low, high)
        assert facts.verified == answer.verified, (file.name, low, answer, facts.schemes)
        assert {signer.certificate for signer in facts.signers} == answer.certificates
        verdicts.add(answer.verified)
    assert verdicts == {True, False}


# ---- the text of a manifest -----------------------------------------------------------------------------------------


def test_sections_and_where_they_lie() -> None:
    text = b"\n\nMain: 1\r\nmain: 2\r\nLong: a\r\n b\n  c\r\rName: x\nvalue\nEmpty: \n\n\n\nName: y"
    main, first, second = sections(text)
    assert text[main.start : main.end] == b"Main: 1\r\nmain: 2\r\nLong: a\r\n b\n  c\r\r"
    assert main.attributes == {"main": "1", "long": "ab c"}
    assert text[first.start : first.end] == b"Name: x\nvalue\nEmpty: \n\n"
    assert first.attributes == {"name": "x", "value": "", "empty": ""}
    assert (second.name, second.end) == ("y", len(text))
    assert first.get("EMPTY") == ""
    assert first.get("other") is None
    assert list(sections(b"")) == list(sections(b"\r\n\n\r")) == []


def test_a_section_without_end() -> None:
    for line in (b"a\n", b" a\n"):
        with pytest.raises(TooManyAttributes):
            list(sections(b"Name: x\n" + line * 5000))


# ---- which algorithms verify where ----------------------------------------------------------------------------------


def test_ranges_cover() -> None:
    assert covers(((0, 8), (9, 20)), 3, 15)
    assert not covers(((0, 8), (10, 20)), 3, 15)
    assert not covers((), 1, 1)
    assert not covers(((5, 9),), 1, 4)


def test_algorithms_by_version() -> None:
    sha256, rsa, sha1_rsa = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.5"
    assert pkcs7_algorithm(sha256, rsa, 18, 40) == ("RSA", "sha256")
    assert pkcs7_algorithm(sha256, rsa, 17, 40) is None
    assert pkcs7_algorithm(sha256, rsa, 1, 8) == ("RSA", "sha256")
    assert pkcs7_algorithm(sha256, sha1_rsa, 21, 21) == ("RSA", "sha1")
    assert pkcs7_algorithm(sha256, sha1_rsa, 21, 22) is None
    assert pkcs7_algorithm(sha256, "1.2.3", 21, 22) is None
    assert pkcs7_algorithm("1.2.3", rsa, 21, 22) is None


# ---- how members are read -------------------------------------------------------------------------------------------


def patched(data: bytes, name: str, offset: int, new: bytes, *, local: bool = False) -> bytes:
    """``data`` with bytes of a member's record in the directory changed, or of its local header."""
    at = data.index((b"PK\x03\x04" if local else b"PK\x01\x02"), 0)
    while True:
        start = at + (30 if local else 46)
        if data[start : start + len(name)] == name.encode():
            return data[: at + offset] + new + data[at + offset + len(new) :]
        at = data.index((b"PK\x03\x04" if local else b"PK\x01\x02"), at + 4)


@pytest.mark.parametrize(
    ("name", "offset", "new", "local", "expected"),
    [
        ("META-INF/S0.SF", 10, b"\x15\0", False, ""),  # an odd method is deflate for files of the signature
        ("classes.dex", 10, b"\x15\0", False, "apk.malformed-zip-entry"),
        ("classes.dex", 14, b"\0\0\0\0", True, "apk.malformed-zip-entry"),  # another checksum before the data
        ("classes.dex", 6, b"\x08\0", True, "apk.malformed-zip-entry"),  # sizes said to stand behind the data
        ("classes.dex", 30, b"C", True, "apk.malformed-zip-entry"),
        ("META-INF/MANIFEST.MF", 24, b"\xff\xff\xff\x0f", False, "apk.malformed-zip-entry"),
        ("META-INF/S0.EC", 42, b"\xff\xff\xff\x0f", False, "apk.malformed-zip-entry"),
    ],
)
def test_members_that_contradict_themselves(
    sign: Callable[..., bytes], name: str, offset: int, new: bytes, local: bool, expected: str
) -> None:
    assert result(verify(patched(sign(), name, offset, new, local=local))) == expected


def test_odd_methods_of_signature_files(sign: Callable[..., bytes], build: ModuleType) -> None:
    odd = patched(sign(), "META-INF/S0.SF", 10, b"\x15\0")
    short = patched(patched(odd, "META-INF/S0.SF", 24, b"\x05\0\0\0"), "META-INF/S0.SF", 22, b"\x05\0\0\0", local=True)
    assert result(verify(short)) == "apk.malformed-zip-entry"
    opened = open_container(odd)
    start = opened.entries["META-INF/S0.SF"].offset
    noise = odd[:start] + b"\xff" * 20 + odd[start + 20 :]
    assert result(verify(noise)) == "apk.malformed-zip-entry"
    assert zipfile.ZIP_DEFLATED == 8
