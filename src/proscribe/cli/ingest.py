"""``proscribe import``: read exports into a snapshot."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text


@click.command(
    "import",
    help=str(
        Text(
            "Read exports of management systems into a new snapshot. The format is recognised by content. The devices "
            "of systems that are not in these files are carried over from the snapshot before.",
            "Lire des exportations de systèmes de gestion dans un nouvel instantané. Le format est reconnu d'après le "
            "contenu. Les appareils des systèmes absents de ces fichiers sont repris de l'instantané précédent.",
        )
    ),
)
@click.argument(
    "exports",
    metavar=str(Text("EXPORTS...", "EXPORTATIONS...")),
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--retain",
    type=click.Choice(["matches", "all"]),
    default="matches",
    show_default=True,
    help=str(
        Text(
            "What is kept of people's app lists. 'all' is recorded in the ledger.",
            "Ce qui est conservé des listes d'applications. « all » est consigné au registre.",
        )
    ),
)
@installation_options
@json_option
def command(exports: tuple[Path, ...], retain: str, home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import byte_progress
    from proscribe.cli.snapshot_view import show_snapshot
    from proscribe.documents import to_json
    from proscribe.inventory.model import Retention
    from proscribe.service import inventory

    installation = open_installation(home, actor)
    with byte_progress() as report:
        snapshot = inventory.import_exports(installation, exports, retention=Retention(retain), on_progress=report)
    if as_json:
        print_json(to_json(snapshot.manifest))
    else:
        show_snapshot(snapshot)
