"""The root command: what is listed, and how things that go wrong are shown."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from importlib import import_module

import click
import pytest

from proscribe.cli import root
from proscribe.cli.root import COMMANDS
from proscribe.errors import ProscribeError
from proscribe.text import Text


def _fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def raise_it(*_words: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(root.root, "main", raise_it)


def _exit_status() -> int:
    with pytest.raises(SystemExit) as stopped:
        root.run([])
    return int(stopped.value.code or 0)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_listed_command_is_there(name: str) -> None:
    command = import_module(f"proscribe.cli.{COMMANDS[name][0]}").command
    assert isinstance(command, click.Command)
    assert command.help


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_group_lists_its_commands_with_nothing_cut_off(name: str, language: str) -> None:
    environment = {**os.environ, "COLUMNS": "80", "PROSCRIBE_LANG": language}
    command = [sys.executable, "-c", "from proscribe.cli import main; main()", name, "--help"]
    shown = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True).stdout
    listed = re.split(r"^(?:Commands|Commandes.):$", shown, flags=re.MULTILINE)[1:]
    assert all("..." not in part for part in listed)
    assert max(map(len, shown.splitlines())) <= 80


def test_an_error_says_what_where_and_what_next(monkeypatch, capsys) -> None:
    _fail_with(monkeypatch, ProscribeError(Text("a fault", "une faute"), remedy=Text("mend it", "réparez")))
    assert _exit_status() == 1
    shown = capsys.readouterr().err
    assert "[proscribe.error] a fault" in shown
    assert "→ mend it" in shown


def test_a_full_disk_is_no_traceback(monkeypatch, capsys) -> None:
    _fail_with(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "/somewhere/report.html"))
    assert _exit_status() == 1
    shown = capsys.readouterr().err
    assert "[file.disk-full] /somewhere/report.html" in shown
    assert "Free some space" in shown


def test_a_folder_that_may_not_be_written_is_named(monkeypatch, capsys) -> None:
    _fail_with(monkeypatch, PermissionError(errno.EACCES, "Permission denied", "/somewhere/plan.json"))
    assert _exit_status() == 1
    assert "[file.unreadable] /somewhere/plan.json" in capsys.readouterr().err


def test_an_interrupted_command_stops_quietly(monkeypatch, capsys) -> None:
    _fail_with(monkeypatch, click.exceptions.Abort())
    assert _exit_status() == 1
    assert "Stopped" in capsys.readouterr().err


def test_a_wrong_option_is_an_error_and_not_a_finding(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        root.run(["check", "--nosuch"])
    assert stopped.value.code == 1
    assert "--nosuch" in capsys.readouterr().err


def test_an_unknown_command_is_an_error(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        root.run(["banish"])
    assert stopped.value.code == 1
    assert "banish" in capsys.readouterr().err
