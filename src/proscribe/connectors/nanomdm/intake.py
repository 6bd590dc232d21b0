"""From the inbox to what is remembered of devices and commands.

A batch is one transaction: what it changed and that its messages were dealt with are stored together, or not at all.
The bodies are erased. One bad message never keeps others waiting: what is refused is counted, and what breaks our own
code is set aside by itself (row kind ``bad``, without the body).
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from proscribe.clock import Clock
from proscribe.connectors.memory import Message, Row, Watch
from proscribe.connectors.nanomdm import answers, changes
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.events import BadEvent, Event, Topic, read_event
from proscribe.connectors.nanomdm.model import Command, CommandState, Device, Kind, Purpose
from proscribe.connectors.nanomdm.plist import BadPlist, read_plist
from proscribe.connectors.nanomdm.records import Records
from proscribe.errors import ProscribeError

SKEW = timedelta(minutes=5)
"""An event is told within seconds. One timed further off our clock than this came from a wrong clock, and counts as of
when we got it: timed ahead, it would outweigh everything that is told until then; timed back, a list that was asked for
before an enrolment would pass for one of after it."""

REMEMBERED = timedelta(days=30)
"""How long the id of a message that was dealt with is kept, to tell a replay by. An older event can only be one."""

_SWEEP_EVERY = timedelta(days=1)
_BATCH = 200  # messages a transaction: nobody else can write for that long


def take_in(records: Records, config: NanomdmConfig, clock: Clock, watch: Watch, *, limit: int = 1_000) -> int:
    """Deal with messages of the inbox, oldest first; how many. Several processes may do so at once.

    Not to be called inside a transaction. Raises what the store raises; the messages then wait for the next call.
    """
    taken = 0
    while taken < limit and (number := _take_batch(records, config, clock, watch, min(_BATCH, limit - taken))):
        taken += number
    return taken


def _take_batch(records: Records, config: NanomdmConfig, clock: Clock, watch: Watch, size: int) -> int:
    memory = records.memory
    if not memory.unread(1):  # most often so, and then nobody needs to wait for a transaction
        return 0
    try:
        with records.atomic():
            messages = memory.unread(size)
            _deal(records, config, watch, messages)
            _sweep(records, clock.now())
        return len(messages)
    except ProscribeError:
        raise
    except Exception:  # noqa: BLE001 (whichever message it was is found by taking them one by one)
        return sum(_take_one(records, config, watch) for _ in range(size))


def _take_one(records: Records, config: NanomdmConfig, watch: Watch) -> int:
    """The oldest message by itself; where it breaks our code, it is set aside."""
    found: tuple[Message, ...] = ()
    try:
        with records.atomic():
            found = records.memory.unread(1)
            _deal(records, config, watch, found)
    except ProscribeError:
        raise
    except Exception as error:  # noqa: BLE001 (any fault of ours: the inbox must not stand still for it)
        with records.atomic():
            _set_aside(records, found[0], error)
    return len(found)


def _set_aside(records: Records, message: Message, error: Exception) -> None:
    # Where it broke, and not its words: those may repeat what the message held.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    reason = f"{type(error).__name__} in {frame.name}, line {frame.lineno}"
    body = {"reason": reason, "received_at": message.received_at.isoformat()}
    records.memory.put("bad", [Row(message.id, body)])
    records.memory.count("bad")
    records.memory.done([message.id])


def _sweep(records: Records, now: datetime) -> None:
    last = records.memory.get("receiver", "swept")
    if last is not None and datetime.fromisoformat(last["at"]) > now - _SWEEP_EVERY:
        return
    records.memory.forget_done(now - REMEMBERED)
    records.forget_gaps(now - REMEMBERED)
    records.memory.put("receiver", [Row("swept", {"at": now.isoformat()})])


def _deal(records: Records, config: NanomdmConfig, watch: Watch, messages: Sequence[Message]) -> None:
    counts: Counter[str] = Counter()
    events: list[Event] = []
    for message in messages:
        try:
            event = read_event(message.body)
        except BadEvent as bad:  # it passed the receiver, so an earlier release let it in
            counts[f"refused.{bad.reason}"] += 1
            continue
        if not event.topic.of_use:
            counts[f"unused.{event.topic.short}"] += 1
            continue
        late = message.received_at - event.at
        if late > REMEMBERED - SKEW:
            counts["refused.old"] += 1
            continue
        if abs(late) > SKEW:
            counts["clock_behind" if late > SKEW else "clock_ahead"] += 1
            event = replace(event, at=message.received_at)
        events.append(event)
    desk = Desk(records, events)
    for event in sorted(events, key=lambda one: one.at):
        _Case(desk, config, watch, counts).take(event)
    desk.store()
    records.memory.done([message.id for message in messages])
    for name, by in sorted(counts.items()):
        records.memory.count(name, by)


class Desk:
    """The devices and commands that a batch is about: read once, changed in memory, stored once."""

    def __init__(self, records: Records, events: Sequence[Event]) -> None:
        self._records = records
        self._devices = records.devices_of({event.device for event in events if event.kind.is_device})
        self._commands = records.commands_of({event.command for event in events if event.command})
        self._changed: set[str] = set()  # device ids and command UUIDs

    def device(self, key: str) -> Device | None:
        """The device of an enrolment id."""
        return self._devices.get(key)

    def is_another_s(self, serial: str, device: str) -> bool:
        """Whether a device that is enrolled gave the serial number as its own before this one did."""
        met = {one.id: one for one in self._records.holders(serial)} | self._devices
        return any(one.serial == serial and one.left_at is None and key != device for key, one in met.items())

    def command(self, uuid: str) -> Command | None:
        """The command of a UUID; None where it is not ours."""
        return self._commands.get(uuid)

    def commands_of(self, device: str, *states: CommandState) -> list[Command]:
        """The commands of a device, those of some states alone where any are given."""
        found = {one.uuid: one for one in self._records.commands(device=device, states=states)}
        found.update((key, one) for key, one in self._commands.items() if one.device == device)
        return [one for one in found.values() if not states or one.state in states]

    def put(self, *things: Device | Command) -> None:
        """Keep changes."""
        for thing in things:
            if isinstance(thing, Device):
                if self._devices.get(thing.id) != thing:
                    self._devices[thing.id] = thing
                    self._changed.add(thing.id)
            elif self._commands.get(thing.uuid) != thing:
                self._commands[thing.uuid] = thing
                self._changed.add(thing.uuid)

    def store(self) -> None:
        """Write down what has changed."""
        self._records.save_devices(one for one in self._devices.values() if one.id in self._changed)
        self._records.save_commands(one for one in self._commands.values() if one.uuid in self._changed)


class _Case:
    """One event at the desk."""

    def __init__(self, desk: Desk, config: NanomdmConfig, watch: Watch, counts: Counter[str]) -> None:
        self._desk = desk
        self._watched = watch.ios
        self._counts = counts
        self._waits = changes.Waits(timedelta(hours=config.retry_hours), timedelta(days=config.refused_days))

    def take(self, event: Event) -> None:
        """Let the event change what it changes."""
        if not event.kind.is_device:
            self._counts["user_channel"] += 1
            return
        self._counts[f"taken.{event.topic.short}"] += 1
        _DEALT[event.topic](self, event)

    def authenticate(self, event: Event) -> None:
        """A device enrols. Where its message cannot be read, it enrols all the same."""
        known = self._desk.device(event.device)
        facts = self._own(event, answers.introduced(self._read(event) or {}))
        device = changes.enrolled(
            known or changes.met(event, event.at),
            event.at,
            replace(facts, udid=facts.udid or event.udid),
            new=known is None,
        )
        self._void(device, event.at, enrols=True)

    def token_update(self, event: Event) -> None:
        """A device can be reached."""
        self._desk.put(self._heard(event))

    def check_out(self, event: Event) -> None:
        """A device leaves."""
        device = self._desk.device(event.device) or changes.met(event, event.at)
        self._void(changes.left(device, event.at), event.at, enrols=False)

    def declarative(self, event: Event) -> None:
        """A device asks for declarations, or reports on them: KMFDDM got the report, and we ask it."""
        message = self._read(event)
        device = self._heard(event)
        if message is not None and message.get("Endpoint") == "status":
            device = replace(device, report_due=True)
        self._desk.put(device)

    def connect(self, event: Event) -> None:
        """A device asks for commands, mostly with the answer to one."""
        device = self._heard(event)
        self._desk.put(device)
        if not event.command:
            return
        command = self._desk.command(event.command)
        if command is None or command.device != event.device:
            self._counts["foreign_command"] += 1
        elif event.status == "NotNow":
            self._postponed(device, changes.postponed(command, event.at))
        elif event.status == "Acknowledged":
            self._acknowledged(event, device, command)
        elif event.status in ("Error", "CommandFormatError"):
            self._failed(event, device, command)
        else:
            self._counts["refused.status"] += 1

    def _heard(self, event: Event) -> Device:
        return changes.heard(self._desk.device(event.device) or changes.met(event, event.at), event.at)

    def _own(self, event: Event, facts: answers.Facts) -> answers.Facts:
        """What a device says of itself, without what names another. NanoMDM vouches for the enrolment id alone; by its
        serial number a device is found in the roster and in other systems, and it may claim any."""
        if event.kind is Kind.user_enrolment:
            return replace(facts, udid="", serial="")  # such a device does not say which one it is
        if facts.udid and facts.udid.upper() not in (event.device.upper(), event.udid.upper()):
            self._counts["refused.udid"] += 1
            facts = replace(facts, udid="")
        if facts.serial and self._desk.is_another_s(facts.serial, event.device):
            self._counts["refused.serial"] += 1
            facts = replace(facts, serial="")
        return facts

    def _read(self, event: Event) -> answers.Answer | None:
        try:
            return read_plist(event.payload)
        except BadPlist as bad:
            self._counts[f"refused.{bad.reason}"] += 1
            return None

    def _void(self, device: Device, at: datetime, *, enrols: bool) -> None:
        """The device enrolled or left: its commands of before are void."""
        before = self._desk.device(device.id)
        self._desk.put(device)
        if enrols and before is not None and device.generation == before.generation:
            return
        self._desk.put(*(changes.outdated(one, device, at, enrols=enrols) for one in self._desk.commands_of(device.id)))
        self._lock(device)

    def _postponed(self, device: Device, command: Command) -> None:
        self._desk.put(command)
        since = command.not_now_since
        if command.state is CommandState.not_now and since is not None:
            earlier = since if device.locked_since is None else min(since, device.locked_since)
            self._desk.put(replace(device, locked_since=earlier))

    def _lock(self, device: Device) -> None:
        """A device is locked as long as a command of ours waits for it to be unlocked."""
        waiting = self._desk.commands_of(device.id, CommandState.not_now)
        since = min((one.not_now_since for one in waiting if one.not_now_since is not None), default=None)
        self._desk.put(replace(device, locked_since=since))

    def _acknowledged(self, event: Event, device: Device, command: Command) -> None:
        try:
            changed = self._answered(event, device, command)
        except BadPlist as bad:  # no answer is better than half of one: it is asked again in time
            self._counts[f"refused.{bad.reason}"] += 1
            return
        self._close(changed, command, changes.acknowledged(command, event.at))

    def _failed(self, event: Event, device: Device, command: Command) -> None:
        error = answers.complaint(self._read(event) or {}) or event.status
        self._close(device, command, changes.failed(command, event.at, error))

    def _close(self, device: Device, before: Command, command: Command) -> None:
        """A command has its answer, and the device what was in it; an earlier enrolment's changes nothing of now."""
        self._desk.put(command)
        if command.generation != device.generation:
            self._counts["earlier_generation"] += 1
            return
        if command.purpose is Purpose.deliver and command.state is CommandState.answered:
            device = changes.installed(device, command, command.answered_at or command.asked_at)
        if command.purpose in _REMOVING:
            if before.state is CommandState.failed and command.state is CommandState.answered:
                device = changes.reopened(device, before)
            device = self._brought(device, command.subject)
        self._desk.put(device)
        if before.state is CommandState.not_now:
            self._lock(device)

    def _brought(self, device: Device, app: str) -> Device:
        """The device with its removals of an app brought to where they are by now."""
        if not any(one.app == app for one in device.removals):
            return device
        sent = [
            one
            for one in self._desk.commands_of(device.id)
            if one.purpose in _REMOVING and one.subject == app and one.generation == device.generation
        ]
        return changes.removals_of(device, app, sent, self._waits)

    def _answered(self, event: Event, device: Device, command: Command) -> Device:
        """The device with the answer to a question on it. Raises BadPlist."""
        asked = _QUESTIONS.get(command.request_type)
        return device if asked is None else asked(self, device, command, read_plist(event.payload), event)

    def _informed(self, device: Device, command: Command, answer: answers.Answer, event: Event) -> Device:
        return changes.informed(device, command.asked_at, self._own(event, answers.informed(answer)))

    def _listed(self, device: Device, command: Command, answer: answers.Answer, event: Event) -> Device:
        found = answers.listed(answer, command, self._watched, event.at)
        if found.others:
            self._counts["other_apps"] += found.others
        return changes.listed(device, found)

    def _profiled(self, device: Device, command: Command, answer: answers.Answer, event: Event) -> Device:
        return changes.profiled(device, answers.profiles(answer, command, event.at))

    def _managed(self, device: Device, command: Command, answer: answers.Answer, event: Event) -> Device:
        found = answers.managed(answer, command, self._watched, event.at)
        device = changes.managed(device, found)
        for app in {one.id for one in found}:
            device = self._brought(device, app)
        return device


_REMOVING = (Purpose.convert, Purpose.remove)

_Answering = Callable[[_Case, Device, Command, answers.Answer, Event], Device]

_QUESTIONS: dict[str, _Answering] = {
    "DeviceInformation": _Case._informed,
    "InstalledApplicationList": _Case._listed,
    "ProfileList": _Case._profiled,
    "ManagedApplicationList": _Case._managed,
}

_DEALT: dict[Topic, Callable[[_Case, Event], None]] = {
    Topic.authenticate: _Case.authenticate,
    Topic.token_update: _Case.token_update,
    Topic.check_out: _Case.check_out,
    Topic.declarative: _Case.declarative,
    Topic.connect: _Case.connect,
}
