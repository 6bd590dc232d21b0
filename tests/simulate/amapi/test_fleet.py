"""The fleet builder, and the simulator in a process of its own."""

from __future__ import annotations

import json
from collections import Counter

import httpx
import pytest

from proscribe.clock import ManualClock, SystemClock
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.base import Order
from proscribe.simulate.amapi import AmapiSimulator, Behaviour, FaultScript, FleetSpec, make_fleet, spawn
from proscribe.terms import Enrolment, Side


def test_the_same_seed_gives_the_same_fleet() -> None:
    one, two, other = (make_fleet(FleetSpec(devices=80, seed=seed)) for seed in (3, 3, 4))
    assert one.truth() == two.truth()
    assert one.truth() != other.truth()


def test_a_fleet_has_people_of_every_kind() -> None:
    fleet = make_fleet(FleetSpec(devices=600))
    kinds = Counter(device.enrolment for device in fleet.devices.values())
    assert kinds[Enrolment.fully_managed] > kinds[Enrolment.cope] > kinds[Enrolment.byod] > 0
    holders = [device for device in fleet.devices.values() if "com.tencent.mm" in device.apps]
    assert 20 < len(holders) < 100
    for behaviour in (Behaviour.offline, Behaviour.reinstaller, Behaviour.stubborn):
        assert any(device.behaviour is behaviour for device in holders)
    assert any("com.tencent.mm" in device.personal for device in fleet.devices.values())
    assert len(fleet.policies()) == 12
    assert all(device.policy in {policy["name"] for policy in fleet.policies()} for device in fleet.devices.values())


def test_a_policy_of_the_spec_can_be_set() -> None:
    spec = FleetSpec(devices=0, policy_settings=(("charts-fully_managed", '{"uninstallAppsDisabled": true}'),))
    policies = {policy["name"]: policy for policy in make_fleet(spec).policies()}
    assert policies["enterprises/lighthouses/policies/charts-fully_managed"]["uninstallAppsDisabled"] is True
    assert "uninstallAppsDisabled" not in policies["enterprises/lighthouses/policies/lamps-fully_managed"]


def test_a_fleet_without_bans_and_without_devices_is_a_fleet() -> None:
    assert make_fleet(FleetSpec(devices=0, banned=())).truth() == {}
    assert len(make_fleet(FleetSpec(devices=3, banned=())).truth()) == 3


@pytest.mark.parametrize("call", [("devices.wipe", "throttle"), ("any", "sulk")])
def test_a_fault_that_does_not_exist_is_refused(call: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"devices\.wipe|sulk"):
        FaultScript().next(*call)
    with pytest.raises(ValueError, match="never"):
        FaultScript().between("policies.patch", "never", print)


def test_the_administration_path(clock: ManualClock) -> None:
    with AmapiSimulator(make_fleet(FleetSpec(devices=2)), clock) as simulator:

        def call(action: str, body: object = None) -> dict[str, object]:
            data = None if body is None else json.dumps(body).encode()
            answer = httpx.request("POST" if data else "GET", f"{simulator.endpoint}/_sim/{action}", content=data)
            answer.raise_for_status()
            return dict(answer.json())

        before = clock.now()
        call("advance", {"seconds": 60})
        assert (clock.now() - before).total_seconds() == 60
        assert call("journal") == {"mutations": [], "requests": []}
        assert len(call("devices")) == 2
        with pytest.raises(httpx.HTTPStatusError):
            call("unknown")


@pytest.mark.slow
def test_a_simulator_of_its_own_outlives_its_clients() -> None:
    spec = FleetSpec(devices=5)
    with spawn(spec) as simulator:
        config = AmapiConfig(spec.enterprise, endpoint=simulator.endpoint)
        order = Order(
            "k",
            "amapi",
            f"{spec.enterprise}/policies/lamps-cope",
            "patch_personal_usage",
            Side.personal,
            ("com.tencent.mm",),
        )
        first = AmapiConnector(config, clock=SystemClock())
        simulator.fault("policies.patch", "drop_after")
        with pytest.raises(Exception, match="connection failed"):
            first.send(order, first.prepare(order))
        first.close()
        second = AmapiConnector(config, clock=SystemClock())
        assert second.prepare(order).in_place
        simulator.advance(86_400)
        seen = [device for batch in second.observe() for device in batch.devices]
        assert len(seen) == 5
        synced = [device for device in seen if device.scope == order.scope and device.applied_version == 2]
        assert len(synced) == sum(device.scope == order.scope for device in seen), "time passes there too"
        second.close()
        assert [entry["changes"] for entry in simulator.journal()["mutations"]] == [
            [["personal", "com.tencent.mm", "-", "BLOCKED"]]
        ]
        assert len(simulator.devices()) == 5
    assert not simulator.process.is_alive()
