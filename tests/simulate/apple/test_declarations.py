"""Declarative management: what phones fetch, apply and report, over NanoMDM to KMFDDM."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.simulate.apple.conftest import Organisation

from proscribe.simulate.apple import App, MdmEndpoint, Person, Phone, PhoneSpec
from proscribe.simulate.apple.identity import CertificateAuthority, Identity
from proscribe.simulate.nanomdm import NanomdmSimulator
from proscribe.terms import Enrolment

Make = Callable[..., PhoneSpec]
Json = dict[str, Any]

WECHAT, OTHER = App("com.tencent.xin", "WeChat"), App("org.example.forms", "Forms")
SUPERVISED, UNSUPERVISED, OWN = Enrolment.supervised, Enrolment.unsupervised, Enrolment.user_enrolment
SETTINGS = "com.apple.configuration.app.settings"
MANAGED = "com.apple.configuration.app.managed"


@pytest.fixture
def name(spec: Make) -> str:
    """A prefix for identifiers: the server keeps declarations of all tests."""
    return f"org.lighthouses.ban.{spec().serial.lower()}"


def settings(identifier: str, type_: str = SETTINGS, **payload: object) -> Json:
    return {"Identifier": identifier, "Type": type_, "Payload": payload}


def denying(identifier: str, *apps: str) -> Json:
    return settings(identifier, Allowed={"DeniedApps": list(apps)})


def activation(*configurations: str, **more: object) -> Json:
    payload = {"StandardConfigurations": list(configurations), **more}
    return {"Identifier": f"{configurations[0]}.act", "Type": "com.apple.activation.simple", "Payload": payload}


def synchronisations(mdm: Organisation) -> list[str]:
    return [message["Endpoint"] for message in mdm.phones.check_ins() if "Endpoint" in message]


def state(item: Json) -> tuple[bool, str, bool]:
    return item["active"], item["valid"], item["current"]


def test_a_ban_by_declaration(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("27.0", SUPERVISED, WECHAT, OTHER))
    mdm.declare(phone, denying(name, WECHAT.id), activation(name))
    assert phone.blocked() == {WECHAT.id}
    assert (phone.can_launch(WECHAT.id), phone.can_launch(OTHER.id)) == (False, True)
    told = mdm.status(phone)
    assert {key: state(item) for key, item in told.items()} == {
        name: (True, "valid", True),
        f"{name}.act": (True, "valid", True),
    }
    mdm.withdraw(phone, name, f"{name}.act")
    assert phone.blocked() == frozenset()
    assert phone.can_launch(WECHAT.id)


def test_denied_apps_are_a_union_and_allowed_ones_an_intersection(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("27.0", SUPERVISED, WECHAT, OTHER))
    one, two = f"{name}.one", f"{name}.two"
    mdm.declare(phone, denying(one, WECHAT.id), denying(two, OTHER.id, "a"), activation(one), activation(two))
    assert phone.blocked() == {WECHAT.id, OTHER.id, "a"}
    mdm.withdraw(phone, two, f"{two}.act")
    assert phone.blocked() == {WECHAT.id}, "another ban's declaration is untouched"
    both = settings(f"{name}.both", Allowed={"AllowedApps": [WECHAT.id, OTHER.id]})
    mdm.declare(phone, both, activation(f"{name}.both"))
    assert not phone.can_launch(WECHAT.id), "denied and allowed is denied"
    assert phone.can_launch(OTHER.id)
    some = settings(f"{name}.some", Allowed={"AllowedApps": [WECHAT.id]})
    mdm.declare(phone, some, activation(f"{name}.some"))
    assert not phone.can_launch(OTHER.id)
    assert not phone.can_launch("com.apple.podcasts")
    assert phone.can_launch("com.apple.mobilephone")


@pytest.mark.parametrize(
    ("os", "enrolment"), [("26.1", SUPERVISED), ("15.8", SUPERVISED), ("27.0", UNSUPERVISED), ("27.0", OWN)]
)
def test_where_app_settings_do_not_apply(
    mdm: Organisation, spec: Make, name: str, os: str, enrolment: Enrolment
) -> None:
    phone = mdm.phone(spec(os, enrolment, WECHAT))
    mdm.declare(phone, denying(name, WECHAT.id), activation(name))
    assert phone.can_launch(WECHAT.id)
    told = mdm.status(phone)[name]
    assert state(told) == (True, "invalid", True)
    assert [reason["code"] for reason in told["reasons"]] == ["Error.ConfigurationNotSupported"]


def test_an_upgrade_brings_a_declaration_into_force(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT, person=Person(upgrades_at=2, upgrades_to="27.0")))
    mdm.declare(phone, denying(name, WECHAT.id), activation(name))
    assert phone.can_launch(WECHAT.id)
    phone.check_in()
    assert not phone.can_launch(WECHAT.id)
    assert state(mdm.status(phone)[name]) == (True, "valid", True), "and the phone says so of itself"


def test_only_what_changed_is_fetched_and_only_news_is_reported(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("27.0", SUPERVISED, WECHAT))
    one, two = f"{name}.one", f"{name}.two"
    mdm.declare(phone, denying(one, WECHAT.id), activation(one))
    assert synchronisations(mdm)[:2] == ["tokens", "declaration-items"]
    assert set(synchronisations(mdm)[2:-1]) == {f"declaration/configuration/{one}", f"declaration/activation/{one}.act"}
    assert synchronisations(mdm)[-1] == "status"
    before = len(synchronisations(mdm))
    mdm.ask(phone, "DeclarativeManagement")
    # KMFDDM makes its token from the declarations in no particular order: the same ones may look like others.
    assert synchronisations(mdm)[before:] in (["tokens"], ["tokens", "declaration-items"])
    before = len(synchronisations(mdm))
    mdm.declare(phone, denying(one, WECHAT.id, OTHER.id))
    after = ["tokens", "declaration-items", f"declaration/configuration/{one}", "status"]
    assert synchronisations(mdm)[before:] == after
    assert phone.blocked() == {WECHAT.id, OTHER.id}
    mdm.declare(phone, denying(two, "a"), activation(two))
    assert phone.blocked() == {WECHAT.id, OTHER.id, "a"}


def test_a_configuration_needs_an_activation(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("27.0", SUPERVISED, WECHAT))
    mdm.declare(phone, denying(name, WECHAT.id))
    assert phone.can_launch(WECHAT.id)
    told = mdm.status(phone)[name]
    assert state(told)[:2] == (False, "unknown")
    assert told["reasons"][0]["code"] == "Info.NotReferencedByActivation"
    mdm.declare(phone, activation(name, Predicate="@status(device.operating-system.family) == 'iOS'"))
    assert phone.can_launch(WECHAT.id)
    told = mdm.status(phone)[f"{name}.act"]
    assert (state(told)[:2], told["reasons"][0]["code"]) == ((False, "valid"), "Info.Predicate")


def test_an_activation_of_what_is_not_there(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("27.0", SUPERVISED, WECHAT))
    mdm.declare(phone, denying(name, WECHAT.id), activation(name, f"{name}.none"))
    told = mdm.status(phone)[f"{name}.act"]
    assert told["valid"] == "invalid"
    assert told["reasons"][0]["code"] == "Error.MissingConfigurations"
    assert told["reasons"][0]["details"]["ConfigurationIdentifiers"] == [f"{name}.none"]
    assert phone.can_launch(WECHAT.id)


@pytest.mark.parametrize(
    ("declaration", "code"),
    [
        (settings("", "com.apple.configuration.app.setting"), "Error.ConfigurationNotSupported"),
        (settings("", Allowed={"DeniedApps": "com.tencent.xin"}), "Error.ConfigurationCannotBeDeserialized"),
        (settings("", Allowed=["com.tencent.xin"]), "Error.ConfigurationCannotBeDeserialized"),
        (settings("", Allowed={}, DeniedApps=["com.tencent.xin"]), "Error.UnknownPayloadKeys"),
        (settings("", MANAGED, BundleID="a", AppStoreID="1"), "Error.ConfigurationCannotBeDeserialized"),
    ],
)
def test_a_configuration_that_a_phone_cannot_take(
    mdm: Organisation, spec: Make, name: str, declaration: Json, code: str
) -> None:
    phone = mdm.phone(spec("27.0", SUPERVISED, WECHAT))
    mdm.declare(phone, declaration | {"Identifier": name}, activation(name))
    told = mdm.status(phone)[name]
    assert (told["valid"], told["reasons"][0]["code"]) == ("invalid", code)
    assert phone.blocked() == frozenset()


def test_other_declarations_are_taken_as_they_are(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("27.0"))
    kinds = ("com.apple.asset.data", "com.apple.management.properties", "com.apple.activation.other")
    told = [settings(f"{name}.{number}", kind) for number, kind in enumerate(kinds)]
    test = settings(f"{name}.test", "com.apple.configuration.management.test", Echo="Hello")
    mdm.declare(phone, *told, test, activation(f"{name}.test"))
    states = {key.rpartition(".")[2]: item["valid"] for key, item in mdm.status(phone).items()}
    assert states == {"0": "valid", "1": "valid", "2": "invalid", "test": "valid", "act": "valid"}


@pytest.mark.parametrize("enrolment", [SUPERVISED, UNSUPERVISED, OWN])
def test_an_app_comes_and_goes_with_its_declaration(
    mdm: Organisation, spec: Make, name: str, enrolment: Enrolment
) -> None:
    phone = mdm.phone(spec("18.5", enrolment, OTHER))
    mdm.declare(phone, settings(name, MANAGED, BundleID=WECHAT.id), activation(name))
    assert WECHAT.id in phone.installed()
    answer = mdm.ask(phone, "RemoveApplication", Identifier=WECHAT.id)
    assert answer["ErrorChain"][0]["ErrorCode"] == 12036
    apps = mdm.ask(phone, "InstalledApplicationList")["InstalledApplicationList"]
    sources = {app["Identifier"]: app.get("Source") for app in apps}
    if enrolment is OWN:
        assert sources == {}
    else:
        assert sources == {WECHAT.id: "Declarative Device Management", OTHER.id: None}
    mdm.withdraw(phone, name, f"{name}.act")
    assert WECHAT.id not in phone.installed()
    assert OTHER.id in phone.installed()


def test_a_declaration_takes_over_an_app_and_lets_it_go(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("18.5", SUPERVISED, WECHAT, App("org.example.own", declared=True)))
    mdm.declare(phone, settings(name, MANAGED, BundleID=WECHAT.id), activation(name))
    assert mdm.ask(phone, "ManagedApplicationList")["ManagedApplicationList"] == {}
    mdm.withdraw(phone, name, f"{name}.act")
    assert WECHAT.id not in phone.installed()
    assert "org.example.own" in phone.installed(), "what came with the phone's story is not the server's to withdraw"
    older = mdm.phone(spec("17.1", SUPERVISED, WECHAT))
    mdm.declare(older, settings(name, MANAGED, BundleID=WECHAT.id), activation(name))
    assert mdm.status(older)[name]["valid"] == "invalid"


def test_a_wiped_phone_knows_no_declarations(mdm: Organisation, spec: Make, name: str) -> None:
    phone = mdm.phone(spec("27.0", SUPERVISED, WECHAT))
    mdm.declare(phone, denying(name, WECHAT.id), activation(name))
    phone.wipe(restore=True)
    phone.enrol()
    phone.check_in()
    assert phone.can_launch(WECHAT.id)
    mdm.ask(phone, "DeclarativeManagement")
    assert not phone.can_launch(WECHAT.id), "the server still has them for the same device"


def test_a_server_without_declarations_is_asked_again_later(spec: Make, authority: CertificateAuthority) -> None:
    class Counting(MdmEndpoint):
        def put(self, body: bytes, content_type: str, identity: Identity) -> bytes:
            asked.append(b"<string>tokens</string>" in body)
            return super().put(body, content_type, identity)

    asked: list[bool] = []
    with (
        NanomdmSimulator(ca_pem=authority.pem, api_key="n") as nanomdm,
        Counting(nanomdm.mdm_url, authority) as endpoint,
    ):
        phone = Phone(spec("27.0"))
        phone.enrol(endpoint)
        body = plistlib.dumps({"CommandUUID": "1", "Command": {"RequestType": "DeclarativeManagement"}})
        url = f"{nanomdm.endpoint}/v1/enqueue/{phone.id}?nopush=1"
        assert httpx.put(url, content=body, auth=("nanomdm", "n")).status_code == 200
        for _ in range(3):
            phone.check_in()
    assert sum(asked) == 3
    assert phone.enrolled
