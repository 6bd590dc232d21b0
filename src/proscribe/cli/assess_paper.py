"""The terminal as a sheet of 60 to 120 columns: wrapped lines, columns without rules, nothing that deceives."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from textwrap import wrap

import click

from proscribe.assess.emit.hostile import visible
from proscribe.cli.output import console, writes_all

NARROWEST, WIDEST = 60, 120
_LIMIT = 2000


class Paper:
    """Writes to standard output. Bold is decoration: no meaning hangs on it."""

    def __init__(self) -> None:
        screen = console()
        self.width = max(NARROWEST, min(WIDEST, screen.width))
        self.bullet = "•" if writes_all(sys.stdout) else "-"
        self._styled = screen.is_terminal and not screen.no_color

    def line(self, text: object = "", *, indent: int = 0, hang: int = 0, bold: bool = False) -> None:
        """A paragraph, wrapped; lines after the first are moved in by ``hang`` more."""
        first, rest = " " * indent, " " * (indent + hang)
        shown = visible(str(text), _LIMIT)
        # Long words are names out of code: broken rather than let run over the edge.
        for part in wrap(shown, self.width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [
            ""
        ]:
            click.echo(click.style(part, bold=True) if bold and self._styled else part)

    def literal(self, text: str, *, indent: int = 0) -> None:
        """A line to be copied: it is not wrapped, for a break in it would be copied with it."""
        click.echo(" " * indent + visible(text, _LIMIT))

    def title(self, text: object) -> None:
        """A heading after an empty line."""
        self.line()
        self.line(text, bold=True)

    def bullets(self, items: Iterable[object]) -> None:
        """A list."""
        for item in items:
            self.line(f"{self.bullet} {item}", indent=2, hang=2)

    def columns(self, rows: Sequence[Sequence[object]], *, indent: int = 2) -> None:
        """Rows in columns: each as wide as it must be; where they do not fit, the widest give way, words last."""
        shown = [[visible(str(cell), 300) for cell in row] for row in rows]
        columns = [column for column in zip(*shown, strict=True) if any(column)]
        cells = list(zip(*columns, strict=True))
        room = self.width - indent - 2 * (len(columns) - 1)
        widths = _narrowed([max(map(len, column)) for column in columns], [_longest_word(one) for one in columns], room)
        for row in cells:
            wrapped = [
                wrap(cell, width, break_on_hyphens=False) or [""] for cell, width in zip(row, widths, strict=True)
            ]
            for number in range(max(map(len, wrapped))):
                parts = [
                    (lines[number] if number < len(lines) else "").ljust(width)
                    for lines, width in zip(wrapped, widths, strict=True)
                ]
                click.echo((" " * indent + "  ".join(parts)).rstrip())

    def bars(self, filled: int, of: int = 4) -> str:
        """Rungs as bars: ``▮▮▮▯``, or ``###.`` where the terminal lacks the signs."""
        full, empty = ("▮", "▯") if writes_all(sys.stdout) else ("#", ".")
        return full * filled + empty * (of - filled)


_LEAST = 8


def _longest_word(column: Sequence[str]) -> int:
    return max((len(word) for cell in column for word in cell.split(" ")), default=1)


def _narrowed(widths: list[int], words: list[int], room: int) -> list[int]:
    """Widths that fit the room: first down to each column's longest word, then, where that is not enough, below it."""
    for floors in (words, [_LEAST] * len(widths)):
        while sum(widths) > room:
            spare = [max(0, width - floor) for width, floor in zip(widths, floors, strict=True)]
            if not any(spare):
                break
            widths[max(range(len(widths)), key=lambda place: (spare[place] > 0, widths[place]))] -= 1
    return widths
