"""Packages made to deceive or to break whoever reads them (assess.md section 7, rebuilt and extended).

Each case says what must come of it. ``reads``: everything the good package shows is found all the same, as Android
would install it. ``told``: less is found, and the assessment says so and is inconclusive. ``refused``: an error made on
purpose, and no assessment. A plain module, loaded by path.
"""

from __future__ import annotations

import plistlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

READS, TOLD, REFUSED = "reads", "told", "refused"
MANIFEST, DEX, ARSC = "AndroidManifest.xml", "classes.dex", "resources.arsc"
HUGE = 1536 << 20


@dataclass(frozen=True)
class Case:
    """One hostile file. ``expect`` may name two outcomes that are both right."""

    name: str
    data: bytes
    expect: tuple[str, ...]


@dataclass(frozen=True)
class Kit:
    """What the cases are made of: builders, and the members of a good package."""

    zips: ModuleType
    axml: ModuleType
    macho: ModuleType
    bplist: ModuleType
    manifest: bytes
    dex: bytes
    arsc: bytes

    def good(self, **changed: Any) -> list[Any]:
        """The members of the good package; ``changed`` replaces fields of one, by its short name."""
        short = {"manifest": (MANIFEST, self.manifest), "dex": (DEX, self.dex), "arsc": (ARSC, self.arsc)}
        members = []
        for key, (name, data) in short.items():
            fields = {"name": name, "data": data, **changed.get(key, {})}
            members.append(self.zips.Member(**fields))
        return members

    def package(self, **changed: Any) -> bytes:
        return bytes(self.zips.archive(self.good(**changed)))


def every(kit: Kit) -> Iterator[Case]:
    """All cases, one after the other: some weigh megabytes."""
    for family in (archives, bombs, manifests, codes, resources, sets, signatures, natives, apples):
        yield from family(kit)


# ---- archives ------------------------------------------------------------------------------------------------------


