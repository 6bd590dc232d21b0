"""Signed profiles: the content of a CMS SignedData (RFC 5652), its certificates, and whether the signature holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

_SET, _OCTETS_IN_PARTS, _FIRST = 0x31, 0x24, 0xA0
_OPEN, _END = 0x80, b"\x00\x00"

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_DIGESTS: dict[bytes, type[hashes.HashAlgorithm]] = {
    bytes.fromhex("608648016503040201"): hashes.SHA256,
    bytes.fromhex("608648016503040202"): hashes.SHA384,
    bytes.fromhex("608648016503040203"): hashes.SHA512,
}


class BadSignature(ValueError):
    """It is no CMS that a phone would take, or what it says was changed since it was signed."""


class _Item(NamedTuple):
    """One element: its tag, what is in it, all of its bytes."""

    tag: int
    body: bytes
    whole: bytes


def _items(data: bytes) -> Iterator[_Item]:
    """The elements one after the other. Lengths may be left open, as OpenSSL does when it streams."""
    at = 0
    while at < len(data):
        item = _item(data, at)
        yield item
        at += len(item.whole)


def _item(data: bytes, at: int) -> _Item:
    if at + 2 > len(data):
        raise BadSignature("it ends too early")
    tag, length, start = data[at], data[at + 1], at + 2
    if length == _OPEN:
        end = start
        while data[end : end + 2] != _END:
            end += len(_item(data, end).whole)
        return _Item(tag, data[start:end], data[at : end + 2])
    if length > _OPEN:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size]), start + size
    if start + length > len(data):
        raise BadSignature("it ends too early")
    return _Item(tag, data[start : start + length], data[at : start + length])


def _parts(data: bytes) -> list[_Item]:
    return list(_items(data))


def opened(data: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """What was signed, and the certificates with the signer's own first, in DER.

    Raises:
        BadSignature: see there. Whether anybody trusts the signer is not asked: a phone shows that, and installs.
    """
    try:
        info = _parts(_parts(data)[0].body)
        if info[0].body != _SIGNED_DATA:
            raise BadSignature("it is not signed data")
        signed = _parts(_parts(info[1].body)[0].body)
        content = _content(_parts(signed[2].body))
        certificates = [
            x509.load_der_x509_certificate(item.whole)
            for holder in signed[3:-1]
            if holder.tag == _FIRST
            for item in _items(holder.body)
        ]
        signer = _verified(content, _parts(_parts(signed[-1].body)[0].body), certificates)
    except (IndexError, ValueError, RecursionError) as error:
        raise error if isinstance(error, BadSignature) else BadSignature("it cannot be read") from error
    others = [certificate for certificate in certificates if certificate is not signer]
    return content, tuple(item.public_bytes(Encoding.DER) for item in (signer, *others))


def _content(parts: list[_Item]) -> bytes:
    if len(parts) < 2:
        raise BadSignature("its content is missing")
    octets = _parts(parts[1].body)[0]
    if octets.tag == _OCTETS_IN_PARTS:
        return b"".join(item.body for item in _items(octets.body))
    return octets.body


def _verified(content: bytes, signer: list[_Item], certificates: list[x509.Certificate]) -> x509.Certificate:
    """The certificate by which the signature over the content holds."""
    algorithm = _DIGESTS.get(_parts(signer[2].body)[0].body)
    if algorithm is None:
        raise BadSignature("its digest is not one that a phone takes")
    rest = signer[3:]
    said = content
    if rest[0].tag == _FIRST:
        attributes = rest.pop(0)
        if _digest_attribute(attributes) != _digest(content, algorithm):
            raise BadSignature("the content was changed")
        said = bytes([_SET]) + attributes.whole[1:]
    for certificate in certificates:
        if _holds(certificate, rest[1].body, said, algorithm()):
            return certificate
    raise BadSignature("no certificate in it made the signature")


def _digest(content: bytes, algorithm: type[hashes.HashAlgorithm]) -> bytes:
    sum_ = hashes.Hash(algorithm())
    sum_.update(content)
    return sum_.finalize()


def _digest_attribute(attributes: _Item) -> bytes:
    for attribute in _items(attributes.body):
        name, values = _parts(attribute.body)
        if name.body == _MESSAGE_DIGEST:
            return _parts(values.body)[0].body
    raise BadSignature("its digest is missing")


def _holds(certificate: x509.Certificate, signature: bytes, said: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, said, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, said, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True
