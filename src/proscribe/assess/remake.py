"""A whole report made anew from the file and compared part by part: rating, access map, exposure, names, everything.

``recheck`` looks up evidence. That alone would let a rating, a publisher or an app's name be rewritten beside evidence
that holds; so, where the report's own packs, rubric and program versions are at hand, the judgement is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from proscribe.assess.gathered import Gathered
from proscribe.assess.model import (
    Assessment,
    Observations,
    RecheckPart,
    RecheckState,
    ReleaseEntry,
    Review,
    SuppressionEntry,
)
from proscribe.assess.observed import reference as observations_reference
from proscribe.assess.packs.library import Packs
from proscribe.assess.profile import Finding
from proscribe.assess.rate.judge import judge
from proscribe.assess.rate.rubric import Rubric, reference
from proscribe.assess.review import reference as review_reference
from proscribe.catalogue.library import Catalogue
from proscribe.documents import quick_bytes
from proscribe.errors import ProscribeError
from proscribe.text import Text

_OBSERVED = frozenset({"findings", "rating", "access", "sdks", "observations"})
"""What observations change."""


def remade(
    report: Assessment,
    gathered: Gathered,
    packs: Packs,
    rubric: Rubric,
    *,
    review: Review | None = None,
    observations: Sequence[Observations] = (),
    library: Catalogue,
) -> tuple[RecheckPart, ...]:
    """The parts of a report that a new judgement gives otherwise, or that cannot be judged anew; () where all agree.

    A part is a field of the document. Without the review that the report names, what the report itself says was set
    aside or released is taken as given, and said to be; without its observations, what they change is not compared.
    """
    other = (*_not_named(report, review, observations), *_other_makings(report, gathered, packs, rubric))
    if other:
        return other
    open_parts = tuple(_not_given(report, review, observations))
    names = {part.part for part in open_parts}
    word = _stated_review(report) if "review" in names else review
    try:
        anew = judge(
            gathered, packs, rubric,
            review=word, observations=() if "observations" in names else observations, library=library,
        )  # fmt: skip
    except ProscribeError as error:
        return (*open_parts, RecheckPart("review", RecheckState.fails, error.what))
    stated = report
    left = {"review"} if "review" in names else set()
    if "review" in names:  # an expired entry leaves its words alone, and only the review has them
        stated, anew = _without_counter(report), _without_counter(anew)
    if "observations" in names:
        left |= _OBSERVED
    said, found = _plain(stated), _plain(anew)
    wrong = tuple(
        RecheckPart(name, RecheckState.fails, _DIFFERS)
        for name in sorted(said)
        if name not in left and said[name] != found[name]
    )
    return (*wrong, *open_parts)


_DIFFERS = Text(
    "The same package, data and rules give something else here.",
    "Le même paquet, les mêmes données et les mêmes règles donnent ici autre chose.",
)


def _other_makings(report: Assessment, gathered: Gathered, packs: Packs, rubric: Rubric) -> Iterator[RecheckPart]:
    """What the report was made with and is not at hand: nothing beyond its evidence can be compared then."""
    makings = (
        ("packs", report.packs == packs.references, Text("data packs", "ensembles de données")),
        ("rubric", report.rubric == reference(rubric), Text("rubric", "grille")),
        ("tools", report.tools == gathered.tools, Text("program versions", "versions des programmes")),
    )
    for name, same, what in makings:
        if not same:
            yield RecheckPart(
                name,
                RecheckState.not_checkable,
                Text(
                    f"The report names other {what.en} than those at hand: its rating and all else beyond the evidence "
                    "were not made anew.",
                    f"Autre valeur ici ({what.fr})\u00a0: la cote et tout ce qui dépasse les éléments de preuve n'ont "
                    "pas été refaits.",
                ),
            )


def _not_named(
    report: Assessment, review: Review | None, observations: Sequence[Observations]
) -> Iterator[RecheckPart]:
    """Documents that were given and are not those that the report names."""
    why = Text("What was given is not what the report names.", "Ce qui a été fourni n'est pas ce que nomme le rapport.")
    if review is not None and review_reference(review) != report.review:
        yield RecheckPart("review", RecheckState.fails, why)
    if observations and tuple(map(observations_reference, observations)) != report.observations:
        yield RecheckPart("observations", RecheckState.fails, why)


def _not_given(
    report: Assessment, review: Review | None, observations: Sequence[Observations]
) -> Iterator[RecheckPart]:
    """Documents that the report names and nobody gave."""
    if report.review is not None and review is None:
        yield RecheckPart(
            "review",
            RecheckState.not_checkable,
            Text(
                "The review that the report names was not given: what it sets aside was taken from the report.",
                "L'examen que nomme le rapport n'a pas été fourni\u00a0: ce qu'il écarte est repris du rapport.",
            ),
        )
    if report.observations and not observations:
        yield RecheckPart(
            "observations",
            RecheckState.not_checkable,
            Text(
                "The observations that the report names were not given: rating, access map and findings were not made "
                "anew.",
                "Les observations que nomme le rapport n'ont pas été fournies\u00a0: la cote, la carte des accès et "
                "les constats n'ont pas été refaits.",
            ),
        )


def _stated_review(report: Assessment) -> Review | None:
    """What the report says was set aside or released, as a review."""
    aside = tuple(
        SuppressionEntry(one.id, one.suppressed.reason, one.suppressed.author, one.suppressed.expires)
        for one in report.findings
        if one.suppressed
    )
    released = tuple(
        ReleaseEntry(one.id, one.released.author, one.released.reason) for one in report.findings if one.released
    )
    return Review(report.app_id, date.min, aside, released) if aside or released else None


def _without_counter(report: Assessment) -> Assessment:
    def bare(finding: Finding) -> Finding:
        return replace(finding, counter=())

    return replace(report, findings=tuple(map(bare, report.findings)))


def _plain(report: Assessment) -> dict[str, Any]:
    """The fields as a document has them."""
    return json.loads(quick_bytes(report))  # type: ignore[no-any-return]


def outcome(parts: Sequence[RecheckPart]) -> RecheckState:
    """Of the report as a whole: one part that fails is enough, and what was not made anew is never said to hold."""
    states = {part.state for part in parts}
    for state in (RecheckState.fails, RecheckState.not_checkable):
        if state in states:
            return state
    return RecheckState.holds
