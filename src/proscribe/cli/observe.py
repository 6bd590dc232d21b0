"""``proscribe observe``: read the live fleet into a snapshot."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text


@click.command(
    help=str(
        Text(
            "Ask every configured management system for its devices, and keep the answer as a new snapshot. Only "
            "watched apps are kept; the rest is counted. Nothing is changed anywhere.",
            "Demander à chaque système de gestion configuré la liste de ses appareils et garder la réponse dans un "
            "nouvel instantané. Seules les applications visées sont conservées, le reste est compté. Rien n'est "
            "modifié.",
        )
    )
)
@installation_options
@json_option
def command(home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import count_progress
    from proscribe.cli.snapshot_view import show_snapshot
    from proscribe.documents import to_json
    from proscribe.service import inventory

    installation = open_installation(home, actor)
    with count_progress(Text("devices read", "appareils lus")) as report:
        snapshot = inventory.observe(installation, on_progress=report)
    if as_json:
        print_json(to_json(snapshot.manifest))
    else:
        show_snapshot(snapshot)
