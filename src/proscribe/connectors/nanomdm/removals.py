"""Taking an app off a device, in one step or in two. What a step has come to is read from the answers, never assumed.

A conversion installs the app where it is absent, so it goes out on a fresh list that shows the app and on nothing less;
``RemoveApplication`` follows it only where the device itself says that the app is managed now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from proscribe.connectors.nanomdm import commands
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.history import Case
from proscribe.connectors.nanomdm.model import (
    Command,
    CommandState,
    Device,
    ManagedApp,
    Purpose,
    Removal,
    Stage,
)
from proscribe.connectors.nanomdm.outbox import Outgoing
from proscribe.connectors.nanomdm.records import Records
from proscribe.connectors.nanomdm.system import CONVERT

BETWEEN = (Stage.converting, Stage.confirming)
UNDER_WAY = (*BETWEEN, Stage.removing)
STOPPED = "stopped"
"""The error of a removal that was taken back before its end."""

_DECLINED = ("UserRejected", "ManagementRejected")
_MISCARRIED = ("Failed",)
_UNMANAGED = ("", "UserInstalledApp", "ManagedButUninstalled", "Unknown")
"""What a device says of an app that is not managed. Right after a conversion it may still say so."""
_PURPOSES = {Stage.converting: Purpose.convert, Stage.confirming: Purpose.remove, Stage.removing: Purpose.remove}


def removal_of(device: Device, app: str) -> Removal | None:
    """What is recorded of an app's removal."""
    return next((one for one in device.removals if one.app == app), None)


def with_removal(device: Device, removal: Removal) -> Device:
    """The device with one removal put in the place of the app's earlier one."""
    others = [one for one in device.removals if one.app != removal.app]
    return replace(device, removals=tuple(sorted([*others, removal], key=lambda one: one.app)))


def is_listed(device: Device, app: str) -> bool:
    """Whether the newest list shows the app."""
    return device.apps is not None and any(one.id == app for one in device.apps.apps)


def is_fresh(device: Device, config: NanomdmConfig, now: datetime) -> bool:
    """Whether the newest list is young enough for a step that rests on it."""
    return device.apps is not None and now - device.apps.asked_at <= timedelta(hours=config.fresh_hours)


# The first step ---------------------------------------------------------------------------------------------------


def begun(device: Device, app: str, key: str, method: str, now: datetime) -> Removal:
    """A removal as it is recorded once its first command is in the queue."""
    earlier = removal_of(device, app)
    return Removal(
        app=app,
        key=key,
        stage=Stage.converting if method == CONVERT else Stage.removing,
        since=now,
        attempt=1 if earlier is None else earlier.attempt + 1,
        method=method,
    )


def first_step(case: Case, removal: Removal, now: datetime) -> Outgoing:
    """The command that a removal begins with."""
    purpose = Purpose.convert if removal.method == CONVERT else Purpose.remove
    return _step(case, removal, purpose, now)


def _step(case: Case, removal: Removal, purpose: Purpose, now: datetime) -> Outgoing:
    """The newest try of a step that is not known to have come to nothing. The same wish has the same UUID."""
    device, known = case.device, {one.uuid: one for one in case.commands}
    attempt = 1
    while (found := known.get(_uuid(device, removal, purpose, attempt))) and found.state is CommandState.void:
        attempt += 1
    content = commands.convert(removal.app) if purpose is Purpose.convert else commands.remove(removal.app)
    command = Command(
        uuid=_uuid(device, removal, purpose, attempt),
        device=device.id,
        generation=device.generation,
        request_type=content["RequestType"],
        purpose=purpose,
        state=CommandState.sending,
        asked_at=now,
        subject=removal.app,
        key=removal.key,
        attempts=attempt,
    )
    return Outgoing(command, content)


def _uuid(device: Device, removal: Removal, purpose: Purpose, attempt: int) -> str:
    parts = (purpose, device.id, str(device.generation), removal.key, removal.app, str(removal.attempt), str(attempt))
    return commands.command_uuid(*parts)


def record_begun(records: Records, arrived: Iterable[Command], wanted: dict[str, Removal]) -> None:
    """Record the removals whose first command NanoMDM has; ``wanted`` by the command's UUID. In its transaction."""
    removals = [(one, wanted[one.uuid]) for one in arrived if one.uuid in wanted]
    devices = records.devices_of({command.device for command, _ in removals})
    for command, removal in removals:
        device = devices.get(command.device)
        if device is None or device.generation != command.generation:
            continue
        known = removal_of(device, removal.app)
        if known is None or known.attempt < removal.attempt:
            devices[device.id] = with_removal(device, removal)
    records.save_devices(devices.values())


# What follows -----------------------------------------------------------------------------------------------------


def advanced(case: Case, config: NanomdmConfig, now: datetime) -> Device:
    """The device with its removals as far as its answers have brought them."""
    device = case.device
    for removal in device.removals:
        moved = _advanced(case, removal, config, now)
        if moved != removal:
            device = with_removal(device, moved)
    return device


