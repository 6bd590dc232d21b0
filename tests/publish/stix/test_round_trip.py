"""Every shipped ban, out as STIX, through the reference library, and back: nothing lost, nothing changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stix2
from stix2patterns.validator import run_validator  # type: ignore[import-untyped]

from proscribe import documents
from proscribe.canonical import canonical_bytes
from proscribe.catalogue.model import IdentifierType, TargetSet
from proscribe.directive.library import shipped_ids
from proscribe.directive.model import Directive, State
from proscribe.publish.stix import extension, tlp
from proscribe.publish.stix.model import Received, Tlp
from proscribe.publish.stix.read import draft, read
from proscribe.publish.stix.write import Shared, bundle, bundle_bytes, without_context
from proscribe.text import Text
from proscribe.trust.envelope import envelope_bytes, prepare

Decided = Callable[..., tuple[Directive, TargetSet]]
Bundle = dict[str, Any]


@pytest.mark.parametrize("directive_id", shipped_ids())
def test_a_shipped_ban_comes_back_whole_through_the_reference_library(decided: Decided, directive_id: str) -> None:
    directive, targets = decided(directive_id)
    data = bundle_bytes(Shared(directive, targets, Tlp.green))
    parsed = stix2.parse(data.decode(), allow_custom=False, version="2.1")
    (received,) = read(parsed.serialize().encode())
    assert (received.directive, received.targets) == (directive, targets)
    assert received.exact
    assert received.remarks == ()
    assert received.kept_out == ()
    assert (received.tlp, received.tlp_stated) == (Tlp.green, True)
    assert received.producer == directive.authority.body.en
    # Read alike without the library in between, and what was judged here agrees with what our own catalogue says.
    assert replace(read(data)[0], bundle=received.bundle) == received
    ours = {target.id for target in targets.targets if target.actionable}
    assert {one.target.id for one in received.proposed if one.concern is None} == ours


def test_there_are_as_many_shipped_bans_as_the_library_has() -> None:
    assert len(shipped_ids()) == 18


@pytest.mark.parametrize("directive_id", shipped_ids())
def test_the_same_inputs_give_the_same_bytes(decided: Decided, directive_id: str) -> None:
    first = bundle_bytes(Shared(*decided(directive_id), Tlp.clear))
    directive, targets = decided(directive_id)
    again = documents.from_json(Directive, documents.to_json(directive))
    assert bundle_bytes(Shared(again, targets, Tlp.clear)) == first
    assert canonical_bytes(json.loads(first)) + b"\n" == first


@pytest.mark.parametrize("directive_id", shipped_ids())
def test_the_reference_library_gives_every_object_back_as_it_was(decided: Decided, directive_id: str) -> None:
    for item in bundle(Shared(*decided(directive_id), Tlp.amber, b'{"payload":"x"}'))["objects"]:
        assert json.loads(stix2.parse(item, allow_custom=False).serialize()) == item


@pytest.mark.parametrize("kind", ["software", "artifact"])
def test_observables_are_named_as_the_standard_says(decided: Decided, kind: str) -> None:
    makers = {"software": stix2.v21.Software, "artifact": stix2.v21.Artifact}
    found = [one for one in bundle(Shared(*decided(), Tlp.clear, b'{"payload":"x"}'))["objects"] if one["type"] == kind]
    assert found
    for item in found:
        rest = {name: value for name, value in item.items() if name not in ("id", "type", "spec_version")}
        assert makers[kind](**rest).id == item["id"]


def test_software_has_no_version_which_some_servers_cannot_store(written: Callable[..., Bundle]) -> None:
    found = [one for one in written("ca-tbs-2023-wechat-kaspersky")["objects"] if one["type"] == "software"]
    assert {one["name"] for one in found} >= {"WeChat"}
    assert not any("version" in one for one in found)


@pytest.mark.parametrize("directive_id", shipped_ids())
def test_indicators_are_valid_patterns_of_hosts_that_may_drive_a_change(decided: Decided, directive_id: str) -> None:
    directive, targets = decided(directive_id)
    found = [one for one in bundle(Shared(directive, targets, Tlp.clear))["objects"] if one["type"] == "indicator"]
    for item in found:
        assert run_validator(item["pattern"], stix_version="2.1") == []
    hosts = {one.value for one in targets.targets if one.type is IdentifierType.domain and one.actionable}
    assert {one["name"] for one in found} == hosts


def test_both_languages_stand_in_plain_objects_too(decided: Decided, written: Callable[..., Bundle]) -> None:
    directive, _ = decided()
    parsed = stix2.parse(json.dumps(written()))
    (ban,) = (one for one in parsed.objects if one.type == "course-of-action")
    (french,) = (one for one in parsed.objects if one.type == "language-content")
    assert (ban.name, ban.lang) == (directive.title.en, "en")
    assert french.object_ref == ban.id
    assert french.object_modified == ban.modified
    assert french.contents["fr"]["name"] == directive.title.fr
    for reason in directive.stated_reasons:
        assert reason.en in ban.description
        assert reason.fr in french.contents["fr"]["description"]
    for item in directive.items:
        for carve_out in item.carve_outs:
            assert carve_out.en in ban.description


@pytest.mark.parametrize("level", list(Tlp))
def test_every_object_carries_the_marking(written: Callable[..., Bundle], level: Tlp) -> None:
    marking, *rest = written(tlp=level)["objects"]
    assert marking == tlp.definition(level)
    assert all(one["object_marking_refs"] == [tlp.MARKINGS[level]] for one in rest)
    (received,) = read(json.dumps(written(tlp=level)).encode())
    assert (received.tlp, received.tlp_stated) == (level, True)


def test_analysts_context_leaves_only_when_it_is_asked_for(decided: Decided) -> None:
    directive, targets = decided()
    assert directive.analyst_context
    data = bundle_bytes(Shared(without_context(directive), targets, Tlp.clear)).decode()
    for text in directive.analyst_context:
        assert json.dumps(text.en, ensure_ascii=False)[1:-1] not in data
        assert json.dumps(text.fr, ensure_ascii=False)[1:-1] not in data
    (received,) = read(data.encode())
    assert received.directive == replace(directive, analyst_context=())


def test_the_signed_form_comes_along_and_is_compared_with_the_ban(decided: Decided) -> None:
    directive, targets = decided()
    at = datetime(2026, 11, 2, tzinfo=UTC)
    signed = prepare(directive, by="cio", at=at)
    (received,) = read(bundle_bytes(Shared(directive, targets, Tlp.clear, envelope_bytes(signed))))
    assert received.envelope is not None
    assert received.envelope.signed == signed
    assert received.envelope.fits
    other = prepare(replace(directive, version=2), by="cio", at=at)
    (received,) = read(bundle_bytes(Shared(directive, targets, Tlp.clear, envelope_bytes(other))))
    assert received.envelope is not None
    assert not received.envelope.fits


def test_a_later_target_set_is_a_new_version_of_the_same_objects(decided: Decided) -> None:
    directive, targets = decided()
    later = replace(targets, resolved_at=targets.resolved_at + timedelta(days=30))
    before = {one["id"]: one for one in bundle(Shared(directive, targets, Tlp.clear))["objects"]}
    after = {one["id"]: one for one in bundle(Shared(directive, later, Tlp.clear))["objects"]}
    assert before.keys() == after.keys()
    moved = [name for name in before if before[name].get("modified") != after[name].get("modified")]
    assert {name.partition("--")[0] for name in moved} >= {"course-of-action", "grouping", "relationship"}
    assert all(before[name].get("created") == after[name].get("created") for name in before)
    both = {"type": "bundle", "id": "bundle--" + extension.ID.partition("--")[2]}
    data = json.dumps({**both, "objects": [*after.values(), *before.values()]}).encode()
    assert read(data)[0].targets == later


def test_undated_directives_have_a_date_of_creation_too(decided: Decided) -> None:
    directive, targets = decided()
    undated = replace(directive, announced=None, effective=None)
    data = bundle_bytes(Shared(undated, targets, Tlp.clear))
    assert stix2.parse(data.decode())
    assert read(data)[0].directive == undated


def test_what_came_in_is_a_document_of_ours(decided: Decided) -> None:
    (received,) = read(bundle_bytes(Shared(*decided(), Tlp.clear)))
    assert documents.from_json(Received, documents.to_json(received)) == received


def test_a_draft_is_a_draft_and_names_its_origin_once(decided: Decided) -> None:
    directive, targets = decided()
    (received,) = read(bundle_bytes(Shared(directive, targets, Tlp.amber)))
    made = draft(received)
    assert made.state is State.draft
    assert made.sources[:-1] == directive.sources
    assert (made.sources[-1].url, made.sources[-1].note) == (f"urn:proscribe:stix:{received.bundle}", "TLP:AMBER")
    (again,) = read(bundle_bytes(Shared(made, targets, Tlp.amber)))
    assert len(draft(again).sources) == len(made.sources)


def test_texts_of_any_letters_come_back(decided: Decided) -> None:
    directive, targets = decided()
    odd = replace(directive, title=Text("Ban: “ŵ” 微信 \N{NO-BREAK SPACE}x", "Interdiction : «\u00a0微信\u00a0» œ"))
    data = bundle_bytes(Shared(odd, targets, Tlp.clear))
    assert read(stix2.parse(data.decode()).serialize().encode())[0].directive == odd


def test_a_shipped_ban_without_its_context_is_no_other_ban(decided: Decided) -> None:
    directive, targets = decided()
    (received,) = read(bundle_bytes(Shared(without_context(directive), targets, Tlp.clear)))
    assert received.remarks == ()
