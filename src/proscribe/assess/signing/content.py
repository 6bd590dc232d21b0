"""Digests over the content of an APK, as schemes v2 and up sign them.

The content is three parts: the members, the central directory, and the end record with its directory offset set to
where the signing block begins. Chunked: SHA-256 or SHA-512 over (0x5a, count, digests of chunks of 1 MiB, each over
0xa5, its length and its bytes). Verity: the root of a Merkle tree of 4 KiB blocks with a salt of eight nought bytes,
and the length of the content. Source: source.android.com, "APK Signature Scheme v2", and the kernel's fs-verity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from proscribe.assess.signing.signing_block import Sections

CHUNKED_SHA256 = "CHUNKED_SHA256"
CHUNKED_SHA512 = "CHUNKED_SHA512"
VERITY_SHA256 = "VERITY_CHUNKED_SHA256"

_CHUNK = 1 << 20
_BLOCK = 4096
_SALT = bytes(8)


class Content:
    """The signed content of one APK; digests are computed when asked for, and once."""

    def __init__(self, data: memoryview, sections: Sections) -> None:
        end = bytearray(data[sections.end :])
        end[16:20] = sections.block.to_bytes(4, "little")
        self._parts = (data[: sections.block], data[sections.directory : sections.end], memoryview(bytes(end)))
        self._known: dict[str, bytes] = {}
        # Android maps a Merkle tree's pages: members and signing block each take whole ones, or it refuses the file.
        self.in_pages = sections.block % _BLOCK == 0 == (sections.directory - sections.block) % _BLOCK

    def digest(self, algorithm: str) -> bytes:
        """The digest by its name in this module."""
        if algorithm not in self._known:
            self._known[algorithm] = (
                self._verity() if algorithm == VERITY_SHA256 else self._chunked(algorithm.removeprefix("CHUNKED_"))
            )
        return self._known[algorithm]

    def _chunked(self, name: str) -> bytes:
        make = hashlib.sha256 if name == "SHA256" else hashlib.sha512
        count = 0
        leaves = bytearray()
        for part in self._parts:
            for start in range(0, len(part), _CHUNK):
                chunk = part[start : start + _CHUNK]
                state = make(b"\xa5" + len(chunk).to_bytes(4, "little"))
                state.update(chunk)
                leaves += state.digest()
                count += 1
        return make(b"\x5a" + count.to_bytes(4, "little") + leaves).digest()

    def _verity(self) -> bytes:
        level = b"".join(_leaves(self._blocks()))
        while len(level) > _BLOCK:
            view = memoryview(level)
            level = b"".join(_leaves(view[at : at + _BLOCK] for at in range(0, len(view), _BLOCK)))
        root = hashlib.sha256(_SALT + level.ljust(_BLOCK, b"\0")).digest()
        length = sum(len(part) for part in self._parts)
        return root + length.to_bytes(8, "little")

    def _blocks(self) -> Iterator[bytes | memoryview]:
        """The three parts as one run of bytes, in blocks of 4 KiB, the last of which may be short."""
        members, *rest = self._parts
        whole = len(members) // _BLOCK * _BLOCK
        for at in range(0, whole, _BLOCK):
            yield members[at : at + _BLOCK]
        tail = b"".join((members[whole:], *rest))
        for at in range(0, len(tail), _BLOCK):
            yield tail[at : at + _BLOCK]


def _leaves(blocks: Iterator[bytes | memoryview]) -> Iterator[bytes]:
    for block in blocks:
        state = hashlib.sha256(_SALT)
        state.update(block)
        if len(block) < _BLOCK:
            state.update(bytes(_BLOCK - len(block)))
        yield state.digest()
