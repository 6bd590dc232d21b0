"""What a department may not do: show another's ledger, which the feed carries, as its own; count by two floors."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.service.conftest import DIRECTIVE, START, World
from tests.service.test_attesting import Office, _name, acknowledge, attest

from proscribe.feed.model import DepartmentStanding
from proscribe.service import attesting, rolling
from proscribe.simulate.amapi import FleetSpec


@pytest.mark.parametrize("world", [FleetSpec(devices=6, start=START, departments=("Charts",))], indirect=True)
def test_who_showed_it_first_is_not_accused(world: World, tmp_path: Path) -> None:
    _name(world)
    office = Office(world, tmp_path / "authority")
    given = acknowledge(world)
    office.receive(given)
    world.clock.advance(hours=1)
    office.receive(replace(given, department="fog"), "tides/cio", "fog/cio")
    due = (START + timedelta(days=20)).date()
    found = rolling.rollup(office.open(), DIRECTIVE, ["tides", "fog"], acknowledge_by=due, attest_by=due)
    assert {row.department: row.standing for row in found.rows} == {
        "fog": DepartmentStanding.inconsistent,
        "tides": DepartmentStanding.acknowledged,
    }
    assert found.rows[0].why[0].en == "its ledger is the one that tides showed before"


@pytest.mark.parametrize("world", [FleetSpec(devices=16, start=START, departments=("Charts",))], indirect=True)
def test_one_floor_for_all_attestations_to_a_directive(world: World) -> None:
    """With 2, 5 and 7 devices, a floor of 5 shows 9 together and 5, one of 6 shows 7: nine less seven are two."""
    _name(world)
    acknowledge(world)
    world.apply()
    world.settle(days=1)
    assert attest(world, floor=6).small_cell_floor == 6
    with pytest.raises(attesting.FloorChanged):
        attest(world, floor=5)
    assert attest(world).small_cell_floor == 6
