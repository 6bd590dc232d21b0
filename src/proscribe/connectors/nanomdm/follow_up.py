"""Bringing on what was accepted: the current edition to every device, removals by their next step, questions.

Everything is derived from what is remembered at the moment. A call that was cut short, or that is made twice, leaves no
trace: the same wish is the same command, and a command that NanoMDM has is not sent again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from proscribe.connectors.base import ConnectorFault, FollowUp, NotAuthorised, Throttled
from proscribe.connectors.memory import Row
from proscribe.connectors.nanomdm import asking, groups, removals, wording
from proscribe.connectors.nanomdm.deliver import LEFT, Delivery
from proscribe.connectors.nanomdm.history import Case, by_device, cases
from proscribe.connectors.nanomdm.means import Means
from proscribe.connectors.nanomdm.model import Channel, Command, CommandState, Declarations, Device, Purpose
from proscribe.connectors.nanomdm.outbox import Outgoing, Sent, enqueue
from proscribe.connectors.nanomdm.scopes import (
    View,
    applied_now,
    applied_version,
    blocked_on,
    device_key,
    scope_id,
    split,
    wanted,
)
from proscribe.text import Text

_PAUSE = "pause"
_KEPT = timedelta(days=2)
"""How long an answered question is kept: its answer stands in the device."""
_ANEW = "asked-anew"
_READ = "reports-read"
_ARRIVALS = 16
"""Editions of which it is remembered since when a device has them."""
_TRIES_KEPT = timedelta(days=30)
_REPORTS = 100
"""Devices whose declaration reports are read and written down at a time."""


@dataclass(slots=True)
class Log:
    """What one call did."""

    counts: Counter[str] = field(default_factory=Counter)
    happened: list[Text] = field(default_factory=list)
    waits: list[Text] = field(default_factory=list)
    left: int = 0


def follow_up(
    means: Means,
    *,
    frozen: bool,
    spared: frozenset[str] = frozenset(),
    exempt: frozenset[str] = frozenset(),
    taken_in: int = 0,
) -> FollowUp:
    """Bring everything on by what can be done now. ``spared``: keys of devices from which nothing is removed.

    Raises NotAuthorised, once what was done is written down; other faults are told among what waits.
    """
    log = Log(Counter(taken_in=taken_in))
    _Round(means, log, frozen=frozen, spared=spared, exempt=exempt).run()
    return FollowUp(
        counts={name: count for name, count in sorted(log.counts.items()) if count},
        happened=tuple(log.happened),
        waits=tuple(log.waits),
        left=log.left,
    )


class _Round:
    """One call. The store is touched by the calling thread alone."""

    def __init__(self, means: Means, log: Log, *, frozen: bool, spared: frozenset[str], exempt: frozenset[str]) -> None:
        self.means = means
        self.records = means.records
        self.log = log
        self.frozen = frozen
        self.spared = spared
        self.exempt = exempt
        self.view: View = means.view()
        gaps = means.records.gaps()
        self.anew = self._asked_anew(max((gap.ended for gap in gaps), default=None))
        self.gaps = [gap for gap in gaps if gap.healed_at is None and self.anew is not None and gap.ended <= self.anew]

    def _asked_anew(self, newest: datetime | None) -> datetime | None:
        """The moment since when everything must have been asked for, whichever gap is healed: a question that was open
        in it keeps a device from being asked at once.

        It moves on once in a while and not with every gap: whoever keeps the receiver busy makes one after the other,
        and must not have the fleet asked without end.
        """
        memory = self.records.memory
        found = memory.get(_ANEW, _ANEW)
        if newest is None or found is None:
            moved = newest
        else:
            last, at = datetime.fromisoformat(found["ended"]), datetime.fromisoformat(found["at"])
            rests = self.view.now - at < timedelta(hours=self.view.config.lost_after_hours)
            moved = last if newest <= last or rests else newest
        if moved is not None and (found is None or moved.isoformat() != found["ended"]):
            memory.put(_ANEW, [Row(_ANEW, {"ended": moved.isoformat(), "at": self.view.now.isoformat()})])
        return moved

    def run(self) -> None:
        """Wishes first, then facts, then what is to be sent for both."""
        if not self.frozen:
            groups.bring_up_to_date(self.means, self.log)
            self.view = self.means.view()
        devices = [one for one in self.records.devices() if _reachable(one)]
        history = by_device(self.records.commands())
        until = self._paused_until()
        if until is not None:
            self.log.waits.append(wording.paused(until))
            self._settle(devices, history)
            return
        self._read_reports(devices)
        found = self._settle(devices, history)
        sent = self._send(found)
        self._tell(sent)
        self._heal(found, sent)
        self._forget(devices, history)
        if isinstance(sent.stopped, NotAuthorised):
            raise sent.stopped

    # What devices said ----------------------------------------------------------------------------------------------

    def _read_reports(self, devices: Iterable[Device]) -> None:
        """What devices reported of declarations: those that said so, those whose edition is unproved, and all of them
        where what they said may have been lost, and now and then."""
        if not self.view.declarations:
            return
        everyone = self._is_time_for_all()
        asked = {one.id: one for one in devices if one.report_due or self._is_unproved(one) or everyone}
        due = iter([key for key, one in asked.items() if one.report_due or self._is_declared_to(one)])
        while some := list(islice(due, _REPORTS)):
            try:
                told = self.means.ddm.status(some)
            except ConnectorFault as fault:
                self._note(fault)
                return
            with self.records.atomic():
                known = self.records.devices_of(some)
                now = [self._reported(one, asked[key], told.get(key)) for key, one in known.items()]
                self.records.save_devices(one for one in now if one != known[one.id])
        if everyone:
            self.records.memory.put(_READ, [Row(_READ, {"at": self.view.now.isoformat()})])

    def _is_time_for_all(self) -> bool:
        found = self.records.memory.get(_READ, _READ)
        last = None if found is None else datetime.fromisoformat(found["at"])
        if last is None or (self.anew is not None and last < self.anew):
            return True
        return self.view.now - last >= timedelta(hours=self.view.config.list_every_hours)

    def _reported(self, device: Device, asked: Device, told: Declarations | None) -> Device:
        """The device with its report. What it reported since it was asked about is still to be read."""
        due = device.report_due and device.heard_at != asked.heard_at
        device = replace(device, declarations=told or device.declarations, report_due=due)
        group = self.view.groups.get(self._scope(device))
        if told is None or group is None or split(group.scope)[1] is not Channel.declarations:
            return device
        version = applied_version(device, group)
        what = f"{group.scope}@{version}"
        if not version or what in device.arrived:
            return device
        since = {**device.arrived, what: min(told.received_at, self.view.now)}
        return replace(device, arrived=dict(sorted(since.items(), key=lambda each: each[1])[-_ARRIVALS:]))

    def _is_declared_to(self, device: Device) -> bool:
        scope = self._scope(device)
        group = self.view.groups.get(scope)
        return group is not None and bool(group.now.version) and split(scope)[1] is Channel.declarations

    def _is_unproved(self, device: Device) -> bool:
        group = self.view.groups.get(self._scope(device))
        if group is None or not self._is_declared_to(device):
            return False
        awaited = bool(group.now.entries) or device.declarations is not None
        return awaited and not applied_now(device, group)

    def _settle(self, devices: Sequence[Device], history: Mapping[str, Sequence[Command]]) -> list[Case]:
        """Draw the conclusions from what was answered, and from what was lost; the devices as they are then."""
        settled: list[Case] = []
        for case in cases(devices, history):
            with_fate = self._without_lost(case)
            moved = removals.advanced(with_fate, self.view.config, self.view.now)
            if moved != case.device or with_fate.commands != case.commands or case.device.report_due:
                with_fate = self._store(case, with_fate)
            settled.append(with_fate)
        return settled

    def _store(self, before: Case, after: Case) -> Case:
        """Write conclusions down over what others may have written since."""
        with self.records.atomic():
            device = self.records.device(before.device.id) or before.device
            changed = [new for old, new in zip(before.commands, after.commands, strict=True) if old != new]
            known = self.records.commands_of([one.uuid for one in changed])
            was = {one.uuid: one for one in before.commands}
            self.records.save_commands(one for one in changed if known.get(one.uuid) == was[one.uuid])
            commands = self.records.commands(device=device.id)
            (case,) = cases([device], {device.id: commands})
            moved = removals.advanced(case, self.view.config, self.view.now)
            if moved != device:
                self.records.save_devices([moved])
        return replace(case, device=moved)

    def _without_lost(self, case: Case) -> Case:
        """Commands whose answer will not come: a question is asked anew, a change is looked for first."""
        commands = []
        for one in case.commands:
            found = one
            if case.is_lost(one, self.view.config, self.view.now):
                found = self._fate(case, one)
                self.log.counts["lost"] += found != one
            commands.append(found)
        return replace(case, commands=tuple(commands))

    def _fate(self, case: Case, command: Command) -> Command:
        arrived = self._arrived(case, command)
        if arrived is None:
            return command
        if not arrived:
            return replace(command, state=CommandState.void)
        return replace(command, state=CommandState.answered, answered_at=self.view.now)

    def _arrived(self, case: Case, command: Command) -> bool | None:
        """Whether a lost change was made; None as long as nothing shows it."""
        if command.purpose is Purpose.ask:
            return False
        if command.purpose in (Purpose.convert, Purpose.remove):
            return removals.arrived(case, command)
        delivery = self._delivery_of(command)
        told = case.device.profiles
        if delivery is None or command.request_type == "DeclarativeManagement":
            return False  # it changes nothing by itself
        if told is None or told.asked_at <= command.asked_at:
            return None
        return delivery.is_mine(command) and applied_now(case.device, delivery.group)

    def _delivery_of(self, command: Command) -> Delivery | None:
        group = self.view.groups.get(command.key.rpartition("@")[0])
        return None if group is None else Delivery(self.view, group)

    # What is to be sent ---------------------------------------------------------------------------------------------

    def _send(self, found: Sequence[Case]) -> Sent:
        """The most urgent first; a fault of the whole system ends it."""
        sent = Sent()
        for step in self._steps(found):
            if sent.stopped is not None:
                break
            sent.add(step())
        return sent

    def _steps(self, found: Sequence[Case]) -> Iterator[Callable[[], Sent]]:
        changing: set[str] = set()
        yield lambda: self._ask(found, changing, urgent=True)
        if not self.frozen:
            yield lambda: self._deliver(found, changing)
            yield lambda: self._next_steps(found, changing)
            yield lambda: self._take_back(found, changing)
        yield lambda: self._ask(found, changing, urgent=False)

    def _ask(self, found: Sequence[Case], changing: set[str], *, urgent: bool) -> Sent:
        """Questions; ``urgent`` are who a device is, and what nothing is known of. The rest waits for what changes."""
        due = []
        for case in found:
            busy = case.device.id in changing or case.is_changing(self.view.config, self.view.now)
            for question in asking.questions(case, self.view, self.anew):
                first = question.known is None
                if urgent is not (first or question.request_type == asking.INFORMATION) or (busy and not first):
                    continue
                outgoing = asking.outgoing(case, question, self.view)
                if outgoing is not None:
                    due.append(outgoing)
        return enqueue(self.means, due)

    def _deliver(self, found: Sequence[Case], changing: set[str]) -> Sent:
        sent = Sent()
        by_scope: dict[str, list[Case]] = {}
        for case in found:
            if case.device.informed_at is not None:
                by_scope.setdefault(self._scope(case.device), []).append(case)
        for scope, members in sorted(by_scope.items()):
            group = self.view.groups.get(scope)
            if group is None or not group.now.version or sent.stopped is not None:
                continue
            delivery = Delivery(self.view, group)
            due = [out for case in members if not groups.is_on_offer(case, delivery) and (out := delivery.due(case))]
            if delivery.channel is Channel.declarations:
                due, joined = groups.join(self.means, scope, due)
                self.log.counts["joined"] += joined.changed
                sent.add(joined.sent)
            changing.update(out.command.device for out in due)
            sent.add(enqueue(self.means, due))
        return sent

    def _next_steps(self, found: Sequence[Case], changing: set[str]) -> Sent:
        due = [step for case in found for step in removals.next_steps(case, self.view.now)]
        held = [step for step in due if device_key(step.command.device) in self.spared]
        if held:
            self.log.waits.append(wording.spared(len({step.command.device for step in held})))
            due = [step for step in due if step not in held]
        changing.update(step.command.device for step in due)
        return enqueue(self.means, due, settle=lambda arrived: removals.record_steps(self.records, arrived))

    def _take_back(self, found: Sequence[Case], changing: set[str]) -> Sent:
        """Entries of ours on devices that left their scope: they go once what the new scope wants is there."""
        sent = Sent()
        for scope, group in sorted(self.view.groups.items()):
            delivery = Delivery(self.view, group)
            due = [out for case in found if (out := self._taken_back(case, delivery)) is not None]
            if delivery.channel is Channel.declarations:
                due, left = groups.leave(self.means, scope, due)
                sent.add(left.sent)
            changing.update(out.command.device for out in due)
            sent.add(enqueue(self.means, due))
        return sent

    def _taken_back(self, case: Case, old: Delivery) -> Outgoing | None:
        scope = self._scope(case.device)
        if scope == old.scope and case.device.informed_at is not None:
            return old.outdated(case)
        if scope == old.scope or case.device.informed_at is None or not groups.has_ours(case, old):
            return None
        new = wanted(scope, self.view.groups)
        still = _still_wanted(case.device, old)
        covered = still <= {entry.app for entry in new.now.entries}
        arrived = bool(new.now.version) and applied_now(case.device, new)
        # An exempt device that was moved out of its group was moved to be free of it.
        freed = device_key(case.device.id) in self.exempt and split(scope)[0] != split(old.scope)[0]
        if still and not (covered and arrived) and not freed:
            return None
        # Where two groups share one profile, the new group's has replaced the old one's.
        return None if _shares_profile(old, Delivery(self.view, new)) else old.taken_back(case)

    def _scope(self, device: Device) -> str:
        return scope_id(device, self.view.roster, self.view.config)

    # What is said of it ---------------------------------------------------------------------------------------------

    def _tell(self, sent: Sent) -> None:
        for command in sent.queued:
            self.log.counts["withdrawn" if command.key.endswith(f"@{LEFT}") else _NAMES[command.purpose]] += 1
        self.log.happened += wording.happened(self.log.counts)
        self.log.left += sent.left + len(sent.faults)
        if sent.unwoken:
            self.log.waits.append(wording.not_woken(len(sent.unwoken), next(iter(sent.unwoken.values()))))
        worst = sent.worst()
        if worst is not None and not isinstance(worst, NotAuthorised):
            self._note(worst, len(sent.faults), sent.left)

    def _note(self, fault: ConnectorFault, failed: int = 0, left: int = 0) -> None:
        self.log.waits.append(wording.fault(fault, failed, left))
        if isinstance(fault, Throttled) and fault.retry_after:
            until = self.means.clock.now() + timedelta(seconds=fault.retry_after)
            self.records.memory.put(_PAUSE, [Row(_PAUSE, {"until": until.isoformat()})])

    def _paused_until(self) -> datetime | None:
        """Until when the system asked to be left alone."""
        found = self.records.memory.get(_PAUSE, _PAUSE)
        until = None if found is None else datetime.fromisoformat(found["until"])
        return until if until is not None and until > self.view.now else None

    def _heal(self, found: Sequence[Case], sent: Sent) -> None:
        """Every device was asked anew: what was lost in a gap does not matter any more."""
        if not self.gaps or sent.stopped is not None or sent.faults:
            return
        for gap in self.gaps:
            self.records.save_gap(replace(gap, healed_at=self.view.now))
        self.log.counts["healed"] += len(self.gaps)
        self.log.happened.append(wording.healed(len(self.gaps), len(found)))

    def _forget(self, devices: Iterable[Device], history: Mapping[str, Sequence[Command]]) -> None:
        """Questions of long ago are dropped. The newest of each kind stays: its number must not be used again. Of an
        enrolment that is over, nothing is needed after a while: its numbers are its own."""
        gone = []
        generations = {device.id: device.generation for device in devices}
        for key, commands in history.items():
            now = generations.get(key, 0)
            gone += [one.uuid for one in commands if one.generation < now and self._is_old(one)]
            gone += self._old_tries(commands)
            newest: dict[tuple[str, int], Command] = {}
            for one in sorted(commands, key=lambda each: (each.asked_at, each.attempts)):
                if one.purpose is Purpose.ask:
                    newest[one.request_type, one.generation] = one
            kept = {one.uuid for one in newest.values()}
            gone += [
                one.uuid
                for one in commands
                if one.purpose is Purpose.ask and one.uuid not in kept and one.generation >= now and self._is_old(one)
            ]
        self.records.memory.drop("command", gone)

    def _old_tries(self, commands: Iterable[Command]) -> list[str]:
        """Tries of a delivery that a later one has followed: a device may refuse an edition every day for years."""
        tries: dict[tuple[str, str, int], list[Command]] = {}
        for one in commands:
            if one.purpose is Purpose.deliver and not one.key.endswith(f"@{LEFT}"):
                tries.setdefault((one.key, one.subject, one.generation), []).append(one)
        return [
            one.uuid
            for each in tries.values()
            for one in sorted(each, key=lambda one: one.attempts)[:-1]
            if self._is_old(one, _TRIES_KEPT)
        ]

    def _is_old(self, command: Command, kept: timedelta = _KEPT) -> bool:
        over = (CommandState.answered, CommandState.failed, CommandState.void)
        return command.state in over and self.view.now - command.asked_at > kept


_NAMES = {
    Purpose.ask: "asked",
    Purpose.deliver: "delivered",
    Purpose.convert: "converted",
    Purpose.remove: "removed_sent",
}


def _still_wanted(device: Device, old: Delivery) -> frozenset[str]:
    """The apps that a scope keeps from launching on a device that left it, as far as the scope wants them blocked yet.

    What the device never got from it, and what was lifted since, is nothing to wait for.
    """
    wanted_there = frozenset(entry.app for entry in old.edition.entries)
    # Of declarations the device may not have told yet; of profiles it has, or it would not be known to carry ours.
    return wanted_there & blocked_on(device, old.group) if old.channel is Channel.profile else wanted_there


def _shares_profile(one: Delivery, other: Delivery) -> bool:
    return one.channel is other.channel is Channel.profile and one.identifier == other.identifier


def _reachable(device: Device) -> bool:
    return device.kind.is_device and device.ready and device.left_at is None
