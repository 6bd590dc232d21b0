"""The ZIP reader against Python's own on good archives, and against what packers do to bad ones."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.assess.errors import NotAPackage
from proscribe.assess.intake.container import UnreadableMember, open_container
from proscribe.assess.intake.limits import LIMITS


def archive(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytearray:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as bundle:
        for name, data in members.items():
            bundle.writestr(name, data)
    return bytearray(stream.getvalue())


MEMBERS = {
    "AndroidManifest.xml": b"manifest" * 99,
    "classes.dex": bytes(range(256)) * 40,
    "empty": b"",
    "été": b"utf-8",
}


def central(data: bytes, name: str) -> int:
    """Offset of a member's central header."""
    at = data.rindex(name.encode())
    return at - 46


def codes(data: bytes | bytearray) -> set[str]:
    return {anomaly.code for anomaly in open_container(bytes(data)).anomalies}


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_good_archive_reads_as_python_reads_it(method):
    data = bytes(archive(MEMBERS, method=method))
    found = open_container(data)
    assert found.anomalies == ()
    with zipfile.ZipFile(io.BytesIO(data)) as oracle:
        assert list(found.entries) == oracle.namelist()
        for name in oracle.namelist():
            assert found.read(name) == oracle.read(name) == b"".join(found.chunks(name)) == bytes(found.view(name))
            assert found.crc_holds(name)


@pytest.mark.samples
def test_real_packages_read_as_python_reads_them(samples):
    count = 0
    for file in sorted((samples / "apk").glob("*.apk")):
        data = file.read_bytes()
        found = open_container(data, path=str(file))
        assert not found.anomalies, file.name
        with zipfile.ZipFile(file) as oracle:
            assert sorted(found.entries) == sorted(set(oracle.namelist()))
            for name in oracle.namelist()[::7]:
                assert found.read(name) == oracle.read(name)
                count += 1
    assert count > 500


def test_not_a_zip_at_all():
    for data in (b"", b"PK", b"dex\n035\0" + bytes(200), bytes(70_000)):
        with pytest.raises(NotAPackage) as caught:
            open_container(data)
        assert caught.value.remedy.fr


def test_an_unknown_method_is_read_as_stored_as_android_does():
    data = archive({"AndroidManifest.xml": b"A" * 100}, method=zipfile.ZIP_STORED)
    at = central(data, "AndroidManifest.xml")
    struct.pack_into("<H", data, at + 10, 0x5A5A)
    struct.pack_into("<L", data, at + 20, 7)  # a compressed size that lies
    found = open_container(bytes(data))
    assert found.read("AndroidManifest.xml") == b"A" * 100
    assert {"zip.unknown-method", "zip.local-differs"} <= codes(data)


def test_an_encryption_flag_is_ignored_and_said():
    data = archive(MEMBERS)
    struct.pack_into("<H", data, central(data, "classes.dex") + 8, 1)
    assert open_container(bytes(data)).read("classes.dex") == MEMBERS["classes.dex"]
    assert codes(data) == {"zip.encrypted-flag"}


def test_a_wrong_crc_does_not_hide_the_bytes():
    data = archive(MEMBERS)
    struct.pack_into("<L", data, central(data, "classes.dex") + 16, 12345)
    found = open_container(bytes(data))
    assert found.read("classes.dex") == MEMBERS["classes.dex"]
    assert not found.crc_holds("classes.dex")


@pytest.mark.parametrize(("size", "code"), [(10, "zip.size-lie"), (100_000, "zip.truncated")])
def test_a_size_that_lies_is_a_problem_of_that_member(size, code):
    data = archive(MEMBERS)
    struct.pack_into("<L", data, central(data, "classes.dex") + 24, size)
    found = open_container(bytes(data))
    for read in (found.read, found.sha256):
        with pytest.raises(UnreadableMember) as caught:
            read("classes.dex")
        assert caught.value.code == code
    assert found.read("AndroidManifest.xml") == MEMBERS["AndroidManifest.xml"]


