"""One logical dex of the package, through both passes: what is kept of it, and its sites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from proscribe.assess.code.classdata import Members
from proscribe.assess.code.dex import Dex
from proscribe.assess.code.family import Edges, Family
from proscribe.assess.code.instructions import body_mark
from proscribe.assess.code.scan import Budget, Code, Use, Wanted, uses
from proscribe.assess.code.strings import Ints, Marks, decode
from proscribe.assess.code.targets import CALLBACK, FIELD, FIELD_CLASS, METHOD, REFLECTION, Targets, marked
from proscribe.assess.facts import Site
from proscribe.assess.terms import SiteKind

_MAX_LITERAL = 256


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dex lies: evidence's name for the member, its digest."""

    member: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Kin:
    """By class row: superclass and interfaces; and the definitions that may hide an inherited method."""

    parents: dict[int, tuple[bytes, tuple[bytes, ...]]]
    defined: list[tuple[int, tuple[bytes, str]]]


class Volume:
    """Classes and methods of one dex; its bytes may be let go between the passes."""

    def __init__(self, source: Source, dex: Dex, targets: Targets) -> None:
        self.source = source
        self._dex: Dex | None = dex
        self.header = dex.header
        self.faults, self.oddities = dex.faults, dex.oddities
        self.targets = targets
        self.names = dex.class_descriptors()
        self.members: Members = dex.members()
        self.interfaces = dex.interfaces()
        self.roles = targets.roles(dex)
        self.class_prints = self._prints(np.maximum(dex.class_types, 0))
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
        return Edges(self._prints(children[known]), self._prints(parents[known]))

    def _prints(self, types: Ints) -> np.ndarray:
        names = self.dex.type_names[types]
        return self.dex.string_prints[names] if len(names) else np.zeros(0, dtype=np.uint32)

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
        for place in self._rows(rows, METHOD | CALLBACK).tolist():
            method = int(self.members.methods[place])
            key = (dex.string(int(dex.method_names[method])), dex.proto(int(dex.method_protos[method])))
            defined.append((int(self.members.owners[place]), key))
        return _Kin(parents, defined)

    def _rows(self, classes: Marks, role: int) -> Ints:
        """Rows of ``members`` in some classes whose method's name has a role."""
        names = self.dex.method_names[self.members.methods]
        return np.flatnonzero(classes[self.members.owners] & marked(self.roles, names, role))

    # ---- second pass: the sites ------------------------------------------------------------------------------------

    def sites(self, family: Family, known: Marks, budget: Budget) -> tuple[list[Site], int]:
        """Every site of this dex, and how many calls are reflection."""
        dex = self.dex
        methods, reflection = self._methods(family, known)
        fields = self._fields()
        strings = self.targets.strings_of(dex, self.roles)
        wanted = Wanted(frozenset(methods) | reflection, frozenset(fields), frozenset(strings))
        code = Code.of(dex, self.members)
        found: list[Site] = []
        used: set[tuple[bool, int]] = set()
        reflective = 0
        for use in uses(dex, code, wanted, budget):
            if use.is_call:
                reflective += use.index in reflection
                if use.index in methods:
                    used.add((True, use.index))
                    found.append(self._call(use, methods[use.index]))
            elif use.is_field:
                found.append(self._site(SiteKind.field, dex.field_text(use.index), fields[use.index], use))
            else:
                used.add((False, use.index))
                found.append(self._site(SiteKind.string, dex.text(use.index), strings[use.index], use))
        found.extend(self._callbacks(family, code))
        found.extend(self._references(methods, strings, used))
        return found, reflective

    def _methods(self, family: Family, known: Marks) -> tuple[dict[int, str], frozenset[int]]:
        """Method references that mean a watched method, with what they met; and those that are reflection."""
        dex = self.dex
        owners = np.maximum(dex.method_classes, 0)
        rows = marked(self.roles, dex.method_names, METHOD) & (dex.method_classes >= 0) & (dex.method_protos >= 0)
        if rows.any():
            rows &= known[self._prints(owners)]
        methods: dict[int, str] = {}
        reflection = set()
        for row in np.flatnonzero(rows).tolist():
            owner = dex.descriptor(int(dex.method_classes[row]))
            name = dex.string(int(dex.method_names[row]))
            if (owner, name) in REFLECTION:
                reflection.add(row)
            met = family.lands_in(self.targets, owner, name, dex.proto(int(dex.method_protos[row])))
            if met is not None:
                methods[row] = f"{decode(met)}->{decode(name)}"
        return methods, frozenset(reflection)

    def _fields(self) -> dict[int, str]:
        dex = self.dex
        owners = dex.type_names[np.maximum(dex.field_classes, 0)] if len(dex.type_names) else dex.field_classes
        rows = marked(self.roles, dex.field_names, FIELD) & marked(self.roles, owners, FIELD_CLASS)
        fields = {}
        for row in np.flatnonzero(rows & (dex.field_classes >= 0)).tolist():
            owner, name = dex.descriptor(int(dex.field_classes[row])), dex.string(int(dex.field_names[row]))
            if (owner, name) in self.targets.fields:
                fields[row] = f"{decode(owner)}->{decode(name)}"
        return fields

    def _call(self, use: Use, watch: str) -> Site:
        literal = self.dex.text(use.string)[:_MAX_LITERAL] if use.string >= 0 else ""
        return self._site(SiteKind.call, self.dex.method_text(use.index), watch, use, literal)

    def _site(self, kind: SiteKind, subject: str, watch: str, use: Use, literal: str = "") -> Site:
        caller = self.dex.method_text(use.method)
        return Site(kind, self.source.member, self.source.sha256, subject, watch, caller, use.offset, literal)

    def _callbacks(self, family: Family, code: Code) -> Iterator[Site]:
        dex, targets = self.dex, self.targets
        rows = self._rows(self.related, CALLBACK)
        for row in rows[self.members.codes[rows] > 0].tolist():
            method = int(self.members.methods[row])
            owner = self.names[int(self.members.owners[row])]
            name = dex.string(int(dex.method_names[method]))
            for ancestor in family.calls_back(targets.callbacks, owner, name):
                subject = dex.method_text(method)
                watch = f"{decode(ancestor)}->{decode(name)}"
                mark = self._body_mark(int(self.members.codes[row]), code)
                yield Site(SiteKind.callback, self.source.member, self.source.sha256, subject, watch, subject, 0, mark)

    def _body_mark(self, offset: int, code: Code) -> str:
        item = int(np.searchsorted(code.firsts, offset // 2 + 8))
        first, size = int(code.firsts[item]), int(code.sizes[item])
        return body_mark(self.dex.units[first : first + min(size, 3)].tolist()) if size <= 2 else ""

    def _references(
        self, methods: dict[int, str], strings: dict[int, str], used: set[tuple[bool, int]]
    ) -> Iterator[Site]:
        """What stands in a table and is used by no instruction that was found: evidence that it is known, no more."""
        own = set(self.members.methods.tolist()) if methods else set()
        for is_method, rows in ((True, methods), (False, strings)):
            for row, watch in rows.items():
                if (is_method, row) in used or (is_method and row in own):
                    continue
                subject = self.dex.method_text(row) if is_method else self.dex.text(row)
                yield Site(SiteKind.reference, self.source.member, self.source.sha256, subject, watch)

    # ---- counts ----------------------------------------------------------------------------------------------------

    def packages(self) -> Counter[str]:
        """Classes by the name of their package, with dots."""
        found: Counter[bytes] = Counter(name.rpartition(b"/")[0] for name in self.names)
        return Counter({decode(name[1:].replace(b"/", b".")): count for name, count in found.items()})
