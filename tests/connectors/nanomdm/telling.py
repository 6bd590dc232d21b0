"""What NanoMDM tells of devices, word for word, and a memory of dictionaries that has an inbox."""

from __future__ import annotations

import base64
import copy
import hmac
import itertools
import json
import plistlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tests.connectors.nanomdm.remembered import Rows

from proscribe.connectors.memory import Memory, Message
from proscribe.connectors.nanomdm.events import message_id
from proscribe.connectors.nanomdm.model import Command, CommandState, Purpose

KEY = b"a key that NanoMDM has as well"
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PHONE = "00008110-000A1B2C3D4E5F60"
WECHAT = "com.tencent.xin"
KASPERSKY = "com.kaspersky.passwordmanager"

_numbers = itertools.count(1)


def minutes(number: float) -> datetime:
    """So long after the start."""
    return START + timedelta(minutes=number)


def signed(body: bytes) -> str:
    """As NanoMDM signs."""
    return base64.b64encode(hmac.digest(KEY, body, "sha256")).decode()


def event(topic: str, at: datetime, payload: Mapping[str, Any] | bytes, **part: Any) -> bytes:
    """One event (service/webhook/event.json). ``part``: ``id`` and ``kind`` of the enrolment, other fields as named."""
    device = part.pop("id", PHONE)
    kind = part.pop("kind", "Device")
    raw = payload if isinstance(payload, bytes) else plistlib.dumps(dict(payload))
    name = "acknowledge_event" if topic == "Connect" else "checkin_event"
    return json.dumps(
        {
            name: {
                "ids": {"id": device, "type": kind},
                "raw_payload": base64.b64encode(raw).decode(),
                "udid": device,
                **part,
            },
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z",  # Go writes nanoseconds
            "event_id": f"{next(_numbers):016x}",
            "topic": f"mdm.{topic}",
        }
    ).encode()


# Messages of devices ------------------------------------------------------------------------------------------------

AUTHENTICATE: dict[str, Any] = {
    "MessageType": "Authenticate",
    "Topic": "com.apple.mgmt.External.lighthouses",
    "UDID": PHONE,
    "SerialNumber": "F2LLIGHT0001",
    "ProductName": "iPhone14,5",
    "OSVersion": "26.1",
    "BuildVersion": "23B85",
}
TOKEN_UPDATE: dict[str, Any] = {
    "MessageType": "TokenUpdate",
    "Topic": "com.apple.mgmt.External.lighthouses",
    "UDID": PHONE,
    "PushMagic": "D1B9E5B0-7E0F-4F0B-9D75-PUSHMAGIC",
    "Token": b"a push token",
    "UnlockToken": b"what unlocks the phone",
}
CHECK_OUT: dict[str, Any] = {
    "MessageType": "CheckOut",
    "Topic": "com.apple.mgmt.External.lighthouses",
    "UDID": PHONE,
}
STATUS_REPORT: dict[str, Any] = {
    "MessageType": "DeclarativeManagement",
    "Endpoint": "status",
    "UDID": PHONE,
    "Data": b'{"StatusItems": {"management": {"declarations": {"activations": [], "assets": [], "configurations": [], '
    b'"management": []}}}, "Errors": []}',
}
INFORMATION: dict[str, Any] = {
    "UDID": PHONE,
    "SerialNumber": "F2LLIGHT0001",
    "DeviceName": "Lamp 1 of the north pier",
    "ModelName": "iPhone",
    "OSVersion": "26.2",
    "IsSupervised": True,
}


def app(identifier: str, **more: Any) -> dict[str, Any]:
    """An item of InstalledApplicationList."""
    return {
        "Identifier": identifier,
        "Name": identifier.title(),
        "Version": "8.0.49.1",
        "ShortVersion": "8.0.49",
        **more,
    }


def managed(status: str) -> dict[str, Any]:
    """An item of ManagedApplicationList."""
    return {
        "Status": status,
        "ManagementFlags": 0,
        "HasConfiguration": False,
        "HasFeedback": False,
        "IsValidated": True,
        "ExternalVersionIdentifier": 851234567,
    }


def profile(identifier: str, uuid: str, *payloads: str) -> dict[str, Any]:
    """An item of ProfileList."""
    content = [
        {"PayloadType": kind, "PayloadVersion": 1, "PayloadIdentifier": f"{identifier}.{number}", "PayloadUUID": uuid}
        for number, kind in enumerate(payloads)
    ]
    return {"PayloadIdentifier": identifier, "PayloadUUID": uuid, "PayloadVersion": 1, "PayloadContent": content}


