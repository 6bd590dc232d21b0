"""A proof from a department that lies about whose keys signed: the digest that a reader gives decides, and it alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.service.conftest import DIRECTIVE, START, World
from tests.service.officers import Officers

from proscribe.directive.library import find
from proscribe.documents import digest
from proscribe.prove.model import CheckState
from proscribe.prove.verify import verify
from proscribe.service import enforcing, trusting
from proscribe.service.proof import export_proof
from proscribe.simulate.amapi import FleetSpec
from proscribe.trust.envelope import sign

pytestmark = pytest.mark.parametrize(
    "world", [FleetSpec(devices=6, start=START, departments=("Charts",))], indirect=True
)


def told(world: World, genuine: str) -> list[tuple[CheckState, str]]:
    """What a reader is told of signatures who has the digest of the genuine list."""
    out = world.home / "proof.zip"
    export_proof(world.home, DIRECTIVE, out)
    result = verify(out, key_list=genuine)  # type: ignore[arg-type]
    return [(one.state, one.what.en) for one in result.checks if one.name == "signatures"]


def carried_out(world: World, forger: Officers, issuer: str) -> None:
    for document in (find(DIRECTIVE), world.targets()):
        trusting.register(world.open(), forger.signed(document, "cio", "legal"), issuer=issuer)
    source = None if issuer == trusting.OWN else issuer
    enforcing.apply(world.open("officer"), world.plan(), approved=True, source=source)
    world.settle(days=1)


def counts_for_nothing(said: list[tuple[CheckState, str]]) -> bool:
    return not any(what.startswith(("directive: signed", "target-set: signed")) for _, what in said)


def test_a_list_of_ones_own_beside_the_genuine_one(world: World) -> None:
    """The genuine list is a public file; its seats signed nothing. Seats of the same names did, of another list."""
    genuine, forger = Officers(world.open()), Officers(world.open())
    genuine.install(world.open())
    trusting.install(
        world.open(), forger.signed(forger.keys, "cio", "security"), pin=digest(forger.keys), issuer="centre"
    )
    carried_out(world, forger, "centre")
    said = told(world, digest(genuine.keys))
    assert counts_for_nothing(said), said
    assert any(digest(forger.keys) in what for state, what in said if state is CheckState.limited)
    assert not counts_for_nothing(told(world, digest(forger.keys)))


def test_a_new_beginning_after_the_genuine_one(world: World) -> None:
    genuine, forger = Officers(world.open()), Officers(world.open())
    genuine.install(world.open())
    fresh = replace(forger.keys, version=2)
    trusting.install(world.open(), forger.signed(fresh, "cio", "security"), pin=digest(fresh))
    carried_out(world, forger, trusting.OWN)
    assert counts_for_nothing(told(world, digest(genuine.keys)))


def test_a_false_list_before_the_genuine_one(world: World) -> None:
    """The false one 'names' the genuine one as its successor: more signatures on it take nothing from it."""
    genuine, forger = Officers(world.open()), Officers(world.open())
    forger.install(world.open())
    carried_out(world, forger, trusting.OWN)
    real = replace(genuine.keys, version=2, expires=START + timedelta(days=500))
    both = genuine.signed(real, "cio", "security")
    for seat in ("cio", "security"):
        both = sign(both, forger.pairs[seat].signer())
    trusting.install(world.open(), both)
    said = told(world, digest(real))
    assert counts_for_nothing(said), said


def test_the_lists_that_follow_the_one_given_count(world: World) -> None:
    seats = Officers(world.open())
    seats.install(world.open())
    seats.install(world.open(), replace(seats.keys, version=2))
    carried_out(world, seats, trusting.OWN)
    assert not counts_for_nothing(told(world, digest(seats.keys)))
