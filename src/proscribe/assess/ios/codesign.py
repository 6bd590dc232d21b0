"""The signature embedded in a Mach-O file: who it says signed it, and the entitlements that are sealed in it.

Read, not verified: Apple's certificate chain and the hashes of the code's pages are not checked. What is checked is
whether the entitlements and the Info.plist still have the hashes that the signature's code directory gives them.
Layouts: Apple's ``cs_blobs.h``.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from proscribe.assess.ios import der
from proscribe.assess.ios.image import DSYM, Budget, Image
from proscribe.assess.ios.plists import Plain, UnreadablePlist, as_json, read_plist

MAX_BLOBS = 64

_SUPERBLOB, _DIRECTORY, _XML, _DER, _CMS = 0xFADE0CC0, 0xFADE0C02, 0xFADE7171, 0xFADE7172, 0xFADE0B01
_INFO_SLOT, _XML_SLOT, _DER_SLOT = 1, 5, 7
_ALTERNATES = range(0x1000, 0x1006)
_CMS_SLOT = 0x10000
_AD_HOC = 0x2
_HASHES = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}
_HEADER = struct.Struct(">9I4BI")
_TEAM_SINCE = 0x20200  # version of the code directory that has a team id


FAILURES = frozenset(
    {
        "codesign.superblob",
        "codesign.blob-outside",
        "codesign.blob-magic",
        "codesign.directory",
        "codesign.entitlements-xml",
        "codesign.entitlements-der",
        "codesign.entitlements-too-large",
        "macho.encrypted",
    }
)
"""Problems after which entitlements may be missing; the others are oddities of what was read."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A code directory. ``special``: hashes by slot number (1 Info.plist, 5 and 7 entitlements), cut to ``length``."""

    identifier: str
    team_id: str
    ad_hoc: bool
    hash: str
    length: int
    special: dict[int, bytes]

    def seals(self, slot: int, data: bytes | memoryview) -> bool | None:
        """Whether a slot's hash is that of ``data``; None where the directory says nothing of that slot."""
        sealed = self.special.get(slot)
        if sealed is None or not any(sealed) or not self.hash:
            return None
        return hashlib.new(self.hash, data, usedforsecurity=False).digest()[: self.length] == sealed


@dataclass(slots=True)
class Signature:
    """What the signature holds. ``xml`` and ``der`` None: no such blob; ``problems``: (code, detail) of what failed."""

    budget: Budget = field(compare=False)
    directories: list[Directory] = field(default_factory=list)
    xml: dict[str, Plain] | None = None
    der: dict[str, Plain] | None = None
    section: dict[str, Plain] | None = None
    cms: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """cms, ad-hoc, or "" where nothing signs it."""
        if self.cms:
            return "cms"
        return "ad-hoc" if self.directories else ""

    def affords(self, data: memoryview) -> bool:
        """Count the bytes of some entitlements; False, and a problem, where they are too many."""
        self.budget.entitlements -= len(data)
        if self.budget.entitlements < 0:
            self.problems.append(("codesign.entitlements-too-large", f"{len(data)} bytes"))
        return self.budget.entitlements >= 0

    def forms(self) -> Iterator[tuple[str, dict[str, Plain]]]:
        """The entitlements by where they stand."""
        for source, found in (("codesign-xml", self.xml), ("codesign-der", self.der), ("section", self.section)):
            if found is not None:
                yield source, found

    def seals_info(self, data: bytes) -> bool:
        """Whether no code directory contradicts this Info.plist."""
        return all(directory.seals(_INFO_SLOT, data) is not False for directory in self.directories)


def read_signature(image: Image, budget: Budget) -> Signature:
    """The signature and the entitlements of one architecture. Never raises: see ``Signature.problems``."""
    signature = Signature(budget)
    blobs = dict(_blobs(image, signature))
    for slot in (0, *_ALTERNATES):
        if (blob := _body(blobs, slot, _DIRECTORY, signature)) is not None:
            _directory(blob, signature)
    xml = _body(blobs, _XML_SLOT, _XML, signature)
    der_blob = _body(blobs, _DER_SLOT, _DER, signature)
    signature.xml = _xml(xml[8:], signature) if xml is not None else None
    signature.der = _der(der_blob[8:], signature) if der_blob is not None else None
    cms = _body(blobs, _CMS_SLOT, _CMS, signature)
    signature.cms = cms is not None and len(cms) > 8
    signature.section = _sections(image, signature)
    _compare(signature, {_XML_SLOT: xml, _DER_SLOT: der_blob})
    return signature


