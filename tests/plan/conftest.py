"""Hand-made worlds for the planner: a directive, its targets, a fleet, and a management system to apply plans to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proscribe.canonical import Digest, digest_json
from proscribe.catalogue.model import (
    Confidence,
    IdentifierType,
    MatchKind,
    Selector,
    SelectorKind,
    Target,
    TargetSet,
)
from proscribe.directive.model import (
    ActionVerb,
    Applies,
    Authority,
    BannedItem,
    Breadth,
    Compromise,
    Directive,
    ExceptionRules,
    Force,
    RequiredAction,
    Stance,
    State,
)
from proscribe.evaluate.model import DeviceStatus, Drift, Finding, Presence
from proscribe.inventory.model import Freshness, Retention, Scope, Snapshot, SnapshotManifest
from proscribe.plan.inputs import PlanInputs
from proscribe.plan.model import (
    Capability,
    Effect,
    ExemptionRegister,
    Percent,
    Plan,
    Policy,
    Reach,
    Ring,
    Unlimited,
    Verb,
)
from proscribe.plan.ports import Objection
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text

NOW = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
TEST = "tests/plan/test_rows.py::test_the_plan_promises_no_more_than_the_row"
WECHAT = "com.tencent.mm"


def text(words: str) -> Text:
    return Text(words, words)


def directive(**changes: Any) -> Directive:
    made = Directive(
        id="dnl-2026-01",
        version=1,
        title=text("Ban"),
        state=State.in_force,
        force=Force.binding,
        authority=Authority(body=text("Department of Northern Lighthouses"), jurisdiction="CA", decided_by=text("CIO")),
        instrument=text("Directive"),
        announced=date(2026, 10, 30),
        effective=date(2026, 10, 30),
        applies=Applies(
            devices=text("mobile devices"),
            entities=text("the department"),
            byod=Stance.included,
            platforms=(Platform.android, Platform.ios),
            enrolments=tuple(Enrolment),
        ),
        items=(
            BannedItem(
                publisher="tencent",
                wording=text("WeChat"),
                breadth=Breadth.product,
                selectors=(Selector(SelectorKind.product, "tencent/wechat"),),
            ),
        ),
        actions=(
            RequiredAction(ActionVerb.remove, text("remove")),
            RequiredAction(ActionVerb.block_install, text("block")),
        ),
        exceptions=ExceptionRules(stated=False),
        stated_reasons=(text("risk"),),
        compromise_found=Compromise.none_stated,
        confidence=Confidence.high,
        sources=(),
    )
    return replace(made, **changes)


def target(value: str = WECHAT, **changes: Any) -> Target:
    kind = changes.pop("type", IdentifierType.android_package)
    platform = changes.pop("platform", Platform.android)
    made = Target(
        id=f"{kind.value}:{platform.value}:{value}",
        type=kind,
        value=value,
        platform=platform,
        confidence=Confidence.high,
        publisher="tencent",
        product="tencent/wechat",
        label="WeChat",
        why=(text("named"),),
        sources=("a source",),
        actionable=True,
    )
    return replace(made, **changes)


def target_set(*targets: Target, **changes: Any) -> TargetSet:
    made = TargetSet(
        directive="dnl-2026-01",
        directive_version=1,
        catalogue=Digest("sha256:" + "0" * 64),
        resolved_at=NOW,
        selectors=(),
        targets=targets
        or (target(), target("com.tencent.xin", type=IdentifierType.ios_bundle_id, platform=Platform.ios)),
        reviewed_by="security officer",
        reviewed_on=date(2026, 11, 1),
    )
    return replace(made, **changes)


def status(device: str, **changes: Any) -> DeviceStatus:
    made = DeviceStatus(
        directive="dnl-2026-01",
        device=device,
        system=device.partition(":")[0],
        platform=Platform.android,
        enrolment=Enrolment.fully_managed,
        os_version="14",
        department="North",
        scope="default",
        presence=Presence.absent,
        invisible_side=False,
        observed_at=NOW,
        freshness=Freshness.observed,
    )
    return replace(made, **changes)


def finding(on: DeviceStatus, **changes: Any) -> Finding:
    made = Finding(
        directive="dnl-2026-01",
        device=on.device,
        system=on.system,
        platform=on.platform,
        enrolment=on.enrolment,
        department=on.department,
        scope=on.scope,
        product="tencent/wechat",
        target=f"android_package:android:{WECHAT}",
        match=MatchKind.exact_id,
        confidence=Confidence.high,
        actionable=True,
        app_id=WECHAT,
        app_name="WeChat",
        signer="",
        version="8",
        side=Side.whole,
        held=Held.unmanaged,
        observed_at=NOW,
        freshness=Freshness.observed,
        stale=False,
        drift=Drift.first_seen,
    )
    return replace(made, **changes)


def capability(name: str, verb: Verb, enrolment: Enrolment, side: Side, **changes: Any) -> Capability:
    made = Capability(
        id=f"fleetbox/{name}",
        system="fleetbox",
        verb=verb,
        platform=Platform.android,
        enrolment=enrolment,
        side=side,
        os_min="",
        os_max="",
        applies_to="any",
        effect=Effect.full,
        method="entries",
        reach=Reach.policy,
        proved_by=text("later report"),
        undo=text("take out"),
        limits=text("none"),
        source="documentation",
        tested_by=TEST,
    )
    return replace(made, **changes)


def android_rows() -> tuple[Capability, ...]:
    """What a policy-based Android system does: the work side seen, the personal side of company devices blind."""
    seen = ((Enrolment.fully_managed, Side.whole), (Enrolment.cope, Side.work), (Enrolment.byod, Side.work))
    verbs = (Verb.remove, Verb.block_install)
    rows = [
        capability(f"{enrolment.value}-{side.value}-{verb.value}", verb, enrolment, side)
        for enrolment, side in seen
        for verb in verbs
    ]
    blind = {"effect": Effect.blind, "method": "personal", "os_min": "11"}
    rows += [capability(f"cope-personal-{verb.value}", verb, Enrolment.cope, Side.personal, **blind) for verb in verbs]
    return tuple(rows)


@dataclass
class FakeSystem:
    """A system whose scopes hold lists of blocked apps as JSON; ``apply`` merges a plan's steps into them."""

    name: str = "fleetbox"
    capabilities: tuple[Capability, ...] = ()
    raised: tuple[Objection, ...] = ()

    def in_place(self, scope: Scope, method: str, side: Side) -> frozenset[str]:
        return frozenset(json.loads(scope.settings).get(method, ()))

    def objections(self, scope: Scope, method: str, side: Side, app_ids: tuple[str, ...]) -> tuple[Objection, ...]:
        forbidden = json.loads(scope.settings).get("uninstall_disabled", False)
        locked = Objection(blocks=True, what=text("uninstalling is off"), remedy=text("switch it on"))
        return (*self.raised, locked) if forbidden else self.raised


