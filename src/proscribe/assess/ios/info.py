"""What Info.plist files ask for: purpose strings, background modes, schemes, transport security, extensions. All E1.

Only bundles that run as processes count (the app, extensions, App Clips, Watch apps): a framework's purpose strings
mean nothing to the system. Key names: Apple, "Information Property List".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from proscribe.assess.facts import PlistValue, UsageDescription
from proscribe.assess.ios.bundles import PROCESSES, Bundle, BundleKind, Survey, child, text, texts
from proscribe.assess.ios.plists import Plain, read_strings
from proscribe.assess.terms import FactClass

MAX_TRANSLATIONS = 2000  # files

_USAGE = re.compile(r"[A-Za-z]{2,}UsageDescription(~\w+)?")
_TEMPORARY = "NSLocationTemporaryUsageDescriptionDictionary"
_STRINGS = re.compile(r"(?P<language>[^/]+)\.lproj/InfoPlist\.strings")
_LOADS_IN = {
    "NSAllowsArbitraryLoadsInWebContent": "web",
    "NSAllowsArbitraryLoadsForMedia": "media",
    "NSAllowsLocalNetworking": "local",
}
_INSECURE = ("NSExceptionAllowsInsecureHTTPLoads", "NSTemporaryExceptionAllowsInsecureHTTPLoads")
FILE_SHARING = ("UIFileSharingEnabled", "LSSupportsOpeningDocumentsInPlace")


@dataclass(frozen=True, slots=True)
class Asked:
    """The declarations of all bundles that run."""

    usage: tuple[UsageDescription, ...]
    values: tuple[PlistValue, ...]

    def of(self, *keys: str) -> tuple[str, ...]:
        """The values that stand under these keys anywhere, in order."""
        return tuple(sorted({one.value for one in self.values if one.key in keys}))

    @property
    def loads_in(self) -> tuple[str, ...]:
        """For what transport security is off, where it is not off as a whole."""
        return tuple(sorted(name for key, name in _LOADS_IN.items() if self.of(key)))


def read_info(survey: Survey, bundles: list[Bundle]) -> Asked:
    """Gather the declarations of every bundle that runs."""
    usage: list[UsageDescription] = []
    values: list[PlistValue] = []
    processes = [bundle for bundle in bundles if bundle.kind in PROCESSES]
    for bundle in processes:
        member = survey.container.member(bundle.plist)
        for key, value in _usage(bundle.info):
            if not value.strip():
                survey.odd("plist.empty-usage", bundle.plist, key)
            usage.append(UsageDescription(key, value, member))
        values += [PlistValue(key, value, member) for key, value in sorted(set(_values(bundle)))]
    usage += _translated(survey, {bundle.root for bundle in processes})
    return Asked(tuple(usage), tuple(values))


def _values(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """Keys and values that ask for something."""
    info = bundle.info
    for key in ("UIBackgroundModes", "WKBackgroundModes", "LSApplicationQueriesSchemes"):
        yield from ((key, value) for value in texts(info.get(key)))
    for key in FILE_SHARING:
        if info.get(key) is True:
            yield key, "true"
    types = info.get("CFBundleURLTypes")
    for entry in types if isinstance(types, list) else []:
        if isinstance(entry, dict):
            yield from (("CFBundleURLSchemes", scheme) for scheme in texts(entry.get("CFBundleURLSchemes")))
    yield from _transport(child(info, "NSAppTransportSecurity"))
    if bundle.kind is not BundleKind.app:
        yield from _extension(bundle)


def _usage(info: dict[str, Plain]) -> Iterator[tuple[str, str]]:
    """Purpose strings; one that is no text is there all the same (the system shows nothing, and asks)."""
    for key, value in info.items():
        if key == _TEMPORARY:
            entries = child(info, key)
            yield key, "; ".join(f"{name}: {text(entries, name)}" for name in sorted(entries))
        elif _USAGE.fullmatch(key):
            yield key, value if isinstance(value, str) else ""


def _transport(security: dict[str, Plain]) -> Iterator[tuple[str, str]]:
    """App Transport Security. Since iOS 10 a narrower key, by being there at all, switches off the broad one."""
    yield from ((key, "true") for key in _LOADS_IN if security.get(key) is True)
    if security.get("NSAllowsArbitraryLoads") is True and not _LOADS_IN.keys() & security.keys():
        yield "NSAllowsArbitraryLoads", "true"
    domains = child(security, "NSExceptionDomains")
    for domain in domains:
        if any(child(domains, domain).get(key) is True for key in _INSECURE):
            yield "NSExceptionDomains", domain


def _extension(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """What the bundle adds to the system: an extension point, or that it is an App Clip or a Watch app."""
    extension = child(bundle.info, "NSExtension")
    point = text(extension, "NSExtensionPointIdentifier") or text(
        child(bundle.info, "EXAppExtensionAttributes"), "EXExtensionPointIdentifier"
    )
    if bundle.kind is not BundleKind.extension:
        point = bundle.kind.value
    name = bundle.identifier or bundle.folder
    yield "NSExtensionPointIdentifier", f"{point or 'unknown'}={name}"
    if child(extension, "NSExtensionAttributes").get("RequestsOpenAccess") is True:
        yield "RequestsOpenAccess", name


# ---- translations --------------------------------------------------------------------------------------------------


def _translated(survey: Survey, roots: set[str]) -> Iterator[UsageDescription]:
    """Purpose strings that a translation overrides: what a user of that language is told."""
    files = 0
    for name in sorted(survey.container.entries):
        folder, _, _ = name.rpartition("/")
        place = folder.rpartition("/")[0] + "/" if name.endswith(".strings") else folder + "/"
        if place not in roots or not name.endswith(("/InfoPlist.strings", "/InfoPlist.loctable")):
            continue
        files += 1
        if files > MAX_TRANSLATIONS:
            survey.fail(FactClass.plist, "ipa.too-many-translations", name)
            return
        for language, table in _tables(survey, name):
            for key, value in _usage(table):
                yield UsageDescription(key, value, survey.container.member(name), language)


def _tables(survey: Survey, name: str) -> Iterator[tuple[str, dict[str, Plain]]]:
    """The tables in a ``.strings`` file (one language) or a ``.loctable`` (all of them), by language."""
    table = survey.mapping(name, FactClass.plist, read_strings)
    found = _STRINGS.search(name)
    if found:
        yield found["language"], table
    else:
        yield from ((language, child(table, language)) for language in sorted(table))
