"""``proscribe prove``: write a proof, or check one that somebody else wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import CommandGroup, small_cells_option
from proscribe.cli.output import json_option, print_json
from proscribe.text import COLON, Text

if TYPE_CHECKING:
    from proscribe.canonical import Digest
    from proscribe.prove.model import TreeHead, VerifyResult


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Export a proof bundle, or verify one offline.",
            "Exporter un dossier de preuve, ou en vérifier un hors ligne.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(
    short_help=str(Text("Write the proof of a directive.", "Produire la preuve d'une directive.")),
    help=str(
        Text(
            "Write the proof of a directive: what was decided, done, seen and not seen, in one file.",
            "Produire la preuve d'une directive : ce qui a été décidé, fait, vu et non vu, en un seul fichier.",
        )
    ),
)
@click.argument("directive", metavar="DIRECTIVE")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("proof.zip"),
    show_default=True,
    help=str(Text("Where to write it.", "Où l'écrire.")),
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help=str(
        Text("Folder of this installation (or PROSCRIBE_HOME).", "Dossier de l'installation (ou PROSCRIBE_HOME).")
    ),
)
@small_cells_option
def export(directive: str, out: Path, home: Path | None, small_cells: int) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import working
    from proscribe.service.proof import export_proof

    with working():
        manifest = export_proof(home, directive, out, small_cell_floor=small_cells)
    click.echo(str(Text(f"Proof written to {out}.", f"Preuve enregistrée dans {out}.")))
    click.echo(
        str(
            Text(
                f"Note its tree head, and give it to the auditor by another way: {_head(manifest.tree_head)}",
                "Notez la tête de l'arbre et transmettez-la au vérificateur par une autre voie : "
                f"{_head(manifest.tree_head)}",
            )
        )
    )


class _HeadType(click.ParamType["TreeHead"]):
    """``SIZE:ROOT``, as ``prove export`` and the report print it."""

    name = "size:root"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> TreeHead:
        from proscribe.prove.model import TreeHead

        size, _, root = str(value).partition(":")
        if not size.isdecimal() or len(root) != 64 or any(digit not in "0123456789abcdefABCDEF" for digit in root):
            self.fail(
                str(
                    Text(
                        "give the size and the root as SIZE:ROOT, the root in 64 hexadecimal digits",
                        "indiquez la taille et la racine sous la forme TAILLE:RACINE, la racine en 64 chiffres "
                        "hexadécimaux",
                    )
                ),
                param,
                ctx,
            )
        return TreeHead(int(size), root.lower())


class _DigestType(click.ParamType["Digest"]):
    """``sha256:`` and 64 hexadecimal digits."""

    name = "digest"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Digest:
        from proscribe.canonical import Digest

        text = str(value).lower()
        digits = text.removeprefix("sha256:")
        if len(digits) != 64 or any(digit not in "0123456789abcdef" for digit in digits):
            self.fail(
                str(
                    Text(
                        "give it as sha256: and 64 hexadecimal digits",
                        "indiquez sha256: et 64 chiffres hexadécimaux",
                    )
                ),
                param,
                ctx,
            )
        return Digest(f"sha256:{digits}")


@command.command(
    help=str(
        Text(
            "Check a proof bundle offline. Exit status: 0 it holds, 1 it does not.",
            "Vérifier un dossier de preuve hors ligne. Code de sortie : 0 s'il est valable, 1 sinon.",
        )
    )
)
@click.argument("file", metavar=str(Text("FILE", "FICHIER")), type=click.Path(path_type=Path))
@click.option(
    "--head",
    "earlier",
    type=_HeadType(),
    metavar=str(Text("SIZE:ROOT", "TAILLE:RACINE")),
    help=str(
        Text(
            "A tree head noted earlier: the ledger must go on from it.",
            "Une tête de l'arbre notée plus tôt : le registre doit la prolonger.",
        )
    ),
)
@click.option(
    "--key-list",
    type=_DigestType(),
    metavar="sha256:...",
    help=str(
        Text(
            "Digest of a key list that you trust: the signatures must come from it or a successor.",
            "Empreinte d'une liste de clés de confiance\u00a0: les signatures doivent en relever, ou d'une suivante.",
        )
    ),
)
@json_option
@click.pass_context
def verify(ctx: click.Context, file: Path, earlier: TreeHead | None, key_list: Digest | None, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import working
    from proscribe.documents import to_json
    from proscribe.prove.verify import verify as check

    with working():
        result = check(file, earlier=earlier, key_list=key_list)
    if as_json:
        print_json(to_json(result))
    else:
        _show(result)
    ctx.exit(0 if result.ok else 1)


def _show(result: VerifyResult) -> None:
    """One line a check: its result first, in a word and not in a colour, then where and what."""
    from proscribe.prove.model import CheckState

    words = {
        CheckState.passed: Text("passed", "réussi"),
        CheckState.failed: Text("FAILED", "ÉCHEC"),
        CheckState.limited: Text("limited", "limité"),
    }
    width = max(len(str(word)) for word in words.values())
    for check in result.checks:
        place = str(Text("the file", "le fichier")) if check.member == "container" else check.member
        click.echo(f"{words[check.state]!s:<{width}}  {place}{COLON} {check.what}")
    click.echo("")
    if not result.ok:
        count = len(result.failures)
        click.echo(
            str(
                Text(
                    f"{result.file} does not hold. Checks failed: {count}.",
                    f"{result.file} n'est pas valable. Vérifications échouées : {count}.",
                )
            )
        )
        return
    limited = sum(check.state is CheckState.limited for check in result.checks)
    click.echo(
        str(
            Text(
                f"{result.file} holds. Checks: {len(result.checks)}; failed: 0; limited: {limited}.",
                f"{result.file} est valable. Vérifications : {len(result.checks)}; échouées : 0; limitées : {limited}.",
            )
        )
    )
    click.echo(
        str(
            Text(
                "That shows that it is whole, not who wrote it: compare the tree head with one you got by another way.",
                "Cela montre qu'il est intact, non qui l'a produit : comparez la tête de l'arbre avec une autre, "
                "obtenue par une autre voie.",
            )
        )
    )
    if result.tree_head is not None:
        label = Text("Tree head:", "Tête de l'arbre :")
        click.echo(f"{label} {_head(result.tree_head)}")


def _head(head: TreeHead) -> str:
    return f"{head.size}:{head.root}"
