"""What people are told of an assessment, worked out once for the page, the terminal and the exchange formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from proscribe.assess.emit.hostile import visible
from proscribe.assess.emit.words import ACTORS, PLATFORMS, RATINGS, SHORT_GRANTS
from proscribe.assess.facts import Run
from proscribe.assess.model import Assessment
from proscribe.assess.profile import Actor, AreaAccess, Evidence, Finding
from proscribe.assess.rate.verdict import in_force
from proscribe.assess.rate.words import listed
from proscribe.assess.terms import (
    CONTENT_AREAS,
    ActorKind,
    Area,
    Declaration,
    Extent,
    FactClass,
    Grant,
    Ladder,
    Rating,
)
from proscribe.text import Text, plural

NAME_LIMIT = 60

STATIC = Text(
    "This is a reading of the file, not of a phone: it shows what the code can do, not that it has done it.",
    "Ceci est une lecture du fichier, non d'un téléphone : elle montre ce que le code peut faire, non qu'il l'a fait.",
)
"""What holds of every static assessment, said beside what could not be seen."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The 13 kinds of content, each in one group.

    ``reached``: code that does it was found and can be granted; ``lesser``: asked for or named only; ``withheld``:
    found, but not declared, never grantable or set aside by a review; ``unseen``: no sign in what could be read.
    """

    reached: tuple[AreaAccess, ...]
    lesser: tuple[AreaAccess, ...]
    withheld: tuple[AreaAccess, ...]
    unseen: tuple[AreaAccess, ...]
    at_least: bool  # the look was not complete enough to call the numbers whole

    @property
    def of(self) -> int:
        return len(self.reached) + len(self.lesser) + len(self.withheld) + len(self.unseen)


def reach(assessment: Assessment) -> Reach:
    """How many kinds of content the app's code reaches, and in what other state the rest is."""
    rows = [row for row in assessment.access if row.area in CONTENT_AREAS]
    found = [row for row in rows if row.ladder is not Ladder.none]
    counted = [row for row in found if row.counts]
    return Reach(
        tuple(row for row in counted if row.ladder >= Ladder.called),
        tuple(row for row in counted if row.ladder < Ladder.called),
        tuple(row for row in found if not row.counts),
        tuple(row for row in rows if row.ladder is Ladder.none),
        assessment.rating.rating is Rating.inconclusive,
    )


def name_of(assessment: Assessment) -> str:
    """What the app is called, fit to be shown."""
    return visible(assessment.app_name or assessment.app_id, NAME_LIMIT)


def sentence(assessment: Assessment) -> Text:
    """The assessment in one sentence. Static analysis shows what an app can do, never that it has done it."""
    name, rating = name_of(assessment), assessment.rating.rating
    if rating is Rating.inconclusive:
        return Text(
            f"What {name} can reach on a device could not be established",
            f"Ce que {name} peut atteindre sur un appareil n'a pas pu être établi",
        )
    word = RATINGS[rating]
    return Text(
        f"{name} can gain {word.en} access to a device's contents",
        f"{name} peut obtenir un accès {word.fr} au contenu d'un appareil",
    )


def rung_of(assessment: Assessment, row: AreaAccess, words: Mapping[Ladder, Text]) -> Text:
    """The rung in ``words``. Where the rating is inconclusive, no sign is no answer: it is "not known"."""
    if row.ladder is Ladder.none and assessment.rating.rating is Rating.inconclusive:
        return Text("not known", "indéterminé")
    return words[row.ladder]


def reach_line(found: Reach) -> Text:
    """The picture in one sentence."""
    least = Text("at least ", "au moins ") if found.at_least else Text("", "")
    parts = [
        Text(
            f"Of {found.of} kinds of content on a device, this app's code reaches {least.en}{len(found.reached)}",
            f"Sur {found.of} types de contenu d'un appareil, le code de l'application en atteint {least.fr}"
            f"{len(found.reached)}",
        )
    ]
    none = Text("not known", "indéterminés") if found.at_least else Text("with no sign", "sans aucun signe")
    others = (
        (
            found.lesser,
            Text("only asked for or named", "seulement demandé ou nommé"),
            Text("only asked for or named", "seulement demandés ou nommés"),
        ),
        (
            found.withheld,
            Text("found without effect", "trouvé, mais sans effet"),
            Text("found without effect", "trouvés, mais sans effet"),
        ),
        (found.unseen, none, none),
    )
    parts += [plural(len(rows), one, many) for rows, one, many in others if rows]
    return Text("; ".join(part.en for part in parts) + ".", "; ".join(part.fr for part in parts) + ".")