def error(code: int = 12029, text: str = "The app is not managed.") -> list[dict[str, Any]]:
    """An ErrorChain."""
    return [
        {
            "ErrorCode": code,
            "ErrorDomain": "MCMDMErrorDomain",
            "LocalizedDescription": text,
            "USEnglishDescription": text,
        }
    ]


def answer(status: str, command: str, **more: Any) -> dict[str, Any]:
    """An answer to a command."""
    return {"UDID": PHONE, "Status": status, "CommandUUID": command, **more}


def told(at: datetime, status: str, command: str, **more: Any) -> bytes:
    """The event of an answer to a command of PHONE."""
    return event("Connect", at, answer(status, command, **more), status=status, command_uuid=command)


def authenticate(at: datetime, **more: Any) -> bytes:
    """PHONE enrols."""
    return event("Authenticate", at, {**AUTHENTICATE, **more})


def token_update(at: datetime) -> bytes:
    """PHONE is ready."""
    return event("TokenUpdate", at, TOKEN_UPDATE, token_update_tally=1)


def check_out(at: datetime) -> bytes:
    """PHONE leaves."""
    return event("CheckOut", at, CHECK_OUT)


def idle(at: datetime) -> bytes:
    """PHONE asks for commands."""
    return event("Connect", at, {"UDID": PHONE, "Status": "Idle"}, status="Idle")


def report(at: datetime) -> bytes:
    """PHONE reports on declarations."""
    return event("DeclarativeManagement", at, STATUS_REPORT)


# What we asked ------------------------------------------------------------------------------------------------------


def asked(uuid: str, request: str, at: datetime, **more: Any) -> Command:
    """A command of ours to PHONE that is in its queue."""
    fields: dict[str, Any] = {
        "device": PHONE,
        "generation": 1,
        "purpose": Purpose.ask,
        "state": CommandState.queued,
        **more,
    }
    return Command(uuid=uuid, request_type=request, asked_at=at, **fields)


# A memory -----------------------------------------------------------------------------------------------------------


class Inbox(Rows):
    """A whole memory; a transaction that fails leaves nothing behind."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, Message] = {}
        self.finished: dict[str, datetime] = {}
        self.counts: Counter[str] = Counter()
        self._inside = False

    @contextmanager
    def atomic(self) -> Iterator[None]:
        if self._inside:
            yield
            return
        before = copy.deepcopy((self.rows, self.messages, self.finished, self.counts))
        self._inside = True
        try:
            yield
        except BaseException:
            self.rows, self.messages, self.finished, self.counts = before
            raise
        finally:
            self._inside = False

    def receive(self, messages: Sequence[Message]) -> int:
        new = 0
        for message in messages:
            if message.id in self.messages or message.id in self.finished:
                self.counts["replayed"] += 1
            else:
                self.messages[message.id] = message
                new += 1
        return new

    def unread(self, limit: int) -> tuple[Message, ...]:
        return tuple(itertools.islice(self.messages.values(), limit))

    def done(self, ids: Collection[str]) -> None:
        for one in ids:
            self.finished[one] = self.messages.pop(one).received_at

    def forget_done(self, before: datetime) -> int:
        old = [key for key, at in self.finished.items() if at < before]
        for key in old:
            del self.finished[key]
        return len(old)

    def drop(self, kind: str, keys: Collection[str]) -> None:
        for key in keys:
            self.rows.get(kind, {}).pop(key, None)

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] += by

    def counters(self) -> Mapping[str, int]:
        return dict(self.counts)

    def tell(self, *bodies: bytes, at: datetime | None = None) -> None:
        """Put events into the inbox, as soon as they happened unless said otherwise."""
        self.receive([Message(message_id(body), at or _happened(body), body) for body in bodies])

    @property
    def memory(self) -> Memory:
        """As the connector has it."""
        return cast("Memory", self)


def _happened(body: bytes) -> datetime:
    try:
        return datetime.fromisoformat(json.loads(body)["created_at"])
    except (ValueError, KeyError, TypeError):
        return minutes(600)


def later(command: Command, **changes: Any) -> Command:
    """The command with other fields."""
    return replace(command, **changes)
