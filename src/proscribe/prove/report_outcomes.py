"""The first half of the report: the decision, what fell short, what was reached, where, and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proscribe.directive.model import Directive
from proscribe.enforce.model import Outcome
from proscribe.page.markup import Cell, Column, Pen, Raw
from proscribe.prove.charts import Caption, convergence, large_bar, small_bar, swatch
from proscribe.prove.evidence import SMALL_DEPARTMENTS, HistoryPoint
from proscribe.prove.report_model import STYLES, Group, ReportData, by_group
from proscribe.prove.report_words import COMPROMISE, FORCE, GROUPS, OUTCOMES, STATES
from proscribe.text import COLON, Text, plural

MAX_POINTS = 24  # rows of the table under the picture of progress


def decision(pen: Pen, data: ReportData) -> str:
    """Who decided what, when and for which stated reasons; then the answer in three numbers."""
    directive = data.directive
    facts = [
        (Text("Decided by", "Décision de"), pen.text(directive.authority.decided_by)),
        (Text("Authority", "Autorité"), pen.text(directive.authority.body)),
        (Text("Instrument", "Instrument"), pen.text(directive.instrument)),
        (Text("In effect", "Entrée en vigueur"), _effect(pen, directive)),
        (Text("Force", "Nature"), pen.text(FORCE[directive.force])),
        (Text("Devices concerned", "Appareils visés"), pen.text(directive.applies.devices)),
        (Text("Apps concerned", "Applications visées"), _apps(pen, data)),
        (Text("Reasons the authority stated", "Motifs énoncés par l'autorité"), _reasons(pen, directive)),
    ]
    rows = "".join(f"<dt>{pen.text(name)}</dt><dd>{value}</dd>" for name, value in facts)
    return f'{_answer(pen, data)}<dl class="facts">{rows}</dl>'


def _answer(pen: Pen, data: ReportData) -> str:
    fleet = data.counts.fleet
    verified = by_group(data.counts.by_outcome)[Group.verified]
    tiles = [
        (
            "good",
            verified,
            Text("devices verified", "appareils vérifiés"),
            Text(
                f"{pen.share(verified, fleet)} of those in scope, seen from the device after the ban",
                f"{pen.share(verified, fleet)} des appareils visés, selon l'appareil même, après l'interdiction",
            ),
        ),
        (
            "open",
            fleet - verified,
            Text("not verified", "non vérifiés"),
            Text(
                f"{pen.share(fleet - verified, fleet)}; reasons below",
                f"{pen.share(fleet - verified, fleet)}; motifs ci-après",
            ),
        ),
        (
            "all",
            fleet,
            Text("devices in scope", "appareils visés"),
            Text("one outcome each", "un seul résultat chacun"),
        ),
    ]
    items = "".join(
        f'<li class="{kind}"><b>{pen.number(value)}</b><strong>{pen.text(name)}</strong>'
        f"<span>{pen.text(what)}</span></li>"
        for kind, value, name, what in tiles
    )
    return f'<ul class="answer">{items}</ul>'


def _effect(pen: Pen, directive: Directive) -> str:
    state = pen.text(STATES[directive.state])
    if directive.effective is None:
        unknown = pen.text(Text("the text states no date", "le texte n'indique aucune date"))
        return f"{unknown} ({state})"
    parts = [f"{pen.day(directive.effective)} ({state})"]
    if directive.announced is not None and directive.announced != directive.effective:
        parts.append(f"{pen.text(Text('announced', 'annoncée le'))} {pen.day(directive.announced)}")
    return ", ".join(parts)


def _apps(pen: Pen, data: ReportData) -> str:
    labels = sorted({target.label for target in data.targets.targets})
    actionable = sum(target.actionable for target in data.targets.targets)
    known = plural(len(data.targets.targets), Text("identifier", "identifiant"), Text("identifiers", "identifiants"))
    told = pen.text(
        Text(
            f"{known.en}; certain enough to act on: {actionable}",
            f"{known.fr}; assez sûrs pour agir : {actionable}",
        )
    )
    return f"{pen.text(', '.join(labels))} ({told})"


def _reasons(pen: Pen, directive: Directive) -> str:
    """Only what the authority stated; context of analysts has no place in a report (DESIGN rule 12)."""
    if directive.stated_reasons:
        stated = pen.bullets(directive.stated_reasons)
    else:
        stated = f"<p>{pen.text(Text('None were stated.', 'Aucun motif énoncé.'))}</p>"
    return f'{stated}<p class="note">{pen.text(COMPROMISE[directive.compromise_found])}</p>'


def shortfall(pen: Pen, data: ReportData) -> str:
    """Every outcome that is not compliance, largest first, with what it means and what can be done."""
    fleet, counted = data.counts.fleet, data.counts.by_outcome
    open_outcomes = sorted(
        (outcome for outcome in STYLES if not outcome.compliant and counted.get(outcome, 0)),
        key=lambda outcome: -counted[outcome],
    )
    total = sum(counted[outcome] for outcome in open_outcomes)
    if not open_outcomes:
        return _paragraph(
            pen,
            Text(
                "Nothing: every device in scope has a verified outcome.",
                "Rien : chaque appareil visé a un résultat vérifié.",
            ),
        )
    lead = _paragraph(
        pen,
        Text(
            f"For {pen.number(total)} of {pen.number(fleet)} devices ({pen.share(total, fleet)}), this report claims "
            "no compliance. Each is counted under one reason.",
            f"Pour {pen.number(total)} des {pen.number(fleet)} appareils ({pen.share(total, fleet)}), le présent "
            "rapport n'affirme aucune conformité. Chacun est compté sous un seul motif.",
        ),
        "lead",
    )
    rows: list[list[Cell]] = [
        [
            _named(pen, outcome),
            counted[outcome],
            pen.share(counted[outcome], fleet),
            OUTCOMES[outcome].meaning,
            OUTCOMES[outcome].next or "–",
        ]
        for outcome in open_outcomes
    ]
    columns = [
        Column(Text("Outcome", "Résultat")),
        Column(Text("Devices", "Appareils"), "number"),
        Column(Text("Share", "Part"), "number"),
        Column(Text("What it means", "Ce que cela signifie")),
        Column(Text("What can be done", "Ce qui peut être fait")),
    ]
    caption = Text("Devices without a verified outcome", "Appareils sans résultat vérifié")
    return lead + pen.table(caption, columns, rows, wide=True) + _absent(pen, counted)


def _absent(pen: Pen, counted: Mapping[Outcome, int]) -> str:
    """The outcomes that no device has: looked for, and not found."""
    none = [OUTCOMES[outcome].name for outcome in STYLES if not outcome.compliant and not counted.get(outcome, 0)]
    if not none:
        return ""
    listed = Text("; ".join(name.en for name in none), "; ".join(name.fr for name in none))
    return _paragraph(
        pen,
        Text("No device is in any of these states: ", "Aucun appareil dans les états suivants : ")
        + listed
        + Text(".", "."),
        "note",
    )


def overall(pen: Pen, data: ReportData) -> str:
    """One bar for the fleet, and the table that says the same."""
    fleet, counted = data.counts.fleet, data.counts.by_outcome
    title = pen.text(Text("All devices by outcome", "Tous les appareils selon le résultat"))
    bar = large_bar(
        Caption("overall", title, _in_words(pen, counted)),
        [(outcome, counted.get(outcome, 0)) for outcome in STYLES],
    )
    rows: list[list[Cell]] = [
        [
            _named(pen, outcome),
            counted[outcome],
            pen.share(counted[outcome], fleet),
            Text("yes", "oui") if outcome.compliant else Text("no", "non"),
        ]
        for outcome in STYLES
        if counted.get(outcome, 0)
    ]
    rows.append([Text("Whole fleet", "Parc entier"), fleet, pen.share(fleet, fleet), "–"])
    columns = [
        Column(Text("Outcome", "Résultat")),
        Column(Text("Devices", "Appareils"), "number"),
        Column(Text("Share", "Part"), "number"),
        Column(Text("Counts as compliance", "Vaut conformité"), "word"),
    ]
    table = pen.table(Text("Outcomes of the fleet", "Résultats du parc"), columns, rows, total=True)
    return f'<div class="keep">{bar}</div>{table}'


def departments(pen: Pen, data: ReportData) -> str:
    """A small bar and the five groups for each department."""
    rows: list[list[Cell]] = []
    for number, department in enumerate(data.counts.departments, start=1):
        groups = by_group(department.by_outcome)
        name = _department(pen, department.name, data.small_cell_floor)
        title = pen.text(Text("Outcomes: ", "Résultats : ")) + name
        words = "; ".join(f"{pen.text(GROUPS[group])}{pen.text(COLON)} {pen.number(groups[group])}" for group in Group)
        bar = small_bar(Caption(f"department-{number}", title, words), [(group, groups[group]) for group in Group])
        rows.append([Raw(name), Raw(bar), department.devices, *(groups[group] for group in Group)])
    columns = [
        Column(Text("Department", "Direction")),
        Column(Text("Picture", "Aperçu"), "picture"),
        Column(Text("Devices", "Appareils"), "number"),
        *(Column(GROUPS[group], "number", swatch(group)) for group in Group),
    ]
    note = _paragraph(
        pen,
        Text(
            "Not seen: blocked without visibility, out of sight, last report too old, or not known. Not done: failed, "
            "refused by the holder, or impossible.",
            "Non vu : bloquée sans visibilité, hors de vue, dernier signalement trop ancien ou indéterminé. Non fait : "
            "échec, refus du détenteur ou impossible.",
        ),
        "note",
    )
    return note + pen.table(Text("Outcomes by department", "Résultats par direction"), columns, rows, wide=True)


def _department(pen: Pen, name: str, floor: int) -> str:
    if name == SMALL_DEPARTMENTS:
        return pen.text(
            Text(
                f"Departments of fewer than {floor} devices, together",
                f"Directions comptant moins de {floor} appareils, regroupées",
            )
        )
    return pen.text(name) if name else pen.text(Text("No department on record", "Aucune direction consignée"))


def progress(pen: Pen, data: ReportData) -> str:
    """The picture of convergence, and the table that says the same."""
    points = data.history
    if len(points) < 2:
        return _paragraph(
            pen,
            Text(
                "There are not yet two assessments to compare.",
                "Il n'y a pas encore deux évaluations à comparer.",
            ),
        )
    shown = _thinned(points)
    rows: list[list[Cell]] = []
    for point in shown:
        groups = by_group(point.by_outcome)
        rows.append([Raw(pen.moment(point.at)), *(groups[group] for group in Group)])
    columns = [
        Column(Text("Moment", "Moment")),
        *(Column(GROUPS[group], "number") for group in Group),
    ]
    lead = _paragraph(
        pen,
        Text(
            "Each step is an assessment of the whole fleet from what devices had reported by then.",
            "Chaque palier est une évaluation de tout le parc d'après ce que les appareils avaient alors signalé.",
        ),
    )
    caption = Text("Devices by group at each assessment", "Appareils par groupe à chaque évaluation")
    if len(shown) < len(points):
        caption += Text(
            f" ({len(shown)} of {len(points)} shown)", f" ({len(shown)} évaluations sur {len(points)} présentées)"
        )
    picture = convergence(pen, points, data.counts.fleet)
    legend = pen.text(Text("Devices by group; times in UTC", "Appareils par groupe; heures en UTC"))
    figure = f'<figure class="keep"><figcaption>{legend}</figcaption>{picture}</figure>'
    return f"{lead}{figure}{pen.table(caption, columns, rows)}"


def _thinned(points: Sequence[HistoryPoint]) -> list[HistoryPoint]:
    """At most MAX_POINTS, evenly chosen, the first and the last among them."""
    last = len(points) - 1
    if last < MAX_POINTS:
        return list(points)
    return [points[round(step * last / (MAX_POINTS - 1))] for step in range(MAX_POINTS)]


def _in_words(pen: Pen, counted: Mapping[Outcome, int]) -> str:
    parts = [
        f"{pen.text(OUTCOMES[outcome].name)}{pen.text(COLON)} {pen.number(counted[outcome])}"
        for outcome in STYLES
        if counted.get(outcome, 0)
    ]
    return "; ".join(parts) + "."


def _named(pen: Pen, outcome: Outcome) -> Raw:
    return Raw(swatch(outcome) + pen.text(OUTCOMES[outcome].name))


def _paragraph(pen: Pen, text: Text, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{pen.text(text)}</p>"
