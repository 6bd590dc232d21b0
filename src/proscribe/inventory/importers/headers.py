"""Column names as data (``data/headers.toml``): from what an export writes to what we call it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from proscribe.inventory.values import folded


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    text = files("proscribe.inventory").joinpath("data/headers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def aliases(form: str) -> dict[str, str]:
    """Folded column names of a format, each with our name for it."""
    found: dict[str, str] = {}
    for ours, written in _tables()[form].items():
        if isinstance(written, list):
            for name in (ours, *written):
                found.setdefault(folded(name), ours)
    return found


@cache
def ignored(form: str) -> frozenset[str]:
    """Folded names of columns that are known and of no use: people, mostly, whom an inventory of apps need not name."""
    return frozenset(folded(name) for name in _tables().get(f"{form}_ignored", {}).get("columns", []))


def ours(form: str, columns: tuple[str, ...]) -> set[str]:
    """Which of our columns an export of this format would have under these column names."""
    known = aliases(form)
    return {known[folded(name)] for name in columns if folded(name) in known}
