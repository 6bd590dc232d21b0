"""Property lists that strangers sent, and what is kept of devices' answers."""

from __future__ import annotations

import plistlib
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectors.nanomdm import apple_schema
from tests.connectors.nanomdm.telling import (
    AUTHENTICATE,
    CHECK_OUT,
    INFORMATION,
    KASPERSKY,
    STATUS_REPORT,
    TOKEN_UPDATE,
    WECHAT,
    answer,
    app,
    asked,
    error,
    managed,
    minutes,
    profile,
)
from tests.simulate.apple import saying

from proscribe.connectors.nanomdm import answers, plist
from proscribe.connectors.nanomdm.model import Device, Kind, SeenApp, SeenProfile
from proscribe.connectors.nanomdm.plist import BadPlist, read_plist
from proscribe.terms import Held, Platform

WATCHED = frozenset({WECHAT, KASPERSKY})
SUPERVISED: Any = SimpleNamespace(os="26.2", spec=SimpleNamespace(enrolment="supervised"))
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
DOCTYPE = b'<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'


def _list(inner: bytes, *, head: bytes = HEAD + DOCTYPE) -> bytes:
    return head + b'<plist version="1.0">' + inner + b"</plist>"


def _reason(data: bytes) -> str:
    with pytest.raises(BadPlist) as refused:
        read_plist(data)
    return refused.value.reason


# Reading ------------------------------------------------------------------------------------------------------------

_text = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)
_scalars = (
    _text
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary(max_size=40)
    | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001
)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4), max_leaves=20
)


@given(st.dictionaries(_text, _values, max_size=5))
def test_it_reads_what_plistlib_writes_as_plistlib_reads_it(value: dict[str, Any]) -> None:
    written = plistlib.dumps(value)
    assert _naive(read_plist(written)) == plistlib.loads(written)


def _naive(value: Any) -> Any:
    """Times without their zone, as plistlib gives them."""
    if isinstance(value, dict):
        return {key: _naive(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_naive(item) for item in value]
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: _list(text.encode("utf-8", "replace"))))
def test_nothing_but_a_bad_plist_comes_of_noise(data: bytes) -> None:
    reason = ""
    try:
        assert isinstance(read_plist(data), dict)
    except BadPlist as refused:
        reason = refused.reason
    assert reason in {"", "binary", "size", "entity", "depth", "count", "plist"}


def test_comments_spaces_and_hexadecimal_numbers_are_read_as_plistlib_does() -> None:
    data = _list(b"\n <dict><!-- a note --><key>n</key> <integer>0x1F</integer><key>s</key><string/></dict>\n ")
    assert read_plist(data) == plistlib.loads(data) == {"n": 31, "s": ""}


def test_a_billion_laughs_are_not_laughed() -> None:
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    bomb = HEAD + b'<!DOCTYPE plist [<!ENTITY l0 "lol">' + entities + b"]>"
    assert _reason(_list(b"<dict><key>k</key><string>&l9;</string></dict>", head=bomb)) == "entity"


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE plist [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE plist [<!ENTITY % e SYSTEM "http://127.0.0.1/x.dtd"> %e;]>',
        b'<!DOCTYPE plist [<!ENTITY e "harmless">]>',
    ],
)
def test_no_entity_is_declared(doctype: bytes) -> None:
    assert _reason(_list(b"<dict><key>k</key><string>x</string></dict>", head=HEAD + doctype)) == "entity"


def test_an_entity_that_an_absent_dtd_may_declare_is_not_passed_over() -> None:
    assert _reason(_list(b"<dict><key>k</key><string>a&b;c</string></dict>")) == "entity"


def test_xmls_own_entities_are_text() -> None:
    data = _list(b"<dict><key>&lt;&amp;&#65;</key><string>&quot;&apos;&gt;</string></dict>")
    assert read_plist(data) == {"<&A": "\"'>"}


def test_depth_is_bounded_exactly() -> None:
    def nested(depth: int) -> bytes:
        return _list(b"<dict><key>k</key>" + b"<array>" * depth + b"</array>" * depth + b"</dict>")

    read_plist(nested(plist.DEPTH_LIMIT - 1))
    assert _reason(nested(plist.DEPTH_LIMIT)) == "depth"
    assert _reason(nested(300_000)) == "depth"


