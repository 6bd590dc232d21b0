"""What a file is, by its content, and which packages it holds: the file itself, or a base with its splits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from proscribe.assess.errors import NotAPackage, RefusedPackage
from proscribe.assess.facts import Anomaly, Run
from proscribe.assess.intake.container import Container, UnreadableMember, open_container
from proscribe.assess.intake.limits import LIMITS
from proscribe.assess.profile import Package, PackageFormat, Part
from proscribe.assess.terms import Extent, FactClass
from proscribe.errors import Where
from proscribe.text import Text

_APP_PLIST = re.compile(r"Payload/([^/]+\.app)/Info\.plist")
_OTHER_BUILDS = ("standalones/", "instant/")
"""Where a bundle's set (it has a ``toc.pb``) keeps builds of the same app for other devices."""
_LOOKED_AT = 200
"""Members of a set, besides the packages, whose first bytes are looked at."""
_CODE_MAGICS = (b"PK\x03\x04", b"dex\n", b"\x7fELF")


@dataclass(frozen=True, slots=True)
class Opened:
    """``packages``: the APKs, base first, or the one IPA. ``runs`` says which parts could not be opened."""

    package: Package
    packages: tuple[Container, ...]
    runs: tuple[Run, ...]
    anomalies: tuple[Anomaly, ...]


def open_package(data: bytes | memoryview, *, path: str = "", file: str = "") -> Opened:
    """Recognise and open a file that was read or mapped. ``file`` names it in errors.

    Raises NotAPackage where it is none of the formats, RefusedPackage where a limit is broken or no base can be opened.
    """
    try:
        outer = open_container(data, path=path)
    except (NotAPackage, RefusedPackage) as error:
        raise type(error)(error.what, remedy=error.remedy, where=Where(file=file)) from error
    form = _format(outer, file)
    digest = sha256(data).hexdigest()
    size = len(data)
    if form in (PackageFormat.apk, PackageFormat.ipa):
        role = "ipa" if form is PackageFormat.ipa else "base"
        part = Part("", role, digest, size)
        run = Run(FactClass.container, "zip", Extent.complete, 1, 1)
        anomalies = (*outer.anomalies, *_other_apps(outer, form))
        return Opened(Package(form, digest, size, (part,)), (outer,), (run,), anomalies)
    return _open_set(outer, form, digest, size, file)


def _other_apps(outer: Container, form: PackageFormat) -> Iterator[Anomaly]:
    """Apps in the same file that are not assessed: what installs it may not choose as we do."""
    apps = sorted({match.group(1) for match in map(_APP_PLIST.fullmatch, outer.entries) if match})
    for app in apps if form is PackageFormat.apk else apps[1:]:
        yield Anomaly("container.other-app", f"Payload/{app}")


def _format(outer: Container, file: str) -> PackageFormat:
    names = outer.entries
    if "AndroidManifest.xml" in names:
        return PackageFormat.apk
    if any(_APP_PLIST.fullmatch(name) for name in names):
        return PackageFormat.ipa
    if _packages(outer):
        if "info.json" in names and ("icon.png" in names or "APKM_installer.url" in names):
            return PackageFormat.apkm
        if "toc.pb" in names or any(name.startswith("meta.sai_") for name in names):
            return PackageFormat.apks
        if "manifest.json" in names:
            return PackageFormat.xapk
        return PackageFormat.apks
    raise NotAPackage(
        Text(
            "a ZIP file, but no app package: it has neither AndroidManifest.xml nor Payload/*.app nor any .apk",
            "un fichier ZIP, mais pas un paquet d'application\u00a0: ni AndroidManifest.xml, ni Payload/*.app, ni .apk",
        ),
        remedy=Text(
            "Give an .apk, .xapk, .apks, .apkm or .ipa file.",
            "Fournissez un fichier .apk, .xapk, .apks, .apkm ou .ipa.",
        ),
        where=Where(file=file),
    )


