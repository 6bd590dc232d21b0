"""Signed documents: a statement (the document and who prepared it) in a DSSE envelope.

On disk a signed document is the bare envelope (``*.dsse.json``), as any DSSE tool writes and reads it.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from proscribe.canonical import canonical_bytes, digest_json
from proscribe.clock import utc
from proscribe.documents import Document, digest, from_json, to_bytes, to_json
from proscribe.errors import InvalidDocument, ProscribeError, Where, WrongDocumentVersion
from proscribe.files import read_bytes
from proscribe.text import Text
from proscribe.trust import dsse
from proscribe.trust.errors import InvalidSeat, NotCanonical
from proscribe.trust.model import PAYLOAD_TYPE, SignedDocument, Statement

if TYPE_CHECKING:
    from proscribe.trust.library import Signer

D = TypeVar("D", bound=Document)

_SEAT = re.compile(r"[a-z0-9](?:[a-z0-9._/-]{0,62}[a-z0-9])?")


def check_seat(name: str) -> None:
    """Raises InvalidSeat. One spelling only, so that "CIO" and a look-alike "cio" are never two seats."""
    if not _SEAT.fullmatch(name):
        raise InvalidSeat(
            Text(f"{name!r} is not the name of a seat", f"« {name} » n'est pas le nom d'un siège"),
            remedy=Text(
                "Name the seat, not the person, in letters a to z, digits, '.', '_', '/' and '-': cio, security-2.",
                "Nommez le siège et non la personne, en minuscules a à z sans accent, chiffres, '.', '_', '/' et "
                "'-'\u00a0: dpi, securite-2.",
            ),
        )


def prepare(document: Document, *, by: str, at: datetime) -> SignedDocument:
    """A document ready to be signed. ``by``, the seat that prepared it, may not approve it. Raises InvalidSeat."""
    check_seat(by)
    statement = Statement(document=to_json(document), prepared_by=by, prepared_at=utc(at))
    return SignedDocument(
        of=digest(document),
        of_kind=document.KIND,
        envelope=dsse.sealed(to_bytes(statement), PAYLOAD_TYPE),
    )


def sign(signed: SignedDocument, signer: Signer) -> SignedDocument:
    """The document with one signature more. What is inside is checked first: nobody signs what has two readings."""
    statement_of(signed)
    return SignedDocument(of=signed.of, of_kind=signed.of_kind, envelope=dsse.signed_by(signed.envelope, signer))


def merge(*signed: SignedDocument) -> SignedDocument:
    """One document with the signatures of several copies of it. Raises InvalidEnvelope where they are not copies."""
    return from_envelope(dsse.merged(one.envelope for one in signed))


def statement_of(signed: SignedDocument, *, source: str = "") -> Statement:
    """What is signed. Raises InvalidEnvelope, NotCanonical or InvalidSeat; no signature is checked."""
    statement = _statement(signed, source)
    if digest_json(statement.document) != signed.of or statement.document.get("kind") != signed.of_kind:
        raise dsse.unfit(
            Text("the document inside is another than is said outside", "le document qu'elle contient est un autre"),
            source,
        )
    return statement


def _statement(signed: SignedDocument, source: str) -> Statement:
    opened = dsse.open_envelope(signed.envelope, source=source)
    if opened.payload_type != PAYLOAD_TYPE:
        raise dsse.unfit(
            Text(f"it holds {opened.payload_type!r}", f"elle contient {opened.payload_type!r}"),
            source,
        )
    body = dsse.strict_json(opened.payload, source=source)
    _canonical(body, opened.payload, source)
    try:
        statement = from_json(Statement, body, source=source)
    except (InvalidDocument, WrongDocumentVersion) as error:
        raise dsse.unfit(error.what, source) from error
    check_seat(statement.prepared_by)
    if to_json(statement) != body:  # read as something else than it says: a time in another form
        raise _loose(source)
    return statement


def _canonical(body: object, payload: bytes, source: str) -> None:
    """Raises NotCanonical where ``payload`` is not the RFC 8785 bytes of ``body``."""
    try:
        same = canonical_bytes(body) == payload
    except (ValueError, RecursionError, UnicodeError):  # a number or text that RFC 8785 has no form for
        same = False
    if not same:
        raise _loose(source)


def _loose(source: str) -> NotCanonical:
    return NotCanonical(
        Text(
            "the signed bytes are not the canonical form (RFC 8785) of the document",
            "les octets signés ne sont pas la forme canonique (RFC 8785) du document",
        ),
        remedy=Text(
            "Have the document prepared and signed again with 'proscribe sign'.",
            "Faites préparer et signer de nouveau le document avec « proscribe sign ».",
        ),
        where=Where(file=source),
    )


def document_of(signed: SignedDocument, cls: type[D]) -> D:
    """The document inside. Raises as ``statement_of``, and InvalidDocument where it is of another kind.

    A document that reads as something else than its bytes say (a default left out) is refused: its digest would be
    another than the one that was signed.
    """
    document = from_json(cls, statement_of(signed).document, source=signed.of)
    if digest(document) != signed.of:
        raise _loose(signed.of)
    return document


def read_envelope(path: Path) -> SignedDocument:
    """Read a bare DSSE envelope. Raises UnreadableFile and as ``statement_of``; no signature is checked."""
    raw = read_bytes(path, dsse.MOST_BYTES)
    return envelope_of(raw, source=str(path))


def envelope_of(raw: bytes, *, source: str = "") -> SignedDocument:
    """The signed document of an envelope's bytes. Raises as ``statement_of``; no signature is checked."""
    return from_envelope(dsse.strict_json(raw, source=source), source=source)


def from_envelope(envelope: dict[str, object], *, source: str = "") -> SignedDocument:
    """The signed document of an envelope, named by what is inside. Raises as ``statement_of``."""
    statement = _statement(SignedDocument(of=digest_json(None), of_kind="", envelope=envelope), source)
    kind = statement.document.get("kind")
    if not isinstance(kind, str):
        raise dsse.unfit(Text("it holds no document", "elle ne contient aucun document"), source)
    return SignedDocument(of=digest_json(statement.document), of_kind=kind, envelope=envelope)


def envelope_bytes(signed: SignedDocument) -> bytes:
    """The bare envelope as it is written to a file: canonical JSON, so that no byte of it means nothing."""
    return canonical_bytes(signed.envelope)


def is_envelope(path: Path) -> bool:
    """Whether a file reads as a signed document (whatever its signatures are worth)."""
    try:
        read_envelope(path)
    except ProscribeError:
        return False
    return True
