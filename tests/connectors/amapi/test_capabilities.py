"""The capability rows against devices that behave: what a row promises happens, what it denies does not."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proscribe.clock import ManualClock
from proscribe.connectors.amapi.connector import AmapiConnector
from proscribe.connectors.amapi.system import DISABLE, SIDES, rows
from proscribe.connectors.base import Order
from proscribe.plan.model import Effect, Verb
from proscribe.simulate.amapi import AmapiSimulator, App, Behaviour
from proscribe.terms import Enrolment, Side

TESTS = Path(__file__).parents[3]


def apps_of(connector: AmapiConnector, number: int = 1) -> dict[str, bool]:
    """App ids that the connector reports for a device, with whether they are tombstones."""
    return {
        install.app.app_id: install.removed
        for batch in connector.observe()
        for install in batch.installs
        if install.device.endswith(f"d{number:04d}")
    }


def ban(connector: AmapiConnector, order: Order) -> int:
    return connector.send(order, connector.prepare(order)).scope_version


def test_every_row_names_a_test_that_exists() -> None:
    for row in rows():
        path, name = row.tested_by.split("::")
        tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, row.id


def test_every_method_is_one_that_the_connector_has() -> None:
    for row in rows():
        if row.effect is Effect.impossible:
            assert not row.method
        elif row.verb is Verb.observe:
            assert row.method == "observe"
        else:
            assert row.side in SIDES[row.method], row.id


def test_every_class_of_device_is_covered() -> None:
    promised = {(row.enrolment, row.side, row.verb) for row in rows()}
    sides = [
        (Enrolment.fully_managed, Side.whole),
        (Enrolment.cope, Side.work),
        (Enrolment.cope, Side.personal),
        (Enrolment.byod, Side.work),
        (Enrolment.byod, Side.personal),
    ]
    for enrolment, side in sides:
        for verb in (Verb.observe, Verb.remove, Verb.block_install):
            assert (enrolment, side, verb) in promised


@pytest.mark.parametrize(
    ("enrolment", "side"),
    [(Enrolment.fully_managed, Side.whole), (Enrolment.cope, Side.work), (Enrolment.byod, Side.work)],
)
def test_what_is_installed_is_observed(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_device: Callable[..., Any],
    enrolment: Enrolment,
    side: Side,
) -> None:
    connector = connect(simulate(devices=[make_device(1, enrolment)]))
    (batch, *_) = connector.observe()
    (device,) = batch.devices
    assert (device.enrolment, device.department, device.serial) == (enrolment, "Charts", "NL0001")
    assert device.scope == "enterprises/lighthouses/policies/harbour"
    assert {install.app.app_id: install.side for install in batch.installs} == {
        "org.lighthouses.mail": side,
        "com.tencent.mm": side,
    }
    assert {install.app.signer for install in batch.installs} == {"ab" * 32, "cd" * 32}


@pytest.mark.parametrize("enrolment", [Enrolment.fully_managed, Enrolment.cope, Enrolment.byod])
def test_a_blocked_app_is_removed(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_device: Callable[..., Any],
    work_order: Order,
    clock: ManualClock,
    enrolment: Enrolment,
) -> None:
    simulator = simulate(devices=[make_device(1, enrolment)])
    connector = connect(simulator)
    version = ban(connector, work_order)
    assert apps_of(connector)["com.tencent.mm"] is False, "acceptance is not compliance"
    clock.advance(hours=1)
    assert apps_of(connector)["com.tencent.mm"] is True, "a tombstone is evidence"
    ((device,), *_) = [batch.devices for batch in connector.observe()]
    assert device.applied_version >= version
    assert device.remarks == ()
    assert "com.tencent.mm" not in simulator.fleet.truth()[device.key.removeprefix("amapi:")]["apps"]


def test_a_blocked_app_does_not_stay_when_it_comes_back(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_policy: Callable[..., Any],
    make_device: Callable[..., Any],
    work_order: Order,
    clock: ManualClock,
) -> None:
    open_to_files = {"untrustedAppsPolicy": "ALLOW_INSTALL_DEVICE_WIDE"}
    user = make_device(1, behaviour=Behaviour.reinstaller, reinstall_after=3000.0)
    connector = connect(simulate([make_policy("harbour", advancedSecurityOverrides=open_to_files)], [user]))
    ban(connector, work_order)
    clock.advance(minutes=30)
    assert apps_of(connector)["com.tencent.mm"] is True
    clock.advance(minutes=35)  # removed at 08:10, put back at 09:00, next sync at 09:10
    assert apps_of(connector)["com.tencent.mm"] is False
    ((device,), *_) = [batch.devices for batch in connector.observe()]
    assert device.remarks == ("noncompliant:APP_INSTALLED:com.tencent.mm",)
    clock.advance(minutes=10)
    assert apps_of(connector)["com.tencent.mm"] is True


def test_the_personal_side_is_never_observed(
    simulate: Callable[..., AmapiSimulator], connect: Callable[..., AmapiConnector], make_device: Callable[..., Any]
) -> None:
    hidden = App("org.example.photos", "Photos")
    cope = make_device(1, Enrolment.cope, apps={}, personal={hidden.package: hidden})
    connector = connect(simulate(devices=[cope]))
    assert "org.example.photos" not in apps_of(connector)
    assert all(install.side is not Side.personal for batch in connector.observe() for install in batch.installs)


def test_the_personal_side_is_enforced_blind(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_device: Callable[..., Any],
    personal_order: Order,
    clock: ManualClock,
) -> None:
    simulator = simulate(devices=[make_device(1, Enrolment.cope)])
    connector = connect(simulator)
    version = ban(connector, personal_order)
    seen = apps_of(connector)
    clock.advance(hours=1)
    ((device,), *_) = [batch.devices for batch in connector.observe()]
    assert device.applied_version >= version, "the version is all there is to show"
    assert apps_of(connector) == seen, "nothing is reported about the personal side"
    truth = simulator.fleet.truth()[device.key.removeprefix("amapi:")]
    assert "com.tencent.mm" not in truth["personal"]
    assert "com.tencent.mm" in truth["apps"], "the work side is another matter"


def test_a_personal_device_keeps_its_personal_side(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_device: Callable[..., Any],
    work_order: Order,
    personal_order: Order,
    clock: ManualClock,
) -> None:
    simulator = simulate(devices=[make_device(1, Enrolment.byod)])
    connector = connect(simulator)
    ban(connector, work_order)
    ban(connector, personal_order)
    clock.advance(days=2)
    simulator.tick()
    (truth,) = simulator.fleet.truth().values()
    assert "com.tencent.mm" in truth["personal"]
    assert "com.tencent.mm" not in truth["apps"]


@pytest.mark.parametrize("enrolment", [Enrolment.fully_managed, Enrolment.cope, Enrolment.byod])
@pytest.mark.parametrize("hides", [False, True])
def test_a_disabled_app_stays_with_its_data(
    simulate: Callable[..., AmapiSimulator],
    connect: Callable[..., AmapiConnector],
    make_device: Callable[..., Any],
    work_order: Order,
    clock: ManualClock,
    enrolment: Enrolment,
    hides: bool,
) -> None:
    """The vendor does not say whether a report lists it: neither answer may be taken for one about its launch."""
    held = make_device(1, enrolment, hides_disabled=hides)
    connector = connect(simulate(devices=[held]))
    disable = replace(work_order, method=DISABLE)
    version = ban(connector, disable)
    assert held.can_launch("com.tencent.mm"), "acceptance is not compliance"
    clock.advance(hours=1)
    assert apps_of(connector).get("com.tencent.mm") is (None if hides else False)
    assert not held.can_launch("com.tencent.mm")
    assert "com.tencent.mm" in held.apps
    ((device,), *_) = [batch.devices for batch in connector.observe()]
    assert device.applied_version >= version
    assert device.remarks == ()
    ban(connector, work_order)
    clock.advance(hours=1)
    assert apps_of(connector)["com.tencent.mm"] is True
    assert "com.tencent.mm" not in held.apps
