"""``proscribe verify``: what the signatures of a document are worth."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text


@click.command(
    help=str(
        Text(
            "Check the signatures of a document against the installed key list, or against one in a file. Exit status "
            "0: enough seats signed. --record keeps it: commands that need a signed document then find it.",
            "Vérifier les signatures d'un document selon la liste de clés installée, ou selon celle d'un fichier. Code "
            "de sortie 0\u00a0: assez de sièges ont signé. --record le consigne\u00a0: les commandes qui exigent un "
            "document signé le trouvent alors.",
        )
    )
)
@click.argument(
    "file", metavar=str(Text("FILE", "FICHIER")), type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--keys",
    "keys_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=str(Text("A key list to check against, whose origin you vouch for.", "Liste de clés dont vous répondez.")),
)
@click.option(
    "--affected",
    type=click.IntRange(min=0),
    help=str(
        Text(
            "How many devices change, for rules that depend on it.",
            "Nombre d'appareils modifiés, si une règle l'exige.",
        )
    ),
)
@click.option(
    "--record", is_flag=True, help=str(Text("Keep it in the database.", "Le consigner dans la base de données."))
)
@installation_options
@json_option
def command(
    file: Path,
    keys_file: Path | None,
    affected: int | None,
    record: bool,
    home: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.envelopes import described, read_keys, show
    from proscribe.clock import current_clock
    from proscribe.documents import to_json
    from proscribe.service import trusting
    from proscribe.trust.envelope import read_envelope
    from proscribe.trust.errors import SignatureRefused
    from proscribe.trust.verify import verify

    if record and keys_file is not None:
        raise click.UsageError(
            str(
                Text(
                    "--record uses the installed key list: leave --keys out",
                    "--record emploie la liste de clés installée\u00a0: retirez --keys",
                )
            )
        )
    signed = read_envelope(file)
    if not as_json:
        click.echo(str(described(signed)))
    try:
        if keys_file is not None:
            found = verify(signed, read_keys(keys_file), at=current_clock().now(), affected=affected)
        else:
            installation = open_installation(home, actor)
            check = trusting.register if record else trusting.check
            found = check(installation, signed, affected=affected)
    except SignatureRefused as refusal:
        if refusal.verification is not None:
            print_json(to_json(refusal.verification)) if as_json else show(refusal.verification)
        raise
    print_json(to_json(found)) if as_json else show(found)
