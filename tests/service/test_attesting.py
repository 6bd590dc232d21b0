"""A department and its authority, two installations with signatures between them."""

from __future__ import annotations

import base64
import json
import re
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.service.conftest import DIRECTIVE, FLEET, START, World, exemption, open_world
from tests.trust.conftest import listed

import proscribe.store
from proscribe.canonical import canonical_bytes
from proscribe.documents import Document, digest, to_bytes, to_json
from proscribe.enforce.model import Outcome
from proscribe.errors import UnreadableFile
from proscribe.feed import statement
from proscribe.feed.model import (
    Acknowledgement,
    Attestation,
    Challenge,
    ChallengeAnswer,
    ChallengeResult,
    DepartmentStanding,
    Rollup,
)
from proscribe.prove.model import BundleManifest
from proscribe.service import attesting, exempting, inventory, ledgering, proof, rolling, standing, trusting
from proscribe.service.installation import Installation, open_installation
from proscribe.service.model import ExemptionReport
from proscribe.simulate.amapi import FleetSpec
from proscribe.terms import Enrolment
from proscribe.text import Text
from proscribe.trust.envelope import prepare, sign
from proscribe.trust.errors import AuthorApproved, BadSignature, UnknownKey
from proscribe.trust.keys import new_pair
from proscribe.trust.model import KeyList, Rule, Scheme, SignedDocument

SENT = (Acknowledgement.KIND, Attestation.KIND, ChallengeAnswer.KIND, ExemptionReport.KIND)
BYOD = Text("none", "aucun")


class Office:
    """The authority's installation, and the keys of everybody."""

    def __init__(self, world: World, home: Path) -> None:
        self.world = world
        self.home = home
        self.pairs = {
            seat: new_pair(Scheme.ed25519) for seat in ("cio", "legal", "tides/cio", "tides/mobility", "fog/cio")
        }
        self.keys = KeyList(
            organisation=Text("Office", "Bureau"),
            version=1,
            issued=START,
            expires=START + timedelta(days=365),
            keys=tuple(
                listed(pair, seat, "department" if "/" in seat else "officer") for seat, pair in self.pairs.items()
            ),
            rules=(
                Rule(kinds=(KeyList.KIND, Challenge.KIND), roles=("officer",), threshold=1),
                Rule(kinds=SENT, roles=("department",), threshold=1),
            ),
        )
        trusting.install(self.open(), self.sealed(self.keys, "legal", "cio"), pin=digest(self.keys))

    def open(self) -> Installation:
        return open_installation(self.home, actor="authority", clock=self.world.clock)

    def sealed(self, document: Document, by: str = "tides/mobility", *seats: str) -> SignedDocument:
        """Prepared by one seat, signed by others; an attestation as an in-toto Statement."""
        now = self.world.clock.now()
        signers = [self.pairs[seat].signer() for seat in seats or ("tides/cio",)]
        if isinstance(document, Attestation):
            made = statement.prepare(document, by=by, at=now)
            for signer in signers:
                made = statement.sign(made, signer)
            return made
        made = prepare(document, by=by, at=now)
        for signer in signers:
            made = sign(made, signer)
        return made

    def receive(self, document: Document, by: str = "tides/mobility", *seats: str) -> rolling.Arrival:
        return rolling.receive(self.open(), self.sealed(document, by, *seats))

    def rollup(self, *, days: int = 20) -> Rollup:
        return rolling.rollup(
            self.open(),
            DIRECTIVE,
            ["tides"],
            acknowledge_by=(START + timedelta(days=days)).date(),
            attest_by=(START + timedelta(days=days)).date(),
        )

    def found(self) -> tuple[DepartmentStanding, tuple[str, ...]]:
        row = self.rollup().rows[0]
        return row.standing, tuple(text.en for text in row.why)


@pytest.fixture
def office(world: World, tmp_path: Path) -> Office:
    _name(world)
    return Office(world, tmp_path / "authority")


def _name(world: World) -> None:
    """This department is called tides."""
    settings = world.home / "proscribe.toml"
    settings.write_text('department = "tides"\n' + settings.read_text("utf-8"), "utf-8")


def acknowledge(world: World, **changes: object) -> Acknowledgement:
    installation = world.open("cio")
    inventory.observe(installation)
    return attesting.acknowledge(installation, DIRECTIVE, owner="cio", byod=BYOD, **{"unmanaged": 4, **changes})  # type: ignore[arg-type]


