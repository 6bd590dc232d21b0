"""What this connector remembers, for NanoMDM keeps no list of devices and no results. Types only.

Everything here is stored as JSON (``records``). Times are when *we* asked or were told; a list was taken by the device
after it was asked for, so ``asked_at`` is the moment that a proof may rely on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from proscribe.documents import Value
from proscribe.terms import Enrolment, Held, Platform


class Kind(StrEnum):
    """NanoMDM's own words for enrolment types (service/webhook/event.json, ids.type)."""

    device = "Device"
    user_enrolment = "User Enrollment (Device)"
    user = "User"
    user_enrolment_user = "User Enrollment"
    shared_ipad = "Shared iPad"

    @property
    def is_device(self) -> bool:
        """Whether it is a device channel. The others are users on a device, and are counted only."""
        return self in (Kind.device, Kind.user_enrolment)


class Channel(StrEnum):
    """How a block reaches a device; a scope is ``<group>/<channel>``, so that its devices are all of one kind."""

    profile = "profile"  # supervised: one merged Restrictions payload
    declarations = "declarations"  # supervised, 27 or later, where KMFDDM is configured: one declaration a ban
    commands = "commands"  # nothing can be kept from launching: removal of apps alone


@dataclass(frozen=True, slots=True)
class SeenApp(Value):
    """A watched app on a device's list. Others are counted, never kept."""

    id: str
    version: str = ""
    held: Held = Held.unknown
    declared: bool = False  # owned by a declaration (Source: Declarative Device Management)
    clip: bool = False  # an app clip


@dataclass(frozen=True, slots=True)
class AppList(Value):
    """An answer to ``InstalledApplicationList``. ``named``: the identifiers that were asked for."""

    asked_at: datetime
    received_at: datetime
    named: tuple[str, ...]
    managed_only: bool
    apps: tuple[SeenApp, ...]
    others: int = 0  # apps that were listed although they were not asked for


@dataclass(frozen=True, slots=True)
class ManagedApp(Value):
    """A status of ``ManagedApplicationList``. A passing one is reported once only, so each is kept with its time.

    ``status`` "" : the app was asked for by name, and the answer did not hold it.
    """

    id: str
    status: str
    asked_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class SeenProfile(Value):
    """A configuration profile on a device. ``restricts``: it holds a Restrictions payload."""

    identifier: str
    uuid: str
    restricts: bool


@dataclass(frozen=True, slots=True)
class ProfileList(Value):
    """An answer to ``ProfileList``."""

    asked_at: datetime
    received_at: datetime
    profiles: tuple[SeenProfile, ...]


@dataclass(frozen=True, slots=True)
class SeenDeclaration(Value):
    """What a device reported of one declaration (KMFDDM, ``/v1/declaration-status``)."""

    identifier: str
    active: bool
    valid: str  # valid | invalid | unknown
    current: bool  # its server token is that of the declaration as it is now
    server_token: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Declarations(Value):
    """The declarations of a device as last read. ``received_at``: when KMFDDM got the newest report."""

    received_at: datetime
    items: tuple[SeenDeclaration, ...]


class Stage(StrEnum):
    """How far the removal of one app from one device has come."""

    converting = "converting"  # InstallApplication + ChangeManagementState was sent; the user may be asked
    confirming = "confirming"  # acknowledged; ManagedApplicationList must say Managed
    removing = "removing"  # RemoveApplication was sent
    removed = "removed"  # the device acknowledged the removal
    refused = "refused"  # the user declined that the app be managed
    failed = "failed"  # the device answered with an error
    void = "void"  # the device enrolled anew: what is on it now is not known, and the app may be tried again at once


@dataclass(frozen=True, slots=True)
class Removal(Value):
    """One app to be taken off one device. ``key``: its order. ``not_before``: when a failed one may be tried again.

    One for each app: a later try replaces it with ``attempt`` + 1. It outlives an enrolment.
    """

    app: str
    key: str
    stage: Stage
    since: datetime
    attempt: int = 1
    not_before: datetime | None = None
    error: str = ""
    method: str = "RemoveApplication"  # or ConvertThenRemove: that of its order


