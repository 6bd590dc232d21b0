"""What NanoMDM stores: commands, queues, certificates and the enrolments' push data. No list of devices, no results."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proscribe.simulate.nanomdm.queue import Queue
from proscribe.simulate.nanomdm.webhook import Ids

_SHARED_IPAD_USER = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"


class Refused(Exception):
    """NanoMDM answers with a status of its own; the webhook may have been told nevertheless."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Command(NamedTuple):
    """A command as it was enqueued."""

    uuid: str
    request_type: str
    raw: bytes


@dataclass(slots=True)
class Enrolment:
    """What a device's check-ins left behind."""

    topic: str = ""
    tally: int = 0  # TokenUpdates since it enrolled
    bootstrap_token: bytes | None = None


@dataclass(slots=True)
class Memory:
    """The back end. Hold ``lock`` while touching it."""

    commands: dict[str, Command] = field(default_factory=dict)  # never forgotten: that refuses a UUID for ever
    queues: dict[str, Queue] = field(default_factory=dict)
    enrolments: dict[str, Enrolment] = field(default_factory=dict)
    certificate_of: dict[str, str] = field(default_factory=dict)  # fingerprint by device: the newest enrolment's
    device_of: dict[str, str] = field(default_factory=dict)  # device by fingerprint: every one there ever was
    push_topics: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def queue(self, id: str) -> Queue:  # noqa: A002 (NanoMDM's word)
        """The queue of an enrolment, known or not: filekv takes commands for ids it has never seen."""
        return self.queues.setdefault(id, Queue())

    def associate(self, device: str, fingerprint: str) -> bool:
        """Tie a certificate to an enrolment that begins. False if another enrolment has it (service/certauth)."""
        if fingerprint in self.device_of and self.certificate_of.get(device) != fingerprint:
            return False
        self.device_of[fingerprint], self.certificate_of[device] = device, fingerprint
        return True


def ids_of(message: Mapping[str, Any]) -> Ids:
    """The enrolment that a message is from: a UDID or an enrolment id, and the user's id behind a colon.

    Raises Refused (500) if the message names none.
    """
    text = {name: value for name, value in message.items() if isinstance(value, str) and value}
    if udid := text.get("UDID"):
        if not (user := text.get("UserID")):
            return Ids(udid, "Device")
        if user == _SHARED_IPAD_USER:
            return Ids(f"{udid}:{text.get('UserShortName', '')}", "Shared iPad", udid)
        return Ids(f"{udid}:{user}", "User", udid)
    if enrolment := text.get("EnrollmentID"):
        if user := text.get("EnrollmentUserID"):
            return Ids(f"{enrolment}:{user}", "User Enrollment", enrolment)
        return Ids(enrolment, "User Enrollment (Device)")
    raise Refused(500)
