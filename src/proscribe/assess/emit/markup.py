"""The page's pen: what it writes came out of a package somebody else made, so nothing passes it unseen."""

from __future__ import annotations

import html

from proscribe.assess.emit.hostile import LIMIT, visible
from proscribe.page.markup import Pen, Raw
from proscribe.text import Text

SHORT_DIGEST = 12
SENTENCE_LIMIT = 4000  # our own sentences may name all 18 areas


class Ink(Pen):
    """A pen that spells out deceptive characters and cuts what is too long, wherever the words come from."""

    __slots__ = ()

    def plain(self, text: Text | str) -> str:
        """The text in this language, safe for an eye; ``text`` below escapes it for HTML."""
        return visible(super().plain(text), LIMIT if isinstance(text, str) else SENTENCE_LIMIT)

    def code(self, text: str, limit: int = 300) -> str:
        """A name out of the package: monospaced, broken anywhere but best before an arrow, cut after ``limit``."""
        if not text:
            return "–"
        shown = html.escape(visible(text, limit), quote=True).replace("-&gt;", '<wbr><span class="to">-&gt;</span>')
        return f'<code class="hash">{shown}</code>'

    def code_cell(self, text: str, limit: int = 300) -> Raw:
        """``code`` for a table."""
        return Raw(self.code(text, limit))

    def paragraph(self, text: Text, kind: str = "") -> str:
        """A paragraph, with a class or none."""
        attribute = f' class="{kind}"' if kind else ""
        return f"<p{attribute}>{self.text(text)}</p>"

    def facts(self, rows: list[tuple[Text, str]]) -> str:
        """A description list; values are HTML already."""
        inner = "".join(f"<dt>{self.text(name)}</dt><dd>{value}</dd>" for name, value in rows)
        return f'<dl class="facts">{inner}</dl>'

    def brief(self, rows: list[tuple[Text, str]]) -> str:
        """A description list in running lines, for what would be a column of short words."""
        inner = "".join(f"<div><dt>{self.text(name)}</dt><dd>{value}</dd></div>" for name, value in rows)
        return f'<dl class="brief">{inner}</dl>'
