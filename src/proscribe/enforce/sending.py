"""One order on its way: write down the intent, send, write down the answer. In that order, whatever happens.

The right to talk to the scope (``ActionRepository.flight``) must be held by the caller: it is what makes an action that
is found in ``sending`` mean "its sender is gone" and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from proscribe.connectors.base import (
    Connector,
    ConnectorFault,
    NotAuthorised,
    Prepared,
    Receipt,
    Throttled,
    UnknownFate,
)
from proscribe.enforce.keys import next_turn, order_of
from proscribe.enforce.means import Log, Means
from proscribe.enforce.model import Action, ActionState
from proscribe.enforce.wording import apps, devicewise, place
from proscribe.text import Text


class SystemStopped(Exception):
    """The system refuses our credentials: nothing else is sent to it in this tick."""


def send(means: Means, connector: Connector, action: Action, log: Log) -> None:
    """Bring one ``ready`` or ``sending`` action on by one step. Raises SystemStopped."""
    try:
        prepared = connector.prepare(order_of(action))
    except ConnectorFault as fault:
        note_fault(means, action, fault, log, fallback=action.state)
        return
    if prepared.in_place:
        _accept_in_place(means, action, prepared, log)
        return
    against = _objections(connector, action, prepared)
    if against is not None:
        log.wait(against)
        return
    intent = _write_intent(means, connector, action, prepared)
    if intent is None:
        return
    try:
        receipt = connector.send(order_of(intent), prepared)
    except UnknownFate as fault:
        note_fault(means, intent, fault, log, fallback=ActionState.sending)
    except ConnectorFault as fault:
        # Throttled and NotAuthorised are answers: the system has not done it, so the order is merely ready again.
        note_fault(means, intent, fault, log, fallback=ActionState.ready)
    else:
        _accept(means, intent, receipt)
        log.did("sent", _sent(intent))


def _objections(connector: Connector, action: Action, prepared: Prepared) -> Text | None:
    """What in the scope's settings, as they are now, would defeat the order or break what the organisation set up.

    The plan looked at the same, but a wave may start days after it was approved.
    """
    raised = connector.objections(prepared.scope, action.method, action.side, action.app_ids)
    against = [objection for objection in raised if objection.blocks]
    if not against:
        return None
    if devicewise(action):  # one sentence for all devices of which the same is true
        return Text(
            f"Orders of {action.system} to single devices wait. "
            + " ".join(f"{one.what.en}. {one.remedy.en}" for one in against),
            f"Des ordres de {action.system} visant un seul appareil attendent. "
            + " ".join(f"{one.what.fr}. {one.remedy.fr}" for one in against),
        )
    return Text(
        f"{action.scope} of {action.system}: nothing is sent. "
        + " ".join(f"{one.what.en}. {one.remedy.en}" for one in against),
        f"{action.scope} ({action.system}) : rien n'est envoyé. "
        + " ".join(f"{one.what.fr}. {one.remedy.fr}" for one in against),
    )


def note_orphan(means: Means, action: Action, log: Log) -> None:
    """An action whose sender died: leave the system time to finish what may still be on its way, then look.

    The time counts from here and not from the intent: between the intent and the last byte anything may have passed,
    but the flight that we hold ended with the sender.
    """
    with means.repository.atomic():
        current = means.repository.claim(action.key, action.state)
        if current is None:
            return
        until = means.clock.now() + timedelta(seconds=means.pace.settle)
        means.repository.save(replace(current, not_before=until), was=action.state)
        body = {**about(action), "code": "enforce.sender-gone", "state": action.state.value}
        means.journal.record("fault", action.key, body)
    log.did(
        "orphaned",
        Text(
            f"The worker that was busy with {action.scope} of {action.system} is gone; what it did is looked up.",
            f"Le processus qui traitait {action.scope} ({action.system}) a disparu; on vérifie ce qu'il a fait.",
        ),
    )


def recall(means: Means, connector: Connector, action: Action, log: Log, *, event: str = "lifted") -> None:
    """A ``sending`` action that is not to be sent again, its directive being lifted, say: learn its fate.

    What arrived, or arrived in part, is accepted so that lifting can take it back. ``event`` is what the journal says
    of an order that did not arrive. Raises SystemStopped.
    """
    try:
        prepared = connector.prepare(order_of(action))
    except ConnectorFault as fault:
        note_fault(means, action, fault, log, fallback=action.state)
        return
    there = connector.in_place(prepared.scope, action.method, action.side)
    if any(app_id in there for app_id in action.ours):
        _accept_in_place(means, action, prepared, log)
    elif drop(means, action, event):
        log.did("superseded")


def drop(means: Means, action: Action, event: str) -> bool:
    """An order that did not reach the system is not going to."""
    with means.repository.atomic():
        current = means.repository.claim(action.key, action.state)
        if current is None:
            return False
        means.repository.save(replace(current, state=ActionState.superseded, not_before=None), was=action.state)
        means.journal.record("lift", action.key, {**about(action), "event": event})
    return True


def _accept_in_place(means: Means, action: Action, prepared: Prepared, log: Log) -> None:
    """Nothing needs to be sent: it was there before us, or our own request arrived though its answer did not."""
    was_sending = action.state is ActionState.sending
    now = means.clock.now()
    with means.repository.atomic():
        current = means.repository.claim(action.key, action.state)
        if current is None:
            return
        accepted = replace(
            current,
            state=ActionState.accepted,
            # Where ours was under way, what it replaced was written down before it left.
            prior=current.prior if was_sending else prepared.prior,
            scope_version=prepared.scope.version,
            accepted_at=now,
            not_before=None,
            last_error="",
            turn=next_turn(means.repository.find(system=action.system, scope=action.scope)),
        )
        means.repository.save(accepted, was=action.state)
        body = {
            **about(accepted),
            "status": 0,
            "found_in_place": True,
            "sent_before": was_sending,
            "scope_version": prepared.scope.version,
        }
        means.journal.record("receipt", action.key, body)
    log.did("in_place", _found(accepted))


def _write_intent(means: Means, connector: Connector, action: Action, prepared: Prepared) -> Action | None:
    """The write-ahead: state, what to restore, and the journal entry, in one transaction before the first byte.

    None where another worker was faster or a freeze came in between.
    """
    there = connector.in_place(prepared.scope, action.method, action.side)
    missing = tuple(app_id for app_id in action.app_ids if app_id not in there)
    with means.repository.atomic():
        current = means.repository.claim(action.key, action.state)
        if current is None or means.freeze.frozen():
            return None
        # After a send of unknown fate that arrived in part, what is there now is partly our own doing: what the first
        # intent wrote down stays the truth of what others had set.
        partly = action.state is ActionState.sending and any(app_id in there for app_id in current.ours)
        intent = replace(
            current,
            state=ActionState.sending,
            attempts=current.attempts + 1,
            prior=current.prior if partly else prepared.prior,
            ours=current.ours if partly else missing,
            not_before=None,  # whoever finds it so knows that its sender never came to write anything else
        )
        means.repository.save(intent, was=action.state)
        body = {
            **about(intent),
            "attempt": intent.attempts,
            "scope_version": prepared.scope.version,
            "app_ids": list(intent.app_ids),
        }
        means.journal.record("intent", action.key, body)
    return intent


def _accept(means: Means, action: Action, receipt: Receipt) -> None:
    with means.repository.atomic():
        accepted = replace(
            action,
            state=ActionState.accepted,
            scope_version=receipt.scope_version,
            accepted_at=receipt.at,
            not_before=None,
            last_error="",
            turn=next_turn(means.repository.find(system=action.system, scope=action.scope)),
        )
        if means.repository.save(accepted, was=ActionState.sending):
            means.journal.record("receipt", action.key, {**about(action), **receipt_body(receipt)})


def note_fault(means: Means, action: Action, fault: ConnectorFault, log: Log, *, fallback: ActionState) -> None:
    """Write a fault down and say when to try again. Raises SystemStopped where the credentials are refused."""
    now = means.clock.now()
    if not fault.where.file:  # a connector speaks of its request; who reads the error needs to know which scope
        fault.where = replace(fault.where, file=f"{action.system}, {place(action)}")
    attempts = action.attempts + (action.state is not ActionState.sending)
    wait: timedelta | None = means.backoff(attempts)
    state = fallback
    if isinstance(fault, Throttled):
        if fault.retry_after is not None:
            wait = timedelta(seconds=max(0.0, fault.retry_after))
        log.did("throttled")
    elif isinstance(fault, UnknownFate):
        if fallback in (ActionState.sending, ActionState.lifting):
            wait = max(means.backoff(attempts), timedelta(seconds=means.pace.settle))
        log.did("unknown_fate", _unknown(action, fault))
    elif isinstance(fault, NotAuthorised):
        wait = None
        log.did("not_authorised")
        log.errors.append(fault)
    elif fault.transient:
        log.did("fault", _unknown(action, fault))
    else:
        state = ActionState.lifting if fallback is ActionState.lifting else ActionState.rejected
        wait = timedelta(seconds=means.pace.backoff_cap) if state is ActionState.lifting else None
        log.did("rejected")
        log.errors.append(fault)
    noted = replace(
        action,
        state=state,
        attempts=attempts,
        not_before=None if wait is None else now + wait,
        last_error=_unnamed(action, fault),
    )
    with means.repository.atomic():
        if means.repository.save(noted, was=action.state):
            body = {**about(action), "code": fault.code, "what": noted.last_error, "state": state.value}
            means.journal.record("fault", action.key, body)
    if isinstance(fault, NotAuthorised):
        raise SystemStopped


def _unnamed(action: Action, fault: ConnectorFault) -> str:
    """What went wrong, as the journal keeps it: a system's own words, or ours about one device, may name the device."""
    said = fault.what.en
    if devicewise(action):
        for name in (action.scope, action.scope.partition(":")[2]):
            said = said.replace(name, "the device") if name else said
    return said


