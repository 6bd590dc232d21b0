"""What a phone is before it meets a server: its class, its apps, and the person who carries it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from proscribe.terms import Enrolment


@dataclass(frozen=True, slots=True)
class App:
    """An app on a phone. ``declared``: a declaration put it there, and only that declaration takes it away again."""

    id: str  # bundle identifier
    name: str = ""
    version: str = "1.0"
    managed: bool = False
    declared: bool = False
    system: bool = False
    deletable: bool = True  # of a system app: whether anybody may delete it
    clip: bool = False
    store_id: int = 0
    licensed: bool = True  # the organisation holds a licence for it
    distributor: str = ""  # a marketplace other than the App Store


SYSTEM_APPS = (
    App("com.apple.mobilephone", "Phone", system=True, deletable=False),
    App("com.apple.Preferences", "Settings", system=True, deletable=False),
    App("com.apple.mobilesafari", "Safari", system=True, deletable=False),
    App("com.apple.AppStore", "App Store", system=True, deletable=False),
    App("com.apple.facetime", "FaceTime", system=True),
    App("com.apple.podcasts", "Podcasts", system=True),
)
"""A few of the apps that every phone comes with."""


class Behaviour(StrEnum):
    """How a phone, or the person who carries it, takes a ban."""

    ordinary = "ordinary"
    locked = "locked"  # lies locked in a pocket for its first check-ins: NotNow
    refuses = "refuses"  # does not let the organisation manage an app of his own
    reinstaller = "reinstaller"  # fetches the app again after it was removed
    declared = "declared"  # has the app from a declaration
    offline = "offline"  # does not check in for a time
    leaver = "leaver"  # removes the management
    wiped = "wiped"  # the phone is erased and enrolled again, the apps come back from a copy
    upgrader = "upgrader"  # installs the next system


@dataclass(frozen=True, slots=True)
class Person:
    """What happens of itself. Numbers count check-ins of the phone since it was first enrolled; 0 means never."""

    locked_for: int = 0  # the phone is locked at its first so many check-ins
    accepts: bool = True  # whether prompts are accepted (only phones without supervision show any)
    decides_after: int = 1  # check-ins that a prompt stays open
    reinstalls_after: int = 0  # check-ins after a removal until the app is back
    reinstalls: int = 1  # how often
    offline_from: int = 0
    offline_for: int = 0
    leaves_at: int = 0
    wiped_at: int = 0
    upgrades_at: int = 0
    upgrades_to: str = ""


@dataclass(frozen=True, slots=True)
class PhoneSpec:
    """A phone as it is handed over. ``enrolment`` is one of the three Apple kinds.

    In User Enrolment the server never learns ``udid`` and ``serial``; it knows the phone by an EnrollmentID that is
    new with every enrolment.
    """

    udid: str
    serial: str
    name: str = "Phone"
    product: str = "iPhone15,4"
    os: str = "18.5"
    enrolment: Enrolment = Enrolment.supervised
    apps: tuple[App, ...] = ()
    person: Person = Person()
    behaviour: Behaviour = Behaviour.ordinary
    department: str = ""

    @property
    def ipad(self) -> bool:
        """Whether it is a tablet."""
        return self.product.startswith("iPad")
