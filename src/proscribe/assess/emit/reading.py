"""What people are told of an assessment, worked out once for the page, the terminal and the exchange formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proscribe.assess.emit.hostile import visible
from proscribe.assess.emit.words import ACTORS, PLATFORMS, RATINGS, RELATIONS
from proscribe.assess.facts import Run
from proscribe.assess.model import Assessment
from proscribe.assess.profile import Actor, AreaAccess, Evidence, Finding
from proscribe.assess.terms import CONTENT_AREAS, ActorKind, Extent, FactClass, Ladder, Rating
from proscribe.text import Text, number

NAME_LIMIT = 60


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
    if found.lesser:
        count = len(found.lesser)
        parts.append(Text(f"{count} asked for or named only", f"{count} seulement demandés ou nommés"))
    if found.withheld:
        count = len(found.withheld)
        parts.append(
            Text(
                f"{count} without effect (not declared, not grantable or set aside)",
                f"{count} sans effet (non déclaré, non accordable ou mis de côté)",
            )
        )
    if found.unseen:
        count = len(found.unseen)
        parts.append(Text(f"no sign of {count}", f"aucun signe pour {count}"))
    return Text("; ".join(part.en for part in parts) + ".", "; ".join(part.fr for part in parts) + ".")


def title_line(assessment: Assessment) -> str:
    """Id, version and platform, as they stand in the package: not words of ours."""
    version = " ".join(filter(None, (assessment.version, f"({assessment.build})" if assessment.build else "")))
    platform = PLATFORMS.get(assessment.platform, str(assessment.platform))
    return ", ".join(filter(None, (visible(assessment.app_id, 120), visible(version, NAME_LIMIT), platform)))


def actors_of(assessment: Assessment, row: AreaAccess) -> tuple[Actor, ...]:
    """Whose code stands behind a row of the map, strongest evidence first, each once."""
    wanted = set(row.findings)
    findings = sorted((one for one in assessment.findings if one.id in wanted), key=lambda one: -one.ladder)
    return tuple(dict.fromkeys(one.actor for one in findings))


def actor_name(actor: Actor, *, full: bool = False) -> Text:
    """``the app``, ``Tencent TBS`` or, in full, with the vendor and its country."""
    if actor.kind is not ActorKind.sdk:
        return ACTORS[actor.kind]
    name = actor.name or actor.sdk
    known = ", ".join(filter(None, (actor.vendor, actor.country)))
    text = f"{name} ({known})" if full and known else name
    return Text(text, text)


def joined(texts: Iterable[Text], separator: str = ", ") -> Text:
    """Several texts on one line."""
    both = list(texts)
    return Text(separator.join(one.en for one in both), separator.join(one.fr for one in both))


def counted_findings(assessment: Assessment) -> list[Finding]:
    """Findings that speak of more than a wish, strongest first, those that fired the rule before the others."""
    fired = set(assessment.rating.findings)
    return sorted(
        (one for one in assessment.findings if one.suppressed is None),
        key=lambda one: (one.id not in fired, -one.ladder, one.id),
    )


def suppressed_findings(assessment: Assessment) -> list[Finding]:
    """Findings that a person set aside."""
    return [one for one in assessment.findings if one.suppressed is not None]


def first_place(finding: Finding) -> Evidence | None:
    """The piece of evidence that says most: a place in the code where there is one."""
    placed = [one for one in finding.evidence if one.offset >= 0]
    return placed[0] if placed else (finding.evidence[0] if finding.evidence else None)


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


def signer_line(assessment: Assessment) -> Text:
    """Who signed the package, in one line: never a certificate that was not verified."""
    publisher = assessment.publisher
    if not publisher.verified:
        team = publisher.team_id
        if team:
            return Text(
                f"team {team}, as signed into the binary; Apple's chain is not verified here",
                f"équipe {team}, selon la signature du binaire; la chaîne d'Apple n'est pas vérifiée ici",
            )
        return Text("nobody: no valid signature was found", "personne : aucune signature valide n'a été trouvée")
    subjects = {one.sha256: one.subject for one in publisher.certificates}
    signers = [visible(subjects.get(one.certificate, one.certificate[:16]), 120) for one in publisher.signers]
    shown = "; ".join(dict.fromkeys(signers))
    return Text(f"{shown} (signature verified)", f"{shown} (signature vérifiée)")


def match_lines(assessment: Assessment) -> list[Text]:
    """What the catalogue of publishers says of the signer and of the name."""
    return [
        Text(f"{match.publisher}: ", f"{match.publisher} : ")
        + RELATIONS.get(match.relation, Text(match.relation, match.relation))
        for match in assessment.publisher.matches
    ]


def is_lookalike(assessment: Assessment) -> bool:
    """Whether the package wears the name of a publisher that did not sign it."""
    return any(match.relation == "lookalike" for match in assessment.publisher.matches)


@dataclass(frozen=True, slots=True)
class CountryRow:
    """One country of the exposure axis, in counts."""

    country: str
    name: Text
    publisher: str
    sdks: tuple[str, ...]
    hosts: int
    operators: tuple[str, ...]
    laws: tuple[Text, ...]
    sources: tuple[str, ...]


def exposure_rows(assessment: Assessment) -> list[CountryRow]:
    """Countries through which somebody could be made to use the access: publisher first, then by SDKs and hosts."""
    exposure = assessment.exposure
    named = {one.country: one for one in exposure.countries}
    publisher = exposure.publisher
    countries = dict.fromkeys(
        [
            *named,
            *([publisher.country] if publisher and publisher.country else []),
            *(sdk.country for sdk in assessment.sdks if sdk.country),
            *(host.country for host in exposure.hosts if host.country),
        ]
    )
    rows = []
    for country in countries:
        known = named.get(country)
        hosts = [host for host in exposure.hosts if host.country == country]
        rows.append(
            CountryRow(
                country,
                known.name if known else Text(country, country),
                publisher.name if publisher and publisher.country == country else "",
                tuple(sdk.name for sdk in assessment.sdks if sdk.country == country),
                len(hosts),
                tuple(dict.fromkeys(host.operator for host in hosts if host.operator)),
                known.laws if known else (),
                known.sources if known else (),
            )
        )
    return sorted(rows, key=lambda row: (not row.publisher, -len(row.sdks), -row.hosts, row.country))


def exposure_line(assessment: Assessment) -> Text:
    """The second axis in one line."""
    rows = exposure_rows(assessment)
    if not rows:
        return Text("no operator in this package is known", "aucun exploitant connu dans ce paquet")
    parts = []
    for row in rows:
        ways = []
        if row.publisher:
            ways.append(Text(f"publisher {row.publisher}", f"éditeur {row.publisher}"))
        if row.sdks:
            ways.append(Text(f"SDK {', '.join(row.sdks)}", f"SDK {', '.join(row.sdks)}"))
        if row.hosts:
            hosts = number(row.hosts)
            ways.append(Text(f"hosts {hosts.en}", f"hôtes {hosts.fr}"))
        through = joined(ways)
        parts.append(Text(f"{row.name.en} ({through.en})", f"{row.name.fr} ({through.fr})"))
    return joined(parts, "; ")


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
