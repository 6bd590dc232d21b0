"""Manifest facts: what a component inherits, splits as one app, two parsers side by side, and what missing means."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.assess.android import apkinfo
from proscribe.assess.android import reader as stage
from proscribe.assess.android.apkinfo import Other, OtherFailed
from proscribe.assess.android.reader import read_android
from proscribe.assess.facts import AndroidFacts, Component, Reading, Run
from proscribe.assess.intake.container import Container, open_container
from proscribe.assess.terms import Extent, FactClass, SpecialKind

MANIFEST = "AndroidManifest.xml"
Apk = Callable[..., Container]


@pytest.fixture
def read(axml: ModuleType, make_apk: Apk) -> Callable[..., AndroidFacts]:
    """The facts of an app with one manifest; ``members`` beside it."""

    def go(root: object, **members: bytes) -> AndroidFacts:
        reading = read_android([make_apk({MANIFEST: bytes(axml.build(root).data), **members})])
        assert reading.facts is not None
        return reading.facts

    return go


def run(reading: Reading[AndroidFacts], of: FactClass, reader: str = "axml") -> Run:
    return next(each for each in reading.runs if each.of is of and each.reader.startswith(reader))


def one(facts: AndroidFacts, kind: str) -> Component:
    (component,) = (each for each in facts.components if each.kind == kind)
    return component


# ---- the manifest --------------------------------------------------------------------------------------------------


def test_the_whole_of_a_manifest(axml: ModuleType, read: Callable[..., AndroidFacts]) -> None:
    node = axml.Node
    root = node(
        "manifest",
        {
            "package": "org.example.app",
            "android:versionCode": 7,
            "android:versionCodeMajor": 2,
            "android:versionName": "1.7",
            "android:compileSdkVersion": 35,
            "android:sharedUserId": "org.example.uid",
            "android:targetSandboxVersion": 2,
        },
        (
            node(
                "uses-sdk", {"android:minSdkVersion": 21, "android:targetSdkVersion": 34, "android:maxSdkVersion": 36}
            ),
            node("uses-permission", {"android:name": "a.A", "android:maxSdkVersion": 28}),
            node("uses-permission", {"android:name": "a.A", "android:maxSdkVersion": 28}),
            node("uses-permission-sdk-23", {"android:name": "a.B"}),
            node("uses-permission-sdk-m", {"android:name": "a.C"}),
            node("permission", {"android:name": "own.NORMAL"}),
            node("permission", {"android:name": "own.SIGNATURE", "android:protectionLevel": axml.Typed(0x11, 0x12)}),
            node("uses-feature", {"android:name": "android.hardware.camera"}),
            node(
                "queries",
                {},
                (
                    node("package", {"android:name": "com.other"}),
                    node("provider", {"android:authorities": "com.other.files"}),
                    node(
                        "intent",
                        {},
                        (
                            node("action", {"android:name": "android.intent.action.VIEW"}),
                            node("data", {"android:scheme": "https", "android:host": "example.org"}),
                        ),
                    ),
                ),
            ),
            node(
                "application",
                {
                    "android:debuggable": True,
                    "android:testOnly": True,
                    "android:allowBackup": False,
                    "android:label": "App",
                },
                (node("uses-library", {"android:name": "org.apache.http.legacy"}),),
            ),
        ),
    )
    facts = read(root)
    assert (facts.package, facts.version_code, facts.version_name) == ("org.example.app", str(2 << 32 | 7), "1.7")
    assert (facts.min_sdk, facts.target_sdk, facts.max_sdk, facts.compile_sdk) == (21, 34, 36, 35)
    assert (facts.debuggable, facts.test_only, facts.allow_backup, facts.label) == (True, True, False, "App")
    assert (facts.shared_user_id, facts.target_sandbox) == ("org.example.uid", 2)
    assert [(each.name, each.element, each.max_sdk) for each in facts.permissions] == [
        ("a.A", "uses-permission", 28),
        ("a.B", "uses-permission-sdk-23", None),
        ("a.C", "uses-permission-sdk-23", None),
    ]
    assert [(each.name, each.protection) for each in facts.defines] == [
        ("own.NORMAL", ""),
        ("own.SIGNATURE", "signature|privileged"),
    ]
    assert facts.query_packages == ("com.other",)
    assert facts.query_intents == (
        "authorities=com.other.files",
        "action=android.intent.action.VIEW;scheme=https;host=example.org",
    )
    assert facts.features == ("android.hardware.camera",)
    assert facts.libraries == ("org.apache.http.legacy",)


def test_components_inherit_from_the_application(axml: ModuleType, read: Callable[..., AndroidFacts]) -> None:
    node = axml.Node
    view = node(
        "intent-filter",
        {},
        (
            node("action", {"android:name": "a.VIEW"}),
            node("data", {"android:scheme": "https"}),
            node("data", {"android:scheme": "app"}),
        ),
    )
    facts = read(
        axml.manifest(
            application=(
                node("activity", {"android:name": ".Main", "android:exported": True}, (view, view)),
                node(
                    "activity-alias",
                    {"android:name": "Alias", "android:targetActivity": ".Main", "android:process": "own"},
                ),
                node(
                    "service",
                    {
                        "android:name": "org.other.S",
                        "android:permission": "p.OWN",
                        "android:foregroundServiceType": axml.Typed(0x11, 0x88),
                    },
                    (view,),
                ),
                node("receiver", {"android:name": "R", "android:process": ":r", "android:enabled": False}, (view,)),
                node(
                    "provider",
                    {
                        "android:name": "P",
                        "android:authorities": "a;b",
                        "android:readPermission": "p.READ",
                        "android:permission": "p.ALL",
                    },
                ),
            ),
            permission="p.APP",
            process=":app",
        )
    )
    activity, alias, service, receiver, provider = (
        one(facts, kind) for kind in ("activity", "activity-alias", "service", "receiver", "provider")
    )
    assert (activity.name, activity.exported, activity.permission) == ("org.example.app.Main", True, "p.APP")
    assert (activity.process, activity.actions, activity.schemes) == (
        "org.example.app:app",
        ("a.VIEW",),
        ("https", "app"),
    )
    assert (alias.name, alias.target, alias.process) == ("org.example.app.Alias", "org.example.app.Main", "own")
    assert (service.name, service.permission, service.actions) == ("org.other.S", "p.OWN", ("a.VIEW",))
    assert (service.foreground_types, service.exported) == (("location", "microphone"), None)
    assert (receiver.process, receiver.enabled, receiver.actions) == ("org.example.app:r", False, ("a.VIEW",))
    assert (provider.authorities, provider.permission) == (("a", "b"), "p.READ")


def test_a_disabled_application_disables_its_components(axml: ModuleType, read: Callable[..., AndroidFacts]) -> None:
    facts = read(
        axml.manifest(
            application=(axml.Node("service", {"android:name": ".S", "android:enabled": True}),), enabled=False
        )
    )
    assert one(facts, "service").enabled is False


def test_android_takes_the_first_application_and_the_last_sdk(axml: ModuleType, make_apk: Apk) -> None:
    second = axml.Node("application", {}, (axml.Node("service", {"android:name": ".Hidden"}),))
    first = axml.Node("application", {}, (axml.Node("service", {"android:name": ".Real"}),))
    sdk = axml.Node("uses-sdk", {"android:minSdkVersion": 26})
    root = axml.manifest(sdk, first, second)
    reading = read_android([make_apk({MANIFEST: bytes(axml.build(root).data)})])
    assert reading.facts is not None
    assert [each.name for each in reading.facts.components] == ["org.example.app.Real"]
    assert (reading.facts.min_sdk, reading.facts.target_sdk) == (26, None)
    assert {each.code for each in reading.anomalies} == {"manifest.second-application", "manifest.second-uses-sdk"}
    # apk-info reads them all: the difference is a fact, and no one picks a winner.
    assert {each.about for each in reading.facts.disagreements} >= {"components"}


def test_references_are_resolved_and_names_by_reference_told(axml: ModuleType, arsc: ModuleType, make_apk: Apk) -> None:
    table = arsc.table(
        axml.pool,
        {
            1: [(arsc.DEFAULT, {0: (3, "Label"), 1: (3, "a.BY_REFERENCE")})],
            2: [(arsc.DEFAULT, {0: (0x12, 0)}), (arsc.version(30), {0: (0x12, 0xFFFFFFFF)})],
            3: [(arsc.DEFAULT, {0: (0x10, 33)})],
        },
    )
    root = axml.Node(
        "manifest",
        {"package": "org.example.app"},
        (
            axml.Node("uses-sdk", {"android:targetSdkVersion": axml.reference(0x7F030000)}),
            axml.Node("uses-permission", {"android:name": axml.reference(0x7F010001)}),
            axml.Node(
                "application",
                {"android:label": axml.reference(0x7F010000), "android:allowBackup": axml.reference(0x7F020000)},
                (axml.Node("service", {"android:name": ".S", "android:permission": axml.reference(0x7F0A0000)}),),
            ),
        ),
    )
    reading = read_android([make_apk({MANIFEST: bytes(axml.build(root).data), "resources.arsc": table})])
    facts = reading.facts
    assert facts is not None
    assert (facts.label, facts.allow_backup, facts.target_sdk) == ("Label", True, 33)
    assert one(facts, "service").permission == "@0x7f0a0000"
    assert [each.name for each in facts.permissions] == ["a.BY_REFERENCE"]
    assert "manifest.referenced-name" in {each.code for each in reading.anomalies}


def test_a_nameless_component_is_told(axml: ModuleType, make_apk: Apk) -> None:
    root = axml.manifest(application=(axml.Node("service", {"android:exported": True}),))
    reading = read_android([make_apk({MANIFEST: bytes(axml.build(root).data)})])
    assert reading.facts is not None
    assert reading.facts.components == ()
    assert [each.code for each in reading.anomalies] == ["manifest.nameless-component"]


# ---- two parsers ---------------------------------------------------------------------------------------------------


def test_both_parsers_are_recorded(axml: ModuleType, make_apk: Apk) -> None:
    reading = read_android([make_apk({MANIFEST: bytes(axml.build(axml.manifest()).data)})])
    runs = [
        (each.reader.split()[0], each.extent, each.read, each.total)
        for each in reading.runs
        if each.of is FactClass.manifest
    ]
    assert runs == [("axml", Extent.complete, 1, 1), ("apk-info", Extent.complete, 1, 1)]


def test_a_difference_is_a_fact_with_both_sides(
    axml: ModuleType, make_apk: Apk, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Other(
        "org.example.other",
        "8",
        permissions=frozenset({axml.PERMISSIONS[0], "x.Y"}),
        components=frozenset({("service", "s")}),
    )
    monkeypatch.setattr(stage, "read_other", lambda _apk: theirs)
    facts = read_android([make_apk({MANIFEST: bytes(axml.build(axml.manifest()).data)})]).facts
    assert facts is not None
    found = {each.about: (each.ours, each.theirs) for each in facts.disagreements}
    assert found["package"] == (("org.example.app",), ("org.example.other",))
    assert found["version_code"] == (("7",), ("8",))
    assert found["permissions"] == (tuple(sorted(axml.PERMISSIONS[1:])), ("x.Y",))
    assert found["components"] == ((), ("service s",))
    assert found["min_sdk"] == (("21",), ("",))


@pytest.mark.parametrize(
    "levels",
    [
        {"android:minSdkVersion": "S", "android:targetSdkVersion": "S"},
        {"android:minSdkVersion": "21", "android:targetSdkVersion": "0x1c"},
        {"android:maxSdkVersion": 30},
    ],
)
def test_two_ways_to_write_a_level_are_no_difference(
    axml: ModuleType, make_apk: Apk, levels: dict[str, object]
) -> None:
    attributes = {"package": "a.b", "android:versionCode": axml.Typed(0x11, 0x1234), "android:versionCodeMajor": 1}
    root = axml.Node("manifest", attributes, (axml.Node("uses-sdk", levels), axml.Node("application")))
    facts = read_android([make_apk({MANIFEST: bytes(axml.build(root).data)})]).facts
    assert facts is not None
    assert facts.disagreements == ()


def test_a_parser_that_fails_is_a_failed_run_and_never_an_empty_answer(
    axml: ModuleType, make_apk: Apk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_apk: Container) -> Other:
        raise OtherFailed("parser.refused", "why")

    monkeypatch.setattr(stage, "read_other", fails)
    reading = read_android([make_apk({MANIFEST: bytes(axml.build(axml.manifest()).data)})])
    assert reading.facts is not None
    assert len(reading.facts.permissions) == 3
    assert reading.facts.disagreements == ()
    other = run(reading, FactClass.manifest, "apk-info")
    assert (other.extent, other.problem, other.detail) == (Extent.failed, "parser.refused", "why")


def test_where_only_the_other_reads_its_answer_stands(make_apk: Apk, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Other(
        "org.example.app",
        "7",
        "1.7",
        "21",
        "34",
        "",
        frozenset({"android.permission.SYSTEM_ALERT_WINDOW"}),
        frozenset({("service", "org.example.app.S")}),
    )
    monkeypatch.setattr(stage, "read_other", lambda _apk: theirs)
    reading = read_android([make_apk({MANIFEST: b"\0" * 64})])
    facts = reading.facts
    assert facts is not None
    assert (facts.package, facts.min_sdk, facts.max_sdk) == ("org.example.app", 21, None)
    assert [each.name for each in facts.permissions] == ["android.permission.SYSTEM_ALERT_WINDOW"]
    assert [(each.kind, each.name) for each in facts.components] == [("service", "org.example.app.S")]
    assert [each.kind for each in facts.special] == [SpecialKind.overlay]
    assert facts.network is None
    assert run(reading, FactClass.manifest).extent is Extent.failed
    assert run(reading, FactClass.resources).extent is Extent.failed
    assert run(reading, FactClass.splits).extent is Extent.failed


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"classes.dex": b""}, "zip.no-member"),
        ({MANIFEST: b""}, "axml.truncated"),
        ({MANIFEST: b"<manifest package='a'/>"}, "axml.text"),
    ],
)
def test_where_both_fail_there_are_no_facts(make_apk: Apk, members: dict[str, bytes], problem: str) -> None:
    reading = read_android([make_apk(members)])
    assert reading.facts is None
    assert [each.extent for each in reading.runs] == [Extent.failed, Extent.failed]
    assert reading.runs[0].problem == problem


def test_a_manifest_too_large_is_not_inflated(make_apk: Apk) -> None:
    reading = read_android([make_apk({MANIFEST: bytes(64 << 20)})])
    assert reading.facts is None
    assert [each.problem for each in reading.runs] == ["zip.too-large", "zip.too-large"]


def test_another_root_or_no_package_is_no_manifest(axml: ModuleType, make_apk: Apk) -> None:
    for root, problem in (
        (axml.Node("LinearLayout"), "manifest.no-manifest"),
        (axml.Node("manifest"), "manifest.no-package"),
    ):
        reading = read_android([make_apk({MANIFEST: bytes(axml.build(root).data)})])
        assert reading.runs[0].problem == problem


def test_the_other_parser_gets_the_file_only_where_the_archive_is_sound(
    axml: ModuleType, make_apk: Apk, tmp_path: Path
) -> None:
    data = bytes(make_apk({MANIFEST: bytes(axml.build(axml.manifest()).data)}).data)
    path = tmp_path / "app.apk"
    path.write_bytes(data)
    with apkinfo._path(open_container(data, path=str(path))) as given:
        assert given == str(path)
    for other in (
        open_container(data, name="base.apk", path=str(path)),
        open_container(b"junk" + data, path=str(path)),
    ):
        with apkinfo._path(other) as given:
            assert given != str(path)
        assert apkinfo.read_other(other).package == "org.example.app"


def test_a_table_too_large_for_the_other_parser_is_left_out(
    axml: ModuleType, arsc: ModuleType, make_apk: Apk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would make objects of all of it; a reference that it then cannot follow is no disagreement."""
    table = arsc.table(axml.pool, {1: [(arsc.DEFAULT, {0: (0x10, 34), 1: (3, "x")})]})
    root = axml.Node(
        "manifest",
        {"package": "a.b"},
        (axml.Node("uses-sdk", {"android:targetSdkVersion": axml.reference(0x7F010000)}), axml.Node("application")),
    )
    apk = make_apk({MANIFEST: bytes(axml.build(root).data), "resources.arsc": table})
    assert apkinfo.read_other(apk).target_sdk == "34"
    monkeypatch.setitem(apkinfo._LIMITS, "resources.arsc", 10)
    assert apkinfo.read_other(apk).target_sdk != "34"
    facts = read_android([apk]).facts
    assert facts is not None
    assert (facts.target_sdk, facts.disagreements) == (34, ())


def test_a_system_without_anonymous_files_says_so(make_apk: Apk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.memfd_create")
    with pytest.raises(OtherFailed, match=r"parser\.no-memory-file"):
        apkinfo.read_other(make_apk({MANIFEST: b"x"}))


def test_a_table_that_cannot_be_read_is_told(axml: ModuleType, make_apk: Apk, monkeypatch: pytest.MonkeyPatch) -> None:
    root = axml.manifest(label=axml.reference(0x7F010000))
    apk = make_apk({MANIFEST: bytes(axml.build(root).data), "resources.arsc": bytes(400)})
    reading = read_android([apk])
    assert reading.facts is not None
    assert reading.facts.label == "@0x7f010000"
    assert [each.code for each in reading.anomalies] == ["arsc.header"]
    assert (reading.runs[0].extent, reading.runs[0].problem) == (Extent.partial, "arsc.header")
    monkeypatch.setattr("proscribe.assess.android.package.MAX_TABLE", 10)
    assert [each.code for each in read_android([apk]).anomalies] == ["arsc.unreadable"]


def test_a_panic_of_the_other_parser_is_a_failure(make_apk: Apk, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):  # as pyo3 names it
        pass

    def panics(_path: str) -> None:
        raise PanicException

    monkeypatch.setattr("apk_info.APK", panics)
    with pytest.raises(OtherFailed, match=r"parser\.panic"):
        apkinfo.read_other(make_apk({MANIFEST: b"x"}))
    monkeypatch.setattr("apk_info.APK", lambda _path: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        apkinfo.read_other(make_apk({MANIFEST: b"x"}))


# ---- splits --------------------------------------------------------------------------------------------------------


def split(axml: ModuleType, name: str, *children: object, **changes: object) -> bytes:
    attributes = {"package": "org.example.app", "android:versionCode": 7, "split": name, **changes}
    return bytes(axml.build(axml.Node("manifest", attributes, tuple(children))).data)


def test_base_and_splits_are_one_app(axml: ModuleType, make_apk: Apk) -> None:
    base = make_apk({MANIFEST: bytes(axml.build(axml.manifest()).data)}, "base.apk")
    feature = split(
        axml,
        "camera",
        axml.Node("uses-permission", {"android:name": "android.permission.BODY_SENSORS"}),
        axml.Node("application", {}, (axml.Node("service", {"android:name": ".Feature"}),)),
    )
    reading = read_android([base, make_apk({MANIFEST: feature}, "split_camera.apk")])
    facts = reading.facts
    assert facts is not None
    assert (facts.permissions[-1].name, facts.permissions[-1].member) == (
        "android.permission.BODY_SENSORS",
        "split_camera.apk!AndroidManifest.xml",
    )
    assert one(facts, "service").member == "split_camera.apk!AndroidManifest.xml"
    assert reading.anomalies == ()
    splits = run(reading, FactClass.splits)
    assert (splits.extent, splits.read, splits.detail) == (Extent.complete, 1, "camera")
    assert run(reading, FactClass.manifest).read == 2


def test_a_stranger_among_the_splits_is_told(axml: ModuleType, make_apk: Apk) -> None:
    base = make_apk({MANIFEST: bytes(axml.build(axml.manifest()).data)}, "base.apk")
    other = split(axml, "a", **{"package": "org.example.other", "android:versionCode": 8})
    nameless = bytes(axml.build(axml.Node("manifest", {"package": "org.example.app", "android:versionCode": 7})).data)
    reading = read_android([base, make_apk({MANIFEST: other}, "a.apk"), make_apk({MANIFEST: nameless}, "b.apk")])
    assert [(each.code, each.detail) for each in reading.anomalies] == [
        ("split.other-package", "org.example.other org.example.app"),
        ("split.other-version", "8 7"),
        ("split.no-name", ""),
    ]


def test_required_splits_that_are_missing_are_told(axml: ModuleType, make_apk: Apk) -> None:
    root = axml.Node(
        "manifest",
        {
            "package": "org.example.app",
            "android:versionCode": 7,
            "android:requiredSplitTypes": "base__abi,base__density",
        },
    )
    base = make_apk({MANIFEST: bytes(axml.build(root).data)}, "base.apk")
    reading = read_android([base])
    missing = run(reading, FactClass.splits)
    assert reading.facts is not None
    assert reading.facts.splits_required
    assert (missing.extent, missing.problem, missing.detail) == (
        Extent.partial,
        "split.missing",
        "base__abi base__density",
    )
    abi = make_apk({MANIFEST: split(axml, "config.arm64_v8a", **{"android:splitTypes": "base__abi"})}, "abi.apk")
    assert run(read_android([base, abi]), FactClass.splits).detail == "base__density"
    both = make_apk({MANIFEST: split(axml, "config.xhdpi", **{"android:splitTypes": "base__density"})}, "d.apk")
    assert run(read_android([base, abi, both]), FactClass.splits).extent is Extent.complete


@pytest.mark.parametrize("how", ["attribute", "store"])
def test_the_older_marks_of_required_splits(axml: ModuleType, make_apk: Apk, how: str) -> None:
    if how == "attribute":
        root = axml.Node("manifest", {"package": "a.b", "android:isSplitRequired": True})
    else:
        mark = axml.Node("meta-data", {"android:name": "com.android.vending.splits.required", "android:value": True})
        root = axml.Node("manifest", {"package": "a.b"}, (axml.Node("application", {}, (mark,)),))
    reading = read_android([make_apk({MANIFEST: bytes(axml.build(root).data)})])
    assert run(reading, FactClass.splits).problem == "split.missing"


def test_a_split_that_cannot_be_read_leaves_the_rest(axml: ModuleType, make_apk: Apk) -> None:
    base = make_apk({MANIFEST: bytes(axml.build(axml.manifest()).data)}, "base.apk")
    reading = read_android([base, make_apk({MANIFEST: bytes(64)}, "bad.apk")])
    assert reading.facts is not None
    assert len(reading.facts.permissions) == 3
    assert (run(reading, FactClass.manifest).extent, run(reading, FactClass.manifest).read) == (Extent.partial, 1)
    assert run(reading, FactClass.splits).extent is Extent.partial


# ---- properties ----------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_packages_never_raise_and_never_fall_silent(
    axml: ModuleType, arsc: ModuleType, make_apk: Apk, data: st.DataObject
) -> None:
    """Manifest, table and XML broken at random: an answer or a failed run, and no facts without a package."""
    service = axml.Node(
        "service",
        {"android:name": ".S", "android:permission": "android.permission.BIND_ACCESSIBILITY_SERVICE"},
        (
            axml.Node(
                "meta-data",
                {"android:name": "android.accessibilityservice", "android:resource": axml.reference(0x7F010000)},
            ),
        ),
    )
    xml = axml.Node("accessibility-service", {"android:canRetrieveWindowContent": True})
    parts = {
        MANIFEST: bytearray(axml.build(axml.manifest(application=(service,)), utf8=data.draw(st.booleans())).data),
        "resources.arsc": bytearray(arsc.table(axml.pool, {1: [(arsc.DEFAULT, {0: (3, "res/a.xml")})]})),
        "res/a.xml": bytearray(axml.build(xml).data),
    }
    for _ in range(data.draw(st.integers(1, 5))):
        part = parts[data.draw(st.sampled_from(sorted(parts)))]
        at = data.draw(st.integers(0, len(part) - 1))
        part[at] = data.draw(st.integers(0, 255))
    reading = read_android([make_apk({name: bytes(part) for name, part in parts.items()})])
    extents = {each.reader.split()[0]: each.extent for each in reading.runs if each.of is FactClass.manifest}
    if reading.facts is None:
        assert set(extents.values()) == {Extent.failed}
    else:
        assert reading.facts.package
        assert Extent.failed not in extents.values() or extents["axml"] != extents["apk-info"]


# ---- cost ----------------------------------------------------------------------------------------------------------


@pytest.mark.samples
def test_a_real_manifest_takes_milliseconds(samples: Path) -> None:
    path = samples / "apk" / "Yosemite.apk"
    apk = open_container(path.read_bytes(), path=str(path))
    read_android([apk])
    times = []
    for _ in range(7):
        begin = time.process_time()
        read_android([apk])
        times.append(time.process_time() - begin)
    assert min(times) < 0.02  # measured 7 ms with both parsers; caches of a busy machine may be cold
