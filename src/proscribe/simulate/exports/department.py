"""The phones of the fictional Department of Northern Lighthouses / Ministère des Phares du Nord, at three moments.

Everything follows from a seed and a phone's number, so a phone keeps its identity, its branch and its usual apps from
one moment to the next, and only what people did about the ban differs.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from proscribe.simulate.exports.apps import LOOKALIKES, NAMED, ORDINARY, App, usual
from proscribe.terms import Enrolment, Platform

ORGANISATION = "Department of Northern Lighthouses / Ministère des Phares du Nord"

# One name in both languages for each branch, as the department writes it in every system.
BRANCHES = (
    "Lights and Beacons / Phares et balises",
    "Fog Signals / Signaux de brume",
    "Charts and Soundings / Cartes et sondages",
    "Supply Vessels / Navires ravitailleurs",
    "Keepers' Service / Service des gardiens",
    "Ice Watch / Veille des glaces",
    "Records and Library / Documents et bibliothèque",
    "Lamp Oil and Finance / Huile et finances",
)


class Source(StrEnum):
    """The four systems that export."""

    intune = "intune"
    jamf = "jamf"
    fleet = "fleet"
    register = "register"  # the regional offices' own phone register, a spreadsheet with French headers


class Phase(StrEnum):
    """The moment of an export, as far as people's behaviour goes."""

    before = "before"  # before anyone heard of the ban
    after = "after"  # some people removed the app by themselves
    later = "later"  # and one of them installed it again


SHARES = ((Source.intune, 0.40), (Source.jamf, 0.30), (Source.fleet, 0.15), (Source.register, 0.15))
STALE_SHARE = 0.03  # phones in a drawer: their list is months old
ALSO_SHARE = 0.04  # of a system's phones, those that another system with serial numbers lists too
OBEDIENT_SHARE = 0.55  # of the holders, those who remove the app when they hear of the ban

# For each system: platform, enrolment, share. What is absent from a system is absent on purpose.
_CLASSES: dict[Source, tuple[tuple[Platform, Enrolment, float], ...]] = {
    Source.intune: ((Platform.android, Enrolment.unknown, 0.55), (Platform.ios, Enrolment.unknown, 0.45)),
    Source.jamf: (
        (Platform.ios, Enrolment.supervised, 0.72),
        (Platform.ios, Enrolment.unsupervised, 0.16),
        (Platform.ios, Enrolment.user_enrolment, 0.12),
    ),
    Source.fleet: (
        (Platform.ios, Enrolment.supervised, 0.45),
        (Platform.ios, Enrolment.user_enrolment, 0.10),
        (Platform.android, Enrolment.byod, 0.45),
    ),
    Source.register: (
        (Platform.android, Enrolment.fully_managed, 0.60),
        (Platform.android, Enrolment.byod, 0.15),
        (Platform.ios, Enrolment.supervised, 0.25),
    ),
}
_VERSIONS = {
    Platform.android: ("13", "14", "15", "16"),
    Platform.ios: ("17.7.2", "18.6.1", "26.1", "26.2"),
}


@dataclass(frozen=True, slots=True)
class Install:
    """One app on one phone. ``key`` is the product id of a named app, the kind of a look-alike, else ""."""

    app: App
    version: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """One physical phone. ``also`` names a second system that lists it under the same serial number."""

    number: int
    source: Source
    also: Source | None
    platform: Platform
    enrolment: Enrolment
    os_version: str
    branch: str
    serial: str
    uuid: str
    observed_at: datetime
    stale: bool
    installs: tuple[Install, ...]

    @property
    def name(self) -> str:
        """The label on the phone: never a person's name."""
        return f"DNL-MPN-{self.number:05d}"

    @property
    def half_seen(self) -> bool:
        """Whether management sees its own side alone: the personal apps are there and nobody can know."""
        return self.enrolment in (Enrolment.byod, Enrolment.user_enrolment)

    @property
    def listed(self) -> tuple[Install, ...]:
        """What a management system can list of ``installs``."""
        if not self.half_seen:
            return self.installs
        return tuple(install for install in self.installs if install.app in ORDINARY)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every system that lists it."""
        return (self.source,) if self.also is None else (self.source, self.also)


def phones(*, seed: int, devices: int, moment: datetime, phase: Phase) -> Iterator[Phone]:
    """``devices`` distinct phones, in order of their number; the same seed gives the same phones in every phase."""
    relapsed = False
    for number in range(1, devices + 1):
        rng = Random(f"{seed}:{number}")  # noqa: S311 (a rehearsal must repeat, not surprise)
        phone = _phone(number, _source(number, devices), rng, moment)
        installs, obeyed = _installs(rng, phase)
        if phase is Phase.later and obeyed and not relapsed and not phone.half_seen:
            installs, relapsed = (*installs, *obeyed), True
        yield replace(phone, installs=installs)


def _source(number: int, devices: int) -> Source:
    reached = 0.0
    for source, share in SHARES[:-1]:
        reached += share
        if number <= round(reached * devices):
            return source
    return SHARES[-1][0]


def _phone(number: int, source: Source, rng: Random, moment: datetime) -> Phone:
    classes = _CLASSES[source]
    platform, enrolment, _ = rng.choices(classes, weights=[row[2] for row in classes])[0]
    stale = rng.random() < STALE_SHARE
    age = timedelta(days=rng.randint(60, 200)) if stale else timedelta(minutes=rng.randint(5, 3 * 24 * 60))
    # Only what a serial number can join: both lists must carry one, and an iPhone is what both manage.
    twice = source is Source.fleet and enrolment is Enrolment.supervised and rng.random() < ALSO_SHARE
    return Phone(
        number=number,
        source=source,
        also=Source.jamf if twice else None,
        platform=platform,
        enrolment=enrolment,
        os_version=rng.choice(_VERSIONS[platform]),
        branch=rng.choice(BRANCHES),
        serial="NL" + "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=8)),
        uuid=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        observed_at=(moment - age).replace(microsecond=0),
        stale=stale,
        installs=(),
    )


def _installs(rng: Random, phase: Phase) -> tuple[tuple[Install, ...], tuple[Install, ...]]:
    """What is on the phone in this phase, and what its holder removed by themselves."""
    apps, weights = usual()
    wanted = rng.randint(20, 60)
    picked = dict.fromkeys(rng.choices(apps, cum_weights=weights, k=wanted * 3))
    kept = tuple(Install(app, f"{rng.randint(1, 12)}.{rng.randint(0, 30)}") for app in list(picked)[:wanted])
    named = []
    for key, app, share in (*NAMED, *LOOKALIKES):
        # The same draws for every phone, so that a share changed here moves no other phone.
        holds, version = rng.random() < share, f"{rng.randint(5, 40)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}"
        if holds:
            named.append(Install(app, version, key))
    obedient = rng.random() < OBEDIENT_SHARE
    banned = {key for key, _, _ in NAMED}
    obeyed = tuple(install for install in named if obedient and install.key in banned)
    if phase is Phase.before:
        return (*kept, *named), ()
    return (*kept, *(install for install in named if install not in obeyed)), obeyed
