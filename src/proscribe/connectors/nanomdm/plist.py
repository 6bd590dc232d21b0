"""Property lists that strangers sent, read within bounds.

A device's certificate proves who it is, not that it means well. So nothing is expanded (no entities at all), nothing
is nested or repeated without end, and whatever is not an XML property list is refused with a reason that can be
counted. ``plistlib`` reads more (binary lists, any depth) and is the oracle of the tests.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

SIZE_LIMIT = 6 * 1024 * 1024  # bytes
DEPTH_LIMIT = 24  # Apple's answers have at most seven
COUNT_LIMIT = 200_000  # elements; a device with 500 apps and every item asked for answers with about 20,000

_INTEGER = re.compile(r"[+-]?(?:[0-9]{1,20}|0[xX][0-9a-fA-F]{1,16})")
_CONTAINERS = ("dict", "array")
_SCALARS = ("string", "integer", "real", "true", "false", "date", "data")


class BadPlist(ValueError):
    """Not a property list as devices send them. ``reason``: binary, size, entity, depth, count or plist."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_plist(data: bytes) -> dict[str, Any]:
    """The dictionary that an XML property list holds. Raises BadPlist."""
    if len(data) > SIZE_LIMIT:
        raise BadPlist("size")
    if data.startswith((b"bplist", b"\xef\xbb\xbfbplist")):
        raise BadPlist("binary")
    try:
        found = _Reader().read(data)
    except (expat.ExpatError, ValueError, LookupError, OverflowError) as error:
        raise error if isinstance(error, BadPlist) else BadPlist("plist") from error
    if not isinstance(found, dict):
        raise BadPlist("plist")
    return found


class _Reader:
    """Builds values as expat reports elements: a stack instead of recursion."""

    def __init__(self) -> None:
        self._stack: list[Any] = []  # containers that are open
        self._keys: list[str | None] = []  # and the key that waits for its value in each of them
        self._text: list[str] | None = None  # of the scalar that is open
        self._inside = False  # <plist> was met
        self._count = 0
        self._result: list[Any] = []

    def read(self, data: bytes) -> Any:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._entity
        parser.Parse(data, True)  # noqa: FBT003 (expat takes it by position: this is all)
        if len(self._result) != 1:
            raise BadPlist("plist")
        return self._result[0]

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > COUNT_LIMIT:
            raise BadPlist("count")
        if self._text is not None or (name == "plist") is self._inside:
            raise BadPlist("plist")  # an element within text, a second <plist>, or something before the first
        if name == "plist":
            self._inside = True
        elif name in _CONTAINERS:
            self._open({} if name == "dict" else [])
        elif name == "key" or name in _SCALARS:
            self._text = []
        else:
            raise BadPlist("plist")

    def _open(self, container: Any) -> None:
        if len(self._stack) >= DEPTH_LIMIT:
            raise BadPlist("depth")
        self._put(container)
        self._stack.append(container)
        self._keys.append(None)

    def _end(self, name: str) -> None:
        if name in _CONTAINERS:
            self._stack.pop()
            if self._keys.pop() is not None:
                raise BadPlist("plist")  # a key without a value
        elif name == "key":
            self._key(self._taken())
        elif name != "plist":
            self._put(_scalar(name, self._taken()))

    def _key(self, key: str) -> None:
        if not self._stack or not isinstance(self._stack[-1], dict) or self._keys[-1] is not None:
            raise BadPlist("plist")
        self._keys[-1] = key

    def _put(self, value: Any) -> None:
        if not self._stack:
            self._result.append(value)
        elif isinstance(self._stack[-1], list):
            self._stack[-1].append(value)
        else:
            key = self._keys[-1]
            if key is None:
                raise BadPlist("plist")
            self._stack[-1][key] = value
            self._keys[-1] = None

    def _taken(self) -> str:
        text = "".join(self._text or ())
        self._text = None
        return text

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
        elif text.strip():
            raise BadPlist("plist")

    def _entity(self, *_declaration: Any) -> None:
        raise BadPlist("entity")


def _scalar(name: str, text: str) -> Any:
    match name:
        case "string":
            return text
        case "true" | "false":
            return name == "true"
        case "integer":
            if _INTEGER.fullmatch(text.strip()) is None:
                raise BadPlist("plist")
            return int(text, 16 if "x" in text.lower() else 10)
        case "real":
            return float(text)
        case "data":
            return binascii.a2b_base64(text.encode("ascii"))
        case _:
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
