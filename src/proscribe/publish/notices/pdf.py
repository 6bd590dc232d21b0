"""A notice as a tagged PDF (PDF/UA-1, ISO 14289-1), set by typst, which the ``pdf`` extra installs.

The page is a constant file; the notice goes in as JSON, so that a title is never read as markup or code. Only the
fonts that typst carries are used, no file but the page is read, and the day in the file is the notice's: the same
notice gives the same bytes on every machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from proscribe.page.markup import Pen
from proscribe.publish.notices.model import Fact, Notice, PdfRefused, PdfUnavailable, Section
from proscribe.text import COLON, Language, Text

_PAGE = Path(__file__).with_name("notice.typ")


def available() -> bool:
    """Whether the typesetter is installed."""
    from importlib.util import find_spec

    return find_spec("typst") is not None


def pdf(notice: Notice, language: Language) -> bytes:
    """The whole document. Raises PdfUnavailable without the extra, PdfRefused where no accessible PDF can be made."""
    try:
        import typst
    except ImportError as error:
        raise PdfUnavailable(
            Text("the typesetter for PDF is not installed", "l'outil de composition des PDF n'est pas installé"),
            remedy=Text(
                "Install it with 'pip install proscribe[pdf]', or ask for Markdown and HTML only.",
                "Installez-le avec «\u00a0pip install proscribe[pdf]\u00a0», ou ne demandez que Markdown et HTML.",
            ),
        ) from error
    compile_: Any = typst.compile  # its stub asks for a root of the type of the source
    with TemporaryDirectory() as empty:  # the root: there is no file to read in it
        try:
            made: bytes = compile_(
                _PAGE.read_bytes(),
                root=empty,
                format="pdf",
                ignore_system_fonts=True,
                package_path=empty,
                package_cache_path=empty,
                sys_inputs={"notice": json.dumps(_data(notice, language), ensure_ascii=False)},
                pdf_standards=["ua-1"],
            )
        except typst.TypstError as error:
            raise PdfRefused(
                Text(
                    f"no accessible PDF can be made of this notice: {error.message}",
                    f"aucun PDF accessible ne peut être produit à partir de cet avis\u00a0: {error.message}",
                ),
                remedy=Text(
                    "Write names in Latin, Greek or Cyrillic letters, or publish the HTML page: it has no such limit.",
                    "Écrivez les noms en lettres latines, grecques ou cyrilliques, ou publiez la page HTML, qui n'a "
                    "pas cette limite.",
                ),
            ) from error
    return made


def _data(notice: Notice, language: Language) -> dict[str, Any]:
    """What the page reads, in one language."""
    pen = Pen(language)
    day = notice.at.date()
    return {
        "language": language,
        "document": f"{pen.plain(notice.label)} – {pen.plain(notice.title)}",
        "issuer": pen.plain(notice.issuer),
        "label": pen.plain(notice.label),
        "title": pen.plain(notice.title),
        "lead": pen.plain(notice.lead),
        "date": pen.day(day),
        "year": day.year,
        "month": day.month,
        "day": day.day,
        "colon": pen.plain(COLON) + " ",
        "sections": [_section(pen, notice, one) for one in notice.sections],
    }


def _section(pen: Pen, notice: Notice, section: Section) -> dict[str, Any]:
    table = section.table
    return {
        "heading": pen.plain(section.heading),
        "paragraphs": [pen.plain(one) for one in section.paragraphs],
        "points": [pen.plain(one) for one in section.points],
        "facts": [_fact(pen, notice, one) for one in section.facts],
        "table": table
        and {
            "caption": pen.plain(table.caption),
            "columns": [pen.plain(one) for one in table.columns],
            "shares": [2, *[1] * (len(table.columns) - 1)],
            "rows": [[pen.plain(cell) for cell in row] for row in table.rows],
        },
        "closing": [pen.plain(one) for one in section.closing],
    }


def _fact(pen: Pen, notice: Notice, fact: Fact) -> dict[str, Any]:
    email = notice.contact.email
    link = f"mailto:{quote(email, safe='@')}" if email and fact.values[0].en == email else None
    return {"label": pen.plain(fact.label), "values": [pen.plain(one) for one in fact.values], "link": link}
