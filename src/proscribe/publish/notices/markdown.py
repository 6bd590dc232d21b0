"""A notice as Markdown (CommonMark, with pipe tables), in one language. Words of others cannot become markup."""

from __future__ import annotations

import re

from proscribe.page.markup import Pen
from proscribe.publish.notices.model import Fact, Notice, Section, Table
from proscribe.text import COLON, Language, Text

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_LEADING = re.compile(r"^(\s*\d*)([-+=]|(?<=\d)[.)])")


def markdown(notice: Notice, language: Language) -> str:
    """The whole notice. The same notice gives the same text."""
    pen = Pen(language)
    say = _Writer(pen)
    head = [
        f"# {say(notice.title)}",
        f"**{say(notice.label)}**  \n{say(notice.issuer)}  \n{pen.day(notice.at.date())}",
        say(notice.lead),
    ]
    return "\n\n".join([*head, *(block for section in notice.sections for block in say.section(section))]) + "\n"


class _Writer:
    """Writes escaped text in the language of its pen."""

    def __init__(self, pen: Pen) -> None:
        self.pen = pen

    def __call__(self, text: Text) -> str:
        plain = _ACTIVE.sub(r"\\\1", self.pen.plain(text))
        return _LEADING.sub(r"\1\\\2", plain)  # what would begin a list or underline a heading

    def section(self, section: Section) -> list[str]:
        """The blocks of a section."""
        blocks = [f"## {self(section.heading)}", *map(self, section.paragraphs)]
        if section.points:
            blocks.append("\n".join(f"- {self(one)}" for one in section.points))
        if section.facts:
            blocks.append("\n".join(map(self.fact, section.facts)))
        if section.table is not None:
            blocks += self.table(section.table)
        return [*blocks, *map(self, section.closing)]

    def fact(self, fact: Fact) -> str:
        """A label with its value on one line, or with a list below it."""
        label = f"- **{self(fact.label)}{self.pen.plain(COLON)}**"
        if len(fact.values) == 1:
            return f"{label} {self(fact.values[0])}"
        return "\n".join([label, *(f"  - {self(one)}" for one in fact.values)])

    def table(self, table: Table) -> list[str]:
        """The caption, then the table."""
        rows = [table.columns, *table.rows]
        lines = ["| " + " | ".join(map(self, row)) + " |" for row in rows]
        lines.insert(1, "|" + " --- |" * len(table.columns))
        return [f"**{self(table.caption)}**", "\n".join(lines)]
