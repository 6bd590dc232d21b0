"""A department with a ledger of its own, and the papers it sends when all is in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from proscribe.canonical import digest_bytes
from proscribe.enforce.model import Outcome
from proscribe.feed.model import Acknowledgement, Attestation, ClassCount, FleetDeclared
from proscribe.feed.papers import Papers, Received, Terms
from proscribe.prove.heads import new_key, read_key, sign_head
from proscribe.prove.ledger import Tree, leaf_hash
from proscribe.prove.model import EntryKind, LedgerEntry, SignedTreeHead, TreeHead
from proscribe.text import Text

START = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
DIGEST = digest_bytes(b"the directive")
GROUND = Text("law enforcement", "application de la loi")


class Ledger:
    """Entries, their tree and the key of the log."""

    def __init__(self, key: bytes | None = None) -> None:
        self.key = read_key(key or new_key())
        self.entries: list[LedgerEntry] = []

    def grow(self, to: int, *, at: datetime = START, body: str = "") -> None:
        for index in range(len(self.entries), to):
            self.entries.append(LedgerEntry(index, at, "loop", EntryKind.wave, body or "w", {"n": index}))

    def branch(self) -> Ledger:
        """A copy that may go another way, under the same key."""
        other = Ledger()
        other.key, other.entries = self.key, list(self.entries)
        return other

    @property
    def tree(self) -> Tree:
        return Tree([leaf_hash(entry) for entry in self.entries])

    def head(self, at: datetime, size: int | None = None) -> SignedTreeHead:
        size = len(self.entries) if size is None else size
        return sign_head(TreeHead(size, self.tree.root(size).hex()), self.key, at)

    def proof(self, old: SignedTreeHead, new: SignedTreeHead) -> tuple[str, ...]:
        if old.size == new.size:
            return ()
        return tuple(part.hex() for part in self.tree.consistency(old.size, new.size))


class Department:
    """One department whose papers are in order, with the means to put one thing out of order."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.ledger.grow(10)
        self.heads = [self.ledger.head(START)]
        self.acknowledgement = Acknowledgement(
            department="tides",
            directive="ban",
            directive_digest=DIGEST,
            at=START,
            owner="cio",
            fleets=(FleetDeclared(Text("phones", "téléphones"), "amapi", 100),),
            unmanaged=7,
            byod=Text("none", "aucun"),
            tree_head=self.heads[0],
        )
        self.attestations = [self.next(1), self.next(2)]

    def next(self, number: int, ledger: Ledger | None = None, **changes: object) -> Attestation:
        """One more attestation, a day later, with ten more entries in the ledger."""
        ledger = ledger or self.ledger
        at = START + timedelta(days=number)
        ledger.grow(10 + 10 * number, at=at)
        since, head = self.heads[-1], ledger.head(at)
        self.heads.append(head)
        given = Attestation(
            department="tides",
            directive="ban",
            directive_digest=DIGEST,
            number=number,
            at=at,
            signed_off_by="cio",
            devices=100,
            by_outcome={Outcome.absent_verified: 70, Outcome.failed: 10 - number, Outcome.exempt: 20 + number},
            classes=(
                ClassCount("amapi/cope", 40, {Outcome.absent_verified: 30}, 10),
                ClassCount("amapi/fully_managed", 60, {Outcome.absent_verified: 40}, 20),
            ),
            small_cell_floor=5,
            not_seen=(),
            unmanaged=7,
            exemptions={GROUND.en: 20 + number},
            proof=digest_bytes(b"proof %d" % number),
            tree_head=head,
            consistency=ledger.proof(since, head),
            since=since,
        )
        return replace(given, **changes)  # type: ignore[arg-type]

    def last(self, **changes: object) -> None:
        """Change the newest attestation."""
        self.attestations[-1] = replace(self.attestations[-1], **changes)  # type: ignore[arg-type]

    def papers(self, **changes: object) -> Papers:
        """What the authority has, each an hour after it was sent."""
        hour = timedelta(hours=1)
        papers = Papers(
            department="tides",
            acknowledgements=(Received(self.acknowledgement, self.acknowledgement.at + hour),),
            attestations=tuple(Received(one, one.at + hour) for one in self.attestations),
        )
        return replace(papers, **changes)  # type: ignore[arg-type]


def terms(now: datetime = START + timedelta(days=5), **changes: object) -> Terms:
    asked = Terms(
        directive="ban",
        digest=DIGEST,
        grounds=(GROUND,),
        acknowledge_by=(START + timedelta(days=3)).date(),
        attest_by=(START + timedelta(days=10)).date(),
        now=now,
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


@pytest.fixture
def department() -> Department:
    return Department()