def apply(plan: Plan, scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """The scopes after every step of a plan was carried out."""
    after = {(scope.system, scope.id): scope for scope in scopes}
    for step in plan.steps:
        scope = after[step.system, step.scope]
        settings = json.loads(scope.settings)
        settings[step.method] = sorted({*settings.get(step.method, ()), *step.app_ids})
        after[step.system, step.scope] = replace(scope, version=scope.version + 1, settings=json.dumps(settings))
    return tuple(after.values())


def scope(name: str = "default", devices: int = 0, system: str = "fleetbox", **settings: Any) -> Scope:
    return Scope(system, name, 3, devices, json.dumps(settings))


def snapshot(scopes: Sequence[Scope] = (), taken_at: datetime = NOW) -> Snapshot:
    manifest = SnapshotManifest(
        taken_at=taken_at,
        retention=Retention.matches,
        watched=(),
        sources=(),
        coverage=(),
        devices=0,
        duplicate_devices=0,
        apps_seen=0,
        apps_kept=0,
        installs_seen=0,
        installs_kept=0,
        scopes=tuple(scopes),
        problems_total=0,
        problems=(),
        files={},
    )
    return Snapshot(Path("snapshot"), manifest, digest_json([scope.id for scope in scopes]))


OPEN = Policy(Unlimited(), Unlimited(), (Ring("canary", Percent(5)), Ring("rest", Unlimited())))


def inputs(
    statuses: Sequence[DeviceStatus],
    findings: Sequence[Finding] = (),
    scopes: Sequence[Scope] | None = None,
    **changes: Any,
) -> PlanInputs:
    if scopes is None:
        names = sorted({(one.system, one.scope) for one in statuses if one.scope})
        scopes = tuple(scope(name, system=system) for system, name in names)
    made = PlanInputs(
        directive=directive(),
        targets=target_set(),
        snapshot=snapshot(scopes),
        findings=tuple(findings),
        statuses=tuple(statuses),
        systems={"fleetbox": FakeSystem(capabilities=android_rows())},
        now=NOW,
        register=ExemptionRegister(()),
        policy=OPEN,
    )
    return replace(made, **changes)


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """The makers of hand-made worlds, under one name."""
    makers: dict[str, Callable[..., Any]] = {
        one.__name__: one
        for one in (
            text,
            directive,
            target,
            target_set,
            status,
            finding,
            capability,
            android_rows,
            apply,
            scope,
            snapshot,
            inputs,
            FakeSystem,
        )
    }
    return SimpleNamespace(NOW=NOW, OPEN=OPEN, WECHAT=WECHAT, TEST=TEST, **makers)
