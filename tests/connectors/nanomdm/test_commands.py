"""The wording of commands; that they fit Apple's schema is shown in test_apple_schema."""

from __future__ import annotations

import plistlib
import uuid

import pytest

from proscribe.connectors.nanomdm import commands

APP = "com.tencent.xin"


def test_the_envelope_is_what_nanomdm_reads():
    """mdm/command.go wants CommandUUID and Command.RequestType; PostgreSQL wants ``<?xml`` at the start."""
    body = commands.as_plist("U-1", commands.remove(APP))
    assert body.startswith(b"<?xml")
    assert plistlib.loads(body) == {
        "CommandUUID": "U-1",
        "Command": {"RequestType": "RemoveApplication", "Identifier": APP},
    }


def test_the_same_command_has_the_same_bytes():
    one = {"RequestType": "InstallApplication", "Identifier": APP}
    assert commands.as_plist("U", one) == commands.as_plist("U", dict(reversed(one.items())))


def test_the_same_wish_has_the_same_uuid():
    """Written down, as commands of an earlier release may still be on their way."""
    assert commands.command_uuid("remove", "A1B2", "1", APP, "1") == "92F1A145-8F23-544A-821B-57F1C14BEE2C"


def test_a_uuid_follows_from_every_part():
    wishes = [("ask", "ab", "c"), ("ask", "a", "bc"), ("ask", "abc"), ("ask", "ab", "c", ""), ("Ask", "ab", "c")]
    made = {commands.command_uuid(*wish) for wish in wishes}
    assert len(made) == len(wishes)
    assert all(uuid.UUID(one).version == 5 and one == one.upper() for one in made)


def test_lists_name_each_app_once_and_in_order():
    named = ["b.b", "a.a", "b.b"]
    assert commands.app_list(named, managed_only=True)["Identifiers"] == ["a.a", "b.b"]
    assert commands.managed_list(iter(named))["Identifiers"] == ["a.a", "b.b"]


@pytest.mark.parametrize("ask", [lambda: commands.app_list([], managed_only=False), lambda: commands.managed_list([])])
def test_nobody_is_asked_for_all_apps(ask):
    """An empty list would be a question about everything on a person's phone."""
    with pytest.raises(ValueError, match="no app is named"):
        ask()


@pytest.mark.parametrize("managed_only", [True, False])
def test_a_list_is_limited_to_managed_apps_where_it_has_to_be(managed_only):
    command = commands.app_list([APP], managed_only=managed_only)
    assert command["ManagedAppsOnly"] is managed_only
    assert "Items" not in command, "Source cannot be asked for by name, and would not come"


def test_a_device_under_user_enrolment_is_not_asked_which_one_it_is():
    all_of_them = set(commands.information()["Queries"])
    assert all_of_them - set(commands.information(user_enrolment=True)["Queries"]) == {"SerialNumber", "UDID"}
    assert {"OSVersion", "IsSupervised"} <= all_of_them


def test_a_conversion_takes_over_what_is_there():
    command = commands.convert(APP)
    assert command["RequestType"] == "InstallApplication"
    assert command["ChangeManagementState"] == "Managed"
    assert "ManagementFlags" not in command, "the app is to go, not to follow the enrolment"


def test_a_profile_travels_as_data():
    body = commands.as_plist("U", commands.install_profile(b"\x30\x82\xff\x00"))
    assert plistlib.loads(body)["Command"]["Payload"] == b"\x30\x82\xff\x00"


def test_commands_without_words_of_their_own():
    assert commands.profile_list() == {"RequestType": "ProfileList"}
    assert commands.declarative_management() == {"RequestType": "DeclarativeManagement"}
    assert commands.remove_profile("x.y") == {"RequestType": "RemoveProfile", "Identifier": "x.y"}
