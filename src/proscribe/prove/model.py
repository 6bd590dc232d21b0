"""The ledger's entries and the proof bundle. Types only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from proscribe.canonical import Digest
from proscribe.documents import Document, Value
from proscribe.text import Text


class EntryKind(StrEnum):
    """What a ledger entry records."""

    directive = "directive"
    target_set = "target_set"
    snapshot = "snapshot"
    evaluation = "evaluation"
    plan = "plan"
    approval = "approval"
    wave = "wave"
    intent = "intent"  # written before a send
    receipt = "receipt"
    fault = "fault"
    observation = "observation"
    outcomes = "outcomes"
    drift = "drift"
    exemption = "exemption"
    freeze = "freeze"
    thaw = "thaw"
    lift = "lift"
    retention = "retention"


@dataclass(frozen=True)
class LedgerEntry(Document):
    """One fact, in order. Its canonical bytes are the leaf of the RFC 6962 tree."""

    KIND: ClassVar[str] = "proscribe.ledger-entry"

    index: int
    at: datetime
    actor: str  # a role or system name, never a person's device
    entry: EntryKind
    subject: str  # what it is about: a directive id, an action key, ...
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TreeHead(Value):
    """Size and root hash (hex) of the ledger at one moment."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Member(Value):
    """One file of a bundle."""

    name: str
    digest: Digest
    bytes: int


@dataclass(frozen=True)
class BundleManifest(Document):
    """What a proof bundle holds and how it hangs together."""

    KIND: ClassVar[str] = "proscribe.proof"

    created_at: datetime
    directive: str
    directive_digest: Digest
    targets_digest: Digest
    plans: tuple[Digest, ...]
    snapshots: tuple[Digest, ...]
    tree_head: TreeHead
    fleet: int
    outcomes: dict[str, int]  # Outcome value -> devices; adds up to ``fleet``
    not_seen: tuple[Text, ...]  # what could not be seen, in words
    members: tuple[Member, ...]
