"""A folder of packages, assessed one by one by several workers; one bad file never stops the rest.

Results are kept by digest: ``<out>/<sha256 of the package>-<context>.json``, where the context is the digest of
everything else that goes into an assessment. A run that was stopped goes on where it was, and a file that is there
twice is read once. ``<out>/SHA256SUMS`` has the digest of every assessment as it was written: one that was changed
since is made again. ``<out>/batch.json`` lists every file with what became of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
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
from proscribe.files import reason
from proscribe.text import Text

SUFFIXES = (".apk", ".xapk", ".apks", ".apkm", ".ipa")
"""Files with other endings are counted as skipped. Inside the chosen ones, content alone decides."""

SUMS = "SHA256SUMS"

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
        self._sums = Sums(out / SUMS)

    def item(self, file: Path, worker: Worker) -> BatchItem:
        """One file: what is known of its bytes already, or a new assessment, or why there is none."""
        name = file.relative_to(self._folder).as_posix()
        try:
            sha256 = digest_file(file).removeprefix("sha256:")
        except OSError as error:
            return BatchItem(name, "", "", "", None, "", UnreadableFile.code, _unread(error), reused=False)
        with self._guard:
            busy = self._busy.setdefault(sha256, Lock())
        with busy:  # a twin waits for what another worker is reading
            if sha256 not in self._items:
                self._items[sha256] = self._new(file, name, sha256, worker)
            return replace(self._items[sha256], file=name)

    def _new(self, file: Path, name: str, sha256: str, worker: Worker) -> BatchItem:
        """What was kept of an earlier run, or an assessment that is kept from now on."""
        kept = self._out / f"{sha256}-{self._made_with}.json"
        data = self._sums.whole(kept)
        reused = data is not None
        try:
            if data is None:
                data = assess(file, self._options, worker=worker)
            found = load(data)
            if found.package.sha256 != sha256:
                raise _changed(file)
        except ProscribeError as error:
            return BatchItem(name, sha256, "", "", None, "", error.code, error.what, reused=False)
        if not reused:
            _write(kept, data)
            self._sums.add(kept, data)
        digest = digest_bytes(data)
        rating = found.rating.rating
        return BatchItem(name, sha256, found.app_id, found.version, rating, digest, "", Text("", ""), reused=reused)


def _listed(folder: Path) -> tuple[list[Path], int]:
    """The packages under a folder in order, and how much else there is. Links are not followed, and counted."""

    def barred(error: OSError) -> None:
        raise UnreadableFile(
            Text(f"cannot be listed: {error.strerror}", f"contenu du dossier illisible\u00a0: {reason(error).fr}"),
            remedy=Text("Check the folder and its permissions.", "Vérifiez le dossier et ses droits d'accès."),
            where=Where(file=str(error.filename)),
        ) from error

    chosen, others = [], 0
    for parent, folders, names in os.walk(folder, onerror=barred):
        others += sum(Path(parent, name).is_symlink() for name in folders)
        for file in (Path(parent, name) for name in names):
            if file.suffix.lower() in SUFFIXES and file.is_file() and not file.is_symlink():
                chosen.append(file)
            else:
                others += 1
    return sorted(chosen), others


def _unread(error: OSError) -> Text:
    return Text(f"cannot be read: {error.strerror}", f"lecture impossible\u00a0: {reason(error).fr}")


def _changed(file: Path) -> UnreadableFile:
    return UnreadableFile(
        Text("it changed while it was read", "il a changé pendant sa lecture"),
        remedy=Text("Assess it when nobody writes to it.", "Évaluez-le quand personne n'y écrit."),
        where=Where(file=str(file)),
    )


class Sums:
    """The digests of the assessments in a folder as they were written, in the form that ``sha256sum --check`` reads.

    Lines are only ever added, each in one write, so that two runs may share a folder; the last line of a name counts.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        self._known = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}

    def whole(self, file: Path) -> bytes | None:
        """The bytes of an assessment that was written in an earlier run and not touched since."""
        try:
            data = file.read_bytes()
        except OSError:
            return None
        return data if self._known.get(file.name) == _hex(data) else None

    def add(self, file: Path, data: bytes) -> None:
        """Note an assessment that was just written."""
        if self._known.get(file.name) == _hex(data):
            return
        self._known[file.name] = _hex(data)
        with self._file.open("ab", buffering=0) as stream:
            stream.write(f"{_hex(data)}  {file.name}\n".encode())


def _hex(data: bytes) -> str:
    return digest_bytes(data).removeprefix("sha256:")


def _write(file: Path, data: bytes) -> None:
    """All of it or nothing: a run that is stopped here leaves no half of a file under its name."""
    scratch = file.with_suffix(f".{os.getpid()}-{get_ident()}.part")
    try:
        scratch.write_bytes(data)
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)
