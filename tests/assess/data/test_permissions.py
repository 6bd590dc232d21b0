"""The pack of permissions, against the platform's lists, its rules, and cases that a person can check."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from androguard.core.api_specific_resources import load_permissions

ROOT = Path(__file__).parents[3]
PACK = ROOT / "src/proscribe/assess/data/permissions.jsonl"

# What the platform's documentation, or everyday use of a phone, says of each; written down by hand.
KNOWN = {
    "android.permission.INTERNET": "automatic",
    "android.permission.QUERY_ALL_PACKAGES": "automatic",
    "android.permission.RECEIVE_BOOT_COMPLETED": "automatic",
    "android.permission.FOREGROUND_SERVICE": "automatic",
    "android.permission.READ_CONTACTS": "prompt",
    "android.permission.ACCESS_FINE_LOCATION": "prompt",
    "android.permission.ACCESS_BACKGROUND_LOCATION": "prompt",
    "android.permission.RECORD_AUDIO": "prompt",
    "android.permission.READ_PHONE_STATE": "prompt",
    "android.permission.READ_MEDIA_IMAGES": "prompt",
    "android.permission.BLUETOOTH_SCAN": "prompt",
    "android.permission.REQUEST_IGNORE_BATTERY_OPTIMIZATIONS": "prompt",
    "android.permission.health.READ_HEART_RATE": "prompt",
    "android.permission.SYSTEM_ALERT_WINDOW": "special_access",
    "android.permission.PACKAGE_USAGE_STATS": "special_access",
    "android.permission.MANAGE_EXTERNAL_STORAGE": "special_access",
    "android.permission.REQUEST_INSTALL_PACKAGES": "special_access",
    "android.permission.WRITE_SETTINGS": "special_access",
    "android.permission.SCHEDULE_EXACT_ALARM": "special_access",
    "android.permission.BIND_ACCESSIBILITY_SERVICE": "special_access",
    "android.permission.BIND_NOTIFICATION_LISTENER_SERVICE": "special_access",
    "android.permission.BIND_INPUT_METHOD": "special_access",
    "android.permission.BIND_VPN_SERVICE": "prompt",
    "android.permission.BIND_JOB_SERVICE": "automatic",
    "android.permission.BIND_DEVICE_ADMIN": "administrator",
    "android.permission.MANAGE_DEVICE_POLICY_WIPE_DATA": "administrator",
    "android.permission.READ_PRIVILEGED_PHONE_STATE": "never",
    "android.permission.INSTALL_PACKAGES": "never",
    "android.permission.WRITE_SECURE_SETTINGS": "never",
    "android.permission.READ_LOGS": "never",
    "android.permission.INJECT_EVENTS": "never",
    "android.permission.CAPTURE_AUDIO_OUTPUT": "never",
    "android.permission.BIND_TRUST_AGENT": "never",
    "com.google.android.gms.permission.AD_ID": "automatic",
}


@pytest.fixture(scope="session")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_permissions", ROOT / "tools" / "make_permissions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "grant"), KNOWN.items())
def test_who_must_agree(permissions, name, grant):
    assert permissions[name]["grant"] == grant


def test_every_permission_of_the_newest_level_is_there_as_androguard_reads_it(permissions):
    newest: Mapping[str, Mapping[str, Any]] = load_permissions(36)
    assert len(newest) > 1000
    assert {name: entry["protectionLevel"] for name, entry in newest.items()} == {
        name: permissions[name]["protection"] for name in newest
    }
    assert not [name for name in newest if "until" in permissions[name]]


def test_since_and_until_are_the_first_and_last_list_that_has_it(permissions):
    at_30 = set(load_permissions(30))
    at_31 = set(load_permissions(31))
    first_31 = {name for name, row in permissions.items() if row["source"] != "health" and row.get("since") == 31}
    assert "android.permission.BLUETOOTH_SCAN" in first_31
    platform = {row["name"] for row in permissions.values() if row["source"] not in {"health", "adservices", "makers"}}
    assert first_31 == (at_31 - at_30) & platform - set(load_permissions(29))
    gone_30 = {name for name, row in permissions.items() if row.get("until") == 30}
    assert gone_30 == {name for name in at_30 - at_31 if name not in load_permissions(36)}
    assert gone_30


@pytest.mark.parametrize(
    ("protection", "grant"),
    [
        ("normal", "automatic"),
        ("normal|instant", "automatic"),
        ("dangerous", "prompt"),
        ("dangerous|runtime", "prompt"),
        ("signature", "never"),
        ("signature|privileged", "never"),
        ("signature|privileged|development", "never"),
        ("signature|appop", "never"),  # no settings screen is known for it
        ("internal|role", "never"),
        ("role|signature|privileged", "never"),
        ("signature|system", "never"),
        ("", "never"),
    ],
)
def test_the_protection_level_decides_where_no_table_does(tool, protection, grant):
    assert tool.grant("android.permission.SOME_NEW_ONE", protection) == (grant, "aosp")


def test_a_signature_permission_counts_only_where_a_table_gives_a_reason(permissions, tool):
    """The classic false alarm: a permission no store app can hold, counted because the manifest asks for it."""
    reasons = {name for names, _, _ in tool.TABLES for name in names}
    for name, row in permissions.items():
        words = row["protection"].split("|")
        if row["grant"] != "never" and {"signature", "internal"} & set(words):
            assert name in reasons or name.startswith(tool.DEVICE_POLICY), name


def test_every_name_of_a_table_exists_on_the_platform(tool):
    listed = {name for names in tool.levels().values() for name in names}
    for names, _, source in tool.TABLES:
        assert names <= listed, (source, names - listed)


def test_no_name_stands_in_two_tables(tool):
    names = [name for table, _, _ in tool.TABLES for name in table]
    assert len(names) == len(set(names))


def test_the_tables_hold_only_what_the_level_alone_would_get_wrong(tool):
    """A row in a table that repeats the level's own answer would hide the next change of the level."""
    level = tool.levels()[36]
    for names, who, source in tool.TABLES:
        for name in names & set(level):
            plain = next((tool.BY_LEVEL[word] for word in level[name].split("|") if word in tool.BY_LEVEL), "never")
            assert plain != who, (source, name)


def test_making_the_pack_again_changes_nothing(tool, tmp_path):
    copy = tmp_path / "permissions.jsonl"
    copy.write_bytes(PACK.read_bytes())
    assert tool.main([str(copy)]) == 0
    assert copy.read_bytes() == PACK.read_bytes()


def test_making_it_again_repairs_platform_rows_and_keeps_the_others(tool):
    shipped = PACK.read_text("utf-8")
    header, *rows = shipped.splitlines()
    damaged = [json.loads(row) for row in rows]
    damaged = [row for row in damaged if row["name"] != "android.permission.CAMERA"]
    for row in damaged:
        if row["name"] == "android.permission.INTERNET":
            row["grant"] = "never"
    text = "".join(line + "\n" for line in (header, *map(tool.line, damaged)))
    assert tool.remake(text, tool.levels()) == shipped


def test_other_rows_do_not_shadow_the_platform(permissions, tool):
    listed = {name for names in tool.levels().values() for name in names}
    others = {name for name, row in permissions.items() if row["source"] not in tool.GENERATED}
    assert len(others) > 100
    assert not others & listed
