"""Records holds: named devices from which nothing is removed until the hold is released."""

from __future__ import annotations

from datetime import datetime

from proscribe.plan.holds import validate
from proscribe.plan.model import Hold
from proscribe.prove.model import EntryKind
from proscribe.service import inventory
from proscribe.service.installation import Installation


def place(installation: Installation, hold: Hold) -> bool:
    """Record a hold; False where the very same one is known. Raises InvalidHold or HoldExists."""
    validate(hold)
    with installation.atomic():
        added = installation.stores.holds.add(hold, at=installation.clock.now())
        if added:
            # Devices are counted, not named: the ledger goes into bundles that leave the organisation.
            installation.record(
                EntryKind.hold,
                hold.id,
                event="placed",
                authority=hold.authority,
                placed_by=hold.placed_by,
                starts=hold.starts.isoformat(),
                devices=len(hold.devices),
            )
    return added


def not_seen(installation: Installation, hold: Hold) -> tuple[str, ...]:
    """The devices of a hold that the newest snapshot does not hold: a misspelt key protects nothing."""
    known = inventory.device_keys(installation)
    return () if known is None else tuple(device for device in hold.devices if device not in known)


def release(installation: Installation, hold_id: str) -> bool:
    """Release a hold now, so that removal may go on; False where it had been released. Raises NotStored."""
    with installation.atomic():
        released = installation.stores.holds.release(hold_id, at=installation.clock.now())
        if released:
            installation.record(EntryKind.hold, hold_id, event="released")
    return released


def listed(installation: Installation) -> tuple[tuple[Hold, datetime | None], ...]:
    """Every hold ever recorded, with the moment it was released."""
    return installation.stores.holds.all()
