"""The little of DER that Apple's code signing uses: entitlements, and the property list inside a profile's envelope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from proscribe.assess.ios.plists import MAX_DEPTH, MAX_NODES, Plain, data_text, exact

_BOOLEAN, _INTEGER, _OCTETS, _OBJECT, _UTF8 = 0x01, 0x02, 0x04, 0x06, 0x0C
_SEQUENCE, _SET = 0x30, 0x31
_APPLICATION_16 = 0x70  # constructed: the whole of an entitlements blob
_CONTEXT_16 = 0xB0  # constructed: a dictionary, which was a SET of pairs before iOS 15
_CONTEXT_0 = 0xA0  # constructed: the content of a CMS structure
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2


class MalformedDer(ValueError):
    """Not DER, or not of the shape expected."""


def items(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The tags and contents of the values that stand one after the other. Raises MalformedDer."""
    at = 0
    while at < len(data):
        tag, length, head = _head(data[at : at + 6])
        if tag & 0x1F == 0x1F or at + head + length > len(data):
            raise MalformedDer(f"value at {at}")
        yield tag, data[at + head : at + head + length]
        at += head + length


def _head(data: memoryview) -> tuple[int, int, int]:
    """Tag, length of the content, length of both."""
    if len(data) < 2:
        raise MalformedDer("cut off")
    if data[1] < 0x80:
        return data[0], data[1], 2
    width = data[1] & 0x7F
    if not 1 <= width <= 4 or len(data) < 2 + width:
        raise MalformedDer("length")
    return data[0], int.from_bytes(data[2 : 2 + width], "big"), 2 + width


def first(data: memoryview, tag: int) -> memoryview:
    """The content of the first value, which must have this tag. Raises MalformedDer."""
    for found, content in items(data):
        if found == tag:
            return content
        break
    raise MalformedDer(f"no {tag:#x}")


def few(data: memoryview, most: int = 8) -> list[tuple[int, memoryview]]:
    """The first values, for what is to have a known number of them."""
    return list(islice(items(data), most))


def signed_content(data: memoryview) -> bytes:
    """What a CMS SignedData envelope (RFC 5652) holds. The signature is not looked at. Raises MalformedDer."""
    envelope = few(first(data, _SEQUENCE))
    if len(envelope) < 2 or (envelope[0][0], bytes(envelope[0][1])) != (_OBJECT, _SIGNED_DATA):
        raise MalformedDer("no SignedData")
    signed = few(first(envelope[1][1], _SEQUENCE))
    if len(signed) < 3 or signed[2][0] != _SEQUENCE:
        raise MalformedDer("no content")
    content = few(signed[2][1])
    if len(content) != 2 or content[1][0] != _CONTEXT_0:
        raise MalformedDer("no content")
    return bytes(first(content[1][1], _OCTETS))


def entitlements(data: memoryview) -> dict[str, Plain]:
    """The dictionary in a DER entitlements blob (slot 7, or ``__TEXT,__ents_der``). Raises MalformedDer."""
    parts = few(first(data, _APPLICATION_16))
    if len(parts) != 2 or (parts[0][0], bytes(parts[0][1])) != (_INTEGER, b"\x01"):
        raise MalformedDer("not version 1")
    value = _Values().read(*parts[1])
    if not isinstance(value, dict):
        raise MalformedDer("no dictionary")
    return value


class _Values:
    """One blob's values, and how many there may still be."""

    def __init__(self) -> None:
        self.left = MAX_NODES
        self._scalars: dict[int, Callable[[memoryview], Plain]] = {
            _BOOLEAN: lambda data: bytes(data) != b"\x00",
            _INTEGER: lambda data: exact(int.from_bytes(data[:16], "big", signed=True)),
            _OCTETS: data_text,
            _UTF8: _text,
        }

    def read(self, tag: int, data: memoryview, depth: int = 0) -> Plain:
        """One value by its tag, and what is inside it. Raises MalformedDer."""
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0:
            raise MalformedDer("too deep or too many values")
        if scalar := self._scalars.get(tag):
            return scalar(data)
        if tag == _SEQUENCE:
            return [self.read(*item, depth + 1) for item in items(data)]
        if tag in {_SET, _CONTEXT_16}:
            return dict(self._pair(tag, pair, depth) for tag, pair in items(data))
        raise MalformedDer(f"tag {tag:#x}")

    def _pair(self, tag: int, data: memoryview, depth: int) -> tuple[str, Plain]:
        pair = few(data)
        if tag != _SEQUENCE or len(pair) != 2 or pair[0][0] != _UTF8:
            raise MalformedDer("no pair")
        return _text(pair[0][1]), self.read(*pair[1], depth + 1)


def _text(data: memoryview) -> str:
    try:
        return bytes(data).decode()
    except UnicodeDecodeError as error:
        raise MalformedDer("text") from error
