"""The zip container: deterministic, readable by anybody, and without a byte that may change unnoticed."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proscribe.prove import container
from proscribe.prove.container import CONTAINER, BundleTooLarge, Container, Writer

MEMBERS = {"b.txt": b"second member " * 40, "a/empty.json": b"", "a/one.json": b'{"a": 1}', "z": bytes(range(256)) * 3}


def build(members: dict[str, bytes], comment: str = "seal") -> bytes:
    stream = io.BytesIO()
    writer = Writer(stream)
    for name, data in members.items():
        writer.add(name, [data[:5], data[5:]])
    writer.finish(comment)
    return stream.getvalue()


def content(opened: Container, name: str) -> bytes:
    return b"".join(opened.chunks(name))


def test_what_goes_in_comes_out_and_the_bytes_are_always_the_same() -> None:
    data = build(MEMBERS)
    assert data == build(MEMBERS)
    opened = Container(data)
    assert opened.faults == []
    assert opened.comment == "seal"
    assert {name: content(opened, name) for name in opened.entries} == MEMBERS


def test_any_zip_reader_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "proof.zip"
    path.write_bytes(build(MEMBERS))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tqq", str(path)], check=True)


def test_every_changed_byte_is_found_and_the_member_named() -> None:
    data = build(MEMBERS)
    extents = {
        at: entry.name
        for entry in Container(data).entries.values()
        for at in range(entry.data_at, entry.data_at + entry.packed)
    }
    for at in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[at] ^= mask
            opened = Container(bytes(changed))
            # The comment is the seal: its wording is checked by who knows what it must say.
            if not opened.faults:
                assert opened.comment != "seal", at
                continue
            assert opened.faults[0].member
            assert opened.faults[0].what.fr != opened.faults[0].what.en
            if at in extents:
                assert opened.faults[0].member == extents[at]


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_inserted_bytes_are_found(at: int, extra: bytes) -> None:
    data = build(MEMBERS)
    at = min(at, len(data))
    opened = Container(data[:at] + extra + data[at:])
    assert opened.faults or opened.comment != "seal" or data[:at] + extra + data[at:] == data


@given(st.integers(0, 3000))
def test_a_truncated_file_is_found(stop: int) -> None:
    data = build(MEMBERS)
    if stop < len(data):
        assert Container(data[:stop]).faults


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"hello" * 100])
def test_what_is_no_proof_is_a_fault_of_the_container(data: bytes) -> None:
    assert Container(data).faults[0].member == CONTAINER


def test_a_zip_of_another_program_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", "{}")
    assert Container(stream.getvalue()).faults[0].member == "manifest.json"


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a//b", "a/../b", ".hidden", "a\\b", "é", ""])
def test_a_name_that_could_leave_the_folder_is_neither_written_nor_read(name: str) -> None:
    with pytest.raises(ValueError, match="not a member name"):
        Writer(io.BytesIO()).add(name, [b"x"])
    stand_in = "x" * len(name.encode())
    if stand_in:
        data = build({stand_in: b"x"}).replace(stand_in.encode(), name.encode())
        assert Container(data).faults


def test_the_same_name_twice() -> None:
    writer = Writer(io.BytesIO())
    writer.add("a", [b"1"])
    with pytest.raises(ValueError, match="already written"):
        writer.add("a", [b"2"])
    data = build({"a": b"1", "b": b"1"}).replace(b"\x00b\x50\x53", b"\x00a\x50\x53")
    opened = Container(build({"a": b"1", "A": b"2"}))
    assert (opened.faults[0].member, opened.faults[0].what.en) == ("A", "it is there twice")
    assert Container(data).faults == [] or Container(data).faults[0].member == "a"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    data = build({"bomb": bytes(container.RATIO_FLOOR + 1)})
    opened = Container(data)
    assert opened.faults[0].member == "bomb"
    assert "bomb" in opened.faults[0].what.en


def test_many_members_or_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = build(MEMBERS)
    monkeypatch.setattr(container, "MAX_TOTAL", 100)
    assert Container(data).faults
    monkeypatch.setattr(container, "MAX_BYTES", 100)
    with pytest.raises(BundleTooLarge):
        build(MEMBERS)


def forged(packed: bytes, size: int, crc: int) -> bytes:
    """A container whose headers agree with each other and lie about the stream."""
    import hashlib

    entry = container.Entry("a", crc, len(packed), size, hashlib.sha256(packed).digest(), 0)
    local, central = entry.local() + packed, entry.central()
    return local + central + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("packed", "size", "crc"),
    [
        (deflate(b"hello"), 4, zlib.crc32(b"hello")),  # more than announced
        (deflate(b"hello"), 6, zlib.crc32(b"hello")),  # less than announced
        (deflate(b"hello"), 5, zlib.crc32(b"hallo")),
        (deflate(b"hello") + b"tail", 5, zlib.crc32(b"hello")),  # bytes behind the stream
        (deflate(b"hello")[:-1], 5, zlib.crc32(b"hello")),  # the stream never ends
        (b"\xff\xff\xff", 5, zlib.crc32(b"hello")),  # no stream at all
        (b"", 0, 0),
    ],
)
def test_a_stream_that_is_not_what_its_header_says(packed: bytes, size: int, crc: int) -> None:
    opened = Container(forged(packed, size, crc))
    assert opened.faults == []
    with pytest.raises(ValueError, match="a: "):
        content(opened, "a")
