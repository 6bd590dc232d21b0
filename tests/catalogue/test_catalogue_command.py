"""``proscribe catalogue``, as a person meets it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from proscribe.cli.root import run
from proscribe.text import set_language


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


def narrow(text):
    return all(len(line.rstrip()) <= 80 for line in text.splitlines())


def test_show_all(proscribe):
    status, out, _ = proscribe("catalogue", "show")
    assert status == 0
    assert "tencent/wechat" in out
    assert narrow(out)
    assert {"publisher": "tencent", "product": "tencent/wechat"} in json.loads(
        proscribe("catalogue", "show", "--json")[1]
    )


@pytest.mark.parametrize("entry", ["tencent/wechat", "kaspersky", "kaspersky/suite", "messaging", "bytedance", "pdd"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_show_one(proscribe, entry, language):
    status, out, _ = proscribe("--lang", language, "catalogue", "show", entry)
    assert status == 0
    assert entry in out
    assert narrow(out)


def test_show_as_json(proscribe):
    status, out, _ = proscribe("catalogue", "show", "tencent/wechat", "--json")
    assert status == 0
    assert json.loads(out)["identifiers"][0]["value"] == "com.tencent.mm"


def test_show_proposes_what_was_meant(proscribe):
    status, _, err = proscribe("catalogue", "show", "tencent/wechta")
    assert status == 1
    assert "[catalogue.unknown]" in err
    assert "tencent/wechat" in err


def test_search(proscribe):
    status, out, _ = proscribe("catalogue", "search", "kids")
    assert status == 0
    assert "kaspersky/safe-kids" in out
    status, out, _ = proscribe("catalogue", "search", "kids", "--json")
    assert json.loads(out)[0]["product"] == "kaspersky/safe-kids"


def test_search_finds_nothing(proscribe):
    status, out, _ = proscribe("--lang", "fr", "catalogue", "search", "phare")
    assert status == 2
    assert "proscribe catalogue show" in out
    assert proscribe("catalogue", "search", "phare", "--json")[:2] == (2, "[]\n")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_resolve(proscribe, language):
    status, out, _ = proscribe("--lang", language, "catalogue", "resolve", "product:tencent/wechat", "team:88L2Q4487U")
    assert status == 0
    assert "com.tencent.mm" in out
    assert "Tencent Meeting" in out
    assert narrow(out)


def test_resolve_shows_what_leads_nowhere(proscribe):
    status, out, _ = proscribe("catalogue", "resolve", "product:tencent/wechatt", "category:messaging")
    assert status == 2
    assert "Leads nowhere: product:tencent/wechatt" in out
    assert "only the products listed" in out
    assert narrow(out)


def test_resolve_as_json(proscribe):
    status, out, _ = proscribe("catalogue", "resolve", "team:88L2Q4487U", "--json")
    document = json.loads(out)
    assert status == 0
    assert document["kind"] == "proscribe.target-set"
    assert document["targets"][0]["actionable"] is False


def test_resolve_refuses_what_is_no_selector(proscribe):
    status, _, err = proscribe("catalogue", "resolve", "wechat")
    assert status == 1
    assert "[catalogue.selector]" in err


def test_help_is_bilingual():
    from proscribe.cli.catalogue import command

    assert "Publishers" in CliRunner().invoke(command, ["--help"]).output
