"""A fictional fleet from a seed: departments, policies per department and device class, and people of every kind."""

from __future__ import annotations

import hashlib
import json
import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from proscribe.simulate.amapi.device import SIDELOADED, App, Behaviour, SimDevice
from proscribe.simulate.amapi.state import Fleet
from proscribe.simulate.chance import pick
from proscribe.terms import Enrolment

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BannedApp:
    """An app that some devices of the fleet hold. ``share`` is the part of the devices that have it."""

    package: str
    name: str
    signer: str = ""
    share: float = 0.08


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """What a fleet looks like. The same spec gives the same fleet. Shares are parts of 1 and add up to at most 1."""

    devices: int = 200
    enterprise: str = "enterprises/lighthouses"
    departments: tuple[str, ...] = ("Charts", "Keepers", "Lamps", "Tides")
    banned: tuple[BannedApp, ...] = (
        BannedApp("com.tencent.mm", "WeChat"),
        BannedApp("com.kms.free", "Kaspersky", share=0.03),
    )
    cope_share: float = 0.25
    byod_share: float = 0.15
    behaviours: tuple[tuple[Behaviour, float], ...] = (
        (Behaviour.offline, 0.02),
        (Behaviour.slow, 0.03),
        (Behaviour.reinstaller, 0.01),
        (Behaviour.stubborn, 0.01),
    )
    apps_per_device: int = 12
    seed: int = 1
    start: datetime = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
    policy_settings: tuple[tuple[str, str], ...] = ()  # policy id, JSON of settings that replace the usual ones
    guaranteed: tuple[Behaviour, ...] = field(
        # at least one holder of the first banned app behaves so: a rehearsal must be able to show each of them
        default=(Behaviour.offline, Behaviour.reinstaller, Behaviour.stubborn)
    )


_CLASSES = (Enrolment.fully_managed, Enrolment.cope, Enrolment.byod)
_ORDINARY = (
    "Maps Calendar Camera Notes Weather Radio Tides Charts Ledger Mail Scanner Torch "
    "Compass Translate Reader Forms Contacts Recorder Gallery Browser"
)
_PERSONAL = ("org.example.games", "org.example.photos", "org.example.music")


def make_fleet(spec: FleetSpec) -> Fleet:
    """Build the fleet of a spec. Policies are named ``<department>-<class>``, e.g. ``charts-fully_managed``."""
    chance = random.Random(spec.seed)  # noqa: S311 (a rehearsal, not a secret)
    overrides = {name: json.loads(text) for name, text in spec.policy_settings}
    policies = [
        _policy(f"{spec.enterprise}/policies/{_slug(department)}-{kind}", kind)
        | overrides.get(f"{_slug(department)}-{kind}", {})
        for department in spec.departments
        for kind in _CLASSES
    ]
    devices = [_device(spec, chance, number) for number in range(spec.devices)]
    _guarantee(spec, devices)
    return Fleet(spec.enterprise, policies, devices)


def _policy(name: str, kind: Enrolment) -> Json:
    policy: Json = {
        "name": name,
        "version": "1",
        "playStoreMode": "BLACKLIST",
        "applications": [
            {
                "packageName": "org.lighthouses.mail",
                "installType": "FORCE_INSTALLED",
                "defaultPermissionPolicy": "GRANT",
            },
            {"packageName": "org.example.casino", "installType": "BLOCKED"},
        ],
        "statusReportingSettings": {
            "applicationReportsEnabled": True,
            "applicationReportingSettings": {"includeRemovedApps": True},
        },
        # Files may be installed: the trap that lets a user bring an app back.
        "advancedSecurityOverrides": {"untrustedAppsPolicy": "ALLOW_INSTALL_DEVICE_WIDE"},
    }
    if kind is Enrolment.cope:
        policy["personalUsagePolicies"] = {
            "personalPlayStoreMode": "BLOCKLIST",
            "privateSpacePolicy": "PRIVATE_SPACE_DISALLOWED",
            "personalApplications": [{"packageName": "org.example.casino", "installType": "BLOCKED"}],
        }
    return policy


