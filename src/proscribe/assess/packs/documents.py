"""Documents about the data packs: what is in use, what an update changed, what a check found. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from proscribe.assess.packs.model import SourceRow
from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.text import Text


class Origin(StrEnum):
    """Where the pack that is in use comes from."""

    shipped = "shipped"  # with this release
    updated = "updated"  # installed by ``proscribe data update``


@dataclass(frozen=True, slots=True)
class PackSource(Value):
    """Where rows of a pack come from, and how many of them."""

    id: str
    what: Text
    where: str
    revision: str
    licence: str
    rows: int

    @classmethod
    def of(cls, row: SourceRow, rows: int) -> PackSource:
        """A header's source, with the number of rows that name it."""
        return cls(row.id, row.what, row.where, row.revision, row.licence, rows)


@dataclass(frozen=True, slots=True)
class PackEntry(Value):
    """One pack in use. ``shipped_version``: what this release carries, the same where ``origin`` is shipped."""

    pack: str
    version: str
    origin: Origin
    shipped_version: str
    rows: int
    licence: str
    digest: Digest
    file: str
    about: Text
    sources: tuple[PackSource, ...]
    api_level: int = 0


@dataclass(frozen=True)
class PackList(Document):
    """The packs in use."""

    KIND: ClassVar[str] = "proscribe.data-list"

    packs: tuple[PackEntry, ...]


@dataclass(frozen=True)
class PackUpdate(Document):
    """What an update changed. Rows by their keys; ``kept`` is the file of the pack that was in use before."""

    KIND: ClassVar[str] = "proscribe.data-update"

    pack: str
    origin: Origin  # shipped where the file given is the release's own: the update over it was taken away
    version_before: str
    version_after: str
    digest_before: str  # "" where the pack before could not be read
    digest_after: Digest
    rows: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: str


class PackState(StrEnum):
    """What a check of one pack found."""

    intact = "intact"  # as shipped
    updated = "updated"  # as installed, over the shipped one
    altered = "altered"  # not what was shipped or installed
    broken = "broken"  # cannot be used


@dataclass(frozen=True, slots=True)
class PackCheck(Value):
    """One pack, checked. ``expected`` is the digest it should have; rows that differ from the shipped pack, by key."""

    pack: str
    state: PackState
    version: str
    digest: str
    expected: str
    file: str
    problem: Text | None = None
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class PackVerification(Document):
    """Every pack checked: row by row, against the digests of the release, and all of them together."""

    KIND: ClassVar[str] = "proscribe.data-verification"

    ok: bool
    packs: tuple[PackCheck, ...]
    together: Text | None  # why the packs do not fit each other; None where they do, or one cannot be read
