"""Tables of installs (CSV or Parquet, one row an app on a device) into the snapshot, a column at a time.

Text is looked at once per distinct device, app and marking of a block; the rows themselves are only ever integers.
That is what makes 8 million rows a matter of seconds (docs/guide/inventory.md).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory.importers.base import UnusableRecord
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord
from proscribe.inventory.tables import HELD, SIDES, Apps
from proscribe.inventory.values import folded
from proscribe.terms import Held, Side
from proscribe.text import Text

_NO_APP = -2
_NO_DEVICE = -1
_RADIX_LIMIT = 1 << 62


class Cells(dict[str, str]):
    """The cells of one row by our names; a missing column is blank. ``faults`` collects cells that could not be read."""

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
    """Distinct combinations of some columns of a block: the code of each row, and the cells of each code."""

    codes: Any
    cells: list[tuple[str, ...]]
    names: tuple[str, ...]


@dataclass
class SheetReader:
    """Feeds the blocks of one export to the builder and remembers what it has met."""

    sheet: Sheet
    intake: Intake
    _devices: dict[tuple[str, ...], int] = field(default_factory=dict)
    _apps: dict[tuple[str, ...], int] = field(default_factory=dict)
    _faults: dict[tuple[str, tuple[str, ...]], list[tuple[str, Text, Text]]] = field(default_factory=dict)

    def feed(self, table: Any, rows: int | Sequence[int]) -> None:
        """Take one block: an Arrow table with our column names; ``rows`` numbers its first row, or each of them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        encoded = {name: _encoded(table[name], self.intake) for name in table.column_names}
        devices = _combine(encoded, self.sheet.device_columns, table.num_rows)
        apps = _combine(encoded, self.sheet.app_columns, table.num_rows)
        marks = _combine(encoded, self.sheet.mark_columns, table.num_rows)
        sighting = self._coded("device", devices, rows, self._device)
        app = self._coded("app", apps, rows, self._app)
        mark = self._coded("mark", marks, rows, self._mark)
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
            "version": self._versions(encoded.get("version"), where),
        }
        self.intake.builder.add_codes(pa.table(columns), seen=seen)

    def _coded(
        self,
        kind: str,
        found: _Combinations,
        rows: int | Sequence[int],
        code: Callable[[Cells], int],
    ) -> Any:
        """The code of every row, by way of the distinct combinations."""
        import pyarrow as pa
        import pyarrow.compute as pc

        memo = {"device": self._devices, "app": self._apps}.get(kind, {})
        codes = array("q")
        faulty: dict[int, list[tuple[str, Text, Text]]] = {}
        for position, cells in enumerate(found.cells):
            known = memo.get(cells)
            if known is None:
                values = Cells(dict(zip(found.names, cells, strict=True)))
                known = memo[cells] = code(values)
                if values.faults:
                    self._faults[kind, cells] = values.faults
            if self._faults and (kind, cells) in self._faults:
                faulty[position] = self._faults[kind, cells]
            codes.append(known)
        if faulty:
            self._list(faulty, found.codes, rows)
        values = pa.Array.from_buffers(pa.int64(), len(codes), [None, pa.py_buffer(codes)])
        return pc.take(values, found.codes)

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

    def _list(self, faulty: Mapping[int, list[tuple[str, Text, Text]]], codes: Any, rows: int | Sequence[int]) -> None:
        """List every row that carries a faulty combination."""
        import pyarrow as pa
        import pyarrow.compute as pc

        hits = pc.indices_nonzero(pc.is_in(codes, pa.array(list(faulty), codes.type)))
        for position, code in zip(hits.to_pylist(), pc.take(codes, hits).to_pylist(), strict=True):
            number = rows + position if isinstance(rows, int) else rows[position]
            for name, what, remedy in faulty[code]:
                self.intake.problem(number, name, what, remedy)

    def _count(self, sighting: Any, listed: Any, removed: Any) -> None:
        """Tell the builder how many apps each device lists; a device with tombstones alone has a list too."""
        import pyarrow.compute as pc

        for tombstones in (False, True):
            chosen = pc.and_(listed, removed if tombstones else pc.invert(removed))
            for entry in pc.value_counts(pc.filter(sighting, chosen)).to_pylist():
                self.intake.builder.count(entry["values"], 0 if tombstones else entry["counts"])

    def _versions(self, encoded: tuple[Any, list[str]] | None, where: Any) -> Any:
        """Version codes of the rows that are kept; the others' versions are not even looked at."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if encoded is None:
            return pa.repeat(pa.scalar(self.intake.builder.version_code(""), pa.int64()), len(where))
        indices, texts = encoded
        chosen = pc.take(indices, where).dictionary_encode()
        values = [self.intake.builder.version_code(texts[index]) for index in chosen.dictionary.to_pylist()]
        return pc.take(pa.array(values, pa.int64()), chosen.indices)


def _encoded(column: Any, intake: Intake) -> tuple[Any, list[str]]:
    """A column as indices and the distinct texts they point at; null is blank."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        if not (pa.types.is_string(column.type) or pa.types.is_binary(column.type)):
            column = column.cast(pa.string())
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):  # combine_chunks of no chunks
        return pa.array([], pa.int64()), []
    texts = [_text(value, intake) for value in whole.dictionary.to_pylist()]
    indices = whole.indices.cast(pa.int64())
    if indices.null_count:
        indices = pc.fill_null(indices, len(texts))
        texts.append("")
    return indices, texts


