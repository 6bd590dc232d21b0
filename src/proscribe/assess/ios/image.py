"""The shape of a Mach-O file: its architectures, and the load commands of each. Nothing in it is believed.

An own reader rather than a library: it looks at a few kilobytes of files with hundreds of megabytes, says at which
command a file stops making sense, cannot crash the process, and is checked against lief and LLVM in the tests.
Layouts: Apple's ``mach-o/loader.h``, ``mach-o/fat.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from proscribe.assess.ios.window import Window

MAX_SLICES = 16
MAX_COMMANDS = 1 << 20  # bytes of load commands

_THIN = {b"\xce\xfa\xed\xfe": False, b"\xcf\xfa\xed\xfe": True}  # little-endian; True: 64 bits
_BIG_ENDIAN = {b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf"}
_FAT = {b"\xca\xfe\xba\xbe": struct.Struct(">IIIII"), b"\xca\xfe\xba\xbf": struct.Struct(">IIQQII")}
MAGICS = frozenset({*_THIN, *_BIG_ENDIAN, *_FAT})

DSYM = 0xA  # file type of a companion file for debuggers: no code, no imports

_SEGMENT, _SEGMENT_64 = 0x1, 0x19
_SYMTAB = 0x2
_DYLIBS = {0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023}  # load, weak, re-export, lazy, upward
_SIGNATURE = 0x1D
_ENCRYPTION = {0x21, 0x2C}
_DYLD_INFO = {0x22, 0x80000022}
_CHAINED_FIXUPS = 0x80000034
_SUBTYPE = 0x00FFFFFF
_CPU = {7: "i386", 0x01000007: "x86_64", 12: "arm", 0x0100000C: "arm64", 0x0200000C: "arm64_32"}
_ARM = {(12, 6): "armv6", (12, 9): "armv7", (12, 11): "armv7s", (12, 12): "armv7k", (0x0100000C, 2): "arm64e"}


@dataclass(slots=True)
class Budget:
    """What all Mach-O files of one package may cost together."""

    symbols: int = 2_000_000  # rows of symbol tables
    binds: int = 8 << 20  # bytes of bind opcodes
    entitlements: int = 4 << 20  # bytes


@dataclass(slots=True)
class Image:
    """One architecture's load commands. Ranges are (offset, length) within ``window``; (0, 0): there is none.

    ``problem`` "" or where it stopped making sense; what was read before that stands.
    """

    window: Window
    architecture: str = ""
    wide: bool = False
    kind: int = 0
    libraries: list[str] = field(default_factory=list)
    sections: dict[str, tuple[int, int]] = field(default_factory=dict)  # those of __TEXT that hold entitlements
    symbols: tuple[int, int] = (0, 0)
    strings: tuple[int, int] = (0, 0)
    binds: list[tuple[int, int]] = field(default_factory=list)
    fixups: tuple[int, int] = (0, 0)
    signature: tuple[int, int] = (0, 0)
    encryption: tuple[int, int] = (0, 0)
    encrypted: bool = False
    problem: str = ""
    detail: str = ""

    def fault(self, code: str, detail: str) -> None:
        """Keep the first problem."""
        if not self.problem:
            self.problem, self.detail = code, detail

    def ranges(self) -> Iterator[tuple[int, int]]:
        """What of the file the further readers look at."""
        yield from (self.symbols, self.strings, *self.binds, self.fixups, self.signature, *self.sections.values())

    def get(self, place: tuple[int, int], what: str) -> memoryview:
        """The bytes of a range; empty, and a problem, where they are not in the file."""
        if not place[1]:
            return memoryview(b"")
        data = self.window.get(*place)
        if data is None:
            outside = place[0] + place[1] > self.window.size
            self.fault(f"macho.{what}-outside" if outside else f"macho.{what}-too-large", f"{place[1]} at {place[0]}")
        return memoryview(b"") if data is None else data


def wanted(window: Window) -> list[tuple[int, int]]:
    """For ``open_window``: the ranges of a large file that its facts are read from."""
    ranges: list[tuple[int, int]] = []
    for start, length in _slices(window)[0]:
        inside = window.slice(start, length)
        ranges.append((start, min(length, MAX_COMMANDS)))
        ranges += [(start + offset, size) for offset, size in read_image(inside).ranges() if size]
    return ranges


def images(window: Window) -> list[Image]:
    """Every architecture of a file, at least one."""
    places, problem, detail = _slices(window)
    found = [read_image(window.slice(start, length)) for start, length in places] or [Image(window)]
    if problem:
        found[-1].fault(problem, detail)
    return found


def _slices(window: Window) -> tuple[list[tuple[int, int]], str, str]:
    """Offsets and lengths of the architectures, and what is wrong with the table of them."""
    magic = bytes(window.get(0, 4) or b"")
    if magic not in _FAT:
        return [(0, window.size)], "", ""
    layout = _FAT[magic]
    count = int.from_bytes(window.get(4, 4) or b"", "big")
    if not 1 <= count <= MAX_SLICES:
        return [], "macho.slice-count", str(count)
    places: list[tuple[int, int]] = []
    for index in range(count):
        row = window.get(8 + index * layout.size, layout.size)
        if row is None:
            return places, "macho.truncated", f"architecture {index}"
        _, _, offset, size, *_ = layout.unpack(row)
        if not size or offset + size > window.size:
            return places, "macho.slice-outside", f"architecture {index}: {size} at {offset}"
        if any(offset < other + length and other < offset + size for other, length in places):
            return places, "macho.slices-overlap", f"architecture {index}"
        places.append((offset, size))
    return places, "", ""


def read_image(window: Window) -> Image:
    """The load commands of one architecture. Never raises: see ``Image.problem``."""
    image = Image(window)
    magic = bytes(window.get(0, 4) or b"")
    head = window.get(0, 28)
    if magic not in _THIN:
        image.fault("macho.big-endian" if magic in _BIG_ENDIAN else "macho.magic", magic.hex())
        return image
    if head is None:
        image.fault("macho.truncated", f"{window.size} bytes")
        return image
    image.wide = _THIN[magic]
    cpu, subtype, image.kind, count, size = struct.unpack_from("<5I", head, 4)
    image.architecture = _ARM.get((cpu, subtype & _SUBTYPE)) or _CPU.get(cpu) or f"cpu{cpu}"
    start = 32 if image.wide else 28
    commands = window.get(start, size) if size <= MAX_COMMANDS else None
    if commands is None:
        image.fault("macho.commands-outside", f"{size} bytes")
        commands = window.get(start, min(size, MAX_COMMANDS, max(window.size - start, 0))) or memoryview(b"")
    _walk(image, commands, count)
    return image


def _walk(image: Image, commands: memoryview, count: int) -> None:
    at = 0
    for index in range(count):
        if at + 8 > len(commands):
            image.fault("macho.commands-cut-off", f"{index} of {count}")
            return
        command, size = struct.unpack_from("<II", commands, at)
        body = commands[at : at + size]
        if size < 8 or len(body) < size:
            image.fault("macho.command-size", f"command {index}: {size} bytes")
            return
        try:
            _take(image, command, body)
        except struct.error:
            image.fault("macho.command-size", f"command {index}: {size} bytes")
        at += size


def _take(image: Image, command: int, body: memoryview) -> None:
    """Note what a load command says. Raises struct.error where it is too short for its kind."""
    if command in {_SEGMENT, _SEGMENT_64}:
        _segment(image, body, wide=command == _SEGMENT_64)
    elif command in _DYLIBS:
        (name,) = struct.unpack_from("<I", body, 8)
        text = bytes(body[name:]).split(b"\0", 1)[0] if name >= 12 else b""
        image.libraries.append(text.decode(errors="replace"))
        if not text:
            image.fault("macho.library-name", f"offset {name}")
    elif command == _SYMTAB:
        offset, count, strings, length = struct.unpack_from("<4I", body, 8)
        image.symbols = (offset, count * (16 if image.wide else 12))
        image.strings = (strings, length)
    elif command in _DYLD_INFO:
        numbers = struct.unpack_from("<10I", body, 8)
        image.binds += [(numbers[2], numbers[3]), (numbers[4], numbers[5]), (numbers[6], numbers[7])]
    elif command == _CHAINED_FIXUPS:
        image.fixups = struct.unpack_from("<II", body, 8)
    elif command == _SIGNATURE:
        image.signature = struct.unpack_from("<II", body, 8)
    elif command in _ENCRYPTION:
        offset, length, identifier = struct.unpack_from("<III", body, 8)
        image.encryption = (offset, length)
        image.encrypted = identifier != 0


def _segment(image: Image, body: memoryview, *, wide: bool) -> None:
    layout = struct.Struct("<16s4Q4I" if wide else "<16s8I")
    _, _, _, offset, length, _, _, count, _ = layout.unpack_from(body, 8)
    if offset + length > image.window.size:
        image.fault("macho.segment-outside", f"{length} at {offset}")
    row = struct.Struct("<16s16s2Q4x" if wide else "<16s16s2I")
    size = 80 if wide else 68
    start = 8 + layout.size
    for at in range(start, min(start + count * size, len(body) - size + 1), size):
        name, segment, _, length = row.unpack_from(body, at)
        if name.rstrip(b"\0") in _ENTITLEMENTS and segment.rstrip(b"\0") == b"__TEXT":
            (offset,) = struct.unpack_from("<I", body, at + (48 if wide else 40))
            image.sections[name.rstrip(b"\0").decode()] = (offset, length)


_ENTITLEMENTS = {b"__entitlements", b"__ents_der"}
