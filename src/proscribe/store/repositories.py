"""What the other stages know of the store. Each class is one port; all share one database, hence one transaction.

Import it only after :func:`proscribe.store.setup`.
"""

from __future__ import annotations

from proscribe.store.repository.actions import Actions
from proscribe.store.repository.documents import Documents
from proscribe.store.repository.ledger import Draft, Ledger, LedgerJournal
from proscribe.store.repository.memory import Memory
from proscribe.store.repository.outcomes import OutcomePoint, Outcomes
from proscribe.store.repository.register import Exemptions, Freeze, Frozen, Holds
from proscribe.store.repository.snapshots import SnapshotRef, Snapshots
from proscribe.store.repository.unit import after_commit, atomic

__all__ = [
    "Actions",
    "Documents",
    "Draft",
    "Exemptions",
    "Freeze",
    "Frozen",
    "Holds",
    "Ledger",
    "LedgerJournal",
    "Memory",
    "OutcomePoint",
    "Outcomes",
    "SnapshotRef",
    "Snapshots",
    "after_commit",
    "atomic",
]
