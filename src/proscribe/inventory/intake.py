"""The hand of an importer: passes on what it reads to the builder and keeps the counts of one source."""

from __future__ import annotations

from collections.abc import Sequence

from proscribe.canonical import Digest
from proscribe.inventory.builder import SnapshotBuilder
from proscribe.inventory.encoding import decode
from proscribe.inventory.model import DeviceRecord, InstallRecord, Problem, SourceSummary
from proscribe.inventory.tables import Mark
from proscribe.inventory.values import whole
from proscribe.terms import Side
from proscribe.text import Text

_UNKNOWN_FIELDS_LISTED = 200


class Intake:
    """One source on its way into a snapshot."""

    def __init__(self, builder: SnapshotBuilder, name: str) -> None:
        self.builder = builder
        self.name = name
        builder.reading = name
        self.rows = 0
        self.installs = 0
        self.problems = 0
        self.bad_rows = 0
        self._last_bad_row = 0
        self._unknown: dict[str, None] = {}
        self._legacy_text = False

    def device(self, record: DeviceRecord) -> int:
        """Pass on a device (see ``SnapshotBuilder.add_device``)."""
        return self.builder.add_device(record)

    def install(self, record: InstallRecord) -> None:
        """Pass on an app of a device passed on before."""
        self.installs += 1
        self.builder.add_install(record)

    def marks(self, device: str, side: Side, marks: Sequence[Mark]) -> None:
        """Pass on the apps of a device passed on before (see ``SnapshotBuilder.mark``)."""
        self.installs += len(marks)
        self.builder.add_marks(device, side, marks)

    def problem(self, row: int, field: str, what: Text, remedy: Text) -> None:
        """List a row that could not be used, or a cell of it; row 0 is the whole file."""
        self.problems += 1
        if row and row != self._last_bad_row:
            self.bad_rows += 1
            self._last_bad_row = row
        self.builder.add_problem(Problem(file=self.name, row=row, field=field, what=what, remedy=remedy))

    def unknown(self, field: str) -> None:
        """Count a field of the source that no rule names."""
        if len(self._unknown) < _UNKNOWN_FIELDS_LISTED:
            self._unknown[whole(field)] = None

    def text(self, data: bytes) -> str:
        """Decode a cell; says once per file when it was not UTF-8."""
        text, legacy = decode(data)
        if legacy:
            self.not_utf8()
        return text

    def not_utf8(self) -> None:
        """Say once that some text was not UTF-8 and was read as Windows-1252."""
        if self._legacy_text:
            return
        self._legacy_text = True
        self.problem(
            0,
            "",
            Text(
                "some text is not UTF-8 and was read as Windows-1252; accented names may be wrong",
                "une partie du texte n'est pas en UTF-8 et a été lue en Windows-1252; des noms accentués peuvent être "
                "inexacts",
            ),
            Text("Export as UTF-8 where the system allows it.", "Exportez en UTF-8 si le système le permet."),
        )

    def summary(self, format_name: str, digest: Digest, size: int, *, complete: bool) -> SourceSummary:
        """The counts, as the manifest holds them."""
        return SourceSummary(
            name=self.name,
            format=format_name,
            digest=digest,
            bytes=size,
            rows=self.rows,
            devices=self.builder.devices_in_source,
            installs=self.installs,
            bad_rows=self.bad_rows,
            unknown_fields=tuple(sorted(self._unknown)),
            complete=complete,
        )
