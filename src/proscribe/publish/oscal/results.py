"""OSCAL assessment results of one directive: what was observed, what was found, and what nobody could see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proscribe.enforce.model import Outcome
from proscribe.prove.members import DIRECTIVE
from proscribe.publish.oscal.parts import Assessed, Pen, written
from proscribe.text import Language, Text, devices


def assessment_results(assessed: Assessed, language: Language) -> bytes:
    """The document as bytes, in one language."""
    pen = Pen(assessed, language, "assessment-results")
    return written(
        {
            "assessment-results": {
                "uuid": pen.own_uid(),
                "metadata": pen.metadata(Text("Assessment results", "Résultats d'évaluation")),
                "import-ap": {
                    "href": pen.resource(DIRECTIVE),
                    "remarks": pen.say(
                        Text("The directive is what was assessed.", "La directive est ce qui a été évalué.")
                    ),
                },
                "results": [_result(pen)],
                "back-matter": pen.back_matter(),
            }
        }
    )


def _result(pen: Pen) -> dict[str, Any]:
    observations, risks = pen.observations(), pen.risks()
    made: dict[str, Any] = {
        "uuid": pen.uid("result"),
        "title": pen.line(pen.assessed.directive.title),
        "description": pen.say(_description(pen.assessed)),
        "start": pen.moment(pen.assessed.at),
        "end": pen.moment(pen.assessed.at),
        "reviewed-controls": {"control-selections": [{"include-all": {}}]},
        "findings": _findings(pen),
    }
    if observations:
        made["observations"] = observations
    if risks:
        made["risks"] = risks
    return made


def _description(assessed: Assessed) -> Text:
    counts = assessed.counts
    seen = sum(number for outcome, number in counts.by_outcome.items() if outcome.compliant)
    total = devices(counts.fleet)
    text = Text(f"{total.en} in scope; {seen} verified.", f"{total.fr} visés; {seen} dont la conformité est vérifiée.")
    if assessed.proof is None:
        text += Text(
            " From the records of the organisation itself, without a proof bundle.",
            " D'après les dossiers de l'organisation elle-même, sans dossier de preuve.",
        )
    return text


def _findings(pen: Pen) -> list[dict[str, Any]]:
    """One for the whole, one for each class of device."""
    counts = pen.assessed.counts
    every = Text("All devices in scope", "Tous les appareils visés")
    return [
        _finding(pen, "fleet", every, counts.fleet, counts.by_outcome),
        *(
            _finding(pen, f"class-{number}", Text(one.name, one.name), one.devices, one.by_outcome)
            for number, one in enumerate(counts.classes, start=1)
        ),
    ]


def _finding(pen: Pen, key: str, title: Text, number: int, by_outcome: Mapping[Outcome, int]) -> dict[str, Any]:
    present = [outcome for outcome, _ in pen.outcomes() if by_outcome.get(outcome, 0)]
    made: dict[str, Any] = {
        "uuid": pen.uid("finding", key),
        "title": pen.line(title),
        "description": "; ".join(f"{outcome.value}: {by_outcome[outcome]}" for outcome in present) or "0",
        "target": {
            "type": "objective-id",
            "target-id": f"ban-{pen.assessed.directive.id}",  # OSCAL: a letter first
            "status": _status(number, present),
        },
    }
    if present:
        made["related-observations"] = [
            {"observation-uuid": pen.uid("observation", outcome.value)} for outcome in present
        ]
    risks = [outcome for outcome in present if not outcome.compliant and outcome is not Outcome.exempt]
    if risks:
        made["related-risks"] = [{"risk-uuid": pen.uid("risk", outcome.value)} for outcome in risks]
    return made


def _status(number: int, present: list[Outcome]) -> dict[str, str]:
    """Satisfied where every device was seen to be; exempt alone is no pass and no failure."""
    if number and all(outcome.compliant for outcome in present):
        return {"state": "satisfied", "reason": "pass"}
    only_exempt = all(outcome.compliant or outcome is Outcome.exempt for outcome in present)
    return {"state": "not-satisfied", "reason": "other" if only_exempt else "fail"}
