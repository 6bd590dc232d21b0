"""What click itself says is said in French: a catalogue of its messages, complete, compiled, and bound in time."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import string
import subprocess
import sys
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "proscribe" / "cli" / "locale" / "fr" / "LC_MESSAGES" / "click.po"
CLICK = sorted(Path(click.__file__).parent.glob("*.py"))
ASKS = {"_", "gettext", "ngettext"}


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("compile_messages", ROOT / "tools" / "compile_messages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def messages(tool) -> dict[str, str]:
    found = tool.messages(SOURCE.read_text("utf-8"))
    assert found.pop("")
    return found


def parsed():
    return [node for file in CLICK for node in ast.walk(ast.parse(file.read_text("utf-8")))]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name} | set(re.findall(r"%\(\w+\)s", text))


def test_the_compiled_file_is_what_the_source_says(tool):
    assert SOURCE.with_suffix(".mo").read_bytes() == tool.compiled(SOURCE.read_text("utf-8"))


def test_every_message_occurs_in_the_installed_click(messages):
    literals = {node.value for node in parsed() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert {part for key in messages for part in key.split("\0")} <= literals


def test_no_message_of_the_installed_click_is_left_in_english(messages):
    asked = {
        "\0".join(one.value for one in node.args if isinstance(one, ast.Constant))
        for node in parsed()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ASKS
    } - {""}
    assert len(asked) > 50
    assert asked <= set(messages)


def test_a_translation_fills_in_no_other_values(messages):
    for key, value in messages.items():
        known = set().union(*map(fields, key.split("\0")))
        assert value
        assert all(fields(part) <= known for part in value.split("\0")), key


def test_the_typography_is_canadian(messages):
    for value in messages.values():
        assert not re.search(r"[\s\u00a0][;!?]| :|« | »|\u202f|\w: ", value), value


def test_a_line_that_is_no_message_is_refused(tool):
    with pytest.raises(ValueError, match="not a line of a message: what"):
        tool.messages('msgid "a"\nwhat')


def proscribe(*arguments: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", "from proscribe.cli import main; main()", *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "LANGUAGE": "", **environment},
    )
    return (run.stdout + run.stderr).decode()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], ["Utilisation\u00a0: proscribe", "Options\u00a0:", "Afficher ce message et quitter."]),
        (["check", "--help"], ["Utilisation\u00a0: proscribe check", "[par défaut\u00a0: "]),
        (["nonsense"], ["Erreur\u00a0: Commande inconnue\u00a0: 'nonsense'."]),
        (
            ["check", "--nonsense"],
            ["Erreur\u00a0: Option inconnue\u00a0: '--nonsense'.", "Aide\u00a0: «\u00a0proscribe"],
        ),
        (["plan", "show"], ["Argument manquant"]),
        (["check", "--limit", "many", "x.csv"], ["Valeur non valide pour '--limit'"]),
    ],
)
def test_click_speaks_french(arguments, expected):
    said = proscribe("--lang", "fr", *arguments)
    assert [words for words in expected if words not in said] == []
    assert not re.search(r"\b(Usage|Show|Error|Missing|Invalid|No such|Try|default)\b", said)


def test_the_environment_chooses_the_language_too():
    assert "Afficher ce message et quitter." in proscribe("--help", PROSCRIBE_LANG="fr")


def test_english_stays_english_whatever_the_locale():
    said = proscribe("--lang", "en", "--help", PROSCRIBE_LANG="fr", LC_ALL="fr_CA.UTF-8", LANGUAGE="fr")
    assert "Usage: proscribe" in said
    assert "Show this message and exit." in said
