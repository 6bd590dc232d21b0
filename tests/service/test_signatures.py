"""Signatures at work: what the loop refuses without them, what a standing order covers, what a revocation stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.service.conftest import DIRECTIVE, START, World, exemption
from tests.service.officers import Officers

from proscribe.decide.file import CaseFile
from proscribe.decide.model import Case, Origin, Stage, Step, Track
from proscribe.directive.library import find
from proscribe.documents import digest, to_json
from proscribe.plan.model import ExemptionGrant, Plan, Verb
from proscribe.plan.orders import StandingOrder
from proscribe.prove.verify import verify
from proscribe.service import casestore, enforcing, exempting, signing, standing, trusting, warrant
from proscribe.service.proof import export_proof
from proscribe.service.trusting import NotSigned
from proscribe.simulate.amapi import Behaviour, FleetSpec
from proscribe.text import Text

SMALL = [FleetSpec(devices=16, start=START, departments=("Charts",))]
pytestmark = pytest.mark.parametrize("world", SMALL, indirect=True)


def order(**changes: object) -> StandingOrder:
    made = StandingOrder(
        id="so-1",
        version=1,
        directives=(DIRECTIVE,),
        sources=("here",),
        verbs=(Verb.remove, Verb.block_install, Verb.block_launch),
        most_devices=1000,
        starts=START.date(),
        until=START.date() + timedelta(days=300),
        issued_by="cio",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def officers(world: World, **choices: object) -> Officers:
    """A key list is installed, and the directive and its targets are signed."""
    found = Officers(world.open(), **choices)  # type: ignore[arg-type]
    found.install(world.open())
    return found


def signed_ground(world: World, seats: Officers) -> None:
    seats.register(world.open(), find(DIRECTIVE))
    seats.register(world.open(), world.targets())


def test_without_a_key_list_nothing_is_asked_for_and_it_is_said(world: World) -> None:
    world.apply()
    said = standing.status(world.open(), DIRECTIVE).approvals
    assert [text.en for text in said] == [
        "Approvals are unsigned: no key list is installed here. A role's name is all there is."
    ]


def test_each_of_directive_and_targets_must_be_signed(world: World) -> None:
    seats = officers(world)
    plan = world.plan()
    with pytest.raises(NotSigned, match=r"proscribe\.directive") as error:
        world.apply(plan)
    assert "proscribe sign" in error.value.remedy.en
    assert "--record" in error.value.remedy.en
    seats.register(world.open(), find(DIRECTIVE))
    with pytest.raises(NotSigned, match=r"proscribe\.target-set"):
        world.apply(plan)
    assert not world.simulator.journal.mutations
    seats.register(world.open(), world.targets())
    summary = world.apply(plan)
    assert world.simulator.journal.mutations
    assert [text.en for text in summary.statuses[0].approvals] == [
        "Directive: signed by cio, legal (2 of 2 seats).",
        "Target set: signed by cio, legal (2 of 2 seats).",
    ]
    approval = [entry for entry in world.open().stores.ledger.entries() if entry.entry == "approval"][-1]
    assert approval.body["signed"] == ["proscribe.directive", "proscribe.target-set"]


def test_a_plan_above_the_limit_must_be_signed_itself(world: World) -> None:
    seats = officers(world, plan_above=3)
    signed_ground(world, seats)
    plan = world.plan()
    with pytest.raises(NotSigned, match=r"proscribe\.plan"):
        world.apply(plan)
    seats.register(world.open(), plan)
    world.apply(plan)
    assert world.simulator.journal.mutations


def test_a_plan_up_to_the_limit_needs_no_signature_of_its_own(world: World) -> None:
    seats = officers(world, plan_above=1000)
    signed_ground(world, seats)
    world.apply()
    assert world.simulator.journal.mutations


def test_acting_without_asking_needs_a_signed_order_that_covers_it(world: World) -> None:
    seats = officers(world)
    signed_ground(world, seats)
    plan = world.plan()
    with pytest.raises(signing.NoStandingOrder, match="none is signed"):
        world.apply(plan, standing=True)
    world.open().stores.documents.put(order(), subject="so-1", at=world.clock.now())  # there, but unsigned
    with pytest.raises(signing.NoStandingOrder, match="none is signed"):
        world.apply(plan, standing=True)
    seats.register(world.open(), order(most_devices=1))
    with pytest.raises(signing.NoStandingOrder, match="allows 1"):
        world.apply(plan, standing=True)
    seats.register(world.open(), order(version=2))
    world.apply(plan, standing=True)
    assert world.simulator.journal.mutations
    kept = standing.order_of(world.open(), DIRECTIVE)
    assert kept.order == digest(order(version=2))


def test_a_signed_order_without_an_end_in_a_year_covers_nothing(world: World) -> None:
    seats = officers(world)
    signed_ground(world, seats)
    seats.register(world.open(), order(until=START.date() + timedelta(days=800)))
    with pytest.raises(signing.NoStandingOrder):
        world.apply(standing=True)


def _spared(world: World) -> str:
    return next(
        name
        for name, one in world.simulator.fleet.devices.items()
        if "com.tencent.mm" in one.apps and one.behaviour is Behaviour.normal and one.personal == {}
    )


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ({"version": 2, "withdrawn": True}, "not in force"),
        ({"version": 2, "until": START.date() + timedelta(days=1)}, "not in force"),
        ({"version": 2, "most_devices": 0}, "allows 0"),
        ({"version": 2, "verbs": (Verb.block_install,)}, "does not allow remove"),
    ],
)
def test_what_the_order_no_longer_covers_is_asked_for_and_said(
    world: World, later: dict[str, object], said: str
) -> None:
    seats = officers(world)
    signed_ground(world, seats)
    seats.register(world.open(), order())
    name = _spared(world)
    granted = ExemptionGrant(exemption("e1", f"amapi:{name}", days=3))
    seats.register(world.open(), granted)
    exempting.grant(world.open(), granted)
    world.apply(standing=True)
    world.settle(days=2)
    seats.register(world.open(), order(**later))
    sent = len(world.simulator.journal.mutations)
    summary = world.tick(days=3)
    assert len(world.simulator.journal.mutations) == sent
    assert any("approval" in text.en and said in text.en for text in summary.waits), summary.waits
    assert any(text.en.startswith("Exemption e1 ended on") for text in summary.waits)
    seats.register(world.open(), order(version=3))
    world.tick(minutes=15)
    assert len(world.simulator.journal.mutations) > sent


def test_an_exemption_is_granted_only_with_its_signatures(world: World) -> None:
    seats = officers(world)
    granted = ExemptionGrant(exemption("e1", f"amapi:{_spared(world)}"))
    with pytest.raises(NotSigned):
        exempting.grant(world.open(), granted)
    assert exempting.listed(world.open()) == ()
    seats.register(world.open(), granted)
    assert exempting.grant(world.open(), granted)
    assert not exempting.grant(world.open(), granted)
    assert exempting.report(world.open(), DIRECTIVE).exemptions[0].signed_by == ("cio", "legal")
    stretched = replace(granted, exemption=replace(granted.exemption, id="e2", devices=("amapi:other",)))
    with pytest.raises(NotSigned):
        exempting.grant(world.open(), stretched)


def test_a_key_revoked_for_that_time_stops_what_it_signed(world: World) -> None:
    seats = officers(world)
    signed_ground(world, seats)
    world.apply(world.plan(rings=("canary=10%", "rest=unlimited")))
    world.clock.advance(hours=1)
    stolen = START - timedelta(hours=1)
    keys = tuple(
        replace(key, revoked_at=stolen, revoked_because=Text("stolen", "volée")) if key.holder == "legal" else key
        for key in seats.keys.keys
    )
    seats.install(world.open(), replace(seats.keys, version=2, issued=world.clock.now(), keys=keys))
    sent = len(world.simulator.journal.mutations)
    summary = world.settle(days=1)
    assert len(world.simulator.journal.mutations) == sent
    assert summary.waits[0].en.startswith(f"Nothing more is sent under {DIRECTIVE}: the signatures")
    assert summary.statuses[0].ended == summary.waits[0]
    assert not [text for text in summary.waits[1:] if text == summary.waits[0]]
    found = seats.signed(find(DIRECTIVE), "cio", "security")
    targets = seats.signed(world.open().stores.documents.get(type(world.targets()), _targets(world)), "cio", "security")
    for envelope in (found, targets):
        trusting.register(world.open(), envelope)
    summary = world.settle(days=1)
    assert summary.statuses[0].ended is None
    assert len(world.simulator.journal.mutations) > sent


def _targets(world: World):
    return standing.order_of(world.open(), DIRECTIVE).targets_digest


def test_what_was_approved_before_there_was_a_key_list_goes_on_and_new_steps_are_asked_for(world: World) -> None:
    name = _spared(world)
    exempting.add(world.open(), exemption("e1", f"amapi:{name}", days=3))
    world.apply(standing=True)
    world.settle(days=2)
    seats = officers(world)
    sent = len(world.simulator.journal.mutations)
    summary = world.tick(days=3)
    assert len(world.simulator.journal.mutations) == sent
    assert any("no standing order covers" in text.en.lower() for text in summary.waits)
    assert [text.en for text in summary.statuses[0].approvals] == ["Directive: unsigned.", "Target set: unsigned."]
    seats.register(world.open(), order())
    world.tick(minutes=15)
    assert len(world.simulator.journal.mutations) > sent


def test_what_a_feed_brought_may_be_signed_by_those_who_issued_it(world: World) -> None:
    """The department's own list asks for two seats on directives; the authority's have signed, by its list."""
    officers(world)
    authority = Officers(world.open())
    trusting.install(
        world.open(), authority.signed(authority.keys, "cio", "security"), pin=digest(authority.keys), issuer="centre"
    )
    for document in (find(DIRECTIVE), world.targets()):
        trusting.register(world.open(), authority.signed(document, "cio", "legal"), issuer="centre")
    plan = world.plan()
    with pytest.raises(NotSigned):  # adopted by hand, it is ours to sign
        world.apply(plan)
    enforcing.apply(world.open("officer"), plan, approved=True, source="centre")
    assert standing.order_of(world.open(), DIRECTIVE).source == "centre"
    assert [text.en for text in standing.status(world.open(), DIRECTIVE).approvals] == [
        "Directive: signed by cio, legal (2 of 2 seats).",
        "Target set: signed by cio, legal (2 of 2 seats).",
    ]
    assert world.settle(days=1).statuses[0].ended is None
    out = world.home / "proof.zip"
    export_proof(world.home, DIRECTIVE, out)
    result = verify(out, key_list=digest(authority.keys))
    assert result.ok
    assert any("key lists: 2" in one.what.en for one in result.checks)


def _interim(world: World, stages: tuple[Stage, ...]) -> None:
    """An interim case of the directive, decided, whose last day is tomorrow."""
    case = Case(
        id="case-9",
        title=Text("Urgent", "Urgent"),
        track=Track.interim,
        origin=Origin.concern,
        concern=Text("A concern", "Une préoccupation"),
        opened_at=START,
        opened_by="security",
        directive=DIRECTIVE,
        urgency=Text("It spreads", "Cela se répand"),
        interim_until=START.date() + timedelta(days=1),
    )
    steps: list[Step] = []
    for number, stage in enumerate(stages, start=1):
        before = digest(steps[-1]) if steps else digest(case)
        steps.append(Step(case.id, number, stage, START, "security", (), before))
    casestore.adopt(world.open(), CaseFile(case, tuple(steps)))


def test_an_interim_decision_past_its_day_sends_nothing_more(world: World) -> None:
    _interim(world, (Stage.intake, Stage.targets, Stage.decide))
    plan = world.plan(rings=("canary=10%", "rest=unlimited"))
    summary = world.apply(plan)
    assert summary.statuses[0].ended is None
    world.clock.advance(days=2)
    sent = len(world.simulator.journal.mutations)
    assert sent
    summary = world.settle(days=2)
    assert len(world.simulator.journal.mutations) == sent
    assert "the interim decision of case case-9 ended on 2026-11-03" in summary.waits[0].en
    assert "proscribe case advance case-9" in summary.waits[0].en
    assert "proscribe lift" in summary.waits[0].fr
    assert summary.statuses[0].ended == summary.waits[0]
    with pytest.raises(warrant.InterimEnded):
        world.apply(world.plan())
    lifted = enforcing.lift(world.open(), DIRECTIVE, "not confirmed")
    assert lifted.statuses[0].ended is None
    assert lifted.counts["lifted"]


def test_an_interim_decision_that_was_confirmed_goes_on(world: World) -> None:
    _interim(world, (Stage.intake, Stage.targets, Stage.decide, Stage.confirm))
    world.apply(world.plan(rings=("canary=10%", "rest=unlimited")))
    sent = len(world.simulator.journal.mutations)
    world.clock.advance(days=2)
    summary = world.settle(days=2)
    assert summary.statuses[0].ended is None
    assert len(world.simulator.journal.mutations) > sent


def test_a_decision_kept_by_an_earlier_release_keeps_its_bytes(world: World) -> None:
    world.apply()
    body = to_json(standing.order_of(world.open(), DIRECTIVE))
    assert not {"source", "signed", "order"} & set(body)
    assert isinstance(world.open().stores.documents.latest(Plan), Plan)
