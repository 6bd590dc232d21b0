"""Snapshots and directives made by hand, and an evaluation in plain Python that shares no code with the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from proscribe.canonical import Digest
from proscribe.catalogue.match import sought
from proscribe.catalogue.model import (
    AppIdentity,
    Confidence,
    IdentifierType,
    MatchKind,
    Target,
    TargetSet,
)
from proscribe.directive.model import (
    Applies,
    Authority,
    BannedItem,
    Breadth,
    Compromise,
    Directive,
    ExceptionRules,
    Force,
    SourceRef,
    Stance,
    State,
)
from proscribe.documents import digest
from proscribe.evaluate.model import Drift, Presence
from proscribe.inventory.model import Freshness, Retention, Snapshot, SnapshotManifest, Visibility
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EMPTY = Digest("sha256:" + "0" * 64)
BOTH = Text("x", "x")


@dataclass(frozen=True)
class App:
    """An install: an identity, where it is, who holds it."""

    identity: AppIdentity
    side: Side = Side.whole
    held: Held = Held.unmanaged
    removed: bool = False
    version: str = "1"


@dataclass(frozen=True)
class Phone:
    """A device with its apps."""

    key: str
    platform: Platform = Platform.android
    enrolment: Enrolment = Enrolment.fully_managed
    department: str = "Lamps"
    sees: Visibility = Visibility.all_apps
    observed: datetime | None = NOW - timedelta(days=1)
    freshness: Freshness = Freshness.observed
    apps: tuple[App, ...] = ()
    others: int = 5  # apps that the gate did not keep
    stale_after_days: int = 7
    gives_ids: bool = True
    remarks: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        return self.key.split(":", 1)[0]


def make_target(
    kind: IdentifierType,
    value: str,
    product: str,
    *,
    platform: Platform = Platform.android,
    confidence: Confidence = Confidence.high,
    actionable: bool = True,
    lead: bool = False,
) -> Target:
    return Target(
        id=f"{kind}:{platform}:{value}",
        type=kind,
        value=value,
        platform=platform,
        confidence=confidence,
        publisher="acme",
        product=product,
        label=product.rpartition("/")[2] or value,
        why=(BOTH,),
        sources=("s",),
        actionable=actionable,
        not_actionable_because=None if actionable else BOTH,
        lead=lead,
    )


def make_ban(
    name: str = "d1",
    targets: Sequence[Target] = (),
    *,
    effective: date | None = date(2023, 1, 1),
    platforms: tuple[Platform, ...] = (),
    enrolments: tuple[Enrolment, ...] = (),
    departments: tuple[str, ...] = (),
) -> tuple[Directive, TargetSet]:
    directive = Directive(
        id=name,
        version=1,
        title=Text(f"Ban {name}", f"Interdiction {name}"),
        state=State.in_force,
        force=Force.binding,
        authority=Authority(body=BOTH, jurisdiction="CA", decided_by=BOTH),
        instrument=BOTH,
        announced=effective,
        effective=effective,
        applies=Applies(
            devices=BOTH,
            entities=BOTH,
            byod=Stance.unstated,
            platforms=platforms,
            enrolments=enrolments,
            departments=departments,
        ),
        items=(BannedItem(publisher="acme", wording=BOTH, breadth=Breadth.product, selectors=()),),
        actions=(),
        exceptions=ExceptionRules(stated=False),
        stated_reasons=(),
        compromise_found=Compromise.not_addressed,
        confidence=Confidence.high,
        sources=(SourceRef(url="https://example.invalid/", kind="primary"),),
    )
    target_set = TargetSet(
        directive=name,
        directive_version=1,
        catalogue=EMPTY,
        resolved_at=NOW,
        selectors=(),
        targets=tuple(targets),
        reviewed_by="security officer",
        reviewed_on=date(2026, 1, 1),
    )
    return directive, target_set


def write_snapshot(
    path: Path,
    phones: Sequence[Phone],
    watched: Sequence[TargetSet] = (),
    *,
    retention: Retention = Retention.all,
    **manifest: Any,
) -> Snapshot:
    """Write the Parquet files as the contract in ``inventory.model`` says, without the inventory's own writer."""
    path.mkdir()
    identities = list(dict.fromkeys(app.identity for phone in phones for app in phone.apps))
    versions = list(dict.fromkeys(app.version for phone in phones for app in phone.apps))
    pq.write_table(
        pa.table(
            {
                "app": pa.array(range(len(identities)), pa.uint32()),
                **{
                    name: pa.array([str(getattr(one, name)) for one in identities], pa.string())
                    for name in ("platform", "app_id", "name", "signer", "store_id", "publisher")
                },
                "skeleton": pa.array(["" for _ in identities], pa.string()),
            }
        ),
        path / "apps.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "version": pa.array(range(len(versions)), pa.uint32()),
                "text": pa.array(versions, pa.string()),
            }
        ),
        path / "versions.parquet",
    )
    text, many = pa.string(), pa.list_(pa.string())
    columns: dict[str, tuple[Any, list[Any]]] = {
        "device": (pa.uint32(), list(range(len(phones)))),
        "key": (text, [phone.key for phone in phones]),
        "system": (text, [phone.system for phone in phones]),
        "platform": (text, [phone.platform for phone in phones]),
        "enrolment": (text, [phone.enrolment for phone in phones]),
        "os_version": (text, ["14" for _ in phones]),
        "name": (text, ["" for _ in phones]),
        "serial": (text, ["" for _ in phones]),
        "department": (text, [phone.department for phone in phones]),
        "scope": (text, ["policy-1" for _ in phones]),
        "observed_at": (pa.timestamp("s", tz="UTC"), [phone.observed for phone in phones]),
        "freshness": (text, [phone.freshness for phone in phones]),
        "sees": (text, [phone.sees for phone in phones]),
        "gives_ids": (pa.bool_(), [phone.gives_ids for phone in phones]),
        "stale_after_days": (pa.int32(), [phone.stale_after_days for phone in phones]),
        "applied_scope": (text, ["" for _ in phones]),
        "applied_version": (pa.int64(), [0 for _ in phones]),
        "remarks": (many, [list(phone.remarks) for phone in phones]),
        "also": (many, [list(phone.also) for phone in phones]),
        "apps_seen": (pa.int32(), [len(phone.apps) + phone.others for phone in phones]),
    }
    pq.write_table(
        pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()}), path / "devices.parquet"
    )
    installs = [
        (
            number,
            identities.index(app.identity),
            list(Side).index(app.side),
            list(Held).index(app.held),
            app.removed,
            versions.index(app.version),
        )
        for number, phone in enumerate(phones)
        for app in phone.apps
    ]
    kinds = (pa.uint32(), pa.uint32(), pa.uint8(), pa.uint8(), pa.bool_(), pa.uint32())
    names = ("device", "app", "side", "held", "removed", "version")
    pq.write_table(
        pa.table(
            {
                name: pa.array([row[place] for row in installs], kind)
                for place, (name, kind) in enumerate(zip(names, kinds, strict=True))
            }
        ),
        path / "installs.parquet",
    )
    (path / "problems.jsonl").write_text("")
    body = SnapshotManifest(
        taken_at=NOW,
        retention=retention,
        watched=tuple(sought(one) for one in watched),
        sources=(),
        coverage=(),
        devices=len(phones),
        duplicate_devices=0,
        apps_seen=len(identities),
        apps_kept=len(identities),
        installs_seen=len(installs),
        installs_kept=len(installs),
        scopes=(),
        problems_total=0,
        problems=(),
        files={},
    )
    body = replace(body, **manifest)
    return Snapshot(path, body, digest(body))


