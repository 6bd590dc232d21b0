"""The re-check: entries of a department's ledger, drawn by the authority after the department attested to it.

Who invents a ledger afterwards has to invent all of it, and consistently, before the attestation. The indexes come
from the operating system's random source; a department cannot foresee them and cannot choose.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from proscribe.clock import utc
from proscribe.documents import digest, from_json, to_json
from proscribe.errors import ProscribeError
from proscribe.feed.model import AnsweredEntry, Attestation, Challenge, ChallengeAnswer, ChallengeResult
from proscribe.prove.ledger import leaf_hash, verify_inclusion
from proscribe.prove.model import EntryKind, InclusionProof, LedgerEntry
from proscribe.text import Text, number

_COUNTING = frozenset(
    {EntryKind.observation, EntryKind.outcomes, EntryKind.drift, EntryKind.exemption, EntryKind.hold, EntryKind.lift}
)
"""Entries whose numbers are numbers of devices."""


def draw(attestation: Attestation, *, entries: int, at: datetime, due: date) -> Challenge:
    """Ask for ``entries`` random entries of the ledger attested to; for all of them where it has fewer."""
    size = attestation.tree_head.size
    chosen = secrets.SystemRandom().sample(range(size), min(entries, size))
    return Challenge(
        department=attestation.department,
        directive=attestation.directive,
        attestation=digest(attestation),
        tree_head=attestation.tree_head,
        indexes=tuple(sorted(chosen)),
        at=at,
        due=due,
    )


def check(challenge: Challenge, answer: ChallengeAnswer, *, at: datetime) -> ChallengeResult:
    """What an answer is worth. Every entry asked for must be there, once, in place, proven and well formed."""
    wrong = tuple(_faults(challenge, answer))
    withheld = sum(one.entry is None for one in answer.entries)
    return ChallengeResult(
        department=challenge.department,
        directive=challenge.directive,
        challenge=digest(challenge),
        answer=digest(answer),
        at=at,
        asked=len(challenge.indexes),
        shown=len(answer.entries) - withheld,
        withheld=withheld,
        wrong=wrong,
    )


def _faults(challenge: Challenge, answer: ChallengeAnswer) -> Iterator[Text]:
    if answer.department != challenge.department or answer.challenge != digest(challenge):
        yield Text("it answers another challenge", "elle répond à une autre demande")
    given = tuple(one.proof.index for one in answer.entries)
    for index in challenge.indexes:
        if given.count(index) != 1:
            yield Text(
                f"entry {index} is given {number(given.count(index)).en} times",
                f"l'entrée {index} y figure {number(given.count(index)).fr} fois",
            )
    for index in sorted(set(given) - set(challenge.indexes)):
        yield Text(f"entry {index} was not asked for", f"l'entrée {index} n'était pas demandée")
    for one in answer.entries:
        if not _proven(challenge, one):
            yield Text(
                f"entry {one.proof.index} is not in the ledger attested to",
                f"l'entrée {one.proof.index} n'est pas dans le registre attesté",
            )
    yield from _entries(challenge, answer.entries)


def _proven(challenge: Challenge, one: AnsweredEntry) -> bool:
    """Whether the leaf is entry ``index`` of the ledger attested to."""
    try:
        leaf, root = bytes.fromhex(one.leaf), bytes.fromhex(challenge.tree_head.root)
        path = tuple(bytes.fromhex(part) for part in one.proof.path)
    except ValueError:
        return False
    return verify_inclusion(leaf, one.proof.index, challenge.tree_head.size, path, root)


def _entries(challenge: Challenge, answered: Iterable[AnsweredEntry]) -> Iterator[Text]:
    """Whether what is shown are the entries behind the leaves, in an order in which they can have been written."""
    last: datetime | None = None
    for one in sorted(answered, key=lambda each: each.proof.index):
        if one.entry is None:
            continue
        entry = _entry(one.entry)
        if entry is None or entry.index != one.proof.index or leaf_hash(entry).hex() != one.leaf:
            yield Text(
                f"what is shown as entry {one.proof.index} is not what was recorded",
                f"ce qui est présenté comme l'entrée {one.proof.index} n'est pas ce qui a été consigné",
            )
            continue
        if utc(entry.at) > utc(challenge.tree_head.at) or (last is not None and utc(entry.at) < last):
            yield Text(
                f"entry {entry.index} is dated {entry.at:%Y-%m-%d %H:%M}, which its place in the ledger rules out",
                f"l'entrée {entry.index} porte la date {entry.at:%Y-%m-%d %H:%M}, que sa place au registre exclut",
            )
        last = utc(entry.at) if last is None else max(last, utc(entry.at))


def _entry(body: Mapping[str, Any]) -> LedgerEntry | None:
    try:
        entry = from_json(LedgerEntry, body)
        return entry if to_json(entry) == body else None
    except ProscribeError:
        return None


def may_be_shown(entry: LedgerEntry, floor: int) -> bool:
    """Whether an entry counts no group of devices below the floor: the attestation put those together."""
    return entry.entry not in _COUNTING or not _counts_few(entry.body, floor)


def _counts_few(value: Any, floor: int) -> bool:
    if isinstance(value, dict):
        return any(_counts_few(part, floor) for part in value.values())
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < floor


def answered(index: int, leaf: bytes, path: Iterable[bytes], entry: LedgerEntry | None) -> AnsweredEntry:
    """One entry with its proof. ``entry`` None: it is not for other eyes, and its leaf hash alone is given."""
    return AnsweredEntry(
        proof=InclusionProof(index=index, path=tuple(part.hex() for part in path)),
        leaf=leaf.hex(),
        entry=None if entry is None else to_json(entry),
    )