def _device(spec: FleetSpec, chance: random.Random, number: int) -> SimDevice:
    department = chance.choice(spec.departments)
    kind = pick(
        chance,
        ((Enrolment.cope, spec.cope_share), (Enrolment.byod, spec.byod_share)),
        Enrolment.fully_managed,
    )
    behaviour = pick(chance, spec.behaviours, Behaviour.normal)
    period = 86_400.0 if behaviour is Behaviour.slow else chance.uniform(600, 3_600)
    device = SimDevice(
        name=f"{spec.enterprise}/devices/{3_000_000 + number:x}",
        enrolment=kind,
        policy=f"{spec.enterprise}/policies/{_slug(department)}-{kind}",
        serial=f"NL{number:06d}",
        android=chance.choice(("12", "13", "14", "15", "16")),
        behaviour=behaviour,
        period=float(round(period)),
        enrolment_data=json.dumps({"department": department}),
        enrolled_at=spec.start - timedelta(days=chance.randrange(30, 700)),
    )
    device.first_sync = float(chance.randrange(1, int(device.period) + 1))
    for app in _ordinary_apps(spec, chance):
        device.apps[app.package] = app
    for banned in spec.banned:
        if chance.random() < banned.share:
            device.apps[banned.package] = _banned(banned, sideloaded=chance.random() < 0.2)
        # On the personal side apps of this kind are about twice as common, and nobody sees them there.
        if kind is not Enrolment.fully_managed and chance.random() < 2 * banned.share:
            device.personal[banned.package] = _banned(banned, sideloaded=False)
    if kind is not Enrolment.fully_managed:
        for package in _PERSONAL:
            device.personal[package] = App(package, package.rsplit(".", 1)[1].title())
    return device


def _ordinary_apps(spec: FleetSpec, chance: random.Random) -> list[App]:
    system = App("com.android.settings", "Settings", source="SYSTEM_APP_FACTORY_VERSION", installer="")
    mail = App("org.lighthouses.mail", "Lighthouse Mail", signer=_signer("org.lighthouses.mail"))
    ordinary = _ORDINARY.split()
    names = chance.sample(ordinary, k=max(0, min(len(ordinary), spec.apps_per_device - 2)))
    return [system, mail] + [App(f"org.example.{name.lower()}", name, signer=_signer(name)) for name in names]


def _banned(banned: BannedApp, *, sideloaded: bool) -> App:
    signer = banned.signer or _signer(banned.package)
    if sideloaded:
        return App(banned.package, banned.name, signer=signer, source=SIDELOADED, installer="")
    return App(banned.package, banned.name, signer=signer)


def _guarantee(spec: FleetSpec, devices: list[SimDevice]) -> None:
    """Turn ordinary fully managed devices into holders of the guaranteed kinds, where the draw gave none."""
    if not spec.banned:
        return
    banned = spec.banned[0]
    ordinary = [
        device
        for device in devices
        if device.enrolment is Enrolment.fully_managed and device.behaviour is Behaviour.normal
    ]
    for behaviour in spec.guaranteed:
        if any(device.behaviour is behaviour and banned.package in device.apps for device in devices) or not ordinary:
            continue
        device = ordinary.pop()
        device.behaviour = behaviour
        device.apps[banned.package] = _banned(banned, sideloaded=False)


def _slug(department: str) -> str:
    """A part of a policy name: letters and digits of the name's first language."""
    return "-".join(re.findall(r"[a-z0-9]+", department.split(" / ", maxsplit=1)[0].lower()))


def _signer(subject: str) -> str:
    """A made-up but stable certificate fingerprint."""
    return hashlib.sha256(f"signer of {subject}".encode()).hexdigest()
