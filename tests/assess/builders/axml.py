"""Builds small binary XML files, and breaks them in the ways that hostile packages do.

A plain module: the hostile-file generator and the tests load it by path. Layout as in AOSP ``ResourceTypes.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from proscribe.assess.android.attributes import ANDROID, IDS

NONE = 0xFFFFFFFF


@dataclass(frozen=True)
class Typed:
    """A value with its type spelled out; ``raw`` is the text kept beside it."""

    type: int
    data: int
    raw: str | None = None


def reference(identifier: int) -> Typed:
    return Typed(0x01, identifier)


@dataclass(frozen=True)
class Node:
    """An element. Attribute names that begin with ``android:`` are in the framework's namespace and get its ids."""

    tag: str
    attributes: dict[str, str | int | bool | Typed] = field(default_factory=dict)
    children: tuple[Node | str, ...] = ()


@dataclass
class Built:
    """A file with the offset of each chunk, by name: ``pool``, ``map``, ``start:TAG``, ``end:TAG`` (the first each)."""

    data: bytearray
    at: dict[str, int]

    def with_bytes(self, offset: int, new: bytes) -> bytes:
        changed = bytearray(self.data)
        changed[offset : offset + len(new)] = new
        return bytes(changed)

    def with_insert(self, offset: int, new: bytes) -> bytes:
        """``new`` put in, and the file's own size made right again."""
        changed = bytearray(self.data)
        changed[offset:offset] = new
        struct.pack_into("<I", changed, 4, len(changed))
        return bytes(changed)


class _Strings:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.index: dict[str, int] = {}

    def add(self, text: str) -> int:
        if text not in self.index:
            self.index[text] = len(self.texts)
            self.texts.append(text)
        return self.index[text]


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        if isinstance(child, Node):
            yield from walk(child)


def pool(texts: list[str], *, utf8: bool = False) -> bytes:
    """A string pool chunk."""
    blobs = bytearray()
    offsets = []
    for text in texts:
        offsets.append(len(blobs))
        blobs += _utf8(text) if utf8 else _utf16(text)
    blobs += bytes(-len(blobs) % 4)
    start = 28 + 4 * len(texts)
    header = struct.pack(
        "<HHIIIIII", 1, 28, start + len(blobs), len(texts), 0, 0x100 if utf8 else 0, start if texts else 0, 0
    )
    return header + struct.pack(f"<{len(texts)}I", *offsets) + blobs


def _utf16(text: str) -> bytes:
    raw = text.encode("utf-16-le", "surrogatepass")
    length = len(raw) // 2
    head = struct.pack("<H", length) if length < 0x8000 else struct.pack("<HH", 0x8000 | length >> 16, length & 0xFFFF)
    return head + raw + b"\0\0"


