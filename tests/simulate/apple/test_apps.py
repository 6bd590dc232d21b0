"""What phones of each class tell of their apps, let be managed and let be removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.connectors.nanomdm.apple_schema import commands
from tests.simulate.apple.conftest import Organisation

from proscribe.simulate.apple import App, Person, Phone, PhoneSpec
from proscribe.terms import Enrolment

Make = Callable[..., PhoneSpec]

WECHAT = App("com.tencent.xin", "WeChat", "8.0.50", store_id=414478124)
CLIP = App("com.tencent.xin.Clip", "WeChat", clip=True)
MAIL = App("org.lighthouses.mail", "Lighthouse Mail", managed=True)
DECLARED = App("org.example.forms", "Forms", declared=True)

SUPERVISED, UNSUPERVISED, OWN = Enrolment.supervised, Enrolment.unsupervised, Enrolment.user_enrolment
CLASSES = [
    (os, enrolment)
    for os in ("14.8", "15.8", "16.7", "17.6", "18.5", "26.1", "27.0")
    for enrolment in (SUPERVISED, UNSUPERVISED, OWN)
]


def listed(mdm: Organisation, phone: Phone, **keys: Any) -> dict[str, Any]:
    answer = mdm.ask(phone, "InstalledApplicationList", **keys)
    assert answer["Status"] == "Acknowledged"
    return {app["Identifier"]: app for app in answer["InstalledApplicationList"]}


def fault(answer: dict[str, Any]) -> int:
    assert answer["Status"] == "Error"
    code: int = answer["ErrorChain"][0]["ErrorCode"]
    return code


@pytest.mark.parametrize(("os", "enrolment"), CLASSES)
def test_what_each_class_lists(mdm: Organisation, spec: Make, os: str, enrolment: Enrolment) -> None:
    phone = mdm.phone(spec(os, enrolment, WECHAT, CLIP, MAIL, DECLARED))
    told = listed(mdm, phone)
    own = {WECHAT.id, CLIP.id, MAIL.id, DECLARED.id}
    if enrolment is OWN:
        assert set(told) == {MAIL.id}
    elif os in {"26.1", "27.0"}:
        assert set(told) == phone.installed()
        assert set(told) > own
    else:
        assert set(told) == own
    clips = {app for app, keys in told.items() if keys.get("IsAppClip")}
    assert clips == ({CLIP.id} if enrolment is not OWN and os not in {"14.8", "15.8"} else set())
    sources = {app for app, keys in told.items() if "Source" in keys}
    assert sources == ({DECLARED.id} if enrolment is not OWN and os not in {"14.8", "15.8", "16.7"} else set())
    assert all(("BundleSize" in keys) == (os not in {"26.1", "27.0"}) for keys in told.values())


def test_a_list_is_cut_down_as_asked(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED, WECHAT, MAIL, DECLARED))
    assert set(listed(mdm, phone, Identifiers=[WECHAT.id, "org.example.absent"])) == {WECHAT.id}
    assert set(listed(mdm, phone, ManagedAppsOnly=True)) == {MAIL.id}
    told = listed(mdm, phone, Items=["Version", "BundleSize", "Source"], Identifiers=[WECHAT.id, DECLARED.id])
    assert told[WECHAT.id].keys() == told[DECLARED.id].keys() == {"Identifier", "Version", "BundleSize"}


def test_all_items_that_may_be_asked_for_are_known(mdm: Organisation, spec: Make) -> None:
    keys = {key["key"]: key for key in commands()["InstalledApplicationList"]["payloadkeys"]}
    items = keys["Items"]["subkeys"][0]["rangelist"]
    phone = mdm.phone(spec("26.1", SUPERVISED, App("org.example.market", distributor="org.example.store")))
    assert set(listed(mdm, phone, Items=items)["org.example.market"]) == set(items)


def managed(mdm: Organisation, phone: Phone, *named: str) -> dict[str, str]:
    keys = {"Identifiers": list(named)} if named else {}
    told = mdm.ask(phone, "ManagedApplicationList", **keys)["ManagedApplicationList"]
    return {app: state["Status"] for app, state in told.items()}


@pytest.mark.parametrize("os", ["14.8", "18.5", "27.0"])
def test_conversion_is_silent_under_supervision(mdm: Organisation, spec: Make, os: str) -> None:
    phone = mdm.phone(spec(os, SUPERVISED, WECHAT))
    assert managed(mdm, phone) == {}
    answer = mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id, ChangeManagementState="Managed")
    assert (answer["Status"], answer["State"]) == ("Acknowledged", "Managed")
    assert managed(mdm, phone) == {WECHAT.id: "Managed"}
    assert mdm.ask(phone, "RemoveApplication", Identifier=WECHAT.id)["Status"] == "Acknowledged"
    assert WECHAT.id not in phone.installed()
    assert managed(mdm, phone) == {}


def test_conversion_installs_an_app_that_is_not_there(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("18.5", SUPERVISED))
    answer = mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id, ChangeManagementState="Managed")
    assert (answer["Status"], answer["State"]) == ("Acknowledged", "Installing")
    assert WECHAT.id in phone.installed()


@pytest.mark.parametrize("accepts", [True, False])
def test_without_supervision_the_person_is_asked(mdm: Organisation, spec: Make, accepts: bool) -> None:
    phone = mdm.phone(spec("17.6", UNSUPERVISED, WECHAT, person=Person(accepts=accepts, decides_after=2)))
    answer = mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id, ChangeManagementState="Managed")
    assert (answer["Status"], answer["State"]) == ("Acknowledged", "PromptingForManagement")
    assert managed(mdm, phone) == {WECHAT.id: "PromptingForManagement"}
    assert managed(mdm, phone) == {WECHAT.id: "Managed" if accepts else "ManagementRejected"}
    assert managed(mdm, phone) == ({WECHAT.id: "Managed"} if accepts else {})
    removed = mdm.ask(phone, "RemoveApplication", Identifier=WECHAT.id)
    assert removed["Status"] == ("Acknowledged" if accepts else "Error")
    assert (WECHAT.id in phone.installed()) is not accepts


@pytest.mark.parametrize("accepts", [True, False])
def test_without_supervision_the_person_is_asked_for_a_new_app(mdm: Organisation, spec: Make, accepts: bool) -> None:
    phone = mdm.phone(spec("17.6", UNSUPERVISED, person=Person(accepts=accepts)))
    assert mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id)["State"] == "Prompting"
    assert managed(mdm, phone) == {WECHAT.id: "Managed" if accepts else "UserRejected"}
    assert (WECHAT.id in phone.installed()) is accepts


def test_a_status_that_passes_waits_until_it_is_asked_for(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("17.6", UNSUPERVISED, WECHAT, person=Person(accepts=False)))
    mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id, ChangeManagementState="Managed")
    assert managed(mdm, phone, "org.example.other") == {}
    assert managed(mdm, phone, WECHAT.id) == {WECHAT.id: "ManagementRejected"}
    assert managed(mdm, phone, WECHAT.id) == {}


def test_a_person_may_be_faster_than_an_installation(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("17.6", UNSUPERVISED))
    mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id)
    phone.user_installs(WECHAT)
    assert managed(mdm, phone) == {WECHAT.id: "UserInstalledApp"}
    assert managed(mdm, phone) == {}


def test_user_enrolment_takes_over_nothing(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("18.5", OWN, WECHAT, MAIL))
    answer = mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id, ChangeManagementState="Managed")
    assert (answer["Status"], answer["RejectionReason"]) == ("Error", "ManagementChangeNotSupported")
    assert fault(mdm.ask(phone, "RemoveApplication", Identifier=WECHAT.id)) == 12029
    assert mdm.ask(phone, "RemoveApplication", Identifier=MAIL.id)["Status"] == "Acknowledged"
    assert WECHAT.id in phone.installed()
    assert phone.can_launch(WECHAT.id)


@pytest.mark.parametrize(("os", "enrolment"), CLASSES)
def test_who_removes_an_app_that_nobody_manages(mdm: Organisation, spec: Make, os: str, enrolment: Enrolment) -> None:
    phone = mdm.phone(spec(os, enrolment, WECHAT))
    answer = mdm.ask(phone, "RemoveApplication", Identifier=WECHAT.id)
    if enrolment is SUPERVISED and os in {"26.1", "27.0"}:
        assert answer["Status"] == "Acknowledged"
        assert WECHAT.id not in phone.installed()
    else:
        assert fault(answer) == 12029
        assert WECHAT.id in phone.installed()


def test_system_apps(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("26.1", SUPERVISED))
    assert mdm.ask(phone, "RemoveApplication", Identifier="com.apple.podcasts")["Status"] == "Acknowledged"
    assert fault(mdm.ask(phone, "RemoveApplication", Identifier="com.apple.mobilesafari")) == 12065
    conversion = mdm.ask(phone, "InstallApplication", Identifier="com.apple.facetime", ChangeManagementState="Managed")
    assert conversion["RejectionReason"] == "ManagementChangeNotSupported"
    assert fault(mdm.ask(phone, "RemoveApplication", Identifier="org.example.absent")) == 12029
    older = mdm.phone(spec("18.5", SUPERVISED))
    assert fault(mdm.ask(older, "RemoveApplication", Identifier="com.apple.podcasts")) == 12029


def test_an_app_that_a_declaration_owns_is_left_to_it(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("27.0", SUPERVISED, DECLARED))
    for kind in ("RemoveApplication", "InstallApplication"):
        assert fault(mdm.ask(phone, kind, Identifier=DECLARED.id)) == 12036
    assert managed(mdm, phone) == {}
    assert DECLARED.id in phone.installed()


def test_installing_what_is_there_or_cannot_be_had(mdm: Organisation, spec: Make) -> None:
    unlicensed = App("org.example.paid", store_id=77, licensed=False)
    phone = mdm.phone(spec("18.5", SUPERVISED, WECHAT, unlicensed))
    again = mdm.ask(phone, "InstallApplication", iTunesStoreID=WECHAT.store_id)
    assert (fault(again), again["RejectionReason"]) == (12025, "AppAlreadyInstalled")
    unknown = mdm.ask(phone, "InstallApplication", iTunesStoreID=1)
    assert (fault(unknown), unknown["RejectionReason"]) == (12023, "CouldNotVerifyAppID")
    phone.user_deletes(unlicensed.id)
    assert fault(mdm.ask(phone, "InstallApplication", iTunesStoreID=77)) == 12064
    mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id, ChangeManagementState="Managed")
    assert mdm.ask(phone, "InstallApplication", Identifier=WECHAT.id)["State"] == "Managed"


def test_a_managed_app_that_the_person_deleted_is_remembered(mdm: Organisation, spec: Make) -> None:
    phone = mdm.phone(spec("18.5", SUPERVISED, MAIL))
    phone.user_deletes(MAIL.id)
    phone.user_deletes("com.apple.mobilesafari")
    phone.user_deletes("org.example.absent")
    assert MAIL.id not in phone.installed()
    assert "com.apple.mobilesafari" in phone.installed()
    assert managed(mdm, phone) == {MAIL.id: "ManagedButUninstalled"}
    phone.user_installs(MAIL)
    assert managed(mdm, phone) == {MAIL.id: "Managed"}
    phone.user_deletes(MAIL.id)
    assert mdm.ask(phone, "RemoveApplication", Identifier=MAIL.id)["Status"] == "Acknowledged"
    assert managed(mdm, phone) == {}


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("RemoveApplication", {}),
        ("RemoveApplication", {"Identifier": 7}),
        ("InstallApplication", {}),
        ("InstallApplication", {"Identifier": WECHAT.id, "ChangeManagementState": "Unmanaged"}),
        ("InstalledApplicationList", {"Identifiers": "com.tencent.xin"}),
        ("ManagedApplicationList", {"Identifiers": [1]}),
        ("DeviceInformation", {}),
        ("InstallProfile", {"Payload": "text"}),
        ("RemoveProfile", {}),
    ],
)
def test_a_malformed_command(mdm: Organisation, spec: Make, kind: str, keys: dict[str, Any]) -> None:
    phone = mdm.phone(spec("18.5", SUPERVISED, WECHAT))
    answer = mdm.ask(phone, kind, **keys)
    assert answer["Status"] == "CommandFormatError"
    assert "ErrorChain" not in answer
    assert WECHAT.id in phone.installed()
