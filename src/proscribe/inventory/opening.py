"""Opening what people hand in: plain files, gzip and zip, read in place, with limits against archives that explode.

A file that breaks off is not an exception here: the stream ends, ``Opened.fault`` says why, and what was read is kept.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from proscribe.canonical import Digest
from proscribe.errors import ProscribeError, UnreadableFile, Where
from proscribe.inventory.errors import ArchiveBomb, DamagedExport, EmptyExport, truncated
from proscribe.text import Text

CHUNK = 1 << 18
HEAD = 1 << 20

_STEP = 1 << 14
"""Bytes taken from a compressed file at a time: what a fault in it can cost of the sound part before."""

RATIO_LIMIT = 250
"""Times a compressed file may grow. App lists grow 5 to 60 times; deflate can reach 1,032."""

RATIO_FROM = 64 << 20
"""Bytes of output below which the ratio is not looked at: small files of repeated rows compress very well."""

TOTAL_LIMIT = 256 << 30
"""Bytes that one file may grow to in all (a million devices are about 20 GB)."""

MEMBERS_LIMIT = 10_000
"""Members of one zip file."""

Progress = Callable[[str, int, int], None]


class Stream(Protocol):
    """What importers read from: bytes, until there are none."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes, all when negative; ``b""`` at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on decompression; tests make them small."""

    ratio: int = RATIO_LIMIT
    ratio_from: int = RATIO_FROM
    total: int = TOTAL_LIMIT
    members: int = MEMBERS_LIMIT


