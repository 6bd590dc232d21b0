"""How commands show things: documents as JSON, tables that fit the terminal, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from proscribe.files import write_whole
from proscribe.text import Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

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
    """A table; the last ``numeric`` columns are right-aligned. Meaning is never carried by colour alone."""
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", header_style="bold", expand=False)
    for position, header in enumerate(headers):
        right = position >= len(headers) - numeric
        table.add_column(header, justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console().print(table)


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
