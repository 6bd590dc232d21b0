"""``proscribe directive``: list, show, validate and start directives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proscribe.cli.catalogue import paragraph
from proscribe.cli.directive_attach import attach
from proscribe.cli.options import CommandGroup
from proscribe.cli.output import json_option, print_json
from proscribe.text import COLON, Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from proscribe.directive.model import Directive


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Decisions about apps, as documents. Those that ship with Proscribe are real ones, with their sources.",
            "Décisions visant des applications, sous forme de documents. Celles qui sont fournies sont réelles et "
            "citent leurs sources.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


command.add_command(attach)


@command.command(name="list", help=str(Text("List the directives that ship.", "Énumérer les directives fournies.")))
@json_option
def list_(as_json: bool) -> None:
    """One line a directive."""
    from proscribe.directive.library import shipped

    directives = shipped()
    if as_json:
        print_json(
            [
                {
                    "id": one.id,
                    "title": {"en": one.title.en, "fr": one.title.fr},
                    "force": one.force,
                    "state": one.state,
                    "effective": _iso(one.effective),
                }
                for one in directives
            ]
        )
        return
    for one in directives:
        # Two lines each: an id and a title do not fit side by side in 80 columns without folding either.
        click.echo(f"{one.id:<32}{_iso(one.effective) or '-':<12}{force_word(one.force)}")
        click.echo(paragraph(one.title, indent="    "))


@command.command(
    help=str(
        Text(
            "Show a directive and what it means on a device.",
            "Afficher une directive et ce qu'elle signifie sur un appareil.",
        )
    )
)
@click.argument("directive", metavar=str(Text("ID_OR_FILE", "ID_OU_FICHIER")))
@click.option(
    "--targets", is_flag=True, help=str(Text("Show its target set too.", "Afficher aussi son ensemble de cibles."))
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(
        Text(
            "Save the document to this file, to be signed (never over another); with --targets, the target set.",
            "Enregistrer le document dans ce fichier, pour signature (jamais par-dessus un autre); avec --targets, "
            "l'ensemble de cibles.",
        )
    ),
)
@json_option
def show(directive: str, targets: bool, out: Path | None, as_json: bool) -> None:
    """``--json`` and ``--out`` give the document; with ``--targets``, its target set."""
    from proscribe import documents
    from proscribe.cli.catalogue import show_targets
    from proscribe.clock import SystemClock
    from proscribe.directive import library

    found = library.find(directive)
    target_set = library.target_set(found, now=SystemClock().now())
    document = target_set if targets else found
    if out is not None:
        library.save_new(out, documents.to_bytes(document).decode())
        click.echo(documents.digest(document))
        click.echo(str(Text(f"Saved {out}.", f"{out} enregistré.")))
        return
    if as_json:
        print_json(documents.to_json(document))
        return
    _show(found)
    active, total = sum(target.actionable for target in target_set.targets), len(target_set.targets)
    click.echo(
        paragraph(
            Text(
                f"Targets: {total}, of which {active} may drive a change.",
                f"Cibles : {total}, dont {active} permettent d'agir.",
            )
        )
    )
    by, on = target_set.reviewed_by, _iso(target_set.reviewed_on)
    click.echo(
        paragraph(
            Text(f"Reviewed on {on}: {by}", f"Examinées le {on} : {by}")
            if by
            else Text("Not reviewed: not executable yet.", "Non examinées : pas encore exécutables.")
        )
    )
    if targets:
        show_targets(target_set)


@command.command(
    help=str(
        Text(
            "Check a directive: its fields, dates, languages and targets. Exit status 2 when something must be mended.",
            "Vérifier une directive : champs, dates, langues et cibles. Code de sortie 2 s'il faut corriger quelque "
            "chose.",
        )
    )
)
@click.argument("directives", metavar=str(Text("ID_OR_FILE...", "ID_OU_FICHIER...")), nargs=-1, required=True)
@click.option(
    "--assessment",
    "assessments",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(
        Text(
            "An assessment the directive names: check that it says no more than that; may be repeated.",
            "Une évaluation que la directive nomme\u00a0: vérifier que la directive n'en dit pas plus (répétable).",
        )
    ),
)
@json_option
def validate(directives: tuple[str, ...], assessments: tuple[Path, ...], as_json: bool) -> int:
    """All flaws at once, each with its field and remedy."""
    from proscribe import documents
    from proscribe.catalogue.library import load
    from proscribe.directive import library
    from proscribe.directive.validate import validate as check

    results = {name: check(library.find(name), load()) for name in directives}
    if assessments:
        from proscribe.assess.model import Assessment
        from proscribe.directive.assessed import flaws as flaws_beside

        given = [documents.read(Assessment, file) for file in assessments]
        known = {documents.digest(one): one for one in given}
        results = {name: (*found, *flaws_beside(library.find(name), known)) for name, found in results.items()}
    if as_json:
        print_json(
            {
                name: {"valid": not flaws, "flaws": [documents.to_json(one) for one in flaws]}
                for name, flaws in results.items()
            }
        )
    else:
        for name, flaws in results.items():
            verdict = (
                Text("valid", "valide") if not flaws else Text(f"{len(flaws)} to mend", f"{len(flaws)} à corriger")
            )
            click.echo(f"{name}{COLON} {verdict}")
            for flaw in flaws:
                click.echo(f"  {flaw.field}: {flaw.what}\n    → {flaw.remedy}")
    return 2 if any(results.values()) else 0


@command.command(
    help=str(
        Text(
            "Start a directive: a draft in YAML with every field explained, printed or saved.",
            "Commencer une directive : une ébauche YAML dont chaque champ est expliqué, affichée ou enregistrée.",
        )
    )
)
@click.argument("directive_id", metavar="ID")
@click.option(
    "--bans",
    multiple=True,
    required=True,
    help=str(
        Text(
            "What it bans, e.g. product:tencent/wechat; repeat.",
            "Ce qu'elle vise, p. ex. product:tencent/wechat; à répéter au besoin.",
        )
    ),
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=str(
        Text("Save to this file (never over another).", "Enregistrer dans ce fichier (jamais par-dessus un autre).")
    ),
)
def new(directive_id: str, bans: tuple[str, ...], out: Path | None) -> int:
    """Refuses a draft that would not validate, such as one whose selector leads nowhere."""
    from proscribe import documents
    from proscribe.catalogue.library import load
    from proscribe.catalogue.selectors import parse_selector
    from proscribe.clock import SystemClock
    from proscribe.directive.library import save_new
    from proscribe.directive.model import Directive
    from proscribe.directive.template import template
    from proscribe.directive.validate import validate as check

    catalogue = load()
    text = template(directive_id, [parse_selector(one) for one in bans], catalogue, today=SystemClock().now().date())
    flaws = check(documents.from_json(Directive, documents.parse(text)), catalogue)
    for flaw in flaws:
        click.echo(f"{flaw.field}{COLON} {flaw.what}\n  → {flaw.remedy}", err=True)
    if flaws:
        return 2
    if out is None:
        click.echo(text, nl=False)
        return 0
    save_new(out, text)
    click.echo(
        str(
            Text(
                f"Saved {out}. Next: replace the words in [brackets], then ",
                f"{out} enregistré. Ensuite : remplacez le texte entre [crochets], puis ",
            )
        )
        + f"proscribe directive validate {out}"
    )
    return 0


def _show(directive: Directive) -> None:
    from proscribe.assess.rate.words import rating_word

    click.echo(paragraph(directive.title))
    click.echo(f"{directive.id}, version {directive.version}")
    authority, applies = directive.authority, directive.applies
    for label, value in (
        (
            Text("Decided by", "Décision de"),
            Text(f"{authority.decided_by.en}, {authority.body.en}", f"{authority.decided_by.fr}, {authority.body.fr}"),
        ),
        (Text("Instrument", "Instrument"), directive.instrument),
        (Text("Force", "Nature"), _same(force_word(directive.force))),
        (Text("Announced", "Annonce"), _same(_iso(directive.announced) or "-")),
        (Text("Effective", "En vigueur"), _same(_iso(directive.effective) or "-")),
        (Text("Devices", "Appareils"), applies.devices),
        (Text("Personal devices", "Appareils personnels"), _same(stance_word(applies.byod))),
        (Text("Compromise found", "Compromission constatée"), _same(compromise_word(directive.compromise_found))),
    ):
        click.echo(paragraph(Text(f"{label.en}: {value.en}", f"{label.fr} : {value.fr}")))
    _listed(Text("Bans", "Vise"), (item.wording for item in directive.items))
    _listed(
        Text("Requires", "Exige"),
        (
            Text(f"{action.what.en}{_until(action.by)}", f"{action.what.fr}{_until(action.by)}")
            for action in directive.actions
        ),
    )
    _listed(Text("Reasons the authority states", "Motifs énoncés par l'autorité"), directive.stated_reasons)
    _listed(
        Text("Analysts' context, not the authority's", "Contexte d'analystes, non de l'autorité"),
        directive.analyst_context,
    )
    _listed(
        Text("Can be read in two ways", "Peut se lire de deux façons"),
        (
            Text(f"{one.question.en} {one.reading.en}.", f"{one.question.fr} {one.reading.fr}.")
            for one in directive.ambiguities
        ),
    )
    _listed(Text("Not verified", "Non vérifié"), directive.unverified)
    _listed(
        Text("Assessments it rests on", "Évaluations sur lesquelles elle s'appuie"),
        (
            Text(f"{one.app_id} {one.version}", f"{one.app_id} {one.version}")
            + COLON
            + Text(" ", " ")
            + rating_word(one.rating)
            + Text(f", {one.digest}", f", {one.digest}")
            for one in directive.assessments
        ),
    )


def _listed(label: Text, texts: Iterable[Text]) -> None:
    lines = [paragraph(text, indent="    ") for text in texts]
    if lines:
        click.echo(str(Text(f"{label.en}:", f"{label.fr} :")))
        click.echo("\n".join("  - " + line.removeprefix("    ") for line in lines))


def _same(word: str) -> Text:
    return Text(word, word)


def _until(day: date | None) -> str:
    return f" ({day.isoformat()})" if day else ""


def force_word(value: str) -> str:
    """The force of a directive in the language shown."""
    words = {
        "binding": Text("binding", "contraignante"),
        "recommended": Text("recommended", "recommandée"),
        "mixed": Text("mixed", "contraignante en partie"),
    }
    return str(words[value])


def stance_word(value: str) -> str:
    """What the text says of a side question, in the language shown."""
    words = {
        "included": Text("included", "inclus"),
        "excluded": Text("excluded", "exclus"),
        "unstated": Text("the text does not say", "le texte n'en dit rien"),
    }
    return str(words[value])


def compromise_word(value: str) -> str:
    """What the authority says about a compromise, in the language shown."""
    words = {
        "none_stated": Text(
            "the authority states that it has no evidence of one", "l'autorité dit n'en avoir aucune preuve"
        ),
        "alleged": Text("alleged by the authority", "alléguée par l'autorité"),
        "confirmed": Text("confirmed by the authority", "confirmée par l'autorité"),
        "not_addressed": Text("not addressed", "non abordée"),
    }
    return str(words[value])


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
