"""What keeps a notice from going out: fields that are missing, in one language only, or that look untranslated.

Inputs are checked under their own names ("directive.title.fr"), so that whoever wrote them finds the place. A program
cannot tell a good translation from a bad one; it can tell that there is none, or that one side was forgotten.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from proscribe.publish.notices.model import Gap, NoticeIncomplete
from proscribe.text import Text, plural

# Words that nearly every sentence of one language holds and none of the other. "of", "and", "de", "et" are left out:
# they stand in the names of offices, which keep their language.
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    _WORD.findall(
        "the is are was were that this these with from by not it its which has have been be to will must may they "
        "their you your"
    )
)
_FRENCH = frozenset(
    _WORD.findall(
        "le les est sont que qui dans avec pour par ne pas ce cette ces une un aux leur leurs vous votre vos il "
        "elle été"
    )
)
_ADDRESS = re.compile(r"https?://[^\s()]+")  # has the language of whoever made it, on both sides
_NUMBER = re.compile(r"\d+")
_GROUPED = re.compile("(?<=\\d)[ ,.\u00a0\u202f](?=\\d{3}(?!\\d))")
_BREAKS = re.compile(r"[ \t\r\n\f\v\u0085\u2028\u2029]+")

_SAID = 5  # words from which two equal sides are a sentence that nobody translated, whatever names it holds
_LONG = 60  # characters from which a side of less than a third is taken to be cut short


def tidy(text: Text) -> Text:
    """The text on one line: what a YAML file folds, a notice does not."""
    return Text(_BREAKS.sub(" ", text.en).strip(), _BREAKS.sub(" ", text.fr).strip())


def tidied(value: Any) -> Any:
    """``value`` with every text in it tidy."""
    if isinstance(value, Text):
        return tidy(value)
    if isinstance(value, tuple):
        return tuple(tidied(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: tidied(getattr(value, one.name)) for one in fields(value)}
        return type(value)(**changed)
    return value


def texts(name: str, value: Any) -> Iterator[tuple[str, Text]]:
    """Every text in ``value``, by the path that leads to it."""
    if isinstance(value, Text):
        yield name, value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from texts(f"{name}[{index}]", item)
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from texts(f"{name}.{one.name}" if name else one.name, getattr(value, one.name))


def gaps_of(name: str, value: Any) -> list[Gap]:
    """The gaps of every text in ``value``, an input or a whole notice."""
    return [gap for path, text in texts(name, value) for gap in _gaps(path, tidy(text))]


def _gaps(path: str, text: Text) -> Iterator[Gap]:
    for language, side in (("en", text.en), ("fr", text.fr)):
        if not side:
            yield Gap(f"{path}.{language}", Text("it is missing", "il manque"))
        hidden = sorted({f"U+{ord(one):04X}" for one in side if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co")})
        if hidden:
            named = ", ".join(hidden)
            yield Gap(
                f"{path}.{language}",
                Text(
                    f"it holds characters that cannot be seen ({named})",
                    f"il contient des caractères invisibles ({named})",
                ),
            )
    if text.en and text.fr:
        wrong = _untranslated(text)
        if wrong is not None:
            yield Gap(path, wrong)


def _untranslated(text: Text) -> Text | None:
    """What is wrong between the two sides, or None. Names and short labels may be the same in both."""
    text = Text(_ADDRESS.sub("", text.en), _ADDRESS.sub("", text.fr))
    english, french = _words(text.en), _words(text.fr)
    if text.en == text.fr and (len(english) >= _SAID or (_ENGLISH | _FRENCH) & set(english)):
        return Text("both languages say the same words", "les deux textes sont identiques")
    if _count(french, _ENGLISH) > _count(french, _FRENCH):
        return Text("the French side looks English", "le texte français semble être en anglais")
    if _count(english, _FRENCH) > _count(english, _ENGLISH):
        return Text("the English side looks French", "le texte anglais semble être en français")
    if max(len(text.en), len(text.fr)) >= _LONG and 3 * min(len(text.en), len(text.fr)) < max(
        len(text.en), len(text.fr)
    ):
        return Text("one side is much shorter than the other", "l'un des textes est beaucoup plus court que l'autre")
    if _numbers(text.en) != _numbers(text.fr):
        return Text(
            "the two sides do not hold the same numbers",
            "les deux textes ne contiennent pas les mêmes nombres",
        )
    return None


def _words(side: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(side)]


def _count(words: list[str], among: frozenset[str]) -> int:
    return sum(word in among for word in words)


def _numbers(side: str) -> list[str]:
    """The numbers of two digits and more, sorted: one-digit numbers are often a word in the other language."""
    return sorted(one for one in _NUMBER.findall(_GROUPED.sub("", side)) if len(one) > 1)


def refuse(gaps: list[Gap]) -> None:
    """Raise NoticeIncomplete that lists every gap; nothing where there is none."""
    if not gaps:
        return
    found = tuple(dict.fromkeys(gaps))
    count = plural(
        len(found),
        Text("field keeps this notice from going out", "champ empêche la publication de cet avis"),
        Text("fields keep this notice from going out", "champs empêchent la publication de cet avis"),
    )
    listed = Text(
        "; ".join(f"{gap.field} ({gap.what.en})" for gap in found),
        "; ".join(f"{gap.field} ({gap.what.fr})" for gap in found),
    )
    error = NoticeIncomplete(
        count + Text(": ", "\u00a0: ") + listed,
        remedy=Text(
            "Complete every field in both languages and try again. A notice goes out in both or not at all.",
            "Remplissez chaque champ dans les deux langues et réessayez. Un avis paraît dans les deux langues ou ne "
            "paraît pas.",
        ),
    )
    error.gaps = found
    raise error
