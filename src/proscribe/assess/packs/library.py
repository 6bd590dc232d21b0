"""The data packs in memory: plain mappings, and the look-ups that readers of an assessment ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from proscribe.assess.packs.model import (
    ApiKind,
    ApiRow,
    CapabilityRow,
    HostRow,
    JurisdictionRow,
    OperatorRow,
    PackHeader,
    PermissionRow,
    SdkRow,
)
from proscribe.assess.profile import Reference
from proscribe.assess.watch import Watch

NAMESPACE = "namespace"
"""Purpose of a host row whose name only labels something (an XML namespace, a licence, an example)."""

R = TypeVar("R")

_CACHED = 1 << 17  # answers kept; a hostile package may hold a million class names


@dataclass(frozen=True)
class Packs:
    """Every pack, already checked row by row and against the others (``load.load_packs``)."""

    headers: Mapping[str, PackHeader]
    references: tuple[Reference, ...]  # id is the pack's name, digest that of the file
    permissions: Mapping[str, PermissionRow]
    apis: tuple[ApiRow, ...]
    capabilities: Mapping[str, CapabilityRow]
    sdks: Mapping[str, SdkRow]
    hosts: Mapping[str, HostRow]
    operators: Mapping[str, OperatorRow]
    jurisdictions: Mapping[str, JurisdictionRow]
    watch: Watch = field(init=False)
    _prefixes: dict[str, SdkRow] = field(init=False, repr=False, compare=False)
    _native: dict[str, SdkRow] = field(init=False, repr=False, compare=False)
    _frameworks: dict[str, SdkRow] = field(init=False, repr=False, compare=False)
    _components: dict[str, SdkRow] = field(init=False, repr=False, compare=False)
    _endings: dict[str, str] = field(init=False, repr=False, compare=False)
    _answers: dict[str, SdkRow | None] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        rows = self.sdks.values()
        made = {
            "watch": watch_of(self.apis),
            "_prefixes": {prefix: row for row in rows for prefix in row.prefixes},
            "_native": {name: row for row in rows for name in row.native},
            "_frameworks": {name: row for row in rows for name in row.frameworks},
            "_components": {name: row for row in rows for name in row.components},
            "_endings": {ending: row.country for row in self.jurisdictions.values() for ending in row.tld.split()},
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    def sdk_of(self, package: str) -> SdkRow | None:
        """The SDK whose code a dotted package or class name is; the longest prefix wins, at dots only."""
        try:
            return self._answers[package]
        except KeyError:
            pass
        if len(self._answers) >= _CACHED:
            self._answers.clear()
        answer = self._answers[package] = _longest(self._prefixes, package, from_left=True)
        return answer

    def sdk_of_native(self, library: str) -> SdkRow | None:
        """The SDK that ships a native library, by its file name (``libmmkv.so``)."""
        return self._native.get(library.rpartition("/")[2])

    def sdk_of_framework(self, name: str) -> SdkRow | None:
        """The SDK of an iOS framework, by its name (``AppsFlyerLib``, with or without ``.framework``) or bundle id."""
        return self._frameworks.get(name.removesuffix(".framework"))

    def sdk_of_component(self, name: str) -> SdkRow | None:
        """The SDK of an Android component, by its class name: listed as such, or under the SDK's prefix."""
        return self._components.get(name) or self.sdk_of(name)

    def host_row(self, host: str) -> HostRow | None:
        """The row of a host's longest known domain, at label boundaries; any case, with or without a final dot."""
        return _longest(self.hosts, host.lower().rstrip("."), from_left=False)

    def operator_of(self, host: str) -> tuple[HostRow, OperatorRow] | None:
        """Who operates a host; None where nobody knows, or where the name is a mere namespace (``is_namespace``)."""
        row = self.host_row(host)
        return (row, self.operators[row.operator]) if row is not None and row.operator else None

    def is_namespace(self, host: str) -> bool:
        """Whether the name labels an XML namespace, a licence or an example, and is not a host to be contacted."""
        row = self.host_row(host)
        return row is not None and row.purpose == NAMESPACE

    def domain_of(self, host: str) -> str:
        """The registrable domain by the Public Suffix List; "" for an address, a public suffix or a bare label."""
        from proscribe.assess.packs.suffixes import registrable

        return registrable(host)

    def tld_country(self, host: str) -> str:
        """The country that the name's ending stands for, "" where it stands for none. Says nothing of the operator."""
        return self._endings.get(host.lower().rstrip(".").rpartition(".")[2], "")

    def owners(self, operator: str) -> tuple[OperatorRow, ...]:
        """An operator, its parent, and so on up; the loader has made sure that this ends. Empty for an unknown id."""
        chain: list[OperatorRow] = []
        while operator in self.operators:
            chain.append(self.operators[operator])
            operator = chain[-1].parent
        return tuple(chain)


def _longest(rows: Mapping[str, R], name: str, *, from_left: bool) -> R | None:
    """The row of the longest run of whole parts that ``name`` starts (or ends) with."""
    while name:
        row = rows.get(name)
        if row is not None:
            return row
        name = name.rpartition(".")[0] if from_left else name.partition(".")[2]
    return None


def watch_of(apis: Iterable[ApiRow]) -> Watch:
    """What the code readers look for."""
    by_kind: dict[ApiKind, set[str]] = {kind: set() for kind in ApiKind}
    for row in apis:
        by_kind[row.kind].add(row.watch)

    def pairs(kind: ApiKind) -> frozenset[tuple[str, str]]:
        split = (watch.partition("->") for watch in by_kind[kind])
        return frozenset((owner, member) for owner, _, member in split)

    return Watch(
        methods=pairs(ApiKind.method),
        fields=pairs(ApiKind.field),
        callbacks=pairs(ApiKind.callback),
        uris=frozenset(by_kind[ApiKind.uri]),
        strings=frozenset(by_kind[ApiKind.string]),
        native=frozenset(by_kind[ApiKind.native]),
        macho=frozenset(by_kind[ApiKind.macho]),
        libraries=frozenset(by_kind[ApiKind.library]),
    )
