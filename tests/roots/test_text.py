"""Both languages, or nothing; and the language a person asked for."""

import pytest

from proscribe.text import Text, language, set_language


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in ("PROSCRIBE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    set_language(None)
    yield
    set_language(None)


def test_a_text_needs_both_languages():
    with pytest.raises(TypeError):
        Text("only English")  # type: ignore[call-arg]


def test_english_is_what_remains_when_nothing_is_set():
    assert language() == "en"
    assert str(Text("ban", "interdiction")) == "ban"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PROSCRIBE_LANG", "fr", "fr"),
        ("LC_ALL", "fr_CA.UTF-8", "fr"),
        ("LC_MESSAGES", "FR", "fr"),
        ("LANG", "en_CA.UTF-8", "en"),
        ("LANG", "C", "en"),
        ("LANG", "de_DE.UTF-8", "en"),
    ],
)
def test_the_environment_decides(monkeypatch, name, value, expected):
    monkeypatch.setenv(name, value)
    assert language() == expected


def test_our_own_variable_comes_before_the_locale(monkeypatch):
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    monkeypatch.setenv("PROSCRIBE_LANG", "en")
    assert language() == "en"


def test_an_empty_variable_says_nothing(monkeypatch):
    monkeypatch.setenv("LC_ALL", "")
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    assert language() == "fr"


def test_what_was_set_comes_before_the_environment(monkeypatch):
    monkeypatch.setenv("PROSCRIBE_LANG", "en")
    set_language("fr")
    assert str(Text("ban", "interdiction")) == "interdiction"
    set_language(None)
    assert str(Text("ban", "interdiction")) == "ban"


def test_adding_keeps_the_languages_apart():
    assert Text("a", "b") + Text("c", "d") == Text("ac", "bd")
