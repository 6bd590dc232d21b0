"""One round of the loop over every approved directive: look, judge, ask or act, record (DESIGN rule 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import digest
from proscribe.enforce import loop
from proscribe.enforce.adopt import Ground, adopt
from proscribe.enforce.fleet import FleetCase, barred_places, device_facts, judge_fleet, kept_places
from proscribe.enforce.keys import actions_of
from proscribe.enforce.means import Means, Present, TickReport
from proscribe.enforce.model import DeviceOutcome
from proscribe.enforce.order import unseen_methods
from proscribe.errors import ProscribeError
from proscribe.evaluate.engine import evaluate
from proscribe.evaluate.model import Drift
from proscribe.inventory.model import Scope, Snapshot
from proscribe.inventory.snapshot import device_scopes
from proscribe.plan.holds import held_devices
from proscribe.plan.inputs import aliases_of
from proscribe.plan.model import Plan
from proscribe.plan.orders import HERE, affected
from proscribe.prove.model import EntryKind
from proscribe.service import following, inventory, planning, signing, warrant
from proscribe.service.installation import Installation
from proscribe.service.model import Cured, DriftCount, Standing, TickSummary
from proscribe.service.standing import orders, status
from proscribe.service.trusting import NotSigned
from proscribe.text import Text, plural
from proscribe.trust.errors import KeyListExpired


@dataclass(frozen=True)
class _Seen:
    """One enforced directive as the newest snapshot shows it."""

    order: Standing
    view: planning.View
    plan: Plan  # what planning again gives
    drift: DriftCount
    ended: Text | None  # why nothing more may be sent, whatever was approved


@dataclass(frozen=True)
class _Scopes:
    """The scopes of a snapshot (``enforce.ports.Observations``)."""

    by_place: dict[tuple[str, str], Scope]
    taken_at: datetime

    def scope(self, system: str, scope: str) -> Scope | None:
        return self.by_place.get((system, scope))


def run(installation: Installation, snapshot: Snapshot, faults: Sequence[ProscribeError] = ()) -> TickSummary:
    """Look at every enforced directive in ``snapshot``, judge it, and bring on what is due.

    ``faults``: what went wrong while the snapshot was taken.
    """
    decisions = orders(installation)
    seen = tuple(_look(installation, order, snapshot) for order in decisions if order.lifted_at is None)
    outcomes = {one.order.directive: _judge(installation, one) for one in seen}
    ended = [one.ended for one in seen if one.ended is not None]
    asks = [text for one in seen if one.ended is None for text in _new_steps(installation, one, snapshot)]
    report = loop.tick(_means(installation), _present(installation, decisions, seen, outcomes, snapshot))
    followed = following.follow_up(installation)
    for one in seen:
        _record(installation, one)
    report = replace(
        report,
        counts={**report.counts, **followed.counts},
        happened=(*report.happened, *followed.happened),
        waits=(*ended, *asks, *(text for text in (*report.waits, *followed.waits) if text not in ended)),
        errors=(*faults, *report.errors, *followed.faults),
    )
    return _summary(installation, report, seen, decisions)


def _look(installation: Installation, order: Standing, snapshot: Snapshot) -> _Seen:
    """Evaluate one directive against the snapshot before, and plan it again."""
    documents = installation.stores.documents
    directive = documents.get(Directive, order.directive_digest)
    targets = documents.get(TargetSet, order.targets_digest)
    known = documents.latest(Cured, subject=order.directive) or Cured(order.directive, ())
    previous = inventory.before(installation, snapshot.digest)
    now = installation.clock.now()
    with evaluate(snapshot, [(directive, targets)], now=now, previous=previous, cured=known.keys) as evaluated:
        findings = tuple(evaluated.findings(directive.id))
        cured = [finding.key for finding in evaluated.cured(directive.id) if finding.match.is_violation]
        statuses = tuple(evaluated.statuses(directive.id))
    keys = sorted({*known.keys, *cured}, key=lambda key: (key.product, key.device))
    if len(keys) > len(known.keys):
        documents.put(Cured(order.directive, tuple(keys)), subject=order.directive, at=now)
    seen = planning.View(directive, targets, snapshot, findings, statuses)
    approved = documents.get(Plan, order.plan)
    violations = [finding for finding in findings if finding.match.is_violation]
    drift = DriftCount(
        directive=directive.id,
        new=sum(finding.drift is Drift.new for finding in violations),
        reinstalled=sum(finding.drift is Drift.reinstalled for finding in violations),
        cured=len(cured),
    )
    again = planning.plan_on(installation, seen, approved.policy, follow_recommended=approved.follow_recommended)
    return _Seen(order, seen, again, drift, warrant.ended(installation, order))


def _judge(installation: Installation, seen: _Seen) -> tuple[DeviceOutcome, ...]:
    stores = installation.stores
    now = installation.clock.now()
    case = FleetCase(
        directive=seen.order.directive,
        snapshot=seen.view.snapshot.digest,
        actions=stores.actions.find(directive=seen.order.directive),
        register=signing.exemptions(installation, directive=seen.order.directive),
        refusals=seen.plan.refusals,
        once_held=stores.outcomes.once_held(seen.order.directive),
        decided_at=seen.order.approved_at,
        aliases=aliases_of(seen.view.snapshot),
        unseen=unseen_methods(installation.connectors),
    )
    facts = device_facts(seen.view.snapshot)
    outcomes = tuple(judge_fleet(case, seen.view.statuses, seen.view.findings, facts, now))
    stores.outcomes.replace(seen.order.directive, outcomes, at=now)
    return outcomes


def _new_steps(installation: Installation, seen: _Seen, snapshot: Snapshot) -> Iterable[Text]:
    """What planning again asks for and nobody has approved: a standing order covers it, else a person is asked."""
    known = installation.stores.actions.find(directive=seen.order.directive)
    keys = {action.key for action in known}
    fresh = [action for action in actions_of(seen.plan, digest(seen.plan), known) if action.key not in keys]
    if not fresh:
        return
    why = _asks(installation, seen)
    if why is not None:
        left = plural(
            len(fresh),
            Text("new change waits", "nouveau changement attend"),
            Text("new changes wait", "nouveaux changements attendent"),
        )
        yield Text(
            f"{left.en} for approval: run 'proscribe plan {seen.order.directive}'.{why.en}",
            f"{left.fr} une approbation\u00a0: lancez «\u00a0proscribe plan {seen.order.directive}\u00a0».{why.fr}",
        )
        yield from _no_longer_exempt(installation, seen)
        return
    with installation.atomic():
        planning.keep(installation, seen.view.directive, seen.view.targets, seen.plan)
        enter(installation, seen.plan, seen.view.targets, snapshot.manifest.scopes, retry_rejected=False)
        order = replace(seen.order, plan=digest(seen.plan))
        installation.keep(
            order,
            EntryKind.approval,
            subject=order.directive,
            directive=order.directive,
            plan=order.plan,
            role=order.approved_by,
            standing=True,
        )


def _asks(installation: Installation, seen: _Seen) -> Text | None:
    """Why a person must be asked (an empty text where nothing more is to be said of it); None where none need be."""
    if not seen.order.standing or seen.plan.blocked:
        return Text("", "")
    try:
        covered = signing.order_covering(installation, seen.plan, source=seen.order.source or HERE)
        if covered is None:  # a plan that is so large that it must be signed is not signed by anybody yet
            signing.demand(installation, digest(seen.plan), Plan.KIND, number=affected(seen.plan))
    except (signing.NoStandingOrder, NotSigned, KeyListExpired) as error:
        return Text(f" {error.what.en[:1].upper()}{error.what.en[1:]}.", f" Motif\u00a0: {error.what.fr}.")
    return None


def _no_longer_exempt(installation: Installation, seen: _Seen) -> Iterable[Text]:
    """The exemptions that are over and whose devices are among those that the new changes are about."""
    now = installation.clock.now()
    touched = {device for step in seen.plan.steps for device in (*step.holders, step.scope)}
    for exemption, ended in installation.stores.exemptions.all():
        over = ended is not None or exemption.expires < now.date()
        if exemption.directive == seen.order.directive and over and touched & set(exemption.devices):
            last = exemption.expires if ended is None else ended.date()
            yield Text(
                f"Exemption {exemption.id} ended on {last}: its devices are among these.",
                f"L'exemption {exemption.id} a pris fin le {last}\u00a0: ses appareils en font partie.",
            )


def _present(
    installation: Installation,
    decisions: Sequence[Standing],
    seen: Sequence[_Seen],
    outcomes: dict[str, tuple[DeviceOutcome, ...]],
    snapshot: Snapshot,
) -> Present:
    plans = {one.plan for one in installation.stores.actions.find()}
    now = installation.clock.now()
    barred = {
        one.order.directive: barred_places(
            one.order.directive,
            one.view.statuses,
            signing.exemptions(installation, directive=one.order.directive),
            now,
            aliases=aliases_of(one.view.snapshot),
        )
        for one in seen
    }
    return Present(
        outcomes=outcomes,
        waves={plan: installation.stores.documents.get(Plan, plan).waves for plan in plans},
        lifted=frozenset(order.directive for order in decisions if order.lifted_at is not None),
        barred=barred,
        held={
            **{one.order.directive: _held(one.plan) for one in seen if one.plan.blocked},
            **{one.order.directive: one.ended for one in seen if one.ended is not None},
        },
        kept=_kept(installation, seen, now),
        observations=_Scopes(
            # What was carried over from an earlier snapshot was not seen at the time that this one gives.
            {
                (scope.system, scope.id): scope
                for scope in (*snapshot.manifest.scopes, *device_scopes(snapshot))
                if scope.system in inventory.observed(snapshot)
            },
            snapshot.manifest.taken_at,
        ),
    )


def _kept(installation: Installation, seen: Sequence[_Seen], now: datetime) -> frozenset[tuple[str, str]]:
    """Where nothing may be removed right now, whatever was planned before the records hold."""
    holds = installation.stores.holds.in_force(now.date()).holds
    if not holds:
        return frozenset()
    found: set[tuple[str, str]] = set()
    for one in seen:
        held = held_devices(holds, aliases_of(one.view.snapshot), now)
        found |= kept_places(one.view.statuses, held)
    return frozenset(found)


def _held(plan: Plan) -> Text:
    """A plan that may not be carried out as things stand now holds back what is left of the approved one."""
    first = next(refusal for refusal in plan.refusals if refusal.blocks)
    return Text(
        f"Nothing is sent under {plan.directive} for now. {first.what.en} {first.remedy.en}",
        f"Rien n'est envoyé en vertu de {plan.directive} pour l'instant. {first.what.fr} {first.remedy.fr}",
    )


def _means(installation: Installation) -> Means:
    from proscribe.store.repositories import LedgerJournal

    return Means(
        repository=installation.stores.actions,
        journal=LedgerJournal(installation.stores.ledger, actor=installation.actor, clock=installation.clock),
        freeze=installation.stores.freeze,
        connectors=installation.connectors,
        clock=installation.clock,
    )


def enter(
    installation: Installation, plan: Plan, targets: TargetSet, scopes: Sequence[Scope], *, retry_rejected: bool
) -> None:
    """Put the orders of an approved plan into the action table; doing it twice changes nothing."""
    from proscribe.store.repositories import LedgerJournal

    adopt(
        installation.stores.actions,
        LedgerJournal(installation.stores.ledger, actor=installation.actor, clock=installation.clock),
        plan,
        digest(plan),
        ground=Ground(
            app_ids=frozenset(target.value for target in targets.targets if target.actionable),
            scopes=scopes,
            systems=installation.connectors,
        ),
        now=installation.clock.now(),
        retry_rejected=retry_rejected,
    )


def _record(installation: Installation, seen: _Seen) -> None:
    """What was observed and judged goes into the ledger as counts, never as devices."""
    name = seen.order.directive
    counts = installation.stores.outcomes.tally(name)
    with installation.atomic():
        installation.record(
            EntryKind.observation,
            name,
            directive=name,
            snapshot=seen.view.snapshot.digest,
            devices=len(seen.view.statuses),
        )
        installation.record(
            EntryKind.outcomes, name, directive=name, counts={key.value: number for key, number in counts.items()}
        )
        if seen.drift.new or seen.drift.reinstalled or seen.drift.cured:
            installation.record(
                EntryKind.drift,
                name,
                directive=name,
                event="devices",
                new=seen.drift.new,
                reinstalled=seen.drift.reinstalled,
                cured=seen.drift.cured,
            )


def _summary(
    installation: Installation,
    report: TickReport,
    seen: Sequence[_Seen],
    decisions: Sequence[Standing],
) -> TickSummary:
    return TickSummary(
        at=report.at,
        counts=dict(report.counts),
        happened=report.happened,
        waits=report.waits,
        errors=tuple(_said(error) for error in report.errors),
        drift=tuple(one.drift for one in seen),
        frozen=report.frozen,
        unsettled=report.unsettled,
        waiting=report.waiting,
        next_at=report.next_at,
        statuses=tuple(status(installation, order.directive) for order in decisions),
    )


def _said(error: ProscribeError) -> Text:
    """An error that did not end the round: its code, its place, what happened and what to do next."""
    place = f"[{error.code}] {error.where}"
    return Text(f"{place}: {error.what.en}. {error.remedy.en}", f"{place} : {error.what.fr}. {error.remedy.fr}")
