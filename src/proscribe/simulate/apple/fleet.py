"""A fictional fleet from a seed: every class of enrolment, every system version, and people of every kind."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from proscribe.simulate.apple.phone import Phone
from proscribe.simulate.apple.spec import App, Behaviour, Person, PhoneSpec
from proscribe.simulate.chance import pick
from proscribe.terms import Enrolment


@dataclass(frozen=True, slots=True)
class BannedApp:
    """An app that some phones hold. ``share`` is the part of the phones that have it."""

    id: str
    name: str
    share: float = 0.2
    managed_share: float = 0.15  # of those that have it: the organisation had installed it itself
    store_id: int = 0


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """What a fleet looks like. The same spec gives the same fleet. Shares are parts of 1 and add up to at most 1."""

    phones: int = 200
    departments: tuple[str, ...] = ("Charts", "Keepers", "Lamps", "Tides")
    banned: tuple[BannedApp, ...] = (
        BannedApp("com.tencent.xin", "WeChat", store_id=414478124),
        BannedApp("com.kaspersky.safebrowser", "Kaspersky", share=0.08),
    )
    unsupervised_share: float = 0.2
    user_enrolment_share: float = 0.15
    ipad_share: float = 0.2
    systems: tuple[str, ...] = ("14.8", "15.8", "16.7", "17.6", "18.5", "26.1", "27.0")
    behaviours: tuple[tuple[Behaviour, float], ...] = (
        (Behaviour.locked, 0.05),
        (Behaviour.refuses, 0.05),
        (Behaviour.reinstaller, 0.02),
        (Behaviour.declared, 0.02),
        (Behaviour.offline, 0.03),
        (Behaviour.leaver, 0.01),
        (Behaviour.wiped, 0.01),
        (Behaviour.upgrader, 0.02),
    )
    ordinary_apps: int = 6
    seed: int = 1
    guaranteed: tuple[Behaviour, ...] = (
        # at least one holder of the first banned app behaves so: a rehearsal must be able to show each of them
        Behaviour.locked,
        Behaviour.refuses,
        Behaviour.reinstaller,
        Behaviour.declared,
        Behaviour.offline,
        Behaviour.wiped,
        Behaviour.upgrader,
    )


_PRODUCTS = {"iPhone": ("iPhone13,2", "iPhone14,5", "iPhone15,4", "iPhone17,3"), "iPad": ("iPad12,1", "iPad13,18")}
_ORDINARY = "Maps Ledger Radio Tides Charts Scanner Torch Compass Reader Forms Recorder Gallery"
_MAIL = App("org.lighthouses.mail", "Lighthouse Mail", managed=True)

PEOPLE: dict[Behaviour, Person] = {
    Behaviour.locked: Person(locked_for=3),
    Behaviour.refuses: Person(accepts=False),
    Behaviour.reinstaller: Person(reinstalls_after=2),
    Behaviour.offline: Person(offline_from=2, offline_for=6),
    Behaviour.leaver: Person(leaves_at=3),
    Behaviour.wiped: Person(wiped_at=4),
    Behaviour.upgrader: Person(upgrades_at=4, upgrades_to="27.0"),
}
"""The habits of each behaviour in a fleet."""


def make_phones(spec: FleetSpec) -> list[Phone]:
    """The phones of a spec, none of them enrolled."""
    return [Phone(phone) for phone in make_specs(spec)]


def make_specs(spec: FleetSpec) -> list[PhoneSpec]:
    """What the phones of a spec are, without the phones."""
    chance = random.Random(spec.seed)  # noqa: S311 (a rehearsal, not a secret)
    specs = [_phone(spec, chance, number) for number in range(spec.phones)]
    _guarantee(spec, specs)
    return specs


def _phone(spec: FleetSpec, chance: random.Random, number: int) -> PhoneSpec:
    enrolment = pick(
        chance,
        (
            (Enrolment.unsupervised, spec.unsupervised_share),
            (Enrolment.user_enrolment, spec.user_enrolment_share),
        ),
        Enrolment.supervised,
    )
    model = "iPad" if chance.random() < spec.ipad_share else "iPhone"
    digits = hashlib.sha256(f"{spec.seed} {number}".encode()).hexdigest().upper()
    phone = PhoneSpec(
        udid=f"{8110 + number % 20:08d}-{digits[:16]}",
        serial=f"NL{number:05d}{digits[16:21]}",
        name=f"{model} {number}",
        product=chance.choice(_PRODUCTS[model]),
        os=chance.choice(spec.systems),
        enrolment=enrolment,
        department=chance.choice(spec.departments),
        apps=_apps(spec, chance),
    )
    return _behaving(phone, pick(chance, spec.behaviours, Behaviour.ordinary), spec.banned)


def _apps(spec: FleetSpec, chance: random.Random) -> tuple[App, ...]:
    ordinary = _ORDINARY.split()
    names = chance.sample(ordinary, k=min(len(ordinary), spec.ordinary_apps))
    held = [
        App(app.id, app.name, "8.0.50", managed=chance.random() < app.managed_share, store_id=app.store_id)
        for app in spec.banned
        if chance.random() < app.share
    ]
    return (_MAIL, *(App(f"org.example.{name.lower()}", name) for name in names), *held)


def _behaving(phone: PhoneSpec, behaviour: Behaviour, banned: Sequence[BannedApp]) -> PhoneSpec:
    """The phone with the habits of a behaviour. Only who can be asked can refuse, and the like."""
    if behaviour is Behaviour.declared:
        ids = {app.id for app in banned}
        apps = tuple(replace(app, declared=True, managed=False) if app.id in ids else app for app in phone.apps)
        if _major(phone) < 18 or apps == phone.apps:
            return phone
        phone = replace(phone, apps=apps)
    return replace(phone, behaviour=behaviour, person=PEOPLE.get(behaviour, Person()))


def _guarantee(spec: FleetSpec, phones: list[PhoneSpec]) -> None:
    """Turn ordinary holders into those of the guaranteed kinds, where the draw gave none."""
    if not spec.banned:
        return
    first = spec.banned[0]

    def holds(phone: PhoneSpec) -> bool:
        return any(app.id == first.id for app in phone.apps)

    for behaviour in spec.guaranteed:
        if any(phone.behaviour is behaviour and holds(phone) and _fits(phone, behaviour) for phone in phones):
            continue
        for at, phone in enumerate(phones):
            if phone.behaviour is Behaviour.ordinary and _fits(phone, behaviour):
                own = App(first.id, first.name, "8.0.50", store_id=first.store_id)
                others = tuple(app for app in phone.apps if app.id != first.id)
                phones[at] = _behaving(replace(phone, apps=(*others, own)), behaviour, spec.banned)
                break


def _fits(phone: PhoneSpec, behaviour: Behaviour) -> bool:
    """Whether the behaviour shows on a phone of this class."""
    if behaviour is Behaviour.refuses:
        return phone.enrolment is Enrolment.unsupervised
    if behaviour is Behaviour.upgrader:
        return phone.enrolment is Enrolment.supervised and _major(phone) == 26
    if behaviour is Behaviour.declared:
        return phone.enrolment is Enrolment.supervised and _major(phone) >= 18
    return phone.enrolment is Enrolment.supervised


def _major(phone: PhoneSpec) -> int:
    return int(phone.os.split(".", maxsplit=1)[0])
