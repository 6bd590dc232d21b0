"""Carrying out orders: the next edition of a group scope, or an app taken off one device.

NanoMDM knows commands and no policies, so what a scope wants is ours to keep. An edition is written down as offered,
brought to the devices, and counts once NanoMDM has it for one of them; what is left is for ``follow_up``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from proscribe.canonical import canonical_bytes, digest_bytes, digest_json
from proscribe.connectors.base import Contended, Order, Prepared, Receipt, Rejected, Throttled, UnknownFate
from proscribe.connectors.nanomdm import groups, removals, wording
from proscribe.connectors.nanomdm.deliver import Delivery, edition, followed_by, publish, same
from proscribe.connectors.nanomdm.history import Case, by_device, cases
from proscribe.connectors.nanomdm.means import Means
from proscribe.connectors.nanomdm.model import (
    Channel,
    CommandState,
    Device,
    Edition,
    Entry,
    Group,
    Removal,
)
from proscribe.connectors.nanomdm.outbox import Outgoing, Sent, enqueue
from proscribe.connectors.nanomdm.scopes import (
    SYSTEM,
    Tally,
    View,
    device_key,
    device_scope,
    device_version,
    group_scope,
    scope_id,
    split,
    wanted,
)
from proscribe.connectors.nanomdm.system import BLOCKS, CONVERT, REMOVES, SIDES
from proscribe.inventory.model import Scope
from proscribe.plan.ports import System
from proscribe.text import Text

BAN_LENGTH = 12
"""Characters of an order's key that name its ban on devices."""

Entries = tuple[Entry, ...]


def ban_of(key: str) -> str:
    """The short form of an order's key that stands in entries and names declarations."""
    return key.removeprefix("sha256:")[:BAN_LENGTH]


def members(means: Means, view: View, scope: str) -> Iterator[Device]:
    """The devices of a group scope that are still enrolled."""
    for device in means.records.devices():
        if device.kind.is_device and device.left_at is None and scope_id(device, view.roster, view.config) == scope:
            yield device


