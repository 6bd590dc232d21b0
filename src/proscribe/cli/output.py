"""How commands show things: documents as JSON, tables that fit the terminal, progress on standard error."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from proscribe.files import write_whole
from proscribe.text import COLON, Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_SHORT = 10  # cells; what is no longer stays in one line if that can be had
_LONGEST_WORDS = 28, 20, 16  # cells; longer ones may be broken, such as digests and paths

json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=str(Text("Print a JSON document instead of a table.", "Produire un document JSON au lieu d'un tableau.")),
)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=not writes_all(sys.stdout), indent=2))


def write_json(path: Path, value: Any) -> None:
    """One JSON document in a file, whole or not at all."""
    write_whole(path, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())


def writes_all(stream: TextIO) -> bool:
    """Whether the stream can carry every character; where it cannot, JSON is escaped rather than spoilt."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")


def console(*, stderr: bool = False) -> Console:
    """A rich console; colour only on a terminal and never where ``NO_COLOR`` is set."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def print_table(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]], *, numeric: int = 0) -> None:
    """A table; the last ``numeric`` columns are right-aligned. Meaning is never carried by colour alone.

    Words stay whole. Where the terminal is too narrow for that, the frame goes first, then long names are broken, and
    at last every row becomes a list. Nothing to show is said in a line.
    """
    from rich.table import Table

    screen = console()
    cells = [[str(cell) for cell in row] for row in rows]
    if title and not cells:
        click.echo(f"{title}{COLON} {Text('none', 'néant')}.")
        return
    columns = list(zip(headers, *cells, strict=True))
    fitted = _fitted(columns, screen.width)
    if fitted is None:
        _print_list(title, headers, cells, screen.width)
        return
    framed, widths = fitted
    table = Table(title=title or None, title_justify="left", header_style="bold", expand=False)
    if not framed:
        from rich.box import SIMPLE_HEAD

        table.box, table.pad_edge, table.show_edge, table.collapse_padding = SIMPLE_HEAD, False, False, True
    for position, header in enumerate(headers):
        justify: Literal["left", "right"] = "right" if position >= len(headers) - numeric else "left"
        table.add_column(header, justify=justify, overflow="fold", width=widths[position])
    for row in cells:
        table.add_row(*row)
    screen.print(table)


def _fitted(columns: Sequence[Sequence[str]], room: int) -> tuple[bool, list[int]] | None:
    """Whether there is room for a frame, and how wide each column is; None where words would have to be broken."""
    from rich.cells import cell_len

    whole = [max(cell_len(line) for cell in column for line in (cell.splitlines() or [""])) for column in columns]
    words = [max((cell_len(word) for cell in column for word in cell.split()), default=0) for column in columns]
    short = [cells if cells <= _SHORT else word for cells, word in zip(whole, words, strict=True)]
    for wanted, longest in ((short, _LONGEST_WORDS[0]), *((words, longest) for longest in _LONGEST_WORDS)):
        for framed, around in ((True, 3 * len(columns) + 1), (False, 2 * (len(columns) - 1))):
            widths = [max(1, min(one, longest)) for one in wanted]
            spare = room - around - sum(widths)
            if spare >= 0:
                return framed, _shared_out(columns, widths, whole, spare)
    return None


def _shared_out(columns: Sequence[Sequence[str]], widths: Sequence[int], whole: Sequence[int], spare: int) -> list[int]:
    """Widths with the spare cells given out: to those first that lack least, or where most folds; the shorter table."""
    least = list(widths)
    left = spare
    for position in sorted(range(len(least)), key=lambda at: whole[at] - least[at]):
        given = min(left, whole[position] - least[position])
        least[position] += given
        left -= given
    even = list(widths)
    for _ in range(spare):
        position = max(range(len(even)), key=lambda at: whole[at] / even[at])
        even[position] += even[position] < whole[position]
    return min(least, even, key=lambda tried: _height(columns, tried))


def _height(columns: Sequence[Sequence[str]], widths: Sequence[int]) -> int:
    """The lines of a table's rows."""
    folded = (
        [len(textwrap.wrap(cell, width)) for cell in column] for column, width in zip(columns, widths, strict=True)
    )
    return sum(max(row) for row in zip(*folded, strict=True))


def _print_list(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> None:
    if title:
        click.echo(title)
    for row in rows:
        click.echo()
        for header, cell in zip(headers, row, strict=True):
            line = f"{header}{COLON} {cell}" if header else cell
            click.echo(
                textwrap.fill(line, room, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
            )


@contextmanager
def progress() -> Iterator[Progress]:
    """Progress bars on standard error, shown on a terminal only, gone when done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    screen = console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    ) as bar:
        yield bar
