"""The devices in scope of a directive, and which of them are exempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from proscribe.evaluate.model import DeviceStatus
from proscribe.inventory.model import Scope
from proscribe.plan.model import Exemption, Hold


@dataclass(frozen=True)
class Fleet:
    """Every device in scope, by key, by scope, and those that must not be touched."""

    statuses: Mapping[str, DeviceStatus]
    scopes: Mapping[tuple[str, str], Scope]
    members: Mapping[tuple[str, str], tuple[str, ...]]  # (system, scope) -> devices in scope of the directive
    exempt: Mapping[str, Exemption]
    elsewhere: Mapping[str, tuple[str, ...]]  # system -> exempt devices it manages too, under a policy not known here
    held: Mapping[str, Hold] = field(default_factory=dict)  # devices under a records hold: nothing is removed there

    def total(self, system: str, scope: str) -> int:
        """Devices that a change to the scope reaches, those outside the directive included."""
        known = self.scopes.get((system, scope))
        return max(len(self.members.get((system, scope), ())), known.devices if known else 0)

    def exempt_in(self, system: str, scope: str) -> tuple[str, ...]:
        """The exempt devices that a change to the scope would reach, or may reach."""
        own = [device for device in self.members.get((system, scope), ()) if device in self.exempt]
        return tuple(sorted({*own, *self.elsewhere.get(system, ())}))

    def held_in(self, system: str, scope: str) -> tuple[str, ...]:
        """The devices under a records hold that a change to the scope would reach, or may reach."""
        own = [device for device in self.members.get((system, scope), ()) if device in self.held]
        foreign = [
            key
            for key in self.held
            if key.partition(":")[0] == system and key not in self.statuses  # led by another system's key
        ]
        return tuple(sorted({*own, *foreign}))


def exemption_of(
    device: str, exempt: Mapping[str, Exemption], aliases: Mapping[str, tuple[str, ...]]
) -> Exemption | None:
    """The exemption that protects a device, by whichever of its keys; of several the one that lasts longest."""
    found = [exempt[key] for key in (device, *aliases.get(device, ())) if key in exempt]
    return max(found, key=lambda one: (one.expires, one.id)) if found else None


def read_fleet(
    statuses: Iterable[DeviceStatus],
    scopes: Iterable[Scope],
    exempt: Mapping[str, Exemption],
    aliases: Mapping[str, tuple[str, ...]],
    held: Mapping[str, Hold] | None = None,
) -> Fleet:
    """Index the fleet. An exemption that names a device by its key in another system protects it all the same.

    ``held``: the devices under a records hold, by every key (``holds.held_devices``).
    """
    by_device = {status.device: status for status in statuses}
    members: dict[tuple[str, str], list[str]] = {}
    for status in by_device.values():
        if status.scope:
            members.setdefault((status.system, status.scope), []).append(status.device)
    spared: dict[str, Exemption] = {}
    elsewhere: dict[str, list[str]] = {}
    for device, status in by_device.items():
        exemption = exemption_of(device, exempt, aliases)
        if exemption is None:
            continue
        spared[device] = exemption
        for key in aliases.get(device, ()):
            system = key.partition(":")[0]
            if system != status.system:
                elsewhere.setdefault(system, []).append(device)
    return Fleet(
        statuses=by_device,
        scopes={(scope.system, scope.id): scope for scope in scopes},
        members={key: tuple(sorted(devices)) for key, devices in members.items()},
        exempt=spared,
        elsewhere={system: tuple(sorted(devices)) for system, devices in elsewhere.items()},
        held=held or {},
    )
