"""Access that Android gives in a settings screen or through an administrator, and what its XML asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

from proscribe.assess.android.attributes import ACCESSIBILITY_FLAGS, EVENT_TYPES, FEEDBACK, flags
from proscribe.assess.android.axml import Element
from proscribe.assess.android.package import ApkSet, Unread
from proscribe.assess.android.values import Values
from proscribe.assess.facts import Component, SpecialAccess, UsesPermission
from proscribe.assess.terms import SpecialKind

BY_PERMISSION: Final[Mapping[str, SpecialKind]] = {
    "android.permission.PACKAGE_USAGE_STATS": SpecialKind.usage_access,
    "android.permission.MANAGE_EXTERNAL_STORAGE": SpecialKind.all_files,
    "android.permission.SYSTEM_ALERT_WINDOW": SpecialKind.overlay,
    "android.permission.REQUEST_INSTALL_PACKAGES": SpecialKind.install_packages,
    "android.permission.QUERY_ALL_PACKAGES": SpecialKind.query_all_packages,
    "android.permission.WRITE_SETTINGS": SpecialKind.write_settings,
}
"""What the app asks for by a ``uses-permission`` alone."""


@dataclass(frozen=True, slots=True)
class _Binding:
    """A component that only the system may bind: its kind, the action the system looks for, and its XML."""

    kind: SpecialKind
    component: str
    action: str
    meta: str = ""


_BOUND: Final[Mapping[str, _Binding]] = {
    "android.permission.BIND_ACCESSIBILITY_SERVICE": _Binding(
        SpecialKind.accessibility,
        "service",
        "android.accessibilityservice.AccessibilityService",
        "android.accessibilityservice",
    ),
    "android.permission.BIND_NOTIFICATION_LISTENER_SERVICE": _Binding(
        SpecialKind.notification_listener,
        "service",
        "android.service.notification.NotificationListenerService",
    ),
    "android.permission.BIND_VPN_SERVICE": _Binding(SpecialKind.vpn, "service", "android.net.VpnService"),
    "android.permission.BIND_INPUT_METHOD": _Binding(
        SpecialKind.input_method, "service", "android.view.InputMethod", "android.view.im"
    ),
    "android.permission.BIND_AUTOFILL_SERVICE": _Binding(
        SpecialKind.autofill, "service", "android.service.autofill.AutofillService", "android.autofill"
    ),
    "android.permission.BIND_AUTOFILL": _Binding(
        SpecialKind.autofill, "service", "android.service.autofill.AutofillService", "android.autofill"
    ),
    "android.permission.BIND_DEVICE_ADMIN": _Binding(
        SpecialKind.device_admin,
        "receiver",
        "android.app.action.DEVICE_ADMIN_ENABLED",
        "android.app.device_admin",
    ),
}

_ACCESSIBILITY_BOOLEANS: Final = (
    "canRetrieveWindowContent",
    "canRequestTouchExplorationMode",
    "canRequestEnhancedWebAccessibility",
    "canRequestFilterKeyEvents",
    "canControlMagnification",
    "canPerformGestures",
    "canRequestFingerprintGestures",
    "canTakeScreenshot",
    "isAccessibilityTool",
)


@dataclass(slots=True)
class Tally:
    """XML files that special access points to: how many there are, how many were read, and the first fault."""

    total: int = 0
    read: int = 0
    problem: str = ""
    detail: str = ""

    def fault(self, code: str, detail: str) -> None:
        """Remember the first one."""
        if not self.problem:
            self.problem, self.detail = code, detail


def read_special(apks: ApkSet, components: Sequence[Component], tally: Tally) -> Iterator[SpecialAccess]:
    """Special access through components: one for each XML file, so configurations that differ show side by side."""
    read = cache(partial(_xml, apks, tally))
    for component in components:
        binding = _BOUND.get(component.permission)
        if binding is None or binding.component != component.kind:
            continue
        stated = tuple(_stated(component, binding))
        resources = dict.fromkeys(meta.resource for meta in component.meta if meta.name == binding.meta)
        if not resources:
            yield _access(binding, component, "", stated)
        for resource in resources:
            details, policies = read(binding.kind, resource)
            yield _access(binding, component, resource, (*stated, *details), policies)


def asked_by_permission(permissions: Sequence[UsesPermission]) -> Iterator[SpecialAccess]:
    """Special access that a permission alone asks for, each once."""
    seen: set[SpecialKind] = set()
    for permission in permissions:
        kind = BY_PERMISSION.get(permission.name)
        if kind is not None and kind not in seen:
            seen.add(kind)
            yield SpecialAccess(kind, permission=permission.name, member=permission.member)


def _stated(component: Component, binding: _Binding) -> Iterator[str]:
    """What stands in the way: the system finds such a component by its action, and never a disabled one."""
    if not component.enabled:
        yield "enabled=false"
    if binding.action not in component.actions:
        yield "action=absent"


def _access(
    binding: _Binding,
    component: Component,
    resource: str,
    details: tuple[str, ...],
    policies: tuple[str, ...] = (),
) -> SpecialAccess:
    return SpecialAccess(
        kind=binding.kind,
        component=component.name,
        permission=component.permission,
        resource=resource,
        details=details,
        policies=policies,
        member=component.member,
    )


def _xml(apks: ApkSet, tally: Tally, kind: SpecialKind, resource: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Details and policies that the XML states; both empty where it cannot be read, which ``tally`` then says."""
    tally.total += 1
    if not resource or resource.startswith("@"):
        tally.fault("manifest.unresolved", resource)
        return (), ()
    try:
        document = apks.open(resource)
    except Unread as fault:
        tally.fault(fault.code, fault.detail)
        return (), ()
    if document.broken:
        tally.fault(document.broken, resource)
    else:
        tally.read += 1
    root = document.root
    if root is None:
        return (), ()
    values = Values(apks.resources(apks.position(resource)))
    if kind is SpecialKind.accessibility:
        return tuple(_accessibility(values, root)), ()
    if kind is SpecialKind.device_admin:
        policies = (each.tag for group in root.all("uses-policies") for each in group.children)
        return (), tuple(dict.fromkeys(policies))
    settings = values.text(root, "settingsActivity")
    return ((f"settingsActivity={settings}",) if settings else ()), ()


def _accessibility(values: Values, root: Element) -> Iterator[str]:
    """``accessibilityservice`` attributes, flags by name, booleans where they are stated."""
    for name in _ACCESSIBILITY_BOOLEANS:
        answer = values.flag(root, name)
        if answer is not None:
            yield f"{name}={str(answer).lower()}"
    for name, table, everything in (
        ("accessibilityEventTypes", EVENT_TYPES, "typeAllMask"),
        ("accessibilityFlags", ACCESSIBILITY_FLAGS, ""),
        ("accessibilityFeedbackType", FEEDBACK, "feedbackAllMask"),
    ):
        number = values.number(root, name)
        if number is not None:
            yield f"{name}={'|'.join(flags(number & 0xFFFFFFFF, table, everything))}"
    for name in ("packageNames", "notificationTimeout"):
        text = values.text(root, name)
        if text:
            yield f"{name}={text}"
