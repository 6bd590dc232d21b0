"""When an identifier may drive a change on a device, and the reason when it may not. The rule stands here alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from proscribe.catalogue.identifiers import APP_IDS, GLOBS, SIGNERS
from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.model import Confidence, Identifier, IdentifierType
from proscribe.catalogue.protected import is_protected, protected_under
from proscribe.text import Text

_RECORD_ONLY = Text(
    "it is kept for the record: no management system reports it for a mobile app",
    "il est conservé pour mémoire : aucun système de gestion ne le signale pour une application mobile",
)


def why_not(
    identifier: Identifier, *, lead: bool, collateral: Sequence[str], catalogue: Catalogue, today: date
) -> Text | None:
    """Why the identifier may not drive a change, the weightiest reason first; None when it may.

    ``lead``: it only leads to look-alikes. ``collateral``: ids of products it hits that the directive did not choose.
    """
    for reason in (
        _protected(identifier),
        _doubtful(identifier, catalogue),
        _out_of_date(identifier, today),
        _of_its_kind(identifier, lead=lead),
        _collateral(identifier, collateral, catalogue),
    ):
        if reason is not None:
            return reason
    return None


def _protected(identifier: Identifier) -> Text | None:
    if identifier.type in APP_IDS:
        return is_protected(identifier.platform, identifier.value)
    if identifier.type in GLOBS:
        hits = protected_under(identifier.platform, identifier.value.removesuffix("*"))
        if hits:
            some = ", ".join(hits[:3])
            return Text(f"it would hit protected apps: {some}", f"il frapperait des applications protégées : {some}")
    return None


def _doubtful(identifier: Identifier, catalogue: Catalogue) -> Text | None:
    if identifier.confidence is Confidence.low:
        return Text(
            "its confidence is low: a person must confirm it on a real device or store page first",
            "sa fiabilité est faible : une personne doit d'abord le confirmer sur un appareil ou une page de boutique",
        )
    if identifier.conflict in catalogue.open_conflicts:
        return Text(
            f"sources contradict each other (conflict {identifier.conflict})",
            f"les sources se contredisent (conflit {identifier.conflict})",
        )
    return None


def _out_of_date(identifier: Identifier, today: date) -> Text | None:
    if identifier.valid_from is not None and today < identifier.valid_from:
        begins = identifier.valid_from.isoformat()
        return Text(f"it is valid only from {begins}", f"il n'est valide qu'à partir du {begins}")
    if identifier.valid_to is not None and today > identifier.valid_to:
        ended = identifier.valid_to.isoformat()
        return Text(f"it was valid until {ended}", f"il était valide jusqu'au {ended}")
    return None


def _of_its_kind(identifier: Identifier, *, lead: bool) -> Text | None:
    if lead:
        return Text(
            "it signs other products of the publisher as well, so it only leads to look-alikes",
            "il signe aussi d'autres produits de l'éditeur : il ne mène qu'à des sosies",
        )
    if identifier.type is IdentifierType.app_name:
        return Text(
            "a name is not an identifier: what it finds must be confirmed by a person",
            "un nom n'est pas un identifiant : ce qu'il trouve doit être confirmé par une personne",
        )
    if identifier.type in APP_IDS or identifier.type in GLOBS or identifier.type in SIGNERS:
        return None
    if identifier.type in (IdentifierType.app_store_id, IdentifierType.domain):
        return None
    return _RECORD_ONLY


def _collateral(identifier: Identifier, collateral: Sequence[str], catalogue: Catalogue) -> Text | None:
    if collateral:
        names = ", ".join(catalogue.product(product).name for product in collateral)
        return Text(
            f"it would also hit what the directive does not name: {names}",
            f"il frapperait aussi ce que la directive ne nomme pas : {names}",
        )
    if identifier.collateral is not None:
        return identifier.collateral
    return None
