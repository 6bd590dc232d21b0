"""``proscribe catalogue``: who makes what, by which identifiers it is known, and what a selector comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proscribe.cli.options import CommandGroup
from proscribe.cli.output import console, json_option, print_json, print_table
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.catalogue.library import Catalogue
    from proscribe.catalogue.model import Group, Identifier, Product, Publisher, TargetSet


@click.group(
    cls=CommandGroup,
    help=str(
        Text(
            "Publishers, products and identifiers, each with its source and its confidence.",
            "Éditeurs, produits et identifiants, chacun avec sa source et sa fiabilité.",
        )
    ),
)
def command() -> None:
    """Made bilingual by ``help`` above."""


@command.command(help=str(Text("Show a publisher, product, suite or category.", "Afficher une fiche du catalogue.")))
@click.argument("entry_id", metavar="ID", required=False)
@json_option
def show(entry_id: str | None, as_json: bool) -> None:
    """Without an id, the list of all products."""
    from proscribe import documents
    from proscribe.catalogue.library import load

    catalogue = load()
    if entry_id is None:
        _show_all(catalogue, as_json=as_json)
        return
    entry: Publisher | Product | Group
    if entry_id in catalogue.publisher_ids():
        entry = catalogue.publisher(entry_id)
    elif entry_id in catalogue.group_ids():
        entry = catalogue.group(entry_id)
    else:
        entry = catalogue.product(entry_id)
    if as_json:
        print_json(documents.to_json(entry))
        return
    _show_entry(entry, catalogue)


@command.command(help=str(Text("Find products by name or identifier.", "Trouver des produits par nom ou identifiant.")))
@click.argument("text", metavar=str(Text("TEXT", "TEXTE")))
@json_option
def search(text: str, as_json: bool) -> int:
    """Exit status 2 when nothing is found."""
    from proscribe.catalogue.library import load
    from proscribe.catalogue.search import search as find

    found = find(load(), text)
    if as_json:
        print_json(
            [
                {"publisher": publisher.id, "product": product.id, "matched": where}
                for publisher, product, where in found
            ]
        )
        return 0 if found else 2
    if not found:
        click.echo(
            str(
                Text(f"Nothing in the catalogue matches {text!r}.", f"Rien dans le catalogue ne correspond à {text!r}.")
            )
        )
        click.echo(
            str(
                Text(
                    "Try a part of the name or of an identifier, or list all: proscribe catalogue show",
                    "Essayez une partie du nom ou de l'identifiant, ou affichez tout : proscribe catalogue show",
                )
            )
        )
        return 2
    print_table(
        "",
        [str(Text("Product", "Produit")), str(Text("Publisher", "Éditeur")), str(Text("Matched", "Correspondance"))],
        [(product.id, publisher.name, where) for publisher, product, where in found],
    )
    return 0


@command.command(
    help=str(
        Text(
            "Show the targets that selectors come to. Exit status 2 when a part leads nowhere. Write kind:value, "
            "optionally @platform; kinds: product, suite, publisher, glob, certificate, team, name, category.",
            "Afficher les cibles auxquelles mènent des sélecteurs. Code de sortie 2 si une partie ne mène nulle part. "
            "Écrivez type:valeur, au besoin @plateforme; types : product, suite, publisher, glob, certificate, team, "
            "name, "
            "category.",
        )
    )
)
@click.argument("selectors", metavar=str(Text("SELECTOR...", "SÉLECTEUR...")), nargs=-1, required=True)
@json_option
def resolve(selectors: tuple[str, ...], as_json: bool) -> int:
    """An ad-hoc target set; nobody has reviewed it, so nothing can be executed with it."""
    from proscribe import documents
    from proscribe.catalogue.library import load
    from proscribe.catalogue.resolve import resolve as resolve_selectors
    from proscribe.catalogue.selectors import parse_selector
    from proscribe.clock import SystemClock

    targets = resolve_selectors([parse_selector(one) for one in selectors], load(), now=SystemClock().now())
    if as_json:
        print_json(documents.to_json(targets))
    else:
        show_targets(targets)
    return 2 if targets.unresolved else 0


def show_targets(targets: TargetSet) -> None:
    """A target set as tables: what may drive a change, then what may not and why, then what leads nowhere."""
    from proscribe.catalogue.model import Target
    from proscribe.catalogue.selectors import format_selector

    def rows(wanted: bool) -> list[Target]:
        return [target for target in targets.targets if target.actionable is wanted]

    identifier, kind = str(Text("Identifier", "Identifiant")), str(Text("Type", "Type"))
    active = rows(wanted=True)
    if active:
        print_table(
            str(Text("May drive a change", "Permettent d'agir")),
            [identifier, kind, str(Text("Stands for", "Représente")), str(Text("Confidence", "Fiabilité"))],
            [(one.value, one.type, one.label, confidence_word(one.confidence)) for one in active],
        )
    by_reason: dict[str, list[str]] = {}
    for one in rows(wanted=False):
        by_reason.setdefault(str(one.not_actionable_because), []).append(f"{one.value} ({one.type})")
    if by_reason:
        print_table(
            str(Text("Looked for, never acted upon", "Recherchés, sans jamais permettre d'agir")),
            [str(Text("Why not", "Pourquoi")), identifier],
            [(reason, "\n".join(values)) for reason, values in by_reason.items()],
        )
    for unresolved in targets.unresolved:
        selector, reason = format_selector(unresolved.selector), unresolved.reason
        click.echo(
            paragraph(Text(f"Leads nowhere: {selector}: {reason.en}", f"Ne mène nulle part : {selector} : {reason.fr}"))
        )
    for note in targets.notes:
        click.echo(paragraph(note))


def confidence_word(value: str) -> str:
    """A confidence in the language shown."""
    words = {"high": Text("high", "élevée"), "medium": Text("medium", "moyenne"), "low": Text("low", "faible")}
    return str(words[value])


def paragraph(text: Text, *, indent: str = "") -> str:
    """Text folded to the terminal's width, at most 100 columns."""
    return click.wrap_text(str(text), width=min(console().width, 100), initial_indent=indent, subsequent_indent=indent)


