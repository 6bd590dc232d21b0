"""Builds small resource tables: one package, any types, any configurations. A plain module like ``axml``."""

from __future__ import annotations

import struct
from collections.abc import Callable

DEFAULT = b""
NONE = 0xFFFFFFFF


def version(sdk: int) -> bytes:
    """The configuration ``-vNN``: everything any but the Android version."""
    return bytes(20) + struct.pack("<HH", sdk, 0)


def language(code: str) -> bytes:
    return bytes(4) + code.encode("ascii") + bytes(2)


def table(
    pool: Callable[..., bytes],
    types: dict[int, list[tuple[bytes, dict[int, tuple[int, int | str]]]]],
    *,
    package: int = 0x7F,
    style: str = "plain",
) -> bytes:
    """A table. ``types``: by type id, configurations with entries by index, each (value type, data or string).

    ``style``: plain, sparse, offset16 or compact (how entries are found and written).
    """
    texts: list[str] = []
    chunks = b""
    for identifier, configurations in types.items():
        for config, entries in configurations:
            values = {}
            for index, (kind, data) in entries.items():
                if isinstance(data, str):
                    texts.append(data)
                    data = len(texts) - 1  # noqa: PLW2901
                values[index] = (kind, data)
            chunks += _type(identifier, config, values, style)
    header = (
        struct.pack("<I", package)
        + "example".encode("utf-16-le").ljust(256, b"\0")
        + struct.pack("<IIIII", 0, 0, 0, 0, 0)
    )
    names = pool(["type"]) + pool(["key"])
    body = names + chunks
    packed = struct.pack("<HHI", 0x0200, 8 + len(header), 8 + len(header) + len(body)) + header + body
    values_pool = pool(texts, utf8=True)
    size = 12 + len(values_pool) + len(packed)
    return struct.pack("<HHII", 0x0002, 12, size, 1) + values_pool + packed


def _type(identifier: int, config: bytes, values: dict[int, tuple[int, int]], style: str) -> bytes:
    entries, offsets = b"", {}
    for index, (kind, data) in sorted(values.items()):
        offsets[index] = len(entries)
        if style == "compact":
            entries += struct.pack("<HHI", 0, 0x0008 | kind << 8, data)
        else:
            entries += struct.pack("<HHIHBBI", 8, 0, 0, 8, 0, kind, data)
    count = max(values, default=-1) + 1
    if style == "sparse":
        flags, count = 1, len(offsets)
        found = b"".join(struct.pack("<HH", index, offset // 4) for index, offset in offsets.items())
    elif style == "offset16":
        flags = 2
        found = b"".join(struct.pack("<H", offsets[i] // 4 if i in offsets else 0xFFFF) for i in range(count))
        found += bytes(-len(found) % 4)
    else:
        flags = 0
        found = b"".join(struct.pack("<I", offsets.get(i, NONE)) for i in range(count))
    shape = struct.pack("<I", 4 + max(len(config), 60)) + config.ljust(60, b"\0")
    size = 20 + len(shape)
    head = struct.pack(
        "<HHIBBHII", 0x0201, size, size + len(found) + len(entries), identifier, flags, 0, count, size + len(found)
    )
    return head + shape + found + entries
