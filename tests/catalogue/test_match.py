"""How an installed app is recognised, kind by kind."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import pytest

from proscribe.catalogue.match import Matcher, sought
from proscribe.catalogue.model import AppIdentity, Confidence, MatchKind, Selector, SelectorKind
from proscribe.catalogue.resolve import resolve
from proscribe.terms import Platform

TIKTOK_CERTIFICATE = "9041803e91bcb814b4b4399fb5c85a91640b755e5e8ba76813814bf4cf2ab5ba"


@pytest.fixture(scope="module")
def matcher(resolved):
    return Matcher(
        [
            resolved("product:tencent/wechat", "suite:kaspersky/suite", "glob:com.kaspersky.*", directive="canada"),
            resolved("suite:bytedance/tiktok-family", directive="tiktok"),
        ]
    )


def only(matcher, *args, **kwargs):
    found = matcher.match(AppIdentity(*args, **kwargs))
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("platform", "app_id"),
    [
        (Platform.android, "com.tencent.mm"),
        (Platform.ios, "com.tencent.xin"),
        (Platform.ios, "COM.Tencent.XIN"),  # bundle ids are compared without case
        (Platform.macos, "com.tencent.xinWeChat"),
    ],
)
def test_exact_identifier(matcher, platform, app_id):
    found = only(matcher, platform, app_id, name="WeChat")
    assert found.kind is MatchKind.exact_id
    assert found.product == "tencent/wechat"
    assert found.actionable
    assert found.confidence is Confidence.high


@pytest.mark.parametrize(
    ("platform", "app_id"),
    [
        (Platform.android, "com.tencent.MM"),  # Android package names differ by case
        (Platform.ios, "com.tencent.mm"),  # an Android name on iOS is another app
        (Platform.android, "com.tencent.mm.plugin"),
        (Platform.windows, "com.tencent.mm"),
        (Platform.android, ""),
    ],
)
def test_no_match(matcher, platform, app_id):
    assert matcher.match(AppIdentity(platform, app_id)) == ()


def test_store_id(matcher):
    assert only(matcher, Platform.ios, store_id="414478124").kind is MatchKind.exact_id
    assert matcher.match(AppIdentity(Platform.android, store_id="414478124")) == ()


def test_unknown_platform_weakens_an_exact_match(matcher):
    found = only(matcher, Platform.unknown, "com.tencent.mm")
    assert found.kind is MatchKind.exact_id
    assert found.confidence is Confidence.medium


def test_glob_finds_what_is_not_listed(matcher):
    found = only(matcher, Platform.android, "com.kaspersky.newthing")
    assert found.kind is MatchKind.glob
    assert found.actionable
    assert only(matcher, Platform.ios, "Com.Kaspersky.NewThing").kind is MatchKind.glob
    assert matcher.match(AppIdentity(Platform.android, "com.kasperskynot.app")) == ()


def test_a_doubtful_identifier_is_not_made_certain_by_a_glob(matcher):
    found = only(matcher, Platform.android, "com.kaspersky.who_calls")
    assert found.kind is MatchKind.exact_id
    assert found.confidence is Confidence.low
    assert not found.actionable


def test_a_confirmed_signer_makes_it_certain(resolved):
    matcher = Matcher([resolved("suite:kaspersky/suite", "team:2Y8XE5CQ94", f"certificate:{'ab' * 32}")])
    found = only(matcher, Platform.android, "com.kaspersky.who_calls", signer="ab" * 32)
    assert found.kind is MatchKind.signer
    assert found.actionable


def test_name_only_where_the_source_gives_no_identifier(matcher):
    found = only(matcher, Platform.ios, name="wechat")
    assert found.kind is MatchKind.name_only
    assert found.confidence is Confidence.medium
    assert not found.actionable
    assert only(matcher, Platform.unknown, name="WeChat™").kind is MatchKind.name_only


@pytest.mark.parametrize(
    ("publisher", "confidence"),
    [
        ("Tencent Mobile International Limited", Confidence.medium),
        ("TENCENT", Confidence.medium),
        ("Some Other Ltd", Confidence.low),
    ],
)
def test_a_name_is_worth_less_where_the_publisher_disagrees(matcher, publisher, confidence):
    assert only(matcher, Platform.ios, name="WeChat", publisher=publisher).confidence is confidence


def test_same_name_under_another_identifier(matcher):
    found = only(matcher, Platform.android, "ca.other.app", "WeChat")
    assert found.kind is MatchKind.lookalike_name
    assert not found.actionable
    assert not found.kind.is_violation
    assert only(matcher, Platform.ios, name="WeChat", store_id="999999999").kind is MatchKind.lookalike_name


def test_the_publishers_other_product_is_no_look_alike(matcher):
    assert matcher.match(AppIdentity(Platform.android, "com.tencent.mobileqq", "WeChat")) == ()
    assert matcher.match(AppIdentity(Platform.ios, store_id="444934666", name="WeChat")) == ()


def test_a_protected_app_is_no_look_alike(matcher):
    assert matcher.match(AppIdentity(Platform.android, "com.android.vending", "WeChat")) == ()


@pytest.mark.parametrize("name", ["WеChat", "VVeChat", "Wéchat"])
def test_homoglyphs(matcher, name):
    found = only(matcher, Platform.android, "ca.other.app", name)
    assert found.kind is MatchKind.lookalike_homoglyph
    assert only(matcher, Platform.ios, name=name).kind is MatchKind.lookalike_homoglyph


@pytest.mark.parametrize("name", ["TikTak", "Telegrram", "TikkTok", "TkTok"])
def test_near_misses_are_look_alikes_of_low_confidence(resolved, name):
    matcher = Matcher([resolved("product:bytedance/tiktok", "product:telegram/telegram")])
    found = only(matcher, Platform.android, "ca.other.app", name)
    assert found.kind is MatchKind.lookalike_name
    assert found.confidence is Confidence.low


@pytest.mark.parametrize("name", ["mechat", "Telegrams", "TikTok2", "Park", "Tok", "Video downloader for TikTok"])
def test_words_that_merely_resemble_are_left_alone(resolved, name):
    matcher = Matcher([resolved("product:bytedance/tiktok", "product:telegram/telegram", "product:bytedance/lark")])
    assert matcher.match(AppIdentity(Platform.android, "ca.other.app", name)) == ()


def test_same_signer_under_another_package_name(matcher):
    found = only(matcher, Platform.android, "ca.other.app", signer=TIKTOK_CERTIFICATE)
    assert found.kind is MatchKind.lookalike_signer
    assert found.confidence is Confidence.medium
    assert not found.actionable
    assert only(matcher, Platform.ios, "x.y", signer="2Y8XE5CQ94").kind is MatchKind.lookalike_signer


def test_selected_signer_is_the_banned_app(resolved):
    matcher = Matcher([resolved(f"certificate:{TIKTOK_CERTIFICATE}", "team:2Y8XE5CQ94")])
    assert only(matcher, Platform.android, "ca.other.app", signer=TIKTOK_CERTIFICATE).kind is MatchKind.signer
    assert only(matcher, Platform.macos, "x.y", signer="2Y8XE5CQ94").kind is MatchKind.signer
    assert only(matcher, Platform.ios, "x.y", signer="2Y8XE5CQ94").actionable
    assert matcher.match(AppIdentity(Platform.android, "x.y", signer="2Y8XE5CQ94")) == ()


def test_publisher_wide_bans_find_every_app_by_signer(resolved):
    matcher = Matcher([resolved("publisher:bytedance")])
    assert only(matcher, Platform.android, "ca.new.app", signer=TIKTOK_CERTIFICATE).kind is MatchKind.signer


def test_a_protected_app_is_never_actionable_even_by_a_selected_signer(resolved):
    matcher = Matcher([resolved(f"certificate:{'ab' * 32}")])
    found = only(matcher, Platform.android, "com.android.settings", signer="ab" * 32)
    assert found.kind is MatchKind.signer
    assert not found.actionable


def test_one_match_a_directive(resolved):
    sets = [
        resolved("product:tencent/wechat", "publisher:tencent", "glob:com.tencent.*", directive="one"),
        resolved("name:WeChat", directive="two"),
        resolved("product:telegram/telegram", directive="three"),
    ]
    found = Matcher(sets).match(AppIdentity(Platform.android, "com.tencent.mm", "WeChat"))
    assert [(one.directive, one.kind) for one in found] == [
        ("one", MatchKind.exact_id),
        ("two", MatchKind.lookalike_name),
    ]


def test_a_ban_for_one_platform_leaves_the_others_alone(resolved):
    matcher = Matcher([resolved("product:tencent/wechat@ios")])
    assert matcher.match(AppIdentity(Platform.android, "com.tencent.mm", "WeChat")) == ()
    assert only(matcher, Platform.ios, name="WeChat").kind is MatchKind.name_only


def test_nothing_is_banned_by_nothing():
    assert Matcher([]).match(AppIdentity(Platform.android, "com.tencent.mm", "WeChat")) == ()


def test_cost_does_not_grow_with_targets_times_identities(catalogue, resolved):
    many = [Selector(SelectorKind.glob, f"ca.lights{n}.{kind}") for n in range(250) for kind in ("app", "*")]
    many += [Selector(SelectorKind.name, f"Lighthouse {n} keeper") for n in range(250)]
    sets = [resolved(*(f"publisher:{one}" for one in catalogue.publisher_ids()))]
    sets.append(resolve(many, catalogue, now=sets[0].resolved_at, directive="many"))
    assert sum(len(one.targets) for one in sets) > 1_000
    matcher = Matcher(sets)
    identities = [
        AppIdentity(Platform.android, f"ca.company{n % 977}.app{n}", f"Ordinary app {n}") for n in range(50_000)
    ]
    began = time.process_time()
    assert not any(map(matcher.match, identities))
    assert time.process_time() - began < 1.5  # 0.1 s on two idle cores; far more would mean targets x identities


def test_what_is_sought_does_not_depend_on_the_review(resolved):
    plain_set = resolved("product:tencent/wechat")
    reviewed = replace(plain_set, reviewed_by="a role", reviewed_on=date(2026, 11, 2))
    assert sought(plain_set) == sought(reviewed)
    assert sought(plain_set) != sought(resolved("product:tencent/qq"))
