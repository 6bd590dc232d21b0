"""Progress, for the stages' plain callbacks or without any. It stands on standard error and on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from proscribe.cli.output import console, progress
from proscribe.text import Text


@contextmanager
def working() -> Iterator[None]:
    """A moving sign for what takes more than a moment and cannot say how far it is. Ask for nothing meanwhile."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield
        return
    with screen.status(str(Text("Working", "Travail en cours"))):
        yield


@contextmanager
def byte_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar a file: ``report(name, bytes done, bytes in all)``."""
    with progress() as bar:
        tasks = {}

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        yield report


@contextmanager
def count_progress(what: Text) -> Iterator[Callable[[int], None]]:
    """One bar without an end: ``report(how many so far)``."""
    with progress() as bar:
        task = bar.add_task(str(what), total=None)

        def report(done: int) -> None:
            bar.update(task, completed=done)

        yield report
