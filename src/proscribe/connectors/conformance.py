"""The suite that every connector passes, against whatever stands in for its system.

A connector's tests give a :class:`Harness`; each ``check_*`` function returns or raises NotConforming, which says what
what does not hold. Nothing here knows any system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Protocol, runtime_checkable

from proscribe.connectors.base import (
    Batch,
    Connector,
    ConnectorFault,
    NotAuthorised,
    Order,
    Receipt,
    Rejected,
    Throttled,
    UnknownFate,
)


class NotConforming(AssertionError):
    """What a connector promises does not hold."""


class Trouble(StrEnum):
    """What the service under test is told to do to the next write."""

    throttle = "throttle"  # refuse for now, without saying for how long
    throttle_timed = "throttle_timed"  # refuse for now, naming 7 seconds
    fail_before = "fail_before"  # fail, nothing done
    fail_after = "fail_after"  # fail, though it was done
    cut_before = "cut_before"  # break the connection, nothing done
    cut_after = "cut_after"  # break the connection, though it was done
    silent = "silent"  # do it and never answer
    refuse = "refuse"  # refuse for good
    lock_out = "lock_out"  # refuse the credentials


EXPECTED: Mapping[Trouble, type[ConnectorFault]] = {
    Trouble.throttle: Throttled,
    Trouble.throttle_timed: Throttled,
    Trouble.fail_before: UnknownFate,
    Trouble.fail_after: UnknownFate,
    Trouble.cut_before: UnknownFate,
    Trouble.cut_after: UnknownFate,
    Trouble.silent: UnknownFate,
    Trouble.refuse: Rejected,
    Trouble.lock_out: NotAuthorised,
}
"""The fault that each trouble must come out as."""

_DONE = (Trouble.fail_after, Trouble.cut_after, Trouble.silent)


class Harness(Protocol):
    """One service with at least one scope, observed pages and the means to disturb it."""

    def connect(self) -> Connector:
        """A connector to the service, as a process just started would make it."""
        ...

    def writes(self) -> int:
        """Changes that reached the service through a connector."""
        ...

    def entries(self, order: Order) -> dict[str, str]:
        """What the order's scope and side say of each app, in the system's own words."""
        ...

    def edit(self, order: Order, app_id: str, value: str | None) -> None:
        """Another writer sets the entry of an app, or takes it out."""
        ...

    def trouble(self, trouble: Trouble) -> None:
        """Let the next write go wrong."""
        ...

    @property
    def banned(self) -> str:
        """The value of an entry that bans an app."""
        ...


@runtime_checkable
class Unreadable(Protocol):
    """A harness whose service cannot be asked what it has taken: after a lost answer nobody knows, so the same order
    goes out again and must not come to anything twice."""

    def effects(self, order: Order) -> Mapping[str, int]:
        """How often the service took the order's change, by device."""
        ...


def _require(holds: object, what: str) -> None:
    if not holds:
        raise NotConforming(what)


def check_observation(harness: Harness) -> None:
    """Pages end, carry digests, resume from any cursor with the same rest, and change nothing."""
    before = harness.writes()
    batches = list(harness.connect().observe())
    _require(batches, "nothing was observed")
    _require(batches[-1].cursor == "", "the last batch has a cursor")
    _require(all(batch.cursor for batch in batches[:-1]), "a batch before the last has no cursor")
    _require(all(_is_digest(batch.raw) and batch.raw_bytes > 0 for batch in batches), "a batch has no digest")
    keys = [device.key for batch in batches for device in batch.devices]
    _require(len(keys) == len(set(keys)), "a device was given twice")
    known = set(keys)
    _require(all(item.device in known for batch in batches for item in batch.installs), "an app has no device")
    for number, batch in enumerate(batches[:-1], start=1):
        rest = list(harness.connect().observe(batch.cursor))
        _require(_seen(rest) == _seen(batches[number:]), f"the scan resumed after batch {number} differs")
    _require(harness.writes() == before, "observing wrote something")


def _seen(batches: Sequence[Batch]) -> list[tuple[object, ...]]:
    return [(batch.devices, batch.installs, batch.scopes, batch.cursor) for batch in batches]


def check_prepare_changes_nothing(harness: Harness, order: Order) -> None:
    """Preparing reads, and reads the same twice."""
    connector, before = harness.connect(), harness.writes()
    first, second = connector.prepare(order), connector.prepare(order)
    _require(first == second, "two readings of the same scope differ")
    _require(first.scope.id == order.scope, "another scope was read")
    _require(harness.writes() == before, "preparing wrote something")


