"""Every device in exactly one column of the blast radius, so that the columns add up to the fleet in scope."""

from __future__ import annotations

from dataclasses import dataclass, field

from proscribe.plan.fleet import Fleet
from proscribe.plan.model import PlanCounts


@dataclass
class Tally:
    """What is known of devices while a plan is made. A device may be in several sets; ``counts`` decides."""

    removed: set[str] = field(default_factory=set)  # a step takes an app off it
    unmet: set[str] = field(default_factory=set)  # holds an app that no step takes off
    waiting: set[str] = field(default_factory=set)  # still held an app when last seen, though the ban is in place
    reached: set[str] = field(default_factory=set)  # a step changes its configuration
    cannot: set[str] = field(default_factory=set)  # something wanted of it is refused

    def counts(self, fleet: Fleet) -> PlanCounts:
        """The blast radius. What is done on a device counts before what is not, save that an app left on a device
        without a removal is never hidden behind a mere block."""
        columns = {"to_remove": 0, "block_only": 0, "nothing_to_do": 0, "exempt": 0, "cannot": 0}
        waiting = 0
        for device in fleet.statuses:
            column = self._column(device, fleet)
            columns[column] += 1
            waiting += column == "nothing_to_do" and device in self.waiting
        return PlanCounts(
            in_scope=len(fleet.statuses),
            invisible_side=sum(1 for status in fleet.statuses.values() if status.invisible_side),
            waiting=waiting,
            **columns,
        )

    def _column(self, device: str, fleet: Fleet) -> str:
        if device in fleet.exempt:
            return "exempt"
        if device in self.removed:
            return "to_remove"
        if device in self.unmet:
            return "cannot"
        if device in self.reached:
            return "block_only"
        return "cannot" if device in self.cannot else "nothing_to_do"
