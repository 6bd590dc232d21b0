"""Operating system versions as numbers, so that 9 comes before 10 and 26 means all of 26.x."""

from __future__ import annotations

import re

Version = tuple[int, ...]

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")

BEYOND: Version = (10**9,)
"""Above every version: the end of a range without an upper bound."""


def parse_version(text: str) -> Version | None:
    """The first dotted number in ``text`` without trailing zeros, or None where there is none.

    ``"iOS 17.4.1 (21E236)"`` gives ``(17, 4, 1)``, ``"15.0"`` gives ``(15,)``, ``"Android"`` gives None.
    """
    found = _NUMBERS.search(text)
    if found is None:
        return None
    return _trim(tuple(int(part) for part in found.group().split(".")))


def _trim(version: Version) -> Version:
    while len(version) > 1 and version[-1] == 0:
        version = version[:-1]
    return version


def bounds(os_min: str, os_max: str) -> tuple[Version, Version]:
    """The half-open range ``[start, end)`` of a row. ``os_max`` is inclusive with all below it: "25" takes 25.6 in."""
    start = parse_version(os_min) or ()
    last = _NUMBERS.search(os_max)
    if last is None:
        return start, BEYOND
    parts = tuple(int(part) for part in last.group().split("."))
    return start, (*parts[:-1], parts[-1] + 1)


def in_range(version: str, os_min: str, os_max: str) -> bool | None:
    """Whether ``version`` lies in the range; None where the version is not known and the range has a bound."""
    if not os_min and not os_max:
        return True
    known = parse_version(version)
    if known is None:
        return None
    start, end = bounds(os_min, os_max)
    return start <= known < end


def covers(outer: list[tuple[Version, Version]], inner: tuple[Version, Version]) -> bool:
    """Whether the union of the half-open ranges ``outer`` holds all of ``inner``."""
    reached, end = inner
    for start, stop in sorted(outer):
        if start > reached:
            break
        reached = max(reached, stop)
    return reached >= end
