"""Other makers' code in the package: by class definitions, components, native libraries and frameworks.

A string that names somebody is never presence. Presence is not activity either: ``SdkPresence.sites`` says how many
places of findings lie in its code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from proscribe.assess.gathered import Gathered
from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.model import SdkRow
from proscribe.assess.profile import Evidence, EvidenceKind, SdkPresence
from proscribe.assess.rate.actors import Actors
from proscribe.assess.rate.evidence import Collected, Maker, framework_of
from proscribe.assess.terms import ActorKind

_SHOWN = 20  # items of evidence of one SDK


@dataclass(frozen=True, slots=True)
class Presence:
    """An SDK that is in the package, and what shows it."""

    row: SdkRow
    classes: int
    evidence: tuple[Evidence, ...]


def presences(gathered: Gathered, packs: Packs, actors: Actors, maker: Maker) -> tuple[Presence, ...]:
    """Every SDK of the catalogue that is in the package, by id. The app maker's own code is no SDK."""
    classes: dict[str, int] = defaultdict(int)
    evidence: dict[str, dict[Evidence, None]] = defaultdict(dict)
    prefixes: dict[str, set[str]] = defaultdict(set)
    for package in gathered.code.packages:
        row = actors.sdk_of(package.name)
        if row is not None:
            classes[row.id] += package.classes
            prefixes[row.id].add(_prefix(row, package.name))
    for sdk, found in prefixes.items():
        evidence[sdk].update((maker.class_prefix(prefix), None) for prefix in sorted(found))
    for row, item in _others(gathered, packs, actors, maker):
        evidence[row.id][item] = None
    return tuple(Presence(packs.sdks[sdk], classes[sdk], tuple(evidence[sdk])) for sdk in sorted(evidence))


def _prefix(row: SdkRow, package: str) -> str:
    return max((one for one in row.prefixes if f"{package}.".startswith(f"{one}.")), key=len)


def _others(gathered: Gathered, packs: Packs, actors: Actors, maker: Maker) -> Iterator[tuple[SdkRow, Evidence]]:
    for component in gathered.android.components if gathered.android else ():
        row = packs.sdk_of_component(component.name)
        if row is not None and (component.name in row.components or actors.sdk_of(component.name)):
            yield row, next(iter(maker.components(component)))
    for library in gathered.code.native:
        row = packs.sdk_of_native(library.member)
        if row is not None:
            yield row, maker.native(library)
    for binary in gathered.ios.binaries if gathered.ios else ():
        name = framework_of(binary.member)
        row = (packs.sdk_of_framework(name) or packs.sdk_of_framework(binary.identifier)) if name else None
        if row is not None:
            yield row, maker.framework(binary)
    for manifest in gathered.ios.privacy if gathered.ios else ():
        row = packs.sdk_of_framework(framework_of(manifest.member))
        if row is not None:
            yield from ((row, item) for item in maker.privacy(manifest))


def views(found: Sequence[Presence], collected: Iterable[Collected]) -> tuple[SdkPresence, ...]:
    """The SDKs as a report shows them. A place that serves two capabilities is one site."""
    sites: dict[str, set[Evidence]] = defaultdict(set)
    for one in collected:
        if one.finding.actor.kind is ActorKind.sdk:
            sites[one.finding.actor.sdk].update(item for item in one.evidence if item.kind in _IN_CODE)
    return tuple(
        SdkPresence(
            id=one.row.id,
            name=one.row.name,
            vendor=one.row.vendor,
            country=one.row.country,
            purpose=one.row.purpose,
            classes=one.classes,
            sites=len(sites[one.row.id]),
            evidence=one.evidence[:_SHOWN],
            operator=one.row.operator,
        )
        for one in found
    )


_IN_CODE = frozenset(
    {
        EvidenceKind.call,
        EvidenceKind.field,
        EvidenceKind.string,
        EvidenceKind.callback,
        EvidenceKind.reference,
        EvidenceKind.native_import,
        EvidenceKind.macho_import,
        EvidenceKind.macho_library,
    }
)
