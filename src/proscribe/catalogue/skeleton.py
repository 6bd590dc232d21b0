"""Names as the eye reads them: the two normal forms by which look-alike names are found.

``plain`` tells when two names are the same name; ``skeleton`` tells when they only look the same. The confusable
characters are Unicode's (UTS 39), as packaged by ``confusable_homoglyphs``; digits that stand for letters are added.
"""

from __future__ import annotations

import string
import unicodedata
from functools import cache
from pathlib import Path

# Read as the letter in names such as "W3Chat" or "T1kTok"; "i" meets "l" because a capital I looks like an l.
_READ_AS = {"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "i": "l"}
_PAIRS = (("rn", "m"), ("vv", "w"))
# Signs that a shop adds to a name; compatibility normalisation would turn them into letters ("TM").
_SIGNS = dict.fromkeys(map(ord, "™®©℠"))

_ASCII_PLAIN = {code: (chr(code).lower() if chr(code).isalnum() else None) for code in range(128)}
_ASCII_SKELETON = {code: low and _READ_AS.get(low, low) for code, low in _ASCII_PLAIN.items()}


def plain(name: str) -> str:
    """The name in lower case without spaces, punctuation and trade-mark signs; letters of every script are kept."""
    if name.isascii():
        return name.translate(_ASCII_PLAIN)
    folded = unicodedata.normalize("NFKC", name.translate(_SIGNS)).casefold()
    return "".join(character for character in folded if character.isalnum())


def skeleton(name: str) -> str:
    """The name as it looks: homoglyphs folded to ASCII, lower case, accents and punctuation dropped.

    Names that look alike have one skeleton, and names that are the same (``plain``) always do. It is a key, not for
    display.
    """
    if not name.isascii():
        apart = unicodedata.normalize("NFKD", plain(name))
        name = unicodedata.normalize("NFKC", "".join(c for c in apart if not unicodedata.combining(c)))
        name = name.translate(_confusables())
    key = name.translate(_ASCII_SKELETON)
    for pair, single in _PAIRS:
        if pair in key:
            key = key.replace(pair, single)
    return key


@cache
def _confusables() -> dict[int, str]:
    """Code point -> the ASCII letter or digit that it looks like, in either case."""
    import confusable_homoglyphs
    import msgspec

    # Its data alone: its code would also load an HTTP client and read them at a fifth of the speed.
    data = Path(confusable_homoglyphs.__file__).with_name("confusables.json").read_bytes()
    alike = msgspec.json.decode(data, type=dict[str, list[dict[str, str]]])
    table: dict[int, str] = {}
    # Lower case first: a small nu looks like a v, although a capital one looks like an N.
    for wanted in string.ascii_lowercase + string.digits + string.ascii_uppercase:
        for entry in alike.get(wanted, ()):
            character = entry["c"]
            for form in (character, character.casefold()):
                if len(form) == 1 and not form.isascii():
                    table.setdefault(ord(form), wanted.lower())
    return table
