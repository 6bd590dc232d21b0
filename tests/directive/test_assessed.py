"""Assessments that a directive rests on: attached by digest, quoted only as far as they were released."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner

from proscribe import documents
from proscribe.assess.facts import Anomaly
from proscribe.assess.model import Assessment
from proscribe.assess.profile import (
    Actor,
    CodeSummary,
    Evidence,
    EvidenceKind,
    Exposure,
    Finding,
    Package,
    PackageFormat,
    Publisher,
    RatingResult,
    Reference,
    Release,
)
from proscribe.assess.terms import ActorKind, Area, Declaration, Grant, Ladder, Rating
from proscribe.canonical import Digest
from proscribe.catalogue.library import load
from proscribe.cli.directive import command
from proscribe.directive.assessed import NotReleased, attach, flaws, written_into
from proscribe.directive.library import find
from proscribe.directive.model import Directive
from proscribe.directive.validate import validate
from proscribe.terms import Platform
from proscribe.text import Text

ANY = Digest("sha256:" + "a" * 64)
RELEASED, KEPT = "PSB-A-SCREEN-01@app", "PSB-A-CODE-01@tencent-tbs"


def finding(name: str, release: Release | None) -> Finding:
    return Finding(
        id=name,
        capability=name.split("@", maxsplit=1)[0],
        area=Area.screen,
        title=Text("Can record the screen", "Peut enregistrer l'écran"),
        ladder=Ladder.called,
        declaration=Declaration.declared,
        grant=Grant.prompt,
        actor=Actor(ActorKind.app),
        evidence=(Evidence(EvidenceKind.call, "classes.dex", "b" * 64, "La;->b()V", "Lc;->d()V", 4),),
        evidence_total=1,
        maps=(),
        caution=Text("Does not show that it does.", "Ne montre pas qu'elle le fait."),
        released=release,
    )


@pytest.fixture
def assessment() -> Assessment:
    rubric = Reference("default", "1", ANY)
    return Assessment(
        platform=Platform.android,
        app_id="com.example.app",
        app_name="Example",
        version="1.2",
        build="12",
        package=Package(PackageFormat.apk, "c" * 64, 10, ()),
        publisher=Publisher(False, (), (), (), (), (), ()),
        rating=RatingResult(Rating.considerable, "four-areas", (), (), (), Rating.considerable),
        access=(),
        findings=(finding(RELEASED, Release("security officer", "reviewed")), finding(KEPT, None)),
        permissions=(),
        sdks=(),
        exposure=Exposure(None, (), (), 0, 0),
        android=None,
        ios=None,
        code=CodeSummary((), (), 0, 0, (), ()),
        runs=(),
        anomalies=(Anomaly("zip.comment"),),
        hidden=(),
        packs=(),
        rubric=rubric,
        review=None,
        observations=(),
        tools=(),
    )


@pytest.fixture
def directive() -> Directive:
    return find("ca-tbs-2023-wechat-kaspersky")


def test_an_assessment_is_named_by_the_digest_of_its_canonical_bytes(directive, assessment):
    (one,) = attach(directive, assessment, [RELEASED]).assessments
    assert one.digest == documents.digest(assessment)
    assert [quote.finding for quote in one.quotes] == [RELEASED]
    assert one.quotes[0].caution.fr == "Ne montre pas qu'elle le fait."


def test_only_released_findings_are_quoted(directive, assessment):
    with pytest.raises(NotReleased, match="not released") as caught:
        attach(directive, assessment, [RELEASED, KEPT])
    assert caught.value.where.field == KEPT
    assert RELEASED in caught.value.remedy.en
    with pytest.raises(NotReleased, match="no such finding"):
        attach(directive, assessment, ["PSB-A-NONE-01@app"])


def test_the_same_package_is_attached_once(directive, assessment):
    again = replace(assessment, version="1.3")
    both = attach(attach(directive, assessment), again)
    assert [one.version for one in both.assessments] == ["1.3"]
    other = replace(assessment, package=Package(PackageFormat.apk, "d" * 64, 10, ()))
    assert len(attach(both, other).assessments) == 2


def test_a_directive_that_says_more_than_its_assessment_is_flawed(directive, assessment):
    known = {documents.digest(assessment): assessment}
    good = attach(directive, assessment, [RELEASED])
    assert list(flaws(good, known)) == []
    assert [flaw.field for flaw in flaws(good, {})] == ["assessments[0].digest"]
    one = good.assessments[0]
    worse = replace(directive, assessments=(replace(one, rating="pervasive"),))
    assert [flaw.field for flaw in flaws(worse, known)] == ["assessments[0]"]
    more = replace(one.quotes[0], words=Text("It records every screen", "Elle enregistre tous les écrans"))
    assert [flaw.field for flaw in flaws(replace(directive, assessments=(replace(one, quotes=(more,)),)), known)]
    unreleased = replace(one, quotes=(replace(one.quotes[0], finding=KEPT),))
    found = list(flaws(replace(directive, assessments=(unreleased,)), known))
    assert [flaw.field for flaw in found] == ["assessments[0].quotes"]


def test_damaged_digests_and_doubles_are_flaws(directive, assessment):
    one = attach(directive, assessment).assessments[0]
    damaged = replace(directive, assessments=(one, replace(one, digest=Digest("sha256:1"))))
    fields = [flaw.field for flaw in validate(damaged, load())]
    assert fields == ["assessments[1].digest", "assessments[1].package"]


YAML = """# why we ban it
kind: proscribe.directive  # fixed
assessments: []
title:
  en: a
