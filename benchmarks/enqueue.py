"""Put a removal into the queue of each of 20,000 devices of a real NanoMDM, then do it again, twice.

    python benchmarks/enqueue.py                      # nanomdm of make servers, or on the path; storage filekv
    python benchmarks/enqueue.py --devices 2000 --concurrency 4

First the commands are sent as the connector sends them: written down, sent, written down again, in chunks. Then they
are sent again, as after an order that came twice: nothing leaves this machine's store. Then once more as after a crash
that lost every answer: each goes out again, and NanoMDM refuses each. What is in its queues is read from its own files
before and after. Exits with 1 where a rerun queued anything.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APP = "com.tencent.xin"
KEY = "sha256:" + "5e" * 32


def program() -> Path:
    built = Path(os.environ.get("PROSCRIBE_TEST_SERVERS", "") or ROOT / ".servers") / "bin" / "nanomdm"
    found = str(built) if built.is_file() else shutil.which("nanomdm")
    if not found:
        sys.exit("nanomdm is missing: make servers builds it (needs Go)")
    return Path(found)


def authority() -> bytes:
    """Any certificate will do: no device speaks here."""
    from proscribe.simulate.apple import CertificateAuthority

    return CertificateAuthority.create().pem


@contextmanager
def nanomdm(home: Path, key: str) -> Iterator[str]:
    """A NanoMDM with its files in ``home``; its address."""
    import httpx

    (home / "ca.pem").write_bytes(authority())
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        f"-listen=127.0.0.1:{port}",
        "-storage=filekv",
        f"-storage-dsn={home / 'files'}",
        f"-ca={home / 'ca.pem'}",
    ]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(program()), *options], env={**os.environ, "NANOMDM_API": key}, stdout=log, stderr=log
        )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(400):
            try:
                print("server:", httpx.get(f"{address}/version").json()["version"])
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


def entries(home: Path) -> tuple[int, int]:
    """Commands and queue entries in NanoMDM's files: each file is a key of its store."""
    names = [path.name for path in (home / "files").rglob("*") if path.is_file()]
    return sum(name.endswith("raw") for name in names), len(names)


def timed(what: str, number: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    print(f"{what}: {took:.1f} s, {number / took:,.0f} commands/s")
    return took


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--devices", type=int, default=20_000)
    options.add_argument("--concurrency", type=int, default=8)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="enqueue-") as folder:
        return run(Path(folder), chosen.devices, chosen.concurrency)


def run(home: Path, number: int, concurrency: int) -> int:
    import proscribe.store
    from proscribe.clock import SystemClock
    from proscribe.connectors.memory import Surroundings
    from proscribe.connectors.nanomdm.config import NanomdmConfig
    from proscribe.connectors.nanomdm.history import Case
    from proscribe.connectors.nanomdm.means import Means
    from proscribe.connectors.nanomdm.model import CommandState, Device, Kind
    from proscribe.connectors.nanomdm.outbox import Outgoing, Sent, enqueue
    from proscribe.connectors.nanomdm.records import Records
    from proscribe.connectors.nanomdm.removals import begun, first_step, record_begun

    proscribe.store.setup(home / "store")
    from proscribe.store.repositories import Memory

    now = datetime.now(UTC)
    records = Records(Memory("nanomdm"))
    devices = [
        Device(f"00008110-{each:016X}", Kind.device, generation=1, enrolled_at=now, last_seen=now, ready=True)
        for each in range(number)
    ]
    records.save_devices(devices)
    wanted = {}
    steps: list[Outgoing] = []
    for device in devices:
        removal = begun(device, APP, KEY, "RemoveApplication", now)
        step = first_step(Case(device, ()), removal, now)
        steps.append(step)
        wanted[step.command.uuid] = removal
    key = secrets.token_hex(16)
    with nanomdm(home, key) as address:
        config = NanomdmConfig(endpoint=address, api_key=key, push=False, concurrency=concurrency)
        means = Means(config, records, Surroundings(SystemClock(), home, records.memory))
        done: list[Sent] = []

        def send() -> None:
            done.append(enqueue(means, steps, settle=lambda arrived: record_begun(records, arrived, wanted)))

        timed(f"{number:,} removals queued", number, send)
        first = entries(home)
        print(f"commands in NanoMDM's files: {first[0]:,}; files: {first[1]:,}")
        timed("the same again", number, send)
        second = entries(home)
        lost = [replace(one, state=CommandState.sending) for one in records.commands()]
        records.save_commands(lost)
        timed("once more, every answer lost", number, send)
        third = entries(home)
        means.close()
    for sent in done:
        print(f"queued {len(sent.queued):,}, known {len(sent.known):,}, faults {len(sent.faults)}, left {sent.left}")
    good = (
        first[0] == number
        and first == second == third
        and len(done[0].queued) == len(done[1].known) == len(done[2].queued) == number
        and sum(bool(one.removals) for one in records.devices()) == number
    )
    print("a rerun queued nothing" if good else "NOT as it should be")
    proscribe.store.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
