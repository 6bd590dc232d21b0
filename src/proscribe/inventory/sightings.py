"""Devices as the sources describe them, and how sightings of one device become one device.

Rules, in this order (docs/guide/inventory.md):

- The same key in several files of one system is one device. Blank attributes are filled from the other sightings. An
  app list that is strictly older than another of the same device is superseded; lists of the same time, or without a
  time, are parts of one list.
- The same serial number under several keys is one device, counted once, and the other keys are named in ``also``.
  The freshest sighting with an app list wins, but one whose system knows the policy that the device has applied goes
  before the others: that system can change the device and see the change. What another sighting saw is kept where
  the winner's silence about it is no evidence: when it is newer, sees more of the device, or gives identifiers where
  the winner gives names only.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from proscribe.inventory.coverage import UNSEEN, Sight, sight
from proscribe.inventory.model import DeviceRecord, Freshness
from proscribe.terms import Enrolment, Platform

NO_APP_REPORTS = "no-app-reports"
"""Remark of a device whose source gave no app list: its inventory is unknown, never clean."""

NARROWER_WATCH = "narrower-watch"
"""Remark of a device kept from a snapshot that did not watch for everything this one watches for: what it holds of the
rest is unknown."""

_NEVER = float("-inf")
_FRESHNESS = tuple(Freshness)
_TEXTS = ("system", "os_version", "name", "serial", "department", "scope", "applied_scope")
# What people and factories write where a serial number should be; such a value joins nothing.
_NO_SERIAL = frozenset(
    {"00000000", "UNKNOWN", "NONE", "NULL", "NOT AVAILABLE", "INCONNU", "INCONNUE", "AUCUN", "DEFAULTSTRING"}
)


def joinable_serial(serial: str) -> str:
    """The serial number as it is compared, "" when the value is a placeholder."""
    folded = serial.strip().upper()
    return "" if folded in _NO_SERIAL or len(folded) < 4 else folded


class Sightings:
    """Every device description of every source, one row each."""

    def __init__(self) -> None:
        self.records: list[DeviceRecord] = []
        self.listed = bytearray()  # 1 where an app list came with it
        self.apps = array("I")  # installs in that list, before the gate
        self.also: dict[int, tuple[str, ...]] = {}  # keys joined in an earlier snapshot

    def __len__(self) -> int:
        return len(self.records)

    def add(self, record: DeviceRecord, *, listed: bool) -> int:
        """Append a sighting and return its row; ``listed`` when an app list came with it."""
        self.records.append(record)
        self.listed.append(listed)
        self.apps.append(0)
        return len(self.records) - 1

    def merge(self, row: int, record: DeviceRecord) -> None:
        """Fill blanks of a row from another description of the device by the same source; the later time wins."""
        old = self.records[row]
        if old == record:
            return
        later = _moment(record) > _moment(old)
        self.records[row] = replace(
            _combined([record, old] if later else [old, record]),
            observed_at=record.observed_at if later else old.observed_at,
            freshness=record.freshness if later else old.freshness,
        )


@dataclass(slots=True)
class Device:
    """One device as it enters the snapshot."""

    record: DeviceRecord
    lists: list[int]  # the sightings whose installs are this device's; none: its app list is unknown
    sees: Sight
    apps_seen: int
    also: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The devices, in order of first sighting, and how many were seen under more than one key."""

    devices: list[Device]
    duplicates: int


def resolve(table: Sightings) -> Resolution:
    """Turn sightings into devices by the rules at the top of this module."""
    by_key: dict[str, list[int]] = {}
    for row, record in enumerate(table.records):
        by_key.setdefault(record.key, []).append(row)
    by_serial: dict[str, list[Device]] = {}
    groups: list[list[Device]] = []
    for rows in by_key.values():
        device = _device(table, rows)
        serial = joinable_serial(device.record.serial)
        group = by_serial.get(serial) if serial else None
        if group is None:
            group = []
            groups.append(group)
            if serial:
                by_serial[serial] = group
        group.append(device)
    devices = [group[0] if len(group) == 1 else _join(group) for group in groups]
    for device in devices:
        if device.also:
            device.also = sorted(set(device.also) - {device.record.key})
    return Resolution(devices, sum(1 for device in devices if device.also))