@dataclass(frozen=True, slots=True)
class Writer:
    """Prepares, sends and takes back. ``system`` is the pure half of the connector."""

    means: Means
    system: System

    def prepare(self, order: Order) -> Prepared:
        """The scope as our records have it. Raises Rejected for a foreign order."""
        view = self._accept(order)
        if order.method in REMOVES:
            return self._prepare_removal(order, view)
        scope = self._scope_of(order, view)
        there = self.system.in_place(scope, order.method, order.side)
        ours = {entry.app: entry.ban for entry in wanted(order.scope, view.groups).now.entries}
        prior = {app: ours.get(app, "base" if app in there else None) for app in order.app_ids}
        return Prepared(scope, _text(prior), in_place=there.issuperset(order.app_ids))

    def send(self, order: Order, prepared: Prepared) -> Receipt:  # noqa: ARG002 (the contract's)
        """Merge the order's apps into its group, or begin their removal from its device. Raises a ConnectorFault."""
        view = self._accept(order)
        if order.method in REMOVES:
            return self._remove(order, view)
        # Read anew: what was prepared may be older than an order that went before.
        there = self.system.in_place(self._scope_of(order, view), order.method, order.side)
        added = tuple(Entry(app, ban_of(order.key)) for app in order.app_ids if app not in there)
        return self._change(order, lambda entries: (*entries, *added))

    def retract(self, order: Order, prior: str) -> Receipt:
        """Take our entries of the order's apps out of its group. A removed app is not put back; a conversion whose
        second step is still to come is stopped. Raises a ConnectorFault."""
        view = self._accept(order)
        if order.method in REMOVES:
            return self._stop(order, view)
        gone = {app for app in order.app_ids if _read_prior(prior).get(app) is None}
        return self._change(order, lambda entries: tuple(one for one in entries if one.app not in gone))

    # Groups ---------------------------------------------------------------------------------------------------------

    def _scope_of(self, order: Order, view: View) -> Scope:
        """The scope with what its devices add to it: how old they are decides what a base keeps away on all of them."""
        tally = Tally()
        for device in members(self.means, view, order.scope):
            tally.take(device, view, order.scope)
        return group_scope(order.scope, view, tally)

    def _change(self, order: Order, change: Callable[[Entries], Entries]) -> Receipt:
        view, group = self._offer(order.scope, change)
        offered = group.offered
        if offered is None:
            return self._nothing_sent(order, group.now.version, "in-place")
        delivery = Delivery(view, Group(group.scope, offered, before=(group.now, *group.before)))
        status = 0
        if delivery.channel is Channel.declarations:
            offered = replace(offered, tokens=publish(self.means.ddm, order.scope, offered))
            status = 204
        open_cases = self._cases(view, order.scope)
        reached = sum(_has(delivery, case) for case in open_cases)
        due = [found for case in open_cases if (found := delivery.due(case)) is not None]
        sent = Sent()
        if delivery.channel is Channel.declarations:
            due, joined = groups.join(self.means, order.scope, due)
            sent.add(joined.sent)
        if sent.stopped is None:
            sent.add(enqueue(self.means, due))
        if (due or sent.faults) and not reached and not sent.there:
            self._give_up(group, sent)
        self._promote(group, offered)
        return self._receipt(order, sent, offered.version, status=sent.status or status, reached=reached)

    def _offer(self, scope: str, change: Callable[[Entries], Entries]) -> tuple[View, Group]:
        """Write down what the scope is to want. Without an offer there is nothing to change."""
        with self.means.records.atomic():
            view = self.means.view()
            group = wanted(scope, view.groups)
            entries = change(group.now.entries)
            if group.now.base and split(scope)[0] not in view.bases:
                raise self._without_base(scope)
            if set(entries) == set(group.now.entries):
                if group.offered is not None:
                    group = replace(group, offered=None, offered_at=None)
                    self.means.records.save_group(group)
                return view, group
            offered = edition(view, scope, group.now.version + 1, entries)
            if group.offered is not None:
                # A number that devices may have met stays with what they met under it.
                reuse = same(replace(group.offered, version=offered.version), offered)
                number = group.offered.version + (not reuse)
                offered = replace(offered, version=number)
            group = replace(group, offered=offered, offered_at=view.now)
            self.means.records.save_group(group)
        return view, group

    def _give_up(self, group: Group, sent: Sent) -> None:
        """Nothing arrived. Where that is certain, the offer is withdrawn; else it stays for the next try."""
        if not any(isinstance(fault, UnknownFate) for _, fault in sent.faults):
            with self.means.records.atomic():
                current = self.means.records.group(group.scope)
                if current is not None and current.offered == group.offered:
                    self.means.records.save_group(replace(current, offered=None, offered_at=None))
        worst = sent.worst()
        if worst is not None:
            raise worst

    def _promote(self, group: Group, offered: Edition) -> None:
        with self.means.records.atomic():
            current = self.means.records.group(group.scope)
            if current is None or current.now != group.now or current.offered != group.offered:
                raise Contended(
                    Text(
                        f"another process changed {group.scope} meanwhile",
                        f"un autre processus a modifié {group.scope} entre-temps",
                    ),
                    remedy=Text("Nothing to do; the loop tries again.", "Rien à faire; la boucle réessaiera."),
                )
            self.means.records.save_group(followed_by(group, offered))

    def _cases(self, view: View, scope: str) -> list[Case]:
        ready = [device for device in members(self.means, view, scope) if device.ready]
        if not ready:
            return []
        sent = by_device(self.means.records.commands()) if len(ready) > 1 else {}
        if len(ready) == 1:
            sent = {ready[0].id: list(self.means.records.commands(device=ready[0].id))}
        return list(cases(ready, sent))

    # Devices --------------------------------------------------------------------------------------------------------

    def _prepare_removal(self, order: Order, view: View) -> Prepared:
        device = self._device(order)
        scope = device_scope(device, view) or _empty_scope(device, view)
        there = self.system.in_place(scope, order.method, order.side)
        left = [app for app in order.app_ids if app not in there and not _is_gone(device, app)]
        return Prepared(scope, _text({}), in_place=not left)

    def _remove(self, order: Order, view: View) -> Receipt:
        device = self._device(order)
        if not device.ready:
            raise self._not_yet(Text("has not finished its enrolment", "n'a pas terminé son inscription"), device)
        scope = device_scope(device, view) or _empty_scope(device, view)
        there = self.system.in_place(scope, order.method, order.side)
        apps = [app for app in order.app_ids if app not in there and not _is_gone(device, app)]
        if not apps:
            return self._nothing_sent(order, scope.version, "in-place")
        if order.method == CONVERT:
            # Checked by ``objections`` as well; a conversion installs what is not there, so it is checked here again,
            # app by app: an app that the list does not name is not known to be there.
            apps = [app for app in apps if removals.is_listed(device, app)]
        if order.method == CONVERT and not (apps and removals.is_fresh(device, view.config, view.now)):
            raise self._not_yet(Text("has no fresh app list", "n'a pas de liste d'applications récente"), device)
        (case,) = cases([device], {device.id: self.means.records.commands(device=device.id)})
        steps: list[Outgoing] = []
        begun: dict[str, Removal] = {}
        for app in apps:
            removal = removals.begun(device, app, order.key, order.method, view.now)
            step = removals.first_step(case, removal, view.now)
            steps.append(step)
            begun[step.command.uuid] = removal
        sent = enqueue(
            self.means, steps, settle=lambda arrived: removals.record_begun(self.means.records, arrived, begun)
        )
        worst = sent.worst()
        if worst is not None:
            raise worst  # what did arrive is recorded, and is not sent again
        return self._receipt(order, sent, device_version(self._device(order), view.now), status=sent.status)

    def _stop(self, order: Order, view: View) -> Receipt:
        with self.means.records.atomic():
            device = self._device(order)
            halted = removals.stopped(device, order.app_ids, view.now)
            if halted != device:
                self.means.records.save_devices([halted])
        two_steps = (removals.removal_of(device, app) for app in order.app_ids)
        said = "not-put-back"
        if any(one is not None and one.stage in removals.BETWEEN for one in two_steps):
            said = "conversion-stopped"
        return self._nothing_sent(order, device_version(halted, view.now), said)

    def _device(self, order: Order) -> Device:
        device = self.means.records.device(order.scope.removeprefix(device_key("")))
        if device is None or not device.kind.is_device or device.left_at is not None:
            raise Rejected(
                Text(f"{order.scope} is not enrolled", f"{order.scope} n'est pas inscrit"),
                remedy=Text("Observe the fleet, then plan again.", "Observez le parc, puis planifiez de nouveau."),
            )
        return device

    def _not_yet(self, why: Text, device: Device) -> Throttled:
        key = device_key(device.id)
        return Throttled(
            Text(f"{key} {why.en}: nothing was sent", f"{key} {why.fr}\N{NO-BREAK SPACE}: rien n'a été envoyé"),
            remedy=Text("Nothing to do; the loop tries again.", "Rien à faire; la boucle réessaiera."),
            retry_after=3600 * self.means.config.lost_after_hours,
        )

    def _without_base(self, scope: str) -> Throttled:
        """Made without it, the next edition would leave the organisation's profile as it is, with our entries in it."""
        what, remedy = wording.base_gone(scope, split(scope)[0])
        return Throttled(
            what,
            remedy=remedy,
            retry_after=3600 * self.means.config.lost_after_hours,
        )

    # Shared ---------------------------------------------------------------------------------------------------------

    def _accept(self, order: Order) -> View:
        """Refuse what is not ours to do, before anything is read or sent."""
        if order.system == SYSTEM and order.app_ids and order.side in SIDES and self._fits(order):
            return self.means.view()
        raise Rejected(
            Text(
                f"not an order for {SYSTEM}: {order.method} on {order.scope} ({order.side})",
                f"ordre étranger à {SYSTEM}\N{NO-BREAK SPACE}: {order.method} sur {order.scope} ({order.side})",
            ),
            remedy=Text("Plan again with this configuration.", "Planifiez de nouveau avec la présente configuration."),
        )

    def _fits(self, order: Order) -> bool:
        if order.method in REMOVES:
            return order.scope.startswith(device_key("")) and order.scope != device_key("")
        try:
            _, channel = split(order.scope)
        except ValueError:
            return False
        at_hand = channel is not Channel.declarations or bool(self.means.config.kmfddm_endpoint)
        return at_hand and BLOCKS.get(order.method) is channel

    def _receipt(self, order: Order, sent: Sent, version: int, *, status: int, reached: int = 0) -> Receipt:
        counts = {
            "queued": len(sent.queued),
            "queued-before": len(sent.known) + reached,
            "failed": len(sent.faults),
            "left": sent.left,
            "not-woken": len(sent.unwoken),
        }
        return Receipt(
            key=order.key,
            at=self.means.clock.now(),
            status=status,
            scope_version=version,
            request=sent.request,
            response=sent.response,
            detail=",".join(f"{name}:{count}" for name, count in counts.items() if count),
        )

    def _nothing_sent(self, order: Order, version: int, detail: str) -> Receipt:
        return Receipt(
            key=order.key,
            at=self.means.clock.now(),
            status=0,
            scope_version=version,
            request=digest_bytes(b""),
            response=digest_json(version),
            detail=detail,
        )


