"""Every format, from its fixture: which devices, which apps, and what is said to be unknown."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import plistlib
import zipfile
from pathlib import Path

import pytest

from proscribe.errors import ProscribeError
from proscribe.inventory.importers.amapi import device_record
from proscribe.inventory.importers.base import UnusableRecord
from proscribe.inventory.importers.registry import IMPORTERS
from proscribe.inventory.model import Freshness
from proscribe.terms import Enrolment, Held, Side

FILES = {
    "amapi-devices.json": ("amapi-devices", 8, 10),
    "intune-appinvrawdata.csv": ("intune-appinvrawdata", 5, 7),
    "intune-graph.json": ("intune-graph", 4, 4),
    "jamf-mobile-devices.json": ("jamf-mobile-devices", 6, 4),
    "jamf-export.csv": ("jamf-csv", 3, 4),
    "fleet-hosts.json": ("fleet-hosts", 4, 3),
    "apple-installedapplicationlist.plist": ("apple-installedapplicationlist", 4, 4),
    "adb-packages.txt": ("adb-packages", 2, 4),
    "generic.csv": ("generic-csv", 7, 9),
    "generic-fr.csv": ("generic-csv", 7, 9),
    "generic.jsonl": ("generic-jsonl", 7, 9),
    "generic.parquet": ("generic-parquet", 7, 9),
}


def test_the_fixtures_are_what_their_script_writes(exports, tmp_path):
    spec = importlib.util.spec_from_file_location("make_exports", exports / "make_exports.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write(tmp_path)
    names = {path.name for path in exports.iterdir() if path.suffix not in (".py", ".md") and path.is_file()}
    assert names == set(FILES) == {path.name for path in tmp_path.iterdir()}
    for name in names - {"generic.parquet"}:  # the Parquet writer notes its own version
        assert (tmp_path / name).read_bytes() == (exports / name).read_bytes(), name


@pytest.mark.parametrize("name", FILES)
def test_each_fixture_is_recognised_and_counted(name, exports, read):
    form, devices, installs = FILES[name]
    found = read(exports / name)
    (source,) = found.snapshot.manifest.sources
    assert (source.format, source.devices, source.installs) == (form, devices, installs)
    assert source.complete
    assert source.bad_rows == 0
    assert source.unknown_fields == ()
    assert len(found.devices) == devices
    assert len(found.installs) == installs == found.snapshot.manifest.installs_seen


@pytest.mark.parametrize("name", FILES)
def test_recognition_goes_by_content_and_one_importer_claims_a_file(name, exports, read, tmp_path):
    from proscribe.inventory.detect import look
    from proscribe.inventory.opening import Opened

    disguised = tmp_path / "whatever.xlsx"
    disguised.write_bytes((exports / name).read_bytes())
    assert read(disguised).snapshot.manifest.sources[0].format == FILES[name][0]
    head = look(Opened(name, io.BytesIO((exports / name).read_bytes())))
    claims = [importer.NAME for importer in IMPORTERS if importer.recognises(head)]
    assert claims[0] == FILES[name][0]
    assert all(claim.startswith("generic-") for claim in claims[1:])  # common words, asked last


@pytest.mark.parametrize("name", FILES)
def test_gzip_and_zip_are_read_as_they_are(name, exports, read):
    plain = read(exports / name)
    data = (exports / name).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"folder/{name}", data)
        archive.writestr("__MACOSX/._x", b"litter")
    for form in (gzip.compress(data), packed.getvalue(), gzip.compress(data) + b"\0" * 512):
        again = read(form)
        assert again.installs == plain.installs
        assert again.devices.keys() == plain.devices.keys()


def test_amapi(exports, read):
    found = read(exports / "amapi-devices.json")
    base = "amapi:enterprises/LC0northern/devices/"
    by = {key.removeprefix(base).lstrip("0"): row for key, row in found.devices.items()}
    assert [by[n]["enrolment"] for n in "1234"] == ["fully_managed", "cope", "byod", "fully_managed"]
    assert [by[n]["sees"] for n in "1234"] == ["all_apps", "work_side", "work_side", "unknown"]
    assert by["4"]["remarks"] == ["no-app-reports"]
    assert by["2"]["remarks"] == ["noncompliant:APP_INSTALLED:com.zhiliaoapp.musically"]
    assert by["7"]["remarks"] == ["state:DISABLED"]
    assert by["1"]["scope"] == by["1"]["applied_scope"] == "enterprises/LC0northern/policies/keepers"
    assert by["1"]["applied_version"] == 12
    assert by["1"]["freshness"] == "observed"
    assert by["6"]["observed_at"].year == 2023
    assert by["8"]["observed_at"] is None
    assert by["8"]["freshness"] == "imported"
    assert "in the future" in found.whats()
    assert by["1"]["department"] == "Keepers"
    assert (
        f"{base}0000000000000005",
        "com.kms.free",
        "Kaspersky",
        "whole",
        "unknown",
        True,
        "8.0.50",
    ) in found.installs
    assert (f"{base}0000000000000007", "com.android.settings", "Settings", "whole", "system", False, "8.0.50") in (
        found.installs
    )
    assert {row["signer"] for row in found.apps if row["name"] == "TikTok"} == {
        "9041803e91bcb814b4b4399fb5c85a91640b755e5e8ba76813814bf4cf2ab5ba"
    }


@pytest.mark.parametrize(
    ("device", "enrolment"),
    [
        ({"managementMode": "DEVICE_OWNER", "ownership": "COMPANY_OWNED"}, Enrolment.fully_managed),
        ({"managementMode": "PROFILE_OWNER", "ownership": "COMPANY_OWNED"}, Enrolment.cope),
        ({"managementMode": "PROFILE_OWNER", "ownership": "PERSONALLY_OWNED"}, Enrolment.byod),
        ({"managementMode": "PROFILE_OWNER"}, Enrolment.unknown),
        ({"managementMode": "DEVICE_OWNER", "ownership": "PERSONALLY_OWNED"}, Enrolment.unknown),
        ({}, Enrolment.unknown),
    ],
)
def test_amapi_enrolment_follows_from_mode_and_ownership(device, enrolment):
    record, installs = device_record({"name": "enterprises/e/devices/d", **device})
    assert record.enrolment is enrolment
    assert installs == []
    assert record.remarks == ("no-app-reports",)
    assert record.freshness is Freshness.imported


@pytest.mark.parametrize(
    ("report", "signer"),
    [
        ({"signingKeyCerts": [{"signingKeyCertFingerprintSha256": "q" * 43 + "="}]}, None),
        ({"signingKeyCerts": [{"signingKeyCertFingerprintSha256": "AB" * 32}]}, "ab" * 32),
        ({"signingKeyCertFingerprints": ["ab:" * 31 + "AB"]}, "ab" * 32),
        ({"signingKeyCertFingerprints": ["ab" * 20]}, ""),  # SHA-1 proves nothing here
        ({"signingKeyCerts": "nonsense", "signingKeyCertFingerprints": None}, ""),
        ({}, ""),
    ],
)
def test_amapi_signer(report, signer):
    record, (install,) = device_record(
        {"name": "enterprises/e/devices/d", "applicationReports": [{"packageName": "a.b", **report}]}
    )
    assert install.app.signer == (signer if signer is not None else bytes.fromhex(install.app.signer).hex())
    assert signer is not None or len(install.app.signer) == 64
    assert record.remarks == ()


def test_amapi_device_without_a_name_is_refused_and_wrong_types_do_no_harm():
    with pytest.raises(UnusableRecord) as error:
        device_record({"applicationReports": []})
    assert error.value.where.field == "name"
    record, installs = device_record(
        {
            "name": "enterprises/e/devices/d",
            "managementMode": "DEVICE_OWNER",
            "hardwareInfo": "?",
            "softwareInfo": None,
            "appliedPolicyVersion": "later",
            "lastStatusReportTime": 5,
            "enrollmentTokenData": "{broken",
            "nonComplianceDetails": [None, {"settingName": "passwordPolicies", "nonComplianceReason": "USER_ACTION"}],
            "applicationReports": [None, {"displayName": "no package"}, {"packageName": "a.b", "state": "REMOVED"}],
        }
    )
    assert record.applied_version == 0
    assert record.department == ""
    assert record.remarks == ("noncompliant:USER_ACTION:passwordPolicies",)
    assert [(i.app.app_id, i.removed, i.side, i.held) for i in installs] == [("a.b", True, Side.whole, Held.unknown)]


def test_amapi_forms_one_page_an_array_of_pages_lines_and_pages_in_sequence(exports, read):
    text = (exports / "amapi-devices.json").read_text()
    whole = read(exports / "amapi-devices.json")
    decoder = json.JSONDecoder()
    first, end = decoder.raw_decode(text)
    second, _ = decoder.raw_decode(text[end:].lstrip())
    devices = [*first["devices"], *second["devices"]]
    forms = [
        json.dumps({"devices": devices}),
        json.dumps({"nextPageToken": "x", "devices": devices}),
        json.dumps([first, second]),
        json.dumps(devices),
        "\n".join(json.dumps(device) for device in devices),
        json.dumps(first) + json.dumps(second),
    ]
    for form in forms:
        assert read(form).installs == whole.installs


def test_amapi_report_without_a_package_is_listed(read):
    page = {
        "devices": [
            {"name": "enterprises/e/devices/d", "policyName": "p", "applicationReports": [{"displayName": "X"}]}
        ]
    }
    found = read(json.dumps(page))
    assert (1, "applicationReports.packageName") in found.problems
    assert found.installs == set()


def test_intune_report_gives_names_only(exports, read):
    found = read(exports / "intune-appinvrawdata.csv")
    assert {row["app_id"] for row in found.apps} == {""}
    assert {row["sees"] for row in found.devices.values()} == {"unknown"}
    assert {row["freshness"] for row in found.devices.values()} == {"imported"}
    assert "class of which nothing is known" in found.whats()
    assert {row["name"] for row in found.apps} >= {'Fog "Horn" Trainer', "We\u0421hat"}
    assert not any("lighthouses.example" in str(row) for row in [*found.devices.values(), *found.apps])


def test_intune_devices_complete_the_report(exports, read):
    found = read(exports / "intune-appinvrawdata.csv", exports / "intune-graph.json")
    one = found.devices["intune:00000000-0000-4000-8000-000000000001"]
    assert (one["enrolment"], one["serial"], one["department"]) == ("supervised", "NLI0000001", "Charts")
    two = found.devices["intune:00000000-0000-4000-8000-000000000002"]
    assert (two["enrolment"], two["sees"]) == ("user_enrolment", "managed_apps")
    assert "ownership:personal" in two["remarks"]
    assert len(found.devices) == 6


def test_intune_graph(exports, read):
    found = read(exports / "intune-graph.json")
    prefix = "intune:00000000-0000-4000-8000-00000000000"
    assert found.pairs() == {
        (prefix + "1", "Tide Tables"),
        (prefix + "2", "Tide Tables"),
        (prefix + "1", "WeChat"),
        (prefix + "3", "TikTok"),
    }
    assert found.devices[prefix + "3"]["enrolment"] == "byod"
    assert found.devices[prefix + "9"]["remarks"] == ["ownership:company", "no-app-reports"]
    assert found.devices[prefix + "9"]["sees"] == "unknown"
    assert found.devices[prefix + "1"]["freshness"] == "reported"


def test_intune_graph_says_when_an_app_of_a_page_is_missing(read):
    page = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#deviceManagement/detectedApps('gone')/managedDevices",
        "value": [{"id": "1", "deviceName": "x"}, {"deviceName": "no id"}],
    }
    found = read(json.dumps(page))
    assert "gone" in found.whats()
    assert (2, "id") in found.problems
    assert found.devices["intune:1"]["sees"] == "unknown"


def test_jamf_json(exports, read):
    found = read(exports / "jamf-mobile-devices.json")
    assert [found.devices[f"jamf:{n}"]["enrolment"] for n in range(1, 4)] == [
        "supervised",
        "unsupervised",
        "user_enrolment",
    ]
    assert found.devices["jamf:3"]["sees"] == "managed_apps"
    assert found.devices["jamf:4"]["remarks"] == ["no-app-reports"]
    assert found.devices["jamf:5"]["remarks"] == []
    assert found.devices["jamf:5"]["sees"] == "user_apps"
    assert found.devices["jamf:5"]["apps_seen"] == 0
    assert ("jamf:1", "com.tencent.xin", "WeChat", "unknown", "unmanaged", False, "8.0.50") in found.installs
    assert found.devices["jamf:1"]["observed_at"].isoformat() == "2026-11-14T06:15:30+00:00"


def test_jamf_csv_french_and_without_optional_columns(read):
    text = (
        "ID Jamf Pro;Nom d'affichage;Numéro de série;Nom de l'app;Identifiant de l'app;Couleur\r\n"
        "7;Phare;NLQ7777;WeChat;com.tencent.xin;rouge\r\n"
    )
    found = read(text)
    assert found.snapshot.manifest.sources[0].format == "jamf-csv"
    assert found.snapshot.manifest.sources[0].unknown_fields == ("Couleur",)
    assert found.pairs() == {("jamf:7", "com.tencent.xin")}
    assert found.devices["jamf:7"]["enrolment"] == "unknown"
    assert found.devices["jamf:7"]["platform"] == "ios"


def test_fleet(exports, read):
    found = read(exports / "fleet-hosts.json")
    assert found.pairs() == {
        ("fleet:FLEET-0001", "com.tencent.xin"),
        ("fleet:FLEET-0002", "com.deepseek.chat"),
        ("fleet:FLEET-0003", "example.tides"),
    }
    assert [found.devices[f"fleet:FLEET-000{n}"]["enrolment"] for n in range(1, 5)] == [
        "supervised",
        "byod",
        "user_enrolment",
        "unknown",
    ]
    assert found.devices["fleet:FLEET-0004"]["sees"] == "unknown"
    assert found.devices["fleet:FLEET-0001"]["os_version"] == "18.5"


def test_fleet_single_host_and_unnamed_software(read):
    host = {
        "uuid": "U",
        "platform": "ios",
        "hardware_serial": "S",
        "detail_updated_at": "",
        "software": [{"version": "1"}],
    }
    found = read(json.dumps({"host": host}))
    assert list(found.devices) == ["fleet:U"]
    assert found.problems[0] == (1, "software.name")


def test_apple_answers(exports, read):
    found = read(exports / "apple-installedapplicationlist.plist")
    assert found.devices["apple-mdm:E-77"]["enrolment"] == "user_enrolment"
    assert found.devices["apple-mdm:00008101-0002"]["remarks"] == ["no-app-reports", "status:NotNow"]
    assert ("apple-mdm:E-77", "example.tides", "Tide Tables", "unknown", "managed", False, "8.0.50") in found.installs


def test_apple_forms_binary_sequence_and_single(exports, read):
    answers = plistlib.loads((exports / "apple-installedapplicationlist.plist").read_bytes())
    whole = read(exports / "apple-installedapplicationlist.plist")
    binary = [plistlib.dumps(answer, fmt=plistlib.FMT_BINARY) for answer in answers]
    xml = [plistlib.dumps(answer) for answer in answers]
    for form in (plistlib.dumps(answers, fmt=plistlib.FMT_BINARY), b"".join(binary), b"\n".join(xml)):
        again = read(form)
        assert again.installs == whole.installs
        assert again.devices.keys() == whole.devices.keys()
    assert len(read(xml[0]).devices) == 1


def test_apple_faults_are_listed_answer_by_answer(read):
    good = {"UDID": "1", "Status": "Acknowledged", "InstalledApplicationList": [{"Name": "X", "Odd": 1}, {}]}
    bad = [{"Status": "Acknowledged", "InstalledApplicationList": []}, "text", {"UDID": "2", "Status": "Acknowledged"}]
    nested = b"<plist><array><dict><key>a</key>/key><string>b</string></dict></array></dict></plist>"
    found = read(plistlib.dumps([*bad, {**good, "Extra": 1}]) + b"<plist><broken></plist>" + nested)
    assert found.pairs() == {("apple-mdm:1", "X")}
    assert [problem for problem in found.problems if problem[0]] == [
        (1, "UDID"),
        (2, "InstalledApplicationList"),
        (3, "InstalledApplicationList"),
        (4, "InstalledApplicationList.Identifier"),
        (5, ""),
        (6, ""),
    ]
    assert found.snapshot.manifest.sources[0].unknown_fields == ("Extra",)


def test_adb(exports, read):
    found = read(exports / "adb-packages.txt")
    assert found.installs == {
        ("adb:R58NORTH001", "com.android.settings", "", "personal", "system", False, ""),
        ("adb:R58NORTH001", "com.tencent.mm", "", "personal", "unknown", False, ""),
        ("adb:R58NORTH001", "org.buoy", "", "work", "unknown", False, ""),
        ("adb:R58NORTH002", "org.buoy", "", "whole", "unknown", False, ""),
    }
    one = found.devices["adb:R58NORTH001"]
    assert (one["os_version"], one["name"], one["enrolment"], one["freshness"]) == (
        "15",
        "Fanal 7",
        "unmanaged",
        "observed",
    )
    assert found.devices["adb:R58NORTH002"]["freshness"] == "imported"


def test_adb_raw_output_takes_the_name_of_the_file_and_says_so(read, tmp_path):
    path = tmp_path / "R58ABC.txt"
    path.write_text(
        "* daemon started successfully\n\npackage:com.tencent.mm\n"
        "package:/data/app/~~Ym9=/x==/base.apk=org.buoy  installer=null\nerror: device offline\n"
    )
    found = read(path)
    assert found.pairs() == {("adb:R58ABC", "com.tencent.mm"), ("adb:R58ABC", "org.buoy")}
    assert (5, "") in found.problems
    assert (0, "device") in found.problems


def test_generic_forms_agree(exports, read):
    forms = [read(exports / name) for name in ("generic.csv", "generic-fr.csv", "generic.jsonl", "generic.parquet")]
    for form in forms[1:]:
        assert form.installs == forms[0].installs
        assert form.devices == forms[0].devices
        assert {tuple(app.values())[1:] for app in form.apps} == {tuple(app.values())[1:] for app in forms[0].apps}
    one = forms[0]
    assert one.devices["generic:d7"]["observed_at"].year == 2023
    assert ("generic:d3", "com.kaspersky.ios.free", "Kaspersky", "whole", "unmanaged", True, "11.1") in one.installs
    assert [one.devices[f"generic:d{n}"]["sees"] for n in range(1, 8)] == [
        "all_apps",
        "work_side",
        "user_apps",
        "managed_apps",
        "user_apps",
        "work_side",
        "all_apps",
    ]
    assert one.devices["generic:d3"]["apps_seen"] == 1


def test_generic_json_can_say_that_a_list_is_empty_where_a_table_cannot(read):
    found = read('{"device":"a","platform":"android","enrolment":"fully_managed","apps":[],"colour":"red"}\n')
    assert found.devices["generic:a"]["sees"] == "all_apps"
    assert found.snapshot.manifest.sources[0].unknown_fields == ("colour",)
    table = read("device,platform,enrolment,app_id\na,android,fully_managed,\n")
    assert table.devices["generic:a"]["sees"] == "unknown"
    assert table.devices["generic:a"]["remarks"] == ["no-app-reports"]


def test_generic_rows_keep_their_own_system_and_report_words_they_cannot_read(read):
    found = read(
        "device,system,platform,enrolment,app_id,signer,side,held,removed,reported_at\n"
        "1,acme,amiga,mainframe,x.y,xyz,left,someone,perhaps,2026-11-01 10:00\n"
        "2,,ios,supervised,x.y,ABCDE12345,whole,managed,no,01/02/2026\n"
    )
    assert set(found.devices) == {"acme:1", "generic:2"}
    assert found.devices["acme:1"]["freshness"] == "reported"
    assert sorted(problem for problem in found.problems if problem[0]) == [
        (2, "enrolment"),
        (2, "held"),
        (2, "platform"),
        (2, "removed"),
        (2, "side"),
        (2, "signer"),
        (3, "reported_at"),
    ]
    assert found.snapshot.manifest.sources[0].bad_rows == 2
    assert {row["signer"] for row in found.apps} == {"", "ABCDE12345"}


def test_parquet_with_other_types_and_nulls(read, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "typed.parquet"
    moment = pa.array([1_763_000_000_000_000, None, 1_763_000_000_000_000], pa.timestamp("us", tz="UTC"))
    columns = {
        "device": pa.array([1, 2, None], pa.int64()),
        "platform": pa.array(["android", "ios", "ios"]).dictionary_encode(),
        "app_id": pa.array(["com.tencent.mm", None, "x"], pa.large_string()),
        "removed": pa.array([True, None, False]),
        "observed_at": moment,
        "odd": pa.array([[1], [2], [3]]),
    }
    pq.write_table(pa.table(columns), path)
    found = read(path)
    assert found.pairs() == {("generic:1", "com.tencent.mm")}
    assert {install[5] for install in found.installs} == {True}
    assert found.devices["generic:1"]["freshness"] == "observed"
    assert found.problems[0] == (3, "device")  # a Parquet file has no header row
    assert found.snapshot.manifest.sources[0].unknown_fields == ("odd",)


def test_default_retention_keeps_matches_and_counts_the_rest(exports, read, wechat):
    found = read(exports / "generic.csv", targets=(wechat,), retain="matches")
    assert {app["app_id"] for app in found.apps} == {"com.tencent.mm", "com.tencent.xin", "net.fakeshop.chat"}
    manifest = found.snapshot.manifest
    assert (manifest.apps_seen, manifest.apps_kept, manifest.installs_seen, manifest.installs_kept) == (8, 3, 9, 4)
    assert found.devices["generic:d1"]["apps_seen"] == 2
    stored = b"".join(path.read_bytes() for path in found.snapshot.path.iterdir())
    assert b"org.buoy" not in stored
    assert b"example.tides" not in stored


def test_nothing_is_kept_when_nothing_is_watched(exports, read):
    found = read(exports / "generic.csv", retain="matches")
    assert found.apps == []
    assert found.installs == set()
    assert len(found.devices) == 7


def test_several_files_of_several_systems(exports, read):
    found = read(*(exports / name for name in ("generic.csv", "jamf-mobile-devices.json", "fleet-hosts.json")))
    assert len(found.snapshot.manifest.sources) == 3
    assert found.snapshot.manifest.duplicate_devices == 1
    winner = found.devices["jamf:6"]
    assert winner["also"] == ["generic:d5"]
    assert "generic:d5" not in found.devices
    assert ("jamf:6", "com.tencent.xin") not in found.pairs()  # the fresher list no longer has it
    assert len(found.devices) == 7 + 6 + 4 - 1


def test_progress_reaches_the_end_of_every_file(exports, tmp_path, clock):
    from proscribe.inventory.ingest import ingest

    told: dict[str, tuple[int, int]] = {}
    names = ["generic.csv", "amapi-devices.json", "generic.parquet"]
    packed = tmp_path / "all.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.write(exports / name, name)

    def on_progress(name: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        told[name] = (done, total)

    paths = [*(exports / name for name in names), packed]
    ingest(paths, tmp_path / "s", target_sets=(), clock=clock, on_progress=on_progress)
    for path in paths[:-1]:
        assert told[path.name] == (path.stat().st_size,) * 2
    assert set(told) == {Path(path).name for path in paths}


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ('{"results": [{"mobileDeviceId": "", "general": {}}]}', [(1, "mobileDeviceId")]),
        (
            '{"results": [{"mobileDeviceId": "1", "general": {}, "applications": [{}], "odd": 1}]}',
            [(1, "applications.identifier")],
        ),
        ('{"hosts": [{"hardware_serial": "x", "software_updated_at": ""}]}', [(1, "uuid")]),
        ('{"value": [{"displayName": " ", "deviceCount": 1}]}', [(1, "displayName")]),
        ('{"devices": [{"policyName": "p", "managementMode": "DEVICE_OWNER"}]}', [(1, "name")]),
        ('{"platform": "ios", "device": " ", "app_id": "x"}', [(1, "device")]),
        ('{"platform": "amiga", "device": "d", "app_id": "x"}', [(1, "platform")]),
        ("ApplicationName,ApplicationKey,DeviceId\n,k,d\nn,k,\n", [(2, "ApplicationName"), (3, "DeviceId")]),
        ("Jamf Pro ID,App Name,Supervised\n,WeChat,true\n7,,false\n", [(2, "Serial Number")]),
    ],
)
def test_records_without_what_makes_them_one_are_listed(text, problems, read):
    found = read(text)
    listed = [problem for problem in found.problems if problem[0]]
    assert sorted(set(listed)) == problems
    assert found.snapshot.manifest.sources[0].complete


def test_other_apple_devices_are_not_taken_for_phones(read):
    device = {"mobileDeviceId": "1", "deviceType": "tvOS", "general": {"supervised": True}, "applications": []}
    found = read(json.dumps({"results": [device]}))
    assert found.devices["jamf:1"]["platform"] == "unknown"


def test_json_that_cannot_be_followed_keeps_what_came_before(read):
    device = '{"name": "enterprises/e/devices/1", "policyName": "p", "applicationReports": []}'
    for broken in (
        '{"devices": [%s], nonsense: 1}',
        '{"devices": [%s], 5: 1}',
        '{"devices": [%s], "a" 1}',
        '{"devices": [%s], "a": bad}',
    ):
        found = read(broken % device)
        assert list(found.devices) == ["amapi:enterprises/e/devices/1"]
        assert not found.snapshot.manifest.sources[0].complete
        assert "cannot be followed" in found.whats()


def test_json_in_windows_1252_and_with_stray_values(read):
    lines = '{"device": "é", "app_id": "a.b"}\n17\n{"device": "f", "app_id": "a.b"}\n'
    found = read(lines.encode("cp1252"))
    assert found.pairs() == {("generic:é", "a.b"), ("generic:f", "a.b")}
    assert "Windows-1252" in found.whats()
    assert (2, "") in found.problems


def test_json_nested_beyond_reason_is_one_bad_record(read):
    deep = "[" * 100_000 + "]" * 100_000
    lines = [
        '{"device": "d", "app_id": "a.b"}',
        f'{{"device": "x", "app_id": {deep}}}',
        '{"device": "e", "app_id": "a.b"}',
    ]
    found = read("\n".join(lines))
    assert found.pairs() == {("generic:d", "a.b"), ("generic:e", "a.b")}


def test_parquet_of_something_else_says_what_it_found(read, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"colour": ["red"]}), tmp_path / "x.parquet")
    with pytest.raises(ProscribeError) as error:
        read(tmp_path / "x.parquet")
    assert "colour" in error.value.what.en
    assert error.value.code == "inventory.damaged"


def test_apple_list_that_never_ends(read, exports):
    whole = (exports / "apple-installedapplicationlist.plist").read_bytes()
    found = read(whole + whole[:500])
    assert len(found.devices) == 4
    assert not found.snapshot.manifest.sources[0].complete
