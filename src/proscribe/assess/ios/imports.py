"""The symbols that a Mach-O file takes from others: what it refers to, which is evidence E2 and no more.

Three tables name them, and all three are read, because a file made to deceive can leave a name out of one: the symbol
table (undefined external symbols), the bind opcodes of ``LC_DYLD_INFO``, and the import table of
``LC_DYLD_CHAINED_FIXUPS``. A class of Objective-C is an import too (``_OBJC_CLASS_$_CNContactStore``). Encryption by
FairPlay leaves all of them in the clear: they lie in ``__LINKEDIT``.

Call sites are not looked for: Swift and Objective-C calls need the code, which a store app has encrypted. Layouts:
``mach-o/nlist.h``, ``mach-o/loader.h``, ``mach-o/fixup-chains.h``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import chain

from proscribe.assess.ios.image import Budget, Image

MAX_NAMES = 200_000  # of one architecture; the largest apps import some ten thousand
MAX_NAME = 4096  # bytes; mangled names of Swift have some hundreds
MAX_NAME_BYTES = 16 << 20


_EXTERNAL, _TYPE, _DEBUGGER = 0x01, 0x0E, 0xE0
_ROWS = {True: struct.Struct("<IBBHQ"), False: struct.Struct("<IBBHI")}
_FIXUPS = struct.Struct("<7I")
_IMPORTS = {1: struct.Struct("<I"), 2: struct.Struct("<Ii"), 3: struct.Struct("<QQ")}
_ZLIB = 1


def imports(image: Image, budget: Budget) -> set[bytes]:
    """The names of all imported symbols. A table that cannot be read becomes ``image.problem``."""
    names: set[bytes] = set()
    size = 0
    for name in chain(_undefined(image, budget), _bound(image, budget), _chained(image)):
        if name in names:
            continue
        names.add(name)
        size += len(name)
        if len(names) >= MAX_NAMES or size > MAX_NAME_BYTES:
            image.fault("macho.too-many-imports", f"{len(names)} names of {size} bytes")
            break
    return names


def _name(strings: bytes, offset: int) -> bytes:
    end = strings.find(b"\0", offset, offset + MAX_NAME)
    return strings[offset : end if end >= 0 else offset + MAX_NAME]


def _undefined(image: Image, budget: Budget) -> Iterator[bytes]:
    """The symbol table: external, defined by nobody here, no common symbol (value 0), no debugger's entry."""
    row = _ROWS[image.wide]
    table = image.get(image.symbols, "symbols")
    count = len(table) // row.size
    if count > budget.symbols:
        image.fault("macho.too-many-symbols", f"{count} > {budget.symbols}")
        count = budget.symbols
    budget.symbols -= count
    strings = bytes(image.get(image.strings, "strings")) if count else b""
    seen: set[int] = set()  # a table that names one long string a million times costs no more than once
    for offset, kind, _, _, value in row.iter_unpack(table[: count * row.size]):
        if kind & (_EXTERNAL | _TYPE | _DEBUGGER) == _EXTERNAL and not value and offset not in seen:
            if len(seen) < MAX_NAMES:
                seen.add(offset)
            if name := _name(strings, offset):
                yield name
            else:
                image.fault("macho.symbol-name", f"offset {offset} of {len(strings)}")


# ---- bind opcodes --------------------------------------------------------------------------------------------------

_SET_SYMBOL = 0x40
# How many LEB128 numbers follow an opcode; SET_DYLIB_ORDINAL_ULEB, SET_ADDEND_SLEB, SET_SEGMENT, ADD_ADDR, ...
_NUMBERS = {0x20: 1, 0x60: 1, 0x70: 1, 0x80: 1, 0xA0: 1, 0xC0: 2}
_THREADED = 0xD0  # with 0 in its low bits: a number follows


def _bound(image: Image, budget: Budget) -> Iterator[bytes]:
    for place in image.binds:
        data = bytes(image.get(place, "binds"))
        if len(data) > budget.binds:
            image.fault("macho.binds-too-large", f"{len(data)} > {budget.binds}")
        yield from _opcodes(data[: budget.binds])
        budget.binds = max(budget.binds - len(data), 0)


def _opcodes(data: bytes) -> Iterator[bytes]:
    at, end = 0, len(data)
    while at < end:
        opcode = data[at] & 0xF0
        if opcode == _SET_SYMBOL:
            stop = data.find(b"\0", at + 1)
            stop = end if stop < 0 else stop
            if at + 1 < stop <= at + MAX_NAME:
                yield data[at + 1 : stop]
            at = stop + 1
            continue
        numbers = 1 if data[at] == _THREADED else _NUMBERS.get(opcode, 0)
        at += 1
        while numbers and at < end:
            numbers -= data[at] < 0x80
            at += 1


# ---- chained fixups ------------------------------------------------------------------------------------------------


def _chained(image: Image) -> Iterator[bytes]:
    data = image.get(image.fixups, "fixups")
    if not data:
        return
    if len(data) < _FIXUPS.size:
        image.fault("macho.fixups", "header")
        return
    _, _, imported, symbols, count, layout, packed = _FIXUPS.unpack_from(data)
    row = _IMPORTS.get(layout)
    if row is None or imported + count * row.size > len(data) or symbols > len(data):
        image.fault("macho.fixups", f"{count} of format {layout} at {imported}")
        return
    if count > MAX_NAMES:
        image.fault("macho.too-many-imports", str(count))
        count = MAX_NAMES
    strings = _pool(image, bytes(data[symbols:]), packed)
    shift = 32 if layout == 3 else 9
    for first, *_ in row.iter_unpack(data[imported : imported + count * row.size]):
        if name := _name(strings, first >> shift):
            yield name
        else:
            image.fault("macho.symbol-name", f"offset {first >> shift} of {len(strings)}")


def _pool(image: Image, data: bytes, packed: int) -> bytes:
    if packed != _ZLIB:
        return data
    try:
        return zlib.decompressobj().decompress(data, MAX_NAME_BYTES)
    except zlib.error:
        image.fault("macho.fixups", "zlib")
        return b""
