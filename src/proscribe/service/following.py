"""Systems that know commands and no policies: bringing accepted orders on, and asking devices what must be known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from proscribe.connectors.base import Connector, ConnectorFault, FollowsUp, Listens
from proscribe.errors import Where
from proscribe.service.installation import Installation
from proscribe.text import Text

_BATCH = 1_000
_FOLLOWING = "*"  # what is in flight: no scope, the following up of a system


@dataclass(frozen=True)
class Followed:
    """What following up did, over all systems. ``counts``: by what was done, e.g. ``asked``, ``delivered``."""

    counts: Mapping[str, int] = field(default_factory=dict)
    happened: tuple[Text, ...] = ()
    waits: tuple[Text, ...] = ()
    faults: tuple[ConnectorFault, ...] = ()


def follow_up(installation: Installation, *, asking_only: bool = False) -> Followed:
    """Let every system that needs it follow up; one that fails does not keep the others from it.

    ``asking_only``: nothing that changes a device is sent, as under a freeze.
    """
    counts: Counter[str] = Counter()
    happened: list[Text] = []
    waits: list[Text] = []
    faults: list[ConnectorFault] = []
    for name, connector in installation.connectors.items():
        if not isinstance(connector, FollowsUp):
            continue
        with installation.stores.actions.flight(name, _FOLLOWING) as mine:
            if not mine:  # it does all there is to do; two at once would talk to one device at a time
                waits.append(_busy(name))
                continue
            try:
                held, exempt = _apart(installation)
                done = connector.follow_up(
                    frozen=asking_only or installation.stores.freeze.frozen(), spared=held | exempt, exempt=exempt
                )
            except ConnectorFault as fault:
                if not fault.where.file:
                    fault.where = Where(file=name, field=fault.where.field)
                faults.append(fault)
                continue
        counts.update(done.counts)
        happened += done.happened
        waits += done.waits
    return Followed(dict(counts), tuple(happened), tuple(waits), tuple(faults))


def _apart(installation: Installation) -> tuple[frozenset[str], frozenset[str]]:
    """The devices under a records hold, and those exempt from something, each by every key."""
    from proscribe.service import inventory, signing

    today = installation.clock.now().date()
    holds = installation.stores.holds.in_force(today).holds
    exemptions = signing.exemptions(installation).exemptions
    held = {device for hold in holds for device in hold.devices}
    exempt = {device for exemption in exemptions for device in exemption.devices}
    if held or exempt:
        for keys in inventory.keys_of_devices(installation):
            for named in (held, exempt):
                if not named.isdisjoint(keys):
                    named.update(keys)
    return frozenset(held), frozenset(exempt)


def _busy(name: str) -> Text:
    return Text(
        f"Another process is already busy with {name}; there is nothing to do here.",
        f"Un autre processus s'occupe déjà de {name}; il n'y a rien à faire ici.",
    )


def take_in(connector: Connector) -> None:
    """Deal with everything that a system told by itself, so that what is read next is as new as can be."""
    if isinstance(connector, Listens):
        while connector.take_in(limit=_BATCH) == _BATCH:
            pass
