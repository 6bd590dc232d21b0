"""Every piece of evidence of a report, looked up again in the file. It trusts nothing that the report says.

Evidence is made from facts in one way only (``rate.evidence``), so looking an item up means to make all evidence of the
file anew and see whether the very same item is among it: another offset, digest, subject or literal is another item.
Given packs and rubric of the same digests, each item must belong to its own finding, and what is not shown is counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from proscribe import documents
from proscribe.assess.gathered import Gathered
from proscribe.assess.model import Assessment, Recheck, RecheckItem, RecheckState
from proscribe.assess.packs.library import Packs
from proscribe.assess.profile import Evidence, EvidenceKind, Finding
from proscribe.assess.rate.evidence import Collected, Maker, everything
from proscribe.assess.rate.judge import collect
from proscribe.assess.rate.rubric import Rubric, load_rubric, reference
from proscribe.assess.terms import Ladder
from proscribe.canonical import Digest
from proscribe.text import Text, number

SDK = "sdk:"
"""Before an SDK's id, where the evidence of its presence is named like a finding."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """One thing to look up. ``number`` 0: what the report says of a finding as a whole."""

    finding: str
    number: int
    evidence: Evidence


def recheck(
    report: Assessment,
    gathered: Gathered,
    packs: Packs | None = None,
    rubric: Rubric | None = None,
    *,
    digest: Digest | None = None,
) -> Recheck:
    """Verify a report against facts freshly read from a file.

    ``packs`` and ``rubric`` (the shipped one where left out) serve to make the findings anew: each item must then
    belong to its own finding, and evidence beyond what is shown is counted. Without packs, or with others than the
    report names, such counts are ``not_checkable``. ``digest``: of the report's bytes as they were given; computed
    where it is left out. Only what does not hold is listed, in the order of the report.
    """
    anew = _anew(report, gathered, packs, rubric)
    file = _File(gathered, anew, {(one.id, one.digest.removeprefix("sha256:")) for one in report.observations})
    items = [file.look_up(claim) for claim in _claims(report)]
    items += _counts(report, anew)
    states = [item.state for item in items]
    return Recheck(
        report=digest or documents.digest(report),
        package=gathered.package.sha256,
        same_file=report.package.sha256 == gathered.package.sha256,
        checked=len(items),
        held=states.count(RecheckState.holds),
        failed=states.count(RecheckState.fails),
        not_checkable=states.count(RecheckState.not_checkable),
        items=tuple(item for item in items if item.state is not RecheckState.holds),
    )


def _claims(report: Assessment) -> Iterator[_Claim]:
    for finding in report.findings:
        yield from (_Claim(finding.id, place, item) for place, item in enumerate(finding.evidence, start=1))
    for sdk in report.sdks:
        yield from (_Claim(SDK + sdk.id, place, item) for place, item in enumerate(sdk.evidence, start=1))


class _File:
    """All evidence that a file gives, with what is near to an item that it does not give."""

    def __init__(self, gathered: Gathered, anew: Anew | None, observations: set[tuple[str, str]]) -> None:
        self._observations = observations
        self._maker = Maker(gathered)
        self._all = everything(gathered)
        self._near: dict[tuple[EvidenceKind, str], list[Evidence]] = defaultdict(list)
        for item in self._all:
            self._near[item.kind, item.subject].append(item)
        self._told: set[_Claim] = set()
        self._own = {name: frozenset(one.evidence) for name, one in (anew or {}).items()}

    def look_up(self, claim: _Claim) -> RecheckItem:
        """Whether the file gives this very item, and only once for each finding."""
        item = claim.evidence
        if item.kind is EvidenceKind.observed:
            return self._observed(claim)
        once = replace(claim, number=0)
        if once in self._told:
            return _item(claim, RecheckState.fails, _TWICE)
        self._told.add(once)
        own = self._own.get(claim.finding)
        if own is not None and item not in own and item in self._all:
            return _item(claim, RecheckState.fails, _NOT_ITS_OWN)
        if item.kind is EvidenceKind.class_prefix:
            actual = self._maker.class_prefix(item.subject)
            held = item == actual and actual.detail != "0"
            near = [] if actual.detail == "0" else [actual]
        else:
            held = item in self._all
            near = self._near.get((item.kind, item.subject), [])
        return _item(claim, RecheckState.holds, _HOLDS) if held else _item(claim, RecheckState.fails, _why(item, near))

    def _observed(self, claim: _Claim) -> RecheckItem:
        """What a file cannot show; but the report must name the document, and the item be of its own finding."""
        item = claim.evidence
        own = item.subject == claim.finding.partition("@")[0] and not item.caller and item.offset < 0
        if own and (item.member, item.sha256) in self._observations:
            return _item(claim, RecheckState.not_checkable, _OBSERVED)
        return _item(claim, RecheckState.fails, _NO_DOCUMENT)


def _item(claim: _Claim, state: RecheckState, why: Text) -> RecheckItem:
    return RecheckItem(claim.finding, claim.number, state, claim.evidence, why)


_HOLDS = Text("The file shows it.", "Le fichier le montre.")
_TWICE = Text("The same place stands twice in this finding.", "Le même endroit figure deux fois dans ce constat.")
_OBSERVED = Text(
    "Observed at run time: a file cannot show it.", "Observé à l'exécution\u00a0: un fichier ne peut le montrer."
)
_NO_DOCUMENT = Text(
    "It is called an observation, but the report names no document of observations.",
    "C'est présenté comme une observation, mais le rapport ne nomme aucun document d'observations.",
)

