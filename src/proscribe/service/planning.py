"""From a directive and the newest snapshot to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proscribe.catalogue.model import TargetSet
from proscribe.directive.library import UnknownDirective, find
from proscribe.directive.library import target_set as resolve
from proscribe.directive.model import Directive
from proscribe.documents import digest, read
from proscribe.evaluate.engine import evaluate
from proscribe.evaluate.model import DeviceStatus, Finding
from proscribe.feed.model import Adoption
from proscribe.inventory.model import Snapshot
from proscribe.inventory.snapshot import device_scopes
from proscribe.plan.inputs import PlanInputs, aliases_of
from proscribe.plan.model import Plan, Policy
from proscribe.plan.planner import make_plan
from proscribe.plan.policy import DEFAULT, from_words
from proscribe.prove.model import EntryKind
from proscribe.prove.pseudonym import Pseudonyms
from proscribe.service import casestore, inventory, signing
from proscribe.service.config import PolicySettings
from proscribe.service.installation import Installation


@dataclass(frozen=True)
class Choices:
    """What a person may choose for one plan; None takes the installation's setting, then the shipped default."""

    targets: TargetSet | None = None
    removal_limit: str | None = None
    reach_limit: str | None = None
    rings: tuple[str, ...] = ()
    follow_recommended: bool = False
    inventory_max_days: int | None = None

    @classmethod
    def from_words(
        cls,
        *,
        targets: Path | None = None,
        removal_limit: str | None = None,
        reach_limit: str | None = None,
        rings: Sequence[str] = (),
        follow_recommended: bool = False,
        inventory_max_days: int | None = None,
    ) -> Choices:
        """The choices as a command line gives them; the target set is a file. Raises InvalidDocument."""
        reviewed = None if targets is None else read(TargetSet, targets)
        return cls(reviewed, removal_limit, reach_limit, tuple(rings), follow_recommended, inventory_max_days)

    def policy(self, settings: PolicySettings) -> Policy:
        """Limits and waves. Raises LimitError."""
        base = from_words(
            removal_limit=settings.removal_limit,
            reach_limit=settings.reach_limit,
            rings=settings.rings or (),
            max_days=settings.inventory_max_days,
            base=DEFAULT,
        )
        return from_words(
            removal_limit=self.removal_limit,
            reach_limit=self.reach_limit,
            rings=self.rings,
            max_days=self.inventory_max_days,
            base=base,
        )


@dataclass(frozen=True)
class View:
    """A directive over a snapshot: what planning and judging both read."""

    directive: Directive
    targets: TargetSet
    snapshot: Snapshot
    findings: tuple[Finding, ...]
    statuses: tuple[DeviceStatus, ...]


def view(installation: Installation, directive: Directive, targets: TargetSet, snapshot: Snapshot) -> View:
    """Evaluate one directive without looking back. Raises what ``evaluate`` raises."""
    with evaluate(snapshot, [(directive, targets)], now=installation.clock.now()) as evaluated:
        return View(
            directive=directive,
            targets=targets,
            snapshot=snapshot,
            findings=tuple(evaluated.findings(directive.id)),
            statuses=tuple(evaluated.statuses(directive.id)),
        )


def plan_on(installation: Installation, seen: View, policy: Policy, *, follow_recommended: bool) -> Plan:
    """The plan for what was seen. Raises InvalidExemption."""
    now = installation.clock.now()
    return make_plan(
        PlanInputs(
            directive=seen.directive,
            targets=seen.targets,
            snapshot=seen.snapshot,
            findings=seen.findings,
            statuses=seen.statuses,
            systems=installation.connectors,
            now=now,
            register=signing.exemptions(installation, directive=seen.directive.id),
            policy=policy,
            aliases=aliases_of(seen.snapshot),
            follow_recommended=follow_recommended,
            device_scopes=device_scopes(seen.snapshot),
            holds=installation.stores.holds.in_force(now.date()),
        )
    )


def propose(installation: Installation, reference: str, choices: Choices) -> Plan:
    """Plan a directive over the newest snapshot, and keep the plan with all that it rests on.

    Raises UnknownDirective, NothingToObserve, LimitError, InvalidExemption, NotWatched.
    """
    directive = known_directive(installation, reference)
    targets = choices.targets or targets_in_use(installation, directive)
    # First of all, so that the next observation looks for these targets even where this one did not.
    _keep_ground(installation, directive, targets)
    snapshot = inventory.current(installation)
    plan = plan_on(
        installation,
        view(installation, directive, targets, snapshot),
        choices.policy(installation.settings.policy),
        follow_recommended=choices.follow_recommended,
    )
    keep(installation, directive, targets, plan)
    return plan


def keep(installation: Installation, directive: Directive, targets: TargetSet, plan: Plan) -> None:
    """Store a plan and what it names, each recorded once in the ledger."""
    with installation.atomic():
        _keep_ground(installation, directive, targets)
        # A bundle shows the plan with pseudonyms; the digest of that copy makes it checkable against the ledger.
        copy = digest(Pseudonyms(installation.pseudonym_key).plan(plan))
        installation.keep(
            plan,
            EntryKind.plan,
            subject=directive.id,
            directive=directive.id,
            event="proposed",
            pseudonymised=copy,
        )


def known_directive(installation: Installation, reference: str) -> Directive:
    """A directive by its id or file; one's own is known by its id too once it was planned. Raises UnknownDirective.

    What was adopted through a feed, or decided here since, comes before what is shipped under the same id.
    """
    stored = installation.stores.documents.latest(Directive, subject=reference)
    if stored is not None and installation.stores.documents.digests(Adoption, subject=reference):
        return stored
    decided = None if stored is None else casestore.in_force(installation, reference)
    if decided is not None:
        return decided
    try:
        return find(reference)
    except UnknownDirective:
        if stored is None:
            raise
        return stored


def _keep_ground(installation: Installation, directive: Directive, targets: TargetSet) -> None:
    with installation.atomic():
        installation.keep(directive, EntryKind.directive, subject=directive.id, directive=directive.id)
        installation.keep(targets, EntryKind.target_set, subject=directive.id, directive=directive.id)


def targets_in_use(installation: Installation, directive: Directive) -> TargetSet:
    """The target set this installation adopted for the directive, else the shipped one."""
    adopted = installation.stores.documents.latest(TargetSet, subject=directive.id)
    if adopted is not None and adopted.directive_version == directive.version:
        return adopted
    return resolve(directive, now=installation.clock.now())
