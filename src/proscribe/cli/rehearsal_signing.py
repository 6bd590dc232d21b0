"""The rehearsal's seats: three offices with a key each, of which two must sign, and never whoever wrote the text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from proscribe.clock import current_clock
from proscribe.directive.library import find, target_set
from proscribe.documents import digest, read, to_bytes
from proscribe.errors import ProscribeError
from proscribe.plan.model import Plan
from proscribe.plan.orders import affected
from proscribe.text import Text
from proscribe.trust.model import KeyList

SEATS = {"cio": "ecdsa-p256", "security": "ed25519", "legal": "ml-dsa-65"}
AUTHOR = "case-officer"
PLAN_LIMIT = 100  # devices; a plan that changes more is signed, too
_PASSPHRASE = "PROSCRIBE_PASSPHRASE"  # noqa: S105 (the name of the variable)

Type = Callable[..., int]


class Seats:
    """The offices, their keys in encrypted files, and what they sign."""

    def __init__(self, folder: Path, type_: Type) -> None:
        self._folder = folder
        self._type = type_
        self.key_list = ""  # digest of the list of whom to trust, once there is one

    def appoint(self) -> None:
        """Make the keys and the list of whom to trust, and have the installation accept it."""
        self._folder.mkdir()
        with _passphrase():
            for seat, scheme in SEATS.items():
                self._type("key", "new", self._key(seat), "--scheme", scheme, quiet=True)
            draft = self._folder / "key-list.yaml"
            draft.write_text(_draft(), encoding="utf-8")
            listed = self._folder / "key-list.json"
            self._type("key", "make-list", str(draft), "--out", str(listed), quiet=True)
            signed = self._signed(listed, "cio", "legal")
        self.key_list = digest(read(KeyList, listed))
        self._type("key", "trust", signed, "--pin", self.key_list, quiet=True)

    def sign_ban(self, directive_id: str) -> None:
        """Sign the directive and its targets; one signature alone is shown to be refused."""
        directive = find(directive_id)
        targets = target_set(directive, now=current_clock().now())
        papers = self._folder / "directive.json", self._folder / "targets.json"
        for path, document in zip(papers, (directive, targets), strict=True):
            path.write_bytes(to_bytes(document))
        with _passphrase():
            alone = self._signed(papers[0], "cio")
            try:
                self._type("verify", alone, "--record")
            except ProscribeError as refusal:
                click.echo(f"{Text('Refused', 'Refusé')} [{refusal.code}] {refusal}")
            self._type("sign", alone, "--key", self._key("legal"), quiet=True)
            self._type("verify", alone, "--record")
            self._type("verify", self._signed(papers[1], "security", "legal"), "--record", quiet=True)

    def sign_plan(self, plan: Path) -> None:
        """Sign a plan that changes more devices than the key list lets pass unsigned."""
        if affected(read(Plan, plan)) <= PLAN_LIMIT:
            return
        with _passphrase():
            self._type("verify", self._signed(plan, "security", "cio"), "--record", quiet=True)

    def _signed(self, path: Path, first: str, *others: str) -> str:
        envelope = str(path.with_suffix(".dsse.json"))
        self._type("sign", str(path), "--by", AUTHOR, "--key", self._key(first), "--out", envelope, quiet=True)
        for seat in others:
            self._type("sign", envelope, "--key", self._key(seat), quiet=True)
        return envelope

    def _key(self, seat: str) -> str:
        return str(self._folder / f"{seat}.pem")


def _draft() -> str:
    keys = "".join(
        f"- {{holder: {seat}, roles: [{seat}], file: {seat}.pem.pub, storage: encrypted_file}}\n" for seat in SEATS
    )
    kinds = "proscribe.directive, proscribe.target-set, proscribe.key-list"
    roles = ", ".join(SEATS)
    return (
        "organisation: {en: Department of Northern Lighthouses, fr: Ministère des Phares du Nord}\n"
        f"version: 1\nexpires: 2027-11-01T00:00:00Z\nkeys:\n{keys}rules:\n"
        f"- {{kinds: [{kinds}], roles: [{roles}], threshold: 2}}\n"
        f"- {{kinds: [proscribe.plan], roles: [{roles}], threshold: 2, above: {PLAN_LIMIT}}}\n"
    )


@contextmanager
def _passphrase() -> Iterator[None]:
    """The keys of a rehearsal open for as long as it runs; an environment's own passphrase stays what it is."""
    if _PASSPHRASE in os.environ:
        yield
        return
    os.environ[_PASSPHRASE] = "a rehearsal signs nothing real"
    try:
        yield
    finally:
        del os.environ[_PASSPHRASE]
