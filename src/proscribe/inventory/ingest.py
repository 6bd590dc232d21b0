"""Exports in, snapshot out."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from proscribe.catalogue.model import TargetSet
from proscribe.clock import Clock
from proscribe.errors import DiskFull, ProscribeError
from proscribe.inventory.builder import SnapshotBuilder
from proscribe.inventory.detect import recognise
from proscribe.inventory.errors import NothingRead
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import Retention, Snapshot
from proscribe.inventory.opening import Limits, Opened, Progress, exports
from proscribe.text import Text


def ingest(
    paths: Sequence[Path],
    out: Path,
    *,
    target_sets: Sequence[TargetSet],
    retention: Retention = Retention.matches,
    clock: Clock,
    on_progress: Progress | None = None,
) -> Snapshot:
    """Read exports of any known format into a new snapshot in the folder ``out``.

    A file that cannot be read, or not to its end, is listed as a problem and the others are kept; the manifest names it
    as incomplete. ``on_progress(file name, bytes done, bytes total)`` is called as files are read.

    Raises the file's own error when only one was given and nothing of it could be read, NothingRead when that holds for
    all of several, SnapshotExists, or DiskFull (nothing half-written remains).
    """
    builder = SnapshotBuilder(out, target_sets=target_sets, retention=retention, clock=clock)
    with builder, _collector_paused():
        read_exports(paths, builder, on_progress)
        return builder.finish()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Reading makes records by the hundred thousand and no cycles: looking for cycles among them costs a tenth."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def read_exports(paths: Sequence[Path], builder: SnapshotBuilder, on_progress: Progress | None = None) -> None:
    """Read exports into a builder; what ``ingest`` does between opening and finishing one."""
    faults: list[ProscribeError] = []
    read = 0
    for path in paths:
        try:
            for opened in exports(path, on_progress, Limits()):
                if isinstance(opened, ProscribeError):
                    faults.append(opened)
                    _list(builder, path.name, opened)
                    continue
                fault = _read(opened, builder)
                if fault is None:
                    read += 1
                else:
                    faults.append(fault)
        except DiskFull:
            raise
        except ProscribeError as error:
            faults.append(error)
            _list(builder, path.name, error)
    if read == 0:
        raise _nothing(faults)


def _read(opened: Opened, builder: SnapshotBuilder) -> ProscribeError | None:
    """Read one export. Returns the error when nothing of it could be used."""
    intake = Intake(builder, opened.name)
    fault: ProscribeError | None = None
    form = "unknown"
    try:
        importer = recognise(opened)
        form = importer.NAME
        importer.read(opened, intake)
    except DiskFull:
        raise
    except ProscribeError as error:
        fault = error
    digest = opened.finish()
    fault = opened.fault or fault
    if fault is not None:
        intake.problem(0, fault.where.field, fault.what, fault.remedy)
    builder.add_source(intake.summary(form, digest, opened.bytes_read, complete=fault is None))
    return fault if intake.rows == 0 else None


def _list(builder: SnapshotBuilder, name: str, error: ProscribeError) -> None:
    """List a file that could not be opened."""
    Intake(builder, error.where.file or name).problem(0, error.where.field, error.what, error.remedy)


def _nothing(faults: Sequence[ProscribeError]) -> ProscribeError:
    if len(faults) == 1:
        return faults[0]
    if not faults:
        return NothingRead(
            Text("no files were given", "aucun fichier n'a été fourni"),
            remedy=Text("Name at least one export.", "Indiquez au moins une exportation."),
        )
    listed_en = "; ".join(f"{fault.where.file}: {fault.what.en}" for fault in faults[:5])
    listed_fr = "; ".join(f"{fault.where.file} : {fault.what.fr}" for fault in faults[:5])
    return NothingRead(
        Text(
            f"not one of {len(faults)} files could be read ({listed_en})",
            f"aucun des {len(faults)} fichiers n'a pu être lu ({listed_fr})",
        ),
        remedy=Text(
            "Export the files again; docs/reference/formats.md lists what can be read.",
            "Exportez de nouveau les fichiers; docs/reference/formats.md énumère les formats lisibles.",
        ),
    )
