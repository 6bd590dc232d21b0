"""What devices are asked, and when: as little as a proof needs, and never twice at a time. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from proscribe.connectors.nanomdm import commands
from proscribe.connectors.nanomdm.history import Case
from proscribe.connectors.nanomdm.model import Channel, Command, CommandState, Device, Kind, Purpose
from proscribe.connectors.nanomdm.outbox import Outgoing
from proscribe.connectors.nanomdm.removals import awaiting_status
from proscribe.connectors.nanomdm.scopes import View, is_unknown, scope_id, split
from proscribe.terms import Platform

INFORMATION, APPS, MANAGED, PROFILES = (
    "DeviceInformation",
    "InstalledApplicationList",
    "ManagedApplicationList",
    "ProfileList",
)
_DAY = timedelta(days=1)
_NEVER = "never"


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask of a device. ``known``: how old what is known of it is; a newer answer is another question."""

    content: dict[str, Any]
    known: datetime | None
    named: tuple[str, ...] = ()
    managed_only: bool = False

    @property
    def request_type(self) -> str:
        """Apple's name of the command."""
        kind: str = self.content["RequestType"]
        return kind


def questions(case: Case, view: View, anew: datetime | None = None) -> Iterator[Question]:
    """Everything that is to be asked of a device now, the most urgent first.

    ``anew``: what was asked for before then does not count, for what was told since may have been lost.
    """
    device = case.device
    information = _information(device, view, anew)
    if information is not None:
        yield information
    managed = _managed(case, view, anew)
    if managed is not None:
        yield managed
    profiles = _profiles(case, view, anew)
    if profiles is not None:
        yield profiles
    apps = _apps(case, view, anew)
    if apps is not None:
        yield apps


def outgoing(case: Case, question: Question, view: View) -> Outgoing | None:
    """A question as a command; None where one of its kind is open. One that was being sent is given again."""
    device, kind = case.device, question.request_type
    open_one = case.open_of(kind)
    if open_one is not None and open_one.state is not CommandState.sending:
        return None
    if open_one is not None:
        return Outgoing(open_one, _content_again(open_one, question))
    subject = question.known.isoformat() if question.known else _NEVER
    before = [one for one in case.of(Purpose.ask) if one.request_type == kind and one.subject == subject]
    if before and before[-1].state is CommandState.failed:
        answered = before[-1].answered_at or before[-1].asked_at
        if view.now - answered < timedelta(hours=view.config.retry_hours):
            return None
    attempt = 1 + max((one.attempts for one in before), default=0)
    parts = (Purpose.ask, device.id, str(device.generation), kind, subject, *question.named, str(attempt))
    command = Command(
        uuid=commands.command_uuid(*parts),
        device=device.id,
        generation=device.generation,
        request_type=kind,
        purpose=Purpose.ask,
        state=CommandState.sending,
        asked_at=view.now,
        subject=subject,
        named=question.named,
        managed_only=question.managed_only,
        attempts=attempt,
    )
    return Outgoing(command, question.content)


def _content_again(command: Command, question: Question) -> dict[str, Any]:
    """What was being sent is sent as it was, whatever is watched by now."""
    if command.request_type == APPS:
        return commands.app_list(command.named, managed_only=command.managed_only)
    if command.request_type == MANAGED:
        return commands.managed_list(command.named)
    return question.content


def _older(known: datetime | None, *bounds: datetime | None) -> bool:
    return known is None or any(bound is not None and known < bound for bound in bounds)


def _after(known: datetime | None, moment: datetime | None, now: datetime) -> bool:
    """Whether something has to be asked since a moment. Times are whole seconds: what was asked in the same second is
    asked again, in a later one, so that the answer is newer beyond doubt."""
    return moment is not None and (known is None or known <= moment) and moment < now


def _information(device: Device, view: View, anew: datetime | None) -> Question | None:
    known = device.informed_at
    if not _older(known, device.enrolled_at, view.now - _DAY, anew):
        return None
    return Question(commands.information(user_enrolment=device.kind is Kind.user_enrolment), known)


def _managed(case: Case, view: View, anew: datetime | None) -> Question | None:
    """How conversions stand, and whether a watched app is managed already: it need not be converted then. A device that
    is asking its user is asked again from time to time."""
    lost = {one.subject for one in case.of(Purpose.convert) if case.is_lost(one, view.config, view.now)}
    apps = tuple(sorted({*awaiting_status(case), *lost, *_unknown(case.device)}))
    if not apps:
        return None
    asked = (one for one in case.of(Purpose.ask) if one.state is not CommandState.sending)
    times = [one.asked_at for one in asked if one.request_type == MANAGED]
    known = max(times, default=None)
    again = view.now - timedelta(hours=view.config.lost_after_hours)
    if not (_older(known, again, anew) or _after(known, case.changed_at, view.now)):
        return None
    return Question(commands.managed_list(apps), known, named=apps)


def _unknown(device: Device) -> set[str]:
    """The watched apps on the newest list of which the device never said, since they are there, who put them there."""
    if device.apps is None or device.platform is not Platform.ios:
        return set()
    return {one.id for one in device.apps.apps if not one.clip and is_unknown(device, one)}


def _profiles(case: Case, view: View, anew: datetime | None) -> Question | None:
    """What is installed: after a delivery, where one was lost, and now and then, for a foreign block list matters."""
    device = case.device
    if split(scope_id(device, view.roster, view.config))[1] is Channel.commands:
        return None
    known = None if device.profiles is None else device.profiles.asked_at
    delivered = _last_delivery(case)
    lost = [one.asked_at for one in case.of(Purpose.deliver) if case.is_lost(one, view.config, view.now)]
    due = _older(known, anew, view.now - timedelta(hours=view.config.fresh_hours))
    due = due or _after(known, delivered, view.now) or _after(known, max(lost, default=None), view.now)
    return Question(commands.profile_list(), known) if due else None


def _last_delivery(case: Case) -> datetime | None:
    done = [one.answered_at for one in case.of(Purpose.deliver) if one.state is CommandState.answered]
    return max((moment for moment in done if moment is not None), default=None)


def _apps(case: Case, view: View, anew: datetime | None) -> Question | None:
    """Which watched apps are there. Nothing is asked where nothing is watched by name: that would ask for every app."""
    device = case.device
    named = tuple(sorted(view.watch.ios))
    if not named:
        return None
    managed_only = device.kind is Kind.user_enrolment
    told = device.apps
    known = None if told is None else told.asked_at
    lost = [one.asked_at for one in case.of(Purpose.remove) if case.is_lost(one, view.config, view.now)]
    lost += [one.asked_at for one in case.of(Purpose.convert) if case.is_lost(one, view.config, view.now)]
    due = _older(known, anew, view.now - timedelta(hours=view.config.list_every_hours))
    due = due or _after(known, case.changed_at, view.now) or _after(known, max(lost, default=None), view.now)
    due = due or _after(known, max(device.arrived.values(), default=None), view.now)
    if told is not None:
        due = due or told.managed_only != managed_only or _narrower(told.named, named)
    return Question(commands.app_list(named, managed_only=managed_only), known, named, managed_only) if due else None


def _narrower(asked: Collection[str], watched: Collection[str]) -> bool:
    return not set(watched) <= set(asked)
