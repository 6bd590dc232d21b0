"""``proscribe freeze``: stop all sending at once, or go on."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.text import Text


@click.command(
    help=str(
        Text(
            "Stop all sending at once, in every running process of this installation. Observation goes on. "
            "With --thaw, allow sending again.",
            "Geler immédiatement tout envoi, dans tous les processus de l'installation. L'observation continue. "
            "Avec --thaw, autoriser de nouveau l'envoi.",
        )
    )
)
@click.option("--thaw", is_flag=True, help=str(Text("Allow sending again.", "Autoriser de nouveau l'envoi.")))
@click.option("--reason", default="", help=str(Text("Why; recorded in the ledger.", "Motif, consigné au registre.")))
@installation_options
def command(thaw: bool, reason: str, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import enforcing

    installation = open_installation(home, actor)
    if thaw:
        enforcing.thaw(installation, reason)
        click.echo(str(Text("Sending is allowed again.", "L'envoi est de nouveau autorisé.")))
    else:
        enforcing.freeze(installation, reason)
        click.echo(
            str(
                Text(
                    "Frozen: nothing is sent until 'proscribe freeze --thaw'.",
                    "Gelé : rien n'est envoyé avant « proscribe freeze --thaw ».",
                )
            )
        )
