"""What a transition lacks, in words: each with its name and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proscribe.documents import Value
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class Missing(Value):
    """One thing that a transition lacks. ``name``: a document ("review.privacy") or a field ("vendor.notice")."""

    name: str
    what: Text
    remedy: Text


def flaw(name: str, what: tuple[str, str], remedy: tuple[str, str]) -> Missing:
    """A :class:`Missing` from (English, French) pairs."""
    return Missing(name, Text(*what), Text(*remedy))


_TO_WRITE = re.compile(r"\s*(\[.*\])?\s*", re.DOTALL)


def blank(text: Text | None) -> bool:
    """Whether a text is missing in either language, or still is the draft's [words in brackets]."""
    return text is None or any(_TO_WRITE.fullmatch(side) is not None for side in (text.en, text.fr))


def written(name: str, text: Text | None) -> tuple[Missing, ...]:
    """What is missing of a text that must be there in both languages."""
    if not blank(text):
        return ()
    return (
        Missing(
            name,
            Text("the text is missing in one language or both", "le texte manque dans une langue ou dans les deux"),
            Text("Write it in English and in French.", "Rédigez-le en anglais et en français."),
        ),
    )
