"""Who goes first: steps into waves, the smallest scopes into the canary (DESIGN rule 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from proscribe.plan.fleet import Fleet
from proscribe.plan.limits import allowed
from proscribe.plan.model import Reach, Ring, Step, Unlimited, Verb, Wave

LAST = "last"
"""The name of the wave for what no ring has room for."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """The steps of one scope. They go together: half a ban on a scope proves nothing about the other half."""

    key: tuple[str, str]
    steps: tuple[Step, ...]
    devices: int


def parcels(steps: Sequence[Step], fleet: Fleet) -> tuple[Parcel, ...]:
    """Steps by scope, the smallest scopes first; within one, blocking before removing (DESIGN rule 6)."""
    by_scope: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        by_scope.setdefault(home(step, fleet), []).append(step)
    found = [Parcel(key, tuple(sorted(group, key=_order)), reached(group, fleet)) for key, group in by_scope.items()]
    return tuple(sorted(found, key=lambda parcel: (parcel.devices, parcel.key)))


def home(step: Step, fleet: Fleet) -> tuple[str, str]:
    """The scope a step belongs to; for a step on one device, the scope that configures the device."""
    if step.reach is Reach.device and step.scope in fleet.statuses:
        return step.system, fleet.statuses[step.scope].scope or step.scope
    return step.system, step.scope


def reached(steps: Sequence[Step], fleet: Fleet) -> int:
    """Distinct devices whose configuration some steps change."""
    shared = {(step.system, step.scope) for step in steps if step.reach is not Reach.device}
    inside = {device for scope in shared for device in fleet.members.get(scope, ())}
    single = {step.scope for step in steps if step.reach is Reach.device} - inside
    return sum(fleet.total(*scope) for scope in shared) + len(single)


def arrange(steps: Sequence[Step], rings: Sequence[Ring], fleet: Fleet) -> tuple[tuple[Step, ...], tuple[Wave, ...]]:
    """Number the steps and describe the waves, from 1. Every step is in exactly one wave.

    A ring takes scopes as long as its share of the reached devices has room, and at least one, for a shared policy
    cannot be split. What no ring has room for goes into a last wave.
    """
    waiting = list(parcels(steps, fleet))
    everything = sum(parcel.devices for parcel in waiting)
    rate = rings[-1].success_rate if rings else 1.0
    numbered: list[Step] = []
    waves: list[Wave] = []
    for ring in (*rings, Ring(LAST, Unlimited(), rate)):
        taken = _take(waiting, ring, everything)
        if not taken:
            continue
        waiting = waiting[len(taken) :]
        number = len(waves) + 1
        inside = [replace(step, wave=number) for parcel in taken for step in parcel.steps]
        numbered.extend(inside)
        size = sum(parcel.devices for parcel in taken)
        waves.append(Wave(number, ring.name, tuple(step.id for step in inside), size, ring.success_rate))
    return tuple(numbered), tuple(waves)


def _take(waiting: Sequence[Parcel], ring: Ring, everything: int) -> Sequence[Parcel]:
    room = allowed(ring.size, everything)
    if isinstance(room, Unlimited):
        return waiting
    taken = 0
    size = 0
    for parcel in waiting:
        size += parcel.devices
        if size > room and taken > 0:
            break
        taken += 1
        if size > room:
            break
    return waiting[:taken]


def _order(step: Step) -> tuple[bool, str, str]:
    return set(step.verbs) == {Verb.remove}, step.method, step.id
