"""One installation: its home folder, its settings, its store, its connectors, and who is acting.

Use cases take an :class:`Installation` first. They authorise, run and record; the shells call nothing else.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proscribe.canonical import Digest
from proscribe.clock import Clock, current_clock
from proscribe.connectors.base import Connector
from proscribe.connectors.registry import open_connector
from proscribe.documents import Document
from proscribe.prove.model import EntryKind
from proscribe.service.config import Settings, load

if TYPE_CHECKING:
    from proscribe.store import repositories

_KEY_BYTES = 32


@dataclass(frozen=True)
class Stores:
    """The repositories, one each."""

    actions: repositories.Actions
    documents: repositories.Documents
    exemptions: repositories.Exemptions
    freeze: repositories.Freeze
    ledger: repositories.Ledger
    outcomes: repositories.Outcomes
    snapshots: repositories.Snapshots


@dataclass(frozen=True)
class Installation:
    """Everything a use case works with. ``actor`` is a role; the ledger names no person."""

    home: Path
    settings: Settings
    stores: Stores
    connectors: Mapping[str, Connector]  # by the system's name
    clock: Clock
    actor: str

    @property
    def snapshots_folder(self) -> Path:
        """Where snapshots are written."""
        return self.home / "snapshots"

    @property
    def pseudonym_key(self) -> bytes:
        """The key that turns device keys into pseudonyms: made once, readable by its owner alone, never exported."""
        path = self.home / "pseudonym.key"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(handle, "wb") as stream:
            key = secrets.token_bytes(_KEY_BYTES)
            stream.write(key)
        return key

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """One transaction over everything that is stored."""
        from proscribe.store.repositories import atomic

        with atomic():
            yield

    def record(self, kind: EntryKind, subject: str, **body: Any) -> None:
        """Append one entry to the ledger."""
        self.stores.ledger.append(kind, subject, self.actor, body, self.clock.now())

    def keep(self, document: Document, kind: EntryKind, *, subject: str, **body: Any) -> Digest:
        """Store a document as the newest of its subject, and record it in the ledger, in one transaction.

        A known document becomes the newest again, and is recorded once.
        """
        from proscribe.documents import digest as digest_of

        digest = digest_of(document)
        with self.atomic():
            known = self.stores.documents.digests(type(document), subject=subject)
            if known[:1] != (digest,):
                self.stores.documents.put(document, subject=subject, at=self.clock.now())
            if digest not in known:
                self.record(kind, subject, digest=digest, **body)
        return digest


def open_installation(home: Path | None = None, *, actor: str, clock: Clock | None = None) -> Installation:
    """Open (and on first use make) an installation. Raises InvalidSettings and what ``store.setup`` raises."""
    from proscribe import store
    from proscribe.store.home import default_home

    folder = (home or default_home()).absolute()
    settings = load(folder)
    store.setup(folder)
    from proscribe.store import repositories

    ticking = clock or current_clock()
    connectors = [open_connector(one.connector, one.settings, clock=ticking) for one in settings.systems]
    return Installation(
        home=folder,
        settings=settings,
        stores=Stores(
            actions=repositories.Actions(),
            documents=repositories.Documents(),
            exemptions=repositories.Exemptions(),
            freeze=repositories.Freeze(),
            ledger=repositories.Ledger(),
            outcomes=repositories.Outcomes(),
            snapshots=repositories.Snapshots(),
        ),
        connectors={connector.name: connector for connector in connectors},
        clock=ticking,
        actor=actor,
    )
