"""``proscribe observe``: read the live fleet into a snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text, plural

if TYPE_CHECKING:
    from proscribe.service.following import Followed


@click.command(
    help=str(
        Text(
            "Ask every configured management system for its devices, and keep the answer as a new snapshot. Only "
            "watched apps are kept; the rest is counted. Nothing is changed on any device. Some devices answer only "
            "when they next call: their latest answers are read, and new questions are sent to them.",
            "Demander à chaque système de gestion configuré la liste de ses appareils et garder la réponse dans un "
            "nouvel instantané. Seules les applications recherchées sont conservées; le reste est compté. Rien n'est "
            "modifié sur les appareils. Certains ne répondent qu'à leur prochain contact : leurs dernières réponses "
            "sont lues et de nouvelles questions leur sont envoyées.",
        )
    )
)
@installation_options
@json_option
def command(home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import count_progress
    from proscribe.cli.root import show_error
    from proscribe.cli.snapshot_view import show_snapshot
    from proscribe.documents import to_json
    from proscribe.service import following, inventory

    installation = open_installation(home, actor)
    with count_progress(Text("devices read", "appareils lus")) as report:
        snapshot = inventory.observe(installation, on_progress=report)
    asked = following.follow_up(installation, asking_only=True)
    if as_json:
        print_json(to_json(snapshot.manifest))
    else:
        show_snapshot(snapshot)
        _show_asked(asked)
    for fault in asked.faults:
        show_error(fault)


def _show_asked(asked: Followed) -> None:
    number = asked.counts.get("asked", 0)
    if number:
        count = plural(
            number,
            Text("question sent to a device", "question envoyée à un appareil"),
            Text("questions sent to devices", "questions envoyées aux appareils"),
        )
        click.echo(
            str(
                Text(
                    f"{count.en}. The answers come when the devices next call; observe again then.",
                    f"{count.fr}. Les réponses arriveront au prochain contact des appareils; observez alors de "
                    "nouveau.",
                )
            )
        )
    for text in asked.waits:
        click.echo(f"  - {text}")