def _text(value: Any, intake: Intake) -> str:
    if value is None:
        return ""
    return (intake.text(value) if isinstance(value, bytes) else str(value)).strip()


def _combine(encoded: Mapping[str, tuple[Any, list[str]]], names: Sequence[str], rows: int) -> _Combinations:
    """The distinct combinations of some columns: their indices become one number a row, which is encoded again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    present = tuple(name for name in names if name in encoded)
    if not present:
        return _Combinations(pa.repeat(pa.scalar(0, pa.int32()), rows), [()], ())
    code: Any = None
    texts: list[Sequence[str]] = []
    sizes: list[int] = []
    product = 1
    for name in present:
        indices, values = encoded[name]
        size = max(len(values), 1)
        if product * size >= _RADIX_LIMIT:  # shrink what there is to the combinations that occur
            code, texts, sizes, product = _shrunk(code, texts, sizes)
        code = indices if code is None else pc.add(pc.multiply(code, size), indices)
        texts.append(values)
        sizes.append(size)
        product *= size
    final = code.dictionary_encode()
    return _Combinations(final.indices, list(zip(*_unravelled(final.dictionary, texts, sizes), strict=True)), present)


def _unravelled(codes: Any, texts: Sequence[Sequence[Any]], sizes: Sequence[int]) -> Iterator[list[Any]]:
    """The texts behind combined codes, one list a column."""
    import pyarrow.compute as pc

    columns: list[list[Any]] = []
    for values, size in zip(reversed(texts), reversed(sizes), strict=True):
        quotient = pc.divide(codes, size)
        index = pc.subtract(codes, pc.multiply(quotient, size))
        columns.append([values[position] for position in index.to_pylist()])
        codes = quotient
    flat: list[list[Any]] = []
    for column in reversed(columns):
        if column and isinstance(column[0], tuple):  # the columns of an earlier shrinking
            flat.extend([list(part) for part in zip(*column, strict=True)])
        else:
            flat.append(column)
    return iter(flat)


def _shrunk(code: Any, texts: list[Sequence[Any]], sizes: list[int]) -> tuple[Any, list[Sequence[Any]], list[int], int]:
    import pyarrow as pa

    encoded = code.dictionary_encode()
    combined = list(zip(*_unravelled(encoded.dictionary, texts, sizes), strict=True))
    return encoded.indices.cast(pa.int64()), [combined], [max(len(combined), 1)], max(len(combined), 1)
