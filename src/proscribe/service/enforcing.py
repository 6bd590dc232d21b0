"""Carry out approved plans and keep them true: apply, tick, lift, freeze."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import digest
from proscribe.errors import ProscribeError
from proscribe.inventory.model import Snapshot
from proscribe.plan.difference import difference
from proscribe.plan.model import Plan
from proscribe.plan.orders import HERE, affected
from proscribe.prove.model import EntryKind
from proscribe.service import inventory, planning, rounds, signing, warrant
from proscribe.service.installation import Installation
from proscribe.service.model import Standing, TickSummary
from proscribe.service.standing import order_of
from proscribe.text import Text, plural

_CHANGES_SHOWN = 5
"""Of what changed since a plan was made, in the message that refuses it."""


class NotApproved(ProscribeError):
    """A plan was to be carried out without anybody's approval."""

    code = "service.not-approved"


class PlanBlocked(ProscribeError):
    """A refusal forbids carrying out the plan."""

    code = "service.plan-blocked"


class AlteredPlan(ProscribeError):
    """The plan is not one that this installation made: it was changed by hand, or comes from elsewhere."""

    code = "service.altered-plan"


class StalePlan(ProscribeError):
    """The world is no longer the one the plan was made for."""

    code = "service.stale-plan"


def apply(
    installation: Installation,
    plan: Plan,
    *,
    approved: bool,
    standing: bool = False,
    source: str | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> TickSummary:
    """Observe, plan again, compare, adopt, start. Nothing is sent unless the plan is still the same.

    ``source``: the feed that the directive came through, whose signatures then count, and for which a standing order
    may be; None looks it up.
    Raises AlteredPlan, NotApproved, PlanBlocked, InterimEnded, NotSigned, NoStandingOrder, StalePlan (with the
    differences), and what observing raises.
    """
    _refuse_altered(installation, plan)
    _refuse_blocked(plan)
    if not approved:
        raise NotApproved(
            Text("this plan was not approved", "ce plan n'a pas été approuvé"),
            remedy=Text(
                "Look at it with 'proscribe plan show', then add --approve in the role that may.",
                "Examinez-le avec « proscribe plan show », puis ajoutez --approve au titre du rôle habilité.",
            ),
        )
    documents = installation.stores.documents
    directive = documents.get(Directive, plan.directive_digest)
    targets = documents.get(TargetSet, plan.targets_digest)
    _refuse_replaced(installation, directive)
    warrant.refuse_ended(installation, directive.id)
    came_from = source or _source_of(installation, plan)
    signed = signing.approvals(installation, plan, standing=standing, source=came_from)
    snapshot = _now(installation, on_progress)
    seen = planning.view(installation, directive, targets, snapshot)
    again = planning.plan_on(installation, seen, plan.policy, follow_recommended=plan.follow_recommended)
    if again.basis != plan.basis or _reaches_further(again, plan):
        raise _changed(plan, again)
    _refuse_blocked(again)
    with installation.atomic():
        planning.keep(installation, directive, targets, again)
        order = Standing(
            directive=directive.id,
            directive_digest=plan.directive_digest,
            targets_digest=plan.targets_digest,
            plan=digest(again),
            approved_by=installation.actor,
            approved_at=installation.clock.now(),
            standing=standing,
            source="" if came_from == HERE else came_from,
            signed=signed.kinds,
            order=signed.order,
            approved=digest(plan) if Plan.KIND in signed.kinds else "",
        )
        installation.keep(
            order,
            EntryKind.approval,
            subject=directive.id,
            directive=directive.id,
            plan=order.plan,
            role=installation.actor,
            standing=standing,
            **_signatures(plan, order),
        )
        rounds.enter(installation, again, targets, snapshot.manifest.scopes, retry_rejected=True)
    return rounds.run(installation, snapshot)


def _source_of(installation: Installation, plan: Plan) -> str:
    """The feed that brought the directive, or ``orders.HERE``."""
    from proscribe.service import adopting  # feeds stay out of a tick

    return adopting.source_of(installation, plan.directive_digest)


def _signatures(plan: Plan, order: Standing) -> dict[str, Any]:
    """What the ledger says of signatures, where any were asked for. ``approved`` is the plan as it was signed."""
    if not order.signed:
        return {}
    return {"signed": list(order.signed), "approved": digest(plan), "order": order.order}


def _now(installation: Installation, on_progress: Callable[[int], None] | None) -> Snapshot:
    """The fleet as it is: asked for, or, where nothing but exports is read here, as they last said."""
    if not installation.connectors:
        return inventory.current(installation)
    return inventory.observe(installation, on_progress=on_progress)


def tick(installation: Installation, *, on_progress: Callable[[int], None] | None = None) -> TickSummary:
    """One round for every approved directive. A missed or doubled tick changes nothing.

    A system that fails is left as last known, and its fault is among the summary's errors.
    """
    if not installation.connectors:
        return rounds.run(installation, inventory.current(installation))
    snapshot, faults = inventory.observe_reachable(installation, on_progress=on_progress)
    return rounds.run(installation, snapshot, faults)


def lift(installation: Installation, reference: str, reason: str) -> TickSummary:
    """Take a ban back, our entries alone. Raises NotEnforced."""
    order = order_of(installation, reference)
    lifted = replace(order, lifted_at=installation.clock.now(), lifted_because=reason)
    if order.lifted_at is None:
        installation.keep(
            lifted, EntryKind.lift, subject=order.directive, directive=order.directive, event="decided", reason=reason
        )
    return rounds.run(installation, inventory.current(installation))


def freeze(installation: Installation, reason: str) -> bool:
    """Stop all sending at once; False where it was stopped already."""
    with installation.atomic():
        changed = installation.stores.freeze.freeze(
            actor=installation.actor, reason=reason, at=installation.clock.now()
        )
        if changed:
            installation.record(EntryKind.freeze, "installation", reason=reason)
    return changed


def thaw(installation: Installation, reason: str) -> bool:
    """Allow sending again; False where it was allowed."""
    with installation.atomic():
        changed = installation.stores.freeze.thaw(actor=installation.actor, reason=reason, at=installation.clock.now())
        if changed:
            installation.record(EntryKind.thaw, "installation", reason=reason)
    return changed


def _refuse_altered(installation: Installation, plan: Plan) -> None:
    """What was approved must be what was proposed here, to the letter: a file can be edited on its way to approval."""
    if digest(plan) in installation.stores.documents.digests(Plan, subject=plan.directive):
        return
    raise AlteredPlan(
        Text(
            "this is not a plan that this installation made: the file was changed since, or comes from elsewhere",
            "ce plan n'est pas de cette installation : le fichier a été modifié depuis, ou vient d'ailleurs",
        ),
        remedy=Text(
            f"Plan again here ('proscribe plan {plan.directive} --out plan.json'); limits and waves are options of it.",
            f"Planifiez de nouveau ici (« proscribe plan {plan.directive} --out plan.json »), "
            "avec les limites et les vagues en options.",
        ),
    )


def _refuse_replaced(installation: Installation, directive: Directive) -> None:
    """A plan of a version that another one has replaced since is not carried out."""
    present = planning.known_directive(installation, directive.id)
    if present != directive:
        raise _stale(
            directive.id,
            Text(
                f"{directive.id} was changed since this plan was made (version {directive.version}, now "
                f"{present.version})",
                f"{directive.id} a été modifiée depuis l'établissement du plan (version {directive.version}, "
                f"maintenant {present.version})",
            ),
        )


def _refuse_blocked(plan: Plan) -> None:
    blocking = [refusal for refusal in plan.refusals if refusal.blocks]
    if blocking:
        first = blocking[0]
        left = plural(len(blocking) - 1, Text("more", "autre"), Text("more", "autres"))
        raise PlanBlocked(
            first.what + (Text(f" (and {left.en})", f" (et {left.fr})") if len(blocking) > 1 else Text("", "")),
            remedy=first.remedy,
        )


def _reaches_further(again: Plan, plan: Plan) -> bool:
    """Whether more would be done than the plan says of itself, by which rules and standing orders were chosen."""
    verbs, said = ({verb for step in one.steps for verb in step.verbs} for one in (again, plan))
    return affected(again) > affected(plan) or not verbs <= said


def _changed(old: Plan, new: Plan) -> StalePlan:
    changes = difference(old, new)
    shown = list(changes[:_CHANGES_SHOWN])
    if len(changes) > len(shown):  # where devices are changed one by one there may be thousands
        left = plural(
            len(changes) - len(shown),
            Text("more change", "autre changement"),
            Text("more changes", "autres changements"),
        )
        shown.append(Text(f"And {left.en}.", f"Et {left.fr}."))
    listed = Text(" ".join(text.en for text in shown), " ".join(text.fr for text in shown))
    return _stale(
        old.directive,
        Text("the fleet changed since this plan was made: ", "le parc a changé depuis l'établissement du plan : ")
        + listed,
    )


def _stale(directive: str, what: Text) -> StalePlan:
    return StalePlan(
        what,
        remedy=Text(
            f"Plan again ('proscribe plan {directive} --out plan.json') and look at it before you approve.",
            f"Planifiez de nouveau («\u00a0proscribe plan {directive} --out plan.json\u00a0») et examinez le plan "
            "avant de l'approuver.",
        ),
    )
