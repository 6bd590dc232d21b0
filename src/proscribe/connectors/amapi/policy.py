"""A policy as the API words it: reading it with care, and the merges that a ban makes. Pure functions of JSON.

Two lists of a policy concern us, and they look alike: ``applications`` (a fully managed device, or a work profile) and
``personalUsagePolicies.personalApplications`` (the personal side of a company-owned device). An entry has a
``packageName`` and an ``installType``; a work entry may be ``disabled``. Whatever else it holds belongs to the
organisation and is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proscribe.canonical import canonical_bytes
from proscribe.terms import Side

Json = dict[str, Any]

BLOCKED = "BLOCKED"


@dataclass(frozen=True, slots=True)
class Setting:
    """The one field of an entry that a method of ours sets, and to what."""

    field: str
    value: Any


BLOCK = Setting(field="installType", value=BLOCKED)
"""Takes the app away where it is, with its data, and keeps it out."""
DISABLE = Setting(field="disabled", value=True)
"""Keeps the app from being used and leaves it there with its data (discovery document, ApplicationPolicy.disabled)."""

MAX_APPLICATIONS = 3_000
"""Entries that ``applications`` may have at most (discovery document, Policy.applications)."""

_KEPT = (
    "applications.packageName",
    "applications.installType",
    "applications.disabled",
    "playStoreMode",
    "installAppsDisabled",
    "uninstallAppsDisabled",
    "advancedSecurityOverrides.untrustedAppsPolicy",
    "advancedSecurityOverrides.developerSettings",
    "advancedSecurityOverrides.googlePlayProtectVerifyApps",
    "statusReportingSettings.applicationReportsEnabled",
    "statusReportingSettings.applicationReportingSettings.includeRemovedApps",
    "personalUsagePolicies.personalPlayStoreMode",
    "personalUsagePolicies.privateSpacePolicy",
    "personalUsagePolicies.personalApplications.packageName",
    "personalUsagePolicies.personalApplications.installType",
    "alwaysOnVpnPackage.packageName",
    "defaultApplicationSettings.defaultApplications.packageName",
    "permittedAccessibilityServices.packageNames",
    "permittedInputMethods.packageNames",
    "persistentPreferredActivities.receiverActivity",
    "setupActions.launchApp.packageName",
)
"""What a plan needs to know of a policy; ``Scope.settings`` holds nothing else."""

_EXPECTED: tuple[tuple[str, type], ...] = (
    ("applications", list),
    ("personalUsagePolicies", dict),
    ("advancedSecurityOverrides", dict),
    ("statusReportingSettings", dict),
    ("alwaysOnVpnPackage", dict),
    ("permittedAccessibilityServices", dict),
    ("permittedInputMethods", dict),
    ("defaultApplicationSettings", list),
    ("persistentPreferredActivities", list),
    ("setupActions", list),
)


class NotAPolicy(ValueError):
    """JSON that cannot be read as a policy: acting on it would be a guess."""


def checked(value: object) -> Json:
    """``value`` if it is a policy as far as we use one. Raises NotAPolicy that names the field."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise NotAPolicy("name")
    if version(value) <= 0:
        raise NotAPolicy("version")
    for field, kind in _EXPECTED:
        if not isinstance(value.get(field, kind()), kind):
            raise NotAPolicy(field)
    if not isinstance(value.get("personalUsagePolicies", {}).get("personalApplications", []), list):
        raise NotAPolicy("personalUsagePolicies.personalApplications")
    for side in (Side.work, Side.personal):
        for entry in applications(value, side):
            if not isinstance(entry, dict) or not isinstance(entry.get("packageName"), str):
                raise NotAPolicy("packageName")
    return value


def version(policy: Mapping[str, Any]) -> int:
    """The policy's version; 0 where it gives none. The API writes 64-bit integers as text."""
    value = policy.get("version")
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def applications(policy: Mapping[str, Any], side: Side) -> list[Json]:
    """The entries of one side, in order."""
    if side is Side.personal:
        found = policy.get("personalUsagePolicies", {}).get("personalApplications", [])
    else:
        found = policy.get("applications", [])
    return list(found)


