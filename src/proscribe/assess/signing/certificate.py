"""X.509 certificates as far as a signature needs them, read from DER or what comes near it.

Certificates of old packages have negative serial numbers and lengths that are not minimal, and Android takes them; a
strict library does not. Nothing of what is read here is trusted but the key.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from proscribe.assess import facts
from proscribe.assess.signing import der, keys

_TIME = re.compile(r"(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?(?:\.\d+)?(Z|[+-]\d{4})?")
_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "EMAILADDRESS",
}
_SPECIAL, _ESCAPED = re.compile(r'[,+"<>;=\\]'), r"\\\g<0>"  # RFC 4514
_STRINGS = {0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x14: "latin-1"}

KEY_USAGE = "2.5.29.15"
SUBJECT_KEY_ID = "2.5.29.14"
# Extensions of RFC 5280 that a verifier of signatures knows; another one that is critical makes the certificate unfit.
_KNOWN_EXTENSIONS = frozenset(
    {
        f"2.5.29.{number}"
        for number in (9, 14, 15, 16, 17, 18, 19, 20, 21, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37, 46, 54)
    }
    | {"1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11", "2.16.840.1.113730.1.1"}
)
_EXTENSIONS = 0xA3
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_LONGEST = 2000  # characters of a name that are shown


class BadCertificate(ValueError):
    """Bytes that are no certificate."""


@dataclass(frozen=True, slots=True)
class X509:
    """A certificate. ``encoded``: the bytes as they stand in the package; ``issuer`` and ``subject`` are their DER."""

    encoded: bytes
    serial: int
    issuer: bytes
    subject: bytes
    not_before: str
    not_after: str
    spki: bytes
    extensions: dict[str, tuple[bool, bytes]]  # by object identifier: critical, content

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.encoded).hexdigest()

    def key(self) -> keys.PublicKey:
        """Raises UnusableKey."""
        return keys.parse_key(self.spki)

    def signs(self) -> str:
        """Why the certificate may not sign packages, "" where it may: what Android asks of its extensions."""
        unknown = [oid for oid, (critical, _) in self.extensions.items() if critical and oid not in _KNOWN_EXTENSIONS]
        if unknown:
            return f"critical extension {unknown[0]}"
        usage = self.extensions.get(KEY_USAGE)
        if usage is not None:
            try:
                bits = der.parse(usage[1]).expect(der.BIT_STRING).content[1:2]
            except der.BadAsn1:
                return "key usage unreadable"
            if not len(bits) or not bits[0] & 0xC0:  # digitalSignature, nonRepudiation
                return "key usage without signatures"
        return ""


def parse_certificate(data: bytes) -> X509:
    """Read one certificate. Raises BadCertificate."""
    try:
        return _read(data)
    except (der.BadAsn1, IndexError, ValueError) as error:
        raise BadCertificate(str(error)) from error


def _read(data: bytes) -> X509:
    body, algorithm, signature = der.parse(data).expect(der.SEQUENCE).children()
    algorithm.expect(der.SEQUENCE).children()[0].oid()
    signature.expect(der.BIT_STRING)
    fields = body.expect(der.SEQUENCE).children()
    if fields[0].tag == 0xA0:  # version
        fields = fields[1:]
    serial, algorithm, issuer, validity, subject, spki = fields[:6]
    algorithm.expect(der.SEQUENCE).children()[0].oid()
    before, after = validity.expect(der.SEQUENCE).children()[:2]
    return X509(
        encoded=bytes(data),
        serial=serial.integer(),
        issuer=_name(issuer),
        subject=_name(subject),
        not_before=_time(before),
        not_after=_time(after),
        spki=bytes(spki.expect(der.SEQUENCE).whole),
        extensions=_extensions([field for field in fields[6:] if field.tag == _EXTENSIONS]),
    )


def _extensions(wrapped: list[der.Element]) -> dict[str, tuple[bool, bytes]]:
    if not wrapped:
        return {}
    found = {}
    for extension in der.parse(wrapped[0].content).expect(der.SEQUENCE).children():
        parts = extension.expect(der.SEQUENCE).children()
        critical = len(parts) > 2 and bytes(parts[1].content) not in (b"", b"\0")
        found[parts[0].oid()] = (critical, parts[-1].octets())
    return found


def _time(element: der.Element) -> str:
    """ISO 8601 in UTC. Raises BadAsn1 where it is no date."""
    text = bytes(element.content[:40]).decode("ascii", "replace")
    parts = _TIME.fullmatch(text)
    if parts is None or element.tag not in (_UTC_TIME, _GENERALIZED_TIME):
        raise der.BadAsn1("a date that is none")
    year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups()[:6])
    if len(parts.group(1)) == 2:
        year += 1900 if year >= 50 else 2000
    zone = parts.group(7) or "Z"
    offset = 0 if zone == "Z" else int(zone[:3]) * 60 + int(zone[0] + zone[3:])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - timedelta(minutes=offset)
    except OverflowError as error:
        raise der.BadAsn1("a date out of range") from error
    return moment.isoformat().replace("+00:00", "Z")


def _name(element: der.Element) -> bytes:
    """The bytes of a distinguished name that can be read. Raises BadAsn1."""
    _attributes(element)
    return bytes(element.whole)


def _attributes(name: der.Element) -> list[str]:
    return [
        _attribute(attribute)
        for group in name.expect(der.SEQUENCE).children()
        for attribute in group.expect(der.SET).children()
    ]


def show_name(name: bytes) -> str:
    """A distinguished name as people read it, most particular part first: ``CN=..., O=..., C=..``. Raises BadAsn1."""
    return ", ".join(reversed(_attributes(der.parse(name))))[:_LONGEST]


def _attribute(element: der.Element) -> str:
    kind, value = element.expect(der.SEQUENCE).children()[:2]
    oid = kind.oid()
    raw = bytes(value.content)
    text = raw.decode(_STRINGS.get(value.tag, "utf-8"), "replace")
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return f"{_ATTRIBUTES.get(oid, oid)}={_SPECIAL.sub(_ESCAPED, shown)}"


def same_name(one: bytes, other: bytes) -> bool:
    """Whether two distinguished names are one: by bytes, else as shown, without regard to case and spaces."""
    return one == other or _folded(one) == _folded(other)


def _folded(name: bytes) -> str:
    return " ".join(show_name(name).casefold().split())


def describe(certificate: X509) -> facts.Certificate:
    """The certificate as a fact."""
    try:
        label = certificate.key().label
    except keys.UnusableKey as problem:
        label = str(problem)
    serial = certificate.serial
    return facts.Certificate(
        sha256=certificate.sha256,
        subject=show_name(certificate.subject),
        issuer=show_name(certificate.issuer),
        serial=f"{'-' if serial < 0 else ''}{abs(serial):x}"[:_LONGEST],
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        key=label,
        key_sha256=hashlib.sha256(certificate.spki).hexdigest(),
        md5=hashlib.md5(certificate.encoded, usedforsecurity=False).hexdigest(),
    )
