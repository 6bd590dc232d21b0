"""What is true of a device under a directive (DESIGN rules 1 and 2; mdm.md 1.1 and 6.2). Pure.

Acceptance is not compliance: an outcome comes only from a list that the device itself took after the enforcement
moment, and that it took under the very version of the scope that carries the ban. Everything else is counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from proscribe.canonical import Digest
from proscribe.enforce import reasons
from proscribe.enforce.ceilings import ALLOWED, ensure_allowed
from proscribe.enforce.model import Action, ActionState, DeviceOutcome, Enforcement, Outcome
from proscribe.evaluate.model import DeviceStatus, Drift, Finding, Presence
from proscribe.inventory.model import Freshness, Visibility
from proscribe.terms import Enrolment, Side
from proscribe.text import Text

CLOCK_SKEW = timedelta(minutes=10)
"""How far a device's clock may run ahead of ours before its times prove nothing."""

_PRESENT = (Presence.present_managed, Presence.present_unmanaged, Presence.present_contained)
_UNSENT = (ActionState.waiting, ActionState.ready, ActionState.sending)
_NEVER_CONTAINED = (Enrolment.unsupervised, Enrolment.unmanaged)
_BLIND_SIDE = (Enrolment.byod, Enrolment.user_enrolment)

REMARKS: dict[str, Outcome] = {
    "locked": Outcome.pending_locked,
    "vendor-approval": Outcome.pending_vendor_approval,
    "refused-by-user": Outcome.refused_by_user,
    "refused-by-device": Outcome.failed,
    "pending": Outcome.pending_sync,
}
"""Codes of ``DeviceRecord.remarks`` (the text before the first colon) that say why a change has not arrived yet."""

_OF_ONE_APP = ("refused-by-user", "refused-by-device")
"""Codes whose remark ends with the app that it is about."""

