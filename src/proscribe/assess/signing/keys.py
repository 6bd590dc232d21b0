"""Public keys and their signatures: RSA (PKCS #1 and PSS), DSA and ECDSA, as Android checks them.

RSA and DSA are computed here from the key's numbers. Packages in use are signed with keys that a current library
rightly refuses for new signatures (512 bits, MD5, numbers that are not DER), and one path is easier to trust than two.
Only public numbers are handled. Elliptic curves are the ``cryptography`` package's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from proscribe.assess.signing import der

_RSA = "1.2.840.113549.1.1.1"
_DSA = "1.2.840.10040.4.1"
_EC = "1.2.840.10045.2.1"

_CURVES = {
    "1.3.132.0.33": ("secp224r1", 224),
    "1.2.840.10045.3.1.7": ("secp256r1", 256),
    "1.3.132.0.34": ("secp384r1", 384),
    "1.3.132.0.35": ("secp521r1", 521),
}

# The DER of each hash's object identifier, for the DigestInfo of PKCS #1.
_HASH_OIDS = {
    "md5": bytes.fromhex("06082a864886f70d0205"),
    "sha1": bytes.fromhex("06052b0e03021a"),
    "sha224": bytes.fromhex("0609608648016503040204"),
    "sha256": bytes.fromhex("0609608648016503040201"),
    "sha384": bytes.fromhex("0609608648016503040202"),
    "sha512": bytes.fromhex("0609608648016503040203"),
}

# What a key may cost to compute with: Android's library stops at the same size, and at exponents of 33 bits.
_RSA_BITS = range(512, 16_384 + 1)
_EXPONENT_BITS = 64
_DSA_BITS = range(512, 8192 + 1)
_SUBGROUP_BITS = range(160, 512 + 1)


class UnusableKey(ValueError):
    """A public key that cannot be read, or that is of no supported kind or size."""


def digest(hash_name: str, data: bytes | memoryview) -> bytes:
    """``hash_name`` as hashlib has it: md5, sha1, sha256, ..."""
    return hashlib.new(hash_name, data, usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of a SubjectPublicKeyInfo. ``encoded`` is that, in DER; ``label`` reads "RSA 2048" or "EC secp256r1"."""

    kind: str  # RSA, DSA or EC
    label: str
    encoded: bytes
    numbers: tuple[int, ...]  # RSA: modulus, exponent; DSA: p, q, g, y; EC: none
    point: bytes = b""
    curve: str = ""


def parse_key(data: bytes | memoryview) -> PublicKey:
    """Read a SubjectPublicKeyInfo. Raises UnusableKey."""
    try:
        algorithm, bits = der.parse(data).expect(der.SEQUENCE).children()[:2]
        fields = algorithm.expect(der.SEQUENCE).children()
        reader = _READERS.get(fields[0].oid())
        if reader is None:
            raise UnusableKey(f"keys of kind {fields[0].oid()} are not supported")
        return reader(fields, bits.bits())
    except (der.BadAsn1, ValueError, IndexError) as error:
        raise UnusableKey(str(error)) from error


def _spki(algorithm: list[der.Element], key: bytes) -> bytes:
    head = der.encode(der.SEQUENCE, *(bytes(field.whole) for field in algorithm))
    return der.encode(der.SEQUENCE, head, der.encode(der.BIT_STRING, b"\0", key))


def _natural(element: der.Element) -> int:
    """An INTEGER that cannot be negative: some signers forgot the leading nought byte."""
    return int.from_bytes(element.expect(der.INTEGER).content, "big")


def _rsa(algorithm: list[der.Element], raw: bytes) -> PublicKey:
    modulus, exponent = map(_natural, der.parse(raw).expect(der.SEQUENCE).children()[:2])
    if modulus.bit_length() not in _RSA_BITS or not 2 < exponent < 1 << _EXPONENT_BITS or not modulus & exponent & 1:
        raise UnusableKey(f"an RSA key of {modulus.bit_length()} bits, exponent of {exponent.bit_length()}")
    key = der.encode(der.SEQUENCE, der.encode_integer(modulus), der.encode_integer(exponent))
    return PublicKey("RSA", f"RSA {modulus.bit_length()}", _spki(algorithm, key), (modulus, exponent))


def _dsa(algorithm: list[der.Element], raw: bytes) -> PublicKey:
    p, q, g = map(_natural, algorithm[1].expect(der.SEQUENCE).children()[:3])
    y = _natural(der.parse(raw))
    if p.bit_length() not in _DSA_BITS or q.bit_length() not in _SUBGROUP_BITS or not 1 < g < p or not 1 < y < p:
        raise UnusableKey(f"a DSA key of {p.bit_length()} and {q.bit_length()} bits")
    return PublicKey("DSA", f"DSA {p.bit_length()}", _spki(algorithm, der.encode_integer(y)), (p, q, g, y))


