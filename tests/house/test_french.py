"""French is written, not left over: what a program can see of that, for every Text in the source."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Words that lose their accents when somebody types without them; none of these is a French word as it stands.
UNACCENTED = re.compile(
    r"\b(systeme|deja|apres|verifi\w*|cle|cles|numero|donnees|gere|gerees?|prevu|selectionn\w*|periode|reussi\w*|echec|"
    r"etat|etape|etre|meme|tres|parametre\w*|regle|enleve|decouvert\w*|resultat\w*)\b",
    re.IGNORECASE,
)
PLACEHOLDER = "\N{OBJECT REPLACEMENT CHARACTER}"

# What is not said -> what is said instead (docs/glossary.md).
TERMS = {
    r"réglages?\b": "paramètre",
    r"magasins?\b": "boutique",
    r"révisée?s?\b": "examiné",
    r"(?:l'|d'|un |aucun )ids?\b": "identifiant",
    r"progiciels?\b": "paquet",
    r"list(?:er|ée?s?)\b": "énumérer, figurer dans la liste",
    r"par conception\b": "par choix de conception",
    r"sourcée?s?\b": "documenté, avec sa source",
    r"justificatifs\b(?! d'identité)": "justificatifs d'identité",
    r"genres? (?:de|d')": "type",
    r"dérives?\b": "écart",
    r"cycle\b": "passage",
    r"(?:cette politique|de la politique|politique (?:partagée|distincte|non))\b": "stratégie",
    r"inscription par l'utilisateur": "inscription d'utilisateur",
    r"accusé\b(?! de réception)": "accusé de réception",
    r"port(?:ent|ant) (?:des sosies|une application)": "comporter",
    r"directives? en infraction": "directive enfreinte",
    r"obligatoire en partie": "contraignante en partie",
    r"imprimer (?:le|un) (?:schéma|document)": "afficher, produire",
    r"canary": "canari",
    r"(?<!trousse )(?<!trousses )(?<!\()sdks?\b(?! de msa)": "trousse SDK",
    r"kits? de développement": "trousse de développement logiciel",
    r"(?:mis(?:e|es)?|met|mets|mettre|mettent) de côté": "écarté",
    r"doit accepter": "doit consentir",
    r"compact(?:é|ée|és|ées|eurs?)\b": "empaqueté, empaqueteur",
    r"droits? d'accès (?:\(|com\.)": "droit (entitlement)",
    r"cadres? (?:logiciels?|d'essai)": "cadriciel",
    r"tourne\b": "est en cours d'exécution",
    r"révisions?\b": "examen",
    r"charges? utiles?\b": "données utiles",
    r"contenus? de restrictions": "données utiles, profil de restrictions",
    r"(?:applications?|identifiants?) surveillée?s?\b": "recherché",
    r"(?:se|s'y) manifeste": "prendre contact, à son prochain contact",
    r"(?:la|par la|leur) casse\b": "majuscules et minuscules",
    r"extraits? d'applications?": "extrait d'app",
    r"mises? en suspens (?:des? )?documents?": "mise en suspens de l'élimination",
    r"pesée?s?\b": "examiné",
    r"états? d'ensemble": "état des organismes",
    r"l'état de sortie": "code de sortie",
}
NOT_SAID = re.compile(r"(?:^|(?<=[^\w-]))(?:" + "|".join(TERMS) + ")")
# In the program a department is an attribute of a device; in directives it may be a ministry.
MINISTRY = re.compile(r"\bministères?\b(?! des Phares)", re.IGNORECASE)
# Bilingual data: {en: "...", fr: "..."}, fr = "...", blind_to_fr = "...".
DATA = re.compile(r'(?:\bfr\s*[:=]|\bblind_to_fr =)\s*"((?:[^"\\]|\\.)*)"')


def words(node: ast.expr) -> str:
    """The written part of a text; what is filled in at run time is one strange character."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part) if isinstance(part, ast.Constant) else PLACEHOLDER for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return words(node.left) + words(node.right)
    return PLACEHOLDER


