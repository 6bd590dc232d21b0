"""Tables of installs (CSV or Parquet, one row an app on a device) into the snapshot, a column at a time.

Text is looked at once per distinct device, app and marking of a block; the rows themselves are only ever integers.
That is what makes 8 million rows a matter of seconds (docs/guide/inventory.md).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory.importers.base import UnusableRecord
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord
from proscribe.inventory.tables import HELD, SIDES
from proscribe.inventory.values import folded
from proscribe.terms import Held, Side
from proscribe.text import Text

_NO_APP = -2
_NO_DEVICE = -1
_RADIX_LIMIT = 1 << 62
_GATHERED = 1 << 20
_BETWEEN = "\x1f"  # the unit separator: between the cells of a key, and therefore never in one


class Cells(dict[str, str]):
    """The cells of one row by our names; a missing column is blank. ``faults`` collects cells that cannot be read."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        super().__init__(cells)
        self.faults: list[tuple[str, Text, Text]] = []

    def __missing__(self, name: str) -> str:
        return ""

    def fault(self, name: str, what: Text, remedy: Text) -> None:
        """List a cell; the row is used without it."""
        self.faults.append((name, what, remedy))


@dataclass(frozen=True)
class Sheet:
    """How the rows of one format are read. Column names are ours; ``aliases`` leads to them from the folded names of
    the export. The functions see each distinct combination of cells once and may raise UnusableRecord."""

    aliases: Mapping[str, str]
    device_columns: tuple[str, ...]
    app_columns: tuple[str, ...]
    mark_columns: tuple[str, ...]
    device: Callable[[Cells], DeviceRecord]
    app: Callable[[Cells], AppIdentity | None]  # None: the row names no app
    marks: Callable[[Cells], tuple[Side, Held, bool]]
    ignored: frozenset[str] = frozenset()  # folded names of known columns that are of no use here

    def columns(self, written: Sequence[str], intake: Intake) -> dict[int, str]:
        """Positions of the columns that are used, with our names; the others are counted as unknown."""
        found: dict[int, str] = {}
        for position, name in enumerate(written):
            ours = self.aliases.get(folded(name))
            if ours is not None and ours not in found.values():
                found[position] = ours
            elif ours is None and folded(name) not in self.ignored:
                intake.unknown(name)
        return found


@dataclass
class _Combinations:
    """Distinct combinations of some columns of a block: the code of each row, and the texts of each code by column."""

    codes: Any
    columns: list[Any]  # Arrow text arrays
    names: tuple[str, ...]


class _Known:
    """Combinations met so far. New ones are found by Arrow, so that only they are ever looked at in Python."""

    def __init__(self) -> None:
        import pyarrow as pa

        self.keys: Any = pa.array([], pa.large_string())
        self.codes = array("q")
        self.faults: dict[int, list[tuple[str, Text, Text]]] = {}

    def positions(self, found: _Combinations, code: Callable[[Cells], int]) -> Any:
        """The position of each combination here, entering those that are new."""
        import pyarrow as pa
        import pyarrow.compute as pc

        parts = [column.cast(pa.large_string()) for column in found.columns]
        keys = pc.binary_join_element_wise(*parts, pa.scalar(_BETWEEN, pa.large_string()))
        places = pc.index_in(keys, value_set=self.keys)
        if not places.null_count:
            return places
        new = pc.is_null(places)
        fresh = pc.indices_nonzero(new)
        places = pc.if_else(new, pc.add(pc.cumulative_sum(new.cast(pa.int32())), len(self.codes) - 1), places)
        for cells in zip(*(pc.take(column, fresh).to_pylist() for column in found.columns), strict=True):
            values = Cells(dict(zip(found.names, cells, strict=True)))
            position = len(self.codes)
            self.codes.append(code(values))
            if values.faults:
                self.faults[position] = values.faults
        self.keys = pa.concat_arrays([self.keys, pc.take(keys, fresh)])
        return places


