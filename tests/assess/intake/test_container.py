"""The ZIP reader against Python's own on good archives, and against what packers do to bad ones."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import time
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.assess.errors import NotAPackage, RefusedPackage
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


# ---- the digest that comes with the pieces, and time ----------------------------------------------------------------


def test_whoever_takes_all_pieces_has_the_digest(monkeypatch):
    data = bytes(archive({"classes.dex": bytes(range(256)) * 20_000}))
    found = open_container(data, name="split.apk")
    pieces = found.chunks("classes.dex")
    next(pieces)
    assert found.digests() == {}  # not all of them yet
    assert len(b"".join(pieces)) == 256 * 20_000 - (1 << 20)
    expected = hashlib.sha256(bytes(range(256)) * 20_000).hexdigest()
    assert found.digests() == {"split.apk!classes.dex": expected}
    monkeypatch.setattr(found, "chunks", None)  # and nothing is read again
    assert found.sha256("classes.dex") == expected


def test_a_digest_of_bytes_that_were_just_read_reads_nothing(monkeypatch):
    found = open_container(bytes(archive(MEMBERS)))
    whole = found.read("classes.dex")
    monkeypatch.setattr(found, "chunks", None)
    assert found.sha256("classes.dex", whole) == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_pieces_take_time_and_memory_in_proportion(method):
    """Bytes that do not compress: an inflater that keeps what it was given would copy with the square of them."""

    def seconds(size: int) -> float:
        found = open_container(bytes(archive({"a": random.Random(1).randbytes(size)}, method=method)))
        begin = time.process_time()
        assert max(map(len, found.chunks("a"))) <= 1 << 20
        return time.process_time() - begin

    seconds(1 << 20)
    assert seconds(32 << 20) < 20 * seconds(4 << 20) + 0.1


def test_pieces_of_what_is_broken():
    data = archive({"a": random.Random(1).randbytes(300_000)})
    struct.pack_into("<L", data, central(data, "a") + 24, 500_000)
    with pytest.raises(UnreadableMember, match="truncated"):
        list(open_container(bytes(data)).chunks("a"))
    data[central(data, "a") - 100_000 : central(data, "a")] = bytes(100_000)
    with pytest.raises(UnreadableMember, match=r"bad-deflate|truncated"):
        list(open_container(bytes(data)).chunks("a"))
    struct.pack_into("<L", data, central(data, "a") + 24, LIMITS.declared + 1)
    for read in (open_container(bytes(data)).chunks, open_container(bytes(data)).read):
        with pytest.raises(UnreadableMember, match="too-large"):
            list(read("a"))
    with pytest.raises(KeyError):
        list(open_container(bytes(data)).chunks("b"))


def test_noise_where_deflate_is_said():
    data = archive({"a": b"\xff" * 400}, method=zipfile.ZIP_STORED)
    struct.pack_into("<H", data, central(data, "a") + 10, 8)
    found = open_container(bytes(data))
    for read in (found.read, found.view, found.sha256):
        with pytest.raises(UnreadableMember, match="bad-deflate"):
            read("a")


# ---- the directory -------------------------------------------------------------------------------------------------


def zip64(members: dict[str, bytes]) -> bytearray:
    """As Python writes archives beyond the old limits: sizes and offsets in extra fields, and a second end record."""
    stream = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        bundle = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)
        for name, data in members.items():
            with bundle.open(name, "w", force_zip64=True) as member:
                member.write(data)
        patch.setattr(zipfile, "ZIP64_LIMIT", 1)
        bundle.close()
    return bytearray(stream.getvalue())


def test_zip64_reads_as_python_reads_it():
    data = bytes(zip64(MEMBERS))
    assert b"PK\x06\x06" in data
    found = open_container(data)
    assert found.anomalies == ()
    with zipfile.ZipFile(io.BytesIO(data)) as oracle:
        assert list(found.entries) == oracle.namelist()
        for info in oracle.infolist():
            entry = found.entries[info.filename]
            assert (entry.size, entry.compressed, entry.header) == (
                info.file_size, info.compress_size, info.header_offset,
            )  # fmt: skip
            assert found.read(info.filename) == oracle.read(info.filename)


def test_zip64_fields_beside_others_and_cut_short():
    """Only what the plain fields leave open is taken, in the order of the format, whatever else stands there."""
    whole = archive(MEMBERS)
    at = central(whole, "classes.dex")
    true = struct.unpack_from("<3L", whole, at + 16)[1:]
    offset = struct.unpack_from("<L", whole, at + 42)[0]
    for fields, values in (
        ({20: 0xFFFFFFFF, 24: 0xFFFFFFFF}, (true[1], true[0])),
        ({42: 0xFFFFFFFF}, (offset,)),
        ({20: 0xFFFFFFFF, 24: 0xFFFFFFFF, 42: 0xFFFFFFFF}, (true[1], true[0], offset)),
    ):
        extra = struct.pack("<HH3s", 0x7075, 3, b"abc") + struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)
        for cut in (0, 9):
            data = bytearray(whole)
            for place, value in fields.items():
                struct.pack_into("<L", data, at + place, value)
            struct.pack_into("<H", data, at + 30, len(extra) - cut)
            data[at + 46 + len("classes.dex") : at + 46 + len("classes.dex")] = extra[: len(extra) - cut]
            end = data.rindex(b"PK\5\6")
            size = struct.unpack_from("<L", data, end + 12)[0]
            struct.pack_into("<L", data, end + 12, size + len(extra) - cut)
            found = open_container(bytes(data))
            if not cut:
                assert found.read("classes.dex") == MEMBERS["classes.dex"]
            else:
                with pytest.raises(UnreadableMember):
                    found.read("classes.dex")
            assert found.read("AndroidManifest.xml") == MEMBERS["AndroidManifest.xml"]


def test_a_second_end_record_that_leads_nowhere_is_not_followed():
    data = zip64(MEMBERS)
    locator = data.rindex(b"PK\x06\x07")
    struct.pack_into("<Q", data, locator + 8, 1 << 60)
    assert list(open_container(bytes(data)).entries) == list(MEMBERS)  # the plain one says enough


def test_several_disks_and_a_comment_are_said():
    data = archive(MEMBERS)
    end = data.rindex(b"PK\5\6")
    struct.pack_into("<H", data, end + 4, 3)
    struct.pack_into("<H", data, end + 20, 5)
    found = open_container(bytes(data) + b"hello")
    assert {(one.code, one.detail) for one in found.anomalies} == {
        ("zip.several-disks", f"disk 3, {len(MEMBERS)} of {len(MEMBERS)}"), ("zip.comment", "5 bytes"),
    }  # fmt: skip
    assert found.read("classes.dex") == MEMBERS["classes.dex"]


def test_too_many_entries_are_refused_and_many_are_said(monkeypatch):
    data = bytes(archive({f"f{number}": b"" for number in range(30)}))
    monkeypatch.setattr("proscribe.assess.intake.directory.LIMITS", type(LIMITS)(many=20))
    assert codes(data) == {"zip.many-entries"}
    monkeypatch.setattr("proscribe.assess.intake.directory.LIMITS", type(LIMITS)(entries=20))
    with pytest.raises(RefusedPackage, match="too many entries") as caught:
        open_container(data)
    assert "20" in caught.value.what.fr


def test_declared_sizes_beyond_reason_are_said(monkeypatch):
    monkeypatch.setattr("proscribe.assess.intake.directory.LIMITS", type(LIMITS)(total=1000, declared=5000))
    assert codes(archive(MEMBERS)) == {"zip.declared-total", "zip.declared-size"}


def test_a_directory_that_is_cut_gives_what_is_whole():
    data = archive(MEMBERS)
    last = central(data, "été")
    struct.pack_into("<H", data, last + 30, 5000)  # an extra field that goes past the directory
    found = open_container(bytes(data))
    assert list(found.entries) == ["AndroidManifest.xml", "classes.dex", "empty"]
    assert {"zip.cut-entry", "zip.entry-count"} <= codes(data)


def test_a_directory_outside_of_the_file_is_no_entries():
    data = archive(MEMBERS)
    end = data.rindex(b"PK\5\6")
    struct.pack_into("<LL", data, end + 12, 1 << 30, 1 << 31)
    found = open_container(bytes(data))
    assert not found.entries
    assert {"zip.directory-outside", "zip.entry-count"} <= codes(data)


def test_names_of_older_encodings():
    data = archive({"a\u00e9.txt": b"x"})
    raw = "a\u00e9.txt".encode()
    changed = bytes(data).replace(raw, b"a\xe9\xff.txt")
    found = open_container(changed)
    assert list(found.entries) == ["a\u00e9\u00ff.txt"]
    assert {"zip.name-encoding"} <= codes(changed)


def test_room_that_build_tools_leave_is_no_oddity():
    """An empty local entry in front, as zipflinger writes; anything else there is data that belongs to no member."""
    room = struct.pack("<4s5H3L2H", b"PK\3\4", 0, 0, 0, 0, 0, 0, 0, 0, 0, 20) + bytes(20)
    for before, told in ((room, set()), (room[:-1] + b"x", {"zip.data-before"}), (b"#!/bin/sh", {"zip.data-before"})):
        whole = archive(MEMBERS)
        moved = bytearray(before + whole)
        for name in MEMBERS:
            at = moved.rindex(name.encode()) - 46
            header = struct.unpack_from("<L", moved, at + 42)[0]
            struct.pack_into("<L", moved, at + 42, header + len(before))
        end = moved.rindex(b"PK\5\6")
        start = struct.unpack_from("<L", moved, end + 16)[0]
        struct.pack_into("<L", moved, end + 16, start + len(before))
        assert codes(moved) == told
        assert open_container(bytes(moved)).read("classes.dex") == MEMBERS["classes.dex"]


def test_members_that_reach_into_the_directory():
    data = archive({"a": b"A" * 50}, method=zipfile.ZIP_STORED)
    struct.pack_into("<LL", data, central(data, "a") + 20, 60, 60)
    assert "zip.overlap" in codes(data)
