"""From methods and devices to changes: one for each shared policy or group, one for each device otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from proscribe.canonical import digest_json
from proscribe.evaluate.model import DeviceStatus, Finding
from proscribe.inventory.model import Scope
from proscribe.plan.decide import Decision, Use, joined
from proscribe.plan.fleet import Fleet
from proscribe.plan.model import Effect, Reach, Refusal, RefusalReason, Step, Verb
from proscribe.plan.ports import Objection, System
from proscribe.plan.wanted import KEEP_OUT, Wanted
from proscribe.plan.wording import (
    exempt_in_scope,
    more_than_asked,
    outside_directive,
    records_hold,
    scope_not_read,
    stale_holder,
)
from proscribe.terms import Platform, Side
from proscribe.text import Text

UnitKey = tuple[str, str, str, bool]
"""System, scope (or device key), method, and whether it is the personal side: those entries are kept apart."""


@dataclass(slots=True)
class Unit:
    """One change in the making."""

    key: UnitKey
    reach: Reach
    held_only: bool  # made for a device that holds the app, and for no other
    uses: set[Use] = field(default_factory=set)
    members: dict[str, Use] = field(default_factory=dict)  # devices that call for it, and by which use

    @property
    def side(self) -> Side:
        """The side it is about; where one list serves several, the whole device."""
        sides = {use.side for use in self.uses}
        return sides.pop() if len(sides) == 1 else Side.whole


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a unit: a step, a refusal, or (neither) everything is in place."""

    step: Step | None = None
    refusal: Refusal | None = None
    left: frozenset[str] = frozenset()  # app ids not in place yet


def unit_key(status: DeviceStatus, use: Use) -> UnitKey:
    """The unit by which a use reaches a device."""
    scope = status.device if use.reach is Reach.device else status.scope
    return status.system, scope, use.method, use.side is Side.personal


def gather(
    statuses: Iterable[DeviceStatus], decisions: Mapping[str, Decision], holdings: Mapping[str, list[Finding]]
) -> dict[UnitKey, Unit]:
    """The units that the devices call for. A method that only removes, device by device, is for holders alone."""
    units: dict[UnitKey, Unit] = {}
    for status in statuses:
        for use in decisions[status.device].uses:
            held_only = use.reach is Reach.device and not use.verbs & KEEP_OUT
            if held_only and not any(touches(finding, use) for finding in holdings.get(status.device, ())):
                continue
            key = unit_key(status, use)
            unit = units.setdefault(key, Unit(key, use.reach, held_only))
            unit.uses.add(use)
            unit.members[status.device] = use
    return units


def instead_of(
    held_back: Mapping[UnitKey, Unit], decisions: Mapping[str, Decision], fleet: Fleet
) -> dict[UnitKey, tuple[Unit, tuple[UnitKey, ...]]]:
    """The units that block in place of those which a records hold keeps back, each with those it stands in for."""
    found: dict[UnitKey, tuple[Unit, tuple[UnitKey, ...]]] = {}
    for key, unit in held_back.items():
        for device, kept in unit.members.items():
            for use in decisions[device].instead:
                if use.side is not kept.side or use.reach is not unit.reach:
                    continue
                other = unit_key(fleet.statuses[device], use)
                made, of = found.setdefault(other, (Unit(other, use.reach, held_only=False), ()))
                made.uses.add(use)
                made.members[device] = use
                found[other] = (made, of if key in of else (*of, key))
    return found


def ride_along(
    units: Mapping[UnitKey, Unit], statuses: Iterable[DeviceStatus], decisions: Mapping[str, Decision]
) -> None:
    """Add devices that call for nothing themselves to the shared changes that reach them all the same.

    So a step names every known holder whose app it takes away, and the removal limit counts it.
    """
    for status in statuses:
        for use in decisions[status.device].uses:
            unit = units.get(unit_key(status, use))
            if unit is not None and unit.reach is not Reach.device:
                unit.members[status.device] = use