"""


def test_a_file_keeps_every_other_line(directive, assessment):
    attached = attach(directive, assessment, [RELEASED])
    text = written_into(YAML, attached)
    assert text.startswith("# why we ban it\nkind: proscribe.directive  # fixed\ntitle:\n  en: a\nassessments:\n- {")
    assert written_into(text, attached) == text
    assert written_into("kind: x", directive) == "kind: x\nassessments:\n"


def test_attach_on_the_command_line(tmp_path, directive, assessment):
    report = tmp_path / "report.json"
    report.write_bytes(documents.to_bytes(assessment))
    runner = CliRunner()
    file = tmp_path / "ban.yaml"
    made = runner.invoke(command, ["new", "example-2026", "--bans", "product:tencent/wechat", "--out", str(file)])
    assert made.exit_code == 0, made.output
    comments = [line for line in file.read_text("utf-8").splitlines() if "#" in line]
    done = runner.invoke(command, ["attach", str(file), str(report), "--quote", RELEASED])
    assert done.exit_code == 0, done.output
    assert str(documents.digest(assessment)) in done.output
    read = documents.read(Directive, file)
    assert read.assessments[0].quotes[0].finding == RELEASED
    assert [line for line in file.read_text("utf-8").splitlines() if "#" in line] == comments
    refused = runner.invoke(command, ["attach", str(file), str(report), "--quote", KEPT])
    assert isinstance(refused.exception, NotReleased)
    assert documents.read(Directive, file) == read
    checked = runner.invoke(command, ["validate", str(file), "--assessment", str(report), "--json"])
    assert '"field": "assessments' not in checked.output
    shown = runner.invoke(command, ["show", str(file)])
    assert "com.example.app 1.2: considerable" in shown.output


def test_attach_to_a_json_file(tmp_path, directive, assessment):
    file, report = tmp_path / "ban.json", tmp_path / "report.json"
    file.write_bytes(documents.to_bytes(directive))
    report.write_bytes(documents.to_bytes(assessment))
    assert CliRunner().invoke(command, ["attach", str(file), str(report)]).exit_code == 0
    assert len(documents.read(Directive, file).assessments) == 1


def test_a_directive_without_assessments_has_the_bytes_it_had_before_there_were_any() -> None:
    """Proofs and plans name directives by digest; these are of the release before assessments."""
    issued = {
        "ca-tbs-2023-tiktok": "1e21a6a6b3e858afa3fe2aa7fd7958fc96a7bf94e15b27f7c048a2c0c83e6718",
        "ca-tbs-2025-deepseek": "95b681f34f375e3b3d96a13b123d66057a081732a04996a84787f163afd41cfd",
    }
    for name, digest in issued.items():
        assert documents.digest(find(name)) == f"sha256:{digest}"
    body = documents.to_json(find("ca-tbs-2023-tiktok"))
    assert "assessments" not in body
    assert documents.from_json(Directive, body) == find("ca-tbs-2023-tiktok")


def test_a_directive_with_assessments_says_so_in_its_bytes(assessment: Assessment) -> None:
    plain = find("ca-tbs-2023-tiktok")
    attached = attach(plain, assessment)
    assert documents.to_json(attached)["assessments"]
    assert documents.digest(attached) != documents.digest(plain)
    assert documents.from_json(Directive, documents.to_json(attached)) == attached
