"""``proscribe feed``: pull the authority's feed, see how it stands, adopt; and make one (``feed_authority``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.feed_authority import AUTHORITY
from proscribe.cli.options import CommandGroup, installation_options, open_installation
from proscribe.cli.output import json_option, print_json
from proscribe.text import COLON, Text

if TYPE_CHECKING:
    from proscribe.feed.model import FeedStatus, PullReport


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "The feed from an authority to its departments: signed directives, target sets and revocations as files "
            "that any web server can host. What comes by it is a proposal; nothing is enforced by itself.",
            "Le fil de diffusion d'une autorité vers ses organismes\u00a0: directives, ensembles de cibles et "
            "révocations signés, sous forme de fichiers que tout serveur Web peut héberger. Ce qui en vient est "
            "une proposition; rien n'est appliqué automatiquement.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


for _made in AUTHORITY:
    command.add_command(_made)


@command.command(
    help=str(
        Text(
            "Ask a feed for news, verify it, and open cases. Adopts only what the policy of this feed allows.",
            "Lire les nouveautés d'un fil, les vérifier et ouvrir les dossiers. N'adopte que ce que permet la "
            "politique établie pour ce fil.",
        )
    )
)
@click.argument("name", metavar=str(Text("FEED", "FIL")))
@click.option(
    "--from",
    "source",
    metavar=str(Text("FILE|FOLDER|ADDRESS", "FICHIER|DOSSIER|ADRESSE")),
    help=str(
        Text(
            "Read it from here this time, for example a file of 'feed pack'. It is checked in the same way.",
            "Le lire cette fois à cet endroit, par exemple dans un fichier de «\u00a0feed pack\u00a0». La "
            "vérification est la même.",
        )
    ),
)
@installation_options
@json_option
def pull(name: str, source: str | None, home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.cli.progress import working
    from proscribe.documents import to_json
    from proscribe.service import feeding

    given = source if source is None or "://" in source else Path(source)
    with working():
        report = feeding.pull(open_installation(home, actor), name, source=given)
    if as_json:
        print_json(to_json(report))
        return
    for line in _lines(report):
        click.echo(line)


def _lines(report: PullReport) -> list[str]:
    if not (report.taken or report.refused or report.gone or report.adopted):
        lines = [str(Text(f"{report.feed}: nothing new.", f"{report.feed}\u00a0: rien de nouveau."))]
    else:
        lines = [f"+ {path}" for path in report.taken]
        lines += [f"! {one.path} [{one.refused}]{COLON} {one.why}" for one in report.refused]
        lines += [f"- {path}" for path in report.gone]
    lines += [str(Text(f"Case opened: {one}", f"Dossier ouvert\u00a0: {one}")) for one in report.cases]
    lines += [
        str(Text(f"Adopted under a standing order: {one}", f"Adoptée en vertu d'un ordre permanent\u00a0: {one}"))
        for one in report.adopted
    ]
    return [*lines, *(f"→ {text}" for text in report.proposals)]


@command.command(
    help=str(
        Text(
            "How every configured feed stands, by our clock. Asks nobody.",
            "L'état de chaque fil configuré, selon notre horloge. N'interroge personne.",
        )
    )
)
@installation_options
@json_option
def status(home: Path | None, actor: str, as_json: bool) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.documents import to_json
    from proscribe.service import feeding

    rows = feeding.status(open_installation(home, actor))
    if as_json:
        print_json([to_json(row) for row in rows])
        return
    if not rows:
        click.echo(str(Text("No feed is configured.", "Aucun fil n'est configuré.")))
    for row in rows:
        _show(row)


def _show(row: FeedStatus) -> None:
    from proscribe.feed.layout import Place

    words = {
        "good": Text("good", "en règle"),
        "stale": Text("STALE", "SANS NOUVELLES"),
        "lapsed": Text("LAPSED", "ÉCHU"),
        "refused": Text("REFUSED", "REFUSÉ"),
        "never": Text("not pulled", "jamais lu"),
    }
    policy = {
        "never": Text("nothing is adopted", "rien n'est adopté"),
        "approved": Text("adopted after approval", "adoption après approbation"),
        "standing": Text("adopted under a standing order", "adoption en vertu d'un ordre permanent"),
    }
    click.echo(f"{row.feed}{COLON} {words[row.health.value]}; {row.why}")
    click.echo(f"  {row.source}; {policy[row.adopt.value]}")
    if row.key_list is None:
        click.echo(
            str(
                Text(
                    "  No key list of the authority is known: nothing can be adopted.",
                    "  Aucune liste de clés de l'autorité n'est connue\u00a0: rien ne peut être adopté.",
                )
            )
        )
    offered = sorted(path for path in (row.state.files if row.state else {}) if path.startswith(f"{Place.directives}/"))
    for path in offered:
        click.echo(f"  {path}")
    for one in row.adopted:
        click.echo(
            str(
                Text(
                    f"  Adopted: {one.directive}, version {one.version}, by {one.by}, {one.at:%Y-%m-%d}",
                    f"  Adoptée\u00a0: {one.directive}, version {one.version}, par {one.by}, {one.at:%Y-%m-%d}",
                )
            )
        )


@command.command(
    help=str(
        Text(
            "Adopt a directive of a feed, in the role you act in (--as). Planning it comes after.",
            "Adopter une directive d'un fil, dans le rôle que vous exercez (--as). La planification vient ensuite.",
        )
    )
)
@click.argument("name", metavar=str(Text("FEED", "FIL")))
@click.argument("directive", metavar="DIRECTIVE")
@installation_options
def adopt(name: str, directive: str, home: Path | None, actor: str) -> None:
    """Made bilingual by ``help`` above."""
    from proscribe.service import feeding

    one = feeding.adopt(open_installation(home, actor), name, directive)
    click.echo(
        str(
            Text(
                f"{one.directive}, version {one.version}: adopted by {one.by}. Nothing was sent; plan it next "
                f"('proscribe plan {one.directive}').",
                f"{one.directive}, version {one.version}\u00a0: adoptée par {one.by}. Rien n'a été envoyé; "
                f"planifiez-la ensuite («\u00a0proscribe plan {one.directive}\u00a0»).",
            )
        )
    )
