"""Text in both official languages, side by side.

A :class:`Text` cannot be made without its French, so "both languages or not published" (DESIGN rule 13) is checked by
the type checker and not by a reviewer. See docs/adr/0009.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Language = Literal["en", "fr"]

_current: ContextVar[Language | None] = ContextVar("proscribe_language", default=None)


def language() -> Language:
    """The language of what is shown: what was set, else ``PROSCRIBE_LANG``, else the locale, else English."""
    chosen = _current.get()
    if chosen is not None:
        return chosen
    for name in ("PROSCRIBE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


def set_language(value: Language | None) -> None:
    """Set the language of this context (a command, a request); ``None`` goes back to the environment's."""
    _current.set(value)


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in English and French, of equal standing. ``str()`` gives the current language's."""

    # Read by the codec, as in ``documents.Value``, which stands above this module.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    en: str
    fr: str

    def __str__(self) -> str:
        return self.fr if language() == "fr" else self.en

    def __add__(self, other: Text) -> Text:
        return Text(self.en + other.en, self.fr + other.fr)


COLON = Text(":", "\N{NO-BREAK SPACE}:")
"""A colon between a label and its value: French sets a no-break space before it."""


def number(count: int) -> Text:
    """A count with its thousands set apart: ``12,345``, and ``12 345`` with a no-break space."""
    return Text(f"{count:,}", f"{count:,}".replace(",", "\N{NO-BREAK SPACE}"))


def plural(count: int, one: Text, many: Text) -> Text:
    """``count`` with the words that follow it: ``1 device``, ``2 devices``.

    Nought is plural in English and singular in French: ``0 devices``, ``0 appareil``.
    """
    shown = number(count)
    return Text(
        f"{shown.en} {(one if count == 1 else many).en}",
        f"{shown.fr} {(one if count in (0, 1) else many).fr}",
    )


def days(count: int) -> Text:
    """``1 day``, ``7 days``."""
    return plural(count, Text("day", "jour"), Text("days", "jours"))


def devices(count: int) -> Text:
    """``1 device``, ``1,250 devices``."""
    return plural(count, Text("device", "appareil"), Text("devices", "appareils"))
