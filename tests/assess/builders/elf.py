"""Builds small shared objects as Android's linker reads them: program headers and a dynamic section, no sections."""

from __future__ import annotations

import struct

_NEEDED, _HASH, _STRTAB, _SYMTAB, _STRSZ, _SYMENT = 1, 4, 5, 6, 10, 11
_LOAD, _DYNAMIC = 1, 2
_ARM64 = 183


def shared_object(imports: tuple[str, ...], exports: tuple[str, ...] = (), needed: tuple[str, ...] = ()) -> bytes:
    """A 64-bit library for arm64 that takes ``imports`` from ``needed`` and offers ``exports``."""
    text = bytearray(b"\0")

    def string(value: str) -> int:
        at = len(text)
        text.extend(value.encode() + b"\0")
        return at

    symbols = bytes(24)
    for name in imports:
        symbols += struct.pack("<IBBHQQ", string(name), 0x12, 0, 0, 0, 0)
    for name in exports:
        symbols += struct.pack("<IBBHQQ", string(name), 0x12, 0, 1, 0x40, 4)
    count = len(symbols) // 24
    libraries = [string(name) for name in needed]
    table = struct.pack("<II", 1, count) + bytes(4) + struct.pack(f"<{count}I", *range(1, count), 0)
    headers = 64 + 2 * 56
    at_symbols = headers
    at_hash = at_symbols + len(symbols)
    at_text = at_hash + len(table)
    text += bytes(-(at_text + len(text)) % 8)
    at_dynamic = at_text + len(text)
    tags = [(_NEEDED, at) for at in libraries]
    tags += [(_HASH, at_hash), (_STRTAB, at_text), (_SYMTAB, at_symbols), (_STRSZ, len(text)), (_SYMENT, 24), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    size = at_dynamic + len(dynamic)
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, _ARM64, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", _LOAD, 7, 0, 0, 0, size, size, 4096)
    head += struct.pack("<IIQQQQQQ", _DYNAMIC, 6, at_dynamic, at_dynamic, at_dynamic, len(dynamic), len(dynamic), 8)
    return head + symbols + table + bytes(text) + dynamic
