"""The one codec between frozen dataclasses and the documents that leave the process.

A document is a frozen dataclass that inherits :class:`Document` and names its ``KIND`` and ``SCHEMA``. On the way in it
is strict: an unknown field is refused, because a misspelt "exemptions" must not read as "none". Values inside a
document inherit :class:`Value`, which carries the same strictness. pydantic stays in this module.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args, get_type_hints

from proscribe.canonical import Digest, canonical_bytes, digest_bytes
from proscribe.errors import InvalidDocument, Where, WrongDocumentVersion
from proscribe.files import read_text
from proscribe.text import Text

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Value:
    """Base of every frozen dataclass that occurs inside a document. It refuses unknown fields and adds nothing."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    LATER: ClassVar[frozenset[str]] = frozenset()
    """Fields that came after documents were issued: left out where empty, so that those keep their bytes and digest."""


class Document(Value):
    """Base of every frozen dataclass that is a document of its own: it has a kind, a schema version and a digest."""

    __slots__ = ()
    KIND: ClassVar[str]
    SCHEMA: ClassVar[int] = 1


V = TypeVar("V")
D = TypeVar("D", bound=Document)


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # 60 ms, kept out of start-up

    if cls not in _adapters:
        _adapters[cls] = TypeAdapter(cls)
    return _adapters[cls]


def to_json(value: Any) -> Any:
    """The JSON form of a dataclass: times in RFC 3339 with ``Z``, enums by value, tuples as lists."""
    body = _adapter(type(value)).dump_python(value, mode="json")
    if _has_later(type(value)):
        body = _without_later(value, body)
    return {"kind": value.KIND, "schema": value.SCHEMA, **body} if isinstance(value, Document) else body


_later: dict[type[Any], bool] = {}


def _has_later(cls: type[Any]) -> bool:
    """Whether the type, or one that its fields may hold, has fields that are left out where empty."""
    if cls not in _later:
        _later[cls] = any(part.LATER for part in _parts(cls, set()))
    return _later[cls]


def _parts(hint: Any, known: set[Any]) -> set[Any]:
    """The value types within a type hint, itself included."""
    if isinstance(hint, type) and issubclass(hint, Value):
        if hint not in known:
            known.add(hint)
            for inner in get_type_hints(hint).values():
                _parts(inner, known)
        return known
    for inner in get_args(hint):
        _parts(inner, known)
    return known


def _without_later(value: Any, body: Any) -> Any:
    """``body`` without the empty later fields of ``value`` and of all that it holds; the two have one shape."""
    if isinstance(value, Value):
        return {
            name: _without_later(getattr(value, name), item)
            for name, item in body.items()
            if item or name not in value.LATER
        }
    if isinstance(value, tuple | list):
        return [_without_later(one, item) for one, item in zip(value, body, strict=True)]
    if isinstance(value, dict):
        return {name: _without_later(one, item) for one, (name, item) in zip(value.values(), body.items(), strict=True)}
    return body


def to_bytes(document: Document) -> bytes:
    """The canonical bytes of a document: what is stored, digested and signed."""
    return canonical_bytes(to_json(document))


def quick_bytes(document: Document) -> bytes:
    """As ``to_bytes``, in a tenth of the time, for documents without floating-point numbers.

    Without those, and as keys are ASCII, sorted compact JSON is RFC 8785 already; tests compare the two. Half of a
    surrogate pair, which no UTF-8 can carry and a stranger's file may hold, is spelled out.
    """
    import msgspec

    body = {"kind": document.KIND, "schema": document.SCHEMA, **msgspec.to_builtins(document)}
    try:
        return msgspec.json.encode(body, order="sorted")
    except UnicodeEncodeError:
        return msgspec.json.encode(_encodable(body), order="sorted")


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value


def digest(document: Document) -> Digest:
    """The digest by which other documents name this one."""
    return digest_bytes(to_bytes(document))


def from_json(cls: type[V], data: Any, *, source: str = "") -> V:
    """Read ``data`` as a ``cls``.

    Raises InvalidDocument that names the first wrong field (and how many more), or WrongDocumentVersion.
    """
    from pydantic import ValidationError

    if issubclass(cls, Document):
        data = _without_envelope(cls, data, source)
    try:
        # Strict JSON rules: "1" is not 1, yet text becomes a date and a list a tuple, as JSON has neither.
        return _adapter(cls).validate_json(json.dumps(data), strict=True)  # type: ignore[no-any-return]
    except ValidationError as error:
        faults = error.errors(include_url=False)
        first = faults[0]
        field = ".".join(str(part) for part in first["loc"])
        more_en = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        more_fr = f" ({len(faults) - 1} autres)" if len(faults) > 1 else ""
        reason = _REASONS.get(first["type"]) or Text(first["msg"], first["msg"])
        raise InvalidDocument(
            Text(
                f"not a valid {_name(cls)}: {reason.en}{more_en}",
                f"{_name(cls)} non valide : {reason.fr}{more_fr}",
            ),
            remedy=_remedy(cls),
            where=Where(file=source, field=field),
        ) from error


def from_shipped(cls: type[V], data: Any) -> V:
    """``data`` of a file of this release as a ``cls``, in a tenth of the time that ``from_json`` takes to start.

    Only for what ships: unknown fields pass here. Tests read the same files with ``from_json`` and compare.
    """
    import msgspec

    if issubclass(cls, Document):
        data = {key: value for key, value in data.items() if key not in ("kind", "schema")}
    return msgspec.convert(data, cls)


