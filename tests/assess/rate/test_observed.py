"""Observations: E4 raises a finding or makes one, and only of the package that was observed."""

from __future__ import annotations

import pytest

from proscribe.assess.errors import WrongReview
from proscribe.assess.model import Observation, Observations
from proscribe.assess.observed import digest_of, load_observations
from proscribe.assess.profile import EvidenceKind
from proscribe.assess.terms import ActorKind, Area, Declaration, Grant, Ladder

WHEN = "2026-11-20T10:00:00Z"


def observations(*seen, **more):
    given = {"app_id": "com.example.shop.lite", "source": "mtd 4.2", "device": "Pixel 8, Android 15"} | more
    return Observations(observations=tuple(seen), **given)


def saw(capability, actor="app"):
    return Observation(capability, WHEN, "a call", actor)


def test_an_observation_raises_a_finding_and_stands_first(world, make):
    given = observations(saw("PSB-A-LOCATION-01"))
    assessment = world.judge(
        make.app(make.call(make.LOCATE), permissions=("ACCESS_FINE_LOCATION",)), observations=(given,)
    )
    found = make.finding(assessment, "PSB-A-LOCATION-01@app")
    assert (found.ladder, found.evidence_total) == (Ladder.observed, 3)
    first = found.evidence[0]
    assert (first.kind, first.member, first.detail) == (EvidenceKind.observed, "mtd 4.2", f"{WHEN} a call")
    assert f"sha256:{first.sha256}" == digest_of(given) == assessment.observations[0].digest


def test_an_observation_makes_a_finding_where_code_showed_nothing(world, make):
    assessment = world.judge(make.app(), observations=(observations(saw("PSB-A-SCREEN-01", "adkit")),))
    found = make.finding(assessment, "PSB-A-SCREEN-01@adkit")
    assert (found.ladder, found.actor.name, found.grant) == (Ladder.observed, "Adkit", Grant.prompt)
    assert "no code that does it was found" in found.counter[0].en


@pytest.mark.parametrize(("actor", "kind"), [("", ActorKind.unattributed), ("app", ActorKind.app)])
def test_an_unknown_actor_stays_unknown(world, make, actor, kind):
    assessment = world.judge(make.app(), observations=(observations(saw("PSB-A-SCREEN-01", actor)),))
    assert [one.actor.kind for one in assessment.findings] == [kind]


def test_what_was_seen_counts_though_it_is_not_declared(world, make):
    assessment = world.judge(make.app(), observations=(observations(saw("PSB-A-CONTACTS-01")),))
    found = make.finding(assessment, "PSB-A-CONTACTS-01@app")
    assert found.declaration is Declaration.not_declared
    assert make.area(assessment, Area.contacts).counts


def test_with_an_unread_manifest_what_was_seen_still_stands(world, make):
    from proscribe.assess.facts import Disagreement

    gathered = make.app(disagreements=(Disagreement("permissions", (), ("x",)),))
    assessment = world.judge(gathered, observations=(observations(saw("PSB-A-CONTACTS-01")),))
    found = make.finding(assessment, "PSB-A-CONTACTS-01@app")
    assert (found.declaration, found.grant) == (Declaration.unknown, Grant.prompt)


@pytest.mark.parametrize("sha256", ["e" * 64, "sha256:" + "e" * 64, "E" * 64, ""])
@pytest.mark.parametrize("version", ["1.0", "10", ""])
def test_it_is_known_by_digest_and_version(world, make, sha256, version):
    given = observations(saw("PSB-A-SCREEN-01"), sha256=sha256, version=version)
    assert world.judge(make.app(), observations=(given,)).findings


@pytest.mark.parametrize(
    ("change", "seen", "field"),
    [
        ({"app_id": "com.other"}, (), "app_id"),
        ({"sha256": "0" * 64}, (), "sha256"),
        ({"version": "2.0"}, (), "version"),
        ({}, (saw("PSB-A-NOTHING-01"),), "observations.0.capability"),
        ({}, (saw("PSB-I-CONTACTS-01"),), "observations.0.capability"),  # of the other platform
        ({}, (saw("PSB-A-SCREEN-01"), saw("PSB-A-SCREEN-01", "nobody")), "observations.1.actor"),
    ],
)
def test_what_is_of_another_package_is_refused(world, make, change, seen, field):
    with pytest.raises(WrongReview) as caught:
        world.judge(make.app(), observations=(observations(*seen, **change),))
    assert caught.value.where.field == field


def test_the_same_observation_twice_is_one_item(world, make):
    assessment = world.judge(make.app(), observations=(observations(saw("PSB-A-SCREEN-01"), saw("PSB-A-SCREEN-01")),))
    assert assessment.findings[0].evidence_total == 1


def test_a_document_is_read_strictly(tmp_path):
    path = tmp_path / "seen.yaml"
    path.write_text(
        "kind: proscribe.observations\nschema: 1\napp_id: com.example.shop.lite\nsource: mtd 4.2\n"
        f"device: Pixel 8, Android 15\nobservations:\n- {{capability: PSB-A-SCREEN-01, when: {WHEN}, what: a call, "
        "actor: app}\n",
        "utf-8",
    )
    assert load_observations(path) == observations(saw("PSB-A-SCREEN-01"))
