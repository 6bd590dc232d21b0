"""The organisation's roster: which device belongs to which group and department.

NanoMDM knows enrolments and nothing of an organisation. The roster is a CSV file with a header, in any of the encodings
and delimiters that spreadsheets write. It names a device by one column or more of ``udid``, ``enrolment_id`` and
``serial``, and has ``group``, ``department`` and ``name``, each of which may be missing. A device that no row names
belongs to the default group. One line is one row: a cell holds no line break.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from proscribe.connectors.base import InvalidConfiguration
from proscribe.connectors.nanomdm.model import Device
from proscribe.errors import UnreadableFile, Where
from proscribe.files import reason
from proscribe.inventory.csvblocks import Layout, layout
from proscribe.inventory.encoding import decode, unicode_name
from proscribe.inventory.model import Problem
from proscribe.inventory.sightings import joinable_serial
from proscribe.inventory.values import folded
from proscribe.text import Text, plural

_MAX_BYTES = 64 << 20
_HEAD = 1 << 16
_LINE_END = re.compile(r"\r\n|\n|\r")
_KEYS = ("udid", "enrolment_id", "serial")
_COLUMNS = {
    "udid": ("udid",),
    "enrolment_id": ("enrolment_id", "enrollment_id", "id_inscription"),
    "serial": ("serial", "serial_number", "numero_de_serie", "no_de_serie"),
    "group": ("group", "groupe"),
    "department": ("department", "ministere", "departement", "direction"),
    "name": ("name", "device_name", "nom", "nom_de_l_appareil"),
}
_OURS = {folded(name): ours for ours, names in _COLUMNS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device belongs. ``group`` is "" where the roster names none; ``row`` counts from 1, 0 for no row."""

    group: str = ""
    department: str = ""
    name: str = ""
    row: int = 0


NOWHERE = Place()


@dataclass(frozen=True)
class Roster:
    """Places by what names a device."""

    by_id: Mapping[str, Place] = field(default_factory=dict)  # by enrolment id or UDID, in upper case
    by_serial: Mapping[str, Place] = field(default_factory=dict)  # as ``joinable_serial`` writes them
    file: str = ""
    rows: frozenset[int] = frozenset()  # those that name a device
    unknown: tuple[str, ...] = ()  # columns that are not ours
    problems: tuple[Problem, ...] = ()  # rows that could not be used

    def place(self, device: Device) -> Place:
        """The place of a device; :data:`NOWHERE` where no row names it."""
        for key in (device.id, device.udid):
            found = self.by_id.get(key.upper())
            if found is not None:
                return found
        return self.by_serial.get(joinable_serial(device.serial), NOWHERE)


def read_roster(path: Path | None) -> Roster:
    """Read the roster; an empty one where there is no path. Rows that cannot be used are among its ``problems``.

    Raises UnreadableFile where the file cannot be read, InvalidConfiguration where it is no table that names devices.
    """
    if path is None:
        return Roster()
    text = _text(path)
    table = layout(text[:_HEAD].encode())
    if table is None:
        raise _unusable(path, Text("it has no header", "il n'a pas d'en-tête"))
    reading = _Reading(path, table)
    for number, line in enumerate(_LINE_END.split(text)[table.rows :], start=table.rows + 1):
        reading.take(number, line)
    return reading.roster()


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error.strerror}", f"lecture impossible\N{NO-BREAK SPACE}: {reason(error).fr}"),
            remedy=Text("Check the path and the permissions.", "Vérifiez le chemin et les droits d'accès."),
            where=Where(file=str(path), field="nanomdm.roster"),
        ) from error
    encoding = unicode_name(raw)
    if encoding == "binary" or len(raw) > _MAX_BYTES:
        raise _unusable(path, Text("it is not text, or over 64 MiB", "ce n'est pas du texte, ou il dépasse 64 Mio"))
    text = raw.decode(encoding, "replace") if encoding.startswith("utf-16") else decode(raw)[0]
    return text.removeprefix("\ufeff")


