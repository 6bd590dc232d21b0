"""Which digests of a manifest's section count, and whether they hold.

Android before 4.3 goes by a list in the section and defaults to SHA-1; later versions take the strongest digest there
is. A package for both must satisfy both.
"""

from __future__ import annotations

import binascii
import hashlib
import struct
from base64 import b64decode
from collections.abc import Iterator, Sequence

from proscribe.assess.intake.container import Container, UnreadableMember
from proscribe.assess.signing.algorithms import JELLY_BEAN_MR2
from proscribe.assess.signing.jar_manifest import Section
from proscribe.assess.signing.keys import digest

Named = tuple[str, bytes]
"""A hash by hashlib's name and the digest expected; b"" where it cannot be read and nothing will match."""

_STRONGEST_FIRST = (("sha512", "SHA-512"), ("sha384", "SHA-384"), ("sha256", "SHA-256"), ("sha1", "SHA1"))
# Name in an old list -> hash, and the version from which it is known there.
_LISTED = {
    "MD5": ("md5", 0),
    "SHA": ("sha1", 0),
    "SHA1": ("sha1", 0),
    "SHA-1": ("sha1", 0),
    "SHA-256": ("sha256", 0),
    "SHA-384": ("sha384", 9),
    "SHA-512": ("sha512", 9),
}
_LONGEST_LIST = 100
_LOCAL = struct.Struct("<4s5H3L2H")
_METHODS = (0, 8)  # stored, deflate
_DESCRIPTOR = 8  # sizes stand behind the data


def named_digests(section: Section, suffix: str, low: int, high: int) -> Sequence[Named]:
    """The digests that some Android between ``low`` and ``high`` checks; none where one of them finds none."""
    found: list[Named] = []
    if low < JELLY_BEAN_MR2:
        old = next(_by_list(section, suffix, low), None)
        if old is None:
            return ()
        found.append(old)
    if high >= JELLY_BEAN_MR2:
        for name, written in _STRONGEST_FIRST:
            value = section.get(written + suffix)
            if value is not None:
                new = (name, _decoded(value))
                found += [new] if new not in found else []
                break
    return found


def _by_list(section: Section, suffix: str, low: int) -> Iterator[Named]:
    for written in (section.get("Digest-Algorithms") or "SHA SHA1").split()[:_LONGEST_LIST]:
        value = section.get(written + suffix)
        name, since = _LISTED.get(written.upper(), ("", 0))
        if value is not None and name and since <= low:
            yield name, _decoded(value)


def _decoded(value: str) -> bytes:
    """Base64, with or without its padding."""
    try:
        return b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def verified(named: Sequence[Named], data: bytes) -> bool:
    """Whether every digest is that of ``data``; True of none."""
    return all(digest(name, data) == value for name, value in named)


def check_local_header(apk: Container, member: str) -> None:
    """Whether the header before a member's data says what the directory says; but for the method, where it need not.

    Raises UnreadableMember: Android takes nothing out of an archive that contradicts itself here.
    """
    entry = apk.entries[member]
    if entry.offset < 0:
        raise UnreadableMember("zip.outside", member)
    fields = _LOCAL.unpack_from(apk.data, entry.header)
    flags, names = fields[2], fields[9]
    start = entry.header + _LOCAL.size
    name = bytes(apk.data[start : start + names])
    sizes = (entry.crc, entry.compressed, entry.size)
    same = name in (member.encode("utf-8", "replace"), member.encode("latin-1", "replace"))
    if not same or (flags ^ entry.flags) & _DESCRIPTOR or (not flags & _DESCRIPTOR and fields[6:9] != sizes):
        raise UnreadableMember("zip.local-differs", member)


def actual_digests(apk: Container, member: str, named: Sequence[Named]) -> list[bytes]:
    """The digests of a member's bytes, by the hashes named. Raises UnreadableMember."""
    check_local_header(apk, member)
    if apk.entries[member].method not in _METHODS:
        # Android's verifier would inflate it, and what runs it would take it as it stands.
        raise UnreadableMember("zip.unknown-method", member)
    names = [name for name, _ in named]
    if names == ["sha256"]:
        return [bytes.fromhex(apk.sha256(member))]  # kept there, as others ask for it too
    states = [hashlib.new(name, usedforsecurity=False) for name in names]
    for chunk in apk.chunks(member):
        for state in states:
            state.update(chunk)
    return [state.digest() for state in states]
