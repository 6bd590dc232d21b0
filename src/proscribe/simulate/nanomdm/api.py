"""NanoMDM's API for administrators: enqueue, push, the push certificate (http/api, api)."""

from __future__ import annotations

import plistlib
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any
from xml.parsers.expat import ExpatError

from proscribe.simulate.nanomdm.journal import Journal, Queued
from proscribe.simulate.nanomdm.loopback import Call, Reply, in_json
from proscribe.simulate.nanomdm.state import Command, Memory

_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
_EMPTY_PATH = "getting enrollment ids: empty path"


class Api:
    """The calls behind Basic authentication. Each answer says what became of it for every enrolment id."""

    def __init__(self, memory: Memory, journal: Journal, stamp: Callable[[], str]) -> None:
        self._memory = memory
        self._journal = journal
        self._stamp = stamp

    def enqueue(self, call: Call) -> Reply:
        """``/v1/enqueue/{id,...}[?nopush=1]``: any method; a body is a command, no body asks for a push alone."""
        path = call.path.removeprefix("/v1/enqueue/")
        if not path:
            return _answer({"command_error": _EMPTY_PATH}, 500)
        ids, pushes = path.split(","), not call.query.get("nopush")
        result: dict[str, Any] = {} if pushes else {"no_push": True}
        if not call.body and not pushes:
            return _answer({"no_push": True, "command_error": "must enqueue or push"}, 500)
        if call.body:
            try:
                command = _command(call.body)
            except ValueError as error:
                return _answer({"command_error": f"decoding command: {error}"}, 500)
            self._queue(command, ids, result)
        if pushes and "command_error" not in result:
            self._push(ids, result)
        return _answer(_ordered(result), _status(result, len(ids)))

    def push(self, call: Call) -> Reply:
        """``/v1/push/{id,...}``: any method."""
        path = call.path.removeprefix("/v1/push/")
        if not path:
            return _answer({"push_error": _EMPTY_PATH}, 500)
        ids, result = path.split(","), dict[str, Any]()
        self._push(ids, result)
        return _answer(_ordered(result), _status(result, len(ids)))

    def push_certificate(self, call: Call) -> Reply:
        """``PUT /v1/pushcert``: certificate and key in PEM. Nothing is ever pushed to Apple with it."""
        try:
            topic, until = _push_certificate(call.body)
        except (ValueError, TypeError) as error:
            return in_json({"error": str(error)}, 400, indent="\t")
        with self._memory.lock:
            self._memory.push_topics.add(topic)
        return in_json({"not_after": until, "topic": topic}, indent="\t")

    def _queue(self, command: Command, ids: Sequence[str], result: dict[str, Any]) -> None:
        result.update(command_uuid=command.uuid, request_type=command.request_type)
        with self._memory.lock:
            if command.uuid in self._memory.commands:
                self._journal.repeated(command.uuid)
                result["command_error"] = f"command already exists: {command.uuid}"
                return
            self._memory.commands[command.uuid] = command
            for id_ in ids:
                self._memory.queue(id_).append(command.uuid)
        self._journal.add(*(Queued(self._stamp(), id_, *command) for id_ in ids))

    def _push(self, ids: Sequence[str], result: dict[str, Any]) -> None:
        status: dict[str, dict[str, str]] = {}
        with self._memory.lock:
            for id_ in ids:
                enrolment = self._memory.enrolments.get(id_)
                if enrolment is None or not enrolment.topic:
                    status[id_] = {"push_error": "push data missing for id"}
                elif enrolment.topic in self._memory.push_topics:
                    self._journal.push(id_)
                    status[id_] = {"push_result": str(uuid.uuid4()).upper()}
                else:
                    result["push_error"] = f'retrieving push cert for topic "{enrolment.topic}": key not found'
        if status:
            result["status"] = dict(sorted(status.items()))


def _push_certificate(pem: bytes) -> tuple[str, str]:
    """Topic and end of a certificate whose key is there too. Raises ValueError, TypeError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509.oid import NameOID

    certificate = x509.load_pem_x509_certificate(pem)
    begin = _PRIVATE_KEY.search(pem)
    if begin is None or load_pem_private_key(pem[begin.start() :], None).public_key() != certificate.public_key():
        raise ValueError("tls: private key does not match public key")
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.USER_ID)]
    if not names:
        raise ValueError("no APNs Topic found")
    if not names[0].startswith("com.apple.mgmt"):
        raise ValueError(f'invalid APNs Topic: "{names[0]}"')
    return names[0], certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def _command(body: bytes) -> Command:
    try:
        document = plistlib.loads(body)
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError) as error:
        raise ValueError(f"parse error: {error}: raw content: {body.decode(errors='replace')}") from error
    if not isinstance(document, dict):
        raise ValueError(f"parse error: not a dictionary: raw content: {body.decode(errors='replace')}")  # noqa: TRY004
    inner = document.get("Command")
    command_uuid, request_type = (
        document.get("CommandUUID"),
        inner.get("RequestType") if isinstance(inner, dict) else "",
    )
    if not (isinstance(command_uuid, str) and command_uuid and isinstance(request_type, str) and request_type):
        raise ValueError("invalid command")
    return Command(command_uuid, request_type, body)


def _status(result: dict[str, Any], ids: int) -> int:
    """500 if nothing went well, 207 if some of it, 200 if all of it."""
    if "push_error" in result or "command_error" in result:
        return 500
    errors = sum("push_error" in one for one in result.get("status", {}).values())
    if errors == 0:
        return 200
    return 207 if errors < ids else 500


def _ordered(result: dict[str, Any]) -> dict[str, Any]:
    names = ("status", "no_push", "push_error", "command_error", "command_uuid", "request_type")
    return {name: result[name] for name in names if name in result}


def _answer(result: dict[str, Any], status: int) -> Reply:
    return in_json(result, status, indent="\t")


def version() -> Reply:
    """``/version``: of the one that is simulated, and that it is simulated."""
    return Reply(200, b'{"version":"v0.9.0 (simulated)"}', {"Content-Type": "application/json"})
