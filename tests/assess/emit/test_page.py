"""The assessment as a minister, an engineer, a screen reader, a phone and an attacker meet it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.assess.emit.conftest import HOSTILE, assessment, inconclusive, ios
from tests.prove.test_report import Page, contrast

from proscribe.assess.emit import exposure_picture, words
from proscribe.assess.emit.page import APPENDIX, FOR_DECIDERS, page
from proscribe.assess.emit.page_style import style_sheet
from proscribe.assess.emit.picture import FILLS, HATCH
from proscribe.assess.emit.reading import reach
from proscribe.assess.model import Assessment
from proscribe.assess.profile import EvidenceKind, PackageFormat
from proscribe.assess.terms import (
    ActorKind,
    Area,
    Declaration,
    Extent,
    FactClass,
    Grant,
    Ladder,
    Rating,
    SignatureState,
)
from proscribe.page.style import PALETTE, TEXT_PAIRS
from proscribe.text import Language, Text

LANGUAGES: tuple[Language, ...] = ("en", "fr")
Rendered = tuple[Language, str, Page]


@pytest.fixture(scope="module", params=[(make, one) for make in (assessment, inconclusive, ios) for one in LANGUAGES])
def rendered(request: pytest.FixtureRequest) -> Rendered:
    make, language = request.param
    source = page(make(), language)
    return language, source, Page(source)


def text_of(source: str) -> str:
    return re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", source, flags=re.DOTALL))


# ---- for everybody -------------------------------------------------------------------------------------------------


def test_language_title_landmarks_and_skip_link(rendered: Rendered) -> None:
    language, source, parsed = rendered
    assert source.startswith("<!DOCTYPE html>")
    assert parsed.all("html")[0][1]["lang"] == f"{language}-CA"
    assert parsed.text("title").strip()
    for landmark in ("header", "nav", "main", "footer"):
        assert len(parsed.all(landmark)) == 1
    assert next(attributes for tag, attributes, _, _ in parsed.elements if tag == "a")["href"] == "#main"


def test_headings_in_order(rendered: Rendered) -> None:
    levels = [int(tag[1]) for tag, *_ in rendered[2].all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_every_reference_has_its_target(rendered: Rendered) -> None:
    _, source, parsed = rendered
    ids = Counter(attributes["id"] for _, attributes, _, _ in parsed.elements if attributes.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    referred = {name for value in re.findall(r'aria-labelledby="([^"]+)"', source) for name in value.split()}
    referred |= set(re.findall(r'href="#([^"]+)"', source)) | set(re.findall(r"url\(#([^)]+)\)", source))
    assert referred <= set(ids)


def test_tables_have_captions_scopes_and_even_rows(rendered: Rendered) -> None:
    tables = re.findall(r"<table.*?</table>", rendered[1], re.DOTALL)
    assert len(tables) >= 3
    for table in tables:
        part = Page(table)
        assert "".join(part.text("caption")).strip()
        assert all(attributes.get("scope") in ("col", "row") for _, attributes, _, _ in part.all("th"))
        assert len({row.count("<td ") + row.count("<th ") for row in re.findall(r"<tr.*?</tr>", table)}) == 1


def test_pictures_have_words_or_are_decoration(rendered: Rendered) -> None:
    pictures = re.findall(r"<svg.*?</svg>", rendered[1], re.DOTALL)
    assert any('class="phone"' in picture for picture in pictures)
    for picture in pictures:
        if 'aria-hidden="true"' in picture:
            assert "<text" not in picture
        else:
            assert 'role="img"' in picture
            assert re.search(r"<title id=[^>]+>[^<]+</title>", picture)
            assert re.search(r"<desc id=[^>]+>[^<]+</desc>", picture)


def test_nothing_is_loaded_and_nothing_runs(rendered: Rendered) -> None:
    _, source, parsed = rendered
    assert parsed.all("script", "link", "iframe", "object", "embed", "base", "form", "img") == []
    for _, attributes, _, _ in parsed.elements:
        assert not {"src", "srcset", "action", "background", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert all(value.startswith("#") for name, value in attributes.items() if name.endswith("href") and value)
    assert re.findall(r"url\((?!#)", source) == []
    assert "default-src 'none'" in source


def test_french_is_french(rendered: Rendered) -> None:
    language, source, _ = rendered
    said = text_of(source)
    if language == "fr":
        assert " :" not in re.sub(r"[ \n]+", " ", said)
        assert "What could not be seen" not in said
    else:
        assert "pas pu être vu" not in said


def test_the_same_assessment_gives_the_same_bytes(rich: Assessment) -> None:
    assert page(rich, "fr") == page(assessment(), "fr")


# ---- colour --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [*FILLS.values(), (HATCH[0], HATCH[2]), (HATCH[1], HATCH[2])])
def test_words_on_tiles_stand_out(pair: tuple[str, str]) -> None:
    assert contrast(*pair) >= 4.5


@pytest.mark.parametrize("ink", [exposure_picture.INK, exposure_picture.SOFT])
def test_words_of_the_second_picture_stand_out(ink: str) -> None:
    assert contrast(ink, PALETTE["paper"]) >= 4.5


def test_neighbouring_rungs_differ_without_colour() -> None:
    grey = [contrast(FILLS[ladder][0], "#000000") for ladder in sorted(Ladder)]
    assert all(lighter > darker for lighter, darker in pairwise(grey))


def test_own_rules_use_the_palette_in_pairs_that_are_measured() -> None:
    rules = style_sheet().split("}", 1)[1]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", rules) == []
    used = {name for pair in TEXT_PAIRS for name in pair}
    assert set(re.findall(r"(?<![-a-z])color:var\(--([a-z-]+)\)", rules)) <= used
    assert set(re.findall(r"fill:var\(--([a-z-]+)\)", rules)) <= set(PALETTE)


# ---- for whoever decides -------------------------------------------------------------------------------------------


def test_first_the_sentence_then_what_was_not_seen_then_the_picture(rich: Assessment) -> None:
    source = page(rich, "en")
    places = [
        source.index(mark)
        for mark in (
            "Yosemite can gain pervasive access to a device&#x27;s contents</h1>",
            '<li class="here"><b>pervasive</b>',
            rich.rating.because[0].en,
            "What could not be seen",
            "One of 3 code files could not be read",
            '<svg class="phone"',
            "<nav",
        )
    ]
    assert places == sorted(places)


def test_the_picture_says_what_the_table_says(rich: Assessment) -> None:
    source = page(rich, "en")
    phone = re.search(r'<svg class="phone".*?</svg>', source, re.DOTALL)
    assert phone is not None
    found = reach(rich)
    assert (len(found.reached), len(found.lesser), len(found.withheld), len(found.unseen)) == (9, 2, 1, 1)
    assert ">9 of 13<" in phone.group()
    kinds = Counter(re.findall(r'class="tile (\w+)"', phone.group()))
    counted = [row for row in rich.access if row.counts and row.ladder]
    empty = [row for row in rich.access if not row.ladder]
    assert kinds == {"counted": len(counted), "empty": len(empty), "withheld": 18 - len(counted) - len(empty)}
    table = source.split('id="access"')[1].split("</section>")[0]
    assert table.count('role="rowheader"') == 18
    for row in rich.access:
        assert words.AREAS[row.area].en.replace("'", "&#x27;") in table
    bars = re.findall(r'width="5.5" height="\d+" (fill="#|fill="none")', phone.group())
    assert bars.count('fill="#') == sum(row.ladder for row in rich.access)
    assert len(bars) == 4 * 18


def test_what_has_no_effect_says_why(rich: Assessment) -> None:
    table = page(rich, "en").split('id="access"')[1].split("</section>")[0]
    assert "no: not grantable" in table
    assert "no: set aside" in table
    undeclared = tuple(
        replace(row, counts=False, declaration=Declaration.not_declared) if row.area is Area.apps else row
        for row in rich.access
    )
    assert "no: not declared" in page(replace(rich, access=undeclared), "en")


def test_exposure_stands_apart_and_is_never_in_the_rating(rich: Assessment) -> None:
    source = page(rich, "en")
    exposure = source.split('id="exposure"')[1].split("</section>")[0]
    assert "never added up" in exposure
    assert "National Intelligence Law (2017)" in exposure
    assert "read the law at its source before relying on it" in exposure
    rating = source.split('id="rating"')[1].split("</section>")[0]
    assert "China" not in rating


def test_the_rating_names_rule_rubric_reasons_and_what_would_lower_it(rich: Assessment) -> None:
    rating = page(rich, "en").split('id="rating"')[1].split("</section>")[0]
    for expected in ("pervasive-1", "default", "No code loaded at run time: considerable", "A. Analyst, assessments"):
        assert expected in rating
    assert 'href="#finding-' in rating
    assert "not a score" in rating


def test_inconclusive_is_not_little_access() -> None:
    source = page(inconclusive(), "en")
    assert "could not be established" in source
    assert "not the same as little access" in source
    assert 'class="here"' not in source
    assert ">Not known<" in source
    assert "no sign" not in source.split('<ul class="legend">')[0]
    assert 'class="alarm"' in source
    assert "LOOK-ALIKE" in source
    assert "nobody: no valid signature was found" in source


def test_an_inconclusive_figure_is_a_least_one(rich: Assessment) -> None:
    unsure = replace(rich, rating=replace(rich.rating, rating=Rating.inconclusive))
    source = page(unsure, "fr")
    assert ">au moins 9 sur 13<" in source
    assert "en atteint au moins 9;" in source


def test_words_on_tiles_fit_them() -> None:
    for one, other in words.TILES.values():
        for text in (one, other):
            assert max(len(text.en), len(text.fr)) <= 15
    for table in (words.SHORT_GRANTS, words.SHORT_RUNGS):
        for text in table.values():
            assert max(len(text.en), len(text.fr)) <= 15
    for area in (*tuple(Area)[13:], Area.network):
        assert max(len(words.AREAS[area].en), len(words.AREAS[area].fr)) <= 26


# ---- for whoever checks --------------------------------------------------------------------------------------------


def test_every_finding_and_all_its_evidence_is_in_the_appendix(rich: Assessment) -> None:
    appendix = page(rich, "en").split('class="appendix"')[1]
    for finding in rich.findings:
        assert finding.id in appendix
        for evidence in finding.evidence:
            assert evidence.sha256[:12] in appendix
            assert evidence.sha256 in appendix
    for expected in ("createVirtualDisplay", ">42<", "T1513", "FDP_DEC_EXT.1.2", "Lcom/netease/nie/yosemite/screen"):
        assert expected in appendix
    assert "declared, no code found" in appendix
    assert "The test bench installs its own helpers." in appendix
    assert "Confirmed by the engineers on 2" in appendix


def test_everything_else_an_engineer_checks_is_there(rich: Assessment) -> None:
    appendix = page(rich, "en").split('class="appendix"')[1]
    certificate = rich.publisher.certificates[0]
    for expected in (
        certificate.sha256, certificate.subject, rich.publisher.claimed[0], "installed_data", "RSA 2048",
        "signature|privileged", "cannot be granted to a store app", "com.tencent.smtt", "cfg.imtt.qq.com",
        "zip.duplicate-name", rich.package.sha256, "apk-info", *(one.digest for one in rich.packs), rich.rubric.digest,
        "proscribe assess --recheck report.json app.apk",
    ):  # fmt: skip
        assert expected in appendix


def test_cut_lists_say_so(rich: Assessment) -> None:
    cut = replace(
        rich,
        findings=(replace(rich.findings[0], evidence_total=7),),
        exposure=replace(rich.exposure, hosts_total=900),
    )
    source = page(cut, "en")
    assert "Kept in the document: 1 of 7" in source
    assert f"({len(rich.exposure.hosts)} of 900)" in source


def test_parsers_that_disagree_are_shown() -> None:
    complete = page(inconclusive(), "en").split('id="complete"')[1].split("</section>")[0]
    assert "Where two parsers disagree" in complete
    assert "[U+202E]" in complete


def test_an_encrypted_app_of_a_store() -> None:
    source = page(ios(), "en")
    assert "team ABCDE12345" in source
    assert ">1 of 13<" in source
    assert "kinds of content that it asks for or names" in source
    nameless = page(replace(ios(), publisher=replace(ios().publisher, team_id="")), "en")
    assert "names no team" in nameless
    assert "nobody: no valid signature" not in nameless
    assert "NSCameraUsageDescription" in source
    assert "app.ipa" in source


# ---- for whoever attacks -------------------------------------------------------------------------------------------


def test_words_of_the_package_cannot_deceive(rendered: Rendered) -> None:
    _, source, _ = rendered
    assert "<script" not in source
    assert not set("\u202e\u200b\x1b\u2066") & set(source)


def test_hostile_words_everywhere_a_package_can_put_them(rich: Assessment) -> None:
    evil = Text(HOSTILE, HOSTILE)
    finding = replace(
        rich.findings[1],
        evidence=tuple(
            replace(one, subject=HOSTILE, caller=HOSTILE, member=HOSTILE, detail=HOSTILE)
            for one in rich.findings[1].evidence
        ),
    )
    certificate = replace(rich.publisher.certificates[0], subject=HOSTILE, issuer=HOSTILE)
    changed = replace(
        rich,
        app_name=HOSTILE,
        app_id=HOSTILE,
        version=HOSTILE,
        build=HOSTILE,
        findings=(finding, *rich.findings[2:]),
        permissions=(replace(rich.permissions[0], name=HOSTILE, protection=HOSTILE, why=evil),),
        publisher=replace(rich.publisher, certificates=(certificate,)),
        hidden=(evil,),
    )
    for language in LANGUAGES:
        source = page(changed, language)
        assert "<script" not in source
        assert not set("\u202e\u200b\x1b") & set(source)
        assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;[U+202E]gpj.exe[U+001B]" in source


def test_half_a_surrogate_pair_can_be_written(rich: Assessment) -> None:
    page(replace(rich, app_name="a\ud800b"), "en").encode("utf-8")


# ---- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (Rating, words.RATINGS), (Area, words.AREAS), (Ladder, words.RUNGS), (Ladder, words.SHORT_RUNGS),
        (Ladder, words.MEANINGS), (Grant, words.GRANTS), (Grant, words.SHORT_GRANTS),
        (Declaration, words.DECLARATIONS), (ActorKind, words.ACTORS), (FactClass, words.FACT_CLASSES),
        (Extent, words.EXTENTS), (SignatureState, words.SIGNATURES), (EvidenceKind, words.EVIDENCE),
        (PackageFormat, words.FORMATS),
    ],
)  # fmt: skip
def test_every_term_has_its_words(kind: type, table: dict) -> None:
    assert set(table) == set(kind)


def test_every_section_has_a_heading_in_both_languages() -> None:
    for _, heading, _ in (*FOR_DECIDERS, *APPENDIX):
        assert heading.en != heading.fr
