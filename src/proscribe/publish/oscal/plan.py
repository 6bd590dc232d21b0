"""OSCAL plan of action and milestones: what is not compliant under a directive, and until when it may stay so."""

from __future__ import annotations

from typing import Any

from proscribe.enforce.model import Outcome
from proscribe.prove.model import ExemptionSummary
from proscribe.prove.report_words import OUTCOMES
from proscribe.publish.oscal.parts import NAMESPACE, Assessed, Pen, written
from proscribe.text import Language, Text, devices


def plan_of_action(assessed: Assessed, language: Language) -> bytes | None:
    """The document as bytes, in one language; None where nothing is left to do (OSCAL has no empty plan)."""
    pen = Pen(assessed, language, "plan-of-action-and-milestones")
    items = _items(pen)
    if not items:
        return None
    made: dict[str, Any] = {
        "uuid": pen.own_uid(),
        "metadata": pen.metadata(Text("Plan of action and milestones", "Plan d'action et jalons")),
        "system-id": {"identifier-type": NAMESPACE, "id": pen.line(assessed.organisation)},
        "observations": pen.observations(),
        "risks": pen.risks(),
        "poam-items": items,
        "back-matter": pen.back_matter(),
    }
    if not made["observations"]:
        del made["observations"]
    return written({"plan-of-action-and-milestones": made})


def _items(pen: Pen) -> list[dict[str, Any]]:
    return [
        *(_item(pen, key, Text("Not seen", "Non vu"), words) for key, words in pen.blind_spots()),
        *(
            _outcome(pen, outcome, number)
            for outcome, number in pen.outcomes()
            if not outcome.compliant and outcome is not Outcome.exempt
        ),
        *(_exemption(pen, one) for one in pen.assessed.exemptions),
    ]


def _outcome(pen: Pen, outcome: Outcome, number: int) -> dict[str, Any]:
    words = OUTCOMES[outcome]
    said = [pen.say(devices(number)) + ".", pen.say(words.meaning), pen.say(words.next) if words.next else ""]
    made = _item(pen, outcome.value, words.name, " ".join(part for part in said if part))
    made["props"] = [pen.prop("outcome", outcome.value), pen.prop("devices", str(number))]
    return made


def _item(pen: Pen, key: str, title: Text, words: str) -> dict[str, Any]:
    return {
        "uuid": pen.uid("item", key),
        "title": pen.line(title),
        "description": words,
        "related-observations": [{"observation-uuid": pen.uid("observation", key)}],
        "related-risks": [{"risk-uuid": pen.uid("risk", key)}],
    }


def _exemption(pen: Pen, one: ExemptionSummary) -> dict[str, Any]:
    ended = not pen.in_force(one)
    state = Text(" Not in force.", " N'est pas en vigueur.") if ended else Text("", "")
    until = Text(f"Until {one.expires}: ", f"Jusqu'au {one.expires}\N{NO-BREAK SPACE}: ")
    return {
        "uuid": pen.uid("item", "exemption", one.id),
        "title": pen.line(Text(f"Exemption {one.id}", f"Exemption {one.id}")),
        "description": pen.say(until + Text(one.ground, one.ground) + Text(".", ".") + state),
        "props": [pen.prop("devices", str(one.devices)), pen.prop("expires", one.expires.isoformat())],
        "related-risks": [{"risk-uuid": pen.uid("risk", "exemption", one.id)}],
    }
