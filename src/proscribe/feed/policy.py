"""What a department may do with what a feed brings. Nothing here acts: it says yes, or why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from proscribe.directive.model import Directive, State
from proscribe.errors import Where
from proscribe.feed.errors import ItemOlder, ItemRewritten, NotAdopted
from proscribe.feed.layout import Item
from proscribe.feed.model import Adopting, FeedItemRecord, Revocation
from proscribe.plan.orders import StandingOrder, concerns, in_force
from proscribe.text import Text

ENDED = (State.revoked, State.superseded)


def refuse_history(item: Item, sha256: str, known: Iterable[FeedItemRecord], newest: int) -> None:
    """What was published is not published again otherwise, and no version comes after its successor.

    ``known``: earlier records of this path; ``newest``: the highest version taken of this matter, 0 for none.
    Raises ItemRewritten or ItemOlder.
    """
    where = Where(file=item.path)
    if item.numbered and any(record.sha256 != sha256 and not record.refused for record in known):
        raise ItemRewritten(
            Text(
                "it came back with other content under the same number",
                "il est revenu avec un autre contenu sous le même numéro",
            ),
            remedy=Text(
                "What was taken before stays. Ask the authority for a new version instead.",
                "Ce qui a été retenu le reste. Demandez plutôt une nouvelle version à l'autorité.",
            ),
            where=where,
        )
    if item.numbered and item.version < newest:
        raise ItemOlder(
            Text(
                f"version {item.version} appeared after version {newest} was taken",
                f"la version {item.version} est apparue après que la version {newest} a été retenue",
            ),
            remedy=Text(
                f"Version {newest} stays. To go back on it, the authority issues a new version.",
                f"La version {newest} reste. Pour y revenir, l'autorité produit une nouvelle version.",
            ),
            where=where,
        )


def ends(directive: Directive) -> bool:
    """Whether the text itself says that it is over."""
    return directive.state in ENDED


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that decides whether a directive may be adopted."""

    feed: str
    adopt: Adopting
    directive: Directive
    signed: bool  # by the issuer's key list, and still counting
    revoked: Revocation | None
    approvers: tuple[str, ...] = ()  # empty: whoever may run this installation


def refuse_ground(standing: Standing) -> None:
    """What no approval makes good: no signatures that count, or a directive that is over. Raises NotAdopted."""
    if not standing.signed:
        raise _not(
            standing,
            Text(
                "its signatures were not checked against a key list of the authority",
                "ses signatures n'ont pas été vérifiées au moyen d'une liste de clés de l'autorité",
            ),
            Text(
                f"Pin the authority's key list: 'key_list' under [feeds.{standing.feed}], then pull again.",
                f"Épinglez la liste de clés de l'autorité\u00a0: «\u00a0key_list\u00a0» sous "
                f"[feeds.{standing.feed}], puis "
                "relancez la lecture.",
            ),
        )
    if standing.revoked is not None or ends(standing.directive):
        raise _not(
            standing,
            Text("the authority took it back", "l'autorité l'a révoquée"),
            Text(
                "There is nothing to adopt; lift the ban if there is one.",
                "Il n'y a rien à adopter; levez l'interdiction, s'il y en a une.",
            ),
        )


def refuse_approval(standing: Standing, role: str) -> None:
    """Whether ``role`` may adopt the directive here. Raises NotAdopted."""
    refuse_ground(standing)
    if standing.adopt is Adopting.never:
        raise _not(
            standing,
            Text("this feed's policy is to adopt nothing", "la politique de ce fil est de ne rien adopter"),
            Text(
                f'Set adopt = "approved" under [feeds.{standing.feed}], if that is what your organisation decided.',
                f'Mettez adopt = "approved" sous [feeds.{standing.feed}], si votre organisation en a décidé ainsi.',
            ),
        )
    if standing.approvers and role not in standing.approvers:
        raise _not(
            standing,
            Text(f"the role {role!r} may not approve it", f"le rôle {role!r} ne peut pas l'approuver"),
            Text(
                f"Ask one of: {', '.join(standing.approvers)}.",
                f"Adressez-vous à\u00a0: {', '.join(standing.approvers)}.",
            ),
        )


def covering(standing: Standing, orders: Iterable[StandingOrder], now: datetime) -> StandingOrder | None:
    """The first standing order under which the directive is adopted without asking; None where it has to be asked.

    ``orders``: signed, the newest version of each.
    """
    if standing.adopt is not Adopting.standing or not standing.signed:
        return None
    if standing.revoked is not None or ends(standing.directive):
        return None
    fit = (one for one in orders if in_force(one, now) and concerns(one, standing.directive.id, source=standing.feed))
    return next(iter(fit), None)


def _not(standing: Standing, what: Text, remedy: Text) -> NotAdopted:
    return NotAdopted(
        Text(
            f"{standing.directive.id} is not adopted: {what.en}",
            f"{standing.directive.id} n'est pas adoptée\u00a0: {what.fr}",
        ),
        remedy=remedy,
        where=Where(field=f"feeds.{standing.feed}"),
    )
