"""The webhook's receiver under load: so many signed events a second, a SIGKILL in the middle, and a count at the end.

    python benchmarks/webhook.py                     # 1,000 events/s for 60 s, killed after 30 s
    python benchmarks/webhook.py --seconds 10 --rate 500 --no-kill
    DATABASE_URL=postgresql://... python benchmarks/webhook.py

The sender is a process of its own and behaves as NanoMDM's does (Go's default client): one request an event, as many
at a time as it takes, two idle connections kept, nothing sent again. Its events are those of a fleet at work: devices
that only call, app lists, NotNow, new tokens, enrolments, declaration reports. Every event that was acknowledged must
be in the inbox, once; the events sent while no receiver was there are lost, as NanoMDM would lose them, and must fall
into a gap that the receiver noted. Exits with 1 where that is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import plistlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

KEY = b"the key of this benchmark"
DEVICES = 5_000
IDLE_KEPT = 2  # net/http, DefaultMaxIdleConnsPerHost
APPS = tuple(f"com.example.app{number}" for number in range(40))


# The sender --------------------------------------------------------------------------------------------------------


def device(number: int) -> str:
    return f"00008110-{number:016X}"


def command(number: int) -> str:
    return f"5E5CA1E0-0000-4000-8000-{number:012X}"


class Fleet:
    """Events as NanoMDM words them (service/webhook/event.json). Each is one of its own: time and event_id differ."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._kinds = (self._idle, self._apps, self._not_now, self._token, self._authenticate, self._report)
        self._weights = (45, 25, 10, 10, 5, 5)

    def event(self) -> bytes:
        number = self._chance.randrange(DEVICES)
        make = self._chance.choices(self._kinds, self._weights)[0]
        topic, name, part, payload = make(number)
        ids = {"id": device(number), "type": "Device"}
        raw = base64.b64encode(plistlib.dumps({"UDID": device(number), **payload})).decode()
        body = {
            name: {**part, "ids": ids, "raw_payload": raw, "udid": device(number)},
            "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "event_id": f"{self._chance.getrandbits(64):016x}",
            "topic": f"mdm.{topic}",
        }
        return json.dumps(body, separators=(",", ":")).encode()

    def _idle(self, _number: int) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        return "Connect", "acknowledge_event", {"status": "Idle"}, {"Status": "Idle"}

    def _apps(self, number: int) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        held = self._chance.sample(APPS, 6)
        apps = [
            {"Identifier": app, "Name": app.title(), "Version": "8.0.49", "ShortVersion": "8.0", "Installing": False}
            for app in held
        ]
        return self._answer(number, "Acknowledged", {"InstalledApplicationList": apps})

    def _not_now(self, number: int) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        return self._answer(number, "NotNow", {})

    def _answer(
        self, number: int, status: str, more: dict[str, Any]
    ) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        part = {"status": status, "command_uuid": command(number)}
        return "Connect", "acknowledge_event", part, {"Status": status, "CommandUUID": command(number), **more}

    def _token(self, _number: int) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        payload = {
            "MessageType": "TokenUpdate",
            "Topic": "com.apple.mgmt.External.example",
            "PushMagic": "5A0B1C2D-0000-4000-8000-000000000000",
            "Token": self._chance.randbytes(32),
            "UnlockToken": self._chance.randbytes(1_800),
        }
        return "TokenUpdate", "checkin_event", {"token_update_tally": 2}, payload

    def _authenticate(self, number: int) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        payload = {
            "MessageType": "Authenticate",
            "Topic": "com.apple.mgmt.External.example",
            "ProductName": "iPhone14,5",
            "OSVersion": "26.1",
            "BuildVersion": "23B85",
            "SerialNumber": f"F{number:011d}",
        }
        return "Authenticate", "checkin_event", {}, payload

    def _report(self, _number: int) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
        payload = {"MessageType": "DeclarativeManagement", "Endpoint": "status", "Data": self._chance.randbytes(2_000)}
        return "DeclarativeManagement", "checkin_event", {}, payload


