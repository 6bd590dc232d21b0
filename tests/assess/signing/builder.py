"""Builds and signs small APKs in every scheme, rightly or wrongly; a plain module, loaded by path.

Written from the formats' descriptions and not from the verifier: ``apksigner`` is asked about what it builds.
"""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

V2, V3, V31 = 0x7109871A, 0xF05368C0, 0x1B93AD61
STRIPPED, PROOF, ROTATION = 0xBEEFF00D, 0x3BA06F8C, 0x559F8B02
NEWEST = 0x7FFFFFFF

MEMBERS = {"classes.dex": b"dex\n035\0" + bytes(range(256)) * 20, "res/a.txt": b"text " * 300, "b": b""}


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def lp(*parts: bytes) -> bytes:
    """Length-prefixed."""
    content = b"".join(parts)
    return struct.pack("<I", len(content)) + content


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


@dataclass(frozen=True)
class Identity:
    """A key with its certificate."""

    key: Any
    certificate: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.certificate).hexdigest()

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def algorithm(self) -> int:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return 0x0103
        return 0x0201 if isinstance(self.key, ec.EllipticCurvePrivateKey) else 0x0301

    def sign(self, data: bytes, algorithm: int = 0) -> bytes:
        """By an algorithm id of the APK schemes."""
        algorithm = algorithm or self.algorithm
        hashing: Any = hashes.SHA512() if algorithm in (0x0102, 0x0104, 0x0202) else hashes.SHA256()
        if algorithm in (0x0101, 0x0102):
            pss = padding.PSS(padding.MGF1(hashing), hashing.digest_size)
            return bytes(self.key.sign(data, pss, hashing))
        return self.sign_hash(data, hashing)

    def sign_hash(self, data: bytes, hashing: Any) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashing)
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(hashing))
        return bytes(self.key.sign(data, hashing))


