"""ASN.1 as it stands in signature files: DER, and the BER that signers of old wrote (indefinite lengths).

A bounded reader: elements are views into the bytes that are really there, depth and number are limited, and nothing is
copied or allocated by a declared length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
SEQUENCE = 0x30
SET = 0x31

_DEPTH = 16
_ELEMENTS = 20_000  # in one element; certificates and signatures have some hundred


class BadAsn1(ValueError):
    """Bytes that are not the ASN.1 they should be."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element. ``tag`` is its identifier octet; ``whole`` is tag, length and content."""

    tag: int
    whole: memoryview
    content: memoryview

    def expect(self, tag: int) -> Element:
        """Itself, where it has that tag. Raises BadAsn1 otherwise."""
        if self.tag != tag:
            raise BadAsn1(f"tag 0x{self.tag:02x} where 0x{tag:02x} was expected")
        return self

    def children(self) -> list[Element]:
        """The elements inside. Raises BadAsn1."""
        return list(elements(self.content))

    def integer(self) -> int:
        """Two's complement, of any length."""
        if not len(self.expect(INTEGER).content):
            raise BadAsn1("an integer without content")
        return int.from_bytes(self.content, "big", signed=True)

    def oid(self) -> str:
        """Dotted, e.g. ``1.2.840.113549.1.7.2``."""
        raw = bytes(self.expect(OID).content)
        if not raw or raw[-1] & 0x80 or len(raw) > 64:
            raise BadAsn1("an object identifier that does not end")
        arcs: list[int] = []
        value = 0
        for byte in raw:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))

    def octets(self) -> bytes:
        """The bytes of an OCTET STRING, also of a constructed one (BER)."""
        if self.tag == OCTET_STRING | 0x20:
            return b"".join(bytes(part.expect(OCTET_STRING).content) for part in self.children())
        return bytes(self.expect(OCTET_STRING).content)

    def bits(self) -> bytes:
        """The bytes of a BIT STRING that is a whole number of them."""
        raw = self.expect(BIT_STRING).content
        if not len(raw) or raw[0] != 0:
            raise BadAsn1("a bit string with unused bits")
        return bytes(raw[1:])


def parse(data: bytes | memoryview) -> Element:
    """The first element of ``data``; what follows it is left. Raises BadAsn1."""
    return _element(memoryview(data), 0, _DEPTH)[0]


def elements(data: memoryview) -> Iterator[Element]:
    """Elements one after the other, to the end of ``data``. Raises BadAsn1."""
    at = count = 0
    while at < len(data):
        element, at = _element(data, at, _DEPTH)
        yield element
        count += 1
        if count > _ELEMENTS:
            raise BadAsn1("too many elements")


def _element(data: memoryview, start: int, depth: int) -> tuple[Element, int]:
    """The element at ``start`` and the offset after it."""
    if start + 2 > len(data):
        raise BadAsn1("an element is cut off")
    tag, length, at = data[start], data[start + 1], start + 2
    if tag & 0x1F == 0x1F:
        raise BadAsn1("a tag of several bytes")
    if length == 0x80:
        return _indefinite(data, start, depth)
    if length & 0x80:
        octets = length & 0x7F
        if octets > 8 or at + octets > len(data):
            raise BadAsn1("a length is cut off")
        length = int.from_bytes(data[at : at + octets], "big")
        at += octets
    end = at + length
    if end > len(data):
        raise BadAsn1(f"{length} bytes declared, {len(data) - at} there")
    return Element(tag, data[start:end], data[at:end]), end


def _indefinite(data: memoryview, start: int, depth: int) -> tuple[Element, int]:
    """An element that two nought bytes end (BER)."""
    if not data[start] & 0x20 or not depth:
        raise BadAsn1("an indefinite length where none may be")
    at = start + 2
    for _ in range(_ELEMENTS):
        if bytes(data[at : at + 2]) == b"\0\0":
            return Element(data[start], data[start : at + 2], data[start + 2 : at]), at + 2
        _, at = _element(data, at, depth - 1)
    raise BadAsn1("too many elements")


def encode(tag: int, *parts: bytes) -> bytes:
    """DER: one element of that tag with the parts as content."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def encode_integer(value: int) -> bytes:
    """DER: an INTEGER in as few bytes as it needs."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
