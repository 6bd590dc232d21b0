"""Whether what is decided here was signed as the key list asks, and what is said where nothing was signed.

Without a key list nothing is asked for, and it is said that approvals are unsigned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proscribe.canonical import Digest
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import digest
from proscribe.errors import ProscribeError
from proscribe.feed.model import Adoption
from proscribe.plan.model import ExemptionGrant, ExemptionRegister, Plan
from proscribe.plan.orders import HERE, InvalidStandingOrder, StandingOrder, affected, newest, uncovered, validate
from proscribe.prove.signatures import SHOWN, SignatureInputs
from proscribe.service.installation import Installation
from proscribe.service.model import Standing
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.trust.model import Verification


class NoStandingOrder(ProscribeError):
    """Acting without asking was wished for, and no signed standing order covers it."""

    code = "service.no-standing-order"


class SignatureVoid(ProscribeError):
    """What was signed when it was approved counts no more: a key that signed it was revoked for that time."""

    code = "service.signature-void"


@dataclass(frozen=True, slots=True)
class Approvals:
    """What was signed of a plan and what it rests on: the kinds of document, and the standing order's digest."""

    kinds: tuple[str, ...] = ()
    order: str = ""


def demand(
    installation: Installation, document: Digest, kind: str, *, number: int | None = None
) -> Verification | None:
    """The signatures of a document, or None where no key list is installed or none of its rules covers the kind.

    ``number``: devices that a plan changes. Raises NotSigned with the next step where a rule covers the kind and the
    signatures are not on file, or count no more.
    """
    from proscribe.service import trusting

    return trusting.require(installation, document, kind, affected=number)


def seats(installation: Installation, document: Digest, *, source: str = HERE) -> tuple[str, ...]:
    """The seats whose signatures of a document are on file and still count: our own, else those of its feed."""
    found = _standing(installation, document, source)
    return () if found is None else found.holders


def _standing(installation: Installation, document: Digest, source: str) -> Verification | None:
    from proscribe.service import trusting

    each = (trusting.verification_of(installation, document, issuer=one) for one in _issuers(installation, source))
    return next((found for found in each if found is not None), None)


def _issuers(installation: Installation, source: str) -> tuple[str, ...]:
    """Under which names the key lists stand that judge what came from a source: our own, and the feed's."""
    from proscribe.service import trusting

    if source == HERE:
        return (trusting.OWN,)
    feed = next((one.issuer or one.name for one in installation.settings.feeds if one.name == source), source)
    return (trusting.OWN, feed)


def _demand_from(installation: Installation, document: Digest, kind: str, source: str) -> Verification | None:
    """As ``demand``; what came through a feed may be signed by those who issued it, whom the feed's list names.

    Where our own list asks for nothing, the feed's still does: what its issuers signed counts only for as long as
    their signatures do. Targets that we chose ourselves are none of theirs.
    """
    from proscribe.service import trusting

    theirs = _issuers(installation, source)[1:]
    try:
        found = demand(installation, document, kind)
    except trusting.NotSigned:
        if not theirs or trusting.verification_of(installation, document, issuer=theirs[0]) is None:
            raise
        found = None
    if found is None and theirs and (kind == Directive.KIND or _brought(installation, document)):
        return trusting.require(installation, document, kind, issuer=theirs[0])
    return found


def _brought(installation: Installation, targets: Digest) -> bool:
    """Whether a target set was adopted from a feed."""
    return any(one.targets_digest == targets for one in installation.stores.documents.all(Adoption))


def _refuse_older(installation: Installation, plan: Plan, source: str) -> None:
    """Raises Replayed where a later version of what the plan rests on is signed and on file.

    What is adopted from a feed stays good until its successor is adopted: a pull alone takes nothing away.
    """
    from proscribe.service import trusting

    adopted = installation.stores.documents.latest(Adoption, subject=plan.directive)
    named = () if adopted is None else (adopted.directive_digest, adopted.targets_digest)
    for document in (plan.directive_digest, plan.targets_digest):
        if document not in named:
            for issuer in _issuers(installation, source):
                trusting.refuse_replaced(installation, document, issuer=issuer)


