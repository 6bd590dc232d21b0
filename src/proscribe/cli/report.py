"""``proscribe report``: the self-contained HTML report."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation, small_cells_option
from proscribe.text import Text, language


@click.command(
    help=str(
        Text(
            "Write the report of a directive as one HTML file that needs nothing else and prints well.",
            "Produire le rapport d'une directive en un seul fichier HTML autonome, prêt à imprimer.",
        )
    )
)
@click.argument("directive")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help=str(Text("Where to write it.", "Où l'écrire.")),
)
@small_cells_option
@installation_options
def command(directive: str, out: Path, small_cells: int, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import proof

    proof.write_report(
        open_installation(home, actor), directive, out, language=language(), small_cell_floor=small_cells
    )
    click.echo(str(Text(f"Report written to {out}.", f"Rapport enregistré dans {out}.")))
