"""What deceives an eye is spelled out; what does not is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.assess.emit.hostile import LIMIT, visible


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("com.example.app", "com.example.app"),
        ("caf\u00e9 \u4e2d\u6587 \u0440\u0443\u0441", "caf\u00e9 \u4e2d\u6587 \u0440\u0443\u0441"),
        ("12\u00a0%", "12\u00a0%"),
        ("exe\u202egpj", "exe[U+202E]gpj"),
        ("\u2066a\u2069", "[U+2066]a[U+2069]"),
        ("\x1b[31m\r\n\t", "[U+001B][31m[U+000D][U+000A][U+0009]"),
        ("a\u200bb\ufeff", "a[U+200B]b[U+FEFF]"),
        ("\u3164\u2800", "[U+3164][U+2800]"),
        ("\ud800", "[U+D800]"),
        ("\ue000\U000e0041", "[U+E000][U+E0041]"),
        ("e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301[U+0301][U+0301]"),
        ("a\u2028b", "a[U+2028]b"),
    ],
)
def test_examples(given_text: str, shown: str) -> None:
    assert visible(given_text) == shown


def test_long_words_are_cut_and_the_rest_is_counted() -> None:
    assert visible("x" * (LIMIT + 5)) == "x" * LIMIT + "… (+5)"
    assert visible("abc", 3) == "abc"


@given(st.text(alphabet=st.characters(codec=None)))
def test_nothing_unprintable_is_left(text: str) -> None:
    shown = visible(text)
    assert all(
        one.isprintable() or one in "\u00a0\u1680\u202f\u205f\u3000" or "\u2000" <= one <= "\u200a" for one in shown
    )
    shown.encode("utf-8")


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_shown_twice_is_shown_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)
