"""A department in one process: phones, both simulated servers without their sockets, the real store and the connector.

Every request of the connector and every transaction of its memory passes a gate, where a test may let it break off.
"""

from __future__ import annotations

import itertools
import plistlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from proscribe.canonical import digest_json
from proscribe.clock import ManualClock
from proscribe.connectors.base import FollowUp, Order, Receipt
from proscribe.connectors.memory import Message, Surroundings, Watch
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.connector import NanomdmConnector
from proscribe.connectors.nanomdm.model import Device, Group
from proscribe.connectors.nanomdm.records import Records
from proscribe.simulate.apple import App, CertificateAuthority, MdmEndpoint, Phone, PhoneSpec
from proscribe.simulate.apple.identity import Identity
from proscribe.simulate.nanomdm.api import Api
from proscribe.simulate.nanomdm.device_side import DeviceSide
from proscribe.simulate.nanomdm.journal import Journal
from proscribe.simulate.nanomdm.kmfddm import KmfddmSimulator
from proscribe.simulate.nanomdm.loopback import Call, Reply
from proscribe.simulate.nanomdm.state import Memory as Servers
from proscribe.simulate.nanomdm.webhook import event
from proscribe.terms import Enrolment, Side

WECHAT = App("com.tencent.xin", "WeChat")
TIKTOK = App("com.zhiliaoapp.musically", "TikTok")
CASINO = "org.example.casino"
WATCH = Watch(ios=frozenset({WECHAT.id, TIKTOK.id, CASINO}))
START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
NANOMDM, KMFDDM = "http://127.0.0.1:9000", "http://127.0.0.1:9002"

_numbers = itertools.count(1)


class Killed(BaseException):
    """The process ends here."""


class Gate:
    """Counts what passes, and ends the process at the one that a test chose: nothing passes any more then."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.kill_at: int | None = None

    def __call__(self, what: str) -> None:
        if self.kill_at is not None and len(self.passed) >= self.kill_at:
            if len(self.passed) == self.kill_at:
                self.passed.append(what)
            raise Killed(self.passed[self.kill_at])
        self.passed.append(what)


class GatedMemory:
    """The store's memory; a transaction breaks off before it begins, before it is stored, or right after."""

    def __init__(self, gate: Gate) -> None:
        from proscribe.store.repositories import Memory  # once the store is set up

        self._memory = Memory(f"nanomdm-{next(_numbers)}")
        self._gate = gate
        self._deep = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        if self._deep:
            with self._memory.atomic():
                yield
            return
        self._gate("before a transaction")
        self._deep += 1
        try:
            with self._memory.atomic():
                yield
                self._gate("before a commit")
        finally:
            self._deep -= 1
        self._gate("after a commit")


class _Events:
    """Stands where the webhook stands: keeps what it would send."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.stamp: Callable[[], str] = str

    def post(self, topic: str, device: str, inner: Mapping[str, Any]) -> None:
        self.bodies.append(event(topic, inner, self.stamp()))


class _Endpoint(MdmEndpoint):
    """The devices' end, without a socket."""

    def __init__(self, authority: CertificateAuthority, handle: Callable[[Call], Reply]) -> None:
        super().__init__("http://nanomdm/mdm", authority)
        self._handle = handle

    def put(self, body: bytes, content_type: str, identity: Identity) -> bytes:
        headers = {"content-type": content_type, "mdm-signature": identity.signature(body)}
        answer = self._handle(Call("PUT", "/mdm", {}, headers, body))
        assert answer.status == 200, answer
        return answer.body


