"""The pack of APIs, against compiled platforms, androguard's mapping, and the libraries inside real packages."""

from __future__ import annotations

import re
import struct
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from androguard.core.api_specific_resources import load_permission_mappings

from proscribe.assess.packs.model import ApiKind

MEMBERS = {"method", "field", "callback"}

SYNTAX = {
    "method": re.compile(r"L[\w/$]+;->(<init>|\w+)"),
    "field": re.compile(r"L[\w/$]+;->[A-Z]\w*"),
    "callback": re.compile(r"L[\w/$]+;->\w+"),
    "uri": re.compile(r"content://[\w./-]+"),
    "string": re.compile(r"\S+"),
    "native": re.compile(r"\w+"),
    "macho": re.compile(r"_\w+|_OBJC_CLASS_\$_\w+"),
    "library": re.compile(r"[\w.]+"),
}

# Where androguard's mapping of API 25 and the pack have no permission in common, and why the pack is right today.
DIFFERS_FROM_API_25 = {
    "since Android 10 the phone permission opens no identifiers of device and SIM": {
        "Landroid/telephony/TelephonyManager;->getDeviceId",
        "Landroid/telephony/TelephonyManager;->getSimSerialNumber",
        "Landroid/telephony/TelephonyManager;->getSubscriberId",
    },
    "the mapping saw only a check on the way there; the documentation asks for the phone permission": {
        "Landroid/telephony/TelephonyManager;->getLine1Number",
        "Landroid/telephony/TelephonyManager;->getVoiceMailNumber",
    },
    "results come only with the location permission since Android 6, or with BLUETOOTH_SCAN since Android 12": {
        "Landroid/bluetooth/BluetoothAdapter;->startDiscovery",
        "Landroid/bluetooth/BluetoothAdapter;->startLeScan",
        "Landroid/bluetooth/le/BluetoothLeScanner;->startScan",
    },
    "networks around are told only with the location permission since Android 8": {
        "Landroid/net/wifi/WifiManager;->getConfiguredNetworks",
        "Landroid/net/wifi/WifiManager;->getScanResults",
        "Landroid/net/wifi/WifiManager;->startScan",
    },
    "the capability is following with the app closed, which has a permission of its own since Android 10": {
        "Landroid/location/LocationManager;->addProximityAlert",
    },
}


def parts(row):
    owner, _, member = row["watch"].partition(";->")
    return owner[1:], member


def described(row):
    return f"{row['kind']} {row['watch']} {row['capability']} {row.get('argument', '')}"


# ---- form ----------------------------------------------------------------------------------------------------------


def test_every_kind_is_used_and_written_its_way(apis):
    assert {row["kind"] for row in apis} == set(ApiKind)
    for row in apis:
        assert SYNTAX[row["kind"]].fullmatch(row["watch"]), described(row)


def test_no_row_twice(apis):
    key = [(row["kind"], row["watch"], row["capability"], row.get("argument"), row.get("signature")) for row in apis]
    assert not [one for one, times in Counter(key).items() if times > 1]


def test_rows_name_capabilities_of_their_platform(apis, capabilities):
    for row in apis:
        platform = "ios" if row["kind"] in {"macho", "library"} else "android"
        assert capabilities[row["capability"]]["platform"] == platform, described(row)


def test_permissions_are_in_their_pack(apis, permissions):
    for row in apis:
        assert not [name for name in row.get("permission", ()) if name not in permissions], described(row)


def test_rows_of_one_member_gate_one_capability_in_one_way(apis):
    """The same member with and without a permission, for one capability, would always count without it."""
    gates = defaultdict(set)
    for row in apis:
        gates[row["kind"], row["watch"], row["capability"]].add(tuple(sorted(row.get("permission", ()))))
    assert not [one for one, found in gates.items() if len(found) > 1]


def test_a_callback_that_any_body_would_meet_asks_for_a_trivial_one(apis):
    """A trust manager is ordinary code; only one that checks nothing is a finding."""
    for row in apis:
        if row["kind"] == "callback" and row["capability"] == "PSB-A-NETWORK-02":
            assert row.get("argument") in {"empty-body", "always-true"}, described(row)


def test_arguments_stand_where_the_member_alone_means_nothing(apis):
    for row in apis:
        if row["watch"] == "Landroid/provider/Settings$Secure;->getString":
            assert row.get("argument"), described(row)


_MINIFIED_ON_ITS_OWN = "com.google.android.gms.dynamite"  # its classes have new names with every release


