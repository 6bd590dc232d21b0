"""What lies where in a feed. A path says what the document is, whose, and which version; nothing else is taken.

``directives/<id>/<version>.dsse.json``, ``target-sets/<id>/<serial>.dsse.json``,
``revocations/<id>/<serial>.dsse.json``, ``precedents/<id>/<version>.dsse.json``, ``keys/key-list/<version>.dsse.json``,
``notices/<id>/<file>`` and ``heads/departments.json``. What was published under a numbered path never changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from proscribe.errors import Where
from proscribe.feed.errors import FeedItem
from proscribe.text import Text

HEADS_PATH = "heads/departments.json"
MAX_FILE = 8 << 20  # bytes of one file; a target set of every known identifier has 0.2 MB
MAX_FILES = 20_000
MAX_TOTAL = 256 << 20  # bytes of all files together
_ID = r"(?P<id>(?=[^/]{1,100}/)[a-z0-9]+(?:-[a-z0-9]+)*)"
_NUMBERED = _ID + r"/(?P<version>[1-9][0-9]{0,8})\.dsse\.json"


class Place(StrEnum):
    """The folders of a feed. Keys come first: what follows is judged by them."""

    keys = "keys"
    directives = "directives"
    target_sets = "target-sets"
    revocations = "revocations"
    precedents = "precedents"
    notices = "notices"
    heads = "heads"


_SHAPES = {
    Place.keys: re.compile(r"(?P<id>key-list)/(?P<version>[1-9][0-9]{0,8})\.dsse\.json"),
    Place.directives: re.compile(_NUMBERED),
    Place.target_sets: re.compile(_NUMBERED),
    Place.revocations: re.compile(_NUMBERED),
    Place.precedents: re.compile(_NUMBERED),
    Place.notices: re.compile(_ID + r"/[a-z0-9][a-z0-9._-]{0,99}\.(?:md|html|pdf|json)"),
    Place.heads: re.compile(r"departments\.json"),
}
_ORDER = {place: number for number, place in enumerate(Place)}


@dataclass(frozen=True, slots=True)
class Item:
    """A path of a feed, read. ``id`` is a directive's id, or "" where there is none; ``version`` 0 for unnumbered."""

    path: str
    place: Place
    id: str
    version: int

    @property
    def numbered(self) -> bool:
        """Whether what lies there never changes."""
        return self.version > 0


def read_path(path: str) -> Item | None:
    """What a path says; None for one that no feed of this release has."""
    head, _, tail = path.partition("/")
    if head not in tuple(Place):
        return None
    place = Place(head)
    found = _SHAPES[place].fullmatch(tail)
    if found is None:
        return None
    parts = found.groupdict()
    return Item(path, place, parts.get("id") or "", int(parts.get("version") or 0))


def path_of(place: Place, identifier: str, version: int) -> str:
    """The path of a numbered document. Raises FeedItem where the id could not be one of a file."""
    path = f"{place}/{identifier}/{version}.dsse.json"
    if read_path(path) is None:
        raise FeedItem(
            Text(f"{path!r} is no place in a feed", f"{path!r} n'est pas un emplacement de fil de diffusion"),
            remedy=Text(
                "Give the document an id of small letters, digits and hyphens.",
                "Donnez au document un identifiant fait de minuscules, de chiffres et de traits d'union.",
            ),
            where=Where(field="id"),
        )
    return path


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """As a department works through them: keys first, then each matter from its first version to its last."""
    return tuple(sorted(items, key=lambda item: (_ORDER[item.place], item.id, item.version, item.path)))
