"""``proscribe schema``: every document kind, its JSON Schema, and a hint for a misspelt kind."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from proscribe.cli import schema
from proscribe.service import kinds


def test_every_kind_has_a_valid_schema_and_a_description_in_both_languages() -> None:
    known = schema.kinds()
    assert {"proscribe.check", "proscribe.directive", "proscribe.evaluation", "proscribe.plan"} <= set(known)
    assert {"proscribe.status", "proscribe.tick"} <= set(known), "what --json prints must have a schema to check it by"
    assert set(known) <= set(schema.DESCRIPTIONS)
    for kind in known:
        result = CliRunner().invoke(schema.command, [kind])
        assert result.exit_code == 0
        body = json.loads(result.stdout)
        Draft202012Validator.check_schema(body)
        assert body["properties"]["kind"] == {"const": kind}
        assert schema.DESCRIPTIONS[kind].fr


def test_the_list_and_a_short_name() -> None:
    result = CliRunner().invoke(schema.command, [])
    assert all(kind in result.stdout for kind in schema.kinds())
    assert json.loads(CliRunner().invoke(schema.command, ["directive"]).stdout)["title"] == "proscribe.directive"


def test_a_misspelt_kind_gets_a_hint() -> None:
    result = CliRunner().invoke(schema.command, ["directves"])
    assert isinstance(result.exception, schema.UnknownKind)
    assert "proscribe.directive" in result.exception.remedy.en


def test_a_stage_that_is_broken_is_not_taken_for_one_without_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError("no module", name="something.else")

    monkeypatch.setattr(kinds, "import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        schema.kinds()
