"""What the directives' tests share."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from proscribe.catalogue.library import load
from proscribe.cli.root import run
from proscribe.directive import library
from proscribe.text import set_language


@pytest.fixture(scope="session")
def now():
    return datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def catalogue():
    return load()


@pytest.fixture(scope="session")
def wechat():
    """The Canadian directive of 30 October 2023, a good one to spoil."""
    return library.find("ca-tbs-2023-wechat-kaspersky")


@pytest.fixture
def proscribe(monkeypatch, capsys):
    """Run the program; gives exit status, standard output and standard error."""

    def call(*arguments):
        monkeypatch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit) as ended:
            run(list(arguments))
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    yield call
    set_language(None)
