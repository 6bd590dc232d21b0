"""The vendor's own client drives the simulator; every exchange is held against the discovery document."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.auth.exceptions import InvalidOperation
from googleapiclient.errors import HttpError

from proscribe.simulate.amapi import AmapiSimulator

Official = Callable[[AmapiSimulator], Any]
Simulate = Callable[..., AmapiSimulator]
NAME = "enterprises/lighthouses/policies/harbour"
PARENT = "enterprises/lighthouses"


def refused(call: Any) -> dict[str, Any]:
    with pytest.raises(HttpError) as caught:
        call.execute(num_retries=0)
    error: dict[str, Any] = json.loads(caught.value.content)["error"]
    assert error["code"] == caught.value.resp.status
    return error


def test_devices_page_by_page(simulate: Simulate, official: Official, make_device: Callable[..., Any]) -> None:
    api = official(simulate(devices=[make_device(number) for number in range(230)]))
    devices, call, sizes = [], api.devices().list(parent=PARENT, pageSize=500), []
    while call is not None:
        page = call.execute()
        devices += page["devices"]
        sizes.append(len(page["devices"]))
        call = api.devices().list_next(call, page)
    assert sizes == [100, 100, 30], "more than 100 is coerced to 100"
    assert len({device["name"] for device in devices}) == 230


def test_ten_devices_where_nothing_is_asked(
    simulate: Simulate, official: Official, make_device: Callable[..., Any]
) -> None:
    page = (
        official(simulate(devices=[make_device(number) for number in range(12)]))
        .devices()
        .list(parent=PARENT)
        .execute()
    )
    assert len(page["devices"]) == 10
    assert page["nextPageToken"]


def test_one_device(simulate: Simulate, official: Official) -> None:
    device = official(simulate()).devices().get(name=f"{PARENT}/devices/d0001").execute()
    assert (device["managementMode"], device["ownership"]) == ("DEVICE_OWNER", "COMPANY_OWNED")
    assert [report["packageName"] for report in device["applicationReports"]] == [
        "com.tencent.mm",
        "org.lighthouses.mail",
    ]


def test_policies(simulate: Simulate, official: Official, make_policy: Callable[..., Any]) -> None:
    api = official(simulate([make_policy("harbour"), make_policy("pier")])).policies()
    page = api.list(parent=PARENT, pageSize=1).execute()
    rest = api.list(parent=PARENT, pageSize=1, pageToken=page["nextPageToken"]).execute()
    assert [item["name"].rsplit("/", 1)[1] for item in page["policies"] + rest["policies"]] == ["harbour", "pier"]
    assert api.get(name=NAME).execute()["version"] == "1"


def test_modify_merges_by_package(simulate: Simulate, official: Official) -> None:
    api = official(simulate()).policies()
    before = api.get(name=NAME).execute()
    changes = [
        {"application": {"packageName": "com.tencent.mm", "installType": "BLOCKED"}, "updateMask": "installType"},
        {
            "application": {"packageName": "org.lighthouses.mail", "installType": "AVAILABLE"},
            "updateMask": "installType",
        },
        {"application": {"packageName": "org.example.casino", "disabled": True}},
    ]
    answer = api.modifyPolicyApplications(name=NAME, body={"changes": changes}).execute()["policy"]
    assert answer["version"] == "2"
    assert answer["applications"] == [
        {**before["applications"][0], "installType": "AVAILABLE"},
        {"packageName": "org.example.casino", "disabled": True},  # without a mask the whole entry is replaced
        {"packageName": "com.tencent.mm", "installType": "BLOCKED"},
    ]


def test_a_mask_clears_what_the_body_lacks(simulate: Simulate, official: Official) -> None:
    change = {"application": {"packageName": "org.lighthouses.mail"}, "updateMask": "installType"}
    api = official(simulate()).policies()
    policy = api.modifyPolicyApplications(name=NAME, body={"changes": [change]}).execute()["policy"]
    assert policy["applications"][0] == {"packageName": "org.lighthouses.mail", "defaultPermissionPolicy": "GRANT"}


def test_remove_ignores_what_is_not_there(simulate: Simulate, official: Official) -> None:
    api = official(simulate()).policies()
    body = {"packageNames": ["org.example.casino", "org.example.absent"]}
    policy = api.removePolicyApplications(name=NAME, body=body).execute()["policy"]
    assert [entry["packageName"] for entry in policy["applications"]] == ["org.lighthouses.mail"]


@pytest.mark.parametrize(
    ("mask", "camera", "entries"),
    [
        ("personalUsagePolicies.personalApplications", True, ["a.b"]),
        ("personalUsagePolicies", None, ["a.b"]),
        ("personalUsagePolicies.cameraDisabled,playStoreMode", None, ["org.example.casino", "org.example.photos"]),
    ],
)
def test_patch_follows_its_mask(
    simulate: Simulate, official: Official, mask: str, camera: bool | None, entries: list[str]
) -> None:
    api = official(simulate()).policies()
    body = {"personalUsagePolicies": {"personalApplications": [{"packageName": "a.b", "installType": "BLOCKED"}]}}
    policy = api.patch(name=NAME, updateMask=mask, body=body).execute()
    usage = policy["personalUsagePolicies"]
    assert usage.get("cameraDisabled") is camera
    assert [entry["packageName"] for entry in usage["personalApplications"]] == entries
    assert len(policy["applications"]) == 2


def test_patch_without_a_mask_replaces_the_policy(simulate: Simulate, official: Official) -> None:
    policy = official(simulate()).policies().patch(name=NAME, body={"playStoreMode": "BLACKLIST"}).execute()
    assert policy == {"name": NAME, "playStoreMode": "BLACKLIST", "version": "2"}


def test_patch_creates_a_policy(simulate: Simulate, official: Official) -> None:
    name = f"{PARENT}/policies/new"
    policy = official(simulate()).policies().patch(name=name, body={"playStoreMode": "WHITELIST"}).execute()
    assert (policy["name"], policy["version"]) == (name, "1")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"changes": []}, "INVALID_ARGUMENT"),
        ({"changes": [{"application": {"installType": "BLOCKED"}}]}, "INVALID_ARGUMENT"),
        ({"changes": [{"application": {"packageName": "a", "installType": "BANNED"}}]}, "INVALID_ARGUMENT"),
        ({"changes": [{"application": {"packageName": "a", "novel": 1}}]}, "INVALID_ARGUMENT"),
        ({"changes": [{"application": {"packageName": "a"}, "updateMask": "novel"}]}, "INVALID_ARGUMENT"),
        ({"changes": [{"application": {"packageName": "a"}, "novel": "x"}]}, "INVALID_ARGUMENT"),
        ({"changes": [{"application": {"packageName": f"a{n}"}} for n in range(3000)]}, "INVALID_ARGUMENT"),
    ],
)
def test_what_the_service_refuses(simulate: Simulate, official: Official, body: dict[str, Any], status: str) -> None:
    simulator = simulate()
    api = official(simulator).policies()
    assert refused(api.modifyPolicyApplications(name=NAME, body=body))["status"] == status
    assert simulator.fleet.policy(NAME)["version"] == "1"
    assert simulator.journal.writes() == 0


def test_errors_in_googles_format(simulate: Simulate, official: Official) -> None:
    simulator = simulate()
    api = official(simulator)
    assert refused(api.policies().get(name=f"{PARENT}/policies/absent"))["status"] == "NOT_FOUND"
    assert refused(api.devices().get(name=f"{PARENT}/devices/absent"))["status"] == "NOT_FOUND"
    assert refused(api.devices().list(parent="enterprises/another"))["status"] == "PERMISSION_DENIED"
    assert refused(api.devices().list(parent=PARENT, pageToken="old"))["status"] == "INVALID_ARGUMENT"
    assert refused(api.policies().removePolicyApplications(name=NAME, body={"packageNames": []}))["status"]
    assert refused(api.policies().patch(name=NAME, updateMask="version", body={}))["status"] == "INVALID_ARGUMENT"
    assert refused(api.policies().patch(name=NAME, body={"novel": 1}))["status"] == "INVALID_ARGUMENT"
    simulator.faults.next("any", "throttle", retry_after="4", reason="RATE_LIMIT_EXCEEDED", status=429)
    assert refused(api.policies().get(name=NAME))["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
    simulator.faults.next("read", "fail_before", status=500)
    assert refused(api.policies().get(name=NAME))["status"] == "INTERNAL"


def test_the_vendors_client_retries_what_ours_retries(simulate: Simulate, official: Official) -> None:
    simulator = simulate()
    simulator.faults.next("policies.get", "fail_before", status=503)
    call = official(simulator).policies().get(name=NAME)
    call._sleep = lambda _seconds: None
    assert call.execute(num_retries=2)["name"] == NAME


def test_a_token_is_wanted_where_one_is_set(simulate: Simulate, official: Official) -> None:
    simulator = simulate(tokens={"good"})
    with pytest.raises(InvalidOperation):  # the client understands the 401 and tries to renew what it does not have
        official(simulator).policies().get(name=NAME).execute()
    assert [entry.status for entry in simulator.journal.requests] == [401]


def test_a_quota_is_kept(simulate: Simulate, official: Official) -> None:
    api = official(simulate(quota=(2, 100.0))).policies()
    for _ in range(2):
        api.get(name=NAME).execute()
    assert refused(api.get(name=NAME))["status"] == "RESOURCE_EXHAUSTED"


def test_what_has_no_route_is_not_found(simulate: Simulate, official: Official) -> None:
    assert refused(official(simulate()).devices().delete(name=f"{PARENT}/devices/d0001"))["status"]