def _device(table: Sightings, rows: list[int]) -> Device:
    """One device from its sightings under one key."""
    lists = [row for row in rows if table.listed[row]]
    if len(rows) == 1:
        record = table.records[rows[0]]
    else:
        newest = max((_moment(table.records[row]) for row in lists), default=_NEVER)
        lists = [row for row in lists if _moment(table.records[row]) in (newest, _NEVER)]
        record = _described(table, rows, lists)
    if not lists and NO_APP_REPORTS not in record.remarks:
        record = replace(record, remarks=(*record.remarks, NO_APP_REPORTS))
    known = bool(lists) and NARROWER_WATCH not in record.remarks
    sees = sight(record.system, record.platform, record.enrolment) if known else UNSEEN
    also = [key for row in rows for key in table.also.get(row, ())] if table.also else []
    return Device(record, lists, sees, sum(table.apps[row] for row in lists), also)


def _described(table: Sightings, rows: list[int], lists: list[int]) -> DeviceRecord:
    """One description from several. ``lists`` are the sightings that hold the current app list."""
    # Best sighting first: one with the current app list, then by time, then the source read last.
    order = sorted(rows, key=lambda row: (row in lists, _moment(table.records[row]), row), reverse=True)
    dated = next((row for row in order if table.records[row].observed_at is not None), order[0])
    time = table.records[dated]
    record = _combined([table.records[row] for row in order])
    remarks = tuple(remark for remark in record.remarks if not (lists and remark == NO_APP_REPORTS))
    # A time that came without the app list says how old the list is at least, not when it was taken.
    own = not lists or dated in lists
    return replace(
        record,
        observed_at=time.observed_at,
        freshness=time.freshness if own else Freshness.imported,
        remarks=remarks,
    )


def _moment(record: DeviceRecord) -> float:
    return _NEVER if record.observed_at is None else record.observed_at.timestamp()


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")


def _combined(records: Sequence[DeviceRecord]) -> DeviceRecord:
    """The first record with its blanks filled from the others, and the remarks of all."""
    texts: dict[str, Any] = {name: _first(getattr(record, name) for record in records) for name in _TEXTS}
    return replace(
        records[0],
        **texts,
        platform=next((r.platform for r in records if r.platform is not Platform.unknown), Platform.unknown),
        enrolment=next((r.enrolment for r in records if r.enrolment is not Enrolment.unknown), Enrolment.unknown),
        applied_version=next((r.applied_version for r in records if r.applied_version), 0),
        remarks=tuple(dict.fromkeys(remark for record in records for remark in record.remarks)),
    )


def _join(group: Sequence[Device]) -> Device:
    """One device from what several systems, or several enrolments in one system, say of one serial number."""

    def rank(position: int) -> tuple[bool, bool, float, int, int]:
        device = group[position]
        fresh = -_FRESHNESS.index(device.record.freshness)
        # A system that knows which policy the device has applied speaks for it: there a change can be made and seen.
        configured = bool(device.record.applied_scope)
        return (bool(device.lists), configured, _moment(device.record), fresh, position)

    order = sorted(range(len(group)), key=rank, reverse=True)
    winner = group[order[0]]
    losers = [group[position] for position in order[1:]]
    for loser in losers:
        winner.also.extend((loser.record.key, *loser.also))
        newer = _moment(loser.record) > _moment(winner.record)
        if loser.lists and (newer or loser.sees.outranks(winner.sees)):
            winner.lists.extend(loser.lists)
    # These three mean the same in every system; enrolment and scope do not.
    shared: dict[str, Any] = {
        name: _first(getattr(device.record, name) for device in (winner, *losers))
        for name in ("department", "name", "os_version")
    }
    winner.record = replace(winner.record, **shared)
    return winner
