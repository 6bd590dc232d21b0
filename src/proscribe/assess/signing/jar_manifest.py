"""The text of a JAR's manifest and signature files: sections of attributes, and where each section lies.

Lines end with CR, LF or both; a line that begins with a space goes on with the one before; an empty line ends a
section. Digests are over a section's bytes, its empty line included, so places matter as much as values. Source: the
JAR file specification, and how Android and ``apksigner`` read what departs from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_EMPTY_LINES = re.compile(rb"(?:\r\n|\r|\n)+")
_SECTION_END = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r|\n)")
_FOLD = re.compile(rb"(?:\r\n|\r|\n) ")
_LINE_ENDS = 4000  # of one section; real ones have fewer than ten


class TooManyAttributes(ValueError):
    """A section that is none."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its place in the file, and its attributes by name in lower case, the first of each."""

    start: int
    end: int
    attributes: Mapping[str, str]

    @property
    def name(self) -> str | None:
        """Of the entry it is about."""
        return self.attributes.get("name")

    def get(self, name: str) -> str | None:
        """The first attribute of that name, in any case of letters."""
        return self.attributes.get(name.lower())


def sections(data: bytes) -> Iterator[Section]:
    """Sections in order; the first is the main one. Raises TooManyAttributes."""
    at = 0
    while True:
        empty = _EMPTY_LINES.match(data, at)
        if empty:
            at = empty.end()
        if at >= len(data):
            return
        end = _SECTION_END.search(data, at)
        start, at = at, end.end() if end else len(data)
        yield Section(start, at, _attributes(data[start:at]))


def _attributes(section: bytes) -> dict[str, str]:
    """Names and values; spaces around them are part of them, as some obfuscators' entries have such names."""
    if section.count(b"\n") + section.count(b"\r") > _LINE_ENDS:
        raise TooManyAttributes(f"a section of {len(section)} bytes")
    lines = _FOLD.sub(b"", section).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    attributes: dict[str, str] = {}
    for line in lines.decode("utf-8", "replace").split("\n"):
        if line:
            name, _, value = line.partition(": ")
            attributes.setdefault(name.lower(), value)
    return attributes
