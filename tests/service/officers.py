"""The officers of a department: three seats, a key list that says who may sign what, and their signatures."""

from __future__ import annotations

from datetime import timedelta

from tests.trust.conftest import listed

from proscribe.documents import Document, digest
from proscribe.service import trusting
from proscribe.service.installation import Installation
from proscribe.text import Text
from proscribe.trust.envelope import prepare, sign
from proscribe.trust.keys import new_pair
from proscribe.trust.model import KeyList, Rule, Scheme, SignedDocument, Storage, Verification

KINDS = ("proscribe.directive", "proscribe.target-set", "proscribe.exemption", "proscribe.standing-order")
STORED = {"cio": Storage.hardware, "security": Storage.encrypted_file, "legal": Storage.plain_file}


class Officers:
    """Two of three sign; a plan is signed where it changes more than ``plan_above`` devices."""

    def __init__(self, installation: Installation, *, kinds: tuple[str, ...] = KINDS, plan_above: int = 10**6) -> None:
        now = installation.clock.now()
        self._clock = installation.clock
        self.pairs = {holder: new_pair(Scheme.ed25519) for holder in STORED}
        self.keys = KeyList(
            organisation=Text("Lighthouses", "Phares"),
            version=1,
            issued=now,
            expires=now + timedelta(days=400),
            keys=tuple(
                listed(
                    pair,
                    holder,
                    storage=STORED[holder],
                    valid_from=now - timedelta(days=1),
                    valid_until=now + timedelta(days=400),
                )
                for holder, pair in self.pairs.items()
            ),
            rules=(
                Rule(kinds=(*kinds, KeyList.KIND), roles=tuple(STORED), threshold=2),
                Rule(kinds=("proscribe.plan",), roles=tuple(STORED), threshold=2, above=plan_above),
            ),
        )

    def install(self, installation: Installation, keys: KeyList | None = None) -> KeyList:
        """Install the key list, or a later one."""
        chosen = keys or self.keys
        pin = None if chosen.version > 1 else digest(chosen)
        return trusting.install(installation, self.signed(chosen, "cio", "security"), pin=pin)

    def signed(self, document: Document, *holders: str, by: str = "drafter") -> SignedDocument:
        """The document with the signatures of these seats."""
        envelope = prepare(document, by=by, at=self._clock.now())
        for holder in holders:
            envelope = sign(envelope, self.pairs[holder].signer())
        return envelope

    def register(self, installation: Installation, document: Document) -> Verification:
        """Have a document signed by two seats, and record it."""
        return trusting.register(installation, self.signed(document, "cio", "legal"))
