"""The ``Mdm-Signature`` of a device: a detached CMS signature over the body, in base64 (RFC 5652, RFC 8933).

Reads definite-length DER, which is what libraries write; the indefinite lengths of real devices are not needed here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_HASHES = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_SEQUENCE, _SET, _OCTETS, _OID, _INTEGER = 0x30, 0x31, 0x04, 0x06, 0x02
_CONTEXT_0, _CONTEXT_1 = 0xA0, 0xA1


class BadSignature(Exception):
    """The signature is not one, or not of this body, or not of a certificate that is trusted."""


@dataclass(frozen=True, slots=True)
class _Node:
    tag: int
    content: bytes
    whole: bytes

    def children(self) -> tuple[_Node, ...]:
        return tuple(_nodes(self.content))


def signer(header: str, body: bytes) -> x509.Certificate:
    """The certificate whose key signed ``body``. Raises :class:`BadSignature`."""
    try:
        return _signer(base64.b64decode(header, validate=True), body)
    except (binascii.Error, ValueError, IndexError, StopIteration) as error:
        raise BadSignature(str(error)) from error


def trusted(certificate: x509.Certificate, authorities: Sequence[x509.Certificate]) -> bool:
    """Whether an authority issued the certificate, it is valid now, and may be used by a client."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    now = datetime.now(UTC)  # signatures are made in real time, whatever the clock of a rehearsal says
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc or not _for_clients(certificate):
        return False
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return any(certificate == authority for authority in authorities if isinstance(authority, x509.Certificate))


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in hexadecimal: by this NanoMDM ties it to an enrolment."""
    from cryptography.hazmat.primitives import hashes

    return certificate.fingerprint(hashes.SHA256()).hex()


def _for_clients(certificate: x509.Certificate) -> bool:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage


def _nodes(data: bytes) -> Iterator[_Node]:
    at = 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(data[start : start + size]), start + size
        end = start + length
        if end > len(data) or (data[at + 1] == 0x80):
            raise ValueError("not DER")
        yield _Node(tag, data[start:end], data[at:end])
        at = end


def _signer(message: bytes, body: bytes) -> x509.Certificate:
    from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

    signed_data = next(_nodes(message)).children()[1].children()[0].children()
    infos = signed_data[-1].children()
    if signed_data[-1].tag != _SET or len(infos) != 1:
        raise BadSignature("not one signer")
    info = infos[0].children()
    serial = int.from_bytes(info[1].children()[1].content, signed=True)
    issuer = info[1].children()[0].whole
    named = (
        c
        for c in load_der_pkcs7_certificates(message)
        if (c.serial_number, c.issuer.public_bytes()) == (serial, issuer)
    )
    certificate = next(named, None)
    if certificate is None:
        raise BadSignature("no certificate of the signer")
    algorithm = _HASHES[info[2].children()[0].content]
    attributes = next((node for node in info if node.tag == _CONTEXT_0), None)
    if attributes is not None:
        if not hmac.compare_digest(_message_digest(attributes), hashlib.new(algorithm, body).digest()):
            raise BadSignature("the signature is of another body")
        body = bytes([_SET]) + attributes.whole[1:]  # signed is the SET, sent is its implicit form (RFC 5652, 5.4)
    signature = next(node.content for node in info if node.tag == _OCTETS)
    _verify(certificate, signature, body, algorithm)
    return certificate


def _message_digest(attributes: _Node) -> bytes:
    for attribute in attributes.children():
        name, values = attribute.children()
        if name.content == _MESSAGE_DIGEST:
            return values.children()[0].content
    raise BadSignature("no message digest")


def _verify(certificate: x509.Certificate, signature: bytes, data: bytes, algorithm: str) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    digest = _hash(algorithm)
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(digest))
        else:
            raise BadSignature("the key is of a kind that devices do not use")
    except InvalidSignature as error:
        raise BadSignature("the signature is not of this key") from error


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    found: dict[str, hashes.HashAlgorithm] = {
        "sha1": hashes.SHA1(),  # noqa: S303 (what real devices still use here)
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }
    return found[algorithm]
