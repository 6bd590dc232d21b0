"""The root command: which commands there are, and how an error is shown."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from proscribe import __version__
from proscribe.cli.options import SUBCOMMAND
from proscribe.errors import DiskFull, ProscribeError, UnreadableFile, Where
from proscribe.files import reason
from proscribe.text import Text, language, set_language

# name -> (module, one line of help). The help stands here so that listing the commands imports none of them.
COMMANDS: dict[str, tuple[str, Text]] = {
    "check": (
        "check",
        Text(
            "Exports in, findings out. No database.",
            "Lire des exportations, donner les constats. Sans base de données.",
        ),
    ),
    "assess": (
        "assess",
        Text("What an app can reach, and what shows it.", "Ce qu'une application peut atteindre, et ce qui le montre."),
    ),
    "catalogue": ("catalogue", Text("Publishers, products, identifiers.", "Éditeurs, produits, identifiants.")),
    "data": ("data", Text("Data packs of assessments.", "Ensembles de données des évaluations.")),
    "directive": (
        "directive",
        Text("List, show, validate or start a directive.", "Énumérer, afficher, valider ou créer une directive."),
    ),
    "case": (
        "case",
        Text("A decision, from concern to review.", "Une décision, de la préoccupation au réexamen."),
    ),
    "schema": ("schema", Text("Show the JSON Schema of a document.", "Afficher le schéma JSON d'un document.")),
    "import": ("ingest", Text("Read exports into a snapshot.", "Lire des exportations dans un instantané.")),
    "observe": ("observe", Text("Read the live fleet into a snapshot.", "Lire le parc en service dans un instantané.")),
    "exempt": ("exempt", Text("Exemptions: add, list, end.", "Exemptions : ajouter, énumérer, terminer.")),
    "hold": (
        "hold",
        Text(
            "Records holds: block, but remove nothing.",
            "Mises en suspens de l'élimination : bloquer sans rien retirer.",
        ),
    ),
    "notice": (
        "notice",
        Text("Write the notices, in both languages.", "Produire les avis, dans les deux langues."),
    ),
    "share": (
        "share",
        Text("STIX and OSCAL, with partners.", "STIX et OSCAL, avec des partenaires."),
    ),
    "feed": (
        "feed",
        Text("Directives from an authority to its departments.", "Les directives d'une autorité à ses organismes."),
    ),
    "plan": ("plan", Text("What would be done, and what cannot.", "Ce qui serait fait, et ce qui ne peut l'être.")),
    "apply": ("apply", Text("Carry out an approved plan.", "Exécuter un plan approuvé.")),
    "watch": ("watch", Text("Keep a ban enforced.", "Maintenir une interdiction en vigueur.")),
    "receive": (
        "receive",
        Text("Listen to what systems send by themselves.", "Écouter ce que les systèmes envoient d'eux-mêmes."),
    ),
    "status": ("status", Text("Outcomes, device by device class.", "Résultats, par catégorie d'appareils.")),
    "key": ("key", Text("Keys, and who may sign what.", "Clés, et qui peut signer quoi.")),
    "sign": ("sign", Text("Sign a document.", "Signer un document.")),
    "verify": (
        "verify",
        Text("What the signatures of a document are worth.", "Ce que valent les signatures d'un document."),
    ),
    "freeze": (
        "freeze",
        Text("Stop all sending at once (or thaw).", "Geler tout envoi (ou dégeler)."),
    ),
    "lift": ("lift", Text("Take a ban back: our entries alone.", "Lever une interdiction : nos entrées seulement.")),
    "ledger": (
        "ledger",
        Text("Sign, check and witness ledgers.", "Signer et vérifier le registre; être témoin d'autres registres."),
    ),
    "acknowledge": (
        "acknowledge",
        Text("Acknowledge an authority's directive.", "Accuser réception de la directive d'une autorité."),
    ),
    "attest": ("attest", Text("Sign what came of a directive.", "Signer ce qu'il est advenu d'une directive.")),
    "rollup": ("rollup", Text("Where every department stands.", "Où en est chaque organisme.")),
    "prove": ("prove", Text("Export or verify a proof bundle.", "Exporter ou vérifier un dossier de preuve.")),
    "report": ("report", Text("Write the HTML report.", "Produire le rapport HTML.")),
    "rehearse": (
        "rehearse",
        Text("Run the whole line on a fictional fleet.", "Exécuter toute la chaîne sur un parc fictif."),
    ),
}


# An option without a metavar of its own shows its type's name, which click leaves in English.
if language() == "fr":
    click.STRING.name = "texte"
    click.INT.name = click.IntRange.name = "nombre entier"
    click.FloatRange.name = "nombre"


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"proscribe.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(str(Text("Commands", "Commandes "))):
            formatter.write_dl([(name, str(text)) for name, (_, text) in COMMANDS.items()])


def _language(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        set_language("fr" if value == "fr" else "en")
    return value


@click.group(
    cls=LazyGroup,
    subcommand_metavar=SUBCOMMAND,
    help=str(
        Text(
            "Ban an app from every phone an organisation manages, and prove it.",
            "Interdire une application sur tous les téléphones d'une organisation, et le prouver.",
        )
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="proscribe")
@click.option(
    "--lang",
    type=click.Choice(["en", "fr"]),
    callback=_language,
    expose_value=False,
    is_eager=True,
    help=str(Text("Language of what is shown.", "Langue d'affichage.")),
)
def root() -> None:
    """Made bilingual by ``help`` above."""


def show_error(error: ProscribeError) -> None:
    """An error as a person meets it: what, where, what next, and the code to look up."""
    click.echo(f"{Text('Error', 'Erreur')} [{error.code}] {error}", err=True)
    click.echo(f"  → {error.remedy}", err=True)


def _file_error(error: OSError) -> ProscribeError:
    """A fault of the file system that no stage foresaw, as an error with a next step."""
    where = Where(file=str(error.filename or ""))
    why = reason(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            Text("no room left on this disk", "il n'y a plus d'espace sur ce disque"),
            remedy=Text(
                "Free some space and run the command again; what was there before is untouched.",
                "Libérez de l'espace et relancez la commande; ce qui s'y trouvait est intact.",
            ),
            where=where,
        )
    return UnreadableFile(
        Text(f"cannot be read or written: {why.en}", f"lecture ou écriture impossible\u00a0: {why.fr}"),
        remedy=Text("Check the path and its permissions.", "Vérifiez le chemin et les droits d'accès."),
        where=where,
    )


def run(arguments: list[str] | None = None, **extra: Any) -> NoReturn:
    """Run the command line and exit."""
    try:
        status = root.main(arguments, prog_name="proscribe", standalone_mode=False, **extra)
        sys.exit(status if isinstance(status, int) else 0)
    except ProscribeError as error:
        show_error(error)
        sys.exit(1)
    except OSError as error:
        show_error(_file_error(error))
        sys.exit(1)
    except click.exceptions.Abort:
        click.echo(str(Text("Stopped.", "Arrêté.")), err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
