"""What scopes want, kept true: a base profile changes, an offer comes to nothing, a set loses an entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from proscribe.connectors.base import ConnectorFault, NotAuthorised, Throttled
from proscribe.connectors.nanomdm import wording
from proscribe.connectors.nanomdm.declarations import set_name
from proscribe.connectors.nanomdm.deliver import LEFT, Delivery, edition, followed_by, is_published, publish, same
from proscribe.connectors.nanomdm.history import Case
from proscribe.connectors.nanomdm.means import Means
from proscribe.connectors.nanomdm.model import Channel, Command, CommandState, Edition, Group
from proscribe.connectors.nanomdm.outbox import Outgoing, Sent
from proscribe.connectors.nanomdm.scopes import View, split
from proscribe.text import Text


class Log(Protocol):
    """Where it is told what was done."""

    counts: Counter[str]
    happened: list[Text]
    waits: list[Text]


def bring_up_to_date(means: Means, log: Log) -> None:
    """Every scope wants what it should; sets hold what their scopes want. Faults are told among what waits."""
    view = means.view()
    for group in view.groups.values():
        kept = _end_offer(means, view, group)
        if kept.offered is not None:
            continue
        if split(group.scope)[1] is Channel.profile:
            _take_up_base(means, view, kept, log)
        elif not _publish(means, kept, log):
            return


def _end_offer(means: Means, view: View, group: Group) -> Group:
    """An offer that nobody came back to is over. What of it arrived all the same is put right by the next delivery,
    for what a device was last sent is not the current edition then."""
    patience = timedelta(hours=view.config.lost_after_hours)
    if group.offered is None or (group.offered_at is not None and view.now - group.offered_at <= patience):
        return group
    ended = replace(group, offered=None, offered_at=None)
    offer = Delivery(view, replace(group, now=group.offered))
    with means.records.atomic():
        if means.records.group(group.scope) != group:
            return group
        sending = means.records.commands(states=[CommandState.sending])
        means.records.save_commands(replace(one, state=CommandState.void) for one in sending if offer.is_mine(one))
        means.records.save_group(ended)
    return ended


def _take_up_base(means: Means, view: View, group: Group, log: Log) -> None:
    """The organisation changed its own profile: merged with our entries, it is a new edition."""
    name, _ = split(group.scope)
    if not group.now.entries:
        return
    if group.now.base and name not in view.bases:
        what, remedy = wording.base_gone(group.scope, name)
        log.waits.append(what + Text(". ", ". ") + remedy)
        return
    wish = edition(view, group.scope, group.now.version + 1, group.now.entries)
    if same(wish, group.now):
        return
    with means.records.atomic():
        if means.records.group(group.scope) != group:
            return
        means.records.save_group(followed_by(group, wish))
    log.counts["renewed"] += 1
    log.happened.append(wording.base_changed(group.scope))


def _publish(means: Means, group: Group, log: Log) -> bool:
    """The set of a scope holds what the scope wants, whoever changed it. False where KMFDDM cannot be asked now."""
    if not means.config.kmfddm_endpoint or split(group.scope)[1] is not Channel.declarations:
        return True
    try:
        if is_published(means.ddm, group.scope, group.now):
            return True
        tokens = publish(means.ddm, group.scope, group.now)
        log.counts["published"] += 1
    except ConnectorFault as fault:
        log.waits.append(wording.fault(fault))
        return False
    if tokens != group.now.tokens:
        with means.records.atomic():
            if means.records.group(group.scope) == group:
                renewed: Edition = replace(group.now, version=group.now.version + 1, tokens=tokens)
                means.records.save_group(followed_by(group, renewed))
                log.counts["renewed"] += 1
    return True


def is_on_offer(case: Case, delivery: Delivery) -> bool:
    """Whether the device was last sent what is only offered: the order is still on its way, and is left to it."""
    offered, last = delivery.group.offered, delivery.last(case)
    if offered is None or last is None:
        return False
    return Delivery(delivery.view, replace(delivery.group, now=offered)).is_mine(last)


def has_ours(case: Case, delivery: Delivery) -> bool:
    """Whether a device is known to carry entries of ours from a scope."""
    group = delivery.group
    if delivery.channel is Channel.profile:
        ours = {one.uuid.upper() for one in (group.now, *group.before) if one.entries and one.uuid}
        told = case.device.profiles
        return told is not None and any(seen.uuid.upper() in ours for seen in told.profiles)
    last = delivery.last(case)
    return last is not None and not _is_over(last)


def _is_over(last: Command) -> bool:
    return last.key.endswith(f"@{LEFT}") and last.state not in (CommandState.sending, CommandState.void)


# The devices of a set ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Changed:
    """What came of giving a set to devices, or of taking it from them."""

    changed: int = 0
    sent: Sent = field(default_factory=Sent)


def join(means: Means, scope: str, due: Sequence[Outgoing]) -> tuple[list[Outgoing], Changed]:
    """Give the set of a scope to devices; what may be sent to those that have it now."""
    return _each(means, due, lambda device: means.ddm.join(device, set_name(scope)))


def leave(means: Means, scope: str, due: Sequence[Outgoing]) -> tuple[list[Outgoing], Changed]:
    """Take the set of a scope from devices; what may be sent to those that lost it now."""
    return _each(means, due, lambda device: means.ddm.leave(device, set_name(scope)))


def _each(means: Means, due: Sequence[Outgoing], call: Callable[[str], bool]) -> tuple[list[Outgoing], Changed]:
    done: list[Outgoing] = []
    told = Changed()
    if not due:
        return done, told
    means.ddm  # noqa: B018 (opened here, once, before threads share it)

    def one(outgoing: Outgoing) -> bool | ConnectorFault | None:
        if told.sent.stopped is not None:
            return None
        try:
            return call(outgoing.command.device)
        except ConnectorFault as fault:
            if isinstance(fault, NotAuthorised | Throttled):
                told.sent.stopped = fault
            return fault

    with ThreadPoolExecutor(max_workers=min(means.config.concurrency, len(due))) as threads:
        answers = list(threads.map(one, due))
    for outgoing, answer in zip(due, answers, strict=True):
        if answer is None:
            told.sent.left += 1
        elif isinstance(answer, ConnectorFault):
            told.sent.faults.append((outgoing.command, answer))
        else:
            told.changed += answer
            done.append(outgoing)
    return done, told
