"""Key lists: what makes one sound, the first one, and the succession from one to the next.

The first is accepted because its digest was given by another way (a pin). Every later one is signed by the seats of the
one before it, by that one's own rule, and by its own seats, by its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

from proscribe.canonical import Digest
from proscribe.clock import utc
from proscribe.documents import digest
from proscribe.text import Text
from proscribe.trust import errors
from proscribe.trust.envelope import check_seat, document_of
from proscribe.trust.keys import key_id, normal_pem, scheme_of
from proscribe.trust.model import KeyList, PublicKey, Rule, Scheme, SignedDocument


def first(signed: SignedDocument, *, pin: Digest, at: datetime) -> KeyList:
    """The first key list. Raises WrongPin, InvalidKeyList, or SignatureRefused where its own seats did not sign it."""
    from proscribe.trust.verify import verify

    keys = document_of(signed, KeyList)
    check_keys(keys)
    _raise(keys, list(_list_faults(keys)))
    if digest(keys) != pin:
        raise errors.WrongPin(
            Text(
                f"this key list is {digest(keys)}, and {pin} was expected",
                f"cette liste de clés est {digest(keys)}; {pin} était attendue",
            ),
            remedy=Text(
                "Get the digest from the issuer by another way than the file, and the file again.",
                "Obtenez l'empreinte auprès de l'émetteur par une autre voie que le fichier, puis de nouveau le "
                "fichier.",
            ),
        )
    verify(signed, keys, at=at)
    return keys


def successor(current: KeyList, signed: SignedDocument, *, at: datetime) -> KeyList:
    """The key list that follows ``current``.

    Raises KeyListRolledBack, KeyListSkipped, RevocationTakenBack, KeyListReplaced (the seats of the present list did
    not sign it) or InvalidKeyList, or SignatureRefused where its own seats did not.
    """
    from proscribe.trust.verify import verify

    keys = document_of(signed, KeyList)
    check_keys(keys)
    _raise(keys, list(_list_faults(keys)))
    _follows(current, keys)
    _keeps_revocations(current, keys)
    try:
        verify(signed, _open_ended(current), at=at)
    except errors.SignatureRefused as refusal:
        raise errors.KeyListReplaced(
            Text(
                f"the seats of key list {current.version} did not sign this successor: {refusal.what.en}",
                f"les sièges de la liste de clés {current.version} n'ont pas signé la suivante\u00a0: "
                f"{refusal.what.fr}",
            ),
            remedy=Text(
                "Have it signed by the seats of the present list; from a stranger, accept none.",
                "Faites-la signer par les sièges de la liste en vigueur; n'en acceptez aucune d'un inconnu.",
            ),
        ) from refusal
    verify(signed, keys, at=at)
    return keys


def _open_ended(keys: KeyList) -> KeyList:
    """A list that has expired can still name its successor: its keys, which end by themselves, decide."""
    return replace(keys, expires=max([keys.expires, *(key.valid_until for key in keys.keys)], key=utc))


def _follows(current: KeyList, keys: KeyList) -> None:
    if keys.version <= current.version:
        raise errors.KeyListRolledBack(
            Text(
                f"key list {keys.version} does not come after {current.version}, which is in force",
                f"la liste de clés {keys.version} ne suit pas la {current.version}, en vigueur",
            ),
            remedy=Text(
                "Keep the present one; an older list could bring a revoked key back.",
                "Conservez celle en vigueur; une liste antérieure pourrait rétablir une clé révoquée.",
            ),
        )
    if keys.version > current.version + 1:
        raise errors.KeyListSkipped(
            Text(
                f"key list {keys.version} is not the one after {current.version}",
                f"la liste de clés {keys.version} n'est pas celle qui suit la {current.version}",
            ),
            remedy=Text(
                "Install the lists between them first, one after the other.",
                "Installez d'abord les listes intermédiaires, l'une après l'autre.",
            ),
        )


def _keeps_revocations(current: KeyList, keys: KeyList) -> None:
    later = {key.id: key.revoked_at for key in keys.keys}
    for key in current.keys:
        if key.revoked_at is None:
            continue
        still = later.get(key.id)
        if still is None or utc(still) > utc(key.revoked_at):
            raise _taken_back(key.holder)


def refuse_revived(lists: Iterable[KeyList], keys: KeyList) -> None:
    """Raises RevocationTakenBack where a list has a revoked key again as a good one; it may leave it out."""
    good = {key.id: key for key in keys.keys}
    for key in with_revocations(keys, lists).keys:
        present = good[key.id].revoked_at
        if key.revoked_at is not None and (present is None or utc(present) > utc(key.revoked_at)):
            raise _taken_back(key.holder)


def _taken_back(holder: str) -> errors.RevocationTakenBack:
    return errors.RevocationTakenBack(
        Text(
            f"the revocation of a key of {holder} is missing or moved to a later moment",
            f"la révocation d'une clé de {holder} manque ou est reportée",
        ),
        remedy=Text(
            "Keep every revoked key in the list with its moment; give the seat a new key.",
            "Conservez chaque clé révoquée dans la liste avec son moment; donnez au siège une nouvelle clé.",
        ),
    )


def with_revocations(keys: KeyList, lists: Iterable[KeyList]) -> KeyList:
    """A key list of the past with what has been revoked since, at the earliest moment that any list names."""
    revoked: dict[str, datetime] = {}
    for key in (key for one in lists for key in one.keys):
        if key.revoked_at is not None:
            revoked[key.id] = min(utc(key.revoked_at), revoked.get(key.id, utc(key.revoked_at)))
    return replace(keys, keys=tuple(replace(key, revoked_at=revoked.get(key.id)) for key in keys.keys))


# --- what makes a list sound


def check_list(keys: KeyList) -> None:
    """Whether a list is fit to be drawn up. Raises InvalidKeyList naming every fault, InvalidSeat or UnusableKey."""
    _raise(keys, [*_list_faults(keys), *_key_faults(keys), *_rule_faults(keys), *_reach_faults(keys)])


@lru_cache(maxsize=128)
def check_keys(keys: KeyList) -> None:
    """Whether a list says clearly whose key may do what. Raises as ``check_list``.

    That every rule can be met is no part of it: a revocation that leaves too few keys for some rule must still get
    through, and then nothing of that kind can be signed.
    """
    _raise(keys, [*_key_faults(keys), *_rule_faults(keys)])


def _raise(keys: KeyList, faults: list[Text]) -> None:
    if faults:
        raise errors.InvalidKeyList(
            Text(
                f"key list {keys.version}: {'; '.join(fault.en for fault in faults)}",
                f"liste de clés {keys.version}\u00a0: {'; '.join(fault.fr for fault in faults)}",
            ),
            remedy=Text(
                "Correct the list, and have it signed again.", "Corrigez la liste et faites-la signer de nouveau."
            ),
        )


def _list_faults(keys: KeyList) -> Iterator[Text]:
    if keys.version < 1:
        yield Text("versions begin with 1", "les versions commencent à 1")
    if utc(keys.issued) >= utc(keys.expires):
        yield Text("it expires before it is issued", "elle expire avant sa publication")
    if not any(KeyList.KIND in rule.kinds for rule in keys.rules):
        yield Text("no rule says who may sign its successor", "aucune règle ne dit qui peut signer la suivante")


def _key_faults(keys: KeyList) -> Iterator[Text]:
    seen: set[str] = set()
    for key in keys.keys:
        check_seat(key.holder)
        name = f"{key.holder} ({key.id[:16]})"
        if normal_pem(key.public) != key.public or key_id(key.public) != key.id or scheme_of(key.public) != key.scheme:
            yield Text(f"{name}: the key is another than is said", f"{name}\u00a0: la clé diffère de sa description")
        if key.id in seen:
            yield Text(f"{name}: the key is listed twice", f"{name}\u00a0: la clé figure deux fois")
        seen.add(key.id)
        if utc(key.valid_from) >= utc(key.valid_until):
            yield Text(f"{name}: it ends before it begins", f"{name}\u00a0: elle finit avant de commencer")


def _rule_faults(keys: KeyList) -> Iterator[Text]:
    for rule in keys.rules:
        if not rule.kinds or rule.threshold < 1 or (rule.above is not None and rule.above < 0):
            named = ", ".join(rule.kinds)
            yield Text(f"the rule for {named!r} asks for nothing", f"la règle pour « {named} » n'exige rien")
    yield from _order_faults(keys.rules)


def _reach_faults(keys: KeyList) -> Iterator[Text]:
    for rule in keys.rules:
        able = len(_able(keys, rule))
        if able < rule.threshold:
            named = ", ".join(rule.kinds)
            yield Text(
                f"the rule for {named} asks for {rule.threshold} seats and {able} could sign",
                f"la règle pour {named} exige {rule.threshold} sièges et {able} pourraient signer",
            )


def _able(keys: KeyList, rule: Rule) -> set[str]:
    """The seats that could sign under a rule when the list was issued or after."""
    needed = {Scheme.ml_dsa_65} if rule.quantum_safe else set(Scheme)
    return {
        key.holder
        for key in keys.keys
        if set(key.roles) & set(rule.roles) and key.scheme in needed and _usable(key, keys)
    }


def _usable(key: PublicKey, keys: KeyList) -> bool:
    return utc(key.valid_until) > utc(keys.issued) and key.revoked_at is None


def _order_faults(rules: tuple[Rule, ...]) -> Iterator[Text]:
    """More devices never need fewer seats, and no two rules are for the same thing."""
    for kind in sorted({kind for rule in rules for kind in rule.kinds}):
        ordered = sorted((rule for rule in rules if kind in rule.kinds), key=_above)
        for lower, higher in pairwise(ordered):
            if _above(lower) == _above(higher):
                yield Text(f"two rules are for {kind}", f"deux règles visent {kind}")
            elif higher.threshold < lower.threshold or (lower.quantum_safe and not higher.quantum_safe):
                yield Text(
                    f"the rule for more devices is the weaker one ({kind})",
                    f"la règle visant plus d'appareils est la plus faible ({kind})",
                )


def _above(rule: Rule) -> int:
    return -1 if rule.above is None else rule.above