@dataclass
class Expected:
    """What the oracle says of one directive."""

    findings: dict[tuple[str, str, str, str], tuple[Drift, bool]] = field(default_factory=dict)  # device,id,name,side
    cured: set[tuple[str, str]] = field(default_factory=set)  # device, product
    presences: dict[str, Presence] = field(default_factory=dict)


def naive_match(app: AppIdentity, targets: Sequence[Target]) -> tuple[str, str] | None:
    """(kind, product) by the plainest reading of the issue, for targets on one platform, without near misses."""
    for target in targets:
        if target.type is IdentifierType.android_package and app.app_id and app.app_id == target.value:
            return MatchKind.exact_id, target.product
    for target in targets:
        if target.type is IdentifierType.android_package_glob and app.app_id.startswith(target.value[:-1]):
            return MatchKind.glob, target.product
    for target in targets:
        if target.type is IdentifierType.app_name and target.value.lower() == app.name.lower():
            return (MatchKind.lookalike_name if app.app_id else MatchKind.name_only), target.product
    return None


def naive(
    phones: Sequence[Phone], ban: tuple[Directive, TargetSet], now: datetime, before: Sequence[Phone] | None = None
) -> Expected:
    """Evaluate one directive device by device, with loops and dictionaries only."""
    directive, target_set = ban
    result = Expected()
    for phone in phones:
        if not in_scope(phone, directive.applies):
            continue
        presence, proves = base_presence(phone, directive, now)
        found, gone = things(phone, target_set, removed=False), things(phone, target_set, removed=True)
        olds = [old for old in before or () if {phone.key, *phone.also} & {old.key, *old.also}]
        was = {(product, banned) for old in olds for product, banned, _ in things(old, target_set, removed=False)}
        had_gone = {(product, banned) for old in olds for product, banned, _ in things(old, target_set, removed=True)}
        worst = [presence_of(phone, app) for _, banned, app in found if banned]
        for product, banned, app in found:
            if before is None:
                drift = Drift.first_seen
            elif (product, banned) in was:
                drift = Drift.continuing
            else:
                drift = Drift.reinstalled if (product, banned) in had_gone else Drift.new
            identity = app.identity
            result.findings[phone.key, identity.app_id, identity.name, app.side] = (drift, banned)
        result.presences[phone.key] = min(worst, key=list(Presence).index) if worst else presence
        here = {(product, banned) for product, banned, _ in found}
        tombs = {(product, banned) for product, banned, _ in gone}
        result.cured |= {(phone.key, f"{p}:{banned}") for p, banned in was - here if proves or (p, banned) in tombs}
    return result


