"""Adopting what a feed brought: by somebody's approval or under a signed standing order. It sends nothing anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from proscribe.canonical import Digest
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import Document, digest
from proscribe.errors import Where
from proscribe.feed.client import last_state
from proscribe.feed.errors import NotAdopted
from proscribe.feed.layout import Item, Place, read_path
from proscribe.feed.model import Adopting, Adoption, FeedItemRecord, Revocation
from proscribe.feed.policy import Standing, covering, ends, refuse_approval
from proscribe.plan.orders import HERE, StandingOrder
from proscribe.prove.model import EntryKind
from proscribe.service import signing, trusting
from proscribe.service.config import FeedSettings
from proscribe.service.feeditems import issuer_of, state_folder
from proscribe.service.installation import Installation
from proscribe.text import Text
from proscribe.trust.errors import SignatureRefused

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Offer:
    """The newest version of a directive that a feed brought, and its newest target set."""

    directive: Directive
    targets: TargetSet | None
    revoked: Revocation | None

    @property
    def digests(self) -> tuple[Digest, Digest | None]:
        """What an adoption of it names."""
        return digest(self.directive), None if self.targets is None else digest(self.targets)


def adoption_of(installation: Installation, directive: str) -> Adoption | None:
    """The adoption of a directive in force here; None where it came through no feed."""
    return installation.stores.documents.latest(Adoption, subject=directive)


def source_of(installation: Installation, directive: Digest) -> str:
    """The feed through which a directive was adopted, or ``orders.HERE``."""
    found = (one.feed for one in installation.stores.documents.all(Adoption) if one.directive_digest == directive)
    return next(found, HERE)


def adopted_of(installation: Installation, feed: str) -> tuple[Adoption, ...]:
    """What is adopted of a feed, by directive."""
    every = {one.directive for one in installation.stores.documents.all(Adoption) if one.feed == feed}
    found = (adoption_of(installation, directive) for directive in sorted(every))
    return tuple(one for one in found if one is not None and one.feed == feed)


def offers(installation: Installation, feed: str) -> dict[str, Offer]:
    """What a feed offers, by directive id: what was taken of it and is still there. A revocation counts for ever."""
    state = last_state(state_folder(installation, feed))
    present = {} if state is None else state.files
    newest_of: dict[tuple[Place, str], tuple[Item, FeedItemRecord]] = {}
    for record in installation.stores.documents.all(FeedItemRecord):
        item = read_path(record.path)
        if record.feed != feed or record.refused or item is None:
            continue
        if present.get(item.path) != record.sha256:
            continue
        known = newest_of.get((item.place, item.id))
        if known is None or item.version > known[0].version:
            newest_of[item.place, item.id] = item, record

    def document(place: Place, name: str, cls: type[D]) -> D | None:
        found = newest_of.get((place, name))
        return None if found is None or found[1].of is None else installation.stores.documents.get(cls, found[1].of)

    made, revoked = {}, _revocations(installation, feed)
    for name in sorted({name for place, name in newest_of if place is Place.directives}):
        directive = document(Place.directives, name, Directive)
        targets = document(Place.target_sets, name, TargetSet)
        if directive is None:
            continue
        if targets is not None and targets.directive_version != directive.version:
            targets = None
        revocation = revoked.get(name)
        if revocation is not None and revocation.version < directive.version:  # issued anew since
            revocation = None
        made[name] = Offer(directive, targets, revocation)
    return made


def _revocations(installation: Installation, feed: str) -> dict[str, Revocation]:
    """Of each directive that a feed ever took back, the revocation of its highest version.

    The version that the seats signed counts, not the number that those who publish gave the file.
    """
    found: dict[str, Revocation] = {}
    for record in installation.stores.documents.all(FeedItemRecord):
        item = read_path(record.path)
        if record.feed != feed or record.refused or record.of is None or item is None:
            continue
        if item.place is Place.revocations:
            one = installation.stores.documents.get(Revocation, record.of)
            found[item.id] = max(one, found.get(item.id, one), key=lambda each: each.version)
    return found


def approve(installation: Installation, settings: FeedSettings, directive: str) -> Adoption:
    """Adopt a directive in the role that is acting. Raises NotAdopted, NotSigned or KeyListExpired."""
    offer = offers(installation, settings.name).get(directive)
    if offer is None:
        raise NotAdopted(
            Text(
                f"the feed {settings.name!r} offers no directive {directive!r}",
                f"le fil «\u00a0{settings.name}\u00a0» n'offre aucune directive «\u00a0{directive}\u00a0»",
            ),
            remedy=Text(
                "'proscribe feed status' lists what it offers; 'proscribe feed pull' asks for news.",
                "«\u00a0proscribe feed status\u00a0» énumère ce qu'il offre; «\u00a0proscribe feed pull\u00a0» "
                "en lit les nouveautés.",
            ),
            where=Where(field="directive"),
        )
    refuse_approval(_standing(installation, settings, offer), installation.actor)
    return _adopt(installation, settings.name, offer, by=installation.actor)


def under_orders(installation: Installation, settings: FeedSettings) -> tuple[Adoption, ...]:
    """Adopt what signed standing orders cover and is not adopted yet. Without that policy: nothing."""
    if settings.adopt is not Adopting.standing:
        return ()
    orders = _signed_orders(installation)
    made = []
    for offer in offers(installation, settings.name).values():
        if not _wanting(installation, settings.name, offer) or _decided_here(installation, offer):
            continue
        try:
            standing = _standing(installation, settings, offer)
        except (SignatureRefused, trusting.NotSigned):  # a person who approves it is told why
            continue
        order = covering(standing, orders, installation.clock.now())
        if order is not None:
            made.append(_adopt(installation, settings.name, offer, by=order.issued_by, order=digest(order)))
    return tuple(made)


def _wanting(installation: Installation, feed: str, offer: Offer) -> bool:
    """Whether an offer is not what is adopted. What was adopted from elsewhere is not replaced unasked."""
    current = adoption_of(installation, offer.directive.id)
    if current is None:
        return True
    return current.feed == feed and (current.directive_digest, current.targets_digest) != offer.digests


def _decided_here(installation: Installation, offer: Offer) -> bool:
    """Whether a directive of that name, and another one, was taken up here without any feed: no order replaces it."""
    ours = installation.stores.documents.latest(Directive, subject=offer.directive.id)
    return ours not in (None, offer.directive) and adoption_of(installation, offer.directive.id) is None


def _standing(installation: Installation, settings: FeedSettings, offer: Offer) -> Standing:
    """What decides about an offer. Raises NotSigned or KeyListExpired where its signatures count no more."""
    wanted = [(offer.directive.KIND, offer.digests[0])]
    if offer.targets is not None and offer.digests[1] is not None:
        wanted.append((offer.targets.KIND, offer.digests[1]))
    found = [trusting.require(installation, of, kind, issuer=issuer_of(settings)) for kind, of in wanted]
    return Standing(
        feed=settings.name,
        adopt=settings.adopt,
        directive=offer.directive,
        signed=all(one is not None for one in found),
        revoked=offer.revoked,
        approvers=settings.approvers,
    )


def _signed_orders(installation: Installation) -> tuple[StandingOrder, ...]:
    """The standing orders that our own seats signed. Where nobody has to sign one, none is good enough for this."""
    try:
        return signing.signed_orders(installation)
    except SignatureRefused:
        return ()


def _adopt(installation: Installation, feed: str, offer: Offer, *, by: str, order: Digest | None = None) -> Adoption:
    directive = offer.directive
    found, targets = offer.digests
    known = adoption_of(installation, directive.id)
    if known is not None and (known.feed, known.directive_digest, known.targets_digest) == (feed, found, targets):
        return known
    adoption = Adoption(
        feed=feed,
        directive=directive.id,
        version=directive.version,
        directive_digest=found,
        targets_digest=targets,
        at=installation.clock.now(),
        by=by,
        order=order,
    )
    with installation.atomic():
        installation.keep(directive, EntryKind.directive, subject=directive.id, directive=directive.id)
        if offer.targets is not None:
            installation.keep(offer.targets, EntryKind.target_set, subject=directive.id, directive=directive.id)
        installation.keep(
            adoption,
            EntryKind.feed,
            subject=directive.id,
            event="adopted",
            feed=feed,
            version=directive.version,
            directive=found,
            targets=targets,
            by=by,
            order=order,
        )
    return adoption


def proposals(installation: Installation, settings: FeedSettings, gone: tuple[str, ...]) -> tuple[Text, ...]:
    """What somebody should decide, given what the feed offers and what is adopted of it."""
    offered = offers(installation, settings.name).values()
    decide = [line for offer in offered for line in _proposed(installation, settings, offer)]
    lost = [item.path for item in map(read_path, gone) if item is not None and item.place is Place.directives]
    return (*decide, *(_lost(path) for path in lost))


def _lost(path: str) -> Text:
    return Text(
        f"{path} is no longer in the feed. That takes nothing back: ask the authority.",
        f"{path} n'est plus dans le fil. Cela ne révoque rien\u00a0: adressez-vous à l'autorité.",
    )


def _proposed(installation: Installation, settings: FeedSettings, offer: Offer) -> Iterator[Text]:
    directive, feed = offer.directive, settings.name
    current = adoption_of(installation, directive.id)
    if offer.revoked is not None or ends(directive):
        if current is not None and current.feed == feed:
            yield Text(
                f"{directive.id} was taken back: lift the ban ('proscribe lift {directive.id}').",
                f"{directive.id} a été révoquée\u00a0: levez l'interdiction «\u00a0proscribe lift "
                f"{directive.id}\u00a0».",
            )
        return
    if _wanting(installation, feed, offer) and settings.adopt is not Adopting.never:
        yield Text(
            f"Decide on {directive.id}, version {directive.version}: 'proscribe feed adopt {feed} {directive.id}'.",
            f"Prononcez-vous sur {directive.id}, version {directive.version}\u00a0: «\u00a0proscribe feed adopt "
            f"{feed} {directive.id}\u00a0».",
        )
    if current is not None and directive.supersedes and adoption_of(installation, directive.supersedes) is not None:
        yield Text(
            f"{directive.id} takes the place of {directive.supersedes}: once it is in force, lift that one.",
            f"{directive.id} remplace {directive.supersedes}\u00a0: une fois {directive.id} en vigueur, levez "
            f"l'interdiction de {directive.supersedes}.",
        )
