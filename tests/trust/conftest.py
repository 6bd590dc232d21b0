"""Seats with keys, and the key list that names them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from proscribe.documents import Document
from proscribe.text import Text
from proscribe.trust.envelope import prepare, sign
from proscribe.trust.keys import KeyPair, new_pair
from proscribe.trust.model import KeyList, PublicKey, Rule, Scheme, SignedDocument, Storage

NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
SEATS = ("cio", "security", "legal")


@cache
def pair_of(name: str, scheme: Scheme = Scheme.ed25519) -> KeyPair:
    """One key pair for each name and scheme in a whole test run."""
    return new_pair(scheme)


def listed(pair: KeyPair, holder: str, *roles: str, **changes: object) -> PublicKey:
    """A pair's line in a key list."""
    key = PublicKey(
        id=pair.id,
        scheme=pair.scheme,
        public=pair.public,
        holder=holder,
        roles=roles or (holder,),
        storage=Storage.encrypted_file,
        valid_from=NOW - timedelta(days=30),
        valid_until=NOW + timedelta(days=365),
    )
    return replace(key, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Office:
    """Three seats, two of which sign key lists, directives and plans of more than 100 devices need all three."""

    now: datetime = NOW

    def rules(self) -> tuple[Rule, ...]:
        kinds = (KeyList.KIND, "proscribe.directive", "proscribe.target-set", "proscribe.standing-order")
        return (
            Rule(kinds=kinds, roles=SEATS, threshold=2),
            Rule(kinds=("proscribe.plan",), roles=SEATS, threshold=3, above=100),
        )

    def keys(self, **changes: object) -> KeyList:
        plain = KeyList(
            organisation=Text("Department of Lighthouses", "Ministère des Phares"),
            version=1,
            issued=NOW,
            expires=NOW + timedelta(days=180),
            keys=(
                *(listed(pair_of(seat), seat) for seat in SEATS),
                listed(pair_of("auditor"), "auditor"),
            ),
            rules=self.rules(),
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def changed(self, holder: str, keys: KeyList | None = None, **changes: object) -> KeyList:
        """The key list, or another, with one holder's keys changed."""
        start = keys or self.keys()
        return replace(
            start,
            keys=tuple(replace(key, **changes) if key.holder == holder else key for key in start.keys),  # type: ignore[arg-type]
        )

    def signed(self, document: Document, *seats: str, by: str = "analyst") -> SignedDocument:
        result = prepare(document, by=by, at=NOW)
        for seat in seats:
            result = sign(result, pair_of(seat).signer())
        return result

    pair_of = staticmethod(pair_of)
    listed = staticmethod(listed)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """The openssl command, as an independent opinion."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["openssl", *arguments], check=False, capture_output=True, cwd=tmp_path)

    return run
