"""The shipped catalogue: ``data/*.yaml`` read strictly, checked against itself, cached.

Strict means that a misspelt field, a source key that is not listed in ``sources.yaml``, a conflict id without a record
and a certificate that is not a SHA-256 are all refused: a fact that cannot be traced does not load.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from proscribe import documents
from proscribe.canonical import Digest, digest_json
from proscribe.catalogue.identifiers import malformed
from proscribe.catalogue.model import Conflict, Group, Identifier, Product, Publisher, Source
from proscribe.documents import Value
from proscribe.errors import ProscribeError, UnreadableFile, Where
from proscribe.text import Text

DATA = Path(__file__).parent / "data"

V = TypeVar("V", bound=Value)


class InvalidCatalogue(ProscribeError):
    """Catalogue data that contradicts itself: a source, conflict or group that is not there, a malformed value."""

    code = "catalogue.invalid"


class UnknownEntry(ProscribeError):
    """Nothing in the catalogue has that id."""

    code = "catalogue.unknown"


@dataclass(frozen=True)
class Catalogue:
    """Publishers with their products and identifiers, the sources of the facts, and the contradictions among them."""

    publishers: tuple[Publisher, ...]
    sources: tuple[Source, ...]
    conflicts: tuple[Conflict, ...]
    groups: tuple[Group, ...]  # suites and categories

    @cached_property
    def digest(self) -> Digest:
        """The digest by which a target set names the catalogue it was resolved from."""
        return digest_json(
            {
                name: [documents.to_json(value) for value in values]
                for name, values in (
                    ("publishers", self.publishers),
                    ("sources", self.sources),
                    ("conflicts", self.conflicts),
                    ("groups", self.groups),
                )
            }
        )

    @cached_property
    def _products(self) -> dict[str, tuple[Publisher, Product]]:
        return {product.id: (publisher, product) for publisher in self.publishers for product in publisher.products}

    @cached_property
    def _publishers(self) -> dict[str, Publisher]:
        return {publisher.id: publisher for publisher in self.publishers}

    @cached_property
    def _groups(self) -> dict[str, Group]:
        return {group.id: group for group in self.groups}

    @cached_property
    def open_conflicts(self) -> frozenset[str]:
        """Ids of the conflicts that nobody has settled."""
        return frozenset(conflict.id for conflict in self.conflicts if conflict.open)

    def products(self) -> Iterable[tuple[Publisher, Product]]:
        """Every product with its publisher, in the order of the data."""
        return self._products.values()

    def product_ids(self) -> tuple[str, ...]:
        """Ids of all products."""
        return tuple(self._products)

    def publisher_ids(self) -> tuple[str, ...]:
        """Ids of all publishers."""
        return tuple(self._publishers)

    def group_ids(self) -> tuple[str, ...]:
        """Ids of all suites and categories."""
        return tuple(self._groups)

    def product(self, product_id: str) -> Product:
        """The product of that id. Raises UnknownEntry, which proposes near ids."""
        if product_id not in self._products:
            raise self._unknown(product_id, self._products)
        return self._products[product_id][1]

    def publisher(self, publisher_id: str) -> Publisher:
        """The publisher of that id. Raises UnknownEntry, which proposes near ids."""
        if publisher_id not in self._publishers:
            raise self._unknown(publisher_id, self._publishers)
        return self._publishers[publisher_id]

    def publisher_of(self, product_id: str) -> Publisher:
        """Who makes the product of that id. Raises UnknownEntry, which proposes near ids."""
        if product_id not in self._products:
            raise self._unknown(product_id, self._products)
        return self._products[product_id][0]

    def group(self, group_id: str) -> Group:
        """The suite or category of that id. Raises UnknownEntry, which proposes near ids."""
        if group_id not in self._groups:
            raise self._unknown(group_id, self._groups)
        return self._groups[group_id]

    @staticmethod
    def _unknown(wanted: str, known: Iterable[str]) -> UnknownEntry:
        return UnknownEntry(
            Text(
                f"nothing in the catalogue has the id {wanted!r}",
                f"rien dans le catalogue ne porte l'identifiant {wanted!r}",
            ),
            remedy=did_you_mean(
                wanted,
                known,
                otherwise=Text(
                    "Find the id with 'proscribe catalogue search'.",
                    "Trouvez l'identifiant au moyen de « proscribe catalogue search ».",
                ),
            ),
        )


def did_you_mean(wanted: str, known: Iterable[str], *, otherwise: Text) -> Text:
    """A remedy that proposes the nearest known ids, or ``otherwise`` when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    near += [name for name in names if wanted and wanted.lower() in name and name not in near][: 3 - len(near)]
    if not near:
        return otherwise
    listed = ", ".join(near)
    return Text(f"Did you mean: {listed}?", f"Vouliez-vous dire : {listed}?")


@cache
def load() -> Catalogue:
    """The catalogue that ships with this release. Raises InvalidCatalogue or UnreadableFile."""
    return _catalogue(DATA, lambda cls, data, _: documents.from_shipped(cls, data))


