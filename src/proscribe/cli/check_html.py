"""``proscribe check --html``: one self-contained page, in one language, that reads well on a phone and on paper.

No script, no font and no image is fetched. Every picture has its numbers in a table beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.cli.check_files import writing
from proscribe.cli.check_table import (
    BY_IDENTIFIER,
    BY_NAME,
    EACH_LINE,
    IN_SCOPE,
    notes,
    summary_line,
    unseen_devices,
    unseen_input,
    verdict_line,
)
from proscribe.cli.check_table import worst_first as groups_with_violations
from proscribe.evaluate.check import lookalikes, violations
from proscribe.evaluate.labels import (
    CONFIDENCE,
    ENROLMENT,
    FORCE,
    MATCH,
    PLATFORM,
    PRESENCE,
    STATE,
    count,
    department,
)
from proscribe.evaluate.model import Presence
from proscribe.text import Text, language

if TYPE_CHECKING:
    from proscribe.evaluate.model import CheckReport, DirectiveCheck, Finding
    from proscribe.evaluate.result import Evaluated

# Dark enough on white for text beside it (WCAG 2.1 AA); hatching tells "not known" from "known" without colour.
_FILL = {
    Presence.present_managed: "#8f1d1d",
    Presence.present_unmanaged: "#b3341f",
    Presence.present_contained: "#9a6200",
    Presence.unknown: "url(#hatch)",
    Presence.stale: "url(#hatch)",
    Presence.invisible: "url(#hatch)",
    Presence.absent: "#1f6b4a",
}

_CSS = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 62rem; color: #1b1f24; background: #fff;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #1b1f24; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; }
.verdict { padding: .75rem 1rem; border-left: .4rem solid #1b1f24; background: #f2f4f6; font-weight: 600; }
.verdict.violations { border-color: #8f1d1d; } .verdict.clean { border-color: #1f6b4a; }
.wrap { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: .925rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #c9ced4; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.id { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .75rem; margin: .5rem 0; }
dt { text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
svg.bar { display: block; width: 100%; height: 1.4rem; margin: .4rem 0; }
small, .note { color: #454c55; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; } h2, h3 { break-after: avoid; } tr, svg { break-inside: avoid; }
  thead { display: table-header-group; } .skip { display: none; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""


def write(path: Path, report: CheckReport, evaluated: Evaluated, *, limit: int) -> None:
    """Write the page. ``limit`` bounds each list of devices; counts are always whole."""
    with writing(path) as stream:
        for part in _page(report, evaluated, limit):
            stream.write(part + "\n")


def _page(report: CheckReport, evaluated: Evaluated, limit: int) -> Iterator[str]:
    title = str(
        Text("Banned apps: what the exports show", "Applications interdites : ce que montrent les exportations")
    )
    when = report.checked_at.strftime("%Y-%m-%d %H:%M UTC")
    yield f'<!doctype html>\n<html lang="{language()}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title><style>{_CSS}</style></head><body>"
    yield f'<a class="skip" href="#main">{_e(Text("Skip to the content", "Passer au contenu"))}</a>'
    yield _HATCH
    yield f"<header><h1>{escape(title)}</h1><p>{escape(summary_line(report))} <time>{when}</time></p></header>"
    yield '<main id="main">'
    yield f'<p class="verdict {report.verdict}">{escape(verdict_line(report))}</p>'
    yield from _unseen(report)
    yield f"<h2>{_e(Text('Violations', 'Infractions'))}</h2>"
    for check in report.directives:
        yield from _directive(check)
    title_found = Text("Devices with violations", "Appareils en infraction")
    yield from _findings(title_found, violations(evaluated), limit)
    note = Text(
        "Look-alikes are apps that resemble a banned app. They are not violations; a person should look into them.",
        "Les sosies sont des applications qui ressemblent à une application interdite. Ce ne sont pas des infractions; "
        "une personne doit les examiner.",
    )
    yield f'<h2>{_e(Text("Look-alikes", "Sosies"))}</h2><p class="note">{_e(note)}</p>'
    yield from _findings(
        Text("Devices with look-alikes", "Appareils comportant des sosies"), lookalikes(evaluated), limit
    )
    yield from _sources(report)
    yield "</main></body></html>"


_HATCH = (
    '<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs><pattern id="hatch" width="6" '
    'height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#d9dde2"/>'
    '<rect width="2" height="6" fill="#6b737d"/></pattern></defs></svg>'
)


def _unseen(report: CheckReport) -> Iterator[str]:
    title = Text("What could not be seen", "Ce qui n'a pas pu être vu")
    yield f"<h2>{_e(title)}</h2>"
    devices, lost = unseen_devices(report.unseen), unseen_input(report.unseen)
    if not (devices or lost):
        yield f"<p>{_e(Text('Every list is whole and dated.', 'Chaque liste est entière et datée.'))}</p>"
        return
    if devices:
        told = "".join(f"<dt>{_e(number)}</dt><dd>{_e(way)}</dd>" for number, way in devices)
        yield f"<p>{_e(EACH_LINE)}</p><dl>{told}</dl>"
    yield "".join(f"<p>{_e(line)}</p>" for line in lost)
    gaps = sorted((gap for gap in report.gaps if not gap.directive), key=lambda gap: -gap.devices)
    rows = [
        (gap.system, f"{PLATFORM[gap.platform]}, {ENROLMENT[gap.enrolment]}", str(gap.reason), count(gap.devices))
        for gap in gaps
    ]
    headers = (
        Text("Source", "Source"),
        Text("Devices", "Appareils"),
        Text("Why", "Pourquoi"),
        Text("Number", "Nombre"),
    )
    yield _table(Text("By source", "Par source"), headers, rows, numeric=1)


def _directive(check: DirectiveCheck) -> Iterator[str]:
    terms = f"{FORCE[check.force]}, {STATE[check.state]}"
    if check.effective is not None:
        terms += str(Text(f", effective {check.effective}", f", prise d'effet : {check.effective}"))
    yield f'<h3>{_e(check.title)}</h3><p class="note">{escape(check.directive)} ({escape(terms)})</p>'
    yield _bar(check)
    presences = [(str(PRESENCE[presence]), count(devices)) for presence, devices in check.by_presence.items()]
    presences.append((str(Text("in scope", "visés")), count(check.devices)))
    yield _table(
        Text("Devices by what is known of the app", "Appareils selon ce qu'on sait de l'application"),
        (Text("Presence", "Présence"), Text("Devices", "Appareils")),
        presences,
        numeric=1,
    )
    groups = groups_with_violations(check.groups)
    by_name = sum(group.by_name for group in groups)
    if by_name:
        named = Text(
            f"Of the devices where it is present, known by the app's name only, to be confirmed: {count(by_name)}.",
            "Parmi les appareils où elle est présente, connus d'après le nom seulement, à confirmer\u00a0: "
            f"{count(by_name)}.",
        )
        yield f'<p class="note">{_e(named)}</p>'
    if groups:
        headers = (Text("Department", "Direction"), Text("Platform", "Plateforme"), BY_IDENTIFIER, BY_NAME, IN_SCOPE)
        rows = [
            (
                str(department(group.department)),
                str(PLATFORM[group.platform]),
                count(group.by_identifier),
                count(group.by_name),
                count(group.devices),
            )
            for group in groups
        ]
        yield _table(Text("Violations by department", "Infractions par direction"), headers, rows, numeric=3)
    for note in notes(check):
        yield f'<p class="note">{escape(note)}</p>'


def _bar(check: DirectiveCheck) -> str:
    """A bar of the fleet in scope by presence."""
    if not check.devices:
        return ""
    label = "; ".join(f"{PRESENCE[presence]} {count(devices)}" for presence, devices in check.by_presence.items())
    parts, at = [], 0.0
    for presence, devices in check.by_presence.items():
        width = 1000 * devices / check.devices
        parts.append(
            f'<rect x="{at:.2f}" y="0" width="{width:.2f}" height="20" fill="{_FILL[presence]}" stroke="#fff">'
            f"<title>{_e(PRESENCE[presence])} {count(devices)}</title></rect>"
        )
        at += width
    return (
        f'<svg class="bar" viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def _findings(title: Text, found: Iterator[Finding], limit: int) -> Iterator[str]:
    shown = list(islice(found, limit))
    if not shown:
        yield f"<p>{_e(Text('None found in what could be seen.', 'Rien de trouvé dans ce qui a pu être vu.'))}</p>"
        return
    headers = (
        Text("Device", "Appareil"),
        Text("Department", "Direction"),
        Text("App", "Application"),
        Text("Found by", "Trouvée d'après"),
        Text("Confidence", "Fiabilité"),
        Text("Directive", "Directive"),
    )
    rows = [
        (
            one.device,
            str(department(one.department)),
            one.app_name if not one.app_id else f"{one.app_name} ({one.app_id})" if one.app_name else one.app_id,
            str(MATCH[one.match]),
            str(CONFIDENCE[one.confidence]),
            one.directive,
        )
        for one in shown
    ]
    yield _table(title, headers, rows, numeric=0)
    if next(found, None) is not None:
        first = Text(f"Only the first {limit} are listed here", f"Seules les {limit} premières lignes figurent ici")
        if limit == 1:
            first = Text("Only the first row is listed here", "Seule la première ligne figure ici")
        rest = first + Text(
            "; the CSV and JSON results hold all of them.", "; les résultats CSV et JSON les contiennent toutes."
        )
        yield f'<p class="note">{_e(rest)}</p>'


def _sources(report: CheckReport) -> Iterator[str]:
    headers = (
        Text("File", "Fichier"),
        Text("Format", "Format"),
        Text("Devices", "Appareils"),
        Text("Rows", "Lignes"),
        Text("Unusable rows", "Lignes inutilisables"),
    )
    rows = [
        (source.name, source.format, count(source.devices), count(source.rows), count(source.bad_rows))
        for source in report.sources
    ]
    yield f"<h2>{_e(Text('What was read', 'Ce qui a été lu'))}</h2>"
    yield _table(Text("Files", "Fichiers"), headers, rows, numeric=3)
    digests = "".join(
        f"<li><code>{escape(source.digest)}</code> {escape(source.name)}</li>" for source in report.sources
    )
    words = Text("SHA-256 of each file", "SHA-256 de chaque fichier")
    yield f'<details><summary>{_e(words)}</summary><ul class="note">{digests}</ul></details>'


def _e(text: object) -> str:
    return escape(str(text))


_LONG_WORD = 16  # a word of more letters may be broken anywhere, or it would push a table off a phone


def _kind(cell: str, *, number: bool) -> str:
    if number:
        return ' class="n"'
    return ' class="id"' if any(len(word) > _LONG_WORD for word in cell.split()) else ""


def _table(title: Text, headers: Sequence[Text], rows: Sequence[Sequence[str]], *, numeric: int) -> str:
    """A table; the last ``numeric`` columns are numbers, and the first column heads each row."""
    first = len(headers) - numeric
    head = "".join(
        f'<th scope="col"{" class=n" if place >= first else ""}>{_e(header)}</th>'
        for place, header in enumerate(headers)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{_kind(cell, number=place >= first)}>{escape(cell)}</td>" for place, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wrap"><table><caption>{_e(title)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
