"""Small pieces of HTML in one language: escaped text, numbers, dates, tables for screen readers and phones alike."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from proscribe.text import Language, Text

_NO_BREAK = "\u00a0"
_FR_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_EN_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``kind``: text, number, date, word or picture; ``mark``: a picture before the title."""

    title: Text
    kind: str = "text"
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """HTML that is already safe."""

    html: str


Cell = Raw | Text | str | int


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes in one language."""

    language: Language

    def plain(self, text: Text | str) -> str:
        """The text in this language, with the no-break spaces French typography asks for."""
        value = text if isinstance(text, str) else (text.fr if self.language == "fr" else text.en)
        if self.language == "fr" and not isinstance(text, str):
            value = value.replace(" :", f"{_NO_BREAK}:").replace("« ", f"«{_NO_BREAK}").replace(" »", f"{_NO_BREAK}»")
            value = value.replace(" %", f"{_NO_BREAK}%")
        return value

    def text(self, text: Text | str) -> str:
        """The text, escaped."""
        return html.escape(self.plain(text), quote=True)

    def number(self, value: int) -> str:
        """A count: 5,000 in English, 5 000 in French."""
        grouped = f"{value:,}"
        return grouped.replace(",", _NO_BREAK) if self.language == "fr" else grouped

    def share(self, part: int, whole: int) -> str:
        """A percentage that never rounds up to all or down to none."""
        if not whole:
            return "–"
        percent = 100 * part / whole
        mark = ""
        if 0 < percent < 0.1:
            percent, mark = 0.1, "<"
        elif 99.9 < percent < 100:
            percent, mark = 99.9, ">"
        shown = f"{percent:.1f}" if 0 < percent < 100 else f"{percent:.0f}"
        if self.language == "fr":
            shown = shown.replace(".", ",")
            mark = mark and f"{mark}{_NO_BREAK}"
            return f"{mark}{shown}{_NO_BREAK}%"
        return f"{mark}{shown}%"

    def day(self, value: date) -> str:
        """A date in words."""
        if self.language == "fr":
            number = "1er" if value.day == 1 else str(value.day)
            return f"{number}{_NO_BREAK}{_FR_MONTHS[value.month - 1]}{_NO_BREAK}{value.year}"
        return f"{value.day}{_NO_BREAK}{_EN_MONTHS[value.month - 1]}{_NO_BREAK}{value.year}"

    def moment(self, value: datetime) -> str:
        """A moment in UTC, to the minute, as a ``time`` element."""
        clock = f"{value:%H}{_NO_BREAK}h{_NO_BREAK}{value:%M}" if self.language == "fr" else f"{value:%H:%M}"
        stamp = value.isoformat().replace("+00:00", "Z")
        return f'<time datetime="{stamp}">{self.day(value.date())}, {clock}{_NO_BREAK}UTC</time>'

    def cell(self, value: Cell) -> str:
        """What stands in a table cell."""
        if isinstance(value, Raw):
            return value.html
        if isinstance(value, int):
            return self.number(value)
        return self.text(value)

    def table(
        self,
        caption: Text,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        *,
        wide: bool = False,
        total: bool = False,
    ) -> str:
        """A table whose first column heads its rows.

        On a phone each row becomes a block (CSS), which makes browsers forget that it is a table; the explicit roles
        keep it one for a screen reader. ``wide`` tables become blocks earlier; with ``total`` the last row sums up the
        others.
        """
        titles = [self.text(column.title) for column in columns]
        head = "".join(
            f'<th role="columnheader" scope="col" class="{column.kind}">{column.mark}{title}</th>'
            for column, title in zip(columns, titles, strict=True)
        )
        body = "".join(self._row(columns, titles, row) for row in rows)
        whole_on_a_page = len(rows) < 16 and not wide
        kinds = ("wide" if wide else "narrow") + (" totals" if total else "") + (" short" if whole_on_a_page else "")
        return (
            f'<table role="table" class="{kinds}"><caption>{self.text(caption)}</caption>'
            f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
        )

    def _row(self, columns: Sequence[Column], titles: Sequence[str], row: Sequence[Cell]) -> str:
        first, *rest = [self.cell(value) for value in row]
        cells = "".join(
            f'<td role="cell" class="{column.kind}" data-label="{title}">{value}</td>'
            for column, title, value in zip(columns[1:], titles[1:], rest, strict=True)
        )
        return f'<tr role="row"><th role="rowheader" scope="row">{first}</th>{cells}</tr>'

    def bullets(self, items: Sequence[Text | str]) -> str:
        """An unordered list."""
        return "<ul>" + "".join(f"<li>{self.text(item)}</li>" for item in items) + "</ul>"
