"""Putting commands into the queues of devices: each once, whatever breaks off when.

A chunk of commands is written down as ``sending``, sent by several threads, and its results are written down. Where
that is cut short, the same wish makes the same CommandUUID again, and NanoMDM refuses a UUID that it has: that answer
proves that the first request arrived. The store is touched by the calling thread alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Event
from typing import Any

from proscribe.canonical import Digest, digest_json
from proscribe.connectors.base import ConnectorFault, NotAuthorised, Throttled, UnknownFate
from proscribe.connectors.nanomdm.commands import as_plist
from proscribe.connectors.nanomdm.means import Means
from proscribe.connectors.nanomdm.model import Command, CommandState, Purpose
from proscribe.connectors.nanomdm.wire import Enqueued
from proscribe.text import Text

CHUNK = 200
"""Commands written down, sent and written down again at a time."""

_SILENCE = 2
"""Requests of unknown fate in a row, for each request at a time, after which the server is left alone."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A command to be sent. ``content`` is its ``Command`` dictionary."""

    command: Command
    content: Mapping[str, Any]


Settle = Callable[[Sequence[Command]], None]
"""Called with commands that NanoMDM has, in the transaction that writes so down."""


def _nothing(commands: Sequence[Command]) -> None:
    """Nothing hangs on these commands."""


@dataclass(slots=True)
class Sent:
    """What became of a number of commands."""

    queued: list[Command] = field(default_factory=list)  # NanoMDM has them; some of them from an earlier request
    known: list[Command] = field(default_factory=list)  # they were there before, and were not sent again
    faults: list[tuple[Command, ConnectorFault]] = field(default_factory=list)
    left: int = 0  # not tried
    stopped: ConnectorFault | None = None  # why not
    unwoken: dict[str, str] = field(default_factory=dict)  # why a device was not told, by device
    status: int = 0
    requests: list[Digest] = field(default_factory=list)
    responses: list[Digest] = field(default_factory=list)

    @property
    def there(self) -> int:
        """Commands that NanoMDM is known to have."""
        return len(self.queued) + len(self.known)

    @property
    def request(self) -> Digest:
        """One digest over what went out."""
        return _joined(self.requests)

    @property
    def response(self) -> Digest:
        """One digest over what came back."""
        return _joined(self.responses)

    def worst(self) -> ConnectorFault | None:
        """The fault that says most of the whole: what stopped it, else what leaves it open, else a refusal."""
        found = [fault for _, fault in self.faults]
        open_ones = [fault for fault in found if isinstance(fault, UnknownFate)]
        return self.stopped or next(iter(open_ones or found), None)

    def add(self, other: Sent) -> None:
        """Count what became of others too."""
        self.queued += other.queued
        self.known += other.known
        self.faults += other.faults
        self.left += other.left
        self.stopped = self.stopped or other.stopped
        self.unwoken.update(other.unwoken)
        self.status = other.status or self.status
        self.requests += other.requests
        self.responses += other.responses


def _joined(digests: Sequence[Digest]) -> Digest:
    return digests[0] if len(digests) == 1 else digest_json(sorted(digests))


def enqueue(means: Means, outgoing: Iterable[Outgoing], *, settle: Settle = _nothing) -> Sent:
    """Send commands, each at most once. Faults are told, not raised: one device's never hides the others'."""
    sent = Sent()
    waiting = iter(outgoing)
    while chunk := list(islice(waiting, CHUNK)):
        if sent.stopped is None and means.is_frozen() and any(_changes(each) for each in chunk):
            sent.stopped = _frozen()
        if sent.stopped is not None:
            sent.left += len(chunk)
            continue
        _send_chunk(means, chunk, settle, sent)
    return sent


def _changes(each: Outgoing) -> bool:
    return each.command.purpose is not Purpose.ask


def _frozen() -> Throttled:
    return Throttled(
        Text("all sending was frozen meanwhile", "tout envoi a été gelé entre-temps"),
        remedy=Text(
            "What is already queued stays. Sending goes on after the thaw.",
            "Ce qui est déjà en file y reste. L'envoi reprendra après le dégel.",
        ),
        retry_after=None,
    )


def _send_chunk(means: Means, chunk: Sequence[Outgoing], settle: Settle, sent: Sent) -> None:
    due, fresh = _write_down(means, chunk, settle, sent)
    if not due:
        return
    answers, broken = _send_all(means, due)
    with means.records.atomic():
        _write_results(means, _Results(due, fresh, answers), settle, sent)
    if broken is not None:
        raise broken


