"""The generic table as Parquet (docs/reference/formats.md): the quickest way in for large fleets."""

from __future__ import annotations

from proscribe.errors import Where
from proscribe.inventory.ahead import ahead
from proscribe.inventory.errors import damaged
from proscribe.inventory.importers import generic
from proscribe.inventory.importers.base import Head
from proscribe.inventory.intake import Intake
from proscribe.inventory.opening import Opened, on_disk
from proscribe.inventory.sheets import SheetReader
from proscribe.text import Text

NAME = "generic-parquet"
_BATCH = 1 << 19


def recognises(head: Head) -> bool:
    """Any Parquet file: there is no other format in that container."""
    return head.kind == "parquet"


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every row. Raises DamagedExport when the file is broken or lacks the columns needed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    where = Where(file=opened.name)
    try:
        path = on_disk(opened, intake.builder.scratch)
        file = pq.ParquetFile(path)
        columns = tuple(file.schema_arrow.names)
        if not generic.is_generic(columns):
            found = ", ".join(columns)[:200]
            raise damaged(
                Text(
                    f"a Parquet file without the columns device and app_id or app_name; it has {found}",
                    f"un fichier Parquet sans les colonnes device et app_id ou app_name; il a {found}",
                ),
                where,
            )
        sheet = generic.sheet()
        wanted = sheet.columns(columns, intake)
        names = [columns[position] for position in wanted]
        file = pq.ParquetFile(path, read_dictionary=_texts(file, names))
        reader = SheetReader(sheet, intake)
        row = 1
        for batch in ahead(file.iter_batches(batch_size=_BATCH, columns=names)):
            table = pa.table(batch)
            ordered = table.select(names).rename_columns(list(wanted.values()))
            intake.rows += table.num_rows
            reader.feed(ordered, row)
            row += table.num_rows
        reader.flush()
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise damaged(
            Text("the Parquet file is damaged", "le fichier Parquet est endommagé"),
            where,
        ) from error


def _texts(file: object, names: list[str]) -> list[str]:
    """The text columns: read as dictionaries, their values are decoded once and not once a row."""
    import pyarrow as pa

    schema = file.schema_arrow  # type: ignore[attr-defined]
    return [name for name in names if pa.types.is_string(schema.field(name).type)]
