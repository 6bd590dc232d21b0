"""Whole IPAs: one app, its code, what encryption hides, what cannot be read, and nothing that raises."""

from __future__ import annotations

import dataclasses
import io
import plistlib
import stat
import time
import zipfile
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proscribe.assess.facts import Entitlement, IosFacts, MachO, Reading, Run
from proscribe.assess.intake.container import Container, open_container
from proscribe.assess.ios.read import read_ios
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch
from proscribe.documents import to_json

ROOT = "Payload/App.app/"


def runs(reading: Reading[IosFacts], of: FactClass) -> list[tuple[str, Extent, int, int, str]]:
    return [(run.reader, run.extent, run.read, run.total, run.problem) for run in reading.runs if run.of is of]


def odd(reading: Reading[IosFacts]) -> set[str]:
    return {anomaly.code for anomaly in reading.anomalies}


def read(container: Container, watch: Watch) -> tuple[Reading[IosFacts], IosFacts]:
    reading = read_ios(container, watch)
    assert reading.facts is not None
    return reading, reading.facts


def test_the_code_of_an_app(ipa: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    thin = macho.Thin(
        libraries=("/System/Library/Frameworks/Contacts.framework/Contacts",),
        imports=("_OBJC_CLASS_$_CNContactStore", "_malloc"),
        signing=macho.Signing(xml=plistlib.dumps({"a": [1]}), der=macho.der_entitlements({"a": [1]})),
    )
    container = ipa(None, {"App": thin.build()})
    reading, facts = read(container, watch)
    assert facts.binaries == (
        MachO(
            member=f"{ROOT}App",
            sha256=container.sha256(f"{ROOT}App"),
            architecture="arm64",
            encrypted=False,
            libraries=("/System/Library/Frameworks/Contacts.framework/Contacts",),
            imports=("_OBJC_CLASS_$_CNContactStore",),
            import_count=2,
            team_id="ABCDE12345",
            identifier="ca.example.app",
            signed=True,
            signature="cms",
        ),
    )
    assert facts.entitlements == (
        Entitlement("a", "[1]", "codesign-der", f"{ROOT}App"),
        Entitlement("a", "[1]", "codesign-xml", f"{ROOT}App"),
    )
    assert facts.team_id == "ABCDE12345"
    assert [(run.of, run.extent, run.problem) for run in reading.runs] == [
        (FactClass.plist, Extent.complete, ""),
        (FactClass.privacy_manifest, Extent.absent, ""),
        (FactClass.macho, Extent.complete, ""),
        (FactClass.entitlements, Extent.complete, ""),
    ]
    assert reading.anomalies == ()


def test_encryption_hides_the_code_and_only_the_code(
    ipa: Callable[..., Container], watch: Watch, macho: ModuleType
) -> None:
    imports = ("_OBJC_CLASS_$_CNContactStore", "_malloc")
    signing = macho.Signing(xml=plistlib.dumps({"a": True}))
    members = {
        "App": macho.Thin(imports=imports, signing=signing, cryptid=1, padding=0x4000).build(),
        "Frameworks/libx.dylib": macho.Thin(kind=6, imports=imports).build(),
    }
    reading, facts = read(ipa(None, members), watch)
    assert runs(reading, FactClass.macho) == [
        ("macho", Extent.complete, 2, 2, ""),
        ("macho-code", Extent.hidden, 1, 2, "macho.encrypted"),
    ]
    assert runs(reading, FactClass.entitlements) == [("codesign", Extent.complete, 1, 1, "")]
    app, library = facts.binaries
    assert (app.encrypted, library.encrypted) == (True, False)
    assert app.imports == library.imports == ("_OBJC_CLASS_$_CNContactStore",)
    assert [row.key for row in facts.entitlements] == ["a"]


def test_every_architecture_and_every_place(ipa: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    members = {
        "App": macho.fat(macho.Thin("armv7"), macho.Thin("arm64")),
        "Frameworks/libx.dylib": macho.Thin(kind=6).build(),
        "looks-like.png": macho.Thin(kind=6, imports=("_dlopen",)).build(),
        "App.dSYM/Contents/Resources/DWARF/App": macho.Thin(kind=0xA).build(),
    }
    reading, facts = read(ipa(None, members), watch)
    assert [(one.member.removeprefix(ROOT), one.architecture, one.imports) for one in facts.binaries] == [
        ("App", "arm64", ()),
        ("App", "armv7", ()),
        ("Frameworks/libx.dylib", "arm64", ()),
        ("looks-like.png", "arm64", ("_dlopen",)),
    ]
    assert runs(reading, FactClass.macho) == [("macho", Extent.complete, 4, 4, "")]


def test_a_changed_info_plist_is_told(ipa: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    from_info = plistlib.dumps({"CFBundleExecutable": "App"})
    signed = macho.Thin(signing=macho.Signing(info=from_info)).build()
    honest, _ = read(ipa(None, {"Info.plist": from_info, "App": signed}), watch)
    changed, _ = read(ipa(None, {"Info.plist": from_info.replace(b"App", b"App "), "App ": signed, "App": None}), watch)
    assert odd(honest) == set()
    assert odd(changed) == {"codesign.info-plist-not-sealed"}


def test_entitlements_that_cannot_be_read_are_never_none(
    ipa: Callable[..., Container], watch: Watch, macho: ModuleType
) -> None:
    reading, facts = read(ipa(None, {"App": macho.Thin(signing=macho.Signing(xml=b"<plist>")).build()}), watch)
    assert facts.entitlements == ()
    assert runs(reading, FactClass.entitlements) == [("codesign", Extent.failed, 0, 1, "codesign.entitlements-xml")]


def test_entitlements_that_differ_are_both_told(ipa: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    signing = macho.Signing(xml=plistlib.dumps({"a": False}), der=macho.der_entitlements({"a": True}))
    reading, facts = read(ipa(None, {"App": macho.Thin(signing=signing).build()}), watch)
    assert [(row.source, row.value) for row in facts.entitlements] == [
        ("codesign-der", "true"),
        ("codesign-xml", "false"),
    ]
    assert [(one.code, one.member, one.detail) for one in reading.anomalies] == [
        ("codesign.entitlements-differ", f"{ROOT}App", "a")
    ]
    assert runs(reading, FactClass.entitlements) == [("codesign", Extent.complete, 1, 1, "")]


def test_the_apps_own_executable_cannot_be_swapped_for_an_idle_one(
    ipa: Callable[..., Container], watch: Watch, macho: ModuleType
) -> None:
    """Info.plist names one file, and another one is there to be read: the code that runs was not seen."""
    reading, _ = read(ipa({"CFBundleExecutable": "../Other"}, {"App": macho.Thin().build()}), watch)
    assert ("macho-main", Extent.failed, 0, 1, "macho.main-unread") in runs(reading, FactClass.macho)


def test_an_executable_that_is_none_is_told(ipa: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    framework = {"Frameworks/F.framework/Info.plist": {"CFBundleExecutable": "F"}}
    for members, extent, code in (
        ({"App": None}, Extent.failed, "macho.absent"),
        ({"App": b"#!/bin/sh"}, Extent.failed, "macho.magic"),
        ({"App": b""}, Extent.failed, "macho.magic"),
        (framework, Extent.partial, "macho.absent"),
        ({"App": macho.Thin().build()[:3000]}, Extent.failed, "macho.segment-outside"),
    ):
        reading, _ = read(ipa(None, members), watch)
        assert [run[1] for run in runs(reading, FactClass.macho)] == [extent]
        assert code in odd(reading)
    none, _ = read(ipa({"CFBundleExecutable": 7}, {"App": None}), watch)
    assert runs(none, FactClass.macho) == [("macho", Extent.failed, 0, 1, "macho.absent")]
    nothing, _ = read(ipa(None, {"App": None, "Info.plist": b"x"}), watch)
    assert runs(nothing, FactClass.macho) == [("macho", Extent.failed, 0, 1, "macho.absent")]


def test_no_app_is_told(zipped: Callable[..., Container], watch: Watch) -> None:
    for members in ({"Payload/readme": b""}, {"App.app/Info.plist": b""}, {"Payload/x/App.app/Info.plist": b""}):
        reading = read_ios(zipped(members), watch)
        assert reading.facts is None
        assert [(run.extent, run.problem) for run in reading.runs] == [(Extent.failed, "ipa.no-app")]
        assert odd(reading) == {"ipa.no-app"}


def test_two_apps_are_told_and_one_is_read(zipped: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    members: dict[str, bytes] = {}
    for name in ("B", "A"):
        info = {"CFBundleIdentifier": f"ca.example.{name}", "CFBundleExecutable": name}
        members |= {
            f"Payload/{name}.app/Info.plist": plistlib.dumps(info),
            f"Payload/{name}.app/{name}": macho.Thin().build(),
        }
    reading, facts = read(zipped(members), watch)
    assert facts.bundle_id == "ca.example.A"
    assert [one.member for one in facts.binaries] == ["Payload/A.app/A"]
    assert runs(reading, FactClass.plist) == [("plist", Extent.partial, 1, 1, "ipa.several-apps")]
    assert odd(reading) == {"ipa.several-apps"}


def test_a_symbolic_link_is_no_code(watch: Watch, macho: ModuleType) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{ROOT}Info.plist", plistlib.dumps({"CFBundleExecutable": "App"}))
        archive.writestr(f"{ROOT}Real", macho.Thin().build())
        link = zipfile.ZipInfo(f"{ROOT}App")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "../../../../etc/passwd")
    reading, facts = read(open_container(buffer.getvalue()), watch)
    assert [(one.member, one.problem) for one in facts.binaries] == [(f"{ROOT}App", "macho.magic"), (f"{ROOT}Real", "")]
    assert runs(reading, FactClass.macho) == [("macho", Extent.partial, 1, 2, "macho.magic")]


def test_a_configuration_profile_inside_is_told(ipa: Callable[..., Container], watch: Watch) -> None:
    reading, _ = read(ipa(None, {"enrol.mobileconfig": b"x"}), watch)
    assert [(one.code, one.member) for one in reading.anomalies] == [
        ("ipa.configuration-profile", f"{ROOT}enrol.mobileconfig")
    ]


def test_members_of_a_nested_ipa_carry_its_name(ipa: Callable[..., Container], watch: Watch) -> None:
    members = {"PrivacyInfo.xcprivacy": {}, "fr.lproj/InfoPlist.strings": {"NSCameraUsageDescription": "a"}}
    _, facts = read(ipa({"NSCameraUsageDescription": "b"}, members, "inner.ipa"), watch)
    names = [row.member for row in (*facts.usage, *facts.privacy, *facts.binaries)]
    assert len(names) == 4
    assert all(name.startswith(f"inner.ipa!{ROOT}") for name in names)


def test_broken_members_are_told(ipa: Callable[..., Container], watch: Watch) -> None:
    container = ipa(None, {"PrivacyInfo.xcprivacy": {"a": "b"}})
    data = bytearray(container.data)
    for name in ("PrivacyInfo.xcprivacy", "Info.plist"):
        at = container.entries[ROOT + name].offset
        data[at : at + 4] = b"\xff" * 4
    at = container.entries[f"{ROOT}App"].offset
    data[at : at + 4] = b"\xff" * 4  # it cannot even be told that this is code
    container.data = memoryview(bytes(data))
    nowhere = dataclasses.replace(container.entries[f"{ROOT}App"], offset=-1)
    container.entries = {**container.entries, f"{ROOT}elsewhere": nowhere}
    reading, facts = read(container, watch)
    assert {run.of: (run.extent, run.problem) for run in reading.runs} == {
        FactClass.plist: (Extent.failed, "zip.bad-deflate"),
        FactClass.privacy_manifest: (Extent.failed, "zip.bad-deflate"),
        FactClass.macho: (Extent.failed, "zip.bad-deflate"),
        FactClass.entitlements: (Extent.absent, ""),
    }
    assert [(one.member, one.sha256, one.problem) for one in facts.binaries] == [(f"{ROOT}App", "", "zip.bad-deflate")]
    assert [one.sha256 for one in facts.privacy] == [""]


def test_limits_on_code_are_told_and_the_executable_comes_first(
    ipa: Callable[..., Container], watch: Watch, macho: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = macho.Thin(kind=6).build()
    container = ipa(None, {f"A{number}.dylib": code for number in range(5)})
    monkeypatch.setattr("proscribe.assess.ios.binaries.MAX_FILES", 3)
    reading, facts = read(container, watch)
    assert [one.member.removeprefix(ROOT) for one in facts.binaries] == ["A0.dylib", "A1.dylib", "App"]
    assert [run[1:] for run in runs(reading, FactClass.macho)] == [(Extent.partial, 3, 4, "macho.too-many-files")]
    monkeypatch.setattr("proscribe.assess.ios.binaries.MAX_BYTES", len(code) + 100)
    reading, facts = read(container, watch)
    assert [one.member.removeprefix(ROOT) for one in facts.binaries] == ["App"]
    assert [run[4] for run in runs(reading, FactClass.macho)] == ["macho.too-many-bytes"]


def test_anomalies_are_a_list_for_people(ipa: Callable[..., Container], watch: Watch) -> None:
    reading, _ = read(ipa(None, {f"{number}.bundle/Info.plist": b"x" for number in range(300)}), watch)
    assert len(reading.anomalies) == 200
    assert runs(reading, FactClass.plist) == [("plist", Extent.partial, 1, 301, "plist.malformed")]


def test_the_same_bytes_give_the_same_facts(ipa: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    members = {"z.dylib": macho.Thin(kind=6).build(), "a.dylib": macho.Thin(kind=6).build()}
    one = read_ios(ipa(None, members), watch)
    other = read_ios(ipa(None, dict(reversed(members.items()))), watch)
    assert one == other
    assert to_json(one.facts) == to_json(other.facts)


_names = st.sampled_from(
    [
        "Info.plist",
        "App",
        "PrivacyInfo.xcprivacy",
        "embedded.mobileprovision",
        "PlugIns/A.appex/Info.plist",
        "PlugIns/A.appex/A",
        "fr.lproj/InfoPlist.strings",
        "InfoPlist.loctable",
        "Frameworks/F.framework/Info.plist",
        "/Info.plist",
        ".app/Info.plist",
        "",
    ]
)
_texts = st.sampled_from(
    [
        "CFBundleExecutable",
        "App",
        "A",
        "",
        "NSExtension",
        "NSAppTransportSecurity",
        "NSExceptionDomains",
        "NSCameraUsageDescription",
    ]
)
_values = st.recursive(
    st.booleans() | _texts | st.integers(-5, 5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
)
_data = st.binary(max_size=40) | st.builds(
    lambda value, form: plistlib.dumps(value, fmt=form),
    _values,
    st.sampled_from([plistlib.FMT_XML, plistlib.FMT_BINARY]),
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=150
)
@given(st.dictionaries(_names, _data, max_size=6), st.integers(0, 3000), st.integers(0, 255))
def test_no_ipa_raises(
    ipa: Callable[..., Container], watch: Watch, macho: ModuleType, members: dict[str, bytes], at: int, value: int
) -> None:
    code = bytearray(macho.Thin(signing=macho.Signing(xml=b"<plist><dict/></plist>"), imports=("_dlopen",)).build())
    code[at % len(code)] = value
    given_members: dict[str, Any] = {"App": bytes(code)} | members
    reading = read_ios(ipa(None, given_members), watch)
    to_json(reading.facts)
    assert all(isinstance(run, Run) and (run.problem or run.extent is not Extent.failed) for run in reading.runs)


# ---- hostile sizes -------------------------------------------------------------------------------------------------


def test_hostile_sizes_take_seconds_at_most(ipa: Callable[..., Container], watch: Watch, macho: ModuleType) -> None:
    """Each of these took from seven seconds to hours before it had a limit or a linear way."""
    many = macho.Thin(imports=(f"_{'x' * 4000}",) * 200, symbols_in=("symtab",)).build()
    pairs = macho.der(0xB0, macho.der(0x30, b"\x30\x00" * 500_000))
    deep = macho.Signing(der=macho.der(0x70, macho.der_value(1) + pairs))
    values = macho.Signing(der=macho.der(0x70, macho.der_value(1) + macho.der(0x30, b"\x30\x00" * 500_000)))
    xml = macho.Signing(xml=b"<plist><array>" + b"<true/>" * 250_000 + b"</array></plist>")
    members: dict[str, Any] = {"App": many}
    members |= {
        f"{number}.dylib": macho.Thin(signing=one).build() for number, one in enumerate([deep, values, xml] * 3)
    }
    members |= {f"{number}.lproj/InfoPlist.strings": b'"a" = "b";\n' * 180_000 for number in range(9)}
    members |= {f"{number}.bundle/Info.plist": {"a": "b"} for number in range(1100)}
    members |= {"/".join(["d.app"] * 2000) + "/Info.plist": {"a": "b"}}
    container = ipa(None, members)
    begin = time.process_time()
    reading, _ = read(container, watch)
    assert time.process_time() - begin < 5
    assert {"ipa.too-many-bundles", "codesign.entitlements-der", "codesign.entitlements-too-large", "plist.budget"} <= {
        problem for run in reading.runs for problem in [run.problem]
    } | odd(reading)
