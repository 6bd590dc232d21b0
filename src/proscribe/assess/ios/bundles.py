"""The bundles of an IPA: the app, its extensions, App Clips, Watch apps and frameworks, by folder and Info.plist."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from proscribe.assess.facts import Anomaly, Run
from proscribe.assess.intake.container import Container, UnreadableMember
from proscribe.assess.ios.plists import Plain, Plist, UnreadablePlist, read_plist
from proscribe.assess.terms import Extent, FactClass

MAX_BUNDLES = 1000
MAX_PLIST_BYTES = 8 << 20  # of all property lists of a package together
MAX_ANOMALIES = 200  # a listing is for people

_APP = re.compile(r"Payload/[^/]+\.app/")


class BundleKind(StrEnum):
    """What a folder is to the system; by its suffix and where it lies."""

    app = "app"
    extension = "extension"
    clip = "app-clip"
    watch = "watch-app"
    framework = "framework"
    test = "test"
    resources = "resources"


_SUFFIXES = {
    ".appex": BundleKind.extension,
    ".framework": BundleKind.framework,
    ".xctest": BundleKind.test,
    ".bundle": BundleKind.resources,
}
PROCESSES = frozenset({BundleKind.app, BundleKind.extension, BundleKind.clip, BundleKind.watch})
"""Bundles that run as a process of their own, with their own purpose strings and transport security."""


@dataclass(slots=True)
class Survey:
    """A package while it is read: what was tried, what failed, what is odd."""

    container: Container
    anomalies: list[Anomaly] = field(default_factory=list)
    plist_bytes: int = MAX_PLIST_BYTES
    tried: dict[FactClass, set[str]] = field(default_factory=dict)
    failed: dict[FactClass, list[tuple[str, str]]] = field(default_factory=dict)

    def odd(self, code: str, name: str = "", detail: str = "") -> None:
        """Note an anomaly once, up to a number."""
        anomaly = Anomaly(code, self.container.member(name) if name else "", detail[:200])
        if len(self.anomalies) < MAX_ANOMALIES and anomaly not in self.anomalies:
            self.anomalies.append(anomaly)

    def attempt(self, of: FactClass, name: str) -> None:
        """A member is about to be read for this fact class."""
        self.tried.setdefault(of, set()).add(name)

    def fail(self, of: FactClass, code: str, name: str, detail: str = "") -> None:
        """Something of this fact class could not be read: counted in its run, and an anomaly that names the member."""
        self.failed.setdefault(of, []).append((code, name))
        self.odd(code, name, detail)

    def run(self, of: FactClass, reader: str) -> Run:
        """How much of a fact class was read."""
        tried, failed = self.tried.get(of, set()), self.failed.get(of, [])
        read = len(tried - {name for _, name in failed})
        extent = Extent.complete if tried else Extent.absent
        problem = name = ""
        if failed:
            extent = Extent.partial if read else Extent.failed
            problem, name = failed[0]
        return Run(of, reader, extent, read, len(tried), problem, self.container.member(name) if name else "")

    def bytes_of(self, name: str) -> bytes:
        """A property list's bytes. Raises UnreadableMember or UnreadablePlist."""
        if self.container.entries[name].size > self.plist_bytes:
            raise UnreadablePlist("plist.budget", f"{MAX_PLIST_BYTES} bytes of property lists")
        data = self.container.read(name)
        self.plist_bytes -= len(data)
        self.container.sha256(name, data)
        return data

    def digest(self, name: str) -> str:
        """A member's sha256 (hex); "" where it cannot be read."""
        try:
            return self.container.sha256(name)
        except UnreadableMember:
            return ""

    def mapping(self, name: str, of: FactClass, read: Callable[[bytes], Plist] = read_plist) -> dict[str, Plain]:
        """A property list's dictionary, counted as an attempt at ``of``; empty where it could not be read."""
        self.attempt(of, name)
        try:
            plist = read(self.bytes_of(name))
            mapping = plist.mapping
        except (UnreadableMember, UnreadablePlist) as error:
            self.fail(of, error.code, name, error.detail)
            return {}
        if plist.twice:
            self.odd("plist.duplicate-key", name, " ".join(plist.twice[:8]))
        return mapping


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder with an Info.plist. ``root`` ends in "/"; ``info`` is empty where its Info.plist could not be read.

    ``raw``: the Info.plist's bytes, which the executable's signature seals.
    """

    root: str
    kind: BundleKind
    info: dict[str, Plain]
    raw: bytes = b""

    @property
    def plist(self) -> str:
        """The member that is its Info.plist."""
        return f"{self.root}Info.plist"

    @property
    def folder(self) -> str:
        """The last part of the path without its suffix: a framework's name."""
        return self.root[:-1].rpartition("/")[2].rpartition(".")[0]

    @property
    def executable(self) -> str:
        """The member that runs; "" where the Info.plist names none. Where it is unreadable, by the usual name."""
        name = text(self.info, "CFBundleExecutable") if self.info else self.folder
        return self.root + name if name else ""

    @property
    def identifier(self) -> str:
        """The bundle id; "" where the Info.plist names none."""
        return text(self.info, "CFBundleIdentifier")


