"""Whatever the words: each format shows them as they are, or the notice is refused by one of our errors."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from proscribe.publish.notices.compose import compose
from proscribe.publish.notices.html import html
from proscribe.publish.notices.markdown import markdown
from proscribe.publish.notices.model import Audience, Contact, NoticeIncomplete, Particulars, PdfRefused
from proscribe.publish.notices.pdf import pdf
from proscribe.text import Text

# Marks of every format in thick doses, among all the letters there are.
MARKS = st.text(alphabet=st.sampled_from("#$@\\[]{}()<>*_`~|&!\"'=-+/.:;0123456789 aéÉ«»"), min_size=1, max_size=60)
ANY = st.text(min_size=1, max_size=40)


class H1(HTMLParser):
    """The text of the first heading."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.inside, self.said, self.tags = False, "", []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.inside = self.inside or tag == "h1"
        if self.inside:
            self.tags.append(tag)

    def handle_endtag(self, tag):
        if tag == "h1":
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.said += data


def squeezed(value: str) -> str:
    return "".join(value.split())


@pytest.fixture(scope="module")
def write():
    from datetime import UTC, datetime

    from proscribe.directive.library import find

    directive = find("ca-tbs-2023-tiktok")
    contact = Contact(Text("Office", "Bureau"), email="office@example.org")

    def made(words: str):
        both = Text(words, f"{words} (français)")
        changed = replace(directive, title=both, items=(replace(directive.items[0], wording=both),))
        at = datetime(2023, 2, 27, tzinfo=UTC)
        return compose(Audience.public, changed, contact=contact, at=at, more=Particulars())

    return made


@settings(max_examples=150)
@given(words=st.one_of(MARKS, ANY))
def test_words_come_out_as_they_went_in(write, words):
    try:
        notice = write(words)
    except NoticeIncomplete:
        return
    page = H1(html(notice, "en"))
    assert page.tags == ["h1"]
    assert squeezed(page.said) == squeezed(words)
    read = H1(
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown(notice, "en"))
    )
    assert read.tags == ["h1"]
    assert squeezed(read.said) == squeezed(words)


@settings(max_examples=60)
@given(words=st.one_of(MARKS, ANY))
def test_the_typesetter_never_takes_words_for_code(write, read_pdf, words):
    try:
        read = read_pdf(pdf(write(words), "en"))
    except (NoticeIncomplete, PdfRefused):
        return
    assert read.faults() == []
    said, meant = squeezed(read.text("H1")), squeezed(words)
    if all(unicodedata.bidirectional(one) not in ("R", "AL", "AN") for one in meant):
        assert unicodedata.normalize("NFKC", said) == unicodedata.normalize("NFKC", meant)