def identity(kind: str, name: str = "Signer", *, extension: tuple[Any, bool] | None = None) -> Identity:
    """A new key: ``rsa``, ``ec`` or ``dsa``. ``extension``: one for the certificate, and whether it is critical."""
    key: Any
    if kind == "rsa":
        key = rsa.generate_private_key(65_537, 2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else dsa.generate_private_key(2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
    )
    if extension:
        made = made.add_extension(extension[0], critical=extension[1])
    return Identity(key, made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def archive(members: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> bytes:
    """A ZIP of those members, in that order, at fixed times."""
    pairs = members.items() if isinstance(members, Mapping) else members
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in pairs:
            opened.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


# ---- scheme v1 -----------------------------------------------------------------------------------------------------


@dataclass
class Jar:
    """How to sign by v1. What is set differs from what is right."""

    identities: Sequence[Identity]
    hash: str = "SHA-256"
    scheme_header: str = ""
    created_by: str = "1.0 (test)"
    attributes: bool = False
    extra: Mapping[str, bytes] = field(default_factory=dict)  # further members of META-INF
    newline: bytes = b"\r\n"
    manifest_digest: bool = True
    main_digest: bool = True
    replaced: Mapping[str, bytes] = field(default_factory=dict)  # META-INF files given instead
    unlisted: frozenset[str] = frozenset()  # entries that the signature file leaves out
    key_id: bool = False  # names its certificate by key id


_HASHES: dict[str, tuple[str, Any]] = {
    "SHA1": ("sha1", hashes.SHA1()),  # noqa: S303
    "SHA-256": ("sha256", hashes.SHA256()),
    "SHA-384": ("sha384", hashes.SHA384()),
    "SHA-512": ("sha512", hashes.SHA512()),
}
_HASH_OIDS = {
    "SHA1": "06052b0e03021a",
    "SHA-256": "0609608648016503040201",
    "SHA-384": "0609608648016503040202",
    "SHA-512": "0609608648016503040203",
}
_KEY_OIDS = {
    rsa.RSAPrivateKey: "06092a864886f70d010101",
    ec.EllipticCurvePrivateKey: "06072a8648ce3d0201",
    dsa.DSAPrivateKey: "06072a8648ce380401",
}


def b64(jar: Jar, data: bytes) -> str:
    return base64.b64encode(hashlib.new(_HASHES[jar.hash][0], data).digest()).decode()


def _folded(jar: Jar, name: str, value: str) -> bytes:
    """One attribute, in lines of at most 72 bytes."""
    raw = f"{name}: {value}".encode()
    lines = [raw[:70]] + [b" " + raw[at : at + 69] for at in range(70, len(raw), 69)]
    return jar.newline.join(lines) + jar.newline


def signed_jar(members: Mapping[str, bytes], jar: Jar) -> bytes:
    """The members with META-INF before them."""
    listed = [name for name in members if not name.startswith("META-INF/")]
    chunks = {
        name: _folded(jar, "Name", name) + _folded(jar, f"{jar.hash}-Digest", b64(jar, members[name])) + jar.newline
        for name in listed
    }
    main = _folded(jar, "Manifest-Version", "1.0") + jar.newline
    manifest = main + b"".join(chunks.values())
    meta = {"META-INF/MANIFEST.MF": manifest}
    for number, one in enumerate(jar.identities):
        text = _folded(jar, "Signature-Version", "1.0") + _folded(jar, "Created-By", jar.created_by)
        if jar.manifest_digest:
            text += _folded(jar, f"{jar.hash}-Digest-Manifest", b64(jar, manifest))
        if jar.main_digest:
            text += _folded(jar, f"{jar.hash}-Digest-Manifest-Main-Attributes", b64(jar, main))
        if jar.scheme_header:
            text += _folded(jar, "X-Android-APK-Signed", jar.scheme_header)
        text += jar.newline
        for name in listed:
            if name not in jar.unlisted:
                section = chunks[name]
                text += _folded(jar, "Name", name) + _folded(jar, f"{jar.hash}-Digest", b64(jar, section)) + jar.newline
        meta[f"META-INF/S{number}.SF"] = text
        meta[f"META-INF/S{number}.{_extension(one)}"] = pkcs7(one, text, jar)
    return archive({**meta, **jar.extra, **jar.replaced, **members})


def _extension(one: Identity) -> str:
    if isinstance(one.key, rsa.RSAPrivateKey):
        return "RSA"
    return "EC" if isinstance(one.key, ec.EllipticCurvePrivateKey) else "DSA"


def pkcs7(one: Identity, content: bytes, jar: Jar) -> bytes:
    """Detached signed data."""
    certificate = x509.load_der_x509_certificate(one.certificate)
    digest_oid = bytes.fromhex(_HASH_OIDS[jar.hash])
    key_oid = next(bytes.fromhex(oid) for kind, oid in _KEY_OIDS.items() if isinstance(one.key, kind))
    data_oid = bytes.fromhex("06092a864886f70d010701")
    hash_name, hashing = _HASHES[jar.hash]
    signed, attributes = content, b""
    if jar.attributes:
        parts = [
            tlv(0x30, bytes.fromhex("06092a864886f70d010903"), tlv(0x31, data_oid)),
            tlv(
                0x30,
                bytes.fromhex("06092a864886f70d010904"),
                tlv(0x31, tlv(0x04, hashlib.new(hash_name, content).digest())),
            ),
        ]
        signed, attributes = tlv(0x31, *parts), tlv(0xA0, *parts)
    serial = certificate.serial_number
    sid = tlv(0x30, certificate.issuer.public_bytes(), tlv(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big")))
    if jar.key_id:
        key_id = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        sid = tlv(0x80, key_id)
    algorithm = tlv(0x30, digest_oid, tlv(0x05))
    info = tlv(
        0x30,
        tlv(0x02, b"\1"),
        sid,
        algorithm,
        attributes,
        tlv(0x30, key_oid, tlv(0x05)),
        tlv(0x04, one.sign_hash(signed, hashing)),
    )
    body = tlv(
        0x30,
        tlv(0x02, b"\1"),
        tlv(0x31, algorithm),
        tlv(0x30, data_oid),
        tlv(0xA0, one.certificate),
        tlv(0x31, info),
    )
    return tlv(0x30, bytes.fromhex("06092a864886f70d010702"), tlv(0xA0, body))


# ---- schemes v2 and up ---------------------------------------------------------------------------------------------


def parts_of(apk: bytes) -> tuple[bytes, bytes, bytes]:
    """Members, directory, end record of an APK without a signing block."""
    end = apk.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<LL", apk, end + 12)
    return apk[:start], apk[start : start + size], apk[end:]


def content_digest(apk: bytes, algorithm: int) -> bytes:
    """The digest that a signature algorithm asks for, over an APK without a signing block."""
    if algorithm in (0x0421, 0x0423, 0x0425):
        return _verity(b"".join(parts_of(apk)))
    make = hashlib.sha512 if algorithm in (0x0102, 0x0104, 0x0202) else hashlib.sha256
    leaves = [
        make(b"\xa5" + u32(len(chunk)) + chunk).digest()
        for part in parts_of(apk)
        for chunk in (part[at : at + (1 << 20)] for at in range(0, len(part), 1 << 20))
    ]
    return make(b"\x5a" + u32(len(leaves)) + b"".join(leaves)).digest()


def _verity(data: bytes) -> bytes:
    level = data
    while True:
        level = b"".join(
            hashlib.sha256(bytes(8) + level[at : at + 4096].ljust(4096, b"\0")).digest()
            for at in range(0, len(level), 4096)
        )
        if len(level) <= 4096:
            break
    return hashlib.sha256(bytes(8) + level.ljust(4096, b"\0")).digest() + struct.pack("<Q", len(data))


def signer(
    apk: bytes,
    one: Identity,
    *,
    sdk: tuple[int, int] | None = None,
    algorithms: Sequence[int] = (),
    attributes: Sequence[tuple[int, bytes]] = (),
    **wrong: Any,
) -> bytes:
    """One signer block: of v2, or with ``sdk`` of v3. ``wrong`` overrides digests, certificates, key, signed_sdk."""
    chosen = tuple(algorithms) or (one.algorithm,)
    digests = wrong.get("digests") or [(number, content_digest(apk, number)) for number in chosen]
    certificates = wrong.get("certificates", [one.certificate])
    signed = lp(*(lp(u32(number), lp(value)) for number, value in digests)) + lp(*(lp(each) for each in certificates))
    if sdk:
        signed += struct.pack("<2I", *wrong.get("signed_sdk", sdk))
    signed += lp(*(lp(u32(number), value) for number, value in attributes))
    signed += b"" if sdk else u32(0)
    span = struct.pack("<2I", *sdk) if sdk else b""
    signatures = lp(*(lp(u32(number), lp(one.sign(signed, number & 0xFDF))) for number in chosen))
    return lp(signed) + span + signatures + lp(wrong.get("key", one.spki))


def in_pages(apk: bytes) -> bytes:
    """The APK with its members filled up to whole pages of 4 KiB, as a Merkle tree wants them."""
    members, directory, end = parts_of(apk)
    members += bytes(-len(members) % 4096)
    moved = bytearray(end)
    struct.pack_into("<L", moved, 16, len(members))
    return members + directory + bytes(moved)


def with_block(apk: bytes, pairs: Sequence[tuple[int, bytes]]) -> bytes:
    """The APK with a signing block of those pairs; of whole pages where the members are."""
    members, directory, end = parts_of(apk)
    inner = b"".join(struct.pack("<QI", len(value) + 4, number) + value for number, value in pairs)
    if members and len(members) % 4096 == 0:
        filling = bytes(-(len(inner) + 12 + 32) % 4096)
        inner += struct.pack("<QI", len(filling) + 4, 0x42726577) + filling
    size = struct.pack("<Q", len(inner) + 24)
    block = size + inner + size + b"APK Sig Block 42"
    moved = bytearray(end)
    struct.pack_into("<L", moved, 16, len(members) + len(block))
    return members + block + directory + bytes(moved)


def block(*signers: bytes) -> bytes:
    return lp(*(lp(one) for one in signers))


def lineage(identities: Sequence[Identity], *, flags: int = 31, algorithms: Sequence[int] = ()) -> bytes:
    """Proof of rotation from the first identity to the last."""
    chosen = list(algorithms) or [one.algorithm for one in identities]
    nodes = b""
    for at, one in enumerate(identities):
        before = chosen[at - 1] if at else 0
        signed = lp(one.certificate) + u32(before)
        signature = identities[at - 1].sign(signed, before) if at else b""
        nodes += lp(lp(signed) + u32(flags) + u32(chosen[at]) + lp(signature))
    return u32(1) + nodes
