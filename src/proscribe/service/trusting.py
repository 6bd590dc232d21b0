"""Signed documents, recorded under the key list of their moment, and asked for where something rests on them.

The key lists themselves are in ``service.keylists``; both are used through this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any

from proscribe.canonical import Digest
from proscribe.clock import utc
from proscribe.documents import Document, digest
from proscribe.errors import ProscribeError
from proscribe.prove.model import EntryKind
from proscribe.service.installation import Installation
from proscribe.service.keylists import (
    FILE,
    OWN,
    KeyListUnpinned,
    NoKeyList,
    accepted_from,
    install,
    issuers,
    key_list,
    key_lists,
    needed,
)
from proscribe.store.errors import NotStored
from proscribe.text import Text
from proscribe.trust import keylist
from proscribe.trust.envelope import document_of
from proscribe.trust.errors import KeyListExpired, KeyRevoked, SignatureRefused
from proscribe.trust.model import KeyList, Registration, SignedDocument, Verification
from proscribe.trust.verify import rule_for, verify

__all__ = [
    "FILE",
    "OWN",
    "KeyListUnpinned",
    "NoKeyList",
    "NotSigned",
    "Replayed",
    "check",
    "install",
    "issuers",
    "key_list",
    "key_lists",
    "needed",
    "refuse_expired",
    "refuse_replaced",
    "register",
    "require",
    "revoked",
    "verification_of",
]

_CLOCK_SET_BACK = timedelta(hours=1)
"""By how much a machine's clock may have been corrected between two entries of the ledger."""


class NotSigned(ProscribeError):
    """A document that must be signed is not, or what signed it no longer counts."""

    code = "trust.not-signed"


