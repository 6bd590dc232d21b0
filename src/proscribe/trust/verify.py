"""Checking a signed document against a key list: who signed, what each signature is worth, and whether it is enough.

A seat counts once, however many keys it has. Who prepared the document never counts. A signature that does not fit the
bytes is never passed over, even where the others would do: somebody changed something.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from proscribe.canonical import Digest
from proscribe.clock import utc
from proscribe.documents import digest
from proscribe.text import Text, plural
from proscribe.trust import dsse, errors
from proscribe.trust.envelope import statement_of
from proscribe.trust.keylist import check_keys
from proscribe.trust.keys import fits
from proscribe.trust.model import (
    KeyList,
    PublicKey,
    Rule,
    Scheme,
    Signature,
    SignedDocument,
    Storage,
    Verification,
    Weight,
)
from proscribe.trust.words import WEIGHTS

_STRENGTH = {storage: place for place, storage in enumerate(Storage)}  # strongest first

# What is said when signatures are too few, and by which error: the first reason that occurs.
_REASONS: dict[Weight, type[errors.NotEnoughSignatures]] = {
    Weight.revoked: errors.KeyRevoked,
    Weight.author: errors.AuthorApproved,
    Weight.wrong_role: errors.WrongRole,
    Weight.expired: errors.KeyExpired,
    Weight.not_yet_valid: errors.KeyNotYetValid,
    Weight.not_quantum_safe: errors.NotQuantumSafe,
    Weight.unknown_key: errors.UnknownKey,
}


def rule_for(keys: KeyList, kind: str, affected: int | None = None) -> Rule | None:
    """The rule for a kind of document; None where the list has none.

    ``affected`` is how many devices change; where it is not known, a rule for "more than so many" applies.
    """
    fitting = [
        rule
        for rule in keys.rules
        if kind in rule.kinds and (rule.above is None or affected is None or affected > rule.above)
    ]
    return max(fitting, key=lambda rule: -1 if rule.above is None else rule.above, default=None)


def verify(signed: SignedDocument, keys: KeyList, *, at: datetime, affected: int | None = None) -> Verification:
    """Check a signed document as of ``at``.

    Raises a SignatureRefused (NoRule, KeyListExpired, BadSignature, NotEnoughSignatures and its subclasses, which say
    why), and what ``statement_of`` raises where it is not a signed document at all.
    """
    statement = statement_of(signed)
    return verify_sealed(
        dsse.open_envelope(signed.envelope),
        Subject(
            of=signed.of,
            kind=signed.of_kind,
            prepared_by=statement.prepared_by,
            affected=affected,
            envelope=digest(signed),
        ),
        keys,
        at=at,
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """What a signature is for: the document, its kind, who prepared it, and how many devices it changes."""

    of: Digest
    kind: str
    prepared_by: str
    affected: int | None = None
    envelope: Digest | None = None


def verify_sealed(opened: dsse.Sealed, subject: Subject, keys: KeyList, *, at: datetime) -> Verification:
    """As ``verify``, for an envelope of any payload type. The caller vouches that ``subject`` is what is inside."""
    check_keys(keys)
    moment = utc(at)
    rule = rule_for(keys, subject.kind, subject.affected)
    if rule is None:
        raise errors.NoRule(
            Text(
                f"the key list does not say who may sign {subject.kind}",
                f"la liste de clés ne dit pas qui peut signer {subject.kind}",
            ),
            remedy=Text(
                "Issue a key list with a rule for this kind of document.",
                "Publiez une liste de clés comportant une règle pour ce type de document.",
            ),
        )
    verification = Verification(
        of=subject.of,
        of_kind=subject.kind,
        prepared_by=subject.prepared_by,
        at=moment,
        key_list=digest(keys),
        key_list_version=keys.version,
        threshold=rule.threshold,
        signatures=weigh(opened, keys, rule, author=subject.prepared_by, at=moment),
        envelope=subject.envelope,
    )
    if moment >= utc(keys.expires):
        raise _list_expired(keys, verification)
    _judge(verification)
    return verification


def weigh(opened: dsse.Sealed, keys: KeyList, rule: Rule, *, author: str, at: datetime) -> tuple[Signature, ...]:
    """What each signature is worth under a rule, in the order of the envelope."""
    data = opened.signed_bytes()
    known = {key.id: key for key in keys.keys}
    weights = {
        one: _alone(known.get(one), signature, data, rule, author, at) for one, signature in opened.signatures.items()
    }
    valid = [known[one] for one, weight in weights.items() if weight is Weight.counted]
    for holder in {key.holder for key in valid}:
        weights.update(_seat([key for key in valid if key.holder == holder], rule))
    return tuple(_described(one, weight, known.get(one)) for one, weight in weights.items())


def _alone(key: PublicKey | None, signature: bytes, data: bytes, rule: Rule, author: str, at: datetime) -> Weight:
    """The weight of one signature, before the seats are put together."""
    if key is None:
        return Weight.unknown_key
    if not fits(key.public, signature, data):
        return Weight.bad
    return standing(key, at) or _allowed(key, rule, author)


def standing(key: PublicKey, at: datetime) -> Weight | None:
    """Why a key does not count at a moment; None where it does."""
    if key.revoked_at is not None and at >= utc(key.revoked_at):
        return Weight.revoked
    if at >= utc(key.valid_until):
        return Weight.expired
    return Weight.not_yet_valid if at < utc(key.valid_from) else None


def _allowed(key: PublicKey, rule: Rule, author: str) -> Weight:
    if not set(key.roles) & set(rule.roles):
        return Weight.wrong_role
    return Weight.author if key.holder == author else Weight.counted


def _seat(keys: list[PublicKey], rule: Rule) -> dict[str, Weight]:
    """The weights of the valid signatures of one seat: one counts, with the key that is kept best."""
    usable = [key for key in keys if key.scheme is Scheme.ml_dsa_65] if rule.quantum_safe else keys
    if not usable:
        return {key.id: Weight.not_quantum_safe for key in keys}
    best = min(usable, key=lambda key: (_STRENGTH[key.storage], key.id))
    return {key.id: Weight.counted if key is best else Weight.same_seat for key in keys}


def _described(key_id: str, weight: Weight, key: PublicKey | None) -> Signature:
    if key is None:
        return Signature(key=key_id, weight=weight)
    return Signature(key=key_id, weight=weight, holder=key.holder, scheme=key.scheme, storage=key.storage)


# --- the verdict


def seats(verification: Verification) -> Text:
    """``1 of 2 seats``."""
    counted = len(verification.holders)
    word = plural(counted, Text("seat", "siège"), Text("seats", "sièges"))
    return Text(
        f"{counted} of {verification.threshold} {'seat' if verification.threshold == 1 else 'seats'}",
        f"{word.fr} sur {verification.threshold}",
    )


def _judge(verification: Verification) -> None:
    weights = [one.weight for one in verification.signatures]
    if Weight.bad in weights:
        raise errors.BadSignature(
            _said(
                Text("a signature does not fit the document", "une signature ne correspond pas au document"),
                verification,
            ),
            remedy=Text(
                "The file was changed after it was signed. Get it again from whoever signed it.",
                "Le fichier a été modifié après la signature. Obtenez-le de nouveau auprès des signataires.",
            ),
            verification=verification,
        )
    if len(verification.holders) >= verification.threshold:
        return
    reason = next((one for one in _REASONS if one in weights), None)
    refusal = errors.NotEnoughSignatures if reason is None else _REASONS[reason]
    raise refusal(
        _said(Text("not enough signatures", "signatures insuffisantes"), verification),
        remedy=Text(
            "Have another seat sign with 'proscribe sign'; 'proscribe verify' shows what each signature is worth.",
            "Faites signer un autre siège avec « proscribe sign »; « proscribe verify » montre ce que vaut chaque "
            "signature.",
        ),
        verification=verification,
    )


def _said(what: Text, verification: Verification) -> Text:
    """The verdict, how many of how many seats, and why the other signatures do not count."""
    left = [one for one in verification.signatures if one.weight is not Weight.counted]
    why = _joined(Text(f"{_name(one)}: ", f"{_name(one)}\u00a0: ") + WEIGHTS[one.weight] for one in left)
    return Text(
        f"{what.en}: {seats(verification).en}{why.en}",
        f"{what.fr}\u00a0: {seats(verification).fr}{why.fr}",
    )


def _joined(parts: Iterable[Text]) -> Text:
    listed = list(parts)
    if not listed:
        return Text("", "")
    return Text(
        f" ({'; '.join(part.en for part in listed)})",
        f" ({'; '.join(part.fr for part in listed)})",
    )


def _name(signature: Signature) -> str:
    return signature.holder or signature.key[:16]


def _list_expired(keys: KeyList, verification: Verification) -> errors.KeyListExpired:
    day = utc(keys.expires).date().isoformat()
    return errors.KeyListExpired(
        Text(
            f"the key list {keys.version} expired on {day}: {seats(verification).en}",
            f"la liste de clés {keys.version} a expiré le {day}\u00a0: {seats(verification).fr}",
        ),
        remedy=Text(
            "Issue and install its successor; who withholds it could be hiding a revocation.",
            "Publiez et installez la liste suivante; quiconque la retient pourrait cacher une révocation.",
        ),
        verification=verification,
    )