def test_the_number_of_elements_is_bounded() -> None:
    assert _reason(_list(b"<dict><key>k</key><array>" + b"<true/>" * plist.COUNT_LIMIT + b"</array></dict>")) == "count"


def test_size_is_bounded() -> None:
    assert _reason(_list(b"<dict>" + b" " * plist.SIZE_LIMIT + b"</dict>")) == "size"


def test_binary_lists_are_refused_as_such() -> None:
    assert _reason(plistlib.dumps({"a": 1}, fmt=plistlib.FMT_BINARY)) == "binary"


@pytest.mark.parametrize(
    "inner",
    [
        b"",
        b"<array/>",
        b"<dict/><dict/>",
        b"<dict><key>k</key></dict>",
        b"<dict><string>v</string></dict>",
        b"<dict><key>a</key><key>b</key><true/></dict>",
        b"<dict><key>k</key><integer>1e3</integer></dict>",
        b"<dict><key>k</key><integer>" + b"9" * 5_000 + b"</integer></dict>",
        b"<dict><key>k</key><real>many</real></dict>",
        b"<dict><key>k</key><date>tomorrow</date></dict>",
        b"<dict><key>k</key><data>\xc3\xa9</data></dict>",
        b"<dict><key>k</key><data>A</data></dict>",
        b"<dict><key>k</key><string>a<b/>c</string></dict>",
        b"<dict><key>k</key><set/></dict>",
        b"<dict>text</dict>",
        b"<dict><plist/></dict>",
        b"<key>k</key>",
        b"<dict><key>k</key><true/>",
    ],
)
def test_what_is_no_property_list_is_refused(inner: bytes) -> None:
    assert _reason(_list(inner)) == "plist"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 10,
        b"<dict/>",
        b'<?xml version="1.0" encoding="ebcdic-cp-be"?><plist><dict/></plist>',
        b"\xff\xfe<",
    ],
)
def test_what_is_no_xml_of_ours_is_refused(data: bytes) -> None:
    assert _reason(data) == "plist"


# The messages of these tests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [AUTHENTICATE, CHECK_OUT, STATUS_REPORT], ids=lambda one: one["MessageType"])
def test_check_in_messages_are_of_apples_schema(message: dict[str, Any]) -> None:
    faults = [fault for fault in saying.check_in_faults(message, SUPERVISED) if not fault.endswith(_ELSEWHERE)]
    assert faults == []


_ELSEWHERE = (  # required of users and of User Enrolment, which the schema cannot say
    "EnrollmentID: required",
    "EnrollmentUserID: required",
    "UserLongName: required",
    "NotOnConsole: required",
)


def test_a_token_update_is_of_apples_schema() -> None:
    faults = saying.check_in_faults(TOKEN_UPDATE, SUPERVISED)
    assert [fault for fault in faults if not fault.endswith(_ELSEWHERE)] == []


@pytest.mark.parametrize(
    ("request_type", "more"),
    [
        ("DeviceInformation", {"QueryResponses": INFORMATION}),
        (
            "InstalledApplicationList",
            {"InstalledApplicationList": [app(WECHAT, IsAppClip=True, Source=answers.DECLARED)]},
        ),
        ("ManagedApplicationList", {"ManagedApplicationList": {WECHAT: managed("Managed")}}),
        ("ProfileList", {"ProfileList": [profile("org.example", "0B6E1A3F-1111-4222-8333-444455556666", "a", "b")]}),
    ],
)
def test_answers_are_of_apples_schema(request_type: str, more: dict[str, Any]) -> None:
    said = answer("Acknowledged", "U", **more)
    assert saying.answer_faults(said, {"RequestType": request_type}, SUPERVISED) == []


def test_statuses_are_those_of_apples_schema() -> None:
    keys = apple_schema.commands()["ManagedApplicationList"]["responsekeys"]
    assert set(keys[0]["subkeys"][0]["subkeys"][0]["rangelist"]) == answers.STATUSES


