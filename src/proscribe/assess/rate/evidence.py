"""Facts as evidence. Every kind of evidence is made here and nowhere else.

``recheck`` looks an item up again by making all evidence anew from the file: an item that is not among it does not
hold. So a fact becomes evidence in exactly one way, and nothing in an item may come from the data packs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from proscribe.assess.facts import (
    AndroidFacts,
    Component,
    Entitlement,
    IosFacts,
    MachO,
    NativeLibrary,
    NetworkSecurity,
    PrivacyManifest,
    Site,
    SpecialAccess,
    UsesPermission,
)
from proscribe.assess.gathered import Gathered
from proscribe.assess.profile import Evidence, EvidenceKind, Finding
from proscribe.assess.terms import SiteKind

MANIFEST = "AndroidManifest.xml"
ENCRYPTED_LIKE = "encrypted-like"
FAIRPLAY = "fairplay"
REFLECTION = "reflection"

DEEPEST = 12
"""Parts of a package name that are looked at; no catalogued prefix is nearly as long, and a hostile name is endless."""

_MAIN_PLIST = re.compile(r"(?:.*!)?Payload/[^/]+\.app/Info\.plist")
_FRAMEWORK = re.compile(r".*/([^/]+)\.framework/")
_KINDS = {kind: EvidenceKind(kind.value) for kind in SiteKind}


@dataclass(frozen=True, slots=True)
class Collected:
    """A finding with all of its evidence, in order: what ``recheck`` counts again."""

    finding: Finding
    evidence: tuple[Evidence, ...]


class Maker:
    """Makes evidence of the facts of one package."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._digests = gathered.digests
        base = next((part.path for part in gathered.package.parts if part.role == "base"), "")
        self._manifest = f"{base}!{MANIFEST}" if base else MANIFEST
        self._plist = next((name for name in sorted(gathered.digests) if _MAIN_PLIST.fullmatch(name)), "")

    def _item(
        self, kind: EvidenceKind, member: str, subject: str, *, detail: str = "", sha256: str | None = None
    ) -> Evidence:
        digest = self._digests.get(member, "") if sha256 is None else sha256
        return Evidence(kind=kind, member=member, sha256=digest, subject=subject, detail=detail)

    # ---- Android manifest ------------------------------------------------------------------------------------------

    def permission(self, asked: UsesPermission) -> Evidence:
        """A permission that the app asks for, with the last API level it is asked for at."""
        limit = "" if asked.max_sdk is None else f"maxSdkVersion={asked.max_sdk}"
        element = "" if asked.element == "uses-permission" else asked.element
        return self._item(
            EvidenceKind.permission, asked.member, asked.name, detail=" ".join(filter(None, (element, limit)))
        )

    def components(self, component: Component) -> Iterator[Evidence]:
        """A component: that it is there, then every action and foreground type it names."""
        details = [component.kind]
        details += [f"action={action}" for action in component.actions]
        details += [f"foregroundServiceType={kind}" for kind in component.foreground_types]
        for detail in details:
            yield self._item(EvidenceKind.component, component.member, component.name, detail=detail)

    def special(self, access: SpecialAccess) -> Evidence:
        """A special access, placed in its XML where it has one."""
        member = access.resource if access.resource in self._digests else access.member
        parts = (access.component, access.permission, *access.details, *(f"policy={one}" for one in access.policies))
        return self._item(EvidenceKind.special_access, member, access.kind.value, detail=" ".join(filter(None, parts)))

    def network(self, network: NetworkSecurity) -> Iterator[Evidence]:
        """What the network configuration allows; nothing where it allows nothing."""
        member = network.resource if network.resource in self._digests else self._manifest
        allowed = (
            ("cleartext", "true" if network.cleartext else ""),
            ("user_certificates", "true" if network.user_certificates else ""),
            ("custom_anchors", str(network.custom_anchors) if network.custom_anchors else ""),
        )
        for subject, value in allowed:
            if value:
                yield self._item(EvidenceKind.network_config, member, subject, detail=value)

    def target_sdk(self, level: int | None) -> Evidence:
        """The Android version that the app is made for."""
        return self._item(
            EvidenceKind.manifest, self._manifest, "targetSdkVersion", detail="" if level is None else str(level)
        )

    def queries(self, facts: AndroidFacts) -> Iterator[Evidence]:
        """The packages and intents that ``<queries>`` makes visible."""
        for name in facts.query_packages:
            yield self._item(EvidenceKind.query, self._manifest, name, detail="package")
        for intent in facts.query_intents:
            yield self._item(EvidenceKind.query, self._manifest, intent, detail="intent")

    # ---- code ------------------------------------------------------------------------------------------------------

    def site(self, site: Site) -> Evidence:
        """A place in the code; ``detail`` is the literal argument."""
        return Evidence(
            kind=_KINDS[site.kind],
            member=site.member,
            sha256=site.sha256,
            subject=site.subject,
            caller=site.caller,
            offset=site.offset,
            detail=site.literal,
        )

    def native(self, library: NativeLibrary) -> Evidence:
        """A native library of the package, by its file name."""
        name = library.member.rpartition("/")[2]
        return self._item(EvidenceKind.native_library, library.member, name, sha256=library.sha256)

    def class_prefix(self, prefix: str) -> Evidence:
        """How many classes are defined under a prefix of up to DEEPEST parts, whoever else claims a longer one."""
        return self._item(EvidenceKind.class_prefix, "", prefix, detail=str(self._classes[prefix]))

    @cached_property
    def _classes(self) -> Counter[str]:
        """Classes under every prefix that a package name has, each package walked once."""
        counted: Counter[str] = Counter()
        for package in self._gathered.code.packages:
            for prefix in accumulate(package.name.split(".", DEEPEST)[:DEEPEST], "{}.{}".format):
                counted[prefix] += package.classes
        return counted

    def hiding(self) -> Iterator[Evidence]:
        """What hides code: packers' marks, members that read like noise, FairPlay."""
        code = self._gathered.code
        for mark in code.packer_marks:
            yield self._item(EvidenceKind.encryption, "", mark)
        for member in code.encrypted_like:
            yield self._item(EvidenceKind.encryption, member, ENCRYPTED_LIKE)
        for binary in self._gathered.ios.binaries if self._gathered.ios else ():
            if binary.encrypted:
                yield self._in_binary(EvidenceKind.encryption, binary, FAIRPLAY)

    def reflection(self) -> Evidence:
        """Reflective calls of all calls."""
        code = self._gathered.code
        return self._item(EvidenceKind.measure, "", REFLECTION, detail=f"{code.reflection}/{code.code_units}")

    # ---- iOS -------------------------------------------------------------------------------------------------------

    def plist(self, facts: IosFacts) -> Iterator[Evidence]:
        """The keys of Info.plist that ask for something, one item for each value."""
        for usage in facts.usage:
            yield self._item(EvidenceKind.plist, usage.member, usage.key, detail=usage.text)
        values = [("UIBackgroundModes", mode) for mode in facts.background_modes]
        values += [("LSApplicationQueriesSchemes", scheme) for scheme in facts.queried_schemes]
        values += [("RequestsOpenAccess", bundle) for bundle in facts.open_access_keyboards]
        values += [
            (f"NSAllowsArbitraryLoads{_IN[where]}", "true") for where in facts.arbitrary_loads_in if where in _IN
        ]
        values += [("NSExtensionPointIdentifier", extension) for extension in facts.extensions]
        if facts.arbitrary_loads:
            values.append(("NSAllowsArbitraryLoads", "true"))
        if facts.file_sharing:
            values.append(("UIFileSharingEnabled", "true"))
        for key, value in values:
            yield self._item(EvidenceKind.plist, self._plist, key, detail=value)

    def entitlement(self, one: Entitlement) -> Evidence:
        """An entitlement with its value and where it is signed."""
        return self._item(EvidenceKind.entitlement, one.member, one.key, detail=f"{one.source} {one.value}")

    def privacy(self, manifest: PrivacyManifest) -> Iterator[Evidence]:
        """What a privacy manifest states."""
        stated = [("NSPrivacyTracking", "true")] if manifest.tracking else []
        stated += [("NSPrivacyTrackingDomains", domain) for domain in manifest.domains]
        stated += [("NSPrivacyCollectedDataTypes", one.type) for one in manifest.collected]
        stated += [("NSPrivacyAccessedAPITypes", one.type) for one in manifest.apis]
        for key, value in stated:
            yield self._item(EvidenceKind.privacy_manifest, manifest.member, key, detail=value, sha256=manifest.sha256)

    def _in_binary(self, kind: EvidenceKind, binary: MachO, subject: str) -> Evidence:
        return self._item(kind, binary.member, subject, detail=binary.architecture, sha256=binary.sha256)

    def macho_import(self, binary: MachO, symbol: str) -> Evidence:
        """A symbol that a Mach-O slice imports."""
        return self._in_binary(EvidenceKind.macho_import, binary, symbol)

    def macho_library(self, binary: MachO, library: str) -> Evidence:
        """A library that a Mach-O slice loads."""
        return self._in_binary(EvidenceKind.macho_library, binary, library)

    def framework(self, binary: MachO) -> Evidence:
        """An embedded framework, by its binary."""
        return self._in_binary(EvidenceKind.native_library, binary, framework_of(binary.member))