NONCOMPLIANT = "noncompliant"
"""The code of a remark in which the device itself says that it could not apply a setting."""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a snapshot says of a device beyond its status."""

    device: str
    applied_scope: str = ""
    applied_version: int = 0
    remarks: tuple[str, ...] = ()
    sees: Visibility = Visibility.unknown
    gives_ids: bool = True
    stale_after_days: int = 0  # 0: the source has no bound


@dataclass(frozen=True, slots=True)
class Case:
    """Everything else that bears on one device under one directive."""

    snapshot: Digest
    findings: tuple[Finding, ...] = ()  # of this device
    enforcements: tuple[Enforcement, ...] = ()  # of its scope
    actions: tuple[Action, ...] = ()  # of its scope: to tell what waits from what was refused
    exempt: Text | None = None  # why it may keep the app
    impossible: Text | None = None  # why nothing can be done
    refused: Text | None = None  # why the plan left it out, where something could be done
    held: bool = False  # it was seen with the app before
    decided_at: datetime | None = None  # when the plan was approved: where nothing can be ordered, the moment to beat


@dataclass(frozen=True, slots=True)
class _Verdict:
    outcome: Outcome
    why: Text


def judge(status: DeviceStatus, facts: DeviceFacts, case: Case, now: datetime) -> DeviceOutcome:
    """The outcome of one device. Never better than its enrolment allows."""
    seen = tuple(finding for finding in case.findings if _is_there(finding))
    held = case.held or any(finding.match.is_violation for finding in case.findings)
    verdict = _verdict(status, facts, replace(case, findings=seen, held=held), now)
    evidence = [case.snapshot, f"applied:{facts.applied_scope}@{facts.applied_version}", *facts.remarks]
    return DeviceOutcome(
        directive=status.directive,
        device=status.device,
        system=status.system,
        enrolment=status.enrolment,
        department=status.department,
        outcome=ensure_allowed(status.enrolment, verdict.outcome, device=status.device),
        why=verdict.why,
        observed_at=status.observed_at,
        evidence=tuple(evidence),
        scope=status.scope,
        held=held,
    )


def _is_there(finding: Finding) -> bool:
    return finding.match.is_violation and finding.actionable and finding.drift is not Drift.cured


def _verdict(status: DeviceStatus, facts: DeviceFacts, case: Case, now: datetime) -> _Verdict:
    """The questions in order; the first that has an answer ends it."""
    if case.exempt is not None:
        return _Verdict(Outcome.exempt, case.exempt)
    visible = tuple(each for each in case.enforcements if each.side is not Side.personal)
    if case.impossible is not None and not visible:
        return _by_hand(status, facts, case, now) or _Verdict(Outcome.impossible, case.impossible)
    unlisted = _unlisted(status, facts, now)
    if unlisted is not None:
        return unlisted
    if not visible:
        return _unordered(status, case)
    return (
        _unproved(status, case, now)
        or _not_arrived(status, facts, case.enforcements)
        or _not_shown(facts, case, visible)
        or _listed(status, facts, case, visible)
        or _gone(status, case)
    )


def _by_hand(status: DeviceStatus, facts: DeviceFacts, case: Case, now: datetime) -> _Verdict | None:
    """Nothing can be ordered here, yet a device that shows itself clean after the decision is clean."""
    seen = status.observed_at
    if case.decided_at is None or seen is None or status.freshness is not Freshness.observed:
        return None
    if case.findings or status.presence in _PRESENT or not case.decided_at < seen <= now + CLOCK_SKEW:
        return None
    clean = _unlisted(status, facts, now) or _gone(status, case)
    return _Verdict(clean.outcome, clean.why + reasons.NOTHING_KEEPS_IT_OUT) if clean.outcome.compliant else None


def _unlisted(status: DeviceStatus, facts: DeviceFacts, now: datetime) -> _Verdict | None:
    """Is there a list at all, and is it young enough?"""
    if status.presence is Presence.unknown or facts.sees is Visibility.nothing:
        return _Verdict(Outcome.unknown, reasons.NO_LIST)
    bound = timedelta(days=facts.stale_after_days)
    too_old = facts.stale_after_days > 0 and status.observed_at is not None and now - status.observed_at > bound
    if status.presence is Presence.stale or too_old:
        return _Verdict(Outcome.stale, reasons.stale(status.observed_at, facts.stale_after_days))
    return None


def _unordered(status: DeviceStatus, case: Case) -> _Verdict:
    """Nothing is enforced on the part of the device that can be seen. Why not?"""
    unsent = [action for action in case.actions if action.state in _UNSENT]
    if unsent:
        return _Verdict(Outcome.pending_sync, reasons.not_sent(min(action.wave for action in unsent)))
    rejected = next((action for action in case.actions if action.state is ActionState.rejected), None)
    if rejected is not None:
        return _Verdict(Outcome.failed, reasons.rejected(rejected.last_error))
    if case.findings:
        return _Verdict(Outcome.failed, reasons.left_out(case.refused))
    if status.presence in _PRESENT:
        return _Verdict(Outcome.unknown, reasons.UNCERTAIN_APP)
    if status.enrolment in _BLIND_SIDE or status.presence is Presence.invisible:
        return _Verdict(Outcome.invisible, reasons.NOTHING_ENFORCED_INVISIBLE)
    return _Verdict(Outcome.unknown, reasons.nothing_enforced(case.refused))


def _unproved(status: DeviceStatus, case: Case, now: datetime) -> _Verdict | None:
    """Does the list's time mean what a proof needs it to mean?"""
    if status.freshness is not Freshness.observed or status.observed_at is None:
        if case.findings:
            return _Verdict(Outcome.pending_sync, reasons.LISTED_AT_UNKNOWN_TIME)
        return _Verdict(Outcome.unknown, reasons.unproved(status.freshness))
    if status.observed_at > now + CLOCK_SKEW:
        return _Verdict(Outcome.unknown, reasons.clock_ahead(status.observed_at))
    return None


def _not_arrived(status: DeviceStatus, facts: DeviceFacts, every: tuple[Enforcement, ...]) -> _Verdict | None:
    """Was the list taken after the enforcement moment, under the version that carries the ban, on every side?"""
    moment = max(each.moment for each in every)
    version = max(each.version for each in every)
    banned = {app_id for each in every for app_id in each.app_ids}
    if status.observed_at is None or status.observed_at <= moment:
        return _remarked(facts, banned) or _Verdict(
            Outcome.pending_sync, reasons.seen_before(status.observed_at, moment)
        )
    # A system without versions (0) cannot say more than the time does.
    if version > 0 and (facts.applied_scope != status.scope or facts.applied_version < version):
        why = reasons.not_applied(facts.applied_scope, facts.applied_version, status.scope, version)
        return _remarked(facts, banned) or _Verdict(Outcome.pending_sync, why)
    return None


