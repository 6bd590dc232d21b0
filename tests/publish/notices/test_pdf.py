"""The PDF as a screen reader meets it: tagged, in a language, with headings, and never run as code."""

from __future__ import annotations

import builtins
import io
import sys
from dataclasses import replace

import pikepdf
import pytest

from proscribe.directive.library import find, shipped_ids
from proscribe.publish.notices.model import Audience, PdfRefused, PdfUnavailable
from proscribe.publish.notices.pdf import available, pdf
from proscribe.text import Text

HOSTILE = (
    '#panic("x") $x^2$ @ref ] \\ *a* _b_ <label> // c /* d */ `code` #read("/etc/passwd") ${x} {{y}} = h',
    ']] #import "@preview/cetz:0.3.0": * [',
    '= #heading[] #sys.inputs #eval("1+1") \\u{41} ~ -- ...',
    "</script><script>alert(1)</script> & \"quotes\" 'single'",
    "- 1. + / Term: def",
)


def same(value: str) -> str:
    """Spaces are where a line breaks; what counts is every other character."""
    return "".join(value.split())


@pytest.fixture(params=shipped_ids())
def each(request):
    return find(request.param)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_shipped_directive_gives_accessible_files(each, make, read_pdf, language):
    for audience in Audience:
        notice = make(audience, each)
        read = read_pdf(pdf(notice, language))
        assert read.faults() == []
        assert str(read.root.Lang) == f"{language}-CA"
        title = read.file.docinfo["/Title"]
        assert str(title).endswith(notice.title.fr if language == "fr" else notice.title.en)
        types = read.types()
        assert types.count("H1") == 1
        assert types.count("H2") == len(notice.sections)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_written_can_be_read_out_in_its_order(directive, make, read_pdf, language):
    notice = make(Audience.departments, directive)
    read = read_pdf(pdf(notice, language))
    assert same(read.text("H1")) == same(getattr(notice.title, language))
    headings = "".join(getattr(one.heading, language) for one in notice.sections)
    assert same(read.text("H2")) == same(headings)
    table = notice.sections[1].table
    assert same(read.text("TH")) == same("".join(getattr(one, language) for one in table.columns))
    assert same(read.text("TD")) == same("".join(getattr(cell, language) for row in table.rows for cell in row))
    said = same(read.text())
    at = 0
    for section in notice.sections:
        for text in (section.heading, *section.paragraphs, *section.points, *section.closing):
            at = said.index(same(getattr(text, language)), at)


def test_the_address_is_a_link_with_words(directive, make, read_pdf):
    read = read_pdf(pdf(make(Audience.staff, directive), "en"))
    links = [one for page in read.file.pages for one in page.obj.get("/Annots", [])]
    assert {str(one.A.URI) for one in links} == {"mailto:mobile@example.org"}
    assert all(str(one.Contents) for one in links)
    assert same(read.text("Link")) == "mobile@example.org"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_title_becomes_markup_or_code(directive, make, read_pdf, hostile):
    both = Text(hostile, f"{hostile} (français)")
    changed = replace(
        directive,
        title=both,
        stated_reasons=(both,),
        items=tuple(replace(one, wording=both) for one in directive.items),
        authority=replace(directive.authority, body=both),
    )
    read = read_pdf(pdf(make(Audience.public, changed), "en"))
    assert read.faults() == []
    assert same(read.text("H1")) == same(hostile)
    assert same(read.text()).count(same(hostile)) >= 5
    assert str(read.file.docinfo["/Title"]).endswith(hostile)


def test_the_same_notice_gives_the_same_bytes_and_no_clock_is_read(directive, make, read_pdf):
    notice = make(Audience.staff, directive)
    made = pdf(notice, "en")
    assert made == pdf(notice, "en")
    read = read_pdf(made)
    assert str(read.file.docinfo["/CreationDate"]).startswith("D:20231020")
    assert made != pdf(replace(notice, at=notice.at.replace(year=2024)), "en")


def test_letters_that_no_font_has_are_refused_and_not_dropped(directive, make):
    changed = replace(directive, title=Text("抖音 barred", "抖音 interdit"))
    with pytest.raises(PdfRefused) as caught:
        pdf(make(Audience.public, changed), "en")
    assert "抖" in caught.value.what.en
    assert "HTML" in caught.value.remedy.en


def test_without_the_extra_the_error_names_it(directive, make, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "typst":
            raise ImportError(name)
        return real(name, *rest, **more)

    assert available()
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, "typst", raising=False)
    with pytest.raises(PdfUnavailable) as caught:
        pdf(make(Audience.public, directive), "en")
    assert "proscribe[pdf]" in caught.value.remedy.en
    assert "proscribe[pdf]" in caught.value.remedy.fr


def damaged(data: bytes, change) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as file:
        change(file.Root)
        out = io.BytesIO()
        file.save(out)
    return out.getvalue()


def untag_first_heading(root):
    def walk(node):
        if isinstance(node, pikepdf.Array):
            return any(walk(one) for one in node)
        if not isinstance(node, pikepdf.Dictionary) or "/S" not in node:
            return False
        if node.S == "/H1":
            node.S = pikepdf.Name.H3
            return True
        return "/K" in node and walk(node.K)

    assert walk(root.StructTreeRoot.K)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda root: root.__delitem__("/Lang"), "11-006"),
        (lambda root: root.__delitem__("/StructTreeRoot"), "01-005"),
        (lambda root: root.__delitem__("/MarkInfo"), "06-001"),
        (lambda root: root.__delitem__("/Metadata"), "06-002"),
        (lambda root: root.ViewerPreferences.__delitem__("/DisplayDocTitle"), "07-002"),
        (untag_first_heading, "14-003"),
    ],
)
def test_the_reader_of_these_tests_finds_faults(directive, make, read_pdf, change, fault):
    data = pdf(make(Audience.departments, directive), "en")
    assert any(one.startswith(fault) for one in read_pdf(damaged(data, change)).faults())
