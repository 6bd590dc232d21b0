"""Attacks on what signatures protect, against the whole loop: older versions, keys of a feed, lists that ran out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.service.conftest import DIRECTIVE, START, World, exemption
from tests.service.officers import Officers
from tests.service.test_signatures import order as standing_order

from proscribe.catalogue.model import TargetSet
from proscribe.directive.library import find
from proscribe.documents import digest
from proscribe.errors import ProscribeError
from proscribe.feed.model import Adoption
from proscribe.plan.model import ExemptionGrant
from proscribe.plan.orders import affected
from proscribe.prove.model import EntryKind
from proscribe.service import exempting, signing, trusting
from proscribe.simulate.amapi import FleetSpec
from proscribe.text import Text

SMALL = [FleetSpec(devices=16, start=START, departments=("Charts",))]
pytestmark = pytest.mark.parametrize("world", SMALL, indirect=True)


def refused(call, *arguments, **more) -> ProscribeError:
    with pytest.raises(ProscribeError) as caught:
        call(*arguments, **more)
    return caught.value


def later(targets: TargetSet) -> TargetSet:
    return replace(targets, resolved_at=targets.resolved_at + timedelta(days=1))


def revoking(seats: Officers, world: World, holder: str, since=START - timedelta(hours=1)):
    keys = tuple(
        replace(key, revoked_at=since, revoked_because=Text("stolen", "volée")) if key.holder == holder else key
        for key in seats.keys.keys
    )
    return replace(seats.keys, version=2, issued=world.clock.now(), keys=keys)


def follow(world: World, centre: Officers, *documents) -> None:
    """A feed's key list is accepted, and these documents came through the feed and were adopted."""
    installation = world.open()
    trusting.install(
        installation, centre.signed(centre.keys, "cio", "security"), pin=digest(centre.keys), issuer="centre"
    )
    for document in documents:
        trusting.register(installation, centre.signed(document, "cio", "legal"), issuer="centre")
    adopt(world, *documents)


def adopt(world: World, *documents) -> None:
    directive, targets = documents
    installation = world.open()
    installation.keep(directive, EntryKind.directive, subject=directive.id)
    installation.keep(targets, EntryKind.target_set, subject=directive.id)
    installation.keep(
        Adoption(
            "centre", directive.id, directive.version, digest(directive), digest(targets), world.clock.now(), "cio"
        ),
        EntryKind.feed,
        subject=directive.id,
    )


class TestOlderVersions:
    def test_an_older_target_set_that_was_recorded_then_is_not_applied(self, world):
        seats = Officers(world.open())
        seats.install(world.open())
        old = world.targets()
        seats.register(world.open(), find(DIRECTIVE))
        seats.register(world.open(), old)
        seats.register(world.open(), later(old))
        plan = world.plan(targets=old)
        assert refused(world.apply, plan).code == "trust.replayed"
        assert not world.simulator.journal.mutations
        world.apply(world.plan(targets=later(old)))
        assert world.simulator.journal.mutations

    def test_an_older_directive_of_a_feed_is_not_applied(self, world):
        one = replace(find(DIRECTIVE), version=find(DIRECTIVE).version + 1)
        two = replace(one, version=one.version + 1)
        aim = replace(world.targets(), directive_version=one.version)
        centre = Officers(world.open())
        follow(world, centre, one, aim)
        plan = world.plan(targets=aim)
        aim_two = replace(aim, directive_version=two.version)
        for document in (two, aim_two):
            trusting.register(world.open(), centre.signed(document, "cio", "legal"), issuer="centre")
        adopt(world, two, aim_two)
        # whoever may plan puts the older file in the place of the newer one
        world.open().keep(one, EntryKind.directive, subject=one.id)
        error = refused(world.apply, plan)
        assert error.code == "trust.replayed"


class TestTheKeysOfAFeed:
    def test_without_a_list_of_our_own_the_feeds_revocations_still_count(self, world):
        one, aim = find(DIRECTIVE), world.targets()
        centre = Officers(world.open())
        follow(world, centre, one, aim)
        plan = world.plan(targets=aim, rings=("canary=10%", "rest=unlimited"))
        world.apply(plan)
        sent = len(world.simulator.journal.mutations)
        world.clock.advance(hours=1)
        changed = revoking(centre, world, "legal")
        trusting.install(world.open(), centre.signed(changed, "cio", "security"), issuer="centre")
        summary = world.settle(days=1)
        assert len(world.simulator.journal.mutations) == sent
        assert "count no more" in summary.statuses[0].ended.en

    def test_without_a_list_of_our_own_void_signatures_are_not_applied(self, world):
        one, aim = find(DIRECTIVE), world.targets()
        centre = Officers(world.open())
        follow(world, centre, one, aim)
        plan = world.plan(targets=aim)
        changed = revoking(centre, world, "legal")
        trusting.install(world.open(), centre.signed(changed, "cio", "security"), issuer="centre")
        assert refused(world.apply, plan).code == "trust.not-signed"

    @pytest.mark.parametrize("own", [False, True])
    def test_the_feeds_list_has_run_out(self, world, own):
        if own:
            Officers(world.open()).install(world.open())
        one, aim = find(DIRECTIVE), world.targets()
        centre = Officers(world.open())
        centre.keys = replace(centre.keys, expires=START + timedelta(days=1))
        follow(world, centre, one, aim)
        world.clock.advance(days=2)
        assert refused(world.apply, world.plan(targets=aim)).code == "trust.key-list-expired"
        assert not world.simulator.journal.mutations


