"""What is on a phone and what it was told: its state, and what follows from it. No protocol here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from proscribe.simulate.apple.declarations import Declarations, supported
from proscribe.simulate.apple.profiles import NEVER_HIDDEN, Profile, Reader
from proscribe.simulate.apple.spec import SYSTEM_APPS, App, PhoneSpec
from proscribe.terms import Enrolment

MANAGED = "Managed"


@dataclass(slots=True)
class Prompt:
    """A question on the screen: may the organisation install this app, or manage the one that is there?"""

    app: App
    install: bool  # it is not on the phone yet
    opened_at: int  # the check-in at which it was shown


@dataclass(slots=True)
class Device:
    """The phone itself. ``os`` changes with an update; ``enrolment`` is as it was handed over."""

    spec: PhoneSpec
    os: str
    apps: dict[str, App] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    prompts: dict[str, Prompt] = field(default_factory=dict)
    passing: dict[str, str] = field(default_factory=dict)  # app to a status that is told once
    deleted_managed: set[str] = field(default_factory=set)  # managed, and deleted by the person
    declarations: Declarations = field(init=False)
    check_ins: int = 0
    locked: bool = False

    def __post_init__(self) -> None:
        self.declarations = Declarations(self.supports)
        self.apps |= {app.id: app for app in (*SYSTEM_APPS, *self.spec.apps)}

    # What it is ---------------------------------------------------------------------------------------------------

    @property
    def version(self) -> tuple[int, ...]:
        """The system version, e.g. (17, 2)."""
        return tuple(int(part) for part in self.os.split("."))

    @property
    def major(self) -> int:
        """The first number of the system version."""
        return self.version[0]

    @property
    def supervised(self) -> bool:
        """Whether the organisation owns it outright."""
        return self.spec.enrolment is Enrolment.supervised

    @property
    def user_enrolment(self) -> bool:
        """Whether it is a person's own phone with a managed part."""
        return self.spec.enrolment is Enrolment.user_enrolment

    @property
    def reader(self) -> Reader:
        """How this phone reads Restrictions payloads."""
        return Reader(self.supervised, self.user_enrolment, self.major)

    def supports(self, type_: str) -> bool:
        """Whether a type of configuration declaration applies here."""
        return supported(type_, self.version, supervised=self.supervised)

    # What may launch ----------------------------------------------------------------------------------------------

    def blocked(self) -> frozenset[str]:
        """Apps that what was received keeps from launching, by name."""
        by_profile = (self.reader.denied(profile) for profile in self.profiles.values())
        return self.declarations.denied().union(*by_profile)

    def can_launch(self, app: str) -> bool:
        """Whether the app is there and nothing keeps it from launching."""
        if app not in self.apps:
            return False
        lists = [self.declarations.allowed(), *(self.reader.allowed(item) for item in self.profiles.values())]
        fits = app not in self.blocked() and all(only is None or app in only for only in lists)
        return fits or app in NEVER_HIDDEN

    def forbids(self, switch: str) -> bool:
        """Whether a profile switches something off, e.g. ``allowAppRemoval``."""
        return any(self.reader.switched_off(profile, switch) for profile in self.profiles.values())

    def lets_fetch(self, app: App) -> bool:
        """Whether the person may fetch the app. The organisation itself may always install (since iOS 10)."""
        if app.clip:
            return not self.forbids("allowAppClips")
        if self.forbids("allowAppInstallation"):
            return False
        return bool(app.distributor) or not self.forbids("allowUIAppInstallation")

    # What happens to apps -----------------------------------------------------------------------------------------

    def remove(self, app: str) -> None:
        """Take an app off the phone, with its data."""
        self.apps.pop(app, None)
        self.prompts.pop(app, None)
        self.passing.pop(app, None)
        self.deleted_managed.discard(app)

    def add_profile(self, profile: Profile) -> None:
        """Install a profile in place of one of the same identifier. App clips go at once where they are forbidden."""
        self.profiles[profile.identifier] = profile
        if self.forbids("allowAppClips"):
            for app in [item.id for item in self.apps.values() if item.clip]:
                self.remove(app)

    def install(self, app: App) -> None:
        """Put an app on the phone."""
        self.deleted_managed.discard(app.id)
        self.apps[app.id] = app

    def decide(self, *, accepts: bool, after: int) -> None:
        """The person answers the questions that have been open for so many check-ins."""
        due = [app for app, prompt in self.prompts.items() if self.check_ins - prompt.opened_at >= after]
        for app in due:
            prompt = self.prompts.pop(app)
            if accepts:
                self.install(replace(prompt.app, managed=True))
            else:
                self.passing[app] = "UserRejected" if prompt.install else "ManagementRejected"

    def follow_declarations(self) -> None:
        """Bring apps into line with the declarations: those declared are there, those no longer declared go."""
        wanted = self.declarations.managed_apps()
        spoken_for = {app.id for app in self.spec.apps if app.declared}
        for app in wanted:
            self.install(replace(self.apps.get(app, App(app, app)), declared=True, managed=False))
        for app in [item.id for item in self.apps.values() if item.declared]:
            if app not in wanted and app not in spoken_for:
                self.remove(app)

    def leave(self) -> None:
        """The management goes, and everything that it brought: profiles, declarations, managed apps."""
        for app in [item.id for item in self.apps.values() if item.managed or item.declared]:
            self.remove(app)
        self.profiles.clear()
        self.prompts.clear()
        self.passing.clear()
        self.deleted_managed.clear()
        self.declarations = Declarations(self.supports)

    def erase(self, *, restore: bool) -> None:
        """Erase everything; ``restore`` puts a person's own apps back from a copy."""
        own = [app for app in self.apps.values() if not (app.system or app.declared or app.managed)]
        self.leave()
        self.apps = {app.id: app for app in SYSTEM_APPS}
        if restore:
            self.apps |= {app.id: app for app in own}

    # What it says of itself ---------------------------------------------------------------------------------------

    def information(self) -> dict[str, object]:
        """Everything that ``DeviceInformation`` may learn of it; in User Enrolment that is less, and not who it is."""
        model = "iPad" if self.spec.ipad else "iPhone"
        told: dict[str, object] = {
            "DeviceName": self.spec.name,
            "OSVersion": self.os,
            "BuildVersion": build(self.os),
            "ModelName": model,
            "Model": "MTP43" if not self.spec.ipad else "MPQ03",
            "ProductName": self.spec.product,
            "IsSupervised": self.supervised,
            "IsMultiUser": False,
            "DeviceCapacity": 128.0,
            "AvailableDeviceCapacity": 64.0,
            "BatteryLevel": 0.8,
        }
        if self.user_enrolment:
            return told
        return told | {
            "UDID": self.spec.udid,
            "SerialNumber": self.spec.serial,
            "AwaitingConfiguration": False,
            "IsMDMLostModeEnabled": False,
            "IsCloudBackupEnabled": False,
        }


def build(os: str) -> str:
    """A made-up but stable build number of a system version."""
    return f"{int(os.split('.', maxsplit=1)[0]) + 4}A{int(hashlib.sha256(os.encode()).hexdigest()[:4], 16) % 900 + 100}"
