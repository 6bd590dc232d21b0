"""Compile every ``.po`` below ``src`` to the ``.mo`` beside it, with the standard library alone: ``make messages``.

Reads what our own files use of the format (GNU gettext manual, "The Format of PO Files"): one-line strings, plural
forms, comments; the header's lines may go on. Writes the binary form ("The Format of GNU MO Files"), sorted, unhashed.
"""

from __future__ import annotations

import ast
import re
import struct
from pathlib import Path

LINE = re.compile(r'(msgid|msgid_plural|msgstr|msgstr\[(\d)\])? ?(".*")')


def messages(text: str) -> dict[str, str]:
    """Original to translation as the binary form wants them: the forms of a plural are joined by NUL."""
    found: dict[str, str] = {}
    for block in re.split(r"\n{2,}", text.strip()):
        keys: list[str] = []
        values: list[str] = []
        into = keys
        for line in (line for line in block.splitlines() if not line.startswith("#")):
            match = LINE.fullmatch(line)
            if match is None:
                raise ValueError(f"not a line of a message: {line}")
            if match[1]:
                into = keys if match[1].startswith("msgid") else values
                into.append("")
            into[-1] += ast.literal_eval(match[3])
        found["\0".join(keys)] = "\0".join(values)
    return found


def compiled(text: str) -> bytes:
    """The bytes of the ``.mo``."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages(text).items())
    at, tables, body = 28 + 16 * len(pairs), [b"", b""], b""
    for column in (0, 1):
        for pair in pairs:
            tables[column] += struct.pack("<2I", len(pair[column]), at + len(body))
            body += pair[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, at)
    return head + tables[0] + tables[1] + body


if __name__ == "__main__":
    for source in sorted((Path(__file__).parents[1] / "src").rglob("*.po")):
        source.with_suffix(".mo").write_bytes(compiled(source.read_text(encoding="utf-8")))
