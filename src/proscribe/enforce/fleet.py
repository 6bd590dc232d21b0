"""Judging a whole fleet: bring together what bears on each device, then judge one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from proscribe.canonical import Digest
from proscribe.enforce import reasons
from proscribe.enforce.keys import enforcements
from proscribe.enforce.means import EVERYWHERE
from proscribe.enforce.model import Action, ActionState, DeviceOutcome, Enforcement
from proscribe.enforce.outcomes import Case, DeviceFacts, judge
from proscribe.evaluate.model import DeviceStatus, Finding
from proscribe.inventory.model import Snapshot, Visibility
from proscribe.plan.exemptions import exempt_devices, in_force
from proscribe.plan.fleet import exemption_of, read_fleet
from proscribe.plan.model import Exemption, ExemptionRegister, Refusal, RefusalReason
from proscribe.text import Text

_HOPELESS = (RefusalReason.impossible, RefusalReason.no_connector)
_BATCH = 8192


@dataclass(frozen=True, slots=True)
class FleetCase:
    """What bears on the devices of one directive.

    ``once_held``: devices seen with the app in earlier judgements. ``decided_at``: when the plan was approved.
    ``aliases``: the other keys of devices that several systems manage (``plan.inputs.aliases_of``). ``unseen``: the
    (system, method) pairs whose effect no list can show (``order.unseen_methods``).
    """

    directive: str
    snapshot: Digest
    actions: tuple[Action, ...] = ()
    register: ExemptionRegister = field(default_factory=lambda: ExemptionRegister(()))
    refusals: tuple[Refusal, ...] = ()
    once_held: frozenset[str] = frozenset()
    decided_at: datetime | None = None
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unseen: frozenset[tuple[str, str]] = frozenset()


def judge_fleet(
    case: FleetCase,
    statuses: Iterable[DeviceStatus],
    findings: Iterable[Finding],
    facts: Mapping[str, DeviceFacts],
    now: datetime,
) -> Iterator[DeviceOutcome]:
    """One outcome for every status, in their order; a device without facts is one of which nothing is known."""
    by_device: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.directive == case.directive:
            by_device[finding.device].append(finding)
    desk = _Desk(case, now)
    for status in statuses:
        known = facts.get(status.device) or DeviceFacts(status.device)
        yield judge(status, known, desk.case_of(status, by_device.get(status.device, ())), now)


class _Desk:
    """The case's parts, looked up by device and by scope."""

    def __init__(self, case: FleetCase, now: datetime) -> None:
        self._snapshot = case.snapshot
        self._decided_at = case.decided_at
        self._aliases = case.aliases
        self._exempt = _exempt(case.directive, case.register, now)
        self._hopeless: dict[str, Text] = {}
        self._refused: dict[str, Text] = {}
        self._refused_scope: dict[tuple[str, str], Text] = {}
        for refusal in case.refusals:
            self._take(refusal)
        own = [action for action in case.actions if action.directive == case.directive]
        self._actions: dict[tuple[str, str], list[Action]] = defaultdict(list)
        self._holders = set(case.once_held)
        for action in own:
            if action.state is not ActionState.superseded:
                self._actions[action.system, action.scope].append(action)
            self._holders.update(action.holders)
        self._enforced: dict[tuple[str, str], list[Enforcement]] = defaultdict(list)
        for each in enforcements(own, case.unseen):
            self._enforced[each.system, each.scope].append(each)

    def _take(self, refusal: Refusal) -> None:
        table = self._hopeless if refusal.reason in _HOPELESS else self._refused
        for device in refusal.devices:
            table.setdefault(device, refusal.what)
        if not refusal.devices and refusal.scope:
            self._refused_scope.setdefault((refusal.system, refusal.scope), refusal.what)

    def case_of(self, status: DeviceStatus, findings: Iterable[Finding]) -> Case:
        """What bears on one device."""
        place = (status.system, status.scope)
        own = (status.system, status.device)  # orders to this very device
        exemption = exemption_of(status.device, self._exempt, self._aliases)
        return Case(
            snapshot=self._snapshot,
            findings=tuple(findings),
            enforcements=(*self._enforced.get(place, ()), *map(_timed, self._enforced.get(own, ()))),
            actions=(*self._actions.get(place, ()), *self._actions.get(own, ())),
            exempt=None if exemption is None else reasons.exempt(exemption.ground, exemption.expires),
            impossible=self._hopeless.get(status.device),
            refused=self._refused.get(status.device) or self._refused_scope.get(place),
            held=status.device in self._holders,
            decided_at=self._decided_at,
        )


def _timed(each: Enforcement) -> Enforcement:
    """An order to one device is no version of its scope's settings: only its moment can be held against a list."""
    return replace(each, version=0)


def device_facts(snapshot: Snapshot) -> dict[str, DeviceFacts]:
    """The facts of every device of a snapshot, by key."""
    import pyarrow.parquet as pq

    columns = ["key", "applied_scope", "applied_version", "remarks", "sees", "gives_ids", "stale_after_days"]
    found: dict[str, DeviceFacts] = {}
    with pq.ParquetFile(snapshot.devices) as table:
        for batch in table.iter_batches(batch_size=_BATCH, columns=columns):
            for row in batch.to_pylist():
                found[row["key"]] = DeviceFacts(
                    device=row["key"],
                    applied_scope=row["applied_scope"] or "",
                    applied_version=row["applied_version"] or 0,
                    remarks=tuple(row["remarks"] or ()),
                    sees=Visibility(row["sees"]),
                    gives_ids=bool(row["gives_ids"]),
                    stale_after_days=row["stale_after_days"] or 0,
                )
    return found


def barred_places(
    directive: str,
    statuses: Iterable[DeviceStatus],
    register: ExemptionRegister,
    now: datetime,
    *,
    aliases: Mapping[str, tuple[str, ...]] | None = None,
) -> frozenset[tuple[str, str]]:
    """The (system, scope) places that hold a device exempt from a directive on this day: nothing may be sent there.

    A device that another system manages too may be in any scope of that one: its place there is (system, "").
    """
    fleet = read_fleet(statuses, (), _exempt(directive, register, now), aliases or {})
    exempt = [fleet.statuses[device] for device in fleet.exempt]
    own = {(status.system, place) for status in exempt for place in (status.scope, status.device)}
    return frozenset({place for place in own if place[1]} | {(system, EVERYWHERE) for system in fleet.elsewhere})


def kept_places(statuses: Iterable[DeviceStatus], held: Collection[str]) -> frozenset[tuple[str, str]]:
    """The (system, scope) places from which nothing may be removed, for a device under a records hold is there.

    ``held``: the devices, by every key (``plan.holds.held_devices``).
    """
    places = {(key.partition(":")[0], key) for key in held}
    shared = {(status.system, status.scope) for status in statuses if status.device in held and status.scope}
    return frozenset(places | shared)


def _exempt(directive: str, register: ExemptionRegister, now: datetime) -> dict[str, Exemption]:
    return exempt_devices(one for one in register.exemptions if one.directive == directive and in_force(one, now))
