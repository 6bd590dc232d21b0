"""The simulator in a process of its own, so that it outlives a client that is killed."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

from proscribe.clock import SystemClock
from proscribe.simulate.amapi.fleet import FleetSpec, make_fleet
from proscribe.simulate.amapi.server import AmapiSimulator


class ShiftedClock(SystemClock):
    """The machine's time plus what has been slept: time passes, and can be moved on."""

    def __init__(self) -> None:
        self._shift = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self._shift

    def sleep(self, seconds: float) -> None:
        self._shift += timedelta(seconds=seconds)


def serve(port: int, spec: FleetSpec, ready: Connection | None = None) -> None:
    """Serve a fleet until this process ends. ``port`` 0 takes a free one; the endpoint is sent to ``ready``."""
    with AmapiSimulator(make_fleet(spec), ShiftedClock(), port=port) as simulator:
        if ready is not None:
            ready.send(simulator.endpoint)
            ready.close()
        simulator._thread.join()


@dataclass(slots=True)
class SpawnedSimulator:
    """A simulator in another process, driven over its administration path. A context manager that ends it."""

    endpoint: str
    process: BaseProcess

    def journal(self) -> dict[str, Any]:
        """Requests and mutations so far, as ``Journal.as_json`` gives them."""
        return self._call("journal")

    def devices(self) -> dict[str, Any]:
        """What is really on each device."""
        return self._call("devices")

    def advance(self, seconds: float) -> None:
        """Move the simulator's time on, and its devices with it."""
        self._call("advance", {"seconds": seconds})

    def fault(self, operation: str, kind: str, **details: Any) -> None:
        """As ``FaultScript.next``."""
        self._call("faults", {"operation": operation, "kind": kind, **details})

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _call(self, action: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.endpoint}/_sim/{action}", data=data), timeout=30) as answer:  # noqa: S310 (loopback)
            found: dict[str, Any] = json.loads(answer.read())
            return found


def spawn(spec: FleetSpec, port: int = 0) -> SpawnedSimulator:
    """Start ``serve`` in a new process and wait until it listens. Raises OSError where it does not within a minute."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(port, spec, theirs), daemon=True)
    process.start()
    theirs.close()
    if not ours.poll(60):
        process.terminate()
        raise OSError("the simulator did not start")
    return SpawnedSimulator(ours.recv(), process)
