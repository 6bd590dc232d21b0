"""A member's bytes by offset: all of them where it is small, else only its head and the ranges that were asked for.

An app's executable can have hundreds of megabytes, of which an assessor needs the load commands, the tables of the
linker and the signature. The rest is hashed as it streams by and never held.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from proscribe.assess.intake.container import Container

WHOLE = 48 << 20  # members up to here are held as a whole, in bytes
HEAD = 1 << 20
KEPT = 64 << 20  # bytes of a larger member that are held at most

Ranges = Iterable[tuple[int, int]]  # offset and length, in bytes


@dataclass(frozen=True, slots=True)
class Window:
    """``size`` of the member, and its held parts: offsets ascending, none overlapping."""

    size: int
    offsets: tuple[int, ...]
    parts: tuple[memoryview, ...]

    @classmethod
    def of(cls, data: bytes | memoryview) -> Window:
        """All of some bytes."""
        return cls(len(data), (0,), (memoryview(data),))

    def get(self, offset: int, length: int) -> memoryview | None:
        """The bytes at ``offset``, or None where they are not there or not held."""
        index = bisect_right(self.offsets, offset) - 1
        if index < 0 or length < 0:
            return None
        start = offset - self.offsets[index]
        part = self.parts[index]
        return part[start : start + length] if start + length <= len(part) else None

    def slice(self, offset: int, length: int) -> Window:
        """A file inside the file (one architecture), numbered from its own start."""
        inside = self.get(offset, length)
        if inside is not None:
            return Window.of(inside)
        kept = [
            (max(start - offset, 0), part[max(offset - start, 0) : max(offset + length - start, 0)])
            for start, part in zip(self.offsets, self.parts, strict=True)
        ]
        kept = [(start, part) for start, part in kept if len(part)]
        return Window(length, tuple(start for start, _ in kept), tuple(part for _, part in kept))


def open_window(container: Container, name: str, wanted: Callable[[Window], Ranges]) -> Window:
    """Read a member. Of a large one, ``wanted`` says by what is held so far which ranges are needed.

    It is asked twice at most: after the head, and once more where the first ranges lead to others (a file with several
    architectures). Raises UnreadableMember. The container knows the member's digest afterwards.
    """
    size = container.entries[name].size
    if size <= WHOLE:
        data = container.read(name)
        container.sha256(name, data)
        return Window.of(data)
    window = Window(size, (0,), (memoryview(next(iter(container.chunks(name)), b"")),))
    for _ in range(2):
        ranges = _merged([*wanted(window), (0, HEAD)], size)
        if all(window.get(first, last - first) is not None for first, last in ranges):
            break
        window = _collect(container.chunks(name), ranges, size)
    container.sha256(name)
    return window


def _collect(chunks: Iterable[bytes], ranges: list[tuple[int, int]], size: int) -> Window:
    parts = [bytearray() for _ in ranges]
    at = current = 0
    for chunk in chunks:
        end = at + len(chunk)
        while current < len(ranges) and ranges[current][0] < end:
            first, last = ranges[current]
            parts[current] += chunk[max(first - at, 0) : last - at]
            if last > end:
                break
            current += 1
        at = end
    return Window(size, tuple(first for first, _ in ranges), tuple(memoryview(part) for part in parts))


def _merged(ranges: Ranges, size: int) -> list[tuple[int, int]]:
    """First and last offsets, ascending, apart from each other, at most ``KEPT`` bytes in all."""
    merged: list[tuple[int, int]] = []
    left = KEPT
    for offset, length in sorted(ranges):
        first = max(offset, merged[-1][1] if merged else 0)
        last = min(offset + length, size)
        if last <= first or last - first > left:
            continue
        left -= last - first
        if merged and merged[-1][1] == first:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged
