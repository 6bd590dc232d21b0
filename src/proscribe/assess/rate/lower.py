"""What would lower a rating: found by applying the rubric again without a capability, an area or an SDK."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from proscribe.assess.packs.model import CapabilityRow
from proscribe.assess.profile import Finding
from proscribe.assess.rate.rubric import SEVERITY, Rubric
from proscribe.assess.rate.verdict import Bench, Reading
from proscribe.assess.rate.words import AREAS, RATINGS, listed
from proscribe.assess.terms import ActorKind, Area, Rating
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class Retrial:
    """The rubric, ready to be applied again to fewer findings."""

    rubric: Rubric
    reading: Reading
    findings: Sequence[Finding]

    def without(self, goes: Callable[[Finding], bool]) -> Rating:
        """The rating if the findings that ``goes`` picks were not there, or could not be granted."""
        stay = [one for one in self.findings if not goes(one)]
        return Bench(self.rubric, self.reading, stay).verdict().rating


def would_lower(
    retrial: Retrial, rating: Rating, used: Iterable[str], capabilities: Mapping[str, CapabilityRow]
) -> tuple[Text, ...]:
    """What, taken away alone, lowers the rating; where nothing does alone, a smallest set that does together.

    ``used``: ids of the findings that the rules rested on; only they can matter.
    """
    ids = frozenset(used)
    resting = [one for one in retrial.findings if one.id in ids]
    names = list(dict.fromkeys(one.capability for one in resting))
    alone = [
        *_capabilities(retrial, rating, names, capabilities),
        *_areas(retrial, rating, resting),
        *_sdks(retrial, rating, resting),
    ]
    return tuple(alone) or tuple(_together(retrial, rating, resting, capabilities))


def _lower(after: Rating, before: Rating) -> bool:
    return SEVERITY.index(after) < SEVERITY.index(before)


def _then(after: Rating) -> Text:
    word = RATINGS[after]
    return Text(f"access would be rated {word.en}.", f"l'accès serait jugé {word.fr}.")


def _how(names: Sequence[str], capabilities: Mapping[str, CapabilityRow]) -> Text:
    hints = dict.fromkeys(row.lower for name in names if (row := capabilities.get(name)) and row.lower is not None)
    return Text("".join(f" {hint.en}" for hint in hints), "".join(f" {hint.fr}" for hint in hints))


def _title(name: str, capabilities: Mapping[str, CapabilityRow]) -> Text:
    title = capabilities[name].title
    return Text(f"'{title.en}' ({name})", f"«\u00a0{title.fr}\u00a0» ({name})")


def _capabilities(
    retrial: Retrial, rating: Rating, names: Sequence[str], capabilities: Mapping[str, CapabilityRow]
) -> Iterable[Text]:
    for name in names:
        after = retrial.without(lambda one, name=name: one.capability == name)  # type: ignore[misc]
        if _lower(after, rating):
            title, then = _title(name, capabilities), _then(after)
            yield Text(f"Without {title.en}, {then.en}", f"Sans {title.fr}, {then.fr}") + _how([name], capabilities)


def _areas(retrial: Retrial, rating: Rating, resting: Sequence[Finding]) -> Iterable[Text]:
    """Areas of more than one capability: of one, the capability says it already."""
    held = _by_area(resting)
    for area in (area for area in Area if len(held.get(area, ())) > 1):
        after = retrial.without(lambda one, area=area: one.area is area)  # type: ignore[misc]
        if _lower(after, rating):
            name, then = AREAS[area], _then(after)
            yield Text(
                f"Without any access to the area '{name.en}', {then.en}",
                f"Sans aucun accès au domaine «\u00a0{name.fr}\u00a0», {then.fr}",
            )


_SDKS = 20  # that are tried, those of most findings first: a hostile package can hold code under every prefix


def _sdks(retrial: Retrial, rating: Rating, resting: Sequence[Finding]) -> Iterable[Text]:
    names = {one.actor.sdk: one.actor.name for one in resting if one.actor.kind is ActorKind.sdk}
    weight = Counter(one.actor.sdk for one in resting)
    for sdk in sorted(names, key=lambda sdk: (-weight[sdk], sdk))[:_SDKS]:
        after = retrial.without(lambda one, sdk=sdk: one.actor.sdk == sdk)  # type: ignore[misc]
        if _lower(after, rating):
            then = _then(after)
            yield Text(
                f"Without the SDK {names[sdk]}, {then.en}",
                f"Sans la trousse SDK {names[sdk]}, {then.fr}",
            )


def _together(
    retrial: Retrial, rating: Rating, resting: Sequence[Finding], capabilities: Mapping[str, CapabilityRow]
) -> Iterable[Text]:
    """Take areas away, those of the fewest capabilities first, until the rating falls; put back what was not needed."""
    held = _by_area(resting)
    gone: list[Area] = []
    for area in sorted(held, key=lambda area: (len(held[area]), list(Area).index(area))):
        gone.append(area)
        if _lower(retrial.without(lambda one: one.area in gone), rating):
            break
    for area in list(gone):
        rest = [one for one in gone if one is not area]
        if _lower(retrial.without(lambda one, rest=rest: one.area in rest), rating):  # type: ignore[misc]
            gone = rest
    after = retrial.without(lambda one: one.area in gone)
    if not _lower(after, rating):
        return
    names, then = listed([AREAS[area] for area in Area if area in gone]), _then(after)
    how = [name for area in Area if area in gone for name in held[area]]
    yield Text(
        f"No single change lowers it. For example, without any access to all of these, {then.en[:-1]}: {names.en}.",
        f"Aucun changement ne suffit à lui seul. Par exemple, sans aucun accès à tout ce qui suit, "
        f"{then.fr[:-1]}\u00a0: {names.fr}.",
    ) + (_how(how, capabilities) if len(how) <= _HINTS else Text("", ""))


_HINTS = 5  # of the words on how to take a capability away, where several must go


def _by_area(resting: Sequence[Finding]) -> dict[Area, list[str]]:
    held: dict[Area, dict[str, None]] = {}
    for finding in resting:
        held.setdefault(finding.area, {})[finding.capability] = None
    return {area: list(names) for area, names in held.items()}