def _open_set(outer: Container, form: PackageFormat, digest: str, size: int, file: str) -> Opened:
    """The base and the splits of a container of packages. A part that cannot be opened is a fact, not an end."""
    names = _wanted(outer)
    base = _base(outer, names)
    parts: list[Part] = []
    packages: list[Container] = []
    unopened, other_builds = _left_out(outer, names)
    anomalies = [*outer.anomalies, *(Anomaly("split.left-out", name) for name in unopened)]
    anomalies += [Anomaly("split.other-build", name) for name in other_builds]
    anomalies += _other_members(outer)
    for name in (base, *(other for other in names if other != base)):
        try:
            data = outer.view(name)
            inner = open_container(data, name=name)
        except (UnreadableMember, NotAPackage, RefusedPackage) as error:
            if name == base:
                raise _no_base(file, name) from error
            code = error.code if isinstance(error.code, str) else "zip.unreadable"
            unopened.append(name)
            anomalies.append(Anomaly("split.unreadable", name, code))
            continue
        parts.append(Part(name, "base" if name == base else "split", sha256(data).hexdigest(), len(data)))
        packages.append(inner)
        anomalies += inner.anomalies
    runs = [Run(FactClass.container, "zip", Extent.complete, len(packages), len(names))]
    if unopened:
        total = len(packages) + len(unopened)
        runs.append(Run(FactClass.splits, "zip", Extent.partial, len(packages), total, "split.unreadable"))
    return Opened(Package(form, digest, size, tuple(parts)), tuple(packages), tuple(runs), tuple(anomalies))


def _wanted(outer: Container) -> tuple[str, ...]:
    """The packages that make up one installation: the splits, or one whole package where only those are offered."""
    names = _packages(outer)
    splits = [name for name in names if not _is_other_build(outer, name)]
    chosen = splits or sorted(names, key=lambda name: (-outer.entries[name].size, name))[:1]
    universal = [name for name in chosen if name == "universal.apk"]
    if universal and not _stated_base(outer):
        chosen = universal
    if len(chosen) > LIMITS.parts:
        raise RefusedPackage(
            Text(f"{len(chosen)} packages inside one file", f"{len(chosen)} paquets dans un seul fichier"),
            remedy=Text(
                f"At most {LIMITS.parts} are read; ask where this file is from.",
                f"Au plus {LIMITS.parts} sont lus; demandez d'où vient ce fichier.",
            ),
            where=Where(file=outer.name),
        )
    return tuple(chosen)


def _packages(outer: Container) -> list[str]:
    return sorted(name for name in outer.entries if name.lower().endswith(".apk"))


def _is_other_build(outer: Container, name: str) -> bool:
    return "toc.pb" in outer.entries and name.startswith(_OTHER_BUILDS)


def _left_out(outer: Container, chosen: Iterable[str]) -> tuple[list[str], list[str]]:
    """Packages beside the chosen ones: those that nothing accounts for, and builds for other devices."""
    rest = [name for name in _packages(outer) if name not in set(chosen)]
    other = [name for name in rest if _is_other_build(outer, name)]
    return [name for name in rest if name not in set(other)], other


def _other_members(outer: Container) -> Iterator[Anomaly]:
    """Archives and code beside the packages, such as expansion files: an app may load them, and nobody reads them."""
    beside = [name for name, entry in outer.entries.items() if entry.size and not name.lower().endswith(".apk")]
    for name in beside[:_LOOKED_AT]:
        try:
            head = next(outer.chunks(name), b"")
        except UnreadableMember:
            continue
        if head.startswith(_CODE_MAGICS):
            yield Anomaly("container.not-read", name)
    if len(beside) > _LOOKED_AT:
        yield Anomaly("container.not-read", "", f"{len(beside) - _LOOKED_AT} members")


def _base(outer: Container, names: Iterable[str]) -> str:
    """Which package is the base: what the container's own list says, then the usual names, then the largest."""
    names = tuple(names)
    stated = _stated_base(outer)
    if stated in names:
        return stated
    for name in names:
        if name.rsplit("/", 1)[-1] in ("base.apk", "base-master.apk", "universal.apk"):
            return name
    whole = [name for name in names if not name.rsplit("/", 1)[-1].startswith(("split_", "config.", "split."))]
    return min(whole or names, key=lambda name: (-outer.entries[name].size, name))


def _stated_base(outer: Container) -> str:
    if "manifest.json" not in outer.entries:
        return ""
    try:
        listed = json.loads(outer.read("manifest.json", 1 << 20))
    except (UnreadableMember, ValueError, RecursionError):
        return ""
    parts = listed.get("split_apks") if isinstance(listed, dict) else None
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and part.get("id") == "base":
            return str(part.get("file", ""))
    return ""


def _no_base(file: str, name: str) -> RefusedPackage:
    return RefusedPackage(
        Text(f"its base package {name!r} cannot be opened", f"son paquet de base {name!r} ne peut être ouvert"),
        remedy=Text(
            "Obtain the file again; without the base there is no manifest to assess.",
            "Procurez-vous le fichier de nouveau; sans la base, il n'y a pas de manifeste à évaluer.",
        ),
        where=Where(file=file),
    )