def archives(kit: Kit) -> Iterator[Case]:
    zips, good = kit.zips, kit.good()
    stored = {"method": 0}
    yield Case("zip-unknown-method-manifest", kit.package(manifest={"method": 0x5A5A, "compressed": 3}), (READS,))
    yield Case("zip-unknown-method-dex", kit.package(dex={"method": 99}), (READS,))
    yield Case("zip-encrypted-flag", kit.package(manifest={"flags": 1}, dex={"flags": 1}), (READS,))
    yield Case("zip-bad-crc", kit.package(manifest={"crc": 1}, dex={"crc": 2}), (READS,))
    yield Case("zip-local-name", kit.package(manifest={"local_name": "AndroidManifest.xmx"}), (READS,))
    yield Case("zip-local-method", kit.package(manifest={"local_method": 0}), (READS,))
    yield Case("zip-local-size", kit.package(manifest={"local_size": 1}, dex={"local_size": 7}), (READS,))
    yield Case("zip-duplicate-manifest", zips.archive([*good, zips.Member(MANIFEST, b"other")]), (READS,))
    yield Case("zip-duplicate-dex-first", zips.archive([zips.Member(DEX, b"other"), *good]), (TOLD,))
    yield Case("zip-traversal", zips.archive([*good, *(zips.Member(name, b"x") for name in _UNSAFE)]), (READS,))
    yield Case("zip-janus", zips.archive(good, before=kit.dex), (READS,))
    yield Case("zip-after", zips.archive(good, after=b"PK\5\6" * 50), (READS,))
    yield Case("zip-second-end", zips.archive(good, comment=b"x" * 99 + b"PK\5\6" + bytes(18)), (READS, REFUSED))
    yield Case("zip-count-lie", zips.archive(good, count=1), (READS,))
    whole = zips.archive(good)
    yield Case("zip-cut-directory", whole[:-60], (REFUSED,))
    yield Case("zip-cut-half", whole[: len(whole) // 2], (REFUSED,))
    yield Case("zip-offsets-outside", kit.package(manifest={"offset": 1 << 30}), (TOLD,))
    yield Case("zip-size-lie-small", kit.package(manifest={"size": 10}), (TOLD,))
    yield Case("zip-size-lie-large", kit.package(dex={"size": 1 << 20, **stored}), (TOLD, READS))
    yield Case("zip-zip64", kit.package(dex={"size": 0xFFFFFFFF, "compressed": 0xFFFFFFFF}), (TOLD,))
    many = [zips.Member(f"res/{number:x}", b"", method=0) for number in range(300_000)]
    yield Case("zip-300000-entries", zips.archive([*good, *many]), (READS,))
    yield Case("zip-no-manifest", zips.archive(good[1:]), (REFUSED,))
    yield Case("zip-empty", zips.archive([]), (REFUSED,))
    yield Case("zip-long-names", zips.archive([*good, zips.Member("a/" * 32_000, b"")]), (READS,))
    yield Case("zip-odd-bytes-in-names", zips.archive([*good, zips.Member("\udcff\udcfe\udc80", b"")]), (READS,))


_UNSAFE = ("../../../../etc/passwd", "/absolute", "C:\\windows\\x", "a\0b", "..")


def bombs(kit: Kit) -> Iterator[Case]:
    zips = kit.zips
    packed = zips.zeros(HUGE)
    bomb = {"packed": packed, "size": HUGE, "crc": 0}
    second = zips.Member("classes2.dex", b"", **bomb)
    yield Case("bomb-dex", zips.archive([*kit.good(), second]), (TOLD,))
    yield Case("bomb-manifest", kit.package(manifest=bomb), (TOLD,))
    yield Case("bomb-manifest-small-size", kit.package(manifest={**bomb, "size": 4000}), (TOLD,))
    yield Case("bomb-arsc", kit.package(arsc=bomb), (READS, TOLD))
    one = zips.Member("lib/arm64-v8a/liba.so", b"", packed=zips.zeros(64 << 20), size=64 << 20, crc=0)
    first = zips.archive([one, *kit.good()])
    at = first.index(b"PK\3\4")
    on_top = [zips.lying(one, name=f"lib/arm64-v8a/lib{n}.so", offset=at) for n in range(200)]
    yield Case("bomb-200-on-one", zips.archive([one, *kit.good(), *on_top]), (TOLD, READS))
    on_dex = [zips.lying(one, name=f"classes{n}.dex", offset=at) for n in range(2, 202)]
    yield Case("bomb-200-dex-on-one", zips.archive([one, *kit.good(), *on_dex]), (TOLD,))
    inner = zips.archive([second])
    yield Case("bomb-nested-dex", zips.archive([*kit.good(), zips.Member("assets/x.jar", inner)]), (READS, TOLD))


# ---- binary XML and resources --------------------------------------------------------------------------------------


def manifests(kit: Kit) -> Iterator[Case]:
    built = kit.axml.build(kit.axml.manifest())
    for name, (android, lie) in kit.axml.LIES.items():
        expect = (READS,) if android == "reads" else (TOLD,)
        yield Case(f"axml-{name}", kit.package(manifest={"data": lie(built)}), expect)
    yield Case("axml-text", kit.package(manifest={"data": b"<manifest package='a'/>"}), (TOLD,))
    yield Case("axml-empty", kit.package(manifest={"data": b""}), (TOLD,))
    yield Case("axml-noise", kit.package(manifest={"data": bytes(range(256)) * 64}), (TOLD,))
    yield Case("axml-half", kit.package(manifest={"data": bytes(built.data[: len(built.data) // 2])}), (TOLD,))
    yield Case("axml-deep", kit.package(manifest={"data": _deep(kit)}), (TOLD, READS))
    wide = kit.axml.manifest(*(kit.axml.Node("uses-permission", {"android:name": f"p.{n}"}) for n in range(60_000)))
    yield Case(
        "axml-60000-permissions", kit.package(manifest={"data": bytes(kit.axml.build(wide).data)}), (READS, TOLD)
    )


def _deep(kit: Kit) -> bytes:
    """100,000 nested elements, made by repeating one start chunk: building them as a tree would recurse."""
    built = kit.axml.build(kit.axml.manifest())
    at = built.at["start:uses-sdk"]
    size = struct.unpack_from("<I", built.data, at + 4)[0]
    return bytes(built.with_insert(at, bytes(built.data[at : at + size]) * 100_000))


def resources(kit: Kit) -> Iterator[Case]:
    yield Case("arsc-noise", kit.package(arsc={"data": bytes(range(256)) * 99}), (READS, TOLD))
    yield Case("arsc-cut", kit.package(arsc={"data": kit.arsc[: len(kit.arsc) // 2]}), (READS, TOLD))
    for at in range(0, min(len(kit.arsc), 400), 36):
        changed = bytearray(kit.arsc)
        changed[at : at + 4] = b"\xff\xff\xff\x7f"
        yield Case(f"arsc-{at}", kit.package(arsc={"data": bytes(changed)}), (READS, TOLD))


# ---- code ----------------------------------------------------------------------------------------------------------

# Offsets in the dex header: the size and the offset of each table (dex format, header_item).
_TABLES = {"string": 56, "type": 64, "proto": 72, "field": 80, "method": 88, "class": 96}


def codes(kit: Kit) -> Iterator[Case]:
    def dex(name: str, data: bytes, expect: tuple[str, ...] = (TOLD,)) -> Case:
        return Case(f"dex-{name}", kit.package(dex={"data": data}), expect)

    for table, at in _TABLES.items():
        yield dex(f"{table}-count", _word(kit.dex, at, 0xFFFFFFFF))
        # An empty table may lie anywhere.
        told = (TOLD,) if struct.unpack_from("<I", kit.dex, at)[0] else (READS,)
        yield dex(f"{table}-offset", _word(kit.dex, at + 4, len(kit.dex) + 4), told)
        yield dex(f"{table}-unaligned", _word(kit.dex, at + 4, 3), (TOLD, READS))
    yield dex("empty", b"")
    yield dex("magic", b"dey\n039\0" + kit.dex[8:])
    yield dex("compact", b"cdex001\0" + kit.dex[8:])
    yield dex("version", b"dex\n099\0" + kit.dex[8:])
    yield dex("big-endian", _word(kit.dex, 40, 0x78563412))
    yield dex("header-only", kit.dex[:112])
    yield dex("cut", kit.dex[: len(kit.dex) * 2 // 3])
    yield dex("checksum", _word(kit.dex, 8, 0), (READS,))
    yield dex("data-outside", _word(kit.dex, 108, 0x7FFFFFFF), (READS, TOLD))
    yield dex("map-outside", _word(kit.dex, 52, 0x7FFFFFFF), (READS, TOLD))
    strings = struct.unpack_from("<I", kit.dex, 60)[0]
    yield dex("string-outside", _word(kit.dex, strings + 8, 0x7FFFFFFF))
    types = struct.unpack_from("<I", kit.dex, 68)[0]
    yield dex("type-outside", _word(kit.dex, types + 4, 0xFFFFFF))
    methods = struct.unpack_from("<I", kit.dex, 92)[0]
    yield dex("method-outside", _word(kit.dex, methods, 0xFFFFFFFF))
    classes = struct.unpack_from("<I", kit.dex, 100)[0]
    yield dex("class-data-outside", _word(kit.dex, classes + 24, 0x7FFFFFF0))
    yield dex("class-data-runaway", _runaway(kit.dex, classes))
    yield dex(
        "superclass-of-itself",
        _word(kit.dex, classes + 8, struct.unpack_from("<I", kit.dex, classes)[0]),
        (READS, TOLD),
    )
    yield dex("noise", bytes((at * 7919) & 255 for at in range(100_000)))
    more = [kit.zips.Member(f"classes{n}.dex", b"dex\n035\0" + bytes(104)) for n in range(2, 400)]
    yield Case("dex-400-broken", kit.zips.archive([*kit.good(), *more]), (TOLD,))
    yield Case("dex-gap", kit.zips.archive([*kit.good(), kit.zips.Member("classes9.dex", kit.dex)]), (READS, TOLD))


def _word(data: bytes, at: int, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<I", changed, at, value & 0xFFFFFFFF)
    return bytes(changed)


def _runaway(dex: bytes, classes: int) -> bytes:
    """A class whose member counts are as large as a ULEB128 goes."""
    at = struct.unpack_from("<I", dex, classes + 24)[0]
    changed = bytearray(dex)
    changed[at : at + 20] = b"\xff\xff\xff\xff\x0f" * 4
    return bytes(changed)


# ---- sets, signatures, native code ---------------------------------------------------------------------------------


def sets(kit: Kit) -> Iterator[Case]:
    zips, base = kit.zips, kit.package()
    stored = [zips.Member("base.apk", base, method=0)]
    yield Case("set-split-noise", zips.archive([*stored, zips.Member("split_config.de.apk", b"noise")]), (TOLD,))
    splits = [zips.Member(f"split_{n}.apk", base) for n in range(150)]
    yield Case("set-150-bases", zips.archive([*stored, *splits]), (TOLD, READS))
    yield Case("set-500-parts", zips.archive([zips.Member(f"split_{n}.apk", b"") for n in range(500)]), (REFUSED,))
    yield Case("set-base-noise", zips.archive([zips.Member("base.apk", b"noise")]), (REFUSED,))
    bomb = zips.Member("split_config.xx.apk", b"", packed=zips.zeros(HUGE), size=HUGE, crc=0)
    yield Case("set-split-bomb", zips.archive([*stored, bomb]), (TOLD,))
    nested = zips.archive([zips.Member("base.apk", zips.archive(stored))])
    yield Case("set-in-a-set", nested, (REFUSED, TOLD))


def signatures(kit: Kit) -> Iterator[Case]:
    zips = kit.zips

    def jar(name: str, **files: bytes) -> Case:
        members = [zips.Member(f"META-INF/{file.replace('_', '.')}", data) for file, data in files.items()]
        return Case(f"jar-{name}", zips.archive([*members, *kit.good()]), (READS,))

    listing = b"Manifest-Version: 1.0\r\n\r\nName: classes.dex\r\nSHA-256-Digest: AAAA\r\n\r\n"
    yield jar("noise", MANIFEST_MF=bytes(9999), A_SF=bytes(9999), A_RSA=bytes(9999))
    yield jar("deep-der", MANIFEST_MF=listing, A_SF=listing, A_RSA=b"\x30\x80" * 100_000)
    yield jar("long-der", MANIFEST_MF=listing, A_SF=listing, A_RSA=b"\x30\x84\x7f\xff\xff\xff" * 1000)
    yield jar("long-listing", MANIFEST_MF=listing + b"Name: a\r\n\r\n" * 400_000, A_SF=listing, A_RSA=b"")
    yield jar("endless-line", MANIFEST_MF=b"Name: " + b"x\r\n " * 500_000, A_SF=listing, A_RSA=b"")
    many = {f"S{n}_SF": listing for n in range(2000)} | {f"S{n}_RSA": b"0" for n in range(2000)}
    yield jar("2000-signers", MANIFEST_MF=listing, **many)
    for name, block in _signing_blocks().items():
        yield Case(f"block-{name}", _with_block(kit.package(), block), (READS,))


def _signing_blocks() -> dict[str, bytes]:
    """Contents of APK signing blocks: pairs of length, id and value."""

    def pair(number: int, value: bytes) -> bytes:
        return struct.pack("<QI", len(value) + 4, number) + value

    v2, v3 = 0x7109871A, 0xF05368C0
    huge = struct.pack("<I", 0x7FFFFFFF)
    return {
        "empty": b"",
        "length-lie": struct.pack("<QI", 1 << 60, v2),
        "v2-empty": pair(v2, b""),
        "v2-lengths": pair(v2, huge * 64),
        "v2-nested": pair(v2, b"".join(struct.pack("<I", 4 * n) for n in range(5000, 0, -1))),
        "v3-noise": pair(v3, bytes(range(256)) * 400),
        "100000-ids": b"".join(pair(number, b"") for number in range(100_000)),
    }


def _with_block(package: bytes, content: bytes) -> bytes:
    """The package with a signing block before its central directory."""
    end = package.rindex(b"PK\5\6")
    start = struct.unpack_from("<L", package, end + 16)[0]
    size = len(content) + 24
    block = struct.pack("<Q", size) + content + struct.pack("<Q", size) + b"APK Sig Block 42"
    changed = bytearray(package[:start] + block + package[start:])
    struct.pack_into("<L", changed, end + len(block) + 16, start + len(block))
    return bytes(changed)


def natives(kit: Kit) -> Iterator[Case]:
    def library(name: str, data: bytes) -> Case:
        member = kit.zips.Member("lib/arm64-v8a/libx.so", data)
        return Case(f"elf-{name}", kit.zips.archive([*kit.good(), member]), (READS, TOLD))

    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, 64, 0, 64, 56, 0xFFFF, 64, 0xFFFF, 1)
    )
    yield library("noise", b"\x7fELF" + bytes(range(256)) * 40)
    yield library("counts", head)
    yield library("cut", head[:40])
    yield library("huge-offsets", head[:32] + struct.pack("<QQ", 1 << 62, 1 << 62) + head[48:])


# ---- iOS -----------------------------------------------------------------------------------------------------------

PLIST = {"CFBundleIdentifier": "org.example.app", "CFBundleExecutable": "App", "NSCameraUsageDescription": "To scan"}


def apples(kit: Kit) -> Iterator[Case]:
    def ipa(name: str, expect: tuple[str, ...] = (TOLD,), **files: bytes) -> Case:
        members = {"Info.plist": plistlib.dumps(PLIST), "App": kit.macho.Thin(imports=("_malloc",)).build(), **files}
        packed = [kit.zips.Member(f"Payload/App.app/{file}", data) for file, data in members.items()]
        return Case(f"ios-{name}", kit.zips.archive(packed), expect)

    entities = b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><plist><dict/></plist>'
    yield ipa("good", (READS,))
    yield ipa("plist-entities", **{"Info.plist": entities})
    yield ipa("plist-noise", **{"Info.plist": b"bplist00" + bytes(500)})
    yield ipa("plist-deep", **{"Info.plist": b"<plist>" + b"<array>" * 100_000 + b"</array>" * 100_000 + b"</plist>"})
    yield ipa("plist-list", **{"Info.plist": plistlib.dumps([1, 2])})
    yield ipa("macho-noise", App=b"\xcf\xfa\xed\xfe" + bytes(range(256)) * 40)
    yield ipa("macho-cut", App=kit.macho.Thin(imports=("_malloc",)).build()[:200])
    yield ipa("macho-fat", App=struct.pack(">II", 0xCAFEBABE, 0x7FFFFFFF) + bytes(100))
    yield ipa("macho-commands", App=struct.pack("<8I", 0xFEEDFACF, 0x100000C, 0, 2, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0))
    yield ipa("privacy-noise", (READS, TOLD), **{"PrivacyInfo.xcprivacy": b"bplist00" + b"\xff" * 64})
    yield ipa("profile-noise", (READS, TOLD), **{"embedded.mobileprovision": b"\x30\x84\xff\xff\xff\xff" * 50})