# What pydantic says of a dataclass in the words of a programmer, for those who write documents.
_UNKNOWN = Text("there is no such field", "ce champ n'existe pas")
_MISSING = Text("this field is missing", "ce champ manque")
_REASONS: dict[str, Text] = {
    "unexpected_keyword_argument": _UNKNOWN,
    "extra_forbidden": _UNKNOWN,
    "missing_argument": _MISSING,
    "missing_keyword_only_argument": _MISSING,
    "missing": _MISSING,
}


def _remedy(cls: type[Any]) -> Text:
    if not issubclass(cls, Document):
        return Text("Correct the field and try again.", "Corrigez le champ et réessayez.")
    return Text(
        f"Correct the field and try again; 'proscribe schema {cls.KIND}' shows the schema.",
        f"Corrigez le champ et réessayez; «\u00a0proscribe schema {cls.KIND}\u00a0» affiche le schéma.",
    )


def _name(cls: type[Any]) -> str:
    return getattr(cls, "KIND", cls.__name__.lower())


def _without_envelope(cls: type[Document], data: Any, source: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidDocument(
            Text(f"a {cls.KIND} document is a mapping of fields", f"un document {cls.KIND} est un ensemble de champs"),
            remedy=Text("Give the whole document.", "Fournissez le document entier."),
            where=Where(file=source),
        )
    body = dict(data)
    kind, schema = body.pop("kind", None), body.pop("schema", None)
    if kind != cls.KIND:
        raise InvalidDocument(
            Text(f"this is {kind!r}, not {cls.KIND!r}", f"ceci est {kind!r} et non {cls.KIND!r}"),
            remedy=Text(
                f"Give a file whose first field is 'kind: {cls.KIND}'.",
                f"Fournissez un fichier dont le premier champ est « kind: {cls.KIND} ».",
            ),
            where=Where(file=source, field="kind"),
        )
    if schema != cls.SCHEMA:
        raise WrongDocumentVersion(
            Text(
                f"{cls.KIND} of schema {schema!r}; this release reads schema {cls.SCHEMA}",
                f"{cls.KIND} de schéma {schema!r}; la présente version lit le schéma {cls.SCHEMA}",
            ),
            remedy=Text(
                "Write the document again with this release, or use the release that wrote it.",
                "Produisez de nouveau le document avec la présente version, ou utilisez celle qui l'a produit.",
            ),
            where=Where(file=source, field="schema"),
        )
    return body


def read(cls: type[D], path: Path) -> D:
    """Read a document from a JSON or YAML file. Raises UnreadableFile, InvalidDocument or WrongDocumentVersion."""
    return from_text(cls, read_text(path), source=str(path))


def from_text(cls: type[D], raw: str, *, source: str = "") -> D:
    """Read a document from JSON or YAML text. Raises InvalidDocument or WrongDocumentVersion."""
    try:
        return from_json(cls, parse(raw, source=source), source=source)
    except RecursionError as error:
        raise _too_deep(source) from error
    except ValueError as error:
        if "Circular reference" in str(error):  # a YAML alias that holds itself
            raise _too_deep(source) from error
        raise


def _too_deep(source: str) -> InvalidDocument:
    return InvalidDocument(
        Text("it is nested too deeply", "son imbrication est trop profonde"),
        remedy=Text("Export it again; no document is nested so deeply.", "Exportez-le de nouveau."),
        where=Where(file=source),
    )


def parse(raw: str, *, source: str = "") -> Any:
    """Parse JSON or YAML text into plain values. Dates stay text, so that one rule reads them wherever they stand."""
    if raw.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(raw)
        except RecursionError as error:
            raise _too_deep(source) from error
        except json.JSONDecodeError as error:
            raise InvalidDocument(
                Text(f"not JSON: {error.msg}", f"JSON non valide : {error.msg}"),
                remedy=Text(
                    "Repair the file at that row, or export it again.",
                    "Réparez le fichier à cette ligne ou exportez-le de nouveau.",
                ),
                where=Where(file=source, row=error.lineno),
            ) from error
    import yaml

    try:
        return yaml.load(raw, Loader=_text_dates_loader())  # noqa: S506 (a SafeLoader subclass)
    except RecursionError as error:
        raise _too_deep(source) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise InvalidDocument(
            Text(f"not YAML: {problem}", f"YAML non valide : {problem}"),
            remedy=Text("Repair the file at that row.", "Réparez le fichier à cette ligne."),
            where=Where(file=source, row=mark.line + 1 if mark else None),
        ) from error


@cache
def _text_dates_loader() -> Any:
    import yaml

    class TextDates(yaml.CSafeLoader):
        """YAML without its own dates, and without ``no`` and ``on`` as booleans (Norway is a country)."""

    left_out = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
    TextDates.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in left_out]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    TextDates.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
    return TextDates


def json_schema(cls: type[Document]) -> dict[str, Any]:
    """The published JSON Schema (2020-12) of a document kind, made from its type so that the two cannot differ."""
    body = _adapter(cls).json_schema(mode="validation")
    properties = {"kind": {"const": cls.KIND}, "schema": {"const": cls.SCHEMA}, **body.get("properties", {})}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **body,
        "title": cls.KIND,
        "properties": properties,
        "required": ["kind", "schema", *body.get("required", [])],
    }