@dataclass
class SheetReader:
    """Feeds the blocks of one export to the builder and remembers what it has met."""

    sheet: Sheet
    intake: Intake
    _devices: _Known = field(default_factory=_Known)
    _apps: _Known = field(default_factory=_Known)
    _marks: _Known = field(default_factory=_Known)
    _noted: list[tuple[int, str, Text, Text]] = field(default_factory=list)  # faults of the block at hand
    _waiting: list[tuple[Any, int | Sequence[int]]] = field(default_factory=list)
    _rows_waiting: int = 0

    def feed(self, table: Any, rows: int | Sequence[int]) -> None:
        """Take one block: an Arrow table with our column names; ``rows`` numbers its first row, or each of them.

        Blocks are gathered to a million rows first: an app is then looked up eight times in a large fleet and not a
        hundred times.
        """
        self._waiting.append((table, rows))
        self._rows_waiting += table.num_rows
        if self._rows_waiting >= _GATHERED:
            self.flush()

    def flush(self) -> None:
        """Take what was gathered. Called by the importer after its last block."""
        import pyarrow as pa

        if self._waiting:
            tables = [table for table, _ in self._waiting]
            rows = _numbering([(table.num_rows, first) for table, first in self._waiting])
            self._waiting, self._rows_waiting = [], 0
            self._take(pa.concat_tables(tables) if tables[1:] else tables[0], rows)

    def _take(self, table: Any, rows: int | Sequence[int]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        versions = table["version"] if "version" in table.column_names else None
        names = [name for name in table.column_names if name != "version"]
        encoded = {name: _encoded(table[name], self.intake) for name in names}
        devices = _combine(encoded, self.sheet.device_columns, table.num_rows)
        apps = _combine(encoded, self.sheet.app_columns, table.num_rows)
        marks = _combine(encoded, self.sheet.mark_columns, table.num_rows)
        sighting = self._coded(self._devices, devices, rows, self._device)
        app = self._coded(self._apps, apps, rows, self._app)
        mark = self._coded(self._marks, marks, rows, self._mark)
        for number, name, what, remedy in sorted(self._noted, key=itemgetter(0)):
            self.intake.problem(number, name, what, remedy)
        self._noted.clear()
        listed = pc.and_(pc.greater_equal(sighting, 0), pc.not_equal(app, _NO_APP))
        removed = pc.equal(pc.bit_wise_and(mark, 1), 1)
        self._count(sighting, listed, removed)
        kept = pc.and_(listed, pc.greater_equal(app, 0))
        seen = pc.sum(listed).as_py() or 0
        self.intake.installs += seen
        where = pc.indices_nonzero(kept)
        mark = pc.take(mark, where)
        columns = {
            "sighting": pc.take(sighting, where),
            "app": pc.take(app, where),
            "side": pc.bit_wise_and(pc.shift_right(mark, 4), 7),
            "held": pc.bit_wise_and(pc.shift_right(mark, 1), 7),
            "removed": pc.bit_wise_and(mark, 1),
            "version": self._versions(versions, where),
        }
        self.intake.builder.add_codes(pa.table(columns), seen=seen)

    def _coded(
        self, known: _Known, found: _Combinations, rows: int | Sequence[int], code: Callable[[Cells], int]
    ) -> Any:
        """The code of every row, by way of the distinct combinations."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not found.columns:
            return pa.repeat(pa.scalar(code(Cells({})), pa.int64()), len(found.codes))
        positions = pc.take(known.positions(found, code), found.codes)
        if known.faults:
            self._note(known.faults, positions, rows)
        # A copy, because the array goes on growing.
        values = pa.array(known.codes, pa.int64())
        return pc.take(values, positions)

    def _device(self, cells: Cells) -> int:
        try:
            return self.intake.builder.sighting(self.sheet.device(cells))
        except UnusableRecord as error:
            cells.fault(error.where.field, error.what, error.remedy)
            return _NO_DEVICE

    def _app(self, cells: Cells) -> int:
        try:
            app = self.sheet.app(cells)
        except UnusableRecord as error:
            cells.fault(error.where.field, error.what, error.remedy)
            return _NO_APP
        return _NO_APP if app is None else self.intake.builder.app_code(app)

    def _mark(self, cells: Cells) -> int:
        side, held, removed = self.sheet.marks(cells)
        return SIDES.index(side) << 4 | HELD.index(held) << 1 | removed

    def _note(self, faulty: Mapping[int, list[tuple[str, Text, Text]]], codes: Any, rows: int | Sequence[int]) -> None:
        """Note every row that carries a faulty combination."""
        import pyarrow as pa
        import pyarrow.compute as pc

        hits = pc.indices_nonzero(pc.is_in(codes, pa.array(list(faulty), codes.type)))
        for position, code in zip(hits.to_pylist(), pc.take(codes, hits).to_pylist(), strict=True):
            number = rows + position if isinstance(rows, int) else rows[position]
            for name, what, remedy in faulty[code]:
                self._noted.append((number, name, what, remedy))

    def _count(self, sighting: Any, listed: Any, removed: Any) -> None:
        """Tell the builder how many apps each device lists; a device with tombstones alone has a list too."""
        import pyarrow.compute as pc

        for tombstones in (False, True):
            chosen = pc.and_(listed, removed if tombstones else pc.invert(removed))
            for entry in pc.value_counts(pc.filter(sighting, chosen)).to_pylist():
                self.intake.builder.count(entry["values"], 0 if tombstones else entry["counts"])

    def _versions(self, column: Any | None, where: Any) -> Any:
        """Version codes of the rows that are kept; the others' versions are not even looked at."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if column is None:
            return pa.repeat(pa.scalar(self.intake.builder.version_code(""), pa.int64()), len(where))
        indices, texts = _encoded(column.take(where), self.intake)
        chosen = indices.dictionary_encode()
        values = [self.intake.builder.version_code(text) for text in pc.take(texts, chosen.dictionary).to_pylist()]
        return pc.take(pa.array(values, pa.int64()), chosen.indices)


def _numbering(blocks: Sequence[tuple[int, int | Sequence[int]]]) -> int | Sequence[int]:
    """One numbering for several blocks: the first row's number where they follow on each other, else every number."""
    expected = blocks[0][1]
    for size, rows in blocks:
        if not isinstance(rows, int) or rows != expected:
            return list(chain.from_iterable(range(r, r + n) if isinstance(r, int) else r for n, r in blocks))
        expected = rows + size
    return blocks[0][1]


def _encoded(column: Any, intake: Intake) -> tuple[Any, Any]:
    """A column as indices and the distinct texts they point at (Arrow arrays); null is blank."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        if not (pa.types.is_string(column.type) or pa.types.is_binary(column.type)):
            column = column.cast(pa.string())
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):  # combining no chunks gives no chunk
        return pa.array([], pa.int64()), pa.array([], pa.string())
    texts = _texts(whole.dictionary, intake)
    indices = whole.indices.cast(pa.int64())
    if indices.null_count:
        indices = pc.fill_null(indices, len(texts))
        texts = pa.concat_arrays([texts, pa.array([""], pa.string())])
    return indices, texts


def _texts(values: Any, intake: Intake) -> Any:
    """Distinct cells as text without space around it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        text = values.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8
        text = pa.array([intake.text(value or b"") for value in values.to_pylist()], pa.string())
    return pc.utf8_trim_whitespace(pc.replace_substring(pc.fill_null(text, ""), _BETWEEN, " "))


def _combine(encoded: Mapping[str, tuple[Any, Any]], names: Sequence[str], rows: int) -> _Combinations:
    """The distinct combinations of some columns: their indices become one number a row, which is encoded again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    present = tuple(name for name in names if name in encoded)
    if not present:
        return _Combinations(pa.repeat(pa.scalar(0, pa.int32()), rows), [], ())
    code: Any = None
    parts: list[_Part] = []
    product = 1
    for name in present:
        indices, texts = encoded[name]
        size = max(len(texts), 1)
        if code is not None and product * size >= _RADIX_LIMIT:  # shrink to the combinations that occur
            distinct = code.dictionary_encode()
            parts = [_Part(_unravelled(distinct.dictionary, parts), max(len(distinct.dictionary), 1))]
            code, product = distinct.indices.cast(pa.int64()), parts[0].size
        if size > 1 or code is None:
            code = indices if code is None else pc.add(pc.multiply(code, size), indices)
        parts.append(_Part([texts], size))
        product *= size
    final = code.dictionary_encode()
    return _Combinations(final.indices, _unravelled(final.dictionary, parts), present)


@dataclass(frozen=True, slots=True)
class _Part:
    """A digit of a combined code: the columns it stands for, and how many values it takes."""

    columns: list[Any]
    size: int


def _unravelled(codes: Any, parts: Sequence[_Part]) -> list[Any]:
    """The texts behind combined codes, column by column."""
    import pyarrow.compute as pc

    columns: list[Any] = []
    for part in reversed(parts):
        quotient = pc.divide(codes, part.size)
        digit = pc.subtract(codes, pc.multiply(quotient, part.size))
        columns[:0] = [pc.take(column, digit) for column in part.columns]
        codes = quotient
    return columns
