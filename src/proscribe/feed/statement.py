"""The attestation as an in-toto Statement (github.com/in-toto/attestation, spec/v1), and back.

Its subjects are the directive and the proof, by digest; its predicate is our attestation with who prepared it. It is
signed in a DSSE envelope of in-toto's payload type, so that tools that know nothing of Proscribe can check it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from proscribe.canonical import Digest, canonical_bytes, digest_json
from proscribe.clock import utc
from proscribe.documents import Value, digest, from_json, to_json
from proscribe.errors import Where
from proscribe.feed.model import PREDICATE_TYPE, STATEMENT_TYPE, Attestation
from proscribe.text import Text
from proscribe.trust import dsse
from proscribe.trust.envelope import check_seat
from proscribe.trust.errors import NotCanonical
from proscribe.trust.model import SignedDocument

if TYPE_CHECKING:
    from proscribe.trust.library import Signer

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The payload type that in-toto gives its envelopes."""

_FIELDS = frozenset({"_type", "subject", "predicateType", "predicate"})
_SHA256 = "sha256:"


@dataclass(frozen=True, slots=True)
class Predicate(Value):
    """What our predicate type holds: the attestation, and the seat that prepared it, which may not approve it."""

    attestation: dict[str, Any]
    prepared_by: str
    prepared_at: datetime


def statement(attestation: Attestation, *, by: str, at: datetime) -> dict[str, Any]:
    """The Statement of an attestation, as JSON. Raises InvalidSeat."""
    check_seat(by)
    predicate = Predicate(attestation=to_json(attestation), prepared_by=by, prepared_at=utc(at))
    return {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(attestation),
        "predicateType": PREDICATE_TYPE,
        "predicate": to_json(predicate),
    }


def _subjects(attestation: Attestation) -> list[dict[str, Any]]:
    return [
        {"name": f"directive/{attestation.directive}", "digest": _sha256(attestation.directive_digest)},
        {"name": f"proof/{attestation.department}/{attestation.number}", "digest": _sha256(attestation.proof)},
    ]


def _sha256(value: Digest) -> dict[str, str]:
    return {"sha256": value.removeprefix(_SHA256)}


def prepare(attestation: Attestation, *, by: str, at: datetime) -> SignedDocument:
    """An attestation ready to be signed, as an in-toto Statement. Raises InvalidSeat."""
    return SignedDocument(
        of=digest(attestation),
        of_kind=attestation.KIND,
        envelope=dsse.sealed(canonical_bytes(statement(attestation, by=by, at=at)), PAYLOAD_TYPE),
    )


def sign(signed: SignedDocument, signer: Signer) -> SignedDocument:
    """The attestation with one signature more. What is inside is checked first."""
    read(signed)
    return SignedDocument(of=signed.of, of_kind=signed.of_kind, envelope=dsse.signed_by(signed.envelope, signer))


def is_statement(envelope: dict[str, Any]) -> bool:
    """Whether an envelope says that it holds an in-toto Statement."""
    return envelope.get("payloadType") == PAYLOAD_TYPE


def envelope_of(raw: bytes, *, source: str = "") -> SignedDocument:
    """The signed attestation of an envelope's bytes. Raises as ``read``; no signature is checked."""
    envelope = dsse.strict_json(raw, source=source)
    attestation, _ = _opened(envelope, source)
    return SignedDocument(of=digest(attestation), of_kind=attestation.KIND, envelope=envelope)


def read(signed: SignedDocument, *, source: str = "") -> tuple[Attestation, Predicate]:
    """The attestation and its predicate. Raises InvalidEnvelope, NotCanonical, InvalidSeat or InvalidDocument.

    Strict: other fields, subjects that are not those of the predicate, another form of the same bytes are refused.
    """
    attestation, predicate = _opened(signed.envelope, source)
    if (digest(attestation), attestation.KIND) != (signed.of, signed.of_kind):
        raise dsse.unfit(
            Text("the document inside is another than is said outside", "le document qu'elle contient est un autre"),
            source,
        )
    return attestation, predicate


def _opened(envelope: dict[str, Any], source: str) -> tuple[Attestation, Predicate]:
    opened = dsse.open_envelope(envelope, source=source)
    body = dsse.strict_json(opened.payload, source=source)
    if opened.payload_type != PAYLOAD_TYPE or not isinstance(body, dict) or set(body) != _FIELDS:
        raise dsse.unfit(Text("it is not an in-toto Statement", "ce n'est pas un Statement in-toto"), source)
    if (body["_type"], body["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise dsse.unfit(
            Text("it is a Statement about something else", "c'est un Statement qui porte sur autre chose"), source
        )
    predicate = from_json(Predicate, body["predicate"], source=source)
    attestation = from_json(Attestation, predicate.attestation, source=source)
    check_seat(predicate.prepared_by)
    if body["subject"] != _subjects(attestation):
        raise dsse.unfit(
            Text("its subjects are not those of its predicate", "ses sujets ne sont pas ceux de son prédicat"), source
        )
    rebuilt = statement(attestation, by=predicate.prepared_by, at=predicate.prepared_at)
    if canonical_bytes(rebuilt) != opened.payload or digest_json(predicate.attestation) != digest(attestation):
        raise NotCanonical(
            Text(
                "the signed bytes are not the canonical form (RFC 8785) of the Statement",
                "les octets signés ne sont pas la forme canonique (RFC 8785) du Statement",
            ),
            remedy=Text(
                "Have the attestation prepared and signed again with 'proscribe attest'.",
                "Faites préparer et signer de nouveau l'attestation avec «\u00a0proscribe attest\u00a0».",
            ),
            where=Where(file=source),
        )
    return attestation, predicate
