"""The text of a JAR's manifest and signature files: sections of attributes, and where each section lies.

Lines end with CR, LF or both; a line that begins with a space goes on with the one before; an empty line ends a
section. Digests are over a section's bytes, its empty line included, so places matter as much as values. Source: the
JAR file specification, and how Android and ``apksigner`` read what departs from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")
_EMPTY_LINES = re.compile(rb"(?:\r\n|\r|\n)+")
_ATTRIBUTES = 2000  # of one section; real ones have fewer than ten


class TooManyAttributes(ValueError):
    """A section that is none."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its place in the file, and its attributes as they stand."""

    start: int
    end: int
    attributes: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str | None:
        """Of the entry it is about."""
        return self.get("Name")

    def get(self, name: str) -> str | None:
        """The first attribute of that name, in any case of letters."""
        wanted = name.lower()
        return next((value for key, value in self.attributes if key.lower() == wanted), None)


def sections(data: bytes) -> Iterator[Section]:
    """Sections in order; the first is the main one. Raises TooManyAttributes."""
    at = 0
    while True:
        empty = _EMPTY_LINES.match(data, at)
        if empty:
            at = empty.end()
        if at >= len(data):
            return
        section = _section(data, at)
        yield section
        at = section.end


def _section(data: bytes, start: int) -> Section:
    attributes: list[tuple[str, str]] = []
    lines: list[bytes] = []
    at = start
    while at < len(data):
        match = _LINE.match(data, at)
        if match is None:  # the pattern matches everywhere
            break
        line, at = match.group(1), match.end()
        if not line:
            break
        if lines and line[:1] != b" ":
            attributes.append(_attribute(lines))
            lines = []
        lines.append(line[1:] if lines else line)
        if len(attributes) > _ATTRIBUTES or len(lines) > _ATTRIBUTES:
            raise TooManyAttributes(f"section at {start}")
    if lines:
        attributes.append(_attribute(lines))
    return Section(start, at, tuple(attributes))


def _attribute(lines: list[bytes]) -> tuple[str, str]:
    """Name and value; spaces around them are part of them, as some obfuscators' entries have such names."""
    name, _, value = b"".join(lines).decode("utf-8", "replace").partition(": ")
    return name, value
