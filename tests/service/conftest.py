"""An installation over a simulated fleet, with a clock that both share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from proscribe.catalogue.model import TargetSet
from proscribe.clock import ManualClock, use_clock
from proscribe.directive.library import find, target_set
from proscribe.plan.model import Exemption, Plan
from proscribe.service import enforcing, inventory, planning
from proscribe.service.installation import Installation, open_installation
from proscribe.service.model import TickSummary
from proscribe.simulate.amapi import AmapiSimulator, FleetSpec, make_fleet

DIRECTIVE = "ca-tbs-2023-wechat-kaspersky"
START = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
ENTERPRISE = "enterprises/lighthouses"
TOKEN = "ya29.a-bearer-token"
FLEET = FleetSpec(devices=60, start=START, departments=("Charts", "Lamps"))


class World:
    """A department: its phones, its management service, and an installation of Proscribe."""

    def __init__(self, home: Path, simulator: AmapiSimulator, clock: ManualClock) -> None:
        self.home = home
        self.simulator = simulator
        self.clock = clock

    def open(self, actor: str = "tester") -> Installation:
        return open_installation(self.home, actor=actor, clock=self.clock)

    def targets(self, directive: str = DIRECTIVE, only: frozenset[str] = frozenset()) -> TargetSet:
        """A directive's target set as a person approved it; of some identifiers alone where they are named."""
        found = target_set(find(directive), now=self.clock.now())
        kept = tuple(one for one in found.targets if not only or one.value in only)
        return replace(found, targets=kept, reviewed_by="security officer", reviewed_on=self.clock.now().date())

    def plan(self, directive: str = DIRECTIVE, **choices: object) -> Plan:
        installation = self.open()
        inventory.observe(installation)
        asked = {"removal_limit": "unlimited", "rings": ("all=unlimited",), **choices}
        if "targets" not in asked:
            asked["targets"] = self.targets(directive)
        return planning.propose(installation, directive, planning.Choices(**asked))  # type: ignore[arg-type]

    def apply(self, plan: Plan | None = None, *, standing: bool = False) -> TickSummary:
        return enforcing.apply(self.open("officer"), plan or self.plan(), approved=True, standing=standing)

    def tick(self, **delta: float) -> TickSummary:
        if delta:
            self.clock.advance(**delta)
        return enforcing.tick(self.open("watch"))

    def settle(self, *, days: int = 3) -> TickSummary:
        for _ in range(days * 2):
            summary = self.tick(hours=12)
        return summary


def exemption(name: str, *devices: str, directive: str = DIRECTIVE, days: int = 100) -> Exemption:
    """An exemption in order, from the first day on."""
    grounds = find(DIRECTIVE).exceptions.grounds
    return Exemption(
        id=name,
        directive=directive,
        devices=devices,
        ground=grounds[0].en if grounds else "regulatory function",
        requested_by="branch-lead",
        approved_by="chief-security-officer",
        starts=START.date(),
        expires=START.date() + timedelta(days=days),
    )


@contextmanager
def open_world(spec: FleetSpec, folder: Path) -> Iterator[World]:
    """A department of a spec, alive for as long as the block runs."""
    clock = ManualClock(START)
    home = folder / "home"
    home.mkdir()
    with use_clock(clock), AmapiSimulator(make_fleet(spec), clock, tokens=[TOKEN]) as simulator:
        (home / "proscribe.toml").write_text(
            f'[systems.android]\nconnector = "amapi"\nenterprise = "{ENTERPRISE}"\n'
            f'endpoint = "{simulator.endpoint}"\ntoken = "{TOKEN}"\n',
            encoding="utf-8",
        )
        yield World(home, simulator, clock)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """``@pytest.mark.parametrize("world", [FleetSpec(...)], indirect=True)`` for another fleet."""
    with open_world(getattr(request, "param", None) or FLEET, tmp_path) as world:
        yield world
