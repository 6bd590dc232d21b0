"""Binary XML, read the way Android's own parser reads it, and a little further.

Rules from AOSP ``libs/androidfw/ResourceTypes.cpp`` (``ResXMLTree::setTo``, ``ResXMLParser::nextNode``,
``validateNode``): the file's magic is not looked at; unknown chunks are stepped over; the last string pool and the last
resource map before the first node count; an attribute is found by its resource id, at ``attributeStart`` plus a
multiple of ``attributeSize``; nothing after the end of the root element is read. Where Android would refuse a file
that can still be understood, it is read and ``Document.broken`` holds the code, so that nobody takes it for whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from proscribe.assess.android.attributes import ANDROID, IDS
from proscribe.assess.android.pool import CHUNK, WORD, StringPool

MAX_ELEMENTS: Final = 100_000
MAX_ATTRIBUTES: Final = 200_000  # that are looked at
MAX_DEPTH: Final = 1_000

_XML: Final = 0x0003
_POOL: Final = 0x0001
_MAP: Final = 0x0180
_START_NAMESPACE: Final = 0x0100
_END_NAMESPACE: Final = 0x0101
_START: Final = 0x0102
_END: Final = 0x0103
_TEXT: Final = 0x0104
_FIRST_NODE: Final = 0x0100
_LAST_NODE: Final = 0x017F
_NODE_HEADER: Final = 16
_POOL_HEADER: Final = 28
_NATURAL: Final = {_START_NAMESPACE: 24, _END_NAMESPACE: 24, _END: 24, _TEXT: 28}
_EXT: Final = Struct("<IIHHH")  # namespace, name, attributeStart, attributeSize, attributeCount
_EXT_SIZE: Final = 20
_ATTRIBUTE: Final = Struct("<IIIHBBI")  # namespace, name, raw, size, 0, type, data
_MAX_IDS: Final = 1 << 16

# Codes of what Android would have refused; all others are oddities that it accepts.
_REFUSED: Final = frozenset(
    {
        "text",
        "no-root",
        "file-size",
        "header-size",
        "pool-type",
        "pool",
        "pool-header",
        "pool-count",
        "pool-offset",
        "chunk",
        "node-header",
        "attributes",
        "truncated",
        "depth",
        "elements",
        "attribute-budget",
        "string-budget",
    }
)


class Value(NamedTuple):
    """A typed value (``Res_value``). ``text`` is the string where ``type`` is STRING, else ""."""

    type: int
    data: int
    text: str


class Raw(NamedTuple):
    """An attribute as it stands in the file; ``namespace``, ``name`` and ``raw`` index the string pool."""

    namespace: int
    name: int
    raw: int
    type: int
    data: int


class Element:
    """One element. Attributes are decoded when first asked for."""

    __slots__ = ("_at", "_count", "_document", "_found", "_name", "_stride", "children", "text")

    def __init__(self, document: Document, name: int, at: int, stride: int, count: int) -> None:
        self._document = document
        self._name = name
        self._at = at
        self._stride = stride
        self._count = count
        self._found: dict[int | str, Raw] | None = None
        self.children: list[Element] = []
        self.text = ""

    @property
    def tag(self) -> str:
        """The local name; Android does not look at an element's namespace."""
        return self._document.pool[self._name]

    def all(self, *tags: str) -> Iterator[Element]:
        """The children of these names, in order."""
        return (child for child in self.children if child.tag in tags)

    def raw_attributes(self) -> Iterator[Raw]:
        """Every attribute in the order of the file."""
        return self._document.attributes(self._at, self._stride, self._count)

    def get(self, name: str) -> Value | None:
        """A framework attribute, found by its resource id as Android does, or by name where the map has none."""
        found = self._index()
        raw = found.get(IDS[name])
        if raw is None:
            raw = found.get(f"android:{name}")
            if raw is None:
                return None
            self._document.note("attribute-without-id", self._at)
        return self._document.value(raw)

    def plain(self, name: str) -> Value | None:
        """An attribute without namespace, by name; Android prefers the raw string there."""
        document = self._document
        for raw in self.raw_attributes():
            if raw.namespace >= document.pool.count and document.pool[raw.name] == name:
                if raw.raw < document.pool.count:
                    return Value(STRING, raw.raw, document.pool[raw.raw])
                return document.value(raw)
        return None

    def _index(self) -> dict[int | str, Raw]:
        if self._found is None:
            self._found = {}
            last = 0
            for raw in self.raw_attributes():
                key = self._document.key(raw)
                if isinstance(key, int):
                    if key < last:
                        # Android walks them once, by ascending id, and passes over one that comes late.
                        self._document.note("attribute-order", self._at)
                    last = key
                # The first of two equal ones wins, as in that walk.
                self._found.setdefault(key, raw)
        return self._found