_IN = {"web": "InWebContent", "media": "ForMedia", "local": "LocalNetworking"}


def framework_of(member: str) -> str:
    """The innermost framework that a member lies in: ``X`` of ``.../Frameworks/X.framework/X``; "" for none."""
    found = _FRAMEWORK.match(member)
    return found.group(1) if found else ""


def everything(gathered: Gathered) -> frozenset[Evidence]:
    """Every item of evidence that these facts can give, but for ``class_prefix``, which is counted when asked for."""
    maker = Maker(gathered)
    found: set[Evidence] = {maker.site(site) for site in gathered.code.sites}
    found.update(maker.native(library) for library in gathered.code.native)
    found.update(maker.hiding())
    found.add(maker.reflection())
    if gathered.android is not None:
        found.update(_of_android(maker, gathered.android))
    if gathered.ios is not None:
        found.update(_of_ios(maker, gathered.ios))
    return frozenset(found)


def target_of(facts: AndroidFacts) -> int | None:
    """The API level that Android takes an app to be made for: what is not stated is the oldest that it runs on, else 1.

    None where the manifest was not read.
    """
    if not facts.package:
        return None
    return next((level for level in (facts.target_sdk, facts.min_sdk) if level is not None), 1)


def _of_android(maker: Maker, facts: AndroidFacts) -> Iterable[Evidence]:
    yield from map(maker.permission, facts.permissions)
    for component in facts.components:
        yield from maker.components(component)
    yield from map(maker.special, facts.special)
    yield from maker.queries(facts)
    if facts.package:
        yield maker.target_sdk(facts.target_sdk)
    if facts.network is not None:
        yield from maker.network(facts.network)


def _of_ios(maker: Maker, facts: IosFacts) -> Iterable[Evidence]:
    yield from maker.plist(facts)
    yield from map(maker.entitlement, facts.entitlements)
    for manifest in facts.privacy:
        yield from maker.privacy(manifest)
    for binary in facts.binaries:
        yield from (maker.macho_import(binary, symbol) for symbol in binary.imports)
        yield from (maker.macho_library(binary, library) for library in binary.libraries)
        if framework_of(binary.member):
            yield maker.framework(binary)
