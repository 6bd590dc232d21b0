"""A management system in a file: it outlives the process that talks to it, as a real one does."""

from __future__ import annotations

import fcntl
import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import proscribe.store
from proscribe.canonical import Digest, canonical_bytes, digest_json
from proscribe.clock import ManualClock
from proscribe.connectors.base import ConnectorFault, Order, Prepared, Receipt
from proscribe.enforce.means import Means, Pace
from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.inventory.model import Scope
from proscribe.plan.model import (
    Capability,
    Devices,
    Effect,
    Plan,
    PlanCounts,
    Policy,
    Reach,
    Ring,
    Step,
    Unlimited,
    Verb,
    Wave,
)
from proscribe.terms import Enrolment, Platform, Side
from proscribe.text import Text

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOWHERE = Digest("sha256:" + "0" * 64)
METHODS = (("block", Side.work), ("block_personal", Side.personal))


class World:
    """``{scope: {"version": n, "work": {app: value}, "personal": {...}}}`` with a log of every write, in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def open(self) -> Iterator[dict[str, Any]]:
        with self.path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            data = self.read()
            yield data
            # Written beside and moved over: a request arrives whole or not at all, whoever is killed.
            beside = self.path.with_suffix(".new")
            beside.write_text(json.dumps(data))
            beside.replace(self.path)

    @classmethod
    def make(cls, path: Path, scopes: dict[str, dict[str, dict[str, str]]]) -> World:
        full = {name: {"version": 1, "work": {}, "personal": {}, **lists} for name, lists in scopes.items()}
        path.write_text(json.dumps({"scopes": full, "log": []}))
        return cls(path)

    def read(self) -> dict[str, Any]:
        return json.loads(self.path.read_text())

    def lists(self) -> dict[str, dict[str, dict[str, str]]]:
        return {
            name: {part: scope[part] for part in ("work", "personal")} for name, scope in self.read()["scopes"].items()
        }

    def version(self, scope: str) -> int:
        return self.read()["scopes"][scope]["version"]

    def log(self) -> list[list[Any]]:
        return self.read()["log"]

    def writes(self, verb: str = "send") -> list[tuple[str, str, tuple[str, ...]]]:
        return [(scope, part, tuple(apps)) for what, scope, part, apps, _ in self.log() if what == verb]

    def foreign(self, scope: str, part: str, app: str, value: str | None) -> None:
        """Somebody else changes an entry."""
        with self.open() as data:
            entries = data["scopes"][scope][part]
            if value is None:
                entries.pop(app, None)
            else:
                entries[app] = value
            data["scopes"][scope]["version"] += 1

    def scope(self, name: str) -> Scope:
        data = self.read()["scopes"][name]
        return Scope("sim", name, data["version"], 1, json.dumps(data))


class FileSystem:
    """A connector over a :class:`World`. ``faults`` is asked before and after each write reaches the world."""

    def __init__(self, world: World, clock: ManualClock | None = None, *, name: str = "sim") -> None:
        self.world = world
        self.clock = clock or ManualClock(START)
        self._name = name
        self.before: Callable[[str], ConnectorFault | None] = lambda _: None
        self.after: Callable[[str], ConnectorFault | None] = lambda _: None
        self.calls: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return tuple(
            Capability(
                id=f"{self._name}/{method}",
                system=self._name,
                verb=Verb.remove,
                platform=Platform.android,
                enrolment=Enrolment.cope,
                side=side,
                os_min="",
                os_max="",
                applies_to="any",
                effect=Effect.full,
                method=method,
                reach=Reach.policy,
                proved_by=Text("", ""),
                undo=Text("", ""),
                limits=Text("", ""),
                source="test",
                tested_by="test",
            )
            for method, side in METHODS
        )

    def in_place(self, scope: Scope, method: str, side: Side) -> frozenset[str]:
        entries = json.loads(scope.settings)[_part(side)]
        return frozenset(app for app, value in entries.items() if value == "BLOCKED")

    def objections(self, scope: Scope, method: str, side: Side, app_ids: tuple[str, ...]) -> tuple[()]:
        return ()

    def observe(self, cursor: str = "") -> Iterator[Any]:
        return iter(())

    def prepare(self, order: Order) -> Prepared:
        self.calls.append("prepare")
        self._fail(self.before, "prepare")
        scope = self.world.scope(order.scope)
        entries = json.loads(scope.settings)[_part(order.side)]
        prior = canonical_bytes({app: entries.get(app) for app in order.app_ids}).decode()
        blocked = self.in_place(scope, order.method, order.side)
        return Prepared(scope, prior, set(order.app_ids) <= blocked)

    def send(self, order: Order, prepared: Prepared) -> Receipt:
        self.calls.append("send")
        self._fail(self.before, "send")
        with self.world.open() as data:
            scope = data["scopes"][order.scope]
            scope[_part(order.side)].update(dict.fromkeys(order.app_ids, "BLOCKED"))
            scope["version"] += 1
            version = scope["version"]
            data["log"].append(["send", order.scope, _part(order.side), list(order.app_ids), version])
        self._fail(self.after, "send")
        return self._receipt(order, version)

    def retract(self, order: Order, prior: str) -> Receipt:
        self.calls.append("retract")
        self._fail(self.before, "retract")
        wanted = json.loads(prior)
        with self.world.open() as data:
            scope = data["scopes"][order.scope]
            entries = scope[_part(order.side)]
            for app in order.app_ids:
                if entries.get(app) != "BLOCKED":
                    continue
                if wanted[app] is None:
                    del entries[app]
                else:
                    entries[app] = wanted[app]
            scope["version"] += 1
            version = scope["version"]
            data["log"].append(["retract", order.scope, _part(order.side), list(order.app_ids), version])
        self._fail(self.after, "retract")
        return self._receipt(order, version)

    def _receipt(self, order: Order, version: int) -> Receipt:
        request = digest_json({"scope": order.scope, "apps": list(order.app_ids)})
        return Receipt(order.key, self.clock.now(), 200, version, request, digest_json({"version": version}))

    @staticmethod
    def _fail(source: Callable[[str], ConnectorFault | None], call: str) -> None:
        fault = source(call)
        if fault is not None:
            raise fault


def _part(side: Side) -> str:
    return "personal" if side is Side.personal else "work"


def step(scope: str, *apps: str, wave: int = 1, side: str = "work", **changes: Any) -> Step:
    where = Side(side)
    plain = Step(
        id=f"step-{scope}-{where}-{'-'.join(apps)}",
        system="sim",
        reach=Reach.policy,
        scope=scope,
        scope_version=1,
        method={each: method for method, each in METHODS}[where],
        side=where,
        verbs=(Verb.block_install, Verb.remove),
        app_ids=tuple(sorted(apps)),
        targets=(),
        holders=(f"sim:{scope}-1",),
        collateral=1,
        effect=Effect.full,
        proved_by=Text("", ""),
        undo=Text("", ""),
        wave=wave,
    )
    return replace(plain, **changes)


def plan_of(*steps: Step, directive: str = "ban", rate: float = 0.9, created_at: datetime = START) -> Plan:
    numbers = sorted({each.wave for each in steps})
    return Plan(
        created_at=created_at,
        directive=directive,
        directive_digest=NOWHERE,
        targets_digest=NOWHERE,
        snapshot_digest=NOWHERE,
        capabilities_digest=NOWHERE,
        exemptions_digest=NOWHERE,
        policy=Policy(Unlimited(), Unlimited(), (Ring("canary", Devices(1)), Ring("rest", Unlimited()))),
        counts=PlanCounts(0, 0, 0, 0, 0, 0, 0),
        steps=steps,
        waves=tuple(
            Wave(number, f"wave {number}", tuple(each.id for each in steps if each.wave == number), 1, rate)
            for number in numbers
        ),
        refusals=(),
        basis=NOWHERE,
    )


def outcome_of(scope: str, device: str, kind: Outcome, at: datetime | None, *, directive: str = "ban") -> DeviceOutcome:
    return DeviceOutcome(
        directive=directive,
        device=device,
        system="sim",
        enrolment=Enrolment.fully_managed,
        department="Keepers",
        outcome=kind,
        why=Text("because", "parce que"),
        observed_at=at,
        evidence=(),
        scope=scope,
    )


@dataclass
class Seen:
    """``enforce.ports.Observations`` over the world as it is now."""

    world: World
    taken_at: datetime

    def scope(self, system: str, scope: str) -> Scope | None:
        known = self.world.read()["scopes"]
        return self.world.scope(scope) if system == "sim" and scope in known else None


@dataclass
class Bench:
    """Everything a tick needs, over a fresh store and a fresh world."""

    home: Path
    world: World
    clock: ManualClock
    system: FileSystem
    means: Means
    extra: dict[str, Any] = field(default_factory=dict)

    def adopt(self, plan: Plan, *, retry_rejected: bool = False, app_ids: tuple[str, ...] = ()) -> Any:
        from proscribe.documents import digest
        from proscribe.enforce.adopt import Ground, adopt

        known = self.world.read()["scopes"]
        ground = Ground(app_ids, [self.world.scope(name) for name in known], {"sim": self.system})
        return adopt(
            self.means.repository,
            self.means.journal,
            plan,
            digest(plan),
            ground=ground,
            now=self.clock.now(),
            retry_rejected=retry_rejected,
        )

    def actions(self, **conditions: Any) -> Any:
        return self.means.repository.find(**conditions)

    def entries(self) -> list[Any]:
        from proscribe.store.repositories import Ledger

        return list(Ledger().entries())


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty store to copy."""
    home = tmp_path_factory.mktemp("store") / "home"
    proscribe.store.setup(home)
    proscribe.store.close()
    return home


