"""What NanoMDM's webhook sends: whether it is genuine, and what it says. Nothing of a body is read before that.

The shape is that of ``service/webhook/event.json`` of NanoMDM v0.9.0; what it does not define is passed over.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from proscribe.connectors.nanomdm.model import Kind

_ID = re.compile(r"[!-~]{1,128}")
"""Enrolment ids, UDIDs and command UUIDs: printable and short, whatever NanoMDM was set up to make of them."""


class BadEvent(ValueError):
    """A body that is not an event, or holds what no device sends. ``reason`` is the last part of a counter's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Topic(StrEnum):
    """What happened; NanoMDM's own words."""

    authenticate = "mdm.Authenticate"
    token_update = "mdm.TokenUpdate"  # noqa: S105 (a topic)
    check_out = "mdm.CheckOut"
    connect = "mdm.Connect"
    declarative = "mdm.DeclarativeManagement"
    user_authenticate = "mdm.UserAuthenticate"
    set_bootstrap = "mdm.SetBootstrapToken"
    get_bootstrap = "mdm.GetBootstrapToken"
    get_token = "mdm.GetToken"  # noqa: S105 (a topic)

    @property
    def of_use(self) -> bool:
        """Whether we need it. The others carry secrets (bootstrap tokens, digests of passwords) and are not stored."""
        return self in _OF_USE

    @property
    def short(self) -> str:
        """As part of a counter's name."""
        return self.value.removeprefix("mdm.")


_OF_USE = frozenset({Topic.authenticate, Topic.token_update, Topic.check_out, Topic.connect, Topic.declarative})


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``payload`` is what the device sent, a property list not looked at yet."""

    topic: Topic
    at: datetime  # when NanoMDM made it, just after it had the device's message
    device: str  # NanoMDM's enrolment id
    kind: Kind
    payload: bytes
    udid: str = ""
    status: str = ""  # of Connect: Acknowledged | Error | CommandFormatError | Idle | NotNow
    command: str = ""  # its CommandUUID


def authentic(body: bytes, header: bytes, key: bytes) -> bool:
    """Whether ``X-Hmac-Signature`` is base64(HMAC-SHA256(key, body)); compared in constant time."""
    return hmac.compare_digest(b64encode(hmac.digest(key, body, "sha256")), header)


def message_id(body: bytes) -> str:
    """What tells a replay: the digest of the body.

    Every body holds the time in nanoseconds and a random ``event_id`` of its HTTP request, so two events never share
    one; the ``event_id`` alone would not do, for it may be missing (NanoMDM makes it only where it traces requests).
    """
    return hashlib.sha256(body).hexdigest()


class _Ids(msgspec.Struct):
    id: str
    type: str


class _Part(msgspec.Struct):
    """``acknowledge_event`` and ``checkin_event``: what they have in common, and what the former adds."""

    raw_payload: bytes
    ids: _Ids | None = None
    udid: str = ""
    status: str = ""
    command_uuid: str = ""


class _Body(msgspec.Struct):
    topic: str
    created_at: datetime
    acknowledge_event: _Part | None = None
    checkin_event: _Part | None = None


_decoder = msgspec.json.Decoder(_Body)


def read_event(body: bytes) -> Event:
    """The event of a body. Raises BadEvent: ``shape`` (not JSON, or not of the event's shape)."""
    try:
        found = _decoder.decode(body)
        topic = Topic(found.topic)
        at = found.created_at.astimezone(UTC)
    except (ValueError, RecursionError, OverflowError) as error:  # msgspec's errors are ValueErrors
        raise BadEvent("shape") from error
    part = found.acknowledge_event if topic is Topic.connect else found.checkin_event
    if part is None or part.ids is None or found.created_at.tzinfo is None:
        raise BadEvent("shape")
    return Event(
        topic=topic,
        at=at,
        device=_identifier(part.ids.id),
        kind=_kind(part.ids.type),
        payload=part.raw_payload,
        udid=_identifier(part.udid) if part.udid else "",
        status=part.status,
        command=_identifier(part.command_uuid) if part.command_uuid else "",
    )


def storable(body: bytes, event: Event) -> bytes:
    """The body as it may be stored. A TokenUpdate loses its payload: it holds the keys that wake and unlock the device
    (PushMagic, Token, UnlockToken), and everything needed of it stands outside."""
    if event.topic is not Topic.token_update:
        return body
    kept: dict[str, Any] = {
        "topic": event.topic.value,
        "created_at": event.at.isoformat(),
        "checkin_event": {"raw_payload": "", "ids": {"id": event.device, "type": event.kind.value}, "udid": event.udid},
    }
    return msgspec.json.encode(kept)


def _kind(given: str) -> Kind:
    try:
        return Kind(given)
    except ValueError:
        raise BadEvent("shape") from None


def _identifier(given: str) -> str:
    if _ID.fullmatch(given) is None:
        raise BadEvent("shape")
    return given
