"""From the APKs of one app to its Android facts, with a record of what was read and what was not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from proscribe.assess.android.apkinfo import Other, OtherFailed, read_other, reader_name
from proscribe.assess.android.compare import compare
from proscribe.assess.android.manifest import Sheet, read_sheet
from proscribe.assess.android.network import read_network
from proscribe.assess.android.package import MANIFEST, ApkSet, Unread
from proscribe.assess.android.special import Tally, asked_by_permission, read_special
from proscribe.assess.facts import AndroidFacts, Anomaly, Disagreement, Reading, Run
from proscribe.assess.intake.container import Container
from proscribe.assess.terms import Extent, FactClass

T = TypeVar("T")

OURS: Final = "axml"


@dataclass(slots=True)
class _Parser:
    """How one of the two parsers fared over the APKs."""

    name: str
    read: int = 0
    problem: str = ""
    detail: str = ""

    def fault(self, code: str, detail: str) -> None:
        if not self.problem:
            self.problem, self.detail = code, detail

    def run(self, total: int) -> Run:
        extent = Extent.complete if self.read == total and not self.problem else Extent.partial
        extent = extent if self.read else Extent.failed
        return Run(FactClass.manifest, self.name, extent, self.read, total, self.problem, self.detail)


@dataclass(slots=True)
class _Read:
    """What both parsers made of the APKs: sheets by position, base first."""

    ours: _Parser
    other: _Parser
    sheets: dict[int, Sheet] = field(default_factory=dict)
    others: dict[int, Other] = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)


def read_android(apks: Sequence[Container]) -> Reading[AndroidFacts]:
    """The manifests of a base APK and its splits (base first) as one app.

    Never raises on what is in the files: a parser that fails is a failed ``Run``. ``facts`` is None only where neither
    of them could read the base; where ours alone failed, the other's reading stands, without what it does not give.
    """
    package = ApkSet(apks)
    read = _Read(_Parser(OURS), _Parser(reader_name()))
    for position, apk in enumerate(package.apks):
        _read_one(package, position, apk, read)
    tally = Tally()
    facts = _merged(package, read, tally)
    oddities = package.oddities()
    for oddity in oddities:
        if oddity.code.startswith("arsc."):
            # References may then stand unresolved in the facts.
            read.ours.fault(oddity.code, oddity.member)
    runs = [read.ours.run(len(package.apks)), read.other.run(len(package.apks))]
    if facts is not None:
        runs += [_resources_run(tally, read), _splits_run(package, read)]
    return Reading(facts, tuple(runs), oddities)


def _read_one(package: ApkSet, position: int, apk: Container, read: _Read) -> None:
    try:
        sheet = read.sheets[position] = read_sheet(package, position)
    except Unread as fault:
        read.ours.fault(fault.code, fault.detail)
    else:
        read.ours.read += 1
        if sheet.broken:
            read.ours.fault(sheet.broken, sheet.member)
    try:
        other = read.others[position] = read_other(apk)
    except OtherFailed as fault:
        read.other.fault(fault.code, fault.detail)
    else:
        read.other.read += 1
    if position in read.sheets and position in read.others:
        read.disagreements += compare(read.sheets[position].facts, other, sheet.member)


def _merged(package: ApkSet, read: _Read, tally: Tally) -> AndroidFacts | None:
    """The base's facts with what its splits add."""
    base = read.sheets.get(0)
    if base is None:
        if 0 not in read.others:
            return None
        member = package.apks[0].member(MANIFEST)
        alone = read.others[0].facts(member)
        return replace(alone, special=tuple(asked_by_permission(alone.permissions)))
    sheets = [read.sheets[position] for position in sorted(read.sheets)]
    package.anomalies += _strangers(base, sheets[1:])
    every = [sheet.facts for sheet in sheets]
    components = _joined(facts.components for facts in every)
    permissions = _joined(facts.permissions for facts in every)
    special = (*read_special(package, components, tally), *asked_by_permission(permissions))
    return replace(
        base.facts,
        permissions=permissions,
        components=components,
        special=special,
        defines=_joined(facts.defines for facts in every),
        query_packages=_joined(facts.query_packages for facts in every),
        query_intents=_joined(facts.query_intents for facts in every),
        features=_joined(facts.features for facts in every),
        libraries=_joined(facts.libraries for facts in every),
        network=read_network(package, base, tally),
        disagreements=tuple(read.disagreements),
    )


def _strangers(base: Sheet, splits: Iterable[Sheet]) -> Iterator[Anomaly]:
    """Android installs a split only beside a base of the same package and version."""
    for split in splits:
        if split.facts.package != base.facts.package:
            yield Anomaly("split.other-package", split.member, f"{split.facts.package} {base.facts.package}")
        if split.facts.version_code != base.facts.version_code:
            yield Anomaly("split.other-version", split.member, f"{split.facts.version_code} {base.facts.version_code}")
        if not split.facts.split:
            yield Anomaly("split.no-name", split.member)


def _joined(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))


def _resources_run(tally: Tally, read: _Read) -> Run:
    """The XML that special access and the network security config point to."""
    extent = Extent.complete
    if 0 not in read.sheets:
        return Run(FactClass.resources, OURS, Extent.failed, problem=read.ours.problem, detail=read.ours.detail)
    if not tally.total:
        extent = Extent.not_applicable
    elif tally.problem:
        extent = Extent.partial if tally.read else Extent.failed
    return Run(FactClass.resources, OURS, extent, tally.read, tally.total, tally.problem, tally.detail)


def _splits_run(package: ApkSet, read: _Read) -> Run:
    """Whether every split that the app says it cannot run without is here."""
    present = len(package.apks) - 1
    base = read.sheets.get(0)
    if base is None:
        return Run(FactClass.splits, OURS, Extent.failed, present, present, read.ours.problem, read.ours.detail)
    provided = {kind for sheet in read.sheets.values() for kind in sheet.split_types}
    missing = [kind for kind in base.required_split_types if kind not in provided]
    if missing or (base.facts.splits_required and not present):
        total = present + max(len(missing), 1)
        return Run(FactClass.splits, OURS, Extent.partial, present, total, "split.missing", " ".join(missing))
    unread = any(position not in read.sheets for position in range(1, len(package.apks)))
    if unread:
        count = len(read.sheets) - 1
        return Run(FactClass.splits, OURS, Extent.partial, count, present, read.ours.problem, read.ours.detail)
    extent = Extent.complete if present else Extent.not_applicable
    names = " ".join(sheet.facts.split for position, sheet in sorted(read.sheets.items()) if position)
    return Run(FactClass.splits, OURS, extent, present, present, detail=names)
