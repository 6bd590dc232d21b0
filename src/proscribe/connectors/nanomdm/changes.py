"""What one event changes of a device and its commands. Pure.

NanoMDM sends each event from a thread of its own and never twice, so events come in any order. What is remembered is
therefore a join: of two facts the later one stands, whichever came first. "Later" is the time NanoMDM gave the event
or, for an answer, the moment we asked. One number is a mere label: ``generation`` grows with every enrolment that is
news to us; an enrolment told after a later one is history, and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from proscribe.connectors.nanomdm.answers import Facts
from proscribe.connectors.nanomdm.events import Event
from proscribe.connectors.nanomdm.model import (
    OPEN,
    AppList,
    Command,
    CommandState,
    Device,
    ManagedApp,
    ProfileList,
    Purpose,
    Removal,
    Stage,
)

LAG = timedelta(seconds=5)
"""How much later than a message its event may be timed: NanoMDM reads the clock in the thread that sends the event."""

_OF_SCOPE = "@"  # stands in what names the edition of a scope, and in no UUID
_LATER = "ManagedApplicationList Failed"  # a conversion that was acknowledged, and failed all the same
_REJECTED = frozenset({"ManagementRejected", "UserRejected"})


# Enrolments -------------------------------------------------------------------------------------------------------


def met(event: Event, at: datetime) -> Device:
    """A device that nothing was known of. It was enrolled before we listened, unless the event says otherwise."""
    return Device(
        id=event.device, kind=event.kind, generation=1, enrolled_at=None, last_seen=at, udid=event.udid, ready=False
    )


def heard(device: Device, at: datetime) -> Device:
    """A message that only a device under management sends."""
    newest = at if device.heard_at is None else max(at, device.heard_at)
    return _settled(replace(device, heard_at=newest, last_seen=max(at, device.last_seen)))


def left(device: Device, at: datetime) -> Device:
    """It checked out."""
    newest = at if device.left_at is None else max(at, device.left_at)
    return _settled(replace(device, left_at=newest, last_seen=max(at, device.last_seen)))


def enrolled(device: Device, at: datetime, facts: Facts, *, new: bool) -> Device:
    """An Authenticate message. What was known of an earlier enrolment is void; what was asked since stays.

    ``new``: nothing was known of the device, so this is its first generation.
    """
    device = replace(device, last_seen=max(at, device.last_seen))
    if device.enrolled_at is not None and at <= device.enrolled_at:
        return device
    return _settled(
        replace(
            _introduced(device, at, facts),
            generation=1 if new else device.generation + 1,
            enrolled_at=at,
            apps=device.apps if device.apps and device.apps.asked_at >= at else None,
            profiles=device.profiles if device.profiles and device.profiles.asked_at >= at else None,
            managed=tuple(one for one in device.managed if one.asked_at >= at),
            declarations=device.declarations if device.declarations and device.declarations.received_at >= at else None,
            removals=tuple(one if one.since >= at else _voided(one, at) for one in device.removals),
            arrived={what: since for what, since in device.arrived.items() if since >= at},
        )
    )


def _introduced(device: Device, at: datetime, facts: Facts) -> Device:
    """Who it is: as the message says, and as it said itself where it was asked since."""
    if device.informed_at is None or device.informed_at < at:
        udid = facts.udid or device.udid
        return replace(
            device,
            udid=udid,
            serial=facts.serial,
            name=facts.name,
            model=facts.model,
            os_version=facts.os_version,
            platform=facts.platform,
            supervised=None,
            informed_at=None,
        )
    own = {name: value for name, value in facts.said.items() if name == "model" or not getattr(device, name)}
    return replace(device, **own)


def _voided(removal: Removal, at: datetime) -> Removal:
    return replace(removal, stage=Stage.void, since=at, not_before=None, error="")


def _settled(device: Device) -> Device:
    """``left_at`` and ``ready`` follow from the newest times: a departure counts until something later is heard."""
    signs = [sign for sign in (device.enrolled_at, device.heard_at) if sign is not None]
    gone = device.left_at
    if gone is not None and signs and max(signs) > gone + LAG:
        gone = None
    under_way = device.enrolled_at is not None and (
        device.heard_at is None or device.heard_at < device.enrolled_at - LAG
    )
    return replace(device, left_at=gone, ready=gone is None and not under_way)


def outdated(command: Command, device: Device, at: datetime, *, enrols: bool) -> Command:
    """A command of a device that enrolled (``enrols``) or left at that time: NanoMDM dropped what was queued before.

    What was sent after an enrolment that we learn of late belongs to it.
    """
    if command.asked_at < at or (not enrols and command.asked_at == at):
        return replace(command, state=CommandState.void) if command.state in OPEN else command
    return replace(command, generation=device.generation) if enrols else command


# Answers ----------------------------------------------------------------------------------------------------------


def postponed(command: Command, at: datetime) -> Command:
    """NotNow: the device is locked, and NanoMDM will offer the command again."""
    since = at if command.not_now_since is None else min(at, command.not_now_since)
    newest = at if command.not_now_at is None else max(at, command.not_now_at)
    state = CommandState.not_now if command.state in OPEN else command.state
    return replace(command, state=state, not_now_since=since, not_now_at=newest)


def acknowledged(command: Command, at: datetime) -> Command:
    """Acknowledged, once and for all: an error told besides came of a second try."""
    newest = at
    if command.state is CommandState.answered and command.answered_at is not None:
        newest = max(at, command.answered_at)
    return replace(command, state=CommandState.answered, answered_at=newest, error="")


def failed(command: Command, at: datetime, error: str) -> Command:
    """Error or CommandFormatError."""
    if command.state is CommandState.answered:
        return command
    if command.state is CommandState.failed and command.answered_at is not None and command.answered_at >= at:
        return command
    return replace(command, state=CommandState.failed, answered_at=at, error=error)


def informed(device: Device, asked_at: datetime, facts: Facts) -> Device:
    """An answer to DeviceInformation."""
    if device.informed_at is not None and device.informed_at > asked_at:
        return device
    return replace(device, **{**facts.said, "informed_at": asked_at})


def listed(device: Device, found: AppList) -> Device:
    """An app list."""
    return replace(device, apps=found) if _later(found, device.apps) else device


def profiled(device: Device, found: ProfileList) -> Device:
    """A list of profiles. What is seen on it for the first time arrived by then: its acknowledgement was lost, or is
    still to be told."""
    if not _later(found, device.profiles):
        return device
    here = {one.uuid.upper() for one in found.profiles if one.restricts}
    known = {
        what: since
        for what, since in device.arrived.items()
        if what in here or _OF_SCOPE in what or since >= found.asked_at
    }
    seen = {what: found.received_at for what in here if what not in known}
    return replace(device, profiles=found, arrived={**known, **seen})


def installed(device: Device, command: Command, at: datetime) -> Device:
    """The device acknowledged a profile: it carries it since then."""
    if command.request_type != "InstallProfile":
        return device
    what = command.subject.upper()
    return replace(device, arrived={**device.arrived, what: min(at, device.arrived.get(what, at))})


def _later(found: AppList | ProfileList, known: AppList | ProfileList | None) -> bool:
    return known is None or (known.asked_at, known.received_at) < (found.asked_at, found.received_at)


def managed(device: Device, found: tuple[ManagedApp, ...]) -> Device:
    """Statuses of ManagedApplicationList: of each app each status, at its newest."""
    newest = {(one.id, one.status): one for one in device.managed}
    for one in found:
        known = newest.get((one.id, one.status))
        if known is None or (known.asked_at, known.received_at) < (one.asked_at, one.received_at):
            newest[one.id, one.status] = one
    return replace(device, managed=tuple(newest[key] for key in sorted(newest)))


# Removals ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a removal rests before it may be tried again."""

    failed: timedelta
    refused: timedelta


