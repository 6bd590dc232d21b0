"""``proscribe sign``: put a document into an envelope, and signatures on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.passphrase import passphrase, passphrase_options
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.trust.model import SignedDocument

SUFFIX = ".dsse.json"


@click.command(
    help=str(
        Text(
            "Sign a document (JSON or YAML), or add a signature to one that is signed (.dsse.json). What is signed is "
            "shown first. Two keys of one seat (Ed25519 and ML-DSA-65): give --key twice.",
            "Signer un document (JSON ou YAML), ou ajouter une signature à un document signé (.dsse.json). Ce qui est "
            "signé est d'abord affiché. Deux clés d'un même siège (Ed25519 et ML-DSA-65)\u00a0: répétez --key.",
        )
    )
)
@click.argument(
    "document", metavar=str(Text("FILE", "FICHIER")), type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--key",
    "references",
    multiple=True,
    help=str(
        Text(
            "Private key: file:PATH, or pkcs11:token=...;object=... Without one, the envelope is only prepared.",
            "Clé privée\u00a0: file:CHEMIN ou pkcs11:token=...;object=... Sans clé, l'enveloppe n'est que préparée.",
        )
    ),
)
@click.option(
    "--by",
    help=str(
        Text(
            "The seat that prepared the document; it may not approve it. Needed the first time.",
            "Le siège qui a préparé le document; il ne peut l'approuver. Requis la première fois.",
        )
    ),
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(Text("Where to write it; by default FILE.dsse.json.", "Fichier produit; par défaut FICHIER.dsse.json.")),
)
@passphrase_options
def command(
    document: Path,
    references: tuple[str, ...],
    by: str | None,
    out: Path | None,
    variable: str | None,
    secret_file: Path | None,
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.envelopes import described, write
    from proscribe.trust.envelope import sign
    from proscribe.trust.keys import open_signer

    signed = _prepared(document, by)
    click.echo(str(described(signed)), err=True)
    for reference in references:
        signed = sign(signed, open_signer(reference, passphrase(variable, secret_file, what=_short(reference))))
    target = out or (document if document.name.endswith(SUFFIX) else document.with_suffix(SUFFIX))
    write(signed, target)
    count = len(signed.envelope["signatures"])
    click.echo(
        str(
            Text(
                f"{target}: signatures in it: {count}.",
                f"{target}\u00a0: signatures qu'il contient\u00a0: {count}.",
            )
        )
    )


def _short(reference: str) -> str:
    """A reference as a prompt names it: without what follows a question mark."""
    return reference.partition("?")[0]


def _prepared(document: Path, by: str | None) -> SignedDocument:
    from proscribe.clock import current_clock
    from proscribe.service.kinds import read_any
    from proscribe.trust.envelope import prepare, read_envelope

    if document.name.endswith(SUFFIX):
        if by is not None:
            raise click.UsageError(
                str(
                    Text(
                        "who prepared it is in the envelope: leave --by out",
                        "l'enveloppe le dit\u00a0: retirez --by",
                    )
                )
            )
        return read_envelope(document)
    if by is None:
        raise click.UsageError(
            str(Text("say with --by which seat prepared the document", "indiquez avec --by le siège qui l'a préparé"))
        )
    return prepare(read_any(document), by=by, at=current_clock().now())
