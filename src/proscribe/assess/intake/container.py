"""A ZIP read defensively: own walk of the central directory, bounded inflation, every oddity listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proscribe.assess.facts import Anomaly


class UnreadableMember(Exception):
    """A member that cannot be read; ``code`` is a stable problem code (``zip.bad-crc``, ``zip.too-large``, ...)."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the central directory. ``offset`` is where its data begins in the file."""

    name: str
    method: int
    flags: int
    crc: int
    compressed: int
    size: int
    header: int
    offset: int


class Container:
    """One ZIP archive in memory (a mapping of the file, or the bytes of a nested one).

    ``name``: "" for the file itself, the member's name for a nested one. ``data``: the whole archive. ``path``: where
    the archive lies on disk, "" for a nested one.
    """

    name: str
    path: str
    data: memoryview
    entries: Mapping[str, Entry]
    anomalies: tuple[Anomaly, ...]

    def read(self, name: str, limit: int | None = None) -> bytes:
        """A member's bytes, inflated up to ``limit``. Raises KeyError where there is none, or UnreadableMember."""
        raise NotImplementedError

    def sha256(self, name: str, data: bytes | None = None) -> str:
        """The digest (hex) of a member's bytes, computed once; give ``data`` where it was just read."""
        raise NotImplementedError

    def member(self, name: str) -> str:
        """How evidence names a member: ``classes.dex``, or ``split.apk!classes.dex`` inside a nested archive."""
        return f"{self.name}!{name}" if self.name else name


def open_container(data: bytes | memoryview, *, name: str = "", path: str = "") -> Container:
    """Walk the central directory. Raises RefusedPackage where a limit is broken, NotAPackage where it is no ZIP."""
    raise NotImplementedError
