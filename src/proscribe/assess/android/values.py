"""Typed values as Android's ``TypedArray`` reads them, references followed through the resource tables."""

from __future__ import annotations

import math
from struct import Struct
from typing import Final

from proscribe.assess.android.arsc import DYNAMIC_REFERENCE, REFERENCE, Found, Resources
from proscribe.assess.android.axml import STRING, Element, Value

_NULL: Final = 0x00
_ATTRIBUTE: Final = 0x02
_FLOAT: Final = 0x04
_DECIMAL: Final = 0x10
_BOOLEAN: Final = 0x12
_LAST_INTEGER: Final = 0x1F
_UNSIGNED_FLOAT: Final = Struct("<I")
_FLOAT_BITS: Final = Struct("<f")


def shown(value: Value) -> str:
    """A value as text: strings as they are, integers in decimal, what cannot be resolved as ``@0x7f010001``."""
    if value.type == STRING:
        return value.text
    if value.type in (REFERENCE, DYNAMIC_REFERENCE, _ATTRIBUTE):
        return f"{'?' if value.type == _ATTRIBUTE else '@'}0x{value.data:08x}"
    if value.type == _BOOLEAN:
        return "true" if value.data else "false"
    if value.type == _FLOAT:
        (number,) = _FLOAT_BITS.unpack(_UNSIGNED_FLOAT.pack(value.data))
        return f"{number:g}" if math.isfinite(number) else f"0x{value.data:08x}"
    if value.type == _DECIMAL:
        return str(signed(value.data))
    return "" if value.type == _NULL else f"0x{value.data:08x}"


def signed(number: int) -> int:
    """32 bits as Java's int."""
    return number - (1 << 32) if number & 0x80000000 else number


def _boolean(value: Value) -> bool | None:
    """Android's ``XmlUtils.convertValueToBoolean`` and ``TypedArray.getBoolean``."""
    if _DECIMAL <= value.type <= _LAST_INTEGER:
        return bool(value.data)
    return value.text in ("1", "true", "TRUE") if value.type == STRING else None


def _integer(value: Value) -> int | None:
    """``TypedArray.getInt``: typed integers, and strings as ``integer`` takes them."""
    if _DECIMAL <= value.type <= _LAST_INTEGER:
        return signed(value.data)
    return integer(value.text)


def integer(text: str) -> int | None:
    """``XmlUtils.convertValueToInt``: digits with the prefixes 0x, # (both 16) and 0 (8), and a minus sign."""
    text = text.strip()
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    base = 10
    if digits[:2] in ("0x", "0X"):
        base, digits = 16, digits[2:]
    elif digits.startswith("#"):
        base, digits = 16, digits[1:]
    elif digits.startswith("0") and len(digits) > 1:
        base, digits = 8, digits[1:]
    if not digits.isascii() or not digits.isalnum() or len(digits) > 16:
        return None
    try:
        return sign * int(digits, base)
    except ValueError:
        return None


class Values:
    """Reads the attributes of one APK's XML.

    ``referenced`` counts attributes whose text came through a reference although Android takes no reference there.
    """

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.referenced = 0

    def found(self, element: Element, name: str) -> tuple[Found, ...]:
        """An attribute in every configuration, the default first; empty where it is absent or resolves to nothing."""
        value = element.get(name)
        return self.resources.resolve(value) if value is not None else ()

    def text(self, element: Element, name: str) -> str:
        """The attribute as text; "" where absent, ``@0x...`` where its reference cannot be resolved."""
        value = element.get(name)
        if value is None:
            return ""
        found = self.resources.resolve(value)
        return shown(found[0].value if found else value)

    def name(self, element: Element, name: str = "name") -> str:
        """As ``text``, for names that Android reads only where they are written out."""
        value = element.get(name)
        if value is not None and value.type in (REFERENCE, DYNAMIC_REFERENCE):
            self.referenced += 1
        return self.text(element, name)

    def flag(self, element: Element, name: str) -> bool | None:
        """The attribute as a boolean, None where absent or none; true where any configuration says so."""
        answers = [_boolean(each.value) for each in self.found(element, name)]
        stated = [answer for answer in answers if answer is not None]
        return any(stated) if stated else None

    def number(self, element: Element, name: str) -> int | None:
        """The attribute as an integer, of the default configuration."""
        found = self.found(element, name)
        return _integer(found[0].value) if found else None
