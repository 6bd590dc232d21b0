"""What ends while ``watch`` runs: an exemption, and a records hold. The real loop over the simulated services."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.connectors.nanomdm.department import WECHAT, Department, department
from tests.connectors.nanomdm.world import simulated_site
from tests.service.conftest import DIRECTIVE, START, World, exemption

import proscribe.store
from proscribe.enforce.model import Outcome
from proscribe.plan.model import Hold
from proscribe.service import exempting, holding
from proscribe.service.model import TickSummary
from proscribe.simulate.amapi import Behaviour, FleetSpec
from proscribe.simulate.apple import BannedApp, CertificateAuthority, Phone, make_phones
from proscribe.simulate.apple import FleetSpec as PhonesSpec
from proscribe.terms import Enrolment
from proscribe.worker.run import run_forever

WECHAT_ON_ANDROID = "com.tencent.mm"
WECHAT_ON_IPHONE = "com.tencent.xin"
SMALL = FleetSpec(devices=20, start=START, departments=("Charts",))


def _holder(world: World) -> str:
    return next(
        name
        for name, one in world.simulator.fleet.devices.items()
        if WECHAT_ON_ANDROID in one.apps
        and one.enrolment is Enrolment.fully_managed
        and one.behaviour is Behaviour.normal
    )


def _outcome(world: World, name: str) -> Outcome:
    rows = {row.device: row.outcome for row in world.open().stores.outcomes.latest(DIRECTIVE)}
    return rows[f"amapi:{name}"]


class Stop:
    """Ends ``watch`` after so many ticks; between them the clock goes on."""

    def __init__(self, world: World, ticks: int, hours: float) -> None:
        self._world, self._left, self._hours = world, ticks, hours
        self.seen: list[TickSummary] = []
        self.sent: list[int] = []

    def tick(self) -> float | None:
        from proscribe.service import enforcing

        self.seen.append(enforcing.tick(self._world.open("watch")))
        self.sent.append(len(self._world.simulator.journal.mutations))
        return None

    def is_set(self) -> bool:
        return self._left <= 0

    def wait(self, timeout: float | None = None) -> bool:
        self._left -= 1
        self._world.clock.advance(hours=self._hours)
        return self.is_set()


@pytest.mark.parametrize("world", [SMALL], indirect=True)
def test_an_exemption_that_expires_during_watch_is_enforced_on_the_very_next_tick(world: World) -> None:
    name = _holder(world)
    device = world.simulator.fleet.devices[name]
    exempting.add(world.open(), exemption("e1", f"amapi:{name}", days=2))
    world.apply(standing=True)
    stop = Stop(world, ticks=12, hours=6)  # three days from START, 13:00 UTC; the last exempt tick is at 19:00 on day 2
    run_forever(stop.tick, 6 * 3600.0, stop_event=stop)  # type: ignore[arg-type]
    over = next(at for at, one in enumerate(stop.seen) if one.at.date() > START.date().replace(day=4))
    assert stop.sent[over - 1] == stop.sent[0]  # nothing was sent to its policy while it was exempt
    assert stop.sent[over] > stop.sent[over - 1]  # the first tick of the day after sends
    assert WECHAT_ON_ANDROID not in device.apps
    assert _outcome(world, name) is Outcome.removed_verified


@pytest.mark.parametrize("world", [SMALL], indirect=True)
def test_without_leave_to_act_the_end_of_an_exemption_is_asked_for_and_said(world: World) -> None:
    name = _holder(world)
    exempting.add(world.open(), exemption("e1", f"amapi:{name}", days=2))
    world.apply()
    world.settle(days=2)
    sent = len(world.simulator.journal.mutations)
    summary = world.tick(days=1)
    assert len(world.simulator.journal.mutations) == sent
    waits = [text.en for text in summary.waits]
    assert any("approval: run 'proscribe plan" in text for text in waits)
    assert "Exemption e1 ended on 2026-11-04: its devices are among these." in waits
    assert not _outcome(world, name).compliant
    assert _outcome(world, name) is not Outcome.exempt
    world.apply()
    world.settle(days=1)
    assert _outcome(world, name) is Outcome.removed_verified


@pytest.mark.parametrize("world", [SMALL], indirect=True)
def test_on_android_a_hold_leaves_the_policy_out_and_its_release_removes_on_the_next_tick(world: World) -> None:
    """This service has one change that blocks and removes at once: the hold keeps both away, and says so."""
    name = _holder(world)
    device = world.simulator.fleet.devices[name]
    untouched = copy.deepcopy(world.simulator.fleet.policy(device.policy))
    placed = Hold("case-12", (f"amapi:{name}",), "access request", "records officer", START.date())
    holding.place(world.open(), placed)
    world.apply(standing=True)
    world.settle(days=2)
    assert world.simulator.fleet.policy(device.policy) == untouched
    assert WECHAT_ON_ANDROID in device.apps
    sent = len(world.simulator.journal.mutations)
    holding.release(world.open(), "case-12", disposal_authority="2016/001")
    world.tick(minutes=15)
    assert len(world.simulator.journal.mutations) > sent
    world.settle(days=1)
    assert WECHAT_ON_ANDROID not in device.apps
    assert _outcome(world, name) is Outcome.removed_verified


@pytest.fixture
def dept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Department]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    proscribe.store.setup(home)
    authority = CertificateAuthority.create()
    with department(simulated_site(authority), authority, home) as made:
        yield made
    proscribe.store.close()
    shutil.rmtree(home)


def _said(dept: Department, phone: Phone) -> Outcome:
    return dept.outcomes(WECHAT)[phone.id].outcome


def test_on_a_phone_that_can_be_blocked_alone_a_hold_leads_to_block_without_removal_and_to_removal_when_lifted(
    dept: Department,
) -> None:
    banned = (BannedApp(WECHAT_ON_IPHONE, "WeChat", share=1.0),)
    spec = PhonesSpec(
        phones=3, banned=banned, unsupervised_share=0, user_enrolment_share=0, behaviours=(), guaranteed=()
    )
    phones = make_phones(spec)
    dept.place(phones)
    dept.world.enrol(phones)
    dept.ask()
    held, free, *_ = phones
    assert WECHAT_ON_IPHONE in held.installed() & free.installed()
    placed = Hold(
        "case-12", (f"nanomdm:{held.id}",), "access request", "records officer", dept.world.clock.now().date()
    )
    holding.place(dept.open(), placed)
    dept.apply(dept.plan(WECHAT))
    dept.world.check_in()
    for _ in range(5):
        dept.tick(hours=6)
    assert WECHAT_ON_IPHONE in held.installed()  # its data are still there
    assert not held.can_launch(WECHAT_ON_IPHONE)
    assert _said(dept, held) is Outcome.contained
    assert WECHAT_ON_IPHONE not in free.installed()
    assert _said(dept, free) is Outcome.removed_verified
    holding.release(dept.open(), "case-12", disposal_authority="2016/001")
    for _ in range(5):
        dept.tick(hours=6)
    assert WECHAT_ON_IPHONE not in held.installed()
    assert _said(dept, held) is Outcome.removed_verified