def test_callers_left_out_are_classes(apis):
    """A whole package would be a place to hide: anybody may put a class under androidx."""
    found = [caller for row in apis for caller in row.get("unless", ())]
    assert found
    for caller in set(found) - {_MINIFIED_ON_ITS_OWN}:
        assert re.fullmatch(r"[a-z]\w*(\.\w+)*\.[A-Z]\w*", caller), caller


def test_every_source_is_used_and_used_ones_are_known(apis, capabilities, permissions, headers):
    rows = {"apis": apis, "capabilities": list(capabilities.values()), "permissions": list(permissions.values())}
    for name, header in headers.items():
        assert {row["source"] for row in rows[name]} == {source["id"] for source in header["sources"]}, name


# ---- truth ---------------------------------------------------------------------------------------------------------


def has(framework, name, member, *, field):
    above, fields, methods = framework.get(name, ([], set(), set()))
    return member in (fields if field else methods) or any(has(framework, one, member, field=field) for one in above)


def test_members_of_the_platform_exist_in_its_compiled_classes(apis, framework):
    checked = 0
    for row in apis:
        if row["kind"] in MEMBERS and row["source"] == "android-api":
            name, member = parts(row)
            assert name in framework, f"{name}: add it to framework_members.txt from a compiled platform"
            assert has(framework, name, member, field=row["kind"] == "field"), described(row)
            checked += 1
    assert checked > 400


def test_the_oracle_of_compiled_classes_can_say_no(framework):
    name = "android/location/LocationManager"
    assert has(framework, name, "getLastKnownLocation", field=False)
    assert not has(framework, name, "getLastKnownLocations", field=False)
    assert not has(framework, name, "getLastKnownLocation", field=True)


def test_permissions_agree_with_the_platforms_own_annotations(apis):
    """androguard's mapping of API 25, made by others from AOSP: where it knows a member, one permission is common."""
    mapping = defaultdict(set)
    for method, permissions in load_permission_mappings(25).items():
        owner, name, *_ = method.split("-")
        mapping[f"{owner}->{name}"].update(permissions)
    checked, differs = 0, set()
    for row in apis:
        if row["kind"] == "method" and row.get("permission") and row["watch"] in mapping:
            checked += 1
            if not set(row["permission"]) & mapping[row["watch"]]:
                differs.add(row["watch"])
    assert checked > 20
    assert differs == set().union(*DIFFERS_FROM_API_25.values())


def tables(dex):
    """Classes with their supertypes, and the members that a dex file names. For well-formed files only."""
    counts = struct.unpack_from("<12I", dex, 0x38)
    strings = [text(dex, struct.unpack_from("<I", dex, counts[1] + 4 * i)[0]) for i in range(counts[0])]
    types = [strings[i] for i in struct.unpack_from(f"<{counts[2]}I", dex, counts[3])]
    members = defaultdict(set)
    for size, start in ((counts[6], counts[7]), (counts[8], counts[9])):
        for i in range(size):
            owner, _, name = struct.unpack_from("<HHI", dex, start + 8 * i)
            members[types[owner]].add(strings[name])
    above = {}
    for i in range(counts[10]):
        own, _, parent, interfaces = struct.unpack_from("<4I", dex, counts[11] + 32 * i)
        names = [types[parent]] if parent != 0xFFFFFFFF else []
        if interfaces:
            size = struct.unpack_from("<I", dex, interfaces)[0]
            names += [types[one] for one in struct.unpack_from(f"<{size}H", dex, interfaces + 4)]
        above[types[own]] = names
    return above, members


def text(dex, offset):
    while dex[offset] & 0x80:
        offset += 1
    return dex[offset + 1 : dex.index(0, offset + 1)].decode("utf-8", "replace")


@pytest.mark.samples
def test_members_of_libraries_exist_where_a_real_package_holds_the_library(apis, samples: Path):
    above: dict[str, list[str]] = {}
    members: dict[str, set[str]] = defaultdict(set)
    for name in ("Yosemite", "nearby_snippet", "app-uiautomator", "settings_apk-debug"):
        with zipfile.ZipFile(samples / "apk" / f"{name}.apk") as package:
            for entry in package.namelist():
                if re.fullmatch(r"classes\d*\.dex", entry):
                    more, named = tables(package.read(entry))
                    above.update(more)
                    for owner, found in named.items():
                        members[owner] |= found

    def known(owner, member):
        return member in members[owner] or any(known(one, member) for one in above.get(owner, ()))

    checked = 0
    for row in apis:
        if row["kind"] in MEMBERS and not row["source"].startswith("android-"):
            owner, member = parts(row)
            if f"L{owner};" in above:
                checked += 1
                assert known(f"L{owner};", member), described(row)
    assert checked >= 25
