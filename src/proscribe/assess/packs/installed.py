"""Where packs lie: those of the release, and those that ``proscribe data update`` put over them."""

from __future__ import annotations

from pathlib import Path

from proscribe.assess.packs.model import PACKS


def in_use() -> dict[str, Path]:
    """Each pack's file."""
    shipped = Path(__file__).parent.parent / "data"
    return {name: shipped / f"{name}.jsonl" for name in PACKS}
