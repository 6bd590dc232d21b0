"""The part of the report that names the assessments a decision rests on, and quotes what was released of them."""

from __future__ import annotations

from proscribe.assess.rate.words import rating_word
from proscribe.page.markup import Cell, Column, Pen
from proscribe.prove.report_model import ReportData
from proscribe.text import COLON, Text

_COLUMNS = (
    Column(Text("App and version", "Application et version")),
    Column(Text("Rating of access", "Cote d'accès")),
    Column(Text("Digest of the assessment", "Empreinte de l'évaluation"), "word"),
)


def assessed(pen: Pen, data: ReportData) -> str:
    """Nothing where the directive names no assessment."""
    attached = data.directive.assessments
    if not attached:
        return ""
    rows: list[list[Cell]] = [[f"{one.app_id} {one.version}", rating_word(one.rating), one.digest] for one in attached]
    title = Text("Assessments of the app that the decision names", "Évaluations de l'application que nomme la décision")
    quoted = [
        Text(f"{quote.words.en} {quote.caution.en}", f"{quote.words.fr} {quote.caution.fr}")
        for one in attached
        for quote in one.quotes
    ]
    label = Text("Findings of theirs that may be quoted", "Constats qui peuvent en être cités") + COLON
    quotes = f"<p>{pen.text(label)}</p>{pen.bullets(quoted)}" if quoted else ""
    return f"<h3>{pen.text(title)}</h3>{pen.table(title, list(_COLUMNS), rows)}{quotes}"
