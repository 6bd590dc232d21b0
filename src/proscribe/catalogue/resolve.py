"""From what a directive points at to the exact identifiers it means: selectors in, frozen target set out.

Each target says why it is there and whether it may drive a change. A selector that leads nowhere becomes an
``Unresolved`` with its reason: a ban that silently covers nothing is the worst outcome of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from proscribe.catalogue.actionable import why_not
from proscribe.catalogue.identifiers import APP_IDS, APPLE, GLOBS, SIGNERS, fingerprint, malformed
from proscribe.catalogue.library import Catalogue, did_you_mean
from proscribe.catalogue.model import (
    Confidence,
    Identifier,
    IdentifierType,
    Product,
    Publisher,
    Selector,
    SelectorKind,
    Target,
    TargetSet,
    Unresolved,
)
from proscribe.catalogue.skeleton import plain
from proscribe.terms import Platform
from proscribe.text import Text

NAME_SOURCE = "product-name"
DIRECTIVE_SOURCE = "directive"
_STRENGTH = {Confidence.low: 0, Confidence.medium: 1, Confidence.high: 2}


@dataclass(frozen=True)
class Candidate:
    """An identifier on its way to becoming a target. ``lead``: it helps to find look-alikes and no more."""

    identifier: Identifier
    publisher: Publisher | None
    product: Product | None
    why: Text
    lead: bool = False
    covers: tuple[str, ...] = ()  # products that a wide identifier (glob, signer) is known to hit

    @property
    def key(self) -> str:
        """``Target.id``."""
        return target_id(self.identifier.type, self.identifier.platform, self.identifier.value)


def target_id(kind: IdentifierType, platform: Platform, value: str) -> str:
    """The id of a target within a set."""
    return f"{kind}:{platform}:{value}"


def resolve(
    selectors: Sequence[Selector],
    catalogue: Catalogue,
    *,
    now: datetime,
    directive: str = "",
    directive_version: int = 0,
) -> TargetSet:
    """What the selectors mean in exact identifiers, according to this catalogue, at ``now`` (UTC).

    Never raises for a selector: what cannot be resolved is listed in ``unresolved``, each with its reason.
    """
    selectors = tuple(dict.fromkeys(selectors))
    candidates: dict[str, list[Candidate]] = {}
    unresolved: list[Unresolved] = []
    chosen: set[str] = set()
    for selector in selectors:
        found, reason = _RESOLVERS[selector.kind](selector, catalogue)
        kept = [_narrowed(one, selector) for one in found if _on_platform(one.identifier, selector.platform)]
        if found and not kept:
            reason = Text(
                f"nothing it names has an identifier on {selector.platform}",
                f"rien de ce qu'il désigne n'a d'identifiant sur {selector.platform}",
            )
        if reason is not None:
            unresolved.append(Unresolved(selector, reason))
        for one in kept:
            candidates.setdefault(one.key, []).append(one)
        if selector.kind in _BY_PRODUCT:
            chosen.update(one.product.id for one in kept if one.product is not None)
    targets = tuple(_target(candidates[key], catalogue, chosen, now) for key in sorted(candidates))
    publishers = sorted({target.publisher for target in targets} - {""})
    return TargetSet(
        directive=directive,
        directive_version=directive_version,
        catalogue=catalogue.digest,
        resolved_at=now,
        selectors=selectors,
        targets=targets,
        unresolved=tuple(unresolved),
        notes=_notes(selectors, catalogue),
        siblings=_siblings(publishers, catalogue, targets),
        publisher_names={one: _names_of(catalogue.publisher(one)) for one in publishers},
    )


# ---- one function a kind of selector: what it finds, and why it found nothing ----------------------------------------

_Found = tuple[list[Candidate], Text | None]


def _product(selector: Selector, catalogue: Catalogue) -> _Found:
    if selector.value not in catalogue.product_ids():
        return [], _not_listed(Text("product", "produit"), selector.value, catalogue.product_ids())
    product = catalogue.product(selector.value)
    why = Text(f"it is {product.name}, which the directive names", f"c'est {product.name}, que nomme la directive")
    found = _of_product(catalogue.publisher_of(product.id), product, why)
    return found, None if found else _no_identifier(product.name)


def _suite(selector: Selector, catalogue: Catalogue) -> _Found:
    members = [(p, product) for p, product in catalogue.products() if selector.value in product.suites]
    if not members:
        suites = {suite for _, product in catalogue.products() for suite in product.suites}
        return [], _not_listed(Text("suite", "suite"), selector.value, suites)
    suite = catalogue.group(selector.value).name
    found: list[Candidate] = []
    for publisher, product in members:
        why = Text(
            f"{product.name} is part of “{suite.en}”", f"{product.name} fait partie de l'ensemble « {suite.fr} »"
        )
        found += _of_product(publisher, product, why)
    return found, None


def _category(selector: Selector, catalogue: Catalogue) -> _Found:
    members = [(p, product) for p, product in catalogue.products() if selector.value in product.categories]
    if not members:
        known = {one for _, product in catalogue.products() for one in product.categories}
        return [], _not_listed(Text("category", "catégorie"), selector.value, known)
    category = catalogue.group(selector.value).name
    found: list[Candidate] = []
    for publisher, product in members:
        why = Text(
            f"{product.name} is listed under the category “{category.en}”",
            f"{product.name} est inscrit dans la catégorie « {category.fr} »",
        )
        found += _of_product(publisher, product, why)
    return found, None


def _publisher(selector: Selector, catalogue: Catalogue) -> _Found:
    if selector.value not in catalogue.publisher_ids():
        return [], _not_listed(Text("publisher", "éditeur"), selector.value, catalogue.publisher_ids())
    publisher = catalogue.publisher(selector.value)
    wide = Text(
        f"it stands for every product of {publisher.name}, present and later",
        f"il vaut pour tous les produits de {publisher.name}, présents et à venir",
    )
    found = [Candidate(one, publisher, None, wide) for one in publisher.identifiers]
    for product in publisher.products:
        why = Text(
            f"{product.name} is a product of {publisher.name}", f"{product.name} est un produit de {publisher.name}"
        )
        found += [Candidate(one, publisher, product, why) for one in product.identifiers]
        found += _name_candidates(publisher, product, why)
    return found, None if found else _no_identifier(publisher.name)


def _glob(selector: Selector, catalogue: Catalogue) -> _Found:
    value = selector.value
    if "*" not in value:
        return _exact(selector, catalogue)
    wrong = malformed(IdentifierType.android_package_glob, value)
    if wrong is not None:
        return [], wrong
    found = []
    for kind, platform in GLOBS.items():
        known = _holders(catalogue, kind, value)
        covers = _covered(catalogue, platform, value[:-1])
        why = Text(
            f"the directive names every identifier like {value}",
            f"la directive nomme tout identifiant de forme {value}",
        )
        found += _wide(known, Identifier(kind, value, platform, Confidence.medium, (DIRECTIVE_SOURCE,)), why, covers)
    return found, None


def _exact(selector: Selector, catalogue: Catalogue) -> _Found:
    value = selector.value
    why = Text(f"the directive names the identifier {value}", f"la directive nomme l'identifiant {value}")
    known = _known(catalogue, lambda one: one.type in APP_IDS and one.value == value)
    if known:
        return [Candidate(one, publisher, product, why) for one, publisher, product in known], None
    wrong = malformed(IdentifierType.android_package, value)
    if wrong is not None:
        return [], wrong
    mobile = (IdentifierType.android_package, IdentifierType.ios_bundle_id)
    return [
        Candidate(Identifier(kind, value, APP_IDS[kind], Confidence.medium, (DIRECTIVE_SOURCE,)), None, None, why)
        for kind in mobile
    ], None


def _certificate(selector: Selector, catalogue: Catalogue) -> _Found:
    value = fingerprint(selector.value)
    wrong = malformed(IdentifierType.android_cert_sha256, value)
    if wrong is not None:
        return [], wrong
    why = Text("the directive names this signing certificate", "la directive nomme ce certificat de signature")
    fresh = Identifier(
        IdentifierType.android_cert_sha256, value, Platform.android, Confidence.medium, (DIRECTIVE_SOURCE,)
    )
    return _signer(fresh, catalogue, why), None


def _team(selector: Selector, catalogue: Catalogue) -> _Found:
    value = selector.value.upper()
    wrong = malformed(IdentifierType.apple_team_id, value)
    if wrong is not None:
        return [], wrong
    why = Text("the directive names this Apple team", "la directive nomme cette équipe Apple")
    fresh = Identifier(IdentifierType.apple_team_id, value, Platform.ios, Confidence.medium, (DIRECTIVE_SOURCE,))
    return _signer(fresh, catalogue, why), None


def _signer(fresh: Identifier, catalogue: Catalogue, why: Text) -> list[Candidate]:
    known = _holders(catalogue, fresh.type, fresh.value)
    covers = tuple(sorted({product.id for _, _, product in known if product is not None}))
    return _wide(known, fresh, why, covers)


def _name(selector: Selector, catalogue: Catalogue) -> _Found:
    wanted = plain(selector.value)
    if not wanted:
        return [], Text("the name has no letter or digit", "le nom n'a ni lettre ni chiffre")
    why = Text(f"the directive names it “{selector.value}”", f"la directive la nomme « {selector.value} »")
    for publisher, product in catalogue.products():
        if wanted in {plain(name) for name in (product.name, *product.names)}:
            return [Candidate(_name_identifier(selector.value), publisher, product, why)], None
    return [Candidate(_name_identifier(selector.value), None, None, why)], None


_RESOLVERS: dict[SelectorKind, Callable[[Selector, Catalogue], _Found]] = {
    SelectorKind.product: _product,
    SelectorKind.suite: _suite,
    SelectorKind.category: _category,
    SelectorKind.publisher: _publisher,
    SelectorKind.glob: _glob,
    SelectorKind.certificate: _certificate,
    SelectorKind.team: _team,
    SelectorKind.name: _name,
}
_BY_PRODUCT = (SelectorKind.product, SelectorKind.suite, SelectorKind.publisher, SelectorKind.category)


# ---- helpers of the above -------------------------------------------------------------------------------------------


def _of_product(publisher: Publisher, product: Product, why: Text) -> list[Candidate]:
    """A product's identifiers and names. Its signers sign other products too, so they only lead to look-alikes."""
    found = [Candidate(one, publisher, product, why, lead=one.type in SIGNERS) for one in product.identifiers]
    found += [Candidate(one, publisher, None, why, lead=True) for one in publisher.identifiers if one.type in SIGNERS]
    return found + _name_candidates(publisher, product, why)


