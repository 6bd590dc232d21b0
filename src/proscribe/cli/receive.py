"""``proscribe receive``: listen to what systems tell by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json, print_table
from proscribe.text import COLON, Text


@click.command(
    help=str(
        Text(
            "Listen to the management systems that send messages by themselves, at the address given in each system's "
            "table of the settings. A message is stored before it is acknowledged. Keep this command running: such "
            "systems send each message only once. Ctrl-C or SIGTERM stops it once the requests under way are answered.",
            "Écouter les systèmes de gestion qui envoient d'eux-mêmes des messages, à l'adresse indiquée dans la table "
            "de chaque système (paramètres). Chaque message est enregistré avant que sa réception soit confirmée. "
            "Laissez cette commande en marche : ces systèmes n'envoient chaque message qu'une fois. Ctrl-C ou SIGTERM "
            "l'arrête après la réponse aux requêtes en cours.",
        )
    )
)
@installation_options
@json_option
def command(home: Path | None, actor: str, as_json: bool) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.service import receiving
    from proscribe.worker.run import until_signalled

    installation = open_installation(home, actor)

    def started(addresses: Mapping[str, str]) -> None:
        for name, address in addresses.items():
            click.echo(f"{name}{COLON} {Text('listening on', 'écoute sur')} {address}", err=True)

    with until_signalled() as stop:
        received = receiving.receive(installation, stop=stop, on_start=started)
    if as_json:
        print_json({"listened_on": dict(received.listened_on), "counts": received.counts})
    else:
        rows = [(name, what, by) for name, counts in received.counts.items() for what, by in counts.items()]
        headers = (str(Text("System", "Système")), str(Text("Message", "Message")), str(Text("Number", "Nombre")))
        print_table(str(Text("Received", "Reçu")), headers, rows, numeric=1)
    for fault in received.faults:
        click.echo(str(fault), err=True)
    return 2 if received.faults else 0