_FIELDS: tuple[tuple[str, Text], ...] = (
    ("sha256", Text("digest", "empreinte")),
    ("offset", Text("offset", "décalage")),
    ("detail", Text("detail", "détail")),
    ("caller", Text("caller", "appelant")),
    ("member", Text("file in the package", "fichier du paquet")),
)


def _why(item: Evidence, near: Sequence[Evidence]) -> Text:
    """Which one field differs from what the file has; else that there is no such thing."""
    for name, label in _FIELDS:
        found = sorted({getattr(one, name) for one in near if _but(one, name) == _but(item, name)})
        if found:
            actual = ", ".join(map(str, found[:5]))
            stated = getattr(item, name)
            return Text(
                f"Another {label.en}: the report says {stated}, the file {actual}.",
                f"Autre valeur ({label.fr})\u00a0: le rapport indique {stated}, le fichier {actual}.",
            )
    if near:
        return Text("It is in the file, but not at this place.", "C'est dans le fichier, mais pas à cet endroit.")
    return Text("The file has no such thing.", "Le fichier ne contient rien de tel.")


def _but(item: Evidence, name: str) -> tuple[object, ...]:
    """An item without one field."""
    return tuple(getattr(item, field.name) for field in fields(item) if field.name != name)


# ---- findings as a whole -------------------------------------------------------------------------------------------


Anew = Mapping[str, Collected]
"""The findings that the file gives, by id."""


def _anew(report: Assessment, gathered: Gathered, packs: Packs | None, rubric: Rubric | None) -> Anew | None:
    if packs is None or packs.references != report.packs:
        return None
    rubric = rubric or load_rubric()
    if reference(rubric) != report.rubric:
        return None
    return {one.finding.id: one for one in collect(gathered, packs, rubric)}


def _counts(report: Assessment, anew: Anew | None) -> list[RecheckItem]:
    """How much evidence each finding has in all, and whether the report left findings out."""
    if anew is None:
        return [item for finding in report.findings if (item := _shown_count(finding)) is not None]
    items = [_whole(finding, anew.get(finding.id)) for finding in report.findings]
    stated = {finding.id for finding in report.findings}
    return items + [_left_out(one.finding) for name, one in anew.items() if name not in stated]


def _shown_count(finding: Finding) -> RecheckItem | None:
    """Without packs: a finding that shows all of its evidence can be counted, another cannot."""
    total, shown = finding.evidence_total, len(finding.evidence)
    if total == shown:
        return None
    claim = _Claim(finding.id, 0, _of_finding(finding))
    if total < shown:
        return _item(claim, RecheckState.fails, _miscounted(total, shown))
    return _item(claim, RecheckState.not_checkable, _NOT_COUNTED)


_NOT_COUNTED = Text(
    "Evidence beyond what is shown was not counted: that needs the data packs and the rubric of the report.",
    "Les éléments de preuve non affichés n'ont pas été comptés\u00a0: il faut les ensembles de données et la grille du "
    "rapport.",
)


def _whole(finding: Finding, again: Collected | None) -> RecheckItem:
    claim = _Claim(finding.id, 0, _of_finding(finding))
    observed = [item for item in finding.evidence if item.kind is EvidenceKind.observed]
    if again is None:
        # Made by observations alone: what the package declares for it is looked up item by item.
        if observed and finding.ladder is Ladder.observed:
            return _item(claim, RecheckState.not_checkable, _OBSERVED)
        return _item(claim, RecheckState.fails, _NO_SUCH)
    total = len(again.evidence) + len(observed)
    if total != finding.evidence_total:
        return _item(claim, RecheckState.fails, _miscounted(finding.evidence_total, total))
    return _judged(claim, finding, again.finding, raised=bool(observed))


def _judged(claim: _Claim, finding: Finding, again: Finding, *, raised: bool) -> RecheckItem:
    """The words of the finding itself: rung, declaration, who must agree, whose code."""
    if raised and finding.ladder is Ladder.observed:
        again = replace(again, ladder=Ladder.observed)
    checks: Iterable[tuple[Callable[[Finding], object], Text]] = (
        (lambda one: one.ladder, Text("rung of evidence", "échelon de preuve")),
        (lambda one: one.declaration, Text("declaration", "déclaration")),
        (lambda one: one.grant, Text("who must agree", "qui doit consentir")),
        (lambda one: one.actor, Text("actor", "acteur")),
        (lambda one: (one.capability, one.area), Text("capability", "capacité")),
    )
    for read, label in checks:
        if read(finding) != read(again):
            why = Text(f"The facts give another {label.en}.", f"Les faits donnent autre chose ({label.fr}).")
            return _item(claim, RecheckState.fails, why)
    return _item(claim, RecheckState.holds, _HOLDS)


def _left_out(finding: Finding) -> RecheckItem:
    why = Text(
        "The file shows this finding and the report leaves it out.", "Le fichier montre ce constat, absent du rapport."
    )
    return _item(_Claim(finding.id, 0, _of_finding(finding)), RecheckState.fails, why)


_NO_SUCH = Text("The file does not give this finding.", "Le fichier ne donne pas ce constat.")
_NOT_ITS_OWN = Text(
    "It is in the file, and does not belong to this finding.", "C'est dans le fichier, mais hors de ce constat."
)


def _of_finding(finding: Finding) -> Evidence:
    """Stands for a finding as a whole: its first item, or its capability where it shows none."""
    return finding.evidence[0] if finding.evidence else Evidence(EvidenceKind.measure, "", "", finding.capability)


def _miscounted(stated: int, actual: int) -> Text:
    said, there = number(stated), number(actual)
    return Text(
        f"The report counts {said.en} items of evidence, the file gives {there.en}.",
        f"Le rapport compte {said.fr} éléments de preuve, le fichier en donne {there.fr}.",
    )
