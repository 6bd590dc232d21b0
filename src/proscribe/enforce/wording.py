"""Counted nouns in both languages: the sentences of this stage are full of them."""

from __future__ import annotations

from collections.abc import Iterable

from proscribe.text import Text


def devices(number: int) -> Text:
    """``1 device`` / ``1 appareil``; in French nought is singular."""
    return Text(
        f"{number:,} device" + ("" if number == 1 else "s"),
        f"{number:,}".replace(",", "\u202f") + (" appareil" if number < 2 else " appareils"),
    )


def orders(number: int) -> Text:
    """``1 order`` / ``1 ordre``."""
    return Text(
        f"{number:,} order" + ("" if number == 1 else "s"),
        f"{number:,}".replace(",", "\u202f") + (" ordre" if number < 2 else " ordres"),
    )


def share(value: float) -> Text:
    """A share as a percentage, rounded down: 94.99 % must not read as 95 %."""
    tenths = int(value * 1000 + 1e-9)
    whole, tenth = divmod(tenths, 10)
    if tenth:
        return Text(f"{whole}.{tenth}%", f"{whole},{tenth} %")
    return Text(f"{whole}%", f"{whole} %")


def listed(values: Iterable[str]) -> str:
    """Names in a row, the same in both languages."""
    return ", ".join(values)