# What is kept -------------------------------------------------------------------------------------------------------


def test_watched_apps_are_kept_and_the_others_are_counted() -> None:
    command = asked("U", "InstalledApplicationList", minutes(1), named=(KASPERSKY, WECHAT))
    said = {
        "InstalledApplicationList": [app("org.example.diary"), app(WECHAT, IsAppClip=False), app("ca.canada.arrivecan")]
    }
    found = answers.listed(said, command, WATCHED, minutes(2))
    assert found.apps == (SeenApp(WECHAT, version="8.0.49", held=Held.unknown),)
    assert (found.asked_at, found.received_at, found.named) == (minutes(1), minutes(2), (KASPERSKY, WECHAT))
    assert found.others == 2
    assert "diary" not in repr(found)


def test_what_the_list_says_of_an_app_is_kept() -> None:
    command = asked("U", "InstalledApplicationList", minutes(1), managed_only=False)
    listed = [
        {"Identifier": "com.apple.tv", "Version": "1.2"},
        app(WECHAT, Source="Declarative Device Management"),
        app(KASPERSKY, IsAppClip=True),
    ]
    found = answers.listed({"InstalledApplicationList": listed}, command, {*WATCHED, "com.apple.tv"}, minutes(2))
    assert found.apps == (
        SeenApp("com.apple.tv", "1.2", Held.system),
        SeenApp(KASPERSKY, "8.0.49", Held.unknown, clip=True),
        SeenApp(WECHAT, "8.0.49", Held.managed, declared=True),
    )


def test_on_a_list_of_managed_apps_all_are_managed() -> None:
    command = asked("U", "InstalledApplicationList", minutes(1), managed_only=True)
    found = answers.listed({"InstalledApplicationList": [app(WECHAT)]}, command, WATCHED, minutes(2))
    assert [(one.held, found.managed_only) for one in found.apps] == [(Held.managed, True)]


def test_an_identifier_that_differs_in_case_alone_is_kept_as_written() -> None:
    command = asked("U", "InstalledApplicationList", minutes(1))
    said = {"InstalledApplicationList": [app("com.Tencent.xin")]}
    assert [one.id for one in answers.listed(said, command, WATCHED, minutes(2)).apps] == ["com.Tencent.xin"]


@pytest.mark.parametrize("said", [{}, {"InstalledApplicationList": {}}, {"InstalledApplicationList": ["a"]}])
def test_a_list_of_another_shape_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(BadPlist, match="shape"):
        answers.listed(said, asked("U", "InstalledApplicationList", minutes(1)), WATCHED, minutes(2))


def test_odd_values_of_an_app_harm_nobody() -> None:
    command = asked("U", "InstalledApplicationList", minutes(1))
    said = {
        "InstalledApplicationList": [
            {"Identifier": WECHAT, "Version": 7, "IsAppClip": "yes"},
            {"Name": "none"},
            {"Identifier": 7},
        ]
    }
    found = answers.listed(said, command, WATCHED, minutes(2))
    assert found.apps == (SeenApp(WECHAT),)
    assert found.others == 2


def test_each_status_of_a_watched_app_is_kept_and_absence_too() -> None:
    command = asked("U", "ManagedApplicationList", minutes(1), named=(KASPERSKY, WECHAT))
    said = {"ManagedApplicationList": {WECHAT: managed("ManagementRejected"), "org.example.diary": managed("Managed")}}
    found = answers.managed(said, command, WATCHED, minutes(2))
    assert [(one.id, one.status, one.asked_at, one.received_at) for one in found] == [
        (KASPERSKY, "", minutes(1), minutes(2)),
        (WECHAT, "ManagementRejected", minutes(1), minutes(2)),
    ]


def test_an_unheard_of_status_is_unknown() -> None:
    command = asked("U", "ManagedApplicationList", minutes(1))
    said = {"ManagedApplicationList": {WECHAT: managed("Quantum" * 100)}}
    assert [one.status for one in answers.managed(said, command, WATCHED, minutes(2))] == ["Unknown"]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"ManagedApplicationList": []},
        {"ManagedApplicationList": {WECHAT: "Managed"}},
        {"ManagedApplicationList": {WECHAT: {}}},
    ],
)
def test_statuses_of_another_shape_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(BadPlist, match="shape"):
        answers.managed(said, asked("U", "ManagedApplicationList", minutes(1)), WATCHED, minutes(2))