def test_a_bomb_is_not_inflated():
    stream = zlib.compressobj(9, wbits=-15)
    packed = b"".join(stream.compress(bytes(1 << 20)) for _ in range(80)) + stream.flush()
    data = archive({"classes.dex": packed}, method=zipfile.ZIP_STORED)
    at = central(data, "classes.dex")
    struct.pack_into("<H", data, at + 10, 8)
    struct.pack_into("<LL", data, at + 20, len(packed), 80 << 20)
    found = open_container(bytes(data))
    assert "zip.ratio" in {anomaly.code for anomaly in found.anomalies}
    with pytest.raises(UnreadableMember) as caught:
        found.read("classes.dex")
    assert caught.value.code == "zip.ratio"
    struct.pack_into("<L", data, at + 24, 4000)  # and where the size is kept small by a lie
    with pytest.raises(UnreadableMember) as caught:
        open_container(bytes(data)).read("classes.dex")
    assert caught.value.code == "zip.size-lie"


def test_many_entries_on_one_member_are_seen_and_bounded(monkeypatch):
    whole = archive({"a": bytes(1000)}, method=zipfile.ZIP_STORED)
    at = central(whole, "a")
    header = bytes(whole[at : at + 47])
    copies = b"".join(header[:46] + bytes([98 + number]) for number in range(20))
    end = bytearray(whole[at + 47 :])
    struct.pack_into("<HHL", end, 8, 21, 21, 47 * 21)
    data = bytes(whole[:at]) + header + copies + bytes(end)
    monkeypatch.setattr("proscribe.assess.intake.container.LIMITS", type(LIMITS)(streamed=5000))
    found = open_container(data)
    assert {"zip.overlap", "zip.local-name"} <= {anomaly.code for anomaly in found.anomalies}
    for name in list(found.entries)[:5]:
        found.sha256(name)
    with pytest.raises(UnreadableMember) as caught:
        found.sha256(list(found.entries)[5])
    assert caught.value.code == "zip.budget"


def test_names_that_would_leave_a_folder_are_listed():
    data = archive({"../../etc/passwd": b"x", "/absolute": b"x", "..\\w": b"x", "C:/x": b"x", "plain/..name": b"x"})
    unsafe = [anomaly.member for anomaly in open_container(bytes(data)).anomalies if anomaly.code == "zip.unsafe-name"]
    assert unsafe == ["../../etc/passwd", "/absolute", "..\\w", "C:/x"]


def test_duplicates_keep_the_first_and_are_listed():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as bundle:
        bundle.writestr("classes.dex", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            bundle.writestr("classes.dex", b"second")
    found = open_container(stream.getvalue())
    assert found.read("classes.dex") == b"first"
    assert "zip.duplicate-name" in {anomaly.code for anomaly in found.anomalies}


def test_bytes_before_and_after():
    data = bytes(archive(MEMBERS))
    found = open_container(data + b"trailing")
    assert found.read("classes.dex") == MEMBERS["classes.dex"]
    assert {anomaly.code for anomaly in found.anomalies} == {"zip.trailing-data"}
    shifted = open_container(b"dex\n035\0" + data)
    assert {anomaly.code for anomaly in shifted.anomalies} == {"zip.shifted-directory", "zip.data-before"}
    assert shifted.read("classes.dex") == MEMBERS["classes.dex"]


def test_a_listing_stays_short_and_complete():
    data = archive({f"../{number}": b"" for number in range(500)})
    unsafe = [one for one in open_container(bytes(data)).anomalies if one.code == "zip.unsafe-name"]
    assert len(unsafe) == 21
    assert unsafe[-1].detail == "480 more"


@given(st.data())
def test_mutations_never_raise_anything_else(data):
    whole = archive(MEMBERS)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for candidate in (bytes(whole), bytes(whole[:cut])):
        try:
            found = open_container(candidate)
        except NotAPackage:
            continue
        for name in found.entries:
            for read in (found.read, found.sha256, found.view):
                with suppress(UnreadableMember):
                    read(name)