def touches(finding: Finding, use: Use) -> bool:
    """Whether the app of a finding is on the side that a use is about. An app of unknown side may be on any."""
    return finding.side is use.side or bool({finding.side, use.side} & {Side.whole, Side.unknown})


class Settler:
    """Settles units one by one; every refusal it gives leaves one scope out and lets the others go on."""

    def __init__(
        self, fleet: Fleet, wanted: Wanted, holdings: Mapping[str, list[Finding]], systems: Mapping[str, System]
    ) -> None:
        self._fleet, self._wanted, self._holdings, self._systems = fleet, wanted, holdings, systems

    def ids_of(self, finding: Finding) -> frozenset[str]:
        """The app ids by which a finding would be acted upon; for a mere name, all ids of its product."""
        if finding.app_id:
            return frozenset({finding.app_id})
        known = self._wanted.ids.get(finding.platform, {})
        return frozenset(
            app for app in known if finding.product and finding.product in self._wanted.products(app, finding.platform)
        )

    def settle(self, unit: Unit) -> Settled:
        """What becomes of one unit."""
        return self._settle_held(unit) if unit.held_only else self._settle_shared(unit, self._ids(unit))

    def settle_instead(self, unit: Unit, ids: frozenset[str]) -> Settled:
        """What becomes of a unit that only blocks, for the app ids whose removal is held back."""
        return self._settle_shared(unit, ids)

    def _settle_shared(self, unit: Unit, ids: frozenset[str]) -> Settled:
        system, scope_id, method, _ = unit.key
        scope = self._fleet.scopes.get((system, scope_id))
        devices = tuple(sorted(unit.members))
        if scope is None:
            what, remedy = scope_not_read(system, scope_id)
            return Settled(refusal=_refusal(RefusalReason.scope_unread, unit, devices, what, remedy), left=ids)
        left = ids - self._systems[system].in_place(scope, method, unit.side)
        if not left:
            return Settled()
        exempt = self._exempt(unit)
        if exempt:
            what, remedy = exempt_in_scope(system, scope_id, exempt, known=not self._fleet.elsewhere.get(system))
            return Settled(
                refusal=_refusal(RefusalReason.exempt_in_shared_scope, unit, devices, what, remedy), left=left
            )
        kept = self._kept(unit)
        if kept:
            what, remedy = records_hold(kept, self._fleet.held)
            named = _named(system, scope_id)
            return Settled(refusal=_refusal(RefusalReason.records_hold, unit, devices, named + what, remedy), left=left)
        return self._with_objections(unit, scope, left)

    def _settle_held(self, unit: Unit) -> Settled:
        system, device, _, _ = unit.key
        use = unit.members[device]
        status = self._fleet.statuses[device]
        found = [
            finding
            for finding in self._holdings[device]
            if finding.app_id and touches(finding, use) and use.removes(finding.held.value)
        ]
        left = frozenset(finding.app_id for finding in found)
        if not left:
            return Settled()
        if any(finding.stale for finding in found):
            what, remedy = stale_holder(system)
            return Settled(refusal=_refusal(RefusalReason.stale_inventory, unit, (device,), what, remedy), left=left)
        own = self._fleet.scopes.get((system, device))  # what its system says of this very device
        if own is not None:
            left -= self._systems[system].in_place(own, unit.key[2], unit.side)
            if not left:
                return Settled()
        if device in self._fleet.held:
            what, remedy = records_hold((device,), self._fleet.held)
            return Settled(refusal=_refusal(RefusalReason.records_hold, unit, (device,), what, remedy), left=left)
        scope = own or self._fleet.scopes.get((system, status.scope)) or Scope(system, device, 0, 1, "{}")
        return self._with_objections(unit, scope, left)

    def _with_objections(self, unit: Unit, scope: Scope, left: frozenset[str]) -> Settled:
        system, scope_id, method, _ = unit.key
        raised = self._systems[system].objections(scope, method, unit.side, tuple(sorted(left)))
        against = [objection for objection in raised if objection.blocks]
        apart = frozenset(app for objection in against for app in objection.app_ids)
        if against and all(objection.app_ids for objection in against) and left - apart:
            return self._with_objections(unit, scope, left - apart)
        if against:
            refusal = _refusal(
                RefusalReason.preflight,
                unit,
                tuple(sorted(unit.members)),
                _named(system, scope_id) + joined(objection.what for objection in against),
                joined(objection.remedy for objection in against),
            )
            return Settled(refusal=refusal, left=left)
        return Settled(step=self._step(unit, scope, left, raised), left=left)

    def _step(self, unit: Unit, scope: Scope, left: frozenset[str], raised: Iterable[Objection]) -> Step:
        system, scope_id, method, _ = unit.key
        rows = sorted({row for use in unit.uses for row in use.rows}, key=lambda row: row.id)
        verbs = tuple(verb for verb in Verb if any(row.verb is verb for row in rows))
        holders = tuple(sorted(device for device, use in unit.members.items() if self._holds(device, use, left)))
        reached = 1 if unit.reach is Reach.device else self._fleet.total(system, scope_id)
        inside = 1 if unit.reach is Reach.device else len(self._fleet.members.get((system, scope_id), ()))
        warnings = [objection.what for objection in raised]
        warnings.extend(outside_directive(reached - inside))
        warnings.extend(more_than_asked(frozenset(verbs) - self._wanted.verbs, self._wanted))
        version = scope.version if scope.id == scope_id else 0
        return Step(
            id=_step_id(unit, version, left),
            system=system,
            reach=unit.reach,
            scope=scope_id,
            scope_version=version,
            method=method,
            side=unit.side,
            verbs=verbs,
            app_ids=tuple(sorted(left)),
            targets=tuple(sorted({target for app in left for target in self._targets(unit, app)})),
            holders=holders,
            collateral=reached - len(holders),
            effect=Effect.blind if any(row.effect is Effect.blind for row in rows) else Effect.full,
            proved_by=joined(row.proved_by for row in rows),
            undo=joined(row.undo for row in rows),
            wave=0,
            warnings=tuple(warnings),
        )

    def _holds(self, device: str, use: Use, left: frozenset[str]) -> bool:
        return any(touches(finding, use) and self.ids_of(finding) & left for finding in self._holdings.get(device, ()))

    def _platforms(self, unit: Unit) -> set[Platform]:
        return {self._fleet.statuses[device].platform for device in unit.members}

    def _ids(self, unit: Unit) -> frozenset[str]:
        return frozenset(app for platform in self._platforms(unit) for app in self._wanted.ids.get(platform, {}))

    def _targets(self, unit: Unit, app: str) -> set[str]:
        return {
            target
            for platform in self._platforms(unit)
            for target in self._wanted.ids.get(platform, {}).get(app, frozenset())
        }

    def _kept(self, unit: Unit) -> tuple[str, ...]:
        """The devices under a records hold from which this change would remove an app."""
        if not any(Verb.remove in use.verbs for use in unit.uses):
            return ()
        if unit.reach is Reach.device:
            return tuple(sorted(device for device in unit.members if device in self._fleet.held))
        return self._fleet.held_in(unit.key[0], unit.key[1])

    def _exempt(self, unit: Unit) -> tuple[str, ...]:
        if unit.reach is Reach.device:
            return ()  # exempt devices call for no unit of their own
        return self._fleet.exempt_in(unit.key[0], unit.key[1])


def _refusal(reason: RefusalReason, unit: Unit, devices: tuple[str, ...], what: Text, remedy: Text) -> Refusal:
    return Refusal(reason, unit.key[0], unit.key[1], "", devices, what, remedy, blocks=False)


def _named(system: str, scope: str) -> Text:
    return Text(f"{system}, {scope}: ", f"{system}, {scope} : ")


def _step_id(unit: Unit, version: int, left: frozenset[str]) -> str:
    """Stable for the same change to the same version of a scope; a scope that has moved on gives another."""
    system, scope, method, personal = unit.key
    body = {"system": system, "scope": scope, "version": version, "method": method, "personal": personal}
    return "step-" + digest_json({**body, "apps": sorted(left)}).removeprefix("sha256:")[:16]
