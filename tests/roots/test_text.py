"""Both languages, or nothing; and the language a person asked for."""

import pytest

from proscribe.text import Text, days, devices, language, number, plural, set_language


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


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        (0, "0 files", "0 fichier"),
        (1, "1 file", "1 fichier"),
        (2, "2 files", "2 fichiers"),
        (12345, "12,345 files", "12\u00a0345 fichiers"),
    ],
)
def test_a_count_agrees_with_its_noun(count, english, french):
    assert plural(count, Text("file", "fichier"), Text("files", "fichiers")) == Text(english, french)


def test_thousands_are_set_apart_by_the_rules_of_each_language():
    assert number(999) == Text("999", "999")
    assert number(1_234_567) == Text("1,234,567", "1\u00a0234\u00a0567")


def test_the_nouns_counted_most():
    assert days(1) == Text("1 day", "1 jour")
    assert days(7) == Text("7 days", "7 jours")
    assert devices(1_250) == Text("1,250 devices", "1\u00a0250 appareils")
