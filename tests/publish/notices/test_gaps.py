"""Both languages or no notice: every gap, by its field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proscribe.directive.library import shipped
from proscribe.publish.notices.gaps import gaps_of, tidy
from proscribe.publish.notices.model import Audience, NoticeIncomplete
from proscribe.text import Text


@pytest.mark.parametrize("directive", shipped(), ids=lambda one: one.id)
def test_nothing_is_found_in_texts_that_people_translated(directive):
    assert gaps_of("directive", directive) == []


@pytest.mark.parametrize(
    ("english", "french", "field"),
    [
        ("The app reads contacts", "", ".fr"),
        ("", "L'application lit les contacts", ".en"),
        ("   ", "L'application lit les contacts", ".en"),
        ("The app reads contacts", "The app reads contacts", ""),
        ("The app reads contacts", "The app is reading your contacts", ""),
        ("L'application lit les contacts", "L'application lit vos contacts", ""),
        ("Approved by 12 offices of the state", "Approuvé par 13 bureaux de l'État", ""),
        ("Until 30 October 2023", "Jusqu'au 30 octobre 2024", ""),
        ("The app collects far more of what is on a telephone than anybody needs it to", "À traduire", ""),
        ("Remove the app\u202e now", "Retirez l'application maintenant", ".en"),
        ("Remove the app now", "Retirez l'application\u200b maintenant", ".fr"),
    ],
)
def test_what_keeps_a_text_from_going_out(english, french, field):
    found = gaps_of("title", Text(english, french))
    assert [one.field for one in found] == [f"title{field}"]


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("TikTok", "TikTok"),
        ("Android 14", "Android 14"),
        ("Documentation", "Documentation"),
        ("5,000 devices of the state", "5\u00a0000 appareils de l'État"),
        ("Office of Management and Budget", "Office of Management and Budget, États-Unis"),
        ("By 1 March 2024", "Au plus tard le 1er mars 2024"),
        ("It has 2 parts", "Elle comporte deux parties"),
    ],
)
def test_what_may_be_the_same_or_differ(english, french):
    assert gaps_of("title", Text(english, french)) == []


def test_every_gap_is_named_at_once(directive, make):
    broken = replace(
        directive,
        title=Text(directive.title.en, ""),
        stated_reasons=(directive.stated_reasons[0], Text("The app is slow", "The app is slow")),
        actions=(replace(directive.actions[0], what=Text("", "Retirer les applications")), *directive.actions[1:]),
        effective=None,
    )
    with pytest.raises(NoticeIncomplete) as caught:
        make(Audience.public, broken)
    fields = [one.field for one in caught.value.gaps]
    assert fields == [
        "directive.effective",
        "directive.title.fr",
        "directive.actions[0].what.en",
        "directive.stated_reasons[1]",
    ]
    for field in fields:
        assert field in caught.value.what.en
        assert field in caught.value.what.fr
    assert "4 champs" in caught.value.what.fr


def test_what_a_notice_does_not_say_cannot_keep_it(directive, make):
    broken = replace(directive, analyst_context=(Text("Only in English", ""),), vendor_response=Text("", ""))
    assert make(Audience.public, broken).title == directive.title


def test_an_empty_directive_is_refused_by_field(directive, make):
    with pytest.raises(NoticeIncomplete) as caught:
        make(Audience.staff, replace(directive, items=(), actions=(), stated_reasons=()))
    assert {"directive.items", "directive.actions", "directive.stated_reasons"} <= {
        one.field for one in caught.value.gaps
    }


def test_folded_lines_become_one(directive, make):
    folded = replace(directive, title=Text("One title\n  on two lines", "Un titre\r\n sur deux lignes"))
    assert make(Audience.public, folded).title == Text("One title on two lines", "Un titre sur deux lignes")
    assert tidy(Text(" a\u2028b ", "a\u00a0:\tb")) == Text("a b", "a\u00a0: b")
