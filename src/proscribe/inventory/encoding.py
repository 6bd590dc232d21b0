"""Bytes to text, as exports come: UTF-8 with or without a mark, UTF-16 of either order, Windows-1252 here and there."""

from __future__ import annotations

import codecs

from proscribe.inventory.opening import CHUNK, Opened, Stream


def unicode_name(head: bytes) -> str:
    """The encoding of a file by its first bytes: ``utf-16-le``, ``utf-16-be``, ``utf-8`` or ``binary``."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    sample = head[:4096]
    if b"\0" not in sample:
        return "utf-8"
    # Without a mark: in mostly Latin text every second byte of UTF-16 is zero, and on one side only.
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.1:
        return "utf-16-be"
    return "binary"


def as_utf8(opened: Opened) -> Stream:
    """The export as UTF-8 bytes without a mark. Bytes of a file that is not UTF-16 pass unchanged."""
    name = unicode_name(opened.head)
    if name.startswith("utf-16"):
        return _Transcoded(opened, name)
    return _Unmarked(opened) if opened.head.startswith(codecs.BOM_UTF8) else opened


def head_as_utf8(head: bytes) -> bytes:
    """The first bytes of an export as UTF-8, for recognition."""
    name = unicode_name(head)
    if name.startswith("utf-16"):
        return head.decode(name, "ignore").lstrip("\ufeff").encode()
    return head.removeprefix(codecs.BOM_UTF8)


class _Unmarked:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        stream.read(len(codecs.BOM_UTF8))

    def read(self, size: int = -1, /) -> bytes:
        return self._stream.read(size)


class _Transcoded:
    """UTF-16 in, UTF-8 out. A pair broken off is replaced: it spoils one cell and not the file."""

    def __init__(self, stream: Stream, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._first = True
        self._pending = b""

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        while not self._pending:
            chunk = self._stream.read(CHUNK)
            text = self._decoder.decode(chunk, final=not chunk)
            if self._first and text:
                text, self._first = text.removeprefix("\ufeff"), False
            self._pending = text.encode("utf-8", "replace")
            if not chunk:
                break
        taken, self._pending = self._pending[:size], self._pending[size:]
        return taken


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # Five byte values have no meaning in Windows-1252 either; they become the replacement character.
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("proscribe.windows-1252", _as_windows_1252)

MIXED = "proscribe.windows-1252"
"""Error handler: bytes that are not UTF-8 are read as Windows-1252, the rest of the text stays what it is."""


def decode(data: bytes) -> tuple[str, bool]:
    """Text of UTF-8 bytes, and whether some of them had to be read as Windows-1252."""
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        return data.decode("utf-8", MIXED), True
