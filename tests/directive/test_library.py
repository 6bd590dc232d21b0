"""Finding directives, and their targets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from proscribe import documents
from proscribe.catalogue.model import IdentifierType, Selector, SelectorKind
from proscribe.directive import library
from proscribe.directive.library import CannotSave, UnknownDirective
from proscribe.directive.model import Stance
from proscribe.directive.targets import resolve_directive, selectors_of
from proscribe.errors import InvalidDocument, UnreadableFile, WrongDocumentVersion


def test_find_by_id():
    assert library.find("us-omb-m-23-13").id == "us-omb-m-23-13"


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_find_a_file(tmp_path, wechat, suffix):
    path = tmp_path / f"ours.{suffix}"
    path.write_text(json.dumps(documents.to_json(wechat)), encoding="utf-8")
    assert library.find(str(path)) == wechat


def test_unknown(tmp_path):
    with pytest.raises(UnknownDirective) as caught:
        library.find("ca-tbs-2023-tiktak")
    assert "ca-tbs-2023-tiktok" in caught.value.remedy.en
    with pytest.raises(UnknownDirective) as caught:
        library.find("zzzzzzzzzz")
    assert "directive list" in caught.value.remedy.fr
    with pytest.raises(UnreadableFile):
        library.find(str(tmp_path / "missing.yaml"))


def test_the_wrong_version_and_a_misspelt_field_are_refused(tmp_path, wechat):
    path = tmp_path / "d.json"
    body = documents.to_json(wechat)
    path.write_text(json.dumps(body | {"schema": 2}), encoding="utf-8")
    with pytest.raises(WrongDocumentVersion):
        library.find(str(path))
    path.write_text(json.dumps(body | {"exemptions": []}), encoding="utf-8")
    with pytest.raises(InvalidDocument, match="exemptions"):
        library.find(str(path))


def test_a_shipped_directive_has_its_reviewed_targets(wechat, now):
    assert library.target_set(wechat, now=now).reviewed_by


def test_a_changed_directive_has_not(wechat, now):
    ours = replace(wechat, version=2)
    fresh = library.target_set(ours, now=now)
    assert fresh.reviewed_by == ""
    assert fresh.reviewed_on is None
    assert fresh.directive_version == 2
    assert fresh.resolved_at == now


def test_a_directive_of_ones_own_has_no_review(wechat, now):
    assert library.target_set(replace(wechat, id="ours"), now=now).reviewed_by == ""


@pytest.mark.parametrize(
    ("stance", "says"),
    [(Stance.included, None), (Stance.excluded, "leaves web access out"), (Stance.unstated, "does not speak")],
)
def test_web_access_decides_on_hosts(wechat, catalogue, now, stance, says):
    items = tuple(replace(item, web_access=stance) for item in wechat.items)
    found = resolve_directive(replace(wechat, items=items), catalogue, now=now)
    (host,) = [one for one in found.targets if one.value == "wechat.com"]
    assert host.actionable is (says is None)
    assert says is None or says in host.not_actionable_because.en


def test_embedded_components_are_never_widened(catalogue, now):
    bod = library.find("us-dhs-bod-17-01")
    item = replace(bod.items[0], publisher="bytedance", selectors=(Selector(SelectorKind.publisher, "bytedance"),))
    found = resolve_directive(replace(bod, items=(item,)), catalogue, now=now)
    (marker,) = [one for one in found.targets if one.type is IdentifierType.ios_skadnetwork_id]
    assert not marker.actionable


def test_selectors_are_listed_once(wechat):
    doubled = replace(wechat, items=wechat.items * 2)
    assert selectors_of(doubled) == selectors_of(wechat)


def test_saving_never_replaces(tmp_path):
    path = tmp_path / "new.yaml"
    library.save_new(path, "a: 1\n")
    with pytest.raises(CannotSave, match=r"new\.yaml"):
        library.save_new(path, "a: 2\n")
    assert path.read_text() == "a: 1\n"
    with pytest.raises(CannotSave):
        library.save_new(tmp_path / "no" / "folder.yaml", "")
