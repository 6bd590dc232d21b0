"""Delimited text as Arrow tables, block by block: the fast road for clean blocks, the careful one for the rest.

A block of whole records is handed to Arrow's parser. Where that finds anything odd in it (a row of another length, a
quoted line break, a stray quotation mark) the same block is read again row by row with Python's ``csv``, so that the
fault is named with its row and costs that row alone. Memory stays that of a few blocks whatever the size of the file.

Rows count from 1, the header included; a record with line breaks in it is one row, as a spreadsheet counts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from proscribe.errors import Where
from proscribe.inventory.ahead import ahead
from proscribe.inventory.encoding import as_utf8, head_as_utf8
from proscribe.inventory.errors import damaged
from proscribe.inventory.intake import Intake
from proscribe.inventory.opening import Opened
from proscribe.text import Text, plural

BLOCK = 16 << 20
_RECORD_LINES = 200  # a quoted cell with more line breaks than this is a quotation mark that was never closed
_HEADER_LIMIT = 1 << 16
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written: its delimiter, its column names as written, and the rows above the first data row."""

    delimiter: str
    columns: tuple[str, ...]
    rows: int  # header and what stands above it, as rows
    offset: int  # bytes of UTF-8 up to the first data row


def layout(head: bytes) -> Layout | None:
    """The layout of a table by its first bytes, None when they are no header of two columns or more."""
    text = head_as_utf8(head).decode("utf-8", "replace")
    lines = text.splitlines(keepends=True)
    position = rows = 0
    delimiter = ""
    for line in lines[:5]:
        stripped = line.strip()
        if stripped.lower().startswith("sep=") and len(stripped) == 5:  # a hint that Excel writes and understands
            delimiter = stripped[4]
        elif stripped:
            break
        position += len(line)
        rows += 1
    text = text[position:]
    if not text.strip():
        return None
    # Delimiters and line breaks within quotation marks do not count.
    outside = "".join(text[:_HEADER_LIMIT].split('"')[0::2]).split("\n", 1)[0]
    delimiter = delimiter or max(_DELIMITERS, key=outside.count)
    if delimiter not in outside:
        return None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = next(reader)
    except (csv.Error, StopIteration):
        return None
    consumed = "".join(text.splitlines(keepends=True)[: reader.line_num])
    prefix = "".join(lines)[:position]
    encoded = len((prefix + consumed).encode("utf-8", "replace"))
    return Layout(delimiter, tuple(name.strip() for name in columns), rows + 1, encoded)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block of a table: its bytes, its rows where it is plain, and whether the file breaks off in it."""

    block: bytes
    table: Any | None
    torn: bool


class Blocks:
    """The data rows of a table. ``wanted`` maps the positions of columns to the names they get."""

    def __init__(self, opened: Opened, table: Layout, wanted: dict[int, str], intake: Intake) -> None:
        self._opened = opened
        self._layout = table
        self._wanted = wanted
        self._intake = intake
        self._row = table.rows  # rows consumed so far

    def __iter__(self) -> Iterator[tuple[Any, int | Sequence[int]]]:
        """Arrow tables of byte strings, with the number of the first row, or of every row where some are missing."""
        for piece in ahead(self._pieces()):
            block = self._without_torn_row(piece.block) if piece.torn else piece.block
            if piece.table is not None and not piece.torn:
                first = self._row + 1
                self._row += piece.table.num_rows
                self._intake.rows += piece.table.num_rows
                yield piece.table, first
            elif block:
                table, numbers = self._careful(block)
                if table.num_rows:
                    yield table, numbers

    def _pieces(self) -> Iterator[_Piece]:
        """Blocks of whole records, parsed where they are plain. Runs in another thread and lists nothing."""
        stream = as_utf8(self._opened)
        rest = self._skipped(stream)
        last = False
        while not last:
            parts, size = [rest], len(rest)
            while size < BLOCK and (more := stream.read(BLOCK - size)):
                parts.append(more)
                size += len(more)
            block = b"".join(parts)
            last = size < BLOCK
            cut, doubtful = (size, False) if last else _cut(block)
            block, rest = block[:cut], block[cut:]
            torn = last and self._opened.fault is not None
            if block:
                yield _Piece(block, None if doubtful or torn else self._quick(block), torn)

    def _skipped(self, stream: Any) -> bytes:
        """Move past the header; returns what was read beyond it."""
        data = b""
        while len(data) < self._layout.offset and (chunk := stream.read(BLOCK)):
            data += chunk
        return data[self._layout.offset :]

    def _without_torn_row(self, block: bytes) -> bytes:
        whole, newline, torn = block.rpartition(b"\n")
        if torn:
            number = self._row + whole.count(b"\n") + bool(newline) + 1
            self._bad(
                number,
                Text("the file breaks off within this row", "le fichier s'interrompt au milieu de cette ligne"),
                Text("Export or download the file again.", "Exportez ou téléchargez le fichier de nouveau."),
            )
        return whole + newline

    def _quick(self, block: bytes) -> Any | None:
        """The block by Arrow, None where it is not plain."""
        import pyarrow as pa
        import pyarrow.csv as pc

        quoted = b'"' in block
        columns = [str(position) for position in range(len(self._layout.columns))]
        text = pa.dictionary(pa.int32(), pa.binary())
        try:
            table = pc.read_csv(
                pa.BufferReader(block),
                pc.ReadOptions(column_names=columns, block_size=1 << 21),
                pc.ParseOptions(
                    delimiter=self._layout.delimiter,
                    quote_char='"' if quoted else False,
                    newlines_in_values=False,
                    ignore_empty_lines=False,
                ),
                pc.ConvertOptions(
                    include_columns=[str(position) for position in self._wanted],
                    column_types={str(position): text for position in self._wanted},
                    check_utf8=False,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        if table.num_rows != lines:
            return None
        return table.rename_columns(list(self._wanted.values()))

    def _careful(self, block: bytes) -> tuple[Any, list[int]]:
        """The block row by row. Faulty rows are listed, the others returned with their numbers."""
        import pyarrow as pa

        width = len(self._layout.columns)
        cells: list[list[bytes]] = [[] for _ in self._wanted]
        numbers: list[int] = []
        for fields in self._records(io.StringIO(block.decode("latin-1"), newline="").readlines()):
            self._row += 1
            if fields is None:
                continue
            if not fields:
                continue  # a blank line
            self._intake.rows += 1
            if len(fields) > width and not any(fields[width:]):
                del fields[width:]
            if len(fields) != width:
                self._wrong_length(len(fields), width)
                continue
            numbers.append(self._row)
            for column, position in zip(cells, self._wanted, strict=True):
                column.append(fields[position].encode("latin-1"))
        arrays = [pa.array(column, pa.binary()).dictionary_encode() for column in cells]  # as the fast road gives them
        return pa.table(arrays, names=list(self._wanted.values())), numbers

    def _records(self, lines: list[str]) -> Iterator[list[str] | None]:
        """The fields of each record, None for one that is no record (already listed). Latin-1 stands for bytes."""
        position = 0
        while position < len(lines):
            end = position + 1
            fields, is_open = self._fields(lines[position])
            while is_open and end < len(lines) and end - position < _RECORD_LINES:
                if self._stands_alone(lines[end]):
                    break
                end += 1
                fields, is_open = self._fields("".join(lines[position:end]))
            if is_open:
                self._intake.rows += 1
                self._bad(
                    self._row + 1,
                    Text("a quotation mark is never closed", "un guillemet n'est jamais refermé"),
                    Text(
                        "Close or double the quotation mark in this row; the rows after it were read.",
                        "Fermez ou doublez le guillemet dans cette ligne; les lignes suivantes ont été lues.",
                    ),
                )
                yield None
                position += 1
            else:
                yield fields
                position = end

    def _fields(self, text: str) -> tuple[list[str], bool]:
        """The fields of a record, and whether it ends within quotation marks."""
        delimiter = self._layout.delimiter
        try:
            rows = list(csv.reader([text], delimiter=delimiter, strict=True))
            return (rows[0] if rows else []), False
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return [], True
        try:
            rows = list(csv.reader([text], delimiter=delimiter))
        except csv.Error:
            return [text], False  # a cell beyond csv's limit: counted as a row of the wrong length
        return (rows[0] if rows else []), False

    def _stands_alone(self, line: str) -> bool:
        """Whether a line within an open quotation is by all signs a row of its own."""
        width = len(self._layout.columns)
        if width < 3 or line.count('"') % 2:
            return False
        fields, is_open = self._fields(line)
        return not is_open and len(fields) == width

    def _wrong_length(self, found: int, expected: int) -> None:
        self._bad(
            self._row,
            plural(found, Text("cell", "cellule"), Text("cells", "cellules"))
            + Text(f", the header has {expected}", f", l'en-tête en compte {expected}"),
            Text(
                "Look for a missing or extra delimiter, or text that needs quotation marks.",
                "Cherchez un séparateur manquant ou de trop, ou un texte à mettre entre guillemets.",
            ),
        )

    def _bad(self, row: int, what: Text, remedy: Text) -> None:
        self._intake.problem(row, "", what, remedy)


def _cut(block: bytes) -> tuple[int, bool]:
    """Where the last whole record of a block ends, and whether that is in doubt."""
    end = block.rfind(b"\n") + 1
    if end == 0:
        return len(block), True
    quotes = block.count(b'"', 0, end)
    if quotes % 2 == 0:
        return end, False
    # Within a quoted cell, or after a stray mark: go back to where the marks pair up, within reason.
    position = end
    for _ in range(_RECORD_LINES):
        previous = block.rfind(b"\n", 0, position - 1) + 1
        if previous == 0:
            break
        quotes -= block.count(b'"', previous, position)
        if quotes % 2 == 0:
            return previous, False
        position = previous
    return end, True


def read_table(opened: Opened) -> Layout:
    """The layout of an export that was recognised as a table. Raises DamagedExport when it is none."""
    found = layout(opened.head)
    if found is None:
        raise damaged(Text("there is no header row", "il n'y a pas de ligne d'en-tête"), Where(file=opened.name, row=1))
    return found
