"""From a document to its place in a feed, and from a place back to the document, which must be the one it names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import Document, from_json
from proscribe.errors import InvalidDocument, ProscribeError, Where
from proscribe.feed.errors import FeedItem, ItemMisplaced, ItemUnreadable
from proscribe.feed.layout import HEADS_PATH, Item, Place, path_of, read_path
from proscribe.feed.model import DepartmentHeads, Revocation
from proscribe.text import Text
from proscribe.trust.dsse import strict_json
from proscribe.trust.envelope import document_of, envelope_of
from proscribe.trust.model import KeyList, SignedDocument

_CLASSES: dict[Place, type[Document]] = {
    Place.keys: KeyList,
    Place.directives: Directive,
    Place.precedents: Directive,
    Place.target_sets: TargetSet,
    Place.revocations: Revocation,
}


@dataclass(frozen=True, slots=True)
class Content:
    """An item of a feed, read. ``signed`` is None for the heads and the notices, which the feed alone vouches for."""

    item: Item
    document: Document | None
    signed: SignedDocument | None


def read_item(item: Item, data: bytes) -> Content:
    """What lies at a place. Raises ItemUnreadable, or ItemMisplaced where it is another's or another version."""
    if item.place is Place.notices:
        return Content(item, None, None)
    try:
        if item.place is Place.heads:
            return Content(item, from_json(DepartmentHeads, strict_json(data, source=item.path)), None)
        signed = envelope_of(data, source=item.path)
        document = document_of(signed, _CLASSES[item.place])
    except ProscribeError as error:
        raise ItemUnreadable(error.what, remedy=_TELL, where=Where(file=item.path)) from error
    if not _belongs(item, document):
        raise ItemMisplaced(
            Text(
                "the document there is of another name or version",
                "le document porte un autre nom ou une autre version",
            ),
            remedy=_TELL,
            where=Where(file=item.path),
        )
    return Content(item, document, signed)


_TELL = Text("Nothing was taken from it. Tell the authority.", "Rien n'en a été retenu. Informez-en l'autorité.")


def _belongs(item: Item, document: Any) -> bool:
    if isinstance(document, KeyList):
        return item.version == document.version
    if isinstance(document, Directive):
        return (item.id, item.version) == (document.id, document.version)
    return bool(item.id == document.directive)  # target sets and revocations are numbered by the feed


def place_of(data: bytes, taken: Iterable[str], *, precedent: bool = False, source: str = "") -> str:
    """Where a signed document, or the departments' heads, goes. ``taken``: the paths that the feed has.

    Raises FeedItem where it is of no kind that a feed carries, and what reading it raises.
    """
    body = strict_json(data, source=source)
    if isinstance(body, dict) and body.get("kind") == DepartmentHeads.KIND:
        from_json(DepartmentHeads, body, source=source)
        return HEADS_PATH
    try:
        signed = envelope_of(data, source=source)
    except InvalidDocument as error:
        raise _no_place(source) from error
    kinds = {cls.KIND: (place, cls) for place, cls in _CLASSES.items() if place is not Place.precedents}
    if signed.of_kind not in kinds:
        raise _no_place(source)
    place, cls = kinds[signed.of_kind]
    document: Any = document_of(signed, cls)
    if isinstance(document, KeyList):
        return path_of(Place.keys, "key-list", document.version)
    if isinstance(document, Directive):
        return path_of(Place.precedents if precedent else place, document.id, document.version)
    return path_of(place, document.directive, _next(place, document.directive, taken))


def notice_path(directive: str, file: Path) -> str:
    """Where a notice of a directive goes. Raises FeedItem where its name could not be one there."""
    path = f"{Place.notices}/{directive}/{file.name.lower()}"
    if read_path(path) is None:
        raise _no_place(str(file))
    return path


def _next(place: Place, identifier: str, taken: Iterable[str]) -> int:
    found = (read_path(path) for path in taken)
    return 1 + max((one.version for one in found if one and (one.place, one.id) == (place, identifier)), default=0)


def _no_place(source: str) -> FeedItem:
    return FeedItem(
        Text("a feed carries no such document", "un fil ne transporte pas de tel document"),
        remedy=Text(
            "Add signed directives, target sets, revocations, precedents and key lists (*.dsse.json), the heads of "
            "departments, or notices.",
            "Ajoutez des directives, ensembles de cibles, révocations, précédents et listes de clés signés "
            "(*.dsse.json), les têtes d'arbre des organismes, ou des avis.",
        ),
        where=Where(file=source),
    )
