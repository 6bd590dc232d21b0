"""Judgements of real packages, with the shipped packs and rubric."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from itertools import pairwise

import pytest

from proscribe import documents
from proscribe.assess.difference import difference
from proscribe.assess.gather import gather
from proscribe.assess.model import RecheckState
from proscribe.assess.packs.load import load_packs
from proscribe.assess.rate.judge import judge
from proscribe.assess.rate.rubric import load_rubric
from proscribe.assess.recheck import recheck
from proscribe.assess.terms import Area, Grant, Ladder, Rating
from proscribe.catalogue.library import load as load_catalogue

pytestmark = pytest.mark.samples


@pytest.fixture(scope="module")
def packs():
    return load_packs()


@pytest.fixture(scope="module")
def judged(packs, samples):
    rubric, library = load_rubric(), load_catalogue()

    def of(path):
        gathered = gather(path, packs.watch)
        return judge(gathered, packs, rubric, library=library), gathered

    return of


@pytest.fixture(scope="module")
def yosemite(judged, samples):
    return judged(samples / "apk" / "Yosemite.apk")


def test_the_worked_example_names_the_sdk_with_its_call_sites(yosemite, make):
    report, _ = yosemite
    loading = make.finding(report, "PSB-A-CODE-01@tencent-tbs")
    assert (loading.ladder, loading.actor.country) == (Ladder.called, "CN")
    bypass = make.finding(report, "PSB-A-NETWORK-02@tencent-tbs")
    assert bypass.ladder is Ladder.called
    assert bypass.evidence[0].subject.startswith("Landroid/webkit/SslErrorHandler;->proceed")
    assert all(one.caller.startswith("Lcom/tencent/") and one.offset >= 0 for one in bypass.evidence)


def test_the_worked_example_reaches_interface_keyboard_and_screen(yosemite, make):
    report, _ = yosemite
    for area in (Area.interface, Area.keyboard, Area.screen):
        row = make.area(report, area)
        assert (row.counts, row.ladder, "the app" in row.actors) == (True, Ladder.called, True)
    assert report.rating.rating is Rating.pervasive
    assert report.rating.would_lower


def test_the_worked_example_counts_nothing_that_a_store_app_can_never_hold(yosemite, packs):
    report, _ = yosemite
    never = [one for one in report.permissions if one.grant is Grant.never]
    assert {"READ_PRIVILEGED_PHONE_STATE", "WRITE_SECURE_SETTINGS"} <= {one.name.rpartition(".")[2] for one in never}
    assert not any(one.counted for one in never)
    assert not any(one.grant is Grant.never for one in report.findings if one.id in report.rating.findings)


def test_the_worked_example_rechecks_and_one_altered_offset_is_named(yosemite, packs):
    report, gathered = yosemite
    honest = recheck(report, gathered, packs)
    assert (honest.failed, honest.not_checkable, honest.items) == (0, 0, ())
    number = next(place for place, one in enumerate(report.findings) if one.id == "PSB-A-CODE-01@tencent-tbs")
    finding = report.findings[number]
    evidence = (replace(finding.evidence[0], offset=finding.evidence[0].offset + 1), *finding.evidence[1:])
    findings = (*report.findings[:number], replace(finding, evidence=evidence), *report.findings[number + 1 :])
    result = recheck(replace(report, findings=findings), gathered, packs)
    assert [(one.finding, one.number, one.state) for one in result.items] == [(finding.id, 1, RecheckState.fails)]


def test_every_sample_is_judged_and_rechecks(judged, samples, packs):
    files = sorted((samples / "apk").glob("*.apk"))
    assert len(files) > 8
    for path in files:
        report, gathered = judged(path)
        result = recheck(report, gathered, packs)
        assert (result.failed, result.not_checkable, len(report.access)) == (0, 0, 18), path.name
        assert documents.from_json(type(report), json.loads(documents.to_bytes(report))) == report


def test_near_identical_builds_differ_by_what_is_different(judged, samples):
    reports = [judged(samples / "apk" / f"nearby_snippet{suffix}.apk")[0] for suffix in ("", "_2", "_3p")]
    for before, after in pairwise(reports):
        found = difference(before, after)
        assert "two different apps" in found.notable[0].en
        assert (found.findings_added, found.findings_removed) == ((), ())
        assert found.rating_before is found.rating_after


def test_an_ios_app_is_judged_by_imports_and_rechecks(judged, samples, packs, tmp_path):
    apps = sorted((samples / "ios").glob("*.app"))
    found = {}
    for folder in apps:
        path = tmp_path / f"{folder.name}.ipa"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    archive.write(file, f"Payload/{folder.name}/{file.relative_to(folder)}")
        report, gathered = judged(path)
        assert all(one.ladder <= Ladder.referenced for one in report.findings)
        found[folder.name] = {one.capability for one in report.findings}
        assert report.rating.rating is not Rating.pervasive
        result = recheck(report, gathered, packs)
        assert (result.failed, result.not_checkable) == (0, 0)
    # The runner has every usage description and lets traffic go in the clear; the app that it drives has nothing.
    assert {"PSB-I-CONTACTS-01", "PSB-I-SENSORS-02", "PSB-I-NETWORK-02"} <= found["DetoxXCUITestRunner-Runner.app"]
