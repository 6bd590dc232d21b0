"""Tables on wide and on narrow terminals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proscribe.cli.output import print_table
from proscribe.cli.progress import working
from proscribe.text import set_language

HEADERS = ("Dossier", "Titre", "Étape", "Depuis", "Appareils")
ROW = ("wechat-2026", "WeChat sur les téléphones fournis", "publication", "2026-11-22", "4,245")
WORDS = {word for cell in (*HEADERS, *ROW) for word in cell.split()}


@pytest.fixture(autouse=True)
def _utf8(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    yield
    set_language(None)


@pytest.mark.parametrize("width", range(20, 121, 4))
def test_no_line_is_longer_than_the_terminal_and_no_word_is_broken(width, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table("Dossiers", HEADERS, [ROW], numeric=1)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= width
    assert set(shown.replace(":", " ").split()) >= WORDS


def test_a_frame_is_drawn_where_there_is_room_and_every_value_keeps_its_name_where_there_is_none(
    monkeypatch, capsys
) -> None:
    shown = {}
    for width in (100, 60, 30):
        monkeypatch.setenv("COLUMNS", str(width))
        print_table("Dossiers", HEADERS, [ROW])
        shown[width] = capsys.readouterr().out
    assert "│" in shown[100]
    assert "│" not in shown[60]
    assert "Étape: publication" in shown[30]


def test_a_digest_is_folded_and_a_date_is_not(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    print_table("", ("What", "When"), [("sha256:" + 64 * "0", "2026-11-22")])
    shown = capsys.readouterr().out
    assert "2026-11-22" in shown
    assert shown.count("0") >= 64


@pytest.mark.parametrize(("language", "said"), [("en", "Cases: none.\n"), ("fr", "Cases\u00a0: néant.\n")])
def test_nothing_to_show_is_said_in_a_line(language, said, capsys) -> None:
    set_language(language)
    print_table("Cases", HEADERS, [])
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(("terminal", "shown"), [("1", True), ("", False)])
def test_what_takes_a_while_says_so_on_a_terminal_and_never_in_a_pipe(terminal, shown, monkeypatch, capsys) -> None:
    monkeypatch.setenv("FORCE_COLOR", terminal)
    with working():
        pass
    out, err = capsys.readouterr()
    assert out == ""
    assert ("Working" in err) is shown
