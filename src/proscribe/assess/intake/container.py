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
    """One ZIP archive in memory (a mapping of the file, or bytes of a nested one).

    ``name``: "" for the file itself, the member's name for a nested one. ``data``: the whole archive.
    """

    name: str
    data: memoryview
    entries: Mapping[str, Entry]
    anomalies: tuple[Anomaly, ...]

    def read(self, name: str, limit: int | None = None) -> bytes:
        """A member's bytes, inflated up to ``limit``. Raises KeyError where there is none, or UnreadableMember."""
        raise NotImplementedError

    def member(self, name: str) -> str:
        """How evidence names a member: ``classes.dex``, or ``split.apk!classes.dex`` inside a nested archive."""
        return f"{self.name}!{name}" if self.name else name
