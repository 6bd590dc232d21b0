"""Mach-O files, their signatures and fat files, built from Apple's headers for tests: small, valid, made to order.

A plain module: load it by path (the tests run in importlib mode). ``mach-o/loader.h``, ``mach-o/nlist.h``,
``mach-o/fixup-chains.h``, ``cs_blobs.h``.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CPUS = {"arm64": (0x0100000C, 0), "arm64e": (0x0100000C, 2), "armv7": (12, 9), "x86_64": (0x01000007, 3)}
PAGE = 0x4000


# ---- code signatures -----------------------------------------------------------------------------------------------


def der(tag: int, content: bytes) -> bytes:
    """One DER value."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    width = (size.bit_length() + 7) // 8
    return bytes((tag, 0x80 | width)) + size.to_bytes(width, "big") + content


def der_value(value: Any) -> bytes:
    """A value as entitlements hold it in DER."""
    if isinstance(value, bool):
        return der(0x01, b"\xff" if value else b"\x00")
    if isinstance(value, int):
        return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    if isinstance(value, str):
        return der(0x0C, value.encode())
    if isinstance(value, bytes):
        return der(0x04, value)
    if isinstance(value, list):
        return der(0x30, b"".join(der_value(item) for item in value))
    pairs = (der(0x30, der_value(key) + der_value(inner)) for key, inner in sorted(value.items()))
    return der(0xB0, b"".join(pairs))


def der_entitlements(entitlements: Mapping[str, Any]) -> bytes:
    """The content of slot 7."""
    return der(0x70, der_value(1) + der_value(dict(entitlements)))


def blob(magic: int, content: bytes) -> bytes:
    return struct.pack(">II", magic, len(content) + 8) + content


def code_directory(
    identifier: str = "ca.example.app",
    team: str = "",
    special: Mapping[int, bytes] | None = None,
    *,
    ad_hoc: bool = False,
) -> bytes:
    """A SHA-256 code directory without pages. ``special``: what each special slot seals, by its number."""
    special = special or {}
    slots = max(special, default=0)
    names = identifier.encode() + b"\0" + (team.encode() + b"\0" if team else b"")
    head = 52
    hashes = b"".join(
        hashlib.sha256(special[slot]).digest() if slot in special else bytes(32) for slot in range(slots, 0, -1)
    )
    team_at = head + len(identifier) + 1 if team else 0
    fixed = struct.pack(
        ">7I4B4I",
        0x20200,
        0x2 if ad_hoc else 0,
        head + len(names) + len(hashes),
        head,
        slots,
        0,
        0,
        32,
        2,
        0,
        12,
        0,
        0,
        team_at,
        0,
    )
    return blob(0xFADE0C02, fixed[: head - 8] + names + hashes)


def superblob(blobs: Iterable[tuple[int, bytes]]) -> bytes:
    """An embedded signature of blobs by slot number."""
    parts = list(blobs)
    at = 12 + 8 * len(parts)
    index, body = b"", b""
    for slot, part in parts:
        index += struct.pack(">II", slot, at + len(body))
        body += part
    return struct.pack(">III", 0xFADE0CC0, at + len(body), len(parts)) + index + body


@dataclass
class Signing:
    """A signature to order. ``xml`` and ``der``: the bytes of the entitlements; ``info``: the Info.plist it seals."""

    identifier: str = "ca.example.app"
    team: str = "ABCDE12345"
    xml: bytes | None = None
    der: bytes | None = None
    cms: bytes = b"not a certificate, but not nothing"
    info: bytes | None = None
    extra: list[tuple[int, bytes]] = field(default_factory=list)

    def build(self) -> bytes:
        blobs, special = list(self.extra), {}
        if self.info is not None:
            special[1] = self.info
        for slot, magic, content in ((5, 0xFADE7171, self.xml), (7, 0xFADE7172, self.der)):
            if content is not None:
                special[slot] = blob(magic, content)
                blobs.append((slot, special[slot]))
        directory = code_directory(self.identifier, self.team, special, ad_hoc=not self.cms)
        return superblob([(0, directory), *blobs, (0x10000, blob(0xFADE0B01, self.cms))])


# ---- Mach-O --------------------------------------------------------------------------------------------------------


