"""``proscribe notice``: the notices of a case or a directive, in both languages, as files."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.text import Text, plural

AUDIENCES = ("public", "staff", "departments", "vendor")
FORMATS = ("md", "html", "pdf")


def _day(name: str, text: Text) -> click.Option:
    return click.Option([name], type=click.DateTime(["%Y-%m-%d"]), default=None, help=str(text))


@click.command(
    help=str(
        Text(
            "Write the notices of a case, or of a directive, into a folder. Each is in English and in French, or none "
            "is written.",
            "Produire dans un répertoire les avis d'un dossier de décision ou d'une directive. Chacun est en "
            "français et en anglais, ou aucun n'est produit.",
        )
    ),
    params=[
        _day("--reply-by", Text("Last day for the vendor's reply.", "Date limite pour la réponse du fournisseur.")),
        _day("--acknowledge-by", Text("Last day to acknowledge.", "Date limite pour accuser réception.")),
        _day("--attest-by", Text("Last day to attest.", "Date limite pour attester.")),
    ],
)
@click.argument("case_or_directive", metavar=str(Text("CASE|DIRECTIVE", "DOSSIER|DIRECTIVE")))
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help=str(Text("Folder to write them into.", "Répertoire où les enregistrer.")),
)
@click.option(
    "--audience",
    "audiences",
    type=click.Choice(AUDIENCES),
    multiple=True,
    help=str(
        Text(
            "For whom; repeat for more. All by default; of a draft, the vendor.",
            "Pour qui; à répéter au besoin. Par défaut, tous; pour une ébauche, le fournisseur.",
        )
    ),
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    help=str(
        Text(
            "Repeat for more. All by default; PDF needs the extra proscribe[pdf].",
            "À répéter au besoin. Par défaut, tous; le PDF exige l'extra proscribe[pdf].",
        )
    ),
)
@installation_options
def command(
    case_or_directive: str,
    folder: Path,
    audiences: tuple[str, ...],
    formats: tuple[str, ...],
    home: Path | None,
    actor: str,
    **last: datetime | None,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import working
    from proscribe.publish.notices.files import Format
    from proscribe.publish.notices.model import Audience
    from proscribe.publish.notices.pdf import available
    from proscribe.service import publishing

    days: dict[str, date | None] = {name: day.date() if day is not None else None for name, day in last.items()}
    chosen = tuple(dict.fromkeys(map(Format, formats or FORMATS)))
    if not formats and not available():
        chosen = (Format.md, Format.html)
        click.echo(
            str(
                Text(
                    "No PDF is written; install proscribe[pdf] for it.",
                    "Aucun PDF n'est produit; installez proscribe[pdf] pour l'obtenir.",
                )
            ),
            err=True,
        )
    installation = open_installation(home, actor)
    made = publishing.notices(
        installation,
        case_or_directive,
        audiences=tuple(dict.fromkeys(map(Audience, audiences))),
        days=publishing.Days(**days),
    )
    with working():
        paths = publishing.publish(installation, made, folder, formats=chosen)
    count = plural(len(paths), Text("file", "fichier"), Text("files", "fichiers"))
    click.echo(str(Text(f"{count.en} written to {folder}.", f"{count.fr} dans {folder}.")))
