"""The notice as HTML and as Markdown: whole, in one language, accessible, and never carrying somebody's markup."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from proscribe.directive.library import find
from proscribe.page.style import PALETTE
from proscribe.publish.notices.html import html
from proscribe.publish.notices.markdown import markdown
from proscribe.publish.notices.model import Audience
from proscribe.text import Text

LANGUAGES = ("en", "fr")
VOID = {"meta"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "![x](https://example.org/x.png) [click](javascript:alert(1)) <https://example.org>",
    "**bold** _em_ `code` ~~gone~~ | cell | &amp; \\",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quote",
    "--- rule ===",
    "```fence",
    "[ref]: https://example.org",
)


class Reader(HTMLParser):
    """Elements, with what encloses them; an element that is not closed in its place is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.words: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        self.words.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.words[tag][-1] += data


@pytest.fixture(params=[(audience, language) for audience in Audience for language in LANGUAGES])
def page(request, make):
    audience, language = request.param
    notice = make(audience, find("us-omb-m-23-13"))
    other = f"{audience}.{'fr' if language == 'en' else 'en'}.html"
    return notice, language, html(notice, language, other=other)


def test_language_title_landmarks_and_the_other_language(page):
    notice, language, source = page
    read = Reader(source)
    assert source.startswith("<!DOCTYPE html>")
    assert read.elements[0] == ("html", {"lang": f"{language}-CA"}, ())
    assert getattr(notice.title, language) in read.words["title"][0]
    assert Counter(tag for tag, *_ in read.elements if tag in ("header", "main", "footer")) == {
        "header": 1,
        "main": 1,
        "footer": 1,
    }
    links = [attributes for tag, attributes, _ in read.elements if tag == "a"]
    assert links[0]["href"] == "#main"
    code = "fr" if language == "en" else "en"
    assert links[1] == {"href": f"{notice.audience}.{code}.html", "lang": code, "hreflang": code}
    assert "hreflang" not in html(notice, language)


def test_headings_are_in_order_and_name_their_sections(page):
    notice, language, source = page
    read = Reader(source)
    levels = [int(tag[1]) for tag, *_ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert read.words["h2"] == [getattr(one.heading, language) for one in notice.sections]
    ids = Counter(attributes["id"] for _, attributes, _ in read.elements if attributes.get("id"))
    assert max(ids.values()) == 1
    assert set(re.findall(r'aria-labelledby="([^"]+)"', source)) <= set(ids)


def test_tables_have_captions_and_header_cells(page):
    notice, _, source = page
    tables = [one.table for one in notice.sections if one.table is not None]
    found = re.findall("<table.*?</table>", source)
    assert len(found) == len(tables)
    for markup, table in zip(found, tables, strict=True):
        read = Reader(markup)
        scopes = Counter(attributes["scope"] for tag, attributes, _ in read.elements if tag == "th")
        assert scopes == {"col": len(table.columns), "row": len(table.rows)}
        assert read.words["caption"][0]


def test_nothing_is_loaded_and_nothing_runs(page):
    read = Reader(page[2])
    tags = {tag for tag, *_ in read.elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "base", "form", "svg"}
    for _, attributes, _ in read.elements:
        assert not {"src", "style", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in page[2]
    assert "default-src 'none'" in page[2]


def test_every_text_is_on_the_page_and_in_the_markdown(page):
    notice, language, source = page
    written = markdown(notice, language)
    text = re.sub(r"\s+", " ", "".join(Reader(source).words["body"]))
    read = re.sub(r"\s+", " ", "".join(Reader(rendered(written)).words["div"]))
    for section in notice.sections:
        for one in (section.heading, *section.paragraphs, *section.points, *section.closing):
            assert getattr(one, language).replace("\u00a0", " ") in text.replace("\u00a0", " ")
            assert getattr(one, language).replace("\u00a0", " ") in read.replace("\u00a0", " ")


def rendered(written: str) -> str:
    """What a CommonMark reader with tables and raw HTML switched on makes of it."""
    body = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(written)
    return f"<div>{body.replace('<br />', ' ')}</div>"


def put_everywhere(directive, hostile: str):
    both = Text(hostile, f"{hostile} (français)")
    return both, replace(
        directive,
        title=both,
        stated_reasons=(both, both),
        items=tuple(replace(one, wording=both) for one in directive.items),
        actions=tuple(replace(one, what=both) for one in directive.actions),
        authority=replace(directive.authority, body=both, legal_basis=(both,)),
        instrument=both,
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_words_of_others_are_never_markup(directive, make, hostile):
    both, changed = put_everywhere(directive, hostile)
    plain = make(Audience.public, put_everywhere(directive, "Harmless words")[1])
    notice = make(Audience.public, changed)
    for language in LANGUAGES:
        read, before = Reader(html(notice, language)), Reader(html(plain, language))
        assert [tag for tag, *_ in read.elements] == [tag for tag, *_ in before.elements]
        assert read.words["h1"] == [getattr(both, language)]
        markup, harmless = Reader(rendered(markdown(notice, language))), Reader(rendered(markdown(plain, language)))
        assert [tag for tag, *_ in markup.elements] == [tag for tag, *_ in harmless.elements]
        assert markup.words["h1"] == [getattr(both, language)]


def test_an_address_with_a_question_mark_stays_an_address(make, directive):
    notice = make(Audience.public, directive)
    contact = replace(notice.contact, email='a?bcc=b@example.org"onclick="x')
    ask = notice.sections[-1]
    fact = replace(ask.facts[1], values=(Text(contact.email, contact.email),))
    changed = replace(
        notice, contact=contact, sections=(*notice.sections[:-1], replace(ask, facts=(ask.facts[0], fact)))
    )
    link = next(
        attributes
        for tag, attributes, _ in Reader(html(changed, "en")).elements
        if tag == "a" and str(attributes["href"]).startswith("mailto:")
    )
    assert link == {"href": "mailto:a%3Fbcc%3Db@example.org%22onclick%3D%22x"}


def test_french_is_spaced_as_in_canada(page):
    _, language, source = page
    if language == "fr":
        text = "".join(Reader(source).words["main"])
        assert " :" not in text
        assert not re.search(r"[\s\u00a0][;?!](\s|$)", text)
        assert "\u202f" not in text
        assert " :" not in markdown(page[0], "fr")


def test_the_link_in_the_masthead_can_be_read():
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(PALETTE["on-deep"]), luminance(PALETTE["deep"])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
