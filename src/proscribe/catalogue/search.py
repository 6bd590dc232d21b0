"""Finding products by any part of what is known of them."""

from __future__ import annotations

from proscribe.catalogue.identifiers import fingerprint
from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.model import Product, Publisher
from proscribe.catalogue.skeleton import plain, skeleton


def search(catalogue: Catalogue, text: str) -> tuple[tuple[Publisher, Product, str], ...]:
    """Products where ``text`` occurs, each with the id, name or identifier in which it does.

    Case, spaces, accents and look-alike characters do not count in names; colons do not count in fingerprints.
    """
    found = []
    for publisher, product in catalogue.products():
        where = _where(publisher, product, text)
        if where:
            found.append((publisher, product, where))
    return tuple(found)


def _where(publisher: Publisher, product: Product, text: str) -> str:
    lowered, looks = text.strip().lower(), skeleton(text)
    if not lowered:
        return ""
    for name in (product.name, *product.names, publisher.name, *publisher.legal_names):
        if looks and (plain(text) in plain(name) or looks in skeleton(name)):
            return name
    values = (product.id, *(one.value for one in (*product.identifiers, *publisher.identifiers)))
    hexadecimal = fingerprint(lowered)
    return next((value for value in values if lowered in value.lower() or hexadecimal == value), "")
