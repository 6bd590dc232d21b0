"""``proscribe exempt``: named devices that keep an app, for a ground, until a date."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from proscribe.cli.options import SUBCOMMAND, installation_options, open_installation
from proscribe.cli.output import json_option, print_json, print_table
from proscribe.text import Text


@click.group(
    subcommand_metavar=SUBCOMMAND,
    help=str(
        Text(
            "Exemptions: who, on what ground, approved by whom, until when (a year at most).",
            "Exemptions : pour qui, pour quel motif, approuvées par qui, jusqu'à quand (un an au plus).",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


_DATE = click.DateTime(["%Y-%m-%d"])


@command.command(help=str(Text("Add an exemption.", "Ajouter une exemption.")))
@click.argument("exemption_id", metavar="ID")
@click.option("--directive", required=True, help=str(Text("The directive's id.", "Identifiant de la directive.")))
@click.option(
    "--device",
    "devices",
    multiple=True,
    required=True,
    help=str(Text("A device key; repeat for more.", "Clé d'appareil; à répéter au besoin.")),
)
@click.option("--ground", required=True, help=str(Text("The ground.", "Le motif.")))
@click.option("--requested-by", required=True, help=str(Text("Role that asks.", "Rôle du demandeur.")))
@click.option("--approved-by", required=True, help=str(Text("Role that approves.", "Rôle de l'approbateur.")))
@click.option("--starts", type=_DATE, required=True, help=str(Text("First day.", "Premier jour.")))
@click.option("--expires", type=_DATE, required=True, help=str(Text("Last day.", "Dernier jour.")))
@click.option("--mitigation", "mitigations", multiple=True, help=str(Text("A safeguard.", "Une mesure d'atténuation.")))
@installation_options
def add(
    exemption_id: str,
    starts: datetime,
    expires: datetime,
    home: Path | None,
    actor: str,
    **terms: str | tuple[str, ...],
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import from_json
    from proscribe.plan.model import Exemption
    from proscribe.service import exempting

    exemption = from_json(
        Exemption,
        {"id": exemption_id, "starts": f"{starts:%Y-%m-%d}", "expires": f"{expires:%Y-%m-%d}", **terms},
        source="exempt add",
    )
    installation = open_installation(home, actor)
    added = exempting.add(installation, exemption)
    for device in exempting.not_seen(installation, exemption):
        click.echo(
            str(
                Text(
                    f"! The newest snapshot holds no device {device}: check the key, or nobody is exempt.",
                    f"! Le dernier instantané ne compte aucun appareil {device}\u00a0: vérifiez la clé, sans quoi "
                    "personne n'est exempté.",
                )
            ),
            err=True,
        )
    if added:
        click.echo(str(Text(f"Exemption {exemption_id} recorded.", f"Exemption {exemption_id} consignée.")))
    else:
        click.echo(str(Text("This exemption was recorded before.", "Cette exemption avait déjà été consignée.")))


@command.command(
    "list", help=str(Text("List all exemptions, ended ones too.", "Énumérer toutes les exemptions, même terminées."))
)
@installation_options
@json_option
def list_(home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import exempting

    installation = open_installation(home, actor)
    rows = exempting.listed(installation)
    if as_json:
        print_json([{**to_json(one), "ended_at": ended.isoformat() if ended else None} for one, ended in rows])
        return
    today = installation.clock.now().date()
    print_table(
        str(Text("Exemptions", "Exemptions")),
        [
            "ID",
            str(Text("Directive", "Directive")),
            str(Text("Ground", "Motif")),
            str(Text("State", "État")),
            str(Text("Until", "Jusqu'au")),
            str(Text("Devices", "Appareils")),
        ],
        [
            (
                one.id,
                one.directive,
                one.ground,
                _state(one.starts, one.expires, ended, today),
                one.expires,
                len(one.devices),
            )
            for one, ended in rows
        ],
        numeric=1,
    )


def _state(starts: date, expires: date, ended: datetime | None, today: date) -> Text:
    if ended is not None:
        return Text("ended", "terminée")
    if expires < today:
        return Text("expired", "expirée")
    return Text("to come", "à venir") if starts > today else Text("in force", "en vigueur")


@command.command(help=str(Text("End an exemption now.", "Mettre fin à une exemption dès maintenant.")))
@click.argument("exemption_id", metavar="ID")
@installation_options
def end(exemption_id: str, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import exempting

    if exempting.end(open_installation(home, actor), exemption_id):
        click.echo(
            str(
                Text(
                    f"Exemption {exemption_id} ended; the next tick enforces again.",
                    f"Exemption {exemption_id} terminée; le prochain passage applique de nouveau la directive.",
                )
            )
        )
    else:
        click.echo(str(Text("It had been ended before.", "Elle était déjà terminée.")))