class Department:
    """Phones, servers, store and connector; ``settings`` are NanomdmConfig's."""

    def __init__(self, home: Path, authority: CertificateAuthority, **settings: Any) -> None:
        self.home = home
        self.clock = ManualClock(START)
        self.gate = Gate()
        self.journal = Journal()
        self.servers = Servers()
        self.kmfddm = KmfddmSimulator(api_key="k", clock=self.clock)
        self.events = _Events()
        self.events.stamp = lambda: self.clock.now().isoformat().replace("+00:00", "Z")
        self._api = Api(self.servers, self.journal, self.events.stamp)
        devices = DeviceSide(
            self.servers,
            self.journal,
            self.events,  # type: ignore[arg-type]
            authorities=x509.load_pem_x509_certificates(authority.pem),
            declarations=self.kmfddm,
            stamp=self.events.stamp,
        )
        self.endpoint = _Endpoint(authority, devices.handle)
        self.phones: list[Phone] = []
        self.watch = WATCH
        self.frozen: Callable[[], bool] = lambda: False
        self.answer: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
        self.requests: list[str] = []
        self.memory = GatedMemory(self.gate)
        self.records = Records(self.memory)
        self.settings: dict[str, Any] = {
            "endpoint": NANOMDM,
            "api_key": "n",
            "push": False,
            "concurrency": 1,
            "kmfddm_endpoint": KMFDDM,
            "kmfddm_key": "k",
            "profiles": home / "profiles",
            **settings,
        }
        (home / "profiles").mkdir(exist_ok=True)
        self._opened: list[NanomdmConnector] = []

    # The connector --------------------------------------------------------------------------------------------------

    def connect(self) -> NanomdmConnector:
        """The connector, as a process just started makes it."""
        around = Surroundings(self.clock, self.home, self.memory, lambda: self.watch, lambda: self.frozen())  # noqa: PLW0108 (tests put another in its place)
        made = NanomdmConnector(NanomdmConfig(**self.settings), around, transport=httpx.MockTransport(self._serve))
        self._opened.append(made)
        return made

    def close(self) -> None:
        for connector in self._opened:
            connector.close()

    def _serve(self, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {request.url.path}"
        self.gate(f"before {what}")
        scripted = self.answer(request)
        if scripted is not None:
            return scripted
        call = Call(
            request.method,
            request.url.path,
            dict(request.url.params),
            {name.lower(): value for name, value in request.headers.items()},
            request.read(),
        )
        if request.url.port != 9000:
            reply = self.kmfddm.handle(call)
        else:
            reply = self._api.push(call) if "/push/" in what else self._api.enqueue(call)
        self.requests.append(what)
        self.gate(f"after {what}")
        return httpx.Response(reply.status, content=reply.body, headers=dict(reply.headers))

    def order(self, scope: str, method: str, *apps: App, key: str = "") -> Order:
        ids = tuple(sorted(app.id for app in apps or (WECHAT,)))
        return Order(key or digest_json(next(_numbers)), "nanomdm", scope, method, Side.whole, ids)

    def block(self, scope: str = "all/profile", *apps: App, key: str = "") -> tuple[Order, str, Receipt]:
        """Order a block, and send it."""
        method = "AppSettingsDeclaration" if scope.endswith("declarations") else "RestrictionsProfile"
        order = self.order(scope, method, *apps, key=key)
        connector = self.connect()
        prepared = connector.prepare(order)
        return order, prepared.prior, connector.send(order, prepared)

    def remove(self, phone: Phone, method: str = "RemoveApplication", *apps: App, key: str = "") -> Receipt:
        """Order a removal, and send it."""
        order = self.order(f"nanomdm:{phone.id}", method, *apps, key=key)
        connector = self.connect()
        return connector.send(order, connector.prepare(order))

    def follow_up(self, *, frozen: bool = False) -> FollowUp:
        return self.connect().follow_up(frozen=frozen)

    # The phones -----------------------------------------------------------------------------------------------------

    def phone(self, os: str = "18.5", *apps: App, enrolment: Enrolment = Enrolment.supervised, **more: Any) -> Phone:
        """An enrolled phone."""
        number = next(_numbers)
        made = Phone(
            PhoneSpec(
                udid=f"00008110-{number:016X}", serial=f"NL{number:04d}", os=os, apps=apps, enrolment=enrolment, **more
            )
        )
        made.enrol(self.endpoint)
        self.phones.append(made)
        self.hear()
        return made

    def hear(self) -> None:
        """What the server told is in the inbox."""
        bodies, self.events.bodies = self.events.bodies, []
        kept, self.gate.kill_at = self.gate.kill_at, None
        self.memory.receive([Message(f"e{next(_numbers)}", self.clock.now(), body) for body in bodies])
        self.gate.kill_at = kept

    def check_in(self, *phones: Phone) -> None:
        """One round of phones, all unless named."""
        for phone in phones or self.phones:
            phone.check_in()
        self.hear()

    def queue(self, phone: Phone, command: dict[str, Any]) -> None:
        """Somebody else queues a command."""
        body = plistlib.dumps({"CommandUUID": f"OTHER-{next(_numbers)}", "Command": command})
        self._api.enqueue(Call("PUT", f"/v1/enqueue/{phone.id}", {"nopush": "1"}, {}, body))

    def settle(self, rounds: int = 12) -> None:
        """Follow up and check in until nobody has anything to say."""
        for _ in range(rounds):
            before = len(self.journal.enqueued), len(self.journal.answered)
            self.follow_up()
            self.clock.advance(minutes=1)
            self.check_in()
            self.clock.advance(minutes=1)
            if (len(self.journal.enqueued), len(self.journal.answered)) == before:
                return
        raise AssertionError("there is no end to it")

    # What is true ---------------------------------------------------------------------------------------------------

    def device(self, phone: Phone) -> Device:
        found = self.records.device(phone.id)
        assert found is not None
        return found

    def group(self, scope: str = "all/profile") -> Group:
        found = self.records.group(scope)
        assert found is not None
        return found

    def queued(self, request_type: str = "", phone: Phone | None = None) -> list[str]:
        """The request types that went into queues, in order; of one kind, to one phone if named."""
        found = self.journal.commands(phone.id if phone else "", request_type)
        return [one.request_type for one in found]


@pytest.fixture
def department(home: Path, authority: CertificateAuthority) -> Iterator[Callable[..., Department]]:
    """Makes a department; its keywords are NanomdmConfig's settings."""
    made: list[Department] = []

    def make(**settings: Any) -> Department:
        made.append(Department(home, authority, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()
