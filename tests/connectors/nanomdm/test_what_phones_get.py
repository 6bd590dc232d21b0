"""A ban over every class of phone, iOS 9.3 to 27: each message that reaches a phone is held against Apple's schema.

Unlike in test_apple_schema, nothing here decides what is sent: a whole installation does, and the phones listen.
"""

from __future__ import annotations

import itertools
import json
import plistlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.connectors.nanomdm import world as worlds
from tests.connectors.nanomdm.apple_schema import Phone as Class
from tests.connectors.nanomdm.apple_schema import check_command, check_declaration, version
from tests.connectors.nanomdm.department import WECHAT as BAN
from tests.connectors.nanomdm.department import Department, department
from tests.connectors.nanomdm.world import CountingEndpoint, simulated_site

from proscribe.simulate.apple import BannedApp, CertificateAuthority, FleetSpec, Phone, make_phones
from proscribe.simulate.apple.identity import Identity
from proscribe.terms import Enrolment

pytestmark = pytest.mark.slow

WECHAT = "com.tencent.xin"
SYSTEMS = ("9.3", "12.5.7", "14.8", "15.8", "17.6", "18.5", "26.1", "27.0")
CLASSES = {
    Enrolment.supervised: "supervised",
    Enrolment.unsupervised: "device",
    Enrolment.user_enrolment: "user",
}


class ListeningEndpoint(CountingEndpoint):
    """Keeps what the server said to each phone, with the phone's own message before it."""

    heard: list[tuple[dict[str, Any], bytes]]

    def put(self, body: bytes, content_type: str, identity: Identity) -> bytes:
        """Say it, and keep the answer."""
        answer = super().put(body, content_type, identity)
        with self._counting:
            self.heard.append((plistlib.loads(body), answer))
        return answer


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], bytes]]:
    """Everything that is said to phones from now on."""
    kept: list[tuple[dict[str, Any], bytes]] = []
    monkeypatch.setattr(ListeningEndpoint, "heard", kept, raising=False)
    monkeypatch.setattr(worlds, "CountingEndpoint", ListeningEndpoint)
    return kept


@pytest.fixture
def dept(heard: Any, authority: CertificateAuthority, home: Path) -> Iterator[Department]:
    with ExitStack() as stack:
        yield stack.enter_context(department(simulated_site(authority), authority, home))


def every_class() -> list[Phone]:
    """Some of each class on each system, the banned app on most of them; nobody does anything unexpected."""
    phones: list[Phone] = []
    for seed, (enrolment, system) in enumerate(itertools.product(CLASSES, SYSTEMS)):
        phones += make_phones(
            FleetSpec(
                phones=2,
                # The profile that is handed over to Charts has a key that iOS 15 brought.
                departments=("Keepers",) if version(system) < (15,) else ("Charts",),
                banned=(BannedApp(WECHAT, "WeChat", share=0.8, managed_share=0.4, store_id=414478124),),
                unsupervised_share=float(enrolment is Enrolment.unsupervised),
                user_enrolment_share=float(enrolment is Enrolment.user_enrolment),
                systems=(system,),
                behaviours=(),
                guaranteed=(),
                seed=seed,
            )
        )
    return phones


def faults(phones: list[Phone], heard: list[tuple[dict[str, Any], bytes]]) -> tuple[list[str], Counter[str]]:
    """What was wrong with what phones were told, and how often they were told what."""
    by_id = {phone.id: phone for phone in phones}
    found: list[str] = []
    told: Counter[str] = Counter()
    for message, answer in heard:
        phone = by_id[message.get("UDID") or message["EnrollmentID"]]
        place = Class(phone.os, CLASSES[phone.spec.enrolment])
        if message.get("Endpoint", "").startswith("declaration/"):
            declaration = json.loads(answer)
            told[declaration["Type"]] += 1
            found += [f"{place}: {declaration['Type']} {fault}" for fault in check_declaration(declaration, place)]
        elif "MessageType" not in message and answer:
            command = plistlib.loads(answer)["Command"]
            told[command["RequestType"]] += 1
            own = {app.id for app in phone.spec.apps if not app.managed}
            unmanaged = command.get("Identifier") in own and not converted(phone, heard)
            found += [
                f"{place}: {command['RequestType']} {fault}"
                for fault in check_command(answer, place, unmanaged=unmanaged)
            ]
    return found, told


def converted(phone: Phone, heard: list[tuple[dict[str, Any], bytes]]) -> bool:
    """Whether the phone was told to take its app under management."""
    return any(
        b"ChangeManagementState" in answer
        for message, answer in heard
        if (message.get("UDID") or message["EnrollmentID"]) == phone.id
    )


def test_every_message_fits_the_phone_that_gets_it(dept: Department, heard: list[tuple[dict[str, Any], bytes]]) -> None:
    phones = every_class()
    dept.place(phones)
    dept.hand_over("charts", "org.example.casino")
    dept.world.enrol(phones)
    dept.ask()
    dept.apply(dept.plan(BAN))
    for _ in range(12):
        dept.tick(hours=3)
    dept.lift(BAN)
    for _ in range(4):
        dept.tick(hours=3)
    found, told = faults(phones, heard)
    assert found == []
    assert set(told) == {
        "DeviceInformation", "InstalledApplicationList", "ManagedApplicationList", "ProfileList", "InstallProfile",
        "RemoveProfile", "InstallApplication", "RemoveApplication", "DeclarativeManagement",
        "com.apple.configuration.app.settings", "com.apple.activation.simple",
    }, "everything that can be sent was"  # fmt: skip
