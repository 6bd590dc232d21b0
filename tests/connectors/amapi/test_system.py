"""The pure half: what a policy already enforces, and the preflight traps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proscribe.connectors.amapi.act import scope_of
from proscribe.connectors.amapi.system import DISABLE, MODIFY, PATCH_PERSONAL, AmapiSystem
from proscribe.errors import InvalidDocument
from proscribe.inventory.model import Scope
from proscribe.terms import Side

SYSTEM = AmapiSystem()
APP = "com.tencent.mm"
CLEAN = {"advancedSecurityOverrides": {"untrustedAppsPolicy": "DISALLOW_INSTALL"}}


@pytest.fixture
def scope(make_policy: Callable[..., dict[str, Any]]) -> Callable[..., Scope]:
    def make(**settings: Any) -> Scope:
        return scope_of({**make_policy("harbour", **settings), "version": "4"}, devices=3)

    return make


def objections(scope: Scope, method: str = MODIFY, side: Side = Side.whole, *apps: str) -> list[tuple[bool, str]]:
    found = SYSTEM.objections(scope, method, side, apps or (APP,))
    assert all(item.what.fr and item.remedy.fr for item in found)
    return [(item.blocks, item.what.en) for item in found]


def entry(kind: str, package: str = APP) -> list[dict[str, str]]:
    return [{"packageName": package, "installType": kind}]


def test_a_scope_carries_only_what_a_plan_needs(scope: Callable[..., Scope]) -> None:
    made = scope(wifiConfigsLockdownEnabled=True)
    assert (made.system, made.version, made.devices) == ("amapi", 4, 3)
    assert "wifi" not in made.settings
    assert "defaultPermissionPolicy" not in made.settings
    assert "cameraDisabled" not in made.settings


def test_in_place_is_what_an_entry_blocks_on_that_side(scope: Callable[..., Scope]) -> None:
    made = scope(applications=entry("BLOCKED"))
    assert SYSTEM.in_place(made, MODIFY, Side.whole) == {APP}
    assert SYSTEM.in_place(made, MODIFY, Side.work) == {APP}
    assert SYSTEM.in_place(made, PATCH_PERSONAL, Side.personal) == {"org.example.casino"}
    assert SYSTEM.in_place(made, MODIFY, Side.personal) == frozenset()
    assert SYSTEM.in_place(made, "another", Side.whole) == frozenset()


def test_a_disabled_app_is_in_place_for_the_method_that_disables_alone(scope: Callable[..., Scope]) -> None:
    made = scope(applications=[{"packageName": APP, "disabled": True}, *entry("BLOCKED", "com.kms.free")])
    assert SYSTEM.in_place(made, DISABLE, Side.whole) == {APP}
    assert SYSTEM.in_place(made, MODIFY, Side.whole) == {"com.kms.free"}
    assert SYSTEM.in_place(made, DISABLE, Side.personal) == frozenset()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({}, ""),
        ({"uninstallAppsDisabled": True, "installAppsDisabled": True}, ""),  # nothing is removed, nothing installed
        ({"applications": entry("PREINSTALLED")}, ""),
        ({"playStoreMode": "WHITELIST", "applications": entry("AVAILABLE")}, ""),
        ({"applications": entry("KIOSK")}, "KIOSK"),
        ({"alwaysOnVpnPackage": {"packageName": APP}}, "VPN"),
    ],
)
def test_what_stands_against_disabling(scope: Callable[..., Scope], settings: dict[str, Any], word: str) -> None:
    found = objections(scope(**settings), DISABLE)
    assert [blocks for blocks, _ in found] == [True] * bool(word)
    assert all(word in what for _, what in found)


def test_a_policy_of_listed_apps_only_gets_no_new_entry(scope: Callable[..., Scope]) -> None:
    """Such an entry would offer the app; the apps that are listed are disabled all the same."""
    made = scope(playStoreMode="WHITELIST", applications=entry("AVAILABLE"))
    (found,) = SYSTEM.objections(made, DISABLE, Side.whole, (APP, "com.kms.free"))
    assert (found.blocks, found.app_ids) == (True, ("com.kms.free",))
    assert objections(scope(), DISABLE, Side.personal)[0][0], "the personal side has no such setting"


def test_of_two_entries_for_one_package_the_later_stands(scope: Callable[..., Scope]) -> None:
    assert SYSTEM.in_place(scope(applications=entry("BLOCKED") + entry("AVAILABLE")), MODIFY, Side.whole) == frozenset()


def test_a_clean_policy_raises_nothing(scope: Callable[..., Scope]) -> None:
    assert objections(scope(**CLEAN)) == []
    assert objections(scope(**CLEAN), PATCH_PERSONAL, Side.personal) == []


@pytest.mark.parametrize("kind", ["FORCE_INSTALLED", "REQUIRED_FOR_SETUP", "KIOSK", "CUSTOM"])
def test_an_app_that_the_organisation_imposes_blocks(scope: Callable[..., Scope], kind: str) -> None:
    ((blocks, what),) = objections(scope(**CLEAN, applications=entry(kind)))
    assert blocks
    assert APP in what
    assert kind in what


@pytest.mark.parametrize(
    ("settings", "blocks", "word"),
    [
        ({"uninstallAppsDisabled": True}, True, "uninstallAppsDisabled"),
        ({"installAppsDisabled": True}, False, "installAppsDisabled"),
        ({"applications": entry("PREINSTALLED")}, False, "preinstalls"),
        ({"statusReportingSettings": {}}, False, "applicationReportsEnabled"),
        ({"statusReportingSettings": {"applicationReportsEnabled": True}}, False, "includeRemovedApps"),
        ({"playStoreMode": "WHITELIST"}, False, "WHITELIST"),
        ({"playStoreMode": "PLAY_STORE_MODE_UNSPECIFIED"}, False, "WHITELIST"),
        ({"alwaysOnVpnPackage": {"packageName": APP}}, True, "VPN"),
        ({"setupActions": [{"launchApp": {"packageName": APP}}]}, True, "set-up"),
        ({"persistentPreferredActivities": [{"receiverActivity": f"{APP}/.Main"}]}, True, "default handler"),
        ({"defaultApplicationSettings": [{"defaultApplications": [{"packageName": APP}]}]}, True, "default app"),
        ({"permittedInputMethods": {"packageNames": [APP]}}, False, "permittedInputMethods"),
        ({"permittedAccessibilityServices": {"packageNames": [APP]}}, False, "permittedAccessibilityServices"),
    ],
)
def test_each_trap_is_found(scope: Callable[..., Scope], settings: dict[str, Any], blocks: bool, word: str) -> None:
    ((found, what),) = objections(scope(**{**CLEAN, **settings}))
    assert found is blocks
    assert word in what


@pytest.mark.parametrize(
    ("overrides", "side", "found"),
    [
        ({"untrustedAppsPolicy": "ALLOW_INSTALL_DEVICE_WIDE"}, Side.whole, True),
        ({"untrustedAppsPolicy": "ALLOW_INSTALL_IN_PERSONAL_PROFILE_ONLY"}, Side.work, False),
        ({"untrustedAppsPolicy": "ALLOW_INSTALL_IN_PERSONAL_PROFILE_ONLY"}, Side.personal, True),
        ({"developerSettings": "DEVELOPER_SETTINGS_ALLOWED"}, Side.whole, True),
        ({"googlePlayProtectVerifyApps": "VERIFY_APPS_USER_CHOICE"}, Side.whole, True),
        ({}, Side.whole, False),
    ],
)
def test_other_ways_in(scope: Callable[..., Scope], overrides: dict[str, str], side: Side, found: bool) -> None:
    method = PATCH_PERSONAL if side is Side.personal else MODIFY
    said = objections(scope(advancedSecurityOverrides=overrides), method, side)
    assert bool(said) is found
    assert not any(blocks for blocks, _ in said)


def test_a_full_policy_blocks(scope: Callable[..., Scope]) -> None:
    full = [{"packageName": f"org.example.a{number}", "installType": "AVAILABLE"} for number in range(3000)]
    ((blocks, what),) = objections(scope(**CLEAN, applications=full))
    assert blocks
    assert "3001" in what
    assert objections(scope(**CLEAN, applications=full), MODIFY, Side.whole, "org.example.a7") == []


@pytest.mark.parametrize(
    ("usage", "word"),
    [
        ({}, "private space"),
        ({"privateSpacePolicy": "PRIVATE_SPACE_ALLOWED"}, "private space"),
        ({"privateSpacePolicy": "PRIVATE_SPACE_DISALLOWED", "personalPlayStoreMode": "ALLOWLIST"}, "ALLOWLIST"),
    ],
)
def test_the_personal_side_has_traps_of_its_own(scope: Callable[..., Scope], usage: dict[str, str], word: str) -> None:
    ((blocks, what),) = objections(scope(**CLEAN, personalUsagePolicies=usage), PATCH_PERSONAL, Side.personal)
    assert not blocks
    assert word in what


def test_uninstalling_forbidden_is_unproven_for_the_personal_side(scope: Callable[..., Scope]) -> None:
    made = scope(**CLEAN, uninstallAppsDisabled=True)
    ((blocks, what),) = objections(made, PATCH_PERSONAL, Side.personal)
    assert not blocks
    assert "does not say" in what


def test_a_method_that_does_not_reach_the_side_blocks(scope: Callable[..., Scope]) -> None:
    ((blocks, _),) = objections(scope(), MODIFY, Side.personal)
    assert blocks


@pytest.mark.parametrize("settings", ["not json", "[]"])
def test_unreadable_settings_are_an_error_with_a_place(settings: str) -> None:
    broken = Scope("amapi", "enterprises/x/policies/y", 1, 0, settings)
    with pytest.raises(InvalidDocument) as caught:
        SYSTEM.in_place(broken, MODIFY, Side.whole)
    assert caught.value.where.file == "enterprises/x/policies/y"
