"""What Info.plist files ask for: purpose strings, background modes, schemes, transport security, extensions. All E1.

Only bundles that run as processes count (the app, extensions, App Clips, Watch apps): a framework's purpose strings
mean nothing to the system. Key names: Apple, "Information Property List".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from proscribe.assess.facts import UsageDescription
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


@dataclass(slots=True)
class Asked:
    """The declarations of all processes, gathered."""

    usage: list[UsageDescription] = field(default_factory=list)
    background: set[str] = field(default_factory=set)
    queried: set[str] = field(default_factory=set)
    schemes: set[str] = field(default_factory=set)
    arbitrary_loads: bool = False
    loads_in: set[str] = field(default_factory=set)
    exceptions: set[str] = field(default_factory=set)
    extensions: set[str] = field(default_factory=set)
    keyboards: set[str] = field(default_factory=set)


def read_info(survey: Survey, bundles: list[Bundle]) -> Asked:
    """Gather the declarations of every bundle that runs."""
    asked = Asked()
    processes = [bundle for bundle in bundles if bundle.kind in PROCESSES]
    for bundle in processes:
        member = survey.container.member(bundle.plist)
        for key, value in _usage(bundle.info):
            if not value.strip():
                survey.odd("plist.empty-usage", bundle.plist, key)
            asked.usage.append(UsageDescription(key, value, member))
        asked.background.update(
            texts(bundle.info.get("UIBackgroundModes")), texts(bundle.info.get("WKBackgroundModes"))
        )
        asked.queried.update(texts(bundle.info.get("LSApplicationQueriesSchemes")))
        asked.schemes.update(_schemes(bundle.info))
        _transport(bundle.info, asked)
        _extension(bundle, asked)
    asked.usage += _translated(survey, {bundle.root for bundle in processes})
    return asked


def _usage(info: dict[str, Plain]) -> Iterator[tuple[str, str]]:
    """Purpose strings; one that is no text is there all the same (the system shows nothing, and asks)."""
    for key, value in info.items():
        if key == _TEMPORARY:
            entries = child(info, key)
            yield key, "; ".join(f"{name}: {text(entries, name)}" for name in sorted(entries))
        elif _USAGE.fullmatch(key):
            yield key, value if isinstance(value, str) else ""


def _schemes(info: dict[str, Plain]) -> Iterator[str]:
    types = info.get("CFBundleURLTypes")
    for entry in types if isinstance(types, list) else []:
        if isinstance(entry, dict):
            yield from texts(entry.get("CFBundleURLSchemes"))


def _transport(info: dict[str, Plain], asked: Asked) -> None:
    """App Transport Security. Since iOS 10 a narrower key, by being there at all, switches off the broad one."""
    security = child(info, "NSAppTransportSecurity")
    asked.loads_in.update(name for key, name in _LOADS_IN.items() if security.get(key) is True)
    if security.get("NSAllowsArbitraryLoads") is True and not _LOADS_IN.keys() & security.keys():
        asked.arbitrary_loads = True
    domains = child(security, "NSExceptionDomains")
    for domain in domains:
        rules = child(domains, domain)
        if any(rules.get(key) is True for key in ("NSExceptionAllowsInsecureHTTPLoads", _OLD_INSECURE)):
            asked.exceptions.add(domain)


_OLD_INSECURE = "NSTemporaryExceptionAllowsInsecureHTTPLoads"


def _extension(bundle: Bundle, asked: Asked) -> None:
    """What the bundle adds to the system: an extension point, or that it is an App Clip or a Watch app."""
    if bundle.kind is BundleKind.app:
        return
    extension = child(bundle.info, "NSExtension")
    point = text(extension, "NSExtensionPointIdentifier") or text(
        child(bundle.info, "EXAppExtensionAttributes"), "EXExtensionPointIdentifier"
    )
    if bundle.kind is not BundleKind.extension:
        point = bundle.kind.value
    name = bundle.identifier or bundle.folder
    asked.extensions.add(f"{point or 'unknown'}={name}")
    if child(extension, "NSExtensionAttributes").get("RequestsOpenAccess") is True:
        asked.keyboards.add(name)


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
