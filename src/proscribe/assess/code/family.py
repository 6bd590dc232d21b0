"""Which classes of the package descend from a watched class, across all of its dex files.

First roughly and all at once, on fingerprints in numpy (which may let a stranger in, never lose a member); then the
names of those few exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from proscribe.assess.code.strings import Marks
from proscribe.assess.code.targets import Pairs, Targets

MAX_DEPTH = 64
"""Superclasses that are followed; the deepest real hierarchies stay below 30."""
MAX_STEPS = 3_000_000
_MAX_ANCESTORS = 512
_CONSTRUCTORS = (b"<init>", b"<clinit>")


@dataclass(frozen=True, slots=True)
class Edges:
    """Of one dex: fingerprints of children and of their superclasses and interfaces, row by row."""

    children: np.ndarray
    parents: np.ndarray


def descendants(edges: Iterable[Edges], roots: np.ndarray) -> tuple[Marks, bool]:
    """A table over fingerprints: True for the roots and for whatever descends from them; and whether it is whole."""
    listed = list(edges)
    known = roots.copy()
    if not listed:
        return known, True
    children = np.concatenate([part.children for part in listed])
    parents = np.concatenate([part.parents for part in listed])
    for _ in range(MAX_DEPTH):
        fresh = known[parents] & ~known[children]
        if not fresh.any():
            return known, True
        known[children[fresh]] = True
        children, parents = children[~fresh], parents[~fresh]
    return known, False


@dataclass
class Family:
    """Exact superclasses, interfaces and definitions of the classes that matter; a class's first definition counts.

    ``defined``: class -> (name, ``(args)ret``) of methods with a watched name. ``steps``: ancestors that may still be
    visited.
    """

    supers: dict[bytes, bytes] = field(default_factory=dict)
    interfaces: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    defined: dict[bytes, set[tuple[bytes, str]]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    steps: int = field(default_factory=lambda: MAX_STEPS)

    def add(self, name: bytes, parent: bytes, interfaces: tuple[bytes, ...]) -> bool:
        """Take in a class definition; False where the class was defined before."""
        if name in self.supers:
            return False
        self.supers[name] = parent
        if interfaces:
            self.interfaces[name] = interfaces
        return True

    def lands_in(self, targets: Targets, owner: bytes, name: bytes, proto: str) -> bytes | None:
        """The watched class whose method a reference ``owner->name`` means, None for none.

        A reference to a watched class means what it says. One to a class of the package means the method it inherits,
        unless that class or one on the way defines the method itself. Constructors are not inherited.
        """
        if (owner, name) in targets.methods:
            return owner
        if name in _CONSTRUCTORS:
            return None
        for ancestor in self.ancestors(owner):
            if ancestor != owner and (ancestor, name) in targets.methods:
                return ancestor
            if (name, proto) in self.defined.get(ancestor, ()):
                return None
        return None

    def calls_back(self, callbacks: Pairs, owner: bytes, name: bytes) -> list[bytes]:
        """The watched superclasses and interfaces of ``owner`` whose callback ``name`` is."""
        return [ancestor for ancestor in self.ancestors(owner) if ancestor != owner and (ancestor, name) in callbacks]

    def ancestors(self, owner: bytes) -> Iterator[bytes]:
        """A class, its superclasses upwards, then the interfaces of them all; each once."""
        chain: list[bytes] = []
        seen: set[bytes] = set()
        current: bytes | None = owner
        while current and current not in seen:
            if len(chain) >= MAX_DEPTH or self.steps < 0:
                self.faults["code.deep-hierarchy"] += 1
                break
            seen.add(current)
            chain.append(current)
            self.steps -= 1
            yield current
            current = self.supers.get(current)
        for below in chain:  # grows while it is walked
            for interface in self.interfaces.get(below, ()):
                if interface not in seen:
                    self.steps -= 1
                    if len(chain) >= _MAX_ANCESTORS or self.steps < 0:
                        self.faults["code.deep-hierarchy"] += 1
                        return
                    seen.add(interface)
                    chain.append(interface)
                    yield interface
