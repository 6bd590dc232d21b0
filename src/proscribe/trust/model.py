"""Keys, the list of whom we trust with what, and what a signature covers. Types only.

A signature is a DSSE envelope (github.com/secure-systems-lab/dsse) whose payload is the RFC 8785 bytes of a
:class:`Statement`: the document itself, and who prepared it, so that "the author may not approve" can be checked from
the signed bytes alone. A signature carries no time of its own: what counts is when it was first recorded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.text import Text

PAYLOAD_TYPE = "application/vnd.proscribe.statement+json"
"""DSSE payload type of a statement."""


class Scheme(StrEnum):
    """Signature schemes. ML-DSA-65 (FIPS 204) resists a quantum computer; the others do not."""

    ed25519 = "ed25519"
    ecdsa_p256 = "ecdsa-p256"
    ml_dsa_65 = "ml-dsa-65"


class Storage(StrEnum):
    """Where the private half lives, strongest first. Said by whoever issues the key list; shown wherever it counts."""

    hardware = "hardware"  # a PKCS#11 device that does not give the key out
    # PKCS#11 in software: the key can be copied by whoever has the machine
    software_token = "software_token"  # noqa: S105 (no password)
    encrypted_file = "encrypted_file"
    plain_file = "plain_file"


@dataclass(frozen=True, slots=True)
class PublicKey(Value):
    """A key, whose it is and what it may do. ``holder`` is a seat ("cio", "security-2"), never a person's name."""

    id: str  # SHA-256 (hex) of the DER SubjectPublicKeyInfo
    scheme: Scheme
    public: str  # PEM SubjectPublicKeyInfo
    holder: str
    roles: tuple[str, ...]
    storage: Storage
    valid_from: datetime
    valid_until: datetime
    revoked_at: datetime | None = None  # nothing recorded at or after this moment counts
    revoked_because: Text | None = None


@dataclass(frozen=True, slots=True)
class Rule(Value):
    """How many seats must sign a kind of document. Two keys of one holder are one seat."""

    kinds: tuple[str, ...]  # "proscribe.directive", "proscribe.target-set", ...
    roles: tuple[str, ...]  # a signature counts when its key has one of these
    threshold: int
    quantum_safe: bool = False  # each counted seat signs with ML-DSA-65 too
    above: int | None = None  # plans: only where more than this many devices change


@dataclass(frozen=True)
class KeyList(Document):
    """Whom an organisation trusts with what. Signed by itself (its own rule for its kind) and by its predecessor's."""

    KIND: ClassVar[str] = "proscribe.key-list"

    organisation: Text
    version: int  # from 1, each successor one more
    issued: datetime
    expires: datetime
    keys: tuple[PublicKey, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Statement(Document):
    """What is signed: a document as it stands, who prepared it and when. Its RFC 8785 bytes are the DSSE payload."""

    KIND: ClassVar[str] = "proscribe.statement"

    document: dict[str, Any]  # with its ``kind`` and ``schema``
    prepared_by: str  # a holder of the key list; may not approve
    prepared_at: datetime


@dataclass(frozen=True)
class SignedDocument(Document):
    """A DSSE envelope as the store keeps it, under the digest of the document inside."""

    KIND: ClassVar[str] = "proscribe.signed"

    of: Digest
    of_kind: str
    envelope: dict[str, Any]  # payload, payloadType, signatures


class Weight(StrEnum):
    """Why a signature counts, or does not."""

    counted = "counted"
    unknown_key = "unknown_key"
    wrong_role = "wrong_role"
    author = "author"  # the holder prepared the document
    expired = "expired"
    not_yet_valid = "not_yet_valid"
    revoked = "revoked"
    bad = "bad"  # the signature does not fit the bytes
    same_seat = "same_seat"  # the holder is counted already by another key
    not_quantum_safe = "not_quantum_safe"  # the rule asks for ML-DSA-65 beside it


@dataclass(frozen=True, slots=True)
class Signature(Value):
    """One signature of an envelope, weighed."""

    key: str
    weight: Weight
    holder: str = ""
    scheme: Scheme | None = None
    storage: Storage | None = None


@dataclass(frozen=True)
class Verification(Document):
    """What checking an envelope against a key list found."""

    KIND: ClassVar[str] = "proscribe.signature-verification"

    of: Digest
    of_kind: str
    prepared_by: str
    at: datetime  # the moment the keys were judged for
    key_list: Digest
    key_list_version: int
    threshold: int
    signatures: tuple[Signature, ...]
    envelope: Digest | None = None  # of the SignedDocument; None where the signatures came in another envelope

    @property
    def holders(self) -> tuple[str, ...]:
        """The seats that count."""
        return tuple(sorted({one.holder for one in self.signatures if one.weight is Weight.counted}))


@dataclass(frozen=True)
class Registration(Document):
    """Where the ledger says that a verification was made: its moment is believed because of the entries around it."""

    KIND: ClassVar[str] = "proscribe.registration"

    verification: Digest
    entry: int  # index in the ledger
