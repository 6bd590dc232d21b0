"""What is looked for, in the terms of a dex: words with their roles, and the rows of one dex that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from proscribe.assess.code.dex import Dex
from proscribe.assess.code.strings import Ints, Marks, Words, decode, encode
from proscribe.assess.watch import Watch

CLASS, METHOD, CALLBACK, FIELD_CLASS, FIELD, STRING = 1, 2, 4, 8, 16, 32

MAX_STRINGS = 50_000
"""Strings of one dex that begin like a watched one; a real dex has some hundred."""

REFLECTION = frozenset(
    {
        (b"Ljava/lang/Class;", b"forName"),
        (b"Ljava/lang/Class;", b"getDeclaredField"),
        (b"Ljava/lang/Class;", b"getDeclaredMethod"),
        (b"Ljava/lang/Class;", b"getField"),
        (b"Ljava/lang/Class;", b"getMethod"),
        (b"Ljava/lang/reflect/Constructor;", b"newInstance"),
        (b"Ljava/lang/reflect/Field;", b"get"),
        (b"Ljava/lang/reflect/Method;", b"invoke"),
    }
)
"""Calls that are counted as reflection."""

Pairs = frozenset[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Targets:
    """A watch list in modified UTF-8, as the strings of a dex are."""

    methods: Pairs
    callbacks: Pairs
    fields: Pairs
    strings: frozenset[bytes]
    uris: tuple[bytes, ...]  # longest first, so that the closest one is named
    words: Words = field(repr=False)

    @classmethod
    def of(cls, watch: Watch) -> Targets:
        methods, callbacks, fields = (_pairs(pairs) for pairs in (watch.methods, watch.callbacks, watch.fields))
        strings = frozenset(map(encode, watch.strings))
        roles: dict[bytes, int] = {}
        for pairs, owner_role, name_role in (
            (methods | REFLECTION, CLASS, METHOD),
            (callbacks, CLASS, CALLBACK),
            (fields, FIELD_CLASS, FIELD),
        ):
            for owner, name in pairs:
                roles[owner] = roles.get(owner, 0) | owner_role
                roles[name] = roles.get(name, 0) | name_role
        for string in strings:
            roles[string] = roles.get(string, 0) | STRING
        uris = tuple(sorted(map(encode, watch.uris), key=lambda uri: (-len(uri), uri)))
        return cls(methods, callbacks, fields, strings, uris, Words(roles))

    def roles(self, dex: Dex) -> np.ndarray:
        """The roles of each string of a dex, as a bit mask; at -1 that of no string, 0."""
        marks = np.zeros(len(dex.string_prints), dtype=np.uint8)
        for index in np.flatnonzero(self.words.table[dex.string_prints]).tolist():
            role = self.words.roles.get(dex.string(index))
            if role:
                marks[index] = role
        return marks

    def strings_of(self, dex: Dex, roles: np.ndarray) -> dict[int, str]:
        """String index -> what of the watch list it met: an exact string or the start of one."""
        found = {index: decode(dex.string(index)) for index in np.flatnonzero(roles & STRING)[:MAX_STRINGS].tolist()}
        likely = dex.starting([uri[:3] for uri in self.uris])
        if len(likely) > MAX_STRINGS:
            dex.faults["code.too-many-strings"] += len(likely) - MAX_STRINGS
        for index in likely[:MAX_STRINGS].tolist():
            text = dex.string(index)
            uri = next((uri for uri in self.uris if text.startswith(uri)), None)
            if uri is not None:
                found.setdefault(index, decode(uri))
        return found


def _pairs(pairs: frozenset[tuple[str, str]]) -> Pairs:
    return frozenset((encode(owner), encode(name)) for owner, name in pairs)


def marked(roles: np.ndarray, strings: Ints, role: int) -> Marks:
    """For rows that name strings: whether the string has the role."""
    having: Marks = roles[strings] & role != 0
    return having
