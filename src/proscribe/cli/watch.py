"""``proscribe watch``: the loop that keeps bans enforced."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.cli.options import installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import Text


@click.command(
    help=str(
        Text(
            "Keep every approved ban enforced: observe, evaluate, send what is due, judge the outcomes, again and "
            "again. A missed or doubled tick changes nothing. Stop it with Ctrl-C or SIGTERM at any time.",
            "Maintenir en vigueur chaque interdiction approuvée : observer, évaluer, envoyer ce qui est dû, établir "
            "les résultats, sans relâche. Un passage manqué ou doublé ne change rien. Ctrl-C ou SIGTERM l'arrête à "
            "tout moment.",
        )
    )
)
@click.option("--once", is_flag=True, help=str(Text("One tick, then stop.", "Un seul passage, puis arrêt.")))
@click.option(
    "--every",
    type=click.FloatRange(min=1),
    default=900.0,
    show_default=True,
    help=str(Text("Seconds between ticks.", "Secondes entre les passages.")),
)
@installation_options
@json_option
def command(once: bool, every: float, home: Path | None, actor: str, as_json: bool) -> int:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.root import show_error
    from proscribe.cli.status_view import show_tick
    from proscribe.documents import to_json
    from proscribe.errors import ProscribeError
    from proscribe.service import enforcing

    installation = open_installation(home, actor)

    refused = False

    def one() -> float | None:
        nonlocal refused
        report = enforcing.tick(installation)
        refused = bool(report.errors)
        if as_json:
            print_json(to_json(report))
        else:
            show_tick(report)
        if report.unsettled and report.next_at is not None:
            return (report.next_at - installation.clock.now()).total_seconds()
        return None

    def patient() -> float | None:
        """A fault that may pass (a throttled service, a locked database) must not end the watch."""
        try:
            return one()
        except ProscribeError as error:
            if not error.transient:
                raise
            show_error(error)
            return None

    if once:
        one()
        return 2 if refused else 0
    from proscribe.worker.run import run_forever, until_signalled

    with until_signalled() as stop:
        run_forever(patient, every, stop_event=stop)
    return 0
