"""``proscribe case record|export|import``: what a decision rested on, and a case as files."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.text import Text, language


@click.command(
    help=str(
        Text(
            "Print the complete record of a decision: what was known then, whatever came later.",
            "Produire le compte rendu complet d'une décision\u00a0: ce qui était connu alors, quelle qu'ait été "
            "la suite.",
        )
    )
)
@click.argument("case_id", metavar="ID")
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "html", "json"]),
    default="md",
    show_default=True,
    help=str(Text("JSON holds every document whole.", "Le JSON contient chaque document en entier.")),
)
@click.option(
    "--step",
    type=click.IntRange(min=1),
    help=str(
        Text(
            "The step that decided: a confirmation, an amendment. By default the first decision.",
            "L'étape qui a décidé\u00a0: une confirmation, une modification. Par défaut, la première décision.",
        )
    ),
)
@click.option(
    "--public",
    is_flag=True,
    help=str(
        Text(
            "Leave out evidence that is not public and the analysts' context.",
            "Omettre les éléments de preuve non publics et le contexte d'analystes.",
        )
    ),
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("Save to this file.", "Enregistrer dans ce fichier.")),
)
@installation_options
def record(
    case_id: str, form: str, step: int | None, public: bool, out: Path | None, home: Path | None, actor: str
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.decide import pages
    from proscribe.decide import record as records
    from proscribe.service import casestore, markings

    if public and form == "json":
        raise click.UsageError(
            str(
                Text(
                    "--public is for md and html: JSON holds every document whole.",
                    "--public vaut pour md et html\u00a0: le JSON contient chaque document en entier.",
                )
            )
        )
    file = casestore.load(open_installation(home, actor), case_id)
    if public:
        markings.refuse_public_record(file)
    if form == "json":
        body = records.record_json(file, step)
    else:
        write = pages.html if form == "html" else pages.markdown
        body = write(records.record(file, step, public=public), language()).encode()
    if out is None:
        click.echo(body.decode(), nl=form == "json")
        return
    out.write_bytes(body)
    click.echo(str(Text(f"Record written to {out}.", f"Compte rendu enregistré dans {out}.")))


@click.command(
    help=str(
        Text(
            "Write a case as files, every step and document one, so that it can live in git.",
            "Produire un dossier en fichiers, un par étape et par document, pour le conserver dans git.",
        )
    )
)
@click.argument("case_id", metavar="ID")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar=str(Text("FOLDER", "RÉPERTOIRE")))
@installation_options
def export(case_id: str, folder: Path, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import casework

    head = casework.export(open_installation(home, actor), case_id, folder)
    click.echo(str(Text(f"Case written to {folder}.", f"Dossier enregistré dans {folder}.")))
    click.echo(
        str(
            Text(
                f"Note its last step, and give it by another way: {head}",
                f"Notez sa dernière étape et transmettez-la par une autre voie\u00a0: {head}",
            )
        )
    )


@click.command(
    "import",
    help=str(
        Text(
            "Bring in a case from files. One changed byte is refused, with its place.",
            "Importer un dossier à partir de ses fichiers. Un seul octet modifié est refusé, avec son emplacement.",
        )
    ),
)
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar=str(Text("FOLDER", "RÉPERTOIRE")),
)
@click.option(
    "--head",
    help=str(
        Text(
            "Digest of the last step, known by another way.",
            "Empreinte de la dernière étape, obtenue par une autre voie.",
        )
    ),
)
@installation_options
def import_(folder: Path, head: str | None, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.canonical import Digest
    from proscribe.service import casework

    file = casework.import_(open_installation(home, actor), folder, head=Digest(head) if head else None)
    count = len(file.steps)
    click.echo(
        str(
            Text(
                f"Case {file.case.id} is whole; steps: {count}.",
                f"Le dossier {file.case.id} est intact; étapes\u00a0: {count}.",
            )
        )
    )
