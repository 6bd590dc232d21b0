"""The rules of a rubric over findings: which fire, why, and which rating that gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from proscribe.assess.facts import Run
from proscribe.assess.profile import Finding
from proscribe.assess.rate.grants import GRANTABLE
from proscribe.assess.rate.rubric import AreasAt, CapabilityAt, Condition, FactAt, InconclusiveRule, Rubric, Rule
from proscribe.assess.rate.words import AGREES, AREAS, FOUND, actor_names, few, listed
from proscribe.assess.terms import Area, Declaration, Extent, FactClass, Ladder, Rating
from proscribe.terms import Platform
from proscribe.text import COLON, Text, number


def in_force(finding: Finding) -> bool:
    """Whether the access can work: it is grantable, and declared where it must be (or it was seen at run time)."""
    if finding.grant not in GRANTABLE:
        return False
    return finding.ladder is Ladder.observed or finding.declaration in {Declaration.declared, Declaration.not_needed}


def counts(finding: Finding) -> bool:
    """Whether a finding counts towards the rating: it is in force and nobody set it aside."""
    return finding.suppressed is None and in_force(finding)


@dataclass(frozen=True, slots=True)
class Reading:
    """How well the package was read, as conditions ask for it."""

    platform: Platform
    extents: Mapping[FactClass, frozenset[Extent]]
    disagreements: tuple[str, ...]


def reading_of(platform: Platform, runs: Iterable[Run], disagreements: Iterable[str]) -> Reading:
    """Every extent that any reader of a fact class came to."""
    extents: dict[FactClass, set[Extent]] = {}
    for run in runs:
        extents.setdefault(run.of, set()).add(run.extent)
    return Reading(platform, {of: frozenset(found) for of, found in extents.items()}, tuple(disagreements))


@dataclass(frozen=True, slots=True)
class Reason:
    """A fact that made a condition hold, and the findings it rests on."""

    text: Text
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """``rating`` by the rules alone; ``unsure``: the inconclusive rules that fired.

    ``rule`` gave the rating; ``agreeing`` fired with the same rating, so that the rating stands without ``rule`` too.
    """

    rating: Rating
    rule: Rule
    agreeing: tuple[Rule, ...]
    unsure: tuple[InconclusiveRule, ...]


class Bench:
    """Findings laid out for the rules: for each area and capability, the best rung of what counts and of all."""

    def __init__(self, rubric: Rubric, reading: Reading, findings: Sequence[Finding], *, suppress: bool = True) -> None:
        self._rubric = rubric
        self._reading = reading
        self._standing = [one for one in findings if not (suppress and one.suppressed)]
        self._areas: dict[tuple[Area, bool], Ladder] = {}
        self._capabilities: dict[tuple[str, bool], Ladder] = {}
        self._fired: set[str] = set()
        self._rules: dict[str, Rule | InconclusiveRule] = {}
        for finding in self._standing:
            self._lay(finding, grantable=False)
            if in_force(finding):
                self._lay(finding, grantable=True)

    def _lay(self, finding: Finding, *, grantable: bool) -> None:
        area, capability = (finding.area, grantable), (finding.capability, grantable)
        self._areas[area] = max(finding.ladder, self._areas.get(area, Ladder.none))
        self._capabilities[capability] = max(finding.ladder, self._capabilities.get(capability, Ladder.none))

    def verdict(self) -> Verdict:
        """Apply the rules in order. The last one that fires gives the rating."""
        base, *rules = self._rubric.rules
        fired = [rule for rule in (base, *rules) if self._fires(rule)]
        last = fired[-1]
        agreeing = tuple(rule for rule in fired[1:-1] if rule.rating is last.rating)
        unsure = tuple(rule for rule in self._rubric.inconclusive if self._fires(rule))
        return Verdict(last.rating, last, agreeing, unsure)

    def _fires(self, rule: Rule | InconclusiveRule) -> bool:
        if rule.platform not in {None, self._reading.platform} or not self._holds(rule.when):
            return False
        self._fired.add(rule.id)
        self._rules[rule.id] = rule
        return True

    def _holds(self, condition: Condition) -> bool:
        if condition.all is not None:
            return all(map(self._holds, condition.all))
        if condition.any is not None:
            return any(map(self._holds, condition.any))
        if condition.none is not None:
            return not any(map(self._holds, condition.none))
        return self._leaf(condition)

    def _leaf(self, condition: Condition) -> bool:
        if condition.areas_at is not None:
            return len(self._areas_at(condition.areas_at)) >= condition.areas_at.at_least
        if condition.capability_at is not None:
            return bool(self._capabilities_at(condition.capability_at))
        if condition.fact is not None:
            return bool(self._extents(condition.fact))
        if condition.rule is not None:
            return condition.rule in self._fired
        return bool(self._reading.disagreements)

    def _areas_at(self, asked: AreasAt) -> list[Area]:
        rung = asked.ladder.ladder
        return [area for area in asked.among if self._areas.get((area, asked.grantable), Ladder.none) >= rung]

    def _capabilities_at(self, asked: CapabilityAt) -> list[str]:
        rung = asked.ladder.ladder
        return [one for one in asked.any_of if self._capabilities.get((one, asked.grantable), Ladder.none) >= rung]

    def _extents(self, asked: FactAt) -> list[Extent]:
        found = self._reading.extents.get(asked.of, frozenset())
        return [extent for extent in asked.extent if extent in found]

    # ---- why -------------------------------------------------------------------------------------------------------

    def reasons(self, rule: Rule | InconclusiveRule) -> list[Reason]:
        """The facts that made a rule fire, after its title; ask after ``verdict``."""
        return [Reason(rule.title), *self._why(rule.when)]

    def _why(self, condition: Condition) -> Iterable[Reason]:
        for _, inner in condition.parts():
            if condition.none is None and self._holds(inner):
                yield from self._why(inner)
        if condition.areas_at is not None:
            yield self._areas_reason(condition.areas_at)
        if condition.capability_at is not None:
            yield from self._capability_reasons(condition.capability_at)
        if condition.fact is not None:
            yield from (_fact_reason(condition.fact.of, extent) for extent in self._extents(condition.fact))
        if condition.rule is not None:
            yield from self._why(self._rules[condition.rule].when)
        if condition.disagreement:
            yield _disagreement_reason(self._reading.disagreements)

    def _on(self, *, grantable: bool, rung: Ladder) -> Iterable[Finding]:
        return (one for one in self._standing if one.ladder >= rung and (in_force(one) or not grantable))

    def _areas_reason(self, asked: AreasAt) -> Reason:
        areas = self._areas_at(asked)
        rung = asked.ladder.ladder
        ids = tuple(one.id for one in self._on(grantable=asked.grantable, rung=rung) if one.area in areas)
        names = listed([AREAS[area] for area in areas])
        count = number(len(areas))
        plural_en, plural_fr = ("s", "s") if len(areas) > 1 else ("", "")
        granted = (
            Text(", grantable to a store app", ", accordables à une application de boutique")
            if asked.grantable
            else Text("", "")
        )
        return Reason(
            Text(
                f"{count.en} area{plural_en} at {asked.ladder.value} or above{granted.en} "
                f"(the rule asks for {asked.at_least}): {names.en}.",
                f"{count.fr} domaine{plural_fr} à l'échelon {asked.ladder.value} ou plus haut{granted.fr} "
                f"(la règle en exige {asked.at_least})\u00a0: {names.fr}.",
            ),
            ids,
        )

    def _capability_reasons(self, asked: CapabilityAt) -> Iterable[Reason]:
        held = self._capabilities_at(asked)
        for capability in held:
            findings = [
                one
                for one in self._on(grantable=asked.grantable, rung=asked.ladder.ladder)
                if one.capability == capability
            ]
            yield Reason(capability_text(findings), tuple(one.id for one in findings))


def capability_text(findings: Sequence[Finding]) -> Text:
    """``Can capture the screen (PSB-A-SCREEN-02): called in the code, by the app; the user is asked at run time.``"""
    best = max(findings, key=lambda one: one.ladder)
    found = FOUND[best.ladder]
    actors = few(actor_names(findings))
    agrees = AGREES[best.grant]
    by = Text(f", by {actors.en}", f", par {actors.fr}") if actors.en else Text("", "")
    return Text(
        f"{best.title.en} ({best.capability}): {lower_first(found.en)} (E{best.ladder.value}){by.en}; {agrees.en}.",
        f"{best.title.fr} ({best.capability})\u00a0: {lower_first(found.fr)} (E{best.ladder.value}){by.fr}; "
        f"{agrees.fr}.",
    )


def lower_first(sentence: str) -> str:
    """A sentence's words inside another one."""
    return sentence[:1].lower() + sentence[1:]


