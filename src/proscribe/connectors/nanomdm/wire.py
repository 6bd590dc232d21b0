"""The client of NanoMDM: puts commands into the queues of devices, and wakes devices.

NanoMDM answers 500 for very different things: that the command was queued but nobody could be woken, that it has the
command already, that it does not know the device, or that it failed. Each is told by what stands in the answer, in the
words of its own code and of the database behind it (v0.9.0: ``api/result.go``, ``storage/kv/queue.go``,
``storage/pgsql/schema.sql``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from proscribe.canonical import Digest
from proscribe.clock import Clock
from proscribe.connectors.base import ConnectorFault, Rejected
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.exchange import (
    Account,
    Answer,
    Exchange,
    Request,
    Turns,
    brief,
    segment,
    version_of,
)
from proscribe.text import Text

if TYPE_CHECKING:
    import httpx

PUSHES = 100
"""Devices woken with one request: their identifiers stand in its address."""

_THERE_ALREADY = (
    "command already exists",  # filekv, inmem
    "commands_pkey",  # pgsql, whatever the language of the database
    "duplicate key value violates unique constraint",
    "duplicate entry",  # mysql
)
_NOT_ENROLLED = ("enrollment_queue_id_fkey", "violates foreign key constraint", "a foreign key constraint fails")
_NOT_A_COMMAND = "decoding command:"


class UnknownEnrolment(Rejected):
    """The server does not know the device: it never finished its enrolment, or was removed from the database."""

    code: ClassVar[str] = "connector.unknown-enrolment"


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A command that the server holds. It proves that it is in the queue, not that the device will carry it out."""

    already: bool  # an earlier request had brought it
    status: int
    push_error: str  # why the device could not be woken; "" where it was, or nobody tried
    request: Digest
    response: Digest


class NanomdmWire:
    """Talks to one NanoMDM. May be used by several threads at once."""

    def __init__(self, config: NanomdmConfig, *, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        self._push = config.push
        self._turns = Turns()
        account = Account("NanoMDM", config.endpoint, "nanomdm", config.api_secret)
        self._exchange = Exchange(account, config, clock=clock, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def version(self) -> str:
        """The version of the server. It asks for no key. Raises a ConnectorFault."""
        return version_of(self._exchange)

    def enqueue(self, device_id: str, body: bytes, *, uuid: str, wake: bool = True) -> Enqueued:
        """Put one command, a property list with CommandUUID ``uuid``, into the queue of one device.

        ``wake``: and wake it, where the configuration has devices woken. With several commands for a device, wake it
        by ``push`` once all are queued: NanoMDM on files (filekv) may break the queue of a device that answers while
        a command is added, and delivers nothing more until the device enrols anew.

        Sending the same again queues nothing twice. Raises UnknownEnrolment, Rejected, NotAuthorised, Throttled, and
        UnknownFate where the server cannot be reached or does not say what became of the command.
        """
        query = () if self._push and wake else (("nopush", "1"),)
        request = Request("PUT", f"/v1/enqueue/{self._segment(device_id)}", query, body, "application/xml")
        with self._turns.of(device_id):
            answer = self._exchange.send(request)
        result = self._result(answer)
        if result.command_error:
            if not result.is_there_already(uuid):
                raise self._fault_of(result.command_error, device_id)
        elif not result.is_about(uuid) or (answer.status >= 500 and not result.push_error):
            raise self._exchange.not_understood()
        return Enqueued(
            already=bool(result.command_error),
            status=answer.status,
            push_error=result.push_error,
            request=answer.request,
            response=answer.response,
        )

    def push(self, device_ids: Sequence[str]) -> Mapping[str, str]:
        """Wake devices; why those that could not be woken were not. Raises a ConnectorFault."""
        failed: dict[str, str] = {}
        for begin in range(0, len(device_ids), PUSHES):
            some = device_ids[begin : begin + PUSHES]
            answer = self._exchange.send(Request("PUT", "/v1/push/" + ",".join(map(self._segment, some))))
            result = self._result(answer)
            if answer.status >= 500 and not result.push_error:
                raise self._exchange.fault(answer)
            failed |= {each: result.push_errors.get(each, result.all_push_error) for each in some}
        return {each: why for each, why in failed.items() if why}

    def _result(self, answer: Answer) -> _Result:
        """What the server says it did, which may stand in a 500. Raises a ConnectorFault where it says nothing."""
        if answer.status not in (200, 207) and answer.status < 500:
            raise self._exchange.fault(answer)
        result = _read(answer)
        if result is None:
            raise self._exchange.fault(answer) if answer.status >= 500 else self._exchange.not_understood()
        return result

    def _segment(self, device_id: str) -> str:
        try:
            return segment(device_id)
        except ValueError as error:
            raise self._exchange.rejected(str(error)) from error

    def _fault_of(self, error: str, device_id: str) -> ConnectorFault:
        if error.startswith(_NOT_A_COMMAND):
            return self._exchange.rejected(error)
        if _any(_NOT_ENROLLED, error):
            return UnknownEnrolment(
                Text(
                    f"NanoMDM does not know the device {device_id} ({error})",
                    f"NanoMDM ne connaît pas l'appareil {device_id} ({error})",
                ),
                remedy=Text(
                    "Nothing to do if it is being enrolled. If it was removed from NanoMDM, enrol it again.",
                    "Rien à faire si son inscription est en cours. S'il a été retiré de NanoMDM, inscrivez-le de "
                    "nouveau.",
                ),
            )
        return self._exchange.unknown(Text(f"the request failed ({error})", f"échec de la demande ({error})"))


@dataclass(frozen=True, slots=True)
class _Result:
    """What matters of NanoMDM's answer to one command, or to a push."""

    uuid: str
    command_error: str
    push_errors: Mapping[str, str]  # by device
    all_push_error: str

    @property
    def push_error(self) -> str:
        """Why a device could not be woken."""
        return self.all_push_error or "; ".join(self.push_errors.values())

    def is_there_already(self, uuid: str) -> bool:
        """Whether the error is that an earlier request had brought this command."""
        if self.command_error.startswith(_NOT_A_COMMAND):  # what follows quotes the command, and may say anything
            return False
        return _any(_THERE_ALREADY, self.command_error) and self.is_about(uuid)

    def is_about(self, uuid: str) -> bool:
        """Whether the answer names this command."""
        return self.uuid.casefold() == uuid.casefold() or uuid.casefold() in self.command_error.casefold()


def _read(answer: Answer) -> _Result | None:
    """None where the answer is not one of NanoMDM's API."""
    body = answer.json()
    if not isinstance(body, dict):
        return None
    status = body.get("status")
    each = {key: one for key, one in status.items() if isinstance(one, dict)} if isinstance(status, dict) else {}
    # One command goes to one device, and filekv files the error of a device under the command: any error is its error.
    errors = [_said(body, "command_error"), *(_said(one, "command_error") for one in each.values())]
    return _Result(
        uuid=_said(body, "command_uuid"),
        command_error="; ".join(filter(None, errors)),
        push_errors={key: said for key, one in each.items() if (said := _said(one, "push_error"))},
        all_push_error=_said(body, "push_error"),
    )


def _said(body: Mapping[str, Any], name: str) -> str:
    """What stands under a name, as text. An error without words, or of another shape, is an error all the same."""
    value = body.get(name)
    if value is None:
        return ""
    return brief(value if isinstance(value, str) and value else json.dumps(value))


def _any(words: Sequence[str], text: str) -> bool:
    folded = text.casefold()
    return any(word in folded for word in words)
