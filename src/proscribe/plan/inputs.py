"""What a plan is made from: values only, so that planning is pure and the same world gives the same plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.evaluate.model import DeviceStatus, Finding
from proscribe.inventory.model import Scope, Snapshot
from proscribe.plan.model import ExemptionRegister, HoldRegister, Policy
from proscribe.plan.policy import DEFAULT
from proscribe.plan.ports import System


@dataclass(frozen=True)
class PlanInputs:
    """One directive, its meaning, the world as last seen, and what people allow.

    ``findings`` and ``statuses`` are those of ``Evaluated`` for this directive; each is read once. ``systems`` are the
    configured ones by name. ``aliases`` gives, for a device that several systems manage, its keys in the others
    (``aliases_of``). ``device_scopes`` is what systems say of single devices (``inventory.snapshot``).
    ``follow_recommended`` is the explicit choice to act on a text that does not bind.
    """

    directive: Directive
    targets: TargetSet
    snapshot: Snapshot
    findings: Iterable[Finding]
    statuses: Iterable[DeviceStatus]
    systems: Mapping[str, System]
    now: datetime
    register: ExemptionRegister = field(default_factory=lambda: ExemptionRegister(()))
    policy: Policy = DEFAULT
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    follow_recommended: bool = False
    holds: HoldRegister = field(default_factory=lambda: HoldRegister(()))
    device_scopes: tuple[Scope, ...] = ()


def aliases_of(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """The other keys of every device of a snapshot that several systems manage, from its ``also`` column."""
    from pyarrow import compute, parquet  # kept out of start-up

    table = parquet.read_table(snapshot.devices, columns=["key", "also"])
    several = table.filter(compute.greater(compute.list_value_length(table["also"]), 0)).to_pylist()
    return {row["key"]: tuple(row["also"]) for row in several}
