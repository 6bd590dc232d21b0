"""Words out of a package are hostile input: what would deceive an eye or a terminal is shown as its code point."""

from __future__ import annotations

import unicodedata

LIMIT = 600
"""Characters of one string that a person is shown; the JSON document holds all of them."""

# Control, format (bidirectional marks among them), surrogate, private use, unassigned, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Blank or invisible, though Unicode files them under letters and marks.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code)
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in range(first, last + 1)
}
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 3  # on one letter: more than any script needs, fewer than it takes to climb over the line above


def visible(text: str, limit: int = LIMIT) -> str:
    """``text`` with every deceptive character as ``[U+202E]``, cut after ``limit`` characters.

    What was cut is counted at the end: ``… (+412)``.
    """
    shown = text[:limit]
    if not (shown.isascii() and shown.isprintable()):
        shown = _spelled_out(shown)
    return shown if len(text) <= limit else f"{shown}… (+{len(text) - limit})"


def _spelled_out(text: str) -> str:
    parts, marks = [], 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        deceptive = category in _UNSEEN or character in _BLANK or marks > _MOST_MARKS
        parts.append(f"[U+{ord(character):04X}]" if deceptive else character)
    return "".join(parts)