def title_line(assessment: Assessment) -> str:
    """Id, version and platform, as they stand in the package: not words of ours."""
    version = " ".join(filter(None, (assessment.version, f"({assessment.build})" if assessment.build else "")))
    platform = PLATFORMS.get(assessment.platform, str(assessment.platform))
    return ", ".join(filter(None, (visible(assessment.app_id, 120), visible(version, NAME_LIMIT), platform)))


def actors_of(assessment: Assessment, row: AreaAccess) -> tuple[Actor, ...]:
    """Whose code stands behind a row of the map, each once: the app first, then by how much evidence there is."""
    wanted = set(row.findings)
    return ranked_actors(one for one in assessment.findings if one.id in wanted)


def condition_of(assessment: Assessment, row: AreaAccess) -> Text:
    """Who must agree; where the access is without effect for another reason, that."""
    if row.counts or row.grant is Grant.never:
        return SHORT_GRANTS[row.grant]
    mine = [finding for finding in assessment.findings if finding.id in row.findings]
    if mine and all(finding.suppressed for finding in mine):
        return Text("set aside", "écarté")
    if row.declaration is Declaration.not_declared:
        return Text("not declared", "non déclaré")
    return SHORT_GRANTS[row.grant]


def evidence_count(assessment: Assessment, row: AreaAccess) -> int:
    """How many pieces of evidence stand behind a row of the map."""
    wanted = set(row.findings)
    return sum(one.evidence_total for one in assessment.findings if one.id in wanted)


def ranked_actors(findings: Iterable[Finding]) -> tuple[Actor, ...]:
    """Actors of some findings: those with effect, the app, SDKs with a service, then libraries; most evidence first."""
    weight: dict[Actor, int] = {}
    effective: set[Actor] = set()
    for finding in findings:
        weight[finding.actor] = weight.get(finding.actor, 0) + finding.evidence_total
        if in_force(finding):
            effective.add(finding.actor)

    def rank(one: Actor) -> tuple[bool, int, bool, int, str]:
        return one not in effective, _KINDS.index(one.kind), is_library(one), -weight[one], one.sdk

    return tuple(sorted(weight, key=rank))


_KINDS = (ActorKind.app, ActorKind.sdk, ActorKind.unattributed, ActorKind.declaration)


def is_library(actor: Actor) -> bool:
    """Whether it is another maker's code that needs nobody's service: its maker receives nothing by it."""
    return actor.kind is ActorKind.sdk and not actor.operator


LIBRARY, LIBRARIES = Text("library", "bibliothèque"), Text("libraries", "bibliothèques")


def actor_names(actors: Sequence[Actor], most: int) -> Text:
    """The first few, and how many more there are: ``the app, Tencent TBS (X5) and 3 libraries``.

    Libraries are counted where somebody else stands beside them; so a maker who receives data is never lost among
    them. A mere declaration is nobody's code, where code was found too.
    """
    doing = [one for one in actors if one.kind is not ActorKind.declaration] or list(actors)
    libraries = [one for one in doing if is_library(one)]
    named = [one for one in doing if not is_library(one)]
    if not named or (len(libraries) == 1 and len(doing) <= most):
        named, libraries = doing, []
    parts = [actor_name(one) for one in named[:most]]
    if len(named) > most:
        more = len(named) - most
        parts.append(Text(f"{more} more", f"{more} autre{'s' if more > 1 else ''}"))
    if libraries:
        parts.append(plural(len(libraries), LIBRARY, LIBRARIES))
    return listed(parts)


def actor_name(actor: Actor, *, full: bool = False) -> Text:
    """``the app``, ``Tencent TBS`` or, in full, with the vendor and its country."""
    if actor.kind is not ActorKind.sdk:
        return ACTORS[actor.kind]
    name = actor.name or actor.sdk
    vendor = "" if actor.vendor == name else actor.vendor
    known = ", ".join(filter(None, (vendor, actor.country)))
    text = f"{name} ({known})" if full and known else name
    return Text(text, text)


def joined(texts: Iterable[Text], separator: str = ", ") -> Text:
    """Several texts on one line."""
    both = list(texts)
    return Text(separator.join(one.en for one in both), separator.join(one.fr for one in both))


@dataclass(frozen=True, slots=True)
class Telling:
    """One capability that speaks for its area: who does it, and one place to look it up."""

    title: Text
    ladder: Ladder
    actors: tuple[Actor, ...]
    place: Evidence | None


