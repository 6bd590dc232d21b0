"""``proscribe check``: exports in, findings out. No database, no configuration, nothing kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proscribe.cli.output import json_option
from proscribe.errors import ProscribeError
from proscribe.text import Text, set_language

if TYPE_CHECKING:
    from proscribe.catalogue.model import TargetSet
    from proscribe.directive.model import Directive
    from proscribe.evaluate.model import CheckReport

_PATIENCE = 1.0  # seconds before a progress bar appears

EXIT_CLEAN, EXIT_ERROR, EXIT_VIOLATIONS = 0, 1, 2


class ConflictingOutput(ProscribeError):
    """Two results, or a result and an export, would share one place."""

    code = "check.conflicting-output"


def _language(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        set_language("fr" if value == "fr" else "en")


@click.command(
    help=str(
        Text(
            "Look for banned apps in exports of device management systems (CSV, JSON, plist, Parquet; gzip and zip as "
            "they are). Formats are recognised by content. Exit status: 0 nothing found, 2 violations found, 1 error, "
            "also when a file could not be read to its end and no violation was found.",
            "Chercher les applications interdites dans des exportations de systèmes de gestion d'appareils (CSV, JSON, "
            "plist, Parquet; gzip et zip tels quels). Les formats sont reconnus d'après le contenu. Code de sortie : 0 "
            "rien de trouvé, 2 infractions trouvées, 1 erreur, y compris quand un fichier n'a pas pu être lu jusqu'à "
            "la fin et qu'aucune infraction n'a été trouvée.",
        )
    )
)
@click.argument(
    "exports",
    metavar=str(Text("EXPORTS...", "EXPORTATIONS...")),
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@click.option(
    "-d",
    "--directive",
    "wanted",
    multiple=True,
    metavar=str(Text("ID|PATH", "ID|CHEMIN")),
    help=str(
        Text(
            "Check this directive only (repeatable); by default all shipped directives in force.",
            "Vérifier seulement cette directive (répétable); par défaut, toutes les directives fournies en vigueur.",
        )
    ),
)
@json_option
@click.option(
    "--csv",
    "csv_file",
    metavar=str(Text("FILE", "FICHIER")),
    help=str(
        Text(
            "Write the findings as CSV; '-' for standard output.",
            "Écrire les constats en CSV; « - » pour la sortie standard.",
        )
    ),
)
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar=str(Text("FILE", "FICHIER")),
    help=str(Text("Write a report that prints well.", "Écrire un rapport HTML prêt à imprimer.")),
)
@click.option(
    "--problems",
    "problems_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar=str(Text("FILE", "FICHIER")),
    help=str(Text("Write every row that could not be used.", "Écrire chaque ligne inutilisable.")),
)
@click.option(
    "--details/--no-details",
    default=False,
    help=str(Text("List the devices.", "Énumérer les appareils.")),
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help=str(
        Text(
            "Rows of a list on the terminal and in the report.",
            "Nombre de lignes par liste, à l'écran et dans le rapport.",
        )
    ),
)
@click.option(
    "--lang",
    type=click.Choice(["en", "fr"]),
    callback=_language,
    expose_value=False,
    is_eager=True,
    help=str(Text("Language of what is shown.", "Langue d'affichage.")),
)
def command(**options: Any) -> int:
    return run(Options(**options))


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    exports: tuple[Path, ...]
    wanted: tuple[str, ...] = ()
    as_json: bool = False
    csv_file: str | None = None
    html_file: Path | None = None
    problems_file: Path | None = None
    details: bool = False
    limit: int = 5


def run(options: Options) -> int:
    """Check the exports, show what was asked for, and return the exit status."""
    if options.as_json and options.csv_file == "-":
        raise ConflictingOutput(
            Text(
                "--json and --csv - both want standard output", "--json et --csv - exigent tous deux la sortie standard"
            ),
            remedy=Text("Give --csv a file.", "Indiquez un fichier pour --csv."),
        )
    _keep_apart(options)
    from tempfile import TemporaryDirectory

    from proscribe.cli import check_files, check_html, check_table
    from proscribe.clock import current_clock
    from proscribe.evaluate.check import report
    from proscribe.evaluate.engine import evaluate
    from proscribe.inventory.ingest import ingest

    clock = current_clock()
    bans = _bans(options.wanted, clock.now())
    with TemporaryDirectory(prefix="proscribe-check-") as folder:
        with _progress() as on_progress:
            snapshot = ingest(
                options.exports,
                Path(folder) / "snapshot",
                target_sets=[targets for _, targets in bans],
                clock=clock,
                on_progress=on_progress,
            )
        with evaluate(snapshot, bans, now=clock.now()) as evaluated:
            result = report(
                snapshot, bans, evaluated, files=[path.name for path in options.exports], with_findings=False
            )
            if options.problems_file is not None:
                check_files.write_problems(snapshot, options.problems_file)
            if options.html_file is not None:
                check_html.write(options.html_file, result, evaluated, limit=options.limit)
            if options.csv_file is not None:
                check_files.write_csv(options.csv_file, evaluated)
            if options.as_json:
                check_files.write_json(sys.stdout, result, evaluated)
            elif options.csv_file != "-":
                check_table.show(result, evaluated, details=options.details, limit=options.limit)
    return status_of(result)


def _keep_apart(options: Options) -> None:
    """A result must not be written over an export, nor over another result."""
    taken = {path.resolve() for path in options.exports}
    csv_file = None if options.csv_file in (None, "-") else Path(str(options.csv_file))
    for path in (csv_file, options.html_file, options.problems_file):
        if path is None:
            continue
        if path.resolve() in taken:
            raise ConflictingOutput(
                Text(
                    f"{path} is to be written, and is an export or another result",
                    f"{path} serait écrit, mais est une exportation ou un autre résultat",
                ),
                remedy=Text("Give every result a file of its own.", "Donnez à chaque résultat son propre fichier."),
            )
        taken.add(path.resolve())


def status_of(report: CheckReport) -> int:
    """The exit status: violations outrank a file that could not be read, for they are certain."""
    from proscribe.evaluate.model import Verdict

    if report.verdict is Verdict.violations:
        return EXIT_VIOLATIONS
    broken = report.unseen.unreadable_files or report.unseen.incomplete_files
    return EXIT_ERROR if broken or report.verdict is Verdict.nothing_read else EXIT_CLEAN


def _bans(wanted: tuple[str, ...], now: datetime) -> list[tuple[Directive, TargetSet]]:
    from proscribe.directive import library
    from proscribe.directive.model import State

    if wanted:
        directives = {directive.id: directive for directive in map(library.find, wanted)}
    else:
        current = (State.in_force, State.amended)
        directives = {directive.id: directive for directive in library.shipped() if directive.state in current}
    return [(directive, library.target_set(directive, now=now)) for directive in directives.values()]


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error, for what takes longer than a second on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _name, _done, _total: None
        return
    from contextlib import ExitStack

    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    from proscribe.cli.output import console

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
    )
    began = time.monotonic()
    tasks: dict[str, TaskID] = {}
    with ExitStack() as stack:

        def on_progress(name: str, done: int, total: int) -> None:
            if not tasks and time.monotonic() - began < _PATIENCE:
                return
            if not tasks:
                stack.enter_context(bar)
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        yield on_progress
