"""NanoMDM's webhook: one POST an event, one attempt, nothing kept, nobody waits (service/webhook, service/multi)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from proscribe.simulate.nanomdm.faults import DeliveryKind, DeliveryScript
from proscribe.simulate.nanomdm.journal import Delivery, Journal

TIMEOUT = 30.0  # seconds; NanoMDM itself waits for ever, in a goroutine that nobody misses


@dataclass(frozen=True, slots=True)
class Ids:
    """An enrolment in NanoMDM's words. ``parent``: of a user on a device, the device's."""

    id: str
    type: str
    parent: str = ""

    def as_json(self) -> dict[str, str]:
        """As in an event; what is empty is left out."""
        return {"id": self.id, **({"parent_id": self.parent} if self.parent else {}), "type": self.type}


def event(topic: str, inner: Mapping[str, Any], created_at: str) -> bytes:
    """An event's body. ``inner`` is the acknowledge event of ``mdm.Connect``, else the check-in event."""
    name = "acknowledge_event" if topic == "mdm.Connect" else "checkin_event"
    body = {name: inner, "created_at": created_at, "event_id": secrets.token_hex(8), "topic": topic}
    return json.dumps(body, separators=(",", ":")).encode()


def signature(key: str, body: bytes) -> str:
    """``X-Hmac-Signature``: base64 of HMAC-SHA256."""
    return base64.b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()


@dataclass(frozen=True, slots=True, order=True)
class _Parcel:
    due: float  # time.monotonic
    number: int
    topic: str
    device: str
    body: bytes


class Webhook:
    """Sends events in a thread of its own, in order as long as no fault is scripted. No URL: nothing is sent."""

    def __init__(
        self, url: str, key: str, *, journal: Journal, faults: DeliveryScript, stamp: Callable[[], str]
    ) -> None:
        self._url = urlsplit(url)
        self._key = key
        self._journal = journal
        self._faults = faults
        self._stamp = stamp
        self._numbers = itertools.count()
        self._parcels: queue.PriorityQueue[_Parcel] = queue.PriorityQueue()
        self._overtaken: list[_Parcel] = []
        self._under_way = 0
        self._change = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Send from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what waits is lost, as when NanoMDM ends."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        self._thread.join()

    def post(self, topic: str, device: str, inner: Mapping[str, Any]) -> None:
        """Let an event go out, now or as its fault wants it."""
        if not self._url.netloc:
            return
        body = event(topic, inner, self._stamp())
        fault = self._faults.take(topic)
        kind = fault.kind if fault else None
        if kind is DeliveryKind.lose:
            self._journal.add(Delivery(self._stamp(), topic, device, "lost"))
            return
        wait = fault.seconds if fault and kind is DeliveryKind.delay else 0.0
        parcel = _Parcel(time.monotonic() + wait, next(self._numbers), topic, device, body)
        with self._change:
            if kind is DeliveryKind.overtake:
                self._overtaken.append(parcel)
            else:
                for _ in range(2 if kind is DeliveryKind.duplicate else 1):
                    self._put(parcel)
                while self._overtaken:
                    late = self._overtaken.pop(0)
                    self._put(_Parcel(parcel.due, next(self._numbers), late.topic, late.device, late.body))
            self._change.notify_all()

    def settle(self, timeout: float = 30.0) -> bool:
        """Wait until everything has gone out that can. False if ``timeout`` (seconds) was over first."""
        with self._change:
            return self._change.wait_for(lambda: self._under_way == 0, timeout)

    def _put(self, parcel: _Parcel) -> None:
        self._under_way += 1
        self._parcels.put(parcel)

    def _run(self) -> None:
        while (parcel := self._next()) is not None:
            outcome = self._send(parcel.body)
            self._journal.add(Delivery(self._stamp(), parcel.topic, parcel.device, outcome))
            with self._change:
                self._under_way -= 1
                self._change.notify_all()

    def _next(self) -> _Parcel | None:
        with self._change:
            while not self._stopping:
                if not self._parcels.empty():
                    parcel = self._parcels.get()
                    wait = parcel.due - time.monotonic()
                    if wait <= 0:
                        return parcel
                    self._parcels.put(parcel)
                    self._change.wait(wait)
                else:
                    self._change.wait()
        return None

    def _send(self, body: bytes) -> str:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self._key:
            headers["X-Hmac-Signature"] = signature(self._key, body)
        path = self._url.path + (f"?{self._url.query}" if self._url.query else "")
        connection = http.client.HTTPConnection(self._url.netloc, timeout=TIMEOUT)
        try:
            connection.request("POST", path or "/", body, headers)
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException):
            return "unreachable"
        finally:
            connection.close()
