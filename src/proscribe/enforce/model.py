"""Actions, and the outcomes that later observations give them. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from proscribe.canonical import Digest
from proscribe.documents import Value
from proscribe.terms import Enrolment, Side
from proscribe.text import Text


class ActionState(StrEnum):
    """The life of one order. Each change of state is stored before the next thing happens."""

    waiting = "waiting"  # its wave has not started
    ready = "ready"
    sending = "sending"  # written before the first byte goes out; found after a crash, it means "unknown fate"
    accepted = "accepted"  # the system said yes, or the change was found in place
    lifting = "lifting"  # written before the first byte of taking it back; found after a crash: look, then go on
    rejected = "rejected"  # the system said no for good
    lifted = "lifted"
    superseded = "superseded"  # a newer plan replaced it before it was sent


@dataclass(frozen=True, slots=True)
class Action(Value):
    """One order with its state. ``key`` = digest of directive, step, scope and payload (DESIGN rule 8)."""

    key: str
    directive: str
    plan: Digest
    step: str
    system: str
    scope: str
    method: str
    side: Side
    app_ids: tuple[str, ...]
    holders: tuple[str, ...]
    wave: int
    state: ActionState
    attempts: int = 0
    not_before: datetime | None = None
    prior: str = ""  # what to restore on lift; stored with state ``sending``
    scope_version: int = 0  # after acceptance
    accepted_at: datetime | None = None
    last_error: str = ""
    ours: tuple[str, ...] = ()  # app ids that were not in place before: all that lifting may take back
    turn: int = 0  # which change of ours to this scope it was when accepted, from 1; 0 before
    ended: int = 0  # the turn at which it was lifted or replaced; 0 while it stands

    @property
    def standing(self) -> bool:
        """Whether it is in force: accepted and not taken back."""
        return self.state in (ActionState.accepted, ActionState.lifting)


class Outcome(StrEnum):
    """What is true of a device under a directive, after the enforcement moment (DESIGN rule 2)."""

    absent_verified = "absent_verified"
    removed_verified = "removed_verified"
    contained = "contained"
    enforced_blind = "enforced_blind"
    invisible = "invisible"
    pending_locked = "pending_locked"
    pending_sync = "pending_sync"
    pending_vendor_approval = "pending_vendor_approval"
    refused_by_user = "refused_by_user"
    failed = "failed"
    impossible = "impossible"
    exempt = "exempt"
    stale = "stale"
    unknown = "unknown"

    @property
    def compliant(self) -> bool:
        """Only what was seen from the device counts as compliance."""
        return self in (Outcome.absent_verified, Outcome.removed_verified, Outcome.contained)


@dataclass(frozen=True, slots=True)
class Enforcement(Value):
    """What we enforce on one scope, from receipts: the facts that an outcome is judged against."""

    directive: str
    system: str
    scope: str
    side: Side
    app_ids: tuple[str, ...]
    version: int  # the scope's version that carries it
    moment: datetime  # when it was accepted
    seen: bool = True  # whether a device's list can show what came of it


@dataclass(frozen=True, slots=True)
class DeviceOutcome(Value):
    """The outcome of one device under one directive, with its reason and what shows it."""

    directive: str
    device: str
    system: str
    enrolment: Enrolment
    department: str
    outcome: Outcome
    why: Text
    observed_at: datetime | None
    evidence: tuple[str, ...]  # snapshot digest, applied version, non-compliance remarks
    scope: str = ""  # the policy or group that configures the device
    held: bool = False  # the app was seen on it at some time: what tells "removed" from "never there"
