"""The assessment people read: one self-contained HTML page in one language, for a screen, a phone and paper.

It loads nothing and runs nothing. The first screen is for whoever decides: the rating and why, what could not be seen,
the access map. The appendix is for whoever checks. Every word out of the package passes ``markup.Ink``.
"""

from __future__ import annotations

from collections.abc import Callable

from proscribe.assess.emit import page_appendix, page_front, page_rating
from proscribe.assess.emit.markup import SHORT_DIGEST, Ink
from proscribe.assess.emit.page_style import style_sheet
from proscribe.assess.emit.picture import patterns
from proscribe.assess.emit.reading import sentence, title_line
from proscribe.assess.model import Assessment
from proscribe.text import Language, Text

Section = tuple[str, Text, Callable[[Ink, Assessment], str]]

FOR_DECIDERS: tuple[Section, ...] = (
    ("answer", Text("The answer in short", "La réponse en bref"), page_front.answer),
    (
        "access",
        Text("The access map in figures", "La carte des accès en chiffres"),
        page_front.access_table,
    ),
    (
        "exposure",
        Text("Who could be made to use it", "Qui pourrait être contraint de s'en servir"),
        page_front.exposure,
    ),
    ("rating", Text("Why this rating", "Pourquoi cette cote"), page_rating.rating),
    (
        "complete",
        Text("What was read, and what was not", "Ce qui a été lu, et ce qui ne l'a pas été"),
        page_rating.complete,
    ),
)
APPENDIX: tuple[Section, ...] = (
    ("findings", Text("Every finding, with its evidence", "Chaque constat, avec ses preuves"), page_appendix.findings),
    ("permissions", Text("Permissions", "Autorisations"), page_appendix.permissions),
    ("sdks", Text("Other makers' code (SDKs)", "Code d'autres éditeurs (trousses SDK)"), page_appendix.sdks),
    ("hosts", Text("Hosts", "Hôtes"), page_appendix.hosts),
    ("signature", Text("Signature and certificates", "Signature et certificats"), page_appendix.signature),
    ("files", Text("The file and its anomalies", "Le fichier et ses anomalies"), page_appendix.files),
    ("made-with", Text("Data, rules and tools", "Données, règles et outils"), page_appendix.made_with),
    ("recheck", Text("How to check this yourself", "Comment le vérifier vous-même"), page_appendix.recheck),
)


def page(assessment: Assessment, language: Language) -> str:
    """The whole page in ``en`` or ``fr``. The same assessment gives the same bytes."""
    pen = Ink(language)
    title = pen.text(sentence(assessment))
    kind = pen.text(Text("Assessment of an app", "Évaluation d'une application"))
    skip = pen.text(Text("Skip to the assessment", "Passer à l'évaluation"))
    contents_title = pen.text(Text("In this assessment", "Dans cette évaluation"))
    digest = f"SHA-256 {pen.code(assessment.package.sha256[:SHORT_DIGEST])}…"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}-CA"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{style_sheet()}</style></head><body>"
        f'<a class="skip" href="#main">{skip}</a>{patterns()}'
        f'<header class="masthead"><div class="sheet"><p class="owner">{kind}</p><h1>{title}</h1>'
        f"<p>{pen.text(title_line(assessment))} · {digest}</p></div></header>"
        f'<main id="main" tabindex="-1"><div class="sheet">{_sections(pen, assessment, FOR_DECIDERS[:1])}'
        f'<nav class="contents" aria-label="{contents_title}"><ul>{_contents(pen)}</ul></nav>'
        f"{_sections(pen, assessment, FOR_DECIDERS[1:])}"
        f'<div class="appendix">{_sections(pen, assessment, APPENDIX)}</div></div></main>'
        f'<footer><div class="sheet"><p>{_footer(pen)}</p></div></footer></body></html>\n'
    )


def _contents(pen: Ink) -> str:
    """Links to the rest of what deciders read, then one to the appendix. The answer itself stands before them."""
    links = [(name, heading) for name, heading, _ in FOR_DECIDERS[1:]]
    links.append((APPENDIX[0][0], Text("Appendix for engineers", "Annexe technique")))
    return "".join(f'<li><a href="#{name}">{pen.text(heading)}</a></li>' for name, heading in links)


def _sections(pen: Ink, assessment: Assessment, sections: tuple[Section, ...]) -> str:
    appendix = pen.text(Text("Appendix", "Annexe"))
    mark = f'<p class="part">{appendix}</p>' if sections is APPENDIX else ""
    return "".join(
        f'<section aria-labelledby="{name}">{mark}<h2 id="{name}">{pen.text(heading)}</h2>'
        f"{write(pen, assessment)}</section>"
        for name, heading, write in sections
    )


def _footer(pen: Ink) -> str:
    return pen.text(
        Text(
            "Names and strings out of the package are shown as they stand in it; characters that would deceive the eye "
            "are spelled out as [U+…].",
            "Les noms et les chaînes tirés du paquet sont reproduits tels quels; les caractères qui tromperaient l'œil "
            "sont épelés sous la forme [U+…].",
        )
    )
