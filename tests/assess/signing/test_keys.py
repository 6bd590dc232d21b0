"""Keys and signatures against the cryptography package, on keys of every kind and size."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa

from proscribe.assess.intake.container import open_container
from proscribe.assess.signing import der
from proscribe.assess.signing.certificate import (
    BadCertificate,
    describe,
    parse_certificate,
    same_name,
    show_name,
)
from proscribe.assess.signing.jar import claimed_in_jar
from proscribe.assess.signing.keys import UnusableKey, parse_key, signature_holds

HASHES = {"sha1": hashes.SHA1(), "sha224": hashes.SHA224(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}  # noqa: S303
DATA = b"what is signed"


def spki(key: Any) -> bytes:
    return bytes(
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def check(key: Any, padding_name: str, hash_name: str, signature: bytes) -> None:
    """It holds for this data and this key, and not with one bit changed anywhere."""
    public = parse_key(spki(key))
    assert public.encoded == spki(key)
    assert signature_holds(public, padding_name, hash_name, signature, DATA)
    assert not signature_holds(public, padding_name, hash_name, signature, DATA + b".")
    for at in range(len(signature)):
        assert not signature_holds(public, padding_name, hash_name, flipped(signature, at), DATA), at
    for wrong in (b"", signature[:-1], bytes(len(signature)), b"\xff" * len(signature)):
        assert not signature_holds(public, padding_name, hash_name, wrong, DATA)


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("bits", [1024, 1536, 2048])
def test_rsa(bits: int, hash_name: str) -> None:
    key = rsa.generate_private_key(65_537, bits)
    check(key, "RSA", hash_name, key.sign(DATA, padding.PKCS1v15(), HASHES[hash_name]))


@pytest.mark.parametrize(
    ("bits", "hash_name"),
    [(1024, "sha256"), (1025, "sha256"), (1031, "sha256"), (1041, "sha512"), (2048, "sha256"), (2048, "sha512")],
)
def test_rsa_pss(bits: int, hash_name: str) -> None:
    key = rsa.generate_private_key(65_537, bits) if bits % 8 == 0 else _odd_size(bits)
    hashing = HASHES[hash_name]
    check(key, "RSA-PSS", hash_name, key.sign(DATA, padding.PSS(padding.MGF1(hashing), hashing.digest_size), hashing))


def _odd_size(bits: int) -> rsa.RSAPrivateKey:
    """A modulus whose size is no whole number of bytes."""
    while True:
        key = rsa.generate_private_key(65_537, bits)
        if key.key_size == bits:
            return key


def test_rsa_pss_wants_a_salt_as_long_as_the_hash() -> None:
    key = rsa.generate_private_key(65_537, 2048)
    for salt in (0, 20, 31, 33):
        signature = key.sign(DATA, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
        assert not signature_holds(parse_key(spki(key)), "RSA-PSS", "sha256", signature, DATA)


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
@pytest.mark.parametrize("bits", [1024, 2048])
def test_dsa(bits: int, hash_name: str) -> None:
    key = dsa.generate_private_key(bits)
    signature = key.sign(DATA, HASHES[hash_name])
    public = parse_key(spki(key))
    assert signature_holds(public, "DSA", hash_name, signature, DATA)
    assert not signature_holds(public, "DSA", hash_name, signature, DATA + b".")
    q = public.numbers[1]
    for r, s in ((0, 0), (1, 0), (0, 1), (q, 1), (1, q), (-1, 5)):
        forged = der.encode(der.SEQUENCE, der.encode_integer(r), der.encode_integer(s))
        assert not signature_holds(public, "DSA", hash_name, forged, DATA)


@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_ecdsa(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    signature = key.sign(DATA, ec.ECDSA(hashes.SHA512()))
    check(key, "EC", "sha512", signature)


def test_a_key_too_small_for_todays_libraries() -> None:
    """512 bits and MD5, as packages of 2009 have it."""
    modulus, exponent, private = _small_key()
    public = parse_key(_rsa_spki(modulus, exponent))
    assert public.label == "RSA 512"
    info = der.encode(
        der.SEQUENCE,
        der.encode(der.SEQUENCE, bytes.fromhex("06082a864886f70d0205"), der.encode(der.NULL)),
        der.encode(
            der.OCTET_STRING,
            hashlib.md5(DATA).digest(),  # noqa: S324
        ),
    )
    message = b"\0\1" + b"\xff" * (64 - len(info) - 3) + b"\0" + info
    signature = pow(int.from_bytes(message, "big"), private, modulus).to_bytes(64, "big")
    assert signature_holds(public, "RSA", "md5", signature, DATA)
    assert not signature_holds(public, "RSA", "md5", signature, DATA + b".")
    assert not signature_holds(public, "RSA", "sha512", signature, DATA)  # its digest does not even fit


def _small_key() -> tuple[int, int, int]:
    p, q = _prime(1 << 255 | 1 << 254 | 12_345), _prime(1 << 255 | 1 << 254 | 67_890)
    return p * q, 65_537, pow(65_537, -1, (p - 1) * (q - 1))


def _prime(start: int) -> int:
    candidate = start | 1
    while any(pow(base, candidate - 1, candidate) != 1 for base in (2, 3, 5, 7)) or (candidate - 1) % 65_537 == 0:
        candidate += 2
    return candidate


def _rsa_spki(modulus: int, exponent: int, *, unsigned: bool = False) -> bytes:
    raw = modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")
    number = der.encode(der.INTEGER, raw) if unsigned else der.encode_integer(modulus)
    key = der.encode(der.SEQUENCE, number, der.encode_integer(exponent))
    algorithm = der.encode(der.SEQUENCE, bytes.fromhex("06092a864886f70d010101"), der.encode(der.NULL))
    return der.encode(der.SEQUENCE, algorithm, der.encode(der.BIT_STRING, b"\0", key))


def test_a_modulus_without_its_nought_byte_is_no_negative_number() -> None:
    modulus, exponent, _ = _small_key()
    assert parse_key(_rsa_spki(modulus, exponent, unsigned=True)).numbers == (modulus, exponent)
    assert parse_key(_rsa_spki(modulus, exponent, unsigned=True)).encoded == _rsa_spki(modulus, exponent)


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [(15, 3), (1 << 511, 3), (1 << 600 | 1, 2), (1 << 600 | 1, 1), (1 << 600 | 1, 1 << 64 | 1), (1 << 16_384 | 1, 3)],
    ids=["tiny", "even", "exponent 2", "exponent 1", "exponent long", "modulus long"],
)
def test_keys_that_cost_too_much_or_are_none(modulus: int, exponent: int) -> None:
    with pytest.raises(UnusableKey):
        parse_key(_rsa_spki(modulus, exponent))


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x03\x30\x01\x05", bytes(20)])
def test_what_is_no_key(data: bytes) -> None:
    with pytest.raises(UnusableKey):
        parse_key(data)


def test_other_kinds_of_key() -> None:
    with pytest.raises(UnusableKey, match="not supported"):
        parse_key(spki(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(UnusableKey, match="curve"):
        parse_key(spki(ec.generate_private_key(ec.SECP256K1())))
    key = rsa.generate_private_key(65_537, 1024)  # noqa: S505
    with pytest.raises(UnusableKey, match="with a key"):
        signature_holds(parse_key(spki(key)), "DSA", "sha256", b"", DATA)


def test_a_point_off_the_curve_verifies_nothing() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(DATA, ec.ECDSA(hashes.SHA256()))
    public = parse_key(flipped(spki(key), len(spki(key)) - 1))
    assert not signature_holds(public, "EC", "sha256", signature, DATA)


# ---- certificates --------------------------------------------------------------------------------------------------


@pytest.mark.samples
@pytest.mark.filterwarnings("ignore:Attribute's length must be")  # of countries that are none
def test_every_certificate_of_the_samples_as_cryptography_reads_it(samples: Path) -> None:
    seen = refused = 0
    for file in sorted(samples.rglob("*.apk")):
        try:
            apk = open_container(file.read_bytes())
        except Exception:  # noqa: BLE001, S112 - not what is tested here
            continue
        for ours in claimed_in_jar(apk):
            try:
                theirs = x509.load_der_x509_certificate(ours.encoded)
                serial = theirs.serial_number
            except ValueError:
                refused += 1
                continue
            fact = describe(ours)
            assert fact.sha256 == theirs.fingerprint(hashes.SHA256()).hex()
            assert fact.md5 == theirs.fingerprint(hashes.MD5()).hex()  # noqa: S303
            assert fact.serial == f"{serial:x}"
            assert fact.not_before == theirs.not_valid_before_utc.isoformat().replace("+00:00", "Z")
            assert fact.not_after == theirs.not_valid_after_utc.isoformat().replace("+00:00", "Z")
            assert ours.subject == theirs.subject.public_bytes()
            common = theirs.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            assert not common or str(common[0].value).split(",")[0] in fact.subject
            assert ours.extensions.keys() == {one.oid.dotted_string for one in theirs.extensions}
            seen += 1
    assert seen > 200
    assert refused < 10


def test_names_are_shown_with_what_is_special_escaped(build: Any) -> None:
    one = build.identity("ec", 'A, "B" \u202e;')
    assert show_name(parse_certificate(one.certificate).subject) == 'CN=A\\, \\"B\\" \ufffd\\;'


def test_one_name_in_two_encodings() -> None:
    def name(tag: int, text: bytes) -> bytes:
        attribute = der.encode(der.SEQUENCE, bytes.fromhex("0603550403"), der.encode(tag, text))
        return der.encode(der.SEQUENCE, der.encode(der.SET, attribute))

    assert same_name(name(0x13, b"Some  Body"), name(0x0C, b"some body"))
    assert not same_name(name(0x13, b"Some Body"), name(0x13, b"Other"))
    assert show_name(name(0x1E, "é".encode("utf-16-be"))) == "CN=é"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"200101000000Z", "2020-01-01T00:00:00Z"),
        (b"5001010000Z", "1950-01-01T00:00:00Z"),
        (b"20991231235959Z", "2099-12-31T23:59:59Z"),
        (b"200101020000+0230", "2019-12-31T23:30:00Z"),
        (b"200101000000-0100", "2020-01-01T01:00:00Z"),
    ],
)
def test_dates(build: Any, text: bytes, shown: str) -> None:
    assert parse_certificate(with_date(build, text)).not_before == shown


@pytest.mark.parametrize("text", [b"", b"never", b"201301000000Z", b"00010101000000+0100", b"2" * 4000])
def test_dates_that_are_none(build: Any, text: bytes) -> None:
    with pytest.raises(BadCertificate):
        parse_certificate(with_date(build, text))


def with_date(build: Any, text: bytes) -> bytes:
    """A certificate with another first date (its own signature is nobody's concern)."""
    outer = der.parse(build.identity("ec").certificate).children()
    fields = outer[0].children()
    later = fields[4].children()[1]
    tag = 0x18 if text[8:].rstrip(b"Z+-0123456789") == b"" and len(text) > 14 and text[:2] in (b"20", b"00") else 0x17
    validity = der.encode(der.SEQUENCE, der.encode(tag, text), bytes(later.whole))
    parts = [bytes(field.whole) for field in fields]
    parts[4] = validity
    body = der.encode(der.SEQUENCE, *parts)
    return der.encode(der.SEQUENCE, body, *(bytes(part.whole) for part in outer[1:]))


def test_what_is_no_certificate(build: Any) -> None:
    good = build.identity("ec").certificate
    for data in (b"", b"\x30\x00", good[:-1], good[:50], b"\x31" + good[1:]):
        with pytest.raises(BadCertificate):
            parse_certificate(data)


def test_a_key_that_is_not_known_is_said(build: Any) -> None:
    good = parse_certificate(build.identity("ec").certificate)
    odd = type(good)(
        good.encoded, -5, good.issuer, good.subject, good.not_before, good.not_after, b"\x30\x00", good.extensions
    )
    assert describe(odd).serial == "-5"
    assert describe(odd).key
