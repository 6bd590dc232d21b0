"""From findings to a plan: what will be done, to what, in which order, and what will not be done and why.

Pure: no network, no clock, no file. The same inputs give the same plan, save for ``created_at``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from proscribe.canonical import Digest, digest_json
from proscribe.clock import utc
from proscribe.documents import digest, to_json
from proscribe.evaluate.model import DeviceStatus, Presence
from proscribe.plan import gates, wording
from proscribe.plan.capability import all_rows, digest_rows
from proscribe.plan.decide import Decision, Denial, DeviceClass, decide
from proscribe.plan.exemptions import active, exempt_devices
from proscribe.plan.fleet import Fleet, read_fleet
from proscribe.plan.holds import held_devices
from proscribe.plan.inputs import PlanInputs
from proscribe.plan.model import Capability, Exemption, Plan, Reach, Refusal, RefusalReason, Step, Verb
from proscribe.plan.tally import Tally
from proscribe.plan.units import Settled, Settler, Unit, UnitKey, gather, instead_of, ride_along, touches, unit_key
from proscribe.plan.wanted import BY_ID, Holdings, Wanted, read_findings, wanted
from proscribe.plan.waves import arrange
from proscribe.terms import Platform
from proscribe.text import Text

_PLATFORMS_BY_ID = frozenset(platform for platforms in BY_ID.values() for platform in platforms)


def make_plan(inputs: PlanInputs) -> Plan:
    """Plan one directive on one snapshot. Raises InvalidExemption where the register cannot be trusted."""
    exemptions = active(inputs.register, inputs.directive, inputs.now)
    holdings = read_findings(inputs.findings, inputs.targets)
    asked = wanted(inputs.directive, inputs.targets, holdings)
    protected, spared = gates.protected_refusals(inputs, asked)
    held = held_devices(inputs.holds.holds, inputs.aliases, inputs.now)
    scopes = (*inputs.snapshot.manifest.scopes, *inputs.device_scopes)
    fleet = read_fleet(inputs.statuses, scopes, exempt_devices(exemptions), inputs.aliases, held)
    rows = _rows(inputs)
    work = _Work(inputs, asked.without(spared), holdings, fleet, rows)
    work.run()
    steps, waves = arrange(work.steps, inputs.policy.rings, fleet)
    counts = work.tally.counts(fleet)
    refusals = [
        *gates.directive_refusals(inputs, asked),
        *protected,
        *gates.age_refusals(inputs),
        *gates.limit_refusals(inputs, steps, counts, fleet),
        *work.refusals,
        *gates.target_refusals(inputs, holdings),
    ]
    plan = Plan(
        created_at=utc(inputs.now),
        directive=inputs.directive.id,
        directive_digest=digest(inputs.directive),
        targets_digest=digest(inputs.targets),
        snapshot_digest=inputs.snapshot.digest,
        capabilities_digest=digest_rows(rows),
        exemptions_digest=digest(inputs.register),
        policy=inputs.policy,
        counts=counts,
        steps=steps,
        waves=waves,
        refusals=tuple(sorted(_merged(refusals), key=_order)),
        basis=Digest(""),
        follow_recommended=inputs.follow_recommended,
    )
    return replace(plan, basis=_basis(plan, exemptions))


def _rows(inputs: PlanInputs) -> tuple[Capability, ...]:
    """The rows known. A configured system speaks for itself: what ships about it may need what is not set up here."""
    own = [row for system in inputs.systems.values() for row in system.capabilities]
    given = {row.id for row in own}
    return tuple(row for row in all_rows(own) if row.system not in inputs.systems or row.id in given)


@dataclass
class _Work:
    """The devices of one plan, class by class, then scope by scope."""

    inputs: PlanInputs
    wanted: Wanted
    holdings: Holdings
    fleet: Fleet
    rows: tuple[Capability, ...]
    steps: list[Step] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    by_class: dict[DeviceClass, Decision] = field(default_factory=dict)

    def run(self) -> None:
        """Fill ``steps``, ``refusals`` and ``tally``."""
        subject = [status for device, status in self.fleet.statuses.items() if device not in self.fleet.exempt]
        self._exempt()
        self._stale(subject)
        if self.wanted.verbs:
            unsure = [status for status in subject if status.scope_unsure]
            self._unsure(unsure)
            sure = self._identified(status for status in subject if not status.scope_unsure)
            self._settle(self._decide(sure), unsure)

    def _exempt(self) -> None:
        by_exemption: dict[Exemption, list[str]] = {}
        for device, exemption in self.fleet.exempt.items():
            by_exemption.setdefault(exemption, []).append(device)
        for exemption, devices in by_exemption.items():
            self.refusals.append(gates.refusal(RefusalReason.exempt, wording.exempt(exemption), devices=devices))

    def _stale(self, subject: Iterable[DeviceStatus]) -> None:
        by_system: dict[str, list[str]] = {}
        for status in subject:
            if status.presence is Presence.stale:
                by_system.setdefault(status.system, []).append(status.device)
        for system, devices in by_system.items():
            words = wording.stale_devices(system)
            self.refusals.append(gates.refusal(RefusalReason.stale_inventory, words, devices=devices, system=system))

    def _unsure(self, unsure: Iterable[DeviceStatus]) -> None:
        """Devices that may not be the directive's at all: acting on their account would be a guess."""
        by_system: dict[str, list[str]] = {}
        for status in unsure:
            by_system.setdefault(status.system, []).append(status.device)
            self.tally.cannot.add(status.device)
        for system, devices in by_system.items():
            words = wording.scope_unsure(system)
            self.refusals.append(gates.refusal(RefusalReason.scope_unsure, words, devices=devices, system=system))

    def _identified(self, subject: Iterable[DeviceStatus]) -> list[DeviceStatus]:
        """The devices of platforms for which at least one identifier may drive a change."""
        without: dict[Platform, list[str]] = {}
        found: list[DeviceStatus] = []
        for status in subject:
            if status.platform in _PLATFORMS_BY_ID and not self.wanted.ids.get(status.platform):
                without.setdefault(status.platform, []).append(status.device)
            else:
                found.append(status)
        for platform, devices in without.items():
            words = wording.no_identifier(platform)
            self.refusals.append(gates.refusal(RefusalReason.no_identifier, words, devices=devices))
            self.tally.cannot.update(devices)
        return found

    def _decision(self, status: DeviceStatus) -> Decision:
        one = DeviceClass.of(status)
        if one not in self.by_class:
            configured = one.system in self.inputs.systems
            self.by_class[one] = decide(one, self.wanted, self.rows, configured=configured)
        return self.by_class[one]

    def _decide(self, subject: Iterable[DeviceStatus]) -> dict[str, Decision]:
        decisions: dict[str, Decision] = {}
        denied: dict[tuple[str, Denial], list[str]] = {}
        for status in subject:
            decision = decisions[status.device] = self._decision(status)
            for denial in decision.denials:
                if denial.holders_only and status.device not in self.holdings.by_device:
                    continue
                denied.setdefault((status.system, denial), []).append(status.device)
                # A side nobody can see does not undo what is done on the other one.
                if denial.reason is not RefusalReason.invisible or not decision.uses:
                    self.tally.cannot.add(status.device)
        for (system, denial), devices in denied.items():
            words = (denial.what, denial.remedy)
            self.refusals.append(gates.refusal(denial.reason, words, devices=devices, system=system))
        return decisions

    def _settle(self, decisions: Mapping[str, Decision], unsure: Iterable[DeviceStatus]) -> None:
        statuses = [self.fleet.statuses[device] for device in decisions]
        units = gather(statuses, decisions, self.holdings.by_device)
        beside = {status.device: self._decision(status) for status in unsure}
        ride_along(units, [self.fleet.statuses[device] for device in beside], beside)
        settler = Settler(self.fleet, self.wanted, self.holdings.by_device, self.inputs.systems)
        settled: dict[UnitKey, Settled] = {}
        preserve = wording.preserve_first(self.inputs.directive)
        for key in sorted(units):
            result = settled[key] = settler.settle(units[key])
            if result.step is not None:
                removes = Verb.remove in result.step.verbs
                self._take(result.step, preserve if removes else ())
            if result.refusal is not None:
                self.refusals.append(result.refusal)
                self.tally.cannot.update(units[key].members)
        self._instead(units, {**decisions, **beside}, settler, settled)
        self._holders({**decisions, **beside}, settler, settled)

    def _take(self, step: Step, warnings: tuple[Text, ...]) -> None:
        self.steps.append(replace(step, warnings=step.warnings + warnings))
        self._count_step(step)

    def _instead(
        self,
        units: Mapping[UnitKey, Unit],
        decisions: Mapping[str, Decision],
        settler: Settler,
        settled: Mapping[UnitKey, Settled],
    ) -> None:
        """Block by other means where a records hold keeps back a change that would also remove."""
        held_back = {
            key: unit
            for key, unit in units.items()
            if (refusal := settled[key].refusal) is not None and refusal.reason is RefusalReason.records_hold
        }
        for key, (unit, stands_for) in sorted(instead_of(held_back, decisions, self.fleet).items()):
            if key in units:
                continue
            ids = frozenset(app for other in stands_for for app in settled[other].left)
            result = settler.settle_instead(unit, ids)
            if result.step is not None:
                self._take(result.step, wording.kept_by_hold())
            if result.refusal is not None:
                self.refusals.append(result.refusal)

    def _count_step(self, step: Step) -> None:
        if step.reach is Reach.device:
            self.tally.reached.add(step.scope)
        else:
            self.tally.reached.update(self.fleet.members.get((step.system, step.scope), ()))

    def _holders(self, decisions: Mapping[str, Decision], settler: Settler, settled: Mapping[UnitKey, Settled]) -> None:
        """What becomes of each device that holds the app, as far as removal is concerned."""
        beyond: dict[tuple[str, wording.Pair], list[str]] = {}
        for device, decision in decisions.items():
            status = self.fleet.statuses[device]
            for finding in self.holdings.by_device.get(device, ()):
                use = decision.remover(finding.side, finding.held.value)
                if use is None:
                    if not self.wanted.removal:
                        continue
                    self.tally.unmet.add(device)
                    known = not status.scope_unsure  # else it is refused for that reason, and for no other
                    if known and any(Verb.remove in one.verbs and touches(finding, one) for one in decision.uses):
                        words = wording.other_part(status.system, finding.held)
                        beyond.setdefault((status.system, words), []).append(device)
                    continue
                result = settled.get(unit_key(status, use), Settled())
                if not settler.ids_of(finding) or unit_key(status, use) not in settled:
                    self.tally.unmet.add(device)
                elif not settler.ids_of(finding) & result.left:
                    self.tally.waiting.add(device)
                elif result.step is not None:
                    self.tally.removed.add(device)
                else:
                    self.tally.unmet.add(device)
        for (system, words), devices in beyond.items():
            self.refusals.append(gates.refusal(RefusalReason.impossible, words, devices=set(devices), system=system))


