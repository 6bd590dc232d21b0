"""Android Management API, the quick way: devices that are just as the discovery document describes them.

Of such a device only the few fields that count are decoded. The report of an app is the same text on every device that
has the app in the same version, so one that was met before is one look-up and is not parsed again. Whatever departs
from this is left to ``amapi``, record by record. What a device and an app mean is decided there as well, so that both
ways give the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from proscribe.inventory.importers.amapi import DESCRIBING, KNOWN_FIELDS, MEMBER, described, install_of, side_of
from proscribe.inventory.importers.base import UnusableRecord, lacking, text_of
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord
from proscribe.inventory.tables import Mark
from proscribe.terms import Side

_REPORTS_REMEMBERED = 1 << 16


_FIELDS: list[tuple[str, Any, Any]] = [
    *((name, Any, None) for name in DESCRIBING),
    ("applicationReports", list[msgspec.Raw] | None, None),
    *((name, msgspec.Raw, msgspec.Raw()) for name in sorted(KNOWN_FIELDS - {*DESCRIBING, "applicationReports"})),
]
_Known = msgspec.defstruct("_Known", _FIELDS, forbid_unknown_fields=True)
_Open = msgspec.defstruct("_Open", _FIELDS)
_describing = attrgetter(*DESCRIBING)


@dataclass(frozen=True, slots=True)
class Taken:
    """One device on its way to the builder."""

    record: DeviceRecord
    side: Side
    marks: list[Mark]
    unknown: frozenset[str]  # fields that the discovery document does not have


class QuickReader:
    """Reads the devices of one source that fit the types."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._known = msgspec.json.Decoder(_Known)
        self._open = msgspec.json.Decoder(_Open)
        self._names = msgspec.json.Decoder(dict[str, msgspec.Raw])
        self._marks: dict[bytes, Mark] = {}

    def decode(self, text: str) -> Taken | None:
        """A device that fits; None for one to be read with care. Raises ValueError for what is no JSON."""
        unknown: frozenset[str] = frozenset()
        try:
            try:
                device: Any = self._known.decode(text)
            except msgspec.ValidationError:
                device = self._open.decode(text)  # most likely a field that is newer than our list of them
                unknown = frozenset(self._names.decode(text)) - KNOWN_FIELDS
                if MEMBER in unknown:
                    return None  # a page
        except (msgspec.ValidationError, RecursionError):
            return None
        except msgspec.DecodeError as error:
            raise ValueError(str(error)) from error
        fields = dict(zip(DESCRIBING, _describing(device), strict=True))
        reports: list[msgspec.Raw] | None = device.applicationReports
        try:
            record = described(fields, no_reports=reports is None)
            marks = self._marks_of(reports or [])
        except UnusableRecord:
            return None
        return Taken(record, side_of(fields), marks, unknown)

    def take(self, device: Taken) -> None:
        """Pass on a device and its apps."""
        for field in device.unknown:
            self._intake.unknown(field)
        self._intake.device(device.record)
        self._intake.marks(device.record.key, device.side, device.marks)

    def _marks_of(self, reports: list[msgspec.Raw]) -> list[Mark]:
        """Raises UnusableRecord when one of them is no report of a package."""
        texts = list(map(bytes, reports))
        found: list[Mark | None] = list(map(self._marks.get, texts))
        if None in found:
            for position, mark in enumerate(found):
                if mark is None:
                    found[position] = self._mark(texts[position])
        return found  # type: ignore[return-value]

    def _mark(self, text: bytes) -> Mark:
        report = json.loads(text.decode())
        package = text_of(report, "packageName") if isinstance(report, dict) else ""
        if not package:
            raise lacking("packageName")
        if len(self._marks) >= _REPORTS_REMEMBERED:
            self._marks.clear()  # memory stays flat; what is common is soon met again
        mark = self._intake.builder.mark(install_of("", Side.unknown, package, report))
        self._marks[text] = mark
        return mark
