"""The exports hold what their truth says, read here without any of Proscribe's own readers."""

from __future__ import annotations

import csv
import json
import unicodedata

from proscribe.simulate.exports import Source
from proscribe.simulate.exports.writers import INTUNE_HEADER, REGISTER_HEADER

# What the files say, read as a person would: by label, app name and app id.
NAMES = {
    "tencent/wechat": "WeChat",
    "bytedance/tiktok": "TikTok",
    "kaspersky/password-manager": "Kaspersky Password Manager",
}
IDS = {
    "tencent/wechat": {"com.tencent.mm", "com.tencent.xin"},
    "bytedance/tiktok": {"com.zhiliaoapp.musically"},
    "kaspersky/password-manager": {"com.kaspersky.passwordmanager"},
}


def seen(written) -> dict[Source, list[tuple[str, str, str]]]:
    """(label, app id, app name) of every good row, by system."""
    found: dict[Source, list[tuple[str, str, str]]] = {}
    with written["intune"].open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["DeviceId"]]
    found[Source.intune] = [(row["DeviceName"], "", row["ApplicationName"]) for row in rows]
    found[Source.jamf] = [
        (device["general"]["displayName"], app["identifier"], app["name"])
        for device in json.loads(written["jamf"].read_text("utf-8"))["results"]
        if "mobileDeviceId" in device
        for app in device["applications"]
    ]
    found[Source.fleet] = [
        (host["display_name"], app.get("bundle_identifier", "") or app.get("application_id", ""), app["name"])
        for host in json.loads(written["fleet"].read_text("utf-8"))["hosts"]
        if "id" in host
        for app in host["software"]
    ]
    with written["register"].open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter=";") if row["Identifiant de l'appareil"]]
    found[Source.register] = [
        (row["Identifiant de l'appareil"], row["Identifiant de l'application"], row["Nom de l'application"])
        for row in rows
    ]
    return found


def test_counts_of_rows_and_phones(written, truth):
    found = seen(written)
    assert {source: len(rows) for source, rows in found.items()} == truth.installs
    assert {source: len({label for label, _, _ in rows}) for source, rows in found.items()} == truth.listed
    assert len({label for rows in found.values() for label, _, _ in rows}) == truth.devices == 900


def test_holders_are_who_the_files_say(written, truth):
    holders = {product: set() for product in NAMES}
    for rows in seen(written).values():
        for label, app_id, name in rows:
            for product, names in NAMES.items():
                if app_id in IDS[product] or (not app_id and name == names):
                    holders[product].add(label)
    clones = truth.lookalikes.get("same_name", frozenset())
    for product, labels in holders.items():
        assert labels - clones == truth.holders.get(product, frozenset()) - clones


def test_lookalikes_have_a_letter_of_another_alphabet(written, truth):
    odd = {
        label
        for rows in seen(written).values()
        for label, _, name in rows
        if any("CYRILLIC" in unicodedata.name(letter, "") for letter in name)
    }
    assert odd == truth.lookalikes["homoglyph"]
    assert odd


def test_nothing_personal_is_in_a_half_seen_phone(written, truth):
    banned = set().union(*IDS.values())
    for rows in seen(written).values():
        assert not [label for label, app_id, _ in rows if label in truth.half_seen and app_id in banned]
    assert truth.hidden["bytedance/tiktok"] <= truth.half_seen
    assert truth.hidden["bytedance/tiktok"]


def test_two_systems_list_some_phones_under_one_serial_number(written, truth):
    jamf = {
        device["hardware"]["serialNumber"]
        for device in json.loads(written["jamf"].read_text("utf-8"))["results"]
        if "mobileDeviceId" in device
    } - {""}
    hosts = json.loads(written["fleet"].read_text("utf-8"))["hosts"]
    fleet = {host["hardware_serial"]: host["display_name"] for host in hosts if host.get("hardware_serial")}
    assert {fleet[serial] for serial in jamf & fleet.keys()} == truth.twice


def test_bad_rows_are_there(written, truth):
    with written["intune"].open(encoding="utf-8-sig", newline="") as stream:
        bad_intune = sum(not row["DeviceId"] for row in csv.DictReader(stream))
    with written["register"].open(encoding="utf-8", newline="") as stream:
        bad_register = sum(not row["Identifiant de l'appareil"] for row in csv.DictReader(stream, delimiter=";"))
    results = json.loads(written["jamf"].read_text("utf-8"))["results"]
    hosts = json.loads(written["fleet"].read_text("utf-8"))["hosts"]
    assert truth.bad_rows == {
        Source.intune: bad_intune,
        Source.jamf: sum("mobileDeviceId" not in device for device in results),
        Source.fleet: sum("id" not in host for host in hosts),
        Source.register: bad_register,
    }
    assert all(truth.bad_rows.values())


def test_files_look_as_their_systems_write_them(written):
    intune, register = written["intune"].read_bytes(), written["register"].read_bytes()
    assert intune.startswith(b"\xef\xbb\xbf" + ",".join(INTUNE_HEADER).encode() + b"\r\n")
    assert register.startswith(";".join(REGISTER_HEADER).encode() + b"\r\n")


def test_people_obey_in_part_and_one_relapses(truth_of):
    before, after, later = truth_of("before"), truth_of("after"), truth_of("later")
    removed = set()
    for product, holders in before.holders.items():
        assert after.holders[product] < holders, product
        removed |= {(product, label) for label in holders - after.holders[product]}
    back = {(product, label) for product in later.holders for label in later.holders[product] - after.holders[product]}
    assert len({label for _, label in back}) == 1
    assert back <= removed
    assert before.lookalikes == after.lookalikes == later.lookalikes


def test_shares_are_those_of_a_plausible_department(truth_of):
    before = truth_of("before")
    for product, holders in before.holders.items():
        share = (len(holders) + len(before.hidden.get(product, ()))) / before.devices
        assert 0.003 < share < 0.05, product
    assert 0 < len(before.stale) < before.devices * 0.06
    assert len(before.half_seen) > before.devices * 0.08


def test_the_same_seed_gives_the_same_bytes(tmp_path, write):
    one, two, other = write(tmp_path / "1"), write(tmp_path / "2"), write(tmp_path / "3", seed=1)
    assert {name: path.read_bytes() for name, path in one.items()} == {
        name: path.read_bytes() for name, path in two.items()
    }
    assert one["jamf"].read_bytes() != other["jamf"].read_bytes()
