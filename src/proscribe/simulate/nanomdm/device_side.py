"""What devices speak with NanoMDM: ``PUT /mdm`` with check-ins, answers to commands, the question for the next one."""

from __future__ import annotations

import base64
import plistlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from proscribe.simulate.nanomdm.journal import Answered, Handed, Journal
from proscribe.simulate.nanomdm.loopback import Call, Reply, plain
from proscribe.simulate.nanomdm.signature import BadSignature, fingerprint, identity
from proscribe.simulate.nanomdm.state import Enrolment, Memory, Refused, ids_of
from proscribe.simulate.nanomdm.webhook import Ids, Webhook

if TYPE_CHECKING:
    from cryptography import x509

    from proscribe.simulate.nanomdm.kmfddm import KmfddmSimulator

_CHECK_IN = "application/x-apple-aspen-mdm-checkin"
_CHECK_INS = (
    "Authenticate",
    "TokenUpdate",
    "CheckOut",
    "UserAuthenticate",
    "SetBootstrapToken",
    "GetBootstrapToken",
    "DeclarativeManagement",
    "GetToken",
)
_DEVICES_ONLY = ("Authenticate", "SetBootstrapToken", "GetBootstrapToken")
_DECLINED = {"UserAuthenticate": 410, "GetToken": 500}  # users are declined by default, and no token service is set up
Message = Mapping[str, Any]


class DeviceSide:
    """The MDM endpoint. What a device is told on any failure is a bare status, never 401, which would unenrol it."""

    def __init__(
        self,
        memory: Memory,
        journal: Journal,
        webhook: Webhook,
        *,
        authorities: Sequence[x509.Certificate],
        declarations: KmfddmSimulator | None,
        stamp: Callable[[], str],
    ) -> None:
        self._memory = memory
        self._journal = journal
        self._webhook = webhook
        self._authorities = authorities
        self._declarations = declarations
        self._stamp = stamp

    def handle(self, call: Call) -> Reply:
        """Answer a device."""
        try:
            certificate = identity(call.headers.get("mdm-signature", ""), call.body, self._authorities)
        except BadSignature:
            return plain(400)
        mark = fingerprint(certificate)
        try:
            if call.headers.get("content-type", "").startswith(_CHECK_IN):
                body = self._check_in(call, mark)
            else:
                body = self._connect(call, mark)
        except Refused as refused:
            answer = plain(refused.status)
            return Reply(refused.status, answer.body + refused.body, answer.headers)
        return Reply(200, body, {"Content-Type": _sniffed(body)} if body else {})

    def _check_in(self, call: Call, mark: str) -> bytes:
        message = _document(call.body)
        kind = message.get("MessageType")
        if kind not in _CHECK_INS:
            raise Refused(400)
        ids = ids_of(message)
        self._authenticated(ids, mark, begins=kind == "Authenticate")
        inner = _event(message, ids, call)
        try:
            return self._act(kind, message, ids)
        finally:  # the webhook is told of a failure of NanoMDM's own as of anything (service/multi)
            if kind == "TokenUpdate":
                inner["token_update_tally"] = self._enrolment(ids).tally
            self._webhook.post(f"mdm.{kind}", ids.id, inner)

    def _connect(self, call: Call, mark: str) -> bytes:
        message = _document(call.body)
        status, uuid = message.get("Status"), message.get("CommandUUID", "")
        if not isinstance(status, str) or not status or not isinstance(uuid, str):
            raise Refused(400)
        ids = ids_of(message)
        self._authenticated(ids, mark)
        try:
            return self._next_command(ids, uuid, status)
        finally:
            named = {"command_uuid": uuid} if uuid else {}
            self._webhook.post("mdm.Connect", ids.id, {**named, **_event(message, ids, call), "status": status})

    def _next_command(self, ids: Ids, uuid: str, status: str) -> bytes:
        with self._memory.lock:
            queue = self._memory.queue(ids.id)
            if status != "Idle":
                if not uuid:
                    raise Refused(500)
                self._journal.add(Answered(self._stamp(), ids.id, uuid, status))
                queue.answer(uuid, status)
            command = self._memory.commands.get(queue.next(skip_not_now=status == "NotNow"))
        if command is None:
            return b""
        self._journal.add(Handed(self._stamp(), ids.id, command.uuid, command.request_type))
        return command.raw

    def _authenticated(self, ids: Ids, mark: str, *, begins: bool = False) -> None:
        """Refuse a certificate that is not the enrolment's (service/certauth). A device's users use the device's."""
        device = ids.parent or ids.id
        with self._memory.lock:
            known = self._memory.associate(device, mark) if begins else self._memory.certificate_of.get(device) == mark
        if not known:
            raise Refused(500)

    def _enrolment(self, ids: Ids) -> Enrolment:
        with self._memory.lock:
            return self._memory.enrolments.setdefault(ids.id, Enrolment())

    def _act(self, kind: str, message: Message, ids: Ids) -> bytes:
        if ids.parent and kind in _DEVICES_ONLY:
            raise Refused(500)
        match kind:
            case "Authenticate":
                self._begin(ids)
            case "TokenUpdate":
                self._token_update(message, ids)
            case "CheckOut":
                pass  # the device is disabled, which changes nothing of what NanoMDM answers
            case "SetBootstrapToken":
                self._enrolment(ids).bootstrap_token = message.get("BootstrapToken", b"")
            case "GetBootstrapToken":
                token = self._enrolment(ids).bootstrap_token
                return b"" if token is None else plistlib.dumps({"BootstrapToken": token})
            case "DeclarativeManagement":
                return self._declarative_management(message, ids)
            case _:
                raise Refused(_DECLINED[kind])
        return b""

    def _begin(self, ids: Ids) -> None:
        with self._memory.lock:
            enrolment = self._enrolment(ids)
            enrolment.tally, enrolment.bootstrap_token = 0, None
            self._memory.queue(ids.id).clear()

    def _token_update(self, message: Message, ids: Ids) -> None:
        with self._memory.lock:
            enrolment = self._enrolment(ids)
            enrolment.topic = message.get("Topic", "")
            enrolment.tally += 1

    def _declarative_management(self, message: Message, ids: Ids) -> bytes:
        if self._declarations is None:
            raise Refused(500)
        data = message.get("Data", b"")
        call = Call(
            method="PUT" if data else "GET",
            path="/" + str(message.get("Endpoint", "")),
            headers={"x-enrollment-id": ids.id, "x-enrollment-type": ids.type},
            body=data,
        )
        reply = self._declarations.handle(call)
        if reply.cut:
            raise Refused(500)
        if reply.status != 200:
            raise Refused(500, reply.body)
        return reply.body


def _sniffed(body: bytes) -> str:
    """The content type that Go gives to what NanoMDM writes without naming one."""
    if body.startswith(b"<?xml"):
        return "text/xml; charset=utf-8"
    return "application/octet-stream" if body.startswith(b"bplist") else "text/plain; charset=utf-8"


def _document(body: bytes) -> Message:
    try:
        document = plistlib.loads(body)
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError) as error:
        raise Refused(400) from error
    if not isinstance(document, dict):
        raise Refused(400)
    return document


def _event(message: Message, ids: Ids, call: Call) -> dict[str, Any]:
    """The part of an event that every topic has."""
    found = {
        "enrollment_id": message.get("EnrollmentID"),
        "ids": ids.as_json(),
        "raw_payload": base64.b64encode(call.body).decode(),
        "udid": message.get("UDID"),
        "url_params": dict(call.query),
    }
    return {name: value for name, value in found.items() if value}
