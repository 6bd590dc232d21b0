"""The bill of materials against CycloneDX's own validator."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from proscribe.assess.emit.cyclonedx import bom
from proscribe.assess.model import Assessment


@pytest.fixture(scope="module")
def found(rich: Assessment) -> dict[str, Any]:
    return bom(rich)


def test_the_bill_is_valid(any_assessment: Assessment) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom(any_assessment))) is None


def test_the_validator_would_have_noticed(found: dict[str, Any]) -> None:
    wrong = {**found, "components": [{"type": "library"}]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(wrong)) is not None


def test_the_app_stands_with_its_digest(found: dict[str, Any], rich: Assessment) -> None:
    app = found["metadata"]["component"]
    assert app["hashes"] == [{"alg": "SHA-256", "content": rich.package.sha256}]
    assert app["publisher"] == "NetEase"
    assert "timestamp" not in found["metadata"]


def test_an_sdk_is_a_component_with_its_evidence(found: dict[str, Any]) -> None:
    sdk = found["components"][0]
    assert sdk["supplier"] == {"name": "Tencent", "address": {"country": "CN"}}
    assert [one["symbol"] for one in sdk["evidence"]["occurrences"]] == ["com.tencent.smtt", "libtbs.so"]
    assert [one["technique"] for one in sdk["evidence"]["identity"][0]["methods"]] == ["binary-analysis", "filename"]
    assert found["dependencies"][0]["dependsOn"] == ["sdk:tencent-tbs", "sdk:example-json"]


def test_the_number_follows_from_the_assessment(found: dict[str, Any], rich: Assessment) -> None:
    assert bom(rich)["serialNumber"] == found["serialNumber"]
    assert bom(replace(rich, version="9"))["serialNumber"] != found["serialNumber"]


def test_nobody_is_named_publisher_without_a_valid_signature(rich: Assessment) -> None:
    unsigned = replace(rich, publisher=replace(rich.publisher, verified=False, signers=()))
    assert "publisher" not in bom(unsigned)["metadata"]["component"]


def test_nobody_is_named_publisher_by_the_name_of_the_app_alone(rich: Assessment) -> None:
    [china, *others] = rich.exposure.countries
    by_name = replace(china, through=("publisher by name only: NetEase",))
    assert bom(rich)["metadata"]["component"]["publisher"] == "NetEase"
    unproven = replace(rich, exposure=replace(rich.exposure, countries=(by_name, *others)))
    assert "publisher" not in bom(unproven)["metadata"]["component"]


def test_an_sdk_of_unknown_maker(rich: Assessment) -> None:
    bare = replace(rich.sdks[0], vendor="", country="", evidence=())
    [component] = bom(replace(rich, sdks=(bare,)))["components"]
    assert "supplier" not in component
    assert "evidence" not in component
