"""The access map: for each of the 18 areas what was found, by whom, and whether it can work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proscribe.assess.profile import AreaAccess, Finding
from proscribe.assess.rate.grants import easiest
from proscribe.assess.rate.verdict import counts, in_force
from proscribe.assess.rate.words import AGREES, FOUND, actor_names, few
from proscribe.assess.terms import Area, Declaration, Grant, Ladder
from proscribe.text import COLON, Text, plural


def access_map(findings: Sequence[Finding], *, seen_in_full: bool) -> tuple[AreaAccess, ...]:
    """All areas, in order. ``seen_in_full`` False: nothing found does not mean that there is nothing."""
    return tuple(_row(area, [one for one in findings if one.area is area], seen_in_full) for area in Area)


def _row(area: Area, findings: list[Finding], seen_in_full: bool) -> AreaAccess:  # noqa: FBT001 (the caller names it)
    counting = [one for one in findings if counts(one)]
    # Where none counts, the best of what was found stands there all the same, marked as not counting.
    base = counting or findings
    ladder = max((one.ladder for one in base), default=Ladder.none)
    best = [one for one in base if one.ladder is ladder]
    names = dict.fromkeys(name.en for name in actor_names(findings))
    return AreaAccess(
        area=area,
        ladder=ladder,
        declaration=_declaration(best),
        grant=easiest(one.grant for one in best),
        findings=tuple(one.id for one in findings),
        actors=tuple(names),
        counts=bool(counting),
        summary=_summary(findings, best, counts=bool(counting), seen_in_full=seen_in_full),
    )


_ORDER = (Declaration.declared, Declaration.not_needed, Declaration.not_declared, Declaration.unknown)


def _declaration(best: Iterable[Finding]) -> Declaration:
    return min((one.declaration for one in best), key=_ORDER.index, default=Declaration.not_needed)


def _summary(findings: Sequence[Finding], best: Sequence[Finding], *, counts: bool, seen_in_full: bool) -> Text:
    if not findings:
        return (
            Text("Nothing found.", "Rien n'a été trouvé.")
            if seen_in_full
            else Text("Nothing found in what could be read.", "Rien n'a été trouvé dans ce qui a pu être lu.")
        )
    found = _found(best)
    if counts and _whole(best):
        return found + Text(".", ".")
    if counts:
        agrees = AGREES[easiest(one.grant for one in best)]
        return Text(f"{found.en}; {agrees.en}.", f"{found.fr}; {agrees.fr}.")
    reason = _not_counted(findings, best)
    return Text(f"{found.en}. Not counted: {reason.en}.", f"{found.fr}. Non compté\u00a0: {reason.fr}.")


def _found(best: Sequence[Finding]) -> Text:
    ladder = best[0].ladder
    actors = actor_names(best)
    if ladder is Ladder.declared or not actors:
        return FOUND[ladder]
    by = few(actors)
    if _whole(best):
        found = Text("Found in the package", "Trouvé dans le paquet")
        return found + COLON + Text(" ", " ") + by if best[0].area is Area.supply_chain else found
    places = plural(
        sum(one.evidence_total for one in best),
        Text("piece of evidence", "élément de preuve"),
        Text("pieces of evidence", "éléments de preuve"),
    )
    return FOUND[ladder] + Text(f" by {by.en} ({places.en})", f" par {by.fr} ({places.fr})")


_WHOLE = frozenset({Area.hidden_code, Area.supply_chain})
"""Areas that are read off the package as a whole and not off a place in its code."""


def _whole(best: Sequence[Finding]) -> bool:
    return best[0].area in _WHOLE and best[0].ladder is Ladder.referenced


def _not_counted(findings: Sequence[Finding], best: Sequence[Finding]) -> Text:
    if any(one.suppressed and in_force(one) for one in findings):
        return Text("set aside by a review", "écarté par un examen")
    if any(one.declaration is Declaration.not_declared for one in best):
        return Text("the package does not declare it", "le paquet ne le déclare pas")
    if any(one.declaration is Declaration.unknown for one in best):
        return Text("it is not known whether the package declares it", "on ignore si le paquet le déclare")
    if all(one.grant is Grant.never for one in best):
        return Text("an app from a store can never hold it", "une application de boutique ne peut jamais l'obtenir")
    return AGREES[Grant.unknown]
