"""``proscribe ledger``: sign the ledger's head, check it, prove its past, and hold on to the heads of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json, print_table
from proscribe.text import COLON, Text, number, plural

if TYPE_CHECKING:
    from proscribe.documents import Document
    from proscribe.prove.model import SignedTreeHead

_FILE = click.Path(dir_okay=False, path_type=Path)
_ENTRIES = (Text("entry", "entrée"), Text("entries", "entrées"))

out_option = click.option(
    "--out",
    type=_FILE,
    default=None,
    help=str(Text("Write the document to this file.", "Enregistrer le document dans ce fichier.")),
)


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "The ledger as others see it. A head is its size and root, dated and signed; whoever holds one can tell "
            "whether the ledger was rewritten since.",
            "Le registre vu de l'extérieur. Une tête en donne la taille et la racine, datées et signées; quiconque en "
            "détient une peut établir si le registre a été réécrit depuis.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(
    help=str(
        Text(
            "Sign the ledger as it stands. Give the head to a second party.",
            "Signer le registre en l'état. Remettez la tête à un tiers.",
        )
    )
)
@out_option
@installation_options
@json_option
def head(out: Path | None, home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import ledgering

    signed = ledgering.signed_head(open_installation(home, actor))
    if _written(signed, out, as_json=as_json):
        return
    _show_head(signed)


@command.command(
    help=str(
        Text(
            "Check every entry, every node of the tree and every head ever signed. Exit status 1 where anything is "
            "wrong.",
            "Vérifier chaque entrée, chaque nœud de l'arbre et chaque tête signée. Code de sortie 1 si quoi que "
            "ce soit ne va pas.",
        )
    )
)
@click.option(
    "--head",
    "heads",
    type=_FILE,
    multiple=True,
    help=str(
        Text(
            "A head of this ledger that was kept elsewhere; repeat for more.",
            "Une tête de ce registre conservée ailleurs; à répéter au besoin.",
        )
    ),
)
@installation_options
@json_option
def check(heads: tuple[Path, ...], home: Path | None, actor: str, as_json: bool) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import working
    from proscribe.documents import to_json
    from proscribe.prove.witness import read_proof
    from proscribe.service import ledgering

    given = [read_proof(path).head for path in heads]
    with working():
        found = ledgering.check(open_installation(home, actor), given)
    if as_json:
        print_json(to_json(found))
        return int(not found.ok)
    for one in found.findings:
        click.echo(f"{Text('WRONG', 'ERREUR')} [{one.code}] {one.what}")
        click.echo(f"  → {one.remedy}")
    seen = plural(found.tree_head.size, *_ENTRIES)
    one_head, many_heads = Text("head", "tête"), Text("heads", "têtes")
    own = plural(found.own_heads + found.given_heads, one_head, many_heads)
    theirs = plural(found.witnessed_heads, one_head, many_heads)
    click.echo(
        str(
            Text(
                f"Checked: {seen.en}, {own.en} of this log, {theirs.en} of others. Wrong: {len(found.findings)}.",
                f"Vérifié : {seen.fr}, {own.fr} de ce registre, {theirs.fr} d'autrui. Erreurs : {len(found.findings)}.",
            )
        )
    )
    if found.ok and not (found.own_heads or found.given_heads):
        click.echo(
            str(
                Text(
                    "Nothing was signed yet: a ledger rewritten as a whole would pass unnoticed. 'proscribe "
                    "ledger head' signs.",
                    "Rien n'a encore été signé\u00a0: un registre entièrement réécrit passerait inaperçu. "
                    "«\u00a0proscribe ledger head\u00a0» signe.",
                )
            )
        )
    return int(not found.ok)


@command.command(
    help=str(
        Text(
            "Prove to the holder of an earlier head that the ledger only grew, and that entries are in it.",
            "Prouver au détenteur d'une tête antérieure que le registre n'a fait que croître et qu'il contient des "
            "entrées.",
        )
    )
)
@click.option(
    "--since",
    type=_FILE,
    default=None,
    help=str(Text("The head that the other party holds.", "La tête que détient l'autre partie.")),
)
@click.option(
    "--entry",
    "entries",
    type=click.IntRange(min=0),
    multiple=True,
    help=str(
        Text(
            "An entry to prove, counted from 0; repeat for more.",
            "Une entrée à prouver, comptée à partir de 0; à répéter au besoin.",
        )
    ),
)
@out_option
@installation_options
@json_option
def prove(
    since: Path | None, entries: tuple[int, ...], out: Path | None, home: Path | None, actor: str, as_json: bool
) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.prove.witness import read_proof
    from proscribe.service import ledgering

    earlier = None if since is None else read_proof(since).head
    proof = ledgering.proof(open_installation(home, actor), since=earlier, entries=entries)
    if _written(proof, out, as_json=as_json):
        return
    _show_head(proof.head)
    if earlier is not None:
        before = plural(earlier.size, *_ENTRIES)
        click.echo(
            str(
                Text(
                    f"It begins with the {before.en} of the earlier head; hashes in the proof: "
                    f"{len(proof.consistency)}.",
                    f"Il commence par les entrées de la tête antérieure ({before.fr}); empreintes de la preuve : "
                    f"{len(proof.consistency)}.",
                )
            )
        )
    for index, one in zip(entries, proof.entries, strict=True):
        click.echo(
            str(
                Text(
                    f"Entry {index} is in it; hashes in the proof: {len(one.path)}.",
                    f"L'entrée {index} y figure; empreintes de la preuve : {len(one.path)}.",
                )
            )
        )


@command.command(
    help=str(
        Text(
            "Check a head or a proof that somebody gave you. Needs no installation.",
            "Vérifier une tête ou une preuve reçue. Ne nécessite aucune installation.",
        )
    )
)
@click.argument("file", type=_FILE, metavar=str(Text("FILE", "FICHIER")))
def verify(file: Path) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.prove.witness import proof_faults, read_proof

    proof = read_proof(file)
    faults = list(proof_faults(proof))
    for fault in faults:
        click.echo(f"{Text('WRONG', 'ERREUR')}  {fault}")
    _show_head(proof.head)
    if not faults:
        click.echo(
            str(
                Text(
                    f"It holds. Entries proven: {len(proof.entries)}. Compare the log with the name you know it by.",
                    f"La preuve est valable. Entrées prouvées : {len(proof.entries)}. Comparez le registre au nom que "
                    "vous lui connaissez.",
                )
            )
        )
    return int(bool(faults))


@command.command(
    help=str(
        Text(
            "Keep the head of somebody else's ledger, and say whether it follows the last one. Without arguments: what "
            "is kept.",
            "Conserver la tête du registre d'autrui et dire si elle fait suite à la précédente. Sans argument : ce qui "
            "est conservé.",
        )
    )
)
@click.argument("source", required=False)
@click.argument("file", type=_FILE, required=False, metavar=str(Text("[FILE]", "[FICHIER]")))
@installation_options
@json_option
def witness(source: str | None, file: Path | None, home: Path | None, actor: str, as_json: bool) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.prove.witness import read_proof
    from proscribe.service import ledgering

    installation = open_installation(home, actor)
    if source is None:
        known = ledgering.known_logs(installation)
        if as_json:
            print_json([to_json(one) for one in known])
        else:
            _list_known([(one.source, one.head) for one in known])
        return 0
    if file is None:
        raise click.UsageError(str(Text("Give the file of the head.", "Indiquez le fichier de la tête.")))
    found = ledgering.witness_proof(installation, source, read_proof(file))
    if found.why is not None:
        click.echo(f"{Text('WRONG', 'ERREUR')}  {source}{COLON} {found.why}")
        return 1
    before = plural(found.before.size if found.before else 0, *_ENTRIES)
    click.echo(
        str(
            Text(
                f"The head of {source} follows the {before.en} known." if found.before else f"First head of {source}.",
                f"La tête de {source} fait suite à ce qui était connu ({before.fr})."
                if found.before
                else f"Première tête de {source}.",
            )
        )
    )
    return 0


def _list_known(rows: list[tuple[str, SignedTreeHead]]) -> None:
    print_table(
        str(Text("Ledgers of others", "Registres d'autrui")),
        [
            str(Text("Source", "Source")),
            str(Text("Log", "Registre")),
            str(Text("Signed", "Signée")),
            str(Text("Entries", "Entrées")),
        ],
        [(source, one.log[:16], f"{one.at:%Y-%m-%d %H:%M}", number(one.size)) for source, one in rows],
        numeric=1,
    )


def _show_head(signed: SignedTreeHead) -> None:
    size = plural(signed.size, *_ENTRIES)
    click.echo(f"{Text('Log', 'Registre')}{COLON} {signed.log}")
    click.echo(f"{Text('Head', 'Tête')}{COLON} {signed.size}:{signed.root}")
    click.echo(f"{Text('Signed', 'Signée')}{COLON} {signed.at:%Y-%m-%d %H:%M:%S} UTC, {size}")


def _written(document: Document, out: Path | None, *, as_json: bool) -> bool:
    """Print or write the document where that was asked for."""
    from proscribe.documents import to_bytes, to_json

    if out is not None:
        out.write_bytes(to_bytes(document) + b"\n")
        click.echo(str(Text(f"Written to {out}.", f"Enregistré dans {out}.")), err=as_json)
    if as_json:
        print_json(to_json(document))
    return as_json
