"""The evaluation's database: DuckDB in memory, the snapshot's Parquet files as views, small tables from Python."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from proscribe.errors import DiskFull, ProscribeError, Where
from proscribe.inventory.errors import BrokenSnapshot
from proscribe.inventory.model import Snapshot
from proscribe.text import Text

_ARROW = {"INTEGER": "int32", "BIGINT": "int64", "BOOLEAN": "bool_", "VARCHAR": "string"}

_DEVICES = """
CREATE VIEW {name} AS
SELECT * REPLACE (coalesce(department, '') AS department), CAST(epoch(observed_at) AS BIGINT) AS observed
FROM read_parquet({path})
"""


def connect() -> Any:
    """An empty database in memory that spills to the temporary folder and never to the working directory."""
    import duckdb

    connection = duckdb.connect(config={"temp_directory": tempfile.gettempdir()})
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    return connection


def attach(connection: Any, snapshot: Snapshot, prefix: str = "") -> None:
    """Make a snapshot's files readable as ``<prefix>raw_devices``, ``raw_installs`` and ``raw_versions``."""
    with guard(snapshot):
        connection.execute(_DEVICES.format(name=f"{prefix}raw_devices", path=_quoted(snapshot.devices)))
        for name, path in (("raw_installs", snapshot.installs), ("raw_versions", snapshot.path / "versions.parquet")):
            connection.execute(f"CREATE VIEW {prefix}{name} AS SELECT * FROM read_parquet({_quoted(path)})")


def _quoted(path: Path) -> str:
    """A path as an SQL text; what read_parquet would take for a pattern is made plain."""
    plain = re.sub(r"([\[*?])", r"[\1]", str(path))
    return "'" + plain.replace("'", "''") + "'"


def create(connection: Any, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
    """Create a table from Python rows. ``columns`` maps each name to INTEGER, BIGINT, BOOLEAN or VARCHAR."""
    import pyarrow as pa

    fields = pa.schema([(column, getattr(pa, _ARROW[kind])()) for column, kind in columns.items()])
    by_column: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else ([] for _ in columns)
    table = pa.table(
        [pa.array(list(values), kind.type) for values, kind in zip(by_column, fields, strict=True)], schema=fields
    )
    connection.register("incoming", table)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    connection.unregister("incoming")


@cache
def query(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return files("proscribe.evaluate").joinpath(f"sql/{name}.sql").read_text(encoding="utf-8")


def rows(connection: Any, snapshot: Snapshot, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, on a cursor of their own, so that several can be read at once."""
    cursor = connection.cursor()
    try:
        with guard(snapshot):
            cursor.execute(sql, list(parameters))
        while True:
            with guard(snapshot):
                batch = cursor.fetchmany(4096)
            if not batch:
                return
            yield from batch
    finally:
        cursor.close()


@contextmanager
def guard(snapshot: Snapshot) -> Iterator[None]:
    """Turn what the database says of a damaged snapshot or a full disk into errors with a next step."""
    import duckdb
    import pyarrow as pa

    where = Where(file=str(snapshot.path))
    try:
        yield
    except ProscribeError:
        raise
    except (duckdb.Error, pa.ArrowException, OSError, KeyError, ValueError) as error:
        if "No space left" in str(error) or isinstance(error, duckdb.OutOfMemoryException):
            raise DiskFull(
                Text(f"no room left for the evaluation: {error}", f"espace insuffisant pour l'évaluation : {error}"),
                remedy=Text(
                    "Free room in the temporary folder (TMPDIR) and try again.",
                    "Libérez de l'espace dans le dossier temporaire (TMPDIR) et réessayez.",
                ),
                where=where,
            ) from error
        raise BrokenSnapshot(
            Text(f"the snapshot cannot be read: {error}", f"l'instantané ne peut être lu : {error}"),
            remedy=Text(
                "Import the exports again into a new snapshot.",
                "Importez de nouveau les exportations dans un nouvel instantané.",
            ),
            where=where,
        ) from error