class _Reading:
    """The rows of one roster, checked one by one."""

    def __init__(self, path: Path, table: Layout) -> None:
        self._path = path
        self._delimiter = table.delimiter
        self._width = len(table.columns)
        self._positions: dict[str, int] = {}
        self._by_id: dict[str, Place] = {}
        self._by_serial: dict[str, Place] = {}
        self._rows: set[int] = set()
        self._unknown: list[str] = []
        self._problems: list[Problem] = []
        self._columns(table.columns)

    def _columns(self, names: Sequence[str]) -> None:
        for position, name in enumerate(names):
            ours = _OURS.get(folded(name))
            if ours is None:
                self._unknown.append(name)
            elif ours in self._positions:
                raise _unusable(
                    self._path, Text(f"two columns stand for {ours}", f"deux colonnes correspondent à {ours}"), ours
                )
            else:
                self._positions[ours] = position
        if not self._positions.keys() & set(_KEYS):
            raise _unusable(
                self._path,
                Text("none of its columns names a device", "aucune de ses colonnes ne nomme un appareil"),
                "udid",
            )

    def take(self, number: int, line: str) -> None:
        """Read one row; what is wrong with it is noted, and costs that row alone."""
        if not line.strip():
            return
        try:
            cells = next(csv.reader([line], delimiter=self._delimiter, strict=True))
        except csv.Error:
            self._bad(number, "", *_QUOTES)
            return
        while len(cells) > self._width and not cells[-1]:
            cells.pop()
        if len(cells) != self._width:
            self._bad(number, "", *_length(len(cells), self._width))
            return
        values = {ours: " ".join(cells[position].split()) for ours, position in self._positions.items()}
        if any(values.values()):
            self._row(number, values)

    def _row(self, number: int, values: Mapping[str, str]) -> None:
        group = values.get("group", "")
        if group and not _is_name(group):
            self._bad(number, "group", *_GROUP)
            return
        place = Place(group, values.get("department", ""), values.get("name", ""), number)
        if not any(values.get(column) for column in _KEYS):
            self._bad(number, "", *_NAMELESS)
        for column, table, key in self._keys(number, values):
            known = table.setdefault(key, place)
            if known is not place:
                self._bad(number, column, *_twice(values[column], known.row))
            else:
                self._rows.add(number)

    def _keys(self, number: int, values: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Place], str]]:
        for column in _KEYS:
            value = values.get(column, "")
            if value and column == "serial" and not joinable_serial(value):
                self._bad(number, column, *_PLACEHOLDER)
            elif value and column == "serial":
                yield column, self._by_serial, joinable_serial(value)
            elif value:
                yield column, self._by_id, value.upper()

    def _bad(self, number: int, column: str, what: Text, remedy: Text) -> None:
        self._problems.append(Problem(self._path.name, number, column, what, remedy))

    def roster(self) -> Roster:
        """What was read."""
        return Roster(
            by_id=self._by_id,
            by_serial=self._by_serial,
            file=self._path.name,
            rows=frozenset(self._rows),
            unknown=tuple(self._unknown),
            problems=tuple(self._problems),
        )


def _is_name(group: str) -> bool:
    """Whether a group can stand in the name of a scope and of a file."""
    return group.isprintable() and not group.startswith(".") and not set("/\\") & set(group)


def _unusable(path: Path, what: Text, column: str = "") -> InvalidConfiguration:
    return InvalidConfiguration(
        Text("the roster cannot be used: ", "le fichier des appareils est inutilisable\N{NO-BREAK SPACE}: ") + what,
        remedy=Text(
            "Give a CSV file whose header has udid, enrolment_id or serial, each at most once. The columns group, "
            "department and name are optional.",
            "Fournissez un fichier CSV dont l'en-tête comporte udid, enrolment_id ou serial, chacun une fois au plus. "
            "Les colonnes group, department et name sont facultatives.",
        ),
        where=Where(file=str(path), row=1, field=column or "nanomdm.roster"),
    )


_Pair = tuple[Text, Text]
_QUOTES: _Pair = (
    Text("a quotation mark is not closed on its line", "un guillemet n'est pas refermé sur sa ligne"),
    Text("Close or double the quotation mark.", "Fermez ou doublez le guillemet."),
)
_NAMELESS: _Pair = (
    Text("the row names no device", "la ligne ne nomme aucun appareil"),
    Text("Fill in udid, enrolment_id or serial.", "Remplissez udid, enrolment_id ou serial."),
)
_PLACEHOLDER: _Pair = (
    Text("this is not a serial number", "ce n'est pas un numéro de série"),
    Text("Write the device's own serial number.", "Inscrivez le numéro de série de l'appareil."),
)
_GROUP: _Pair = (
    Text("this cannot be the name of a group", "ce ne peut pas être le nom d'un groupe"),
    Text(
        "Use letters, digits, spaces and hyphens. Use no slash, and no full stop at the beginning.",
        "Utilisez des lettres, des chiffres, des espaces et des traits d'union, sans barre oblique ni point au début.",
    ),
)


def _length(found: int, expected: int) -> _Pair:
    cells = plural(found, Text("cell", "cellule"), Text("cells", "cellules"))
    return cells + Text(f", the header has {expected}", f", l'en-tête en compte {expected}"), Text(
        "Look for a missing or extra delimiter, or text that needs quotation marks.",
        "Cherchez un séparateur manquant ou de trop, ou un texte à mettre entre guillemets.",
    )


def _twice(value: str, row: int) -> _Pair:
    return (
        Text(
            f"{value} is already in row {row}, and that row counts",
            f"{value} figure déjà à la ligne {row}, et c'est celle-là qui compte",
        ),
        Text("Keep one row for each device.", "Conservez une seule ligne par appareil."),
    )
