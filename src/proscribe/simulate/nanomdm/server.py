"""The simulated NanoMDM as a whole: a server on the loopback interface, its faults and its journal."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from proscribe.clock import Clock
from proscribe.simulate.nanomdm.api import Api, version
from proscribe.simulate.nanomdm.device_side import DeviceSide
from proscribe.simulate.nanomdm.faults import NanomdmFaults
from proscribe.simulate.nanomdm.journal import Journal, Request
from proscribe.simulate.nanomdm.kmfddm import KmfddmSimulator
from proscribe.simulate.nanomdm.loopback import Call, Loopback, Reply, authorised, not_found, stamp, unauthorised
from proscribe.simulate.nanomdm.state import Memory
from proscribe.simulate.nanomdm.webhook import Webhook


class NanomdmSimulator:
    """A running NanoMDM in this process, as ``nanomdm -storage filekv``. A context manager.

    ``ca_pem`` are the authorities of the devices' identity certificates (PEM, one or more). ``endpoint`` is the address
    of the API, ``mdm_url`` that of the devices. Events go to ``webhook_url`` (http), signed if there is a
    ``webhook_key``. Without a ``clock``, what it dates has the machine's time to the microsecond.
    """

    def __init__(
        self,
        *,
        ca_pem: bytes,
        api_key: str,
        webhook_url: str = "",
        webhook_key: str = "",
        declarations: KmfddmSimulator | None = None,
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        from cryptography import x509

        self.faults = NanomdmFaults()
        self.journal = Journal()
        self._api_key = api_key
        self._clock = clock
        self._memory = Memory()
        self._webhook = Webhook(
            webhook_url, webhook_key, journal=self.journal, faults=self.faults.deliveries, stamp=self._stamp
        )
        self._api = Api(self._memory, self.journal, self._stamp)
        self._devices = DeviceSide(
            self._memory,
            self.journal,
            self._webhook,
            authorities=x509.load_pem_x509_certificates(ca_pem),
            declarations=declarations,
            stamp=self._stamp,
        )
        self._operations: dict[str, Callable[[Call], Reply]] = {
            "enqueue": self._api.enqueue,
            "push": self._api.push,
            "pushcert": self._api.push_certificate,
            "version": lambda _call: version(),
            "mdm": self._devices.handle,
        }
        self._loopback = Loopback(self._handle, port)

    @property
    def endpoint(self) -> str:
        """Where the API listens, without a trailing slash."""
        return self._loopback.endpoint

    @property
    def mdm_url(self) -> str:
        """Where devices check in and ask for commands."""
        return f"{self.endpoint}/mdm"

    def queue(self, device: str) -> tuple[str, ...]:
        """The UUIDs of the commands that wait for a device, first in front. The real NanoMDM tells this to nobody."""
        with self._memory.lock:
            return tuple(self._memory.queue(device))

    def settle(self, timeout: float = 30.0) -> bool:
        """Wait until every webhook event is out. False if ``timeout`` (seconds) was over first."""
        return self._webhook.settle(timeout)

    def __enter__(self) -> Self:
        self._webhook.start()
        self._loopback.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loopback.stop()
        self._webhook.stop()

    def _stamp(self) -> str:
        return stamp(self._clock)

    def _handle(self, call: Call) -> Reply:
        operation = _operation(call.path)
        fault = self.faults.take(operation) if operation else None
        if fault is None:
            reply = self._answer(operation, call)
        elif fault.kind.prevents:
            reply = fault.reply()
        else:
            self._answer(operation, call)
            reply = fault.reply()
        self.journal.add(Request(self._stamp(), call.method, call.path, tuple(call.query.items()), reply.status))
        return reply

    def _answer(self, operation: str, call: Call) -> Reply:
        if operation in ("enqueue", "push", "pushcert") and not authorised(call, "nanomdm", self._api_key):
            return unauthorised("nanomdm")
        return self._operations[operation](call) if operation else not_found()


def _operation(path: str) -> str:
    if path in ("/mdm", "/version", "/v1/pushcert"):
        return path.rpartition("/")[2]
    return next((name for name in ("enqueue", "push") if path.startswith(f"/v1/{name}/")), "")
