"""Properties of every judgement: monotone in evidence, blind to what can never be held, reproducible."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proscribe import documents
from proscribe.assess.facts import Component, PackageCount
from proscribe.assess.model import Review, SuppressionEntry
from proscribe.assess.rate.rubric import SEVERITY
from proscribe.assess.terms import CONTENT_AREAS, Grant, SiteKind, SpecialKind

ALL_PERMISSIONS = (
    "ACCESS_FINE_LOCATION",
    "RECORD_AUDIO",
    "READ_SMS",
    "READ_CONTACTS",
    "READ_PHONE_STATE",
    "READ_PRIVILEGED_PHONE_STATE",
    "READ_EXTERNAL_STORAGE",
)
CALLERS = ("com.example.shop.lite.A", "com.example.core.B", "com.adkit.C", "com.adkit.pay.D", "a.b.E")


@st.composite
def facts(draw, make):
    """An app of any mixture of places, permissions, special accesses and SDKs."""
    from proscribe.assess.facts import SpecialAccess

    methods = [make.LOCATE, make.DEVICE_ID, make.CLIP, make.LOADER, make.RECORD, make.PACKAGES, make.STORAGE, make.VPN]
    sites = [
        make.call(watch, caller, offset)
        for watch, caller, offset in draw(
            st.lists(
                st.tuples(st.sampled_from(methods), st.sampled_from(CALLERS), st.integers(0, 3)),
                max_size=25,
                unique=True,
            )
        )
    ]
    for owner in draw(st.lists(st.sampled_from(CALLERS), max_size=2, unique=True)):
        sites.append(make.callback(make.EVENT, owner))
        sites.append(make.call("content://sms", owner, kind=SiteKind.string, subject="content://sms"))
    kinds = draw(st.lists(st.sampled_from(SpecialKind), max_size=3, unique=True))
    return make.app(
        *sites,
        permissions=tuple(draw(st.lists(st.sampled_from(ALL_PERMISSIONS), unique=True))),
        special=tuple(
            SpecialAccess(kind, CALLERS[0], details=("canRetrieveWindowContent=true",), policies=("wipe-data",))
            for kind in kinds
        ),
        components=tuple(Component("service", one) for one in draw(st.lists(st.sampled_from(CALLERS), max_size=2))),
        code={"packages": tuple(PackageCount(one.rpartition(".")[0], 3) for one in CALLERS[:4])},
    )


def severity(assessment):
    return SEVERITY.index(assessment.rating.rating)


def without(gathered, **changed):
    code = {name: changed.pop(name) for name in ("sites",) if name in changed}
    return replace(gathered, android=replace(gathered.android, **changed), code=replace(gathered.code, **code))


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_taking_evidence_away_never_raises_a_rating(world, make, data):
    gathered = data.draw(facts(make))
    before = severity(world.judge(gathered))
    for field, items in (
        ("sites", gathered.code.sites),
        ("permissions", gathered.android.permissions),
        ("special", gathered.android.special),
        ("components", gathered.android.components),
    ):
        if items:
            kept = data.draw(st.lists(st.sampled_from(items), unique=True), label=field)
            assert severity(world.judge(without(gathered, **{field: tuple(kept)}))) <= before


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_what_a_store_app_can_never_hold_never_changes_the_rating(world, make, data):
    gathered = data.draw(facts(make))
    never = {name for name, row in world.packs.permissions.items() if row.grant is Grant.never}
    kept = tuple(one for one in gathered.android.permissions if one.name not in never)
    more = make.app(permissions=tuple(sorted(never))).android.permissions
    ratings = [
        world.judge(without(gathered, permissions=permissions)).rating
        for permissions in (kept, (*kept, *more), gathered.android.permissions)
    ]
    assert len({(one.rating, one.rule) for one in ratings}) == 1


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_the_order_of_facts_means_nothing(world, make, data):
    gathered = data.draw(facts(make))
    shuffled = without(
        gathered,
        sites=tuple(data.draw(st.permutations(gathered.code.sites))),
        permissions=tuple(data.draw(st.permutations(gathered.android.permissions))),
    )
    one, other = world.judge(gathered), world.judge(shuffled)
    assert replace(one, android=None) == replace(other, android=None)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_suppression_never_raises_and_its_end_restores(world, make, data):
    gathered = data.draw(facts(make))
    plain = world.judge(gathered)
    if not plain.findings:
        return
    day = date(2026, 6, 1)
    chosen = data.draw(st.lists(st.sampled_from(sorted({one.id for one in plain.findings})), unique=True, min_size=1))
    entries = tuple(SuppressionEntry(one, "reason", "author", day) for one in chosen)
    during = world.judge(gathered, review=Review(make.APP, day, entries))
    later = world.judge(gathered, review=Review(make.APP, day + timedelta(days=1), entries))
    assert severity(during) <= severity(plain)
    assert during.rating.without_suppressions is plain.rating.rating
    assert {one.id for one in during.findings if one.suppressed} == set(chosen)
    assert later.rating == plain.rating
    assert later.access == plain.access


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_rating_is_what_its_findings_carry(world, make, data):
    """The findings that are named as its reason give the same rating alone; each counts and shows evidence."""
    from proscribe.assess.rate.verdict import Bench, counts, reading_of

    gathered = data.draw(facts(make))
    assessment = world.judge(gathered)
    named = [one for one in assessment.findings if one.id in assessment.rating.findings]
    reading = reading_of(gathered.platform, gathered.runs, ())
    assert Bench(world.rubric, reading, named).verdict().rating is assessment.rating.rating
    assert all(counts(one) and one.evidence for one in named)
    content = {one.area for one in assessment.access if one.counts} & set(CONTENT_AREAS)
    assert {one.area for one in named} & set(CONTENT_AREAS) <= content


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_claim_of_what_would_lower_names_a_lower_rating(world, make, data):
    assessment = world.judge(data.draw(facts(make)))
    milder = [one.value for one in SEVERITY[: severity(assessment)]]
    assert bool(assessment.rating.would_lower) is bool(milder)
    for text in assessment.rating.would_lower:
        assert any(f"access would be rated {word}" in text.en for word in milder)


SCRIPT = """
import hashlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("conftest_of_rate", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
from proscribe import documents
from proscribe.assess.rate.rubric import load_rubric
from proscribe.catalogue.library import load
world = module.World(module.make_packs(), load_rubric(), load())
print(hashlib.sha256(documents.to_bytes(world.judge(module.strong()))).hexdigest())
"""


def test_the_same_bytes_whatever_the_hash_seed_folder_language_and_clock(world, make, tmp_path):
    expected = hashlib.sha256(documents.to_bytes(world.judge(make.strong()))).hexdigest()
    for seed, language, zone in (("0", "fr_CA.UTF-8", "America/Toronto"), ("4242", "C", "Asia/Tokyo")):
        environment = dict(os.environ, PYTHONHASHSEED=seed, LC_ALL=language, PROSCRIBE_LANG=language[:2], TZ=zone)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(Path(__file__).with_name("conftest.py"))],
            env=environment,
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == expected


@pytest.mark.parametrize("build", ["strong", "ipa"])
def test_an_assessment_is_a_document(world, make, build):
    assessment = world.judge(getattr(make, build)())
    again = documents.from_json(type(assessment), documents.to_json(assessment))
    assert again == assessment