def _merged(refusals: Iterable[Refusal]) -> Iterable[Refusal]:
    """Two sides of one scope, refused for one reason, are one refusal."""
    found: dict[tuple[RefusalReason, str, str, str, Text], Refusal] = {}
    for one in refusals:
        key = (one.reason, one.system, one.scope, one.target, one.what)
        other = found.get(key)
        devices = one.devices if other is None else tuple(sorted({*one.devices, *other.devices}))
        found[key] = replace(one, devices=devices)
    return found.values()


def _order(refusal: Refusal) -> tuple[bool, int, str, str, str, str]:
    """Blocking ones first, then by reason, so that the same world lists them in the same order."""
    position = list(RefusalReason).index(refusal.reason)
    return not refusal.blocks, position, refusal.system, refusal.scope, refusal.target, refusal.what.en


def _basis(plan: Plan, exemptions: Iterable[Exemption]) -> Digest:
    """The digest of all that decides. Times and sentences are left out: they may differ in an unchanged world."""
    return digest_json(
        {
            "directive": plan.directive_digest,
            "targets": plan.targets_digest,
            "capabilities": plan.capabilities_digest,
            "exemptions": [to_json(exemption) for exemption in sorted(exemptions, key=lambda one: one.id)],
            "policy": to_json(plan.policy),
            "follow_recommended": plan.follow_recommended,
            "steps": [_decisive(step) for step in plan.steps],
            "waves": [[wave.name, wave.success_rate, list(wave.steps)] for wave in plan.waves],
            "blocked_by": sorted({one.reason.value + "|" + one.target for one in plan.refusals if one.blocks}),
        }
    )


def _decisive(step: Step) -> dict[str, object]:
    return {
        "id": step.id,
        "verbs": [verb.value for verb in step.verbs],
        "effect": step.effect.value,
        "holders": list(step.holders),
        "collateral": step.collateral,
        "wave": step.wave,
    }


__all__ = ["PlanInputs", "make_plan"]