def read(folder: Path) -> Catalogue:
    """Read a catalogue from a folder laid out as the shipped one (an organisation may keep its own).

    Raises InvalidCatalogue, InvalidDocument or UnreadableFile, each naming the file and the field.
    """
    return _catalogue(folder, _value)


def _catalogue(folder: Path, value: Callable[[Any, Any, Path], Any]) -> Catalogue:
    catalogue = Catalogue(
        publishers=tuple(
            value(Publisher, _parse(path), path) for path in sorted((folder / "publishers").glob("*.yaml"))
        ),
        sources=_list(Source, folder / "sources.yaml", value),
        conflicts=_list(Conflict, folder / "conflicts.yaml", value),
        groups=_list(Group, folder / "groups.yaml", value),
    )
    for fault in _faults(catalogue):
        raise fault
    return catalogue


def _parse(path: Path) -> Any:
    try:
        raw = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error}", f"lecture impossible : {error}"),
            remedy=Text(
                "A catalogue folder holds sources.yaml, conflicts.yaml, groups.yaml and publishers/*.yaml.",
                "Un dossier de catalogue contient sources.yaml, conflicts.yaml, groups.yaml et publishers/*.yaml.",
            ),
            where=Where(file=str(path)),
        ) from error
    return documents.parse(raw, source=str(path))


def _value(cls: type[V], data: Any, path: Path) -> V:
    return documents.from_json(cls, data, source=str(path))


def _list(cls: type[V], path: Path, value: Callable[[Any, Any, Path], Any]) -> tuple[V, ...]:
    data = _parse(path)
    if not isinstance(data, list):
        raise InvalidCatalogue(
            Text("the file is not a list of records", "le fichier n'est pas une liste de fiches"),
            remedy=Text("Start each record with '- id:'.", "Commencez chaque fiche par « - id: »."),
            where=Where(file=str(path)),
        )
    return tuple(value(cls, item, path) for item in data)


def _faults(catalogue: Catalogue) -> Iterable[InvalidCatalogue]:
    sources = {source.id for source in catalogue.sources}
    conflicts = {conflict.id for conflict in catalogue.conflicts}
    groups = set(catalogue.group_ids())
    yield from _doubled(catalogue)
    for publisher in catalogue.publishers:
        where = Where(file=f"publishers/{publisher.id}.yaml")
        for owner, identifiers in [
            (publisher.id, publisher.identifiers),
            *((p.id, p.identifiers) for p in publisher.products),
        ]:
            for identifier in identifiers:
                yield from _identifier_faults(owner, identifier, sources, conflicts, where)
        for product in publisher.products:
            if not product.id.startswith(publisher.id + "/"):
                yield _fault(
                    product.id,
                    Text(
                        "the id does not begin with its publisher's",
                        "l'identifiant ne commence pas par celui de l'éditeur",
                    ),
                    where,
                )
            for group in (*product.suites, *product.categories):
                if group not in groups:
                    yield _fault(product.id, Text(f"no group {group!r}", f"aucun groupe {group!r}"), where)


def _identifier_faults(
    owner: str, identifier: Identifier, sources: set[str], conflicts: set[str], where: Where
) -> Iterable[InvalidCatalogue]:
    label = f"{owner}: {identifier.type} {identifier.value}"
    if not identifier.sources:
        yield _fault(label, Text("no source", "aucune source"), where)
    for source in identifier.sources:
        if source not in sources:
            yield _fault(label, Text(f"no source {source!r}", f"aucune source {source!r}"), where)
    if identifier.conflict and identifier.conflict not in conflicts:
        unknown = identifier.conflict
        yield _fault(label, Text(f"no conflict {unknown!r}", f"aucun conflit {unknown!r}"), where)
    wrong = malformed(identifier.type, identifier.value)
    if wrong is not None:
        yield _fault(label, wrong, where)
    if identifier.valid_from and identifier.valid_to and identifier.valid_to < identifier.valid_from:
        yield _fault(label, Text("it ends before it begins", "elle finit avant de commencer"), where)


def _doubled(catalogue: Catalogue) -> Iterable[InvalidCatalogue]:
    kinds: tuple[tuple[str, Iterable[str]], ...] = (
        ("sources.yaml", (source.id for source in catalogue.sources)),
        ("conflicts.yaml", (conflict.id for conflict in catalogue.conflicts)),
        ("groups.yaml", (group.id for group in catalogue.groups)),
        ("publishers", (publisher.id for publisher in catalogue.publishers)),
        ("publishers", (product.id for publisher in catalogue.publishers for product in publisher.products)),
    )
    for file, ids in kinds:
        seen: set[str] = set()
        for one in ids:
            if one in seen:
                yield _fault(one, Text("the id is used twice", "l'identifiant sert deux fois"), Where(file=file))
            seen.add(one)


def _fault(what: str, why: Text, where: Where) -> InvalidCatalogue:
    return InvalidCatalogue(
        Text(f"{what}: {why.en}", f"{what} : {why.fr}"),
        remedy=Text(
            "Correct the data file; docs/guide/catalogue.md shows a whole record.",
            "Corrigez le fichier de données; docs/guide/catalogue.md montre une fiche complète.",
        ),
        where=where,
    )
