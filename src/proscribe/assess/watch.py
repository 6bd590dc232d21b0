"""What the code readers look for: made from the ``apis`` pack, handed to them as plain sets. No pack type goes in."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Watch:
    """Everything a code reader reports. Keys are what ``Site.watch`` repeats.

    methods: ``(class descriptor, method name)``, any overload; calls through subclasses that the package defines count
    too. fields: ``(class descriptor, field name)``. callbacks: ``(superclass descriptor, method name)``. uris: starts
    of strings (``content://sms``). strings: exact strings. native: ELF symbols. macho: Mach-O symbols. libraries: last
    parts of Mach-O library paths.
    """

    methods: frozenset[tuple[str, str]] = frozenset()
    fields: frozenset[tuple[str, str]] = frozenset()
    callbacks: frozenset[tuple[str, str]] = frozenset()
    uris: frozenset[str] = frozenset()
    strings: frozenset[str] = frozenset()
    native: frozenset[str] = frozenset()
    macho: frozenset[str] = frozenset()
    libraries: frozenset[str] = frozenset()
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(name for _, name in self.methods | self.callbacks))
