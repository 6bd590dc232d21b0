"""What an ELF file asks of others: the libraries it needs and the symbols it imports, by the tables a loader uses.

Section headers are not looked at: Android does not need them, and packers drop or forge them.
Source: System V ABI, chapter 5 ("Dynamic Linking"); the GNU hash table as bionic's linker reads it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from proscribe.assess.code.strings import Ints

WIDE = 2  # EI_CLASS: 64 bits
_EXECUTABLE = 2  # e_type
_MIPS = 8  # e_machine
_LOADED, _DYNAMIC = 1, 2  # p_type
_NEEDED, _PLT_SIZE, _HASH, _STRINGS, _SYMBOLS = 1, 2, 4, 5, 6
_RELA, _RELA_SIZE, _STRINGS_SIZE, _REL, _REL_SIZE, _PLT_KIND, _PLT = 7, 8, 10, 17, 18, 20, 23
_GNU_HASH = 0x6FFFFEF5
_MOST_TAGS = 4096
_MOST_IMPORTS = 200_000  # the largest libraries have a tenth of that
_SHARED = 4  # names may end alike and share their bytes, yet together they are not that many times the table


class ElfFault(Exception):
    """Why the tables cannot be read; ``code`` is a stable problem code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Distinct names. Empty for a static program, which asks nothing of anybody."""

    needed: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()


def read_dynamic(data: bytes) -> Dynamic:
    """The dynamic section of a little-endian ELF file and what it leads to. Raises ElfFault."""
    wide = data[4] == WIDE
    if len(data) < (64 if wide else 52):
        raise ElfFault("elf.truncated")
    image = _Image(data, wide=wide)
    if image.dynamic is None:
        if image.kind == _EXECUTABLE:
            return Dynamic()
        raise ElfFault("elf.no-dynamic")
    return image.read()


class _Image:
    """An ELF file by its segments: addresses lead to places in the file."""

    def __init__(self, data: bytes, *, wide: bool) -> None:
        self.data, self.wide = data, wide
        self.word = np.dtype("<u8" if wide else "<u4")
        self.kind, self.machine = struct.unpack_from("<HH", data, 16)
        (start,) = struct.unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)
        size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
        if start + size * count > len(data) or (count and size < (56 if wide else 32)):
            raise ElfFault("elf.truncated")
        self.segments: list[tuple[int, int, int]] = []  # address, place, bytes
        self.dynamic: tuple[int, int] | None = None
        for at in range(start, start + size * count, size or 1):
            kind, place, address, length = struct.unpack_from("<I4xQQ8xQ" if wide else "<III4xI", data, at)
            if kind in {_LOADED, _DYNAMIC} and place + length > len(data):
                raise ElfFault("elf.truncated")
            if kind == _LOADED:
                self.segments.append((address, place, length))
            elif kind == _DYNAMIC:
                self.dynamic = place, length

    def read(self) -> Dynamic:
        tags = self._tags()
        if not {_STRINGS, _STRINGS_SIZE, _SYMBOLS} <= tags.keys():
            raise ElfFault("elf.unreadable")
        text, room = self._place(tags[_STRINGS][0])
        strings = self.data[text : text + min(room, tags[_STRINGS_SIZE][0])]
        return Dynamic(_texts(strings, tags.get(_NEEDED, ())), _texts(strings, self._imports(tags)))

    def _tags(self) -> dict[int, list[int]]:
        place, length = self.dynamic or (0, 0)
        rows = np.frombuffer(self.data, self.word, length // (2 * self.word.itemsize) * 2, place).reshape(-1, 2)
        found: dict[int, list[int]] = {}
        for tag, value in rows[:_MOST_TAGS].tolist():
            if tag == 0:
                return found
            found.setdefault(tag, []).append(value)
        if len(rows) > _MOST_TAGS:
            raise ElfFault("elf.unreadable")
        return found

    def _place(self, address: int) -> tuple[int, int]:
        """Where an address lies in the file, and how many bytes of its segment follow."""
        for begin, place, length in self.segments:
            if begin <= address < begin + length:
                return place + address - begin, length - (address - begin)
        raise ElfFault("elf.unreadable")

    def _table(self, address: int, count: int, kind: str | np.dtype[np.uint64] = "<u4") -> Ints:
        """``count`` numbers at an address; fewer where the segment ends."""
        place, room = self._place(address)
        return np.frombuffer(self.data, kind, min(count, room // np.dtype(kind).itemsize), place)

    def _imports(self, tags: dict[int, list[int]]) -> set[int]:
        """Where the names stand of the symbols that are in no section of this file."""
        width, section = (24, 6) if self.wide else (16, 14)
        place, room = self._place(tags[_SYMBOLS][0])
        count = self._symbols(tags)
        if count > room // width:
            raise ElfFault("elf.truncated")
        table = np.frombuffer(self.data, np.uint8, count * width, place).reshape(-1, width)
        names = table[:, 0:4].copy().view("<u4")[:, 0]
        missing = ~table[:, section : section + 2].any(axis=1)
        offsets = names[missing]
        if len(offsets) > _MOST_IMPORTS:
            raise ElfFault("elf.unreadable")
        return set(offsets.tolist())

    def _symbols(self, tags: dict[int, list[int]]) -> int:
        """How many symbols there are. No field says so: the hash tables that find them do, and what uses them."""
        count = 0
        if _HASH in tags:
            count = int(self._table(tags[_HASH][0], 2)[1:].sum())
        if _GNU_HASH in tags:
            count = max(count, self._hashed(tags[_GNU_HASH][0]))
        # A relocation is laid out in another way for MIPS; Android has left that behind.
        return count if self.machine == _MIPS else max(count, self._used(tags))

    def _hashed(self, address: int) -> int:
        """By the GNU hash table: the symbols before the first one in it, and those up to the end of its last chain."""
        head = self._table(address, 4).tolist()
        if len(head) < 4:
            raise ElfFault("elf.unreadable")
        buckets, first, filters, _ = head
        after = address + 16 + filters * self.word.itemsize
        last = int(self._table(after, buckets).max(initial=0))
        if last == 0:
            return 0  # an empty table, in which linkers write any number for the first
        if last < first:
            raise ElfFault("elf.unreadable")
        chain = self._table(after + 4 * (buckets + last - first), len(self.data))
        ends = np.flatnonzero(chain & 1)
        return last + 1 + int(ends[0] if len(ends) else len(chain))

    def _used(self, tags: dict[int, list[int]]) -> int:
        """One more than the highest symbol that a relocation names."""
        plt = 3 if tags.get(_PLT_KIND) == [_RELA] else 2
        highest = -1
        for width, table, size in ((3, _RELA, _RELA_SIZE), (2, _REL, _REL_SIZE), (plt, _PLT, _PLT_SIZE)):
            if table in tags and size in tags:
                words = self._table(tags[table][0], tags[size][0] // self.word.itemsize, self.word)
                symbols = words[1::width] >> (32 if self.wide else 8)
                highest = max(highest, int(symbols.max(initial=0)))
        return highest + 1


def _texts(strings: bytes, offsets: Iterable[int]) -> frozenset[str]:
    """The names that begin at ``offsets``; tables made to repeat themselves without end are refused."""
    found = set()
    left = _SHARED * len(strings)
    for offset in offsets:
        end = strings.find(b"\0", offset)
        name = strings[offset : end if end >= 0 else None]
        left -= len(name)
        if left < 0:
            raise ElfFault("elf.unreadable")
        found.add(name.decode("utf-8", "backslashreplace"))
    return frozenset(found - {""})
