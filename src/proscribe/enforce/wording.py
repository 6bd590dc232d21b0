"""Counted nouns in both languages: the sentences of this stage are full of them."""

from __future__ import annotations

from collections.abc import Iterable

from proscribe.text import Text, plural


def orders(number: int) -> Text:
    """``1 order`` / ``1 ordre``."""
    return plural(number, Text("order", "ordre"), Text("orders", "ordres"))


def share(value: float) -> Text:
    """A share as a percentage, rounded down: 94.99 % must not read as 95 %."""
    tenths = int(value * 1000 + 1e-9)
    whole, tenth = divmod(tenths, 10)
    if tenth:
        return Text(f"{whole}.{tenth}%", f"{whole},{tenth} %")
    return Text(f"{whole}%", f"{whole} %")


def listed(values: Iterable[str]) -> str:
    """Names in a row, the same in both languages."""
    return ", ".join(values)
