"""The best that may ever be said of a device, by enrolment (mdm.md 1.1): no report sees more than its source did."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from proscribe.enforce.model import Outcome
from proscribe.errors import ProscribeError, Where
from proscribe.terms import Enrolment
from proscribe.text import Text

_REMOVED = frozenset({Outcome.absent_verified, Outcome.removed_verified})
_ALWAYS = frozenset(
    {
        Outcome.pending_locked,
        Outcome.pending_sync,
        Outcome.pending_vendor_approval,
        Outcome.refused_by_user,
        Outcome.failed,
        Outcome.impossible,
        Outcome.exempt,
        Outcome.stale,
        Outcome.unknown,
    }
)

ALLOWED: Mapping[Enrolment, frozenset[Outcome]] = MappingProxyType(
    {
        # System apps of a fully managed Android device are disabled, not deleted: listed, yet contained.
        Enrolment.fully_managed: _ALWAYS | _REMOVED | {Outcome.contained, Outcome.invisible},
        Enrolment.supervised: _ALWAYS | _REMOVED | {Outcome.contained, Outcome.invisible},
        # Nothing can be kept from being launched without supervision, so nothing is ever contained.
        Enrolment.unsupervised: _ALWAYS | _REMOVED | {Outcome.invisible},
        Enrolment.unmanaged: _ALWAYS | _REMOVED | {Outcome.invisible},
        # The personal side is enforced without being seen.
        Enrolment.cope: _ALWAYS | {Outcome.enforced_blind, Outcome.invisible},
        # The personal side is neither seen nor reached.
        Enrolment.byod: _ALWAYS | {Outcome.invisible},
        Enrolment.user_enrolment: _ALWAYS | {Outcome.invisible},
        # Who does not know how a device is managed does not know what of it is out of sight.
        Enrolment.unknown: _ALWAYS | {Outcome.invisible},
    }
)


class OutcomeCeilingError(ProscribeError):
    """Somebody claims more of a device than its enrolment lets anyone see."""

    code: ClassVar[str] = "enforce.outcome-ceiling"


def ensure_allowed(enrolment: Enrolment, outcome: Outcome, *, device: str = "") -> Outcome:
    """``outcome``, if it may be said of a device of this enrolment. Raises OutcomeCeilingError."""
    if outcome in ALLOWED[enrolment]:
        return outcome
    raise OutcomeCeilingError(
        Text(
            f"a device enrolled as {enrolment} cannot be reported as {outcome}: a part of it is out of sight",
            f"un appareil inscrit comme {enrolment} ne peut être déclaré {outcome} : une partie en est invisible",
        ),
        remedy=Text(
            "Report enforced_blind (COPE) or invisible (personal devices), and say what could not be seen.",
            "Déclarez enforced_blind (COPE) ou invisible (appareils personnels) et précisez ce qui n'a pu être vu.",
        ),
        where=Where(field=device),
    )