def _utf8(text: str) -> bytes:
    raw = text.encode()
    return _length8(len(text.encode("utf-16-le")) // 2) + _length8(len(raw)) + raw + b"\0"


def _length8(length: int) -> bytes:
    length &= 0x7FFF
    return bytes([length]) if length < 0x80 else bytes([0x80 | length >> 8, length & 0xFF])


def build(root: Node, *, utf8: bool = False, names: bool = True, ids: bool = True) -> Built:
    """The file. ``names`` False leaves attribute names empty; ``ids`` False leaves the resource map out."""
    strings = _Strings()
    known = sorted({name for node in walk(root) for name in node.attributes if name.startswith("android:")}, key=_id)
    for position, name in enumerate(known):
        strings.index[name] = position
        strings.texts.append(name.removeprefix("android:") if names else "")
    uri = strings.add(ANDROID)
    prefix = strings.add("android")
    nodes = bytearray()
    at: dict[str, int] = {}
    _namespace(nodes, 0x0100, prefix, uri)
    _node(nodes, root, strings, at)
    _namespace(nodes, 0x0101, prefix, uri)
    texts = pool(strings.texts, utf8=utf8)
    resources = struct.pack("<HHI", 0x0180, 8, 8 + 4 * len(known)) + b"".join(
        struct.pack("<I", _id(name)) for name in known
    )
    front = texts + (resources if ids else b"")
    data = bytearray(struct.pack("<HHI", 3, 8, 8 + len(front) + len(nodes)) + front + nodes)
    places = {name: 8 + len(front) + offset for name, offset in at.items()}
    return Built(data, {"pool": 8, "map": 8 + len(texts), "nodes": 8 + len(front), **places})


def _id(name: str) -> int:
    return IDS.get(name.removeprefix("android:"), 0x0101FFFF)


def _namespace(nodes: bytearray, kind: int, prefix: int, uri: int) -> None:
    nodes += struct.pack("<HHIIIII", kind, 16, 24, 1, NONE, prefix, uri)


def _node(nodes: bytearray, node: Node, strings: _Strings, at: dict[str, int]) -> None:
    at.setdefault(f"start:{node.tag}", len(nodes))
    tag = strings.add(node.tag)
    items = sorted(node.attributes.items(), key=lambda item: _id(item[0]) if item[0].startswith("android:") else NONE)
    nodes += struct.pack(
        "<HHIIIIIHHHHHH", 0x0102, 16, 36 + 20 * len(items), 1, NONE, NONE, tag, 20, 20, len(items), 0, 0, 0
    )
    for name, value in items:
        nodes += _attribute(name, value, strings)
    for child in node.children:
        if isinstance(child, Node):
            _node(nodes, child, strings, at)
        else:
            text = strings.add(child)
            nodes += struct.pack("<HHIIIIHBBI", 0x0104, 16, 28, 1, NONE, text, 8, 0, 0, 0)
    at.setdefault(f"end:{node.tag}", len(nodes))
    nodes += struct.pack("<HHIIIII", 0x0103, 16, 24, 1, NONE, NONE, tag)


def _attribute(name: str, value: str | int | bool | Typed, strings: _Strings) -> bytes:
    framework = name.startswith("android:")
    namespace = strings.index[ANDROID] if framework else NONE
    raw = NONE
    if isinstance(value, str):
        raw = data = strings.add(value)
        kind = 0x03
    elif isinstance(value, bool):
        kind, data = 0x12, NONE if value else 0
    elif isinstance(value, int):
        kind, data = 0x10, value & NONE
    else:
        kind, data = value.type, value.data
        raw = NONE if value.raw is None else strings.add(value.raw)
    key = strings.index[name] if framework else strings.add(name)
    return struct.pack("<IIIHBBI", namespace, key, raw, 8, 0, kind, data)


PERMISSIONS = ("android.permission.READ_CONTACTS", "android.permission.RECORD_AUDIO", "android.permission.CAMERA")


def manifest(*extra: Node, application: tuple[Node, ...] = (), **attributes: str | int | bool | Typed) -> Node:
    """A small manifest with three permissions; ``attributes`` of the application, ``android:`` put before each."""
    return Node(
        "manifest",
        {"package": "org.example.app", "android:versionCode": 7, "android:versionName": "1.7"},
        (
            Node("uses-sdk", {"android:minSdkVersion": 21, "android:targetSdkVersion": 34}),
            *(Node("uses-permission", {"android:name": name}) for name in PERMISSIONS),
            *extra,
            Node("application", {f"android:{name}": value for name, value in attributes.items()}, application),
        ),
    )


def _half(offset: int, value: int) -> Callable[[Built], bytes]:
    return lambda built: built.with_bytes(offset, struct.pack("<H", value))


def _word(offset: int, value: int) -> Callable[[Built], bytes]:
    return lambda built: built.with_bytes(offset, struct.pack("<I", value))


def _at(place: str, offset: int, new: bytes) -> Callable[[Built], bytes]:
    return lambda built: built.with_bytes(built.at[place] + offset, new)


def _before(place: str, new: bytes) -> Callable[[Built], bytes]:
    return lambda built: built.with_insert(built.at[place], new)


def _size_of_all_attributes(built: Built) -> bytes:
    """``attributeSize`` 24 where 20 is true, in every start node."""
    data = bytearray(built.data)
    at = built.at["nodes"]
    while at + 8 <= len(data):
        kind, _, size = struct.unpack_from("<HHI", data, at)
        if kind == 0x0102:
            struct.pack_into("<H", data, at + 26, 24)
        at += size
    return bytes(data)


# By name: the lie, and what Android does with it: "reads" (installs, and so do we read it whole) or "refuses".
LIES: dict[str, tuple[str, Callable[[Built], bytes]]] = {
    "magic": ("reads", _half(0, 0x0000)),
    "header-size": ("refuses", _half(2, 0x1C01)),
    "file-size-large": ("refuses", _word(4, 0x7FFFFFFF)),
    "file-size-zero": ("refuses", _word(4, 0)),
    "trailing": ("reads", lambda built: bytes(built.data) + b"junk" * 16),
    "pool-type": ("refuses", _at("pool", 0, b"\x37\x13")),
    "pool-header-size": ("refuses", _at("pool", 2, struct.pack("<H", 0x1C01))),
    "pool-count": ("refuses", _at("pool", 8, struct.pack("<I", 0xFFFFFFFF))),
    "pool-offset": ("refuses", _at("pool", 20, struct.pack("<I", 0x7FFFFFFF))),
    "unknown-chunk": ("reads", _before("map", struct.pack("<HHI", 0x7777, 8, 16) + b"whatever")),
    "unknown-node": ("reads", _before("start:uses-sdk", struct.pack("<HHIII", 0x0155, 16, 24, 0, 0) + b"whatever")),
    "junk": ("refuses", _before("start:uses-sdk", b"\xfe\xed\xfa\xce" * 5)),
    "zero-chunk": ("refuses", _before("start:uses-sdk", bytes(8))),
    "zero-end": ("reads", lambda built: built.with_bytes(len(built.data) - 20, bytes(4))),
    "node-header-size": ("refuses", _at("start:uses-permission", 2, struct.pack("<H", 0x1C01))),
    "node-size-zero": ("refuses", _at("start:uses-permission", 4, bytes(4))),
    "attribute-size": ("refuses", _size_of_all_attributes),
    "attribute-size-zero": ("reads", _at("start:uses-permission", 26, bytes(2))),  # one attribute: no stride needed
    "attribute-count": ("refuses", _at("start:uses-permission", 28, struct.pack("<H", 0xFFFF))),
    "attribute-start": ("refuses", _at("start:uses-permission", 24, struct.pack("<H", 0xFFFF))),
}
