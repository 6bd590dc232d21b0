"""``proscribe lift``: take a ban back; our own entries alone."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text


@click.command(
    help=str(
        Text(
            "Lift a ban: every entry we made goes back to what it was before us. What the organisation had set itself, "
            "and what others changed since, stays. Apps are not installed again.",
            "Lever une interdiction : chacune de nos entrées redevient ce qu'elle était. Ce que l'organisation avait "
            "établi et ce que d'autres ont changé depuis demeurent. Aucune application n'est réinstallée.",
        )
    )
)
@click.argument("directive")
@click.option("--reason", required=True, help=str(Text("Why; recorded in the ledger.", "Motif, consigné au registre.")))
@installation_options
@json_option
def command(directive: str, reason: str, home: Path | None, actor: str, as_json: bool) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.status_view import show_tick
    from proscribe.documents import to_json
    from proscribe.service import enforcing

    installation = open_installation(home, actor)
    report = enforcing.lift(installation, directive, reason)
    if as_json:
        print_json(to_json(report))
    else:
        show_tick(report)
    return 2 if report.errors else 0