def presence_of(phone: Phone, app: App) -> Presence:
    """How a banned app is on a phone."""
    if f"contained:{app.identity.app_id}" in phone.remarks:
        return Presence.present_contained
    return Presence.present_managed if app.held is Held.managed else Presence.present_unmanaged


def things(phone: Phone, target_set: TargetSet, *, removed: bool) -> list[tuple[str, bool, App]]:
    """(product, is a violation, app) of each distinct watched install; one listed outweighs one reported removed."""
    listed = {(app.identity, app.side) for app in phone.apps if not app.removed}
    result: dict[tuple[AppIdentity, Side], tuple[str, bool, App]] = {}
    for app in phone.apps:
        if app.removed is not removed or (removed and (app.identity, app.side) in listed):
            continue
        match = naive_match(app.identity, target_set.targets)
        if match is not None:
            kind, product = match
            old = result.get((app.identity, app.side))
            if old is None or list(Held).index(app.held) < list(Held).index(old[2].held):
                result[app.identity, app.side] = (product, not kind.startswith("lookalike"), app)
    return list(result.values())


def in_scope(phone: Phone, applies: Applies) -> bool:
    return (
        (not applies.platforms or phone.platform in applies.platforms or phone.platform is Platform.unknown)
        and (not applies.enrolments or phone.enrolment in (*applies.enrolments, Enrolment.unknown, Enrolment.unmanaged))
        and (
            not applies.departments
            or not phone.department
            or phone.department.lower() in [name.lower() for name in applies.departments]
        )
    )


def base_presence(phone: Phone, directive: Directive, now: datetime) -> tuple[Presence, bool]:
    """The presence of a device without findings, and whether its list can show that something is gone."""
    empty = not phone.apps and not phone.others
    hidden = phone.sees in (Visibility.work_side, Visibility.managed_apps) or (
        phone.sees is Visibility.user_apps and phone.platform is not Platform.ios
    )
    rules = (
        (phone.sees is Visibility.nothing, Presence.invisible, False),
        (empty and phone.sees is Visibility.all_apps, Presence.unknown, False),
        (empty and "no-app-reports" in phone.remarks, Presence.unknown, False),
        (phone.sees is Visibility.unknown, Presence.unknown, False),
        (too_old(phone, directive, now), Presence.stale, False),
        (hidden, Presence.invisible, True),
        (True, Presence.absent, True),
    )
    return next((presence, proves) for holds, presence, proves in rules if holds)


def too_old(phone: Phone, directive: Directive, now: datetime) -> bool:
    """Whether a dated list is beyond its source's bound, from the future, or from before the ban."""
    if phone.observed is None:
        return False
    effective = directive.effective
    start = None if effective is None else datetime(effective.year, effective.month, effective.day, tzinfo=UTC)
    return (
        phone.observed < now - timedelta(days=phone.stale_after_days)
        or phone.observed > now + timedelta(days=1)
        or (start is not None and start <= now and phone.observed < start)
    )


@pytest.fixture
def kit() -> SimpleNamespace:
    """The helpers of this file, for tests (which cannot import each other)."""
    return SimpleNamespace(
        NOW=NOW, App=App, Phone=Phone, target=make_target, ban=make_ban, snapshot=write_snapshot, naive=naive
    )


@pytest.fixture
def make_snapshot(tmp_path: Path) -> Callable[..., Snapshot]:
    """Write a snapshot into a fresh folder."""
    number = 0

    def make(phones: Sequence[Phone], watched: Sequence[TargetSet] = (), **options: Any) -> Snapshot:
        nonlocal number
        number += 1
        return write_snapshot(tmp_path / f"snapshot-{number}", phones, watched, **options)

    return make
