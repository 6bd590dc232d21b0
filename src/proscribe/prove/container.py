"""The zip file around a proof: written the same way every time, and read so strictly that no byte goes unchecked.

An ordinary zip reader skips most of a file: time stamps, the local headers, what stands between members, the unused
bits of a compressed stream. A proof cannot afford that. Every member therefore carries the SHA-256 of its compressed
bytes in an extra field, and reading builds each header again from its own fields and compares it byte for byte, so
that any changed byte is found and the member it belongs to is named. Any unzip program opens the file (PKWARE APPNOTE
6.3.10, without Zip64).
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Protocol

from proscribe.canonical import Digest
from proscribe.errors import ProscribeError
from proscribe.text import Text

CONTAINER = "container"  # the name a fault carries when it lies in no member
MAX_MEMBERS = 10_000
MAX_BYTES = 0xFFFF_FFFE  # without Zip64
MAX_TOTAL = 8 << 30  # of all members together, unpacked
MAX_RATIO, RATIO_FLOOR = 200, 16 << 20  # nothing we write packs better than about 60 to 1

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_LOCAL_FIXED = struct.Struct("<4s5H3I2H")
_CENTRAL_FIXED = struct.Struct("<4s6H3I5H2I")
_END_FIXED = struct.Struct("<4s4H2IH")
_VERSION, _MADE_BY, _DEFLATE = 20, (3 << 8) | 20, 8
_TIME, _DATE = 0, (1 << 5) | 1  # 1 January 1980, the zip format's zero: the file's age is in the manifest
_MODE = 0o100644 << 16
_EXTRA = struct.Struct("<2H32s")
_EXTRA_ID = 0x5350  # "PS": SHA-256 of the compressed bytes
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_CHUNK = 1 << 20


class BundleTooLarge(ProscribeError):
    """A proof would need more members or bytes than a plain zip file can hold."""

    code = "prove.bundle-too-large"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the file: in which member (or ``container``), and what."""

    member: str
    what: Text


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as its headers describe it. ``packed_digest`` is the SHA-256 of the compressed bytes."""

    name: str
    crc: int
    packed: int
    size: int
    packed_digest: bytes
    offset: int  # of the local header

    @property
    def data_at(self) -> int:
        """Where the compressed bytes begin."""
        return self.offset + _LOCAL_FIXED.size + len(self.name) + _EXTRA.size

    def local(self) -> bytes:
        """The local header, byte for byte."""
        return (
            _LOCAL_FIXED.pack(
                _LOCAL,
                _VERSION,
                0,
                _DEFLATE,
                _TIME,
                _DATE,
                self.crc,
                self.packed,
                self.size,
                len(self.name),
                _EXTRA.size,
            )
            + self._tail()
        )

    def central(self) -> bytes:
        """The record in the central directory, byte for byte."""
        return (
            _CENTRAL_FIXED.pack(
                _CENTRAL,
                _MADE_BY,
                _VERSION,
                0,
                _DEFLATE,
                _TIME,
                _DATE,
                self.crc,
                self.packed,
                self.size,
                len(self.name),
                _EXTRA.size,
                0,
                0,
                0,
                _MODE,
                self.offset,
            )
            + self._tail()
        )

    def _tail(self) -> bytes:
        return self.name.encode("ascii") + _EXTRA.pack(_EXTRA_ID, 32, self.packed_digest)


def _end(count: int, directory_size: int, directory_at: int, comment: bytes) -> bytes:
    return _END_FIXED.pack(_END, 0, 0, count, count, directory_size, directory_at, len(comment)) + comment


class Writer:
    """Writes members one after the other to a seekable stream. The same members give the same bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._entries: list[Entry] = []

    def add(self, name: str, chunks: Iterable[bytes]) -> tuple[Digest, int]:
        """Write a member; returns the digest and the size of its unpacked bytes. Raises BundleTooLarge."""
        if not _NAME.fullmatch(name) or any(entry.name == name for entry in self._entries):
            raise ValueError(f"{name!r}: not a member name, or already written")
        at = self._stream.tell()
        blank = Entry(name, 0, 0, 0, bytes(32), at)
        self._stream.write(blank.local())
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        content, outer = hashlib.sha256(), hashlib.sha256()
        crc = size = packed = 0
        for chunk in chunks:
            content.update(chunk)
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            packed += self._put(packer.compress(chunk), outer)
        packed += self._put(packer.flush(), outer)
        end = self._stream.tell()
        if size > MAX_BYTES or end > MAX_BYTES or len(self._entries) >= MAX_MEMBERS:
            raise BundleTooLarge(
                Text("the proof does not fit in a zip file", "la preuve ne tient pas dans un fichier zip"),
                remedy=Text(
                    "Export one department or one directive at a time.",
                    "Exportez une direction ou une directive à la fois.",
                ),
            )
        entry = Entry(name, crc, packed, size, outer.digest(), at)
        self._stream.seek(at)
        self._stream.write(entry.local())
        self._stream.seek(end)
        self._entries.append(entry)
        return Digest("sha256:" + content.hexdigest()), size

    def finish(self, comment: str) -> None:
        """Write the central directory and the comment."""
        at = self._stream.tell()
        directory = b"".join(entry.central() for entry in self._entries)
        self._stream.write(directory)
        self._stream.write(_end(len(self._entries), len(directory), at, comment.encode("ascii")))

    def _put(self, data: bytes, outer: _Hash) -> int:
        outer.update(data)
        return self._stream.write(data)


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


