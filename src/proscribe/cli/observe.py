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
            "watched apps are kept; the rest is counted. Nothing is changed anywhere. Where devices answer later by "
            "themselves, the newest answers are read and newer ones are asked for.",
            "Demander à chaque système de gestion configuré la liste de ses appareils et garder la réponse dans un "
            "nouvel instantané. Seules les applications visées sont conservées, le reste est compté. Rien n'est "
            "modifié. Lorsque les appareils répondent plus tard d'eux-mêmes, les dernières réponses sont lues et de "
            "nouvelles sont demandées.",
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
        count = plural(number, Text("question", "question"), Text("questions", "questions"))
        click.echo(
            str(
                Text(
                    f"{count.en} put to devices; the answers come when the devices call. Observe again then.",
                    f"{count.fr} aux appareils; les réponses arrivent quand les appareils se manifestent. "
                    "Observez alors de nouveau.",
                )
            )
        )
    for text in asked.waits:
        click.echo(f"  - {text}")
