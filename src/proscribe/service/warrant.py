"""Whether what was approved may still be carried out: an interim decision past its day, signatures that are void.

The ban is not taken back by that: what is in place stays in place, and nothing more is sent until people have decided.
"""

from __future__ import annotations

from proscribe.decide.process import CaseAltered
from proscribe.errors import ProscribeError
from proscribe.service import signing
from proscribe.service.installation import Installation
from proscribe.service.model import Standing
from proscribe.text import Text
from proscribe.trust.errors import KeyListExpired


class InterimEnded(ProscribeError):
    """An interim decision was not confirmed in time, and has ended by itself."""

    code = "service.interim-ended"


def refuse_ended(installation: Installation, directive: str) -> None:
    """Raises InterimEnded where the directive rests on an interim decision whose last day is over."""
    from proscribe.service import casework

    case = casework.interim_expired(installation, directive, installation.clock.now())
    if case is None:
        return
    raise InterimEnded(
        Text(
            f"the interim decision of case {case.id} ended on {case.interim_until} and was not confirmed",
            f"la décision provisoire du dossier {case.id} a pris fin le {case.interim_until} sans être confirmée",
        ),
        remedy=Text(
            f"Confirm it ('proscribe case advance {case.id} confirm'), or take the ban back ('proscribe lift "
            f"{directive}').",
            f"Confirmez-la («\u00a0proscribe case advance {case.id} confirm\u00a0»), ou levez l'interdiction "
            f"(«\u00a0proscribe lift {directive}\u00a0»).",
        ),
    )


def ended(installation: Installation, order: Standing) -> Text | None:
    """Why nothing more may be sent under an approved plan, with the next step; None where it may."""
    try:
        refuse_ended(installation, order.directive)
        signing.refuse_void(installation, order)
    except (InterimEnded, CaseAltered, KeyListExpired, signing.SignatureVoid) as error:
        return Text(
            f"Nothing more is sent under {order.directive}: {error.what.en}. {error.remedy.en}",
            f"Plus rien n'est envoyé en vertu de {order.directive}\u00a0: {error.what.fr}. {error.remedy.fr}",
        )
    return None
