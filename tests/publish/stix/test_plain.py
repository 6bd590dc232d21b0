"""Bundles of producers that know nothing of us: the best they give, and gaps for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import stix2

from proscribe.catalogue.model import IdentifierType
from proscribe.directive.model import Force, State
from proscribe.publish.stix.model import Received
from proscribe.publish.stix.read import draft, read

Thing = Callable[..., dict[str, Any]]
Packed = Callable[..., bytes]


def named(received: Received) -> set[tuple[str, str]]:
    return {(one.target.type.value, one.target.value) for one in received.proposed}


def test_a_bundle_of_the_reference_library_becomes_a_draft_with_gaps() -> None:
    identity = stix2.v21.Identity(name="Agency of Elsewhere", identity_class="organization")
    ban = stix2.v21.CourseOfAction(
        name="Remove Example Chat", created_by_ref=identity.id, object_marking_refs=[stix2.v21.TLP_AMBER]
    )
    chat = stix2.v21.Software(name="Example Chat", vendor="Example")
    host = stix2.v21.Indicator(
        pattern="[domain-name:value = 'chat.example.com'] OR [domain-name:value = 'cdn.example.com']",
        pattern_type="stix",
        valid_from="2026-01-01T00:00:00Z",
        object_marking_refs=[stix2.v21.TLP_GREEN],
    )
    (received,) = read(stix2.v21.Bundle(identity, ban, chat, host, stix2.v21.TLP_AMBER).serialize().encode())
    assert not received.exact
    assert received.producer == "Agency of Elsewhere"
    assert (received.tlp.label, received.tlp_stated) == ("TLP:AMBER", True)
    assert named(received) == {
        ("app_name", "Example Chat"),
        ("domain", "chat.example.com"),
        ("domain", "cdn.example.com"),
    }
    assert not any(one.target.actionable or one.concern is None for one in received.proposed)
    made = draft(received)
    assert (made.state, made.force, made.announced) == (State.draft, Force.recommended, None)
    assert made.title.en == "Remove Example Chat"
    assert made.title.fr == "[Titre de l'interdiction]"
    assert [item.wording.en for item in made.items] == ["Example Chat"]


def test_the_french_of_a_translation_is_used(packed: Packed, thing: Thing) -> None:
    ban = thing("course-of-action", name="Ban of Chat")
    words = thing("language-content", object_ref=ban["id"], contents={"fr-CA": {}, "fr": {"name": "Interdiction"}})
    (received,) = read(packed(ban, words))
    assert (received.directive.title.en, received.directive.title.fr) == ("Ban of Chat", "Interdiction")


def test_a_french_producer_is_read_as_french(packed: Packed, thing: Thing) -> None:
    (received,) = read(packed(thing("course-of-action", name="Interdiction", lang="fr")))
    assert received.directive.title.fr == "Interdiction"
    assert received.directive.title.en == "[Title of the ban]"


def test_a_catalogue_of_two_hundred_measures_is_one_proposal(packed: Packed, thing: Thing) -> None:
    (received,) = read(packed(*(thing("course-of-action", number, name=f"M{number}") for number in range(200))))
    assert received.directive.title.en == "[Title of the ban]"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[domain-name:value = 'a.example']", {("domain", "a.example")}),
        ("[ domain-name:value='A.Example.' ]", {("domain", "a.example")}),
        ("[software:name = 'It\\'s Chat']", {("app_name", "It's Chat")}),
        (
            "[domain-name:value = 'a.example' OR domain-name:value = 'b.example']",
            {("domain", "a.example"), ("domain", "b.example")},
        ),
        ("[domain-name:value = 'a.example' AND url:value = 'x']", set()),
        ("[domain-name:value != 'a.example']", set()),
        ("[domain-name:value LIKE '%']", set()),
        ("[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']", set()),
        ("[file:hashes.MD5 = 'x']", set()),
        ("[domain-name:value = '*']", None),
        ("[domain-name:value = 'localhost']", None),
        ("[" * 9000, set()),
        ("[domain-name:value = '" + "\\\\" * 4000 + "']", set()),
        ("", set()),
    ],
)
def test_only_patterns_of_equalities_are_read(
    packed: Packed, thing: Thing, pattern: str, found: set[tuple[str, str]] | None
) -> None:
    (received,) = read(
        packed(thing("indicator", pattern=pattern, pattern_type="stix"), thing("course-of-action", name="x"))
    )
    assert named(received) == (found or set())
    counted = {one.what for one in received.kept_out}
    assert ("pattern" in counted) == (found == set())


def test_other_pattern_languages_are_counted(packed: Packed, thing: Thing) -> None:
    sigma = thing("indicator", pattern="[domain-name:value = 'a.example']", pattern_type="sigma")
    (received,) = read(packed(sigma, thing("domain-name", value="b.example")))
    assert named(received) == {("domain", "b.example")}
    assert [one.what for one in received.kept_out] == ["pattern"]


def test_a_name_in_several_places_is_one_identifier(packed: Packed, thing: Thing) -> None:
    objects = [thing("software", number, name="Chat  ") for number in range(3)]
    (received,) = read(packed(*objects))
    assert [one.target.id for one in received.proposed] == ["app_name:unknown:Chat"]
    assert received.proposed[0].target.type is IdentifierType.app_name


def test_the_same_bytes_give_the_same_proposal(packed: Packed, thing: Thing) -> None:
    data = packed(thing("software", 2, name="B"), thing("software", 1, name="A"))
    assert read(data) == read(data)
    shuffled = packed(thing("software", 1, name="A"), thing("software", 2, name="B"))
    assert json.loads(data) != json.loads(shuffled)
    assert read(data)[0].proposed == read(shuffled)[0].proposed
