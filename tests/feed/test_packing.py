"""A feed carried by hand: the same checks, and nothing that a hostile file could do on the way."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from proscribe.feed import errors, sources
from proscribe.feed.client import pull
from proscribe.feed.packing import pack, unpack
from proscribe.prove.container import Writer

ITEM = "directives/ca-example/1.dsse.json"


@pytest.fixture
def packed(authority, tmp_path):
    out = tmp_path / "feed.zip"
    pack(authority.folder, out)
    return out


def take(source, authority, tmp_path, name="state"):
    return pull(source, tmp_path / name, authority.first_root, now=authority.now)


def test_a_packed_feed_is_pulled_like_any_other(authority, packed, tmp_path):
    by_file = take(packed, authority, tmp_path)
    by_folder = take(authority.public, authority, tmp_path, "other")
    assert by_file.state == by_folder.state
    assert by_file.files[ITEM].read_bytes() == by_folder.files[ITEM].read_bytes()
    assert not take(packed, authority, tmp_path).fresh


def test_the_same_feed_gives_the_same_file(authority, packed, tmp_path):
    again = tmp_path / "again.zip"
    pack(authority.folder, again)
    assert again.read_bytes() == packed.read_bytes()
    with zipfile.ZipFile(packed) as opened:  # any program opens it
        assert opened.testzip() is None
        assert "metadata/timestamp.json" in opened.namelist()


def test_only_what_is_public_now_is_packed(authority, tmp_path):
    authority.publish({"directives/ca-example/2.dsse.json": b"{}"})
    authority.repository.rotate({}, now=authority.now)
    authority.publish()
    count = pack(authority.folder, tmp_path / "feed.zip")
    assert count == 2 + 3 + 2  # roots; timestamp, snapshot, targets; files
    assert take(tmp_path / "feed.zip", authority, tmp_path).state.versions["root"] == 2


def test_an_old_packed_feed_is_a_rollback(authority, packed, tmp_path):
    authority.publish({"directives/ca-example/2.dsse.json": b"{}"}, days=1)
    take(authority.public, authority, tmp_path)
    with pytest.raises(errors.FeedRolledBack):
        take(packed, authority, tmp_path)


def test_unpacked_it_is_the_folder_a_server_hosts(authority, packed, tmp_path):
    count = unpack(packed, tmp_path / "copied")
    assert count == len([path for path in (tmp_path / "copied").rglob("*") if path.is_file()])
    assert take(tmp_path / "copied", authority, tmp_path).files[ITEM].exists()
    with pytest.raises(errors.FeedFolder):
        unpack(packed, tmp_path / "copied")
    with pytest.raises(errors.FeedFolder):
        unpack(packed, packed)


def test_every_flipped_byte_of_a_packed_feed_is_found(authority, packed, tmp_path):
    data = packed.read_bytes()
    bad = tmp_path / "bad.zip"
    for position in (*range(0, len(data), max(1, len(data) // 150)), len(data) - 1):
        bad.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(errors.FeedError):
            take(bad, authority, tmp_path, "fresh")
        assert not (tmp_path / "fresh" / "state.json").exists()


def written(*members, comment="proscribe feed"):
    stream = io.BytesIO()
    writer = Writer(stream)
    for name, data in members:
        writer.add(name, data)
    writer.finish(comment)
    return stream.getvalue()


def foreign(*members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"not a zip at all",
        foreign(("metadata/timestamp.json", b"{}")),
        foreign(("../../outside", b"x")),
        foreign(("/etc/outside", b"x")),
        written(("outside", [b"x"])),
        written(("metadata/timestamp.json", [b"{}"]), comment="other"),
        written(("targets/outside", [b"x"])),
        written(("metadata/timestamp.json", [b"{}"]), ("evil/1.json", [b"x"])),
        written(("targets/directives/x/0.1.dsse.json", [b"x"])),
    ],
    ids=[
        "empty",
        "short",
        "text",
        "foreign",
        "climbing",
        "absolute",
        "outside",
        "other",
        "no-hash",
        "beside",
        "short-hash",
    ],
)
def test_hostile_files_write_nothing(data, tmp_path):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(data)
    with pytest.raises(errors.FeedPackage):
        unpack(bad, tmp_path / "to")
    assert not (tmp_path / "to").exists()
    assert not (tmp_path / "outside").exists()


def test_a_bomb_is_not_unpacked(authority, tmp_path, monkeypatch):
    bomb = tmp_path / "bomb.zip"
    bomb.write_bytes(written(("metadata/timestamp.json", (b"\0" * (1 << 20) for _ in range(64)))))
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(errors.FeedPackage):
        take(bomb, authority, tmp_path)
    smaller = tmp_path / "smaller.zip"  # below what a reader of zip files takes for a bomb, above what a feed may have
    smaller.write_bytes(written(("metadata/timestamp.json", (b"\0" * (1 << 20) for _ in range(15)))))
    with pytest.raises(errors.FeedTooLarge):
        take(smaller, authority, tmp_path)
    monkeypatch.setattr(sources, "MAX_TOTAL", 1 << 20)
    with pytest.raises(errors.FeedPackage):
        take(smaller, authority, tmp_path)


def test_a_member_that_unpacks_to_something_else_is_refused(authority, packed, tmp_path):
    """The header is in order and the compressed bytes are those it names; only what comes out is not what it says."""
    data = bytearray(packed.read_bytes())
    at = data.index(b"metadata/timestamp.json")
    size_at = at - 30 + 22
    size = int.from_bytes(data[size_at : size_at + 4], "little")
    for place in (size_at, data.rindex(b"metadata/timestamp.json") - 46 + 24):
        data[place : place + 4] = (size + 1).to_bytes(4, "little")
    bad = tmp_path / "bad.zip"
    bad.write_bytes(bytes(data))
    with pytest.raises(errors.FeedPackage):
        take(bad, authority, tmp_path)
    assert zlib.crc32(bytes(data)) != zlib.crc32(packed.read_bytes())
