"""``proscribe status``: what is true of every device, with what could not be seen or done first."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text


@click.command(
    help=str(
        Text(
            "The outcomes of a directive as last judged; they add up to the fleet. An MDM's 'success' is not in here: "
            "only what devices themselves showed. Exit status 2 while a device is not compliant.",
            "Les résultats d'une directive à la dernière évaluation; leur somme égale le parc. Le « succès » d'un MDM "
            "n'y "
            "figure pas : seulement ce que les appareils ont montré. Code de sortie 2 tant qu'un appareil n'est pas "
            "conforme.",
        )
    )
)
@click.argument("directive")
@click.option(
    "--devices",
    "outcome",
    metavar=str(Text("OUTCOME", "RÉSULTAT")),
    help=str(Text("List the devices of one outcome.", "Énumérer les appareils d'un résultat.")),
)
@installation_options
@json_option
def command(directive: str, outcome: str | None, home: Path | None, actor: str, as_json: bool) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.status_view import show_devices, show_status
    from proscribe.documents import to_json
    from proscribe.service import standing

    installation = open_installation(home, actor)
    report = standing.status(installation, directive)
    if outcome is not None:
        rows = standing.devices(installation, directive, outcome)
        if as_json:
            print_json([to_json(row) for row in rows])
        else:
            show_devices(rows)
    elif as_json:
        print_json(to_json(report))
    else:
        show_status(report)
    return 0 if report.compliant == report.fleet else 2
