"""The report as a reader, a screen reader, a phone and a printer meet it (WCAG 2.1 AA, by the standard library)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from proscribe.canonical import Digest
from proscribe.directive.model import AttachedAssessment, Compromise, Force, Quote, State
from proscribe.enforce.model import Outcome
from proscribe.inventory.model import Visibility
from proscribe.page.markup import Pen
from proscribe.page.style import PALETTE, TEXT_PAIRS, style_sheet
from proscribe.plan.model import RefusalReason
from proscribe.plan.reasons import REASONS
from proscribe.prove import report_words as words
from proscribe.prove.bundle import BundleInputs, report_data
from proscribe.prove.charts import convergence
from proscribe.prove.evidence import HistoryPoint, tally
from proscribe.prove.report import SECTIONS, render
from proscribe.prove.report_model import GROUP_COLOURS, STYLES, Group, ReportData
from proscribe.terms import Enrolment, Platform
from proscribe.text import Language, Text

LANGUAGES: tuple[Language, ...] = ("en", "fr")
VOID = {"meta", "link", "br", "wbr", "img", "hr", "input", "rect", "path", "line", "circle"}


class Page(HTMLParser):
    """Elements with their attributes, their text and their ancestors."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str], list[str]]] = []
        self._open: list[int] = []
        self.feed(source)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        path = [self.elements[at][0] for at in self._open]
        self.elements.append((tag, dict(attrs), [], path))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), [], [self.elements[at][0] for at in self._open]))

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for at in self._open:
            self.elements[at][2].append(data)

    def all(self, *tags: str) -> list[tuple[str, dict[str, str | None], list[str], list[str]]]:
        return [element for element in self.elements if element[0] in tags]

    def text(self, tag: str) -> str:
        return " ".join(self.all(tag)[0][2])


@pytest.fixture(scope="module")
def data(large_inputs: BundleInputs) -> ReportData:
    return report_data(large_inputs)


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request: pytest.FixtureRequest, data: ReportData) -> tuple[Language, str, Page]:
    source = render(data, request.param)
    return request.param, source, Page(source)


Rendered = tuple[Language, str, Page]


def test_language_title_and_landmarks(page: Rendered) -> None:
    language, source, parsed = page
    assert source.startswith("<!DOCTYPE html>")
    assert parsed.all("html")[0][1]["lang"] == f"{language}-CA"
    assert parsed.text("title").strip()
    for landmark in ("header", "nav", "main", "footer"):
        assert len(parsed.all(landmark)) == 1
    skip = next(attributes for tag, attributes, _, _ in parsed.elements if tag == "a")
    assert skip["href"] == "#main"
    assert parsed.all("nav")[0][1]["aria-label"]


