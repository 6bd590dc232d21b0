"""What the proving stage needs of a ledger, without knowing where it is kept. ``proscribe.store`` implements it.

What an entry says, so that a bundle can be checked without this program:

- ``subject`` is the key of the action for ``intent``, ``receipt`` and ``fault``; a digest for ``plan``, ``snapshot``
  and ``target_set``; else the directive's id.
- ``body["directive"]`` names the directive an entry is about, wherever ``subject`` does not. An entry without it
  (``freeze``, ``thaw``, ``snapshot``) is about the installation and goes into every bundle.
- ``body["digest"]`` is the digest of the document that the entry records.
- No entry names a device or a person: those are counted, or named by digest. A bundle withholds an entry that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from proscribe.prove.model import EntryKind, LedgerEntry


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry as a store keeps it: its canonical bytes, its leaf hash, and the inner nodes that it completed."""

    index: int
    body: bytes
    leaf: bytes
    nodes: tuple[bytes, ...]  # lowest first


class LedgerStore(Protocol):
    """An append-only sequence of entries, numbered from 0 without gaps. Nothing is ever changed or taken out."""

    def append(self, kind: EntryKind, subject: str, actor: str, body: dict[str, Any], at: datetime) -> LedgerEntry:
        """Add one entry at the end and return it with its index. It is durable when this returns."""
        ...

    def size(self) -> int:
        """How many entries there are."""
        ...

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[LedgerEntry]:
        """Entries ``start`` to ``stop`` (exclusive; None for the end), in order."""
        ...

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[StoredEntry]:
        """What is stored of entries ``start`` to ``stop``, in order: for many entries, without reading each."""
        ...
