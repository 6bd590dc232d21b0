"""Writes ZIP archives byte by byte, so that every field can lie. A plain module, loaded by path."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Member:
    """One member. Fields left None are true; ``local_*`` differ from the central directory where given."""

    name: str
    data: bytes
    method: int = 8
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    compressed: int | None = None
    packed: bytes | None = None  # compressed bytes as they stand, instead of ``data``
    local_name: str | None = None
    local_method: int | None = None
    local_size: int | None = None
    offset: int | None = None  # of the local header


def lying(member: Member, **fields: object) -> Member:
    return replace(member, **fields)  # type: ignore[arg-type]


def deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(9, wbits=-15)
    return stream.compress(data) + stream.flush()


def zeros(size: int) -> bytes:
    """Whole megabytes of zero bytes, deflated without ever making them: a block that starts afresh, again and again."""
    stream = zlib.compressobj(9, wbits=-15)
    block = stream.compress(bytes(1 << 20)) + stream.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20) + stream.flush()


def archive(
    members: Sequence[Member],
    *,
    before: bytes = b"",
    after: bytes = b"",
    comment: bytes = b"",
    count: int | None = None,
) -> bytes:
    """The archive. ``before`` moves everything on, with offsets that stay true; ``after`` follows the end record."""
    body, central = bytearray(before), bytearray()
    for one in members:
        name = one.name.encode("utf-8", "surrogateescape")
        packed = one.packed if one.packed is not None else deflated(one.data) if one.method == 8 else one.data
        size = len(one.data) if one.size is None else one.size
        compressed = len(packed) if one.compressed is None else one.compressed
        crc = zlib.crc32(one.data) if one.crc is None else one.crc
        at = len(body) if one.offset is None else one.offset
        if one.offset is None:
            local = (one.local_name if one.local_name is not None else one.name).encode("utf-8", "surrogateescape")
            method = one.method if one.local_method is None else one.local_method
            shown = size if one.local_size is None else one.local_size
            body += struct.pack(
                "<4s5H3L2H", b"PK\3\4", 20, one.flags, method, 0, 0, crc & 0xFFFFFFFF, compressed, shown, len(local), 0
            )
            body += local + packed
        central += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, one.flags, one.method, 0, 0, crc & 0xFFFFFFFF, compressed, size,
            len(name), 0, 0, 0, 0, 0, at,
        ) + name  # fmt: skip
    number = min(len(members) if count is None else count, 0xFFFF)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, len(central), len(body), len(comment))
    return bytes(body + central) + end + comment + after
