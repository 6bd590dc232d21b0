"""Records out of JSON of any size: pages, arrays of pages, lines, documents one after another; memory stays flat.

A record that is not JSON is reported and skipped; a file that breaks off ends with TruncatedExport.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proscribe.errors import Where
from proscribe.inventory.encoding import MIXED, as_utf8
from proscribe.inventory.errors import damaged, truncated
from proscribe.inventory.opening import Opened, Stream
from proscribe.text import Text

_READ = 1 << 20
RECORD_LIMIT = 64 << 20
"""Characters of one record; the largest real ones are about a hundredth of it."""

_LOOK_AHEAD = 1 << 14
"""Characters of a document within which its array of records begins, after a few small fields."""

_SPACE = re.compile(r"[\s,\x1e]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_SPECIAL = frozenset("{[")
_SEAM = re.compile(r'[\s,\x1e]*\{\s*"[^"\\]{0,40}"')
_CUTS = 2
"""Places tried as the end of a record before it is parsed with care."""

Quick = Callable[[str], Any]
"""Makes something of the text of one record. Raises ValueError when the text is no JSON by itself, and returns None for
a record that it cannot take: both are then read with care."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number in the file from 1, the field that held it, and the fields of the document around it that
    came before it. ``quick``: its value is what a ``Quick`` made of it."""

    number: int
    member: str
    value: Any
    envelope: Mapping[str, Any]
    quick: bool = False


class _Window:
    """A sliding piece of the text."""

    def __init__(self, stream: Stream, on_legacy: Callable[[], None]) -> None:
        self._stream = stream
        self._on_legacy = on_legacy
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._carry = b""
        self.text = ""
        self.at = 0
        self.ended = False

    def more(self) -> bool:
        """Read on; False at the end. What lies before ``at`` is let go."""
        if self.ended:
            return False
        data = self._stream.read(_READ)
        self.ended = not data
        self.text = self.text[self.at :] + self._decode(data)
        self.at = 0
        return not self.ended

    def _decode(self, data: bytes) -> str:
        state = self._decoder.getstate()
        try:
            return self._decoder.decode(data, final=not data)
        except UnicodeDecodeError:
            self._on_legacy()
            self._decoder = codecs.getincrementaldecoder("utf-8")(MIXED)
            self._decoder.setstate(state)
            return self._decoder.decode(data, final=not data)

    def peek(self) -> str:
        """The next character that is not space or a comma, "" at the end."""
        while True:
            match = _SPACE.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""


class JsonRecords:
    """Iterates over the records of an export. ``members`` are the fields that may hold an array of records.

    ``on_bad(number, reason)`` is told of a record that is not JSON; ``on_legacy()`` when text was not UTF-8. ``quick``
    is offered the text of every record that looks like the one before it.
    """

    def __init__(
        self,
        opened: Opened,
        members: frozenset[str],
        *,
        on_bad: Callable[[int, str], None],
        on_legacy: Callable[[], None] = lambda: None,
        quick: Quick | None = None,
    ) -> None:
        self._quick = quick
        self._seam = ""
        self._lines = False  # the records stand alone, one a line, and are tried before anything else
        self._opened = opened
        self._members = members
        self._on_bad = on_bad
        self._window = _Window(as_utf8(opened), on_legacy)
        self._decoder = json.JSONDecoder()
        self._number = 0

    def __iter__(self) -> Iterator[Record]:
        while self._window.peek():
            yield from self._value(depth=0)

    def _value(self, *, depth: int) -> Iterator[Record]:
        """A document: a page with records in it, an array of documents, or a record by itself."""
        window = self._window
        first = window.peek()
        if first == "{" and self._lines and (record := self._quickly("", {})) is not None:
            yield record
        elif first == "[" and depth == 0:
            window.at += 1
            while (character := window.peek()) != "]":
                if not character:
                    raise truncated(Where(file=self._opened.name))
                yield from self._value(depth=1)
            window.at += 1
        elif first == "{" and self._is_page():
            yield from self._page()
        else:
            yield from self._record("", {})

    def _is_page(self) -> bool:
        """Whether the object at hand holds one of the record arrays among its first fields.

        Pages carry few fields, and small ones, before the array; a record carries none of these names with an array.
        """
        window = self._window
        while len(window.text) - window.at < _LOOK_AHEAD and window.more():
            pass
        end = window.at + _LOOK_AHEAD
        if all(window.text.find(f'"{name}"', window.at, end) < 0 for name in self._members):
            return False
        depth = 0
        for match in _TOKEN.finditer(window.text, window.at, end):
            mark = match.group()
            if mark in "{[":
                depth += 1
            elif mark in "}]":
                depth -= 1
                if depth == 0:
                    return False
            elif depth == 1 and mark[1:-1] in self._members:
                rest = window.text[match.end() : match.end() + 64].lstrip()
                if rest.startswith(":") and rest[1:].lstrip().startswith("["):
                    return True
        return False

    def _page(self) -> Iterator[Record]:
        window = self._window
        window.at += 1
        envelope: dict[str, Any] = {}
        while (character := window.peek()) != "}":
            if not character:
                raise truncated(Where(file=self._opened.name))
            key = self._decode_or_lose()
            if not isinstance(key, str) or window.peek() != ":":
                raise self._lost()
            window.at += 1
            if key in self._members and window.peek() == "[":
                window.at += 1
                while (character := window.peek()) != "]":
                    if not character:
                        raise truncated(Where(file=self._opened.name))
                    yield from self._record(key, envelope)
                window.at += 1
            else:
                envelope[key] = self._decode_or_lose()
        window.at += 1

    def _record(self, member: str, envelope: Mapping[str, Any]) -> Iterator[Record]:
        if not self._lines and (record := self._quickly(member, envelope)) is not None:
            yield record
            return
        self._number += 1
        try:
            value = self._decode()
        except ValueError as error:
            self._skip()
            self._on_bad(self._number, str(error))
            return
        if self._quick is not None:
            self._learn(member)
        yield Record(self._number, member, value, envelope)

    def _learn(self, member: str) -> None:
        """Note what stands between the record just read and the next: the end of the line, or all from its last bracket
        to the next one's first key."""
        window = self._window
        seam = _SEAM.match(window.text, window.at)
        if seam is None or window.text[window.at - 1] != "}":
            return  # the last of its page: those of the next are likely to stand as these did
        spread = window.text[window.at - 2 : window.at - 1].isspace()  # over several lines
        self._lines = not member and not spread and seam.group().startswith(("\n", "\r\n"))
        self._seam = "\n" if self._lines else "}" + seam.group()

    def _quickly(self, member: str, envelope: Mapping[str, Any]) -> Record | None:
        """The record at hand as ``quick`` makes it; None when it must be read with care.

        Where the record ends is a guess: up to a seam like the last one. A wrong guess does no harm, for no object of
        JSON is the beginning of another, so only the right cut can be parsed.
        """
        window = self._window
        if self._quick is None or not self._seam or window.peek() != "{":
            return None
        looked = window.at
        for _ in range(_CUTS):
            cut = window.text.find(self._seam, looked)
            if cut < 0:
                looked = max(len(window.text) - len(self._seam), window.at) - window.at
                if not window.more() or (cut := window.text.find(self._seam, looked)) < 0:
                    break
            looked = cut + 1
            try:
                found = self._quick(window.text[window.at : looked])
            except ValueError:
                continue
            if found is None:
                break
            window.at = looked
            self._number += 1
            return Record(self._number, member, found, envelope, quick=True)
        return None

    def _decode_or_lose(self) -> Any:
        """A value between the records of a page, where nothing can be skipped."""
        try:
            return self._decode()
        except ValueError as error:
            raise self._lost() from error

    def _decode(self) -> Any:
        """The JSON value at hand. Raises ValueError where it is none, TruncatedExport where the file ends in it."""
        window = self._window
        window.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(window.text, window.at)
            except json.JSONDecodeError as error:
                # A value that is cut by the end of the window looks like a fault too; read on before judging. A fault
                # well before the end of the window is one for good, whatever follows.
                if len(window.text) - error.pos > 16 and "Unterminated" not in error.msg:
                    raise ValueError(error.msg) from error
                self._grow(error)
            except RecursionError as error:
                raise ValueError("nested too deeply") from error
            else:
                if end == len(window.text) and not isinstance(value, (dict, list, str)) and window.more():
                    continue  # a number may go on in the next piece
                window.at = end
                return value

    def _grow(self, error: Exception) -> None:
        window = self._window
        if len(window.text) - window.at > RECORD_LIMIT:
            raise ValueError("too long") from error
        # Doubling what is at hand keeps repeated attempts at a long record linear in its length.
        wanted = 2 * (len(window.text) - window.at)
        grown = window.more()
        while len(window.text) - window.at < wanted and window.more():
            pass
        if not grown:
            if self._number and window.text[window.at : window.at + 1] not in _SPECIAL:
                raise ValueError(str(error)) from error
            raise truncated(Where(file=self._opened.name, row=self._number or None)) from error

    def _skip(self) -> None:
        """Move past a record that is not JSON, to where its brackets close."""
        window = self._window
        if window.peek() not in _SPECIAL:
            self._skip_line()
            return
        while True:
            depth = 0
            for match in _TOKEN.finditer(window.text, window.at):
                mark = match.group()
                depth += (mark in "{[") - (mark in "}]")
                if depth == 0 and mark in "}]":
                    window.at = match.end()
                    return
            if len(window.text) - window.at > RECORD_LIMIT:
                raise self._lost()
            if not window.more():
                raise truncated(Where(file=self._opened.name, row=self._number))

    def _skip_line(self) -> None:
        """Move past a stray value: to the next record's bracket, or the end of the line."""
        window = self._window
        while True:
            found = re.compile(r"[\n{}\[\]]").search(window.text, window.at + 1)
            if found:
                window.at = found.start()
                return
            window.at = len(window.text)
            if not window.more():
                return

    def _lost(self) -> Exception:
        return damaged(
            Text(
                "the JSON cannot be followed any further; the records before are kept",
                "le JSON ne peut être suivi plus loin; les enregistrements précédents sont conservés",
            ),
            Where(file=self._opened.name, row=self._number or None),
        )
