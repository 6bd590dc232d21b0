"""The Parquet tables of a snapshot. Text stays in ``apps``, ``devices`` and ``versions``; installs are integers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory.sightings import Device
from proscribe.terms import Held, Side

SIDES = tuple(Side)
HELD = tuple(Held)
_ROW_GROUP = 1 << 20
_DEVICE_CHUNK = 50_000
_COMPRESSION = "zstd"

Mark = tuple[int, int, bool, int]
"""What an install is, whatever the device: codes of app and held, whether it is a tombstone, code of the version.
An app that the gate dropped has no version."""
DROPPED_MARK: Mark = (-1, 0, False, 0)
DROPPED_TOMBSTONE: Mark = (-1, 0, True, 0)


class Apps:
    """Distinct app identities. Those the gate keeps get a code; the rest are counted and forgotten but for a mark."""

    DROPPED = -1

    def __init__(self) -> None:
        self.kept: list[AppIdentity] = []
        self._codes: dict[tuple[str, str, str, str, str, str], int] = {}

    def __len__(self) -> int:
        return len(self._codes)

    def look_up(self, identity: AppIdentity) -> int | None:
        """The code of an identity, DROPPED, or None when it is met for the first time."""
        return self._codes.get(_key(identity))

    def enter(self, identity: AppIdentity, *, keep: bool) -> int:
        """Remember the gate's decision on a new identity and return its code."""
        code = len(self.kept) if keep else self.DROPPED
        if keep:
            self.kept.append(identity)
        self._codes[_key(identity)] = code
        return code

    def write(self, path: Path) -> None:
        """Write ``apps.parquet``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from proscribe.catalogue.skeleton import skeleton

        texts = ("platform", "app_id", "name", "signer", "store_id", "publisher")
        columns: dict[str, Any] = {"app": pa.array(range(len(self.kept)), pa.uint32())}
        for name in texts:
            columns[name] = pa.array([str(getattr(app, name)) for app in self.kept], pa.string())
        columns["skeleton"] = pa.array([skeleton(app.name) for app in self.kept], pa.string())
        order = ["app", "platform", "app_id", "name", "skeleton", "signer", "store_id", "publisher"]
        pq.write_table(pa.table({name: columns[name] for name in order}), path, compression=_COMPRESSION)


def _key(identity: AppIdentity) -> tuple[str, str, str, str, str, str]:
    # A tuple of text hashes several times faster than the dataclass does.
    return (
        identity.platform,
        identity.app_id,
        identity.name,
        identity.signer,
        identity.store_id,
        identity.publisher,
    )


class Versions:
    """Distinct version texts of the installs that are kept."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        """The code of a version text."""
        return self._codes.setdefault(text, len(self._codes))

    def write(self, path: Path) -> None:
        """Write ``versions.parquet``."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {
            "version": pa.array(range(len(self._codes)), pa.uint32()),
            "text": pa.array(list(self._codes), pa.string()),
        }
        pq.write_table(pa.table(columns), path, compression=_COMPRESSION)