def _remarked(facts: DeviceFacts, banned: set[str]) -> _Verdict | None:
    """What the device gives as the reason. What it says of another app's ban is no reason here."""
    for remark in facts.remarks:
        code, _, detail = remark.partition(":")
        if code in _OF_ONE_APP and detail and detail.rpartition(":")[2] not in banned:
            continue
        if code == NONCOMPLIANT and _is_pending(remark):
            code = "pending"
        if code in REMARKS:
            return _Verdict(REMARKS[code], reasons.remarked(REMARKS[code]))
    return None


def _is_pending(remark: str) -> bool:
    """``noncompliant:PENDING:...`` is a device's way of saying "not yet"."""
    return remark.partition(":")[2].partition(":")[0].lower() == "pending"


def _not_shown(facts: DeviceFacts, case: Case, visible: tuple[Enforcement, ...]) -> _Verdict | None:
    """Is there an app of which no list can show what came of the order? Listed, it may be unusable; not listed, it may
    be there: neither is compliance."""
    shown = {app_id for each in visible if each.seen for app_id in each.app_ids}
    quiet = {app_id for each in visible if not each.seen for app_id in each.app_ids} - shown
    if not quiet or any(finding.app_id not in quiet for finding in case.findings):
        return None
    unsent = [action for action in case.actions if action.state in _UNSENT]
    if unsent:
        return _Verdict(Outcome.pending_sync, reasons.not_sent(min(action.wave for action in unsent)))
    refused = tuple(remark for remark in facts.remarks if _is_refusal(remark, quiet))
    if refused:
        return _Verdict(Outcome.failed, reasons.not_complied(refused))
    return _remarked(facts, quiet) or _Verdict(Outcome.unknown, reasons.NOT_SHOWN)


def _listed(status: DeviceStatus, facts: DeviceFacts, case: Case, visible: tuple[Enforcement, ...]) -> _Verdict | None:
    """The ban has arrived; is the app still listed, or did the device say it could not comply?"""
    banned = {app_id for each in case.enforcements for app_id in each.app_ids}
    refused = tuple(remark for remark in facts.remarks if _is_refusal(remark, banned))
    if not case.findings:
        if status.presence in _PRESENT:
            return _Verdict(Outcome.unknown, reasons.UNCERTAIN_APP)
        return _Verdict(Outcome.failed, reasons.not_complied(refused)) if refused else None
    ordered = {app_id for each in visible for app_id in each.app_ids}
    stray = sorted({finding.app_id for finding in case.findings} - ordered)
    if stray:
        return _Verdict(Outcome.failed, reasons.not_in_order(stray))
    if status.presence is Presence.present_contained and status.enrolment not in _NEVER_CONTAINED:
        whole = Outcome.contained in ALLOWED[status.enrolment] and not status.invisible_side
        return _Verdict(Outcome.contained, reasons.CONTAINED) if whole else None
    if not refused:
        remarked = _remarked(facts, banned)
        if remarked is not None:
            return remarked
    returned = any(finding.drift is Drift.reinstalled for finding in case.findings)
    apps = sorted({finding.app_id for finding in case.findings})
    return _Verdict(Outcome.failed, reasons.still_there(apps, refused, returned=returned))


def _is_refusal(remark: str, banned: set[str]) -> bool:
    """Whether a device says that it could not comply: about a banned app, or about its personal side as such."""
    code, _, detail = remark.partition(":")
    if code != NONCOMPLIANT or _is_pending(remark):
        return False
    return any(part in banned or part.lower().startswith("personal") for part in detail.split(":")[1:])


def _gone(status: DeviceStatus, case: Case) -> _Verdict:
    """The ban has arrived and the visible part is clean; what of the rest?"""
    if status.enrolment is Enrolment.cope:
        return _personal_side(case)
    if status.enrolment in _BLIND_SIDE:
        return _Verdict(Outcome.invisible, reasons.PERSONAL_INVISIBLE)
    if status.enrolment is Enrolment.unknown:
        return _Verdict(Outcome.unknown, reasons.ENROLMENT_UNKNOWN)
    if status.invisible_side or status.presence is Presence.invisible:
        return _Verdict(Outcome.invisible, reasons.PART_INVISIBLE)
    if case.held:
        return _Verdict(Outcome.removed_verified, reasons.removed(status.observed_at))
    return _Verdict(Outcome.absent_verified, reasons.absent(status.observed_at))


def _personal_side(case: Case) -> _Verdict:
    if any(each.side is Side.personal for each in case.enforcements):
        return _Verdict(Outcome.enforced_blind, reasons.ENFORCED_BLIND)
    return _Verdict(Outcome.invisible, reasons.PERSONAL_NOT_ENFORCED)