STRING: Final = 0x03


class Document:
    """One binary XML file. ``root`` None: nothing could be read, and ``broken`` says why."""

    __slots__ = ("_data", "_elements", "_end", "_left", "ids", "notes", "pool", "root")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_ATTRIBUTES
        self._elements = 0
        self.notes: dict[str, tuple[int, int]] = {}
        self.root: Element | None = None
        self.pool = StringPool(b"", 0, 0, lambda _code, _at: None)
        self.ids: tuple[int, ...] = ()
        self._end = len(data)
        start = self._begin()
        if start is not None:
            start = self._before_nodes(start)
            self._nodes(start)
        if self.root is None:
            self.note("no-root", 0)

    @property
    def broken(self) -> str:
        """The code of the first thing that Android would have refused; "" for a file it accepts."""
        return next((f"axml.{code}" for code in self.notes if code in _REFUSED), "")

    def note(self, code: str, at: int) -> None:
        """Remember an oddity: how often, and where first."""
        count, first = self.notes.get(code, (0, at))
        self.notes[code] = (count + 1, first)

    # ---- chunks ----------------------------------------------------------------------------------------------------

    def _begin(self) -> int | None:
        """Where the first chunk lies; None where this is no binary XML."""
        data = self._data
        if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            self.note("text", 0)
            return None
        if len(data) < CHUNK.size:
            self.note("truncated", 0)
            return None
        kind, header, size = CHUNK.unpack_from(data, 0)
        if kind != _XML:
            self.note("magic", 0)
        if not header <= size <= len(data) or size < CHUNK.size + _POOL_HEADER:
            self.note("file-size", 4)
        elif size < len(data):
            self.note("trailing", size)
            self._end = size
        if header != CHUNK.size:
            self.note("header-size" if not self._sound(header, CHUNK.size) else "odd-header-size", 2)
            return int(header) if self._sound(header, CHUNK.size) else CHUNK.size
        return CHUNK.size

    def _sound(self, at: int, least: int) -> bool:
        """Android's ``validate_chunk``."""
        if at < CHUNK.size or at + CHUNK.size > self._end:
            return False
        _, header, size = CHUNK.unpack_from(self._data, at)
        return least <= header <= size <= self._end - at and not (header | size) & 3

    def _before_nodes(self, at: int) -> int:
        """Takes the pool and the resource map; the offset of the first node."""
        while at + CHUNK.size < self._end:
            kind, header, size = CHUNK.unpack_from(self._data, at)
            if _FIRST_NODE <= kind <= _LAST_NODE:
                return at
            if not self._sound(at, CHUNK.size):
                at = self._damaged_front(at, kind, size)
                continue
            if kind == _POOL or self._disguised_pool(at, header, size):
                self.pool = StringPool(self._data, at, size, self.note)
            elif kind == _MAP:
                count = min((size - header) // 4, _MAX_IDS)
                self.ids = Struct(f"<{count}I").unpack_from(self._data, at + header)
            else:
                self.note("unknown-chunk", at)
            at += size
        return at

    def _disguised_pool(self, at: int, header: int, size: int) -> bool:
        """A pool under another type. Android skips it and then finds no names; here it is read and told."""
        if self.pool.count or header != _POOL_HEADER or size < _POOL_HEADER:
            return False
        self.note("pool-type", at)
        return True

    def _damaged_front(self, at: int, kind: int, size: int) -> int:
        if kind == _POOL and _POOL_HEADER <= size <= self._end - at:
            self.note("pool-header", at)
            self.pool = StringPool(self._data, at, size, self.note)
            return int(at + size + (-size % 4))
        self.note("chunk", at)
        return self._resume(at + 4)

    def _nodes(self, at: int) -> None:
        """Build the tree, from the first node to the end of the root element."""
        stack: list[Element] = []
        while at + CHUNK.size <= self._end:
            kind, header, size = CHUNK.unpack_from(self._data, at)
            if not self._sound(at, _NODE_HEADER):
                header, size = self._mended(at, kind, size)
                if not size:
                    self.note("chunk", at)
                    at = self._resume(at + 4)
                    continue
            if kind == _START:
                if not self._open(stack, at, header, size):
                    return
            elif kind == _END:
                del stack[-1:]
                if not stack and self.root is not None:
                    return
            elif kind == _TEXT and stack and size >= header + 4:
                stack[-1].text += self.pool[WORD.unpack_from(self._data, at + header)[0]]
            elif kind not in _NATURAL:
                self.note("unknown-chunk", at)
            at += size
        self.note("truncated", at)

    def _open(self, stack: list[Element], at: int, header: int, size: int) -> bool:
        """Take the element that starts here; False where reading must end."""
        self._elements += 1
        element = self._element(at, header, size)
        if element is None or len(stack) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            self.note("attributes" if element is None else "depth" if len(stack) >= MAX_DEPTH else "elements", at)
            return False
        if stack:
            stack[-1].children.append(element)
        else:
            self.root = element
        stack.append(element)
        return True

    def _mended(self, at: int, kind: int, size: int) -> tuple[int, int]:
        """Header and total size of a node whose own are nonsense, by what its kind always has; (0, 0) for neither."""
        if kind not in _NATURAL and kind != _START:
            return 0, 0
        self.note("node-header", at)
        if _NODE_HEADER < size <= self._end - at and not size & 3 and self._node_at(at + size):
            return _NODE_HEADER, size
        natural = _NATURAL.get(kind, 0) or self._start_size(at)
        return (_NODE_HEADER, natural) if self._node_at(at + natural) else (0, 0)

    def _start_size(self, at: int) -> int:
        if at + _NODE_HEADER + _EXT_SIZE > self._end:
            return 0
        *_, count = _EXT.unpack_from(self._data, at + _NODE_HEADER)
        return _NODE_HEADER + _EXT_SIZE + _ATTRIBUTE.size * int(count)

    def _node_at(self, at: int) -> bool:
        """Whether a node, or the end of the file, lies here."""
        if at == self._end:
            return True
        if at + CHUNK.size > self._end:
            return False
        kind, header, _ = CHUNK.unpack_from(self._data, at)
        return kind in (*_NATURAL, _START) and header == _NODE_HEADER

    def _resume(self, at: int) -> int:
        """The next offset with a node of the common shape; the end where there is none."""
        data = self._data
        while True:
            at = data.find(b"\x01\x10\x00", at + 1, self._end) - 1
            if at < 0:
                return self._end
            if data[at] in (0, 1, 2, 3, 4) and self._sound(at, _NODE_HEADER):
                return at
            at += 1

    def _element(self, at: int, header: int, size: int) -> Element | None:
        """The element whose start node lies at ``at``; None where not even its name can be read."""
        extension = at + header
        room = size - header
        if room < _EXT_SIZE:
            return None
        _, name, start, stride, count = _EXT.unpack_from(self._data, extension)
        if stride != _ATTRIBUTE.size and count:
            self.note("attribute-size", extension)
        if start + stride * count > room:
            # Android refuses; the attributes that are really there are the common shape after the extension.
            self.note("attributes", extension)
            start = start if _EXT_SIZE <= start <= room else _EXT_SIZE
            stride, count = _ATTRIBUTE.size, min(count, (room - start) // _ATTRIBUTE.size)
        return Element(self, name, extension + start, stride, count)

    # ---- attributes ------------------------------------------------------------------------------------------------

    def attributes(self, at: int, stride: int, count: int) -> Iterator[Raw]:
        """The attributes at an offset, as many as the document's budget still allows."""
        data, limit = self._data, self._end - _ATTRIBUTE.size
        for position in range(count):
            offset = at + stride * position
            self._left -= 1
            if offset > limit or self._left < 0:
                self.note("attribute-budget", offset)
                return
            namespace, name, raw, _, _, kind, value = _ATTRIBUTE.unpack_from(data, offset)
            yield Raw(namespace, name, raw, kind, value)

    def key(self, raw: Raw) -> int | str:
        """What an attribute is found by: its resource id, else ``android:`` and its name, or only its name."""
        identifier = self.ids[raw.name] if raw.name < len(self.ids) else 0
        if identifier:
            return identifier
        name = self.pool[raw.name]
        return f"android:{name}" if self.pool[raw.namespace] == ANDROID else name

    def value(self, raw: Raw) -> Value:
        """The typed value of an attribute."""
        return Value(raw.type, raw.data, self.pool[raw.data] if raw.type == STRING else "")
