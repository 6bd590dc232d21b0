"""The shipped data against the research it was written from, where that lies beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from proscribe.catalogue.identifiers import fingerprint

RESEARCH = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "identifiers.yaml"


@pytest.fixture(scope="module")
def research():
    if not RESEARCH.exists():
        pytest.skip("the research notes are not beside this clone")
    return yaml.safe_load(RESEARCH.read_text(encoding="utf-8"))


def test_every_identifier_of_the_research_is_shipped(research, catalogue):
    held = {
        (identifier.type.value, identifier.value): identifier
        for publisher in catalogue.publishers
        for identifier in (*publisher.identifiers, *(i for p in publisher.products for i in p.identifiers))
    }
    missing, weaker = [], []
    for publisher in research["publishers"]:
        wanted = [*publisher.get("network", []), *publisher.get("publisher_match", [])]
        wanted += [one for product in publisher["products"] for one in product["identifiers"]]
        wanted += [publisher["embedded_marker"]] if "embedded_marker" in publisher else []
        for one in wanted:
            for key in keys(one):
                if key not in held:
                    missing.append(key)
                elif held[key].confidence != one["confidence"]:
                    weaker.append(key)
    assert not missing
    assert not weaker
    assert len(held) > 140


def keys(one):
    kind, values = one["type"], one["value"] if isinstance(one["value"], list) else [one["value"]]
    for value in values:
        if kind == "carve_out":  # what a decision leaves out is no identifier; the product's note says it
            continue
        if kind == "android_package_prefix":
            yield "android_package_glob", value + "*"
        elif kind == "windows_signer_names":
            yield "windows_signer_name", value
        else:
            yield kind, fingerprint(value) if kind.startswith("android_cert") else value


def test_every_conflict_of_the_research_is_shipped(research, catalogue):
    held = {conflict.id: conflict for conflict in catalogue.conflicts}
    for conflict in research["conflicts"]:
        assert {claim.value for claim in held[conflict["id"]].claims} == set(map(str, conflict["values"]))


def test_every_source_of_the_research_is_shipped(research, catalogue):
    held = {source.id: source for source in catalogue.sources}
    for key, source in research["sources"].items():
        assert held[key.replace("_", "-")].revision == source.get("commit", "")