class Client:
    """HTTP as Go's default client speaks it: a connection for each request under way, two kept for the next."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.dialled = 0

    async def post(self, body: bytes) -> int:
        """The status; 0 where the connection broke."""
        try:
            reader, writer = await self._connection()
        except OSError:
            return 0
        signature = base64.b64encode(hmac.digest(KEY, body, "sha256")).decode()
        head = (
            f"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUser-Agent: Go-http-client/1.1\r\n"
            f"Content-Length: {len(body)}\r\nContent-Type: application/json; charset=utf-8\r\n"
            f"X-Hmac-Signature: {signature}\r\nAccept-Encoding: gzip\r\n\r\n"
        )
        try:
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return 0
        if len(self._idle) < IDLE_KEPT and b"connection: close" not in answer.lower():
            self._idle.append((reader, writer))
        else:
            writer.close()
        return int(answer.split(b" ", 2)[1])

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        self.dialled += 1
        return await asyncio.open_connection("127.0.0.1", self._port)


async def send(port: int, rate: int, seconds: float, acknowledged: Path) -> dict[str, Any]:
    """Send at an even rate, whatever the receiver does; the ids of what was acknowledged go to a file."""
    fleet, client = Fleet(4), Client(port)
    statuses: Counter[int] = Counter()
    waits: list[float] = []
    lost: list[float] = []
    under_way: set[asyncio.Task[None]] = set()
    with acknowledged.open("w", encoding="ascii") as file:

        async def one(body: bytes) -> None:
            began = time.perf_counter()
            status = await client.post(body)
            statuses[status] += 1
            if status == 200:
                waits.append(time.perf_counter() - began)
                file.write(hashlib.sha256(body).hexdigest() + "\n")
            else:
                lost.append(time.time())

        start = time.perf_counter()
        total = int(rate * seconds)
        for number in range(total):
            ahead = start + number / rate - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            elif number % 50 == 0:
                await asyncio.sleep(0)
            task = asyncio.create_task(one(fleet.event()))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        sent_in = time.perf_counter() - start
        while under_way:
            await asyncio.wait(under_way)
    waits.sort()
    return {
        "sent": total,
        "seconds": round(sent_in, 2),
        "rate": round(total / sent_in, 1),
        "statuses": dict(statuses),
        "connections": client.dialled,
        "p50_ms": round(1000 * waits[len(waits) // 2], 2),
        "p99_ms": round(1000 * waits[int(len(waits) * 0.99)], 2),
        "max_ms": round(1000 * waits[-1], 2),
        "lost_in": sorted({int(at) for at in lost}),  # seconds since 1970
    }


# The receiver ------------------------------------------------------------------------------------------------------


class Receiver:
    """``proscribe receive`` as a process."""

    def __init__(self, home: Path, port: int) -> None:
        self._home = home
        self._port = port
        self.processor = 0.0  # seconds
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Seconds until it listens."""
        began = time.perf_counter()
        command_line = [
            str(Path(sys.executable).with_name("proscribe")),
            "receive",
            "--home",
            str(self._home),
            "--json",
        ]
        self._process = subprocess.Popen(command_line, stdout=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1.0).close()
            except OSError:
                if self._process.poll() is not None:
                    raise SystemExit("the receiver ended by itself") from None
                time.sleep(0.005)
            else:
                return time.perf_counter() - began

    def end(self, number: int) -> None:
        """End it by a signal."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        self.processor += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        self._process.send_signal(number)
        self._process.wait()


def prepare(home: Path, port: int) -> None:
    """An installation that watches some apps, knows its devices and has asked each for its list."""
    (home / "proscribe.toml").write_text(
        '[systems.apple]\nconnector = "nanomdm"\nendpoint = "http://127.0.0.1:9"\napi_key = "unused"\n'
        f'webhook_key = "{KEY.decode()}"\nlisten = "127.0.0.1:{port}"\n',
        encoding="utf-8",
    )
    from proscribe import store

    store.setup(home)
    from proscribe.connectors.nanomdm.model import Command, CommandState, Device, Kind, Purpose
    from proscribe.connectors.nanomdm.records import Records
    from proscribe.store.repositories import Memory

    records = Records(Memory("nanomdm"))
    past = datetime.now(UTC) - timedelta(hours=1)
    with records.atomic():
        records.save_devices(
            Device(device(number), Kind.device, 1, past, past, ready=True, heard_at=past) for number in range(DEVICES)
        )
        records.save_commands(
            Command(
                command(number),
                device(number),
                1,
                "InstalledApplicationList",
                Purpose.ask,
                CommandState.queued,
                asked_at=past + timedelta(minutes=30),
                named=APPS[:3],
            )
            for number in range(DEVICES)
        )
    store.close()


def count(home: Path, acknowledged: Path, report: dict[str, Any]) -> list[str]:
    """What is wrong with the inbox: nothing, one hopes. Adds to the report."""
    from proscribe import store

    store.setup(home)
    from proscribe.connectors.nanomdm.records import Records
    from proscribe.store.models import InboxRow
    from proscribe.store.repositories import Memory

    ids = acknowledged.read_text(encoding="ascii").split()
    stored = Counter(InboxRow.objects.values_list("message", flat=True))
    records = Records(Memory("nanomdm"))
    waiting = InboxRow.objects.filter(done=False).count()
    gaps = records.gaps()
    report |= {
        "acknowledged": len(ids),
        "in_inbox": len(stored),
        "still_waiting": waiting,
        "gaps": [[one.began.isoformat(), one.ended.isoformat()] for one in gaps],
        "counters": dict(records.memory.counters()),
    }
    wrong = []
    missing = sum(one not in stored for one in ids)
    if missing:
        wrong.append(f"{missing} acknowledged events are not in the inbox")
    if len(set(ids)) != len(ids) or any(by > 1 for by in stored.values()):
        wrong.append("an event is there twice")
    outside = [at for at in report["lost_in"] if not any(_covers(one.began, one.ended, at) for one in gaps)]
    if outside:
        wrong.append(f"events were lost outside of every gap: {outside}")
    return wrong


def _covers(began: datetime, ended: datetime, at: int) -> bool:
    # The receiver's clock has whole seconds, and a sender that waits learns a little later that it waited in vain.
    return int(began.timestamp()) <= at <= int(ended.timestamp()) + 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=1_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--no-kill", action="store_true", help="leave the receiver alone")
    parser.add_argument("--sender", nargs=2, metavar=("PORT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sender:
        port, file = options.sender
        print(json.dumps(asyncio.run(send(int(port), options.rate, options.seconds, Path(file)))))
        return 0
    folder = Path(tempfile.mkdtemp(prefix="webhook-"))
    try:
        return run(folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path, options: argparse.Namespace) -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home, acknowledged = folder / "home", folder / "acknowledged"
    home.mkdir()
    prepare(home, port)
    receiver = Receiver(home, port)
    started = [receiver.start()]
    arguments = ["--rate", str(options.rate), "--seconds", str(options.seconds)]
    sender = subprocess.Popen(
        [sys.executable, __file__, *arguments, "--sender", str(port), str(acknowledged)], stdout=subprocess.PIPE
    )
    if not options.no_kill:
        time.sleep(options.seconds / 2)
        receiver.end(signal.SIGKILL)
        started.append(receiver.start())
    out, _ = sender.communicate()
    report: dict[str, Any] = json.loads(out)
    receiver.end(signal.SIGTERM)
    report |= {
        "start_seconds": [round(one, 2) for one in started],
        "receiver_cpu_seconds": round(receiver.processor, 1),
    }
    wrong = count(home, acknowledged, report)
    print(json.dumps(report, indent=2))
    for line in wrong:
        print("WRONG:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
