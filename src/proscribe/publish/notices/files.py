"""The files of a notice: one a language and format, and the document they are made of."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from proscribe.documents import to_bytes
from proscribe.publish.notices.html import html
from proscribe.publish.notices.markdown import markdown
from proscribe.publish.notices.model import Notice
from proscribe.publish.notices.pdf import pdf
from proscribe.text import Language

LANGUAGES: tuple[Language, Language] = ("en", "fr")


class Format(StrEnum):
    """How a notice is written down."""

    md = "md"
    html = "html"
    pdf = "pdf"


def contents(notice: Notice, formats: tuple[Format, ...]) -> dict[str, bytes]:
    """File name -> bytes: ``staff.en.html``, ``staff.fr.html``, ..., and ``staff.json``.

    Everything is made before anything is returned, so that no notice is ever written in one language only. Raises
    PdfUnavailable or PdfRefused.
    """
    made = {
        f"{notice.audience}.{language}.{kind}": _made(notice, language, kind)
        for kind in formats
        for language in LANGUAGES
    }
    return {**made, f"{notice.audience}.json": to_bytes(notice)}


def write(files: dict[str, bytes], folder: Path) -> tuple[Path, ...]:
    """Write the files into ``folder``, which is made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return tuple(folder / name for name in files)


def _made(notice: Notice, language: Language, kind: Format) -> bytes:
    if kind is Format.pdf:
        return pdf(notice, language)
    if kind is Format.html:
        other = "fr" if language == "en" else "en"
        return html(notice, language, other=f"{notice.audience}.{other}.html").encode("utf-8")
    return markdown(notice, language).encode("utf-8")
