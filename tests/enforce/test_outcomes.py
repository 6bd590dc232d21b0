"""What may be said of a device, case by case (DESIGN rules 1 and 2; mdm.md 1.1 and 6.2)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from proscribe.canonical import Digest
from proscribe.catalogue.model import Confidence, MatchKind
from proscribe.enforce import reasons
from proscribe.enforce.ceilings import ALLOWED, OutcomeCeilingError, ensure_allowed
from proscribe.enforce.fleet import FleetCase, barred_places, judge_fleet
from proscribe.enforce.keys import enforcements
from proscribe.enforce.means import Present
from proscribe.enforce.model import Action, ActionState, Enforcement, Outcome
from proscribe.enforce.outcomes import Case, DeviceFacts, judge
from proscribe.evaluate.model import DeviceStatus, Drift, Finding, Presence
from proscribe.inventory.model import Freshness, Visibility
from proscribe.plan.model import Exemption, ExemptionRegister, Refusal, RefusalReason
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text

SENT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SEEN = SENT + timedelta(hours=1)
NOW = SENT + timedelta(hours=2)
SNAPSHOT = Digest("sha256:" + "5" * 64)
APP = "com.example.chat"


def status(**changes: Any) -> DeviceStatus:
    plain = DeviceStatus(
        directive="ban",
        device="sim:1",
        system="sim",
        platform=Platform.android,
        enrolment=Enrolment.fully_managed,
        os_version="14",
        department="Keepers",
        scope="base",
        presence=Presence.absent,
        invisible_side=False,
        observed_at=SEEN,
        freshness=Freshness.observed,
    )
    return replace(plain, **changes)


def facts(**changes: Any) -> DeviceFacts:
    plain = DeviceFacts("sim:1", "base", 7, (), Visibility.all_apps, gives_ids=True, stale_after_days=7)
    return replace(plain, **changes)


def enforced(side: Side = Side.work, **changes: Any) -> Enforcement:
    return replace(Enforcement("ban", "sim", "base", side, (APP,), 7, SENT), **changes)


def finding(**changes: Any) -> Finding:
    plain = Finding(
        directive="ban",
        device="sim:1",
        system="sim",
        platform=Platform.android,
        enrolment=Enrolment.fully_managed,
        department="Keepers",
        scope="base",
        product="example/chat",
        target="t",
        match=MatchKind.exact_id,
        confidence=Confidence.high,
        actionable=True,
        app_id=APP,
        app_name="Chat",
        signer="",
        version="1",
        side=Side.work,
        held=Held.unmanaged,
        observed_at=SEEN,
        freshness=Freshness.observed,
        stale=False,
        drift=Drift.continuing,
    )
    return replace(plain, **changes)


def action(**changes: Any) -> Action:
    plain = Action(
        key="k",
        directive="ban",
        plan=SNAPSHOT,
        step="s",
        system="sim",
        scope="base",
        method="block",
        side=Side.work,
        app_ids=(APP,),
        holders=(),
        wave=2,
        state=ActionState.accepted,
        scope_version=7,
        accepted_at=SENT,
    )
    return replace(plain, **changes)


def case(**changes: Any) -> Case:
    return replace(Case(SNAPSHOT, enforcements=(enforced(),)), **changes)


THERE = {"presence": Presence.present_unmanaged}

# name, status changes, facts changes, case changes, wanted, words that the reason must hold
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], Outcome, str]] = [
    ("never seen, kept out", {}, {}, {}, Outcome.absent_verified, "taken under the order"),
    ("seen before", {}, {}, {"held": True}, Outcome.removed_verified, "was on the device"),
    (
        "cured since the last look",
        {},
        {},
        {"findings": (finding(drift=Drift.cured),)},
        Outcome.removed_verified,
        "was on the device",
    ),
    ("a later version is fine", {}, {"applied_version": 9}, {}, Outcome.absent_verified, ""),
    ("an older version is not", {}, {"applied_version": 6}, {}, Outcome.pending_sync, "version 6"),
    ("another policy is not", {}, {"applied_scope": "other"}, {}, Outcome.pending_sync, "applies other"),
    ("no policy named", {}, {"applied_scope": "", "applied_version": 0}, {}, Outcome.pending_sync, "applies ?"),
    (
        "a system without versions goes by time",
        {},
        {"applied_scope": "", "applied_version": 0},
        {"enforcements": (enforced(version=0),)},
        Outcome.absent_verified,
        "",
    ),
    ("seen before the order", {"observed_at": SENT - timedelta(hours=1)}, {}, {}, Outcome.pending_sync, "before"),
    ("seen at the very moment", {"observed_at": SENT}, {}, {}, Outcome.pending_sync, "before"),
    (
        "the later of two orders counts",
        {},
        {},
        {"enforcements": (enforced(), enforced(moment=SEEN, version=8))},
        Outcome.pending_sync,
        "before",
    ),
    ("still there", THERE, {}, {"findings": (finding(),)}, Outcome.failed, "still on it"),
    (
        "still there and says why",
        THERE,
        {"remarks": (f"noncompliant:APP_INSTALLED:{APP}",)},
        {"findings": (finding(),)},
        Outcome.failed,
        "APP_INSTALLED",
    ),
    (
        "there again",
        THERE,
        {},
        {"findings": (finding(drift=Drift.reinstalled),)},
        Outcome.failed,
        "again",
    ),
    (
        "not gone yet, and the device says so",
        THERE,
        {"remarks": (f"noncompliant:PENDING:{APP}",)},
        {"findings": (finding(),)},
        Outcome.pending_sync,
        "not done yet",
    ),
    (
        "unlisted, yet the device says it could not",
        {},
        {"remarks": (f"noncompliant:APP_INSTALLED:{APP}",)},
        {},
        Outcome.failed,
        "could not comply",
    ),
    (
        "trouble with something else is not ours",
        {},
        {"remarks": ("noncompliant:INVALID_VALUE:passwordPolicies", "noncompliant:APP_INSTALLED:org.example.maps")},
        {},
        Outcome.absent_verified,
        "",
    ),
    (
        "an app that no order names",
        THERE,
        {},
        {"findings": (finding(app_id="com.example.twin"),)},
        Outcome.failed,
        "no order in force names it",
    ),
    (
        "listed but cannot launch",
        {"presence": Presence.present_contained},
        {},
        {"findings": (finding(),)},
        Outcome.contained,
        "cannot be launched",
    ),
    (
        "a look-alike is not a violation",
        {},
        {},
        {"findings": (finding(match=MatchKind.lookalike_name),)},
        Outcome.absent_verified,
        "",
    ),
    (
        "an uncertain identifier proves neither",
        THERE,
        {},
        {"findings": (finding(actionable=False),)},
        Outcome.unknown,
        "not certain enough",
    ),
    (
        "an uncertain identifier without an order",
        THERE,
        {},
        {"findings": (finding(actionable=False),), "enforcements": ()},
        Outcome.unknown,
        "not certain enough",
    ),
    ("no list", {"presence": Presence.unknown, "observed_at": None}, {}, {}, Outcome.unknown, "list is not"),
    ("nothing can be seen", {}, {"sees": Visibility.nothing}, {}, Outcome.unknown, "list is not"),
    ("too old, says the evaluation", {"presence": Presence.stale}, {}, {}, Outcome.stale, "7 days"),
    ("too old, without a bound", {"presence": Presence.stale}, {"stale_after_days": 0}, {}, Outcome.stale, "too old"),
    (
        "too old, without a date",
        {"presence": Presence.stale, "observed_at": None},
        {},
        {},
        Outcome.stale,
        "too old",
    ),
    ("too old, says the clock", {"observed_at": NOW - timedelta(days=8)}, {}, {}, Outcome.stale, "7 days"),
    ("a clock that runs ahead", {"observed_at": NOW + timedelta(hours=1)}, {}, {}, Outcome.unknown, "clock"),
    ("a little ahead is human", {"observed_at": NOW + timedelta(minutes=5)}, {}, {}, Outcome.absent_verified, ""),
    ("a report's time is no proof", {"freshness": Freshness.reported}, {}, {}, Outcome.unknown, "time of the report"),
    (
        "an import's time even less",
        {"freshness": Freshness.imported, "observed_at": None},
        {},
        {},
        Outcome.unknown,
        "does not say when",
    ),
    (
        "listed at an unknown time",
        {**THERE, "freshness": Freshness.reported},
        {},
        {"findings": (finding(),)},
        Outcome.pending_sync,
        "does not say when",
    ),
    ("exempt", THERE, {}, {"findings": (finding(),), "exempt": Text("court", "tribunal")}, Outcome.exempt, "court"),
    (
        "nothing can be done",
        THERE,
        {},
        {"findings": (finding(),), "enforcements": (), "impossible": Text("no way", "aucun moyen")},
        Outcome.impossible,
        "no way",
    ),
    (
        "something can be done after all",
        {},
        {},
        {"impossible": Text("no way to the rest", "aucun moyen pour le reste")},
        Outcome.absent_verified,
        "",
    ),
    (
        "not sent yet",
        {},
        {},
        {"enforcements": (), "actions": (action(state=ActionState.waiting),)},
        Outcome.pending_sync,
        "wave 2",
    ),
    (
        "refused by the system",
        {},
        {},
        {"enforcements": (), "actions": (action(state=ActionState.rejected, last_error="HTTP 404"),)},
        Outcome.failed,
        "HTTP 404",
    ),
    (
        "left out of the plan",
        THERE,
        {},
        {"findings": (finding(),), "enforcements": (), "refused": Text("a limit", "une limite")},
        Outcome.failed,
        "a limit",
    ),
    (
        "in nobody's plan",
        THERE,
        {},
        {"findings": (finding(),), "enforcements": ()},
        Outcome.failed,
        "no order covers",
    ),
    ("nothing enforced", {}, {}, {"enforcements": ()}, Outcome.unknown, "nothing is enforced"),
    (
        "nothing enforced, and why",
        {},
        {},
        {"enforcements": (), "refused": Text("a limit", "une limite")},
        Outcome.unknown,
        "a limit",
    ),
    ("locked", {"observed_at": SENT}, {"remarks": ("locked:NotNow",)}, {}, Outcome.pending_locked, "unlocks"),
    (
        "declined",
        THERE,
        {"remarks": ("refused-by-user",)},
        {"findings": (finding(),)},
        Outcome.refused_by_user,
        "declined",
    ),
    (
        "waits for an approval",
        {},
        {"applied_version": 1, "remarks": ("vendor-approval:x",)},
        {},
        Outcome.pending_vendor_approval,
        "approval",
    ),
    # --- COPE: at best enforced blind
    (
        "COPE, both sides",
        {"enrolment": Enrolment.cope, "invisible_side": True},
        {},
        {"enforcements": (enforced(), enforced(Side.personal))},
        Outcome.enforced_blind,
        "reports nothing back",
    ),
    (
        "COPE, held before, both sides",
        {"enrolment": Enrolment.cope},
        {},
        {"enforcements": (enforced(), enforced(Side.personal)), "held": True},
        Outcome.enforced_blind,
        "",
    ),
    ("COPE, work side only", {"enrolment": Enrolment.cope}, {}, {}, Outcome.invisible, "nothing is enforced"),
    (
        "COPE, personal order not applied yet",
        {"enrolment": Enrolment.cope},
        {},
        {"enforcements": (enforced(), enforced(Side.personal, version=8))},
        Outcome.pending_sync,
        "version 8",
    ),
    (
        "COPE, the work side fails",
        {"enrolment": Enrolment.cope, **THERE},
        {},
        {"enforcements": (enforced(), enforced(Side.personal)), "findings": (finding(),)},
        Outcome.failed,
        "still on it",
    ),
    (
        "COPE, the device could not apply the personal side",
        {"enrolment": Enrolment.cope},
        {"remarks": ("noncompliant:UNSUPPORTED:personalUsagePolicies",)},
        {"enforcements": (enforced(), enforced(Side.personal))},
        Outcome.failed,
        "could not comply",
    ),
    # --- BYOD and User Enrolment: at best invisible
    ("BYOD, clean work side", {"enrolment": Enrolment.byod}, {}, {"held": True}, Outcome.invisible, "personal part"),
    ("BYOD, nothing enforced", {"enrolment": Enrolment.byod}, {}, {"enforcements": ()}, Outcome.invisible, "Nothing"),
    (
        "BYOD, the work side fails",
        {"enrolment": Enrolment.byod, **THERE},
        {},
        {"findings": (finding(),)},
        Outcome.failed,
        "",
    ),
    (
        "User Enrolment, absent from the list",
        {"enrolment": Enrolment.user_enrolment, "platform": Platform.ios},
        {},
        {},
        Outcome.invisible,
        "personal part",
    ),
    # --- Apple
    (
        "supervised, hidden and still listed",
        {"enrolment": Enrolment.supervised, "presence": Presence.present_contained},
        {},
        {"findings": (finding(),)},
        Outcome.contained,
        "",
    ),
    ("supervised, gone", {"enrolment": Enrolment.supervised}, {}, {"held": True}, Outcome.removed_verified, ""),
    (
        "unsupervised, nothing can be blocked",
        {"enrolment": Enrolment.unsupervised, **THERE},
        {},
        {"findings": (finding(),), "enforcements": (), "impossible": Text("not supervised", "non supervisé")},
        Outcome.impossible,
        "not supervised",
    ),
    # --- and the rest
    ("enrolment unknown", {"enrolment": Enrolment.unknown}, {}, {}, Outcome.unknown, "how the device is enrolled"),
    ("a part out of sight", {"invisible_side": True}, {}, {}, Outcome.invisible, "part of the device"),
]


@pytest.mark.parametrize(
    ("state", "known", "bears", "wanted", "words"), [row[1:] for row in CASES], ids=[r[0] for r in CASES]
)
def test_judgement(
    state: dict[str, Any], known: dict[str, Any], bears: dict[str, Any], wanted: Outcome, words: str
) -> None:
    found = judge(status(**state), facts(**known), case(**bears), NOW)
    assert found.outcome is wanted, found.why
    assert words in found.why.en
    assert found.why.fr
    assert found.why.fr != found.why.en
    assert found.evidence[0] == SNAPSHOT


def test_nothing_better_than_the_enrolment_allows_whatever_the_input() -> None:
    """Every combination of what a source can say: judge never raises, and never says more than may be said."""
    remarks = [(), (f"noncompliant:APP_INSTALLED:{APP}",), ("locked",), ("noncompliant:PENDING:x",), ("odd",)]
    unseen = enforced(seen=False)
    sides: list[tuple[Enforcement, ...]] = [(), (enforced(),), (enforced(), enforced(Side.personal)), (unseen,)]
    found: list[tuple[Finding, ...]] = [(), (finding(),), (finding(drift=Drift.cured),), (finding(actionable=False),)]
    for enrolment, presence, freshness, each, orders, remark in itertools.product(
        Enrolment, Presence, Freshness, found, sides, remarks
    ):
        one = judge(
            status(enrolment=enrolment, presence=presence, freshness=freshness),
            facts(remarks=remark),
            case(findings=each, enforcements=orders),
            NOW,
        )
        assert one.outcome in ALLOWED[enrolment]
        if one.outcome.compliant:
            assert freshness is Freshness.observed
            assert orders, "nothing is verified where nothing is enforced"
            assert all(order.seen for order in orders), "nor where no list shows what came of it"
            assert enrolment in (
                Enrolment.fully_managed,
                Enrolment.supervised,
                Enrolment.unsupervised,
                Enrolment.unmanaged,
            )


@pytest.mark.parametrize(
    ("enrolment", "outcome"),
    [
        (Enrolment.cope, Outcome.removed_verified),
        (Enrolment.cope, Outcome.absent_verified),
        (Enrolment.byod, Outcome.absent_verified),
        (Enrolment.byod, Outcome.enforced_blind),
        (Enrolment.user_enrolment, Outcome.removed_verified),
        (Enrolment.unknown, Outcome.absent_verified),
        (Enrolment.unsupervised, Outcome.contained),
    ],
)
def test_claims_above_the_ceiling_are_refused(enrolment: Enrolment, outcome: Outcome) -> None:
    with pytest.raises(OutcomeCeilingError) as refused:
        ensure_allowed(enrolment, outcome, device="sim:1")
    assert refused.value.code == "enforce.outcome-ceiling"
    assert "sim:1" in str(refused.value)
    assert refused.value.remedy.fr


def test_every_enrolment_has_a_ceiling_and_may_always_be_unknown() -> None:
    assert set(ALLOWED) == set(Enrolment)
    for allowed in ALLOWED.values():
        assert {Outcome.unknown, Outcome.failed, Outcome.stale, Outcome.exempt} <= allowed
    assert ensure_allowed(Enrolment.cope, Outcome.enforced_blind) is Outcome.enforced_blind


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("enrolment", list(Enrolment))
def test_a_list_says_nothing_of_what_it_cannot_show(enrolment: Enrolment, there: bool, held: bool) -> None:
    """Disabled and listed, or disabled and no longer listed: neither is compliance, and neither is a failure."""
    seen = case(findings=(finding(),) if there else (), enforcements=(enforced(seen=False),), held=held)
    one = judge(
        status(enrolment=enrolment, presence=Presence.present_unmanaged if there else Presence.absent),
        facts(),
        seen,
        NOW,
    )
    assert (one.outcome, one.why) == (Outcome.unknown, reasons.NOT_SHOWN)


def test_what_no_list_shows_is_judged_by_all_else() -> None:
    unseen = enforced(seen=False)
    refused = facts(remarks=(f"noncompliant:UNSUPPORTED:{APP}",))
    assert judge(status(), refused, case(enforcements=(unseen,)), NOW).outcome is Outcome.failed
    locked = facts(remarks=("locked",))
    assert judge(status(), locked, case(enforcements=(unseen,)), NOW).outcome is Outcome.pending_locked
    early = facts(applied_version=6)
    assert judge(status(), early, case(enforcements=(unseen,)), NOW).outcome is Outcome.pending_sync
    going = action(state=ActionState.ready, wave=3)
    found = judge(status(), facts(), case(enforcements=(unseen,), actions=(going,)), NOW)
    assert (found.outcome, found.why) == (Outcome.pending_sync, reasons.not_sent(3))


def test_a_removal_that_follows_is_judged_as_any_other() -> None:
    both = (enforced(seen=False, version=6), enforced())
    assert judge(status(), facts(), case(enforcements=both, held=True), NOW).outcome is Outcome.removed_verified
    there = case(enforcements=both, findings=(finding(),))
    assert judge(status(presence=Presence.present_unmanaged), facts(), there, NOW).outcome is Outcome.failed
    other = finding(app_id="com.example.video")
    mixed = (enforced(seen=False), enforced(app_ids=("com.example.video",)))
    one = judge(status(presence=Presence.present_unmanaged), facts(), case(enforcements=mixed, findings=(other,)), NOW)
    assert one.outcome is Outcome.failed, "what can be shown is not hidden behind what cannot"


def test_a_contained_app_says_nothing_of_the_other_side() -> None:
    contained = {"presence": Presence.present_contained}
    seen = case(findings=(finding(),), enforcements=(enforced(), enforced(Side.personal)))
    assert judge(status(enrolment=Enrolment.cope, **contained), facts(), seen, NOW).outcome is Outcome.enforced_blind
    assert judge(status(enrolment=Enrolment.byod, **contained), facts(), seen, NOW).outcome is Outcome.invisible
    assert judge(status(invisible_side=True, **contained), facts(), seen, NOW).outcome is Outcome.invisible
    assert judge(status(enrolment=Enrolment.unsupervised, **contained), facts(), seen, NOW).outcome is Outcome.failed


# --- a fleet ---------------------------------------------------------------------------------------------------------


def exemption(device: str, starts: date, expires: date, directive: str = "ban") -> Exemption:
    return Exemption("e-" + device, directive, (device,), "law enforcement", "role:a", "role:b", starts, expires)


def refusal(reason: RefusalReason, devices: tuple[str, ...], scope: str = "") -> Refusal:
    return Refusal(reason, "sim", scope, "", devices, Text("because", "parce que"), Text("do", "faites"), blocks=False)


def test_a_fleet_adds_up_and_each_device_gets_its_own_reason() -> None:
    today = NOW.date()
    statuses = [
        status(device="sim:clean"),
        status(device="sim:held"),
        status(device="sim:once"),
        status(device="sim:there", **THERE),
        status(device="sim:exempt", **THERE),
        status(device="sim:expired", **THERE),
        status(device="sim:hopeless", scope="other", **THERE),
        status(device="sim:limited", scope="third"),
        status(device="sim:unknown-facts"),
    ]
    findings = [finding(device=name) for name in ("sim:there", "sim:exempt", "sim:expired", "sim:hopeless")] + [
        finding(device="sim:clean", directive="another")
    ]
    known = {each.device: facts(device=each.device, applied_scope=each.scope) for each in statuses[:-1]}
    fleet = FleetCase(
        directive="ban",
        snapshot=SNAPSHOT,
        actions=(
            action(holders=("sim:held",)),
            action(key="k2", directive="another", scope="third"),
            action(key="k3", scope="third", state=ActionState.superseded),
        ),
        register=ExemptionRegister(
            (
                exemption("sim:exempt", today, today),
                exemption("sim:expired", today - timedelta(days=9), today - timedelta(days=1)),
                exemption("sim:clean", today, today, directive="another"),
            )
        ),
        refusals=(
            refusal(RefusalReason.impossible, ("sim:hopeless",)),
            refusal(RefusalReason.limit_reach, (), scope="third"),
        ),
        once_held=frozenset({"sim:once"}),
    )
    outcomes = list(judge_fleet(fleet, statuses, findings, known, NOW))
    assert [each.device for each in outcomes] == [each.device for each in statuses]
    assert {each.device: each.outcome for each in outcomes} == {
        "sim:clean": Outcome.absent_verified,
        "sim:held": Outcome.removed_verified,
        "sim:once": Outcome.removed_verified,
        "sim:there": Outcome.failed,
        "sim:exempt": Outcome.exempt,
        "sim:expired": Outcome.failed,
        "sim:hopeless": Outcome.impossible,
        "sim:limited": Outcome.unknown,
        "sim:unknown-facts": Outcome.pending_sync,
    }
    by_device = {each.device: each for each in outcomes}
    assert str(today) in by_device["sim:exempt"].why.fr
    assert "because" in by_device["sim:limited"].why.en
    assert by_device["sim:there"].held
    assert by_device["sim:once"].held
    assert not by_device["sim:clean"].held


@pytest.mark.parametrize(
    ("remark", "expected"),
    [
        ("refused-by-user:com.example.chat", Outcome.refused_by_user),
        ("refused-by-user:com.example.other", Outcome.pending_sync),
        ("refused-by-device:12025 not allowed:com.example.chat", Outcome.failed),
        ("refused-by-device:12025 not allowed:com.example.other", Outcome.pending_sync),
    ],
)
def test_what_a_device_refuses_of_another_ban_is_no_reason_here(remark: str, expected: Outcome) -> None:
    order = enforced(app_ids=("com.example.chat",))
    before = order.moment - timedelta(minutes=1)
    told = judge(status(observed_at=before), facts(remarks=(remark,)), Case(SNAPSHOT, enforcements=(order,)), NOW)
    assert told.outcome is expected
    assert told.why.fr


def test_places_with_an_exempt_device_are_barred_while_the_exemption_holds() -> None:
    today = NOW.date()
    statuses = [status(device="sim:1", scope="a"), status(device="sim:2", scope="b")]
    register = ExemptionRegister((exemption("sim:1", today, today), exemption("sim:2", today, today, "another")))
    # Its policy, and orders to the device itself.
    assert barred_places("ban", statuses, register, NOW) == {("sim", "a"), ("sim", "sim:1")}
    assert barred_places("ban", statuses, register, NOW + timedelta(days=1)) == frozenset()


def test_an_exemption_holds_under_whichever_key_names_the_device() -> None:
    today = NOW.date()
    statuses = [status(device="sim:1", scope="a"), status(device="other:2", system="other", scope="")]
    register = ExemptionRegister((exemption("sim:2", today, today),))
    aliases = {"other:2": ("sim:2",)}
    case = FleetCase("ban", SNAPSHOT, register=register, aliases=aliases)
    assert [each.outcome for each in judge_fleet(case, statuses, (), {}, NOW)][1] is Outcome.exempt
    # Which scope of "sim" configures the device is not known here, so it may be any.
    barred = barred_places("ban", statuses, register, NOW, aliases=aliases)
    assert barred == {("sim", ""), ("other", "other:2")}
    present = Present(barred={"ban": barred})
    assert present.bars("ban", "sim", "a")
    assert not present.bars("another", "sim", "a")
    assert not present.bars("ban", "other", "a")


def test_only_accepted_orders_enforce() -> None:
    each_state = [action(key=state.value, state=state) for state in ActionState]
    assert len(enforcements(each_state)) == 1
    assert enforcements([action(accepted_at=None)]) == ()
    assert enforcements([action()]) == (enforced(),)
    assert enforcements([action()], {("sim", "block")}) == (enforced(seen=False),)


def test_device_facts_are_read_from_a_snapshot(tmp_path: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from proscribe.enforce.fleet import device_facts
    from proscribe.inventory.model import Snapshot

    table = pa.table(
        {
            "key": ["sim:1", "sim:2"],
            "applied_scope": ["base", None],
            "applied_version": pa.array([7, None], pa.int64()),
            "remarks": [["locked"], None],
            "sees": ["all_apps", "unknown"],
            "gives_ids": [True, False],
            "stale_after_days": pa.array([7, 0], pa.int32()),
        }
    )
    pq.write_table(table, tmp_path / "devices.parquet")
    found = device_facts(Snapshot(tmp_path, None, SNAPSHOT))  # type: ignore[arg-type]
    assert found == {
        "sim:1": DeviceFacts("sim:1", "base", 7, ("locked",), Visibility.all_apps, True, 7),
        "sim:2": DeviceFacts("sim:2", "", 0, (), Visibility.unknown, False, 0),
    }
