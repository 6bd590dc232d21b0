"""SIGKILL at every step boundary, and at random instants: afterwards each change was made exactly once.

The worker is a forked child that is really killed. First against a management system in a file, at the boundary of
every single call to a port; then against the real connector and the simulated service, which lives on in a process of
its own and keeps a journal of what it was told.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import proscribe.store
from proscribe.canonical import Digest
from proscribe.clock import ManualClock
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.amapi.system import MODIFY, NAME, PATCH_PERSONAL
from proscribe.documents import digest
from proscribe.enforce.adopt import Ground, adopt
from proscribe.enforce.fleet import FleetCase, judge_fleet
from proscribe.enforce.loop import tick
from proscribe.enforce.means import Means, Pace, Present
from proscribe.enforce.model import ActionState, Outcome
from proscribe.enforce.outcomes import DeviceFacts
from proscribe.evaluate.model import DeviceStatus, Presence
from proscribe.inventory.model import DeviceRecord, Freshness, InstallRecord, Scope, Visibility
from proscribe.simulate.amapi.fleet import BannedApp, FleetSpec
from proscribe.simulate.amapi.process import SpawnedSimulator, spawn
from proscribe.terms import Enrolment, Platform, Side

pytestmark = pytest.mark.slow

APP, OTHER = "com.example.chat", "com.example.video"
SNAPSHOT = Digest("sha256:" + "5" * 64)
DEPARTMENT = "Keepers"
SETTLE = 0.4
"""Seconds in which the simulated service finishes a request whose sender was killed, on a busy machine too."""


# --- the killer ------------------------------------------------------------------------------------------------------


class Killer:
    """Ends its own process at the n-th boundary; counts them all the same when it does not."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0

    def boundary(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A port whose every call is a step: there is a boundary before it and one after, and around every block."""

    def __init__(self, port: Any, killer: Killer) -> None:
        self._port = port
        self._killer = killer

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self._killer.boundary()
            result = value(*args, **kwargs)
            self._killer.boundary()
            return self._block(result) if hasattr(result, "__enter__") else result

        return call

    @contextmanager
    def _block(self, block: Any) -> Iterator[Any]:
        with block as entered:
            self._killer.boundary()
            yield entered
            self._killer.boundary()
        self._killer.boundary()


def watched(means: Means, killer: Killer) -> Means:
    """The same means, with a boundary around every call of every port."""
    return replace(
        means,
        repository=Watched(means.repository, killer),
        journal=Watched(means.journal, killer),
        freeze=Watched(means.freeze, killer),
        connectors={name: Watched(connector, killer) for name, connector in means.connectors.items()},
    )


def forked(work: Callable[[], None], *, kill_after: float | None = None) -> int:
    """Run ``work`` in a child and wait for it; its exit status, or minus the signal that ended it."""
    proscribe.store.close()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 (a child never returns into pytest)
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def open_store(home: Path, clock: Any, connectors: dict[str, Any], *, settle: float) -> Means:
    proscribe.store.setup(home)
    from proscribe.store.repositories import Actions, Freeze, Ledger, LedgerJournal

    return Means(
        repository=Actions(),
        journal=LedgerJournal(Ledger(), actor="worker", clock=clock),
        freeze=Freeze(),
        connectors=connectors,
        clock=clock,
        rng=random.Random(7),
        pace=Pace(settle=settle, backoff_base=0.05, backoff_cap=1.0),
    )


# --- a fleet of three scopes in a file -------------------------------------------------------------------------------


@dataclass
class Department:
    """What a worker is given: an approved plan in a store, and a management system to act upon."""

    kit: Any
    home: Path
    world: Any
    plan: Any
    lifted: frozenset[str] = frozenset()

    def means(self, hours: int) -> Means:
        clock = ManualClock(self.kit.START + timedelta(hours=hours))
        return open_store(self.home, clock, {"sim": self.kit.FileSystem(self.world, clock)}, settle=5.0)

    def statuses(self, now: datetime) -> Iterator[DeviceStatus]:
        for scope in sorted(self.world.read()["scopes"]):
            blocked = self.world.lists()[scope]["work"].get(APP) == "BLOCKED"
            yield DeviceStatus(
                directive="ban",
                device=f"sim:{scope}-1",
                system="sim",
                platform=Platform.android,
                enrolment=Enrolment.cope if scope == "a" else Enrolment.fully_managed,
                os_version="14",
                department=DEPARTMENT,
                scope=scope,
                presence=Presence.absent if blocked else Presence.present_unmanaged,
                invisible_side=scope == "a",
                observed_at=now,
                freshness=Freshness.observed,
            )

    def work(self, means: Means, outcomes: Any) -> None:
        """Tick and judge until nothing is left: what ``proscribe apply`` does."""
        for _ in range(12):
            means.clock.advance(minutes=10)
            now = means.clock.now()
            case = FleetCase("ban", SNAPSHOT, means.repository.find(directive="ban"))
            facts = {
                f"sim:{scope}-1": DeviceFacts(
                    f"sim:{scope}-1", scope, self.world.version(scope), sees=Visibility.all_apps
                )
                for scope in self.world.read()["scopes"]
            }
            judged = tuple(judge_fleet(case, self.statuses(now), (), facts, now))
            outcomes.replace("ban", judged, at=now)
            waves = {digest(self.plan): self.plan.waves}
            report = tick(means, Present(outcomes={"ban": judged}, waves=waves, lifted=self.lifted))
            if report.settled and not report.waiting and not report.counts:
                return
        raise AssertionError(f"not settled: {report}")

    def run(self, killer: Killer | None, hours: int) -> None:
        from proscribe.store.repositories import Outcomes

        means = self.means(hours)
        outcomes: Any = Outcomes()
        if killer is not None:
            means, outcomes = watched(means, killer), Watched(outcomes, killer)
        self.work(means, outcomes)


@pytest.fixture
def ram() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of trials, each of which waits for the disk at every commit."""
    memory = Path("/dev/shm")  # noqa: S108 (a folder of our own inside)
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def department(make_bench: Any, kit: Any, ram: Path) -> Callable[..., Department]:
    """Fresh copies of one department with an approved plan, in one place: a store that is open stays open."""
    bench = make_bench({"a": {"work": {APP: "AVAILABLE"}}, "b": {}, "c": {"work": {OTHER: "AVAILABLE"}}})
    plan = kit.plan_of(
        kit.step("a", APP, holders=("sim:a-1",)),
        kit.step("a", APP, side="personal", holders=("sim:a-1",)),
        kit.step("b", APP, wave=2, holders=("sim:b-1",)),
    )
    bench.adopt(plan)
    proscribe.store.close()

    def copy(source: Department | None = None) -> Department:
        proscribe.store.close()
        shutil.rmtree(ram / "home", ignore_errors=True)
        shutil.copytree(source.home if source else bench.home, ram / "home")
        shutil.copy(source.world.path if source else bench.world.path, ram / "world.json")
        return Department(kit, ram / "home", kit.World(ram / "world.json"), plan)

    return copy


WANTED = {
    "a": {"work": {APP: "BLOCKED"}, "personal": {APP: "BLOCKED"}},
    "b": {"work": {APP: "BLOCKED"}, "personal": {}},
    "c": {"work": {OTHER: "AVAILABLE"}, "personal": {}},
}


def check_applied(trial: Department) -> None:
    from proscribe.store.repositories import Actions, Ledger, Outcomes

    assert trial.world.lists() == WANTED
    assert sorted(trial.world.writes()) == [
        ("a", "personal", (APP,)),
        ("a", "work", (APP,)),
        ("b", "work", (APP,)),
    ], "each change exactly once"
    assert [action.state for action in Actions().find()] == [ActionState.accepted] * 3
    # "c" is outside the plan: nothing is enforced there, so nothing can be said of it.
    assert Outcomes().tally("ban") == {
        Outcome.removed_verified: 1,
        Outcome.enforced_blind: 1,
        Outcome.unknown: 1,
    }
    entries = list(Ledger().entries())
    assert [entry.index for entry in entries] == list(range(len(entries)))
    for action in Actions().find():
        kinds = [entry.entry.value for entry in entries if entry.subject == action.key]
        assert kinds.count("receipt") == 1
        assert kinds.index("intent") < kinds.index("receipt")


def test_killed_at_every_boundary_of_an_apply(department: Callable[..., Department]) -> None:
    at = 0
    while True:
        at += 1
        trial = department()
        status = forked(lambda at=at, trial=trial: trial.run(Killer(at), hours=0))
        if status == 0:
            break
        assert status == -signal.SIGKILL, f"boundary {at}"
        assert forked(lambda trial=trial: trial.run(None, hours=24)) == 0, f"boundary {at}"
        proscribe.store.setup(trial.home)
        check_applied(trial)
    assert at > 100, f"only {at - 1} boundaries: the killer does not see the ports"


def test_killed_at_every_boundary_of_a_lift(department: Callable[..., Department], tmp_path: Path) -> None:
    trial = department()
    assert forked(lambda: trial.run(None, hours=0)) == 0
    shutil.copytree(trial.home, tmp_path / "applied")
    shutil.copy(trial.world.path, tmp_path / "applied.json")
    applied = replace(trial, home=tmp_path / "applied", world=type(trial.world)(tmp_path / "applied.json"))
    before = {"a": {"work": {APP: "AVAILABLE"}, "personal": {}}, "b": {"work": {}, "personal": {}}, "c": WANTED["c"]}
    at = 0
    while True:
        at += 1
        trial = department(applied)
        trial.lifted = frozenset({"ban"})
        status = forked(lambda at=at, trial=trial: trial.run(Killer(at), hours=48))
        if status == 0:
            break
        assert status == -signal.SIGKILL, f"boundary {at}"
        assert forked(lambda trial=trial: trial.run(None, hours=72)) == 0, f"boundary {at}"
        assert trial.world.lists() == before
        assert len(trial.world.writes("retract")) == 3, "each entry taken back exactly once"
    assert at > 80


def test_killed_again_and_again(department: Callable[..., Department]) -> None:
    """A worker that never gets far, restarted until it is through."""
    trial = department()
    chance = random.Random(3)
    for hours in range(0, 4000, 24):
        if forked(lambda hours=hours: trial.run(Killer(chance.randrange(5, 60)), hours=hours)) == 0:
            break
        chance.random()
    else:
        assert forked(lambda: trial.run(None, hours=5000)) == 0
    proscribe.store.setup(trial.home)
    check_applied(trial)


# --- the real connector against the simulated service ----------------------------------------------------------------


class RealClock:
    """The machine's time, moved on by as much as the simulator's was: it outlives the worker, and so does its time."""

    def __init__(self, service: SpawnedSimulator) -> None:
        self.service = service
        self.advance(0)

    def advance(self, seconds: float) -> None:
        answer = self.service._call("advance", {"seconds": seconds})
        self.shift = datetime.fromisoformat(answer["now"]) - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


CHAT = "com.tencent.mm"
SPEC = FleetSpec(
    devices=24,
    departments=("Charts", "Lamps"),
    banned=(BannedApp(CHAT, "WeChat", share=0.4),),
    behaviours=(),
    guaranteed=(),
    cope_share=0.3,
    byod_share=0.2,
    apps_per_device=4,
    start=datetime.now(UTC),
)


@dataclass
class Live:
    """The simulated service with the orders of one plan: both sides, every policy."""

    kit: Any
    service: SpawnedSimulator
    clock: RealClock
    opened: tuple[int, AmapiConnector] | None = None

    def connector(self) -> AmapiConnector:
        """One a process: a forked worker must not talk over its parent's connections."""
        if self.opened is None or self.opened[0] != os.getpid():
            config = AmapiConfig(SPEC.enterprise, endpoint=self.service.endpoint)
            self.opened = (os.getpid(), AmapiConnector(config, clock=self.clock))
        return self.opened[1]

    def look(self) -> tuple[list[DeviceRecord], list[InstallRecord], list[Scope]]:
        batches = list(self.connector().observe())
        devices = [device for batch in batches for device in batch.devices]
        installs = [install for batch in batches for install in batch.installs]
        return devices, installs, list({scope.id: scope for batch in batches for scope in batch.scopes}.values())

    def plan(self, moment: datetime) -> Any:
        devices, installs, scopes = self.look()
        holders = {install.device for install in installs if install.app.app_id == CHAT and not install.removed}
        steps = []
        for number, scope in enumerate(sorted(scopes, key=lambda each: each.id)):
            inside = tuple(each.key for each in devices if each.scope == scope.id and each.key in holders)
            sides = [("work", MODIFY)] + ([("personal", PATCH_PERSONAL)] if scope.id.endswith("cope") else [])
            steps += [
                self.kit.step(
                    scope.id, CHAT, system=NAME, side=side, method=method, holders=inside, wave=1 + number // 3
                )
                for side, method in sides
            ]
        return self.kit.plan_of(*steps, created_at=moment)

    def sync(self) -> None:
        """An hour passes and every device reports."""
        self.clock.advance(7200)

    def statuses(self) -> tuple[list[DeviceStatus], dict[str, DeviceFacts]]:
        devices, installs, _ = self.look()
        present = {install.device for install in installs if install.app.app_id == CHAT and not install.removed}
        statuses = [
            DeviceStatus(
                directive="ban",
                device=each.key,
                system=each.system,
                platform=each.platform,
                enrolment=each.enrolment,
                os_version=each.os_version,
                department=DEPARTMENT,
                scope=each.scope,
                presence=Presence.present_unmanaged if each.key in present else Presence.absent,
                invisible_side=each.enrolment is not Enrolment.fully_managed,
                observed_at=each.observed_at,
                freshness=each.freshness,
            )
            for each in devices
        ]
        facts = {
            each.key: DeviceFacts(
                each.key, each.applied_scope, each.applied_version, each.remarks, sees=Visibility.all_apps
            )
            for each in devices
        }
        return statuses, facts

    def work(self, home: Path, plan: Any, lifted: frozenset[str]) -> None:
        """A worker's life: look, judge, tick, until nothing is left to do."""
        from proscribe.store.repositories import Outcomes

        self.clock.advance(0)
        means = open_store(home, self.clock, {NAME: self.connector()}, settle=SETTLE)
        for _ in range(60):
            statuses, facts = self.statuses()
            case = FleetCase("ban", SNAPSHOT, means.repository.find(directive="ban"))
            now = self.clock.now()
            judged = tuple(judge_fleet(case, statuses, (), facts, now))
            Outcomes().replace("ban", judged, at=now)
            report = tick(means, Present(outcomes={"ban": judged}, waves={digest(plan): plan.waves}, lifted=lifted))
            if report.settled and not report.waiting:
                return
            if report.unsettled:
                time.sleep(0.05)
            elif not report.counts:
                self.sync()
        raise AssertionError(f"not settled: {report.counts} {report.waits}")


@pytest.fixture(scope="module")
def service() -> Iterator[SpawnedSimulator]:
    """One simulated service for all trials; each trial ends as it began."""
    with spawn(SPEC) as simulator:
        yield simulator


def fresh(home: Path, template: Path) -> Path:
    """An empty store, always in the same place: a store that is open stays open."""
    proscribe.store.close()
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home)
    return home


