"""Small files, read within a bound and written whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from proscribe.errors import UnreadableFile
from proscribe.files import read_bytes, read_text, reason, write_whole


def test_a_long_file_is_read_one_byte_past_the_bound_so_that_it_shows(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert (read_bytes(file, 5), read_bytes(file, 3)) == (b"12345", b"1234")


def test_text_comes_without_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xef\xbb\xbfgr\xc3\xaace")
    assert read_text(file) == "grêce"


@pytest.mark.parametrize("read", [read_text, lambda path: read_bytes(path, 9)])
def test_what_is_not_there_is_named(tmp_path: Path, read) -> None:
    with pytest.raises(UnreadableFile, match="No such file") as caught:
        read(tmp_path / "gone")
    assert caught.value.where.file == str(tmp_path / "gone")
    assert caught.value.remedy.fr == "Vérifiez le chemin et les droits d'accès."


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("grâce".encode("cp1252"))
    with pytest.raises(UnreadableFile, match="utf-8") as caught:
        read_text(tmp_path / "file")
    assert caught.value.remedy.en == "Save it as UTF-8 text."


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, b"old")
    write_whole(file, b"new")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("file", b"new")]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"never")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EEXIST, errno.EISDIR, errno.ENOENT, errno.ENOTDIR, errno.EROFS])
def test_the_reason_of_the_system_is_said_in_both_languages(number: int) -> None:
    said = reason(OSError(number, os.strerror(number)))
    assert said.en == os.strerror(number)
    assert said.fr != said.en


def test_a_reason_nobody_translated_is_said_all_the_same() -> None:
    assert reason(OSError(errno.EXDEV, "Cross-device link")).fr == "Cross-device link"
    assert reason(OSError("no number")).fr == "no number"
