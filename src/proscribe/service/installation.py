"""One installation: its home folder, its settings, its store, its connectors, and who is acting.

Use cases take an :class:`Installation` first. They authorise, run and record; the shells call nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proscribe.canonical import Digest
from proscribe.clock import Clock, current_clock
from proscribe.connectors.base import Connector
from proscribe.connectors.memory import Surroundings, Watch
from proscribe.connectors.registry import open_connector
from proscribe.documents import Document
from proscribe.errors import ProscribeError, Where
from proscribe.prove.model import EntryKind
from proscribe.prove.pseudonym import KEY_BYTES
from proscribe.service.config import FILE, InvalidSettings, Settings, load
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.store import repositories


class WrongKey(ProscribeError):
    """The file of the pseudonym key does not hold a key."""

    code = "service.pseudonym-key"


@dataclass(frozen=True)
class Stores:
    """The repositories, one each."""

    actions: repositories.Actions
    documents: repositories.Documents
    exemptions: repositories.Exemptions
    freeze: repositories.Freeze
    holds: repositories.Holds
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
        """The key that turns device keys into pseudonyms: made once, readable by its owner alone, never exported.

        Raises WrongKey where the file was damaged.
        """
        from proscribe.store.home import owners_file

        path = self.home / "pseudonym.key"
        key = owners_file(path, lambda: secrets.token_bytes(KEY_BYTES))
        if len(key) != KEY_BYTES:
            raise WrongKey(
                Text(
                    f"the key has {len(key)} bytes instead of {KEY_BYTES}",
                    f"la clé compte {len(key)} octets au lieu de {KEY_BYTES}",
                ),
                remedy=Text(
                    "Restore it from a backup. With another key, the pseudonyms of earlier bundles lose their meaning.",
                    "Restaurez-la à partir d'une sauvegarde. Avec une autre clé, les pseudonymes des dossiers de "
                    "preuve antérieurs perdent leur sens.",
                ),
                where=Where(file=str(path)),
            )
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
    connectors: dict[str, Connector] = {}
    installation = Installation(
        home=folder,
        settings=settings,
        stores=Stores(
            actions=repositories.Actions(),
            documents=repositories.Documents(),
            exemptions=repositories.Exemptions(),
            freeze=repositories.Freeze(),
            holds=repositories.Holds(),
            ledger=repositories.Ledger(),
            outcomes=repositories.Outcomes(),
            snapshots=repositories.Snapshots(),
        ),
        connectors=connectors,
        clock=ticking,
        actor=actor,
    )

    def watch() -> Watch:
        from proscribe.service import inventory

        return inventory.watch(installation)

    frozen = installation.stores.freeze.frozen
    for one in settings.systems:
        memory = repositories.Memory(one.connector)
        around = Surroundings(clock=ticking, home=folder, memory=memory, watch=watch, frozen=frozen)
        connector = open_connector(one.connector, one.settings, around)
        if connector.name in connectors:
            raise _twice(folder, one.connector)
        connectors[connector.name] = connector
    return installation


def _twice(folder: Path, connector: str) -> InvalidSettings:
    """Device keys begin with the connector's name, so two systems behind one connector could not be told apart."""
    return InvalidSettings(
        Text(
            f"two systems use the connector {connector}; one installation drives one of each kind",
            f"deux systèmes utilisent le connecteur {connector}; une installation n'en pilote qu'un de chaque type",
        ),
        remedy=Text(
            "Keep one of the tables, and make an installation of its own (PROSCRIBE_HOME) for the other.",
            "Conservez l'une des tables et créez pour l'autre une installation distincte (PROSCRIBE_HOME).",
        ),
        where=Where(file=str(folder / FILE), field="systems"),
    )