_FACTS: dict[FactClass, Text] = {
    FactClass.container: Text("the container", "le conteneur"),
    FactClass.manifest: Text("the manifest", "le manifeste"),
    FactClass.signature: Text("the signature", "la signature"),
    FactClass.dex: Text("the code (dex)", "le code (dex)"),
    FactClass.native: Text("the native libraries", "les bibliothèques natives"),
    FactClass.resources: Text("the resources", "les ressources"),
    FactClass.splits: Text("the splits", "les paquets partiels"),
    FactClass.plist: Text("the property list", "la liste de propriétés"),
    FactClass.privacy_manifest: Text("the privacy manifests", "les manifestes de confidentialité"),
    FactClass.macho: Text("the code (Mach-O)", "le code (Mach-O)"),
    FactClass.entitlements: Text("the entitlements", "les droits (entitlements)"),
}

_EXTENTS: dict[Extent, Text] = {
    Extent.complete: Text("read in full", "lecture complète"),
    Extent.partial: Text("read in part", "lecture partielle"),
    Extent.hidden: Text("there, and hidden (encrypted or packed)", "contenu illisible (chiffrement ou empaquetage)"),
    Extent.failed: Text("could not be read", "lecture impossible"),
    Extent.absent: Text("not in the package", "absence dans le paquet"),
    Extent.not_applicable: Text("does not apply", "sans objet"),
}


def fact_text(of: FactClass, extent: Extent) -> Text:
    """``the manifest: could not be read``."""
    return _FACTS[of] + COLON + Text(" ", " ") + _EXTENTS[extent]


def _fact_reason(of: FactClass, extent: Extent) -> Reason:
    said = fact_text(of, extent)
    return Reason(Text(said.en[:1].upper() + said.en[1:] + ".", said.fr[:1].upper() + said.fr[1:] + "."))


def _disagreement_reason(about: Sequence[str]) -> Reason:
    names = ", ".join(about)
    return Reason(
        Text(
            f"Two parsers read the manifest differently: {names}.",
            f"Deux analyseurs lisent le manifeste différemment\u00a0: {names}.",
        )
    )
