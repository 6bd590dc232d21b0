"""What the report is made from, and how outcomes are grouped and drawn in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from proscribe.canonical import Digest
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.enforce.model import Outcome
from proscribe.inventory.model import Coverage
from proscribe.plan.model import Plan
from proscribe.prove.evidence import HistoryPoint
from proscribe.prove.model import Counts, ExemptionSummary, TreeHead
from proscribe.text import Text


@dataclass(frozen=True)
class ReportData:
    """Everything the report says. It holds counts of devices and no device, and no person."""

    organisation: Text
    generated_at: datetime
    directive: Directive
    targets: TargetSet
    plan: Plan | None  # the newest, or its pseudonymised copy; None before there is one
    plan_digest: Digest | None  # of the plan itself
    counts: Counts
    history: tuple[HistoryPoint, ...]  # old to new
    coverage: tuple[Coverage, ...]
    exemptions: tuple[ExemptionSummary, ...]
    snapshots: tuple[Digest, ...]
    tree_head: TreeHead | None  # None where the report stands without a ledger
    small_cell_floor: int = 0
    approvals: tuple[Text, ...] = ()  # whose signatures stand under it, in words


class Group(StrEnum):
    """The five answers a reader looks for. Every outcome belongs to one."""

    verified = "verified"
    waiting = "waiting"
    unseen = "unseen"
    not_done = "not_done"
    exempt = "exempt"


@dataclass(frozen=True, slots=True)
class Style:
    """How an outcome is drawn: a colour and a pattern, so that it can be told apart without colour."""

    group: Group
    colour: str
    pattern: str  # solid | diagonal | counter | cross | dots | vertical | horizontal


STYLES: dict[Outcome, Style] = {
    Outcome.absent_verified: Style(Group.verified, "#12456b", "solid"),
    Outcome.removed_verified: Style(Group.verified, "#1f6fa8", "diagonal"),
    Outcome.contained: Style(Group.verified, "#2b7f9e", "dots"),
    Outcome.pending_sync: Style(Group.waiting, "#96600a", "solid"),
    Outcome.pending_locked: Style(Group.waiting, "#96600a", "horizontal"),
    Outcome.pending_vendor_approval: Style(Group.waiting, "#96600a", "dots"),
    Outcome.enforced_blind: Style(Group.unseen, "#5b6470", "diagonal"),
    Outcome.invisible: Style(Group.unseen, "#5b6470", "cross"),
    Outcome.stale: Style(Group.unseen, "#5b6470", "dots"),
    Outcome.unknown: Style(Group.unseen, "#5b6470", "vertical"),
    Outcome.failed: Style(Group.not_done, "#a3201d", "solid"),
    Outcome.refused_by_user: Style(Group.not_done, "#a3201d", "counter"),
    Outcome.impossible: Style(Group.not_done, "#a3201d", "cross"),
    Outcome.exempt: Style(Group.exempt, "#63479b", "horizontal"),
}

GROUP_COLOURS: dict[Group, str] = {
    Group.verified: "#12456b",
    Group.waiting: "#96600a",
    Group.unseen: "#5b6470",
    Group.not_done: "#a3201d",
    Group.exempt: "#63479b",
}


GROUP_PATTERNS: dict[Group, str] = {
    Group.verified: "solid",
    Group.waiting: "horizontal",
    Group.unseen: "diagonal",
    Group.not_done: "cross",
    Group.exempt: "dots",
}


def by_group(by_outcome: Mapping[Outcome, int]) -> dict[Group, int]:
    """Outcome counts put together into the five groups; every group is there, be it with 0."""
    groups = dict.fromkeys(Group, 0)
    for outcome, devices in by_outcome.items():
        groups[STYLES[outcome].group] += devices
    return groups
