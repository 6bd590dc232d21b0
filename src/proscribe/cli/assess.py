"""``proscribe assess``: how much of a device an app can reach, and what shows it. No database, no network."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from proscribe.cli.output import json_option
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.assess.engine import Options

EXIT_ASSESSED, EXIT_ERROR, EXIT_INCONCLUSIVE = 0, 1, 2

_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILE_WORD = str(Text("FILE", "FICHIER"))
_FILE_OR_FOLDER = str(Text("FILE|FOLDER", "FICHIER|DOSSIER"))

F = TypeVar("F", bound=Callable[..., Any])


class AssessGroup(click.Group):
    """A command that takes a path, and one word instead of a path: ``diff``. A file of that name is ``./diff``."""

    allow_extra_args = False
    allow_interspersed_args = True

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of ``diff`` where that is asked for, else of the command itself."""
        if args[:1] == ["diff"]:
            return self.commands["diff"].make_context(f"{info_name} diff", args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As a plain command: the path is an argument, no name of a subcommand."""
        return click.Command.parse_args(self, ctx, args or ["--help"])

    def invoke(self, ctx: click.Context) -> Any:
        """As a plain command."""
        return click.Command.invoke(self, ctx)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """As a plain command."""
        return click.Command.collect_usage_pieces(self, ctx)


def _out(name: str, text: Text, metavar: str = _FILE_WORD, *, folders: bool = False) -> Callable[[F], F]:
    """An option for a result."""
    kind = click.Path(dir_okay=folders, path_type=Path)
    return click.option(name, type=kind, metavar=metavar, help=str(text))


@click.group(
    cls=AssessGroup,
    invoke_without_command=True,
    help=str(
        Text(
            "Say how much of a device an app can reach, and what shows it. PATH is a package (.apk, .xapk, .apks, "
            ".apkm, .ipa; recognised by content), an assessment saved with --out, or a folder of packages. 'proscribe "
            "assess diff OLD NEW' says what an update added. Exit status: 0 assessed, 2 the rating is inconclusive or "
            "a report could not be made anew in full, 1 error, failed --recheck, or a package of a folder that could "
            "not be assessed.",
            "Dire ce qu'une application peut atteindre d'un appareil, et ce qui le montre. CHEMIN est un paquet (.apk, "
            ".xapk, .apks, .apkm, .ipa; reconnu d'après son contenu), une évaluation enregistrée avec --out, ou un "
            "dossier de paquets. « proscribe assess diff ANCIEN NOUVEAU » dit ce qu'une mise à jour a ajouté. Code de "
            "sortie : 0 évaluée, 2 cote non concluante ou rapport non refait en entier, 1 erreur, échec de --recheck, "
            "ou paquet d'un dossier qui n'a pas pu être évalué.",
        )
    ),
)
@click.argument("path", metavar=str(Text("PATH", "CHEMIN")), type=click.Path(exists=True, path_type=Path))
@_out(
    "--html",
    Text(
        "Write a page that reads and prints well, in the language in force; into a folder, in both languages.",
        "Écrire une page à lire et à imprimer, dans la langue d'affichage; dans un dossier, dans les deux langues.",
    ),
    _FILE_OR_FOLDER,
    folders=True,
)
@_out("--sarif", Text("Write the findings as SARIF 2.1.0.", "Écrire les constats en SARIF 2.1.0."))
@_out("--cyclonedx", Text("Write the SDKs as CycloneDX 1.6.", "Écrire les trousses SDK en CycloneDX 1.6."))
@_out(
    "--out",
    Text(
        "Write the assessment (canonical JSON); of a folder, all of them into this folder.",
        "Écrire l'évaluation (JSON canonique); pour un dossier, toutes dans ce dossier.",
    ),
    _FILE_OR_FOLDER,
    folders=True,
)
@json_option
@click.option(
    "--details", is_flag=True, help=str(Text("Show every finding and fact.", "Montrer chaque constat et chaque fait."))
)
@click.option(
    "--rubric",
    type=_READABLE,
    metavar=_FILE_WORD,
    help=str(
        Text("Rate by this rubric instead of the shipped one.", "Coter d'après cette grille plutôt que celle fournie.")
    ),
)
@click.option(
    "--review",
    type=_READABLE,
    metavar=_FILE_WORD,
    help=str(
        Text(
            "Apply this review: findings set aside or released.",
            "Appliquer cet examen : constats écartés ou diffusables.",
        )
    ),
)
@click.option(
    "--observed",
    "observations",
    type=_READABLE,
    multiple=True,
    metavar=_FILE_WORD,
    help=str(
        Text("Add what was seen at run time (repeatable).", "Ajouter ce qui a été observé à l'exécution (répétable).")
    ),
)
@click.option(
    "--recheck",
    type=_READABLE,
    metavar=_FILE_WORD,
    help=str(
        Text(
            "Look up every piece of evidence of this saved assessment in the package, and make the assessment anew "
            "(give its --rubric, --review and --observed again).",
            "Rechercher dans le paquet chaque élément de preuve de cette évaluation enregistrée, et refaire celle-ci "
            "(redonnez --rubric, --review et --observed).",
        )
    ),
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    help=str(
        Text(
            "How many packages of a folder to assess at a time; by default, one for each core.",
            "Nombre de paquets d'un dossier à traiter à la fois; par défaut, un par cœur.",
        )
    ),
)
@click.option("--packs", type=click.Path(exists=True, file_okay=False, path_type=Path), hidden=True)
def command(path: Path, **options: Any) -> int:
    wanted = Wanted(path=path, **options)
    try:
        if wanted.recheck is not None:
            return _recheck(wanted, wanted.recheck)
        return _folder(wanted) if path.is_dir() else _file(wanted)
    finally:
        _say_what_was_not_limited()


def _say_what_was_not_limited() -> None:
    """A stranger's file was read with less around it than the guide promises: that must not stay unsaid."""
    from proscribe.assess.sandbox import UNLIMITED

    if UNLIMITED:
        listed = ", ".join(sorted(UNLIMITED))
        text = Text(
            f"This system could not limit the process that read the package: {listed} (docs/adr/0018).",
            f"Ce système n'a pas pu limiter le processus qui a lu le paquet : {listed} (docs/adr/0018).",
        )
        click.echo(str(text), err=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    path: Path
    html: Path | None = None
    sarif: Path | None = None
    cyclonedx: Path | None = None
    out: Path | None = None
    as_json: bool = False
    details: bool = False
    rubric: Path | None = None
    review: Path | None = None
    observations: tuple[Path, ...] = ()
    recheck: Path | None = None
    jobs: int = 1
    packs: Path | None = None

    def engine_options(self) -> Options:
        """What of it goes into the assessment itself."""
        from proscribe.assess.engine import Options

        return Options(self.rubric, self.review, self.observations, self.packs)

    def refuse(self, *names: str, why: Text) -> None:
        """Raise where an option was given that would have no effect here."""
        given = [f"--{name.replace('observations', 'observed')}" for name in names if getattr(self, name)]
        if given:
            listed = ", ".join(given)
            raise click.UsageError(str(Text(f"{listed}: {why.en}", f"{listed} : {why.fr}")))


def _file(wanted: Wanted) -> int:
    """One package, or an assessment that was saved: make the outputs, show it, and say how it went."""
    from proscribe.cli import assess_files
    from proscribe.cli.output import print_json

    assess_files.keep_apart(wanted)
    data, assessment = assess_files.assessment_of(wanted)
    written = assess_files.write(wanted, data, assessment)
    if wanted.as_json:
        import json

        print_json(json.loads(data))
    else:
        from proscribe.cli import assess_view

        assess_view.show(assessment, details=wanted.details, path=wanted.path)
    for path in written:
        click.echo(str(Text(f"Written: {path}", f"Enregistré : {path}")), err=wanted.as_json)
    return status_of(assessment.rating.rating)


def status_of(rating: str | None) -> int:
    """The exit status of one assessment."""
    return EXIT_INCONCLUSIVE if rating == "inconclusive" else EXIT_ASSESSED


def _recheck(wanted: Wanted, report: Path) -> int:
    """A saved assessment's evidence, looked up again."""
    from proscribe.assess import engine
    from proscribe.cli import assess_compare
    from proscribe.cli.output import print_json
    from proscribe.documents import to_json

    wanted.refuse(
        "html", "sarif", "cyclonedx", "out",
        why=Text("no effect with --recheck", "sans effet avec --recheck"),
    )  # fmt: skip
    if wanted.path.is_dir():
        raise click.UsageError(str(Text("--recheck takes one package", "--recheck porte sur un seul paquet")))
    result = engine.recheck(report, wanted.path, wanted.engine_options())
    if wanted.as_json:
        print_json(to_json(result))
    else:
        assess_compare.show_recheck(result, every=wanted.details)
    if not assess_compare.holds(result):
        return EXIT_ERROR
    return EXIT_ASSESSED if assess_compare.is_whole(result) else EXIT_INCONCLUSIVE


def _folder(wanted: Wanted) -> int:
    """Every package of a folder."""
    from proscribe.assess import batch
    from proscribe.cli import assess_compare
    from proscribe.cli.output import print_json, progress
    from proscribe.documents import to_json

    wanted.refuse(
        "html", "sarif", "cyclonedx", "details",
        why=Text("one package at a time; not for a folder", "un paquet à la fois; pas pour un dossier"),
    )  # fmt: skip
    if wanted.out is None:
        raise click.UsageError(str(Text("a folder needs --out FOLDER", "un dossier exige --out DOSSIER")))
    with progress() as bar:
        task = bar.add_task(str(Text("Packages", "Paquets")), total=None)

        def on_file(done: int, total: int, _file: str) -> None:
            bar.update(task, completed=done, total=total)

        result = batch.assess_folder(
            wanted.path, wanted.out, jobs=wanted.jobs, options=wanted.engine_options(), report=on_file
        )
    if wanted.as_json:
        print_json(to_json(result))
    else:
        assess_compare.show_batch(result, wanted.out)
    if result.failed or not result.files:
        return EXIT_ERROR
    return max(status_of(item.rating) for item in result.items)


@command.command(
    "diff",
    help=str(
        Text(
            "Say what an update added and what it dropped. OLD and NEW are packages or assessments saved with --out.",
            "Dire ce qu'une mise à jour a ajouté et ce qu'elle a retiré. ANCIEN et NOUVEAU sont des paquets ou des "
            "évaluations enregistrées avec --out.",
        )
    ),
)
@click.argument("old", metavar=str(Text("OLD", "ANCIEN")), type=_READABLE)
@click.argument("new", metavar=str(Text("NEW", "NOUVEAU")), type=_READABLE)
@json_option
@click.option(
    "--rubric",
    type=_READABLE,
    metavar=_FILE_WORD,
    help=str(
        Text(
            "Rate packages by this rubric instead of the shipped one.",
            "Coter les paquets d'après cette grille plutôt que celle fournie.",
        )
    ),
)
def diff(old: Path, new: Path, as_json: bool, rubric: Path | None) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.assess.difference import difference
    from proscribe.canonical import digest_bytes
    from proscribe.cli import assess_compare, assess_files
    from proscribe.cli.output import print_json
    from proscribe.documents import to_json

    (first, before), (second, after) = (
        assess_files.assessment_of(Wanted(path=path, rubric=rubric)) for path in (old, new)
    )
    found = difference(before, after, digests=(digest_bytes(first), digest_bytes(second)))
    if as_json:
        print_json(to_json(found))
    else:
        assess_compare.show_difference(found)
    return EXIT_ASSESSED