def attest(world: World, **changes: object) -> Attestation:
    return attesting.attest(world.open("cio"), DIRECTIVE, signed_off_by="cio", **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def days_later(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Acknowledgement]:
    """A department that acknowledged, carried out the directive, and looked again for days."""
    with open_world(FLEET, tmp_path_factory.mktemp("days-later")) as world:
        _name(world)
        given = acknowledge(world)
        world.apply()
        world.settle()
    proscribe.store.close()
    return world, given


@pytest.fixture
def acted(world: World, office: Office, days_later: tuple[World, Acknowledgement]) -> Acknowledgement:
    """The department acknowledged, carried out the directive, and days have passed."""
    before, given = days_later
    settings = (world.home / "proscribe.toml").read_text("utf-8")
    shutil.copytree(before.home, world.home, dirs_exist_ok=True)
    (world.home / "proscribe.toml").write_text(settings, "utf-8")
    world.simulator.fleet = world.simulator.service.fleet = before.simulator.fleet.twin()
    world.clock.advance(seconds=(before.clock.now() - world.clock.now()).total_seconds())
    return given


def test_from_acknowledgement_to_a_roll_up_and_a_recheck(world: World, office: Office) -> None:
    first = acknowledge(world)
    in_scope = sum(one.enrolment is not Enrolment.byod for one in world.simulator.fleet.devices.values())
    assert [(one.system, one.devices) for one in first.fleets] == [("amapi", in_scope)]
    assert not office.receive(first).known
    assert office.found()[0] is DepartmentStanding.acknowledged
    world.apply()
    world.settle()
    given = attest(world)
    assert given.number == 1
    assert given.since == first.tree_head
    status = standing.status(world.open(), DIRECTIVE)
    assert given.devices == status.fleet == in_scope
    for outcome, count in given.by_outcome.items():
        assert status.outcomes[outcome] == count
    assert given.together == sum(n for outcome, n in status.outcomes.items() if outcome not in given.by_outcome)
    assert given.unmanaged == 4
    office.receive(given)
    assert office.found() == (DepartmentStanding.attested, ())
    world.settle(days=1)
    second = attest(world, unmanaged=5)
    assert (second.number, second.since, second.unmanaged) == (2, given.tree_head, 5)
    office.receive(second)
    assert office.found() == (DepartmentStanding.attested, ())
    assert rolling.heads(office.open(), ["tides", "fog"]).heads == {"tides": second.tree_head}
    assert_recheck(world, office, second)
    row = office.rollup().rows[0]
    assert (row.standing, row.attestations, row.rechecked_at) == (DepartmentStanding.attested, 2, world.clock.now())


def assert_recheck(world: World, office: Office, attestation: Attestation) -> None:
    due = world.clock.now().date() + timedelta(days=3)
    issued = rolling.challenge(office.open(), DIRECTIVE, "tides", due=due, entries=1000)
    assert issued.indexes == tuple(range(attestation.tree_head.size))
    world.settle(days=1)  # the ledger goes on meanwhile
    answer = attesting.answer(world.open("cio"), issued)
    came = office.receive(answer)
    assert came.wrong == ()
    result = office.open().stores.documents.latest(ChallengeResult, subject=f"{DIRECTIVE}/tides")
    assert result is not None
    assert result.shown + result.withheld == result.asked == attestation.tree_head.size
    assert result.shown > result.withheld
    assert office.receive(answer).known
    sent = to_bytes(answer).decode()
    assert not [one for one in world.open().stores.outcomes.latest(DIRECTIVE) if one.device in sent]


def test_a_false_answer_is_recorded_and_told(world: World, office: Office, acted: Acknowledgement) -> None:
    office.receive(acted)
    office.receive(attest(world))
    issued = rolling.challenge(office.open(), DIRECTIVE, "tides", due=START.date())
    answer = attesting.answer(world.open("cio"), issued)
    came = office.receive(replace(answer, entries=answer.entries[1:]))
    assert "is given 0 times" in came.wrong[0].en
    standing_now, why = office.found()
    assert standing_now is DepartmentStanding.inconsistent
    assert why[0].startswith("the re-check failed")


def test_nothing_in_it_names_a_device_or_counts_a_few(world: World, acted: Acknowledgement) -> None:
    given = attest(world)
    said = to_bytes(given).decode()
    for one in world.open().stores.outcomes.latest(DIRECTIVE):
        assert one.device.partition(":")[2] not in said
        assert one.department not in said
    figures = [given.together, *given.by_outcome.values(), *given.exemptions.values()]
    figures += [n for each in given.classes for n in (each.devices, each.together, *each.by_outcome.values())]
    assert not [n for n in figures if 0 < n < 5]
    assert given.not_seen
    assert not [text for text in given.not_seen if re.search(r"\d", text.en + text.fr)]


def test_the_proof_it_names_is_here_and_verifies(
    world: World, office: Office, acted: Acknowledgement, tmp_path: Path
) -> None:
    from proscribe.prove.verify import verify

    out = tmp_path / "proof.zip"
    given = attest(world, out=out)
    assert verify(out).ok
    manifest = world.open().stores.documents.get(BundleManifest, given.proof)
    assert sum(manifest.outcomes.values()) == given.devices
    assert attest(world).number == 2
    assert (world.home / "proofs" / f"{DIRECTIVE}-2.zip").exists()


def test_a_proof_handed_over_bears_the_attestation_out_or_not(
    world: World, office: Office, acted: Acknowledgement, tmp_path: Path
) -> None:
    out = tmp_path / "proof.zip"
    given = attest(world, out=out, floor=1)
    office.receive(acted)
    worst = next(outcome for outcome in given.by_outcome if not outcome.compliant)
    better = {**given.by_outcome, Outcome.removed_verified: given.by_outcome.get(Outcome.removed_verified, 0) + 1}
    better[worst] -= 1
    lied = replace(given, by_outcome={one: n for one, n in better.items() if n}, classes=moved(given, worst))
    office.receive(lied)
    assert office.found() == (DepartmentStanding.attested, ())  # by itself it holds together
    wrong = rolling.receive_proof(office.open(), "tides", out)
    assert any("its proof has" in text.en for text in wrong)
    assert rolling.receive_proof(office.open(), "tides", out) == wrong
    assert office.found()[0] is DepartmentStanding.inconsistent


def moved(given: Attestation, worst: Outcome) -> tuple:  # type: ignore[type-arg]
    """The same lie told in one class."""
    at = next(n for n, one in enumerate(given.classes) if one.by_outcome.get(worst))
    one = given.classes[at]
    counts = {**one.by_outcome, Outcome.removed_verified: one.by_outcome.get(Outcome.removed_verified, 0) + 1}
    counts[worst] -= 1
    changed = replace(one, by_outcome={outcome: n for outcome, n in counts.items() if n})
    return (*given.classes[:at], changed, *given.classes[at + 1 :])


def test_a_true_proof_contradicts_nothing_and_a_damaged_one_is_refused(
    world: World, office: Office, acted: Acknowledgement, tmp_path: Path
) -> None:
    out = tmp_path / "proof.zip"
    office.receive(acted)
    office.receive(attest(world, out=out))
    assert rolling.receive_proof(office.open(), "tides", out) == ()
    assert office.found() == (DepartmentStanding.attested, ())
    raw = bytearray(out.read_bytes())
    raw[len(raw) // 2] ^= 1
    out.write_bytes(raw)
    with pytest.raises(rolling.UnsoundProof):
        rolling.receive_proof(office.open(), "tides", out)


def test_a_proof_over_another_past_than_the_one_signed_is_found(
    world: World, office: Office, acted: Acknowledgement, tmp_path: Path
) -> None:
    """The department swaps its ledger, proof and all; the head it signed before stays with the authority."""
    assert acted.tree_head is not None
    key = ledgering.log_key(world.open())
    from proscribe.prove.heads import sign_head
    from proscribe.prove.model import TreeHead

    false = sign_head(TreeHead(acted.tree_head.size, "ab" * 32), key, acted.tree_head.at)
    office.receive(replace(acted, tree_head=false))
    out = tmp_path / "proof.zip"
    proof.export_proof(world.home, DIRECTIVE, out)
    assert "does not begin with" in rolling.receive_proof(office.open(), "tides", out)[0].en


@pytest.mark.parametrize("world", [FleetSpec(devices=60, start=START, byod_share=0.0, cope_share=0.0)], indirect=True)
def test_exemptions_are_counted_by_ground_and_held_against_the_reports(world: World, office: Office) -> None:
    fleet = world.simulator.fleet.devices
    granted = exemption("e1", *(f"amapi:{name}" for name in fleet))
    exempting.add(world.open(), granted)
    office.receive(acknowledge(world))
    report = exempting.report(world.open(), DIRECTIVE)
    office.receive(report)
    world.apply()
    world.settle(days=1)
    given = attest(world)
    exempt = standing.status(world.open(), DIRECTIVE).outcomes[Outcome.exempt]
    assert given.exemptions == {granted.ground: exempt}
    office.receive(given)
    assert office.found() == (DepartmentStanding.attested, ())
    assert office.rollup().rows[0].exempt == exempt
    world.clock.advance(hours=1)
    office.receive(replace(report, in_force=exempt - 1, at=world.clock.now()))
    assert office.found()[1] == (f"{exempt} devices exempt; the exemptions it reported cover {exempt - 1}",)


# --- who signed


def test_receiving_again_changes_nothing(world: World, office: Office, acted: Acknowledgement) -> None:
    given = attest(world)
    signed = office.sealed(given)
    assert not rolling.receive(office.open(), signed).known
    size = office.open().stores.ledger.size()
    assert rolling.receive(office.open(), signed).known
    assert office.open().stores.ledger.size() == size


def test_an_attestation_may_come_as_a_statement_of_ours_too(
    world: World, office: Office, acted: Acknowledgement
) -> None:
    office.receive(acted)
    made = sign(prepare(attest(world), by="tides/mobility", at=world.clock.now()), office.pairs["tides/cio"].signer())
    rolling.receive(office.open(), made)
    assert office.found() == (DepartmentStanding.attested, ())


def test_a_seat_of_another_department_cannot_attest_for_it(
    world: World, office: Office, acted: Acknowledgement
) -> None:
    given = attest(world)
    for seats in (("fog/cio",), ("fog/cio", "tides/cio")):
        with pytest.raises(rolling.WrongDepartment):
            office.receive(given, "tides/mobility", *seats)
    assert not office.open().stores.documents.digests(Attestation)


def test_the_author_a_stranger_and_a_flipped_byte_are_refused(
    world: World, office: Office, acted: Acknowledgement
) -> None:
    given = attest(world)
    with pytest.raises(AuthorApproved):
        office.receive(given, "tides/mobility", "tides/mobility")
    stranger = statement.sign(
        statement.prepare(given, by="tides/mobility", at=START), new_pair(Scheme.ed25519).signer()
    )
    with pytest.raises(UnknownKey):
        rolling.receive(office.open(), stranger)
    signed = office.sealed(given)
    body = json.loads(base64.b64decode(signed.envelope["payload"]))
    body["predicate"]["attestation"]["devices"] += 1
    payload = base64.b64encode(canonical_bytes(body)).decode()
    changed = statement.envelope_of(canonical_bytes({**signed.envelope, "payload": payload}))
    with pytest.raises(BadSignature):
        rolling.receive(office.open(), changed)


def test_what_a_revoked_key_signed_counts_no_more(world: World, office: Office, acted: Acknowledgement) -> None:
    office.receive(acted)
    office.receive(attest(world))
    assert office.found() == (DepartmentStanding.attested, ())
    revoked = replace(
        office.keys,
        version=2,
        keys=tuple(
            replace(key, revoked_at=START, revoked_because=Text("stolen", "volée"))
            if key.holder == "tides/cio"
            else key
            for key in office.keys.keys
        ),
    )
    trusting.install(office.open(), office.sealed(revoked, "legal", "cio"))
    assert office.rollup(days=-1).rows[0].standing is DepartmentStanding.silent


def test_what_is_not_for_the_authority_is_refused(
    world: World, office: Office, acted: Acknowledgement, tmp_path: Path
) -> None:
    with pytest.raises(rolling.NotForTheAuthority):
        rolling.receive(office.open(), office.sealed(office.keys, "legal", "cio"))
    signed = office.sealed(attest(world))
    without = open_installation(tmp_path / "nobody", actor="authority", clock=world.clock)
    with pytest.raises(trusting.NoKeyList):
        rolling.receive(without, signed)
    assert rolling.departments_of(without) == ()
    with pytest.raises(UnreadableFile):
        rolling.read_signed(tmp_path / "no-such-file")


def test_the_departments_are_those_of_the_key_list(office: Office) -> None:
    assert rolling.departments_of(office.open()) == ("fog", "tides")


# --- challenges


def test_challenges_that_do_not_fit_are_refused_on_both_sides(
    world: World, office: Office, acted: Acknowledgement
) -> None:
    with pytest.raises(rolling.NothingAttested):
        rolling.challenge(office.open(), DIRECTIVE, "tides", due=START.date())
    given = attest(world)
    office.receive(given)
    issued = rolling.challenge(office.open(), DIRECTIVE, "tides", due=START.date())
    answer = attesting.answer(world.open(), issued)
    other = replace(given.tree_head, root="00" * 32)
    for false in (
        replace(issued, department="fog"),
        replace(issued, attestation=digest(issued)),
        replace(issued, tree_head=other),
    ):
        with pytest.raises(attesting.ForeignChallenge):
            attesting.answer(world.open(), false)
    for false_answer in (replace(answer, challenge=digest(given)), replace(answer, challenge=digest(false))):
        with pytest.raises(rolling.UnknownChallenge):
            office.receive(false_answer)
    with pytest.raises(rolling.WrongDepartment):
        office.receive(replace(answer, department="fog"))


def test_departments_to_recheck_are_drawn_among_those_that_attested(
    world: World, office: Office, acted: Acknowledgement
) -> None:
    assert rolling.attested(office.open(), DIRECTIVE, ["fog", "tides"]) == ()
    office.receive(attest(world))
    assert rolling.attested(office.open(), DIRECTIVE, ["fog", "tides"]) == ("tides",)
    many = [f"d{n}" for n in range(40)]
    draws = {rolling.drawn(many, 5) for _ in range(10)}
    assert len(draws) > 5
    assert all(len(set(one)) == 5 and set(one) <= set(many) for one in draws)
    assert rolling.drawn(["b", "a"], 9) == ("a", "b")


def test_a_challenge_must_be_signed_where_the_departments_key_list_says_so(
    world: World, office: Office, acted: Acknowledgement, tmp_path: Path
) -> None:
    office.receive(attest(world))
    issued = rolling.challenge(office.open(), DIRECTIVE, "tides", due=START.date())
    bare, enveloped = tmp_path / "bare.json", tmp_path / "signed.dsse.json"
    bare.write_text(json.dumps(to_json(issued)), "utf-8")
    enveloped.write_bytes(canonical_bytes(office.sealed(issued, "legal", "cio").envelope))
    for path in (bare, enveloped):  # no key list here: nobody's signature can be asked for
        assert attesting.read_challenge(world.open(), path) == issued
    trusting.install(world.open(), office.sealed(office.keys, "legal", "cio"), pin=digest(office.keys))
    assert attesting.read_challenge(world.open(), enveloped) == issued
    other = replace(issued, indexes=issued.indexes[:1])
    bare.write_text(json.dumps(to_json(other)), "utf-8")
    with pytest.raises(trusting.NotSigned):
        attesting.read_challenge(world.open(), bare)


# --- what a department may lack


def test_a_department_without_a_name_is_told_what_to_write(world: World) -> None:
    with pytest.raises(attesting.NoDepartment) as error:
        attesting.acknowledge(world.open(), DIRECTIVE, owner="cio", byod=BYOD)
    assert "proscribe.toml" in error.value.remedy.en


def test_without_a_snapshot_no_device_is_declared(world: World, office: Office) -> None:
    given = attesting.acknowledge(world.open(), DIRECTIVE, owner="cio", byod=BYOD)
    assert (given.fleets, given.unmanaged, given.since) == ((), None, None)


def test_acknowledging_again_goes_on_from_the_head_given_before(world: World, office: Office) -> None:
    first = acknowledge(world)
    world.clock.advance(hours=1)
    second = acknowledge(world, unmanaged=9)
    assert second.since == first.tree_head
    world.clock.advance(hours=1)
    office.receive(first)
    office.receive(second)
    row = office.rollup().rows[0]
    assert (row.standing, row.unmanaged) == (DepartmentStanding.acknowledged, 9)


def test_nothing_is_attested_that_was_never_carried_out(world: World, office: Office) -> None:
    with pytest.raises(standing.NotEnforced):
        attest(world)
