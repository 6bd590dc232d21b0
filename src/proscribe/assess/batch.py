"""A folder of packages, assessed one by one by several workers; one bad file never stops the rest.

Results are kept by digest: ``<out>/<sha256 of the package>-<context>.json``, where the context is the digest of
everything else that goes into an assessment. A run that was stopped goes on where it was, and a file that is there
twice is read once. ``<out>/batch.json`` lists every file with what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import get_ident

from proscribe.assess.engine import Options, assess, context, load
from proscribe.assess.model import Assessment, Batch, BatchItem
from proscribe.assess.sandbox import Worker
from proscribe.canonical import digest_bytes, digest_file
from proscribe.documents import quick_bytes
from proscribe.errors import ProscribeError, UnreadableFile, Where
from proscribe.text import Text

SUFFIXES = (".apk", ".xapk", ".apks", ".apkm", ".ipa")
"""Files with other endings are counted as skipped. Inside the chosen ones, content alone decides."""

Report = Callable[[int, int, str], None]
"""``report(done, total, file)`` after every file."""


def assess_folder(
    folder: Path, out: Path, *, jobs: int = 2, options: Options | None = None, report: Report | None = None
) -> Batch:
    """Assess every package under ``folder``; writes to ``out`` and returns the list, in order of file names.

    Raises UnreadableFile where the folder cannot be listed and BrokenPack, WrongReview or InvalidDocument where what
    all assessments share is at fault; a fault of one package is its item's ``problem``.
    """
    options = options or Options()
    files, skipped = _listed(folder)
    out.mkdir(parents=True, exist_ok=True)
    made_with = context(options)
    firsts: dict[str, str] = {}
    items: list[BatchItem] = []
    with ExitStack() as stack:
        idle: SimpleQueue[Worker] = SimpleQueue()
        for _ in range(max(1, min(jobs, len(files)))):
            idle.put(stack.enter_context(Worker()))

        def one(file: Path) -> BatchItem:
            worker = idle.get()
            try:
                return _one(file, folder, out, made_with, options, worker)
            finally:
                idle.put(worker)

        pool = stack.enter_context(ThreadPoolExecutor(max(1, jobs)))
        for done, item in enumerate(pool.map(one, files), 1):
            twin = firsts.setdefault(item.sha256, item.file) if item.sha256 else item.file
            items.append(replace(item, reused=True) if twin != item.file else item)
            if report is not None:
                report(done, len(files), item.file)
    failed = sum(1 for item in items if item.problem)
    batch = Batch(len(files), len(files) - failed, failed, skipped, tuple(items))
    _write(out / "batch.json", quick_bytes(batch))
    return batch


def _listed(folder: Path) -> tuple[list[Path], int]:
    """The packages under a folder in order, and how many other files there are. Links are not followed."""
    try:
        every = sorted(file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    except OSError as error:
        raise UnreadableFile(
            Text(f"cannot be listed: {error.strerror}", f"ne peut être énuméré\u00a0: {error.strerror}"),
            remedy=Text("Check the folder and its permissions.", "Vérifiez le dossier et ses droits d'accès."),
            where=Where(file=str(folder)),
        ) from error
    chosen = [file for file in every if file.suffix.lower() in SUFFIXES]
    return chosen, len(every) - len(chosen)


def _one(file: Path, folder: Path, out: Path, made_with: str, options: Options, worker: Worker) -> BatchItem:
    """One file: what was kept of it before, or a new assessment, or why there is none."""
    name = file.relative_to(folder).as_posix()
    sha256 = ""
    try:
        sha256 = digest_file(file).removeprefix("sha256:")
        kept = out / f"{sha256}-{made_with}.json"
        data = _kept(kept)
        reused = data is not None
        if data is None:
            data = assess(file, options, worker=worker)
            _write(kept, data)
        return _item(name, sha256, load(data), data, reused=reused)
    except ProscribeError as error:
        return BatchItem(name, sha256, "", "", None, "", error.code, error.what.en, reused=False)
    except OSError as error:
        return BatchItem(name, sha256, "", "", None, "", UnreadableFile.code, str(error.strerror), reused=False)


def _item(name: str, sha256: str, found: Assessment, data: bytes, *, reused: bool) -> BatchItem:
    digest = digest_bytes(data)
    return BatchItem(name, sha256, found.app_id, found.version, found.rating.rating, digest, "", "", reused=reused)


def _kept(file: Path) -> bytes | None:
    """An assessment of an earlier run, if it is whole."""
    try:
        data = file.read_bytes()
        load(data)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return data


def _write(file: Path, data: bytes) -> None:
    """All of it or nothing: a run that is stopped here leaves no half of a file under its name."""
    scratch = file.with_suffix(f".{get_ident()}.part")
    scratch.write_bytes(data)
    scratch.replace(file)


def reports(out: Path) -> Iterator[Path]:
    """The assessments kept in a folder."""
    yield from sorted(file for file in out.glob("*.json") if file.name != "batch.json")
