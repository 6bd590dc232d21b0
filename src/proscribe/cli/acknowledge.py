"""``proscribe acknowledge``: a department accepts a directive and says what it answers for."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import write_json
from proscribe.text import Text, devices

BYOD = {
    "none": Text("No personal device is used for work.", "Aucun appareil personnel n'est utilisé pour le travail."),
    "enrolled": Text(
        "Personal devices used for work are enrolled; their personal side is not looked at.",
        "Les appareils personnels utilisés pour le travail sont inscrits; leur côté personnel n'est pas examiné.",
    ),
    "outside": Text(
        "Personal devices are used for work and are in no management system.",
        "Des appareils personnels sont utilisés pour le travail et ne relèvent d'aucun système de gestion.",
    ),
    "unknown": Text(
        "It is not known whether personal devices are used for work.",
        "On ne sait pas si des appareils personnels sont utilisés pour le travail.",
    ),
}
"""What a department can say of personal devices."""


@click.command(
    help=str(
        Text(
            "Acknowledge a directive: who answers for it, for how many devices, and what is outside every management "
            "system. Writes a document to sign with 'proscribe sign' and to send to the authority.",
            "Accuser réception d'une directive\u00a0: qui en répond, pour combien d'appareils, et ce qui échappe à "
            "tout système de gestion. Produit un document à signer avec «\u00a0proscribe sign\u00a0» et à envoyer à "
            "l'autorité.",
        )
    )
)
@click.argument("directive")
@click.option("--owner", required=True, help=str(Text("The role that answers for it.", "Le rôle qui en répond.")))
@click.option(
    "--unmanaged",
    type=click.IntRange(min=0),
    help=str(
        Text(
            "Devices used for work that no management system knows; leave out where not known.",
            "Appareils utilisés pour le travail qu'aucun système de gestion ne connaît; à omettre si inconnu.",
        )
    ),
)
@click.option(
    "--byod",
    type=click.Choice(list(BYOD)),
    default="unknown",
    show_default=True,
    help=str(Text("Personal devices used for work.", "Appareils personnels utilisés pour le travail.")),
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help=str(Text("File to write.", "Fichier à produire.")),
)
@installation_options
def command(
    directive: str, owner: str, unmanaged: int | None, byod: str, out: Path, home: Path | None, actor: str
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import attesting

    given = attesting.acknowledge(
        open_installation(home, actor), directive, owner=owner, byod=BYOD[byod], unmanaged=unmanaged
    )
    write_json(out, to_json(given))
    count = devices(sum(fleet.devices or 0 for fleet in given.fleets))
    click.echo(
        str(
            Text(
                f"{given.department} acknowledges {given.directive} for {count.en}. Sign {out} and send it.",
                f"{given.department} accuse réception de {given.directive} pour {count.fr}. Signez et envoyez {out}.",
            )
        )
    )
