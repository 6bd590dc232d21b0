"""A folder of packages, assessed one by one by several workers; one bad file never stops the rest.

Results are kept by digest: ``<out>/<sha256 of the package>-<context>.json``, where the context is the digest of
everything else that goes into an assessment. A run that was stopped goes on where it was, and a file that is there
twice is read once. ``<out>/batch.json`` lists every file with what became of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, get_ident

from proscribe.assess.engine import Options, assess, context, load
from proscribe.assess.model import Batch, BatchItem
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

    Raises UnreadableFile where the folder or one in it cannot be listed, and BrokenPack or InvalidDocument where the
    packs or the rubric are at fault; a fault of one package is its item's ``problem``.
    """
    files, skipped = _listed(folder)
    out.mkdir(parents=True, exist_ok=True)
    run = _Run(folder, out, options or Options())
    firsts: dict[str, str] = {}
    items: list[BatchItem] = []
    with ExitStack() as stack:
        idle: SimpleQueue[Worker] = SimpleQueue()
        for _ in range(max(1, min(jobs, len(files)))):
            idle.put(stack.enter_context(Worker()))

        def one(file: Path) -> BatchItem:
            worker = idle.get()
            try:
                return run.item(file, worker)
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


class _Run:
    """What the files of one run share, and what became of each so far: the bytes of twins are read once."""

    def __init__(self, folder: Path, out: Path, options: Options) -> None:
        self._folder, self._out, self._options = folder, out, options
        self._made_with = context(options)
        self._guard = Lock()
        self._busy: dict[str, Lock] = {}
        self._items: dict[str, BatchItem] = {}

    def item(self, file: Path, worker: Worker) -> BatchItem:
        """One file: what is known of its bytes already, or a new assessment, or why there is none."""
        name = file.relative_to(self._folder).as_posix()
        try:
            sha256 = digest_file(file).removeprefix("sha256:")
        except OSError as error:
            return BatchItem(name, "", "", "", None, "", UnreadableFile.code, str(error.strerror), reused=False)
        with self._guard:
            busy = self._busy.setdefault(sha256, Lock())
        with busy:  # a twin waits for what another worker is reading
            if sha256 not in self._items:
                self._items[sha256] = self._new(file, name, sha256, worker)
            return replace(self._items[sha256], file=name)

    def _new(self, file: Path, name: str, sha256: str, worker: Worker) -> BatchItem:
        """What was kept of an earlier run, or an assessment that is kept from now on."""
        kept = self._out / f"{sha256}-{self._made_with}.json"
        data = _kept(kept)
        reused = data is not None
        try:
            if data is None:
                data = assess(file, self._options, worker=worker)
                _write(kept, data)
            found = load(data)
        except ProscribeError as error:
            return BatchItem(name, sha256, "", "", None, "", error.code, error.what.en, reused=False)
        digest = digest_bytes(data)
        return BatchItem(name, sha256, found.app_id, found.version, found.rating.rating, digest, "", "", reused=reused)


def _listed(folder: Path) -> tuple[list[Path], int]:
    """The packages under a folder in order, and how many other files there are. Links are not followed."""

    def barred(error: OSError) -> None:
        raise UnreadableFile(
            Text(f"cannot be listed: {error.strerror}", f"contenu du dossier illisible\u00a0: {error.strerror}"),
            remedy=Text("Check the folder and its permissions.", "Vérifiez le dossier et ses droits d'accès."),
            where=Where(file=str(error.filename)),
        ) from error

    every = [
        file
        for parent, _, names in os.walk(folder, onerror=barred)
        for file in (Path(parent, name) for name in names)
        if file.is_file() and not file.is_symlink()
    ]
    chosen = sorted(file for file in every if file.suffix.lower() in SUFFIXES)
    return chosen, len(every) - len(chosen)


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
