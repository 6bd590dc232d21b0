"""Every kind of selector, and everything that makes a target not actionable."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe import documents
from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.model import (
    Confidence,
    Identifier,
    IdentifierType,
    Product,
    Publisher,
    Selector,
    SelectorKind,
    TargetSet,
)
from proscribe.catalogue.resolve import resolve
from proscribe.terms import Platform


def values(target_set, **wanted):
    return {
        one.value for one in target_set.targets if all(getattr(one, name) == value for name, value in wanted.items())
    }


def test_product(resolved):
    found = resolved("product:tencent/wechat")
    assert {"com.tencent.mm", "com.tencent.xin", "414478124"} <= values(found, actionable=True)
    assert "com.tencent.wework" not in values(found)
    assert all(one.why and one.sources for one in found.targets)
    assert not found.unresolved
    assert found.reviewed_by == ""


def test_suite(resolved):
    found = resolved("suite:kaspersky/suite")
    assert {one.publisher for one in found.targets} == {"kaspersky"}
    assert {one.product for one in found.targets} >= {"kaspersky/safe-kids", "kaspersky/macos", "kaspersky/windows"}
    assert {"com.kms.free", "com.kaspersky.safekids", "com.kaspersky.kes"} <= values(found, actionable=True)


def test_publisher_wide(resolved):
    found = resolved("publisher:kaspersky")
    assert {"com.kaspersky.*", "2Y8XE5CQ94", "com.kms.free"} <= values(found, actionable=True)
    assert any("Later products" in note.en for note in found.notes)
    assert not any(one.lead for one in found.targets)


def test_category_says_that_it_covers_listed_products_only(resolved):
    found = resolved("category:ai-assistant")
    assert {"com.deepseek.chat", "com.larus.nova"} <= values(found, actionable=True)
    (note,) = found.notes
    assert "only the products listed" in note.en
    assert "ne couvre que" in note.fr


def test_glob_held_by_the_catalogue_for_the_whole_publisher(target):
    one = target("com.kaspersky.*", "glob:com.kaspersky.*@android")
    assert one.actionable
    assert one.publisher == "kaspersky"
    assert one.confidence is Confidence.medium


def test_glob_that_hits_more_than_one_product(target):
    one = target("com.tencent.*", "glob:com.tencent.*@android")
    assert not one.actionable
    assert one.collateral == "tencent/qq, tencent/wechat, tencent/wecom"
    assert "QQ" in one.not_actionable_because.fr


def test_glob_whose_every_known_product_is_chosen(target):
    one = target("com.tencent.*", "glob:com.tencent.*@android", "publisher:tencent")
    assert one.actionable


def test_glob_nobody_knows(resolved):
    found = resolved("glob:ca.nobody.*")
    assert values(found, actionable=True) == {"ca.nobody.*"}
    assert {one.platform for one in found.targets} == {Platform.android, Platform.ios}


@pytest.mark.parametrize("value", ["*", "com.*", "com.a*.b", "*.mm", "com.tencent.**", "com.tencent.m?"])
def test_globs_that_are_too_wide_or_malformed_lead_nowhere(resolved, value):
    (reason,) = resolved(f"glob:{value}").unresolved
    assert reason.reason.fr


def test_a_glob_without_star_is_an_identifier(resolved):
    known = resolved("glob:com.tencent.mm")
    assert {(one.product, one.confidence) for one in known.targets} == {("tencent/wechat", Confidence.high)}
    fresh = resolved("glob:ca.nobody.app@android")
    assert [(one.type, one.product) for one in fresh.targets] == [(IdentifierType.android_package, "")]


def test_certificate(target):
    printed = "90:41:80:3E:91:BC:B8:14:B4:B4:39:9F:B5:C8:5A:91:64:0B:75:5E:5E:8B:A7:68:13:81:4B:F4:CF:2A:B5:BA"
    one = target(printed.replace(":", "").lower(), f"certificate:{printed}")
    assert one.actionable
    assert one.product == "bytedance/tiktok"


def test_certificate_nobody_knows(target):
    one = target("ab" * 32, f"certificate:{'AB' * 32}")
    assert one.actionable
    assert one.label == "ab" * 32


@pytest.mark.parametrize("selector", ["certificate:18c867f0717aa67b2ab7347505ba07ed", "team:SHORT", "name:!!!"])
def test_malformed_values_lead_nowhere(resolved, selector):
    found = resolved(selector)
    assert found.unresolved
    assert not found.targets


def test_team_of_one_product(target):
    one = target("5A4RE8SF68", "team:5a4re8sf68")
    assert one.actionable
    assert one.product == "tencent/wechat"


def test_team_shared_by_two_products(target):
    alone = target("88L2Q4487U", "team:88L2Q4487U")
    assert not alone.actionable
    assert alone.collateral == "tencent/meeting, tencent/wecom"
    with_one = target("88L2Q4487U", "team:88L2Q4487U", "product:tencent/wecom")
    assert not with_one.actionable
    assert with_one.collateral == "tencent/meeting"
    both = target("88L2Q4487U", "team:88L2Q4487U", "product:tencent/wecom", "product:tencent/meeting")
    assert both.actionable


def test_name(target):
    one = target("WeChat", "name:WeChat")
    assert one.product == "tencent/wechat"
    assert not one.actionable
    assert target("Nobody's App", "name:Nobody's App").publisher == ""


def test_a_products_signer_only_leads(target):
    one = target("5A4RE8SF68", "product:tencent/wechat")
    assert one.lead
    assert not one.actionable


def test_a_signer_that_is_selected_as_well_no_longer_only_leads(target):
    one = target("5A4RE8SF68", "product:tencent/wechat", "team:5A4RE8SF68")
    assert not one.lead
    assert one.actionable
    assert len(one.why) == 2


def test_low_confidence_and_open_conflicts_are_never_actionable(resolved, catalogue):
    found = resolved(*(f"publisher:{one}" for one in catalogue.publisher_ids()))
    assert not any(one.actionable for one in found.targets if one.confidence is Confidence.low)
    reasons = {one.value: one.not_actionable_because for one in found.targets}
    assert "kaspersky-ios-main" in reasons["1089969624"].en
    assert "wecom-ios" in reasons["com.tencent.ww"].fr
    assert reasons["com.kms.free"] is None  # its conflict is settled


def test_collateral_of_a_host(target):
    one = target("weixin.qq.com", "product:tencent/wechat")
    assert not one.actionable
    assert "qq.com" in one.collateral


def test_protected_apps_are_never_actionable(target):
    assert (
        "never be a target"
        in target("com.android.settings", "glob:com.android.settings@android").not_actionable_because.en
    )
    assert not target("com.google.android.*", "glob:com.google.android.*@android").actionable


def test_platform_limits_what_is_found(resolved):
    found = resolved("product:tencent/wechat@ios")
    assert "com.tencent.xin" in values(found)
    assert "com.tencent.mm" not in values(found)
    assert "5A4RE8SF68" in values(found)  # a team holds on all of Apple's platforms


def test_a_platform_without_identifier_leads_nowhere(resolved):
    (one,) = resolved("glob:com.kaspersky.safekids@windows").unresolved
    assert "windows" in one.reason.en


@pytest.mark.parametrize(
    "selector", ["product:tencent/wechatt", "suite:kaspersky/sweet", "publisher:tensent", "category:ai-assistants"]
)
def test_what_is_not_listed_leads_nowhere_and_proposes(resolved, selector):
    (one,) = resolved(selector).unresolved
    assert "Did you mean" in one.reason.en
    assert "Vouliez-vous dire" in one.reason.fr


def test_siblings_are_the_publishers_other_products(resolved):
    found = resolved("product:tencent/wechat")
    assert "android_package:android:com.tencent.mobileqq" in found.siblings
    assert "android_package:android:com.tencent.mm" not in found.siblings
    assert "Tencent" in found.publisher_names["tencent"]


def test_merged_whys(target):
    one = target("com.tencent.mm", "product:tencent/wechat", "suite:tencent/wechat-family", "glob:com.tencent.mm")
    assert len(one.why) == 3


def with_identifier(catalogue, identifier):
    product = Product("acme/horn", "Horn", "active", (identifier,))
    acme = Publisher("acme", "Acme", "CA", (), (product,))
    return Catalogue((*catalogue.publishers, acme), catalogue.sources, catalogue.conflicts, catalogue.groups)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"valid_to": date(2026, 10, 31)}, "until 2026-10-31"),
        ({"valid_from": date(2026, 11, 2)}, "from 2026-11-02"),
        ({"valid_from": date(2026, 11, 1), "valid_to": date(2026, 11, 1)}, None),
    ],
)
def test_validity(catalogue, resolved, limits, says):
    horn = Identifier(IdentifierType.android_package, "ca.acme.horn", Platform.android, Confidence.high, ("v2fly",))
    more = with_identifier(catalogue, replace(horn, **limits))
    moment = resolved("name:x").resolved_at
    (one,) = resolve([Selector(SelectorKind.product, "acme/horn")], more, now=moment).targets
    assert one.actionable is (says is None)
    assert says is None or says in one.not_actionable_because.en


def test_a_publisher_or_product_without_identifiers(catalogue, resolved):
    bare = Publisher("bare", "Bare", "CA", (), (Product("bare/one", "One", "active", ()),))
    more = Catalogue((bare,), (), (), ())
    found = resolve(
        [Selector(SelectorKind.publisher, "bare"), Selector(SelectorKind.product, "bare/one")],
        more,
        now=resolved("name:x").resolved_at,
    )
    assert len(found.unresolved) == 2


def test_a_target_set_is_a_document(resolved):
    found = resolved("product:tencent/wechat", "name:WeChat")
    again = documents.from_json(TargetSet, documents.to_json(found))
    assert again == found
    assert documents.digest(again) == documents.digest(found)


SELECTORS = st.sampled_from(
    [
        "product:tencent/wechat",
        "product:tencent/wecom",
        "suite:kaspersky/suite",
        "publisher:bytedance",
        "glob:com.tencent.*",
        "team:88L2Q4487U",
        "name:WeChat",
        "category:messaging",
        "product:no/such",
        "glob:com.kaspersky.safekids",
    ]
)


@given(st.lists(SELECTORS, min_size=1, max_size=6))
def test_order_and_repetition_change_nothing(resolved, selectors):
    one, other = resolved(*selectors), resolved(*reversed(selectors), *selectors)
    assert {(t.id, t.actionable, t.lead, t.collateral) for t in one.targets} == {
        (t.id, t.actionable, t.lead, t.collateral) for t in other.targets
    }
    assert {u.selector for u in one.unresolved} == {u.selector for u in other.unresolved}
    assert len({t.id for t in one.targets}) == len(one.targets)
    for target in one.targets:
        assert target.actionable == (target.not_actionable_because is None)


@given(st.lists(SELECTORS, min_size=1, max_size=6))
def test_nothing_is_lost_in_silence(resolved, selectors):
    found = resolved(*selectors)
    spoken = {one.selector for one in found.unresolved}
    for selector in found.selectors:
        alone = resolved(f"{selector.kind}:{selector.value}")
        assert alone.targets or selector in spoken
        assert {one.id for one in alone.targets} <= {one.id for one in found.targets}


def test_a_name_that_several_products_share_stands_for_none_of_them(target):
    one = target("Kaspersky", "suite:kaspersky/suite")
    assert one.product == ""
    assert one.label == "Kaspersky"
    assert len(one.why) == 2
