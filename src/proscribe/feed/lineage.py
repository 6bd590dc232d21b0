"""Whether the ledger behind a department's papers is one ledger that only grew.

Each paper carries a signed tree head, names the head given before it, and proves that the new one begins with it. Two
signed heads that do not fit together convict the department by its own signatures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from proscribe.clock import utc
from proscribe.feed.model import Acknowledgement, Attestation
from proscribe.feed.papers import Papers
from proscribe.prove.heads import check_head
from proscribe.prove.model import SignedTreeHead
from proscribe.prove.witness import Contradiction, contradiction, in_words
from proscribe.text import Text, number


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain of heads breaks. ``forked``: by what the department signed itself."""

    what: Text
    forked: bool


@dataclass(frozen=True, slots=True)
class _Link:
    head: SignedTreeHead
    since: SignedTreeHead | None
    proof: tuple[str, ...]


def breaks(papers: Papers) -> tuple[Break, ...]:
    """Every break of the chain, each in one sentence."""
    links = _links(papers)
    return (*_chain(links), *_same_size(papers, links), *_others(papers))


def _links(papers: Papers) -> list[_Link]:
    """By the log's own dates: papers may arrive in another order than they were sent in."""
    given: list[Acknowledgement | Attestation] = [received.document for received in papers.acknowledgements]
    given += [received.document for received in papers.attestations]
    links = [_Link(one.tree_head, one.since, one.consistency) for one in given if one.tree_head is not None]
    return sorted(links, key=lambda link: (utc(link.head.at), link.head.size, link.since == link.head))


def _chain(links: list[_Link]) -> Iterator[Break]:
    for at, link in enumerate(links):
        if not check_head(link.head):
            yield Break(_unsigned(), forked=False)
        elif at == 0:
            if link.since is not None:
                yield Break(_unknown_since(), forked=False)
        else:
            yield from _follows(link, [one.head for one in links[:at]])


def _follows(link: _Link, before: list[SignedTreeHead]) -> Iterator[Break]:
    """Whether a paper goes on from the head that was given last."""
    held = before[-1]
    found = contradiction(held, link.head, link.proof)
    judged = link.since == held or link.head.size <= held.size  # else the proof is about two other heads
    if found is Contradiction.other_log or (found is not None and judged):
        forked = found.convicts or found is Contradiction.other_log
        yield Break(_ledger(in_words(found, held, link.head)), forked=forked)
    elif link.since == held:
        return
    elif link.since is None or link.since in before:
        # Its own signature says that an older head was the last it gave; its own signature says that it was not.
        yield Break(_left_out(held, link.since), forked=True)
    else:
        yield Break(_unknown_since(), forked=False)


def _same_size(papers: Papers, links: list[_Link]) -> Iterator[Break]:
    """Any two heads of one size must be one head, wherever they were given; and there is one log."""
    given = [link.head for link in links]
    every = [head for head in (*given, *papers.elsewhere) if check_head(head)]
    seen: set[tuple[str, str]] = set()
    for first, second in combinations(every, 2):
        pair = (min(first.root, second.root), max(first.root, second.root))
        if first in given and second in given and abs(given.index(first) - given.index(second)) == 1:
            continue  # neighbours in the chain: judged there
        if first.size == second.size and first.root != second.root and first.log == second.log and pair not in seen:
            seen.add(pair)
            yield Break(_ledger(in_words(Contradiction.forked, first, second)), forked=True)
    logs = {head.log for head in given}
    for head in papers.elsewhere:
        if logs and head.log not in logs:
            yield Break(_ledger(in_words(Contradiction.other_log, given[0], head)), forked=True)
            return


def _ledger(what: Text) -> Text:
    return Text("ledger ", "registre ") + what


def _others(papers: Papers) -> Iterator[Break]:
    """Heads are published: whoever shows those of another as its own has no ledger to show."""
    for owner in papers.ledger_of:
        yield Break(_borrowed(owner), forked=False)


def _borrowed(owner: str) -> Text:
    return Text(
        f"its ledger is the one that {owner} showed before", f"son registre est celui que {owner} a déjà montré"
    )


def _unsigned() -> Text:
    return Text("a tree head is not signed by its log", "une tête d'arbre n'est pas signée par son registre")


def _unknown_since() -> Text:
    return Text(
        "its ledger goes on from a head that never came here",
        "son registre part d'une tête qui n'est jamais parvenue ici",
    )


def _left_out(held: SignedTreeHead, since: SignedTreeHead | None) -> Text:
    shown = number(held.size)
    if since is None:
        return Text(
            f"ledger starts anew, though {shown.en} entries of it were shown on {held.at:%Y-%m-%d}",
            f"registre recommencé, alors que {shown.fr} entrées ont été montrées le {held.at:%Y-%m-%d}",
        )
    return Text(
        f"ledger goes on from {number(since.size).en} entries, though {shown.en} were shown on {held.at:%Y-%m-%d}",
        f"registre repris à {number(since.size).fr} entrées, alors que {shown.fr} ont été montrées le "
        f"{held.at:%Y-%m-%d}",
    )
