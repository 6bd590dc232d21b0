"""What a second party does with the heads of a log: hold on to one, and judge the next against it.

A witness needs no access to the ledger. It keeps the newest head, asks for a consistency proof with every later one,
and answers one question: does the new ledger begin with the old one?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from proscribe.canonical import canonical_bytes
from proscribe.documents import read
from proscribe.errors import InvalidDocument
from proscribe.prove.heads import check_head
from proscribe.prove.ledger import leaf_hash_of, verify_consistency, verify_inclusion
from proscribe.prove.model import HeadProof, ProvenEntry, SignedTreeHead
from proscribe.text import Text, number


class Contradiction(StrEnum):
    """How a later head of a log fails to fit an earlier one."""

    not_signed = "not_signed"  # one of the two is malformed, or its log did not sign it: it convicts nobody
    other_log = "other_log"
    back_in_time = "back_in_time"  # older than the one known: it may have come late, or again
    truncated = "truncated"  # signed later, of fewer entries
    forked = "forked"  # of the same size with another root, or its proof does not hold
    unproven = "unproven"  # it grew, and no proof was given that it only grew

    @property
    def convicts(self) -> bool:
        """Whether the log broke its promise; anything else asks for another head, or for the proof."""
        return self in (Contradiction.truncated, Contradiction.forked)


def contradiction(old: SignedTreeHead, new: SignedTreeHead, proof: Sequence[str] = ()) -> Contradiction | None:
    """How ``new`` fails to follow ``old``; None where it does. ``proof`` is the consistency proof, in hex.

    The same size needs no proof, and neither does growth from nothing.
    """
    if not (check_head(old) and check_head(new)):
        return Contradiction.not_signed
    if old.log != new.log:
        return Contradiction.other_log
    if new.size == old.size and new.root != old.root:
        return Contradiction.forked
    if new.at < old.at or (new.at == old.at and new.size < old.size):
        return Contradiction.back_in_time
    if new.size < old.size:
        return Contradiction.truncated
    return None if old.size in (0, new.size) else _growth(old, new, proof)


def _growth(old: SignedTreeHead, new: SignedTreeHead, proof: Sequence[str]) -> Contradiction | None:
    if not proof:
        return Contradiction.unproven
    try:
        path = tuple(bytes.fromhex(part) for part in proof)
    except ValueError:
        return Contradiction.forked
    proven = verify_consistency(old.size, new.size, bytes.fromhex(old.root), bytes.fromhex(new.root), path)
    return None if proven else Contradiction.forked


def compare(old: SignedTreeHead, new: SignedTreeHead, proof: Sequence[str] = ()) -> Text | None:
    """What is wrong with ``new`` after ``old``, in words; None where the log only grew."""
    found = contradiction(old, new, proof)
    return None if found is None else in_words(found, old, new)


def in_words(found: Contradiction, old: SignedTreeHead, new: SignedTreeHead) -> Text:
    """A contradiction between two heads, in words."""
    before, after = number(old.size), number(new.size)
    return {
        Contradiction.not_signed: Text(
            "not signed: the signature of a head does not fit", "non signé : la signature d'une tête ne concorde pas"
        ),
        Contradiction.other_log: Text(
            f"another log: {new.log[:16]} instead of {old.log[:16]}",
            f"un autre registre : {new.log[:16]} au lieu de {old.log[:16]}",
        ),
        Contradiction.back_in_time: Text(
            f"back in time: dated {new.at.isoformat()}; a head of {old.at.isoformat()} is known",
            f"retour en arrière : en date du {new.at.isoformat()}; une tête du {old.at.isoformat()} est connue",
        ),
        Contradiction.truncated: Text(
            f"truncated: {after.en} entries, after there were {before.en}",
            f"tronqué : {after.fr} entrées, alors qu'il y en avait {before.fr}",
        ),
        Contradiction.forked: Text(
            f"forked: it does not begin with the {before.en} entries known, or its proof is of something else",
            f"divergent : il ne commence pas par les {before.fr} entrées connues, ou sa preuve porte sur autre chose",
        ),
        Contradiction.unproven: Text(
            f"unproven: no proof that the {after.en} entries begin with the {before.en} known",
            f"non prouvé : rien ne montre que les {after.fr} entrées commencent par les {before.fr} connues",
        ),
    }[found]


def read_proof(path: Path) -> HeadProof:
    """A head with its proof, or a head alone, from a file. Raises UnreadableFile or InvalidDocument."""
    try:
        return read(HeadProof, path)
    except InvalidDocument as error:
        if error.where.field != "kind":
            raise
    return HeadProof(head=read(SignedTreeHead, path))


def proof_faults(proof: HeadProof) -> Iterator[Text]:
    """What does not hold in a proof: the head's signature, its growth since the earlier head, each entry."""
    if not check_head(proof.head):
        yield in_words(Contradiction.not_signed, proof.head, proof.head)
        return
    if proof.since is not None and (wrong := compare(proof.since, proof.head, proof.consistency)):
        yield wrong
    for one in proof.entries:
        if not _included(one, proof.head):
            index = one.entry.get("index")
            yield Text(
                f"entry {index} is not in the ledger of this head",
                f"l'entrée {index} n'est pas dans le registre de cette tête",
            )


def _included(proven: ProvenEntry, head: SignedTreeHead) -> bool:
    index = proven.entry.get("index")
    try:
        leaf = leaf_hash_of(canonical_bytes(proven.entry))
        path = [bytes.fromhex(part) for part in proven.path]
    except (ValueError, RecursionError):  # not hexadecimal, a number that JSON cannot carry, nested too deeply
        return False
    return type(index) is int and verify_inclusion(leaf, index, head.size, path, bytes.fromhex(head.root))
