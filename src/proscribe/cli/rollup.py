"""``proscribe rollup``: where every department stands, for the authority; and the department's answer to a re-check."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json, write_json
from proscribe.text import Text, plural

if TYPE_CHECKING:
    from proscribe.service.installation import Installation

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_ENTRIES, _DAYS = 8, 14

departments_option = click.option(
    "--departments",
    "listed",
    type=_FILE,
    help=str(
        Text(
            "File with the departments, one a line; by default those of the key list.",
            "Fichier des organismes, un par ligne; par défaut, ceux de la liste de clés.",
        )
    ),
)


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Where every department stands: who acknowledged, who attested, who is silent, whose word contradicts "
            "itself.",
            "Où en est chaque organisme\u00a0: accusé de réception, attestation, silence, contradictions.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(
    help=str(
        Text(
            "Record what departments sent: acknowledgements, attestations, exemption reports, answers. Their "
            "signatures are checked. Exit status 2 where an answer to a re-check does not hold.",
            "Consigner ce que les organismes ont envoyé\u00a0: accusés de réception, attestations, rapports "
            "d'exemptions, réponses. Les signatures sont vérifiées. Code de sortie 2 si une réponse à une "
            "revérification n'est pas valable.",
        )
    )
)
@click.argument("files", metavar=str(Text("FILE...", "FICHIER...")), nargs=-1, required=True, type=_FILE)
@installation_options
def receive(files: tuple[Path, ...], home: Path | None, actor: str) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.service import rolling

    installation = open_installation(home, actor)
    wrong = 0
    for file in files:
        came = rolling.receive(installation, rolling.read_signed(file))
        again = Text(" (known already)", " (déjà connu)") if came.known else Text("", "")
        click.echo(f"{came.department}: {came.kind}, {came.directive}{again}")
        for fault in came.wrong:
            wrong += 1
            click.echo(f"! {fault}")
    return 2 if wrong else 0


@command.command(
    help=str(
        Text(
            "Show every department under a directive, worst first. Exit status 2 while one has not attested.",
            "Afficher chaque organisme visé par une directive, les pires cas d'abord. Code de sortie 2 tant "
            "qu'un organisme n'a pas attesté.",
        )
    )
)
@click.argument("directive")
@click.option(
    "--acknowledge-by",
    type=_DAY,
    required=True,
    help=str(Text("Last day to acknowledge.", "Date limite pour accuser réception.")),
)
@click.option(
    "--attest-by", type=_DAY, required=True, help=str(Text("Last day to attest.", "Date limite pour attester."))
)
@departments_option
@installation_options
@json_option
def show(
    directive: str,
    acknowledge_by: datetime,
    attest_by: datetime,
    listed: Path | None,
    home: Path | None,
    actor: str,
    as_json: bool,
) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import working
    from proscribe.cli.rollup_view import show_rollup
    from proscribe.documents import to_json
    from proscribe.feed.model import DepartmentStanding
    from proscribe.service import rolling

    installation = open_installation(home, actor)
    with working():
        found = rolling.rollup(
            installation,
            directive,
            _departments(installation, listed),
            acknowledge_by=acknowledge_by.date(),
            attest_by=attest_by.date(),
        )
    if as_json:
        print_json(to_json(found))
    else:
        show_rollup(found)
    return 0 if set(found.standings) <= {DepartmentStanding.attested} else 2


@command.command(
    help=str(
        Text(
            "Draw random entries of the ledgers that departments attested to, and write a challenge for each.",
            "Tirer au hasard des entrées des registres attestés et produire une demande par organisme.",
        )
    )
)
@click.argument("directive")
@click.option(
    "--department",
    "named",
    multiple=True,
    help=str(Text("This department; repeat for more.", "Cet organisme; à répéter au besoin.")),
)
@click.option(
    "--random",
    "number",
    type=click.IntRange(min=1),
    help=str(
        Text(
            "So many departments, drawn among those that attested.",
            "Ce nombre d'organismes, tirés parmi ceux qui ont attesté.",
        )
    ),
)
@click.option(
    "--entries",
    type=click.IntRange(min=1),
    default=_ENTRIES,
    show_default=True,
    help=str(Text("Entries of each.", "Entrées pour chacun.")),
)
@click.option(
    "--days",
    type=click.IntRange(min=1),
    default=_DAYS,
    show_default=True,
    help=str(Text("Days to answer.", "Jours pour répondre.")),
)
@click.option(
    "--to", "folder", type=_FOLDER, required=True, help=str(Text("Folder to write to.", "Dossier de destination."))
)
@departments_option
@installation_options
def challenge(
    directive: str,
    named: tuple[str, ...],
    number: int | None,
    folder: Path,
    listed: Path | None,
    home: Path | None,
    actor: str,
    **terms: int,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import rolling

    if bool(named) == bool(number):
        raise click.UsageError(str(Text("give --department or --random", "indiquez --department ou --random")))
    installation = open_installation(home, actor)
    known = rolling.attested(installation, directive, _departments(installation, listed))
    folder.mkdir(parents=True, exist_ok=True)
    due = installation.clock.now().date() + timedelta(days=terms["days"])
    for department in named or rolling.drawn(known, number or 0):
        issued = rolling.challenge(installation, directive, department, due=due, entries=terms["entries"])
        path = folder / f"{department}.json"
        write_json(path, to_json(issued))
        count = plural(len(issued.indexes), Text("entry", "entrée"), Text("entries", "entrées"))
        click.echo(
            str(
                Text(
                    f"{path}: {count.en}, due {due}. Sign it and send it to {department}.",
                    f"{path}\u00a0: {count.fr}, pour le {due}. Signez-le et envoyez-le à {department}.",
                )
            )
        )


@command.command(
    help=str(
        Text(
            "Answer a challenge of the authority: the entries drawn, each with its place in the ledger attested to.",
            "Répondre à une demande de l'autorité\u00a0: les entrées tirées, avec leur place au registre attesté.",
        )
    )
)
@click.argument("file", metavar=str(Text("FILE", "FICHIER")), type=_FILE)
@click.option("--out", type=_OUT, required=True, help=str(Text("File to write.", "Fichier à produire.")))
@installation_options
def answer(file: Path, out: Path, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import attesting

    installation = open_installation(home, actor)
    given = attesting.answer(installation, attesting.read_challenge(installation, file))
    write_json(out, to_json(given))
    count = plural(len(given.entries), Text("entry", "entrée"), Text("entries", "entrées"))
    click.echo(
        str(Text(f"{out}: {count.en}. Sign it and send it.", f"{out}\u00a0: {count.fr}. Signez-le et envoyez-le."))
    )


@command.command(
    help=str(
        Text(
            "Check a proof bundle that a department handed over against what it attested to. Exit status 2 where they "
            "contradict each other.",
            "Vérifier un dossier de preuve remis par un organisme en regard de ce qu'il a attesté. Code de "
            "sortie 2 en cas de contradiction.",
        )
    )
)
@click.argument("department", metavar=str(Text("DEPARTMENT", "ORGANISME")))
@click.argument("file", metavar=str(Text("FILE", "FICHIER")), type=_FILE)
@installation_options
def check(department: str, file: Path, home: Path | None, actor: str) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.service import rolling

    wrong = rolling.receive_proof(open_installation(home, actor), department, file)
    for fault in wrong:
        click.echo(f"! {fault}")
    if not wrong:
        click.echo(
            str(
                Text(
                    "The proof holds, and fits what this department attested to.",
                    "La preuve est valable et concorde avec ce que cet organisme a attesté.",
                )
            )
        )
    return 2 if wrong else 0


@command.command(
    help=str(
        Text(
            "Write the tree heads held of every department, for the feed.",
            "Produire les têtes d'arbre détenues, par organisme, pour le fil.",
        )
    )
)
@click.option("--out", type=_OUT, required=True, help=str(Text("File to write.", "Fichier à produire.")))
@departments_option
@installation_options
def heads(out: Path, listed: Path | None, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import rolling

    installation = open_installation(home, actor)
    found = rolling.heads(installation, _departments(installation, listed))
    write_json(out, to_json(found))
    click.echo(
        str(Text(f"{out}: heads: {len(found.heads)}.", f"Têtes enregistrées dans {out}\u00a0: {len(found.heads)}."))
    )


def _departments(installation: Installation, listed: Path | None) -> tuple[str, ...]:
    from proscribe.service import rolling

    if listed is None:
        return rolling.departments_of(installation)
    return tuple(line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line.strip())
