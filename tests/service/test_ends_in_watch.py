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
from proscribe.enforce.model import ActionState, Outcome
from proscribe.plan.model import Hold, Verb
from proscribe.service import enforcing, exempting, holding
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


def _hold(world: World, name: str) -> None:
    placed = Hold("case-12", (f"amapi:{name}",), "access request", "records officer", START.date())
    holding.place(world.open(), placed)


def _entries(world: World, policy: str) -> dict[str, dict[str, object]]:
    return {entry["packageName"]: entry for entry in world.simulator.fleet.policy(policy).get("applications", [])}


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("world", [SMALL], indirect=True)
def test_on_android_a_hold_disables_without_removal_and_its_release_removes_on_the_next_tick(
    world: World, listed: bool
) -> None:
    """Blocking and removing are one setting of this service; under a hold another one blocks and keeps the data.

    Whether a report lists a disabled app is not documented, so both are tried: neither is taken for compliance.
    """
    name = _holder(world)
    device = world.simulator.fleet.devices[name]
    device.hides_disabled = not listed
    before = copy.deepcopy(_entries(world, device.policy))
    _hold(world, name)
    summary = world.apply(standing=True)
    assert not summary.errors
    world.settle(days=2)
    entries = _entries(world, device.policy)
    assert entries[WECHAT_ON_ANDROID] == {"packageName": WECHAT_ON_ANDROID, "disabled": True}
    assert {package: entries[package] for package in before} == before, "what the organisation had is merged with"
    blocked = {package for package, entry in entries.items() if entry.get("installType") == "BLOCKED"}
    assert blocked == {"org.example.casino"}, "nothing of that policy is removed while the hold stands"
    assert WECHAT_ON_ANDROID in device.apps
    assert not device.can_launch(WECHAT_ON_ANDROID)
    assert _outcome(world, name) is Outcome.unknown
    sharing = [one for one in world.simulator.fleet.devices.values() if one.policy == device.policy]
    assert not any(_outcome(world, one.name).compliant for one in sharing), "its reports cannot show that it is gone"

    sent = len(world.simulator.journal.mutations)
    holding.release(world.open(), "case-12", disposal_authority="2016/001")
    world.tick(minutes=15)
    assert len(world.simulator.journal.mutations) > sent
    world.settle(days=1)
    assert WECHAT_ON_ANDROID not in device.apps
    assert _outcome(world, name) is Outcome.removed_verified
    sent = len(world.simulator.journal.mutations)
    world.settle(days=2)
    assert len(world.simulator.journal.mutations) == sent, "what stands is not sent again"

    enforcing.lift(world.open("officer"), DIRECTIVE, reason="revoked")
    world.settle(days=1)
    assert _entries(world, device.policy) == before


@pytest.mark.parametrize("world", [SMALL], indirect=True)
def test_on_android_without_leave_to_act_the_removal_after_a_hold_is_asked_for(world: World) -> None:
    name = _holder(world)
    device = world.simulator.fleet.devices[name]
    _hold(world, name)
    world.apply()
    world.settle(days=1)
    assert not device.can_launch(WECHAT_ON_ANDROID)
    holding.release(world.open(), "case-12", disposal_authority="2016/001")
    summary = world.tick(minutes=15)
    assert any("approval: run 'proscribe plan" in text.en for text in summary.waits)
    world.settle(days=1)
    assert WECHAT_ON_ANDROID in device.apps
    world.apply()
    world.settle(days=1)
    assert WECHAT_ON_ANDROID not in device.apps


@pytest.mark.parametrize("world", [SMALL], indirect=True)
def test_on_android_lifting_the_ban_under_a_hold_gives_the_app_back_with_its_data(world: World) -> None:
    name = _holder(world)
    device = world.simulator.fleet.devices[name]
    before = copy.deepcopy(_entries(world, device.policy))
    _hold(world, name)
    world.apply()
    world.settle(days=1)
    assert not device.can_launch(WECHAT_ON_ANDROID)
    enforcing.lift(world.open("officer"), DIRECTIVE, reason="revoked")
    world.settle(days=1)
    assert _entries(world, device.policy) == before
    assert device.can_launch(WECHAT_ON_ANDROID)


@pytest.mark.parametrize("world", [SMALL], indirect=True)
def test_on_android_a_hold_holds_no_other_policy_up(world: World) -> None:
    """What can never be shown to comply must not be waited for by the next wave."""
    rings = ("first=1", "rest=unlimited")
    first = next(step.scope for step in world.plan(rings=rings).steps if step.wave == 1)
    _hold(world, next(name for name, one in world.simulator.fleet.devices.items() if one.policy == first))
    plan = world.plan(rings=rings)
    assert {step.verbs for step in plan.steps if step.wave == 1} == {(Verb.block_launch,)}
    assert any(step.wave == 2 and Verb.remove in step.verbs for step in plan.steps)
    world.apply(plan)
    world.settle(days=6)
    states = {action.state for action in world.open().stores.actions.find(directive=DIRECTIVE)}
    assert states == {ActionState.accepted}


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
