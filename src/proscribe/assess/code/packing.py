"""Marks of code that is not where Android looks for it: told by structure, never by a packer's name."""

from __future__ import annotations

from collections.abc import Collection

from proscribe.assess.code.members import Members
from proscribe.assess.code.program import Program
from proscribe.assess.code.strings import encode

DECLARED_MISSING = "packer.declared-missing"
"""Most classes that the manifest declares are in no dex file."""
STUB_AND_NOISE = "packer.stub-and-noise"
"""Little code, and much more that reads like random bytes."""
NO_CLASSES = "packer.no-classes"
"""Dex files without any class, where the manifest declares some."""

_STUB = 512 << 10  # bytes of dex; packers' loaders are smaller, real apps are seldom
_HIDDEN = 64 << 10


def marks(program: Program, members: Members, declared: Collection[str]) -> tuple[str, ...]:
    """Stable codes, sorted. ``declared``: class names of the manifest, with dots."""
    found = set()
    if declared and program.files:
        missing = missing_classes(program, declared)
        if not program.classes:
            found.add(NO_CLASSES)
        elif 2 * len(missing) > len(set(declared)):
            found.add(DECLARED_MISSING)
    if program.files and sum(file.size for file in program.files) <= _STUB and hidden(program, members):
        found.add(STUB_AND_NOISE)
    return tuple(sorted(found))


def hidden(program: Program, members: Members) -> list[str]:
    """Members of noise that outweigh the code, biggest first."""
    code = sum(file.size for file in program.files)
    if code > _STUB:
        return []
    return [member for size, member in sorted(members.bulk, reverse=True) if size >= max(_HIDDEN, 2 * code)]


def missing_classes(program: Program, declared: Collection[str]) -> list[str]:
    """Declared classes that no dex file defines."""
    return [name for name in sorted(set(declared)) if encode(f"L{name.replace('.', '/')};") not in program.classes]
