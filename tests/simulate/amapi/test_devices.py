"""Simulated devices: each kind of behaviour, in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proscribe.clock import ManualClock
from proscribe.simulate.amapi import AmapiSimulator, App, Behaviour
from proscribe.terms import Enrolment

NAME = "enterprises/lighthouses/policies/harbour"
APP = "com.tencent.mm"


@pytest.fixture
def live(simulate: Callable[..., AmapiSimulator], make_policy: Callable[..., Any], clock: ManualClock) -> Any:
    """Bans the app on a fleet and lets time pass; returns what the service then says of the one device."""

    def run(
        device: Any, hours: float = 1.0, ban: bool = True, **settings: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        simulator = simulate([make_policy("harbour", **settings)], [device])
        if ban:
            change = {"application": {"packageName": APP, "installType": "BLOCKED"}, "updateMask": "installType"}
            simulator.fleet.modify(NAME, [change], clock.now())
        clock.advance(hours=hours)
        simulator.tick()
        (truth,) = simulator.fleet.truth().values()
        return simulator.fleet.device(device.name), truth

    return run


def states(body: dict[str, Any]) -> dict[str, str]:
    return {report["packageName"]: report["state"] for report in body.get("applicationReports", [])}


def test_a_normal_device_applies_and_reports(live: Any, make_device: Callable[..., Any]) -> None:
    body, truth = live(make_device(1))
    assert states(body)[APP] == "REMOVED"
    assert body["appliedPolicyVersion"] == "2"
    assert body["policyCompliant"] is True
    assert body["lastPolicySyncTime"] == "2026-11-02T08:40:00Z", "it syncs twice an hour, from 08:10"
    assert APP not in truth["apps"]


def test_nothing_happens_before_the_sync(live: Any, make_device: Callable[..., Any]) -> None:
    body, truth = live(make_device(1), hours=0.1)
    assert body["appliedPolicyVersion"] == "1"
    assert states(body)[APP] == "INSTALLED"
    assert APP in truth["apps"]


@pytest.mark.parametrize(
    ("behaviour", "details"), [(Behaviour.offline, {}), (Behaviour.slow, {"period": 86400.0, "next_sync": None})]
)
def test_a_device_that_does_not_sync_keeps_its_old_report(
    live: Any, make_device: Callable[..., Any], behaviour: Behaviour, details: dict[str, Any]
) -> None:
    body, _ = live(make_device(1, behaviour=behaviour, **details), hours=20)
    assert body["lastStatusReportTime"] == "2026-11-02T08:00:00Z"
    assert states(body)[APP] == "INSTALLED"


@pytest.mark.parametrize("reason", ["APP_INSTALLED", "MANAGEMENT_MODE"])
def test_a_stubborn_device_says_why(live: Any, make_device: Callable[..., Any], reason: str) -> None:
    body, _ = live(make_device(1, behaviour=Behaviour.stubborn, refusal=reason))
    assert body["appliedPolicyVersion"] == "2"
    assert body["policyCompliant"] is False
    assert body["nonComplianceDetails"] == [
        {
            "settingName": "applications",
            "fieldPath": "applications[2].installType",
            "packageName": APP,
            "nonComplianceReason": reason,
        }
    ]


def test_a_deaf_device_claims_compliance(live: Any, make_device: Callable[..., Any]) -> None:
    body, truth = live(make_device(1, behaviour=Behaviour.deaf))
    assert (body["policyCompliant"], body["appliedPolicyVersion"]) == (True, "2")
    assert states(body)[APP] == "INSTALLED"
    assert APP in truth["apps"]


def test_uninstalling_forbidden_defeats_the_removal(live: Any, make_device: Callable[..., Any]) -> None:
    body, truth = live(make_device(1), uninstallAppsDisabled=True)
    assert APP in truth["apps"]
    assert body["nonComplianceDetails"][0]["nonComplianceReason"] == "APP_INSTALLED"


def test_a_system_app_is_disabled_only(live: Any, make_device: Callable[..., Any]) -> None:
    system = App(APP, "WeChat", source="SYSTEM_APP_FACTORY_VERSION", installer="")
    body, truth = live(make_device(1, apps={APP: system}))
    assert truth["disabled"] == [APP]
    assert states(body)[APP] == "INSTALLED"


@pytest.mark.parametrize("hides", [False, True])
def test_a_disabled_app_stays_and_cannot_be_launched(
    simulate: Callable[..., AmapiSimulator], make_device: Callable[..., Any], clock: ManualClock, hides: bool
) -> None:
    device = make_device(1, hides_disabled=hides)
    simulator = simulate(devices=[device])
    change = {"application": {"packageName": APP, "disabled": True}, "updateMask": "disabled"}
    simulator.fleet.modify(NAME, [change], clock.now())
    assert device.can_launch(APP), "nothing happens before the device syncs"
    clock.advance(hours=1)
    simulator.tick()
    assert APP in device.apps
    assert not device.can_launch(APP)
    assert (APP in states(simulator.fleet.device(device.name))) is not hides
    simulator.fleet.remove(NAME, [APP], clock.now())
    clock.advance(hours=1)
    simulator.tick()
    assert device.can_launch(APP)


def test_reports_switched_off_say_nothing(live: Any, make_device: Callable[..., Any]) -> None:
    body, truth = live(make_device(1), statusReportingSettings={})
    assert "applicationReports" not in body
    assert APP not in truth["apps"]


def test_without_tombstones_a_removal_is_a_missing_line(live: Any, make_device: Callable[..., Any]) -> None:
    body, _ = live(make_device(1), statusReportingSettings={"applicationReportsEnabled": True})
    assert APP not in states(body)


@pytest.mark.parametrize("settings", [{"playStoreMode": "WHITELIST"}, {"playStoreMode": "PLAY_STORE_MODE_UNSPECIFIED"}])
def test_a_whitelist_removes_what_it_does_not_list(
    live: Any, make_device: Callable[..., Any], settings: dict[str, str]
) -> None:
    _, truth = live(make_device(1), ban=False, **settings)
    assert truth["apps"] == ["org.lighthouses.mail"]


def test_what_a_policy_imposes_is_installed(live: Any, make_device: Callable[..., Any]) -> None:
    _, truth = live(make_device(1, apps={}), ban=False)
    assert truth["apps"] == ["org.lighthouses.mail"]


@pytest.mark.parametrize(
    ("overrides", "back"),
    [
        ({"untrustedAppsPolicy": "ALLOW_INSTALL_DEVICE_WIDE"}, True),
        ({"developerSettings": "DEVELOPER_SETTINGS_ALLOWED"}, True),
        ({"untrustedAppsPolicy": "DISALLOW_INSTALL"}, False),
        ({}, False),
    ],
)
def test_a_user_reinstalls_where_there_is_a_way(
    live: Any, make_device: Callable[..., Any], overrides: dict[str, str], back: bool
) -> None:
    user = make_device(1, behaviour=Behaviour.reinstaller, reinstall_after=2400.0)  # removed 08:10, back 08:50
    body, truth = live(user, hours=0.9, advancedSecurityOverrides=overrides)
    assert (APP in truth["apps"]) is back
    assert (states(body)[APP] == "INSTALLED") is back
    if back:
        assert body["lastStatusReportTime"] == "2026-11-02T08:50:00Z"
        (report,) = [item for item in body["applicationReports"] if item["packageName"] == APP]
        assert report["applicationSource"] == "APPLICATION_SOURCE_UNSPECIFIED"
        assert "installerPackageName" not in report


def test_long_times_are_skipped_without_losing_events(live: Any, make_device: Callable[..., Any]) -> None:
    user = make_device(1, behaviour=Behaviour.reinstaller, reinstall_after=40 * 86400.0)
    overrides = {"untrustedAppsPolicy": "ALLOW_INSTALL_DEVICE_WIDE"}
    body, truth = live(user, hours=24 * 365, advancedSecurityOverrides=overrides)
    assert APP not in truth["apps"], "put back after forty days and removed again at the next sync"
    assert body["lastPolicySyncTime"] == "2027-11-02T07:40:00Z"


def test_a_personal_side_is_never_reported(live: Any, make_device: Callable[..., Any]) -> None:
    body, truth = live(make_device(1, Enrolment.byod), ban=False)
    assert APP in truth["personal"]
    assert (body["managementMode"], body["ownership"]) == ("PROFILE_OWNER", "PERSONALLY_OWNED")
