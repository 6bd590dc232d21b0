"""Members of a ZIP, read as Android reads them: bounded inflation, nothing on disk, no trust in declared sizes."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping

from proscribe.assess.facts import Anomaly
from proscribe.assess.intake.directory import Entry, walk
from proscribe.assess.intake.limits import LIMITS

__all__ = ["Container", "Entry", "UnreadableMember", "open_container"]

_DEFLATED = 8
_CHUNK = 1 << 20
_FED = 1 << 16


class UnreadableMember(Exception):
    """A member that cannot be read; ``code`` is a stable problem code (``zip.bad-deflate``, ``zip.too-large``, ...)."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


class Container:
    """One ZIP archive in memory (a mapping of the file, or the bytes of a nested one).

    ``name``: "" for the file itself, the member's name for a nested one. ``data``: the whole archive. ``path``: where
    the archive lies on disk, "" for a nested one.
    """

    def __init__(
        self, data: memoryview, entries: Mapping[str, Entry], anomalies: tuple[Anomaly, ...], *, name: str, path: str
    ) -> None:
        self.data = data
        self.entries = entries
        self.anomalies = anomalies
        self.name = name
        self.path = path
        self._digests: dict[str, str] = {}
        self._streamed = 0

    def member(self, name: str) -> str:
        """How evidence names a member: ``classes.dex``, or ``split.apk!classes.dex`` inside a nested archive."""
        return f"{self.name}!{name}" if self.name else name

    def read(self, name: str, limit: int | None = None) -> bytes:
        """A member's bytes, inflated up to ``limit``. Raises KeyError where there is none, or UnreadableMember.

        A wrong CRC does not stop the reading, as it does not stop Android's; ``crc_holds`` tells.
        """
        most = LIMITS.member if limit is None else min(limit, LIMITS.member)
        entry = self.entries[name]
        if entry.size > most:
            raise UnreadableMember("zip.too-large", f"{entry.size} > {most}")
        if entry.size > LIMITS.small and entry.size > entry.compressed * LIMITS.ratio:
            raise UnreadableMember("zip.ratio", f"{entry.compressed} bytes would become {entry.size}")
        raw = self._raw(entry)
        if entry.method != _DEFLATED:
            return bytes(raw)
        inflater = zlib.decompressobj(-15)
        try:
            # One byte more than declared is enough to know that the size lies.
            data = inflater.decompress(raw, entry.size + 1)
        except zlib.error as error:
            raise UnreadableMember("zip.bad-deflate", str(error)) from error
        if len(data) > entry.size:
            raise UnreadableMember("zip.size-lie", f"more than {entry.size}")
        if len(data) < entry.size:
            raise UnreadableMember("zip.truncated", f"{len(data)} of {entry.size}")
        return data

    def view(self, name: str) -> memoryview:
        """A member's bytes without a copy where it is stored, as packages inside packages are. Raises as ``read``."""
        entry = self.entries[name]
        return memoryview(self.read(name)) if entry.method == _DEFLATED else self._raw(entry)

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's bytes piece by piece, for what is hashed or too large to hold. Raises as ``read``.

        Bounded for the archive. Whoever takes all of them has its digest with it: ``sha256`` need not read again.
        """
        entry = self.entries[name]
        if entry.size > LIMITS.declared:
            raise UnreadableMember("zip.too-large", f"{entry.size} > {LIMITS.declared}")
        raw = self._raw(entry)
        total = 0
        state = hashlib.sha256()
        for chunk in _inflated(raw) if entry.method == _DEFLATED else _pieces(raw):
            total += len(chunk)
            self._streamed += len(chunk)
            if total > entry.size:
                raise UnreadableMember("zip.size-lie", f"more than {entry.size}")
            if self._streamed > LIMITS.streamed:
                raise UnreadableMember("zip.budget", f"{self._streamed} bytes of this archive were inflated")
            state.update(chunk)
            yield chunk
        if total < entry.size:
            raise UnreadableMember("zip.truncated", f"{total} of {entry.size}")
        self._digests[name] = state.hexdigest()

    def sha256(self, name: str, data: bytes | None = None) -> str:
        """The digest (hex) of a member's bytes, computed once; give ``data`` where it was just read."""
        known = self._digests.get(name)
        if known is None and data is not None:
            known = self._digests[name] = hashlib.sha256(data).hexdigest()
        if known is None:
            for _ in self.chunks(name):
                pass
            known = self._digests[name]
        return known

    def digests(self) -> dict[str, str]:
        """The digests computed so far, by member as evidence names it."""
        return {self.member(name): value for name, value in self._digests.items()}

    def crc_holds(self, name: str) -> bool:
        """Whether a member's checksum is that of its bytes. Raises as ``read``."""
        state = 0
        for chunk in self.chunks(name):
            state = zlib.crc32(chunk, state)
        return state == self.entries[name].crc

    def _raw(self, entry: Entry) -> memoryview:
        # Android takes any method but deflate for stored, and then goes by the inflated size.
        length = entry.compressed if entry.method == _DEFLATED else entry.size
        if entry.offset < 0 or entry.offset + length > len(self.data):
            raise UnreadableMember("zip.outside", f"{length} bytes at {entry.offset}")
        return self.data[entry.offset : entry.offset + length]


def _pieces(raw: memoryview) -> Iterator[bytes]:
    for start in range(0, len(raw), _CHUNK):
        yield bytes(raw[start : start + _CHUNK])


def _inflated(raw: memoryview) -> Iterator[bytes]:
    # The inflater copies what it was given and did not use yet; small pieces keep that from growing with the square.
    inflater = zlib.decompressobj(-15)
    try:
        for start in range(0, len(raw), _FED):
            pending: bytes | memoryview = raw[start : start + _FED]
            while not inflater.eof:
                chunk = inflater.decompress(pending, _CHUNK)
                pending = inflater.unconsumed_tail
                if chunk:
                    yield chunk
                if not pending and len(chunk) < _CHUNK:
                    break
    except zlib.error as error:
        raise UnreadableMember("zip.bad-deflate", str(error)) from error


def open_container(data: bytes | memoryview, *, name: str = "", path: str = "") -> Container:
    """Walk the central directory. Raises RefusedPackage where a limit is broken, NotAPackage where it is no ZIP."""
    view = memoryview(data)
    entries, anomalies = walk(view, name=name)
    return Container(view, entries, anomalies, name=name, path=path)
