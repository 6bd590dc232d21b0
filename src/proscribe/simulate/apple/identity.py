"""The authority that the server trusts, and the identities by which phones sign what they say."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = dt.timedelta(days=3650)
_OPTIONS = [
    pkcs7.PKCS7Options.DetachedSignature,
    pkcs7.PKCS7Options.Binary,
    pkcs7.PKCS7Options.NoCapabilities,
]


@dataclass(frozen=True, slots=True)
class Identity:
    """A phone's key and its certificate, made anew with each enrolment."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def signature(self, body: bytes) -> str:
        """The ``Mdm-Signature`` header of a request: a detached CMS over its body, DER in base64."""
        signer = pkcs7.PKCS7SignatureBuilder().set_data(body)
        signed = signer.add_signer(self.certificate, self.key, hashes.SHA256()).sign(Encoding.DER, _OPTIONS)
        return base64.b64encode(signed).decode()

    def header(self) -> str:
        """The certificate as a proxy hands it on (RFC 9440): for a server that is started with ``-cert-header``."""
        return f":{base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()}:"


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """Issues identities. Its certificate is what NanoMDM is started with (``-ca``)."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, name: str = "Lighthouse Devices") -> CertificateAuthority:
        """A new authority with a P-256 key, trusted by nobody yet."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder(subject, subject, key.public_key()).add_extension(usage, critical=True)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def pem(self) -> bytes:
        """The certificate, for the file that the server reads."""
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(self, name: str) -> Identity:
        """A new key and a certificate for client authentication in this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = _builder(subject, self.certificate.subject, key.public_key()).add_extension(usage, critical=False)
        return Identity(key, builder.sign(self.key, hashes.SHA256()))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    # The server compares with its own clock, so the real time counts here, whatever time a rehearsal plays.
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
    )
