"""Exports of the fictional Department of Northern Lighthouses, with the truth about what is in them.

For rehearsals and tests. The same seed gives the same bytes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from proscribe.simulate.exports import writers
from proscribe.simulate.exports.apps import LOOKALIKES, NAMED
from proscribe.simulate.exports.department import ORGANISATION, Phase, Phone, Source, phones

__all__ = ["ORGANISATION", "GroundTruth", "Phase", "Source", "ground_truth", "write_exports"]

FILES = {
    Source.intune: "AppInvRawData.csv",
    Source.jamf: "mobile-devices.json",
    Source.fleet: "hosts.json",
    Source.register: "registre-telephones.csv",
}
_WRITERS = {
    Source.intune: writers.write_intune,
    Source.jamf: writers.write_jamf,
    Source.fleet: writers.write_fleet,
    Source.register: writers.write_register,
}


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """What the exports hold, known because we made them. Phones are named by their labels (``DNL-MPN-00042``)."""

    devices: int  # distinct phones
    listed: dict[Source, int]  # phones by system, the second listing of a phone included
    twice: frozenset[str]  # phones that two systems list under one serial number
    installs: dict[Source, int]  # good app rows by system
    holders: dict[str, frozenset[str]]  # product id -> phones on which a system can see it
    hidden: dict[str, frozenset[str]]  # product id -> phones that carry it where nobody can look
    lookalikes: dict[str, frozenset[str]]  # kind of look-alike -> phones
    bad_rows: dict[Source, int]  # rows that name no phone
    stale: frozenset[str]  # phones whose list is at least 60 days old, where the export says when it was taken
    half_seen: frozenset[str]  # phones of which one side is out of sight


def write_exports(folder: Path, *, seed: int, devices: int, moment: datetime, phase: str) -> dict[str, Path]:
    """Write the four exports of one moment into ``folder`` and return the path of each by its system's name."""
    folder.mkdir(parents=True, exist_ok=True)
    listings: defaultdict[Source, list[Phone]] = defaultdict(list)
    for phone in phones(seed=seed, devices=devices, moment=moment, phase=Phase(phase)):
        for source in phone.sources:
            listings[source].append(phone)
    written: dict[str, Path] = {}
    for source, name in FILES.items():
        path = folder / name
        _WRITERS[source](path, listings[source])
        written[source.value] = path
    return written


def ground_truth(*, seed: int, devices: int, moment: datetime, phase: str) -> GroundTruth:
    """The truth behind :func:`write_exports` of the same arguments."""
    banned, kinds = {key for key, _, _ in NAMED}, {key for key, _, _ in LOOKALIKES}
    listed: Counter[Source] = Counter()
    installs: Counter[Source] = Counter()
    holders: defaultdict[str, set[str]] = defaultdict(set)
    hidden: defaultdict[str, set[str]] = defaultdict(set)
    lookalikes: defaultdict[str, set[str]] = defaultdict(set)
    twice, stale, half_seen = set(), set(), set()
    for phone in phones(seed=seed, devices=devices, moment=moment, phase=Phase(phase)):
        for source in phone.sources:
            listed[source] += 1
            installs[source] += len(phone.listed)
        for install in phone.installs:
            if install.key in banned:
                (holders if install in phone.listed else hidden)[install.key].add(phone.name)
            elif install.key in kinds and install in phone.listed:
                lookalikes[install.key].add(phone.name)
        if phone.also is not None:
            twice.add(phone.name)
        if phone.stale and phone.source is not Source.intune:
            stale.add(phone.name)
        if phone.half_seen:
            half_seen.add(phone.name)
    return GroundTruth(
        devices=devices,
        listed=dict(listed),
        twice=frozenset(twice),
        installs=dict(installs),
        holders={key: frozenset(names) for key, names in sorted(holders.items())},
        hidden={key: frozenset(names) for key, names in sorted(hidden.items())},
        lookalikes={key: frozenset(names) for key, names in sorted(lookalikes.items())},
        bad_rows=dict(writers.BAD_ROWS),
        stale=frozenset(stale),
        half_seen=frozenset(half_seen),
    )
