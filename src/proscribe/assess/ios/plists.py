"""Property lists without trust: XML and binary by plistlib behind guards, and the old text form of ``.strings``.

What plistlib does not guard against, and this module does: a list that contains itself, a few lists that contain each
other into billions of values, objects of a binary plist that overlap (each is copied), keys given twice, depth. XML
entities plistlib refuses by itself.
"""

from __future__ import annotations

import base64
import plistlib
import re
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from xml.parsers.expat import ExpatError

from proscribe.canonical import canonical_bytes

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
"""JSON's own types. Data is read as ``base64:...``, a date as ISO 8601, what JSON cannot hold exactly as text."""

MAX_BYTES = 2 << 20
MAX_DEPTH = 64
MAX_NODES = 200_000
_EXACT = 2**53 - 1  # larger integers are not the same number in every JSON reader (RFC 8785)

_BINARY = b"bplist00"
_TRAILER = struct.Struct(">6xBBQQQ")
_FAULTS = (
    plistlib.InvalidFileException,
    ExpatError,
    ArithmeticError,
    AttributeError,  # plistlib on a malformed <date>
    LookupError,  # also an unknown encoding
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


def exact(number: float) -> int | float | str:
    """A number as JSON holds it, or as text: large integers, and infinities and NaN (no comparison with NaN holds)."""
    return number if abs(number) <= _EXACT else str(number)


def as_json(value: Plain) -> str:
    """Canonical JSON (RFC 8785)."""
    return canonical_bytes(value).decode()


def data_text(data: bytes | memoryview) -> str:
    """How bytes stand in JSON."""
    return "base64:" + base64.b64encode(data).decode()


class UnreadablePlist(Exception):
    """``code``: plist.too-large, .malformed, .overlap, .too-deep (also one that contains itself), .too-many-values."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Plist:
    """A property list's value, and the keys that stand twice in one of its dictionaries (the last one counts)."""

    value: Plain
    twice: tuple[str, ...] = ()

    @property
    def mapping(self) -> dict[str, Plain]:
        """The root as a dictionary. Raises UnreadablePlist where it is something else."""
        if not isinstance(self.value, dict):
            raise UnreadablePlist("plist.wrong-root", type(self.value).__name__)
        return self.value


def read_plist(data: bytes | memoryview) -> Plist:
    """An XML or binary property list. Raises UnreadablePlist."""
    data = bytes(data[: MAX_BYTES + 1])
    if len(data) > MAX_BYTES:
        raise UnreadablePlist("plist.too-large", f"> {MAX_BYTES}")
    twice: set[str] = set()

    class Once(dict[Any, Any]):
        """plistlib fills dictionaries one key at a time; a second time is worth knowing."""

        __slots__ = ()

        def __setitem__(self, key: Any, value: Any) -> None:
            if key in self:
                twice.add(str(key))
            super().__setitem__(key, value)

    try:
        if data.startswith(_BINARY):
            _check_extents(data)
        value = plistlib.loads(data, dict_type=Once)
    except _FAULTS as error:
        raise UnreadablePlist("plist.malformed", type(error).__name__) from error
    return Plist(_plain(value), tuple(sorted(twice)))


def read_strings(data: bytes) -> Plist:
    """A ``.strings`` table: a property list, or the old text form ``"key" = "value";``. Raises UnreadablePlist."""
    if data.startswith(_BINARY) or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<!DOCTYPE", b"<plist")):
        return read_plist(data)
    if len(data) > MAX_BYTES:
        raise UnreadablePlist("plist.too-large", f"> {MAX_BYTES}")
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return _read_text(data.decode(encoding))
    except UnicodeDecodeError as error:
        raise UnreadablePlist("plist.malformed", encoding) from error


# ---- guards --------------------------------------------------------------------------------------------------------


def _check_extents(data: bytes) -> None:
    """Objects of an honest binary plist stand side by side. Overlapping ones are refused: each would be copied.

    A small file can otherwise name the same long array thousands of times over. Raises UnreadablePlist or, where the
    trailer or an object is nonsense, what the caller catches.
    """
    offset_size, reference_size, count, _, table = _TRAILER.unpack(data[-32:])
    if not 1 <= offset_size <= 8 or table + count * offset_size > len(data):
        raise UnreadablePlist("plist.malformed", "offset table")
    total = 0
    for place in range(table, table + count * offset_size, offset_size):
        total += _extent(data, int.from_bytes(data[place : place + offset_size], "big"), reference_size)
        if total > len(data):
            raise UnreadablePlist("plist.overlap", f"{count} objects")


_REFERENCES = {0xA: 1, 0xB: 1, 0xC: 1, 0xD: 2}  # array, ordered set, set, dictionary: references an element takes
_WIDTHS = {0x4: 1, 0x5: 1, 0x6: 2}  # data, ASCII, UTF-16: bytes an element takes


def _extent(data: bytes, offset: int, reference_size: int) -> int:
    """Bytes that the object at ``offset`` takes. Raises IndexError where it is outside."""
    kind, size = data[offset] >> 4, data[offset] & 0xF
    if kind not in _REFERENCES and kind not in _WIDTHS:
        return 1 + (1 << size if kind in {0x1, 0x2, 0x3} else size + 1 if kind == 0x8 else 0)
    head = 1
    if size == 0xF:
        width = 1 << (data[offset + 1] & 0xF)
        head = 2 + width
        size = int.from_bytes(data[offset + 2 : offset + head], "big")
    return head + size * (_WIDTHS.get(kind) or _REFERENCES[kind] * reference_size)


class _Budget:
    """How many values one property list may still unfold into."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def spend(self) -> None:
        """Count one value. Raises UnreadablePlist where it is one too many."""
        self.left -= 1
        if self.left < 0:
            raise UnreadablePlist("plist.too-many-values", f"> {MAX_NODES}")


def _plain(value: Any, depth: int = 0, budget: _Budget | None = None) -> Plain:
    budget = budget or _Budget()
    budget.spend()
    if depth > MAX_DEPTH:
        raise UnreadablePlist("plist.too-deep", f"> {MAX_DEPTH}")
    if isinstance(value, dict):
        return {str(key): _plain(inner, depth + 1, budget) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1, budget) for inner in value]
    return _scalar(value)


def _scalar(value: Any) -> Plain:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return exact(value)
    if isinstance(value, bytes):
        return data_text(value)
    if isinstance(value, datetime):
        return value.isoformat() + "Z"  # plistlib's dates are in UTC, without saying so
    return f"uid:{value.data}"  # plistlib.UID, the last of plistlib's types


# ---- the old text form ---------------------------------------------------------------------------------------------

# Possessive throughout: a text that does not fit fails at once, however it was made.
_GAP = r"(?:\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+"
_WORD = r"""(?:"((?:[^"\\]++|\\.)*+)"|([\w.$:/-]++))"""
_ENTRY = re.compile(rf"{_GAP}{_WORD}{_GAP}(?:={_GAP}{_WORD}{_GAP})?;", re.DOTALL)
_REST = re.compile(_GAP, re.DOTALL)
_ESCAPE = re.compile(r"\\(?:U([0-9A-Fa-f]{1,4})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2])


def _read_text(text: str) -> Plist:
    """``key = "value";`` over and over; a key alone stands for itself."""
    table: dict[str, Plain] = {}
    twice: set[str] = set()
    at = 0
    while found := _ENTRY.match(text, at):
        at = found.end()
        key = _word(found[1], found[2])
        if key in table:
            twice.add(key)
        table[key] = key if found[3] is None and found[4] is None else _word(found[3], found[4])
    if not _REST.fullmatch(text, at):
        raise UnreadablePlist("plist.malformed", f"character {at}")
    return Plist(table, tuple(sorted(twice)))


def _word(quoted: str | None, bare: str | None) -> str:
    if quoted is None or "\\" not in quoted:
        return quoted or bare or ""
    # \U escapes can be halves of a character; put the pairs together, and lone halves out.
    return _ESCAPE.sub(_unescape, quoted).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
