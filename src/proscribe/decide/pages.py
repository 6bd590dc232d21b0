"""The record of a decision in one language: as Markdown, and as one self-contained HTML page."""

from __future__ import annotations

import re

from proscribe.decide.record import Part, Record, Row
from proscribe.page.markup import Column, Pen
from proscribe.page.style import style_sheet
from proscribe.text import COLON, Language, Text

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_LEADING = re.compile(r"^([-+=])|^(\d+)([.)])")
_BREAKS = re.compile(r"[ \t\r\n]+")  # a no-break space is none of them
_TITLE = Text("Record of decision", "Compte rendu de décision")
_THEN = Text(
    "What was known when the decision was taken. Nothing that came later is in it.",
    "Ce qui était connu au moment de la décision. Rien de ce qui a suivi n'y figure.",
)


def markdown(record: Record, language: Language) -> str:
    """The record as Markdown (CommonMark with pipe tables)."""
    pen = Pen(language)

    def say(text: Text) -> str:
        """The words on one line; none of them becomes markup."""
        plain = _ACTIVE.sub(r"\\\1", _BREAKS.sub(" ", pen.plain(text)).strip(" "))
        return _LEADING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", plain)

    blocks = [f"# {say(_TITLE)}{pen.plain(COLON)} {say(record.title)}", say(_THEN)]
    for part in record.parts:
        blocks += [f"{'###' if part.below else '##'} {say(part.heading)}", *map(say, part.paragraphs)]
        if part.rows:
            blocks.append(
                "\n".join(
                    _line(row, say(row.label) + pen.plain(COLON), list(map(say, row.values))) for row in part.rows
                )
            )
        if part.table:
            lines = ["| " + " | ".join(map(say, row)) + " |" for row in (part.columns, *part.table)]
            lines.insert(1, "|" + " --- |" * len(part.columns))
            blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, f"`{record.case}` `{record.head}`"]) + "\n"


def _line(row: Row, label: str, values: list[str]) -> str:
    if len(row.values) == 1:
        return f"- **{label}** {values[0]}"
    return "\n".join([f"- **{label}**", *(f"  - {one}" for one in values)])


def html(record: Record, language: Language) -> str:
    """The record as a page that loads nothing and runs nothing."""
    pen = Pen(language)
    sections = "".join(_section(pen, index, part) for index, part in enumerate(record.parts))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}-CA"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{pen.text(_TITLE)} – {pen.text(record.title)}</title><style>{style_sheet()}</style></head><body>"
        f'<header class="masthead"><div class="sheet"><p class="owner">{pen.text(_TITLE)}</p>'
        f"<h1>{pen.text(record.title)}</h1><p>{pen.moment(record.decided_at)}</p></div></header>"
        f'<main id="main"><div class="sheet"><p class="lead">{pen.text(_THEN)}</p>{sections}</div></main>'
        f'<footer><div class="sheet"><p>{pen.text(record.case)} <span class="hash">{record.head}</span></p></div>'
        "</footer>"
        "</body></html>\n"
    )


def _section(pen: Pen, index: int, part: Part) -> str:
    body = "".join(f"<p>{pen.text(one)}</p>" for one in part.paragraphs)
    if part.rows:
        body += '<dl class="facts">' + "".join(_fact(pen, row) for row in part.rows) + "</dl>"
    if part.table:
        body += pen.table(part.heading, [Column(title) for title in part.columns], part.table, wide=True)
    name, level = f"part-{index}", "h3" if part.below else "h2"
    heading = f'<{level} id="{name}">{pen.text(part.heading)}</{level}>'
    return f'<section aria-labelledby="{name}">{heading}{body}</section>'


def _fact(pen: Pen, row: Row) -> str:
    value = pen.text(row.values[0]) if len(row.values) == 1 else pen.bullets(row.values)
    return f"<dt>{pen.text(row.label)}</dt><dd>{value}</dd>"
