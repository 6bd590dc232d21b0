"""Records holds on a user's devices, as far as a list and the inventory know them; and what the ledger keeps of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.service.conftest import START, World

from proscribe.documents import to_json
from proscribe.errors import UnreadableFile
from proscribe.plan.holds import InvalidHold
from proscribe.plan.model import Hold, RefusalReason
from proscribe.prove.model import EntryKind
from proscribe.service import holding, inventory
from proscribe.simulate.amapi import FleetSpec

pytestmark = pytest.mark.parametrize(
    "world", [FleetSpec(devices=16, start=START, departments=("Charts",))], indirect=True
)


def held_by_list(world: World, user: str, text: str, folder: Path) -> holding.UserDevices:
    listing = folder / "devices.csv"
    listing.write_text(text, encoding="utf-8")
    return holding.devices_of(world.open(), user, listing)


def test_every_device_of_a_user_is_held_by_key_or_serial_and_what_is_not_found_is_said(
    world: World, tmp_path: Path
) -> None:
    plan = world.plan()
    first, second, *_ = sorted({device for step in plan.steps for device in step.holders})
    serial = world.simulator.fleet.devices[second.removeprefix("amapi:")].serial
    found = held_by_list(
        world,
        "u-7",
        "\ufeffUser;Device;Serial\n"
        f"u-7;{first};\nu-7;;{serial}\nu-8;amapi:other;\nu-7;amapi:not-yet-enrolled;\nu-7;;NO-SUCH-SERIAL\n"
        f"u-7;;{serial}\n",
        tmp_path,
    )
    assert found.devices == (first, second, "amapi:not-yet-enrolled")
    assert found.not_found == ("amapi:not-yet-enrolled", "NO-SUCH-SERIAL")
    hold = Hold("case-7", found.devices, "access request", "records officer", START.date(), user=found.user)
    assert holding.place(world.open(), hold)
    refused = {
        device for one in world.plan().refusals if one.reason is RefusalReason.records_hold for device in one.devices
    }
    assert {first, second} <= refused
    entry = [one for one in world.open().stores.ledger.entries() if one.entry is EntryKind.hold][-1]
    assert entry.body["about"] == "user"
    assert "u-7" not in str(entry.body)  # whose records they are stays here


@pytest.mark.parametrize(
    ("user", "text", "field"),
    [
        ("Jeanne Tremblay", "user,device\nJeanne Tremblay,amapi:1\n", "user"),
        ("jeanne@lighthouses.example", "user,device\njeanne@lighthouses.example,amapi:1\n", "user"),
        ("u-7", "person,device\nu-7,amapi:1\n", ""),
        ("u-7", "user,phone\nu-7,amapi:1\n", ""),
        ("u-7", "user,device\nu-8,amapi:1\n", ""),
        ("u-7", "user,serial\nu-7,unknown\n", ""),
        ("u-7", "", ""),
    ],
)
def test_a_list_or_reference_that_will_not_do_is_refused_with_a_next_step(
    world: World, tmp_path: Path, user: str, text: str, field: str
) -> None:
    with pytest.raises(InvalidHold) as error:
        held_by_list(world, user, text, tmp_path)
    assert error.value.where.field == field
    assert error.value.remedy.fr


def test_a_list_that_cannot_be_read_is_named(world: World, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"nowhere\.csv"):
        holding.devices_of(world.open(), "u-7", tmp_path / "nowhere.csv")


def test_a_hold_of_before_keeps_its_bytes_and_is_the_same_when_placed_again(world: World) -> None:
    hold = Hold("case-1", ("amapi:1",), "access request", "records officer", START.date())
    assert set(to_json(hold)) == {"id", "devices", "authority", "placed_by", "starts"}
    assert holding.place(world.open(), hold)
    assert not holding.place(world.open(), hold)
    assert inventory.keys_by_serial(world.open()) == {}


def test_a_release_records_under_what_the_records_may_be_disposed_of(world: World) -> None:
    hold = Hold("case-1", ("amapi:1",), "access request", "records officer", START.date())
    holding.place(world.open(), hold)
    assert holding.release(world.open(), "case-1", released_by="records officer", disposal_authority="2016/001")
    entry = [one for one in world.open().stores.ledger.entries() if one.entry is EntryKind.hold][-1]
    assert entry.body == {"event": "released", "released_by": "records officer", "disposal_authority": "2016/001"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "jeanne@lighthouses.example"), ("authority", "request of U-7"), ("placed_by", "j.t@lighthouses.example")],
)
def test_no_word_that_goes_into_the_ledger_names_whose_records_they_are(world: World, field: str, value: str) -> None:
    words = {"id": "case-7", "authority": "access request", "placed_by": "records officer", field: value}
    hold = Hold(devices=("amapi:1",), starts=START.date(), user="u-7", **words)
    with pytest.raises(InvalidHold) as caught:
        holding.place(world.open(), hold)
    assert caught.value.where.field == field
    assert holding.place(world.open(), Hold("c", ("amapi:1",), "2016/001", "records officer", START.date(), user="u-7"))
    with pytest.raises(InvalidHold):
        holding.release(world.open(), "c", disposal_authority="u-7 agreed")


def test_a_list_that_is_no_table_and_a_key_that_cannot_be_typed_are_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(InvalidHold, match="not a table") as caught:
        held_by_list(world, "u-7", f"user,device\nu-7,amapi:{'a' * 200_000}\n", tmp_path)
    assert caught.value.where.row == 2
    with pytest.raises(InvalidHold, match="no known device"):
        held_by_list(world, "u-7", "user,device\nu-7,amapi:\x00d1\n", tmp_path)