class Opened:
    """One export, open for reading from its beginning.

    ``path`` is set where the export is a plain file on disk, for formats that must seek. ``head`` is its first bytes.
    """

    def __init__(self, name: str, raw: Stream, *, path: Path | None = None) -> None:
        self.name = name
        self.path = path
        self.fault: ProscribeError | None = None
        self.bytes_read = 0
        self._raw = raw
        self._hash = hashlib.sha256()
        self.head = self._begin()
        self._pending = self.head

    def _begin(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while size < HEAD and (chunk := self._next(HEAD)):
            parts.append(chunk)
            size += len(chunk)
        return b"".join(parts)

    def _next(self, size: int) -> bytes:
        where = Where(file=self.name)
        if self.fault is not None:
            return b""  # the first fault is the one to report
        try:
            chunk = self._raw.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            self.fault = truncated(where) if isinstance(error, EOFError) else _garbled(where)
            return b""
        except OSError as error:
            self.fault = _unreadable(where, error)
            return b""
        self._hash.update(chunk)
        self.bytes_read += len(chunk)
        return chunk

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes (all when negative), ``b""`` at the end or at a fault."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        if self._pending:
            taken, self._pending = self._pending[:size], self._pending[size:]
            return taken
        return self._next(size)

    def finish(self) -> Digest:
        """Read to the end and return the digest of all bytes."""
        while self.read(1 << 20):
            pass
        return Digest("sha256:" + self._hash.hexdigest())


class _Tap:
    """Counts the bytes of a file as they are read, for progress and for the ratio guard."""

    def __init__(self, stream: IO[bytes], on_bytes: Callable[[int], None]) -> None:
        self._stream = stream
        self._on_bytes = on_bytes
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._stream.read(size)
        self.count += len(chunk)
        self._on_bytes(self.count)
        return chunk


class _Inflated:
    """A decompressed stream. Raises ArchiveBomb when it grows beyond the limits, EOFError when it breaks off."""

    def __init__(self, stream: Stream, guard: Callable[[int], None]) -> None:
        self._stream = stream
        self._guard = guard
        self._engine = zlib.decompressobj(wbits=31)
        self._left = b""
        self._ended = False  # at a member boundary, where the file may rightly end
        self._out = 0

    def read(self, size: int = -1, /) -> bytes:
        while True:
            data = self._left or self._stream.read(_STEP)
            if not data:
                if self._ended:
                    return b""
                raise EOFError
            if self._ended:
                if not data.strip(b"\0"):
                    self._left = b""  # padding after the last member, as tape tools leave it
                    continue
                self._engine, self._ended = zlib.decompressobj(wbits=31), False
            chunk = self._engine.decompress(data, size if size > 0 else CHUNK)
            self._left = self._engine.unconsumed_tail
            if self._engine.eof:
                self._left, self._ended = self._engine.unused_data, True
            if chunk:
                self._out += len(chunk)
                self._guard(self._out)
                return chunk


class _Guarded:
    """A zip member's stream, held to the limits whatever the archive's directory claims."""

    def __init__(self, stream: IO[bytes], guard: Callable[[int], None]) -> None:
        self._stream = stream
        self._guard = guard
        self._out = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._stream.read(_STEP if size < 0 else min(size, _STEP))
        self._out += len(chunk)
        self._guard(self._out)
        return chunk


def exports(
    path: Path, on_progress: Progress | None = None, limits: Limits | None = None
) -> Iterator[Opened | ProscribeError]:
    """Every export in a file: itself, the content of a gzip, each member of a zip (one level of nesting).

    Yields an error in place of a member that cannot be opened, so that the others are read. Raises UnreadableFile,
    EmptyExport, DamagedExport or ArchiveBomb when that holds for the file as a whole. What is yielded is closed when
    the next one is asked for.
    """
    limits = limits or Limits()
    name = path.name
    where = Where(file=name)
    try:
        total = path.stat().st_size
        stream = path.open("rb")
    except OSError as error:
        raise _unreadable(where, error) from error
    with stream:
        if total == 0:
            raise empty(where)

        def on_bytes(done: int) -> None:
            if on_progress is not None:
                on_progress(name, min(done, total), total)

        magic = stream.read(4)
        stream.seek(0)
        if magic[:2] == b"PK" and magic in (b"PK\x03\x04", b"PK\x05\x06"):
            yield from _members(name, stream, on_bytes, limits)
        elif magic[:2] == b"\x1f\x8b":
            yield _gunzipped(name, _Tap(stream, on_bytes), limits)
        else:
            yield Opened(name, _Tap(stream, on_bytes), path=path)


def _gunzipped(name: str, tap: _Tap, limits: Limits) -> Opened:
    return Opened(name, _Inflated(tap, lambda out: _check(name, out, tap.count, limits)))


def _members(
    name: str, stream: IO[bytes], on_bytes: Callable[[int], None], limits: Limits, *, nested: bool = False
) -> Iterator[Opened | ProscribeError]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _garbled(Where(file=name)) from error
    with archive:
        infos = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info.filename)]
        if len(infos) > limits.members:
            raise _bomb(name)
        if not infos:
            raise empty(Where(file=name))
        done = grown = 0
        for info in infos:
            member = f"{name}!{info.filename}"
            done += info.compress_size
            grown += info.file_size
            try:
                _check(name, grown, done, limits)
                yield from _member(member, archive, info, limits, nested=nested)
            except ArchiveBomb:
                raise
            except ProscribeError as error:
                yield error
            except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError) as error:
                yield _locked(Where(file=member)) if "encrypted" in str(error) else _garbled(Where(file=member))
            on_bytes(done)


def _member(
    name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits, *, nested: bool
) -> Iterator[Opened | ProscribeError]:
    def guard(out: int) -> None:
        _check(name, out, max(info.compress_size, 1), limits)

    with archive.open(info) as raw:
        magic = raw.read(4)
        if magic[:4] == b"PK\x03\x04":
            if nested:
                raise DamagedExport(
                    Text("a zip within a zip within a zip", "un zip dans un zip dans un zip"),
                    remedy=Text("Unpack the outer archive first.", "Décompressez d'abord l'archive extérieure."),
                    where=Where(file=name),
                )
            with _spooled(raw, magic, guard) as copy:
                yield from _members(name, copy, lambda _: None, limits, nested=True)
            return
    with archive.open(info) as raw:
        if magic[:2] == b"\x1f\x8b":
            yield _gunzipped(name, _Tap(raw, lambda _: None), limits)
        else:
            yield Opened(name, _Guarded(raw, guard))


