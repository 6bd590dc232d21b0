"""French is written, not left over: what a program can see of that, for every Text in the source."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

# Words that lose their accents when somebody types without them; none of these is a French word as it stands.
UNACCENTED = re.compile(
    r"\b(systeme|deja|apres|verifi\w*|cle|cles|numero|donnees|gere|gerees?|prevu|selectionn\w*|periode|reussi\w*|echec|"
    r"etat|etape|etre|meme|tres|parametre\w*|regle|enleve|decouvert\w*|resultat\w*)\b",
    re.IGNORECASE,
)
PLACEHOLDER = "\N{OBJECT REPLACEMENT CHARACTER}"


def words(node: ast.expr) -> str:
    """The written part of a text; what is filled in at run time is one strange character."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part) if isinstance(part, ast.Constant) else PLACEHOLDER for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return words(node.left) + words(node.right)
    return PLACEHOLDER


def texts(root: Path) -> list[tuple[str, str, str]]:
    """(place, English, French) of every ``Text(...)`` in the source."""
    found = []
    for file in sorted((root / "src" / "proscribe").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).rpartition(".")[2] == "Text"
                and len(node.args) == 2
            ):
                english, french = map(words, node.args)
                found.append((f"{file.relative_to(root)}:{node.lineno}", english, french))
    return found


@pytest.fixture(scope="module")
def pairs(root):
    found = texts(root)
    assert len(found) > 300
    return found


def offenders(pairs, wrong) -> list[str]:
    return [f"{place}: {french}" for place, english, french in pairs if wrong(english, french)]


def test_a_sentence_is_translated(pairs):
    """A label may be the same in both languages (Source, Android); three words in a row are not."""
    assert not offenders(
        pairs, lambda english, french: english == french and len(re.findall(r"[a-z]{3,}", english)) >= 3
    )


def test_neither_language_is_empty(pairs):
    assert not offenders(pairs, lambda english, french: bool(english.strip()) != bool(french.strip()))


def test_accents_are_there(pairs):
    assert not offenders(pairs, lambda _, french: UNACCENTED.search(re.sub(r"[\w./-]*[._/-]\w+", "", french)))


def test_punctuation_is_spaced_as_in_canada(pairs):
    """A space before a colon and inside guillemets, none before ; ! ?"""
    assert not offenders(pairs, lambda _, french: re.search(r"[\s\u00a0\u202f][;!?](\s|$)", french))
    assert not offenders(pairs, lambda _, french: re.search(r"«\S|\S»", french))
    assert not offenders(pairs, lambda _, french: re.search(r"[a-zé»]: ", re.sub(r"«[^»]*»|\[[^]]*\]", "", french)))


def test_both_languages_fill_in_the_same_number_of_values_or_one_says_why(pairs):
    """A value that only one language shows is usually forgotten in the other."""
    uneven = offenders(pairs, lambda english, french: (PLACEHOLDER in english) != (PLACEHOLDER in french))
    assert not uneven
