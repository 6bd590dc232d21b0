"""Dalvik instructions, as far as they are needed: how long each is, what it writes, where a basic block ends.

Source: https://source.android.com/docs/core/runtime/dalvik-bytecode and .../instruction-formats. All positions count
16-bit code units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

CONST_STRING: Final = 0x1A
CONST_STRING_JUMBO: Final = 0x1B
_RETURN_VOID: Final = 0x0E
_RETURN: Final = 0x0F
_CONST_4: Final = 0x12
_MOVE_RESULT: Final = 0x0A
_STATIC_INVOKES: Final = (0x71, 0x77)

INVOKES: Final = (*range(0x6E, 0x73), *range(0x74, 0x79), 0xFA, 0xFB)  # 0xfa, 0xfb: invoke-polymorphic
_RANGE_INVOKES: Final = frozenset((*range(0x74, 0x79), 0xFB))
FIELD_READS: Final = (*range(0x52, 0x59), *range(0x60, 0x67))
"""iget-* and sget-*; a write to a field reads no content."""

PAYLOAD: Final = 8  # in WIDTHS: data, not an instruction
UNUSED: Final = 9  # in WIDTHS: no instruction has this opcode
_UNUSED_OPCODES: Final = (*range(0x3E, 0x44), 0x73, 0x79, 0x7A, *range(0xE3, 0xFA))

_LONG: Final = {
    2: (
        *(0x02, 0x05, 0x08, 0x13, 0x15, 0x16, 0x19, 0x1A, 0x1C, 0x1F, 0x20, 0x22, 0x23, 0x29, 0xFE, 0xFF),
        *range(0x2D, 0x3E),
        *range(0x44, 0x6E),
        *range(0x90, 0xB0),
        *range(0xD0, 0xE3),
    ),
    3: (
        *(0x03, 0x06, 0x09, 0x14, 0x17, 0x1B, 0x24, 0x25, 0x26, 0x2A, 0x2B, 0x2C, 0xFC, 0xFD),
        *range(0x6E, 0x73),
        *range(0x74, 0x79),
    ),
    4: (0xFA, 0xFB),
    5: (0x18,),
}
_PACKED_SWITCH, _SPARSE_SWITCH, _FILL_ARRAY = 0x0100, 0x0200, 0x0300

_NIBBLE, _BYTE, _UNIT, _ENDS = 1, 2, 3, 4  # where the register that is written stands; or the basic block ends
_WRITES: Final = {
    _NIBBLE: (0x01, 0x04, 0x07, _CONST_4, 0x20, 0x21, 0x23, *range(0x52, 0x59), *range(0x7B, 0x90), *range(0xB0, 0xD8)),
    _BYTE: (
        *(0x02, 0x05, 0x08, *range(0x0A, 0x0E), *range(0x13, 0x1D), 0x22, *range(0x2D, 0x32), *range(0x44, 0x4B)),
        *(*range(0x60, 0x67), *range(0x90, 0xB0), *range(0xD8, 0xE3), 0xFE, 0xFF),
    ),
    _UNIT: (0x03, 0x06, 0x09),
    _ENDS: (*range(0x0E, 0x12), *range(0x27, 0x2D), *range(0x32, 0x3E)),
}
# Those that write a register pair.
_WIDE: Final = frozenset((
    *(0x04, 0x05, 0x06, 0x0B, *range(0x16, 0x1A), 0x45, 0x53, 0x61, 0x7D, 0x7E, 0x80, 0x81, 0x83, 0x86, 0x88, 0x89),
    *(0x8B, *range(0x9B, 0xA6), *range(0xAB, 0xB0), *range(0xBB, 0xC6), *range(0xCB, 0xD0)),
))  # fmt: skip
_LOOK_BACK: Final = 24  # instructions


def _width_table() -> np.ndarray:
    by_opcode = np.ones(256, dtype=np.uint8)
    for width, opcodes in _LONG.items():
        by_opcode[list(opcodes)] = width
    by_opcode[list(_UNUSED_OPCODES)] = UNUSED
    table = np.tile(by_opcode, 256)
    table[[_PACKED_SWITCH, _SPARSE_SWITCH, _FILL_ARRAY]] = PAYLOAD
    return table


def _write_table() -> bytes:
    table = bytearray(256)
    for kind, opcodes in _WRITES.items():
        for opcode in opcodes:
            table[opcode] = kind
    return bytes(table)


WIDTHS: Final = _width_table()
"""Width in units by a whole first unit (65,536 of them, since payloads are told by both bytes)."""
_WRITTEN: Final = _write_table()

Units = Sequence[int]
"""The instructions of one method."""


def payload_width(units: Units, at: int) -> int:
    """Length of the data table at ``at``; to the end of the method where it says more than is there."""
    rest = len(units) - at
    if rest < 4:
        return rest
    kind, size = units[at], units[at + 1]
    if kind == _PACKED_SWITCH:
        width = size * 2 + 4
    elif kind == _SPARSE_SWITCH:
        width = size * 4 + 2
    else:
        width = (size * (units[at + 2] | units[at + 3] << 16) + 1) // 2 + 4
    return min(width, rest)


def arguments(units: Units, at: int) -> set[int]:
    """The registers that the invoke at ``at`` hands over."""
    unit = units[at]
    if at + 2 >= len(units):
        return set()
    if unit & 0xFF in _RANGE_INVOKES:
        first = units[at + 2]
        return set(range(first, first + (unit >> 8)))
    packed = units[at + 2]
    five = (packed & 0xF, packed >> 4 & 0xF, packed >> 8 & 0xF, packed >> 12, unit >> 8 & 0xF)
    return set(five[: unit >> 12])


def constant_argument(units: Units, starts: Sequence[int], at: int) -> tuple[int, int]:
    """The const-string that the invoke at ``at`` is plainly given: (its position, its string's index), or (-1, -1).

    ``starts``: the instructions before ``at``. Plain means: loaded into an argument register earlier in the same
    basic block and not overwritten since. The nearest wins. Whether a branch leads in between is for ``entered``.
    """
    registers = arguments(units, at)
    for start in reversed(starts[-_LOOK_BACK:]):
        if not registers:
            break
        unit = units[start]
        opcode = unit & 0xFF
        kind = _WRITTEN[opcode]
        if kind == _ENDS:
            break
        if not kind:
            continue
        register = (unit >> 8 & 0xF) if kind == _NIBBLE else unit >> 8 if kind == _BYTE else units[start + 1]
        if opcode in {CONST_STRING, CONST_STRING_JUMBO} and register in registers:
            high = units[start + 2] << 16 if opcode == CONST_STRING_JUMBO else 0
            return start, units[start + 1] | high
        registers.discard(register)
        if opcode in _WIDE:
            registers.discard(register + 1)
    return -1, -1


def branch_targets(units: Units, starts: Sequence[int]) -> set[int]:
    """Where the branches and switches among ``starts`` lead."""
    targets: set[int] = set()
    for start in starts:
        opcode = units[start] & 0xFF
        if not 0x28 <= opcode <= 0x3D or 0x2D <= opcode <= 0x31:
            continue
        if opcode == 0x28:  # goto
            targets.add(start + _signed(units[start] >> 8, 8))
        elif opcode == 0x29 or opcode >= 0x32:  # goto/16, if-*
            targets.add(start + _signed(_unit(units, start + 1), 16))
        else:
            offset = start + _signed(_unit(units, start + 1) | _unit(units, start + 2) << 16, 32)
            if opcode == 0x2A:  # goto/32
                targets.add(offset)
            else:
                targets.update(start + relative for relative in _switch(units, offset))
    return targets


def _switch(units: Units, at: int) -> list[int]:
    """Relative targets in a switch payload."""
    if not 0 <= at < len(units) - 1 or units[at] not in {_PACKED_SWITCH, _SPARSE_SWITCH}:
        return []
    size = units[at + 1]
    first = at + (4 if units[at] == _PACKED_SWITCH else 2 + 2 * size)
    last = min(first + 2 * size, len(units) - 1)
    return [_signed(units[place] | units[place + 1] << 16, 32) for place in range(first, last, 2)]


def _unit(units: Units, at: int) -> int:
    return units[at] if at < len(units) else 0


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def handed_to(units: Units) -> int:
    """The method to which a body of one static call hands everything, as compilers write lambdas; -1 for others."""
    if len(units) not in {4, 5} or units[0] & 0xFF not in _STATIC_INVOKES:
        return -1
    plain = units[3:] == [_RETURN_VOID]
    if len(units) == 5:
        result, back = units[3], units[4]
        plain = (result & 0xFF, back & 0xFF) == (_MOVE_RESULT, _RETURN) and result >> 8 == back >> 8
    return units[1] if plain else -1


def body_mark(units: Units) -> str:
    """What a very short method does: "empty-body" (returns at once), "always-true" (returns 1), or ""."""
    if len(units) == 1 and units[0] == _RETURN_VOID:
        return "empty-body"
    if len(units) == 2 and units[0] & 0xFF == _CONST_4 and units[1] & 0xFF == _RETURN:
        register, value = units[0] >> 8 & 0xF, units[0] >> 12
        return "always-true" if value == 1 and units[1] >> 8 == register else ""
    return ""