def _ec(algorithm: list[der.Element], raw: bytes) -> PublicKey:
    curve = algorithm[1].oid()
    if curve not in _CURVES:
        raise UnusableKey(f"the curve {curve} is not supported")
    name = _CURVES[curve][0]
    return PublicKey("EC", f"EC {name}", _spki(algorithm, raw), (), point=raw, curve=name)


_READERS: dict[str, Callable[[list[der.Element], bytes], PublicKey]] = {_RSA: _rsa, _DSA: _dsa, _EC: _ec}


# ---- signatures ----------------------------------------------------------------------------------------------------


def signature_holds(key: PublicKey, padding: str, hash_name: str, signature: bytes, data: bytes) -> bool:
    """Whether ``signature`` over ``data`` is the key's. ``padding``: ``RSA``, ``RSA-PSS``, ``DSA`` or ``EC``.

    Raises UnusableKey where the key is not of the kind the algorithm asks for.
    """
    if padding.partition("-")[0] != key.kind:
        raise UnusableKey(f"{padding} with a key {key.label}")
    hashed = digest(hash_name, data)
    if padding == "RSA":
        return _pkcs1_holds(key, hash_name, signature, hashed)
    if padding == "RSA-PSS":
        return _pss_holds(key, hash_name, signature, hashed)
    return (_dsa_holds if padding == "DSA" else _ecdsa_holds)(key, hash_name, signature, hashed)


def _rsa_message(key: PublicKey, signature: bytes) -> bytes | None:
    """What was encrypted with the private key, as long as the modulus; None where the signature cannot be the key's."""
    modulus, exponent = key.numbers
    size = (modulus.bit_length() + 7) // 8
    value = int.from_bytes(signature, "big")
    if len(signature) != size or value >= modulus:
        return None
    return pow(value, exponent, modulus).to_bytes(size, "big")


def _pkcs1_holds(key: PublicKey, hash_name: str, signature: bytes, hashed: bytes) -> bool:
    """RFC 8017, 8.2.2: build the one message that would be right, and compare."""
    message = _rsa_message(key, signature)
    algorithm = der.encode(der.SEQUENCE, _HASH_OIDS[hash_name], der.encode(der.NULL))
    info = der.encode(der.SEQUENCE, algorithm, der.encode(der.OCTET_STRING, hashed))
    if message is None or len(message) < len(info) + 11:
        return False
    return hmac.compare_digest(message, b"\0\1" + b"\xff" * (len(message) - len(info) - 3) + b"\0" + info)


def _pss_holds(key: PublicKey, hash_name: str, signature: bytes, hashed: bytes) -> bool:
    """RFC 8017, 9.1.2, with a salt as long as the hash and MGF1 over the same hash, as the APK schemes fix them."""
    message = _rsa_message(key, signature)
    bits = key.numbers[0].bit_length() - 1
    size, length = (bits + 7) // 8, len(hashed)
    if message is None or size < 2 * length + 2 or (len(message) > size and message[0]):
        return False
    message = message[-size:]
    masked, seed, trailer = message[: size - length - 1], message[size - length - 1 : -1], message[-1]
    spare = 8 * size - bits
    if trailer != 0xBC or masked[0] >> (8 - spare):
        return False
    mask = b"".join(
        digest(hash_name, seed + counter.to_bytes(4, "big")) for counter in range(-(-len(masked) // length))
    )
    block = bytearray(a ^ b for a, b in zip(masked, mask, strict=False))
    block[0] &= 0xFF >> spare
    padding, salt = bytes(block[:-length]), bytes(block[-length:])
    if padding != bytes(len(padding) - 1) + b"\1":
        return False
    return hmac.compare_digest(seed, digest(hash_name, bytes(8) + hashed + salt))


def _dsa_holds(key: PublicKey, hash_name: str, signature: bytes, hashed: bytes) -> bool:  # noqa: ARG001
    """FIPS 186-4, 4.7."""
    p, q, g, y = key.numbers
    try:
        r, s = (part.integer() for part in der.parse(signature).expect(der.SEQUENCE).children())
        inverse = pow(s, -1, q)
    except ValueError:  # of the reader, too
        return False
    if not (0 < r < q and 0 < s < q):
        return False
    excess = max(0, 8 * len(hashed) - q.bit_length())
    z = int.from_bytes(hashed, "big") >> excess
    return pow(g, z * inverse % q, p) * pow(y, r * inverse % q, p) % p % q == r


def _ecdsa_holds(key: PublicKey, hash_name: str, signature: bytes, hashed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    curves: dict[str, ec.EllipticCurve] = {
        "secp224r1": ec.SECP224R1(),
        "secp256r1": ec.SECP256R1(),
        "secp384r1": ec.SECP384R1(),
        "secp521r1": ec.SECP521R1(),
    }
    algorithm = getattr(hashes, hash_name.upper())()
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(curves[key.curve], key.point)
        public.verify(signature, hashed, ec.ECDSA(Prehashed(algorithm)))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
