"""How much of a file is believed and read (assess.md section 8.1). Beyond it is a refusal or a fact, never a guess."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and counts. What breaks ``file``, ``entries`` or ``parts`` is refused as a whole; the others are facts."""

    file: int = 4 << 30  # the file that is given
    total: int = 2 << 30  # declared sizes of all members together
    declared: int = 512 << 20  # declared size of one member; larger ones are not read at all
    member: int = 96 << 20  # a member that is read into memory
    streamed: int = 1 << 30  # bytes of one archive that are inflated for digests alone
    ratio: int = 200  # inflated to compressed, for members above ``small``
    small: int = 4 << 20
    entries: int = 500_000  # more are refused
    many: int = 100_000  # more are an anomaly
    parts: int = 200  # packages inside a package


LIMITS = Limits()