@contextmanager
def _spooled(raw: IO[bytes], begin: bytes, guard: Callable[[int], None]) -> Iterator[IO[bytes]]:
    """A seekable copy of a nested archive: in memory while small, else in a temporary file."""
    import tempfile

    with tempfile.SpooledTemporaryFile(max_size=32 << 20) as copy:
        copy.write(begin)
        reader = _Guarded(raw, guard)
        while chunk := reader.read(CHUNK):
            copy.write(chunk)
        copy.seek(0)
        yield copy


def _is_litter(filename: str) -> bool:
    """Files that desktop systems leave in archives."""
    return filename.startswith("__MACOSX/") or filename.rsplit("/", 1)[-1] in (".DS_Store", "Thumbs.db", "desktop.ini")


def _check(name: str, grown: int, compressed: int, limits: Limits) -> None:
    if grown > limits.total or (grown > limits.ratio_from and grown > limits.ratio * max(compressed, 1)):
        raise _bomb(name)


def _bomb(name: str) -> ArchiveBomb:
    return ArchiveBomb(
        Text(
            "this archive grows beyond any plausible export and was not read further",
            "cette archive grossit au-delà de toute exportation plausible et n'a pas été lue plus loin",
        ),
        remedy=Text(
            "Check where the file comes from. If it is genuine, unpack it yourself and give the unpacked files.",
            "Vérifiez la provenance du fichier. S'il est authentique, décompressez-le vous-même et fournissez les "
            "fichiers décompressés.",
        ),
        where=Where(file=name),
    )


def _garbled(where: Where) -> DamagedExport:
    return DamagedExport(
        Text(
            "the archive is damaged or was not downloaded to its end",
            "l'archive est endommagée ou n'a pas été téléchargée en entier",
        ),
        remedy=Text("Export or download the file again.", "Exportez ou téléchargez le fichier de nouveau."),
        where=where,
    )


def _locked(where: Where) -> DamagedExport:
    return DamagedExport(
        Text("the archive is protected by a password", "l'archive est protégée par un mot de passe"),
        remedy=Text("Unpack it and give the unpacked files.", "Décompressez-la et fournissez les fichiers extraits."),
        where=where,
    )


def empty(where: Where) -> EmptyExport:
    """The error for a file without content."""
    return EmptyExport(
        Text("the file is empty", "le fichier est vide"),
        remedy=Text(
            "Run the export again; an export of no devices still has a header.",
            "Relancez l'exportation; même sans appareil, une exportation comporte un en-tête.",
        ),
        where=where,
    )


def _unreadable(where: Where, error: OSError) -> UnreadableFile:
    if error.errno == errno.EISDIR:
        return UnreadableFile(
            Text("this is a folder, not an export", "ceci est un dossier, et non une exportation"),
            remedy=Text(
                "Name the files in it, e.g. FOLDER/*.", "Nommez les fichiers qu'il contient, p. ex. DOSSIER/*."
            ),
            where=where,
        )
    reason = error.strerror or str(error)
    return UnreadableFile(
        Text(f"cannot be read: {reason}", f"lecture impossible : {reason}"),
        remedy=Text("Check the path and the permissions.", "Vérifiez le chemin et les droits d'accès."),
        where=where,
    )


def on_disk(opened: Opened, folder: Path) -> Path:
    """A path to the whole content, for formats that must seek; copied into ``folder`` when it came from an archive."""
    if opened.path is not None:
        return opened.path
    import tempfile

    folder.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy:
        while chunk := opened.read(1 << 20):
            copy.write(chunk)
    return Path(copy.name)


def as_file(stream: Stream) -> io.BufferedReader:
    """A stream as an ordinary buffered file, for libraries that want one."""

    class _Raw(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
            chunk = stream.read(len(buffer))
            buffer[: len(chunk)] = chunk
            return len(chunk)

    return io.BufferedReader(_Raw(), buffer_size=CHUNK)