def test_once_the_list_has_run_out_nothing_more_is_sent(world):
    seats = Officers(world.open())
    seats.keys = replace(seats.keys, expires=START + timedelta(hours=1))
    seats.install(world.open())
    for document in (find(DIRECTIVE), world.targets()):
        seats.register(world.open(), document)
    world.apply(world.plan(rings=("canary=10%", "rest=unlimited")))
    sent = len(world.simulator.journal.mutations)
    summary = world.settle(days=1)
    assert len(world.simulator.journal.mutations) == sent
    assert "expired" in summary.statuses[0].ended.en


def test_a_plan_signed_with_a_key_that_was_stolen_is_not_carried_on(world):
    seats = Officers(world.open(), plan_above=1)
    seats.install(world.open())
    for document in (find(DIRECTIVE), world.targets()):
        trusting.register(world.open(), seats.signed(document, "cio", "security"))
    plan = world.plan(rings=("canary=10%", "rest=unlimited"))
    trusting.register(world.open(), seats.signed(plan, "cio", "legal"))
    world.apply(plan)
    sent = len(world.simulator.journal.mutations)
    seats.install(world.open(), revoking(seats, world, "legal"))
    summary = world.settle(days=1)
    assert len(world.simulator.journal.mutations) == sent
    assert "proscribe.plan" in summary.statuses[0].ended.en


def test_an_exemption_signed_with_a_key_that_was_stolen_spares_nobody(world):
    seats = Officers(world.open())
    seats.install(world.open())
    for document in (find(DIRECTIVE), world.targets()):
        trusting.register(world.open(), seats.signed(document, "cio", "security"))
    devices = iter(world.simulator.fleet.devices)
    for name, second in (("e1", "security"), ("e2", "legal")):
        granted = ExemptionGrant(exemption(name, f"amapi:{next(devices)}"))
        trusting.register(world.open(), seats.signed(granted, "cio", second))
        exempting.grant(world.open(), granted)
    seats.install(world.open(), revoking(seats, world, "legal"))
    assert [one.id for one in signing.exemptions(world.open(), directive=DIRECTIVE).exemptions] == ["e1"]
    exempting.end(world.open(), "e1")
    assert world.plan().counts.exempt == 0
    world.apply()
    assert "exempt" not in {one.outcome for one in world.open().stores.outcomes.latest(DIRECTIVE)}


def test_counts_of_a_plan_slipped_into_the_database_do_not_pass_for_a_small_one(world):
    """The rule for many devices, and the bound of a standing order, look at the plan's counts."""
    seats = Officers(world.open(), plan_above=1)
    seats.install(world.open())
    for document in (find(DIRECTIVE), world.targets()):
        seats.register(world.open(), document)
    plan = world.plan()
    assert affected(plan) > 1
    small = replace(plan, counts=replace(plan.counts, to_remove=0, block_only=0))
    assert refused(world.apply, small).code == "service.altered-plan"
    world.open().stores.documents.put(small, subject=DIRECTIVE, at=world.clock.now())
    assert refused(world.apply, small).code == "service.stale-plan"
    quiet = replace(plan, counts=small.counts, steps=())
    world.open().stores.documents.put(quiet, subject=DIRECTIVE, at=world.clock.now())
    assert refused(world.apply, quiet).code == "service.stale-plan"
    assert not world.simulator.journal.mutations


def test_an_order_that_was_withdrawn_does_not_come_back_by_a_revocation(world):
    seats = Officers(world.open())
    seats.install(world.open())
    for document in (find(DIRECTIVE), world.targets()):
        trusting.register(world.open(), seats.signed(document, "cio", "security"))
    first = standing_order()
    trusting.register(world.open(), seats.signed(first, "cio", "security"))
    trusting.register(world.open(), seats.signed(replace(first, version=2, withdrawn=True), "cio", "legal"))
    assert refused(world.apply, world.plan(), standing=True).code == "service.no-standing-order"
    seats.install(world.open(), revoking(seats, world, "legal"))
    assert refused(world.apply, world.plan(), standing=True).code == "service.no-standing-order"
    trusting.register(world.open(), seats.signed(replace(first, version=3), "cio", "security"))
    world.apply(world.plan(), standing=True)


def test_a_list_accepted_by_its_digest_brings_no_revoked_key_back(world):
    """Whoever can talk an operator into a digest could otherwise use the stolen key again."""
    seats = Officers(world.open())
    seats.install(world.open())
    revoked = seats.install(world.open(), revoking(seats, world, "legal"))
    again = replace(seats.keys, version=3)
    signed = seats.signed(again, "cio", "security")
    assert refused(trusting.install, world.open(), signed, pin=digest(again)).code == "trust.revocation-taken-back"
    assert trusting.key_list(world.open()) == revoked
    without = replace(seats.keys, version=3, keys=seats.keys.keys[:2], rules=seats.keys.rules[:1])
    signed = seats.signed(without, "cio", "security")
    assert trusting.install(world.open(), signed, pin=digest(without)) == without
