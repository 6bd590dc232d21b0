"""The sites of one dex: watched things that its code uses, and callbacks that its classes define."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from proscribe.assess.code.family import Family
from proscribe.assess.code.instructions import body_mark, handed_to
from proscribe.assess.code.scan import Budget, Code, Use, Wanted, uses
from proscribe.assess.code.strings import Marks, decode
from proscribe.assess.code.targets import CALLBACK, FIELD, FIELD_CLASS, METHOD, REFLECTION, Targets, marked
from proscribe.assess.code.volume import Volume
from proscribe.assess.facts import Site
from proscribe.assess.terms import SiteKind

_MAX_LITERAL = 256
_GLANCE = 5  # units


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dex lies: evidence's name for the member, its digest."""

    member: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The whole package: its family of classes (exactly, and as marks over fingerprints), and the work that is left."""

    targets: Targets
    family: Family
    known: Marks
    budget: Budget


class Search:
    """The second pass over one dex. ``reflection`` counts calls of it once ``sites`` is through."""

    def __init__(self, volume: Volume, source: Source, scope: Scope) -> None:
        self.volume = volume
        self.dex = volume.dex
        self.source = source
        self.scope = scope
        self.code = Code.of(self.dex, volume.members)
        self.reflection = 0

    def sites(self) -> Iterator[Site]:
        """Calls, fields and strings by their place in the file; then callbacks; then what is only referenced."""
        methods, reflection = self._methods()
        fields = self._fields()
        strings = self.scope.targets.strings_of(self.dex, self.volume.roles)
        wanted = Wanted(frozenset(methods) | reflection, frozenset(fields), frozenset(strings))
        used_methods: set[int] = set()
        used_strings: set[int] = set()
        for use in uses(self.dex, self.code, wanted, self.scope.budget):
            if use.is_field:
                yield self._site(SiteKind.field, self.dex.field_text(use.index), fields[use.index], use)
            elif not use.is_call:
                used_strings.add(use.index)
                yield self._site(SiteKind.string, self.dex.text(use.index), strings[use.index], use)
            else:
                self.reflection += use.index in reflection
                if use.index in methods:
                    used_methods.add(use.index)
                    yield self._site(SiteKind.call, self.dex.method_text(use.index), methods[use.index], use)
        yield from self._callbacks()
        # What a class defines stands in the method table for that alone.
        defined = np.zeros(self.dex.header.methods.size, dtype=np.bool_)
        defined[self.volume.members.methods] = True
        for row in sorted(row for row in methods.keys() - used_methods if not defined[row]):
            yield from self._reference(self.dex.method_text(row), methods[row])
        for row in sorted(strings.keys() - used_strings):
            yield from self._reference(self.dex.text(row), strings[row])

    # ---- what of this dex's tables is watched ----------------------------------------------------------------------

    def _methods(self) -> tuple[dict[int, str], frozenset[int]]:
        """Method references that mean a watched method, with what they met; and those that are reflection."""
        dex, scope = self.dex, self.scope
        rows = marked(self.volume.roles, dex.method_names, METHOD)
        rows &= (dex.method_classes >= 0) & (dex.method_protos >= 0)
        candidates = np.flatnonzero(rows)
        candidates = candidates[scope.known[self.volume.prints(dex.method_classes[candidates])]]
        methods: dict[int, str] = {}
        reflection = set()
        for row in candidates.tolist():
            owner, name = dex.descriptor(int(dex.method_classes[row])), dex.string(int(dex.method_names[row]))
            if (owner, name) in REFLECTION:
                reflection.add(row)
            met = scope.family.lands_in(scope.targets, owner, name, dex.proto(int(dex.method_protos[row])))
            if met is not None:
                methods[row] = f"{decode(met)}->{decode(name)}"
        return methods, frozenset(reflection)

    def _fields(self) -> dict[int, str]:
        dex, roles = self.dex, self.volume.roles
        rows = np.flatnonzero(marked(roles, dex.field_names, FIELD) & (dex.field_classes >= 0))
        rows = rows[marked(roles, dex.type_names[dex.field_classes[rows]], FIELD_CLASS)]
        fields = {}
        for row in rows.tolist():
            owner, name = dex.descriptor(int(dex.field_classes[row])), dex.string(int(dex.field_names[row]))
            if (owner, name) in self.scope.targets.fields:
                fields[row] = f"{decode(owner)}->{decode(name)}"
        return fields

    # ---- sites -----------------------------------------------------------------------------------------------------

    def _site(self, kind: SiteKind, subject: str, watch: str, use: Use) -> Site:
        literal = self.dex.text(use.string)[:_MAX_LITERAL] if use.string >= 0 else ""
        caller = self.dex.method_text(use.method)
        return Site(kind, self.source.member, self.source.sha256, subject, watch, caller, use.offset, literal)

    def _reference(self, subject: str, watch: str) -> Iterator[Site]:
        if self.scope.budget.spend_use():
            yield Site(SiteKind.reference, self.source.member, self.source.sha256, subject, watch)

    def _callbacks(self) -> Iterator[Site]:
        dex, scope, members = self.dex, self.scope, self.volume.members
        rows = self.volume.rows(self.volume.related, CALLBACK)
        for row in rows[members.codes[rows] > 0].tolist():
            method = int(members.methods[row])
            owner = self.volume.names[int(members.owners[row])]
            name = dex.string(int(dex.method_names[method]))
            for ancestor in scope.family.calls_back(scope.targets.callbacks, owner, name):
                if not scope.budget.spend_use():
                    return
                subject = dex.method_text(method)
                watch = f"{decode(ancestor)}->{decode(name)}"
                mark = self._body_mark(int(members.codes[row]))
                member, digest = self.source.member, self.source.sha256
                yield Site(SiteKind.callback, member, digest, subject, watch, subject, 0, mark)

    def _body_mark(self, offset: int) -> str:
        """What a very short method does; one that only calls another of this dex does what that does."""
        body = self._body(offset)
        handed = handed_to(body)
        if handed >= 0:
            members = self.volume.members
            body = next((self._body(at) for at in members.codes[members.methods == handed].tolist() if at), [])
        return body_mark(body)

    def _body(self, offset: int) -> list[int]:
        """The units of a code item, [] for one that is too long to be told at a glance."""
        item = int(np.searchsorted(self.code.firsts, offset // 2 + 8))
        first, size = int(self.code.firsts[item]), int(self.code.sizes[item])
        units: list[int] = self.dex.units[first : first + size].tolist() if size <= _GLANCE else []
        return units