class Replayed(ProscribeError):
    """A signed document older than one already recorded, or another one of the same version."""

    code = "trust.replayed"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of document that is known here: its type, what it is about, and which of two is the later one."""

    at: str  # module:class
    subject: Callable[[Any], str]
    order: Callable[[Any], tuple[Any, ...]] | None = None  # None: there is no later one

    def cls(self) -> type[Document]:
        module, _, name = self.at.partition(":")
        found: type[Document] = getattr(import_module(module), name)
        return found


_KINDS: dict[str, _Kind] = {
    "proscribe.directive": _Kind("proscribe.directive.model:Directive", lambda one: one.id, lambda one: (one.version,)),
    "proscribe.target-set": _Kind(
        "proscribe.catalogue.model:TargetSet",
        lambda one: one.directive,
        lambda one: (one.directive_version, utc(one.resolved_at)),
    ),
    "proscribe.standing-order": _Kind(
        "proscribe.plan.orders:StandingOrder", lambda one: one.id, lambda one: (one.version,)
    ),
    "proscribe.plan": _Kind("proscribe.plan.model:Plan", lambda one: one.directive),
    "proscribe.exemption": _Kind("proscribe.plan.model:ExemptionGrant", lambda one: one.exemption.directive),
    "proscribe.attestation": _Kind(
        "proscribe.feed.model:Attestation",
        lambda one: f"{one.department}/{one.directive}",
        lambda one: (one.number,),
    ),
}


def register(
    installation: Installation, signed: SignedDocument, *, affected: int | None = None, issuer: str = OWN
) -> Verification:
    """Check a signed document as of now, and record it: what counts later is that it was good at this moment.

    Raises NoKeyList, SignatureRefused, Replayed, and what ``envelope.document_of`` raises. Again with the same
    signatures, it gives what was recorded.
    """
    keys = needed(installation, issuer=issuer)
    known = _known(installation, signed, affected, issuer)
    if known is not None:
        return known
    now = installation.clock.now()
    document, subject = _inside(signed)
    verification = verify(signed, keys, at=now, affected=_affected(document, affected))
    with installation.atomic():
        _refuse_older(installation, signed, document, subject, issuer)
        _keep(installation, signed, document, verification, subject)
        _record(installation, verification, subject)
    return verification


def _known(
    installation: Installation, signed: SignedDocument, affected: int | None, issuer: str
) -> Verification | None:
    """What was recorded of this very envelope, where it still holds."""
    envelope = digest(signed)
    try:
        found = _standing(installation, signed.of, affected, issuer)
        return next((one for one in found if one.envelope == envelope), None)
    except SignatureRefused:
        return None


def check(
    installation: Installation, signed: SignedDocument, *, affected: int | None = None, issuer: str = OWN
) -> Verification:
    """As ``register``, and nothing is recorded; a replay is not looked for."""
    document, _ = _inside(signed)
    keys = needed(installation, issuer=issuer)
    return verify(signed, keys, at=installation.clock.now(), affected=_affected(document, affected))


def _inside(signed: SignedDocument) -> tuple[Document | None, str]:
    """The document (None: of a kind that is not known here) and what it is about."""
    kind = _KINDS.get(signed.of_kind)
    if kind is None:
        return None, signed.of
    document: Document = document_of(signed, kind.cls())
    return document, kind.subject(document)


def _affected(document: Document | None, given: int | None) -> int | None:
    from proscribe.plan.model import Plan
    from proscribe.plan.orders import affected

    return affected(document) if isinstance(document, Plan) and given is None else given


def _refuse_older(
    installation: Installation, signed: SignedDocument, document: Document | None, subject: str, issuer: str
) -> None:
    kind = _KINDS.get(signed.of_kind)
    if document is None or kind is None or kind.order is None:
        return
    lists = accepted_from(installation, issuer)
    for earlier in _recorded(installation, signed.of_kind, subject):
        # What another issuer numbers is its own matter: a partner's version 99 does not end ours.
        if earlier.of == signed.of or earlier.key_list not in lists:
            continue
        known: Document = installation.stores.documents.get(kind.cls(), earlier.of)
        # What a thief numbered far ahead does not end what we number.
        if kind.order(known) >= kind.order(document) and not revoked(installation, earlier.of, issuer=issuer):
            raise _replayed(subject, earlier)


def revoked(installation: Installation, of: Digest, *, issuer: str = OWN) -> bool:
    """Whether a document was signed, and counts no more because a key is revoked as of an earlier moment."""
    try:
        next(_standing(installation, of, None, issuer), None)
    except SignatureRefused as refusal:
        return isinstance(refusal, KeyRevoked)
    return False


def _replayed(subject: str, by: Verification) -> Replayed:
    day = by.at.date().isoformat()
    return Replayed(
        Text(
            f"{by.of_kind} {subject}: one as new as this, or newer, was recorded on {day}",
            f"{by.of_kind} {subject}\u00a0: un document aussi récent ou plus récent a été consigné le {day}",
        ),
        remedy=Text(
            "Use the newest one; to go back on it, issue a new version and have it signed.",
            "Utilisez le plus récent; pour y revenir, produisez une nouvelle version et faites-la signer.",
        ),
    )


def refuse_replaced(installation: Installation, of: Digest, *, issuer: str = OWN) -> None:
    """Raises Replayed where a later one than a document that an issuer signed was recorded, and still counts.

    Recorded in its time, its own signatures are as good as ever; they say nothing of what was decided since.
    """
    found = verification_of(installation, of, issuer=issuer)
    kind = None if found is None else _KINDS.get(found.of_kind)
    if found is None or kind is None or kind.order is None:
        return
    documents, lists = installation.stores.documents, accepted_from(installation, issuer)
    document: Any = documents.get(kind.cls(), of)
    subject = kind.subject(document)
    for other in _recorded(installation, found.of_kind, subject):
        if other.of == of or other.key_list not in lists:
            continue
        later = kind.order(documents.get(kind.cls(), other.of)) > kind.order(document)
        if later and verification_of(installation, other.of, issuer=issuer) is not None:
            raise _replayed(subject, other)


def _keep(
    installation: Installation,
    signed: SignedDocument,
    document: Document | None,
    verification: Verification,
    subject: str,
) -> None:
    documents, now = installation.stores.documents, installation.clock.now()
    if document is not None:
        try:
            documents.raw(signed.of)
        except NotStored:  # signed is not yet adopted: it becomes nobody's newest
            documents.put(document, subject=f"signed:{subject}", at=now)
    documents.put(signed, subject=signed.of, at=now)
    documents.put(verification, subject=f"{signed.of_kind}:{subject}", at=now)


def _record(installation: Installation, verification: Verification, subject: str) -> None:
    entry = installation.stores.ledger.append(
        EntryKind.signature,
        subject,
        installation.actor,
        {
            "digest": verification.of,
            "document": verification.of_kind,
            "envelope": verification.envelope,
            "verification": digest(verification),
            "seats": list(verification.holders),
            "threshold": verification.threshold,
            "prepared_by": verification.prepared_by,
            "key_list": verification.key_list,
        },
        verification.at,
    )
    where = Registration(verification=digest(verification), entry=entry.index)
    installation.stores.documents.put(where, subject=where.verification, at=verification.at)


def _in_ledger(installation: Installation, recorded: Verification) -> bool:
    """Whether the ledger has it, at the moment it names and in its place among the other entries.

    Who can write to the database alone could otherwise give signatures an earlier moment, at which a key that is
    expired or revoked by now was still good.
    """
    found = digest(recorded)
    where = installation.stores.documents.latest(Registration, subject=found)
    if where is None:
        return False
    entries = tuple(installation.stores.ledger.entries(max(0, where.entry - 1), where.entry + 1))
    return (
        bool(entries)
        and entries[-1].index == where.entry
        and entries[-1].entry is EntryKind.signature
        and entries[-1].body.get("verification") == found
        and entries[-1].at == utc(recorded.at) >= entries[0].at - _CLOCK_SET_BACK
    )


def _recorded(installation: Installation, kind: str, subject: str) -> Iterator[Verification]:
    """What was recorded of a kind about a subject, newest first."""
    return installation.stores.documents.all(Verification, subject=f"{kind}:{subject}")


def verification_of(
    installation: Installation, of: Digest, *, affected: int | None = None, issuer: str = OWN
) -> Verification | None:
    """What the signatures of a document are worth; None where it was never recorded, or they no longer count.

    Nothing is taken from the database but the envelope and the moment: every signature is checked again, against the
    key list of that moment, with the revocations known now.
    """
    try:
        return next(_standing(installation, of, affected, issuer), None)
    except SignatureRefused:
        return None


def _standing(installation: Installation, of: Digest, affected: int | None, issuer: str) -> Iterator[Verification]:
    """The recorded verifications of a document that still hold. Raises the last refusal where none does."""
    lists = {digest(keys): keys for keys in key_lists(installation, issuer=issuer)}
    refused: SignatureRefused | None = None
    holds = False
    for signed in installation.stores.documents.all(SignedDocument, subject=of):
        document, subject = _inside(signed)
        for recorded in _recorded(installation, signed.of_kind, subject):
            if recorded.envelope != digest(signed) or recorded.key_list not in lists:
                continue
            keys = keylist.with_revocations(lists[recorded.key_list], lists.values())
            try:
                found = verify(signed, keys, at=recorded.at, affected=_affected(document, affected))
            except SignatureRefused as refusal:
                refused = refusal
                continue
            if not _in_ledger(installation, recorded):
                refused = _not_in_ledger(recorded)
                continue
            holds = True
            yield replace(found, key_list=recorded.key_list)
    if refused is not None and not holds:
        raise refused


def _not_in_ledger(recorded: Verification) -> SignatureRefused:
    day = recorded.at.date().isoformat()
    return SignatureRefused(
        Text(
            f"the ledger does not say that it was recorded on {day}",
            f"le registre ne dit pas qu'il a été consigné le {day}",
        ),
        remedy=Text(
            "Somebody changed the database. Run 'proscribe ledger check', and restore it from a backup.",
            "La base de données a été modifiée. Lancez «\u00a0proscribe ledger check\u00a0», puis restaurez-la à "
            "partir d'une sauvegarde.",
        ),
    )


def _refuse_expired(installation: Installation, keys: KeyList) -> None:
    if installation.clock.now() >= utc(keys.expires):
        raise KeyListExpired(
            Text(
                f"the key list {keys.version} has expired",
                f"la liste de clés {keys.version} a expiré",
            ),
            remedy=Text(
                "Install its successor; without it, a revocation could have been withheld.",
                "Installez la suivante; sans elle, une révocation pourrait avoir été retenue.",
            ),
        )


def refuse_expired(installation: Installation, found: Verification, issuers: Sequence[str]) -> None:
    """Raises KeyListExpired where the list in force of the issuer whose list was used has run out."""
    for issuer in issuers:
        if found.key_list in accepted_from(installation, issuer):
            _refuse_expired(installation, needed(installation, issuer=issuer))
            return


def require(
    installation: Installation, of: Digest, kind: str, *, affected: int | None = None, issuer: str = OWN
) -> Verification | None:
    """Ask that a document is signed where the key list says so.

    None where no key list is installed, or it has no rule for the kind. Raises NotSigned, or KeyListExpired.
    """
    keys = key_list(installation, issuer=issuer)
    if keys is None or rule_for(keys, kind, affected) is None:
        return None
    _refuse_expired(installation, keys)
    why = Text("no signature was recorded", "aucune signature n'a été consignée")
    try:
        found = next(_standing(installation, of, affected, issuer), None)
    except SignatureRefused as refusal:
        found, why = None, refusal.what
    if found is None or found.of_kind != kind:
        raise NotSigned(
            Text(
                f"{kind} {of[:19]}… is not signed as the key list asks: {why.en}",
                f"{kind} {of[:19]}… n'est pas signé comme l'exige la liste de clés\u00a0: {why.fr}",
            ),
            remedy=Text(
                "Have it signed ('proscribe sign') and record it ('proscribe verify FILE --record').",
                "Faites-le signer (« proscribe sign ») et consignez-le (« proscribe verify FICHIER --record »).",
            ),
        )
    return found
