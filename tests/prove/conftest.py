"""A fictional department with a directive, a plan, outcomes and a ledger, and the store that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from proscribe.canonical import Digest, digest_json
from proscribe.catalogue.model import Confidence, IdentifierType, Selector, SelectorKind, Target, TargetSet
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
    SourceRef,
    Stance,
    State,
)
from proscribe.documents import digest, to_bytes
from proscribe.enforce.model import DeviceOutcome, Outcome
from proscribe.inventory.model import Coverage, Retention, SnapshotManifest, SourceSummary, Visibility
from proscribe.plan.model import (
    Devices,
    Effect,
    Exemption,
    ExemptionRegister,
    Percent,
    Plan,
    PlanCounts,
    Policy,
    Reach,
    Refusal,
    RefusalReason,
    Ring,
    Step,
    Unlimited,
    Verb,
    Wave,
)
from proscribe.prove.bundle import BundleInputs
from proscribe.prove.ledger import leaf_hash
from proscribe.prove.model import EntryKind, LedgerEntry
from proscribe.prove.ports import StoredEntry
from proscribe.terms import Enrolment, Platform, Side
from proscribe.text import Text

START = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
DIRECTIVE = "dnl-2026-chat"
KEY = bytes(range(32))


class MemoryLedger:
    """A ledger in memory."""

    def __init__(self) -> None:
        self._entries: list[LedgerEntry] = []

    def append(self, kind: EntryKind, subject: str, actor: str, body: dict[str, Any], at: datetime) -> LedgerEntry:
        entry = LedgerEntry(len(self._entries), at, actor, kind, subject, body)
        self._entries.append(entry)
        return entry

    def size(self) -> int:
        return len(self._entries)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[LedgerEntry]:
        yield from self._entries[start:stop]

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[StoredEntry]:
        for entry in self._entries[start:stop]:
            yield StoredEntry(entry.index, to_bytes(entry), leaf_hash(entry), ())


def make_directive() -> Directive:
    return Directive(
        id=DIRECTIVE,
        version=1,
        title=Text(
            "Chat application removed from the devices of the Department of Northern Lighthouses",
            "Retrait d'une application de clavardage des appareils du ministère des Phares du Nord",
        ),
        state=State.in_force,
        force=Force.binding,
        authority=Authority(
            body=Text("Department of Northern Lighthouses", "Ministère des Phares du Nord"),
            jurisdiction="CA",
            decided_by=Text("Chief Information Officer", "Dirigeant principal de l'information"),
        ),
        instrument=Text("Notice to all staff", "Avis à l'ensemble du personnel"),
        announced=date(2026, 10, 30),
        effective=date(2026, 11, 2),
        applies=Applies(
            devices=Text("Mobile devices issued to staff", "Appareils mobiles remis au personnel"),
            entities=Text("All branches", "Toutes les directions"),
            byod=Stance.unstated,
            platforms=(Platform.android, Platform.ios),
            enrolments=(Enrolment.fully_managed, Enrolment.cope, Enrolment.supervised),
        ),
        items=(
            BannedItem(
                publisher="example",
                wording=Text("Lantern Chat <beta>", "Lantern Chat <bêta>"),
                breadth=Breadth.product,
                selectors=(Selector(SelectorKind.product, "example/lantern-chat"),),
            ),
        ),
        actions=(RequiredAction(ActionVerb.remove, Text("Remove it", "La retirer")),),
        exceptions=ExceptionRules(stated=True),
        stated_reasons=(
            Text(
                "Its collection methods give considerable access to the contents of a device.",
                "Ses méthodes de collecte donnent un accès considérable au contenu d'un appareil.",
            ),
            Text("The decision is a precaution.", "La décision est prise par précaution."),
        ),
        compromise_found=Compromise.none_stated,
        confidence=Confidence.high,
        sources=(SourceRef("https://lighthouses.example/notice", "primary"),),
        analyst_context=(Text("SECRET-CONTEXT", "CONTEXTE-SECRET"),),
    )


def make_targets(directive: Directive) -> TargetSet:
    return TargetSet(
        directive=directive.id,
        directive_version=directive.version,
        catalogue=digest_json("catalogue"),
        resolved_at=START - timedelta(days=2),
        selectors=directive.items[0].selectors,
        targets=tuple(
            Target(
                id=f"{kind}:{platform}:{value}",
                type=kind,
                value=value,
                platform=platform,
                confidence=Confidence.high if actionable else Confidence.low,
                publisher="example",
                product="example/lantern-chat",
                label="Lantern Chat",
                why=(Text("named by the directive", "nommée par la directive"),),
                sources=("https://lighthouses.example/apps",),
                actionable=actionable,
            )
            for kind, platform, value, actionable in (
                (IdentifierType.android_package, Platform.android, "example.lantern.chat", True),
                (IdentifierType.ios_bundle_id, Platform.ios, "example.lantern.chat", True),
                (IdentifierType.android_package, Platform.android, "example.lantern.lite", False),
            )
        ),
        reviewed_by="security reviewer",
        reviewed_on=date(2026, 11, 1),
    )


def make_snapshot(number: int, devices: int, fleet: list[DeviceOutcome]) -> SnapshotManifest:
    blind = {
        Enrolment.cope: Text(
            "the personal side of the device is hidden by the platform",
            "le côté personnel de l'appareil est masqué par la plateforme",
        ),
        Enrolment.byod: Text("only the work profile is listed", "seul le profil professionnel figure dans la liste"),
    }
    counts: dict[tuple[str, Enrolment], int] = {}
    for outcome in fleet:
        counts[outcome.system, outcome.enrolment] = counts.get((outcome.system, outcome.enrolment), 0) + 1
    return SnapshotManifest(
        taken_at=START + timedelta(hours=number),
        retention=Retention.matches,
        watched=(digest_json("targets"),),
        sources=(
            SourceSummary("fleet.json", "generic-jsonl", digest_json(number), 1000, devices, devices, 9 * devices, 0),
        ),
        coverage=tuple(
            Coverage(
                system=system,
                platform=Platform.ios if enrolment is Enrolment.supervised else Platform.android,
                enrolment=enrolment,
                devices=count,
                sees=Visibility.work_side if enrolment in blind else Visibility.all_apps,
                gives_ids=True,
                gives_signer=enrolment is not Enrolment.supervised,
                stale_after_days=14,
                blind_to=blind.get(enrolment, Text("", "")),
                source="https://lighthouses.example/coverage",
            )
            for (system, enrolment), count in sorted(counts.items())
        ),
        devices=devices,
        duplicate_devices=0,
        apps_seen=4000,
        apps_kept=3,
        installs_seen=9 * devices,
        installs_kept=60,
        scopes=(),
        problems_total=0,
        problems=(),
        files={"apps.parquet": digest_json("apps")},
    )


_MIX: tuple[tuple[Outcome, Enrolment, str, int], ...] = (
    (Outcome.absent_verified, Enrolment.fully_managed, "droid", 2310),
    (Outcome.absent_verified, Enrolment.supervised, "orchard", 1180),
    (Outcome.removed_verified, Enrolment.fully_managed, "droid", 214),
    (Outcome.contained, Enrolment.supervised, "orchard", 96),
    (Outcome.enforced_blind, Enrolment.cope, "droid", 612),
    (Outcome.invisible, Enrolment.byod, "droid", 301),
    (Outcome.pending_sync, Enrolment.fully_managed, "droid", 74),
    (Outcome.pending_locked, Enrolment.supervised, "orchard", 9),
    (Outcome.refused_by_user, Enrolment.unsupervised, "orchard", 3),
    (Outcome.failed, Enrolment.fully_managed, "droid", 12),
    (Outcome.impossible, Enrolment.unsupervised, "orchard", 57),
    (Outcome.exempt, Enrolment.fully_managed, "droid", 2),
    (Outcome.stale, Enrolment.fully_managed, "droid", 88),
    (Outcome.unknown, Enrolment.unknown, "ledger-export", 42),
)
DEPARTMENTS = ("Keepers' Office", "Lamps and Lenses", "Fog Signals", "Coastal Charts", "Tower Upkeep", "", "Archives")


def make_outcomes(share: int) -> list[DeviceOutcome]:
    """Every outcome, one ``share``-th of a fleet of 5,000 but at least one device each."""
    made = []
    for outcome, enrolment, system, count in _MIX:
        for number in range(max(1, count // share)):
            serial = len(made)
            seen = outcome not in (Outcome.unknown, Outcome.invisible)
            department = (
                DEPARTMENTS[-1] if serial % 500 == 7 else DEPARTMENTS[(serial * serial) % 6 if serial % 3 else 0]
            )
            made.append(
                DeviceOutcome(
                    directive=DIRECTIVE,
                    device=f"{system}:unit-{serial:05d}",
                    system=system,
                    enrolment=enrolment,
                    department=department,
                    outcome=outcome,
                    why=Text(f"because {outcome}", f"parce que {outcome}"),
                    observed_at=START + timedelta(hours=6, minutes=number % 50) if seen else None,
                    evidence=("version 7",),
                    scope="policies/staff",
                )
            )
    return made


def make_plan(directive: Directive, targets: TargetSet, snapshot: Digest, outcomes: list[DeviceOutcome]) -> Plan:
    holders = [one.device for one in outcomes if one.outcome is Outcome.removed_verified]
    blind = tuple(one.device for one in outcomes if one.outcome is Outcome.enforced_blind)
    impossible = tuple(one.device for one in outcomes if one.outcome is Outcome.impossible)
    exempt = tuple(one.device for one in outcomes if one.outcome is Outcome.exempt)
    steps = tuple(
        Step(
            id=f"step-{wave}",
            system="droid",
            reach=Reach.policy if wave < 3 else Reach.device,
            scope="policies/staff" if wave < 3 else blind[0],
            scope_version=6,
            method="merge_blocks",
            side=Side.whole,
            verbs=(Verb.remove, Verb.block_install),
            app_ids=("example.lantern.chat",),
            targets=(targets.targets[0].id,),
            holders=tuple(sorted(holders[wave - 1 :: 3])),
            collateral=40 * wave,
            effect=Effect.full,
            proved_by=Text("the device's own report", "le signalement de l'appareil"),
            undo=Text("take the entry out again", "retirer l'entrée"),
            wave=wave,
        )
        for wave in (1, 2, 3)
    )
    return Plan(
        created_at=START + timedelta(hours=1),
        directive=directive.id,
        directive_digest=digest(directive),
        targets_digest=digest(targets),
        snapshot_digest=snapshot,
        capabilities_digest=digest_json("capabilities"),
        exemptions_digest=digest_json("exemptions"),
        policy=Policy(Percent(10.0), Unlimited(), (Ring("canary", Devices(25)), Ring("rest", Unlimited(), 0.9))),
        counts=PlanCounts(
            in_scope=len(outcomes),
            to_remove=len(holders),
            block_only=240,
            nothing_to_do=len(outcomes) - len(holders) - 240 - len(exempt) - len(impossible),
            exempt=len(exempt),
            cannot=len(impossible),
            invisible_side=len(blind),
        ),
        steps=steps,
        waves=(
            Wave(1, "canary", ("step-1",), 25, 0.95),
            Wave(2, "first quarter", ("step-2",), 1140, 0.95),
            Wave(3, "rest", ("step-3",), 2310, 0.9),
        ),
        refusals=(
            Refusal(
                RefusalReason.impossible,
                "orchard",
                "",
                targets.targets[1].id,
                impossible,
                Text(
                    "an unsupervised device lets nobody block or remove an app its holder installed",
                    "un appareil non supervisé ne permet à personne de bloquer ou de retirer une application que son "
                    "détenteur a installée",
                ),
                Text("Supervise the device, or cut off its access.", "Superviser l'appareil ou couper son accès."),
                blocks=False,
            ),
            Refusal(
                RefusalReason.low_confidence,
                "droid",
                "",
                targets.targets[2].id,
                (),
                Text(
                    "example.lantern.lite is not certain enough to remove anything",
                    "example.lantern.lite n'est pas assez sûr pour justifier un retrait",
                ),
                Text("Confirm the identifier in the catalogue.", "Confirmer l'identifiant dans le catalogue."),
                blocks=False,
            ),
            Refusal(
                RefusalReason.exempt_in_shared_scope,
                "droid",
                "enterprises/northern-lighthouses/policies/harbour-masters",
                targets.targets[0].id,
                exempt,
                Text(
                    "2 exempt devices share this policy with others",
                    "2 appareils exemptés partagent cette politique avec d'autres",
                ),
                Text("Give them a policy of their own.", "Leur attribuer une politique distincte."),
                blocks=False,
            ),
        ),
        basis=digest_json("basis"),
    )


def make_ledger(
    directive: Directive,
    targets: TargetSet,
    plan: Plan,
    snapshots: list[SnapshotManifest],
    counts: list[dict[str, int]],
) -> MemoryLedger:
    ledger = MemoryLedger()
    clock = iter(START + timedelta(minutes=11 * step) for step in range(10_000))

    def note(kind: EntryKind, subject: str, **body: Any) -> None:
        ledger.append(kind, subject, "operator", body, next(clock))

    note(EntryKind.directive, directive.id, digest=digest(directive))
    note(EntryKind.target_set, digest(targets), directive=directive.id, digest=digest(targets))
    note(EntryKind.directive, "another-directive", digest=digest_json("another"))
    for snapshot in snapshots:
        note(EntryKind.snapshot, digest(snapshot), digest=digest(snapshot), devices=snapshot.devices)
    note(EntryKind.plan, digest(plan), directive=directive.id, digest=digest(plan))
    note(EntryKind.approval, directive.id, plan=digest(plan))
    note(EntryKind.evaluation, "", directives=[directive.id, "another-directive"])
    note(EntryKind.drift, "droid:unit-00001", directive=directive.id)
    for step in plan.steps:
        key = f"key-{step.id}"
        note(EntryKind.wave, directive.id, wave=step.wave)
        note(EntryKind.intent, key, directive=directive.id, plan=digest(plan))
        note(EntryKind.receipt, key, directive=directive.id, plan=digest(plan), status=200)
    note(EntryKind.receipt, "key-in-place", directive=directive.id, status=0)
    for count in counts:
        note(EntryKind.outcomes, directive.id, counts=count)
    return ledger


def make_history(final: dict[str, int]) -> list[dict[str, int]]:
    """Outcomes on their way to ``final``: what is verified at the end was waiting before."""
    points = []
    for done in (0.0, 0.12, 0.31, 0.66, 0.9, 0.97, 1.0):
        point = dict(final)
        for name in (Outcome.absent_verified, Outcome.removed_verified, Outcome.contained):
            reached = int(final[name] * done)
            point[Outcome.pending_sync] = point[Outcome.pending_sync] + final[name] - reached
            point[name] = reached
        points.append({str(name): devices for name, devices in point.items()})
    return points


def make_inputs(share: int = 100) -> BundleInputs:
    directive = make_directive()
    targets = make_targets(directive)
    outcomes = make_outcomes(share)
    snapshots = [make_snapshot(number, len(outcomes), outcomes) for number in (0, 6)]
    plan = make_plan(directive, targets, digest(snapshots[0]), outcomes)
    final: dict[str, int] = {}
    for outcome in outcomes:
        final[outcome.outcome] = final.get(outcome.outcome, 0) + 1
    exempt = tuple(one.device for one in outcomes if one.outcome is Outcome.exempt)
    return BundleInputs(
        organisation=Text("Department of Northern Lighthouses", "Ministère des Phares du Nord"),
        created_at=START + timedelta(days=1, hours=2),
        directive=directive,
        targets=targets,
        plans=(plan,),
        snapshots=snapshots,
        outcomes=outcomes,
        exemptions=ExemptionRegister(
            (
                Exemption(
                    "ex-1",
                    directive.id,
                    exempt,
                    "Official channel of the lighthouse museum",
                    "museum communications lead",
                    "chief information officer",
                    date(2026, 11, 2),
                    date(2027, 5, 1),
                    ("separate device, no work data",),
                ),
                Exemption("ex-2", "another-directive", ("droid:x",), "g", "r", "a", date(2026, 1, 1), date(2026, 2, 1)),
            )
        ),
        ledger=make_ledger(directive, targets, plan, snapshots, make_history(final)),
        pseudonym_key=KEY,
    )


@pytest.fixture(scope="session")
def inputs() -> BundleInputs:
    """A small fleet in which every outcome occurs."""
    return make_inputs()


@pytest.fixture(scope="session")
def large_inputs() -> BundleInputs:
    """5,000 devices."""
    return make_inputs(1)


@pytest.fixture
def with_outcomes() -> Callable[[BundleInputs, list[DeviceOutcome]], BundleInputs]:
    """The same inputs with other outcomes, recorded as such in the ledger."""

    def change(inputs: BundleInputs, outcomes: list[DeviceOutcome]) -> BundleInputs:
        ledger = MemoryLedger()
        for entry in inputs.ledger.entries():
            ledger.append(entry.entry, entry.subject, entry.actor, entry.body, entry.at)
        counts: dict[str, int] = {}
        for outcome in outcomes:
            counts[outcome.outcome.value] = counts.get(outcome.outcome.value, 0) + 1
        ledger.append(EntryKind.outcomes, inputs.directive.id, "operator", {"counts": counts}, inputs.created_at)
        return replace(inputs, outcomes=outcomes, ledger=ledger)

    return change
