"""Where the snapshots lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from proscribe.canonical import Digest
from proscribe.inventory.model import Snapshot
from proscribe.store.errors import NotStored, guarded
from proscribe.store.models import SnapshotRow
from proscribe.store.repository.unit import atomic, next_serial, serialise
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """A snapshot on disk; ``inventory.snapshot.open_snapshot(path)`` opens and verifies it."""

    digest: Digest
    path: Path
    taken_at: datetime
    systems: tuple[str, ...]


class Snapshots:
    """The index of snapshots, in the order in which they were recorded."""

    @guarded
    def add(self, snapshot: Snapshot, systems: Iterable[str] | None = None) -> bool:
        """Record a snapshot; False where it is known. ``systems``: by default those of its coverage."""
        named = {row.system for row in snapshot.manifest.coverage} if systems is None else set(systems)
        with atomic():
            serialise("snapshot")
            _, made = SnapshotRow.objects.get_or_create(
                digest=snapshot.digest,
                defaults={
                    "path": str(snapshot.path.absolute()),
                    "taken_at": snapshot.manifest.taken_at,
                    "systems": sorted(named),
                    "serial": next_serial(SnapshotRow, "serial"),
                },
            )
        return made

    @guarded
    def all(self) -> tuple[SnapshotRef, ...]:
        """Every snapshot, newest first."""
        return tuple(_ref(row) for row in SnapshotRow.objects.order_by("-serial"))

    @guarded
    def get(self, digest: Digest) -> SnapshotRef:
        """The snapshot of that digest. Raises NotStored."""
        row = SnapshotRow.objects.filter(digest=digest).first()
        if row is None:
            raise NotStored(
                Text(f"no snapshot {digest} was recorded", f"aucun instantané {digest} n'a été enregistré"),
                remedy=Text(
                    "Import or observe again; 'proscribe import' and 'proscribe observe' make snapshots.",
                    "Importez ou observez de nouveau; « proscribe import » et « proscribe observe » le font.",
                ),
            )
        return _ref(row)

    @guarded
    def latest(self) -> SnapshotRef | None:
        """The newest snapshot; None where there is none."""
        row = SnapshotRow.objects.order_by("-serial").first()
        return None if row is None else _ref(row)

    @guarded
    def before(self, digest: Digest) -> SnapshotRef | None:
        """The snapshot recorded right before that one; None for the first."""
        serial = SnapshotRow.objects.filter(digest=digest).values_list("serial", flat=True).first()
        if serial is None:
            return None
        row = SnapshotRow.objects.filter(serial__lt=serial).order_by("-serial").first()
        return None if row is None else _ref(row)


def _ref(row: SnapshotRow) -> SnapshotRef:
    return SnapshotRef(Digest(row.digest), Path(row.path), row.taken_at, tuple(row.systems))
