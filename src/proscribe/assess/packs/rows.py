"""From a line's JSON to a row and back. Strict, and quick: seven packs load in a few milliseconds with json alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

Reader = Callable[[Any], Any]


class Misfit(Exception):
    """A value that does not fit its field. ``problem`` is one of ``unknown``, ``missing``, ``wrong``."""

    def __init__(self, problem: str, field: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field


def to_row(cls: type[T], value: Any) -> T:
    """A plain JSON object (it is used up) as a row of ``cls``. Raises Misfit with the first field that does not fit."""
    shape = _shape(cls)
    if type(value) is not dict:
        raise Misfit("wrong")
    for name, one in value.items():
        if shape.plain.get(name) is type(one):
            continue  # most fields: a text or a number, as it stands
        if name not in shape.readers:
            raise Misfit("unknown", name)
        try:
            value[name] = shape.readers[name](one)
        except Misfit as inner:
            raise Misfit(inner.problem, f"{name}.{inner.field}".rstrip(".")) from inner
    for name in shape.required:
        if name not in value:
            raise Misfit("missing", name)
    return cls(**value)


def plain(row: Any) -> dict[str, Any]:
    """A row as its line holds it: fields in the type's order, those at their default left out."""
    return {
        one.name: _plain(getattr(row, one.name))
        for one in fields(row)
        if one.default is MISSING or getattr(row, one.name) != one.default
    }


def line_of(row: Any) -> str:
    """A row (or header) as one line: compact JSON, with its line end."""
    return json.dumps(plain(row), ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return plain(value) if is_dataclass(value) else value


@dataclass(frozen=True, slots=True)
class _Shape:
    """Of a row type: its fields that are plain values, what reads each field, and which have to be there."""

    plain: dict[str, type[Any]]
    readers: dict[str, Reader]
    required: tuple[str, ...]


_PLAIN = (str, int, bool)

_shapes: dict[Any, _Shape] = {}


def _shape(cls: Any) -> _Shape:
    if cls not in _shapes:
        hints = get_type_hints(cls)
        _shapes[cls] = _Shape(
            plain={one.name: hints[one.name] for one in fields(cls) if hints[one.name] in _PLAIN},
            readers={one.name: _reader(hints[one.name]) for one in fields(cls)},
            required=tuple(one.name for one in fields(cls) if one.default is MISSING),
        )
    return _shapes[cls]


def _reader(kind: Any) -> Reader:
    if get_origin(kind) is UnionType:
        return _optional(_reader(next(one for one in get_args(kind) if one is not type(None))))
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        if parts[-1] is Ellipsis:
            return _many(_reader(parts[0]))
        return _some(tuple(_reader(part) for part in parts))
    if issubclass(kind, StrEnum):
        return _word(kind)
    return _exactly(kind) if kind in _PLAIN else _nested(kind)


def _nested(kind: type[Any]) -> Reader:
    return lambda value: to_row(kind, value)


def _exactly(kind: type[Any]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not kind:  # not isinstance: True is no number here
            raise Misfit("wrong")
        return value

    return read


def _word(kind: type[StrEnum]) -> Reader:
    words = {word.value: word for word in kind}

    def read(value: Any) -> Any:
        word = words.get(value) if isinstance(value, str) else None
        if word is None:
            raise Misfit("wrong")
        return word

    return read


def _optional(inner: Reader) -> Reader:
    return lambda value: None if value is None else inner(value)


def _many(item: Reader) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise Misfit("wrong")
        return tuple([item(one) for one in value])

    return read


def _some(items: tuple[Reader, ...]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not list or len(value) != len(items):
            raise Misfit("wrong")
        return tuple([item(one) for item, one in zip(items, value, strict=True)])

    return read