def text(mapping: dict[str, Plain], key: str) -> str:
    """The text under a key; "" where there is none or something else."""
    value = mapping.get(key)
    return value if isinstance(value, str) else ""


def texts(value: Plain) -> list[str]:
    """The texts in a list; anything else counts as none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def child(mapping: dict[str, Plain], key: str) -> dict[str, Plain]:
    """The dictionary under a key; empty where there is none or something else."""
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}


def app_root(survey: Survey) -> str:
    """The one app's folder; "" where there is none. Of several, which is an anomaly, the first in order."""
    roots = {found.group() for name in survey.container.entries if (found := _APP.match(name))}
    if len(roots) > 1:
        survey.odd("ipa.several-apps", detail=" ".join(sorted(roots)[:4]))
        survey.failed.setdefault(FactClass.plist, []).append(("ipa.several-apps", ""))
    return min(roots, default="")


def bundles(survey: Survey, root: str) -> list[Bundle]:
    """The app first, then every bundle inside it, in order of their paths."""
    found = [_bundle(survey, root, BundleKind.app)]
    for name in sorted(_inner(survey.container, root)):
        if len(found) >= MAX_BUNDLES:
            survey.fail(FactClass.plist, "ipa.too-many-bundles", name)
            break
        folder = name.removesuffix("Info.plist")
        found.append(_bundle(survey, folder, _kind(folder)))
    return found


def _bundle(survey: Survey, root: str, kind: BundleKind) -> Bundle:
    name = f"{root}Info.plist"
    if name not in survey.container.entries:
        survey.attempt(FactClass.plist, name)
        survey.fail(FactClass.plist, "plist.absent", name)
        return Bundle(root, kind, {})
    info = survey.mapping(name, FactClass.plist)
    return Bundle(root, kind, info, survey.container.read(name) if info else b"")


def _inner(container: Container, root: str) -> Iterator[str]:
    for name in container.entries:
        if name.startswith(root) and name.endswith("/Info.plist") and len(name) > len(root) + len("/Info.plist"):
            folder = name.removesuffix("/Info.plist")
            if folder.endswith((".app", *_SUFFIXES)):
                yield name


def _kind(folder: str) -> BundleKind:
    path = folder.removesuffix("/")
    for suffix, kind in _SUFFIXES.items():
        if path.endswith(suffix):
            return kind
    return BundleKind.clip if "/AppClips/" in path else BundleKind.watch


def begins(container: Container, name: str, length: int = 4) -> bytes:
    """The first bytes of a member, without reading the rest; b"" where there are none."""
    entry = container.entries[name]
    if entry.offset < 0:
        return b""
    if entry.method != zlib.DEFLATED:
        return bytes(container.data[entry.offset : entry.offset + min(length, entry.size)])
    try:
        return zlib.decompressobj(-15).decompress(
            container.data[entry.offset : entry.offset + min(entry.compressed, 512)], length
        )
    except zlib.error:
        return b""
