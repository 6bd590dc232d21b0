"""Bytes under a path, for libraries that open files only. Nothing reaches a disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class NoMemoryFile(OSError):
    """This system has no anonymous files; what needs one is left out and said to be missing."""


@contextmanager
def as_path(data: bytes | memoryview) -> Iterator[str]:
    """A path that reads as ``data`` while the block runs (Linux: ``memfd_create``). Raises NoMemoryFile elsewhere."""
    if not hasattr(os, "memfd_create"):
        raise NoMemoryFile("no anonymous files on this system")
    descriptor = os.memfd_create("proscribe", os.MFD_CLOEXEC)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