def _advanced(case: Case, removal: Removal, config: NanomdmConfig, now: datetime) -> Removal:
    if removal.stage not in UNDER_WAY:
        return removal
    purpose = Purpose.convert if removal.stage is not Stage.removing else Purpose.remove
    step = _newest(case, removal, purpose)
    if step is None:  # it went to an enrolment that is over; whoever wants it gone orders it anew
        return replace(removal, stage=Stage.void, since=now)
    moment = step.answered_at or now
    if step.state is CommandState.failed and removal.stage is not Stage.confirming:
        until = moment + timedelta(hours=config.retry_hours)
        return replace(removal, stage=Stage.failed, since=moment, error=step.error or "Error", not_before=until)
    if removal.stage is Stage.removing:
        done = step.state is CommandState.answered
        return replace(removal, stage=Stage.removed, since=moment) if done else removal
    if removal.stage is Stage.converting and step.state is CommandState.answered:
        removal = replace(removal, stage=Stage.confirming, since=moment)
    # A device that asks its user says so before it has answered for good.
    return _confirmed(case.device, removal, step, config)


def _confirmed(device: Device, removal: Removal, step: Command, config: NanomdmConfig) -> Removal:
    acknowledged = step.answered_at or step.asked_at
    told = status_since(device, removal.app, acknowledged)
    if told is None or removal.stage is not Stage.confirming:
        return removal
    if told.status in _DECLINED:
        until = told.received_at + timedelta(days=config.refused_days)
        return replace(removal, stage=Stage.refused, since=told.received_at, error=told.status, not_before=until)
    settled = told.asked_at - acknowledged >= timedelta(hours=config.lost_after_hours)
    if told.status in _MISCARRIED or (told.status in _UNMANAGED and settled):
        until = told.received_at + timedelta(hours=config.retry_hours)
        return replace(removal, stage=Stage.failed, since=told.received_at, error=told.status, not_before=until)
    return removal


def status_since(device: Device, app: str, moment: datetime) -> ManagedApp | None:
    """The newest status of an app's management that was asked for at a moment or later."""
    told = [one for one in device.managed if one.id == app and one.asked_at >= moment]
    return max(told, key=lambda one: (one.received_at, one.asked_at), default=None)


def _newest(case: Case, removal: Removal, purpose: Purpose) -> Command | None:
    """The newest command of one step of a removal, whatever became of it."""
    own = [one for one in case.of(purpose) if one.subject == removal.app and one.key == removal.key]
    return own[-1] if own else None


def is_managed(case: Case, removal: Removal) -> bool:
    """Whether the device says that a converted app is managed now."""
    step = _newest(case, removal, Purpose.convert)
    told = None if step is None else status_since(case.device, removal.app, step.answered_at or step.asked_at)
    return told is not None and told.status == "Managed"


def awaiting_status(case: Case) -> tuple[str, ...]:
    """The apps whose conversion was acknowledged and is not confirmed."""
    waiting = (one for one in case.device.removals if one.stage is Stage.confirming and not is_managed(case, one))
    return tuple(one.app for one in waiting)


def next_steps(case: Case, now: datetime) -> list[Outgoing]:
    """The commands that the removals of a device need next: a confirmed second step, and what went astray again."""
    found = []
    for removal in case.device.removals:
        purpose = _PURPOSES.get(removal.stage)
        if purpose is None or (removal.stage is Stage.confirming and not is_managed(case, removal)):
            continue
        step = _newest(case, removal, purpose)
        again = step is None or step.state in (CommandState.void, CommandState.sending)
        if again and (purpose is Purpose.remove or _may_convert_again(case, removal)):
            found.append(_step(case, removal, purpose, now))
    return found


def _may_convert_again(case: Case, removal: Removal) -> bool:
    """A conversion that went astray goes out again only on a list asked for after it that still shows the app."""
    lost, apps = _newest(case, removal, Purpose.convert), case.device.apps
    if lost is None or apps is None or apps.asked_at <= lost.asked_at:
        return False
    return is_listed(case.device, removal.app)


def record_steps(records: Records, arrived: Sequence[Command]) -> None:
    """Record second steps that NanoMDM has. In its transaction."""
    devices = records.devices_of({one.device for one in arrived if one.purpose is Purpose.remove})
    for command in arrived:
        device = devices.get(command.device)
        removal = None if device is None else removal_of(device, command.subject)
        if device is None or removal is None or removal.stage is not Stage.confirming or removal.key != command.key:
            continue
        devices[device.id] = with_removal(device, replace(removal, stage=Stage.removing, since=command.asked_at))
    records.save_devices(devices.values())


def stopped(device: Device, apps: Iterable[str], now: datetime) -> Device:
    """The device with the removals of some apps stopped where they are: nothing more of them is sent, and what was lost
    on its way is not sent again. What is in the device's queue cannot be taken back."""
    for app in apps:
        removal = removal_of(device, app)
        if removal is not None and removal.stage in UNDER_WAY:
            device = with_removal(device, replace(removal, stage=Stage.failed, since=now, error=STOPPED))
    return device


def arrived(case: Case, command: Command) -> bool | None:
    """What became of a removal or conversion whose answer was lost; None as long as nothing shows it."""
    device = case.device
    if command.purpose is Purpose.convert:
        told = status_since(device, command.subject, command.asked_at)
        return None if told is None else told.status not in (*_MISCARRIED, *_UNMANAGED)
    if device.apps is None or device.apps.asked_at <= command.asked_at or command.subject not in device.apps.named:
        return None
    return not is_listed(device, command.subject)