def _products(ids: list[str]) -> Text:
    listed = ", ".join(ids)
    return Text(f"Products: {listed}", f"Produits : {listed}")


def _show_all(catalogue: Catalogue, *, as_json: bool) -> None:
    if as_json:
        print_json([{"publisher": publisher.id, "product": product.id} for publisher, product in catalogue.products()])
        return
    print_table(
        "",
        [str(Text("Product", "Produit")), str(Text("Name", "Nom")), str(Text("Identifiers", "Identifiants"))],
        [(product.id, product.name, len(product.identifiers)) for _, product in catalogue.products()],
        numeric=1,
    )


def _show_entry(entry: Publisher | Product | Group, catalogue: Catalogue) -> None:
    from proscribe.catalogue.model import Group, Publisher

    click.echo(f"{entry.name} ({entry.id})")
    if entry.note is not None:
        click.echo(paragraph(entry.note))
    if isinstance(entry, Group):
        members = [p.id for _, p in catalogue.products() if entry.id in (*p.suites, *p.categories)]
        click.echo(paragraph(_products(members)))
        return
    if isinstance(entry, Publisher):
        control, names = entry.country_of_control, ", ".join(entry.legal_names) or "-"
        click.echo(str(Text(f"Country of control: {control}", f"Pays de contrôle : {control}")))
        click.echo(paragraph(Text(f"Legal names: {names}", f"Raisons sociales : {names}")))
        click.echo(paragraph(_products([product.id for product in entry.products])))
    else:
        names = ", ".join(entry.names)
        click.echo(paragraph(Text(f"Listed as: {names}", f"Noms affichés : {names}")))
    if entry.identifiers:
        print_table(
            "",
            [
                str(Text("Identifier", "Identifiant")),
                str(Text("Type", "Type")),
                str(Text("Confidence", "Fiabilité")),
                str(Text("Sources and remarks", "Sources et remarques")),
            ],
            [(one.value, one.type, confidence_word(one.confidence), _remarks(one)) for one in entry.identifiers],
        )


def _remarks(identifier: Identifier) -> str:
    parts = [", ".join(identifier.sources)]
    if identifier.conflict:
        parts.append(str(Text(f"conflict: {identifier.conflict}", f"conflit : {identifier.conflict}")))
    parts += [str(text) for text in (identifier.note, identifier.collateral) if text is not None]
    return "\n".join(parts)