def _blobs(image: Image, signature: Signature) -> Iterator[tuple[int, memoryview]]:
    """Slot numbers and the bytes from each blob's start to its stated end."""
    data = image.get(image.signature, "signature")
    if not image.signature[1]:
        return
    if len(data) < 12 or int.from_bytes(data[:4], "big") != _SUPERBLOB:
        signature.problems.append(("codesign.superblob", f"{len(data)} bytes"))
        return
    _, length, count = struct.unpack_from(">III", data)
    data = data[:length]
    if count > MAX_BLOBS or 12 + count * 8 > len(data):
        signature.problems.append(("codesign.superblob", f"{count} blobs"))
        return
    for slot, offset in struct.iter_unpack(">II", data[12 : 12 + count * 8]):
        size = int.from_bytes(data[offset + 4 : offset + 8], "big")
        if offset + 8 > len(data) or not 8 <= size <= len(data) - offset:
            signature.problems.append(("codesign.blob-outside", f"slot {slot:#x}"))
        else:
            yield slot, data[offset : offset + size]


def _body(blobs: dict[int, memoryview], slot: int, magic: int, signature: Signature) -> memoryview | None:
    blob = blobs.get(slot)
    if blob is not None and int.from_bytes(blob[:4], "big") != magic:
        signature.problems.append(("codesign.blob-magic", f"slot {slot:#x}"))
        return None
    return blob


def _directory(blob: memoryview, signature: Signature) -> None:
    if len(blob) < _HEADER.size:
        signature.problems.append(("codesign.directory", "cut off"))
        return
    _, _, version, flags, hashes, identifier, special, _, _, size, kind, _, _, _ = _HEADER.unpack_from(blob)
    name, length = _HASHES.get(kind, ("", size))
    team = 0
    if version >= _TEAM_SINCE and len(blob) >= 52:
        team = int.from_bytes(blob[48:52], "big")
    if not name or length != size or special > 64 or special * size > hashes or hashes > len(blob):
        signature.problems.append(("codesign.directory", f"hash type {kind}, {special} special slots"))
        name, special = "", 0
    signature.directories.append(
        Directory(
            identifier=_text(blob, identifier),
            team_id=_text(blob, team) if team else "",
            ad_hoc=bool(flags & _AD_HOC),
            hash=name,
            length=size,
            special={
                slot: bytes(blob[hashes - slot * size : hashes - (slot - 1) * size]) for slot in range(1, special + 1)
            },
        )
    )


def _text(blob: memoryview, offset: int) -> str:
    return bytes(blob[offset : offset + 256]).split(b"\0", 1)[0].decode(errors="replace") if offset else ""


def _xml(data: memoryview, signature: Signature) -> dict[str, Plain] | None:
    if not data:
        return {}
    if not signature.affords(data):
        return None
    try:
        plist = read_plist(data)
        if plist.twice:
            signature.problems.append(("codesign.duplicate-key", " ".join(plist.twice[:8])))
        mapping = plist.mapping
    except UnreadablePlist as error:
        signature.problems.append(("codesign.entitlements-xml", error.code))
        return None
    return mapping


def _der(data: memoryview, signature: Signature) -> dict[str, Plain] | None:
    if not signature.affords(data):
        return None
    try:
        return der.entitlements(data)
    except der.MalformedDer as error:
        signature.problems.append(("codesign.entitlements-der", str(error)))
        return None


def _sections(image: Image, signature: Signature) -> dict[str, Plain] | None:
    """Builds for the simulator keep their entitlements in ``__TEXT``, which FairPlay would encrypt."""
    if not image.sections or image.kind == DSYM:  # a file for debuggers copies the headers, not the contents
        return None
    if image.encrypted:
        signature.problems.append(("macho.encrypted", " ".join(sorted(image.sections))))
        return None
    forms = {name: image.get(place, "entitlements") for name, place in image.sections.items()}
    xml = _xml(forms["__entitlements"], signature) if "__entitlements" in forms else None
    coded = _der(forms["__ents_der"], signature) if "__ents_der" in forms else None
    _same(xml, coded, signature)
    return xml if coded is None else {**coded, **(xml or {})}


def _same(xml: dict[str, Plain] | None, coded: dict[str, Plain] | None, signature: Signature) -> None:
    """Apple's own readers took one form in one place and the other in another: a difference was a way around both."""
    if xml is None or coded is None:
        return
    # Compared as text: to Python, 1 and true are equal.
    keys = {
        key for key in {*xml, *coded} if key not in xml or key not in coded or as_json(xml[key]) != as_json(coded[key])
    }
    if keys:
        signature.problems.append(("codesign.entitlements-differ", " ".join(sorted(keys)[:8])))


def _compare(signature: Signature, blobs: dict[int, memoryview | None]) -> None:
    """The two forms of the entitlements say the same, and are those that were sealed."""
    _same(signature.xml, signature.der, signature)
    for slot, blob in blobs.items():
        if blob is not None and any(directory.seals(slot, blob) is False for directory in signature.directories):
            signature.problems.append(("codesign.not-sealed", f"slot {slot}"))
    for one, other in zip(signature.directories, signature.directories[1:], strict=False):
        if (one.identifier, one.team_id) != (other.identifier, other.team_id):
            signature.problems.append(("codesign.directories-differ", f"{one.identifier} {other.identifier}"))
