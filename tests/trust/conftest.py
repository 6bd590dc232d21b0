"""Seats with keys, the key list that names them, and a token of its own for every test that needs one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
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
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "493817"


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


@dataclass(frozen=True)
class Token:
    """A software token: how it is named, and its PIN."""

    label: str
    pin: str
    module: Path

    def uri(self, name: str, more: str = "") -> str:
        return f"pkcs11:token={self.label.replace(' ', '%20')};object={name}{more}?module-path={self.module}"

    def ask(self) -> bytes:
        return self.pin.encode()


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    """A new SoftHSM token in the test's own folder."""
    if not SOFTHSM.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed")
    import pkcs11

    folder = tmp_path / "tokens"
    folder.mkdir()
    settings = tmp_path / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}\nlog.level = ERROR\n", encoding="utf-8")
    monkeypatch.setenv("SOFTHSM2_CONF", str(settings))
    init = ["softhsm2-util", "--init-token", "--free", "--label", "Signing desk", "--pin", PIN, "--so-pin", "99887766"]
    subprocess.run(init, check=True, capture_output=True)
    library = pkcs11.lib(str(SOFTHSM))  # a library that was open for another test has that test's tokens
    library.reinitialize()
    yield Token("Signing desk", PIN, SOFTHSM)
    library.finalize()


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """The openssl command, as an independent opinion."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["openssl", *arguments], check=False, capture_output=True, cwd=tmp_path)

    return run