class Sliceable(Protocol):
    """Bytes or a memory-mapped file."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice, /) -> bytes: ...


class Container:
    """A proof opened for reading. ``faults`` is empty exactly when every byte is what :class:`Writer` writes."""

    def __init__(self, data: Sliceable) -> None:
        self._data = data
        self.entries: dict[str, Entry] = {}
        self.faults: list[Fault] = []
        self.comment = ""
        end = self._members()
        if not self.faults:
            self._directory(end)

    def chunks(self, name: str) -> Iterator[bytes]:
        """The unpacked bytes of a member, never more than its header announces. Raises ValueError on a false one."""
        entry = self.entries[name]
        unpacker = zlib.decompressobj(-15)
        crc = size = 0
        position, stop = entry.data_at, entry.data_at + entry.packed
        while not unpacker.eof:
            piece = unpacker.unconsumed_tail
            if not piece:
                piece = self._data[position : min(position + _CHUNK, stop)]
                position += len(piece)
            try:
                chunk = unpacker.decompress(piece, _CHUNK)
            except zlib.error as error:
                raise ValueError(f"{name}: not a compressed stream") from error
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            if size > entry.size or not (piece or chunk):
                raise ValueError(f"{name}: more or less than its header says")
            yield chunk
        if (size, crc) != (entry.size, entry.crc) or unpacker.unused_data or position != stop:
            raise ValueError(f"{name}: not what its header says")

    def _fault(self, member: str, en: str, fr: str) -> None:
        self.faults.append(Fault(member, Text(en, fr)))

    def _members(self) -> int:
        """Read local headers and the compressed bytes behind them; returns where they end."""
        position = total = 0
        while self._data[position : position + 4] == _LOCAL:
            entry = self._local_at(position)
            if entry is None:
                return position
            total += entry.size
            if not self._acceptable(entry, total):
                return position
            self.entries[entry.name] = entry
            position = entry.data_at + entry.packed
        if not self.entries:
            self._fault(CONTAINER, "the file does not begin with a member", "le fichier ne commence pas par un membre")
        return position

    def _local_at(self, position: int) -> Entry | None:
        fixed = self._data[position : position + _LOCAL_FIXED.size]
        if len(fixed) < _LOCAL_FIXED.size:
            self._fault(CONTAINER, "the file ends inside a header", "le fichier se termine au milieu d'un en-tête")
            return None
        *_, crc, packed, size, name_length, extra_length = _LOCAL_FIXED.unpack(fixed)
        start = position + _LOCAL_FIXED.size
        raw_name = self._data[start : start + name_length]
        name = raw_name.decode("ascii", "replace")
        extra = self._data[start + name_length : start + name_length + extra_length]
        if len(extra) != _EXTRA.size or not _NAME.fullmatch(name):
            self._fault(self._printable(name), "its header is not as written", "son en-tête n'est pas celui d'origine")
            return None
        entry = Entry(name, crc, packed, size, _EXTRA.unpack(extra)[2], position)
        header = self._data[position : entry.data_at]
        if header != entry.local():
            self._fault(name, "its header is not as written", "son en-tête n'est pas celui d'origine")
            return None
        return entry

    def _acceptable(self, entry: Entry, total: int) -> bool:
        if entry.name.lower() in {name.lower() for name in self.entries}:
            self._fault(entry.name, "it is there twice", "il s'y trouve deux fois")
        elif len(self.entries) >= MAX_MEMBERS or total > MAX_TOTAL:
            self._fault(
                entry.name,
                "with it the file holds more than a proof can (a zip bomb?)",
                "avec lui, le fichier contient plus qu'une preuve ne peut contenir (bombe de décompression?)",
            )
        elif entry.size > RATIO_FLOOR and entry.size > MAX_RATIO * entry.packed:
            self._fault(
                entry.name,
                f"it would unpack to {entry.size} bytes from {entry.packed} (a zip bomb?)",
                f"il passerait de {entry.packed} à {entry.size} octets à l'ouverture (bombe de décompression?)",
            )
        elif self._packed_digest(entry) != entry.packed_digest:
            self._fault(entry.name, "its bytes were changed", "ses octets ont été modifiés")
        else:
            return True
        return False

    def _packed_digest(self, entry: Entry) -> bytes:
        state = hashlib.sha256()
        stop = entry.data_at + entry.packed
        for at in range(entry.data_at, stop, _CHUNK):
            state.update(self._data[at : min(at + _CHUNK, stop)])
        return state.digest()

    def _directory(self, start: int) -> None:
        """Compare the central directory and the end record with what the members call for."""
        position = start
        for entry in self.entries.values():
            wanted = entry.central()
            if self._data[position : position + len(wanted)] != wanted:
                self._fault(
                    entry.name,
                    f"the directory does not list it as it is (byte {position})",
                    f"le répertoire ne le décrit pas tel qu'il est (octet {position})",
                )
                return
            position += len(wanted)
        tail = self._data[position : position + _END_FIXED.size + 0x10000]
        comment = tail[_END_FIXED.size :]
        wanted = _end(len(self.entries), position - start, start, comment[:0xFFFF])
        if tail != wanted or position + len(tail) != len(self._data):
            self._fault(
                CONTAINER,
                f"the end of the file is not as written (from byte {position})",
                f"la fin du fichier n'est pas celle d'origine (à partir de l'octet {position})",
            )
            return
        self.comment = comment.decode("ascii", "replace")

    @staticmethod
    def _printable(name: str) -> str:
        return (
            "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name[:80]) or CONTAINER
        )
