"""Plain language, measured: short sentences, no jargon, people spoken to."""

from __future__ import annotations

import re
from dataclasses import replace
from statistics import mean

import pytest

from proscribe.publish.notices.gaps import texts
from proscribe.publish.notices.model import Audience
from proscribe.text import Text

# The words of others are theirs; what is measured are ours.
SHORT = Text("Short", "Court")


@pytest.fixture
def bare(directive):
    """A directive whose own words are all one word long."""
    return replace(
        directive,
        title=SHORT,
        instrument=SHORT,
        authority=replace(directive.authority, body=SHORT, decided_by=SHORT, legal_basis=(SHORT,)),
        applies=replace(directive.applies, devices=SHORT, entities=SHORT, exclusions=(SHORT,)),
        items=tuple(replace(one, wording=SHORT) for one in directive.items),
        actions=tuple(replace(one, what=SHORT) for one in directive.actions),
        stated_reasons=(SHORT,),
    )


def sentences(notice, language: str) -> list[list[str]]:
    """The words of each sentence; headings and labels are left out."""
    prose = [notice.lead]
    for section in notice.sections:
        prose += [*section.paragraphs, *section.points, *section.closing]
    found = []
    for text in prose:
        for sentence in re.split(r"(?<=[.?!:])\s+", getattr(text, language)):
            words = re.findall(r"[\w'-]+", sentence)
            if words:
                found.append(words)
    return found


@pytest.mark.parametrize("audience", Audience)
def test_sentences_are_short(bare, make, audience):
    english = [len(one) for one in sentences(make(audience, bare), "en")]
    french = [len(one) for one in sentences(make(audience, bare), "fr")]
    assert mean(english) <= 12
    assert mean(french) <= 13
    assert max(english) <= 22
    assert max(french) <= 26


def test_the_measure_sees_a_long_sentence(bare, make):
    notice = make(Audience.staff, bare)
    long = replace(notice, lead=Text("word " * 40 + ".", "mot " * 40 + "."))
    assert max(len(one) for one in sentences(long, "en")) == 40


@pytest.mark.parametrize("audience", [Audience.public, Audience.staff])
def test_no_jargon(bare, make, audience):
    words = " ".join(f"{text.en} {text.fr}" for _, text in texts("", make(audience, bare))).lower()
    for term in (
        *("mdm", "payload", "endpoint", "pursuant", "herein", "aforementioned", "utilize", "leverage", "supervised"),
        *("susmentionné", "ci-après", "aux fins de", "nonobstant", "subséquemment", "terminal", "superviser"),
    ):
        assert not re.search(rf"\b{term}\b", words), term


def test_staff_are_spoken_to(bare, make):
    english = sentences(make(Audience.staff, bare), "en")
    assert sum(bool({"you", "your", "You", "Your"} & set(one)) for one in english) >= 10
    french = sentences(make(Audience.staff, bare), "fr")
    assert sum(bool({"vous", "votre", "vos", "Vous", "Vos"} & set(one)) for one in french) >= 10