def approvals(installation: Installation, plan: Plan, *, standing: bool, source: str = HERE) -> Approvals:
    """Ask for every signature that carrying out a plan needs.

    Raises NotSigned, KeyListExpired, Replayed where it rests on what was replaced since, or NoStandingOrder where it
    is to be acted later without asking.
    """
    _refuse_older(installation, plan, source)
    rests_on = ((plan.directive_digest, Directive.KIND), (plan.targets_digest, TargetSet.KIND))
    kinds = [kind for one, kind in rests_on if _demand_from(installation, one, kind, source) is not None]
    if demand(installation, digest(plan), Plan.KIND, number=affected(plan)) is not None:
        kinds.append(Plan.KIND)
    order = order_covering(installation, plan, source=source) if standing else None
    if order is None:
        return Approvals(tuple(kinds))
    return Approvals((*kinds, StandingOrder.KIND), digest(order))


def order_covering(installation: Installation, plan: Plan, *, source: str = HERE) -> StandingOrder | None:
    """The signed standing order under which a plan may be carried out without asking.

    None where no key list is installed, or it has no rule for standing orders: then a person's word at approval is
    enough, as it always was. Raises NoStandingOrder, with what each order lacks.
    """
    from proscribe.service import trusting
    from proscribe.trust.verify import rule_for

    keys = trusting.key_list(installation)
    if keys is None or rule_for(keys, StandingOrder.KIND) is None:
        return None
    now = installation.clock.now()
    lacking: list[Text] = []
    for order in signed_orders(installation):
        why = uncovered(order, plan, now, source=source)
        if why is None:
            return order
        lacking.append(why)
    none = Text("none is signed and in order", "aucun n'est signé et en règle")
    said = Text("; ".join(one.en for one in lacking) or none.en, "; ".join(one.fr for one in lacking) or none.fr)
    raise NoStandingOrder(
        Text(
            f"no standing order covers this plan of {plan.directive}: {said.en}",
            f"aucun ordre permanent ne couvre ce plan de {plan.directive}\u00a0: {said.fr}",
        ),
        remedy=Text(
            "Write a standing order ('proscribe schema proscribe.standing-order'), have it signed ('proscribe sign') "
            "and record it ('proscribe verify FILE --record'); or approve plan by plan, without --standing.",
            "Rédigez un ordre permanent («\u00a0proscribe schema proscribe.standing-order\u00a0»), faites-le signer "
            "(«\u00a0proscribe sign\u00a0») et consignez-le («\u00a0proscribe verify FICHIER --record\u00a0»); ou "
            "approuvez plan par plan, sans --standing.",
        ),
    )


def signed_orders(installation: Installation) -> tuple[StandingOrder, ...]:
    """The newest version of each standing order, where our own seats signed it. Raises KeyListExpired.

    Where the newest is signed no more, because a key was revoked, none counts: an order that was withdrawn or narrowed
    does not come back by itself.
    """
    from proscribe.service import trusting

    good, void = [], []
    for order in installation.stores.documents.all(StandingOrder):
        try:
            validate(order)
            if trusting.require(installation, digest(order), StandingOrder.KIND) is not None:
                good.append(order)
        except InvalidStandingOrder:
            continue
        except trusting.NotSigned:
            if trusting.revoked(installation, digest(order)):
                void.append(order)
    return tuple(one for one in newest((*good, *void)) if one in good)