def _name_candidates(publisher: Publisher, product: Product, why: Text) -> list[Candidate]:
    named = {plain(name): name for name in reversed(product.names)}
    return [Candidate(_name_identifier(name), publisher, product, why) for name in named.values()]


def _name_identifier(name: str) -> Identifier:
    return Identifier(IdentifierType.app_name, name, Platform.unknown, Confidence.medium, (NAME_SOURCE,))


_Known = tuple[Identifier, Publisher, Product | None]


def _known(catalogue: Catalogue, wanted: Callable[[Identifier], bool]) -> list[_Known]:
    """Every place where the catalogue holds an identifier; product None for one that stands for the publisher."""
    found: list[_Known] = []
    for publisher in catalogue.publishers:
        found += [(one, publisher, None) for one in publisher.identifiers if wanted(one)]
        for product in publisher.products:
            found += [(one, publisher, product) for one in product.identifiers if wanted(one)]
    return found


def _holders(catalogue: Catalogue, kind: IdentifierType, value: str) -> list[_Known]:
    return _known(catalogue, lambda one: one.type is kind and one.value == value)


def _wide(known: list[_Known], fresh: Identifier, why: Text, covers: tuple[str, ...]) -> list[Candidate]:
    """A glob or signer as a target: as the catalogue holds it, else as the directive gives it."""
    for identifier, publisher, product in known:
        if product is None:  # the catalogue itself says that it stands for the whole publisher: nothing is collateral
            return [Candidate(identifier, publisher, None, why)]
    if known:
        identifier, publisher, product = known[0]
        return [Candidate(identifier, publisher, product if len(covers) == 1 else None, why, covers=covers)]
    return [Candidate(fresh, None, None, why, covers=covers)]


