"""What is enforced here, by whose decision, and with which outcomes."""

from __future__ import annotations

from proscribe.directive.model import Directive
from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.errors import ProscribeError
from proscribe.service.installation import Installation
from proscribe.service.model import DepartmentOutcomes, Standing, StatusReport
from proscribe.text import Text


class NotEnforced(ProscribeError):
    """No plan of this directive was ever approved here."""

    code = "service.not-enforced"


class UnknownOutcome(ProscribeError):
    """An outcome was asked for that does not exist."""

    code = "service.unknown-outcome"


def orders(installation: Installation) -> tuple[Standing, ...]:
    """The newest decision about each directive."""
    newest: dict[str, Standing] = {}
    for order in installation.stores.documents.all(Standing):  # newest first
        newest.setdefault(order.directive, order)
    return tuple(newest[name] for name in sorted(newest))


def order_of(installation: Installation, reference: str) -> Standing:
    """The newest decision about a directive. Raises NotEnforced."""
    for order in orders(installation):
        if order.directive == reference:
            return order
    raise NotEnforced(
        Text(
            f"no plan of {reference} was approved here",
            f"aucun plan de {reference} n'a été approuvé ici",
        ),
        remedy=Text(
            f"Run 'proscribe plan {reference} --out plan.json', look at it, then "
            "'proscribe apply plan.json --approve'.",
            f"Lancez « proscribe plan {reference} --out plan.json », examinez le plan, puis "
            "« proscribe apply plan.json --approve ».",
        ),
    )


def status(installation: Installation, reference: str) -> StatusReport:
    """The outcomes as last judged. Raises NotEnforced."""
    from proscribe.service import signing, warrant  # they come after decisions, which stand here

    order = order_of(installation, reference)
    outcomes = installation.stores.outcomes.tally(order.directive)
    history = installation.stores.outcomes.history(order.directive)
    directive = installation.stores.documents.get(Directive, order.directive_digest)
    departments = installation.stores.outcomes.by_department(order.directive)
    return StatusReport(
        directive=order.directive,
        title=directive.title,
        at=history[-1].at if history else order.approved_at,
        fleet=sum(outcomes.values()),
        compliant=sum(number for outcome, number in outcomes.items() if outcome.compliant),
        outcomes=outcomes,
        departments=tuple(
            DepartmentOutcomes(name, sum(counts.values()), counts) for name, counts in sorted(departments.items())
        ),
        frozen=installation.stores.freeze.frozen(),
        lifted=order.lifted_at is not None,
        ended=None if order.lifted_at is not None else warrant.ended(installation, order),
        approvals=signing.said_of(installation, order),
    )


def devices(installation: Installation, reference: str, outcome: str) -> tuple[DeviceOutcome, ...]:
    """The devices of one outcome. Raises NotEnforced or UnknownOutcome."""
    order = order_of(installation, reference)
    if outcome not in set(Outcome):
        known = ", ".join(Outcome)
        raise UnknownOutcome(
            Text(f"there is no outcome {outcome!r}", f"il n'existe pas de résultat « {outcome} »"),
            remedy=Text(f"Use one of: {known}.", f"Utilisez l'un de ceux-ci : {known}."),
        )
    return tuple(installation.stores.outcomes.latest(order.directive, outcome=Outcome(outcome)))
