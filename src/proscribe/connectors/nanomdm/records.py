"""The connector's memory, typed. Rows: ``device`` by enrolment id, ``command`` by UUID, ``group`` by scope, ``gap``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from proscribe.connectors.memory import Json, Memory, Row
from proscribe.connectors.nanomdm.model import OPEN, Command, CommandState, Device, Gap, Group
from proscribe.documents import Value

T = TypeVar("T", bound=Value)

_PAGE = 1_000


def _out(value: Value) -> Json:
    body: Json = msgspec.to_builtins(value)
    return body


def _in(cls: type[T], body: Json) -> T:
    return msgspec.convert(body, cls)


class Records:
    """Devices, commands, groups and gaps."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def atomic(self) -> AbstractContextManager[None]:
        """One transaction; two of this connector never overlap."""
        return self.memory.atomic()

    # Devices --------------------------------------------------------------------------------------------------------

    def device(self, key: str) -> Device | None:
        """The device of an enrolment id."""
        body = self.memory.get("device", key)
        return None if body is None else _in(Device, body)

    def devices_of(self, keys: Collection[str]) -> dict[str, Device]:
        """The devices of some enrolment ids, as far as they are known."""
        return {key: _in(Device, body) for key, body in self.memory.many("device", keys).items()}

    def holders(self, serial: str) -> tuple[Device, ...]:
        """The devices that gave a serial number as theirs; none for ""."""
        rows = self.memory.find("device", owner=serial) if serial else ()
        return tuple(_in(Device, row.body) for row in rows)

    def devices(self, after: str = "", limit: int = 0) -> Iterator[Device]:
        """Every device, by enrolment id, page by page."""
        left = limit
        while True:
            page = self.memory.find("device", after=after, limit=min(_PAGE, left) if limit else _PAGE)
            for row in page:
                yield _in(Device, row.body)
            left -= len(page)
            if len(page) < _PAGE or (limit and left <= 0):
                return
            after = page[-1].key

    def save_devices(self, devices: Iterable[Device]) -> None:
        """Store devices."""
        self.memory.put("device", [Row(one.id, _out(one), owner=one.serial) for one in devices])

    # Commands -------------------------------------------------------------------------------------------------------

    def command(self, uuid: str) -> Command | None:
        """The command of a UUID."""
        body = self.memory.get("command", uuid)
        return None if body is None else _in(Command, body)

    def commands_of(self, uuids: Collection[str]) -> dict[str, Command]:
        """The commands of some UUIDs, as far as they are ours."""
        return {key: _in(Command, body) for key, body in self.memory.many("command", uuids).items()}

    def commands(self, *, device: str = "", states: Collection[CommandState] = ()) -> tuple[Command, ...]:
        """Commands that fit every given condition, by UUID."""
        rows = self.memory.find("command", owner=device, marks=[state.value for state in states])
        return tuple(_in(Command, row.body) for row in rows)

    def open_commands(self) -> dict[str, list[Command]]:
        """The commands still to be answered, by device."""
        found: dict[str, list[Command]] = {}
        for command in self.commands(states=OPEN):
            found.setdefault(command.device, []).append(command)
        return found

    def save_commands(self, commands: Iterable[Command]) -> None:
        """Store commands."""
        self.memory.put("command", [Row(one.uuid, _out(one), owner=one.device, mark=one.state) for one in commands])

    # Groups and gaps ------------------------------------------------------------------------------------------------

    def group(self, scope: str) -> Group | None:
        """What a scope wants; None where nothing was ever asked of it."""
        body = self.memory.get("group", scope)
        return None if body is None else _in(Group, body)

    def groups(self) -> dict[str, Group]:
        """Every scope that something was asked of."""
        return {row.key: _in(Group, row.body) for row in self.memory.find("group")}

    def save_group(self, group: Group) -> None:
        """Store what a scope wants."""
        self.memory.put("group", [Row(group.scope, _out(group))])

    def gaps(self) -> tuple[Gap, ...]:
        """The times in which events may have been lost, oldest first."""
        return tuple(_in(Gap, row.body) for row in self.memory.find("gap"))

    def forget_gaps(self, before: datetime) -> None:
        """Forget the gaps that ended before a moment and are healed."""
        old = [gap for gap in self.gaps() if gap.healed_at is not None and gap.ended < before]
        self.memory.drop("gap", [gap.began.isoformat() for gap in old])

    def widen_gap(self, gap: Gap, patience: timedelta) -> None:
        """Store a gap, as one with the last where that is not healed and ended just before."""
        last = max(self.gaps(), key=lambda one: one.ended, default=None)
        one = last is not None and last.healed_at is None and gap.began - last.ended <= patience
        self.save_gap(replace(last, ended=max(last.ended, gap.ended)) if last is not None and one else gap)

    def save_gap(self, gap: Gap) -> None:
        """Store a gap."""
        self.memory.put("gap", [Row(gap.began.isoformat(), _out(gap))])
