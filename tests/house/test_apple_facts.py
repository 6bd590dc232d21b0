"""The facts of Apple's schema that the tests go by are what the schema says, and nothing that it tells in sentences."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.connectors.nanomdm import apple_schema

TOOL = Path(__file__).parents[2] / "tools" / "make_apple_facts.py"
PROSE = "What Apple says of it."
COPY = """The schema of the lighthouse, at commit
{whole}, and
`mdm/commands/lamp.yaml` (commit 0123abcd, shortened).
"""


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_apple_facts", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = loaded()


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True, check=False)


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


@pytest.mark.skipif(
    not (tool.schema() / tool.GRAMMAR).is_file(), reason="Apple's schema is not here: PROSCRIBE_APPLE_SCHEMA names it"
)
def test_the_facts_are_those_of_the_schema(tmp_path):
    """Where a later schema says otherwise, ``python tools/make_apple_facts.py`` takes it over."""
    made = tmp_path / "facts.json"
    told = run(made)
    assert told.returncode == 0, told.stderr
    assert made.read_text("utf-8") == tool.FACTS.read_text("utf-8")


def test_the_facts_are_as_the_tool_writes_them():
    assert apple_schema.FACTS == tool.FACTS
    assert set(apple_schema.facts()["documents"]) == set(tool.DOCUMENTS)
    assert tool.written(apple_schema.facts()) == tool.FACTS.read_text("utf-8")


def test_no_sentence_is_carried_over():
    """The two texts with a space in them are names of keys, as the schema has them."""
    spaced = {text for text in texts(apple_schema.facts()) if " " in text}
    assert spaced == {"ANY app identifier", "AppleID domain"}
    assert max(map(len, texts(apple_schema.facts()))) < 90


def test_all_that_is_checked_is_taken_over():
    assert set(tool.LIMITS) == apple_schema.DECIDING
    assert {*tool.OF_A_KEY, "subkeys", "supportedOS"} == apple_schema.CHECKED


def lamp(**payload: Any) -> dict[str, Any]:
    return {
        "title": PROSE,
        "description": PROSE,
        "payload": {
            "requesttype": "Lamp",
            "content": PROSE,
            "supportedOS": {"macOS": {"introduced": "11.0"}},
            **payload,
        },
        "notes": [{"title": "", "content": PROSE}],
    }


def test_words_are_taken_over_and_sentences_left():
    here = {
        "introduced": "9.3",
        "accessrights": "Some",
        "userenrollment": {"mode": "forbidden", "behavior": PROSE},
    }
    wick = {
        "key": "Wick", "title": PROSE, "type": "<array>", "presence": "required", "content": PROSE, "default": PROSE,
        "supportedOS": {"iOS": {"removed": "26.0", "userenrollment": {"behavior": PROSE}}},
        "subkeys": [{"key": "Item", "type": "<string>", "content": PROSE, "rangelist": ["Long", "Short"]}],
    }  # fmt: skip
    document = lamp(supportedOS={"iOS": here}) | {"payloadkeys": [wick]}
    assert tool.document(document) == {
        "requesttype": "Lamp",
        "supportedOS": {"introduced": "9.3", "userenrollment": "forbidden"},
        "payloadkeys": [
            {
                "key": "Wick", "type": "<array>", "presence": "required",
                "supportedOS": {"removed": "26.0", "userenrollment": "allowed"},
                "subkeys": [{"key": "Item", "type": "<string>", "rangelist": ["Long", "Short"]}],
            }
        ],
    }  # fmt: skip


def test_silence_on_a_platform():
    """A document that does not name it is not for it; a key that does not name it takes after its document."""
    on_macs = {"key": "Wick", "type": "<string>", "supportedOS": {"macOS": {"introduced": "12.0"}}}
    facts = tool.document(lamp() | {"responsekeys": [on_macs]})
    assert facts["supportedOS"] == {"introduced": "n/a"}
    assert facts["responsekeys"] == [{"key": "Wick", "type": "<string>"}]


def test_reasons_keep_their_codes():
    reason = {"value": "Error.Dark", "description": PROSE, "details": [{"key": "Hours", "type": "<integer>"}]}
    facts = tool.document(lamp() | {"reasons": [reason, {"value": "Info.Light", "description": PROSE}]})
    assert facts["reasons"] == [
        {"value": "Error.Dark", "details": [{"key": "Hours", "type": "<integer>"}]},
        {"value": "Info.Light", "details": []},
    ]


def test_a_copy_tells_its_commits(tmp_path):
    assert tool.commits(tmp_path) == {"": ""}
    (tmp_path / "README.md").write_text(COPY.format(whole="5" * 40))
    assert tool.commits(tmp_path) == {"": "5" * 40, "mdm/commands/lamp.yaml": "0123abcd"}


def test_git_tells_the_commit_of_a_checkout(tmp_path):
    def git(*words: str) -> str:
        name = ["-c", "user.name=Keeper", "-c", "user.email=keeper@example.org"]
        done = subprocess.run(["git", *name, *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "Lamps")
    assert tool.commits(tmp_path) == {"": git("rev-parse", "HEAD")}


def test_what_is_no_schema_is_said(tmp_path):
    told = run("--schema", tmp_path, tmp_path / "facts.json")
    assert told.returncode == 1
    assert "mdm/commands/application.remove.yaml" in told.stderr
    assert tool.REPOSITORY in told.stderr
    assert not (tmp_path / "facts.json").exists()


def test_facts_are_written_a_line_for_what_fits():
    text = tool.written({"a": {"b": [1, 2]}, "c": ["x" * 70, "y" * 70], "d": {}})
    assert json.loads(text) == {"a": {"b": [1, 2]}, "c": ["x" * 70, "y" * 70], "d": {}}
    assert text.splitlines()[1:3] == [' "a": {"b": [1, 2]},', ' "c": [']