def about(action: Action) -> dict[str, object]:
    """What every journal entry about an action says. Never a device."""
    return {
        "directive": action.directive,
        "plan": action.plan,
        "step": action.step,
        "system": action.system,
        "scope": "" if devicewise(action) else action.scope,
        "method": action.method,
        "side": action.side.value,
        "wave": action.wave,
    }


def receipt_body(receipt: Receipt) -> dict[str, object]:
    """A receipt as the journal keeps it."""
    return {
        "status": receipt.status,
        "scope_version": receipt.scope_version,
        "request": receipt.request,
        "response": receipt.response,
        "answered_at": receipt.at.isoformat(),
        "detail": receipt.detail,
    }


def _sent(action: Action) -> Text:
    where, what = place(action), apps(action)
    return Text(
        f"{action.system} accepted the order on {where.en}: {what.en}.",
        f"{action.system} a accepté l'ordre visant {where.fr} : {what.fr}.",
    )


def _found(action: Action) -> Text:
    where = place(action)
    return Text(
        f"{where.en} of {action.system} has the order in place; nothing was sent.",
        f"L'ordre est déjà en place dans {where.fr}, {action.system}; rien n'a été envoyé.",
    )


def _unknown(action: Action, fault: ConnectorFault) -> Text:
    where = place(action)
    return Text(
        f"{action.system}, {where.en}: {fault.what.en}; it will be looked at again before anything is sent.",
        f"{action.system}, {where.fr} : {fault.what.fr}; on vérifiera de nouveau avant tout envoi.",
    )
