"""What those who run a feed may not do with what was properly signed: bring old ones back, take our place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.feed.conftest import NAME, directive, revocation, targets_of

from proscribe.documents import digest
from proscribe.feed import errors
from proscribe.feed.model import Adoption
from proscribe.plan.model import Verb
from proscribe.plan.orders import StandingOrder
from proscribe.prove.model import EntryKind
from proscribe.service import adopting, feeding, planning, trusting


@pytest.fixture
def order(officials, branch):
    """A standing order for whatever the feed brings, signed by our own seats."""
    branch.table |= {"adopt": "standing"}
    today = branch.clock.now().date()
    made = StandingOrder(
        id="so-1",
        version=1,
        directives=("*",),
        sources=("central",),
        verbs=(Verb.remove,),
        most_devices=100,
        starts=today,
        until=today + timedelta(days=100),
        issued_by="cio",
    )
    own = officials.keys()
    trusting.install(branch.open(), officials.sealed(own), pin=digest(own))
    trusting.register(branch.open(), officials.sealed(made))
    return made


def test_an_old_revocation_under_a_new_number_does_not_undo_a_later_one(publish, officials, branch, order):
    """The officers of the feed number revocations; what the seats signed says which version it is about."""
    one, two = directive(), directive(2)
    first, later = officials.file(revocation(one)), officials.file(revocation(two))
    publish({f"directives/{NAME}/2.dsse.json": officials.file(two), f"revocations/{NAME}/1.dsse.json": later})
    assert feeding.pull(branch.open(), "central").adopted == ()
    publish({f"revocations/{NAME}/2.dsse.json": first}, days=1)
    assert feeding.pull(branch.open(), "central").adopted == ()
    with pytest.raises(errors.NotAdopted):
        feeding.adopt(branch.open("cio"), "central", NAME)


def test_an_old_target_set_under_a_new_number_is_refused(publish, officials, branch, order):
    one = directive()
    old = targets_of(one, branch.clock.now())
    new = replace(old, resolved_at=old.resolved_at + timedelta(hours=1))
    publish(
        {f"directives/{NAME}/1.dsse.json": officials.file(one), f"target-sets/{NAME}/1.dsse.json": officials.file(old)}
    )
    feeding.pull(branch.open(), "central")
    publish({f"target-sets/{NAME}/2.dsse.json": officials.file(new)}, days=1)
    feeding.pull(branch.open(), "central")
    assert adopting.adoption_of(branch.open(), NAME).targets_digest == digest(new)
    publish({f"target-sets/{NAME}/3.dsse.json": officials.file(old)}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert [one.refused for one in report.refused] == ["trust.replayed"]
    assert adopting.adoption_of(branch.open(), NAME).targets_digest == digest(new)


def test_a_standing_order_does_not_let_a_feed_replace_what_was_decided_here(publish, officials, branch, order):
    ours = directive(confidence=type(directive().confidence)("low"))
    branch.open().keep(ours, EntryKind.directive, subject=NAME)
    publish({f"directives/{NAME}/2.dsse.json": officials.file(directive(2))})
    assert feeding.pull(branch.open(), "central").adopted == ()
    assert planning.known_directive(branch.open(), NAME) == ours
    assert not list(branch.open().stores.documents.all(Adoption))
    assert feeding.adopt(branch.open("cio"), "central", NAME).version == 2  # a person may


def test_a_flood_of_a_thief_ends_with_the_revocation_of_the_keys(publish, officials, branch):
    flood = f"directives/{NAME}/999.dsse.json"
    publish({flood: officials.file(directive(999), "cio", "legal")})
    assert flood in feeding.pull(branch.open(), "central").taken
    keys = officials.keys(2)
    stolen = tuple(
        replace(key, revoked_at=officials.now - timedelta(hours=1)) if key.holder == "legal" else key
        for key in keys.keys
    )
    publish({"keys/key-list/2.dsse.json": officials.file(replace(keys, keys=stolen))}, days=1, remove=[flood])
    feeding.pull(branch.open(), "central")
    good = f"directives/{NAME}/1.dsse.json"
    publish({good: officials.file(directive())}, days=1)
    report = feeding.pull(branch.open(), "central")
    assert good in report.taken, report.refused
