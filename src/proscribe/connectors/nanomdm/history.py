"""One device with what was sent to it since it enrolled: what is open, what was answered, what went astray. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.model import OPEN, Command, CommandState, Device, Purpose

CHANGES = (Purpose.deliver, Purpose.convert, Purpose.remove)
"""Purposes of commands that change a device."""

_PUT_OFF = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Case:
    """A device and the commands of its present enrolment, oldest first."""

    device: Device
    commands: tuple[Command, ...]

    def open_of(self, request_type: str) -> Command | None:
        """The newest command of a kind that is still to be answered."""
        found = (one for one in reversed(self.commands) if one.request_type == request_type and one.state in OPEN)
        return next(found, None)

    def of(self, *purposes: Purpose) -> Iterator[Command]:
        """Its commands of some purposes, oldest first."""
        return (one for one in self.commands if one.purpose in purposes)

    @property
    def changed_at(self) -> datetime | None:
        """When it last answered that something on it was changed."""
        answered = (one.answered_at for one in self.of(*CHANGES) if one.state is CommandState.answered)
        return max((moment for moment in answered if moment is not None), default=None)

    def is_lost(self, command: Command, config: NanomdmConfig, now: datetime, gap: datetime | None = None) -> bool:
        """Whether an answer will not come: the device was heard of since, and had time enough to give it.

        What is being sent is not lost. What a locked device puts off is not either, unless it was put off for very
        long, or events were lost since (``gap``: when the last such time ended): it may have answered meanwhile.
        """
        seen = self.device.last_seen
        if command.state is CommandState.not_now:
            since = command.not_now_since or command.asked_at
            return (gap is not None and since < gap < seen) or (now - since > _PUT_OFF and seen > since + _PUT_OFF)
        late = now - command.asked_at > timedelta(hours=config.lost_after_hours)
        return command.state is CommandState.queued and late and seen > command.asked_at


def cases(devices: Iterable[Device], commands: Mapping[str, Collection[Command]]) -> Iterator[Case]:
    """Devices with their commands; ``commands`` by device, in any order and of any enrolment."""
    for device in devices:
        own = (one for one in commands.get(device.id, ()) if one.generation == device.generation)
        yield Case(device, tuple(sorted(own, key=_turn)))


def _turn(command: Command) -> tuple[datetime, int, int, str]:
    """Times are whole seconds: of two deliveries in one second the newer edition's is the later one."""
    return (command.asked_at, _version(command.key), command.attempts, command.uuid)


def _version(key: str) -> int:
    number = key.rpartition("@")[2]
    return int(number) if number.isdecimal() else 0


def by_device(commands: Iterable[Command]) -> dict[str, list[Command]]:
    """Commands by the device they went to."""
    found: dict[str, list[Command]] = {}
    for one in commands:
        found.setdefault(one.device, []).append(one)
    return found
