"""One device with what was sent to it since it enrolled: what is open, what was answered, what went astray. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.model import OPEN, Command, CommandState, Device, Purpose

_WAITED_FOR = timedelta(days=3)
"""How long nothing is asked behind a change. After that an old list is worse than a change sent once more."""

CHANGES = (Purpose.deliver, Purpose.convert, Purpose.remove)
"""Purposes of commands that change a device."""


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

    def is_lost(self, command: Command, config: NanomdmConfig, now: datetime) -> bool:
        """Whether an answer will not come: the device was heard of since, and had time enough to give it.

        What is being sent is not lost. What a locked device puts off is offered to it, and put off, whenever it calls;
        where it called and did not, it has answered unheard, or the server has lost the command. NanoMDM's file back
        end does lose it, once the device answered a command behind it (v0.9.0, ``storage/kv/queue_ll.go``, unlink).
        """
        if command.state not in (CommandState.queued, CommandState.not_now):
            return False
        patience = timedelta(hours=config.lost_after_hours)
        put_off = command.not_now_at
        if command.state is CommandState.not_now and put_off is not None:
            return self.device.last_seen - put_off > patience
        return now - command.asked_at > patience and self.device.last_seen > command.asked_at

    def is_changing(self, config: NanomdmConfig, now: datetime) -> bool:
        """Whether a change is under way that is worth waiting for. Nothing is asked behind it: it will be asked anew
        after it, and a command behind one that is put off endangers it (see ``is_lost``)."""
        changes = (one for one in self.of(*CHANGES) if one.state in OPEN and now - one.asked_at < _WAITED_FOR)
        return any(not self.is_lost(one, config, now) for one in changes)


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
