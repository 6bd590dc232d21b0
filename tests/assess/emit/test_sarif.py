"""The SARIF log against the standard's own schema, and for what a collector of findings relies on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from proscribe.assess.emit.sarif import level_of, sarif
from proscribe.assess.model import Assessment
from proscribe.assess.terms import Declaration, Grant, Ladder


@pytest.fixture(scope="module")
def schema(samples: Path) -> dict[str, Any]:
    file = samples / "schemas" / "sarif-schema-2.1.0.json"
    if not file.exists():
        pytest.skip("no SARIF schema here: run 'make samples'")
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def run(rich: Assessment) -> dict[str, Any]:
    found: dict[str, Any] = sarif(rich)["runs"][0]
    return found


@pytest.mark.samples
def test_the_log_is_valid_sarif(schema: dict[str, Any], any_assessment: Assessment) -> None:
    jsonschema.Draft4Validator(schema).validate(json.loads(json.dumps(sarif(any_assessment))))


@pytest.mark.samples
def test_the_schema_would_have_noticed(schema: dict[str, Any], rich: Assessment) -> None:
    log = sarif(rich)
    log["runs"][0]["results"][0]["level"] = "grave"
    assert not jsonschema.Draft4Validator(schema).is_valid(log)


def test_every_finding_is_a_result_of_its_rule(run: dict[str, Any], rich: Assessment) -> None:
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({one.capability for one in rich.findings})
    assert [result["partialFingerprints"]["finding/v1"] for result in run["results"]] == [
        one.id for one in rich.findings
    ]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_locations_name_the_member_and_the_caller(run: dict[str, Any]) -> None:
    result = next(one for one in run["results"] if one["ruleId"] == "PSB-A-SCREEN-02")
    [location] = result["locations"]
    artifact = location["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == "classes.dex"
    assert run["artifacts"][artifact["index"]]["location"]["uri"] == "classes.dex"
    assert len(run["artifacts"][artifact["index"]]["hashes"]["sha-256"]) == 64
    assert (
        location["logicalLocations"][0]["fullyQualifiedName"] == "Lcom/netease/nie/yosemite/screen/Capture;->start()V"
    )
    assert location["properties"]["codeOffset"] == 42


@pytest.mark.parametrize(
    ("ladder", "grant", "declaration", "expected"),
    [
        (Ladder.called, Grant.prompt, Declaration.declared, ("fail", "warning")),
        (Ladder.observed, Grant.automatic, Declaration.not_needed, ("fail", "warning")),
        (Ladder.called, Grant.prompt, Declaration.not_declared, ("fail", "note")),
        (Ladder.declared, Grant.prompt, Declaration.declared, ("fail", "note")),
        (Ladder.called, Grant.never, Declaration.declared, ("informational", "none")),
    ],
)
def test_level_follows_evidence_and_grant(
    rich: Assessment, ladder: Ladder, grant: Grant, declaration: Declaration, expected: tuple[str, str]
) -> None:
    finding = replace(rich.findings[0], ladder=ladder, grant=grant, declaration=declaration)
    assert level_of(finding) == expected


def test_taxonomies_hold_every_id_that_is_referred_to(run: dict[str, Any]) -> None:
    taxonomies = run["taxonomies"]
    by_guid = {one["guid"]: one for one in taxonomies}
    assert {one["name"].split("@")[0] for one in taxonomies} == {"attack-mobile", "masvs", "maswe", "niap-app-pp"}
    for result in run["results"]:
        for taxon in result["taxa"]:
            found = taxonomies[taxon["toolComponent"]["index"]]
            assert found["guid"] == taxon["toolComponent"]["guid"]
            assert {"id": taxon["id"]} in found["taxa"]
    for rule in run["tool"]["driver"]["rules"]:
        for relation in rule["relationships"]:
            target = relation["target"]
            assert by_guid[target["toolComponent"]["guid"]]["taxa"][target["index"]]["id"] == target["id"]


def test_a_suppression_stays_visible_with_its_reason(run: dict[str, Any]) -> None:
    [result] = [one for one in run["results"] if "suppressions" in one]
    [suppression] = result["suppressions"]
    assert result["ruleId"] == "PSB-A-CONTROL-02"
    assert suppression["justification"] == "The test bench installs its own helpers."
    assert suppression["properties"]["expires"] == "2027-03-31"


def test_what_could_not_be_read_is_a_notification(run: dict[str, Any], rich: Assessment) -> None:
    [invocation] = run["invocations"]
    said = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    assert invocation["executionSuccessful"] is True
    assert any("classes3.dex" in one and "2/3" in one for one in said)
    assert said[: len(rich.hidden)] == [text.en for text in rich.hidden]
    assert [one["descriptor"]["id"] for one in invocation["toolExecutionNotifications"] if "descriptor" in one] == [
        "dex.checksum", "elf.encrypted", "zip.duplicate-name", "zip.data-after",
    ]  # fmt: skip


def test_an_inconclusive_assessment_is_not_a_success() -> None:
    from tests.assess.emit.conftest import inconclusive

    assert sarif(inconclusive())["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_no_time_and_no_chance_in_it(rich: Assessment) -> None:
    first, second = json.dumps(sarif(rich)), json.dumps(sarif(rich))
    assert first == second
    assert "TimeUtc" not in first


def test_half_a_surrogate_pair_does_not_stop_it(rich: Assessment) -> None:
    evil = replace(rich.findings[0].evidence[0], member="a/\ud800 b", subject="\udfff", caller="L\ud800;")
    log = sarif(replace(rich, app_name="\ud800", findings=(replace(rich.findings[0], evidence=(evil,)),)))
    json.dumps(log, ensure_ascii=False).encode("utf-8")
    location = log["runs"][0]["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "a/%5Cud800%20b"
    assert "[U+DFFF]" in location["message"]["text"]
