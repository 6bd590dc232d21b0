"""The capability rows as a page of Markdown, for docs/reference/capabilities.md."""

from __future__ import annotations

from collections.abc import Iterable

from proscribe.plan.capability import EVERY_SYSTEM
from proscribe.plan.model import Capability
from proscribe.terms import Side

START = "<!-- rows: made from the capability files -->"
"""What stands before the generated part of the page."""

_HEAD = (
    "| Row | Verb | Class | Versions | Apps | Effect | Method | Limits or reason | Limites ou motif | Source |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def rows_as_markdown(rows: Iterable[Capability]) -> str:
    """One table for each system, the platforms' own rows first."""
    by_system: dict[str, list[Capability]] = {}
    for row in rows:
        by_system.setdefault(row.system, []).append(row)
    lines: list[str] = []
    for system in sorted(by_system, key=lambda name: (name != EVERY_SYSTEM, name)):
        title = "What the platforms allow at most" if system == EVERY_SYSTEM else f"`{system}`"
        lines += ["", f"### {title}", "", *_HEAD]
        lines += [_line(row) for row in by_system[system]]
    return "\n".join(lines) + "\n"


def _line(row: Capability) -> str:
    side = "" if row.side in (Side.whole, Side.unknown) else f", {row.side} side"
    cells = (
        f"`{row.id}`",
        row.verb,
        f"{row.platform} {row.enrolment}{side}",
        _versions(row),
        row.applies_to,
        row.effect,
        f"`{row.method}`" if row.method else "",
        row.limits.en,
        row.limits.fr,
        row.source,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _versions(row: Capability) -> str:
    if row.os_min and row.os_max:
        return f"{row.os_min} to {row.os_max}"
    if row.os_min:
        return f"from {row.os_min}"
    return f"up to {row.os_max}" if row.os_max else "all"
