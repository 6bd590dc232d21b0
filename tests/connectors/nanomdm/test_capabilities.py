"""Every class of Apple device through the real inventory, planner and judge, against the table of what Apple permits.

The table (facts/mdm.md 1.1) is written down here once more, by hand and by version, so that neither the rows nor the
code are their own oracle.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.connectors.nanomdm.remembered import (
    APP,
    NOW,
    PROFILE,
    WATCH,
    app_list,
    command,
    config,
    device,
    hours,
    profiles,
    records,
)

from proscribe.canonical import Digest
from proscribe.clock import ManualClock
from proscribe.connectors.nanomdm import declarations as ddm
from proscribe.connectors.nanomdm.model import (
    Command,
    CommandState,
    Declarations,
    Device,
    Edition,
    Entry,
    Group,
    Kind,
    ManagedApp,
    Purpose,
    Removal,
    SeenApp,
    SeenDeclaration,
    Stage,
)
from proscribe.connectors.nanomdm.observe import observe
from proscribe.connectors.nanomdm.roster import Roster
from proscribe.connectors.nanomdm.system import CONVERT, DECLARE, REMOVE, RESTRICT, NanomdmSystem, rows
from proscribe.directive.library import find, target_set
from proscribe.directive.model import Stance
from proscribe.enforce.fleet import FleetCase, device_facts, judge_fleet
from proscribe.enforce.model import Action, ActionState, DeviceOutcome, Outcome
from proscribe.evaluate.engine import evaluate
from proscribe.inventory.builder import SnapshotBuilder
from proscribe.inventory.model import Retention, Snapshot
from proscribe.inventory.snapshot import device_scopes
from proscribe.plan.inputs import PlanInputs
from proscribe.plan.model import Capability, Effect, Plan, Policy, RefusalReason, Ring, Unlimited, Verb
from proscribe.plan.planner import make_plan
from proscribe.plan.versions import in_range
from proscribe.terms import Enrolment, Held, Platform, Side

_SHIPPED = find("ca-tbs-2023-wechat-kaspersky")
DIRECTIVE = replace(_SHIPPED, applies=replace(_SHIPPED.applies, byod=Stance.included, enrolments=tuple(Enrolment)))
"""A real directive, of all devices whatever their enrolment."""
TARGETS = target_set(_SHIPPED, now=NOW)
MOMENT = hours(5)
"""When the orders were accepted."""
TOKEN = "kmfddm-token"

VERSIONS = ("9.3", "14.8", "15.0", "17.4", "25.6", "26.0", "26.1", "27.0")
CLASSES = ("supervised", "unsupervised", "user_enrolment")
HELD = ("absent", "managed", "unmanaged", "system", "declared")
NEW = ("26.0", "26.1", "27.0")


@dataclass(frozen=True)
class Row:
    """What the table lets be done about an app that is held in some way; None for nothing."""

    block: str | None
    remove: str | None


def table(enrolment: str, version: str, how: str, *, kmfddm: bool) -> Row:
    """mdm.md 1.1, line by line."""
    if enrolment == "user_enrolment":
        return Row(None, REMOVE if how in ("managed", "declared") else None)
    by_hand = {"managed": REMOVE, "unmanaged": CONVERT}
    if enrolment == "unsupervised":
        return Row(None, by_hand.get(how))
    block = DECLARE if version == "27.0" and kmfddm else RESTRICT
    if version in NEW:
        return Row(block, REMOVE if how in ("managed", "unmanaged", "system") else None)
    return Row(block, by_hand.get(how))


def can_be_listed(enrolment: str, version: str, how: str) -> bool:
    """Apple lists system apps from 26 on where it is supervised, and what is managed only in User Enrolment."""
    if how == "system":
        return enrolment == "supervised" and version in NEW
    return how != "unmanaged" or enrolment != "user_enrolment"


def named(enrolment: str, version: str, how: str, more: str = "") -> str:
    return "-".join(part for part in (enrolment, version, how, more) if part)


def phone(name: str, enrolment: str, version: str, how: str, asked: datetime) -> Device:
    """A device of a class whose newest list was asked for at a moment."""
    kind = Kind.user_enrolment if enrolment == "user_enrolment" else Kind.device
    supervised = None if kind is Kind.user_enrolment else enrolment == "supervised"
    made = device(name, os=version, kind=kind, supervised=supervised, serial="")
    seen = SeenApp(APP, "8.0", Held.system if how == "system" else Held.unknown, declared=how == "declared")
    listed = () if how == "absent" else (seen,)
    status = (ManagedApp(APP, "Managed", asked, asked),) if how == "managed" else ()
    return replace(made, apps=app_list(*listed, asked=asked, managed_only=supervised is None), managed=status)


# The line: observe, evaluate, plan, judge -------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One fleet on its way through the stages."""

    directory: Path
    devices: tuple[Device, ...]
    groups: tuple[Group, ...] = ()
    commands: tuple[Command, ...] = ()
    kmfddm: bool = True

    def snapshot(self) -> Snapshot:
        clock = ManualClock(NOW)
        builder = SnapshotBuilder(
            self.directory / "snapshot", target_sets=[TARGETS], retention=Retention.matches, clock=clock
        )
        stored = records(self.devices, self.groups, self.commands)
        for batch in observe(config(kmfddm=self.kmfddm), stored, Roster(), WATCH, clock):
            for one in batch.devices:
                builder.add_device(one)
            for install in batch.installs:
                builder.add_install(install)
            for scope in batch.scopes:
                builder.add_scope(scope)
            assert batch.problems == ()
        return builder.finish()

    def plan(self, snapshot: Snapshot) -> Plan:
        result = evaluate(snapshot, [(DIRECTIVE, TARGETS)], now=NOW)
        return make_plan(
            PlanInputs(
                directive=DIRECTIVE,
                targets=TARGETS,
                snapshot=snapshot,
                findings=tuple(result.findings(DIRECTIVE.id)),
                statuses=tuple(result.statuses(DIRECTIVE.id)),
                systems={"nanomdm": NanomdmSystem(config(kmfddm=self.kmfddm))},
                policy=Policy(Unlimited(), Unlimited(), (Ring("all", Unlimited()),)),
                now=NOW,
                device_scopes=device_scopes(snapshot),
            )
        )

    def outcomes(self, snapshot: Snapshot, plan: Plan, actions: Iterable[Action]) -> dict[str, DeviceOutcome]:
        result = evaluate(snapshot, [(DIRECTIVE, TARGETS)], now=NOW)
        case = FleetCase(
            DIRECTIVE.id,
            snapshot.digest,
            tuple(actions),
            refusals=plan.refusals,
            decided_at=MOMENT - timedelta(hours=1),
        )
        statuses, findings = result.statuses(DIRECTIVE.id), result.findings(DIRECTIVE.id)
        judged = judge_fleet(case, statuses, findings, device_facts(snapshot), NOW)
        return {one.device.removeprefix("nanomdm:"): one for one in judged}


