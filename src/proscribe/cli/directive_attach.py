"""``proscribe directive attach``: the evidence a decision rests on, named in it by digest."""

from __future__ import annotations

from pathlib import Path

import click

from proscribe.text import Text, plural


@click.command(
    help=str(
        Text(
            "Attach an assessment to a directive, by digest. Only findings that a review has released can be quoted.",
            "Joindre une évaluation à une directive, par empreinte. Seuls les constats qu'un examen a rendus "
            "diffusables peuvent être cités.",
        )
    )
)
@click.argument("directive", metavar=str(Text("FILE", "FICHIER")), type=click.Path(dir_okay=False, path_type=Path))
@click.argument(
    "assessment", metavar=str(Text("ASSESSMENT", "ÉVALUATION")), type=click.Path(dir_okay=False, path_type=Path)
)
@click.option(
    "--quote",
    "quotes",
    multiple=True,
    help=str(
        Text(
            "Id of a released finding that the notice may quote; may be repeated.",
            "Identifiant d'un constat diffusable que l'avis peut citer (répétable).",
        )
    ),
)
def attach(directive: Path, assessment: Path, quotes: tuple[str, ...]) -> None:
    """The file keeps its comments: only its ``assessments`` are written, at the end."""
    from proscribe import documents
    from proscribe.assess.model import Assessment
    from proscribe.directive.assessed import attach as attached_to
    from proscribe.directive.assessed import written_into
    from proscribe.directive.model import Directive

    before = documents.read(Directive, directive)
    after = attached_to(before, documents.read(Assessment, assessment), quotes)
    text = written_into(directive.read_text(encoding="utf-8-sig"), after)
    # What is about to be written must read as what is meant; the file is replaced whole or not at all.
    if documents.from_json(Directive, documents.parse(text, source=str(directive)), source=str(directive)) != after:
        raise click.ClickException(str(Text("the file was left as it was", "le fichier est resté tel quel")))
    scratch = directive.with_name(directive.name + ".part")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(directive)
    one = after.assessments[-1]
    quotable = plural(
        len(one.quotes),
        Text("finding", "constat peut être cité"),
        Text("findings", "constats peuvent être cités"),
    )
    click.echo(
        str(
            Text(
                f"{directive}: assessment of {one.app_id} {one.version} attached ({one.digest}); "
                f"{quotable.en} may be quoted.",
                f"{directive}\u00a0: évaluation de {one.app_id} {one.version} jointe ({one.digest}); {quotable.fr}.",
            )
        )
    )
