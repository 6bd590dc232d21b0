"""One simulated device: what is really on it, and what it last told the service. The two differ, as in life."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from proscribe.terms import Enrolment

Json = dict[str, Any]

_SYSTEM = ("SYSTEM_APP_FACTORY_VERSION", "SYSTEM_APP_UPDATED_VERSION")
_INSTALLING = ("FORCE_INSTALLED", "REQUIRED_FOR_SETUP", "KIOSK", "PREINSTALLED")
SIDELOADED = "APPLICATION_SOURCE_UNSPECIFIED"
STORE = "INSTALLED_FROM_PLAY_STORE"


class Behaviour(StrEnum):
    """How a device, or the person who holds it, takes a ban."""

    normal = "normal"
    slow = "slow"  # syncs about once a day
    offline = "offline"  # never syncs
    reinstaller = "reinstaller"  # the user puts the app back by file, where the policy leaves a way
    stubborn = "stubborn"  # applies the policy, cannot remove the app, says so in nonComplianceDetails
    deaf = "deaf"  # says that it applied the policy and does nothing


@dataclass(frozen=True, slots=True)
class App:
    """An app as it sits on a device. ``signer`` is the SHA-256 of its certificate, 64 hexadecimal digits."""

    package: str
    name: str
    version_name: str = "1.0"
    version_code: int = 1
    signer: str = ""
    source: str = STORE
    installer: str = "com.android.vending"

    @property
    def system(self) -> bool:
        """Whether it came with the device: such an app can be disabled, not removed."""
        return self.source in _SYSTEM


@dataclass(slots=True)
class SimDevice:
    """A device. ``apps`` is the whole device or the work profile; ``personal`` is never reported to anybody."""

    name: str  # enterprises/<e>/devices/<d>
    enrolment: Enrolment
    policy: str  # full policy name
    serial: str
    android: str = "14"
    behaviour: Behaviour = Behaviour.normal
    period: float = 1800.0  # seconds between two syncs
    first_sync: float | None = None  # seconds from the start to the first one; None: a whole period
    apps: dict[str, App] = field(default_factory=dict)
    personal: dict[str, App] = field(default_factory=dict)
    enrolment_data: str = ""
    enrolled_at: datetime = datetime(2025, 1, 6, tzinfo=UTC)
    reinstall_after: float = 7200.0  # seconds from a removal until the user acts
    reinstalls: int = 1  # how often the user does it
    refusal: str = "APP_INSTALLED"  # the nonComplianceReason it gives for an app that it keeps
    next_sync: datetime | None = None
    reinstall_at: datetime | None = None
    wanted_back: App | None = None
    hides_disabled: bool = False  # whether its reports leave out what is disabled: the vendor does not say
    disabled: set[str] = field(default_factory=set)
    removed: dict[str, App] = field(default_factory=dict)
    applied: Json = field(default_factory=dict)
    reported: Json = field(default_factory=dict)

    def can_launch(self, package: str) -> bool:
        """Whether its user can start an app of the managed part."""
        return package in self.apps and package not in self.disabled

    def next_event(self) -> datetime | None:
        """When something happens next on this device; None for never."""
        if self.behaviour is Behaviour.offline:
            return None
        times = [moment for moment in (self.next_sync, self.reinstall_at) if moment is not None]
        return min(times) if times else None

    def enrol(self, policy: Json, at: datetime) -> None:
        """The state right after enrolment: the policy of that moment applied, a first report sent."""
        self.applied = policy
        self.report(at, synced=True)

    def run(self, policy: Json, until: datetime) -> None:
        """Live until ``until``, with ``policy`` being the one that the service hands out all that while."""
        while (at := self.next_event()) is not None and at <= until:
            if self.reinstall_at is not None and at == self.reinstall_at:
                self._put_back(at)
                continue
            before = (set(self.apps), set(self.personal), self.applied.get("version"))
            self.sync(policy, at)
            step = timedelta(seconds=self.period)
            self.next_sync = at + step
            if before == (set(self.apps), set(self.personal), self.applied.get("version")):
                self._skip_idle(until, step)

    def _skip_idle(self, until: datetime, step: timedelta) -> None:
        """Nothing changed, so nothing will until the user acts: jump over the syncs between, keep the last one."""
        assert self.next_sync is not None  # noqa: S101 (set by the caller)
        limit = until if self.reinstall_at is None else min(until, self.reinstall_at)
        whole = (limit - self.next_sync) // step
        if whole > 0:
            self.next_sync += whole * step

    def sync(self, policy: Json, at: datetime) -> None:
        """Fetch the policy, do as it says as far as this device does, and report."""
        self.applied = policy
        if self.behaviour is not Behaviour.deaf:
            self._apply(policy, at)
        self.report(at, synced=True)

    def _apply(self, policy: Json, at: datetime) -> None:
        entries = {
            entry["packageName"]: entry.get("installType", "AVAILABLE") for entry in policy.get("applications", [])
        }
        frozen = {entry["packageName"] for entry in policy.get("applications", []) if entry.get("disabled")}
        allow_listed_only = policy.get("playStoreMode", "WHITELIST") != "BLACKLIST"
        for package, kind in entries.items():
            if kind in _INSTALLING and package not in self.apps:
                self.apps[package] = App(package, package)
        self.disabled = frozen & set(self.apps)
        for package, app in list(self.apps.items()):
            unwanted = entries.get(package) == "BLOCKED" or (allow_listed_only and package not in entries)
            if not unwanted:
                continue
            if app.system:
                if entries.get(package) == "BLOCKED":
                    self.disabled.add(package)
            elif not policy.get("uninstallAppsDisabled") and self.behaviour is not Behaviour.stubborn:
                self._remove(app, at)
        self.disabled &= set(self.apps)
        if self.enrolment is Enrolment.cope:
            self._apply_personal(policy.get("personalUsagePolicies", {}))

    def _remove(self, app: App, at: datetime) -> None:
        del self.apps[app.package]
        self.removed[app.package] = app
        if self.behaviour is Behaviour.reinstaller and self.reinstalls > 0 and self.reinstall_at is None:
            self.wanted_back = app
            self.reinstall_at = at + timedelta(seconds=self.reinstall_after)

    def _apply_personal(self, usage: Json) -> None:
        entries = {
            entry["packageName"]: entry.get("installType", "AVAILABLE")
            for entry in usage.get("personalApplications", [])
        }
        for package, app in list(self.personal.items()):
            if entries.get(package) == "BLOCKED" and not app.system:
                del self.personal[package]

    def _put_back(self, at: datetime) -> None:
        self.reinstall_at = None
        self.reinstalls -= 1
        app = self.wanted_back
        overrides = self.applied.get("advancedSecurityOverrides", {})
        open_to_files = (
            overrides.get("untrustedAppsPolicy") == "ALLOW_INSTALL_DEVICE_WIDE"
            or overrides.get("developerSettings") == "DEVELOPER_SETTINGS_ALLOWED"
        )
        if app is None or not open_to_files or self.applied.get("installAppsDisabled"):
            return
        self.apps[app.package] = replace(app, source=SIDELOADED, installer="")
        self.removed.pop(app.package, None)
        self.report(at, synced=False)

    # What the service knows -----------------------------------------------------------------------------------------

    def report(self, at: datetime, *, synced: bool) -> None:
        """Send a status report: from now on this is what the service says of the device."""
        settings = self.applied.get("statusReportingSettings", {})
        details = self._details()
        told: Json = {
            "appliedPolicyName": self.applied["name"],
            "appliedPolicyVersion": self.applied["version"],
            "lastStatusReportTime": rfc3339(at),
            "lastPolicySyncTime": rfc3339(at) if synced else self.reported.get("lastPolicySyncTime", rfc3339(at)),
            "policyCompliant": not details,
        }
        if details:
            told["nonComplianceDetails"] = details
        if settings.get("applicationReportsEnabled"):
            told_of = self.apps.keys() - (self.disabled if self.hides_disabled else frozenset())
            reports = [_application(self.apps[package], "INSTALLED") for package in sorted(told_of)]
            if settings.get("applicationReportingSettings", {}).get("includeRemovedApps"):
                reports += [_application(app, "REMOVED") for _, app in sorted(self.removed.items())]
            told["applicationReports"] = reports
        self.reported = told

    def _details(self) -> list[Json]:
        if self.behaviour is Behaviour.deaf:
            return []
        found = []
        for index, entry in enumerate(self.applied.get("applications", [])):
            app = self.apps.get(entry["packageName"])
            if entry.get("installType") == "BLOCKED" and app is not None and not app.system:
                found.append(
                    {
                        "settingName": "applications",
                        "fieldPath": f"applications[{index}].installType",
                        "packageName": app.package,
                        "nonComplianceReason": self.refusal,
                    }
                )
        return found

    def body(self) -> Json:
        """The device as ``devices.get`` gives it."""
        company = self.enrolment is not Enrolment.byod
        owner = self.enrolment is Enrolment.fully_managed
        fixed: Json = {
            "name": self.name,
            "managementMode": "DEVICE_OWNER" if owner else "PROFILE_OWNER",
            "ownership": "COMPANY_OWNED" if company else "PERSONALLY_OWNED",
            "state": "ACTIVE",
            "appliedState": "ACTIVE",
            "policyName": self.policy,
            "enrollmentTime": rfc3339(self.enrolled_at),
            "apiLevel": _api_level(self.android),
            "hardwareInfo": {"brand": "Beacon", "manufacturer": "Beacon", "model": "B1", "serialNumber": self.serial},
            "softwareInfo": {"androidVersion": self.android, "securityPatchLevel": "2026-10-05"},
        }
        if self.enrolment_data:
            fixed["enrollmentTokenData"] = self.enrolment_data
        return fixed | self.reported


def rfc3339(moment: datetime) -> str:
    """A time as the API writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _api_level(android: str) -> int:
    levels = {"9": 28, "10": 29, "11": 30, "12": 31, "13": 33, "14": 34, "15": 35, "16": 36}
    return levels.get(android.split(".", maxsplit=1)[0], 34)


def _application(app: App, state: str) -> Json:
    told: Json = {
        "packageName": app.package,
        "displayName": app.name,
        "versionName": app.version_name,
        "versionCode": app.version_code,
        "applicationSource": app.source,
        "state": state,
        "userFacingType": "USER_FACING",
    }
    if app.installer:
        told["installerPackageName"] = app.installer
    if app.signer:
        raw = base64.b64encode(bytes.fromhex(app.signer)).decode()
        told["signingKeyCerts"] = [{"signingKeyCertFingerprintSha256": raw}]
    return told
