"""What the connector would remember of devices, made by hand: a memory of dictionaries, and devices of every class."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from proscribe.connectors.memory import Json, Memory, Row, Watch
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.model import (
    AppList,
    Command,
    CommandState,
    Device,
    Edition,
    Entry,
    Group,
    Kind,
    ProfileList,
    Purpose,
    SeenApp,
    SeenProfile,
)
from proscribe.connectors.nanomdm.records import Records
from proscribe.connectors.nanomdm.roster import Roster
from proscribe.connectors.nanomdm.scopes import View
from proscribe.terms import Platform

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
APP = "com.tencent.xin"
OTHER = "com.kaspersky.passwordmanager"
WATCH = Watch(ios=frozenset({APP, OTHER}))
PROFILE = "11111111-2222-3333-4444-555555555555"


class Rows:
    """As much of a memory as reading takes."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {}
        self.counted: dict[str, int] = {}

    @contextmanager
    def atomic(self) -> Iterator[None]:
        yield

    def get(self, kind: str, key: str) -> Json | None:
        row = self.rows.get(kind, {}).get(key)
        return None if row is None else row.body

    def many(self, kind: str, keys: Collection[str]) -> Mapping[str, Json]:
        return {key: row.body for key, row in self.rows.get(kind, {}).items() if key in keys}

    def find(
        self, kind: str, *, owner: str = "", marks: Collection[str] = (), after: str = "", limit: int = 0
    ) -> tuple[Row, ...]:
        found = [
            row
            for key, row in sorted(self.rows.get(kind, {}).items())
            if key > after and owner in ("", row.owner) and (not marks or row.mark in marks)
        ]
        return tuple(found[:limit] if limit else found)

    def put(self, kind: str, rows: Iterable[Row]) -> None:
        self.rows.setdefault(kind, {}).update((row.key, row) for row in rows)

    def count(self, name: str, by: int = 1) -> None:
        self.counted[name] = self.counted.get(name, 0) + by

    def counters(self) -> Mapping[str, int]:
        return self.counted


def records(devices: Iterable[Device] = (), groups: Iterable[Group] = (), commands: Iterable[Command] = ()) -> Records:
    """Records that hold these."""
    made = Records(cast("Memory", Rows()))
    made.save_devices(devices)
    made.save_commands(commands)
    for group in groups:
        made.save_group(group)
    return made


def config(*, kmfddm: bool = False, **fields: Any) -> NanomdmConfig:
    """A connector's settings, for servers of this machine."""
    beside = {"kmfddm_endpoint": "http://127.0.0.1:2", "kmfddm_key": "k"} if kmfddm else {}
    return NanomdmConfig(**{"endpoint": "http://127.0.0.1:1", "api_key": "k", **beside, **fields})


def view(groups: Iterable[Group] = (), *, kmfddm: bool = False, roster: Roster | None = None, **fields: Any) -> View:
    """What devices are looked at with."""
    fields = {"watch": WATCH, "now": NOW, **fields}
    by_scope = {group.scope: group for group in groups}
    return View(config=config(kmfddm=kmfddm), roster=roster or Roster(), groups=by_scope, **fields)


def hours(count: float) -> datetime:
    """So many hours before now."""
    return NOW - timedelta(hours=count)


def device(name: str = "d1", *, os: str = "17.4", supervised: bool | None = True, **fields: Any) -> Device:
    """An iPhone that enrolled long ago. ``supervised`` None: it did not say yet."""
    given: dict[str, Any] = {
        "id": name,
        "kind": Kind.device,
        "generation": 1,
        "enrolled_at": hours(1000),
        "last_seen": hours(1),
        "udid": name,
        "serial": f"SN{name.upper()}",
        "model": "iPhone15,2",
        "os_version": os,
        "platform": Platform.ios,
        "supervised": supervised,
        "informed_at": None if supervised is None else hours(20),
        "ready": True,
    }
    return Device(**{**given, **fields})


def app_list(*apps: SeenApp, asked: datetime | None = None, **fields: Any) -> AppList:
    """An answer that names these apps of all that were asked for."""
    moment = asked or hours(1)
    given = {"asked_at": moment, "received_at": moment + timedelta(seconds=30), "named": tuple(sorted(WATCH.ios))}
    return AppList(**{**given, "managed_only": False, "apps": apps, **fields})


def profiles(*uuids: str, asked: datetime | None = None, foreign: bool = False) -> ProfileList:
    """The profiles on a device: ours by their UUIDs, and one of somebody else."""
    moment = asked or hours(1)
    seen = [SeenProfile(f"proscribe.restrictions.{number}", uuid, restricts=True) for number, uuid in enumerate(uuids)]
    seen += [SeenProfile("org.lighthouses.restrictions", "F0F0", restricts=True)] if foreign else []
    return ProfileList(
        moment, moment + timedelta(seconds=30), (*seen, SeenProfile("org.lighthouses.wifi", "W1", False))
    )


def edition(version: int = 1, *apps: str, ban: str = "ban-1", **fields: Any) -> Edition:
    """An edition that blocks these apps by one ban."""
    given = {"uuid": PROFILE if apps else "", **fields}
    return Edition(version, tuple(Entry(app, ban) for app in sorted(apps)), **given)


def command(name: str = "c1", *, to: str = "d1", **fields: Any) -> Command:
    """A command that NanoMDM has."""
    given: dict[str, Any] = {
        "uuid": name,
        "device": to,
        "generation": 1,
        "request_type": "InstallProfile",
        "purpose": Purpose.deliver,
        "state": CommandState.queued,
        "asked_at": hours(2),
    }
    return Command(**{**given, **fields})


def base_profile(folder: Path, group: str = "all", *, blocked: Iterable[str] = (), **restrictions: Any) -> Path:
    """The organisation's own profile of a group, in its folder."""
    import plistlib

    folder.mkdir(parents=True, exist_ok=True)
    payload = {
        "PayloadType": "com.apple.applicationaccess",
        "PayloadIdentifier": "org.lighthouses.base.restrictions",
        "PayloadUUID": "A1B2C3D4-0000-4000-8000-00000000000B",
        "PayloadVersion": 1,
        "allowCamera": False,
        **({"blockedAppBundleIDs": list(blocked)} if blocked else {}),
        **restrictions,
    }
    document = {
        "PayloadType": "Configuration",
        "PayloadIdentifier": "org.lighthouses.base",
        "PayloadUUID": "A1B2C3D4-0000-4000-8000-00000000000A",
        "PayloadVersion": 1,
        "PayloadDisplayName": "Lighthouses",
        "PayloadContent": [payload],
    }
    path = folder / f"{group}.mobileconfig"
    path.write_bytes(plistlib.dumps(document))
    return path
