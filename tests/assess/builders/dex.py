"""A tiny dex writer for tests: classes with methods whose code is given as units, everything else worked out.

    dex = Dex()
    main = dex.add("Lapp/Main;", parent="Landroid/app/Activity;")
    main.method("go", "()V", [*invoke(0x6E, [1], call("Lapi/Sms;", "send", "()V")), 0x0E])
    data = dex.build()

Units are 16-bit integers, or references (``call``, ``field_``, ``string``, ``type_``) that become indexes. What it
writes is sorted and checksummed as the format wants; ``build`` also notes where everything lies (``layout``), so that
a test can break one thing and ``resign`` the rest.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
NO_INDEX = 0xFFFFFFFF
RETURN_VOID = 0x0E


@dataclass(frozen=True)
class Ref:
    """An index that is known when the dex is written. ``part`` 0: its low 16 bits, 1: its high 16 bits."""

    kind: str
    key: tuple[str, ...]
    part: int = 0


def call(owner: str, name: str, proto: str) -> Ref:
    return Ref("method", (owner, name, proto))


def field_(owner: str, name: str, kind: str) -> Ref:
    return Ref("field", (owner, name, kind))


def string(value: str, part: int = 0) -> Ref:
    return Ref("string", (value,), part)


def type_(descriptor: str) -> Ref:
    return Ref("type", (descriptor,))


Unit = int | Ref


def invoke(opcode: int, registers: Sequence[int], method: Unit) -> list[Unit]:
    """invoke-kind {registers}, method (format 35c, or 45cc with a fourth unit for 0xfa)."""
    five = [*registers, 0, 0, 0, 0, 0][:5]
    first = opcode | len(registers) << 12 | five[4] << 8
    units = [first, method, five[0] | five[1] << 4 | five[2] << 8 | five[3] << 12]
    return [*units, 0] if opcode == 0xFA else units


def invoke_range(opcode: int, first: int, count: int, method: Unit) -> list[Unit]:
    """invoke-kind/range (format 3rc, or 4rcc for 0xfb)."""
    units = [opcode | count << 8, method, first]
    return [*units, 0] if opcode == 0xFB else units


def const_string(register: int, value: str) -> list[Unit]:
    return [0x1A | register << 8, string(value)]


def const_string_jumbo(register: int, value: str) -> list[Unit]:
    return [0x1B | register << 8, string(value), string(value, 1)]


def sget(register: int, what: Ref, opcode: int = 0x62) -> list[Unit]:
    return [opcode | register << 8, what]


def parameters_of(proto: str) -> list[str]:
    """Descriptors of the parameters in ``(args)ret``."""
    text, found, at = proto[1 : proto.index(")")], [], 0
    while at < len(text):
        end = at
        while text[end] == "[":
            end += 1
        end = text.index(";", end) + 1 if text[end] == "L" else end + 1
        found.append(text[at:end])
        at = end
    return found


def result_of(proto: str) -> str:
    return proto[proto.index(")") + 1 :]


def uleb128(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def mutf8(text: str) -> bytes:
    units = text.encode("utf-16-le", "surrogatepass")
    out = bytearray()
    for at in range(0, len(units), 2):
        unit = units[at] | units[at + 1] << 8
        if 0 < unit < 0x80:
            out.append(unit)
        elif unit < 0x800:
            out += bytes((0xC0 | unit >> 6, 0x80 | unit & 0x3F))
        else:
            out += bytes((0xE0 | unit >> 12, 0x80 | unit >> 6 & 0x3F, 0x80 | unit & 0x3F))
    return bytes(out)


@dataclass
class Method:
    name: str
    proto: str
    code: list[Unit] | None
    direct: bool
    registers: int = 16
    access: int = 1


@dataclass
class Class:
    descriptor: str
    parent: str | None
    interfaces: tuple[str, ...]
    methods: list[Method] = field(default_factory=list)

    def method(
        self, name: str, proto: str = "()V", code: Iterable[Unit] | None = (RETURN_VOID,), *, direct: bool = False
    ) -> Class:
        """Define a method; ``code`` None makes it abstract."""
        units = None if code is None else list(code)
        self.methods.append(Method(name, proto, units, direct))
        return self


@dataclass
class Layout:
    """Byte offsets of what was written."""

    tables: dict[str, int] = field(default_factory=dict)
    strings: dict[str, int] = field(default_factory=dict)
    class_data: dict[str, int] = field(default_factory=dict)
    code: dict[tuple[str, str, str], int] = field(default_factory=dict)
    map: int = 0


class Dex:
    """What goes into one logical dex file."""

    def __init__(self, version: str = "035") -> None:
        self.version = version
        self.classes: list[Class] = []
        self.extra: list[Ref] = []
        self.layout = Layout()

    def add(self, descriptor: str, parent: str | None = "Ljava/lang/Object;", interfaces: Iterable[str] = ()) -> Class:
        self.classes.append(Class(descriptor, parent, tuple(interfaces)))
        return self.classes[-1]

    def mention(self, *references: Ref) -> None:
        """Put rows into the tables that no code uses."""
        self.extra += references

    def build(self, base: int = 0) -> bytes:
        """The file's bytes. ``base``: where it will stand in a container; offsets count from the container's start."""
        return _Writer(self, base).write()


class _Writer:
    def __init__(self, dex: Dex, base: int) -> None:
        self.dex = dex
        self.base = base
        self._collect()

    def _collect(self) -> None:
        methods: set[tuple[str, str, str]] = set()
        fields: set[tuple[str, str, str]] = set()
        strings: set[str] = set()
        types: set[str] = set()
        for item in self.dex.classes:
            types |= {item.descriptor, *item.interfaces, *([item.parent] if item.parent else [])}
            methods |= {(item.descriptor, method.name, method.proto) for method in item.methods}
        code = [unit for item in self.dex.classes for method in item.methods for unit in method.code or ()]
        for ref in [*code, *self.dex.extra]:
            if not isinstance(ref, Ref):
                continue
            if ref.kind == "method":
                methods.add(ref.key)  # type: ignore[arg-type]
            elif ref.kind == "field":
                fields.add(ref.key)  # type: ignore[arg-type]
            elif ref.kind == "type":
                types.add(ref.key[0])
            else:
                strings.add(ref.key[0])
        protos = {proto for _, _, proto in methods}
        for proto in protos:
            types |= {result_of(proto), *parameters_of(proto)}
            strings.add(_shorty(proto))
        types |= {owner for owner, _, _ in methods} | {part for owner, _, kind in fields for part in (owner, kind)}
        strings |= types | {name for _, name, _ in methods} | {name for _, name, _ in fields}
        self.strings = _numbered(strings, lambda text: text.encode("utf-16-be", "surrogatepass"))
        self.types = _numbered(types, lambda kind: self.strings[kind])
        self.protos = _numbered(
            protos, lambda proto: (self.types[result_of(proto)], [self.types[kind] for kind in parameters_of(proto)])
        )
        self.fields = _numbered(fields, lambda row: (self.types[row[0]], self.strings[row[1]], self.types[row[2]]))
        self.methods = _numbered(methods, lambda row: (self.types[row[0]], self.strings[row[1]], self.protos[row[2]]))

    def write(self) -> bytes:
        self.layout = self.dex.layout = Layout()
        self.header = 0x78 if int(self.dex.version) >= 41 else 0x70
        sizes = {
            "string_ids": 4 * len(self.strings),
            "type_ids": 4 * len(self.types),
            "proto_ids": 12 * len(self.protos),
            "field_ids": 8 * len(self.fields),
            "method_ids": 8 * len(self.methods),
            "class_defs": 32 * len(self.dex.classes),
        }
        at = self.base + self.header
        for name, size in sizes.items():
            self.layout.tables[name] = at
            at += size
        self.data = bytearray()
        self.data_at = at
        lists = self._type_lists()
        codes = self._codes()
        class_data = {item.descriptor: self._class_data(item, codes) for item in self.dex.classes}
        self.layout.class_data.update(class_data)
        for text in self.strings:
            self.layout.strings[text] = self._here()
            self.data += uleb128(len(text.encode("utf-16-le", "surrogatepass")) // 2) + mutf8(text) + b"\0"
        self._align()
        self.layout.map = self._here()
        self._map()
        self._align()
        body = self._tables(lists, class_data) + bytes(self.data)
        return resign(self._header(len(body)) + body, 0)

    def _here(self) -> int:
        return self.data_at + len(self.data)

    def _align(self) -> None:
        self.data += bytes(-len(self.data) % 4)

    def _type_lists(self) -> dict[tuple[str, ...], int]:
        wanted = {tuple(parameters_of(proto)) for proto in self.protos} | {item.interfaces for item in self.dex.classes}
        found = {(): 0}
        for kinds in sorted(wanted - {()}):
            self._align()
            found[kinds] = self._here()
            self.data += struct.pack(f"<I{len(kinds)}H", len(kinds), *(self.types[kind] for kind in kinds))
        self._align()
        return found

    def _codes(self) -> dict[tuple[str, str, str], int]:
        for item in self.dex.classes:
            for method in item.methods:
                if method.code is None:
                    continue
                self._align()
                units = [self._unit(unit) for unit in method.code]
                key = (item.descriptor, method.name, method.proto)
                self.layout.code[key] = self._here()
                ins = len(parameters_of(method.proto)) + 1
                self.data += struct.pack("<4HII", method.registers, ins, 5, 0, 0, len(units))
                self.data += struct.pack(f"<{len(units)}H", *units)
        return self.layout.code

    def _unit(self, unit: Unit) -> int:
        if not isinstance(unit, Ref):
            return unit & 0xFFFF
        if unit.kind == "method":
            index = self.methods[unit.key]  # type: ignore[index]
        elif unit.kind == "field":
            index = self.fields[unit.key]  # type: ignore[index]
        else:
            index = (self.types if unit.kind == "type" else self.strings)[unit.key[0]]
        return index >> 16 * unit.part & 0xFFFF

    def _class_data(self, item: Class, codes: dict[tuple[str, str, str], int]) -> int:
        if not item.methods:
            return 0
        at = self._here()
        groups = [[method for method in item.methods if method.direct is direct] for direct in (True, False)]
        self.data += uleb128(0) + uleb128(0) + uleb128(len(groups[0])) + uleb128(len(groups[1]))
        for group in groups:
            before = 0
            rows = [(self.methods[item.descriptor, method.name, method.proto], method) for method in group]
            for index, method in sorted(rows, key=lambda row: row[0]):
                code = codes.get((item.descriptor, method.name, method.proto), 0)
                self.data += uleb128(index - before) + uleb128(method.access) + uleb128(code)
                before = index
        return at

    def _map(self) -> None:
        counts = (self.strings, self.types, self.protos, self.fields, self.methods, self.dex.classes)
        rows = [(0, 1, self.base)]
        rows += [
            (kind + 1, len(rows_), self.layout.tables[name])
            for kind, (name, rows_) in enumerate(zip(self.layout.tables, counts, strict=True))
            if rows_
        ]
        rows.append((0x1000, 1, self.layout.map))
        self.data += struct.pack("<I", len(rows))
        for kind, size, offset in rows:
            self.data += struct.pack("<HHII", kind, 0, size, offset)

    def _tables(self, lists: dict[tuple[str, ...], int], class_data: dict[str, int]) -> bytes:
        out = bytearray()
        for text in self.strings:
            out += struct.pack("<I", self.layout.strings[text])
        for kind in self.types:
            out += struct.pack("<I", self.strings[kind])
        for proto in self.protos:
            arguments = lists[tuple(parameters_of(proto))]
            out += struct.pack("<III", self.strings[_shorty(proto)], self.types[result_of(proto)], arguments)
        for owner, name, kind in self.fields:
            out += struct.pack("<HHI", self.types[owner], self.types[kind], self.strings[name])
        for owner, name, proto in self.methods:
            out += struct.pack("<HHI", self.types[owner], self.protos[proto], self.strings[name])
        for item in self.dex.classes:
            parent = self.types[item.parent] if item.parent else NO_INDEX
            row = (self.types[item.descriptor], 1, parent, lists[item.interfaces], NO_INDEX, 0)
            out += struct.pack("<8I", *row, class_data[item.descriptor], 0)
        return bytes(out)

    def _header(self, body: int) -> bytes:
        size = self.header + body
        tables = self.layout.tables
        counts = (self.strings, self.types, self.protos, self.fields, self.methods, self.dex.classes)
        numbers = [
            number
            for (_, offset), rows in zip(tables.items(), counts, strict=True)
            for number in (len(rows), offset if rows else 0)
        ]
        head = b"dex\n" + self.dex.version.encode() + b"\0" + bytes(24)
        head += struct.pack("<IIIIII", size, self.header, 0x12345678, 0, 0, self.layout.map)
        head += struct.pack("<12I", *numbers) + struct.pack("<II", len(self.data), self.data_at)
        return head + (struct.pack("<II", self.base + size, self.base) if self.header > 0x70 else b"")


def _shorty(proto: str) -> str:
    return "".join("L" if kind[0] in "L[" else kind for kind in [result_of(proto), *parameters_of(proto)])


def _numbered(rows: Iterable[T], key: Callable[[T], object]) -> dict[T, int]:
    return {row: at for at, row in enumerate(sorted(rows, key=key))}  # type: ignore[arg-type]


def resign(data: bytes, base: int = 0) -> bytes:
    """The same bytes with a right signature and checksum of the logical file at ``base``."""
    out = bytearray(data)
    (size,) = struct.unpack_from("<I", out, base + 32)
    end = min(base + size, len(out))
    out[base + 12 : base + 32] = hashlib.sha1(out[base + 32 : end], usedforsecurity=False).digest()
    struct.pack_into("<I", out, base + 8, zlib.adler32(out[base + 12 : end]))
    return bytes(out)


def patched(data: bytes, offset: int, new: bytes, *, sign: bool = True) -> bytes:
    """The same bytes with some replaced, and the checksums made right again."""
    out = data[:offset] + new + data[offset + len(new) :]
    return resign(out) if sign else out


def container(*files: Dex) -> bytes:
    """A dex container (version 041) of several logical files."""
    data, bases = b"", []
    for dex in files:
        bases.append(len(data))
        data += dex.build(len(data))
    out = bytearray(data)
    for base in bases:
        struct.pack_into("<I", out, base + 112, len(out))
    for base in bases:
        out[:] = resign(bytes(out), base)
    return bytes(out)
