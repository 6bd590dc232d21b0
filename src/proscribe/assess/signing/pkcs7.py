"""PKCS #7 signed data without content, as it stands beside a JAR's signature file (RFC 2315, RFC 5652).

Android's own reading is followed where it differs from the standards: signed attributes are verified as they stand,
and neither validity dates nor chains matter, as a package's certificate is a name and no more.
"""

from __future__ import annotations

from dataclasses import dataclass

from proscribe.assess.signing import der
from proscribe.assess.signing.algorithms import HASHES, KITKAT, NOUGAT, pkcs7_algorithm
from proscribe.assess.signing.certificate import SUBJECT_KEY_ID, X509, BadCertificate, parse_certificate, same_name
from proscribe.assess.signing.keys import UnusableKey, digest, signature_holds
from proscribe.assess.signing.problems import SignatureProblem

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_CERTIFICATES = 64
_SIGNERS = 16

_PARSE = "jar-sig.parse-exception"
_VERIFY = "jar-sig.verify-exception"


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signer: how it names its certificate, its algorithms, its signed attributes if any, its signature."""

    sid: der.Element
    digest_oid: str
    signature_oid: str
    attributes: der.Element | None
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedData:
    """``content_type`` is what the signed attributes must name."""

    content_type: str
    certificates: tuple[X509, ...]
    signers: tuple[SignerInfo, ...]


def parse_signed_data(data: bytes) -> SignedData:
    """Raises SignatureProblem."""
    try:
        return _signed_data(data)
    except (der.BadAsn1, BadCertificate, IndexError, ValueError) as error:
        raise SignatureProblem(_PARSE, str(error)) from error


def _signed_data(data: bytes) -> SignedData:
    content_type, content = der.parse(data).expect(der.SEQUENCE).children()[:2]
    if content_type.oid() != _SIGNED_DATA:
        raise der.BadAsn1(f"content of type {content_type.oid()}")
    fields = der.parse(content.expect(0xA0).content).expect(der.SEQUENCE).children()
    _, hashing, inner, *rest = fields
    for algorithm in hashing.expect(der.SET).children():
        algorithm.expect(der.SEQUENCE).children()[0].oid()
    bags = [field for field in rest if field.tag == 0xA0]
    infos = [field for field in rest if field.tag == der.SET]
    certificates = bags[0].children() if bags else []
    signers = infos[0].children() if infos else []
    if len(certificates) > _CERTIFICATES or len(signers) > _SIGNERS:
        raise der.BadAsn1(f"{len(certificates)} certificates, {len(signers)} signers")
    return SignedData(
        content_type=inner.expect(der.SEQUENCE).children()[0].oid(),
        certificates=tuple(parse_certificate(bytes(certificate.whole)) for certificate in certificates),
        signers=tuple(_signer_info(info) for info in signers),
    )


def _signer_info(info: der.Element) -> SignerInfo:
    _, sid, hashing, *rest = info.expect(der.SEQUENCE).children()
    attributes = rest.pop(0) if rest[0].tag == 0xA0 else None
    return SignerInfo(
        sid=sid,
        digest_oid=hashing.children()[0].oid(),
        signature_oid=rest[0].children()[0].oid(),
        attributes=attributes,
        signature=rest[1].octets(),
    )


def verify_detached(signed: SignedData, content: bytes, low: int, high: int) -> X509:
    """The certificate of the first signer whose signature over ``content`` holds. Raises SignatureProblem.

    ``low`` and ``high``: the Android versions it must hold on. Those before 7.0 look at the first signer alone.
    """
    if not signed.signers:
        raise SignatureProblem("jar-sig.no-signers")
    found: X509 | None = None
    for signer in signed.signers[:1] if low < NOUGAT else signed.signers:
        certificate = _verify(signed, signer, content, low, high)
        found = found or certificate
    if found is None:
        raise SignatureProblem("jar-sig.did-not-verify")
    return found


def _verify(signed: SignedData, signer: SignerInfo, content: bytes, low: int, high: int) -> X509 | None:
    """Its certificate, or None where the signature does not hold; what is malformed raises SignatureProblem."""
    algorithm = pkcs7_algorithm(signer.digest_oid, signer.signature_oid, low, high)
    if algorithm is None:
        raise SignatureProblem("jar-sig.unsupported-sig-alg", f"{signer.digest_oid} with {signer.signature_oid}")
    certificate = _certificate(signed, signer.sid)
    unfit = certificate.signs()
    if unfit:
        raise SignatureProblem(_VERIFY, unfit)
    message = content
    if signer.attributes is not None:
        if low < KITKAT:
            raise SignatureProblem(_VERIFY, "signed attributes protect nothing before Android 4.4")
        if not _attributes_match(signed, signer, signer.attributes, content, high):
            return None
        # Not encoded anew: only the implicit tag becomes that of a SET.
        message = bytes((der.SET,)) + bytes(signer.attributes.whole[1:])
    try:
        holds = signature_holds(certificate.key(), *algorithm, signer.signature, message)
    except UnusableKey as problem:
        raise SignatureProblem(_VERIFY, str(problem)) from problem
    return certificate if holds else None


def _certificate(signed: SignedData, sid: der.Element) -> X509:
    """The certificate that a signer names, by issuer and serial number or by its key's id."""
    try:
        if sid.tag == der.SEQUENCE:
            issuer, serial = sid.children()[:2]
            wanted = bytes(issuer.whole), serial.integer()
            found = [
                certificate
                for certificate in signed.certificates
                if certificate.serial == wanted[1] and same_name(certificate.issuer, wanted[0])
            ]
        else:
            found = [one for one in signed.certificates if _key_id(one) == bytes(sid.expect(0x80).content)]
    except (der.BadAsn1, ValueError) as error:
        raise SignatureProblem(_PARSE, str(error)) from error
    if not found:
        raise SignatureProblem(_VERIFY, "the signing certificate is not there")
    return found[0]


def _key_id(certificate: X509) -> bytes | None:
    extension = certificate.extensions.get(SUBJECT_KEY_ID)
    return der.parse(extension[1]).octets() if extension else None


def _attributes_match(
    signed: SignedData, signer: SignerInfo, attributes: der.Element, content: bytes, high: int
) -> bool:
    """Whether the signed attributes name the type and the digest of what is signed. Raises SignatureProblem."""
    try:
        values = _values(attributes)
        content_type, expected = values.get(_CONTENT_TYPE), values.get(_MESSAGE_DIGEST)
        # Versions before 7.0 do not ask for the type.
        if high >= NOUGAT and content_type is None:
            raise SignatureProblem(_VERIFY, "no content type in signed attributes")
        if high >= NOUGAT and content_type is not None and content_type.oid() != signed.content_type:
            return False
        if expected is None:
            raise SignatureProblem(_VERIFY, "no digest in signed attributes")
        return expected.octets() == digest(HASHES[signer.digest_oid], content)
    except (der.BadAsn1, ValueError, IndexError) as error:
        raise SignatureProblem(_VERIFY, str(error)) from error


def _values(attributes: der.Element) -> dict[str, der.Element]:
    """The one value of each signed attribute. Raises SignatureProblem where one that counts has several."""
    found: dict[str, der.Element] = {}
    for attribute in attributes.children():
        name, values = attribute.expect(der.SEQUENCE).children()[:2]
        oid = name.oid()
        each = values.expect(der.SET).children()
        if oid in (_CONTENT_TYPE, _MESSAGE_DIGEST):
            if len(each) > 1 or oid in found:
                raise SignatureProblem(_PARSE, f"attribute {oid} has several values")
            found.update(zip((oid,), each, strict=False))
    return found