def refuse_void(installation: Installation, order: Standing) -> None:
    """Raises SignatureVoid where something that was signed at approval is signed no more, or KeyListExpired."""
    from proscribe.service import trusting

    source = order.source or HERE
    rests_on = {Directive.KIND: order.directive_digest, TargetSet.KIND: order.targets_digest, Plan.KIND: order.approved}
    for kind, document in rests_on.items():
        if kind not in order.signed or not document:
            continue
        found = _standing(installation, Digest(document), source)
        if found is not None:
            trusting.refuse_expired(installation, found, _issuers(installation, source))
        else:
            raise SignatureVoid(
                Text(
                    f"the signatures under which {order.directive} was approved count no more ({kind})",
                    f"les signatures au titre desquelles {order.directive} a été approuvée ne comptent plus ({kind})",
                ),
                remedy=Text(
                    f"Have it signed again and recorded ('proscribe sign', 'proscribe verify FILE --record'), or take "
                    f"the ban back ('proscribe lift {order.directive}').",
                    "Faites-la signer de nouveau et consignez-la («\u00a0proscribe sign\u00a0», «\u00a0proscribe "
                    f"verify FICHIER --record\u00a0»), ou levez l'interdiction («\u00a0proscribe lift "
                    f"{order.directive}\u00a0»).",
                ),
            )


def exemptions(installation: Installation, *, directive: str | None = None) -> ExemptionRegister:
    """The exemptions in force today, by id, without those that were signed with a key revoked for that time."""
    from proscribe.service import trusting

    register = installation.stores.exemptions.in_force(installation.clock.now().date(), directive=directive)
    if not register.exemptions or trusting.key_list(installation) is None:
        return register
    known = {one.exemption: one for one in reversed(tuple(installation.stores.documents.all(ExemptionGrant)))}
    return ExemptionRegister(
        tuple(
            one
            for one in register.exemptions
            if one not in known or not trusting.revoked(installation, digest(known[one]))
        )
    )


def for_proof(installation: Installation, order: Standing) -> SignatureInputs:
    """The key lists, the envelopes that name no device, and what was found of every signature about a directive."""
    from proscribe.service import trusting
    from proscribe.trust.model import SignedDocument, Verification

    documents = installation.stores.documents
    issuers = trusting.issuers(installation)
    lists = [digest(keys) for one in issuers for keys in trusting.key_lists(installation, issuer=one)]
    wanted = {order.directive_digest, order.targets_digest, order.order, *_named(installation, order)}
    found = [one for one in documents.all(Verification) if one.of in wanted]
    found.reverse()
    shown = [one.envelope for one in found if one.of_kind in SHOWN and one.envelope is not None]
    return SignatureInputs(
        key_lists=[documents.get(SignedDocument, documents.digests(SignedDocument, subject=one)[0]) for one in lists],
        signed=[documents.get(SignedDocument, one) for one in dict.fromkeys(shown)],
        verifications=found,
    )


def _named(installation: Installation, order: Standing) -> Iterator[Digest]:
    """The plans and exemptions of a directive: their envelopes name devices, what was found of them does not."""
    stores = installation.stores
    yield from stores.documents.digests(Plan, subject=order.directive)
    for granted in stores.documents.all(ExemptionGrant):
        if granted.exemption.directive == order.directive:
            yield digest(granted)


def said_of(installation: Installation, order: Standing) -> tuple[Text, ...]:
    """Whose signatures stand under what is enforced; that there are none, where there are none."""
    from proscribe.service import trusting

    source = order.source or HERE
    if trusting.key_list(installation) is None and not seats(installation, order.directive_digest, source=source):
        return (
            Text(
                "Approvals are unsigned: no key list is installed here. A role's name is all there is.",
                "Les approbations ne sont pas signées\u00a0: aucune liste de clés n'est installée ici. Seul un nom de "
                "rôle en tient lieu.",
            ),
        )
    return (
        _line(Text("Directive", "Directive"), _standing(installation, order.directive_digest, source)),
        _line(Text("Target set", "Ensemble de cibles"), _standing(installation, order.targets_digest, source)),
    )


def _line(what: Text, found: Verification | None) -> Text:
    if found is None:
        return Text(f"{what.en}: unsigned.", f"{what.fr}\u00a0: sans signature.")
    holders = ", ".join(found.holders)
    return Text(
        f"{what.en}: signed by {holders} ({len(found.holders)} of {found.threshold} seats).",
        f"{what.fr}\u00a0: signatures de {holders} (sièges\u00a0: {len(found.holders)} sur {found.threshold}).",
    )
