"""Where an installation keeps its database, its key and its locks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path


def default_home() -> Path:
    """``PROSCRIBE_HOME``, or the user's own data folder."""
    named = os.environ.get("PROSCRIBE_HOME", "")
    if named:
        return Path(named)
    import click  # knows where programs of this operating system keep their data

    return Path(click.get_app_dir("proscribe"))


def owners_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """What a file holds that its owner alone may read; made where it is missing, whole or not at all.

    Two processes that make it at once end up with the same content.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(make())
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename it replaces nothing
    finally:
        draft.unlink()
    return path.read_bytes()
