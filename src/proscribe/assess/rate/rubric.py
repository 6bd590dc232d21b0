"""The organisation's rubric: rules that turn findings into a word, as a document that people read, edit and compare.

Rules stand from mild to severe. Every rule whose condition holds fires, and the last one that fired gives the rating;
so a rule may build on an earlier one (``rule: considerable-areas``) and adding one never silences another. The rules
under ``inconclusive`` say when the package was read too poorly for any word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from proscribe import documents
from proscribe.assess.errors import BrokenPack
from proscribe.assess.profile import Reference
from proscribe.assess.terms import CONTENT_AREAS, Area, Extent, FactClass, Ladder, Rating
from proscribe.canonical import digest_bytes
from proscribe.documents import Document, Value
from proscribe.errors import Where
from proscribe.terms import Platform
from proscribe.text import Text

SHIPPED = Path(__file__).parent.parent / "data" / "rubric.yaml"

SEVERITY = (Rating.limited, Rating.moderate, Rating.considerable, Rating.pervasive)


class Rung(StrEnum):
    """The evidence ladder as people write it."""

    E1 = "E1"
    E2 = "E2"
    E3 = "E3"
    E4 = "E4"

    @property
    def ladder(self) -> Ladder:
        """The rung as the findings have it."""
        return Ladder(int(self.value[1]))


@dataclass(frozen=True, slots=True)
class AreasAt(Value):
    """At least so many areas with a finding at this rung or above. ``areas``: which ones; empty, the 13 of contents.

    ``grantable`` False counts what can never be granted or is not declared too.
    """

    ladder: Rung
    at_least: int
    grantable: bool = True
    areas: tuple[Area, ...] = ()

    @property
    def among(self) -> tuple[Area, ...]:
        """The areas that are looked at."""
        return self.areas or CONTENT_AREAS


@dataclass(frozen=True, slots=True)
class CapabilityAt(Value):
    """Any of these capabilities at this rung or above."""

    any_of: tuple[str, ...]
    ladder: Rung
    grantable: bool = True


@dataclass(frozen=True, slots=True)
class FactAt(Value):
    """A fact class of which any reader came to one of these extents."""

    of: FactClass
    extent: tuple[Extent, ...]


@dataclass(frozen=True, slots=True)
class Condition(Value):
    """Exactly one of the fields. ``all: []`` always holds; ``none`` holds where none of its conditions does."""

    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    none: tuple[Condition, ...] | None = None
    areas_at: AreasAt | None = None
    capability_at: CapabilityAt | None = None
    fact: FactAt | None = None
    rule: str | None = None
    disagreement: bool | None = None

    def parts(self) -> Iterator[tuple[str, Condition]]:
        """The conditions inside, with the field they stand in."""
        for name in ("all", "any", "none"):
            for number, inner in enumerate(getattr(self, name) or ()):
                yield f"{name}.{number}", inner


@dataclass(frozen=True, slots=True)
class Rule(Value):
    """One rule. ``platform``: only there; without it, everywhere."""

    id: str
    title: Text
    rating: Rating
    when: Condition
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class InconclusiveRule(Value):
    """A reason for which no word can be given."""

    id: str
    title: Text
    when: Condition
    platform: Platform | None = None


@dataclass(frozen=True)
class Rubric(Document):
    """How findings become a rating.

    ``android_from``: the oldest Android API level that the organisation's phones run; a permission that ends before it
    is not counted. ``reflection_per_million``: more reflective calls than this in a million code units (16 bits) are
    hidden code.
    """

    KIND: ClassVar[str] = "proscribe.rubric"

    id: str
    version: str
    title: Text
    rules: tuple[Rule, ...]
    inconclusive: tuple[InconclusiveRule, ...] = ()
    android_from: int = 0
    reflection_per_million: int = 1_000_000


def load_rubric(path: Path | None = None) -> Rubric:
    """The rubric of a file, or the shipped one.

    Raises BrokenPack, InvalidDocument or UnreadableFile, each with file, field and remedy.
    """
    if path is None:
        return _shipped()
    rubric = documents.read(Rubric, path)
    check(rubric, source=str(path))
    return rubric


@lru_cache(maxsize=1)
def _shipped() -> Rubric:
    rubric = documents.from_shipped(Rubric, documents.parse(SHIPPED.read_text("utf-8"), source=str(SHIPPED)))
    check(rubric, source=str(SHIPPED))
    return rubric


@lru_cache(maxsize=16)
def reference(rubric: Rubric) -> Reference:
    """What an assessment names the rubric by."""
    return Reference(id=rubric.id, version=rubric.version, digest=digest_bytes(documents.quick_bytes(rubric)))


def check(rubric: Rubric, *, source: str = "") -> None:
    """What the schema cannot say: ids, order, references. Raises BrokenPack at the first fault."""
    for fault_field, what, remedy in _faults(rubric):
        raise BrokenPack(what, remedy=remedy, where=Where(file=source, field=fault_field))


def check_capabilities(rubric: Rubric, capabilities: Collection[str], *, source: str = "") -> None:
    """Every capability that a rule names is in the pack. Raises BrokenPack."""
    for place, condition in _conditions(rubric):
        for name in condition.capability_at.any_of if condition.capability_at else ():
            if name not in capabilities:
                raise BrokenPack(
                    Text(
                        f"no capability {name!r} in the packs",
                        f"aucune capacité «\u00a0{name}\u00a0» dans les ensembles",
                    ),
                    remedy=Text(
                        "Correct the id; 'proscribe data list' shows the packs in use.",
                        "Corrigez l'identifiant; «\u00a0proscribe data list\u00a0» affiche les ensembles utilisés.",
                    ),
                    where=Where(file=source, field=f"{place}.capability_at.any_of"),
                )


Fault = tuple[str, Text, Text]


def _faults(rubric: Rubric) -> Iterator[Fault]:
    yield from _rule_faults(rubric)
    yield from _order_faults(rubric)
    for place, condition in _conditions(rubric):
        yield from _condition_faults(place, condition)
    yield from _reference_faults(rubric)


def _rule_faults(rubric: Rubric) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, rule in _rules(rubric):
        if not rule.id or rule.id in seen:
            yield (
                f"{place}.id",
                Text(
                    f"the rule id {rule.id!r} is empty or stands twice",
                    f"l'identifiant de règle «\u00a0{rule.id}\u00a0» est vide ou figure deux fois",
                ),
                Text("Give every rule an id of its own.", "Donnez à chaque règle son propre identifiant."),
            )
        seen.add(rule.id)
    if not rubric.rules or rubric.rules[0].when.all != () or rubric.rules[0].platform is not None:
        yield (
            "rules.0.when",
            Text(
                "the first rule has to hold for every app, so that every app gets a rating",
                "la première règle doit valoir pour toute application, afin que chacune reçoive une cote",
            ),
            Text(
                "Begin with a rule whose condition is 'all: []' and that names no platform.",
                "Commencez par une règle de condition «\u00a0all: []\u00a0» qui ne nomme aucune plateforme.",
            ),
        )


def _order_faults(rubric: Rubric) -> Iterator[Fault]:
    highest = dict.fromkeys(Platform, 0)
    for number, rule in enumerate(rubric.rules):
        place = f"rules.{number}.rating"
        if rule.rating not in SEVERITY:
            yield (
                place,
                Text("a rule cannot give 'inconclusive'", "une règle ne peut pas donner «\u00a0inconclusive\u00a0»"),
                Text("Move the rule under 'inconclusive'.", "Placez la règle sous «\u00a0inconclusive\u00a0»."),
            )
            continue
        severity = SEVERITY.index(rule.rating)
        apply_to = [rule.platform] if rule.platform else list(Platform)
        if severity < max(highest[platform] for platform in apply_to):
            yield (
                place,
                Text(
                    f"rule {rule.id!r} is milder than one before it, and the last rule that fires gives the rating",
                    f"la règle «\u00a0{rule.id}\u00a0» est moins sévère qu'une règle précédente, et la dernière qui "
                    "s'applique donne la cote",
                ),
                Text("Order the rules from mild to severe.", "Ordonnez les règles de la moins à la plus sévère."),
            )
        highest |= {platform: max(highest[platform], severity) for platform in apply_to}


def _condition_faults(place: str, condition: Condition) -> Iterator[Fault]:
    given = [name for name in Condition.__dataclass_fields__ if getattr(condition, name) is not None]
    if len(given) != 1:
        names = ", ".join(Condition.__dataclass_fields__)
        yield (
            place,
            Text(
                f"a condition has exactly one field, this one has {len(given)}",
                f"une condition a exactement un champ, celle-ci en a {len(given)}",
            ),
            Text(
                f"Give one of {names}; put several into 'all' or 'any'.",
                f"Indiquez l'un des champs suivants\u00a0: {names}; placez-en plusieurs dans «\u00a0all\u00a0» ou "
                "«\u00a0any\u00a0».",
            ),
        )
    areas = condition.areas_at
    if areas is not None and not 1 <= areas.at_least <= len(areas.among):
        yield (
            f"{place}.areas_at.at_least",
            Text(
                f"{areas.at_least} of {len(areas.among)} areas cannot be asked for",
                f"on ne peut pas exiger {areas.at_least} domaines sur {len(areas.among)}",
            ),
            Text(f"Give 1 to {len(areas.among)}.", f"Indiquez de 1 à {len(areas.among)}."),
        )
    if condition.disagreement is False:
        yield (
            f"{place}.disagreement",
            Text("'disagreement' can only be true", "«\u00a0disagreement\u00a0» ne peut être que «\u00a0true\u00a0»"),
            Text(
                "Put it under 'none' to say the opposite.", "Placez-le sous «\u00a0none\u00a0» pour dire le contraire."
            ),
        )


def _reference_faults(rubric: Rubric) -> Iterator[Fault]:
    known: dict[str, Platform | None] = {}
    for place, rule in _rules(rubric):
        for inner_place, condition in _walk(f"{place}.when", rule.when):
            if condition.rule is not None and condition.rule not in known:
                yield (
                    f"{inner_place}.rule",
                    Text(
                        f"there is no rule {condition.rule!r} before this one",
                        f"il n'y a pas de règle «\u00a0{condition.rule}\u00a0» avant celle-ci",
                    ),
                    Text(
                        "Name a rule that stands earlier in the file.",
                        "Nommez une règle qui figure plus haut dans le fichier.",
                    ),
                )
        known[rule.id] = rule.platform


def _rules(rubric: Rubric) -> Iterator[tuple[str, Rule | InconclusiveRule]]:
    for number, rule in enumerate(rubric.rules):
        yield f"rules.{number}", rule
    for number, reason in enumerate(rubric.inconclusive):
        yield f"inconclusive.{number}", reason


def _conditions(rubric: Rubric) -> Iterator[tuple[str, Condition]]:
    for place, rule in _rules(rubric):
        yield from _walk(f"{place}.when", rule.when)


def _walk(place: str, condition: Condition) -> Iterator[tuple[str, Condition]]:
    yield place, condition
    for name, inner in condition.parts():
        yield from _walk(f"{place}.{name}", inner)
