"""Traffic Light Protocol: the strictest marking counts, and what is not clear is not passed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import stix2

from proscribe.publish.stix import tlp
from proscribe.publish.stix.model import Tlp
from proscribe.publish.stix.read import draft, marking_of, read

Thing = Callable[..., dict[str, Any]]
Packed = Callable[..., bytes]
CUSTOM = "marking-definition--00000000-0000-4000-8000-000000000007"


def test_the_shared_definitions_are_what_the_reference_library_accepts() -> None:
    for level in Tlp:
        parsed = stix2.parse(tlp.definition(level), allow_custom=False)
        assert parsed.name == level.label
    older = ("TLP_WHITE", "TLP_GREEN", "TLP_AMBER", "TLP_RED")
    for name, level in zip(older, (Tlp.clear, Tlp.green, Tlp.amber, Tlp.red), strict=True):
        assert tlp.KNOWN[getattr(stix2.v21, name).id] is level


@pytest.mark.parametrize(
    ("markings", "level", "stated"),
    [
        ([tlp.MARKINGS[Tlp.clear]], Tlp.clear, True),
        ([tlp.MARKINGS[Tlp.green], tlp.MARKINGS[Tlp.red]], Tlp.red, True),
        ([stix2.v21.TLP_AMBER.id], Tlp.amber, True),
        ([], Tlp.amber_strict, False),
        (None, Tlp.amber_strict, False),
        ("x", Tlp.amber_strict, False),
        ([7, None], Tlp.amber_strict, False),
        ([CUSTOM], Tlp.amber_strict, False),
        ([CUSTOM, tlp.MARKINGS[Tlp.green]], Tlp.green, True),
        ([CUSTOM, tlp.MARKINGS[Tlp.red]], Tlp.red, True),
    ],
)
def test_the_strictest_marking_counts(packed: Packed, thing: Thing, markings: Any, level: Tlp, stated: bool) -> None:
    (received,) = read(packed(thing("course-of-action", name="Ban", object_marking_refs=markings)))
    assert (received.tlp, received.tlp_stated) == (level, stated)
    assert any("TLP marking" in remark.en for remark in received.remarks) is not stated


def test_one_red_word_anywhere_makes_it_red(packed: Packed, thing: Thing) -> None:
    green = [tlp.MARKINGS[Tlp.green]]
    ban = thing("course-of-action", name="Ban", object_marking_refs=green)
    ban["granular_markings"] = [{"marking_ref": tlp.MARKINGS[Tlp.red], "selectors": ["description"]}]
    assert read(packed(ban))[0].tlp is Tlp.red
    ban = thing("course-of-action", name="Ban", object_marking_refs=green)
    kept_out = thing("malware", object_marking_refs=[tlp.MARKINGS[Tlp.red]])
    assert read(packed(ban, kept_out))[0].tlp is Tlp.red


def test_a_language_marking_is_no_marking(packed: Packed, thing: Thing) -> None:
    ban = thing("course-of-action", name="Ban", object_marking_refs=[tlp.MARKINGS[Tlp.green]])
    ban["granular_markings"] = [{"lang": "fr", "selectors": ["name"]}]
    assert read(packed(ban))[0].tlp is Tlp.green


@pytest.mark.parametrize(
    ("definition", "level"),
    [
        ({"extensions": {tlp.EXTENSION: {"extension_type": "property-extension", "tlp_2_0": "red"}}}, Tlp.red),
        ({"definition_type": "tlp", "definition": {"tlp": "white"}}, Tlp.clear),
        ({"definition_type": "statement", "definition": {"statement": "(c)"}}, Tlp.amber_strict),
        ({"extensions": {tlp.EXTENSION: []}, "definition": 7}, Tlp.amber_strict),
    ],
)
def test_a_definition_of_their_own_is_read_by_what_it_says(
    packed: Packed, thing: Thing, definition: dict[str, Any], level: Tlp
) -> None:
    marking = thing("marking-definition", 7, **definition)
    ban = thing("course-of-action", name="Ban", object_marking_refs=[CUSTOM])
    assert read(packed(marking, ban))[0].tlp is level


def test_a_false_definition_does_not_make_red_clear(packed: Packed, thing: Thing) -> None:
    false = {**tlp.definition(Tlp.clear), "id": tlp.MARKINGS[Tlp.red]}
    ban = thing("course-of-action", name="Ban", object_marking_refs=[tlp.MARKINGS[Tlp.red]])
    assert read(packed(false, ban))[0].tlp is Tlp.red


def test_unmarked_names_alone_stay_inside(packed: Packed, thing: Thing) -> None:
    assert read(packed(thing("software", name="Chat")))[0].tlp is Tlp.amber_strict


@pytest.mark.parametrize("level", list(Tlp))
def test_the_marking_travels_with_the_draft(packed: Packed, thing: Thing, level: Tlp) -> None:
    (received,) = read(packed(thing("course-of-action", name="Ban", object_marking_refs=[tlp.MARKINGS[level]])))
    assert marking_of(draft(received)) is level


def test_a_damaged_note_is_the_cautious_one(packed: Packed, thing: Thing) -> None:
    (received,) = read(packed(thing("course-of-action", name="Ban", object_marking_refs=[tlp.MARKINGS[Tlp.clear]])))
    made = draft(received)
    blurred = replace(made.sources[-1], note="TLP:WHATEVER")
    assert marking_of(replace(made, sources=(blurred,))) is Tlp.amber_strict
    assert marking_of(received.directive) is None


def test_levels_are_ordered() -> None:
    assert [level.label for level in Tlp] == ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]
    assert Tlp.green.at_least(Tlp.amber) is Tlp.amber
    assert Tlp.red.at_least(Tlp.clear) is Tlp.red
