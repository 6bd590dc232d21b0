"""What a tick works with, what it is told, and what it reports."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from proscribe.clock import Clock
from proscribe.connectors.base import Connector
from proscribe.enforce.model import DeviceOutcome
from proscribe.enforce.order import Ahead
from proscribe.enforce.ports import ActionRepository, FreezeFlag, Journal, Observations
from proscribe.enforce.waves import WaveRules
from proscribe.errors import ProscribeError
from proscribe.plan.model import Wave
from proscribe.text import Text

EVERYWHERE = ""
"""Stands for every scope of a system in ``Present.barred``."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait before the next try. All in seconds.

    ``settle`` is how long a system may still be busy with a request whose answer never came, or whose sender died:
    nobody looks before it is over, because a look that comes too early would read "not there" and send a second time.
    """

    settle: float = 10.0
    backoff_base: float = 2.0
    backoff_cap: float = 300.0


@dataclass(frozen=True, slots=True)
class Means:
    """The surroundings, the same for every tick."""

    repository: ActionRepository
    journal: Journal
    freeze: FreezeFlag
    connectors: Mapping[str, Connector]
    clock: Clock
    rng: random.Random = field(default_factory=random.SystemRandom)
    pace: Pace = field(default_factory=Pace)
    rules: WaveRules = field(default_factory=WaveRules)

    def backoff(self, attempts: int) -> timedelta:
        """Full jitter: anywhere between nothing and the exponential bound, so that workers do not march in step."""
        bound = min(self.pace.backoff_cap, self.pace.backoff_base * 2.0 ** min(attempts, 30))
        return timedelta(seconds=self.rng.uniform(0, bound))


@dataclass(frozen=True, slots=True)
class Present:
    """What is true now, as far as the latest observation shows.

    ``outcomes``: of each directive, the latest judgement of the fleet. ``waves``: of each plan (by digest), its waves.
    ``lifted``: directives that are to be taken back. ``barred``: of each directive, the (system, scope) places that
    hold an exempt device right now; nothing is sent there, whatever was planned before the exemption. ``held``:
    directives under which nothing may be sent as things stand, and why. ``kept``: the (system, scope) places with
    a device under a records hold, where nothing may be removed. ``ahead`` is the loop's own: removals that
    wait for their block. Without ``observations`` no drift is looked for.
    """

    outcomes: Mapping[str, Sequence[DeviceOutcome]] = field(default_factory=dict)
    waves: Mapping[str, Sequence[Wave]] = field(default_factory=dict)
    lifted: frozenset[str] = frozenset()
    barred: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    held: Mapping[str, Text] = field(default_factory=dict)
    kept: frozenset[tuple[str, str]] = frozenset()
    ahead: Ahead = field(default_factory=dict)
    observations: Observations | None = None

    def bars(self, directive: str, system: str, scope: str) -> bool:
        """Whether nothing may be sent to a scope under a directive."""
        places = self.barred.get(directive, frozenset())
        return (system, scope) in places or (system, EVERYWHERE) in places


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick did and what it left. ``counts``: sent, in_place, lifted, started, drifted, superseded, throttled,
    unknown_fate, orphaned, rejected, not_authorised, fault, busy."""

    at: datetime
    counts: Mapping[str, int]
    happened: tuple[Text, ...]
    waits: tuple[Text, ...]
    errors: tuple[ProscribeError, ...]  # what a person must settle
    frozen: bool
    unsettled: int  # orders being sent, ready to be sent or being taken back
    waiting: int  # orders whose wave has not started
    next_at: datetime | None  # before this moment another tick can do nothing about the unsettled ones

    @property
    def settled(self) -> bool:
        """Whether nothing is under way; a wave may still wait for its predecessor."""
        return self.unsettled == 0


class Log:
    """Collects a report while a tick runs."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.happened: list[Text] = []
        self.waits: list[Text] = []
        self.errors: list[ProscribeError] = []

    def did(self, name: str, text: Text | None = None, *, times: int = 1) -> None:
        """Something happened."""
        self.counts[name] += times
        if text is not None:
            self.happened.append(text)

    def wait(self, text: Text) -> None:
        """Something waits; several orders may wait for one reason."""
        if text not in self.waits:
            self.waits.append(text)
