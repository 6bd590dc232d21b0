"""Every document kind there is, by name, and documents of whichever kind."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.errors import InvalidDocument, ProscribeError, Where
from proscribe.files import read_text
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.documents import Document

STAGES = (
    "trust",
    "catalogue",
    "assess",
    "directive",
    "decide",
    "inventory",
    "evaluate",
    "plan",
    "enforce",
    "prove",
    "publish",
    "feed",
    "service",
)


class UnknownKind(ProscribeError):
    """No document has that kind."""

    code = "document.unknown-kind"


def kinds() -> dict[str, type[Document]]:
    """Every document kind, by name. A stage's documents stand in its ``model`` module."""
    from proscribe.documents import Document

    for name in (
        *(f"proscribe.{stage}.model" for stage in STAGES),
        "proscribe.assess.packs.documents",
        "proscribe.assess.rate.rubric",
        "proscribe.plan.orders",
        "proscribe.publish.notices.model",
        "proscribe.publish.stix.model",
    ):
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # a stage without documents has no such module; anything else is a fault
                raise
    found: dict[str, type[Document]] = {}
    waiting = list(Document.__subclasses__())
    while waiting:
        cls = waiting.pop()
        waiting.extend(cls.__subclasses__())
        if cls.__module__.startswith("proscribe.") and "KIND" in vars(cls):
            found[cls.KIND] = cls
    return dict(sorted(found.items()))


def read_any(path: Path) -> Document:
    """A document of whichever kind its file says, in JSON or YAML.

    Raises UnreadableFile, UnknownKind, WrongDocumentVersion, or InvalidDocument: where a field is given twice too, for
    whoever reads the file must see what the program sees.
    """
    from proscribe.documents import from_text, parse

    raw, source = read_text(path), str(path)
    body = parse(raw, source=source)
    if given_twice(raw):
        raise InvalidDocument(
            Text("a field is given twice", "un champ y figure deux fois"),
            remedy=Text(
                "Keep one of the two: whoever reads the file must see what is signed.",
                "Conservez l'un des deux\u00a0: qui lit le fichier doit voir ce qui est signé.",
            ),
            where=Where(file=source),
        )
    kind = body.get("kind") if isinstance(body, dict) else None
    cls = kinds().get(str(kind))
    if cls is None:
        raise UnknownKind(
            Text(f"there is no document kind {kind!r}", f"il n'existe pas de document de type «\u00a0{kind}\u00a0»"),
            remedy=Text(
                "Its first field says what it is: 'kind: proscribe.evidence'; 'proscribe schema' lists the kinds.",
                "Son premier champ dit ce qu'il est\u00a0: «\u00a0kind: proscribe.evidence\u00a0»; "
                "«\u00a0proscribe schema\u00a0» énumère les types.",
            ),
            where=Where(file=source, field="kind"),
        )
    return from_text(cls, raw, source=source)


def given_twice(raw: str) -> bool:
    """Whether JSON or YAML text gives a field twice: a reader may see the first, and the program takes the last."""
    twice = False

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal twice
        twice = twice or len(dict(found)) != len(found)
        return dict(found)

    if raw.lstrip()[:1] in ("{", "["):
        json.loads(raw, object_pairs_hook=pairs)
        return twice
    import yaml

    waiting = [yaml.compose(raw, Loader=yaml.SafeLoader)]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            names = [str(key.value) for key, _ in node.value]
            if len(set(names)) != len(names):
                return True
            waiting.extend(value for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
    return False