def test_profiles_are_known_by_identifier_uuid_and_restrictions() -> None:
    said = {
        "ProfileList": [
            profile("org.example.wifi", "W", "com.apple.wifi.managed"),
            profile("org.example.base", "B", "com.apple.wifi.managed", "com.apple.applicationaccess"),
            {"PayloadIdentifier": "org.example.sealed", "PayloadUUID": "S", "IsEncrypted": True},
        ]
    }
    found = answers.profiles(said, asked("U", "ProfileList", minutes(1)), minutes(2))
    assert found.profiles == (
        SeenProfile("org.example.base", "B", restricts=True),
        SeenProfile("org.example.sealed", "S", restricts=False),
        SeenProfile("org.example.wifi", "W", restricts=False),
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "shape"),
        ({"ProfileList": [{}]}, "shape"),
        ({"ProfileList": [{"PayloadIdentifier": "a", "PayloadUUID": 7}]}, "shape"),
        ({"ProfileList": [profile("a", str(number)) for number in range(answers.PROFILES_LIMIT + 1)]}, "count"),
    ],
)
def test_profiles_of_another_shape_or_without_end_are_refused(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadPlist, match=reason):
        answers.profiles(said, asked("U", "ProfileList", minutes(1)), minutes(2))


def test_who_a_device_is() -> None:
    assert answers.introduced(AUTHENTICATE) == answers.Facts(
        udid=AUTHENTICATE["UDID"],
        serial="F2LLIGHT0001",
        model="iPhone14,5",
        os_version="26.1",
        platform=Platform.ios,
    )
    assert answers.informed({"QueryResponses": INFORMATION}) == answers.Facts(
        udid=INFORMATION["UDID"],
        serial="F2LLIGHT0001",
        name="Lamp 1 of the north pier",
        os_version="26.2",
        platform=Platform.ios,
        supervised=True,
    )


@pytest.mark.parametrize(
    ("model", "platform"),
    [
        ("iPad14,1", Platform.ios),
        ("iPod9,1", Platform.ios),
        ("MacBookPro18,1", Platform.macos),
        ("iMac14,2", Platform.macos),
        ("AppleTV14,1", Platform.unknown),
        ("RealityDevice14,1", Platform.unknown),
    ],
)
def test_the_platform_follows_from_the_model(model: str, platform: Platform) -> None:
    assert answers.introduced({"ProductName": model}).platform is platform


def test_facts_of_the_wrong_type_are_none() -> None:
    said = {"QueryResponses": {"IsSupervised": "true", "OSVersion": 26, "DeviceName": "n" * 10_000}}
    found = answers.informed(said)
    assert (found.supervised, found.os_version) == (None, "")
    assert len(found.name) == 200
    assert set(found.said) == {"name"}


def test_information_without_answers_is_refused() -> None:
    with pytest.raises(BadPlist, match="shape"):
        answers.informed({"Status": "Acknowledged"})


def test_the_first_error_is_told_in_one_line() -> None:
    assert answers.complaint({"ErrorChain": error()}) == "MCMDMErrorDomain 12029 The app is not managed."
    local = [{"ErrorDomain": "D", "ErrorCode": 1, "LocalizedDescription": "Nein."}]
    assert answers.complaint({"ErrorChain": local}) == "D 1 Nein."


@pytest.mark.parametrize("said", [{}, {"ErrorChain": []}, {"ErrorChain": ["x"]}, {"ErrorChain": {"ErrorCode": 1}}])
def test_no_error_is_told_where_there_is_none(said: dict[str, Any]) -> None:
    assert answers.complaint(said) == ""


def test_a_device_is_made_of_the_facts_field_by_field() -> None:
    assert set(answers.Facts.__slots__) <= {name for name in Device.__dataclass_fields__ if name != "kind"}
    assert Kind.device.is_device
