"""Typed values, as Android's ``TypedArray`` and ``XmlUtils`` read them."""

from __future__ import annotations

import struct
from types import ModuleType

import pytest

from proscribe.assess.android.arsc import Resources
from proscribe.assess.android.axml import Document, Element, Value
from proscribe.assess.android.values import Values, shown

VALUES = Values(Resources([lambda: None], [0]))


def element(axml: ModuleType, value: object) -> Element:
    root = Document(bytes(axml.build(axml.Node("a", {"android:name": value})).data)).root
    assert root is not None
    return root


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (0x00, 0, ""),
        (0x01, 0x7F010002, "@0x7f010002"),
        (0x02, 0x01010003, "?0x01010003"),
        (0x04, struct.unpack("<I", struct.pack("<f", 1.6))[0], "1.6"),
        (0x04, 0x7F800000, "0x7f800000"),
        (0x05, 0x3C01, "0x00003c01"),
        (0x07, 0x00010000, "@0x00010000"),
        (0x10, 0xFFFFFFFF, "-1"),
        (0x11, 0x10, "0x00000010"),
        (0x12, 0, "false"),
        (0x12, 0xFFFFFFFF, "true"),
        (0x1C, 0xFF00FF00, "0xff00ff00"),
    ],
)
def test_values_as_text(kind: int, data: int, text: str) -> None:
    assert shown(Value(kind, data, "")) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("34", 34),
        ("-7", -7),
        ("0x1F", 31),
        ("#1f", 31),
        ("010", 8),
        ("0", 0),
        (" 5 ", 5),
        ("", None),
        ("S", None),
        ("08", None),
        ("1_0", None),
        ("٣", None),
        ("9" * 17, None),
    ],
)
def test_strings_that_are_numbers(axml: ModuleType, text: str, number: int | None) -> None:
    assert VALUES.number(element(axml, text), "name") == number


@pytest.mark.parametrize(
    ("value", "answer"),
    [("true", True), ("TRUE", True), ("1", True), ("True", False), ("yes", False), (5, True), (0, False), (True, True)],
)
def test_booleans(axml: ModuleType, value: str | int, answer: bool) -> None:
    assert VALUES.flag(element(axml, value), "name") is answer


def test_what_is_absent_or_unresolved_is_not_false(axml: ModuleType) -> None:
    assert VALUES.flag(element(axml, "x"), "exported") is None
    unresolved = element(axml, axml.reference(0x7F010000))
    assert VALUES.flag(unresolved, "name") is None
    assert VALUES.number(unresolved, "name") is None
    assert VALUES.text(unresolved, "name") == "@0x7f010000"
    assert VALUES.flag(element(axml, axml.Typed(0x04, 1)), "name") is None