def by_package(entries: Iterable[Json]) -> dict[str, Json]:
    """Entries by package name; of two for one package the later stands, as it does on a device."""
    return {entry["packageName"]: entry for entry in entries}


def having(policy: Mapping[str, Any], side: Side, setting: Setting) -> frozenset[str]:
    """The packages for which one side has a setting in an entry of its own."""
    entries = by_package(applications(policy, side))
    return frozenset(package for package, entry in entries.items() if entry.get(setting.field) == setting.value)


def only_listed(policy: Mapping[str, Any], side: Side) -> bool:
    """Whether this side allows listed apps only. An unset ``playStoreMode`` means WHITELIST, an unset personal mode
    BLOCKLIST (discovery document)."""
    if side is Side.personal:
        return bool(policy.get("personalUsagePolicies", {}).get("personalPlayStoreMode") == "ALLOWLIST")
    return policy.get("playStoreMode", "WHITELIST") in ("WHITELIST", "PLAY_STORE_MODE_UNSPECIFIED")


def settings(policy: Json) -> str:
    """The part of a policy that a plan needs, as canonical JSON text."""
    tree: Json = {}
    for path in _KEPT:
        node = tree
        for name in path.split("."):
            node = node.setdefault(name, {})
    return canonical_bytes(_pick(policy, tree)).decode()


def _pick(value: Any, tree: Json) -> Any:
    if not tree:
        return value
    if isinstance(value, list):
        return [_pick(item, tree) for item in value]
    if not isinstance(value, dict):
        return None
    return {name: _pick(value[name], below) for name, below in tree.items() if name in value}


def read_settings(text: str) -> Json:
    """The policy part that ``settings`` wrote. Raises NotAPolicy."""
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise NotAPolicy("settings") from error
    if not isinstance(value, dict):
        raise NotAPolicy("settings")
    return value


# What a ban changes, and how it is taken back --------------------------------------------------------------------


def prior_of(policy: Json, side: Side, packages: Sequence[str], setting: Setting) -> str:
    """What the entries we are about to touch look like: canonical JSON of ``{package: null | {"installType": ...}}``.

    ``null`` stands for "no entry"; an empty object for an entry without the field. Only the field of the setting is
    kept, for it is all that we change.
    """
    entries = by_package(applications(policy, side))
    found = {
        package: _pick(entries[package], {setting.field: {}}) if package in entries else None for package in packages
    }
    return canonical_bytes(found).decode()


def read_prior(text: str) -> dict[str, Json | None]:
    """What ``prior_of`` wrote. Raises NotAPolicy."""
    value = read_settings(text)
    if not all(entry is None or isinstance(entry, dict) for entry in value.values()):
        raise NotAPolicy("prior")
    return value


def with_blocked(entries: Sequence[Json], packages: Sequence[str]) -> list[Json]:
    """The entries with these packages blocked: merged in place, new ones at the end, nothing else touched."""
    wanted = set(packages)
    merged = [{**entry, "installType": BLOCKED} if entry["packageName"] in wanted else entry for entry in entries]
    missing = wanted - {entry["packageName"] for entry in entries}
    return merged + [{"packageName": package, "installType": BLOCKED} for package in sorted(missing)]


def restored(entries: Sequence[Json], prior: Mapping[str, Json | None], setting: Setting) -> list[Json]:
    """The entries with ours taken back: only those still as we set them, each to what it was before."""
    kept = []
    for entry in entries:
        package = entry["packageName"]
        if package not in prior or entry.get(setting.field) != setting.value:
            kept.append(entry)
            continue
        before = prior[package]
        rest = {name: value for name, value in entry.items() if name != setting.field}
        if before is None:
            if set(rest) - {"packageName"}:  # somebody has since added settings of their own to our entry
                kept.append(rest)
        else:
            kept.append({**rest, **before})
    return kept