@dataclass(frozen=True, slots=True)
class Device(Value):
    """One enrolment of a device. ``generation`` counts its enrolments: what was sent to an earlier one is void."""

    id: str  # NanoMDM's enrolment id
    kind: Kind
    generation: int
    enrolled_at: datetime | None  # of this generation; None: it was met without an Authenticate message
    last_seen: datetime
    udid: str = ""
    serial: str = ""
    name: str = ""
    model: str = ""
    os_version: str = ""
    platform: Platform = Platform.unknown
    supervised: bool | None = None  # None: not told yet
    informed_at: datetime | None = None  # when the DeviceInformation was asked that gave the above
    ready: bool = False  # heard of since it enrolled (TokenUpdate), and has not left: commands can be sent
    heard_at: datetime | None = None  # the newest message of a device that is under management; not CheckOut
    left_at: datetime | None = None  # it checked out
    locked_since: datetime | None = None  # it answers NotNow since then
    apps: AppList | None = None
    managed: tuple[ManagedApp, ...] = ()
    profiles: ProfileList | None = None
    declarations: Declarations | None = None
    report_due: bool = False  # it sent a declaration status that KMFDDM was not asked for yet
    removals: tuple[Removal, ...] = ()
    # Since when it is known to carry what: by PayloadUUID, or by scope and version for declarations. A list of apps
    # that was asked for before then was not taken under it.
    arrived: dict[str, datetime] = field(default_factory=dict)

    @property
    def enrolment(self) -> Enrolment:
        """How it is managed, as far as known."""
        if self.kind is Kind.user_enrolment:
            return Enrolment.user_enrolment
        if self.supervised is None:
            return Enrolment.unknown
        return Enrolment.supervised if self.supervised else Enrolment.unsupervised


class Purpose(StrEnum):
    """Why a command was sent."""

    ask = "ask"  # it changes nothing
    deliver = "deliver"  # profiles, declarations
    convert = "convert"
    remove = "remove"


class CommandState(StrEnum):
    """The life of one command. Each state is stored before the next thing happens."""

    sending = "sending"  # written before the request; found after a crash: send the same again, the UUID makes it safe
    queued = "queued"  # NanoMDM has it
    not_now = "not_now"  # the device is locked: NanoMDM keeps it and offers it again
    answered = "answered"
    failed = "failed"  # Error or CommandFormatError
    void = "void"  # the device enrolled anew or left: NanoMDM dropped it


OPEN = (CommandState.sending, CommandState.queued, CommandState.not_now)
"""Commands whose answer is still to come."""


@dataclass(frozen=True, slots=True)
class Command(Value):
    """One command to one device. ``uuid`` follows from what it is for, so that sending twice queues once."""

    uuid: str
    device: str
    generation: int
    request_type: str
    purpose: Purpose
    state: CommandState
    asked_at: datetime  # when it was first sent
    subject: str = ""  # the app, or the profile's UUID
    key: str = ""  # the order it serves, "" for none
    named: tuple[str, ...] = ()  # identifiers named in a query
    managed_only: bool = False
    attempts: int = 1
    answered_at: datetime | None = None
    error: str = ""
    not_now_since: datetime | None = None  # the first NotNow it was answered with
    not_now_at: datetime | None = None  # the newest: it is offered, and put off, whenever a locked device calls


@dataclass(frozen=True, slots=True)
class Entry(Value):
    """An app that we keep from launching in a scope. ``ban`` names the order, and thereby the declaration."""

    app: str
    ban: str


@dataclass(frozen=True, slots=True)
class Edition(Value):
    """One version of what a scope wants of its devices."""

    version: int
    entries: tuple[Entry, ...]  # ours, sorted by app
    base: str = ""  # digest of the organisation's own profile that it was merged with
    uuid: str = ""  # PayloadUUID of the profile, "" where nothing of ours is to be installed
    identifier: str = ""  # its PayloadIdentifier: another tool may have copied the UUID
    # What KMFDDM answered as ServerToken for each configuration, by its identifier, read after it was put there: a
    # device's report proves this edition by these tokens alone. "Current" in an older report means an older one.
    tokens: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group(Value):
    """What a scope wants, now and before. ``offered`` is being sent: it counts only once NanoMDM took some of it."""

    scope: str
    now: Edition
    offered: Edition | None = None
    offered_at: datetime | None = None
    before: tuple[Edition, ...] = ()  # newest first, a few


@dataclass(frozen=True, slots=True)
class Gap(Value):
    """A time in which events may have been lost: the receiver was down. ``healed_at``: every device was asked anew."""

    began: datetime
    ended: datetime
    healed_at: datetime | None = None
