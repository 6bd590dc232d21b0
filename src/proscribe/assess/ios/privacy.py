"""Privacy manifests: what the makers of an app and of its SDKs say they collect and why. A statement, not a finding.

Keys: Apple, "Privacy manifest files".
"""

from __future__ import annotations

from collections.abc import Iterator

from proscribe.assess.facts import AccessedApi, CollectedData, PrivacyManifest
from proscribe.assess.ios.bundles import Survey, text, texts
from proscribe.assess.ios.plists import Plain
from proscribe.assess.terms import FactClass

MAX_MANIFESTS = 500


def read_privacy(survey: Survey, root: str) -> tuple[PrivacyManifest, ...]:
    """Every PrivacyInfo.xcprivacy below ``root``, in order of their paths."""
    names = [
        name for name in survey.container.entries if name.startswith(root) and name.endswith("/PrivacyInfo.xcprivacy")
    ]
    if len(names) > MAX_MANIFESTS:
        survey.fail(FactClass.privacy_manifest, "ipa.too-many-privacy-manifests", sorted(names)[MAX_MANIFESTS])
    return tuple(_manifest(survey, name) for name in sorted(names)[:MAX_MANIFESTS])


def _manifest(survey: Survey, name: str) -> PrivacyManifest:
    """One manifest; empty where it cannot be read, which the run and an anomaly say."""
    data = survey.mapping(name, FactClass.privacy_manifest)
    return PrivacyManifest(
        member=survey.container.member(name),
        sha256=survey.digest(name),
        tracking=data.get("NSPrivacyTracking") is True,
        domains=tuple(sorted(set(texts(data.get("NSPrivacyTrackingDomains"))))),
        apis=tuple(
            AccessedApi(
                text(entry, "NSPrivacyAccessedAPIType"), tuple(texts(entry.get("NSPrivacyAccessedAPITypeReasons")))
            )
            for entry in _entries(data, "NSPrivacyAccessedAPITypes")
        ),
        collected=tuple(
            CollectedData(
                type=text(entry, "NSPrivacyCollectedDataType"),
                linked=entry.get("NSPrivacyCollectedDataTypeLinked") is True,
                tracking=entry.get("NSPrivacyCollectedDataTypeTracking") is True,
                purposes=tuple(texts(entry.get("NSPrivacyCollectedDataTypePurposes"))),
            )
            for entry in _entries(data, "NSPrivacyCollectedDataTypes")
        ),
    )


def _entries(data: dict[str, Plain], key: str) -> Iterator[dict[str, Plain]]:
    value = data.get(key)
    yield from (entry for entry in (value if isinstance(value, list) else []) if isinstance(entry, dict))
