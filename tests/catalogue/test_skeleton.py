"""The two normal forms of a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.catalogue.skeleton import _confusables, plain, skeleton


@pytest.mark.parametrize("name", ["WeChat", "wechat", "We Chat", "WECHAT™", "We-Chat®", "ＷｅＣｈａｔ"])
def test_the_same_name(name):
    assert plain(name) == "wechat"


@pytest.mark.parametrize(
    ("name", "imitates"),
    [
        ("WеChat", "WeChat"),  # a Cyrillic e
        ("Wесhat", "WeChat"),  # a Cyrillic e and s
        ("Wéchat", "WeChat"),
        ("TlkTok", "TikTok"),
        ("T1kT0k", "TikTok"),
        ("Kaspersκy", "Kaspersky"),  # a Greek kappa
        ("𝐓𝐢𝐤𝐓𝐨𝐤", "TikTok"),
        ("Telegrarn", "Telegram"),
        ("VVeChat", "WeChat"),
        ("Lemon B", "Lemon8"),
    ],
)
def test_names_that_look_the_same(name, imitates):
    assert skeleton(name) == skeleton(imitates)


@pytest.mark.parametrize(("one", "other"), [("WeChat", "WhatsApp"), ("微信", "微博"), ("Lark", "Park"), ("QQ", "QQQ")])
def test_names_that_differ(one, other):
    assert skeleton(one) != skeleton(other)


def test_letters_of_other_scripts_are_kept():
    assert plain("微信") == "微信" == skeleton("微信")


@given(st.text())
def test_the_same_name_always_looks_the_same(name):
    for variant in (name.upper(), name.lower(), f" {name}!", name + "™"):
        if plain(variant) == plain(name):
            assert skeleton(variant) == skeleton(name)
    assert skeleton(plain(name)) == skeleton(name)


@given(st.text())
def test_forms_are_stable(name):
    assert plain(plain(name)) == plain(name)
    assert all(character.isalnum() for character in plain(name))
    assert not any(character.isascii() and not character.isalnum() for character in skeleton(name))


@given(st.text(alphabet="abcdefghijkmnopqrstuvwxyz0123456789 -_.", max_size=30))
def test_ascii_and_the_long_way_agree(name):
    # A neighbour outside ASCII sends the name the long way round; the rest must come out the same.
    assert skeleton(name + "微") == skeleton(name) + "微"


def test_every_confusable_is_one_that_the_library_names():
    from confusable_homoglyphs import confusables

    table = _confusables()
    assert len(table) > 1_000
    for code, letter in table.items():
        forms = {letter, letter.upper()}
        alike = {entry["c"] for form in forms for entry in confusables.confusables_data.get(form, ())}
        assert chr(code) in alike | {character.casefold() for character in alike}
