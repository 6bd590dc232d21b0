"""From bans to integers: which distinct apps of a snapshot are watched, by which directive, and how surely.

A fleet of a million devices has some fifty thousand distinct app identities, so they are matched in Python, where
look-alikes cost nothing (perf.md section 2); after that no text meets the install table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from proscribe.canonical import Digest
from proscribe.catalogue.match import Matcher, sought
from proscribe.catalogue.model import AppIdentity, Match, MatchKind, TargetSet
from proscribe.directive.model import Directive
from proscribe.documents import digest
from proscribe.errors import Where
from proscribe.evaluate.errors import MismatchedBan
from proscribe.inventory.model import Retention, Snapshot
from proscribe.terms import Platform
from proscribe.text import Text

KINDS = tuple(MatchKind)
"""Match kinds, surest first: the position is the code in the integer tables."""


def family(kind: MatchKind) -> int:
    """0 found by an identifier, 1 by name only, 2 a look-alike. The three are never added up."""
    if not kind.is_violation:
        return 2
    return 1 if kind is MatchKind.name_only else 0


@dataclass(frozen=True, slots=True)
class Ban:
    """One directive with the target set it was resolved to, under a small integer."""

    code: int
    directive: Directive
    targets: TargetSet
    directive_digest: Digest
    targets_digest: Digest


def number(bans: Sequence[tuple[Directive, TargetSet]]) -> tuple[Ban, ...]:
    """Give each ban its code. Raises MismatchedBan where a pair does not belong together or occurs twice."""
    seen: set[str] = set()
    for directive, targets in bans:
        where = Where(file=directive.id)
        if (targets.directive, targets.directive_version) != (directive.id, directive.version):
            raise MismatchedBan(
                Text(
                    f"the target set belongs to {targets.directive or 'no directive'} version "
                    f"{targets.directive_version}, the directive is version {directive.version}",
                    f"l'ensemble de cibles appartient à {targets.directive or 'aucune directive'} version "
                    f"{targets.directive_version}, la directive est à la version {directive.version}",
                ),
                remedy=Text(
                    "Resolve the directive again and have its target set reviewed.",
                    "Résolvez de nouveau la directive et faites examiner son ensemble de cibles.",
                ),
                where=where,
            )
        if directive.id in seen:
            raise MismatchedBan(
                Text("the directive is given twice", "la directive est donnée deux fois"),
                remedy=Text("Give each directive once.", "Ne donnez chaque directive qu'une fois."),
                where=where,
            )
        seen.add(directive.id)
    return tuple(
        Ban(code, directive, targets, digest(directive), digest(targets))
        for code, (directive, targets) in enumerate(bans)
    )


def watches(snapshot: Snapshot, ban: Ban) -> bool:
    """Whether the snapshot was taken looking for these targets, so that their absence from it means something."""
    return snapshot.manifest.retention is Retention.all or sought(ban.targets) in snapshot.manifest.watched


@dataclass
class Codes:
    """Codes of targets and of things (products), shared by the snapshots that are compared."""

    matches: list[Match] = field(default_factory=list)
    _match: dict[Match, int] = field(default_factory=dict)
    things: dict[str, int] = field(default_factory=dict)

    def match(self, match: Match) -> int:
        """The code under which a match stands in the integer tables."""
        if match not in self._match:
            self._match[match] = len(self.matches)
            self.matches.append(match)
        return self._match[match]

    def thing(self, name: str) -> int:
        """The code of what drift is about: FindingKey.product."""
        return self.things.setdefault(name, len(self.things))


WATCH_COLUMNS = {
    "app": "INTEGER",
    "ban": "INTEGER",
    "target": "INTEGER",
    "thing": "INTEGER",
    "kind": "INTEGER",
    "family": "INTEGER",
    "violation": "BOOLEAN",
}
APP_COLUMNS = {"app": "INTEGER", "app_id": "VARCHAR", "name": "VARCHAR", "signer": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Watched:
    """The rows of the tables ``watch`` and ``app`` of one snapshot."""

    watch: list[tuple[Any, ...]]
    apps: list[tuple[Any, ...]]


def watched(snapshot: Snapshot, bans: Sequence[Ban], matcher: Matcher, codes: Codes) -> Watched:
    """Match the distinct apps of a snapshot. An app meets a directive at most once."""
    import pyarrow.parquet as pq

    names = ("platform", "app_id", "name", "signer", "store_id", "publisher")
    table = pq.read_table(snapshot.apps, columns=["app", *names])
    by_directive = {ban.directive.id: ban for ban in bans}
    platforms = {platform.value: platform for platform in Platform}
    watch: list[tuple[Any, ...]] = []
    apps: list[tuple[Any, ...]] = []
    columns = [table.column(name).to_pylist() for name in ("app", *names)]
    for app, platform, app_id, name, signer, store_id, publisher in zip(*columns, strict=True):
        identity = AppIdentity(
            platforms[platform], app_id or "", name or "", signer or "", store_id or "", publisher or ""
        )
        matches = matcher.match(identity)
        if not matches:
            continue
        apps.append((app, identity.app_id, identity.name, identity.signer))
        for match in matches:
            thing = codes.thing(match.product or f"{match.target} {identity.app_id}")
            watch.append(
                (
                    app,
                    by_directive[match.directive].code,
                    codes.match(match),
                    thing,
                    KINDS.index(match.kind),
                    family(match.kind),
                    match.kind.is_violation,
                )
            )
    return Watched(watch, apps)
