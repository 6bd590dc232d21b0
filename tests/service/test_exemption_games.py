"""Ways round the end of an exemption, or its smallness: each got through once, and is refused with its field."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.service.conftest import DIRECTIVE, START, World, exemption
from tests.store.conftest import postgres_server, store, templates

from proscribe.clock import ManualClock, use_clock
from proscribe.errors import ProscribeError
from proscribe.plan.exemptions import InvalidExemption
from proscribe.plan.model import ExemptionRequest
from proscribe.service import exempting, inventory
from proscribe.service.installation import Installation, open_installation
from proscribe.simulate.amapi import FleetSpec

__all__ = ["postgres_server", "store", "templates"]  # fixtures

FLEET = FleetSpec(devices=16, start=START, departments=("Charts", "Lamps"))


@pytest.fixture
def desk(store: Path) -> Iterator[Callable[[], Installation]]:
    clock = ManualClock(START)
    with use_clock(clock):
        yield lambda: open_installation(store, actor="officer", clock=clock)


def asked(name: str, *devices: str) -> ExemptionRequest:
    return ExemptionRequest(
        exemption=replace(exemption(name, *devices), approved_by=""), justification="A need.", on=START.date()
    )


def test_what_was_refused_is_not_granted_by_another_door(desk: Callable[[], Installation]) -> None:
    one = asked("EX-1", "amapi:1")
    exempting.request(desk(), one)
    exempting.refuse(desk(), "EX-1", by="cio", because="No need was shown")
    with pytest.raises(exempting.NoRequest, match="refused by cio"):
        exempting.add(desk(), exemption("EX-1", "amapi:1"))
    assert exempting.listed(desk()) == ()


def test_more_than_was_asked_for_is_not_granted_under_its_id(desk: Callable[[], Installation]) -> None:
    exempting.request(desk(), asked("EX-1", "amapi:1"))
    with pytest.raises(exempting.RequestExists):
        exempting.add(desk(), exemption("EX-1", "amapi:1", "amapi:2", "amapi:3"))
    assert exempting.grant(desk(), exempting.draft(desk(), "EX-1", approved_by="chief-security-officer"))


def test_what_was_granted_is_ended_and_not_refused(desk: Callable[[], Installation]) -> None:
    exempting.request(desk(), asked("EX-1", "amapi:1"))
    exempting.grant(desk(), exempting.draft(desk(), "EX-1", approved_by="chief-security-officer"))
    with pytest.raises(exempting.AlreadyGranted):
        exempting.refuse(desk(), "EX-1", by="cio", because="Too late")


@pytest.mark.parametrize("world", [FLEET], indirect=True)
@pytest.mark.parametrize("by_turns", [False, True])
def test_an_entity_is_not_exempt_by_naming_each_of_its_devices(world: World, by_turns: bool) -> None:
    inventory.observe(world.open())
    (_, *departments) = inventory.entities(world.open())
    first, *rest = sorted(departments[0])
    assert rest
    if by_turns:
        for number, device in enumerate(rest):
            exempting.add(world.open(), exemption(f"e{number}", device))
        last = exemption("last", first)
    else:
        last = exemption("last", first, *rest)
    with pytest.raises(InvalidExemption, match="devices of an entity") as caught:
        exempting.add(world.open(), last)
    assert caught.value.where.field == "devices"


@pytest.mark.parametrize("world", [FLEET], indirect=True)
def test_a_device_under_its_other_key_is_the_same_device(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "keys_of_devices", lambda _: iter([("amapi:d1", "other:d1")]))
    exempting.add(world.open(), exemption("e1", "amapi:d1", days=30))
    world.clock.advance(days=31)
    today = world.clock.now().date()
    again = replace(exemption("e2", "other:d1"), starts=today, expires=today + timedelta(days=30))
    with pytest.raises(InvalidExemption, match="had exemption e1"):
        exempting.add(world.open(), again)
    assert exempting.add(world.open(), replace(again, renews="e1"))


def test_two_officers_who_renew_at_once_do_not_both_get_it(desk: Callable[[], Installation]) -> None:
    first = exemption("e1", "amapi:1", days=30)
    exempting.add(desk(), first)
    starts = first.expires + timedelta(days=1)
    both = [
        replace(first, id=name, renews="e1", starts=starts, expires=starts + timedelta(days=30)) for name in ("a", "b")
    ]
    refused: list[ProscribeError] = []
    ready = threading.Barrier(len(both))

    def work(one: object) -> None:
        with use_clock(ManualClock(datetime(2026, 11, 2, 13, 0, tzinfo=UTC))):
            ready.wait()
            try:
                exempting.add(desk(), one)  # type: ignore[arg-type]
            except ProscribeError as error:
                refused.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.where.field for one in refused] == ["renews"]
    assert len(exempting.listed(desk())) == 2


def test_the_report_of_a_directive_names_no_device(desk: Callable[[], Installation]) -> None:
    exempting.add(desk(), exemption("e1", "amapi:very-own-device"))
    assert "very-own-device" not in str(exempting.report(desk(), DIRECTIVE))
