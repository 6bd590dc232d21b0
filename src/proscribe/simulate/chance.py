"""Draws that the fictional fleets have in common."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TypeVar

Value = TypeVar("Value")


def pick(chance: random.Random, shares: Iterable[tuple[Value, float]], otherwise: Value) -> Value:
    """One of the values by their shares, which are parts of 1; ``otherwise`` for what they leave."""
    drawn = chance.random()
    for value, share in shares:
        if drawn < share:
            return value
        drawn -= share
    return otherwise
