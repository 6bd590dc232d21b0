"""What a directive wants gone and kept out: exact app ids for each platform, and who is known to hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from proscribe.catalogue.model import IdentifierType, Target, TargetSet
from proscribe.directive.model import ActionVerb, Directive
from proscribe.evaluate.model import Drift, Finding
from proscribe.plan.model import Verb
from proscribe.terms import Platform

BY_ID = {
    IdentifierType.android_package: (Platform.android, Platform.chromeos),
    IdentifierType.ios_bundle_id: (Platform.ios,),
    IdentifierType.macos_bundle_id: (Platform.macos,),
}
"""The identifiers that can be sent to a management system as they are. Android apps on ChromeOS keep their name."""

IN_APP_LISTS = frozenset(BY_ID) | {
    IdentifierType.android_package_glob,
    IdentifierType.android_cert_sha256,
    IdentifierType.ios_bundle_glob,
    IdentifierType.apple_team_id,
    IdentifierType.app_store_id,
    IdentifierType.app_name,
}
"""The identifiers that can be found in a device's app list at all."""

KEEP_OUT = frozenset({Verb.block_install, Verb.block_launch})
"""Two ways to one end: an app that cannot be installed, or that cannot be launched, is kept out."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the directive asks for. ``ids``: by platform, each app id with the targets it stands for."""

    removal: bool
    keep_out: bool
    ids: Mapping[Platform, Mapping[str, frozenset[str]]]
    product_of: Mapping[str, str]  # target id -> product id

    def products(self, app_id: str, platform: Platform) -> frozenset[str]:
        """The products that an app id stands for."""
        targets = self.ids.get(platform, {}).get(app_id, frozenset())
        return frozenset(self.product_of[target] for target in targets if self.product_of.get(target))

    def without(self, banned: Mapping[Platform, frozenset[str]]) -> Wanted:
        """The same without some app ids, by platform."""
        kept = {
            platform: {app: of for app, of in apps.items() if app not in banned.get(platform, frozenset())}
            for platform, apps in self.ids.items()
        }
        return replace(self, ids=kept)

    @property
    def verbs(self) -> frozenset[Verb]:
        """The verbs that serve the directive."""
        return (frozenset({Verb.remove}) if self.removal else frozenset()) | (
            KEEP_OUT if self.keep_out else frozenset()
        )


@dataclass(slots=True)
class Holdings:
    """The findings that drive changes, by device; the devices on which other targets were found, by target."""

    by_device: dict[str, list[Finding]] = field(default_factory=dict)
    doubtful: dict[str, set[str]] = field(default_factory=dict)


def read_findings(findings: Iterable[Finding], targets: TargetSet) -> Holdings:
    """Tell findings that may drive a change from those that may not. Look-alikes and cured ones drive nothing."""
    actionable = {target.id for target in targets.targets if target.actionable}
    holdings = Holdings()
    for finding in findings:
        if finding.drift is Drift.cured:
            continue
        if finding.match.is_violation and finding.actionable and finding.target in actionable:
            holdings.by_device.setdefault(finding.device, []).append(finding)
        elif finding.match.is_violation:
            holdings.doubtful.setdefault(finding.target, set()).add(finding.device)
    return holdings


def wanted(directive: Directive, targets: TargetSet, holdings: Holdings) -> Wanted:
    """The exact app ids to act on: those of actionable targets, and those that a signer or a pattern led to."""
    ids: dict[Platform, dict[str, set[str]]] = {}
    for target in targets.targets:
        if target.actionable:
            for platform in BY_ID.get(target.type, ()):
                ids.setdefault(platform, {}).setdefault(target.value, set()).add(target.id)
    for found in holdings.by_device.values():
        for finding in found:
            if finding.app_id:
                ids.setdefault(finding.platform, {}).setdefault(finding.app_id, set()).add(finding.target)
    asked = {action.verb for action in directive.actions}
    return Wanted(
        removal=ActionVerb.remove in asked,
        keep_out=bool(asked & {ActionVerb.block_install, ActionVerb.block_launch}),
        ids={platform: {app: frozenset(of) for app, of in apps.items()} for platform, apps in ids.items()},
        product_of={target.id: target.product for target in targets.targets},
    )


def doubtful_targets(targets: TargetSet) -> tuple[Target, ...]:
    """The targets that may not drive a change although they could be found. Leads only ever point at look-alikes."""
    return tuple(
        target
        for target in targets.targets
        if not target.actionable and not target.lead and target.type in IN_APP_LISTS
    )
