"""The report people read: one self-contained HTML page in one language, fit for a screen, a phone and paper.

It loads nothing and runs nothing. What could not be seen or done comes before what could, reasons are only those the
authority stated, and "accepted" is never written where "verified" is not known (DESIGN rules 1, 2 and 12).
"""

from __future__ import annotations

from collections.abc import Callable

from proscribe.page.markup import Pen
from proscribe.page.style import style_sheet
from proscribe.prove import report_evidence, report_outcomes
from proscribe.prove.charts import patterns
from proscribe.prove.report_assessed import assessed
from proscribe.prove.report_model import ReportData
from proscribe.text import Language, Text


def _decision(pen: Pen, data: ReportData) -> str:
    return report_outcomes.decision(pen, data) + assessed(pen, data)


Section = tuple[str, Text, Callable[[Pen, ReportData], str]]

SECTIONS: tuple[Section, ...] = (
    ("decision", Text("The decision, and where it stands", "La décision et où l'on en est"), _decision),
    (
        "not-seen",
        Text("What we could not see or do", "Ce que nous n'avons pu voir ni faire"),
        report_outcomes.shortfall,
    ),
    ("outcomes", Text("Every device, by outcome", "Chaque appareil, selon le résultat"), report_outcomes.overall),
    ("departments", Text("Department by department", "Direction par direction"), report_outcomes.departments),
    ("progress", Text("How it went over time", "L'évolution dans le temps"), report_outcomes.progress),
    ("waves", Text("The waves of the plan", "Les vagues du plan"), report_evidence.waves),
    (
        "refusals",
        Text("What the plan refused, and why", "Ce que le plan a refusé, et pourquoi"),
        report_evidence.refusals,
    ),
    ("exemptions", Text("Exemptions", "Exemptions"), report_evidence.exemptions),
    (
        "coverage",
        Text("What each source can see", "Ce que chaque source peut voir"),
        report_evidence.coverage,
    ),
    ("evidence", Text("The chain of evidence", "La chaîne de preuve"), report_evidence.chain),
    ("verify", Text("How to check this yourself", "Comment le vérifier vous-même"), report_evidence.how_to_verify),
    (
        "method",
        Text("Method: acceptance is not compliance", "Méthode : l'acceptation n'est pas la conformité"),
        report_evidence.method,
    ),
)


def render(data: ReportData, language: Language) -> str:
    """The whole page in ``en`` or ``fr``. The same data give the same bytes."""
    pen = Pen(language)
    title = f"{pen.text(data.directive.title)} – {pen.text(data.organisation)}"
    sections = "".join(
        f'<section aria-labelledby="{name}"><h2 id="{name}">{pen.text(heading)}</h2>{write(pen, data)}</section>'
        for name, heading, write in SECTIONS
    )
    contents = "".join(f'<li><a href="#{name}">{pen.text(heading)}</a></li>' for name, heading, _ in SECTIONS)
    skip = pen.text(Text("Skip to the report", "Passer au rapport"))
    contents_title = pen.text(Text("In this report", "Dans ce rapport"))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}-CA"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{style_sheet()}</style></head><body>"
        f'<a class="skip" href="#main">{skip}</a>{patterns()}'
        f'<header class="masthead"><div class="sheet"><p class="owner">{pen.text(data.organisation)}</p>'
        f"<h1>{pen.text(data.directive.title)}</h1>"
        f"<p>{pen.text(Text('Compliance report', 'Rapport de conformité'))}, {pen.moment(data.generated_at)}</p>"
        f'</div></header><nav aria-label="{contents_title}"><div class="sheet"><ul>{contents}</ul></div></nav>'
        f'<main id="main" tabindex="-1"><div class="sheet">{sections}</div></main>'
        f'<footer><div class="sheet"><p>{_footer(pen, data)}</p></div></footer></body></html>\n'
    )


def _footer(pen: Pen, data: ReportData) -> str:
    floor = data.small_cell_floor
    counts = Text(
        "Counts are of devices, never of people, and go down to the department. ",
        "Les décomptes portent sur des appareils, jamais sur des personnes, et s'arrêtent à la direction. ",
    )
    if floor:
        counts += Text(
            f"Departments of fewer than {floor} devices are put together.",
            f"Les directions comptant moins de {floor} appareils sont regroupées.",
        )
    else:
        counts += Text(
            "No department is left out or put together with others: this is an internal edition.",
            "Aucune direction n'est omise ni regroupée : il s'agit d'une édition interne.",
        )
    return pen.text(counts)
