"""The header of a dex file, with the limits that ART's verifier sets; a container (version 041) holds several.

Source: https://source.android.com/docs/core/runtime/dex-format (header_item, map_list). In a container every offset
counts from the start of the whole file, so that the logical files can share strings.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"dex\n"
_COMPACT = b"cdex"
_OPTIMISED = b"dey\n"
_VERSIONS = frozenset(b"%03d\0" % number for number in range(35, 42))
_CONTAINER = 41
_HEADER = 0x70
_HEADER_41 = 0x78
_LITTLE_ENDIAN = 0x12345678
MOST_BYTES = 64 << 20
"""A larger dex file is not read; the largest that compilers write stay below 20 MiB."""
_MOST_ROWS = {
    "string_ids": 1 << 19,  # our own limit; a full dex has about 75,000
    "type_ids": 0xFFFF,  # ART's limit
    "proto_ids": 0xFFFF,  # ART's limit
    "field_ids": 1 << 16,  # what an instruction can name
    "method_ids": 1 << 16,
    "class_defs": 0xFFFF,
}
MAX_LOGICAL = 256  # dex files in one container
_MAX_MAP = 64  # kinds of sections there are in a map_list, with room


class DexFault(Exception):
    """A dex file that cannot be read; ``code`` is a stable problem code."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Table:
    """A table of fixed-size rows: ``size`` rows of ``width`` bytes from byte ``offset``."""

    name: str
    offset: int
    size: int
    width: int


@dataclass(frozen=True, slots=True)
class Header:
    """One logical dex file. ``base``: where its header stands; ``size`` in bytes from there; ``end`` of its data."""

    base: int
    size: int
    end: int
    version: str
    checksum: int
    signature: bytes
    map_offset: int
    strings: Table
    types: Table
    protos: Table
    fields: Table
    methods: Table
    classes: Table

    @property
    def tables(self) -> tuple[Table, ...]:
        return (self.strings, self.types, self.protos, self.fields, self.methods, self.classes)


_TABLES = (
    ("string_ids", 4),
    ("type_ids", 4),
    ("proto_ids", 12),
    ("field_ids", 8),
    ("method_ids", 8),
    ("class_defs", 32),
)
# The same tables' type codes in a map_list.
_MAP_TYPES = {1: "string_ids", 2: "type_ids", 3: "proto_ids", 4: "field_ids", 5: "method_ids", 6: "class_defs"}


def headers(data: bytes) -> Iterator[Header]:
    """Every logical dex file in ``data``, in order. Raises DexFault at the first that cannot be read."""
    base = 0
    for _ in range(MAX_LOGICAL):
        header = read_header(data, base)
        yield header
        if int(header.version) < _CONTAINER:
            return
        base += header.size
        if base >= header.end:
            return
    raise DexFault("dex.too-many-logical-files", f"more than {MAX_LOGICAL}")


def read_header(data: bytes, base: int = 0) -> Header:
    """The header at byte ``base``, checked against the bytes that are there. Raises DexFault."""
    magic = data[base : base + 8]
    _check_magic(magic)
    if len(data) - base < _HEADER:
        raise DexFault("dex.too-short", f"{len(data) - base} bytes")
    version = magic[4:7].decode("ascii")
    checksum, signature, size, length, endian = struct.unpack_from("<I20sIII", data, base + 8)
    if endian != _LITTLE_ENDIAN:
        raise DexFault("dex.endian", f"{endian:#010x}")
    container = int(version) >= _CONTAINER
    if length != (_HEADER_41 if container else _HEADER):
        raise DexFault("dex.header-size", f"{length:#x}")
    if size < length:
        raise DexFault("dex.file-size", f"{size} bytes")
    if base + size > len(data):
        raise DexFault("dex.truncated", f"{len(data) - base} of {size} bytes")
    end = _container_end(data, base) if container else size
    (map_offset,) = struct.unpack_from("<I", data, base + 52)
    numbers = struct.unpack_from("<12I", data, base + 56)
    tables = [
        _table(name, numbers[2 * row], numbers[2 * row + 1], width, end) for row, (name, width) in enumerate(_TABLES)
    ]
    return Header(base, size, end, version, checksum, signature, map_offset, *tables)


def _check_magic(magic: bytes) -> None:
    if magic[:4] == _COMPACT:
        raise DexFault("dex.compact", magic[4:7].decode("ascii", "replace"))
    if magic[:4] == _OPTIMISED:
        raise DexFault("dex.optimised")
    if magic[:4] != MAGIC:
        raise DexFault("dex.bad-magic", magic.hex())
    if magic[4:] not in _VERSIONS:
        raise DexFault("dex.unsupported-version", magic[4:].hex())


def _container_end(data: bytes, base: int) -> int:
    if len(data) - base < _HEADER_41:
        raise DexFault("dex.too-short", f"{len(data) - base} bytes")
    size, offset = struct.unpack_from("<II", data, base + 112)
    if offset != base:
        raise DexFault("dex.header-offset", f"{offset} at {base}")
    if size > len(data):
        raise DexFault("dex.truncated", f"{len(data)} of {size} bytes")
    return int(size)


def _table(name: str, size: int, offset: int, width: int, end: int) -> Table:
    if not size:
        return Table(name, 0, 0, width)
    if size > _MOST_ROWS[name]:
        raise DexFault("dex.table-size", f"{name} {size}")
    if offset % 4:
        raise DexFault("dex.misaligned", f"{name} at {offset:#x}")
    if offset + size * width > end:
        raise DexFault("dex.table-range", f"{name}: {size} rows at {offset:#x} of {end:#x}")
    return Table(name, offset, size, width)


def method_handles(data: bytes, header: Header) -> int:
    """How many method handles the map_list names: methods that code may call without an instruction that says which."""
    offset = header.map_offset
    if offset % 4 or offset + 4 > header.end:
        return 0
    (count,) = struct.unpack_from("<I", data, offset)
    if count > _MAX_MAP or offset + 4 + 12 * count > header.end:
        return 0
    rows = (struct.unpack_from("<HHI", data, offset + 4 + 12 * row) for row in range(count))
    return sum(size for kind, _, size in rows if kind == _METHOD_HANDLES)


_METHOD_HANDLES = 8


def map_oddities(data: bytes, header: Header) -> str:
    """What in the map_list contradicts the header, "" where nothing does. We read by the header alone."""
    offset = header.map_offset
    if offset % 4 or offset + 4 > header.end:
        return f"map at {offset:#x}"
    (count,) = struct.unpack_from("<I", data, offset)
    if count > _MAX_MAP or offset + 4 + 12 * count > header.end:
        return f"{count} map entries at {offset:#x}"
    seen = {}
    for row in range(count):
        kind, _, size, start = struct.unpack_from("<HHII", data, offset + 4 + 12 * row)
        if kind in seen:
            return f"map type {kind:#x} twice"
        seen[kind] = (size, start)
    by_name = {name: seen.get(kind, (0, 0)) for kind, name in _MAP_TYPES.items()}
    for table in header.tables:
        size, start = by_name[table.name]
        if size != table.size or (size and start != table.offset):
            return f"{table.name}: map {size} at {start:#x}, header {table.size} at {table.offset:#x}"
    return ""
