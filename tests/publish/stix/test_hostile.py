"""A bundle is a stranger's file: whatever is in it, reading ends soon, and nothing in it is believed."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.errors import ProscribeError
from proscribe.publish.stix import extension, opening
from proscribe.publish.stix.errors import BundleTooBig, NotABundle, NothingProposed
from proscribe.publish.stix.model import Received, Tlp
from proscribe.publish.stix.read import MAX_BANS, MAX_SAID, MAX_TARGETS, read

Bundle = dict[str, Any]
Written = Callable[..., Bundle]
Action = Callable[[Bundle], dict[str, Any]]


def back(bundle: Any) -> tuple[Received, ...]:
    return read(json.dumps(bundle).encode())


def tried(bundle: Any) -> tuple[Received, ...]:
    """What a bundle proposes; nothing where it is refused in our own words. Any other error goes through."""
    try:
        return back(bundle)
    except ProscribeError:
        return ()


def kept_out(received: Received) -> dict[str, int]:
    return {one.what: one.count for one in received.kept_out}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"bundle"',
        b'{"type":"bundle"}',
        b'{"type":"bundle","objects":{}}',
        b'{"type":"report","objects":[]}',
        b"\xff\xfe\x00",
        b"PK\x03\x04",
        b'{"type":"bundle","objects":[NaN]}',
        b'{"type":"bundle","objects":[1e999]}',
        b'{"type":"bundle","objects":[' + b"9" * 5000 + b"]}",
        b'{"type":"bundle","objects":[],"objects":[1]}',
        b'{"type":"bundle","objects":[{"id":"a","id":"b"}]}',
    ],
)
def test_what_is_no_bundle_or_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    with pytest.raises(NotABundle) as caught:
        read(data, source="partner.json")
    assert caught.value.where.file == "partner.json"


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"bundle","objects":' + b"[" * 400_000 + b"]" * 400_000 + b"}",
        b'{"type":"bundle","objects":[' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"]}",
        b'{"type":"bundle","objects":[' + b"[" * 60 + b"]" * 60 + b"]}",
        b'{"type":"bundle","objects":[' + b"{}," * 600_000 + b"{}]}",
        b'{"type":"bundle","objects":[' + b"{}," * 60_000 + b"{}]}",
        b'{"type":"bundle","objects":[' + b"0," * 60_000 + b"0]}",
        b" " * (opening.MAX_BYTES + 1),
    ],
    ids=["lists", "objects", "deep", "million", "many", "numbers", "bytes"],
)
def test_size_count_and_depth_are_bounded(data: bytes) -> None:
    with pytest.raises(BundleTooBig):
        read(data)


def test_a_million_objects_are_refused_before_they_take_memory() -> None:
    data = b'{"type":"bundle","objects":[' + b"{}," * 999_999 + b"{}]}"
    tracemalloc.start()
    with pytest.raises(BundleTooBig):
        read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_what_another_producer_adds_is_counted_and_kept_out(
    written: Written, action: Action, thing: Callable[..., dict[str, Any]]
) -> None:
    bundle = written()
    (plain,) = back(bundle)
    action(bundle)["x_score"] = 7
    action(bundle)["extensions"][extension.ID]["x_more"] = 7
    action(bundle)["extensions"]["extension-definition--00000000-0000-4000-8000-000000000009"] = {"a": 1}
    bundle["x_note"] = "?"
    bundle["objects"] += [
        thing("malware", is_family=False),
        thing("malware", 2),
        thing("x-custom-thing"),
        {"type": "software", "id": "malware--00000000-0000-4000-8000-000000000001"},
        {"id": 5},
        None,
        "text",
    ]
    (received,) = back(bundle)
    assert kept_out(received) == {
        "extension:extension-definition--00000000-0000-4000-8000-000000000009": 1,
        "malformed": 4,
        "object:malware": 2,
        "object:x-custom-thing": 1,
        "property:bundle.x_note": 1,
        "property:course-of-action.x_score": 1,
        "property:extension.x_more": 1,
    }
    assert (received.directive, received.targets) == (plain.directive, plain.targets)


def test_a_strangers_names_are_not_counted_without_end(written: Written, thing: Callable[..., dict[str, Any]]) -> None:
    bundle = written()
    bundle["objects"] += [thing(f"x-{number}", number) for number in range(500)]
    bundle["objects"].append(thing("software", 9, **{"\u202edlrow": 1, "a" * 5000: 1}))
    (received,) = back(bundle)
    assert len(received.kept_out) <= 42
    assert all(len(one.what) < 200 and one.what.isascii() for one in received.kept_out)
    assert sum(one.count for one in received.kept_out) == 502


def test_two_objects_of_one_id_and_date_that_differ_are_both_kept_out(written: Written, action: Action) -> None:
    bundle = written()
    twin = json.loads(json.dumps(action(bundle)))
    twin["extensions"][extension.ID]["directive"]["title"]["en"] = "Another ban"
    bundle["objects"].append(twin)
    (received,) = back(bundle)
    assert not received.exact
    assert kept_out(received)["contradicted"] == 1
    assert any("different things" in remark.en for remark in received.remarks)


def test_the_same_object_twice_is_one(written: Written, action: Action) -> None:
    bundle = written()
    bundle["objects"].append(action(bundle))
    (received,) = back(bundle)
    assert received.exact
    assert kept_out(received) == {"repeated": 1}


def test_the_newest_version_counts_whatever_the_order(written: Written, action: Action) -> None:
    bundle = written()
    newer = {**action(bundle), "modified": "2030-01-01T00:00:00.0001Z", "revoked": True}
    for objects in ([newer, *bundle["objects"]], [*bundle["objects"], newer]):
        (received,) = back({**bundle, "objects": objects})
        assert received.revoked
        assert any("revoked" in remark.en for remark in received.remarks)


def test_references_that_lead_in_circles_are_not_followed(packed: Callable[..., bytes], thing: Any) -> None:
    one, two = thing("identity", 1, name="A"), thing("identity", 2, name="B")
    one["created_by_ref"], two["created_by_ref"] = two["id"], one["id"]
    marking = thing("marking-definition", 1)
    marking["object_marking_refs"] = [marking["id"]]
    ban = thing("course-of-action", 1, name="Ban", created_by_ref=one["id"], object_marking_refs=[marking["id"]])
    words = thing("language-content", 1, contents={"fr": {"name": "Interdiction"}})
    words["object_ref"] = words["id"]
    loop = thing("relationship", 1, relationship_type="related-to")
    loop["source_ref"] = loop["target_ref"] = loop["id"]
    group = thing("grouping", 1, context="unspecified")
    group["object_refs"] = [group["id"]]
    (received,) = read(packed(one, two, marking, ban, words, loop, group))
    assert received.producer == "A"
    assert received.directive.title.en == "Ban"


WRONG: list[Any] = [None, True, 0, -1.5, "", "x", [], [[]], {}, {"a": {}}, ["x", 1], {"fr": []}]
FIELDS = (
    "id type created_by_ref created modified name description lang extensions object_marking_refs granular_markings "
    "contents object_ref pattern pattern_type payload_bin vendor revoked value context object_refs labels"
)


@pytest.mark.parametrize("field", FIELDS.split())
def test_wrong_types_anywhere_end_in_a_proposal_or_a_refusal(written: Written, field: str) -> None:
    for value in WRONG:
        bundle = written("cz-2025-deepseek")
        for item in bundle["objects"]:
            item[field] = value
        assert all(one.directive.id for one in tried(bundle))


@pytest.mark.parametrize("field", ["directive", "targets", "schema", "directive_digest", "targets_digest"])
def test_wrong_types_in_our_extension_too(written: Written, action: Action, field: str) -> None:
    for value in WRONG:
        bundle = written("cz-2025-deepseek")
        action(bundle)["extensions"][extension.ID][field] = value
        (received,) = back(bundle)
        assert received.remarks or (field == "targets" and value is None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    place=st.integers(0, 11),
    field=st.sampled_from(FIELDS.split()),
    value=JSON,
    deep=st.booleans(),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_anywhere(written: Written, place: int, field: str, value: Any, deep: bool) -> None:
    bundle = written("cz-2025-deepseek")
    objects = bundle["objects"]
    item = objects[place % len(objects)]
    if deep and item["type"] == "course-of-action":
        item = item["extensions"][extension.ID]["directive"]
    item[field] = value
    for one in tried(bundle):
        assert not any(proposed.concern is not None and proposed.target.actionable for proposed in one.proposed)


@given(data=st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(ProscribeError):
        read(data)


@given(cut=st.integers(0, 20_000), byte=st.integers(0, 255))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_byte_changed_is_refused_or_said(written: Written, cut: int, byte: int) -> None:
    whole = json.dumps(written("cz-2025-deepseek"), separators=(",", ":")).encode()
    place = cut % len(whole)
    if whole[place] == byte:
        return
    (clean,) = read(whole)
    try:
        found = read(whole[:place] + bytes([byte]) + whole[place + 1 :])
    except ProscribeError:
        return
    for one in found:
        # Either the ban is as it was, or something says that it is not.
        assert (one.directive, one.targets) == (clean.directive, clean.targets) or one.remarks


@pytest.mark.parametrize(
    "letter", ["\u202e", "\u2066", "\u200b", "\u200f", "\x00", "\x1b", "\x7f", "\ufeff", "\ud800", "\U000e0041"]
)
def test_letters_that_hide_or_turn_text_are_replaced_and_said(
    packed: Callable[..., bytes], thing: Any, letter: str
) -> None:
    data = packed(thing("software", name=f"We{letter}Chat"), thing("identity", name=f"Bank{letter}"))
    (received,) = read(data)
    assert received.producer == "Bank\ufffd"
    assert [one.target.value for one in received.proposed] == ["We\ufffdChat"]
    assert any("Hidden" in remark.en for remark in received.remarks)


def test_hidden_letters_in_our_own_extension_break_its_digest(written: Written, action: Action) -> None:
    bundle = written()
    action(bundle)["extensions"][extension.ID]["directive"]["title"]["en"] += "\u202e"
    (received,) = back(bundle)
    assert "\u202e" not in received.directive.title.en
    assert any("changed on the way" in remark.en for remark in received.remarks)


PROTECTED = [
    ("android_package", "com.google.android.gms", "android"),
    ("android_package", "COM.Google.Android.Apps.NexusLauncher", "android"),
    ("android_package", "com.google.android.apps.nexuslauncher", "ios"),
    ("android_package", "com.android.settings", "unknown"),
    ("android_package_glob", "com.google.*", "android"),
    ("android_package_glob", "com.*", "android"),
    ("android_package_glob", "*", "android"),
    ("ios_bundle_id", "com.apple.mobilesafari", "ios"),
    ("ios_bundle_glob", "com.apple.*", "ios"),
    ("ios_bundle_glob", "com.apple.mobile*", "android"),
    ("app_name", "com.google.*", "unknown"),
    ("app_name", "com.android.settings", "unknown"),
]


@pytest.mark.parametrize(("kind", "value", "platform"), PROTECTED)
def test_a_ban_of_the_launcher_stays_a_proposal_that_says_so(
    written: Written, action: Action, kind: str, value: str, platform: str
) -> None:
    bundle = written()
    target = action(bundle)["extensions"][extension.ID]["targets"]["targets"][0]
    target.update(type=kind, value=value, platform=platform, confidence="high", actionable=True)
    target["not_actionable_because"] = None
    (received,) = back(bundle)
    (one,) = (one for one in received.proposed if one.target.value == value)
    assert not one.target.actionable
    assert one.concern is not None
    assert "protected" in one.concern.en or "never be a target" in one.concern.en


@pytest.mark.parametrize(("kind", "value"), [("glob", "com.google.*"), ("glob", "com.android.settings"), ("glob", "*")])
def test_a_selector_that_hits_protected_apps_is_said(written: Written, action: Action, kind: str, value: str) -> None:
    bundle = written()
    item = action(bundle)["extensions"][extension.ID]["directive"]["items"][0]
    item["selectors"] = [{"kind": kind, "value": value, "platform": None}]
    (received,) = back(bundle)
    assert any(remark.en.startswith(f"{value}: ") for remark in received.remarks)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"confidence": "low"}, "low confidence"),
        ({"value": "tiktok"}, "two or more labels"),
        ({"value": "com.tiktok "}, "two or more labels"),
        ({"value": "com.tіktok"}, "two or more labels"),
        ({"type": "app_name", "value": "TikTok"}, "not an identifier"),
        ({"actionable": False}, "does not act"),
        ({"type": "winget_id", "value": "A.B"}, "for the record"),
    ],
)
def test_doubtful_identifiers_are_not_actionable(
    written: Written, action: Action, change: dict[str, Any], said: str
) -> None:
    bundle = written()
    target = action(bundle)["extensions"][extension.ID]["targets"]["targets"][0]
    target.update(
        {"type": "android_package", "value": "com.example.app", "confidence": "high", "actionable": True}, **change
    )
    (received,) = back(bundle)
    concerned = received.proposed[0]
    assert not concerned.target.actionable
    assert concerned.concern is not None
    assert said in concerned.concern.en


def test_a_partners_own_words_are_never_given_as_our_concern(written: Written, action: Action) -> None:
    bundle = written()
    target = action(bundle)["extensions"][extension.ID]["targets"]["targets"][0]
    target.update(type="android_package", value="com.example.app", actionable=False, confidence="high")
    target["not_actionable_because"] = {"en": "all is well", "fr": "tout va bien"}
    (received,) = back(bundle)
    assert "well" not in str(received.proposed[0].concern)


def test_an_id_of_a_shipped_directive_that_says_something_else_is_pointed_out(written: Written, action: Action) -> None:
    bundle = written()
    action(bundle)["extensions"][extension.ID]["directive"]["force"] = "recommended"
    (received,) = back(bundle)
    assert any("says something else" in remark.en for remark in received.remarks)


@pytest.mark.parametrize("bad", ["../../etc/passwd", "", "A", "a" * 101, "a\nb", "-"])
def test_an_id_that_is_no_id_is_not_read(written: Written, action: Action, bad: str) -> None:
    bundle = written()
    action(bundle)["extensions"][extension.ID]["directive"]["id"] = bad
    (received,) = back(bundle)
    assert not received.exact
    assert received.directive.id.startswith("partner-")


def test_a_target_set_of_another_directive_is_left_aside(written: Written, action: Action) -> None:
    bundle = written()
    action(bundle)["extensions"][extension.ID]["targets"]["directive"] = "other"
    (received,) = back(bundle)
    assert received.targets is None
    assert any("another directive" in remark.en for remark in received.remarks)


def test_more_identifiers_texts_or_bans_than_there_are_is_too_big(written: Written, action: Action) -> None:
    bundle = written()
    targets = action(bundle)["extensions"][extension.ID]["targets"]
    targets["targets"] = targets["targets"][:1] * (MAX_TARGETS + 1)
    (received,) = back(bundle)
    assert not received.exact
    bundle = written()
    action(bundle)["extensions"][extension.ID]["directive"]["title"]["en"] = "x" * 20_001
    (received,) = back(bundle)
    assert not received.exact
    bundle = written()
    ban = action(bundle)
    for number in range(MAX_BANS + 1):
        bundle["objects"].append({**ban, "id": f"course-of-action--00000000-0000-4000-8000-{number:012x}"})
    with pytest.raises(BundleTooBig):
        back(bundle)


def test_several_bans_in_a_bundle_are_several_proposals(written: Written) -> None:
    first, second = written(), written("cz-2025-deepseek")
    found = back({**first, "objects": first["objects"] + second["objects"]})
    assert {one.directive.id for one in found} == {"ca-tbs-2023-tiktok", "cz-2025-deepseek"}


@pytest.mark.parametrize(
    "payload",
    [
        "not base64!",
        base64.b64encode(b"\xff").decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        base64.b64encode(b'{"payload":"","payloadType":"x","signatures":[]}').decode(),
        base64.b64encode(b'{"payload":7,"payloadType":[],"signatures":{}}').decode(),
        None,
    ],
)
def test_an_artifact_that_is_no_envelope_is_counted(
    written: Written, thing: Callable[..., dict[str, Any]], payload: Any
) -> None:
    bundle = written()
    bundle["objects"].append(thing("artifact", payload_bin=payload))
    (received,) = back(bundle)
    assert received.envelope is None
    assert kept_out(received) == {"artifact": 1}


def test_nothing_to_propose_is_said(packed: Callable[..., bytes], thing: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(NothingProposed):
        read(packed(thing("identity", name="A"), thing("malware")))
    with pytest.raises(NothingProposed):
        read(packed())


@pytest.mark.parametrize(
    "change",
    [
        {"type": "android_package", "value": "a." * 100_000 + "b"},
        {"type": "android_package_glob", "value": "com.a" + "." * 100_000 + "*"},
        {"type": "app_name", "value": "x" * 301},
    ],
)
def test_endless_values_are_neither_searched_nor_actionable(
    written: Written, action: Action, change: dict[str, Any]
) -> None:
    bundle = written()
    action(bundle)["extensions"][extension.ID]["targets"]["targets"][0].update(change, actionable=True)
    item = action(bundle)["extensions"][extension.ID]["directive"]["items"][0]
    item["selectors"] = [{"kind": "glob", "value": change["value"], "platform": None}]
    (received,) = back(bundle)
    assert received.proposed[0].concern is not None
    assert "name that long" in received.proposed[0].concern.en
    assert not received.proposed[0].target.actionable
    assert all(len(remark.en) < 500 for remark in received.remarks)
    assert any("name that long" in remark.en for remark in received.remarks)


def test_selectors_are_not_pointed_out_without_end(written: Written, action: Action) -> None:
    bundle = written()
    item = action(bundle)["extensions"][extension.ID]["directive"]["items"][0]
    values = ["com.google.*"] * 500 + [f"com.android.a{number}" for number in range(500)]
    item["selectors"] = [{"kind": "glob", "value": value, "platform": None} for value in values]
    (received,) = back(bundle)
    said = [
        remark.en
        for remark in received.remarks
        if ": it may never be a target" in remark.en or ": it would hit" in remark.en
    ]
    assert len(said) == len(set(said)) == MAX_SAID


def test_many_bad_extensions_are_refused_before_each_is_read(written: Written, action: Action) -> None:
    bundle = written()
    ban = action(bundle)
    for number in range(MAX_BANS + 1):
        bundle["objects"].append(
            {
                **ban,
                "id": f"course-of-action--00000000-0000-4000-8000-{number:012x}",
                "extensions": {extension.ID: {}},
            }
        )
    with pytest.raises(BundleTooBig):
        back(bundle)


def test_a_fields_name_of_their_choosing_stays_on_its_line(written: Written, action: Action) -> None:
    bundle = written()
    action(bundle)["extensions"][extension.ID]["directive"]["x\n  Marking: TLP:CLEAR\n" + "y" * 9_000] = 1
    (received,) = back(bundle)
    (said,) = (remark.en for remark in received.remarks if "cannot be read" in remark.en)
    assert "\n" not in said
    assert len(said) < 600


def test_line_breaks_of_another_system_are_no_hidden_letters(written: Written, action: Action) -> None:
    bundle = written()
    (plain,) = back(bundle)
    action(bundle)["description"] = "one\r\ntwo"
    assert back(bundle)[0].remarks == plain.remarks
    action(bundle)["description"] = "one\rtwo"
    assert back(bundle)[0].remarks != plain.remarks


def test_a_partner_cannot_approve_for_us(written: Written) -> None:
    (received,) = back(written())
    assert received.targets is not None
    assert received.targets.reviewed_by  # as sent: their review, of their set
    assert received.tlp is Tlp.clear
