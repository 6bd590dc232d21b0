"""Work one step ahead: while one piece is taken in, the next is read and decoded on another core."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(pieces: Iterator[T]) -> Iterator[T]:
    """The same pieces in the same order. ``pieces`` runs in another thread, one ahead; what it raises is raised here.

    It must not touch what the consumer touches. None ends it, so no piece may be None.
    """
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(next, pieces, None)
        while (piece := waiting.result()) is not None:
            waiting = other.submit(next, pieces, None)
            yield piece