class Installs:
    """Installs on their way to disk: integers only, flushed in row groups, so memory stays flat at any size."""

    def __init__(self, part: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._part = part
        names = ("sighting", "app", "side", "held", "removed", "version")
        kinds = (pa.uint32(), pa.uint32(), pa.uint8(), pa.uint8(), pa.uint8(), pa.uint32())
        self._schema = pa.schema(list(zip(names, kinds, strict=True)))
        self._writer: Any = pq.ParquetWriter(part, self._schema, compression=_COMPRESSION)
        self._columns = [array(code) for code in "IIBBBI"]
        self._waiting: list[Any] = []
        self._rows_waiting = 0

    def add(self, sighting: int, app: int, marks: tuple[int, int, bool], version: int) -> None:
        """Append one install; ``marks`` are the codes of side and held, and whether it is a tombstone."""
        for column, value in zip(self._columns, (sighting, app, *marks, version), strict=True):
            column.append(value)
        if len(self._columns[0]) >= _ROW_GROUP:
            self._flush()

    def add_marks(self, sighting: int, side: int, marks: Sequence[Mark]) -> None:
        """Append the installs of one device, all on one side; ``marks`` is not empty."""
        apps, held, removed, versions = zip(*marks, strict=True)
        many = len(apps)
        values = (repeat(sighting, many), apps, repeat(side, many), held, removed, versions)
        for column, own in zip(self._columns, values, strict=True):
            column.extend(own)
        if len(self._columns[0]) >= _ROW_GROUP:
            self._flush()

    def add_table(self, table: Any) -> None:
        """Append a table of the columns sighting, app, side, held, removed, version (Arrow integers)."""
        if table.num_rows:
            self._waiting.append(table.cast(self._schema))
            self._rows_waiting += table.num_rows
            if self._rows_waiting >= _ROW_GROUP:
                self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if len(self._columns[0]):
            arrays = [
                pa.Array.from_buffers(field.type, len(column), [None, pa.py_buffer(column)])
                for field, column in zip(self._schema, self._columns, strict=True)
            ]
            self._waiting.append(pa.table(arrays, schema=self._schema))
            self._columns = [array(column.typecode) for column in self._columns]
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting, self._rows_waiting = [], 0

    def close(self) -> None:
        """Flush and close the part file. Safe to call twice."""
        if self._writer is not None:
            try:
                self._flush()
            finally:
                writer, self._writer = self._writer, None
                writer.close()

    def abandon(self) -> None:
        """Close without flushing: what was written is about to be thrown away."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            try:
                writer.close()
            except OSError:
                return  # a full disk: the footer does not matter any more

    def write(self, path: Path, devices: Sequence[Device]) -> int:
        """Write ``installs.parquet`` with device codes, each row once, sorted by app and device. Returns the rows."""
        import duckdb
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.close()
        sightings, codes = array("I"), array("I")
        for code, device in enumerate(devices):
            for row in device.lists:
                sightings.append(row)
                codes.append(code)
        mapping = pa.table(
            [
                pa.Array.from_buffers(pa.uint32(), len(sightings), [None, pa.py_buffer(sightings)]),
                pa.Array.from_buffers(pa.uint32(), len(codes), [None, pa.py_buffer(codes)]),
            ],
            names=["sighting", "device"],
        )
        with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(path.parent / "scratch")}) as database:
            database.register("mapping", mapping)
            database.execute(
                f"""
                COPY (
                    SELECT DISTINCT device, app, side, held, removed = 1 AS removed, version
                    FROM read_parquet('{_quoted(self._part)}') JOIN mapping USING (sighting)
                    ORDER BY app, device, side, held, removed, version
                ) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)
                """
            )
        self._part.unlink()
        return int(pq.read_metadata(path).num_rows)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def write_devices(path: Path, devices: Sequence[Device]) -> None:
    """Write ``devices.parquet``, in chunks."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("device", pa.uint32()),
            *((name, pa.string()) for name in ("key", "system", "platform", "enrolment", "os_version", "name")),
            *((name, pa.string()) for name in ("serial", "department", "scope")),
            ("observed_at", pa.timestamp("s", tz="UTC")),
            ("freshness", pa.string()),
            ("sees", pa.string()),
            ("gives_ids", pa.bool_()),
            ("stale_after_days", pa.int32()),
            ("applied_scope", pa.string()),
            ("applied_version", pa.int64()),
            ("remarks", pa.list_(pa.string())),
            ("also", pa.list_(pa.string())),
            ("apps_seen", pa.int32()),
        ]
    )
    with pq.ParquetWriter(path, schema, compression=_COMPRESSION) as writer:
        for start in range(0, len(devices), _DEVICE_CHUNK):
            chunk = devices[start : start + _DEVICE_CHUNK]
            writer.write_table(pa.table(list(_device_columns(start, chunk, schema)), schema=schema))


def _device_columns(start: int, chunk: Sequence[Device], schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    own = {
        "device": range(start, start + len(chunk)),
        "sees": [device.sees.sees for device in chunk],
        "gives_ids": [device.sees.gives_ids for device in chunk],
        "stale_after_days": [device.sees.stale_after_days for device in chunk],
        "also": [device.also for device in chunk],
        "apps_seen": [device.apps_seen for device in chunk],
    }
    for field in schema:
        values = own.get(field.name)
        if values is None:
            values = [getattr(device.record, field.name) for device in chunk]
        yield pa.array(values, field.type)
