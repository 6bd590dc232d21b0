"""One logical dex of the package between the two passes: its classes, what they descend from, what they define."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from proscribe.assess.code.classdata import Members
from proscribe.assess.code.dex import Dex
from proscribe.assess.code.family import Edges, Family
from proscribe.assess.code.strings import Ints, Marks, decode
from proscribe.assess.code.targets import CALLBACK, METHOD, Targets, marked


@dataclass(frozen=True, slots=True)
class _Kin:
    """By class row: superclass and interfaces; and the definitions that may hide an inherited method."""

    parents: dict[int, tuple[bytes, tuple[bytes, ...]]]
    defined: list[tuple[int, tuple[bytes, str]]]


class Volume:
    """Classes and methods of one dex; its bytes may be let go between the passes."""

    def __init__(self, dex: Dex, targets: Targets) -> None:
        self._dex: Dex | None = dex
        self.header = dex.header
        self.faults, self.oddities = dex.faults, dex.oddities
        self.targets = targets
        self.names = dex.class_descriptors()
        self.members: Members = dex.members()
        self.interfaces = dex.interfaces()
        self.roles = targets.roles(dex)
        self.class_prints = self.prints(dex.class_types)
        self.related: Marks = np.zeros(len(self.names), dtype=np.bool_)
        self._kin: _Kin | None = None
        self._settled = False

    @property
    def dex(self) -> Dex:
        if self._dex is None:
            raise RuntimeError("the bytes of this dex were let go")
        return self._dex

    @property
    def is_open(self) -> bool:
        return self._dex is not None

    # ---- first pass: the family ------------------------------------------------------------------------------------

    def edges(self) -> Edges:
        """Who descends from whom, by fingerprint."""
        dex = self.dex
        owners, types = self.interfaces
        having = np.flatnonzero((dex.class_parents >= 0) & (dex.class_types >= 0))
        children = np.concatenate((dex.class_types[having], dex.class_types[owners]))
        parents = np.concatenate((dex.class_parents[having], types))
        known = (children >= 0) & (parents >= 0)
        return Edges(self.prints(children[known]), self.prints(parents[known]))

    def prints(self, types: Ints) -> np.ndarray:
        """Fingerprints of the types' names."""
        prints: np.ndarray = self.dex.string_prints[self.dex.type_names[types]]
        return prints

    def let_go(self) -> None:
        """Release the dex's bytes; what the family has still to be told is taken out before."""
        if not self._settled:
            self._kin = self._kinship(np.ones(len(self.names), dtype=np.bool_))
        self._dex = None

    def reopen(self, dex: Dex) -> None:
        """The same dex, parsed again for the second pass. What was wrong with it was counted the first time."""
        dex.faults, dex.oddities = self.faults, self.oddities
        self._dex = dex

    def settle(self, family: Family, known: Marks) -> None:
        """Tell the family the exact names of this dex's classes in ``known`` and what they define."""
        self.related = known[self.class_prints]
        kin = self._kin or self._kinship(self.related)
        for row in np.flatnonzero(self.related).tolist():
            parent, interfaces = kin.parents[row]
            self.related[row] = bool(self.names[row]) and family.add(self.names[row], parent, interfaces)
        for row, key in kin.defined:
            if self.related[row]:
                family.defined.setdefault(self.names[row], set()).add(key)
        self._kin = None
        self._settled = True

    def _kinship(self, rows: Marks) -> _Kin:
        """Superclass and interfaces of classes, and which methods with a watched name they define."""
        dex = self.dex
        interfaces: dict[int, list[bytes]] = {}
        mine = rows[self.interfaces[0]]
        for row, kind in zip(self.interfaces[0][mine].tolist(), self.interfaces[1][mine].tolist(), strict=True):
            interfaces.setdefault(row, []).append(dex.descriptor(kind))
        parents = {
            row: (dex.descriptor(int(dex.class_parents[row])), tuple(interfaces.get(row, ())))
            for row in np.flatnonzero(rows).tolist()
        }
        defined = []
        for place in self.rows(rows, METHOD | CALLBACK).tolist():
            method = int(self.members.methods[place])
            key = (dex.string(int(dex.method_names[method])), dex.proto(int(dex.method_protos[method])))
            defined.append((int(self.members.owners[place]), key))
        return _Kin(parents, defined)

    def rows(self, classes: Marks, role: int) -> Ints:
        """Rows of ``members`` in some classes whose method's name has a role."""
        names = self.dex.method_names[self.members.methods]
        return np.flatnonzero(classes[self.members.owners] & marked(self.roles, names, role))

    # ---- counts ----------------------------------------------------------------------------------------------------

    def packages(self) -> Counter[str]:
        """Classes by the name of their package, with dots."""
        found: Counter[bytes] = Counter(name.rpartition(b"/")[0] for name in self.names)
        return Counter({decode(name[1:].replace(b"/", b".")): count for name, count in found.items()})