def bilingual(node: ast.AST) -> Iterator[list[ast.expr]]:
    """English and French of ``Text(en, fr)``, and of the pairs in ``flaw(name, (en, fr), (en, fr))``."""
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        if name == "Text" and len(node.args) == 2:
            yield node.args
        elif name == "flaw":
            yield from (one.elts for one in node.args if isinstance(one, ast.Tuple) and len(one.elts) == 2)


def texts(root: Path) -> list[tuple[str, str, str]]:
    """(place, English, French) of every sentence in the source that is written in both languages."""
    found = []
    for file in sorted((root / "src" / "proscribe").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            for pair in bilingual(node):
                english, french = map(words, pair)
                found.append((f"{file.relative_to(root)}:{node.lineno}", english, french))
    return found


def packed(value: Any) -> Iterator[str]:
    """The French in a row of a data pack."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name == "fr" and isinstance(part, str):
                yield part
            else:
                yield from packed(part)
    elif isinstance(value, list):
        for part in value:
            yield from packed(part)


@pytest.fixture(scope="module")
def pairs(root):
    found = texts(root)
    assert len(found) > 300
    return found


@pytest.fixture(scope="module")
def written(root, pairs):
    """(place, "", French) of every Text and of all bilingual data."""
    found = [(place, "", french) for place, _, french in pairs]
    for file in sorted(path for path in (root / "src" / "proscribe").rglob("*") if path.suffix in {".yaml", ".toml"}):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            found += [(f"{file.relative_to(root)}:{number}", "", french) for french in DATA.findall(line)]
    for file in sorted((root / "src" / "proscribe").rglob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            found += [(f"{file.relative_to(root)}:{number}", "", french) for french in packed(json.loads(line))]
    assert len(found) > len(pairs) + 1000
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


def test_punctuation_is_spaced_as_in_canada(written):
    """A no-break space, of one kind only, before a colon and % and inside guillemets; none before ; ! ?"""
    assert not offenders(written, lambda _, french: re.search(r"[\s\u00a0][;!?](\s|$)", french))
    assert not offenders(written, lambda _, french: re.search(r"«[^\u00a0]|[^\u00a0]»", french))
    assert not offenders(written, lambda _, french: re.search(r" :(\s|$)|^ :", french))
    assert not offenders(written, lambda _, french: re.search(rf"[0-9{PLACEHOLDER}] %(\W|$)", french))
    assert not offenders(written, lambda _, french: re.search("[\u202f\u2019]", french))
    outside = re.compile(r"«[^»]*»|\[[^]]*\]")
    assert not offenders(written, lambda _, french: re.search(r"[a-zé»]: ", outside.sub("", french)))


def test_one_term_for_each_thing(written, pairs):
    """What is forbidden here stands beside its better in TERMS."""
    # "Réglages" is the name of Apple's app.
    assert not offenders(written, lambda _, french: NOT_SAID.search(french.replace("Réglages", "").lower()))
    assert not offenders(pairs, lambda _, french: MINISTRY.search(french))


def test_a_plural_is_made_not_bracketed(pairs):
    """``1 fichiers`` and ``fichier(s)`` are both avoided with ``text.plural``."""
    assert not offenders(pairs, lambda english, french: re.search(r"\w\(e?s\)", english + " " + french, re.IGNORECASE))


def test_the_glossary_gives_every_preferred_term(root):
    glossary = (root / "docs" / "glossary.md").read_text("utf-8").lower()
    for term in (
        *("paramètre", "boutique", "examiné", "identifiant", "stratégie", "direction", "accusé de réception"),
        *("trousse sdk", "écarter", "consentir", "empaqueté", "droit (entitlement)", "cadriciel"),
        *("données utiles", "recherché", "prochain contact", "majuscules et minuscules", "extrait d'app"),
    ):
        assert term in glossary


def test_both_languages_fill_in_the_same_number_of_values_or_one_says_why(pairs):
    """A value that only one language shows is usually forgotten in the other."""
    uneven = offenders(pairs, lambda english, french: (PLACEHOLDER in english) != (PLACEHOLDER in french))
    assert not uneven
