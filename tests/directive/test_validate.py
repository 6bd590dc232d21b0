"""Every flaw that the checks find, each with its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from proscribe.catalogue.model import Selector, SelectorKind
from proscribe.directive.model import ActionVerb, Compromise, ExceptionRules, RequiredAction, Stance, State
from proscribe.directive.validate import validate
from proscribe.terms import Enrolment
from proscribe.text import Text

WORDS = Text("Words in English here", "Des mots en français")


def action(**fields):
    return (RequiredAction(ActionVerb.remove, WORDS, **fields),)


@pytest.fixture
def fields(catalogue, now):
    """The fields at fault of a directive."""
    return lambda directive: {flaw.field for flaw in validate(directive, catalogue, now=now)}


def test_none(wechat, fields):
    assert fields(wechat) == set()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "Not An Id"}, "id"),
        ({"version": 0}, "version"),
        ({"supersedes": "ca-tbs-2023-wechat-kaspersky"}, "supersedes"),
        ({"title": Text("", "Titre")}, "title.en"),
        ({"title": Text("Title", "  ")}, "title.fr"),
        ({"title": Text("The same words once again", "The same words once again")}, "title.fr"),
        ({"title": Text("[Title]", "[Titre]")}, "title"),
        ({"effective": date(2023, 10, 29)}, "effective"),
        ({"review_on": date(2023, 10, 30)}, "review_on"),
        ({"expires_on": date(2020, 1, 1)}, "expires_on"),
        ({"actions": action(by=date(2023, 10, 1))}, "actions[0].by"),
        ({"actions": action(days=30, by=date(2023, 11, 30))}, "actions[0].by"),
        ({"actions": action(days=-1)}, "actions[0].days"),
        ({"actions": action(time_zone="America/Nowhere")}, "actions[0].time_zone"),
        ({"actions": action(time_zone="../etc/passwd")}, "actions[0].time_zone"),
        ({"actions": ()}, "actions"),
        ({"items": ()}, "items"),
        ({"exceptions": ExceptionRules(stated=True, max_days=366)}, "exceptions.max_days"),
        ({"exceptions": ExceptionRules(stated=True, max_days=0)}, "exceptions.max_days"),
        ({"exceptions": ExceptionRules(stated=False, grounds=(WORDS,))}, "exceptions.stated"),
        ({"compromise_basis": None}, "compromise_basis"),
        ({"analyst_context": (WORDS,), "stated_reasons": (WORDS,)}, "stated_reasons[0]"),
        ({"sources": ()}, "sources"),
    ],
)  # fmt: skip
def test_a_flaw_names_its_field(wechat, fields, change, field):
    assert field in fields(replace(wechat, **change))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"platforms": ()}, "applies.platforms"),
        ({"enrolments": ()}, "applies.enrolments"),
        ({"byod": Stance.included}, "applies.enrolments"),
        ({"enrolments": (Enrolment.fully_managed, Enrolment.byod)}, "applies.enrolments"),
    ],
)
def test_scope(wechat, fields, change, field):
    assert field in fields(replace(wechat, applies=replace(wechat.applies, **change)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"selectors": ()}, "items[0].selectors"),
        ({"publisher": "tensent"}, "items[0].publisher"),
        ({"selectors": (Selector(SelectorKind.product, "tencent/wechatt"),)}, "items: product:tencent/wechatt"),
        ({"selectors": (Selector(SelectorKind.glob, "com.android.settings"),)}, "items: com.android.settings"),
        ({"selectors": (Selector(SelectorKind.glob, "com.google.android.*"),)}, "items: com.google.android.*"),
        ({"selectors": (Selector(SelectorKind.team, "88L2Q4487U"),)}, "items"),
    ],
)
def test_items(wechat, fields, change, field):
    item = replace(wechat.items[0], **change)
    assert field in fields(replace(wechat, items=(item,)))


def test_a_ban_by_name_alone_is_allowed(wechat, fields):
    item = replace(wechat.items[0], selectors=(Selector(SelectorKind.name, "Some App"),))
    assert fields(replace(wechat, items=(item,))) == set()


def test_jurisdiction_and_source_kind(wechat, fields):
    assert "authority.jurisdiction" in fields(
        replace(wechat, authority=replace(wechat.authority, jurisdiction="Canada"))
    )
    spoilt = replace(wechat.sources[0], kind="rumour", url=" ")
    assert {"sources[0].kind", "sources[0].url"} <= fields(replace(wechat, sources=(spoilt,)))


def test_words_in_brackets_may_stay_in_a_draft(wechat, fields):
    draft = replace(wechat, state=State.draft, title=Text("[Title]", "[Titre]"))
    assert fields(draft) == set()


def test_right_dates_pass(wechat, fields):
    good = action(days=30, by=date(2023, 11, 29), time_zone="America/Toronto")
    assert fields(replace(wechat, actions=good, review_on=date(2024, 4, 30), expires_on=date(2025, 1, 1))) == set()
    assert fields(replace(wechat, announced=None, effective=None, actions=good)) == set()


def test_not_addressed_needs_no_basis(wechat, fields):
    silent = replace(wechat, compromise_found=Compromise.not_addressed, compromise_basis=None)
    assert fields(silent) == set()


def test_every_flaw_has_a_remedy_in_both_languages(wechat, catalogue):
    spoilt = replace(wechat, id="X X", version=0, actions=(), sources=(), items=())
    found = validate(spoilt, catalogue)
    assert len(found) >= 5
    for flaw in found:
        assert flaw.what.en
        assert flaw.what.fr
        assert flaw.remedy.en
        assert flaw.remedy.fr