def telling(assessment: Assessment) -> list[Telling]:
    """One capability an area, those that the rule names first.

    Of an area, the weightiest that is called in the code stands for it (capabilities are numbered by weight); where
    none is, the weightiest. Where the rating rests on no finding, those that count.
    """
    fired = [one for one in assessment.findings if one.id in set(assessment.rating.findings)]
    counted = [one for one in assessment.findings if one.suppressed is None and in_force(one)]
    named = " ".join(text.en for text in assessment.rating.because)
    groups: dict[Area, dict[str, list[Finding]]] = {}
    for finding in fired or counted:
        groups.setdefault(finding.area, {}).setdefault(finding.capability, []).append(finding)
    order = list(Area)

    def rank(item: tuple[str, list[Finding]]) -> tuple[bool, bool, str]:
        # Code that does it says more than a mere request or name, whatever the numbers of the capabilities.
        return item[0] not in named, all(one.ladder < Ladder.called for one in item[1]), item[0]

    best = [min(group.items(), key=rank) for group in groups.values()]
    best.sort(key=lambda item: (item[0] not in named, order.index(item[1][0].area)))
    return [_telling(findings) for _, findings in best]


def _telling(findings: Sequence[Finding]) -> Telling:
    actors = ranked_actors(findings)
    first = next(one for one in findings if one.actor == actors[0])
    return Telling(first.title, max(one.ladder for one in findings), actors, first_place(first))


def findings_by_actor(assessment: Assessment) -> list[tuple[Actor, int]]:
    """How many findings each actor's code has: the app, then SDKs with a service, then the rest, most findings first.

    That code is merely there is no finding about it.
    """
    counts: dict[Actor, int] = {}
    for finding in assessment.findings:
        if finding.area is not Area.supply_chain and finding.actor.kind is not ActorKind.declaration:
            counts[finding.actor] = counts.get(finding.actor, 0) + (finding.suppressed is None)
    found = [(actor, count) for actor, count in counts.items() if count]
    return sorted(found, key=lambda one: (is_library(one[0]), _KINDS.index(one[0].kind), -one[1], one[0].sdk))


def not_seen(assessment: Assessment) -> tuple[Text, ...]:
    """What could not be seen, and what no reading of a file can see."""
    whole = Text(
        "Every part of the package that is looked at was read whole.",
        "Chaque partie examinée du paquet a été lue en entier.",
    )
    return (*(assessment.hidden or (whole,)), STATIC)


def suppressed_findings(assessment: Assessment) -> list[Finding]:
    """Findings that a person set aside."""
    return [one for one in assessment.findings if one.suppressed is not None]


def first_place(finding: Finding) -> Evidence | None:
    """The piece of evidence that says most: a place in the code where there is one."""
    placed = [one for one in finding.evidence if one.offset >= 0]
    return placed[0] if placed else (finding.evidence[0] if finding.evidence else None)


def readable(descriptor: str, *, short: bool = False) -> str:
    """``com.a.B.m`` of ``Lcom/a/B;->m(I)V``, or ``B.m`` in short; what is no descriptor stays as it is."""
    kind, arrow, member = descriptor.partition(";->")
    if not (arrow and kind.startswith("L")):
        return descriptor
    name = kind[1:].replace("/", ".")
    if short:
        name = name.rpartition(".")[2]
    return f"{name}.{member.partition('(')[0].partition(':')[0]}"


_WORST = (Extent.failed, Extent.hidden, Extent.partial, Extent.complete, Extent.absent, Extent.not_applicable)


def extent_of(runs: Iterable[Run]) -> Extent:
    """The worst of several readers' results: one reader that failed is enough for a class not to be whole."""
    return min((run.extent for run in runs), key=_WORST.index)


def completeness(assessment: Assessment) -> list[tuple[FactClass, list[Run]]]:
    """Readers by fact class, in the order of ``FactClass``; only classes that apply to the platform."""
    classes: dict[FactClass, list[Run]] = {}
    for run in assessment.runs:
        classes.setdefault(run.of, []).append(run)
    return [
        (of, classes[of]) for of in FactClass if of in classes and extent_of(classes[of]) is not Extent.not_applicable
    ]


def members(assessment: Assessment) -> dict[str, str]:
    """Digest (hex) of every member that evidence names, sorted by member."""
    found: dict[str, str] = {}
    for evidence in every_evidence(assessment):
        if evidence.sha256:
            found[evidence.member] = evidence.sha256
    for dex in assessment.code.dex:
        found[dex.member] = dex.sha256
    for library in assessment.code.native:
        found[library.member] = library.sha256
    return dict(sorted(found.items()))


def every_evidence(assessment: Assessment) -> Iterable[Evidence]:
    """The evidence of every finding and of every SDK."""
    for finding in assessment.findings:
        yield from finding.evidence
    for sdk in assessment.sdks:
        yield from sdk.evidence