@pytest.fixture
def make_bench(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[dict[str, dict[str, dict[str, str]]]], Bench]]:
    """Build a bench over given scopes; each call starts anew."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    made = 0

    def build(scopes: dict[str, dict[str, dict[str, str]]]) -> Bench:
        nonlocal made
        made += 1
        home = tmp_path / f"home-{made}"
        shutil.copytree(template, home)
        proscribe.store.setup(home)
        from proscribe.store.repositories import Actions, Freeze, Ledger, LedgerJournal

        clock = ManualClock(START)
        world = World.make(tmp_path / f"world-{made}.json", scopes)
        system = FileSystem(world, clock)
        means = Means(
            repository=Actions(),
            journal=LedgerJournal(Ledger(), actor="test", clock=clock),
            freeze=Freeze(),
            connectors={"sim": system},
            clock=clock,
            rng=random.Random(1),
            pace=Pace(settle=5.0, backoff_base=2.0, backoff_cap=60.0),
        )
        return Bench(home, world, clock, system, means)

    yield build
    proscribe.store.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """Three scopes, all open."""
    return make_bench({"a": {}, "b": {}, "c": {}})


@pytest.fixture
def kit() -> Any:
    """The builders above, for tests that cannot import from one another."""

    class Kit:
        START = START

    for name, thing in {
        "step": step,
        "plan_of": plan_of,
        "outcome_of": outcome_of,
        "World": World,
        "FileSystem": FileSystem,
        "Seen": Seen,
    }.items():
        setattr(Kit, name, staticmethod(thing) if callable(thing) and not isinstance(thing, type) else thing)
    return Kit
