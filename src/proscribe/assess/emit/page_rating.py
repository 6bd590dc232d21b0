"""Why the rating is what it is: the rule, the facts, what would lower it, what was set aside, what was read."""

from __future__ import annotations

from collections.abc import Sequence

from proscribe.assess.emit.markup import Ink
from proscribe.assess.emit.reading import actor_name, completeness, extent_of, ranked_actors, suppressed_findings
from proscribe.assess.emit.words import EXTENTS, FACT_CLASSES, RATINGS
from proscribe.assess.facts import Run
from proscribe.assess.model import Assessment
from proscribe.assess.profile import CodeSummary, Finding
from proscribe.page.markup import Cell, Column, Raw
from proscribe.text import COLON, Text


def rating(pen: Ink, assessment: Assessment) -> str:
    """The rating box."""
    result = assessment.rating
    rubric = assessment.rubric
    of_rubric = pen.text(Text("rubric", "grille"))
    none = Text("the rubric names none", "la grille n'en nomme aucun")
    rows = [
        (Text("Rating", "Cote"), f"<strong>{pen.text(RATINGS[result.rating])}</strong>"),
        (
            Text("Rule that fired", "Règle appliquée"),
            f"{pen.code(result.rule)}, {of_rubric} {pen.code(rubric.id)} {pen.text(rubric.version)}",
        ),
        (Text("Because", "Parce que"), pen.bullets(result.because) if result.because else pen.text(none)),
        (Text("Findings behind it", "Constats à l'appui"), _links(pen, assessment, result.findings)),
        (
            Text("What would lower it", "Ce qui l'abaisserait"),
            pen.bullets(result.would_lower) if result.would_lower else pen.text(none),
        ),
        (
            Text("If nothing were set aside", "Si rien n'était écarté"),
            pen.text(RATINGS[result.without_suppressions]),
        ),
    ]
    note = pen.paragraph(
        Text(
            "The rating is a rule of the organisation's rubric, not a score: the same findings and the same rubric "
            "give the same rating, and whoever disagrees can point at the rule.",
            "La cote découle d'une règle de la grille de l'organisation; ce n'est pas une note chiffrée : les mêmes "
            "constats et la même grille donnent la même cote, et quiconque est en désaccord peut désigner la règle.",
        ),
        "note",
    )
    return f'<div class="box">{pen.facts(rows)}</div>{note}{_set_aside(pen, assessment)}'


def _links(pen: Ink, assessment: Assessment, ids: Sequence[str]) -> str:
    """Findings by capability; each actor is a link to the finding's place in the appendix."""
    places = {one.id: number for number, one in enumerate(assessment.findings, start=1)}
    groups: dict[str, list[Finding]] = {}
    for name in ids:
        if name in places:
            finding = assessment.findings[places[name] - 1]
            groups.setdefault(finding.capability, []).append(finding)
    items = ""
    for findings in groups.values():
        order = ranked_actors(findings)
        findings.sort(key=lambda one: order.index(one.actor))
        links = [f'<a href="#finding-{places[one.id]}">{pen.text(actor_name(one.actor))}</a>' for one in findings]
        items += f"<li>{pen.text(findings[0].title)}{pen.text(COLON)} {', '.join(links)}</li>"
    return f"<ul>{items}</ul>" if items else "–"


def _set_aside(pen: Ink, assessment: Assessment) -> str:
    """Suppressed findings stay visible, with who did it, why and until when."""
    heading = f"<h3>{pen.text(Text('Set aside by a review', 'Écarté par un examen'))}</h3>"
    rows: list[list[Cell]] = [
        [
            Raw(f"{pen.text(finding.title)}<br>{pen.code(finding.id)}"),
            finding.suppressed.reason,
            finding.suppressed.author,
            Raw(pen.day(finding.suppressed.expires)),
        ]
        for finding in suppressed_findings(assessment)
        if finding.suppressed is not None
    ]
    if not rows:
        return heading + pen.paragraph(Text("No finding is set aside.", "Aucun constat n'est écarté."))
    columns = [
        Column(Text("Finding", "Constat")),
        Column(Text("Reason", "Motif")),
        Column(Text("By", "Par")),
        Column(Text("Until", "Jusqu'au"), "date"),
    ]
    caption = Text(
        "Findings set aside: they do not count until the day shown",
        "Constats écartés : non comptés jusqu'à la date indiquée",
    )
    return heading + pen.table(caption, columns, rows)


def complete(pen: Ink, assessment: Assessment) -> str:
    """Completeness by fact class, each with its readers."""
    columns = [
        Column(Text("What", "Quoi")),
        Column(Text("Extent", "Étendue")),
        Column(Text("Read", "Lu"), "number"),
        Column(Text("Out of", "Total"), "number"),
        Column(Text("Reader", "Lecteur")),
        Column(Text("Problem", "Problème")),
    ]
    rows: list[list[Cell]] = [
        [
            FACT_CLASSES[of],
            EXTENTS[extent_of(runs)],
            max((run.read for run in runs), default=0),
            max((run.total for run in runs), default=0),
            ", ".join(dict.fromkeys(run.reader for run in runs)),
            Raw(_problems(pen, runs)),
        ]
        for of, runs in completeness(assessment)
    ]
    return (
        pen.table(Text("How much was read", "Ce qui a été lu"), columns, rows, wide=True)
        + _disagreements(pen, assessment)
        + _code(pen, assessment)
    )


def _problems(pen: Ink, runs: Sequence[Run]) -> str:
    shown = [f"{pen.code(run.problem)} {pen.text(run.detail)}" for run in runs if run.problem]
    return "<br>".join(shown) or "–"


def _disagreements(pen: Ink, assessment: Assessment) -> str:
    """Two parsers that read the same thing differently."""
    found = assessment.android.disagreements if assessment.android else ()
    if not found:
        return ""
    columns = [
        Column(Text("About", "Objet")),
        Column(Text("One parser alone", "Un analyseur seul")),
        Column(Text("The other alone", "L'autre seul")),
        Column(Text("In", "Dans")),
    ]
    rows: list[list[Cell]] = [
        [
            one.about,
            Raw("<br>".join(map(pen.code, one.ours)) or "–"),
            Raw("<br>".join(map(pen.code, one.theirs)) or "–"),
            pen.code_cell(one.member),
        ]
        for one in found
    ]
    caption = Text("Where two parsers disagree", "Désaccords entre deux analyseurs")
    return pen.table(caption, columns, rows, wide=True)


def _reflective(pen: Ink, code: CodeSummary) -> str:
    """How many, and in how much code (16-bit units)."""
    of = pen.text(Text("in {} units of code", "dans {} unités de code"))
    return f"{pen.number(code.reflection)} {of.format(pen.number(code.code_units))}"


def _code(pen: Ink, assessment: Assessment) -> str:
    """The code in numbers: what is dense with reflection or packed hides calls from any reader."""
    code = assessment.code
    rows = [
        (Text("Calls by reflection", "Appels par réflexion"), _reflective(pen, code)),
        (Text("Marks of a packer", "Marques d'un empaqueteur"), ", ".join(map(pen.code, code.packer_marks)) or "–"),
        (
            Text("Files that read like encrypted code", "Fichiers qui ressemblent à du code chiffré"),
            ", ".join(map(pen.code, code.encrypted_like)) or "–",
        ),
    ]
    return pen.facts(rows)
