"""Canonical bytes (RFC 8785) and the digests that chain one document to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NewType

Digest = NewType("Digest", str)
"""``sha256:`` and 64 lower-case hexadecimal digits."""


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value (dicts with text keys, lists, text, numbers, booleans, null)."""
    import rfc8785  # kept out of start-up

    return rfc8785.dumps(value)


def digest_bytes(data: bytes) -> Digest:
    """SHA-256 of some bytes."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def digest_json(value: Any) -> Digest:
    """SHA-256 of a JSON value's canonical bytes."""
    return digest_bytes(canonical_bytes(value))


def digest_chunks(chunks: Iterable[bytes]) -> Digest:
    """SHA-256 over chunks, for what does not fit in memory."""
    state = hashlib.sha256()
    for chunk in chunks:
        state.update(chunk)
    return Digest("sha256:" + state.hexdigest())


def digest_file(path: Path) -> Digest:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return digest_chunks(iter(lambda: stream.read(1 << 20), b""))