def _covered(catalogue: Catalogue, platform: Platform, prefix: str) -> tuple[str, ...]:
    start = prefix if platform is Platform.android else prefix.lower()
    return tuple(
        product.id
        for _, product in catalogue.products()
        if any(
            one.type in APP_IDS
            and one.platform is platform
            and (one.value if platform is Platform.android else one.value.lower()).startswith(start)
            for one in product.identifiers
        )
    )


def _on_platform(identifier: Identifier, wanted: Platform | None) -> bool:
    if wanted is None or identifier.platform in (wanted, Platform.unknown):
        return True
    return identifier.type is IdentifierType.apple_team_id and wanted in APPLE


def _narrowed(candidate: Candidate, selector: Selector) -> Candidate:
    """A name holds on any platform, unless the selector is for one."""
    if candidate.identifier.type is not IdentifierType.app_name or selector.platform is None:
        return candidate
    return replace(candidate, identifier=replace(candidate.identifier, platform=selector.platform))


def _target(found: list[Candidate], catalogue: Catalogue, chosen: set[str], now: datetime) -> Target:
    """One target of all candidates with one key: the whys are merged, the best-sourced of them stands for it."""
    # A candidate that only leads must not weaken one that the directive selects outright.
    best = max(found, key=lambda one: (not one.lead, _STRENGTH[one.identifier.confidence], len(one.identifier.sources)))
    identifier = best.identifier
    lead = all(one.lead for one in found)
    products = {one.product.id if one.product else "" for one in found}
    product = best.product if len(products) == 1 else None
    collateral = _collateral(found, chosen)
    reason = why_not(identifier, lead=lead, collateral=collateral, catalogue=catalogue, today=now.date())
    label = product.name if product else best.publisher.name if best.publisher else identifier.value
    return Target(
        id=best.key,
        type=identifier.type,
        value=identifier.value,
        platform=identifier.platform,
        confidence=identifier.confidence,
        publisher=best.publisher.id if best.publisher else "",
        product=product.id if product else "",
        label=label,
        why=tuple(dict.fromkeys(one.why for one in found)),
        sources=tuple(dict.fromkeys(source for one in found for source in one.identifier.sources)),
        actionable=reason is None,
        not_actionable_because=reason,
        collateral=", ".join(collateral) or (identifier.collateral.en if identifier.collateral else ""),
        lead=lead,
    )


