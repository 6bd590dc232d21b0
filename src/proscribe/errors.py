"""The error tree. Every error a person can meet has a stable code, a place and a next step, in both languages.

A stage declares its own errors as subclasses beside the code that raises them; ``docs/reference/errors.md`` lists every
subclass, and a test fails where one is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from proscribe.text import COLON, Text


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a fault in somebody's input. ``row`` counts from 1, the header line included."""

    file: str = ""
    row: int | None = None
    field: str = ""

    def __str__(self) -> str:
        parts = [self.file] if self.file else []
        if self.row is not None:
            parts.append(str(Text(f"row {self.row}", f"ligne {self.row}")))
        if self.field:
            parts.append(str(Text(f"field {self.field}", f"champ {self.field}")))
        return ", ".join(parts)


class ProscribeError(Exception):
    """Root of everything Proscribe raises on purpose.

    ``code`` is stable and documented, ``remedy`` says what to do next, and ``transient`` says whether trying again
    unchanged can help.
    """

    code: ClassVar[str] = "proscribe.error"
    transient: ClassVar[bool] = False

    def __init__(self, what: Text, *, remedy: Text, where: Where | None = None) -> None:
        super().__init__(what.en)
        self.what = what
        self.remedy = remedy
        self.where = where or Where()

    def __str__(self) -> str:
        place = str(self.where)
        return f"{place}{COLON} {self.what}" if place else str(self.what)


class InvalidDocument(ProscribeError):
    """A document that Proscribe defines (directive, target set, plan, ...) does not fit its schema."""

    code = "document.invalid"


class WrongDocumentVersion(ProscribeError):
    """A document of a known kind, but of a schema version this release does not read."""

    code = "document.version"


class UnreadableFile(ProscribeError):
    """A file that cannot be opened or read to its end."""

    code = "file.unreadable"


class DiskFull(ProscribeError):
    """The file system had no room left; what was being written is discarded, what was there before is untouched."""

    code = "file.disk-full"
    transient = True
