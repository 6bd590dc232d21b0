"""What property lists ask for: the app's, and those of everything inside it that runs."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from proscribe.assess.facts import IosFacts, Reading, UsageDescription
from proscribe.assess.intake.container import Container
from proscribe.assess.ios.read import read_ios
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch


@pytest.fixture
def facts(ipa: Callable[..., Container], watch: Watch) -> Callable[..., IosFacts]:
    """The facts of an IPA that can be read without a problem."""

    def read(info: dict[str, Any] | None = None, members: dict[str, Any] | None = None) -> IosFacts:
        reading = read_ios(ipa(info, members), watch)
        assert reading.facts is not None
        assert not [run for run in reading.runs if run.problem]
        return reading.facts

    return read


def inner(identifier: str, executable: str = "Inner", **info: Any) -> dict[str, Any]:
    return {"CFBundleIdentifier": identifier, "CFBundleExecutable": executable, **info}


def test_the_app_says_who_it_is(facts: Callable[..., IosFacts]) -> None:
    found = facts({"UIFileSharingEnabled": True, "Off": False})
    assert (found.bundle_id, found.version, found.build) == ("ca.example.app", "1.2", "34")
    assert (found.name, found.minimum_os, found.executable) == ("Example", "16.0", "App")
    assert found.file_sharing
    assert "UIFileSharingEnabled" in found.plist_keys
    assert "Off" not in found.plist_keys


def test_purpose_strings_of_everything_that_runs(facts: Callable[..., IosFacts], macho: ModuleType) -> None:
    usage = {"NSCameraUsageDescription": "to see"}
    members: dict[str, Any] = {}
    for folder in (
        "PlugIns/A.appex",
        "Extensions/E.appex",
        "AppClips/B.app",
        "Watch/C.app",
        "Watch/C.app/PlugIns/D.appex",
    ):
        members[f"{folder}/Info.plist"] = inner(folder, **usage)
        members[f"{folder}/Inner"] = macho.Thin().build()
    for folder in ("Frameworks/F.framework", "PlugIns/T.xctest", "R.bundle"):
        members[f"{folder}/Info.plist"] = inner(folder, **usage)
        members[f"{folder}/Inner"] = macho.Thin().build()
    found = facts(usage | {"NSLocationTemporaryUsageDescriptionDictionary": {"b": "two", "a": "one"}}, members)
    running = {
        "",
        "PlugIns/A.appex/",
        "Extensions/E.appex/",
        "AppClips/B.app/",
        "Watch/C.app/",
        "Watch/C.app/PlugIns/D.appex/",
    }
    assert {(row.member.removeprefix("Payload/App.app/"), row.key, row.text) for row in found.usage} == {
        ("Info.plist", "NSLocationTemporaryUsageDescriptionDictionary", "a: one; b: two"),
        *((f"{folder}Info.plist", "NSCameraUsageDescription", "to see") for folder in running),
    }
    assert found.extensions == (
        "app-clip=AppClips/B.app",
        "unknown=Extensions/E.appex",
        "unknown=PlugIns/A.appex",
        "unknown=Watch/C.app/PlugIns/D.appex",
        "watch-app=Watch/C.app",
    )


def test_translations_override_purpose_strings(facts: Callable[..., IosFacts], macho: ModuleType) -> None:
    found = facts(
        {"NSCameraUsageDescription": "to see"},
        {
            "fr.lproj/InfoPlist.strings": plistlib.dumps(
                {"NSCameraUsageDescription": "pour voir"}, fmt=plistlib.FMT_BINARY
            ),
            "de.lproj/InfoPlist.strings": '"NSCameraUsageDescription" = "zum Sehen";'.encode("utf-16"),
            "InfoPlist.loctable": {"it": {"NSCameraUsageDescription": "per vedere"}, "LocProvenance": 1},
            "es.lproj/Localizable.strings": b"not looked at",
            "Frameworks/F.framework/Info.plist": inner("f"),
            "Frameworks/F.framework/Inner": macho.Thin(kind=6).build(),
            "Frameworks/F.framework/es.lproj/InfoPlist.strings": {"NSCameraUsageDescription": "no"},
        },
    )
    root = "Payload/App.app/"
    key = "NSCameraUsageDescription"
    assert found.usage == (
        UsageDescription(key, "to see", f"{root}Info.plist"),
        UsageDescription(key, "per vedere", f"{root}InfoPlist.loctable", "it"),
        UsageDescription(key, "zum Sehen", f"{root}de.lproj/InfoPlist.strings", "de"),
        UsageDescription(key, "pour voir", f"{root}fr.lproj/InfoPlist.strings", "fr"),
    )


def test_modes_and_schemes(facts: Callable[..., IosFacts], macho: ModuleType) -> None:
    found = facts(
        {
            "UIBackgroundModes": ["location", "audio"],
            "LSApplicationQueriesSchemes": ["weixin", "alipay", "weixin"],
            "CFBundleURLTypes": [
                {"CFBundleURLSchemes": ["two", "one"]},
                "no dictionary",
                {"CFBundleURLSchemes": "no list"},
            ],
        },
        {
            "Watch/W.app/Info.plist": inner("w", WKBackgroundModes=["workout-processing"]),
            "Watch/W.app/Inner": macho.Thin().build(),
        },
    )
    assert found.background_modes == ("audio", "location", "workout-processing")
    assert found.queried_schemes == ("alipay", "weixin")
    assert found.url_schemes == ("one", "two")
    assert [(one.key, one.value, one.member.removeprefix("Payload/App.app/")) for one in found.asked] == [
        ("CFBundleURLSchemes", "one", "Info.plist"),
        ("CFBundleURLSchemes", "two", "Info.plist"),
        ("LSApplicationQueriesSchemes", "alipay", "Info.plist"),
        ("LSApplicationQueriesSchemes", "weixin", "Info.plist"),
        ("UIBackgroundModes", "audio", "Info.plist"),
        ("UIBackgroundModes", "location", "Info.plist"),
        ("NSExtensionPointIdentifier", "watch-app=w", "Watch/W.app/Info.plist"),
        ("WKBackgroundModes", "workout-processing", "Watch/W.app/Info.plist"),
    ]


@pytest.mark.parametrize(
    ("security", "loads", "loads_in", "domains"),
    [
        ({}, False, (), ()),
        ({"NSAllowsArbitraryLoads": True}, True, (), ()),
        ({"NSAllowsArbitraryLoads": "YES"}, False, (), ()),
        ({"NSAllowsArbitraryLoads": True, "NSAllowsArbitraryLoadsInWebContent": True}, False, ("web",), ()),
        ({"NSAllowsArbitraryLoads": True, "NSAllowsLocalNetworking": False}, False, (), ()),
        ({"NSAllowsArbitraryLoadsForMedia": True, "NSAllowsLocalNetworking": True}, False, ("local", "media"), ()),
        (
            {
                "NSExceptionDomains": {
                    "plain.example": {"NSExceptionAllowsInsecureHTTPLoads": True},
                    "old.example": {"NSTemporaryExceptionAllowsInsecureHTTPLoads": True},
                    "tls.example": {"NSExceptionMinimumTLSVersion": "TLSv1.0"},
                    "odd.example": True,
                }
            },
            False,
            (),
            ("old.example", "plain.example"),
        ),
    ],
)
def test_transport_security(
    facts: Callable[..., IosFacts],
    security: dict[str, Any],
    loads: bool,
    loads_in: tuple[str, ...],
    domains: tuple[str, ...],
) -> None:
    found = facts({"NSAppTransportSecurity": security})
    assert (found.arbitrary_loads, found.arbitrary_loads_in, found.exception_domains) == (loads, loads_in, domains)


def test_transport_security_of_an_extension_counts_and_is_its_own(
    facts: Callable[..., IosFacts], macho: ModuleType
) -> None:
    loads = {"NSAppTransportSecurity": {"NSAllowsArbitraryLoads": True}}
    found = facts(
        None, {"PlugIns/A.appex/Info.plist": inner("a", **loads), "PlugIns/A.appex/Inner": macho.Thin().build()}
    )
    assert found.arbitrary_loads
    assert [one.member for one in found.asked if one.key == "NSAllowsArbitraryLoads"] == [
        "Payload/App.app/PlugIns/A.appex/Info.plist"
    ]


def test_keyboards_and_other_extension_points(facts: Callable[..., IosFacts], macho: ModuleType) -> None:
    keyboard = {"NSExtensionPointIdentifier": "com.apple.keyboard-service"}
    code = macho.Thin().build()
    found = facts(
        None,
        {
            "PlugIns/Open.appex/Info.plist": inner(
                "ca.example.open", NSExtension=keyboard | {"NSExtensionAttributes": {"RequestsOpenAccess": True}}
            ),
            "PlugIns/Open.appex/Inner": code,
            "PlugIns/Shut.appex/Info.plist": inner(
                "ca.example.shut", NSExtension=keyboard | {"NSExtensionAttributes": {"RequestsOpenAccess": False}}
            ),
            "PlugIns/Shut.appex/Inner": code,
            "Extensions/New.appex/Info.plist": {
                "CFBundleExecutable": "Inner",
                "EXAppExtensionAttributes": {"EXExtensionPointIdentifier": "com.apple.widgetkit-extension"},
            },
            "Extensions/New.appex/Inner": code,
        },
    )
    assert found.extensions == (
        "com.apple.keyboard-service=ca.example.open",
        "com.apple.keyboard-service=ca.example.shut",
        "com.apple.widgetkit-extension=New",
    )
    assert found.open_access_keyboards == ("ca.example.open",)
    assert [one.member for one in found.asked if one.key == "RequestsOpenAccess"] == [
        "Payload/App.app/PlugIns/Open.appex/Info.plist"
    ]


def test_frameworks_by_name_and_by_id(facts: Callable[..., IosFacts], macho: ModuleType) -> None:
    code = macho.Thin(kind=6).build()
    found = facts(
        None,
        {
            "Frameworks/One.framework/Info.plist": inner("org.cocoapods.One", "One"),
            "Frameworks/One.framework/One": code,
            "Frameworks/One.framework/Frameworks/Two.framework/Info.plist": inner("Two", "Two"),
            "Frameworks/One.framework/Frameworks/Two.framework/Two": code,
        },
    )
    assert found.frameworks == ("One", "Two", "org.cocoapods.One")


# ---- odd ones ------------------------------------------------------------------------------------------------------


def run(reading: Reading[IosFacts], of: FactClass) -> tuple[Extent, str]:
    return next((run.extent, run.problem) for run in reading.runs if run.of is of)


def odd(reading: Reading[IosFacts]) -> set[str]:
    return {anomaly.code for anomaly in reading.anomalies}


def test_wrong_types_are_no_declarations_but_a_purpose_key_counts(ipa: Callable[..., Container], watch: Watch) -> None:
    wrong = {
        "UIBackgroundModes": "location",
        "LSApplicationQueriesSchemes": {"a": 1},
        "CFBundleURLTypes": 4,
        "NSAppTransportSecurity": [1],
        "NSCameraUsageDescription": 7,
        "NSLocationTemporaryUsageDescriptionDictionary": "x",
        "CFBundleShortVersionString": 3,
    }
    reading = read_ios(ipa(wrong), watch)
    assert reading.facts is not None
    assert reading.facts.background_modes == reading.facts.queried_schemes == reading.facts.url_schemes == ()
    assert {row.key: row.text for row in reading.facts.usage} == {
        "NSCameraUsageDescription": "",
        "NSLocationTemporaryUsageDescriptionDictionary": "",
    }
    assert reading.facts.version == ""
    assert odd(reading) == {"plist.empty-usage"}


@pytest.mark.parametrize(
    ("info", "code"),
    [
        (None, "plist.absent"),
        (b"", "plist.malformed"),
        (b"<plist><array/></plist>", "plist.wrong-root"),
        (b"<!DOCTYPE plist [<!ENTITY a 'b'>]><plist><dict><key>&a;</key><true/></dict></plist>", "plist.malformed"),
        ("cyclic", "plist.too-deep"),
        ("laughing", "plist.too-many-values"),
        ("overlapping", "plist.overlap"),
    ],
)
def test_an_info_plist_that_cannot_be_read_is_never_no_declarations(
    ipa: Callable[..., Container], watch: Watch, bplist: ModuleType, info: Any, code: str
) -> None:
    data = getattr(bplist, info)() if isinstance(info, str) else info
    reading = read_ios(ipa(None, {"Info.plist": data}), watch)
    assert reading.facts is not None
    assert reading.facts.binaries
    assert run(reading, FactClass.plist) == (Extent.failed, code)
    assert code in odd(reading)


def test_one_broken_extension_makes_it_partial(ipa: Callable[..., Container], watch: Watch) -> None:
    reading = read_ios(ipa(None, {"PlugIns/A.appex/Info.plist": b"x"}), watch)
    assert run(reading, FactClass.plist) == (Extent.partial, "plist.malformed")
    broken = read_ios(ipa(None, {"fr.lproj/InfoPlist.strings": b"{"}), watch)
    assert run(broken, FactClass.plist) == (Extent.partial, "plist.malformed")


def test_keys_given_twice_are_told(ipa: Callable[..., Container], watch: Watch) -> None:
    twice = plistlib.dumps({"CFBundleExecutable": "App"}).replace(
        b"</dict>", b"<key>CFBundleExecutable</key><string>App</string></dict>"
    )
    assert odd(read_ios(ipa(None, {"Info.plist": twice}), watch)) == {"plist.duplicate-key"}


def test_limits_are_told(ipa: Callable[..., Container], watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {f"{name}.bundle/Info.plist": {"a": "b"} for name in "abc"} | {
        f"{name}.lproj/InfoPlist.strings": {"a": "b"} for name in "abc"
    }
    whole = ipa(None, members)
    assert run(read_ios(whole, watch), FactClass.plist) == (Extent.complete, "")
    for target, value, code in (
        ("bundles.MAX_BUNDLES", 2, "ipa.too-many-bundles"),
        ("info.MAX_TRANSLATIONS", 2, "ipa.too-many-translations"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"proscribe.assess.ios.{target}", value)
            assert run(read_ios(whole, watch), FactClass.plist) == (Extent.partial, code)
    large = {f"{name}.bundle/Info.plist": b"x" * (2 << 20) for name in "abcdefghi"}
    assert "plist.budget" in odd(read_ios(ipa(None, large), watch))
