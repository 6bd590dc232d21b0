"""Declarations of a ban; that they fit Apple's schema is shown in test_apple_schema."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.connectors.nanomdm import declarations

SCOPE = "Garde côtière/declarations"
BAN = "sha256:" + "0a" * 32
SCOPES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300)


def test_one_configuration_denies_and_one_activation_turns_it_on():
    configuration, activation = declarations.for_ban(SCOPE, BAN, ["b.b", "a.a", "b.b"])
    assert configuration["Type"] == "com.apple.configuration.app.settings"
    assert configuration["Payload"] == {"Allowed": {"DeniedApps": ["a.a", "b.b"]}}
    assert activation["Type"] == "com.apple.activation.simple"
    assert activation["Payload"] == {"StandardConfigurations": [configuration["Identifier"]]}
    assert activation["Identifier"] != configuration["Identifier"] == declarations.identifier(SCOPE, BAN)
    assert "ServerToken" not in configuration, "KMFDDM makes it"


def test_a_ban_without_apps_has_none():
    with pytest.raises(ValueError, match="without apps"):
        declarations.for_ban(SCOPE, BAN, [])


def test_names_stay_as_they_are():
    """Written down: declarations of an earlier release are found, and withdrawn, by these names."""
    assert declarations.identifier("all/declarations", "0123456789abcdef") == "proscribe-0123456789abcdef-cd10d59ec8b8"
    assert declarations.set_name("all/declarations") == "proscribe-all-declarations-67623c83c788"


@given(SCOPES, SCOPES)
def test_names_fit_where_they_go(scope, ban):
    """64 octets (declarationbase.yaml), part of a URL's path, and no dot: KMFDDM joins names in its store by dots."""
    _, activation = declarations.for_ban(scope, ban, ["a.a"])
    names = [declarations.identifier(scope, ban), activation["Identifier"], declarations.set_name(scope)]
    for name in names:
        assert re.fullmatch(r"[a-z0-9-]{1,64}", name)
        assert quote(name, safe="") == name
    assert len(set(names)) == 3


@given(st.sets(st.tuples(SCOPES, SCOPES), min_size=2, max_size=6))
def test_every_ban_in_every_scope_has_its_own(wishes):
    assert len({declarations.identifier(*wish) for wish in wishes}) == len(wishes)
    scopes = {scope for scope, _ in wishes}
    assert len({declarations.set_name(scope) for scope in scopes}) == len(scopes)


@pytest.mark.parametrize("other", ["garde côtière/declarations", "Garde cotiere/declarations", "Garde côtière"])
def test_scopes_that_look_alike_have_sets_of_their_own(other):
    assert declarations.set_name(other) != declarations.set_name(SCOPE)
    assert declarations.identifier(other, BAN) != declarations.identifier(SCOPE, BAN)