def _has(delivery: Delivery, case: Case) -> bool:
    """Whether NanoMDM has this very edition for the device, from an earlier try."""
    last = delivery.last(case)
    gone = (CommandState.sending, CommandState.void)
    return last is not None and delivery.is_mine(last) and last.state not in gone


def _is_gone(device: Device, app: str) -> bool:
    """Whether a list of this enrolment that asked for the app does not show it, and nothing is under way."""
    if device.apps is None or app not in device.apps.named or removals.is_listed(device, app):
        return False
    removal = removals.removal_of(device, app)
    return removal is None or removal.stage not in removals.UNDER_WAY


def _empty_scope(device: Device, view: View) -> Scope:
    """The scope of a device on which nothing is listed and from which nothing was removed."""
    settings = _text({"apps": {}, "fresh": False})
    return Scope(SYSTEM, device_key(device.id), device_version(device, view.now), 1, settings)


def _read_prior(prior: str) -> dict[str, str | None]:
    """What the apps of an order had before it: None, the ban of another order, or "base"."""
    try:
        found = json.loads(prior)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Rejected(
            Text("the stored prior state cannot be read", "l'état antérieur enregistré est illisible"),
            remedy=Text(
                "Take out by hand the entries that the receipt in the ledger names.",
                "Retirez à la main les entrées que nomme l'accusé de réception au registre.",
            ),
        )
    return found


def _text(value: object) -> str:
    return canonical_bytes(value).decode()
