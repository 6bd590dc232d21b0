"""Property lists: what plistlib reads, read the same; what it would choke on, refused with a code."""

from __future__ import annotations

import json
import plistlib
import time
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.assess.ios.plists import MAX_BYTES, MAX_NODES, UnreadablePlist, as_json, read_plist, read_strings

_texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
_values = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(_texts, _values, max_size=5), st.sampled_from([plistlib.FMT_XML, plistlib.FMT_BINARY]))
def test_reads_what_plistlib_writes(value: dict[str, Any], form: plistlib.PlistFormat) -> None:
    assert read_plist(plistlib.dumps(value, fmt=form)).value == value


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_what_json_cannot_hold_becomes_text(form: plistlib.PlistFormat) -> None:
    value = {
        "data": b"\x00\xff",
        "date": datetime(2026, 3, 4, 5, 6, 7),  # noqa: DTZ001  plistlib's dates have no zone
        "large": 2**60,
        "infinite": float("inf"),
        "nothing": float("nan"),
    }
    read = read_plist(plistlib.dumps(value, fmt=form)).mapping
    assert read == {
        "data": "base64:AP8=",
        "date": "2026-03-04T05:06:07Z",
        "large": "1152921504606846976",
        "infinite": "inf",
        "nothing": "nan",
    }
    assert json.loads(as_json(read)) == read


def test_a_uid_is_told() -> None:
    data = plistlib.dumps({"u": plistlib.UID(7)}, fmt=plistlib.FMT_BINARY)
    assert read_plist(data).value == {"u": "uid:7"}


def test_keys_given_twice_are_told() -> None:
    plist = read_plist(b"<plist><dict><key>a</key><string>1</string><key>a</key><string>2</string></dict></plist>")
    assert (plist.value, plist.twice) == ({"a": "2"}, ("a",))


def test_keys_given_twice_in_a_binary_list_are_told(bplist: ModuleType) -> None:
    objects = [bplist.pairs([1, 1], [2, 3]), *(bplist.ascii_text(text) for text in ("a", "one", "two"))]
    plist = read_plist(bplist.bplist(objects))
    assert (plist.value, plist.twice) == ({"a": "two"}, ("a",))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "plist.malformed"),
        (b"bplist00", "plist.malformed"),
        (b"bplist00" + bytes(32), "plist.malformed"),
        (b"<plist><dict>", "plist.malformed"),
        (b"<plist><date>yesterday</date></plist>", "plist.malformed"),
        (b"<plist><integer>" + b"9" * 5000 + b"</integer></plist>", "plist.malformed"),
        (b'<?xml version="1.0" encoding="none-such"?><plist><dict/></plist>', "plist.malformed"),
        (b'<!DOCTYPE plist [<!ENTITY a "b">]><plist><string>&a;</string></plist>', "plist.malformed"),
        (
            b'<!DOCTYPE plist [<!ENTITY a SYSTEM "file:///etc/passwd">]><plist><string>&a;</string></plist>',
            "plist.malformed",
        ),
        (b"<plist>" + b"<array>" * 100 + b"</array>" * 100 + b"</plist>", "plist.too-deep"),
        (b"<plist><array>" + b"<true/>" * (MAX_NODES + 1) + b"</array></plist>", "plist.too-many-values"),
        (b"<plist><string>" + b"a" * MAX_BYTES + b"</string></plist>", "plist.too-large"),
    ],
)
def test_refuses(data: bytes, code: str) -> None:
    with pytest.raises(UnreadablePlist) as error:
        read_plist(data)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("cyclic", "plist.too-deep"),
        ("laughing", "plist.too-many-values"),
        ("overlapping", "plist.overlap"),
        ("nested", "plist.too-deep"),
    ],
)
def test_refuses_bombs_at_once(bplist: ModuleType, kind: str, code: str) -> None:
    data = getattr(bplist, kind)()
    begin = time.process_time()
    with pytest.raises(UnreadablePlist) as error:
        read_plist(data)
    assert error.value.code == code
    assert time.process_time() - begin < 2


def test_a_few_arrays_in_arrays_are_fine(bplist: ModuleType) -> None:
    assert read_plist(bplist.nested(3)).value == {"key": [[[]]]}


def test_the_root_has_to_be_a_dictionary() -> None:
    with pytest.raises(UnreadablePlist, match=r"plist\.wrong-root list"):
        _ = read_plist(plistlib.dumps([1])).mapping


_WHOLE = plistlib.dumps({"a": [1, 2.5, True, b"x", {"b": "é"}], "c": "d" * 20}, fmt=plistlib.FMT_BINARY)
_XML = plistlib.dumps({"a": [1, 2.5, True, b"x", {"b": "é"}], "c": "d" * 20})


@given(
    st.sampled_from([_WHOLE, _XML]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    st.integers(0, 400),
)
def test_mutants_are_read_or_refused(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    mutant = bytearray(data)
    for at, value in changes:
        mutant[at % len(mutant)] = value
    for form in (bytes(mutant), bytes(mutant[:cut])):
        try:
            as_json(read_plist(form).value)
        except UnreadablePlist as error:
            assert error.code.startswith("plist.")  # noqa: PT017  both ends are right; a third is not


# ---- .strings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_strings_in_the_old_text_form(encoding: str) -> None:
    source = '/* note */ "NSCameraUsageDescription" = "Pour \\"voir\\"\\n\\U00e9";\n// more\nCFBundleName = Nom; alone;'
    assert read_strings(source.encode(encoding)).value == {
        "NSCameraUsageDescription": 'Pour "voir"\né',
        "CFBundleName": "Nom",
        "alone": "alone",
    }


def test_strings_tell_keys_given_twice_and_mend_broken_characters() -> None:
    plist = read_strings(b'a = "1"; a = "\\Ud83d\\Ude00\\Ud83d";')
    assert (plist.value, plist.twice) == ({"a": "\U0001f600\ufffd"}, ("a",))


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_strings_as_a_property_list(form: plistlib.PlistFormat) -> None:
    assert read_strings(plistlib.dumps({"a": "b"}, fmt=form)).value == {"a": "b"}


@pytest.mark.parametrize("data", [b'"a" = "b"', b'"a" "b" "c";', b"\xff", b'"open', b";", b"/* open", b"{"])
def test_strings_refused(data: bytes) -> None:
    with pytest.raises(UnreadablePlist):
        read_strings(data)


def test_strings_too_large() -> None:
    with pytest.raises(UnreadablePlist, match="too-large"):
        read_strings(b"a" * (MAX_BYTES + 1))


@given(st.binary(max_size=200) | st.text('"\\=;/* ab\nU', max_size=200).map(str.encode))
def test_any_strings_are_read_or_refused(data: bytes) -> None:
    try:
        read_strings(data)
    except UnreadablePlist as error:
        assert error.code.startswith("plist.")  # noqa: PT017


def test_long_strings_take_linear_time() -> None:
    begin = time.process_time()
    with pytest.raises(UnreadablePlist):
        read_strings(b'"' + b"\\a" * (MAX_BYTES // 2 - 10))
    with pytest.raises(UnreadablePlist):
        read_strings(b"/*" + b"*" * (MAX_BYTES - 10))
    assert time.process_time() - begin < 3
