"""Where every department stands under one directive, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from proscribe.enforce.model import Outcome
from proscribe.feed.consistency import contradictions
from proscribe.feed.lineage import breaks
from proscribe.feed.model import DepartmentRow, DepartmentStanding, Rollup
from proscribe.feed.papers import Papers, Terms
from proscribe.text import Text


def roll_up(papers: Iterable[Papers], terms: Terms) -> Rollup:
    """The standing of every department, worst first, then by name."""
    order = list(DepartmentStanding)
    rows = sorted((row(one, terms) for one in papers), key=lambda one: (order.index(one.standing), one.department))
    standings = Counter(one.standing for one in rows)
    outcomes: Counter[Outcome] = Counter()
    for one in rows:
        outcomes.update(one.by_outcome)
    return Rollup(
        directive=terms.directive,
        directive_digest=terms.digest,
        at=terms.now,
        acknowledge_by=terms.acknowledge_by,
        attest_by=terms.attest_by,
        rows=tuple(rows),
        standings={standing: standings[standing] for standing in DepartmentStanding if standings[standing]},
        by_outcome={outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
        together=sum(one.together for one in rows),
    )


def row(papers: Papers, terms: Terms) -> DepartmentRow:
    """Where one department stands, and why."""
    standing, why = _standing(papers, terms)
    newest = papers.newest
    return DepartmentRow(
        department=papers.department,
        standing=standing,
        why=why,
        acknowledged_at=papers.acknowledgements[0].at if papers.acknowledgements else None,
        attested_at=papers.attestations[-1].at if papers.attestations else None,
        attestations=len(papers.attestations),
        devices=newest.devices if newest else None,
        by_outcome=dict(newest.by_outcome) if newest else {},
        unmanaged=_unmanaged(papers),
        exempt=newest.by_outcome.get(Outcome.exempt, 0) if newest else 0,
        together=newest.together if newest else 0,
        rechecked_at=papers.results[-1].at if papers.results else None,
    )


def _unmanaged(papers: Papers) -> int | None:
    if papers.newest is not None:
        return papers.newest.unmanaged
    return papers.declared.unmanaged if papers.declared is not None else None


def _standing(papers: Papers, terms: Terms) -> tuple[DepartmentStanding, tuple[Text, ...]]:
    found = breaks(papers)
    wrong = (*(one.what for one in found), *contradictions(papers, terms))
    if wrong:
        forked = any(one.forked for one in found)
        return (DepartmentStanding.forked if forked else DepartmentStanding.inconsistent), wrong
    if papers.silent:
        return _nothing_came(terms)
    lacks = tuple(_lacking(papers, terms))
    late = tuple(text for text, over in lacks if over)
    if late:
        return DepartmentStanding.overdue, late
    why = tuple(text for text, _ in lacks)
    if not why:
        return DepartmentStanding.attested, ()
    acting = papers.attestations or _ledger_moved_on(papers)
    return (DepartmentStanding.acting if acting else DepartmentStanding.acknowledged), why


def _nothing_came(terms: Terms) -> tuple[DepartmentStanding, tuple[Text, ...]]:
    if terms.over(terms.acknowledge_by):
        return DepartmentStanding.silent, (Text("nothing received", "rien reçu"),)
    return DepartmentStanding.waiting, ()


def _lacking(papers: Papers, terms: Terms) -> Iterator[tuple[Text, bool]]:
    """What is still to come from a department that answered, and whether it is late."""
    declared, newest = papers.declared, papers.newest
    if declared is None:
        yield (
            Text(
                "not acknowledged: what it answers for is not known",
                "aucun accusé de réception\u00a0: on ignore de quoi il répond",
            ),
            terms.over(terms.acknowledge_by),
        )
    elif declared.directive_digest != terms.digest:
        yield (
            Text("acknowledged another version of the directive", "son accusé de réception vise une autre version"),
            terms.over(terms.acknowledge_by),
        )
    if newest is None:
        yield Text("no attestation yet", "aucune attestation pour l'instant"), terms.over(terms.attest_by)
    elif newest.directive_digest != terms.digest:
        yield (
            Text("attested to another version of the directive", "a attesté une autre version de la directive"),
            terms.over(terms.attest_by),
        )
    for challenge in papers.open_challenges():
        if terms.over(challenge.due):  # before that day nothing is lacking
            yield (
                Text(
                    f"the re-check due {challenge.due} is not answered",
                    f"la revérification due le {challenge.due} est sans réponse",
                ),
                True,
            )


def _ledger_moved_on(papers: Papers) -> bool:
    """Whether a head of its ledger came that is newer than what it acknowledged with."""
    first = papers.declared.tree_head if papers.declared is not None else None
    return first is not None and any(head.size > first.size for head in papers.elsewhere)
