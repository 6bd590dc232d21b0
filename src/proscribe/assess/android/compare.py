"""Two readings of one manifest side by side. What they read differently is a fact, and nobody picks a winner."""

from __future__ import annotations

from collections.abc import Iterator

from proscribe.assess.android.apkinfo import Other
from proscribe.assess.android.values import integer
from proscribe.assess.facts import AndroidFacts, Disagreement


def compare(ours: AndroidFacts, theirs: Other, member: str) -> tuple[Disagreement, ...]:
    """Where the two differ on package, version, SDK levels, permissions or components."""
    return tuple(_differences(ours, theirs, member))


def _differences(ours: AndroidFacts, theirs: Other, member: str) -> Iterator[Disagreement]:
    pairs = (
        ("package", {ours.package}, {theirs.package}),
        ("version_code", {_low(ours.version_code)}, {_low(theirs.version_code)}),
        ("min_sdk", {_shown(ours.min_sdk)}, {_number(theirs.min_sdk)}),
        ("target_sdk", {_shown(ours.target_sdk)}, {_number(theirs.target_sdk)}),
        ("max_sdk", {_shown(ours.max_sdk)}, {_number(theirs.max_sdk)}),
        ("permissions", {each.name for each in ours.permissions}, set(theirs.permissions)),
        (
            "components",
            {f"{each.kind} {each.name}" for each in ours.components},
            {f"{kind} {name}" for kind, name in theirs.components},
        ),
    )
    for about, mine, other in pairs:
        # A reference that parser A could not follow is no reading.
        if mine != other and not any("@" in text for text in other):
            yield Disagreement(about, tuple(sorted(mine - other)), tuple(sorted(other - mine)), member)


def _low(version_code: str) -> str:
    """The lower 32 bits: parser A leaves ``versionCodeMajor`` out."""
    number = integer(version_code)
    return version_code if number is None else str(number & 0xFFFFFFFF)


def _number(text: str) -> str:
    """Parser A shows numbers as they are written; a code name ("S") is no number to us, and none here."""
    return text if "@" in text else _shown(integer(text))


def _shown(level: int | None) -> str:
    return "" if level is None else str(level)