@dataclass
class Thin:
    """One architecture to order. ``symbols_in``: the tables that name the imports (symtab, binds, fixups)."""

    architecture: str = "arm64"
    kind: int = 2
    libraries: tuple[str, ...] = ("/usr/lib/libSystem.B.dylib",)
    imports: tuple[str, ...] = ()
    defined: tuple[str, ...] = ()
    symbols_in: tuple[str, ...] = ("symtab", "binds")
    fixups_format: int = 1
    cryptid: int | None = None
    signing: Signing | None = None
    sections: Mapping[str, bytes] = field(default_factory=dict)
    padding: int = 0  # bytes of code

    @property
    def wide(self) -> bool:
        return self.architecture != "armv7"

    def build(self) -> bytes:
        text = self._text_size()
        edit, places = self._link_edit(text)
        commands = self._commands(text, len(edit), places)
        head = struct.pack(
            "<7I",
            0xFEEDFACF if self.wide else 0xFEEDFACE,
            *CPUS[self.architecture],
            self.kind,
            len(commands),
            sum(map(len, commands)),
            0x85,
        ) + (bytes(4) if self.wide else b"")
        front = head + b"".join(commands)
        assert len(front) <= PAGE, "too many load commands for one page"
        return front.ljust(PAGE, b"\0") + b"".join(self.sections.values()).ljust(text - PAGE, b"\0") + edit

    def _text_size(self) -> int:
        size = PAGE + sum(map(len, self.sections.values())) + self.padding
        return (size + PAGE - 1) // PAGE * PAGE

    def _link_edit(self, start: int) -> tuple[bytes, dict[str, tuple[int, int]]]:
        """``__LINKEDIT`` and where in the file its parts lie: fixups, binds, symtab, strings, signature."""
        edit, places = b"", {}

        def put(name: str, content: bytes) -> None:
            nonlocal edit
            edit += bytes(-len(edit) % 16)
            places[name] = (start + len(edit), len(content))
            edit += content

        if "fixups" in self.symbols_in:
            put("fixups", self._fixups())
        if "binds" in self.symbols_in:
            put("binds", b"".join(b"\x11\x40" + name.encode() + b"\0\x51\x71\x08\x90" for name in self.imports) + b"\0")
        rows, strings = self._symbols()
        put("symtab", rows)
        put("strings", strings)
        if self.signing:
            put("signature", self.signing.build())
        return edit, places

    def _symbols(self) -> tuple[bytes, bytes]:
        row = struct.Struct("<IBBHQ" if self.wide else "<IBBHI")
        undefined = self.imports if "symtab" in self.symbols_in else ()
        rows, strings = b"", b"\0"
        for name, kind in (*((name, 0x0F) for name in self.defined), *((name, 0x01) for name in undefined)):
            rows += row.pack(len(strings), kind, 1 if kind & 0xE else 0, 0x100, PAGE if kind & 0xE else 0)
            strings += name.encode() + b"\0"
        return rows, strings

    def _fixups(self) -> bytes:
        """Imports without any chain that uses them."""
        strings, rows = b"\0", b""
        for name in self.imports:
            at = len(strings)
            packed = 1 | at << 9
            rows += {
                1: struct.pack("<I", packed),
                2: struct.pack("<Ii", packed, 0),
                3: struct.pack("<QQ", 1 | at << 32, 0),
            }[self.fixups_format]
            strings += name.encode() + b"\0"
        starts = struct.pack("<III", 2, 0, 0)  # two segments, none with fixups
        imported = 28 + len(starts) + 4
        head = struct.pack("<7I", 0, 28, imported, imported + len(rows), len(self.imports), self.fixups_format, 0)
        return head + starts + bytes(4) + rows + strings

    def _commands(self, text: int, edit: int, places: dict[str, tuple[int, int]]) -> list[bytes]:
        sections = []
        at = PAGE
        for name, content in self.sections.items():
            sections.append((name, at, len(content)))
            at += len(content)
        commands = [
            self._segment("__TEXT", 0, text, sections),
            self._segment("__LINKEDIT", text, edit, []),
        ]
        if "fixups" in places:
            commands.append(struct.pack("<4I", 0x80000034, 16, *places["fixups"]))
        elif "binds" in places:
            commands.append(struct.pack("<12I", 0x80000022, 48, 0, 0, *places["binds"], 0, 0, 0, 0, 0, 0))
        count = places["symtab"][1] // (16 if self.wide else 12)
        commands.append(struct.pack("<6I", 0x2, 24, places["symtab"][0], count, *places["strings"]))
        local = len(self.defined)
        commands.append(struct.pack("<20I", 0xB, 80, 0, 0, 0, local, local, count - local, *([0] * 12)))
        for library in self.libraries:
            name = library.encode() + b"\0"
            name += bytes(-len(name) % 8)
            commands.append(struct.pack("<6I", 0xC, 24 + len(name), 24, 2, 0x10000, 0x10000) + name)
        if self.cryptid is not None:
            command = struct.pack(
                "<5I", 0x2C if self.wide else 0x21, 24 if self.wide else 20, PAGE, text - PAGE, self.cryptid
            )
            commands.append(command + (bytes(4) if self.wide else b""))
        if "signature" in places:
            commands.append(struct.pack("<4I", 0x1D, 16, *places["signature"]))
        return commands

    def _segment(self, name: str, offset: int, size: int, sections: list[tuple[str, int, int]]) -> bytes:
        kind, number, row = (0x19, "Q", 80) if self.wide else (0x1, "I", 68)
        memory = (size + PAGE - 1) // PAGE * PAGE
        head = struct.pack(
            f"<II16s4{number}4I",
            kind,
            (72 if self.wide else 56) + row * len(sections),
            name.encode(),
            offset,
            memory,
            offset,
            size,
            5,
            5,
            len(sections),
            0,
        )
        for section, at, length in sections:
            head += struct.pack(
                f"<16s16s2{number}{'8I' if self.wide else '7I'}",
                section.encode(),
                name.encode(),
                at,
                length,
                at,
                *([0] * (7 if self.wide else 6)),
            )
        return head


def fat(*slices: Thin | bytes, wide: bool = False) -> bytes:
    """Several architectures in one file. Raw bytes count as arm64."""
    row = struct.Struct(">IIQQII" if wide else ">IIIII")
    at, table, body = PAGE, b"", b""
    for one in slices:
        data = one if isinstance(one, bytes) else one.build()
        cpu = CPUS["arm64" if isinstance(one, bytes) else one.architecture]
        table += row.pack(*cpu, at + len(body), len(data), 14, *([0] if wide else []))
        body += data + bytes(-len(data) % PAGE)
    head = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(slices)) + table
    return head.ljust(PAGE, b"\0") + body
