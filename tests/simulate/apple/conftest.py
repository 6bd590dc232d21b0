"""Phones against a server: the simulated one always, the real one where it was built. Whatever they say is checked."""

from __future__ import annotations

import itertools
import plistlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from tests.connectors.nanomdm.servers import servers
from tests.simulate.apple.saying import answer_faults, check_in_faults

from proscribe.simulate.apple import App, CertificateAuthority, MdmEndpoint, Person, Phone, PhoneSpec
from proscribe.simulate.apple.endpoint import CHECK_IN
from proscribe.simulate.apple.identity import Identity
from proscribe.simulate.nanomdm import KmfddmSimulator, NanomdmSimulator
from proscribe.terms import Enrolment

Json = dict[str, Any]

_numbers = itertools.count(1)


@dataclass(slots=True)
class Listening(MdmEndpoint):
    """An endpoint that remembers what was said over it: content type and document."""

    said: list[tuple[str, Json]] = field(default_factory=list)

    def put(self, body: bytes, content_type: str, identity: Identity) -> bytes:
        self.said.append((content_type, plistlib.loads(body)))
        return MdmEndpoint.put(self, body, content_type, identity)

    def answers(self) -> list[Json]:
        """What was said on the command channel, but for idle phones."""
        return [message for kind, message in self.said if kind != CHECK_IN and message["Status"] != "Idle"]

    def check_ins(self) -> list[Json]:
        """What was said on the check-in channel."""
        return [message for kind, message in self.said if kind == CHECK_IN]


@dataclass
class Organisation:
    """Both ends of a server: where phones check in, and the administration's side of it."""

    phones: Listening
    client: httpx.Client
    api: str
    api_key: str
    declarations: str
    declarations_key: str
    asked: dict[str, Json] = field(default_factory=dict)  # UUID to command
    enrolled: dict[str, Phone] = field(default_factory=dict)

    def phone(self, spec: PhoneSpec) -> Phone:
        """An enrolled phone."""
        phone = Phone(spec)
        phone.enrol(self.phones)
        self.enrolled[phone.id] = phone
        return phone

    def queue(self, phone: Phone, kind: str, **keys: object) -> str:
        """Queue a command; returns its UUID."""
        uuid = f"00000000-0000-0000-0000-{next(_numbers):012d}"
        self.asked[uuid] = {"RequestType": kind, **keys}
        self.enrolled[phone.id] = phone
        body = plistlib.dumps({"CommandUUID": uuid, "Command": self.asked[uuid]})
        url = f"{self.api}/v1/enqueue/{phone.id}"
        answer = self.client.put(url, content=body, params={"nopush": 1}, auth=("nanomdm", self.api_key))
        assert answer.status_code == 200, answer.text
        return uuid

    def ask(self, phone: Phone, kind: str, **keys: object) -> Json:
        """Queue a command, let the phone check in, and return what it said to it."""
        uuid = self.queue(phone, kind, **keys)
        phone.check_in()
        return next(message for message in reversed(self.phones.answers()) if message["CommandUUID"] == uuid)

    def declare(self, phone: Phone, *declarations: Json) -> None:
        """Put declarations in force for one phone, and have it synchronise."""
        for declaration in declarations:
            self._change("PUT", "/v1/declarations", json=declaration)
            named = {"declaration": declaration["Identifier"]}
            self._change("PUT", f"/v1/set-declarations/set-{phone.id}", params=named)
        self._change("PUT", f"/v1/enrollment-sets/{phone.id}", params={"set": f"set-{phone.id}"})
        self.ask(phone, "DeclarativeManagement")

    def withdraw(self, phone: Phone, *identifiers: str) -> None:
        """Take declarations away from the phone."""
        for identifier in identifiers:
            self._change("DELETE", f"/v1/set-declarations/set-{phone.id}", params={"declaration": identifier})
        self.ask(phone, "DeclarativeManagement")

    def _change(self, method: str, path: str, *, params: dict[str, str] | None = None, json: object = None) -> None:
        known = ("kmfddm", self.declarations_key)
        params = (params or {}) | {"nonotify": "1"}
        answer = self.client.request(method, f"{self.declarations}{path}", params=params, json=json, auth=known)
        assert answer.status_code in {204, 304}, answer.text

    def status(self, phone: Phone) -> dict[str, Json]:
        """What the server says of the phone's declarations, by identifier."""
        url = f"{self.declarations}/v1/declaration-status/{phone.id}"
        told = self.client.get(url, auth=("kmfddm", self.declarations_key)).raise_for_status().json()
        return {item["identifier"]: item for item in told.get(phone.id) or ()}

    def faults(self) -> list[str]:
        """What is wrong with anything that the phones said, by Apple's schema."""
        found = []
        for kind, message in self.phones.said:
            phone = self.enrolled[message.get("UDID") or message["EnrollmentID"]]
            if kind == CHECK_IN:
                faults = check_in_faults(message, phone)
            else:
                faults = answer_faults(message, self.asked.get(message.get("CommandUUID", "")), phone)
            found += [f"{message.get('MessageType') or message.get('Status')}: {fault}" for fault in faults]
        return found


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    """Issues the identities of phones."""
    return CertificateAuthority.create()


Address = tuple[str, str, str, str]  # of the API and its key, of the declarations and theirs


@contextmanager
def _simulated(authority: CertificateAuthority) -> Iterator[Address]:
    with (
        KmfddmSimulator(api_key="k") as kmfddm,
        NanomdmSimulator(ca_pem=authority.pem, api_key="n", declarations=kmfddm) as nanomdm,
    ):
        yield nanomdm.endpoint, "n", kmfddm.endpoint, "k"


@pytest.fixture(scope="session", params=["simulated", pytest.param("real", marks=pytest.mark.servers)])
def _server(
    request: pytest.FixtureRequest, authority: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    if request.param == "simulated":
        with _simulated(authority) as address:
            yield address
        return
    with servers(tmp_path_factory.mktemp("apple"), authority.pem) as running:
        kmfddm = running.kmfddm()
        nanomdm = running.nanomdm(declarations=kmfddm.endpoint)
        yield nanomdm.endpoint, nanomdm.api_key, kmfddm.endpoint, kmfddm.api_key


@pytest.fixture
def mdm(_server: Address, authority: CertificateAuthority) -> Iterator[Organisation]:
    """A server with phones. At the end, everything that they said is held against Apple's schema."""
    api, key, declarations, declarations_key = _server
    with Listening(f"{api}/mdm", authority) as endpoint, httpx.Client() as client:
        organisation = Organisation(endpoint, client, api, key, declarations, declarations_key)
        yield organisation
        assert organisation.faults() == []


@pytest.fixture
def spec() -> Callable[..., PhoneSpec]:
    """Makes the spec of a phone that no other test has."""

    def make(
        os: str = "18.5",
        enrolment: Enrolment = Enrolment.supervised,
        *apps: App,
        product: str = "iPhone15,4",
        person: Person | None = None,
    ) -> PhoneSpec:
        number = next(_numbers)
        return PhoneSpec(
            udid=f"00008110-{number:016X}",
            serial=f"NL{number:06d}",
            name=f"Phone {number}",
            product=product,
            os=os,
            enrolment=enrolment,
            apps=apps,
            person=person or Person(),
        )

    return make
