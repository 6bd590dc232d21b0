"""Working through the items of a feed, one after the other: read, verified, recorded, and what they call for.

Every item is judged by itself. Working through the same items again changes nothing, so a crash between two of them
loses nothing either.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from proscribe.canonical import Digest
from proscribe.decide.model import Case, Origin, Track
from proscribe.directive.model import Directive
from proscribe.documents import Document, digest
from proscribe.errors import ProscribeError
from proscribe.feed.client import Pulled
from proscribe.feed.layout import Item, Place, in_order, read_path
from proscribe.feed.model import DepartmentHeads, FeedItemRecord, Revocation
from proscribe.feed.placing import Content, read_item
from proscribe.feed.policy import ends, refuse_history
from proscribe.prove.model import EntryKind
from proscribe.prove.witness import contradiction, in_words
from proscribe.service import casework, ledgering, trusting
from proscribe.service.config import FeedSettings
from proscribe.service.installation import Installation
from proscribe.store.errors import NotStored
from proscribe.text import Text
from proscribe.trust.model import KeyList, SignedDocument
from proscribe.trust.verify import verify

_SIGNED = (Place.directives, Place.target_sets, Place.revocations, Place.precedents)


def issuer_of(settings: FeedSettings) -> str:
    """Under which name the authority's key list is kept."""
    return settings.issuer or settings.name


def state_folder(installation: Installation, name: str) -> Path:
    """Where what was accepted of a feed is kept."""
    return installation.home / "feeds" / name