def _write_down(
    means: Means, chunk: Sequence[Outgoing], settle: Settle, sent: Sent
) -> tuple[list[Outgoing], frozenset[str]]:
    """The write-ahead. What was found under way goes out again; what arrived before does not.

    Gives what is to be sent, and the UUIDs among it that no request named before.
    """
    due: list[Outgoing] = []
    fresh: dict[str, Command] = {}
    arrived: list[Command] = []
    with means.records.atomic():
        known = means.records.commands_of([each.command.uuid for each in chunk])
        for each in chunk:
            found = known.get(each.command.uuid)
            if found is None:
                fresh[each.command.uuid] = each.command
                due.append(each)
            elif found.state is CommandState.sending:
                due.append(replace(each, command=found))
            elif found.state is not CommandState.void:
                arrived.append(found)
        means.records.save_commands(fresh.values())
        if arrived:
            settle(arrived)
    sent.known += arrived
    return due, frozenset(fresh)


Reply = Enqueued | ConnectorFault | None
"""None: not tried."""


def _send_all(means: Means, due: Sequence[Outgoing]) -> tuple[dict[str, Reply], BaseException | None]:
    """Answers by UUID, and what went wrong in our own code. A device has one thread at a time: NanoMDM's file back end
    links the commands of a queue and takes no lock for it."""
    queues: dict[str, list[Outgoing]] = {}
    for each in due:
        queues.setdefault(each.command.device, []).append(each)
    run = _Run(means)
    if len(queues) == 1:
        run.one_device(next(iter(queues.values())))
    else:
        with ThreadPoolExecutor(max_workers=min(means.config.concurrency, len(queues))) as threads:
            list(threads.map(run.one_device, queues.values()))
    return run.answers, run.broken


class _Run:
    """One chunk on its way, shared by its threads; the dictionary's own lock is enough."""

    def __init__(self, means: Means) -> None:
        self._wire = means.wire
        self._pushes = means.config.push
        self._stop = Event()
        self._unanswered = 0
        self._patience = _SILENCE * means.config.concurrency
        self.answers: dict[str, Reply] = {}
        self.broken: BaseException | None = None

    def one_device(self, queue: Sequence[Outgoing]) -> None:
        """Send the commands of one device, in order. What one of them met, those behind it need not meet again.

        The device is woken with the last: NanoMDM on files may break the queue of one that answers while a command is
        added (``wire.enqueue``).
        """
        for each in queue:
            if self._stop.is_set():
                return
            try:
                self.answers[each.command.uuid] = answer = self._ask(each, wake=each is queue[-1])
            except BaseException as error:  # noqa: BLE001 (kept for the calling thread, once results are written)
                self.broken = error
                self._stop.set()
                return
            if isinstance(answer, ConnectorFault):
                if each is not queue[0]:
                    self._wake(each.command.device)
                return

    def _wake(self, device: str) -> None:
        """Those before it are queued. Where the device cannot be woken either, it comes by itself in time."""
        if self._pushes:
            with contextlib.suppress(ConnectorFault):
                self._wire.push([device])

    def _ask(self, each: Outgoing, *, wake: bool) -> Enqueued | ConnectorFault:
        command = each.command
        try:
            body = as_plist(command.uuid, each.content)
            answer = self._wire.enqueue(command.device, body, uuid=command.uuid, wake=wake)
        except (NotAuthorised, Throttled) as fault:
            self._stop.set()
            return fault
        except UnknownFate as fault:
            self._unanswered += 1
            if self._unanswered >= self._patience:
                self._stop.set()
            return fault
        except ConnectorFault as fault:
            return fault
        self._unanswered = 0
        return answer


@dataclass(frozen=True, slots=True)
class _Results:
    """A chunk that came back."""

    due: Sequence[Outgoing]
    fresh: frozenset[str]
    answers: Mapping[str, Reply]


def _write_results(means: Means, results: _Results, settle: Settle, sent: Sent) -> None:
    """A device may have answered before we come to write that its command was queued: read again, then write."""
    now = means.records.commands_of([each.command.uuid for each in results.due])
    queued: list[Command] = []
    dropped: list[str] = []
    for each in results.due:
        command = now.get(each.command.uuid, each.command)
        reply = results.answers.get(command.uuid)
        if isinstance(reply, Enqueued):
            queued.append(_queued(command))
            _count(sent, command, reply)
            continue
        if isinstance(reply, ConnectorFault):
            sent.faults.append((command, reply))
            if isinstance(reply, NotAuthorised | Throttled):
                sent.stopped = reply
        else:
            sent.left += 1
        # What was not tried, or was refused, is not in a queue: unless an earlier request may have brought it there.
        if not isinstance(reply, UnknownFate) and command.uuid in results.fresh:
            dropped.append(command.uuid)
    if sent.left and sent.stopped is None and not queued:
        sent.stopped = sent.worst()
    means.records.save_commands(queued)
    means.records.memory.drop("command", dropped)
    sent.queued += queued
    if queued:
        settle(queued)


def _queued(command: Command) -> Command:
    return replace(command, state=CommandState.queued) if command.state is CommandState.sending else command


def _count(sent: Sent, command: Command, reply: Enqueued) -> None:
    sent.status = reply.status
    sent.requests.append(reply.request)
    sent.responses.append(reply.response)
    if reply.push_error:
        sent.unwoken[command.device] = reply.push_error
