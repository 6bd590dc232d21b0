"""The ``Mdm-Signature`` of a device: a detached CMS signature over the body, in base64 (RFC 5652, RFC 8933).

Lengths may be indefinite, as real devices write them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_HASHES = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_METHODS = {
    bytes.fromhex(oid)
    for oid in (
        "2a864886f70d010101",  # rsaEncryption
        "2a864886f70d010105",  # sha1, sha256, sha384 and sha512 with RSA
        "2a864886f70d01010b",
        "2a864886f70d01010c",
        "2a864886f70d01010d",
        "2a8648ce3d0401",  # ECDSA with SHA-1, SHA-256, SHA-384 and SHA-512
        "2a8648ce3d040302",
        "2a8648ce3d040303",
        "2a8648ce3d040304",
    )
}
_SEQUENCE, _SET, _OCTETS, _OID, _INTEGER = 0x30, 0x31, 0x04, 0x06, 0x02
_CONTEXT_0 = 0xA0
_INDEFINITE, _END = 0x80, b"\x00\x00"


class BadSignature(Exception):
    """The signature is not one, or not of this body, or not of a certificate that is trusted."""


@dataclass(frozen=True, slots=True)
class _Node:
    tag: int
    content: bytes
    whole: bytes

    def parts(self, *tags: int) -> tuple[_Node, ...]:
        """What is in it. ``tags``: what it has to begin with."""
        parts = tuple(_nodes(self.content))
        if tuple(part.tag for part in parts[: len(tags)]) != tags:
            raise BadSignature("it is not built like a signature")
        return parts


def identity(header: str, body: bytes, authorities: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate whose key signed ``body``, if an authority issued it for clients. Raises BadSignature."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import InvalidVersion

    try:
        certificate = _signer(base64.b64decode(header, validate=True), body)
        _trust(certificate, authorities)
    except (ValueError, TypeError, LookupError, StopIteration, UnsupportedAlgorithm, InvalidVersion) as error:
        raise BadSignature(str(error)) from error
    return certificate


def _trust(certificate: x509.Certificate, authorities: Sequence[x509.Certificate]) -> None:
    from cryptography.exceptions import InvalidSignature

    now = datetime.now(UTC)  # signatures are made in real time, whatever the clock of a rehearsal says
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise BadSignature("the certificate is not valid now")
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, InvalidSignature):
            continue
        break
    else:
        raise BadSignature("the certificate is of another authority")
    if not _for_clients(certificate):
        raise BadSignature("the certificate is not for clients")


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
        if length == _INDEFINITE:
            end = start
            while data[end : end + 2] != _END:
                end += len(next(_nodes(data[end:])).whole)
            after = end + len(_END)
        else:
            if length > _INDEFINITE:
                size = length - _INDEFINITE
                length, start = int.from_bytes(data[start : start + size]), start + size
            after = end = start + length
        if after > len(data):
            raise BadSignature("it ends too early")
        yield _Node(tag, data[start:end], data[at:after])
        at = after


def _signer(message: bytes, body: bytes) -> x509.Certificate:
    kind, content = next(_nodes(message)).parts(_OID, _CONTEXT_0)
    if kind.content != _SIGNED_DATA:
        raise BadSignature("it is something else than a signature")
    signed_data = content.parts(_SEQUENCE)[0].parts(_INTEGER, _SET, _SEQUENCE)
    signers = signed_data[-1].parts(_SEQUENCE)
    if signed_data[-1].tag != _SET or len(signers) != 1:
        raise BadSignature("it has not one signer")
    _, named, digest, *rest = signers[0].parts(_INTEGER, _SEQUENCE, _SEQUENCE)
    certificate = _certificate(signed_data, named)
    algorithm = _HASHES[digest.parts(_OID)[0].content]
    if rest[0].tag == _CONTEXT_0:
        attributes = rest.pop(0)
        if not hmac.compare_digest(_message_digest(attributes), hashlib.new(algorithm, body).digest()):
            raise BadSignature("it is of another body")
        body = bytes([_SET]) + attributes.whole[1:]  # signed is the SET, sent is its implicit form (RFC 5652, 5.4)
    method, signature = rest[:2]
    if method.parts(_OID)[0].content not in _METHODS or signature.tag != _OCTETS:
        raise BadSignature("it is made in a way that devices do not use")
    _verify(certificate, signature.content, body, algorithm)
    return certificate


def _certificate(signed_data: Sequence[_Node], named: _Node) -> x509.Certificate:
    """The certificate that was sent along, of the issuer and serial number that the signer names."""
    from cryptography import x509

    issuer, serial = named.parts(_SEQUENCE, _INTEGER)
    for node in (node for part in signed_data if part.tag == _CONTEXT_0 for node in part.parts()):
        certificate = x509.load_der_x509_certificate(node.whole)
        if certificate.issuer.public_bytes() == issuer.whole and certificate.serial_number == _number(serial):
            return certificate
    raise BadSignature("the certificate of the signer is missing")


def _number(node: _Node) -> int:
    return int.from_bytes(node.content, signed=True)


def _message_digest(attributes: _Node) -> bytes:
    for attribute in attributes.parts():
        name, values = attribute.parts(_OID, _SET)
        if name.content == _MESSAGE_DIGEST:
            return values.parts(_OCTETS)[0].content
    raise BadSignature("it does not say of what it is")


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
        raise BadSignature("it was made by another key") from error


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    found: dict[str, hashes.HashAlgorithm] = {
        "sha1": hashes.SHA1(),  # noqa: S303 (what real devices still use here)
        "sha256": hashes.SHA256(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }
    return found[algorithm]
