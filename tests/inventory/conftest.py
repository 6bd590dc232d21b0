"""Helpers of the inventory tests: one moment, one folder of fixtures, short ways to ingest and to read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from proscribe.canonical import Digest
from proscribe.catalogue.model import Confidence, IdentifierType, Target, TargetSet
from proscribe.clock import ManualClock
from proscribe.inventory.builder import SnapshotBuilder
from proscribe.inventory.ingest import ingest
from proscribe.inventory.model import Retention, Snapshot
from proscribe.inventory.snapshot import open_snapshot
from proscribe.terms import Held, Platform, Side
from proscribe.text import Text

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
EXPORTS = Path(__file__).parent.parent / "fixtures" / "exports"


def target(kind: IdentifierType, value: str, platform: Platform) -> Target:
    return Target(
        id=f"{kind}:{platform}:{value}",
        type=kind,
        value=value,
        platform=platform,
        confidence=Confidence.high,
        publisher="tencent",
        product="tencent/wechat",
        label="WeChat",
        why=(Text("named", "nommée"),),
        sources=("test",),
        actionable=True,
    )


def target_set(*targets: Target) -> TargetSet:
    return TargetSet(
        directive="test",
        directive_version=1,
        catalogue=Digest("sha256:" + "0" * 64),
        resolved_at=NOW,
        selectors=(),
        targets=targets,
        reviewed_by="reviewer",
        reviewed_on=date(2026, 11, 1),
    )


WECHAT = target_set(
    target(IdentifierType.android_package, "com.tencent.mm", Platform.android),
    target(IdentifierType.ios_bundle_id, "com.tencent.xin", Platform.ios),
    target(IdentifierType.app_name, "WeChat", Platform.unknown),
)


@dataclass
class Seen:
    """A snapshot as plain values."""

    snapshot: Snapshot
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    apps: list[dict[str, Any]] = field(default_factory=list)
    installs: set[tuple[str, str, str, str, str, bool, str]] = field(default_factory=set)

    @property
    def problems(self) -> list[tuple[int, str]]:
        return [(problem.row, problem.field) for problem in self.snapshot.manifest.problems]

    def whats(self) -> str:
        return " | ".join(problem.what.en for problem in self.snapshot.manifest.problems)

    def pairs(self) -> set[tuple[str, str]]:
        return {(device, app or name) for device, app, name, *_ in self.installs}


def look(snapshot: Snapshot) -> Seen:
    opened = open_snapshot(snapshot.path)
    assert opened == snapshot
    devices = pq.read_table(snapshot.devices).to_pylist()
    apps = pq.read_table(snapshot.apps).to_pylist()
    versions = pq.read_table(snapshot.versions)["text"].to_pylist()
    sides, held = list(Side), list(Held)
    installs = {
        (
            devices[row["device"]]["key"],
            apps[row["app"]]["app_id"],
            apps[row["app"]]["name"],
            str(sides[row["side"]]),
            str(held[row["held"]]),
            row["removed"],
            versions[row["version"]],
        )
        for row in pq.read_table(snapshot.installs).to_pylist()
    }
    assert [row["device"] for row in devices] == list(range(len(devices)))
    assert [row["app"] for row in apps] == list(range(len(apps)))
    return Seen(snapshot, {row["key"]: row for row in devices}, apps, installs)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def exports() -> Path:
    return EXPORTS


@pytest.fixture
def wechat() -> TargetSet:
    return WECHAT


@pytest.fixture
def buoy() -> TargetSet:
    return target_set(target(IdentifierType.android_package, "org.buoy", Platform.android))


@pytest.fixture
def read(tmp_path: Path, clock: ManualClock) -> Callable[..., Seen]:
    """Ingest files, or bytes that become files, keeping everything unless told otherwise."""
    count = 0

    def run(*sources: Path | bytes | str, targets: tuple[TargetSet, ...] = (), retain: str = "all") -> Seen:
        nonlocal count
        count += 1
        folder = tmp_path / f"run{count}"
        folder.mkdir()
        paths = []
        for number, source in enumerate(sources):
            if isinstance(source, Path):
                paths.append(source)
            else:
                paths.append(folder / f"export{number}.bin")
                paths[-1].write_bytes(source if isinstance(source, bytes) else source.encode())
        snapshot = ingest(paths, folder / "snapshot", target_sets=targets, retention=Retention(retain), clock=clock)
        assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []
        return look(snapshot)

    return run


@pytest.fixture
def builder(tmp_path: Path, clock: ManualClock) -> Callable[..., SnapshotBuilder]:
    def make(name: str = "built", *, targets: tuple[TargetSet, ...] = (), retain: str = "all") -> SnapshotBuilder:
        return SnapshotBuilder(tmp_path / name, target_sets=targets, retention=Retention(retain), clock=clock)

    return make


@pytest.fixture
def seen() -> Callable[[Snapshot], Seen]:
    return look
