"""``proscribe apply``: carry out a plan that was looked at, after planning again."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text


@click.command(
    help=str(
        Text(
            "Carry out a plan. The fleet is observed and planned again first: where that gives another plan, the "
            "difference is shown and nothing is sent. The first wave starts at once; 'proscribe watch' goes on.",
            "Exécuter un plan. Le parc est d'abord observé et planifié de nouveau : si le plan diffère, la différence "
            "est affichée et rien n'est envoyé. La première vague part aussitôt; « proscribe watch » poursuit.",
        )
    )
)
@click.argument("plan_file", metavar="PLAN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--approve",
    is_flag=True,
    help=str(Text("You approve this plan in your role (--as).", "Approuver ce plan au titre de votre rôle (--as).")),
)
@click.option(
    "--standing",
    is_flag=True,
    help=str(
        Text(
            "Also act later, without asking, where the fleet changes.",
            "Agir aussi plus tard, sans nouvelle approbation, quand le parc change.",
        )
    ),
)
@installation_options
@json_option
def command(plan_file: Path, approve: bool, standing: bool, home: Path | None, actor: str, as_json: bool) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import count_progress
    from proscribe.cli.status_view import show_tick
    from proscribe.documents import read, to_json
    from proscribe.plan.model import Plan
    from proscribe.service import enforcing

    plan = read(Plan, plan_file)
    installation = open_installation(home, actor)
    with count_progress(Text("devices read", "appareils lus")) as report:
        tick = enforcing.apply(installation, plan, approved=approve, standing=standing, on_progress=report)
    if as_json:
        print_json(to_json(tick))
    else:
        show_tick(tick)
    return 2 if tick.errors else 0