class Intake:
    """One pull's items, and what came of them."""

    def __init__(self, installation: Installation, settings: FeedSettings, pulled: Pulled) -> None:
        self._installation = installation
        self._settings = settings
        self._pulled = pulled
        self._records: dict[str, list[FeedItemRecord]] = defaultdict(list)
        self._newest: dict[tuple[Place, str], int] = defaultdict(int)  # the highest version taken of each matter
        self.taken: list[str] = []
        self.refused: list[FeedItemRecord] = []
        self.cases: list[str] = []
        self.proposals: list[Text] = []

    def run(self) -> None:
        """Work through every item that was not taken yet."""
        for record in self._installation.stores.documents.all(FeedItemRecord):
            if record.feed == self._settings.name:
                self._know(record)
        found = [item for item in map(read_path, self._pulled.files) if item is not None]
        newest: dict[tuple[Place, str], int] = {}
        for item in found:
            newest[item.place, item.id] = max(item.version, newest.get((item.place, item.id), 0))
        for item in in_order(found):
            if not self._settled(item):
                self._meet(item, last=item.version == newest[item.place, item.id])

    def _sha256(self, item: Item) -> str:
        return self._pulled.state.files[item.path]

    def _settled(self, item: Item) -> bool:
        """Whether this very file was taken, and verified or installed if it can be."""
        same = [one for one in self._records[item.path] if one.sha256 == self._sha256(item) and not one.refused]
        keys = self._keys()
        if item.place is Place.keys and same:
            pinned = same[0].of == self._settings.key_list
            return not pinned if keys is None else keys.version >= item.version
        if item.place not in _SIGNED or keys is None:
            return bool(same)
        return any(one.seats for one in same)

    def _keys(self) -> KeyList | None:
        return trusting.key_list(self._installation, issuer=issuer_of(self._settings))

    def _meet(self, item: Item, *, last: bool) -> None:
        content = None
        try:
            refuse_history(item, self._sha256(item), self._records[item.path], self._highest(item))
            content = read_item(item, self._path(item).read_bytes())
            with self._installation.atomic():
                seats = self._verified(content)
                self._act(content, last=last)
                self._note(item, content, seats)
        except ProscribeError as error:
            self._refuse(item, content, error)
        else:
            self.taken.append(item.path)

    def _highest(self, item: Item) -> int:
        """The highest version taken of a matter; where that is above ``item``, of those whose signatures still count.

        Who stole keys and numbered far ahead does not end the matter: the revocation of the keys ends the numbers.
        """
        highest = self._newest[item.place, item.id]
        if item.version >= highest:
            return highest
        known = ((read_path(path), records) for path, records in self._records.items())
        return max(
            (
                other.version
                for other, records in known
                if other is not None
                and (other.place, other.id) == (item.place, item.id)
                and any(self._counts(other, one) for one in records)
            ),
            default=0,
        )

    def _counts(self, item: Item, record: FeedItemRecord) -> bool:
        if record.refused or record.of is None or not record.seats or item.place is Place.precedents:
            return not record.refused
        issuer = issuer_of(self._settings)
        return trusting.verification_of(self._installation, record.of, issuer=issuer) is not None

    def _path(self, item: Item) -> Path:
        return self._pulled.files[item.path]

    def _verified(self, content: Content) -> tuple[str, ...]:
        """The seats whose signatures count; none where the feed alone vouches for the item. Raises SignatureRefused."""
        signed, keys = content.signed, self._keys()
        if signed is None:
            return ()
        if isinstance(content.document, KeyList):
            self._key_list(signed, content.document, keys)
            return ()
        if keys is None:
            return ()
        if content.item.place is Place.precedents:  # for information: never registered, so never adopted
            return verify(signed, keys, at=self._installation.clock.now()).holders
        issuer = issuer_of(self._settings)
        found = trusting.register(self._installation, signed, issuer=issuer)
        trusting.refuse_replaced(self._installation, signed.of, issuer=issuer)  # numbered anew by those who publish
        return found.holders

    def _key_list(self, signed: SignedDocument, keys: KeyList, current: KeyList | None) -> None:
        """The pinned list starts; each next one is accepted from the one before. Earlier ones are past."""
        issuer = issuer_of(self._settings)
        if current is None and self._settings.key_list == signed.of:
            trusting.install(self._installation, signed, pin=Digest(signed.of), issuer=issuer)
        elif current is not None and keys.version > current.version:
            trusting.install(self._installation, signed, issuer=issuer)
            self.proposals.append(
                Text(
                    f"The authority's key list is now number {keys.version}.",
                    f"La liste de clés de l'autorité porte maintenant le numéro {keys.version}.",
                )
            )

    def _note(self, item: Item, content: Content, seats: tuple[str, ...]) -> None:
        record = FeedItemRecord(
            feed=self._settings.name,
            path=item.path,
            sha256=self._sha256(item),
            of=_inside(content),
            at=self._installation.clock.now(),
            seats=seats,
        )
        self._keep(record, "received")
        if content.document is not None and record.of is not None:
            self._store(content.document, record.of)

    def _store(self, document: Document, found: Digest) -> None:
        """What is not adopted becomes nobody's newest, and a document that is in use keeps its place."""
        documents = self._installation.stores.documents
        try:
            documents.raw(found)
        except NotStored:
            documents.put(document, subject=f"feed:{self._settings.name}", at=self._installation.clock.now())

    def _keep(self, record: FeedItemRecord, event: str) -> None:
        self._installation.keep(
            record,
            EntryKind.feed,
            subject=f"{record.feed}:{record.path}",
            event=event,
            of=record.of,
            code=record.refused,
            seats=list(record.seats),
        )
        self._know(record)

    def _know(self, record: FeedItemRecord) -> None:
        self._records[record.path].append(record)
        item = read_path(record.path)
        if item is not None and not record.refused:
            self._newest[item.place, item.id] = max(item.version, self._newest[item.place, item.id])

    def _refuse(self, item: Item, content: Content | None, error: ProscribeError) -> None:
        record = FeedItemRecord(
            feed=self._settings.name,
            path=item.path,
            sha256=self._sha256(item),
            of=None if content is None else _inside(content),
            at=self._installation.clock.now(),
            refused=error.code,
            why=error.what,
        )
        known = self._records[item.path]
        if not any((one.sha256, one.refused) == (record.sha256, record.refused) for one in known):
            self._keep(record, "refused")
        self.refused.append(record)

    # What an item calls for.

    def _act(self, content: Content, *, last: bool) -> None:
        document = content.document
        if isinstance(document, DepartmentHeads):
            self._heads(document)
        elif not last or content.signed is None:
            return
        elif isinstance(document, Directive) and content.item.place is Place.directives:
            self._directive(document, content.signed)
        elif isinstance(document, Revocation):
            self._revocation(content.item, document, content.signed)

    def _directive(self, directive: Directive, signed: SignedDocument) -> None:
        over = ends(directive)
        name, version = self._settings.name, directive.version
        self._open(
            f"feed-{name}-{directive.id}-{version}",
            directive.title,
            _brought(name, directive, over=over),
            signed,
            directive=directive.id,
        )
        if not over:
            casework.attach(self._installation, f"feed-{name}-{directive.id}-{version}", "directive", directive)

    def _revocation(self, item: Item, revocation: Revocation, signed: SignedDocument) -> None:
        name = self._settings.name
        concern = Text(
            f"The feed {name!r} took {revocation.directive} back, as of {revocation.revoked_on}: "
            f"{revocation.reason.en} It is proposed to lift the ban.",
            f"Le fil «\u00a0{name}\u00a0» révoque {revocation.directive} à compter du {revocation.revoked_on}\u00a0: "
            f"{revocation.reason.fr} Il est proposé de lever l'interdiction.",
        )
        title = Text(f"{revocation.directive} was taken back", f"{revocation.directive} a été révoquée")
        case_id = f"feed-{name}-{revocation.directive}-revoked-{item.version}"
        self._open(case_id, title, concern, signed, directive=revocation.directive)

    def _open(self, case_id: str, title: Text, concern: Text, signed: SignedDocument, *, directive: str) -> None:
        """Open the case once. No step is taken in it: that is for somebody whose role it is."""
        documents = self._installation.stores.documents
        if documents.latest(Case, subject=case_id) is not None:
            return
        case = Case(
            id=case_id,
            title=title,
            track=Track.standard,
            origin=Origin.feed,
            concern=concern,
            opened_at=self._installation.clock.now(),
            opened_by=self._installation.actor,
            directive=directive,
            received=digest(signed),
        )
        self._installation.keep(
            case, EntryKind.case, subject=case_id, event="opened", origin=case.origin.value, received=case.received
        )
        casework.attach(self._installation, case_id, "received", signed)
        self.cases.append(case_id)

    def _heads(self, heads: DepartmentHeads) -> None:
        """Our own head must be one our ledger had; nobody's may contradict the one the feed carried before."""
        documents, now = self._installation.stores.documents, self._installation.clock.now()
        subject = f"feed:{self._settings.name}"
        before = documents.latest(DepartmentHeads, subject=subject)
        log = ledgering.log_name(self._installation)
        for department, head in sorted(heads.heads.items()):
            why = ledgering.recognise(self._installation, head) if head.log == log else None
            old = before.heads.get(department) if before else None
            wrong = contradiction(old, head) if old is not None else None
            if old is not None and wrong is not None and wrong.convicts:
                why = in_words(wrong, old, head)
            if why is not None:
                self.proposals.append(
                    Text(
                        f"The tree head of {department} in the feed: {why.en}. Ask the authority.",
                        f"La tête d'arbre de {department} dans le fil\u00a0: {why.fr}. Adressez-vous à l'autorité.",
                    )
                )
        documents.put(heads, subject=subject, at=now)


def _inside(content: Content) -> Digest | None:
    if content.signed is not None:
        return content.signed.of
    return None if content.document is None else digest(content.document)


def _brought(name: str, directive: Directive, *, over: bool) -> Text:
    said = Text(
        f"The feed {name!r} brought version {directive.version} of {directive.id}.",
        f"Le fil «\u00a0{name}\u00a0» a apporté la version {directive.version} de {directive.id}.",
    )
    if over:
        said = Text(
            f"{said.en} It is no longer in force ({directive.state.value}): it is proposed to lift the ban.",
            f"{said.fr} Elle n'est plus en vigueur ({directive.state.value})\u00a0: il est proposé de lever "
            "l'interdiction.",
        )
    if directive.supersedes:
        said = Text(
            f"{said.en} It takes the place of {directive.supersedes}.",
            f"{said.fr} Elle remplace {directive.supersedes}.",
        )
    return said
