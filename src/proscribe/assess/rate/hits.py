"""Places in the code that serve a capability: the code's facts met with the ``apis`` pack, once, by key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from proscribe.assess.facts import MachO, Site
from proscribe.assess.gathered import Gathered
from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.model import ApiKind, ApiRow
from proscribe.assess.profile import Actor, Evidence, EvidenceKind
from proscribe.assess.rate.actors import Actors, class_of
from proscribe.assess.rate.evidence import Maker
from proscribe.assess.terms import ActorKind, Ladder, SiteKind, SpecialKind

_MEETS: dict[SiteKind, tuple[ApiKind, ...]] = {
    SiteKind.call: (ApiKind.method,),
    SiteKind.field: (ApiKind.field,),
    SiteKind.string: (ApiKind.uri, ApiKind.string),
    SiteKind.callback: (ApiKind.callback,),
    SiteKind.reference: (ApiKind.method, ApiKind.field),
    SiteKind.native_import: (ApiKind.native,),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """One place that serves a capability. ``permissions``: any of these is needed there, none if empty."""

    actor: Actor
    rung: Ladder
    evidence: Evidence
    permissions: tuple[str, ...]


Hits = Mapping[str, Mapping[Actor, tuple[Hit, ...]]]
"""Capability -> actor -> hits, each place once."""


def hits(gathered: Gathered, packs: Packs, actors: Actors, maker: Maker) -> Hits:
    """All hits of a package."""
    rows: dict[tuple[ApiKind, str], list[ApiRow]] = defaultdict(list)
    for row in packs.apis:
        rows[row.kind, row.watch].append(row)
    found: dict[str, dict[Actor, dict[Evidence, Hit]]] = defaultdict(lambda: defaultdict(dict))
    loose: list[tuple[str, Hit]] = []
    for capability, hit in _all(gathered, rows, actors, maker):
        if _is_loose(hit):
            loose.append((capability, hit))
        else:
            _keep(found[capability][hit.actor], hit)
    for capability, hit in loose:
        # A reference that no place in the code accounts for says nothing new where a place was found.
        if capability not in found or hit.actor in found[capability]:
            _keep(found[capability][hit.actor], hit)
    return {
        capability: {actor: tuple(kept.values()) for actor, kept in by_actor.items() if kept}
        for capability, by_actor in found.items()
    }


def _is_loose(hit: Hit) -> bool:
    return hit.evidence.kind is EvidenceKind.reference and not hit.evidence.caller


def _keep(kept: dict[Evidence, Hit], hit: Hit) -> None:
    """Two rows may name one place: whichever shows more, or asks for less, stands."""
    before = kept.get(hit.evidence)
    if before is None or (hit.rung, not hit.permissions) > (before.rung, not before.permissions):
        kept[hit.evidence] = hit
    elif hit.rung is before.rung and hit.permissions and before.permissions:
        either = tuple(sorted({*before.permissions, *hit.permissions}))
        kept[hit.evidence] = Hit(hit.actor, hit.rung, hit.evidence, either)


def _all(
    gathered: Gathered, rows: Mapping[tuple[ApiKind, str], list[ApiRow]], actors: Actors, maker: Maker
) -> Iterator[tuple[str, Hit]]:
    reach = Reach(gathered)
    for site in gathered.code.sites:
        for kind in _MEETS[site.kind]:
            for row in rows.get((kind, site.watch), ()):
                actor = _actor(site, actors)
                if fits(row, site, own=actor.kind is ActorKind.app):
                    yield row.capability, Hit(actor, _rung(site, kind, reach), maker.site(site), row.permission)
    for binary in gathered.ios.binaries if gathered.ios else ():
        for row, evidence in _in_binary(binary, rows, maker):
            actor = actors.of_binary(binary.member, binary.identifier)
            yield row.capability, Hit(actor, Ladder.referenced, evidence, row.permission)


def fits(row: ApiRow, site: Site, *, own: bool = False) -> bool:
    """Whether a row means this place: its argument, its overload, and not inside a wrapper that it leaves out.

    ``own``: the app claims the place; its code is nobody's wrapper, whatever it is called.
    """
    if row.argument and not site.literal.startswith(row.argument):
        return False
    if row.unless and not own and _inside(class_of(site.caller or site.subject), row.unless):
        return False
    if not row.signature:
        return True
    _, paren, rest = site.subject.partition("(")
    return (paren + rest).startswith(row.signature)


def _inside(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a class is one of these, an inner class of one, or in one of these packages."""
    return any(name == one or name.startswith((f"{one}.", f"{one}$")) for one in packages)


class Reach:
    """Which classes with a callback the system can reach: those that the manifest names, and what these inherit from.

    The code's facts do not say which class extends which. A component that the system binds for a special access must
    have its callbacks somewhere; where it has none of its own, it inherits them, so every class that has them counts.
    """

    def __init__(self, gathered: Gathered) -> None:
        facts = gathered.android
        components = facts.components if facts else ()
        self._declared = frozenset(name for one in components for name in (one.name, one.target) if name)
        having: dict[str, set[str]] = defaultdict(set)
        for site in gathered.code.sites:
            if site.kind is SiteKind.callback:
                having[_service(site)].add(class_of(site.caller or site.subject))
        self._inherited = frozenset(
            _SERVICES[one.kind]
            for one in (facts.special if facts else ())
            if one.component in self._declared
            and one.kind in _SERVICES
            and one.component not in having[_SERVICES[one.kind]]
        )

    def reaches(self, site: Site) -> bool:
        """Whether the system can call this callback, as far as the package shows."""
        return class_of(site.caller or site.subject) in self._declared or _service(site) in self._inherited


def _service(site: Site) -> str:
    """The class of the system that a callback is of."""
    return site.watch.partition("->")[0]


_SERVICES = {
    SpecialKind.accessibility: "Landroid/accessibilityservice/AccessibilityService;",
    SpecialKind.notification_listener: "Landroid/service/notification/NotificationListenerService;",
    SpecialKind.input_method: "Landroid/inputmethodservice/InputMethodService;",
    SpecialKind.vpn: "Landroid/net/VpnService;",
    SpecialKind.autofill: "Landroid/service/autofill/AutofillService;",
    SpecialKind.device_admin: "Landroid/app/admin/DeviceAdminReceiver;",
}


def _rung(site: Site, kind: ApiKind, reach: Reach) -> Ladder:
    """How much a place shows: a call, a content URI that code loads, or a callback that the system can reach."""
    if site.kind is SiteKind.call:
        return Ladder.called
    if site.kind is SiteKind.callback:
        return Ladder.called if reach.reaches(site) else Ladder.referenced
    in_code = bool(site.caller) and site.offset >= 0
    if in_code and (site.kind is SiteKind.field or kind is ApiKind.uri):
        return Ladder.called
    return Ladder.referenced


def _actor(site: Site, actors: Actors) -> Actor:
    if site.kind is SiteKind.native_import:
        return actors.of_library(site.member)
    if site.kind is SiteKind.callback:
        return actors.of_caller(site.caller or site.subject)
    return actors.of_caller(site.caller)


def _in_binary(
    binary: MachO, rows: Mapping[tuple[ApiKind, str], list[ApiRow]], maker: Maker
) -> Iterable[tuple[ApiRow, Evidence]]:
    for symbol in binary.imports:
        for row in rows.get((ApiKind.macho, symbol), ()):
            yield row, maker.macho_import(binary, symbol)
    for library in binary.libraries:
        for row in rows.get((ApiKind.library, library.rpartition("/")[2]), ()):
            yield row, maker.macho_library(binary, library)
