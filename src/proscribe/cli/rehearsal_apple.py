"""The rehearsal's Apple phones: real servers where they are on this machine, phones that enrol and behave."""

from __future__ import annotations

import plistlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proscribe.connectors.base import AsgiApp, Listens
from proscribe.simulate.apple import (
    BannedApp,
    CertificateAuthority,
    FleetSpec,
    MdmEndpoint,
    Phone,
    check_in,
    enrol,
    make_phones,
)
from proscribe.simulate.apple.identity import Identity
from proscribe.simulate.nanomdm.stage import Stage, apple_servers, free_port

GROUPS = {"Keepers": "keepers", "Tides": "boats", "Lamps": "lamps", "Charts": "lamps"}
"""The fictional department's groups of phones, by department: small ones first in a wave."""

OWN_BLOCK = "org.example.radio"
"""An app that the organisation blocks by a profile of its own, long before the ban."""

BANNED = (BannedApp("com.tencent.xin", "WeChat", share=0.3, store_id=414478124),)
_PATIENCE = 10.0  # seconds for events to arrive that were sent


@dataclass(slots=True)
class _Counting(MdmEndpoint):
    """Counts what was answered: each is an event that the server posts."""

    answered: int = 0
    _count: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def put(self, body: bytes, content_type: str, identity: Identity) -> bytes:
        said = MdmEndpoint.put(self, body, content_type, identity)
        with self._count:
            self.answered += 1
        return said


class ApplePhones:
    """A fleet of simulated phones, the servers they enrol into, and the receiver of what those servers tell."""

    def __init__(self, folder: Path, *, number: int, seed: int) -> None:
        self._folder = folder
        self._port = free_port()
        self._authority = CertificateAuthority.create()
        self._received = 0
        self.phones: list[Phone] = make_phones(FleetSpec(phones=number, banned=BANNED, seed=seed))

    @contextmanager
    def running(self) -> Iterator[Stage]:
        """The servers, for as long as the block runs."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_roster()
        self._write_own_profile()
        webhook = f"http://127.0.0.1:{self._port}/webhook"
        with apple_servers(self._folder / "servers", self._authority.pem, webhook) as stage:
            yield stage

    def settings(self, stage: Stage) -> str:
        """The table of ``proscribe.toml``."""
        values = {
            "connector": "nanomdm",
            "endpoint": stage.endpoint,
            "api_key": stage.api_key,
            "push": "false",
            "listen": f"127.0.0.1:{self._port}",
            "webhook_key": stage.webhook_key,
            "kmfddm_endpoint": stage.kmfddm_endpoint,
            "kmfddm_key": stage.kmfddm_key,
            "roster": str((self._folder / "phones.csv").absolute()),
            "profiles": str((self._folder / "profiles").absolute()),
            "organisation": "Department of Northern Lighthouses (fictional)",
        }
        return "\n[systems.apple]\n" + "".join(f'{name} = "{value}"\n' for name, value in values.items())

    @contextmanager
    def enrolled(self, stage: Stage, connector: Listens) -> Iterator[None]:
        """Every phone enrols; what the server tells is received for as long as the block runs."""
        with ExitStack() as stack:
            stack.enter_context(_serving(self._counted(connector.receiver()), self._port))
            self._endpoint = stack.enter_context(_Counting(stage.mdm_url, self._authority))
            enrol(self.phones, self._endpoint)
            self._settle()
            yield

    def call(self) -> None:
        """Every phone calls, as after a push, and answers what waits for it."""
        check_in(self.phones, workers=1)
        self._settle()

    def _settle(self) -> None:
        """Wait until what the phones said has been told to us: the server posts it in its own time."""
        until = time.monotonic() + _PATIENCE
        while self._received < self._endpoint.answered and time.monotonic() < until:
            time.sleep(0.01)

    def _counted(self, app: AsgiApp) -> AsgiApp:
        async def counted(scope: dict[str, Any], receive: Any, send: Any) -> None:
            async def sending(message: dict[str, Any]) -> None:
                await send(message)
                if message["type"] == "http.response.start" and message["status"] == 200:
                    self._received += 1

            await app(scope, receive, sending)

        return counted

    def _write_roster(self) -> None:
        rows = ["serial,group,department,name"]
        for phone in self.phones:
            spec = phone.spec
            rows.append(f"{spec.serial},{GROUPS[spec.department]},{spec.department},{spec.name}")
        (self._folder / "phones.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    def _write_own_profile(self) -> None:
        """The organisation's own restrictions, which a ban must leave as they are."""
        folder = self._folder / "profiles"
        folder.mkdir(exist_ok=True)
        profile = {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": "org.example.lighthouses.restrictions",
            "PayloadUUID": "5F0B7C1E-2B7D-4E1A-9C39-6D1C2A4B8E10",
            "PayloadDisplayName": "Restrictions",
            "PayloadScope": "System",
            "PayloadContent": [
                {
                    "PayloadType": "com.apple.applicationaccess",
                    "PayloadVersion": 1,
                    "PayloadIdentifier": "org.example.lighthouses.restrictions.apps",
                    "PayloadUUID": "0F1C9B52-8D55-4F0F-8A45-7C7F2E9D6A31",
                    "allowAppClips": False,
                    "blockedAppBundleIDs": [OWN_BLOCK],
                }
            ],
        }
        (folder / "keepers.mobileconfig").write_bytes(plistlib.dumps(profile))


@contextmanager
def _serving(app: AsgiApp, port: int) -> Iterator[None]:
    """An ASGI application on the loopback interface, in a thread, as ``proscribe receive`` serves it."""
    from proscribe.service.serving import Site, serve

    stop, started = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", port)) as listening:
        thread = threading.Thread(
            target=serve, args=([Site(app, listening)],), kwargs={"stop": stop, "on_start": started.set}, daemon=True
        )
        thread.start()
        try:
            if not started.wait(_PATIENCE):
                raise RuntimeError("the receiver did not start")
            yield
        finally:
            stop.set()
            thread.join()
