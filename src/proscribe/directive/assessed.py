"""The assessments a directive rests on: attached by digest, quoted only as far as they were released."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from proscribe.assess.model import Assessment
from proscribe.canonical import Digest
from proscribe.directive.model import AttachedAssessment, Directive, Quote
from proscribe.directive.validate import Flaw
from proscribe.documents import digest, to_json
from proscribe.errors import ProscribeError, Where
from proscribe.text import COLON, Text


class NotReleased(ProscribeError):
    """A finding that nobody has released for quotation, or that the assessment does not have."""

    code = "directive.not-released"


def attach(directive: Directive, assessment: Assessment, quotes: Sequence[str] = ()) -> Directive:
    """The directive with an assessment attached; one of the same package takes the place of the one before.

    ``quotes``: ids of released findings. Raises NotReleased.
    """
    attached = AttachedAssessment(
        digest=digest(assessment),
        package=assessment.package.sha256,
        app_id=assessment.app_id,
        version=assessment.version,
        rating=assessment.rating.rating.value,
        quotes=tuple(_quote(assessment, finding) for finding in dict.fromkeys(quotes)),
    )
    others = tuple(one for one in directive.assessments if one.package != attached.package)
    return replace(directive, assessments=(*others, attached))


def _quote(assessment: Assessment, wanted: str) -> Quote:
    finding = next((one for one in assessment.findings if one.id == wanted), None)
    if finding is None or finding.released is None:
        released = sorted(one.id for one in assessment.findings if one.released is not None)
        listed = ", ".join(released)
        raise NotReleased(
            Text("the assessment has no such finding", "l'évaluation ne contient pas ce constat")
            if finding is None
            else Text("this finding is not released for quotation", "ce constat n'est pas diffusable"),
            remedy=Text("Released findings", "Constats diffusables") + COLON + Text(f" {listed}", f" {listed}")
            if released
            else Text(
                "Release it in a review with an author and a reason, and assess again with that review.",
                "Rendez-le diffusable par un examen, avec auteur et motif, puis évaluez de nouveau avec cet examen.",
            ),
            where=Where(field=wanted),
        )
    return Quote(finding.id, finding.title, finding.caution)


def flaws(directive: Directive, assessments: Mapping[Digest, Assessment]) -> Iterator[Flaw]:
    """Where a directive says more than the assessments it names: not at hand, another rating, words not released."""
    for place, attached in enumerate(directive.assessments):
        field = f"assessments[{place}]"
        assessment = assessments.get(attached.digest)
        if assessment is None:
            yield Flaw(
                f"{field}.digest",
                Text(
                    "no assessment with this digest is at hand",
                    "aucune évaluation ayant cette empreinte n'est fournie",
                ),
                Text("Give the assessment it names.", "Fournissez l'évaluation que nomme la directive."),
            )
            continue
        ids = [quote.finding for quote in attached.quotes]
        try:
            again = attach(directive, assessment, ids)
        except NotReleased as error:
            yield Flaw(f"{field}.quotes", error.what, error.remedy)
            continue
        if again.assessments[-1] != attached:
            yield Flaw(
                field,
                Text(
                    "the directive says other than the assessment does",
                    "la directive dit autre chose que l'évaluation",
                ),
                Text("Attach the assessment again.", "Joignez de nouveau l'évaluation."),
            )


_BLOCK = re.compile(r"^assessments:.*\n(?:(?:[ \t#-].*)?\n)*", re.MULTILINE)


def written_into(text: str, directive: Directive) -> str:
    """A directive's file with its ``assessments`` written anew; every other line, comments included, stays as it was.

    ``text`` is YAML or JSON. In YAML each value is written as JSON, which YAML reads.
    """
    values = [to_json(one) for one in directive.assessments]
    if text.lstrip().startswith("{"):
        return json.dumps({**json.loads(text), "assessments": values}, ensure_ascii=False, indent=2) + "\n"
    lines = "".join(f"- {json.dumps(value, ensure_ascii=False)}\n" for value in values)
    kept = _BLOCK.sub("", text if text.endswith("\n") else text + "\n")
    return f"{kept}assessments:\n{lines}"
