"""When the next wave may start: when the devices of the one before are seen to comply. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from proscribe.enforce.keys import FOUND
from proscribe.enforce.model import Action, ActionState, DeviceOutcome, Outcome
from proscribe.enforce.wording import devicewise, orders, share
from proscribe.plan.model import Wave
from proscribe.text import Text, devices

_UNSENT = (ActionState.waiting, ActionState.ready, ActionState.sending)
_OVER = (ActionState.superseded, ActionState.lifted, ActionState.lifting)
_LEFT_OUT = (Outcome.exempt, Outcome.impossible, Outcome.refused_by_user)
"""A person's no is an answer of his own: it neither speaks against the order nor may it hold up everybody else."""
_BLIND = (Outcome.enforced_blind, Outcome.invisible)


@dataclass(frozen=True, slots=True)
class WaveRules:
    """When a wave counts as proved.

    ``success_rate`` holds where the plan names none. ``quorum`` is the share of its devices that must have been judged
    at all: one good answer out of a hundred proves nothing, and one phone in a drawer must not hold everybody up.
    """

    success_rate: float = 0.95
    quorum: float = 0.5
    hold_after: timedelta = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Progress:
    """How a wave stands. ``good`` and ``bad`` were seen after acceptance; the rest of ``reached`` was not yet.

    ``found``: devices in the wave's scopes, ``expected``: those the plan named; no device found where some were
    expected is no answer at all.
    """

    reached: int
    good: int
    bad: int
    found: int = 0
    expected: int = 0

    @property
    def judged(self) -> int:
        """Devices with an answer."""
        return self.good + self.bad


@dataclass(frozen=True, slots=True)
class Decision:
    """The actions to make ready now, and what is waited for where there are none."""

    wave: int
    start: tuple[Action, ...]
    waits: Text | None = None


def progress(actions: Sequence[Action], outcomes: Iterable[DeviceOutcome]) -> Progress:
    """Where the devices of a wave's scopes stand. What can never be reached is left out, and so are the exempt and
    those whose users declined.

    An outcome counts only where the device was seen after the last of its scope's orders was accepted: yesterday's
    outcome under yesterday's order says nothing of today's.
    """
    since: dict[tuple[str, str], datetime | None] = {}
    for action in actions:
        place = (action.system, action.scope)
        earlier = since.get(place)
        if earlier is None or (action.accepted_at is not None and action.accepted_at > earlier):
            since[place] = action.accepted_at
    found = reached = good = bad = 0
    for outcome in outcomes:
        places = [(outcome.system, where) for where in (outcome.scope, outcome.device)]
        moments = [since[place] for place in places if place in since]
        if not moments:
            continue
        found += 1
        if outcome.outcome in _LEFT_OUT:
            continue
        reached += 1
        if outcome.outcome is Outcome.failed:
            bad += 1
            continue
        known = [moment for moment in moments if moment is not None]
        if len(known) < len(moments) or outcome.observed_at is None or outcome.observed_at <= max(known):
            continue
        if outcome.outcome.compliant or outcome.outcome in _BLIND:
            good += 1
    expected = {device for action in actions for device in action.holders}
    return Progress(reached, good, bad, found, len(expected))


def decide(
    actions: Iterable[Action],
    outcomes: Iterable[DeviceOutcome],
    planned: Mapping[str, Sequence[Wave]],
    rules: WaveRules,
    now: datetime,
) -> Decision | None:
    """What one directive's waiting wave may do; None where no wave waits. ``planned`` gives the waves of each plan."""
    by_wave: dict[int, list[Action]] = {}
    for action in actions:
        if action.step != FOUND and action.state not in _OVER:
            by_wave.setdefault(action.wave, []).append(action)
    waiting = sorted(n for n, group in by_wave.items() if any(a.state is ActionState.waiting for a in group))
    if not waiting:
        return None
    number = waiting[0]
    start = tuple(action for action in by_wave[number] if action.state is ActionState.waiting)
    earlier = [n for n in by_wave if n < number]
    if not earlier:
        return Decision(number, start)
    before = by_wave[max(earlier)]
    # An order to one device may wait for it; the device counts as not judged meanwhile: one phone in a drawer must not
    # hold everybody up.
    unsent = sum(action.state in _UNSENT and not devicewise(action) for n in earlier for action in by_wave[n])
    if unsent:
        return Decision(number, (), _unsent(number, unsent))
    rate = _rate(start[0], planned, rules)
    judged = list(outcomes)
    stand = progress(before, judged)
    if judged and _is_met(stand, rate, rules):
        return Decision(number, start)
    accepted = max((a.accepted_at for a in before if a.accepted_at is not None), default=None)
    late = accepted is not None and now - accepted > rules.hold_after
    return Decision(number, (), _short(number, stand, rate, late=late))


def _rate(action: Action, planned: Mapping[str, Sequence[Wave]], rules: WaveRules) -> float:
    for wave in planned.get(action.plan, ()):
        if wave.number == action.wave:
            return wave.success_rate
    return rules.success_rate


def _is_met(stand: Progress, rate: float, rules: WaveRules) -> bool:
    if stand.reached == 0:
        # A wave of empty scopes, or of exempt devices alone, has nobody to harm and nothing to show.
        return stand.found > 0 or stand.expected == 0
    return stand.judged > 0 and stand.judged >= rules.quorum * stand.reached and stand.good >= rate * stand.judged


def _unsent(number: int, unsent: int) -> Text:
    left = orders(unsent)
    return Text(
        f"Wave {number} waits: {left.en} of the waves before it not yet accepted.",
        f"La vague {number} attend : {left.fr} des vagues précédentes sans acceptation.",
    )


def _short(number: int, stand: Progress, rate: float, *, late: bool) -> Text:
    all_of, want = devices(stand.reached), share(rate)
    en = (
        f"{stand.good} of the {stand.judged} judged comply, {want.en} wanted; "
        f"{all_of.en} reached, {stand.reached - stand.judged} not judged yet."
    )
    fr = (
        f"{stand.good} conformes sur {stand.judged} jugés, {want.fr} exigés; "
        f"{all_of.fr} visés, dont {stand.reached - stand.judged} à juger."
    )
    if late:
        return Text(
            f"Wave {number} is held, its time is up: {en} Look at what failed, then plan again.",
            f"Vague {number} retenue, délai écoulé : {fr} Examinez les échecs, puis planifiez de nouveau.",
        )
    return Text(f"Wave {number} waits: {en}", f"La vague {number} attend : {fr}")