def _collateral(found: Iterable[Candidate], chosen: set[str]) -> tuple[str, ...]:
    """Products that a wide identifier hits although no selector chose them."""
    hit = {product for one in found for product in one.covers}
    if len(hit) > 1 or hit & chosen:
        return tuple(sorted(hit - chosen))
    return ()


def _siblings(publishers: Sequence[str], catalogue: Catalogue, targets: Sequence[Target]) -> tuple[str, ...]:
    """Identifiers of the same publishers' products that the set does not mean at all."""
    meant, held = {target.product for target in targets}, {target.id for target in targets}
    known = {
        target_id(one.type, one.platform, one.value)
        for publisher in publishers
        for product in catalogue.publisher(publisher).products
        if product.id not in meant
        for one in product.identifiers
        if one.type in APP_IDS or one.type is IdentifierType.app_store_id
    }
    return tuple(sorted(known - held))


def _names_of(publisher: Publisher) -> tuple[str, ...]:
    return tuple(dict.fromkeys((publisher.name, *publisher.legal_names)))


def _notes(selectors: Sequence[Selector], catalogue: Catalogue) -> tuple[Text, ...]:
    notes = []
    for selector in selectors:
        if selector.kind is SelectorKind.category and selector.value in catalogue.group_ids():
            name = catalogue.group(selector.value).name
            notes.append(
                Text(
                    f"The category “{name.en}” covers only the products listed in the catalogue. An app of that kind "
                    "that is not listed is not covered.",
                    f"La catégorie « {name.fr} » ne couvre que les produits inscrits au catalogue. Une application de "
                    "ce "
                    "genre qui n'y figure pas n'est pas couverte.",
                )
            )
        if selector.kind is SelectorKind.publisher and selector.value in catalogue.publisher_ids():
            name_ = catalogue.publisher(selector.value).name
            notes.append(
                Text(
                    f"Later products of {name_} enter when the set is resolved again; until then only its signers and "
                    "globs find them.",
                    f"Les produits ultérieurs de {name_} s'ajoutent lorsque l'ensemble est résolu de nouveau; d'ici "
                    "là, seuls ses signataires et ses motifs les trouvent.",
                )
            )
    return tuple(dict.fromkeys(notes))


def _not_listed(what: Text, value: str, known: Iterable[str]) -> Text:
    near = did_you_mean(
        value, known, otherwise=Text("Add it to the catalogue first.", "Ajoutez-le d'abord au catalogue.")
    )
    return Text(
        f"the catalogue has no {what.en} {value!r}. {near.en}",
        f"absent du catalogue ({what.fr}) : {value!r}. {near.fr}",
    )


def _no_identifier(name: str) -> Text:
    return Text(
        f"the catalogue has no identifier of {name} yet", f"le catalogue n'a encore aucun identifiant de {name}"
    )
