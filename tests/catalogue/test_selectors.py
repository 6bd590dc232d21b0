"""Selectors as text, and the search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.catalogue.model import Selector, SelectorKind
from proscribe.catalogue.search import search
from proscribe.catalogue.selectors import InvalidSelector, format_selector, parse_selector
from proscribe.terms import Platform

# The rest of a certificate of TikTok, as tools print it.
TAIL = bytes.fromhex("B814B4B4399FB5C85A91640B755E5E8BA76813814BF4CF2AB5BA").hex(" ").upper().split()


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("product:tencent/wechat", Selector(SelectorKind.product, "tencent/wechat")),
        ("glob:com.kaspersky.*@android", Selector(SelectorKind.glob, "com.kaspersky.*", Platform.android)),
        ("name:mail@home", Selector(SelectorKind.name, "mail@home")),
        ("name:a:b", Selector(SelectorKind.name, "a:b")),
        ("name:@ios", Selector(SelectorKind.name, "@ios")),
    ],
)
def test_parse(text, selector):
    assert parse_selector(text) == selector


@pytest.mark.parametrize(
    ("text", "remedy"),
    [("wechat", "kind:value"), ("product:", "kind:value"), ("produkt:x", "product"), ("zzz:x", "The kinds are")],
)
def test_refused(text, remedy):
    with pytest.raises(InvalidSelector) as caught:
        parse_selector(text)
    assert remedy in caught.value.remedy.en


@given(
    st.builds(
        Selector,
        st.sampled_from(list(SelectorKind)),
        st.text(min_size=1).filter(lambda value: "@" not in value),
        st.sampled_from([None, Platform.ios, Platform.android]),
    )
)
def test_text_and_back(selector):
    assert parse_selector(format_selector(selector)) == selector


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("wechat", "tencent/wechat"),
        ("微信", "tencent/wechat"),
        ("com.tencent.mm", "tencent/wechat"),
        (":".join(["90", "41", "80", "3E", "91", "BC", *TAIL]), "bytedance/tiktok"),
        ("88l2q4487u", "tencent/wecom"),
        ("TlkTok", "bytedance/tiktok"),
        ("AO Kaspersky", "kaspersky/safe-kids"),
    ],
)
def test_search(catalogue, text, product):
    assert product in {found.id for _, found, _ in search(catalogue, text)}


@pytest.mark.parametrize("text", ["", "  ", "no such app anywhere"])
def test_search_finds_nothing(catalogue, text):
    assert search(catalogue, text) == ()
