"""From an approved plan to the action table. Doing it twice changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from proscribe.canonical import Digest
from proscribe.enforce.keys import FOUND, Slot, action_key, actions_of, next_turn, part, slot
from proscribe.enforce.model import Action, ActionState
from proscribe.enforce.ports import ActionRepository, Journal
from proscribe.enforce.sending import about
from proscribe.inventory.model import Scope
from proscribe.plan.model import Effect, Plan, Reach, Verb
from proscribe.plan.ports import System
from proscribe.terms import Side

_UNSENT = (ActionState.waiting, ActionState.ready)


@dataclass(frozen=True, slots=True)
class Ground:
    """The scopes as planned upon: what is in place there already needs no order, but it needs a moment to judge by.

    ``app_ids``: the identifiers the directive bans and may act on. ``scopes``: as in the plan's snapshot.
    """

    app_ids: Collection[str] = ()
    scopes: Sequence[Scope] = ()
    systems: Mapping[str, System] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What adopting a plan changed in the action table."""

    added: int
    superseded: int  # orders of an older plan that were not sent and are no longer wanted
    found_in_place: int

    @property
    def changed(self) -> bool:
        """Whether anything did."""
        return self.added + self.superseded + self.found_in_place > 0


def adopt(
    repository: ActionRepository,
    journal: Journal,
    plan: Plan,
    digest: Digest,
    *,
    ground: Ground,
    now: datetime,
    retry_rejected: bool = False,
) -> Adopted:
    """Enter the orders of a plan, and drop what an older plan of the directive wanted and never sent."""
    with repository.atomic():
        known = repository.find(directive=plan.directive)
        wanted = {action.key: action for action in actions_of(plan, digest, known, retry_rejected=retry_rejected)}
        added = repository.add(wanted.values())
        superseded = 0
        for action in known:
            if action.state not in _UNSENT:
                continue
            if action.key not in wanted:
                superseded += repository.save(replace(action, state=ActionState.superseded), was=action.state)
                journal.record("plan", action.key, {**about(action), "event": "superseded", "by": digest})
            else:
                _move(repository, action, plan, digest)
        there = in_place(plan.directive, digest, ground, [*known, *wanted.values()], now)
        found = repository.add([_in_turn(repository, action) for action in there])
        done = Adopted(len(added), superseded, len(found))
        if done.changed:
            body = {
                "directive": plan.directive,
                "digest": digest,
                "event": "adopted",
                "added": done.added,
                "superseded": done.superseded,
                "found_in_place": done.found_in_place,
            }
            journal.record("plan", digest, body)
    return done


def _move(repository: ActionRepository, action: Action, plan: Plan, digest: Digest) -> None:
    """An unsent order that the new plan wants too goes with the new plan's wave and holders."""
    for step in plan.steps:
        here = (step.system, step.scope, step.method, step.side, tuple(sorted(step.app_ids)))
        if here == (action.system, action.scope, action.method, action.side, action.app_ids):
            moved = replace(action, plan=digest, step=step.id, wave=step.wave, holders=step.holders)
            if moved != action:
                repository.save(moved, was=action.state)
            return


def _in_turn(repository: ActionRepository, action: Action) -> Action:
    """What was in place may be an order of ours under another directive: the turn leads back to who put it there, so
    that whichever of the two is lifted last restores what others had set."""
    on_scope = repository.find(system=action.system, scope=action.scope)
    return replace(action, turn=next_turn(on_scope))


def in_place(
    directive: str, plan: Digest, ground: Ground, known: Iterable[Action], now: datetime
) -> tuple[Action, ...]:
    """What the scopes enforce already, as accepted actions in which nothing is ours. Pure.

    Its moment is when we first saw it in place: a device must be seen after that, like after any order.
    """
    covered: dict[Slot, set[str]] = {}
    for action in known:
        if action.directive == directive and action.state not in (ActionState.superseded, ActionState.lifted):
            covered.setdefault(slot(action), set()).update(action.app_ids)
    found = []
    for scope in ground.scopes:
        system = ground.systems.get(scope.system)
        if system is None:
            continue
        for method, side in _methods(system):
            there = system.in_place(scope, method, side) & frozenset(ground.app_ids)
            known_here = covered.setdefault((scope.system, scope.id, method, part(side)), set())
            fresh = there - known_here
            known_here |= fresh
            if fresh:
                action = Action(
                    key="",
                    directive=directive,
                    plan=plan,
                    step=FOUND,
                    system=scope.system,
                    scope=scope.id,
                    method=method,
                    side=side,
                    app_ids=tuple(sorted(fresh)),
                    holders=(),
                    wave=0,
                    state=ActionState.accepted,
                    scope_version=scope.version,
                    accepted_at=now,
                )
                found.append(replace(action, key=action_key(action, seen_version=scope.version)))
    return tuple(found)


def _methods(system: System) -> tuple[tuple[str, Side], ...]:
    pairs = {
        (row.method, row.side)
        for row in system.capabilities
        if row.method
        and row.verb is not Verb.observe
        and row.reach in (Reach.group, Reach.policy)
        and row.effect in (Effect.full, Effect.blind)
    }
    return tuple(sorted(pairs))