def removals_of(device: Device, app: str, commands: Iterable[Command], waits: Waits) -> Device:
    """The device with the removals of an app as far as the answers known by now have brought them.

    ``commands``: those of the device that convert or remove the app, of its present generation. A removal that
    following up ended for reasons of its own is left alone.
    """
    sent = sorted(commands, key=lambda one: (one.asked_at, one.attempts, one.uuid))
    statuses = [one for one in device.managed if one.id == app]

    def brought(removal: Removal) -> Removal:
        newest = next((one for one in reversed(sent) if one.key == removal.key), None)
        if removal.app != app or newest is None or not _open(removal, newest):
            return removal
        if newest.purpose is Purpose.remove:
            return _answered(removal, newest, Stage.removed, waits)
        return _converted(removal, newest, statuses, waits)

    return replace(device, removals=tuple(brought(one) for one in device.removals))


def reopened(device: Device, command: Command) -> Device:
    """The device with the removal that a command's error ended under way again: the command was acknowledged too."""
    stage = Stage.removing if command.purpose is Purpose.remove else Stage.converting
    return replace(
        device,
        removals=tuple(
            replace(one, stage=stage, error="", not_before=None)
            if (one.app, one.key, one.stage, one.error) == (command.subject, command.key, Stage.failed, command.error)
            else one
            for one in device.removals
        ),
    )


def _open(removal: Removal, newest: Command) -> bool:
    """Whether answers may move a removal: it is under way, or was ended by an answer."""
    if removal.stage is Stage.failed:
        return removal.error == _LATER or (newest.state is CommandState.failed and removal.error == newest.error)
    if newest.purpose is Purpose.remove:
        return removal.stage in (Stage.converting, Stage.confirming, Stage.removing)
    return removal.stage in (Stage.converting, Stage.confirming, Stage.refused)


def _answered(removal: Removal, command: Command, stage: Stage, waits: Waits) -> Removal:
    """As the answer to its newest command says: to ``stage`` where that was acknowledged."""
    at = command.answered_at
    if at is None:
        return removal
    if command.state is CommandState.failed:
        return replace(removal, stage=Stage.failed, since=at, not_before=at + waits.failed, error=command.error)
    return replace(removal, stage=stage, since=at, not_before=None, error="")


def _converted(removal: Removal, command: Command, statuses: Iterable[ManagedApp], waits: Waits) -> Removal:
    """As ManagedApplicationList says, where it was asked since the conversion, else as the answer to the command says.

    The user's refusal outweighs all else, for it is reported once. What was asked before is of an earlier try.
    """
    told = sorted(
        (one for one in statuses if one.asked_at >= command.asked_at), key=lambda one: (one.asked_at, one.received_at)
    )
    for one in reversed(told):
        if one.status in _REJECTED:
            at = one.received_at
            return replace(removal, stage=Stage.refused, since=at, not_before=at + waits.refused, error="")
    for one in reversed(told):
        at = one.received_at
        if one.status == "Managed":
            return replace(removal, stage=Stage.confirming, since=at, not_before=None, error="")
        if one.status == "Failed":
            return replace(removal, stage=Stage.failed, since=at, not_before=at + waits.failed, error=_LATER)
    return _answered(removal, command, Stage.confirming, waits)