def check_applied_once(harness: Harness, order: Order) -> None:
    """An order is in place once sent, for a later process too, and sending it again sends nothing."""
    connector = harness.connect()
    receipt = connector.send(order, connector.prepare(order))
    _require_receipt(receipt, order)
    _require(receipt.status > 0, "the receipt says that nothing was sent")
    _require(all(harness.entries(order).get(app) == harness.banned for app in order.app_ids), "the ban is not there")
    sent = harness.writes()
    again = harness.connect()
    prepared = again.prepare(order)
    _require(prepared.in_place, "the order is not found in place")
    _require(set(order.app_ids) <= again.in_place(prepared.scope, order.method, order.side), "in_place disagrees")
    _require(prepared.scope.version == receipt.scope_version, "the receipt names another version than the scope has")
    second = again.send(order, prepared)
    _require_receipt(second, order)
    _require(second.status == 0, "the second receipt claims a change")
    _require(harness.writes() == sent, "an order in place was sent again")


def check_undo(harness: Harness, order: Order, edits: Sequence[tuple[str, str | None]] = ()) -> None:
    """Lifting restores what was there before, and leaves alone what ``edits`` of another writer changed meanwhile.

    An edit that takes away the ban of one of our own apps makes that entry theirs.
    """
    before = harness.entries(order)
    connector = harness.connect()
    prepared = connector.prepare(order)
    connector.send(order, prepared)
    wanted = dict(before)
    for app_id, value in edits:
        harness.edit(order, app_id, value)
        if app_id not in order.app_ids:
            _put(wanted, app_id, value)
    standing = harness.entries(order)
    for app_id in order.app_ids:
        if standing.get(app_id) != harness.banned:
            _put(wanted, app_id, standing.get(app_id))
    receipt = harness.connect().retract(order, prepared.prior)
    _require_receipt(receipt, order)
    _require(harness.entries(order) == wanted, f"after lifting: {harness.entries(order)}, expected {wanted}")
    writes = harness.writes()
    _require(harness.connect().retract(order, prepared.prior).status == 0, "lifting twice changed something twice")
    _require(harness.writes() == writes, "lifting twice wrote twice")


def _put(entries: dict[str, str], app_id: str, value: str | None) -> None:
    if value is None:
        entries.pop(app_id, None)
    else:
        entries[app_id] = value


def check_trouble(harness: Harness, order: Order, trouble: Trouble) -> None:
    """A write that goes wrong comes out as its fault; preparing and sending again then leaves the change made once.

    Where the service cannot be read, a change whose answer was lost must not be taken for made.
    """
    connector = harness.connect()
    prepared = connector.prepare(order)
    harness.trouble(trouble)
    try:
        connector.send(order, prepared)
    except ConnectorFault as fault:
        _require(isinstance(fault, EXPECTED[trouble]), f"{trouble} came out as {type(fault).__name__}")
        _require(fault.what.fr and fault.remedy.fr, "the fault has no French")
        if isinstance(fault, Throttled):
            wanted = 7.0 if trouble is Trouble.throttle_timed else None
            _require(fault.retry_after == wanted, f"retry_after is {fault.retry_after}")
    else:
        raise NotConforming(f"{trouble} went unnoticed")
    if trouble is Trouble.lock_out:
        return
    later = harness.connect()
    prepared = later.prepare(order)
    done = trouble in _DONE and not isinstance(harness, Unreadable)
    _require(prepared.in_place == done, f"after {trouble} in_place is {prepared.in_place}")
    _require_receipt(later.send(order, prepared), order)
    _require(all(harness.entries(order).get(app) == harness.banned for app in order.app_ids), "the ban is not there")
    if isinstance(harness, Unreadable):
        effects = harness.effects(order)
        _require(effects, "the change reached no device")
        _require(set(effects.values()) == {1}, f"after {trouble} and sending again: {dict(effects)}")


def check_refuses_foreign_orders(harness: Harness, order: Order) -> None:
    """An order for another system, or by a method the connector does not have, is refused before anything is sent."""
    connector, before = harness.connect(), harness.writes()
    prepared = connector.prepare(order)
    for wrong in (replace(order, system="another"), replace(order, method="another"), replace(order, app_ids=())):
        for attempt in (
            lambda given=wrong: connector.prepare(given),
            lambda given=wrong: connector.send(given, prepared),
            lambda given=wrong: connector.retract(given, prepared.prior),
        ):
            try:
                attempt()
            except Rejected:
                continue
            raise NotConforming(f"a foreign order was taken: {wrong}")
    _require(harness.writes() == before, "a foreign order wrote something")


def check_capabilities(harness: Harness) -> None:
    """Every row is of this system, and names its source and its test."""
    connector = harness.connect()
    _require(connector.capabilities, "there are no capability rows")
    for row in connector.capabilities:
        _require(row.system == connector.name, f"{row.id} is of another system")
        _require(row.source and row.tested_by, f"{row.id} lacks its source or its test")


def _require_receipt(receipt: Receipt, order: Order) -> None:
    _require(receipt.key == order.key, "the receipt is for another order")
    _require(_is_digest(receipt.request) and _is_digest(receipt.response), "the receipt has no digests")
    _require(receipt.scope_version > 0, "the receipt does not say which version carries the change")
    _require(receipt.at.tzinfo is not None, "the receipt's time has no zone")


def _is_digest(text: str) -> bool:
    return re.fullmatch(r"sha256:[0-9a-f]{64}", text) is not None
