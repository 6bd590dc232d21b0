"""Observing is reading what is remembered: page by page, resumable, with every doubt told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nanomdm.remembered import (
    APP,
    NOW,
    OTHER,
    PROFILE,
    WATCH,
    app_list,
    base_profile,
    command,
    config,
    device,
    edition,
    hours,
    profiles,
    records,
)

from proscribe.canonical import digest_bytes
from proscribe.clock import ManualClock
from proscribe.connectors.base import Batch, Rejected
from proscribe.connectors.memory import Watch
from proscribe.connectors.nanomdm import observe as module
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.model import CommandState, Gap, Group, Kind, Removal, SeenApp, Stage
from proscribe.connectors.nanomdm.observe import PAGE, observe
from proscribe.connectors.nanomdm.records import Records
from proscribe.connectors.nanomdm.roster import Place, Roster
from proscribe.inventory.model import DeviceRecord, Freshness, InstallRecord
from proscribe.terms import Enrolment, Held, Platform, Side


def scan(
    stored: Records,
    cursor: str = "",
    *,
    roster: Roster | None = None,
    watch: Watch = WATCH,
    settings: NanomdmConfig | None = None,
) -> list[Batch]:
    return list(observe(settings or config(), stored, roster or Roster(), watch, ManualClock(NOW), cursor))


def told(batches: list[Batch]) -> list[str]:
    return [problem.what.en for batch in batches for problem in batch.problems]


def counts(batches: list[Batch]) -> dict[str, int]:
    return {scope.id: scope.devices for batch in batches for scope in batch.scopes if "/" in scope.id}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(module, "PAGE", 4)
    return 4


def test_what_is_known_of_a_device_is_told() -> None:
    seen = device(
        name="Buoy 7",
        os="17.4",
        apps=app_list(SeenApp(APP, "8.0.33", clip=False), asked=hours(1)),
        profiles=profiles(PROFILE),
        locked_since=hours(2),
    )
    seen = replace(seen, id="D1", serial="SND1")
    roster = Roster(by_serial={"SND1": Place("Vessels", "Coast guard", "Buoy seven", 2)}, rows=frozenset({2}))
    (batch,) = scan(records([seen], [Group("Vessels/profile", edition(3, APP))]), roster=roster)
    assert batch.devices == (
        DeviceRecord(
            key="nanomdm:D1",
            system="nanomdm",
            platform=Platform.ios,
            enrolment=Enrolment.supervised,
            os_version="17.4",
            name="Buoy seven",
            serial="SND1",
            department="Coast guard",
            scope="Vessels/profile",
            observed_at=hours(1),
            freshness=Freshness.observed,
            applied_scope="Vessels/profile",
            applied_version=3,
            remarks=("locked:2026-11-22T10:00:00+00:00", f"contained:{APP}"),
        ),
    )
    (install,) = batch.installs
    assert (install.app.platform, install.app.app_id, install.version) == (Platform.ios, APP, "8.0.33")
    assert (install.device, install.side, install.held) == ("nanomdm:D1", Side.whole, Held.unmanaged)
    assert [(scope.id, scope.version, scope.devices) for scope in batch.scopes] == [
        ("nanomdm:D1", 1, 1),
        ("Vessels/profile", 3, 1),
    ]
    assert (batch.cursor, batch.problems, batch.unknown_fields) == ("", (), ())


def test_the_time_of_a_list_is_when_it_was_asked_for() -> None:
    late = replace(app_list(asked=hours(30)), received_at=hours(1))
    (batch,) = scan(records([device(apps=late), device("d2")]))
    with_list, without = batch.devices
    assert (with_list.observed_at, with_list.freshness) == (hours(30), Freshness.observed)
    assert (without.observed_at, without.freshness, without.remarks) == (None, Freshness.imported, ("no-app-reports",))


def test_a_name_that_the_roster_does_not_give_is_the_devices_own() -> None:
    named = replace(device(), name="Buoy 7")
    (batch,) = scan(records([named]))
    assert batch.devices[0].name == "Buoy 7"


def test_an_app_on_a_computer_is_no_app_of_a_phone() -> None:
    (batch,) = scan(records([device(platform=Platform.macos, apps=app_list(SeenApp(APP)))]))
    assert (batch.devices[0].platform, batch.installs[0].app.platform) == (Platform.macos, Platform.macos)


def test_who_left_is_counted_and_users_on_a_device_are_not() -> None:
    stored = records(
        [
            device("d1"),
            device("d2", left_at=hours(5), apps=app_list(SeenApp(APP))),
            device("d3", kind=Kind.user),
            device("d4", kind=Kind.user_enrolment_user),
            device("d5", kind=Kind.shared_ipad),
        ]
    )
    (batch,) = scan(stored)
    assert [one.key for one in batch.devices] == ["nanomdm:d1"]
    assert batch.installs == ()
    assert counts([batch]) == {"all/profile": 1}
    assert told([batch]) == ["1 device left management and is not counted"]


def test_nothing_to_observe_is_one_empty_page() -> None:
    (batch,) = scan(records())
    assert (batch.devices, batch.scopes, batch.cursor, batch.raw_bytes) == ((), (), "", 2)


def test_a_group_that_something_was_asked_of_stays_a_scope_without_devices() -> None:
    (batch,) = scan(records([device()], [Group("closed/declarations", edition(5, APP))]))
    assert [(scope.id, scope.version, scope.devices) for scope in batch.scopes] == [
        ("all/profile", 0, 1),
        ("closed/declarations", 5, 0),
    ]


def test_devices_are_counted_by_scope_across_pages(small_pages: int) -> None:
    fleet = [
        device(f"d{number:02}", supervised=number % 3 != 0, apps=app_list(*([SeenApp(APP)] if number == 4 else [])))
        for number in range(10)
    ]
    batches = scan(records(fleet))
    assert [len(batch.devices) for batch in batches] == [small_pages, small_pages, 2]
    assert counts(batches) == {"all/profile": 6, "all/commands": 4}
    assert [len(batch.scopes) for batch in batches] == [0, 1, 2], "groups in the last page alone"
    assert all(batch.cursor for batch in batches[:-1])


def test_a_last_page_that_is_full_is_followed_by_an_empty_one(small_pages: int) -> None:
    batches = scan(records([device(f"d{number}") for number in range(small_pages)]))
    assert [len(batch.devices) for batch in batches] == [small_pages, 0]
    assert counts(batches) == {"all/profile": small_pages}


def test_a_scan_that_was_cut_off_goes_on_with_the_right_counts(small_pages: int) -> None:
    fleet = [
        device(
            f"d{number:02}",
            apps=app_list(SeenApp(APP)),
            profiles=profiles(foreign=number < 5),
            left_at=hours(1) if number == 1 else None,
        )
        for number in range(9)
    ]
    by_serial = {f"SND0{number}": Place("", "", "", number + 2) for number in (0, 8, 11)}
    roster = Roster(by_serial=by_serial, file="roster.csv", rows=frozenset({2, 10, 13}))
    stored = records(fleet)
    whole = scan(stored, roster=roster)
    for position in range(len(whole) - 1):
        rest = scan(stored, whole[position].cursor, roster=roster)
        assert rest == whole[position + 1 :]
    assert counts(whole) == {"all/profile": 8}
    assert told(whole) == ["1 device of the roster was never seen", "1 device left management and is not counted"]
    (group,) = [scope for scope in whole[-1].scopes if scope.id == "all/profile"]
    assert json.loads(group.settings)["foreign"] == 4


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "[]",
        "{}",
        '{"after":1,"left":0,"tallies":{}}',
        '{"after":"a","left":"none","tallies":{}}',
        '{"after":"a","left":0,"tallies":{"all/profile":[1]}}',
        '{"after":"a","left":0,"tallies":{"all/profile":["1",0,[]]}}',
        '{"after":"a","left":0,"tallies":[]}',
    ],
)
def test_a_cursor_of_somebody_else_is_refused(cursor: str) -> None:
    with pytest.raises(Rejected, match="cursor"):
        scan(records([device()]), cursor)


def test_a_page_is_known_by_the_digest_of_its_records() -> None:
    stored = records([device("d1"), device("d2")])
    (first,), (again,) = scan(stored), scan(stored)
    assert (first.raw, first.raw_bytes) == (again.raw, again.raw_bytes)
    stored.save_devices([device("d2", locked_since=NOW)])
    (later,) = scan(stored)
    assert later.raw != first.raw
    (nothing,) = scan(records())
    assert nothing.raw == digest_bytes(b"[]")


def test_what_is_open_is_told_of_the_device_it_went_to() -> None:
    sent = [
        command("c1", to="d1", request_type="RemoveProfile"),
        command("c2", to="d2", state=CommandState.failed, key="all/profile@2", error="2004 refused"),
        command("c3", to="d1", state=CommandState.answered, request_type="InstallProfile"),
    ]
    fleet = [device("d1", apps=app_list()), device("d2", apps=app_list())]
    (batch,) = scan(records(fleet, [Group("all/profile", edition(2, APP))], sent))
    assert [one.remarks for one in batch.devices] == [
        ("pending:RemoveProfile",),
        (f"refused-by-device:2004 refused:{APP}",),
    ]


def test_a_removal_keeps_its_device_a_scope_when_the_app_is_gone() -> None:
    gone = device(apps=app_list(), removals=(Removal(OTHER, "order", Stage.removed, hours(3)),))
    (batch,) = scan(records([gone]))
    assert [scope.id for scope in batch.scopes] == ["nanomdm:d1", "all/profile"]


def test_a_bad_row_of_the_roster_is_listed_and_hides_no_device(tmp_path: Path) -> None:
    from proscribe.connectors.nanomdm.roster import read_roster

    path = tmp_path / "roster.csv"
    path.write_text("serial,group,owner\nSND1,Vessels,x\nSND2\nSND7,Vessels,x\n")
    (batch,) = scan(records([device("d1"), device("d2")]), roster=read_roster(path))
    assert [one.scope for one in batch.devices] == ["Vessels/profile", "all/profile"]
    assert [(problem.file, problem.row) for problem in batch.problems] == [("roster.csv", 3), ("roster.csv", 0)]
    assert batch.problems[1].what.en == "1 device of the roster was never seen"
    assert batch.unknown_fields == ("owner",)


def test_who_enrolled_once_was_seen() -> None:
    roster = Roster(by_serial={"SND1": Place(row=2)}, file="roster.csv", rows=frozenset({2}))
    (batch,) = scan(records([device("d1", left_at=hours(1))]), roster=roster)
    assert told([batch]) == ["1 device left management and is not counted"]


def test_a_base_that_cannot_be_used_is_listed_and_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.mobileconfig").write_bytes(b"<plist>")
    base_profile(tmp_path, blocked=[APP])
    (batch,) = scan(records([device()]), settings=config(profiles=tmp_path))
    assert [problem.file for problem in batch.problems] == ["broken.mobileconfig"]
    (group,) = batch.scopes
    assert json.loads(group.settings)["base"]["blocked"] == [APP]


def test_what_cannot_be_asked_for_and_what_may_be_lost_is_told() -> None:
    stored = records([device()])
    stored.save_gap(Gap(hours(9), hours(8)))
    stored.save_gap(Gap(hours(99), hours(98), healed_at=hours(97)))
    (batch,) = scan(stored, watch=Watch(ios=WATCH.ios, unnamed=True))
    unnamed, lost = told([batch])
    assert "named identifiers only" in unnamed
    assert "between 2026-11-22 03:00 and 2026-11-22 04:00 UTC" in lost


def test_a_page_holds_five_hundred() -> None:
    batches = scan(records([device(f"d{number:04}") for number in range(PAGE + 1)]))
    assert [len(batch.devices) for batch in batches] == [500, 1]


def test_installs_are_of_devices_that_were_told_before() -> None:
    fleet: list[Any] = [device(f"d{number}", apps=app_list(SeenApp(APP), SeenApp(OTHER))) for number in range(3)]
    (batch,) = scan(records(fleet))
    keys = {one.key for one in batch.devices}
    assert len(batch.installs) == 6
    assert all(isinstance(one, InstallRecord) and one.device in keys for one in batch.installs)
