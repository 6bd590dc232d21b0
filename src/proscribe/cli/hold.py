"""``proscribe hold``: named devices from which nothing is removed, because their records must be kept."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json, print_table
from proscribe.text import Text
from proscribe.text import devices as words


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Records holds. Removing an app deletes its data, so nothing is removed from these devices until the hold "
            "is released. Blocking goes on.",
            "Mises en suspens de l'élimination. Retirer une application supprime ses données; rien n'est donc retiré "
            "de ces appareils avant la levée de la mise en suspens. Le blocage se poursuit.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(
    help=str(Text("Place a hold on named devices.", "Ordonner une mise en suspens pour des appareils précis."))
)
@click.argument("hold_id", metavar="ID")
@click.option(
    "--device",
    "devices",
    multiple=True,
    help=str(Text("A device key; repeat for more.", "Clé d'appareil; à répéter au besoin.")),
)
@click.option(
    "--user",
    default="",
    help=str(
        Text(
            "Whose records: a pseudonym or an account key, never a name. Needs --devices-of.",
            "De qui sont les documents : pseudonyme ou clé de compte, jamais un nom. Exige --devices-of.",
        )
    ),
)
@click.option(
    "--devices-of",
    "listing",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(
        Text(
            "CSV file with the columns user, and device or serial: which devices are whose. Read, not kept.",
            "Fichier CSV comportant les colonnes user, et device ou serial\u00a0: à qui est chaque appareil. Lu, "
            "non conservé.",
        )
    ),
)
@click.option(
    "--authority",
    required=True,
    help=str(
        Text(
            "What requires the records to be kept: a disposal authority, a case, an access request.",
            "Ce qui exige la conservation des documents : autorisation de disposition, affaire, demande d'accès.",
        )
    ),
)
@click.option(
    "--placed-by", required=True, help=str(Text("Role that places the hold.", "Rôle qui ordonne la mise en suspens."))
)
@click.option(
    "--starts",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help=str(Text("First day; today by default.", "Premier jour; par défaut, aujourd'hui.")),
)
@installation_options
def add(
    hold_id: str,
    devices: tuple[str, ...],
    user: str,
    listing: Path | None,
    starts: datetime | None,
    home: Path | None,
    actor: str,
    **grounds: str,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.plan.model import Hold
    from proscribe.service import holding

    if bool(user) != (listing is not None):
        raise click.UsageError(str(Text("--user and --devices-of go together", "--user et --devices-of vont ensemble")))
    installation = open_installation(home, actor)
    lacking: tuple[str, ...] = ()
    if listing is not None:
        found = holding.devices_of(installation, user, listing)
        devices, lacking = tuple(dict.fromkeys((*devices, *found.devices))), found.not_found
    first = installation.clock.now().date() if starts is None else starts.date()
    hold = Hold(id=hold_id, devices=devices, starts=first, user=user, **grounds)
    added = holding.place(installation, hold)
    for device in dict.fromkeys((*lacking, *holding.not_seen(installation, hold))):
        click.echo(
            str(
                Text(
                    f"! The newest snapshot has no device {device}. Check the key; a wrong key protects nothing.",
                    f"! Le dernier instantané ne compte aucun appareil {device}. Vérifiez la clé; une clé erronée ne "
                    "protège rien.",
                )
            ),
            err=True,
        )
    if added:
        click.echo(str(Text(f"Hold {hold_id} placed.", f"Mise en suspens {hold_id} ordonnée.")))
    else:
        click.echo(str(Text("This hold had already been placed.", "Cette mise en suspens avait déjà été ordonnée.")))
    if user:
        count = words(len(devices))
        click.echo(
            str(
                Text(
                    f"It is on {count.en} of {user}, as the list names them. No inventory says whose a device is: one "
                    "that is handed out later needs a hold of its own.",
                    f"Elle vise, de {user}, {count.fr}\u00a0: ceux que nomme la liste. Aucun inventaire ne dit à qui "
                    "est un appareil; celui qui est remis plus tard exige sa propre mise en suspens.",
                )
            )
        )


@command.command(
    "list", help=str(Text("List all holds, released ones too.", "Énumérer toutes les mises en suspens, même levées."))
)
@installation_options
@json_option
def list_(home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import holding

    installation = open_installation(home, actor)
    rows = holding.listed(installation)
    if as_json:
        print_json([{**to_json(one), "released_at": at.isoformat() if at else None} for one, at in rows])
        return
    today = installation.clock.now().date()
    print_table(
        str(Text("Records holds", "Mises en suspens de l'élimination")),
        [
            "ID",
            str(Text("Authority", "Fondement")),
            str(Text("User", "Utilisateur")),
            str(Text("State", "État")),
            str(Text("Since", "Depuis")),
            str(Text("Devices", "Appareils")),
        ],
        [
            (one.id, one.authority, one.user, _state(one.starts, at, today), one.starts, len(one.devices))
            for one, at in rows
        ],
        numeric=1,
    )


def _state(starts: date, released: datetime | None, today: date) -> Text:
    if released is not None:
        return Text("released", "levée")
    return Text("to come", "à venir") if starts > today else Text("in force", "en vigueur")


@command.command(help=str(Text("Release a hold now.", "Lever une mise en suspens dès maintenant.")))
@click.argument("hold_id", metavar="ID")
@click.option(
    "--disposal-authority",
    required=True,
    help=str(
        Text(
            "Under what the records may now be disposed of; the ledger records it.",
            "Ce qui permet désormais d'éliminer les documents; le registre le consigne.",
        )
    ),
)
@click.option("--released-by", default="", help=str(Text("Role that releases it.", "Rôle qui la lève.")))
@installation_options
def release(hold_id: str, disposal_authority: str, released_by: str, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import holding

    installation = open_installation(home, actor)
    if not holding.release(installation, hold_id, released_by=released_by, disposal_authority=disposal_authority):
        click.echo(str(Text("This hold had already been released.", "Cette mise en suspens avait déjà été levée.")))
        return
    click.echo(
        str(
            Text(
                f"Hold {hold_id} released. The next tick goes on with what was kept back; what no approved plan holds "
                "waits for a standing order or for a plan.",
                f"Mise en suspens {hold_id} levée. Le prochain passage poursuit ce qui était retenu; ce qu'aucun plan "
                "approuvé ne prévoit attend un ordre permanent ou un plan.",
            )
        )
    )