def methods(plan: Plan, snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """By device, what the plan does there: the method, by verb."""
    import pyarrow.parquet as pq

    found: dict[str, dict[str, str]] = defaultdict(dict)
    table_ = pq.read_table(snapshot.devices, columns=["key", "scope"]).to_pylist()
    for step in plan.steps:
        for row in table_:
            if step.scope in (row["scope"], row["key"]):
                for verb in step.verbs:
                    found[row["key"].removeprefix("nanomdm:")][verb.value] = step.method
    return found


@pytest.mark.parametrize("kmfddm", [True, False])
def test_the_plan_chooses_what_the_table_allows(tmp_path: Path, kmfddm: bool) -> None:
    classes = [one for one in itertools.product(CLASSES, VERSIONS, HELD) if can_be_listed(*one)]
    fleet = tuple(phone(named(*one), *one, hours(1)) for one in classes)
    line = Line(tmp_path, fleet, kmfddm=kmfddm)
    snapshot = line.snapshot()
    plan = line.plan(snapshot)
    assert not plan.blocked, [refusal.what.en for refusal in plan.refusals if refusal.blocks]
    planned = methods(plan, snapshot)
    for one in classes:
        allowed = table(*one, kmfddm=kmfddm)
        expected = {"block_launch": allowed.block, "remove": allowed.remove if one[2] != "declared" else None}
        assert planned.get(named(*one), {}) == {verb: method for verb, method in expected.items() if method}, one


def test_what_a_declaration_installs_is_refused_with_the_way_out(tmp_path: Path) -> None:
    line = Line(tmp_path, (phone("d1", "supervised", "26.0", "declared", hours(1)),))
    (refusal,) = [one for one in line.plan(line.snapshot()).refusals if one.reason is RefusalReason.preflight]
    assert refusal.scope == "nanomdm:d1"
    assert "com.apple.configuration.app.managed" in refusal.remedy.en


def test_an_old_list_converts_nothing(tmp_path: Path) -> None:
    fleet = [phone(f"d{number}", "supervised", "17.4", "unmanaged", hours(age)) for number, age in ((1, 1), (2, 30))]
    line = Line(tmp_path, tuple(fleet))
    snapshot = line.snapshot()
    plan = line.plan(snapshot)
    assert [step.scope for step in plan.steps if step.method == CONVERT] == ["nanomdm:d1"]
    assert [one.scope for one in plan.refusals if one.reason is RefusalReason.preflight] == ["nanomdm:d2"]


# What is said of each class ---------------------------------------------------------------------------------------

STATES = ("well", "locked", "refused", "failed", "open", "early", "old", "unlisted")
"""How it went on a device: its list is of after the orders; it is locked; its user refused; it answered an error; a
command is open; its list is of before the orders; of a week before; there is none."""


@dataclass(frozen=True)
class Case:
    """A device of a class, with what became of the orders on it. ``blocked``: the block arrived, where there is one."""

    enrolment: str
    version: str
    how: str
    state: str
    blocked: bool = True

    @property
    def name(self) -> str:
        return named(self.enrolment, self.version, self.how, f"{self.state}-{'blocked' if self.blocked else 'open'}")

    def row(self, *, kmfddm: bool) -> Row:
        allowed = table(self.enrolment, self.version, self.how, kmfddm=kmfddm)
        return replace(allowed, remove=None) if self.how == "declared" else allowed  # its declaration has to go first


def ordered(case: Case, base: Device, *, kmfddm: bool) -> Device:
    """The device as it is after the orders."""
    allowed = case.row(kmfddm=kmfddm)
    if allowed.block == RESTRICT and case.blocked:
        base = replace(base, profiles=profiles(PROFILE))
    if allowed.block == DECLARE and case.blocked:
        item = SeenDeclaration(ddm.identifier("all/declarations", "ban-1"), True, "valid", True, TOKEN)
        base = replace(base, declarations=Declarations(hours(1), (item,)))
    if allowed.remove:
        removal = Removal(APP, "order", Stage.removing, MOMENT, method=allowed.remove)
        stages = {
            "well": replace(removal, stage=Stage.removed),  # the device acknowledged it, and lists the app all the same
            "refused": replace(removal, stage=Stage.refused, not_before=NOW + timedelta(days=6), error="UserRejected"),
            "failed": replace(removal, stage=Stage.failed, not_before=NOW + timedelta(hours=9), error="12: no"),
        }
        base = replace(base, removals=(stages.get(case.state, removal),))
    if case.state == "locked":
        base = replace(base, locked_since=hours(2))
    return replace(base, apps=None) if case.state == "unlisted" else base


def accepted(scope: str, method: str, version: int) -> Action:
    return Action(
        key=f"key-{scope}-{method}",
        directive=DIRECTIVE.id,
        plan=Digest("sha256:" + "0" * 64),
        step=f"step-{scope}",
        system="nanomdm",
        scope=scope,
        method=method,
        side=Side.whole,
        app_ids=tuple(sorted(WATCH.ios)),
        holders=(),
        wave=0,
        state=ActionState.accepted,
        scope_version=version,
        accepted_at=MOMENT,
    )


ASKED = {"early": hours(6), "old": hours(24 * 8)}


def every_case() -> dict[str, Case]:
    """Every class in every state, by name."""
    made = (Case(*one) for one in itertools.product(CLASSES, VERSIONS, HELD, STATES, (True, False)))
    return {one.name: one for one in made if can_be_listed(one.enrolment, one.version, one.how)}


def fleet_of(cases: Mapping[str, Case], *, kmfddm: bool) -> tuple[Device, ...]:
    """The devices of these cases."""
    return tuple(
        ordered(
            one,
            phone(name, one.enrolment, one.version, one.how, ASKED.get(one.state, hours(1))),
            kmfddm=kmfddm,
        )
        for name, one in cases.items()
    )


def groups(*, kmfddm: bool) -> tuple[Group, ...]:
    entries = tuple(Entry(app, "ban-1") for app in sorted(WATCH.ios))
    tokens = {ddm.identifier("all/declarations", "ban-1"): TOKEN}
    made = [Group("all/profile", Edition(1, entries, uuid=PROFILE))]
    return (*made, Group("all/declarations", Edition(1, entries, tokens=tokens))) if kmfddm else tuple(made)


def actions(cases: Mapping[str, Case], *, kmfddm: bool) -> Iterator[Action]:
    yield accepted("all/profile", RESTRICT, 1)
    if kmfddm:
        yield accepted("all/declarations", DECLARE, 1)
    for name, case in cases.items():
        method = case.row(kmfddm=kmfddm).remove
        if method:
            yield accepted(f"nanomdm:{name}", method, 3)


def open_commands(cases: Mapping[str, Case]) -> Iterator[Command]:
    for name, case in cases.items():
        if case.state in ("locked", "open"):
            yield command(
                f"c-{name}",
                to=name,
                request_type="RemoveApplication",
                purpose=Purpose.remove,
                state=CommandState.not_now if case.state == "locked" else CommandState.queued,
            )


WAITING = {
    "locked": Outcome.pending_locked,
    "open": Outcome.pending_sync,
    "early": Outcome.pending_sync,
    "refused": Outcome.refused_by_user,
}


def expected(case: Case, *, kmfddm: bool) -> Outcome:
    """What may be said, by the table and by what the device showed. Written out of the table, not of the judge."""
    allowed = case.row(kmfddm=kmfddm)
    if not (allowed.block or allowed.remove):
        # Nothing can be done. What was seen whole, and clean, after the decision is clean all the same.
        young = case.state not in ("early", "old", "unlisted")
        clean = case.how == "absent" and case.enrolment == "unsupervised" and young
        return Outcome.absent_verified if clean else Outcome.impossible
    if case.state in ("old", "unlisted"):
        return Outcome.stale if case.state == "old" else Outcome.unknown
    if case.enrolment == "supervised" and case.blocked and case.state != "early":
        return Outcome.absent_verified if case.how == "absent" else Outcome.contained
    if case.state == "refused" and not allowed.remove:  # nobody was asked
        return Outcome.pending_sync
    return WAITING.get(case.state, Outcome.pending_sync if allowed.block else Outcome.failed)


@pytest.mark.parametrize("kmfddm", [True, False])
def test_no_outcome_is_better_than_the_table_allows(tmp_path: Path, kmfddm: bool) -> None:
    cases = every_case()
    commands = tuple(open_commands(cases))
    line = Line(tmp_path, fleet_of(cases, kmfddm=kmfddm), groups(kmfddm=kmfddm), commands, kmfddm=kmfddm)
    snapshot = line.snapshot()
    judged = line.outcomes(snapshot, line.plan(snapshot), actions(cases, kmfddm=kmfddm))
    assert judged.keys() == cases.keys()
    wrong = {
        name: f"{judged[name].outcome} and not {expected(case, kmfddm=kmfddm)}: {judged[name].why.en}"
        for name, case in cases.items()
        if judged[name].outcome is not expected(case, kmfddm=kmfddm)
    }
    assert wrong == {}
    compliant = [cases[name] for name, one in judged.items() if one.outcome.compliant]
    assert not any(case.enrolment == "user_enrolment" for case in compliant), "personal apps are out of sight"
    assert all(case.how == "absent" for case in compliant if case.enrolment == "unsupervised"), "nothing contains there"
    assert all(case.blocked for case in compliant if case.enrolment == "supervised"), "nothing keeps the app out yet"


def test_an_app_that_went_after_the_order_is_removed_and_what_cannot_be_seen_is_not(tmp_path: Path) -> None:
    """The list of afterwards no longer names the app, which was there before."""
    cases = {
        one.name: one
        for one in every_case().values()
        if one.state == "well" and one.blocked and one.row(kmfddm=True).remove
    }
    gone = tuple(
        replace(one, apps=replace(one.apps, apps=()), removals=(replace(one.removals[0], stage=Stage.removed),))
        for one in fleet_of(cases, kmfddm=True)
        if one.apps is not None
    )
    line = Line(tmp_path, gone, groups(kmfddm=True))
    snapshot = line.snapshot()
    holders = tuple(f"nanomdm:{name}" for name in cases)
    orders = [replace(one, holders=holders) for one in actions(cases, kmfddm=True)]
    judged = line.outcomes(snapshot, line.plan(snapshot), orders)
    unseen = {name for name, case in cases.items() if case.enrolment == "user_enrolment"}
    assert unseen
    assert {name: one.outcome for name, one in judged.items()} == {
        name: Outcome.invisible if name in unseen else Outcome.removed_verified for name in cases
    }


def test_a_plan_once_carried_out_asks_for_nothing_more(tmp_path: Path) -> None:
    cases = {name: one for name, one in every_case().items() if one.state in ("open", "refused", "failed")}
    line = Line(tmp_path, fleet_of(cases, kmfddm=True), groups(kmfddm=True))
    assert line.plan(line.snapshot()).steps == ()


# The rows themselves ----------------------------------------------------------------------------------------------


def test_declarations_are_offered_only_where_something_carries_them() -> None:
    with_ddm = NanomdmSystem(config(kmfddm=True)).capabilities
    without = NanomdmSystem(config()).capabilities
    assert with_ddm == rows()
    assert set(with_ddm) - set(without) == {row for row in rows() if row.method == DECLARE}
    assert any(row.method == DECLARE for row in rows())


def test_no_row_promises_anything_on_a_computer() -> None:
    assert {row.platform for row in rows()} == {Platform.ios}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("enrolment", CLASSES)
def test_the_rows_promise_what_the_table_does(enrolment: str, version: str) -> None:
    fits = [row for row in rows() if row.enrolment == enrolment and in_range(version, row.os_min, row.os_max)]
    told = {(row.verb, row.applies_to): row.method for row in fits if row.verb is Verb.remove}
    wanted = {how: table(enrolment, version, how, kmfddm=True).remove for how in ("managed", "unmanaged", "system")}
    assert told == {(Verb.remove, how): method for how, method in wanted.items() if method}
    blocks = {row.method for row in fits if row.verb is Verb.block_launch and row.effect is Effect.full}
    best = table(enrolment, version, "absent", kmfddm=True).block
    assert best in blocks if best else not blocks
    assert (DECLARE in blocks) is (best == DECLARE)


@pytest.mark.parametrize("row", [row for row in rows() if row.effect is Effect.impossible], ids=lambda row: row.id)
def test_what_a_row_denies_is_refused_with_its_reason(tmp_path: Path, row: Capability) -> None:
    line = Line(tmp_path, (phone("d1", row.enrolment.value, "17.4", "absent", hours(1)),))
    plan = line.plan(line.snapshot())
    kept_out = {step.method for step in plan.steps if set(step.verbs) & {Verb.block_launch, Verb.block_install}}
    if row.enrolment is Enrolment.supervised:  # a download cannot be prevented, a launch can: that serves the ban
        assert kept_out == {RESTRICT}
        assert all(Verb.block_install not in step.verbs for step in plan.steps)
        return
    assert kept_out == set()
    reasons = [one for one in plan.refusals if one.reason is RefusalReason.impossible]
    assert any("nanomdm:d1" in one.devices for one in reasons), row.id


@pytest.mark.parametrize(
    ("enrolment", "version", "how"),
    [one for one in itertools.product(CLASSES, VERSIONS, HELD) if can_be_listed(*one) and one[2] != "absent"],
)
def test_what_a_class_shows_is_observed(enrolment: str, version: str, how: str) -> None:
    stored = records([phone("d1", enrolment, version, how, hours(1))])
    (batch,) = observe(config(kmfddm=True), stored, Roster(), WATCH, ManualClock(NOW))
    (seen,) = batch.devices
    assert (seen.enrolment, seen.os_version, seen.observed_at) == (Enrolment(enrolment), version, hours(1))
    (install,) = batch.installs
    expected_held = Held.managed if how == "declared" or enrolment == "user_enrolment" else Held(how)
    assert (install.app.platform, install.app.app_id, install.held) == (Platform.ios, APP, expected_held)
