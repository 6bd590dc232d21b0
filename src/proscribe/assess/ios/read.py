"""An IPA's facts: one app bundle in ``Payload`` and everything inside it.

How strong the evidence can be on iOS: a purpose string, an entitlement or a background mode is E1 (declared); a
library or an imported symbol is E2 (referenced). There is no E3: call sites are not looked for, because a store app's
code is encrypted and Objective-C and Swift calls cannot be told from the load commands alone.

Stable codes: ``ipa.*`` of the package, ``plist.*``, ``macho.*``, ``codesign.*``, ``profile.*``, ``zip.*`` of members.
"""

from __future__ import annotations

from proscribe.assess.facts import Entitlement, IosFacts, Reading, Run
from proscribe.assess.intake.container import Container
from proscribe.assess.ios.binaries import Binaries, read_binaries
from proscribe.assess.ios.bundles import Bundle, BundleKind, Survey, app_root, bundles, text
from proscribe.assess.ios.info import FILE_SHARING, read_info
from proscribe.assess.ios.plists import as_json
from proscribe.assess.ios.privacy import read_privacy
from proscribe.assess.ios.profile import Profile, read_profile
from proscribe.assess.terms import Extent, FactClass
from proscribe.assess.watch import Watch

MAX_KEYS = 500


def read_ios(ipa: Container, watch: Watch) -> Reading[IosFacts]:
    """Read the app in ``ipa``. Never raises on what is in it: what could not be read is a run with a problem code.

    ``facts`` is None only where there is no app at all. Where the Info.plist cannot be read, ``facts`` holds what the
    other members show, and the plist's run says failed or partial.
    """
    survey = Survey(ipa)
    root = app_root(survey)
    if not root:
        survey.odd("ipa.no-app")
        problem = Run(FactClass.plist, "plist", Extent.failed, problem="ipa.no-app")
        return Reading(None, (problem,), tuple(survey.anomalies))
    inside = bundles(survey, root)
    asked = read_info(survey, inside)
    privacy = read_privacy(survey, root)
    profile = read_profile(survey, root)
    binaries = read_binaries(survey, inside, watch)
    for name in sorted(name for name in ipa.entries if name.startswith(root) and name.endswith(".mobileconfig")):
        survey.odd("ipa.configuration-profile", name)
    main = inside[0].info
    facts = IosFacts(
        bundle_id=inside[0].identifier,
        version=text(main, "CFBundleShortVersionString"),
        build=text(main, "CFBundleVersion"),
        name=text(main, "CFBundleDisplayName") or text(main, "CFBundleName"),
        minimum_os=text(main, "MinimumOSVersion"),
        executable=text(main, "CFBundleExecutable"),
        usage=asked.usage,
        background_modes=asked.of("UIBackgroundModes", "WKBackgroundModes"),
        queried_schemes=asked.of("LSApplicationQueriesSchemes"),
        url_schemes=asked.of("CFBundleURLSchemes"),
        arbitrary_loads=bool(asked.of("NSAllowsArbitraryLoads")),
        arbitrary_loads_in=asked.loads_in,
        exception_domains=asked.of("NSExceptionDomains"),
        file_sharing=bool(asked.of(*FILE_SHARING)),
        extensions=asked.of("NSExtensionPointIdentifier"),
        open_access_keyboards=asked.of("RequestsOpenAccess"),
        entitlements=_entitlements(binaries, profile, ipa.member(f"{root}embedded.mobileprovision")),
        privacy=privacy,
        binaries=tuple(binaries.slices),
        frameworks=_frameworks(inside),
        profile=profile.kind,
        team_id=binaries.team_id or profile.team_id,
        profile_expires=profile.expires,
        plist_keys=tuple(sorted(key for key, value in main.items() if value is not False))[:MAX_KEYS],
        asked=asked.values,
    )
    runs = (
        survey.run(FactClass.plist, "plist"),
        survey.run(FactClass.privacy_manifest, "plist"),
        survey.run(FactClass.macho, "macho"),
        *binaries.runs(),
        survey.run(FactClass.entitlements, "codesign"),
    )
    return Reading(facts, runs, tuple(sorted(survey.anomalies, key=lambda odd: (odd.member, odd.code, odd.detail))))


def _entitlements(binaries: Binaries, profile: Profile, member: str) -> tuple[Entitlement, ...]:
    allowed = {Entitlement(key, as_json(value), "profile", member) for key, value in profile.entitlements.items()}
    return tuple(sorted(binaries.entitlements | allowed, key=lambda row: (row.member, row.source, row.key, row.value)))


def _frameworks(inside: list[Bundle]) -> tuple[str, ...]:
    """Names and bundle ids: who builds an SDK from source may give it an id of their own, and its name stays."""
    frameworks = [bundle for bundle in inside if bundle.kind is BundleKind.framework]
    return tuple(sorted({name for bundle in frameworks for name in (bundle.folder, bundle.identifier) if name}))
