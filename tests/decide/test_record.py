"""The record of a decision: complete, frozen, and in its public edition without what is not public."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.decide.conftest import ALL_OWN, OPENED, Story, contested, interim, notified, register, road_stages, said

from proscribe.canonical import digest_bytes, digest_json
from proscribe.decide.model import ReviewOutcome, Stage
from proscribe.decide.pages import html, markdown
from proscribe.decide.record import NotDecided, record, record_json
from proscribe.text import Text


def decided(story: Callable[..., Story]) -> Story:
    """A case with two sides, a paper that is not public and context of analysts."""
    one = story().until(Stage.intake)
    first = register()
    hidden = replace(first.items[0], id="e2", title=said("Secret sheet"), marking="Protected B", public=False)
    one.take(Stage.assess, {"evidence": replace(first, items=(*first.items, hidden))})
    one.until(Stage.targets, Stage.impact)
    day = one.now.date()
    two_sided = replace(contested(), items=(*first.items, hidden))
    record = replace(
        notified(day, due=day.replace(day=28), replied=day),
        meetings=(said("A call"),),
    )
    one.take(Stage.vendor, {"vendor": record, "evidence": two_sided})
    opinion: Any = one.made(Stage.reviews)["review.privacy"]
    bound = replace(
        opinion, outcome=ReviewOutcome.with_conditions, conditions=(said("Counts only"),), reference="PIA-7"
    )
    one.take(Stage.reviews, {"review.privacy": bound})
    decision: Any = one.made(Stage.decide)["decision"]
    whole = replace(
        decision,
        at=one.now + timedelta(days=1),
        answers=(said("Only counts are kept"),),
        analyst_context=(said("Press reports say more"),),
    )
    one.take(Stage.decide, {"decision": whole})
    return one


def test_everything_that_was_known_is_in_it(story: Callable[..., Story]) -> None:
    text = markdown(record(decided(story).file), "en")
    for words in (
        "It asks first", "It asks once, for everything", "That anything was taken", "We looked again", "A call",
        "Counts only", "PIA-7", "Only counts are kept", "Press reports say more", "Secret sheet", "Policy on Service",
        "Protected B", "not known", "Chief Information Officer", "2026-11-28",
    ):  # fmt: skip
        assert words in text, words
    french = markdown(record(decided(story).file), "fr")
    assert "L'autre partie" in french
    assert "It asks first. (fr)" not in french
    assert "\u00a0:**" in french


def test_the_public_edition_says_what_it_leaves_out(story: Callable[..., Story]) -> None:
    one = decided(story)
    for write in (markdown, html):
        text = write(record(one.file, public=True), "en")
        assert "Secret sheet" not in text
        assert "Press reports" not in text
        assert "Items that are not public and left out here: 1" in text
        assert "It asks first" in text


def test_nothing_that_came_later_is_in_it(story: Callable[..., Story]) -> None:
    one = decided(story)
    then = (record_json(one.file), markdown(record(one.file), "en"), html(record(one.file), "fr"))
    one.until(*ALL_OWN[7:])
    later: Any = one.file.current("evidence")
    newer = replace(later, version=3, claims=(replace(later.claims[0], weighed=said("Weighed anew")),))
    one.take(Stage.review, {"evidence": newer})
    assert (record_json(one.file), markdown(record(one.file), "en"), html(record(one.file), "fr")) == then
    assert "Weighed anew" not in then[1]


def test_the_json_holds_every_document_under_its_digest(story: Callable[..., Story]) -> None:
    one = decided(story)
    body = json.loads(record_json(one.file))
    named = {item["digest"] for step in body["steps"] for item in step["documents"]}
    assert named == set(body["documents"])
    assert all(digest_json(document) == key for key, document in body["documents"].items())
    assert len(body["steps"]) == 7


def test_each_decision_has_a_record_of_its_own(story: Callable[..., Story]) -> None:
    case = interim()
    order = road_stages(case)
    one = story(case).until(*order)
    first, confirmed = record(one.file), record(one.file, len(order))
    assert first.head != confirmed.head
    assert "Stands until" in markdown(first, "en")
    assert "Stands until" not in markdown(confirmed, "en")
    for number in (1, 99):
        with pytest.raises(NotDecided):
            record(one.file, number)
    with pytest.raises(NotDecided):
        record(story().until(*ALL_OWN[:6]).file)


class Outline(HTMLParser):
    """Headings, tags and ids of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]


def test_the_page_runs_nothing_and_has_an_outline(story: Callable[..., Story]) -> None:
    page = html(record(decided(story).file), "fr")
    outline = Outline()
    outline.feed(page)
    headings = [int(tag[1]) for tag in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))
    assert len(set(outline.ids)) == len(outline.ids)
    assert not {"script", "img", "link", "iframe"} & set(outline.tags)
    assert '<html lang="fr-CA">' in page


def test_words_of_others_never_become_markup(story: Callable[..., Story]) -> None:
    hostile = Text("<script>alert(1)</script> # x | [a](b)\n- c", "1. <b>é</b> *x* _y_")
    one = story(replace(interim(), title=hostile, concern=hostile)).until(*road_stages(interim())[:4])
    made = record(one.file)
    assert "<script>" not in html(made, "en")
    assert "<b>" not in html(made, "fr")
    text = markdown(made, "en")
    assert "<script>" not in text.replace("\\<", "")
    assert "\n- c" not in text
    assert "\n1\\. " in markdown(made, "fr")


def test_the_digest_of_its_last_step_is_on_it(story: Callable[..., Story]) -> None:
    made = record(decided(story).file)
    assert made.head in markdown(made, "en")
    assert made.head in html(made, "en")
    assert made.head != digest_bytes(b"")
    assert made.decided_at > OPENED


def test_a_claim_that_rests_on_secret_evidence_alone_is_not_told_to_the_public(story: Callable[..., Story]) -> None:
    one = story().until(Stage.intake)
    first = register()
    secret = replace(first.items[0], id="e2", marking="Secret", public=False, supports=("agent",))
    claims = (*first.claims, replace(first.claims[0], id="agent", text=said("An agent saw it")))
    one.take(Stage.assess, {"evidence": replace(first, items=(*first.items, secret), claims=claims)})
    one.until(Stage.targets, Stage.impact)
    day = one.now.date()
    heard = notified(day, due=day.replace(day=28), replied=day)
    known = replace(heard.responses[0], claim="agent", vendor_says=said("Which agent"))
    one.take(Stage.vendor, {"vendor": replace(heard, responses=(*heard.responses, known))})
    one.until(Stage.reviews, Stage.decide)
    for write in (markdown, html):
        text = write(record(one.file, public=True), "en")
        assert "agent" not in text
        assert "Claims that no public item supports, left out here: 1" in text
        assert "An agent saw it" in write(record(one.file), "en")
