"""A notice as one self-contained HTML page in one language, for a screen, a telephone and paper.

It loads nothing and runs nothing. A link leads to the same notice in the other official language.
"""

from __future__ import annotations

from urllib.parse import quote

from proscribe.page.markup import Pen
from proscribe.page.style import style_sheet
from proscribe.publish.notices.model import Fact, Notice, Section, Table
from proscribe.text import Language, Text

_OTHER: dict[Language, tuple[Language, str]] = {"en": ("fr", "Français"), "fr": ("en", "English")}
_OWN = (
    ".masthead a{color:var(--on-deep)}.masthead .other{float:right;margin:0 0 .5rem 1rem}"
    ".sheet>.lead{margin:1.6rem 0 0;max-width:46rem}dl.facts{max-width:46rem}dl.facts dd{overflow-wrap:anywhere}"
    "@media screen and (max-width:38rem){th,td{padding:.45rem .35rem}tbody th{min-width:0}}"
    "@media print{.masthead .other{display:none}}"
)


def html(notice: Notice, language: Language, *, other: str = "") -> str:
    """The whole page. ``other`` is the address of the page in the other language, or empty for no link."""
    pen = Pen(language)
    title = f"{pen.text(notice.label)} – {pen.text(notice.title)}"
    skip = pen.text(Text("Skip to the notice", "Passer à l'avis"))
    sections = "".join(_section(pen, notice, one) for one in notice.sections)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}-CA"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{style_sheet()}{_OWN}</style></head><body>"
        f'<a class="skip" href="#main">{skip}</a>'
        f'<header class="masthead"><div class="sheet">{_link(language, other)}'
        f'<p class="owner">{pen.text(notice.issuer)}</p><h1>{pen.text(notice.title)}</h1>'
        f'<p>{pen.text(notice.label)}, <time datetime="{notice.at.date()}">{pen.day(notice.at.date())}</time></p>'
        f'</div></header><main id="main" tabindex="-1"><div class="sheet"><p class="lead">{pen.text(notice.lead)}</p>'
        f'{sections}</div></main><footer><div class="sheet"><p>{_footer(pen, notice)}</p></div></footer>'
        "</body></html>\n"
    )


def _link(language: Language, other: str) -> str:
    if not other:
        return ""
    code, name = _OTHER[language]
    return f'<p class="other"><a href="{quote(other)}" lang="{code}" hreflang="{code}">{name}</a></p>'


def _section(pen: Pen, notice: Notice, section: Section) -> str:
    body = "".join(f"<p>{pen.text(one)}</p>" for one in section.paragraphs)
    if section.points:
        body += pen.bullets(section.points)
    if section.facts:
        body += _facts(pen, notice, section.facts)
    if section.table is not None:
        body += _table(pen, section.table)
    body += "".join(f"<p>{pen.text(one)}</p>" for one in section.closing)
    name = section.name
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{pen.text(section.heading)}</h2>{body}</section>'


def _facts(pen: Pen, notice: Notice, facts: tuple[Fact, ...]) -> str:
    rows = "".join(f"<dt>{pen.text(one.label)}</dt><dd>{_values(pen, notice, one)}</dd>" for one in facts)
    return f'<dl class="facts">{rows}</dl>'


def _values(pen: Pen, notice: Notice, fact: Fact) -> str:
    if len(fact.values) > 1:
        return pen.bullets(fact.values)
    value, contact = fact.values[0], notice.contact
    if contact.email and value.en == contact.email:
        return f'<a href="mailto:{quote(contact.email, safe="@")}">{pen.text(value)}</a>'
    return pen.text(value)


def _table(pen: Pen, table: Table) -> str:
    """Two or three short columns: they fit a telephone as they are, so that the table stays one for every reader."""
    head = "".join(f'<th scope="col">{pen.text(title)}</th>' for title in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{pen.text(first)}</th>{"".join(f"<td>{pen.text(one)}</td>" for one in rest)}</tr>'
        for first, *rest in table.rows
    )
    caption = f"<caption>{pen.text(table.caption)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _footer(pen: Pen, notice: Notice) -> str:
    name = notice.case or notice.directive
    digest = f'<span class="hash">{notice.directive_digest}</span>'
    return (
        pen.text(
            Text(
                f"Reference: {name}. Digest of the directive: ",
                f"Référence\u00a0: {name}. Empreinte de la directive\u00a0: ",
            )
        )
        + digest
    )
