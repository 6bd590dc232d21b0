"""``proscribe directive``, as a person meets it, and the draft it starts."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import jsonschema
import pytest

from proscribe import documents
from proscribe.catalogue.model import SelectorKind
from proscribe.catalogue.selectors import parse_selector
from proscribe.directive.library import shipped_ids
from proscribe.directive.model import Directive, State
from proscribe.directive.template import template
from proscribe.directive.validate import validate

KINDS = {
    "product": "tencent/wechat",
    "suite": "kaspersky/suite",
    "publisher": "bytedance",
    "glob": "com.kaspersky.*@android",
    "certificate": "ab" * 32,
    "team": "2Y8XE5CQ94",
    "name": "Some App",
    "category": "messaging",
}


def narrow(text):
    return all(len(line.rstrip()) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("language", ["en", "fr"])
def test_list(proscribe, language):
    status, out, _ = proscribe("--lang", language, "directive", "list")
    assert status == 0
    assert all(one in out for one in shipped_ids())
    assert ("contraignante" in out) is (language == "fr")
    assert narrow(out)


def test_list_as_json(proscribe):
    _, out, _ = proscribe("directive", "list", "--json")
    assert [one["id"] for one in json.loads(out)] == list(shipped_ids())


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("directive_id", shipped_ids())
def test_show(proscribe, directive_id, language):
    status, out, _ = proscribe("--lang", language, "directive", "show", directive_id)
    assert status == 0
    assert directive_id in out
    assert narrow(out)


def test_show_targets(proscribe):
    status, out, _ = proscribe("directive", "show", "ca-tbs-2023-wechat-kaspersky", "--targets")
    assert status == 0
    assert "com.tencent.mm" in out
    assert "Reviewed on" in out
    assert narrow(out)


def test_show_as_json(proscribe):
    _, out, _ = proscribe("directive", "show", "us-omb-m-23-13", "--json")
    assert json.loads(out)["kind"] == "proscribe.directive"
    _, out, _ = proscribe("directive", "show", "us-omb-m-23-13", "--targets", "--json")
    assert json.loads(out)["kind"] == "proscribe.target-set"


def test_what_is_shown_can_be_saved_as_it_is_signed(proscribe, tmp_path):
    for more, kind in (((), "proscribe.directive"), (("--targets",), "proscribe.target-set")):
        path = tmp_path / f"{kind}.json"
        status, out, _ = proscribe("directive", "show", "us-omb-m-23-13", *more, "--out", str(path))
        assert status == 0
        assert json.loads(path.read_bytes())["kind"] == kind
        assert f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" in out
        status, _, err = proscribe("directive", "show", "us-omb-m-23-13", *more, "--out", str(path))
        assert (status, "directive.cannot-save" in err) == (1, True)


def test_show_what_is_not_there(proscribe):
    status, _, err = proscribe("directive", "show", "us-omb-m-2313")
    assert status == 1
    assert "us-omb-m-23-13" in err


def test_validate(proscribe):
    status, out, _ = proscribe("directive", "validate", *shipped_ids())
    assert status == 0
    assert out.count("valid") == len(shipped_ids())


def test_validate_shows_flaws(proscribe, tmp_path, wechat):
    body = documents.to_json(wechat) | {"effective": "2020-01-01", "sources": []}
    path = tmp_path / "d.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    status, out, _ = proscribe("directive", "validate", str(path))
    assert status == 2
    assert "effective:" in out
    assert "→" in out
    status, out, _ = proscribe("directive", "validate", str(path), "--json")
    assert status == 2
    flaws = json.loads(out)[str(path)]["flaws"]
    assert {flaw["field"] for flaw in flaws} >= {"effective", "sources"}


def test_validate_a_file_that_is_no_directive(proscribe, tmp_path):
    path = tmp_path / "d.yaml"
    path.write_text("kind: proscribe.plan\nschema: 1\n")
    status, _, err = proscribe("directive", "validate", str(path))
    assert status == 1
    assert "[document.invalid]" in err


def test_new_prints_a_draft_that_validates(proscribe):
    status, out, _ = proscribe("directive", "new", "ca-2026-phares", "--bans", "product:tencent/wechat")
    assert status == 0
    draft = documents.from_json(Directive, documents.parse(out))
    assert draft.state is State.draft
    assert draft.items[0].publisher == "tencent"


def test_new_saves_and_never_replaces(proscribe, tmp_path):
    path = tmp_path / "ours.yaml"
    call = ("directive", "new", "ours", "--bans", "team:2Y8XE5CQ94", "--out", str(path))
    status, out, _ = proscribe(*call)
    assert status == 0
    assert "directive validate" in out
    assert proscribe("directive", "validate", str(path))[0] == 0
    status, out, _ = proscribe("directive", "show", str(path))
    assert "Not reviewed" in out
    status, _, err = proscribe(*call)
    assert status == 1
    assert "[directive.cannot-save]" in err


def test_new_refuses_what_leads_nowhere(proscribe, tmp_path):
    path = tmp_path / "ours.yaml"
    status, _, err = proscribe("directive", "new", "ours", "--bans", "product:tencent/wechatt", "--out", str(path))
    assert status == 2
    assert "tencent/wechat" in err
    assert not path.exists()
    assert proscribe("directive", "new", "Not An Id", "--bans", "product:tencent/wechat")[0] == 2


@pytest.mark.parametrize("kind", list(SelectorKind))
def test_the_template_of_every_kind_is_valid(catalogue, kind):
    raw = template("ours", [parse_selector(f"{kind}:{KINDS[kind]}")], catalogue, today=date(2026, 11, 1))
    data = documents.parse(raw)
    jsonschema.Draft202012Validator(documents.json_schema(Directive)).validate(data)
    draft = documents.from_json(Directive, data)
    assert validate(draft, catalogue) == ()
    assert raw.count("#") > 20


def test_the_template_takes_several_selectors(catalogue):
    raw = template("ours", [parse_selector(f"{k}:{v}") for k, v in KINDS.items()], catalogue, today=date(2026, 11, 1))
    assert len(documents.from_json(Directive, documents.parse(raw)).items) == len(KINDS)


def test_a_template_is_not_in_force_before_it_is_written(catalogue):
    raw = template("ours", [parse_selector("product:tencent/wechat")], catalogue, today=date(2026, 11, 1))
    hasty = documents.from_json(Directive, documents.parse(raw.replace("state: draft", "state: in_force")))
    assert any("still to be written" in flaw.what.en for flaw in validate(hasty, catalogue))