def test_headings_in_order(page: Rendered) -> None:
    levels = [int(tag[1]) for tag, *_ in page[2].all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_every_reference_has_its_target(page: Rendered) -> None:
    _, source, parsed = page
    ids = Counter(attributes["id"] for _, attributes, _, _ in parsed.elements if attributes.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    referred = {name for value in re.findall(r'aria-labelledby="([^"]+)"', source) for name in value.split()}
    referred |= set(re.findall(r'href="#([^"]+)"', source)) | set(re.findall(r"url\(#([^)]+)\)", source))
    assert referred <= set(ids)


def test_tables_have_captions_scopes_and_keep_their_roles(page: Rendered) -> None:
    _, source, parsed = page
    assert len(parsed.all("table")) >= 6
    for table in re.findall(r"<table.*?</table>", source, re.DOTALL):
        part = Page(table)
        assert "".join(part.text("caption")).strip()
        assert all(attributes.get("scope") in ("col", "row") for _, attributes, _, _ in part.all("th"))
        assert all(
            attributes.get("role") for _, attributes, _, _ in part.all("table", "tr", "th", "td", "thead", "tbody")
        )
        widths = {row.count("<td ") + row.count("<th ") for row in re.findall(r"<tr.*?</tr>", table)}
        assert len(widths) == 1


def test_pictures_have_words_or_are_decoration(page: Rendered) -> None:
    _, source, parsed = page
    assert parsed.all("img") == []
    pictures = re.findall(r"<svg.*?</svg>", source, re.DOTALL)
    assert len([one for one in pictures if 'role="img"' in one]) >= 5
    for picture in pictures:
        if 'aria-hidden="true"' in picture:
            assert "<text" not in picture
            continue
        assert 'role="img"' in picture
        assert re.search(r"<title id=[^>]+>[^<]+</title>", picture)
        assert re.search(r"<desc id=[^>]+>[^<]+</desc>", picture)


def test_nothing_is_loaded_and_nothing_runs(page: Rendered) -> None:
    _, source, parsed = page
    assert parsed.all("script", "link", "iframe", "object", "embed", "base", "form") == []
    for _, attributes, _, _ in parsed.elements:
        assert not {"src", "srcset", "action", "background"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert all(
            value.startswith("#") for name, value in attributes.items() if name in ("href", "xlink:href") and value
        )
    assert "@import" not in source
    assert re.findall(r"url\((?!#)", source) == []
    assert "default-src 'none'" in source


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("pair", TEXT_PAIRS)
def test_text_stands_out_from_its_background(pair: tuple[str, str]) -> None:
    assert contrast(PALETTE[pair[0]], PALETTE[pair[1]]) >= 4.5


@pytest.mark.parametrize("colour", [*GROUP_COLOURS.values(), *(style.colour for style in STYLES.values())])
def test_lines_labels_and_fills_stand_out_from_the_page(colour: str) -> None:
    # Labels of lines are text in the colour of their group; fills need 3:1 and get more.
    assert contrast(colour, PALETTE["paper"]) >= (4.5 if colour in GROUP_COLOURS.values() else 3.0)


def test_the_style_sheet_uses_the_palette_and_nothing_else() -> None:
    rules = style_sheet().split("}", 1)[1]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", rules) == []
    assert set(re.findall(r"var\(--([a-z-]+)\)", rules)) <= set(PALETTE)
    used = {name for pair in TEXT_PAIRS for name in pair}
    assert set(re.findall(r"(?<![-a-z])color:var\(--([a-z-]+)\)", rules)) <= used


def test_what_could_not_be_seen_comes_before_what_was_reached() -> None:
    order = [name for name, _, _ in SECTIONS]
    assert order.index("not-seen") < order.index("outcomes") < order.index("departments")


def test_counts_in_the_report_add_up_to_the_fleet(data: ReportData) -> None:
    source = render(data, "en")
    table = source.split('id="outcomes"')[1].split("</table>")[0]
    numbers = [int(value.replace(",", "")) for value in re.findall(r'data-label="Devices">([\d,]+)<', table)]
    assert numbers[-1] == data.counts.fleet == sum(numbers[:-1])
    for outcome, devices in data.counts.by_outcome.items():
        assert words.OUTCOMES[outcome].name.en in table
        assert f">{devices:,}<" in table


def test_only_stated_reasons_and_both_languages_complete(data: ReportData) -> None:
    english, french = render(data, "en"), render(data, "fr")
    assert "considerable access" in english
    assert "accès considérable" in french
    for source in (english, french):
        assert "SECRET" not in source
        assert "{" not in re.sub(r"<style>.*?</style>", "", source, flags=re.DOTALL)
    assert "Lantern Chat" in french
    assert "\u00a0:" in french
    assert " :" not in re.sub(r"<[^>]*>", "", re.sub(r"<style>.*?</style>", "", french, flags=re.DOTALL))


def test_words_of_others_are_escaped(data: ReportData) -> None:
    hostile = Text('<script>alert("x")</script>', "<script>alert('x')</script>")
    changed = replace(
        data, organisation=hostile, directive=replace(data.directive, title=hostile, stated_reasons=(hostile,))
    )
    for language in LANGUAGES:
        assert "<script" not in render(changed, language)


def test_every_term_has_words_in_both_languages() -> None:
    tables: list[tuple[Any, dict[Any, Any]]] = [
        (Outcome, words.OUTCOMES),
        (Group, words.GROUPS),
        (Enrolment, words.ENROLMENTS),
        (Platform, words.PLATFORMS),
        (Visibility, words.VISIBILITY),
        (RefusalReason, REASONS),
        (Force, words.FORCE),
        (State, words.STATES),
        (Compromise, words.COMPROMISE),
    ]
    for kind, table in tables:
        assert set(table) == set(kind)
    for outcome, said in words.OUTCOMES.items():
        assert (said.next is None) == outcome.compliant
        assert said.name.fr
        assert said.meaning.fr


def test_a_report_before_anything_was_done(data: ReportData) -> None:
    bare = replace(
        data,
        plan=None,
        plan_digest=None,
        counts=tally(data.directive.id, ()),
        history=(),
        coverage=(),
        exemptions=(),
        snapshots=(),
        tree_head=None,
        directive=replace(data.directive, effective=None, stated_reasons=()),
    )
    english = Page(render(bare, "en"))
    text = english.text("main")
    assert "nothing was sent" in text
    assert "None were stated." in text
    assert "the text states no date" in text
    assert "not yet two assessments" in text
    assert "no inventory behind this report" in text
    assert "None were granted." in text
    Page(render(bare, "fr"))


def test_a_plan_that_sends_and_refuses_nothing(data: ReportData) -> None:
    assert data.plan is not None
    text = Page(render(replace(data, plan=replace(data.plan, waves=(), refusals=())), "en")).text("main")
    assert "The plan sends nothing." in text
    assert "The plan refused nothing." in text


def test_a_long_list_of_refusals_says_what_it_leaves_out(data: ReportData) -> None:
    assert data.plan is not None
    one = data.plan.refusals[1]
    many = tuple(replace(one, what=Text(f"identifier {number}", f"identifiant {number}")) for number in range(20))
    source = render(replace(data, plan=replace(data.plan, refusals=many)), "en")
    assert "identifier 5" in source
    assert "identifier 6" not in source
    assert "14 more are in the plan itself" in source


def test_a_refusal_that_stops_the_plan_comes_first_and_says_so(data: ReportData) -> None:
    assert data.plan is not None
    first, *rest = data.plan.refusals
    refusals = (first, *(replace(refusal, blocks=True, devices=()) for refusal in rest[:1]))
    source = render(replace(data, plan=replace(data.plan, refusals=refusals)), "fr")
    table = source.split('id="refusals"')[1].split("</table>")[0]
    assert table.index("arrête le plan") < table.index(REASONS[first.reason].fr)
    assert table.count("arrête le plan") == 1


def test_every_outcome_present_leaves_no_line_of_absent_ones(data: ReportData) -> None:
    by_outcome = dict.fromkeys(Outcome, 1)
    counts = replace(data.counts, by_outcome=by_outcome, fleet=len(Outcome))
    assert "No device is in any of these states" not in render(replace(data, counts=counts), "en")


def test_small_departments_are_named_as_such(large_inputs: BundleInputs) -> None:
    source = render(report_data(replace(large_inputs, small_cell_floor=20)), "fr")
    assert "moins de 20 appareils" in source
    assert "Archives" not in source


def test_a_long_history_is_thinned_to_its_ends(data: ReportData) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    points = tuple(HistoryPoint(start + timedelta(days=day), {Outcome.failed: day}) for day in range(100))
    source = render(replace(data, history=points), "en")
    assert "(24 of 100 shown)" in source
    assert 'datetime="2026-01-01T00:00:00Z"' in source
    assert 'datetime="2026-04-10T00:00:00Z"' in source


@pytest.mark.parametrize(
    ("span", "tick"),
    [
        (timedelta(hours=5), r">\d\d:\d\d<"),
        (timedelta(days=3), r">\d\d-\d\d, \d\d:\d\d<"),
        (timedelta(days=30), r">\d\d-\d\d<"),
        (timedelta(days=900), r">\d{4}-\d\d<"),
    ],
)
def test_the_time_axis_fits_its_span(span: timedelta, tick: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    points = [HistoryPoint(start, {Outcome.failed: 3}), HistoryPoint(start + span, {Outcome.absent_verified: 3})]
    drawn = convergence(Pen("en"), points, 3)
    assert len(re.findall(tick, drawn)) == 8  # five on the wide picture, three on the narrow


def test_labels_of_lines_never_cover_each_other() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    same = dict.fromkeys((Outcome.failed, Outcome.exempt, Outcome.stale, Outcome.pending_sync), 1)
    points = [HistoryPoint(start + timedelta(hours=hour), same | {Outcome.contained: 1}) for hour in range(2)]
    drawn = convergence(Pen("fr"), points, 5)
    for picture in re.findall(r"<svg.*?</svg>", drawn):
        heights = sorted(float(at) for at in re.findall(r'y="([\d.]+)" class="series"', picture))
        assert len(heights) == 5
        assert all(after - before >= 16.9 for before, after in pairwise(heights))


@pytest.mark.parametrize(
    ("part", "whole", "en", "fr"),
    [
        (0, 5000, "0%", "0\u00a0%"),
        (1, 5000, "<0.1%", "<\u00a00,1\u00a0%"),
        (4999, 5000, ">99.9%", ">\u00a099,9\u00a0%"),
        (5000, 5000, "100%", "100\u00a0%"),
        (613, 5000, "12.3%", "12,3\u00a0%"),
        (0, 0, "–", "–"),
    ],
)
def test_a_share_never_rounds_to_all_or_none(part: int, whole: int, en: str, fr: str) -> None:
    assert (Pen("en").share(part, whole), Pen("fr").share(part, whole)) == (en, fr)


def test_dates_in_words() -> None:
    assert Pen("fr").day(date(2026, 8, 1)) == "1er\u00a0août\u00a02026"
    assert Pen("en").day(date(2026, 8, 1)) == "1\u00a0August\u00a02026"
    assert "15\u00a0h\u00a007" in Pen("fr").moment(datetime(2026, 8, 1, 15, 7, tzinfo=UTC))


def test_assessments_are_named_and_only_what_was_released_is_quoted(data: ReportData) -> None:
    assert "assessments of the app" not in render(data, "en").lower()
    quote = Quote("PSB-A-SCREEN-01@app", Text("Can <b>record", "Peut <b>enregistrer"), Text("Static.", "Statique."))
    one = AttachedAssessment(Digest("sha256:" + "a" * 64), "b" * 64, "com.example", "1.2", "pervasive", (quote,))
    page = render(replace(data, directive=replace(data.directive, assessments=(one,))), "fr")
    assert "com.example 1.2" in page
    assert "généralisé" in page
    assert "Peut &lt;b&gt;enregistrer Statique." in page
    unknown = replace(one, rating="a word of another release", quotes=())
    assert "another release" in render(replace(data, directive=replace(data.directive, assessments=(unknown,))), "en")
