"""The ASN.1 reader: round trips, another reader's opinion, and no input that it does not answer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.assess.signing import der


@given(st.integers())
def test_integers_come_back(value: int) -> None:
    assert der.parse(der.encode_integer(value)).integer() == value


@given(st.binary(max_size=70_000), st.sampled_from([0x04, 0x30, 0x31, 0xA0]))
def test_elements_come_back(content: bytes, tag: int) -> None:
    element = der.parse(der.encode(tag, content) + b"more")
    assert (element.tag, bytes(element.content)) == (tag, content)
    assert bytes(element.whole) == der.encode(tag, content)


@given(st.lists(st.integers(0, 2**70), min_size=0, max_size=6), st.integers(0, 2), st.integers(0, 39))
def test_object_identifiers_as_cryptography_reads_them(rest: list[int], first: int, second: int) -> None:
    arcs = [40 * first + second, *rest]
    raw = b"".join(_base128(arc) for arc in arcs)
    assert der.parse(der.encode(der.OID, raw)).oid() == ".".join(map(str, (first, second, *rest)))


def _base128(value: int) -> bytes:
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))


def walk(element: der.Element, depth: int = 0) -> int:
    """Everything that can be asked of an element, to some depth."""
    for ask in (element.integer, element.oid, element.octets, element.bits):
        try:
            ask()
        except der.BadAsn1:
            continue
    if depth < 5:
        try:
            return 1 + sum(walk(child, depth + 1) for child in element.children())
        except der.BadAsn1:
            return 1
    return 1


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        element = der.parse(data)
    except der.BadAsn1:
        return
    assert len(element.whole) <= len(data)
    assert walk(element) > 0


@given(st.binary(max_size=60), st.integers(0, 8))
def test_indefinite_lengths_hold_what_definite_ones_do(content: bytes, depth: int) -> None:
    data = inner = der.encode(der.OCTET_STRING, content)
    for _ in range(depth):
        data = b"\x30\x80" + data + b"\0\0"
    element = der.parse(data)
    for _ in range(depth):
        assert bytes(element.whole) == data
        data = data[2:-2]
        (element,) = element.children()
    assert bytes(element.whole) == inner


def test_a_constructed_octet_string_is_joined() -> None:
    parts = der.encode(der.OCTET_STRING, b"ab"), der.encode(der.OCTET_STRING, b"c")
    assert der.parse(der.encode(0x24, *parts)).octets() == b"abc"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x05\0",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x89" + bytes(9),
        b"\x30\x82\x01",
        b"\x1f\x81\x01\0",
        b"\x04\x80\0\0",
        b"\x30\x80" * 40,
        b"\x30\x80\x02\x01\x01",
    ],
)
def test_what_is_no_element_is_refused(data: bytes) -> None:
    with pytest.raises(der.BadAsn1):
        der.parse(data)


@pytest.mark.parametrize(
    ("ask", "data"),
    [
        ("integer", b"\x02\x00"),
        ("oid", b"\x06\x00"),
        ("oid", b"\x06\x02\x2a\x86"),
        ("oid", b"\x06\x81\x80" + b"\x01" * 128),
        ("bits", b"\x03\x00"),
        ("bits", b"\x03\x02\x01\x00"),
        ("octets", b"\x02\x01\x00"),
    ],
)
def test_what_is_no_value_is_refused(ask: str, data: bytes) -> None:
    value: Any = getattr(der.parse(data), ask)
    with pytest.raises(der.BadAsn1):
        value()


def test_many_small_elements_are_refused_in_no_time() -> None:
    started = time.process_time()
    element = der.parse(der.encode(der.SEQUENCE, b"\x05\x00" * 2_000_000))
    with pytest.raises(der.BadAsn1, match="too many"):
        element.children()
    with pytest.raises(der.BadAsn1, match="too many"):
        der.parse(b"\x30\x80" + b"\x05\x00" * 2_000_000 + b"\0\0")
    assert time.process_time() - started < 1
