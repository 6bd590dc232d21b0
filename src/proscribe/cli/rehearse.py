"""``proscribe rehearse``: the whole line on a fictional department. Nothing real is touched."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.text import Text


@click.command(
    help=str(
        Text(
            "Run the whole line on the fictional Department of Northern Lighthouses: four exports and one simulated "
            "Android fleet on this machine. Import, check, plan, approve, apply in waves, verify, prove. Leaves the "
            "report and the proof in the folder given.",
            "Exécuter toute la chaîne pour le ministère des Phares du Nord (fictif) : quatre exportations et un parc "
            "Android simulé sur cette machine. Importer, vérifier, planifier, approuver, appliquer par vagues, "
            "constater, prouver. Le rapport et la preuve restent dans le dossier indiqué.",
        )
    )
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help=str(Text("Folder for everything it makes; made anew.", "Dossier de tout ce qui est produit; toujours neuf.")),
)
@click.option(
    "--devices",
    type=click.IntRange(min=200),
    default=5_000,
    show_default=True,
    help=str(Text("Size of the fleet.", "Taille du parc.")),
)
@click.option(
    "--seed",
    type=int,
    default=7,
    show_default=True,
    help=str(Text("The same number makes the same fleet.", "Le même nombre produit le même parc.")),
)
def command(out: Path, devices: int, seed: int) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.rehearsal import Rehearsal

    return Rehearsal(out, devices=devices, seed=seed).run()
