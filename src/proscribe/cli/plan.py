"""``proscribe plan``: what would be done, and what cannot; ``plan show`` prints a plan that was saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.plan.model import Plan

_details = click.option(
    "--details",
    is_flag=True,
    help=str(Text("List devices and apps too.", "Énumérer aussi les appareils et les applications.")),
)


class _PlanGroup(CommandGroup):
    """``proscribe plan DIRECTIVE`` makes a plan; ``proscribe plan show FILE`` shows one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["make", *args]
        return super().resolve_command(ctx, args)


@click.group(
    cls=_PlanGroup,
    help=str(
        Text(
            "Plan a directive over the newest snapshot: 'proscribe plan DIRECTIVE --out plan.json'. What cannot be "
            "seen or done stands first. Nothing is changed anywhere. Exit status 2 when a refusal blocks the plan.",
            "Planifier une directive d'après le dernier instantané : « proscribe plan DIRECTIVE --out plan.json ». Ce "
            "qui ne peut être vu ou fait vient en premier. Rien n'est modifié. Code de sortie 2 si un refus bloque le "
            "plan.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(help=str(Text("Make a plan (the word 'make' may be left out).", "Produire un plan.")))
@click.argument("directive")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help=str(Text("Save the plan.", "Enregistrer le plan."))
)
@click.option(
    "--targets",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=str(Text("A reviewed target set of your own.", "Votre propre ensemble de cibles examiné.")),
)
@click.option(
    "--removal-limit",
    help=str(
        Text(
            "Most devices to remove from: 25, 10% or unlimited.",
            "Nombre maximal de retraits, en appareils : 25, 10% ou unlimited.",
        )
    ),
)
@click.option(
    "--reach-limit",
    help=str(
        Text("Most devices whose configuration changes.", "Nombre maximal d'appareils dont la configuration change.")
    ),
)
@click.option(
    "--ring",
    "rings",
    multiple=True,
    help=str(Text("A wave, e.g. canary=5%; repeat.", "Une vague, p. ex. canari=5%; à répéter au besoin.")),
)
@click.option(
    "--max-age",
    "inventory_max_days",
    type=click.IntRange(min=0),
    help=str(Text("Oldest snapshot to plan on, in days.", "Âge maximal de l'instantané, en jours.")),
)
@click.option(
    "--follow-recommended",
    is_flag=True,
    help=str(Text("Act on a text that only recommends.", "Agir sur un texte qui ne fait que recommander.")),
)
@_details
@installation_options
@json_option
def make(
    directive: str,
    out: Path | None,
    targets: Path | None,
    details: bool,
    home: Path | None,
    actor: str,
    as_json: bool,
    **choices: str | tuple[str, ...] | bool | int | None,
) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.plan_view import show_plan
    from proscribe.cli.progress import working
    from proscribe.documents import to_bytes, to_json
    from proscribe.service import planning

    installation = open_installation(home, actor)
    asked = planning.Choices.from_words(targets=targets, **choices)  # type: ignore[arg-type]
    with working():
        plan = planning.propose(installation, directive, asked)
    if out is not None:
        out.write_bytes(to_bytes(plan) + b"\n")
    if as_json:
        print_json(to_json(plan))
    else:
        show_plan(plan, details=details)
        if out is not None:
            saved = Text(f"Saved as {out}. ", f"Enregistré dans {out}. ")
            click.echo(str(saved + _next(plan, out)))
    return 2 if plan.blocked else 0


def _next(plan: Plan, out: Path) -> Text:
    if plan.blocked:
        return Text(
            "It cannot be carried out until what blocks it is settled; then plan again.",
            "Il ne peut être exécuté tant que ce qui le bloque n'est pas réglé; planifiez ensuite de nouveau.",
        )
    if not plan.steps:
        return Text(
            f"There is nothing to carry out. Approved all the same ('proscribe apply {out} --approve'), the ban is "
            "judged by what is imported from then on.",
            "Il n'y a rien à exécuter. Si le plan est tout de même approuvé "
            f"(«\u00a0proscribe apply {out} --approve\u00a0»), l'interdiction est jugée d'après ce qui est "
            "importé par la suite.",
        )
    return Text(
        f"To carry it out: proscribe apply {out} --approve", f"Pour l'exécuter\u00a0: proscribe apply {out} --approve"
    )


@command.command(help=str(Text("Show a saved plan.", "Afficher un plan enregistré.")))
@click.argument(
    "file", metavar=str(Text("FILE", "FICHIER")), type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@_details
@json_option
def show(file: Path, details: bool, as_json: bool) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.plan_view import show_plan
    from proscribe.documents import read, to_json
    from proscribe.plan.model import Plan

    plan = read(Plan, file)
    if as_json:
        print_json(to_json(plan))
    else:
        show_plan(plan, details=details)
    return 2 if plan.blocked else 0