def blocked(live: Live) -> set[tuple[str, str]]:
    _, _, scopes = live.look()
    return {
        (scope.id, side)
        for scope in scopes
        for side, method in (("work", MODIFY), ("personal", PATCH_PERSONAL))
        if CHAT in live.connector().in_place(scope, method, Side(side))
    }


def changes(service: SpawnedSimulator, start: int) -> Counter[tuple[str, str, str]]:
    """Effective changes over the wire since mutation ``start``: (policy, side, install type after)."""
    made = service.journal()["mutations"][start:]
    return Counter((each["policy"], side, after) for each in made for side, _, _, after in each["changes"])


def test_killed_at_random_instants_against_the_simulated_service(
    service: SpawnedSimulator, kit: Any, template: Path, ram: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    live = Live(kit, service, RealClock(service))
    chance = random.Random(11)
    killed = 0
    longest = 0.6
    for trial in range(50):
        home = fresh(ram / "home", template)
        plan = live.plan(kit.START + timedelta(seconds=trial))
        means = open_store(home, live.clock, {}, settle=SETTLE)
        adopt(means.repository, means.journal, plan, digest(plan), ground=Ground(), now=live.clock.now())
        start = len(service.journal()["mutations"])
        wanted = {(step.scope, step.side.value) for step in plan.steps}

        begun = time.monotonic()
        instant = chance.uniform(0.0, longest)
        status = forked(lambda home=home, plan=plan: live.work(home, plan, frozenset()), kill_after=instant)
        killed += status == -signal.SIGKILL
        live.work(home, plan, frozenset())
        longest = max(0.3, 0.8 * longest + 0.2 * (time.monotonic() - begun))
        assert blocked(live) == wanted, f"trial {trial}, killed after {instant:.3f} s"
        assert changes(service, start) == Counter((*place, "BLOCKED") for place in wanted), f"trial {trial}"

        # and back again; every other time killed on the way as well
        start = len(service.journal()["mutations"])
        if trial % 2:
            forked(
                lambda home=home, plan=plan: live.work(home, plan, frozenset({"ban"})),
                kill_after=chance.uniform(0.0, longest),
            )
        live.work(home, plan, frozenset({"ban"}))
        assert blocked(live) == set(), f"trial {trial}"
        assert changes(service, start) == Counter((*place, "-") for place in wanted), f"trial {trial}"
    assert killed >= 30, f"only {killed} of 50 workers were killed: the instants come too late"


def test_killed_at_every_boundary_against_the_simulated_service(
    service: SpawnedSimulator, kit: Any, template: Path, ram: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One policy, both sides; the killer stands around every port, the connector among them."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    live = Live(kit, service, RealClock(service))
    full = live.plan(kit.START)
    scope = next(step.scope for step in full.steps if step.scope.endswith("cope"))
    plan = kit.plan_of(*(replace(step, wave=1) for step in full.steps if step.scope == scope))
    wanted = {(scope, "work"), (scope, "personal")}

    def ticks(home: Path, lifted: frozenset[str], killer: Killer | None) -> None:
        means = open_store(home, live.clock, {NAME: live.connector()}, settle=SETTLE)
        if killer is not None:
            means = watched(means, killer)
        for _ in range(40):
            report = tick(means, Present(lifted=lifted))
            if report.settled and not report.waiting and not report.counts:
                return
            time.sleep(0.05 if report.unsettled else 0.0)
        raise AssertionError(f"not settled: {report.counts} {report.waits}")

    at, done = 0, False
    while not done:
        at += 7  # every seventh boundary: all of them are walked against the file above
        home = fresh(ram / "home", template)
        means = open_store(home, live.clock, {}, settle=SETTLE)
        adopt(means.repository, means.journal, plan, digest(plan), ground=Ground(), now=live.clock.now())
        start = len(service.journal()["mutations"])
        status = forked(lambda home=home, at=at: ticks(home, frozenset(), Killer(at)))
        assert status in (0, -signal.SIGKILL), f"boundary {at}"
        done = status == 0
        ticks(home, frozenset(), None)
        assert blocked(live) == wanted, f"boundary {at}"
        assert changes(service, start) == Counter((*place, "BLOCKED") for place in wanted), f"boundary {at}"
        ticks(home, frozenset({"ban"}), None)
        assert blocked(live) == set()
    assert at > 40
