"""What stands before any change: the directive in force, its targets reviewed, the inventory fresh, the limits kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from proscribe.catalogue.protected import is_protected
from proscribe.clock import utc
from proscribe.directive.model import Force, State
from proscribe.plan import wording
from proscribe.plan.fleet import Fleet
from proscribe.plan.inputs import PlanInputs
from proscribe.plan.limits import allowed, exceeds, refuses_everything
from proscribe.plan.model import Limit, PlanCounts, Refusal, RefusalReason, Step, Unlimited, Verb
from proscribe.plan.wanted import IN_APP_LISTS, Holdings, Wanted, doubtful_targets
from proscribe.plan.waves import reached
from proscribe.plan.wording import Pair
from proscribe.terms import Platform
from proscribe.text import Text


def refusal(
    reason: RefusalReason,
    words: Pair,
    *,
    devices: Iterable[str] = (),
    system: str = "",
    target: str = "",
    blocks: bool = False,
) -> Refusal:
    """A refusal that concerns no single scope."""
    return Refusal(reason, system, "", target, tuple(sorted(devices)), words[0], words[1], blocks)


def directive_refusals(inputs: PlanInputs, wanted: Wanted) -> list[Refusal]:
    """Why the directive, as it stands today, orders nothing or may not be carried out."""
    directive, today = inputs.directive, utc(inputs.now).date()
    found: list[Pair] = []
    if directive.state not in (State.in_force, State.amended):
        found.append(wording.not_in_force(directive))
    if directive.effective is not None and directive.effective > today:
        found.append(wording.not_yet(directive, directive.effective))
    if directive.expires_on is not None and directive.expires_on < today:
        found.append(wording.over(directive, directive.expires_on))
    if directive.force is not Force.binding and not inputs.follow_recommended:
        found.append(wording.not_binding(directive))
    refusals = [refusal(RefusalReason.not_in_force, words, blocks=True) for words in found]
    targets = inputs.targets
    if not targets.reviewed_by.strip():
        refusals.append(refusal(RefusalReason.not_reviewed, wording.not_reviewed(directive), blocks=True))
    if (targets.directive, targets.directive_version) != (directive.id, directive.version):
        refusals.append(refusal(RefusalReason.not_reviewed, wording.wrong_targets(directive), blocks=True))
    if not wanted.verbs:
        refusals.append(refusal(RefusalReason.not_asked, wording.not_asked(directive)))
    return refusals


def target_refusals(inputs: PlanInputs, holdings: Holdings) -> list[Refusal]:
    """The targets that may not drive a change, with the devices on which they were found."""
    return [
        refusal(
            RefusalReason.low_confidence,
            wording.low_confidence(target),
            devices=holdings.doubtful.get(target.id, ()),
            target=target.id,
        )
        for target in doubtful_targets(inputs.targets)
    ]


def protected_refusals(inputs: PlanInputs, wanted: Wanted) -> tuple[list[Refusal], dict[Platform, frozenset[str]]]:
    """The protected apps among the targets, and among what patterns and signers led to; each blocks the plan."""
    named = {
        (target.platform, target.value, target.id) for target in inputs.targets.targets if target.type in IN_APP_LISTS
    }
    led_to = {
        (platform, app, target)
        for platform, apps in wanted.ids.items()
        for app, targets in apps.items()
        for target in sorted(targets)[:1]
    }
    found: dict[tuple[Platform, str], Refusal] = {}
    for platform, app, target in sorted(named | led_to):
        why = is_protected(platform, app)
        if why is not None:
            words = wording.protected(app, why)
            found.setdefault((platform, app), refusal(RefusalReason.protected_app, words, target=target, blocks=True))
    spared: dict[Platform, set[str]] = {}
    for platform, app in found:
        spared.setdefault(platform, set()).add(app)
    return list(found.values()), {platform: frozenset(apps) for platform, apps in spared.items()}


def age_refusals(inputs: PlanInputs) -> list[Refusal]:
    """A blocking refusal where the whole snapshot is older than the policy allows."""
    taken = utc(inputs.snapshot.manifest.taken_at)
    age, most = utc(inputs.now) - taken, inputs.policy.inventory_max_days
    if age <= timedelta(days=most):
        return []
    return [refusal(RefusalReason.stale_inventory, wording.old_snapshot(taken, age.days, most), blocks=True)]


def limit_refusals(inputs: PlanInputs, steps: Sequence[Step], counts: PlanCounts, fleet: Fleet) -> list[Refusal]:
    """Blocking refusals where the plan goes beyond its limits. A limit of nothing refuses whatever would be sent."""
    policy = inputs.policy
    removing = any(Verb.remove in step.verbs for step in steps)
    found = [
        *_over(
            Text("Apps would be removed from", "Des applications seraient retirées de"),
            RefusalReason.limit_removals,
            counts.to_remove,
            policy.removal_limit,
            counts.in_scope,
            sends=removing,
        ),
        *_over(
            Text("The configuration would change on", "La configuration changerait sur"),
            RefusalReason.limit_reach,
            reached(steps, fleet),
            policy.reach_limit,
            counts.in_scope,
            sends=bool(steps),
        ),
    ]
    if steps:
        empty = [ring.name for ring in policy.rings if refuses_everything(ring.size)]
        found += [refusal(RefusalReason.limit_reach, wording.empty_ring(name), blocks=True) for name in empty]
    return found


def _over(what: Text, reason: RefusalReason, count: int, limit: Limit, fleet: int, *, sends: bool) -> list[Refusal]:
    most = allowed(limit, fleet)
    if isinstance(most, Unlimited):
        return []
    # A method removes wherever it meets the app, unseen sides included, so "none" forbids the method itself.
    if exceeds(count, limit, fleet) or (sends and refuses_everything(limit)):
        return [refusal(reason, wording.over_limit(what, count, limit, most, fleet), blocks=True)]
    return []
