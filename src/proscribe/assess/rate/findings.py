"""Findings: one capability of one actor, its rung, its declaration, who must agree, and the guard of its claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from proscribe.assess.facts import Run
from proscribe.assess.gathered import Gathered
from proscribe.assess.observed import Seen
from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.model import CapabilityRow
from proscribe.assess.profile import Actor, Evidence, EvidenceKind, Finding
from proscribe.assess.profile import Mapping as Ids
from proscribe.assess.rate.actors import DECLARATION, Actors, key
from proscribe.assess.rate.evidence import Collected, Maker
from proscribe.assess.rate.grants import GRANTABLE, Ask, Asks, Permissions, easiest, harder
from proscribe.assess.rate.hits import Hit, hits
from proscribe.assess.rate.rubric import Rubric
from proscribe.assess.rate.sdks import Presence
from proscribe.assess.terms import Declaration, Extent, FactClass, Grant, Ladder
from proscribe.text import Text, plural

SHOWN = 40
"""Items of evidence that a finding shows; ``evidence_total`` counts all."""

_DECLARATIONS_SHOWN = 8  # of those, kept free for what the package declares

_CODE = frozenset({FactClass.dex, FactClass.macho})
_MANIFEST = frozenset({FactClass.manifest, FactClass.plist})
_UNREAD = frozenset({Extent.partial, Extent.hidden, Extent.failed})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one place, or one declaration, stands: is it declared, and who must agree."""

    declaration: Declaration
    grant: Grant
    why: tuple[Text, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether the access can work as far as the package goes."""
        return self.grant in GRANTABLE and self.declaration in _SETTLED


@dataclass(frozen=True)
class Judge:
    """Everything the findings of one package are made with."""

    gathered: Gathered
    packs: Packs
    rubric: Rubric
    maker: Maker
    actors: Actors
    permissions: Permissions
    manifest_known: bool = field(init=False)
    code_known: bool = field(init=False)

    def __post_init__(self) -> None:
        facts = self.gathered.android or self.gathered.ios
        known = facts is not None and not _any_unread(self.gathered.runs, _MANIFEST, frozenset({Extent.failed}))
        disagree = self.gathered.android is not None and any(
            one.about in {"permissions", "components"} for one in self.gathered.android.disagreements
        )
        object.__setattr__(self, "manifest_known", known and not disagree)
        object.__setattr__(self, "code_known", not _any_unread(self.gathered.runs, _CODE, _UNREAD))

    def collect(self, present: Sequence[Presence], seen: Seen) -> tuple[Collected, ...]:
        """All findings, by capability and actor; ``seen`` at run time raises one, or makes one where code had none."""
        asks = Asks(self.gathered, self.permissions, self.rubric, self.maker)
        found = hits(self.gathered, self.packs, self.actors, self.maker)
        made = {
            (one.finding.capability, key(one.finding.actor)): one
            for row in self._capabilities()
            for one in self._of(row, found.get(row.id, {}), asks, present)
        }
        for place, items in seen.items():
            made[place] = self._observed(place, items, made.get(place), asks)
        return tuple(made[place] for place in sorted(made))

    def _capabilities(self) -> Iterator[CapabilityRow]:
        platform = self.gathered.platform.value
        return (row for row in self.packs.capabilities.values() if row.platform == platform)

    def _of(
        self,
        row: CapabilityRow,
        by_actor: Mapping[Actor, Sequence[Hit]],
        asks: Asks,
        present: Sequence[Presence],
    ) -> Iterator[Collected]:
        declared = asks.of(row)
        for actor, places in by_actor.items():
            yield self._in_code(row, actor, places, declared)
        if not by_actor and declared:
            yield self._declared_only(row, declared)
        if "sdk:any" in row.declared_by:
            yield from (self._present(row, one) for one in present)

    # ---- found in code ---------------------------------------------------------------------------------------------

    def _in_code(self, row: CapabilityRow, actor: Actor, places: Sequence[Hit], declared: Sequence[Ask]) -> Collected:
        stands = {asked: self._stands(row, asked, declared) for asked in {place.permissions for place in places}}
        usable = [place for place in places if stands[place.permissions].usable]
        best = max(usable or places, key=lambda place: place.rung).rung
        decisive = [stands[place.permissions] for place in usable or places if place.rung is best]
        standing = _merge(decisive)
        evidence = _ordered(places, stands)
        asking = {permission for place in places for permission in place.permissions}
        gates = [ask for name in sorted(asking) if (ask := self.permissions.get(name)) is not None]
        declarations = tuple(dict.fromkeys(item for ask in [*declared, *gates] for item in ask.evidence))
        idle = len(places) - len(usable) if usable else 0
        return self._finding(
            row, actor, best, standing, (*evidence, *declarations), (*self._counter(standing), *_idle(idle))
        )

    def _stands(self, row: CapabilityRow, permissions: tuple[str, ...], declared: Sequence[Ask]) -> Standing:
        if not permissions and not row.needs_declaration:
            asked_for = _of_asks(row, declared) if declared and self.manifest_known else None
            return asked_for if asked_for and asked_for.usable else Standing(Declaration.not_needed, row.grant)
        if not self.manifest_known:
            return Standing(Declaration.unknown, Grant.unknown)
        asked = [ask for name in permissions if (ask := self.permissions.get(name)) is not None]
        if not permissions:
            asked = list(declared)
        if not asked:
            return Standing(Declaration.not_declared, self._needed(row, permissions))
        return _of_asks(row, asked)

    def _needed(self, row: CapabilityRow, permissions: tuple[str, ...]) -> Grant:
        """Who would have to agree if the package declared it."""
        known = [self.packs.permissions[name].grant for name in permissions if name in self.packs.permissions]
        return harder(easiest(known), row.grant) if known else row.grant

    def _counter(self, standing: Standing) -> tuple[Text, ...]:
        if standing.declaration is Declaration.not_declared:
            return (_NOT_DECLARED,)
        if standing.declaration is Declaration.unknown:
            return (_NOT_KNOWN,)
        return standing.why

    # ---- declared only ---------------------------------------------------------------------------------------------

    def _declared_only(self, row: CapabilityRow, declared: Sequence[Ask]) -> Collected:
        standing = _of_asks(row, declared)
        evidence = tuple(dict.fromkeys(item for ask in declared for item in ask.evidence))
        guard: tuple[Text, ...] = ()
        if not _is_fact_of_code(row):
            guard = (_DECLARED_ONLY if self.code_known else _DECLARED_UNREAD,)
        if not self.manifest_known:
            standing = Standing(Declaration.unknown, standing.grant, standing.why)
        actor = self.actors.app if _is_fact_of_code(row) else DECLARATION
        return self._finding(row, actor, _whole(row), standing, evidence, (*guard, *standing.why))

    def _present(self, row: CapabilityRow, presence: Presence) -> Collected:
        standing = Standing(Declaration.not_needed, row.grant)
        actor = self.actors.of_sdk(presence.row)
        present = Text(
            "Present in the package; presence does not show that it runs.",
            "Présent dans le paquet; la présence ne montre pas que ce code s'exécute.",
        )
        return self._finding(row, actor, Ladder.referenced, standing, presence.evidence, (present,))

    def _observed(
        self, place: tuple[str, str], items: tuple[Evidence, ...], before: Collected | None, asks: Asks
    ) -> Collected:
        """What code showed stays; what was seen stands before it."""
        row = self.packs.capabilities[place[0]]
        if before is not None:
            evidence = (*items, *before.evidence)
            finding = replace(
                before.finding, ladder=Ladder.observed, evidence=shown(evidence), evidence_total=len(evidence)
            )
            return Collected(finding, evidence)
        declared = asks.of(row)
        standing = self._stands(row, (), declared)
        if standing.declaration is Declaration.unknown:
            standing = Standing(Declaration.unknown, row.grant)
        evidence = (*items, *dict.fromkeys(item for ask in declared for item in ask.evidence))
        actor = self.actors.of_key(place[1])
        counter = Text(
            "Observed at run time; no code that does it was found.",
            "Observé à l'exécution; aucun code qui le fait n'a été trouvé.",
        )
        return self._finding(row, actor, Ladder.observed, standing, evidence, (counter, *standing.why))

    def _finding(
        self,
        row: CapabilityRow,
        actor: Actor,
        ladder: Ladder,
        standing: Standing,
        evidence: tuple[Evidence, ...],
        counter: tuple[Text, ...],
    ) -> Collected:
        if standing.grant is Grant.never and not standing.why and standing.declaration in _SETTLED:
            counter = (*counter, _NEVER)
        finding = Finding(
            id=f"{row.id}@{key(actor)}",
            capability=row.id,
            area=row.area,
            title=row.title,
            ladder=ladder,
            declaration=standing.declaration,
            grant=standing.grant,
            actor=actor,
            evidence=shown(evidence),
            evidence_total=len(evidence),
            maps=tuple(Ids(framework, ids) for framework, ids in row.maps),
            caution=row.caution,
            counter=counter,
        )
        return Collected(finding, evidence)


_SETTLED = frozenset({Declaration.declared, Declaration.not_needed})
_NEVER = Text(
    "An app from a store can never have this access; not counted.",
    "Une application de boutique ne peut jamais obtenir cet accès; non compté.",
)
_NOT_DECLARED = Text(
    "Code present, not declared: the system withholds, in whole or in part, what the package does not ask for; not "
    "counted.",
    "Code présent, non déclaré\u00a0: le système refuse, en tout ou en partie, ce que le paquet ne demande pas; non "
    "compté.",
)
_NOT_KNOWN = Text(
    "Whether the package declares it is not known: the manifest was not read reliably.",
    "On ignore si le paquet le déclare\u00a0: le manifeste n'a pas été lu de façon fiable.",
)
_DECLARED_ONLY = Text("Declared, no code found.", "Déclaré, aucun code trouvé.")
_DECLARED_UNREAD = Text(
    "Declared; no code found, but the code was not read in full.",
    "Déclaré; aucun code trouvé, mais le code n'a pas été lu en entier.",
)


def _is_fact_of_code(row: CapabilityRow) -> bool:
    return bool(row.declared_by) and all(token.startswith("code:") for token in row.declared_by)


def _whole(row: CapabilityRow) -> Ladder:
    """What hides code is read off the code itself; all else without code is a declaration."""
    return Ladder.referenced if _is_fact_of_code(row) else Ladder.declared


def _of_asks(row: CapabilityRow, asked: Sequence[Ask]) -> Standing:
    """Any of them is enough, so the easiest decides; words of the others would only confuse.

    A permission may open less than the capability needs (a foreground service of type camera still asks the user), so
    the grant is never easier than the capability's own.
    """
    grant = easiest(ask.grant for ask in asked)
    why = tuple(dict.fromkeys(ask.why for ask in asked if ask.grant is grant and ask.why is not None))
    open_ended = any(ask.grant is grant and ask.why is None for ask in asked)
    return Standing(Declaration.declared, harder(grant, row.grant), () if open_ended else why)


def _merge(standings: Sequence[Standing]) -> Standing:
    """Of the places that decide, the one that needs least."""
    order = (Declaration.not_needed, Declaration.declared, Declaration.unknown, Declaration.not_declared)
    easy = easiest(one.grant for one in standings)
    return min(
        (one for one in standings if one.grant is easy),
        key=lambda one: (order.index(one.declaration), [text.en for text in one.why]),
    )


def _idle(count: int) -> tuple[Text, ...]:
    if not count:
        return ()
    places = plural(
        count,
        Text("place in the code needs", "endroit du code exige"),
        Text("places in the code need", "endroits du code exigent"),
    )
    return (
        Text(
            f"{places.en} a permission that the package does not ask for or can never hold; not counted.",
            f"{places.fr} une autorisation que le paquet ne demande pas ou ne peut jamais obtenir; non compté.",
        ),
    )


def _any_unread(runs: Iterable[Run], of: frozenset[FactClass], extents: frozenset[Extent]) -> bool:
    return any(run.of in of and run.extent in extents for run in runs)


def _ordered(places: Sequence[Hit], stands: Mapping[tuple[str, ...], Standing]) -> tuple[Evidence, ...]:
    """Most telling first: what can work, the higher rung, and the first place of each API before the second of any."""

    def place_key(hit: Hit) -> tuple[bool, int, str, str, str, int, str]:
        item = hit.evidence
        usable = stands[hit.permissions].usable
        return (not usable, -hit.rung, item.subject, item.member, item.caller, item.offset, item.detail)

    turn: dict[tuple[bool, int, str], int] = defaultdict(int)
    ordered: list[tuple[bool, int, int, Evidence]] = []
    for hit in sorted(places, key=place_key):
        group = (not stands[hit.permissions].usable, -hit.rung, hit.evidence.subject)
        ordered.append((group[0], group[1], turn[group], hit.evidence))
        turn[group] += 1
    return tuple(item for *_, item in sorted(ordered, key=lambda one: one[:3]))  # stable: the first order decides ties


def shown(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The items that a finding shows, with room for what the package declares (it stands last)."""
    if len(evidence) <= SHOWN:
        return evidence
    first = [item for item in evidence if item.kind not in DECLARING]
    rest = [item for item in evidence if item.kind in DECLARING]
    kept = min(len(rest), max(_DECLARATIONS_SHOWN, SHOWN - len(first)))
    return (*first[: SHOWN - kept], *rest[:kept])


DECLARING = frozenset(
    {
        EvidenceKind.permission,
        EvidenceKind.component,
        EvidenceKind.special_access,
        EvidenceKind.network_config,
        EvidenceKind.query,
        EvidenceKind.plist,
        EvidenceKind.entitlement,
    }
)
