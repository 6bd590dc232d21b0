"""Exemptions: named devices, a ground, an approver, an end."""

from __future__ import annotations

from datetime import datetime

from proscribe.plan.exemptions import validate
from proscribe.plan.model import Exemption
from proscribe.prove.model import EntryKind
from proscribe.service import inventory
from proscribe.service.installation import Installation
from proscribe.service.planning import known_directive


def add(installation: Installation, exemption: Exemption) -> bool:
    """Record an exemption after checking it against its directive; False where the very same one is known.

    Raises InvalidExemption (field and remedy named), UnknownDirective or ExemptionExists.
    """
    now = installation.clock.now()
    validate(exemption, known_directive(installation, exemption.directive), now)
    with installation.atomic():
        added = installation.stores.exemptions.add(exemption, at=now)
        if added:
            # Devices are counted, not named: the ledger goes into bundles that leave the organisation.
            installation.record(
                EntryKind.exemption,
                exemption.directive,
                id=exemption.id,
                ground=exemption.ground,
                approved_by=exemption.approved_by,
                starts=exemption.starts.isoformat(),
                expires=exemption.expires.isoformat(),
                devices=len(exemption.devices),
            )
    return added


def not_seen(installation: Installation, exemption: Exemption) -> tuple[str, ...]:
    """The devices of an exemption that the newest snapshot does not hold: a misspelt key exempts nobody."""
    known = inventory.device_keys(installation)
    return () if known is None else tuple(device for device in exemption.devices if device not in known)


def end(installation: Installation, exemption_id: str) -> bool:
    """End an exemption now, so that the next tick enforces again; False where it had ended. Raises NotStored."""
    with installation.atomic():
        ended = installation.stores.exemptions.end(exemption_id, at=installation.clock.now())
        if ended:
            about = {one.id: one for one, _ in installation.stores.exemptions.all()}[exemption_id]
            installation.record(EntryKind.exemption, about.directive, id=exemption_id, ended=True)
    return ended


def listed(installation: Installation) -> tuple[tuple[Exemption, datetime | None], ...]:
    """Every exemption ever recorded, with the moment it was ended."""
    return installation.stores.exemptions.all()
